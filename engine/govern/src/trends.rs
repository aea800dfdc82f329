//! What moved over all that is recorded of runs: how long bundles and tests take and how many fail, which tests waver, how
//! often rules fire, and how much exceptions permit.
//!
//! Told from the ledger alone: the store's tables have no reruns and no sizes of exceptions, may lack the tests of older runs
//! (`store rebuild --since`), and decide nothing. What is of too few runs is unknown, and says so.

mod gathered;

use grace_drift::{Better, Moved, Steadiness, moved, steadiness};
use grace_ledger::{Error, Snapshot};
use schemars::JsonSchema;
use serde::Serialize;

use crate::journal::back;
use gathered::{Gathered, OfTest};

/// A level has moved by this part of it at least.
const THRESHOLD: f64 = 0.2;
/// The fewest runs of which anything is said: eight on each side.
const FEWEST: usize = 16;
/// Durations that lie closer together are alike, in milliseconds.
const ALIKE_MS: f64 = 50.0;
/// Trees that a test ran in, newest first, of which one shows that it is flaky.
const TREES: usize = 20;

/// A run, or the change that it was of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct When {
    /// The run.
    pub run: String,
    /// When that was, RFC 3339, UTC.
    pub at: String,
}

/// A level that moved for good.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Step {
    /// The first run at the new level.
    pub since: When,
    /// The level before.
    pub before: f64,
    /// The level since.
    pub after: f64,
    /// Whether that is worse; how often a rule fires is neither.
    pub worse: Option<bool>,
    /// How far apart they are, in standard errors; at most 999.
    pub apart: f64,
}

/// How something went over runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Course {
    /// Runs that count.
    pub runs: u64,
    /// Mean of the runs since it last moved, or of all.
    pub level: Option<f64>,
    /// Where it moved, oldest first.
    pub moved: Vec<Step>,
    /// Why nothing can be said of it.
    pub unknown: Option<String>,
}

/// A bundle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct BundleTrend {
    /// Its name; of one that ran in two forms, each.
    pub bundle: String,
    /// How long it took where it ran whole, in milliseconds.
    pub duration_ms: Course,
    /// The share of executed tests that did not pass, or of runs, where it tells no tests.
    pub failing: Course,
}

/// A test of which there is something to tell.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TestTrend {
    /// The bundle.
    pub bundle: String,
    /// The test; empty where a bundle tells no tests.
    pub test: String,
    /// `passing`, `broken`, `flaky` or `unknown`: by how it ended on one and the same tree.
    pub state: String,
    /// What that rests on, in words.
    pub says: String,
    /// How long it took where it passed, in milliseconds.
    pub duration_ms: Course,
    /// The share of runs in which it failed.
    pub failing: Course,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RuleTrend {
    /// Its name.
    pub rule: String,
    /// Changes that it was asked about.
    pub changes: u64,
    /// Of them, those for which it fired.
    pub fired: u64,
    /// Those for which it could not be told, which counts as fired.
    pub unknown: u64,
    /// Those for which a waiver lowered it.
    pub waived: u64,
    /// How often it fired, of a hundred changes.
    pub per_hundred: Course,
}

/// An exception.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ExceptionTrend {
    /// What it is: a waiver, or an item with the set that it takes something out of.
    pub exception: String,
    /// Parts of the code, or models, that it permits.
    pub permits: u64,
    /// What it was before it last changed, and the first run since.
    pub before: Option<(u64, When)>,
    /// What it permitted in the first run that is looked at.
    pub first: u64,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Trends {
    /// Runs that ended.
    pub runs: u64,
    /// Different changes that were planned for a run.
    pub changes: u64,
    /// The first and the last run.
    pub span: Option<(When, When)>,
    /// Older runs were left out, because these hold enough outcomes.
    pub cut: bool,
    /// Bundles, by name.
    pub bundles: Vec<BundleTrend>,
    /// Tests that moved, waver or are broken, and those that failed once.
    pub tests: Vec<TestTrend>,
    /// Rules that fired, by name.
    pub rules: Vec<RuleTrend>,
    /// Exceptions, the largest first.
    pub exceptions: Vec<ExceptionTrend>,
}

impl Trends {
    /// Whether anything got worse and stayed so, wavers, or is broken.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        let is_worse = |course: &Course| course.moved.last().is_some_and(|step| step.worse == Some(true));
        self.bundles.iter().any(|bundle| is_worse(&bundle.duration_ms) || is_worse(&bundle.failing))
            || self.tests.iter().any(|test| {
                matches!(test.state.as_str(), "flaky" | "broken")
                    || is_worse(&test.duration_ms)
                    || is_worse(&test.failing)
            })
    }

    /// Whether there is nothing of which anything could be told.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        let is_known = |course: &Course| course.unknown.is_none();
        !self.bundles.iter().any(|bundle| is_known(&bundle.duration_ms) || is_known(&bundle.failing))
            && !self.rules.iter().any(|rule| is_known(&rule.per_hundred))
            && !self.tests.iter().any(|test| test.state != "unknown")
    }
}

/// Values run by run, oldest first.
type Values = Vec<(When, f64)>;

/// What the last `last` runs and changes came to.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn trends(snapshot: &Snapshot, last: usize) -> Result<Trends, Error> {
    let mut gathered = Gathered::of(last);
    back(snapshot, &["plan", "bundle", "rerun", "run"], |record, body| {
        gathered.see(&record.kind, &record.ts, body);
        gathered.is_full().then_some(())
    })?;
    Ok(gathered.told())
}

/// The course of durations: what differs by next to nothing has not moved.
fn durations(values: Values, what: &str) -> Course {
    let mut course = course(values, Some(Better::Lower), what);
    course.moved.retain(|step| (step.after - step.before).abs() >= ALIKE_MS);
    course
}

/// The course of values that were gathered newest first.
fn course(mut values: Values, better: Option<Better>, what: &str) -> Course {
    values.reverse();
    let runs = values.len() as u64;
    if values.len() < FEWEST {
        let few = format!("{runs} of {FEWEST} {what}s");
        return Course { runs, unknown: Some(few), ..Course::default() };
    }
    let numbers: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
    let steps = moved(&numbers, better.unwrap_or(Better::Lower), THRESHOLD);
    let since = steps.last().map_or(0, |step| step.at);
    let latest = &numbers[since..];
    let level = latest.iter().sum::<f64>() / latest.len().max(1) as f64;
    let told = |step: Moved| {
        let (since, _) = values.get(step.at)?;
        Some(Step {
            since: since.clone(),
            before: rounded(step.before),
            after: rounded(step.after),
            worse: better.is_some().then_some(step.worse),
            apart: rounded(step.apart.min(999.0)),
        })
    };
    Course { runs, level: Some(rounded(level)), moved: steps.into_iter().filter_map(told).collect(), unknown: None }
}

/// To six digits after the point, so that every machine says the same.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// What is to be told of a test; nothing where it passes as it always did.
fn test_trend(bundle: String, test: String, of_test: OfTest) -> Option<TestTrend> {
    let newest = of_test.trees.first().map(|(_, ends)| ends.as_slice()).unwrap_or_default();
    let wavers = |(_, ends): &&(String, Vec<bool>)| steadiness(ends) == Steadiness::Flaky;
    let looked_at = of_test.trees.len();
    let flaky = of_test.trees.iter().filter(wavers).count();
    let failures = newest.iter().filter(|passed| !**passed).count();
    let (state, says) = match steadiness(newest) {
        _ if flaky > 0 => ("flaky", format!("passed and failed on one tree: on {flaky} of the last {looked_at}")),
        Steadiness::Broken => ("broken", format!("failed {failures} of {failures} times on the newest tree")),
        Steadiness::Unknown => ("unknown", "failed once on the newest tree".to_owned()),
        Steadiness::Passing | Steadiness::Flaky => ("passing", String::new()),
    };
    let duration_ms = durations(of_test.took, "run");
    let failing = course(of_test.failed, Some(Better::Lower), "run");
    let is_told = state != "passing" || !duration_ms.moved.is_empty() || !failing.moved.is_empty();
    is_told.then(|| TestTrend { bundle, test, state: state.to_owned(), says, duration_ms, failing })
}

fn rule((rule, outcomes): (String, Vec<(When, String)>)) -> Option<RuleTrend> {
    let count = |word: &str| outcomes.iter().filter(|(_, outcome)| outcome == word).count() as u64;
    let (changes, fired, unknown, waived) = (outcomes.len() as u64, count("fires"), count("unknown"), count("waived"));
    let fires = |outcome: &str| if matches!(outcome, "fires" | "unknown" | "waived") { 100.0 } else { 0.0 };
    let values = outcomes.iter().map(|(when, outcome)| (when.clone(), fires(outcome))).collect();
    let per_hundred = course(values, None, "change");
    (fired + unknown + waived > 0).then_some(RuleTrend { rule, changes, fired, unknown, waived, per_hundred })
}

fn exception((exception, sizes): (String, Vec<(When, u64)>)) -> Option<ExceptionTrend> {
    let (_, permits) = sizes.first()?.clone();
    let (_, first) = sizes.last()?.clone();
    // The newest size that differs, and the run after it.
    let place = sizes.iter().position(|(_, size)| *size != permits);
    let before = place.and_then(|place| Some((sizes.get(place)?.1, sizes.get(place.checked_sub(1)?)?.0.clone())));
    Some(ExceptionTrend { exception, permits, before, first })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A run: its number, the tree, how long the bundle took, and how its tests ended.
    fn run(at: usize, tree: &str, took: u64, tests: &[(&str, &str, u32)]) -> Vec<(&'static str, Value)> {
        let about = json!({"plan": "", "diff": at.to_string(), "rules": "", "tree": tree, "base": null, "head": null});
        let (run, finished) = (format!("r{at}"), format!("2026-06-01T00:{:02}:{:02}Z", at / 60, at % 60));
        let failed = tests.iter().filter(|(_, status, _)| *status == "failed").count();
        let each = |(test, status, attempt): &(&str, &str, u32)| json!({"test": test, "status": status, "duration_ms": took / 2, "attempt": attempt});
        let bundle = json!({
            "run": run, "about": about, "bundle": "unit", "form": "unit",
            "status": if failed == 0 { "passed" } else { "failed" }, "attempts": 1, "duration_ms": took,
            "passed": tests.len() - failed, "executed": tests.len(), "command": "c", "finished": finished,
            "tests": tests.iter().map(each).collect::<Vec<_>>(),
        });
        let fires = if at.is_multiple_of(4) { "fires" } else { "does_not_apply" };
        let plan = json!({"rules": [
            {"name": "often", "outcome": fires, "waivers": [], "derivation": []},
            {"name": "never", "outcome": "does_not_apply", "waivers": [], "derivation": []},
        ]});
        let mut planned =
            json!({"run": run, "about": about, "inputs": crate::inputs::Inputs::default(), "json": plan.to_string()});
        planned["permits"] = json!({"waiver w": if at < 30 { 3 } else { 12 }, "x: all except y": 5});
        let ran = json!({
            "run": run, "about": about, "exported": true, "started": finished, "finished": finished, "end": "passed",
            "tier": 1, "trust": null, "bundles": {"unit": {"outcome": "passed", "tests": null}},
        });
        vec![("plan", planned), ("bundle", bundle), ("run", ran)]
    }

    fn told(last: usize, records: &[(&'static str, Value)]) -> Trends {
        let mut gathered = Gathered::of(last);
        for (kind, body) in records.iter().rev() {
            gathered.see(kind, "2026-06-01T00:00:00Z", body.clone());
            if gathered.is_full() {
                break;
            }
        }
        gathered.told()
    }

    #[test]
    fn what_moved_is_told_with_when_and_how_sure_and_too_little_is_unknown() {
        let runs = |count: usize| -> Vec<(&'static str, Value)> {
            let took = |at: usize| (if at < 30 { 1000 } else { 2000 }) + (at % 3) as u64 * 10;
            (0..count).flat_map(|at| run(at, &format!("t{at}"), took(at), &[("a", "passed", 1)])).collect()
        };
        let found = told(200, &runs(60));
        let [bundle] = found.bundles.as_slice() else { panic!("{found:#?}") };
        let [step] = bundle.duration_ms.moved.as_slice() else { panic!("{bundle:#?}") };
        assert_eq!((step.since.run.as_str(), step.before, step.after, step.worse), ("r30", 1010.0, 2010.0, Some(true)));
        assert!(step.apart >= 5.0, "{step:?}");
        assert_eq!((bundle.failing.moved.len(), bundle.failing.level), (0, Some(0.0)));
        // The test itself took longer as well.
        assert_eq!(found.tests.iter().map(|test| test.duration_ms.moved.len()).collect::<Vec<_>>(), [1]);
        assert!(found.is_worse() && !found.is_unknown());
        // Of the last runs alone nothing moved.
        let late = told(20, &runs(60));
        assert_eq!((late.runs, late.bundles[0].duration_ms.moved.len(), late.tests.len()), (20, 0, 0));
        assert!(!late.is_worse() && !late.is_unknown());
        let few = told(200, &runs(15));
        assert_eq!(few.bundles[0].duration_ms.unknown.as_deref(), Some("15 of 16 whole runs"));
        assert_eq!(few.bundles[0].duration_ms.level, None);
        assert!(few.is_unknown() && !few.is_worse());
        assert!(Trends::default().is_unknown());
    }

    #[test]
    fn rules_are_counted_by_changes_and_exceptions_by_what_they_permit() {
        let mut records: Vec<_> =
            (0..40).flat_map(|at| run(at, &format!("t{at}"), 100, &[("a", "passed", 1)])).collect();
        // The same change once more is no other one.
        records.extend(run(39, "t39", 100, &[("a", "passed", 1)]));
        let found = told(200, &records);
        assert_eq!((found.runs, found.changes), (41, 40));
        let [rule] = found.rules.as_slice() else { panic!("{found:#?}") };
        assert_eq!((rule.rule.as_str(), rule.changes, rule.fired), ("often", 40, 10));
        assert_eq!((rule.per_hundred.level, rule.per_hundred.moved.len()), (Some(25.0), 0));
        let shown: Vec<_> = found
            .exceptions
            .iter()
            .map(|one| (one.exception.as_str(), one.permits, one.before.clone().map(|(size, when)| (size, when.run))))
            .collect();
        assert_eq!(shown, [("waiver w", 12, Some((3, "r30".to_owned()))), ("x: all except y", 5, None)]);
        let few = told(5, &records);
        assert_eq!(few.rules[0].per_hundred.unknown.as_deref(), Some("4 of 16 changes"));
    }

    #[test]
    fn a_flaky_test_is_told_from_a_broken_one_by_one_tree_alone() {
        let test = |records: &[(&'static str, Value)]| {
            let found = told(200, records);
            found.tests.into_iter().map(|test| test.state).collect::<Vec<_>>().concat()
        };
        let once = |at, tree, status, attempt| run(at, tree, 10, &[("a", status, attempt)]);
        let again = |tree: &str, status: &str| {
            let about = json!({"plan": "", "diff": "", "rules": "", "tree": tree, "base": null, "head": null});
            let test = json!({"test": "a", "status": status, "duration_ms": 1, "attempt": 1});
            let body = json!({
                "run": "r", "about": about, "bundle": "unit", "form": "unit", "passed": status == "passed",
                "tests": [test], "finished": "",
            });
            vec![("rerun", body)]
        };
        assert_eq!(test(&once(0, "t", "failed", 1)), "unknown");
        // On other trees it may be broken and mended.
        assert_eq!(test(&[once(0, "t", "failed", 1), once(1, "u", "passed", 1)].concat()), "");
        assert_eq!(test(&[once(0, "t", "passed", 1), once(1, "u", "failed", 1)].concat()), "unknown");
        assert_eq!(test(&[once(0, "t", "failed", 1), again("t", "failed")].concat()), "broken");
        assert_eq!(test(&[once(0, "t", "failed", 1), again("t", "passed")].concat()), "flaky");
        assert_eq!(test(&[once(0, "t", "failed", 1), again("other", "passed")].concat()), "");
        // Retries of the bundle are reruns on the same tree, too.
        assert_eq!(test(&once(0, "t", "failed", 3)), "broken");
        assert_eq!(test(&once(0, "t", "flaky", 2)), "flaky");
        // One that wavered not long ago still does.
        assert_eq!(test(&[once(0, "t", "flaky", 2), once(1, "u", "passed", 1)].concat()), "flaky");
        let long_ago = (1..=TREES).flat_map(|at| run(at, &format!("u{at}"), 10, &[("a", "passed", 1)]));
        assert_eq!(test(&once(0, "t", "flaky", 2).into_iter().chain(long_ago).collect::<Vec<_>>()), "");
    }
}
