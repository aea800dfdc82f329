//! Measured values in files of tables, by hours: DuckDB reads exactly the files that it is given and can reach nothing else.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use duckdb::Connection;

use crate::StoreError;
use crate::database::{query_error, too_late};
use crate::outside::{self, column, text};

/// Most hours that are given.
const MOST_ROWS: usize = 200_000;

/// The forms of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated, with a line of names.
    Csv,
    /// A JSON object on each line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Columns {
    /// The mean of one column, and of how many rows.
    Value(String),
    /// Two columns, each added up.
    Ratio(String, String),
}

/// What is asked of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// The files: absolute paths, known to be regular files.
    pub files: Vec<PathBuf>,
    /// Their form.
    pub form: Form,
    /// The column of the time: a timestamp, a text that is one, or a number of seconds, milliseconds, micro- or nanoseconds
    /// since 1970, told apart by its size.
    pub time: String,
    /// The columns of the value.
    pub columns: Columns,
    /// Only rows in which this column is this text.
    pub rows: Option<(String, String)>,
    /// How long an hour is, in seconds.
    pub step: u32,
    /// From this second.
    pub from: i64,
    /// To before this one.
    pub to: i64,
}

/// One hour of a measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// When it begins, in seconds since 1970.
    pub at: i64,
    /// The mean, or the numerators added up.
    pub value: f64,
    /// The number of rows, or the denominators added up.
    pub count: f64,
}

/// The hours of a measure that have rows, in order. Rows whose time or value cannot be read count for nothing.
///
/// # Errors
/// When a file cannot be read as what it is said to be, a column is lacking, or it takes longer than `deadline`.
pub fn measured(measure: &Measure, deadline: Duration) -> Result<Vec<Measured>, StoreError> {
    if measure.files.is_empty() {
        return Ok(Vec::new());
    }
    let paths = outside::list(&measure.files)?;
    let connection = outside::open(&paths).map_err(query_error)?;
    let handle = connection.interrupt_handle();
    let (done, waiting) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let late = waiting.recv_timeout(deadline) == Err(mpsc::RecvTimeoutError::Timeout);
        if late {
            handle.interrupt();
        }
        late
    });
    let answer = ask(&connection, measure, &paths);
    drop(done);
    match answer {
        Err(_) if watch.join().unwrap_or(false) => Err(too_late(deadline)),
        answer => answer.map_err(query_error),
    }
}

fn ask(connection: &Connection, measure: &Measure, paths: &str) -> Result<Vec<Measured>, duckdb::Error> {
    let table = match measure.form {
        Form::Csv => format!("read_csv({paths}, header = true, union_by_name = true, ignore_errors = true)"),
        Form::JsonLines => {
            format!("read_json({paths}, format = 'newline_delimited', union_by_name = true, ignore_errors = true)")
        }
        Form::Parquet => format!("read_parquet({paths}, union_by_name = true)"),
    };
    let time = column(&measure.time);
    let kind: String = connection
        .query_row(&format!("SELECT typeof({time}) FROM {table} LIMIT 1"), [], |row| row.get(0))
        .or_else(|error| match error {
            duckdb::Error::QueryReturnedNoRows => Ok("NONE".to_owned()),
            other => Err(other),
        })?;
    let number = |of: &str| {
        format!(
            "CASE WHEN abs({of}) < 1e11 THEN {of} WHEN abs({of}) < 1e14 THEN {of} / 1e3 WHEN abs({of}) < 1e17 THEN {of} / 1e6 ELSE {of} / 1e9 END"
        )
    };
    let seconds = match kind.as_str() {
        "NONE" => return Ok(Vec::new()),
        kind if kind.starts_with("TIMESTAMP") || kind == "DATE" => format!("epoch({time})"),
        "VARCHAR" | "JSON" => {
            let asked = format!("TRY_CAST({time} AS DOUBLE)");
            format!("coalesce({}, epoch(TRY_CAST({time} AS TIMESTAMP)))", number(&asked))
        }
        _ => number(&format!("TRY_CAST({time} AS DOUBLE)")),
    };
    let double = |name: &str| format!("TRY_CAST({} AS DOUBLE)", column(name));
    let (values, sums) = match &measure.columns {
        Columns::Value(column) => (format!("{} AS v, 1.0 AS c", double(column)), "avg(v), count(v)::DOUBLE"),
        Columns::Ratio(of, all) => (format!("{} AS v, {} AS c", double(of), double(all)), "sum(v), sum(c)"),
    };
    let rows = measure.rows.as_ref();
    let only = rows.map(|(name, is)| format!(" WHERE {}::VARCHAR = {}", column(name), text(is))).unwrap_or_default();
    let (step, from, to) = (measure.step.max(1), measure.from, measure.to);
    let sql = format!(
        "SELECT (floor(t / {step}) * {step})::BIGINT AS at, {sums} FROM (SELECT {seconds} AS t, {values} FROM {table}{only})
         WHERE t >= {from} AND t < {to} AND isfinite(v) AND isfinite(c) GROUP BY 1 ORDER BY 1 LIMIT {MOST_ROWS}"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Measured { at: row.get(0)?, value: row.get(1)?, count: row.get(2)? });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use grace_system::files;

    fn measure(files: Vec<PathBuf>, form: Form) -> Measure {
        let columns = Columns::Value("v".to_owned());
        Measure { files, form, time: "ts".to_owned(), columns, rows: None, step: 3600, from: 0, to: 100_000 }
    }

    fn rows(measure: &Measure) -> Vec<(i64, f64, f64)> {
        let found = measured(measure, Duration::from_secs(20)).unwrap();
        found.iter().map(|one| (one.at, one.value, one.count)).collect()
    }

    #[test]
    fn each_form_gives_the_same_hours() {
        let dir = files::temporary_dir().unwrap();
        let csv = dir.path().join("a's.csv");
        let text = "ts,v,n,kind\n1970-01-01T00:00:10Z,1,2,heal\n1970-01-01 00:59:00,3,4,heal\n1970-01-01T02:00:00+01:00,5,6,heal\n1970-01-01T01:30:00Z,nan,1,heal\n1970-01-01T01:40:00Z,100,1,other\n";
        files::write_atomic(&csv, text.as_bytes()).unwrap();
        let lines = dir.path().join("a.jsonl");
        let text = "{\"ts\": 10, \"v\": 1, \"n\": 2}\n{\"ts\": 3540, \"v\": 3, \"n\": 4}\n{\"ts\": 3600, \"v\": 5, \"n\": 6}\n";
        files::write_atomic(&lines, text.as_bytes()).unwrap();
        let milli = dir.path().join("ms.csv");
        let text = "ts,v,n\n1700000000000,1,2\n";
        files::write_atomic(&milli, text.as_bytes()).unwrap();
        let parquet = dir.path().join("a.parquet");
        let path = parquet.display().to_string().replace('\'', "''");
        Connection::open_in_memory()
            .unwrap()
            .execute_batch(&format!("COPY (SELECT to_timestamp(t) ts, v, n FROM (VALUES (10, 1, 2), (3540, 3, 4), (3600, 5, 6)) x(t, v, n)) TO '{path}' (FORMAT parquet)"))
            .unwrap();
        let mut of_csv = measure(vec![csv], Form::Csv);
        of_csv.rows = Some(("kind".to_owned(), "heal".to_owned()));
        for one in [of_csv, measure(vec![lines], Form::JsonLines), measure(vec![parquet], Form::Parquet)] {
            assert_eq!(rows(&one), [(0, 2.0, 2.0), (3600, 5.0, 1.0)], "{:?}", one.form);
            let ratio = Measure { columns: Columns::Ratio("v".to_owned(), "n".to_owned()), from: 11, ..one };
            assert_eq!(rows(&ratio), [(0, 3.0, 4.0), (3600, 5.0, 6.0)], "{:?}", ratio.form);
        }
        let late = Measure { to: 2_000_000_000, ..measure(vec![milli], Form::Csv) };
        assert_eq!(rows(&late), [(1_699_999_200, 1.0, 1.0)]);
        assert_eq!(rows(&measure(vec![], Form::Csv)), []);
    }

    #[test]
    fn nothing_but_the_files_is_reached() {
        let dir = files::temporary_dir().unwrap();
        let (own, other) = (dir.path().join("own.csv"), dir.path().join("other.csv"));
        for path in [&own, &other] {
            files::write_atomic(path, b"ts,v\n1,1\n").unwrap();
        }
        let connection = outside::open(&format!("['{}']", own.display())).unwrap();
        let read = |path: &std::path::Path| {
            connection.query_row(&format!("SELECT count(*) FROM read_csv('{}')", path.display()), [], |row| {
                row.get::<_, i64>(0)
            })
        };
        assert_eq!(read(&own).unwrap(), 1);
        assert!(read(&other).is_err());
        assert!(connection.execute_batch(&format!("COPY (SELECT 1) TO '{}'", other.display())).is_err());
        assert!(connection.execute_batch("SET enable_external_access = true").is_err());
        assert!(connection.execute_batch("ATTACH '/tmp/x.db'").is_err());
        // A column that says more than its name is only a name.
        let odd = Measure { time: "ts\" FROM range(1)--".to_owned(), ..measure(vec![own.clone()], Form::Csv) };
        assert!(matches!(measured(&odd, Duration::from_secs(20)), Err(StoreError::Query(_))));
        // What is none of its form is an error, or nothing; never a crash.
        files::write_atomic(&own, b"PAR1 this is none PAR1").unwrap();
        assert!(measured(&measure(vec![own.clone()], Form::Parquet), Duration::from_secs(20)).is_err());
        files::write_atomic(&own, &[0, 159, 146, 150, b'\n', 0, 1]).unwrap();
        for form in [Form::Csv, Form::JsonLines] {
            let _ = measured(&measure(vec![own.clone()], form), Duration::from_secs(20));
        }
    }
}
