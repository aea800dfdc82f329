//! Whether commits can be taken back: tried in objects alone, in a repository of our own beside this one.
//!
//! No file of the work tree, no index and no reference is touched, and nothing of the repository's configuration or attributes
//! takes part, so that no program of its naming runs. What the trial makes goes with its directory.

use std::ffi::OsString;
use std::path::Path;

use super::{CommitId, CommitInfo, GitError, ObjectFormat, Oid, Repository, command, explain_failure, path_of, run};
use crate::process::{self, End};
use crate::{clock, files};

/// Most files that are named of one conflict.
const MOST_FILES: usize = 100;

/// What became of taking back one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reverted {
    /// It applies.
    Cleanly,
    /// These files conflict, the first hundred.
    Conflicts(Vec<String>),
    /// It was not tried: one before it conflicts, or git could not say; why.
    NotTried(String),
}

impl Repository {
    /// Takes back `commits`, in this order, each on top of the one before, beginning on `onto`. Of a merge the first parent
    /// is what is gone back to, as `git revert -m 1` does.
    ///
    /// # Errors
    /// When no trial can be made.
    pub fn try_reverts(&self, onto: CommitId, commits: &[CommitInfo]) -> Result<Vec<Reverted>, GitError> {
        let trial = Trial::begin(self)?;
        let mut at = onto.oid();
        let mut stopped: Option<&str> = None;
        let mut found = Vec::with_capacity(commits.len());
        for commit in commits {
            if let Some(why) = stopped {
                found.push(Reverted::NotTried(why.to_owned()));
                continue;
            }
            match trial.revert(at, commit) {
                Ok((tree, conflicts)) if conflicts.is_empty() => {
                    at = trial.commit(tree)?;
                    found.push(Reverted::Cleanly);
                }
                Ok((_, conflicts)) => {
                    stopped = Some("one before it conflicts");
                    found.push(Reverted::Conflicts(conflicts));
                }
                Err(GitError::Cancelled) => return Err(GitError::Cancelled),
                Err(error) => {
                    stopped = Some("one before it could not be tried");
                    found.push(Reverted::NotTried(error.to_string()));
                }
            }
        }
        Ok(found)
    }
}

/// A repository without references, configuration or work tree, that reads this one's objects.
struct Trial<'a> {
    repository: &'a Repository,
    dir: files::TempDir,
}

impl<'a> Trial<'a> {
    fn begin(repository: &'a Repository) -> Result<Self, GitError> {
        let failed =
            |error: files::FileError| GitError::Failed { command: "merge-tree".to_owned(), message: error.to_string() };
        let dir = files::temporary_dir().map_err(failed)?;
        let format = match repository.format {
            ObjectFormat::Sha1 => "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
            ObjectFormat::Sha256 => {
                "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n"
            }
        };
        let objects = repository.common_dir.join("objects");
        let alternates = format!("{}\n", objects.display());
        for below in ["refs", "objects/info"] {
            files::create_dirs(&dir.path().join(below)).map_err(failed)?;
        }
        for (name, text) in
            [("HEAD", "ref: refs/heads/none\n"), ("config", format), ("objects/info/alternates", &alternates)]
        {
            files::write_new(&dir.path().join(name), text.as_bytes(), false).map_err(failed)?;
        }
        Ok(Self { repository, dir })
    }

    fn command(&self, args: &[&str]) -> process::Command {
        let mut git_dir = OsString::from("--git-dir=");
        git_dir.push(self.dir.path());
        let args = args.iter().map(OsString::from).collect();
        let Repository { program, limits, .. } = self.repository;
        let mut command = command(program, self.dir.path(), &[git_dir], args, *limits);
        let date = format!("@{} +0000", clock::now().as_second());
        for (role, value) in [("NAME", "trial"), ("EMAIL", "trial@localhost"), ("DATE", &date)] {
            command.env.insert(format!("GIT_AUTHOR_{role}").into(), value.into());
            command.env.insert(format!("GIT_COMMITTER_{role}").into(), value.into());
        }
        command
    }

    fn named(&self, args: &[&str], input: &str) -> Result<Oid, GitError> {
        let mut command = self.command(args);
        command.input = Some(input.as_bytes().to_vec());
        let name = args.first().copied().unwrap_or_default();
        let output = run(command, &self.repository.cancel, name)?;
        let unnamed = || GitError::Failed { command: name.to_owned(), message: "it names no object".to_owned() };
        Oid::parse(String::from_utf8_lossy(&output).trim()).ok_or_else(unnamed)
    }

    /// A commit that holds a tree, for `merge-tree`.
    fn commit(&self, tree: Oid) -> Result<Oid, GitError> {
        self.named(&["commit-tree", &tree.to_string()], "trial\n")
    }

    /// The tree after taking a commit back, and the files that conflict.
    fn revert(&self, onto: Oid, commit: &CommitInfo) -> Result<(Oid, Vec<String>), GitError> {
        let parent = match commit.parents.first() {
            Some(parent) => parent.oid(),
            // Before the first commit there was nothing.
            None => self.commit(self.named(&["mktree"], "")?)?,
        };
        let base = format!("--merge-base={}", commit.id);
        let args = ["merge-tree", "--write-tree", "--no-messages", "--name-only", "-z", &base];
        let (onto, parent) = (onto.to_string(), parent.to_string());
        let args: Vec<&str> = args.into_iter().chain([onto.as_str(), parent.as_str()]).collect();
        let finished = process::run(&self.command(&args), &self.repository.cancel);
        let failed = |message: String| GitError::Failed { command: "merge-tree".to_owned(), message };
        let conflicts = match finished.end {
            End::Exited(0) => false,
            End::Exited(1) => true,
            End::Cancelled => return Err(GitError::Cancelled),
            End::TimedOut => return Err(GitError::TimedOut { command: "merge-tree".to_owned() }),
            End::TooMuchOutput => return Err(GitError::TooMuchOutput { command: "merge-tree".to_owned() }),
            End::Exited(code) => return Err(explain_failure("merge-tree", code, &finished.stderr.text())),
            End::Signalled(signal) => return Err(failed(format!("killed by signal {signal}"))),
            End::NotStarted(why) => return Err(failed(why)),
        };
        let mut parts = finished.stdout.bytes.split(|byte| *byte == 0);
        let tree = parts.next().and_then(|tree| Oid::parse(String::from_utf8_lossy(tree).trim()));
        let Some(tree) = tree else {
            // It ends so, too, where an object is lacking.
            return Err(explain_failure("merge-tree", 1, &finished.stderr.text()));
        };
        let shown = |path: &Path| path.display().to_string().replace('\\', "/");
        let mut named: Vec<String> =
            parts.filter(|path| !path.is_empty()).take(MOST_FILES).map(|path| shown(&path_of(path))).collect();
        named.sort();
        named.dedup();
        if conflicts && named.is_empty() {
            named.push("(git does not say which)".to_owned());
        }
        Ok((tree, named))
    }
}
