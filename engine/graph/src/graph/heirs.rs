//! Test files with tests that nobody wrote in them: inherited, imported, or made when the file is loaded. Which of them a
//! change reaches is not told here.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use crate::code::{Edge, EdgeKind, FileId, PartId, PartKind};
use crate::facts::{ImportFact, ImportForm, Outline};
use crate::test_names::lies_among_tests;

use super::{CodeGraph, Row};

/// The files, once somebody asks for them. Graphs that have the same ones share them.
#[derive(Debug, Default)]
pub(super) struct Heirs(OnceLock<Arc<[FileId]>>);

impl Heirs {
    pub(super) fn of(&self, graph: &CodeGraph) -> &Arc<[FileId]> {
        self.0.get_or_init(|| heirs(graph).into_iter().collect())
    }
}

/// Whether a file that was edited imports what it did, bodies of functions among it: then the edit leaves all heirs as they
/// were, if its classes inherit from what they did and [nobody sees it](crate::resolve::is_seen_by_nobody).
pub(super) fn imports_alike(graph: &CodeGraph, file: FileId, outline: &Outline, row: &Row) -> bool {
    fn is_import(edge: &&Edge) -> bool {
        edge.kind == EdgeKind::Imports
    }
    let leads_alike = |old: &Arc<Row>| old.edges().filter(is_import).eq(row.edges().filter(is_import));
    graph.outline(file).is_some_and(|old| old.same_imports(outline)) && graph.rows.row(file).is_some_and(leads_alike)
}

fn heirs(graph: &CodeGraph) -> BTreeSet<FileId> {
    let mut found: BTreeSet<FileId> = graph.unwritten_tests().makers.iter().copied().collect();
    let mut givers = BTreeSet::new();
    for &base in &graph.unwritten_tests().named {
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
    found
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::extract;
    use crate::facts::Language;
    use crate::graph::{GraphFile, Repair};

    #[test]
    fn an_edit_that_leaves_imports_and_bases_tells_no_heirs_anew() {
        let file =
            |path: &str, text: &str| GraphFile::new(path.into(), Some(&extract(Language::Python, text.as_bytes())));
        let user = |body: &str| {
            let text = format!(
                "from abc import Q\n\n\nclass Helper(Q):\n    def test_a(self):\n        pass\n\n\ndef use():\n    {body}\n"
            );
            file("tests/test_x.py", &text)
        };
        let others = || {
            [
                file("tests/test_y.py", "from tests.test_x import Helper\n"),
                file("tests/giver.py", "globals().update({'test_z': print})\n"),
            ]
        };
        let built = |body| CodeGraph::build(others().into_iter().chain([user(body)]).collect());
        let paths =
            |graph: &CodeGraph| graph.heirs().iter().map(|id| graph.file(*id).path.to_string()).collect::<Vec<_>>();
        let graph = built("return 1");
        assert_eq!(paths(&graph), [""; 0]);
        for (body, is_left, heirs) in [
            ("return print(2)", true, &[][..]),
            ("from elsewhere import Q", false, &["tests/test_y.py"]),
            ("import tests.giver", false, &["tests/test_x.py", "tests/test_y.py"]),
            ("__import__('tests.giver')", false, &["tests/test_x.py", "tests/test_y.py"]),
        ] {
            let repaired = graph.repaired(&[user(body)], &[], Repair::Bodies).unwrap();
            assert_eq!(Arc::ptr_eq(&repaired.heirs, &graph.heirs), is_left, "{body}");
            assert_eq!(paths(&repaired), heirs, "{body}");
            assert_eq!(paths(&repaired), paths(&built(body)), "{body}");
        }
    }
}
