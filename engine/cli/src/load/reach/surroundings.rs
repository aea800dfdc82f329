//! What tests ran in, beside their tree: a record tells nothing of other interpreters, packages or variables.
//!
//! A plan starts nothing, so it looks at what a run named: the program of the command where `PATH` has it, the interpreter's
//! own file, the names of what is installed beside it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use grace_runner::reach::RanBy;
use grace_system::{env, files};
use serde::{Deserialize, Serialize};

/// Variables that say where things are found or kept for a while; what is found there is looked at by itself.
const PLACES: [&str; 4] = ["PATH", "TMPDIR", "TEMP", "TMP"];
/// Ends of names in a folder of packages that tell of what is installed, or of what Python is to load from elsewhere.
const INSTALLED: [&str; 5] = [".dist-info", ".egg-info", ".egg-link", ".egg", ".pth"];

type Digest = [u8; 32];

/// A file as it is called, and what tells that it is another one. Interpreters of virtual environments are links to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Program {
    path: String,
    size: u64,
    modified: i64,
}

/// What tests ran in, beside their tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Surroundings {
    /// The command's program; `None` where it cannot be found.
    command: Option<Program>,
    version: String,
    interpreter: Option<Program>,
    packages: Vec<(String, Digest)>,
    variables: Digest,
}

impl Surroundings {
    /// As they are now, of a command that an interpreter ran.
    pub(super) fn of(root: &Path, run: &[String], by: &RanBy) -> Self {
        Self {
            command: command(root, run),
            version: by.version.clone(),
            interpreter: program(Path::new(&by.program)),
            packages: by.packages.iter().map(|folder| (folder.clone(), installed(folder))).collect(),
            variables: variables(),
        }
    }

    /// What of them is not so now; `None` where all is.
    pub(super) fn differs(&self, root: &Path, run: &[String]) -> Option<&'static str> {
        let is_same = |known: &Option<Program>| {
            known.as_ref().is_none_or(|known| program(Path::new(&known.path)).as_ref() == Some(known))
        };
        if command(root, run) != self.command || !is_same(&self.interpreter) {
            return Some("another interpreter runs the tests than when they were recorded");
        }
        if self.packages.iter().any(|(folder, known)| installed(folder) != *known) {
            return Some("other packages are installed than when the tests were recorded");
        }
        (variables() != self.variables).then_some("variables of the environment changed since the tests were recorded")
    }

    /// A name for them.
    pub(super) fn digest(&self) -> Digest {
        // Of such plain values nothing goes wrong; a name that others have, too, is one that is written over.
        *blake3::hash(&postcard::to_stdvec(self).unwrap_or_default()).as_bytes()
    }
}

/// The program of a command: what `PATH` has, or the tree itself.
fn command(root: &Path, run: &[String]) -> Option<Program> {
    let name = run.first()?;
    let is_path = Path::new(name).components().count() > 1;
    // As a process is started: a path is one below the directory that is run in, or an absolute one.
    let path = if is_path { Some(root.join(name)) } else { env::find_program(name, &env::search_path(None)) };
    let found = program(&path?)?;
    // A tree that is written out somewhere else has the same one.
    Some(if is_path { Program { path: name.clone(), ..found } } else { found })
}

fn program(path: &Path) -> Option<Program> {
    let stat = files::stat(&files::canonical(path).ok()?).ok()?;
    let path = path.to_str()?.to_owned();
    (stat.kind == files::Kind::File).then_some(Program { path, size: stat.size, modified: stat.stamp.modified })
}

/// What is installed in a folder, by the names of what describes it: `requests-2.32.0.dist-info`.
fn installed(folder: &str) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for entry in files::list(&PathBuf::from(folder)).unwrap_or_default() {
        if INSTALLED.iter().any(|end| entry.name.ends_with(end)) {
            hasher.update(entry.name.as_bytes()).update(&[0]);
        }
    }
    *hasher.finalize().as_bytes()
}

/// The variables that tests see.
fn variables() -> Digest {
    let mut hasher = blake3::Hasher::new();
    // Python sets the last of these for whatever it starts, as it would for itself.
    let is_told_otherwise = |name: &OsString, value: &OsString| {
        PLACES.iter().any(|place| name.eq_ignore_ascii_case(place))
            || name == "LC_CTYPE" && value.to_str().is_some_and(|value| value.to_ascii_uppercase().starts_with("C.UTF"))
    };
    for (name, value) in grace_runner::environment(&[]).iter().filter(|(name, value)| !is_told_otherwise(name, value)) {
        hasher.update(name.as_encoded_bytes()).update(b"=").update(value.as_encoded_bytes()).update(&[0]);
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_interpreter_other_packages_and_another_command_are_told_apart() {
        let folder = files::temporary_dir().expect("a directory");
        let at = |name: &str| folder.path().join(name);
        let packages = at("site-packages");
        files::create_dirs(&packages).expect("a directory");
        files::write_atomic(&at("python"), b"one").expect("a file");
        let by = RanBy {
            version: "cpython 3.12.1".to_owned(),
            program: at("python").to_str().expect("a name").to_owned(),
            packages: vec![packages.to_str().expect("a name").to_owned()],
        };
        let run = ["./python".to_owned()];
        let known = Surroundings::of(folder.path(), &run, &by);
        assert_eq!(known.differs(folder.path(), &run), None);
        // A cache that Python writes is no package.
        files::create_dirs(&packages.join("__pycache__")).expect("a directory");
        assert_eq!(known.differs(folder.path(), &run), None);
        files::create_dirs(&packages.join("six-2.dist-info")).expect("a directory");
        assert!(known.differs(folder.path(), &run).is_some_and(|why| why.contains("packages")));
        files::remove_dirs(&packages.join("six-2.dist-info")).expect("it is gone");
        assert_eq!(known.differs(folder.path(), &run), None);
        files::write_atomic(&at("python"), b"another").expect("a file");
        assert!(known.differs(folder.path(), &run).is_some_and(|why| why.contains("interpreter")));
        files::remove_file(&at("python")).expect("it is gone");
        assert!(known.differs(folder.path(), &run).is_some_and(|why| why.contains("interpreter")));
    }
}
