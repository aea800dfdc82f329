//! Why a ledger could not be read or written.

use std::fmt;
use std::path::PathBuf;

use grace_system::files::{FileError, FileErrorKind};

/// What most functions here give.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a ledger could not be read or written. After an error of an append nothing may be done that was to be recorded; the
/// records themselves may be found in the ledger later, if they were whole on disk before it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A file could not be used.
    File(FileError),
    /// The file of a key is not as it must be.
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The system gave no random bytes; its words.
    Random(String),
    /// No ledger is there.
    Absent {
        /// Its directory.
        dir: PathBuf,
    },
    /// Another process kept the ledger locked for longer than one waits.
    Busy {
        /// Its directory.
        dir: PathBuf,
    },
    /// The checkpoint is signed, but not by the key that is trusted.
    Untrusted {
        /// The name of the log that signed.
        origin: String,
        /// The key that is trusted, by its fingerprint.
        trusted: String,
    },
    /// The ledger is not what its checkpoint says: it was tampered with, or its disk is damaged.
    Damaged {
        /// The file, from the ledger's directory on.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// A record of a format that this program does not know.
    Newer {
        /// The record.
        seq: u64,
        /// The major version of its format.
        version: i64,
    },
    /// There is no such record.
    NoRecord {
        /// The number asked for.
        seq: u64,
        /// How many records there are.
        size: u64,
    },
    /// Something cannot be recorded as it is.
    Draft {
        /// Which of the drafts, from 0 on.
        index: usize,
        /// Why.
        what: String,
    },
}

impl Error {
    pub(crate) fn damaged(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.into(), what: what.into() }
    }

    /// Whether it says that the ledger is not what was signed, in contrast to a ledger that cannot be read.
    #[must_use]
    pub fn is_tampering(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Untrusted { .. })
    }

    /// What to do about it, if that is known.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::File(FileError { kind: FileErrorKind::Denied | FileErrorKind::ReadOnly, .. }) => {
                Some("the ledger is kept in the git directory, which must be writable where something is recorded")
            }
            Self::File(FileError { kind: FileErrorKind::Full, .. }) => Some("free some disk space and try again"),
            Self::Key { .. } => Some(
                "it must be a file of this user alone, outside of the repository; another key starts another ledger",
            ),
            Self::Busy { .. } => Some("wait for the other process, or end it"),
            Self::Untrusted { .. } => Some("name the key that you trust"),
            Self::Damaged { .. } => Some("keep a copy as evidence, and put back the last copy that verifies"),
            Self::Newer { .. } => Some("read it with a newer version of grace-rules"),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Key { path, what } => write!(f, "the key `{}` cannot be used: {what}", path.display()),
            Self::Random(message) => write!(f, "the system gives no random bytes: {message}"),
            Self::Absent { dir } => write!(f, "there is no ledger in `{}`", dir.display()),
            Self::Busy { dir } => write!(f, "the ledger in `{}` is in use by another process", dir.display()),
            Self::Untrusted { origin, trusted } => {
                write!(f, "the checkpoint of `{origin}` is not signed by the key {trusted}")
            }
            Self::Damaged { path, what } => write!(f, "`{path}` is not what was signed: {what}"),
            Self::Newer { seq, version } => {
                write!(f, "record {seq} is of format {version}, which this program does not know")
            }
            Self::NoRecord { seq, size } => write!(f, "there is no record {seq} among {size}"),
            Self::Draft { what, .. } => write!(f, "this cannot be recorded: {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}
