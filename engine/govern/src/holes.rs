//! Holes: what a tree holds in git and a copy of it, written out to be run, does not (links, submodules, files too large, objects
//! that are lacking). What ran beside a hole may have passed because something was not there.

use std::collections::BTreeSet;

use grace_engine::plan::Plan;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Holes that are told one by one.
const MOST: usize = 5;
/// Endings of names that no test reads code through.
const PROSE: [&str; 6] = ["md", "txt", "rst", "adoc", "svg", "png"];

/// Something that was not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hole {
    /// Where.
    pub path: String,
    /// Why: `is a symbolic link`.
    pub why: String,
}

/// All of them in one sentence; `None` where there are none.
#[must_use]
pub fn told(holes: &[Hole]) -> Option<String> {
    let names: Vec<String> = holes.iter().take(MOST).map(|hole| format!("{} ({})", hole.path, hole.why)).collect();
    let more = holes.len().saturating_sub(MOST);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!holes.is_empty()).then(|| format!("not there where it ran: {}{rest}", names.join(", ")))
}

/// What holds a change back because of holes: those among the tests of its bundles, and those that lie beside what it changes or
/// beside its tests, where they are loaded from.
#[must_use]
pub fn holds(holes: &[Hole], changed: &[String], plan: &Plan) -> Vec<String> {
    if holes.is_empty() {
        return Vec::new();
    }
    let file_of = |test: &str| test.split_once("::").map_or(test, |(file, _)| file).to_owned();
    let mut of_tests: BTreeSet<String> = BTreeSet::new();
    for bundle in plan.bundles.iter().filter(|bundle| !bundle.runs_nothing()) {
        of_tests.extend(bundle.files.iter().cloned());
        of_tests.extend(bundle.tests.iter().map(|test| file_of(test)));
    }
    if plan.bundles.iter().all(|bundle| bundle.runs_nothing()) {
        return Vec::new();
    }
    let directory = |path: &str| path.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned();
    let beside: BTreeSet<String> = of_tests.iter().chain(changed).map(|path| directory(path)).collect();
    let is_prose = |path: &str| path.rsplit_once('.').is_some_and(|(_, ending)| PROSE.contains(&ending));
    let matters = |hole: &&Hole| {
        of_tests.contains(&hole.path) || beside.contains(&directory(&hole.path)) && !is_prose(&hole.path)
    };
    let found: Vec<Hole> = holes.iter().filter(matters).cloned().collect();
    let says = told(&found).map(|told| format!("{told}; run in a checkout, and decide with --worktree"));
    says.into_iter().collect()
}
