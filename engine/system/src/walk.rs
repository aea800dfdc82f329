//! The files below a directory, as `.gitignore` leaves them, for trees without git.
//!
//! Links are listed and never followed, `.git` is left out, file systems are not crossed into loops.
//! What cannot be read is a named [`Problem`] beside the answer. Contents are not read.

use std::path::Path;
use std::sync::mpsc;

use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::files::Kind;
use crate::{Problem, ProblemKind, names};

/// What a walk found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walk {
    /// Files and links, sorted by path.
    pub files: Vec<WalkFile>,
    /// What could not be listed, sorted.
    pub problems: Vec<Problem>,
}

/// One file or link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WalkFile {
    /// Relative to the root, `/` separators.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Whether it is a symbolic link.
    pub is_symlink: bool,
}

/// What to leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkOptions {
    /// Honour `.gitignore`, `.git/info/exclude` and the user's global ignore file.
    pub ignore_files: bool,
    /// Deepest directory level; 1 is the root's own entries.
    pub max_depth: usize,
}

impl Default for WalkOptions {
    fn default() -> Self {
        Self { ignore_files: true, max_depth: 256 }
    }
}

enum Found {
    File(WalkFile),
    Problem(Problem),
}

/// Walks `root` on all cores. A `root` that cannot be read is one problem with an empty path.
pub fn walk(root: &Path, options: WalkOptions) -> Walk {
    let walker = WalkBuilder::new(root)
        .hidden(false)
        .parents(false)
        .ignore(false)
        .git_ignore(options.ignore_files)
        .git_exclude(options.ignore_files)
        .git_global(options.ignore_files)
        .require_git(false)
        .follow_links(false)
        .max_depth(Some(options.max_depth))
        .filter_entry(|entry| entry.depth() == 0 || !entry.file_name().to_str().is_some_and(names::is_dot_git))
        .build_parallel();
    let (sender, receiver) = mpsc::channel();
    let mut walk = Walk::default();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            walker.run(|| {
                let sender = sender.clone();
                Box::new(move |entry| {
                    let found = match entry {
                        Ok(entry) => describe(root, &entry),
                        Err(error) => problem_of(root, &error).map(Found::Problem),
                    };
                    match found.map(|found| sender.send(found)) {
                        Some(Err(_)) => WalkState::Quit,
                        _ => WalkState::Continue,
                    }
                })
            });
        });
        for found in receiver {
            match found {
                Found::File(file) => walk.files.push(file),
                Found::Problem(problem) => walk.problems.push(problem),
            }
        }
    });
    walk.files.sort();
    walk.problems.sort();
    walk.problems.dedup();
    walk
}

fn describe(root: &Path, entry: &DirEntry) -> Option<Found> {
    let (path, odd_name) = names::relative(root, entry.path())?;
    let problem =
        |kind, message: &str| Some(Found::Problem(Problem { path: path.clone(), kind, message: message.to_owned() }));
    match Kind::of(entry.file_type()?) {
        Kind::Directory => None,
        Kind::Other => problem(ProblemKind::Special, "is not a regular file"),
        _ if odd_name => problem(ProblemKind::OddName, "has a name that is not UTF-8"),
        kind => match entry.metadata() {
            Ok(meta) => Some(Found::File(WalkFile { path, size: meta.len(), is_symlink: kind == Kind::Link })),
            Err(_) => problem(ProblemKind::Unreadable, "cannot be read"),
        },
    }
}

fn problem_of(root: &Path, error: &ignore::Error) -> Option<Problem> {
    match error {
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => problem_of(root, err),
        // A pattern that git would not understand either only ignores less.
        ignore::Error::Partial(_) | ignore::Error::Glob { .. } => None,
        ignore::Error::WithPath { path, err } => {
            let (path, _) = names::relative(root, path).unwrap_or_default();
            let message = match err.io_error() {
                Some(io) if io.kind() == std::io::ErrorKind::PermissionDenied => {
                    "may not be read (permission denied)".to_owned()
                }
                Some(io) => format!("cannot be read: {io}"),
                None => "cannot be read".to_owned(),
            };
            Some(Problem { path, kind: ProblemKind::Unreadable, message })
        }
        other => Some(Problem {
            path: String::new(),
            kind: ProblemKind::Unreadable,
            message: format!("cannot be read: {other}"),
        }),
    }
}
