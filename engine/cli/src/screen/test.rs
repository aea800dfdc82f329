//! The tests of rules on the screen: failures first, then what no test reached.

use grace_engine::testing::{Coverage, RuleCoverage, TestReport};

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

/// What no test reached, of the project's own rules: those of shipped packs are tested where they are shipped.
fn coverage(page: &mut Page, coverage: &Coverage) {
    let own: Vec<&RuleCoverage> = coverage.rules.iter().filter(|rule| !rule.file.starts_with("pack ")).collect();
    if own.is_empty() {
        return;
    }
    let mut lines = Vec::new();
    for rule in &own {
        let name = rule.name.as_str();
        match (rule.fired, rule.spared) {
            (false, false) => lines.push((name, "was reached by no test".to_owned())),
            (false, true) => lines.push((name, "was never seen to fire".to_owned())),
            (true, false) => lines.push((name, "was never seen not to fire".to_owned())),
            (true, true) => lines.extend(rule.conditions.iter().filter_map(|(condition, yes, no)| match (yes, no) {
                (true, true) => None,
                (true, false) => Some((name, format!("always held: {condition}"))),
                (false, _) => Some((name, format!("never held: {condition}"))),
            })),
        }
    }
    for (waiver, _) in coverage.waivers.iter().filter(|(_, used)| !used) {
        lines.push((waiver.as_str(), "is a waiver that no test saw lower anything".to_owned()));
    }
    if !lines.is_empty() {
        page.line(0, Text::new().then(Style::Strong, "not reached"));
        let row = |(name, what): &(&str, String)| vec![Text::from(*name), Text::new().then(Style::Dim, what)];
        page.table(2, &lines.iter().take(MOST).map(row).collect::<Vec<_>>(), &[]);
        if lines.len() > MOST {
            let more = format!("and {} more (--format json has all)", thousands((lines.len() - MOST) as u64));
            page.line(2, Text::new().then(Style::Dim, more));
        }
        page.gap();
    }
    let both = own.iter().filter(|rule| rule.fired && rule.spared).count() as u64;
    page.line(
        0,
        format!("{} of {} seen to fire and not to fire", thousands(both), count(own.len() as u64, "own rule")),
    );
}
