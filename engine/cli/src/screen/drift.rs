//! Deployments and what they came to: as JSON, and on the screen.

use grace_drift::{Point, State};
use grace_govern::monitor::accepted::ACCEPTED;
use grace_govern::monitor::acting::{in_words, shown};
use grace_govern::monitor::collect::{Collected, Waiting};
use grace_govern::monitor::history::{Deployment, Past, Watched, state};
use grace_govern::monitor::points;
use grace_govern::monitor::said::CheckSaid;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::numbers::count;
use super::page::{Page, Style, Text};

/// Steps before the first watched hour that a chart shows.
const BEFORE: usize = 48;
/// Heights of a line of blocks.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Most points of a line of blocks.
const WIDEST: usize = 24;

/// Deployments as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    version: u32,
    /// The time that it is told for, RFC 3339, UTC.
    as_of: String,
    /// Deployments, newest first.
    pub deployments: Vec<DeploymentReport>,
}

/// A deployment.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeploymentReport {
    /// Its number in the ledger.
    pub deployment: u64,
    /// The story of the change.
    pub story: Option<u64>,
    /// Its title.
    pub title: String,
    /// When it was deployed, RFC 3339, UTC.
    pub at: String,
    /// Likewise, in seconds since 1970.
    pub at_seconds: i64,
    /// Its rules.
    pub rules: Vec<RuleReport>,
    /// Follow-up stories.
    pub opened: Vec<OpenedReport>,
    /// Incidents.
    pub incidents: Vec<IncidentReport>,
    /// Ways back.
    pub rollbacks: Vec<RollbackReport>,
}

/// A follow-up story.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OpenedReport {
    /// The rule.
    pub rule: String,
    /// The story's number in the ledger.
    pub story: u64,
    /// Nothing was added to it yet.
    pub open: bool,
}

/// Something that went wrong.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IncidentReport {
    /// The rule.
    pub rule: String,
    /// The hour that it was seen in.
    pub hour: u32,
    /// In words.
    pub says: String,
}

/// A way back.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RollbackReport {
    /// The rule.
    pub rule: String,
    /// `prepared`, `proposed` or `accepted`.
    pub word: String,
    /// In words.
    pub says: String,
}

/// A step before the watch.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct BeforeReport {
    /// When it began, in seconds since 1970.
    pub at: i64,
    /// What was measured.
    pub value: Option<f64>,
}

/// A rule's watch.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RuleReport {
    /// The rule.
    pub rule: String,
    /// Its KPI.
    pub kpi: String,
    /// Its unit.
    pub unit: String,
    /// `unknown`, `ok`, `suspect`, `drift`, `confirmed`: what the last hour came to.
    pub state: String,
    /// The worst that any hour came to.
    pub worst: String,
    /// Why it is unknown.
    pub reason: Option<String>,
    /// When this state began, RFC 3339, UTC.
    pub since: Option<String>,
    /// The last hour in words.
    pub says: String,
    /// Hours that were judged.
    pub watched: u32,
    /// Hours that are watched in all.
    pub hours: u32,
    /// How long an hour is, in seconds.
    pub step: i64,
    /// The steps shortly before the watch, oldest first.
    pub before: Vec<BeforeReport>,
    /// The judged hours, oldest first.
    pub judged: Vec<HourReport>,
}

/// A judged hour.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HourReport {
    /// When it began, in seconds since 1970.
    pub at: i64,
    /// What was measured.
    pub value: Option<f64>,
    /// What was to be expected.
    pub expected: Option<f64>,
    /// Where worse than the threshold begins.
    pub limit: Option<f64>,
    /// What it came to.
    pub state: String,
    /// Why there is no value, where a source failed.
    pub gap: Option<String>,
}

/// Which deployments are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// This one.
    One(u64),
    /// Those that are watched, or else the last one.
    Open,
    /// All.
    All,
}

fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

impl Report {
    /// What is known as of `now`.
    #[must_use]
    pub fn of(past: &Past, now: i64, seen: Seen, waiting: &[Waiting]) -> Self {
        let is_open = |deployment: &Deployment| {
            deployment.said.at <= now
                && deployment.rules.iter().any(|rule| rule.end_of(rule.hours()) > now || !rule.due(now).is_empty())
        };
        let mut chosen: Vec<&Deployment> = past
            .deployments
            .values()
            .rev()
            .filter(|deployment| match seen {
                Seen::One(number) => deployment.number == number,
                Seen::Open => is_open(deployment) || (deployment.said.at <= now && is_left(past, deployment)),
                Seen::All => true,
            })
            .collect();
        if chosen.is_empty() && seen == Seen::Open {
            chosen.extend(past.deployments.values().next_back());
        }
        let deployments =
            chosen.into_iter().map(|deployment| DeploymentReport::of(past, deployment, now, waiting)).collect();
        Self { schema: "grace-rules/drift", version: 1, as_of: time(now), deployments }
    }

    /// The exit code: 1 where something got worse, else 2 where anything is not known.
    #[must_use]
    pub fn code(&self) -> u8 {
        let states: Vec<State> =
            self.deployments.iter().flat_map(|one| &one.rules).map(|rule| state(&rule.state)).collect();
        if states.iter().any(|state| *state >= State::Drift) {
            1
        } else if states.contains(&State::Unknown) {
            2
        } else {
            0
        }
    }
}

/// Whether a watch ended in drift, and nobody has added anything to the story that was opened.
fn is_left(past: &Past, deployment: &Deployment) -> bool {
    let ended_badly = |rule: &&Watched| rule.latest().is_some_and(|check| state(&check.state) >= State::Drift);
    deployment
        .rules
        .iter()
        .filter(ended_badly)
        .any(|rule| deployment.stories.get(&rule.said.rule).is_some_and(|story| !past.amended.contains(story)))
}

impl DeploymentReport {
    fn of(past: &Past, deployment: &Deployment, now: i64, waiting: &[Waiting]) -> Self {
        let said = &deployment.said;
        let why = |rule: &Watched| {
            let waits = |one: &&Waiting| one.deployment == deployment.number && one.rule == rule.said.rule;
            waiting.iter().find(waits).map(|one| one.why.clone())
        };
        let opened = |(rule, story): (&String, &u64)| OpenedReport {
            rule: rule.clone(),
            story: *story,
            open: !past.amended.contains(story),
        };
        let incident = |(rule, hour, says)| IncidentReport { rule, hour, says };
        let rollback = |(rule, word, says)| RollbackReport { rule, word, says };
        Self {
            deployment: deployment.number,
            story: said.story,
            title: said.title.clone(),
            at: time(said.at),
            at_seconds: said.at,
            rules: deployment.rules.iter().map(|rule| RuleReport::of(rule, now, why(rule))).collect(),
            opened: deployment.stories.iter().map(opened).collect(),
            incidents: deployment.incidents.iter().cloned().map(incident).collect(),
            rollbacks: deployment.rollbacks.iter().cloned().map(rollback).collect(),
        }
    }
}

impl RuleReport {
    fn of(rule: &Watched, now: i64, waits: Option<String>) -> Self {
        let unit = rule.kpi.as_ref().map_or_else(String::new, |kpi| kpi.unit.clone());
        let latest = rule.latest();
        let due = rule.due(now).len();
        // What has ended and was not judged is not known, whatever was said before.
        let state = match latest {
            Some(latest) if due == 0 => latest.state.clone(),
            _ => State::Unknown.name().to_owned(),
        };
        let reason = match latest {
            _ if due > 0 => Some(format!(
                "{} not judged yet{}",
                count(due as u64, "hour"),
                waits.map_or_else(|| ": grace-rules drift collect".to_owned(), |why| format!(": {why}"))
            )),
            None => Some("no hour has ended yet".to_owned()),
            Some(latest) => reason(latest),
        };
        let since = latest.map(|latest| {
            let same = rule.checks.values().rev().take_while(|check| check.state == latest.state).last();
            time(same.unwrap_or(latest).from)
        });
        let hour = |check: &CheckSaid| HourReport {
            at: check.from,
            value: points::read(&check.point).and_then(Point::value),
            expected: grace_govern::monitor::acting::of_hour(check, "expected"),
            limit: grace_govern::monitor::acting::of_hour(check, "limit"),
            state: check.state.clone(),
            gap: check.gap.clone(),
        };
        let before = rule.baseline.as_ref().map_or_else(Vec::new, |baseline| {
            let series = baseline.series.series();
            let skip = series.points.len().saturating_sub(BEFORE);
            (skip..series.points.len()).map(|index| (series.at(index), series.points[index].value())).collect()
        });
        let worst = rule.checks.values().max_by_key(|check| grace_govern::monitor::history::state(&check.state));
        let scale =
            if latest.is_some_and(|check| check.point.contains('/')) && unit == "percent" { 100.0 } else { 1.0 };
        let scaled = |value: Option<f64>| value.map(|value| value * scale);
        let judged = rule.checks.values().map(hour).map(|one| HourReport {
            value: scaled(one.value),
            expected: scaled(one.expected),
            limit: scaled(one.limit),
            ..one
        });
        Self {
            rule: rule.said.rule.clone(),
            kpi: rule.kpi_name.clone(),
            state,
            worst: worst.map_or_else(|| State::Unknown.name().to_owned(), |check| check.state.clone()),
            reason,
            since,
            says: latest.map(|latest| in_words(rule, latest)).unwrap_or_default(),
            watched: u32::try_from(rule.checks.len()).unwrap_or(u32::MAX),
            hours: rule.hours(),
            step: rule.step(),
            before: before.into_iter().map(|(at, value)| BeforeReport { at, value: scaled(value) }).collect(),
            judged: judged.collect(),
            unit,
        }
    }
}

/// Why a verdict is unknown.
fn reason(check: &CheckSaid) -> Option<String> {
    if let Some(gap) = &check.gap {
        return Some(gap.clone());
    }
    let name = check.verdict.get("reason").and_then(Value::as_str)?;
    Some(
        match name {
            "unusable" => "the rule or the series holds a number that means nothing",
            "too_early" => "nothing is measured since the deployment yet",
            "short_history" => "too little is known from before the deployment",
            "few_samples" => "fewer samples than the rule asks for",
            "gaps" => "too many hours without data",
            other => other,
        }
        .to_owned(),
    )
}

fn style(name: &str) -> Style {
    match state(name) {
        State::Ok => Style::Good,
        State::Drift | State::Confirmed => Style::Bad,
        State::Suspect | State::Unknown => Style::Warn,
    }
}

/// Values as a line of blocks, from the least to the greatest; a gap is a blank.
#[must_use]
pub fn sparkline(values: &[Option<f64>]) -> String {
    let values = &values[values.len().saturating_sub(WIDEST)..];
    let known = || values.iter().flatten().copied();
    let (least, most) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let block = |value: f64| {
        // What moves by less than a hundredth of itself is level.
        let span = (most - least).max(most.abs().max(least.abs()) / 100.0);
        let share = if span > 0.0 { (value - least) / span } else { 0.5 };
        BLOCKS[((share * 7.0).round().clamp(0.0, 7.0)) as usize]
    };
    values.iter().map(|value| value.map_or(' ', block)).collect()
}

/// The screen of `drift status`.
pub fn status(page: &mut Page, report: &Report) {
    if report.deployments.is_empty() {
        page.line(0, "nothing is deployed, as far as is recorded: grace-rules drift deploy");
        return;
    }
    for one in &report.deployments {
        page.gap();
        deployment(page, one);
    }
}

/// The screen of `drift deploy`.
pub fn deployed(page: &mut Page, report: &Report, is_known: bool) {
    if is_known {
        page.line(0, "this change was recorded as deployed before; nothing is added (another time is named by --at)");
    }
    for one in &report.deployments {
        deployment(page, one);
    }
    page.gap();
    page.line(0, "each hour is judged by: grace-rules drift collect (cron, CI), or grace-rules drift watch");
}

fn deployment(page: &mut Page, one: &DeploymentReport) {
    let name = one.story.map_or_else(|| format!("deployment {}", one.deployment), |story| format!("story {story}"));
    let watched = one.rules.iter().map(|rule| rule.watched).max().unwrap_or(0);
    let hours = one.rules.iter().map(|rule| rule.hours).max().unwrap_or(0);
    let hour = if one.rules.iter().all(|rule| rule.step == 3600) { "h" } else { "steps" };
    let at = one.at.get(..16).unwrap_or(&one.at).replace('T', " ");
    page.row(
        0,
        Text::from(format!("{name} \"{}\"", one.title)),
        Text::new().then(Style::Dim, format!("watched {watched} of {hours} {hour}, since {at} UTC")),
    );
    let rows: Vec<Vec<Text>> = one.rules.iter().map(row).collect();
    page.table(2, &rows, &[]);
    for OpenedReport { rule, story, open } in &one.opened {
        let left = if *open { "" } else { ", seen to" };
        page.line(0, format!("opened story {story} for {rule}{left}: grace-rules story show {story}"));
    }
    for RollbackReport { rule, word, says } in &one.rollbacks {
        let word = match word.as_str() {
            "proposed" => "rollback proposed",
            ACCEPTED => "rolled back",
            _ => "rollback plan",
        };
        // What was proposed was prepared before.
        if word == "rollback plan" && one.rollbacks.iter().any(|of| of.rule == *rule && of.word == "proposed") {
            continue;
        }
        page.line(0, format!("{word} for {rule}: {says}"));
    }
}

fn row(rule: &RuleReport) -> Vec<Text> {
    let values: Vec<Option<f64>> = rule.judged.iter().map(|hour| hour.value).collect();
    let (change, words) = match rule.says.split_once(", ") {
        Some((change, words)) => (change, words),
        None => (rule.says.as_str(), ""),
    };
    let change = change.strip_prefix(&format!("{} ", rule.kpi)).unwrap_or(change);
    let is_worse = state(&rule.state) >= State::Suspect;
    let mut last = Text::new().then(style(&rule.state), &rule.state);
    if let Some(since) = rule.since.as_ref().filter(|_| is_worse) {
        last = last.plain(format!(" since {}", since.get(11..16).unwrap_or(since)));
    }
    if let Some(reason) = &rule.reason {
        last = last.plain(format!("  {reason}"));
    } else if is_worse && !words.is_empty() {
        last = last.plain(format!("  {words}"));
    } else if state(&rule.worst) >= State::Drift {
        last = last.plain(format!("  was {}", rule.worst));
    }
    vec![Text::from(rule.kpi.as_str()), Text::from(change), Text::from(sparkline(&values)), last]
}

/// A step as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CollectReport {
    schema: &'static str,
    version: u32,
    /// Hours that were judged now.
    judged: Vec<JudgedReport>,
    /// Rules whose hours wait for data.
    waiting: Vec<WaitingReport>,
    /// What could not be done yet outside of the ledger.
    late: Vec<String>,
    /// When the next hour is judged, in seconds since 1970.
    next: Option<i64>,
}

/// A rule whose hours wait for data.
#[derive(Debug, Serialize, JsonSchema)]
struct WaitingReport {
    deployment: u64,
    rule: String,
    hours: u32,
    why: String,
}

/// One judged hour.
#[derive(Debug, Serialize, JsonSchema)]
struct JudgedReport {
    deployment: u64,
    rule: String,
    hour: u32,
    from: i64,
    to: i64,
    state: String,
}

impl CollectReport {
    /// That of a step.
    #[must_use]
    pub fn of(collected: &Collected) -> Self {
        let judged = |check: &CheckSaid| JudgedReport {
            deployment: check.deployment,
            rule: check.rule.clone(),
            hour: check.hour,
            from: check.from,
            to: check.to,
            state: check.state.clone(),
        };
        let waits = |one: &Waiting| WaitingReport {
            deployment: one.deployment,
            rule: one.rule.clone(),
            hours: one.hours,
            why: one.why.clone(),
        };
        Self {
            schema: "grace-rules/drift-collect",
            version: 1,
            judged: collected.judged.iter().map(judged).collect(),
            waiting: collected.waiting.iter().map(waits).collect(),
            late: collected.late.clone(),
            next: collected.next,
        }
    }
}

/// The screen of `drift collect`.
pub fn collected(page: &mut Page, collected: &Collected) {
    match collected.judged.len() {
        0 => page.line(0, "no hour is to be judged yet"),
        hours => page.line(0, format!("judged {}", count(hours as u64, "hour"))),
    }
    let mut last: Vec<&CheckSaid> = Vec::new();
    for check in &collected.judged {
        last.retain(|one| (one.deployment, &one.rule) != (check.deployment, &check.rule));
        last.push(check);
    }
    let row = |check: &&CheckSaid| {
        let state = Text::new().then(style(&check.state), &check.state);
        let hour = format!("deployment {}, hour {}", check.deployment, check.hour);
        let why = reason(check).map_or_else(Text::new, Text::from);
        vec![Text::from(check.rule.as_str()), Text::from(hour), state, why]
    };
    page.table(2, &last.iter().map(row).collect::<Vec<_>>(), &[]);
    for one in &collected.waiting {
        let what = format!("{} of {} wait for data: {}", count(one.hours.into(), "hour"), one.rule, one.why);
        page.hanging(0, &Text::new().then(Style::Warn, "unknown  "), what);
    }
    for late in &collected.late {
        page.hanging(0, &Text::new().then(Style::Warn, "later  "), late.as_str());
    }
    if let Some(next) = collected.next {
        let next = time(next);
        page.line(0, format!("the next hour is judged at {} UTC", next.get(..16).unwrap_or(&next).replace('T', " ")));
    }
}

/// A push as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PushReport {
    schema: &'static str,
    version: u32,
    kpi: String,
    points: usize,
}

impl PushReport {
    /// So many points of a KPI.
    #[must_use]
    pub fn new(kpi: &str, points: usize) -> Self {
        Self { schema: "grace-rules/drift-push", version: 1, kpi: kpi.to_owned(), points }
    }

    /// For people.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("took {} of {}", count(self.points as u64, "point"), self.kpi)
    }
}

/// A value with its unit.
#[must_use]
pub fn with_unit(value: Option<f64>, unit: &str) -> String {
    shown(value, unit, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_show_what_moves() {
        let line = |values: &[f64]| sparkline(&values.iter().map(|value| Some(*value)).collect::<Vec<_>>());
        assert_eq!(line(&[0.95, 0.95, 0.75]), "██▁");
        assert_eq!(line(&[1.0, 1.001, 1.0]), "▁▂▁");
        assert_eq!(line(&[]), "");
        assert_eq!(line(&[0.0, 0.0]), "▅▅");
        assert_eq!(sparkline(&[Some(1.0), None, Some(2.0)]), "▁ █");
    }
}
