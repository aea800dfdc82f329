//! Runs of the past, from the ledger, by way of the store. Read only where rules ask for them: a plan that needs no past opens
//! no database, and one that does writes nothing there. What a question was answered is remembered in the user's cache.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use grace_dsl::ast::{
    Cond, CondKind, ItemKind, LossCause, Operational, OperationalKind, Policy, TrustScore, When, Word,
};
use grace_engine::input::{Book, BundleRun};
use grace_engine::recall::Key;
use grace_govern::project::{self, Recorded};
use grace_store::{BundleStatus, Selections, Source, Store, StoreError};
use grace_system::git::Repository;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::memory::Memory;

/// Runs of a bundle that are read; rules speak of the last few.
const MOST_RUNS: usize = 200;
/// How long the question may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where outcomes are kept: out of reach of edits to the work tree.
#[must_use]
pub fn store_path(repository: &Repository) -> PathBuf {
    repository.common_dir().join("grace")
}

/// Runs of every bundle of a repository, oldest first.
pub(super) fn bundle_runs(
    repository: &Repository,
    memory: &Memory,
) -> Result<BTreeMap<String, Vec<BundleRun>>, StoreError> {
    let run = |status| match status {
        BundleStatus::Passed => BundleRun::Passed,
        BundleStatus::Flaky => BundleRun::Flaky,
        _ => BundleRun::Failed,
    };
    asked_once(repository, memory, "runs", |store, ledger| {
        let runs = store.bundle_runs(ledger, MOST_RUNS, PATIENCE)?;
        Ok(runs.into_iter().map(|(bundle, runs)| (bundle, runs.into_iter().map(run).collect())).collect())
    })
}

/// What leaving tests out would have come to, over the last bundles all of whose tests ran.
pub(super) fn selections(repository: &Repository, memory: &Memory) -> Result<Selections, StoreError> {
    asked_once(repository, memory, "selections", |store, ledger| store.selections(ledger, MOST_RUNS, PATIENCE))
}

/// What the store answers; or what it answered, while it and its ledger are as they were. What decides asks each time.
fn asked_once<T: Serialize + DeserializeOwned>(
    repository: &Repository,
    memory: &Memory,
    question: &str,
    ask: impl FnOnce(&Store, &dyn Fn() -> Result<Recorded, StoreError>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let home = store_path(repository);
    let store = Store::at(&home);
    if !memory.is_believed() {
        return ask(&store, &|| project::recorded(repository));
    }
    let key = |ledger: &Recorded| -> Result<Option<Key>, StoreError> {
        // A ledger of which the end cannot be read gives no answer, as the store gives none.
        ledger.size().checked_sub(1).map(|last| ledger.leaf(last)).transpose()?;
        Ok(memory.answer_key(&home, &(question, MOST_RUNS, ledger.signed())))
    };
    if let Some(key) = key(&project::recorded(repository)?)?
        && let Some(known) = memory.answer(question, &key)
    {
        return Ok(known);
    }
    // The ledger as the store reads it may be a later one.
    let asked = Cell::new(None);
    let ledger = || {
        let ledger = project::recorded(repository)?;
        asked.set(key(&ledger)?);
        Ok(ledger)
    };
    let answer = ask(&store, &ledger)?;
    if let Some(key) = asked.take() {
        memory.keep_answer(question, &key, &answer);
    }
    Ok(answer)
}

/// Whether any rule, waiver or trust score of these books speaks of rates.
pub(super) fn is_asked_for<'b>(books: impl IntoIterator<Item = &'b Book>) -> bool {
    let texts = books.into_iter().flat_map(|book| &book.files).filter_map(|file| file.text.as_ref().ok());
    // A text without the word is not parsed once more.
    texts.filter(|text| has_word(text, "rate")).any(|text| {
        grace_dsl::parse_once(text).items.iter().any(|item| match &item.kind {
            ItemKind::Rule(rule) | ItemKind::Policy(Policy { rule, .. }) => match &rule.when {
                When::Change(cond) | When::Always(cond) | When::AfterRun(cond) => asks_for_a_rate(cond),
            },
            ItemKind::Waiver(waiver) => waiver.when.as_ref().is_some_and(asks_for_a_rate),
            ItemKind::Operational(operational) => TrustScore::of(operational)
                .is_some_and(|score| score.losses.iter().any(|loss| matches!(loss.cause, LossCause::Rate { .. }))),
            _ => false,
        })
    })
}

/// Whether a name or a keyword stands in a text by itself.
fn has_word(text: &str, word: &str) -> bool {
    let is_part =
        |byte: Option<u8>| byte.is_some_and(|byte| byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 128);
    text.match_indices(word).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before)).copied();
        !is_part(before) && !is_part(text.as_bytes().get(at + word.len()).copied())
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
    for parsed in texts.into_iter().map(|text| grace_dsl::parse_once(text)) {
        for item in &parsed.items {
            if let ItemKind::Operational(Operational { kind: OperationalKind::Kpi, .. }) = item.kind {
                let own = OwnKpi::of(&item.kind);
                found
                    .entry(item.name.clone())
                    .and_modify(|known| *known = known.filter(|&known| Some(known) == own))
                    .or_insert(own);
            }
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

#[cfg(test)]
mod tests {
    use grace_engine::input::BookFile;

    use super::*;

    fn asked(text: &str) -> bool {
        let file = BookFile { path: "a".into(), text: Ok(text.into()), role: grace_dsl::Role::Own };
        is_asked_for([&Book { files: vec![file] }])
    }

    #[test]
    fn kpis_of_the_selection_are_measured_over_what_ran_whole() {
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
        let values = |seen| (OwnKpi::Recall.value(seen), OwnKpi::Share.value(seen));
        assert_eq!(values(Selections::default()), (None, None));
        let seen = Selections { tests: 100, selected: 20, failed: 4, missed: 1 };
        assert_eq!(values(seen), (Some(75_000), Some(20_000)));
    }

    #[test]
    fn a_word_stands_by_itself() {
        for text in ["rate", "flaky\n rate over", "(rate)", "x-rate", "generated rate"] {
            assert!(has_word(text, "rate"), "{text}");
        }
        for text in ["", "generated", "rates", "rate_limit", "error_rate", "r ate", "\u{e9}rate", "rate2"] {
            assert!(!has_word(text, "rate"), "{text}");
        }
    }

    #[test]
    fn only_rules_that_speak_of_rates_ask_for_the_past() {
        let rule = |when: &str| asked(&format!("rule r : tier 2\n  {when}\n  because \"x\"\n"));
        assert!(rule("after the run\n  when any required bundle has flaky\n    rate over last 20 runs > 5 %"));
        assert!(rule("when pass rate of bundle(x) over last 3 runs < 95 %"));
        assert!(rule("when tests removed or not (pass rate of bundle(x) over last 3 runs < 95 %)"));
        assert!(!rule("when tests removed   # pass rate of bundle(x)"));
        assert!(!asked("bundle lint\n  retries 1\n  pass rate at least 95 %\n"));
        // A loss of trust needs the past as a rule does.
        let score = |cause: &str| asked(&format!("trust_score\n  start 1.0\n  lose 0.2 {cause}\n  below hold\n"));
        assert!(score("when flaky rate of bundle(x) over last 20 runs above 5 %"));
        assert!(!score("when bundle(rate_limit) failed"));
    }
}
