//! Visits what stands inside items, from the outside in.

use crate::ast::{
    Approval, Approver, Cond, CondKind, GivenKind, ItemKind, Requirement, RequirementKind, Rule, SetExpr, SetKind,
    Test, When,
};
use crate::ast::{ExpectKind, TierApproval};

/// Calls `see` for a set and for all sets inside it, those inside tests of fields left out (there are none).
pub fn sets(set: &SetExpr, see: &mut dyn FnMut(&SetExpr)) {
    see(set);
    match &set.kind {
        SetKind::HeaderOf(inner)
        | SetKind::Public(inner)
        | SetKind::FilesOf(inner)
        | SetKind::ModulesOf(inner)
        | SetKind::MembersOf(inner)
        | SetKind::ModelsUsedBy(inner)
        | SetKind::OwnersOf(inner)
        | SetKind::Walk { set: inner, .. } => sets(inner, see),
        SetKind::Plus(left, right) | SetKind::Within(left, right) | SetKind::Except(left, right) => {
            sets(left, see);
            sets(right, see);
        }
        _ => {}
    }
}

/// Calls `see` for a condition and for all conditions inside it.
pub fn conditions(cond: &Cond, see: &mut dyn FnMut(&Cond)) {
    see(cond);
    match &cond.kind {
        CondKind::And(parts) | CondKind::Or(parts) => parts.iter().for_each(|part| conditions(part, see)),
        CondKind::Not(inner) => conditions(inner, see),
        _ => {}
    }
}

/// Calls `see` for the sets that a single condition names, not for those inside its parts.
pub fn sets_of_condition(cond: &Cond, see: &mut dyn FnMut(&SetExpr)) {
    match &cond.kind {
        CondKind::Touches(set)
        | CondKind::OnlyTouches(set)
        | CondKind::Adds(set)
        | CondKind::Removes(set)
        | CondKind::Renames(set)
        | CondKind::SignaturesChange(set)
        | CondKind::AddedLinesContain { set, .. }
        | CondKind::DocumentationRemoved(set)
        | CondKind::FlagsRemoved(set)
        | CondKind::ContractsChange(set)
        | CondKind::AnyEdit(set)
        | CondKind::LinesChanged(set, ..)
        | CondKind::FilesChanged(set, ..)
        | CondKind::AnyOf(set, _)
        | CondKind::Count(set, ..)
        | CondKind::IsEmpty(set) => see(set),
        CondKind::NewEdges { from, to, .. } => {
            see(from);
            see(to);
        }
        _ => {}
    }
}

/// Calls `see` for the outermost sets of an item.
pub fn sets_of_item(kind: &ItemKind, see: &mut dyn FnMut(&SetExpr)) {
    match kind {
        ItemKind::Define { set, .. }
        | ItemKind::Tag { set, .. }
        | ItemKind::Binding { set, .. }
        | ItemKind::Validation { of: set, .. } => see(set),
        ItemKind::Policy(policy) => {
            see(&policy.covers);
            sets_of_demands(&policy.rule, see);
        }
        ItemKind::Rule(rule) => {
            let (When::Change(cond) | When::Always(cond) | When::AfterRun(cond)) = &rule.when;
            conditions(cond, &mut |cond| sets_of_condition(cond, see));
            sets_of_demands(rule, see);
        }
        ItemKind::Forbid(forbid) => {
            see(&forbid.from);
            see(&forbid.to);
        }
        ItemKind::Layers(layers) => layers.floors.iter().for_each(see),
        ItemKind::Waiver(waiver) => {
            see(&waiver.set);
            if let Some(when) = &waiver.when {
                conditions(when, &mut |cond| sets_of_condition(cond, see));
            }
        }
        ItemKind::Bundle(bundle) => see(&bundle.tests),
        ItemKind::Test(test) => sets_of_test(test, see),
        ItemKind::Tiers(lines) => {
            for line in lines {
                if let TierApproval::Approval(approval) = &line.approve {
                    sets_of_approval(approval, see);
                }
            }
        }
        _ => {}
    }
}

fn sets_of_demands(rule: &Rule, see: &mut dyn FnMut(&SetExpr)) {
    for Requirement { kind, .. } in &rule.require {
        if let RequirementKind::Approval(approval) = kind {
            sets_of_approval(approval, see);
        }
    }
    if let Some(approval) = rule.deny.as_ref().and_then(|deny| deny.if_unknown.as_ref()) {
        sets_of_approval(approval, see);
    }
}

fn sets_of_approval(approval: &Approval, see: &mut dyn FnMut(&SetExpr)) {
    let others = approval.among.iter().map(|(_, by)| by).chain(&approval.otherwise);
    for by in std::iter::once(&approval.by).chain(others) {
        if let Approver::OwnerOfEachFile(set) = by {
            see(set);
        }
    }
}

fn sets_of_test(test: &Test, see: &mut dyn FnMut(&SetExpr)) {
    for given in &test.givens {
        if let GivenKind::EditOf(set) | GivenKind::CommentEditOf(set) | GivenKind::RemovalOf(set) = &given.kind {
            see(set);
        }
    }
    for expect in &test.expects {
        if let ExpectKind::Approval(approval) = &expect.kind {
            sets_of_approval(approval, see);
        }
    }
}
