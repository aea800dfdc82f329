//! What the graph knows, and what it does not: counts that `graph stats` prints.

use std::collections::BTreeMap;

use petgraph::graph::DiGraph;

use super::{CodeGraph, Direction, UnresolvedKind};
use crate::change::is_documentation;
use crate::code::{EdgeKind, Evidence, FileId, FolderUse, PartKind};
use crate::layout::directory_of;
use crate::test_names::governs_tests;

/// Counts over one graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Files by language; `other` for those without an extractor.
    pub files: BTreeMap<&'static str, usize>,
    /// Parts by kind.
    pub parts: BTreeMap<PartKind, usize>,
    /// Edges by kind and evidence.
    pub edges: BTreeMap<(EdgeKind, Evidence), usize>,
    /// Imports that led nowhere by kind, excused ones (in a `try`, or for type checkers) left out.
    pub unresolved: BTreeMap<UnresolvedKind, usize>,
    /// Files that could be read in part only.
    pub files_with_problems: Vec<FileId>,
    /// Files that could not be read at all.
    pub opaque_files: Vec<FileId>,
    /// Files that a tool wrote.
    pub generated_files: usize,
    /// Test files.
    pub test_files: usize,
    /// Test functions and methods.
    pub tests: usize,
    /// Test files from which no source is reached.
    pub tests_that_reach_nothing: Vec<FileId>,
    /// Sources of a language, no tests themselves, that no test reaches even through guesses.
    pub sources_without_test: Vec<FileId>,
    /// Files that no parser reads, that are no documents and do not govern tests, and that nothing is seen to use: a change
    /// of one runs every test.
    pub unknown_inputs: Vec<FileId>,
    /// Parts that load modules of a folder by computed names, start processes, or read folders as a whole.
    pub by_folder: BTreeMap<FolderUse, usize>,
    /// Modules that import each other in a circle, each circle sorted by path.
    pub import_cycles: Vec<Vec<FileId>>,
}

impl CodeGraph {
    /// Counts everything. Reads the whole graph.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            files: BTreeMap::new(),
            parts: BTreeMap::new(),
            edges: BTreeMap::new(),
            unresolved: BTreeMap::new(),
            files_with_problems: Vec::new(),
            opaque_files: Vec::new(),
            generated_files: 0,
            test_files: 0,
            tests: self.tests().len(),
            tests_that_reach_nothing: Vec::new(),
            sources_without_test: Vec::new(),
            unknown_inputs: Vec::new(),
            by_folder: BTreeMap::new(),
            import_cycles: self.import_cycles(),
        };
        let mut from_tests = self.empty_set();
        for file in self.file_ids() {
            let node = self.file(file);
            *stats.files.entry(node.language.map_or("other", |language| language.name())).or_default() += 1;
            stats.generated_files += usize::from(node.is_generated);
            if node.opaque.is_some() {
                stats.opaque_files.push(file);
            } else if node.has_problems {
                stats.files_with_problems.push(file);
            }
            if node.is_test {
                stats.test_files += 1;
                from_tests.insert_range(node.parts.start as usize..node.parts.end as usize);
                if !self.leaves_tests(file) {
                    stats.tests_that_reach_nothing.push(file);
                }
            }
        }
        let reached = self.reach(&from_tests, &EdgeKind::ALL, Direction::Forward, None, false);
        for file in self.file_ids() {
            let node = self.file(file);
            let range = node.parts.start as usize..node.parts.end as usize;
            if node.language.is_some() && !node.is_test && !reached.contains_any_in_range(range) {
                stats.sources_without_test.push(file);
            }
            if self.is_unknown_input(file) {
                stats.unknown_inputs.push(file);
            }
        }
        for dependent in self.dependents() {
            *stats.by_folder.entry(dependent.usage).or_default() += 1;
        }
        for part in self.parts() {
            *stats.parts.entry(part.kind).or_default() += 1;
        }
        for edge in self.edges() {
            *stats.edges.entry((edge.kind, edge.evidence)).or_default() += 1;
        }
        for unresolved in self.unresolved().filter(|unresolved| !unresolved.excused) {
            *stats.unresolved.entry(unresolved.kind).or_default() += 1;
        }
        stats
    }

    /// A file that no parser reads, that is no document and does not govern tests, and that nothing is seen to use.
    fn is_unknown_input(&self, file: FileId) -> bool {
        let path = &self.file(file).path;
        let body = self.body_of(file);
        self.part(body).kind == PartKind::File
            && !is_documentation(path)
            && !governs_tests(path)
            && self.in_row(body).len() == 0
            && self.dependents_of(directory_of(path)).iter().all(|one| one.usage != FolderUse::Reads)
    }

    /// True when some edge of the file leads to a file that is no test.
    fn leaves_tests(&self, file: FileId) -> bool {
        self.parts_of(file).flat_map(|part| self.out_row(part)).any(|edge| {
            let target = self.part(edge.to).file;
            target != file && !self.file(target).is_test
        })
    }

    /// Circles of modules over imports at run time, by file.
    #[must_use]
    pub fn import_cycles(&self) -> Vec<Vec<FileId>> {
        let mut imports: DiGraph<FileId, ()> = DiGraph::with_capacity(self.files().len(), self.files().len() * 4);
        let nodes: Vec<_> = self.file_ids().map(|file| imports.add_node(file)).collect();
        for edge in self.edges().filter(|edge| edge.kind == EdgeKind::Imports && !edge.type_only) {
            let (from, to) = (self.part(edge.from), self.part(edge.to));
            if from.file != to.file && to.kind == PartKind::Module {
                imports.add_edge(nodes[from.file.0 as usize], nodes[to.file.0 as usize], ());
            }
        }
        let mut cycles: Vec<Vec<FileId>> = petgraph::algo::tarjan_scc(&imports)
            .into_iter()
            .filter(|component| component.len() > 1)
            .map(|component| {
                let mut files: Vec<FileId> = component.into_iter().map(|node| imports[node]).collect();
                files.sort_unstable();
                files
            })
            .collect();
        cycles.sort_unstable();
        cycles
    }
}
