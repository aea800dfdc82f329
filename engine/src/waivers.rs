//! Waivers: which are in force, and what they cover. They lower only what they cover for certain, on both sides.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use grace_dsl::ast::{ItemKind, SetExpr};
use grace_graph::code::PartKey;

use crate::book::{At, Compiled, Kind, applies, compiled, names};
use crate::conds::{BothSides, Conds};
use crate::dates;
use crate::db::{Db, RuleBook, World, nodes_of};
use crate::mistakes::is_sound;
use crate::plan::{Side, Truth};
use crate::verdict::{Hit, Trace};

/// Waivers of a book that are granted and not past their date. A book with a mistake has none: what a waiver covers
/// could lean on it.
pub(crate) fn waivers_in_force(db: &dyn Db, book: RuleBook) -> Vec<(At, Arc<Compiled>)> {
    if !is_sound(db, book) {
        return Vec::new();
    }
    let world = World::get(db);
    let past = world.past(db);
    let today = dates::date_in(world.as_of(db), "UTC");
    let mut in_force = Vec::new();
    for (name, at) in names(db, book).of_kind(Kind::Waiver) {
        if !applies(db, at.file) || !past.grants.contains(&**name) {
            continue;
        }
        let Some(compiled) = compiled(db, book, at.file, at.id.clone()) else { continue };
        let ItemKind::Waiver(waiver) = &compiled.item.kind else { continue };
        let live = match (&waiver.until, today) {
            (Some((_, until)), Some(today)) => today <= *until,
            (Some(_), None) => false,
            (None, _) => false,
        };
        if live && waiver.granted_by.is_some() && compiled.problems.is_empty() {
            in_force.push((at.clone(), compiled));
        }
    }
    in_force
}

/// Whether a set holds a changed part for certain, on each side where it is.
pub(crate) fn certain_on_both(set: &BothSides, before: Option<&PartKey>, after: Option<&PartKey>) -> bool {
    before.is_none_or(|key| set.holds(Side::Before, key) == Truth::Yes)
        && after.is_none_or(|key| set.holds(Side::After, key) == Truth::Yes)
}

/// How far a waiver's set covers what made a rule fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// Everything that is about parts, and there is some.
    Whole,
    /// Nothing here is about parts.
    NoParts,
    /// Something stands outside.
    Outside,
}

/// Covers a trace: in an `or` every branch that holds or may hold must be covered, since each alone makes the rule fire;
/// in an `and` one covered branch is enough if none stands outside.
pub(crate) fn coverage(rule: &Conds<'_>, set: &BothSides, trace: &Trace) -> Coverage {
    Covering { rule, set, starts: RefCell::default() }.trace(trace)
}

struct Covering<'a> {
    rule: &'a Conds<'a>,
    set: &'a BothSides,
    /// The sets that ways start from, each evaluated once.
    starts: RefCell<Vec<(Arc<SetExpr>, Rc<BothSides>)>>,
}

impl Covering<'_> {
    fn trace(&self, trace: &Trace) -> Coverage {
        if trace.negates {
            return Coverage::NoParts;
        }
        if trace.children.is_empty() {
            let mut found = Coverage::NoParts;
            for hit in &trace.hits {
                match self.hit(hit) {
                    Some(false) => return Coverage::Outside,
                    Some(true) => found = Coverage::Whole,
                    None => {}
                }
            }
            return found;
        }
        let held: Vec<&Trace> = trace.children.iter().filter(|child| child.truth != Truth::No).collect();
        let parts: Vec<Coverage> = held.into_iter().map(|child| self.trace(child)).collect();
        if parts.contains(&Coverage::Outside) || (trace.any && parts.contains(&Coverage::NoParts)) {
            Coverage::Outside
        } else if parts.contains(&Coverage::Whole) {
            Coverage::Whole
        } else {
            Coverage::NoParts
        }
    }

    fn starts(&self, from_set: &Arc<SetExpr>) -> Rc<BothSides> {
        let mut starts = self.starts.borrow_mut();
        if let Some((_, known)) = starts.iter().find(|(set, _)| Arc::ptr_eq(set, from_set)) {
            return known.clone();
        }
        let both = Rc::new(self.rule.both(from_set));
        starts.push((from_set.clone(), both.clone()));
        both
    }

    /// Whether a set covers a hit for certain; `None` for hits that are not about parts. An edge counts by the end that it
    /// starts from: that is the code that would be waived.
    fn hit(&self, hit: &Hit) -> Option<bool> {
        let set = self.set;
        let after = |key: &PartKey| set.holds(Side::After, key) == Truth::Yes;
        match hit {
            Hit::Changed { before, after, .. } => Some(certain_on_both(set, before.as_ref(), after.as_ref())),
            Hit::NewEdge { edge, .. } => Some(after(&edge.from)),
            Hit::Way { edges, from_set, .. } => {
                let file = edges.first()?.from.path.clone();
                let from = self.starts(from_set);
                let graph = nodes_of(self.rule.db, Side::After);
                let parts = graph.parts_of(graph.file_by_path(&file)?).map(|part| graph.key(part));
                Some(parts.filter(|key| from.holds(Side::After, key) != Truth::No).all(|key| after(&key)))
            }
            Hit::Member { part, side, .. } | Hit::Test { part, side, .. } => Some(set.holds(*side, part) == Truth::Yes),
            Hit::Line { part: Some(part), .. } => Some(after(part)),
            // What is missing could be anywhere, and a package or a model is no part of a set of code.
            Hit::Line { part: None, .. }
            | Hit::Missing { .. }
            | Hit::Unread { .. }
            | Hit::Package { .. }
            | Hit::Model { .. } => Some(false),
            Hit::Number { .. } | Hit::Declared { .. } | Hit::Window { .. } => None,
        }
    }
}
