//! The one door outside: files, clock, environment, processes, git.
//!
//! Every other crate asks here, so that what comes from a repository is bounded, never followed
//! through a link, and never executed by being read. This crate knows nothing of rules, graphs or
//! plans, and prints nothing.
#![expect(clippy::disallowed_methods, reason = "this crate is the door that the other crates are sent to")]

pub mod clock;
pub mod config;
pub mod env;
pub mod files;
pub mod git;
pub mod names;
pub mod process;
pub mod walk;
pub mod watch;

use std::fmt;

/// Something that could not be read or taken, kept beside the answer instead of failing it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Repository-relative path with `/` separators, escaped if it was not UTF-8.
    pub path: String,
    /// What happened to it.
    pub kind: ProblemKind,
    /// One sentence, lowercase, without the path.
    pub message: String,
}

/// The kinds of [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The file or directory may not be read.
    Unreadable,
    /// The name is not UTF-8; the path shown holds `\xNN` escapes.
    OddName,
    /// Larger than the bound given.
    TooLarge,
    /// A FIFO, socket or device.
    Special,
    /// A repository inside the repository, or a submodule.
    NestedRepository,
    /// A path that would leave its directory or that some system cannot hold.
    UnsafePath,
    /// The object database lacks it (partial clone, damage).
    MissingObject,
    /// A symbolic link that is not written out or followed.
    Link,
    /// The index holds a conflict for this path.
    Unmerged,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path, self.message)
    }
}
