//! The truth: JSON lines, one file a writer, so that writers never share a file and a line that a
//! crash cut off can only be the last one of its file. Files are never changed or removed here.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use grace_system::clock;
use grace_system::files::{self, FileError};
use serde::{Deserialize, Serialize};

use crate::{Notice, Record};

/// Largest spool file that is read, in bytes. A writer begins a new file long before.
const MAX_FILE: u64 = 256 << 20;
/// Size after which a writer begins a new file.
const ROTATE: u64 = 16 << 20;

/// One line of the spool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Unique among all lines of all files.
    pub(crate) id: String,
    /// The record itself.
    #[serde(flatten)]
    pub(crate) record: Record,
}

/// A directory of spool files, and the one that this writer appends to.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    /// Begun with the first record.
    file: Option<(PathBuf, u64)>,
}

/// New lines of one file.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) file: String,
    /// Offset after the last complete line.
    pub(crate) end: u64,
    pub(crate) lines: Vec<Line>,
    pub(crate) notices: Vec<Notice>,
}

fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:020}-{}-{count}", clock::now().as_nanosecond(), std::process::id())
}

impl Spool {
    pub(crate) fn open(store: &Path) -> Result<Self, FileError> {
        let spool = Self::at(store);
        files::create_dirs(&spool.dir)?;
        Ok(spool)
    }

    /// To be read; nothing is created.
    pub(crate) fn at(store: &Path) -> Self {
        Self { dir: store.join("spool"), file: None }
    }

    /// Appends and waits for the disk.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<(), FileError> {
        if records.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        for record in records {
            let line = Line { id: unique(), record: record.clone() };
            serde_json::to_writer(&mut bytes, &line).map_err(|error| FileError {
                path: self.dir.clone(),
                kind: files::FileErrorKind::Other(error.to_string()),
            })?;
            bytes.push(b'\n');
        }
        let path = match &self.file {
            Some((path, size)) if *size < ROTATE => path.clone(),
            _ => {
                let path = self.dir.join(format!("{}.jsonl", unique()));
                files::create_new(&path, b"")?;
                self.file = Some((path.clone(), 0));
                path
            }
        };
        match files::append(&path, &bytes) {
            Ok(()) => {
                if let Some((_, size)) = &mut self.file {
                    *size += bytes.len() as u64;
                }
                Ok(())
            }
            Err(error) => {
                // What was written of it stays the last, incomplete line of that file.
                self.file = None;
                Err(error)
            }
        }
    }

    /// What each file holds beyond the offset that `known` says was taken up, by file name.
    pub(crate) fn news(&self, known: impl Fn(&str) -> u64) -> Result<Vec<Part>, FileError> {
        let mut parts = Vec::new();
        if !files::is_dir(&self.dir) {
            return Ok(parts);
        }
        for entry in files::list(&self.dir)? {
            if !entry.name.ends_with(".jsonl") || entry.kind != files::Kind::File || entry.odd_name {
                continue;
            }
            let path = self.dir.join(&entry.name);
            let begin = known(&entry.name);
            if files::stat(&path)?.size <= begin {
                continue;
            }
            let bytes = files::read(&path, MAX_FILE)?;
            parts.push(part(entry.name, &bytes, begin));
        }
        Ok(parts)
    }
}

fn part(file: String, bytes: &[u8], begin: u64) -> Part {
    let mut at = usize::try_from(begin).unwrap_or(usize::MAX).min(bytes.len());
    let mut lines = Vec::new();
    let mut notices = Vec::new();
    while let Some(length) = bytes[at..].iter().position(|byte| *byte == b'\n') {
        let line = &bytes[at..at + length];
        match serde_json::from_slice(line) {
            Ok(line) => lines.push(line),
            Err(_) => notices.push(Notice::Unreadable { file: file.clone(), offset: at as u64 }),
        }
        at += length + 1;
    }
    if at < bytes.len() {
        notices.push(Notice::Truncated { file: file.clone(), bytes: (bytes.len() - at) as u64 });
    }
    Part { file, end: at as u64, lines, notices }
}
