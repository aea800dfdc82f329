//! The screen of `store`.

use super::numbers::{count, thousands};
use super::page::{Page, Style, Text};
use super::run::taken_in;
use crate::commands::store::StoreReport;

/// What the database was made from, and what it holds.
pub fn store(page: &mut Page, report: &StoreReport) {
    match &report.exported {
        Some(to) => page.hanging(0, &Text::from("exported to  "), Text::new().then(Style::Strong, to)),
        None => page.hanging(0, &Text::from("rebuilt  "), Text::new().then(Style::Strong, &report.database)),
    }
    page.gap();
    let ledgers = report.ledgers.iter();
    let ledgers: Vec<_> =
        ledgers.map(|ledger| vec![Text::from(&*ledger.origin), Text::from(count(ledger.records, "record"))]).collect();
    page.table(0, &ledgers, &[1]);
    page.gap();
    let tables = report.tables.iter();
    let tables: Vec<_> =
        tables.map(|table| vec![Text::from(&*table.table), Text::from(thousands(table.rows))]).collect();
    page.table(0, &tables, &[1]);
    taken_in(page, None, &report.notices);
}
