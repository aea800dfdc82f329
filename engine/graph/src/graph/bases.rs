//! Which classes inherit from which, and which of them somebody may keep who does not name them. Told without reading the
//! rows of a graph that was recalled.

use std::sync::OnceLock;

use fixedbitset::FixedBitSet;

use super::Nodes;
use crate::code::{Edge, Part, PartId};

/// The edges from classes to what they inherit.
#[derive(Debug, Default)]
pub(super) struct Bases {
    /// Sorted by start and end.
    edges: Vec<Edge>,
    kept: OnceLock<FixedBitSet>,
}

impl Bases {
    pub(super) fn new(mut edges: Vec<Edge>) -> Self {
        edges.sort_unstable_by_key(|edge| (edge.from, edge.to));
        Self { edges, kept: OnceLock::new() }
    }

    pub(super) fn of(&self, class: PartId) -> &[Edge] {
        let start = self.edges.partition_point(|edge| edge.from < class);
        let count = self.edges[start..].iter().take_while(|edge| edge.from == class).count();
        &self.edges[start..start + count]
    }

    /// Classes that keep others, and all that are below one; told once.
    pub(super) fn kept(&self, nodes: &Nodes) -> &FixedBitSet {
        self.kept.get_or_init(|| {
            let mut below: Vec<(PartId, PartId)> = self.edges.iter().map(|edge| (edge.to, edge.from)).collect();
            below.sort_unstable();
            let mut kept = nodes.empty_set();
            let keeper = |(id, part): (PartId, &Part)| match part.parent {
                _ if !part.keeps_classes => None,
                Some(class) if nodes.name(id) == "__init_subclass__" => Some(class),
                _ => Some(id),
            };
            let mut open: Vec<PartId> = nodes.part_ids().zip(nodes.parts()).filter_map(keeper).collect();
            while let Some(class) = open.pop() {
                if !kept.put(class.0 as usize) {
                    let first = below.partition_point(|(base, _)| *base < class);
                    open.extend(below[first..].iter().take_while(|(base, _)| *base == class).map(|(_, below)| *below));
                }
            }
            kept
        })
    }
}
