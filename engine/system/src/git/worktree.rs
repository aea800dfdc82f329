//! The state of the work tree, compared by contents that we read and hash.
//!
//! Git's own comparison may run filters, so it is not asked. A file counts as unchanged if its bytes,
//! its bytes with CRLF as LF, or the Git LFS pointer to its bytes hash to the blob that is expected.
//! Other filters (`ident`, encodings, encryption) make a file look changed. Submodules are taken as the index has them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use sha2::Digest as _;

use super::tree::{entry, malformed, records};
use super::{
    Blob, CommitId, EntryKind, GitError, Hasher, ObjectFormat, Oid, Repository, Status, TreeChange, TreeEntry,
};
use crate::files::{self, FileError, FileErrorKind, Kind};
use crate::{Problem, ProblemKind, names};

/// Files larger than this are hashed as they are, without a second look for line endings.
const IN_MEMORY: u64 = 64 << 20;
/// Files larger than this are not compared for similarity.
const MAX_SIMILAR: u64 = 1 << 20;
/// Above so many pairs of a deleted and an added file, only exact renames are found.
const MAX_PAIRS: usize = 40_000;

/// What git and the disk say of one path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkFile {
    /// Repository-relative path.
    pub path: String,
    /// Its entry in the index; `None` if untracked.
    pub index: Option<TreeEntry>,
    /// Where its content is.
    pub state: WorkState,
}

/// Where the content of a [`WorkFile`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkState {
    /// On disk.
    Present,
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
}

/// What differs from a commit to the work tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkTreeChanges {
    /// Sorted by path. The `oid` of an `after` on disk is computed; the object database may lack it. Renames are found as git finds them, by content.
    pub changes: Vec<TreeChange>,
    /// Paths whose state is not known, sorted.
    pub problems: Vec<Problem>,
}

impl Repository {
    /// Lists the work tree: tracked files, and untracked ones that are not ignored.
    pub fn work_tree(&self) -> Result<WorkTree, GitError> {
        let mut files: BTreeMap<String, WorkFile> = BTreeMap::new();
        let mut problems = Vec::new();
        let output = self.git(["ls-files", "-s", "-t", "-z"])?;
        for record in records(&output) {
            // TAG SP MODE SP OID SP STAGE TAB PATH
            let bad = || malformed("ls-files");
            let tab = record.iter().position(|byte| *byte == b'\t').ok_or_else(bad)?;
            let head = std::str::from_utf8(&record[..tab]).map_err(|_| bad())?;
            let [tag, mode, oid, stage] = head.split(' ').collect::<Vec<_>>()[..] else { return Err(bad()) };
            let entry = entry(Some(mode), Some(oid), &record[tab + 1..]).ok_or_else(bad)?;
            if stage != "0" {
                problems.push(problem(&entry.path, ProblemKind::Unmerged, "is in conflict in the index"));
            }
            if entry.odd_name {
                problems.push(problem(&entry.path, ProblemKind::OddName, "has a name that is not UTF-8"));
                continue;
            }
            let state = self.state_on_disk(&entry, tag == "S", &mut problems);
            files.insert(entry.path.clone(), WorkFile { path: entry.path.clone(), index: Some(entry), state });
        }
        let output = self.git(["ls-files", "-o", "--exclude-standard", "-z"])?;
        for record in records(&output) {
            let (path, odd_name) = names::from_bytes(record);
            if odd_name {
                problems.push(problem(&path, ProblemKind::OddName, "has a name that is not UTF-8"));
            } else if path.ends_with('/') {
                problems.push(problem(
                    path.trim_end_matches('/'),
                    ProblemKind::NestedRepository,
                    "is a repository of its own",
                ));
            } else {
                match files::stat_in(&self.root, &path).map(|stat| stat.kind) {
                    Ok(Kind::File | Kind::Link) => {
                        files.insert(path.clone(), WorkFile { path, index: None, state: WorkState::Present });
                    }
                    Ok(_) => problems.push(problem(&path, ProblemKind::Special, "is not a regular file")),
                    // Gone since it was listed.
                    Err(error) if error.kind == FileErrorKind::NotFound => {}
                    Err(error) => problems.push(problem_of(&path, &error)),
                }
            }
        }
        problems.sort();
        problems.dedup();
        Ok(WorkTree { files: files.into_values().collect(), problems })
    }

    fn state_on_disk(&self, entry: &TreeEntry, skip_worktree: bool, problems: &mut Vec<Problem>) -> WorkState {
        if entry.kind == EntryKind::Submodule {
            return WorkState::InIndex;
        }
        match files::stat_in(&self.root, &entry.path) {
            Ok(stat) if matches!(stat.kind, Kind::File | Kind::Link) => WorkState::Present,
            Ok(stat) if stat.kind == Kind::Directory => WorkState::Deleted,
            Ok(_) => {
                problems.push(problem(&entry.path, ProblemKind::Special, "is not a regular file"));
                WorkState::InIndex
            }
            Err(error) => match error.kind {
                FileErrorKind::NotFound if skip_worktree => WorkState::InIndex,
                // Below a link is not this repository's file: for git, too, it is gone.
                FileErrorKind::NotFound | FileErrorKind::Link => WorkState::Deleted,
                _ => {
                    problems.push(problem_of(&entry.path, &error));
                    WorkState::InIndex
                }
            },
        }
    }

    /// What differs from `base` to the work tree, untracked files included. `base: None` is the empty tree.
    pub fn changed_worktree(&self, base: Option<CommitId>) -> Result<WorkTreeChanges, GitError> {
        let mut before: BTreeMap<String, TreeEntry> = match base {
            Some(base) => self.tree(base)?.into_iter().map(|entry| (entry.path.clone(), entry)).collect(),
            None => BTreeMap::new(),
        };
        let listed = self.work_tree()?;
        let unknown: Vec<String> = listed.problems.iter().map(|problem| problem.path.clone()).collect();
        let mut found = WorkTreeChanges { changes: Vec::new(), problems: listed.problems };
        let believes_modes = cfg!(unix)
            && self.git(["config", "--type=bool", "--get", "core.fileMode"]).map_or(true, |value| value != b"false\n");

        // Hashing is what takes time: every core takes a share.
        let olds: Vec<Option<TreeEntry>> = listed.files.iter().map(|file| before.remove(&file.path)).collect();
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(8));
        let share = listed.files.len().div_ceil(threads).max(1);
        let read = |files: &[WorkFile], olds: &[Option<TreeEntry>]| -> Vec<Result<Option<TreeEntry>, FileError>> {
            files.iter().zip(olds).map(|(file, old)| self.entry_on_disk(file, old.as_ref(), believes_modes)).collect()
        };
        let news: Vec<Result<Option<TreeEntry>, FileError>> = std::thread::scope(|scope| {
            let workers: Vec<_> = listed
                .files
                .chunks(share)
                .zip(olds.chunks(share))
                .map(|(files, olds)| scope.spawn(move || read(files, olds)))
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        for ((file, old), new) in listed.files.iter().zip(olds).zip(news) {
            match new {
                Ok(new) => found.changes.extend(change(old, new)),
                Err(error) => found.problems.push(problem_of(&file.path, &error)),
            }
        }
        // What git lists no more is deleted, unless something of unknown state stands there.
        for (path, old) in before {
            let hidden = unknown.iter().any(|place| {
                path.strip_prefix(place.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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

    /// The entry that a commit of this file would hold now; `None` if it is gone.
    fn entry_on_disk(
        &self,
        file: &WorkFile,
        base: Option<&TreeEntry>,
        believes_modes: bool,
    ) -> Result<Option<TreeEntry>, FileError> {
        match file.state {
            WorkState::Deleted => return Ok(None),
            WorkState::InIndex => return Ok(file.index.clone()),
            WorkState::Present => {}
        }
        let stat = match files::stat_in(&self.root, &file.path) {
            Ok(stat) => stat,
            Err(error) if error.kind == FileErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let expected: Vec<&TreeEntry> = file.index.as_ref().into_iter().chain(base).collect();
        let known = expected.first().map(|entry| entry.kind);
        let kind = match stat.kind {
            Kind::Link => EntryKind::Symlink,
            // A checkout without links holds each as a file with its target.
            _ if cfg!(windows) && known == Some(EntryKind::Symlink) => EntryKind::Symlink,
            _ if believes_modes && stat.executable => EntryKind::Executable,
            _ if !believes_modes && known == Some(EntryKind::Executable) => EntryKind::Executable,
            _ => EntryKind::File,
        };
        let mode = match kind {
            EntryKind::Symlink => 0o120_000,
            EntryKind::Executable => 0o100_755,
            _ => 0o100_644,
        };
        let oid = if stat.kind == Kind::Link {
            Oid::of_blob(self.format, &files::link_target_in(&self.root, &file.path)?)
        } else {
            let wanted: Vec<Oid> = expected.iter().map(|entry| entry.oid).collect();
            self.oid_on_disk(&file.path, &wanted)?
        };
        Ok(Some(TreeEntry { path: file.path.clone(), odd_name: false, mode, oid, kind }))
    }

    /// The blob of a file: the first of `wanted` that it is a checkout of, otherwise that of its bytes.
    fn oid_on_disk(&self, path: &str, wanted: &[Oid]) -> Result<Oid, FileError> {
        let (mut file, meta) = files::open_in(&self.root, path)?;
        let failed = |error: std::io::Error| FileError::from_io(&self.root.join(path), &error);
        if meta.len() > IN_MEMORY {
            let mut hasher = Hasher::blob(self.format, meta.len());
            let mut chunk = vec![0; 1 << 20];
            loop {
                match file.read(&mut chunk).map_err(failed)? {
                    0 => return Ok(hasher.finish()),
                    count => hasher.update(&chunk[..count]),
                }
            }
        }
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
        file.take(IN_MEMORY).read_to_end(&mut bytes).map_err(failed)?;
        let raw = Oid::of_blob(self.format, &bytes);
        if wanted.is_empty() || wanted.contains(&raw) {
            return Ok(raw);
        }
        let as_committed = [without_carriage_returns(&bytes), Some(lfs_pointer(&bytes))];
        let same = as_committed
            .into_iter()
            .flatten()
            .map(|form| Oid::of_blob(self.format, &form))
            .find(|oid| wanted.contains(oid));
        Ok(same.unwrap_or(raw))
    }

    /// The name that this repository would give a blob with these bytes.
    pub fn blob_id(&self, bytes: &[u8]) -> Oid {
        Oid::of_blob(self.format, bytes)
    }
}

/// CRLF as LF; `None` if there is none, or if the content is binary.
fn without_carriage_returns(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.contains(&0) || !bytes.windows(2).any(|pair| pair == b"\r\n") {
        return None;
    }
    let mut text = Vec::with_capacity(bytes.len());
    for (index, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(index + 1) != Some(&b'\n') {
            text.push(*byte);
        }
    }
    Some(text)
}

/// The pointer file that Git LFS commits in place of these bytes (its specification, version 1).
fn lfs_pointer(bytes: &[u8]) -> Vec<u8> {
    let mut hasher = sha2::Sha256::new();
    hasher.update(bytes);
    let digest = Oid { bytes: hasher.finalize().into(), format: ObjectFormat::Sha256 };
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {}\n", bytes.len()).into_bytes()
}

fn change(before: Option<TreeEntry>, after: Option<TreeEntry>) -> Option<TreeChange> {
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
    Some(TreeChange { status, before, after })
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
