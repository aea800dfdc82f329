//! From a KPI and a span of time to its hours, wherever it is measured.

use std::collections::BTreeMap;
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
use crate::project;

/// Files that one glob may name.
const MOST_FILES: usize = 1000;
/// Bytes of OTLP that are read for one KPI.
const MAX_OTLP: u64 = 256 << 20;
/// Bytes of one line of it: an export is some hundred thousand.
const MAX_LINE: usize = 4 << 20;
/// Bytes that are read at a time.
const PIECE: u64 = 1 << 20;
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

/// Which hours are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// The first hour begins here, and the last ends there; both multiples of the step.
    pub from: i64,
    /// See above.
    pub to: i64,
    /// How long a step is, in seconds.
    pub step: u32,
    /// When the watch begins: what was told before it says nothing of what is told after.
    pub since: i64,
    /// No data is zero, by the rule.
    pub is_zero: bool,
}

impl Asked {
    /// So many of so many, by hour. Of nothing there is no share. A numerator that is absent is none where the rule says so, or
    /// where there was one in another hour on the same side of the deployment; otherwise it may have another name by now.
    pub(super) fn ratios(&self, of: &BTreeMap<i64, f64>, all: &BTreeMap<i64, f64>) -> Vec<(i64, Point)> {
        let told = |range: std::ops::Range<i64>| self.is_zero || of.range(range).next().is_some();
        let is_told = [told(self.from..self.since.max(self.from)), told(self.since..self.to.max(self.since))];
        let point = |(at, all): (&i64, &f64)| {
            let absent = is_told[usize::from(*at >= self.since)].then_some(0.0);
            let numerator = of.get(at).copied().or(absent)?;
            (*all > 0.0).then_some((*at, Point::Ratio { numerator, denominator: *all }))
        };
        all.iter().filter_map(point).collect()
    }
}

impl Sources<'_> {
    /// The hours of a KPI that begin from `from` to before `to`.
    ///
    /// # Errors
    /// In words, when it cannot be told what was measured. No data is no error: those hours are gaps.
    pub fn series(&self, name: &str, kpi: &Kpi, asked: &Asked) -> Result<Series, String> {
        let Asked { from, to, .. } = *asked;
        let step = asked.step.max(1);
        let points = match &kpi.source {
            Source::Prometheus { endpoint, ask } => {
                let said = self.config.endpoints.get(endpoint).ok_or_else(|| {
                    format!("the operator's configuration has no endpoint `{}`", endpoint.escape_debug())
                })?;
                prometheus::hours(endpoint, said, ask, asked, self.cancel)?
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
            Source::Otlp { glob, ask, rows } => self.otlp(glob, ask, rows.as_ref(), asked)?,
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
        asked: &Asked,
    ) -> Result<Vec<(i64, Point)>, String> {
        let names: Vec<&str> = match ask {
            Ask::Value(name) => vec![name],
            Ask::Ratio { numerator, denominator } => vec![numerator, denominator],
        };
        let mut reader = otlp::Reader::default();
        let mut room = MAX_OTLP;
        for path in self.files(glob)? {
            let pieces = files::Pieces::open(&path).map_err(|error| error.to_string())?;
            room = room
                .checked_sub(pieces.size())
                .ok_or_else(|| format!("the glob `{}` names more than {} MiB", glob.escape_debug(), MAX_OTLP >> 20))?;
            let wrong = |number: usize, why: &str| format!("`{}`, line {number}: {why}", path.display());
            let mut number = 0;
            each_line(&pieces, |line, is_last| {
                number += 1;
                match reader.line(&String::from_utf8_lossy(line), &names, rows, asked.step.max(1)) {
                    // The last line of a file that is being written may be half there.
                    Err(_) if is_last => Ok(()),
                    other => other,
                }
            })
            .map_err(|why| wrong(number.max(1), &why))?;
        }
        Ok(reader.hours(ask, asked))
    }

    fn stored(&self, query: &str) -> Result<Vec<(i64, Point)>, String> {
        let mut store = Store::at(&self.repository.common_dir().join("grace"));
        // What the ledger has more than the database would be missing from the answer.
        store
            .take_in(|| project::recorded(self.repository))
            .map_err(|error| format!("the outcome store lacks some of the ledger: {error}"))?;
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

/// Gives each line of a file, without its end; the second is whether it is the last, and has none.
///
/// # Errors
/// What `take` says, a line that is too long, or a file that cannot be read.
fn each_line(pieces: &files::Pieces, mut take: impl FnMut(&[u8], bool) -> Result<(), String>) -> Result<(), String> {
    let (mut at, mut held) = (0, Vec::new());
    while at < pieces.size() {
        let length = (pieces.size() - at).min(PIECE);
        let piece = usize::try_from(length).ok().and_then(|length| pieces.read(at, length));
        let piece = piece.ok_or("it cannot be read, or became shorter meanwhile")?;
        at += length;
        let mut lines = piece.split(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            if held.len() + line.len() > MAX_LINE {
                return Err(format!("it is longer than {} MiB", MAX_LINE >> 20));
            }
            held.extend_from_slice(line);
            // What follows the last end of line goes on in the next piece.
            if lines.peek().is_some() {
                take(held.strip_suffix(b"\r").unwrap_or(&held), false)?;
                held.clear();
            }
        }
    }
    if held.is_empty() { Ok(()) } else { take(&held, true) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_numerator_is_none_only_where_it_is_known_to_be_told() {
        let asked = Asked { from: 0, to: 6 * 3600, step: 3600, since: 3 * 3600, is_zero: false };
        let all: BTreeMap<i64, f64> = (0..6).map(|hour| (hour * 3600, 10.0)).collect();
        let of = |hours: &[i64]| hours.iter().map(|hour| (hour * 3600, 2.0)).collect::<BTreeMap<i64, f64>>();
        let told = |asked: &Asked, of: &BTreeMap<i64, f64>| -> Vec<(i64, f64)> {
            let hour = |(at, point): (i64, Point)| (at / 3600, point.value().unwrap_or(f64::NAN));
            asked.ratios(of, &all).into_iter().map(hour).collect()
        };
        // It has been told before the deployment and never since: it may be called something else by now.
        assert_eq!(told(&asked, &of(&[1])), [(0, 0.0), (1, 0.2), (2, 0.0)]);
        assert_eq!(told(&asked, &of(&[4])), [(3, 0.0), (4, 0.2), (5, 0.0)]);
        assert_eq!(told(&asked, &of(&[])), []);
        assert_eq!(told(&Asked { is_zero: true, ..asked }, &of(&[])).len(), 6);
    }

    #[test]
    fn lines_come_whole_from_pieces_and_one_that_is_too_long_is_refused() {
        let dir = files::temporary_dir().unwrap();
        let path = dir.path().join("a.jsonl");
        let long = "x".repeat((PIECE as usize) + 7);
        files::write_new(&path, format!("a\r\n\n{long}\nhalf").as_bytes(), false).unwrap();
        let lines = |path: &std::path::Path| {
            let mut lines = Vec::new();
            let read = each_line(&files::Pieces::open(path).unwrap(), |line, is_last| {
                lines.push((line.len(), is_last));
                Ok(())
            });
            read.map(|()| lines)
        };
        assert_eq!(lines(&path), Ok(vec![(1, false), (0, false), (long.len(), false), (4, true)]));
        let path = dir.path().join("b.jsonl");
        files::write_new(&path, "y".repeat(MAX_LINE + 1).as_bytes(), false).unwrap();
        assert_eq!(lines(&path), Err("it is longer than 4 MiB".to_owned()));
    }
}
