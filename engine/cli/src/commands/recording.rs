//! `run --record`: what the tests of a run entered, from its bundles to the record that later plans read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use grace_engine::reach::{PastReach, Reach};
use grace_graph::store::FactStore;
use grace_runner::reach::RanBy;
use grace_runner::{Event, RawReach};
use grace_system::git::Repository;
use schemars::JsonSchema;
use serde::Serialize;

use crate::load::reach::{Digests, Held, Ran, Runs};

/// What was recorded of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RecordedBundle {
    /// The bundle.
    pub bundle: String,
    /// Tests that were recorded.
    pub tests: u64,
    /// Why nothing was, or why it was not kept.
    pub problem: Option<String>,
    /// SHA-256 of the record, where there is one: the run signs for it.
    #[serde(skip)]
    pub sum: Option<String>,
}

/// What a bundle told of what its tests entered.
struct Told {
    runs: Runs,
    raw: Result<Box<RawReach>, String>,
}

/// What one run of a command saw, and what ran it.
type Seen = Result<(Reach, RanBy), String>;

/// A run that records.
pub(super) struct Recording {
    tree: Digests,
    told: Mutex<Vec<Told>>,
}

/// What is known from before a run.
pub(super) struct Before<'a> {
    /// The records that its plan was made by.
    pub(super) past: &'a [PastReach],
    /// By bundle: the tests of them that still hold.
    pub(super) holds: &'a BTreeMap<String, BTreeSet<String>>,
}

impl Recording {
    /// Of a tree, as it is before the run.
    pub(super) fn of(tree: Digests) -> Arc<Self> {
        Arc::new(Self { tree, told: Mutex::default() })
    }

    /// Something happened; `runs` says what the jobs run.
    pub(super) fn hear(&self, event: &Event, runs: &BTreeMap<String, Runs>) {
        if let Event::Recorded { bundle, reach } = event
            && let Some(runs) = runs.get(bundle)
        {
            let told = Told { runs: runs.clone(), raw: reach.clone() };
            self.told.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        }
    }

    /// Keeps what was told; what came of each bundle.
    pub(super) fn keep(
        &self,
        root: &Path,
        repository: &Repository,
        store: &FactStore,
        run: &str,
        before: &Before<'_>,
    ) -> Vec<RecordedBundle> {
        let told = std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        let ran = Ran { root, repository, tree: self.tree.clone(), store, run };
        // A bundle that two rule books run by one command is recorded twice.
        let mut by_command: BTreeMap<Runs, Vec<Seen>> = BTreeMap::new();
        for Told { runs, raw } in told {
            let reach = raw.and_then(|raw| Ok((ran.reach(&raw)?, raw.ran_by)));
            by_command.entry(runs).or_default().push(reach);
        }
        let mut report = Vec::new();
        for (runs, reaches) in by_command {
            let bundle = runs.bundle.clone();
            let kept = reaches.into_iter().collect::<Result<Vec<_>, _>>().and_then(|reaches| {
                let (reaches, by): (Vec<Reach>, Vec<RanBy>) = reaches.into_iter().unzip();
                let by = by.first().filter(|first| by.iter().all(|by| by == *first));
                let by = by.ok_or("two interpreters ran its tests")?;
                let is_of_these = |past: &&PastReach| {
                    past.bundle == runs.bundle
                        && past.run == runs.run
                        && past.setup == runs.setup
                        && past.unlike.is_none()
                };
                let held = before.past.iter().find(is_of_these).zip(before.holds.get(&bundle));
                let held = held.map(|(past, tests)| Held { past, tests });
                let sum = ran.keep(runs, by, &reaches, held)?;
                Ok((reaches.iter().map(|reach| reach.tests.len() as u64).max().unwrap_or_default(), sum))
            });
            let (tests, sum, problem) = match kept {
                Ok((tests, sum)) => (tests, Some(sum), None),
                Err(problem) => (0, None, Some(problem)),
            };
            report.push(RecordedBundle { bundle, tests, problem, sum });
        }
        report
    }
}
