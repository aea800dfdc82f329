//! What a chain of names may stand for.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::hash::Map;

use super::hierarchy::{Hierarchy, Line, MAX_BASES};
use super::scope::{Binder, Scopes};
use super::visits::{Class, Mark, Visit};
use super::{Trace, Tree};
use crate::code::{FileId, PartId, PartKind};
use crate::facts::{BindingForm, ImportForm, Language, Outline, PartFlags, without_call};
use crate::graph::{Nodes, is_callable};
use crate::layout::{Found, Target};

/// Steps that one chain may take; enough for any honest code, and an end for circles.
pub(super) const FUEL: u32 = 400;
/// How deep one look-up may lead into others: modules that re-export, names that stand for names.
const MAX_NESTING: usize = 64;
/// Most values that one name may have.
const MAX_VALUES: usize = 16;

/// What a name may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Thing {
    /// A class or function itself.
    Part(PartId),
    /// A module.
    Module(FileId),
    /// A directory of modules.
    Namespace(u32),
    /// An object of a class or of one of its subclasses.
    Instance(PartId),
    /// An object of exactly this class.
    Exact(PartId),
    /// `super()` in a class.
    Super(PartId),
    /// A variable of a module.
    Variable(FileId),
    /// From outside the repository.
    External,
}

/// A thing, and whether it is known without guessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Value {
    pub(super) thing: Thing,
    pub(super) sure: bool,
}

type Values = Vec<Value>;

/// Look-ups over all files, with what was found before.
///
/// What names stand for may hang on what was asked before: a circle of imports is cut where it is entered. So that the
/// links of a file are the same whichever files were linked first, [`Resolver::forget`] comes between two files.
pub(super) struct Resolver<'a> {
    pub(super) tree: Tree<'a>,
    /// The classes, once they are all known.
    hierarchy: Option<&'a Hierarchy>,
    members: Map<(FileId, &'a str), Rc<[Value]>>,
    /// By directory: names mean the same in all files of one.
    found: Map<(u32, u16, &'a str), Option<Rc<Found>>>,
    bases: Map<PartId, Rc<[Value]>>,
    lines: Map<PartId, Rc<Line>>,
    pub(super) fuel: u32,
    /// Classes whose bases are being looked up.
    depth: usize,
    /// Look-ups inside look-ups.
    nesting: usize,
    visits: Visits,
}

/// What the look-ups for one file came by in others.
#[derive(Default)]
struct Visits {
    /// The file that they are for; without one nothing is written down.
    of: Cell<Option<FileId>>,
    last: Cell<Option<FileId>>,
    marks: RefCell<Vec<Mark>>,
}

impl<'a> Resolver<'a> {
    /// Without a hierarchy bases are looked up; with one they are known.
    pub(super) fn new(tree: Tree<'a>, hierarchy: Option<&'a Hierarchy>) -> Self {
        Self {
            tree,
            hierarchy,
            members: Map::default(),
            found: Map::default(),
            bases: Map::default(),
            lines: Map::default(),
            fuel: FUEL,
            depth: 0,
            nesting: 0,
            visits: Visits::default(),
        }
    }

    /// Begins with a file: forgets what hangs on the order of questions.
    pub(super) fn begin(&mut self, file: FileId, trace: Trace) {
        self.members.clear();
        self.visits.of.set(Some(file).filter(|_| trace == Trace::Yes));
        self.visits.last.set(None);
        self.visits.marks.borrow_mut().clear();
    }

    /// What the look-ups since it began came by, sorted; `None` where that is not written down.
    pub(super) fn visits(&self) -> Option<Vec<Mark>> {
        self.visits.of.get()?;
        let mut marks = std::mem::take(&mut *self.visits.marks.borrow_mut());
        marks.sort_unstable();
        marks.dedup();
        Some(marks)
    }

    /// Writes down what a look-up comes by.
    pub(super) fn visit(&self, visit: Visit<'_>) {
        if self.visits.of.get().is_some() {
            self.visits.marks.borrow_mut().push(visit.mark());
        }
    }

    /// Writes down that a look-up comes by a file.
    fn visit_file(&self, file: FileId) {
        let Some(of) = self.visits.of.get() else { return };
        if of != file && self.visits.last.replace(Some(file)) != Some(file) {
            self.visit(Visit::File(self.path(file)));
        }
    }

    /// Writes down that a look-up comes by a name of another file; of its own the file knows.
    fn visit_name(&self, file: FileId, name: &str) {
        if self.visits.of.get().is_some_and(|of| of != file) {
            self.visit(Visit::Name(self.path(file), name));
        }
    }

    /// A module of a package or namespace directory.
    fn submodule(&self, of: Target, init_path: &str, name: &str) -> Option<Target> {
        self.visit(Visit::Inside(self.tree.layout.folder_of(of, init_path)?, name));
        self.tree.layout.submodule(of, init_path, name)
    }

    pub(super) fn nodes(&self) -> &'a Nodes {
        self.tree.nodes
    }

    /// The outline of a file of Python.
    pub(super) fn outline(&self, file: FileId) -> Option<&'a Outline> {
        self.visit_file(file);
        self.is_python(file).then(|| self.tree.outlines.of(file).map(|outline| &**outline)).flatten()
    }

    pub(super) fn scopes(&self, file: FileId) -> Option<(&'a Outline, &'a Scopes)> {
        self.visit_file(file);
        self.is_python(file).then(|| self.tree.scopes.of(file)).flatten()
    }

    fn is_python(&self, file: FileId) -> bool {
        self.nodes().file(file).language == Some(Language::Python)
    }

    pub(super) fn path(&self, file: FileId) -> &'a str {
        &self.nodes().file(file).path
    }

    pub(super) fn part_id(&self, file: FileId, ordinal: u32) -> PartId {
        self.nodes().part_id(file, ordinal)
    }

    /// Begins a look-up inside another; false when that goes too deep, which ends the whole of it.
    fn nest(&mut self) -> bool {
        if self.nesting >= MAX_NESTING {
            self.fuel = 0;
            return false;
        }
        self.nesting += 1;
        true
    }

    fn spend(&mut self) -> bool {
        self.fuel = self.fuel.saturating_sub(1);
        self.fuel > 0
    }

    /// The module that an import names.
    pub(super) fn module(&mut self, file: FileId, level: u16, dotted: &'a str) -> Option<Rc<Found>> {
        let path = self.path(file);
        let key = (self.tree.layout.directory_number(path), level, dotted);
        if let Some(known) = self.found.get(&key) {
            return known.clone();
        }
        let found = if level == 0 {
            self.tree.layout.absolute(path, dotted)
        } else {
            self.tree.layout.relative(path, level, dotted)
        };
        let found = found.map(Rc::new);
        self.found.insert(key, found.clone());
        found
    }

    /// True for a name that some scope below the module's binds, or that means an object or class inside methods.
    pub(super) fn binds_inside(&self, file: FileId, name: &str) -> bool {
        name == "super" || self.scopes(file).is_some_and(|(outline, scopes)| scopes.binds_inside(outline, name))
    }

    /// How many segments an import's module has.
    pub(super) fn segments(dotted: &str) -> usize {
        if dotted.is_empty() { 0 } else { dotted.split('.').count() }
    }

    /// What a member of a module stands for: its definitions, what it imports, its submodules.
    pub(super) fn member(&mut self, file: FileId, name: &'a str) -> Rc<[Value]> {
        if let Some(known) = self.members.get(&(file, name)) {
            return Rc::clone(known);
        }
        // In a circle of imports the name adds nothing to itself.
        self.members.insert((file, name), Rc::new([]));
        let mut values = Values::new();
        if self.spend() && self.nest() {
            self.bound(file, 0, name, &mut values);
            if values.is_empty() {
                self.starred(file, name, &mut values);
            }
            // Also where it is bound to nothing that is here: `from . import name` in the package itself, or in a circle
            // of imports, binds the submodule.
            if values.iter().all(|value| matches!(value.thing, Thing::External))
                && let Some(target) = self.submodule(Target::Module(file), self.path(file), name)
            {
                values.push(Value { thing: thing_of(target), sure: true });
            }
            self.nesting -= 1;
        }
        tidy(&mut values);
        let values: Rc<[Value]> = values.into();
        if self.fuel > 0 {
            self.members.insert((file, name), Rc::clone(&values));
        } else {
            self.members.remove(&(file, name));
        }
        values
    }

    fn starred(&mut self, file: FileId, name: &'a str, values: &mut Values) {
        let Some((outline, scopes)) = self.scopes(file) else { return };
        for &index in &scopes.stars {
            let import = &outline.imports[index as usize];
            let dotted = outline.name(import.module);
            let Some(found) = self.module(file, import.level, dotted) else { continue };
            if found.matched < Self::segments(dotted) {
                continue;
            }
            if let Target::Module(target) = found.target
                && target != file
                && self.star_gives(target, name)
            {
                let given = self.member(target, name);
                values.extend(given.iter().map(|value| Value { sure: value.sure && found.sure, ..*value }));
            }
        }
    }

    pub(super) fn star_gives(&self, file: FileId, name: &str) -> bool {
        self.visit_name(file, name);
        match self.outline(file).and_then(|outline| outline.all.as_ref().map(|all| (outline, all))) {
            Some((outline, all)) => all.iter().any(|listed| outline.name(*listed) == name),
            None => !name.starts_with('_'),
        }
    }

    /// What binds a name in one scope.
    fn bound(&mut self, file: FileId, part: u32, name: &'a str, values: &mut Values) {
        let Some((outline, scopes)) = self.scopes(file) else { return };
        self.visit_name(file, name);
        for binder in scopes.binders(outline, part, name) {
            match binder {
                Binder::Part(ordinal) => {
                    values.push(Value { thing: Thing::Part(self.part_id(file, ordinal)), sure: true });
                }
                Binder::Import(index) => self.imported(file, index, values),
                Binder::Binding(index) => self.binding(file, index, values),
                Binder::Variable => {
                    if values.is_empty() {
                        values.push(Value { thing: Thing::Variable(file), sure: true });
                    }
                }
            }
        }
    }

    /// What an import binds.
    pub(super) fn imported(&mut self, file: FileId, index: u32, values: &mut Values) {
        let Some(outline) = self.outline(file) else { return };
        let import = &outline.imports[index as usize];
        let dotted = outline.name(import.module);
        let external = Value { thing: Thing::External, sure: true };
        let wanted = match (import.form, import.alias.some()) {
            // `import a.b` binds `a`.
            (ImportForm::Module, None) => dotted.split('.').next().unwrap_or(dotted),
            _ => dotted,
        };
        let found = match self.module(file, import.level, dotted) {
            Some(found) if found.matched == Self::segments(dotted) => found,
            _ => {
                values.push(external);
                return;
            }
        };
        match import.form {
            ImportForm::Module if wanted.len() == dotted.len() => {
                values.push(Value { thing: thing_of(found.target), sure: found.sure });
            }
            ImportForm::Module => {
                // The outermost package on the way to the target; a namespace when none has an `__init__`.
                let first = self.module(file, 0, wanted);
                let thing = match (first, found.packages.first()) {
                    (Some(first), _) => Value { thing: thing_of(first.target), sure: first.sure && found.sure },
                    (None, Some(package)) => Value { thing: Thing::Module(*package), sure: false },
                    (None, None) => external,
                };
                values.push(thing);
            }
            ImportForm::From => {
                let name = outline.name(import.name);
                let before = values.len();
                self.attribute_of(Value { thing: thing_of(found.target), sure: found.sure }, name, values);
                // Also of a module that takes the name from here, or that is just being looked at.
                if values.len() == before {
                    let path = match found.target {
                        Target::Module(target) => self.path(target),
                        Target::Namespace(_) => "",
                    };
                    let submodule = self.submodule(found.target, path, name);
                    let inside = submodule.map(|target| Value { thing: thing_of(target), sure: found.sure });
                    values.push(inside.unwrap_or(external));
                }
            }
            ImportForm::Star | ImportForm::Literal => {}
        }
    }

    /// What a binding gives its name.
    fn binding(&mut self, file: FileId, index: u32, values: &mut Values) {
        if !self.spend() {
            return;
        }
        let Some(outline) = self.outline(file) else { return };
        let binding = &outline.bindings[index as usize];
        let source = outline.name(binding.source);
        // `x = x` in a class or function reads the outer `x`; following it here would only go round.
        if source == outline.name(binding.target) && !binding.on_self {
            return;
        }
        for value in self.chain(file, binding.part, source) {
            match binding.form {
                BindingForm::Alias => values.push(value),
                BindingForm::Annotation => values.push(instance(self.nodes(), value)),
                BindingForm::Result => self.result_of(value, values),
            }
        }
    }

    /// What calling a value gives.
    pub(super) fn result_of(&mut self, value: Value, values: &mut Values) {
        match value.thing {
            Thing::Part(part) if self.nodes().part(part).kind == PartKind::Class => {
                values.push(Value { thing: Thing::Exact(part), sure: value.sure });
            }
            Thing::Part(part) => self.returned(part, value.sure, values),
            Thing::External => values.push(value),
            _ => {}
        }
    }

    /// What a function's annotation says that it returns.
    fn returned(&mut self, function: PartId, sure: bool, values: &mut Values) {
        let part = self.nodes().part(function);
        let file = part.file;
        let Some(outline) = self.outline(file) else { return };
        let Some(returns) = outline.parts[part.ordinal as usize].returns.some() else { return };
        let name = outline.name(returns);
        if matches!(name, "Self" | "typing.Self" | "t.Self") {
            if let Some(class) = part.parent {
                values.push(Value { thing: Thing::Instance(class), sure });
            }
            return;
        }
        let scope = part.parent.map_or(0, |parent| self.nodes().part(parent).ordinal);
        for value in self.chain(file, scope, name) {
            let value = instance(self.nodes(), value);
            values.push(Value { sure: value.sure && sure, ..value });
        }
    }

    /// What a chain of names means where it stands. Empty when nothing is known.
    pub(super) fn chain(&mut self, file: FileId, part: u32, chain: &'a str) -> Values {
        if !self.nest() {
            return Values::new();
        }
        let values = self.follow(file, part, chain);
        self.nesting -= 1;
        values
    }

    fn follow(&mut self, file: FileId, part: u32, chain: &'a str) -> Values {
        let mut values: Option<Values> = None;
        for segment in chain.split('.') {
            let name = without_call(segment);
            let mut next = Values::new();
            match values {
                None => self.head(file, part, name, segment, &mut next),
                Some(receivers) => {
                    for receiver in receivers {
                        self.attribute_of(receiver, name, &mut next);
                    }
                }
            }
            if segment.len() > name.len() && name != "super" {
                let called = std::mem::take(&mut next);
                for value in called {
                    self.result_of(value, &mut next);
                }
            }
            tidy(&mut next);
            if next.is_empty() {
                return next;
            }
            values = Some(next);
        }
        values.unwrap_or_default()
    }

    /// What the first name of a chain means: the scopes around the part, inside out.
    pub(super) fn head(&mut self, file: FileId, part: u32, name: &'a str, segment: &str, values: &mut Values) {
        if !self.spend() {
            return;
        }
        let Some(outline) = self.outline(file) else { return };
        if segment.starts_with("''") {
            values.push(Value { thing: Thing::External, sure: true });
            return;
        }
        let mut at = part;
        while let Some(fact) = outline.parts.get(at as usize) {
            if fact.kind == PartKind::Class && at != part {
                at = fact.parent;
                continue;
            }
            if fact.kind == PartKind::Method {
                self.visit_name(file, outline.name(fact.name));
            }
            if fact.kind == PartKind::Method && !fact.flags.contains(PartFlags::STATIC) {
                let class = self.part_id(file, fact.parent);
                if segment == "super()" {
                    values.push(Value { thing: Thing::Super(class), sure: true });
                    return;
                }
                if outline.list(fact.parameters).first().is_some_and(|first| outline.name(*first) == name) {
                    let thing = if fact.flags.contains(PartFlags::CLASS_METHOD) {
                        Thing::Part(class)
                    } else {
                        Thing::Instance(class)
                    };
                    values.push(Value { thing, sure: true });
                    return;
                }
            }
            if at == 0 {
                let members = self.member(file, name);
                values.extend(members.iter().copied());
                return;
            }
            self.bound(file, at, name, values);
            if !values.is_empty() {
                return;
            }
            at = fact.parent;
        }
    }

    /// What an attribute of a value is.
    pub(super) fn attribute_of(&mut self, value: Value, name: &'a str, values: &mut Values) {
        if !self.spend() {
            return;
        }
        let before = values.len();
        match value.thing {
            Thing::Module(file) => {
                let members = self.member(file, name);
                values.extend(members.iter().copied());
                // While the member is being looked at: a submodule comes before `__getattr__`.
                let submodule = || self.submodule(Target::Module(file), self.path(file), name);
                if members.is_empty() {
                    let inside = submodule().map(|target| Value { thing: thing_of(target), sure: true });
                    let dynamic = || Some(Value { thing: Thing::Part(self.module_getattr(file)?), sure: false });
                    values.extend(inside.or_else(dynamic));
                }
            }
            Thing::Namespace(_) => {
                if let Thing::Namespace(index) = value.thing
                    && let Some(target) = self.submodule(Target::Namespace(index), "", name)
                {
                    values.push(Value { thing: thing_of(target), sure: true });
                }
            }
            Thing::Part(part) if self.nodes().part(part).kind == PartKind::Class => {
                self.class_attribute(part, name, false, values);
            }
            Thing::Instance(class) | Thing::Exact(class) => self.class_attribute(class, name, false, values),
            Thing::Super(class) => self.class_attribute(class, name, true, values),
            Thing::External => values.push(value),
            Thing::Part(part) if self.is_property(part) => {
                let mut read = Values::new();
                self.returned(part, value.sure, &mut read);
                for value in read {
                    self.attribute_of(value, name, values);
                }
            }
            Thing::Part(_) | Thing::Variable(_) => {}
        }
        if !value.sure {
            values[before..].iter_mut().for_each(|found| found.sure = false);
        }
    }

    /// A method that is read like an attribute.
    pub(super) fn is_property(&self, part: PartId) -> bool {
        let part = self.nodes().part(part);
        self.outline(part.file)
            .is_some_and(|outline| outline.parts[part.ordinal as usize].flags.contains(PartFlags::PROPERTY))
    }

    /// A module's own `__getattr__`, which answers for what it does not define.
    fn module_getattr(&self, file: FileId) -> Option<PartId> {
        let (outline, scopes) = self.scopes(file)?;
        scopes.binders(outline, 0, "__getattr__").find_map(|binder| match binder {
            Binder::Part(ordinal) => Some(self.part_id(file, ordinal)),
            _ => None,
        })
    }

    fn class_attribute(&mut self, class: PartId, name: &'a str, above: bool, values: &mut Values) {
        self.visit(Visit::Line(Class::of(self.nodes(), class)));
        match self.hierarchy.and_then(|hierarchy| hierarchy.line(class)) {
            Some(line) => self.attribute_along(line, name, above, values),
            None => {
                let line = self.line(class);
                self.attribute_along(&line, name, above, values);
            }
        }
    }

    fn attribute_along(&mut self, line: &Line, name: &'a str, above: bool, values: &mut Values) {
        let before = values.len();
        for (class, sure) in line.classes.iter().skip(usize::from(above)) {
            self.own_attribute(*class, name, values);
            if values.len() > before {
                if !sure {
                    values[before..].iter_mut().for_each(|found| found.sure = false);
                }
                return;
            }
        }
        if line.open {
            values.push(Value { thing: Thing::External, sure: true });
        }
    }

    fn own_attribute(&mut self, class: PartId, name: &'a str, values: &mut Values) {
        let part = self.nodes().part(class);
        let file = part.file;
        let Some((outline, scopes)) = self.scopes(file) else { return };
        self.visit_name(file, name);
        let before = values.len();
        for binder in scopes.binders(outline, part.ordinal, name) {
            match binder {
                Binder::Part(ordinal) => {
                    values.push(Value { thing: Thing::Part(self.part_id(file, ordinal)), sure: true });
                }
                Binder::Import(index) => self.imported(file, index, values),
                Binder::Binding(_) | Binder::Variable => {}
            }
        }
        if values.len() == before {
            for binding in scopes.attributes(outline, part.ordinal, name) {
                self.binding(file, binding, values);
            }
        }
    }

    /// The values of a class's bases, in order.
    pub(super) fn bases(&mut self, class: PartId) -> Rc<[Value]> {
        if let Some(known) = self.bases.get(&class) {
            return Rc::clone(known);
        }
        self.bases.insert(class, Rc::new([]));
        if self.depth >= MAX_BASES {
            return Rc::new([Value { thing: Thing::External, sure: true }]);
        }
        self.depth += 1;
        let part = self.nodes().part(class);
        let mut values = Values::new();
        if let Some(outline) = self.outline(part.file) {
            let fact = &outline.parts[part.ordinal as usize];
            // A method's class is named where the class stands, in the scope around it.
            let scope = part.parent.map_or(0, |parent| self.nodes().part(parent).ordinal);
            for base in outline.list(fact.bases) {
                // Bases are asked for in the middle of other look-ups; those of bases share what these have.
                let fuel = self.fuel;
                if self.depth == 1 {
                    self.fuel = FUEL;
                }
                let found = self.chain(part.file, scope, outline.name(*base));
                self.fuel = fuel;
                if found.is_empty() && outline.name(*base) != "object" {
                    values.push(Value { thing: Thing::External, sure: true });
                }
                values.extend(found);
            }
        }
        self.depth -= 1;
        let values: Rc<[Value]> = values.into();
        self.bases.insert(class, Rc::clone(&values));
        values
    }

    /// A class and its bases while the hierarchy is not known yet.
    fn line(&mut self, class: PartId) -> Rc<Line> {
        if let Some(known) = self.lines.get(&class) {
            return Rc::clone(known);
        }
        let nodes = self.nodes();
        let line = Rc::new(Line::new(nodes, class, |class| self.bases(class)));
        self.lines.insert(class, Rc::clone(&line));
        line
    }

    /// A method along a class's line, with whether it surely is.
    pub(super) fn method(&self, class: PartId, name: &str) -> Option<(PartId, bool)> {
        self.visit(Visit::Line(Class::of(self.nodes(), class)));
        let line = self.hierarchy?.line(class)?;
        line.classes.iter().find_map(|(class, sure)| {
            let file = self.nodes().part(*class).file;
            self.visit_file(file);
            self.visit_name(file, name);
            self.own_method(*class, name).map(|method| (method, *sure))
        })
    }

    /// A method of a class itself. It is for who asks to write down what that comes by.
    pub(super) fn own_method(&self, class: PartId, name: &str) -> Option<PartId> {
        let part = self.nodes().part(class);
        let (outline, scopes) = self.tree.scopes.of(part.file).filter(|_| self.is_python(part.file))?;
        scopes.binders(outline, part.ordinal, name).find_map(|binder| match binder {
            Binder::Part(ordinal) => {
                let id = self.part_id(part.file, ordinal);
                is_callable(self.nodes().part(id).kind).then_some(id)
            }
            _ => None,
        })
    }
}

fn thing_of(target: Target) -> Thing {
    match target {
        Target::Module(file) => Thing::Module(file),
        Target::Namespace(index) => Thing::Namespace(index),
    }
}

/// An object of the class that a value is.
fn instance(nodes: &Nodes, value: Value) -> Value {
    match value.thing {
        Thing::Part(part) if nodes.part(part).kind == PartKind::Class => {
            Value { thing: Thing::Instance(part), sure: value.sure }
        }
        _ => Value { thing: Thing::External, sure: value.sure },
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
