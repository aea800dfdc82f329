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
        Language::PythonToml => &manifest::Manifest(Language::PythonToml),
        Language::PythonIni => &manifest::Manifest(Language::PythonIni),
        Language::JavaScript => &ecmascript::EcmaScript(Language::JavaScript),
    }
}

/// Reads the facts of one file, with its digests. The path is no input: facts of equal bytes are equal wherever the file
/// lies.
#[must_use]
pub fn extract(language: Language, bytes: &[u8]) -> FileFacts {
    // The digests first: they keep the tree, which serves the rest.
    let digested = digested(language, bytes);
    digested.over(&facts(ContentId::of(bytes), language, bytes))
}

/// What [`extract`] reads but for the digests, which most files are never asked for.
pub(crate) fn facts(content: ContentId, language: Language, bytes: &[u8]) -> FileFacts {
    match readable(bytes) {
        Ok(text) => extractor(language).extract(content, &text),
        Err(kind) => FileFacts::unreadable(content, kind),
    }
}

/// What is read of the files that a change touches alone.
pub(crate) struct Digested {
    digests: Box<[PartDigests]>,
    reads_otherwise: bool,
    quiet: Option<Box<[(u32, u32)]>>,
}

impl Digested {
    /// Facts of the same bytes, with this.
    pub(crate) fn over(self, facts: &FileFacts) -> FileFacts {
        let Self { digests, reads_otherwise, quiet } = self;
        FileFacts { digests, reads_otherwise, quiet, ..facts.clone() }
    }
}

/// The digests of the parts of one file, in the order of the parts, and the rest that is told with them; nothing where
/// nothing can be read.
pub(crate) fn digested(language: Language, bytes: &[u8]) -> Digested {
    let digests = readable(bytes).map(|text| extractor(language).digests(&text)).unwrap_or_default();
    let text = std::str::from_utf8(bytes).ok().filter(|_| !digests.is_empty());
    Digested {
        digests,
        reads_otherwise: text.is_some_and(|text| syntax::reads_otherwise(language, text)),
        quiet: text.filter(|_| language == Language::Python).and_then(syntax::quiet),
    }
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
