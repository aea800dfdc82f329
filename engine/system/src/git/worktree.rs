//! The state of the work tree, compared by contents that we read and hash.
//!
//! Git's own comparison may run filters, so it is not asked. A file counts as unchanged if its bytes,
//! its bytes with CRLF as LF, or the Git LFS pointer to its bytes hash to the blob that is expected.
//! Other filters (`ident`, encodings, encryption) make a file look changed. Submodules are taken as the index has them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::OnceLock;

use super::content::{KnownFile, Looked, Recall};
use super::listing::{Answers, Listing};
use super::tree::{entry, malformed, records};
use super::{Blob, CommitId, EntryKind, GitError, Oid, Repository, Status, TreeChange, TreeEntry};
use crate::files::{self, FileError, FileErrorKind, Kind, Stat};
use crate::{Problem, ProblemKind, names};

/// Files larger than this are not compared for similarity.
const MAX_SIMILAR: u64 = 1 << 20;
/// Above so many pairs of a deleted and an added file, only exact renames are found.
const MAX_PAIRS: usize = 40_000;

/// What git and the disk say of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkFile {
    /// Repository-relative path.
    pub path: String,
    /// Its entry in the index; `None` if untracked.
    pub index: Option<Indexed>,
    /// Where its content is.
    pub state: WorkState,
}

/// What an entry of the index, or one that a commit would hold, says beside its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indexed {
    /// Git's mode, such as `0o100644`.
    pub mode: u32,
    /// The blob, or for a submodule its commit.
    pub oid: Oid,
    /// What the mode means.
    pub kind: EntryKind,
}

impl Indexed {
    fn of(entry: &TreeEntry) -> Self {
        Self { mode: entry.mode, oid: entry.oid, kind: entry.kind }
    }

    /// The entry of a tree that has it at a path.
    #[must_use]
    pub fn at(self, path: &str) -> TreeEntry {
        let Self { mode, oid, kind } = self;
        TreeEntry { path: path.to_owned(), odd_name: false, mode, oid, kind }
    }
}

/// Where the content of a [`WorkFile`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkState {
    /// On disk, in this state.
    Present(Stat),
    /// Tracked, but gone from disk.
    Deleted,
    /// Left out of a sparse checkout, or a submodule: the index entry counts.
    InIndex,
}

/// All files of the work tree that git would not ignore.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkTree {
    /// Tracked and untracked files, sorted by path.
    pub files: Vec<WorkFile>,
    /// What could not be listed, sorted.
    pub problems: Vec<Problem>,
    /// What git said, where it was asked.
    pub asked: Option<Answers>,
}

/// What differs from a commit to the work tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkTreeChanges {
    /// Sorted by path. The `oid` of an `after` on disk is computed; the object database may lack it. Renames are found as git finds them, by content.
    pub changes: Vec<TreeChange>,
    /// Paths whose state is not known, sorted.
    pub problems: Vec<Problem>,
    /// The regular files on disk, sorted by path.
    pub files: Vec<KnownFile>,
    /// Some of them had to be read.
    pub some_read: bool,
}

impl Repository {
    /// Of some paths, those that are tracked, or untracked files which git would not ignore.
    pub fn not_ignored(&self, paths: &[&str]) -> Result<Vec<String>, GitError> {
        let mut args = vec!["ls-files", "-c", "-o", "--exclude-standard", "-z", "--"];
        args.extend(paths);
        let output = self.git(args)?;
        Ok(records(&output).map(|record| names::from_bytes(record).0).collect())
    }

    /// Lists the work tree: tracked files, and untracked ones that are not ignored.
    pub fn work_tree(&self) -> Result<WorkTree, GitError> {
        self.work_tree_as(None)
    }

    /// As [`Repository::work_tree`], without asking git again while all that `known` hangs on is as it was.
    pub fn work_tree_as(&self, known: Option<Listing>) -> Result<WorkTree, GitError> {
        let known = known.filter(|known| self.still_holds(known));
        let recalled = known.as_ref().and_then(|known| listed(&known.answers).ok());
        let ((files, mut problems), asked) = match recalled {
            Some(found) => (found, None),
            None => {
                let answers = self.answers()?;
                (listed(&answers)?, Some(answers))
            }
        };
        let sound: HashSet<&str> =
            known.iter().flat_map(|known| &known.inside).map(|(path, _)| path.as_str()).collect();
        let states = in_shares(&files, |files| {
            let mut look = files::LookIn::new(&self.root).knowing(&sound);
            files.iter().map(|file| state_on_disk(file, &mut look)).collect()
        });
        let mut present = Vec::with_capacity(files.len());
        for (file, state) in files.into_iter().zip(states) {
            let Listed { path, index, .. } = file;
            match state {
                Ok(Some(state)) => present.push(WorkFile { path, index, state }),
                Ok(None) => {}
                Err(found) => {
                    problems.push(found);
                    // What is known of it is what the index says.
                    if index.is_some() {
                        present.push(WorkFile { path, index, state: WorkState::InIndex });
                    }
                }
            }
        }
        problems.sort();
        problems.dedup();
        Ok(WorkTree { files: present, problems, asked })
    }

    /// What differs from `base` to the work tree, untracked files included. `base: None` is the empty tree.
    pub fn changed_worktree(&self, base: Option<CommitId>) -> Result<WorkTreeChanges, GitError> {
        let base = base.map(|base| self.tree(base)).transpose()?.unwrap_or_default();
        self.compare_worktree(&base, self.work_tree()?, &|_, _, _| None)
    }

    /// What differs from a tree to the work tree as [`Repository::work_tree`] listed it, untracked files included. Files of
    /// which `recall` knows the content are not read.
    pub fn compare_worktree(
        &self,
        base: &[TreeEntry],
        listed: WorkTree,
        recall: Recall<'_>,
    ) -> Result<WorkTreeChanges, GitError> {
        // Git lists in this order, and who gave another one gets the same answer.
        let mut before: Vec<&TreeEntry> = base.iter().collect();
        if !before.is_sorted_by(|a, b| a.path < b.path) {
            // Of several of one path the last one counts.
            before.reverse();
            before.sort_by(|a, b| a.path.cmp(&b.path));
            before.dedup_by(|a, b| a.path == b.path);
        }
        let mut before = before.into_iter().peekable();
        let unknown: Vec<String> = listed.problems.iter().map(|problem| problem.path.clone()).collect();
        let mut found = WorkTreeChanges { problems: listed.problems, ..WorkTreeChanges::default() };
        found.files.reserve(listed.files.len());
        let modes = Modes { repository: self, believed: OnceLock::new() };
        let mut unlisted = Vec::new();
        let mut files: Vec<(WorkFile, Option<&TreeEntry>)> = Vec::with_capacity(listed.files.len());
        for file in listed.files {
            unlisted.extend(std::iter::from_fn(|| before.next_if(|old| old.path < file.path)));
            let old = before.next_if(|old| old.path == file.path);
            files.push((file, old));
        }
        unlisted.extend(before);
        let news = in_shares(&files, |files| {
            let mut hint = 0;
            files.iter().map(|(file, old)| self.entry_on_disk(file, *old, &modes, recall, &mut hint)).collect()
        });
        for ((file, old), new) in files.into_iter().zip(news) {
            match new {
                Ok((new, known)) => {
                    let is_same = |new: Indexed| old.is_some_and(|old| old.oid == new.oid && old.kind == new.kind);
                    if !new.is_some_and(is_same) {
                        found.changes.extend(change(old, new.map(|new| new.at(&file.path))));
                    }
                    if let Some(Looked { stamp, names, was_read }) = known {
                        found.some_read |= was_read;
                        found.files.push(KnownFile { path: file.path, stamp, names });
                    }
                }
                Err(error) => found.problems.push(problem_of(&file.path, &error)),
            }
        }
        // What git lists no more is deleted, unless something of unknown state stands there.
        for old in unlisted {
            let hidden = unknown.iter().any(|place| {
                old.path.strip_prefix(place.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            if !hidden {
                found.changes.extend(change(Some(old), None));
            }
        }
        found.changes = self.pair_similar_renames(pair_exact_renames(found.changes))?;
        found.problems.sort();
        found.problems.dedup();
        Ok(found)
    }

    /// Pairs each deleted file with the most similar added one, if half of the larger of the two is in both.
    fn pair_similar_renames(&self, changes: Vec<TreeChange>) -> Result<Vec<TreeChange>, GitError> {
        let is_file = |entry: &TreeEntry| matches!(entry.kind, EntryKind::File | EntryKind::Executable);
        let side = |status: Status| -> Vec<TreeEntry> {
            let of = changes.iter().filter(|change| change.status == status);
            of.filter_map(|change| change.before.as_ref().or(change.after.as_ref()))
                .filter(|entry| is_file(entry))
                .cloned()
                .collect()
        };
        let (deleted, added) = (side(Status::Deleted), side(Status::Added));
        if deleted.is_empty() || added.is_empty() || deleted.len().saturating_mul(added.len()) > MAX_PAIRS {
            return Ok(changes);
        }
        let mut old_lines: Vec<Option<Lines>> = Vec::with_capacity(deleted.len());
        let oids: Vec<Oid> = deleted.iter().map(|entry| entry.oid).collect();
        self.blobs().read_many(&oids, MAX_SIMILAR, |_, blob| {
            old_lines.push(if let Blob::Data(bytes) = blob { Some(Lines::of(&bytes)) } else { None });
        })?;
        let new_lines = added
            .iter()
            .map(|entry| files::read_in(&self.root, &entry.path, MAX_SIMILAR).ok().map(|bytes| Lines::of(&bytes)));
        let new_lines: Vec<Option<Lines>> = new_lines.collect();
        let mut pairs = Vec::new();
        for (from, old) in old_lines.iter().enumerate() {
            for (to, new) in new_lines.iter().enumerate() {
                if let (Some(old), Some(new)) = (old, new)
                    && let similarity @ 50.. = old.similarity(new)
                {
                    let renamed = file_name(&deleted[from].path) != file_name(&added[to].path);
                    pairs.push((std::cmp::Reverse(similarity), renamed, from, to));
                }
            }
        }
        pairs.sort_unstable();
        let mut target_of: BTreeMap<&str, (&TreeEntry, u8)> = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for (similarity, _, from, to) in pairs {
            if !target_of.contains_key(deleted[from].path.as_str()) && taken.insert(added[to].path.as_str()) {
                target_of.insert(&deleted[from].path, (&added[to], similarity.0));
            }
        }
        let mut result = Vec::with_capacity(changes.len());
        for change in &changes {
            match change.status {
                Status::Added if taken.contains(change.path()) => {}
                Status::Deleted if target_of.contains_key(change.path()) => {
                    let (after, similarity) = target_of[change.path()];
                    let status = Status::Renamed { similarity };
                    result.push(TreeChange { status, before: change.before.clone(), after: Some(after.clone()) });
                }
                _ => result.push(change.clone()),
            }
        }
        result.sort_by(|a, b| (a.path(), a.status).cmp(&(b.path(), b.status)));
        Ok(result)
    }

    /// The entry that a commit of this file would hold now, `None` if it is gone; and what is known of its content. `hint` is
    /// for who recalls.
    fn entry_on_disk(
        &self,
        file: &WorkFile,
        base: Option<&TreeEntry>,
        modes: &Modes<'_>,
        recall: Recall<'_>,
        hint: &mut usize,
    ) -> Result<(Option<Indexed>, Option<Looked>), FileError> {
        let stat = match file.state {
            WorkState::Deleted => return Ok((None, None)),
            WorkState::InIndex => return Ok((file.index, None)),
            WorkState::Present(stat) => stat,
        };
        let known = file.index.map(|entry| entry.kind).or(base.map(|entry| entry.kind));
        let was_executable = known == Some(EntryKind::Executable);
        let kind = match stat.kind {
            Kind::Link => EntryKind::Symlink,
            // A checkout without links holds each as a file with its target.
            _ if cfg!(windows) && known == Some(EntryKind::Symlink) => EntryKind::Symlink,
            _ if stat.executable == was_executable && was_executable => EntryKind::Executable,
            _ if stat.executable == was_executable => EntryKind::File,
            _ if modes.are_believed() == stat.executable => EntryKind::Executable,
            _ => EntryKind::File,
        };
        let mode = match kind {
            EntryKind::Symlink => 0o120_000,
            EntryKind::Executable => 0o100_755,
            _ => 0o100_644,
        };
        let entry = |oid| Indexed { mode, oid, kind };
        let named = if stat.kind == Kind::Link {
            files::link_target_in(&self.root, &file.path)
                .map(|target| (entry(Oid::of_blob(self.format, &target)), None))
        } else {
            let wanted = [file.index.map(|entry| entry.oid), base.map(|entry| entry.oid)];
            self.names_on_disk(&file.path, &stat.stamp, wanted, recall, hint)
                .map(|(oid, looked)| (entry(oid), Some(looked)))
        };
        match named {
            Ok((entry, known)) => Ok((Some(entry), known)),
            // Gone since it was listed.
            Err(error) if error.kind == FileErrorKind::NotFound => Ok((None, None)),
            Err(error) => Err(error),
        }
    }

    /// The name that this repository would give a blob with these bytes.
    pub fn blob_id(&self, bytes: &[u8]) -> Oid {
        Oid::of_blob(self.format, bytes)
    }
}

/// Whether the executable bits on disk mean anything, asked of git when the first one differs from what is expected.
struct Modes<'a> {
    repository: &'a Repository,
    believed: OnceLock<bool>,
}

impl Modes<'_> {
    fn are_believed(&self) -> bool {
        let ask = || self.repository.git(["config", "--type=bool", "--get", "core.fileMode"]);
        *self.believed.get_or_init(|| cfg!(unix) && ask().map_or(true, |value| value != b"false\n"))
    }
}

/// A path as git lists it.
struct Listed {
    path: String,
    /// Left out of a sparse checkout.
    skipped: bool,
    index: Option<Indexed>,
}

/// The paths that git lists, sorted, and what is wrong with some.
fn listed(answers: &Answers) -> Result<(Vec<Listed>, Vec<Problem>), GitError> {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for record in records(&answers.tracked) {
        // TAG SP MODE SP OID SP STAGE TAB PATH
        let bad = || malformed("ls-files");
        let tab = memchr::memchr(b'\t', record).ok_or_else(bad)?;
        let head = std::str::from_utf8(&record[..tab]).map_err(|_| bad())?;
        let mut words = head.split(' ');
        let [tag, mode, oid, stage] = [(); 4].map(|()| words.next());
        let entry = entry(mode, oid, &record[tab + 1..]).filter(|_| words.next().is_none()).ok_or_else(bad)?;
        let (tag, stage) = tag.zip(stage).ok_or_else(bad)?;
        if stage != "0" {
            problems.push(problem(&entry.path, ProblemKind::Unmerged, "is in conflict in the index"));
        }
        if entry.odd_name {
            problems.push(problem(&entry.path, ProblemKind::OddName, "has a name that is not UTF-8"));
        } else {
            files.push(Listed { skipped: tag == "S", index: Some(Indexed::of(&entry)), path: entry.path });
        }
    }
    for record in records(&answers.untracked) {
        let (path, odd_name) = names::from_bytes(record);
        if odd_name {
            problems.push(problem(&path, ProblemKind::OddName, "has a name that is not UTF-8"));
        } else if path.ends_with('/') {
            let path = path.trim_end_matches('/');
            problems.push(problem(path, ProblemKind::NestedRepository, "is a repository of its own"));
        } else {
            files.push(Listed { path, skipped: false, index: None });
        }
    }
    if !files.is_sorted_by(|a, b| a.path < b.path) {
        // Of several entries of one path the last one counts: they are stages of a conflict.
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.reverse();
        files.dedup_by(|a, b| a.path == b.path);
        files.reverse();
    }
    Ok((files, problems))
}

/// Where the content of a listed path is; `None` where there is no such file.
fn state_on_disk(file: &Listed, look: &mut files::LookIn<'_>) -> Result<Option<WorkState>, Problem> {
    if file.index.as_ref().is_some_and(|entry| entry.kind == EntryKind::Submodule) {
        return Ok(Some(WorkState::InIndex));
    }
    let tracked = file.index.is_some();
    match look.stat(&file.path) {
        Ok(stat) if matches!(stat.kind, Kind::File | Kind::Link) => Ok(Some(WorkState::Present(stat))),
        Ok(stat) if stat.kind == Kind::Directory && tracked => Ok(Some(WorkState::Deleted)),
        Ok(_) => Err(problem(&file.path, ProblemKind::Special, "is not a regular file")),
        Err(error) => match error.kind {
            FileErrorKind::NotFound if file.skipped => Ok(Some(WorkState::InIndex)),
            // Below a link is not this repository's file: for git, too, it is gone.
            FileErrorKind::NotFound | FileErrorKind::Link if tracked => Ok(Some(WorkState::Deleted)),
            // Gone since it was listed.
            FileErrorKind::NotFound => Ok(None),
            _ => Err(problem_of(&file.path, &error)),
        },
    }
}

/// One answer for each item, in order: every core takes a share.
fn in_shares<T: Sync, A: Send>(items: &[T], each: impl Fn(&[T]) -> Vec<A> + Sync) -> Vec<A> {
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(8));
    let share = items.len().div_ceil(threads).max(64);
    if items.len() <= share {
        return each(items);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = items.chunks(share).map(|items| scope.spawn(|| each(items))).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn change(before: Option<&TreeEntry>, after: Option<TreeEntry>) -> Option<TreeChange> {
    let family = |kind| match kind {
        EntryKind::Executable => EntryKind::File,
        other => other,
    };
    let status = match (&before, &after) {
        (None, None) => return None,
        (None, Some(_)) => Status::Added,
        (Some(_), None) => Status::Deleted,
        (Some(old), Some(new)) if old.oid == new.oid && old.kind == new.kind => return None,
        (Some(old), Some(new)) if family(old.kind) != family(new.kind) => Status::TypeChanged,
        _ => Status::Modified,
    };
    Some(TreeChange { status, before: before.cloned(), after })
}

/// A deleted file whose content was added elsewhere has moved. Empty files move nowhere: they are all alike.
fn pair_exact_renames(changes: Vec<TreeChange>) -> Vec<TreeChange> {
    let mut added: BTreeMap<Oid, Vec<TreeEntry>> = BTreeMap::new();
    let mut deleted = Vec::new();
    let mut result = Vec::new();
    for change in changes {
        match (change.status, change.before, change.after) {
            (Status::Added, _, Some(new)) => added.entry(new.oid).or_default().push(new),
            (Status::Deleted, Some(old), _) => deleted.push(old),
            (status, before, after) => result.push(TreeChange { status, before, after }),
        }
    }
    for old in deleted {
        let empty = old.oid == Oid::of_blob(old.oid.format, b"");
        let moved = added
            .get_mut(&old.oid)
            .filter(|news| !empty && !news.is_empty())
            // Prefer the same file name, as git does.
            .map(|news| {
                news.remove(news.iter().position(|new| file_name(&new.path) == file_name(&old.path)).unwrap_or(0))
            });
        let status = if moved.is_some() { Status::Renamed { similarity: 100 } } else { Status::Deleted };
        result.push(TreeChange { status, before: Some(old), after: moved });
    }
    result.extend(added.into_values().flatten().map(|new| TreeChange {
        status: Status::Added,
        before: None,
        after: Some(new),
    }));
    result.sort_by(|a, b| (a.path(), a.status).cmp(&(b.path(), b.status)));
    result
}

/// The lines of a text: how many bytes stand in lines of each content.
struct Lines {
    bytes_of: BTreeMap<Vec<u8>, u64>,
    total: u64,
}

impl Lines {
    /// Line ends are left out, so that a checkout with CRLF is like its blob.
    fn of(bytes: &[u8]) -> Self {
        let mut bytes_of: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        let mut total = 0;
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                *bytes_of.entry(line.to_vec()).or_default() += line.len() as u64;
                total += line.len() as u64;
            }
        }
        Self { bytes_of, total }
    }

    /// Percent of the larger text that stands in lines which both have. Below 100, which means equal.
    fn similarity(&self, other: &Self) -> u8 {
        let larger = self.total.max(other.total);
        if larger == 0 || self.total.min(other.total) * 2 < larger {
            return 0;
        }
        let common: u64 =
            self.bytes_of.iter().filter_map(|(line, bytes)| Some((*bytes).min(*other.bytes_of.get(line)?))).sum();
        u8::try_from(common * 100 / larger).unwrap_or(0).min(99)
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn problem(path: &str, kind: ProblemKind, message: &str) -> Problem {
    Problem { path: path.to_owned(), kind, message: message.to_owned() }
}

fn problem_of(path: &str, error: &FileError) -> Problem {
    match &error.kind {
        FileErrorKind::Denied => problem(path, ProblemKind::Unreadable, "may not be read (permission denied)"),
        FileErrorKind::Unsafe(reason) => problem(path, ProblemKind::UnsafePath, reason),
        FileErrorKind::Link => problem(path, ProblemKind::Link, "is reached through a symbolic link"),
        FileErrorKind::NotAFile => problem(path, ProblemKind::Special, "is not a regular file"),
        FileErrorKind::TooLarge { max } => problem(path, ProblemKind::TooLarge, &format!("is larger than {max} bytes")),
        FileErrorKind::Other(message) => problem(path, ProblemKind::Unreadable, &format!("cannot be read: {message}")),
        _ => problem(path, ProblemKind::Unreadable, "cannot be read"),
    }
}
