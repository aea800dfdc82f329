//! From names to commits, with a distinct error for each way that can fail.

use super::{CommitId, GitError, Oid, Repository};
use crate::files::{self, Kind};

/// Longest revision that is passed on, in bytes.
const LONGEST: usize = 1024;

impl Repository {
    /// The commit that `rev` names.
    pub fn resolve(&self, rev: &str) -> Result<CommitId, GitError> {
        if rev.is_empty() || rev.starts_with('-') || rev.len() > LONGEST || rev.chars().any(char::is_control) {
            return Err(GitError::UnsafeRevision { rev: rev.to_owned() });
        }
        // A name that a tag, a branch and a remote's branch share: git takes one of them and only warns, and whoever may push
        // a tag would choose which.
        let short = Oid::parse(rev).is_none() && !rev.contains(['~', '^', '@', ':']);
        let places = ["refs/tags/", "refs/heads/", "refs/remotes/"].map(|place| format!("{place}{rev}"));
        let asked: Vec<String> =
            std::iter::once(format!("{rev}^{{commit}}")).chain(places.into_iter().filter(|_| short)).collect();
        let mut answers = self.check_all(&asked)?.into_iter();
        let first = answers.next().unwrap_or(Check::Missing);
        if answers.filter(|answer| matches!(answer, Check::Found(..))).count() > 1 {
            return Err(GitError::SharedName { rev: rev.to_owned() });
        }
        match first {
            Check::Found(oid, kind) if kind == "commit" => return Ok(CommitId(oid)),
            Check::Ambiguous => return Err(GitError::Ambiguous { rev: rev.to_owned() }),
            _ => {}
        }
        Err(self.why_unresolved(rev)?)
    }

    fn why_unresolved(&self, rev: &str) -> Result<GitError, GitError> {
        let rev_owned = || rev.to_owned();
        match self.check(rev)? {
            Check::Found(_, kind) if kind == "blob" || kind == "tree" => {
                return Ok(GitError::NotACommit { rev: rev_owned() });
            }
            Check::Ambiguous => return Ok(GitError::Ambiguous { rev: rev_owned() }),
            _ => {}
        }
        if self.head()?.is_none() && self.git(["for-each-ref", "--count=1", "--format=%(refname)"])?.is_empty() {
            return Ok(GitError::Unborn);
        }
        // `HEAD~5`: the part before the first `~` or `^` exists, the way from there does not.
        let base = rev.find(['~', '^']).map(|at| &rev[..at]).filter(|base| !base.is_empty());
        if let Some(base) = base
            && let Check::Found(..) = self.check(&format!("{base}^{{commit}}"))?
        {
            return Ok(if self.shallow {
                GitError::BeyondShallow { rev: rev_owned() }
            } else {
                GitError::NoAncestor { rev: rev_owned(), from: base.to_owned() }
            });
        }
        let named = base.unwrap_or(rev);
        if Oid::parse(named).is_some() {
            return Ok(if self.shallow {
                GitError::BeyondShallow { rev: rev_owned() }
            } else {
                GitError::MissingObject { name: rev_owned() }
            });
        }
        // A name that git knows and whose object it lacks.
        if self.git(["rev-parse", "--verify", "--quiet", "--end-of-options", named]).is_ok() && base.is_none() {
            return Ok(GitError::MissingObject { name: rev_owned() });
        }
        Ok(GitError::BadRevision { rev: rev_owned(), candidates: self.similar_refs(named)? })
    }

    /// The commit of `HEAD`; `None` before the first commit.
    pub fn head(&self) -> Result<Option<CommitId>, GitError> {
        match self.check("HEAD^{commit}")? {
            Check::Found(oid, _) => Ok(Some(CommitId(oid))),
            _ => Ok(None),
        }
    }

    /// The commits of these names, asked for together; `None` for names of no commit. The names are our own, not a user's.
    pub fn commits_of(&self, names: &[&str]) -> Result<Vec<Option<CommitId>>, GitError> {
        let questions: Vec<String> = names.iter().map(|name| format!("{name}^{{commit}}")).collect();
        Ok(self.objects_of("commit", &questions)?.into_iter().map(|oid| oid.map(CommitId)).collect())
    }

    /// The objects of these names that are of this kind; `None` for the others. The names are our own, not a user's.
    pub(super) fn objects_of(&self, kind: &str, names: &[String]) -> Result<Vec<Option<Oid>>, GitError> {
        let object = |check| match check {
            Check::Found(oid, found) if found == kind => Some(oid),
            _ => None,
        };
        Ok(self.check_all(names)?.into_iter().map(object).collect())
    }

    /// The branch that `HEAD` is on; `None` when it is detached.
    pub fn branch(&self) -> Result<Option<String>, GitError> {
        // Git is asked where the file does not say it plainly: a link, or a repository that keeps references elsewhere.
        let head = self.git_dir.join("HEAD");
        if files::stat(&head).is_ok_and(|stat| stat.kind == Kind::File)
            && let Ok(text) = files::read_text(&head, LONGEST as u64)
            && let Some(name) = text.strip_prefix("ref: refs/heads/").and_then(|name| name.strip_suffix('\n'))
            && !name.starts_with('.')
            && !name.contains(char::is_whitespace)
        {
            return Ok(Some(name.to_owned()));
        }
        match self.git(["symbolic-ref", "--quiet", "HEAD"]) {
            Ok(name) => {
                let name = String::from_utf8_lossy(&name).trim_end().to_owned();
                Ok(Some(name.strip_prefix("refs/heads/").map(str::to_owned).unwrap_or(name)))
            }
            Err(GitError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The best common ancestor.
    pub fn merge_base(&self, a: CommitId, b: CommitId) -> Result<CommitId, GitError> {
        let none = || {
            if self.shallow {
                GitError::BeyondShallow { rev: format!("{a}...{b}") }
            } else {
                GitError::NoMergeBase { a, b }
            }
        };
        match self.git(["merge-base", &a.to_string(), &b.to_string()]) {
            Ok(output) => Oid::parse(String::from_utf8_lossy(&output).trim()).map(CommitId).ok_or_else(none),
            // Exit 1 without a word: there is none.
            Err(GitError::Failed { message, .. }) if message == "exit code 1" => Err(none()),
            Err(error) => Err(error),
        }
    }

    /// Names of branches, tags and remote branches as people write them, sorted.
    pub fn ref_names(&self) -> Result<Vec<String>, GitError> {
        let output = self.git(["for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags", "refs/remotes"])?;
        let text = String::from_utf8_lossy(&output);
        let mut names: Vec<String> = text
            .lines()
            .filter_map(|name| {
                ["refs/heads/", "refs/tags/", "refs/remotes/"].iter().find_map(|prefix| name.strip_prefix(prefix))
            })
            .map(str::to_owned)
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn similar_refs(&self, wanted: &str) -> Result<Vec<String>, GitError> {
        let allowed = (wanted.chars().count() / 3).max(1);
        let mut near: Vec<(usize, String)> = Vec::new();
        for name in self.ref_names()?.into_iter().chain(["HEAD".to_owned()]) {
            // `main` is also near to `origin/main`.
            let last = name.rsplit('/').next().unwrap_or(&name);
            let distance = distance(wanted, &name).min(distance(wanted, last) + usize::from(last != name));
            if distance <= allowed {
                near.push((distance, name));
            }
        }
        near.sort();
        near.truncate(3);
        Ok(near.into_iter().map(|(_, name)| name).collect())
    }

    fn check(&self, name: &str) -> Result<Check, GitError> {
        Ok(self.check_all(&[name.to_owned()])?.pop().unwrap_or(Check::Missing))
    }

    /// What each of these names is, in order.
    fn check_all(&self, names: &[String]) -> Result<Vec<Check>, GitError> {
        let mut command = self.command(["cat-file", "--batch-check"]);
        command.input = Some(names.iter().flat_map(|name| [name, "\n"]).collect::<String>().into_bytes());
        let output = match super::run(command, &self.cancel, "cat-file") {
            Ok(output) => output,
            // A promised object that may not be fetched ends some versions.
            Err(GitError::Failed { message, .. })
                if message.contains("promisor") || message.contains("lazy fetching") =>
            {
                // Which of them it was, nobody says; the rest are asked one by one.
                return match names {
                    [] | [_] => Ok(vec![Check::Missing]),
                    many => many.iter().map(|name| self.check(name)).collect(),
                };
            }
            Err(error) => return Err(error),
        };
        let text = String::from_utf8_lossy(&output);
        let mut answers: Vec<Check> = text.lines().map(Check::of).collect();
        answers.resize_with(names.len(), || Check::Missing);
        Ok(answers)
    }
}

enum Check {
    Found(Oid, String),
    Ambiguous,
    Missing,
}

impl Check {
    /// From a line of git's answer.
    fn of(line: &str) -> Self {
        if line.ends_with(" ambiguous") {
            return Self::Ambiguous;
        }
        let mut words = line.split(' ');
        match (words.next().and_then(Oid::parse), words.next(), words.next()) {
            (Some(oid), Some(kind), Some(_size)) => Self::Found(oid, kind.to_owned()),
            _ => Self::Missing,
        }
    }
}

/// Edits (insert, delete, replace, swap neighbours) between two names, case aside.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).take(128).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).take(128).collect();
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}
