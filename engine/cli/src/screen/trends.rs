//! What moved over all that is recorded of runs: as JSON, and on the screen.

use std::time::Duration;

use grace_govern::trends::{Course, Step, TestTrend, Trends};
use schemars::JsonSchema;
use serde::Serialize;

use super::numbers::{count, duration, thousands};
use super::page::{Page, Style, Text};

/// Lines of each part that are shown.
const MOST: usize = 20;

/// The trends as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    version: u32,
    /// What was found.
    #[serde(flatten)]
    found: Trends,
}

impl Report {
    /// That of what was found.
    #[must_use]
    pub fn new(found: Trends) -> Self {
        Self { schema: "grace-rules/drift-trends", version: 1, found }
    }
}

fn milliseconds(value: f64) -> String {
    duration(Duration::from_secs_f64((value / 1000.0).clamp(0.0, 1e9)))
}

fn percent(value: f64) -> String {
    let digits = if value != 0.0 && value < 0.1 { 1 } else { 0 };
    format!("{:.digits$} %", value * 100.0)
}

fn per_hundred(value: f64) -> String {
    format!("{value:.0}")
}

fn day(at: &str) -> String {
    at.get(..16).unwrap_or(at).replace('T', " ")
}

/// `slower   4.2 s → 6.1 s  since 2026-11-20 10:00 UTC, 9.1 standard errors apart`
fn step(what: &str, step: &Step, shown: fn(f64) -> String) -> Vec<Text> {
    let style = match step.worse {
        Some(true) => Style::Bad,
        Some(false) => Style::Good,
        None => Style::Warn,
    };
    vec![
        Text::new().then(style, what),
        Text::from(format!("{} → {}", shown(step.before), shown(step.after))),
        Text::from(format!("since {}, {} apart", day(&step.since.at), apart(step.apart))),
    ]
}

fn apart(errors: f64) -> String {
    if errors >= 100.0 { "over 100 standard errors".to_owned() } else { format!("{errors:.1} standard errors") }
}

/// The last move of a course, in words for longer and shorter, more and less.
fn last(course: &Course, [more, less]: [&str; 2], shown: fn(f64) -> String) -> Option<Vec<Text>> {
    let last = course.moved.last()?;
    Some(step(if last.after > last.before { more } else { less }, last, shown))
}

const TOOK: [&str; 2] = ["slower", "faster"];
const FAILED: [&str; 2] = ["fails more", "fails less"];

/// The screen of `drift trends`.
pub fn trends(page: &mut Page, report: &Report) {
    let found = &report.found;
    let Some((first, newest)) = &found.span else {
        page.line(0, "no run is recorded: grace-rules run");
        return;
    };
    let (runs, changes) = (count(found.runs, "run"), count(found.changes, "change"));
    page.line(0, format!("{runs} of {changes}, {} to {} UTC", day(&first.at), day(&newest.at)));
    if found.cut {
        page.line(0, "older runs were left out: these hold enough outcomes");
    }
    let named = |name: &str, cells: Vec<Text>| [vec![Text::from(name)], cells].concat();
    let mut rows = Vec::new();
    for bundle in &found.bundles {
        let moved = [last(&bundle.duration_ms, TOOK, milliseconds), last(&bundle.failing, FAILED, percent)];
        let before = rows.len();
        rows.extend(moved.into_iter().flatten().map(|cells| named(&bundle.bundle, cells)));
        if rows.len() == before {
            rows.push(named(&bundle.bundle, steady(&bundle.duration_ms, &bundle.failing)));
        }
    }
    part(page, "bundles", rows);
    part(page, "tests", found.tests.iter().flat_map(test).collect());
    let rules = found.rules.iter().map(|rule| {
        let cells = match (&rule.per_hundred.unknown, rule.per_hundred.moved.last()) {
            (Some(_), _) => {
                let fired = rule.fired + rule.unknown + rule.waived;
                vec![
                    Text::new().then(Style::Warn, "unknown"),
                    Text::from(format!("{} of {}", thousands(fired), count(rule.changes, "change"))),
                ]
            }
            (None, None) => vec![
                Text::from("steady"),
                Text::from(format!("{} of 100 changes", per_hundred(rule.per_hundred.level.unwrap_or(0.0)))),
            ],
            (None, Some(last)) => {
                let what = if last.after > last.before { "fires more" } else { "fires less" };
                let mut cells = step(what, last, per_hundred);
                if let Some(levels) = cells.get_mut(1) {
                    *levels = std::mem::take(levels).plain(" of 100");
                }
                cells
            }
        };
        named(&rule.rule, cells)
    });
    part(page, "rules that fire", rules.collect());
    let exceptions = found.exceptions.iter().map(|one| {
        let cells = match &one.before {
            None => vec![Text::from("steady"), Text::from(count(one.permits, "part"))],
            Some((before, since)) => {
                let (word, style) = if one.permits > *before { ("grew", Style::Warn) } else { ("shrank", Style::Good) };
                vec![
                    Text::new().then(style, word),
                    Text::from(format!("{} → {}", thousands(*before), count(one.permits, "part"))),
                    Text::from(format!("since {}", day(&since.at))),
                ]
            }
        };
        named(&one.exception, cells)
    });
    part(page, "what exceptions permit", exceptions.collect());
}

/// A bundle that has not moved, or of which that is not known.
fn steady(took: &Course, failing: &Course) -> Vec<Text> {
    let level = |course: &Course, shown: fn(f64) -> String| course.level.map(shown);
    match (&took.unknown, &failing.unknown) {
        (Some(_), Some(few)) => vec![Text::new().then(Style::Warn, "unknown"), Text::from(few.as_str())],
        (few, _) => {
            let took = level(took, milliseconds).or_else(|| few.clone().map(|few| format!("time unknown, {few}")));
            let failing = level(failing, percent).map(|share| format!("{share} fail"));
            let known: Vec<String> = took.into_iter().chain(failing).collect();
            vec![Text::from("steady"), Text::from(known.join(", "))]
        }
    }
}

fn test(test: &TestTrend) -> Vec<Vec<Text>> {
    let name = if test.test.is_empty() { &test.bundle } else { &test.test };
    let named = |cells: Vec<Text>| [vec![Text::from(name.as_str())], cells].concat();
    let mut rows = Vec::new();
    let style = match test.state.as_str() {
        "passing" => None,
        "broken" => Some(Style::Bad),
        _ => Some(Style::Warn),
    };
    if let Some(style) = style {
        let ask = if test.state == "unknown" { "; ask: grace-rules run --reruns 3" } else { "" };
        rows.push(named(vec![
            Text::new().then(style, &test.state),
            Text::new(),
            Text::from(format!("{}{ask}", test.says)),
        ]));
    }
    let moved = [last(&test.duration_ms, TOOK, milliseconds), last(&test.failing, FAILED, percent)];
    rows.extend(moved.into_iter().flatten().map(named));
    rows
}

fn part(page: &mut Page, title: &str, mut rows: Vec<Vec<Text>>) {
    if rows.is_empty() {
        return;
    }
    page.gap();
    page.line(0, Text::new().then(Style::Strong, title));
    let more = rows.len().saturating_sub(MOST);
    rows.truncate(MOST);
    // The last column is the one that wraps: what has no third thing to say has it said in its second.
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    for row in &mut rows {
        while row.len() < columns {
            row.push(Text::new());
        }
    }
    page.table(2, &rows, &[]);
    if more > 0 {
        page.line(2, format!("and {} more: --format json", thousands(more as u64)));
    }
}
