//! Tests that a change removes or weakens, read from both texts of the changed test files.
//!
//! Knows pytest and unittest by their conventions, not what runs: imported markers, assertion helpers of other modules and
//! class hierarchies beyond one file are not followed. What cannot be compared is [`TestChanges::unknown`], never silence.
//! Tests of other languages are told by their names and compared by lines: what takes a line away is unknown.

mod collection;
mod foreign;
mod python;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::change::{Change, Content, FileSide, WeakenedTest, Weakening};
use crate::code::PartKey;
use crate::layout::base_name;
use crate::memo::Memo;
use crate::test_names::python_test_name;
use python::{Exceptions, Function, Measure, Module, Tolerance};

pub use collection::{LeavesOut, Uncollected, UncollectedPattern};

/// Larger test files are not read; what becomes of their tests is unknown.
const MAX_BYTES: usize = crate::change::syntax::MAX_BYTES;

/// What a change does to tests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TestChanges {
    /// Tests that are gone, sorted. A test that moved or was renamed with the same body is not gone.
    pub removed: Vec<RemovedTest>,
    /// Tests that are still there and ask less, sorted; one entry for each way.
    pub weakened: Vec<WeakenedTest>,
    /// Settings that leave out tests of unchanged files too.
    pub uncollected: Vec<Uncollected>,
    /// What could not be compared, sorted: it may hide a removed or weakened test.
    pub unknown: Vec<UnknownTests>,
}

/// A test that is gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemovedTest {
    /// The test before.
    pub test: PartKey,
    /// Its line in the before text.
    pub line: u32,
}

/// Tests that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownTests {
    /// The file, on the after side where it has one.
    pub path: Arc<str>,
    /// Line in it; 1 where the whole file is meant.
    pub line: u32,
    /// Why, as the end of a sentence that begins with "the tests cannot be compared:".
    pub why: &'static str,
}

/// Reads what a change does to tests.
#[must_use]
pub fn test_changes(change: &Change) -> TestChanges {
    let mut changes = TestChanges::default();
    let mut files = Vec::new();
    for file in &change.files {
        collection::compare(file, &mut changes);
        foreign::compare(change, file, &mut changes);
        let is_test = |side: &Option<FileSide>| side.as_ref().is_some_and(holds_tests);
        let supports = |side: &Option<FileSide>| side.as_ref().is_some_and(|side| supports_tests(&side.path));
        if ![&file.before, &file.after].into_iter().any(|side| is_test(side) || supports(side)) {
            continue;
        }
        let Some(path) = file.after.as_ref().or(file.before.as_ref()).map(|side| side.path.clone()) else { continue };
        if file.asserted {
            changes.unknown.push(UnknownTests { path, line: 1, why: "how the file changed is not said" });
            continue;
        }
        let mut read = |side: Option<&FileSide>| match side {
            None => Some(Arc::default()),
            Some(side) => {
                let read = read(side);
                if read.is_none() && is_test(&file.before) {
                    let why = "the file cannot be read";
                    changes.unknown.push(UnknownTests { path: path.clone(), line: 1, why });
                }
                read
            }
        };
        let (before, after) = (read(file.before.as_ref()), read(file.after.as_ref()));
        let (Some(before), Some(after)) = (before, after) else { continue };
        let before_path = file.before.as_ref().map_or(&path, |side| &side.path).clone();
        files.push(File { before_path, path, before, after });
    }
    compare_files(change, &files, &mut changes);
    changes.removed.sort();
    changes.removed.dedup();
    changes.weakened.sort_by(|left, right| {
        (&left.after, left.how, left.line, &left.before).cmp(&(&right.after, right.how, right.line, &right.before))
    });
    changes.weakened.dedup();
    changes.uncollected.sort();
    changes.unknown.sort();
    changes.unknown.dedup();
    changes
}

struct File {
    before_path: Arc<str>,
    path: Arc<str>,
    before: Arc<Module>,
    after: Arc<Module>,
}

fn read(side: &FileSide) -> Option<Arc<Module>> {
    static KNOWN: Memo<Option<Arc<Module>>> = Memo::new();
    match &side.content {
        Content::Text(text) if text.len() <= MAX_BYTES => {
            let is_test = python_test_name(&side.path).is_some();
            (*KNOWN.of(text, is_test, || python::read(text, is_test).map(Arc::new))).clone()
        }
        _ => None,
    }
}

/// Under any reading of its name, or because it names a `TestCase`.
fn holds_tests(side: &FileSide) -> bool {
    let names_a_case = || match &side.content {
        Content::Text(text) => side.path.ends_with(".py") && text.contains("TestCase"),
        _ => false,
    };
    python_test_name(&side.path).is_some() || names_a_case()
}

/// Python files beside tests: what they ask is asked by the tests that use them.
fn supports_tests(path: &str) -> bool {
    let folders = path.rsplit('/').skip(1);
    path.ends_with(".py")
        && (base_name(path) == "conftest.py"
            || folders.into_iter().any(|folder| matches!(folder, "test" | "tests" | "testing")))
}

fn key(path: &Arc<str>, function: &Function) -> PartKey {
    PartKey {
        path: path.clone(),
        name: function.name.as_str().into(),
        kind: function.kind,
        occurrence: function.occurrence,
    }
}

fn compare_files(change: &Change, files: &[File], changes: &mut TestChanges) {
    let mut missing = Vec::new();
    // Functions that stand for no test of before: where a missing one may have gone, by body.
    let mut candidates: BTreeMap<[u8; 32], Vec<(Arc<str>, &Function)>> = BTreeMap::new();
    for file in files {
        if file.after.damaged {
            let why = "the file after does not parse";
            changes.unknown.push(UnknownTests { path: file.path.clone(), line: file.after.damaged_line, why });
        } else if file.before.damaged {
            let why = "the file before does not parse";
            changes.unknown.push(UnknownTests { path: file.path.clone(), line: 1, why });
        }
        let old: BTreeMap<&str, &Function> = effective(&file.before);
        let new: BTreeMap<&str, &Function> = effective(&file.after);
        let tests: BTreeSet<&str> = old.values().filter(|test| test.collected).map(|test| test.name.as_str()).collect();
        for name in &tests {
            let test = old[name];
            match new.get(name) {
                Some(after) if after.collected => {
                    compare_test(&key(&file.before_path, test), test, &file.path, after, changes);
                }
                // Still defined, so not gone; whether it moved as well is told by its body.
                found => missing.push((file, test, found.copied())),
            }
        }
        compare_support(file, &old, &new, changes);
        for function in &file.after.functions {
            let same = new.get(function.name.as_str()).is_some_and(|last| std::ptr::eq(*last, function));
            if !(same && function.collected && tests.contains(function.name.as_str())) {
                candidates.entry(function.body).or_default().push((file.path.clone(), function));
            }
        }
    }
    // Files outside the conventions matter only as places where a missing test may have gone.
    let others: Vec<(Arc<str>, Arc<Module>)> = if missing.is_empty() { Vec::new() } else { other_modules(change) };
    for (path, module) in &others {
        for function in &module.functions {
            candidates.entry(function.body).or_default().push((path.clone(), function));
        }
    }
    for (file, test, uncollected) in missing {
        let before = key(&file.before_path, test);
        let weakened = |after: PartKey, line: u32| WeakenedTest {
            before: before.clone(),
            after,
            how: Weakening::NoLongerCollected,
            line,
        };
        let moved = candidates.get_mut(&test.body).and_then(|found| {
            let own_name = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
            let best = |collected: bool, named: bool| {
                found.iter().position(|(_, function)| {
                    function.collected == collected && (!named || own_name(&function.name) == own_name(&test.name))
                })
            };
            let at = best(true, true).or(best(true, false)).or(best(false, true)).or(best(false, false))?;
            Some(found.remove(at))
        });
        match (moved, uncollected) {
            (Some((path, function)), _) if function.collected => compare_test(&before, test, &path, function, changes),
            (_, Some(function)) => changes.weakened.push(weakened(key(&file.path, function), function.line)),
            (Some((path, function)), None) => changes.weakened.push(weakened(key(&path, function), function.line)),
            // Behind the syntax error there may be anything; the file is reported as unknown.
            (None, None) if file.after.damaged => {}
            (None, None) => changes.removed.push(RemovedTest { test: before, line: test.line }),
        }
    }
}

/// The last definition of each name: what an import of the file leaves standing.
fn effective(module: &Module) -> BTreeMap<&str, &Function> {
    let mut last: BTreeMap<&str, &Function> = BTreeMap::new();
    for function in &module.functions {
        let slot = last.entry(&function.name).or_insert(function);
        // Alternatives (`if`/`else`) are all collected; only a shadowed definition gives way.
        if function.collected || !slot.collected {
            *slot = function;
        }
    }
    last
}

fn other_modules(change: &Change) -> Vec<(Arc<str>, Arc<Module>)> {
    change
        .files
        .iter()
        .filter_map(|file| {
            let after = file.after.as_ref()?;
            let named =
                file.before.iter().chain(&file.after).any(|side| holds_tests(side) || supports_tests(&side.path));
            if named || !after.path.ends_with(".py") {
                return None;
            }
            Some((after.path.clone(), read(after)?))
        })
        .collect()
}

/// Fixtures, and what else is no test and stands beside tests: where it asks less, so does every test that uses it.
fn compare_support(
    file: &File,
    old: &BTreeMap<&str, &Function>,
    new: &BTreeMap<&str, &Function>,
    changes: &mut TestChanges,
) {
    let beside = supports_tests(&file.before_path) && python_test_name(&file.before_path).is_none();
    for (name, was) in old.iter().filter(|(_, was)| !was.collected && (was.supports || beside)) {
        let Some(is) = new.get(name).filter(|is| !is.collected) else { continue };
        // What a test file's own tests call is counted where it is called.
        if is.measure.assertions < was.measure.assertions {
            changes.weakened.push(WeakenedTest {
                before: key(&file.before_path, was),
                after: key(&file.path, is),
                how: Weakening::FewerAssertions,
                line: is.line,
            });
        }
    }
}

fn compare_test(before: &PartKey, old: &Function, path: &Arc<str>, new: &Function, changes: &mut TestChanges) {
    let after = key(path, new);
    if new.damaged || old.damaged {
        let why = "the test does not parse, or is nested too deeply";
        changes.unknown.push(UnknownTests { path: path.clone(), line: new.line, why });
        return;
    }
    let mut push = |how: Weakening, line: u32| {
        changes.weakened.push(WeakenedTest { before: before.clone(), after: after.clone(), how, line });
    };
    let (was, is) = (&old.measure, &new.measure);
    // What was asked through a function that is now somewhere else may still be asked there.
    let elsewhere = || {
        let moved = was.through.iter().filter(|(name, _)| is.called.contains(*name)).map(|(_, asked)| *asked);
        moved.fold(is.assertions, u32::saturating_add)
    };
    let mut unknown = Vec::new();
    if is.assertions < was.assertions {
        if elsewhere() < was.assertions {
            push(Weakening::FewerAssertions, new.line);
        } else {
            unknown.push(("it asserts through a function that is now in another file", new.line));
        }
    } else if is.unconditional < was.unconditional {
        unknown.push(("an assertion is reached only under a condition", new.line));
    }
    if !was.skips.keys().any(|mark| mark == python::ALWAYS_SKIPPED)
        && let Some(line) = first_new(&was.skips, &is.skips)
    {
        push(Weakening::Skipped, line);
    }
    if let Some(line) = first_new(&was.expected_failures, &is.expected_failures) {
        push(Weakening::ExpectedToFail, line);
    }
    if let Some(line) = wider_tolerance(was, is) {
        push(Weakening::WiderTolerance, line);
    }
    if let Some(line) = wider_exception(&was.exceptions, &is.exceptions) {
        push(Weakening::WiderException, line);
    }
    let (was_cases, is_cases) = (cases(was), cases(is));
    let examples = |measure: &Measure| if measure.given { measure.max_examples.unwrap_or(100) } else { 1 };
    if is_cases.1 < was_cases.1 || examples(is) < examples(was) || is.explicit_examples < was.explicit_examples {
        push(Weakening::FewerCases, new.line);
    }
    // A list that cannot be counted is as long as before only where it reads the same.
    if was_cases.0 != is_cases.0 && !is_cases.0.is_subset(&was_cases.0) {
        unknown.push(("a list of parametrised cases cannot be counted", new.line));
    } else if was_cases.0 != is_cases.0 && is_cases.1 <= was_cases.1 {
        unknown.push(("a list of parametrised cases is gone that cannot be counted", new.line));
    }
    if unknown_tolerances(was) != unknown_tolerances(is) {
        unknown.push(("a tolerance is computed", new.line));
    }
    for (doubt, lines) in &is.doubts {
        let before = was.doubts.get(doubt).map_or(0, Vec::len);
        if lines.len() > before {
            unknown.push((doubt.0, lines.last().copied().unwrap_or(new.line)));
        }
    }
    changes.unknown.extend(unknown.into_iter().map(|(why, line)| UnknownTests { path: path.clone(), line, why }));
}

/// The line of the first mark that there are more of now.
fn first_new(before: &BTreeMap<String, Vec<u32>>, after: &BTreeMap<String, Vec<u32>>) -> Option<u32> {
    after
        .iter()
        .filter(|(mark, lines)| lines.len() > before.get(*mark).map_or(0, Vec::len))
        .filter_map(|(_, lines)| lines.last().copied())
        .min()
}

/// The lists that cannot be counted, and the product of the others.
fn cases(measure: &Measure) -> (BTreeSet<&str>, u64) {
    let mut unknown = BTreeSet::new();
    let mut product = 1_u64;
    for list in &measure.cases {
        match list {
            python::Cases::Counted(count) => product = product.saturating_mul(*count),
            python::Cases::Unknown(text) => {
                unknown.insert(text.as_str());
            }
        }
    }
    (unknown, product)
}

fn unknown_tolerances(measure: &Measure) -> BTreeSet<&str> {
    measure.tolerances.iter().filter_map(|tolerance| tolerance.unknown.as_deref()).collect()
}

/// The line where a comparison became looser, or where an exact one became one with a tolerance.
fn wider_tolerance(was: &Measure, is: &Measure) -> Option<u32> {
    let wider = |old: &Tolerance, new: &Tolerance| new.relative > old.relative || new.absolute > old.absolute;
    let mut old: Vec<&Tolerance> = was.tolerances.iter().collect();
    let mut left = Vec::new();
    // Those of the same subject first; the rest in order.
    for new in &is.tolerances {
        match old.iter().position(|old| old.subject == new.subject) {
            Some(at) => {
                if wider(old.remove(at), new) {
                    return Some(new.line);
                }
            }
            None => left.push(new),
        }
    }
    let looser = left.iter().zip(&old).find(|(new, old)| wider(old, new)).map(|(new, _)| new.line);
    let come = left.len().saturating_sub(old.len());
    let grown = is.assertions.saturating_sub(was.assertions) as usize;
    let loosened = (come > grown).then(|| left.last().map(|new| new.line)).flatten();
    looser.or(loosened)
}

fn wider_exception(before: &[Exceptions], after: &[Exceptions]) -> Option<u32> {
    let mut old: Vec<&Exceptions> = before.iter().collect();
    let mut left = Vec::new();
    for new in after {
        // What stayed equal pairs with itself, wherever it stands now.
        match old.iter().position(|old| old.names == new.names && old.matches == new.matches) {
            Some(at) => drop(old.remove(at)),
            None => left.push(new),
        }
    }
    left.iter().zip(&old).find(|(new, old)| is_wider(old, new)).map(|(new, _)| new.line)
}

fn is_wider(old: &Exceptions, new: &Exceptions) -> bool {
    let dropped_match =
        old.matches.is_some() && new.matches.as_deref().is_none_or(|pattern| matches!(pattern, "" | ".*" | ".+" | "."));
    let grew = new.names.len() > old.names.len() && old.names.is_subset(&new.names);
    let widened =
        new.names.difference(&old.names).any(|name| old.names.iter().any(|narrow| python::is_ancestor(name, narrow)));
    dropped_match || grew || widened
}

#[cfg(test)]
mod tests;
