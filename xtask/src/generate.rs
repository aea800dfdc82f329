//! `cargo xtask generate [--check]`: the files that are written by a program and kept in the repository.
//!
//! A new kind of them is one more row of [`GENERATED`].

use std::collections::BTreeMap;
use std::fs;

use crate::{duckdb, host};

/// Makes the whole texts of some files, by path from the root of the workspace.
type Generator = fn() -> Result<BTreeMap<String, String>, String>;

const GENERATED: &[Generator] = &[licences, of_the_binary];

/// The schemas: a file here that no format has any more is a difference, too.
const SCHEMAS: &str = "docs/schemas";

pub(crate) fn run(rest: &[String]) -> Result<(), String> {
    let check = match rest {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("expected nothing or `--check`".to_owned()),
    };
    // The language's page is written and checked by the test that stands beside its vocabulary.
    let page = host::cargo(&["test", "--package", "grace-dsl", "--test", "dsl", "--quiet", "vocabulary"]);
    (if check { page } else { page.variable("UPDATE", "1") }).run()?;
    let mut files = BTreeMap::new();
    for generator in GENERATED {
        files.extend(generator()?);
    }
    let mut stale = Vec::new();
    for (name, text) in &files {
        let path = host::root().join(name);
        // A checkout with other line ends is not a difference.
        if fs::read_to_string(&path).is_ok_and(|old| old.replace("\r\n", "\n") == *text) {
            continue;
        }
        if check {
            stale.push(name.clone());
            continue;
        }
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
        }
        fs::write(&path, text).map_err(|error| format!("cannot write {name}: {error}"))?;
        println!("wrote {name}");
    }
    let listed = fs::read_dir(host::root().join(SCHEMAS)).into_iter().flatten().flatten();
    for entry in listed.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "json")) {
        let name = format!("{SCHEMAS}/{}", entry.file_name().to_string_lossy());
        if !files.contains_key(&name) {
            stale.push(format!("{name} (nothing makes it)"));
        }
    }
    match stale.as_slice() {
        [] => Ok(()),
        names => Err(format!("out of date: {}\n  help: cargo xtask generate", names.join(", "))),
    }
}

/// The help of the command line and the schemas of its JSON formats: the binary says what it has.
fn of_the_binary() -> Result<BTreeMap<String, String>, String> {
    duckdb::bring()?;
    host::cargo(&["build", "--package", "grace-rules", "--locked"]).run()?;
    let binary = host::target()?.join("debug").join(format!("grace-rules{}", std::env::consts::EXE_SUFFIX));
    let mut files =
        BTreeMap::from([("docs/help.md".to_owned(), host::program(&binary).args(["reference", "cli"]).output()?)]);
    let schemas = host::program(&binary).args(["reference", "schemas"]).output()?;
    let schemas: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&schemas).map_err(|error| format!("the schemas are no JSON: {error}"))?;
    for (name, schema) in schemas {
        files.insert(format!("{SCHEMAS}/{name}.json"), format!("{schema:#}\n"));
    }
    Ok(files)
}

/// The licences of what the workspace names directly, as the packages declare them.
fn licences() -> Result<BTreeMap<String, String>, String> {
    let arguments = ["tree", "--workspace", "--locked", "--depth", "1", "--no-dedupe", "--edges", "normal,build,dev"];
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
    Ok(BTreeMap::from([("docs/licences.md".to_owned(), text)]))
}
