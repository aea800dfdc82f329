//! Logic that contradicts itself: conditions that cannot be, the same condition or the same branch twice, statements that
//! nothing reaches, a key or a value that is given twice.

use std::collections::BTreeMap;

use super::conditions::{is_literal, is_steady, wrong};
use super::lines::closed;
use super::{Line, Seen, Syntax, shown};

/// Lines of one statement, at most.
const MOST_LINES: usize = 30;

/// A statement: lines that belong together by brackets or a backslash.
struct Statement {
    number: u32,
    /// Whether a line of it was added.
    is_added: bool,
    indent: usize,
    code: String,
}

pub(super) fn look(lines: &[Line<'_>], syntax: Syntax) -> Seen {
    let statements = statements(lines);
    let mut seen = Seen::new();
    for statement in statements.iter().filter(|statement| statement.is_added) {
        if let Some(why) = condition(&statement.code, syntax).and_then(wrong) {
            seen.push((statement.number, why));
        }
    }
    branches(&statements, syntax, &mut seen);
    unreached(&statements, syntax, &mut seen);
    given_twice(&statements, syntax, &mut seen);
    if matches!(syntax, Syntax::Python | Syntax::Script) {
        keys(lines, &mut seen);
    }
    seen.sort();
    seen
}

fn statements(lines: &[Line<'_>]) -> Vec<Statement> {
    let mut all: Vec<Statement> = Vec::new();
    let mut count = 0;
    for line in lines.iter().filter(|line| !line.code.is_empty()) {
        let more = line.depth > 0 || line.goes_on;
        match all.last_mut().filter(|_| more) {
            Some(last) => {
                count += 1;
                last.is_added |= line.is_added;
                if count < MOST_LINES {
                    last.code.truncate(last.code.trim_end_matches('\\').trim_end().len());
                    last.code.push(' ');
                    last.code.push_str(&line.code);
                }
            }
            None => {
                count = 0;
                let (number, is_added, indent) = (line.number, line.is_added, line.indent);
                all.push(Statement { number, is_added, indent, code: line.code.clone() });
            }
        }
    }
    all
}

/// The condition of a statement that has one.
fn condition(code: &str, syntax: Syntax) -> Option<&str> {
    if syntax == Syntax::Python {
        let rest = ["if ", "elif ", "while ", "assert ", "return "].iter().find_map(|word| code.strip_prefix(word))?;
        return match rest.strip_suffix(':') {
            Some(condition) => Some(condition),
            None if code.starts_with("assert ") || code.starts_with("return ") => Some(rest),
            None => None,
        };
    }
    let code = code.trim_start_matches(['}', ' ']);
    let code = code.strip_prefix("else ").unwrap_or(code);
    let rest = code.strip_prefix("if").or_else(|| code.strip_prefix("while"))?;
    if let Some(rest) = rest.strip_prefix([' ']).filter(|_| syntax != Syntax::Script) {
        return rest.strip_suffix('{').map(str::trim).filter(|rest| !rest.contains([';', '{']));
    }
    let rest = rest.trim().strip_suffix('{')?.trim();
    (rest.starts_with('(') && rest.ends_with(')')).then_some(rest)
}

/// An `if` whose branches are being read.
struct Chain {
    indent: usize,
    conditions: Vec<String>,
    /// Where the branch begins that is read, and the one before, as indices of statements.
    begins: Vec<usize>,
    has_else: bool,
}

fn branches(all: &[Statement], syntax: Syntax, seen: &mut Seen) {
    let mut open: Vec<Chain> = Vec::new();
    for (at, statement) in all.iter().enumerate() {
        let bare = statement.code.trim_start_matches(['}', ' ']);
        let is_else =
            bare.starts_with("else") && !bare.starts_with("else if") && (bare.ends_with(':') || bare.ends_with('{'));
        let is_more = bare.starts_with("elif ") || bare.starts_with("else if ");
        while let Some(chain) = open.last() {
            let goes_on = chain.indent == statement.indent && (is_else || is_more) && !chain.has_else;
            if chain.indent < statement.indent || goes_on {
                break;
            }
            if let Some(chain) = open.pop() {
                same_branches(all, &chain, at, seen);
            }
        }
        let said = condition(&statement.code, syntax).map(str::to_owned);
        let may_open = open.len() < 64;
        match open.last_mut().filter(|chain| chain.indent == statement.indent) {
            Some(chain) => {
                chain.begins.push(at + 1);
                chain.has_else = is_else;
                if let Some(said) = said {
                    if statement.is_added && chain.conditions.contains(&said) && is_steady(&said) {
                        let what = format!("`{}` is asked a second time, where it is false", shown(&said));
                        seen.push((statement.number, what));
                    }
                    // Chains of hundreds are tables.
                    if chain.conditions.len() < 64 {
                        chain.conditions.push(said);
                    }
                }
            }
            None if bare.starts_with("if") && statement.code == bare && may_open => {
                if let Some(said) = said {
                    let (indent, begins) = (statement.indent, vec![at + 1]);
                    open.push(Chain { indent, conditions: vec![said], begins, has_else: false });
                }
            }
            None => {}
        }
    }
    while let Some(chain) = open.pop() {
        same_branches(all, &chain, all.len(), seen);
    }
}

/// `if` and `else` that do the same.
fn same_branches(all: &[Statement], chain: &Chain, end: usize, seen: &mut Seen) {
    let [first, second] = chain.begins.as_slice() else { return };
    let text = |begin: usize, end: usize| -> Vec<&str> {
        all[begin.min(end)..end].iter().map(|statement| statement.code.as_str()).filter(|code| *code != "}").collect()
    };
    let (one, other) = (text(*first, second - 1), text(*second, end));
    let is_added = all[*first..end].iter().any(|statement| statement.is_added);
    if chain.has_else && is_added && one == other && !one.is_empty() && one != ["pass"] && one != ["..."] {
        seen.push((all[second - 1].number, "both branches do the same".to_owned()));
    }
}

/// Statements right after one that leaves.
fn unreached(all: &[Statement], syntax: Syntax, seen: &mut Seen) {
    let is_word = |code: &str, word: &str| {
        code.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let leaves: &[&str] = match syntax {
        Syntax::Python => &["return", "raise", "break", "continue"],
        Syntax::Script => &["return", "throw", "break", "continue"],
        Syntax::Rust | Syntax::Go => &["return", "break", "continue"],
    };
    for (at, pair) in all.windows(2).enumerate() {
        let [leaving, after] = pair else { continue };
        if leaving.indent != after.indent || !(leaving.is_added && after.is_added) {
            continue;
        }
        let Some(word) = leaves.iter().find(|word| is_word(&leaving.code, word)) else { continue };
        let ends = match syntax {
            Syntax::Python => !leaving.code.contains(';'),
            Syntax::Script | Syntax::Rust => {
                leaving.code.ends_with(';') && leaving.code.matches(';').count() == 1 && !leaving.code.contains('{')
            }
            Syntax::Go => leaving.code.ends_with(|c: char| c.is_alphanumeric() || matches!(c, ')' | '"' | ']')),
        };
        let others = [
            "}",
            ")",
            "]",
            "case",
            "default",
            "else",
            "elif",
            "except",
            "finally",
            "function",
            "async",
            "fn",
            "pub",
            "struct",
            "enum",
            "impl",
            "use",
            "const",
            "static",
            "mod",
            "macro_rules",
            "#",
            "yield",
            "@",
            ".",
            "?",
            ":",
            "|",
            "&",
            "_",
            "\"",
            "'",
            "+",
            "-",
            "=",
            "class",
            "type",
            "interface",
            "export",
        ];
        let is_other =
            others.iter().any(|word| after.code.starts_with(word)) || after.code.ends_with(':') && syntax == Syntax::Go;
        // A branch without braces holds one statement, and what stands behind an attribute may not be there at all.
        let before = at.checked_sub(1).map_or("", |at| all[at].code.as_str());
        let is_bare = syntax != Syntax::Python && (before.ends_with([')', ']']) || before.ends_with("else"));
        let is_match_arm = before.ends_with("=>");
        if ends && !is_other && !is_bare && !is_match_arm {
            seen.push((after.number, format!("nothing reaches `{}`: `{word}` stands before it", shown(&after.code))));
        }
    }
}

/// A name that is given two values in a row, of which the first is for nothing.
fn given_twice(all: &[Statement], syntax: Syntax, seen: &mut Seen) {
    let given = |code: &str| -> Option<(String, String)> {
        let code = code.strip_suffix(';').unwrap_or(code);
        let (name, value) = code.split_once(" = ")?;
        let name = name.split(':').next()?.trim();
        let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_') && name != "_";
        (is_name && is_literal(value.trim())).then(|| (name.to_owned(), value.trim().to_owned()))
    };
    if !matches!(syntax, Syntax::Python | Syntax::Script) {
        return;
    }
    for pair in all.windows(2) {
        let [one, other] = pair else { continue };
        if one.indent != other.indent || !(one.is_added && other.is_added) {
            continue;
        }
        if let (Some((name, first)), Some((again, second))) = (given(&one.code), given(&other.code))
            && name == again
            && first != second
        {
            seen.push((other.number, format!("`{name}` is {}, and at once {}", shown(&first), shown(&second))));
        }
    }
}

/// Brackets that are open, each with the keys that are given in it where it is a brace.
type Open = Vec<(char, BTreeMap<String, u32>)>;

/// Text keys that one literal gives twice.
fn keys(lines: &[Line<'_>], seen: &mut Seen) {
    let mut open: Open = Vec::new();
    // The last character that is no white space.
    let mut last = ' ';
    for line in lines {
        let code = &line.code;
        let mut skip = 0;
        for (at, c) in code.char_indices() {
            if at < skip || c.is_whitespace() {
                continue;
            }
            match c {
                '(' | '[' | '{' if open.len() < 256 => open.push((c, BTreeMap::new())),
                ')' | ']' | '}' => {
                    open.pop();
                }
                // What is taken in from elsewhere may be overridden.
                '*' | '.' if code[at..].starts_with("**") || code[at..].starts_with("...") => {
                    if let Some((_, keys)) = open.last_mut() {
                        keys.clear();
                    }
                }
                '"' | '\'' => {
                    let after = closed(&code[at + 1..], &c.to_string(), true);
                    let end = code.len() - after.map_or(0, str::len);
                    skip = end;
                    let is_key = code.get(end..).unwrap_or_default().trim_start().starts_with(':');
                    if is_key
                        && matches!(last, '{' | ',')
                        && let Some(('{', keys)) = open.last_mut()
                    {
                        let key = code.get(at..end).unwrap_or_default().to_owned();
                        if let Some(earlier) = keys.get(&key).filter(|_| line.is_added) {
                            let what = format!("the key {} is given here and at line {earlier}", shown(&key));
                            seen.push((line.number, what));
                        } else {
                            keys.insert(key, line.number);
                        }
                    }
                }
                _ => {}
            }
            last = c;
        }
    }
}
