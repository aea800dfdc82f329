//! The screens of `model`.

use std::time::Duration;

use grace_govern::probes::ProbeSaid;

use super::numbers::{count, duration, thousands};
use super::page::{Page, Style, Text};
use super::run::taken_in;
use crate::commands::model::{BandReport, DiffReport, ListReport, ProbeReport, SelectReport, ShowReport};

/// Models that will not do, shown with their reasons.
const MOST_OTHERS: usize = 20;

fn band(band: &BandReport) -> Text {
    match (band.standing, band.level) {
        ("measured", Some(level)) => Text::from(level),
        ("declared", Some(level)) => Text::new().then(Style::Dim, format!("{level}, declared")),
        ("inconclusive", _) => Text::new().then(Style::Warn, "inconclusive"),
        _ => Text::new().then(Style::Dim, "unmeasured"),
    }
}

/// Every model with its bands and licence.
pub fn list(page: &mut Page, report: &ListReport) {
    let measured: usize =
        report.models.iter().flat_map(|model| &model.bands).filter(|band| band.standing != "declared").count();
    page.line(
        0,
        format!("{}, {}", count(report.models.len() as u64, "model"), count(measured as u64, "measured band")),
    );
    page.gap();
    let mut rows = vec![
        ["model", "context", "invents", "bias", "licence"].map(|title| Text::new().then(Style::Dim, title)).to_vec(),
    ];
    for model in &report.models {
        let of = |name: &str| model.bands.iter().find(|one| one.band == name).map_or_else(Text::new, band);
        let mut licence = Text::from(&*model.licence);
        if model.commercial_use != "allowed" {
            licence.push(Style::Warn, ", not for products");
        }
        if model.endpoint {
            licence.push(Style::Good, ", served");
        }
        rows.push(vec![
            Text::new().then(Style::Strong, &model.model),
            Text::from(thousands(model.context_window.into())),
            of("hallucination_rate"),
            of("bias_risk"),
            licence,
        ]);
    }
    page.table(0, &rows, &[1]);
    for problem in &report.problems {
        page.hanging(0, &Text::new().then(Style::Bad, "unread  "), problem.as_str());
    }
}

/// One model.
pub fn show(page: &mut Page, report: &ShowReport) {
    let contract = report.contract.get(..12).unwrap_or_default();
    page.row(
        0,
        Text::new().then(Style::Strong, &report.model),
        Text::new().then(Style::Dim, format!("contract {contract}")),
    );
    for finding in &report.findings {
        page.hanging(0, &Text::new().then(Style::Bad, "differs  "), finding.as_str());
    }
    page.gap();
    let declared = |name: &str| report.declared.get(name).cloned().unwrap_or_default();
    let weights = report.weights.clone().unwrap_or_else(|| "not said".to_owned());
    let digest =
        report.digest.as_ref().map_or_else(|| "no digest".to_owned(), |digest| digest.chars().take(19).collect());
    let endpoint = report.endpoint.clone().unwrap_or_else(|| "none is configured".to_owned());
    let lines = [
        ("weights", format!("{weights}, {digest}")),
        (
            "licence",
            format!("{}, commercial use {}", declared("licence"), declared("commercial_use").replace('_', " ")),
        ),
        ("flags", declared("compliance_flags")),
        ("context", format!("{} tokens", declared("context_window"))),
        ("trust", declared("trust_score")),
        ("good at", declared("strengths")),
        ("not for", declared("not_recommended_for")),
        ("endpoint", endpoint),
    ];
    let rows: Vec<Vec<Text>> = lines
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| vec![Text::new().then(Style::Dim, name), Text::from(text)])
        .collect();
    page.table(0, &rows, &[]);
    page.gap();
    let bands: Vec<Vec<Text>> = report
        .bands
        .iter()
        .map(|one| {
            let mut last = Text::from(one.share.clone().unwrap_or_else(|| format!("nothing measured {}", one.metric)));
            if let Some(from) = &one.from {
                last.push(Style::Dim, &format!(", {from}"));
            }
            vec![Text::from(&*one.band), band(one), last]
        })
        .collect();
    page.table(0, &bands, &[]);
    if !report.evidence.is_empty() {
        page.gap();
        page.line(0, "published");
        let rows: Vec<Vec<Text>> = report
            .evidence
            .iter()
            .map(|row| {
                let set = Text::from(format!("{}, {}", row.set, row.date));
                vec![Text::from(&*row.metric), Text::from(&*row.share), set]
            })
            .collect();
        page.table(2, &rows, &[]);
    }
    if !report.probes.is_empty() {
        page.gap();
        for said in &report.probes {
            probe(page, said);
        }
    }
}

fn verdict(word: &str) -> (Style, &'static str) {
    match word {
        "passed" => (Style::Good, "as declared"),
        "failed" => (Style::Bad, "not as declared"),
        _ => (Style::Warn, "cannot be told"),
    }
}

/// One probe: the verdict, why, and the numbers.
fn probe(page: &mut Page, said: &ProbeSaid) {
    let (style, word) = verdict(&said.verdict);
    let left = Text::new().then(Style::Strong, &said.probe).plain("  ").then(style, word);
    let date = said.finished.get(..10).unwrap_or_default();
    page.row(0, left, Text::new().then(Style::Dim, date));
    for reason in &said.reasons {
        page.line(2, reason.as_str());
    }
    let mut rows: Vec<Vec<Text>> = said
        .shares
        .iter()
        .map(|(metric, share)| vec![Text::from(&**metric), Text::from(grace_models::judge::percent(share.count()))])
        .collect();
    let mut row = |name: &str, text: String| rows.push(vec![Text::from(name), Text::from(text)]);
    if said.times.n > 0 {
        let time = |milliseconds: u64| duration(Duration::from_millis(milliseconds));
        let mut text = format!("half within {}, 95 % within {}", time(said.times.p50_ms), time(said.times.p95_ms));
        // From 59 on, the largest of all is an upper bound for 95 % at 95 %.
        if said.times.n < 59 {
            text.push_str(&format!(" (of {} alone)", said.times.n));
        }
        if let Some(first) = said.times.first_text_ms {
            text.push_str(&format!(", first text after {}", time(first)));
        }
        if let Some(speed) = said.times.tokens_per_second_thousandths {
            text.push_str(&format!(", {}.{} tokens/s", speed / 1000, speed % 1000 / 100));
        }
        row("answers", text);
    }
    if let Some(window) = &said.window {
        let beyond = match window.edge.as_str() {
            "refused" => "longer questions are refused",
            "cut" => "longer questions are cut in silence",
            _ => "its end was not reached",
        };
        row("takes", format!("{} {}, {beyond}", thousands(window.served), window.unit));
        row("remembers", format!("the first line of {} {}", thousands(window.effective), window.unit));
    }
    let unanswered: u32 = said.faults.values().sum();
    if unanswered > 0 {
        let words: Vec<String> = said.faults.iter().map(|(word, times)| format!("{times} {word}")).collect();
        row("no answer", format!("{unanswered} of {}: {}", said.asked, words.join(", ")));
    }
    page.table(2, &rows, &[]);
}

/// What `check` and `probe` came to.
pub fn probed(page: &mut Page, report: &ProbeReport) {
    let records: Vec<String> = report.records.iter().map(ToString::to_string).collect();
    let mut left = Text::new().then(Style::Strong, &report.model);
    match report.health {
        Some("healthy") => left.push(Style::Good, "  healthy"),
        Some(_) => left.push(Style::Bad, "  does not answer"),
        None => {}
    }
    page.row(0, left, Text::new().then(Style::Dim, format!("record {}", records.join(", "))));
    for finding in &report.findings {
        page.hanging(0, &Text::new().then(Style::Warn, "note  "), finding.as_str());
    }
    page.gap();
    for said in &report.probes {
        probe(page, said);
    }
    taken_in(page, None, &report.notices);
}

/// What differs.
pub fn diff(page: &mut Page, report: &DiffReport) {
    let findings: usize = report.models.iter().map(|model| model.findings.len()).sum();
    let right = Text::new().then(Style::Dim, &report.compared);
    if report.models.is_empty() {
        return page.row(0, "no model differs", right);
    }
    page.row(
        0,
        format!("{}, {}", count(report.models.len() as u64, "model"), count(findings as u64, "finding")),
        right,
    );
    for model in &report.models {
        page.gap();
        page.line(0, Text::new().then(Style::Strong, &model.model).plain(format!("  {}", model.how)));
        for finding in &model.findings {
            page.hanging(2, &Text::new().then(Style::Bad, "lost  "), finding.as_str());
        }
        let rows: Vec<Vec<Text>> = model
            .fields
            .iter()
            .map(|one| vec![Text::from(&*one.field), Text::from(format!("{} → {}", one.before, one.after))])
            .collect();
        page.table(2, &rows, &[]);
    }
}

/// Which model is to be asked, and why not the others.
pub fn select(page: &mut Page, report: &SelectReport) {
    let task = Text::new().then(Style::Dim, format!("task {}", report.task));
    match &report.chosen {
        Some(chosen) => page.row(0, Text::from("ask ").then(Style::Strong, chosen), task),
        None => page.row(0, Text::new().then(Style::Bad, "no model will do"), task),
    }
    for choice in report.models.iter().filter(|choice| choice.will_do) {
        page.gap();
        page.line(0, Text::new().then(Style::Strong, &choice.model));
        for why in &choice.why {
            page.line(2, why.as_str());
        }
    }
    let others: Vec<_> = report.models.iter().filter(|choice| !choice.will_do).collect();
    if !others.is_empty() {
        page.gap();
        let rows: Vec<Vec<Text>> = others
            .iter()
            .take(MOST_OTHERS)
            .map(|choice| vec![Text::from(&*choice.model), Text::new().then(Style::Dim, choice.why_not.join("; "))])
            .collect();
        page.table(0, &rows, &[]);
        if others.len() > MOST_OTHERS {
            page.line(0, format!("and {} more", others.len() - MOST_OTHERS));
        }
    }
}
