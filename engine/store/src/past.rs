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
    let sql = "SELECT file, max(upto) FROM spool_files GROUP BY file";
    let rows = database::ask(path, sql, &[], usize::MAX, deadline)?.rows;
    let offsets = rows.iter().filter_map(|row| Some((row.first()?.as_str()?.to_owned(), row.get(1)?.as_u64()?)));
    Ok((known, offsets.collect()))
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
