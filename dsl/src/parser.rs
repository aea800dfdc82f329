//! Text to an owned, neutral tree. The only file that knows pest.
//!
//! No meaning is given to what was read and no message is written here: a failure is a place and the rules that were
//! tried there.

use std::ops::Range;

use pest::Parser as _;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pair;

/// What pest generates: the parser and the enum of rules.
mod generated {
    #![allow(missing_docs, clippy::all, reason = "generated from grace.pest")]

    /// The generated parser.
    #[derive(pest_derive::Parser)]
    #[grammar = "grace.pest"]
    pub(super) struct Grammar;
}

pub(crate) use generated::Rule;

/// A node of the tree: which rule matched, where, and what matched inside.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// The rule.
    pub(crate) rule: Rule,
    /// Byte range in the whole file.
    pub(crate) span: Range<usize>,
    /// Inner matches, in source order.
    pub(crate) kids: Vec<Node>,
}

impl Node {
    /// The first child of this rule.
    pub(crate) fn kid(&self, rule: Rule) -> Option<&Node> {
        self.kids.iter().find(|kid| kid.rule == rule)
    }

    /// All children of this rule.
    pub(crate) fn all(&self, rule: Rule) -> impl Iterator<Item = &Node> {
        self.kids.iter().filter(move |kid| kid.rule == rule)
    }

    /// Whether a child of this rule is there.
    pub(crate) fn has(&self, rule: Rule) -> bool {
        self.kid(rule).is_some()
    }
}

/// The furthest place that a parse reached, and what it tried there.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// Byte offset in the whole file.
    pub(crate) at: usize,
    /// Rules that would have gone on.
    pub(crate) expected: Vec<Rule>,
}

/// Parses `text[range]` by `rule`; spans and failures are offsets in `text`.
pub(crate) fn parse(rule: Rule, text: &str, range: Range<usize>) -> Result<Vec<Node>, Failure> {
    let base = range.start;
    let piece = text.get(range).unwrap_or_default();
    match generated::Grammar::parse(rule, piece) {
        Ok(pairs) => Ok(pairs.filter(|pair| pair.as_rule() != Rule::EOI).map(|pair| node(pair, base)).collect()),
        Err(error) => {
            let at = match error.location {
                InputLocation::Pos(at) => at,
                InputLocation::Span((at, _)) => at,
            };
            let expected = match error.variant {
                ErrorVariant::ParsingError { positives, .. } => positives,
                ErrorVariant::CustomError { .. } => Vec::new(),
            };
            Err(Failure { at: base + at, expected })
        }
    }
}

fn node(pair: Pair<'_, Rule>, base: usize) -> Node {
    let rule = pair.as_rule();
    let span = pair.as_span();
    let span = base + span.start()..base + span.end();
    Node { rule, span, kids: pair.into_inner().map(|kid| node(kid, base)).collect() }
}

/// The keyword that a rule stands for, where it is one.
pub(crate) fn keyword(rule: Rule) -> Option<String> {
    format!("{rule:?}").strip_prefix("k_").map(str::to_owned)
}

/// Whether a word may not name a set, because clauses, joints and items are told apart by it.
pub(crate) fn is_reserved(word: &str) -> bool {
    parse(Rule::reserved, word, 0..word.len()).is_ok_and(|found| found.iter().any(|node| node.span.end == word.len()))
}
