//! Short notes below an answer: what could not be read, where to look next, what a code means.

use grace_engine::plan::Plan;
use grace_system::Problem;
use schemars::JsonSchema;
use serde::Serialize;

use super::numbers::{count, thousands};
use super::page::{Page, Style, Text};

/// Problems named one by one; the rest is counted.
const MOST: usize = 5;

/// Files that could not be read or listed.
pub fn problems(page: &mut Page, problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    page.gap();
    page.line(0, Text::new().then(Style::Warn, format!("{} could not be read", count(problems.len() as u64, "file"))));
    for problem in problems.iter().take(MOST) {
        page.hanging(2, &Text::new(), format!("{}: {}", problem.path, problem.message));
    }
    if problems.len() > MOST {
        page.line(2, Text::new().then(Style::Dim, format!("and {} more", thousands((problems.len() - MOST) as u64))));
    }
}

/// One line with the questions that this plan invites.
pub fn next(page: &mut Page, plan: &Plan) {
    let mut questions = Vec::new();
    if plan.tier_derivation.len() > 1
        || plan.tier_derivation.first().is_some_and(|d| d.more_evidence > 0 || d.evidence.len() > 3)
    {
        questions.push("tier".to_owned());
    }
    if let Some(bundle) = plan.bundles.first() {
        questions.push(format!("bundle {}", bundle.name));
    } else if let Some(bundle) = plan.not_run.first() {
        questions.push(format!("bundle {}", bundle.name));
    }
    if questions.is_empty() {
        questions.push("tier".to_owned());
    }
    page.gap();
    page.line(0, Text::new().then(Style::Dim, format!("why: grace-rules explain {}", questions.join(" · explain "))));
}

/// What a code of `check` means.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Explained {
    /// `E021`, `F003`.
    pub code: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// Why it is a mistake.
    pub reason: &'static str,
    /// A text that gives it; empty where a few lines cannot.
    pub bad: &'static str,
    /// The same text put right.
    pub good: &'static str,
}

/// The page of a code.
pub fn code(page: &mut Page, explained: &Explained) {
    page.line(0, Text::new().then(Style::Strong, explained.code).plain(format!("  {}", explained.title)));
    page.gap();
    page.line(0, explained.reason);
    for (title, text) in [("this gives it", explained.bad), ("this does not", explained.good)] {
        if !text.is_empty() {
            page.gap();
            page.line(0, Text::new().then(Style::Dim, title));
            for line in text.lines() {
                let indent = line.len() - line.trim_start().len();
                page.line(2 + indent, line.trim_start());
            }
        }
    }
}
