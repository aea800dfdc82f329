//! What is read of the ledger, record by record, newest first, and kept until enough is known.

use std::collections::{BTreeMap, BTreeSet};

use grace_drift::Better;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{BundleTrend, ExceptionTrend, TREES, Trends, Values, When, course, durations, exception, rule, test_trend};
use crate::journal::{BundleSaid, PlanSaid, RerunSaid, RunSaid, TestSaid};

/// Outcomes of tests that are read; beyond it older runs are left out.
const MOST_OUTCOMES: usize = 2_000_000;

/// What a recorded plan has of its rules.
#[derive(Deserialize)]
struct Planned {
    rules: Vec<PlannedRule>,
}

#[derive(Deserialize)]
struct PlannedRule {
    name: String,
    outcome: String,
}

/// What is gathered of a bundle, newest run first.
#[derive(Default)]
struct OfBundle {
    /// The digest of the command beside each duration.
    took: Vec<(String, When, f64)>,
    failed: Values,
}

/// What is gathered of a test, newest run first.
#[derive(Default)]
pub(super) struct OfTest {
    pub(super) took: Values,
    pub(super) failed: Values,
    /// Of the latest trees, the newest first: whether it passed, each time that it was run there.
    pub(super) trees: Vec<(String, Vec<bool>)>,
}

impl OfTest {
    fn on(&mut self, tree: &str, passes: impl IntoIterator<Item = bool>) {
        if let Some((_, all)) = self.trees.iter_mut().find(|(known, _)| known == tree) {
            all.extend(passes);
        } else if self.trees.len() < TREES {
            self.trees.push((tree.to_owned(), passes.into_iter().collect()));
        }
    }
}

/// How a test ended, time by time; nothing where it was not executed.
fn passes(test: &TestSaid) -> Vec<bool> {
    // Further attempts repeat what has failed.
    let failures = usize::try_from(test.attempt.clamp(1, 100)).unwrap_or(1);
    match test.status.as_str() {
        "passed" => vec![true],
        "flaky" => vec![false, true],
        "failed" | "error" | "too_slow" => vec![false; failures],
        _ => Vec::new(),
    }
}

/// What was read so far.
#[derive(Default)]
pub(super) struct Gathered {
    last: usize,
    /// Runs that ended, newest first.
    runs: Vec<When>,
    /// Of each run that ended: the bundles that ran whole.
    whole: BTreeMap<String, BTreeSet<String>>,
    outcomes: usize,
    /// By form.
    bundles: BTreeMap<String, OfBundle>,
    tests: BTreeMap<(String, String), OfTest>,
    changes: BTreeSet<[String; 3]>,
    /// What each rule came to, newest change first.
    rules: BTreeMap<String, Vec<(When, String)>>,
    exceptions: BTreeMap<String, Vec<(When, u64)>>,
}

fn said<T: DeserializeOwned>(body: Value) -> Option<T> {
    serde_json::from_value(body).ok()
}

impl Gathered {
    /// Of so many runs at most.
    pub(super) fn of(last: usize) -> Self {
        Self { last, ..Self::default() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.runs.len() > self.last || self.outcomes >= MOST_OUTCOMES
    }

    pub(super) fn see(&mut self, kind: &str, at: &str, body: Value) {
        match kind {
            "run" => {
                let Some(run) = said::<RunSaid>(body) else { return };
                let whole = run.bundles.iter().filter(|(_, ran)| ran.tests.is_none());
                self.whole.insert(run.run.clone(), whole.map(|(name, _)| name.clone()).collect());
                self.runs.push(When { run: run.run, at: run.finished });
            }
            "bundle" => drop(said(body).map(|bundle| self.bundle(bundle))),
            "rerun" => {
                let Some(again) = said::<RerunSaid>(body) else { return };
                for test in &again.tests {
                    let of_test = self.tests.entry((again.form.clone(), test.test.clone())).or_default();
                    of_test.on(&again.about.tree, passes(test));
                }
                if again.tests.is_empty() {
                    let of_bundle = self.tests.entry((again.form, String::new())).or_default();
                    of_bundle.on(&again.about.tree, [again.passed]);
                }
            }
            _ => drop(said(body).map(|plan| self.plan(at, plan))),
        }
    }

    fn bundle(&mut self, said: BundleSaid) {
        if !matches!(said.status.as_str(), "passed" | "failed" | "flaky" | "timed_out") {
            return;
        }
        let when = When { run: said.run.clone(), at: said.finished.clone() };
        let is_passed = matches!(said.status.as_str(), "passed" | "flaky");
        let OfBundle { took, failed } = self.bundles.entry(said.form.clone()).or_default();
        // Repeated, or ended at its deadline, it says nothing of how long it takes.
        let whole = self.whole.get(&said.run).is_some_and(|whole| whole.contains(&said.bundle));
        if whole && said.attempts <= 1 && said.status != "timed_out" {
            took.push((said.command, when.clone(), said.duration_ms as f64));
        }
        failed.push((
            when.clone(),
            match said.executed {
                0 => f64::from(u8::from(!is_passed)),
                executed => f64::from(executed.saturating_sub(said.passed)) / f64::from(executed),
            },
        ));
        if said.tests.is_empty() {
            let of_bundle = self.tests.entry((said.form.clone(), String::new())).or_default();
            let attempts = usize::try_from(said.attempts.clamp(1, 100)).unwrap_or(1);
            let mut ends = vec![false; attempts.saturating_sub(usize::from(is_passed))];
            ends.extend(is_passed.then_some(true));
            of_bundle.on(&said.about.tree, ends);
        }
        self.outcomes += said.tests.len();
        for test in &said.tests {
            let ends = passes(test);
            let Some(last) = ends.last().copied() else { continue };
            let of_test = self.tests.entry((said.form.clone(), test.test.clone())).or_default();
            if ends == [true] {
                of_test.took.push((when.clone(), test.duration_ms as f64));
            }
            of_test.failed.push((when.clone(), f64::from(u8::from(!last))));
            of_test.on(&said.about.tree, ends);
        }
    }

    fn plan(&mut self, at: &str, said: PlanSaid) {
        // A change that was run again, or is worked on in the same tree, is one.
        if !self.changes.insert(said.about.name()) {
            return;
        }
        let when = When { run: said.run, at: at.to_owned() };
        if let Ok(plan) = serde_json::from_str::<Planned>(&said.json) {
            for rule in plan.rules {
                self.rules.entry(rule.name).or_default().push((when.clone(), rule.outcome));
            }
        }
        for (exception, permits) in said.permits {
            self.exceptions.entry(exception).or_default().push((when.clone(), permits));
        }
    }

    pub(super) fn told(mut self) -> Trends {
        let cut = self.outcomes >= MOST_OUTCOMES;
        let more = self.runs.len() > self.last;
        self.runs.truncate(self.last);
        let bundles = std::mem::take(&mut self.bundles);
        let bundles = bundles.into_iter().map(|(bundle, OfBundle { took, failed })| {
            // A bundle that another command runs is another one.
            let newest = took.first().map(|(command, ..)| command.clone()).unwrap_or_default();
            let alike = took.into_iter().take_while(|(command, ..)| *command == newest);
            BundleTrend {
                duration_ms: durations(alike.map(|(_, when, took)| (when, took)).collect(), "whole run"),
                failing: course(failed, Some(Better::Lower), "run"),
                bundle,
            }
        });
        let tests = std::mem::take(&mut self.tests);
        let tests = tests.into_iter().filter_map(|((bundle, test), of_test)| test_trend(bundle, test, of_test));
        let rules = std::mem::take(&mut self.rules);
        let mut exceptions: Vec<ExceptionTrend> =
            std::mem::take(&mut self.exceptions).into_iter().filter_map(exception).collect();
        exceptions.sort_by(|a, b| (b.permits, &a.exception).cmp(&(a.permits, &b.exception)));
        Trends {
            runs: self.runs.len() as u64,
            changes: self.changes.len() as u64,
            span: self.runs.last().cloned().zip(self.runs.first().cloned()),
            cut: cut && !more,
            bundles: bundles.collect(),
            tests: tests.collect(),
            rules: rules.into_iter().filter_map(rule).collect(),
            exceptions,
        }
    }
}
