//! Facts are read once per content.

use std::sync::Arc;

use grace_graph::facts::{Language, ProblemKind};
use grace_graph::store::FactStore;

#[test]
fn a_content_is_extracted_once_whatever_its_path() {
    let store = FactStore::new();
    let paths = ["a.py", "b/a.py", "notes.md", "gone.py"];
    let load = |path: &str| (path != "gone.py").then(|| b"def f(): pass\n".to_vec());
    // One after the other, so that the second path finds what the first one left.
    let facts: Vec<_> = paths.iter().flat_map(|path| store.load_tree(&[*path], load)).collect();
    assert_eq!(store.extractions(), 1);
    assert!(Arc::ptr_eq(facts[0].as_ref().unwrap(), facts[1].as_ref().unwrap()));
    assert!(facts[2].is_none());
    assert_eq!(facts[3].as_ref().unwrap().opaque(), Some(ProblemKind::Unreadable));
    store.load_tree(&paths, load);
    assert_eq!(store.extractions(), 1);
    let id = facts[0].as_ref().unwrap().content;
    assert!(store.get(id, Language::Python).is_some());
}

#[test]
fn a_tree_is_loaded_in_the_order_of_its_paths() {
    let paths: Vec<String> = (0..200).map(|n| format!("m{n}.py")).collect();
    let store = FactStore::new();
    let facts = store.load_tree(&paths, |path| Some(format!("def {}(): pass\n", &path[..path.len() - 3]).into_bytes()));
    for (path, facts) in paths.iter().zip(facts) {
        let facts = facts.unwrap();
        assert_eq!(format!("{}.py", facts.outline.name(facts.outline.parts[1].name)), *path);
    }
    assert_eq!((store.extractions(), store.len()), (200, 200));
}

#[test]
fn digests_are_read_for_those_who_ask_and_kept() {
    let store = FactStore::new();
    let text = b"def f(): pass\n";
    assert!(store.facts(Language::Python, text).digests.is_empty());
    let facts = store.facts_with_digests(Language::Python, text);
    assert_eq!(*facts, grace_graph::extract::extract(Language::Python, text));
    assert_eq!(facts.digests.len(), facts.outline.parts.len());
    assert!(Arc::ptr_eq(&facts, &store.facts(Language::Python, text)));
    assert_eq!(store.extractions(), 1);
}
