//! What a run keeps of its outcomes: in the ledger, of which the database is a projection.

use grace_govern::failpoint;
use grace_govern::journal::{About, BundleSaid, Event as Said, Journal, TestSaid};
use grace_govern::project;
use grace_runner::BundleOutcome;
use grace_store::Store;
use grace_system::git::Repository;
use grace_system::process::Cancel;
use serde::Serialize;

use crate::failure::Failure;
use crate::load::store_path;
use crate::screen::page::printable;

/// Writes records as they come. What cannot be written ends the run.
pub(super) struct Keeper {
    pub(super) journal: Journal,
    pub(super) cancel: Cancel,
    /// The first failure, told at the end: the children are ended first.
    pub(super) failure: Option<Failure>,
}

impl Keeper {
    /// Whether these are on disk, all of them.
    pub(super) fn say(&mut self, said: &[Said]) -> bool {
        let appended = self.journal.append(said);
        let is_kept = appended.is_ok();
        if let Err(error) = appended {
            self.failure.get_or_insert_with(|| error.into());
            self.cancel.cancel();
        }
        is_kept
    }
}

/// What the database did with what the ledger has.
pub(super) struct TakenIn {
    /// Why it lacks some of it, until the next time.
    pub(super) late: Option<String>,
    /// What became known.
    pub(super) notices: Vec<String>,
}

/// Lets the database take in what the ledger has, after something was written to it.
pub(super) fn take_in(repository: &Repository, journal: &Journal) -> TakenIn {
    let mut store = Store::at(&store_path(repository));
    failpoint::pass("before store");
    let late = store.take_in(|| project::recorded(repository)).err();
    failpoint::pass("after store");
    let notices = store.take_notices().into_iter();
    let of_store = notices.map(|notice| printable(&notice.to_string()));
    TakenIn {
        late: late.map(|error| printable(&error.to_string())),
        notices: journal.news().map(str::to_owned).into_iter().chain(of_store).collect(),
    }
}

/// The word that stands for a status in JSON.
fn word(status: &impl Serialize) -> String {
    let value = serde_json::to_value(status).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// A bundle's outcome in the words of the ledger.
pub(super) fn said(run: &str, about: &About, bundle: &str, outcome: &BundleOutcome) -> BundleSaid {
    BundleSaid {
        run: run.to_owned(),
        about: about.clone(),
        bundle: bundle.to_owned(),
        form: outcome.bundle.clone(),
        status: word(&outcome.status),
        attempts: outcome.attempts,
        duration_ms: outcome.duration_ms,
        passed: outcome.passed,
        executed: outcome.executed,
        command: outcome.command_digest.clone(),
        finished: outcome.finished.clone(),
        tests: outcome
            .tests
            .iter()
            .map(|test| TestSaid {
                test: test.id.clone(),
                status: word(&test.status),
                duration_ms: test.duration_ms,
                attempt: test.attempt,
            })
            .collect(),
    }
}
