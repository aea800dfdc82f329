//! Edges that are new between two sets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::{EdgeWord, SetExpr};
use grace_graph::change::Kinds;
use grace_graph::code::{Edge, EdgeKind, FileId, PartId, PartKey};
use grace_graph::graph::CodeGraph;

use super::{Conds, SIDES};
use crate::db::{World, graph_of, meant};
use crate::plan::{Side, Truth};
use crate::verdict::{EdgeHit, Hit};

impl Conds<'_> {
    pub(super) fn new_edges(&self, words: &[EdgeWord], from: &SetExpr, to: &SetExpr) -> (Truth, Vec<Hit>) {
        let changes = meant(self.db);
        // A tag, and so an end, can only move when something changed.
        if changes.is_empty() && World::get(self.db).book_before(self.db) == World::get(self.db).book_after(self.db) {
            return (Truth::No, Vec::new());
        }
        let (from_set, to_set) = (Arc::new(from.clone()), Arc::new(to.clone()));
        let (from_both, to_both) = (self.both(from), self.both(to));
        let renames: BTreeMap<&PartKey, &PartKey> = changes
            .iter()
            .filter(|change| change.kinds.contains(Kinds::RENAMED))
            .filter_map(|change| Some((change.before.as_ref()?, change.after.as_ref()?)))
            .collect();
        let wanted: Vec<EdgeKind> =
            if words.is_empty() { EDGE_KINDS.to_vec() } else { words.iter().map(|word| edge_kind(*word)).collect() };
        let [before, after] = SIDES.map(|side| graph_of(self.db, side));
        // Where both sides have the same parts, and the sets the same members, only a file that was linked again can bring
        // an edge.
        let relinked = after
            .relinked_since(before)
            .filter(|_| [&from_both, &to_both].iter().all(|both| both.members[0] == both.members[1]));
        // Edges of both sides that run from A to B, by the keys that their ends have after the change.
        let run = |index: usize| {
            let graph = [before, after][index];
            let mut certain = BTreeSet::new();
            let mut possible = BTreeMap::new();
            let of_file = |file: &FileId| graph.parts_of(*file);
            let starts: Vec<PartId> = match &relinked {
                Some(files) => files.iter().flat_map(of_file).collect(),
                None => graph.part_ids().collect(),
            };
            let is_start = |part: &PartId| from_both.members[index].holds(*part) != Truth::No;
            for start in starts.into_iter().filter(is_start) {
                for edge in graph.out_edges(start, &wanted) {
                    let ends = to_both.members[index].holds(edge.to).min(from_both.members[index].holds(edge.from));
                    if ends == Truth::No || edge.from == edge.to {
                        continue;
                    }
                    let (mut from, mut to) = (graph.key(edge.from), graph.key(edge.to));
                    let hit = EdgeHit {
                        from: from.clone(),
                        to: to.clone(),
                        kind: edge.kind,
                        evidence: edge.evidence,
                        site: edge.site,
                    };
                    if index == 0 {
                        from = renames.get(&from).map_or(from, |&key| key.clone());
                        to = renames.get(&to).map_or(to, |&key| key.clone());
                    }
                    let key = (edge.kind, from, to);
                    let sure = ends == Truth::Yes && edge.evidence.is_certain();
                    if sure {
                        certain.insert(key.clone());
                    }
                    possible.entry(key).or_insert(hit);
                }
            }
            (certain, possible)
        };
        let (before_certain, before_possible) = run(0);
        let (after_certain, after_possible) = run(1);
        let came_from: BTreeMap<&PartKey, &PartKey> = renames.iter().map(|(&old, &new)| (new, old)).collect();
        let mut truth = Truth::No;
        let mut hits = Vec::new();
        let hidden = self.hidden_edges(from, to);
        if !hidden.is_empty() {
            truth = Truth::Unknown;
            hits.extend(hidden);
        }
        for (key, hit) in after_possible {
            if before_certain.contains(&key) {
                continue;
            }
            let certain = after_certain.contains(&key) && !before_possible.contains_key(&key);
            if !certain && !after_certain.contains(&key) && before_possible.contains_key(&key) {
                // A guess that stood before as a guess is no news.
                continue;
            }
            truth = truth.max(if certain { Truth::Yes } else { Truth::Unknown });
            hits.push(Hit::NewEdge {
                why: why_new(before, &came_from, &renames, &hit),
                edge: hit,
                from_set: from_set.clone(),
                to_set: to_set.clone(),
                certain,
            });
        }
        (truth, hits)
    }

    /// Changed files of one set of which something cannot be read after the change: they may hold any edge to the other.
    fn hidden_edges(&self, from: &SetExpr, to: &SetExpr) -> Vec<Hit> {
        let opaque = self.opaque_changes();
        if opaque.is_empty() || self.both(to).members[1].is_clear() {
            return Vec::new();
        }
        let from = self.both(from);
        let hidden = opaque.into_iter().filter(|key| from.holds(Side::After, key) != Truth::No);
        hidden.map(|key| hidden_edges_of(&key)).collect()
    }
}

pub(crate) const EDGE_KINDS: &[EdgeKind] = &EdgeKind::ALL;

pub(crate) fn edge_kind(word: EdgeWord) -> EdgeKind {
    match word {
        EdgeWord::Imports => EdgeKind::Imports,
        EdgeWord::Calls => EdgeKind::Calls,
        EdgeWord::Inherits => EdgeKind::Inherits,
        EdgeWord::References => EdgeKind::References,
    }
}

/// Why an edge is new between two sets: it was not there, an end of it moved, or what stood was only tagged anew.
/// Renames are given from after to before, and from before to after.
fn why_new(
    before: &CodeGraph,
    came_from: &BTreeMap<&PartKey, &PartKey>,
    went_to: &BTreeMap<&PartKey, &PartKey>,
    edge: &EdgeHit,
) -> &'static str {
    let stood = |key: &PartKey| match came_from.get(key) {
        Some(old) => before.find(old),
        // What stands where another part moved away from is not that part.
        None if went_to.contains_key(key) => None,
        None => before.find(key),
    };
    let (Some(from), Some(to)) = (stood(&edge.from), stood(&edge.to)) else { return "new" };
    let is_it = |old: Edge| old.to == to && (old.evidence.is_certain() || !edge.evidence.is_certain());
    if !before.out_edges(from, &[edge.kind]).any(is_it) {
        "new"
    } else if came_from.contains_key(&edge.from) || came_from.contains_key(&edge.to) {
        "moved"
    } else {
        "retagged"
    }
}

pub(crate) fn hidden_edges_of(key: &PartKey) -> Hit {
    Hit::Unread {
        fact: format!("the edges of {}", key.path),
        path: key.path.clone(),
        part: Some(key.clone()),
        edges: true,
    }
}
