//! `run --record`: what the tests of a run entered, from its bundles to the record that later plans read.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use grace_graph::store::FactStore;
use grace_runner::{Event, RawReach};
use grace_system::git::Repository;
use schemars::JsonSchema;
use serde::Serialize;

use crate::load::reach::{Digests, Ran};

/// What was recorded of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RecordedBundle {
    /// The bundle.
    pub bundle: String,
    /// Tests that were recorded.
    pub tests: u64,
    /// Why nothing was, or why it was not kept.
    pub problem: Option<String>,
}

/// What bundles told of what their tests entered.
type Told = Vec<(String, Result<Box<RawReach>, String>)>;

/// A run that records.
pub(super) struct Recording {
    tree: Digests,
    told: Mutex<Told>,
}

impl Recording {
    /// Of a tree, as it is before the run.
    pub(super) fn of(tree: Digests) -> Arc<Self> {
        Arc::new(Self { tree, told: Mutex::default() })
    }

    /// Something happened.
    pub(super) fn hear(&self, event: &Event) {
        if let Event::Recorded { bundle, reach } = event {
            self.told.lock().unwrap_or_else(PoisonError::into_inner).push((bundle.clone(), reach.clone()));
        }
    }

    /// Keeps what was told; what came of each bundle.
    pub(super) fn keep(
        &self,
        root: &Path,
        repository: &Repository,
        store: &FactStore,
        run: &str,
        holds: &BTreeSet<String>,
    ) -> Vec<RecordedBundle> {
        let mut told = std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        told.sort_by(|(left, _), (right, _)| left.cmp(right));
        let ran = Ran { root, repository, tree: self.tree.clone(), store, run };
        let mut reaches = Vec::new();
        let mut report: Vec<RecordedBundle> = Vec::new();
        for (bundle, raw) in told {
            let (tests, problem) = match raw.and_then(|raw| ran.reach(&raw)) {
                Ok(reach) => {
                    let tests = reach.tests.len() as u64;
                    reaches.push(reach);
                    (tests, None)
                }
                Err(problem) => (0, Some(problem)),
            };
            report.push(RecordedBundle { bundle, tests, problem });
        }
        if !reaches.is_empty()
            && let Err(problem) = ran.keep(reaches, holds)
        {
            let kept = report.iter_mut().filter(|bundle| bundle.problem.is_none());
            kept.for_each(|bundle| bundle.problem = Some(problem.clone()));
        }
        report
    }
}
