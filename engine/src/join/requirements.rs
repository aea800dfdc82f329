//! What a fired rule asks for beside approvals and denials.

use std::collections::BTreeSet;
use std::sync::Arc;

use grace_dsl::ast::{self, ItemKind, NodeId, RequirementKind};

use super::lowering::Lowered;
use super::{Joiner, Judged, RuleView, push};
use crate::book::{Kind, compiled, line, names};
use crate::db::{Db, RuleBook, World, graph_of, meant, snapshot};
use crate::plan::{Derivation, Evidence, Side, Truth};
use crate::sets::{SetName, Sets, named_set};
use crate::show;

impl Joiner<'_> {
    /// Everything that a fired rule says, but for its denial.
    pub(super) fn contribute(&mut self, rule: &Judged, view: &RuleView<'_>, lowered: &Lowered, at_rule: &Derivation) {
        let at = |node: NodeId, joiner: &Self| Derivation { line: line(joiner.db, &rule.at, node), ..at_rule.clone() };
        if let Some((node, tier)) = view.tier
            && !lowered.tier
        {
            let tier = lowered.to_tier.map_or(tier, |most| tier.min(most));
            let derivation = at(node, self);
            self.tiers.push((tier, derivation, at_rule.by_unknown));
        }
        for requirement in view.require {
            let derivation = at(requirement.node, self);
            match &requirement.kind {
                RequirementKind::Approval(approval) => {
                    let waived = lowered.all_approvals
                        || matches!(&approval.by, ast::Approver::Team(team) if lowered.approvals.contains(&team.text));
                    if !waived {
                        self.approval(rule, approval, derivation);
                    }
                }
                RequirementKind::Bundle { name, narrowed } => {
                    if !lowered.bundles.contains(&name.text) {
                        let entry = self.bundles.entry(name.text.clone()).or_insert((true, Vec::new()));
                        entry.0 &= *narrowed;
                        push(&mut entry.1, derivation);
                    }
                }
                RequirementKind::Validation(validation) => {
                    if !lowered.validations.contains(&validation.text) {
                        self.validation(rule.book, &validation.text, &derivation);
                    }
                }
                RequirementKind::Ticket(_) | RequirementKind::Rationale | RequirementKind::Story(_)
                    if lowered.everything => {}
                RequirementKind::Ticket(glob) => {
                    let declared = World::get(self.db).declared(self.db);
                    let given = declared.ticket.clone().filter(|ticket| rule.compiled.glob(&glob.value, false, ticket));
                    self.duty(format!("ticket \"{}\"", glob.value), given, derivation);
                }
                RequirementKind::Rationale => {
                    let given = World::get(self.db).declared(self.db).rationale.clone();
                    self.duty("rationale".to_owned(), given.filter(|text| !text.trim().is_empty()), derivation);
                }
                RequirementKind::Story(field) => {
                    let given = World::get(self.db).declared(self.db).story.get(&field.text).cloned();
                    let given = given.filter(|text| !text.trim().is_empty());
                    self.duty(format!("story {}", field.text), given, derivation);
                }
            }
        }
        for principle in view.upholds {
            let derivation = at(principle.node, self);
            push(self.principles.entry(principle.text.clone()).or_default(), derivation);
        }
        if lowered.everything {
            return;
        }
        for intent in view.intents {
            let derivation = at(intent.node, self);
            push(self.intents.entry(intent.text.clone()).or_default(), derivation);
        }
        if let Some(trust) = view.trust {
            let derivation = at(trust.node, self);
            self.trust.push((trust.thousandths, derivation));
        }
        for limit in view.limits {
            self.limit(rule, view, limit, at(limit.node, self));
        }
    }

    /// A limit that is broken or unknown is a hold for the policy's owner.
    fn limit(&mut self, rule: &Judged, view: &RuleView<'_>, limit: &ast::KpiTest, mut derivation: Derivation) {
        let past = World::get(self.db).past(self.db);
        let key = show::kpi(limit);
        let test = show::comparison(limit.compare, &limit.value);
        match past.kpis.get(&show::kpi_key(limit)).or_else(|| past.kpis.get(&limit.kpi.text)) {
            Some(&value) if crate::sets::compare_exact(limit.compare, value, crate::sets::plain(&limit.value)) => {
                return;
            }
            Some(&value) => {
                derivation.evidence = vec![Evidence::Number { what: key, low: value, high: value, test }];
            }
            None => {
                derivation.by_unknown = true;
                derivation.evidence = vec![Evidence::Missing { fact: key.clone() }];
                push(self.unknowns.entry(key).or_default(), derivation.clone());
            }
        }
        derivation.more_evidence = 0;
        self.hold(rule.book, view.owner, derivation);
    }

    fn duty(&mut self, name: String, given: Option<String>, derivation: Derivation) {
        let entry = self.duties.entry(name).or_insert((None, Vec::new()));
        entry.0 = given;
        push(&mut entry.1, derivation);
    }

    fn validation(&mut self, book: RuleBook, name: &str, derivation: &Derivation) {
        let db = self.db;
        let names = names(db, book);
        let Some(at) = names.first(Kind::Validation, name) else { return };
        let Some(compiled) = compiled(db, book, at.file, at.id.clone()) else { return };
        let ItemKind::Validation { of, .. } = &compiled.item.kind else { return };
        let mut wanted = BTreeSet::new();
        for side in [Side::Before, Side::After] {
            let graph = graph_of(db, side);
            let sets = Sets { db, book, side: snapshot(db, side), graph: &graph, compiled: &compiled };
            for model in sets.models(of).into_keys() {
                if touches_model(db, book, side, &model) {
                    wanted.insert(model);
                }
            }
        }
        for model in wanted {
            push(self.validations.entry((name.to_owned(), model)).or_default(), derivation.clone());
        }
    }
}

/// Whether the change touches a model: a part bound to it, or its fingerprint's file.
fn touches_model(db: &dyn Db, book: RuleBook, side: Side, model: &str) -> bool {
    let past = World::get(db).past(db);
    let by_file = World::get(db).change(db).files.iter().any(|file| {
        [&file.before, &file.after]
            .into_iter()
            .flatten()
            .any(|at| past.model_files.get(&*at.path).is_some_and(|models| models.iter().any(|name| name == model)))
    });
    if by_file {
        return true;
    }
    let graph = graph_of(db, side);
    let bound = named_set(db, book, snapshot(db, side), SetName::Bound(Arc::from(model)));
    meant(db).iter().any(|change| {
        let key = match side {
            Side::Before => change.before.as_ref(),
            Side::After => change.after.as_ref(),
        };
        key.and_then(|key| graph.find(key)).is_some_and(|part| bound.holds(part) != Truth::No)
    })
}
