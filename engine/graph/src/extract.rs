//! From bytes to facts: one extractor a language behind [`extract`]. Pure, bounded, and never fails: what cannot be read
//! is a [`Problem`](crate::facts::Problem).

mod core;
#[cfg(test)]
mod describe;
mod ecmascript;
mod go;
mod hashes;
mod manifest;
mod names;
pub(crate) mod python;
mod raw;
mod rust;
mod seal;
pub(crate) mod shapes;

use std::borrow::Cow;

use crate::change::syntax;
use crate::facts::{ContentId, FileFacts, Language, MAX_PARSED_BYTES, PartDigests, ProblemKind};

/// A language's reader. Texts are UTF-8 without NUL, byte-order mark or carriage returns.
trait Extractor {
    /// The facts of a text, without digests.
    fn extract(&self, content: ContentId, text: &str) -> FileFacts;

    /// The digests of the parts of a text, in their order.
    fn digests(&self, text: &str) -> Box<[PartDigests]>;
}

fn extractor(language: Language) -> &'static dyn Extractor {
    match language {
        Language::Python => &python::Python,
        Language::TypeScript => &ecmascript::EcmaScript(Language::TypeScript),
        Language::Tsx => &ecmascript::EcmaScript(Language::Tsx),
        Language::Rust => &rust::Rust,
        Language::Go => &go::Go,
        Language::PackageJson => &manifest::Manifest(Language::PackageJson),
        Language::TsConfig => &manifest::Manifest(Language::TsConfig),
        Language::CargoToml => &manifest::Manifest(Language::CargoToml),
        Language::GoMod => &manifest::Manifest(Language::GoMod),
        Language::JavaScript => &ecmascript::EcmaScript(Language::JavaScript),
    }
}

/// Reads the facts of one file, with its digests. The path is no input: facts of equal bytes are equal wherever the file
/// lies.
#[must_use]
pub fn extract(language: Language, bytes: &[u8]) -> FileFacts {
    let (digests, reads_otherwise) = digests(language, bytes);
    FileFacts { digests, reads_otherwise, ..facts(ContentId::of(bytes), language, bytes) }
}

/// What [`extract`] reads but for the digests, which most files are never asked for.
pub(crate) fn facts(content: ContentId, language: Language, bytes: &[u8]) -> FileFacts {
    match readable(bytes) {
        Ok(text) => extractor(language).extract(content, &text),
        Err(kind) => FileFacts::unreadable(content, kind),
    }
}

/// The digests of the parts of one file, in the order of the parts, none where nothing can be read; and whether its language
/// may [read it otherwise](FileFacts::reads_otherwise).
pub(crate) fn digests(language: Language, bytes: &[u8]) -> (Box<[PartDigests]>, bool) {
    let digests = readable(bytes).map(|text| extractor(language).digests(&text)).unwrap_or_default();
    let text = std::str::from_utf8(bytes).ok().filter(|_| !digests.is_empty());
    (digests, text.is_some_and(|text| syntax::reads_otherwise(language, text)))
}

/// The text of a file as extractors read it.
fn readable(bytes: &[u8]) -> Result<Cow<'_, str>, ProblemKind> {
    if bytes.len() > MAX_PARSED_BYTES {
        return Err(ProblemKind::TooLarge);
    }
    if bytes.contains(&0) {
        return Err(ProblemKind::HasNul);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ProblemKind::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // A carriage return ends a line for Python, also alone: what follows one in a comment is code.
    Ok(if text.as_bytes().contains(&b'\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    })
}
