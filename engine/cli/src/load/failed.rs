//! Tests that did not pass when they ran last: they run again with each change, whatever it reaches, until they pass. `run` writes them
//! into its record, which what decides reads; and beside the ledger, where plans read them. A file that is damaged is none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use grace_govern::journal;
use grace_ledger::Snapshot;
use grace_runner::junit::without_parameters;
use grace_runner::{BundleOutcome, BundleStatus, TestStatus};
use grace_system::files;
use grace_system::git::Repository;

use super::Cache;

/// Bundle → id without parameters → the run.
pub type Failed = BTreeMap<String, BTreeMap<String, String>>;

/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;
/// Tests of one bundle that are remembered, at most.
const MOST: usize = 10_000;

/// How a job of a bundle ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// The bundle.
    pub bundle: &'a str,
    /// Its outcome.
    pub outcome: &'a BundleOutcome,
    /// The files of it that ran whole; `None` where all of it did.
    pub whole: Option<&'a BTreeSet<String>>,
}

fn path(repository: &Repository) -> PathBuf {
    super::store_path(repository).join("failed.json")
}

/// Those of a repository. What believes no cache asks the ledger.
///
/// # Errors
/// When the ledger is not what was signed.
pub(super) fn read(repository: &Repository, cache: Cache) -> Result<Failed, grace_ledger::Error> {
    match cache {
        Cache::Unused => {
            journal::recorded(repository)?.map_or_else(|| Ok(Failed::new()), |ledger| journal::failed(&ledger))
        }
        Cache::Used | Cache::Checked => {
            let bytes = files::read(&path(repository), MAX_BYTES).unwrap_or_default();
            Ok(serde_json::from_slice(&bytes).unwrap_or_default())
        }
    }
}

/// Those after a run: what was known before it, and how its tests ended.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn after(ledger: &Snapshot, run: &str, ended: &[Ended<'_>]) -> Result<Failed, grace_ledger::Error> {
    let mut failed = journal::failed(ledger)?;
    take_in(&mut failed, run, ended);
    Ok(failed)
}

/// Puts them where plans look.
///
/// # Errors
/// When it cannot be written: the next plans do not know of what failed.
pub fn keep(repository: &Repository, failed: &Failed) -> Result<(), files::FileError> {
    files::create_dirs(&super::store_path(repository))?;
    files::write_atomic(&path(repository), &serde_json::to_vec(failed).unwrap_or_default())
}

fn take_in(failed: &mut Failed, run: &str, ended: &[Ended<'_>]) {
    // In two forms a test passed where it did in both: what a form takes away, another may add again.
    let mut added: Vec<(&str, String)> = Vec::new();
    for Ended { bundle, outcome, whole } in ended {
        let seen: BTreeSet<&str> = outcome.tests.iter().map(|test| without_parameters(&test.id)).collect();
        // A skip says nothing of it.
        let passed = outcome.tests.iter().filter(|test| test.status.is_pass());
        let passed: BTreeSet<&str> = passed.map(|test| without_parameters(&test.id)).collect();
        if let Some(known) = failed.get_mut(*bundle) {
            let has_ended = matches!(outcome.status, BundleStatus::Passed | BundleStatus::Failed | BundleStatus::Flaky);
            let ran_file =
                |id: &str| whole.is_none_or(|files| id.split_once("::").is_some_and(|(file, _)| files.contains(file)));
            // What its file does not have any more cannot fail any more.
            known.retain(|id, _| {
                let is_gone = has_ended && ran_file(id) && !seen.contains(id.as_str());
                !(passed.contains(id.as_str()) || is_gone)
            });
        }
        let has_failed = |status: TestStatus| !status.is_pass() && status != TestStatus::Skipped;
        let failing = outcome.tests.iter().filter(|test| has_failed(test.status));
        added.extend(failing.map(|test| (*bundle, without_parameters(&test.id).to_owned())));
    }
    for (bundle, id) in added {
        let known = failed.entry(bundle.to_owned()).or_default();
        if known.len() < MOST {
            known.insert(id, run.to_owned());
        }
    }
    failed.retain(|_, known| !known.is_empty());
}

#[cfg(test)]
mod tests {
    use grace_runner::TestOutcome;

    use super::*;

    fn outcome(status: BundleStatus, tests: &[(&str, TestStatus)]) -> BundleOutcome {
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
            reasons: Vec::new(),
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

    #[test]
    fn a_test_that_failed_is_known_until_it_passes_or_is_no_more() {
        let mut failed = Failed::new();
        let mut after = |status, tests: &[(&str, TestStatus)], whole: Option<&[&str]>| {
            let outcome = outcome(status, tests);
            let whole: Option<BTreeSet<String>> =
                whole.map(|files| files.iter().map(|file| (*file).to_owned()).collect());
            take_in(&mut failed, "r", &[Ended { bundle: "unit", outcome: &outcome, whole: whole.as_ref() }]);
            failed.values().flat_map(|known| known.keys().cloned()).collect::<Vec<_>>()
        };
        let one = [
            ("a.py::t[1]", TestStatus::Failed),
            ("a.py::t[2]", TestStatus::Passed),
            ("a.py::u", TestStatus::Passed),
            ("b.py::v", TestStatus::Missing),
        ];
        assert_eq!(after(BundleStatus::Failed, &one, Some(&[])), ["a.py::t", "b.py::v"]);
        // What did not run stays, also where the bundle broke.
        assert_eq!(after(BundleStatus::Passed, &[("a.py::u", TestStatus::Passed)], Some(&[])), ["a.py::t", "b.py::v"]);
        assert_eq!(after(BundleStatus::Error, &[], None), ["a.py::t", "b.py::v"]);
        assert_eq!(after(BundleStatus::Passed, &[("a.py::t[1]", TestStatus::Skipped)], None), ["a.py::t"]);
        assert_eq!(after(BundleStatus::Failed, &[("b.py::v", TestStatus::Failed)], Some(&[])), ["a.py::t", "b.py::v"]);
        assert_eq!(after(BundleStatus::Passed, &[("a.py::t[1]", TestStatus::Passed)], Some(&[])), ["b.py::v"]);
        // The file ran whole, and it was not in it.
        assert_eq!(after(BundleStatus::Passed, &[("b.py::w", TestStatus::Passed)], Some(&["b.py"])), [""; 0]);
        assert_eq!(after(BundleStatus::Failed, &[("a.py::t", TestStatus::Failed)], Some(&[])), ["a.py::t"]);
        assert_eq!(after(BundleStatus::Passed, &[("a.py::u", TestStatus::Passed)], None), [""; 0]);
    }
}
