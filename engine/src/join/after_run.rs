//! Rules that are judged after the run, in the decision: everything that they ask for is carried there.

use grace_dsl::ast::NodeId;

use super::approvals::approvals;
use super::finish::{duties, elements, trust_floor};
use super::lowering::Lowered;
use super::reasons::Reasons;
use super::requirements::Asked;
use super::{Joiner, Judged, RuleView};
use crate::plan::{AfterRun, BundleAsked, Derivation, Outcome, Pending, Truth};
use crate::verdict::Hit;

/// A rule that waits for the run, with what it asks for if it fires.
pub(super) struct Waiting {
    name: String,
    when: Pending,
    tier: Option<u8>,
    asked: Asked,
    /// Approvals that stand for its denial where that cannot be told.
    held: Asked,
    denies: bool,
    remedy: Option<String>,
    derivation: Derivation,
}

impl Joiner<'_> {
    pub(super) fn after_run(&mut self, rule: &Judged, view: &RuleView<'_>, pending: &Pending) {
        let name = rule.at.id.name.to_string();
        let evidence = rule.verdict.trace.evidence();
        let derivation = self.derivation(rule, NodeId(0), view.because, &evidence, false);
        if *pending == Pending::Known(Truth::No) {
            return self.outcome(name, Outcome::DoesNotApply, &[], derivation);
        }
        let missing: Vec<&Hit> = rule.verdict.missing.iter().collect();
        if !rule.verdict.problems.is_empty() || !missing.is_empty() {
            // What stands for nothing, or is unknown though no run tells it, is known before the run.
            let by_unknown = Derivation { by_unknown: true, ..derivation.clone() };
            self.name_unknowns(&rule.verdict, &missing, &by_unknown);
        }
        let asked = self.requirements(rule, view, &Lowered::default(), &derivation);
        // What it upholds applies before anybody can tell whether it is kept.
        for (principle, derivations) in &asked.principles {
            let seen = self.asked.principles.entry(principle.clone()).or_default();
            derivations.iter().for_each(|reason| seen.push(reason.clone()));
        }
        let mut held = Asked::default();
        if view.denies {
            self.held(rule, view, &derivation, &mut held);
        }
        self.waiting.push(Waiting {
            name: name.clone(),
            when: pending.clone(),
            tier: view.tier.map(|(_, tier)| tier),
            asked,
            held,
            denies: view.denies,
            remedy: view.remedy.map(|remedy| remedy.value.clone()),
            derivation: derivation.clone(),
        });
        self.outcome(name, Outcome::AfterRun, &[], derivation);
    }

    /// The rules that wait, for a plan of this tier: where one raises it, the people of the higher tier agree as well.
    pub(super) fn waiting(&mut self, planned: u8) -> Vec<AfterRun> {
        let mut rules: Vec<AfterRun> = std::mem::take(&mut self.waiting)
            .into_iter()
            .map(|mut rule| {
                if let Some(tier) = rule.tier.filter(|tier| *tier > planned) {
                    let mut agreed = self.agree_to(tier).asked;
                    for (_, reasons) in agreed.approvals.values_mut() {
                        *reasons = Reasons::from_iter([rule.derivation.clone()]);
                    }
                    rule.asked.join(agreed);
                }
                AfterRun {
                    approvals: approvals(std::mem::take(&mut rule.asked.approvals)),
                    holds: approvals(rule.held.approvals),
                    bundles: std::mem::take(&mut rule.asked.bundles)
                        .into_iter()
                        .map(|(name, (narrowed, derivation))| BundleAsked {
                            name,
                            narrowed,
                            derivation: derivation.into_list(),
                        })
                        .collect(),
                    validations: self.validation_plans(&rule.asked.validations),
                    duties: duties(rule.asked.duties),
                    principles: elements(rule.asked.principles),
                    intents: elements(rule.asked.intents),
                    trust: trust_floor(rule.asked.trust),
                    unknowns: rule.asked.unknowns.into_keys().collect(),
                    name: rule.name,
                    when: rule.when,
                    tier: rule.tier,
                    denies: rule.denies,
                    remedy: rule.remedy,
                    derivation: rule.derivation,
                }
            })
            .collect();
        rules.sort_by(|a, b| a.name.cmp(&b.name).then(a.derivation.book.cmp(&b.derivation.book)));
        rules
    }
}
