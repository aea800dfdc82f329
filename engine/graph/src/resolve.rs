//! From names to edges, as far as static reading leads: imports, calls, uses, inheritance, fixtures, strings.
//!
//! Does not follow control flow: a name that is bound twice means both. What is found by name alone is a guess.
//!
//! First what all files together say is collected into an [`Index`]; then each file is linked by itself. Its links hang on
//! its own outline, on the index, and on the interfaces of other files, never on the links of others nor on the order of
//! linking: so files are linked in parallel, and an edited one again alone.

mod ecmascript;
mod emit;
mod fixtures;
mod foreign;
mod go;
mod hierarchy;
mod rust;
mod scope;
mod values;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::code::{Dependent, Edge, EdgeKind, FileId, PartId, PartKind};
use crate::facts::Language;
use crate::graph::{FileNode, ModelLiteral, Nodes, Outlines, Unresolved};
use crate::hash::{Map, Set};
use crate::layout::{Layout, base_name, directory_of};
use crate::stdlib;

use fixtures::Fixtures;
use hierarchy::Hierarchy;
pub(crate) use scope::ScopeTable;

/// How many files a worker takes at a time.
const SHARE: usize = 16;

/// What one file gives to a graph.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Links {
    /// Edges that start in it, in any order.
    pub(crate) edges: Vec<Edge>,
    /// Sorted.
    pub(crate) unresolved: Vec<Unresolved>,
    /// Sorted; the edges of [`demanded`] start in other files.
    pub(crate) demands: Vec<Demand>,
    /// Sorted.
    pub(crate) models: Vec<ModelLiteral>,
    /// Sorted.
    pub(crate) dependents: Vec<Dependent>,
}

/// A use of a method that very many classes override: the edges to them go from the method itself, once, instead of from
/// each use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Demand {
    class: PartId,
    name: Arc<str>,
    kind: EdgeKind,
}

impl Links {
    /// Whether everything starts in this file and leads to a part of the tree: links that were remembered may be anything.
    fn are_sound(&self, nodes: &Nodes, file: FileId) -> bool {
        let own = nodes.file(file).parts.clone();
        let all = nodes.files().last().map_or(0, |last| last.parts.end);
        let (here, there) = (|part: PartId| own.contains(&part.0), |part: PartId| part.0 < all);
        self.edges.iter().all(|edge| here(edge.from) && there(edge.to))
            && self.unresolved.iter().all(|unresolved| here(unresolved.part))
            && self.demands.iter().all(|demand| there(demand.class))
            && self.models.iter().all(|(_, part, _)| here(*part))
            && self.dependents.iter().all(|dependent| here(dependent.part))
            && self.unresolved.is_sorted()
            && self.demands.is_sorted()
            && self.models.is_sorted()
            && self.dependents.is_sorted()
    }
}

/// The links of all files of a tree as a record.
pub(crate) fn encode_links(links: &[Links]) -> Option<Vec<u8>> {
    postcard::to_stdvec(links).ok()
}

/// The links of a record, if it is one of a tree with these nodes.
pub(crate) fn decode_links(nodes: &Nodes, record: &[u8]) -> Option<Vec<Links>> {
    let (links, rest) = postcard::take_from_bytes::<Vec<Links>>(record).ok()?;
    let are_sound = nodes.file_ids().zip(&links).all(|(file, links)| links.are_sound(nodes, file));
    (rest.is_empty() && links.len() == nodes.files().len() && are_sound).then_some(links)
}

/// What linking knows of all files together. The same as long as no file's interface changes.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) layout: Layout,
    hierarchy: Hierarchy,
    /// Methods by name.
    methods: Map<Arc<str>, Vec<PartId>>,
    /// The names of methods, sorted.
    method_names: Vec<Arc<str>>,
    /// Every folder.
    folders: Set<Box<str>>,
    /// Files by the last segment of their path.
    by_base_name: Map<Box<str>, Vec<FileId>>,
    fixtures: Fixtures,
    foreign: foreign::World,
}

impl Index {
    /// The files of the package of Rust or Go that a file belongs to.
    pub(crate) fn compiled_with(&self, file: &FileNode) -> &[FileId] {
        match file.language {
            Some(Language::Go) => self.foreign.go.package_files(&file.path),
            Some(Language::Rust) => self.foreign.rust.package_files(&file.path),
            _ => &[],
        }
    }
}

/// What the nodes of a tree get from reading all its files.
pub(crate) struct Discovered {
    pub(crate) index: Index,
    /// Test functions and methods, sorted.
    pub(crate) tests: Vec<PartId>,
    /// Decorators of the parts that have any, by dotted name, resolved through imports.
    pub(crate) decorators: Vec<(PartId, Arc<[Arc<str>]>)>,
}

/// A tree as look-ups see it.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a> {
    pub(crate) nodes: &'a Nodes,
    outlines: &'a Outlines,
    layout: &'a Layout,
    scopes: &'a ScopeTable<'a>,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(
        nodes: &'a Nodes,
        outlines: &'a Outlines,
        layout: &'a Layout,
        scopes: &'a ScopeTable<'a>,
    ) -> Self {
        Self { nodes, outlines, layout, scopes }
    }
}

/// Reads what all files together say. The nodes have files and parts, and neither tests nor decorators yet.
pub(crate) fn discover(nodes: &Nodes, outlines: &Outlines, layout: Layout, scopes: &ScopeTable<'_>) -> Discovered {
    let mut methods: Map<Arc<str>, Vec<PartId>> = Map::default();
    for part in nodes.part_ids() {
        let node = nodes.part(part);
        let is_python = nodes.file(node.file).language == Some(Language::Python);
        if is_python && node.kind == PartKind::Method {
            methods.entry(Arc::clone(&node.name)).or_default().push(part);
        }
    }
    let mut by_base_name: Map<Box<str>, Vec<FileId>> = Map::default();
    for file in nodes.file_ids() {
        by_base_name.entry(base_name(&nodes.file(file).path).into()).or_default().push(file);
    }
    let mut method_names: Vec<Arc<str>> = methods.keys().cloned().collect();
    method_names.sort_unstable();
    let mut resolver = values::Resolver::new(Tree::new(nodes, outlines, &layout, scopes), None);
    let hierarchy = Hierarchy::new(&mut resolver);
    let mut tests = fixtures::tests(nodes, &hierarchy, outlines);
    tests.extend(foreign::tests(nodes, outlines));
    tests.sort_unstable();
    let mut decorators = emit::decorators(&mut resolver);
    decorators.extend(foreign::decorators(nodes, outlines));
    let fixtures = Fixtures::new(&mut resolver);
    let foreign = foreign::World::new(nodes, outlines);
    let folders = folders(nodes);
    let index = Index { layout, hierarchy, methods, method_names, folders, by_base_name, fixtures, foreign };
    Discovered { index, tests, decorators }
}

/// The folders around all files.
fn folders(nodes: &Nodes) -> Set<Box<str>> {
    let mut folders: Set<Box<str>> = Set::default();
    for file in nodes.files() {
        let mut folder = directory_of(&file.path);
        while !folder.is_empty() && folders.insert(folder.into()) {
            folder = directory_of(folder);
        }
    }
    folders
}

impl Index {
    /// Whether a call of a method on an object of unknown class is linked to the methods of its name.
    pub(crate) fn is_guessed(&self, method: &str) -> bool {
        !stdlib::is_builtin_method(method)
            && self.methods.get(method).is_some_and(|methods| methods.len() <= emit::MAX_GUESSES)
    }
}

/// The links of every file, in order.
pub(crate) fn link_all(nodes: &Nodes, outlines: &Outlines, index: &Index, scopes: &ScopeTable<'_>) -> Vec<Links> {
    let tree = Tree::new(nodes, outlines, &index.layout, scopes);
    let next = AtomicUsize::new(0);
    let count = nodes.files().len();
    let work = |found: &mut Vec<(usize, Links)>| {
        let mut linker = emit::Linker::new(tree, index);
        loop {
            let first = next.fetch_add(SHARE, Ordering::Relaxed);
            if first >= count {
                break;
            }
            found.extend((first..count.min(first + SHARE)).map(|file| (file, linker.link(FileId(file as u32)))));
        }
    };
    // One resolver a worker: what one look-up of modules found serves the next file too.
    let mut found: Vec<Vec<(usize, Links)>> = Vec::new();
    found.resize_with(rayon::current_num_threads(), Vec::new);
    rayon::scope(|scope| {
        for found in &mut found {
            scope.spawn(|_| work(found));
        }
    });
    let mut links: Vec<Links> = Vec::new();
    links.resize_with(count, Links::default);
    for (file, of_file) in found.into_iter().flatten() {
        links[file] = of_file;
    }
    links
}

/// The links of one file.
pub(crate) fn link(nodes: &Nodes, outlines: &Outlines, index: &Index, file: FileId) -> Links {
    let scopes = ScopeTable::new(outlines, nodes.files().len());
    emit::Linker::new(Tree::new(nodes, outlines, &index.layout, &scopes), index).link(file)
}

/// The edges that demands ask of the methods they name, by the file in which they start.
pub(crate) fn demanded<'d>(
    nodes: &Nodes,
    outlines: &Outlines,
    index: &Index,
    scopes: &ScopeTable<'_>,
    demands: impl Iterator<Item = &'d Demand>,
) -> Map<FileId, Vec<Edge>> {
    let mut demands: Vec<&Demand> = demands.collect();
    demands.sort_unstable();
    demands.dedup();
    let linker = emit::Linker::new(Tree::new(nodes, outlines, &index.layout, scopes), index);
    let mut edges: Map<FileId, Vec<Edge>> = Map::default();
    for demand in demands {
        for edge in linker.demanded(demand) {
            edges.entry(nodes.part(edge.from).file).or_default().push(edge);
        }
    }
    edges
}
