//! How far the effects of a change go over the graph: from changed parts to everything that may behave otherwise, forwards
//! to choose tests by, and backwards from all tests. It knows edges, folders and packages, and neither bundles nor records.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use grace_graph::change::is_documentation;
use grace_graph::code::{Dependent, Edge, EdgeKind, Evidence, FileId, FolderUse, LanguageFamily, PartId, PartKind};
use grace_graph::decorators::leaves_alone;
use grace_graph::facts::Language;
use grace_graph::graph::CodeGraph;
use grace_graph::test_names::{is_script, is_test_name};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::conds::EDGE_KINDS;
use crate::loading::keep_loading;

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

/// A graph with what several walks ask of it.
pub(crate) struct Ground<'g> {
    pub(crate) graph: &'g CodeGraph,
    /// By folder: what hangs on it.
    dependents: FxHashMap<&'g str, &'g [Dependent]>,
    /// By file, as far as it was asked for.
    contents: RefCell<FxHashMap<FileId, Content>>,
}

impl<'g> Ground<'g> {
    pub(crate) fn new(graph: &'g CodeGraph) -> Self {
        let by_folder = graph.dependents().chunk_by(|one, other| one.folder == other.folder);
        let dependents = by_folder.filter_map(|all| Some((&*all.first()?.folder, all))).collect();
        Self { graph, dependents, contents: RefCell::default() }
    }

    /// The parts that hang on just this folder.
    pub(crate) fn dependents_of(&self, folder: &str) -> &'g [Dependent] {
        self.dependents.get(folder).copied().unwrap_or_default()
    }

    /// Nothing hangs on a folder.
    pub(crate) fn has_no_dependents(&self) -> bool {
        self.dependents.is_empty()
    }

    /// What a file is to those who hang on its folder, where it changed or may have.
    pub(crate) fn content(&self, file: FileId) -> Content {
        let mut contents = self.contents.borrow_mut();
        *contents.entry(file).or_insert_with(|| Content::of(self.graph, file, true))
    }
}

/// What some changed parts reach, as tests are chosen by it.
pub(crate) fn read_widely(graph: &CodeGraph, seeds: &[PartId]) -> fixedbitset::FixedBitSet {
    read_and_loaded(graph, seeds, &[]).0
}

/// [`read_widely`], and those of some test files that can come to load what changed.
pub(crate) fn read_and_loaded(
    graph: &CodeGraph,
    seeds: &[PartId],
    files: &[FileId],
) -> (fixedbitset::FixedBitSet, BTreeSet<FileId>) {
    let ground = Ground::new(graph);
    let mut reached = affected(&ground, seeds, Follow::Widely);
    let loaded = keep_loading(&ground, seeds, &mut reached, files);
    (reached, loaded)
}

/// Everything that behaves otherwise when some parts do, as far as static reading tells.
pub(crate) fn affected(ground: &Ground<'_>, seeds: &[PartId], follow: Follow) -> fixedbitset::FixedBitSet {
    let graph = ground.graph;
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
    let mut followed = Followed([graph.empty_set(), graph.empty_set()]);
    while let Some(at) = queue.pop() {
        affects(ground, at, follow, &mut folders, Some(&mut followed), |_, next, _| reach(next, &mut queue));
    }
    reached
}

/// Parts from which an edge was followed already: one that names them, and one of another kind. Where an edge leads hangs on
/// where it starts and whether it names something, but for a guess.
struct Followed([fixedbitset::FixedBitSet; 2]);

impl Followed {
    fn of(&mut self, edge: &Edge) -> Option<&mut fixedbitset::FixedBitSet> {
        let followed = &mut self.0[usize::from(edge.kind == EdgeKind::References)];
        (edge.evidence != Evidence::Guess).then_some(followed)
    }

    /// Nothing new is at the start of an edge.
    fn knows(&mut self, edge: &Edge) -> bool {
        self.of(edge).is_some_and(|followed| followed.contains(edge.from.0 as usize))
    }

    fn add(&mut self, edge: &Edge) {
        if let Some(followed) = self.of(edge) {
            followed.insert(edge.from.0 as usize);
        }
    }
}

/// The folders that were asked for their dependents, by what the files in them are.
struct Folders<'g> {
    asked: FxHashSet<(&'g str, Content)>,
    files: fixedbitset::FixedBitSet,
    /// Files that changed. A source that is only reached says what it said.
    changed: BTreeSet<FileId>,
}

impl<'g> Folders<'g> {
    fn of(graph: &CodeGraph, seeds: impl Iterator<Item = PartId>) -> Self {
        let changed = seeds.map(|seed| graph.part(seed).file).collect();
        Self { asked: FxHashSet::default(), files: fixedbitset::FixedBitSet::new(), changed }
    }

    /// The folders around a file that were not asked yet, and what the file is to them.
    fn around(&mut self, ground: &Ground<'g>, file: FileId) -> (Vec<&'g str>, Content) {
        let (graph, mut folders) = (ground.graph, Vec::new());
        self.files.grow(graph.files().len());
        if ground.has_no_dependents() || self.files.put(file.0 as usize) {
            return (folders, Content::Data);
        }
        let content = match self.changed.contains(&file) {
            true => ground.content(file),
            false => Content::of(graph, file, false),
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
/// where there is one. Where edges were followed already they are not followed, and folders that were asked for their dependents
/// are not asked again.
fn affects<'g>(
    ground: &Ground<'g>,
    at: At,
    follow: Follow,
    folders: &mut Folders<'g>,
    mut followed: Option<&mut Followed>,
    mut reach: impl FnMut(PartId, At, Option<Edge>),
) {
    let graph = ground.graph;
    let part = match at {
        At::Held(class) => return affects_holders(graph, class, reach),
        At::Part(part) => part,
    };
    let sure = |edge: &Edge| follow != Follow::Certain || edge.evidence.is_certain();
    for edge in graph.in_edges(part, EDGE_KINDS).filter(sure) {
        // What asks nothing of the graph comes first: most edges lead to where one came from.
        let is_known = followed.as_mut().is_some_and(|followed| followed.knows(&edge));
        if is_known || names_only(graph, &edge) {
            continue;
        }
        if let Some(followed) = &mut followed {
            followed.add(&edge);
        }
        let from = edge.from;
        if follow == Follow::Widely && is_own_operator(graph, &edge) {
            reach(part, At::Held(from), Some(edge));
            continue;
        }
        reach(part, At::Part(from), Some(edge));
        if graph.kind(from) == PartKind::Class {
            reach(from, At::Part(graph.module_of(from)), None);
        }
        if follow == Follow::Widely
            && let Some(around) = decorated_in(graph, &edge)
        {
            reach(from, At::Part(around), None);
        }
    }
    if graph.kind(part) == PartKind::Module {
        runs_with(graph, part, |next| reach(part, At::Part(next), None));
        if follow != Follow::Certain {
            package_step(graph, graph.part(part).file, |body| reach(part, At::Part(body), None));
        }
    }
    if follow == Follow::Widely {
        if let Some(user) = unseen_user(graph, part) {
            reach(part, user, None);
        }
        let (around, content) = folders.around(ground, graph.part(part).file);
        for folder in around {
            for dependent in ground.dependents_of(folder).iter().filter(|one| hangs_on(graph, one, content)) {
                reach(part, At::Part(dependent.part), None);
            }
        }
    }
}

/// What a file is to those who hang on its folder. A source that nothing uses may be both code and data: tests read such ones,
/// too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Content {
    /// What people read, or a script: tests that read it name it, or a folder below the root.
    Document,
    Data,
    /// With its family of languages: not all may load it.
    Code(Option<LanguageFamily>),
    Both(Option<LanguageFamily>),
}

impl Content {
    /// Who reads a source as text sees nothing else where it is not `changed`.
    fn of(graph: &CodeGraph, file: FileId, changed: bool) -> Self {
        let path = &graph.file(file).path;
        let is_plain = graph.kind(graph.body_of(file)) == PartKind::File;
        match is_plain {
            true if is_documentation(path) || is_script(path) => Self::Document,
            true => Self::Data,
            false if changed && graph.may_be_data(file) => Self::Both(LanguageFamily::of_path(path)),
            false => Self::Code(LanguageFamily::of_path(path)),
        }
    }
}

/// Whether such a use of a folder hangs on a file.
pub(crate) fn hangs_on(graph: &CodeGraph, one: &Dependent, content: Content) -> bool {
    match one.usage {
        FolderUse::Loads | FolderUse::Attributes => {
            let user = || LanguageFamily::of_path(&graph.file(graph.part(one.part).file).path);
            matches!(content, Content::Code(family) | Content::Both(family) if LanguageFamily::may_load(user(), family))
        }
        FolderUse::Reads if content == Content::Document => !one.folder.is_empty(),
        FolderUse::Reads => !matches!(content, Content::Code(_)),
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
fn affects_holders(graph: &CodeGraph, class: PartId, mut reach: impl FnMut(PartId, At, Option<Edge>)) {
    let mut has_users = false;
    let inside = class.0 as usize..class.0 as usize + graph.subtree(class).len();
    for edge in graph.in_edges(class, EDGE_KINDS).filter(|edge| !names_only(graph, edge)) {
        let from = edge.from;
        has_users |= !inside.contains(&(from.0 as usize));
        if graph.kind(from) == PartKind::Class && edge.kind == EdgeKind::Inherits {
            reach(class, At::Held(from), Some(edge));
            continue;
        }
        reach(class, At::Part(from), Some(edge));
        if graph.kind(from) == PartKind::Class {
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
    !graph.decorators(class).all(leaves_alone) || graph.is_below_keeper(class)
}

/// What runs a decorator: the code around what it decorates. An edge does not say where in a part it stands, so that any use
/// without a call by something decorated counts.
fn decorated_in(graph: &CodeGraph, edge: &Edge) -> Option<PartId> {
    let may_be =
        edge.kind == EdgeKind::References && matches!(graph.kind(edge.from), PartKind::Function | PartKind::Method);
    if !may_be || graph.decorators(edge.from).len() == 0 {
        return None;
    }
    let from = graph.part(edge.from);
    let around = from.parent.filter(|_| graph.file(from.file).language == Some(Language::Python))?;
    match graph.kind(around) {
        PartKind::Function | PartKind::Method => Some(around),
        _ => Some(graph.module_of(around)),
    }
}

/// A class's edge to an operator of its own: the interpreter calls it for whoever holds an object.
fn is_own_operator(graph: &CodeGraph, edge: &Edge) -> bool {
    edge.evidence == Evidence::Guess
        && graph.kind(edge.from) == PartKind::Class
        && graph.part(edge.to).parent == Some(edge.from)
        && !builds_classes(graph.name(edge.to))
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
    let is_used = || graph.in_edges(part, EDGE_KINDS).any(|edge| !names_only(graph, &edge));
    match node.kind {
        PartKind::Method => Some(At::Held(around)),
        PartKind::Function if !graph.decorators(part).all(leaves_alone) || !is_used() => Some(At::Part(around)),
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
pub(crate) struct Reached {
    pub(crate) from: PartId,
    pub(crate) to: PartId,
    pub(crate) edge: Option<Edge>,
}

/// A shortest way by which [`affected`] comes from one of some parts to another part; certain edges alone where they do,
/// then what is seen, then whatever tests are chosen by.
pub(crate) fn way_to(graph: &CodeGraph, seeds: &BTreeSet<PartId>, end: PartId) -> Option<Vec<Reached>> {
    let end = At::Part(end);
    let ground = Ground::new(graph);
    [Follow::Certain, Follow::Possible, Follow::Widely].into_iter().find_map(|follow| {
        // Where each was reached from: the thing itself, and the step.
        let mut came: BTreeMap<At, Option<(At, Reached)>> = seeds.iter().map(|&seed| (At::Part(seed), None)).collect();
        let mut queue: VecDeque<At> = seeds.iter().map(|&seed| At::Part(seed)).collect();
        let mut folders = Folders::of(graph, seeds.iter().copied());
        while let Some(at) = queue.pop_front().filter(|_| !came.contains_key(&end)) {
            affects(&ground, at, follow, &mut folders, None, |from, next, edge| {
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
    let ground = Ground::new(graph);
    for part in parts.iter().flat_map(|&part| [part, graph.module_of(part)]) {
        let affected = affected(&ground, &[part], follow);
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
    let sure = |edge: &Edge| !certain_only || edge.evidence.is_certain();
    while let Some(part) = queue.pop() {
        let node = graph.part(part);
        let used = graph.out_edges(part, EDGE_KINDS).filter(sure).filter(|edge| !names_only(graph, edge));
        used.for_each(|edge| add(edge.to, &mut queue));
        let body = graph.module_of(part);
        if graph.kind(body) == PartKind::Module {
            add(body, &mut queue);
        }
        if part != body {
            continue;
        }
        if !certain_only {
            package_step_back(graph, node.file, |other| add(other, &mut queue));
        }
        for class in graph.parts_of(node.file).filter(|&inside| graph.kind(inside) == PartKind::Class) {
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
                if let Some(body) = body.filter(|&body| graph.kind(body) == PartKind::Module) {
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
        && graph.kind(edge.from) == PartKind::Module
        && !matches!(graph.kind(edge.to), PartKind::Module | PartKind::File)
}

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
                let affected = affected(&Ground::new(&graph), &[part], follow);
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
