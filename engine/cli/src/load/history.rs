//! Runs of the past, from the store. Read only where rules ask for them: a plan that needs no past opens no database.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use grace_engine::input::{Book, BundleRun};
use grace_store::{Store, StoreError};
use grace_system::files;
use grace_system::git::Repository;

/// Runs of a bundle that are read; rules speak of the last few.
const MOST_RUNS: usize = 200;
/// Rows that are read in all.
const MOST_ROWS: usize = 50_000;
/// How long the question may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One row a run of a bundle that came to an end, oldest first. A run that broke before any test ran is one failure.
const SQL: &str = "
    SELECT bundle, passed, greatest(executed - passed, CASE WHEN status IN ('failed', 'timed_out', 'error') THEN 1 ELSE 0 END), flaky
    FROM (SELECT b.*,
            (SELECT count(DISTINCT t.test) FROM test_outcomes t WHERE t.run = b.run AND t.bundle = b.bundle AND t.status = 'flaky') AS flaky,
            row_number() OVER (PARTITION BY b.bundle ORDER BY b.finished DESC, b.id DESC) AS back
          FROM bundle_outcomes b WHERE b.status NOT IN ('not_started', 'cancelled', 'nothing_selected'))
    WHERE back <= 200 ORDER BY bundle, back DESC";

/// Where outcomes are kept: out of reach of edits to the work tree.
#[must_use]
pub fn store_path(repository: &Repository) -> PathBuf {
    repository.common_dir().join("grace")
}

/// Something that knows the past.
pub(super) trait Past {
    /// Runs of every bundle, oldest first.
    fn bundle_runs(&self) -> Result<BTreeMap<String, Vec<BundleRun>>, StoreError>;
}

/// The past of a repository: its store, or none.
pub(super) fn of(repository: &Repository) -> Option<Box<dyn Past>> {
    let directory = store_path(repository);
    files::is_dir(&directory).then(|| Box::new(Stored { directory }) as Box<dyn Past>)
}

/// Whether any rule of these books speaks of rates.
pub(super) fn is_asked_for<'b>(books: impl IntoIterator<Item = &'b Book>) -> bool {
    books.into_iter().flat_map(|book| &book.files).filter_map(|file| file.text.as_ref().ok()).any(|text| {
        let text: Vec<&str> = text.split_whitespace().collect();
        text.windows(2).any(|pair| matches!(pair, ["pass" | "flaky", "rate"]))
    })
}

struct Stored {
    directory: PathBuf,
}

impl Past for Stored {
    fn bundle_runs(&self) -> Result<BTreeMap<String, Vec<BundleRun>>, StoreError> {
        let mut runs: BTreeMap<String, Vec<BundleRun>> = BTreeMap::new();
        for row in Store::open(&self.directory)?.query(SQL, MOST_ROWS, PATIENCE)?.rows {
            let [bundle, numbers @ ..] = row.as_slice() else { continue };
            let numbers: Vec<u32> = numbers
                .iter()
                .filter_map(|value| value.as_u64().and_then(|number| u32::try_from(number).ok()))
                .collect();
            if let (Some(bundle), [passed, failed, flaky]) = (bundle.as_str(), numbers.as_slice()) {
                let of_bundle = runs.entry(bundle.to_owned()).or_default();
                if of_bundle.len() < MOST_RUNS {
                    of_bundle.push(BundleRun { passed: *passed, failed: *failed, flaky: *flaky });
                }
            }
        }
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use grace_engine::input::BookFile;

    use super::*;

    fn asked(text: &str) -> bool {
        let file = BookFile { path: "a".into(), text: Ok(text.into()), role: grace_dsl::Role::Own };
        is_asked_for([&Book { files: vec![file] }])
    }

    #[test]
    fn only_rules_that_speak_of_rates_ask_for_the_past() {
        assert!(asked("when any required bundle has flaky\n  rate over last 20 runs > 5 %"));
        assert!(asked("when pass rate of bundle(x) over last 3 runs < 95 %"));
        assert!(!asked("bundle lint\n  retries 1"));
    }
}
