//! What people said of a change: who has agreed, what is missing and the command for it, what does not count and why.

use grace_engine::decide::Decision;
use grace_engine::plan::{Approval, Approver};
use grace_govern::agreement::Heard;

use super::page::{Page, Style, Text, printable};

/// Statements that do not count, shown one by one.
const MOST: usize = 6;

/// The name to give with `--as` for an approval.
fn as_word(approval: &Approval) -> &str {
    match &approval.by {
        Approver::Team { name, .. } => name,
        Approver::OwnerOf { .. } => "owner",
        Approver::Anyone => "anyone",
    }
}

/// A day of a moment: what people read of it.
fn day(moment: &str) -> &str {
    moment.get(..10).unwrap_or(moment)
}

/// Who has agreed, and what does not count.
pub fn heard(page: &mut Page, heard: &Heard) {
    let mut rows = Vec::new();
    for (index, approval) in heard.approvals.iter().enumerate() {
        let label = if index == 0 { "approved" } else { "" };
        let by = Text::new().then(Style::Good, &approval.by).plain(format!(" as {}", approval.r#as));
        let note = format!("until {} · {}", day(&approval.until), approval.envelope.get(..12).unwrap_or_default());
        rows.push(vec![Text::from(label), by, Text::new().then(Style::Dim, note)]);
    }
    page.table(0, &rows, &[]);
    if heard.uncounted.is_empty() {
        return;
    }
    page.line(0, Text::new().then(Style::Warn, "does not count"));
    for one in heard.uncounted.iter().take(MOST) {
        page.hanging(2, &Text::from(format!("{}  ", one.envelope)), format!("{}: {}", one.by, one.why));
    }
    if heard.uncounted.len() > MOST {
        page.line(2, Text::new().then(Style::Dim, format!("and {} more", heard.uncounted.len() - MOST)));
    }
}

/// Approvals that are missing.
fn lacking(decision: &Decision) -> impl Iterator<Item = &Approval> {
    decision.asked.iter().filter(|approval| decision.missing_approvals.contains(&approval.name))
}

/// The command that gives an approval; `named` names the change to it.
fn command(plan: &str, named: &str, approval: &Approval) -> String {
    let name = plan.get(..32).unwrap_or(plan);
    printable(format!("grace-rules approve {name} --as {} {named}", as_word(approval)).trim_end())
}

/// The commands that give what is missing.
#[must_use]
pub fn commands(plan: &str, named: &str, decision: &Decision) -> Vec<String> {
    lacking(decision).map(|approval| command(plan, named, approval)).collect()
}

/// What is missing, each with the command that gives it.
pub fn missing(page: &mut Page, plan: &str, named: &str, decision: &Decision) {
    for (index, approval) in lacking(decision).enumerate() {
        let label = if index == 0 { "missing  " } else { "         " };
        page.line(0, Text::from(label).then(Style::Strong, &approval.name));
        // In one piece, however wide: it is there to be copied.
        page.block(&format!("         {}", command(plan, named, approval)));
    }
}

/// A statement that was just signed.
pub fn said(page: &mut Page, said: &str, of: &str, by: &str, until: &str, envelope: &str, key: &str) {
    let (word, style) = match said {
        "approve" => ("approved", Style::Good),
        "deny" => ("denied", Style::Bad),
        "grant" => ("granted", Style::Good),
        "halt" => ("halted", Style::Bad),
        "resume" | "lift" => ("lifted", Style::Good),
        "review" => ("reviewed", Style::Good),
        _ => ("revoked", Style::Warn),
    };
    let what = Text::new().then(style, word).plain(format!(" {of} by {by}"));
    page.row(0, what, Text::new().then(Style::Dim, envelope));
    if !["revoke", "halt", "resume", "lift"].contains(&said) {
        page.line(2, format!("until {}, key {key}", day(until)));
    }
}

/// What is missing after it.
pub fn still_missing(page: &mut Page, decision: Option<&Decision>) {
    let Some(decision) = decision else { return };
    let people = decision.reasons.iter().filter(|reason| reason.what.contains("different people")).map(|r| &r.what);
    let missing: Vec<&String> = decision.missing_approvals.iter().chain(people).collect();
    for (index, name) in missing.iter().enumerate() {
        page.hanging(2, &Text::from(if index == 0 { "missing  " } else { "         " }), name.as_str());
    }
    if missing.is_empty() && decision.asked.iter().len() > 0 {
        page.line(2, "no approval is missing");
    }
}

/// How it gets to others.
pub fn share(page: &mut Page) {
    page.line(0, Text::new().then(Style::Dim, "share it: git push origin 'refs/grace/*:refs/grace/*'"));
}
