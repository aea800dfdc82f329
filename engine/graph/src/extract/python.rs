//! Python: one walk over the rows of a text for facts, another one for digests where they are asked for; they are dropped at
//! once. [`parser`] gives them in most cases, and tree-sitter in all others.
//!
//! The walks are iterative (trees can be tens of thousands deep) and never ask a node for its n-th child where n can be
//! large.

mod between;
mod bindings;
mod chains;
mod computed;
mod digest;
mod kinds;
mod lexical;
mod parser;
mod stack;
mod tree;
mod walk;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use tree_sitter::{ParseOptions, Parser, Tree};

use lexical::Lexical;

use super::Extractor;
use crate::facts::{ContentId, FileFacts, PartDigests, Problem, ProblemKind};

/// The extractor for Python.
pub(super) struct Python;

/// How often the parser may report progress before it is stopped: a count of steps, not a time, so that equal inputs give
/// equal facts on every machine. Of 10,000 real files the densest took 20 steps a KiB, and broken ones 3,300 in all (0.2 s);
/// a text of nothing but names and commas takes 76 a KiB.
const BASE_STEPS: usize = 8_000;
const STEPS_PER_KIB: usize = 100;

thread_local! {
    static PARSER: RefCell<Option<Parser>> = const { RefCell::new(None) };
}

impl Extractor for Python {
    fn extract(&self, content: ContentId, text: &str) -> FileFacts {
        Parsed::of(text).map_or_else(|| unread(content), |parsed| parsed.facts(content))
    }

    fn extract_with_digests(&self, content: ContentId, text: &str, raw: &str) -> FileFacts {
        let Some(parsed) = Parsed::of(text) else { return unread(content) };
        let digests = parsed.digests();
        let Lexical { reads_otherwise, quiet } = match text == raw {
            true => parsed.lexical(),
            false => Parsed::of(raw).map_or(Lexical::UNKNOWN, |parsed| parsed.lexical()),
        };
        FileFacts { digests, reads_otherwise, quiet, ..parsed.facts(content) }
    }
}

fn unread(content: ContentId) -> FileFacts {
    FileFacts::unreadable(content, ProblemKind::OverBudget)
}

/// A text with its rows.
struct Parsed<'t> {
    /// What of the text is code.
    code: &'t str,
    /// The tags behind it.
    tags: &'t str,
    tree: tree::Tree,
}

impl<'t> Parsed<'t> {
    /// `None` where the budget is spent.
    fn of(text: &'t str) -> Option<Self> {
        if let Some(tree) = parser::parse(text) {
            return Some(Self { code: text, tags: "", tree });
        }
        let (code, tree) = code_of(text)?;
        let tree = tree::Tree::convert(&tree, code);
        Some(Self { code, tags: &text[code.len()..], tree })
    }

    fn facts(&self, content: ContentId) -> FileFacts {
        let mut facts = walk::read(content, self.code, &self.tree);
        if !self.tags.is_empty() {
            let line = self.code.bytes().filter(|&byte| byte == b'\n').count() as u32 + 1;
            facts.problems = Box::new([Problem { kind: ProblemKind::StrayTags, line }]);
        }
        facts
    }

    fn digests(&self) -> Box<[PartDigests]> {
        let mut digests = digest::read(self.code, &self.tree);
        // With the tags Python rejects the file, so that they come or go means something.
        let tags = self.tags.trim();
        if let (false, Some(module)) = (tags.is_empty(), digests.first_mut()) {
            for digest in [&mut module.body, &mut module.body_alone] {
                let mut hasher = blake3::Hasher::new();
                hasher.update(&digest[..]).update(tags.as_bytes());
                let length = digest.len();
                digest.copy_from_slice(&hasher.finalize().as_bytes()[..length]);
            }
        }
        digests
    }

    fn lexical(&self) -> Lexical {
        if self.tree.has_errors || !self.tags.is_empty() {
            return Lexical::UNKNOWN;
        }
        Lexical::of(self.code, &self.tree)
    }
}

/// The code of a file with its tree; `None` when the budget is spent.
///
/// What is pasted out of a chat often ends in the tags that enclosed it (`]</code></edit_file>`). They hold no code, so
/// where all before them parses, nothing of the file is hidden.
fn code_of(text: &str) -> Option<(&str, Tree)> {
    let tree = parse(text)?;
    if tree.root_node().has_error()
        && let Some(code) = without_closing_tags(text)
        && let Some(clean) = parse(code)
        && !clean.root_node().has_error()
    {
        return Some((code, clean));
    }
    Some((text, tree))
}

/// The text before the closing tags that it ends in; `None` where it ends in none.
fn without_closing_tags(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(inner) = rest.trim_end().strip_suffix('>')
        && let Some((before, tag)) = inner.rsplit_once("</")
        && tag.starts_with(|first: char| first.is_ascii_alphabetic())
        && tag.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-'))
    {
        rest = before;
    }
    (rest.len() < text.len()).then_some(rest)
}

/// How the two parsers read a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The parser of this crate leaves it to tree-sitter.
    Left,
    /// Both give the same rows, of this number.
    Alike(usize),
    /// They differ.
    Differs {
        /// The line (from 1) of the first row that does.
        line: u32,
        /// That row, as the parser of this crate gives it.
        own: String,
        /// The same as tree-sitter gives it.
        other: String,
    },
}

/// Compares what the parser of this crate reads with what tree-sitter does.
#[must_use]
pub fn compare_parsers(text: &str) -> Reading {
    let Some(own) = parser::parse(text) else { return Reading::Left };
    let other = match parse(text) {
        Some(tree) => tree::Tree::convert(&tree, text),
        None => tree::Tree { rows: Vec::new(), has_errors: true, comments: Vec::new() },
    };
    if own == other {
        return Reading::Alike(own.rows.len());
    }
    let at = own.rows.iter().zip(&other.rows).take_while(|(own, other)| own == other).count();
    let say = |tree: &tree::Tree| {
        let row = tree.rows.get(at);
        let text = row.and_then(|row| text.get(row.start as usize..row.end as usize)).unwrap_or_default();
        format!("{row:?} {text:?}{}", if tree.has_errors { ", with errors" } else { "" })
    };
    let line = own.rows.get(at).or(own.rows.last()).map_or(0, |row| row.line) + 1;
    Reading::Differs { line, own: say(&own), other: say(&other) }
}

/// Parses within the budget; `None` when it is spent.
fn parse(text: &str) -> Option<Tree> {
    known(text).or_else(|| parse_within(text, BASE_STEPS + text.len() / 1024 * STEPS_PER_KIB))
}

/// Trees of the two texts that a change was read by last: several questions walk them.
static KEPT: Mutex<Vec<(Box<str>, Tree)>> = Mutex::new(Vec::new());
const MOST_KEPT: usize = 2;
/// Longer texts are parsed for each question.
const MAX_KEPT: usize = 1 << 20;

fn known(text: &str) -> Option<Tree> {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.iter().find(|(known, _)| **known == *text).map(|(_, tree)| tree.clone())
}

/// As [`parse`], for a text that is asked about more than once: one side of a change.
pub(crate) fn parse_kept(text: &str) -> Option<Tree> {
    if let Some(tree) = known(text) {
        return Some(tree);
    }
    let tree = parse(text)?;
    if text.len() <= MAX_KEPT {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(0, (text.into(), tree.clone()));
        kept.truncate(MOST_KEPT);
    }
    Some(tree)
}

fn parse_within(text: &str, mut steps: usize) -> Option<Tree> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_tags_after_the_code_hide_nothing_and_mean_something() {
        let code = "class A(B):\n    def f(self): pass\n\nx = [\n    1,\n]";
        let tagged = format!("{code}</code></edit_file>\n");
        let facts = |text: &str| Python.extract(ContentId::of(text.as_bytes()), text);
        let found = facts(&tagged);
        assert_eq!(*found.problems, [Problem { kind: ProblemKind::StrayTags, line: 6 }]);
        assert!(!found.hides_code());
        assert_eq!(found.outline, facts(code).outline);
        let digests = |text: &str| Parsed::of(text).unwrap().digests();
        assert_ne!(digests(&tagged)[0].body, digests(code)[0].body);
        assert_eq!(digests(&tagged)[1..], digests(code)[1..]);
        // Where the code itself is broken, or the tag is no closing tag at the end, what is hidden cannot be told.
        for broken in ["x = (\n</code>\n", "x = 1</code>\nclass A: pass\n", "x = 1</1>\n", "x = 1<code>\n"] {
            assert!(facts(broken).hides_code(), "{broken}");
        }
    }

    #[test]
    fn what_is_between_an_operator_and_its_operands_hides_nothing() {
        let bindings = |text: &str| Python.extract(ContentId::of(text.as_bytes()), text).outline.bindings.clone();
        for (plain, broken) in [
            ("x = (f())", "x = (  # a comment\n    f()\n)"),
            ("x = f() or g", "x = f() \\\n    or \\\n    g"),
            ("x = f() if y else g", "x = f() if y \\\n    else \\\n    g"),
        ] {
            assert!(!bindings(plain).is_empty(), "{plain}");
            assert_eq!(bindings(plain), bindings(broken), "{broken}");
        }
        // Nor is what a parser puts in where something is missing taken for an argument or a base.
        let broken = "class A(B:\n    pass\n";
        let facts = Python.extract(ContentId::of(broken.as_bytes()), broken);
        assert!(facts.hides_code());
        let class = facts.outline.parts.iter().find(|part| part.kind == crate::code::PartKind::Class);
        assert_eq!(class.map(|class| facts.outline.list(class.bases).len()), Some(1));
    }

    #[test]
    fn a_parse_ends_when_its_budget_is_spent_and_the_next_one_starts_afresh() {
        let text = "x = f(a, b)\n".repeat(1_000);
        assert!(parse_within(&text, 5).is_none());
        let tree = parse_within("y = 1\n", 5).unwrap();
        assert_eq!(tree.root_node().end_byte(), 6);
        assert!(parse_within(&text, 5_000).is_some());
    }
}
