//! Attempts, deadlines, reports: with small shell programs.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use grace_runner::{BundleOutcome, BundleStatus, Event, Job, Reason, Settings, TestStatus, run};

/// A job that runs `script` with `$1` the report and the tests after it.
pub(crate) fn job(script: &str) -> Job {
    Job {
        bundle: "b".to_owned(),
        critical: true,
        setup: None,
        command: ["sh", "-c", script, "sh", "{junit}", "{tests}"].map(str::to_owned).to_vec(),
        tests: vec!["t.py".to_owned()],
        selected: None,
        nothing_selected: false,
        timeout_each: None,
        timeout_all: Duration::from_secs(20),
        retries: 0,
        min_pass_rate: 1.0,
    }
}

/// Shell that writes a report with these cases, `NAME` or `NAME:failure`.
fn report(cases: &[&str]) -> String {
    let mut xml = String::from("<testsuite>");
    for case in cases {
        let (name, child) = case.split_once(':').unwrap_or((case, ""));
        let child = if child.is_empty() { String::new() } else { format!("<{child} message=\"m\"/>") };
        xml.push_str(&format!("<testcase classname=\"t\" name=\"{name}\" time=\"0.5\">{child}</testcase>"));
    }
    format!("echo '{xml}</testsuite>' > \"$1\";")
}

fn go(job: Job) -> BundleOutcome {
    let dir = tempfile::tempdir().unwrap();
    run(&[job], &Settings::new(dir.path())).bundles.remove(0)
}

fn status_of(outcome: &BundleOutcome, name: &str) -> TestStatus {
    outcome.tests.iter().find(|test| test.id == format!("t.py::{name}")).unwrap().status
}

#[test]
fn a_full_report_and_exit_zero_pass() {
    let outcome = go(job(&report(&["test_a", "test_b:skipped"])));
    assert_eq!((outcome.status, &outcome.reasons[..]), (BundleStatus::Passed, &[][..]));
    assert_eq!((outcome.passed, outcome.executed, outcome.pass_rate, outcome.exit_code), (1, 1, Some(1.0), Some(0)));
    assert_eq!(outcome.tests[0].duration_ms, 500);
    assert_eq!(outcome.command_digest.len(), 64);
}

#[test]
fn what_a_report_does_not_show_is_a_failure() {
    let reasons = |script: &str| go(job(script)).reasons;
    assert_eq!(reasons("exit 0"), [Reason::NoReport]);
    assert_eq!(reasons(": > \"$1\""), [Reason::NoReport]);
    assert_eq!(reasons("echo '<testsuite/>' > \"$1\""), [Reason::EmptyReport]);
    assert_eq!(reasons(&report(&["a:skipped"])), [Reason::NothingExecuted]);
    assert!(matches!(reasons("echo '<testsuite>' > \"$1\"")[..], [Reason::BadReport { .. }]));
    assert_eq!(reasons(&(report(&["a"]) + "exit 5")), [Reason::ExitCode { code: 5 }]);
    assert_eq!(reasons(&(report(&["a"]) + "kill -9 $$")), [Reason::Signal { signal: 9 }]);
    let failed = go(job(&(report(&["a", "b:failure"]) + "echo said; exit 1")));
    assert_eq!(failed.reasons, [Reason::PassRate { passed: 1, executed: 2, least: 1.0 }]);
    assert_eq!((failed.status, failed.output.as_str()), (BundleStatus::Failed, "said\n"));
    let link = reasons("ln -s /etc/passwd \"$1\"");
    assert!(matches!(link[..], [Reason::BadReport { .. }]), "{link:?}");
}

#[test]
fn a_selected_test_that_is_missing_is_a_failure() {
    let mut job = job(&report(&["test_a[1]", "test_a[2]", "test_c:skipped"]));
    job.selected = Some(["t.py::test_a", "t.py::test_b", "t.py::test_c"].map(str::to_owned).to_vec());
    let outcome = go(job);
    assert_eq!(outcome.reasons, [Reason::Missing { tests: vec!["t.py::test_b".to_owned()] }]);
    assert_eq!(outcome.status, BundleStatus::Failed);
    assert_eq!(status_of(&outcome, "test_b"), TestStatus::Missing);
    assert_eq!(outcome.executed, 2);
}

#[test]
fn a_lower_pass_rate_allows_explained_failures_only() {
    let mut lenient = job(&(report(&["a", "b", "c:failure"]) + "exit 1"));
    lenient.min_pass_rate = 0.6;
    assert_eq!(go(lenient.clone()).status, BundleStatus::Passed);
    lenient.min_pass_rate = 0.7;
    assert_eq!(go(lenient.clone()).status, BundleStatus::Failed);
    lenient.min_pass_rate = f64::NAN;
    assert_eq!(go(lenient).status, BundleStatus::Error);
}

#[test]
fn a_pass_on_retry_is_flaky_and_only_the_failed_are_repeated() {
    let script = format!(
        "echo \"$@\" >> log; if [ -e once ]; then {} else touch once; {} exit 1; fi",
        report(&["test_b[1]", "test_b[2]"]),
        report(&["test_a", "test_b[1]:failure", "test_b[2]"])
    );
    let dir = tempfile::tempdir().unwrap();
    let mut flaky = job(&script);
    flaky.retries = 2;
    let outcome = run(&[flaky], &Settings::new(dir.path())).bundles.remove(0);
    assert_eq!((outcome.status, outcome.attempts, outcome.passed, outcome.executed), (BundleStatus::Flaky, 2, 3, 3));
    assert_eq!(
        (status_of(&outcome, "test_a"), status_of(&outcome, "test_b[1]")),
        (TestStatus::Passed, TestStatus::Flaky)
    );
    assert_eq!(status_of(&outcome, "test_b[2]"), TestStatus::Passed);
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    let repeated: Vec<&str> = log.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(repeated, ["t.py", "t.py::test_b"]);
}

#[test]
fn a_failure_that_a_retry_no_longer_reports_stays_a_failure() {
    let script = format!(
        "if [ -e once ]; then {} else touch once; {} exit 1; fi",
        report(&["test_a"]),
        report(&["test_a", "test_b:failure"])
    );
    let mut vanishing = job(&script);
    vanishing.retries = 1;
    let outcome = go(vanishing.clone());
    assert_eq!((outcome.status, status_of(&outcome, "test_b")), (BundleStatus::Failed, TestStatus::Failed));
    // Also where the whole bundle is repeated.
    vanishing.command.retain(|argument| argument != "{tests}");
    assert_eq!(go(vanishing).status, BundleStatus::Failed);
}

#[test]
fn retries_end_and_a_bundle_without_report_is_repeated_whole() {
    let mut failing = job(&("echo x >> log;".to_owned() + &report(&["a:failure"]) + "exit 1"));
    failing.retries = 2;
    let outcome = go(failing);
    assert_eq!((outcome.status, outcome.attempts), (BundleStatus::Failed, 3));
    let mut late = job(&format!("if [ -e once ]; then {} else touch once; fi", report(&["a"])));
    late.retries = 1;
    let outcome = go(late);
    assert_eq!((outcome.status, outcome.attempts), (BundleStatus::Flaky, 2));
}

#[test]
fn a_test_that_takes_too_long_by_its_own_account_has_failed() {
    let mut slow = job(&report(&["a"]));
    slow.timeout_each = Some(Duration::from_millis(499));
    let outcome = go(slow.clone());
    assert_eq!((outcome.status, status_of(&outcome, "a")), (BundleStatus::Failed, TestStatus::TooSlow));
    slow.timeout_each = Some(Duration::from_millis(500));
    assert_eq!(go(slow).status, BundleStatus::Passed);
}

/// Whether a `sleep` with exactly this argument lives.
fn sleeps(argument: &str) -> bool {
    let listing = std::process::Command::new("ps").args(["-eo", "stat=,args="]).output().unwrap();
    String::from_utf8_lossy(&listing.stdout)
        .lines()
        .any(|line| !line.starts_with('Z') && line.ends_with(&format!("sleep {argument}")))
}

#[test]
fn a_deadline_holds_for_all_attempts_and_leaves_no_orphan() {
    let argument = format!("71{}", std::process::id());
    let mut hanging = job(&format!("(sleep {argument} &) ; sleep {argument}"));
    hanging.timeout_all = Duration::from_millis(600);
    hanging.retries = 5;
    let begun = Instant::now();
    let outcome = go(hanging);
    assert_eq!((outcome.status, outcome.attempts), (BundleStatus::TimedOut, 1));
    assert_eq!(outcome.reasons, [Reason::TimedOut { limit_ms: 600 }]);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(!sleeps(&argument));
}

#[test]
fn a_grandchild_that_outlives_its_test_is_ended() {
    let argument = format!("72{}", std::process::id());
    let outcome = go(job(&(report(&["a"]) + &format!("(sleep {argument} &)"))));
    assert_eq!(outcome.status, BundleStatus::Passed);
    assert!(!sleeps(&argument));
}

#[test]
fn unsafe_tests_and_commands_are_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |change: &dyn Fn(&mut Job)| {
        let mut job = job("touch ran");
        change(&mut job);
        let outcome = run(&[job], &Settings::new(dir.path())).bundles.remove(0);
        assert_eq!((outcome.status, outcome.attempts), (BundleStatus::Error, 0));
        outcome.reasons[0].clone()
    };
    let option = refused(&|job| job.tests.push("--rootdir=/".to_owned()));
    assert_eq!(option, Reason::UnsafeTest { test: "--rootdir=/".to_owned() });
    refused(&|job| job.selected = Some(vec!["-x".to_owned()]));
    refused(&|job| job.tests = vec![String::new()]);
    refused(&|job| job.tests = Vec::new());
    refused(&|job| job.command = Vec::new());
    refused(&|job| job.command.retain(|argument| argument != "{junit}"));
    refused(&|job| job.command[0] = "{tests}".to_owned());
    refused(&|job| job.setup = Some(Vec::new()));
    assert!(!dir.path().join("ran").exists());
    let mut absent = job("");
    absent.command[0] = "no-such-program-anywhere".to_owned();
    assert!(matches!(go(absent).reasons[..], [Reason::NotStarted { .. }]));
    // Nothing in a test's name is expanded.
    let mut odd = job(&("printf '%s' \"$2\" > seen;".to_owned() + &report(&["a"])));
    odd.tests = vec!["a b;$(touch ran)*{junit}".to_owned()];
    run(&[odd.clone()], &Settings::new(dir.path()));
    assert_eq!(std::fs::read_to_string(dir.path().join("seen")).unwrap(), odd.tests[0]);
    assert!(!dir.path().join("ran").exists());
}

#[test]
fn a_bundle_narrowed_to_nothing_is_not_run_and_has_not_failed() {
    let dir = tempfile::tempdir().unwrap();
    let mut nothing = job("touch ran; exit 1");
    nothing.tests = Vec::new();
    nothing.setup = Some(["touch", "ran"].map(str::to_owned).to_vec());
    nothing.nothing_selected = true;
    let run = run(&[nothing], &Settings::new(dir.path()));
    let outcome = &run.bundles[0];
    assert_eq!((outcome.status, outcome.attempts), (BundleStatus::NothingSelected, 0));
    assert_eq!((&outcome.reasons[..], outcome.pass_rate), (&[][..], None));
    assert!(run.all_passed());
    assert!(!dir.path().join("ran").exists());
}

#[test]
fn setup_comes_first_and_must_succeed() {
    let mut job = job(&("[ -e ready ] || exit 9;".to_owned() + &report(&["a"])));
    job.setup = Some(["touch", "ready"].map(str::to_owned).to_vec());
    assert_eq!(go(job.clone()).status, BundleStatus::Passed);
    job.setup = Some(["sh", "-c", "echo broken; exit 3"].map(str::to_owned).to_vec());
    let outcome = go(job);
    assert_eq!((outcome.status, outcome.attempts, outcome.output.as_str()), (BundleStatus::Error, 0, "broken\n"));
    assert_eq!(outcome.reasons, [Reason::Setup { message: "exit code 3".to_owned() }]);
}

#[test]
fn only_named_variables_reach_the_command() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(dir.path());
    settings.pass_env = vec!["CARGO_PKG_*".to_owned()];
    run(&[job("env > seen")], &settings);
    let seen = std::fs::read_to_string(dir.path().join("seen")).unwrap();
    assert!(seen.contains("\nPATH=") || seen.starts_with("PATH="));
    assert!(seen.contains("CARGO_PKG_NAME=grace-runner"));
    assert!(!seen.contains("CARGO_MANIFEST_DIR="));
}

#[test]
fn bundles_run_side_by_side_and_come_back_in_order() {
    let dir = tempfile::tempdir().unwrap();
    // Each waits for the other: one at a time, neither would end.
    let meet = |own: &str, other: &str| {
        let mut job = job(&format!("touch {own}; while [ ! -e {other} ]; do sleep 0.02; done; {}", report(&["a"])));
        job.bundle = own.to_owned();
        job
    };
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let sink = Arc::clone(&events);
    let mut settings = Settings::new(dir.path());
    settings.jobs = 2;
    settings.events = Arc::new(move |event| sink.lock().unwrap().push(event));
    let outcome = run(&[meet("x", "y"), meet("y", "x")], &settings);
    let names: Vec<_> = outcome.bundles.iter().map(|bundle| (bundle.bundle.as_str(), bundle.status)).collect();
    assert_eq!(names, [("x", BundleStatus::Passed), ("y", BundleStatus::Passed)]);
    assert!(outcome.all_passed());
    let events = events.lock().unwrap();
    let of_x: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::Started { bundle, attempt: 1 } if bundle == "x" => Some("started"),
            Event::Tests { bundle, done: 1, total: Some(1) } if bundle == "x" => Some("tests"),
            Event::Finished { outcome } if outcome.bundle == "x" => Some("finished"),
            _ => None,
        })
        .collect();
    assert_eq!(of_x, ["started", "tests", "finished"]);
    let text = serde_json::to_string(&outcome).unwrap();
    assert_eq!(serde_json::from_str::<grace_runner::RunOutcome>(&text).unwrap(), outcome);
}

#[test]
fn cancelling_keeps_what_has_finished() {
    let dir = tempfile::tempdir().unwrap();
    let argument = format!("73{}", std::process::id());
    let settings = Settings::new(dir.path());
    let named = |name: &str, script: String| Job { bundle: name.to_owned(), ..job(&script) };
    let jobs = [
        named("done", report(&["a"])),
        named("running", format!("touch running; (sleep {argument} &); sleep {argument}")),
        named("waiting", report(&["a"])),
    ];
    let cancel = settings.cancel.clone();
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            let begun = Instant::now();
            while !dir.path().join("running").exists() && begun.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(10));
            }
            cancel.cancel();
        });
        run(&jobs, &settings)
    });
    let seen: Vec<_> = outcome.bundles.iter().map(|bundle| (bundle.status, bundle.attempts)).collect();
    assert_eq!(seen, [(BundleStatus::Passed, 1), (BundleStatus::Cancelled, 1), (BundleStatus::Cancelled, 0)]);
    assert!(!outcome.all_passed());
    assert!(!sleeps(&argument));
}
