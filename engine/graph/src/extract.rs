//! From bytes to facts: one extractor a language behind [`extract`]. Pure, bounded, and never fails: what cannot be read
//! is a [`Problem`](crate::facts::Problem).

mod names;
pub(crate) mod python;
pub(crate) mod shapes;

use std::borrow::Cow;

use crate::facts::{ContentId, FileFacts, Language, MAX_PARSED_BYTES, ProblemKind};

/// A language's reader of facts.
trait Extractor {
    /// Reads `text`, which is UTF-8 without NUL, byte-order mark or carriage returns.
    fn extract(&self, content: ContentId, text: &str) -> FileFacts;
}

/// Reads the facts of one file. The path is no input: facts of equal bytes are equal wherever the file lies.
#[must_use]
pub fn extract(language: Language, bytes: &[u8]) -> FileFacts {
    extract_as(ContentId::of(bytes), language, bytes)
}

/// [`extract`] for a caller that has hashed the bytes.
pub(crate) fn extract_as(content: ContentId, language: Language, bytes: &[u8]) -> FileFacts {
    if bytes.len() > MAX_PARSED_BYTES {
        return FileFacts::unreadable(content, ProblemKind::TooLarge);
    }
    if bytes.contains(&0) {
        return FileFacts::unreadable(content, ProblemKind::HasNul);
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return FileFacts::unreadable(content, ProblemKind::NotUtf8);
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // A carriage return ends a line for Python, also alone: what follows one in a comment is code.
    let text = if text.as_bytes().contains(&b'\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    };
    let extractor: &dyn Extractor = match language {
        Language::Python => &python::Python,
    };
    extractor.extract(content, &text)
}
