//! The ledger's records as tables. The only crate that links DuckDB.
//!
//! The database is a projection: it holds nothing that the ledger does not say, and can be made again from it at any time. A
//! lock, a crash, a full disk or a damaged database delays analysis and loses no record. Who reads a ledger hands its records
//! in ([`Source`]); this crate knows no format of it, and judges nothing.

mod database;
mod measures;
mod outside;
pub mod parquet;
mod past;
mod record;
mod series;
mod tables;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use grace_system::files::{self, FileError, FileErrorKind};

pub use database::{Table, Timing};
pub use measures::{Columns, Form, Measure, Measured, measured};
pub use past::Selections;
pub use record::{
    BundleRow, BundleStatus, CheckRow, Content, DecisionRow, DeploymentRow, Entry, PlanRow, ProbeRow, RunRow,
    SelectionRow, ShareRow, Source, StoryRow, TestRow,
};
pub use series::{SeriesHour, SeriesHours, hours_by_series};

use database::{Database, Failure};

/// The database file.
const DATABASE: &str = "store.duckdb";
/// The lock beside it.
const LOCK: &str = "store.lock";
/// How long one process waits for another to be done with the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the store could not answer or take something in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// A file could not be used.
    File(FileError),
    /// Another process has the database open.
    Locked {
        /// The database.
        path: PathBuf,
        /// The number of that process, where it is known.
        holder: Option<u32>,
    },
    /// The ledger could not be read; its words.
    Ledger(String),
    /// The question could not be answered; DuckDB's words.
    Query(String),
    /// The answer took too long or is too large.
    Bounds(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Locked { path, holder: Some(pid) } => write!(f, "`{}` is in use by process {pid}", path.display()),
            Self::Locked { path, holder: None } => write!(f, "`{}` is in use by another process", path.display()),
            Self::Query(message) => write!(f, "the store cannot answer: {message}"),
            Self::Ledger(message) | Self::Bounds(message) => f.write_str(message),
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
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::File(FileError { kind: FileErrorKind::Denied | FileErrorKind::ReadOnly, .. }) => {
                Some("the database is kept in the git directory, which must be writable")
            }
            Self::File(FileError { kind: FileErrorKind::Full, .. }) => Some("free some disk space and try again"),
            Self::Locked { .. } => Some("close it there; the ledger has what was recorded meanwhile"),
            _ => None,
        }
    }
}

/// Something about the store that a person should know; nothing is lost by it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// A record is not of a form that this version knows; the ledger keeps it.
    Unreadable {
        /// Its number.
        seq: u64,
        /// Its kind.
        kind: String,
    },
    /// The database was damaged and has been made again.
    Rebuilt {
        /// Where the damaged file was put.
        aside: PathBuf,
        /// What DuckDB said of it.
        reason: String,
    },
    /// The database had records that the ledger does not have, and has been made again.
    Foreign,
    /// Outcomes of a version that knew no ledger.
    Spool {
        /// Where they are.
        path: PathBuf,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { seq, kind } => {
                write!(f, "record {seq} of the ledger is no `{kind}` as this version knows it, and is in no table")
            }
            Self::Rebuilt { aside, reason } => {
                write!(f, "the database was damaged ({reason}); it was rebuilt, the old one is `{}`", aside.display())
            }
            Self::Foreign => {
                f.write_str("the database had records that the ledger does not have; it was rebuilt from the ledger")
            }
            Self::Spool { path } => {
                write!(f, "`{}` is of an earlier version and is read no more; it may be removed", path.display())
            }
        }
    }
}

/// What a store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The tables, with the number of their rows.
    pub tables: Vec<(String, u64)>,
    /// The ledgers by name, with the number of records that were taken in.
    pub origins: Vec<(String, u64)>,
}

/// The store in one directory. It holds no lock and no connection between calls.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    patience: Duration,
    notices: Vec<Notice>,
}

impl Store {
    /// The store in `dir`, usually `<git-common-dir>/grace`. Nothing is touched yet.
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf(), patience: PATIENCE, notices: Vec::new() }
    }

    /// How long to wait for other processes.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The database file.
    #[must_use]
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

    /// Takes in what the ledger that `open` gives has more than the database, in one transaction. A database that is damaged, of
    /// another version or of another ledger of that name is made again from this one.
    ///
    /// # Errors
    /// When the database lacks some of it afterwards; the next time takes it in.
    pub fn take_in<S: Source>(&mut self, open: impl FnOnce() -> Result<S, StoreError>) -> Result<(), StoreError> {
        files::create_dirs(&self.dir)?;
        let _lock = self.lock()?;
        // Read under the lock, so that it is no older than the database.
        let source = open()?;
        let spool = self.dir.join("spool");
        if files::is_dir(&spool) {
            self.notices.push(Notice::Spool { path: spool });
        }
        let path = self.database_path();
        let taken = Database::open(&path, self.patience).and_then(|mut database| {
            let notices = database.take_in(&source, None)?;
            database.close()?;
            Ok(notices)
        });
        match taken {
            Ok(notices) => {
                self.notices.extend(notices);
                return Ok(());
            }
            Err(Failure::Damaged(reason)) => {
                let aside = database::move_aside(&path)?;
                self.notices.push(Notice::Rebuilt { aside, reason });
            }
            Err(Failure::Foreign) => self.notices.push(Notice::Foreign),
            Err(Failure::Outdated) => {}
            Err(other) => return Err(other.into_store(&path)),
        }
        self.make(&[&source], None)
    }

    /// Makes the database again from these ledgers, and from nothing else. Of records before the second `since` (from 1970 on) the
    /// texts of plans and the outcomes of single tests are left out, which take most of the room.
    ///
    /// # Errors
    /// When that cannot be done: the database is then as it was.
    pub fn rebuild(
        &mut self,
        since: Option<i64>,
        open: impl FnOnce() -> Result<Vec<Box<dyn Source>>, StoreError>,
    ) -> Result<(), StoreError> {
        files::create_dirs(&self.dir)?;
        let _lock = self.lock()?;
        let sources = open()?;
        self.make(&sources.iter().map(|source| &**source).collect::<Vec<_>>(), since)
    }

    fn make(&mut self, sources: &[&dyn Source], since: Option<i64>) -> Result<(), StoreError> {
        let path = self.database_path();
        if files::exists(&path) {
            // What another program has open is not taken from under it.
            match Database::open(&path, self.patience) {
                Err(locked @ Failure::Locked(_)) => return Err(locked.into_store(&path)),
                Ok(database) => database.close()?,
                Err(_) => {}
            }
        }
        let fresh = self.dir.join("store.duckdb.new");
        database::remove(&fresh)?;
        let mut make = || -> Result<(), Failure> {
            let mut database = Database::open(&fresh, self.patience)?;
            for source in sources {
                let notices = database.take_in(*source, since)?;
                self.notices.extend(notices);
            }
            Ok(database.close()?)
        };
        if let Err(failure) = make() {
            database::remove(&fresh)?;
            return Err(failure.into_store(&fresh));
        }
        database::remove(&path)?;
        Ok(files::rename(&fresh, &path)?)
    }

    /// Answers one SQL question of at most `max_rows` rows within `deadline`, read-only and without access to anything outside.
    ///
    /// # Errors
    /// When it is no question that the tables answer, or takes too long.
    pub fn query(&self, sql: &str, max_rows: usize, deadline: Duration) -> Result<Table, StoreError> {
        let _lock = self.lock()?;
        database::Reader::open(&self.database_path())?.ask(sql, &[], max_rows, deadline)
    }

    /// What the database holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn summary(&self) -> Result<Summary, StoreError> {
        let _lock = self.lock()?;
        database::summary(&self.database_path(), Duration::from_secs(60))
    }

    /// Writes each table to a file of Apache Parquet in `dir`, in place of one of that name. Their names, and the number of rows.
    /// Equal tables give equal files.
    ///
    /// # Errors
    /// When the database cannot be read, or a file not be written.
    pub fn export(&self, dir: &Path) -> Result<Vec<(String, u64)>, StoreError> {
        files::create_dirs(dir)?;
        let _lock = self.lock()?;
        let path = self.database_path();
        database::export(&path, dir).map_err(|failure| failure.into_store(&path))
    }

    /// How long the last `last` runs of each of these bundles took, newest first, by name; what was never run is absent.
    ///
    /// For estimates: it writes nothing, asks the database alone and waits for nobody. An empty answer where there is no
    /// database.
    ///
    /// # Errors
    /// Where another process is at work or the answer takes longer than `deadline`.
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
    /// It writes nothing: what the database lacks, or all where it cannot be read, is read from the ledger.
    ///
    /// # Errors
    /// When the ledger cannot be read, or the answer takes longer than `deadline`.
    pub fn bundle_runs<S: Source>(
        &self,
        open: impl FnOnce() -> Result<S, StoreError>,
        last: usize,
        deadline: Duration,
    ) -> Result<BTreeMap<String, Vec<BundleStatus>>, StoreError> {
        past::bundle_runs(&self.dir, open, last, (self.patience, deadline))
    }

    /// What leaving tests out would have come to over the last `last` bundles all of whose tests ran; as
    /// [`Self::bundle_runs`] does, it writes nothing.
    ///
    /// # Errors
    /// When the ledger cannot be read, or the answer takes longer than `deadline`.
    pub fn selections<S: Source>(
        &self,
        open: impl FnOnce() -> Result<S, StoreError>,
        last: usize,
        deadline: Duration,
    ) -> Result<Selections, StoreError> {
        past::selections(&self.dir, open, last, (self.patience, deadline))
    }

    fn lock(&self) -> Result<files::Lock, StoreError> {
        lock(&self.dir, self.patience)
    }
}

/// Between processes, and between threads of one: DuckDB itself only knows the first.
fn lock(dir: &Path, patience: Duration) -> Result<files::Lock, StoreError> {
    let path = dir.join(LOCK);
    let Some(lock) = files::lock(&path, patience)? else {
        return Err(StoreError::Locked { path: dir.join(DATABASE), holder: files::holder(&path) });
    };
    lock.sign();
    Ok(lock)
}
