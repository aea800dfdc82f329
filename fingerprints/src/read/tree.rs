//! YAML as a tree of values with the place of each, kept to what a fingerprint can hold.
//!
//! The text comes from a repository and is hostile: its size, depth and number of values are
//! bounded, and anchors are not allowed, so nothing can expand.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, NonFiniteFloatPolicy, Spanned};

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
    /// As it is written: YAML has more notations of a number than a reader should have to know.
    Number(String),
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
            Value::Number(_) => "a number",
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
        // What is read is what stands there: no tag turns it into something else.
        reject_unsupported_tags: true,
        ignore_binary_tag_for_string: true,
        // No number goes by its value here, so that each is refused with a sentence of ours.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
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
    let places = Places::new(text);
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(raw) => Ok(node(raw, &places)),
        Err(error) => Err(broken(&error, &places)),
    }
}

fn broken(error: &serde_saphyr::Error, places: &Places<'_>) -> Broken {
    use serde_saphyr::Error;
    let span = error.location().map_or(0..0, |location| places.span(&location));
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

fn node(raw: Spanned<Raw>, places: &Places<'_>) -> Node {
    let span = places.span(&raw.referenced);
    let value = match raw.value {
        Raw::Nothing => Value::Nothing,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Number => Value::Number(places.written(&span)),
        Raw::Text(value) => Value::Text(value),
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, places)).collect()),
        Raw::Map(pairs) => {
            Value::Map(pairs.into_iter().map(|(name, value)| (key(name, places), node(value, places))).collect())
        }
    };
    Node { value, span }
}

fn key(raw: Spanned<RawKey>, places: &Places<'_>) -> Key {
    let span = places.span(&raw.referenced);
    let name = raw.value.0.unwrap_or_else(|| places.written(&span));
    Key { name, span }
}

/// Where the characters of a text begin, in bytes. The parser counts characters, and counting them anew for each value
/// would cost the square of the text.
struct Places<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, starts: text.char_indices().map(|(byte, _)| byte).collect() }
    }

    fn byte(&self, character: u64) -> usize {
        let character = usize::try_from(character).unwrap_or(usize::MAX);
        self.starts.get(character).copied().unwrap_or(self.text.len())
    }

    /// A place as bytes of the text.
    fn span(&self, location: &Location) -> Range<usize> {
        let at = location.span();
        let start = self.byte(at.offset());
        let end = self.byte(at.offset().saturating_add(at.len()));
        // A group's own place runs to where it ends: blank lines and comments are not shown.
        let end = start + self.text.get(start..end).unwrap_or_default().trim_end().len();
        start..end
    }

    fn written(&self, span: &Range<usize>) -> String {
        self.text.get(span.clone()).unwrap_or_default().to_owned()
    }
}

/// What the parser hands over, before places are bytes.
enum Raw {
    Nothing,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<RawKey>, Spanned<Raw>)>),
}

/// A key by its name, or `None` for one that YAML takes for a number or a truth value: its name is what is written.
struct RawKey(Option<String>);

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

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number)
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
        while let Some(pair) = entries.next_entry::<Spanned<RawKey>, Spanned<Raw>>()? {
            pairs.push(pair);
        }
        Ok(Raw::Map(pairs))
    }
}

impl<'de> Deserialize<'de> for RawKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Raw::deserialize(deserializer)? {
            Raw::Text(name) if !name.is_empty() => Ok(RawKey(Some(name))),
            Raw::Bool(_) | Raw::Number => Ok(RawKey(None)),
            Raw::Nothing | Raw::Text(_) => Err(D::Error::custom("a key without a name")),
            Raw::List(_) | Raw::Map(_) => Err(D::Error::custom("a key is a word")),
        }
    }
}
