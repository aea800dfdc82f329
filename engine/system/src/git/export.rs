//! A tree written out into a directory by our own code: regular files only, and only under names that
//! mean the same on every system. Nothing of git (filters, hooks, attributes) takes part.

use std::path::Path;

use super::{Blob, EntryKind, GitError, Oid, Repository, TreeEntry};
use crate::{Problem, ProblemKind, files, names};

/// What became of a tree that was written out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// Files written.
    pub written: usize,
    /// Bytes written.
    pub bytes: u64,
    /// Entries left out, each with the reason, sorted.
    pub left_out: Vec<Problem>,
}

impl Repository {
    /// Writes the files of `entries` below `dir`, which should be new and empty. Each file holds at most `max` bytes.
    ///
    /// Left out and named: links, submodules, unsafe names, objects that are missing or too large, names that collide.
    pub fn export(&self, entries: &[TreeEntry], dir: &Path, max: u64) -> Result<ExportReport, GitError> {
        let mut report = ExportReport::default();
        let mut files: Vec<&TreeEntry> = Vec::new();
        for entry in entries {
            match refusal(entry) {
                Some((kind, reason)) => report.leave_out(entry, kind, reason),
                None => files.push(entry),
            }
        }
        let oids: Vec<Oid> = files.iter().map(|entry| entry.oid).collect();
        self.blobs().read_many(&oids, max, |index, blob| {
            let entry = files[index];
            match blob {
                Blob::Data(bytes) => match write(dir, entry, &bytes) {
                    Ok(()) => {
                        report.written += 1;
                        report.bytes += bytes.len() as u64;
                    }
                    Err(reason) => report.leave_out(entry, ProblemKind::UnsafePath, &reason),
                },
                Blob::TooLarge(size) => {
                    report.leave_out(entry, ProblemKind::TooLarge, &format!("holds {size} bytes, more than {max}"))
                }
                Blob::Missing => {
                    report.leave_out(entry, ProblemKind::MissingObject, "is lacking in the object database")
                }
            }
        })?;
        report.left_out.sort();
        Ok(report)
    }
}

impl ExportReport {
    fn leave_out(&mut self, entry: &TreeEntry, kind: ProblemKind, reason: &str) {
        self.left_out.push(Problem { path: entry.path.clone(), kind, message: reason.to_owned() });
    }
}

fn refusal(entry: &TreeEntry) -> Option<(ProblemKind, &'static str)> {
    match entry.kind {
        EntryKind::Symlink => return Some((ProblemKind::Link, "is a symbolic link")),
        EntryKind::Submodule => return Some((ProblemKind::NestedRepository, "is a submodule")),
        EntryKind::File | EntryKind::Executable => {}
    }
    if entry.odd_name {
        return Some((ProblemKind::OddName, "has a name that is not UTF-8"));
    }
    names::unsafe_to_write(&entry.path).map(|reason| (ProblemKind::UnsafePath, reason))
}

fn write(dir: &Path, entry: &TreeEntry, bytes: &[u8]) -> Result<(), String> {
    let path = names::join(dir, &entry.path)?;
    if let Some(parent) = path.parent() {
        files::create_dirs(parent).map_err(|error| error.to_string())?;
    }
    // Two names that this file system takes for one must not overwrite each other.
    files::create_unsynced(&path, bytes, entry.kind == EntryKind::Executable).map_err(|error| error.to_string())
}
