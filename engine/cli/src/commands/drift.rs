//! `drift`: deployments, the hours after them, and what they came to.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::Duration;

use grace_dsl::Role;
use grace_dsl::ast::{Drift, ItemKind, OperationalKind};
use grace_engine::input::{Book, RAISED};
use grace_govern::envelope::Makers;
use grace_govern::journal::{self, Event, Journal, RunSaid};
use grace_govern::monitor::collect::{self, CollectError, Collected, Monitor};
use grace_govern::monitor::history::Past;
use grace_govern::monitor::said::{DeploymentSaid, Said, WatchSaid};
use grace_govern::monitor::spool::{self, MAX_PUSH, Spool};
use grace_govern::story::{self, Told, Value};
use grace_system::clock;
use grace_system::config::{Config, ConfigError};
use grace_system::files;
use grace_system::git::{CommitRange, Repository};

use super::approve::{needs_a_base, refuse_suppositions};
use super::plan::engine;
use super::{Answer, Context, Show, gate, run};
use crate::args::ChangeArgs;
use crate::args::drift::{CollectArgs, DeployArgs, DriftCommand, StatusArgs};
use crate::failure::{Failure, Result, quoted};
use crate::load::{self, Cache, Head, people};
use crate::screen;
use crate::screen::drift::{Report, Seen};

/// Files that a deployment names.
const MOST_FILES: usize = 200;
/// Commits that a deployment names; a way back of more is no plan for anybody.
const MOST_COMMITS: usize = 200;
/// How long the daemon sleeps at most, so that a new deployment and a clock that is put forward are seen.
const NAP: Duration = Duration::from_secs(60);
/// How often it looks whether it is to end.
const BLINK: Duration = Duration::from_millis(200);

pub(super) fn drift(context: &Context, command: &DriftCommand, show: Show<'_>) -> Result<Answer> {
    match command {
        DriftCommand::Deploy(args) => deploy(context, args),
        DriftCommand::Collect(args) => collected(context, args),
        DriftCommand::Watch(args) => watch(context, args, show),
        DriftCommand::Push { kpi, id } => push(context, kpi, id.as_deref().unwrap_or_default()),
        DriftCommand::Status(args) => status(context, args),
        DriftCommand::Trends(args) => super::trending::trends(context, args),
        DriftCommand::Lift(args) => super::halting::lift(context, args),
        DriftCommand::Test(args) => super::backtesting::test(context, args),
    }
}

impl From<CollectError> for Failure {
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::Ledger(error) => error.into(),
            CollectError::Git(error) => error.into(),
            CollectError::File(error) => error.into(),
            busy @ CollectError::Busy(_) => Self::new("drift", busy)
                .help("wait for it; `drift collect`, `drift watch` and `drift deploy` take turns"),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let help = error.help().map(str::to_owned);
        Self { code: "config", message: screen::page::printable(&error.to_string()), help }
    }
}

/// The operator's configuration, which lies outside of the repository.
pub(super) fn config(repository: &Repository) -> Result<Config> {
    Ok(Config::read(&[repository.root(), repository.common_dir(), repository.git_dir()])?)
}

fn moment(text: Option<&str>) -> Result<i64> {
    text.map_or_else(|| Ok(clock::now().as_second()), load::moment)
}

pub(super) fn deploy(context: &Context, args: &DeployArgs) -> Result<Answer> {
    let mut change = args.change.clone();
    refuse_suppositions(&change, "a deployment")?;
    let repository = context.place.repository()?;
    let at = moment(args.at.as_deref())?;
    if at > clock::now().as_second() {
        return Err(Failure::new("input", "a deployment lies in the past, or is now").help("leave out --at"));
    }
    find(repository, args, &mut change)?;
    needs_a_base(&change)?;
    // The gate answers for exactly this tree, now: what it said before may be void.
    let answer = gate::gate(context, &change)?;
    if answer.code != 0 {
        return Err(Failure::new("gate", "the gate does not say go, so nothing is taken as deployed")
            .help("see why: grace-rules gate, with the same options"));
    }
    let (engine, loaded) = engine(context, &change, Cache::Unused)?;
    let plan = engine.plan();
    if let Some(named) = &args.plan
        && !plan.id.starts_with(named.as_str())
    {
        return Err(Failure::new("input", format!("the plan of this change is {}, not {named}", plan.id))
            .help("name the change that was decided about, by --base and --head"));
    }
    let about = run::about(repository, &plan, &loaded)?;
    // From here to the record: of two that deploy the same at the same moment, one finds that of the other.
    let _deploying = collect::deploying(repository)?;
    let recorded = journal::recorded(repository)?;
    // A step of a pipeline that is run again deploys nothing again.
    let known = recorded.as_ref().map(Past::read).transpose()?.unwrap_or_default();
    let same = |said: &DeploymentSaid| said.about == about && (args.at.is_none() || said.at == at);
    if let Some(number) = known.deployments.values().rev().find(|one| same(&one.said)).map(|one| one.number) {
        return deployed(context, &known, at, number, true);
    }
    // A change does not loosen what watches it: of one name the rule before it counts.
    let mut watched = loaded.rules[0].as_ref().and_then(|before| watches(Some(before)).ok()).unwrap_or_default();
    match watches(loaded.rules[1].as_ref()) {
        Ok(after) => {
            let new = after.into_iter().filter(|watch| watched.iter().all(|known| known.rule != watch.rule));
            watched.extend(new.collect::<Vec<_>>());
        }
        Err(failure) if watched.is_empty() => return Err(failure),
        Err(_) => {}
    }
    let ran = recorded.as_ref().map(|ledger| journal::decision_of(ledger, &about)).transpose()?.flatten();
    let ran = ran.and_then(|decision| decision.run);
    let told = recorded.as_ref().map(story::all).transpose()?.unwrap_or_default();
    let told = told.into_iter().rev().find(|told| Some(&told.story.run) == ran.as_ref());
    let mut newest = String::new();
    let (commits, more_commits) = match (loaded.head, loaded.base) {
        (Head::Commit(until), after) if Some(until) != after => {
            let range = CommitRange { after, until, first_parent: true, limit: MOST_COMMITS + 1 };
            let found = repository.commits(range)?;
            let more = found.len() > MOST_COMMITS;
            newest = found.first().map(|commit| commit.summary().trim().to_owned()).unwrap_or_default();
            (found.into_iter().take(MOST_COMMITS).map(|commit| commit.id.to_string()).collect(), more)
        }
        _ => (Vec::new(), false),
    };
    let text = |name: &str| field(told.as_ref(), name).map(|value| value.text()).unwrap_or_default();
    let models = match field(told.as_ref(), "models") {
        Some(Value::List(list)) => list,
        Some(Value::Text(text)) => vec![text],
        None => Vec::new(),
    };
    let title = text("title");
    let authorship = people::authors(repository, &loaded, clock::now())?;
    let said = DeploymentSaid {
        about,
        run: ran,
        story: told.as_ref().map(|told| told.id),
        title: [title, newest, loaded.compared.clone()].into_iter().find(|one| !one.is_empty()).unwrap_or_default(),
        at,
        files: loaded.changed.iter().take(MOST_FILES).cloned().collect(),
        models,
        layer: text("layer"),
        commits,
        more_commits,
        makers: Some(Makers {
            by: authorship.people.into_iter().map(|person| person.name).collect(),
            unproved: !authorship.unproved.is_empty(),
        }),
        watches: watched,
    };
    let journal = Journal::open(repository, change.actor.as_deref())?;
    let receipts = journal.append(&[Event::Monitoring(Said::Deployment(Box::new(said)))])?;
    let number = receipts.first().map_or(0, |receipt| receipt.seq);
    let past = Past::read(&journal.read()?)?;
    deployed(context, &past, at, number, false)
}

fn deployed(context: &Context, past: &Past, at: i64, number: u64, is_known: bool) -> Result<Answer> {
    let report = Report::of(past, at, Seen::One(number), &[]);
    if context.is_json() {
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    screen::drift::deployed(&mut page, &report, is_known);
    Ok(Answer::yes(page.finish()))
}

fn field(told: Option<&Told>, name: &str) -> Option<Value> {
    told.and_then(|told| told.fields().get(name).map(|field| field.value.clone()))
}

/// Finds what was compared, by a plan or a run that the ledger knows.
fn find(repository: &Repository, args: &DeployArgs, change: &mut ChangeArgs) -> Result<()> {
    if change.base.is_some() || change.staged || change.worktree || (args.plan.is_none() && args.run.is_none()) {
        return Ok(());
    }
    let recorded = journal::recorded(repository)?;
    let ledger = recorded.ok_or_else(|| {
        Failure::new("input", "nothing is recorded here").help("run and gate first: grace-rules run, grace-rules gate")
    })?;
    let mut found = None;
    for record in ledger.records(0..ledger.len()) {
        let record = record?;
        let about = match (record.kind.as_str(), &args.run, &args.plan) {
            ("run", Some(run), _) => {
                let said = serde_json::from_value::<RunSaid>(ledger.body(&record)?).ok();
                said.filter(|said| said.run == *run).map(|said| said.about)
            }
            ("decision", None, Some(plan)) => {
                let said = serde_json::from_value::<journal::DecisionSaid>(ledger.body(&record)?).ok();
                said.filter(|said| said.about.plan.starts_with(plan.as_str())).map(|said| said.about)
            }
            _ => None,
        };
        found = about.or(found);
    }
    let about = found.ok_or_else(|| {
        let what = args.run.as_deref().or(args.plan.as_deref()).unwrap_or_default();
        Failure::new("input", format!("nothing was decided about `{}`", what.escape_debug()))
            .help("name the change: --base and --head, as for `gate`")
    })?;
    change.base = about.base;
    match about.head {
        Some(head) => change.head = Some(head),
        None => change.worktree = true,
    }
    Ok(())
}

/// The drift rules of a book, with their texts.
pub(super) fn watches(book: Option<&Book>) -> Result<Vec<WatchSaid>> {
    let files = || book.into_iter().flat_map(|book| &book.files).filter(|file| !file.path.starts_with(RAISED));
    let mut kpis: BTreeMap<String, String> = BTreeMap::new();
    let mut rules: Vec<(String, String, Drift)> = Vec::new();
    for file in files() {
        let Ok(text) = &file.text else { continue };
        if !text.contains("kpi") && !text.contains("drift") {
            continue;
        }
        let parsed = grace_dsl::parse(text);
        for (index, item) in parsed.items.iter().enumerate() {
            let ItemKind::Operational(operational) = &item.kind else { continue };
            let written = parsed.map.item(index).and_then(|range| text.get(range)).unwrap_or_default().to_owned();
            match operational.kind {
                OperationalKind::Kpi => {
                    kpis.insert(item.name.clone(), written);
                }
                // What is only used does not apply.
                OperationalKind::Drift if file.role != Role::Used => {
                    let drift = Drift::of(operational).ok_or_else(|| {
                        Failure::new("rules", format!("the drift rule {} says nothing that can be watched", item.name))
                            .help("see: grace-rules check")
                    })?;
                    rules.push((item.name.clone(), written, drift));
                }
                _ => {}
            }
        }
    }
    if rules.is_empty() {
        return Err(Failure::new("rules", "no drift rule is in force, so nothing would be watched")
            .help("write one, or adopt grace.telemetry; see docs/monitoring.md"));
    }
    let kpi = |name: &String| {
        kpis.get(name)
            .cloned()
            .ok_or_else(|| Failure::new("rules", format!("no KPI is named {name}")).help("see: grace-rules check"))
    };
    let watch = |(rule, text, drift): (String, String, Drift)| {
        let control = drift.control.as_ref().map(kpi).transpose()?;
        Ok(WatchSaid { rule, text, kpi: kpi(&drift.kpi)?, control })
    };
    rules.into_iter().map(watch).collect()
}

fn step(context: &Context, args: &CollectArgs, config: &Config) -> Result<Collected> {
    let repository = context.place.repository()?;
    let now = moment(args.as_of.as_deref())?;
    // Hours that are still to come would be gaps for good.
    if now > clock::now().as_second() {
        return Err(Failure::new("input", "what is still to come is not collected").help("leave out --as-of"));
    }
    let key = args.sign.key.as_deref().map(|path| context.place.absolute(path));
    let monitor = Monitor {
        repository,
        config,
        cancel: &context.cancel,
        actor: args.actor.as_deref().unwrap_or("monitor"),
        key: key.as_deref(),
    };
    Ok(collect::collect(&monitor, now)?)
}

fn collected(context: &Context, args: &CollectArgs) -> Result<Answer> {
    let config = config(context.place.repository()?)?;
    // What was judged is recorded before the process ends.
    let _held = context.cancel.hold();
    let collected = {
        let _working = context.progress.spinner("collecting");
        step(context, args, &config)?
    };
    if context.is_json() {
        return Answer::json(&screen::drift::CollectReport::of(&collected), true);
    }
    let mut page = context.page();
    screen::drift::collected(&mut page, &collected);
    Ok(Answer::yes(page.finish()))
}

fn watch(context: &Context, args: &CollectArgs, show: Show<'_>) -> Result<Answer> {
    if args.as_of.is_some() {
        return Err(Failure::new("usage", "`drift watch` goes by the clock").help("leave out --as-of"));
    }
    let _held = context.cancel.hold();
    let mut late = Vec::new();
    while !context.cancel.is_cancelled() {
        // Read anew: an operator who mends it need not start anything again.
        let made = config(context.place.repository()?).and_then(|config| step(context, args, &config));
        match made {
            // What is late is told once, until it is another thing.
            Ok(collected) if collected.judged.is_empty() && (collected.late.is_empty() || collected.late == late) => {}
            Ok(collected) if context.is_json() => {
                late.clone_from(&collected.late);
                let line = serde_json::to_string(&screen::drift::CollectReport::of(&collected));
                show(&(line.map_err(|error| Failure::new("bug", error))? + "\n"))?;
            }
            Ok(collected) => {
                late.clone_from(&collected.late);
                let mut page = context.page();
                screen::drift::collected(&mut page, &collected);
                show(&page.finish())?;
            }
            // The next step may do what this one could not.
            Err(failure) => show(&if context.is_json() { failure.json() } else { failure.screen(context.width) })?,
        }
        let nap = clock::Stopwatch::start();
        while !context.cancel.is_cancelled() && nap.elapsed() < NAP {
            std::thread::sleep(BLINK);
        }
    }
    Ok(Answer::yes(String::new()))
}

fn push(context: &Context, kpi: &str, id: &str) -> Result<Answer> {
    let repository = context.place.repository()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    if kpi.is_empty() || kpi.len() > 100 || !kpi.chars().all(is_name) {
        return Err(Failure::new("usage", format!("`{}` is no name of a KPI", kpi.escape_debug())));
    }
    if id.len() > 100 || !id.chars().all(|c| is_name(c) || c == '-') {
        return Err(Failure::new("usage", format!("`{}` is no name of a push", id.escape_debug()))
            .help("it has letters, digits, `_`, `-` and dots"));
    }
    let mut text = String::new();
    std::io::stdin()
        .take(MAX_PUSH as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|error| Failure::new("input", format!("standard input cannot be read: {error}")))?;
    if text.len() > MAX_PUSH {
        return Err(
            Failure::new("input", format!("more than {} MiB were pushed", MAX_PUSH >> 20)).help("push in pieces")
        );
    }
    let points = spool::parse(&text, clock::now().as_second()).map_err(|why| {
        Failure::new("input", format!("{why}, so nothing is taken"))
            .help("write 0.95, 190/200, or 2026-11-26T10:00:00Z 0.95")
    })?;
    if points.is_empty() {
        return Err(Failure::new("input", "nothing was pushed"));
    }
    Spool::at(&collect::directory(repository)).append(kpi, id, &points)?;
    let report = screen::drift::PushReport::new(kpi, points.len());
    if context.is_json() {
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    page.line(0, report.in_words());
    Ok(Answer::yes(page.finish()))
}

fn status(context: &Context, args: &StatusArgs) -> Result<Answer> {
    let repository = context.place.repository()?;
    let now = moment(args.as_of.as_deref())?;
    let recorded = journal::recorded(repository)?;
    let past = recorded.as_ref().map(Past::read).transpose()?.unwrap_or_default();
    let seen = if args.all { Seen::All } else { Seen::Open };
    let report = Report::of(&past, now, seen, &collect::waiting(repository));
    let code = report.code();
    if let Some(path) = &args.html {
        let path = context.place.absolute(path);
        files::write_atomic(&path, screen::chart::page(&report).as_bytes())?;
        if !context.is_json() {
            let mut page = context.page();
            page.line(0, format!("wrote {}", quoted(&path)));
            return Ok(Answer { text: page.finish(), code });
        }
    }
    if context.is_json() {
        return Ok(Answer { code, ..Answer::json(&report, true)? });
    }
    let mut page = context.page();
    screen::drift::status(&mut page, &report);
    Ok(Answer { text: page.finish(), code })
}
