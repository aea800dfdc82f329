//! Tiers that observe: what is narrowed runs whole all the same, and what leaving tests out would have missed is told.
//!
//! A bundle that did not come to its end (it crashed, or took too long) tells of no test that would have been found: it counts
//! as one that failed and would have been missed, so that no recall is measured better than it is known to be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use grace_engine::Engine;
use grace_engine::plan::{BundlePlan, Plan, SelectionMode};
use grace_govern::journal::{About, SelectionSaid};
use grace_runner::{BundleOutcome, BundleStatus, Reason, TestStatus, junit};
use schemars::JsonSchema;
use serde::Serialize;

/// Missed tests that are named.
const MOST_NAMED: usize = 100;

/// What leaving out the tests of a bundle that the change does not reach would have come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ObservedBundle {
    /// The bundle.
    pub bundle: String,
    /// Tests that were executed, parameters counted together.
    pub tests: u32,
    /// Of them, those that the change reaches.
    pub selected: u32,
    /// Tests that did not pass.
    pub failed: u32,
    /// Of them, those that would have been left out; the first hundred.
    pub missed: Vec<String>,
    /// How many those are.
    pub missed_count: u32,
    /// It did not come to its end, so that what else would have failed is not known: one more is counted, as missed.
    pub unknown: bool,
}

/// The narrowed bundles of a plan whose tier observes.
#[derive(Clone, Default)]
pub(super) struct Observed {
    /// By name: the bundle as it is narrowed, and whole.
    bundles: Arc<BTreeMap<String, (BundlePlan, BundlePlan)>>,
    seen: Arc<Mutex<Vec<ObservedBundle>>>,
}

impl Observed {
    pub(super) fn of(plan: &Plan, engine: &Engine) -> Self {
        if plan.selection != Some(SelectionMode::Observe) {
            return Self::default();
        }
        let mut whole: BTreeMap<String, BundlePlan> =
            engine.every_bundle().into_iter().map(|bundle| (bundle.name.clone(), bundle)).collect();
        let narrowed = plan.bundles.iter().chain(&plan.after_run_bundles).filter(|bundle| bundle.narrowed);
        let both = narrowed.filter_map(|bundle| {
            let derivation = bundle.derivation.clone();
            let whole = BundlePlan { derivation, ..whole.remove(&bundle.name)? };
            Some((bundle.name.clone(), (bundle.clone(), whole)))
        });
        Self { bundles: Arc::new(both.collect()), ..Self::default() }
    }

    /// The bundles as they are run.
    pub(super) fn whole(&self, bundles: &[BundlePlan]) -> Vec<BundlePlan> {
        let whole = |bundle: &BundlePlan| match self.bundles.get(&bundle.name).filter(|_| bundle.narrowed) {
            Some((_, whole)) => whole.clone(),
            None => bundle.clone(),
        };
        bundles.iter().map(whole).collect()
    }

    /// What a bundle that ran says of leaving tests out; `None` where it was not to be narrowed, or was stopped by a person.
    pub(super) fn see(&self, run: &str, about: &About, bundle: &str, outcome: &BundleOutcome) -> Option<SelectionSaid> {
        let (narrowed, _) = self.bundles.get(bundle)?;
        if matches!(outcome.status, BundleStatus::Cancelled | BundleStatus::NothingSelected) {
            return None;
        }
        let seen = compare(narrowed, outcome)?;
        let said = SelectionSaid {
            run: run.to_owned(),
            about: about.clone(),
            bundle: bundle.to_owned(),
            tests: seen.tests,
            selected: seen.selected,
            failed: seen.failed,
            missed: seen.missed.clone(),
            missed_count: seen.missed_count,
        };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
        Some(said)
    }

    /// What was seen so far, by name.
    pub(super) fn seen(&self) -> Vec<ObservedBundle> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        seen.sort_by(|left, right| left.bundle.cmp(&right.bundle));
        seen
    }
}

/// Whether a bundle ended in a way that leaves open which of its tests would have failed.
fn is_cut_short(outcome: &BundleOutcome) -> bool {
    // Tests that cannot be collected are named one by one.
    let names_them = outcome.reasons.iter().any(|reason| matches!(reason, Reason::Missing { .. }));
    !outcome.status.is_pass()
        && outcome.reasons.iter().any(|reason| match reason {
            Reason::PassRate { .. } | Reason::Missing { .. } => false,
            Reason::ExitCode { .. } => !names_them,
            _ => true,
        })
}

/// A bundle as it was narrowed, and as it ran whole; `None` where nothing was executed, and nothing else is known.
fn compare(narrowed: &BundlePlan, outcome: &BundleOutcome) -> Option<ObservedBundle> {
    let selected: BTreeSet<&str> = narrowed.selected.iter().map(String::as_str).collect();
    let whole: BTreeSet<&str> = narrowed.whole.iter().map(String::as_str).collect();
    let all_run = narrowed.selected.len() == narrowed.tests.iter().filter(|test| test.contains("::")).count()
        && !narrowed.selected.is_empty()
        // A command that takes no tests runs all it has, narrowed or not.
        || narrowed.forms.iter().any(|form| !form.run.iter().any(|argument| argument == "{tests}"));
    // Of a test with parameters, one that did not pass is enough.
    let mut tests: BTreeMap<&str, bool> = BTreeMap::new();
    let counts = |status: TestStatus| status.is_executed() || status == TestStatus::Missing;
    for test in outcome.tests.iter().filter(|test| counts(test.status)) {
        *tests.entry(junit::without_parameters(&test.id)).or_default() |= !test.status.is_pass();
    }
    let would_run = |id: &str| {
        let file = id.split_once("::").map_or(id, |(file, _)| file);
        all_run || selected.contains(id) || whole.contains(file)
    };
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let failed: Vec<&str> = tests.iter().filter(|(_, failed)| **failed).map(|(id, _)| *id).collect();
    let missed: Vec<&str> = failed.iter().copied().filter(|id| !would_run(id)).collect();
    let unknown = is_cut_short(outcome);
    let more = u32::from(unknown);
    (unknown || !tests.is_empty()).then(|| ObservedBundle {
        bundle: narrowed.name.clone(),
        tests: number(tests.len()),
        selected: number(tests.keys().filter(|id| would_run(id)).count()),
        failed: number(failed.len()).saturating_add(more),
        missed: missed.iter().take(MOST_NAMED).map(|id| (*id).to_owned()).collect(),
        missed_count: number(missed.len()).saturating_add(if all_run { 0 } else { more }),
        unknown,
    })
}

#[cfg(test)]
mod tests {
    use grace_engine::plan::{BookSide, BundleForm, Sources};
    use grace_runner::TestOutcome;

    use super::*;

    fn narrowed(selected: &[&str]) -> BundlePlan {
        let owned = |list: &[&str]| list.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
        BundlePlan {
            name: "unit".to_owned(),
            critical: false,
            forms: vec![BundleForm {
                book: BookSide::Both,
                run: owned(&["pytest", "{tests}"]),
                setup: Vec::new(),
                timeout_each_ms: None,
                timeout_all_ms: 1,
                retries: 0,
                pass_rate: 100_000,
            }],
            narrowed: true,
            tests: Arc::new(owned(&["t.py::a", "t.py::b", "u.py::c"])),
            selected: owned(selected),
            files: Arc::default(),
            whole: Vec::new(),
            widened: Vec::new(),
            sources: Sources::default(),
            unused_record: None,
            derivation: Vec::new(),
        }
    }

    fn outcome(status: BundleStatus, reasons: Vec<Reason>, tests: &[(&str, TestStatus)]) -> BundleOutcome {
        let test = |(id, status): &(&str, TestStatus)| TestOutcome {
            id: (*id).to_owned(),
            status: *status,
            duration_ms: 1,
            attempt: 1,
            message: String::new(),
        };
        BundleOutcome {
            bundle: "unit".to_owned(),
            critical: false,
            status,
            reasons,
            attempts: 1,
            duration_ms: 1,
            passed: 0,
            executed: 0,
            pass_rate: None,
            exit_code: None,
            command_digest: String::new(),
            finished: String::new(),
            tests: tests.iter().map(test).collect(),
            output: String::new(),
        }
    }

    /// Tests that failed, those that would have been missed, and whether more may have.
    fn seen(selected: &[&str], outcome: &BundleOutcome) -> Option<(u32, u32, bool)> {
        compare(&narrowed(selected), outcome).map(|seen| (seen.failed, seen.missed_count, seen.unknown))
    }

    #[test]
    fn a_bundle_that_did_not_come_to_its_end_is_no_perfect_recall() {
        use TestStatus::{Failed, Missing, Passed};
        let (one, all) = (["t.py::a"], ["t.py::a", "t.py::b", "u.py::c"]);
        let late = outcome(BundleStatus::TimedOut, vec![Reason::TimedOut { limit_ms: 1 }], &[]);
        assert_eq!(seen(&one, &late), Some((1, 1, true)));
        // Who runs all leaves out nothing.
        assert_eq!(seen(&all, &late), Some((1, 0, true)));
        let dead = outcome(BundleStatus::Failed, vec![Reason::Signal { signal: 11 }], &[("t.py::a", Failed)]);
        assert_eq!(seen(&one, &dead), Some((2, 1, true)));
        let failed = outcome(BundleStatus::Failed, Vec::new(), &[("t.py::a", Failed), ("t.py::b", Passed)]);
        assert_eq!(seen(&one, &failed), Some((1, 0, false)));
        // A file that cannot be collected: its tests did not run, and each is known.
        let reasons = vec![Reason::ExitCode { code: 2 }, Reason::Missing { tests: vec!["u.py::c".to_owned()] }];
        let broken = outcome(BundleStatus::Failed, reasons, &[("t.py::a", Passed), ("u.py::c", Missing)]);
        assert_eq!(seen(&one, &broken), Some((1, 1, false)));
        assert_eq!(seen(&["u.py::c"], &broken), Some((1, 0, false)));
        let passed = outcome(BundleStatus::Passed, Vec::new(), &[("t.py::a", Passed)]);
        assert_eq!(seen(&one, &passed), Some((0, 0, false)));
        assert_eq!(seen(&one, &outcome(BundleStatus::Passed, Vec::new(), &[])), None);
    }
}
