//! What follows from a verdict: a story, an incident, a raised tier, a proposed way back, messages. Nothing is rolled back here.

use grace_drift::{State, decimal};
use grace_dsl::ast::Action;
use grace_system::files;
use grace_system::git::{CommitId, CommitInfo, GitError, Repository, Reverted};
use serde_json::{Value as Json, json};

use super::collect::{Made, Monitor};
use super::history::{Deployment, Watched, follow_up, state};
use super::raises::Raise;
use super::said::{CheckSaid, IncidentSaid, MessageSaid, RaiseSaid, RollbackSaid, Said};
use crate::envelope;
use crate::journal::Event;
use crate::signers::fingerprint;
use crate::signing::{self, SigningError};
use crate::story::{Field, Fields, Origin, Story, Value};

/// Deployments that are named beside the one that is watched.
const MOST_LATER: usize = 5;

/// What is to be recorded after an hour was judged: each state that is reached the first time has its own actions.
pub(super) fn follow(
    monitor: &Monitor<'_>,
    (deployment, made): (&Deployment, &[Made]),
    index: usize,
    check: &CheckSaid,
    now: i64,
) -> Vec<Event> {
    let Some(rule) = deployment.rules.get(index) else { return Vec::new() };
    let Some(drift) = &rule.drift else { return Vec::new() };
    // What was deployed meanwhile may be the cause as well.
    let later: Vec<&Made> = made
        .iter()
        .filter(|one| one.number != deployment.number && one.at >= deployment.said.at && one.at < check.to)
        .filter(|one| one.at > deployment.said.at || one.number > deployment.number)
        .take(MOST_LATER)
        .collect();
    let (before, reached) = (rule.worst_before(check.hour), state(&check.state));
    let mut events = Vec::new();
    let mut way_back: Option<RollbackSaid> = None;
    for (at, actions) in
        [(State::Suspect, &drift.on_suspect), (State::Drift, &drift.on_drift), (State::Confirmed, &drift.on_confirmed)]
    {
        if at <= before || at > reached {
            continue;
        }
        for action in actions {
            let mut back =
                || way_back.get_or_insert_with(|| rollback(monitor.repository, deployment, rule, &later)).clone();
            match action {
                Action::Note => {}
                Action::OpenStory => {
                    if !deployment.stories.contains_key(&rule.said.rule) {
                        let way_back = back();
                        events.push(Event::Story(story(deployment, rule, check, (&way_back, &later), now)));
                        events.push(Event::Monitoring(Said::Rollback(way_back)));
                    }
                }
                Action::LogIncident => events.push(Event::Monitoring(Said::Incident(IncidentSaid {
                    deployment: deployment.number,
                    story: deployment.said.story,
                    rule: rule.said.rule.clone(),
                    hour: check.hour,
                    state: at.name().to_owned(),
                    what: in_words(rule, check),
                }))),
                Action::ProposeRollback => {
                    let proposed = RollbackSaid { word: "proposed".to_owned(), ..back() };
                    events.push(Event::Monitoring(Said::Rollback(proposed)));
                }
                Action::Tier { tier, region: (family, value), seconds } => {
                    let raise = Raise {
                        tier: *tier,
                        region: format!("{family}({value})"),
                        rule: rule.said.rule.clone(),
                        because: rule.because.clone(),
                        from: now,
                        until: now.saturating_add((*seconds).into()),
                        makers: deployment.said.makers.clone(),
                        lifted: Vec::new(),
                    };
                    events.push(Event::Monitoring(Said::Raise(raised(monitor, deployment.number, raise))));
                }
                Action::Tell(name) => {
                    let to = format!("webhook {name}");
                    events.push(message(deployment, rule, at, to, |id| {
                        told(deployment, rule, check, at, id, &back()).to_string()
                    }));
                }
                Action::WriteIssue => events.push(message(deployment, rule, at, "issue".to_owned(), |id| {
                    issue(deployment, rule, check, id, &back())
                })),
            }
        }
    }
    events
}

/// What follows next knows what followed just now.
pub(super) fn note(deployment: &mut Deployment, events: &[Event]) {
    for event in events {
        match event {
            Event::Story(story) => {
                if let Some((_, rule)) = story.run.strip_prefix("drift ").and_then(|rest| rest.split_once(' ')) {
                    // Its number is known once it is recorded.
                    deployment.stories.insert(rule.to_owned(), 0);
                }
            }
            Event::Monitoring(Said::Incident(said)) => {
                deployment.incidents.push((said.rule.clone(), said.hour, said.what.clone()));
            }
            _ => {}
        }
    }
}

/// A number for people: `95 %`, `410 ms`.
#[must_use]
pub fn shown(value: Option<f64>, unit: &str, is_counted: bool) -> String {
    let Some(value) = value else { return "no data".to_owned() };
    let value = if is_counted && unit == "percent" { value * 100.0 } else { value };
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 || size == 0.0 => 2,
        _ => 4,
    };
    let mut text = format!("{value:.digits$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    match unit {
        "one" | "" => text,
        "percent" => format!("{text} %"),
        unit => format!("{text} {unit}"),
    }
}

/// What was measured last and what was to be expected, in words: `95 % → 75 %, worse by 21 % of baseline`.
#[must_use]
pub fn in_words(rule: &Watched, check: &CheckSaid) -> String {
    let (expected, value) = (of_hour(check, "expected"), of_hour(check, "value"));
    let unit = rule.kpi.as_ref().map_or("one", |kpi| kpi.unit.as_str());
    let is_counted = check.point.contains('/');
    let mut text =
        format!("{} {} → {}", rule.kpi_name, shown(expected, unit, is_counted), shown(value, unit, is_counted));
    if let (Some(expected), Some(value)) = (expected, value)
        && expected != 0.0
    {
        let better = rule.kpi.as_ref().is_some_and(|kpi| kpi.higher_is_better);
        let worse = if better { expected - value } else { value - expected } / expected.abs();
        let word = if worse >= 0.0 { "worse" } else { "better" };
        text.push_str(&format!(", {word} by {:.0} % of baseline", worse.abs() * 100.0));
    }
    if check.missing_is_bad {
        text.push_str(", no data");
    }
    text
}

/// A number of the last watched hour, from the recorded verdict.
#[must_use]
pub fn of_hour(check: &CheckSaid, name: &str) -> Option<f64> {
    let hour = check.verdict.get("evidence")?.get("hours")?.as_array()?.last()?;
    hour.get(name)?.as_str()?.parse().ok()
}

/// The way back: what would have to be run, and whether it applies now.
fn rollback(repository: &Repository, deployment: &Deployment, rule: &Watched, later: &[&Made]) -> RollbackSaid {
    let mut said = way_of(repository, deployment, rule);
    said.says.extend(others(later).map(|others| format!("; {others}")));
    said
}

/// Deployments since, in words; `None` where there are none.
fn others(later: &[&Made]) -> Option<String> {
    let names: Vec<String> = later.iter().map(|one| format!("{} \"{}\"", one.number, one.title)).collect();
    let what = if names.len() == 1 { "deployment" } else { "deployments" };
    (!names.is_empty()).then(|| format!("{what} {} came after it and may be the cause as well", names.join(", ")))
}

fn way_of(repository: &Repository, deployment: &Deployment, rule: &Watched) -> RollbackSaid {
    let mut said = RollbackSaid {
        deployment: deployment.number,
        rule: rule.said.rule.clone(),
        word: "prepared".to_owned(),
        onto: None,
        commands: Vec::new(),
        applies: false,
        conflicts: Vec::new(),
        says: String::new(),
    };
    if deployment.said.commits.is_empty() {
        said.says = "the change is in no commit; restore what was deployed before".to_owned();
        return said;
    }
    match way_back(repository, &deployment.said.commits) {
        Ok(back) => {
            said.onto = Some(back.onto.to_string());
            (said.commands, said.conflicts, said.applies) = (back.commands, back.conflicts, back.applies);
            said.says = match deployment.said.more_commits {
                true => format!("{}; the change has more commits than are listed", back.says),
                false => back.says,
            };
            said.applies &= !deployment.said.more_commits;
        }
        Err(error) => said.says = format!("it could not be tried: {error}"),
    }
    said
}

/// A way back that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayBack {
    /// The commit that it was tried on.
    pub onto: CommitId,
    /// Commands, in order.
    pub commands: Vec<String>,
    /// Whether all of them apply.
    pub applies: bool,
    /// Files that conflict.
    pub conflicts: Vec<String>,
    /// In words.
    pub says: String,
}

/// Tries to take back commits, newest first, on what is checked out.
///
/// # Errors
/// When git cannot answer.
pub fn way_back(repository: &Repository, commits: &[String]) -> Result<WayBack, GitError> {
    let onto = repository.head()?.ok_or(GitError::Unborn)?;
    let infos = commits
        .iter()
        .map(|commit| repository.commit(repository.resolve(commit)?))
        .collect::<Result<Vec<CommitInfo>, GitError>>()?;
    let tried = repository.try_reverts(onto, &infos)?;
    let command = |commit: &CommitInfo| match commit.parents.len() {
        0 | 1 => format!("git revert --no-edit {}", commit.id),
        _ => format!("git revert --no-edit -m 1 {}", commit.id),
    };
    let conflicts: Vec<String> = tried
        .iter()
        .filter_map(|one| if let Reverted::Conflicts(files) = one { Some(files.clone()) } else { None })
        .flatten()
        .collect();
    let applies = tried.iter().all(|one| *one == Reverted::Cleanly);
    let short: String = onto.to_string().chars().take(12).collect();
    let not_tried = tried.iter().find_map(|one| match one {
        Reverted::NotTried(why) => Some(why.clone()),
        _ => None,
    });
    let says = match (applies, conflicts.is_empty()) {
        (true, _) => format!("applies cleanly on {short}"),
        (false, false) => format!("conflicts on {short} in {}", conflicts.join(", ")),
        (false, true) => format!("could not be tried on {short}: {}", not_tried.unwrap_or_default()),
    };
    Ok(WayBack { onto, commands: infos.iter().map(command).collect(), applies, conflicts, says })
}

fn story(
    deployment: &Deployment,
    rule: &Watched,
    check: &CheckSaid,
    (back, later): (&RollbackSaid, &[&Made]),
    now: i64,
) -> Story {
    let said = &deployment.said;
    let mut fields = Fields::new();
    let mut say = |name: &str, value: Value| {
        fields.insert(name.to_owned(), Field { value, from: Origin::Derived });
    };
    let original = said.story.map_or_else(|| "a change without a story".to_owned(), |story| format!("story {story}"));
    let what = in_words(rule, check);
    say("title", Value::Text(format!("Degraded after \"{}\": {}", said.title, rule.kpi_name)));
    let others = others(later).map_or_else(String::new, |others| format!(" Since then, {others}."));
    say("summary", Value::Text(format!("{what}. Deployment {} of {original}.{others}", deployment.number)));
    let drifts = deployment.rules.iter().filter_map(|other| {
        let latest = if other.said.rule == rule.said.rule { Some(check) } else { other.latest() };
        let latest = latest.filter(|check| state(&check.state) >= State::Suspect)?;
        Some(format!("{} ({}): {}", other.said.rule, latest.state, in_words(other, latest)))
    });
    let drifts: Vec<String> = drifts.collect();
    say("telemetry_incident", Value::Text(format!("{original}, hour {}: {}", check.hour, drifts.join("; "))));
    say("rationale", Value::Text(rule.because.clone()));
    if !said.files.is_empty() {
        say("files", Value::List(said.files.clone()));
    }
    if !said.models.is_empty() {
        say("models", Value::List(said.models.clone()));
    }
    if !said.layer.is_empty() {
        say("layer", Value::Text(said.layer.clone()));
    }
    let plan = match back.commands.is_empty() {
        true => back.says.clone(),
        false => format!("{} ({})", back.commands.join(" && "), back.says),
    };
    say("rollback_plan", Value::Text(plan.chars().take(16_000).collect()));
    say("requesting_actor", Value::Text(format!("drift rule {}", rule.said.rule)));
    let at = jiff::Timestamp::from_second(now).map(|at| at.to_string()).unwrap_or_default();
    say("timestamp", Value::Text(at));
    say("outcome", Value::Text("pending".to_owned()));
    Story {
        run: follow_up(deployment.number, &rule.said.rule),
        about: said.about.clone(),
        fields,
        missing: Vec::new(),
        principles: Vec::new(),
        trust: None,
        people: Vec::new(),
    }
}

/// Signed where there is a key; what cannot be signed counts in this clone alone.
fn raised(monitor: &Monitor<'_>, deployment: u64, raise: Raise) -> RaiseSaid {
    let sealed = || -> Result<Vec<u8>, SigningError> {
        let file = signing::key_file(monitor.key)?;
        let by = fingerprint(&signing::public_key(&file)?);
        Ok(envelope::seal(&raise.statement(&by), &file, monitor.repository.root())?.0)
    };
    let rule = raise.rule.clone();
    match sealed() {
        Ok(bytes) => {
            let envelope = String::from_utf8_lossy(&bytes).into_owned();
            RaiseSaid { deployment, rule, raise, envelope: Some(envelope), unsigned: None }
        }
        Err(error) => RaiseSaid { deployment, rule, raise, envelope: None, unsigned: Some(error.to_string()) },
    }
}

fn message(deployment: &Deployment, rule: &Watched, at: State, to: String, text: impl FnOnce(&str) -> String) -> Event {
    let named = format!(
        "{} {} {} {} {to} {}",
        deployment.said.about.plan,
        deployment.said.at,
        deployment.number,
        rule.said.rule,
        at.name()
    );
    let id: String = files::sha256(named.as_bytes()).chars().take(32).collect();
    let text = text(&id);
    let said = MessageSaid { deployment: deployment.number, rule: rule.said.rule.clone(), id, to, text };
    Event::Monitoring(Said::Message(said))
}

fn told(deployment: &Deployment, rule: &Watched, check: &CheckSaid, at: State, id: &str, back: &RollbackSaid) -> Json {
    let number = |name: &str| of_hour(check, name).map(decimal);
    json!({
        "schema": "grace-rules/drift-event",
        "version": 1,
        "id": id,
        "deployment": deployment.number,
        "story": deployment.said.story,
        "title": deployment.said.title,
        "commit": deployment.said.about.head,
        "rule": rule.said.rule,
        "kpi": rule.kpi_name,
        "state": at.name(),
        "hour": check.hour,
        "from": check.from,
        "to": check.to,
        "value": number("value"),
        "expected": number("expected"),
        "says": in_words(rule, check),
        "because": rule.because,
        "rollback": {"commands": back.commands, "applies": back.applies, "conflicts": back.conflicts, "says": back.says},
    })
}

/// An issue as forges take it: title and labels, then Markdown.
fn issue(deployment: &Deployment, rule: &Watched, check: &CheckSaid, id: &str, back: &RollbackSaid) -> String {
    let said = &deployment.said;
    // What comes from commits and paths begins no markup of its own.
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_control() || matches!(c, '`' | '<' | '>' | '|' | '@') { ' ' } else { c }).collect()
    };
    let mut text = format!(
        "---\ntitle: {}\nlabels: [drift]\n---\n\n**{}** is `{}` in hour {} after deployment {}.\n\n{}\n\n> {}\n",
        json!(format!("Degraded after deployment {}: {}", deployment.number, rule.kpi_name)),
        plain(&rule.kpi_name),
        check.state,
        check.hour,
        deployment.number,
        plain(&in_words(rule, check)),
        plain(&rule.because),
    );
    text.push_str("\n## The change\n\n");
    text.push_str(&format!("- {}\n", plain(&said.title)));
    if let Some(story) = said.story {
        text.push_str(&format!("- story {story}: `grace-rules story show {story}`\n"));
    }
    said.files.iter().take(20).for_each(|file| text.push_str(&format!("- `{}`\n", plain(file))));
    if said.files.len() > 20 {
        text.push_str(&format!("- and {} more files\n", said.files.len() - 20));
    }
    text.push_str(&format!("\n## The way back\n\nIt {}.\n", plain(&back.says)));
    if !back.commands.is_empty() {
        text.push_str(&format!("\n```\n{}\n```\n", back.commands.join("\n")));
    }
    text.push_str(&format!("\nEvent `{id}`, recorded in the ledger: `grace-rules drift status`\n"));
    text
}
