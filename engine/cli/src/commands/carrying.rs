//! Carrying out bundles: they run in a tree, and each one's outcome is on disk before it is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grace_engine::decide;
use grace_engine::plan::{BookSide, BundleForm, BundlePlan};
use grace_govern::holes::Hole;
use grace_govern::journal::{self, About, Event as Said, RanBundle};
use grace_runner::{BundleOutcome, BundleStatus, Event, Job, Settings};
use grace_system::process::{Guard, Held};
use grace_system::{env, files, git, process};

use super::Context;
use super::keeping::{Keeper, said};
use super::observing::Observed;
use super::recording::Recording;
use super::validating::Validated;
use crate::failure::{Failure, Result};
use crate::load::failed::Ended;
use crate::load::reach::Runs;
use crate::load::{self, Head, Source};

/// Bundles that run at the same time, at most: tests start processes of their own.
const MOST_AT_ONCE: usize = 4;
/// Largest file of a tree that is written out to be run, in bytes.
const MAX_FILE: u64 = 256 << 20;

/// Where things are carried out: an interrupt waits for what was begun, and what lies here is removed, and what was started here
/// is ended, even where this process is killed.
pub(super) struct Workplace {
    scratch: files::TempDir,
    _guard: Option<Guard>,
    _held: Held,
}

impl Workplace {
    pub(super) fn open(context: &Context) -> Result<Self> {
        let held = context.cancel.hold();
        let scratch = files::temporary_dir()?;
        // Where it cannot be started, only a run that is killed by force leaves its children behind.
        let guard = env::current_exe().and_then(|program| process::guarded(&program, &["guard"], scratch.path())).ok();
        Ok(Self { scratch, _guard: guard, _held: held })
    }

    pub(super) fn path(&self) -> &Path {
        self.scratch.path()
    }
}

/// What carries out bundles of one run.
pub(super) struct Carrying<'a> {
    pub(super) context: &'a Context,
    pub(super) run: &'a str,
    pub(super) about: &'a About,
    pub(super) keeper: &'a Arc<Mutex<Keeper>>,
    pub(super) observed: &'a Observed,
    /// What tests enter is recorded here, where that is asked for.
    pub(super) recording: Option<&'a Arc<Recording>>,
    /// The tree that is run in.
    pub(super) tree: &'a Path,
    pub(super) scratch: &'a Path,
}

/// What was carried out so far.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// Each job's outcome: a bundle in two forms is two jobs.
    pub(super) bundles: Vec<BundleOutcome>,
    /// What each bundle came to.
    pub(super) outcomes: BTreeMap<String, decide::BundleOutcome>,
    /// Which tests of each bundle ran: all of them, where it ran whole although it was narrowed.
    ran_as: BTreeMap<String, Option<String>>,
    /// And which of them are files and packages that ran whole.
    ran_whole: BTreeMap<String, BTreeSet<String>>,
    /// The bundle that each job is of.
    bundle_of: BTreeMap<String, String>,
    /// What the plan's validations of models came to.
    pub(super) validated: Vec<Validated>,
}

impl Carried {
    /// As it is recorded.
    pub(super) fn ran(&self) -> BTreeMap<String, RanBundle> {
        let ran = |(name, outcome): (&String, &decide::BundleOutcome)| {
            let (tests, whole) = (self.ran_as.get(name).cloned().flatten(), self.ran_whole.get(name).cloned());
            (
                name.clone(),
                RanBundle { outcome: *outcome, whole: whole.filter(|_| tests.is_some()).unwrap_or_default(), tests },
            )
        };
        self.outcomes.iter().map(ran).collect()
    }

    /// How each test ended, for the plans to come.
    pub(super) fn ended(&self) -> Vec<Ended<'_>> {
        let of_bundles = self.bundles.iter().filter_map(|outcome| {
            let bundle = self.bundle_of.get(&outcome.bundle)?;
            let all = self.ran_as.get(bundle).is_none_or(Option::is_none);
            Some(Ended { bundle, outcome, whole: if all { None } else { self.ran_whole.get(bundle) } })
        });
        of_bundles.collect()
    }

    /// Whether a person stopped it.
    pub(super) fn is_cancelled(&self) -> bool {
        self.bundles.iter().any(|bundle| bundle.status == BundleStatus::Cancelled)
    }
}

impl Carrying<'_> {
    /// Carries out some bundles. Of one that ran before, only what comes now counts.
    pub(super) fn round(&self, bundles: &[BundlePlan], carried: &mut Carried) {
        let (jobs, names) = jobs(bundles);
        let display = Arc::new(self.context.progress.bundles(
            jobs.iter().map(|job| (job.bundle.as_str(), job.timeout_all, job.selected.as_ref().map_or(0, Vec::len))),
        ));
        let events = {
            let (keeper, display, names) = (Arc::clone(self.keeper), Arc::clone(&display), names.clone());
            let (run, about) = (self.run.to_owned(), self.about.clone());
            let (recording, observing) = (self.recording.cloned(), self.observed.clone());
            let commands: BTreeMap<String, Runs> =
                jobs.iter().map(|job| (job.bundle.clone(), runs(job, &names))).collect();
            Arc::new(move |event: Event| {
                if let Some(recording) = &recording {
                    recording.hear(&event, &commands);
                }
                if let Event::Finished { outcome } = &event {
                    let bundle = names.get(&outcome.bundle).map_or(outcome.bundle.as_str(), String::as_str);
                    let mut all = vec![Said::Bundle(said(&run, &about, bundle, outcome))];
                    all.extend(observing.see(&run, &about, bundle, outcome).map(Said::Selection));
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
            scratch: Some(self.scratch.to_path_buf()),
            record: self.recording.is_some(),
            cancel: self.context.cancel.clone(),
            events,
            ..Settings::new(self.tree)
        };
        let ran = grace_runner::run(&jobs, &settings).bundles;
        display.finish();
        carried.ran_as.extend(bundles.iter().map(|bundle| (bundle.name.clone(), journal::tests_of(bundle))));
        carried.ran_whole.extend(bundles.iter().map(|bundle| {
            let asked = bundle.selected.iter().chain(&bundle.whole);
            (bundle.name.clone(), asked.filter(|one| !one.contains("::")).cloned().collect())
        }));
        carried.bundle_of.extend(names.clone());
        carried.bundles.retain(|seen| !ran.iter().any(|new| new.bundle == seen.bundle));
        carried.outcomes.extend(outcomes_of(&ran, &names));
        carried.bundles.extend(ran);
    }
}

/// Bundles that run at the same time on this machine.
pub(super) fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE)
}

/// A tree that is run in.
pub(super) struct Tree {
    pub(super) path: PathBuf,
    /// What it holds in git and not here.
    pub(super) holes: Vec<Hole>,
}

/// The tree that is run in: the work tree itself, or what is staged or committed, as it was planned, written out elsewhere.
pub(super) fn tree(repository: &git::Repository, root: &Path, scratch: &Path, loaded: &load::Loaded) -> Result<Tree> {
    let entries = match loaded.head {
        Head::Commit(commit) => repository.tree(commit)?,
        Head::Staged => {
            let files = repository.work_tree()?.files.into_iter();
            let entries: Vec<_> = files.filter_map(|file| Some(file.index?.at(&file.path))).collect();
            let is_planned = |entry: &git::TreeEntry| {
                loaded.after.get(&entry.path).is_some_and(|planned| planned.source == Source::Blob(entry.oid))
            };
            if entries.len() != loaded.after.len() || !entries.iter().all(is_planned) {
                return Err(Failure::new("input", "what is staged changed while it was planned").help("run again"));
            }
            entries
        }
        Head::WorkTree | Head::Supposed => return Ok(Tree { path: root.to_path_buf(), holes: Vec::new() }),
    };
    let directory = scratch.join("tree");
    files::create_dirs(&directory)?;
    let report = repository.export(&entries, &directory, MAX_FILE)?;
    // A tree with holes is another tree. What the change leaves alone (a link that was always there) is told, and the gate
    // looks at where it lies.
    if let Some(hole) = report.left_out.iter().find(|hole| loaded.changed.contains(&hole.path)) {
        return Err(Failure::new("file", format!("`{}` is part of the change, and {}", hole.path, hole.message))
            .help("it cannot be written out to be run; run in a checkout of it, and decide with --worktree"));
    }
    let holes = report.left_out.into_iter().map(|hole| Hole { path: hole.path, why: hole.message }).collect();
    Ok(Tree { path: directory, holes })
}

/// The jobs of some bundles, and the bundle that each job's name stands for: a bundle in two forms is two jobs.
pub(super) fn jobs(bundles: &[BundlePlan]) -> (Vec<Job>, BTreeMap<String, String>) {
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
    let whole: BTreeSet<String> = bundle.whole.iter().cloned().collect();
    let listed = || bundle.tests.iter().filter(|test| test.contains("::"));
    let selected: BTreeSet<&String> = bundle.selected.iter().collect();
    let of_others = |test: &&String| !whole.contains(&file_of(test));
    let mut arguments = whole.clone();
    if listed().filter(of_others).all(|test| selected.contains(test)) {
        arguments.extend(listed().map(|test| file_of(test)));
    } else {
        arguments.extend(bundle.selected.iter().filter(of_others).cloned());
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
