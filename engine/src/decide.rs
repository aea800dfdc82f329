//! The decision: a plan with outcomes, approvals and trust, and its answer. Pure.
//!
//! An approval counts when somebody of the right group gave it; whether it is authentic is judged before it comes here.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::{BundleRun, PastFacts};
use crate::plan::{
    AfterRun, Approval, Approver, BundlePlan, Derivation, Element, FailedOf, Pending, Plan, Truth, Unknown,
};

/// How a bundle of the plan came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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

impl BundleOutcome {
    /// In words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Flaky => "flaky",
            Self::Failed => "failed",
            Self::Cancelled => "was stopped",
        }
    }
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It may go.
    Go,
    /// Something is missing.
    Hold,
    /// It may not.
    No,
}

impl Answer {
    /// `go`, `hold`, `no`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Hold => "hold",
            Self::No => "no",
        }
    }
}

/// One thing that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// What: `bundle chaos_smoke failed`, `approval 1 of team(governance)`.
    pub what: String,
    /// What it makes of the answer: a hold, or no.
    pub answer: Answer,
    /// The rules behind it.
    pub rules: Vec<String>,
}

/// A plan judged after the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The answer.
    pub answer: Answer,
    /// The tier, raised by rules that were judged after the run.
    pub tier: u8,
    /// Why not (no) or what is missing (hold), in this order.
    pub reasons: Vec<Reason>,
    /// Rules judged after the run, by name, and what they came to.
    pub after_run: Vec<(String, Truth)>,
    /// What is missing where one of them, or a limit of it, cannot be told.
    pub unknowns: Vec<String>,
    /// The same by rule.
    pub missing: BTreeMap<String, Vec<String>>,
    /// Bundles that rules ask for after the run, beyond the plan and beyond what has run.
    pub still_to_run: Vec<String>,
    /// Approvals that are asked for, those of rules that fired after the run among them: one for each group.
    pub asked: Vec<Approval>,
    /// Those of them, by name, that nobody has given yet.
    pub missing_approvals: Vec<String>,
    /// Principles that apply: those of the plan, and of the rules that fired after the run.
    pub principles: Vec<String>,
    /// Intents, likewise.
    pub intents: Vec<String>,
}

/// One person who agrees to a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Every name of that person: as a team lists it, as CODEOWNERS writes it.
    pub names: BTreeSet<String>,
    /// The teams in whose name they agree; `None` = in the name of whatever they belong to.
    pub teams: Option<BTreeSet<String>>,
}

impl Agreement {
    /// A person of one name, for whatever they belong to.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self { names: BTreeSet::from([name.to_owned()]), teams: None }
    }
}

/// A person who says no.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Objection {
    /// Who.
    pub by: String,
    /// Why, in their words.
    pub because: Option<String>,
}

/// Trust in a change, as it was counted after the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trust {
    /// In thousandths; `None` = it cannot be told.
    pub score: Option<i64>,
    /// A score below the minimum is a hold; otherwise it is a no.
    pub below_holds: bool,
}

/// What people said of a change. Who they are was judged before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// Each person once.
    pub people: Vec<Agreement>,
    /// Who says no.
    pub objections: Vec<Objection>,
    /// What else holds it back, whatever plan and run say: a cycle of the audit loop that is due, a past that is lost.
    #[serde(default)]
    pub holds: Vec<String>,
    /// Where approval is asked for at all: how many different people must have agreed, and why more than are asked for.
    pub least: Option<(u32, String)>,
}

/// What a plan asks for once the rules that waited for the run have fired: the join of both.
struct Joined<'a> {
    tier: u8,
    /// Rules that fired, or may have.
    fired: Vec<(&'a AfterRun, Truth)>,
    /// Bundles by name: narrowed, critical, and the rules behind each.
    bundles: BTreeMap<&'a str, Required>,
    least_trust: Option<i64>,
}

#[derive(Clone, PartialEq, Eq)]
struct Required {
    narrowed: bool,
    critical: bool,
    /// Narrowed to tests of which the change reaches none.
    runs_nothing: bool,
    rules: BTreeSet<String>,
}

impl<'a> Joined<'a> {
    /// A plan with the rules that fired so far.
    fn of(plan: &'a Plan, truths: &[Truth]) -> Self {
        let fired: Vec<(&AfterRun, Truth)> =
            plan.after_run.iter().zip(truths.iter().copied()).filter(|(_, truth)| *truth != Truth::No).collect();
        let mut bundles: BTreeMap<&str, Required> = BTreeMap::new();
        let critical: BTreeSet<&str> = plan
            .bundles
            .iter()
            .chain(&plan.after_run_bundles)
            .filter(|bundle| bundle.critical)
            .map(|bundle| bundle.name.as_str())
            .collect();
        let planned = plan.bundles.iter().map(|bundle| (&bundle.name, bundle.narrowed, &bundle.derivation));
        let after = fired.iter().flat_map(|(rule, _)| &rule.bundles);
        let after = after.map(|bundle| (&bundle.name, bundle.narrowed, &bundle.derivation));
        for (name, narrowed, derivation) in planned.chain(after) {
            let entry = bundles.entry(name).or_insert_with(|| Required {
                narrowed: true,
                critical: critical.contains(name.as_str()),
                runs_nothing: false,
                rules: BTreeSet::new(),
            });
            entry.narrowed &= narrowed;
            entry.rules.extend(derivation.iter().map(|reason| reason.rule.clone()));
        }
        for bundle in plan.bundles.iter().chain(&plan.after_run_bundles).filter(|bundle| bundle.runs_nothing()) {
            if let Some(required) = bundles.get_mut(bundle.name.as_str()) {
                required.runs_nothing = required.narrowed;
            }
        }
        let tier = fired.iter().filter_map(|(rule, _)| rule.tier).fold(plan.tier, u8::max);
        let floors = plan.trust.iter().chain(fired.iter().filter_map(|(rule, _)| rule.trust.as_ref()));
        let least_trust = floors.map(|floor| floor.at_least).max();
        Self { tier, fired, bundles, least_trust }
    }
}

/// Judges the rules that waited for the run. What one asks for can make another fire, so it is asked until nothing moves.
fn judge_after_run<'a>(
    plan: &'a Plan,
    outcomes: &BTreeMap<String, BundleOutcome>,
    past: &PastFacts,
    trust: Option<i64>,
) -> (Vec<Truth>, Joined<'a>) {
    let mut truths = vec![Truth::No; plan.after_run.len()];
    loop {
        let joined = Joined::of(plan, &truths);
        let world = Outcomes { joined: &joined, outcomes, past, trust };
        let mut moved = false;
        for (truth, rule) in truths.iter_mut().zip(&plan.after_run).filter(|(truth, _)| **truth != Truth::Yes) {
            let now = world.judge(&rule.when);
            // What fired stays: rules only raise.
            moved |= now > *truth;
            *truth = now.max(*truth);
        }
        if !moved {
            return (truths, joined);
        }
    }
}

/// The rules of some derivations, by name.
fn rules<'d>(derivations: impl IntoIterator<Item = &'d Derivation>) -> Vec<String> {
    let names: BTreeSet<&str> = derivations.into_iter().map(|reason| reason.rule.as_str()).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// Whether a condition asks if trust is below the minimum.
fn asks_of_trust(when: &Pending) -> bool {
    match when {
        Pending::TrustBelowMinimum => true,
        Pending::And(all) | Pending::Or(all) => all.iter().any(asks_of_trust),
        Pending::Not(_) | Pending::Known(_) | Pending::Rate { .. } | Pending::Failed(_) => false,
    }
}

/// Judges a plan: its bundles' outcomes, what people said, the trust score.
#[must_use]
pub fn decide(
    plan: &Plan,
    outcomes: &BTreeMap<String, BundleOutcome>,
    past: &PastFacts,
    agreed: &Agreed,
    trust: Trust,
) -> Decision {
    let Trust { score: trust, below_holds } = trust;
    let (truths, joined) = judge_after_run(plan, outcomes, past, trust);
    let fired = || joined.fired.iter().map(|(rule, _)| *rule);
    let mut reasons: Vec<Reason> = Vec::new();
    let mut told = BTreeSet::new();
    let mut stands = |answer: Answer, what: String, rules: Vec<String>| {
        if told.insert((what.clone(), rules.clone())) {
            reasons.push(Reason { what, answer, rules });
        }
    };
    for denial in &plan.denials {
        stands(Answer::No, format!("denied by {}", denial.name), rules(&denial.derivation));
    }
    let mut approvals: Vec<&Approval> = plan.approvals.iter().collect();
    for (rule, truth) in &joined.fired {
        approvals.extend(&rule.approvals);
        match truth {
            Truth::Yes if rule.denies => {
                stands(Answer::No, format!("denied by {}", rule.name), vec![rule.name.clone()]);
            }
            // A denial that cannot be told waits for people.
            _ => approvals.extend(&rule.holds),
        }
    }
    let planned: BTreeMap<&str, &BundlePlan> =
        plan.bundles.iter().map(|bundle| (bundle.name.as_str(), bundle)).collect();
    let mut still_to_run = Vec::new();
    for (&name, required) in &joined.bundles {
        let from: Vec<String> = required.rules.iter().cloned().collect();
        let planned = planned.get(name);
        let is_whole = planned.is_none_or(|bundle| !bundle.narrowed || bundle.selected.len() == bundle.tests.len());
        match outcomes.get(name) {
            Some(BundleOutcome::Passed | BundleOutcome::Flaky) if required.narrowed || is_whole => {}
            Some(BundleOutcome::Passed | BundleOutcome::Flaky) => {
                stands(Answer::Hold, format!("bundle {name} has run in part, and all of it is required"), from);
                still_to_run.push(name.to_owned());
            }
            Some(BundleOutcome::Failed) => stands(Answer::No, format!("bundle {name} failed"), from),
            Some(BundleOutcome::Cancelled) => stands(Answer::Hold, format!("bundle {name} was stopped"), from),
            None if required.runs_nothing => {}
            None => {
                stands(Answer::Hold, format!("bundle {name} has not run"), from);
                if planned.is_none_or(|bundle| bundle.narrowed && !required.narrowed) {
                    still_to_run.push(name.to_owned());
                }
            }
        }
    }
    for duty in plan.duties.iter().chain(fired().flat_map(|rule| &rule.duties)).filter(|duty| duty.given.is_none()) {
        stands(Answer::Hold, duty.name.clone(), rules(&duty.derivation));
    }
    if let Some(at_least) = joined.least_trust {
        let floors = plan.trust.iter().chain(fired().filter_map(|rule| rule.trust.as_ref()));
        let from = rules(floors.filter(|floor| floor.at_least == at_least).flat_map(|floor| &floor.derivation));
        let least = crate::show::thousandths(at_least);
        // Where a rule asks people about trust that is too low, they are asked in place of an end that nobody could lift.
        let is_escalated = below_holds
            && joined.fired.iter().any(|(rule, truth)| {
                *truth == Truth::Yes && !rule.denies && !rule.approvals.is_empty() && asks_of_trust(&rule.when)
            });
        match trust {
            Some(trust) if trust >= at_least => {}
            Some(_) if is_escalated => {}
            Some(trust) => {
                let answer = if below_holds { Answer::Hold } else { Answer::No };
                stands(answer, format!("trust {} is below {least}", crate::show::thousandths(trust)), from);
            }
            None => stands(Answer::Hold, format!("trust at least {least}: no score was measured"), from),
        }
    }
    for validation in plan.validations.iter().chain(fired().flat_map(|rule| &rule.validations)) {
        let (answer, what) = match outcomes.get(&validation.name) {
            Some(BundleOutcome::Passed | BundleOutcome::Flaky) => continue,
            Some(BundleOutcome::Failed) => (Answer::No, "failed"),
            Some(BundleOutcome::Cancelled) => (Answer::Hold, "came to no verdict"),
            None => (Answer::Hold, "has not run"),
        };
        stands(answer, format!("validation {} {what}", validation.name), rules(&validation.derivation));
    }
    for objection in &agreed.objections {
        let because = objection.because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
        stands(Answer::No, format!("{} says no{because}", objection.by), Vec::new());
    }
    for hold in &agreed.holds {
        stands(Answer::Hold, hold.clone(), Vec::new());
    }
    let asked = joined_approvals(approvals);
    let mut missing_approvals: Vec<String> = Vec::new();
    for approval in self::missing_approvals(&asked.iter().collect::<Vec<_>>(), &agreed.people) {
        stands(Answer::Hold, format!("approval {}", approval.name), rules(&approval.derivation));
        missing_approvals.push(approval.name.clone());
    }
    if let Some((least, why)) = agreed.least.as_ref().filter(|_| !asked.is_empty()) {
        let counts = |person: &&Agreement| asked.iter().any(|approval| belongs(&approval.by, person));
        let people = agreed.people.iter().filter(counts).count();
        if people < *least as usize {
            let what = format!("{people} of {least} different people have approved: {why}");
            stands(Answer::Hold, what, asked.iter().flat_map(|approval| rules(&approval.derivation)).collect());
        }
    }
    let answer = reasons.iter().map(|reason| reason.answer).max().unwrap_or(Answer::Go);
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.answer));
    let mut after_run: BTreeMap<&str, Truth> = BTreeMap::new();
    for (rule, truth) in plan.after_run.iter().zip(truths) {
        let entry = after_run.entry(&rule.name).or_insert(truth);
        *entry = truth.max(*entry);
    }
    let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let world = Outcomes { joined: &joined, outcomes, past, trust };
    for (rule, truth) in &joined.fired {
        let mut facts: BTreeSet<String> = rule.unknowns.iter().cloned().collect();
        if *truth == Truth::Unknown {
            world.missing(&rule.when, &mut facts);
            // What no run tells is named by the plan.
            let of_rule = |unknown: &&Unknown| unknown.derivation.iter().any(|reason| reason.rule == rule.name);
            facts.extend(plan.unknowns.iter().filter(of_rule).map(|unknown| unknown.name.clone()));
        }
        if !facts.is_empty() {
            missing.entry(rule.name.clone()).or_default().extend(facts);
        }
    }
    let unknowns: BTreeSet<String> = missing.values().flatten().cloned().collect();
    let names = |planned: &[Element], of_rule: &dyn Fn(&AfterRun) -> Vec<Element>| -> Vec<String> {
        let mut names: BTreeSet<String> = planned.iter().map(|element| element.name.clone()).collect();
        names.extend(fired().flat_map(of_rule).map(|element| element.name));
        names.into_iter().collect()
    };
    Decision {
        answer,
        tier: joined.tier,
        reasons,
        after_run: after_run.into_iter().map(|(name, truth)| (name.to_owned(), truth)).collect(),
        unknowns: unknowns.into_iter().collect(),
        missing: missing.into_iter().map(|(rule, facts)| (rule, facts.into_iter().collect())).collect(),
        still_to_run,
        asked,
        missing_approvals,
        principles: names(&plan.principles, &|rule| rule.principles.clone()),
        intents: names(&plan.intents, &|rule| rule.intents.clone()),
    }
}

/// One approval for each group, with the larger count.
fn joined_approvals(asked: Vec<&Approval>) -> Vec<Approval> {
    let mut joined: BTreeMap<_, Approval> = BTreeMap::new();
    for approval in asked {
        let key = (approval.extra, &approval.by, &approval.among);
        match joined.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(approval.clone());
            }
            Entry::Occupied(mut entry) => {
                let seen = entry.get_mut();
                if approval.count > seen.count {
                    (seen.count, seen.name) = (approval.count, approval.name.clone());
                }
                seen.derivation.extend(approval.derivation.iter().cloned());
            }
        }
    }
    joined.into_values().collect()
}

/// Approvals that the people who approved do not give. One person counts once in a requirement and may serve several;
/// who serves an extra approval serves no other.
fn missing_approvals<'a>(approvals: &[&'a Approval], agreed: &[Agreement]) -> Vec<&'a Approval> {
    let given_by = |approval: &Approval, people: &[&Agreement]| {
        let of = |group: &Approver| people.iter().filter(|person| belongs(group, person)).count();
        of(&approval.by) >= approval.count as usize
            && approval.among.iter().all(|(count, by)| {
                people.iter().filter(|person| belongs(&approval.by, person) && belongs(by, person)).count()
                    >= *count as usize
            })
    };
    let (extra, plain): (Vec<&Approval>, Vec<&Approval>) = approvals.iter().partition(|approval| approval.extra);
    let everyone: Vec<&Agreement> = agreed.iter().collect();
    let mut missing: Vec<&Approval> = plain.iter().copied().filter(|approval| !given_by(approval, &everyone)).collect();
    // Nobody serves two of the extra approvals, however many a rule, or a plan that somebody wrote, asks for.
    if extra.iter().map(|approval| u64::from(approval.count)).sum::<u64>() > everyone.len() as u64 {
        missing.extend(extra);
        return missing;
    }
    // Each way to set people aside for the extra approvals, until the others still hold; bounded, then it is no.
    let slots: Vec<&Approval> =
        extra.iter().flat_map(|approval| std::iter::repeat_n(*approval, approval.count as usize)).collect();
    let mut steps = 20_000_u32;
    let mut aside = vec![false; everyone.len()];
    let served = set_aside(&slots, &everyone, &mut aside, &mut steps, &|aside| {
        let left: Vec<&Agreement> =
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
    everyone: &[&Agreement],
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

/// Whether a person counts in a group, in the name of which they agree.
#[must_use]
pub fn belongs(group: &Approver, person: &Agreement) -> bool {
    match group {
        Approver::Anyone => true,
        Approver::Team { name, members } => {
            person.teams.as_ref().is_none_or(|teams| teams.contains(name))
                && members.iter().any(|member| person.names.contains(member))
        }
        Approver::OwnerOf { owners, .. } => owners.iter().any(|owner| person.names.contains(owner)),
    }
}

/// A part of a whole that is not zero: compared without rounding, rounded only to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    part: i64,
    whole: i64,
}

impl Share {
    /// What is compared, and with what, for a limit in thousandths of a percent.
    pub(crate) fn against(self, limit: i64) -> (i128, i128) {
        (i128::from(self.part) * 100_000, i128::from(limit) * i128::from(self.whole))
    }

    /// In thousandths of a percent, rounded down.
    pub(crate) fn shown(self) -> i64 {
        let shown = i128::from(self.part) * 100_000 / i128::from(self.whole);
        i64::try_from(shown).unwrap_or(i64::MAX)
    }
}

/// How many of a bundle's last runs passed, or passed only on retry; `None` where it never ran.
pub(crate) fn rate_of(past: &PastFacts, rate: &str, bundle: &str, last: u32) -> Option<Share> {
    if let Some(&part) = past.rates.get(&(rate.to_owned(), bundle.to_owned())) {
        return Some(Share { part, whole: 100_000 });
    }
    let runs = past.runs.get(bundle)?;
    let runs = &runs[runs.len().saturating_sub(last as usize)..];
    let counts = |run: &&BundleRun| match run {
        BundleRun::Passed => rate == "pass rate",
        BundleRun::Flaky => true,
        BundleRun::Failed => false,
    };
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    (!runs.is_empty()).then(|| Share { part: count(runs.iter().filter(counts).count()), whole: count(runs.len()) })
}

struct Outcomes<'a> {
    joined: &'a Joined<'a>,
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
                let holds = |name| match rate_of(self.past, rate, name, *runs) {
                    Some(seen) => {
                        let (seen, limit) = seen.against(*value);
                        truth(match compare.as_str() {
                            "<" => seen < limit,
                            "<=" => seen <= limit,
                            ">" => seen > limit,
                            ">=" => seen >= limit,
                            _ => seen == limit,
                        })
                    }
                    None => Truth::Unknown,
                };
                self.rated(bundle.as_deref()).into_iter().map(holds).max().unwrap_or(Truth::No)
            }
            Pending::Failed(of) => self.asked(of).into_iter().map(|name| self.failed(name)).max().unwrap_or(Truth::No),
            Pending::TrustBelowMinimum => match (self.trust, self.joined.least_trust) {
                (_, None) => Truth::No,
                (Some(trust), Some(at_least)) => truth(trust < at_least),
                (None, Some(_)) => Truth::Unknown,
            },
        }
    }

    /// The bundles whose rate is asked for: the named one, or each that is required.
    fn rated<'a>(&'a self, bundle: Option<&'a str>) -> Vec<&'a str> {
        bundle.map_or_else(|| self.joined.bundles.keys().copied().collect(), |name| vec![name])
    }

    /// The bundles of which it is asked whether one failed.
    fn asked<'a>(&'a self, of: &'a FailedOf) -> Vec<&'a str> {
        let required = self.joined.bundles.iter();
        match of {
            FailedOf::AnyRequired => required.map(|(name, _)| *name).collect(),
            FailedOf::AnyCritical => required.filter(|(_, bundle)| bundle.critical).map(|(name, _)| *name).collect(),
            FailedOf::Bundle(name) => vec![name],
        }
    }

    fn failed(&self, bundle: &str) -> Truth {
        match self.outcomes.get(bundle) {
            Some(BundleOutcome::Failed) => Truth::Yes,
            Some(BundleOutcome::Passed | BundleOutcome::Flaky) => Truth::No,
            Some(BundleOutcome::Cancelled) => Truth::Unknown,
            None => match self.joined.bundles.get(bundle) {
                Some(bundle) if !bundle.runs_nothing => Truth::Unknown,
                // A bundle that was not to run did not fail.
                _ => Truth::No,
            },
        }
    }

    /// What a condition that cannot be told waits for.
    fn missing(&self, pending: &Pending, found: &mut BTreeSet<String>) {
        if self.judge(pending) != Truth::Unknown {
            return;
        }
        match pending {
            // The plan names what no run tells.
            Pending::Known(_) => {}
            Pending::And(parts) | Pending::Or(parts) => parts.iter().for_each(|part| self.missing(part, found)),
            Pending::Not(part) => self.missing(part, found),
            Pending::Rate { rate, bundle, runs, .. } => {
                let bundles = self.rated(bundle.as_deref()).into_iter();
                let without = bundles.filter(|name| rate_of(self.past, rate, name, *runs).is_none());
                found.extend(without.map(|name| format!("{rate} of bundle({name}) over last {runs} runs")));
            }
            Pending::Failed(of) => {
                let bundles = self.asked(of).into_iter();
                let open = bundles.filter(|name| self.failed(name) == Truth::Unknown);
                found.extend(open.map(|name| format!("how bundle {name} ends")));
            }
            Pending::TrustBelowMinimum => {
                found.insert("the trust score".to_owned());
            }
        }
    }
}

fn truth(holds: bool) -> Truth {
    if holds { Truth::Yes } else { Truth::No }
}
