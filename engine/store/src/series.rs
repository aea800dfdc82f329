//! Many series in one file, by hours, in one query.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::StoreError;
use crate::database::query_error;
use crate::outside::{self, column};

/// Most series that are read at once.
const MOST_SERIES: usize = 100_000;
/// Most steps of all series together.
const MOST_ROWS: usize = 2_000_000;

/// What is asked of Parquet files that hold many series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesHours {
    /// The files: absolute paths, known to be regular files.
    pub files: Vec<PathBuf>,
    /// The column of the time, a timestamp.
    pub time: String,
    /// The column that tells the series apart.
    pub series: String,
    /// The column of the value.
    pub value: String,
    /// How long an hour is, in seconds.
    pub step: u32,
    /// From this second.
    pub from: i64,
    /// To before this one.
    pub to: i64,
}

impl SeriesHours {
    /// The rows that are looked at: DuckDB passes over the parts of a file that hold none of them. The number of an hour
    /// fits in 32 bits: until the year 2106, for steps of a second.
    fn window(&self) -> String {
        let last = i64::from(self.step.max(1)).saturating_mul(i64::from(u32::MAX));
        let (time, from, to) = (column(&self.time), self.from.clamp(0, last), self.to.clamp(0, last));
        format!(" WHERE {time} >= make_timestamp({from}000000) AND {time} < make_timestamp({to}000000)")
    }
}

/// One hour of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesHour {
    /// When it begins, in seconds since 1970.
    pub at: i64,
    /// The mean of its values.
    pub value: f64,
    /// Of how many.
    pub count: u64,
}

/// The hours of each series that have values, by the name of the series and in order of time. An hour with a value that is
/// no number has none.
///
/// # Errors
/// When a file cannot be read or a column is lacking, or there are too many series.
pub fn hours_by_series(asked: &SeriesHours) -> Result<Vec<(String, Vec<SeriesHour>)>, StoreError> {
    if asked.files.is_empty() {
        return Ok(Vec::new());
    }
    let paths = outside::list(&asked.files)?;
    let (sums, nameless) = sums(asked, &paths).map_err(query_error)?;
    // Most series are in the latest hours as well, which are read in no time; only where one is not, all is read once more.
    let late = asked.to.saturating_sub(2 * i64::from(asked.step.max(1))).max(asked.from);
    let mut names = names(&SeriesHours { from: late, ..asked.clone() }, &paths)?;
    let is_named = |half: u64, names: &Names| names.contains_key(&half) || half == nameless;
    if !sums.iter().all(|sum| is_named(sum.key >> 32, &names)) {
        names = self::names(asked, &paths)?;
    }
    if names.len() > MOST_SERIES {
        return Err(StoreError::Query(format!("more than {MOST_SERIES} series")));
    }
    let mut found: BTreeMap<u64, Vec<SeriesHour>> = BTreeMap::new();
    for Sum { key, sum, count } in sums {
        // Rows without a name have no series.
        let Some((hash, _)) = names.get(&(key >> 32)) else { continue };
        let at = i64::try_from(key ^ hash).unwrap_or(i64::MAX).saturating_mul(asked.step.max(1).into());
        found.entry(key >> 32).or_default().push(SeriesHour { at, value: sum / count as f64, count });
    }
    let mut found: Vec<(String, Vec<SeriesHour>)> = found
        .into_iter()
        .filter_map(|(half, mut hours)| {
            hours.retain(|hour| hour.value.is_finite());
            hours.sort_unstable_by_key(|hour| hour.at);
            Some((names.get(&half)?.1.clone(), hours))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// The names of series and DuckDB's hash of each, by the upper half of it.
type Names = BTreeMap<u64, (u64, String)>;

fn names(asked: &SeriesHours, paths: &str) -> Result<Names, StoreError> {
    let series = column(&asked.series);
    let sql = format!(
        "SELECT s::VARCHAR, hash(s) FROM (SELECT DISTINCT {series} AS s FROM read_parquet({paths}){}) WHERE s IS NOT NULL LIMIT {}",
        asked.window(),
        MOST_SERIES + 1
    );
    let all = || -> Result<Vec<(String, u64)>, duckdb::Error> {
        outside::open(paths)?.prepare(&sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    let all = all().map_err(query_error)?;
    let count = all.len();
    let names: Names = all.into_iter().map(|(name, hash)| (hash >> 32, (hash, name))).collect();
    if names.len() < count {
        return Err(StoreError::Query(
            "the names of two series cannot be told apart: read them from two files".to_owned(),
        ));
    }
    Ok(names)
}

/// The sum of an hour of a series: the hash of the name, whose lower half is mixed with the number of the hour.
struct Sum {
    key: u64,
    sum: f64,
    count: u64,
}

/// All sums, and the upper half of the hash of no name. The rows are grouped by one number, which is several times as fast as
/// by name and hour, and hours are counted without a division for each row where DuckDB can.
fn sums(asked: &SeriesHours, paths: &str) -> Result<(Vec<Sum>, u64), duckdb::Error> {
    let (time, series, value) = (column(&asked.time), column(&asked.series), column(&asked.value));
    let hour = match asked.step.max(1) {
        86_400 => format!("date_diff('day', make_timestamp(0), {time})"),
        3600 => format!("date_diff('hour', make_timestamp(0), {time})"),
        60 => format!("date_diff('minute', make_timestamp(0), {time})"),
        step => format!("epoch_us({time}) // {}", i64::from(step) * 1_000_000),
    };
    let sql = format!(
        "SELECT xor(hash({series}), ({hour})::UBIGINT) AS k, sum({value}::DOUBLE), count({value})
         FROM read_parquet({paths})
         {}
         GROUP BY ALL LIMIT {MOST_ROWS}",
        asked.window()
    );
    let connection = outside::open(paths)?;
    let nameless: u64 = connection.query_row("SELECT hash(NULL::VARCHAR)", [], |row| row.get(0))?;
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, sum, count): (u64, Option<f64>, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if let (Some(sum), Ok(count @ 1..)) = (sum, u64::try_from(count)) {
            found.push(Sum { key, sum, count });
        }
    }
    Ok((found, nameless >> 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use duckdb::Connection;

    #[test]
    fn each_series_has_its_own_hours() {
        let dir = grace_system::files::temporary_dir().unwrap();
        let path = dir.path().join("a's.parquet");
        let rows = "VALUES (0, 'b', 1.0), (60, 'b', 3.0), (3600, 'b', 5.0), (7199, 'a', 7.0), (7200, 'a', 'nan'::DOUBLE), (7260, 'a', 1.0), (10, NULL, 9.0), (20, 'b', NULL), (999999, 'a', 1.0)";
        let file = path.display().to_string().replace('\'', "''");
        let sql = format!(
            "COPY (SELECT make_timestamp(t::BIGINT * 1000000) AS ts, s, v::DOUBLE AS v FROM ({rows}) x(t, s, v)) TO '{file}' (FORMAT parquet)"
        );
        Connection::open_in_memory().unwrap().execute_batch(&sql).unwrap();
        let asked = SeriesHours {
            files: vec![path.clone()],
            time: "ts".to_owned(),
            series: "s".to_owned(),
            value: "v".to_owned(),
            step: 3600,
            from: 0,
            to: 100_000,
        };
        let hour = |at, value, count| SeriesHour { at, value, count };
        let all =
            [("a".to_owned(), vec![hour(3600, 7.0, 1)]), ("b".to_owned(), vec![hour(0, 2.0, 2), hour(3600, 5.0, 1)])];
        assert_eq!(hours_by_series(&asked).unwrap(), all);
        let later = SeriesHours { from: 3600, ..asked.clone() };
        assert_eq!(hours_by_series(&later).unwrap()[1].1, [hour(3600, 5.0, 1)]);
        // Counted by units of time or by division, hours are the same ones.
        for (step, hours) in [(60, 3), (1800, 2), (3600, 2), (7200, 1), (86_400, 1)] {
            let found = hours_by_series(&SeriesHours { step, ..asked.clone() }).unwrap();
            let sum: f64 = found[1].1.iter().map(|hour| hour.value * hour.count as f64).sum();
            assert_eq!((found[1].1.len(), found[1].1[0].at, sum), (hours, 0, 9.0), "{step}");
        }
        // One that is in the last hours and one that is not have their names.
        let both = SeriesHours { to: 8000, ..asked.clone() };
        assert_eq!(hours_by_series(&both).unwrap(), all);
        assert_eq!(hours_by_series(&SeriesHours { files: Vec::new(), ..asked.clone() }).unwrap(), []);
        let lacking = SeriesHours { value: "v\" FROM range(1)--".to_owned(), ..asked };
        assert!(matches!(hours_by_series(&lacking), Err(StoreError::Query(_))));
    }
}
