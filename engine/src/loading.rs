//! Which test files can come to load what changed: no other test can fail by it, whatever a call by name alone suggests.

use std::collections::{BTreeSet, HashSet};

use grace_graph::code::{Dependent, Edge, EdgeKind, Evidence, FileId, FolderUse, PartId, PartKind};
use grace_graph::facts::{ImportFact, ImportForm, Language};
use grace_graph::graph::CodeGraph;
use grace_graph::test_names::lies_among_tests;

use crate::affects::{Content, Ground, hangs_on, package_step, runs_with};
use crate::conds::EDGE_KINDS;

/// Takes out of `reached` what lies in Python test files that cannot come to load a file of `seeds`; gives those of some
/// other test files that can come to load one, as far as is seen.
///
/// That `x.pop()` may be a call of any `pop` leads from file to file, also where no process ever holds both. A test runs
/// what it imports, by whatever steps, what governs it and what it may load by a computed name or start; a file of
/// which reading does not see what it imports stays.
pub(crate) fn keep_loading(
    ground: &Ground<'_>,
    seeds: &[PartId],
    reached: &mut fixedbitset::FixedBitSet,
    others: &[FileId],
) -> BTreeSet<FileId> {
    let graph = ground.graph;
    let mut tests = fixedbitset::FixedBitSet::with_capacity(graph.files().len());
    // The parts of a file stand side by side.
    let mut last = None;
    for index in reached.ones() {
        let file = graph.part(PartId(u32::try_from(index).unwrap_or(u32::MAX))).file;
        if last.replace(file) != Some(file) {
            tests.set(file.0 as usize, is_bounded(graph, file));
        }
    }
    let others = if seeds.is_empty() { &[] } else { others };
    let mut wanted = tests.clone();
    others.iter().for_each(|file| wanted.insert(file.0 as usize));
    if wanted.is_clear() {
        return BTreeSet::new();
    }
    let loading = loading(ground, seeds, &wanted);
    tests.difference_with(&loading);
    for index in tests.ones() {
        for part in graph.parts_of(FileId(u32::try_from(index).unwrap_or(u32::MAX))) {
            reached.set(part.0 as usize, false);
        }
    }
    let loads = |file: &FileId| loading.contains(file.0 as usize) || !is_bounded(graph, *file);
    others.iter().copied().filter(loads).collect()
}

/// Test files with tests that are not written in them, sorted: from a class above one of theirs, imported, or made when the
/// file is loaded. Who runs such a file by single tests would leave those out, for they are listed where they are written,
/// if at all. `named` are the classes that have methods named like tests, and the functions of modules that are.
pub(crate) fn heirs(graph: &CodeGraph, named: &[PartId]) -> Vec<FileId> {
    let mut found: BTreeSet<FileId> = graph.unwritten_tests().makers.iter().copied().collect();
    let mut givers = BTreeSet::new();
    for &base in named {
        if graph.part(base).parent.is_some_and(|around| graph.part(around).kind == PartKind::Module) {
            givers.insert(graph.part(base).file);
        }
        let mut seen = BTreeSet::from([base]);
        let mut open = vec![base];
        while let Some(part) = open.pop() {
            for importer in importers(graph, part) {
                let is_collected = || graph.part(part).kind == PartKind::Function || may_be_collected(graph, part);
                if graph.file(importer).is_test && !found.contains(&importer) && is_collected() {
                    found.insert(importer);
                }
            }
            for edge in graph.in_edges(part, &[EdgeKind::Inherits]).filter(|edge| seen.insert(edge.from)) {
                open.push(edge.from);
                let file = graph.part(edge.from).file;
                if graph.file(file).is_test && !found.contains(&file) && may_be_collected(graph, edge.from) {
                    found.insert(file);
                }
            }
        }
    }
    found.extend(starred(graph, givers).into_iter().filter(|file| graph.file(*file).is_test));
    found.extend(given(graph));
    found.into_iter().collect()
}

/// Other files whose module body imports a part by its name, or a module.
fn importers(graph: &CodeGraph, part: PartId) -> impl Iterator<Item = FileId> {
    let file = graph.part(part).file;
    let edges = graph.in_edges(part, &[EdgeKind::Imports]).map(|edge| graph.part(edge.from));
    edges.filter(move |from| from.kind == PartKind::Module && from.file != file).map(|from| from.file)
}

/// Test files that may be given tests when they are loaded: they load, by way of what lies among tests, a file there that gives
/// names to others.
fn given(graph: &CodeGraph) -> BTreeSet<FileId> {
    let lies_there = |file: FileId| graph.file(file).is_test || lies_among_tests(&graph.file(file).path);
    let givers = graph.unwritten_tests().givers.iter().copied();
    let mut found: BTreeSet<FileId> = givers.filter(|file| lies_there(*file)).collect();
    let mut open: Vec<FileId> = found.iter().copied().collect();
    while let Some(file) = open.pop() {
        for part in graph.parts_of(file) {
            let edges = graph.in_edges(part, &[EdgeKind::Imports, EdgeKind::Inherits]);
            let users = edges.map(|edge| graph.part(edge.from).file);
            open.extend(users.filter(|user| lies_there(*user) && found.insert(*user)));
        }
    }
    found.retain(|file| graph.file(*file).is_test);
    found
}

/// Files that take all names of such files, by whatever steps.
fn starred(graph: &CodeGraph, givers: BTreeSet<FileId>) -> BTreeSet<FileId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<FileId> = givers.into_iter().collect();
    while let Some(giver) = open.pop() {
        for taker in importers(graph, graph.body_of(giver)) {
            let has_star = || {
                let is_star = |import: &ImportFact| import.part == 0 && import.form == ImportForm::Star;
                graph.outline(taker).is_some_and(|outline| outline.imports.iter().any(is_star))
            };
            if !found.contains(&taker) && has_star() {
                found.insert(taker);
                open.push(taker);
            }
        }
    }
    found
}

/// Whether a runner may look for tests in a class: for its name, whatever settings ask for, or as unittest does for what is
/// above it. No runner sees one within a function; a client that a test derives from a library's is none.
fn may_be_collected(graph: &CodeGraph, class: PartId) -> bool {
    let mut around = graph.part(class).parent;
    while let Some(part) = around {
        if matches!(graph.part(part).kind, PartKind::Function | PartKind::Method) {
            return false;
        }
        around = graph.part(part).parent;
    }
    let name = graph.name(class).to_ascii_lowercase();
    ["test", "suite", "spec", "case"].iter().any(|word| name.contains(word)) || hangs_on_unread(graph, class)
}

/// Whether some class above a class is not read, and so may be unittest's.
fn hangs_on_unread(graph: &CodeGraph, class: PartId) -> bool {
    const PLAIN: [&str; 4] = ["object", "ABC", "Generic", "Protocol"];
    let mut seen = BTreeSet::from([class]);
    let mut open = vec![class];
    while let Some(class) = open.pop() {
        let node = graph.part(class);
        let outline = graph.outline(node.file);
        let fact = outline.and_then(|outline| Some((outline, outline.parts.get(node.ordinal as usize)?)));
        let Some((outline, fact)) = fact else { return true };
        let is_plain = |name: &str| {
            name.rsplit('.').next().is_some_and(|last| PLAIN.contains(&last)) || outline.is_of_standard_library(name)
        };
        let bases = outline.list(fact.bases).iter().filter(|base| !is_plain(outline.name(**base))).count();
        let above = || graph.bases(class).iter();
        if above().filter(|edge| edge.evidence.is_certain()).count() < bases {
            return true;
        }
        open.extend(above().map(|edge| edge.to).filter(|above| seen.insert(*above)));
    }
    false
}

/// A test file of Python whose imports are all seen, and lead to sources.
fn is_bounded(graph: &CodeGraph, file: FileId) -> bool {
    let node = graph.file(file);
    // Its sight takes reading what it imports.
    let is_seen = || {
        let sight = graph.sight_of(file);
        sight.blind_test_files == 0 && sight.lost_imports == 0
    };
    node.is_test
        && Language::of_path(&node.path) == Some(Language::Python)
        && node.opaque.is_none()
        && !node.has_problems
        && is_seen()
}

/// The files that can come to load one of the seeds' files, these among them; it ends early where all of `wanted` are.
fn loading(ground: &Ground<'_>, seeds: &[PartId], wanted: &fixedbitset::FixedBitSet) -> fixedbitset::FixedBitSet {
    let graph = ground.graph;
    let mut found = fixedbitset::FixedBitSet::with_capacity(graph.files().len());
    let mut missing = wanted.count_ones(..);
    let mut queue: Vec<FileId> = Vec::new();
    let mut reach = |file: FileId, queue: &mut Vec<FileId>| {
        if !found.put(file.0 as usize) {
            missing -= usize::from(wanted.contains(file.0 as usize));
            queue.push(file);
        }
        missing == 0
    };
    let mut is_done = seeds.iter().any(|&seed| reach(graph.part(seed).file, &mut queue));
    let mut asked: HashSet<(&str, Content)> = HashSet::new();
    while let Some(file) = queue.pop().filter(|_| !is_done) {
        let body = graph.body_of(file);
        // An import or a string may be a guess between several files, each of which it may load.
        let by_name = |edge: &Edge| {
            edge.evidence == Evidence::Guess
                && edge.kind != EdgeKind::Imports
                && !matches!(graph.part(edge.to).kind, PartKind::File | PartKind::Module)
        };
        for part in graph.parts_of(file) {
            for edge in graph.in_edges(part, EDGE_KINDS).filter(|edge| !by_name(edge)) {
                is_done |= reach(graph.part(edge.from).file, &mut queue);
            }
        }
        runs_with(graph, body, |part| is_done |= reach(graph.part(part).file, &mut queue));
        package_step(graph, file, |part| is_done |= reach(graph.part(part).file, &mut queue));
        let content = ground.content(file);
        let mut folder = &*graph.file(file).path;
        while !folder.is_empty() && !ground.has_no_dependents() {
            folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
            if !asked.insert((folder, content)) {
                // Those around it were asked with it.
                break;
            }
            let loads = |one: &&Dependent| one.usage != FolderUse::Attributes && hangs_on(graph, one, content);
            for dependent in ground.dependents_of(folder).iter().filter(loads) {
                is_done |= reach(graph.part(dependent.part).file, &mut queue);
            }
        }
    }
    found
}
