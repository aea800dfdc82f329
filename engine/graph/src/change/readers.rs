//! Who reads what a change only documents: programs that name a document in a string, take a function as a value, or ask for
//! its docstring; and classes that would inherit an added test. The texts of the change alone cannot tell, the graphs can.
//!
//! It only takes proofs away. What names a file in pieces, or from another language than those that are read, is not seen.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::safe::DOCUMENT_FOLDERS;
use super::{PartChange, SafeKinds};
use crate::code::{EdgeKind, FileId, PartId, PartKey, PartKind};
use crate::facts::{StringFact, StringShape, StringUse};
use crate::graph::CodeGraph;

/// A document deeper than this counts as read.
const MAX_SEGMENTS: usize = 40;

/// What the code of both sides reads.
#[derive(Debug)]
pub struct Readers<'a> {
    sides: [Side<'a>; 2],
}

#[derive(Debug)]
struct Side<'a> {
    graph: &'a CodeGraph,
    /// Paths, and ends of paths, that string literals spell; without what leads up or to the root. Told when it is asked for.
    spelled: OnceCell<BTreeSet<&'a str>>,
    /// Whether files ask for docstrings of others, of those that were asked about.
    asking: RefCell<BTreeMap<FileId, bool>>,
}

impl<'a> Readers<'a> {
    /// Reads the graphs of the tree before and after.
    #[must_use]
    pub fn new(before: &'a CodeGraph, after: &'a CodeGraph) -> Self {
        Self { sides: [before, after].map(Side::new) }
    }

    /// What stays proved about a part.
    #[must_use]
    pub fn leave(&self, part: &PartChange) -> SafeKinds {
        let keys = || part.before.iter().chain(&part.after);
        let inherited = |key: &PartKey| self.sides.iter().any(|side| side.is_inherited(key));
        let documents = part.safe.contains(SafeKinds::DOCUMENTATION) && self.read(part);
        let tests = part.safe.contains(SafeKinds::ADDED_TESTS) && keys().any(inherited);
        if documents || tests { SafeKinds::empty() } else { part.safe }
    }
}

impl Readers<'_> {
    /// Whether something is seen to read what a part documents.
    #[must_use]
    pub fn read(&self, part: &PartChange) -> bool {
        let mut keys = part.before.iter().chain(&part.after);
        keys.any(|key| self.sides.iter().any(|side| side.is_read(key)))
    }
}

impl<'a> Side<'a> {
    fn new(graph: &'a CodeGraph) -> Self {
        Self { graph, spelled: OnceCell::new(), asking: RefCell::default() }
    }

    fn spells(&self, path: &str) -> bool {
        let spelled = self.spelled.get_or_init(|| {
            let mut spelled = BTreeSet::new();
            for outline in self.graph.file_ids().filter_map(|file| self.graph.outline(file)) {
                let is_path =
                    |string: &&StringFact| string.shape.contains(StringShape::PATH) || string.usage == StringUse::Path;
                spelled.extend(outline.strings.iter().filter(is_path).map(|string| bare(outline.name(string.text))));
            }
            spelled.remove("");
            spelled
        });
        spelled.contains(path)
    }

    fn asks(&self, file: FileId) -> bool {
        let asks = |chain: &str| {
            chain.contains(".__doc__")
                || matches!(chain.rsplit('.').next(), Some("getdoc" | "getdoc()" | "cleandoc" | "docopt"))
        };
        let has_one = || {
            let outline = self.graph.outline(file);
            outline
                .is_some_and(|outline| outline.references.iter().any(|reference| asks(outline.name(reference.chain))))
        };
        *self.asking.borrow_mut().entry(file).or_insert_with(has_one)
    }

    fn is_read(&self, key: &PartKey) -> bool {
        let Some(part) = self.graph.find(key) else { return false };
        match key.kind {
            PartKind::File => {
                self.names_document(&key.path) || self.graph.in_edges(part, &EdgeKind::ALL).next().is_some()
            }
            // A function that is handed on may be asked for its docstring by whoever gets it.
            PartKind::Function | PartKind::Method => {
                self.graph.in_edges(part, &[EdgeKind::References]).any(|edge| edge.evidence.is_certain())
                    || self.is_asked(part)
            }
            PartKind::Class | PartKind::Module => self.is_asked(part),
        }
    }

    /// A file that uses something of the part's file asks for docstrings.
    fn is_asked(&self, part: PartId) -> bool {
        let file = self.graph.part(part).file;
        let asks = |from: PartId| {
            let from = self.graph.part(from).file;
            from != file && self.asks(from)
        };
        let mut parts = self.graph.parts_of(file);
        parts.any(|part| self.graph.in_edges(part, &EdgeKind::ALL).any(|edge| asks(edge.from)))
    }

    /// A literal spells the path or an end of it, or a folder for documents around it. Another folder, such as the root of the
    /// code, is named for what else it holds.
    fn names_document(&self, path: &str) -> bool {
        let starts: Vec<usize> = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1)).collect();
        if starts.len() > MAX_SEGMENTS {
            return true;
        }
        let ends = || starts.iter().skip(1).map(|start| start - 1).chain([path.len()]);
        starts.iter().any(|start| {
            ends().filter(|end| end > start).any(|end| {
                let run = path.get(*start..end).unwrap_or_default();
                self.spells(run)
                    && (end == path.len() || run.split('/').any(|folder| DOCUMENT_FOLDERS.contains(&folder)))
            })
        })
    }

    /// Another class takes over what is added to the one that holds this method.
    fn is_inherited(&self, key: &PartKey) -> bool {
        let class = self.graph.find(key).and_then(|part| self.graph.part(part).parent);
        class.is_some_and(|class| self.graph.in_edges(class, &[EdgeKind::Inherits]).next().is_some())
    }
}

/// A literal without what leads up, to the root or to the end of a folder.
fn bare(text: &str) -> &str {
    let mut text = text.trim_end_matches('/');
    loop {
        let shorter = text.trim_start_matches('/');
        let shorter = shorter.strip_prefix("./").or_else(|| shorter.strip_prefix("../")).unwrap_or(shorter);
        if shorter.len() == text.len() {
            return if matches!(text, "." | "..") { "" } else { text };
        }
        text = shorter;
    }
}
