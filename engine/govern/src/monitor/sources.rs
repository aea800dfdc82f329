//! From a KPI and a span of time to its hours, wherever it is measured.

use std::path::PathBuf;
use std::time::Duration;

use globset::GlobBuilder;
use grace_drift::{MAX_POINTS, Point, Series};
use grace_dsl::ast::{Ask, Kpi, Source, TableForm};
use grace_store::{Columns, Form, Measure, Store, measured};
use grace_system::config::Config;
use grace_system::files::{self, Kind};
use grace_system::git::Repository;
use grace_system::process::Cancel;
use grace_system::walk::{WalkOptions, walk};
use serde_json::Value;

use super::otlp;
use super::prometheus;
use super::spool::Spool;

/// Files that one glob may name.
const MOST_FILES: usize = 1000;
/// Bytes of OTLP that are read for one KPI.
const MAX_OTLP: u64 = 256 << 20;
/// Rows that a question to the outcome store may give.
const MOST_ROWS: usize = 200_000;
/// How long files and the store may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is needed to reach sources.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The repository, whose files and outcomes are read.
    pub repository: &'a Repository,
    /// Where endpoints are.
    pub config: &'a Config,
    /// Points that were pushed.
    pub spool: &'a Spool,
    /// Ends questions.
    pub cancel: &'a Cancel,
}

impl Sources<'_> {
    /// The hours of a KPI that begin from `from` to before `to`, both multiples of `step`.
    ///
    /// # Errors
    /// In words, when it cannot be told what was measured. No data is no error: those hours are gaps.
    pub fn series(&self, name: &str, kpi: &Kpi, (from, to, step): (i64, i64, u32)) -> Result<Series, String> {
        let step = step.max(1);
        let points = match &kpi.source {
            Source::Prometheus { endpoint, ask } => {
                let said = self.config.endpoints.get(endpoint).ok_or_else(|| {
                    format!("the operator's configuration has no endpoint `{}`", endpoint.escape_debug())
                })?;
                prometheus::hours(endpoint, said, ask, (from, to, step), self.cancel)?
            }
            Source::Table { form, glob, time, ask, rows } => {
                let (columns, is_ratio) = match ask {
                    Ask::Value(column) => (Columns::Value(column.clone()), false),
                    Ask::Ratio { numerator, denominator } => {
                        (Columns::Ratio(numerator.clone(), denominator.clone()), true)
                    }
                };
                let form = match form {
                    TableForm::Csv => Form::Csv,
                    TableForm::JsonLines => Form::JsonLines,
                    TableForm::Parquet => Form::Parquet,
                };
                let files = self.files(glob)?;
                let measure = Measure { files, form, time: time.clone(), columns, rows: rows.clone(), step, from, to };
                let found = measured(&measure, PATIENCE).map_err(|error| error.to_string())?;
                let point = |value: f64, count: f64| match is_ratio {
                    true => Point::Ratio { numerator: value, denominator: count },
                    false => Point::Value { value, samples: count as u64 },
                };
                found.into_iter().map(|one| (one.at, point(one.value, one.count))).collect()
            }
            Source::Otlp { glob, ask, rows } => self.otlp(glob, ask, rows.as_ref(), step)?,
            Source::Store { query } => self.stored(query)?,
            Source::Push => self.spool.read(name, from, to).map_err(|error| error.to_string())?,
            Source::Selection { .. } => return Err("it is measured by runs, and not by hours".to_owned()),
        };
        let samples = points.into_iter().filter(|(at, _)| (from..to).contains(at));
        Ok(spread(Series::of_samples(step, samples), from, to))
    }

    /// The files below the repository's root that a glob names. No link is followed, and nothing above the root is looked at.
    fn files(&self, glob: &str) -> Result<Vec<PathBuf>, String> {
        let wrong = |why: &str| Err(format!("the glob `{}` {why}", glob.escape_debug()));
        if glob.starts_with(['/', '\\', '~']) || glob.contains(['\\', ':']) {
            return wrong("does not begin at the repository's root");
        }
        if glob.split('/').any(|part| part == ".." || part == ".git") {
            return wrong("leaves the repository's files");
        }
        let matcher = GlobBuilder::new(glob).literal_separator(true).build();
        let matcher = matcher.map_err(|error| format!("the glob cannot be read: {error}"))?.compile_matcher();
        // Only what can match is walked through: the directories before the first wildcard.
        let fixed: Vec<&str> = glob.split('/').take_while(|part| !part.contains(['*', '?', '[', '{'])).collect();
        let fixed = if fixed.len() == glob.split('/').count() { &fixed[..fixed.len() - 1] } else { &fixed[..] };
        let below = fixed.join("/");
        let root = self.repository.root();
        let begin = match below.as_str() {
            "" => root.to_path_buf(),
            below => match files::stat_in(root, below) {
                Ok(stat) if stat.kind == Kind::Directory => root.join(below),
                _ => return Ok(Vec::new()),
            },
        };
        let mut found = Vec::new();
        for file in walk(&begin, WalkOptions { ignore_files: false, ..WalkOptions::default() }).files {
            let path = if below.is_empty() { file.path } else { format!("{below}/{}", file.path) };
            if !file.is_symlink && matcher.is_match(&path) {
                found.push(root.join(path));
            }
            if found.len() > MOST_FILES {
                return wrong(&format!("names more than {MOST_FILES} files"));
            }
        }
        found.sort();
        Ok(found)
    }

    fn otlp(
        &self,
        glob: &str,
        ask: &Ask,
        rows: Option<&(String, String)>,
        step: u32,
    ) -> Result<Vec<(i64, Point)>, String> {
        let names: Vec<&str> = match ask {
            Ask::Value(name) => vec![name],
            Ask::Ratio { numerator, denominator } => vec![numerator, denominator],
        };
        let mut reader = otlp::Reader::default();
        let mut room = MAX_OTLP;
        for path in self.files(glob)? {
            let bytes = files::read(&path, room).map_err(|error| error.to_string())?;
            room -= bytes.len() as u64;
            let text = String::from_utf8_lossy(&bytes);
            let mut lines = text.lines().enumerate().peekable();
            while let Some((index, line)) = lines.next() {
                match reader.line(line, &names, rows, step) {
                    Ok(()) => {}
                    // The last line of a file that is being written may be half there.
                    Err(_) if lines.peek().is_none() && !text.ends_with('\n') => {}
                    Err(why) => return Err(format!("`{}`, line {}: {why}", path.display(), index + 1)),
                }
            }
        }
        Ok(reader.hours(ask))
    }

    fn stored(&self, query: &str) -> Result<Vec<(i64, Point)>, String> {
        let store = Store::at(&self.repository.common_dir().join("grace"));
        if !files::exists(&store.database_path()) {
            return Ok(Vec::new());
        }
        let table = store.query(query, MOST_ROWS, PATIENCE).map_err(|error| error.to_string())?;
        if table.more {
            return Err(format!("the query gives more than {MOST_ROWS} rows"));
        }
        if !(2..=3).contains(&table.columns.len()) {
            return Err("the query gives neither time and value nor time, numerator and denominator".to_owned());
        }
        let time = |value: &Value| match value {
            Value::String(text) => text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second),
            number => number.as_f64().map(|seconds| seconds as i64),
        };
        let number = |value: Option<&Value>| match value {
            Some(Value::String(text)) => text.parse::<f64>().ok(),
            Some(Value::Bool(yes)) => Some(f64::from(u8::from(*yes))),
            value => value.and_then(Value::as_f64),
        };
        let point = |row: &Vec<Value>| {
            let (at, value) = (time(row.first()?)?, number(row.get(1))?);
            let point = match number(row.get(2)) {
                Some(denominator) => Point::Ratio { numerator: value, denominator },
                None if row.len() == 3 => return None,
                None => Point::Value { value, samples: 1 },
            };
            Some((at, point))
        };
        Ok(table.rows.iter().filter_map(point).collect())
    }
}

/// A series from exactly `from` to `to`: what it lacks at its ends are gaps.
fn spread(series: Series, from: i64, to: i64) -> Series {
    let step = i64::from(series.step.max(1));
    let count = usize::try_from((to - from).max(0) / step).unwrap_or(0).min(MAX_POINTS);
    let mut points = vec![Point::Missing; count];
    for (index, point) in series.points.iter().enumerate() {
        let place = usize::try_from((series.at(index) - from) / step).ok().and_then(|place| points.get_mut(place));
        if let Some(place) = place {
            *place = *point;
        }
    }
    Series { start: from, step: series.step, points }
}
