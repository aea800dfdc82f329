//! Raw points that were pushed: files that are only added to, below the git directory.
//!
//! A line holds the beginning of its digest, so a torn end is no point, and what is appended after it begins a line of its
//! own. Files are bounded and so is their number; the oldest goes first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use grace_drift::Point;
use grace_system::files::{self, FileError, FileErrorKind};

use super::points;

/// Largest file of points, in bytes, after which another is begun.
const MAX_FILE: u64 = 4 << 20;
/// Files of one KPI.
const MOST_FILES: usize = 16;
/// Bytes that a push may have.
pub const MAX_PUSH: usize = 16 << 20;

/// The spool of one repository.
#[derive(Debug, Clone)]
pub struct Spool {
    dir: PathBuf,
}

impl Spool {
    /// The spool in `dir`, usually `<git-common-dir>/grace/metrics`.
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf() }
    }

    fn of(&self, kpi: &str) -> PathBuf {
        // The language's names hold letters, digits, `_` and dots; nothing else becomes part of a path.
        let safe: String = kpi.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '.' }).collect();
        self.dir.join(format!("points-{safe}"))
    }

    fn segments(dir: &Path) -> Result<Vec<PathBuf>, FileError> {
        match files::list(dir) {
            Ok(entries) => Ok(entries
                .iter()
                .filter(|entry| entry.name.ends_with(".log"))
                .map(|entry| dir.join(&entry.name))
                .collect()),
            Err(error) if error.kind == FileErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Adds the points of one push, all in one write, and waits until they are on disk. Lines that are alike are several points
    /// in one push; what an earlier push of this name had as well is the same point. `id` names the push, of letters, digits,
    /// `_`, `-` and dots; empty where it has no name of its own.
    ///
    /// # Errors
    /// When they may not be.
    pub fn append(&self, kpi: &str, id: &str, pushed: &[(i64, Point)]) -> Result<(), FileError> {
        let dir = self.of(kpi);
        files::create_dirs(&dir)?;
        let _lock = files::lock(&dir.join("lock"), std::time::Duration::from_secs(30))?;
        let segments = Self::segments(&dir)?;
        let mut text = String::new();
        let last = segments.last().filter(|path| files::stat(path).is_ok_and(|stat| stat.size < MAX_FILE));
        if last.is_some() {
            // What was torn before ends here; an empty line is no point.
            text.push('\n');
        }
        let mut alike: BTreeMap<String, u32> = BTreeMap::new();
        for (at, point) in pushed {
            let point = format!("{at} {}", points::write(*point));
            let number = alike.entry(point.clone()).or_default();
            let body = match (*number, id) {
                (0, "") => point,
                (number, id) => format!("{point} {number}:{id}"),
            };
            *number += 1;
            text.push_str(&format!("{} {body}\n", check(&body)));
        }
        let next = || {
            let number = |path: &PathBuf| path.file_stem()?.to_str()?.parse::<u64>().ok();
            dir.join(format!("{:08}.log", segments.last().and_then(number).map_or(0, |number| number + 1)))
        };
        files::append(&last.cloned().unwrap_or_else(next), text.as_bytes())?;
        let excess = Self::segments(&dir)?.len().saturating_sub(MOST_FILES);
        segments.iter().take(excess).try_for_each(|path| files::remove_file(path))
    }

    /// The points from `from` to before `to`, in order; of each as many as any one push had.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(&self, kpi: &str, from: i64, to: i64) -> Result<Vec<(i64, Point)>, FileError> {
        let mut seen: BTreeSet<(i64, String, String)> = BTreeSet::new();
        for path in Self::segments(&self.of(kpi))? {
            // A file may have been begun within bounds and ended by one large push.
            let bytes = files::read(&path, MAX_FILE + 2 * MAX_PUSH as u64)?;
            for line in String::from_utf8_lossy(&bytes).lines() {
                let Some((sum, body)) = line.split_once(' ') else { continue };
                let Some((at, point)) = body.split_once(' ').filter(|_| sum == check(body)) else { continue };
                if let Some(at) = at.parse::<i64>().ok().filter(|at| (from..to).contains(at)) {
                    let (point, which) = point.split_once(' ').unwrap_or((point, ""));
                    seen.insert((at, point.to_owned(), which.to_owned()));
                }
            }
        }
        Ok(seen.into_iter().filter_map(|(at, point, _)| Some((at, points::read(&point)?))).collect())
    }
}

fn check(body: &str) -> String {
    files::sha256(body.as_bytes()).chars().take(8).collect()
}

/// Reads what was pushed: on each line a value (`0.95`), or so many of so many (`190/200`), after its time (RFC 3339, or seconds
/// since 1970) and a blank or a comma; without a time it is of `now`. Or JSON: `{"ts": …, "value": …}`, `{"ts": …, "numerator":
/// …, "denominator": …}`.
///
/// # Errors
/// Names the first line that says something else.
pub fn parse(text: &str, now: i64) -> Result<Vec<(i64, Point)>, String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let point = if line.starts_with('{') { json(line, now) } else { plain(line, now) };
        found.push(point.ok_or_else(|| format!("line {number} is no point"))?);
    }
    Ok(found)
}

fn plain(line: &str, now: i64) -> Option<(i64, Point)> {
    let (at, point) = match line.split_once([' ', ',', '\t']) {
        Some((at, point)) => (time(at.trim())?, point.trim()),
        None => (now, line),
    };
    let point = points::read(point).filter(|point| *point != Point::Missing)?;
    Some((at, point))
}

fn time(text: &str) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(seconds) => Some(seconds),
        Err(_) => text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second),
    }
}

fn json(line: &str, now: i64) -> Option<(i64, Point)> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    let at = match value.get("ts") {
        None => now,
        Some(serde_json::Value::String(text)) => time(text)?,
        Some(number) => number.as_i64()?,
    };
    let number = |name: &str| value.get(name).and_then(serde_json::Value::as_f64);
    let point = match (number("value"), number("numerator"), number("denominator")) {
        (Some(value), None, None) => Point::Value { value, samples: 1 },
        (None, Some(numerator), Some(denominator)) if denominator >= 0.0 => Point::Ratio { numerator, denominator },
        _ => return None,
    };
    Some((at, point))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(value: f64) -> Point {
        Point::Value { value, samples: 1 }
    }

    #[test]
    fn what_was_pushed_is_read_and_a_torn_end_is_no_point() {
        let dir = files::temporary_dir().unwrap();
        let spool = Spool::at(dir.path());
        assert_eq!(spool.read("heal", 0, 100).unwrap(), []);
        spool.append("heal", "", &[(10, value(0.5)), (5, value(0.25))]).unwrap();
        let file = Spool::segments(&spool.of("heal")).unwrap().pop().unwrap();
        let whole = files::read(&file, 1000).unwrap();
        // Cut anywhere, what is whole is read, and what is pushed afterwards too.
        for cut in 0..=whole.len() {
            files::write_atomic(&file, &whole[..cut]).unwrap();
            let read = spool.read("heal", 0, 100).unwrap();
            assert!(read.iter().all(|point| [(5, value(0.25)), (10, value(0.5))].contains(point)), "{cut}");
            spool.append("heal", "", &[(20, value(1.0))]).unwrap();
            assert_eq!(spool.read("heal", 11, 100).unwrap(), [(20, value(1.0))], "{cut}");
        }
        files::write_atomic(&file, &whole).unwrap();
        // The same again is one.
        spool.append("heal", "", &[(10, value(0.5))]).unwrap();
        assert_eq!(spool.read("heal", 0, 100).unwrap(), [(5, value(0.25)), (10, value(0.5))]);
        assert_eq!(spool.read("other", 0, 100).unwrap(), []);
    }

    #[test]
    fn alike_lines_of_one_push_are_several_and_a_push_again_is_none() {
        let dir = files::temporary_dir().unwrap();
        let spool = Spool::at(dir.path());
        let push = |id: &str, count: usize| {
            spool.append("heal", id, &vec![(10, value(0.5)); count]).unwrap();
            spool.read("heal", 0, 100).unwrap().len()
        };
        assert_eq!([push("", 3), push("", 3), push("", 2), push("", 4)], [3, 3, 3, 4]);
        // Another push by its name is another one, once.
        assert_eq!([push("a", 2), push("a", 2), push("b", 1)], [6, 6, 7]);
    }

    #[test]
    fn a_push_is_taken_whole_or_its_first_wrong_line_is_named() {
        let text =
            "0.5\n# a note\n\n1970-01-01T00:00:07Z 190/200\n8,3\n{\"ts\": 9, \"numerator\": 1, \"denominator\": 2}\n";
        let ratio = |numerator, denominator| Point::Ratio { numerator, denominator };
        let read = parse(text, 99).unwrap();
        assert_eq!(read, [(99, value(0.5)), (7, ratio(190.0, 200.0)), (8, value(3.0)), (9, ratio(1.0, 2.0))]);
        for wrong in ["x", "soon 1", "1 NaN", "1 2 3", "{\"value\": \"1\"}", "{", "1 1/-1", "{\"ts\": 1}"] {
            assert_eq!(parse(&format!("1\n{wrong}\n"), 0).unwrap_err(), "line 2 is no point", "{wrong}");
        }
    }
}
