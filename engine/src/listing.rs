//! Which tests each bundle holds, told once for a tree: it hangs on the nodes and on the bundle's set, so that an edited
//! body lists nothing anew, and every plan shares the list.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::ItemKind;
use grace_graph::code::{FileId, PartId};
use grace_graph::decorators::renames_tests;
use grace_graph::graph::Nodes;
use grace_graph::test_names::{TestName, is_foreign_test, python_test_name};

use crate::book::{ItemId, compiled};
use crate::db::{Db, RuleBook, RuleFile, nodes_of, snapshot};
use crate::impact::{is_followed_by_part, test_id};
use crate::plan::Side;
use crate::sets::{Sets, is_damaged};

/// What the bundle of one book holds on the after side.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The ids of its tests, and the files of tests that are run by file; sorted.
    pub(crate) tests: Arc<Vec<String>>,
    /// Its single tests, each with its place in `tests`; sorted by part.
    pub(crate) parts: Vec<(PartId, u32)>,
    /// Files of its set without a single test; sorted.
    pub(crate) files: Arc<Vec<String>>,
    /// Of its single tests, those that may be there under another name, or not at all, when their file is loaded: who asks for one
    /// by its id may stop all the others. Sorted.
    pub(crate) unsure: Vec<PartId>,
    /// Test files of which something cannot be read: run whole, whatever is selected. Sorted.
    pub(crate) unread: Vec<FileId>,
    /// Test files that can be read and show no single test, and files with tests by names that settings give; sorted.
    pub(crate) by_file: Vec<FileId>,
}

impl Listing {
    /// Whether a test file is the bundle's.
    pub(crate) fn holds(&self, nodes: &Nodes, file: FileId) -> bool {
        let mut parts = nodes.parts_of(file);
        self.by_file.binary_search(&file).is_ok()
            || parts.any(|part| self.parts.binary_search_by_key(&part, |(part, _)| *part).is_ok())
    }
}

/// Whether a test may be there under another name, or not at all, when its file is loaded.
pub(crate) fn is_unsure(nodes: &Nodes, test: PartId) -> bool {
    let around = |part: &PartId| nodes.part(*part).parent;
    let may_differ = |part| nodes.part(part).is_conditional || nodes.decorators(part).any(renames_tests);
    std::iter::successors(Some(test), around).any(may_differ)
}

/// The listing of a bundle; nothing where the item is none.
#[salsa::tracked(returns(clone))]
pub(crate) fn listing(db: &dyn Db, book: RuleBook, file: RuleFile, id: ItemId) -> Arc<Listing> {
    let Some(compiled) = compiled(db, book, file, id) else { return Arc::default() };
    let ItemKind::Bundle(bundle) = &compiled.item.kind else { return Arc::default() };
    let nodes = nodes_of(db, Side::After);
    let sets = Sets { db, book, side: snapshot(db, Side::After), compiled: &compiled };
    let members = sets.kept(&bundle.tests).members(nodes.len());
    // Functions of one name are one test to a runner.
    let mut tests: BTreeMap<String, Vec<PartId>> = BTreeMap::new();
    let mut with_tests = BTreeSet::new();
    let mut run_by_file = BTreeSet::new();
    let mut all_files = BTreeSet::new();
    for index in members.possible.ones() {
        let part = PartId(u32::try_from(index).unwrap_or(u32::MAX));
        let node = nodes.part(part);
        all_files.insert(node.file);
        if node.is_test && !is_followed_by_part(&nodes.file(node.file).path) {
            tests.entry(nodes.file(node.file).path.to_string()).or_default();
            run_by_file.insert(node.file);
        } else if node.is_test {
            tests.entry(test_id(&nodes.key(part))).or_default().push(part);
            with_tests.insert(node.file);
        }
    }
    let mut listing = Listing::default();
    let mut files = Vec::new();
    // In the order of their ids files are sorted by path.
    for id in all_files {
        let file = nodes.file(id);
        let has_tests = with_tests.contains(&id);
        let is_unread = is_damaged(nodes, id);
        // What cannot be read may hold tests under any usual name.
        let may_hold_tests =
            is_unread && (python_test_name(&file.path) >= Some(TestName::Customary) || is_foreign_test(&file.path));
        let is_test = file.is_test || run_by_file.contains(&id);
        if may_hold_tests || is_test && is_unread {
            listing.unread.push(id);
        } else if is_test && !has_tests || file.has_configured_tests {
            // What settings name a test is no test to any rule, but a runner finds it in its file.
            listing.by_file.push(id);
        }
        if !has_tests {
            files.push(file.path.to_string());
        }
    }
    listing.parts =
        tests.values().zip(0..).flat_map(|(parts, place)| parts.iter().map(move |&part| (part, place))).collect();
    listing.parts.sort_unstable();
    let is_unsure = |part: &PartId| is_unsure(nodes, *part);
    // One of several parts of an id that is there is enough.
    let unsure = tests.values().filter(|parts| parts.iter().all(is_unsure));
    listing.unsure = unsure.flatten().copied().collect();
    listing.unsure.sort_unstable();
    listing.tests = Arc::new(tests.into_keys().collect());
    listing.files = Arc::new(files);
    Arc::new(listing)
}
