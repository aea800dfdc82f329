//! The layering of the crates, read from cargo's own view of the workspace.
//!
//! A crate that is not in the table below, an arrow that is not in it, or a crate that
//! `ARCHITECTURE.md` does not describe fails here, so the page and the code cannot drift apart.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read the workspace from disk")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Each crate and those of ours that it may depend on. `*` stands for any.
const ARROWS: &[(&str, &[&str])] = &[
    ("grace-dsl", &[]),
    ("grace-system", &[]),
    ("grace-drift", &[]),
    ("grace-fingerprints", &[]),
    ("grace-packs", &[]),
    ("grace-graph", &["grace-system"]),
    ("grace-hook", &["grace-system"]),
    ("grace-ledger", &["grace-system"]),
    ("grace-store", &["grace-system"]),
    ("grace-models", &["grace-system", "grace-fingerprints"]),
    ("grace-engine", &["grace-dsl", "grace-graph", "grace-fingerprints"]),
    ("grace-runner", &["grace-system", "grace-engine"]),
    (
        "grace-govern",
        &[
            "grace-dsl",
            "grace-engine",
            "grace-fingerprints",
            "grace-runner",
            "grace-models",
            "grace-drift",
            "grace-fingerprints",
            "grace-ledger",
            "grace-store",
            "grace-system",
        ],
    ),
    ("grace-server", &["grace-dsl", "grace-engine", "grace-govern", "grace-packs"]),
    ("grace-rules", &["*"]),
    ("grace-tests", &["*"]),
    ("xtask", &["*"]),
];

/// Packages of others that exactly one of our crates may name.
const ONE_DOOR: &[(&str, &str)] = &[
    ("duckdb", "grace-store"),
    ("pest", "grace-dsl"),
    ("salsa", "grace-engine"),
    ("clap", "grace-rules"),
    ("reqwest", "grace-models"),
    ("rmcp", "grace-server"),
];

/// A crate of the workspace and the packages that its shipped code depends on.
struct Member {
    manifest: PathBuf,
    depends_on: BTreeSet<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn members() -> BTreeMap<String, Member> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(!packages.is_empty());
    packages
        .iter()
        .map(|package| {
            // What only a crate's own tests use is no part of the layering.
            let depends_on = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"] != "dev")
                .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
                .collect();
            let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
            (package["name"].as_str().unwrap().to_owned(), Member { manifest, depends_on })
        })
        .collect()
}

#[test]
fn no_crate_depends_on_another_against_the_layering() {
    let members = members();
    let mut wrong = Vec::new();
    for (name, member) in &members {
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| known == name) else {
            wrong.push(format!("{name} is not in the table of layers"));
            continue;
        };
        for other in member.depends_on.iter().filter(|other| members.contains_key(*other)) {
            if !allowed.contains(&"*") && !allowed.contains(&other.as_str()) {
                wrong.push(format!("{name} may not depend on {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_heavy_package_is_named_by_one_crate_alone() {
    for (package, owner) in ONE_DOOR {
        let users: Vec<String> = members()
            .into_iter()
            .filter(|(_, member)| member.depends_on.contains(*package))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(users, [*owner], "`{package}` belongs behind one crate");
    }
}

#[test]
fn the_crate_map_names_every_crate_and_its_folder() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (name, member) in members() {
        let folder = member.manifest.parent().unwrap();
        let folder = folder.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        let described =
            page.lines().any(|line| line.contains(&format!("`{name}`")) && line.contains(&format!("`{folder}/`")));
        assert!(described, "ARCHITECTURE.md has no line with `{name}` and `{folder}/`");
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for (name, member) in members() {
        let manifest = fs::read_to_string(&member.manifest).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name} does not");
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
}

#[test]
fn no_source_file_has_unsafe_code() {
    // Put together here, so that this file does not find itself.
    let word = ["un", "safe"].concat();
    let forms = ["{", "fn ", "impl ", "trait ", "extern "].map(|after| format!("{word} {after}"));
    let mut read = 0;
    for member in members().into_values() {
        let mut folders = vec![member.manifest.parent().unwrap().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.ends_with("target") && !path.join("Cargo.toml").exists() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    read += 1;
                    let text = fs::read_to_string(&path).unwrap();
                    for form in &forms {
                        assert!(!text.contains(form), "{} has `{form}`", path.display());
                    }
                }
            }
        }
    }
    assert!(read >= members().len(), "the walk missed crates");
}
