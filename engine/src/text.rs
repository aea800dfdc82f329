//! Queries that read the text of the change: tests removed and weakened, packages, what is proved safe.
//!
//! Each is a projection: the rules above it run again only when its value differs.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use grace_dsl::ast::{PackageMove, SafeKind};
use grace_graph::change::{Content, Kinds, Readers, SafeKinds, Weakening, read_docstrings};
use grace_graph::code::PartKey;
use grace_graph::packages::{PackageChange, PackageChangeKind};
use grace_graph::text_match::{CodeLine, Documentation, RemovedDocumentation, added_code_lines};

use crate::db::{Db, Meant, World, digested, graph_of, meant, nodes_of, part_changes};
use crate::plan::{Side, Truth};

/// A test that was removed or weakened; `how` is `removed` or the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestLoss {
    pub(crate) part: PartKey,
    pub(crate) after: bool,
    pub(crate) how: Arc<str>,
    pub(crate) line: u32,
}

/// Tests lost by the change, and the changed test files that could not be read and may hide more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TestLosses {
    pub(crate) removed: Vec<TestLoss>,
    pub(crate) weakened: Vec<TestLoss>,
    pub(crate) unreadable: Vec<Arc<str>>,
}

/// Added lines, and the parts whose added lines cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct AddedLines {
    pub(crate) lines: Vec<CodeLine>,
    pub(crate) unreadable: Vec<PartKey>,
}

/// Tests that the change removes or weakens.
#[salsa::tracked(returns(clone))]
pub(crate) fn test_losses(db: &dyn Db) -> Arc<TestLosses> {
    let changes = grace_graph::weakening::test_changes(&World::get(db).change(db));
    let removed = changes
        .removed
        .into_iter()
        .map(|test| TestLoss { part: test.test, after: false, how: Arc::from("removed"), line: test.line })
        .collect();
    let mut weakened: Vec<TestLoss> = changes
        .weakened
        .into_iter()
        .map(|test| TestLoss {
            part: test.after,
            after: true,
            how: Arc::from(weakening_word(test.how)),
            line: test.line,
        })
        .collect();
    let mut unreadable: Vec<Arc<str>> = changes.unknown.into_iter().map(|unknown| unknown.path).collect();
    // A setting can leave out tests of files that did not change. Only then is the graph asked.
    if !changes.uncollected.is_empty() {
        let nodes = nodes_of(db, Side::After);
        let how: Arc<str> = Arc::from(weakening_word(Weakening::NoLongerCollected));
        let mut lost = BTreeSet::new();
        for setting in &changes.uncollected {
            let leaves_out = setting.leaves_out();
            // Tests stand in the order of their files.
            for of_file in nodes.tests().chunk_by(|left, right| nodes.part(*left).file == nodes.part(*right).file) {
                let file = nodes.part(of_file[0]).file;
                match leaves_out.file(&nodes.file(file).path) {
                    Some(true) if lost.insert(file) => weakened.extend(of_file.iter().map(|&part| TestLoss {
                        part: nodes.key(part),
                        after: true,
                        how: Arc::clone(&how),
                        line: 0,
                    })),
                    Some(_) => {}
                    None => {
                        unreadable.push(setting.path.clone());
                        break;
                    }
                }
            }
        }
    }
    unreadable.sort();
    unreadable.dedup();
    Arc::new(TestLosses { removed, weakened, unreadable })
}

fn weakening_word(how: Weakening) -> &'static str {
    match how {
        Weakening::FewerAssertions => "fewer assertions",
        Weakening::FewerCases => "fewer cases",
        Weakening::Skipped => "skipped",
        Weakening::ExpectedToFail => "expected to fail",
        Weakening::WiderTolerance => "wider tolerance",
        Weakening::WiderException => "wider exception",
        Weakening::NoLongerCollected => "no longer collected",
    }
}

/// Packages that the change moves.
#[salsa::tracked(returns(clone))]
pub(crate) fn packages(db: &dyn Db) -> Arc<Vec<PackageChange>> {
    Arc::new(grace_graph::packages::package_changes(&World::get(db).change(db)))
}

/// Whether a package moved in a way that a rule names.
pub(crate) fn package_is(package: &PackageChange, wanted: PackageMove) -> Truth {
    let is = match wanted {
        PackageMove::Major => PackageChangeKind::Major,
        PackageMove::New => PackageChangeKind::New,
        PackageMove::Downgrade => PackageChangeKind::Downgrade,
    };
    if package.kind == is {
        Truth::Yes
    } else if package.kind == PackageChangeKind::Unknown {
        Truth::Unknown
    } else {
        Truth::No
    }
}

/// The parts whose change a test may notice: those that [changed in meaning](meant), and those of which somebody may read a
/// docstring that changed. That one is set when its module is imported, so no such change is of a body alone.
#[salsa::tracked(returns(clone))]
pub(crate) fn noticed(db: &dyn Db) -> Arc<Vec<Meant>> {
    let changes = part_changes(db);
    let documented: Vec<_> = changes.iter().filter(|change| change.kinds.contains(Kinds::DOCSTRING)).collect();
    if documented.is_empty() {
        return meant(db);
    }
    let read = read_docstrings(&World::get(db).change(db), &documented);
    let readers = Readers::new(graph_of(db, Side::Before), graph_of(db, Side::After));
    let mut is_read: VecDeque<bool> =
        documented.into_iter().zip(read).map(|(change, by_text)| by_text || readers.read(change)).collect();
    let noticed = changes.iter().filter_map(|change| {
        let mut kinds = change.kinds & Kinds::MEANING;
        if change.kinds.contains(Kinds::DOCSTRING) && is_read.pop_front() == Some(true) {
            kinds |= Kinds::DOCSTRING;
        }
        (!kinds.is_empty()).then(|| Meant { before: change.before.clone(), after: change.after.clone(), kinds })
    });
    Arc::new(noticed.collect())
}

/// What the whole change is proved to be; `None` where some of it is not proved harmless, or nothing changed.
#[salsa::tracked(returns(clone))]
pub(crate) fn proved_safe(db: &dyn Db) -> Option<BTreeSet<SafeKind>> {
    let changes = part_changes(db);
    if changes.is_empty() || changes.iter().any(|change| change.safe.is_empty()) {
        return None;
    }
    // Only what the graphs can take back asks for them: comments and white space hang on the texts alone.
    if changes.iter().any(|change| change.safe.intersects(SafeKinds::DOCUMENTATION | SafeKinds::ADDED_TESTS)) {
        let [before, after] = [Side::Before, Side::After].map(|side| graph_of(db, side));
        let readers = Readers::new(before, after);
        if changes.iter().any(|change| readers.leave(change).is_empty()) {
            return None;
        }
    }
    let mut found = BTreeSet::new();
    for change in changes.iter() {
        for (flag, kind) in [
            (SafeKinds::FORMATTING, SafeKind::Formatting),
            (SafeKinds::COMMENTS, SafeKind::Comments),
            (SafeKinds::DOCUMENTATION, SafeKind::Documentation),
            (SafeKinds::ADDED_TESTS, SafeKind::AddedTests),
        ] {
            if change.safe.contains(flag) {
                found.insert(kind);
            }
        }
    }
    Some(found)
}

/// Added lines of code.
#[salsa::tracked(returns(clone))]
pub(crate) fn added_lines(db: &dyn Db) -> Arc<AddedLines> {
    let facts = &mut |path: &str, content: &Content| digested(db, path, content);
    let (lines, unreadable) = added_code_lines(&World::get(db).change(db), &part_changes(db), facts);
    Arc::new(AddedLines { lines, unreadable })
}

/// Documentation that the change takes away, and the parts of which that cannot be said.
#[salsa::tracked(returns(clone))]
pub(crate) fn documentation_removed(db: &dyn Db) -> Arc<(Vec<RemovedDocumentation>, Vec<PartKey>)> {
    Arc::new(grace_graph::text_match::removed_documentation(&World::get(db).change(db), &part_changes(db)))
}

/// What was taken away, in words.
pub(crate) fn documentation_word(what: Documentation) -> &'static str {
    match what {
        Documentation::Docstring => "docstring removed",
        Documentation::Comments => "comments removed",
        Documentation::Document => "document removed",
    }
}
