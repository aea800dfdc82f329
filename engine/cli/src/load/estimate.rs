//! How long a plan's bundles will take, from how long they took before. Nothing is decided by it: it is for people who wait.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use grace_engine::plan::{BundlePlan, Plan, SelectionMode};
use grace_runner::junit;
use grace_store::{Store, Timing};
use grace_system::git::Repository;
use schemars::JsonSchema;
use serde::Serialize;

use super::memory::Memory;

/// Under this name the answer is remembered.
const QUESTION: &str = "timings";
/// Runs of a bundle that are looked at.
const LAST: usize = 5;
/// How long the question may take; a plan does not wait longer for its estimate.
const PATIENCE: Duration = Duration::from_millis(500);

/// About how long a plan's bundles will take together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Estimate {
    /// Wall time, milliseconds.
    pub milliseconds: u64,
    /// Every bundle was run before; else it is what those take that were.
    pub complete: bool,
}

/// The estimate of a plan whose bundles run `at_once` at a time; `None` where none was run before, or where nobody can tell now.
pub(crate) fn of(repository: &Repository, memory: &Memory, plan: &Plan, at_once: usize) -> Option<Estimate> {
    // What is observed runs whole.
    let is_whole = |bundle: &BundlePlan| bundle.narrowed && plan.selection == Some(SelectionMode::Observe);
    let running = plan.bundles.iter().filter(|bundle| is_whole(bundle) || !bundle.runs_nothing());
    let running: Vec<BundlePlan> = running
        .map(|bundle| match is_whole(bundle) {
            true => BundlePlan { selected: Vec::new(), ..bundle.clone() },
            false => bundle.clone(),
        })
        .collect();
    let running: Vec<&BundlePlan> = running.iter().collect();
    let names: Vec<&str> = running.iter().map(|bundle| bundle.name.as_str()).collect();
    let timings = timings(&super::store_path(repository), memory, &names)?;
    estimate(&running, &timings, at_once)
}

/// As the store says; or as it said, while its file rests in the state in which it was asked. Nobody waits for a lock then.
fn timings(home: &Path, memory: &Memory, names: &[&str]) -> Option<BTreeMap<String, Vec<Timing>>> {
    let key = || memory.answer_key(home, &(QUESTION, LAST, names));
    let asked = key();
    if let Some(known) = asked.as_ref().and_then(|key| memory.answer(QUESTION, key)) {
        return Some(known);
    }
    let timings = Store::timings(home, names, LAST, PATIENCE).ok()?;
    if let Some(key) = asked.filter(|asked| key().as_ref() == Some(asked)) {
        memory.keep_answer(QUESTION, &key, &timings);
    }
    Some(timings)
}

fn estimate(bundles: &[&BundlePlan], timings: &BTreeMap<String, Vec<Timing>>, at_once: usize) -> Option<Estimate> {
    let mut workers = vec![0; at_once.max(1)];
    let mut complete = true;
    let mut known = false;
    for bundle in bundles {
        let Some(took) = timings.get(&bundle.name).and_then(|runs| of_bundle(bundle, runs)) else {
            complete = false;
            continue;
        };
        known = true;
        for _ in &bundle.forms {
            // The next bundle goes to whoever is done first.
            if let Some(worker) = workers.iter_mut().min() {
                *worker += took;
            }
        }
    }
    known.then(|| Estimate { milliseconds: workers.into_iter().max().unwrap_or(0), complete })
}

/// What starting and ending it took, and the selected tests; of each the median over the runs. Milliseconds.
fn of_bundle(bundle: &BundlePlan, runs: &[Timing]) -> Option<u64> {
    let mut rests = Vec::new();
    let mut by_test: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for run in runs {
        let mut tests: BTreeMap<&str, u64> = BTreeMap::new();
        for (id, took) in &run.tests {
            *tests.entry(junit::without_parameters(id)).or_default() += took;
        }
        let sum: u64 = tests.values().sum();
        rests.push(run.duration_ms.saturating_sub(sum));
        for (test, took) in tests {
            // Tests that ran side by side took less time together than one by one.
            let share = if sum > run.duration_ms {
                u128::from(took) * u128::from(run.duration_ms) / u128::from(sum)
            } else {
                took.into()
            };
            by_test.entry(test).or_default().push(u64::try_from(share).unwrap_or(u64::MAX));
        }
    }
    if bundle.selected.is_empty() || by_test.is_empty() {
        return median(&runs.iter().map(|run| run.duration_ms).collect::<Vec<_>>());
    }
    let by_test: BTreeMap<&str, u64> =
        by_test.into_iter().filter_map(|(test, took)| Some((test, median(&took)?))).collect();
    let usual = by_test.values().sum::<u64>() / by_test.len() as u64;
    let tests: u64 = bundle.selected.iter().map(|test| by_test.get(test.as_str()).copied().unwrap_or(usual)).sum();
    Some(median(&rests)?.saturating_add(tests))
}

fn median(values: &[u64]) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use grace_engine::plan::{BookSide, BundleForm, Sources};

    use super::*;

    fn bundle(name: &str, selected: &[&str]) -> BundlePlan {
        let selected: Vec<String> = selected.iter().map(|test| (*test).to_owned()).collect();
        let form = BundleForm {
            book: BookSide::Both,
            run: Vec::new(),
            setup: Vec::new(),
            timeout_each_ms: None,
            timeout_all_ms: 1,
            retries: 0,
            pass_rate: 0,
        };
        BundlePlan {
            name: name.to_owned(),
            critical: false,
            forms: vec![form],
            narrowed: true,
            tests: selected.clone().into(),
            selected,
            files: Vec::new().into(),
            widened: Vec::new(),
            sources: Sources::default(),
            unused_record: None,
            whole: Vec::new(),
            derivation: Vec::new(),
        }
    }

    fn run(duration_ms: u64, tests: &[(&str, u64)]) -> Timing {
        Timing { duration_ms, tests: tests.iter().map(|(test, took)| ((*test).to_owned(), *took)).collect() }
    }

    #[test]
    fn a_bundle_takes_its_start_and_its_selected_tests() {
        let runs = [
            run(1_000, &[("t.py::a[1]", 100), ("t.py::a[2]", 100), ("t.py::b", 300)]),
            run(9_000, &[("t.py::a[1]", 8_000), ("t.py::b", 300)]),
            run(1_100, &[("t.py::a[1]", 200), ("t.py::b", 400)]),
        ];
        // 500 ms beside the tests; `a` took 200, 8,000 and 200.
        assert_eq!(of_bundle(&bundle("x", &["t.py::a"]), &runs), Some(700));
        assert_eq!(of_bundle(&bundle("x", &["t.py::a", "t.py::b"]), &runs), Some(1_000));
        // A test that is new takes what the others usually do.
        assert_eq!(of_bundle(&bundle("x", &["t.py::new"]), &runs), Some(750));
        // What names no test takes what it took.
        assert_eq!(of_bundle(&bundle("x", &[]), &runs), Some(1_100));
        // Side by side: two seconds of tests in one second.
        let parallel = [run(1_000, &[("t.py::a", 1_500), ("t.py::b", 500)])];
        assert_eq!(of_bundle(&bundle("x", &["t.py::a"]), &parallel), Some(750));
        assert_eq!(of_bundle(&bundle("x", &["t.py::a"]), &[]), None);
    }

    #[test]
    fn bundles_share_the_workers_and_a_bundle_never_run_is_not_guessed() {
        let timings: BTreeMap<String, Vec<Timing>> =
            [("a", 10), ("b", 4), ("c", 5)].map(|(name, took)| (name.to_owned(), vec![run(took, &[])])).into();
        let bundles = ["a", "b", "c", "d"].map(|name| bundle(name, &[]));
        let some = |milliseconds, complete| Some(Estimate { milliseconds, complete });
        let all: Vec<&BundlePlan> = bundles.iter().collect();
        assert_eq!(estimate(&all[..3], &timings, 1), some(19, true));
        assert_eq!(estimate(&all[..3], &timings, 2), some(10, true));
        assert_eq!(estimate(&all, &timings, 2), some(10, false));
        assert_eq!(estimate(&all[3..], &timings, 2), None);
    }
}
