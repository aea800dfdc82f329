//! `audit cycle` and `audit review`: every so many actions what was done is looked at as a whole, and a person signs that it may stand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use grace_engine::Engine;
use grace_engine::decide::BundleOutcome;
use grace_engine::input::Book;
use grace_govern::cycle::{self, ActionSaid, CycleSaid, Loop, Reviewing, Since};
use grace_govern::envelope::{self, Makers, Says, Statement};
use grace_govern::guardrails::{self, Finding, Syntax};
use grace_govern::journal::{self, About, Event, HaltSaid, Journal};
use grace_govern::probes;
use grace_govern::shelf::{self, Place as Shelf};
use grace_graph::change::{Change, Content};
use grace_graph::diff::line_diff;
use grace_system::git::{GitError, Repository};
use grace_system::{clock, files};
use jiff::{Timestamp, ToSpan as _};
use schemars::JsonSchema;
use serde::Serialize;

use super::approve::{Kept, Said, refuse_suppositions, said_it, signer};
use super::carrying::{Carried, Carrying, Workplace};
use super::keeping::{Keeper, take_in};
use super::observing::Observed;
use super::plan::engine;
use super::run::about;
use super::{Answer, Context};
use crate::args::{ChangeArgs, CycleArgs, ReviewArgs};
use crate::failure::{Failure, Result};
use crate::load::{self, Cache, Loaded, people};
use crate::screen;

/// How long a review counts, in days: the next cycle comes long before.
const DAYS: i64 = 365;

/// A cycle as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CycleReport<'a> {
    schema: &'static str,
    version: u32,
    /// Actions since the cycle before, and how many make one.
    actions: usize,
    every: u32,
    /// Its number in the ledger; absent where none was made.
    seq: Option<u64>,
    /// SHA-256 of its record: what reviewers sign.
    digest: Option<&'a str>,
    cycle: Option<&'a CycleSaid>,
    /// Nothing goes any more until a person lifts it.
    halted: bool,
    notices: Vec<String>,
}

pub(super) fn cycle(context: &Context, args: &CycleArgs) -> Result<Answer> {
    let repository = context.place.repository()?;
    let ledger = journal::recorded(repository)?.ok_or_else(nothing_recorded)?;
    let audit = audit_of(load::book_at(&context.place, &args.base)?.as_ref())?;
    let since = Since::read(&ledger, &audit)?;
    let done = cycle::together(&since.actions);
    if since.actions.is_empty() || !(args.now || since.is_due(&audit)) {
        return not_due(context, &since, &audit);
    }
    let change = as_touched(context, repository, &args.base, &done.files)?;
    let (engine, loaded) = engine(context, &change, Cache::Unused)?;
    let teams = people::lifters(&loaded);
    let reviewing = Reviewing { signers: &loaded.signers, teams: &teams, at: clock::now() };
    last_is_reviewed(repository, &since, &audit, &reviewing)?;

    let journal = Journal::open(repository, args.actor.as_deref())?;
    let keeper = Arc::new(Mutex::new(Keeper { journal, cancel: context.cancel.clone(), failure: None }));
    let again = run_again(context, &engine, &loaded, &audit, &keeper)?;
    let journal = &keeper.lock().unwrap_or_else(PoisonError::into_inner).journal;
    let signs = cycle::signs(&since.actions, &audit);
    let models = match audit.compares {
        Some(limits) => probes::compared(&journal::probes(&ledger)?, limits),
        None => Vec::new(),
    };
    let failures = cycle::failures(&again.outcomes, &signs, &models);
    let said = CycleSaid {
        number: since.next(),
        until: ledger.len(),
        is_theirs: since.actions.iter().any(|(_, action)| action.about.tree == again.tree),
        run: again.run,
        actions: since.actions.iter().map(|(seq, _)| *seq).collect(),
        tree: again.tree,
        commit: repository.head()?.map(|commit| commit.to_string()),
        files: done.files.into_iter().collect(),
        lines_added: done.lines_added,
        lines_removed: done.lines_removed,
        halted: !failures.is_empty() && audit.halts,
        failures,
        bundles: again.outcomes,
        signs,
        models,
        by: done.by,
        unproved: done.unproved,
        retrospective: cycle::retrospective(&ledger, &since, args.note.clone())?,
        judged_by: audit.clone(),
    };
    let seq = record(repository, journal, &said)?;
    let after = Since::read(&journal.read()?, &audit)?;
    let digest = after.last.as_ref().map(|(_, digest, _)| digest.as_str());
    let taken = take_in(repository, journal);
    let code = u8::from(!said.failures.is_empty());
    if context.is_json() {
        let report = CycleReport {
            schema: "grace-rules/audit-cycle",
            version: 1,
            actions: since.actions.len(),
            every: audit.every,
            seq,
            digest,
            cycle: Some(&said),
            halted: said.halted,
            notices: taken.late.into_iter().chain(taken.notices).collect(),
        };
        return Ok(Answer { code, ..Answer::json(&report, true)? });
    }
    let digest = digest.unwrap_or_default();
    let missing = reviewing.missing(&audit, &said, digest, &Default::default());
    let missing = missing.into_iter().map(|(team, count)| (cycle::review_command(digest, &team), team, count));
    let missing: Vec<(String, String, u32)> = missing.collect();
    let mut page = context.page();
    screen::cycle::cycle(&mut page, &said, seq, &audit, &missing);
    screen::run::taken_in(&mut page, taken.late.as_deref(), &taken.notices);
    Ok(Answer { text: page.finish(), code })
}

/// A cycle that nobody has looked at yet comes first.
fn last_is_reviewed(repository: &Repository, since: &Since, audit: &Loop, reviewing: &Reviewing<'_>) -> Result<()> {
    let Some((_, digest, last)) = &since.last else { return Ok(()) };
    match reviewing.missing(audit, last, digest, &people::reviews(repository, since)?).first_key_value() {
        None => Ok(()),
        Some((team, _)) => {
            Err(Failure::new("approval", format!("cycle {} waits for its review, and comes first", last.number))
                .help(cycle::review_command(digest, team)))
        }
    }
}

/// The bundles of what was touched, run whole in the work tree as it is.
struct Again {
    run: String,
    /// Digest of the work tree.
    tree: String,
    outcomes: BTreeMap<String, BundleOutcome>,
}

fn run_again(
    context: &Context,
    engine: &Engine,
    loaded: &Loaded,
    audit: &Loop,
    keeper: &Arc<Mutex<Keeper>>,
) -> Result<Again> {
    let repository = context.place.repository()?;
    let plan = {
        let _working = context.progress.spinner("planning");
        engine.plan()
    };
    let asked: BTreeSet<&str> = plan.bundles.iter().map(|bundle| bundle.name.as_str()).collect();
    let mut bundles = if audit.reruns { engine.every_bundle() } else { Vec::new() };
    bundles.retain(|bundle| asked.contains(bundle.name.as_str()));

    let workplace = Workplace::open(context)?;
    let about = about(repository, &plan, loaded)?;
    let run = format!("cycle-{}", journal::run_id(clock::now()));
    let mut carried = Carried::default();
    if !bundles.is_empty() {
        let carrying = Carrying {
            context,
            run: &run,
            about: &about,
            keeper,
            observed: &Observed::default(),
            recording: None,
            tree: &context.place.root,
            scratch: workplace.path(),
        };
        carrying.round(&bundles, &mut carried);
    }
    if let Some(failure) = keeper.lock().unwrap_or_else(PoisonError::into_inner).failure.take() {
        return Err(failure);
    }
    // What was stopped says nothing of what was done: it is due still.
    if carried.is_cancelled() || context.cancel.is_cancelled() {
        return Err(GitError::Cancelled.into());
    }
    if load::tree::digest(repository, &loaded.after)? != about.tree {
        return Err(Failure::new("input", "the work tree changed while its bundles ran").help("make the cycle again"));
    }
    Ok(Again { run, tree: about.tree, outcomes: carried.outcomes })
}

/// Records a cycle, and in the same append its halt; gives the number of its record.
fn record(repository: &Repository, journal: &Journal, said: &CycleSaid) -> Result<Option<u64>> {
    let halt = if said.halted { Some(halt(said)?) } else { None };
    let mut events = vec![Event::Cycle(Box::new(said.clone()))];
    events.extend(
        halt.iter().map(|(bytes, _)| Event::Halt(HaltSaid { envelope: String::from_utf8_lossy(bytes).into_owned() })),
    );
    let receipts = journal.append(&events)?;
    // In the ledger it halts here; on the shelf it halts wherever it is fetched.
    if let Some((bytes, digest)) = &halt {
        shelf::put(repository, &Shelf::Halts, digest, bytes)?;
    }
    Ok(receipts.first().map(|receipt| receipt.seq))
}

fn nothing_recorded() -> Failure {
    Failure::new("ledger", "nothing is recorded here, or by another key").help("grace-rules run records what it does")
}

fn audit_of(book: Option<&Book>) -> Result<Loop> {
    book.and_then(Loop::of).ok_or_else(|| {
        Failure::new("input", "the rules of the base hold no `audit` item")
            .help("write one, or adopt one: adopt grace.telemetry")
    })
}

/// The files that were touched and are still there, or were at the base, as changed in an unknown way.
fn as_touched(
    context: &Context,
    repository: &Repository,
    base: &str,
    touched: &BTreeSet<String>,
) -> Result<ChangeArgs> {
    let tree = repository.tree(repository.resolve(base)?)?;
    let before: BTreeSet<String> = tree.into_iter().map(|entry| entry.path).collect();
    let root = &context.place.root;
    let there = |path: &&String| before.contains(*path) || files::stat_in(root, path).is_ok();
    let named: Vec<PathBuf> = touched.iter().filter(there).map(|path| root.join(path)).collect();
    let base = Some(base.to_owned());
    Ok(ChangeArgs { base, worktree: named.is_empty(), files: named, ..ChangeArgs::default() })
}

fn not_due(context: &Context, since: &Since, audit: &Loop) -> Result<Answer> {
    let actions = since.actions.len();
    if context.is_json() {
        let report = CycleReport {
            schema: "grace-rules/audit-cycle",
            version: 1,
            actions,
            every: audit.every,
            seq: None,
            digest: None,
            cycle: None,
            halted: false,
            notices: Vec::new(),
        };
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    screen::cycle::not_due(&mut page, actions, audit);
    Ok(Answer::yes(page.finish()))
}

/// The halt of a cycle that failed: no person signs it, and it counts whoever does.
fn halt(said: &CycleSaid) -> Result<(Vec<u8>, String)> {
    let because = said.failures.join("; ");
    let because = because.char_indices().nth(2000).map_or(because.as_str(), |(end, _)| &because[..end]);
    let by = format!("audit cycle {}", said.number);
    let cycle = Makers { by: said.by.clone(), unproved: said.unproved };
    let says = Says::Halt { cycle: Some(cycle) };
    let statement = Statement::new(&by, clock::now(), Timestamp::MAX, Some(because.to_owned()), says);
    Ok(envelope::seal_as_nobody(&statement)?)
}

pub(super) fn review(context: &Context, args: &ReviewArgs) -> Result<Answer> {
    let change = &args.change;
    refuse_suppositions(change, "a review")?;
    let repository = context.place.repository()?;
    let (_, loaded) = engine(context, change, Cache::Unused)?;
    let audit = audit_of(loaded.rules[0].as_ref())?;
    let ledger = journal::recorded(repository)?.ok_or_else(nothing_recorded)?;
    let since = Since::read(&ledger, &audit)?;
    let (_, digest, last) = since.last.as_ref().ok_or_else(|| {
        Failure::new("input", "there is no cycle to review").help("grace-rules audit cycle makes one where it is due")
    })?;
    // What is signed is what was looked at, not whatever is the newest meanwhile.
    if args.cycle.len() < cycle::DIGITS || !digest.starts_with(&args.cycle.to_ascii_lowercase()) {
        let short = digest.get(..cycle::DIGITS).unwrap_or(digest);
        return Err(Failure::new("input", format!("the newest cycle is {}: {short}", last.number))
            .help("only the newest one waits for review; look at it first: grace-rules audit show"));
    }
    if last.halted {
        return Err(Failure::new("input", format!("cycle {} failed, and halted", last.number))
            .help("people lift it: grace-rules gate says who, and how"));
    }
    let now = clock::now();
    let (file, person) = signer(context, &args.sign, &loaded, now)?;
    let teams = people::lifters(&loaded);
    let asked: Vec<&str> = audit.reviews.keys().map(String::as_str).collect();
    let team = match (&args.team, asked.as_slice()) {
        (Some(team), _) => team.clone(),
        (None, [team]) => (*team).to_owned(),
        (None, []) => return Err(Failure::new("input", "the rules ask nobody to review a cycle")),
        (None, _) => {
            return Err(Failure::new("usage", format!("teams {} are asked", asked.join(", ")))
                .help("say in the name of which with --as"));
        }
    };
    let reviewing = Reviewing { signers: &loaded.signers, teams: &teams, at: now };
    if let Some(why) = reviewing.refuses(&person, &team, last) {
        return Err(Failure::new("approval", why).help(format!("asked: {}", asked.join(", "))));
    }
    let of = format!("cycle {}", last.number);
    let (says, said, until) = match args.reject {
        true => (
            Says::Halt { cycle: Some(Makers { by: last.by.clone(), unproved: last.unproved }) },
            "halt",
            Timestamp::MAX,
        ),
        false => {
            let until = now.checked_add((DAYS * 24).hours()).map_err(|error| Failure::new("bug", error))?;
            (Says::Review { cycle: digest.clone(), r#as: team }, "review", until)
        }
    };
    let because = if args.reject { format!("{of} is not approved: {}", args.because) } else { args.because.clone() };
    let statement = Statement::new(&person.name, now, until, Some(because), says);
    let kept = if args.reject {
        super::halting::keep(repository, &statement, &file, change.actor.as_deref())?
    } else {
        let (bytes, name) = envelope::seal(&statement, &file, repository.root())?;
        let reference = shelf::put(repository, &Shelf::Reviews(digest.clone()), &name, &bytes)?;
        Kept { digest: name, reference }
    };
    said_it(context, &Said { said, of: &of, statement: &statement, kept: &kept, file: &file, decision: None })
}

/// What a run was, as an action.
pub(super) struct Acted<'a> {
    pub(super) run: &'a str,
    pub(super) about: &'a About,
    pub(super) loaded: &'a Loaded,
    pub(super) plan: &'a grace_engine::plan::Plan,
    pub(super) carried: &'a Carried,
    pub(super) intents: &'a [String],
    pub(super) models: Vec<String>,
    pub(super) end: &'a str,
    pub(super) by: BTreeSet<String>,
    pub(super) unproved: bool,
    pub(super) signs: Vec<Finding>,
}

impl Acted<'_> {
    pub(super) fn said(self) -> ActionSaid {
        let tests = |count: fn(&grace_runner::BundleOutcome) -> u32| self.carried.bundles.iter().map(count).sum();
        ActionSaid {
            run: self.run.to_owned(),
            about: self.about.clone(),
            operation: self.loaded.inputs.operation.clone(),
            files: self.loaded.changed.clone(),
            lines_added: self.plan.change.lines_added,
            lines_removed: self.plan.change.lines_removed,
            intents: self.intents.to_vec(),
            models: self.models,
            tests: tests(|bundle| bundle.executed),
            passed: tests(|bundle| bundle.passed),
            end: self.end.to_owned(),
            by: self.by,
            unproved: self.unproved,
            signs: self.signs,
        }
    }
}

/// What the guardrails see in the lines that a change adds; `None` where it adds to no file that they read.
pub(super) fn signs(change: &Change) -> Option<Vec<Finding>> {
    let mut found = Vec::new();
    let mut looked = false;
    for file in &change.files {
        let Some(after) = &file.after else { continue };
        let Content::Text(text) = &after.content else { continue };
        let before = match file.before.as_ref().map(|side| &side.content) {
            Some(Content::Text(text)) => text,
            _ => "",
        };
        let added: BTreeSet<u32> = line_diff(before, text).into_iter().flat_map(|hunk| hunk.added).collect();
        looked |= !added.is_empty() && Syntax::of(&after.path).is_some();
        // So many of one kind hide none of another.
        for finding in guardrails::look(&after.path, text, &added) {
            let of_its_kind = found.iter().filter(|known: &&Finding| known.guardrail == finding.guardrail).count();
            if of_its_kind < cycle::MOST_SIGNS {
                found.push(finding);
            }
        }
    }
    looked.then_some(found)
}
