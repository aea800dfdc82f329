//! Proofs: why a part is in a set, step by step, each with file and line; and hits turned into evidence.
//!
//! Read only when a plan is written out or questioned, so lines may be looked up here.

use std::collections::BTreeMap;
use std::sync::Arc;

use grace_dsl::ast::{Distance, ItemKind, NodeId, SetExpr, SetKind, Walk};
use grace_graph::change::Kinds;
use grace_graph::code::{Edge, EdgeKind, Evidence as EdgeEvidence, PartId, PartKey, PartKind};
use grace_graph::facts::ProblemKind;
use grace_graph::graph::CodeGraph;

use crate::book::{At, Compiled, Kind, compiled, line, names};
use crate::db::{Db, RuleBook, facts, graph_of, snapshot};
use crate::plan::{Evidence, InSet, PartRef, Side, Step, Truth};
use crate::sets::{Members, Memo, Sets, walk_of};
use crate::show;
use crate::verdict::{EdgeHit, Hit};

/// Steps of one proof at most: a proof is read by people.
const MAX_STEPS: usize = 24;
/// Levels of expressions that one proof goes down at most: the longest of one item, and some more.
const MAX_LEVELS: usize = 400;

/// Writes proofs for the rules of one book.
#[derive(Clone, Copy)]
pub(crate) struct Prover<'a> {
    pub(crate) db: &'a dyn Db,
    pub(crate) book: RuleBook,
}

impl Prover<'_> {
    /// A part as shown.
    pub(crate) fn part_ref(&self, key: &PartKey, side: Side) -> PartRef {
        part_ref(self.db, key, side)
    }

    /// Why a part is in a set of an item; empty where it is not.
    pub(crate) fn prove(&self, item: &Compiled, side: Side, key: &PartKey, set: &SetExpr) -> Vec<Step> {
        let graph = graph_of(self.db, side);
        let Some(part) = graph.find(key) else { return Vec::new() };
        let mut proof =
            Proof { prover: self, side, graph, memos: BTreeMap::new(), left: MAX_LEVELS, steps: Vec::new() };
        proof.go(item, part, set);
        proof.steps.truncate(MAX_STEPS);
        proof.steps
    }

    /// How a part is used by a set, at any distance: the way, and why the start of it is in the set.
    fn prove_use(&self, item: &Compiled, side: Side, key: &PartKey, set: &SetExpr) -> Vec<Step> {
        let walk = SetKind::Walk {
            walk: Walk::Dependencies,
            set: Box::new(set.clone()),
            distance: Distance::Any,
            certain: false,
        };
        // It is read from no text: no place, and so nothing remembered by one.
        self.prove(item, side, key, &SetExpr { node: NodeId(0), kind: walk })
    }

    /// Why the file of a part counts as one of a set: by itself, or by a part of it.
    fn module_in(&self, item: &Compiled, side: Side, part: Option<&PartKey>, set: &SetExpr) -> InSet {
        let file = SetExpr { node: NodeId(0), kind: SetKind::FilesOf(Box::new(set.clone())) };
        let proof = part.map(|part| self.prove(item, side, part, &file)).unwrap_or_default();
        InSet { set: show::set(set), proof }
    }

    fn name_step(&self, name: &str, at: &At) -> Step {
        Step::Named {
            name: name.to_owned(),
            file: at.file.path(self.db).to_string(),
            line: line(self.db, at, NodeId(0)),
        }
    }

    /// An edge as shown.
    pub(crate) fn edge_step(&self, graph: &CodeGraph, edge: &Edge, side: Side) -> Step {
        self.hit_step(
            &EdgeHit {
                from: graph.key(edge.from),
                to: graph.key(edge.to),
                kind: edge.kind,
                evidence: edge.evidence,
                site: edge.site,
            },
            side,
        )
    }

    fn hit_step(&self, edge: &EdgeHit, side: Side) -> Step {
        Step::Edge {
            kind: edge_word(edge.kind).to_owned(),
            evidence: evidence_word(edge.evidence).to_owned(),
            from: self.part_ref(&edge.from, side),
            to: self.part_ref(&edge.to, side),
            file: edge.from.path.to_string(),
            line: site_line(self.db, &edge.from.path, edge.site, side),
        }
    }

    /// A hit as evidence, with its proof.
    pub(crate) fn evidence(&self, item: &Compiled, hit: &Hit) -> Evidence {
        match hit {
            Hit::Changed { before, after, kinds, side, set, .. } => {
                let key = match side {
                    Side::Before => before.as_ref().or(after.as_ref()),
                    Side::After => after.as_ref().or(before.as_ref()),
                };
                let Some(key) = key else { return Evidence::Missing { fact: "a changed part".to_owned() } };
                Evidence::Changed {
                    part: self.part_ref(key, *side),
                    how: kind_words(*kinds),
                    set: show::set(set),
                    proof: self.prove(item, *side, key, set),
                }
            }
            Hit::Member { part, side, set, .. } => Evidence::Member {
                part: self.part_ref(part, *side),
                set: show::set(set),
                proof: self.prove(item, *side, part, set),
            },
            Hit::NewEdge { edge, why, from_set, to_set, .. } => Evidence::NewEdge {
                edge: edge_word(edge.kind).to_owned(),
                from: self.part_ref(&edge.from, Side::After),
                to: self.part_ref(&edge.to, Side::After),
                file: edge.from.path.to_string(),
                line: site_line(self.db, &edge.from.path, edge.site, Side::After),
                why: (*why).to_owned(),
                from_in: InSet { set: show::set(from_set), proof: self.prove(item, Side::After, &edge.from, from_set) },
                to_in: InSet { set: show::set(to_set), proof: self.prove(item, Side::After, &edge.to, to_set) },
            },
            Hit::Way { edges, side, from_set, to_set, .. } => Evidence::Path {
                steps: edges.iter().map(|edge| self.hit_step(edge, *side)).collect(),
                from_in: self.module_in(item, *side, edges.first().map(|edge| &edge.from), from_set),
                to_in: self.module_in(item, *side, edges.last().map(|edge| &edge.to), to_set),
            },
            Hit::Line { path, line, text, .. } => {
                Evidence::Line { path: path.to_string(), line: *line, text: text.to_string() }
            }
            Hit::Test { part, side, how, line } => {
                let mut part = self.part_ref(part, *side);
                if *line > 0 {
                    part.line = *line;
                }
                Evidence::Test { part, how: how.to_string() }
            }
            Hit::Number { what, low, high, test } => {
                Evidence::Number { what: what.clone(), low: *low, high: *high, test: test.clone() }
            }
            Hit::Model { model, field, value, users, used_by, side, .. } => Evidence::Model {
                model: model.clone(),
                field: field.clone(),
                value: value.clone(),
                proof: match (users.first(), used_by) {
                    (Some(user), Some(set)) => self.prove_use(item, *side, user, set),
                    _ => Vec::new(),
                },
                part: users.first().map(|part| self.part_ref(part, *side)),
            },
            Hit::Package { name, before, after, path, line } => Evidence::Package {
                name: name.clone(),
                before: before.clone(),
                after: after.clone(),
                path: path.to_string(),
                line: *line,
            },
            Hit::Declared { what, value } => Evidence::Declared { what: what.clone(), value: value.clone() },
            Hit::Window { name, from, to } => {
                Evidence::Window { name: name.clone(), from: from.clone(), to: to.clone() }
            }
            Hit::Missing { fact } | Hit::Unread { fact, .. } => Evidence::Missing { fact: fact.clone() },
        }
    }
}

/// One proof while it is written.
struct Proof<'p> {
    prover: &'p Prover<'p>,
    side: Side,
    graph: &'p CodeGraph,
    /// By item, found by its address: the items that are proved by live as long as the inputs.
    memos: BTreeMap<usize, Memo>,
    /// Levels that may still be gone down.
    left: usize,
    steps: Vec<Step>,
}

impl Proof<'_> {
    fn eval(&mut self, item: &Compiled, set: &SetExpr) -> Arc<Members> {
        let Prover { db, book } = *self.prover;
        let sets = Sets { db, book, side: snapshot(db, self.side), compiled: item };
        sets.eval_by(set, Some(self.memos.entry(std::ptr::from_ref(item).addr()).or_default()))
    }

    fn go(&mut self, item: &Compiled, part: PartId, set: &SetExpr) {
        if self.steps.len() >= MAX_STEPS || self.left == 0 {
            return;
        }
        self.left -= 1;
        let graph = self.graph;
        match &set.kind {
            SetKind::Tag(name) => self.named(part, &format!("tag({})", name.text), &name.text),
            SetKind::Family { family, value } => {
                let name = format!("{}({})", family.text, value.text);
                self.named(part, &name, &name);
            }
            SetKind::Defined(name) => {
                let Prover { db, book } = *self.prover;
                let names = names(db, book);
                let Some(at) = names.first(Kind::Define, &name.text) else { return };
                let Some(define) = compiled(db, book, at.file, at.id.clone()) else { return };
                if let ItemKind::Define { set, .. } = &define.item.kind {
                    self.steps.push(self.prover.name_step(&name.text, at));
                    self.go(&define, part, set);
                }
            }
            SetKind::Plus(a, b) => {
                let first = if self.eval(item, a).holds(part) >= self.eval(item, b).holds(part) { a } else { b };
                self.go(item, part, first);
            }
            SetKind::Within(a, b) => {
                self.go(item, part, a);
                self.go(item, part, b);
            }
            SetKind::Except(a, _) => self.go(item, part, a),
            SetKind::HeaderOf(inner) | SetKind::Public(inner) => self.go(item, part, inner),
            SetKind::FilesOf(inner) | SetKind::ModulesOf(inner) | SetKind::MembersOf(inner) => {
                let members = self.eval(item, inner);
                let word = if matches!(set.kind, SetKind::MembersOf(_)) { "class" } else { "file" };
                let around = match set.kind {
                    SetKind::MembersOf(_) => {
                        enclosing(graph, part).into_iter().find(|&outer| members.holds(outer) != Truth::No)
                    }
                    _ => graph
                        .parts_of(graph.part(part).file)
                        .max_by_key(|&other| (members.holds(other), std::cmp::Reverse(other)))
                        .filter(|&other| members.holds(other) != Truth::No),
                };
                let Some(around) = around else { return self.opaque(part) };
                if around != part {
                    let part = self.prover.part_ref(&graph.key(around), self.side);
                    self.steps.push(Step::Inside { of: word.to_owned(), part });
                }
                self.go(item, around, inner);
            }
            SetKind::Walk { walk, set: inner, distance, certain } => {
                let members = self.eval(item, inner);
                if members.holds(part) != Truth::No {
                    return self.go(item, part, inner);
                }
                let Some((start, edges)) = way(graph, &members, part, *walk, *distance, *certain) else {
                    return self.opaque(part);
                };
                for edge in edges {
                    self.steps.push(self.prover.edge_step(graph, &edge, self.side));
                }
                self.go(item, start, inner);
            }
            _ => {
                if self.eval(item, set).holds(part) == Truth::Unknown {
                    return self.opaque(part);
                }
                self.steps.push(Step::In { set: show::set(set), file: String::new(), line: 0 });
            }
        }
    }

    fn opaque(&mut self, part: PartId) {
        let file = self.graph.file(self.graph.part(part).file);
        if let Some(problem) = file.opaque.or(file.has_problems.then_some(ProblemKind::SyntaxError)) {
            self.steps.push(Step::Opaque { reason: problem_word(problem).to_owned() });
        }
    }

    /// The tag item that holds a part, and why.
    fn named(&mut self, part: PartId, shown: &str, item_name: &str) {
        let Prover { db, book } = *self.prover;
        let mut best: Option<(Truth, At, Arc<Compiled>)> = None;
        for at in names(db, book).get(Kind::Tag, item_name) {
            let Some(item) = compiled(db, book, at.file, at.id.clone()) else { continue };
            let ItemKind::Tag { set, .. } = &item.item.kind else { continue };
            let holds = self.eval(&item, set).holds(part);
            if holds != Truth::No && best.as_ref().is_none_or(|(truth, ..)| holds > *truth) {
                best = Some((holds, at.clone(), item));
            }
        }
        let Some((_, at, item)) = best else { return self.opaque(part) };
        self.steps.push(self.prover.name_step(shown, &at));
        if let ItemKind::Tag { set, .. } = &item.item.kind {
            self.go(&item, part, set);
        }
    }
}

/// A shortest way from a set to a part along a walk: the member it starts from, and the edges from the part back to it.
fn way(
    graph: &CodeGraph,
    members: &Members,
    part: PartId,
    walk: Walk,
    distance: Distance,
    certain: bool,
) -> Option<(PartId, Vec<Edge>)> {
    let (kinds, direction) = walk_of(walk);
    let distance = match distance {
        Distance::Within(steps) => Some(steps),
        Distance::Any => None,
    };
    let mut edges = graph
        .path(&members.certain, part, kinds, direction, distance, true)
        .or_else(|| graph.path(&members.possible, part, kinds, direction, distance, certain))?;
    let start = [edges.first()?.from, edges.first()?.to].into_iter().find(|&end| members.holds(end) != Truth::No)?;
    // Read from the part towards the set.
    edges.reverse();
    Some((start, edges))
}

fn enclosing(graph: &CodeGraph, part: PartId) -> Vec<PartId> {
    let mut outer = vec![part];
    let mut at = part;
    while let Some(parent) = graph.part(at).parent {
        outer.push(parent);
        at = parent;
    }
    outer
}

/// A part as shown: a short name, the path, and its line on a side.
pub(crate) fn part_ref(db: &dyn Db, key: &PartKey, side: Side) -> PartRef {
    let graph = graph_of(db, side);
    let (line, name) = match graph.find(key) {
        Some(part) => {
            let node = graph.part(part);
            let line = facts(db, side, &key.path)
                .and_then(|facts| facts.places.parts.get(node.ordinal as usize).map(|place| place.def))
                .unwrap_or(0);
            let name = match node.kind {
                PartKind::Module => format!("module {}", graph.qualified_name(part)),
                PartKind::File => key.path.to_string(),
                _ => key.name.to_string(),
            };
            (line, name)
        }
        None if key.name.is_empty() => (0, key.path.to_string()),
        None => (0, key.name.to_string()),
    };
    PartRef { name, path: key.path.to_string(), line, side }
}

/// Line of a site of a file on a side; 0 where it is not known.
pub(crate) fn site_line(db: &dyn Db, path: &str, site: u32, side: Side) -> u32 {
    facts(db, side, path).and_then(|facts| facts.places.site_line(site)).unwrap_or(0)
}

/// How a part changed, in words.
pub(crate) fn kind_words(kinds: Kinds) -> Vec<String> {
    [
        (Kinds::ADDED, "added"),
        (Kinds::REMOVED, "removed"),
        (Kinds::RENAMED, "renamed"),
        (Kinds::SIGNATURE, "signature"),
        (Kinds::DECORATORS, "decorators"),
        (Kinds::BODY, "body"),
        (Kinds::DOCSTRING, "docstring"),
        (Kinds::COMMENT, "comment"),
        (Kinds::FORMAT, "format"),
        (Kinds::BYTES, "bytes"),
        (Kinds::UNKNOWN, "unknown"),
        (Kinds::MODE, "mode"),
    ]
    .into_iter()
    .filter(|(kind, _)| kinds.contains(*kind))
    .map(|(_, word)| word.to_owned())
    .collect()
}

/// The word of an edge kind.
pub(crate) fn edge_word(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Imports => "imports",
        EdgeKind::Calls => "calls",
        EdgeKind::Inherits => "inherits",
        EdgeKind::References => "references",
    }
}

fn evidence_word(evidence: EdgeEvidence) -> &'static str {
    match evidence {
        EdgeEvidence::Recorded => "recorded",
        EdgeEvidence::Import => "import",
        EdgeEvidence::Call => "call",
        EdgeEvidence::Fixture => "fixture",
        EdgeEvidence::String => "string",
        EdgeEvidence::Declared => "declared",
        EdgeEvidence::Guess => "guess",
    }
}

/// Why nothing of a file could be read, in words.
pub(crate) fn problem_word(problem: ProblemKind) -> &'static str {
    match problem {
        ProblemKind::TooLarge => "it is too large to be parsed",
        ProblemKind::NotUtf8 => "it is not UTF-8",
        ProblemKind::HasNul => "it holds NUL bytes",
        ProblemKind::OverBudget => "parsing it took too long",
        ProblemKind::Unreadable => "it cannot be read",
        ProblemKind::SyntaxError => "some of it does not parse",
        ProblemKind::TooDeep => "it is nested too deeply",
        ProblemKind::StrayTags => "tags stand after its code",
    }
}
