//! How named sets lean on each other: which are defined by themselves, and in which order long chains are evaluated.
//!
//! A set is evaluated by recursion into the sets that it names. Rules are anyone's text, so the way down is bounded here
//! and not by the stack: sets at the end of a long way are evaluated first, from the bottom up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::{ItemKind, SetExpr, SetKind};
use grace_dsl::walk;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::book::{Glob, Kind, item, names};
use crate::db::{Db, RuleBook, World, snapshot};
use crate::plan::Side;
use crate::sets::{SetName, is_glob, named_models, named_set};

/// Longest way down, in levels of evaluation, that is left to recursion.
const DEEPEST: usize = 128;
/// Levels that a named set costs beyond its expression.
const NAME: usize = 4;

/// A thing that is defined by a set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Define(Arc<str>),
    Tag(Arc<str>),
    /// All values of a family: with `first match wins` each leans on the others.
    Family(Arc<str>),
    /// Bindings of one pattern of models.
    Binding(Arc<str>),
    /// `bound to model(PATTERN)`.
    BoundTo(Arc<str>),
    /// Every binding: what `models used by` leans on.
    Bindings,
}

/// What is known of the named sets of a book as a whole.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Order {
    circular: BTreeSet<Named>,
    /// Ends of long ways, each after those that it leans on.
    deep: Vec<Named>,
}

/// The order of a book's named sets; it hangs on the items that define sets and on no others.
#[salsa::tracked(returns(clone))]
fn order(db: &dyn Db, book: RuleBook) -> Arc<Order> {
    let mut leaning = Leaning::default();
    let mut bindings = Bindings::default();
    for kind in [Kind::Define, Kind::Tag, Kind::Binding] {
        for (name, at) in names(db, book).of_kind(kind) {
            let Some(item) = item(db, at.file, at.id.clone()) else { continue };
            let node = leaning.node(match &item.kind {
                ItemKind::Tag { tag, value: Some(_), .. } => Named::Family(Arc::from(tag.text.as_str())),
                ItemKind::Tag { .. } => Named::Tag(name.clone()),
                ItemKind::Binding { model, .. } => {
                    bindings.add(&model.value);
                    Named::Binding(Arc::from(model.value.as_str()))
                }
                _ => Named::Define(name.clone()),
            });
            walk::sets_of_item(&item.kind, &mut |set| leaning.lean(node, set));
        }
    }
    let past = World::get(db).past(db);
    bindings.models.extend(past.models_before.keys().chain(past.models_after.keys()).cloned());
    leaning.resolve_bindings(&bindings);
    Arc::new(leaning.order())
}

/// Which named set leans on which.
#[derive(Default)]
struct Leaning {
    nodes: BTreeMap<Named, usize>,
    /// What each names, in the order of the numbers.
    named: Vec<Named>,
    /// Levels of each, without what it leans on.
    levels: Vec<usize>,
    on: Vec<BTreeSet<usize>>,
}

impl Leaning {
    fn node(&mut self, named: Named) -> usize {
        let next = self.named.len();
        let node = *self.nodes.entry(named.clone()).or_insert(next);
        if node == next {
            self.named.push(named);
            self.levels.push(NAME);
            self.on.push(BTreeSet::new());
        }
        node
    }

    fn lean(&mut self, node: usize, set: &SetExpr) {
        self.levels[node] = self.levels[node].max(NAME + depth(set));
        walk::sets(set, &mut |set| {
            let on = match &set.kind {
                SetKind::Defined(name) => Named::Define(Arc::from(name.text.as_str())),
                SetKind::Tag(name) => Named::Tag(Arc::from(name.text.as_str())),
                SetKind::Family { family, .. } => Named::Family(Arc::from(family.text.as_str())),
                SetKind::BoundTo(glob) => Named::BoundTo(Arc::from(glob.value.as_str())),
                SetKind::ModelsUsedBy(_) => Named::Bindings,
                _ => return,
            };
            let on = self.node(on);
            self.on[node].insert(on);
        });
    }

    fn resolve_bindings(&mut self, bindings: &Bindings) {
        for node in 0..self.named.len() {
            let patterns: Vec<Arc<str>> = match &self.named[node] {
                Named::BoundTo(wanted) => bindings.of(wanted),
                Named::Bindings => bindings.literal.iter().chain(bindings.globs.keys()).cloned().collect(),
                _ => continue,
            };
            let on = patterns.into_iter().filter_map(|pattern| self.nodes.get(&Named::Binding(pattern)).copied());
            self.on[node] = on.collect();
        }
    }

    fn order(self) -> Order {
        let mut graph: DiGraph<(), ()> = DiGraph::new();
        for _ in &self.named {
            graph.add_node(());
        }
        for (node, on) in self.on.iter().enumerate() {
            for &on in on {
                graph.add_edge(NodeIndex::new(node), NodeIndex::new(on), ());
            }
        }
        let mut order = Order::default();
        let mut ways: Vec<usize> = vec![0; self.named.len()];
        // Each component comes after those that it leans on; the algorithm does not recurse.
        for component in petgraph::algo::kosaraju_scc(&graph) {
            let nodes: Vec<usize> = component.into_iter().map(NodeIndex::index).collect();
            if let [node] = *nodes
                && !self.on[node].contains(&node)
            {
                let below = self.on[node].iter().map(|&on| ways[on]).max().unwrap_or(0);
                let way = self.levels[node] + below;
                if way > DEEPEST && !matches!(self.named[node], Named::BoundTo(_) | Named::Bindings) {
                    order.deep.push(self.named[node].clone());
                } else {
                    ways[node] = way;
                }
            } else {
                order.circular.extend(nodes.into_iter().map(|node| self.named[node].clone()));
            }
        }
        order
    }
}

/// The bindings of a book by their patterns.
#[derive(Default)]
struct Bindings {
    literal: BTreeSet<Arc<str>>,
    globs: BTreeMap<Arc<str>, Option<Glob>>,
    models: BTreeSet<String>,
}

impl Bindings {
    fn add(&mut self, pattern: &str) {
        if is_glob(pattern) {
            self.globs.insert(Arc::from(pattern), Glob::new(pattern, false));
        } else {
            self.models.insert(pattern.to_owned());
            self.literal.insert(Arc::from(pattern));
        }
    }

    /// The patterns that may bind what a pattern of models names. What does not compile may be anything.
    fn of(&self, wanted: &str) -> Vec<Arc<str>> {
        let models: Vec<&str> = if is_glob(wanted) {
            let glob = Glob::new(wanted, false);
            let is_meant = |model: &str| glob.as_ref().is_none_or(|glob| glob.is_match(model));
            self.models.iter().map(String::as_str).filter(|model| is_meant(model)).collect()
        } else {
            vec![wanted]
        };
        let may =
            |glob: &Option<Glob>| glob.as_ref().is_none_or(|glob| models.iter().any(|model| glob.is_match(model)));
        let globs = self.globs.iter().filter(|(_, glob)| may(glob)).map(|(pattern, _)| pattern);
        models.iter().filter_map(|model| self.literal.get(*model)).chain(globs).cloned().collect()
    }
}

/// Levels of a set expression.
fn depth(set: &SetExpr) -> usize {
    let inner = match &set.kind {
        SetKind::HeaderOf(inner)
        | SetKind::Public(inner)
        | SetKind::FilesOf(inner)
        | SetKind::ModulesOf(inner)
        | SetKind::MembersOf(inner)
        | SetKind::ModelsUsedBy(inner)
        | SetKind::OwnersOf(inner) => depth(inner),
        // A query of its own, and so is the set that it starts from.
        SetKind::Walk { set: inner, .. } => depth(inner) + 2 * NAME,
        SetKind::Plus(left, right) | SetKind::Within(left, right) | SetKind::Except(left, right) => {
            depth(left).max(depth(right))
        }
        _ => 0,
    };
    inner + 1
}

/// Whether a set is defined by itself: it means nothing, so it could hold anything. Of `bound to` it is the bindings of
/// this very pattern.
#[salsa::tracked(returns(copy))]
pub(crate) fn is_circular(db: &dyn Db, book: RuleBook, name: SetName) -> bool {
    let named = match name {
        SetName::Define(name) => Named::Define(name),
        SetName::Tag(name) => Named::Tag(name),
        SetName::Family(family, _) => Named::Family(family),
        SetName::Bound(pattern) => Named::Binding(pattern),
    };
    order(db, book).circular.contains(&named)
}

/// Evaluates the sets at the ends of long ways, from the bottom up. To be called before anything else is asked, after
/// each change of the inputs: what is known of a set is then confirmed without going down its whole way, too.
pub(crate) fn prepare(db: &dyn Db) {
    for (_, book) in crate::join::books(db) {
        for named in &order(db, book).deep {
            for side in [Side::Before, Side::After].map(|side| snapshot(db, side)) {
                match named {
                    Named::Define(name) => {
                        named_set(db, book, side, SetName::Define(name.clone()));
                        named_models(db, book, side, name.clone());
                    }
                    Named::Tag(name) => drop(named_set(db, book, side, SetName::Tag(name.clone()))),
                    Named::Family(name) => drop(crate::sets::family_sets(db, book, side, name.clone())),
                    Named::Binding(pattern) => drop(named_set(db, book, side, SetName::Bound(pattern.clone()))),
                    Named::BoundTo(_) | Named::Bindings => {}
                }
            }
        }
    }
}
