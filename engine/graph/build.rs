//! Names what decides the facts and the links of a file: the sources of this crate, and the grammars. What was remembered
//! under another name is not read, so nobody has to think of raising a version.
#![expect(clippy::disallowed_methods, reason = "a build script reads the sources that it is built from")]

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

/// What they depend on, below this crate.
const SOURCES: &str = "src";
/// Which grammars are linked, and which codec.
const LOCK: &str = "../../Cargo.lock";
const PACKAGES: [&str; 2] = ["tree-sitter", "postcard"];

fn main() -> std::io::Result<()> {
    let mut hasher = DefaultHasher::new();
    let mut sources = Vec::new();
    println!("cargo::rerun-if-changed={SOURCES}");
    collect(Path::new(SOURCES), &mut sources)?;
    sources.sort();
    for source in sources {
        // The same on every system, however git wrote the lines out.
        let text = fs::read_to_string(&source)?.replace("\r\n", "\n");
        (source.to_string_lossy().replace('\\', "/"), text).hash(&mut hasher);
    }
    println!("cargo::rerun-if-changed={LOCK}");
    let lock = fs::read_to_string(LOCK)?.replace("\r\n", "\n");
    for package in lock.split("\n\n").filter(|package| PACKAGES.iter().any(|name| package.contains(name))) {
        package.hash(&mut hasher);
    }
    println!("cargo::rustc-env=GRACE_FACTS_VERSION={:016x}", hasher.finish());
    Ok(())
}

fn collect(path: &Path, sources: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        sources.push(path.to_path_buf());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), sources)?;
    }
    Ok(())
}
