//! Runs bundles of tests: processes, deadlines, retries, reports.
//!
//! A bundle counts by its JUnit report *and* its exit code: no report, an empty one, or one that lacks
//! a selected test is a failure. Commands are argument lists; there is no shell. This crate does not
//! decide what to run, keeps nothing, and prints nothing.

mod bundle;
pub mod junit;
mod outcome;
mod progress;
pub mod reach;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grace_system::process::Cancel;
use grace_system::{clock, env};
use serde::{Deserialize, Serialize};

pub use reach::RawReach;

pub use outcome::{BundleOutcome, BundleStatus, Reason, RunOutcome, TestOutcome, TestStatus};

/// One bundle to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its name.
    pub bundle: String,
    /// Whether a deployment depends on it.
    pub critical: bool,
    /// Arguments of a command that must succeed first.
    pub setup: Option<Vec<String>>,
    /// Arguments; `{tests}` alone becomes one argument a test, `{junit}` within an argument becomes the path of the report.
    pub command: Vec<String>,
    /// Files or pytest ids, relative to the directory that is run in.
    pub tests: Vec<String>,
    /// Tests that the report must mention, as `path/file.py::Class::test`, without parameters.
    pub selected: Option<Vec<String>>,
    /// Narrowed to tests of which none is selected: nothing is run, and that is no failure.
    pub nothing_selected: bool,
    /// How long one test may take by its own account. A longer one has failed; only `timeout_all` ends one that never returns.
    pub timeout_each: Option<Duration>,
    /// How long setup and all attempts may take together.
    pub timeout_all: Duration,
    /// Further attempts after a failure.
    pub retries: u32,
    /// Least share of executed tests that must pass, 0 to 1.
    pub min_pass_rate: f64,
}

/// How bundles are run.
#[derive(Clone)]
pub struct Settings {
    /// Working directory of every command: the top of the tree that is judged.
    pub dir: PathBuf,
    /// Bundles at the same time; at least one.
    pub jobs: usize,
    /// Variables to pass on besides the usual ones; a name that ends in `*` stands for all that begin so.
    pub pass_env: Vec<String>,
    /// Where reports are written to for a while; the system's directory for temporary files where there is none.
    pub scratch: Option<PathBuf>,
    /// Record what each test enters, where a bundle is run by pytest: told by [`Event::Recorded`].
    pub record: bool,
    /// Ends everything when set; what has finished is kept.
    pub cancel: Cancel,
    /// Told what happens, from several threads.
    pub events: Arc<dyn Fn(Event) + Send + Sync>,
}

impl Settings {
    /// Runs in `dir`, one bundle at a time, and tells nobody.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            jobs: 1,
            pass_env: Vec::new(),
            scratch: None,
            record: false,
            cancel: Cancel::new(),
            events: Arc::new(|_| ()),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("dir", &self.dir)
            .field("jobs", &self.jobs)
            .field("pass_env", &self.pass_env)
            .field("scratch", &self.scratch)
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}

/// What happens while bundles run.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An attempt of a bundle begins.
    Started {
        /// The bundle.
        bundle: String,
        /// From 1.
        attempt: u32,
    },
    /// Tests of the running attempt that are done. While it runs, an estimate from its output; then what the report says.
    Tests {
        /// The bundle.
        bundle: String,
        /// Done.
        done: usize,
        /// Expected in all, if known.
        total: Option<usize>,
    },
    /// What the tests of a bundle's first attempt entered, where that was to be recorded.
    Recorded {
        /// The bundle.
        bundle: String,
        /// The record, or why there is none.
        reach: Result<Box<RawReach>, String>,
    },
    /// A bundle is done, or was cancelled.
    Finished {
        /// What became of it.
        outcome: BundleOutcome,
    },
}

/// Variables that commands see, where this process has them.
const USUAL_ENV: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOROOT",
    "JAVA_HOME",
    "NVM_DIR",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAMDATA",
    "PROGRAMFILES*",
    "USERPROFILE",
    "HOMEDRIVE",
    "HOMEPATH",
    "NUMBER_OF_PROCESSORS",
    "PROCESSOR_ARCHITECTURE",
];

/// The variables that commands see: the usual ones, and those of `pass_env` as [`Settings::pass_env`] has them.
#[must_use]
pub fn environment(pass_env: &[String]) -> BTreeMap<OsString, OsString> {
    let names: Vec<&str> = USUAL_ENV.iter().copied().chain(pass_env.iter().map(String::as_str)).collect();
    env::inherited(&names).into_iter().collect()
}

/// Runs `jobs`, several at a time, and returns their outcomes in the order given.
///
/// Never fails as a whole: what could not be run is an outcome with its reason.
pub fn run(jobs: &[Job], settings: &Settings) -> RunOutcome {
    let started = clock::now();
    let environment = environment(&settings.pass_env);
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<BTreeMap<usize, BundleOutcome>> = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..settings.jobs.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| {
                while let Some((index, job)) = take(jobs, &next) {
                    let outcome = bundle::run(job, settings, &environment);
                    (settings.events)(Event::Finished { outcome: outcome.clone() });
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(index, outcome);
                }
            });
        }
    });
    let bundles = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect();
    RunOutcome { started: started.to_string(), finished: clock::now().to_string(), bundles }
}

fn take<'a>(jobs: &'a [Job], next: &AtomicUsize) -> Option<(usize, &'a Job)> {
    let index = next.fetch_add(1, Ordering::SeqCst);
    jobs.get(index).map(|job| (index, job))
}
