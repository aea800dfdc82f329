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
pub(crate) mod unread;
mod values;
pub(crate) mod visits;

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::code::{Dependent, Edge, EdgeKind, FileId, LanguageFamily, PartId, PartKind};
use crate::facts::{Language, Outline};
use crate::graph::{FileNode, ModelLiteral, Nodes, Outlines, Section, Unresolved};
use crate::hash::{Map, Set};
use crate::layout::{Layout, base_name, directory_of};
use crate::stdlib;

use fixtures::Fixtures;
pub(crate) use fixtures::{DifferingFixtures, is_hook};
pub(crate) use hierarchy::Hierarchy;
pub(crate) use scope::{ScopeTable, Scopes};
use visits::Mark;

/// How many files a worker takes at a time.
const SHARE: usize = 16;

/// Whether what look-ups come by is written down. It serves repairs alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trace {
    Yes,
    No,
}

/// What one file gives to a graph.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Edges that start in it, in any order.
    pub(crate) edges: Vec<Edge>,
    /// Sorted.
    pub(crate) unresolved: Vec<Unresolved>,
    /// Sorted; the edges of [`demanded`] start in other files.
    pub(crate) demands: Vec<Demand>,
    /// Sorted.
    pub(crate) asked: Vec<Asked>,
    /// Sorted.
    pub(crate) models: Vec<ModelLiteral>,
    /// Sorted.
    pub(crate) dependents: Vec<Dependent>,
    /// What its look-ups came by in other files, sorted; `None` where that was not asked for.
    pub(crate) visits: Option<Vec<Mark>>,
}

/// A use of a method that very many classes override: the edges to them go from the method itself, once, instead of from
/// each use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Demand {
    class: PartId,
    name: Arc<str>,
    kind: EdgeKind,
}

impl Demand {
    /// The name of the method.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is of a class of a tree with so many parts.
    pub(crate) fn is_sound(&self, parts: u32) -> bool {
        self.class.0 < parts
    }

    pub(crate) fn renumbered(&self, of: impl Fn(PartId) -> Option<PartId>) -> Option<Self> {
        Some(Self { class: of(self.class)?, ..self.clone() })
    }
}

/// What linking knows of all files together. The same as long as no file's interface changes.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) layout: Layout,
    hierarchy: Hierarchy,
    /// Methods by name.
    methods: Map<Arc<str>, Vec<PartId>>,
    /// The names of methods, sorted, once they are asked for.
    method_names: OnceLock<Vec<Arc<str>>>,
    /// Every folder.
    folders: Set<Box<str>>,
    /// Files by the last segment of their path.
    by_base_name: Map<Box<str>, Vec<FileId>>,
    fixtures: Fixtures,
    foreign: foreign::World,
    /// Some modules are compiled from files that are not read.
    has_compiled: bool,
}

impl Index {
    fn new(nodes: &Nodes, outlines: &Outlines, layout: Layout, hierarchy: Hierarchy, fixtures: Fixtures) -> Self {
        let mut methods: Map<Arc<str>, Vec<PartId>> = Map::default();
        for method in python_methods(nodes) {
            push(&mut methods, nodes.name(method), method);
        }
        Self::with_methods(nodes, outlines, layout, hierarchy, fixtures, methods)
    }

    fn with_methods(
        nodes: &Nodes,
        outlines: &Outlines,
        layout: Layout,
        hierarchy: Hierarchy,
        fixtures: Fixtures,
        methods: Map<Arc<str>, Vec<PartId>>,
    ) -> Self {
        let mut by_base_name: Map<Box<str>, Vec<FileId>> = Map::default();
        for file in nodes.file_ids() {
            push(&mut by_base_name, base_name(&nodes.file(file).path), file);
        }
        let method_names = OnceLock::new();
        let foreign = foreign::World::new(nodes, outlines);
        let folders = folders(nodes);
        let has_compiled = nodes.files().iter().any(|file| file.path.ends_with(".pyx"));
        Self { has_compiled, layout, hierarchy, methods, method_names, folders, by_base_name, fixtures, foreign }
    }

    /// Of a tree in which all files together say what they said, under other numbers; `None` where one has none. Its methods
    /// may be others.
    pub(crate) fn carried(
        &self,
        nodes: &Nodes,
        outlines: &Outlines,
        layout: Layout,
        same_methods: bool,
        file: impl Fn(FileId) -> Option<FileId>,
        of: impl Fn(PartId) -> Option<PartId>,
    ) -> Option<Self> {
        let (hierarchy, fixtures) = (self.hierarchy.renumbered(&of)?, self.fixtures.renumbered(file, &of)?);
        if !same_methods {
            return Some(Self::new(nodes, outlines, layout, hierarchy, fixtures));
        }
        let renumbered = |all: &Vec<PartId>| all.iter().map(|part| of(*part)).collect::<Option<Vec<PartId>>>();
        let methods = self.methods.iter().map(|(name, all)| Some((Arc::clone(name), renumbered(all)?)));
        let methods = methods.collect::<Option<_>>()?;
        Some(Self::with_methods(nodes, outlines, layout, hierarchy, fixtures, methods))
    }

    /// Whether a function of this name may be a test, by the usual names or by settings.
    pub(crate) fn names_tests(&self, name: &str) -> bool {
        self.fixtures.name_tests(name)
    }

    /// The names of methods, sorted.
    fn method_names(&self) -> &[Arc<str>] {
        self.method_names.get_or_init(|| {
            let mut names: Vec<Arc<str>> = self.methods.keys().cloned().collect();
            names.sort_unstable();
            names
        })
    }

    /// What is worth remembering of it; `None` where it cannot be written.
    pub(crate) fn kept(&self) -> Option<Vec<u8>> {
        postcard::to_stdvec(&Kept { hierarchy: &self.hierarchy, fixtures: &self.fixtures }).ok()
    }

    /// Where other fixtures are offered in another tree; `None` where all its files are offered others. `file` and `of` give
    /// a file and a part of this one as those of the other.
    pub(crate) fn fixtures_that_differ(
        &self,
        after: &Self,
        file: impl Fn(FileId) -> Option<FileId>,
        of: impl Fn(PartId) -> Option<PartId>,
    ) -> Option<DifferingFixtures> {
        self.fixtures.differing(&after.fixtures, file, of)
    }

    /// Classes whose bases, near or far, are not those of before, and the classes that came to them or left them: each with
    /// whether it is numbered as after.
    pub(crate) fn classes_that_differ(
        &self,
        after: &Self,
        of: impl Fn(PartId) -> Option<PartId>,
    ) -> Vec<(PartId, bool)> {
        self.hierarchy.differing(&after.hierarchy, of)
    }

    /// Classes that have other bases, near or far, in another tree, with those that are in one of the two only: as numbered
    /// here, and there.
    pub(crate) fn lines_that_differ(
        &self,
        after: &Self,
        of: impl Fn(PartId) -> Option<PartId>,
    ) -> Vec<(Option<PartId>, Option<PartId>)> {
        self.hierarchy.lines_that_differ(&after.hierarchy, of)
    }

    /// Every class above a class, however far: all those that it is below of.
    pub(crate) fn classes_above(&self, class: PartId) -> Vec<PartId> {
        self.hierarchy.above(class)
    }

    /// The classes under other numbers; `None` where one has none.
    pub(crate) fn renumbered_classes(&self, of: impl Fn(PartId) -> Option<PartId>) -> Option<Hierarchy> {
        self.hierarchy.renumbered(of)
    }

    /// Every class below a class.
    pub(crate) fn classes_below(&self, class: PartId) -> Vec<PartId> {
        self.hierarchy.below(class)
    }

    /// The files of the package of Rust or Go that a file belongs to.
    pub(crate) fn compiled_with(&self, file: &FileNode) -> &[FileId] {
        match file.language {
            Some(Language::Go) => self.foreign.go.package_files(&file.path),
            Some(Language::Rust) => self.foreign.rust.package_files(&file.path),
            _ => &[],
        }
    }
}

/// Where a name that is computed was looked for: another function there may be meant, too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Asked {
    /// Among all that stands in a class or a module.
    In(PartId),
    /// Among the methods whose names begin so.
    Methods(Arc<str>),
}

impl Asked {
    /// Whether it is of a part of a tree with so many parts.
    pub(crate) fn is_sound(&self, parts: u32) -> bool {
        matches!(self, Self::In(part) if part.0 < parts) || matches!(self, Self::Methods(_))
    }

    pub(crate) fn renumbered(&self, of: impl Fn(PartId) -> Option<PartId>) -> Option<Self> {
        Some(match self {
            Self::In(part) => Self::In(of(*part)?),
            Self::Methods(start) => Self::Methods(Arc::clone(start)),
        })
    }
}

/// An index that is made when it is first asked for.
#[derive(Debug)]
pub(crate) struct LazyIndex {
    index: OnceLock<Index>,
    /// What is remembered of it.
    kept: Option<Section>,
}

/// What of an index takes reading all files; the rest is told from nodes, or from few files.
#[derive(Serialize)]
struct Kept<'a> {
    hierarchy: &'a Hierarchy,
    fixtures: &'a Fixtures,
}

impl LazyIndex {
    pub(crate) fn known(index: Index) -> Self {
        Self { index: index.into(), kept: None }
    }

    /// From what [`Index::kept`] gave for the same tree.
    pub(crate) fn kept(kept: Section) -> Self {
        Self { index: OnceLock::new(), kept: Some(kept) }
    }

    pub(crate) fn get(&self, nodes: &Nodes, outlines: &Outlines) -> &Index {
        self.index.get_or_init(|| {
            let layout = Layout::new(nodes.files().iter().map(|file| &*file.path));
            let kept = self.kept.as_ref().and_then(Section::read);
            let read = kept.as_ref().and_then(|kept| postcard::take_from_bytes::<(Hierarchy, Fixtures)>(kept).ok());
            let sound = read.filter(|((hierarchy, fixtures), rest)| {
                rest.is_empty() && hierarchy.is_sound(nodes) && fixtures.are_sound(nodes)
            });
            match sound {
                Some(((hierarchy, fixtures), _)) => Index::new(nodes, outlines, layout, hierarchy, fixtures),
                None => {
                    let scopes = ScopeTable::new(outlines, nodes.files().len());
                    discover(nodes, outlines, layout, &scopes, None).index
                }
            }
        })
    }
}

/// What the nodes of a tree get from reading all its files.
pub(crate) struct Discovered {
    pub(crate) index: Index,
    /// Test functions and methods, sorted.
    pub(crate) tests: Vec<PartId>,
    /// Files with what settings name a test, and pytest by itself does not; sorted.
    pub(crate) configured: Vec<FileId>,
    /// Decorators of the parts that have any, by dotted name, resolved through imports.
    pub(crate) decorators: Vec<(PartId, Vec<Arc<str>>)>,
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

/// Reads what all files together say. The nodes have files and parts, and neither tests nor decorators yet. The classes
/// may be known.
pub(crate) fn discover(
    nodes: &Nodes,
    outlines: &Outlines,
    layout: Layout,
    scopes: &ScopeTable<'_>,
    classes: Option<Hierarchy>,
) -> Discovered {
    let mut resolver = values::Resolver::new(Tree::new(nodes, outlines, &layout, scopes), None);
    let hierarchy = classes.unwrap_or_else(|| Hierarchy::new(&mut resolver));
    let mut tests = fixtures::tests(nodes, &hierarchy, outlines);
    tests.extend(foreign::tests(nodes, outlines));
    tests.sort_unstable();
    let configured = fixtures::configured(nodes, outlines, &tests);
    let mut decorators = emit::decorators(&mut resolver);
    decorators.extend(foreign::decorators(nodes, outlines));
    let fixtures = Fixtures::new(&mut resolver);
    drop(resolver);
    let index = Index::new(nodes, outlines, layout, hierarchy, fixtures);
    Discovered { index, tests, configured, decorators }
}

fn python_methods(nodes: &Nodes) -> impl Iterator<Item = PartId> {
    let files = nodes.file_ids().filter(|file| nodes.file(*file).language == Some(Language::Python));
    files.flat_map(|file| nodes.parts_of(file)).filter(|part| nodes.part(*part).kind == PartKind::Method)
}

/// Adds to what a name has.
fn push<K: Borrow<str> + Eq + Hash + for<'n> From<&'n str>, T>(map: &mut Map<K, Vec<T>>, name: &str, one: T) {
    match map.get_mut(name) {
        Some(all) => all.push(one),
        None => {
            map.insert(name.into(), vec![one]);
        }
    }
}

/// The folders around all files.
fn folders(nodes: &Nodes) -> Set<Box<str>> {
    let mut folders: Set<Box<str>> = Set::default();
    for file in nodes.files() {
        let mut folder = directory_of(&file.path);
        while !folder.is_empty() && !folders.contains(folder) {
            folders.insert(folder.into());
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

/// Whether no other file can see an edit of a file from one outline to the other, and it holds tests as before.
pub(crate) fn is_seen_by_nobody(language: Option<Language>, old: &Outline, new: &Outline) -> bool {
    let is_script = language.and_then(LanguageFamily::of) == Some(LanguageFamily::Script);
    // Calls tell that, also those in bodies.
    let runs = ecmascript::calls_a_runner;
    old.same_interface(new) && (!is_script || runs(old) == runs(new))
}

/// The links of every file, in order.
pub(crate) fn link_all(
    nodes: &Nodes,
    outlines: &Outlines,
    index: &Index,
    scopes: &ScopeTable<'_>,
    trace: Trace,
) -> Vec<Links> {
    let all: Vec<FileId> = nodes.file_ids().collect();
    link_some(nodes, outlines, index, scopes, trace, &all)
}

/// The links of some files, in their order.
pub(crate) fn link_some(
    nodes: &Nodes,
    outlines: &Outlines,
    index: &Index,
    scopes: &ScopeTable<'_>,
    trace: Trace,
    files: &[FileId],
) -> Vec<Links> {
    let tree = Tree::new(nodes, outlines, &index.layout, scopes);
    let next = AtomicUsize::new(0);
    let work = |found: &mut Vec<(usize, Links)>| {
        let mut linker = emit::Linker::new(tree, index);
        loop {
            let first = next.fetch_add(SHARE, Ordering::Relaxed);
            let Some(share) = files.get(first..files.len().min(first + SHARE)).filter(|share| !share.is_empty()) else {
                break;
            };
            found.extend(share.iter().enumerate().map(|(at, file)| (first + at, linker.link(*file, trace))));
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
    links.resize_with(files.len(), Links::default);
    for (at, of_file) in found.into_iter().flatten() {
        links[at] = of_file;
    }
    links
}

/// The links of one file.
pub(crate) fn link(nodes: &Nodes, outlines: &Outlines, index: &Index, trace: Trace, file: FileId) -> Links {
    // Of the few files that it asks, the next edit asks again.
    let scopes = ScopeTable::staying(outlines);
    emit::Linker::new(Tree::new(nodes, outlines, &index.layout, &scopes), index).link(file, trace)
}

/// Demands in order, each once.
pub(crate) fn each_once<'d>(demands: impl Iterator<Item = &'d Demand>) -> Vec<&'d Demand> {
    let mut demands: Vec<&Demand> = demands.collect();
    demands.sort_unstable();
    demands.dedup();
    demands
}

/// The edges that demands ask of the methods they name, by the file in which they start.
pub(crate) fn demanded<'d>(
    nodes: &Nodes,
    outlines: &Outlines,
    index: &Index,
    scopes: &ScopeTable<'_>,
    demands: impl Iterator<Item = &'d Demand>,
) -> Map<FileId, Vec<Edge>> {
    let demands = each_once(demands);
    let linker = emit::Linker::new(Tree::new(nodes, outlines, &index.layout, scopes), index);
    let mut edges: Map<FileId, Vec<Edge>> = Map::default();
    for demand in demands {
        for edge in linker.demanded(demand) {
            edges.entry(nodes.part(edge.from).file).or_default().push(edge);
        }
    }
    edges
}
