//! A plan on the screen.

use std::collections::BTreeSet;
use std::time::Duration;

use grace_engine::input::RAISED;
use grace_engine::plan::{
    AfterRun, Approval, Approver, BundlePlan, Derivation, Plan, SelectionMode, Sources, TierApprove,
};

use grace_govern::monitor::raises::LIFTED;

use super::numbers::{about, count, decimal, thousands};
use super::page::{Page, Style, Text};
use super::proof;
use crate::load::estimate::Estimate;

/// Pieces of evidence shown for the tier; `explain tier` has them all.
const EVIDENCE: usize = 3;
/// Unknowns shown, those that decide the tier first; of these, up to four times as many.
const MOST_UNKNOWNS: usize = 8;

/// The short form of a plan's id.
#[must_use]
pub fn short_id(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// Everything that a reader needs to act on a plan. `compared` says what was compared: `work tree against HEAD (1a2b3c4)`.
pub fn plan(page: &mut Page, plan: &Plan, compared: &str, estimate: Option<Estimate>) {
    let id = Text::new().then(Style::Dim, format!("plan {}", short_id(&plan.id)));
    page.row(0, compared, id);
    page.line(0, change(plan));
    page.gap();
    if plan.change.files == 0 && plan.unknowns.is_empty() {
        return page.line(0, tier_line(plan));
    }
    denials(page, plan);
    tier(page, plan);
    lifted(page, plan);
    page.gap();
    duties(page, plan);
    page.gap();
    bundles(page, plan, estimate);
    validations(page, plan);
    not_run(page, plan);
    after_run(page, plan);
    unknowns(page, plan);
    if let Some(date) = &plan.valid_until {
        page.line(0, format!("valid until {date}; then a date in the rules changes it"));
    }
}

fn change(plan: &Plan) -> String {
    let change = &plan.change;
    if change.files == 0 {
        return "nothing changed".to_owned();
    }
    let mut text = format!("{} changed", count(change.files.into(), "file"));
    if change.lines_added > 0 || change.lines_removed > 0 {
        text.push_str(&format!(
            " (+{} −{})",
            thousands(change.lines_added.into()),
            thousands(change.lines_removed.into())
        ));
    }
    text.push_str(&format!(", {}", count(change.parts.into(), "part")));
    if change.reach > 0 {
        text.push_str(&format!("; {} more within reach", thousands(change.reach.into())));
    }
    text
}

fn denials(page: &mut Page, plan: &Plan) {
    for denial in &plan.denials {
        let first = denial.derivation.first();
        let right = first.map(|d| proof::rule_place(&d.file, d.line)).unwrap_or_default();
        page.row(0, Text::new().then(Style::Bad, "denied").plain("  rule ").then(Style::Strong, &denial.name), right);
        if let Some(first) = first {
            page.quote(2, &first.because);
            proof::evidence_list(page, 2, &first.evidence, first.more_evidence, EVIDENCE, proof::Depth::Brief);
        }
        if let Some(remedy) = &denial.remedy {
            page.hanging(2, &Text::from("instead: "), remedy.as_str());
        }
        page.gap();
    }
}

/// `tier 3 (sensitive): people approve`.
#[must_use]
pub fn tier_line(plan: &Plan) -> Text {
    let approve = match plan.approve {
        TierApprove::Automatically => "approved automatically",
        TierApprove::ByRules => "the rules decide",
        TierApprove::People => "people approve",
    };
    let style = if plan.tier >= 3 { Style::Warn } else { Style::Strong };
    let name = if plan.tier_name.is_empty() { String::new() } else { format!(" {}", plan.tier_name) };
    Text::new().then(style, format!("tier {}", plan.tier)).plain(format!("{name}, {approve}"))
}

fn tier(page: &mut Page, plan: &Plan) {
    let Some(first) = plan.tier_derivation.first() else { return page.line(0, tier_line(plan)) };
    let line = tier_line(plan);
    let rule = Text::new().then(Style::Strong, &first.rule);
    let place = proof::rule_place(&first.file, first.line);
    let both = match place.width() {
        0 => rule.clone(),
        _ => rule.clone().then(Style::Dim, format!(" · {}:{}", first.file, first.line)),
    };
    if line.width() + 2 + both.width() <= page.width() {
        page.row(0, line, both);
    } else {
        page.line(0, line);
        page.row(2, rule, place);
    }
    page.quote(2, &first.because);
    if first.by_unknown {
        page.line(2, Text::new().then(Style::Warn, "it cannot be told whether this rule fires, so it counts as fired"));
    }
    proof::evidence_list(page, 2, &first.evidence, first.more_evidence, EVIDENCE, proof::Depth::Brief);
    let others: Vec<&Derivation> = plan.tier_derivation.iter().skip(1).collect();
    if !others.is_empty() {
        page.hanging(2, &Text::from("also by "), names(others.iter().map(|d| d.rule.as_str()), 6));
    }
}

/// Raised tiers that people lifted: no reasons any more, and to be seen all the same.
fn lifted(page: &mut Page, plan: &Plan) {
    let fired = plan.rules.iter().flat_map(|rule| rule.derivation.first());
    for lifted in fired.filter(|first| first.file.starts_with(RAISED) && first.rule.starts_with(LIFTED)) {
        page.hanging(2, &Text::from("lifted  "), lifted.because.as_str());
    }
}

/// Names, each once, in order; beyond `most`, how many more.
fn names<'a>(names: impl Iterator<Item = &'a str>, most: usize) -> String {
    let mut seen = BTreeSet::new();
    let unique: Vec<&str> = names.filter(|name| seen.insert(*name)).collect();
    let mut text = unique.iter().take(most).copied().collect::<Vec<_>>().join(", ");
    if unique.len() > most {
        text.push_str(&format!(" and {} more", thousands((unique.len() - most) as u64)));
    }
    text
}

fn duties(page: &mut Page, plan: &Plan) {
    let mut rows = Vec::new();
    for (index, approval) in plan.approvals.iter().enumerate() {
        let label = if index == 0 { "approvals" } else { "" };
        rows.push(vec![Text::from(label), approval_line(approval)]);
    }
    let missing: Vec<&str> =
        plan.duties.iter().filter(|duty| duty.given.is_none()).map(|duty| duty.name.as_str()).collect();
    if !missing.is_empty() {
        rows.push(vec![Text::from("also needed"), names(missing.into_iter(), 12).into()]);
    }
    if let Some(trust) = &plan.trust {
        let rules = names(trust.derivation.iter().map(|d| d.rule.as_str()), 3);
        rows.push(vec![Text::from("trust"), Text::from(format!("at least {} · {rules}", decimal(trust.at_least)))]);
    }
    if !plan.principles.is_empty() {
        rows.push(vec![Text::from("principles"), names(plan.principles.iter().map(|p| p.name.as_str()), 12).into()]);
    }
    if !plan.intents.is_empty() {
        rows.push(vec![Text::from("intents"), names(plan.intents.iter().map(|p| p.name.as_str()), 12).into()]);
    }
    page.table(0, &rows, &[]);
}

/// `1 of team(governance)  alice@example.org, bob@example.org`.
#[must_use]
pub fn approval_line(approval: &Approval) -> Text {
    let mut text = Text::new().then(Style::Strong, &approval.name);
    let members: Vec<&str> = match &approval.by {
        Approver::Team { members, .. } => members.iter().map(String::as_str).collect(),
        Approver::OwnerOf { owners, .. } => owners.iter().map(String::as_str).collect(),
        Approver::Anyone => Vec::new(),
    };
    match (&approval.by, members.is_empty()) {
        (Approver::Team { .. }, true) => {
            text.push(Style::Warn, "  the team has no member");
        }
        (Approver::OwnerOf { .. }, true) => {
            text.push(Style::Warn, "  the file has no owner");
        }
        (_, true) => {}
        (_, false) => {
            text.push(Style::Dim, &format!("  {}", names(members.into_iter(), 4)));
        }
    }
    if approval.extra {
        text.push(Style::Dim, "  (serves no other requirement)");
    }
    text
}

fn bundles(page: &mut Page, plan: &Plan, estimate: Option<Estimate>) {
    if plan.bundles.is_empty() {
        return page.line(0, if plan.not_run.is_empty() { "no bundle is defined" } else { "no bundle to run" });
    }
    let selected: BTreeSet<&str> =
        plan.bundles.iter().flat_map(|bundle| bundle.selected.iter().map(String::as_str)).collect();
    let running = plan.bundles.iter().filter(|bundle| !bundle.runs_nothing()).count() as u64;
    let mut title = match running {
        0 => "nothing to run".to_owned(),
        _ => format!("run {}", count(running, "bundle")),
    };
    if !selected.is_empty() {
        let all = plan.change.tests.max(u32::try_from(selected.len()).unwrap_or(u32::MAX));
        title.push_str(&format!(", {} of {}", thousands(selected.len() as u64), count(all.into(), "test")));
    }
    if let Some(estimate) = estimate.filter(|_| running > 0) {
        let word = if estimate.complete { "about" } else { "more than" };
        title.push_str(&format!(", {word} {}", about(Duration::from_millis(estimate.milliseconds))));
    }
    page.line(0, Text::new().then(Style::Strong, title));
    let critical = plan.bundles.iter().any(|bundle| bundle.critical);
    let rows: Vec<Vec<Text>> = plan
        .bundles
        .iter()
        .map(|bundle| {
            let mut row = vec![Text::new().then(Style::Strong, &bundle.name)];
            if critical {
                row.push(if bundle.critical { Text::new().then(Style::Warn, "critical") } else { Text::new() });
            }
            row.push(Text::from(size(bundle)));
            row.push(reasons(plan, bundle));
            row
        })
        .collect();
    page.table(2, &rows, &[if critical { 2 } else { 1 }]);
}

fn size(bundle: &BundlePlan) -> String {
    let (all, chosen) = (bundle.tests.len() as u64, bundle.selected.len() as u64);
    if bundle.runs_nothing() {
        format!("0 of {}", count(all, "test"))
    } else if bundle.narrowed && chosen < all {
        let whole = match bundle.whole.len() as u64 {
            0 => String::new(),
            files => format!(" + {}", count(files, "file")),
        };
        format!("{} of {}{whole}", thousands(chosen), count(all, "test"))
    } else if all > 0 {
        count(all, "test")
    } else if !bundle.files.is_empty() {
        count(bundle.files.len() as u64, "file")
    } else {
        "no tests".to_owned()
    }
}

/// What chose the tests, where a record has a say.
fn sources(sources: &Sources) -> String {
    if sources.with_record == 0 {
        return String::new();
    }
    let all = [
        (sources.changed, "changed"),
        (sources.failed, "failed before"),
        (sources.recorded, "by record"),
        (sources.read, "by reading"),
    ];
    let told = all.into_iter().filter(|(number, _)| *number > 0);
    let told: Vec<String> = told.map(|(number, how)| format!("{} {how}", thousands(number.into()))).collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

fn reasons(plan: &Plan, bundle: &BundlePlan) -> Text {
    let mut text = Text::new().then(Style::Dim, names(bundle.derivation.iter().map(|d| d.rule.as_str()), 2));
    if bundle.runs_nothing() {
        text.push(Style::Dim, ", narrowed: none is reached");
    } else if let Some(first) = bundle.widened.first() {
        text.push(Style::Warn, &format!(", not narrowed: {} {}", first.what, first.cause.words()));
        if bundle.widened.len() > 1 {
            text.push(Style::Warn, &format!(", and {} more", bundle.widened.len() - 1));
        }
    } else if bundle.narrowed {
        text.push(Style::Dim, ", narrowed to impacted tests");
        text.push(Style::Dim, &sources(&bundle.sources));
    }
    if let Some(why) = &bundle.unused_record {
        text.push(Style::Dim, &format!("; its record is not used: {why}"));
    }
    if bundle.narrowed && plan.selection == Some(SelectionMode::Observe) {
        text.push(Style::Dim, "; all run, to see what that would miss");
    }
    if bundle.forms.len() > 1 {
        text.push(Style::Warn, ", in two forms: the change edits it");
    }
    text
}

fn validations(page: &mut Page, plan: &Plan) {
    if plan.validations.is_empty() {
        return;
    }
    page.gap();
    page.line(
        0,
        Text::new()
            .then(Style::Strong, format!("validate {}", count(plan.validations.len() as u64, "model behaviour"))),
    );
    let rows: Vec<Vec<Text>> = plan
        .validations
        .iter()
        .map(|validation| {
            let samples = validation.samples.map(|samples| count(samples.into(), "sample")).unwrap_or_default();
            let rules = names(validation.derivation.iter().map(|d| d.rule.as_str()), 3);
            vec![
                Text::new().then(Style::Strong, &validation.name),
                Text::from(samples),
                Text::new().then(Style::Dim, rules),
            ]
        })
        .collect();
    page.table(2, &rows, &[1]);
}

fn not_run(page: &mut Page, plan: &Plan) {
    if plan.not_run.is_empty() {
        return;
    }
    page.gap();
    let names = names(plan.not_run.iter().map(|bundle| bundle.name.as_str()), 12);
    page.hanging(0, &Text::from("not run  "), Text::new().then(Style::Dim, names));
}

fn after_run(page: &mut Page, plan: &Plan) {
    if plan.after_run.is_empty() {
        return;
    }
    page.gap();
    page.line(0, "judged after the run");
    let mut rows: Vec<Vec<Text>> = Vec::new();
    let mut told = BTreeSet::new();
    for rule in plan.after_run.iter().filter(|rule| told.insert(&rule.name)) {
        let asks = if_it_fires(rule);
        rows.push(vec![Text::new().then(Style::Strong, &rule.name), Text::new().then(Style::Dim, asks)]);
    }
    page.table(2, &rows, &[]);
}

/// What a rule asks for if it fires after the run: `tier 3, approval 1 of team(x), bundle chaos_smoke`.
fn if_it_fires(rule: &AfterRun) -> String {
    let mut asks: Vec<String> = Vec::new();
    if rule.denies {
        asks.push("denies".to_owned());
    }
    asks.extend(rule.tier.map(|tier| format!("tier {tier}")));
    asks.extend(rule.approvals.iter().map(|approval| format!("approval {}", approval.name)));
    asks.extend(rule.bundles.iter().map(|bundle| format!("bundle {}", bundle.name)));
    asks.extend(rule.validations.iter().map(|validation| format!("validation {}", validation.name)));
    asks.extend(rule.duties.iter().filter(|duty| duty.given.is_none()).map(|duty| duty.name.clone()));
    asks.extend(rule.trust.as_ref().map(|trust| format!("trust at least {}", decimal(trust.at_least))));
    let asks = names(asks.iter().map(String::as_str), 6);
    if rule.unknowns.is_empty() {
        asks
    } else {
        format!("{asks}; unknown: {}", names(rule.unknowns.iter().map(String::as_str), 4))
    }
}

fn unknowns(page: &mut Page, plan: &Plan) {
    if plan.unknowns.is_empty() {
        return;
    }
    page.gap();
    page.line(0, Text::new().then(Style::Warn, count(plan.unknowns.len() as u64, "unknown")));
    // What decides the tier is told first, and always.
    let mut shown: Vec<_> = plan.unknowns.iter().collect();
    shown.sort_by_key(|unknown| !unknown.decides_tier);
    let most = shown.iter().filter(|unknown| unknown.decides_tier).count().clamp(MOST_UNKNOWNS, 4 * MOST_UNKNOWNS);
    for unknown in shown.iter().take(most) {
        let mut text = Text::from(unknown.name.as_str());
        let rules = names(unknown.derivation.iter().map(|d| d.rule.as_str()), 4);
        if !rules.is_empty() {
            let plural = unknown.derivation.iter().map(|d| &d.rule).collect::<BTreeSet<_>>().len() > 1;
            text.push(Style::Dim, &format!("; {rules} {}", if plural { "count as fired" } else { "counts as fired" }));
        }
        if unknown.decides_tier {
            text.push(Style::Warn, &format!("; this alone makes it tier {}", plan.tier));
        }
        page.hanging(2, &Text::new(), text);
    }
    if shown.len() > most {
        page.line(2, Text::new().then(Style::Dim, format!("and {} more (--format json has all)", shown.len() - most)));
    }
}
