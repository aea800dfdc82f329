//! Walks along edges as they are kept between edits.
//!
//! Nearly every edit changes some edge, and nearly no walk comes by it. So what a walk reaches is remembered with the graph
//! that it was told from, and told again only where it starts elsewhere or an edge that changed since could have been
//! taken. Below salsa: what is remembered is what would be told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use grace_dsl::ast::{Distance, NodeId, SetKind, Walk};
use grace_graph::graph::{CodeGraph, Direction};

use crate::book::{ItemId, compiled};
use crate::db::{Db, RuleBook, RuleFile, Snapshot};
use crate::plan::Truth;
use crate::scan::Kept;
use crate::sets::{Members, Sets, cyclic_expression, opaque_parts, walk_of};

/// Walks that are remembered; beyond them, those of rules that nobody has any more are forgotten, and all others too.
const MOST_WALKS: usize = 4_096;

/// Where a walk is written, and the side that it is asked on.
type Place = (RuleBook, Snapshot, RuleFile, ItemId, NodeId);

/// How edges are followed: the word, how far, and whether guesses are left out.
type How = (Walk, Distance, bool);

/// What each walk of each item reached when it was last told.
#[derive(Default)]
pub(crate) struct Walks(Mutex<HashMap<Place, Walked>>);

struct Walked {
    how: How,
    start: Arc<Kept>,
    graph: Arc<CodeGraph>,
    reached: Arc<Kept>,
}

impl Walked {
    /// Whether the same walk over another graph reaches the same.
    fn holds(&self, how: &How, start: &Arc<Kept>, graph: &CodeGraph) -> bool {
        let (kinds, direction) = walk_of(how.0);
        // A walk comes by an edge only from a part that it reaches; what is certainly reached is possibly reached.
        let may_come_by = |edges: Vec<grace_graph::code::Edge>| {
            edges.iter().filter(|edge| kinds.contains(&edge.kind)).any(|edge| {
                let near = match direction {
                    Direction::Forward => edge.from,
                    Direction::Backward => edge.to,
                };
                self.reached.holds(near) != Truth::No
            })
        };
        // Of `tests of` the way is not kept, only its ends.
        self.how == *how
            && how.0 != Walk::TestsOf
            && self.start == *start
            && graph.edges_changed_since(&self.graph).is_some_and(|edges| !may_come_by(edges))
    }
}

impl Walks {
    fn known(&self, place: &Place, how: &How, start: &Arc<Kept>, graph: &Arc<CodeGraph>) -> Option<Arc<Kept>> {
        let mut walks = self.0.lock().ok()?;
        let walked = walks.get_mut(place).filter(|walked| walked.holds(how, start, graph))?;
        // So that what changed since stays little, and old graphs can go.
        walked.graph = Arc::clone(graph);
        Some(Arc::clone(&walked.reached))
    }

    fn remember(&self, place: Place, walked: Walked) {
        if let Ok(mut walks) = self.0.lock() {
            if walks.len() >= MOST_WALKS {
                walks.clear();
            }
            walks.insert(place, walked);
        }
    }
}

/// The members of a walk that an item writes, by its place there.
#[salsa::tracked(returns(clone), cycle_result = cyclic_expression)]
pub(crate) fn walk(db: &dyn Db, book: RuleBook, side: Snapshot, file: RuleFile, id: ItemId, node: NodeId) -> Arc<Kept> {
    let unknown = || Arc::new(Kept::of(&Members::unknown(side.nodes(db).len())));
    let Some(compiled) = compiled(db, book, file, id.clone()) else { return unknown() };
    let Some(set) = compiled.set_at(node) else { return unknown() };
    let SetKind::Walk { walk, set: inner, distance, certain } = &set.kind else { return unknown() };
    let sets = Sets { db, book, side, compiled: &compiled };
    let start = sets.kept(inner);
    let graph = side.graph(db);
    let (place, how) = ((book, side, file, id, node), (*walk, *distance, *certain));
    if let Some(known) = db.walks().known(&place, &how, &start, graph) {
        return known;
    }
    let reached = Arc::new(Kept::of(&reached(graph, &start.members(graph.len()), how)));
    let walked = Walked { how, start, graph: Arc::clone(graph), reached: Arc::clone(&reached) };
    db.walks().remember(place, walked);
    reached
}

/// The members of a walk from a set.
pub(crate) fn reached(graph: &CodeGraph, start: &Members, (walk, distance, certain): How) -> Members {
    let (kinds, direction) = walk_of(walk);
    let distance = match distance {
        Distance::Within(steps) => Some(steps),
        Distance::Any => None,
    };
    let mut members = Members {
        certain: graph.reach(&start.certain, kinds, direction, distance, true),
        possible: graph.reach(&start.possible, kinds, direction, distance, certain),
    };
    if start.possible.count_ones(..) > 0 {
        for part in opaque_parts(graph) {
            members.possible.insert(part.0 as usize);
        }
    }
    if walk == Walk::TestsOf {
        let mut tests = Members::none(graph.len());
        graph.tests().iter().for_each(|test| tests.insert(*test));
        opaque_parts(graph).for_each(|part| tests.possible.insert(part.0 as usize));
        members = crate::sets::intersection(&members, &tests);
    }
    members
}
