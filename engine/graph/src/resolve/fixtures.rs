//! Tests by pytest's and unittest's conventions, and the fixtures that pytest hands them by name.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::hash::{Map, Set};

use super::emit::Linker;
use super::hierarchy::Hierarchy;
use super::values::{FUEL, Resolver, Thing};
use crate::code::{EdgeKind, Evidence, FileId, PartId, PartKind};
use crate::facts::{ImportForm, Language, Outline, PartFact, PartFlags, StringUse};
use crate::graph::{Nodes, Outlines, is_callable};
use crate::layout::{Target, base_name, directory_of};
use crate::test_names::{TestName, python_test_name};

/// Test functions and methods, sorted.
pub(super) fn tests(nodes: &Nodes, hierarchy: &Hierarchy, outlines: &Outlines) -> Vec<PartId> {
    let outline = |part: PartId| outlines.of(nodes.part(part).file).map(|outline| &**outline);
    let mut cases: Map<PartId, bool> = Map::default();
    let mut tests = Vec::new();
    for part in nodes.part_ids() {
        let node = nodes.part(part);
        if !nodes.name(part).starts_with("test") || !is_callable(node.kind) {
            continue;
        }
        let fact = outline(part).and_then(|outline| outline.parts.get(node.ordinal as usize));
        if fact.is_some_and(|fact| fact.flags.contains(PartFlags::FIXTURE)) {
            continue;
        }
        let in_test_file = python_test_name(&nodes.file(node.file).path) >= Some(TestName::Customary);
        let collected = match (node.kind, node.parent) {
            (PartKind::Function, Some(parent)) => in_test_file && nodes.part(parent).kind == PartKind::Module,
            (PartKind::Method, Some(class)) => {
                (in_test_file && nodes.name(class).starts_with("Test"))
                    || *cases.entry(class).or_insert_with(|| hierarchy.is_test_case(nodes, class, outline))
            }
            _ => false,
        };
        if collected {
            tests.push(part);
        }
    }
    tests
}

/// What a file offers as fixtures to itself and, for a `conftest.py`, to everything below.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Offer {
    named: Map<Arc<str>, Vec<PartId>>,
    automatic: Vec<PartId>,
    hooks: Vec<PartId>,
}

impl Offer {
    fn add(&mut self, name: &str, fixture: PartId, flags: PartFlags) {
        self.named.entry(name.into()).or_default().push(fixture);
        if flags.contains(PartFlags::AUTOUSE) {
            self.automatic.push(fixture);
        }
    }

    fn is_as(&self, other: &Self, of: &impl Fn(PartId) -> Option<PartId>) -> bool {
        let same = |one: &[PartId], other: &[PartId]| {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| of(*one) == Some(*other))
        };
        self.named.len() == other.named.len()
            && self.named.iter().all(|(name, parts)| other.named.get(name).is_some_and(|known| same(parts, known)))
            && same(&self.automatic, &other.automatic)
            && same(&self.hooks, &other.hooks)
    }
}

/// What is offered otherwise than in another tree.
pub(crate) struct DifferingFixtures {
    /// Folders whose `conftest.py` came, went, or offers something else.
    pub(crate) folders: Set<Box<str>>,
    /// Files that offer something else, by their numbers in the other tree.
    pub(crate) files: Set<FileId>,
}

/// The fixtures of a tree.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Fixtures {
    offers: Map<FileId, Offer>,
    /// By directory.
    conftests: Map<Box<str>, FileId>,
    /// Files named by `pytest_plugins`, or by settings.
    plugins: Vec<FileId>,
    /// What entry points name.
    entries: Vec<FileId>,
    /// Which names settings give to tests.
    names: Names,
}

/// Names of tests beside those that pytest looks for by itself: patterns of files, classes and functions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Names {
    files: Vec<Box<str>>,
    classes: Vec<Box<str>>,
    functions: Vec<Box<str>>,
}

/// Patterns of one kind that are read, and how long one may be.
const MAX_PATTERNS: usize = 32;
const MAX_PATTERN: usize = 100;

impl Names {
    fn is_empty(&self) -> bool {
        self.files.is_empty() && self.classes.is_empty() && self.functions.is_empty()
    }

    fn add(&mut self, kind: &str, pattern: &str) {
        let patterns = match kind {
            "files" => &mut self.files,
            "classes" => &mut self.classes,
            _ => &mut self.functions,
        };
        if pattern.len() <= MAX_PATTERN && patterns.len() < MAX_PATTERNS && patterns.iter().all(|one| **one != *pattern)
        {
            patterns.push(pattern.into());
        }
    }

    /// Whether a file may hold tests by these names.
    fn has_file(&self, path: &str) -> bool {
        let by_settings = |pattern: &str| {
            let text = if pattern.contains('/') { path } else { base_name(path) };
            matches_pattern(pattern.rsplit("**/").next().unwrap_or(pattern), text)
        };
        python_test_name(path) >= Some(TestName::Customary) || self.files.iter().any(|pattern| by_settings(pattern))
    }

    /// Whether a part may be a test by these names.
    fn has_part(&self, nodes: &Nodes, part: PartId) -> bool {
        let node = nodes.part(part);
        let is_class = |class: PartId| {
            nodes.part(class).kind == PartKind::Class && is_named(&self.classes, "Test", nodes.name(class))
        };
        let around = match (node.kind, node.parent) {
            (PartKind::Function, Some(parent)) => nodes.part(parent).kind == PartKind::Module,
            (PartKind::Method, Some(class)) => is_class(class),
            _ => false,
        };
        around && self.has_function(nodes.name(part))
    }

    /// Whether a function, or a method of a class, may be a test by these names.
    fn has_function(&self, name: &str) -> bool {
        is_named(&self.functions, "test", name)
    }
}

/// Whether a name begins in the usual way, or as one of the patterns says.
fn is_named(patterns: &[Box<str>], usual: &str, name: &str) -> bool {
    let begins = |pattern: &str| {
        if pattern.contains(['*', '?', '[']) { matches_pattern(pattern, name) } else { name.starts_with(pattern) }
    };
    name.starts_with(usual) || patterns.iter().any(|pattern| begins(pattern))
}

/// Whether a pattern with `*`, `?` and sets fits a text; a set stands for any sign.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    // What stands before and after all signs is there as it is: most texts lack it.
    let is_sign = |char: char| matches!(char, '*' | '?' | '[' | ']');
    let (begin, end) = (pattern.find(is_sign), pattern.rfind(is_sign));
    if !text.starts_with(&pattern[..begin.unwrap_or(pattern.len())])
        || !text.ends_with(&pattern[end.map_or(0, |end| end + 1)..])
    {
        return false;
    }
    let mut signs: Vec<char> = Vec::new();
    let mut chars = pattern.chars();
    while let Some(sign) = chars.next() {
        if sign == '[' && chars.as_str().contains(']') {
            chars.by_ref().find(|end| *end == ']');
            signs.push('?');
        } else {
            signs.push(sign);
        }
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut of) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while of < text.len() {
        match signs.get(at) {
            Some('*') => {
                back = Some((at, of));
                at += 1;
            }
            Some(sign) if *sign == '?' || *sign == text[of] => {
                at += 1;
                of += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    (at, of) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    signs[at..].iter().all(|sign| *sign == '*')
}

/// The entries of the settings of Python's projects.
fn settings<'a>(nodes: &'a Nodes, outlines: &'a Outlines) -> impl Iterator<Item = (FileId, &'a str, &'a str)> {
    let is_one = |file: &FileId| {
        let reader = Language::reader_of(&nodes.file(*file).path);
        matches!(reader, Some(Language::PythonToml | Language::PythonIni))
    };
    nodes.file_ids().filter(is_one).flat_map(|file| {
        let entries = super::foreign::entries(outlines, file);
        entries.filter_map(move |entry| Some((file, *entry.first()?, *entry.get(1)?)))
    })
}

/// Files of Python that hold what may be a test by names that settings give, and is none by those that pytest has: sorted.
pub(super) fn configured(nodes: &Nodes, outlines: &Outlines, tests: &[PartId]) -> Vec<FileId> {
    let mut names = Names::default();
    for (_, kind, pattern) in settings(nodes, outlines).filter(|(_, kind, _)| !matches!(*kind, "plugin" | "entry")) {
        names.add(kind, pattern);
    }
    if names.is_empty() {
        return Vec::new();
    }
    let holds = |file: &FileId| {
        let node = nodes.file(*file);
        node.language == Some(Language::Python)
            && names.has_file(&node.path)
            && nodes.parts_of(*file).any(|part| names.has_part(nodes, part) && tests.binary_search(&part).is_err())
    };
    nodes.file_ids().filter(holds).collect()
}

/// Edges from a file's tests and fixtures to the fixtures that they use.
pub(super) fn emit(linker: &mut Linker<'_>, file: FileId, outline: &Outline) {
    let nodes = linker.resolver.nodes();
    let fixtures = &linker.index.fixtures;
    let path = linker.resolver.path(file);
    let chain = conftests_above(path, file, fixtures);
    let may_be_configured = nodes.file(file).has_configured_tests;
    let mut has_tests = false;
    for (ordinal, fact) in outline.parts.iter().enumerate() {
        let part = linker.resolver.part_id(file, ordinal as u32);
        let tested = nodes.part(part).is_test || may_be_configured && fixtures.names.has_part(nodes, part);
        has_tests |= tested;
        if !tested && !fact.flags.contains(PartFlags::FIXTURE) {
            continue;
        }
        for name in outline.list(fact.parameters) {
            uses(linker, &chain, part, outline.name(*name), outline.part_site(ordinal));
        }
        if tested {
            for offer in chain.iter().filter_map(|file| fixtures.offers.get(file)) {
                for fixture in offer.automatic.iter().filter(|fixture| in_scope(nodes, **fixture, part)) {
                    linker.edge(part, *fixture, EdgeKind::Calls, Evidence::Fixture, outline.part_site(ordinal));
                }
            }
        }
    }
    computed(linker, &chain, file, outline);
    for (index, string) in outline.strings.iter().enumerate().filter(|(_, string)| string.usage == StringUse::Fixture) {
        let part = linker.resolver.part_id(file, string.part);
        uses(linker, &chain, part, outline.name(string.text), outline.string_site(index));
    }
    let body = nodes.body_of(file);
    if has_tests {
        // pytest imports these first, and calls their hooks.
        for above in chain.iter().skip(1) {
            linker.edge(body, nodes.body_of(*above), EdgeKind::Imports, Evidence::Fixture, 0);
        }
        for package in linker.index.layout.packages_around(path, file) {
            linker.edge(body, nodes.body_of(package), EdgeKind::Imports, Evidence::Import, 0);
        }
    }
    if let Some(offer) = fixtures.offers.get(&file) {
        for hook in &offer.hooks {
            linker.edge(body, *hook, EdgeKind::Calls, Evidence::Fixture, nodes.part(*hook).ordinal);
        }
    }
}

impl Fixtures {
    /// What entry points name.
    pub(super) fn entries(&self) -> &[FileId] {
        &self.entries
    }

    /// What is offered otherwise in another tree; `None` where plugins are.
    pub(super) fn differing(
        &self,
        after: &Self,
        file: impl Fn(FileId) -> Option<FileId>,
        of: impl Fn(PartId) -> Option<PartId>,
    ) -> Option<DifferingFixtures> {
        let same_file = |before: &FileId, after: &FileId| file(*before) == Some(*after);
        let is_same_length = self.plugins.len() == after.plugins.len();
        let same_entries = self.entries.len() == after.entries.len()
            && self.entries.iter().zip(&after.entries).all(|(one, other)| same_file(one, other));
        if !same_entries || self.names != after.names {
            return None;
        }
        if !is_same_length || !self.plugins.iter().zip(&after.plugins).all(|(one, other)| same_file(one, other)) {
            return None;
        }
        let before: Map<FileId, &Offer> =
            self.offers.iter().filter_map(|(id, offer)| Some((file(*id)?, offer))).collect();
        let is_offered_alike = |file: &FileId| match (before.get(file), after.offers.get(file)) {
            (None, None) => true,
            (Some(before), Some(after)) => before.is_as(after, &of),
            _ => false,
        };
        let files: Set<FileId> =
            before.keys().chain(after.offers.keys()).copied().filter(|file| !is_offered_alike(file)).collect();
        if after.plugins.iter().any(|plugin| files.contains(plugin)) {
            return None;
        }
        let stays = |folder: &str, conftest: &FileId| {
            after.conftests.get(folder).is_some_and(|now| same_file(conftest, now) && !files.contains(now))
        };
        let went = self.conftests.iter().filter(|(folder, conftest)| !stays(folder, conftest));
        let mut folders: Set<Box<str>> = went.map(|(folder, _)| folder.clone()).collect();
        folders.extend(after.conftests.keys().filter(|folder| !self.conftests.contains_key(*folder)).cloned());
        Some(DifferingFixtures { folders, files })
    }

    /// The same under other numbers; `None` where a file or a part has none.
    pub(super) fn renumbered(
        &self,
        file: impl Fn(FileId) -> Option<FileId>,
        of: impl Fn(PartId) -> Option<PartId>,
    ) -> Option<Self> {
        let files = |files: &[FileId]| files.iter().map(|one| file(*one)).collect::<Option<Vec<FileId>>>();
        let parts = |parts: &[PartId]| parts.iter().map(|one| of(*one)).collect::<Option<Vec<PartId>>>();
        let offer = |offer: &Offer| {
            let named = offer.named.iter().map(|(name, named)| Some((Arc::clone(name), parts(named)?)));
            Some(Offer {
                named: named.collect::<Option<_>>()?,
                automatic: parts(&offer.automatic)?,
                hooks: parts(&offer.hooks)?,
            })
        };
        let offers = self.offers.iter().map(|(of_file, own)| Some((file(*of_file)?, offer(own)?)));
        let conftests = self.conftests.iter().map(|(folder, conftest)| Some((folder.clone(), file(*conftest)?)));
        Some(Self {
            offers: offers.collect::<Option<_>>()?,
            conftests: conftests.collect::<Option<_>>()?,
            plugins: files(&self.plugins)?,
            entries: files(&self.entries)?,
            names: self.names.clone(),
        })
    }

    /// Whether a function of this name may be a test.
    pub(super) fn name_tests(&self, name: &str) -> bool {
        self.names.has_function(name)
    }

    /// Whether every file and part of it is one of the tree.
    pub(super) fn are_sound(&self, nodes: &Nodes) -> bool {
        let file = |file: &FileId| (file.0 as usize) < nodes.files().len();
        let part = |part: &PartId| (part.0 as usize) < nodes.len();
        let parts =
            |offer: &Offer| offer.named.values().flatten().chain(&offer.automatic).chain(&offer.hooks).all(part);
        self.offers.iter().all(|(of, offer)| file(of) && parts(offer))
            && self.conftests.values().chain(&self.plugins).chain(&self.entries).all(file)
    }

    pub(super) fn new(resolver: &mut Resolver<'_>) -> Self {
        let nodes = resolver.nodes();
        let mut fixtures = Self::default();
        for file in nodes.file_ids() {
            let Some(outline) = resolver.outline(file) else { continue };
            let path = resolver.path(file);
            let is_conftest = base_name(path) == "conftest.py";
            if is_conftest {
                fixtures.conftests.insert(directory_of(path).into(), file);
            }
            let mut offer = Offer::default();
            for (ordinal, fact) in outline.parts.iter().enumerate() {
                let part = resolver.part_id(file, ordinal as u32);
                if fact.flags.contains(PartFlags::FIXTURE) {
                    offer.add(fixture_name(outline, fact), part, fact.flags);
                } else if fact.parent == 0 && is_hook(outline.name(fact.name)) {
                    offer.hooks.push(part);
                }
            }
            if is_conftest || python_test_name(path) >= Some(TestName::Customary) {
                imported_fixtures(resolver, file, outline, &mut offer);
            }
            for string in outline.strings.iter().filter(|string| string.usage == StringUse::Plugin) {
                if let Some(found) = resolver.module(file, 0, outline.name(string.text))
                    && let Target::Module(target) = found.target
                    && found.matched == outline.name(string.text).split('.').count()
                {
                    fixtures.plugins.push(target);
                }
            }
            if !offer.named.is_empty() || !offer.hooks.is_empty() {
                fixtures.offers.insert(file, offer);
            }
        }
        let tree = resolver.tree;
        for (file, kind, said) in settings(tree.nodes, tree.outlines) {
            let found = || tree.layout.absolute(&tree.nodes.file(file).path, said);
            match kind {
                "plugin" | "entry" => {
                    if let Some(found) = found()
                        && let Target::Module(target) = found.target
                    {
                        let named = if kind == "entry" { &mut fixtures.entries } else { &mut fixtures.plugins };
                        named.push(target);
                    }
                }
                _ => fixtures.names.add(kind, said),
            }
        }
        for named in [&mut fixtures.plugins, &mut fixtures.entries] {
            named.sort_unstable();
            named.dedup();
        }
        for plugin in fixtures.plugins.clone() {
            let path = resolver.path(plugin);
            let is_done = base_name(path) == "conftest.py" || python_test_name(path) >= Some(TestName::Customary);
            let Some(outline) = resolver.outline(plugin).filter(|_| !is_done) else { continue };
            let mut offer = fixtures.offers.remove(&plugin).unwrap_or_default();
            imported_fixtures(resolver, plugin, outline, &mut offer);
            if !offer.named.is_empty() || !offer.hooks.is_empty() {
                fixtures.offers.insert(plugin, offer);
            }
        }
        fixtures
    }
}

/// How far stars are followed from module to module.
const MAX_STARS: usize = 32;

/// Fixtures that a test file or a conftest imports are its own, also those that a star brings.
fn imported_fixtures(resolver: &mut Resolver<'_>, file: FileId, outline: &Outline, offer: &mut Offer) {
    named_fixtures(resolver, file, outline, offer, &|_, _| true);
    let mut seen = Set::default();
    seen.insert(file);
    // Each module with those that hand on what it gives.
    let mut open = vec![vec![file]];
    while let Some(way) = open.pop().filter(|way| way.len() < MAX_STARS) {
        let Some(from) = way.last().copied() else { continue };
        let Some(outline) = resolver.outline(from) else { continue };
        for import in outline.imports.iter().filter(|import| import.part == 0 && import.form == ImportForm::Star) {
            let dotted = outline.name(import.module);
            let found = resolver.module(from, import.level, dotted);
            let Some(found) = found.filter(|found| found.matched == Resolver::segments(dotted)) else { continue };
            let Target::Module(target) = found.target else { continue };
            let Some(given) = resolver.outline(target).filter(|_| seen.insert(target)) else { continue };
            let mut on = way.clone();
            on.push(target);
            let gives = |resolver: &Resolver<'_>, name: &str| {
                on.iter().skip(1).all(|module| resolver.star_gives(*module, name))
            };
            for (ordinal, fact) in given.parts.iter().enumerate() {
                if fact.parent == 0 && fact.flags.contains(PartFlags::FIXTURE) && gives(resolver, given.name(fact.name))
                {
                    let part = resolver.part_id(target, ordinal as u32);
                    offer.add(fixture_name(given, fact), part, fact.flags);
                }
            }
            named_fixtures(resolver, target, given, offer, &gives);
            open.push(on);
        }
    }
}

/// Fixtures that a module imports by names, those of which are wanted.
fn named_fixtures(
    resolver: &mut Resolver<'_>,
    file: FileId,
    outline: &Outline,
    offer: &mut Offer,
    is_wanted: &dyn Fn(&Resolver<'_>, &str) -> bool,
) {
    let nodes = resolver.nodes();
    for (index, import) in outline.imports.iter().enumerate().filter(|(_, import)| import.part == 0) {
        let Some(name) = import.alias.some().or(import.name.some()).map(|name| outline.name(name)) else { continue };
        if !is_wanted(resolver, name) {
            continue;
        }
        resolver.fuel = FUEL;
        let mut values = Vec::new();
        resolver.imported(file, index as u32, &mut values);
        for value in values {
            let Thing::Part(part) = value.thing else { continue };
            let node = nodes.part(part);
            let Some(outline) = resolver.outline(node.file) else { continue };
            let fact = &outline.parts[node.ordinal as usize];
            if fact.flags.contains(PartFlags::FIXTURE) {
                // One that names itself is known by that wherever it is.
                let own = fact.fixture_name.some().map(|own| outline.name(own));
                offer.add(own.unwrap_or(name), part, fact.flags);
            }
        }
    }
}

/// A function that pytest or unittest calls by its name.
pub(crate) fn is_hook(name: &str) -> bool {
    name.starts_with("pytest_")
        || matches!(
            name,
            "setup_module"
                | "teardown_module"
                | "setup_function"
                | "teardown_function"
                | "setUpModule"
                | "tearDownModule"
                | "load_tests"
        )
}

fn fixture_name<'a>(outline: &'a Outline, fact: &PartFact) -> &'a str {
    outline.name(fact.fixture_name.some().unwrap_or(fact.name))
}

/// Where fixtures of a file's tests are looked for: the file, then each `conftest.py` upward, then plugins.
fn conftests_above(path: &str, file: FileId, fixtures: &Fixtures) -> Vec<FileId> {
    let mut chain = vec![file];
    let mut directory = directory_of(path);
    loop {
        if let Some(conftest) = fixtures.conftests.get(directory)
            && *conftest != file
        {
            chain.push(*conftest);
        }
        if directory.is_empty() {
            break;
        }
        directory = directory_of(directory);
    }
    chain.extend(fixtures.plugins.iter().filter(|plugin| **plugin != file));
    chain
}

/// Fixtures whose names are computed: any in scope. The first part of the file that asks so leads to them all, and the
/// others to it.
fn computed(linker: &mut Linker<'_>, chain: &[FileId], file: FileId, outline: &Outline) {
    let fixtures = &linker.index.fixtures;
    let mut first = None;
    for (ordinal, _) in
        outline.parts.iter().enumerate().filter(|(_, fact)| fact.flags.contains(PartFlags::COMPUTED_FIXTURE))
    {
        let (part, site) = (linker.resolver.part_id(file, ordinal as u32), outline.part_site(ordinal));
        if let Some(first) = first {
            linker.edge(part, first, EdgeKind::Calls, Evidence::Guess, site);
            continue;
        }
        first = Some(part);
        for offer in chain.iter().filter_map(|file| fixtures.offers.get(file)) {
            for fixture in offer.named.values().flatten() {
                linker.edge(part, *fixture, EdgeKind::Calls, Evidence::Guess, site);
            }
        }
    }
}

fn uses(linker: &mut Linker<'_>, chain: &[FileId], part: PartId, name: &str, site: u32) {
    let nodes = linker.resolver.nodes();
    let fixtures = &linker.index.fixtures;
    for offer in chain.iter().filter_map(|file| fixtures.offers.get(file)) {
        let Some(named) = offer.named.get(name) else { continue };
        // A fixture that takes its own name means the next one outward.
        let mut visible =
            named.iter().copied().filter(|fixture| *fixture != part && in_scope(nodes, *fixture, part)).peekable();
        if visible.peek().is_none() {
            continue;
        }
        for fixture in visible {
            linker.edge(part, fixture, EdgeKind::Calls, Evidence::Fixture, site);
        }
        return;
    }
}

/// A fixture inside a class is for that class (and what inherits it, which stays a possibility).
fn in_scope(nodes: &Nodes, fixture: PartId, user: PartId) -> bool {
    let (fixture, user) = (nodes.part(fixture), nodes.part(user));
    fixture.kind != PartKind::Method || fixture.parent == user.parent || fixture.file != user.file
}
