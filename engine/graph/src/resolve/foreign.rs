//! What linking has in common for the languages other than Python: from chains of names to edges.
//!
//! The languages differ in where a module is found and in what a name of it stands for; that is asked of
//! [`ecmascript`], [`rust`] and [`go`]. The links of a file hang on its outline, on the [`World`], and on outlines of other
//! files.

use std::rc::Rc;
use std::sync::Arc;

use super::emit::path_string;
use super::scope::Binder;
use super::{Index, Links, Tree, ecmascript, go, rust, unread};
use crate::code::{Dependent, Edge, EdgeKind, Evidence, FileId, FolderUse, LanguageFamily, PartId, PartKey, PartKind};
use crate::facts::{
    BindingForm, ImportFact, ImportForm, Language, Outline, PartFlags, StringShape, StringUse, without_call,
};
use crate::graph::{Nodes, Outlines, Unresolved, UnresolvedKind};
use crate::hash::Map;
use crate::layout::directory_of;
use crate::test_names::{is_foreign_test, lies_among_tests};

/// Steps that one chain may take.
const FUEL: u32 = 300;
/// How deep one look-up may lead into others.
const MAX_NESTING: u32 = 40;
/// Most values that one name may have.
const MAX_VALUES: usize = 12;
/// A method name that more types than this define says too little for a guess.
const MAX_GUESSES: usize = 8;
/// Definitions of one name in one type.
const MAX_OCCURRENCES: u32 = 4;
/// Files that one pattern of `go:embed` gets edges to; beyond, it hangs on the folder.
const MAX_EMBEDDED: usize = 200;
/// Files that one import gets edges to, and edges of one file from which on an import of more than a few files hangs on
/// their folder.
const MAX_IMPORTED: usize = 1_024;
const MAX_FEW: usize = 64;
const MAX_EDGES: usize = 1 << 17;

/// What a name may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    /// A class or function itself.
    Part(PartId),
    /// A module by its file.
    Module(FileId),
    /// A package of Go: its index in the world.
    Package(u32),
    /// An object of a class.
    Instance(PartId),
    /// A variable of a module.
    Variable(FileId),
    /// From outside the repository.
    External,
}

/// A thing, and whether it is known without guessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Value {
    pub(super) thing: Thing,
    pub(super) sure: bool,
}

pub(super) type Values = Vec<Value>;

/// The families of languages that are linked here: all but Python's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Family {
    Script,
    Rust,
    Go,
}

impl Family {
    pub(super) fn of(language: Option<Language>) -> Option<Self> {
        match LanguageFamily::of(language?)? {
            LanguageFamily::Python => None,
            LanguageFamily::Script => Some(Self::Script),
            LanguageFamily::Rust => Some(Self::Rust),
            LanguageFamily::Go => Some(Self::Go),
        }
    }
}

/// What linking knows of all files together.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// Methods by language and name.
    methods: Map<(Family, Arc<str>), Vec<PartId>>,
    pub(super) script: ecmascript::Packages,
    pub(super) rust: rust::Crates,
    pub(super) go: go::Packages,
}

impl World {
    pub(super) fn new(nodes: &Nodes, outlines: &Outlines) -> Self {
        let mut methods: Map<(Family, Arc<str>), Vec<PartId>> = Map::default();
        for part in nodes.part_ids() {
            let node = nodes.part(part);
            if node.kind == PartKind::Method
                && let Some(family) = Family::of(nodes.file(node.file).language)
            {
                methods.entry((family, nodes.name(part).into())).or_default().push(part);
            }
        }
        Self {
            methods,
            script: ecmascript::Packages::new(nodes, outlines),
            rust: rust::Crates::new(nodes, outlines),
            go: go::Packages::new(nodes, outlines),
        }
    }
}

/// The entries of a manifest: fields divided by tabs.
pub(super) fn entries(outlines: &Outlines, file: FileId) -> impl Iterator<Item = Vec<&str>> {
    let outline = outlines.of(file);
    outline.into_iter().flat_map(|outline| {
        let all = outline.all.as_deref().unwrap_or_default();
        all.iter().map(|entry| outline.name(*entry).split('\t').collect())
    })
}

/// Tests by the conventions of each ecosystem: functions of Go and Rust, and modules of JavaScript, whose tests are calls.
pub(super) fn tests(nodes: &Nodes, outlines: &Outlines) -> Vec<PartId> {
    let mut tests = Vec::new();
    for file in nodes.file_ids() {
        let node = nodes.file(file);
        let Some(family) = Family::of(node.language) else { continue };
        let Some(outline) = outlines.of(file) else { continue };
        match family {
            Family::Script => {
                let by_name = node.is_test || is_foreign_test(&node.path) && ecmascript::calls_a_runner(outline);
                if by_name || ecmascript::imports_a_runner(outline) {
                    tests.push(nodes.body_of(file));
                }
            }
            Family::Rust => {
                let is_test = |name: &str| {
                    let last = name.rsplit('.').next().unwrap_or(name);
                    matches!(last, "test" | "rstest" | "test_case" | "quickcheck" | "bench" | "case" | "apply")
                        || last.ends_with("_test")
                };
                for (ordinal, part) in outline.parts.iter().enumerate() {
                    let names = outline.list(part.decorators);
                    if part.kind == PartKind::Function && names.iter().any(|name| is_test(outline.name(*name))) {
                        tests.push(nodes.part_id(file, ordinal as u32));
                    }
                }
            }
            Family::Go => {
                for (ordinal, part) in outline.parts.iter().enumerate() {
                    let name = outline.name(part.name);
                    let begins = ["Test", "Benchmark", "Example", "Fuzz"].iter().any(|begin| {
                        name.strip_prefix(begin)
                            .is_some_and(|rest| !rest.starts_with(|first: char| first.is_ascii_lowercase()))
                    });
                    if node.is_test && part.kind == PartKind::Function && part.parent == 0 && begins {
                        tests.push(nodes.part_id(file, ordinal as u32));
                    }
                }
            }
        }
    }
    tests
}

/// Decorators and attributes as written.
pub(super) fn decorators(nodes: &Nodes, outlines: &Outlines) -> Vec<(PartId, Vec<Arc<str>>)> {
    let mut found = Vec::new();
    for file in nodes.file_ids() {
        if Family::of(nodes.file(file).language).is_none() {
            continue;
        }
        let Some(outline) = outlines.of(file) else { continue };
        for (ordinal, part) in outline.parts.iter().enumerate().filter(|(_, part)| part.decorators.len > 0) {
            let names = outline.list(part.decorators).iter().map(|name| outline.name(*name).into()).collect();
            found.push((nodes.part_id(file, ordinal as u32), names));
        }
    }
    found
}

/// The links of one file.
pub(super) fn link(tree: Tree<'_>, index: &Index, file: FileId) -> Links {
    let Some(family) = Family::of(tree.nodes.file(file).language) else {
        return match Language::reader_of(&tree.nodes.file(file).path) {
            Some(Language::PackageJson) => ecmascript::set_up_by(tree, index, file),
            _ => unread::link(tree, file),
        };
    };
    let Some(outline) = tree.outlines.of(file) else {
        return Links::default();
    };
    let names = Names { tree, world: &index.foreign, family, fuel: FUEL, nesting: 0, by_package: Map::default() };
    let mut linker = Linker { names, index, file, outline, links: Links::default() };
    linker.run();
    let mut links = linker.links;
    links.unresolved.sort_unstable();
    links.unresolved.dedup();
    links.models.sort_unstable();
    links.dependents.sort_unstable();
    links.dependents.dedup();
    links
}

/// Where an import leads.
pub(super) enum Found {
    /// To these files, the first of which is the module itself.
    Files(Vec<FileId>, bool),
    /// Outside, as a manifest or the language says.
    Outside,
    /// Nowhere.
    Missing(UnresolvedKind),
}

/// Look-ups of names.
pub(super) struct Names<'a> {
    pub(super) tree: Tree<'a>,
    pub(super) world: &'a World,
    pub(super) family: Family,
    fuel: u32,
    nesting: u32,
    /// What imports of Go bind by the names of their packages, by file.
    pub(super) by_package: Map<FileId, Rc<Map<Box<str>, Thing>>>,
}

impl<'a> Names<'a> {
    pub(super) fn nodes(&self) -> &'a Nodes {
        self.tree.nodes
    }

    pub(super) fn outline(&self, file: FileId) -> Option<&'a Outline> {
        self.tree.outlines.of(file).map(|outline| &**outline)
    }

    pub(super) fn path(&self, file: FileId) -> &'a str {
        &self.nodes().file(file).path
    }

    fn part_id(&self, file: FileId, ordinal: u32) -> PartId {
        self.nodes().part_id(file, ordinal)
    }

    pub(super) fn spend(&mut self) -> bool {
        self.fuel = self.fuel.saturating_sub(1);
        self.fuel > 0
    }

    /// Runs a look-up inside another, unless that goes too deep.
    pub(super) fn nested(&mut self, look: impl FnOnce(&mut Self)) {
        if self.nesting < MAX_NESTING && self.spend() {
            self.inside(look);
        }
    }

    /// As [`Names::nested`], for a loop that spends on each of its steps itself.
    pub(super) fn inside(&mut self, look: impl FnOnce(&mut Self)) {
        if self.nesting < MAX_NESTING {
            self.nesting += 1;
            look(self);
            self.nesting -= 1;
        }
    }

    pub(super) fn found(&self, file: FileId, import: &ImportFact) -> Found {
        match self.family {
            Family::Script => ecmascript::found(self, file, import),
            Family::Rust => rust::found(self, file, import),
            Family::Go => go::found(self, file, import),
        }
    }

    /// What a chain of names means where it stands; `used` hears of what its segments pass through.
    pub(super) fn chain(&mut self, file: FileId, part: u32, chain: &str) -> Values {
        let mut values = Values::new();
        self.nested(|names| values = names.follow(file, part, chain, &mut |_| {}).0);
        values
    }

    /// The values of a chain, and those of its longest beginning that has any where the whole has none.
    fn follow(&mut self, file: FileId, part: u32, chain: &str, passed: &mut dyn FnMut(&Values)) -> (Values, Values) {
        let segments: Vec<&str> = chain.split('.').collect();
        let mut values = Values::new();
        let mut index = 0;
        while index < segments.len() {
            let segment = segments[index];
            let name = without_call(segment);
            let before = std::mem::take(&mut values);
            if index == 0 {
                self.head(file, part, name, segment, &mut values);
                if values.is_empty() && self.family == Family::Rust {
                    let module = vec![Value { thing: Thing::Module(file), sure: true }];
                    (values, index) = rust::inline(self, &module, &segments);
                }
            } else {
                for receiver in &before {
                    self.attribute(*receiver, name, &mut values);
                }
                if values.is_empty() && self.family == Family::Rust {
                    // What an inline module holds carries its name.
                    let (found, taken) = rust::inline(self, &before, &segments[index..]);
                    values = found;
                    index += taken;
                }
            }
            tidy(&mut values);
            if values.is_empty() {
                return (values, before);
            }
            if index + 1 < segments.len() {
                passed(&values);
                if segment.len() > name.len() && name != "super" {
                    for value in std::mem::take(&mut values) {
                        self.result_of(value, &mut values);
                    }
                    tidy(&mut values);
                }
            }
            index += 1;
        }
        (values, Values::new())
    }

    /// What the first name of a chain means: the scopes around the part, inside out.
    fn head(&mut self, file: FileId, part: u32, name: &str, segment: &str, values: &mut Values) {
        if !self.spend() {
            return;
        }
        let Some((outline, scopes)) = self.tree.scopes.of(file) else { return };
        if segment.starts_with("''") {
            values.push(Value { thing: Thing::External, sure: true });
            return;
        }
        let mut at = part;
        while let Some(fact) = outline.parts.get(at as usize) {
            let is_receiver = fact.kind == PartKind::Method
                && outline.list(fact.parameters).first().is_some_and(|first| outline.name(*first) == name)
                && matches!(name, "this" | "self");
            if is_receiver {
                let class = self.part_id(file, fact.parent);
                let of_class = fact.flags.contains(PartFlags::CLASS_METHOD);
                let thing = if of_class { Thing::Part(class) } else { Thing::Instance(class) };
                values.push(Value { thing, sure: true });
                return;
            }
            if segment == "super()" && self.family == Family::Script && fact.kind == PartKind::Class {
                let class = self.part_id(file, at);
                values.extend(self.bases(class));
                return;
            }
            // The names of a class body are seen from inside only through the object; but `Self` of an `impl`.
            if fact.kind != PartKind::Class || at == part || name == "Self" {
                let binders: Vec<Binder> = scopes.binders(outline, at, name).collect();
                for binder in binders {
                    match binder {
                        Binder::Part(ordinal) if at == 0 => self.top_level(file, outline, part, ordinal, values),
                        _ => self.bound(file, binder, values),
                    }
                }
                if !values.is_empty() {
                    return;
                }
            }
            if at == 0 {
                break;
            }
            at = fact.parent;
        }
        match self.family {
            Family::Script => {}
            Family::Rust => rust::head(self, file, name, values),
            Family::Go => go::head(self, file, name, values),
        }
    }

    /// Whether something other than an import of that very name binds a name at the top of a file.
    pub(super) fn binds(&self, file: FileId, name: &str) -> bool {
        let Some((outline, scopes)) = self.tree.scopes.of(file) else { return false };
        scopes.binders(outline, 0, name).any(|binder| match binder {
            Binder::Import(index) => {
                let module = outline.imports.get(index as usize).map_or("", |import| outline.name(import.module));
                module.split('.').next() != Some(name)
            }
            _ => true,
        })
    }

    /// What binds a name in the scope of a module.
    pub(super) fn module_level(&mut self, file: FileId, name: &str, values: &mut Values) {
        let Some((outline, scopes)) = self.tree.scopes.of(file) else { return };
        let binders: Vec<Binder> = scopes.binders(outline, 0, name).collect();
        for binder in binders {
            self.bound(file, binder, values);
        }
    }

    /// What a file declares itself at its top, imports left out.
    pub(super) fn declared(&mut self, file: FileId, name: &str, values: &mut Values) {
        let Some((outline, scopes)) = self.tree.scopes.of(file) else { return };
        let binders: Vec<Binder> = scopes.binders(outline, 0, name).collect();
        for binder in binders.into_iter().filter(|binder| !matches!(binder, Binder::Import(_))) {
            self.bound(file, binder, values);
        }
    }

    /// A part at the top of a file, by its own name. One with an owner or an inline module before its name is surely meant
    /// only from inside the same module; a method never is.
    fn top_level(&self, file: FileId, outline: &Outline, from: u32, ordinal: u32, values: &mut Values) {
        let owner = |ordinal: u32| {
            let name = outline.parts.get(ordinal as usize).map_or("", |part| outline.name(part.local_name));
            name.rsplit_once('.').map_or("", |(owner, _)| owner)
        };
        let mut top = from;
        while let Some(part) = outline.parts.get(top as usize).filter(|part| part.parent != 0 && top != 0) {
            top = part.parent;
        }
        let sure = owner(ordinal).is_empty() || owner(ordinal) == owner(top);
        if sure || self.family == Family::Rust {
            values.push(Value { thing: Thing::Part(self.part_id(file, ordinal)), sure });
        }
    }

    fn bound(&mut self, file: FileId, binder: Binder, values: &mut Values) {
        match binder {
            // What has an owner or an inline module before its name is not found by its name alone.
            Binder::Part(ordinal)
                if self.outline(file).is_some_and(|outline| {
                    let part = &outline.parts[ordinal as usize];
                    part.parent == 0 && outline.name(part.local_name).contains('.')
                }) => {}
            Binder::Part(ordinal) => {
                values.push(Value { thing: Thing::Part(self.part_id(file, ordinal)), sure: true });
            }
            Binder::Import(index) => self.nested(|names| names.imported(file, index, values)),
            Binder::Binding(index) => self.nested(|names| names.binding(file, index, values)),
            Binder::Variable => {
                if values.is_empty() {
                    values.push(Value { thing: Thing::Variable(file), sure: true });
                }
            }
        }
    }

    fn imported(&mut self, file: FileId, index: u32, values: &mut Values) {
        let Some(outline) = self.outline(file) else { return };
        let Some(import) = outline.imports.get(index as usize) else { return };
        match self.family {
            Family::Script => ecmascript::imported(self, file, import, values),
            Family::Rust => rust::imported(self, file, import, values),
            Family::Go => go::imported(self, file, import, values),
        }
    }

    fn binding(&mut self, file: FileId, index: u32, values: &mut Values) {
        let Some(outline) = self.outline(file) else { return };
        let binding = &outline.bindings[index as usize];
        let source = outline.name(binding.source);
        if source == outline.name(binding.target) && !binding.on_self {
            return;
        }
        for value in self.chain(file, binding.part, source) {
            match binding.form {
                BindingForm::Alias => values.push(value),
                BindingForm::Annotation => values.push(self.instance(value)),
                BindingForm::Result => self.result_of(value, values),
            }
        }
    }

    fn instance(&self, value: Value) -> Value {
        match value.thing {
            Thing::Part(part) if self.nodes().part(part).kind == PartKind::Class => {
                Value { thing: Thing::Instance(part), ..value }
            }
            _ => Value { thing: Thing::External, ..value },
        }
    }

    /// What calling a value gives.
    fn result_of(&mut self, value: Value, values: &mut Values) {
        match value.thing {
            Thing::Part(part) if self.nodes().part(part).kind == PartKind::Class => values.push(self.instance(value)),
            Thing::Part(part) => self.returned(part, value.sure, values),
            // The module itself may be what it exports.
            Thing::Module(file) if self.family == Family::Script => {
                let mut exported = Values::new();
                self.nested(|names| ecmascript::exported(names, file, "default", &mut exported));
                for value in exported.into_iter().filter(|value| !matches!(value.thing, Thing::Module(_))) {
                    self.result_of(value, values);
                }
            }
            Thing::External => values.push(value),
            _ => {}
        }
    }

    /// What a function says that it returns.
    fn returned(&mut self, function: PartId, sure: bool, values: &mut Values) {
        let part = self.nodes().part(function);
        let Some(outline) = self.outline(part.file) else { return };
        let Some(returns) = outline.parts[part.ordinal as usize].returns.some() else { return };
        let name = outline.name(returns);
        if name == "this" {
            values.extend(part.parent.map(|class| Value { thing: Thing::Instance(class), sure }));
            return;
        }
        let scope = part.parent.map_or(0, |parent| self.nodes().part(parent).ordinal);
        for value in self.chain(part.file, scope, name) {
            let value = self.instance(value);
            values.push(Value { sure: value.sure && sure, ..value });
        }
    }

    /// What an attribute of a value is.
    pub(super) fn attribute(&mut self, value: Value, name: &str, values: &mut Values) {
        if !self.spend() {
            return;
        }
        let before = values.len();
        match value.thing {
            Thing::Module(file) => self.nested(|names| match names.family {
                Family::Script => ecmascript::attribute(names, file, name, values),
                Family::Rust => rust::member(names, file, name, values),
                Family::Go => {}
            }),
            Thing::Package(package) => self.nested(|names| go::member(names, package, name, values)),
            Thing::Part(part) if self.nodes().part(part).kind == PartKind::Class => {
                self.nested(|names| names.class_attribute(part, name, values));
            }
            Thing::Instance(class) => self.nested(|names| names.class_attribute(class, name, values)),
            Thing::Part(part) if self.is_property(part) => {
                let mut read = Values::new();
                self.returned(part, value.sure, &mut read);
                for value in read {
                    self.attribute(value, name, values);
                }
            }
            Thing::External => values.push(value),
            Thing::Part(_) | Thing::Variable(_) => {}
        }
        if !value.sure {
            values[before..].iter_mut().for_each(|found| found.sure = false);
        }
    }

    fn is_property(&self, part: PartId) -> bool {
        let part = self.nodes().part(part);
        self.outline(part.file)
            .is_some_and(|outline| outline.parts[part.ordinal as usize].flags.contains(PartFlags::PROPERTY))
    }

    /// Files in which members of a class may stand.
    fn files_of(&self, class: PartId) -> Vec<FileId> {
        let file = self.nodes().part(class).file;
        match self.family {
            Family::Go => self.world.go.package_files(self.path(file)).to_vec(),
            Family::Script | Family::Rust => vec![file],
        }
    }

    /// Parts of a name and kind in a file.
    pub(super) fn named(&self, file: FileId, local_name: &str, kind: PartKind) -> impl Iterator<Item = PartId> {
        let mut key =
            PartKey { path: Arc::clone(&self.nodes().file(file).path), name: local_name.into(), kind, occurrence: 0 };
        let nodes = self.nodes();
        std::iter::from_fn(move || {
            let found = nodes.find(&key);
            key.occurrence += 1;
            found.filter(|_| key.occurrence <= MAX_OCCURRENCES)
        })
    }

    fn class_attribute(&mut self, class: PartId, name: &str, values: &mut Values) {
        let node = self.nodes().part(class);
        let member = format!("{}.{name}", self.nodes().local_name(class));
        let before = values.len();
        for file in self.files_of(class) {
            for kind in [PartKind::Method, PartKind::Class, PartKind::Function] {
                for part in self.named(file, &member, kind) {
                    values.push(Value { thing: Thing::Part(part), sure: true });
                }
            }
        }
        if values.len() == before
            && let Some((outline, scopes)) = self.tree.scopes.of(node.file)
        {
            // What a type of Rust holds stands at the type, not at an `impl` of it.
            let classes: Vec<u32> = match self.family {
                Family::Rust => {
                    let beside = self.named(node.file, self.nodes().local_name(class), PartKind::Class);
                    beside.map(|class| self.nodes().part(class).ordinal).collect()
                }
                _ => vec![node.ordinal],
            };
            let bindings: Vec<u32> =
                classes.into_iter().flat_map(|class| scopes.attributes(outline, class, name)).collect();
            for binding in bindings {
                self.nested(|names| names.binding(node.file, binding, values));
            }
        }
        if values.len() > before {
            return;
        }
        for base in self.bases(class) {
            match base.thing {
                Thing::Part(above) if above != class && self.nodes().part(above).kind == PartKind::Class => {
                    self.nested(|names| names.class_attribute(above, name, values));
                }
                _ => {}
            }
            if values.len() > before {
                return;
            }
        }
    }

    /// What a class names as its bases; of a type of Rust those of every `impl` beside it.
    pub(super) fn bases(&mut self, class: PartId) -> Values {
        let node = self.nodes().part(class);
        let classes: Vec<PartId> = match self.family {
            Family::Rust => self.named(node.file, self.nodes().local_name(class), PartKind::Class).collect(),
            _ => vec![class],
        };
        let mut values = Values::new();
        for class in classes {
            let node = self.nodes().part(class);
            let Some(outline) = self.outline(node.file) else { continue };
            let fact = &outline.parts[node.ordinal as usize];
            let scope = node.parent.map_or(0, |parent| self.nodes().part(parent).ordinal);
            for base in outline.list(fact.bases) {
                values.extend(self.chain(node.file, scope, outline.name(*base)));
            }
        }
        tidy(&mut values);
        values
    }
}

fn tidy(values: &mut Values) {
    if values.len() > 1 {
        // The surer of two equal things stays.
        values.sort_unstable_by_key(|value| (value.thing, !value.sure));
        values.dedup_by_key(|value| value.thing);
        values.truncate(MAX_VALUES);
    }
}

struct Linker<'a> {
    names: Names<'a>,
    index: &'a Index,
    file: FileId,
    outline: &'a Outline,
    links: Links,
}

impl Linker<'_> {
    fn run(&mut self) {
        let outline = self.outline;
        for ordinal in 0..outline.parts.len() {
            self.definition(ordinal);
        }
        for (index, import) in outline.imports.iter().enumerate() {
            self.import(index, import);
        }
        for (index, reference) in outline.references.iter().enumerate() {
            let part = self.part(reference.part);
            let kind =
                if reference.is_call && !reference.in_decorator { EdgeKind::Calls } else { EdgeKind::References };
            let chain = outline.name(reference.chain);
            self.reference(part, reference.part, outline.reference_site(index), chain, kind);
        }
        for (index, string) in outline.strings.iter().enumerate() {
            let text = outline.name(string.text);
            let (part, site) = (self.part(string.part), outline.string_site(index));
            if string.shape.contains(StringShape::MODEL) {
                self.links.models.push((text.to_lowercase().into(), part, site));
            }
            if string.shape.contains(StringShape::PATH) || string.usage == StringUse::Path {
                self.path(part, site, text);
            }
        }
        if self.names.family == Family::Script && self.names.nodes().file(self.file).is_test {
            self.set_up();
        }
    }

    /// What a runner sets up before the tests of a file of JavaScript, and the modules that it puts in place of others.
    fn set_up(&mut self) {
        let nodes = self.names.nodes();
        let body = nodes.body_of(self.file);
        let world = self.names.world;
        let (files, folders) = world.script.set_up_for(self.names.path(self.file));
        let own = self.file;
        for file in files.into_iter().filter(|file| *file != own) {
            self.edge(body, nodes.body_of(file), EdgeKind::Imports, Evidence::Fixture, 0);
        }
        for folder in folders {
            self.depends(body, 0, &folder, FolderUse::Loads);
        }
    }

    fn part(&self, ordinal: u32) -> PartId {
        self.names.part_id(self.file, ordinal)
    }

    fn edge(&mut self, from: PartId, to: PartId, kind: EdgeKind, evidence: Evidence, site: u32) {
        self.links.edges.push(Edge { from, to, kind, evidence, site, type_only: false });
    }

    fn depends(&mut self, part: PartId, site: u32, folder: &str, usage: FolderUse) {
        self.links.dependents.push(Dependent { folder: folder.into(), usage, part, site });
    }

    fn definition(&mut self, ordinal: usize) {
        let fact = &self.outline.parts[ordinal];
        let (part, site) = (self.part(ordinal as u32), self.outline.part_site(ordinal));
        if fact.flags.contains(PartFlags::COMPUTED_IMPORT) {
            let kind = UnresolvedKind::Computed;
            self.links.unresolved.push(Unresolved { part, site, kind, name: "".into(), excused: false });
            if self.names.family == Family::Script {
                // Modules by a pattern or a computed name, or data that is loaded as one: of its package; in tests any.
                let path = self.names.path(self.file);
                let is_test = self.names.nodes().file(self.file).is_test || lies_among_tests(path);
                let folder = if is_test { "".into() } else { self.names.world.script.package_of(path) };
                self.depends(part, site, &folder, FolderUse::Loads);
                self.depends(part, site, &folder, FolderUse::Reads);
            }
        }
        if fact.kind != PartKind::Class {
            return;
        }
        self.names.fuel = FUEL;
        let scope = if fact.parent == u32::MAX { 0 } else { fact.parent };
        for base in self.outline.list(fact.bases) {
            for value in self.names.chain(self.file, scope, self.outline.name(*base)) {
                if let Thing::Part(above) = value.thing
                    && self.names.nodes().part(above).kind == PartKind::Class
                {
                    self.edge(part, above, EdgeKind::Inherits, call(value.sure), site);
                }
            }
        }
        if self.names.family == Family::Rust {
            // An `impl` uses the type that it is for.
            for value in self.names.chain(self.file, ordinal as u32, "Self") {
                if let Thing::Part(type_) = value.thing {
                    self.edge(part, type_, EdgeKind::References, call(value.sure), site);
                }
            }
        }
    }

    fn import(&mut self, index: usize, import: &ImportFact) {
        self.names.fuel = FUEL;
        let outline = self.outline;
        let (part, site) = (self.part(import.part), outline.import_site(index));
        let surely = if import.form == ImportForm::Literal { Evidence::String } else { Evidence::Import };
        let excused = import.guarded || import.type_only;
        let edge = |links: &mut Links, to: PartId, sure: bool| {
            let evidence = if sure { surely } else { Evidence::Guess };
            let type_only = import.type_only;
            links.edges.push(Edge { from: part, to, kind: EdgeKind::Imports, evidence, site, type_only });
        };
        let nodes = self.names.nodes();
        match self.names.found(self.file, import) {
            Found::Outside => return,
            Found::Missing(kind) => {
                let name = outline.name(import.module).into();
                self.links.unresolved.push(Unresolved { part, site, kind, name, excused });
                return;
            }
            Found::Files(files, sure) => {
                let room = if self.links.edges.len() < MAX_EDGES { MAX_IMPORTED } else { MAX_FEW };
                if files.len() > room {
                    let folder = directory_of(self.names.path(files[0])).to_owned();
                    self.depends(part, site, &folder, FolderUse::Loads);
                }
                for file in files.into_iter().take(room) {
                    edge(&mut self.links, nodes.body_of(file), sure);
                }
            }
        }
        if import.form != ImportForm::From {
            return;
        }
        let mut values = Values::new();
        self.names.imported(self.file, index as u32, &mut values);
        tidy(&mut values);
        for value in values {
            match value.thing {
                Thing::Part(target) => edge(&mut self.links, target, value.sure),
                Thing::Module(file) | Thing::Variable(file) => {
                    edge(&mut self.links, nodes.body_of(file), value.sure);
                }
                _ => {}
            }
        }
    }

    fn reference(&mut self, part: PartId, ordinal: u32, site: u32, chain: &str, kind: EdgeKind) {
        self.names.fuel = FUEL;
        let nodes = self.names.nodes();
        let mut passed = Vec::new();
        let mut receivers = Values::new();
        let (values, rest) = self.names.follow(self.file, ordinal, chain, &mut |values| {
            receivers.clone_from(values);
            passed.extend(values.iter().filter_map(|value| match value.thing {
                Thing::Variable(file) => Some((nodes.body_of(file), value.sure)),
                Thing::Part(part) if nodes.part(part).kind == PartKind::Class => Some((part, value.sure)),
                _ => None,
            }));
        });
        for (target, sure) in passed {
            self.edge(part, target, EdgeKind::References, call(sure), site);
        }
        for value in &values {
            match value.thing {
                Thing::Part(target) => {
                    self.edge(part, target, kind, call(value.sure), site);
                    if nodes.part(target).kind == PartKind::Class
                        && kind == EdgeKind::Calls
                        && self.names.family == Family::Script
                    {
                        let mut constructors = Values::new();
                        self.names.attribute(*value, "constructor", &mut constructors);
                        for constructor in constructors {
                            if let Thing::Part(target) = constructor.thing {
                                self.edge(part, target, kind, call(constructor.sure), site);
                            }
                        }
                    }
                }
                Thing::Module(file) | Thing::Variable(file) => {
                    self.edge(part, nodes.body_of(file), EdgeKind::References, call(value.sure), site);
                    if kind == EdgeKind::Calls && self.names.family == Family::Script {
                        let mut exported = Values::new();
                        ecmascript::exported(&mut self.names, file, "default", &mut exported);
                        for value in exported {
                            if let Thing::Part(target) = value.thing {
                                self.edge(part, target, kind, call(value.sure), site);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        // A name in a type that has no part of its own stands for the type: a variant, a constant.
        for value in rest {
            if let Thing::Part(target) = value.thing
                && nodes.part(target).kind == PartKind::Class
            {
                self.edge(part, target, EdgeKind::References, call(value.sure), site);
            }
        }
        let is_external = values.iter().any(|value| value.thing == Thing::External);
        let on_object = receivers.iter().any(|value| matches!(value.thing, Thing::Instance(_)));
        if kind == EdgeKind::Calls && chain.contains('.') && !is_external && (values.is_empty() || on_object) {
            let last = without_call(chain.rsplit('.').next().unwrap_or(chain));
            self.guess(part, site, last);
        }
    }

    /// A call on something unknown, or on an object that may be of another class: the few methods of this name.
    fn guess(&mut self, part: PartId, site: u32, name: &str) {
        const COMMON: [&str; 22] = [
            "then", "catch", "map", "filter", "forEach", "push", "toString", "join", "split", "get", "set", "has",
            "add", "delete", "clone", "iter", "unwrap", "into", "len", "Error", "String", "Close",
        ];
        if COMMON.contains(&name) {
            return;
        }
        let key = (self.names.family, Arc::from(name));
        let Some(methods) = self.index.foreign.methods.get(&key).filter(|methods| methods.len() <= MAX_GUESSES) else {
            return;
        };
        for method in methods {
            self.edge(part, *method, EdgeKind::Calls, Evidence::Guess, site);
        }
    }

    fn path(&mut self, part: PartId, site: u32, text: &str) {
        let nodes = self.names.nodes();
        let own = self.names.path(self.file);
        let beside = normal(directory_of(own), text);
        if self.names.family == Family::Go && (text.contains('*') || !text.contains('.')) {
            let files = self.index.foreign.go.embedded(nodes, directory_of(own), text);
            if files.len() > MAX_EMBEDDED
                && let Some(path) = &beside
            {
                let folder = if text.contains('*') { directory_of(path) } else { path };
                self.depends(part, site, folder, FolderUse::Reads);
            }
            for file in files.into_iter().take(MAX_EMBEDDED) {
                self.edge(part, nodes.body_of(file), EdgeKind::References, Evidence::String, site);
            }
        }
        let found = beside
            .and_then(|path| nodes.file_by_path(&path))
            .map_or_else(|| path_string(nodes, self.index, own, text), |file| vec![(file, true)]);
        for (target, sure) in found {
            let evidence = if sure { Evidence::String } else { Evidence::Guess };
            self.edge(part, nodes.body_of(target), EdgeKind::References, evidence, site);
        }
    }
}

fn call(sure: bool) -> Evidence {
    if sure { Evidence::Call } else { Evidence::Guess }
}

/// A path from a directory, without `.` and `..`; `None` where it leaves the root.
pub(super) fn normal(directory: &str, path: &str) -> Option<String> {
    let mut segments: Vec<&str> = if path.starts_with('/') { Vec::new() } else { directory.split('/').collect() };
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.retain(|segment| !segment.is_empty());
                segments.pop()?;
            }
            _ => segments.push(segment),
        }
    }
    segments.retain(|segment| !segment.is_empty());
    Some(segments.join("/"))
}
