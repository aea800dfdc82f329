//! What a run keeps of its outcomes: in the ledger, which is the truth, and in the store.

use grace_govern::journal::{About, BundleSaid, Event as Said, Journal, TestSaid};
use grace_runner::{BundleOutcome, BundleStatus, TestStatus};
use grace_store::{BundleRecord, Record, Recorded, Store, TestRecord};
use serde::Serialize;

use crate::failure::Failure;

/// Writes records as they come; the first failure is kept for the end, so that the run goes on.
pub(super) struct Keeper {
    pub(super) journal: Journal,
    pub(super) store: Store,
    pub(super) failure: Option<Failure>,
    /// Why the database lacks something that the spool has.
    pub(super) spooled: Option<String>,
}

impl Keeper {
    /// Into the ledger. The first failure is kept for the end, so that the children are ended first.
    pub(super) fn say(&mut self, said: &[Said]) {
        if let Err(error) = self.journal.append(said) {
            self.failure.get_or_insert_with(|| error.into());
        }
    }

    /// Into the store.
    pub(super) fn keep(&mut self, records: &[Record]) {
        match self.store.record_all(records) {
            Ok(Recorded::Stored) => self.spooled = None,
            Ok(Recorded::Spooled(why)) => self.spooled = Some(why),
            Err(error) => {
                self.failure.get_or_insert_with(|| of_store(error));
            }
        }
    }
}

pub(super) fn of_store(error: grace_store::StoreError) -> Failure {
    let failure = Failure::new("store", &error);
    match error.help() {
        Some(help) => failure.help(help),
        None => failure,
    }
}

pub(super) fn records(run: &str, bundle: &str, outcome: &BundleOutcome) -> Vec<Record> {
    use grace_store::{BundleStatus as Kept, TestStatus as KeptTest};
    let status = match outcome.status {
        BundleStatus::Cancelled if outcome.attempts == 0 => Kept::NotStarted,
        BundleStatus::Passed => Kept::Passed,
        BundleStatus::Failed => Kept::Failed,
        BundleStatus::Flaky => Kept::Flaky,
        BundleStatus::TimedOut => Kept::TimedOut,
        BundleStatus::Cancelled => Kept::Cancelled,
        BundleStatus::Error => Kept::Error,
        BundleStatus::NothingSelected => Kept::NothingSelected,
    };
    let mut records = vec![Record::Bundle(BundleRecord {
        run: run.to_owned(),
        bundle: bundle.to_owned(),
        status,
        attempts: outcome.attempts,
        duration_ms: outcome.duration_ms,
        passed: outcome.passed,
        executed: outcome.executed,
        pass_rate: outcome.pass_rate,
        command: outcome.command_digest.clone(),
        finished: outcome.finished.clone(),
    })];
    records.extend(outcome.tests.iter().map(|test| {
        Record::Test(TestRecord {
            run: run.to_owned(),
            bundle: bundle.to_owned(),
            test: test.id.clone(),
            status: match test.status {
                TestStatus::Passed => KeptTest::Passed,
                TestStatus::Failed => KeptTest::Failed,
                TestStatus::Flaky => KeptTest::Flaky,
                TestStatus::Skipped => KeptTest::Skipped,
                TestStatus::Error => KeptTest::Error,
                TestStatus::Missing => KeptTest::Missing,
                TestStatus::TooSlow => KeptTest::TooSlow,
            },
            duration_ms: test.duration_ms,
            attempt: test.attempt,
            finished: outcome.finished.clone(),
        })
    }));
    records
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
