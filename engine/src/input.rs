//! What the engine is given, by value: two trees, the change between them, two rule books, facts of the past.
//!
//! Nothing here reads anything; the command line and `govern` fill it in.

use std::collections::BTreeMap;
use std::sync::Arc;

use grace_fingerprints::Fingerprint;
use grace_graph::change::Change;
use grace_graph::facts::ContentId;
use grace_graph::graph::CodeGraph;
use grace_graph::store::FactStore;
use serde::{Deserialize, Serialize};

use crate::reach::PastReach;

/// Everything that decides a plan.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// The tree before the change.
    pub before: Tree,
    /// The tree after the change.
    pub after: Tree,
    /// What changed between them.
    pub change: Change,
    /// The rules before the change; `None` where there were none.
    pub rules_before: Option<Book>,
    /// The rules after the change; `None` where there are none.
    pub rules_after: Option<Book>,
    /// What the change says of itself; it can only raise.
    pub declared: Declared,
    /// Facts of the past.
    pub past: PastFacts,
    /// The decision's time, seconds since 1970, UTC.
    pub as_of: i64,
}

/// A tree of files, by content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Tree {
    /// Sorted by path.
    pub files: Vec<TreeFile>,
}

/// What the facts of the past call the value that a test of a KPI asks for: `boot_latency p95 over 24 h`.
#[must_use]
pub fn kpi_key(test: &grace_dsl::ast::KpiTest) -> String {
    crate::show::kpi_key(test)
}

impl Tree {
    /// The source graph of the tree, by the facts that a store holds of its contents.
    #[must_use]
    pub fn graph(&self, store: &Arc<FactStore>) -> CodeGraph {
        let mut side = crate::side::SideState::default();
        side.set(store, self, None, crate::side::AFTER, false);
        CodeGraph::clone(side.graph())
    }
}

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TreeFile {
    /// Repository-relative path with `/`.
    pub path: Arc<str>,
    /// What it is.
    pub content: TreeContent,
}

/// What a file of a tree is to the engine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TreeContent {
    /// Source code whose facts the [`grace_graph::store::FactStore`] holds under this id.
    Code(ContentId),
    /// No parser reads it.
    Other,
    /// It should be read as code and could not be; why.
    Opaque(Arc<str>),
}

/// A rule book: the project's own files and the packs that they adopt or use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Book {
    /// Sorted by path.
    pub files: Vec<BookFile>,
}

/// What the path of a file begins with that holds raised tiers: no file of the project, and no part of the rules that a run or an
/// approval is about, so that a raise which begins or ends makes neither of them void by itself.
pub const RAISED: &str = "raised after deployment: ";

/// One file of a rule book.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BookFile {
    /// `grace/layer1.grace`, or `pack grace.policies` for an embedded pack.
    pub path: Arc<str>,
    /// Its text; `Err` names why it could not be read, which is a named unknown.
    pub text: Result<Arc<str>, Arc<str>>,
    /// How it came here.
    pub role: grace_dsl::Role,
}

/// What the change says of itself, and who makes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Declared {
    /// `--operation`.
    pub operation: Option<String>,
    /// `--actor`, unverified.
    pub actor: Option<String>,
    /// A bot, proved by the signature of every commit.
    pub verified_bot: VerifiedBot,
    /// `--ticket`.
    pub ticket: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// The rationale.
    pub rationale: Option<String>,
    /// 5W1H fields that were given: `what_component` and so on.
    pub story: BTreeMap<String, String>,
}

/// Whether a bot makes the change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum VerifiedBot {
    /// Nobody has looked at the signatures.
    #[default]
    NotLookedAt,
    /// They are not those of one bot.
    Nobody,
    /// Every commit is signed by the key of this bot.
    Bot(String),
}

/// Facts of the past, frozen. What is absent is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PastFacts {
    /// Model fingerprints before the change, by name.
    pub models_before: BTreeMap<String, Arc<Fingerprint>>,
    /// Model fingerprints after the change.
    pub models_after: BTreeMap<String, Arc<Fingerprint>>,
    /// Files that hold the fingerprints (path → model names), both sides, so that a change of one is seen.
    pub model_files: BTreeMap<String, Vec<String>>,
    /// Files of fingerprints, of either side, that could not be read, with the reason: each is a named unknown.
    pub unread_models: BTreeMap<String, String>,
    /// Runs of bundles, oldest first.
    pub runs: BTreeMap<String, Vec<BundleRun>>,
    /// Values of KPIs, by `name p95 over 24 h` as the language writes the test's left side, else by `name` alone; in thousandths
    /// (milliseconds for durations, percent for shares).
    pub kpis: BTreeMap<String, i64>,
    /// Waivers whose grant is signed, by name.
    pub grants: std::collections::BTreeSet<String>,
    /// CODEOWNERS before the change.
    pub codeowners: Option<CodeOwners>,
    /// Where the CODEOWNERS that counts could not be read: its path and the reason, a named unknown.
    pub unread_codeowners: Option<(String, String)>,
    /// What a `test` says of a rate outright, in thousandths of a percent: (`pass rate` or `flaky rate`, bundle).
    pub rates: BTreeMap<(String, String), i64>,
    /// What a `test` says of a model's field: (model, field) → value, `None` = unknown.
    pub model_fields: BTreeMap<(String, String), Option<grace_fingerprints::Value>>,
    /// Tests that did not pass when they ran last: bundle → id without parameters → the run.
    pub failed: BTreeMap<String, BTreeMap<String, String>>,
    /// What runs of the past saw each test enter; of a bundle with one command, one record at most.
    pub reach: Vec<PastReach>,
}

/// A CODEOWNERS file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CodeOwners {
    /// Where it stands.
    pub path: Arc<str>,
    /// What it says.
    pub text: Arc<str>,
}

/// How one run of a bundle ended. One that was stopped, or had nothing to run, is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BundleRun {
    /// It passed at the first try.
    Passed,
    /// It passed only on retry.
    Flaky,
    /// It did not pass.
    Failed,
}
