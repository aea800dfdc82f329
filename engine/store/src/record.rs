//! What is kept: plain facts, written once. Fields are only ever added.

use serde::{Deserialize, Serialize};

/// One record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// A run as a whole.
    Run(RunRecord),
    /// The plan that a run carried out.
    Plan(PlanRecord),
    /// What became of one bundle.
    Bundle(BundleRecord),
    /// What became of one test.
    Test(TestRecord),
    /// What leaving tests out would have come to, where all ran.
    Selection(SelectionRecord),
}

/// A run as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Names the run; the other records refer to it.
    pub run: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// The base commit, if there was one.
    pub base: Option<String>,
    /// The head commit, or what stood for it (`worktree`, `staged`).
    pub head: Option<String>,
    /// The plan that was run.
    pub plan: Option<String>,
    /// Tier of the plan.
    pub tier: Option<u32>,
    /// Whether it ended well: nothing failed, was stopped or is denied.
    pub passed: bool,
    /// Who or what asked for it.
    pub actor: Option<String>,
}

/// The plan that a run carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// The run.
    pub run: String,
    /// Names the plan.
    pub plan: String,
    /// The plan as printed by `plan --format json`.
    pub json: String,
}

/// What became of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BundleStatus {
    /// At the first attempt.
    Passed,
    /// Some test did not pass, or too few.
    Failed,
    /// Only at a further attempt.
    Flaky,
    /// Killed at its deadline.
    TimedOut,
    /// Its turn did not come.
    NotStarted,
    /// Interrupted by a person.
    Cancelled,
    /// It could not be run or its results not be read.
    Error,
    /// It was narrowed to tests of which none was selected.
    NothingSelected,
}

/// What became of one bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleRecord {
    /// The run.
    pub run: String,
    /// Name of the bundle.
    pub bundle: String,
    /// What became of it.
    pub status: BundleStatus,
    /// Times that it was run.
    pub attempts: u32,
    /// Wall time of all attempts, milliseconds.
    pub duration_ms: u64,
    /// Tests that passed.
    pub passed: u32,
    /// Tests that were executed.
    pub executed: u32,
    /// `passed / executed`; absent if nothing was executed.
    pub pass_rate: Option<f64>,
    /// Digest of the command and its arguments, so that histories of different commands are told apart.
    pub command: String,
    /// RFC 3339, UTC.
    pub finished: String,
}

/// What leaving out the tests that a change does not reach would have come to: of a bundle all of whose tests ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectionRecord {
    /// The run.
    pub run: String,
    /// Name of the bundle.
    pub bundle: String,
    /// Tests that were executed, parameters counted together.
    pub tests: u32,
    /// Of them, those that the change reaches.
    pub selected: u32,
    /// Tests that did not pass.
    pub failed: u32,
    /// Of them, those that would have been left out: their ids, the first hundred.
    pub missed: Vec<String>,
    /// How many those are.
    pub missed_count: u32,
    /// RFC 3339, UTC.
    pub finished: String,
}

/// What became of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestStatus {
    /// It passed.
    Passed,
    /// An assertion failed.
    Failed,
    /// It failed, then passed.
    Flaky,
    /// It was not executed on purpose.
    Skipped,
    /// It broke outside its assertions.
    Error,
    /// It was selected, but the report does not mention it.
    Missing,
    /// It took longer than it may.
    TooSlow,
}

/// What became of one test at one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRecord {
    /// The run.
    pub run: String,
    /// Name of the bundle.
    pub bundle: String,
    /// The test, as `path/file.py::Class::test`.
    pub test: String,
    /// What became of it.
    pub status: TestStatus,
    /// Its own duration, milliseconds.
    pub duration_ms: u64,
    /// The attempt, from 1.
    pub attempt: u32,
    /// RFC 3339, UTC.
    pub finished: String,
}
