//! What each field may hold, and the messages where it holds something else.

use std::ops::Range;

use super::problem::{self, Report};
use super::tree::{Node, Value as Tree};
use crate::field::Value;
use crate::{CommercialUse, Level, Thousandths};

/// Bytes of a text that are read; licences and model names are short.
const MOST_TEXT: usize = 500;

/// A field that could not be read; the report says why.
pub(super) struct Unread;

/// What a field may hold.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Any text that is not empty.
    Text,
    /// `sha256:` and 64 digits.
    Digest,
    /// `https://…`.
    Address,
    /// `2025-10-16`, or `2025-10` where the day is not known.
    Date,
    /// `mistral:7b`, `code_generation`.
    Name,
    /// A list of names, each once.
    Names,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A whole number from 1 to this.
    Whole(u64),
    /// From 0 to 1, three decimals at most.
    Share,
    Bool,
}

const LEVELS: &[&str] = &[Level::NAMES[0].0, Level::NAMES[1].0, Level::NAMES[2].0];
const USES: &[&str] = &[CommercialUse::NAMES[0].0, CommercialUse::NAMES[1].0, CommercialUse::NAMES[2].0];

impl Kind {
    /// The kind of a field of [`crate::FIELDS`].
    pub(super) fn of(field: &str) -> Kind {
        match field {
            "model_name" | "model_type" => Kind::Name,
            "commercial_use" => Kind::Choice(USES),
            "output_quality" | "hallucination_rate" | "bias_risk" => Kind::Choice(LEVELS),
            // Ten minutes.
            "typical_latency_ms" => Kind::Whole(600_000),
            "context_window" => Kind::Whole(100_000_000),
            "trust_score" => Kind::Share,
            "requires_hallucination_test" | "requires_bias_check" | "requires_accuracy_validation" => Kind::Bool,
            "strengths" | "weaknesses" | "compliance_flags" | "recommended_for" | "not_recommended_for" => Kind::Names,
            _ => Kind::Text,
        }
    }

    /// Whether a file must say it. A model without a known licence is not one to govern by.
    pub(super) fn required(field: &str) -> bool {
        matches!(field, "model_name" | "model_type" | "licence" | "commercial_use")
    }

    /// What is wanted, as a message says it.
    pub(super) fn wanted(self) -> String {
        match self {
            Kind::Text => "a text".to_owned(),
            Kind::Digest => "`sha256:` and 64 hexadecimal digits in quotes".to_owned(),
            Kind::Address => "an address that begins with `https://`, in quotes".to_owned(),
            Kind::Date => "a date in quotes, such as \"2025-10-16\" or \"2025-10\"".to_owned(),
            Kind::Name => "a name in quotes".to_owned(),
            Kind::Names => "a list of names".to_owned(),
            Kind::Choice(words) => format!("one of {}", problem::listed(words)),
            Kind::Whole(most) => format!("a whole number from 1 to {most}"),
            Kind::Share => "a number from 0 to 1 with at most three decimals".to_owned(),
            Kind::Bool => "`true` or `false`".to_owned(),
        }
    }
}

/// Reads the value of a field.
pub(super) fn field(name: &str, node: Node, report: &mut Report) -> Result<Value, Unread> {
    value(Kind::of(name), name, node, report)
}

/// Reads a value of some kind.
pub(super) fn value(kind: Kind, name: &str, node: Node, report: &mut Report) -> Result<Value, Unread> {
    match (kind, node.value) {
        (Kind::Text, Tree::Text(text)) => sound_text(name, text, node.span, report).map(Value::Text),
        (Kind::Digest | Kind::Address | Kind::Date, Tree::Text(text)) => {
            let text = sound_text(name, text, node.span.clone(), report)?;
            let sound = match kind {
                Kind::Digest => is_digest(&text),
                Kind::Address => {
                    text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.contains(' '))
                }
                _ => is_date(&text),
            };
            if sound {
                return Ok(Value::Text(text));
            }
            let message = format!("`{name}` cannot be `{}`", problem::shown(&text));
            report.add("F005", node.span, message, Some(format!("write {}", kind.wanted())));
            Err(Unread)
        }
        (Kind::Name, Tree::Text(text)) => sound_name(name, text, node.span, report).map(Value::Text),
        (Kind::Names, Tree::List(items)) => names(name, items, report).map(Value::List),
        (Kind::Choice(words), Tree::Text(text)) => {
            if words.contains(&text.as_str()) {
                return Ok(Value::Text(text));
            }
            let help = problem::nearest(&text, words)
                .map_or_else(|| format!("write {}", kind.wanted()), |near| format!("did you mean `{near}`?"));
            report.add("F005", node.span, format!("`{name}` cannot be `{}`", problem::shown(&text)), Some(help));
            Err(Unread)
        }
        (Kind::Whole(most), Tree::Number(written)) => match whole(&written) {
            Some(number) if (1..=most).contains(&number) => Ok(Value::Number(Thousandths(number * 1000))),
            _ => out_of_range(name, &written, kind, node.span, report),
        },
        (Kind::Share, Tree::Number(written)) => match thousandths(&written) {
            Some(number @ 0..=1000) => Ok(Value::Number(Thousandths(number))),
            _ => out_of_range(name, &written, kind, node.span, report),
        },
        (Kind::Bool, Tree::Bool(value)) => Ok(Value::Bool(value)),
        (kind, value) => wrong_kind(name, kind, &value, node.span, report),
    }
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

/// A day of the calendar, or a month of it.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, digits: usize| {
        (part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())
            .flatten()
    };
    let (year, month, day) = match parts.as_slice() {
        [year, month] => (number(year, 4), number(month, 2), Some(1)),
        [year, month, day] => (number(year, 4), number(month, 2), number(day, 2)),
        _ => return false,
    };
    let (Some(year), Some(month), Some(day)) = (year, month, day) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1970..=2999).contains(&year) && (1..=days).contains(&day)
}

/// A whole number in plain digits; what other notations YAML has, one reader takes for a number and the next for a text.
fn whole(written: &str) -> Option<u64> {
    let plain = written.bytes().all(|byte| byte.is_ascii_digit()) && (written == "0" || !written.starts_with('0'));
    // Too many digits do not parse.
    if plain { written.parse().ok() } else { None }
}

/// A number with at most three decimals, exactly: more would compare as something it is not.
fn thousandths(written: &str) -> Option<u64> {
    let Some((before, after)) = written.split_once('.') else {
        return whole(written)?.checked_mul(1000);
    };
    if !(1..=3).contains(&after.len()) || !after.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let after: u64 = format!("{after:0<3}").parse().ok()?;
    whole(before)?.checked_mul(1000)?.checked_add(after)
}

/// Reads a text that belongs to no field.
pub(super) fn text(name: &str, node: Node, report: &mut Report) -> Result<String, Unread> {
    match node.value {
        Tree::Text(text) => sound_text(name, text, node.span, report),
        value => wrong_kind(name, Kind::Text, &value, node.span, report),
    }
}

/// A name cannot be in a list and in its opposite, whose key stands at `place`.
pub(super) fn disjoint(
    good: &str,
    in_good: &[String],
    bad: &str,
    in_bad: &[String],
    place: &Range<usize>,
    report: &mut Report,
) {
    for name in in_good.iter().filter(|name| in_bad.contains(name)) {
        let message = format!("`{name}` is in `{good}` and in `{bad}`");
        report.add("F007", place.clone(), message, Some("take it out of one of the two".to_owned()));
    }
}

fn names(field: &str, items: Vec<Node>, report: &mut Report) -> Result<Vec<String>, Unread> {
    let mut names: Vec<String> = Vec::new();
    let mut sound = true;
    for item in items {
        let span = item.span.clone();
        let read = match item.value {
            Tree::Text(text) => sound_name(field, text, item.span, report),
            value => wrong_kind(field, Kind::Name, &value, item.span, report),
        };
        match read {
            Ok(name) if names.contains(&name) => {
                let message = format!("`{name}` stands twice in `{field}`");
                report.add("F006", span, message, Some("keep one of the two".to_owned()));
                sound = false;
            }
            Ok(name) => names.push(name),
            Err(Unread) => sound = false,
        }
    }
    if sound { Ok(names) } else { Err(Unread) }
}

fn sound_name(field: &str, text: String, span: Range<usize>, report: &mut Report) -> Result<String, Unread> {
    let allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-.:/".contains(letter);
    if !text.is_empty() && text.len() <= MOST_TEXT && text.chars().all(allowed) {
        return Ok(text);
    }
    let message = format!("`{}` is no name for `{field}`", problem::shown(&text));
    let help = "names are small letters, digits and `_`; a model's also has `:`, `.`, `-` and `/`".to_owned();
    report.add("F005", span, message, Some(help));
    Err(Unread)
}

fn sound_text(name: &str, text: String, span: Range<usize>, report: &mut Report) -> Result<String, Unread> {
    let trouble = if text.trim().is_empty() {
        "is empty"
    } else if text.len() > MOST_TEXT {
        "is too long"
    } else if text.chars().any(problem::hidden) {
        "has a line break or a character that is not seen"
    } else {
        return Ok(text);
    };
    let help = format!("write one line of at most {MOST_TEXT} bytes");
    report.add("F005", span, format!("`{name}` {trouble}"), Some(help));
    Err(Unread)
}

fn out_of_range<T>(name: &str, value: &str, kind: Kind, span: Range<usize>, report: &mut Report) -> Result<T, Unread> {
    let message = format!("`{name}` cannot be `{}`", problem::shown(value));
    report.add("F005", span, message, Some(format!("write {}, in plain digits", kind.wanted())));
    Err(Unread)
}

fn wrong_kind<T>(name: &str, kind: Kind, value: &Tree, span: Range<usize>, report: &mut Report) -> Result<T, Unread> {
    let message = format!("`{name}` takes {}, this is {}", kind.wanted(), value.kind());
    let help = match (kind, value) {
        (Kind::Names, Tree::Text(text)) => format!("write `[{}]`", problem::shown(text)),
        (Kind::Bool, Tree::Text(text)) if ["yes", "on", "y"].contains(&text.to_lowercase().as_str()) => {
            "write `true`".to_owned()
        }
        (Kind::Bool, Tree::Text(text)) if ["no", "off", "n"].contains(&text.to_lowercase().as_str()) => {
            "write `false`".to_owned()
        }
        (Kind::Whole(_) | Kind::Share, Tree::Text(_)) => "write the number without quotes and units".to_owned(),
        (Kind::Text | Kind::Name | Kind::Date, Tree::Number(_) | Tree::Bool(_)) => "put it in quotes".to_owned(),
        _ => format!("write {}", kind.wanted()),
    };
    report.add("F004", span, message, Some(help));
    Err(Unread)
}
