//! Which test files can come to load what changed: no other test can fail by it, whatever a call by name alone suggests.

use std::collections::{BTreeSet, HashSet};

use grace_graph::code::{Dependent, Edge, EdgeKind, Evidence, FileId, FolderUse, PartId, PartKind};
use grace_graph::facts::Language;
use grace_graph::graph::CodeGraph;

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
