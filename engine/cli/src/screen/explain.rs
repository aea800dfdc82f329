//! An explanation on the screen.

use grace_engine::plan::{Explanation, Presence};

use super::numbers::{count, thousands};
use super::page::{Page, Style, Text};
use super::proof;

/// Ways shown from the change to a thing.
const WAYS: usize = 5;
/// Rules shown that could have brought a thing.
const NEAR: usize = 5;

/// What was asked about, the answer, then why.
pub fn explanation(page: &mut Page, explanation: &Explanation) {
    let reasons = explanation.reasons.len() + usize::from(!explanation.reached.is_empty());
    let (answer, style) = match explanation.status {
        Presence::Present if reasons > 1 => {
            (format!("in the plan, for {} reasons", thousands(reasons as u64)), Style::Strong)
        }
        Presence::Present => ("in the plan".to_owned(), Style::Strong),
        Presence::Absent => ("not in the plan".to_owned(), Style::Strong),
        Presence::Unheard => ("nothing has this name".to_owned(), Style::Warn),
    };
    if let ("tier", [(_, tier)]) = (explanation.subject.as_str(), explanation.facts.as_slice()) {
        let count = if reasons > 1 { format!(", for {} reasons", thousands(reasons as u64)) } else { String::new() };
        page.line(0, Text::new().then(Style::Strong, format!("tier {tier}")).plain(count));
    } else {
        page.line(0, Text::from(format!("{}: ", explanation.subject)).then(style, answer));
        facts(page, explanation);
    }
    if !explanation.did_you_mean.is_empty() {
        page.hanging(2, &Text::from("did you mean "), format!("{}?", explanation.did_you_mean.join(", ")));
    }
    let numbered = reasons > 1;
    let label = |number: usize| if numbered { format!("{number}  ") } else { String::new() };
    for (index, reason) in explanation.reasons.iter().enumerate() {
        page.gap();
        proof::derivation(page, 0, &label(index + 1), reason, usize::MAX);
    }
    reached(page, explanation, &label(explanation.reasons.len() + 1));
    near(page, explanation);
    if !explanation.would_bring.is_empty() {
        page.gap();
        page.line(0, "smallest changes that would bring it (each evaluated)");
        for change in &explanation.would_bring {
            page.hanging(2, &Text::new(), change.as_str());
        }
    }
}

fn facts(page: &mut Page, explanation: &Explanation) {
    let rows: Vec<Vec<Text>> = explanation
        .facts
        .iter()
        .map(|(name, value)| vec![Text::new().then(Style::Dim, name), Text::from(value.as_str())])
        .collect();
    page.table(2, &rows, &[]);
}

fn reached(page: &mut Page, explanation: &Explanation, label: &str) {
    let ways = &explanation.reached;
    if ways.is_empty() {
        return;
    }
    page.gap();
    let title = if ways.len() > 1 { format!("{} ways", thousands(ways.len() as u64)) } else { "1 way".to_owned() };
    page.line(0, Text::from(label).then(Style::Strong, "reached by the change").then(Style::Dim, format!(", {title}")));
    for way in ways.iter().take(WAYS) {
        proof::chain(page, label.len().max(2), way);
    }
    if ways.len() > WAYS {
        page.line(
            label.len().max(2),
            Text::new().then(Style::Dim, format!("and {} more", count((ways.len() - WAYS) as u64, "way"))),
        );
    }
}

fn near(page: &mut Page, explanation: &Explanation) {
    let rules = &explanation.near;
    if rules.is_empty() {
        return;
    }
    page.gap();
    if explanation.status == Presence::Absent {
        let verb = if rules.len() == 1 { "rule could bring it:" } else { "rules could bring it:" };
        page.line(0, format!("{} {verb}", thousands(rules.len() as u64)));
    }
    for rule in rules.iter().take(NEAR) {
        page.row(0, Text::new().then(Style::Strong, &rule.rule), proof::rule_place(&rule.file, rule.line));
        page.quote(2, &rule.because);
        proof::conditions(page, 2, &rule.conditions);
        if let Some((part, way)) = &rule.nearest {
            page.row(2, Text::from("nearest: ").plain(&part.name), proof::part_place(part));
            proof::chain(page, 4, way);
        }
    }
    if rules.len() > NEAR {
        page.line(0, Text::new().then(Style::Dim, format!("and {}", count((rules.len() - NEAR) as u64, "more rule"))));
    }
}
