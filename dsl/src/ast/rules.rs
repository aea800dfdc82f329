//! What judges a change: tiers, rules, policies, forbids, layers and waivers, with what they ask for.

use super::{Cond, Date, EdgeWord, KpiTest, Name, NodeId, Quantity, SafeKind, SetExpr, Text};

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
    /// `selection observe` or `selection enforce`; `None` where not said (as `enforce`).
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

/// Test selection mode of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Selection {
    /// Run all, record what would have been left out.
    Observe,
    /// Leave out what the change does not reach.
    Enforce,
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
