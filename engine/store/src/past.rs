//! How bundles ended, read by those who may write nothing: from the database as it is, and from the spool what it lacks.

use std::collections::{BTreeMap, btree_map::Entry};
use std::path::Path;
use std::time::Duration;

use grace_system::{clock, files};

use crate::spool::Spool;
use crate::{BundleStatus, DATABASE, LOCK, PATIENCE, Record, StoreError, database, lock};

/// Rows of the database that are read; beyond it, older runs are left out.
const MOST_ROWS: usize = 50_000;

/// One outcome of one form of a bundle.
struct Ended {
    run: String,
    bundle: String,
    status: BundleStatus,
    /// When, in microseconds; `None` counts as long ago.
    finished: Option<i64>,
}

/// Outcomes by the record's id.
type Outcomes = BTreeMap<String, Ended>;
/// How much of each spool file the database has.
type Offsets = BTreeMap<String, u64>;
/// The runs of a bundle by name: when each ended and its newest record, to put them in order, and how it ended.
type Runs = BTreeMap<String, ((Option<i64>, String), BundleStatus)>;

pub(crate) fn bundle_runs(
    dir: &Path,
    last: usize,
    deadline: Duration,
) -> Result<BTreeMap<String, Vec<BundleStatus>>, StoreError> {
    let path = dir.join(DATABASE);
    let mut known = BTreeMap::new();
    let mut offsets = BTreeMap::new();
    // Whoever makes a database has made its lock before.
    let _lock = if files::exists(&dir.join(LOCK)) { Some(lock(dir, PATIENCE)?) } else { None };
    if files::exists(&path) {
        match in_database(&path, last, deadline) {
            Ok(found) => (known, offsets) = found,
            Err(error @ (StoreError::Locked { .. } | StoreError::Bounds(_))) => return Err(error),
            // A database that cannot be read lacks everything.
            Err(_) => {}
        }
    }
    for part in Spool::at(dir).news(|file| offsets.get(file).copied().unwrap_or(0))? {
        for line in part.lines {
            if let Record::Bundle(record) = line.record {
                let finished = clock::parse(&record.finished).map(|time| time.as_microsecond());
                let ended = Ended { run: record.run, bundle: record.bundle, status: record.status, finished };
                known.insert(line.id, ended);
            }
        }
    }
    Ok(by_bundle(known, last))
}

/// What leaving tests out would have come to, over several runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Selections {
    /// Tests that were executed.
    pub tests: u64,
    /// Of them, those that the change reached.
    pub selected: u64,
    /// Tests that did not pass.
    pub failed: u64,
    /// Of them, those that would have been left out.
    pub missed: u64,
}

/// When, and the four numbers.
type Numbers = (Option<i64>, [u64; 4]);

pub(crate) fn selections(dir: &Path, last: usize, deadline: Duration) -> Result<Selections, StoreError> {
    let path = dir.join(DATABASE);
    let mut known: BTreeMap<String, Numbers> = BTreeMap::new();
    let mut offsets = BTreeMap::new();
    let _lock = if files::exists(&dir.join(LOCK)) { Some(lock(dir, PATIENCE)?) } else { None };
    if files::exists(&path) {
        let sql = format!(
            "SELECT id, epoch_us(finished), tests, selected, failed, missed FROM selections
             ORDER BY finished DESC NULLS LAST, id DESC LIMIT {last}"
        );
        let asked = database::ask(&path, &sql, &[], MOST_ROWS, deadline)
            .and_then(|table| Ok((table, offsets_in(&path, deadline)?)));
        match asked {
            Ok((table, of_files)) => {
                offsets = of_files;
                for row in table.rows {
                    let [id, finished, numbers @ ..] = row.as_slice() else { continue };
                    let Some(id) = id.as_str() else { continue };
                    let number = |at: usize| numbers.get(at).and_then(serde_json::Value::as_u64).unwrap_or(0);
                    known.insert(id.to_owned(), (finished.as_i64(), [0, 1, 2, 3].map(number)));
                }
            }
            Err(error @ (StoreError::Locked { .. } | StoreError::Bounds(_))) => return Err(error),
            // A database that cannot be read lacks everything.
            Err(_) => {}
        }
    }
    for part in Spool::at(dir).news(|file| offsets.get(file).copied().unwrap_or(0))? {
        for line in part.lines {
            if let Record::Selection(record) = line.record {
                let finished = clock::parse(&record.finished).map(|time| time.as_microsecond());
                let numbers = [record.tests, record.selected, record.failed, record.missed_count].map(u64::from);
                known.insert(line.id, (finished, numbers));
            }
        }
    }
    let mut newest: Vec<(Option<i64>, String, [u64; 4])> =
        known.into_iter().map(|(id, (finished, numbers))| (finished, id, numbers)).collect();
    newest.sort_unstable_by(|left, right| right.cmp(left));
    let sum = newest
        .iter()
        .take(last)
        .fold([0u64; 4], |sum, (.., numbers)| std::array::from_fn(|at| sum[at].saturating_add(numbers[at])));
    let [tests, selected, failed, missed] = sum;
    Ok(Selections { tests, selected: selected.min(tests), failed, missed: missed.min(failed) })
}

/// The newest outcomes of each bundle by record, and how much of each spool file the database has.
fn in_database(path: &Path, last: usize, deadline: Duration) -> Result<(Outcomes, Offsets), StoreError> {
    // A bundle may run in two forms, and runs that do not count are among them.
    let most = last.saturating_mul(4);
    let sql = format!(
        "SELECT id, run, bundle, status, epoch_us(finished) FROM (
            SELECT *, row_number() OVER (PARTITION BY bundle ORDER BY finished DESC NULLS LAST, id DESC) AS back
            FROM bundle_outcomes WHERE status <> 'nothing_selected')
         WHERE back <= {most} ORDER BY back, bundle"
    );
    let mut known = BTreeMap::new();
    for row in database::ask(path, &sql, &[], MOST_ROWS, deadline)?.rows {
        let [id, run, bundle, status, finished] = row.as_slice() else { continue };
        let (Some(id), Some(run), Some(bundle)) = (id.as_str(), run.as_str(), bundle.as_str()) else { continue };
        let Ok(status) = serde_json::from_value(status.clone()) else { continue };
        let ended = Ended { run: run.to_owned(), bundle: bundle.to_owned(), status, finished: finished.as_i64() };
        known.insert(id.to_owned(), ended);
    }
    Ok((known, offsets_in(path, deadline)?))
}

/// How much of each spool file the database has.
fn offsets_in(path: &Path, deadline: Duration) -> Result<Offsets, StoreError> {
    let sql = "SELECT file, max(upto) FROM spool_files GROUP BY file";
    let rows = database::ask(path, sql, &[], usize::MAX, deadline)?.rows;
    let offsets = rows.iter().filter_map(|row| Some((row.first()?.as_str()?.to_owned(), row.get(1)?.as_u64()?)));
    Ok(offsets.collect())
}

fn by_bundle(known: Outcomes, last: usize) -> BTreeMap<String, Vec<BundleStatus>> {
    let mut runs: BTreeMap<String, Runs> = BTreeMap::new();
    for (id, ended) in known {
        if ended.status == BundleStatus::NothingSelected {
            continue;
        }
        let when = (ended.finished, id);
        match runs.entry(ended.bundle).or_default().entry(ended.run) {
            Entry::Vacant(entry) => {
                entry.insert((when, ended.status));
            }
            Entry::Occupied(mut entry) => {
                let (seen, status) = entry.get_mut();
                *seen = std::mem::take(seen).max(when);
                if rank(ended.status) > rank(*status) {
                    *status = ended.status;
                }
            }
        }
    }
    let newest = |runs: Runs| {
        let mut runs: Vec<_> = runs.into_values().filter(|(_, status)| rank(*status) != STOPPED).collect();
        runs.sort_unstable();
        let first = runs.len().saturating_sub(last);
        runs.split_off(first).into_iter().map(|(_, status)| status).collect::<Vec<_>>()
    };
    let ended = runs.into_iter().map(|(bundle, runs)| (bundle, newest(runs)));
    ended.filter(|(_, runs)| !runs.is_empty()).collect()
}

const STOPPED: u8 = 2;

/// Of two forms of a bundle in one run, the higher counts.
fn rank(status: BundleStatus) -> u8 {
    match status {
        BundleStatus::NothingSelected | BundleStatus::Passed => 0,
        BundleStatus::Flaky => 1,
        BundleStatus::NotStarted | BundleStatus::Cancelled => STOPPED,
        BundleStatus::Failed | BundleStatus::TimedOut | BundleStatus::Error => 3,
    }
}
