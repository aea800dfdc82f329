//! An explanation on the screen.

use grace_engine::plan::{Explanation, Presence};

use super::numbers::{count, thousands};
use super::page::{Page, Style, Text};
use super::proof::{self, Shown};

/// Ways shown from the change to a thing.
const WAYS: usize = 5;
/// Rules shown that could have brought a thing.
const NEAR: usize = 5;

/// What was asked about, the answer, then why.
pub fn explanation(page: &mut Page, explanation: &Explanation) {
    let reasons = explanation.reasons.len() + usize::from(!explanation.reached.is_empty());
    headline(page, explanation, reasons);
    if !explanation.did_you_mean.is_empty() {
        let names = explanation.did_you_mean.join(", ");
        // A name that is broken in two cannot be copied.
        if names.len() + 20 <= page.width() {
            page.hanging(2, &Text::from("did you mean "), format!("{names}?"));
        } else {
            page.line(2, "did you mean one of");
            explanation.did_you_mean.iter().for_each(|name| page.line(4, name.as_str()));
        }
    }
    let numbered = reasons > 1;
    let label = |number: usize| if numbered { format!("{number}  ") } else { String::new() };
    let mut shown = Shown::default();
    for (index, reason) in explanation.reasons.iter().enumerate() {
        page.gap();
        proof::derivation(page, &label(index + 1), reason, &mut shown, index + 1);
    }
    reached(page, explanation, &label(explanation.reasons.len() + 1));
    near(page, explanation);
    if !explanation.would_bring.is_empty() {
        page.gap();
        let what = if is_rule(explanation) { "make it fire" } else { "bring it" };
        page.line(0, format!("smallest changes that would {what} (each tried)"));
        for change in &explanation.would_bring {
            page.hanging(2, &Text::new(), change.as_str());
        }
    }
}

fn is_rule(explanation: &Explanation) -> bool {
    explanation.subject.starts_with("rule ")
}

fn is_code(explanation: &Explanation) -> bool {
    explanation.subject.starts_with("file ") || explanation.subject.starts_with("symbol ")
}

/// The subject, the answer, and what else is known of the thing.
fn headline(page: &mut Page, explanation: &Explanation, reasons: usize) {
    let for_reasons = if reasons > 1 { format!(", for {} reasons", thousands(reasons as u64)) } else { String::new() };
    let fact = |name: &str| explanation.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if let ("tier", Some(tier)) = (explanation.subject.as_str(), fact("tier")) {
        return page.line(0, Text::new().then(Style::Strong, format!("tier {tier}")).plain(for_reasons));
    }
    let known = explanation.status != Presence::Unheard;
    let outcome = fact("outcome").filter(|_| known && is_rule(explanation));
    let answer = match (outcome, explanation.status) {
        (Some(outcome), _) => outcome.to_owned(),
        (None, Presence::Present) if is_code(explanation) && fact("changed").is_some() => {
            match explanation.reasons.len() {
                0 => "changed, and no rule speaks of it".to_owned(),
                1 => "changed, and 1 rule speaks of it".to_owned(),
                rules => format!("changed, and {} rules speak of it", thousands(rules as u64)),
            }
        }
        (None, Presence::Present) if is_code(explanation) => "within reach of the change".to_owned(),
        (None, Presence::Absent) if is_code(explanation) => "untouched by the change".to_owned(),
        (None, Presence::Present) => format!("in the plan{for_reasons}"),
        (None, Presence::Absent) => "not in the plan".to_owned(),
        (None, Presence::Unheard) => "nothing has this name".to_owned(),
    };
    let style = if known { Style::Strong } else { Style::Warn };
    page.line(0, Text::from(format!("{}: ", explanation.subject)).then(style, answer));
    let rows: Vec<Vec<Text>> = explanation
        .facts
        .iter()
        .filter(|(name, _)| !(outcome.is_some() && name == "outcome" || is_code(explanation) && name == "change"))
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
    let more = if ways.len() > 1 { format!(", in {} ways", thousands(ways.len() as u64)) } else { String::new() };
    page.line(0, Text::from(label).then(Style::Strong, "reached by the change").then(Style::Dim, more));
    for way in ways.iter().take(WAYS) {
        proof::chain(page, label.len().max(2), way);
    }
    if ways.len() > WAYS {
        let more = format!("and {}", count((ways.len() - WAYS) as u64, "more way"));
        page.line(label.len().max(2), Text::new().then(Style::Dim, more));
    }
}

fn near(page: &mut Page, explanation: &Explanation) {
    // A rule that is a reason has shown its evidence already.
    let is_reason = |rule: &str| explanation.reasons.iter().any(|reason| reason.rule == rule);
    let rules: Vec<_> = explanation.near.iter().filter(|near| !is_reason(&near.rule)).collect();
    if rules.is_empty() {
        return;
    }
    page.gap();
    if explanation.status == Presence::Absent && !is_rule(explanation) {
        let verb = if rules.len() == 1 { "rule could bring it" } else { "rules could bring it" };
        page.line(0, format!("{} {verb}", thousands(rules.len() as u64)));
        page.gap();
    }
    for rule in rules.iter().take(NEAR) {
        page.row(0, Text::new().then(Style::Strong, &rule.rule), proof::rule_place(&rule.file, rule.line));
        page.quote(2, &rule.because);
        proof::conditions(page, 2, &rule.conditions);
        if let Some(set) = &rule.empty {
            page.line(2, Text::new().then(Style::Dim, format!("nothing here is in {set}")));
        }
        if let Some((part, way)) = &rule.nearest {
            page.row(2, Text::from("nearest: ").plain(&part.name), proof::part_place(part));
            proof::chain(page, 4, way);
        }
    }
    if rules.len() > NEAR {
        page.line(0, Text::new().then(Style::Dim, format!("and {}", count((rules.len() - NEAR) as u64, "more rule"))));
    }
}
