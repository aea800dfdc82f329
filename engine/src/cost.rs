//! What changing something would ask for, before anybody changes it.
//!
//! The parts are supposed to have changed, and the plan is derived as for a change that was made. What an edit will do beyond that
//! (a line that a rule looks for, a test that goes, a signature) is not known yet, so it is the least that it will ask for.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::ast::{Cond, CondKind, ItemKind, RequirementKind, When};
use grace_graph::change::Kinds;
use grace_graph::code::{PartId, PartKey};
use grace_graph::graph::CodeGraph;

use crate::db::{Db, graph_of};
use crate::join::{RuleView, is_rule_path, judged, tier_floor};
use crate::order;
use crate::plan::{Plan, Side, Truth};
use crate::verdict::Hit;
use crate::{Engine, join, show};

/// Rules named for one file.
const MOST_RULES: usize = 4;

/// What changing one file asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileCost {
    /// 1 to 3.
    pub tier: u8,
    /// Who must agree, as the rules write it.
    pub approvals: BTreeSet<String>,
    /// The rules that say so, the first few by name.
    pub rules: BTreeSet<String>,
}

impl Engine {
    /// The plan of the inputs if these parts had another body, too.
    #[must_use]
    pub fn plan_if(&mut self, parts: &[PartKey]) -> Plan {
        self.suppose(parts);
        let plan = join::plan(self.db());
        self.suppose(&[]);
        plan
    }

    /// For each file of the after side what changing a body in it asks for: one look at all rules, not one for each
    /// file. What hangs on more than where the edit is (numbers, what is declared, dates) is left out.
    #[must_use]
    pub fn costs(&mut self) -> BTreeMap<String, FileCost> {
        let graph = std::sync::Arc::clone(graph_of(self.db(), Side::After));
        let all: Vec<PartKey> = graph.part_ids().map(|part| graph.key(part)).collect();
        self.suppose(&all);
        let costs = costs(self.db(), &graph);
        self.suppose(&[]);
        costs
    }

    fn suppose(&mut self, parts: &[PartKey]) {
        self.set_supposed(parts.iter().map(|key| (key.clone(), Kinds::BODY)).collect());
        order::prepare(self.db());
    }
}

fn costs(db: &dyn Db, graph: &CodeGraph) -> BTreeMap<String, FileCost> {
    let (floor, people) = tier_floor(db);
    let agree = |tier: u8| people.get(&tier).cloned().unwrap_or_default();
    let of_floor = FileCost { tier: floor, approvals: agree(floor), rules: BTreeSet::new() };
    let mut costs: BTreeMap<String, FileCost> = graph
        .files()
        .iter()
        .map(|file| {
            let mut cost = of_floor.clone();
            if is_rule_path(&file.path) {
                cost.tier = 3;
                cost.approvals.extend(agree(3));
            }
            (file.path.to_string(), cost)
        })
        .collect();
    for rule in judged(db) {
        let Some(view) = RuleView::of(&rule.compiled.item) else { continue };
        let place = match &rule.compiled.item.kind {
            ItemKind::Rule(rule) => matches!(&rule.when, When::Change(cond) if hangs_on_place(cond)),
            ItemKind::Policy(_) => true,
            _ => false,
        };
        if !place || rule.verdict.truth != Truth::Yes {
            continue;
        }
        let asked = view.require.iter().filter_map(|requirement| match &requirement.kind {
            RequirementKind::Approval(approval) => Some(show::approval(approval)),
            _ => None,
        });
        let asked: Vec<String> = asked.collect();
        let paths: BTreeSet<&str> = rule
            .verdict
            .trace
            .evidence()
            .into_iter()
            .filter_map(|hit| match hit {
                Hit::Changed { after: Some(key), certain: true, .. } => Some(&*key.path),
                _ => None,
            })
            .collect();
        for path in paths {
            let Some(cost) = costs.get_mut(path) else { continue };
            let tier = view.tier.map_or(0, |(_, tier)| tier);
            if tier <= floor && asked.is_empty() {
                continue;
            }
            if tier > cost.tier {
                cost.tier = tier;
                cost.approvals.extend(agree(tier));
            }
            cost.approvals.extend(asked.iter().cloned());
            if cost.rules.len() < MOST_RULES {
                cost.rules.insert(rule.at.id.name.to_string());
            }
        }
    }
    costs
}

/// Whether a condition asks for nothing but where the edit is, so that it holds for one file as it does for all of them.
fn hangs_on_place(cond: &Cond) -> bool {
    match &cond.kind {
        CondKind::Touches(_) | CondKind::AnyEdit(_) => true,
        CondKind::Or(parts) => parts.iter().all(hangs_on_place),
        _ => false,
    }
}

/// The parts that a name stands for: a file or a directory by its path, else a symbol by its dotted name or the end of one, with
/// what is in it.
#[must_use]
pub fn parts_named(graph: &CodeGraph, name: &str) -> Vec<PartKey> {
    if let Some(file) = graph.file_by_path(name) {
        return graph.parts_of(file).map(|part| graph.key(part)).collect();
    }
    let below: Vec<PartKey> = graph
        .files_below(name.trim_end_matches('/'))
        .flat_map(|file| graph.parts_of(file))
        .map(|part| graph.key(part))
        .collect();
    if !below.is_empty() {
        return below;
    }
    let named = |part: &PartId| {
        let known = graph.qualified_name(*part);
        known == name || known.strip_suffix(name).is_some_and(|before| before.ends_with('.'))
    };
    let mut found: Vec<PartId> = if name.is_empty() { Vec::new() } else { graph.part_ids().filter(named).collect() };
    // Code that rules are tested on has the names of what it stands for.
    let is_fixture = |part: &PartId| is_rule_path(&graph.file(graph.part(*part).file).path);
    if !found.iter().all(is_fixture) {
        found.retain(|part| !is_fixture(part));
    }
    let inside: BTreeSet<PartId> = found.into_iter().flat_map(|part| graph.subtree(part)).collect();
    inside.into_iter().map(|part| graph.key(part)).collect()
}
