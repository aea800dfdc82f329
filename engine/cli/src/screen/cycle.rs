//! A cycle of the audit loop on the screen.

use std::collections::BTreeMap;

use grace_govern::cycle::{CycleSaid, Loop};

use super::numbers::count;
use super::page::{Page, Style, Text, printable};

/// Findings that are shown one by one.
const MOST: usize = 8;

/// What a cycle came to. `missing` is who is still to review it: the command, the team, how many.
pub fn cycle(page: &mut Page, said: &CycleSaid, seq: Option<u64>, audit: &Loop, missing: &[(String, String, u32)]) {
    let what = format!(
        "audit cycle {}: {}, {}, {} added, {} removed",
        said.number,
        count(said.actions.len() as u64, "action"),
        count(said.files.len() as u64, "file"),
        count(said.lines_added, "line"),
        said.lines_removed
    );
    let record = seq.map(|seq| format!("record {seq}")).unwrap_or_default();
    page.row(0, what, Text::new().then(Style::Dim, record));
    if said.failures.is_empty() {
        page.line(0, Text::new().then(Style::Good, "passed"));
    } else {
        let more = if said.halted { ", and nothing goes any more" } else { "" };
        page.line(0, Text::new().then(Style::Bad, "failed").plain(more));
    }
    for failure in &said.failures {
        page.hanging(2, &Text::new(), printable(failure));
    }
    page.gap();
    let told = &said.retrospective;
    let mut rows = Vec::new();
    let mut say = |label: &str, text: String| {
        if !text.is_empty() {
            rows.push(vec![Text::from(label), Text::from(printable(&text))]);
        }
    };
    let bundles: Vec<String> =
        said.bundles.iter().map(|(name, outcome)| format!("{name} {}", outcome.word())).collect();
    say("run again", if bundles.is_empty() { "no bundle".to_owned() } else { bundles.join(", ") });
    if !said.is_theirs {
        say("", "in a tree that none of the actions had".to_owned());
    }
    let checks: Vec<&str> = audit.checks.iter().map(|check| check.word()).collect();
    if said.signs.is_empty() && !checks.is_empty() {
        say("guardrails", format!("saw nothing: {}", checks.join(", ")));
    }
    if audit.compares.is_some() && said.models.is_empty() {
        say("models", "none was measured".to_owned());
    }
    for model in &said.models {
        let (before, now) = model.latency_ms;
        say("models", format!("{} {before} → {now} ms", model.model));
    }
    say("actions", counts(&told.ends));
    say("operations", counts(&told.operations));
    say("by", counts(&told.actors));
    say("tests", format!("{} of {} passed", told.passed, told.tests));
    say("decisions", counts(&told.decisions));
    say("did not pass", counts(&told.failed));
    say("flaky", counts(&told.flaky));
    say("stories lack", counts(&told.untold));
    say("note", told.note.clone().unwrap_or_default());
    page.table(0, &rows, &[]);
    // One alone was told above.
    let signs = if said.signs.len() > 1 { said.signs.as_slice() } else { &[] };
    if !signs.is_empty() {
        page.gap();
    }
    for sign in signs.iter().take(MOST) {
        let place = Text::new().then(Style::Dim, printable(&format!("{}:{}  ", sign.file, sign.line)));
        page.hanging(2, &place, printable(&format!("{}: {}", sign.guardrail.word(), sign.what)));
    }
    if signs.len() > MOST {
        page.line(2, Text::new().then(Style::Dim, format!("and {} more", signs.len() - MOST)));
    }
    page.gap();
    if said.halted {
        page.line(0, "people lift it: grace-rules gate says who, and how");
    }
    for (command, team, number) in missing {
        page.line(0, format!("waits for review {number} of team({team})"));
        page.line(2, Text::new().then(Style::Dim, command.clone()));
    }
}

/// That nothing is to do.
pub fn not_due(page: &mut Page, actions: usize, audit: &Loop) {
    page.line(0, format!("no cycle is due: {actions} of {} since the last", count(u64::from(audit.every), "action")));
}

/// `12 passed, 3 failed`, the most frequent first.
fn counts(counts: &BTreeMap<String, u32>) -> String {
    let mut all: Vec<(&String, &u32)> = counts.iter().collect();
    all.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    all.iter().take(MOST).map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}
