//! The graph of one tree: files and parts in dense arrays, edges in compressed rows both ways.
//!
//! Built at once from outlines and never changed; the same files give the same graph, whatever their order. It answers
//! questions over parts and edges and knows nothing of rules, tags or changes.

mod build;
mod reach;
mod stats;
mod visit;

use std::ops::Range;
use std::sync::Arc;

use crate::hash::Map;
use fixedbitset::FixedBitSet;

use crate::code::{Edge, EdgeKind, FileId, Part, PartId, PartKey, PartKind};
use crate::facts::{FileFacts, Language, Outline, ProblemKind, StringFact};

pub use reach::Direction;
pub use stats::Stats;
pub use visit::{Neighbors, VisitedParts};

/// One file of a tree, as the graph is built from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFile {
    /// Repository-relative path with `/`.
    pub path: Arc<str>,
    /// The language of its extractor; `None` for files that no extractor reads.
    pub language: Option<Language>,
    /// What was read of it; `None` without an extractor.
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
        Self {
            language: facts.and_then(|_| Language::of_path(&path)),
            path,
            outline: facts.map(|facts| Arc::clone(&facts.outline)),
            opaque: facts.and_then(FileFacts::opaque),
            has_problems: facts.is_some_and(FileFacts::hides_code),
        }
    }
}

/// What the graph cannot read off the files themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildOptions {
    /// Top-level names of modules that come from installed distributions: their imports are not unresolved.
    pub known_external: Vec<Arc<str>>,
}

/// One file as the graph knows it.
#[derive(Debug, Clone)]
pub struct FileNode {
    /// Repository-relative path with `/`.
    pub path: Arc<str>,
    /// The language of its extractor.
    pub language: Option<Language>,
    /// Its parts: contiguous, the module body (or the file) first.
    pub parts: Range<u32>,
    /// Why nothing could be read.
    pub opaque: Option<ProblemKind>,
    /// Some of it could not be read.
    pub has_problems: bool,
    /// Written by a tool, by its first lines or its name.
    pub is_generated: bool,
    /// Holds tests: pytest collects its name by default ([`crate::test_names`]), or it defines a test.
    pub is_test: bool,
    /// Dotted name over the whole repository; the path for files without a language.
    pub module: Arc<str>,
    /// What was read of it.
    pub outline: Option<Arc<Outline>>,
}

/// Why an import led nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnresolvedKind {
    /// A relative import of a module that is not there.
    RelativeModule,
    /// A module below a package of this repository that is not there.
    OwnModule,
    /// A name that the module of this repository does not seem to define.
    Name,
    /// A module of no package of this repository, not in the standard library and not known as installed.
    External,
    /// A module whose name is computed at run time.
    Computed,
}

/// An import that led nowhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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

/// The graph of one tree.
#[derive(Debug)]
pub struct CodeGraph {
    files: Vec<FileNode>,
    parts: Vec<Part>,
    /// One past the last part inside each part.
    subtree_end: Vec<u32>,
    by_path: Map<Arc<str>, FileId>,
    by_module: Map<Arc<str>, Vec<FileId>>,
    by_name: Map<Arc<str>, Vec<PartId>>,
    /// The parts of each file by (local name, kind, occurrence).
    by_key: Vec<PartId>,
    edges: Vec<Edge>,
    /// `edges[out[p]..out[p + 1]]` start at part `p`.
    out: Vec<u32>,
    /// Indices into `edges`, by target; `incoming[into[p]..into[p + 1]]` end at part `p`.
    incoming: Vec<u32>,
    into: Vec<u32>,
    unresolved: Vec<Unresolved>,
    /// Literals of the form `name:tag`, lower case, with the parts that hold them.
    models: Vec<(Arc<str>, PartId, u32)>,
}

impl CodeGraph {
    /// Builds the graph of a tree. The order of the files does not matter; of two with one path the first counts.
    #[must_use]
    pub fn build(files: Vec<GraphFile>) -> Self {
        Self::build_with(files, &BuildOptions::default())
    }

    /// [`CodeGraph::build`] with what the files do not say.
    #[must_use]
    pub fn build_with(files: Vec<GraphFile>, options: &BuildOptions) -> Self {
        build::build(files, options)
    }

    /// The same graph with more edges: recorded ones, and those that rules declare. Edges between parts that are not
    /// there are left out; where an edge of the same ends and kind exists, the surer evidence stays.
    #[must_use]
    pub fn with_edges(mut self, extra: impl IntoIterator<Item = Edge>) -> Self {
        let count = self.parts.len() as u32;
        let mut edges = std::mem::take(&mut self.edges);
        edges.extend(extra.into_iter().filter(|edge| edge.from != edge.to && edge.from.0 < count && edge.to.0 < count));
        self.set_edges(edges);
        self
    }

    /// How many parts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// True for a tree without files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// An empty set with room for every part.
    #[must_use]
    pub fn empty_set(&self) -> FixedBitSet {
        FixedBitSet::with_capacity(self.parts.len())
    }

    /// Every file, sorted by path.
    #[must_use]
    pub fn files(&self) -> &[FileNode] {
        &self.files
    }

    /// The ids of every file, sorted by path.
    pub fn file_ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..self.files.len() as u32).map(FileId)
    }

    /// Every part, sorted by file and place.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The ids of every part.
    pub fn part_ids(&self) -> impl Iterator<Item = PartId> + use<> {
        (0..self.parts.len() as u32).map(PartId)
    }

    /// A file by its id. Ids come from the same graph.
    #[must_use]
    pub fn file(&self, file: FileId) -> &FileNode {
        &self.files[file.0 as usize]
    }

    /// The file of a path.
    #[must_use]
    pub fn file_by_path(&self, path: &str) -> Option<FileId> {
        self.by_path.get(path).copied()
    }

    /// A part by its id. Ids come from the same graph.
    #[must_use]
    pub fn part(&self, part: PartId) -> &Part {
        &self.parts[part.0 as usize]
    }

    /// The parts of a file, in source order.
    pub fn parts_of(&self, file: FileId) -> impl DoubleEndedIterator<Item = PartId> + ExactSizeIterator + use<> {
        self.file(file).parts.clone().map(PartId)
    }

    /// The body of a module, or the part of a file without a language.
    #[must_use]
    pub fn body_of(&self, file: FileId) -> PartId {
        PartId(self.file(file).parts.start)
    }

    /// The key of a part: the same in every snapshot.
    #[must_use]
    pub fn key(&self, part: PartId) -> PartKey {
        let part = self.part(part);
        PartKey {
            path: Arc::clone(&self.file(part.file).path),
            name: Arc::clone(&part.local_name),
            kind: part.kind,
            occurrence: part.occurrence,
        }
    }

    /// The part of a key.
    #[must_use]
    pub fn find(&self, key: &PartKey) -> Option<PartId> {
        let file = self.file_by_path(&key.path)?;
        let wanted = (&*key.name, key.kind, key.occurrence);
        let range = &self.file(file).parts;
        let parts = &self.by_key[range.start as usize..range.end as usize];
        let index = parts
            .binary_search_by(|part| {
                let part = self.part(*part);
                (&*part.local_name, part.kind, part.occurrence).cmp(&wanted)
            })
            .ok()?;
        Some(parts[index])
    }

    /// Parts directly inside a part, in source order.
    pub fn children(&self, part: PartId) -> impl Iterator<Item = PartId> + '_ {
        let end = self.subtree_end[part.0 as usize];
        let mut next = part.0 + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let child = PartId(next);
            next = self.subtree_end[next as usize];
            Some(child)
        })
    }

    /// A part with everything inside, in source order.
    pub fn subtree(&self, part: PartId) -> impl ExactSizeIterator<Item = PartId> + use<> {
        (part.0..self.subtree_end[part.0 as usize]).map(PartId)
    }

    /// The module body of a part's file, or the file's own part.
    #[must_use]
    pub fn module_of(&self, part: PartId) -> PartId {
        self.body_of(self.part(part).file)
    }

    /// Files whose module has this dotted name.
    #[must_use]
    pub fn modules_named(&self, module: &str) -> &[FileId] {
        self.by_module.get(module).map_or(&[], Vec::as_slice)
    }

    /// Files of a package with everything below it: modules of this dotted name and those that begin with it and a dot.
    pub fn package_members<'a>(&'a self, package: &'a str) -> impl Iterator<Item = FileId> + 'a {
        self.file_ids().filter(move |file| {
            let node = self.file(*file);
            node.language.is_some()
                && node.module.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Parts whose own name is this.
    #[must_use]
    pub fn parts_by_name(&self, name: &str) -> &[PartId] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Every edge, sorted by start, end and kind.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Edges that start at a part.
    pub fn out_edges<'a>(&'a self, part: PartId, kinds: &'a [EdgeKind]) -> impl Iterator<Item = &'a Edge> + 'a {
        self.out_row(part).iter().filter(move |edge| kinds.contains(&edge.kind))
    }

    /// Edges that end at a part.
    pub fn in_edges<'a>(&'a self, part: PartId, kinds: &'a [EdgeKind]) -> impl Iterator<Item = &'a Edge> + 'a {
        self.in_row(part).filter(move |edge| kinds.contains(&edge.kind))
    }

    fn out_row(&self, part: PartId) -> &[Edge] {
        let part = part.0 as usize;
        &self.edges[self.out[part] as usize..self.out[part + 1] as usize]
    }

    fn in_row(&self, part: PartId) -> impl Iterator<Item = &Edge> + '_ {
        let part = part.0 as usize;
        self.incoming[self.into[part] as usize..self.into[part + 1] as usize]
            .iter()
            .map(|index| &self.edges[*index as usize])
    }

    /// Imports that led nowhere, sorted by place.
    #[must_use]
    pub fn unresolved(&self) -> &[Unresolved] {
        &self.unresolved
    }

    /// String literals of a part that may name something, with their sites.
    pub fn string_literals(&self, part: PartId) -> impl Iterator<Item = (&str, &StringFact, u32)> + '_ {
        let node = self.part(part);
        self.file(node.file).outline.iter().flat_map(move |outline| {
            outline
                .strings
                .iter()
                .enumerate()
                .filter(move |(_, string)| string.part == node.ordinal)
                .map(move |(index, string)| (outline.name(string.text), string, outline.string_site(index)))
        })
    }

    /// Every literal of the form `name:tag` (lower case), with the part that holds it and the site; sorted.
    #[must_use]
    pub fn model_literals(&self) -> &[(Arc<str>, PartId, u32)] {
        &self.models
    }

    /// Parts that hold a literal equal to this model name, without regard to case.
    pub fn parts_naming_model<'a>(&'a self, model: &str) -> impl Iterator<Item = (PartId, u32)> + 'a {
        let model = model.to_lowercase();
        let start = self.models.partition_point(|(name, _, _)| **name < *model);
        self.models[start..]
            .iter()
            .take_while(move |(name, _, _)| **name == *model)
            .map(|(_, part, site)| (*part, *site))
    }

    fn set_edges(&mut self, mut edges: Vec<Edge>) {
        // One edge for two ends and a kind: what runs before what is only for types, then the surest evidence.
        edges.sort_unstable_by_key(|edge| (edge.from, edge.to, edge.kind, edge.type_only, edge.evidence, edge.site));
        edges.dedup_by_key(|edge| (edge.from, edge.to, edge.kind));
        edges.shrink_to_fit();
        let count = self.parts.len();
        self.out = offsets(count, edges.iter().map(|edge| edge.from));
        self.into = offsets(count, edges.iter().map(|edge| edge.to));
        let mut next = self.into.clone();
        self.incoming = vec![0; edges.len()];
        for (index, edge) in edges.iter().enumerate() {
            let slot = &mut next[edge.to.0 as usize];
            self.incoming[*slot as usize] = index as u32;
            *slot += 1;
        }
        self.edges = edges;
    }
}

fn offsets(count: usize, ends: impl Iterator<Item = PartId>) -> Vec<u32> {
    let mut offsets = vec![0u32; count + 1];
    for end in ends {
        offsets[end.0 as usize + 1] += 1;
    }
    for index in 0..count {
        offsets[index + 1] += offsets[index];
    }
    offsets
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
