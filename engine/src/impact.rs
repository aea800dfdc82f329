//! What the change reaches, and so which tests of a bundle are run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::{self, ItemKind};
use grace_graph::change::{Kinds, is_documentation};
use grace_graph::code::{FileId, FolderUse, PartId, PartKey, PartKind};
use grace_graph::facts::Language;
use grace_graph::graph::{CodeGraph, Nodes};
use grace_graph::test_names::{governs_changes, governs_tests, is_script, lies_among_data, lies_among_tests};

use crate::affects::read_and_loaded;
use crate::book::{Kind, compiled, milliseconds, names};
use crate::conds::EDGE_KINDS;
use crate::db::{Db, Meant, graph_of, nodes_of};
use crate::join::books;
use crate::listing::{Listing, is_unsure, listing};
use crate::plan::{BookSide, BundleForm, BundlePlan, Derivation, Side, Sources, Widening, WideningCause};
use crate::reach::{FailedBefore, Recorded, Unread, Why, failed_before, has_any, recorded};
use crate::text::noticed;

/// What the change reaches on the after side.
#[derive(PartialEq, Eq)]
pub(crate) struct Impact {
    /// Parts that changed in meaning.
    pub(crate) changed: fixedbitset::FixedBitSet,
    /// They and everything that they affect: see [`Follow::Widely`].
    pub(crate) reached: fixedbitset::FixedBitSet,
    /// Why it is not known what the change reaches: then it may reach every test. Sorted.
    pub(crate) widened: Vec<Widening>,
    /// By bundle: what runs of the past say, where there is a record, or why it is not used. It narrows what reading reaches.
    recorded: BTreeMap<String, std::result::Result<Recorded, String>>,
    /// By bundle: what did not pass when it ran last. It runs whatever becomes of a record.
    failed: BTreeMap<String, FailedBefore>,
    /// Test files that inherit tests from other files, and those of them that may load what changed; sorted.
    heirs: Arc<[FileId]>,
    reached_heirs: BTreeSet<FileId>,
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
        let mut widened = BTreeSet::new();
        let mut sources = BTreeSet::new();
        let before = graph_of(db, Side::Before);
        for change in noticed(db).iter() {
            let key = change.after.as_ref().or(change.before.as_ref());
            if let Some(key) = key.filter(|_| change.kinds.contains(Kinds::UNKNOWN)) {
                widened.insert(Widening { cause: WideningCause::UnknownChange, what: key.path.to_string() });
            }
            if let Some(part) = change.after.as_ref().and_then(|key| graph.find(key)) {
                changed.insert(part.0 as usize);
                sources.insert((Side::After, graph.part(part).file));
                widened.extend(widening(graph, part));
            } else if let Some(part) = change.before.as_ref().and_then(|key| before.find(key)) {
                sources.insert((Side::Before, before.part(part).file));
                widened.extend(widening(before, part));
            }
        }
        for (side, file) in sources {
            widened.extend(unused_source(if side == Side::After { graph } else { before }, file));
        }
        if !noticed(db).is_empty() {
            widened.extend(too_little_seen(graph));
        }
        let heirs = Arc::clone(graph.heirs());
        let (mut reached, mut reached_heirs) = read_and_loaded(graph, &seeds(db, graph, Side::After), &heirs);
        // What the change took away was loaded before it.
        let in_before = |file: &FileId| before.file_by_path(&graph.file(*file).path);
        let before_it: Vec<FileId> = heirs.iter().filter_map(in_before).collect();
        let (reached_before, loaded) = read_and_loaded(before, &seeds(db, before, Side::Before), &before_it);
        reached_heirs.extend(loaded.iter().filter_map(|file| graph.file_by_path(&before.file(*file).path)));
        let pairs = noticed(db);
        let pairs = pairs.iter().filter_map(|change| Some((change.before.as_ref()?, change.after.as_ref()?)));
        let renamed: BTreeMap<&PartKey, &PartKey> = pairs.filter(|(before, after)| before != after).collect();
        for index in reached_before.ones() {
            let part = PartId(u32::try_from(index).unwrap_or(u32::MAX));
            let again = if renamed.is_empty() {
                before.find_again(part, graph)
            } else {
                let key = before.key(part);
                graph.find(renamed.get(&key).copied().unwrap_or(&key))
            };
            if let Some(part) = again {
                reached.insert(part.0 as usize);
            }
        }
        let (recorded, failed) = (recorded(db), failed_before(db));
        Self { changed, reached, widened: widened.into_iter().collect(), recorded, failed, heirs, reached_heirs }
    }

    /// How many of some tests of the after side the change is seen to reach: of which records tell, by one of them.
    pub(crate) fn tests_reached(&self, tests: &[PartId]) -> usize {
        let records: Vec<Narrowing<'_>> = self.recorded.keys().map(|bundle| self.of_bundle(bundle)).collect();
        let read = self.of_bundle("");
        let is_reached = |test: &&PartId| {
            let mut told = records.iter().filter(|narrowing| narrowing.has(**test)).peekable();
            match told.peek() {
                None => read.reaches_test(**test),
                Some(_) => told.any(|narrowing| narrowing.reaches_test(**test)),
            }
        };
        tests.iter().filter(is_reached).count()
    }

    /// What the change reaches of a bundle's tests.
    pub(crate) fn of_bundle(&self, name: &str) -> Narrowing<'_> {
        let record = self.recorded.get(name).and_then(|record| record.as_ref().ok());
        Narrowing { impact: self, record, failed: self.failed.get(name) }
    }

    /// Why the record of a bundle is not used, where there is one.
    fn unused_record(&self, name: &str) -> Option<&String> {
        self.recorded.get(name)?.as_ref().err()
    }
}

/// What the change reaches of the tests of a bundle: by its record, where there is one, else by reading.
#[derive(Clone, Copy)]
pub(crate) struct Narrowing<'i> {
    impact: &'i Impact,
    record: Option<&'i Recorded>,
    failed: Option<&'i FailedBefore>,
}

impl<'i> Narrowing<'i> {
    /// Whether the record tells of a test.
    fn has(self, test: PartId) -> bool {
        self.is_told(test) || self.why(test).is_some()
    }

    /// Why the record, or how it ended last, chooses a test of the after side.
    pub(crate) fn why(self, test: PartId) -> Option<&'i Why> {
        let recorded = self.record.and_then(|record| record.chosen.get(&test));
        recorded.or_else(|| self.failed.and_then(|failed| failed.tests.get(&test)))
    }

    fn reaches_test(self, test: PartId) -> bool {
        match self.chosen_by(test) {
            None => false,
            // A test that only failed before, or runs because too little is known, is not reached for it.
            Some(ChosenBy::Failed | ChosenBy::Widened) => self.impact.reached.contains(test.0 as usize),
            Some(_) => true,
        }
    }

    /// Whether the record of a test of the after side tells what the change of a body reaches.
    pub(crate) fn is_told(self, test: PartId) -> bool {
        self.record.is_some_and(|record| record.usable.contains(test.0 as usize))
    }

    /// Whether all of a file is to run for the tests that it inherits or makes: where a record has every test of it, for what
    /// may give it others.
    fn reaches_heir(self, nodes: &Nodes, file: FileId) -> bool {
        self.reaches_unseen(nodes, file, || self.impact.reached_heirs.contains(&file))
    }

    /// Whether all of a file is to run that shows no single test, or some by names that settings give.
    fn reaches_by_file(self, nodes: &Nodes, file: FileId) -> bool {
        let is_changed = || has_any(&self.impact.changed, file, nodes);
        is_changed() || self.reaches_unseen(nodes, file, || has_any(&self.impact.reached, file, nodes))
    }

    fn reaches_unseen(self, nodes: &Nodes, file: FileId, is_reached: impl Fn() -> bool) -> bool {
        let is_read = || self.record.is_some_and(|record| has_any(&record.read, file, nodes));
        !self.impact.widened.is_empty() || !self.has_whole(file) && (is_reached() || is_read())
    }

    /// Whether the record has every test of a file, as the file is now.
    fn has_whole(self, file: FileId) -> bool {
        self.impact.widened.is_empty() && self.record.is_some_and(|record| record.whole.contains(&file))
    }

    /// Whether a test that may not be there by its name is to run, and whether its file has it: else all of the file is.
    fn runs_unsure(self, nodes: &Nodes, test: PartId) -> Option<bool> {
        let record = self.record.filter(|_| self.has_whole(nodes.part(test).file));
        let is_there = record.map(|record| record.has.contains(test.0 as usize));
        (is_there != Some(false) && self.chosen_by(test).is_some()).then_some(is_there == Some(true))
    }

    /// Tests that reading does not see, of files that the record has whole.
    fn known(self, nodes: &'i Nodes) -> impl Iterator<Item = (FileId, &'i String)> + 'i {
        let unread = self.record.into_iter().flat_map(|record| record.unread.keys());
        let known = unread.filter_map(|id| Some((nodes.file_by_path(id.split_once("::")?.0)?, id)));
        known.filter(move |(file, _)| self.has_whole(*file))
    }

    /// Tests that reading does not see, and that are to run by a record: by id, with what chose them, where the record has every
    /// test of their file, else all of the file is run.
    fn unread(self, nodes: &'i Nodes) -> impl Iterator<Item = (FileId, Option<(&'i String, ChosenBy)>)> + 'i {
        let unread = self.record.into_iter().flat_map(|record| record.unread.iter().map(move |one| (record, one)));
        unread.filter_map(move |(record, (id, state))| {
            let file = nodes.file_by_path(id.split_once("::").map_or(id, |(path, _)| path))?;
            let by = if *state == Unread::Chosen { ChosenBy::Recorded } else { ChosenBy::Read };
            let single = self.has_whole(file).then_some((id, by));
            self.runs_unread(record, nodes, file, *state).then_some((file, single))
        })
    }

    fn runs_unread(self, record: &Recorded, nodes: &Nodes, file: FileId, state: Unread) -> bool {
        let may_reach = || has_any(&self.impact.reached, file, nodes) || self.impact.reached_heirs.contains(&file);
        !self.impact.widened.is_empty()
            || match state {
                Unread::Chosen => true,
                Unread::NotEntered => !self.has_whole(file) && has_any(&record.read, file, nodes),
                Unread::Untold => may_reach(),
            }
    }

    /// Why a test of the after side is to run; `None` where the change does not reach it.
    pub(crate) fn chosen_by(self, test: PartId) -> Option<ChosenBy> {
        let index = test.0 as usize;
        match self.why(test) {
            _ if self.impact.changed.contains(index) => Some(ChosenBy::Changed),
            Some(Why::Failed { .. }) => Some(ChosenBy::Failed),
            Some(_) => Some(ChosenBy::Recorded),
            None => {
                let usable = self.record.filter(|record| record.usable.contains(index));
                let read = usable.map_or(&self.impact.reached, |record| &record.read);
                if read.contains(index) {
                    Some(ChosenBy::Read)
                } else {
                    (!self.impact.widened.is_empty()).then_some(ChosenBy::Widened)
                }
            }
        }
    }
}

impl Sources {
    /// Counts what chose tests.
    fn of(chosen: impl Iterator<Item = ChosenBy>, told: usize) -> Self {
        let mut sources = Self { with_record: u32::try_from(told).unwrap_or(u32::MAX), ..Self::default() };
        for source in chosen {
            *match source {
                ChosenBy::Changed => &mut sources.changed,
                ChosenBy::Failed => &mut sources.failed,
                ChosenBy::Recorded => &mut sources.recorded,
                ChosenBy::Read => &mut sources.read,
                ChosenBy::Widened => &mut sources.widened,
            } += 1;
        }
        sources
    }
}

/// What chooses a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ChosenBy {
    /// It changed itself.
    Changed,
    /// It did not pass when it ran last.
    Failed,
    /// A record.
    Recorded,
    /// Reading.
    Read,
    /// It is not known what the change reaches.
    Widened,
}

/// Why no narrowing over a graph is to be believed.
fn too_little_seen(graph: &CodeGraph) -> Vec<Widening> {
    let sight = graph.sight();
    let mut found = Vec::new();
    if sight.loses_tests() {
        let what = format!("{} of {} test files", sight.blind_test_files, sight.test_files);
        found.push(Widening { cause: WideningCause::BlindTests, what });
    }
    if sight.loses_imports() {
        let what = format!("{} of {} imports", sight.lost_imports, sight.imports);
        found.push(Widening { cause: WideningCause::LostImports, what });
    }
    found
}

/// Why the change of a part may affect every test: its file says how tests run; or no parser reads it, it is no
/// documentation, and nothing is seen to use it.
pub(crate) fn widening(graph: &CodeGraph, part: PartId) -> Option<Widening> {
    let node = graph.part(part);
    let path = &graph.file(node.file).path;
    let is_unseen = || {
        node.kind == PartKind::File
            && !is_documentation(path)
            && !governs_changes(path)
            && graph.in_edges(part, EDGE_KINDS).next().is_none()
            && !is_read_beside(graph, path)
    };
    let cause = match () {
        () if governs_tests(path) => WideningCause::GovernsTests,
        () if is_unseen() => WideningCause::UnknownInput,
        () => return None,
    };
    Some(Widening { cause, what: path.to_string() })
}

/// Whether something reads what lies in the folder of a file without naming it; or, of data's folders, in one around it.
fn is_read_beside(graph: &CodeGraph, path: &str) -> bool {
    let reads = |folder: &str| {
        let counts = !(folder.is_empty() && is_script(path));
        counts && graph.dependents_of(folder).iter().any(|dependent| dependent.usage == FolderUse::Reads)
    };
    let above = |path: &'_ str| path.rsplit_once('/').map_or(0, |(folder, _)| folder.len());
    let mut folder = &path[..above(path)];
    loop {
        if reads(folder) {
            return true;
        }
        let around = &folder[..above(folder)];
        if !lies_among_data(folder) {
            return false;
        }
        folder = around;
    }
}

/// Why the change of a source may affect every test: it lies among tests or what they read, is none itself, and nothing is
/// seen to use it. A formatter's tests read such ones, and analysers' and compilers' do.
fn unused_source(graph: &CodeGraph, file: FileId) -> Option<Widening> {
    let node = graph.file(file);
    let is_one = graph.part(graph.body_of(file)).kind == PartKind::Module
        && !node.is_test
        && (lies_among_data(&node.path) || lies_among_tests(&node.path))
        && graph.may_be_data(file)
        && !is_read_beside(graph, &node.path);
    is_one.then(|| Widening { cause: WideningCause::UnusedSource, what: node.path.to_string() })
}

/// The parts of a side that changed in meaning. A change of more than a function's body happens at import time, so it is
/// a change of the module body too; so is any change in a language that is not followed by part.
pub(crate) fn seeds(db: &dyn Db, graph: &CodeGraph, side: Side) -> Vec<PartId> {
    seeds_of(&noticed(db), graph, side)
}

/// [`seeds`] of some changes.
pub(crate) fn seeds_of(changes: &[Meant], graph: &CodeGraph, side: Side) -> Vec<PartId> {
    let mut seeds = Vec::new();
    for change in changes {
        let key = match side {
            Side::Before => change.before.as_ref(),
            Side::After => change.after.as_ref(),
        };
        let Some(part) = key.and_then(|key| graph.find(key)) else { continue };
        seeds.push(part);
        let is_function = matches!(graph.part(part).kind, PartKind::Function | PartKind::Method);
        if !(is_function && change.kinds == Kinds::BODY && is_followed_by_part(&graph.file(graph.part(part).file).path))
        {
            seeds.push(graph.module_of(part));
        }
    }
    seeds
}

/// Uses of a single function are followed in Python alone; in other languages a change goes by file.
pub(crate) fn is_followed_by_part(path: &str) -> bool {
    matches!(Language::of_path(path), Some(Language::Python) | None)
}

/// The id of a test as runners write it: `path::Class::method`; the file's path where tests of its language are run by
/// file.
pub(crate) fn test_id(key: &PartKey) -> String {
    if !is_followed_by_part(&key.path) {
        return key.path.to_string();
    }
    format!("{}::{}", key.path, key.name.replace('.', "::"))
}

/// The bundle of a name in each book that has it.
pub(crate) fn bundles_named(db: &dyn Db, name: &str) -> Vec<(BookSide, Arc<Listing>, ast::Bundle)> {
    let mut found = Vec::new();
    for (side, book) in books(db) {
        let names = names(db, book);
        let Some(at) = names.first(Kind::Bundle, name) else { continue };
        let Some(compiled) = compiled(db, book, at.file, at.id.clone()) else { continue };
        let ItemKind::Bundle(bundle) = &compiled.item.kind else { continue };
        found.push((side, listing(db, book, at.file, at.id.clone()), bundle.clone()));
    }
    found
}

/// What runs a bundle, and what sets it up.
pub(crate) fn command_of(bundle: &ast::Bundle) -> (Vec<String>, Vec<String>) {
    let words = |texts: &[ast::Text]| texts.iter().map(|text| text.value.clone()).collect();
    (words(&bundle.run), words(&bundle.setup))
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
    let mut listings: Vec<Arc<Listing>> = Vec::new();
    let nodes = nodes_of(db, Side::After);
    for (book, listing, bundle) in bundles_named(db, name) {
        listings.push(listing);
        let (run, setup) = command_of(&bundle);
        let form = BundleForm {
            book,
            run,
            setup,
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
            if *other == bundle {
                seen.book = BookSide::Both;
                same = true;
            }
        }
        if !same {
            forms.push((form, bundle));
        }
    }
    if forms.is_empty() {
        return None;
    }
    let critical = forms.iter().any(|(_, bundle)| bundle.critical);
    // Where the books differ, the fewer retries count in both forms.
    let retries = forms.iter().map(|(form, _)| form.retries).min().unwrap_or(0);
    let forms = forms.into_iter().map(|(form, _)| BundleForm { retries, ..form }).collect();
    let narrowing = impact.of_bundle(name);
    let mut selected: BTreeSet<&String> = BTreeSet::new();
    let mut whole: BTreeSet<FileId> = BTreeSet::new();
    // Both books may hold a test, and parts of one name are one.
    let mut sources: BTreeMap<&String, ChosenBy> = BTreeMap::new();
    let mut told: BTreeSet<&String> = BTreeSet::new();
    for listing in &listings {
        if narrowed {
            for (part, place) in &listing.parts {
                let id = &listing.tests[*place as usize];
                if listing.unsure.binary_search(part).is_ok() {
                    let runs = narrowing.runs_unsure(nodes, *part);
                    if runs == Some(false) {
                        whole.insert(nodes.part(*part).file);
                    }
                    if runs != Some(true) {
                        continue;
                    }
                }
                if narrowing.is_told(*part) {
                    told.insert(id);
                }
                if let Some(source) = narrowing.chosen_by(*part) {
                    let strongest = sources.entry(id).or_insert(source);
                    *strongest = source.min(*strongest);
                }
            }
            for (file, single) in narrowing.unread(nodes).filter(|(file, _)| listing.holds(nodes, *file)) {
                match single {
                    Some((id, by)) => {
                        sources.insert(id, by);
                    }
                    None => {
                        whole.insert(file);
                    }
                }
            }
            told.extend(narrowing.known(nodes).filter(|(file, _)| listing.holds(nodes, *file)).map(|(_, id)| id));
            let failed = narrowing.failed.into_iter().flat_map(|failed| &failed.files);
            whole.extend(failed.copied().filter(|file| listing.holds(nodes, *file)));
            let heirs = impact.heirs.iter().filter(|file| listing.holds(nodes, **file));
            whole.extend(heirs.filter(|file| narrowing.reaches_heir(nodes, **file)));
        } else {
            whole.extend(impact.heirs.iter().filter(|file| listing.holds(nodes, **file)));
            let unsure: BTreeSet<String> = listing.unsure.iter().map(|test| test_id(&nodes.key(*test))).collect();
            selected.extend(listing.tests.iter().filter(|test| is_listed(test) && !unsure.contains(*test)));
            whole.extend(listing.unsure.iter().map(|test| nodes.part(*test).file));
        }
        whole.extend(&listing.unread);
        let runs = |file: &&FileId| !narrowed || narrowing.reaches_by_file(nodes, **file);
        whole.extend(listing.by_file.iter().filter(runs));
    }
    selected.extend(sources.keys());
    let selected = selected.into_iter().cloned().collect();
    let sources = Sources::of(sources.into_values(), told.len());
    Some(BundlePlan {
        name: name.to_owned(),
        critical,
        forms,
        narrowed,
        tests: with_more(together(&listings, |listing| &listing.tests), told.iter().copied()),
        selected,
        files: together(&listings, |listing| &listing.files),
        whole: whole.into_iter().map(|file| nodes.file(file).path.to_string()).collect(),
        widened: if narrowed { impact.widened.clone() } else { Vec::new() },
        sources,
        unused_record: impact.unused_record(name).filter(|_| narrowed).cloned(),
        derivation,
    })
}

/// Every bundle of both books that holds tests, whole.
pub(crate) fn every_bundle(db: &dyn Db) -> Vec<BundlePlan> {
    let all = books(db).into_iter().flat_map(|(_, book)| {
        names(db, book).of_kind(Kind::Bundle).map(|(name, _)| name.to_string()).collect::<Vec<_>>()
    });
    let all: BTreeSet<String> = all.collect();
    let impact = impact(db);
    let plans = all.iter().filter_map(|name| bundle_plan(db, name, false, Vec::new(), &impact));
    plans.filter(|bundle| !bundle.tests.is_empty() || !bundle.whole.is_empty()).collect()
}

/// By bundle: the recorded tests whose record holds for the after side, too, by id; and the files of which it still has every
/// test, by path.
pub(crate) fn still_recorded(db: &dyn Db) -> BTreeMap<String, BTreeSet<String>> {
    let impact = impact(db);
    if !impact.widened.is_empty() {
        return BTreeMap::new();
    }
    let graph = graph_of(db, Side::After);
    let mut all = BTreeMap::new();
    for (bundle, recorded) in &impact.recorded {
        let Ok(recorded) = recorded else { continue };
        let narrowing = impact.of_bundle(bundle);
        let parts = recorded.usable.ones().map(|index| PartId(u32::try_from(index).unwrap_or(u32::MAX)));
        let seen = parts.filter(|&part| narrowing.chosen_by(part).is_none()).map(|part| test_id(&graph.key(part)));
        let unread = recorded.unread.iter().filter(|(id, state)| {
            let file = id.split_once("::").and_then(|(path, _)| graph.file_by_path(path));
            let runs = |file| narrowing.runs_unread(recorded, graph.nodes(), file, **state);
            **state == Unread::NotEntered && file.is_some_and(|file| !runs(file))
        });
        let mut held: BTreeSet<String> = seen.chain(unread.map(|(id, _)| id.clone())).collect();
        // Of tests that only the record knows those that run now have a new one; with others their files are no longer known whole.
        let runs_now = |(id, state): &(&String, &Unread)| {
            let file = id.split_once("::").and_then(|(path, _)| graph.file_by_path(path));
            file.is_some_and(|file| narrowing.runs_unread(recorded, graph.nodes(), file, **state))
        };
        let lost = recorded.unread.iter().filter(|(id, _)| !held.contains(*id)).filter(|one| !runs_now(one));
        let mut lost: BTreeSet<&str> = lost.filter_map(|(id, _)| id.split_once("::")).map(|(path, _)| path).collect();
        // So it is with a test that may not be there by its name: that it is there is known by its record alone.
        for test in recorded.has.ones().map(|index| PartId(u32::try_from(index).unwrap_or(u32::MAX))) {
            let is_lost = || narrowing.chosen_by(test).is_none() && !held.contains(&test_id(&graph.key(test)));
            if is_unsure(graph.nodes(), test) && is_lost() {
                lost.insert(&graph.file(graph.part(test).file).path);
            }
        }
        let whole = recorded.whole.iter().map(|file| &*graph.file(*file).path);
        held.extend(whole.filter(|path| !lost.contains(path)).map(str::to_owned));
        all.insert(bundle.clone(), held);
    }
    all
}

/// A sorted list, and what it lacks of others.
fn with_more<'t>(list: Arc<Vec<String>>, others: impl Iterator<Item = &'t String>) -> Arc<Vec<String>> {
    let more: Vec<&String> = others.filter(|one| list.binary_search(one).is_err()).collect();
    if more.is_empty() {
        return list;
    }
    let mut all: Vec<String> = list.iter().chain(more).cloned().collect();
    all.sort_unstable();
    Arc::new(all)
}

/// What the books list, as one.
fn together(listings: &[Arc<Listing>], list: impl Fn(&Listing) -> &Arc<Vec<String>>) -> Arc<Vec<String>> {
    match listings {
        [one] => Arc::clone(list(one)),
        _ => {
            let all: BTreeSet<&String> = listings.iter().flat_map(|listing| list(listing).iter()).collect();
            Arc::new(all.into_iter().cloned().collect())
        }
    }
}

/// True for the id of a single test, which a report mentions; false for a file that is run whole.
fn is_listed(test: &str) -> bool {
    test.contains("::")
}

/// A bundle that names no timeout ends after ten minutes.
const DEFAULT_TIMEOUT_MS: u64 = 600_000;
