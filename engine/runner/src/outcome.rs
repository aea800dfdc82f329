//! What became of a run, its bundles and their tests: plain data.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunOutcome {
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// In the order of the jobs.
    pub bundles: Vec<BundleOutcome>,
}

impl RunOutcome {
    /// Whether every bundle passed, at whatever attempt, or had nothing to run.
    pub fn all_passed(&self) -> bool {
        self.bundles.iter().all(|bundle| bundle.status.is_pass())
    }
}

/// What became of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BundleStatus {
    /// At the first attempt.
    Passed,
    /// Too few tests passed, or the report does not show that they did.
    Failed,
    /// Only at a further attempt.
    Flaky,
    /// Killed at its deadline.
    TimedOut,
    /// Interrupted, before or while it ran.
    Cancelled,
    /// It could not be run.
    Error,
    /// Narrowed to tests of which none is selected: there was nothing to run.
    NothingSelected,
}

impl BundleStatus {
    /// Whether it passed, at whatever attempt, or had nothing to run.
    pub fn is_pass(self) -> bool {
        matches!(self, Self::Passed | Self::Flaky | Self::NothingSelected)
    }
}

/// What became of one bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BundleOutcome {
    /// Its name.
    pub bundle: String,
    /// Whether a deployment depends on it.
    pub critical: bool,
    /// What became of it.
    pub status: BundleStatus,
    /// Why it did not pass; empty if it did.
    pub reasons: Vec<Reason>,
    /// Attempts made; 0 if its turn did not come.
    pub attempts: u32,
    /// Wall time of setup and all attempts, milliseconds.
    pub duration_ms: u64,
    /// Tests that passed, flaky ones included.
    pub passed: u32,
    /// Tests that were executed: passed, failed, broken or too slow.
    pub executed: u32,
    /// `passed / executed`; absent if nothing was executed.
    pub pass_rate: Option<f64>,
    /// Exit code of the last attempt, if it exited.
    pub exit_code: Option<i32>,
    /// Digest (SHA-256, hexadecimal) of the command and its setup before expansion.
    pub command_digest: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// Sorted by id; the state after the last attempt.
    pub tests: Vec<TestOutcome>,
    /// The end of what the last attempt wrote, if it did not pass.
    pub output: String,
}

/// What became of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestStatus {
    /// It passed.
    Passed,
    /// Not executed on purpose.
    Skipped,
    /// It failed, then passed.
    Flaky,
    /// It took longer than it may.
    TooSlow,
    /// An assertion failed.
    Failed,
    /// It broke outside its assertions.
    Error,
    /// It was selected, but the report does not mention it.
    Missing,
}

impl TestStatus {
    /// Whether it passed, at whatever attempt.
    pub fn is_pass(self) -> bool {
        matches!(self, Self::Passed | Self::Flaky)
    }

    /// Whether it was executed to an end.
    pub fn is_executed(self) -> bool {
        !matches!(self, Self::Skipped | Self::Missing)
    }
}

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestOutcome {
    /// `path/file.py::Class::test[parameters]`, or `class::name` where the report is not pytest's.
    pub id: String,
    /// What became of it.
    pub status: TestStatus,
    /// By its own account, milliseconds.
    pub duration_ms: u64,
    /// The attempt that this is from.
    pub attempt: u32,
    /// What it said; short, empty if it passed.
    pub message: String,
}

/// Why a bundle did not pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// Fewer tests passed than must.
    PassRate {
        /// Passed.
        passed: u32,
        /// Executed.
        executed: u32,
        /// Least share, 0 to 1.
        least: f64,
    },
    /// Selected tests that the report does not mention.
    Missing {
        /// Their ids, sorted.
        tests: Vec<String>,
    },
    /// The command wrote no report.
    NoReport,
    /// The report cannot be read.
    BadReport {
        /// Why.
        message: String,
    },
    /// The report mentions no test.
    EmptyReport,
    /// Every test in the report was skipped.
    NothingExecuted,
    /// The command failed although its report shows no failure.
    ExitCode {
        /// The code.
        code: i32,
    },
    /// The command was ended by a signal.
    Signal {
        /// The signal.
        signal: i32,
    },
    /// It was killed at its deadline.
    TimedOut {
        /// The deadline, milliseconds.
        limit_ms: u64,
    },
    /// It was interrupted.
    Cancelled,
    /// The setup command failed.
    Setup {
        /// How.
        message: String,
    },
    /// It could not be started.
    NotStarted {
        /// Why.
        message: String,
    },
    /// A test's name would be read as an option or cannot be an argument.
    UnsafeTest {
        /// The name.
        test: String,
    },
    /// The command is not one that can be run.
    BadCommand {
        /// Why.
        message: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PassRate { passed, executed, least } => {
                write!(f, "{passed} of {executed} passed, {}% must", least * 100.0)
            }
            Self::Missing { tests } => match &tests[..] {
                [one] => write!(f, "the selected test `{one}` is missing from the report"),
                [first, rest @ ..] => {
                    write!(f, "the selected test `{first}` and {} more are missing from the report", rest.len())
                }
                [] => f.write_str("selected tests are missing from the report"),
            },
            Self::NoReport => f.write_str("the command wrote no report"),
            Self::BadReport { message } => write!(f, "the report cannot be read: {message}"),
            Self::EmptyReport => f.write_str("the report mentions no test"),
            Self::NothingExecuted => f.write_str("every test was skipped"),
            Self::ExitCode { code } => {
                write!(f, "the command ended with exit code {code}, which its report does not explain")
            }
            Self::Signal { signal } => write!(f, "the command was ended by signal {signal}"),
            Self::TimedOut { limit_ms } => write!(f, "not done within {} s", *limit_ms as f64 / 1000.0),
            Self::Cancelled => f.write_str("interrupted"),
            Self::Setup { message } => write!(f, "the setup command failed: {message}"),
            Self::NotStarted { message } => write!(f, "the command could not be started: {message}"),
            Self::UnsafeTest { test } => write!(f, "`{}` cannot be passed as a test", test.escape_debug()),
            Self::BadCommand { message } => write!(f, "the command cannot be run: {message}"),
        }
    }
}
