//! What runs of the past saw each test enter, and which tests a change reaches by it.
//!
//! A test whose record holds for the tree before the change behaves as it did up to where it enters a function whose body
//! changed, or reads a value that changed. So the change of a body alone reaches the tests that entered it, and whatever
//! hangs on a module that ran it while it was imported. Everything else that a change can be is followed by reading, as
//! without a record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use grace_graph::change::{Kinds, is_documentation};
use grace_graph::code::{FileId, PartId, PartKey, PartKind};
use grace_graph::graph::{CodeGraph, Nodes};
use grace_graph::test_names::governs_tests;
use serde::{Deserialize, Serialize};

use crate::affects::{names_only, read_widely};
use crate::conds::EDGE_KINDS;
use crate::db::{Db, Meant, World, graph_of};
use crate::impact::{bundles_named, command_of, seeds_of, test_id, widening};
use crate::plan::Side;
use crate::text::noticed;

/// What was seen while something ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Seen {
    /// Indices of [`Reach::parts`], sorted.
    pub entered: Vec<u32>,
    /// Indices of [`Reach::opened`], sorted.
    pub opened: Vec<u32>,
    /// It went on where nobody looked: in another process, or in a thread that outlived it.
    pub unseen: bool,
}

impl Seen {
    fn len(&self) -> usize {
        self.entered.len() + self.opened.len() + 1
    }

    fn union(&mut self, other: Self) {
        for (mine, more) in [(&mut self.entered, other.entered), (&mut self.opened, other.opened)] {
            mine.extend(more);
            mine.sort_unstable();
            mine.dedup();
        }
        self.unseen |= other.unseen;
    }
}

/// Joins two sorted lists into the first; where the elements of each are then.
fn merged<T: Clone + Ord>(mine: &mut Vec<T>, more: &[T]) -> (Vec<u32>, Vec<u32>) {
    let mut all: Vec<T> = mine.iter().chain(more).cloned().collect();
    all.sort_unstable();
    all.dedup();
    let place = |one: &T| all.binary_search(one).ok().and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX);
    let places = (mine.iter().map(place).collect(), more.iter().map(place).collect());
    *mine = all;
    places
}

/// What was seen of a test, with its set-up and tear-down; of all its parameters together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TestReach {
    /// Index of [`Reach::runs`].
    pub run: u32,
    /// It did not pass.
    pub failed: bool,
    /// What was seen.
    pub seen: Seen,
}

/// What was recorded of a tree's tests. Each test's record holds for one and the same tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reach {
    /// The runs that it is from.
    pub runs: Vec<String>,
    /// Every part that was entered, sorted.
    pub parts: Vec<PartKey>,
    /// Paths of files that were opened, sorted.
    pub opened: Vec<String>,
    /// Parts that may keep what they computed for those who ask later: indices, sorted.
    pub keeps: Vec<u32>,
    /// Of them, those that hand out what they kept without being entered: indices, sorted.
    pub hands: Vec<u32>,
    /// By path of a module: what ran while it was imported or collected.
    pub imports: BTreeMap<String, Seen>,
    /// What ran outside of every test and import.
    pub outside: Seen,
    /// Paths of modules that ran before anybody looked, or that were imported from elsewhere; sorted.
    pub unseen: Vec<String>,
    /// By id: `path::Class::method`.
    pub tests: BTreeMap<String, TestReach>,
    /// Paths of test files all of whose tests were run, those too that reading does not see; sorted.
    pub whole: Vec<String>,
}

impl Reach {
    /// The index of a part that was entered.
    fn part(&self, key: &PartKey) -> Option<u32> {
        self.parts.binary_search(key).ok().and_then(|index| u32::try_from(index).ok())
    }

    fn file(&self, path: &str) -> Option<u32> {
        let found = self.opened.binary_search_by(|opened| opened.as_str().cmp(path));
        found.ok().and_then(|index| u32::try_from(index).ok())
    }

    /// True where every index is one of something, and everything is in order.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let ascends = |indices: &[u32], below: usize| {
            indices.is_sorted_by(|left, right| left < right)
                && indices.last().is_none_or(|&last| (last as usize) < below)
        };
        let all = self.tests.values().map(|test| &test.seen).chain(self.imports.values()).chain([&self.outside]);
        let mut fits =
            all.map(|seen| ascends(&seen.entered, self.parts.len()) && ascends(&seen.opened, self.opened.len()));
        fits.all(|fits| fits)
            && ascends(&self.keeps, self.parts.len())
            && ascends(&self.hands, self.parts.len())
            && self.tests.values().all(|test| (test.run as usize) < self.runs.len())
            && self.parts.is_sorted_by(|left, right| left < right)
            && self.opened.is_sorted_by(|left, right| left < right)
            && self.unseen.is_sorted()
            && self.whole.is_sorted()
    }
}

/// A record, what it is of, and where it is out of date.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PastReach {
    /// The bundle whose tests ran.
    pub bundle: String,
    /// Its command as the rule book has it.
    pub run: Vec<String>,
    /// What set it up.
    pub setup: Vec<String>,
    /// A name for the interpreter, the packages and whatever else it ran in.
    pub ran_in: [u8; 32],
    /// Why it tells nothing of a run now: another interpreter, other packages.
    pub unlike: Option<String>,
    /// The record.
    pub reach: Arc<Reach>,
    /// Paths that had another content where it was made than on either side of the change; sorted.
    pub differs: Vec<String>,
}

/// What a record says of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// Tests of the after side whose record tells what the change of a body reaches.
    pub(crate) usable: FixedBitSet,
    /// All tests of the after side that it has.
    pub(crate) has: FixedBitSet,
    /// Tests that the record chooses: each with the part that it entered, or the file that it opened.
    pub(crate) chosen: BTreeMap<PartId, Why>,
    /// Recorded tests that reading does not see, by id: inherited ones, and those that are made at run time.
    pub(crate) unread: BTreeMap<String, Unread>,
    /// What the part of the change reaches that is followed by reading.
    pub(crate) read: FixedBitSet,
    /// Test files of the after side of which the record has every test: `read` does not come to them.
    pub(crate) whole: BTreeSet<FileId>,
}

/// What a record says of a test that reading does not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is out of date, or incomplete.
    Untold,
    /// The change is not among what it entered.
    NotEntered,
    /// It is to run.
    Chosen,
}

/// Why a record chooses a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// It entered this part.
    Entered { part: PartKey, run: String },
    /// It entered a part that may hold what this one computed.
    Kept { part: PartKey, by: PartKey, run: String },
    /// It opened this file.
    Opened { path: String, run: String },
    /// The part ran outside of every test.
    Outside { part: PartKey, run: String },
    /// It did not pass when it last ran.
    Failed { run: String },
}

impl Why {
    /// In words.
    pub(crate) fn words(&self) -> String {
        let part = |part: &PartKey| match part.name.as_ref() {
            "" => part.path.to_string(),
            name => format!("{name} in {}", part.path),
        };
        match self {
            Self::Entered { part: key, run } => format!("in run {run} it entered {}", part(key)),
            Self::Kept { part: key, by, run } => {
                format!("in run {run} it entered {}, which may hold what {} computed", part(by), part(key))
            }
            Self::Opened { path, run } => format!("in run {run} it opened {path}"),
            Self::Outside { part: key, run } => format!("in run {run} {} ran outside of every test", part(key)),
            Self::Failed { run } => format!("in run {run} it did not pass"),
        }
    }
}

/// Tests of a bundle that did not pass when they ran last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FailedBefore {
    /// Those of the after side that reading sees.
    pub(crate) tests: BTreeMap<PartId, Why>,
    /// Files of the others.
    pub(crate) files: BTreeSet<FileId>,
}

/// By bundle: what did not pass when it ran last. What is no more is left out.
pub(crate) fn failed_before(db: &dyn Db) -> BTreeMap<String, FailedBefore> {
    let failed = &World::get(db).past(db).failed;
    if failed.is_empty() {
        return BTreeMap::new();
    }
    let after = graph_of(db, Side::After);
    let tests = tests_by_id(after);
    let of_bundle = |ids: &BTreeMap<String, String>| {
        let mut found = FailedBefore::default();
        for (id, run) in ids {
            let path = id.split_once("::").map_or(id.as_str(), |(path, _)| path);
            match (tests.get(id), after.file_by_path(path)) {
                (Some(&test), _) => {
                    found.tests.insert(test, Why::Failed { run: run.clone() });
                }
                (None, Some(file)) => {
                    found.files.insert(file);
                }
                (None, None) => {}
            }
        }
        found
    };
    failed.iter().map(|(bundle, ids)| (bundle.clone(), of_bundle(ids))).collect()
}

fn tests_by_id(graph: &CodeGraph) -> BTreeMap<String, PartId> {
    graph.tests().iter().map(|&test| (test_id(&graph.key(test)), test)).collect()
}

/// By bundle: what its record says of the change, or why a record that is there is not used.
pub(crate) fn recorded(db: &dyn Db) -> BTreeMap<String, Result<Recorded, String>> {
    let past = World::get(db).past(db);
    let names: BTreeSet<&String> = past.reach.iter().map(|past| &past.bundle).collect();
    let mut found = BTreeMap::new();
    for name in names {
        let commands: Vec<_> = bundles_named(db, name).into_iter().map(|(_, _, bundle)| command_of(&bundle)).collect();
        if commands.is_empty() {
            continue;
        }
        let runs_so = |past: &&PastReach| commands.iter().all(|(run, setup)| *run == past.run && *setup == past.setup);
        let said = match past.reach.iter().filter(|past| past.bundle == *name).find(runs_so) {
            Some(PastReach { unlike: Some(why), .. }) => Err(why.clone()),
            Some(past) => of_one(db, past),
            None => Err("it is run by another command than when its tests were recorded".to_owned()),
        };
        found.insert(name.clone(), said);
    }
    found
}

/// What one record says of the change; why it is not used.
fn of_one(db: &dyn Db, past: &PastReach) -> Result<Recorded, String> {
    let reach = &*past.reach;
    let (before, after) = (graph_of(db, Side::Before), graph_of(db, Side::After));
    let ids = tests_by_id(after);
    let stale = Stale::of(past, before, after)?;
    let blind = Blind::of(reach, before, after)?;
    let mut usable = after.empty_set();
    // Several parts may be of one id.
    let mut has = after.empty_set();
    let recorded = |test: &&PartId| reach.tests.contains_key(&test_id(&after.key(**test)));
    after.tests().iter().filter(recorded).for_each(|test| has.insert(test.0 as usize));
    let mut chosen = BTreeMap::new();
    let mut unread = BTreeMap::new();
    // The tests that count, each with its part where reading sees it.
    let mut counted: Vec<(Option<PartId>, &str, &TestReach)> = Vec::new();
    for (id, test) in &reach.tests {
        let part = ids.get(id).copied();
        match part {
            Some(part) if test.failed => {
                chosen.insert(part, Why::Failed { run: reach.run_of(test) });
            }
            Some(_) => {}
            None => {
                unread.insert(id.clone(), if test.failed { Unread::Chosen } else { Unread::Untold });
            }
        }
        let is_usable = !test.seen.unseen && !test.failed && !stale.holds(id, part, test) && !blind.holds(id, part);
        if !is_usable {
            continue;
        }
        match part {
            Some(part) => usable.insert(part.0 as usize),
            None => {
                unread.insert(id.clone(), Unread::NotEntered);
            }
        }
        counted.push((part, id, test));
    }
    let changes = noticed(db);
    let (mut told, mut rest): (Vec<&Meant>, Vec<&Meant>) =
        changes.iter().partition(|change| is_told(reach, before, change));
    let held: usize = counted.iter().map(|(_, _, test)| &test.seen).chain(reach.imports.values()).map(Seen::len).sum();
    if told.len().saturating_mul(held) > MOST_LOOKED_AT {
        rest.append(&mut told);
    }
    let mut choose = |test: &(Option<PartId>, &str, &TestReach), why: &dyn Fn(String) -> Why| match test.0 {
        Some(part) => {
            chosen.entry(part).or_insert_with(|| why(reach.run_of(test.2)));
        }
        None => {
            unread.insert(test.1.to_owned(), Unread::Chosen);
        }
    };
    for change in &told {
        let Some(key) = &change.before else { continue };
        let Some(index) = reach.part(key) else { continue };
        let mut through: BTreeSet<u32> = reach
            .importers(index)
            .filter_map(|path| reach.imports.get(path))
            .flat_map(|seen| seen.entered.iter().copied())
            .collect();
        for test in &counted {
            if test.2.seen.entered.binary_search(&index).is_ok() {
                through.extend(test.2.seen.entered.iter().copied());
                choose(test, &|run| Why::Entered { part: key.clone(), run });
            }
        }
        for keeper in keepers(reach, before, key, &through) {
            for test in counted.iter().filter(|test| test.2.seen.entered.binary_search(&keeper).is_ok()) {
                let by = &reach.parts[keeper as usize];
                choose(test, &|run| Why::Kept { part: key.clone(), by: by.clone(), run });
            }
        }
    }
    // Each test is looked at once, however much changed.
    let mut outside = None;
    let (mut opened, mut paths) = (BTreeSet::new(), BTreeMap::new());
    for key in changes.iter().flat_map(|change| change.before.iter().chain(&change.after)) {
        let file = reach.file(&key.path);
        let entered = reach.part(key).is_some_and(|index| reach.outside.entered.binary_search(&index).is_ok());
        let read = file.is_some_and(|index| reach.outside.opened.binary_search(&index).is_ok());
        if outside.is_none() && (entered || read && key.kind == PartKind::File) {
            outside = Some(key);
        }
        opened.extend(file);
        paths.entry(&*key.path).or_insert(key);
    }
    for test in &counted {
        if let Some(key) = outside {
            choose(test, &|run| Why::Outside { part: key.clone(), run });
        } else if let Some(&index) = test.2.seen.opened.iter().find(|index| opened.contains(index)) {
            choose(test, &|run| Why::Opened { path: reach.opened[index as usize].clone(), run });
        } else if let Some(&key) = paths.get(file_of(test.1)).filter(|_| test.0.is_none()) {
            choose(test, &|run| Why::Entered { part: key.clone(), run });
        }
    }
    let read = read(db, reach, &rest, before, after);
    let whole = reach.whole.iter().filter_map(|path| after.file_by_path(path));
    // What ran outside of every import and test may have given any file its tests.
    let holds = |file: &FileId| outside.is_none() && !stale.holds_file(*file, after) && !blind.holds_file(*file, after);
    let whole = whole.filter(|file| holds(file) && !has_any(&read, *file, after.nodes())).collect();
    Ok(Recorded { usable, has, chosen, unread, read, whole })
}

impl Reach {
    /// Adds what another record holds, of the tests, and of the files that were run whole, that are wanted: by id, and by path.
    pub fn add(&mut self, other: &Self, wanted: impl Fn(&str) -> bool) {
        let (parts, of_parts) = merged(&mut self.parts, &other.parts);
        let (opened, of_opened) = merged(&mut self.opened, &other.opened);
        let renumber = |seen: &mut Seen, parts: &[u32], opened: &[u32]| {
            seen.entered = seen.entered.iter().map(|&index| parts[index as usize]).collect();
            seen.opened = seen.opened.iter().map(|&index| opened[index as usize]).collect();
        };
        let mine = self.tests.values_mut().map(|test| &mut test.seen);
        for seen in mine.chain(self.imports.values_mut()).chain([&mut self.outside]) {
            renumber(seen, &parts, &opened);
        }
        for (mine, more) in [(&mut self.keeps, &other.keeps), (&mut self.hands, &other.hands)] {
            let all = mine.iter().map(|&index| parts[index as usize]);
            let all: BTreeSet<u32> = all.chain(more.iter().map(|&index| of_parts[index as usize])).collect();
            *mine = all.into_iter().collect();
        }
        let theirs = |seen: &Seen| {
            let mut seen = seen.clone();
            renumber(&mut seen, &of_parts, &of_opened);
            seen
        };
        let first_run = u32::try_from(self.runs.len()).unwrap_or(u32::MAX);
        self.runs.extend(other.runs.iter().cloned());
        self.outside.union(theirs(&other.outside));
        for (path, seen) in &other.imports {
            self.imports.entry(path.clone()).or_default().union(theirs(seen));
        }
        self.unseen.extend(other.unseen.iter().cloned());
        self.unseen.sort_unstable();
        self.unseen.dedup();
        self.whole.extend(other.whole.iter().filter(|path| wanted(path)).cloned());
        self.whole.sort_unstable();
        self.whole.dedup();
        for (id, test) in other.tests.iter().filter(|(id, _)| wanted(id)) {
            let entry = self.tests.entry(id.clone()).or_default();
            entry.run = first_run.saturating_add(test.run);
            entry.failed |= test.failed;
            entry.seen.union(theirs(&test.seen));
        }
        self.forget_runs();
    }

    /// Drops the runs that no test is from.
    fn forget_runs(&mut self) {
        let used: BTreeSet<u32> = self.tests.values().map(|test| test.run).collect();
        let runs = used.iter().filter_map(|&run| self.runs.get(run as usize).cloned()).collect();
        let place: BTreeMap<u32, u32> = used.iter().copied().zip(0..).collect();
        self.tests.values_mut().for_each(|test| test.run = place.get(&test.run).copied().unwrap_or_default());
        self.runs = runs;
    }

    fn run_of(&self, test: &TestReach) -> String {
        self.runs.get(test.run as usize).cloned().unwrap_or_default()
    }

    /// Modules that ran a part while they were imported.
    fn importers(&self, index: u32) -> impl Iterator<Item = &str> {
        let ran = move |seen: &Seen| seen.entered.binary_search(&index).is_ok();
        self.imports.iter().filter(move |(_, seen)| ran(seen)).map(|(path, _)| path.as_str())
    }

    fn is_unseen(&self, path: &str) -> bool {
        self.unseen.binary_search_by(|unseen| unseen.as_str().cmp(path)).is_ok()
    }
}

/// Whether a record tells what a change reaches: nothing but the body of a Python function changed.
fn is_told(reach: &Reach, before: &CodeGraph, change: &Meant) -> bool {
    let (Some(old), Some(new)) = (&change.before, &change.after) else { return false };
    let is_function = matches!(new.kind, PartKind::Function | PartKind::Method);
    // An object is ended at any time.
    let is_called = !new.name.ends_with("__del__");
    old == new
        && change.kinds == Kinds::BODY
        && is_function
        && is_called
        && new.path.ends_with(".py")
        && !reach.is_unseen(&new.path)
        && before.find(old).is_some()
}

/// What is followed by reading: the rest of the change, and the modules that ran a changed part while they were imported.
fn read(db: &dyn Db, reach: &Reach, rest: &[&Meant], before: &CodeGraph, after: &CodeGraph) -> FixedBitSet {
    let changes = noticed(db);
    let rest: Vec<Meant> = rest.iter().map(|&change| change.clone()).collect();
    let keys = || changes.iter().flat_map(|change| change.before.iter().chain(&change.after));
    let parts: BTreeSet<u32> = keys().filter_map(|key| reach.part(key)).collect();
    let opened: BTreeSet<u32> = keys().filter_map(|key| reach.file(&key.path)).collect();
    let ran = |seen: &Seen| {
        seen.entered.iter().any(|index| parts.contains(index)) || seen.opened.iter().any(|index| opened.contains(index))
    };
    let importers: Vec<&String> = reach.imports.iter().filter(|(_, seen)| ran(seen)).map(|(path, _)| path).collect();
    let mut all = after.empty_set();
    for (graph, side) in [(before, Side::Before), (after, Side::After)] {
        let mut seeds = seeds_of(&rest, graph, side);
        let files = importers.iter().filter_map(|path| graph.file_by_path(path));
        seeds.extend(files.map(|file| graph.body_of(file)));
        seeds.sort_unstable();
        seeds.dedup();
        let found = read_widely(graph, &seeds);
        all.union_with(&on_after(&found, graph, after));
    }
    all
}

/// Whether a set holds a part of a file.
pub(crate) fn has_any(parts: &FixedBitSet, file: FileId, nodes: &Nodes) -> bool {
    nodes.parts_of(file).any(|part| parts.contains(part.0 as usize))
}

/// Parts of one graph as those of the after side.
fn on_after(parts: &FixedBitSet, graph: &CodeGraph, after: &CodeGraph) -> FixedBitSet {
    if std::ptr::eq(graph, after) {
        return parts.clone();
    }
    let mut found = after.empty_set();
    for index in parts.ones() {
        let part = PartId(u32::try_from(index).unwrap_or(u32::MAX));
        if let Some(part) = graph.find_again(part, after) {
            found.insert(part.0 as usize);
        }
    }
    found
}

/// Parts that may hold what a part computed for one test until another asks: they call it, at once or through others that
/// ran in the same tests, and keep something; so do those who ask for what is kept.
fn keepers(reach: &Reach, graph: &CodeGraph, key: &PartKey, through: &BTreeSet<u32>) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let Some(start) = graph.find(key) else { return found };
    let keeps = |index: u32| reach.keeps.binary_search(&index).is_ok();
    let mut seen = BTreeSet::from([start]);
    let mut queue = vec![start];
    let hands = |index: u32| reach.hands.binary_search(&index).is_ok();
    let itself = reach.part(key).filter(|&index| keeps(index));
    let mut asked: Vec<PartId> = itself.iter().filter(|&&index| hands(index)).map(|_| start).collect();
    found.extend(itself);
    while let Some(part) = queue.pop() {
        for edge in graph.in_edges(part, EDGE_KINDS).filter(|edge| !names_only(graph, edge)) {
            let caller = edge.from;
            let Some(index) = reach.part(&graph.key(caller)) else { continue };
            if !(keeps(index) || through.contains(&index)) || !seen.insert(caller) {
                continue;
            }
            if keeps(index) {
                found.insert(index);
            }
            if hands(index) {
                asked.push(caller);
            }
            queue.push(caller);
        }
    }
    // What is kept by a decorator is handed out without entering the function.
    for keeper in asked {
        for edge in graph.in_edges(keeper, EDGE_KINDS).filter(|edge| !names_only(graph, edge)) {
            found.extend(reach.part(&graph.key(edge.from)));
        }
    }
    found
}

/// What hangs on test files that went on where nobody looked while they were collected, by starting a process.
struct Blind<'a> {
    /// Parts of the after side that they may reach.
    reached: FixedBitSet,
    files: BTreeSet<&'a str>,
}

impl<'a> Blind<'a> {
    /// Why no record is of use where anything else did: a test may have talked to whatever it started.
    fn of(reach: &'a Reach, before: &CodeGraph, after: &CodeGraph) -> Result<Self, String> {
        let unseen = reach.imports.iter().filter(|(_, seen)| seen.unseen);
        let files: BTreeSet<&str> = unseen.map(|(path, _)| path.as_str()).collect();
        let mut reached = after.empty_set();
        if files.is_empty() && !reach.outside.unseen {
            return Ok(Self { reached, files });
        }
        let own: BTreeSet<&str> = reach.tests.keys().map(|id| file_of(id)).collect();
        if reach.outside.unseen || !files.is_subset(&own) {
            let by = files.difference(&own).next().map(|path| format!("{path} started"));
            let what = by.unwrap_or_else(|| "what ran outside of tests started".to_owned());
            return Err(format!("{what} a process when the tests were recorded"));
        }
        for graph in [before, after] {
            let found = files.iter().filter_map(|path| graph.file_by_path(path));
            let seeds: Vec<PartId> = found.map(|file| graph.body_of(file)).collect();
            reached.union_with(&on_after(&read_widely(graph, &seeds), graph, after));
        }
        Ok(Self { reached, files })
    }

    /// Whether more may have run for the tests of a file than the record tells.
    fn holds_file(&self, file: FileId, after: &CodeGraph) -> bool {
        self.files.contains(&*after.file(file).path) || has_any(&self.reached, file, after.nodes())
    }

    /// Whether more may have run for a test than its record tells.
    fn holds(&self, id: &str, part: Option<PartId>) -> bool {
        let is_reached = part.is_none_or(|part| self.reached.contains(part.0 as usize));
        !self.files.is_empty() && (is_reached || self.files.contains(file_of(id)))
    }
}

/// The file of a test, from its id.
fn file_of(id: &str) -> &str {
    id.split_once("::").map_or(id, |(file, _)| file)
}

/// Where more changed bodies stand against more of a record than this, all of the change is followed by reading.
const MOST_LOOKED_AT: usize = 50_000_000;
/// Where more files than these differ, a record is not looked at.
const MOST_DIFFERING: usize = 2_000;

/// What changed since the record was made, beside the change at hand.
struct Stale {
    /// Parts of the after side that it may reach.
    reached: FixedBitSet,
    /// Parts of the record that are there no more.
    gone: BTreeSet<u32>,
    opened: BTreeSet<u32>,
    /// All files that differ.
    files: BTreeSet<String>,
}

impl Stale {
    /// Why no record is of use where too much may have changed.
    fn of(past: &PastReach, before: &CodeGraph, after: &CodeGraph) -> Result<Self, String> {
        let reach = &*past.reach;
        if past.differs.len() > MOST_DIFFERING {
            return Err(format!("{} files changed since the tests were recorded", past.differs.len()));
        }
        let since = |path: &str| Err(format!("{path} changed since the tests were recorded"));
        let mut seeds = Vec::new();
        let differs: BTreeSet<&str> = past.differs.iter().map(String::as_str).collect();
        let of_these = |index: &u32| differs.contains(&*reach.parts[*index as usize].path);
        let gone: BTreeSet<u32> = (0..).take(reach.parts.len()).filter(of_these).collect();
        let mut opened = BTreeSet::new();
        let outside: BTreeSet<&str> =
            reach.outside.opened.iter().map(|&file| reach.opened[file as usize].as_str()).collect();
        for path in &past.differs {
            if is_documentation(path) && reach.file(path).is_none() {
                continue;
            }
            if governs_tests(path) || outside.contains(path.as_str()) {
                return since(path);
            }
            opened.extend(reach.file(path));
            match before.file_by_path(path) {
                Some(file) if widening(before, before.body_of(file)).is_none() => seeds.extend(before.parts_of(file)),
                _ => return since(path),
            }
        }
        if let Some(index) = gone.iter().find(|index| reach.outside.entered.binary_search(index).is_ok()) {
            return since(&reach.parts[*index as usize].path);
        }
        for (path, seen) in &reach.imports {
            let touches = seen.opened.iter().any(|file| opened.contains(file));
            if touches && let Some(file) = before.file_by_path(path) {
                seeds.push(before.body_of(file));
            }
        }
        let reached = match seeds.as_slice() {
            [] => after.empty_set(),
            seeds => on_after(&read_widely(before, seeds), before, after),
        };
        Ok(Self { reached, gone, opened, files: past.differs.iter().cloned().collect() })
    }

    /// Whether the record of which tests a file holds may be out of date.
    fn holds_file(&self, file: FileId, after: &CodeGraph) -> bool {
        self.files.contains(&*after.file(file).path) || has_any(&self.reached, file, after.nodes())
    }

    /// Whether the record of a test may be out of date.
    fn holds(&self, id: &str, part: Option<PartId>, test: &TestReach) -> bool {
        if self.files.is_empty() {
            return false;
        }
        let is_reached = match part {
            Some(part) => self.reached.contains(part.0 as usize),
            // Nobody knows what leads to it.
            None => true,
        };
        is_reached
            || self.files.contains(file_of(id))
            || test.seen.entered.iter().any(|index| self.gone.contains(index))
            || test.seen.opened.iter().any(|index| self.opened.contains(index))
    }
}
