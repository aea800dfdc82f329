//! `cargo xtask generate [--check]`: the files that are written by a program and kept in the repository.
//!
//! A new one is one more row of [`GENERATED`].

use std::collections::BTreeMap;
use std::fs;

use crate::host;

/// Makes the whole text of one file.
type Generator = fn() -> Result<String, String>;

/// Path from the root of the workspace, and what makes the text.
const GENERATED: &[(&str, Generator)] = &[("docs/licences.md", licences)];

pub(crate) fn run(rest: &[String]) -> Result<(), String> {
    let check = match rest {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("expected nothing or `--check`".to_owned()),
    };
    let mut stale = Vec::new();
    for (name, generator) in GENERATED {
        let path = host::root().join(name);
        let text = generator()?;
        // A checkout with other line ends is not a difference.
        if fs::read_to_string(&path).is_ok_and(|old| old.replace("\r\n", "\n") == text) {
            continue;
        }
        if check {
            stale.push(*name);
            continue;
        }
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
        }
        fs::write(&path, text).map_err(|error| format!("cannot write {name}: {error}"))?;
        println!("wrote {name}");
    }
    match stale.as_slice() {
        [] => Ok(()),
        names => Err(format!("out of date: {}\n  help: cargo xtask generate", names.join(", "))),
    }
}

/// The licences of what the workspace names directly, as the packages declare them.
fn licences() -> Result<String, String> {
    let arguments = ["tree", "--workspace", "--locked", "--depth", "1", "--edges", "normal,build,dev"];
    let tree =
        host::cargo(&arguments).args(["--target", "all", "--prefix", "none", "--format", "{p}|{l}|{r}"]).output()?;
    let mut rows = BTreeMap::new();
    for line in tree.lines() {
        let mut parts = line.trim_end_matches(" (*)").split('|');
        let (Some(package), Some(licence), Some(source)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        // Our own packages show the path of this checkout.
        let name = package.split(' ').next().unwrap_or_default();
        if !package.contains('(') || package.ends_with("(proc-macro)") {
            rows.insert(name.to_owned(), format!("| {name} | {licence} | {source} |\n"));
        }
    }
    let mut text = String::from(
        "# Licences\n\n\
         grace-rules itself is under Apache-2.0, see `LICENSE`. Written by `cargo xtask generate`.\n\n\
         ## Linked at run time\n\n\
         | package | licence | source |\n|---|---|---|\n\
         | libduckdb 1.5.5 | MIT | https://github.com/duckdb/duckdb |\n\n\
         ## Rust packages named in the manifests\n\n\
         Versions, and what these bring with them, are in `Cargo.lock`; `deny.toml` lists the licences allowed there.\n\n\
         | package | licence | source |\n|---|---|---|\n",
    );
    text.extend(rows.into_values());
    Ok(text)
}
