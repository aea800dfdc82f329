//! Outcomes of the past. The only crate that links DuckDB.
//!
//! A record is on disk in the spool (append-only JSON lines, synced) before DuckDB is asked; the
//! database is a projection of the spool that can be made again. A lock, a crash, a full disk or a
//! damaged database delays analysis and loses no record. This crate judges nothing.

mod database;
mod past;
mod record;
mod spool;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use grace_system::files::{self, FileError, FileErrorKind};

pub use database::{Table, Timing};
pub use past::Selections;
pub use record::{BundleRecord, BundleStatus, PlanRecord, Record, RunRecord, SelectionRecord, TestRecord, TestStatus};

/// The database file.
const DATABASE: &str = "store.duckdb";
/// The lock beside it.
const LOCK: &str = "store.lock";
/// How long one process waits for another to be done with the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the store could not answer or keep something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// A file could not be used: nothing was recorded, if it was a record that was to be kept.
    File(FileError),
    /// Another process has the database open.
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// The question could not be answered; DuckDB's words.
    Query(String),
    /// The answer took too long or is too large.
    Bounds(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Locked { path } => write!(f, "`{}` is in use by another process", path.display()),
            Self::Query(message) => write!(f, "the store cannot answer: {message}"),
            Self::Bounds(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl StoreError {
    /// What to do about it, if that is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::File(FileError { kind: FileErrorKind::Denied | FileErrorKind::ReadOnly, .. }) => {
                Some("outcomes are kept in the git directory; it must be writable where something is run".to_owned())
            }
            Self::File(FileError { kind: FileErrorKind::Full, .. }) => {
                Some("free some disk space and run again".to_owned())
            }
            Self::Locked { .. } => {
                Some("close it there; what was recorded meanwhile is in the spool and is taken up next time".to_owned())
            }
            _ => None,
        }
    }
}

/// Where a record is after [`Store::record`]: on disk in either case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// In the spool and in the database.
    Stored,
    /// In the spool; the database takes it up when it can. Why it could not.
    Spooled(String),
}

/// Something about the store that a person should know; nothing is lost by it that could have been kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// The last line of a spool file is incomplete: its writer is still at it, or was killed.
    Truncated {
        /// The spool file; the line stays there.
        file: String,
        /// Bytes of the incomplete line.
        bytes: u64,
    },
    /// A complete line that is no record of this version; it stays in its file.
    Unreadable {
        /// The spool file.
        file: String,
        /// Offset of the line in bytes.
        offset: u64,
    },
    /// The database was damaged and has been made again from the spool.
    Rebuilt {
        /// Where the damaged file was put.
        aside: PathBuf,
        /// What DuckDB said of it.
        reason: String,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { file, bytes } => {
                write!(f, "the last record in `{file}` is incomplete ({bytes} bytes) and was left out")
            }
            Self::Unreadable { file, offset } => {
                write!(f, "the record at byte {offset} of `{file}` cannot be read and was left out")
            }
            Self::Rebuilt { aside, reason } => {
                write!(f, "the database was damaged ({reason}); it was rebuilt, the old one is `{}`", aside.display())
            }
        }
    }
}

/// The store in one directory. It holds no lock and no connection between calls.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    spool: spool::Spool,
    notices: Vec<Notice>,
}

impl Store {
    /// Opens or creates the store in `dir`, usually `<git-common-dir>/grace`. The database is not touched yet.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let spool = spool::Spool::open(dir)?;
        Ok(Self { dir: dir.to_path_buf(), spool, notices: Vec::new() })
    }

    /// The database file.
    pub fn database_path(&self) -> PathBuf {
        self.dir.join(DATABASE)
    }

    /// What became known since the last call, each thing once.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        let mut notices = std::mem::take(&mut self.notices);
        notices.sort();
        notices.dedup();
        notices
    }

    /// Keeps one record. An error means that it is not on disk.
    pub fn record(&mut self, record: &Record) -> Result<Recorded, StoreError> {
        self.record_all(std::slice::from_ref(record))
    }

    /// Keeps records, with one wait for the disk. An error means that not all are on disk.
    pub fn record_all(&mut self, records: &[Record]) -> Result<Recorded, StoreError> {
        self.spool.append(records)?;
        Ok(match self.catch_up() {
            Ok(()) => Recorded::Stored,
            Err(error) => Recorded::Spooled(error.to_string()),
        })
    }

    /// Answers one SQL question of at most `max_rows` rows within `deadline`, read-only and without access to anything outside.
    pub fn query(&mut self, sql: &str, max_rows: usize, deadline: Duration) -> Result<Table, StoreError> {
        self.catch_up()?;
        let _lock = self.lock()?;
        database::ask(&self.database_path(), sql, &[], max_rows, deadline)
    }

    /// How long the last `last` runs of each of these bundles took, newest first, by name; what was never run is absent.
    ///
    /// For estimates: it writes nothing, takes up nothing of the spool and waits for nobody. An empty answer where there is no
    /// database; an error where another process is at work or the answer takes longer than `deadline`.
    pub fn timings(
        dir: &Path,
        bundles: &[&str],
        last: usize,
        deadline: Duration,
    ) -> Result<BTreeMap<String, Vec<Timing>>, StoreError> {
        let path = dir.join(DATABASE);
        if bundles.is_empty() || !files::exists(&path) {
            return Ok(BTreeMap::new());
        }
        let _lock = lock(dir, Duration::ZERO)?;
        database::timings(&path, bundles, last, deadline)
    }

    /// How the last `last` runs of each bundle ended, oldest first, by name. A bundle that ran in two forms ran once: the
    /// worse counts. Runs that were stopped or had nothing to run are none.
    ///
    /// It writes nothing: what the database lacks, or all where it cannot be read, is read from the spool. An error where
    /// another process is at work for long or the answer takes longer than `deadline`.
    pub fn bundle_runs(
        dir: &Path,
        last: usize,
        deadline: Duration,
    ) -> Result<BTreeMap<String, Vec<BundleStatus>>, StoreError> {
        past::bundle_runs(dir, last, deadline)
    }

    /// What leaving tests out would have come to over the last `last` bundles all of whose tests ran; as
    /// [`Self::bundle_runs`] does, it writes nothing.
    pub fn selections(dir: &Path, last: usize, deadline: Duration) -> Result<Selections, StoreError> {
        past::selections(dir, last, deadline)
    }

    /// Makes the database again from the spool alone.
    fn rebuild(&mut self) -> Result<(), StoreError> {
        let fresh = self.dir.join("store.duckdb.new");
        database::remove(&fresh)?;
        let mut database = database::Database::open(&fresh).map_err(|error| error.into_store(&fresh))?;
        let notices = database.ingest(&self.spool)?;
        database.close()?;
        database::remove(&self.database_path())?;
        files::rename(&fresh, &self.database_path())?;
        self.notices.extend(notices);
        Ok(())
    }

    fn lock(&self) -> Result<files::Lock, StoreError> {
        lock(&self.dir, PATIENCE)
    }

    /// Takes up what the database lacks of the spool; one that cannot be used is made again.
    fn catch_up(&mut self) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        let path = self.database_path();
        let opened = database::Database::open(&path).and_then(|mut database| {
            let notices = database.ingest_raw(&self.spool)?;
            Ok((database, notices))
        });
        let (database, notices) = match opened {
            Ok(opened) => opened,
            Err(database::Failure::Damaged(reason)) => {
                let aside = database::move_aside(&path)?;
                self.rebuild()?;
                let mut database = database::Database::open(&path).map_err(|error| error.into_store(&path))?;
                let mut notices = database.ingest(&self.spool)?;
                notices.push(Notice::Rebuilt { aside, reason });
                (database, notices)
            }
            Err(database::Failure::Outdated) => {
                self.rebuild()?;
                (database::Database::open(&path).map_err(|error| error.into_store(&path))?, Vec::new())
            }
            Err(other) => return Err(other.into_store(&path)),
        };
        self.notices.extend(notices);
        database.close()
    }
}

/// Between processes, and between threads of one: DuckDB itself only knows the first.
fn lock(dir: &Path, patience: Duration) -> Result<files::Lock, StoreError> {
    files::lock(&dir.join(LOCK), patience)?.ok_or_else(|| StoreError::Locked { path: dir.join(DATABASE) })
}
