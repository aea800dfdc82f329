//! Tests of the whole: command line, incremental, corpus, documentation.
//!
//! The library holds what several of them need: the rule books of this repository and its example trees, read from disk.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read the repository from disk")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use grace_dsl::ast::ItemKind;
use grace_dsl::{Role, parse};
use grace_engine::input::{Book, BookFile};

/// The root of this repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// All text files below a directory of this repository, by path relative to that directory, with `/`.
#[must_use]
pub fn files_below(directory: &str) -> BTreeMap<String, String> {
    let top = root().join(directory);
    let mut found = BTreeMap::new();
    collect(&top, &top, &mut found);
    found
}

fn collect(top: &Path, directory: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        let path = entry.unwrap().path();
        if path.ends_with("__pycache__") || path.ends_with(".pytest_cache") {
            continue;
        }
        if path.is_dir() {
            collect(top, &path, found);
        } else {
            let parts: Vec<_> = path.strip_prefix(top).unwrap().iter().map(|part| part.to_string_lossy()).collect();
            found.insert(parts.join("/"), fs::read_to_string(&path).unwrap());
        }
    }
}

/// The rule files below a directory of this repository, by path relative to the repository.
#[must_use]
pub fn rules_below(directory: &str) -> BTreeMap<String, String> {
    let files = files_below(directory).into_iter().filter(|(path, _)| path.ends_with(".grace"));
    files.map(|(path, text)| (format!("{directory}/{path}"), text)).collect()
}

/// A rule book of own files and the packs that they adopt or use, at any remove.
#[must_use]
pub fn book(own: BTreeMap<String, String>) -> Book {
    let mut files: Vec<BookFile> = own
        .into_iter()
        .map(|(path, text)| BookFile { path: path.into(), text: Ok(text.into()), role: Role::Own })
        .collect();
    let mut at = 0;
    while at < files.len() {
        let mut wanted: Vec<(String, Role)> = Vec::new();
        if let Ok(text) = &files[at].text {
            for item in parse(text).items {
                match item.kind {
                    ItemKind::Adopt(names) => wanted.extend(names.into_iter().map(|name| (name.text, Role::Adopted))),
                    ItemKind::Use(names) => wanted.extend(names.into_iter().map(|name| (name.text, Role::Used))),
                    _ => {}
                }
            }
        }
        for (module, role) in wanted {
            let Some(pack) = grace_packs::pack(&module) else { continue };
            let path = format!("pack {module}");
            match files.iter_mut().find(|file| *file.path == *path) {
                Some(known) if role == Role::Adopted && known.role == Role::Used => known.role = role,
                Some(_) => {}
                None => files.push(BookFile { path: path.into(), text: Ok(Arc::from(pack.text)), role }),
            }
        }
        at += 1;
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Book { files }
}
