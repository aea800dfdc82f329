//! A repository to try things on.

use grace_system::files::{self, TempDir};
use grace_system::git::Repository;
use grace_system::process::{self, Cancel, Command, End};

pub(crate) struct Sandbox {
    directory: TempDir,
}

impl Sandbox {
    /// A repository without commits.
    pub(crate) fn new() -> Self {
        let sandbox = Self { directory: files::temporary_dir().unwrap() };
        sandbox.git(&["init", "-q", "-b", "main"], b"");
        sandbox
    }

    /// Runs git as a person would; it must succeed.
    pub(crate) fn git(&self, args: &[&str], input: &[u8]) -> String {
        let mut command = Command::new("git", self.directory.path());
        command.args = args.iter().map(Into::into).collect();
        command.env = grace_system::env::inherited(&["PATH"]).into_iter().collect();
        command.env.insert("HOME".into(), self.directory.path().into());
        command.input = Some(input.to_vec());
        let finished = process::run(&command, &Cancel::new());
        assert_eq!(finished.end, End::Exited(0), "git {args:?}: {}", finished.stderr.text());
        finished.stdout.text().trim_end().to_owned()
    }

    pub(crate) fn open(&self) -> Repository {
        Repository::discover(self.directory.path()).unwrap()
    }
}
