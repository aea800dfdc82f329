//! Why a question could not be answered: exit code 2, one sentence, and what to do.

use std::fmt::Display;
use std::path::Path;

use grace_graph::diff::DiffError;
use grace_store::StoreError;
use grace_system::files::{FileError, FileErrorKind};
use grace_system::git::GitError;
use schemars::JsonSchema;
use serde::Serialize;

use crate::screen::page::{Page, Style, Text, printable};

/// Name of the JSON format of a failure.
const SCHEMA: &str = "grace-rules/error";

/// The code of a failure by a signal.
pub(crate) const INTERRUPTED: &str = "interrupted";

/// A question that could not be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Failure {
    /// Stable name of the kind: `git`, `diff`, `file`, `input`, `rules`, `store`, `ledger`, `interrupted`, `bug`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// A failure as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report<'a> {
    schema: &'static str,
    version: u32,
    #[serde(flatten)]
    failure: &'a Failure,
}

/// What a command that can fail gives.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure without help.
    #[must_use]
    pub fn new(code: &'static str, message: impl Display) -> Self {
        Self { code, message: message.to_string(), help: None }
    }

    /// With what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// For people: `error[git]: …` and the help below.
    #[must_use]
    pub fn screen(&self, width: usize) -> String {
        let mut page = Page::new(width);
        let label = Text::new().then(Style::Bad, format!("error[{}]", self.code)).plain(": ");
        page.hanging(0, &label, self.message.as_str());
        if let Some(help) = &self.help {
            page.hanging(2, &Text::from("help: "), help.as_str());
        }
        page.finish()
    }

    /// For programs: one line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let report = Report { schema: SCHEMA, version: 1, failure: self };
        // A failure holds nothing that JSON cannot.
        let value = serde_json::to_string(&report).unwrap_or_default();
        format!("{value}\n")
    }
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        if error == GitError::Cancelled {
            return Self::new(INTERRUPTED, error);
        }
        Self { code: "git", message: printable(&error.to_string()), help: error.help() }
    }
}

impl From<DiffError> for Failure {
    fn from(error: DiffError) -> Self {
        Self { code: "diff", message: error.to_string(), help: Some(error.help().to_owned()) }
    }
}

impl From<grace_ledger::Error> for Failure {
    fn from(error: grace_ledger::Error) -> Self {
        let help = error.help().map(str::to_owned);
        Self { code: "ledger", message: printable(&error.to_string()), help }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let help = error.help().map(str::to_owned);
        Self { code: "store", message: printable(&error.to_string()), help }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let help = match error.kind {
            FileErrorKind::Denied => Some("check the permissions of the file and of its directories"),
            FileErrorKind::ReadOnly => Some("make the directory writable, or work on a copy"),
            FileErrorKind::Full => Some("free some space; nothing that was recorded is lost"),
            _ => None,
        };
        Self { code: "file", message: error.to_string(), help: help.map(str::to_owned) }
    }
}

/// Why a file could not be used, without its path.
#[must_use]
pub fn why(kind: &FileErrorKind) -> String {
    match kind {
        FileErrorKind::NotFound => "it does not exist".to_owned(),
        FileErrorKind::Denied => "permission denied".to_owned(),
        FileErrorKind::TooLarge { max } => format!("it is larger than {}", crate::screen::numbers::bytes(*max)),
        FileErrorKind::NotAFile => "it is not a regular file".to_owned(),
        FileErrorKind::Link => "it is reached through a symbolic link".to_owned(),
        FileErrorKind::Unsafe(why) => format!("its path {why}"),
        FileErrorKind::NotText => "it is not UTF-8 text".to_owned(),
        FileErrorKind::Full => "the disk is full".to_owned(),
        FileErrorKind::ReadOnly => "the file system is read-only".to_owned(),
        FileErrorKind::Other(message) => message.clone(),
    }
}

/// A path in a message.
#[must_use]
pub fn quoted(path: &Path) -> String {
    format!("`{}`", printable(&path.display().to_string()))
}
