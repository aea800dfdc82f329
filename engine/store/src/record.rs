//! What a store is given: the records of a ledger, as plain facts. Fields are only ever added.

use crate::StoreError;

/// One ledger, read by who knows how: what a store is a projection of.
pub trait Source {
    /// Its name, which no other ledger has.
    fn origin(&self) -> &str;
    /// How many records it has.
    fn size(&self) -> u64;
    /// A digest, in hexadecimal, that no other record has.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn leaf(&self, seq: u64) -> Result<String, StoreError>;
    /// A record. With `only` the contents of other kinds may be left unread.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn entry(&self, seq: u64, only: Option<&str>) -> Result<Entry, StoreError>;
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number in its ledger.
    pub seq: u64,
    /// Its digest, as [`Source::leaf`] gives it.
    pub leaf: String,
    /// What happened.
    pub kind: String,
    /// When it was written; RFC 3339, UTC.
    pub ts: String,
    /// Who acted.
    pub actor: String,
    /// The program that wrote it.
    pub engine: String,
    /// What it says, where a table has a place for it.
    pub content: Content,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing that a table of its own has a place for.
    Other,
    /// It is of a kind that has a table, but not of a form that this version knows.
    Unreadable,
    /// The plan of a run.
    Plan(PlanRow),
    /// What became of a bundle and its tests.
    Bundle(BundleRow),
    /// What leaving tests out would have come to, where all ran.
    Selection(SelectionRow),
    /// The end of a run.
    Run(RunRow),
    /// An answer of the gate.
    Decision(DecisionRow),
    /// A run is told.
    Story(StoryRow),
    /// A probe of a model.
    Probe(ProbeRow),
    /// A deployment.
    Deployment(DeploymentRow),
    /// A judged hour after one.
    Check(CheckRow),
}

impl Content {
    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Plan(plan) => plan.json.len(),
            Self::Bundle(bundle) => bundle.tests.iter().map(|test| 100 + test.test.len()).sum(),
            Self::Decision(decision) => decision.reasons.len() + 2 * decision.approvals.len(),
            Self::Other | Self::Unreadable | Self::Selection(_) | Self::Run(_) => 100,
            Self::Deployment(_) | Self::Check(_) => 200,
            Self::Story(story) => 200 + story.title.len() + story.playbooks.len(),
            Self::Probe(probe) => 200 + 100 * probe.shares.len(),
        }
    }
}

/// The plan that a run carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRow {
    /// The run.
    pub run: String,
    /// Names the plan.
    pub plan: String,
    /// Digest of the tree.
    pub tree: String,
    /// The plan as printed by `plan --format json`.
    pub json: String,
}

/// What became of one bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleRow {
    /// The run.
    pub run: String,
    /// Name of the bundle.
    pub bundle: String,
    /// Where it ran in two forms: which. Else the bundle's name.
    pub form: String,
    /// What became of it, in a word of [`BundleStatus`].
    pub status: String,
    /// Times that it was run.
    pub attempts: u32,
    /// Wall time of all attempts, milliseconds.
    pub duration_ms: u64,
    /// Tests that passed.
    pub passed: u32,
    /// Tests that were executed.
    pub executed: u32,
    /// Digest of the command and its arguments, so that histories of different commands are told apart.
    pub command: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// What became of each test.
    pub tests: Vec<TestRow>,
}

/// What became of one test at one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRow {
    /// The test, as `path/file.py::Class::test`.
    pub test: String,
    /// What became of it, in the runner's word.
    pub status: String,
    /// Its own duration, milliseconds.
    pub duration_ms: u64,
    /// The attempt, from 1.
    pub attempt: u32,
}

/// What leaving out the tests that a change does not reach would have come to: of a bundle all of whose tests ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectionRow {
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
    /// Of them, those that would have been left out.
    pub missed: u32,
}

/// A run as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Names the run; the other records refer to it.
    pub run: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// The base commit, if there was one.
    pub base: Option<String>,
    /// The head commit, if it was one.
    pub head: Option<String>,
    /// The plan that was run.
    pub plan: String,
    /// Digest of the tree that was run in.
    pub tree: String,
    /// Tier after the run.
    pub tier: u32,
    /// `passed`, `failed` or `stopped`.
    pub ended: String,
}

/// An answer of the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRow {
    /// The plan.
    pub plan: String,
    /// Digest of the tree.
    pub tree: String,
    /// `go`, `hold` or `no`.
    pub answer: String,
    /// The tier.
    pub tier: u32,
    /// The run that it is by.
    pub run: Option<String>,
    /// Why not, or what is missing; JSON.
    pub reasons: String,
    /// Approvals that counted; JSON.
    pub approvals: String,
    /// The same: envelope, person, in whose name.
    pub agreed: Vec<(String, String, String)>,
    /// The moment that it was judged for; RFC 3339, UTC.
    pub as_of: String,
}

/// A story, as it was told first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryRow {
    /// The run, or `drift N RULE` of a follow-up after deployment N.
    pub run: String,
    /// The plan.
    pub plan: String,
    /// Digest of the tree.
    pub tree: String,
    /// The head commit, if it was one.
    pub head: Option<String>,
    /// Its title.
    pub title: String,
    /// Its layers.
    pub layer: String,
    /// Its components.
    pub component: String,
    /// How it ended.
    pub outcome: String,
    /// The practices or steps that it names.
    pub playbooks: String,
    /// Trust, in thousandths.
    pub trust: Option<i32>,
    /// Fields that the rules ask for and that nobody gave.
    pub missing: u32,
}

/// A change that was deployed; its number is that of its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentRow {
    /// Its title.
    pub title: String,
    /// When, in seconds since 1970, UTC.
    pub at: i64,
    /// The plan.
    pub plan: String,
    /// Digest of the tree.
    pub tree: String,
    /// The head commit, if it was one.
    pub head: Option<String>,
    /// The run that the gate let it through by.
    pub run: Option<String>,
    /// The story of that run.
    pub story: Option<u64>,
    /// Its layers.
    pub layer: String,
    /// How many rules watch it.
    pub watches: u32,
}

/// A judged hour and its verdict. Numbers are decimals as the record has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRow {
    /// The deployment's number.
    pub deployment: u64,
    /// The rule.
    pub rule: String,
    /// Which hour of the watch, from 1.
    pub hour: u32,
    /// When it began, in seconds since 1970.
    pub from: i64,
    /// When it ended.
    pub to: i64,
    /// What was measured; of what is counted, so many of so many as one number.
    pub value: Option<String>,
    /// What was counted, and of how many.
    pub counted: Option<(String, String)>,
    /// `unknown`, `ok`, `suspect`, `drift`, `confirmed`.
    pub state: String,
    /// What was to be expected of it.
    pub expected: Option<String>,
    /// Where worse begins.
    pub limit: Option<String>,
    /// How many times as bad as expected, so far.
    pub times: Option<String>,
    /// How many times as bad counts as worse.
    pub threshold: Option<String>,
    /// The method and its version.
    pub method: Option<String>,
    /// Why there is no value, where a source failed.
    pub gap: Option<String>,
    /// When it was judged, in seconds since 1970.
    pub judged: i64,
}

/// A probe of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeRow {
    /// The model.
    pub model: String,
    /// Host of the endpoint.
    pub host: String,
    /// Which probe.
    pub probe: String,
    /// The run that it belongs to.
    pub run: Option<String>,
    /// What the questions are called.
    pub set: String,
    /// Requests.
    pub asked: u32,
    /// Requests without an answer.
    pub unanswered: u32,
    /// Milliseconds that half of the answers did not exceed.
    pub p50_ms: u64,
    /// Milliseconds that 95 % did not exceed.
    pub p95_ms: u64,
    /// Tokens that the endpoint takes, where that was looked for.
    pub served_context: Option<u64>,
    /// `passed`, `inconclusive`, `failed`.
    pub verdict: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// What was counted.
    pub shares: Vec<ShareRow>,
}

/// A share of a probe; bounds in ten-thousandths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareRow {
    /// What was counted.
    pub metric: String,
    /// Of them.
    pub of: u32,
    /// All.
    pub n: u32,
    /// Lower bound.
    pub low: u32,
    /// Upper bound.
    pub high: u32,
}

/// What became of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BundleStatus {
    /// At the first attempt.
    Passed,
    /// Some test did not pass, or too few; or something that this version has no word for.
    Failed,
    /// Only at a further attempt.
    Flaky,
    /// Killed at its deadline.
    TimedOut,
    /// Interrupted by a person, or its turn did not come.
    Cancelled,
    /// It could not be run or its results not be read.
    Error,
    /// It was narrowed to tests of which none was selected.
    NothingSelected,
}

impl BundleStatus {
    /// The status of a word.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "passed" => Self::Passed,
            "flaky" => Self::Flaky,
            "timed_out" => Self::TimedOut,
            "cancelled" => Self::Cancelled,
            "error" => Self::Error,
            "nothing_selected" => Self::NothingSelected,
            _ => Self::Failed,
        }
    }
}
