//! `run`: carries out a plan's bundles and keeps what happened. Each bundle's outcome is on disk before it is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grace_engine::decide::{self, Decision};
use grace_engine::plan::{BookSide, BundleForm, BundlePlan, Plan};
use grace_engine::trust;
use grace_govern::agreement::Heard;
use grace_govern::journal::{self, About, Event as Said, Journal, PlanSaid, RanBundle, RunSaid};
use grace_govern::story;
use grace_runner::{BundleOutcome, BundleStatus, Event, Job, Settings};
use grace_system::git::GitError;
use grace_system::{clock, env, files, git, process};
use schemars::JsonSchema;
use serde::Serialize;

use super::keeping::{Keeper, said, take_in};
use super::observing::{Observed, ObservedBundle};
use super::plan::{PlanReport, engine};
use super::recording::{Before, RecordedBundle, Recording};
use super::{Answer, Context};
use crate::args::RunArgs;
use crate::failure::{Failure, Result};
use crate::load::reach::{self, Runs};
use crate::load::{self, Cache, Head, Source, people, told};
use crate::screen;

/// Bundles that run at the same time, at most: tests start processes of their own.
const MOST_AT_ONCE: usize = 4;
/// Largest file of a tree that is written out to be run, in bytes.
const MAX_FILE: u64 = 256 << 20;

/// A run as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RunReport<'a> {
    schema: &'static str,
    version: u32,
    run: &'a str,
    plan: &'a str,
    tier: u8,
    passed: bool,
    bundles: &'a [BundleOutcome],
    after_run: &'a [(String, grace_engine::plan::Truth)],
    decision: &'a Decision,
    stored: bool,
    /// Of bundles that ran whole because their tier observes: what leaving tests out would have come to.
    observed: Vec<ObservedBundle>,
    /// With `--record`: what was recorded of each bundle.
    recorded: &'a [RecordedBundle],
    notices: Vec<String>,
}

pub(super) fn run(context: &Context, run: &RunArgs) -> Result<Answer> {
    let args = &run.change;
    if args.rules.is_some() {
        return Err(Failure::new(
            "input",
            "`run` takes no `--rules`: what is run is decided by the rules of this change",
        )
        .help("try rules out with: grace-rules plan --rules DIR"));
    }
    if args.as_of.is_some() {
        return Err(Failure::new("input", "`run` takes no `--as-of`: what is run is judged by today's date")
            .help("see what another day would ask with: grace-rules plan --as-of DATE"));
    }
    if args.diff.is_some() || !args.files.is_empty() {
        return Err(Failure::new("input", "`run` needs a tree to run in: the work tree, what is staged, or a commit")
            .help("apply the diff first, or name a commit with --head"));
    }
    // What stands in for a repository elsewhere, `run` does not take.
    let repository = context.place.repository().map_err(|failure| match context.place.repository {
        Err(GitError::NotARepository { .. }) => failure.help("run inside a repository; git init makes one"),
        Err(GitError::NoGit) => failure.help("install git"),
        _ => failure,
    })?;
    // A plan that is acted upon believes no cache.
    let (engine, loaded) = engine(context, args, Cache::Unused)?;
    let mut plan = {
        let _working = context.progress.spinner("planning");
        engine.plan()
    };
    let every = if run.all { engine.every_bundle() } else { Vec::new() };
    // Where a tier observes, what is narrowed runs whole, and what that would have missed is recorded.
    let observed = Observed::of(&plan, &engine);
    let past = loaded.past.clone();
    let judge = |plan: &Plan, outcomes: &BTreeMap<String, decide::BundleOutcome>| {
        let trust = trust::count(loaded.books(), plan, outcomes, &past);
        decide::decide(plan, outcomes, &past, &Default::default(), trust_of(trust.as_ref()))
    };
    let mut decision = judge(&plan, &BTreeMap::new());
    let end = End::of(&[], &decision);
    if !plan.denials.is_empty() || (plan.bundles.is_empty() && every.is_empty() && decision.still_to_run.is_empty()) {
        if context.is_json() {
            let report = report("", &plan, &[], &decision, true, &[], Vec::new());
            return Ok(Answer { code: end.code(), ..Answer::json(&report, true)? });
        }
        let mut page = context.page();
        screen::run::nothing(&mut page, &plan, &decision);
        return Ok(Answer { text: page.finish(), code: end.code() });
    }
    // From here on there are things to bring to an end: a tree written out, children, records.
    let _held = context.cancel.hold();
    // Where it cannot be started, only a run that is killed by force leaves its children behind.
    let scratch = files::temporary_dir()?;
    let _guard = env::current_exe().and_then(|program| process::guarded(&program, &["guard"], scratch.path())).ok();
    let tree = tree(repository, &context.place.root, scratch.path(), &loaded)?;
    let recording = run.record.then(|| Recording::of(reach::digests(&context.place.root, repository, &loaded.after)));
    let started = clock::now();
    let run_id = format!("{}-{}", started.strftime("%Y%m%dT%H%M%S%.6fZ"), std::process::id());
    // Nothing is started that could not be recorded.
    let journal = Journal::open(repository, args.actor.as_deref())?;
    let about = about(repository, &plan, &loaded)?;
    let json =
        serde_json::to_string(&PlanReport::new(&plan, &loaded, None)).map_err(|error| Failure::new("bug", error))?;
    let planned = PlanSaid { run: run_id.clone(), about: about.clone(), inputs: loaded.inputs.clone(), json };
    journal.append(&[Said::Plan(planned)])?;

    let keeper = Arc::new(Mutex::new(Keeper { journal, cancel: context.cancel.clone(), failure: None }));
    let round = |bundles: &[BundlePlan]| {
        let (jobs, names) = jobs(bundles);
        let display = Arc::new(context.progress.bundles(
            jobs.iter().map(|job| (job.bundle.as_str(), job.timeout_all, job.selected.as_ref().map_or(0, Vec::len))),
        ));
        let events = {
            let (keeper, display, names, run_id, about) =
                (Arc::clone(&keeper), Arc::clone(&display), names.clone(), run_id.clone(), about.clone());
            let (recording, observing) = (recording.clone(), observed.clone());
            let commands: BTreeMap<String, Runs> =
                jobs.iter().map(|job| (job.bundle.clone(), runs(job, &names))).collect();
            Arc::new(move |event: Event| {
                if let Some(recording) = &recording {
                    recording.hear(&event, &commands);
                }
                if let Event::Finished { outcome } = &event {
                    let bundle = names.get(&outcome.bundle).map_or(outcome.bundle.as_str(), String::as_str);
                    let mut all = vec![Said::Bundle(said(&run_id, &about, bundle, outcome))];
                    all.extend(observing.see(&run_id, &about, bundle, outcome).map(Said::Selection));
                    // What is shown is on disk.
                    if !keeper.lock().unwrap_or_else(PoisonError::into_inner).say(&all) {
                        return;
                    }
                }
                display.show(&event);
            })
        };
        let settings = Settings {
            jobs: at_once(),
            scratch: Some(scratch.path().to_path_buf()),
            record: recording.is_some(),
            cancel: context.cancel.clone(),
            events,
            ..Settings::new(&tree)
        };
        let outcome = grace_runner::run(&jobs, &settings);
        display.finish();
        (outcome.bundles, names)
    };
    let (planned, mut to_run) = (plan.clone(), observed.whole(&plan.bundles));
    to_run.retain(|bundle| !every.iter().any(|whole| whole.name == bundle.name));
    to_run.extend(every);
    let mut bundles: Vec<BundleOutcome> = Vec::new();
    let mut outcomes = BTreeMap::new();
    // Which tests of each bundle ran: all of them, where it ran whole although it was narrowed.
    let mut ran_as: BTreeMap<String, Option<String>> = BTreeMap::new();
    // What rules ask for after the run is run as well, until they ask for no more.
    loop {
        ran_as.extend(to_run.iter().map(|bundle| (bundle.name.clone(), journal::tests_of(bundle))));
        let (ran, names) = round(&to_run);
        bundles.retain(|seen| !ran.iter().any(|new| new.bundle == seen.bundle));
        outcomes.extend(outcomes_of(&ran, &names));
        bundles.extend(ran);
        decision = judge(&plan, &outcomes);
        to_run = observed.whole(&plan.after_run_bundles);
        to_run.retain(|bundle| decision.still_to_run.contains(&bundle.name));
        if to_run.is_empty() || bundles.iter().any(|bundle| bundle.status == BundleStatus::Cancelled) {
            break;
        }
        plan.bundles.retain(|bundle| !to_run.iter().any(|more| more.name == bundle.name));
        plan.bundles.extend(to_run.iter().cloned());
    }

    let recorded = recording.as_ref().map_or_else(Vec::new, |recording| {
        let before = Before { past: &past.reach, holds: &engine.still_recorded() };
        recording.keep(&tree, repository, &loaded.memory.store, &run_id, &before)
    });
    let trust = trust::count(loaded.books(), &plan, &outcomes, &past);
    // Once it was interrupted, git answers no more.
    let mut heard = Heard::default();
    let mut commits = Vec::new();
    // What git cannot say now is said at the end: what was run is recorded first.
    let mut unheard = None;
    if !context.cancel.is_cancelled() {
        match people::commits(repository, loaded.head, loaded.base) {
            Ok(found) => commits = found,
            Err(failure) => unheard = Some(failure),
        }
        if !decision.asked.is_empty() {
            match people::heard(repository, &loaded, &plan, &decision, clock::now()) {
                Ok(found) => heard = found,
                Err(failure) => unheard = Some(failure),
            }
        }
        decision = decide::decide(&plan, &outcomes, &past, &heard.agreed, trust_of(trust.as_ref()));
    }
    let end = End::of(&bundles, &decision);
    let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
    let finished = clock::now();
    let ran = |(name, outcome): (&String, &decide::BundleOutcome)| {
        (name.clone(), RanBundle { outcome: *outcome, tests: ran_as.get(name).cloned().flatten() })
    };
    let facts = story::Facts {
        run: &run_id,
        about: &about,
        plan: &plan,
        decision: &decision,
        bundles: &bundles.iter().map(in_words).collect::<Vec<_>>(),
        approvals: &heard.approvals,
        files: &loaded.changed,
        commits: &commits,
        at: &finished.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        compared: &loaded.compared,
        trust: trust.as_ref(),
    };
    let told = story::tell(&facts, &told::all(&loaded.given, &commits));
    // What ran in a tree that changed meanwhile was no run of it.
    let is_same_tree = loaded.head != Head::WorkTree
        || load::tree::digest(repository, &loaded.after).is_ok_and(|now| now == about.tree);
    if !is_same_tree {
        outcomes.clear();
    }
    let ran = Said::Run(RunSaid {
        run: run_id.clone(),
        exported: loaded.head != Head::WorkTree,
        about: about.clone(),
        started: started.to_string(),
        finished: finished.to_string(),
        end: end.word().to_owned(),
        tier: decision.tier,
        trust,
        bundles: outcomes.iter().map(ran).collect(),
    });
    keeper.say(&[ran, Said::Story(told)]);
    if let Some(failure) = keeper.failure.take().or(unheard) {
        return Err(failure);
    }
    let taken = take_in(repository, &keeper.journal);
    let code = end.code();
    if context.is_json() {
        let mut report = report(&run_id, &planned, &bundles, &decision, taken.late.is_none(), &recorded, taken.notices);
        report.observed = observed.seen();
        return Ok(Answer { code, ..Answer::json(&report, true)? });
    }
    let mut page = context.page();
    screen::run::summary(&mut page, &planned, &bundles, &decision);
    screen::run::observed(&mut page, &observed.seen());
    screen::run::recorded(&mut page, &recorded);
    screen::run::taken_in(&mut page, taken.late.as_deref(), &taken.notices);
    Ok(Answer { text: page.finish(), code })
}

/// What a bundle came to: `chaos_smoke: 6 of 6 passed`.
fn in_words(outcome: &BundleOutcome) -> String {
    let (word, _) = screen::run::status(outcome.status);
    match outcome.executed {
        0 => format!("{}: {word}", outcome.bundle),
        executed => format!("{}: {word}, {} of {executed} passed", outcome.bundle, outcome.passed),
    }
}

fn trust_of(reading: Option<&trust::Reading>) -> decide::Trust {
    reading.map(trust::Reading::trust).unwrap_or_default()
}

/// What is run or decided: the plan, in exactly this tree.
pub(super) fn about(repository: &git::Repository, plan: &Plan, loaded: &load::Loaded) -> Result<About> {
    let tree = load::tree::digest(repository, &loaded.after)?;
    let head = match loaded.head {
        Head::Commit(commit) => Some(commit.to_string()),
        _ => None,
    };
    Ok(About::new(plan, tree, loaded.base.map(|base| base.to_string()), head))
}

/// Bundles that run at the same time on this machine.
pub(super) fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE)
}

/// How a run ended: what is stored of it, its JSON and the exit code all say this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Passed,
    /// Something failed, or a rule denies.
    Failed,
    /// A person stopped it before its end.
    Stopped,
}

impl End {
    fn of(bundles: &[BundleOutcome], decision: &Decision) -> Self {
        let any = |is: &dyn Fn(BundleStatus) -> bool| bundles.iter().any(|bundle| is(bundle.status));
        if decision.answer == decide::Answer::No {
            Self::Failed
        } else if any(&|status| status == BundleStatus::Cancelled) {
            Self::Stopped
        } else if any(&|status| !status.is_pass()) {
            Self::Failed
        } else {
            Self::Passed
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Stopped => 2,
        }
    }
}

fn report<'a>(
    run: &'a str,
    plan: &'a Plan,
    bundles: &'a [BundleOutcome],
    decision: &'a Decision,
    stored: bool,
    recorded: &'a [RecordedBundle],
    notices: Vec<String>,
) -> RunReport<'a> {
    RunReport {
        schema: "grace-rules/run",
        version: 1,
        run,
        plan: &plan.id,
        tier: decision.tier,
        passed: End::of(bundles, decision) == End::Passed,
        bundles,
        after_run: &decision.after_run,
        decision,
        stored,
        observed: Vec::new(),
        recorded,
        notices,
    }
}

/// The tree that is run in: the work tree itself, or what is staged or committed, as it was planned, written out elsewhere.
fn tree(repository: &git::Repository, root: &Path, scratch: &Path, loaded: &load::Loaded) -> Result<PathBuf> {
    let entries = match loaded.head {
        Head::Commit(commit) => repository.tree(commit)?,
        Head::Staged => {
            let entries: Vec<_> = repository.work_tree()?.files.into_iter().filter_map(|file| file.index).collect();
            let is_planned = |entry: &git::TreeEntry| {
                loaded.after.get(&entry.path).is_some_and(|planned| planned.source == Source::Blob(entry.oid))
            };
            if entries.len() != loaded.after.len() || !entries.iter().all(is_planned) {
                return Err(Failure::new("input", "what is staged changed while it was planned").help("run again"));
            }
            entries
        }
        Head::WorkTree | Head::Supposed => return Ok(root.to_path_buf()),
    };
    let directory = scratch.join("tree");
    files::create_dirs(&directory)?;
    let report = repository.export(&entries, &directory, MAX_FILE)?;
    // A tree with holes is another tree. What the change leaves alone (a link that was always there) is no hole of its own.
    if let Some(hole) = report.left_out.iter().find(|hole| loaded.changed.contains(&hole.path)) {
        return Err(Failure::new("file", format!("`{}` is part of the change, and {}", hole.path, hole.message))
            .help("it cannot be written out to be run; run in a checkout of it, and decide with --worktree"));
    }
    Ok(directory)
}

/// The jobs of some bundles, and the bundle that each job's name stands for: a bundle in two forms is two jobs.
fn jobs(bundles: &[BundlePlan]) -> (Vec<Job>, BTreeMap<String, String>) {
    let mut jobs = Vec::new();
    let mut names = BTreeMap::new();
    for bundle in bundles {
        for form in &bundle.forms {
            let name = match (bundle.forms.len(), form.book) {
                (2.., BookSide::Before) => format!("{} (as before)", bundle.name),
                (2.., _) => format!("{} (as changed)", bundle.name),
                _ => bundle.name.clone(),
            };
            names.insert(name.clone(), bundle.name.clone());
            jobs.push(job(name, bundle, form));
        }
    }
    (jobs, names)
}

fn job(name: String, bundle: &BundlePlan, form: &BundleForm) -> Job {
    Job {
        bundle: name,
        critical: bundle.critical,
        setup: (!form.setup.is_empty()).then(|| form.setup.clone()),
        command: form.run.clone(),
        tests: arguments(bundle),
        selected: (!bundle.selected.is_empty()).then(|| bundle.selected.clone()),
        nothing_selected: bundle.runs_nothing(),
        timeout_each: form.timeout_each_ms.map(Duration::from_millis),
        timeout_all: Duration::from_millis(form.timeout_all_ms),
        retries: form.retries,
        min_pass_rate: f64::from(form.pass_rate) / 100_000.0,
    }
}

/// What a job runs, for its record.
fn runs(job: &Job, names: &BTreeMap<String, String>) -> Runs {
    Runs {
        bundle: names.get(&job.bundle).unwrap_or(&job.bundle).clone(),
        run: job.command.clone(),
        setup: job.setup.clone().unwrap_or_default(),
    }
}

/// What `{tests}` stands for: test files that are run whole, and the selected tests of all others. Where every test is
/// selected, all are given as files: the runner then collects what reading could not see, too. Where no test can be read
/// at all, every file of the bundle: its runner may know more.
fn arguments(bundle: &BundlePlan) -> Vec<String> {
    let file_of = |test: &str| test.split_once("::").map_or(test, |(file, _)| file).to_owned();
    let mut arguments: BTreeSet<String> = bundle.whole.iter().cloned().collect();
    let listed = || bundle.tests.iter().filter(|test| test.contains("::"));
    if bundle.selected.len() < listed().count() {
        let of_others = bundle.selected.iter().filter(|test| !bundle.whole.contains(&file_of(test)));
        arguments.extend(of_others.cloned());
    } else {
        arguments.extend(listed().map(|test| file_of(test)));
    }
    if bundle.tests.is_empty() && arguments.is_empty() {
        arguments.extend(bundle.files.iter().cloned());
    }
    arguments.into_iter().collect()
}

/// How each bundle of the plan came out: of two forms, the worse. What had nothing to run has no outcome.
fn outcomes_of(bundles: &[BundleOutcome], names: &BTreeMap<String, String>) -> BTreeMap<String, decide::BundleOutcome> {
    let rank = |outcome: decide::BundleOutcome| match outcome {
        decide::BundleOutcome::Passed => 0,
        decide::BundleOutcome::Flaky => 1,
        decide::BundleOutcome::Cancelled => 2,
        decide::BundleOutcome::Failed => 3,
    };
    let mut all: BTreeMap<String, decide::BundleOutcome> = BTreeMap::new();
    for bundle in bundles {
        let this = match bundle.status {
            BundleStatus::NothingSelected => continue,
            BundleStatus::Passed => decide::BundleOutcome::Passed,
            BundleStatus::Flaky => decide::BundleOutcome::Flaky,
            BundleStatus::Cancelled => decide::BundleOutcome::Cancelled,
            BundleStatus::Failed | BundleStatus::TimedOut | BundleStatus::Error => decide::BundleOutcome::Failed,
        };
        let name = names.get(&bundle.bundle).unwrap_or(&bundle.bundle).clone();
        let worst = all.get(&name).copied().filter(|other| rank(*other) > rank(this)).unwrap_or(this);
        all.insert(name, worst);
    }
    all
}

#[cfg(test)]
mod tests {
    use grace_engine::plan::Sources;

    use super::*;

    fn bundle(tests: &[&str], selected: &[&str], whole: &[&str], files: &[&str]) -> BundlePlan {
        let owned = |list: &[&str]| list.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
        BundlePlan {
            name: "b".to_owned(),
            critical: false,
            forms: Vec::new(),
            narrowed: true,
            tests: owned(tests).into(),
            selected: owned(selected),
            files: owned(files).into(),
            whole: owned(whole),
            widened: Vec::new(),
            sources: Sources::default(),
            unused_record: None,
            derivation: Vec::new(),
        }
    }

    #[test]
    fn a_whole_bundle_is_given_as_its_test_files_and_nothing_else() {
        let tests = ["tests/test_a.py::test_x", "tests/test_a.py::TestA::test_y"];
        let files = ["tests/__pycache__/test_a.pyc", "tests/conftest.py", "tests/data.json", "tests/test_b.py"];
        let given = arguments(&bundle(&tests, &tests, &["tests/test_b.py"], &files));
        assert_eq!(given, ["tests/test_a.py", "tests/test_b.py"]);
    }

    #[test]
    fn a_narrowed_bundle_is_given_its_selected_tests_and_the_files_that_may_hold_more() {
        let tests = ["t/test_a.py::test_x", "t/test_a.py::test_y", "t/test_b.py::test_z"];
        assert_eq!(arguments(&bundle(&tests, &tests[..1], &[], &[])), ["t/test_a.py::test_x"]);
        let damaged = ["t/test_b.py", "t/test_c.py"];
        let given = arguments(&bundle(&tests, &[tests[0], tests[2]], &damaged, &["t/test_c.py"]));
        assert_eq!(given, ["t/test_a.py::test_x", "t/test_b.py", "t/test_c.py"]);
        assert_eq!(arguments(&bundle(&tests, &[], &damaged, &[])), damaged);
    }

    #[test]
    fn a_bundle_without_readable_tests_gives_all_its_files() {
        assert_eq!(arguments(&bundle(&[], &[], &[], &["web/a.test.js"])), ["web/a.test.js"]);
        assert_eq!(arguments(&bundle(&[], &[], &["t/test_a.py"], &["t/data.json", "t/test_a.py"])), ["t/test_a.py"]);
    }
}
