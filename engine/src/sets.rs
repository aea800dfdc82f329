//! Sets of code and of models, on one side of the change, each as what is certain and what is possible.
//!
//! Named sets (defines, tags, family values, the parts bound to a model) are queries of their own; everything else is
//! evaluated inside the rule that writes it. Sets climb nowhere by magic: lifting is written.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use grace_dsl::ast::{
    Compare, FieldTest, ItemKind, NodeId, SetExpr, SetKind, Unit, Value as DslValue, ValueTest, Walk,
};
use grace_fingerprints::{Fingerprint, Thousandths, Value};
use grace_graph::code::{EdgeKind, FileId, PartId, PartKind};
use grace_graph::graph::{Direction, FileNode, Nodes};

use crate::bands::{BANDED, Standing, bands};
use crate::book::{At, Compiled, Glob, ItemId, Kind, compiled, names};
use crate::conds::not;
use crate::db::{Db, RuleBook, RuleFile, Snapshot, World, nodes_of, paths_before, snapshot};
use crate::order::is_circular;
use crate::plan::{Side, Truth};
use crate::scan::{Kept, Scan, scan};
use crate::walks::{reached, walk as walk_at};

/// A set of parts of one graph. `certain` is always a subset of `possible`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Members {
    pub(crate) certain: FixedBitSet,
    pub(crate) possible: FixedBitSet,
}

impl Members {
    pub(crate) fn none(len: usize) -> Self {
        Self { certain: FixedBitSet::with_capacity(len), possible: FixedBitSet::with_capacity(len) }
    }

    fn all(len: usize) -> Self {
        let mut all = Self::none(len);
        all.certain.insert_range(..);
        all.possible.insert_range(..);
        all
    }

    /// Everything, possibly: what is known of a set that cannot be told.
    pub(crate) fn unknown(len: usize) -> Self {
        let mut unknown = Self::none(len);
        unknown.possible.insert_range(..);
        unknown
    }

    /// Adds a part.
    pub(crate) fn insert(&mut self, part: PartId) {
        self.certain.insert(part.0 as usize);
        self.possible.insert(part.0 as usize);
    }

    /// Yes, no, or unknown for one part.
    pub(crate) fn holds(&self, part: PartId) -> Truth {
        let index = part.0 as usize;
        if self.certain.contains(index) {
            Truth::Yes
        } else if self.possible.contains(index) {
            Truth::Unknown
        } else {
            Truth::No
        }
    }
}

/// A set that has a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum SetName {
    Define(Arc<str>),
    Tag(Arc<str>),
    Family(Arc<str>, Arc<str>),
    /// Parts bound to a model of this very name.
    Bound(Arc<str>),
}

/// The members of a named set on one side. A circle of definitions, which `check` rejects, is unknown; none reaches
/// salsa, which would follow it by recursion.
#[salsa::tracked(returns(clone), cycle_result = cyclic)]
pub(crate) fn named_set(db: &dyn Db, book: RuleBook, side: Snapshot, name: SetName) -> Arc<Members> {
    let nodes = side.nodes(db);
    if !matches!(name, SetName::Bound(_)) && is_circular(db, book, name.clone()) {
        return Arc::new(Members::unknown(nodes.len()));
    }
    let names = names(db, book);
    let mut members = Members::none(nodes.len());
    match &name {
        SetName::Define(define) => {
            // What stands for nothing, or for two things, could be anything.
            let [at] = names.get(Kind::Define, define) else { return Arc::new(Members::unknown(nodes.len())) };
            if let Some(compiled) = compiled(db, book, at.file, at.id.clone())
                && compiled.problems.is_empty()
                && let ItemKind::Define { set, .. } = &compiled.item.kind
            {
                return Sets { db, book, side, compiled: &compiled }.eval(set);
            }
            return Arc::new(Members::unknown(nodes.len()));
        }
        SetName::Tag(tag) => {
            let items = names.get(Kind::Tag, tag);
            if items.is_empty() {
                return Arc::new(Members::unknown(nodes.len()));
            }
            for at in items {
                let Some(compiled) = compiled(db, book, at.file, at.id.clone()) else { continue };
                let ItemKind::Tag { set, .. } = &compiled.item.kind else { continue };
                if !compiled.problems.is_empty() {
                    members.possible.insert_range(..);
                }
                let more = Sets { db, book, side, compiled: &compiled }.eval(set);
                members.certain.union_with(&more.certain);
                members.possible.union_with(&more.possible);
            }
        }
        SetName::Family(family, value) => {
            return family_sets(db, book, side, family.clone()).get(value).cloned().unwrap_or_else(|| {
                // A declared value that nothing carries is empty; one that nobody declared could be anything.
                let declared = names.first(Kind::Family, family).is_some_and(|at| {
                    crate::book::item(db, at.file, at.id.clone()).is_some_and(|item| {
                        matches!(&item.kind, ItemKind::Family { values, .. }
                                if values.iter().any(|declared| declared.text == **value))
                    })
                });
                Arc::new(if declared { Members::none(nodes.len()) } else { Members::unknown(nodes.len()) })
            });
        }
        SetName::Bound(model) => {
            let bindings = bindings(db, book);
            let literal = bindings.literal.get(model).into_iter().flatten();
            for at in literal.chain(&bindings.globs) {
                let Some(compiled) = compiled(db, book, at.file, at.id.clone()) else { continue };
                let ItemKind::Binding { model: pattern, set, .. } = &compiled.item.kind else { continue };
                let is_meant = pattern.value == **model || compiled.glob(&pattern.value, false, model);
                let is_wrong = !compiled.problems.is_empty();
                if is_wrong || (is_meant && is_circular(db, book, SetName::Bound(Arc::from(pattern.value.as_str())))) {
                    members.possible.insert_range(..);
                } else if is_meant {
                    let more = Sets { db, book, side, compiled: &compiled }.eval(set);
                    members.certain.union_with(&more.certain);
                    members.possible.union_with(&more.possible);
                }
            }
            for (part, _) in side.models(db).naming(model) {
                members.insert(part);
            }
        }
    }
    Arc::new(members)
}

/// The bindings of a book: those of one model by its name, and those of a pattern.
#[derive(Default, PartialEq, Eq)]
struct Bindings {
    literal: BTreeMap<Arc<str>, Vec<At>>,
    globs: Vec<At>,
}

#[salsa::tracked(returns(clone))]
fn bindings(db: &dyn Db, book: RuleBook) -> Arc<Bindings> {
    let mut bindings = Bindings::default();
    for (_, at) in names(db, book).of_kind(Kind::Binding) {
        if let Some(item) = crate::book::item(db, at.file, at.id.clone())
            && let ItemKind::Binding { model, .. } = &item.kind
        {
            if is_glob(&model.value) {
                bindings.globs.push(at.clone());
            } else {
                bindings.literal.entry(Arc::from(model.value.as_str())).or_default().push(at.clone());
            }
        }
    }
    Arc::new(bindings)
}

type FamilySets = BTreeMap<Arc<str>, Arc<Members>>;

/// The parts of every value of a family. With `first match wins` a part takes the value of the first item, in book
/// order, that holds it.
#[salsa::tracked(returns(clone), cycle_result = cyclic_family)]
pub(crate) fn family_sets(db: &dyn Db, book: RuleBook, side: Snapshot, family: Arc<str>) -> Arc<FamilySets> {
    let nodes = side.nodes(db);
    let names = names(db, book);
    let first_match = names.first(Kind::Family, &family).is_some_and(|at| {
        crate::book::item(db, at.file, at.id.clone())
            .is_some_and(|item| matches!(item.kind, ItemKind::Family { first_match: true, .. }))
    });
    let mut values: BTreeMap<Arc<str>, Members> = BTreeMap::new();
    // What the items so far hold, value by value, before any of it is taken by another.
    let mut held: BTreeMap<Arc<str>, Members> = BTreeMap::new();
    let (mut certain, mut possible) = (Holders::new(nodes.len()), Holders::new(nodes.len()));
    for &file in book.files(db) {
        for id in crate::book::item_ids(db, file).iter().filter(|id| id.kind == Kind::Tag) {
            let Some(compiled) = compiled(db, book, file, id.clone()) else { continue };
            let ItemKind::Tag { tag, value: Some(value), set, .. } = &compiled.item.kind else { continue };
            if tag.text != *family {
                continue;
            }
            let mut more = (*Sets { db, book, side, compiled: &compiled }.eval(set)).clone();
            if !compiled.problems.is_empty() {
                more.possible.insert_range(..);
            }
            let value: Arc<str> = Arc::from(value.text.as_str());
            if first_match {
                let own = held.entry(value.clone()).or_insert_with(|| Members::none(nodes.len()));
                let (surely_taken, maybe_taken) = (certain.others(&own.certain), possible.others(&own.possible));
                certain.add(&mut own.certain, &more.certain);
                possible.add(&mut own.possible, &more.possible);
                more.certain.difference_with(&maybe_taken);
                more.possible.difference_with(&surely_taken);
            }
            let members = values.entry(value).or_insert_with(|| Members::none(nodes.len()));
            members.certain.union_with(&more.certain);
            members.possible.union_with(&more.possible);
        }
    }
    Arc::new(values.into_iter().map(|(value, members)| (value, Arc::new(members))).collect())
}

/// By how many values of a family each part is held: by one or more, and by two or more.
struct Holders {
    one: FixedBitSet,
    two: FixedBitSet,
}

impl Holders {
    fn new(parts: usize) -> Self {
        Self { one: FixedBitSet::with_capacity(parts), two: FixedBitSet::with_capacity(parts) }
    }

    /// The parts that a value other than the one that holds `own` holds.
    fn others(&self, own: &FixedBitSet) -> FixedBitSet {
        let mut others = self.one.clone();
        others.difference_with(own);
        others.union_with(&self.two);
        others
    }

    /// The value that holds `own` holds `more` as well.
    fn add(&mut self, own: &mut FixedBitSet, more: &FixedBitSet) {
        let mut new = more.clone();
        new.difference_with(own);
        own.union_with(&new);
        let mut again = new.clone();
        again.intersect_with(&self.one);
        self.two.union_with(&again);
        self.one.union_with(&new);
    }
}

/// A family whose tags lead back to itself gives every value possibly to everything.
fn cyclic_family(db: &dyn Db, _id: salsa::Id, book: RuleBook, side: Snapshot, family: Arc<str>) -> Arc<FamilySets> {
    let unknown = Arc::new(Members::unknown(side.nodes(db).len()));
    let mut values = FamilySets::new();
    for (_, at) in names(db, book).of_kind(Kind::Family).filter(|(name, _)| **name == family) {
        if let Some(item) = crate::book::item(db, at.file, at.id.clone())
            && let ItemKind::Family { values: all, .. } = &item.kind
        {
            values.extend(all.iter().map(|value| (Arc::from(value.text.as_str()), unknown.clone())));
        }
    }
    Arc::new(values)
}

/// The models of a `define` on one side, certain (true) or possible (false).
#[salsa::tracked(returns(clone), cycle_result = cyclic_models)]
pub(crate) fn named_models(
    db: &dyn Db,
    book: RuleBook,
    side: Snapshot,
    define: Arc<str>,
) -> Arc<BTreeMap<String, bool>> {
    if let [at] = names(db, book).get(Kind::Define, &define)
        && !is_circular(db, book, SetName::Define(define))
        && let Some(compiled) = compiled(db, book, at.file, at.id.clone())
        && compiled.problems.is_empty()
        && let ItemKind::Define { set, .. } = &compiled.item.kind
    {
        return Arc::new(Sets { db, book, side, compiled: &compiled }.models(set));
    }
    any_model(db, book, side)
}

/// Every model, possibly.
fn any_model(db: &dyn Db, book: RuleBook, side: Snapshot) -> Arc<BTreeMap<String, bool>> {
    Arc::new(models(db, book, side).keys().map(|model| (model.clone(), false)).collect())
}

fn cyclic_models(
    db: &dyn Db,
    _id: salsa::Id,
    book: RuleBook,
    side: Snapshot,
    _define: Arc<str>,
) -> Arc<BTreeMap<String, bool>> {
    any_model(db, book, side)
}

fn cyclic(db: &dyn Db, _id: salsa::Id, _book: RuleBook, side: Snapshot, _name: SetName) -> Arc<Members> {
    Arc::new(Members::unknown(side.nodes(db).len()))
}

pub(crate) fn cyclic_expression(
    db: &dyn Db,
    _id: salsa::Id,
    _book: RuleBook,
    side: Snapshot,
    _file: RuleFile,
    _item: ItemId,
    _node: NodeId,
) -> Arc<Kept> {
    Arc::new(Kept::of(&Members::unknown(side.nodes(db).len())))
}

/// The members of a set that an item writes, by its place there.
#[salsa::tracked(returns(clone), cycle_result = cyclic_expression)]
fn expression(db: &dyn Db, book: RuleBook, side: Snapshot, file: RuleFile, id: ItemId, node: NodeId) -> Arc<Kept> {
    let members = compiled(db, book, file, id)
        .and_then(|compiled| Some(Sets { db, book, side, compiled: &compiled }.eval(&compiled.set_at(node)?)));
    Arc::new(members.map_or_else(|| Kept::of(&Members::unknown(side.nodes(db).len())), |members| Kept::of(&members)))
}

/// Evaluates set expressions of one item on one side.
pub(crate) struct Sets<'a> {
    pub(crate) db: &'a dyn Db,
    pub(crate) book: RuleBook,
    pub(crate) side: Snapshot,
    pub(crate) compiled: &'a Compiled,
}

/// How edges are walked for each word.
pub(crate) fn walk_of(walk: Walk) -> (&'static [EdgeKind], Direction) {
    const IMPORTS: &[EdgeKind] = &[EdgeKind::Imports];
    const CALLS: &[EdgeKind] = &[EdgeKind::Calls];
    const INHERITS: &[EdgeKind] = &[EdgeKind::Inherits];
    const ANY: &[EdgeKind] = &[EdgeKind::Imports, EdgeKind::Calls, EdgeKind::Inherits, EdgeKind::References];
    match walk {
        Walk::Importers => (IMPORTS, Direction::Backward),
        Walk::ImportedBy => (IMPORTS, Direction::Forward),
        Walk::Callers => (CALLS, Direction::Backward),
        Walk::Callees => (CALLS, Direction::Forward),
        Walk::Subtypes => (INHERITS, Direction::Backward),
        Walk::Supertypes => (INHERITS, Direction::Forward),
        Walk::Dependents | Walk::TestsOf => (ANY, Direction::Backward),
        Walk::Dependencies => (ANY, Direction::Forward),
    }
}

/// Members of the expressions of one item on one side, by place, for who asks again for parts of a whole.
pub(crate) type Memo = RefCell<BTreeMap<NodeId, Arc<Members>>>;

impl<'a> Sets<'a> {
    /// The files and parts of the side.
    pub(crate) fn nodes(&self) -> &'a Nodes {
        self.side.nodes(self.db)
    }

    /// The members of a set of code as they are kept for the next question.
    pub(crate) fn kept(&self, set: &SetExpr) -> Arc<Kept> {
        match &self.compiled.at {
            Some(at) if set.node != NodeId(0) && self.compiled.writes(set) => {
                expression(self.db, self.book, self.side, at.file, at.id.clone(), set.node)
            }
            _ => Arc::new(Kept::of(&self.eval(set))),
        }
    }

    /// The members of a set of code. A set of another kind has none.
    pub(crate) fn eval(&self, set: &SetExpr) -> Arc<Members> {
        self.eval_by(set, None)
    }

    /// The same, of every expression inside it at most once for a memo.
    pub(crate) fn eval_by(&self, set: &SetExpr, memo: Option<&Memo>) -> Arc<Members> {
        // What was not read from a text has no place of its own.
        let Some(memo) = memo.filter(|_| set.node != NodeId(0)) else { return self.members(set, memo) };
        if let Some(known) = memo.borrow().get(&set.node) {
            return known.clone();
        }
        let members = self.members(set, Some(memo));
        memo.borrow_mut().insert(set.node, members.clone());
        members
    }

    fn members(&self, set: &SetExpr, memo: Option<&Memo>) -> Arc<Members> {
        let nodes = self.nodes();
        let len = nodes.len();
        Arc::new(match &set.kind {
            SetKind::All => Members::all(len),
            SetKind::None => Members::none(len),
            SetKind::Path { glob, ignore_case } => self.by_glob(&glob.value, *ignore_case, Scan::Path),
            SetKind::Package(name) => self.scan(Scan::Package(name.value.clone())),
            SetKind::Module(name) => self.scan(Scan::Module(name.value.clone())),
            SetKind::Generated => self.scan(Scan::Generated),
            SetKind::Language(name) => self.scan(Scan::Language(name.text.clone())),
            SetKind::Tests => self.scan(Scan::Tests),
            SetKind::Class(glob) => self.with_members(&self.scan(Scan::Class(glob.value.clone()))),
            SetKind::Function(glob) => self.scan(Scan::Function(glob.value.clone())),
            SetKind::Decorated(glob) => self.scan(Scan::Decorated(glob.value.clone())),
            SetKind::Named { glob, ignore_case } => self.by_glob(&glob.value, *ignore_case, Scan::Named),
            SetKind::Matches { on, regex } => {
                // An item with too many regular expressions has none: see `Compiled`.
                if self.compiled.regex(&regex.value).is_none() {
                    return Arc::new(Members::unknown(len));
                }
                self.scan(Scan::Matches(*on, regex.value.clone()))
            }
            SetKind::Public(set) => intersection(&self.eval_by(set, memo), &self.scan(Scan::Public)),
            SetKind::HeaderOf(set) => intersection(&self.eval_by(set, memo), &self.scan(Scan::Headers)),
            SetKind::Tag(name) => return self.named(SetName::Tag(Arc::from(name.text.as_str()))),
            SetKind::Family { family, value } => {
                return self.named(SetName::Family(Arc::from(family.text.as_str()), Arc::from(value.text.as_str())));
            }
            SetKind::Defined(name) => return self.named(SetName::Define(Arc::from(name.text.as_str()))),
            SetKind::BoundTo(glob) => {
                let mut members = Members::none(len);
                // A model that is named outright may be bound by a string though nobody described it.
                let mut names: BTreeSet<String> = models(self.db, self.book, self.side)
                    .keys()
                    .filter(|model| self.compiled.glob(&glob.value, false, model))
                    .cloned()
                    .collect();
                if !is_glob(&glob.value) {
                    names.insert(glob.value.clone());
                }
                for model in names {
                    let more = self.named(SetName::Bound(Arc::from(model.as_str())));
                    members.certain.union_with(&more.certain);
                    members.possible.union_with(&more.possible);
                }
                members
            }
            SetKind::FilesOf(set) | SetKind::ModulesOf(set) => {
                let inner = self.eval_by(set, memo);
                let mut members = Members::none(len);
                for (from, to) in [(&inner.certain, &mut members.certain), (&inner.possible, &mut members.possible)] {
                    let mut done = None;
                    for index in from.ones() {
                        let file = nodes.part(PartId(index as u32)).file;
                        if done != Some(file) {
                            done = Some(file);
                            let parts = &nodes.file(file).parts;
                            to.insert_range(parts.start as usize..parts.end as usize);
                        }
                    }
                }
                members
            }
            SetKind::MembersOf(set) => {
                let inner = self.eval_by(set, memo);
                self.with_members(&inner)
            }
            SetKind::Walk { walk, set: inner, distance, certain } => match &self.compiled.at {
                // Who has a memo asks for parts of a whole that is kept already.
                Some(at) if memo.is_none() && set.node != NodeId(0) && self.compiled.writes(set) => {
                    walk_at(self.db, self.book, self.side, at.file, at.id.clone(), set.node).members(len)
                }
                _ => {
                    let how = (*walk, *distance, *certain);
                    reached(self.side.graph(self.db), &self.eval_by(inner, memo), how)
                }
            },
            SetKind::Plus(a, b) => {
                let (a, b) = (self.eval_by(a, memo), self.eval_by(b, memo));
                let mut members = (*a).clone();
                members.certain.union_with(&b.certain);
                members.possible.union_with(&b.possible);
                members
            }
            SetKind::Within(a, b) => intersection(&self.eval_by(a, memo), &self.eval_by(b, memo)),
            SetKind::Except(a, b) => {
                let (a, b) = (self.eval_by(a, memo), self.eval_by(b, memo));
                let mut members = (*a).clone();
                members.certain.difference_with(&b.possible);
                members.possible.difference_with(&b.certain);
                members
            }
            SetKind::Models(_)
            | SetKind::Model(_)
            | SetKind::ModelsUsedBy(_)
            | SetKind::Bundles
            | SetKind::Bundle(_)
            | SetKind::OwnersOf(_)
            | SetKind::Team(_) => Members::none(len),
        })
    }

    fn named(&self, name: SetName) -> Arc<Members> {
        named_set(self.db, self.book, self.side, name)
    }

    fn scan(&self, what: Scan) -> Members {
        // Of one and the same nodes the answer is one, whichever side asks.
        let other = snapshot(self.db, Side::Before);
        let shares = what.hangs_on_nodes_alone() && Arc::ptr_eq(other.nodes(self.db), self.side.nodes(self.db));
        scan(self.db, if shares { other } else { self.side }, what).members(self.nodes().len())
    }

    fn by_glob(&self, pattern: &str, ignore_case: bool, what: fn(String, bool) -> Scan) -> Members {
        self.scan(what(pattern.to_owned(), ignore_case))
    }

    /// Class headers of a set with everything inside.
    fn with_members(&self, set: &Members) -> Members {
        let mut members = Members::none(self.nodes().len());
        for (from, to) in [(&set.certain, &mut members.certain), (&set.possible, &mut members.possible)] {
            for index in from.ones() {
                let part = PartId(index as u32);
                if self.nodes().part(part).kind == PartKind::Class {
                    for inside in self.nodes().subtree(part) {
                        to.insert(inside.0 as usize);
                    }
                }
            }
        }
        // A file that cannot be read, itself of the set or one that may hold a class of it, may hold its members.
        for part in opaque_parts(self.nodes()).filter(|part| set.possible.contains(part.0 as usize)) {
            members.possible.insert(part.0 as usize);
        }
        members
    }

    /// The models of a set of models, certain (true) or possible (false).
    pub(crate) fn models(&self, set: &SetExpr) -> BTreeMap<String, bool> {
        let known = models(self.db, self.book, self.side);
        match &set.kind {
            SetKind::Models(tests) => known
                .iter()
                .filter_map(|(name, model)| {
                    let truth =
                        tests.iter().map(|test| self.field(name, model.as_deref(), test).0).min().unwrap_or(Truth::Yes);
                    (truth != Truth::No).then(|| (name.clone(), truth == Truth::Yes))
                })
                .collect(),
            SetKind::Model(name) if !is_glob(&name.value) => BTreeMap::from([(name.value.clone(), true)]),
            SetKind::Model(glob) => known
                .keys()
                .filter(|name| self.compiled.glob(&glob.value, false, name))
                .map(|name| (name.clone(), true))
                .collect(),
            SetKind::ModelsUsedBy(set) => {
                let inner = self.eval(set);
                let (kinds, direction) = walk_of(Walk::Dependencies);
                let certain = self.side.graph(self.db).reach(&inner.certain, kinds, direction, None, true);
                let possible = self.side.graph(self.db).reach(&inner.possible, kinds, direction, None, false);
                known
                    .keys()
                    .filter_map(|name| {
                        let bound = self.named(SetName::Bound(Arc::from(name.as_str())));
                        if !bound.certain.is_disjoint(&certain) {
                            Some((name.clone(), true))
                        } else if !bound.possible.is_disjoint(&possible) {
                            Some((name.clone(), false))
                        } else {
                            None
                        }
                    })
                    .collect()
            }
            SetKind::Plus(a, b) => {
                let mut models = self.models(a);
                for (name, certain) in self.models(b) {
                    let entry = models.entry(name).or_insert(certain);
                    *entry |= certain;
                }
                models
            }
            SetKind::Within(a, b) => {
                let b = self.models(b);
                self.models(a)
                    .into_iter()
                    .filter_map(|(name, certain)| b.get(&name).map(|other| (name, certain && *other)))
                    .collect()
            }
            SetKind::Except(a, b) => {
                let b = self.models(b);
                self.models(a)
                    .into_iter()
                    .filter_map(|(name, certain)| match b.get(&name) {
                        None => Some((name, certain)),
                        Some(false) => Some((name, false)),
                        Some(true) => None,
                    })
                    .collect()
            }
            SetKind::Defined(name) => {
                (*named_models(self.db, self.book, self.side, Arc::from(name.text.as_str()))).clone()
            }
            SetKind::All => known.keys().map(|name| (name.clone(), true)).collect(),
            _ => BTreeMap::new(),
        }
    }

    /// A test on a model's field, and the value seen.
    pub(crate) fn field(&self, name: &str, model: Option<&Fingerprint>, test: &FieldTest) -> (Truth, String) {
        let past = World::get(self.db).past(self.db);
        let mut standing = None;
        let value = match past.model_fields.get(&(name.to_owned(), test.field.text.clone())) {
            Some(Some(value)) => Some(value.clone()),
            Some(None) => None,
            None => {
                let band = bands(self.db, self.book).get(&test.field.text).cloned();
                standing = model.zip(band).map(|(model, band)| band.standing(model));
                model.and_then(|model| model.field(&test.field.text))
            }
        };
        let Some(value) = value else { return (Truth::Unknown, "unknown".to_owned()) };
        let value = match standing {
            Some(Standing::Measured(level)) => Value::Text(level.to_owned()),
            Some(Standing::Inconclusive) => Value::Text("inconclusive".to_owned()),
            Some(Standing::Declared) | None => value,
        };
        let shown = match standing {
            Some(Standing::Measured(_)) => format!("{}, measured", show_value(&value)),
            Some(Standing::Declared) => format!("{}, declared", show_value(&value)),
            Some(Standing::Inconclusive) | None => show_value(&value),
        };
        if let ValueTest::Is(DslValue::Word(word)) | ValueTest::IsNot(DslValue::Word(word)) = &test.test {
            let given = match &value {
                Value::Text(text) if text == "inconclusive" => Some(Standing::Inconclusive),
                Value::Text(text) if text == "unmeasured" => Some(Standing::Declared),
                _ => None,
            };
            let standing = standing.or(given).unwrap_or(Standing::Declared);
            if BANDED.contains(&test.field.text.as_str())
                && let Some(is) = standing.is(&word.text)
            {
                let truth = if is { Truth::Yes } else { Truth::No };
                let is_asked = matches!(test.test, ValueTest::Is(_));
                return (if is_asked { truth } else { not(truth) }, shown);
            }
        }
        // Which of the levels it is, nobody knows.
        if matches!(&value, Value::Text(text) if matches!(text.as_str(), "unknown" | "inconclusive" | "unmeasured")) {
            return (Truth::Unknown, shown);
        }
        let equal = |wanted: &DslValue| -> bool {
            match (&value, wanted) {
                (Value::Text(text), DslValue::Word(word)) => *text == word.text,
                (Value::Text(text), DslValue::Text(wanted)) => *text == wanted.value,
                (Value::Bool(value), DslValue::Word(word)) => match word.text.as_str() {
                    "yes" | "true" => *value,
                    "no" | "false" => !*value,
                    _ => false,
                },
                (Value::Number(number), DslValue::Quantity(quantity)) => number_of(*number) == plain(quantity),
                (Value::List(items), DslValue::Word(word)) => items.contains(&word.text),
                (Value::List(items), DslValue::Text(text)) => items.contains(&text.value),
                _ => false,
            }
        };
        let holds = match &test.test {
            ValueTest::True => matches!(value, Value::Bool(true)),
            ValueTest::Is(wanted) | ValueTest::Contains(wanted) => equal(wanted),
            ValueTest::IsNot(wanted) => !equal(wanted),
            ValueTest::Compare(compare, quantity) => match value {
                Value::Number(number) => compare_exact(*compare, number_of(number), plain(quantity)),
                _ => return (Truth::Unknown, shown),
            },
        };
        (if holds { Truth::Yes } else { Truth::No }, shown)
    }
}

/// Models of a side by name: those with a fingerprint, and those that a binding names outright, of which all else is
/// unknown.
#[salsa::tracked(returns(clone))]
pub(crate) fn models(db: &dyn Db, book: RuleBook, side: Snapshot) -> Arc<BTreeMap<String, Option<Arc<Fingerprint>>>> {
    let past = World::get(db).past(db);
    let declared = if side == snapshot(db, Side::Before) { &past.models_before } else { &past.models_after };
    let mut models: BTreeMap<_, _> = declared.iter().map(|(name, model)| (name.clone(), Some(model.clone()))).collect();
    for (_, at) in names(db, book).of_kind(Kind::Binding) {
        if let Some(item) = crate::book::item(db, at.file, at.id.clone())
            && let ItemKind::Binding { model, .. } = &item.kind
            && !is_glob(&model.value)
        {
            models.entry(model.value.clone()).or_insert(None);
        }
    }
    Arc::new(models)
}

/// Whether something held before the change of the file that is at `path` after it.
pub(crate) fn stood_before(db: &dyn Db, path: &Arc<str>, holds: impl Fn(&FileNode) -> bool) -> bool {
    let before = nodes_of(db, Side::Before);
    let came_from = paths_before(db);
    let path = came_from.get(path).unwrap_or(path);
    before.file_by_path(path).is_some_and(|old| holds(before.file(old)))
}

/// Whether a pattern stands for more than itself.
pub(crate) fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '{'])
}

/// The parts that stand for files of which something could not be read: they may hold anything.
pub(crate) fn opaque_parts(nodes: &Nodes) -> impl Iterator<Item = PartId> + '_ {
    nodes.damaged().iter().map(|file| nodes.body_of(*file))
}

/// Whether a part stands for what could not be read of its file.
pub(crate) fn is_opaque(nodes: &Nodes, part: PartId) -> bool {
    let file = nodes.part(part).file;
    is_damaged(nodes, file) && nodes.body_of(file) == part
}

/// Whether something of a file could not be read.
pub(crate) fn is_damaged(nodes: &Nodes, file: FileId) -> bool {
    let file = nodes.file(file);
    file.opaque.is_some() || file.has_problems
}

/// A part's own name: the file stem for a module body, the file's name for a file.
pub(crate) fn own_name(nodes: &Nodes, part: PartId) -> &str {
    let node = nodes.part(part);
    match node.kind {
        PartKind::Module | PartKind::File => {
            let path = &*nodes.file(node.file).path;
            let name = path.rsplit('/').next().unwrap_or(path);
            match (node.kind, name.rsplit_once('.')) {
                (PartKind::Module, Some((stem, _))) if !stem.is_empty() => stem,
                _ => name,
            }
        }
        PartKind::Class | PartKind::Function | PartKind::Method => nodes.name(part),
    }
}

/// Whether a glob over dotted names, its dots written as `/` so that `*` stops at them, matches a name or a tail of it.
pub(crate) fn dotted_match(glob: &Glob, name: &str) -> bool {
    let name = name.replace('.', "/");
    glob.is_match(&name) || name.match_indices('/').any(|(at, _)| glob.is_match(&name[at + 1..]))
}

pub(crate) fn intersection(a: &Members, b: &Members) -> Members {
    let mut members = a.clone();
    members.certain.intersect_with(&b.certain);
    members.possible.intersect_with(&b.possible);
    members
}

fn number_of(number: Thousandths) -> i64 {
    i64::try_from(number.0).unwrap_or(i64::MAX)
}

/// A quantity in thousandths of its base unit: milliseconds for durations, percent for shares, one for bare numbers.
pub(crate) fn plain(quantity: &grace_dsl::ast::Quantity) -> i64 {
    let factor = match quantity.unit {
        Unit::One | Unit::Percent | Unit::Points | Unit::Milliseconds => 1,
        Unit::Seconds => 1_000,
        Unit::Minutes => 60_000,
        Unit::Hours => 3_600_000,
        Unit::Days => 86_400_000,
    };
    quantity.thousandths.saturating_mul(factor)
}

/// A comparison of two numbers.
pub(crate) fn compare_exact<T: Ord>(compare: Compare, left: T, right: T) -> bool {
    match compare {
        Compare::Less => left < right,
        Compare::AtMost => left <= right,
        Compare::More => left > right,
        Compare::AtLeast => left >= right,
        Compare::Equal => left == right,
    }
}

fn show_value(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Text(text) => text.clone(),
        Value::Number(number) => crate::show::thousandths(number_of(*number)),
        Value::List(items) => items.join(", "),
    }
}

/// Tags given directly to each part of a side: `kernel`, `layer(layer1)`.
#[salsa::tracked(returns(clone))]
pub(crate) fn tags(db: &dyn Db, book: RuleBook, side: Snapshot) -> Arc<Vec<BTreeSet<Arc<str>>>> {
    let nodes = side.nodes(db);
    let mut tags = vec![BTreeSet::new(); nodes.len()];
    let names = names(db, book);
    let mut done = BTreeSet::new();
    for (name, at) in names.of_kind(Kind::Tag) {
        if !done.insert(name.clone()) {
            continue;
        }
        let Some(item) = crate::book::item(db, at.file, at.id.clone()) else { continue };
        let ItemKind::Tag { tag, value, .. } = &item.kind else { continue };
        let set = match value {
            Some(value) => SetName::Family(Arc::from(tag.text.as_str()), Arc::from(value.text.as_str())),
            None => SetName::Tag(name.clone()),
        };
        for index in named_set(db, book, side, set).certain.ones() {
            tags[index].insert(name.clone());
        }
    }
    Arc::new(tags)
}
