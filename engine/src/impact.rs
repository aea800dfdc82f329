//! What the change reaches, and so which tests of a bundle are run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use grace_dsl::ast::{self, ItemKind};
use grace_graph::change::{Kinds, is_documentation};
use grace_graph::code::{Dependent, Edge, EdgeKind, Evidence, FileId, FolderUse, PartId, PartKey, PartKind};
use grace_graph::decorators::leaves_alone;
use grace_graph::facts::Language;
use grace_graph::graph::{CodeGraph, Nodes};
use grace_graph::test_names::{
    governs_changes, governs_tests, is_script, is_test_name, lies_among_data, lies_among_tests,
};

use crate::book::{Kind, compiled, milliseconds, names};
use crate::conds::EDGE_KINDS;
use crate::db::{Db, Meant, graph_of, nodes_of};
use crate::join::books;
use crate::listing::{Listing, listing, named_like_tests};
use crate::loading::{heirs, keep_loading, that_load};
use crate::plan::{BookSide, BundleForm, BundlePlan, Derivation, Side, Sources, Widening, WideningCause};
use crate::reach::{FailedBefore, Recorded, Unread, Why, failed_before, recorded};
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
    heirs: Vec<FileId>,
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
        let reaching = |graph: &CodeGraph, side: Side| read_widely(graph, &seeds(db, graph, side));
        let mut reached = reaching(graph, Side::After);
        let renamed: BTreeMap<PartKey, PartKey> =
            noticed(db).iter().filter_map(|change| Some((change.before.clone()?, change.after.clone()?))).collect();
        for index in reaching(before, Side::Before).ones() {
            let key = before.key(PartId(u32::try_from(index).unwrap_or(u32::MAX)));
            if let Some(part) = graph.find(renamed.get(&key).unwrap_or(&key)) {
                reached.insert(part.0 as usize);
            }
        }
        let heirs = heirs(graph, &named_like_tests(db));
        let mut reached_heirs = that_load(graph, &seeds(db, graph, Side::After), &heirs);
        // What the change took away was loaded before it.
        let in_before = |file: &FileId| before.file_by_path(&graph.file(*file).path);
        let before_it: Vec<FileId> = heirs.iter().filter_map(in_before).collect();
        let loaded = that_load(before, &seeds(db, before, Side::Before), &before_it);
        reached_heirs.extend(loaded.iter().filter_map(|file| graph.file_by_path(&before.file(*file).path)));
        let (recorded, failed) = (recorded(db), failed_before(db));
        Self { changed, reached, widened: widened.into_iter().collect(), recorded, failed, heirs, reached_heirs }
    }

    /// Whether a part of the after side may behave otherwise.
    fn reaches(&self, part: usize) -> bool {
        !self.widened.is_empty() || self.reached.contains(part) || self.changed.contains(part)
    }

    /// Whether the change is seen to reach a test of the after side: where records tell of it, by one of them.
    pub(crate) fn reaches_test(&self, test: PartId) -> bool {
        let records = self.recorded.keys().map(|bundle| self.of_bundle(bundle));
        let mut told = records.filter(|narrowing| narrowing.has(test)).peekable();
        match told.peek() {
            None => self.of_bundle("").reaches_test(test),
            Some(_) => told.any(|narrowing| narrowing.reaches_test(test)),
        }
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

    /// Whether the tests that a file inherits are to run: where no record has them, all of the file is.
    fn reaches_heir(self, nodes: &Nodes, file: FileId) -> bool {
        let path = &*nodes.file(file).path;
        let has =
            |record: &Recorded| record.unread.keys().any(|id| id.split_once("::").is_some_and(|(of, _)| of == path));
        !self.impact.widened.is_empty() || self.impact.reached_heirs.contains(&file) && !self.record.is_some_and(has)
    }

    /// Files with tests that reading does not see, and that are to run by a record, or since they did not pass: all of such a file is run.
    fn unread_files(self, nodes: &'i Nodes) -> impl Iterator<Item = FileId> + 'i {
        let unread = self.record.into_iter().flat_map(|record| record.unread.iter().map(move |one| (record, one)));
        let unread = unread.filter_map(move |(record, (id, state))| {
            let file = nodes.file_by_path(id.split_once("::").map_or(id, |(path, _)| path))?;
            self.runs_unread(record, nodes, file, *state).then_some(file)
        });
        unread.chain(self.failed.into_iter().flat_map(|failed| failed.files.iter().copied()))
    }

    fn runs_unread(self, record: &Recorded, nodes: &Nodes, file: FileId, state: Unread) -> bool {
        let reaches =
            |parts: &fixedbitset::FixedBitSet| nodes.parts_of(file).any(|part| parts.contains(part.0 as usize));
        match state {
            Unread::Chosen => true,
            Unread::NotEntered => reaches(&record.read),
            Unread::Untold => reaches(&self.impact.reached),
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

/// How far the effects of a change are followed.
///
/// A function affects those who call or use it. Import-time code (a module body, a class header that is built by
/// something affected) affects everything in its file and, by file, whoever imports it; `conftest.py` and
/// `__init__.py` affect what lies below them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    /// Along what is known without guessing.
    Certain,
    /// Along guesses too.
    Possible,
    /// To choose tests by: also to whoever may use a part unseen, however many are seen to use it. What nobody uses or a
    /// decorator may keep is used by whoever imports its file; a method by whoever holds an object of its class; and what
    /// lies in a folder or module by what loads, runs, reads or asks it without naming what it means.
    Widely,
}

/// Where the effects of a change have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    /// A part that behaves otherwise.
    Part(PartId),
    /// A class whose objects behave otherwise, though its header does not.
    Held(PartId),
}

/// What some changed parts reach, as tests are chosen by it.
pub(crate) fn read_widely(graph: &CodeGraph, seeds: &[PartId]) -> fixedbitset::FixedBitSet {
    let mut reached = affected(graph, seeds, Follow::Widely);
    keep_loading(graph, seeds, &mut reached);
    reached
}

/// Everything that behaves otherwise when some parts do, as far as static reading tells.
pub(crate) fn affected(graph: &CodeGraph, seeds: &[PartId], follow: Follow) -> fixedbitset::FixedBitSet {
    let mut reached = graph.empty_set();
    let mut held = graph.empty_set();
    let mut folders = Folders::of(graph, seeds.iter().copied());
    let mut queue: Vec<At> = Vec::new();
    let mut reach = |at: At, queue: &mut Vec<At>| {
        let is_new = match at {
            At::Part(part) => !reached.put(part.0 as usize),
            At::Held(class) => !held.put(class.0 as usize),
        };
        if is_new {
            queue.push(at);
        }
    };
    for &seed in seeds {
        reach(At::Part(seed), &mut queue);
    }
    while let Some(at) = queue.pop() {
        affects(graph, at, follow, &mut folders, |_, next, _| reach(next, &mut queue));
    }
    reached
}

/// The folders that were asked for their dependents, by what the files in them are.
struct Folders<'g> {
    asked: BTreeSet<(&'g str, Content)>,
    files: fixedbitset::FixedBitSet,
    /// Files that changed. A source that is only reached says what it said: who reads it as text sees nothing else.
    changed: BTreeSet<FileId>,
}

impl<'g> Folders<'g> {
    fn of(graph: &CodeGraph, seeds: impl Iterator<Item = PartId>) -> Self {
        let changed = seeds.map(|seed| graph.part(seed).file).collect();
        Self { asked: BTreeSet::new(), files: fixedbitset::FixedBitSet::new(), changed }
    }

    /// The folders around a file that were not asked yet, and what the file is to them.
    fn around(&mut self, graph: &'g CodeGraph, file: FileId) -> (Vec<&'g str>, Content) {
        let mut folders = Vec::new();
        self.files.grow(graph.files().len());
        if graph.dependents().is_empty() || self.files.put(file.0 as usize) {
            return (folders, Content::Data);
        }
        let content = match Content::of(graph, file) {
            Content::Both if !self.changed.contains(&file) => Content::Code,
            content => content,
        };
        // What hangs on a single module asks for it by its path.
        let mut folder = &*graph.file(file).path;
        folders.push(folder);
        while !folder.is_empty() {
            folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
            if !self.asked.insert((folder, content)) {
                // Those around it were asked with it.
                break;
            }
            folders.push(folder);
        }
        (folders, content)
    }
}

/// What one thing affects directly: each with the part that it is reached from (this one, or one reached so) and the edge,
/// where there is one. Folders that were asked for their dependents are not asked again.
fn affects<'g>(
    graph: &'g CodeGraph,
    at: At,
    follow: Follow,
    folders: &mut Folders<'g>,
    mut reach: impl FnMut(PartId, At, Option<&'g Edge>),
) {
    let part = match at {
        At::Held(class) => return affects_holders(graph, class, reach),
        At::Part(part) => part,
    };
    let sure = |edge: &&Edge| follow != Follow::Certain || edge.evidence.is_certain();
    for edge in graph.in_edges(part, EDGE_KINDS).filter(sure).filter(|edge| !names_only(graph, edge)) {
        let from = edge.from;
        if follow == Follow::Widely && is_own_operator(graph, edge) {
            reach(part, At::Held(from), Some(edge));
            continue;
        }
        reach(part, At::Part(from), Some(edge));
        if graph.part(from).kind == PartKind::Class {
            reach(from, At::Part(graph.module_of(from)), None);
        }
        if follow == Follow::Widely
            && let Some(around) = decorated_in(graph, edge)
        {
            reach(from, At::Part(around), None);
        }
    }
    if graph.part(part).kind == PartKind::Module {
        runs_with(graph, part, |next| reach(part, At::Part(next), None));
        if follow != Follow::Certain {
            package_step(graph, graph.part(part).file, |body| reach(part, At::Part(body), None));
        }
    }
    if follow == Follow::Widely {
        if let Some(user) = unseen_user(graph, part) {
            reach(part, user, None);
        }
        let (around, content) = folders.around(graph, graph.part(part).file);
        for folder in around {
            for dependent in graph.dependents_of(folder).iter().filter(|one| hangs_on(one, content)) {
                reach(part, At::Part(dependent.part), None);
            }
        }
    }
}

/// What a file is to those who hang on its folder. A source that nothing uses may be both: tests read such ones, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Content {
    /// What people read, or a script: tests that read it name it, or a folder below the root.
    Document,
    Data,
    Code,
    Both,
}

impl Content {
    pub(crate) fn of(graph: &CodeGraph, file: FileId) -> Self {
        match (graph.part(graph.body_of(file)).kind, graph.may_be_data(file)) {
            (PartKind::File, _) if is_documentation(&graph.file(file).path) || is_script(&graph.file(file).path) => {
                Self::Document
            }
            (PartKind::File, _) => Self::Data,
            (_, true) => Self::Both,
            (_, false) => Self::Code,
        }
    }
}

/// Whether such a use of a folder hangs on a file.
pub(crate) fn hangs_on(one: &Dependent, content: Content) -> bool {
    match one.usage {
        FolderUse::Loads | FolderUse::Attributes => matches!(content, Content::Code | Content::Both),
        FolderUse::Reads if content == Content::Document => !one.folder.is_empty(),
        FolderUse::Reads => content != Content::Code,
        FolderUse::Runs => true,
    }
}

/// What runs where a module body runs, or after it: its file; of a `conftest.py` or `__init__.py` what lies below.
pub(crate) fn runs_with(graph: &CodeGraph, body: PartId, mut reach: impl FnMut(PartId)) {
    let node = graph.part(body);
    graph.parts_of(node.file).for_each(&mut reach);
    let (directory, name) = graph.file(node.file).path.rsplit_once('/').unwrap_or(("", &graph.file(node.file).path));
    // A `__init__.py` at the root belongs to no package.
    if name == "conftest.py" || name == "__init__.py" && !directory.is_empty() {
        for other in graph.files_below(directory) {
            reach(graph.body_of(other));
        }
    }
}

/// Who holds objects of a class that behave otherwise.
fn affects_holders<'g>(graph: &'g CodeGraph, class: PartId, mut reach: impl FnMut(PartId, At, Option<&'g Edge>)) {
    let mut has_users = false;
    let inside = class.0 as usize..class.0 as usize + graph.subtree(class).len();
    for edge in graph.in_edges(class, EDGE_KINDS).filter(|edge| !names_only(graph, edge)) {
        let from = edge.from;
        has_users |= !inside.contains(&(from.0 as usize));
        if graph.part(from).kind == PartKind::Class && edge.kind == EdgeKind::Inherits {
            reach(class, At::Held(from), Some(edge));
            continue;
        }
        reach(class, At::Part(from), Some(edge));
        if graph.part(from).kind == PartKind::Class {
            // Its body makes such an object, or is made by one: import-time code.
            reach(from, At::Part(graph.module_of(from)), None);
        }
    }
    for test in graph.children(class).filter(|&child| graph.part(child).is_test) {
        has_users = true;
        reach(class, At::Part(test), None);
    }
    if let Some(around) = graph.part(class).parent.filter(|_| !has_users || is_registered(graph, class)) {
        reach(class, At::Part(around), None);
    }
}

/// Whether a class may be kept where nobody names it: by what decorates it, or by what is above it.
fn is_registered(graph: &CodeGraph, class: PartId) -> bool {
    if !graph.part(class).decorators.iter().all(|name| leaves_alone(name)) {
        return true;
    }
    let mut seen = BTreeSet::from([class]);
    let mut open = vec![class];
    while let Some(class) = open.pop() {
        let above = graph.out_edges(class, &[EdgeKind::Inherits]).map(|edge| edge.to);
        open.extend(above.filter(|&above| seen.insert(above)));
        if seen.len() > MOST_ABOVE || graph.children(class).any(|child| &*graph.part(child).name == "__init_subclass__")
        {
            return true;
        }
    }
    false
}

/// What runs a decorator: the code around what it decorates. An edge does not say where in a part it stands, so that any use
/// without a call by something decorated counts.
fn decorated_in(graph: &CodeGraph, edge: &Edge) -> Option<PartId> {
    let from = graph.part(edge.from);
    let is_used_so = edge.kind == EdgeKind::References
        && matches!(from.kind, PartKind::Function | PartKind::Method)
        && !from.decorators.is_empty()
        && graph.file(from.file).language == Some(Language::Python);
    let around = from.parent.filter(|_| is_used_so)?;
    match graph.part(around).kind {
        PartKind::Function | PartKind::Method => Some(around),
        _ => Some(graph.module_of(around)),
    }
}

/// A class's edge to an operator of its own: the interpreter calls it for whoever holds an object.
fn is_own_operator(graph: &CodeGraph, edge: &Edge) -> bool {
    let (from, to) = (graph.part(edge.from), graph.part(edge.to));
    edge.evidence == Evidence::Guess
        && from.kind == PartKind::Class
        && to.parent == Some(edge.from)
        && !builds_classes(&to.name)
}

/// Methods that run when a class is made: import-time code.
fn builds_classes(name: &str) -> bool {
    matches!(name, "__init_subclass__" | "__set_name__" | "__class_getitem__" | "__prepare__")
}

/// Who may use a function or method without being seen to.
fn unseen_user(graph: &CodeGraph, part: PartId) -> Option<At> {
    let node = graph.part(part);
    if node.is_test || graph.file(node.file).language != Some(Language::Python) {
        return None;
    }
    let around = node.parent?;
    let is_used = || graph.in_edges(part, EDGE_KINDS).any(|edge| !names_only(graph, edge));
    match node.kind {
        PartKind::Method => Some(At::Held(around)),
        PartKind::Function if !node.decorators.iter().all(|name| leaves_alone(name)) || !is_used() => {
            Some(At::Part(around))
        }
        _ => None,
    }
}

/// What is compiled as one package changes as one: from a source to all files of its package, from a test to its tests. By
/// way of one that stands for all, so that the steps are as many as the files.
pub(crate) fn package_step(graph: &CodeGraph, file: FileId, mut reach: impl FnMut(PartId)) {
    let is_test = |file: FileId| is_test_name(&graph.file(file).path);
    let files = graph.compiled_with(file);
    if files.is_empty() {
        return;
    }
    let of_tests = is_test(file);
    let Some(&first) = files.iter().find(|&&other| is_test(other) == of_tests) else { return };
    if first != file {
        reach(graph.body_of(first));
        return;
    }
    files.iter().filter(|&&other| !of_tests || is_test(other)).for_each(|&other| reach(graph.body_of(other)));
}

/// [`package_step`] read backwards: what of its package a file changes with.
fn package_step_back(graph: &CodeGraph, file: FileId, mut add: impl FnMut(PartId)) {
    let is_test = |file: FileId| is_test_name(&graph.file(file).path);
    let files = graph.compiled_with(file);
    for of_tests in [false, true] {
        if of_tests && !is_test(file) {
            return;
        }
        let Some(&first) = files.iter().find(|&&other| is_test(other) == of_tests) else { continue };
        if first == file {
            files.iter().filter(|&&other| is_test(other) == of_tests).for_each(|&other| add(graph.body_of(other)));
        } else {
            add(graph.body_of(first));
        }
    }
}

/// A step of a way that the change takes: over an edge, or from a part to what runs with it.
pub(crate) struct Reached<'g> {
    pub(crate) from: PartId,
    pub(crate) to: PartId,
    pub(crate) edge: Option<&'g Edge>,
}

/// A shortest way by which [`affected`] comes from one of some parts to another part; certain edges alone where they do,
/// then what is seen, then whatever tests are chosen by.
pub(crate) fn way_to<'g>(graph: &'g CodeGraph, seeds: &BTreeSet<PartId>, end: PartId) -> Option<Vec<Reached<'g>>> {
    let end = At::Part(end);
    [Follow::Certain, Follow::Possible, Follow::Widely].into_iter().find_map(|follow| {
        // Where each was reached from: the thing itself, and the step.
        let mut came: BTreeMap<At, Option<(At, Reached<'g>)>> =
            seeds.iter().map(|&seed| (At::Part(seed), None)).collect();
        let mut queue: VecDeque<At> = seeds.iter().map(|&seed| At::Part(seed)).collect();
        let mut folders = Folders::of(graph, seeds.iter().copied());
        while let Some(at) = queue.pop_front().filter(|_| !came.contains_key(&end)) {
            affects(graph, at, follow, &mut folders, |from, next, edge| {
                let (At::Part(to) | At::Held(to)) = next;
                // From a class that is built by what was reached on to its module.
                let before = if At::Part(from) == at || At::Held(from) == at { at } else { At::Part(from) };
                came.entry(next).or_insert_with(|| {
                    queue.push_back(next);
                    Some((before, Reached { from, to, edge }))
                });
            });
        }
        let mut way = Vec::new();
        let mut at = end;
        while let Some((before, step)) = came.remove(&at)? {
            at = before;
            way.push(step);
        }
        way.reverse();
        Some(way)
    })
}

/// A class below more than these counts as kept by one of them.
const MOST_ABOVE: usize = 256;
/// Parts above so many are not followed one by one to their tests.
const FEW: usize = 16;

/// Of some parts and the modules that hold them, those whose change affects a test.
pub(crate) fn reaching_tests(
    graph: &CodeGraph,
    parts: &BTreeSet<PartId>,
    certain_only: bool,
) -> fixedbitset::FixedBitSet {
    let follow = if certain_only { Follow::Certain } else { Follow::Possible };
    if parts.len() > FEW {
        return reaches_tests(graph, certain_only);
    }
    let mut reaching = graph.empty_set();
    for part in parts.iter().flat_map(|&part| [part, graph.module_of(part)]) {
        let affected = affected(graph, &[part], follow);
        if graph.tests().iter().any(|test| affected.contains(test.0 as usize)) {
            reaching.insert(part.0 as usize);
        }
    }
    reaching
}

/// The parts whose change affects a test: [`affected`] read backwards, from all tests at once, without unseen users.
fn reaches_tests(graph: &CodeGraph, certain_only: bool) -> fixedbitset::FixedBitSet {
    let mut found = graph.empty_set();
    let mut queue: Vec<PartId> = Vec::new();
    let mut add = |part: PartId, queue: &mut Vec<PartId>| {
        if !found.put(part.0 as usize) {
            queue.push(part);
        }
    };
    for &test in graph.tests() {
        add(test, &mut queue);
    }
    let sure = |edge: &&Edge| !certain_only || edge.evidence.is_certain();
    while let Some(part) = queue.pop() {
        let node = graph.part(part);
        let used = graph.out_edges(part, EDGE_KINDS).filter(sure).filter(|edge| !names_only(graph, edge));
        used.for_each(|edge| add(edge.to, &mut queue));
        let body = graph.module_of(part);
        if graph.part(body).kind == PartKind::Module {
            add(body, &mut queue);
        }
        if part != body {
            continue;
        }
        if !certain_only {
            package_step_back(graph, node.file, |other| add(other, &mut queue));
        }
        for class in graph.parts_of(node.file).filter(|&inside| graph.part(inside).kind == PartKind::Class) {
            graph.out_edges(class, EDGE_KINDS).filter(sure).for_each(|edge| add(edge.to, &mut queue));
        }
        let file = graph.file(node.file);
        let mut directory = file.path.as_ref();
        while !directory.is_empty() {
            directory = directory.rsplit_once('/').map_or("", |(above, _)| above);
            let (inside, initialized) = match directory {
                "" => ("conftest.py".to_owned(), None),
                _ => (format!("{directory}/conftest.py"), Some(format!("{directory}/__init__.py"))),
            };
            for path in initialized.iter().chain([&inside]) {
                let body = graph.file_by_path(path).map(|file| graph.body_of(file));
                if let Some(body) = body.filter(|&body| graph.part(body).kind == PartKind::Module) {
                    add(body, &mut queue);
                }
            }
        }
    }
    found
}

/// To import a function's name runs nothing of it; of a plain file, all of it.
pub(crate) fn names_only(graph: &CodeGraph, edge: &Edge) -> bool {
    edge.kind == EdgeKind::Imports
        && graph.part(edge.from).kind == PartKind::Module
        && !matches!(graph.part(edge.to).kind, PartKind::Module | PartKind::File)
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
    let is_reached = |part: PartId| impact.reaches(part.0 as usize);
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
                if narrowing.is_told(*part) {
                    told.insert(id);
                }
                if let Some(source) = narrowing.chosen_by(*part) {
                    let strongest = sources.entry(id).or_insert(source);
                    *strongest = source.min(*strongest);
                }
            }
            whole.extend(narrowing.unread_files(nodes).filter(|file| listing.holds(nodes, *file)));
            let heirs = impact.heirs.iter().filter(|file| listing.holds(nodes, **file));
            whole.extend(heirs.filter(|file| narrowing.reaches_heir(nodes, **file)));
        } else {
            whole.extend(impact.heirs.iter().filter(|file| listing.holds(nodes, **file)));
            selected.extend(listing.tests.iter().filter(|test| is_listed(test)));
        }
        whole.extend(&listing.unread);
        let runs = |file: &&FileId| !narrowed || nodes.parts_of(**file).any(is_reached);
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
        tests: together(&listings, |listing| &listing.tests),
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

/// By bundle: the recorded tests whose record holds for the after side, too.
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
        all.insert(bundle.clone(), seen.chain(unread.map(|(id, _)| id.clone())).collect());
    }
    all
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

#[cfg(test)]
mod tests {
    use grace_graph::extract::extract;
    use grace_graph::facts::Language;
    use grace_graph::graph::GraphFile;

    use super::*;

    #[test]
    fn what_reaches_a_test_is_what_affects_one() {
        let files = [
            ("conftest.py", "import app.fixtures\n"),
            ("app/__init__.py", "from app.made import Made\n"),
            ("app/fixtures.py", "def box():\n    return 1\n"),
            (
                "app/made.py",
                "from app.parents import Parent\n\n\nclass Made(Parent):\n    def go(self):\n        return 1\n",
            ),
            (
                "app/parents.py",
                "class Parent:\n    pass\n\n\ndef unused():\n    return used()\n\n\ndef used():\n    return 2\n",
            ),
            ("app/alone.py", "def alone():\n    return 1\n"),
            ("app/sub/__init__.py", "import app.parents\n"),
            ("app/sub/test_sub.py", "def test_sub():\n    assert True\n"),
            ("tests/__init__.py", "X = 1\n"),
            ("tests/test_a.py", "from app.parents import used\n\n\ndef test_a():\n    assert used() == 2\n"),
        ];
        let facts = files.map(|(_, text)| extract(Language::Python, text.as_bytes()));
        let graph = CodeGraph::build(
            files.iter().zip(&facts).map(|((path, _), facts)| GraphFile::new((*path).into(), Some(facts))).collect(),
        );
        for certain_only in [true, false] {
            let reaches = reaches_tests(&graph, certain_only);
            let mut both = [false, false];
            for part in graph.part_ids() {
                let follow = if certain_only { Follow::Certain } else { Follow::Possible };
                let affected = affected(&graph, &[part], follow);
                let affects_one = affected.ones().any(|index| graph.parts()[index].is_test);
                let one = reaching_tests(&graph, &BTreeSet::from([part]), certain_only);
                assert_eq!(one.contains(part.0 as usize), affects_one, "{}", graph.qualified_name(part));
                assert_eq!(reaches.contains(part.0 as usize), affects_one, "{}", graph.qualified_name(part));
                both[usize::from(affects_one)] = true;
            }
            assert_eq!(both, [true, true]);
        }
    }
}
