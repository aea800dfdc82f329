//! Reasons and proofs: a rule's words, what made it fire, and each step from the change to it.

use grace_engine::plan::{BookSide, CondSeen, Derivation, Evidence, InSet, PartRef, Side, Step, Truth};

use super::numbers::{decimal, thousands};
use super::page::{Page, Style, Text};

/// `path:line`, dim; empty where there is no path.
#[must_use]
pub fn place(path: &str, line: u32) -> Text {
    match line {
        _ if path.is_empty() => Text::new(),
        0 => Text::new().then(Style::Dim, path),
        line => Text::new().then(Style::Dim, format!("{path}:{line}")),
    }
}

/// Where a rule stands; nothing for a built-in one, whose name says so.
#[must_use]
pub fn rule_place(file: &str, line: u32) -> Text {
    if file == "built-in" { Text::new() } else { place(file, line) }
}

/// Where a part stands; nothing where its name is its path.
#[must_use]
pub fn part_place(part: &PartRef) -> Text {
    let text = if part.name == part.path && part.line <= 1 { Text::new() } else { place(&part.path, part.line) };
    if part.side == Side::Before && text.width() > 0 { text.then(Style::Dim, " (before)") } else { text }
}

/// What a rule book's side means to a reader; nothing where both say the same.
#[must_use]
pub fn book_note(book: BookSide) -> &'static str {
    match book {
        BookSide::Both | BookSide::BuiltIn => "",
        BookSide::Before => " (as the rules stood before)",
        BookSide::After => " (as this change writes it)",
    }
}

/// How much of a proof is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The set that the evidence is in, and where that is said: for a plan.
    Brief,
    /// Every step.
    Whole,
}

/// Proofs that a page shows already, by part and set, with the number of their reason.
#[derive(Debug, Clone, Default)]
pub struct Shown(Vec<(PartRef, String, usize)>);

impl Shown {
    /// The reason whose proof this piece would repeat; else it is remembered.
    fn earlier(&mut self, piece: &Evidence, reason: usize) -> Option<usize> {
        let (Evidence::Changed { part, set, proof, .. } | Evidence::Member { part, set, proof }) = piece else {
            return None;
        };
        if proof.len() < 2 {
            return None;
        }
        let earlier =
            self.0.iter().find(|(known, its_set, _)| known == part && its_set == set).map(|(.., reason)| *reason);
        if earlier.is_none() {
            self.0.push((part.clone(), set.clone(), reason));
        }
        earlier
    }
}

/// One reason: the rule, its words, its evidence. What an earlier reason proved is not proved again.
pub fn derivation(page: &mut Page, label: &str, derivation: &Derivation, shown: &mut Shown, number: usize) {
    let name =
        Text::new().plain(label).then(Style::Strong, &derivation.rule).then(Style::Dim, book_note(derivation.book));
    page.row(0, name, rule_place(&derivation.file, derivation.line));
    let inner = label.len().max(2);
    page.quote(inner, &derivation.because);
    if derivation.by_unknown {
        let sentence = "it cannot be told whether this rule fires, so it counts as fired";
        page.line(inner, Text::new().then(Style::Warn, sentence));
    }
    for (at, piece) in derivation.evidence.iter().enumerate() {
        if derivation.evidence[..at].contains(piece) {
            continue;
        }
        match shown.earlier(piece, number) {
            Some(earlier) => {
                evidence(page, inner, piece, Depth::Brief);
                page.line(inner + 2, Text::new().then(Style::Dim, format!("└ as in {earlier}")));
            }
            None => evidence(page, inner, piece, Depth::Whole),
        }
    }
    if derivation.more_evidence > 0 {
        page.line(
            inner,
            Text::new().then(Style::Dim, format!("and {} more", thousands(derivation.more_evidence.into()))),
        );
    }
}

/// Pieces of evidence, at most `most`, and how many more there are.
pub fn evidence_list(page: &mut Page, indent: usize, list: &[Evidence], more: u32, most: usize, depth: Depth) {
    for (number, piece) in list.iter().take(most).enumerate() {
        if !list[..number].contains(piece) {
            evidence(page, indent, piece, depth);
        }
    }
    let rest = list.len().saturating_sub(most) as u64 + u64::from(more);
    if rest > 0 {
        page.line(indent, Text::new().then(Style::Dim, format!("and {} more", thousands(rest))));
    }
}

/// How a part changed, in words.
fn changed(how: &[String]) -> String {
    let has = |word: &str| how.iter().any(|h| h == word);
    if has("added") {
        return "added".to_owned();
    }
    if has("removed") {
        return "removed".to_owned();
    }
    if has("unknown") {
        return "may have changed: it cannot be told how".to_owned();
    }
    let details: Vec<&str> = how
        .iter()
        .filter_map(|word| match word.as_str() {
            "renamed" | "bytes" => None,
            "mode" => Some("file mode"),
            "format" => Some("white space"),
            word => Some(word),
        })
        .collect();
    let verb = if has("renamed") { "moved or renamed" } else { "changed" };
    match (details.is_empty(), has("renamed")) {
        (true, _) => verb.to_owned(),
        (false, true) => format!("{verb}, changed: {}", details.join(", ")),
        (false, false) => format!("{verb}: {}", details.join(", ")),
    }
}

/// One piece of evidence with its proof.
pub fn evidence(page: &mut Page, indent: usize, evidence: &Evidence, depth: Depth) {
    match evidence {
        Evidence::Changed { part, how, set, proof } => {
            page.row(indent, format!("{} {}", part.name, changed(how)), part_place(part));
            membership(page, indent, set, proof, depth);
        }
        Evidence::Member { part, set, proof } => {
            page.row(indent, part.name.as_str(), part_place(part));
            membership(page, indent, set, proof, depth);
        }
        Evidence::NewEdge { edge, from, to, file, line, why, from_in, to_in } => {
            let why = match why.as_str() {
                "moved" => " (an end of it moved)",
                "retagged" => " (an end of it is tagged anew)",
                _ => " (new)",
            };
            page.row(indent, format!("{} {} {}{why}", from.name, verb(edge), to.name), place(file, *line));
            if depth == Depth::Whole {
                end(page, indent + 2, from, from_in);
                end(page, indent + 2, to, to_in);
            }
        }
        Evidence::Path { steps, from_in, to_in } => {
            chain(page, indent, steps);
            if let (Depth::Whole, Some(Step::Edge { from, .. }), Some(Step::Edge { to, .. })) =
                (depth, steps.first(), steps.last())
            {
                end(page, indent + 2, from, from_in);
                end(page, indent + 2, to, to_in);
            }
        }
        Evidence::Line { path, line, text } => page.row(indent, text.as_str(), place(path, *line)),
        Evidence::Test { part, how } => {
            let how =
                if how == "removed" { "removed".to_owned() } else { format!("weakened: {}", how.replace('_', " ")) };
            page.row(indent, format!("test {} {how}", part.name), part_place(part));
        }
        Evidence::Number { what, low, high, test } => {
            let value = if low == high { decimal(*low) } else { format!("{} to {}", decimal(*low), decimal(*high)) };
            page.line(indent, format!("{what} is {value}; the rule asks for {test}"));
        }
        Evidence::Model { model, field, value, proof, part } => {
            let value = if value.is_empty() { "unknown" } else { value };
            let right = part.as_ref().map(part_place).unwrap_or_default();
            page.row(indent, format!("model(\"{model}\") has {field} {value}"), right);
            if let Some(part) = part {
                page.line(indent, format!("└ used by {}", part.name));
            }
            steps(page, indent + 2, proof, field);
        }
        Evidence::Package { name, before, after, path, line } => {
            let moved = match (before, after) {
                (Some(before), Some(after)) => format!("{name} {before} → {after}"),
                (None, Some(after)) => format!("{name} {after} is new"),
                (Some(before), None) => format!("{name} {before} is gone"),
                (None, None) => name.clone(),
            };
            page.row(indent, moved, place(path, *line));
        }
        Evidence::Declared { what, value } if value.is_empty() => page.line(indent, format!("no {what} is given")),
        Evidence::Declared { what, value } => page.line(indent, format!("{what} {value}")),
        Evidence::Window { name, from, to } => page.line(indent, format!("window {name}, {from} to {to}")),
        Evidence::Outcome { bundle, outcome } => page.line(indent, format!("bundle {bundle} {outcome}")),
        Evidence::Missing { fact } => page.line(indent, Text::new().then(Style::Warn, format!("unknown: {fact}"))),
    }
}

/// The end of an edge or of a way, and why it counts.
fn end(page: &mut Page, indent: usize, part: &PartRef, why: &InSet) {
    // Everything is in `all`; it explains nothing.
    if why.set != "all" {
        page.row(indent, part.name.as_str(), part_place(part));
        membership(page, indent, &why.set, &why.proof, Depth::Whole);
    }
}

/// Why a part is in a set: the set, then each step.
fn membership(page: &mut Page, indent: usize, set: &str, proof: &[Step], depth: Depth) {
    let said = match proof.first() {
        Some(Step::In { set: first, .. } | Step::Named { name: first, .. }) => first == set,
        _ => false,
    };
    let proof = if depth == Depth::Brief { proof.get(..usize::from(said)).unwrap_or(proof) } else { proof };
    if set.is_empty() || said {
        steps(page, indent, proof, set);
    } else {
        page.line(indent, format!("└ in {set}"));
        steps(page, indent + 2, proof, set);
    }
}

/// Steps of a proof, each below the one that it supports. `set` is what they prove: where it has several halves, the proof
/// of each begins at the left.
pub fn steps(page: &mut Page, indent: usize, proof: &[Step], set: &str) {
    let mut depth = 0;
    for step in proof {
        match step {
            // Everything is in `all`; it explains nothing.
            Step::In { set, .. } if set == "all" => continue,
            Step::In { set: half, .. } | Step::Named { name: half, .. }
                if half != set && set.contains(half.as_str()) =>
            {
                depth = 0
            }
            _ => {}
        }
        // Deeper than this the eye no longer follows the indent.
        let indent = indent + 2 * usize::min(depth, 4);
        depth += 1;
        match step {
            Step::In { set, file, line } => page.row(indent, format!("└ in {set}"), place(file, *line)),
            Step::Named { name, file, line } => page.row(indent, format!("└ in {name}"), place(file, *line)),
            Step::Edge { kind, evidence, from, to, file, line } => {
                let sure = certainty(evidence);
                page.row(indent, format!("└ {} {} {}{sure}", from.name, verb(kind), to.name), place(file, *line));
            }
            Step::Inside { of, part } => page.row(indent, format!("└ inside the {of} {}", part.name), part_place(part)),
            Step::Opaque { reason } => {
                page.line(indent, Text::new().plain("└ ").then(Style::Warn, format!("it may be: {reason}")))
            }
        }
    }
}

/// A way from one part to another, one edge a line, arrows in the direction of reading.
pub fn chain(page: &mut Page, indent: usize, way: &[Step]) {
    let mut current: Option<&PartRef> = None;
    for step in way {
        match step {
            Step::Edge { kind, evidence, from, to, file, line } => {
                let sure = certainty(evidence);
                let backward = current.is_some_and(|part| part == to) || (current.is_none() && !starts_way(way, from));
                let (start, end) = if backward { (to, from) } else { (from, to) };
                if current != Some(start) {
                    page.row(indent, start.name.as_str(), part_place(start));
                }
                let text = if backward {
                    format!("← {} {}{sure}", passive(kind), end.name)
                } else {
                    format!("→ {} {}{sure}", verb(kind), end.name)
                };
                page.row(indent + 2, text, place(file, *line));
                current = Some(end);
            }
            other => steps(page, indent, std::slice::from_ref(other), ""),
        }
    }
}

/// Whether a way's first edge is walked from `from`: the second edge then meets its other end.
fn starts_way(way: &[Step], from: &PartRef) -> bool {
    let mut edges = way.iter().filter_map(|step| match step {
        Step::Edge { from, to, .. } => Some((from, to)),
        _ => None,
    });
    match (edges.next(), edges.next()) {
        (Some((_, end)), Some((a, b))) => (end == a || end == b) && !(from == a || from == b),
        _ => true,
    }
}

fn certainty(evidence: &str) -> &'static str {
    match evidence {
        "guess" => " (a guess by name)",
        "string" => " (named in a string)",
        "fixture" => " (as a fixture)",
        "declared" => " (declared by a rule)",
        "recorded" => " (seen at run time)",
        _ => "",
    }
}

fn verb(kind: &str) -> &str {
    match kind {
        "inherits" => "inherits from",
        "references" => "refers to",
        other => other,
    }
}

fn passive(kind: &str) -> &str {
    match kind {
        "imports" => "imported by",
        "calls" => "called by",
        "inherits" => "inherited by",
        "references" => "referred to by",
        other => other,
    }
}

/// Conditions with what was seen, indented as they are nested.
pub fn conditions(page: &mut Page, indent: usize, conditions: &[CondSeen]) {
    for condition in conditions {
        let inner = indent + 2 * condition.depth.min(6) as usize;
        let (mark, style) = match condition.truth {
            Truth::Yes => ("yes      ", Style::Good),
            Truth::No => ("no       ", Style::Dim),
            Truth::Unknown => ("unknown  ", Style::Warn),
        };
        page.hanging(inner, &Text::new().then(style, mark), condition.text.as_str());
        evidence_list(page, inner + mark.len(), &condition.seen, 0, 3, Depth::Whole);
    }
}
