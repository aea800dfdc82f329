//! Every rule file of this repository parses: packs, bundles, the tests beside them, examples.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read the repository from disk")]

use std::fs;
use std::path::{Path, PathBuf};

use grace_dsl::{parse, render};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// All `.grace` files below a directory, sorted.
fn rule_files(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rule_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "grace") {
            found.push(path);
        }
    }
}

#[test]
fn every_shipped_rule_file_parses() {
    let mut files = Vec::new();
    for directory in ["rules", "bundles", "examples"] {
        rule_files(&root().join(directory), &mut files);
    }
    assert!(files.len() > 30, "only {} rule files were found", files.len());
    let mut wrong = String::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        for diagnostic in parse(&text).diagnostics {
            wrong.push_str(&format!("{:?}\n", render(&diagnostic, &shown, &text)));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
