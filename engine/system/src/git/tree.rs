//! What a commit holds, and what differs between two trees or between a tree and the index.

use super::{CommitId, GitError, Oid, Repository, run};
use crate::names;

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeEntry {
    /// Repository-relative, `/` separators; not yet known to be safe to join to a directory.
    pub path: String,
    /// The name is not UTF-8, and `path` shows its bytes as `\xNN`.
    pub odd_name: bool,
    /// Git's mode, such as `0o100644`.
    pub mode: u32,
    /// The blob, or for a submodule its commit.
    pub oid: Oid,
    /// What the mode means.
    pub kind: EntryKind,
}

/// The kinds of tree entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A regular file that may be executed.
    Executable,
    /// A symbolic link; the blob is its target.
    Symlink,
    /// Another repository at a commit.
    Submodule,
}

impl EntryKind {
    /// What a mode means.
    #[must_use]
    pub fn of_mode(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o120_000 => Self::Symlink,
            0o160_000 => Self::Submodule,
            _ if mode & 0o111 != 0 => Self::Executable,
            _ => Self::File,
        }
    }
}

/// How a path changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Only after.
    Added,
    /// Only before.
    Deleted,
    /// Content or mode differs.
    Modified,
    /// File, link or submodule became another of these.
    TypeChanged,
    /// Moved.
    Renamed {
        /// Percent of the content that stayed, 50 to 100.
        similarity: u8,
    },
    /// In conflict.
    Unmerged,
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeChange {
    /// How.
    pub status: Status,
    /// The old side; `None` if added.
    pub before: Option<TreeEntry>,
    /// The new side; `None` if deleted.
    pub after: Option<TreeEntry>,
}

impl TreeChange {
    /// The new path, or the old one if it is gone.
    pub fn path(&self) -> &str {
        self.after.as_ref().or(self.before.as_ref()).map_or("", |entry| entry.path.as_str())
    }
}

impl Repository {
    /// Every entry of a commit's tree except directories, in git's order.
    pub fn tree(&self, commit: CommitId) -> Result<Vec<TreeEntry>, GitError> {
        let output = self
            .git(["ls-tree", "-r", "-z", "--full-tree", &commit.to_string()])
            .map_err(|error| missing(error, commit))?;
        records(&output)
            .map(|record| {
                // MODE SP TYPE SP OID TAB PATH
                let tab = record.iter().position(|byte| *byte == b'\t').ok_or_else(|| malformed("ls-tree"))?;
                let head = std::str::from_utf8(&record[..tab]).map_err(|_| malformed("ls-tree"))?;
                let mut words = head.split(' ');
                let (mode, _, oid) = (words.next(), words.next(), words.next());
                entry(mode, oid, &record[tab + 1..]).ok_or_else(|| malformed("ls-tree"))
            })
            .collect()
    }

    /// What differs from `base` to `head`, with renames, sorted by path. `base: None` is the empty tree.
    ///
    /// Where the contents that rename detection needs are lacking, a rename is a deletion and an addition.
    pub fn changed(&self, base: Option<CommitId>, head: CommitId) -> Result<Vec<TreeChange>, GitError> {
        let args = ["diff-tree", "-r", "-z", "--no-commit-id"];
        self.differences(&args, &[self.tree_name(base), head.to_string()]).map_err(|error| missing(error, head))
    }

    /// What each of these commits has otherwise than the one before it in the list, as [`Repository::changed`] says it: one
    /// process for all. Where that cannot be told of each, it is an error, and each is to be asked for by itself.
    pub fn changed_along(&self, commits: &[CommitId]) -> Result<Vec<Vec<TreeChange>>, GitError> {
        let pairs = commits.windows(2);
        let asked: String = pairs.clone().map(|pair| format!("{} {}\n", pair[1], pair[0])).collect();
        let args = ["diff-tree", "--stdin", "--always", "-r", "-z", "-M50%", "-l2000"].iter().chain(&RAW);
        let mut command = self.command(args.chain(&["--"]));
        command.input = Some(asked.into_bytes());
        let output = run(command, &self.cancel, "diff-tree")?;
        // Each answer begins with the name of its commit; records of files with a colon, or after one.
        let mut answers: Vec<Vec<u8>> = Vec::with_capacity(pairs.len());
        let mut paths = 0;
        for record in records(&output) {
            if paths == 0 && record.first() != Some(&b':') {
                answers.push(Vec::new());
                continue;
            }
            paths = match paths {
                0 if record.split(|byte| *byte == b' ').next_back().is_some_and(|status| status.starts_with(b"R")) => 2,
                0 => 1,
                paths => paths - 1,
            };
            let answer = answers.last_mut().ok_or_else(|| malformed("diff-tree"))?;
            answer.extend_from_slice(record);
            answer.push(0);
        }
        if answers.len() != pairs.len() {
            return Err(malformed("diff-tree"));
        }
        answers.iter().map(|answer| sorted(parse_raw(answer)?)).collect()
    }

    /// What differs from `base` to the index, with renames, sorted by path.
    pub fn changed_staged(&self, base: Option<CommitId>) -> Result<Vec<TreeChange>, GitError> {
        self.differences(&["diff-index", "--cached", "-z"], &[self.tree_name(base)])
    }

    fn tree_name(&self, commit: Option<CommitId>) -> String {
        commit.map_or_else(|| Oid::empty_tree(self.format).to_string(), |commit| commit.to_string())
    }

    fn differences(&self, command: &[&str], trees: &[String]) -> Result<Vec<TreeChange>, GitError> {
        let ask = |renames: &[&str]| {
            let args = command.iter().chain(&RAW).chain(renames).copied().map(str::to_owned);
            self.git(args.chain(trees.iter().cloned()).chain(["--".to_owned()]))
        };
        let output = match ask(&["-M50%", "-l2000"]) {
            Err(GitError::Failed { .. }) => ask(&["--no-renames"])?,
            other => other?,
        };
        sorted(parse_raw(&output)?)
    }
}

/// How git is to write differences.
const RAW: [&str; 5] = ["--raw", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none"];

fn sorted(mut changes: Vec<TreeChange>) -> Result<Vec<TreeChange>, GitError> {
    changes.sort_by(|a, b| (a.path(), a.status).cmp(&(b.path(), b.status)));
    Ok(changes)
}

/// Git's word for an object it lacks becomes its own error.
fn missing(error: GitError, commit: CommitId) -> GitError {
    match error {
        GitError::Failed { message, .. }
            if [
                "bad object",
                "bad tree",
                "unable to read",
                "not a tree object",
                "not a valid object",
                "lazy fetching",
            ]
            .iter()
            .any(|words| message.contains(words)) =>
        {
            GitError::MissingObject { name: commit.to_string() }
        }
        other => other,
    }
}

pub(super) fn records(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut ends = memchr::memchr_iter(0, output).chain([output.len()]);
    let mut start = 0;
    let next = move || {
        let end = ends.next()?;
        Some(&output[std::mem::replace(&mut start, end + 1).min(end)..end])
    };
    std::iter::from_fn(next).filter(|record| !record.is_empty())
}

pub(super) fn malformed(command: &str) -> GitError {
    GitError::Failed { command: command.to_owned(), message: "an answer of unknown form".to_owned() }
}

pub(super) fn entry(mode: Option<&str>, oid: Option<&str>, path: &[u8]) -> Option<TreeEntry> {
    let mode = u32::from_str_radix(mode?, 8).ok()?;
    let (path, odd_name) = names::from_bytes(path);
    Some(TreeEntry { path, odd_name, mode, oid: Oid::parse(oid?)?, kind: EntryKind::of_mode(mode) })
}

/// `:MODE MODE OID OID STATUS NUL PATH NUL [PATH NUL]`, repeated.
fn parse_raw(output: &[u8]) -> Result<Vec<TreeChange>, GitError> {
    let bad = || malformed("diff");
    let mut records = records(output);
    let mut changes = Vec::new();
    while let Some(head) = records.next() {
        let head = std::str::from_utf8(head).ok().and_then(|head| head.strip_prefix(':')).ok_or_else(bad)?;
        let [old_mode, new_mode, old_oid, new_oid, status] = head.split(' ').collect::<Vec<_>>()[..] else {
            return Err(bad());
        };
        let path = records.next().ok_or_else(bad)?;
        let old = |path| entry(Some(old_mode), Some(old_oid), path).ok_or_else(bad);
        let new = |path| entry(Some(new_mode), Some(new_oid), path).ok_or_else(bad);
        let (letter, score) = status.split_at_checked(1).ok_or_else(bad)?;
        let (status, before, after) = match letter {
            "A" => (Status::Added, None, Some(new(path)?)),
            "D" => (Status::Deleted, Some(old(path)?), None),
            "M" => (Status::Modified, Some(old(path)?), Some(new(path)?)),
            "T" => (Status::TypeChanged, Some(old(path)?), Some(new(path)?)),
            "R" => {
                let to = records.next().ok_or_else(bad)?;
                (Status::Renamed { similarity: score.parse().map_err(|_| bad())? }, Some(old(path)?), Some(new(to)?))
            }
            "U" => (Status::Unmerged, Some(old(path)?).filter(|entry| entry.mode != 0), None),
            _ => return Err(bad()),
        };
        changes.push(TreeChange { status, before, after });
    }
    Ok(changes)
}
