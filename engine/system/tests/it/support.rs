//! A repository to try things on.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use grace_system::git::Repository;

pub(crate) struct Sandbox {
    dir: tempfile::TempDir,
}

impl Sandbox {
    /// A repository without commits in `repo/`.
    pub(crate) fn unborn() -> Self {
        let sandbox = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(sandbox.root()).unwrap();
        sandbox.git(&["init", "-q", "-b", "main"]);
        sandbox
    }

    /// One commit with `a.txt`, `dir/b.py` and `run.sh` (executable).
    pub(crate) fn new() -> Self {
        let sandbox = Self::unborn();
        sandbox.write("a.txt", "one\ntwo\nthree\nfour\nfive\nsix\nseven\n");
        sandbox.write("dir/b.py", "def b():\n    return 1\n");
        sandbox.write("run.sh", "#!/bin/sh\n");
        sandbox.git(&["update-index", "--add", "--chmod=+x", "run.sh"]);
        sandbox.make_executable("run.sh");
        sandbox.commit("first");
        sandbox
    }

    /// A repository whose objects are named by SHA-256, with one file.
    pub(crate) fn sha256() -> Self {
        let sandbox = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(sandbox.root()).unwrap();
        sandbox.git(&["init", "-q", "-b", "main", "--object-format=sha256"]);
        sandbox.write("a.txt", "one\n");
        sandbox.commit("first");
        sandbox
    }

    /// Outside the repository.
    pub(crate) fn outside(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root().join(relative)
    }

    pub(crate) fn write(&self, relative: &str, text: impl AsRef<[u8]>) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn make_executable(&self, relative: &str) {
        executable(&self.path(relative));
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git as a person would, in the repository; it must succeed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let (ok, stdout, stderr) = self.try_git(args);
        assert!(ok, "git {args:?}: {stderr}");
        stdout
    }

    pub(crate) fn try_git(&self, args: &[&str]) -> (bool, String, String) {
        let output = git_command(&self.root(), self.outside()).args(args).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    }

    pub(crate) fn open(&self) -> Repository {
        Repository::discover(&self.root()).unwrap()
    }
}

/// Git with settings of its own, so that the machine's do not matter.
pub(crate) fn git_command(dir: &Path, home: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(dir).env("HOME", home).env("GIT_CONFIG_NOSYSTEM", "1");
    for (name, value) in [
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.com"),
        ("GIT_COMMITTER_NAME", "Bob"),
        ("GIT_COMMITTER_EMAIL", "bob@example.com"),
    ] {
        command.env(name, value);
    }
    command
}

pub(crate) fn executable(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Runs one ignored test of this binary in a process of its own, with these variables.
pub(crate) fn in_own_process(test: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", test, "--nocapture"])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("running 1 test"), "no test `{test}`: {text}");
    (output.status.success(), text)
}
