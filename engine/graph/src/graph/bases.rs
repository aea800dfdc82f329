//! Which classes inherit from which, and which of them somebody may keep who does not name them. Told without reading the
//! rows of a graph that was recalled.

use std::sync::OnceLock;

use fixedbitset::FixedBitSet;

use super::{Nodes, Rows};
use crate::code::{Edge, Part, PartId};

/// The edges from classes to what they inherit, once somebody asks for them. Graphs that have the same ones share them.
#[derive(Debug, Default)]
pub(super) struct Bases {
    /// Sorted by start and end.
    edges: OnceLock<Vec<Edge>>,
    below_keepers: OnceLock<FixedBitSet>,
}

impl Bases {
    fn edges(&self, nodes: &Nodes, rows: &Rows) -> &[Edge] {
        self.edges.get_or_init(|| {
            let mut edges = rows.bases(nodes);
            edges.sort_unstable_by_key(|edge| (edge.from, edge.to));
            edges
        })
    }

    pub(super) fn of(&self, nodes: &Nodes, rows: &Rows, class: PartId) -> &[Edge] {
        let edges = self.edges(nodes, rows);
        let start = edges.partition_point(|edge| edge.from < class);
        let count = edges[start..].iter().take_while(|edge| edge.from == class).count();
        &edges[start..start + count]
    }

    /// Classes that keep others, and all that are below one; told once.
    pub(super) fn below_keepers(&self, nodes: &Nodes, rows: &Rows) -> &FixedBitSet {
        self.below_keepers.get_or_init(|| {
            let edges = self.edges(nodes, rows).iter();
            let mut below: Vec<(PartId, PartId)> = edges.map(|edge| (edge.to, edge.from)).collect();
            below.sort_unstable();
            let mut below_keepers = nodes.empty_set();
            // A class by itself, or by the method that runs for those below it.
            let keepers = |(id, part): (PartId, &Part)| {
                let class = part.parent.filter(|_| nodes.name(id) == "__init_subclass__");
                [Some(id), class].into_iter().flatten()
            };
            let parts = nodes.part_ids().zip(nodes.parts()).filter(|(_, part)| part.keeps_classes);
            let mut open: Vec<PartId> = parts.flat_map(keepers).collect();
            while let Some(class) = open.pop() {
                if !below_keepers.put(class.0 as usize) {
                    let first = below.partition_point(|(base, _)| *base < class);
                    open.extend(below[first..].iter().take_while(|(base, _)| *base == class).map(|(_, below)| *below));
                }
            }
            below_keepers
        })
    }
}
