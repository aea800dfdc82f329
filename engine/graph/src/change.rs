//! What changed between two trees, by value: files with both texts, and the parts that changed with how.

mod parts;
mod readers;
mod safe;
pub(crate) mod syntax;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::code::PartKey;

pub use parts::parts;
pub use readers::Readers;
pub use safe::{Proof, is_documentation, only, read_docstrings};

/// A change: what `plan` judges. Built from git, a unified diff or a list of files; never refers to the outside.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Change {
    /// Sorted by path (the after path, the before path for a deletion); no path twice.
    pub files: Vec<FileChange>,
}

/// One changed file. At least one side is there; two equal sides are never listed,
/// except where a list of files says "treat this as changed" (then `Content::Unknown` on the after side's text is not needed:
/// `asserted` is set and every part of the file counts as changed).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileChange {
    /// Before the change; `None` for an added file.
    pub before: Option<FileSide>,
    /// After the change; `None` for a deleted file.
    pub after: Option<FileSide>,
    /// Named as changed by the caller without saying how (`--files`): every part counts as changed, in an unknown way.
    pub asserted: bool,
}

/// One side of a changed file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileSide {
    /// Repository-relative path with `/`.
    pub path: Arc<str>,
    /// Executable bit.
    pub executable: bool,
    /// What the file holds.
    pub content: Content,
}

/// What a file holds, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Content {
    /// UTF-8 text (a byte-order mark removed).
    Text(Arc<str>),
    /// Not UTF-8 or with NUL bytes; the digest of the bytes.
    Binary([u8; 32]),
    /// Larger than the limit; the digest where it is known (a git object id, else zeros) and the size in bytes.
    TooLarge {
        /// Size in bytes.
        size: u64,
        /// Identifies the content.
        digest: [u8; 32],
    },
    /// A symbolic link's target.
    Link(Arc<str>),
    /// A submodule's commit.
    Submodule(Arc<str>),
    /// Could not be read; why (`permission denied`, `the object is not in this clone`).
    Unknown(Arc<str>),
}

bitflags::bitflags! {
    /// How a part changed. `MEANING` is what `change touches` counts; the rest is text.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
    pub struct Kinds: u16 {
        /// Exists only after.
        const ADDED = 1;
        /// Exists only before.
        const REMOVED = 1 << 1;
        /// Same body under another name or path.
        const RENAMED = 1 << 2;
        /// Parameters, defaults, annotations, return type, or `async` changed.
        const SIGNATURE = 1 << 3;
        /// Decorators or base classes changed.
        const DECORATORS = 1 << 4;
        /// Tokens of the body changed (not comments, not the docstring).
        const BODY = 1 << 5;
        /// The docstring changed (and holds no doctest; else it is `BODY`).
        const DOCSTRING = 1 << 6;
        /// Ordinary comments changed (a comment that is code, such as `type: ignore` or `noqa`, is `BODY`).
        const COMMENT = 1 << 7;
        /// Only white space between the tokens changed.
        const FORMAT = 1 << 8;
        /// A file that no parser reads changed its bytes.
        const BYTES = 1 << 9;
        /// It cannot be told how it changed (a side is unreadable, unparsable or only asserted).
        const UNKNOWN = 1 << 10;
        /// The file's mode changed.
        const MODE = 1 << 11;
        /// Changes that mean something: what `change touches` counts.
        const MEANING = Self::ADDED.bits() | Self::REMOVED.bits() | Self::RENAMED.bits() | Self::SIGNATURE.bits()
            | Self::DECORATORS.bits() | Self::BODY.bits() | Self::BYTES.bits() | Self::UNKNOWN.bits() | Self::MODE.bits();
    }
}

bitflags::bitflags! {
    /// Changes that are proved to be harmless: the closed list of law 10.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
    pub struct SafeKinds: u8 {
        /// White space between equal tokens.
        const FORMATTING = 1;
        /// Comments that no tool reads.
        const COMMENTS = 1 << 1;
        /// Docstrings without doctests that nothing reads, and documents that instruct nobody.
        const DOCUMENTATION = 1 << 2;
        /// New test functions, without fixtures, hooks or import-time code.
        const ADDED_TESTS = 1 << 3;
    }
}

/// One changed part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartChange {
    /// The part before; `None` when it was added.
    pub before: Option<PartKey>,
    /// The part after; `None` when it was removed.
    pub after: Option<PartKey>,
    /// How it changed.
    pub kinds: Kinds,
    /// Lines (1-based, of the after text) that the diff added inside this part's own text.
    pub added: Vec<u32>,
    /// Lines (1-based, of the before text) that the diff removed inside this part's own text.
    pub removed: Vec<u32>,
    /// What the change of this part is proved to be from both sides; empty where nothing harmless is proved.
    pub safe: SafeKinds,
}

impl PartChange {
    /// The part to name this change by: after, or before where it was removed.
    #[must_use]
    pub fn part(&self) -> Option<&PartKey> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// The change means something: what `change touches` counts.
    #[must_use]
    pub fn has_meaning(&self) -> bool {
        self.kinds.intersects(Kinds::MEANING)
    }
}

/// How a test was made weaker; a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weakening {
    /// Fewer assertions.
    FewerAssertions,
    /// Fewer parametrised cases.
    FewerCases,
    /// `skip`, `skipif`, `skipTest`, an early `return`-free `pytest.skip()` call.
    Skipped,
    /// `xfail`, `expectedFailure`.
    ExpectedToFail,
    /// A larger `abs`, `rel`, `delta`, or fewer `places`.
    WiderTolerance,
    /// A wider exception in `raises`, or a `match` that was dropped.
    WiderException,
    /// The function or its class or file is no longer collected under pytest's conventions.
    NoLongerCollected,
}

/// A test that was weakened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeakenedTest {
    /// The test before.
    pub before: PartKey,
    /// The test after.
    pub after: PartKey,
    /// How.
    pub how: Weakening,
    /// Line in the after text (the test's own where nothing nearer is known).
    pub line: u32,
}

/// A pip requirements or constraints file: code in spite of its ending.
pub(crate) fn is_requirements(folder: &str, name: &str) -> bool {
    let in_folder = matches!(folder.rsplit('/').next(), Some("requirements" | "constraints"));
    name.ends_with(".txt") && (in_folder || name.starts_with("requirements") || name.starts_with("constraints"))
}

#[cfg(test)]
pub(crate) mod tests;
