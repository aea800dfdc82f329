//! Selectors of others on the same faults, by scripts that print a line a fault.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use super::ours::Chosen;
use super::packages::Package;
use super::truth::Truth;
use super::{scratch, script, tools, truth};
use crate::{host, python};

/// The closure of a module import graph, by files.
pub(super) fn imports(package: &Package, tree: &Path) -> Result<Vec<Option<Chosen>>, String> {
    let start = Instant::now();
    let text = host::program(python::interpreter()?)
        .args([script("imports.py"), tree.to_path_buf(), truth::path(package)])
        .output()?;
    let lines = lines(&text)?;
    let millis = start.elapsed().as_secs_f64() * 1e3;
    Ok(lines.iter().map(|line| chosen(line, millis)).collect())
}

/// What testmon said so far of a package's faults, a line each.
fn kept(package: &Package) -> Result<PathBuf, String> {
    Ok(scratch()?.join("testmon").join(format!("{}.kept", package.name)))
}

/// Whether testmon was asked of every fault of a package before.
pub(super) fn was_asked(package: &Package, truth: &Truth) -> Result<bool, String> {
    Ok(fs::read_to_string(kept(package)?).is_ok_and(|text| text.lines().count() == truth.faults.len()))
}

/// pytest-testmon, after one recorded run. Goes on where it was stopped.
pub(super) fn testmon(package: &Package) -> Result<Vec<Option<Chosen>>, String> {
    let python = tools()?.join("python3");
    let tree = scratch()?.join("testmon").join(package.name);
    package.unpacked(&tree)?;
    let text = host::program(&python)
        .args([script("ask_testmon.py"), python.clone(), tree, truth::path(package), kept(package)?])
        .output()?;
    let milliseconds = |line: &Value| 1e3 * line[1].as_f64().unwrap_or_default();
    Ok(lines(&text)?.iter().map(|line| chosen(&line[0], milliseconds(line))).collect())
}

fn lines(text: &str) -> Result<Vec<Value>, String> {
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(|error| format!("a script printed no JSON: {error}")))
        .collect()
}

fn chosen(numbers: &Value, millis: f64) -> Option<Chosen> {
    let numbers = numbers.as_array()?.iter().map(|number| usize::try_from(number.as_u64()?).ok());
    let tests: std::collections::BTreeSet<usize> = numbers.collect::<Option<_>>()?;
    Some(Chosen { is_empty: tests.is_empty(), tests, millis, why: String::new() })
}
