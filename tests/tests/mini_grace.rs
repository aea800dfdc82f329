//! The example project: its own tests pass, and each of its changes does what its name says.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start git and pytest on a copy")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples").join("mini_grace")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_name() == "__pycache__" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn git(directory: &Path, arguments: &[&str]) -> Output {
    Command::new("git").args(arguments).current_dir(directory).output().unwrap()
}

/// Runs pytest on a copy of the example with one of its changes, and returns its last line.
fn pytest(change: Option<&str>, tests: &[&str]) -> (bool, String) {
    let directory = tempfile::tempdir().unwrap();
    copy(&example(), directory.path());
    assert!(git(directory.path(), &["init", "--quiet"]).status.success());
    if let Some(change) = change {
        let applied = git(directory.path(), &["apply", &format!("changes/{change}.patch")]);
        assert!(applied.status.success(), "{change}: {}", String::from_utf8_lossy(&applied.stderr));
    }
    let python = if cfg!(windows) { "python" } else { "python3" };
    let output = Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .args(tests)
        .current_dir(directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("No module named pytest"), "pytest is missing; `cargo xtask test` brings it");
    (output.status.success(), said.lines().last().unwrap_or_default().to_owned())
}

#[test]
fn its_own_tests_pass() {
    let (passed, summary) = pytest(None, &[]);
    assert!(passed, "{summary}");
    assert!(summary.starts_with("108 passed"), "{summary}");
}

#[test]
fn the_sound_changes_keep_its_tests_passing() {
    let sound = ["boot_kernel", "cognition", "docs_only", "format_only", "governance", "mistral_adapter", "new_test"];
    for change in sound {
        let (passed, summary) = pytest(Some(change), &[]);
        assert!(passed, "{change}: {summary}");
    }
}

#[test]
fn break_chaos_breaks_the_chaos_bundle_and_nothing_else() {
    let (passed, summary) = pytest(Some("break_chaos"), &["tests/chaos"]);
    assert!(!passed);
    assert!(summary.starts_with("1 failed, 4 passed"), "{summary}");
    let (passed, summary) = pytest(Some("break_chaos"), &["--ignore=tests/chaos"]);
    assert!(passed, "{summary}");
}

#[test]
fn weaken_test_passes_because_it_asks_for_less() {
    let (passed, summary) = pytest(Some("weaken_test"), &[]);
    assert!(passed, "{summary}");
    assert!(summary.contains("1 skipped"), "{summary}");
}

#[test]
fn every_change_is_covered_here() {
    let mut names: Vec<String> = fs::read_dir(example().join("changes"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let known = [
        "boot_kernel",
        "break_chaos",
        "cognition",
        "docs_only",
        "format_only",
        "governance",
        "mistral_adapter",
        "new_test",
        "weaken_test",
    ];
    assert_eq!(names, known);
}
