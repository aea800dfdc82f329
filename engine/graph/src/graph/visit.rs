//! petgraph's traits, so that its algorithms run on the graph as it is stored.

use fixedbitset::FixedBitSet;
use petgraph::Direction;
use petgraph::visit::{
    GraphBase, GraphProp, IntoNeighbors, IntoNeighborsDirected, IntoNodeIdentifiers, NodeCompactIndexable, NodeCount,
    NodeIndexable, VisitMap, Visitable,
};

use super::CodeGraph;
use crate::code::PartId;

/// The parts that a walk has seen.
#[derive(Debug, Clone, Default)]
pub struct VisitedParts(FixedBitSet);

impl VisitMap<PartId> for VisitedParts {
    fn visit(&mut self, part: PartId) -> bool {
        !self.0.put(part.0 as usize)
    }

    fn is_visited(&self, part: &PartId) -> bool {
        self.0.contains(part.0 as usize)
    }

    fn unvisit(&mut self, part: PartId) -> bool {
        let was = self.0.contains(part.0 as usize);
        self.0.set(part.0 as usize, false);
        was
    }
}

impl GraphBase for CodeGraph {
    type NodeId = PartId;
    type EdgeId = u32;
}

impl GraphProp for CodeGraph {
    type EdgeType = petgraph::Directed;
}

impl NodeCount for CodeGraph {
    fn node_count(&self) -> usize {
        self.len()
    }
}

impl NodeIndexable for CodeGraph {
    fn node_bound(&self) -> usize {
        self.len()
    }

    fn to_index(&self, part: PartId) -> usize {
        part.0 as usize
    }

    fn from_index(&self, index: usize) -> PartId {
        PartId(index as u32)
    }
}

impl NodeCompactIndexable for CodeGraph {}

impl Visitable for CodeGraph {
    type Map = VisitedParts;

    fn visit_map(&self) -> VisitedParts {
        VisitedParts(self.empty_set())
    }

    fn reset_map(&self, map: &mut VisitedParts) {
        map.0 = self.empty_set();
    }
}

impl<'a> IntoNodeIdentifiers for &'a CodeGraph {
    type NodeIdentifiers = Box<dyn Iterator<Item = PartId> + 'a>;

    fn node_identifiers(self) -> Self::NodeIdentifiers {
        Box::new(self.part_ids())
    }
}

/// The parts at the other ends of a part's edges.
pub struct Neighbors<'a>(Box<dyn Iterator<Item = PartId> + 'a>);

impl Iterator for Neighbors<'_> {
    type Item = PartId;

    fn next(&mut self) -> Option<PartId> {
        self.0.next()
    }
}

impl<'a> IntoNeighbors for &'a CodeGraph {
    type Neighbors = Neighbors<'a>;

    fn neighbors(self, part: PartId) -> Neighbors<'a> {
        self.neighbors_directed(part, Direction::Outgoing)
    }
}

impl<'a> IntoNeighborsDirected for &'a CodeGraph {
    type NeighborsDirected = Neighbors<'a>;

    fn neighbors_directed(self, part: PartId, direction: Direction) -> Neighbors<'a> {
        match direction {
            Direction::Outgoing => Neighbors(Box::new(self.out_row(part).iter().map(|edge| edge.to))),
            Direction::Incoming => Neighbors(Box::new(self.in_row(part).iter().map(|edge| edge.from))),
        }
    }
}
