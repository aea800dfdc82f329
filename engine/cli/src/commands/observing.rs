//! Tiers that observe: what is narrowed runs whole all the same, and what leaving tests out would have missed is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use grace_engine::Engine;
use grace_engine::plan::{BundlePlan, Plan, SelectionMode};
use grace_runner::{BundleOutcome, BundleStatus, junit};
use grace_store::SelectionRecord;
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

    /// What a bundle that ran says of leaving tests out; `None` where it was not to be narrowed, or did not come to its end.
    pub(super) fn see(&self, run: &str, bundle: &str, outcome: &BundleOutcome) -> Option<SelectionRecord> {
        let (narrowed, _) = self.bundles.get(bundle)?;
        if !matches!(outcome.status, BundleStatus::Passed | BundleStatus::Flaky | BundleStatus::Failed) {
            return None;
        }
        let seen = compare(narrowed, outcome)?;
        let record = SelectionRecord {
            run: run.to_owned(),
            bundle: bundle.to_owned(),
            tests: seen.tests,
            selected: seen.selected,
            failed: seen.failed,
            missed: seen.missed.clone(),
            missed_count: seen.missed_count,
            finished: outcome.finished.clone(),
        };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
        Some(record)
    }

    /// What was seen so far, by name.
    pub(super) fn seen(&self) -> Vec<ObservedBundle> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        seen.sort_by(|left, right| left.bundle.cmp(&right.bundle));
        seen
    }
}

/// A bundle as it was narrowed, and as it ran whole; `None` where nothing was executed.
fn compare(narrowed: &BundlePlan, outcome: &BundleOutcome) -> Option<ObservedBundle> {
    let selected: BTreeSet<&str> = narrowed.selected.iter().map(String::as_str).collect();
    let whole: BTreeSet<&str> = narrowed.whole.iter().map(String::as_str).collect();
    let all_run = narrowed.selected.len() == narrowed.tests.iter().filter(|test| test.contains("::")).count()
        && !narrowed.selected.is_empty()
        // A command that takes no tests runs all it has, narrowed or not.
        || narrowed.forms.iter().any(|form| !form.run.iter().any(|argument| argument == "{tests}"));
    // Of a test with parameters, one that did not pass is enough.
    let mut tests: BTreeMap<&str, bool> = BTreeMap::new();
    for test in outcome.tests.iter().filter(|test| test.status.is_executed()) {
        *tests.entry(junit::without_parameters(&test.id)).or_default() |= !test.status.is_pass();
    }
    let would_run = |id: &str| {
        let file = id.split_once("::").map_or(id, |(file, _)| file);
        all_run || selected.contains(id) || whole.contains(file)
    };
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let failed: Vec<&str> = tests.iter().filter(|(_, failed)| **failed).map(|(id, _)| *id).collect();
    let missed: Vec<&str> = failed.iter().copied().filter(|id| !would_run(id)).collect();
    (!tests.is_empty()).then(|| ObservedBundle {
        bundle: narrowed.name.clone(),
        tests: number(tests.len()),
        selected: number(tests.keys().filter(|id| would_run(id)).count()),
        failed: number(failed.len()),
        missed: missed.iter().take(MOST_NAMED).map(|id| (*id).to_owned()).collect(),
        missed_count: number(missed.len()),
    })
}
