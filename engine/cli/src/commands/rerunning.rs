//! `run --reruns N`: what failed is run again in the same tree, so that a flaky test is told from a broken one. It changes no outcome.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use grace_drift::{Steadiness, steadiness};
use grace_engine::plan::BundlePlan;
use grace_govern::journal::{Event as Said, RerunSaid};
use grace_runner::{BundleOutcome, BundleStatus, Job, Settings, junit};
use schemars::JsonSchema;
use serde::Serialize;

use super::carrying::{self, Carried, Carrying};
use super::keeping::said;

/// A test that failed, and how it ended when it was run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rerun {
    /// The bundle.
    pub bundle: String,
    /// The test; empty where the bundle tells no tests.
    pub test: String,
    /// Times that it was run in all.
    pub runs: u32,
    /// Of them, those that it passed.
    pub passed: u32,
    /// `flaky`, `broken`, or `unknown` where it could not be run again.
    pub state: String,
}

/// A job that failed, as it is repeated.
struct Failed {
    job: Job,
    bundle: String,
    /// The tests that failed, as the report names them.
    tests: BTreeSet<String>,
    /// Of each test, or of the bundle where it tells none: how it ended, time by time.
    ends: Vec<(String, Vec<bool>)>,
}

/// Runs what failed so many times more, one after the other, and records each time.
pub(super) fn again(carrying: &Carrying<'_>, ran: &[BundlePlan], carried: &Carried, times: u32) -> Vec<Rerun> {
    if times == 0 {
        return Vec::new();
    }
    let (jobs, names) = carrying::jobs(ran);
    let failed = jobs.into_iter().filter_map(|job| {
        let outcome = carried.bundles.iter().find(|outcome| outcome.bundle == job.bundle)?;
        let bundle = names.get(&job.bundle)?.clone();
        (outcome.status == BundleStatus::Failed).then(|| Failed::of(job, bundle, outcome))
    });
    let mut failed: Vec<Failed> = failed.collect();
    let settings = Settings {
        jobs: carrying::at_once(),
        scratch: Some(carrying.scratch.to_path_buf()),
        cancel: carrying.context.cancel.clone(),
        events: Arc::new(|_| {}),
        ..Settings::new(carrying.tree)
    };
    let _working = carrying.context.progress.spinner("running what failed again");
    for _ in 0..times {
        if failed.is_empty() || carrying.context.cancel.is_cancelled() {
            break;
        }
        let jobs: Vec<Job> = failed.iter().map(|failed| failed.job.clone()).collect();
        let outcomes = grace_runner::run(&jobs, &settings).bundles;
        let records: Vec<Said> = failed
            .iter_mut()
            .zip(&outcomes)
            .filter_map(|(failed, outcome)| failed.repeated(carrying, outcome))
            .collect();
        let mut keeper = carrying.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        if !records.is_empty() && !keeper.say(&records) {
            break;
        }
    }
    failed.into_iter().flat_map(Failed::told).collect()
}

impl Failed {
    fn of(job: Job, bundle: String, outcome: &BundleOutcome) -> Self {
        let failing = outcome.tests.iter().filter(|test| test.status.is_executed() && !test.status.is_pass());
        let failing: Vec<_> = failing.collect();
        let tests: BTreeSet<String> = failing.iter().map(|test| test.id.clone()).collect();
        let named: BTreeSet<String> = tests.iter().map(|test| junit::without_parameters(test).to_owned()).collect();
        let mut job = Job { retries: 0, ..job };
        // What cannot be named is repeated with all that ran.
        let can_be_named = !named.is_empty()
            && named.iter().all(|test| test.contains(".py::") && !test.starts_with('-'))
            && job.command.iter().any(|argument| argument == "{tests}");
        if can_be_named {
            job.tests = named.iter().cloned().collect();
            job.selected = Some(job.tests.clone());
        }
        let ends = match failing.is_empty() {
            true => vec![(String::new(), vec![false])],
            false => failing.iter().map(|test| (test.id.clone(), vec![false])).collect(),
        };
        Self { job, bundle, tests, ends }
    }

    /// One more time; what could not be run says nothing.
    fn repeated(&mut self, carrying: &Carrying<'_>, outcome: &BundleOutcome) -> Option<Said> {
        if !matches!(outcome.status, BundleStatus::Passed | BundleStatus::Flaky | BundleStatus::Failed) {
            return None;
        }
        let passed = outcome.status.is_pass();
        let mut said = said(carrying.run, carrying.about, &self.bundle, outcome);
        said.tests.retain(|test| self.tests.contains(&test.test));
        for (name, ends) in &mut self.ends {
            match outcome.tests.iter().find(|test| test.id == *name) {
                Some(test) if test.status.is_executed() => ends.push(test.status.is_pass()),
                None if name.is_empty() => ends.push(passed),
                _ => {}
            }
        }
        Some(Said::Rerun(RerunSaid {
            run: said.run,
            about: said.about,
            bundle: said.bundle,
            form: said.form,
            passed,
            tests: said.tests,
            finished: said.finished,
        }))
    }

    fn told(self) -> impl Iterator<Item = Rerun> {
        let Self { bundle, ends, .. } = self;
        ends.into_iter().map(move |(test, ends)| {
            let state = match steadiness(&ends) {
                Steadiness::Flaky => "flaky",
                Steadiness::Broken => "broken",
                Steadiness::Passing | Steadiness::Unknown => "unknown",
            };
            let count = |passes: usize| u32::try_from(passes).unwrap_or(u32::MAX);
            Rerun {
                bundle: bundle.clone(),
                test,
                runs: count(ends.len()),
                passed: count(ends.iter().filter(|passed| **passed).count()),
                state: state.to_owned(),
            }
        })
    }
}
