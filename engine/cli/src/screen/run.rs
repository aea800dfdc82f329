//! A run on the screen: what came of each bundle, failures first in detail, then the answer.

use std::collections::BTreeSet;
use std::time::Duration;

use grace_engine::decide::{Answer, Decision};
use grace_engine::plan::{AfterRun, Plan, Truth};
use grace_runner::{BundleOutcome, BundleStatus, TestStatus};

use crate::commands::observing::ObservedBundle;
use crate::commands::recording::RecordedBundle;
use crate::commands::rerunning::Rerun;
use crate::commands::validating::Validated;

use super::numbers::{count, duration, thousands};
use super::page::{Page, Style, Text};
use super::plan::{short_id, tier_line};

/// Failed tests shown for each bundle.
const MOST_TESTS: usize = 8;
/// Repeated tests that are named.
const MOST_AGAIN: usize = 20;
/// Lines of output shown for a bundle that did not pass.
const MOST_LINES: usize = 12;

/// What a status is called.
#[must_use]
pub fn status(status: BundleStatus) -> (&'static str, Style) {
    match status {
        BundleStatus::Passed => ("passed", Style::Good),
        BundleStatus::Flaky => ("flaky", Style::Warn),
        BundleStatus::Failed => ("failed", Style::Bad),
        BundleStatus::TimedOut => ("timed out", Style::Bad),
        BundleStatus::Cancelled => ("stopped", Style::Warn),
        BundleStatus::Error => ("not run", Style::Bad),
        BundleStatus::NothingSelected => ("nothing to run", Style::Plain),
    }
}

/// `12 of 12 tests`, or nothing where none ran.
#[must_use]
pub fn tests(outcome: &BundleOutcome) -> String {
    match (outcome.passed, outcome.executed) {
        (_, 0) => String::new(),
        (passed, executed) if passed == executed => count(passed.into(), "test"),
        (passed, executed) => format!("{} of {}", thousands(passed.into()), count(executed.into(), "test")),
    }
}

/// A plan with nothing to run.
pub fn nothing(page: &mut Page, plan: &Plan, decision: &Decision) {
    page.row(0, tier_line(plan), Text::new().then(Style::Dim, format!("plan {}", short_id(&plan.id))));
    if plan.denials.is_empty() {
        page.line(0, "no bundle to run; why: grace-rules explain tier");
        if decision.answer == Answer::No {
            after_run(page, plan, decision);
        }
        return;
    }
    for denial in &plan.denials {
        page.line(0, Text::new().then(Style::Bad, "denied").plain(" by rule ").then(Style::Strong, &denial.name));
    }
    page.line(0, "nothing was run; why: grace-rules plan");
}

/// What came of the validations of models.
pub fn validated(page: &mut Page, validated: &[Validated]) {
    if validated.is_empty() {
        return;
    }
    page.gap();
    for one in validated {
        let (style, word) = match one.outcome {
            "passed" => (Style::Good, "passed"),
            "failed" => (Style::Bad, "failed"),
            "inconclusive" => (Style::Warn, "cannot be told"),
            _ => (Style::Warn, "not run"),
        };
        let share = Text::new().then(Style::Dim, one.share.as_deref().unwrap_or_default());
        page.row(0, Text::new().then(Style::Strong, &one.validation).plain("  ").then(style, word), share);
        for reason in &one.reasons {
            page.line(2, reason.as_str());
        }
    }
}

/// What came of a run.
pub fn summary(page: &mut Page, plan: &Plan, bundles: &[BundleOutcome], decision: &Decision) {
    page.row(0, tier_line(plan), Text::new().then(Style::Dim, format!("plan {}", short_id(&plan.id))));
    page.gap();
    let rows: Vec<Vec<Text>> = bundles
        .iter()
        .map(|bundle| {
            let (word, style) = status(bundle.status);
            vec![
                Text::new().then(Style::Strong, &bundle.bundle),
                if bundle.critical { Text::new().then(Style::Warn, "critical") } else { Text::new() },
                Text::new().then(style, word),
                Text::from(tests(bundle)),
                match bundle.status {
                    BundleStatus::NothingSelected => {
                        Text::new().then(Style::Dim, "the change reaches none of its tests")
                    }
                    _ => Text::new().then(Style::Dim, duration(Duration::from_millis(bundle.duration_ms))),
                },
            ]
        })
        .collect();
    page.table(2, &rows, &[3]);
    let silent = [BundleStatus::Passed, BundleStatus::NothingSelected];
    for bundle in bundles.iter().filter(|bundle| !silent.contains(&bundle.status)) {
        detail(page, bundle);
    }
    page.gap();
    after_run(page, plan, decision);
    answer(page, bundles, decision);
}

/// Rules that fired after the run, and what that made of the plan.
fn after_run(page: &mut Page, plan: &Plan, decision: &Decision) {
    for (wanted, sentence) in [(Truth::Yes, "fired"), (Truth::Unknown, "cannot be told, so counted as fired")] {
        let rules = decision.after_run.iter().filter(|(_, truth)| *truth == wanted).map(|(rule, _)| rule.as_str());
        let (lacking, told): (Vec<&str>, Vec<&str>) = rules.partition(|rule| decision.missing.contains_key(*rule));
        let mut line = |rules: &str, missing: &str| {
            let text = Text::new().then(Style::Strong, rules).then(Style::Warn, format!(" {sentence}"));
            page.hanging(0, &Text::from("after the run  "), text.plain(missing));
        };
        if !told.is_empty() {
            line(&told.join(", "), "");
        }
        for rule in lacking {
            line(rule, &format!("; unknown: {}", decision.missing[rule].join(", ")));
        }
    }
    if decision.tier > plan.tier {
        page.line(0, Text::from("after the run  ").then(Style::Warn, format!("tier {}", decision.tier)));
    }
    let denies = |rule: &&AfterRun| {
        rule.denies && decision.after_run.iter().any(|(name, truth)| *name == rule.name && *truth == Truth::Yes)
    };
    let mut told = BTreeSet::new();
    for rule in plan.after_run.iter().filter(denies).filter(|rule| told.insert(&rule.name)) {
        let remedy = rule.remedy.as_ref().map(|remedy| format!(": {remedy}")).unwrap_or_default();
        let text = Text::new().then(Style::Bad, "denied").plain(" by rule ").then(Style::Strong, &rule.name);
        page.line(0, text.plain(remedy));
    }
}

fn detail(page: &mut Page, bundle: &BundleOutcome) {
    page.gap();
    let (word, style) = status(bundle.status);
    let reasons: Vec<String> = bundle.reasons.iter().map(ToString::to_string).collect();
    let head = Text::new().then(Style::Strong, &bundle.bundle).plain(" ").then(style, word);
    match reasons.as_slice() {
        [] => page.line(0, head),
        [why] => page.line(0, head.plain(format!(": {why}"))),
        reasons => {
            page.line(0, head);
            reasons.iter().for_each(|why| page.hanging(2, &Text::from("- "), why.as_str()));
        }
    }
    let notable: Vec<_> =
        bundle.tests.iter().filter(|test| !matches!(test.status, TestStatus::Passed | TestStatus::Skipped)).collect();
    for test in notable.iter().take(MOST_TESTS) {
        let word = match test.status {
            TestStatus::Flaky => "flaky",
            TestStatus::TooSlow => "too slow",
            TestStatus::Error => "broke",
            TestStatus::Missing => "missing",
            _ => "failed",
        };
        page.line(2, test.id.as_str());
        let said = test.message.lines().find(|line| !line.trim().is_empty()).map(str::trim).unwrap_or_default();
        let said = if said.is_empty() { word.to_owned() } else { format!("{word}: {said}") };
        page.line(4, Text::new().then(Style::Dim, said));
    }
    if notable.len() > MOST_TESTS {
        page.line(
            2,
            Text::new().then(Style::Dim, format!("and {} more", thousands((notable.len() - MOST_TESTS) as u64))),
        );
    }
    // Where no test says what failed, the command's own words do.
    let speaks =
        |status| matches!(status, TestStatus::Failed | TestStatus::Error | TestStatus::TooSlow | TestStatus::Flaky);
    if !notable.iter().any(|test| speaks(test.status)) && !bundle.status.is_pass() {
        let lines: Vec<&str> = bundle.output.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(MOST_LINES)) {
            page.line(2, Text::new().then(Style::Dim, line.trim_end()));
        }
    }
}

fn answer(page: &mut Page, bundles: &[BundleOutcome], decision: &Decision) {
    let idle = bundles.iter().filter(|bundle| bundle.status == BundleStatus::NothingSelected).count() as u64;
    let all = bundles.len() as u64 - idle;
    let failed: Vec<&BundleOutcome> =
        bundles.iter().filter(|b| !b.status.is_pass() && b.status != BundleStatus::Cancelled).collect();
    let stopped = bundles.iter().filter(|b| b.status == BundleStatus::Cancelled).count() as u64;
    let critical = failed.iter().filter(|bundle| bundle.critical).count();
    if !failed.is_empty() {
        let mut text = Text::new()
            .then(Style::Bad, format!("{} of {} failed", thousands(failed.len() as u64), count(all, "bundle")));
        if critical > 0 {
            text.push(Style::Plain, ", a critical one among them: this must not be deployed");
        }
        page.line(0, text);
    } else if stopped > 0 {
        page.line(
            0,
            Text::new()
                .then(Style::Warn, format!("stopped: {} of {} not finished", thousands(stopped), count(all, "bundle")))
                .plain("; what was done is kept"),
        );
    } else {
        let passed = match all {
            0 => "nothing to run".to_owned(),
            1 if idle == 0 => "the bundle passed".to_owned(),
            1 => "the bundle that ran passed".to_owned(),
            _ if idle == 0 => format!("all {} passed", count(all, "bundle")),
            _ => format!("all {} that ran passed", count(all, "bundle")),
        };
        page.line(0, Text::new().then(Style::Good, passed));
    }
    let open = decision.reasons.iter().filter(|reason| reason.answer == Answer::Hold);
    let open = open.map(|reason| reason.what.clone()).filter(|what| !what.ends_with("was stopped"));
    let (validations, mut waiting): (Vec<String>, Vec<String>) = open.partition(|what| what.starts_with("validation "));
    if !validations.is_empty() {
        waiting.push(count(validations.len() as u64, "model validation"));
    }
    if !waiting.is_empty() && failed.is_empty() {
        page.gap();
        page.line(0, "still needed");
        waiting.iter().for_each(|what| page.line(2, what.as_str()));
    }
}

/// What leaving tests out would have come to.
pub fn observed(page: &mut Page, bundles: &[ObservedBundle]) {
    if bundles.is_empty() {
        return;
    }
    page.gap();
    for bundle in bundles {
        let would =
            format!(": {} of {} would do", thousands(bundle.selected.into()), count(bundle.tests.into(), "test"));
        let text = Text::new().then(Style::Strong, &bundle.bundle).plain(would);
        let text = match (bundle.failed, bundle.missed_count) {
            _ if bundle.unknown => {
                let why = "; it did not come to its end, which counts as one that failed and is missed";
                text.then(Style::Warn, why)
            }
            (0, _) => text,
            (failed, 0) => text.plain(format!(", and find all {} that failed", thousands(failed.into()))),
            (failed, missed) => text.then(
                Style::Warn,
                format!(", and miss {} of the {} that failed", thousands(missed.into()), thousands(failed.into())),
            ),
        };
        page.hanging(0, &Text::from("observed  "), text);
        bundle.missed.iter().take(MOST_TESTS).for_each(|test| page.line(2, format!("missed {test}")));
    }
}

/// What was recorded of each bundle.
pub fn recorded(page: &mut Page, bundles: &[RecordedBundle]) {
    if bundles.is_empty() {
        return;
    }
    page.gap();
    for bundle in bundles {
        let name = Text::new().then(Style::Strong, &bundle.bundle);
        match &bundle.problem {
            None => page.line(
                0,
                Text::from("recorded  ")
                    .then(Style::Strong, &bundle.bundle)
                    .plain(format!(", {}", count(bundle.tests, "test"))),
            ),
            Some(why) => {
                page.hanging(0, &Text::new().then(Style::Warn, "not recorded  "), name.plain(format!(": {why}")))
            }
        }
    }
}

/// What had failed and was run again in the same tree.
pub fn reruns(page: &mut Page, reruns: &[Rerun]) {
    if reruns.is_empty() {
        return;
    }
    page.gap();
    page.line(0, "run again in the same tree");
    let row = |one: &Rerun| {
        let name = if one.test.is_empty() { &one.bundle } else { &one.test };
        let style = if one.state == "broken" { Style::Bad } else { Style::Warn };
        let passed = format!("passed {} of {}", one.passed, count(one.runs.into(), "time"));
        vec![Text::from(name.as_str()), Text::new().then(style, &one.state), Text::from(passed)]
    };
    page.table(2, &reruns.iter().take(MOST_AGAIN).map(row).collect::<Vec<_>>(), &[]);
    if let Some(more) = reruns.len().checked_sub(MOST_AGAIN).filter(|more| *more > 0) {
        page.line(2, format!("and {} more: grace-rules drift trends", thousands(more as u64)));
    }
}

/// What the database did with the records, which the ledger has: why it lacks some, and what else became known.
pub fn taken_in(page: &mut Page, late: Option<&str>, notices: &[String]) {
    if let Some(why) = late {
        page.hanging(0, &Text::new().then(Style::Warn, "kept in the ledger, and not yet in the database  "), why);
    }
    for notice in notices {
        page.hanging(0, &Text::new().then(Style::Warn, "note  "), notice.as_str());
    }
}
