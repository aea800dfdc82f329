//! One bundle: setup, attempts, judgement.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use grace_system::clock::{self, Stopwatch};
use grace_system::files::{self, FileErrorKind};
use grace_system::process::{self, Command, End, Finished, Keep};

use crate::junit::{self, CaseStatus};
use crate::progress::Marks;
use crate::reach;
use crate::{BundleOutcome, BundleStatus, Event, Job, Reason, Settings, TestOutcome, TestStatus};

/// How much of a command's output is kept, each stream.
const TAIL: usize = 16 * 1024;

type Environment = BTreeMap<OsString, OsString>;

/// What one attempt showed.
struct Attempt {
    end: End,
    output: String,
    /// By id.
    tests: BTreeMap<String, TestOutcome>,
    /// Why the attempt as a whole does not count, besides failing tests.
    reasons: Vec<Reason>,
}

/// What a whole bundle came to, before it is counted.
struct Result {
    status: BundleStatus,
    reasons: Vec<Reason>,
    attempts: u32,
    exit_code: Option<i32>,
    tests: BTreeMap<String, TestOutcome>,
    output: String,
}

impl Result {
    fn nothing() -> Self {
        let (tests, output) = (BTreeMap::new(), String::new());
        Self { status: BundleStatus::NothingSelected, reasons: Vec::new(), attempts: 0, exit_code: None, tests, output }
    }

    fn without_tests(status: BundleStatus, reason: Reason, output: String) -> Self {
        Self { status, reasons: vec![reason], attempts: 0, exit_code: None, tests: BTreeMap::new(), output }
    }
}

pub(crate) fn run(job: &Job, settings: &Settings, environment: &Environment) -> BundleOutcome {
    let clock = Stopwatch::start();
    let result = match refusal(job) {
        _ if job.nothing_selected => Result::nothing(),
        Some(reason) => Result::without_tests(BundleStatus::Error, reason, String::new()),
        None if settings.cancel.is_cancelled() => {
            Result::without_tests(BundleStatus::Cancelled, Reason::Cancelled, String::new())
        }
        None => match setup(job, settings, environment, &clock) {
            Some(result) => result,
            None => attempts(job, settings, environment, &clock),
        },
    };
    let (passed, executed) = count(&result.tests);
    BundleOutcome {
        bundle: job.bundle.clone(),
        critical: job.critical,
        status: result.status,
        reasons: result.reasons,
        attempts: result.attempts,
        duration_ms: millis(clock.elapsed()),
        passed,
        executed,
        pass_rate: (executed > 0).then(|| f64::from(passed) / f64::from(executed)),
        exit_code: result.exit_code,
        command_digest: digest(job),
        finished: clock::now().to_string(),
        tests: result.tests.into_values().collect(),
        output: if result.status.is_pass() { String::new() } else { result.output },
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Arguments are separated by NUL, which none can hold.
fn digest(job: &Job) -> String {
    files::sha256(
        format!("{}\n{}", job.setup.as_deref().unwrap_or_default().join("\0"), job.command.join("\0")).as_bytes(),
    )
}

fn count(tests: &BTreeMap<String, TestOutcome>) -> (u32, u32) {
    let number = |wanted: fn(TestStatus) -> bool| {
        u32::try_from(tests.values().filter(|test| wanted(test.status)).count()).unwrap_or(u32::MAX)
    };
    (number(TestStatus::is_pass), number(TestStatus::is_executed))
}

/// Why this job is not run at all.
fn refusal(job: &Job) -> Option<Reason> {
    let bad = |message: &str| Some(Reason::BadCommand { message: message.to_owned() });
    let tests = job.tests.iter().chain(job.selected.iter().flatten());
    for test in tests {
        if test.is_empty() || test.starts_with('-') || test.contains('\0') {
            return Some(Reason::UnsafeTest { test: test.clone() });
        }
    }
    if job.command.first().is_none_or(|program| program.is_empty() || program.contains('{')) {
        return bad("it names no program");
    }
    if job.command.iter().chain(job.setup.iter().flatten()).any(|argument| argument.contains('\0')) {
        return bad("an argument holds a NUL");
    }
    if job.setup.as_ref().is_some_and(|setup| setup.first().is_none_or(String::is_empty)) {
        return bad("its setup names no program");
    }
    if !job.command.iter().any(|argument| argument.contains("{junit}")) {
        return bad("no argument holds `{junit}`, so there would be no report");
    }
    if !(0.0..=1.0).contains(&job.min_pass_rate) {
        return bad("its pass rate is not a share between 0 and 1");
    }
    // Without arguments most test programs run everything.
    if job.tests.is_empty() && job.command.iter().any(|argument| argument == "{tests}") {
        return bad("there are no tests for `{tests}`");
    }
    None
}

fn command(arguments: &[String], settings: &Settings, environment: &Environment, deadline: Duration) -> Command {
    let mut command = Command::new(arguments.first().map(String::as_str).unwrap_or_default(), &settings.dir);
    command.args = arguments.iter().skip(1).map(OsString::from).collect();
    command.env = environment.clone();
    command.deadline = deadline;
    command.stdout = Keep::Tail(TAIL);
    command.stderr = Keep::Tail(TAIL);
    command
}

fn output_of(finished: &Finished) -> String {
    let (stdout, stderr) = (finished.stdout.text(), finished.stderr.text());
    if stdout.is_empty() || stderr.is_empty() { stdout + &stderr } else { format!("{}\n{stderr}", stdout.trim_end()) }
}

/// Runs the setup command, if there is one; the result if that was the end.
fn setup(job: &Job, settings: &Settings, environment: &Environment, clock: &Stopwatch) -> Option<Result> {
    let arguments = job.setup.as_ref()?;
    let finished =
        process::run(&command(arguments, settings, environment, clock.remaining(job.timeout_all)), &settings.cancel);
    let output = output_of(&finished);
    let (status, reason) = match finished.end {
        End::Exited(0) => return None,
        End::Cancelled => (BundleStatus::Cancelled, Reason::Cancelled),
        End::TimedOut => (BundleStatus::TimedOut, Reason::TimedOut { limit_ms: millis(job.timeout_all) }),
        End::Exited(code) => (BundleStatus::Error, Reason::Setup { message: format!("exit code {code}") }),
        End::Signalled(signal) => (BundleStatus::Error, Reason::Setup { message: format!("signal {signal}") }),
        End::TooMuchOutput => (BundleStatus::Error, Reason::Setup { message: "too much output".to_owned() }),
        End::NotStarted(message) => (BundleStatus::Error, Reason::Setup { message }),
    };
    Some(Result::without_tests(status, reason, output))
}

fn attempts(job: &Job, settings: &Settings, environment: &Environment, clock: &Stopwatch) -> Result {
    let mut tests: BTreeMap<String, TestOutcome> = BTreeMap::new();
    let mut again: Option<Vec<String>> = None;
    let mut number = 0;
    loop {
        number += 1;
        (settings.events)(Event::Started { bundle: job.bundle.clone(), attempt: number });
        let mut attempt =
            attempt(job, again.as_deref(), number, settings, environment, clock.remaining(job.timeout_all));
        merge(&mut tests, std::mem::take(&mut attempt.tests), again.as_deref());
        let exit_code = if let End::Exited(code) = attempt.end { Some(code) } else { None };
        let result = |status, reasons, tests| Result {
            status,
            reasons,
            attempts: number,
            exit_code,
            tests,
            output: attempt.output.clone(),
        };
        match attempt.end {
            End::Cancelled => return result(BundleStatus::Cancelled, vec![Reason::Cancelled], tests),
            End::TimedOut => {
                return result(
                    BundleStatus::TimedOut,
                    vec![Reason::TimedOut { limit_ms: millis(job.timeout_all) }],
                    tests,
                );
            }
            End::NotStarted(ref message) => {
                return result(BundleStatus::Error, vec![Reason::NotStarted { message: message.clone() }], tests);
            }
            _ => {}
        }
        let mut reasons = attempt.reasons.clone();
        reasons.extend(missing(job, &mut tests, number));
        let (passed, executed) = count(&tests);
        if executed == 0 && !tests.is_empty() && reasons.is_empty() {
            reasons.push(Reason::NothingExecuted);
        }
        // The tolerance is for shares that are no exact binary fractions.
        if f64::from(passed) + 1e-9 < job.min_pass_rate * f64::from(executed) {
            reasons.push(Reason::PassRate { passed, executed, least: job.min_pass_rate });
        }
        if reasons.is_empty() {
            let flaky = number > 1 || tests.values().any(|test| test.status == TestStatus::Flaky);
            return result(if flaky { BundleStatus::Flaky } else { BundleStatus::Passed }, reasons, tests);
        }
        if number > job.retries || settings.cancel.is_cancelled() {
            return result(BundleStatus::Failed, reasons, tests);
        }
        again = worth_repeating(job, &tests, &attempt.reasons);
    }
}

/// The tests to repeat by name, if that is possible; `None` repeats the bundle.
fn worth_repeating(job: &Job, tests: &BTreeMap<String, TestOutcome>, reasons: &[Reason]) -> Option<Vec<String>> {
    // Where the attempt as a whole is in doubt, so is every test in it.
    if !reasons.is_empty() || !job.command.iter().any(|argument| argument == "{tests}") {
        return None;
    }
    let failed: BTreeSet<&str> = tests
        .values()
        .filter(|test| test.status.is_executed() && !test.status.is_pass() || test.status == TestStatus::Missing)
        .map(|test| junit::without_parameters(&test.id))
        .collect();
    let can_be_named =
        |id: &&str| id.split_once(".py::").is_some_and(|(_, name)| !name.is_empty()) && !id.starts_with('-');
    (!failed.is_empty() && failed.iter().all(can_be_named)).then(|| failed.into_iter().map(str::to_owned).collect())
}

/// Puts the newest results over the older ones: what failed before and passes now is flaky.
fn merge(tests: &mut BTreeMap<String, TestOutcome>, newer: BTreeMap<String, TestOutcome>, repeated: Option<&[String]>) {
    let earlier = std::mem::take(tests);
    // Results that were not repeated stand; so does a failure, until the same test has been seen to pass.
    let stands = |test: &TestOutcome| repeated.is_some() || (test.status.is_executed() && !test.status.is_pass());
    tests.extend(earlier.iter().filter(|(_, test)| stands(test)).map(|(id, test)| (id.clone(), test.clone())));
    for (id, mut test) in newer {
        let was = earlier.get(&id).map(|test| test.status);
        let failed_before = was.is_some_and(|was| was.is_executed() && was != TestStatus::Passed);
        if test.status == TestStatus::Passed && failed_before {
            test.status = TestStatus::Flaky;
        }
        tests.insert(id, test);
    }
}

/// Marks the selected tests that no report mentioned.
fn missing(job: &Job, tests: &mut BTreeMap<String, TestOutcome>, attempt: u32) -> Option<Reason> {
    tests.retain(|_, test| test.status != TestStatus::Missing);
    let seen: BTreeSet<String> = tests.keys().map(|id| junit::without_parameters(id).to_owned()).collect();
    let mut lacking: Vec<String> =
        job.selected.iter().flatten().filter(|id| !seen.contains(junit::without_parameters(id))).cloned().collect();
    lacking.sort();
    lacking.dedup();
    for id in &lacking {
        let message = "missing from the report".to_owned();
        tests.insert(
            id.clone(),
            TestOutcome { id: id.clone(), status: TestStatus::Missing, duration_ms: 0, attempt, message },
        );
    }
    (!lacking.is_empty()).then_some(Reason::Missing { tests: lacking })
}

fn attempt(
    job: &Job,
    only: Option<&[String]>,
    number: u32,
    settings: &Settings,
    environment: &Environment,
    deadline: Duration,
) -> Attempt {
    let broken = |message: String| Attempt {
        end: End::NotStarted(message),
        output: String::new(),
        tests: BTreeMap::new(),
        reasons: Vec::new(),
    };
    let scratch = settings.scratch.as_deref().map_or_else(files::temporary_dir, files::temporary_dir_in);
    let scratch = match scratch {
        Ok(scratch) => scratch,
        Err(error) => return broken(error.to_string()),
    };
    let report = scratch.path().join("report.xml");
    let Some(report_argument) = report.to_str() else {
        return broken("the directory for temporary files has an odd name".to_owned());
    };
    let wanted = only.unwrap_or(&job.tests);
    let mut arguments = Vec::new();
    for argument in &job.command {
        if argument == "{tests}" {
            arguments.extend_from_slice(wanted);
        } else {
            arguments.push(argument.replace("{junit}", report_argument));
        }
    }
    let total = match (only, &job.selected) {
        (Some(only), _) => Some(only.len()),
        (None, Some(selected)) => Some(selected.len()),
        (None, None) => None,
    };
    let watch = {
        let (events, bundle) = (Arc::clone(&settings.events), job.bundle.clone());
        let mut marks = Marks::default();
        move |bytes: &[u8]| {
            if let Some(done) = marks.feed(bytes) {
                events(Event::Tests { bundle: bundle.clone(), done, total: total.map(|total| total.max(done)) });
            }
        }
    };
    let folder = scratch.path().join("reach");
    let mut environment = environment.clone();
    // Further attempts repeat some tests only.
    let recorded = (settings.record && number == 1).then(|| match is_pytest(&job.command) {
        true => reach::prepare(&folder, &settings.dir, &mut environment),
        false => Err("its command is not pytest".to_owned()),
    });
    let finished =
        process::run_watched(&command(&arguments, settings, &environment, deadline), &settings.cancel, watch);
    if let Some(prepared) = recorded {
        let reach = prepared.and_then(|()| reach::read(&folder)).map(Box::new);
        (settings.events)(Event::Recorded { bundle: job.bundle.clone(), reach });
    }
    let mut attempt =
        Attempt { output: output_of(&finished), end: finished.end, tests: BTreeMap::new(), reasons: Vec::new() };
    match read(&report, job, number, &settings.dir) {
        Ok(tests) => {
            (settings.events)(Event::Tests { bundle: job.bundle.clone(), done: tests.len(), total: Some(tests.len()) });
            if tests.is_empty() {
                attempt.reasons.push(Reason::EmptyReport);
            }
            attempt.tests = tests;
        }
        Err(reason) => attempt.reasons.push(reason),
    }
    let explained = attempt.tests.values().any(|test| matches!(test.status, TestStatus::Failed | TestStatus::Error));
    match attempt.end {
        End::Exited(0) => {}
        // pytest: 1 is failed tests; 2 to 5 are interrupted, internal error, bad usage, no tests.
        End::Exited(code) if !explained || (is_pytest(&job.command) && code != 1) => {
            attempt.reasons.push(Reason::ExitCode { code })
        }
        End::Signalled(signal) => attempt.reasons.push(Reason::Signal { signal }),
        _ => {}
    }
    attempt
}

/// `pytest …`, `py.test …`, `python -m pytest …`, `uv run pytest …`, at whatever path.
fn is_pytest(command: &[String]) -> bool {
    command.iter().take_while(|argument| *argument != "{tests}").any(|argument| {
        argument.rsplit(['/', '\\']).next().is_some_and(|name| matches!(name, "pytest" | "py.test" | "pytest.exe"))
    })
}

fn read(
    report: &Path,
    job: &Job,
    attempt: u32,
    dir: &Path,
) -> std::result::Result<BTreeMap<String, TestOutcome>, Reason> {
    let bytes = match files::read(report, junit::MAX_BYTES) {
        Ok(bytes) if bytes.is_empty() => return Err(Reason::NoReport),
        Ok(bytes) => bytes,
        Err(error) if error.kind == FileErrorKind::NotFound => return Err(Reason::NoReport),
        Err(error) => return Err(Reason::BadReport { message: error.to_string() }),
    };
    let cases = junit::parse(&String::from_utf8_lossy(&bytes)).map_err(|message| Reason::BadReport { message })?;
    let mut known: Vec<&str> = job
        .tests
        .iter()
        .chain(job.selected.iter().flatten())
        .map(|test| test.split_once("::").map_or(test.as_str(), |(file, _)| file))
        .filter(|file| file.ends_with(".py"))
        .collect();
    known.sort_unstable();
    known.dedup();
    let mut tests: BTreeMap<String, TestOutcome> = BTreeMap::new();
    for case in cases {
        let too_slow = job.timeout_each.is_some_and(|limit| u128::from(case.duration_ms) > limit.as_millis());
        let status = match case.status {
            CaseStatus::Passed | CaseStatus::Flaky if too_slow => TestStatus::TooSlow,
            CaseStatus::Passed => TestStatus::Passed,
            CaseStatus::Skipped => TestStatus::Skipped,
            CaseStatus::Flaky => TestStatus::Flaky,
            CaseStatus::Failed => TestStatus::Failed,
            CaseStatus::Error => TestStatus::Error,
        };
        let message =
            if status == TestStatus::TooSlow { format!("took {} ms", case.duration_ms) } else { case.message.clone() };
        let id = junit::test_id(&case, &known, dir);
        let test = TestOutcome { id: id.clone(), status, duration_ms: case.duration_ms, attempt, message };
        match tests.entry(id) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(test);
            }
            // pytest reports a test twice that passes and then breaks while it cleans up: the worst counts.
            std::collections::btree_map::Entry::Occupied(mut entry) if entry.get().status < test.status => {
                entry.insert(test);
            }
            std::collections::btree_map::Entry::Occupied(_) => {}
        }
    }
    Ok(tests)
}
