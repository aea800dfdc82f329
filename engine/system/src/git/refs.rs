//! References of our own, below `refs/grace/`: what they point at, and putting a file on top of one.

use super::{CommitId, GitError, Oid, Repository, run};
use crate::clock;

/// Who makes the commits that hold our own files.
const WRITER: &str = "grace-rules";
/// Where that would be reached: nowhere.
const ADDRESS: &str = "grace-rules@localhost";
/// Most references that are listed.
const MOST: usize = 10_000;

impl Repository {
    /// References whose name begins with one of `prefixes` (at a `/`), or is like it where it holds `*`, with what they point at, sorted by name.
    pub fn references_below(&self, prefixes: &[&str]) -> Result<Vec<(String, Oid)>, GitError> {
        let count = format!("--count={MOST}");
        let fixed = ["for-each-ref", &count, "--sort=refname", "--format=%(objectname) %(refname)"];
        let output = self.git(fixed.iter().chain(prefixes).copied())?;
        let text = String::from_utf8_lossy(&output);
        Ok(text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(oid, name)| Some((name.to_owned(), Oid::parse(oid)?)))
            .collect())
    }

    /// The blobs at `path` in the commits that a reference leads to by first parents, newest first, at most `max`.
    pub fn versions_below(&self, reference: &str, path: &str, max: usize) -> Result<Vec<Oid>, GitError> {
        let count = format!("--max-count={max}");
        let output = self.git(["rev-list", "--first-parent", &count, "--end-of-options", reference])?;
        let names: Vec<String> =
            String::from_utf8_lossy(&output).lines().map(|commit| format!("{commit}:{path}")).collect();
        Ok(self.objects_of("blob", &names)?.into_iter().flatten().collect())
    }

    /// Makes a commit that holds one file, on top of what `reference` points at, and lets it point there. Fails where another
    /// process moves the reference meanwhile. No hook runs, and no file of the work tree is touched.
    pub fn commit_file(&self, reference: &str, path: &str, bytes: &[u8], message: &str) -> Result<CommitId, GitError> {
        let before = self.references_below(&[reference])?.into_iter().find(|(name, _)| name == reference);
        let before = before.map(|(_, oid)| oid);
        let blob = self.made(&["hash-object", "-w", "--stdin"], bytes.to_vec())?;
        let tree = self.made(&["mktree"], format!("100644 blob {blob}\t{path}\n").into_bytes())?;
        let mut arguments = vec!["commit-tree".to_owned(), tree.to_string()];
        arguments.extend(before.iter().flat_map(|before| ["-p".to_owned(), before.to_string()]));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let commit = self.made(&arguments, message.as_bytes().to_vec())?;
        // Nothing, in the length of this repository's names, stands for a reference that must not exist.
        let absent = "0".repeat(commit.as_bytes().len() * 2);
        let before = before.map_or(absent, |before| before.to_string());
        self.git(["update-ref", "--no-deref", reference, &commit.to_string(), &before])?;
        Ok(CommitId(commit))
    }

    /// The object that a command makes of its input.
    pub(super) fn made(&self, arguments: &[&str], input: Vec<u8>) -> Result<Oid, GitError> {
        let mut command = self.command(arguments.iter().copied());
        command.input = Some(input);
        let date = format!("@{} +0000", clock::now().as_second());
        for (role, value) in [("NAME", WRITER), ("EMAIL", ADDRESS), ("DATE", &date)] {
            command.env.insert(format!("GIT_AUTHOR_{role}").into(), value.into());
            command.env.insert(format!("GIT_COMMITTER_{role}").into(), value.into());
        }
        let name = arguments.first().copied().unwrap_or_default();
        let output = run(command, &self.cancel, name)?;
        let unnamed = || GitError::Failed { command: name.to_owned(), message: "it names no object".to_owned() };
        Oid::parse(String::from_utf8_lossy(&output).trim()).ok_or_else(unnamed)
    }
}
