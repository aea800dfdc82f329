//! The graph for other programs: Graphviz, GraphML, JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use grace_graph::code::{Edge, EdgeKind, Evidence, FileId, PartId, PartKind};
use grace_graph::graph::CodeGraph;
use schemars::JsonSchema;
use serde::Serialize;

use super::stats::{edge_word, evidence_word};

/// A graph as it is written out.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Exported {
    /// Files, or parts of files; an edge names a node by its place here, from 0.
    nodes: Vec<Node>,
    /// Sorted by ends and kind.
    edges: Vec<Link>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Node {
    /// The path, or the dotted name of a part.
    name: String,
    /// The file.
    path: String,
    /// `file`, `module`, `class`, `function`, `method`.
    kind: &'static str,
    /// Holds tests, or is one.
    is_test: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Link {
    from: usize,
    to: usize,
    /// `imports`, `calls`, `inherits`, `references`.
    kind: &'static str,
    /// The surest of what says so.
    evidence: &'static str,
    /// Line of that in the file of `from`, 1-based; 0 where it is not known.
    line: u32,
}

impl Exported {
    /// The graph by files or by parts; `line` gives the line of an edge.
    pub fn new(graph: &CodeGraph, by_part: bool, line: impl Fn(&Edge) -> u32) -> Self {
        let nodes = if by_part {
            let node = |id| {
                let part = graph.part(id);
                let name = graph.qualified_name(id).into_owned();
                let path = graph.file(part.file).path.to_string();
                Node { name, path, kind: part.kind.word(), is_test: part.is_test }
            };
            graph.part_ids().map(node).collect()
        } else {
            let node = |file: FileId| {
                let node = graph.file(file);
                let path = node.path.to_string();
                Node { name: path.clone(), path, kind: PartKind::File.word(), is_test: node.is_test }
            };
            graph.file_ids().map(node).collect()
        };
        let at = |part: PartId| if by_part { part.0 as usize } else { graph.part(part).file.0 as usize };
        let mut edges: BTreeMap<(usize, usize, EdgeKind), (Evidence, &Edge)> = BTreeMap::new();
        for edge in graph.edges() {
            let ends = (at(edge.from), at(edge.to), edge.kind);
            if ends.0 != ends.1 {
                let known = edges.entry(ends).or_insert((edge.evidence, edge));
                if edge.evidence < known.0 {
                    *known = (edge.evidence, edge);
                }
            }
        }
        let link = |((from, to, kind), (evidence, edge)): ((usize, usize, EdgeKind), (Evidence, &Edge))| Link {
            from,
            to,
            kind: edge_word(kind),
            evidence: evidence_word(evidence),
            line: line(edge),
        };
        Self { nodes, edges: edges.into_iter().map(link).collect() }
    }

    /// As Graphviz reads it.
    pub fn dot(&self) -> String {
        let mut text = "digraph code {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n".to_owned();
        for (index, node) in self.nodes.iter().enumerate() {
            let style = if node.is_test { ", style=dashed" } else { "" };
            let _ = writeln!(text, "  n{index} [label=\"{}\"{style}];", quoted(&node.name));
        }
        for edge in &self.edges {
            let style = if edge.evidence == evidence_word(Evidence::Guess) { ", style=dotted" } else { "" };
            let _ = writeln!(text, "  n{} -> n{} [label=\"{}\"{style}];", edge.from, edge.to, edge.kind);
        }
        text.push_str("}\n");
        text
    }

    /// As GraphML, with every field as an attribute.
    pub fn graphml(&self) -> String {
        let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
            <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
            .to_owned();
        for (field, of, kind) in [
            ("name", "node", "string"),
            ("path", "node", "string"),
            ("kind", "node", "string"),
            ("is_test", "node", "boolean"),
            ("edge", "edge", "string"),
            ("evidence", "edge", "string"),
            ("line", "edge", "int"),
        ] {
            let _ = writeln!(text, "  <key id=\"{field}\" for=\"{of}\" attr.name=\"{field}\" attr.type=\"{kind}\"/>");
        }
        text.push_str("  <graph id=\"code\" edgedefault=\"directed\">\n");
        for (index, node) in self.nodes.iter().enumerate() {
            let _ = write!(text, "    <node id=\"n{index}\">");
            let test = node.is_test.to_string();
            for (key, value) in [("name", &*node.name), ("path", &node.path), ("kind", node.kind), ("is_test", &test)] {
                let _ = write!(text, "<data key=\"{key}\">{}</data>", escaped(value));
            }
            text.push_str("</node>\n");
        }
        for edge in &self.edges {
            let _ = write!(text, "    <edge source=\"n{}\" target=\"n{}\">", edge.from, edge.to);
            let line = edge.line.to_string();
            for (key, value) in [("edge", edge.kind), ("evidence", edge.evidence), ("line", &line)] {
                let _ = write!(text, "<data key=\"{key}\">{}</data>", escaped(value));
            }
            text.push_str("</edge>\n");
        }
        text.push_str("  </graph>\n</graphml>\n");
        text
    }
}

/// For a quoted string of Graphviz; a path may hold anything.
fn quoted(name: &str) -> String {
    super::page::printable(name).replace('\\', "\\\\").replace('"', "\\\"")
}

/// For XML, which cannot hold control characters at all.
fn escaped(value: &str) -> String {
    super::page::printable(value).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
