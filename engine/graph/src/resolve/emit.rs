//! Turns resolved names into edges, file by file.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::hash::Map;

use super::values::{FUEL, Resolver, Thing, Value};
use super::visits::{Class, Visit};
use super::{Asked, Demand, Index, Links, Trace, Tree, fixtures, foreign};
use crate::code::{Dependent, Edge, EdgeKind, Evidence, FileId, FolderUse, PartId, PartKind};
use crate::facts::{
    ImportFact, ImportForm, Language, Outline, PartFact, PartFlags, ReferenceFact, StringFact, StringShape, StringUse,
    without_call,
};
use crate::graph::{Nodes, Unresolved, UnresolvedKind};
use crate::layout::{Target, base_name, directory_of};
use crate::stdlib;

/// A method name that more classes than this define says too little for a guess.
pub(super) const MAX_GUESSES: usize = 8;
/// Overrides of one method that each call gets an edge to.
const MAX_OVERRIDES: usize = 32;
/// Attributes that one `getattr` of a computed name gets edges to, and all of a file; beyond, it hangs on the whole tree.
const MAX_DISPATCHED: usize = 256;
const MAX_DISPATCHED_IN_FILE: usize = 16_384;
/// Classes and attributes that are looked through for all of them.
const MAX_LOOKED_IN_FILE: usize = 1 << 22;
/// Classes below others that are remembered at once: a long line of classes has as many pairs as its square.
const MAX_BELOW: usize = 1 << 20;
/// Files of one name that are looked through for a path.
const MAX_NAMESAKES: usize = 1_024;
/// Entry points that one computed import hangs on; beyond, on the whole tree.
const MAX_ENTRIES: usize = 16;
/// The least that must be known of a computed name to look for methods by it on an object of unknown class.
const MIN_START: usize = 3;

/// What was found below classes.
#[derive(Default)]
struct Below {
    classes: Map<PartId, Rc<[PartId]>>,
    /// How many they are together.
    held: usize,
}

/// Links one file after another.
pub(super) struct Linker<'a> {
    pub(super) resolver: Resolver<'a>,
    pub(super) index: &'a Index,
    links: Links,
    /// What was found of the overrides of a class's method.
    overrides: Map<(PartId, &'a str), Rc<[PartId]>>,
    below: RefCell<Below>,
    /// Edges of the file that come from computed names.
    dispatched: usize,
    /// What was looked through for them.
    looked: usize,
}

impl<'a> Linker<'a> {
    pub(super) fn new(tree: Tree<'a>, index: &'a Index) -> Self {
        let resolver = Resolver::new(tree, Some(&index.hierarchy));
        let (links, overrides, below) = (Links::default(), Map::default(), RefCell::default());
        Self { resolver, index, links, overrides, below, dispatched: 0, looked: 0 }
    }

    fn nodes(&self) -> &'a Nodes {
        self.resolver.nodes()
    }

    /// The links of a file: the same whatever was linked before.
    pub(super) fn link(&mut self, file: FileId, trace: Trace) -> Links {
        self.resolver.begin(file, trace);
        (self.dispatched, self.looked) = (0, 0);
        if self.nodes().file(file).language != Some(Language::Python) {
            let visits = (trace == Trace::Yes).then(Vec::new);
            return Links { visits, ..foreign::link(self.resolver.tree, self.index, file) };
        }
        if let Some(outline) = self.resolver.outline(file) {
            let nodes = self.nodes();
            for class in nodes.parts_of(file).filter(|part| nodes.part(*part).kind == PartKind::Class) {
                self.inheritance(class);
            }
            for (index, import) in outline.imports.iter().enumerate() {
                self.import(file, outline, index, import);
            }
            self.references(file, outline);
            for (index, string) in outline.strings.iter().enumerate() {
                self.string(file, outline, index, string);
            }
            for (ordinal, fact) in outline.parts.iter().enumerate() {
                self.folder_uses(file, outline, ordinal, fact.flags);
                if fact.flags.contains(PartFlags::COMPUTED_IMPORT) {
                    self.links.unresolved.push(Unresolved {
                        part: self.resolver.part_id(file, ordinal as u32),
                        site: outline.part_site(ordinal),
                        kind: UnresolvedKind::Computed,
                        name: "".into(),
                        excused: false,
                    });
                }
            }
            fixtures::emit(self, file, outline);
        }
        let mut links = std::mem::take(&mut self.links);
        links.unresolved.sort_unstable();
        links.unresolved.dedup();
        links.demands.sort_unstable();
        links.demands.dedup();
        links.asked.sort_unstable();
        links.asked.dedup();
        links.models.sort_unstable();
        links.dependents.sort_unstable();
        links.dependents.dedup();
        links.visits = self.resolver.visits();
        links
    }

    // Folders.

    fn depends(&mut self, part: PartId, site: u32, folder: &str, usage: FolderUse) {
        self.links.dependents.push(Dependent { folder: folder.into(), usage, part, site });
    }

    /// What a part does with folders that it does not name.
    fn folder_uses(&mut self, file: FileId, outline: &Outline, ordinal: usize, flags: PartFlags) {
        if !flags.intersects(PartFlags::COMPUTED_IMPORT | PartFlags::STARTS_PROCESS | PartFlags::LISTS_FOLDER) {
            return;
        }
        let (part, site) = (self.resolver.part_id(file, ordinal as u32), outline.part_site(ordinal));
        let path = self.resolver.path(file);
        let folder = directory_of(path);
        // What tests load or start may be anything of the tree; a product loads its own.
        let tests = self.nodes().file(file).is_test
            || base_name(path) == "conftest.py"
            || folder.split('/').any(|folder| matches!(folder, "tests" | "test" | "testing"));
        let package =
            self.index.layout.packages_around(path, file).first().map(|outermost| self.resolver.path(*outermost));
        let own = match (package, base_name(path)) {
            (Some(package), _) => directory_of(package),
            (None, _) => folder,
        };
        let around = if tests { "" } else { own };
        if flags.contains(PartFlags::LISTS_FOLDER) {
            self.depends(part, site, folder, FolderUse::Reads);
        }
        if flags.contains(PartFlags::LEAVES_FOLDER) {
            self.depends(part, site, if tests { "" } else { directory_of(own) }, FolderUse::Reads);
        }
        if flags.contains(PartFlags::COMPUTED_IMPORT) {
            self.depends(part, site, around, FolderUse::Loads);
            // What entry points name is loaded by no other name.
            for entry in self.index.fixtures.entries().iter().take(MAX_ENTRIES) {
                let folder = directory_of(self.resolver.path(*entry));
                let is_around = around.is_empty() || format!("{folder}/").starts_with(&format!("{around}/"));
                if !is_around {
                    self.depends(part, site, folder, FolderUse::Loads);
                }
            }
            if self.index.fixtures.entries().len() > MAX_ENTRIES {
                self.depends(part, site, "", FolderUse::Loads);
            }
        }
        if flags.contains(PartFlags::STARTS_PROCESS) && (tests || flags.contains(PartFlags::NAMES_INTERPRETER)) {
            self.depends(part, site, around, FolderUse::Runs);
        }
    }

    // Names that are computed.

    /// `getattr` of a name that is computed: any attribute of the receiver that begins so.
    fn dispatch(&mut self, file: FileId, part: PartId, scope: u32, site: u32, chain: &'a str) {
        if self.dispatched > MAX_DISPATCHED_IN_FILE || self.looked > MAX_LOOKED_IN_FILE {
            return self.depends(part, site, "", FolderUse::Attributes);
        }
        let (receiver, start) = chain.rsplit_once('.').unwrap_or((chain, ""));
        let mut found: Vec<PartId> = Vec::new();
        let nodes = self.nodes();
        let values = if receiver == "?" { Vec::new() } else { self.resolver.chain(file, scope, receiver) };
        for value in &values {
            match value.thing {
                Thing::Part(class) | Thing::Instance(class) | Thing::Exact(class) | Thing::Super(class)
                    if nodes.part(class).kind == PartKind::Class =>
                {
                    let line = self.index.hierarchy.line(class).into_iter().flat_map(|line| line.classes.iter());
                    let mut classes: Vec<PartId> = line.map(|(class, _)| *class).collect();
                    classes.extend(self.index.hierarchy.below(class));
                    self.looked += classes.len();
                    if classes.len() > MAX_DISPATCHED {
                        return self.depends(part, site, "", FolderUse::Attributes);
                    }
                    for class in classes {
                        self.links.asked.push(Asked::In(class));
                        let begins = |part: &PartId| nodes.name(*part).starts_with(start);
                        let children = nodes.children(class).inspect(|_| self.looked += 1);
                        found.extend(children.filter(begins).take(MAX_DISPATCHED + 1));
                    }
                }
                Thing::Module(module) => {
                    let body = nodes.body_of(module);
                    self.links.asked.push(Asked::In(body));
                    let begins = |part: &PartId| nodes.name(*part).starts_with(start);
                    found.push(body);
                    let children = nodes.children(body).inspect(|_| self.looked += 1);
                    found.extend(children.filter(begins).take(MAX_DISPATCHED + 1));
                }
                _ => {}
            }
        }
        if found.is_empty() && start.len() >= MIN_START {
            self.links.asked.push(Asked::Methods(start.into()));
            let names = self.index.method_names();
            let from = names.partition_point(|name| **name < *start);
            let named = names[from..].iter().take_while(|name| name.starts_with(start)).take(MAX_DISPATCHED + 1);
            for methods in named.filter_map(|name| self.index.methods.get(name)) {
                found.extend(methods.iter().take(MAX_DISPATCHED + 1));
            }
        }
        found.sort_unstable();
        found.dedup();
        self.dispatched += found.len();
        if found.len() > MAX_DISPATCHED || self.dispatched > MAX_DISPATCHED_IN_FILE {
            return self.depends(part, site, "", FolderUse::Attributes);
        }
        for target in found {
            self.edge(part, target, EdgeKind::Calls, Evidence::Guess, site);
        }
    }

    pub(super) fn edge(&mut self, from: PartId, to: PartId, kind: EdgeKind, evidence: Evidence, site: u32) {
        self.links.edges.push(Edge { from, to, kind, evidence, site, type_only: false });
    }

    fn inheritance(&mut self, class: PartId) {
        let nodes = self.nodes();
        for (base, sure) in self.index.hierarchy.bases(class) {
            self.edge(class, *base, EdgeKind::Inherits, call(*sure), nodes.part(class).ordinal);
        }
        // The interpreter calls these, whoever holds an object of the class.
        for method in nodes.children(class) {
            let name = nodes.name(method);
            if nodes.part(method).kind == PartKind::Method
                && name.starts_with("__")
                && name.ends_with("__")
                && !matches!(name, "__init__" | "__new__" | "__post_init__")
            {
                self.edge(class, method, EdgeKind::Calls, Evidence::Guess, nodes.part(method).ordinal);
            }
        }
    }

    // Imports.

    fn import(&mut self, file: FileId, outline: &'a Outline, index: usize, import: &'a ImportFact) {
        self.resolver.fuel = FUEL;
        let graph = self.nodes();
        let part = self.resolver.part_id(file, import.part);
        let site = outline.import_site(index);
        let dotted = outline.name(import.module);
        let surely = if import.form == ImportForm::Literal { Evidence::String } else { Evidence::Import };
        let edge = |linker: &mut Self, to: PartId, sure: bool| {
            let evidence = if sure { surely } else { Evidence::Guess };
            let type_only = import.type_only;
            linker.links.edges.push(Edge { from: part, to, kind: EdgeKind::Imports, evidence, site, type_only });
        };
        let excused = import.guarded || import.type_only;
        let found = self.resolver.module(file, import.level, dotted);
        let segments = Resolver::segments(dotted);
        if let Some(found) = &found {
            for package in &found.packages {
                edge(self, graph.body_of(*package), found.sure);
            }
            if let Target::Module(target) = found.target {
                edge(self, graph.body_of(target), found.sure);
            }
        }
        let Some(found) = found.filter(|found| found.matched == segments) else {
            self.missing_module(file, outline, part, site, import, excused);
            return;
        };
        if import.form != ImportForm::From {
            return;
        }
        let name = outline.name(import.name);
        let thing = match found.target {
            Target::Module(target) => Thing::Module(target),
            Target::Namespace(index) => Thing::Namespace(index),
        };
        let mut values = Vec::new();
        self.resolver.attribute_of(Value { thing, sure: found.sure }, name, &mut values);
        for value in &values {
            match value.thing {
                Thing::Part(target) => edge(self, target, value.sure),
                Thing::Module(target) => edge(self, graph.body_of(target), value.sure),
                Thing::Variable(target) => edge(self, graph.body_of(target), value.sure),
                _ => {}
            }
        }
        let opaque = match found.target {
            Target::Module(target) => graph.file(target).opaque.is_some() || graph.file(target).has_problems,
            Target::Namespace(_) => false,
        };
        // A directory without `__init__` gives way to an installed package of its name.
        let first = dotted.split('.').next().unwrap_or(dotted);
        let is_known = stdlib::is_standard(first);
        let kind = match found.target {
            Target::Namespace(_) if import.level == 0 && is_known => return,
            Target::Namespace(_) if import.level == 0 => UnresolvedKind::External,
            // One word that is found anywhere may as well be an installed package.
            Target::Module(_) if !found.sure && segments == 1 => UnresolvedKind::External,
            _ => UnresolvedKind::Name,
        };
        if values.is_empty() {
            self.compiled(file, outline, part, site, import);
        }
        if values.is_empty() && matches!(found.target, Target::Namespace(_)) && import.level == 0 {
            self.may_mean(part, site, &format!("{dotted}.{name}"));
        }
        if values.is_empty() && !opaque {
            let name = format!("{}{dotted}:{name}", ".".repeat(usize::from(import.level)));
            self.links.unresolved.push(Unresolved { part, site, kind, name: name.into(), excused });
        }
    }

    fn missing_module(
        &mut self,
        file: FileId,
        outline: &'a Outline,
        part: PartId,
        site: u32,
        import: &ImportFact,
        excused: bool,
    ) {
        let dotted = outline.name(import.module);
        let first = dotted.split('.').next().unwrap_or(dotted);
        let kind = if import.level > 0 {
            UnresolvedKind::RelativeModule
        } else if stdlib::is_standard(first) {
            return;
        } else if self.index.layout.owns(self.resolver.path(file), dotted) {
            UnresolvedKind::OwnModule
        } else {
            UnresolvedKind::External
        };
        if import.level == 0 {
            self.may_mean(part, site, dotted);
        }
        self.compiled(file, outline, part, site, import);
        let name = format!("{}{dotted}", ".".repeat(usize::from(import.level)));
        self.links.unresolved.push(Unresolved { part, site, kind, name: name.into(), excused });
    }

    /// A module that is compiled from a file that is not read: the one that is named, or one in its package.
    fn compiled(&mut self, file: FileId, outline: &'a Outline, part: PartId, site: u32, import: &ImportFact) {
        if !self.index.has_compiled {
            return;
        }
        let dotted = outline.name(import.module);
        let inside = import.name.some().map(|name| format!("{dotted}.{}", outline.name(name)));
        for dotted in [Some(dotted), inside.as_deref()].into_iter().flatten() {
            for stem in self.index.layout.stems(self.resolver.path(file), import.level, dotted.trim_start_matches('.'))
            {
                if let Some(target) = self.nodes().file_by_path(&format!("{stem}.pyx")) {
                    self.edge(part, self.nodes().body_of(target), EdgeKind::Imports, Evidence::Import, site);
                    return;
                }
            }
        }
    }

    /// A module that several paths may be, by roots that are added at run time: it hangs on their folders.
    fn may_mean(&mut self, part: PartId, site: u32, dotted: &str) {
        for folder in self.index.layout.may_mean(dotted) {
            self.depends(part, site, folder, FolderUse::Loads);
        }
    }

    // Calls and uses.

    /// A chain whose head no inner scope binds means the same in the whole file: it is looked up once.
    fn references(&mut self, file: FileId, outline: &'a Outline) {
        // By chain and way of use: which of `edges` the first such reference gave, plus one.
        let mut known: Vec<(u32, u32)> = vec![(0, 0); outline.names.len() * 4];
        for (index, reference) in outline.references.iter().enumerate() {
            let way = usize::from(reference.is_call) | usize::from(reference.in_decorator) << 1;
            let slot = reference.chain.0 as usize * 4 + way;
            let (begin, end) = known.get(slot).copied().unwrap_or_default();
            if begin > 0 {
                let part = self.resolver.part_id(file, reference.part);
                let site = outline.reference_site(index);
                for at in begin as usize - 1..end as usize - 1 {
                    let edge = Edge { from: part, site, ..self.links.edges[at] };
                    self.links.edges.push(edge);
                }
                continue;
            }
            let (begin, dependents) = (self.links.edges.len(), self.links.dependents.len());
            self.reference(file, outline, index, reference);
            let part = self.resolver.part_id(file, reference.part);
            let chain = outline.name(reference.chain);
            let head = without_call(chain.split('.').next().unwrap_or(chain));
            // One by a computed name may hang on folders instead, and counts by how many there are.
            if chain.ends_with('*') || self.links.dependents.len() > dependents {
                continue;
            }
            let all_from_part = self.links.edges[begin..].iter().all(|edge| edge.from == part);
            if all_from_part && !self.resolver.binds_inside(file, head) {
                known[slot] = (begin as u32 + 1, self.links.edges.len() as u32 + 1);
            }
        }
    }

    fn reference(&mut self, file: FileId, outline: &'a Outline, index: usize, reference: &'a ReferenceFact) {
        self.resolver.fuel = FUEL;
        let part = self.resolver.part_id(file, reference.part);
        let site = outline.reference_site(index);
        let chain = outline.name(reference.chain);
        if let Some(start) = chain.strip_suffix('*') {
            return self.dispatch(file, part, reference.part, site, start);
        }
        // Decorators and annotations of a part are read in the scope around it, but nothing is lost by its own.
        let mut receivers: Vec<Value> = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        let mut classes: Vec<Value> = Vec::new();
        let mut segments = chain.split('.').peekable();
        let mut is_head = true;
        while let Some(segment) = segments.next() {
            let name = without_call(segment);
            receivers = std::mem::take(&mut values);
            if is_head {
                self.resolver.head(file, reference.part, name, segment, &mut values);
                is_head = false;
            } else {
                for receiver in &receivers {
                    self.resolver.attribute_of(*receiver, name, &mut values);
                }
            }
            if segments.peek().is_none() {
                break;
            }
            self.pass_through(part, site, &values);
            let is_class =
                |thing| matches!(thing, Thing::Part(class) if self.nodes().part(class).kind == PartKind::Class);
            classes.extend(values.iter().filter(|value| is_class(value.thing)));
            if segment.len() > name.len() && name != "super" {
                for value in std::mem::take(&mut values) {
                    self.resolver.result_of(value, &mut values);
                }
            }
            values.sort_unstable();
            values.dedup();
            if values.is_empty() {
                break;
            }
        }
        let complete = segments.peek().is_none();
        // What is not here of a class (`View.as_view`) may hand on the class.
        if !complete || values.is_empty() || values.iter().any(|value| value.thing == Thing::External) {
            for class in classes {
                self.use_of(part, site, EdgeKind::References, class);
            }
        }
        // The names of the module itself, to be asked for by any other name.
        if matches!(chain, "globals" | "vars" | "sys.modules") {
            self.depends(part, site, self.resolver.path(file), FolderUse::Attributes);
        }
        let last = without_call(chain.rsplit('.').next().unwrap_or(chain));
        let kind = if reference.is_call && !reference.in_decorator { EdgeKind::Calls } else { EdgeKind::References };
        if complete && !values.is_empty() {
            for value in &values {
                self.use_of(part, site, kind, *value);
            }
        } else if reference.is_call && chain.contains('.') {
            self.guess(part, site, kind, last);
        }
        if complete {
            for receiver in receivers {
                if let Thing::Instance(class) = receiver.thing {
                    self.overrides(part, site, kind, class, last);
                }
            }
        }
    }

    /// Names in the middle of a chain: properties run, and variables of modules are read.
    fn pass_through(&mut self, part: PartId, site: u32, values: &[Value]) {
        for value in values {
            match value.thing {
                Thing::Part(target) if self.resolver.is_property(target) => {
                    self.edge(part, target, EdgeKind::Calls, call(value.sure), site);
                }
                Thing::Variable(file) => {
                    let body = self.nodes().body_of(file);
                    self.edge(part, body, EdgeKind::References, call(value.sure), site);
                }
                _ => {}
            }
        }
    }

    fn use_of(&mut self, part: PartId, site: u32, kind: EdgeKind, value: Value) {
        let graph = self.nodes();
        let evidence = call(value.sure);
        match value.thing {
            Thing::Part(target) if graph.part(target).kind == PartKind::Class => {
                self.edge(part, target, kind, evidence, site);
                if kind == EdgeKind::Calls {
                    for constructor in ["__init__", "__new__", "__post_init__"] {
                        if let Some((method, sure)) = self.resolver.method(target, constructor) {
                            self.edge(part, method, kind, call(sure && value.sure), site);
                        }
                    }
                }
            }
            Thing::Part(target) => {
                let kind = if self.resolver.is_property(target) { EdgeKind::Calls } else { kind };
                self.edge(part, target, kind, evidence, site);
            }
            Thing::Instance(class) | Thing::Exact(class) if kind == EdgeKind::Calls => {
                if let Some((method, sure)) = self.resolver.method(class, "__call__") {
                    self.edge(part, method, kind, call(sure && value.sure), site);
                }
            }
            Thing::Module(file) => {
                self.edge(part, graph.body_of(file), EdgeKind::References, evidence, site);
                // Whoever gets the module may use anything of it.
                let path = self.resolver.path(file);
                self.depends(part, site, path, FolderUse::Attributes);
            }
            Thing::Variable(file) => {
                self.edge(part, graph.body_of(file), EdgeKind::References, evidence, site);
            }
            _ => {}
        }
    }

    /// A call on an object of a class may run what its subclasses define.
    fn overrides(&mut self, part: PartId, site: u32, kind: EdgeKind, class: PartId, name: &'a str) {
        self.resolver.visit(Visit::Below(Class::of(self.nodes(), class), name));
        if !self.index.hierarchy.has_subclasses(class) {
            return;
        }
        let overrides = match self.overrides.get(&(class, name)) {
            Some(known) => Rc::clone(known),
            None => {
                let found: Rc<[PartId]> = self.find_overrides(class, name).into();
                self.overrides.insert((class, name), Rc::clone(&found));
                found
            }
        };
        if overrides.len() > MAX_OVERRIDES {
            self.links.demands.push(Demand { class, name: name.into(), kind });
            self.edge(part, self.stands_for_all(class, name), kind, Evidence::Guess, site);
            return;
        }
        for target in overrides.iter() {
            self.edge(part, *target, kind, Evidence::Guess, site);
        }
    }

    /// The edges that a demand asks for.
    pub(super) fn demanded(&self, demand: &Demand) -> Vec<Edge> {
        let from = self.stands_for_all(demand.class, &demand.name);
        let site = self.nodes().part(from).ordinal;
        let edge = |to| Edge { from, to, kind: demand.kind, evidence: Evidence::Guess, site, type_only: false };
        self.find_overrides(demand.class, &demand.name).into_iter().map(edge).collect()
    }

    /// The method of a class that many others override; the class where it has none.
    fn stands_for_all(&self, class: PartId, name: &str) -> PartId {
        self.resolver.method(class, name).map_or(class, |(method, _)| method)
    }

    fn find_overrides(&self, class: PartId, name: &str) -> Vec<PartId> {
        let Some(methods) = self.index.methods.get(name) else { return Vec::new() };
        let below = self.below(class);
        let mut found: Vec<PartId> = if methods.len() > below.len() {
            below.iter().filter_map(|class| self.resolver.own_method(*class, name)).collect()
        } else {
            // The other way round: few methods are asked for their class instead of many classes for their method.
            let of_class = |method: &PartId| Some((self.nodes().part(*method).parent?, *method));
            let is_below = |(class, _): &(PartId, PartId)| below.binary_search(class).is_ok();
            let mut found: Vec<_> = methods.iter().filter_map(of_class).filter(is_below).collect();
            // Of several of one name in a class it is the first.
            found.sort_unstable();
            found.dedup_by_key(|(class, _)| *class);
            found.into_iter().map(|(_, method)| method).collect()
        };
        found.sort_unstable();
        found
    }

    /// Every class below a class, sorted.
    fn below(&self, class: PartId) -> Rc<[PartId]> {
        let mut known = self.below.borrow_mut();
        if let Some(below) = known.classes.get(&class) {
            return Rc::clone(below);
        }
        let below: Rc<[PartId]> = self.index.hierarchy.below(class).into();
        if known.held + below.len() > MAX_BELOW {
            *known = Below::default();
        }
        known.held += below.len();
        known.classes.insert(class, Rc::clone(&below));
        below
    }

    /// A call on something unknown: the few methods of this name.
    fn guess(&mut self, part: PartId, site: u32, kind: EdgeKind, name: &str) {
        if stdlib::is_builtin_method(name) {
            return;
        }
        self.resolver.visit(Visit::Methods(name));
        let Some(methods) = self.index.methods.get(name).filter(|methods| methods.len() <= MAX_GUESSES) else { return };
        for method in methods {
            self.edge(part, *method, kind, Evidence::Guess, site);
        }
    }

    // Strings.

    fn string(&mut self, file: FileId, outline: &'a Outline, index: usize, string: &StringFact) {
        self.resolver.fuel = FUEL;
        let part = self.resolver.part_id(file, string.part);
        let site = outline.string_site(index);
        let text = outline.name(string.text);
        if string.shape.contains(StringShape::MODEL) {
            self.links.models.push((text.to_lowercase().into(), part, site));
        }
        if string.shape.contains(StringShape::DOTTED) && string.usage != StringUse::Fixture {
            self.dotted_string(file, part, site, text, string.usage);
        }
        if string.shape.contains(StringShape::PATH) || string.usage == StringUse::Path {
            let found = path_string(self.nodes(), self.index, self.resolver.path(file), text);
            for &(target, sure) in &found {
                let evidence = if sure { Evidence::String } else { Evidence::Guess };
                self.edge(part, self.nodes().body_of(target), EdgeKind::References, evidence, site);
            }
            if found.is_empty()
                && let Some(folder) = self.folder_string(file, text, string.usage == StringUse::Path)
            {
                self.depends(part, site, &folder, FolderUse::Reads);
            }
        }
    }

    /// The folder that a path names, or the package that an argument of `files` and its kin does.
    fn folder_string(&mut self, file: FileId, text: &'a str, may_be_package: bool) -> Option<Box<str>> {
        let path = text.trim_start_matches("./").trim_matches('/');
        let mut directory = directory_of(self.resolver.path(file));
        let mut rest = path;
        while let Some(above) = rest.strip_prefix("../") {
            rest = above;
            directory = directory_of(directory);
        }
        if !rest.is_empty() && !matches!(rest, "." | "..") {
            if let Some(found) = self.index.folders.get(rest) {
                return Some(found.clone());
            }
            while !directory.is_empty() {
                if let Some(found) = self.index.folders.get(format!("{directory}/{rest}").as_str()) {
                    return Some(found.clone());
                }
                directory = directory_of(directory);
            }
        }
        if !may_be_package || !text.split('.').all(|segment| !segment.is_empty()) {
            return None;
        }
        let found = self.resolver.module(file, 0, text)?;
        match found.target {
            Target::Module(target) if found.matched == Resolver::segments(text) => {
                Some(directory_of(self.resolver.path(target)).into())
            }
            _ => None,
        }
    }

    /// A string that names a module or something in one: `a.b.c`, the target of `patch`.
    fn dotted_string(&mut self, file: FileId, part: PartId, site: u32, text: &'a str, usage: StringUse) {
        let graph = self.nodes();
        let Some(found) = self.resolver.module(file, 0, text).filter(|found| found.sure) else {
            return self.dotted_guess(file, part, site, text);
        };
        let Target::Module(target) = found.target else { return };
        let mut values = vec![Value { thing: Thing::Module(target), sure: true }];
        for segment in text.split('.').skip(found.matched) {
            for value in std::mem::take(&mut values) {
                self.resolver.attribute_of(value, segment, &mut values);
            }
        }
        values.retain(|value| value.thing != Thing::External);
        if values.is_empty() && usage == StringUse::Plain {
            return;
        }
        self.edge(part, graph.body_of(target), EdgeKind::References, Evidence::String, site);
        for value in values {
            let target = match value.thing {
                Thing::Part(target) => target,
                Thing::Module(file) | Thing::Variable(file) => graph.body_of(file),
                _ => continue,
            };
            self.edge(part, target, EdgeKind::References, Evidence::String, site);
        }
    }

    /// In tests a string may name a module below a folder that only they put on the search path.
    fn dotted_guess(&mut self, file: FileId, part: PartId, site: u32, text: &str) {
        if !self.nodes().file(file).is_test {
            return;
        }
        let mut module = text;
        // The whole of it, or what stands before the names of things in the module; but more than one word.
        while module.contains('.') {
            let path = module.replace('.', "/");
            let mut found = path_string(self.nodes(), self.index, "", &format!("{path}.py"));
            found.extend(path_string(self.nodes(), self.index, "", &format!("{path}/__init__.py")));
            for &(target, _) in &found {
                self.edge(part, self.nodes().body_of(target), EdgeKind::References, Evidence::Guess, site);
            }
            if !found.is_empty() {
                return;
            }
            module = module.rsplit_once('.').map_or("", |(before, _)| before);
        }
    }
}

/// The file that a path names: from the root, from the file's directory or one above; or the few that end so.
pub(super) fn path_string(nodes: &Nodes, index: &Index, from: &str, text: &str) -> Vec<(FileId, bool)> {
    let text = text.trim_start_matches("./");
    let mut directory = directory_of(from);
    if let Some(found) = nodes.file_by_path(text) {
        return vec![(found, true)];
    }
    let mut rest = text;
    while let Some(above) = rest.strip_prefix("../") {
        rest = above;
        directory = directory_of(directory);
    }
    if rest.is_empty() {
        return Vec::new();
    }
    loop {
        let path = if directory.is_empty() { rest.to_owned() } else { format!("{directory}/{rest}") };
        if let Some(found) = nodes.file_by_path(&path) {
            return vec![(found, true)];
        }
        if directory.is_empty() {
            break;
        }
        directory = directory_of(directory);
    }
    let suffix = format!("/{rest}");
    let named = index.by_base_name.get(base_name(rest));
    let candidates = named.map_or(&[][..], |files| files.get(..MAX_NAMESAKES).unwrap_or(files)).iter();
    let matching = candidates.filter(|candidate| nodes.file(**candidate).path.ends_with(&suffix));
    let found: Vec<(FileId, bool)> = matching.take(MAX_GUESSES + 1).map(|file| (*file, false)).collect();
    if found.len() > MAX_GUESSES { Vec::new() } else { found }
}

/// Decorators of the parts that have any.
pub(super) fn decorators(resolver: &mut Resolver<'_>) -> Vec<(PartId, Vec<Arc<str>>)> {
    let mut found = Vec::new();
    for file in resolver.nodes().file_ids() {
        let Some(outline) = resolver.outline(file) else { continue };
        for (ordinal, fact) in outline.parts.iter().enumerate().filter(|(_, fact)| fact.decorators.len > 0) {
            let names = outline.list(fact.decorators).iter();
            let names: Vec<Arc<str>> =
                names.map(|name| decorator_name(resolver, file, outline, fact.parent, outline.name(*name))).collect();
            found.push((resolver.part_id(file, ordinal as u32), names));
        }
    }
    found
}

/// A decorator's dotted name with its head as the imports around it spell it; `scope` is the part around the decorated one.
fn decorator_name<'a>(
    resolver: &mut Resolver<'a>,
    file: FileId,
    outline: &'a Outline,
    scope: u32,
    name: &'a str,
) -> Arc<str> {
    let (head, rest) = name.split_once('.').map_or((name, None), |(head, rest)| (head, Some(rest)));
    let binds = |import: &&ImportFact| {
        let bound = match import.form {
            ImportForm::From => import.alias.some().or(import.name.some()),
            ImportForm::Module => import.alias.some(),
            _ => None,
        };
        bound.is_some_and(|bound| outline.name(bound) == head)
    };
    let mut around = Some(scope).filter(|_| scope != PartFact::NO_PARENT);
    let import = loop {
        let Some(at) = around else { break None };
        let found = outline.imports.iter().filter(|import| import.part == at).find(binds);
        if found.is_some() || at == 0 {
            break found;
        }
        around = outline.parts.get(at as usize).map(|part| part.parent).filter(|above| *above < at);
    };
    let Some(import) = import else {
        let defined = outline.parts.iter().position(|part| part.parent == 0 && outline.name(part.name) == head);
        return match defined {
            Some(ordinal) => {
                let part = resolver.part_id(file, ordinal as u32);
                join(&resolver.nodes().qualified_name(part), rest)
            }
            None => name.into(),
        };
    };
    let dotted = outline.name(import.module);
    // What is imported by its whole name is called so, whatever is there.
    let found = if import.level > 0 { resolver.module(file, import.level, dotted) } else { None };
    let module = match found.map(|found| found.target) {
        Some(Target::Module(target)) => resolver.nodes().file(target).module.to_string(),
        _ => dotted.to_owned(),
    };
    match import.form {
        ImportForm::From => join(&join(&module, Some(outline.name(import.name))), rest),
        _ => join(&module, rest),
    }
}

fn join(head: &str, rest: Option<&str>) -> Arc<str> {
    match rest {
        Some(rest) if head.is_empty() => rest.into(),
        Some(rest) => format!("{head}.{rest}").into(),
        None => head.into(),
    }
}

fn call(sure: bool) -> Evidence {
    if sure { Evidence::Call } else { Evidence::Guess }
}
