//! What a drift rule would have done on a past: as JSON, and on the screen.

use grace_drift::{Backtest, ENOUGH_WATCHES, Series, decimal};
use schemars::JsonSchema;
use serde::Serialize;

use super::numbers::count;
use super::page::{Page, Style, Text};

/// A back-test as JSON. Shares are of 1.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    version: u32,
    /// The rule.
    pub rule: String,
    /// Steps of the history that have data.
    pub known: u64,
    /// Steps from its first to its last.
    pub steps: u64,
    /// Made-up deployments that could be judged.
    pub watches: u64,
    /// Others: too little before them, or gaps.
    pub unknown: u64,
    /// Watches in which nothing was changed, and some hour was `suspect` or worse.
    pub suspect: u64,
    /// Likewise `drift` or worse: false alarms.
    pub drift: u64,
    /// Likewise `confirmed`.
    pub confirmed: u64,
    /// The share of `drift`.
    pub false_alarms: f64,
    /// Its 95 % interval, were the watches independent; they overlap, so that it is wider in truth.
    pub at_least: f64,
    /// See `at_least`.
    pub at_most: f64,
    /// Whether there are watches enough to say something: 20.
    pub enough: bool,
    /// Whether that is within the rule's budget.
    pub within_budget: bool,
    /// The budget: the share of quiet watches that may end in `drift`.
    pub budget: f64,
    /// What is found of changes that were made up.
    pub found: Vec<FoundReport>,
    /// The smallest change, in times as bad, that is found in four of five watches.
    pub smallest: Option<f64>,
}

/// How often a change of one size is found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundReport {
    /// How many times as bad the measure was made.
    pub times: f64,
    /// The share of watches that end in `drift`.
    pub share: f64,
    /// The median number of steps until then.
    pub delay: Option<u64>,
}

impl Report {
    /// Of a back-test.
    #[must_use]
    pub fn of(rule: &str, series: &Series, budget: f64, test: &Backtest) -> Self {
        let false_alarms = test.false_alarms().unwrap_or(0.0);
        let (at_least, at_most) = test.bounds();
        Self {
            schema: "grace-rules/drift-test",
            version: 1,
            rule: rule.to_owned(),
            known: series.points.iter().filter(|point| point.value().is_some()).count() as u64,
            steps: series.points.len() as u64,
            watches: test.watches as u64,
            unknown: test.unknown as u64,
            suspect: test.suspect as u64,
            drift: test.drift as u64,
            confirmed: test.confirmed as u64,
            false_alarms,
            at_least,
            at_most,
            enough: test.watches >= ENOUGH_WATCHES,
            within_budget: false_alarms <= budget,
            budget,
            found: test
                .found
                .iter()
                .map(|found| FoundReport {
                    times: found.times,
                    share: found.share,
                    delay: found.delay.map(|delay| delay as u64),
                })
                .collect(),
            smallest: test.smallest,
        }
    }
}

impl Report {
    /// The exit code: 1 where it cries wolf, 2 where too few watches tell.
    #[must_use]
    pub fn code(&self) -> u8 {
        match (self.within_budget, self.enough) {
            (false, true) => 1,
            (true, true) => 0,
            (_, false) => 2,
        }
    }
}

/// The screen of `drift test`.
pub fn tested(page: &mut Page, report: &Report) {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let style = if report.within_budget { Style::Good } else { Style::Bad };
    let answer = format!("{} of {} quiet watches", report.drift, report.watches);
    let text = Text::new().then(Style::Strong, &report.rule).plain(" would have cried wolf in ").then(style, answer);
    let between = format!("{:.1} to {}", 100.0 * report.at_least, percent(report.at_most));
    page.line(0, text.plain(format!(" ({}, 95 % interval {between})", percent(report.false_alarms))));
    if !report.enough {
        page.line(2, format!("fewer than {ENOUGH_WATCHES} watches tell nothing: give a longer history"));
    } else if !report.within_budget {
        page.line(2, format!("more than {}: its drift would soon be ignored", percent(report.budget)));
    }
    match report.smallest {
        Some(times) => page.line(2, format!("smallest change that is found 4 times in 5: ×{}", decimal(times))),
        None => page.line(2, "no change of up to ×10 is found 4 times in 5"),
    }
    page.gap();
    let cell = |text: &str| Text::new().plain(text);
    let mut rows = vec![["worse by", "found in", "after", ""].map(cell).to_vec()];
    for found in &report.found {
        let delay = found.delay.map_or_else(|| "-".to_owned(), |delay| count(delay, "step"));
        let times = format!("×{}", decimal(found.times));
        rows.push([times.as_str(), &percent(found.share), &delay, ""].map(cell).to_vec());
    }
    page.table(2, &rows, &[1, 2]);
    page.gap();
    let others = if report.unknown > 0 {
        format!("; {} more could not be judged: too little before them, or gaps", report.unknown)
    } else {
        String::new()
    };
    let (suspect, confirmed) = (report.suspect, report.confirmed);
    page.line(2, format!("suspect in {suspect}, confirmed in {confirmed} of {} quiet watches{others}", report.watches));
}
