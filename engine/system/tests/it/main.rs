//! Tests of the door outside, against real files, processes and git.
#![expect(clippy::disallowed_methods, reason = "tests set the outside world up")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod files;
mod git;
mod hostile;
#[cfg(unix)]
mod listing;
mod plain;
mod process;
mod revert;
mod support;
