//! Which tests fail for which fault, as it was found out once: `xtask/selection/truth/PACKAGE.json`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::packages::Package;
use crate::host;

/// What is known of one package.
pub(super) struct Truth {
    pub(super) tests: Vec<Test>,
    pub(super) faults: Vec<Fault>,
}

/// A test function that passed twice without a fault.
pub(super) struct Test {
    /// Its id without parameters.
    pub(super) id: String,
    /// What it took, for all parameters together.
    pub(super) millis: f64,
}

/// A fault that was seeded, and what came of it.
pub(super) struct Fault {
    /// What kind of place it is in: `body`, `import`, `helper`, or one that is counted apart.
    pub(super) stratum: String,
    pub(super) operator: String,
    pub(super) file: String,
    pub(super) line: u64,
    /// Where, how many bytes are taken out, and what is put in.
    edits: Vec<(usize, usize, String)>,
    /// The tests that failed, by their place in [`Truth::tests`].
    pub(super) failed: BTreeSet<usize>,
    /// Those that could not be collected any more, which every run of their file shows.
    pub(super) uncollected: BTreeSet<usize>,
}

impl Fault {
    /// Whether tests fail, and none of them for a file that cannot be imported any more.
    pub(super) fn is_killed(&self) -> bool {
        !self.failed.is_empty() && self.uncollected.is_empty()
    }

    /// Puts the fault into a tree; the file is as before once what is returned is written back.
    pub(super) fn applied(&self, tree: &Path) -> Result<(PathBuf, Vec<u8>), String> {
        let path = tree.join(&self.file);
        let said = |error: std::io::Error| format!("cannot change {}: {error}", path.display());
        let before = fs::read(&path).map_err(said)?;
        if self.operator == "delete_file" {
            fs::remove_file(&path).map_err(said)?;
            return Ok((path, before));
        }
        let mut after = before.clone();
        let mut edits: Vec<_> = self.edits.iter().collect();
        edits.sort();
        for (start, taken, put) in edits.into_iter().rev() {
            let end = start + taken;
            if end > after.len() {
                return Err(format!("{} is not the file that faults were made for", path.display()));
            }
            after.splice(*start..end, put.bytes());
        }
        fs::write(&path, after).map_err(said)?;
        Ok((path, before))
    }

    /// Where it is and what it is, on one line.
    pub(super) fn shown(&self) -> String {
        format!("{} {}:{} ({})", self.operator, self.file, self.line, self.stratum)
    }
}

/// The folder of what was found out.
fn folder() -> PathBuf {
    host::root().join("xtask").join("selection").join("truth")
}

/// Where a package's failing sets are kept.
pub(super) fn path(package: &Package) -> PathBuf {
    folder().join(format!("{}.json", package.name))
}

/// What was found out of a package; `None` where nobody did.
pub(super) fn read(package: &Package) -> Result<Option<Truth>, String> {
    let path = path(package);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    parsed(&value).map(Some).ok_or_else(|| format!("{} does not say what it should", path.display()))
}

fn parsed(value: &Value) -> Option<Truth> {
    let test = |test: &Value| Some(Test { id: test[0].as_str()?.to_owned(), millis: test[1].as_f64()? });
    let fault = |fault: &Value| {
        let word = |name: &str| Some(fault[name].as_str()?.to_owned());
        let edit = |edit: &Value| {
            let number = |at: usize| usize::try_from(edit[at].as_u64()?).ok();
            Some((number(0)?, number(1)?, edit[2].as_str()?.to_owned()))
        };
        Some(Fault {
            stratum: word("stratum")?,
            operator: word("operator")?,
            file: word("file")?,
            line: fault["line"].as_u64()?,
            edits: fault["edits"].as_array()?.iter().map(edit).collect::<Option<_>>()?,
            failed: numbers(fault["failed"].as_str()?)?,
            uncollected: numbers(fault["uncollected"].as_str().unwrap_or_default())?,
        })
    };
    Some(Truth {
        tests: value["tests"].as_array()?.iter().map(test).collect::<Option<_>>()?,
        faults: value["faults"].as_array()?.iter().map(fault).collect::<Option<_>>()?,
    })
}

/// `1-3,7` as 1, 2, 3 and 7.
fn numbers(text: &str) -> Option<BTreeSet<usize>> {
    let mut found = BTreeSet::new();
    for range in text.split(',').filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        found.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn ranges_are_all_their_numbers() {
        assert_eq!(numbers("1-3,7"), Some([1, 2, 3, 7].into()));
        assert_eq!(numbers(""), Some([].into()));
        assert_eq!(numbers("1-"), None);
    }
}
