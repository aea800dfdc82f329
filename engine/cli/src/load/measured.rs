//! Values of KPIs that rules ask for, from the ledger: what was judged last after deployments. Read only where rules ask for them.

use std::collections::BTreeMap;

use grace_dsl::ast::{CondKind, ItemKind, Kpi, KpiTest, Policy, Rule, Source, Unit, When};
use grace_dsl::walk;
use grace_engine::input::{Book, kpi_key};
use grace_govern::journal;
use grace_govern::monitor::measured::{self, Asked};
use grace_system::git::Repository;

/// What these books ask of KPIs that are measured after deployments. One that is defined in two ways is none of them, and so
/// unknown: a change does not choose what the rules before it read.
pub(super) fn asked<'b>(books: impl IntoIterator<Item = &'b Book>) -> Vec<Asked> {
    let texts = books.into_iter().flat_map(|book| &book.files).filter_map(|file| file.text.as_ref().ok());
    let texts: Vec<_> = texts.filter(|text| text.contains("kpi")).collect();
    // A text without the words is not parsed once more.
    if !texts.iter().any(|text| text.contains("kpi(")) {
        return Vec::new();
    }
    let mut kpis: BTreeMap<String, Option<Kpi>> = BTreeMap::new();
    let mut tests: BTreeMap<String, KpiTest> = BTreeMap::new();
    let parsed: Vec<_> = texts.into_iter().map(|text| grace_dsl::parse_once(text)).collect();
    for item in parsed.iter().flat_map(|parsed| &parsed.items) {
        let mut see = |test: &KpiTest| drop(tests.insert(kpi_key(test), test.clone()));
        match &item.kind {
            ItemKind::Operational(operational) => {
                if let Some(kpi) = Kpi::of(operational) {
                    let known = kpis.entry(item.name.clone()).or_insert_with(|| Some(kpi.clone()));
                    *known = known.take().filter(|known| *known == kpi);
                }
            }
            ItemKind::Rule(rule) | ItemKind::Policy(Policy { rule, .. }) => of_rule(rule, &mut see),
            ItemKind::Waiver(waiver) => {
                if let Some(when) = &waiver.when {
                    walk::conditions(when, &mut |cond| of_condition(&cond.kind, &mut see));
                }
            }
            _ => {}
        }
    }
    let asked = tests.into_iter().filter_map(|(key, test)| {
        let kpi = kpis.get(&test.kpi.text)?.clone()?;
        let over = match &test.over {
            None => None,
            Some(over) => Some(seconds(over.thousandths, over.unit)?),
        };
        let is_measured_by_runs = matches!(kpi.source, Source::Selection { .. });
        let statistic = test.statistic.map(|name| name.text);
        (!is_measured_by_runs).then_some(Asked { key, name: test.kpi.text, kpi, statistic, over })
    });
    asked.collect()
}

fn of_rule(rule: &Rule, see: &mut dyn FnMut(&KpiTest)) {
    for limit in &rule.limits {
        see(limit);
    }
    let (When::Change(cond) | When::Always(cond) | When::AfterRun(cond)) = &rule.when;
    walk::conditions(cond, &mut |cond| of_condition(&cond.kind, see));
}

fn of_condition(kind: &CondKind, see: &mut dyn FnMut(&KpiTest)) {
    if let CondKind::Kpi(test) = kind {
        see(test);
    }
}

/// A span in whole seconds; `None` of what is none.
fn seconds(thousandths: i64, unit: Unit) -> Option<i64> {
    let in_one = match unit {
        Unit::Seconds => 1,
        Unit::Minutes => 60,
        Unit::Hours => 3600,
        Unit::Days => 86_400,
        _ => return None,
    };
    Some(thousandths.checked_mul(in_one)? / 1000).filter(|seconds| *seconds > 0)
}

/// The values that the ledger has of them.
pub(super) fn values(
    repository: &Repository,
    asked: &[Asked],
    as_of: i64,
) -> Result<BTreeMap<String, i64>, grace_ledger::Error> {
    match journal::recorded(repository)? {
        Some(snapshot) => measured::values(&snapshot, asked, as_of),
        None => Ok(BTreeMap::new()),
    }
}
