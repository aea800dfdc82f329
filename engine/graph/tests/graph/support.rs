//! Small trees from inline sources.

use std::sync::Arc;

use grace_graph::code::{EdgeKind, Evidence, PartId, PartKind};
use grace_graph::extract::extract;
use grace_graph::facts::{FileFacts, Language, PartDigests};
use grace_graph::graph::{CodeGraph, GraphFile};

pub(crate) fn facts(source: &str) -> FileFacts {
    extract(Language::Python, source.as_bytes())
}

pub(crate) fn graph(files: &[(&str, &str)]) -> CodeGraph {
    CodeGraph::build(files.iter().map(|(path, source)| file(path, source)).collect())
}

/// One file as a graph is built from it.
pub(crate) fn file(path: &str, source: &str) -> GraphFile {
    let facts = Language::reader_of(path).map(|language| extract(language, source.as_bytes()));
    GraphFile::new(Arc::from(path), facts.as_ref())
}

/// The only part of this qualified name.
pub(crate) fn part(graph: &CodeGraph, qualified: &str) -> PartId {
    let mut found = graph.part_ids().filter(|part| graph.qualified_name(*part) == qualified);
    let part = found.next().unwrap_or_else(|| panic!("no part `{qualified}`"));
    assert!(found.next().is_none(), "several parts `{qualified}`");
    part
}

/// Edges from a part as `kind target evidence`, sorted.
pub(crate) fn edges(graph: &CodeGraph, from: &str) -> Vec<String> {
    let kinds = [EdgeKind::Imports, EdgeKind::Calls, EdgeKind::Inherits, EdgeKind::References];
    let mut edges: Vec<String> = graph
        .out_edges(part(graph, from), &kinds)
        .map(|edge| {
            let kind = format!("{:?}", edge.kind).to_lowercase();
            let evidence = format!("{:?}", edge.evidence).to_lowercase();
            let types = if edge.type_only { " type_only" } else { "" };
            format!("{kind} {} {evidence}{types}", graph.qualified_name(edge.to))
        })
        .collect();
    edges.sort();
    edges
}

#[track_caller]
pub(crate) fn assert_edge(graph: &CodeGraph, from: &str, kind: EdgeKind, to: &str, evidence: Evidence) {
    let (from_part, to_part) = (part(graph, from), part(graph, to));
    let found = graph.out_edges(from_part, &[kind]).any(|edge| edge.to == to_part && edge.evidence == evidence);
    assert!(found, "no {kind:?} edge {from} -> {to} by {evidence:?}; there are {:#?}", edges(graph, from));
}

#[track_caller]
pub(crate) fn assert_no_edge(graph: &CodeGraph, from: &str, to: &str) {
    let to_part = part(graph, to);
    let kinds = [EdgeKind::Imports, EdgeKind::Calls, EdgeKind::Inherits, EdgeKind::References];
    let found = graph.out_edges(part(graph, from), &kinds).any(|edge| edge.to == to_part);
    assert!(!found, "{from} -> {to} exists");
}

/// The digests of the part of this local name.
pub(crate) fn digests(facts: &FileFacts, local: &str) -> PartDigests {
    let index = facts.outline.parts.iter().position(|part| facts.outline.name(part.local_name) == local);
    facts.digests[index.unwrap_or_else(|| panic!("no part `{local}`"))]
}

/// Parts as `kind local_name start-end`.
pub(crate) fn outline(facts: &FileFacts) -> Vec<String> {
    facts
        .outline
        .parts
        .iter()
        .zip(&facts.places.parts)
        .map(|(part, place)| {
            let kind = match part.kind {
                PartKind::File => "file",
                PartKind::Module => "module",
                PartKind::Class => "class",
                PartKind::Function => "function",
                PartKind::Method => "method",
            };
            format!("{kind} {} {}-{}", facts.outline.name(part.local_name), place.start, place.end)
        })
        .collect()
}

/// All that is said of each part.
pub(crate) fn parts(graph: &CodeGraph) -> Vec<String> {
    let said = |id| {
        let part = graph.part(id);
        let place = (part.file, part.ordinal, part.parent, part.occurrence);
        let flags = [part.is_async, part.is_test, part.is_public, part.is_conditional];
        let names = (graph.name(id), graph.local_name(id), graph.decorators(id).collect::<Vec<_>>());
        format!("{:?} {place:?} {flags:?} {names:?}", part.kind)
    };
    graph.part_ids().map(said).collect()
}
