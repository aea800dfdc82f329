//! How bundles ended, read by those who may write nothing: from the database as far as it goes, and from the ledger what it
//! lacks. Only the one ledger counts, whatever else the database holds.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use grace_system::clock::Stopwatch;
use grace_system::files;
use serde::{Deserialize, Serialize};

use crate::database::{self, Reader, Upto};
use crate::record::{BundleStatus, Content, Source};
use crate::tables::VERSION;
use crate::{DATABASE, LOCK, StoreError, lock};

/// Rows of the database that are read; beyond it, older runs are left out.
const MOST_ROWS: usize = 50_000;

/// Runs of a bundle by name: the number of the last record of each, and how it ended.
type Runs = BTreeMap<String, (u64, BundleStatus)>;

/// The end of a bundle in one of its forms.
struct Ended {
    run: String,
    bundle: String,
    status: BundleStatus,
}

/// What [`known`] finds of each record: by the record's number.
type Known<T> = BTreeMap<u64, T>;

/// All that is known of records of one kind: `sql` asks the database for rows of a record's number and what `row` makes a value
/// of; `content` makes one of a record of the ledger. The question marks of `sql` stand for the ledger's name.
fn known<S: Source, T>(
    dir: &Path,
    open: impl FnOnce() -> Result<S, StoreError>,
    (patience, deadline): (Duration, Duration),
    sql: &str,
    row: impl Fn(&[serde_json::Value]) -> Option<T>,
    (kind, content): (&str, impl Fn(Content) -> Option<T>),
) -> Result<Known<T>, StoreError> {
    // Whoever makes a database has made its lock before. One that is kept by others for long is done without.
    let guard = if files::exists(&dir.join(LOCK)) { lock(dir, patience).map(Some) } else { Ok(None) };
    // Read under the lock, so that it is no older than the database.
    let source = open()?;
    let path = dir.join(DATABASE);
    let in_database = || -> Result<(Known<T>, u64), StoreError> {
        let mut found = Known::new();
        if guard.is_err() || !files::exists(&path) {
            return Ok((found, 0));
        }
        let reader = Reader::open(&path)?;
        let upto = format!("SELECT upto, leaf FROM origins, meta WHERE version = {VERSION} AND origin = ?");
        let upto = reader.ask(&upto, &[source.origin()], 1, deadline)?.rows;
        let Some([size, leaf]) = upto.first().map(Vec::as_slice) else { return Ok((found, 0)) };
        let (Some(size), Some(leaf)) = (size.as_u64(), leaf.as_str()) else { return Ok((found, 0)) };
        if !(Upto { size, leaf: leaf.to_owned() }).is_of(&source)? {
            return Ok((found, 0));
        }
        for values in reader.ask(sql, &[source.origin()], MOST_ROWS, deadline)?.rows {
            if let Some((seq, values)) = values.split_first()
                && let (Some(seq), Some(value)) = (seq.as_u64(), row(values))
            {
                found.insert(seq, value);
            }
        }
        Ok((found, size))
    };
    let (mut found, from) = match in_database() {
        Err(error @ (StoreError::Bounds(_) | StoreError::Ledger(_))) => return Err(error),
        // A database that cannot be read lacks everything.
        Err(_) => (Known::new(), 0),
        Ok(found) => found,
    };
    drop(guard);
    let begun = Stopwatch::start();
    for seq in from..source.size() {
        if begun.elapsed() > deadline {
            return Err(database::too_late(deadline));
        }
        let entry = source.entry(seq, Some(kind))?;
        if entry.kind == kind
            && let Some(value) = content(entry.content)
        {
            found.insert(seq, value);
        }
    }
    Ok(found)
}

pub(crate) fn bundle_runs<S: Source>(
    dir: &Path,
    open: impl FnOnce() -> Result<S, StoreError>,
    last: usize,
    bounds: (Duration, Duration),
) -> Result<BTreeMap<String, Vec<BundleStatus>>, StoreError> {
    // A bundle may run in two forms, and runs that do not count are among them.
    let most = last.saturating_mul(4);
    let sql = format!(
        "SELECT seq, run, bundle, status FROM (
            SELECT *, row_number() OVER (PARTITION BY bundle ORDER BY seq DESC) AS back
            FROM bundle_outcomes WHERE origin = ? AND status <> 'nothing_selected')
         WHERE back <= {most} ORDER BY back, bundle"
    );
    let row = |values: &[serde_json::Value]| {
        let [run, bundle, status] = values else { return None };
        let status = BundleStatus::of(status.as_str()?);
        Some(Ended { run: run.as_str()?.to_owned(), bundle: bundle.as_str()?.to_owned(), status })
    };
    let content = |content| match content {
        Content::Bundle(bundle) => {
            let status = BundleStatus::of(&bundle.status);
            Some(Ended { run: bundle.run, bundle: bundle.bundle, status })
        }
        _ => None,
    };
    Ok(by_bundle(known(dir, open, bounds, &sql, row, ("bundle", content))?, last))
}

/// What leaving tests out would have come to, over several runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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

pub(crate) fn selections<S: Source>(
    dir: &Path,
    open: impl FnOnce() -> Result<S, StoreError>,
    last: usize,
    bounds: (Duration, Duration),
) -> Result<Selections, StoreError> {
    let sql = format!(
        "SELECT seq, tests, selected, failed, missed FROM selections WHERE origin = ? ORDER BY seq DESC LIMIT {last}"
    );
    let row = |values: &[serde_json::Value]| {
        let number = |at: usize| values.get(at).and_then(serde_json::Value::as_u64).unwrap_or(0);
        Some([0, 1, 2, 3].map(number))
    };
    let content = |content| match content {
        Content::Selection(seen) => Some([seen.tests, seen.selected, seen.failed, seen.missed].map(u64::from)),
        _ => None,
    };
    let known = known(dir, open, bounds, &sql, row, ("selection", content))?;
    let sum = known
        .into_values()
        .rev()
        .take(last)
        .fold([0u64; 4], |sum, numbers| std::array::from_fn(|at| sum[at].saturating_add(numbers[at])));
    let [tests, selected, failed, missed] = sum;
    Ok(Selections { tests, selected: selected.min(tests), failed, missed: missed.min(failed) })
}

fn by_bundle(known: Known<Ended>, last: usize) -> BTreeMap<String, Vec<BundleStatus>> {
    let mut runs: BTreeMap<String, Runs> = BTreeMap::new();
    for (seq, ended) in known {
        if ended.status == BundleStatus::NothingSelected {
            continue;
        }
        let of_bundle = runs.entry(ended.bundle).or_default();
        let (newest, status) = of_bundle.entry(ended.run).or_insert((seq, ended.status));
        *newest = seq;
        if rank(ended.status) > rank(*status) {
            *status = ended.status;
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
        BundleStatus::Cancelled => STOPPED,
        BundleStatus::Failed | BundleStatus::TimedOut | BundleStatus::Error => 3,
    }
}
