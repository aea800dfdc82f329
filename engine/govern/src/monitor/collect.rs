//! One step of monitoring: every hour that has ended is judged once, and what follows is done.
//!
//! It may be cut off anywhere and begun again. What is judged is in the ledger before anything follows outside of it, in one
//! piece with what follows; what is outside (references, messages) is looked after by every step anew.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use grace_drift::{Point, State};
use grace_dsl::ast::NoData;
use grace_system::config::Config;
use grace_system::files::{self, FileError, Lock};
use grace_system::git::{GitError, Repository};
use grace_system::process::Cancel;
use serde::{Deserialize, Serialize};

use super::history::{Deployment, Past, Watched, state};
use super::points::{self, SeriesSaid};
use super::said::{BaselineSaid, CheckSaid, Said};
use super::sources::{Asked, Sources};
use super::spool::Spool;
use super::{accepted, acting, raises, tell};
use crate::journal::{Event, Journal};

/// The past that a rule is held against, in seconds: four weeks.
const HISTORY: i64 = 28 * 86_400;
/// Steps of it at most, of a rule with short ones; a week is asked for however short they are.
const MOST_HISTORY: i64 = 2000;
const LEAST_HISTORY: i64 = 7 * 86_400;
/// How long an hour is waited for while its source gives no answer, in seconds: a day, or a day of steps.
const WAITS: i64 = 86_400;
/// How long one process waits for another.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where and how monitoring works.
#[derive(Debug)]
pub struct Monitor<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The operator's configuration.
    pub config: &'a Config,
    /// Ends what takes long.
    pub cancel: &'a Cancel,
    /// Who records.
    pub actor: &'a str,
    /// The SSH key that raises are signed with; otherwise this user's own.
    pub key: Option<&'a Path>,
}

/// Why a step was not made.
#[derive(Debug)]
pub enum CollectError {
    /// The ledger.
    Ledger(grace_ledger::Error),
    /// Git.
    Git(GitError),
    /// A file.
    File(FileError),
    /// Another process collects, or records a deployment; its number, where it is known.
    Busy(Option<u32>),
}

impl fmt::Display for CollectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(error) => error.fmt(f),
            Self::Git(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
            Self::Busy(Some(pid)) => write!(f, "process {pid} is at it already"),
            Self::Busy(None) => f.write_str("another process is at it already"),
        }
    }
}

impl std::error::Error for CollectError {}

impl From<grace_ledger::Error> for CollectError {
    fn from(error: grace_ledger::Error) -> Self {
        Self::Ledger(error)
    }
}

impl From<GitError> for CollectError {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

impl From<FileError> for CollectError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// What waits for data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The deployment.
    pub deployment: u64,
    /// The rule.
    pub rule: String,
    /// Hours that have ended and were not judged.
    pub hours: u32,
    /// Why.
    pub why: String,
}

/// What a step came to.
#[derive(Debug, Default)]
pub struct Collected {
    /// Hours that were judged.
    pub judged: Vec<CheckSaid>,
    /// What waits.
    pub waiting: Vec<Waiting>,
    /// What could not be done outside of the ledger, and is tried again by the next step.
    pub late: Vec<String>,
    /// When the next hour is judged; `None` when nothing is watched any more.
    pub next: Option<i64>,
}

/// Where monitoring keeps its own files.
#[must_use]
pub fn directory(repository: &Repository) -> std::path::PathBuf {
    repository.common_dir().join("grace").join("metrics")
}

/// Held by who looks whether a change is deployed already and then records it: of two at the same moment one is the first.
///
/// # Errors
/// When another process holds it for long, or there is no place for it.
pub fn deploying(repository: &Repository) -> Result<Lock, CollectError> {
    let dir = directory(repository);
    files::create_dirs(&dir)?;
    locked(&dir.join("deploy.lock"))
}

fn locked(path: &Path) -> Result<Lock, CollectError> {
    let Some(lock) = files::lock(path, PATIENCE)? else { return Err(CollectError::Busy(files::holder(path))) };
    lock.sign();
    Ok(lock)
}

/// What waited for data after the last step.
#[must_use]
pub fn waiting(repository: &Repository) -> Vec<Waiting> {
    let bytes = files::read(&directory(repository).join("waiting.json"), 1 << 20).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Makes one step, as of `now` (seconds since 1970).
///
/// # Errors
/// When the ledger cannot be read or written, or another process is at it. What was judged until then stays.
pub fn collect(monitor: &Monitor<'_>, now: i64) -> Result<Collected, CollectError> {
    let dir = directory(monitor.repository);
    files::create_dirs(&dir)?;
    let lock = locked(&dir.join("collect.lock"))?;
    let mut collected = Collected::default();
    let journal = Journal::open(monitor.repository, Some(monitor.actor))?;
    judged(monitor, &journal, &dir, now, &mut collected)?;
    // Whoever is told may take long: others judge meanwhile.
    drop(lock);
    if !monitor.cancel.is_cancelled() {
        tell::deliver(monitor, &journal, &dir, now, &mut collected.late)?;
    }
    Ok(collected)
}

/// What is done under the lock.
fn judged(
    monitor: &Monitor<'_>,
    journal: &Journal,
    dir: &Path,
    now: i64,
    collected: &mut Collected,
) -> Result<(), CollectError> {
    // Read under the lock: nobody judges meanwhile.
    let mut past = Past::read(&journal.read()?)?;
    let spool = Spool::at(dir);
    let sources =
        Sources { repository: monitor.repository, config: monitor.config, spool: &spool, cancel: monitor.cancel };
    let spans = spans(&past);
    let made = |one: &Deployment| Made { number: one.number, title: one.said.title.clone(), at: one.said.at };
    let made: Vec<Made> = past.deployments.values().map(made).collect();
    for deployment in past.deployments.values_mut() {
        for index in 0..deployment.rules.len() {
            if monitor.cancel.is_cancelled() {
                return Ok(());
            }
            let events = watched(monitor, &sources, (&spans, &made), (deployment, index), now, collected);
            if !events.is_empty() {
                // All of a rule's hours and what follows from them, or nothing.
                journal.append(&events)?;
            }
        }
    }
    let bytes = serde_json::to_vec(&collected.waiting).unwrap_or_default();
    files::write_atomic(&dir.join("waiting.json"), &bytes)?;
    // All of it again, so that what a step before was cut off from is done now.
    let recorded = journal.read()?;
    let past = Past::read(&recorded)?;
    let accepted = accepted::found(monitor.repository, &recorded, &past)?;
    if !accepted.is_empty() {
        journal.append(&accepted)?;
    }
    for raise in &past.raises {
        if raise.raise.until < now {
            continue;
        }
        raises::keep(monitor.repository, &raise.raise)?;
        if let Some(envelope) = &raise.envelope
            && let Err(error) = raises::shelve(monitor.repository, envelope.as_bytes())
        {
            collected.late.push(format!("a raised tier is not below refs/grace yet: {error}"));
        }
    }
    let rules = past.deployments.values().flat_map(|deployment| &deployment.rules);
    let due = rules.flat_map(|rule| (1..=rule.hours()).map(|hour| rule.due_at(hour)));
    collected.next = due.filter(|due| *due > now).min();
    Ok(())
}

/// What one rule comes to: the events to record.
fn watched(
    monitor: &Monitor<'_>,
    sources: &Sources<'_>,
    (spans, made): (&[Span], &[Made]),
    (deployment, index): (&mut Deployment, usize),
    now: i64,
    collected: &mut Collected,
) -> Vec<Event> {
    let mut events = Vec::new();
    let (number, deployed) = (deployment.number, deployment.said.at);
    let Some(rule) = deployment.rules.get_mut(index) else { return events };
    let due = rule.due(now);
    let Some(&first) = due.first() else { return events };
    let (ready, why) = measure(rule, sources, first, &due, now);
    if let Some(why) = why {
        let hours = u32::try_from(due.len() - ready.len()).unwrap_or(u32::MAX);
        collected.waiting.push(Waiting { deployment: number, rule: rule.said.rule.clone(), hours, why });
    }
    for measured in ready {
        let Some(rule) = deployment.rules.get_mut(index) else { break };
        if rule.baseline.is_none()
            && let Some(Baseline { series, control }) = measured.baseline
        {
            let baseline = BaselineSaid {
                deployment: number,
                rule: rule.said.rule.clone(),
                left_out: left_out(spans, number, rule, deployed, series.start),
                series,
                control,
            };
            rule.baseline = Some(baseline.clone());
            events.push(Event::Monitoring(Said::Baseline(Box::new(baseline))));
        }
        let hour = measured.hour;
        let mut check = CheckSaid {
            deployment: number,
            rule: rule.said.rule.clone(),
            hour,
            from: rule.end_of(hour) - rule.step(),
            to: rule.end_of(hour),
            point: points::write(measured.point),
            control: measured.control.map(points::write),
            gap: measured.gap,
            state: State::Unknown.name().to_owned(),
            missing_is_bad: false,
            verdict: serde_json::Value::Null,
            judged: now,
        };
        rule.checks.insert(hour, check.clone());
        if let Some(verdict) = rule.judge(deployed, hour) {
            let (state, is_bad) = rule.came_to(&verdict, hour);
            check.missing_is_bad = is_bad;
            state.name().clone_into(&mut check.state);
            // It holds texts and whole numbers.
            check.verdict = serde_json::to_value(&verdict).unwrap_or_default();
        }
        rule.checks.insert(hour, check.clone());
        events.push(Event::Monitoring(Said::Check(Box::new(check.clone()))));
        let follows = acting::follow(monitor, (deployment, made), index, &check, now);
        acting::note(deployment, &follows);
        events.extend(follows);
        collected.judged.push(check);
    }
    events
}

/// The past of a rule, as it is recorded with the first hour that its source answers.
#[derive(Debug, Clone, Default)]
struct Baseline {
    series: SeriesSaid,
    control: Option<SeriesSaid>,
}

/// One hour that can be judged.
#[derive(Debug)]
struct Measured {
    hour: u32,
    point: Point,
    control: Option<Point>,
    gap: Option<String>,
    /// `None` while the source fails: nothing is learned of what nobody told.
    baseline: Option<Baseline>,
}

/// The hours that can be judged, oldest first, and why the others cannot. An hour whose source failed for too long is a gap, and
/// says why.
fn measure(
    rule: &Watched,
    sources: &Sources<'_>,
    first: u32,
    due: &[u32],
    now: i64,
) -> (Vec<Measured>, Option<String>) {
    let step = rule.step();
    let width = u32::try_from(step).unwrap_or(3600);
    let last = due.last().copied().unwrap_or(first);
    let watched = step.saturating_mul(rule.hours().into());
    let history = HISTORY.min((MOST_HISTORY * step).max(LEAST_HISTORY + watched)) / step * step;
    // The whole watch, so that it is known what its source has told since the deployment.
    let from = if rule.baseline.is_none() { rule.first - history } else { rule.first };
    let is_zero = rule.missing() == NoData::Zero;
    let span = Asked { from, to: rule.end_of(last), step: width, since: rule.first, is_zero };
    let asked = match &rule.kpi {
        Some(kpi) => sources.series(&rule.kpi_name, kpi, &span),
        None => Err("its KPI says nothing that can be measured".to_owned()),
    };
    let control = rule.control.as_ref().map(|(name, kpi)| sources.series(name, kpi, &span)).transpose();
    let failed = match (&asked, &control) {
        (Err(why), _) => Some(why.clone()),
        (_, Err(why)) => Some(format!("control: {why}")),
        _ => None,
    };
    let (series, control) = (asked.ok(), control.ok().flatten());
    let before = usize::try_from((rule.first - from).max(0) / step).unwrap_or(0);
    let past = |series: &grace_drift::Series| {
        let points = series.points.iter().take(before).copied().collect();
        SeriesSaid::of(&grace_drift::Series { points, ..*series })
    };
    let baseline = series
        .as_ref()
        .filter(|_| failed.is_none())
        .map(|series| Baseline { series: past(series), control: control.as_ref().map(past) });
    let waits = WAITS.max(step.saturating_mul(24));
    let mut ready = Vec::new();
    for hour in due {
        // In order: an hour is judged by those before it.
        if failed.is_some() && now <= rule.end_of(*hour).saturating_add(waits) {
            return (ready, failed);
        }
        let at = |series: &grace_drift::Series| {
            let index = usize::try_from((rule.end_of(*hour) - step - from) / step).ok();
            index.and_then(|index| series.points.get(index)).copied().unwrap_or(Point::Missing)
        };
        ready.push(Measured {
            hour: *hour,
            point: series.as_ref().map_or(Point::Missing, at),
            control: rule.control.is_some().then(|| control.as_ref().map_or(Point::Missing, at)),
            gap: failed.clone(),
            baseline: baseline.clone(),
        });
    }
    (ready, None)
}

/// A deployment, as others name it.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) at: i64,
}

/// A deployment's watch by one rule: which, the KPI, from when to when, and whether drift was found.
#[derive(Debug)]
struct Span {
    deployment: u64,
    kpi: String,
    from: i64,
    to: i64,
    drifted: bool,
}

fn spans(past: &Past) -> Vec<Span> {
    let of = |deployment: &Deployment| -> Vec<Span> {
        let span = |rule: &Watched| Span {
            deployment: deployment.number,
            kpi: rule.kpi_name.clone(),
            from: deployment.said.at,
            to: rule.end_of(rule.hours()),
            drifted: rule.checks.values().any(|check| state(&check.state) >= State::Drift),
        };
        deployment.rules.iter().map(span).collect()
    };
    past.deployments.values().flat_map(of).collect()
}

/// What of the past of a rule is no example of how it usually is: watches of earlier deployments that found drift, or that
/// still went on.
fn left_out(spans: &[Span], number: u64, rule: &Watched, deployed: i64, start: i64) -> Vec<(i64, i64)> {
    let counts = |span: &&Span| {
        span.deployment != number
            && span.kpi == rule.kpi_name
            && span.from < deployed
            && span.to > start
            && (span.drifted || span.to > deployed)
    };
    let mut found: Vec<(i64, i64)> =
        spans.iter().filter(counts).map(|span| (span.from.max(start), span.to.min(rule.first))).collect();
    found.sort_unstable();
    found.dedup();
    found
}
