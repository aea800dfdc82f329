//! The real pytest, where there is one.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grace_runner::{BundleOutcome, BundleStatus, Event, Job, Reason, Settings, TestStatus, run};

const TESTS: &str = r#"
import os, subprocess, pytest

def test_ok():
    pass

class TestGroup:
    @pytest.mark.parametrize("n", [1, 2])
    def test_each(self, n):
        assert n in (1, 2)

    def test_once_broken(self):
        if not os.path.exists("once"):
            open("once", "w").close()
            assert False, "the first time"

@pytest.mark.skip(reason="not today")
def test_skipped():
    pass

@pytest.fixture
def dirty():
    yield
    raise RuntimeError("cleaning up failed")

def test_dirty(dirty):
    pass

def test_orphan():
    subprocess.Popen(["sleep", os.environ["ORPHAN"]], start_new_session=True)
"#;

/// The directory with a `tests/deep/test_real.py`, or nothing if there is no pytest.
fn project() -> Option<tempfile::TempDir> {
    let version = std::process::Command::new("python3").args(["-m", "pytest", "--version"]).output();
    if !version.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("tests/deep")).unwrap();
    std::fs::write(dir.path().join("tests/deep/test_real.py"), TESTS).unwrap();
    std::fs::write(dir.path().join("tests/test_broken.py"), "import nothing_like_it\n").unwrap();
    std::fs::write(dir.path().join("tests/test_none.py"), "x = 1\n").unwrap();
    Some(dir)
}

fn job(tests: &[&str]) -> Job {
    Job {
        bundle: "real".to_owned(),
        critical: true,
        setup: None,
        command: ["python3", "-m", "pytest", "{tests}", "-q", "-p", "no:cacheprovider", "--junitxml={junit}"]
            .map(str::to_owned)
            .to_vec(),
        tests: tests.iter().map(|test| (*test).to_owned()).collect(),
        selected: None,
        nothing_selected: false,
        timeout_each: Some(Duration::from_secs(20)),
        timeout_all: Duration::from_secs(60),
        retries: 1,
        min_pass_rate: 1.0,
    }
}

fn go(dir: &Path, job: Job) -> BundleOutcome {
    run(&[job], &Settings::new(dir)).bundles.remove(0)
}

#[test]
fn pytest_is_read_test_by_test() {
    let Some(dir) = project() else {
        eprintln!("SKIPPED: python3 has no pytest");
        return;
    };
    let file = "tests/deep/test_real.py";
    let mut real = job(&[&format!("{file}::test_ok"), &format!("{file}::TestGroup"), &format!("{file}::test_skipped")]);
    real.selected = Some(vec![format!("{file}::TestGroup::test_each"), format!("{file}::test_ok")]);
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let sink = Arc::clone(&events);
    let mut settings = Settings::new(dir.path());
    settings.events = Arc::new(move |event| sink.lock().unwrap().push(event));
    let outcome = run(&[real], &settings).bundles.remove(0);
    let tests: Vec<_> =
        outcome.tests.iter().map(|test| (test.id.strip_prefix(file).unwrap(), test.status, test.attempt)).collect();
    assert_eq!(
        tests,
        [
            ("::TestGroup::test_each[1]", TestStatus::Passed, 1),
            ("::TestGroup::test_each[2]", TestStatus::Passed, 1),
            ("::TestGroup::test_once_broken", TestStatus::Flaky, 2),
            ("::test_ok", TestStatus::Passed, 1),
            ("::test_skipped", TestStatus::Skipped, 1)
        ]
    );
    assert_eq!((outcome.status, outcome.attempts, outcome.passed, outcome.executed), (BundleStatus::Flaky, 2, 4, 4));
    let first_report = events.lock().unwrap().iter().any(|event| matches!(event, Event::Tests { done: 5, .. }));
    assert!(first_report);
}

#[test]
fn pytest_that_breaks_in_its_own_ways_fails() {
    let Some(dir) = project() else {
        eprintln!("SKIPPED: python3 has no pytest");
        return;
    };
    let mut once = job(&["tests/test_none.py"]);
    once.retries = 0;
    let none = go(dir.path(), once.clone());
    assert_eq!((none.status, none.exit_code), (BundleStatus::Failed, Some(5)));
    assert_eq!(none.reasons, [Reason::EmptyReport, Reason::ExitCode { code: 5 }]);
    once.tests = vec!["tests/test_broken.py".to_owned()];
    let broken = go(dir.path(), once.clone());
    assert_eq!((broken.tests[0].id.as_str(), broken.tests[0].status), ("tests/test_broken.py", TestStatus::Error));
    assert_eq!(broken.reasons[0], Reason::ExitCode { code: 2 });
    once.tests = vec!["tests/deep/test_real.py::test_dirty".to_owned()];
    let dirty = go(dir.path(), once.clone());
    assert_eq!((dirty.status, dirty.tests.len(), dirty.tests[0].status), (BundleStatus::Failed, 1, TestStatus::Error));
    once.tests = vec!["tests/absent.py".to_owned()];
    assert_eq!(go(dir.path(), once).status, BundleStatus::Failed);
}

#[test]
fn a_session_that_a_test_leaves_behind_is_ended() {
    let Some(dir) = project() else {
        eprintln!("SKIPPED: python3 has no pytest");
        return;
    };
    let argument = format!("74{}", std::process::id());
    let mut orphan = job(&["tests/deep/test_real.py::test_orphan"]);
    orphan.command =
        ["env", &format!("ORPHAN={argument}")].map(str::to_owned).into_iter().chain(orphan.command).collect();
    assert_eq!(go(dir.path(), orphan).status, BundleStatus::Passed);
    let listing = std::process::Command::new("ps").args(["-eo", "args="]).output().unwrap();
    let lives =
        String::from_utf8_lossy(&listing.stdout).lines().any(|line| line.ends_with(&format!("sleep {argument}")));
    assert!(!lives || !cfg!(target_os = "linux"));
}
