//! From everything that was contributed to the plan.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::ast::{self, Item, ItemKind, NodeId, RequirementKind, When};

use super::{Joiner, Judged, RuleView, approval_name, books, push};
use crate::book::{Kind, item, line, names};
use crate::dates;
use crate::db::{Db, World};
use crate::impact::{bundle_plan, impact};
use crate::plan::{
    Approval, BundlePlan, Denial, Derivation, Duty, Element, NotRun, Plan, Rejected, RuleOutcome, SCHEMA, TrustFloor,
    Truth, Unknown, VERSION, ValidationPlan,
};
use crate::show;
use crate::subject::{subject, summary, valid_until};
use crate::verdict::Trace;

impl Joiner<'_> {
    pub(super) fn finish(mut self, judged: &[Judged]) -> Plan {
        let db = self.db;
        let tier = self.tiers.iter().map(|(tier, ..)| *tier).max().unwrap_or(3);
        let certain_tier =
            self.tiers.iter().filter(|(.., unknown)| !unknown).map(|(tier, ..)| *tier).max().unwrap_or(1);
        let (tier_name, approve) = self.tier_approval(tier);
        let mut tier_derivation = Vec::new();
        // The certain reasons come first.
        for by_unknown in [false, true] {
            for (reached, derivation, unknown) in &self.tiers {
                if *reached == tier && *unknown == by_unknown {
                    push(&mut tier_derivation, derivation.clone());
                }
            }
        }
        let approvals = std::mem::take(&mut self.approvals)
            .into_iter()
            .map(|((extra, by, among), (count, derivation))| Approval {
                name: approval_name(count, &by, &among, extra),
                count,
                by,
                among,
                extra,
                derivation,
            })
            .collect::<Vec<_>>();
        let unknowns = std::mem::take(&mut self.unknowns)
            .into_iter()
            .map(|(name, derivation)| Unknown {
                decides_tier: tier > certain_tier
                    && self.tiers.iter().any(|(reached, reason, unknown)| {
                        *reached == tier && *unknown && derivation.iter().any(|other| other.rule == reason.rule)
                    }),
                name,
                derivation,
            })
            .collect();
        let bundles = self.bundle_plans();
        let not_run = not_run(db, judged, &bundles);
        let validations = self.validation_plans();
        let trust = self.trust.iter().map(|(least, _)| *least).max().map(|at_least| {
            let mut derivation = Vec::new();
            for (least, reason) in &self.trust {
                if *least == at_least {
                    push(&mut derivation, reason.clone());
                }
            }
            TrustFloor { at_least, derivation }
        });
        let elements = |map: BTreeMap<String, Vec<Derivation>>| {
            map.into_iter().map(|(name, derivation)| Element { name, derivation }).collect()
        };
        let as_of = World::get(db).as_of(db);
        let mut after_run = self.after_run;
        after_run.sort_by(|a, b| a.name.cmp(&b.name).then(a.derivation.book.cmp(&b.derivation.book)));
        let mut plan = Plan {
            schema: SCHEMA.to_owned(),
            version: VERSION,
            id: String::new(),
            tier,
            tier_name,
            approve,
            tier_derivation,
            approvals,
            principles: elements(self.principles),
            bundles,
            not_run,
            validations,
            duties: self
                .duties
                .into_iter()
                .map(|(name, (given, derivation))| Duty { name, given, derivation })
                .collect(),
            intents: elements(self.intents),
            trust,
            denials: self
                .denials
                .into_iter()
                .map(|(name, (remedy, derivation))| Denial { name, remedy, derivation })
                .collect(),
            unknowns,
            rules: self
                .rules
                .into_iter()
                .map(|(name, (outcome, waivers, derivation))| RuleOutcome {
                    name,
                    outcome,
                    waivers: waivers.into_iter().collect(),
                    derivation,
                })
                .collect(),
            after_run,
            change: summary(db),
            valid_until: valid_until(db),
            as_of: dates::iso(as_of),
        };
        plan.id = subject(db, &plan);
        plan
    }

    fn bundle_plans(&self) -> Vec<BundlePlan> {
        let impact = impact(self.db);
        self.bundles
            .iter()
            .filter_map(|(name, (narrowed, derivation))| {
                bundle_plan(self.db, name, *narrowed, derivation.clone(), &impact)
            })
            .collect()
    }

    /// Validations to run; one that differs between the books runs in both forms.
    fn validation_plans(&self) -> Vec<ValidationPlan> {
        let mut plans: Vec<ValidationPlan> = Vec::new();
        for ((validation, model), derivation) in &self.validations {
            for (_, book) in books(self.db) {
                let names = names(self.db, book);
                let Some(at) = names.first(Kind::Validation, validation) else { continue };
                let Some(item) = item(self.db, at.file, at.id.clone()) else { continue };
                let ItemKind::Validation { probe, samples, .. } = &item.kind else { continue };
                let form = ValidationPlan {
                    name: format!("{validation} of model(\"{model}\")"),
                    validation: validation.clone(),
                    model: model.clone(),
                    probe: probe.text.clone(),
                    samples: samples.as_ref().and_then(|samples| u32::try_from(samples.thousandths / 1000).ok()),
                    derivation: derivation.clone(),
                };
                if !plans.contains(&form) {
                    plans.push(form);
                }
            }
        }
        plans
    }
}

/// Bundles that the books know and that the plan does not run, with what their rules lack.
fn not_run(db: &dyn Db, judged: &[Judged], bundles: &[BundlePlan]) -> Vec<NotRun> {
    let mut known = BTreeSet::new();
    for (_, book) in books(db) {
        known.extend(names(db, book).of_kind(Kind::Bundle).map(|(name, _)| name.to_string()));
    }
    for bundle in bundles {
        known.remove(&bundle.name);
    }
    known
        .into_iter()
        .map(|name| {
            let mut rules: Vec<Rejected> = Vec::new();
            for rule in judged {
                let Some(view) = RuleView::of(&rule.compiled.item) else { continue };
                let requires = view.require.iter().any(|requirement| {
                    matches!(&requirement.kind, RequirementKind::Bundle { name: required, .. } if required.text == name)
                });
                if !requires || rules.iter().any(|seen| *seen.rule == *rule.at.id.name) {
                    continue;
                }
                rules.push(Rejected {
                    rule: rule.at.id.name.to_string(),
                    file: rule.at.file.path(db).to_string(),
                    line: line(db, &rule.at, NodeId(0)),
                    unmet: unmet(&rule.compiled.item, &rule.verdict.trace),
                });
            }
            NotRun { name, rules }
        })
        .collect()
}

/// The conditions of a rule that were not met, as the language writes them.
pub(super) fn unmet(item: &Item, trace: &Trace) -> Vec<String> {
    let mut found = Vec::new();
    let mut stack = vec![trace];
    while let Some(trace) = stack.pop() {
        if trace.children.is_empty() {
            if trace.truth == Truth::No {
                found.push(cond_text(item, trace.node));
            }
        } else {
            stack.extend(trace.children.iter().rev());
        }
    }
    found
}

/// The text of a condition of an item by its node.
pub(crate) fn cond_text(item: &Item, node: NodeId) -> String {
    fn find(cond: &ast::Cond, node: NodeId) -> Option<String> {
        if cond.node == node {
            return Some(show::cond(cond));
        }
        match &cond.kind {
            ast::CondKind::And(conds) | ast::CondKind::Or(conds) => conds.iter().find_map(|cond| find(cond, node)),
            ast::CondKind::Not(cond) => find(cond, node),
            _ => None,
        }
    }
    let text = match &item.kind {
        ItemKind::Rule(rule) => {
            let (When::Change(cond) | When::Always(cond) | When::AfterRun(cond)) = &rule.when;
            find(cond, node)
        }
        ItemKind::Policy(policy) => Some(format!("change touches {}", show::set(&policy.covers))),
        ItemKind::Forbid(forbid) => {
            Some(format!("new imports from {} to {}", show::set(&forbid.from), show::set(&forbid.to)))
        }
        ItemKind::Layers(layers) => {
            let floors: Vec<String> = layers.floors.iter().map(show::set).collect();
            Some(format!("new imports against {}", floors.join(" over ")))
        }
        _ => None,
    };
    text.unwrap_or_else(|| item.name.clone())
}
