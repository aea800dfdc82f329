//! Builds the graph of a directory and prints what it knows and what each phase cost: `graph_stats DIRECTORY`.
//!
//! For profiling. Reads files by itself, so that what is measured is this crate alone.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a profiling tool, outside the product: it reads files, takes times and prints"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use grace_graph::code::{EdgeKind, PartKind};
use grace_graph::facts::{FileFacts, Language};
use grace_graph::graph::{CodeGraph, GraphFile};
use grace_graph::store::FactStore;
use rayon::prelude::*;

#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(directory) = arguments.next() else {
        println!("usage: graph_stats DIRECTORY [parse|parts|imports|unresolved|digest]");
        std::process::exit(2);
    };
    let root = PathBuf::from(directory);
    let mut paths = Vec::new();
    walk(&root, "", &mut paths);
    paths.sort();
    let mode = arguments.next();
    if mode.as_deref() == Some("parse") {
        return parse_alone(&root, &paths);
    }
    if mode.as_deref() == Some("parts") {
        return list_parts(&root, &paths);
    }
    let start = Instant::now();
    let store = FactStore::new();
    let facts = store.load_tree(&paths, |path| std::fs::read(root.join(path)).ok());
    report("read and extract", start);
    let start = Instant::now();
    let mut problems = BTreeMap::<_, usize>::new();
    for problem in facts.iter().flatten().flat_map(|facts| facts.problems.iter()) {
        *problems.entry(problem.kind).or_default() += 1;
    }
    let files: Vec<GraphFile> = paths
        .iter()
        .zip(&facts)
        .map(|(path, facts)| GraphFile::new(Arc::from(path.as_str()), facts.as_deref()))
        .collect();
    let graph = CodeGraph::build(files);
    report("resolve", start);
    let start = Instant::now();
    if mode.as_deref() == Some("imports") {
        return list_imports(&graph);
    }
    let stats = graph.stats();
    report("stats", start);
    println!("files {:?}, parts {:?}", stats.files, stats.parts);
    for ((kind, evidence), count) in &stats.edges {
        println!("edges {kind:?} {evidence:?} {count}");
    }
    println!("unresolved {:?}, problems {problems:?}", stats.unresolved);
    if mode.as_deref() == Some("unresolved") {
        for unresolved in graph.unresolved() {
            let file = graph.part(unresolved.part).file;
            let path = &graph.file(file).path;
            let index = paths.iter().position(|known| **known == **path).unwrap_or_default();
            let line = facts[index].as_ref().and_then(|facts| facts.places.site_line(unresolved.site)).unwrap_or(0);
            println!("{path}:{line}\t{:?}\t{}\t{}", unresolved.kind, unresolved.name, unresolved.excused);
        }
    }
    if mode.as_deref() == Some("digest") {
        digests(&root, &store, &paths, &facts, &graph);
    }
    println!(
        "test files {}, tests {}, test files that reach nothing {}, sources without test {}, cycles {} (largest {})",
        stats.test_files,
        stats.tests,
        stats.tests_that_reach_nothing.len(),
        stats.sources_without_test.len(),
        stats.import_cycles.len(),
        stats.import_cycles.iter().map(Vec::len).max().unwrap_or(0),
    );
    for (name, value) in status() {
        println!("{name} {value}");
    }
}

/// Every import from file to file, to compare with what other tools see.
fn list_imports(graph: &CodeGraph) {
    for edge in graph.edges().filter(|edge| edge.kind == EdgeKind::Imports) {
        let (from, to) = (graph.part(edge.from), graph.part(edge.to));
        if from.file != to.file && matches!(to.kind, PartKind::Module | PartKind::File) {
            let path = |file| &graph.file(file).path;
            println!("import\t{}\t{}\t{:?}\t{}", path(from.file), path(to.file), edge.evidence, edge.type_only);
        }
    }
    for unresolved in graph.unresolved() {
        let path = &graph.file(graph.part(unresolved.part).file).path;
        println!("unresolved\t{path}\t{}\t{:?}", unresolved.name, unresolved.kind);
    }
}

/// What tree-sitter alone costs: read, parse, drop, on as many threads as [`FactStore::load_tree`] takes.
fn parse_alone(root: &Path, paths: &[String]) {
    let start = Instant::now();
    let language = tree_sitter_python::LANGUAGE.into();
    let bytes: usize = paths
        .par_iter()
        .filter(|path| Language::of_path(path) == Some(Language::Python))
        .map_init(tree_sitter::Parser::new, |parser, path| {
            let text = std::fs::read(root.join(path)).unwrap_or_default();
            drop(parser.set_language(&language).ok().and_then(|()| parser.parse(&text, None)));
            text.len()
        })
        .sum();
    report("read and parse", start);
    println!("bytes {bytes}, threads {}", rayon::current_num_threads());
    for (name, value) in status() {
        println!("{name} {value}");
    }
}

/// Every part with its lines, to compare with what another reader sees.
fn list_parts(root: &Path, paths: &[String]) {
    for path in paths {
        let Some(language) = Language::of_path(path) else { continue };
        let facts = grace_graph::extract::extract(language, &std::fs::read(root.join(path)).unwrap_or_default());
        for (part, place) in facts.outline.parts.iter().zip(&facts.places.parts) {
            let name = facts.outline.name(part.local_name);
            let broken = facts.problems.first().map_or(0, |problem| problem.line);
            println!(
                "{path}\t{:?}\t{name}\t{}\t{}\t{}\t{:?}\t{broken}",
                part.kind, place.start, place.def, place.end, part.flags
            );
        }
    }
}

/// Digests of all that was read and resolved: a change that should change nothing leaves them as they are.
fn digests(root: &Path, store: &FactStore, paths: &[String], facts: &[Option<Arc<FileFacts>>], graph: &CodeGraph) {
    let mut pieces: BTreeMap<&str, blake3::Hasher> = BTreeMap::new();
    let mut add = |piece, text: String| {
        pieces.entry(piece).or_default().update(text.as_bytes());
    };
    for (path, facts) in paths.iter().zip(facts) {
        let Some(facts) = facts else { continue };
        let Some(language) = Language::reader_of(path) else { continue };
        let digests = store.facts_with_digests(language, &std::fs::read(root.join(path)).unwrap_or_default());
        add("outlines", format!("{path} {:?} {:?}\n", facts.content, facts.outline.digest()));
        add("places", format!("{path} {:?}\n", facts.places));
        add("digests", format!("{path} {:?}\n", digests.digests));
        add("problems", format!("{path} {:?}\n", facts.problems));
    }
    for part in graph.parts() {
        add("parts", format!("{part:?}\n"));
    }
    for edge in graph.edges() {
        add("edges", format!("{edge:?}\n"));
    }
    for unresolved in graph.unresolved() {
        add("unresolved", format!("{unresolved:?}\n"));
    }
    for file in graph.files() {
        let read = (&file.path, file.language, &file.parts, file.opaque, file.has_problems);
        add("files", format!("{read:?} {} {} {}\n", file.is_generated, file.is_test, file.module));
    }
    add("models", format!("{:?}", graph.model_literals()));
    for (piece, hasher) in &pieces {
        println!("digest {piece} {}", hasher.finalize().to_hex());
    }
}

fn report(phase: &str, start: Instant) {
    println!(
        "{phase}: {:.0} ms wall, {} ms processor time so far",
        start.elapsed().as_secs_f64() * 1e3,
        processor_ms()
    );
}

/// Processor time of this process in milliseconds, where the system tells.
fn processor_ms() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u64 = text
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|t| t.parse::<u64>().ok())
        .sum();
    ticks * 10
}

fn status() -> Vec<(String, String)> {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| matches!(*name, "VmHWM" | "VmRSS"))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

fn walk(directory: &Path, prefix: &str, paths: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}{name}");
        if kind.is_dir() && name != ".git" {
            walk(&entry.path(), &format!("{path}/"), paths);
        } else if kind.is_file() {
            paths.push(path);
        }
    }
}
