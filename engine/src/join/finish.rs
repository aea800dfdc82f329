//! From everything that was contributed to the plan.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::ast::{self, Item, ItemKind, NodeId, RequirementKind, When};

use super::approvals::approvals;
use super::reasons::Reasons;
use super::{Joiner, Judged, RuleView, books};
use crate::book::{Kind, item, line, names};
use crate::dates;
use crate::db::{Db, World};
use crate::impact::{bundle_plan, impact};
use crate::plan::{
    AfterRun, BundlePlan, Denial, Derivation, Duty, Element, NotRun, Pending, Plan, Rejected, RuleOutcome, SCHEMA,
    Subject, TrustFloor, Truth, Unknown, VERSION, ValidationPlan,
};
use crate::show;
use crate::subject::{self, summary, valid_until};
use crate::verdict::Verdict;

impl Joiner<'_> {
    pub(super) fn finish(mut self, judged: &[Judged]) -> Plan {
        let db = self.db;
        let tier = self.tiers.iter().map(|(tier, ..)| *tier).max().unwrap_or(3);
        let certain_tier =
            self.tiers.iter().filter(|(.., unknown)| !unknown).map(|(tier, ..)| *tier).max().unwrap_or(1);
        let (tier_name, approve) = self.tier_approval(tier);
        let selection = self.selection(tier);
        // The certain reasons come first.
        let of_tier = |by_unknown| {
            let reached =
                self.tiers.iter().filter(move |(reached, _, unknown)| *reached == tier && *unknown == by_unknown);
            reached.map(|(_, derivation, _)| derivation.clone())
        };
        let tier_derivation = Reasons::from_iter(of_tier(false).chain(of_tier(true)));
        let raised: BTreeSet<&str> = self
            .tiers
            .iter()
            .filter(|(reached, _, unknown)| *reached == tier && *unknown)
            .map(|(_, reason, _)| &*reason.rule)
            .collect();
        let unknowns = std::mem::take(&mut self.unknowns)
            .into_iter()
            .map(|(name, derivation)| Unknown {
                decides_tier: tier > certain_tier && derivation.iter().any(|reason| raised.contains(&*reason.rule)),
                name,
                derivation: derivation.into_list(),
            })
            .collect();
        let after_run = self.waiting(tier);
        let asked = std::mem::take(&mut self.asked);
        let bundles = self.bundle_plans(asked.bundles);
        let after_run_bundles = self.after_run_bundles(&after_run, &bundles);
        let not_run = not_run(db, judged, &bundles);
        let validations = self.validation_plans(&asked.validations);
        let trust = trust_floor(asked.trust);
        let as_of = World::get(db).as_of(db);
        let mut plan = Plan {
            schema: SCHEMA.to_owned(),
            version: VERSION,
            id: String::new(),
            subject: Subject::default(),
            tier,
            tier_name,
            approve,
            selection,
            tier_derivation: tier_derivation.into_list(),
            approvals: approvals(asked.approvals),
            principles: elements(asked.principles),
            bundles,
            not_run,
            validations,
            duties: duties(asked.duties),
            intents: elements(asked.intents),
            trust,
            denials: self
                .denials
                .into_iter()
                .map(|(name, (remedy, derivation))| Denial { name, remedy, derivation: derivation.into_list() })
                .collect(),
            unknowns,
            rules: self
                .rules
                .into_iter()
                .map(|(name, (outcome, waivers, derivation))| RuleOutcome {
                    name,
                    outcome,
                    waivers: waivers.into_iter().collect(),
                    derivation: derivation.into_list(),
                })
                .collect(),
            after_run,
            after_run_bundles,
            change: summary(db),
            valid_until: valid_until(db),
            as_of: dates::iso(as_of),
        };
        plan.subject = subject::subject(db);
        plan.id = subject::name(&plan);
        plan
    }

    fn bundle_plans(&self, asked: BTreeMap<String, (bool, Reasons)>) -> Vec<BundlePlan> {
        let impact = impact(self.db);
        asked
            .into_iter()
            .filter_map(|(name, (narrowed, derivation))| {
                bundle_plan(self.db, &name, narrowed, derivation.into_list(), &impact)
            })
            .collect()
    }

    /// What may have to run after the run: what a rule that waits asks for beyond the plan, each bundle once.
    fn after_run_bundles(&self, rules: &[AfterRun], planned: &[BundlePlan]) -> Vec<BundlePlan> {
        let mut wanted: BTreeMap<String, (bool, Reasons)> = BTreeMap::new();
        for bundle in rules.iter().flat_map(|rule| &rule.bundles) {
            let runs = planned.iter().any(|plan| plan.name == bundle.name && (!plan.narrowed || bundle.narrowed));
            if !runs {
                let entry = wanted.entry(bundle.name.clone()).or_insert((true, Reasons::default()));
                entry.0 &= bundle.narrowed;
                entry.1.extend(bundle.derivation.iter().cloned());
            }
        }
        self.bundle_plans(wanted)
    }

    /// Validations to run; one that differs between the books runs in both forms.
    pub(super) fn validation_plans(&self, asked: &BTreeMap<(String, String), Reasons>) -> Vec<ValidationPlan> {
        let mut plans: Vec<ValidationPlan> = Vec::new();
        for ((validation, model), derivation) in asked {
            let first = plans.len();
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
                    derivation: derivation.clone().into_list(),
                };
                if !plans[first..].contains(&form) {
                    plans.push(form);
                }
            }
        }
        plans
    }
}

/// Named things with their reasons.
pub(super) fn elements(asked: BTreeMap<String, Reasons>) -> Vec<Element> {
    asked.into_iter().map(|(name, derivation)| Element { name, derivation: derivation.into_list() }).collect()
}

pub(super) fn duties(asked: BTreeMap<String, (Option<String>, Reasons)>) -> Vec<Duty> {
    asked
        .into_iter()
        .map(|(name, (given, derivation))| Duty { name, given, derivation: derivation.into_list() })
        .collect()
}

/// The highest minimum, with those who ask for it.
pub(super) fn trust_floor(asked: Vec<(i64, Derivation)>) -> Option<TrustFloor> {
    let at_least = asked.iter().map(|(least, _)| *least).max()?;
    let highest = asked.into_iter().filter(|(least, _)| *least == at_least);
    let derivation = Reasons::from_iter(highest.map(|(_, reason)| reason));
    Some(TrustFloor { at_least, derivation: derivation.into_list() })
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
    let mut asking: BTreeMap<String, Vec<Rejected>> = known.into_iter().map(|name| (name, Vec::new())).collect();
    let mut told = BTreeSet::new();
    for rule in judged {
        let Some(view) = RuleView::of(&rule.compiled.item) else { continue };
        for requirement in view.require {
            if let RequirementKind::Bundle { name, .. } = &requirement.kind
                && let Some(rules) = asking.get_mut(&name.text)
                && told.insert((name.text.as_str(), &rule.at.id.name))
            {
                rules.push(Rejected {
                    rule: rule.at.id.name.to_string(),
                    file: rule.at.file.path(db).to_string(),
                    line: line(db, &rule.at, NodeId(0)),
                    unmet: unmet(&rule.compiled.item, &rule.verdict),
                });
            }
        }
    }
    asking.into_iter().map(|(name, rules)| NotRun { name, rules }).collect()
}

/// The conditions of a rule that were not met, as the language writes them; what waits for the run says so.
fn unmet(item: &Item, verdict: &Verdict) -> Vec<String> {
    let waits = verdict.pending.as_ref().is_some_and(|pending| *pending != Pending::Known(Truth::No));
    let mut found = Vec::new();
    let mut stack = vec![(&verdict.trace, false)];
    while let Some((trace, negated)) = stack.pop() {
        if !trace.children.is_empty() {
            stack.extend(trace.children.iter().rev().map(|child| (child, negated != trace.negates)));
            continue;
        }
        let text = || {
            let text = cond_text(item, trace.node);
            if negated { format!("not ({text})") } else { text }
        };
        match trace.truth {
            Truth::Unknown if waits => found.push(format!("{}: told after the run", text())),
            Truth::No if !negated => found.push(text()),
            Truth::Yes if negated => found.push(text()),
            Truth::No | Truth::Unknown | Truth::Yes => {}
        }
    }
    found
}

/// A condition of a rule by its node.
pub(crate) fn cond_at(item: &Item, node: NodeId) -> Option<&ast::Cond> {
    fn find(cond: &ast::Cond, node: NodeId) -> Option<&ast::Cond> {
        if cond.node == node {
            return Some(cond);
        }
        match &cond.kind {
            ast::CondKind::And(conds) | ast::CondKind::Or(conds) => conds.iter().find_map(|cond| find(cond, node)),
            ast::CondKind::Not(cond) => find(cond, node),
            _ => None,
        }
    }
    let ItemKind::Rule(rule) = &item.kind else { return None };
    let (When::Change(cond) | When::Always(cond) | When::AfterRun(cond)) = &rule.when;
    find(cond, node)
}

/// The text of a condition of an item by its node.
pub(crate) fn cond_text(item: &Item, node: NodeId) -> String {
    let text = match &item.kind {
        ItemKind::Rule(_) => cond_at(item, node).map(show::cond),
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
