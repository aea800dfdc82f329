//! Trust in a change: the `trust_score` of the rules, counted on what the run came to. Pure.
//!
//! What cannot be told yet (a bundle that has not run, a rate without runs) makes the score unknown, never higher. Where
//! several scores are in force, those of both rule books and of every pack, the lowest counts.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::Role;
use grace_dsl::ast::{ItemKind, LossCause, TrustScore};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{BundleOutcome, Trust, rate_of};
use crate::input::{Book, PastFacts};
use crate::plan::{BundlePlan, Outcome, Plan, Truth};

/// How a score came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// In thousandths; absent where it cannot be told.
    pub score: Option<i64>,
    /// What it began with, in thousandths.
    pub start: i64,
    /// A score below the minimum is a hold; otherwise it is a no.
    pub below_holds: bool,
    /// Each loss of the rules, in their order.
    pub losses: Vec<LossRead>,
}

/// One loss, and whether it applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LossRead {
    /// By what, as the language writes it.
    pub cause: String,
    /// What it takes each time, in thousandths.
    pub amount: i64,
    /// How often it applied; absent where that cannot be told.
    pub times: Option<u32>,
}

/// The scores that a rule book holds, and what it forbids: `forbid` and `layers`, by name.
fn items<'b>(books: impl IntoIterator<Item = &'b Book>) -> (Vec<TrustScore>, BTreeSet<String>) {
    let (mut scores, mut contracts) = (Vec::new(), BTreeSet::new());
    // What is only used, and not adopted, does not apply.
    let files = books.into_iter().flat_map(|book| &book.files).filter(|file| file.role != Role::Used);
    for text in files.filter_map(|file| file.text.as_ref().ok()) {
        for item in &grace_dsl::parse_once(text).items {
            match &item.kind {
                ItemKind::Operational(operational) => scores.extend(TrustScore::of(operational)),
                ItemKind::Forbid(_) | ItemKind::Layers(_) => {
                    contracts.insert(item.name.clone());
                }
                _ => {}
            }
        }
    }
    (scores, contracts)
}

/// Counts trust in a change; `None` where the rules hold no score.
#[must_use]
pub fn count<'b>(
    books: impl IntoIterator<Item = &'b Book>,
    plan: &Plan,
    outcomes: &BTreeMap<String, BundleOutcome>,
    past: &PastFacts,
) -> Option<Reading> {
    let (scores, contracts) = items(books);
    let counting = Counting { plan, outcomes, past, contracts };
    let readings = scores.iter().map(|score| counting.read(score));
    // What cannot be told is below all that can.
    readings.min_by_key(|reading| (reading.score, reading.below_holds))
}

impl Reading {
    /// What [`crate::decide::decide`] takes.
    #[must_use]
    pub fn trust(&self) -> Trust {
        Trust { score: self.score, below_holds: self.below_holds }
    }
}

struct Counting<'a> {
    plan: &'a Plan,
    outcomes: &'a BTreeMap<String, BundleOutcome>,
    past: &'a PastFacts,
    contracts: BTreeSet<String>,
}

impl Counting<'_> {
    fn read(&self, score: &TrustScore) -> Reading {
        let losses: Vec<LossRead> = score
            .losses
            .iter()
            .map(|loss| LossRead { cause: spelled(&loss.cause), amount: loss.amount, times: self.times(&loss.cause) })
            .collect();
        let lost = losses
            .iter()
            .try_fold(0_i64, |sum, loss| Some(sum.saturating_add(loss.amount.saturating_mul(i64::from(loss.times?)))));
        let left = lost.map(|lost| score.start.saturating_sub(lost).max(0));
        Reading { score: left, start: score.start, below_holds: score.below_holds, losses }
    }

    /// How often a loss applies.
    fn times(&self, cause: &LossCause) -> Option<u32> {
        let once = |truth: Truth| match truth {
            Truth::No => Some(0),
            Truth::Yes => Some(1),
            Truth::Unknown => None,
        };
        match cause {
            LossCause::AnyRequiredFailed => once(self.any_failed(|_| true)),
            LossCause::AnyCriticalFailed => once(self.any_failed(|bundle| bundle.critical)),
            LossCause::BundleFailed(name) => once(self.any_failed(|bundle| bundle.name == *name)),
            LossCause::Rate { rate, bundle, runs, limit } => {
                let (seen, limit) = rate_of(self.past, rate, bundle, *runs)?.against(*limit);
                Some(u32::from(if *rate == "pass rate" { seen < limit } else { seen > limit }))
            }
            LossCause::PerContractViolation => self.violations(),
        }
    }

    /// Whether one of the required bundles of a kind failed; those that rules asked for after the run are required once
    /// they ran.
    fn any_failed(&self, counts: impl Fn(&BundlePlan) -> bool) -> Truth {
        let after = self.plan.after_run_bundles.iter().filter(|bundle| self.outcomes.contains_key(&bundle.name));
        let required = self.plan.bundles.iter().chain(after).filter(|bundle| counts(bundle));
        let failed = required.map(|bundle| match self.outcomes.get(&bundle.name) {
            Some(BundleOutcome::Failed) => Truth::Yes,
            Some(BundleOutcome::Passed | BundleOutcome::Flaky) => Truth::No,
            None if bundle.runs_nothing() => Truth::No,
            Some(BundleOutcome::Cancelled) | None => Truth::Unknown,
        });
        failed.max().unwrap_or(Truth::No)
    }

    /// New imports against a `forbid` or `layers`, and model validations that failed.
    fn violations(&self) -> Option<u32> {
        let mut count = 0_u32;
        for rule in self.plan.rules.iter().filter(|rule| self.contracts.contains(&rule.name)) {
            match rule.outcome {
                Outcome::DoesNotApply | Outcome::Waived => {}
                Outcome::Unknown | Outcome::AfterRun => return None,
                Outcome::Fires => {
                    let shown = |d: &crate::plan::Derivation| {
                        u32::try_from(d.evidence.len()).unwrap_or(u32::MAX).saturating_add(d.more_evidence)
                    };
                    // Both books may tell of the same imports.
                    count = count.saturating_add(rule.derivation.iter().map(shown).max().unwrap_or(0).max(1));
                }
            }
        }
        for validation in &self.plan.validations {
            match self.outcomes.get(&validation.name) {
                Some(BundleOutcome::Failed) => count = count.saturating_add(1),
                Some(BundleOutcome::Passed | BundleOutcome::Flaky) => {}
                Some(BundleOutcome::Cancelled) | None => return None,
            }
        }
        Some(count)
    }
}

/// A cause as the language writes it.
fn spelled(cause: &LossCause) -> String {
    match cause {
        LossCause::AnyRequiredFailed => "any required bundle failed".to_owned(),
        LossCause::AnyCriticalFailed => "any critical bundle failed".to_owned(),
        LossCause::BundleFailed(name) => format!("bundle({name}) failed"),
        LossCause::PerContractViolation => "contract violation".to_owned(),
        LossCause::Rate { rate, bundle, runs, limit } => {
            let side = if *rate == "pass rate" { "below" } else { "above" };
            format!("{rate} of bundle({bundle}) over last {runs} runs {side} {} %", crate::show::thousandths(*limit))
        }
    }
}
