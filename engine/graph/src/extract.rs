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
mod settings;
pub(crate) mod shapes;

pub use python::{Reading, compare_parsers};

use std::borrow::Cow;

use crate::facts::{ContentId, FileFacts, Language, MAX_PARSED_BYTES, ProblemKind};

/// A language's reader. Texts are UTF-8 without NUL, byte-order mark or carriage returns; `raw` is the text as its file has it.
trait Extractor {
    /// The facts of a text, without what is told of the files that a change touches alone.
    fn extract(&self, content: ContentId, text: &str) -> FileFacts;

    /// The same with it.
    fn extract_with_digests(&self, content: ContentId, text: &str, raw: &str) -> FileFacts;
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
        Language::PythonToml => &manifest::Manifest(Language::PythonToml),
        Language::PythonIni => &manifest::Manifest(Language::PythonIni),
        Language::JavaScript => &ecmascript::EcmaScript(Language::JavaScript),
    }
}

/// Reads the facts of one file, with its digests. The path is no input: facts of equal bytes are equal wherever the file
/// lies.
#[must_use]
pub fn extract(language: Language, bytes: &[u8]) -> FileFacts {
    read(bytes, |content, text, raw| extractor(language).extract_with_digests(content, text, raw))
}

/// What [`extract`] reads but for the digests and what is told with them, which most files are never asked for.
pub(crate) fn facts(language: Language, bytes: &[u8]) -> FileFacts {
    read(bytes, |content, text, _| extractor(language).extract(content, text))
}

fn read(bytes: &[u8], extract: impl FnOnce(ContentId, &str, &str) -> FileFacts) -> FileFacts {
    let content = ContentId::of(bytes);
    match readable(bytes) {
        Ok((text, raw)) => extract(content, &text, raw),
        Err(kind) => FileFacts::unreadable(content, kind),
    }
}

/// The text of a file as extractors read it, and as the file has it.
fn readable(bytes: &[u8]) -> Result<(Cow<'_, str>, &str), ProblemKind> {
    if bytes.len() > MAX_PARSED_BYTES {
        return Err(ProblemKind::TooLarge);
    }
    if bytes.contains(&0) {
        return Err(ProblemKind::HasNul);
    }
    let raw = std::str::from_utf8(bytes).map_err(|_| ProblemKind::NotUtf8)?;
    let text = raw.strip_prefix('\u{feff}').unwrap_or(raw);
    // A carriage return ends a line for Python, also alone: what follows one in a comment is code.
    let text = if text.as_bytes().contains(&b'\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    };
    Ok((text, raw))
}
