//! What each rule of a book comes to: one query a rule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::{Cond, CondKind, Forbid, ItemKind, Layers, NodeId, SetExpr, When};
use grace_graph::code::{EdgeKind, FileId, PartId, PartKind};
use grace_graph::graph::CodeGraph;

use crate::book::{ItemId, compiled};
use crate::conds::{Conds, Mode};
use crate::db::{Db, RuleBook, RuleFile, Snapshot, graph, graph_of, renamed_paths, snapshot};
use crate::plan::{Pending, Side, Truth};
use crate::sets::Members;
use crate::verdict::{EdgeHit, Hit, Trace, Verdict, Violations};

/// What a rule, policy, forbid or layers comes to.
#[salsa::tracked(returns(clone))]
pub(crate) fn verdict(db: &dyn Db, book: RuleBook, file: RuleFile, id: ItemId) -> Option<Arc<Verdict>> {
    let compiled = compiled(db, book, file, id)?;
    let conds = |mode| Conds { db, book, compiled: &compiled, mode };
    let mut verdict = match &compiled.item.kind {
        ItemKind::Rule(rule) => match &rule.when {
            When::Change(cond) => plain_verdict(conds(Mode::Raise).eval(cond)),
            When::Always(cond) => {
                let after = conds(Mode::State(Side::After)).eval(cond);
                let before = conds(Mode::State(Side::Before)).eval(cond);
                let violations = rule.deny.is_some().then(|| state_violations(cond, &before, &after));
                Verdict { truth: after.truth, trace: after, violations, pending: None, problems: Vec::new() }
            }
            When::AfterRun(cond) => {
                let pending = conds(Mode::Raise).pending(cond);
                let trace = conds(Mode::Raise).eval(cond);
                let truth = match &pending {
                    Pending::Known(truth) => *truth,
                    _ => Truth::Unknown,
                };
                Verdict { truth, trace, violations: None, pending: Some(pending), problems: Vec::new() }
            }
        },
        ItemKind::Policy(policy) => {
            let touches =
                grace_dsl::ast::Cond { node: policy.covers.node, kind: CondKind::Touches(policy.covers.clone()) };
            plain_verdict(conds(Mode::Raise).eval(&touches))
        }
        ItemKind::Forbid(forbid) => {
            let ends = vec![(forbid.from.clone(), forbid.to.clone())];
            module_rule(&conds(Mode::Raise), &ends, |conds, side| ways_of_forbid(conds, forbid, side))
        }
        ItemKind::Layers(layers) => {
            let others = |at: usize| layers.floors.iter().enumerate().filter(move |(other, _)| *other != at);
            let ends: Vec<(SetExpr, SetExpr)> = layers
                .floors
                .iter()
                .enumerate()
                .flat_map(|(at, from)| others(at).map(|(_, to)| (from.clone(), to.clone())))
                .collect();
            module_rule(&conds(Mode::Raise), &ends, |conds, side| ways_of_layers(conds, layers, side))
        }
        _ => return None,
    };
    if !compiled.problems.is_empty() {
        verdict.problems.clone_from(&compiled.problems);
        // What stands for nothing could have been anything.
        verdict.truth = verdict.truth.max(Truth::Unknown);
        verdict.pending = verdict.pending.map(|pending| match pending {
            Pending::Known(truth) => Pending::Known(truth.max(Truth::Unknown)),
            waits => Pending::Or(vec![waits, Pending::Known(Truth::Unknown)]),
        });
    }
    Some(Arc::new(verdict))
}

fn plain_verdict(trace: Trace) -> Verdict {
    Verdict { truth: trace.truth, trace, violations: None, pending: None, problems: Vec::new() }
}

/// Violations of a state: each model of an `any of`, else the condition as one.
fn state_violations(cond: &Cond, before: &Trace, after: &Trace) -> Violations {
    let mut violations = Violations::default();
    if names_models(cond) {
        let stood = offenders(before);
        violations.before = stood.values().filter(|(certain, _)| *certain).count();
        for (model, (certain, hit)) in offenders(after) {
            match (certain, stood.get(&model).map(|(certain, _)| *certain)) {
                (true, Some(true)) => violations.old.push(hit),
                (true, None) => violations.new.push(hit),
                _ => violations.maybe_new.push(hit),
            }
        }
        return violations;
    }
    let hits: Vec<Hit> = after.evidence().into_iter().cloned().collect();
    violations.before = usize::from(before.truth == Truth::Yes);
    match (before.truth, after.truth) {
        (_, Truth::No) => {}
        (Truth::Yes, Truth::Yes) => violations.old = or_word(hits),
        (Truth::No, Truth::Yes) => violations.new = or_word(hits),
        _ => violations.maybe_new = or_word(hits),
    }
    violations
}

/// Whether a condition holds an `any of` that no `not` stands above.
fn names_models(cond: &Cond) -> bool {
    match &cond.kind {
        CondKind::AnyOf(..) => true,
        CondKind::And(conds) | CondKind::Or(conds) => conds.iter().any(names_models),
        _ => false,
    }
}

/// The models that a state speaks against, certain or not.
fn offenders(trace: &Trace) -> BTreeMap<String, (bool, Hit)> {
    let mut found = BTreeMap::new();
    if trace.truth == Truth::No {
        return found;
    }
    for hit in trace.waivable() {
        if let Hit::Model { model, certain, .. } = hit {
            let certain = *certain && trace.truth == Truth::Yes;
            let entry = found.entry(model.clone()).or_insert_with(|| (certain, hit.clone()));
            entry.0 |= certain;
        }
    }
    found
}

/// A violation needs at least one thing to show.
fn or_word(hits: Vec<Hit>) -> Vec<Hit> {
    if hits.is_empty() {
        vec![Hit::Declared { what: "the condition holds after the change".to_owned(), value: String::new() }]
    } else {
        hits
    }
}

/// Ways from module to module on one side: certain or not, with the edges that make them.
type Ways = BTreeMap<(FileId, FileId), (bool, Vec<EdgeHit>, SetExpr)>;

fn module_rule(conds: &Conds<'_>, ends: &[(SetExpr, SetExpr)], ways: impl Fn(&Conds<'_>, Side) -> Ways) -> Verdict {
    let db = conds.db;
    let (before_graph, after_graph) = (graph_of(db, Side::Before), graph_of(db, Side::After));
    let renamed = renamed_paths(db);
    let path_of = |graph: &CodeGraph, file: FileId| graph.file(file).path.clone();
    let mut stood: BTreeMap<(Arc<str>, Arc<str>), bool> = BTreeMap::new();
    for ((from, to), (certain, ..)) in ways(conds, Side::Before) {
        let (from, to) = (path_of(&before_graph, from), path_of(&before_graph, to));
        let follow = |path: Arc<str>| renamed.get(&path).cloned().unwrap_or(path);
        stood.insert((follow(from), follow(to)), certain);
    }
    let mut violations =
        Violations { before: stood.values().filter(|certain| **certain).count(), ..Violations::default() };
    for ((from, to), (certain, edges, from_set)) in ways(conds, Side::After) {
        let key = (path_of(&after_graph, from), path_of(&after_graph, to));
        let hit = Hit::Way { edges, side: Side::After, from_set, certain };
        match (certain, stood.get(&key)) {
            (true, Some(true)) => violations.old.push(hit),
            // A guess that stood before as a guess is no news.
            (false, Some(_)) => violations.old.push(hit),
            (true, None) => violations.new.push(hit),
            _ => violations.maybe_new.push(hit),
        }
    }
    for (from, to) in ends {
        violations.maybe_new.extend(conds.hidden_edges(from, to));
    }
    let truth = if !violations.new.is_empty() {
        Truth::Yes
    } else if !violations.maybe_new.is_empty() {
        Truth::Unknown
    } else {
        Truth::No
    };
    let hits = violations.new.iter().chain(&violations.maybe_new).cloned().collect();
    Verdict {
        truth,
        trace: Trace::leaf(NodeId(0), truth, hits),
        violations: Some(violations),
        pending: None,
        problems: Vec::new(),
    }
}

/// Files of a set of parts, certain (true) or possible.
fn files_of(graph: &CodeGraph, members: &Members) -> BTreeMap<FileId, bool> {
    let mut files = BTreeMap::new();
    for index in members.possible.ones() {
        let part = PartId(u32::try_from(index).unwrap_or(u32::MAX));
        let certain = members.certain.contains(index);
        *files.entry(graph.part(part).file).or_insert(certain) |= certain;
    }
    files
}

type FileImports = BTreeMap<FileId, BTreeMap<FileId, (bool, EdgeHit)>>;

/// Imports from file to file, the first certain edge of each pair, else the first.
#[salsa::tracked(returns(clone))]
fn file_imports(db: &dyn Db, side: Snapshot) -> Arc<FileImports> {
    let graph = graph(db, side);
    let mut imports = FileImports::new();
    for index in 0..graph.len() {
        let part = PartId(u32::try_from(index).unwrap_or(u32::MAX));
        if graph.part(part).kind == PartKind::File {
            continue;
        }
        for edge in graph.out_edges(part, &[EdgeKind::Imports]) {
            let (from, to) = (graph.part(edge.from).file, graph.part(edge.to).file);
            if from == to {
                continue;
            }
            let certain = edge.evidence.is_certain();
            let hit = || EdgeHit {
                from: graph.key(edge.from),
                to: graph.key(edge.to),
                kind: edge.kind,
                evidence: edge.evidence,
                site: edge.site,
            };
            let seen = imports.entry(from).or_default().entry(to).or_insert_with(|| (certain, hit()));
            if certain && !seen.0 {
                *seen = (true, hit());
            }
        }
    }
    Arc::new(imports)
}

fn ways_of_forbid(conds: &Conds<'_>, forbid: &Forbid, side: Side) -> Ways {
    let graph = graph_of(conds.db, side);
    let sets = conds.sets(side, &graph);
    let from = files_of(&graph, &sets.eval(&forbid.from));
    let to = files_of(&graph, &sets.eval(&forbid.to));
    let imports = file_imports(conds.db, snapshot(conds.db, side));
    let mut ways = Ways::new();
    for (&start, &start_certain) in &from {
        if forbid.through {
            for certain_only in [true, false] {
                for (end, edges) in reach_files(&imports, start, certain_only) {
                    if let Some(&end_certain) = to.get(&end) {
                        let certain = certain_only && start_certain && end_certain;
                        ways.entry((start, end)).or_insert((certain, edges, forbid.from.clone()));
                    }
                }
            }
        } else {
            for (end, (certain, hit)) in imports.get(&start).into_iter().flatten() {
                if let Some(&end_certain) = to.get(end) {
                    let certain = *certain && start_certain && end_certain;
                    ways.insert((start, *end), (certain, vec![hit.clone()], forbid.from.clone()));
                }
            }
        }
    }
    ways
}

/// Every file that a file reaches by imports, with a shortest way.
fn reach_files(imports: &FileImports, start: FileId, certain_only: bool) -> Vec<(FileId, Vec<EdgeHit>)> {
    let mut seen = BTreeSet::from([start]);
    let mut came: BTreeMap<FileId, (FileId, EdgeHit)> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for (&next, (certain, hit)) in imports.get(&file).into_iter().flatten() {
            if (*certain || !certain_only) && seen.insert(next) {
                came.insert(next, (file, hit.clone()));
                queue.push_back(next);
            }
        }
    }
    came.keys()
        .map(|&end| {
            let mut edges = Vec::new();
            let mut at = end;
            while let Some((before, hit)) = came.get(&at) {
                edges.push(hit.clone());
                at = *before;
            }
            edges.reverse();
            (end, edges)
        })
        .collect()
}

fn ways_of_layers(conds: &Conds<'_>, layers: &Layers, side: Side) -> Ways {
    let graph = graph_of(conds.db, side);
    let sets = conds.sets(side, &graph);
    let floors: Vec<BTreeMap<FileId, bool>> =
        layers.floors.iter().map(|floor: &SetExpr| files_of(&graph, &sets.eval(floor))).collect();
    let imports = file_imports(conds.db, snapshot(conds.db, side));
    let mut ways = Ways::new();
    for (from_floor, from_files) in floors.iter().enumerate() {
        for (to_floor, to_files) in floors.iter().enumerate() {
            let upward = to_floor < from_floor;
            let skips = layers.closed && to_floor > from_floor + 1;
            if !upward && !skips {
                continue;
            }
            for (&start, &start_certain) in from_files {
                for (end, (certain, hit)) in imports.get(&start).into_iter().flatten() {
                    if let Some(&end_certain) = to_files.get(end) {
                        let certain = *certain && start_certain && end_certain;
                        ways.entry((start, *end))
                            .or_insert_with(|| (certain, vec![hit.clone()], layers.floors[from_floor].clone()));
                    }
                }
            }
        }
    }
    ways
}
