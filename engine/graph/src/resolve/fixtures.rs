//! Tests by pytest's and unittest's conventions, and the fixtures that pytest hands them by name.

use crate::hash::Map;

use super::emit::Emitter;
use super::values::{FUEL, Thing};
use crate::code::{EdgeKind, Evidence, FileId, PartId, PartKind};
use crate::facts::{Outline, PartFact, PartFlags, StringUse};
use crate::layout::{Target, base_name, directory_of};
use crate::test_names::{TestName, python_test_name};

/// Test functions and methods, sorted.
pub(super) fn tests(emitter: &mut Emitter<'_, '_>) -> Vec<PartId> {
    let graph = emitter.resolver.graph;
    let mut cases: Map<PartId, bool> = Map::default();
    let mut tests = Vec::new();
    for part in graph.part_ids() {
        let node = graph.part(part);
        if !node.name.starts_with("test") || !emitter.is_function(part) {
            continue;
        }
        let in_test_file = python_test_name(&graph.file(node.file).path) >= Some(TestName::Customary);
        let collected = match (node.kind, node.parent) {
            (PartKind::Function, Some(parent)) => in_test_file && graph.part(parent).kind == PartKind::Module,
            (PartKind::Method, Some(class)) => {
                (in_test_file && graph.part(class).name.starts_with("Test"))
                    || *cases.entry(class).or_insert_with(|| emitter.is_test_case(class))
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
#[derive(Default)]
struct Offer<'a> {
    named: Map<&'a str, Vec<PartId>>,
    automatic: Vec<PartId>,
    hooks: Vec<PartId>,
}

struct Fixtures<'a> {
    offers: Map<FileId, Offer<'a>>,
    conftests: Map<&'a str, FileId>,
    /// Files named by `pytest_plugins`.
    plugins: Vec<FileId>,
}

/// Edges from tests and fixtures to the fixtures they use.
pub(super) fn emit(emitter: &mut Emitter<'_, '_>, tests: &[PartId]) {
    let graph = emitter.resolver.graph;
    let fixtures = collect(emitter);
    let mut is_test = graph.empty_set();
    tests.iter().for_each(|test| is_test.insert(test.0 as usize));
    for file in graph.file_ids() {
        let Some(outline) = emitter.resolver.outline(file) else { continue };
        let chain = conftests_above(emitter.resolver.path(file), file, &fixtures);
        let mut has_tests = false;
        for (ordinal, fact) in outline.parts.iter().enumerate() {
            let part = emitter.resolver.part_id(file, ordinal as u32);
            let tested = is_test.contains(part.0 as usize);
            has_tests |= tested;
            if !tested && !fact.flags.contains(PartFlags::FIXTURE) {
                continue;
            }
            for name in outline.list(fact.parameters) {
                uses(emitter, &fixtures, &chain, part, outline.name(*name), outline.part_site(ordinal));
            }
            if tested {
                for offer in chain.iter().filter_map(|file| fixtures.offers.get(file)) {
                    for fixture in &offer.automatic {
                        if in_scope(emitter, *fixture, part) {
                            emitter.edge(
                                part,
                                *fixture,
                                EdgeKind::Calls,
                                Evidence::Fixture,
                                outline.part_site(ordinal),
                            );
                        }
                    }
                }
            }
        }
        for (index, string) in
            outline.strings.iter().enumerate().filter(|(_, string)| string.usage == StringUse::Fixture)
        {
            let part = emitter.resolver.part_id(file, string.part);
            uses(emitter, &fixtures, &chain, part, outline.name(string.text), outline.string_site(index));
        }
        let body = graph.body_of(file);
        if has_tests {
            // pytest imports these first, and calls their hooks.
            for above in chain.iter().skip(1) {
                emitter.edge(body, graph.body_of(*above), EdgeKind::Imports, Evidence::Fixture, 0);
            }
            for package in emitter.resolver.layout.packages_around(emitter.resolver.path(file), file) {
                emitter.edge(body, graph.body_of(package), EdgeKind::Imports, Evidence::Import, 0);
            }
        }
        if let Some(offer) = fixtures.offers.get(&file) {
            for hook in &offer.hooks {
                emitter.edge(body, *hook, EdgeKind::Calls, Evidence::Fixture, graph.part(*hook).ordinal);
            }
        }
    }
}

fn collect<'a>(emitter: &mut Emitter<'_, 'a>) -> Fixtures<'a> {
    let graph = emitter.resolver.graph;
    let mut fixtures = Fixtures { offers: Map::default(), conftests: Map::default(), plugins: Vec::new() };
    for file in graph.file_ids() {
        let Some(outline) = emitter.resolver.outline(file) else { continue };
        let path = emitter.resolver.path(file);
        let is_conftest = base_name(path) == "conftest.py";
        if is_conftest {
            fixtures.conftests.insert(directory_of(path), file);
        }
        let mut offer = Offer::default();
        for (ordinal, fact) in outline.parts.iter().enumerate() {
            let part = emitter.resolver.part_id(file, ordinal as u32);
            if fact.flags.contains(PartFlags::FIXTURE) {
                offer.named.entry(fixture_name(outline, fact)).or_default().push(part);
                if fact.flags.contains(PartFlags::AUTOUSE) {
                    offer.automatic.push(part);
                }
            } else if is_conftest && fact.parent == 0 && outline.name(fact.name).starts_with("pytest_") {
                offer.hooks.push(part);
            }
        }
        if is_conftest || python_test_name(path) >= Some(TestName::Customary) {
            imported_fixtures(emitter, file, outline, &mut offer);
        }
        for string in outline.strings.iter().filter(|string| string.usage == StringUse::Plugin) {
            if let Some(found) = emitter.resolver.module(file, 0, outline.name(string.text))
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
    fixtures.plugins.sort_unstable();
    fixtures.plugins.dedup();
    fixtures
}

/// Fixtures that a test file or a conftest imports are its own.
fn imported_fixtures<'a>(emitter: &mut Emitter<'_, 'a>, file: FileId, outline: &'a Outline, offer: &mut Offer<'a>) {
    let graph = emitter.resolver.graph;
    for (index, import) in outline.imports.iter().enumerate().filter(|(_, import)| import.part == 0) {
        let Some(name) = import.alias.some().or(import.name.some()) else { continue };
        emitter.resolver.fuel = FUEL;
        let mut values = Vec::new();
        emitter.resolver.imported(file, index as u32, &mut values);
        for value in values {
            let Thing::Part(part) = value.thing else { continue };
            let node = graph.part(part);
            let Some(fact) = emitter.resolver.outline(node.file).map(|outline| &outline.parts[node.ordinal as usize])
            else {
                continue;
            };
            if fact.flags.contains(PartFlags::FIXTURE) {
                offer.named.entry(outline.name(name)).or_default().push(part);
                if fact.flags.contains(PartFlags::AUTOUSE) {
                    offer.automatic.push(part);
                }
            }
        }
    }
}

fn fixture_name<'a>(outline: &'a Outline, fact: &PartFact) -> &'a str {
    outline.name(fact.fixture_name.some().unwrap_or(fact.name))
}

/// Where fixtures of a file's tests are looked for: the file, then each `conftest.py` upward, then plugins.
fn conftests_above(path: &str, file: FileId, fixtures: &Fixtures<'_>) -> Vec<FileId> {
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

fn uses(emitter: &mut Emitter<'_, '_>, fixtures: &Fixtures<'_>, chain: &[FileId], part: PartId, name: &str, site: u32) {
    for offer in chain.iter().filter_map(|file| fixtures.offers.get(file)) {
        let Some(named) = offer.named.get(name) else { continue };
        // A fixture that takes its own name means the next one outward.
        let visible: Vec<PartId> =
            named.iter().copied().filter(|fixture| *fixture != part && in_scope(emitter, *fixture, part)).collect();
        if visible.is_empty() {
            continue;
        }
        for fixture in visible {
            emitter.edge(part, fixture, EdgeKind::Calls, Evidence::Fixture, site);
        }
        return;
    }
}

/// A fixture inside a class is for that class (and what inherits it, which stays a possibility).
fn in_scope(emitter: &Emitter<'_, '_>, fixture: PartId, user: PartId) -> bool {
    let graph = emitter.resolver.graph;
    let (fixture, user) = (graph.part(fixture), graph.part(user));
    fixture.kind != PartKind::Method || fixture.parent == user.parent || fixture.file != user.file
}
