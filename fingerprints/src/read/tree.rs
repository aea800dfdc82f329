//! YAML as a tree of values with the place of each, kept to what a fingerprint can hold.
//!
//! The text comes from a repository and is hostile: its size, depth and number of values are
//! bounded, and anchors are not allowed, so nothing can expand.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};

/// Bytes that a fingerprint may have.
const MOST_BYTES: usize = 64 * 1024;

/// A value and the bytes it stands at.
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) span: Range<usize>,
}

/// A key and the bytes it stands at.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) span: Range<usize>,
}

pub(super) enum Value {
    Nothing,
    Bool(bool),
    Whole(u64),
    Decimal(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

impl Value {
    /// What it is, as a message says it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Nothing => "nothing",
            Value::Bool(_) => "`true` or `false`",
            Value::Whole(_) | Value::Decimal(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a group of keys",
        }
    }
}

/// Why a text is no tree: one sentence, what to do, and where.
pub(super) struct Broken {
    pub(super) message: String,
    pub(super) help: &'static str,
    pub(super) span: Range<usize>,
}

pub(super) fn read(text: &str) -> Result<Node, Broken> {
    if text.len() > MOST_BYTES {
        return Err(Broken {
            message: format!("the file has {} bytes, more than {MOST_BYTES}", text.len()),
            help: "a fingerprint is a page of text",
            span: 0..0,
        });
    }
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_events: 4_000,
            max_nodes: 2_000,
            max_depth: 8,
            // Two, so that the second is told apart from other excess.
            max_documents: 2,
            max_anchors: 0,
            max_aliases: 0,
            max_merge_keys: 0,
        },
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(raw) => Ok(node(raw, text)),
        Err(error) => Err(broken(&error, text)),
    }
}

fn broken(error: &serde_saphyr::Error, text: &str) -> Broken {
    use serde_saphyr::Error;
    let span = error.location().map_or(0..0, |location| span(&location, text));
    match error.without_snippet() {
        Error::Budget { .. } | Error::UnknownAnchor { .. } | Error::MergeKeyNotAllowed { .. } => Broken {
            message: "more structure than a fingerprint has, or an anchor".to_owned(),
            help: "write each value out; anchors, aliases and merge keys are not read",
            span,
        },
        Error::MultipleDocuments { .. } => {
            Broken { message: "more than one document".to_owned(), help: "keep one model a file, without `---`", span }
        }
        Error::Eof { .. } => {
            Broken { message: "the file is empty".to_owned(), help: "begin with `model_name: \"name:tag\"`", span }
        }
        other => {
            let said = other.to_string();
            // The place is in the span; the parser repeats it at the end of its sentence.
            let said = said.split(" at line ").next().unwrap_or_default();
            let said = said.lines().next().unwrap_or_default().trim_end_matches('.');
            Broken { message: format!("not YAML: {said}"), help: "check quotes, colons and indentation", span }
        }
    }
}

fn node(raw: Spanned<Raw>, text: &str) -> Node {
    let span = span(&raw.referenced, text);
    let value = match raw.value {
        Raw::Nothing => Value::Nothing,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Whole(value) => Value::Whole(value),
        Raw::Decimal(value) => Value::Decimal(value),
        Raw::Text(value) => Value::Text(value),
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, text)).collect()),
        Raw::Map(pairs) => Value::Map(
            pairs
                .into_iter()
                .map(|(key, value)| {
                    (Key { span: self::span(&key.referenced, text), name: key.value }, node(value, text))
                })
                .collect(),
        ),
    };
    Node { value, span }
}

/// A place as bytes of the text. The parser counts characters, and lines for safety.
fn span(location: &Location, text: &str) -> Range<usize> {
    let at = location.span();
    let bytes = |characters: u64| {
        let characters = usize::try_from(characters).unwrap_or(usize::MAX);
        text.char_indices().nth(characters).map_or(text.len(), |(byte, _)| byte)
    };
    let start = bytes(at.offset());
    let end = bytes(at.offset().saturating_add(at.len()));
    // A group's own place runs to where it ends: blank lines and comments are not shown.
    let end = start + text.get(start..end).unwrap_or_default().trim_end().len();
    start..end
}

/// What the parser hands over, before places are bytes.
enum Raw {
    Nothing,
    Bool(bool),
    Whole(u64),
    Decimal(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Whole(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Raw, E> {
        match u64::try_from(value) {
            Ok(value) => Ok(Raw::Whole(value)),
            Err(_) => Ok(Raw::Decimal(value as f64)),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Raw, E> {
        if value.is_finite() { Ok(Raw::Decimal(value)) } else { Err(E::custom("a number without end")) }
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = entries.next_entry::<Spanned<String>, Spanned<Raw>>()? {
            if pair.0.value.is_empty() {
                return Err(A::Error::custom("a key without a name"));
            }
            pairs.push(pair);
        }
        Ok(Raw::Map(pairs))
    }
}
