//! What a fired rule asks for beside approvals and denials.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::{self, ItemKind, NodeId, RequirementKind};

use super::approvals::Asking;
use super::lowering::Lowered;
use super::reasons::Reasons;
use super::{Joiner, Judged, RuleView};
use crate::book::{Kind, compiled, line, names};
use crate::db::{Db, RuleBook, World, meant, nodes_of, snapshot};
use crate::plan::{Approver, Derivation, Evidence, Side, Truth};
use crate::sets::{SetName, Sets, named_set};
use crate::show;

const SIDES: [Side; 2] = [Side::Before, Side::After];

/// Approvals are joined by whom they are of: (extra, by, among) to the largest count.
pub(super) type ApprovalKey = (bool, Approver, Vec<(u32, Approver)>);

/// What rules ask for, joined: all of them for the plan, or one that is judged after the run for itself.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) approvals: BTreeMap<ApprovalKey, (u32, Reasons)>,
    pub(super) principles: BTreeMap<String, Reasons>,
    /// Bundles, and whether each is narrowed: a whole one beats a narrowed one.
    pub(super) bundles: BTreeMap<String, (bool, Reasons)>,
    /// By validation and model.
    pub(super) validations: BTreeMap<(String, String), Reasons>,
    pub(super) duties: BTreeMap<String, (Option<String>, Reasons)>,
    pub(super) intents: BTreeMap<String, Reasons>,
    pub(super) trust: Vec<(i64, Derivation)>,
    /// Limits that cannot be told.
    pub(super) unknowns: BTreeMap<String, Reasons>,
}

impl Asked {
    /// Adds what others ask for.
    pub(super) fn join(&mut self, other: Self) {
        for (key, (count, derivations)) in other.approvals {
            derivations.into_iter().for_each(|reason| self.approval(key.clone(), count, reason));
        }
        for (name, (narrowed, derivations)) in other.bundles {
            derivations.into_iter().for_each(|reason| self.bundle(&name, narrowed, reason));
        }
        for (name, (given, derivations)) in other.duties {
            derivations.into_iter().for_each(|reason| self.duty(name.clone(), given.clone(), reason));
        }
        for (key, derivations) in other.validations {
            self.validations.entry(key).or_default().extend(derivations);
        }
        for (more, own) in [
            (other.principles, &mut self.principles),
            (other.intents, &mut self.intents),
            (other.unknowns, &mut self.unknowns),
        ] {
            for (name, derivations) in more {
                own.entry(name).or_default().extend(derivations);
            }
        }
        self.trust.extend(other.trust);
    }

    pub(super) fn approval(&mut self, key: ApprovalKey, count: u32, derivation: Derivation) {
        let entry = self.approvals.entry(key).or_insert((0, Reasons::default()));
        entry.0 = entry.0.max(count);
        entry.1.push(derivation);
    }

    fn bundle(&mut self, name: &str, narrowed: bool, derivation: Derivation) {
        let entry = self.bundles.entry(name.to_owned()).or_insert((true, Reasons::default()));
        entry.0 &= narrowed;
        entry.1.push(derivation);
    }

    fn duty(&mut self, name: String, given: Option<String>, derivation: Derivation) {
        let entry = self.duties.entry(name).or_insert((None, Reasons::default()));
        entry.0 = given;
        entry.1.push(derivation);
    }
}

impl Joiner<'_> {
    /// Everything that a fired rule asks for, but for its tier and its denial.
    pub(super) fn requirements(
        &self,
        rule: &Judged,
        view: &RuleView<'_>,
        lowered: &Lowered,
        at_rule: &Derivation,
    ) -> Asked {
        let db = self.db;
        let mut asked = Asked::default();
        let at = |node: NodeId| Derivation { line: line(db, &rule.at, node), ..at_rule.clone() };
        let declared = World::get(db).declared(db);
        let is_given = |text: &String| !text.trim().is_empty();
        for requirement in view.require {
            let derivation = at(requirement.node);
            match &requirement.kind {
                RequirementKind::Approval(approval) => {
                    let waived = lowered.all_approvals
                        || matches!(&approval.by, ast::Approver::Team(team) if lowered.approvals.contains(&team.text));
                    if !waived {
                        self.approval(&Asking::Rule(rule), approval, &derivation, &mut asked);
                    }
                }
                RequirementKind::Bundle { name, narrowed } => {
                    if !lowered.bundles.contains(&name.text) {
                        asked.bundle(&name.text, *narrowed, derivation);
                    }
                }
                RequirementKind::Validation(validation) => {
                    if !lowered.validations.contains(&validation.text) {
                        for model in self.validated(rule.book, &validation.text) {
                            let key = (validation.text.clone(), model);
                            asked.validations.entry(key).or_default().push(derivation.clone());
                        }
                    }
                }
                RequirementKind::Ticket(_) | RequirementKind::Rationale | RequirementKind::Story(_)
                    if lowered.everything => {}
                RequirementKind::Ticket(glob) => {
                    let given = declared.ticket.clone().filter(|ticket| rule.compiled.glob(&glob.value, false, ticket));
                    asked.duty(format!("ticket \"{}\"", glob.value), given, derivation);
                }
                RequirementKind::Rationale => {
                    asked.duty("rationale".to_owned(), declared.rationale.clone().filter(is_given), derivation);
                }
                RequirementKind::Story(field) => {
                    let given = declared.story.get(&field.text).cloned().filter(is_given);
                    asked.duty(format!("story {}", field.text), given, derivation);
                }
            }
        }
        for principle in view.upholds {
            asked.principles.entry(principle.text.clone()).or_default().push(at(principle.node));
        }
        if lowered.everything {
            return asked;
        }
        for intent in view.intents {
            asked.intents.entry(intent.text.clone()).or_default().push(at(intent.node));
        }
        if let Some(trust) = view.trust {
            asked.trust.push((trust.thousandths, at(trust.node)));
        }
        for limit in view.limits {
            self.limit(rule, view, limit, at(limit.node), &mut asked);
        }
        asked
    }

    /// A limit that is broken or unknown is a hold for the policy's owner.
    fn limit(
        &self,
        rule: &Judged,
        view: &RuleView<'_>,
        limit: &ast::KpiTest,
        mut derivation: Derivation,
        asked: &mut Asked,
    ) {
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
                asked.unknowns.entry(key).or_default().push(derivation.clone());
            }
        }
        derivation.more_evidence = 0;
        asked.approval(self.of_owner(rule.book, view.owner), 1, derivation);
    }

    /// The models that a validation is asked for: those of its `of`, on either side, that the change touches.
    fn validated(&self, book: RuleBook, name: &str) -> BTreeSet<String> {
        let db = self.db;
        let names = names(db, book);
        let mut models = BTreeSet::new();
        let Some(at) = names.first(Kind::Validation, name) else { return models };
        let Some(compiled) = compiled(db, book, at.file, at.id.clone()) else { return models };
        let ItemKind::Validation { of, .. } = &compiled.item.kind else { return models };
        for side in SIDES {
            let sets = Sets { db, book, side: snapshot(db, side), compiled: &compiled };
            models.extend(sets.models(of).into_keys());
        }
        models.retain(|model| SIDES.into_iter().any(|side| touches_model(db, book, side, model)));
        models
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
    let nodes = nodes_of(db, side);
    let bound = named_set(db, book, snapshot(db, side), SetName::Bound(Arc::from(model)));
    meant(db).iter().any(|change| {
        let key = match side {
            Side::Before => change.before.as_ref(),
            Side::After => change.after.as_ref(),
        };
        key.and_then(|key| nodes.find(key)).is_some_and(|part| bound.holds(part) != Truth::No)
    })
}
