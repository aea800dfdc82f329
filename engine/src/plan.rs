//! The plan: what must happen for a change, and why, as data.
//!
//! A plan is a join of what the rules contribute. Equal inputs give byte-equal plans: every list is sorted, nothing
//! holds a clock. Nothing here is rendered; the command line does that.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name of the JSON format of a plan.
pub const SCHEMA: &str = "grace-rules/plan";
/// Its version; it only grows.
pub const VERSION: u32 = 1;

/// What must happen for a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: String,
    /// [`VERSION`].
    pub version: u32,
    /// Digest (hex) of the subject: the diff, the rules, the tier, required approvals, denials.
    pub id: String,
    /// What of the subject is known by digest.
    #[serde(default)]
    pub subject: Subject,
    /// 1 to 3; a higher number is stricter.
    pub tier: u8,
    /// The tier's name in the rules (`sensitive`).
    pub tier_name: String,
    /// How a plan of this tier is let through.
    pub approve: TierApprove,
    /// Whether tests that the change does not reach are left out, as the lines of this tier say; absent where none says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<SelectionMode>,
    /// What put it there: the reasons of the highest tier, strongest first; never empty.
    pub tier_derivation: Vec<Derivation>,
    /// Approvals that it needs.
    pub approvals: Vec<Approval>,
    /// Principles that apply.
    pub principles: Vec<Element>,
    /// Bundles to run.
    pub bundles: Vec<BundlePlan>,
    /// Bundles that the rules know and that this plan does not run.
    pub not_run: Vec<NotRun>,
    /// Model validations to run.
    pub validations: Vec<ValidationPlan>,
    /// Other duties: `ticket "HOT-*"`, `rationale`, `story what_component`.
    pub duties: Vec<Duty>,
    /// Layer 3 intents.
    pub intents: Vec<Element>,
    /// Highest minimum trust, in thousandths, with its reasons.
    pub trust: Option<TrustFloor>,
    /// What forbids the change; not empty = denied.
    pub denials: Vec<Denial>,
    /// What could not be told, each with the missing fact.
    pub unknowns: Vec<Unknown>,
    /// What every rule of both books came to.
    pub rules: Vec<RuleOutcome>,
    /// Rules to be judged after the run.
    pub after_run: Vec<AfterRun>,
    /// Bundles that those rules ask for if they fire, and that are not to run anyway.
    pub after_run_bundles: Vec<BundlePlan>,
    /// What the change is, in numbers.
    pub change: ChangeSummary,
    /// The next date that could change this plan (a window, a waiver's end); ISO 8601, UTC.
    pub valid_until: Option<String>,
    /// When it was derived for (`as of`), ISO 8601, UTC; not part of the subject.
    pub as_of: String,
}

/// What an approval is bound to, beside what the plan asks for: the same on every machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// BLAKE3 (hex) of what changes: paths, modes and contents, before and after.
    pub diff: String,
    /// BLAKE3 (hex) of both rule books.
    pub rules: String,
}

/// One reason of one element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Derivation {
    /// The rule, as `explain rule NAME` takes it; built-in rules begin with `built-in `.
    pub rule: String,
    /// The rule's file; `built-in` where it has none.
    pub file: String,
    /// Line of the clause that contributes, 1-based; 0 for built-in rules.
    pub line: u32,
    /// The rule's own words.
    pub because: String,
    /// Which rule book says so.
    pub book: BookSide,
    /// What made it fire.
    pub evidence: Vec<Evidence>,
    /// Evidence beyond the ones listed.
    pub more_evidence: u32,
    /// The rule counts as fired because a fact is missing.
    pub by_unknown: bool,
}

/// Which rule book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BookSide {
    /// The rules before the change.
    Before,
    /// The rules after the change.
    After,
    /// Both say the same.
    Both,
    /// Built in; no rule book can take it away.
    BuiltIn,
}

/// Which side of the change a part stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Before the change.
    Before,
    /// After the change.
    After,
}

/// A part of the code, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PartRef {
    /// `BootKernel.start`, `module backend.boot`, or a file's path.
    pub name: String,
    /// Repository-relative path.
    pub path: String,
    /// First line, 1-based; 0 where it has none.
    pub line: u32,
    /// The side on which path and line hold.
    pub side: Side,
}

/// One step of a proof that a part is in a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// It is in this set by its own nature (`path("backend/boot/**")`, `named "*kernel*"`).
    In {
        /// The set, as the language writes it.
        set: String,
        /// Where the rules say so; empty path where the set stands in the rule itself.
        file: String,
        /// Line of it.
        line: u32,
    },
    /// It is in a named set: `tag(kernel)`, `boot_code`.
    Named {
        /// The name, as the language writes it.
        name: String,
        /// Where it is given.
        file: String,
        /// Line of it.
        line: u32,
    },
    /// It reaches, or is reached by, another part along an edge.
    Edge {
        /// `imports`, `calls`, `inherits`, `references`.
        kind: String,
        /// `import`, `call`, `fixture`, `string`, `declared`, `guess`, `recorded`.
        evidence: String,
        /// The part that the edge starts at.
        from: PartRef,
        /// The part that it ends at.
        to: PartRef,
        /// File of the site.
        file: String,
        /// Line of the site.
        line: u32,
    },
    /// It stands inside another part, or in the same file or module.
    Inside {
        /// `file`, `module`, `class`.
        of: String,
        /// That part.
        part: PartRef,
    },
    /// It may be: the file could not be read or parsed.
    Opaque {
        /// Why.
        reason: String,
    },
}

/// A set, and why the end of an edge or of a way is in it. A module is in a set when a part of its file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InSet {
    /// The set, as the language writes it.
    pub set: String,
    /// Why it is in the set.
    pub proof: Vec<Step>,
}

/// What made a condition hold. A closed list; rendered only at the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evidence {
    /// A part changed, and is in the set.
    Changed {
        /// The part.
        part: PartRef,
        /// How: `added`, `removed`, `renamed`, `signature`, `decorators`, `body`, `docstring`, `comment`, `format`, `bytes`, `mode`, `unknown`.
        how: Vec<String>,
        /// The set, as the language writes it.
        set: String,
        /// Why it is in the set.
        proof: Vec<Step>,
    },
    /// A part is in a set (a state, not a change).
    Member {
        /// The part.
        part: PartRef,
        /// The set.
        set: String,
        /// Why.
        proof: Vec<Step>,
    },
    /// An edge is new.
    NewEdge {
        /// `imports`, …
        edge: String,
        /// From.
        from: PartRef,
        /// To.
        to: PartRef,
        /// File of the site.
        file: String,
        /// Line of the site.
        line: u32,
        /// `the edge is new`, `an end moved`, `an end was tagged anew` as a word: `new`, `moved`, `retagged`.
        why: String,
        /// Why `from` counts.
        from_in: InSet,
        /// Why `to` counts.
        to_in: InSet,
    },
    /// A forbidden path between modules.
    Path {
        /// Each edge of it.
        steps: Vec<Step>,
        /// Why the module that it starts from counts.
        from_in: InSet,
        /// Why the module that it leads to counts.
        to_in: InSet,
    },
    /// A line of text.
    Line {
        /// File.
        path: String,
        /// Line, 1-based.
        line: u32,
        /// The literal found, or what it is.
        text: String,
    },
    /// A test was removed or weakened.
    Test {
        /// The test.
        part: PartRef,
        /// `removed`, or how it was weakened.
        how: String,
    },
    /// A number was compared.
    Number {
        /// `lines changed in counted`, `count(tests)`, `flaky rate of bundle(x)`.
        what: String,
        /// Lowest possible value, in thousandths.
        low: i64,
        /// Highest possible value, in thousandths.
        high: i64,
        /// `> 400`.
        test: String,
    },
    /// A model has a field that meets a test.
    Model {
        /// The model.
        model: String,
        /// `commercial_use`.
        field: String,
        /// Its value, as text.
        value: String,
        /// How the code uses it, where that matters.
        proof: Vec<Step>,
        /// The part that uses it.
        part: Option<PartRef>,
    },
    /// A package moved.
    Package {
        /// Its name.
        name: String,
        /// Version before.
        before: Option<String>,
        /// Version after.
        after: Option<String>,
        /// The lock file.
        path: String,
        /// Line in it.
        line: u32,
    },
    /// What the change says of itself, or what is known of its actor: `operation optimize`, `ticket HOT-1`.
    Declared {
        /// What.
        what: String,
        /// Value; empty = absent.
        value: String,
    },
    /// A date lies in a window.
    Window {
        /// The window.
        name: String,
        /// First day.
        from: String,
        /// Last day.
        to: String,
    },
    /// A bundle's result.
    Outcome {
        /// The bundle.
        bundle: String,
        /// `passed`, `failed`, `flaky`, …
        outcome: String,
    },
    /// A fact is missing.
    Missing {
        /// Which.
        fact: String,
    },
}

/// A thing that the plan holds, with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Why.
    pub derivation: Vec<Derivation>,
}

/// A duty, and what was given for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Duty {
    /// `ticket "HOT-*"`, `rationale`, `story what_component`.
    pub name: String,
    /// What fills it; `None` = it is open.
    pub given: Option<String>,
    /// Why.
    pub derivation: Vec<Derivation>,
}

/// How a tier is let through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TierApprove {
    /// Nobody needs to agree.
    Automatically,
    /// What the rules require, and no more.
    ByRules,
    /// People agree.
    People,
}

/// An approval that is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// `1 of team(governance)`, as `explain approval NAME` takes it.
    pub name: String,
    /// How many people.
    pub count: u32,
    /// Of whom.
    pub by: Approver,
    /// How many of them must be of whom else.
    pub among: Vec<(u32, Approver)>,
    /// Serves no other requirement.
    pub extra: bool,
    /// Why.
    pub derivation: Vec<Derivation>,
}

/// A group of people.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approver {
    /// Anyone in `allowed_signers`.
    Anyone,
    /// A team, with the members that count (those who stood before the change).
    Team {
        /// Its name.
        name: String,
        /// Its members.
        members: Vec<String>,
    },
    /// An owner of this file, by CODEOWNERS.
    OwnerOf {
        /// The file.
        path: String,
        /// Its owners as CODEOWNERS names them.
        owners: Vec<String>,
    },
}

/// A bundle to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundlePlan {
    /// Its name.
    pub name: String,
    /// Must pass before a deployment.
    pub critical: bool,
    /// The forms to run: one, or two where the rule books differ.
    pub forms: Vec<BundleForm>,
    /// Only the tests that the change reaches.
    pub narrowed: bool,
    /// Tests that it holds on the after tree, sorted: `tests/x.py::TestA::test_b`, or the path of a file whose tests are
    /// run by file. With those that only a record knows, of files that it has whole.
    pub tests: Arc<Vec<String>>,
    /// The tests to run: all of them, or those that the change reaches. Sorted.
    pub selected: Vec<String>,
    /// Files of `tests S` that hold no test that can be read.
    pub files: Arc<Vec<String>>,
    /// Test files that are run whole, whatever is selected: some of it cannot be read, or the change reaches it and its
    /// tests cannot be seen by reading. Sorted.
    pub whole: Vec<String>,
    /// Why all tests are selected although it is narrowed: what the change reaches cannot be told. Sorted.
    #[serde(default)]
    pub widened: Vec<Widening>,
    /// Where it is narrowed: what chose the tests to run.
    #[serde(default)]
    pub sources: Sources,
    /// Where it is narrowed and its tests were recorded: why the record is not used, so that they are chosen by reading alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_record: Option<String>,
    /// Why.
    pub derivation: Vec<Derivation>,
}

/// How many of a narrowed bundle's selected tests were chosen by what; each counts once, for the first that chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Sources {
    /// They changed themselves.
    pub changed: u32,
    /// They did not pass when they were last recorded.
    pub failed: u32,
    /// By a record of what they entered.
    pub recorded: u32,
    /// By reading.
    pub read: u32,
    /// It is not known what the change reaches.
    pub widened: u32,
    /// Of all tests of the bundle, chosen or not: those whose record tells what the change of a body reaches.
    pub with_record: u32,
}

/// What becomes of tests that a change does not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelectionMode {
    /// They are left out.
    Enforce,
    /// They run all the same, and what would have been missed is recorded.
    Observe,
}

impl BundlePlan {
    /// Narrowed to tests of which the change reaches none: there is nothing to run, which is no failure. A bundle that
    /// holds no test at all proves nothing and is not meant; nor is a command that takes no tests and so runs all it has.
    #[must_use]
    pub fn runs_nothing(&self) -> bool {
        self.narrowed
            && !self.tests.is_empty()
            && self.selected.is_empty()
            && self.whole.is_empty()
            && self.forms.iter().all(|form| form.run.iter().any(|argument| argument == "{tests}"))
    }
}

/// Why a narrowed bundle runs all of its tests all the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Widening {
    /// What makes it so.
    pub cause: WideningCause,
    /// The changed file; or how much of the tree reading does not see: `12 of 20 test files`.
    pub what: String,
}

/// What makes it unknown which tests a change reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WideningCause {
    /// The file says with what, or how, tests run: settings, requirements, lock files.
    GovernsTests,
    /// No parser reads the file, and nothing is seen to use it.
    UnknownInput,
    /// A source among tests or what they read that is no test, and nothing is seen to use it.
    UnusedSource,
    /// It cannot be told how the file changed.
    UnknownChange,
    /// So many test files are seen to use no source that no narrowing is to be believed.
    BlindTests,
    /// So many imports of own modules lead nowhere that no narrowing is to be believed.
    LostImports,
}

impl WideningCause {
    /// In words, after what it is about.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::GovernsTests => "says how tests run",
            Self::UnknownInput => "is read by no parser, and nothing is seen to use it",
            Self::UnusedSource => "lies among tests or what they read, and nothing is seen to use it",
            Self::UnknownChange => "changed in a way that cannot be told",
            Self::BlindTests => "are seen to use no source, so what a change reaches cannot be told",
            Self::LostImports => "name own modules that are not found, so what a change reaches cannot be told",
        }
    }
}

/// How a bundle is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundleForm {
    /// Which book says so.
    pub book: BookSide,
    /// Arguments, with `{tests}` and `{junit}`.
    pub run: Vec<String>,
    /// Setup arguments; empty = none.
    pub setup: Vec<String>,
    /// Milliseconds for each test.
    pub timeout_each_ms: Option<u64>,
    /// Milliseconds in all.
    pub timeout_all_ms: u64,
    /// How often a failed test is tried again.
    pub retries: u32,
    /// Least pass rate, in thousandths of a percent: 100 % is 100000.
    pub pass_rate: u32,
}

/// A bundle that is not run, and the rules that could have brought it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotRun {
    /// The bundle.
    pub name: String,
    /// Each rule that requires it, with the conditions that it did not meet.
    pub rules: Vec<Rejected>,
}

/// A rule that did not apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// The rule.
    pub rule: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// The conditions that were not met, as the language writes them.
    pub unmet: Vec<String>,
}

/// A validation to run for one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValidationPlan {
    /// `hallucination_detection of model("mistral:7b")`.
    pub name: String,
    /// The validation.
    pub validation: String,
    /// The model.
    pub model: String,
    /// The probe.
    pub probe: String,
    /// Samples.
    pub samples: Option<u32>,
    /// Why.
    pub derivation: Vec<Derivation>,
}

/// The highest minimum trust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrustFloor {
    /// In thousandths: 0.90 is 900.
    pub at_least: i64,
    /// Why.
    pub derivation: Vec<Derivation>,
}

/// What forbids the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Denial {
    /// The rule.
    pub name: String,
    /// What to do instead, in the rule's words.
    pub remedy: Option<String>,
    /// Why.
    pub derivation: Vec<Derivation>,
}

/// What could not be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unknown {
    /// The missing fact, in words.
    pub name: String,
    /// The tier is what it is because of this alone.
    pub decides_tier: bool,
    /// Rules that count as fired by it; empty for rule items that do not parse.
    pub derivation: Vec<Derivation>,
}

/// The four outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its condition holds.
    Fires,
    /// It could not be told; counts as fired.
    Unknown,
    /// It fires, and a waiver lowers all or some of what it says.
    Waived,
    /// Its condition does not hold.
    DoesNotApply,
    /// Judged in the decision, after the run.
    AfterRun,
}

/// What one rule came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleOutcome {
    /// The rule.
    pub name: String,
    /// The outcome.
    pub outcome: Outcome,
    /// Waivers that applied.
    pub waivers: Vec<String>,
    /// One for each book that holds it; for a rule that does not apply, its evidence is empty.
    pub derivation: Vec<Derivation>,
}

/// A rule that is judged after the run, and all that it asks for if it fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AfterRun {
    /// The rule.
    pub name: String,
    /// What remains to be judged; everything else is folded in.
    pub when: Pending,
    /// Tier that it raises to.
    pub tier: Option<u8>,
    /// Approvals that it requires, limits that do not hold and a higher tier's among them.
    pub approvals: Vec<Approval>,
    /// Approvals that stand for its denial where that cannot be told.
    pub holds: Vec<Approval>,
    /// Bundles that it requires.
    pub bundles: Vec<BundleAsked>,
    /// Model validations that it requires.
    pub validations: Vec<ValidationPlan>,
    /// Other duties.
    pub duties: Vec<Duty>,
    /// Principles that it upholds; they apply from the start.
    pub principles: Vec<Element>,
    /// Its intents.
    pub intents: Vec<Element>,
    /// Least trust that it asks for.
    pub trust: Option<TrustFloor>,
    /// Measured values that its limits speak of and that are not known: what asks for the owner's approval.
    pub unknowns: Vec<String>,
    /// It denies.
    pub denies: bool,
    /// What to do instead, in the rule's words.
    pub remedy: Option<String>,
    /// Where it stands and why.
    pub derivation: Derivation,
}

/// A bundle that a rule asks for after the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundleAsked {
    /// The bundle.
    pub name: String,
    /// The tests that the change reaches are enough.
    pub narrowed: bool,
    /// Why.
    pub derivation: Vec<Derivation>,
}

/// A condition that waits for the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pending {
    /// Known already.
    Known(Truth),
    /// All.
    And(Vec<Pending>),
    /// One.
    Or(Vec<Pending>),
    /// Not.
    Not(Box<Pending>),
    /// A rate of a bundle (of any required one where no name is given) over its last runs.
    Rate {
        /// `pass rate` or `flaky rate`.
        rate: String,
        /// The bundle.
        bundle: Option<String>,
        /// Number of runs.
        runs: u32,
        /// `<`, `<=`, `>`, `>=`, `=`.
        compare: String,
        /// In thousandths of a percent.
        value: i64,
    },
    /// A bundle failed.
    Failed(FailedOf),
    /// The trust score is below the plan's minimum.
    TrustBelowMinimum,
}

/// Of which bundles it is asked whether one failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailedOf {
    /// Any that is required.
    AnyRequired,
    /// Any that is required and critical.
    AnyCritical,
    /// The one of this name.
    Bundle(String),
}

/// Kleene truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// No.
    No,
    /// Cannot be told.
    Unknown,
    /// Yes.
    Yes,
}

/// What the change is, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeSummary {
    /// Changed files.
    pub files: u32,
    /// Changed parts.
    pub parts: u32,
    /// Parts that may depend on a changed part, at any distance (the changed ones not counted).
    pub reach: u32,
    /// Lines added.
    pub lines_added: u32,
    /// Lines removed.
    pub lines_removed: u32,
    /// Tests that the change reaches.
    pub tests_reached: u32,
    /// Tests in the repository.
    pub tests: u32,
}

/// What was asked about, and the answer, for `explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// `bundle chaos_smoke`.
    pub subject: String,
    /// `in the plan`, `not in the plan`, `no such bundle` as a word: `present`, `absent`, `unheard`.
    pub status: Presence,
    /// Details of the thing itself, name and value.
    pub facts: Vec<(String, String)>,
    /// Why it is there.
    pub reasons: Vec<Derivation>,
    /// Ways from the change to it (for a test, a file, a symbol).
    pub reached: Vec<Vec<Step>>,
    /// Why it is not there: the nearest rules.
    pub near: Vec<NearRule>,
    /// Smallest changes that would bring it; with each of them the plan was derived again and held it.
    pub would_bring: Vec<String>,
    /// Names that look alike, where there is no such thing.
    pub did_you_mean: Vec<String>,
}

/// Whether a thing is in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// In the plan.
    Present,
    /// Known, and not in the plan.
    Absent,
    /// Nothing of this name.
    Unheard,
}

/// A rule that could have brought a thing, and what it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NearRule {
    /// The rule.
    pub rule: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// Its words.
    pub because: String,
    /// Each condition with the value seen.
    pub conditions: Vec<CondSeen>,
    /// The nearest part of the change, and the way from it to the set.
    pub nearest: Option<(PartRef, Vec<Step>)>,
    /// The set that the rule asks for, where nothing of this repository is in it.
    pub empty: Option<String>,
}

/// A condition and what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CondSeen {
    /// The condition, as the language writes it.
    pub text: String,
    /// Its line in the rule's file.
    pub line: u32,
    /// How deep it stands in the tree of conditions.
    pub depth: u32,
    /// What it came to.
    pub truth: Truth,
    /// What was seen: `0 of 12 changed parts`, `3 lines`, evidence.
    pub seen: Vec<Evidence>,
}
