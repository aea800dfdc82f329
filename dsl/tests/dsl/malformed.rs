//! What people get wrong, each with the whole output that they see. Sound items of the same file survive.
#![expect(clippy::disallowed_methods, reason = "the corpus is a folder of texts beside the tests")]

use std::path::{Path, PathBuf};

use grace_dsl::parse;

use crate::support::{check_texts, rendered};

fn texts() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/malformed");
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("the corpus is there: {error}"));
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "grace"));
    paths.sort();
    let name = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    paths.iter().filter_map(|path| Some((name(path), std::fs::read_to_string(path).ok()?))).collect()
}

#[test]
fn every_mistake_is_told_as_recorded() {
    let texts = texts();
    assert!(texts.len() >= 50, "{}", texts.len());
    for (name, text) in texts {
        let found = check_texts(&[&text]);
        assert!(!found.is_empty(), "{name}");
        let pages: Vec<String> = found.iter().map(|diagnostic| rendered(diagnostic, "a.grace", &text)).collect();
        insta::with_settings!({ snapshot_path => "../malformed", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, pages.join("\n\n"));
        });
    }
}

#[test]
fn sound_items_survive_every_mistake() {
    for (name, text) in texts() {
        let items = parse(&text).items;
        for sound in ["sound", "sound_too"] {
            assert!(items.iter().any(|item| item.name == sound), "{name}: `{sound}` is lost");
        }
    }
}

#[test]
fn every_error_points_at_text_of_its_own_line() {
    for (name, text) in texts() {
        for found in check_texts(&[&text]) {
            let marked = text.get(found.span.clone()).unwrap_or_default();
            assert!(!marked.is_empty(), "{name}: {} marks nothing", found.code);
        }
    }
}
