//! Python: one walk over the syntax tree, which is dropped at once.
//!
//! The walk is iterative (trees can be tens of thousands deep) and never asks a node for its n-th child where n can be
//! large. Digest buffers hold a canonical form of what is read: kinds, structure and token texts, without white space.

mod kinds;
mod seal;
mod walk;

use std::cell::RefCell;
use std::ops::ControlFlow;

use tree_sitter::{ParseOptions, Parser, Tree};

use super::Extractor;
use crate::facts::{ContentId, FileFacts, ProblemKind};

/// The extractor for Python.
pub(super) struct Python;

/// How often the parser may report progress before it is stopped: a count of steps, not a time, so that equal inputs give
/// equal facts on every machine. An ordinary text takes less than a tenth of it.
const BASE_STEPS: usize = 4_000;
const STEPS_PER_KIB: usize = 400;

thread_local! {
    static PARSER: RefCell<Option<Parser>> = const { RefCell::new(None) };
}

impl Extractor for Python {
    fn extract(&self, content: ContentId, text: &str) -> FileFacts {
        match parse(text) {
            Some(tree) => walk::read(content, text, &tree),
            None => FileFacts::unreadable(content, ProblemKind::OverBudget),
        }
    }
}

/// Parses within the budget; `None` when it is spent.
pub(crate) fn parse(text: &str) -> Option<Tree> {
    let mut steps = BASE_STEPS + text.len() / 1024 * STEPS_PER_KIB;
    let mut progress = |_: &tree_sitter::ParseState| {
        steps = steps.saturating_sub(1);
        if steps == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    PARSER.with_borrow_mut(|slot| {
        if slot.is_none() {
            let mut parser = Parser::new();
            parser.set_language(kinds::language()).ok()?;
            *slot = Some(parser);
        }
        let parser = slot.as_mut()?;
        let bytes = text.as_bytes();
        let options = ParseOptions::new().progress_callback(&mut progress);
        let tree = parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options));
        if tree.is_none() {
            parser.reset();
        }
        tree
    })
}
