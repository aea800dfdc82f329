//! Tests beside the rules.

use super::{Approval, Date, Name, NodeId, Rate, SetExpr, Text, Value};

/// `test "…"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// `given …`, one fact a line.
    pub givens: Vec<Given>,
    /// `expect …`
    pub expects: Vec<Expect>,
}

/// One given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Where it stands.
    pub node: NodeId,
    /// What.
    pub kind: GivenKind,
}

/// The givens. `in fixture("x")` and `as of DATE` after another given are givens of their own here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenKind {
    /// `edit of S`: every part of S gets another body (`edit of path("x")` for other files: other bytes).
    EditOf(SetExpr),
    /// `comment edit of S`
    CommentEditOf(SetExpr),
    /// `removal of S`
    RemovalOf(SetExpr),
    /// `new file "path"` with `containing "text"`
    NewFile(Text, Text),
    /// `replace "old" by "new" in "path"`
    Replace {
        /// Text that stands once in the file.
        old: Text,
        /// What stands there after.
        new: Text,
        /// The file.
        path: Text,
    },
    /// `patch "file"`: a unified diff beside the test's file.
    Patch(Text),
    /// `fixture("name")` or `in fixture("name")`: a repository under `fixtures/` or `examples/`.
    Fixture(Text),
    /// `at rev "…"`
    AtRev(Text),
    /// `as of DATE`
    AsOf(Date),
    /// `operation X`
    Operation(Name),
    /// `actor "x"` / `actor verified bot("x")`
    Actor(Text),
    /// `actor verified bot("x")`
    VerifiedBot(Text),
    /// `branch "x"`
    Branch(Text),
    /// `ticket "x"`
    Ticket(Text),
    /// `rationale "x"`
    Rationale(Text),
    /// `approved by "alice@example.org"`
    ApprovedBy(Text),
    /// `outcome of bundle(x) = passed|failed|flaky`
    Outcome(Name, Name),
    /// `fact FACT = VALUE`
    Fact(FactName, Value),
    /// `unknown FACT`
    Unknown(FactName),
}

/// Facts that a test can set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactName {
    /// `pass rate of bundle(x)` / `flaky rate of bundle(x)`
    BundleRate(Rate, Name),
    /// `kpi(x)`
    Kpi(Name),
    /// `trust`
    Trust,
    /// `FIELD of model("x")`
    ModelField(Name, Text),
    /// `FIELD of story`
    StoryField(Name),
}

/// One expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// Where it stands.
    pub node: NodeId,
    /// `no …`
    pub negated: bool,
    /// What.
    pub kind: ExpectKind,
    /// `from RULE`
    pub from: Option<Name>,
}

/// What a test expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectKind {
    /// `tier N`
    Tier(u8),
    /// `bundle(x)`, `bundle(x) narrowed`
    Bundle(Name, bool),
    /// `approval 1 of team(x)` …
    Approval(Approval),
    /// `principle P`
    Principle(Name),
    /// `validation V of model("m")`; without `of`: for any model
    Validation(Name, Option<Text>),
    /// `denied`
    Denied,
    /// `unknown`
    Unknown,
    /// `waived RULE`
    Waived(Name),
    /// `rule R` fires (or unknown counts as fired)
    Rule(Name),
    /// `decision go|hold|no`
    Decision(Name),
    /// `nothing else`: no bundle, approval, principle, validation or denial that no other line names
    NothingElse,
}
