//! The tests of rules on the screen: failures first, then what no test reached.

use grace_engine::testing::{Coverage, TestReport};

use super::numbers::{count, thousands};
use super::page::{Page, Style, Text};
use super::proof::place;

/// Rules listed that no test reached; the rest is counted.
const MOST: usize = 10;

/// What the tests came to; `with_coverage` where all of them ran.
pub fn report(page: &mut Page, report: &TestReport, with_coverage: bool) {
    let failed: Vec<_> = report.tests.iter().filter(|test| !test.failures.is_empty()).collect();
    for test in &failed {
        page.row(
            0,
            Text::new().then(Style::Bad, "failed").plain("  ").then(Style::Strong, &test.name),
            place(&test.file, test.line),
        );
        for failure in &test.failures {
            page.row(
                2,
                Text::from("expected ").plain(&failure.expected),
                Text::new().then(Style::Dim, format!("line {}", failure.line)),
            );
            page.hanging(2, &Text::from("found    "), failure.found.as_str());
        }
        page.gap();
    }
    if with_coverage {
        coverage(page, &report.coverage);
    }
    let all = report.tests.len() as u64;
    if all == 0 {
        page.line(0, "there is no test; one begins with: test \"what it shows\"");
    } else if failed.is_empty() {
        page.line(
            0,
            Text::new().then(
                Style::Good,
                format!(
                    "{} passed",
                    if all == 1 { "the test".to_owned() } else { format!("all {}", count(all, "test")) }
                ),
            ),
        );
    } else {
        page.line(
            0,
            Text::new()
                .then(Style::Bad, format!("{} of {} failed", thousands(failed.len() as u64), count(all, "test"))),
        );
    }
}

fn coverage(page: &mut Page, coverage: &Coverage) {
    let mut lines = Vec::new();
    for rule in &coverage.rules {
        let what = match (rule.fired, rule.spared) {
            (false, false) => "was reached by no test",
            (false, true) => "was never seen to fire",
            (true, false) => "was never seen not to fire",
            (true, true) => {
                for (condition, yes, no) in &rule.conditions {
                    match (yes, no) {
                        (true, true) => {}
                        (true, false) => lines.push((rule.name.as_str(), format!("always held: {condition}"))),
                        (false, _) => lines.push((rule.name.as_str(), format!("never held: {condition}"))),
                    }
                }
                continue;
            }
        };
        lines.push((rule.name.as_str(), what.to_owned()));
    }
    for (waiver, used) in &coverage.waivers {
        if !used {
            lines.push((waiver.as_str(), "is a waiver that no test saw lower anything".to_owned()));
        }
    }
    let rules = coverage.rules.len() as u64;
    if rules == 0 {
        return;
    }
    if !lines.is_empty() {
        page.line(0, Text::new().then(Style::Strong, "not reached"));
        let rows: Vec<Vec<Text>> = lines
            .iter()
            .take(MOST)
            .map(|(name, what)| vec![Text::from(*name), Text::new().then(Style::Dim, what)])
            .collect();
        page.table(2, &rows, &[]);
        if lines.len() > MOST {
            page.line(
                2,
                Text::new().then(
                    Style::Dim,
                    format!("and {} more (--format json has all)", thousands((lines.len() - MOST) as u64)),
                ),
            );
        }
        page.gap();
    }
    let both = coverage.rules.iter().filter(|rule| rule.fired && rule.spared).count() as u64;
    page.line(0, format!("{} of {} seen to fire and not to fire", thousands(both), count(rules, "rule")));
}
