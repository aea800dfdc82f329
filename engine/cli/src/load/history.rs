//! Runs of the past, from the store. Read only where rules ask for them: a plan that needs no past opens no database, and
//! one that does writes nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use grace_dsl::ast::{Cond, CondKind, ItemKind, Operational, OperationalKind, Policy, When, Word};
use grace_engine::input::{Book, BundleRun};
use grace_store::{BundleStatus, Selections, Store, StoreError};
use grace_system::files;
use grace_system::git::Repository;

/// Runs of a bundle that are read; rules speak of the last few.
const MOST_RUNS: usize = 200;
/// How long the question may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where outcomes are kept: out of reach of edits to the work tree.
#[must_use]
pub fn store_path(repository: &Repository) -> PathBuf {
    repository.common_dir().join("grace")
}

/// Something that knows the past.
pub(super) trait Past {
    /// Runs of every bundle, oldest first.
    fn bundle_runs(&self) -> Result<BTreeMap<String, Vec<BundleRun>>, StoreError>;

    /// What leaving tests out would have come to, over the last bundles all of whose tests ran.
    fn selections(&self) -> Result<Selections, StoreError>;
}

/// The past of a repository: its store, or none.
pub(super) fn of(repository: &Repository) -> Option<Box<dyn Past>> {
    let directory = store_path(repository);
    files::is_dir(&directory).then(|| Box::new(Stored { directory }) as Box<dyn Past>)
}

/// Whether any rule of these books speaks of rates.
pub(super) fn is_asked_for<'b>(books: impl IntoIterator<Item = &'b Book>) -> bool {
    let texts = books.into_iter().flat_map(|book| &book.files).filter_map(|file| file.text.as_ref().ok());
    // A text without the word is not parsed once more.
    texts.filter(|text| text.contains("rate")).any(|text| {
        grace_dsl::parse(text).items.iter().any(|item| match &item.kind {
            ItemKind::Rule(rule) | ItemKind::Policy(Policy { rule, .. }) => match &rule.when {
                When::Change(cond) | When::Always(cond) | When::AfterRun(cond) => asks_for_a_rate(cond),
            },
            ItemKind::Waiver(waiver) => waiver.when.as_ref().is_some_and(asks_for_a_rate),
            _ => false,
        })
    })
}

/// The KPIs of these books that are measured here: by name, and which. One that is defined in two ways is none of them, and
/// so unknown: a change does not choose what the rules before it read.
pub(super) fn own_kpis<'b>(books: impl IntoIterator<Item = &'b Book>) -> BTreeMap<String, OwnKpi> {
    let texts = books.into_iter().flat_map(|book| &book.files).filter_map(|file| file.text.as_ref().ok());
    let texts: Vec<_> = texts.filter(|text| text.contains("kpi")).collect();
    // A text without the words is not parsed once more.
    if !texts.iter().any(|text| text.contains("selection")) {
        return BTreeMap::new();
    }
    let mut found: BTreeMap<String, Option<OwnKpi>> = BTreeMap::new();
    for item in texts.into_iter().flat_map(|text| grace_dsl::parse(text).items) {
        if let ItemKind::Operational(Operational { kind: OperationalKind::Kpi, .. }) = item.kind {
            let own = OwnKpi::of(&item.kind);
            found
                .entry(item.name)
                .and_modify(|known| *known = known.filter(|&known| Some(known) == own))
                .or_insert(own);
        }
    }
    found.into_iter().filter_map(|(name, own)| Some((name, own?))).collect()
}

/// A KPI that is measured here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnKpi {
    /// `from selection recall`: of the tests that failed, the share that would have run.
    Recall,
    /// `from selection share`: of the tests, the share that would have run.
    Share,
}

impl OwnKpi {
    fn of(kind: &ItemKind) -> Option<Self> {
        let ItemKind::Operational(Operational { kind: OperationalKind::Kpi, clauses, .. }) = kind else { return None };
        let from = clauses.iter().find(|clause| clause.name.text == "from")?;
        match from.words.as_slice() {
            [Word::Word(source), Word::Word(what)] if source.text == "selection" => match what.text.as_str() {
                "recall" => Some(Self::Recall),
                "share" => Some(Self::Share),
                _ => None,
            },
            _ => None,
        }
    }

    /// Its value in thousandths of a percent; `None` where nothing was measured.
    pub(super) fn value(self, seen: Selections) -> Option<i64> {
        let (part, whole) = match self {
            Self::Recall => (seen.failed - seen.missed, seen.failed),
            Self::Share => (seen.selected, seen.tests),
        };
        i64::try_from((u128::from(part) * 100_000).checked_div(u128::from(whole))?).ok()
    }
}

fn asks_for_a_rate(cond: &Cond) -> bool {
    match &cond.kind {
        CondKind::And(conds) | CondKind::Or(conds) => conds.iter().any(asks_for_a_rate),
        CondKind::Not(cond) => asks_for_a_rate(cond),
        kind => matches!(kind, CondKind::BundleRate { .. }),
    }
}

struct Stored {
    directory: PathBuf,
}

impl Past for Stored {
    fn bundle_runs(&self) -> Result<BTreeMap<String, Vec<BundleRun>>, StoreError> {
        let run = |status| match status {
            BundleStatus::Passed => BundleRun::Passed,
            BundleStatus::Flaky => BundleRun::Flaky,
            _ => BundleRun::Failed,
        };
        let runs = Store::bundle_runs(&self.directory, MOST_RUNS, PATIENCE)?;
        Ok(runs.into_iter().map(|(bundle, runs)| (bundle, runs.into_iter().map(run).collect())).collect())
    }

    fn selections(&self) -> Result<Selections, StoreError> {
        Store::selections(&self.directory, MOST_RUNS, PATIENCE)
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
    fn a_run_of_a_bundle_is_one_run_however_many_tests_or_forms_it_had() {
        use grace_store::{BundleRecord, BundleStatus as Status, Record};
        let runs = [
            (1, Status::Flaky, 90),
            (2, Status::Passed, 3),
            // Two forms: the worse counts.
            (3, Status::Passed, 3),
            (3, Status::Failed, 1),
            (4, Status::Cancelled, 1),
            (5, Status::NothingSelected, 0),
            (6, Status::NotStarted, 0),
            (7, Status::TimedOut, 0),
            (8, Status::Error, 0),
            (9, Status::Passed, 1),
        ];
        let records = runs.map(|(run, status, tests)| {
            Record::Bundle(BundleRecord {
                run: run.to_string(),
                bundle: "unit".to_owned(),
                status,
                attempts: 1,
                duration_ms: 1,
                passed: tests,
                executed: tests,
                pass_rate: None,
                command: String::new(),
                finished: format!("2026-01-0{run}T00:00:00Z"),
            })
        });
        let directory = files::temporary_dir().expect("a directory");
        let mut store = Store::open(directory.path()).expect("a store");
        store.record_all(&records).expect("records are kept");
        let seen = || Stored { directory: directory.path().to_path_buf() }.bundle_runs().expect("runs");
        use BundleRun::{Failed, Flaky, Passed};
        let runs = [Flaky, Passed, Failed, Failed, Failed, Passed];
        assert_eq!(seen()["unit"], runs);
        // Whatever state it is in, reading changes nothing.
        let database = store.database_path();
        let listed = || files::list(directory.path()).expect("a list").len();
        files::write_atomic(&database, b"no database").expect("a file");
        let before = listed();
        assert_eq!(seen()["unit"], runs);
        assert_eq!(files::read(&database, 100).expect("a file"), b"no database");
        files::remove_file(&database).expect("it is gone");
        files::remove_file(&directory.path().join("store.lock")).expect("it is gone");
        assert_eq!(seen()["unit"], runs);
        assert_eq!(listed(), before - 2);
        let nowhere = directory.path().join("nowhere");
        assert!(Stored { directory: nowhere.clone() }.bundle_runs().expect("none").is_empty());
        assert!(!files::exists(&nowhere));
    }

    #[test]
    fn kpis_of_the_selection_are_measured_over_what_ran_whole() {
        use grace_store::{Record, SelectionRecord};
        let text = "kpi caught\n  better higher\n  from selection recall\n  unit percent\n\nkpi share\n  better lower\n  from selection share\n  unit percent\n\nkpi heal\n  better higher\n  from prometheus \"main\", query \"selection\"\n";
        let book = |text: &str| {
            let file = BookFile { path: "a".into(), text: Ok(text.into()), role: grace_dsl::Role::Own };
            Book { files: vec![file] }
        };
        let kpis = own_kpis([&book(text), &book(text)]);
        // A change that says otherwise makes it unknown, whichever of the two is measured here.
        for (from, to) in
            [("selection recall", "selection share"), ("selection recall", "prometheus \"main\", query \"q\"")]
        {
            let other = book(&text.replace(from, to));
            for books in [[&book(text), &other], [&other, &book(text)]] {
                assert_eq!(own_kpis(books), BTreeMap::from([("share".to_owned(), OwnKpi::Share)]), "{to}");
            }
        }
        assert_eq!(kpis, BTreeMap::from([("caught".to_owned(), OwnKpi::Recall), ("share".to_owned(), OwnKpi::Share)]));
        let directory = files::temporary_dir().expect("a directory");
        let seen = || Stored { directory: directory.path().to_path_buf() }.selections().expect("numbers");
        assert_eq!((OwnKpi::Recall.value(seen()), OwnKpi::Share.value(seen())), (None, None));
        let mut store = Store::open(directory.path()).expect("a store");
        for (run, failed, missed) in [(1, 0, 0), (2, 4, 1)] {
            let record = Record::Selection(SelectionRecord {
                run: run.to_string(),
                bundle: "unit".to_owned(),
                tests: 50,
                selected: 10,
                failed,
                missed: Vec::new(),
                missed_count: missed,
                finished: format!("2026-01-0{run}T00:00:00Z"),
            });
            store.record(&record).expect("it is kept");
        }
        assert_eq!((OwnKpi::Recall.value(seen()), OwnKpi::Share.value(seen())), (Some(75_000), Some(20_000)));
        // From the spool alone, too.
        files::remove_file(&store.database_path()).expect("it is gone");
        assert_eq!((seen().failed, seen().missed), (4, 1));
    }

    #[test]
    fn only_rules_that_speak_of_rates_ask_for_the_past() {
        let rule = |when: &str| asked(&format!("rule r : tier 2\n  {when}\n  because \"x\"\n"));
        assert!(rule("after the run\n  when any required bundle has flaky\n    rate over last 20 runs > 5 %"));
        assert!(rule("when pass rate of bundle(x) over last 3 runs < 95 %"));
        assert!(rule("when tests removed or not (pass rate of bundle(x) over last 3 runs < 95 %)"));
        assert!(!rule("when tests removed   # pass rate of bundle(x)"));
        assert!(!asked("bundle lint\n  retries 1\n  pass rate at least 95 %\n"));
    }
}
