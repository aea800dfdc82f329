//! A second, naive evaluator: a direct reading of the language page, to hold the real one against.
//!
//! It walks the syntax tree and plain ordered sets of part keys. It keeps nothing between two questions, knows edges by
//! their ends and indexes nothing else, shares no code with the evaluation that plans are made by, and gives no evidence:
//! only what a plan says, by name. It is slow and is meant for tests.

mod conditions;
mod fields;
mod join;
mod records;
mod rules;
mod sets;
mod text;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use grace_graph::change::PartChange;
use grace_graph::graph::CodeGraph;

use crate::input::Input;
use crate::plan::{Outcome, Plan, SelectionMode};
use join::Court;
use rules::Rules;
use world::World;

/// Judges a change: `before` and `after` are the graphs of both trees, `changes` the parts that changed between them.
#[must_use]
pub fn evaluate(input: &Input, before: &CodeGraph, after: &CodeGraph, changes: &[PartChange]) -> Answer {
    let world = World::read(input, [before, after], changes);
    let books = [Rules::read(input.rules_before.as_ref()), Rules::read(input.rules_after.as_ref())];
    Court { world: &world, books: [&books[0], &books[1]] }.answer()
}

/// What a plan says, by name, without its reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// 1 to 3.
    pub tier: u8,
    /// What each rule, policy, forbid and layers item came to, joined over both books; built-in rules are not among them.
    pub rules: BTreeMap<String, Outcome>,
    /// `1 of team(governance)`.
    pub approvals: BTreeSet<String>,
    /// Bundles, and whether each is narrowed.
    pub bundles: BTreeMap<String, bool>,
    /// Whether tests that are not reached are left out.
    pub selection: Option<SelectionMode>,
    /// The tests that each bundle runs.
    pub selected: BTreeMap<String, BTreeSet<String>>,
    /// `accuracy_validation of model("mistral:7b")`.
    pub validations: BTreeSet<String>,
    /// Principles that apply.
    pub principles: BTreeSet<String>,
    /// `ticket "HOT-*"`, `rationale`, `story what_component`.
    pub duties: BTreeSet<String>,
    /// Intents.
    pub intents: BTreeSet<String>,
    /// The highest minimum trust, in thousandths.
    pub trust: Option<i64>,
    /// The rules that deny.
    pub denials: BTreeSet<String>,
    /// Something could not be told.
    pub unknown: bool,
    /// What each rule that is judged after the run asks for if it fires, one for each book that says something else.
    pub after_run: BTreeMap<String, Vec<AfterRunAnswer>>,
}

/// What a rule asks for if it fires after the run, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AfterRunAnswer {
    /// The tier that it raises to.
    pub tier: Option<u8>,
    /// Approvals.
    pub approvals: BTreeSet<String>,
    /// Approvals that stand for its denial where that cannot be told.
    pub holds: BTreeSet<String>,
    /// Bundles, and whether each is narrowed.
    pub bundles: BTreeMap<String, bool>,
    /// Validations.
    pub validations: BTreeSet<String>,
    /// Duties.
    pub duties: BTreeSet<String>,
    /// Principles.
    pub principles: BTreeSet<String>,
    /// Intents.
    pub intents: BTreeSet<String>,
    /// The least trust, in thousandths.
    pub trust: Option<i64>,
    /// It denies.
    pub denies: bool,
}

impl AfterRunAnswer {
    fn of(rule: &crate::plan::AfterRun) -> Self {
        Self {
            tier: rule.tier,
            approvals: rule.approvals.iter().map(|approval| approval.name.clone()).collect(),
            holds: rule.holds.iter().map(|approval| approval.name.clone()).collect(),
            bundles: rule.bundles.iter().map(|bundle| (bundle.name.clone(), bundle.narrowed)).collect(),
            validations: rule.validations.iter().map(|validation| validation.name.clone()).collect(),
            duties: rule.duties.iter().map(|duty| duty.name.clone()).collect(),
            principles: rule.principles.iter().map(|element| element.name.clone()).collect(),
            intents: rule.intents.iter().map(|element| element.name.clone()).collect(),
            trust: rule.trust.as_ref().map(|trust| trust.at_least),
            denies: rule.denies,
        }
    }
}

impl Answer {
    /// The same view of a plan.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Self {
        let mut rules: BTreeMap<String, Outcome> = BTreeMap::new();
        for rule in plan.rules.iter().filter(|rule| !rule.name.starts_with("built-in ")) {
            rules.insert(rule.name.clone(), rule.outcome);
        }
        let mut after_run: BTreeMap<String, Vec<AfterRunAnswer>> = BTreeMap::new();
        for rule in &plan.after_run {
            let asks = AfterRunAnswer::of(rule);
            let slot = after_run.entry(rule.name.clone()).or_default();
            if !slot.contains(&asks) {
                slot.push(asks);
            }
        }
        let names = |elements: &[crate::plan::Element]| elements.iter().map(|one| one.name.clone()).collect();
        Self {
            tier: plan.tier,
            rules,
            approvals: plan.approvals.iter().map(|approval| approval.name.clone()).collect(),
            bundles: plan.bundles.iter().map(|bundle| (bundle.name.clone(), bundle.narrowed)).collect(),
            selection: plan.selection,
            selected: plan
                .bundles
                .iter()
                .map(|bundle| (bundle.name.clone(), bundle.selected.iter().cloned().collect()))
                .collect(),
            validations: plan.validations.iter().map(|validation| validation.name.clone()).collect(),
            principles: names(&plan.principles),
            duties: plan.duties.iter().map(|duty| duty.name.clone()).collect(),
            intents: names(&plan.intents),
            trust: plan.trust.as_ref().map(|trust| trust.at_least),
            denials: plan.denials.iter().map(|denial| denial.name.clone()).collect(),
            unknown: !plan.unknowns.is_empty(),
            after_run,
        }
    }
}
