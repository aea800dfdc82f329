//! What changing something would ask for, on the screen.

use std::time::Duration;

use grace_engine::plan::TierApprove;

use super::numbers::{about, count};
use super::page::{Page, Style, Text};
use super::proof;
use crate::commands::cost::CostReport;

/// Rules that are shown.
const MOST: usize = 4;

/// The tier, why, and what comes with it.
pub(crate) fn cost(page: &mut Page, report: &CostReport) {
    page.row(0, report.what.as_str(), Text::new().then(Style::Dim, count(report.parts as u64, "part")));
    for denial in &report.denials {
        page.line(0, Text::new().then(Style::Bad, "denied").plain(format!("  rule {denial}")));
    }
    let approve = match report.approve {
        TierApprove::Automatically => "approved automatically",
        TierApprove::ByRules => "the rules decide",
        TierApprove::People => "people approve",
    };
    let style = if report.tier >= 3 { Style::Warn } else { Style::Strong };
    page.line(0, Text::new().then(style, format!("tier {}", report.tier)).plain(format!(", {approve}")));
    for reason in report.because.iter().take(MOST) {
        page.row(2, reason.rule.as_str(), proof::rule_place(&reason.file, reason.line));
        page.quote(4, &reason.because);
    }
    page.gap();
    let mut rows = Vec::new();
    let mut list = |label: &str, items: &[String]| {
        for (index, item) in items.iter().enumerate() {
            rows.push(vec![
                Text::new().then(Style::Dim, if index == 0 { label } else { "" }),
                Text::from(item.as_str()),
            ]);
        }
    };
    list("approvals", &report.approvals);
    list("duties", &report.duties);
    list("validations", &report.validations);
    page.table(0, &rows, &[]);
    if !report.bundles.is_empty() {
        let takes = report.estimate.map(|estimate| {
            let least = if estimate.complete { "" } else { " for those that were run before" };
            format!(", {}{least}", about(Duration::from_millis(estimate.milliseconds)))
        });
        page.line(0, format!("runs {}{}", count(report.bundles.len() as u64, "bundle"), takes.unwrap_or_default()));
        let rows: Vec<Vec<Text>> = report
            .bundles
            .iter()
            .map(|bundle| {
                let critical = if bundle.critical { "critical" } else { "" };
                vec![
                    Text::from(bundle.name.as_str()),
                    Text::from(critical),
                    Text::from(count(bundle.tests as u64, "test")),
                ]
            })
            .collect();
        page.table(2, &rows, &[]);
    }
    for unknown in report.unknowns.iter().take(MOST) {
        page.hanging(0, &Text::new().then(Style::Warn, "unknown  "), unknown.as_str());
    }
    page.gap();
    page.line(0, Text::new().then(Style::Dim, "what the edit itself does may ask for more: grace-rules plan"));
}
