//! The decision: a plan with outcomes, approvals and trust, and its answer. Pure.
//!
//! An approval counts when somebody of the right group gave it; whether it is authentic is judged before it comes here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::input::PastFacts;
use crate::plan::{Approval, Approver, Pending, Plan, Truth};

/// How a bundle of the plan came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BundleOutcome {
    /// Everything passed at the first try.
    Passed,
    /// Everything passed, some of it at a later try.
    Flaky,
    /// Something failed, or nothing ran.
    Failed,
    /// It was stopped before its end.
    Cancelled,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It may go.
    Go,
    /// Something is missing.
    Hold,
    /// It may not.
    No,
}

/// One thing that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What: `bundle chaos_smoke failed`, `approval 1 of team(governance)`.
    pub what: String,
    /// The rules behind it.
    pub rules: Vec<String>,
}

/// A plan judged after the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The answer.
    pub answer: Answer,
    /// The tier, raised by rules that were judged after the run.
    pub tier: u8,
    /// What is missing (hold) or why not (no).
    pub reasons: Vec<Reason>,
    /// Rules judged after the run: name and what they came to.
    pub after_run: Vec<(String, Truth)>,
}

/// Judges a plan: its bundles' outcomes, the people who approved (by principal), the trust score in thousandths.
#[must_use]
pub fn decide(
    plan: &Plan,
    outcomes: &BTreeMap<String, BundleOutcome>,
    past: &PastFacts,
    approved_by: &BTreeSet<String>,
    trust: Option<i64>,
) -> Decision {
    let mut tier = plan.tier;
    let mut no = Vec::new();
    let mut hold = Vec::new();
    let rules = |derivation: &[crate::plan::Derivation]| -> Vec<String> {
        let names: BTreeSet<String> = derivation.iter().map(|reason| reason.rule.clone()).collect();
        names.into_iter().collect()
    };
    for denial in &plan.denials {
        no.push(Reason { what: format!("denied by {}", denial.name), rules: rules(&denial.derivation) });
    }
    let world = Outcomes { plan, outcomes, past, trust };
    let mut after_run = Vec::new();
    let mut approvals: Vec<&Approval> = plan.approvals.iter().collect();
    for rule in &plan.after_run {
        let truth = world.judge(&rule.when);
        after_run.push((rule.name.clone(), truth));
        if truth == Truth::No {
            continue;
        }
        tier = tier.max(rule.tier.unwrap_or(0));
        approvals.extend(&rule.approvals);
        if rule.denies {
            let reason = Reason { what: format!("denied by {}", rule.name), rules: vec![rule.name.clone()] };
            if truth == Truth::Yes { no.push(reason) } else { hold.push(reason) }
        }
    }
    for bundle in &plan.bundles {
        let what = match outcomes.get(&bundle.name) {
            Some(BundleOutcome::Passed | BundleOutcome::Flaky) => continue,
            None if bundle.runs_nothing() => continue,
            Some(BundleOutcome::Failed) => format!("bundle {} failed", bundle.name),
            Some(BundleOutcome::Cancelled) => format!("bundle {} was stopped", bundle.name),
            None => format!("bundle {} has not run", bundle.name),
        };
        let reason = Reason { what, rules: rules(&bundle.derivation) };
        if outcomes.get(&bundle.name) == Some(&BundleOutcome::Failed) { no.push(reason) } else { hold.push(reason) }
    }
    for duty in plan.duties.iter().filter(|duty| duty.given.is_none()) {
        hold.push(Reason { what: duty.name.clone(), rules: rules(&duty.derivation) });
    }
    if let Some(floor) = &plan.trust {
        match trust {
            Some(trust) if trust >= floor.at_least => {}
            seen => {
                let least = crate::show::thousandths(floor.at_least);
                let what = match seen {
                    Some(trust) => format!("trust {} is below {least}", crate::show::thousandths(trust)),
                    None => format!("trust at least {least}: no score was measured"),
                };
                let reason = Reason { what, rules: rules(&floor.derivation) };
                if seen.is_some() { no.push(reason) } else { hold.push(reason) }
            }
        }
    }
    for validation in &plan.validations {
        let what = match outcomes.get(&validation.name) {
            Some(BundleOutcome::Passed | BundleOutcome::Flaky) => continue,
            Some(BundleOutcome::Failed) => format!("validation {} failed", validation.name),
            Some(BundleOutcome::Cancelled) => format!("validation {} was stopped", validation.name),
            None => format!("validation {} has not run", validation.name),
        };
        let reason = Reason { what, rules: rules(&validation.derivation) };
        if outcomes.get(&validation.name) == Some(&BundleOutcome::Failed) { no.push(reason) } else { hold.push(reason) }
    }
    for approval in missing_approvals(&approvals, approved_by) {
        let reason = Reason { what: format!("approval {}", approval.name), rules: rules(&approval.derivation) };
        if !hold.contains(&reason) {
            hold.push(reason);
        }
    }
    let answer = if !no.is_empty() {
        Answer::No
    } else if hold.is_empty() {
        Answer::Go
    } else {
        Answer::Hold
    };
    no.extend(hold);
    Decision { answer, tier, reasons: no, after_run }
}

/// Approvals that the people who approved do not give. One person counts once in a requirement and may serve several;
/// who serves an extra approval serves no other.
fn missing_approvals<'a>(approvals: &[&'a Approval], approved_by: &BTreeSet<String>) -> Vec<&'a Approval> {
    let given_by = |approval: &Approval, people: &[&String]| {
        let of = |group: &Approver| people.iter().filter(|person| belongs(group, person)).count();
        of(&approval.by) >= approval.count as usize
            && approval.among.iter().all(|(count, by)| {
                people.iter().filter(|person| belongs(&approval.by, person) && belongs(by, person)).count()
                    >= *count as usize
            })
    };
    let (extra, plain): (Vec<&Approval>, Vec<&Approval>) = approvals.iter().partition(|approval| approval.extra);
    let everyone: Vec<&String> = approved_by.iter().collect();
    let mut missing: Vec<&Approval> = plain.iter().copied().filter(|approval| !given_by(approval, &everyone)).collect();
    // Each way to set people aside for the extra approvals, until the others still hold; bounded, then it is no.
    let slots: Vec<&Approval> =
        extra.iter().flat_map(|approval| std::iter::repeat_n(*approval, approval.count as usize)).collect();
    let mut steps = 20_000_u32;
    let mut aside = vec![false; everyone.len()];
    let served = set_aside(&slots, &everyone, &mut aside, &mut steps, &|aside| {
        let left: Vec<&String> =
            everyone.iter().zip(aside).filter(|(_, aside)| !**aside).map(|(person, _)| *person).collect();
        plain.iter().all(|approval| given_by(approval, &left) || !given_by(approval, &everyone))
    });
    if !served {
        missing.extend(extra);
    }
    missing
}

fn set_aside(
    slots: &[&Approval],
    everyone: &[&String],
    aside: &mut Vec<bool>,
    steps: &mut u32,
    holds: &dyn Fn(&[bool]) -> bool,
) -> bool {
    let Some((slot, rest)) = slots.split_first() else { return holds(aside) };
    for (index, person) in everyone.iter().enumerate() {
        if aside[index] || !belongs(&slot.by, person) {
            continue;
        }
        let Some(left) = steps.checked_sub(1) else { return false };
        *steps = left;
        aside[index] = true;
        if set_aside(rest, everyone, aside, steps, holds) {
            return true;
        }
        aside[index] = false;
    }
    false
}

fn belongs(group: &Approver, person: &str) -> bool {
    match group {
        Approver::Anyone => true,
        Approver::Team { members, .. } => members.iter().any(|member| member == person),
        Approver::OwnerOf { owners, .. } => owners.iter().any(|owner| owner == person),
    }
}

/// A rate of a bundle over its last runs, in thousandths of a percent; `None` where nothing ran.
pub(crate) fn rate_of(past: &PastFacts, rate: &str, bundle: &str, last: u32) -> Option<i64> {
    if let Some(&value) = past.rates.get(&(rate.to_owned(), bundle.to_owned())) {
        return Some(value);
    }
    let runs = past.runs.get(bundle)?;
    let first = runs.len().saturating_sub(last as usize);
    let (mut part, mut total) = (0_i64, 0_i64);
    for run in &runs[first..] {
        total += i64::from(run.passed) + i64::from(run.failed);
        part += i64::from(if rate == "flaky rate" { run.flaky } else { run.passed });
    }
    (total > 0).then(|| part * 100_000 / total)
}

struct Outcomes<'a> {
    plan: &'a Plan,
    outcomes: &'a BTreeMap<String, BundleOutcome>,
    past: &'a PastFacts,
    trust: Option<i64>,
}

impl Outcomes<'_> {
    fn judge(&self, pending: &Pending) -> Truth {
        match pending {
            Pending::Known(truth) => *truth,
            Pending::And(parts) => parts.iter().map(|part| self.judge(part)).min().unwrap_or(Truth::Yes),
            Pending::Or(parts) => parts.iter().map(|part| self.judge(part)).max().unwrap_or(Truth::No),
            Pending::Not(part) => crate::conds::not(self.judge(part)),
            Pending::Rate { rate, bundle, runs, compare, value } => {
                let one = |name: &str| match rate_of(self.past, rate, name, *runs) {
                    Some(seen) => truth(match compare.as_str() {
                        "<" => seen < *value,
                        "<=" => seen <= *value,
                        ">" => seen > *value,
                        ">=" => seen >= *value,
                        _ => seen == *value,
                    }),
                    None => Truth::Unknown,
                };
                match bundle {
                    Some(name) => one(name),
                    None => self.plan.bundles.iter().map(|bundle| one(&bundle.name)).max().unwrap_or(Truth::No),
                }
            }
            Pending::Failed(which) => {
                let runs_nothing =
                    |name: &str| self.plan.bundles.iter().any(|bundle| bundle.name == name && bundle.runs_nothing());
                let failed = |name: &str| match self.outcomes.get(name) {
                    Some(BundleOutcome::Failed) => Truth::Yes,
                    Some(BundleOutcome::Passed | BundleOutcome::Flaky) => Truth::No,
                    None if runs_nothing(name) => Truth::No,
                    Some(BundleOutcome::Cancelled) | None => Truth::Unknown,
                };
                match which.as_str() {
                    "required" | "critical" => self
                        .plan
                        .bundles
                        .iter()
                        .filter(|bundle| which == "required" || bundle.critical)
                        .map(|bundle| failed(&bundle.name))
                        .max()
                        .unwrap_or(Truth::No),
                    name if self.plan.bundles.iter().any(|bundle| bundle.name == name) => failed(name),
                    // A bundle that was not to run did not fail.
                    name => {
                        if self.outcomes.contains_key(name) {
                            failed(name)
                        } else {
                            Truth::No
                        }
                    }
                }
            }
            Pending::TrustBelowMinimum => match (self.trust, &self.plan.trust) {
                (_, None) => Truth::No,
                (Some(trust), Some(floor)) => truth(trust < floor.at_least),
                (None, Some(_)) => Truth::Unknown,
            },
        }
    }
}

fn truth(holds: bool) -> Truth {
    if holds { Truth::Yes } else { Truth::No }
}
