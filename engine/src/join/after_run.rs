//! Rules that are judged after the run, in the decision.

use grace_dsl::ast::{NodeId, RequirementKind};

use super::{Joiner, Judged, RuleView, push};
use crate::plan::{AfterRun, Approval, Outcome, Pending, Truth};
use crate::show;

impl Joiner<'_> {
    pub(super) fn after_run(&mut self, rule: &Judged, view: &RuleView<'_>, pending: &Pending) {
        let name = rule.at.id.name.to_string();
        let evidence = rule.verdict.trace.evidence();
        let derivation = self.derivation(rule, NodeId(0), view.because, &evidence, false);
        if *pending == Pending::Known(Truth::No) {
            return self.outcome(name, Outcome::DoesNotApply, &[], derivation);
        }
        let mut approvals: Vec<Approval> = view
            .require
            .iter()
            .filter_map(|requirement| match &requirement.kind {
                RequirementKind::Approval(approval) => Some(approval),
                _ => None,
            })
            .map(|approval| Approval {
                name: show::approval(approval),
                count: approval.count,
                by: self.approver(rule.book, &approval.by),
                among: approval.among.iter().map(|(count, by)| (*count, self.approver(rule.book, by))).collect(),
                extra: approval.extra,
                derivation: vec![derivation.clone()],
            })
            .collect();
        for principle in view.upholds {
            push(self.principles.entry(principle.text.clone()).or_default(), derivation.clone());
        }
        if let Some((_, tier)) = view.tier {
            approvals.extend(self.agree_to(tier, &derivation));
        }
        self.after_run.push(AfterRun {
            name: name.clone(),
            when: pending.clone(),
            tier: view.tier.map(|(_, tier)| tier),
            approvals,
            denies: view.denies,
            derivation: derivation.clone(),
        });
        self.outcome(name, Outcome::AfterRun, &[], derivation);
    }
}
