//! Repositories, the binary, and snapshots that hold on every machine.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use grace_ledger::{Ledger, SecretKey};
use regex::Regex;

/// Files of the small project that most tests use.
const PROJECT: &[(&str, &str)] = &[
    ("app/__init__.py", ""),
    ("app/core/__init__.py", ""),
    (
        "app/core/kernel.py",
        "class Kernel:\n    def start(self):\n        return 1\n\n    def stop(self):\n        return 0\n",
    ),
    ("app/api.py", "from app.core.kernel import Kernel\n\n\ndef boot():\n    return Kernel().start()\n"),
    ("app/notes.py", "def note():\n    return 'x'\n"),
    ("tests/test_api.py", "from app.api import boot\n\n\ndef test_boot():\n    assert boot() == 1\n"),
    // Its directory is where pytest then imports from.
    ("conftest.py", ""),
    ("README.md", "# app\n"),
    ("CODEOWNERS", "* @everyone\n/app/core/ @core-team\n"),
    ("grace/rules.grace", RULES),
];

/// Rules of its own, without any shipped pack, so that the packs may change without these tests.
pub(crate) const RULES: &str = r#"module project.rules

team owners  members "ann@example.org", "bob@example.org"

tag kernel  on path("app/core/**")

principle CORE_STAYS_SAFE
  says     "The core stays safe."

bundle unit  critical
  tests    path("tests/**")
  run      "pytest", "{tests}", "-q", "-p", "no:cacheprovider", "--junitxml={junit}"
  timeout  60 s each, 120 s in all

rule core_change : tier 3
  when     change touches tag(kernel)
  require  approval 1 of team(owners), bundle(unit)
  upholds  CORE_STAYS_SAFE
  because  "Everything starts here."

rule reaches_core : tier 2
  when     change touches dependents(tag(kernel), within 2)
  require  bundle(unit) narrowed to impacted tests
  because  "What calls the core breaks with it."

rule no_print : tier 2
  when     added code lines in path("app/**") contain "print("
  deny
  remedy   "Write to the log."
  because  "Nobody reads standard output."

test "a core edit is tier 3"
  given    edit of function("Kernel.start") in fixture("small")
  expect   tier 3 from core_change
  expect   bundle(unit)
"#;

/// A directory, usually a repository, that is removed afterwards.
pub(crate) struct Repo {
    _guard: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

impl Repo {
    /// An empty directory.
    pub(crate) fn directory() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let path = guard.path().canonicalize().unwrap().join("repo");
        fs::create_dir(&path).unwrap();
        Self { _guard: guard, path }
    }

    /// A repository without a commit.
    pub(crate) fn unborn() -> Self {
        let repo = Self::directory();
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    /// The small project, committed.
    pub(crate) fn project() -> Self {
        let repo = Self::unborn();
        for (path, text) in PROJECT {
            repo.write(path, text);
        }
        for (path, text) in PROJECT.iter().filter(|(path, _)| path.starts_with("app") || path.starts_with("tests")) {
            repo.write(&format!("grace/fixtures/small/{path}"), text);
        }
        repo.commit("first");
        repo
    }

    /// The small project with an edit of the kernel that is not committed.
    pub(crate) fn edited() -> Self {
        let repo = Self::project();
        repo.edit_kernel();
        repo
    }

    pub(crate) fn edit_kernel(&self) {
        self.write(
            "app/core/kernel.py",
            "class Kernel:\n    def start(self):\n        return 2 - 1\n\n    def stop(self):\n        return 0\n",
        );
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path.join(path)).unwrap()
    }

    /// What the ledger holds: each record's kind and body.
    pub(crate) fn recorded(&self) -> Vec<(String, serde_json::Value)> {
        let key = SecretKey::load(&self.path.with_file_name("ledger.key")).unwrap().public();
        let snapshot = Ledger::at(&self.path.join(".git/grace/ledger")).snapshot(&key).unwrap();
        let records = snapshot.records(0..u64::MAX).map(|record| record.unwrap());
        records.map(|record| (record.kind.clone(), snapshot.body(&record).unwrap())).collect()
    }

    /// SHA-256 of the newest record of a kind, hexadecimal.
    pub(crate) fn newest_digest(&self, kind: &str) -> String {
        let key = SecretKey::load(&self.path.with_file_name("ledger.key")).unwrap().public();
        let snapshot = Ledger::at(&self.path.join(".git/grace/ledger")).snapshot(&key).unwrap();
        let records: Vec<_> = snapshot.records(0..u64::MAX).map(|record| record.unwrap()).collect();
        grace_system::files::sha256(&records.iter().rfind(|record| record.kind == kind).unwrap().bytes)
    }

    /// The bodies of the ledger's records of one kind.
    pub(crate) fn recorded_as(&self, kind: &str) -> Vec<serde_json::Value> {
        self.recorded().into_iter().filter(|(of, _)| of == kind).map(|(_, body)| body).collect()
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_dir_all(self.path.join(path)).unwrap();
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--no-verify", "--message", message]);
    }

    /// Runs git with nothing of the machine's settings; its output.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgSign=false"])
            .args(arguments)
            .current_dir(&self.path)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
            .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Where the binary remembers things here: beside the repository, and nothing at first.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path.with_file_name("cache")
    }

    /// The file of the key that signs the ledger here: beside the repository, and not there at first.
    pub(crate) fn key(&self) -> PathBuf {
        self.path.with_file_name("ledger.key")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command
            .current_dir(&self.path)
            .env("GRACE_RULES_CACHE", self.cache())
            .env("GRACE_RULES_LEDGER_KEY", self.key());
        command
    }

    /// The whole output of the binary here, as a snapshot.
    pub(crate) fn grace(&self, line: &str) -> String {
        self.run(&line.split(' ').collect::<Vec<_>>(), None, |_| {}).snapshot(&self.path)
    }

    /// As [`Repo::grace`], with arguments that hold spaces.
    pub(crate) fn grace_args(&self, arguments: &[&str]) -> String {
        self.run(arguments, None, |_| {}).snapshot(&self.path)
    }

    /// As [`Repo::grace`], with standard input.
    pub(crate) fn grace_with_input(&self, line: &str, input: &str) -> String {
        self.run(&line.split(' ').collect::<Vec<_>>(), Some(input), |_| {}).snapshot(&self.path)
    }

    /// Runs the binary and gives everything that it said.
    pub(crate) fn run(&self, arguments: &[&str], input: Option<&str>, change: impl FnOnce(&mut Command)) -> Said {
        let mut command = self.command();
        command
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("CLICOLOR_FORCE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        // A command that does not read its input may be gone already.
        let _closed = child.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes());
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts the binary, which nobody reads, with a directory for temporary files.
    #[cfg(unix)]
    pub(crate) fn start(&self, arguments: &[&str], temporary: &Path) -> std::process::Child {
        let mut command = self.command();
        command.env("TMPDIR", temporary).args(arguments).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs the binary, interrupts it once it has said `after` on standard error, and gives its exit code and what it said.
    #[cfg(unix)]
    pub(crate) fn interrupted(&self, arguments: &[&str], after: &str) -> (Option<i32>, String) {
        use std::io::{BufRead as _, BufReader, Read as _};
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let mut lines = errors.lines();
        assert!(lines.any(|line| line.unwrap().contains(after)));
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        (child.wait().unwrap().code(), said)
    }

    /// Runs the binary with a standard input that stays open, sends it a signal once it handles signals, and gives its exit
    /// code and what it said on standard error.
    #[cfg(unix)]
    pub(crate) fn signalled(&self, arguments: &[&str], signal: &str) -> (Option<i32>, String) {
        let mut command = self.command();
        command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // More than a pipe holds: when it is written, the command reads, and so has set up its handler.
        input.write_all("diff\n".repeat(40_000).as_bytes()).unwrap();
        let killed = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        for _ in 0..1_000 {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        // Where the signal did not end it, the end of its input does, with another code.
        drop(input);
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The answer as JSON.
    pub(crate) fn json(&self, line: &str) -> serde_json::Value {
        let said = self.run(&format!("{line} --format json").split(' ').collect::<Vec<_>>(), None, |_| {});
        serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr))
    }
}

/// What the binary said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Everything, with what differs between machines replaced.
    pub(crate) fn snapshot(&self, directory: &Path) -> String {
        let mut text = self.stdout.clone();
        if !self.stderr.is_empty() {
            text.push_str("--- stderr\n");
            text.push_str(&self.stderr);
        }
        let code = self.code.map_or("a signal".to_owned(), |code| code.to_string());
        text.push_str(&format!("--- exit {code}\n"));
        assert!(!text.contains("\u{1b}["), "no colour without a terminal: {text}");
        let text = text.replace(&directory.display().to_string(), "DIR");
        let text = match directory.parent() {
            Some(above) => text.replace(&above.display().to_string(), "ABOVE"),
            None => text,
        };
        let replaced = [
            (r"\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}", "+KEYID+KEY"),
            (r"\b[0-9a-f]{8}-[0-9a-f]{8}\b", "LEDGER"),
            (r"\b[0-9a-f]{64}\b", "DIGEST"),
            (r"--base [0-9a-f]{12}\b", "--base SHORT"),
            (r"\b[0-9a-f]{12}\n", "SHORT\n"),
            (r"the key [0-9a-f]{8}\b", "the key FINGERPRINT"),
            (r"\b20\d\d-\d\d-\d\d(T[0-9:]{8}\.\d{6}Z| [0-9:]{8})", "WHEN"),
            (r" +plan [0-9a-f]{8}\b", "  plan ID"),
            (r"approve [0-9a-f]{32}\b", "approve ID"),
            (r"\b\d+(\.\d)? m?s\b", "TIME"),
            (r"pack ([a-z_.]+):\d+", "pack $1:N"),
        ];
        replaced
            .iter()
            .fold(text, |text, (pattern, by)| Regex::new(pattern).unwrap().replace_all(&text, *by).into_owned())
    }
}

/// The binary beside the tests: `cargo xtask test` builds it first.
fn binary() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let binary = tests.ancestors().nth(2).unwrap().join(format!("grace-rules{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.exists(), "{} is missing; cargo xtask test builds it", binary.display());
    binary
}

/// Copies a directory with all below it.
pub(crate) fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            fs::copy(&entry, &target).unwrap();
        }
    }
}
