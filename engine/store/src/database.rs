//! The projection: tables in DuckDB, opened for each call and closed after it, so that no process
//! keeps another one out for longer than a question takes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use duckdb::types::{TimeUnit, Value};
use duckdb::{AccessMode, Config, Connection, appender_params_from_iter, params, params_from_iter};
use grace_system::clock;
use grace_system::files::{self, FileErrorKind};
use serde::{Deserialize, Serialize};

use crate::spool::{Line, Part, Spool};
use crate::{Notice, Record, StoreError};

/// Version of the tables; a database of another one is made again from the spool.
const VERSION: i64 = 3;

const SCHEMA: &str = "
    CREATE TABLE meta (version BIGINT NOT NULL);
    CREATE TABLE spool_files (file VARCHAR NOT NULL, upto BIGINT NOT NULL);
    CREATE TABLE runs (id VARCHAR NOT NULL, run VARCHAR, started TIMESTAMP, finished TIMESTAMP, base VARCHAR, head VARCHAR,
        plan VARCHAR, tier INTEGER, passed BOOLEAN, actor VARCHAR);
    CREATE TABLE plans (id VARCHAR NOT NULL, run VARCHAR, plan VARCHAR, json VARCHAR);
    CREATE TABLE bundle_outcomes (id VARCHAR NOT NULL, run VARCHAR, bundle VARCHAR, status VARCHAR, attempts INTEGER,
        duration_ms BIGINT, passed INTEGER, executed INTEGER, pass_rate DOUBLE, command VARCHAR, finished TIMESTAMP);
    CREATE TABLE test_outcomes (id VARCHAR NOT NULL, run VARCHAR, bundle VARCHAR, test VARCHAR, status VARCHAR,
        duration_ms BIGINT, attempt INTEGER, finished TIMESTAMP);
    CREATE TABLE selections (id VARCHAR NOT NULL, run VARCHAR, bundle VARCHAR, tests INTEGER, selected INTEGER, failed INTEGER,
        missed INTEGER, finished TIMESTAMP);
";

/// How long one run of a bundle took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Another program has it open.
    Locked,
    /// It is no sound database.
    Damaged(String),
    /// Its tables are of another version.
    Outdated,
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
            Self::Locked => StoreError::Locked { path: path.to_path_buf() },
            Self::Full => StoreError::File(files::FileError { path: path.to_path_buf(), kind: FileErrorKind::Full }),
            Self::Damaged(reason) => StoreError::Query(format!("the database is damaged: {reason}")),
            Self::Outdated => StoreError::Query("the tables are of another version".to_owned()),
            Self::Other(error) => error,
        }
    }

    /// DuckDB's errors carry no code, so its words decide. What is not recognised is not taken for damage.
    fn of(error: &duckdb::Error) -> Self {
        let text = error.to_string();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if says(&["Could not set lock", "onflicting lock", "being used by another process"]) {
            Self::Locked
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

fn query_error(error: duckdb::Error) -> StoreError {
    StoreError::Query(first_line(&error.to_string()))
}

/// Nothing outside the database file can be reached, and nothing can switch that on again.
fn config(mode: AccessMode) -> Result<Config, duckdb::Error> {
    Config::default()
        .access_mode(mode)?
        .enable_external_access(false)?
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

/// An open database.
pub(crate) struct Database {
    connection: Connection,
}

impl Database {
    /// Opens or creates.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let open = || -> Result<(Connection, Option<i64>), duckdb::Error> {
            let connection = Connection::open_with_flags(path, config(AccessMode::ReadWrite)?)?;
            let tables: i64 =
                connection
                    .query_row("SELECT count(*) FROM duckdb_tables() WHERE NOT internal", [], |row| row.get(0))?;
            if tables == 0 {
                connection.execute_batch(&format!("BEGIN; {SCHEMA} INSERT INTO meta VALUES ({VERSION}); COMMIT;"))?;
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

    pub(crate) fn ingest(&mut self, spool: &Spool) -> Result<Vec<Notice>, StoreError> {
        self.ingest_raw(spool).map_err(|failure| failure.into_store(Path::new("store.duckdb")))
    }

    /// Takes up what is new in the spool: all of it or nothing.
    pub(crate) fn ingest_raw(&mut self, spool: &Spool) -> Result<Vec<Notice>, Failure> {
        let known = self.offsets().map_err(|error| Failure::of(&error))?;
        let parts = spool.news(|file| known.get(file).copied().unwrap_or(0)).map_err(StoreError::from)?;
        if parts.iter().any(|part| known.get(&part.file).copied().unwrap_or(0) < part.end) {
            self.insert(&parts).map_err(|error| Failure::of(&error))?;
        }
        Ok(parts.into_iter().flat_map(|part| part.notices).collect())
    }

    fn offsets(&self) -> Result<BTreeMap<String, u64>, duckdb::Error> {
        let mut statement = self.connection.prepare("SELECT file, max(upto) FROM spool_files GROUP BY file")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
        rows.map(|row| row.map(|(file, upto)| (file, upto.max(0).cast_unsigned()))).collect()
    }

    fn insert(&mut self, parts: &[Part]) -> Result<(), duckdb::Error> {
        let transaction = self.connection.transaction()?;
        for (table, columns) in TABLES {
            transaction
                .execute_batch(&format!("CREATE TEMP TABLE new_{table} AS SELECT {columns} FROM {table} LIMIT 0"))?;
            let mut appender = transaction.appender(&format!("new_{table}"))?;
            for line in parts.iter().flat_map(|part| &part.lines) {
                if let Some(values) = row(table, line) {
                    appender.append_row(appender_params_from_iter(values))?;
                }
            }
            appender.flush()?;
            drop(appender);
            // A line that was taken up already, whatever the offsets say, is not taken up twice.
            transaction.execute_batch(&format!(
                "INSERT INTO {table} ({columns}) SELECT DISTINCT ON (id) {columns} FROM new_{table} WHERE id NOT IN (SELECT id FROM {table});
                 DROP TABLE new_{table};"
            ))?;
        }
        for part in parts {
            let upto = i64::try_from(part.end).unwrap_or(i64::MAX);
            transaction.execute("INSERT INTO spool_files VALUES (?, ?)", params![part.file, upto])?;
        }
        transaction.commit()
    }
}

/// Tables of records, with the columns that a record fills.
const TABLES: [(&str, &str); 5] = [
    ("runs", "id, run, started, finished, base, head, plan, tier, passed, actor"),
    ("plans", "id, run, plan, json"),
    (
        "bundle_outcomes",
        "id, run, bundle, status, attempts, duration_ms, passed, executed, pass_rate, command, finished",
    ),
    ("test_outcomes", "id, run, bundle, test, status, duration_ms, attempt, finished"),
    ("selections", "id, run, bundle, tests, selected, failed, missed, finished"),
];

/// The values of `line` for `table`, in the order of its columns; `None` if it belongs to another table.
fn row(table: &str, line: &Line) -> Option<Vec<Value>> {
    let text = |value: &str| Value::Text(value.to_owned());
    let optional = |value: &Option<String>| value.as_deref().map_or(Value::Null, text);
    let count = |value: u32| i32::try_from(value).map_or(Value::Int(i32::MAX), Value::Int);
    let millis = |value: u64| Value::BigInt(i64::try_from(value).unwrap_or(i64::MAX));
    let id = text(&line.id);
    match (&line.record, table) {
        (Record::Selection(selection), "selections") => Some(vec![
            id,
            text(&selection.run),
            text(&selection.bundle),
            count(selection.tests),
            count(selection.selected),
            count(selection.failed),
            count(selection.missed_count),
            moment(&selection.finished),
        ]),
        (Record::Run(run), "runs") => Some(vec![
            id,
            text(&run.run),
            moment(&run.started),
            moment(&run.finished),
            optional(&run.base),
            optional(&run.head),
            optional(&run.plan),
            run.tier.map_or(Value::Null, count),
            Value::Boolean(run.passed),
            optional(&run.actor),
        ]),
        (Record::Plan(plan), "plans") => Some(vec![id, text(&plan.run), text(&plan.plan), text(&plan.json)]),
        (Record::Bundle(bundle), "bundle_outcomes") => Some(vec![
            id,
            text(&bundle.run),
            text(&bundle.bundle),
            text(&word(&bundle.status)),
            count(bundle.attempts),
            millis(bundle.duration_ms),
            count(bundle.passed),
            count(bundle.executed),
            bundle.pass_rate.map_or(Value::Null, Value::Double),
            text(&bundle.command),
            moment(&bundle.finished),
        ]),
        (Record::Test(test), "test_outcomes") => Some(vec![
            id,
            text(&test.run),
            text(&test.bundle),
            text(&test.test),
            text(&word(&test.status)),
            millis(test.duration_ms),
            count(test.attempt),
            moment(&test.finished),
        ]),
        _ => None,
    }
}

/// A status as the spool writes it.
fn word(status: &impl Serialize) -> String {
    match serde_json::to_value(status) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A time that cannot be read is null: the record counts all the same.
fn moment(text: &str) -> Value {
    clock::parse(text).map_or(Value::Null, |time| Value::Timestamp(TimeUnit::Microsecond, time.as_microsecond()))
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
            SELECT run, bundle, duration_ms, row_number() OVER (PARTITION BY bundle ORDER BY finished DESC NULLS LAST, id DESC) AS back
            FROM bundle_outcomes WHERE bundle IN ({names}) AND status IN ('passed', 'failed', 'flaky', 'timed_out'))
         SELECT r.bundle, r.back, r.duration_ms, t.test, t.duration_ms
         FROM recent r LEFT JOIN test_outcomes t ON t.run = r.run AND t.bundle = r.bundle
         WHERE r.back <= {last} ORDER BY r.back, r.bundle, t.test"
    );
    let table = ask(path, &sql, bundles, MOST_TIMINGS, deadline)?;
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

/// Answers one question, read-only; `values` stand for its question marks.
pub(crate) fn ask(
    path: &Path,
    sql: &str,
    values: &[&str],
    max_rows: usize,
    deadline: Duration,
) -> Result<Table, StoreError> {
    let connection = config(AccessMode::ReadOnly)
        .and_then(|config| Connection::open_with_flags(path, config))
        .map_err(|error| Failure::of(&error).into_store(path))?;
    let handle = connection.interrupt_handle();
    let (done, waiting) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let late = waiting.recv_timeout(deadline) == Err(mpsc::RecvTimeoutError::Timeout);
        if late {
            handle.interrupt();
        }
        late
    });
    let answer = collect(&connection, sql, values, max_rows);
    drop(done);
    let late = watch.join().unwrap_or(false);
    match answer {
        Err(_) if late => {
            Err(StoreError::Bounds(format!("the question was not answered within {} ms", deadline.as_millis())))
        }
        other => other.map_err(query_error),
    }
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
