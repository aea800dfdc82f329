//! What can be reached along edges, how far, and along which path.

use std::collections::VecDeque;

use fixedbitset::FixedBitSet;

use super::CodeGraph;
use crate::code::{Edge, EdgeKind, PartId};

/// Which way edges are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the part that imports, calls or inherits: what it depends on.
    Forward,
    /// From the part that is imported or called: what depends on it.
    Backward,
}

impl CodeGraph {
    /// The parts that `start` reaches, itself included. `distance` is the most edges on a way (`None`: any number);
    /// `certain_only` leaves out guesses.
    #[must_use]
    pub fn reach(
        &self,
        start: &FixedBitSet,
        kinds: &[EdgeKind],
        direction: Direction,
        distance: Option<u32>,
        certain_only: bool,
    ) -> FixedBitSet {
        let mut seen = self.empty_set();
        let mut frontier: Vec<PartId> = Vec::new();
        for part in start.ones().take_while(|part| *part < self.len()) {
            seen.insert(part);
            frontier.push(PartId(part as u32));
        }
        let mut left = distance;
        while !frontier.is_empty() && left != Some(0) {
            left = left.map(|left| left - 1);
            let mut next = Vec::new();
            for part in frontier {
                self.each_edge(part, direction, |edge, other| {
                    if follows(edge, kinds, certain_only) && !seen.put(other.0 as usize) {
                        next.push(other);
                    }
                });
            }
            frontier = next;
        }
        seen
    }

    /// A shortest way from a part of `start` to `to`, as edges in order of travel from `start`; empty when `to` is in
    /// `start`, `None` when there is no way. The same question has the same answer.
    #[must_use]
    pub fn path(
        &self,
        start: &FixedBitSet,
        to: PartId,
        kinds: &[EdgeKind],
        direction: Direction,
        distance: Option<u32>,
        certain_only: bool,
    ) -> Option<Vec<Edge>> {
        let mut goals = self.empty_set();
        goals.insert(to.0 as usize);
        self.path_to_any(start, &goals, kinds, direction, distance, certain_only)
    }

    /// As [`CodeGraph::path`], to the nearest part of `goals`: one search, however many there are.
    #[must_use]
    pub fn path_to_any(
        &self,
        start: &FixedBitSet,
        goals: &FixedBitSet,
        kinds: &[EdgeKind],
        direction: Direction,
        distance: Option<u32>,
        certain_only: bool,
    ) -> Option<Vec<Edge>> {
        if !start.is_disjoint(goals) {
            return Some(Vec::new());
        }
        let mut found = None;
        let mut seen = self.empty_set();
        let mut came_by: crate::hash::Map<PartId, (Edge, PartId)> = crate::hash::Map::default();
        let mut queue: VecDeque<(PartId, u32)> = VecDeque::new();
        for part in start.ones().take_while(|part| *part < self.len()) {
            seen.insert(part);
            queue.push_back((PartId(part as u32), 0));
        }
        while let Some((part, steps)) = queue.pop_front() {
            if distance.is_some_and(|distance| steps >= distance) {
                continue;
            }
            self.each_edge(part, direction, |edge, other| {
                if follows(edge, kinds, certain_only) && !seen.put(other.0 as usize) {
                    came_by.insert(other, (*edge, part));
                    if found.is_none() && goals.contains(other.0 as usize) {
                        found = Some(other);
                    }
                    queue.push_back((other, steps + 1));
                }
            });
            if found.is_some() {
                break;
            }
        }
        let mut way = Vec::new();
        let mut at = found?;
        while let Some((edge, before)) = came_by.get(&at) {
            way.push(*edge);
            at = *before;
        }
        way.reverse();
        (!way.is_empty()).then_some(way)
    }

    /// Calls `visit` with each edge at a part and the part at its other end.
    fn each_edge(&self, part: PartId, direction: Direction, mut visit: impl FnMut(&Edge, PartId)) {
        match direction {
            Direction::Forward => self.out_row(part).iter().for_each(|edge| visit(edge, edge.to)),
            Direction::Backward => self.in_row(part).iter().for_each(|edge| visit(&edge, edge.from)),
        }
    }
}

fn follows(edge: &Edge, kinds: &[EdgeKind], certain_only: bool) -> bool {
    kinds.contains(&edge.kind) && (!certain_only || edge.evidence.is_certain())
}
