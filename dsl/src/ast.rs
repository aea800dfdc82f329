//! The syntax tree of `.grace`: owned, free of spans, comparable.
//!
//! A node that can be pointed at carries a [`NodeId`], an ordinal inside its item, so moving an item or editing a
//! comment leaves it equal; [`crate::SourceMap`] turns `(item, node)` into a byte range when something is shown.
//! Names are as written: nothing here is resolved or checked.

use std::fmt;

/// Ordinal of a node inside its item, in source order; 0 is the item's own name (or its keyword where it has none).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NodeId(pub u32);

/// A name as written, with its place. Dotted names keep their dots.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// Where it stands.
    pub node: NodeId,
    /// Its text: `layer1`, `grace.policies`, `system.boot`.
    pub text: String,
}

/// A string literal after escapes and joining.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text {
    /// Where it stands.
    pub node: NodeId,
    /// Its value.
    pub value: String,
}

/// A calendar date, as written and known to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    /// Year, 1 to 9999.
    pub year: i16,
    /// Month, 1 to 12.
    pub month: i8,
    /// Day of the month.
    pub day: i8,
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// What a number counts. Units are types: no comparison across kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// A bare number.
    One,
    /// `%`.
    Percent,
    /// `points` (differences of percentages).
    Points,
    /// `ms`.
    Milliseconds,
    /// `s`.
    Seconds,
    /// `min`.
    Minutes,
    /// `h`.
    Hours,
    /// `d`.
    Days,
}

/// A number with its unit, in thousandths, so that trees compare exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quantity {
    /// Where it stands.
    pub node: NodeId,
    /// Value × 1000: `0.90` is 900.
    pub thousandths: i64,
    /// Its unit.
    pub unit: Unit,
}

/// How two numbers are compared: `<`, `<=` (`at most`), `>`, `>=` (`at least`), `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compare {
    /// `<`
    Less,
    /// `<=`, `at most`
    AtMost,
    /// `>`
    More,
    /// `>=`, `at least`
    AtLeast,
    /// `=`
    Equal,
}

/// One item of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name; the title of a test; empty for `use`, `adopt`, `tiers` and `trust_score`. A tag with a value is
    /// `layer(layer1)`, a binding is `MODEL to SET` as written.
    pub name: String,
    /// What it says.
    pub kind: ItemKind,
}

/// The kinds of items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemKind {
    /// `module grace.core`: the name of the file's module.
    Module,
    /// `use grace.vocabulary, …`: its names are visible, its rules do not apply.
    Use(Vec<Name>),
    /// `adopt grace.policies, …`: its names are visible and its rules apply.
    Adopt(Vec<Name>),
    /// `team governance members "a@x", …`.
    Team {
        /// Principals of `allowed_signers`; may be empty only with `may be empty`.
        members: Vec<Text>,
        /// `may be empty`.
        may_be_empty: bool,
    },
    /// `tiers` with its lines.
    Tiers(Vec<TierLine>),
    /// `define NAME = SET`.
    Define {
        /// The set.
        set: SetExpr,
        /// `may be empty`.
        may_be_empty: bool,
    },
    /// `family layer values a, b first match wins`.
    Family {
        /// The values, in order.
        values: Vec<Name>,
        /// `first match wins`: a part takes the value of the first tag item, in file order of the declaring book, that
        /// holds it. Without it a part may hold several values.
        first_match: bool,
    },
    /// `tag kernel on SET`, `tag layer(layer1) on SET`.
    Tag {
        /// The tag, or the family.
        tag: Name,
        /// The value, for a family.
        value: Option<Name>,
        /// Where it is given.
        set: SetExpr,
        /// `may be empty`.
        may_be_empty: bool,
    },
    /// `principle P unwaivable says "…"`.
    Principle {
        /// So is every rule that upholds it.
        unwaivable: bool,
        /// Its sentence.
        says: Text,
    },
    /// `policy`, a rule for a domain with its limits.
    Policy(Policy),
    /// `rule`.
    Rule(Rule),
    /// `forbid`.
    Forbid(Forbid),
    /// `layers`.
    Layers(Layers),
    /// `waiver`.
    Waiver(Waiver),
    /// `window freeze 2026-12-20 to 2027-01-03, zone "Europe/Berlin"`.
    Window {
        /// First day.
        from: Date,
        /// Last day, inclusive.
        to: Date,
        /// IANA zone.
        zone: Text,
    },
    /// `bundle`.
    Bundle(Bundle),
    /// `binding model("mistral:7b") to class("Mistral*")`.
    Binding {
        /// Model name or glob.
        model: Text,
        /// The parts.
        set: SetExpr,
        /// `may be empty`.
        may_be_empty: bool,
    },
    /// `validation`.
    Validation {
        /// A set of models.
        of: SetExpr,
        /// `run probe NAME, samples 100`.
        probe: Name,
        /// Number of samples.
        samples: Option<Quantity>,
        /// Why.
        because: Text,
    },
    /// `band hallucination_rate from evidence fabrication …`.
    Band {
        /// The kind of evidence.
        evidence: Name,
        /// `low when upper bound <= 10 %`.
        levels: Vec<BandLevel>,
    },
    /// `intent system.boot says "…"`.
    Intent {
        /// What it stands for.
        says: Text,
    },
    /// `test "…"`.
    Test(Test),
    /// `kpi`, `drift`, `trust_score`, `audit`, `practice`: lines of `name value`.
    Operational(Operational),
}

/// One line of `tiers`: `3 sensitive approve 1 of team(governance) for operations update_model, …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierLine {
    /// Where the number stands.
    pub node: NodeId,
    /// 1, 2 or 3; a higher number is stricter.
    pub tier: u8,
    /// `safe`, `internal`, `sensitive`.
    pub name: Name,
    /// Who lets it through.
    pub approve: TierApproval,
    /// What reaches this line.
    pub reach: TierReach,
    /// `selection observe` or `selection enforce`; `None` where not said (observe).
    pub selection: Option<Selection>,
}

/// How a plan that ends at a tier is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TierApproval {
    /// `approve automatically`.
    Automatically,
    /// `approve by rules`: what the rules require, and no more.
    ByRules,
    /// `approve 1 of team(governance)`.
    Approval(Approval),
}

/// What reaches a tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TierReach {
    /// `for change only in comments, formatting, documentation, added tests`.
    OnlyIn(Vec<SafeKind>),
    /// `for any other change`.
    AnyOther,
    /// `for operations update_model, …`; with `or COND` a condition too.
    Operations(Vec<Name>),
    /// No `for`: only rules reach it.
    RulesOnly,
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

/// Test selection mode of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Selection {
    /// Run all, record what would have been left out.
    Observe,
    /// Leave out what the change does not reach.
    Enforce,
}

/// A set expression with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetExpr {
    /// Where it stands.
    pub node: NodeId,
    /// What it says.
    pub kind: SetKind,
}

/// How far a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Distance {
    /// `within N`, 1 = direct.
    Within(u32),
    /// `any distance`.
    Any,
}

/// The walks over the graph. Each includes the set that it starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Walk {
    /// Who imports S.
    Importers,
    /// What S imports.
    ImportedBy,
    /// Who calls S.
    Callers,
    /// What S calls.
    Callees,
    /// Who inherits from S.
    Subtypes,
    /// What S inherits from.
    Supertypes,
    /// Who depends on S by any edge.
    Dependents,
    /// What S depends on by any edge.
    Dependencies,
    /// Tests that reach S by any edge (only test functions are members, S itself where it is a test).
    TestsOf,
}

/// Set expressions: of code, of models, of bundles, of owners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetKind {
    /// `all`
    All,
    /// `none`
    None,
    /// `path("glob")`, `path("glob") ignoring case`
    Path {
        /// The glob over repository-relative paths; `**` crosses directories, `*` does not.
        glob: Text,
        /// Letters of either case.
        ignore_case: bool,
    },
    /// `package("a.b")`: with all below.
    Package(Text),
    /// `module("a.b")`: body and everything inside.
    Module(Text),
    /// `generated`
    Generated,
    /// `class("Glob*")`: header and everything inside. The glob matches the dotted name's tail at a segment border.
    Class(Text),
    /// `header of class(…)`: only the class headers of the set.
    HeaderOf(Box<SetExpr>),
    /// `function("BootKernel.start")`: functions and methods; the glob matches the dotted name's tail at a segment border.
    Function(Text),
    /// `decorated("app.route")`: parts with a decorator whose dotted name matches; glob.
    Decorated(Text),
    /// `language(python)`
    Language(Name),
    /// `tests`: test functions, and the files that hold them.
    Tests,
    /// `public(S)`
    Public(Box<SetExpr>),
    /// `named "*kernel*" ignoring case`: parts whose own name matches.
    Named {
        /// Glob over the part's own name.
        glob: Text,
        /// Letters of either case.
        ignore_case: bool,
    },
    /// `matches(name, "regex")`, `matches(path, "regex")`; linear time.
    Matches {
        /// `name` or `path`.
        on: MatchOn,
        /// The regex.
        regex: Text,
    },
    /// `tag(kernel)`
    Tag(Name),
    /// `layer(layer1)`: a family with one of its values.
    Family {
        /// The family.
        family: Name,
        /// The value.
        value: Name,
    },
    /// `bound to model("mistral:*")`: parts bound to a model by a `binding` (or, as a guess, by a string that names it).
    BoundTo(Text),
    /// The name of a `define`.
    Defined(Name),
    /// `files of S`: every part of the files that hold a part of S.
    FilesOf(Box<SetExpr>),
    /// `modules of S`: every part of the modules that hold a part of S.
    ModulesOf(Box<SetExpr>),
    /// `members of S`: each class header in S with everything inside.
    MembersOf(Box<SetExpr>),
    /// `callers(S, within 2)`, `dependents(S, any distance)`; `certain callers(…)` leaves out guesses.
    Walk {
        /// Which.
        walk: Walk,
        /// From where.
        set: Box<SetExpr>,
        /// How far.
        distance: Distance,
        /// Without guessed edges.
        certain: bool,
    },
    /// `A plus B` (several of one operator: left to right).
    Plus(Box<SetExpr>, Box<SetExpr>),
    /// `A within B`: in both.
    Within(Box<SetExpr>, Box<SetExpr>),
    /// `A except B`.
    Except(Box<SetExpr>, Box<SetExpr>),
    /// `models`, `models where requires_hallucination_test`; tests are joined by `and`.
    Models(Vec<FieldTest>),
    /// `model("mistral:7b")`: one model, or a glob.
    Model(Text),
    /// `models used by S`
    ModelsUsedBy(Box<SetExpr>),
    /// `bundles`
    Bundles,
    /// `bundle(x)`, `bundle(lint)` as a set of one.
    Bundle(Name),
    /// `owners of S`
    OwnersOf(Box<SetExpr>),
    /// `team(governance)` as a set of people.
    Team(Name),
}

/// What a regex is matched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchOn {
    /// The part's own name.
    Name,
    /// The file's path.
    Path,
}

/// `commercial_use not allowed`, `trust_score < 0.8`, `requires_bias_check`, `licence is "MIT"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldTest {
    /// Where it stands.
    pub node: NodeId,
    /// The field.
    pub field: Name,
    /// The test.
    pub test: ValueTest,
}

/// A test on a field's value. A field that is absent or says `unknown` is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueTest {
    /// A bare field: it is true.
    True,
    /// `not`-ed bare field is written `FIELD is no`; `FIELD VALUE` or `FIELD is VALUE`.
    Is(Value),
    /// `FIELD not VALUE`.
    IsNot(Value),
    /// `FIELD contains VALUE`, for lists.
    Contains(Value),
    /// A comparison.
    Compare(Compare, Quantity),
}

/// A value in a test or a given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A word: `allowed`, `high`, `yes`, `no`.
    Word(Name),
    /// A string.
    Text(Text),
    /// A number.
    Quantity(Quantity),
    /// A date.
    Date(Date),
}

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

/// Who must agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Where it stands.
    pub node: NodeId,
    /// How many people.
    pub count: u32,
    /// Of whom.
    pub by: Approver,
    /// `, 1 of them of team(security)`.
    pub among: Vec<(u32, Approver)>,
    /// `, else team(governance)`: where a file has no owner.
    pub otherwise: Option<Approver>,
    /// `extra approval`: serves no other requirement.
    pub extra: bool,
}

/// A group of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approver {
    /// `anyone` in `allowed_signers`.
    Anyone,
    /// `team(governance)`
    Team(Name),
    /// `an owner of each file in S`
    OwnerOfEachFile(SetExpr),
}

/// One thing that a rule requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Where it stands.
    pub node: NodeId,
    /// What.
    pub kind: RequirementKind,
}

/// What a rule can require.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequirementKind {
    /// `approval …`
    Approval(Approval),
    /// `bundle(x)`, `bundle(x) narrowed to impacted tests`
    Bundle {
        /// Which.
        name: Name,
        /// Only the tests that the change reaches.
        narrowed: bool,
    },
    /// `validation(x)`: for each model of its `of` whose bound parts or fingerprint the change touches.
    Validation(Name),
    /// `ticket "HOT-*"`: a duty.
    Ticket(Text),
    /// `rationale`: a duty.
    Rationale,
    /// `story FIELD, …`: a duty for each field.
    Story(Name),
}

/// What a rule denies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deny {
    /// Where it stands.
    pub node: NodeId,
    /// `if unknown hold for approval …`; where not said, an unknown deny holds for the rule's owner, else tier 3's approval.
    pub if_unknown: Option<Approval>,
}

/// When a rule is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// `when COND`
    Change(Cond),
    /// `always when COND`: reads the after state.
    Always(Cond),
    /// `after the run when COND`: judged in the decision.
    AfterRun(Cond),
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `: tier N`.
    pub tier: Option<(NodeId, u8)>,
    /// Its condition.
    pub when: When,
    /// `require …`
    pub require: Vec<Requirement>,
    /// `deny …`
    pub deny: Option<Deny>,
    /// `trust at least 0.90`
    pub trust: Option<Quantity>,
    /// `limit kpi(…) …`
    pub limits: Vec<KpiTest>,
    /// `upholds P, …`
    pub upholds: Vec<Name>,
    /// `intents a.b, …`
    pub intents: Vec<Name>,
    /// `owner team(x)`
    pub owner: Option<Name>,
    /// `review by DATE`
    pub review_by: Option<(NodeId, Date)>,
    /// `remedy "…"`
    pub remedy: Option<Text>,
    /// `because "…"`
    pub because: Text,
    /// `may be empty`.
    pub may_be_empty: bool,
}

/// A policy: a rule `when change touches covers`, with limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `covers S`
    pub covers: SetExpr,
    /// Everything else; `rule.when` is `Change(Touches(covers))` at the node of `covers`.
    pub rule: Rule,
}

/// `forbid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbid {
    /// The kind of edge (`imports`).
    pub edge: EdgeWord,
    /// From.
    pub from: SetExpr,
    /// To.
    pub to: SetExpr,
    /// `, direct or through other modules`
    pub through: bool,
    /// `existing listed, may only shrink`
    pub existing_may_shrink: bool,
    /// `owner team(x)`
    pub owner: Option<Name>,
    /// `upholds`
    pub upholds: Vec<Name>,
    /// `remedy "…"`
    pub remedy: Option<Text>,
    /// `because "…"`
    pub because: Text,
}

/// `layers backend closed api over services over kernel`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layers {
    /// Adjacent floors only.
    pub closed: bool,
    /// Floors from the top; names are sets (defines, tags).
    pub floors: Vec<SetExpr>,
    /// `owner team(x)`
    pub owner: Option<Name>,
    /// `upholds`
    pub upholds: Vec<Name>,
    /// `remedy "…"`
    pub remedy: Option<Text>,
    /// `because "…"`
    pub because: Text,
}

/// `waiver`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// `of RULE`, or `of tiers.NAME`.
    pub of: WaiverOf,
    /// `for S`
    pub set: SetExpr,
    /// What it lowers.
    pub effect: WaiverEffect,
    /// `when COND`
    pub when: Option<Cond>,
    /// `granted by team(x)`
    pub granted_by: Option<Name>,
    /// `ticket "GOV-112"`
    pub ticket: Option<Text>,
    /// `until DATE`, inclusive, UTC where no zone is named.
    pub until: Option<(NodeId, Date)>,
    /// `because "…"`
    pub because: Text,
}

/// What a waiver is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaiverOf {
    /// A rule, policy, forbid or layers item.
    Rule(Name),
    /// `tiers.internal`
    Tier(Name),
}

/// What a waiver does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaiverEffect {
    /// `waives tier, bundle(x), approval, …`
    Waives(Vec<Waived>),
    /// `to tier N`
    ToTier(u8),
}

/// One thing that a waiver takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waived {
    /// `tier`
    Tier(NodeId),
    /// `approval of team(x)`; `approval` alone = all of them.
    Approval(NodeId, Option<Name>),
    /// `bundle(x)`
    Bundle(Name),
    /// `validation(x)`
    Validation(Name),
    /// `deny`
    Deny(NodeId),
    /// `everything`
    Everything(NodeId),
}

/// `bundle`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Must pass before a deployment.
    pub critical: bool,
    /// `says "…"`: what it covers.
    pub says: Option<Text>,
    /// `tests S`
    pub tests: SetExpr,
    /// `setup "…", "…"`
    pub setup: Vec<Text>,
    /// `run "…", "…"`: arguments, no shell.
    pub run: Vec<Text>,
    /// `timeout 60 s each`
    pub timeout_each: Option<Quantity>,
    /// `timeout 120 s in all`
    pub timeout_all: Option<Quantity>,
    /// `retries N`
    pub retries: u32,
    /// `pass rate at least N %`
    pub pass_rate: Option<Quantity>,
    /// `may be empty`.
    pub may_be_empty: bool,
}

/// `low when upper bound <= 10 %`, `medium when interval within 10 % to 30 %`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandLevel {
    /// `low`, `medium`, `high`.
    pub level: Name,
    /// Its test.
    pub test: BandTest,
}

/// A test on a confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BandTest {
    /// `upper bound <= Q`
    Upper(Compare, Quantity),
    /// `lower bound > Q`
    Lower(Compare, Quantity),
    /// `interval within Q to Q`
    Within(Quantity, Quantity),
}

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

/// An operational item: lines of `name value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operational {
    /// Which kind.
    pub kind: OperationalKind,
    /// `drift NAME on KPI`.
    pub on: Option<Name>,
    /// Its lines.
    pub clauses: Vec<OperationalClause>,
    /// `because "…"`; mandatory for `drift`.
    pub because: Option<Text>,
}

/// The operational kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationalKind {
    /// `kpi`
    Kpi,
    /// `drift`
    Drift,
    /// `trust_score`
    TrustScore,
    /// `audit`
    Audit,
    /// `practice`
    Practice,
}

/// One line: `alert worse by more than 20 % of baseline`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationalClause {
    /// The line's name: `better`, `from`, `on drift`.
    pub name: Name,
    /// The rest, word by word.
    pub words: Vec<Word>,
}

/// A word of an operational line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A bare word.
    Word(Name),
    /// A string.
    Text(Text),
    /// A number.
    Quantity(Quantity),
    /// `name(argument)`: `bundle(lint)`, `domain(self_healing)`, `team(peers)`.
    Call(Name, Name),
    /// A comma.
    Comma,
}
