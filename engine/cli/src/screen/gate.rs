//! A decision on the screen: the answer, what stands in the way, what to do next.

use std::collections::BTreeMap;

use grace_engine::decide::{Answer, BundleOutcome, Decision, Reason};
use grace_engine::plan::Plan;
use grace_engine::trust::Reading;
use grace_govern::agreement::Heard;

use super::approvals;
use super::numbers::{count, decimal};
use super::page::{Page, Style, Text, printable};
use super::plan::short_id;

/// What a decision was made of.
#[derive(Debug)]
pub struct Judged<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What was compared, in words.
    pub compared: &'a str,
    /// What names the change to another command.
    pub named: &'a str,
    /// The decision.
    pub decision: &'a Decision,
    /// What people said.
    pub heard: &'a Heard,
    /// What bundles came to, as far as it counts.
    pub outcomes: &'a BTreeMap<String, BundleOutcome>,
    /// The run that they are of.
    pub run: Option<&'a str>,
    /// How trust came about.
    pub trust: Option<&'a Reading>,
}

/// The decision, and what it was made of.
pub fn decision(page: &mut Page, judged: &Judged<'_>) {
    let decision = judged.decision;
    let word = decision.answer.word();
    let style = match decision.answer {
        Answer::Go => Style::Good,
        Answer::Hold => Style::Warn,
        Answer::No => Style::Bad,
    };
    let id = Text::new().then(Style::Dim, format!("plan {}", short_id(&judged.plan.id)));
    page.row(0, judged.compared, id);
    page.line(0, Text::new().then(style, word).plain(format!(", tier {}", decision.tier)));
    for reason in &decision.reasons {
        self::reason(page, reason);
    }
    page.gap();
    let passed =
        judged.outcomes.values().filter(|outcome| matches!(outcome, BundleOutcome::Passed | BundleOutcome::Flaky));
    let passed = passed.count() as u64;
    let rows = match judged.run {
        Some(run) => vec![vec![
            Text::from("run"),
            Text::from(format!("{} passed", count(passed, "bundle"))),
            Text::new().then(Style::Dim, run),
        ]],
        None if judged.plan.bundles.iter().any(|bundle| !bundle.runs_nothing()) => {
            vec![vec![
                Text::from("run"),
                Text::new().then(Style::Warn, "none of exactly this tree"),
                Text::new().then(Style::Dim, "grace-rules run, with the same options"),
            ]]
        }
        None => Vec::new(),
    };
    page.table(0, &rows, &[]);
    trust(page, judged);
    approvals::heard(page, judged.heard);
    approvals::missing(page, &judged.plan.id, judged.named, decision);
    for unknown in &decision.unknowns {
        page.hanging(0, &Text::new().then(Style::Warn, "unknown  "), unknown.as_str());
    }
}

/// What gives what is missing: a run of exactly this tree, then approvals.
#[must_use]
pub fn commands(judged: &Judged<'_>) -> Vec<String> {
    let runs = judged.run.is_none() && judged.plan.bundles.iter().any(|bundle| !bundle.runs_nothing());
    let run = runs.then(|| printable(format!("grace-rules run {}", judged.named).trim_end()));
    run.into_iter().chain(approvals::commands(&judged.plan.id, judged.named, judged.decision)).collect()
}

fn reason(page: &mut Page, reason: &Reason) {
    let style = if reason.answer == Answer::No { Style::Bad } else { Style::Warn };
    let rules = match reason.rules.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    };
    page.row(2, Text::new().then(style, &reason.what), Text::new().then(Style::Dim, rules));
}

/// The score where somebody asks for one, and what was lost by what.
fn trust(page: &mut Page, judged: &Judged<'_>) {
    let (Some(floor), Some(reading)) = (&judged.plan.trust, judged.trust) else { return };
    let Some(score) = reading.score else { return };
    let lost = reading.losses.iter().filter(|loss| loss.times.is_some_and(|times| times > 0));
    let lost: Vec<String> = lost
        .map(|loss| match loss.times {
            Some(times @ 2..) => format!("{times} × {} by {}", decimal(loss.amount), loss.cause),
            _ => format!("{} by {}", decimal(loss.amount), loss.cause),
        })
        .collect();
    let how = if lost.is_empty() { "nothing was lost".to_owned() } else { format!("lost {}", lost.join(", ")) };
    let text = format!("{}, at least {} is asked for; {how}", decimal(score), decimal(floor.at_least));
    page.hanging(0, &Text::from("trust  "), text);
}
