//! Recorded reach: what each test of a pytest run enters, by a plugin of ours that the run loads.
//!
//! The plugin is one Python file, written to the private folder of an attempt and found by `PYTHONPATH`. What it writes is as
//! hostile as the tests that run beside it: bounded, checked, and taken whole or not at all.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use grace_system::files::{self, FileErrorKind};
use serde::Deserialize;

/// The plugin, for Python 3.8 and later.
const PLUGIN: &str = include_str!("reach.py");
/// Its name as a module; nobody else's, as far as that can be.
const MODULE: &str = "grace_rules_reach";
/// The form of the record that is read.
const VERSION: u32 = 3;
/// Largest record that is read, in bytes.
const MAX_BYTES: u64 = 128 << 20;
/// Most of anything in it, and the longest name.
const MAX_COUNT: usize = 2_000_000;
const MAX_NAME: usize = 4_096;
/// Most folders of installed packages.
const MAX_FOLDERS: usize = 64;

/// What was seen of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawReach {
    /// Paths of the tree, with `/`.
    pub files: Vec<String>,
    /// Everything that was entered.
    pub codes: Vec<Code>,
    /// Codes that may keep what they computed, by index.
    pub keeps: Vec<u32>,
    /// Of them, those whose decorator hands out what was kept without entering them.
    pub hands: Vec<u32>,
    /// By file of a module: what ran while it was imported or collected.
    pub imports: BTreeMap<u32, RawSeen>,
    /// What ran outside of every test and import.
    pub outside: RawSeen,
    /// Files of modules that ran before anybody looked.
    pub unseen: Vec<u32>,
    /// Modules that were imported from outside the tree, as paths: `pkg/__init__.py`.
    pub elsewhere: Vec<String>,
    /// Files that were asked for as a whole and all of whose tests ran, by index.
    pub whole: Vec<u32>,
    /// By id without parameters: whether it did not pass, and what was seen.
    pub tests: BTreeMap<String, (bool, RawSeen)>,
    /// What ran them.
    pub ran_by: RanBy,
}

/// The interpreter that ran tests, as it says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RanBy {
    /// What it is: `cpython 3.12.1`.
    pub version: String,
    /// Its program, an absolute path; empty where it does not know.
    pub program: String,
    /// Folders of installed packages, absolute paths, sorted.
    pub packages: Vec<String>,
}

/// A function, or another piece of code, as Python knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code {
    /// Index of its file.
    pub file: u32,
    /// Its first line, of the first decorator where there is one; 1-based.
    pub line: u32,
    /// Its own name.
    pub name: String,
}

/// What was seen while something ran.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawSeen {
    /// Indices of codes, sorted.
    pub entered: Vec<u32>,
    /// Indices of files, sorted.
    pub opened: Vec<u32>,
    /// Some of it ran where nobody looked.
    pub unseen: bool,
}

/// A record as the plugin writes it.
#[derive(Deserialize)]
struct Written {
    version: u32,
    files: Vec<String>,
    codes: Vec<(u32, u32, String)>,
    keeps: Vec<u32>,
    hands: Vec<u32>,
    imports: Vec<(u32, u32, Vec<u32>, Vec<u32>)>,
    outside: (u32, Vec<u32>, Vec<u32>),
    unseen: Vec<u32>,
    elsewhere: Vec<String>,
    whole: Vec<u32>,
    tests: Vec<(String, u32, Vec<u32>, Vec<u32>)>,
    ran_by: (String, String, Vec<String>),
    complete: bool,
}

const FAILED: u32 = 1;
const UNSEEN: u32 = 2;

/// Puts the plugin into a folder and says by the environment that it is to be loaded and of which tree it is to tell.
pub(crate) fn prepare(
    folder: &Path,
    tree: &Path,
    environment: &mut BTreeMap<OsString, OsString>,
) -> Result<(), String> {
    let tree = files::canonical(tree).map_err(|error| error.to_string())?;
    files::create_dirs(folder).map_err(|error| error.to_string())?;
    files::create_new(&folder.join(format!("{MODULE}.py")), PLUGIN.as_bytes()).map_err(|error| error.to_string())?;
    let mut path = folder.as_os_str().to_owned();
    if let Some(known) = environment.get(&OsString::from("PYTHONPATH")).filter(|known| !known.is_empty()) {
        path.push(if cfg!(windows) { ";" } else { ":" });
        path.push(known);
    }
    let mut plugins = OsString::from(MODULE);
    if let Some(known) = environment.get(&OsString::from("PYTEST_PLUGINS")).filter(|known| !known.is_empty()) {
        plugins.push(",");
        plugins.push(known);
    }
    environment.insert("PYTHONPATH".into(), path);
    environment.insert("PYTEST_PLUGINS".into(), plugins);
    environment.insert("GRACE_REACH_FOLDER".into(), folder.as_os_str().to_owned());
    environment.insert("GRACE_REACH_ROOT".into(), tree.into_os_string());
    Ok(())
}

/// What the plugin left in a folder; why there is nothing that can be believed.
pub(crate) fn read(folder: &Path) -> Result<RawReach, String> {
    let path: PathBuf = folder.join("reach.json");
    let bytes = files::read(&path, MAX_BYTES).map_err(|error| match error.kind {
        FileErrorKind::NotFound => "the tests did not come to their end, or pytest did not load the plugin".to_owned(),
        FileErrorKind::TooLarge { .. } => "the record is too large".to_owned(),
        _ => format!("the record cannot be read: {error}"),
    })?;
    parse(&bytes)
}

/// A record from its bytes.
///
/// # Errors
/// Why it cannot be believed.
pub fn parse(bytes: &[u8]) -> Result<RawReach, String> {
    let written: Written = serde_json::from_slice(bytes).map_err(|error| format!("the record is damaged: {error}"))?;
    if written.version != VERSION || !written.complete {
        return Err("the record is of another form".to_owned());
    }
    let counts = [written.files.len(), written.codes.len(), written.tests.len(), written.elsewhere.len()];
    if counts.into_iter().any(|count| count > MAX_COUNT) {
        return Err("the record holds too much".to_owned());
    }
    let is_name = |name: &str| !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control);
    let is_path = |path: &str| {
        is_name(path) && path.split('/').all(|step| !matches!(step, "" | "." | "..")) && !path.contains('\\')
    };
    let codes = written.codes.iter();
    let is_sound = written.files.iter().chain(&written.elsewhere).all(|path| is_path(path))
        && codes.clone().all(|(file, _, name)| (*file as usize) < written.files.len() && is_name(name))
        && written
            .tests
            .iter()
            .all(|(id, ..)| id.split_once("::").is_some_and(|(file, name)| is_path(file) && is_name(name)));
    let (files, all_codes) = (written.files.len(), written.codes.len());
    let indices = |list: Vec<u32>, below: usize| {
        let ascends = list.is_sorted_by(|left, right| left < right);
        let fits = ascends && list.last().is_none_or(|&last| (last as usize) < below);
        fits.then_some(list).ok_or("the record names what it does not hold")
    };
    let seen = |flags: u32, entered: Vec<u32>, opened: Vec<u32>| {
        Ok::<_, &str>(RawSeen {
            entered: indices(entered, all_codes)?,
            opened: indices(opened, files)?,
            unseen: flags & UNSEEN != 0,
        })
    };
    let (version, program, packages) = written.ran_by;
    let is_place = |path: &str| is_name(path) && Path::new(path).is_absolute();
    let is_known = is_name(&version)
        && (program.is_empty() || is_place(&program))
        && packages.len() <= MAX_FOLDERS
        && packages.iter().all(|path| is_place(path))
        && packages.is_sorted();
    if !is_sound || !is_known {
        return Err("the record holds a name that is none".to_owned());
    }
    let mut reach = RawReach {
        keeps: indices(written.keeps, all_codes)?,
        hands: indices(written.hands, all_codes)?,
        unseen: indices(written.unseen, files)?,
        elsewhere: written.elsewhere,
        whole: indices(written.whole, files)?,
        ran_by: RanBy { version, program, packages },
        ..RawReach::default()
    };
    for (file, flags, entered, opened) in written.imports {
        if file as usize >= files || reach.imports.insert(file, seen(flags, entered, opened)?).is_some() {
            return Err("the record names what it does not hold".to_owned());
        }
    }
    let (flags, entered, opened) = written.outside;
    reach.outside = seen(flags, entered, opened)?;
    for (id, flags, entered, opened) in written.tests {
        if reach.tests.insert(id, (flags & FAILED != 0, seen(flags, entered, opened)?)).is_some() {
            return Err("the record tells of a test twice".to_owned());
        }
    }
    reach.files = written.files;
    reach.codes = written.codes.into_iter().map(|(file, line, name)| Code { file, line, name }).collect();
    Ok(reach)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{"version":3,"how":"monitoring","files":["a.py","t.py"],
        "codes":[[0,1,"f"],[1,3,"test_f"]],"keeps":[0],"hands":[],"imports":[[0,0,[],[]]],"outside":[0,[],[]],"unseen":[],
        "elsewhere":["pytest/__init__.py"],"whole":[1],"tests":[["t.py::test_f",3,[0,1],[0]]],
        "ran_by":["cpython 3.12.1","",[]],"complete":true}"#;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let reach = parse(SMALL.as_bytes()).expect("a record");
        let (failed, seen) = &reach.tests["t.py::test_f"];
        assert!(*failed && seen.unseen);
        assert_eq!((seen.entered.as_slice(), seen.opened.as_slice()), (&[0, 1][..], &[0][..]));
        assert_eq!(reach.codes[1], Code { file: 1, line: 3, name: "test_f".to_owned() });
    }

    #[test]
    fn a_record_that_is_cut_anywhere_is_not_believed() {
        assert!((0..SMALL.len()).all(|end| parse(&SMALL.as_bytes()[..end]).is_err()));
    }

    #[test]
    fn what_a_record_cannot_mean_is_not_believed() {
        for (from, to) in [
            ("\"complete\":true", "\"complete\":false"),
            ("\"version\":3", "\"version\":2"),
            ("[\"cpython 3.12.1\"", "[\"\""),
            ("1\",\"\",[]]", "1\",\"python\",[]]"),
            ("1\",\"\",[]]", "1\",\"\",[\"lib\"]]"),
            ("[0,1],[0]]", "[0,2],[0]]"),
            ("[0,1],[0]]", "[1,0],[0]]"),
            ("[0,1],[0]]", "[0,1],[2]]"),
            ("[0,1],[0]]", "[-1,1],[0]]"),
            ("\"a.py\"", "\"../a.py\""),
            ("\"a.py\"", "\"/a.py\""),
            ("\"a.py\"", "\"a\\u0000.py\""),
            ("[0,1,\"f\"]", "[2,1,\"f\"]"),
            ("\"keeps\":[0]", "\"keeps\":[9]"),
            ("\"hands\":[]", "\"hands\":[9]"),
            ("\"whole\":[1]", "\"whole\":[2]"),
            ("[[0,0,[],[]]]", "[[0,0,[],[]],[0,0,[],[]]]"),
            ("t.py::test_f", "t.py"),
        ] {
            let other = SMALL.replacen(from, to, 1);
            assert_ne!(other, SMALL);
            assert!(parse(other.as_bytes()).is_err(), "{to}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse(deep.as_bytes()).is_err());
    }
}
