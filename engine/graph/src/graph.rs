//! The graph of one tree: its nodes, and the edges between them in a row per file, both ways.
//!
//! Built from outlines; the same files give the same graph, whatever their order. An edited body is linked again by
//! itself ([`CodeGraph::repaired`]), and everything else is shared with the graph before. It answers questions over parts
//! and edges and knows nothing of rules, tags or changes.

mod bases;
mod build;
mod chunks;
mod ends;
mod heirs;
mod image;
mod nodes;
mod outlines;
mod reach;
mod rows;
mod sight;
mod splice;
mod stats;
mod visit;
mod words;

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::code::{Dependent, Edge, EdgeKind, FileId, PartId, PartKind};
use crate::facts::{FileFacts, Language, Outline, ProblemKind};
use crate::layout::base_name;
use crate::resolve::{Index, LazyIndex};
use crate::test_names::lies_among_data;

use bases::Bases;
pub use chunks::Chunks;
use ends::EndsOf;
use heirs::Heirs;
pub(crate) use image::{IMAGES, Section};
pub use image::{Label, Recall};
pub use nodes::{FileNode, Nodes};
pub(crate) use outlines::Outlines;
pub use reach::Direction;
use rows::{Row, Rows};
pub use sight::Sight;
pub use stats::Stats;
pub use visit::{Neighbors, VisitedParts};

/// Which edits a graph is repaired after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Those that other files do not see: the edited ones alone are linked again.
    Bodies,
    /// Those that they see, too, and files that come and go.
    Any,
}

/// Why a graph is built anew instead of repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anew {
    /// Others see the edit, and only edits that they do not see were asked for.
    Seen,
    /// Imports start from other folders.
    Roots,
    /// Settings that hold everywhere are others.
    Settings,
    /// A star gives names that are not there to be read.
    Star,
    /// What changed is named in too many files.
    Many,
    /// Plugins, which are offered to all, are others.
    Plugins,
    /// A class, or what leads to it, is not found again.
    Classes,
    /// Too many files are others.
    Far,
}

/// One file of a tree, as the graph is built from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFile {
    /// Repository-relative path with `/`.
    pub path: Arc<str>,
    /// The language of its extractor; `None` for files that no extractor reads.
    pub language: Option<Language>,
    /// What was read of it, also of a manifest; `None` without an extractor.
    pub outline: Option<Arc<Outline>>,
    /// Why nothing could be read: it may hold anything.
    pub opaque: Option<ProblemKind>,
    /// Some of it could not be read.
    pub has_problems: bool,
}

impl GraphFile {
    /// A file with its facts.
    #[must_use]
    pub fn new(path: Arc<str>, facts: Option<&FileFacts>) -> Self {
        let language = facts.and_then(|_| Language::of_path(&path));
        // A manifest is a plain file: one that cannot be read only says nothing of where modules are.
        let code = facts.filter(|_| language.is_some());
        Self {
            language,
            path,
            outline: facts.map(|facts| Arc::clone(&facts.outline)),
            opaque: code.and_then(FileFacts::opaque),
            has_problems: code.is_some_and(FileFacts::hides_code),
        }
    }

    /// True where a graph has the file just so.
    #[must_use]
    pub fn is_as_in(&self, graph: &CodeGraph, id: FileId) -> bool {
        let node = graph.file(id);
        node.path == self.path && self.reads_as(node) && graph.outline(id) == self.readable()
    }

    fn reads_as(&self, node: &FileNode) -> bool {
        (node.language, node.opaque, node.has_problems) == (self.language, self.opaque, self.has_problems)
    }

    /// Its outline, where something can be told from it.
    fn readable(&self) -> Option<&Arc<Outline>> {
        self.outline.as_ref().filter(|_| self.opaque.is_none())
    }
}

/// Why an import led nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum UnresolvedKind {
    /// A relative import of a module that is not there.
    RelativeModule,
    /// A module below a package of this repository that is not there.
    OwnModule,
    /// A name that the module of this repository does not seem to define.
    Name,
    /// A module of no package of this repository and not in the standard library.
    External,
    /// A module whose name is computed at run time.
    Computed,
}

/// An import that led nowhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unresolved {
    /// Where.
    pub part: PartId,
    /// The site in that part's file.
    pub site: u32,
    /// Why.
    pub kind: UnresolvedKind,
    /// What was to be imported, dotted, with its leading dots; empty where it is computed.
    pub name: Arc<str>,
    /// Absence is provided for (`try`), or only type checkers look.
    pub excused: bool,
}

/// A literal of the form `name:tag` in lower case, the part that holds it, and its site.
pub(crate) type ModelLiteral = (Arc<str>, PartId, u32);

/// Every literal of a tree that may name a model, sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ModelLiterals(Vec<ModelLiteral>);

impl ModelLiterals {
    /// Parts that hold a literal equal to this model name, without regard to case, each with the site.
    pub fn naming<'a>(&'a self, model: &str) -> impl Iterator<Item = (PartId, u32)> + 'a {
        let model = model.to_lowercase();
        let start = self.0.partition_point(|(name, _, _)| **name < *model);
        let named = self.0[start..].iter().take_while(move |(name, _, _)| **name == *model);
        named.map(|(_, part, site)| (*part, *site))
    }
}

/// The graph of one tree: its [`Nodes`], to which it dereferences, and the edges between them. Cheap to copy.
#[derive(Debug, Clone)]
pub struct CodeGraph {
    nodes: Arc<Nodes>,
    index: Arc<LazyIndex>,
    outlines: Outlines,
    rows: Rows,
    /// The rows of the graph that was built, before it was repaired.
    built: Arc<Rows>,
    models: Arc<ModelLiterals>,
    /// Sorted by folder.
    dependents: Arc<Vec<Dependent>>,
    bases: Arc<Bases>,
    heirs: Arc<Heirs>,
    sight: Sight,
}

impl Deref for CodeGraph {
    type Target = Nodes;

    fn deref(&self) -> &Nodes {
        &self.nodes
    }
}

impl CodeGraph {
    /// Builds the graph of a tree. The order of the files does not matter; of two with one path the first counts.
    #[must_use]
    pub fn build(files: Vec<GraphFile>) -> Self {
        build::build(files)
    }

    /// The graph after some files were edited or came, and those of some paths went: equal to one built anew from all files.
    /// Of an edited body the file alone is linked again; of what others can see of a file of Python, those that name it are
    /// too, and of other languages all files.
    ///
    /// # Errors
    /// Why it is to be built anew: names do not tell who they are, or they are too many.
    pub fn repaired(&self, files: &[GraphFile], gone: &[Arc<str>], how: Repair) -> Result<Self, Anew> {
        build::repaired(self, files, gone, how)
    }

    /// The same graph, for one that is to be repaired more than once: what the look-ups of each file come by in others is
    /// written down, now and after each repair. Where it is not yet, all files are linked again for that.
    #[must_use]
    pub fn traced(&self) -> Self {
        build::traced(self)
    }

    /// The files that it was built from, sorted by path.
    #[must_use]
    pub fn as_files(&self) -> Vec<GraphFile> {
        let file = |id| {
            let node = self.file(id);
            GraphFile {
                path: Arc::clone(&node.path),
                language: node.language,
                outline: self.outline(id).cloned(),
                opaque: node.opaque,
                has_problems: node.has_problems,
            }
        };
        self.file_ids().map(file).collect()
    }

    /// Its files and parts.
    #[must_use]
    pub fn nodes(&self) -> &Arc<Nodes> {
        &self.nodes
    }

    /// What was read of a file; `None` where nothing reads it or nothing could be read.
    #[must_use]
    pub fn outline(&self, file: FileId) -> Option<&Arc<Outline>> {
        self.outlines.of(file)
    }

    /// The files that are compiled as one with a file, itself among them, sorted: a package of Rust or Go. Empty for files
    /// of other languages.
    #[must_use]
    pub fn compiled_with(&self, file: FileId) -> &[FileId] {
        let node = self.file(file);
        match node.language {
            Some(Language::Rust | Language::Go) => self.index().compiled_with(node),
            _ => &[],
        }
    }

    /// Whether a file is to be taken for data that others read: no parser reads it; or it is a source that nothing uses, no
    /// test, or lies where tests keep what they read.
    #[must_use]
    pub fn may_be_data(&self, file: FileId) -> bool {
        let node = self.file(file);
        if self.part(self.body_of(file)).kind == PartKind::File {
            return true;
        }
        let among_data = lies_among_data(&node.path);
        let is_told_by_name = node.is_test || matches!(base_name(&node.path), "conftest.py" | "__init__.py");
        (among_data || !is_told_by_name) && !self.is_used(file, among_data)
    }

    /// Whether another file uses a file; `from_elsewhere`, one that lies among no data.
    #[must_use]
    pub fn is_used(&self, file: FileId, from_elsewhere: bool) -> bool {
        let uses = |edge: Edge| {
            let from = self.part(edge.from).file;
            from != file && !(from_elsewhere && lies_among_data(&self.file(from).path))
        };
        self.parts_of(file).any(|part| self.in_row(part).iter().any(uses))
    }

    /// Files whose links may differ from those in a graph that has the same nodes; `None` where the nodes are others.
    #[must_use]
    pub fn relinked_since(&self, before: &Self) -> Option<Vec<FileId>> {
        Arc::ptr_eq(&self.nodes, &before.nodes).then(|| self.rows.not_shared_with(&before.rows))
    }

    /// The edges that one of two graphs has and the other has not, or knows otherwise; their sites do not matter. `None`
    /// where the nodes are others.
    #[must_use]
    pub fn edges_changed_since(&self, before: &Self) -> Option<Vec<Edge>> {
        Arc::ptr_eq(&self.nodes, &before.nodes).then(|| self.rows.changed_since(&before.rows))
    }

    /// Every edge, sorted by start, end and kind.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.rows.all()
    }

    /// Edges that start at a part.
    pub fn out_edges<'a>(&'a self, part: PartId, kinds: &'a [EdgeKind]) -> impl Iterator<Item = Edge> + 'a {
        self.out_row(part).iter().copied().filter(move |edge| kinds.contains(&edge.kind))
    }

    /// Edges that end at a part, sorted by start and kind.
    pub fn in_edges<'a>(&'a self, part: PartId, kinds: &'a [EdgeKind]) -> impl Iterator<Item = Edge> + 'a {
        self.in_row(part).iter().filter(move |edge| kinds.contains(&edge.kind))
    }

    /// Edges from a class to what it inherits.
    #[must_use]
    pub fn bases(&self, class: PartId) -> &[Edge] {
        self.bases.of(&self.nodes, &self.rows, class)
    }

    /// Whether a class, or one above it, may keep it for somebody who does not name it: what runs as its `__init_subclass__`
    /// hands it on, or it is of another than the usual kind of classes.
    #[must_use]
    pub fn is_below_keeper(&self, class: PartId) -> bool {
        self.bases.below_keepers(&self.nodes, &self.rows).contains(class.0 as usize)
    }

    /// Test files with tests that are not written in them, sorted: from a class above one of theirs, imported, or made when the
    /// file is loaded. Who runs such a file by single tests would leave those out, for they are listed where they are written,
    /// if at all.
    #[must_use]
    pub fn heirs(&self) -> &Arc<[FileId]> {
        self.heirs.of(self)
    }

    fn index(&self) -> &Index {
        self.index.get(&self.nodes, &self.outlines)
    }

    fn out_row(&self, part: PartId) -> &[Edge] {
        let node = self.part(part);
        self.rows.out(node.file, node.ordinal)
    }

    fn in_row(&self, part: PartId) -> EndsOf<'_> {
        self.rows.incoming(self.part(part), part)
    }

    /// Imports that led nowhere, sorted by place.
    pub fn unresolved(&self) -> impl Iterator<Item = &Unresolved> {
        self.rows.unresolved()
    }

    /// How much of the tree is seen.
    #[must_use]
    pub fn sight(&self) -> Sight {
        self.sight
    }

    /// How much of one file is seen.
    #[must_use]
    pub fn sight_of(&self, file: FileId) -> Sight {
        self.rows.row(file).map(|row| Sight::of(self, &self.outlines, file, row)).unwrap_or_default()
    }

    /// Every part that hangs on a folder as a whole, sorted by folder and use.
    #[must_use]
    pub fn dependents(&self) -> &[Dependent] {
        &self.dependents
    }

    /// The parts that hang on just this folder.
    #[must_use]
    pub fn dependents_of(&self, folder: &str) -> &[Dependent] {
        let start = self.dependents.partition_point(|one| *one.folder < *folder);
        let count = self.dependents[start..].partition_point(|one| *one.folder == *folder);
        &self.dependents[start..start + count]
    }

    /// Every literal of the form `name:tag` (lower case), with the part that holds it and the site; sorted.
    #[must_use]
    pub fn model_literals(&self) -> &[ModelLiteral] {
        &self.models.0
    }

    /// The same to look models up in; shared with the graph before an edit that changes none.
    #[must_use]
    pub fn models(&self) -> &Arc<ModelLiterals> {
        &self.models
    }
}

/// Names that tools give to what they write.
fn is_generated_name(path: &str) -> bool {
    let name = crate::layout::base_name(path);
    ["_pb2.py", "_pb2.pyi", "_pb2_grpc.py", ".min.js", ".min.css", ".generated.ts", ".pb.go", "_generated.rs"]
        .iter()
        .any(|suffix| name.ends_with(suffix))
}

/// True for kinds that can be called.
pub(crate) fn is_callable(kind: PartKind) -> bool {
    matches!(kind, PartKind::Function | PartKind::Method)
}
