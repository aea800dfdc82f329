//! The database: opened late and closed early, so that no process keeps another one out for longer than a question takes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use duckdb::types::{TimeUnit, Value};
use duckdb::{AccessMode, Config, Connection, appender_params_from_iter, params, params_from_iter};
use grace_system::clock::{self, Stopwatch};
use grace_system::files::{self, FileErrorKind};
use serde::{Deserialize, Serialize};

use crate::record::{Content, Entry, Source};
use crate::tables::{OWN_TABLES, TABLES, VERSION};
use crate::{Notice, StoreError, Summary};

/// Records that are written at once, and about how many bytes of them.
const BATCH: usize = 4096;
const MOST_AT_ONCE: usize = 64 << 20;

/// How long one run of a bundle took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// Wall time of setup and all attempts, milliseconds.
    pub duration_ms: u64,
    /// Each test with its own duration in milliseconds; parametrised ones by their whole id.
    pub tests: Vec<(String, u64)>,
}

/// The answer to a question in SQL.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows; numbers, texts, truth values and nulls as such, anything else as text.
    pub rows: Vec<Vec<serde_json::Value>>,
    /// Whether there were more rows than asked for.
    pub more: bool,
}

/// Why a database could not be used.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another program has it open; its number, where that is told.
    Locked(Option<u32>),
    /// It is no sound database.
    Damaged(String),
    /// Its tables are of another version.
    Outdated,
    /// It holds records that the ledger does not have.
    Foreign,
    /// The disk is full.
    Full,
    /// Anything else.
    Other(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Other(error)
    }
}

impl Failure {
    pub(crate) fn into_store(self, path: &Path) -> StoreError {
        match self {
            Self::Locked(holder) => StoreError::Locked { path: path.to_path_buf(), holder },
            Self::Full => StoreError::File(files::FileError { path: path.to_path_buf(), kind: FileErrorKind::Full }),
            Self::Damaged(reason) => StoreError::Query(format!("the database is damaged: {reason}")),
            Self::Outdated => StoreError::Query("the tables are of another version".to_owned()),
            Self::Foreign => StoreError::Query("the database has records that the ledger lacks".to_owned()),
            Self::Other(error) => error,
        }
    }

    /// DuckDB's errors carry no code, so its words decide. What is not recognised is not taken for damage.
    pub(crate) fn of(error: &duckdb::Error) -> Self {
        let text = error.to_string();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if says(&["Could not set lock", "onflicting lock", "being used by another process"]) {
            let pid = text.split_once("(PID ").and_then(|(_, rest)| rest.split_once(')'));
            Self::Locked(pid.and_then(|(pid, _)| pid.parse().ok()))
        } else if says(&["No space left", "disk full", "not enough space"]) {
            Self::Full
        } else if says(&[
            "not a valid DuckDB database",
            "Corrupt",
            "corrupt",
            "checksum",
            "Failed to deserialize",
            "Serialization Error",
            "INTERNAL Error",
            "database has been invalidated",
            "replaying WAL",
            "Could not read enough bytes",
            "Could not read all bytes",
        ]) {
            Self::Damaged(first_line(&text))
        } else {
            Self::Other(StoreError::Query(first_line(&text)))
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(300).collect()
}

pub(crate) fn query_error(error: duckdb::Error) -> StoreError {
    StoreError::Query(first_line(&error.to_string()))
}

/// Nothing outside the database file can be reached, and nothing can switch that on again; but by `outside`, for words of ours.
pub(crate) fn config(mode: AccessMode, outside: bool) -> Result<Config, duckdb::Error> {
    Config::default()
        .access_mode(mode)?
        .enable_external_access(outside)?
        .enable_autoload_extension(false)?
        .max_memory("1GB")?
        .threads(2)?
        .with("autoinstall_known_extensions", "false")?
        .with("allow_community_extensions", "false")?
        .with("lock_configuration", "true")
}

/// Removes a database and its log; absent is fine.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    files::remove_file(path)?;
    Ok(files::remove_file(&log_of(path))?)
}

fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push(".wal");
    PathBuf::from(log)
}

/// Renames a damaged database and its log; returns its new path.
pub(crate) fn move_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".damaged-{}", clock::now().as_nanosecond()));
    let aside = PathBuf::from(aside);
    files::rename(path, &aside)?;
    if files::exists(&log_of(path)) {
        files::rename(&log_of(path), &log_of(&aside))?;
    }
    Ok(aside)
}

/// How far a ledger was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upto {
    /// The number of its records then.
    pub(crate) size: u64,
    /// The digest of the last of them.
    pub(crate) leaf: String,
}

impl Upto {
    /// Whether that is a beginning of this ledger as it is now.
    pub(crate) fn is_of(&self, source: &dyn Source) -> Result<bool, StoreError> {
        Ok(self.size <= source.size() && (self.size == 0 || source.leaf(self.size - 1)? == self.leaf))
    }
}

/// An open database.
pub(crate) struct Database {
    connection: Connection,
}

impl Database {
    /// Opens or creates, waiting for other programs.
    pub(crate) fn open(path: &Path, patience: Duration) -> Result<Self, Failure> {
        let begun = Stopwatch::start();
        loop {
            match Self::open_now(path) {
                Err(Failure::Locked(_)) if begun.elapsed() < patience => std::thread::sleep(Duration::from_millis(50)),
                opened => return opened,
            }
        }
    }

    fn open_now(path: &Path) -> Result<Self, Failure> {
        let open = || -> Result<(Connection, Option<i64>), duckdb::Error> {
            let connection = Connection::open_with_flags(path, config(AccessMode::ReadWrite, false)?)?;
            let tables: i64 =
                connection
                    .query_row("SELECT count(*) FROM duckdb_tables() WHERE NOT internal", [], |row| row.get(0))?;
            if tables == 0 {
                let create: String = TABLES.iter().map(|table| table.create()).collect();
                connection.execute_batch(&format!(
                    "BEGIN; {OWN_TABLES} {create} INSERT INTO meta VALUES ({VERSION}); COMMIT;"
                ))?;
            }
            let version = connection.query_row("SELECT max(version) FROM meta", [], |row| row.get(0));
            // No such table, or nothing in it: not ours, or not of this version.
            Ok((connection, version.unwrap_or(None)))
        };
        match open() {
            Ok((connection, Some(VERSION))) => Ok(Self { connection }),
            Ok(_) => Err(Failure::Outdated),
            Err(error) => Err(Failure::of(&error)),
        }
    }

    /// Writes everything into the one file.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        self.connection.close().map_err(|(_, error)| query_error(error))
    }

    /// Takes in what is new in a ledger: all of it or nothing. Of records before the second `since` no row goes into tables that
    /// take much room.
    pub(crate) fn take_in(&mut self, source: &dyn Source, since: Option<i64>) -> Result<Vec<Notice>, Failure> {
        let known = self.upto(source.origin()).map_err(|error| Failure::of(&error))?;
        let from = match known {
            Some(known) if !known.is_of(source)? => return Err(Failure::Foreign),
            known => known.map_or(0, |known| known.size),
        };
        if from == source.size() {
            return Ok(Vec::new());
        }
        let transaction = self.connection.transaction().map_err(|error| Failure::of(&error))?;
        let (mut notices, mut batch, mut weight) = (Vec::new(), Vec::new(), 0);
        for seq in from..source.size() {
            let entry = source.entry(seq, None)?;
            if entry.content == Content::Unreadable {
                notices.push(Notice::Unreadable { seq, kind: entry.kind.clone() });
            }
            weight += entry.content.weight();
            batch.push(entry);
            if batch.len() == BATCH || weight > MOST_AT_ONCE || seq + 1 == source.size() {
                insert(&transaction, source.origin(), &batch, since).map_err(|error| Failure::of(&error))?;
                batch.clear();
                weight = 0;
            }
        }
        let size = i64::try_from(source.size()).unwrap_or(i64::MAX);
        let leaf = source.leaf(source.size() - 1)?;
        transaction
            .execute("DELETE FROM origins WHERE origin = ?", params![source.origin()])
            .and_then(|_| {
                transaction.execute("INSERT INTO origins VALUES (?, ?, ?)", params![source.origin(), size, leaf])
            })
            .and_then(|_| transaction.commit())
            .map_err(|error| Failure::of(&error))?;
        Ok(notices)
    }

    fn upto(&self, origin: &str) -> Result<Option<Upto>, duckdb::Error> {
        let mut statement = self.connection.prepare("SELECT upto, leaf FROM origins WHERE origin = ?")?;
        let mut rows = statement.query(params![origin])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some(Upto { size: row.get::<_, i64>(0)?.max(0).cast_unsigned(), leaf: row.get(1)? }))
    }
}

fn insert(connection: &Connection, origin: &str, entries: &[Entry], since: Option<i64>) -> Result<(), duckdb::Error> {
    // What has no time that can be read is not old.
    let is_old = |entry: &Entry| {
        since.is_some_and(|since| clock::parse(&entry.ts).is_some_and(|written| written.as_second() < since))
    };
    for table in &TABLES {
        let mut appender = connection.appender(table.name)?;
        let entries = entries.iter().filter(|entry| !table.is_bulk || !is_old(entry));
        for values in entries.flat_map(|entry| table.rows(origin, entry)) {
            appender.append_row(appender_params_from_iter(values))?;
        }
        appender.flush()?;
    }
    Ok(())
}

/// Writes every table to a Parquet file of its own; the same rows give the same bytes. The names of the files and how many
/// rows each has.
pub(crate) fn export(path: &Path, dir: &Path) -> Result<Vec<(String, u64)>, Failure> {
    let open = || -> Result<Connection, duckdb::Error> {
        // One thread writes row groups in one order.
        Connection::open_with_flags(path, config(AccessMode::ReadOnly, true)?.threads(1)?)
    };
    let connection = open().map_err(|error| Failure::of(&error))?;
    let mut written = Vec::new();
    for table in &TABLES {
        let name = format!("{}.parquet", table.name);
        let file = dir.join(&name);
        let beside = dir.join(format!("{name}.new"));
        // Before it is read in SQL: only a text can stand there.
        let text = beside.to_str().ok_or_else(|| {
            let kind = FileErrorKind::Other("its name is not Unicode".to_owned());
            StoreError::File(files::FileError { path: beside.clone(), kind })
        })?;
        let copy =
            format!("COPY ({}) TO '{}' (FORMAT parquet, COMPRESSION zstd)", table.select(), text.replace('\'', "''"));
        let rows = connection.execute(&copy, []).map_err(|error| Failure::of(&error))?;
        files::rename(&beside, &file).map_err(StoreError::from)?;
        written.push((name, rows as u64));
    }
    Ok(written)
}

/// How many rows each table has, and how far each ledger was taken in.
pub(crate) fn summary(path: &Path, deadline: Duration) -> Result<Summary, StoreError> {
    let reader = Reader::open(path)?;
    let pairs = |sql: &str| -> Result<Vec<(String, u64)>, StoreError> {
        let rows = reader.ask(sql, &[], usize::MAX, deadline)?.rows;
        Ok(rows.iter().filter_map(|row| Some((row.first()?.as_str()?.to_owned(), row.get(1)?.as_u64()?))).collect())
    };
    let counts: Vec<String> =
        TABLES.iter().map(|table| format!("SELECT '{0}', count(*) FROM {0}", table.name)).collect();
    Ok(Summary {
        tables: pairs(&counts.join(" UNION ALL "))?,
        origins: pairs("SELECT origin, upto FROM origins ORDER BY origin")?,
    })
}

/// Rows that are read of past timings; beyond it, the tests of older runs are left out.
const MOST_TIMINGS: usize = 100_000;

/// The timings of the last `last` runs of each bundle that came to an end, newest first. Read-only.
pub(crate) fn timings(
    path: &Path,
    bundles: &[&str],
    last: usize,
    deadline: Duration,
) -> Result<BTreeMap<String, Vec<Timing>>, StoreError> {
    let names = vec!["?"; bundles.len().max(1)].join(", ");
    let sql = format!(
        "WITH recent AS (
            SELECT origin, seq, bundle, duration_ms,
                row_number() OVER (PARTITION BY bundle ORDER BY finished DESC NULLS LAST, origin DESC, seq DESC) AS back
            FROM bundle_outcomes WHERE bundle IN ({names}) AND status IN ('passed', 'failed', 'flaky', 'timed_out'))
         SELECT r.bundle, r.back, r.duration_ms, t.test, t.duration_ms
         FROM recent r LEFT JOIN test_outcomes t ON t.origin = r.origin AND t.seq = r.seq
         WHERE r.back <= {last} ORDER BY r.back, r.bundle, t.test"
    );
    let table = Reader::open(path)?.ask(&sql, bundles, MOST_TIMINGS, deadline)?;
    let mut found: BTreeMap<String, BTreeMap<u64, Timing>> = BTreeMap::new();
    for row in &table.rows {
        let [bundle, back, duration, test, took] = row.as_slice() else { continue };
        let (Some(bundle), Some(back), Some(duration_ms)) = (bundle.as_str(), back.as_u64(), duration.as_u64()) else {
            continue;
        };
        let timing = found.entry(bundle.to_owned()).or_default().entry(back).or_default();
        timing.duration_ms = duration_ms;
        if let (Some(test), Some(took)) = (test.as_str(), took.as_u64()) {
            timing.tests.push((test.to_owned(), took));
        }
    }
    Ok(found.into_iter().map(|(bundle, runs)| (bundle, runs.into_values().collect())).collect())
}

/// A database that is only asked.
pub(crate) struct Reader {
    connection: Connection,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = config(AccessMode::ReadOnly, false)
            .and_then(|config| Connection::open_with_flags(path, config))
            .map_err(|error| Failure::of(&error).into_store(path))?;
        Ok(Self { connection })
    }

    /// Answers one question; `values` stand for its question marks.
    pub(crate) fn ask(
        &self,
        sql: &str,
        values: &[&str],
        max_rows: usize,
        deadline: Duration,
    ) -> Result<Table, StoreError> {
        let handle = self.connection.interrupt_handle();
        let (done, waiting) = mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            let late = waiting.recv_timeout(deadline) == Err(mpsc::RecvTimeoutError::Timeout);
            if late {
                handle.interrupt();
            }
            late
        });
        let answer = collect(&self.connection, sql, values, max_rows);
        drop(done);
        let late = watch.join().unwrap_or(false);
        match answer {
            Err(_) if late => Err(too_late(deadline)),
            other => other.map_err(query_error),
        }
    }
}

pub(crate) fn too_late(deadline: Duration) -> StoreError {
    StoreError::Bounds(format!("the question was not answered within {} ms", deadline.as_millis()))
}

fn collect(connection: &Connection, sql: &str, values: &[&str], max_rows: usize) -> Result<Table, duckdb::Error> {
    let mut statement = connection.prepare(sql)?;
    let mut found = statement.query(params_from_iter(values))?;
    let mut table = Table::default();
    if let Some(statement) = found.as_ref() {
        table.columns = statement.column_names();
    }
    while let Some(row) = found.next()? {
        if table.rows.len() == max_rows {
            table.more = true;
            break;
        }
        let values = (0..table.columns.len()).map(|index| row.get::<_, Value>(index).map(json));
        table.rows.push(values.collect::<Result<_, _>>()?);
    }
    Ok(table)
}

fn json(value: Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Boolean(value) => value.into(),
        Value::TinyInt(value) => value.into(),
        Value::SmallInt(value) => value.into(),
        Value::Int(value) => value.into(),
        Value::BigInt(value) => value.into(),
        Value::UTinyInt(value) => value.into(),
        Value::USmallInt(value) => value.into(),
        Value::UInt(value) => value.into(),
        Value::UBigInt(value) => value.into(),
        // `sum` of integers is a huge one.
        Value::HugeInt(value) => i64::try_from(value).map_or_else(|_| value.to_string().into(), Into::into),
        Value::Float(value) => f64::from(value).into(),
        Value::Double(value) => value.into(),
        Value::Text(value) => value.into(),
        Value::Timestamp(TimeUnit::Microsecond, value) => {
            clock::from_microsecond(value).map_or_else(|| value.into(), |time| time.to_string().into())
        }
        other => format!("{other:?}").into(),
    }
}
