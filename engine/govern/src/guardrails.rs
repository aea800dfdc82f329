//! Guardrails: signs that text was written without sense. They look at the lines that a change adds to a file of code.
//!
//! Three kinds: the same lines over and over (`repetition`), names that are no words (`nonsense_identifiers`), and logic that
//! contradicts itself (`contradictions`). Each says what it saw and why that is odd; none proves that a change is bad. The
//! work is linear in the text, whatever it holds. docs/audit-loop.md says what was measured.

mod conditions;
mod lines;
mod logic;
pub mod names;
mod repetition;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lines::Line;

/// Bytes of one file that are looked at.
const MAX_BYTES: usize = 2 << 20;
/// Findings of one kind in one file.
const MOST: usize = 20;

/// How a file is written, as far as that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// Python.
    Python,
    /// JavaScript and TypeScript.
    Script,
    /// Rust.
    Rust,
    /// Go.
    Go,
}

impl Syntax {
    /// The syntax of a file by its name; `None` for what is no code that is known here.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        // What a tool made small is no text that somebody wrote.
        if name.contains(".min.") {
            return None;
        }
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "py" | "pyi" => Some(Self::Python),
            "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" | "cts" => Some(Self::Script),
            "rs" => Some(Self::Rust),
            "go" => Some(Self::Go),
            _ => None,
        }
    }
}

/// A kind of guardrail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guardrail {
    /// The same lines over and over.
    Repetition,
    /// Names that are no words.
    NonsenseIdentifiers,
    /// Logic that contradicts itself.
    Contradictions,
}

impl Guardrail {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Repetition, Self::NonsenseIdentifiers, Self::Contradictions];

    /// As rules write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Repetition => "repetition",
            Self::NonsenseIdentifiers => "nonsense_identifiers",
            Self::Contradictions => "contradictions",
        }
    }
}

/// What a guardrail saw.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The file.
    pub file: String,
    /// The line in the file after the change, from 1.
    pub line: u32,
    /// Which guardrail.
    pub guardrail: Guardrail,
    /// What was seen, and why it is odd.
    pub what: String,
}

/// Looks at a file: all of its text after the change, and the numbers (from 1) of the lines that the change added.
#[must_use]
pub fn look(file: &str, text: &str, added: &BTreeSet<u32>) -> Vec<Finding> {
    let Some(syntax) = Syntax::of(file) else { return Vec::new() };
    // A `.ts` may be a table of translations.
    let is_markup = text.trim_start().starts_with("<?xml");
    if text.len() > MAX_BYTES || added.is_empty() || is_markup {
        return Vec::new();
    }
    let lines = lines::read(text, syntax, added);
    let mut findings = Vec::new();
    for (guardrail, seen) in [
        (Guardrail::Repetition, repetition::look(&lines)),
        (Guardrail::NonsenseIdentifiers, names::look(&lines)),
        (Guardrail::Contradictions, logic::look(&lines, syntax)),
    ] {
        let finding = |(line, what)| Finding { file: file.to_owned(), line, guardrail, what };
        findings.extend(seen.into_iter().take(MOST).map(finding));
    }
    findings.sort();
    findings
}

/// What is seen in one file: the line's number and what.
type Seen = Vec<(u32, String)>;

/// Text as it is told: short.
fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;
