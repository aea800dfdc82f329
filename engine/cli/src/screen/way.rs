//! A way from one thing to another, edge by edge.

use grace_graph::code::{EdgeKind, Evidence};
use schemars::JsonSchema;
use serde::Serialize;

use super::numbers::count;
use super::page::{Page, Style, Text};
use super::stats::{edge_word, evidence_word};

/// One edge of a way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Step {
    /// Dotted name of what uses.
    pub from: String,
    /// Dotted name of what is used.
    pub to: String,
    /// How.
    #[schemars(with = "String")]
    pub kind: EdgeKind,
    /// How that is known.
    #[schemars(with = "String")]
    pub evidence: Evidence,
    /// The file in which it says so.
    pub path: String,
    /// The line, 1-based; 0 where it is not known.
    pub line: u32,
}

/// The way from `from` to `to`; `None` where there is none.
pub fn way(page: &mut Page, from: &str, to: &str, steps: Option<&Vec<Step>>) {
    let Some(steps) = steps else {
        return page.line(0, format!("{from} does not use {to}, as far as static reading tells"));
    };
    let Some(first) = steps.first() else {
        return page.line(0, format!("{from} and {to} have a part in common"));
    };
    page.line(0, Text::new().then(Style::Strong, &first.from));
    for step in steps {
        let how = format!("{} ({}) ", edge_word(step.kind), evidence_word(step.evidence));
        let text = Text::new().then(Style::Dim, how).then(Style::Strong, &step.to);
        page.row(2, text, Text::new().then(Style::Dim, format!("{}:{}", step.path, step.line)));
    }
    page.gap();
    page.line(0, count(steps.len() as u64, "step"));
}
