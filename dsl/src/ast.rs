//! The syntax tree of `.grace`: owned, free of spans, comparable.
//!
//! A node that can be pointed at carries a [`NodeId`], an ordinal inside its item, so moving an item or editing a
//! comment leaves it equal; [`crate::SourceMap`] turns `(item, node)` into a byte range when something is shown.
//! Names are as written: nothing here is resolved or checked.

use std::fmt;

mod audit;
mod bundles;
mod conditions;
mod drift;
mod kpi;
mod operational;
mod rules;
mod sets;
mod testing;
mod trust;

pub(crate) use audit::says as audit_line;
pub use audit::{Audit, GUARDRAILS, ModelLimits};
pub use bundles::{BandLevel, BandTest, Bundle};
pub use conditions::{Cond, CondKind, EdgeWord, FailedBundle, KpiTest, PackageMove, Rate, SafeKind};
pub use drift::{Action, Drift};
pub(crate) use drift::{actions, alert, control, samples, watch};
pub use kpi::{Ask, Kpi, NoData, Source, TableForm};
pub(crate) use kpi::{settle, source};
pub use operational::{Operational, OperationalClause, OperationalKind, Word};
pub use rules::{
    Approval, Approver, Deny, Forbid, Layers, Policy, Requirement, RequirementKind, Rule, Selection, TierApproval,
    TierLine, TierReach, Waived, Waiver, WaiverEffect, WaiverOf, When,
};
pub use sets::{Distance, FieldTest, MatchOn, SetExpr, SetKind, Value, ValueTest, Walk};
pub use testing::{Expect, ExpectKind, FactName, Given, GivenKind, Test};
pub(crate) use trust::loss;
pub use trust::{Loss, LossCause, TrustScore};

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
