//! Conditions that cannot be, or cannot be otherwise: `x and not x`, `x > 5 and x < 3`, `x or not x`.

/// Parts of a condition that are compared with one another.
const MOST: usize = 24;

/// A part of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part<'c> {
    /// Something that is true or not.
    Plain { what: &'c str, is_negated: bool },
    /// Two sides and what is said of them.
    Compared { left: &'c str, by: &'static str, right: &'c str },
}

/// Comparisons, longer ones before those that they begin with; and the one that says the opposite.
const COMPARISONS: &[(&str, &str)] = &[
    (" is not ", " is "),
    (" not in ", " in "),
    (" is ", " is not "),
    (" in ", " not in "),
    ("===", "!=="),
    ("!==", "==="),
    ("==", "!="),
    ("!=", "=="),
    ("<=", ">"),
    (">=", "<"),
    ("<", ">="),
    (">", "<="),
];

/// What is wrong with a condition, in words.
pub(super) fn wrong(condition: &str) -> Option<String> {
    let ors = split(condition, &[" or ", "||"]);
    for or in &ors {
        let parts: Vec<Part<'_>> = split(or, &[" and ", "&&"]).into_iter().take(MOST).filter_map(part).collect();
        for (at, part) in parts.iter().enumerate() {
            if let Some(other) = parts[..at].iter().find(|other| is_never(other, part)) {
                return Some(format!("`{}` and `{}` are never both true", said(other), said(part)));
            }
        }
    }
    let plain: Vec<Part<'_>> = ors.into_iter().take(MOST).filter_map(part).collect();
    for (at, part) in plain.iter().enumerate() {
        if let Some(other) = plain[..at].iter().find(|other| is_opposite(other, part)) {
            return Some(format!("`{}` or `{}` is always true", said(other), said(part)));
        }
    }
    None
}

/// Whether asking twice gives the same answer, as far as the text tells: what is called may give another.
pub(super) fn is_steady(text: &str) -> bool {
    text.match_indices('(').all(|(at, _)| {
        let before = text[..at].trim_end();
        let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        name.is_empty()
            || ["is", "has", "len", "can", "starts", "ends", "contains", "and", "or", "not", "in", "any", "all", "bool"]
                .iter()
                .any(|word| name.starts_with(word))
    }) && !text.contains(":=")
        && !text.contains("await ")
        && !text.contains("++")
        && !text.contains("--")
}

/// Cuts at words outside of brackets and strings.
fn split<'c>(text: &'c str, words: &[&str]) -> Vec<&'c str> {
    let text = peeled(text);
    let (mut parts, mut begin, mut depth, mut quote, mut skip) = (Vec::new(), 0, 0_usize, None, 0);
    for (at, c) in text.char_indices() {
        if at < skip {
            continue;
        }
        match (quote, c) {
            (_, '\\') => skip = at + 2,
            (Some(end), c) if c == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 => {
                if let Some(word) = words.iter().find(|word| text[at..].starts_with(**word)) {
                    parts.push(text[begin..at].trim());
                    begin = at + word.len();
                    skip = begin;
                }
            }
            _ => {}
        }
    }
    parts.push(text.get(begin..).unwrap_or_default().trim());
    parts
}

/// Without the brackets around all of it.
fn peeled(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        let mut depth = 0_i32;
        let closes = inner.chars().any(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth < 0
        });
        if closes {
            break;
        }
        text = inner.trim();
    }
    text
}

fn part(text: &str) -> Option<Part<'_>> {
    let text = peeled(text);
    // What is chosen by a condition is another matter, and so is what holds conditions of its own.
    let has_own = [" if ", " and ", " or ", "&&", "||", " for ", "lambda", "=>", "?", "let "];
    if text.is_empty() || has_own.iter().any(|word| text.contains(word)) || !is_steady(text) {
        return None;
    }
    if let Some((left, by, right)) = compared(text) {
        // A chain says more than one thing.
        let more = [left, right].iter().any(|side| compared(side).is_some() || side.is_empty());
        return (!more).then_some(Part::Compared { left, by, right });
    }
    let bare = text.strip_prefix("not ").or_else(|| text.strip_prefix('!'));
    let what = peeled(bare.unwrap_or(text));
    (what.contains(char::is_alphabetic) && !what.contains('='))
        .then_some(Part::Plain { what, is_negated: bare.is_some() })
}

fn compared(text: &str) -> Option<(&str, &'static str, &str)> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 => {
                let rest = &text[at..];
                if ["->", "<<", ">>"].iter().any(|other| rest.starts_with(other)) {
                    return None;
                }
                if let Some((by, _)) = COMPARISONS.iter().find(|(by, _)| rest.starts_with(by)) {
                    return Some((text[..at].trim(), by, text[at + by.len()..].trim()));
                }
            }
            _ => {}
        }
    }
    None
}

fn said(part: &Part<'_>) -> String {
    super::shown(&match part {
        Part::Plain { what, is_negated: false } => (*what).to_owned(),
        Part::Plain { what, is_negated: true } => format!("not {what}"),
        Part::Compared { left, by, right } => format!("{left} {} {right}", by.trim()),
    })
}

fn is_opposite(one: &Part<'_>, other: &Part<'_>) -> bool {
    match (one, other) {
        (Part::Plain { what, is_negated }, Part::Plain { what: of, is_negated: other }) => {
            what == of && is_negated != other
        }
        (Part::Compared { left, by, right }, Part::Compared { left: l, by: other, right: r }) => {
            (left, right) == (l, r) && COMPARISONS.contains(&(by, other))
        }
        _ => false,
    }
}

fn is_never(one: &Part<'_>, other: &Part<'_>) -> bool {
    if is_opposite(one, other) {
        return true;
    }
    let (Part::Compared { left, by, right }, Part::Compared { left: l, by: other, right: r }) = (one, other) else {
        return false;
    };
    if left != l || !left.contains(char::is_alphabetic) {
        return false;
    }
    let is_equal = |by: &str| matches!(by, "==" | "===" | " is ");
    if is_equal(by) && is_equal(other) {
        return right != r && is_literal(right) && is_literal(r) && kind(right) == kind(r);
    }
    let (Ok(a), Ok(b)) = (right.parse::<f64>(), r.parse::<f64>()) else { return right == r && is_strictly(by, other) };
    match (*by, *other) {
        (">", "<" | "<=") | (">=", "<") => a >= b,
        (">=", "<=") => a > b,
        ("<", ">" | ">=") | ("<=", ">") => a <= b,
        ("<=", ">=") => a < b,
        ("==" | "===", ">") => a <= b,
        ("==" | "===", ">=") => a < b,
        ("==" | "===", "<") => a >= b,
        ("==" | "===", "<=") => a > b,
        (">", "==" | "===") => b <= a,
        (">=", "==" | "===") => b < a,
        ("<", "==" | "===") => b >= a,
        ("<=", "==" | "===") => b > a,
        _ => false,
    }
}

fn is_strictly(by: &str, other: &str) -> bool {
    matches!((by, other), ("<", ">") | (">", "<") | ("==", "<" | ">") | ("<" | ">", "=="))
}

/// A text or a number: two of them that are written otherwise are different (`1` and `1.0` aside, see [`kind`]).
pub(super) fn is_literal(text: &str) -> bool {
    kind(text).is_some()
}

fn kind(text: &str) -> Option<u8> {
    let quoted = |quote: char| {
        let inner = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
        inner.is_some_and(|inner| !inner.contains([quote, '\\']))
    };
    match text {
        "True" | "False" | "true" | "false" => Some(0),
        "None" | "null" => Some(1),
        _ if text.parse::<i64>().is_ok() => Some(2),
        _ if quoted('"') => Some(3),
        _ if quoted('\'') => Some(4),
        _ => None,
    }
}
