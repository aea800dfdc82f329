//! What the change reaches, and so which tests of a bundle are run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::{self, ItemKind};
use grace_graph::change::Kinds;
use grace_graph::code::{PartId, PartKey, PartKind};

use crate::book::{Kind, compiled, milliseconds, names};
use crate::conds::EDGE_KINDS;
use crate::db::{Db, graph_of, meant, snapshot};
use crate::join::books;
use crate::plan::{BookSide, BundleForm, BundlePlan, Derivation, Side};
use crate::sets::Sets;

/// What the change reaches on the after side.
#[derive(PartialEq, Eq)]
pub(crate) struct Impact {
    /// Parts that changed in meaning.
    pub(crate) changed: fixedbitset::FixedBitSet,
    /// They and everything that depends on them.
    pub(crate) reached: fixedbitset::FixedBitSet,
    /// A file that no graph follows changed: what it reaches is not known.
    pub(crate) blind: bool,
}

/// What the change reaches: it hangs on the parts that changed in meaning and on the graphs.
#[salsa::tracked(returns(clone))]
pub(crate) fn impact(db: &dyn Db) -> Arc<Impact> {
    Arc::new(Impact::of(db))
}

impl Impact {
    fn of(db: &dyn Db) -> Self {
        let graph = graph_of(db, Side::After);
        let mut changed = graph.empty_set();
        let mut blind = false;
        for change in meant(db).iter() {
            // What a removed part did is reached through the names that it had: by what depended on it before.
            let Some(part) = change.after.as_ref().and_then(|key| graph.find(key)) else { continue };
            changed.insert(part.0 as usize);
            let node = graph.part(part);
            let unfollowed = node.kind == PartKind::File
                && !grace_graph::change::is_documentation(&graph.file(node.file).path)
                && graph.in_edges(part, EDGE_KINDS).next().is_none();
            blind |= unfollowed || change.kinds.contains(Kinds::UNKNOWN);
        }
        let before = graph_of(db, Side::Before);
        let mut gone = before.empty_set();
        for change in meant(db).iter() {
            if let Some(part) = change.before.as_ref().and_then(|key| before.find(key)) {
                gone.insert(part.0 as usize);
            }
        }
        let incoming = grace_graph::graph::Direction::Backward;
        let mut reached = graph.reach(&changed, EDGE_KINDS, incoming, None, false);
        let renamed: BTreeMap<PartKey, PartKey> =
            meant(db).iter().filter_map(|change| Some((change.before.clone()?, change.after.clone()?))).collect();
        for index in before.reach(&gone, EDGE_KINDS, incoming, None, false).ones() {
            let key = before.key(PartId(u32::try_from(index).unwrap_or(u32::MAX)));
            if let Some(part) = graph.find(renamed.get(&key).unwrap_or(&key)) {
                reached.insert(part.0 as usize);
            }
        }
        Self { changed, reached, blind }
    }
}

/// The id of a test as runners write it: `path::Class::method`.
pub(crate) fn test_id(key: &PartKey) -> String {
    format!("{}::{}", key.path, key.name.replace('.', "::"))
}

/// A bundle as the plan runs it; `None` where no book has it.
pub(crate) fn bundle_plan(
    db: &dyn Db,
    name: &str,
    narrowed: bool,
    derivation: Vec<Derivation>,
    impact: &Impact,
) -> Option<BundlePlan> {
    let mut forms: Vec<(BundleForm, ast::Bundle)> = Vec::new();
    let mut tests = BTreeSet::new();
    let mut selected = BTreeSet::new();
    let mut files = BTreeSet::new();
    let graph = graph_of(db, Side::After);
    for (book_side, book) in books(db) {
        let names = names(db, book);
        let Some(at) = names.first(Kind::Bundle, name) else { continue };
        let Some(compiled) = compiled(db, book, at.file, at.id.clone()) else { continue };
        let ItemKind::Bundle(bundle) = &compiled.item.kind else { continue };
        let sets = Sets { db, book, side: snapshot(db, Side::After), graph: &graph, compiled: &compiled };
        let members = sets.eval(&bundle.tests);
        let mut with_tests = BTreeSet::new();
        let mut all_files = BTreeSet::new();
        for index in members.possible.ones() {
            let part = PartId(u32::try_from(index).unwrap_or(u32::MAX));
            let node = graph.part(part);
            all_files.insert(graph.file(node.file).path.to_string());
            if node.is_test {
                let id = test_id(&graph.key(part));
                if impact.blind || impact.reached.contains(index) || impact.changed.contains(index) {
                    selected.insert(id.clone());
                }
                with_tests.insert(graph.file(node.file).path.to_string());
                tests.insert(id);
            }
        }
        files.extend(all_files.difference(&with_tests).cloned());
        let form = BundleForm {
            book: book_side,
            run: bundle.run.iter().map(|text| text.value.clone()).collect(),
            setup: bundle.setup.iter().map(|text| text.value.clone()).collect(),
            timeout_each_ms: bundle.timeout_each.as_ref().and_then(milliseconds),
            timeout_all_ms: bundle.timeout_all.as_ref().and_then(milliseconds).unwrap_or(DEFAULT_TIMEOUT_MS),
            retries: bundle.retries,
            pass_rate: bundle
                .pass_rate
                .as_ref()
                .and_then(|rate| u32::try_from(rate.thousandths).ok())
                .unwrap_or(100_000),
        };
        let mut same = false;
        for (seen, other) in &mut forms {
            if other == bundle {
                seen.book = BookSide::Both;
                same = true;
            }
        }
        if !same {
            forms.push((form, bundle.clone()));
        }
    }
    if forms.is_empty() {
        return None;
    }
    let critical = forms.iter().any(|(_, bundle)| bundle.critical);
    // Where the books differ, the fewer retries count in both forms.
    let retries = forms.iter().map(|(form, _)| form.retries).min().unwrap_or(0);
    let forms = forms.into_iter().map(|(form, _)| BundleForm { retries, ..form }).collect();
    let tests: Vec<String> = tests.into_iter().collect();
    let selected = if narrowed { selected.into_iter().collect() } else { tests.clone() };
    Some(BundlePlan {
        name: name.to_owned(),
        critical,
        forms,
        narrowed,
        tests,
        selected,
        files: files.into_iter().collect(),
        derivation,
    })
}

/// A bundle that names no timeout ends after ten minutes.
const DEFAULT_TIMEOUT_MS: u64 = 600_000;
