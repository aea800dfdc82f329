//! Conditions: what must hold for a rule to fire.

use super::{Compare, FieldTest, Name, NodeId, Quantity, SetExpr, Text};

/// A condition with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cond {
    /// Where it stands.
    pub node: NodeId,
    /// What it says.
    pub kind: CondKind,
}

/// Kinds of edges as rules name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeWord {
    /// `imports`
    Imports,
    /// `calls`
    Calls,
    /// `inherits`
    Inherits,
    /// `references`
    References,
}

/// How a package moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PackageMove {
    /// `major`
    Major,
    /// `new`
    New,
    /// `downgrade`
    Downgrade,
}

/// A rate over the last runs of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rate {
    /// `pass rate`
    Pass,
    /// `flaky rate`
    Flaky,
}

/// Conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CondKind {
    /// All of them; two or more.
    And(Vec<Cond>),
    /// One of them; two or more.
    Or(Vec<Cond>),
    /// Not.
    Not(Box<Cond>),
    /// `change touches S`
    Touches(SetExpr),
    /// `change only touches S`
    OnlyTouches(SetExpr),
    /// `change only in comments, formatting, …`: proved from both sides.
    OnlyIn(Vec<SafeKind>),
    /// `change adds S`
    Adds(SetExpr),
    /// `change removes S`
    Removes(SetExpr),
    /// `change renames S`
    Renames(SetExpr),
    /// `signatures change in S`
    SignaturesChange(SetExpr),
    /// `new edges imports from A to B`; kinds joined by `or`; empty = any kind (`new edges from A to B`).
    NewEdges {
        /// Which kinds.
        kinds: Vec<EdgeWord>,
        /// From.
        from: SetExpr,
        /// To.
        to: SetExpr,
    },
    /// `tests removed`
    TestsRemoved,
    /// `tests weakened`
    TestsWeakened,
    /// `added code lines in S contain "literal"` (one of several, by commas)
    AddedLinesContain {
        /// Where.
        set: SetExpr,
        /// Any of these.
        literals: Vec<Text>,
    },
    /// `documentation removed in S`
    DocumentationRemoved(SetExpr),
    /// `flags removed of models(…)`
    FlagsRemoved(SetExpr),
    /// `contracts change of models(…)`
    ContractsChange(SetExpr),
    /// `any edit in S`
    AnyEdit(SetExpr),
    /// `lines changed in S > N`
    LinesChanged(SetExpr, Compare, Quantity),
    /// `files changed in S > N`
    FilesChanged(SetExpr, Compare, Quantity),
    /// `any of SET has FIELD TEST`
    AnyOf(SetExpr, FieldTest),
    /// `package change is major`
    PackageChange(PackageMove),
    /// `operation is optimize` (or one of several, by commas)
    Operation(Vec<Name>),
    /// `actor is verified bot("renovate")`
    VerifiedBot(Text),
    /// `ticket "HOT-*"`
    Ticket(Text),
    /// `branch "release/*"`
    Branch(Text),
    /// `rationale missing`
    RationaleMissing,
    /// `story lacks FIELD`
    StoryLacks(Name),
    /// `count(S) > N`
    Count(SetExpr, Compare, Quantity),
    /// `S is empty`
    IsEmpty(SetExpr),
    /// `during WINDOW`
    During(Name),
    /// `pass rate of bundle(x) over last N runs < 95 %`
    BundleRate {
        /// Which rate.
        rate: Rate,
        /// The bundle; `None` in `any required bundle has …`.
        bundle: Option<Name>,
        /// Number of runs.
        runs: Quantity,
        /// Comparison.
        compare: Compare,
        /// Against.
        value: Quantity,
    },
    /// `any required bundle failed`, `any critical bundle failed`, `bundle(lint) failed`.
    BundleFailed(FailedBundle),
    /// `kpi(x) p95 over 24 h > 1000 ms`
    Kpi(KpiTest),
    /// `trust below minimum`
    TrustBelowMinimum,
    /// `no test reaches the change`
    NoTestReaches,
}

/// Which bundle failed, in a condition judged after the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailedBundle {
    /// `any required bundle failed`
    Required,
    /// `any critical bundle failed`
    Critical,
    /// `bundle(x) failed`
    Named(Name),
}

/// `kpi(boot_latency) p95 over 24 h at most 1000 ms`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KpiTest {
    /// Where it stands.
    pub node: NodeId,
    /// The KPI.
    pub kpi: Name,
    /// `p95`, `mean`, `max`, …; the last value where not said.
    pub statistic: Option<Name>,
    /// `over 24 h`.
    pub over: Option<Quantity>,
    /// Comparison.
    pub compare: Compare,
    /// Against.
    pub value: Quantity,
}

/// What is proved of a change from both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SafeKind {
    /// `comments`
    Comments,
    /// `formatting`
    Formatting,
    /// `documentation`
    Documentation,
    /// `added tests`
    AddedTests,
}
