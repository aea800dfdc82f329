//! From names to edges, as far as static reading leads: imports, calls, uses, inheritance, fixtures, strings.
//!
//! Does not follow control flow: a name that is bound twice means both. What is found by name alone is a guess.

mod emit;
mod fixtures;
mod scope;
mod values;

use std::sync::Arc;

use crate::code::{Edge, PartId};
use crate::graph::{BuildOptions, CodeGraph, Unresolved};
use crate::layout::Layout;

/// What resolution adds to the nodes of a graph.
pub(crate) struct Resolved {
    pub(crate) edges: Vec<Edge>,
    pub(crate) unresolved: Vec<Unresolved>,
    /// Test functions and methods.
    pub(crate) tests: Vec<PartId>,
    /// Decorators of the parts that have any, by dotted name, resolved through imports.
    pub(crate) decorators: Vec<(PartId, Arc<[Arc<str>]>)>,
}

/// Resolves every file. `graph` has files and parts, and no edges yet.
pub(crate) fn resolve(graph: &CodeGraph, layout: &Layout<'_>, options: &BuildOptions) -> Resolved {
    let mut resolver = values::Resolver::new(graph, layout);
    emit::emit(&mut resolver, options)
}
