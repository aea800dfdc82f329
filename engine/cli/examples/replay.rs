//! Replays the last commits of a repository and holds each plan against others: `replay CHECKOUT COMMITS MODE [RULES]`.
//!
//! MODE `time` plans every commit in one process, with what an earlier process remembered, and takes the time beside
//! `git log -p`. MODE `scratch` compares every plan, byte for byte, with one that nothing was kept for, and graphs too. MODE `reference`
//! compares with the reference evaluator as well: of every commit, or with `reference:M/N` of those whose number leaves
//! the rest M when divided by N. MODE `plans` prints a digest of every plan, to be compared with those of another version. RULES is a directory of rules, else the project's own or the floor judge.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measuring tool, outside the product: it takes times, runs git and prints"
)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use grace_engine::input::Input;
use grace_engine::plan::{Plan, Side};
use grace_engine::reference::{Answer, evaluate};
use grace_engine::{Ahead, Engine};
use grace_graph::change::{Content, parts};
use grace_graph::facts::Language;
use grace_graph::graph::{Anew, CodeGraph};
use grace_graph::store::FactStore;
use grace_rules::failure::Failure;
use grace_rules::load::replay::Replay;
use grace_rules::load::{Cache, Place};
use grace_system::git::{CommitId, CommitRange};
use grace_system::process::Cancel;

#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The day on which every plan is made: plans are compared, and rules may have dates.
const AS_OF: i64 = 1_780_000_000;
/// Steps that are read before they are planned.
const READ_AHEAD: usize = 2;
/// Differences that are shown of one commit.
const MOST_SHOWN: usize = 12;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let differences = match arguments.as_slice() {
        [checkout, commits, mode] => run(checkout, commits, mode, None),
        [checkout, commits, mode, rules] => run(checkout, commits, mode, Some(Path::new(rules))),
        _ => Err(Failure::new("usage", "expected CHECKOUT COMMITS time|plans|scratch|reference[:M/N] [RULES]")),
    };
    match differences {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(failure) => {
            println!("{}", failure.message);
            ExitCode::from(2)
        }
    }
}

/// Which commits the reference is asked of.
#[derive(Clone, Copy)]
enum Asked {
    None,
    Share { rest: usize, of: usize },
}

impl Asked {
    fn of(mode: &str) -> Option<Self> {
        if mode == "scratch" {
            return Some(Self::None);
        }
        let share = mode.strip_prefix("reference")?;
        let (rest, of) = match share.strip_prefix(':') {
            Some(share) => share.split_once('/')?,
            None => ("0", "1"),
        };
        let (rest, of) = (rest.parse().ok()?, of.parse().ok()?);
        (rest < of).then_some(Self::Share { rest, of })
    }

    fn holds(self, number: usize) -> bool {
        matches!(self, Self::Share { rest, of } if number % of == rest)
    }
}

fn run(checkout: &str, commits: &str, mode: &str, rules: Option<&Path>) -> Result<usize, Failure> {
    let count: usize = commits.parse().map_err(|_| Failure::new("usage", "the number of commits is no number"))?;
    let place = Place::find(Some(Path::new(checkout)), &Cancel::new())?;
    let repository = place.repository()?;
    let until = repository.resolve("HEAD")?;
    let range = CommitRange { after: None, until, first_parent: true, limit: count.saturating_add(1) };
    let mut ids: Vec<CommitId> = repository.commits(range)?.into_iter().map(|commit| commit.id).collect();
    ids.reverse();
    if mode == "time" {
        return time(&place, &ids, rules).map(|()| 0);
    }
    if mode == "plans" {
        return plans(&place, &ids, rules).map(|()| 0);
    }
    let asked = Asked::of(mode).ok_or_else(|| Failure::new("usage", format!("`{mode}` is no mode")))?;
    compare(&place, &ids, rules, asked)
}

/// Prints a digest of the plan of every step.
fn plans(place: &Place, ids: &[CommitId], rules: Option<&Path>) -> Result<(), Failure> {
    let Some((&first, steps)) = ids.split_first() else { return Ok(()) };
    let mut replay = Replay::start(place, first, rules, AS_OF, Cache::Used)?;
    let mut engine = Engine::new(Arc::clone(replay.store()));
    replay.along(steps, |_, to, input| {
        engine.update(input);
        println!("{to} {}", blake3::hash(text(&engine.plan()).as_bytes()));
    })
}

/// Plans every step; facts come from the user's cache and go there.
fn time(place: &Place, ids: &[CommitId], rules: Option<&Path>) -> Result<(), Failure> {
    let Some((&first, steps)) = ids.split_first() else { return Ok(()) };
    let log = log_time(place, steps.len())?;
    let start = Instant::now();
    let mut replay = Replay::start(place, first, rules, AS_OF, Cache::Used)?;
    let mut engine = Engine::new(Arc::clone(replay.store()));
    let (mut loading, mut updating, mut planning) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let mut took = Vec::with_capacity(steps.len());
    let started = start.elapsed();
    let mut anew: BTreeMap<Anew, usize> = BTreeMap::new();
    let mut plan = |input: Input, ahead: &Ahead| {
        let at = Instant::now();
        engine.update_ahead(input, ahead);
        let updated = at.elapsed();
        let _ = engine.plan();
        updating += updated;
        planning += at.elapsed() - updated;
        took.push(at.elapsed());
        if let Some(why) = ahead.built_because() {
            *anew.entry(why).or_default() += 1;
        }
    };
    // The next steps are read, and their graphs made, while one is planned.
    let (send, steps_read) = std::sync::mpsc::sync_channel(READ_AHEAD);
    let (read, work) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (send, mut ahead, mut ended) = (send, Ahead::default(), false);
            let read = replay.along(steps, |replay, _, input| {
                ahead.follow(replay.store(), &input.after);
                ended = ended || send.send((input, ahead.clone())).is_err();
            });
            (read, ahead.work())
        });
        let mut waiting = Instant::now();
        for (input, ahead) in steps_read {
            loading += waiting.elapsed();
            plan(input, &ahead);
            waiting = Instant::now();
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    read?;
    let all = start.elapsed();
    let keeping = Instant::now();
    replay.keep();
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
    let extracted = replay.store().extractions();
    println!("{} commits in {:.2?}: {:.2} x `git log -p` ({log:.2?})", steps.len(), all, all.div_duration_f64(log));
    println!(
        "  {extracted} texts were read anew; to start {started:.2?}, then waiting for steps {loading:.2?}, setting them {updating:.2?}, plans {planning:.2?}"
    );
    println!(
        "  a commit: p50 {:.2?}, p90 {:.2?}, p99 {:.2?}; keeping {:.2?}",
        at(50),
        at(90),
        at(99),
        keeping.elapsed()
    );
    println!("  {work:?}; built anew: {anew:?}");
    Ok(())
}

/// What `git log -p` of the Python files takes for the same commits: the better of two, so that the disk is warm.
fn log_time(place: &Place, count: usize) -> Result<Duration, Failure> {
    let mut best = Duration::MAX;
    for _ in 0..2 {
        let start = Instant::now();
        let mut git = Command::new("git");
        git.arg("-C").arg(&place.root).args(["log", "-p", "--first-parent", &format!("-{count}"), "--", "*.py"]);
        let status = git.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.map_err(|error| Failure::new("git", format!("git cannot be run: {error}")))?;
        best = best.min(start.elapsed());
    }
    Ok(best)
}

/// Holds every plan against those that nothing was kept for; counts the commits that differ.
fn compare(place: &Place, ids: &[CommitId], rules: Option<&Path>, asked: Asked) -> Result<usize, Failure> {
    let Some((&first, steps)) = ids.split_first() else { return Ok(0) };
    let mut replay = Replay::start(place, first, rules, AS_OF, Cache::Unused)?;
    let mut engine = Engine::new(Arc::clone(replay.store()));
    let (mut differing, mut referred) = (0, 0);
    let (mut with_engine, mut with_reference) = (Duration::ZERO, Duration::ZERO);
    let mut number = 0;
    replay.along(steps, |replay, to, input| {
        engine.update(input.clone());
        let plan = engine.plan();
        let start = Instant::now();
        let anew = from_scratch(replay.store(), &input);
        with_engine += start.elapsed();
        let mut found = Vec::new();
        if text(&plan) != text(&anew) {
            found.push("the plan after updates is not the one from scratch".to_owned());
            found.extend(differences(&plan, &anew));
        }
        let after = input.after.graph(replay.store());
        if !engine.graph(Side::After).edges().eq(after.edges()) {
            found.push("the graph after repairs is not the one that is built".to_owned());
        }
        if asked.holds(number) {
            referred += 1;
            let start = Instant::now();
            let reference = reference(replay.store(), &input, &after);
            let took = start.elapsed();
            with_reference += took;
            if took > Duration::from_secs(60) {
                println!("{to}: the reference took {took:.0?}");
            }
            let answer = Answer::of_plan(&plan);
            if answer != reference {
                found.push("the plan is not the reference's".to_owned());
                found.extend(answers(&answer, &reference));
            }
        }
        if number % 50 == 49 {
            println!("  ({} compared, {referred} with the reference)", number + 1);
        }
        if !found.is_empty() {
            differing += 1;
            println!("{to} (number {number})");
            found.iter().take(MOST_SHOWN).for_each(|line| println!("  {line}"));
        }
        number += 1;
    })?;
    println!(
        "{} commits: {} compared from scratch ({with_engine:.0?}), {referred} with the reference ({with_reference:.0?}); {differing} differ",
        steps.len(),
        steps.len()
    );
    println!("  {:?}", engine.graph_work());
    Ok(differing)
}

fn from_scratch(store: &Arc<FactStore>, input: &Input) -> Plan {
    let mut engine = Engine::new(Arc::clone(store));
    engine.update(input.clone());
    engine.plan()
}

fn reference(store: &Arc<FactStore>, input: &Input, after: &CodeGraph) -> Answer {
    let changes = parts(&input.change, &mut |path, content| match content {
        Content::Text(text) => Some(store.facts_with_digests(Language::of_path(path)?, text.as_bytes())),
        _ => None,
    });
    evaluate(input, &input.before.graph(store), after, &changes)
}

fn text(plan: &Plan) -> String {
    serde_json::to_string(plan).unwrap_or_else(|error| error.to_string())
}

/// Which top-level fields of two plans differ.
fn differences(plan: &Plan, other: &Plan) -> Vec<String> {
    let fields = [plan, other].map(|plan| serde_json::to_value(plan).unwrap_or_default());
    let Some(names) = fields[0].as_object() else { return Vec::new() };
    let differing = names.iter().filter(|(name, value)| fields[1].get(name.as_str()) != Some(value));
    differing.map(|(name, value)| both(name, value, &fields[1].get(name.as_str()))).collect()
}

fn answers(plan: &Answer, reference: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    let mut line = |what: &str, plan: &dyn Debug, reference: &dyn Debug| {
        let (plan, reference) = (format!("{plan:?}"), format!("{reference:?}"));
        if plan != reference {
            found.push(format!("{what}\n    plan      {}\n    reference {}", short(&plan), short(&reference)));
        }
    };
    for name in plan.rules.keys().chain(reference.rules.keys().filter(|name| !plan.rules.contains_key(*name))) {
        line(&format!("rule {name}"), &plan.rules.get(name), &reference.rules.get(name));
    }
    for (name, tests) in &plan.selected {
        let empty = Default::default();
        let others = reference.selected.get(name).unwrap_or(&empty);
        let only: Vec<&String> = tests.difference(others).take(8).collect();
        let lacking: Vec<&String> = others.difference(tests).take(8).collect();
        line(&format!("selected of {name}"), &only, &lacking);
    }
    line("tier", &plan.tier, &reference.tier);
    line("approvals", &plan.approvals, &reference.approvals);
    line("bundles", &plan.bundles, &reference.bundles);
    line("validations", &plan.validations, &reference.validations);
    line("principles", &plan.principles, &reference.principles);
    line("duties", &plan.duties, &reference.duties);
    line("intents", &plan.intents, &reference.intents);
    line("trust", &plan.trust, &reference.trust);
    line("denials", &plan.denials, &reference.denials);
    line("unknown", &plan.unknown, &reference.unknown);
    line("after the run", &plan.after_run, &reference.after_run);
    found
}

fn both(name: &str, one: &dyn Debug, other: &dyn Debug) -> String {
    format!("{name}\n    one   {}\n    other {}", short(&format!("{one:?}")), short(&format!("{other:?}")))
}

fn short(text: &str) -> String {
    text.chars().take(400).collect()
}
