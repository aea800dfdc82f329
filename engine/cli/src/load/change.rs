//! Which two sides are compared, and what changed between them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Component, Path};
use std::sync::Arc;

use grace_graph::change::{Change, Content, FileChange};
use grace_graph::diff::{DiffError, FilePatch, MAX_PATCH_BYTES, change_from_patches, parse_unified};
use grace_system::git::{CommitId, EntryKind, Oid, Repository, Status, TreeChange, TreeEntry, WorkState};
use grace_system::walk::{WalkOptions, walk};
use grace_system::{ProblemKind, files};

use super::Place;
use super::side::{Entry, Files, Problem, Reader, Source};
use crate::args::ChangeArgs;
use crate::failure::{Failure, Result, quoted};

/// Names that the default branch may have, best first.
const DEFAULT_BRANCHES: [&str; 5] = [
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
];

/// Two sides and the change between them.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) before: Files,
    pub(super) after: Files,
    pub(super) change: Change,
    /// `work tree against main (1a2b3c4)`.
    pub(super) description: String,
    pub(super) branch: Option<String>,
    pub(super) problems: Vec<Problem>,
    /// The commit of the before side; `None` where there is none yet, or no repository.
    pub(super) base: Option<CommitId>,
    /// What the after side is.
    pub(super) head: Head,
    /// The commit that is checked out, where it was asked for.
    pub(super) tip: Option<CommitId>,
}

/// What the after side of a comparison is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// A commit.
    Commit(CommitId),
    /// What is staged.
    Staged,
    /// The work tree.
    WorkTree,
    /// A diff, or files that count as changed: no tree that anything could be run in.
    Supposed,
}

/// A commit and how to name it to people; `None` is the empty tree before the first commit.
struct Base {
    commit: Option<CommitId>,
    name: String,
    /// The commit that is checked out, where it was asked for.
    tip: Option<CommitId>,
}

impl Base {
    fn of(repository: &Repository, rev: &str) -> Result<Self> {
        let commit = repository.resolve(rev)?;
        Ok(Self { commit: Some(commit), name: named(rev, commit), tip: None })
    }

    fn head(repository: &Repository) -> Result<Self> {
        Ok(match repository.head()? {
            Some(commit) => Self { commit: Some(commit), name: named("HEAD", commit), tip: Some(commit) },
            None => Self { commit: None, name: "nothing (no commit yet)".to_owned(), tip: None },
        })
    }

    fn given_or_head(repository: &Repository, rev: Option<&str>) -> Result<Self> {
        rev.map_or_else(|| Self::head(repository), |rev| Self::of(repository, rev))
    }

    /// Where this branch left the default branch, if that is not `HEAD` itself.
    fn default(repository: &Repository, listed: Option<Oid>) -> Result<Self> {
        // Mostly it is the commit whose files are remembered, and files say so without a process of git.
        if let Some(commit) = listed.and_then(|commit| repository.head_if_plainly(commit, &DEFAULT_BRANCHES)) {
            return Ok(Self { commit: Some(commit), name: named("HEAD", commit), tip: Some(commit) });
        }
        let names = ["HEAD"].into_iter().chain(DEFAULT_BRANCHES).collect::<Vec<_>>();
        let mut commits = repository.commits_of(&names)?.into_iter();
        let Some(commit) = commits.next().flatten() else { return Self::head(repository) };
        let head = Self { commit: Some(commit), name: named("HEAD", commit), tip: Some(commit) };
        for (name, tip) in DEFAULT_BRANCHES.into_iter().zip(commits) {
            let Some(tip) = tip else { continue };
            if tip == commit {
                break;
            }
            // In a shallow clone the branches may not meet; the last commit is then all there is to compare with.
            let Ok(fork) = repository.merge_base(commit, tip) else { break };
            if fork == commit {
                break;
            }
            let name = plain(name);
            let name = if fork == tip { named(name, tip) } else { format!("{} where it left {name}", short(fork)) };
            return Ok(Self { commit: Some(fork), name, ..head });
        }
        Ok(head)
    }

    fn entries(&self, repository: &Repository) -> Result<Vec<TreeEntry>> {
        Ok(self.commit.map(|commit| repository.tree(commit)).transpose()?.unwrap_or_default())
    }

    fn files(&self, repository: &Repository) -> Result<Files> {
        Ok(files_of(self.entries(repository)?))
    }
}

/// The commit that the work tree is compared with where nobody names one; `None` where there is none yet.
///
/// # Errors
/// When git cannot answer.
pub fn default_base(repository: &Repository) -> Result<Option<CommitId>> {
    Ok(Base::default(repository, None)?.commit)
}

pub(super) fn files_of(entries: Vec<TreeEntry>) -> Files {
    entries
        .into_iter()
        .map(|entry| {
            let file = Entry::of_git(&entry);
            (entry.path, file)
        })
        .collect()
}

fn short(commit: CommitId) -> String {
    commit.to_string().chars().take(7).collect()
}

fn named(rev: &str, commit: CommitId) -> String {
    let short = short(commit);
    if commit.to_string().starts_with(rev) { short } else { format!("{rev} ({short})") }
}

/// The comparison that the command line asks for.
pub(super) fn compare(place: &Place, reader: &Reader<'_>, args: &ChangeArgs) -> Result<Compared> {
    let base = args.base.as_deref();
    let repository = reader.repository;
    let branch = repository.map(Repository::branch).transpose()?.flatten();
    match (repository, &args.diff, &args.head) {
        (_, Some(diff), _) => {
            let text = read_diff(place, diff)?;
            let (before, name) = start(place, repository, base)?;
            from_diff(reader, before, &text, &format!("a diff applied to {name}"))
        }
        _ if !args.files.is_empty() => {
            let (before, name) = start(place, repository, base)?;
            from_files(place, reader, before, &args.files, &name)
        }
        (None, _, _) => Err(place.repository().err().unwrap_or_else(|| Failure::new("bug", "a repository got lost"))),
        (Some(repository), None, Some(head)) => {
            let head_commit = repository.resolve(head)?;
            let base = match base {
                Some(rev) => Base::of(repository, rev)?,
                None => fork_of(repository, head_commit)?,
            };
            let changes = repository.changed(base.commit, head_commit)?;
            let description = format!("{} against {}", named(head, head_commit), base.name);
            let is_branch = repository.ref_names()?.contains(head);
            let before = base.entries(repository)?;
            let branch = is_branch.then(|| head.clone());
            let compared = from_git(reader, before, changes, Vec::new(), false, description, branch)?;
            Ok(Compared { base: base.commit, head: Head::Commit(head_commit), ..compared })
        }
        (Some(repository), None, None) if args.staged => {
            let base = Base::given_or_head(repository, base)?;
            let changes = repository.changed_staged(base.commit)?;
            let description = format!("staged changes against {}", base.name);
            let entries = base.entries(repository)?;
            let compared = from_git(reader, entries, changes, Vec::new(), false, description, branch)?;
            Ok(Compared { base: base.commit, head: Head::Staged, ..compared })
        }
        (Some(repository), None, None) => {
            let find = || match base {
                None if !args.worktree => Base::default(repository, reader.memory.listed_commit()),
                base => Base::given_or_head(repository, base),
            };
            // What is there, and what it is compared with, are found at the same time.
            let (base, listed) = std::thread::scope(|scope| {
                let listing = scope.spawn(|| reader.memory.work_tree(repository));
                (find(), listing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            });
            let base = base?;
            let entries = match base.commit {
                Some(commit) => reader.memory.listing(repository, commit)?,
                None => Vec::new(),
            };
            let recall = |path: &str, stamp: &files::Stamp, hint: &mut usize| reader.memory.names(path, stamp, hint);
            let found = repository.compare_worktree(&entries, listed?, &recall)?;
            reader.memory.looked_at(found.files, found.some_read);
            let description = format!("work tree against {}", base.name);
            let compared = from_git(reader, entries, found.changes, found.problems, true, description, branch)?;
            Ok(Compared { base: base.commit, head: Head::WorkTree, tip: base.tip, ..compared })
        }
    }
}

/// A default branch as people call it.
fn plain(name: &str) -> &str {
    match name {
        "refs/remotes/origin/HEAD" => "the default branch",
        name => name.trim_start_matches("refs/remotes/").trim_start_matches("refs/heads/"),
    }
}

/// What a commit without a given base is compared with: where it left the default branch, else its first parent.
fn fork_of(repository: &Repository, head: CommitId) -> Result<Base> {
    for name in DEFAULT_BRANCHES {
        let Ok(tip) = repository.resolve(name) else { continue };
        let Ok(fork) = repository.merge_base(head, tip) else { break };
        if fork == head {
            break;
        }
        return Ok(Base {
            commit: Some(fork),
            tip: None,
            name: format!("{} where it left {}", short(fork), plain(name)),
        });
    }
    let parent = repository.commit(head)?.parents.first().copied();
    Ok(match parent {
        Some(parent) => Base { commit: Some(parent), name: format!("its parent {}", short(parent)), tip: None },
        None => Base { commit: None, name: "nothing (it is the first commit)".to_owned(), tip: None },
    })
}

fn from_git(
    reader: &Reader<'_>,
    before: Vec<TreeEntry>,
    changes: Vec<TreeChange>,
    problems: Vec<Problem>,
    on_disk: bool,
    description: String,
    branch: Option<String>,
) -> Result<Compared> {
    between(reader, files_of(before), changes, problems, on_disk, description, branch)
}

/// The comparison of listed files with what became of some of them.
pub(super) fn between(
    reader: &Reader<'_>,
    before: Files,
    changes: Vec<TreeChange>,
    problems: Vec<Problem>,
    on_disk: bool,
    description: String,
    branch: Option<String>,
) -> Result<Compared> {
    let mut after = before.clone();
    let mut sides: BTreeMap<String, FileChange> = BTreeMap::new();
    let entry_after = |entry: &TreeEntry| match (on_disk, entry.kind, entry.odd_name) {
        (_, _, true) => Entry { kind: entry.kind, source: Source::Unreadable("its name is not UTF-8".into()) },
        (true, EntryKind::File | EntryKind::Executable | EntryKind::Symlink, _) => {
            Entry { kind: entry.kind, source: Source::Disk }
        }
        _ => Entry::of_git(entry),
    };
    for change in &changes {
        if let Some(old) = &change.before {
            after.remove(&old.path);
        }
    }
    let olds = changes.iter().filter_map(|change| change.before.as_ref());
    let news = changes.iter().filter_map(|change| change.after.as_ref()).filter(|_| !on_disk);
    let is_blob = |entry: &&TreeEntry| entry.kind != EntryKind::Submodule;
    reader.bring(olds.chain(news).filter(is_blob).map(|entry| entry.oid))?;
    for change in changes {
        let before_side = match &change.before {
            Some(old) => Some(reader.file_side(&old.path, &Entry::of_git(old))?),
            None => None,
        };
        let path = change.path().to_owned();
        let new = match (&change.after, change.status) {
            (_, Status::Unmerged) => {
                let kind = change.before.as_ref().map_or(EntryKind::File, |entry| entry.kind);
                Some(Entry { kind, source: Source::Unreadable("it is in conflict in the index".into()) })
            }
            (after, _) => after.as_ref().map(entry_after),
        };
        let after_side = match &new {
            Some(entry) => Some(reader.file_side(&path, entry)?),
            None => None,
        };
        if let Some(entry) = new {
            after.insert(path.clone(), entry);
        }
        sides.insert(path, FileChange { before: before_side, after: after_side, asserted: false });
    }
    for problem in &problems {
        unknown_state(reader, &before, &mut after, &mut sides, problem)?;
    }
    let change = Change { files: sides.into_values().collect() };
    let (base, head, tip) = (None, Head::Supposed, None);
    Ok(Compared { before, after, change, description, branch, problems, base, head, tip })
}

/// A path whose state on disk is not known counts as changed: so do all files below it, where it is a directory.
fn unknown_state(
    reader: &Reader<'_>,
    before: &Files,
    after: &mut Files,
    sides: &mut BTreeMap<String, FileChange>,
    problem: &Problem,
) -> Result<()> {
    let below = format!("{}/", problem.path);
    let mut paths: BTreeSet<String> = before
        .range(below.clone()..)
        .take_while(|(path, _)| path.starts_with(&below))
        .map(|(path, _)| path.clone())
        .collect();
    // What git would not commit either is a change only where something that it knows is hidden by it.
    let untracked = matches!(problem.kind, ProblemKind::NestedRepository | ProblemKind::Special);
    if before.contains_key(&problem.path) || (paths.is_empty() && !untracked) {
        paths.insert(problem.path.clone());
    }
    for path in paths {
        let why: Arc<str> = problem.message.as_str().into();
        let old = before.get(&path);
        let entry = Entry { kind: old.map_or(EntryKind::File, |old| old.kind), source: Source::Unreadable(why) };
        let before_side = match old {
            Some(old) => Some(reader.file_side(&path, old)?),
            None => None,
        };
        let after_side = reader.file_side(&path, &entry)?;
        after.insert(path.clone(), entry);
        sides.insert(path, FileChange { before: before_side, after: Some(after_side), asserted: false });
    }
    Ok(())
}

/// What a diff or a list of files starts from: a commit, or the directory where there is no repository.
fn start(place: &Place, repository: Option<&Repository>, base: Option<&str>) -> Result<(Files, String)> {
    match (repository, base) {
        (Some(repository), base) => {
            let base = Base::given_or_head(repository, base)?;
            Ok((base.files(repository)?, base.name))
        }
        (None, Some(_)) => {
            Err(place.repository().err().unwrap_or_else(|| Failure::new("bug", "a repository got lost")))
        }
        (None, None) => Ok((directory(&place.root)?.0, "this directory (no repository)".to_owned())),
    }
}

fn read_diff(place: &Place, path: &Path) -> Result<String> {
    let too_large = || Failure::from(DiffError::TooLarge);
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .take(MAX_PATCH_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::new("file", format!("standard input cannot be read: {error}")))?;
        bytes
    } else {
        files::read(&place.absolute(path), MAX_PATCH_BYTES as u64)?
    };
    if bytes.len() > MAX_PATCH_BYTES {
        return Err(too_large());
    }
    String::from_utf8(bytes).map_err(|_| {
        Failure::new("diff", "the diff is not UTF-8 text").help("give two revisions instead: `--base` and `--head`")
    })
}

fn from_diff(reader: &Reader<'_>, before: Files, text: &str, description: &str) -> Result<Compared> {
    let patches = if text.trim().is_empty() { Vec::new() } else { parse_unified(text)? };
    let mut failure = None;
    let mut change = change_from_patches(&patches, &mut |path| {
        let entry = before.get(path)?;
        match reader.file_side(path, entry) {
            Ok(side) => Some(side.content),
            Err(error) => {
                failure.get_or_insert(error);
                Some(Content::Unknown("git failed".into()))
            }
        }
    })?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    let mut after = before.clone();
    // A mode that stays is the tree's, whatever the diff takes it for.
    let changed_modes: BTreeSet<&str> = patches
        .iter()
        .filter(|patch| patch.after_mode.is_some() && patch.after_mode != patch.before_mode)
        .map(FilePatch::path)
        .collect();
    for file in &mut change.files {
        let Some(side) = &mut file.before else { continue };
        side.executable = before.get(&*side.path).is_some_and(|entry| entry.kind == EntryKind::Executable);
        if let Some(after) = file.after.as_mut().filter(|after| !changed_modes.contains(&*after.path)) {
            after.executable = side.executable;
        }
        after.remove(&*side.path);
    }
    for side in change.files.iter().filter_map(|file| file.after.as_ref()) {
        let below = format!("{}/", side.path);
        if after.range(below.clone()..).next().is_some_and(|(path, _)| path.starts_with(&below)) {
            return Err(DiffError::Exists { path: side.path.to_string() }.into());
        }
    }
    for side in change.files.iter().filter_map(|file| file.after.as_ref()) {
        let kind = match (&side.content, side.executable) {
            (Content::Link(_), _) => EntryKind::Symlink,
            (Content::Submodule(_), _) => EntryKind::Submodule,
            (_, true) => EntryKind::Executable,
            (_, false) => EntryKind::File,
        };
        after.insert(side.path.to_string(), Entry { kind, source: Source::Given(side.content.clone()) });
    }
    Ok(Compared {
        before,
        after,
        change,
        description: description.to_owned(),
        branch: None,
        problems: Vec::new(),
        base: None,
        head: Head::Supposed,
        tip: None,
    })
}

fn from_files(
    place: &Place,
    reader: &Reader<'_>,
    before: Files,
    names: &[std::path::PathBuf],
    base: &str,
) -> Result<Compared> {
    let mut after = before.clone();
    let mut sides = BTreeMap::new();
    for name in names {
        let path = relative(place, name)
            .ok_or_else(|| Failure::new("input", format!("{} lies outside of the repository", quoted(name))))?;
        let old = before.get(&path);
        let on_disk = match files::stat_in(&place.root, &path).map(|stat| (stat.kind, stat.executable)) {
            Ok((files::Kind::File, executable)) => {
                let was_executable = old.is_some_and(|old| old.kind == EntryKind::Executable);
                let executable = if cfg!(unix) { executable } else { was_executable };
                Some(if executable { EntryKind::Executable } else { EntryKind::File })
            }
            Ok((files::Kind::Link, _)) => Some(EntryKind::Symlink),
            _ => None,
        };
        if old.is_none() && on_disk.is_none() {
            return Err(Failure::new("input", format!("there is no file {}", quoted(name)))
                .help(format!("neither on disk nor in {base}; directories are not files")));
        }
        let before_side = old.map(|old| reader.file_side(&path, old)).transpose()?;
        let entry = on_disk.map(|kind| Entry { kind, source: Source::Disk });
        let after_side = entry.as_ref().map(|entry| reader.file_side(&path, entry)).transpose()?;
        match entry {
            Some(entry) => after.insert(path.clone(), entry),
            None => after.remove(&path),
        };
        sides.insert(path, FileChange { before: before_side, after: after_side, asserted: true });
    }
    let description =
        format!("{} as changed, against {base}", crate::screen::numbers::count(sides.len() as u64, "file"));
    let change = Change { files: sides.into_values().collect() };
    let (branch, problems, base, head, tip) = (None, Vec::new(), None, Head::Supposed, None);
    Ok(Compared { before, after, change, description, branch, problems, base, head, tip })
}

/// A path as the user gave it, relative to the root; it need not exist.
fn relative(place: &Place, path: &Path) -> Option<String> {
    let mut clean = std::path::PathBuf::new();
    for component in place.absolute(path).components() {
        match component {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    grace_system::names::relative(&place.root, &clean).map(|(path, _)| path).filter(|path| !path.is_empty())
}

/// One tree by itself: a commit, the work tree, or a directory without a repository.
pub(super) fn one_tree(place: &Place, reader: &Reader<'_>, rev: Option<&str>) -> Result<(Files, String, Vec<Problem>)> {
    match (reader.repository, rev) {
        (Some(repository), Some(rev)) => {
            let base = Base::of(repository, rev)?;
            Ok((base.files(repository)?, base.name, Vec::new()))
        }
        (Some(repository), None) => {
            let listed = reader.memory.work_tree(repository)?;
            reader.memory.listed(&listed);
            let mut files = Files::new();
            for file in listed.files {
                let kind = file.index.map_or(EntryKind::File, |entry| entry.kind);
                let entry = match (file.state, file.index) {
                    (WorkState::Deleted, _) => continue,
                    (WorkState::InIndex, Some(index)) => Entry { kind: index.kind, source: Source::Blob(index.oid) },
                    _ => Entry { kind, source: Source::Disk },
                };
                files.insert(file.path, entry);
            }
            Ok((files, "work tree".to_owned(), listed.problems))
        }
        (None, _) => {
            let (files, problems) = directory(&place.root)?;
            Ok((files, "this directory (no repository)".to_owned(), problems))
        }
    }
}

fn directory(root: &Path) -> Result<(Files, Vec<Problem>)> {
    let found = walk(root, WalkOptions::default());
    if let Some(problem) = found.problems.iter().find(|problem| problem.path.is_empty()) {
        return Err(Failure::new("file", format!("{} {}", quoted(root), problem.message)));
    }
    let entry = |is_symlink| Entry {
        kind: if is_symlink { EntryKind::Symlink } else { EntryKind::File },
        source: Source::Disk,
    };
    Ok((found.files.into_iter().map(|file| (file.path, entry(file.is_symlink))).collect(), found.problems))
}
