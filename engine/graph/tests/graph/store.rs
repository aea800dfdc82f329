//! Facts are read once per content, and remembered where that can be done.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use grace_graph::extract::extract;
use grace_graph::facts::{ContentId, FileFacts, Language, ProblemKind};
use grace_graph::store::{Disk, FactStore, MOST_BYTES};
use grace_system::files;

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
    assert_eq!(*facts, extract(Language::Python, text));
    assert_eq!(facts.digests.len(), facts.outline.parts.len());
    assert!(Arc::ptr_eq(&facts, &store.facts(Language::Python, text)));
    assert_eq!(store.extractions(), 1);
}

/// A text of its own for each number.
fn text(number: usize) -> Vec<u8> {
    format!("import m{number}\n\n\nclass C{number}(Base):\n    def f(self):\n        return m{number}.go('a/b.json')\n")
        .into_bytes()
}

fn over(root: &Path, most: u64) -> FactStore {
    FactStore::over(Disk::open(root, most))
}

/// Keeps the facts of these texts, as one run does.
fn kept(root: &Path, most: u64, numbers: impl IntoIterator<Item = usize>) {
    let store = over(root, most);
    for number in numbers {
        store.facts(Language::Python, &text(number));
    }
    store.keep();
}

fn is_known(root: &Path, number: usize) -> bool {
    over(root, MOST_BYTES).get(ContentId::of(&text(number)), Language::Python).is_some()
}

/// The directory of this version, and the names of its segments.
fn segments(root: &Path) -> (PathBuf, Vec<String>) {
    let versions = root.join("facts");
    let version = files::list(&versions).unwrap().pop().unwrap().name;
    let directory = versions.join(version);
    let names = files::list(&directory).unwrap().into_iter().map(|entry| entry.name);
    let names = names.filter(|name| name.ends_with(".segment")).collect();
    (directory, names)
}

#[test]
fn a_later_process_extracts_nothing_again() {
    let root = files::temporary_dir().unwrap();
    let (first, second) = (over(root.path(), MOST_BYTES), text(1));
    first.facts(Language::Python, &text(0));
    first.facts_with_digests(Language::Python, &second);
    first.facts(Language::Python, b"not \xff text");
    first.learn_blob(&[7; 20], ContentId::of(&second));
    first.keep();
    let later = over(root.path(), MOST_BYTES);
    assert!(later.is_empty());
    for bytes in [&text(0)[..], &second, b"not \xff text"] {
        assert_eq!(*later.facts(Language::Python, bytes), *first.facts(Language::Python, bytes));
    }
    assert_eq!(*later.facts_with_digests(Language::Python, &second), extract(Language::Python, &second));
    assert_eq!(later.extractions(), 0);
    assert_eq!(later.content_of_blob(&[7; 20]), Some(ContentId::of(&second)));
    assert_eq!(later.content_of_blob(&[7; 32]), None);
    // Programs that make copies leave it out.
    let tag = files::read_text(&root.path().join("CACHEDIR.TAG"), 1_000).unwrap();
    assert!(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55"));
}

#[test]
fn digests_that_came_later_are_kept_too() {
    let root = files::temporary_dir().unwrap();
    kept(root.path(), MOST_BYTES, [0]);
    let later = over(root.path(), MOST_BYTES);
    later.facts_with_digests(Language::Python, &text(0));
    later.keep();
    let facts = over(root.path(), MOST_BYTES).get(ContentId::of(&text(0)), Language::Python).unwrap();
    assert_eq!(*facts, extract(Language::Python, &text(0)));
}

#[test]
fn a_file_that_is_cut_or_holds_noise_is_not_believed_and_is_made_again() {
    let root = files::temporary_dir().unwrap();
    kept(root.path(), MOST_BYTES, 0..20);
    let (directory, names) = segments(root.path());
    assert_eq!(names.len(), 1);
    let expected: Vec<_> = (0..20).map(|number| extract_without_digests(&text(number))).collect();
    let same = || {
        let store = over(root.path(), MOST_BYTES);
        for (number, facts) in expected.iter().enumerate() {
            assert_eq!(*store.facts(Language::Python, &text(number)), *facts, "{number}");
        }
        store
    };
    assert_eq!(same().extractions(), 0);
    for name in ["index", &names[0]] {
        let path = directory.join(name);
        let whole = files::read(&path, u64::MAX).unwrap();
        for place in 0..100 {
            let cut = whole.len() * place / 100;
            files::write_atomic(&path, &whole[..cut]).unwrap();
            assert!(same().extractions() > 0, "{name} cut at {cut} of {}", whole.len());
            let mut noise = whole.clone();
            noise[cut] ^= 1 << (place % 8);
            files::write_atomic(&path, &noise).unwrap();
            assert!(same().extractions() > 0, "{name} with noise at {cut}");
        }
        files::write_atomic(&path, &whole).unwrap();
    }
    files::write_atomic(&directory.join(&names[0]), &[0xaa; 4_000]).unwrap();
    same().keep();
    assert_eq!(same().extractions(), 0, "what was lost is kept again");
}

fn extract_without_digests(bytes: &[u8]) -> FileFacts {
    FileFacts { digests: Box::default(), reads_otherwise: false, quiet: None, ..extract(Language::Python, bytes) }
}

#[test]
fn many_small_segments_become_few_and_nothing_is_lost() {
    let root = files::temporary_dir().unwrap();
    (0..60).for_each(|number| kept(root.path(), MOST_BYTES, [number]));
    assert!(segments(root.path()).1.len() <= 16);
    assert!((0..60).all(|number| is_known(root.path(), number)));
}

#[test]
fn the_oldest_go_first_where_room_is_short() {
    let root = files::temporary_dir().unwrap();
    let most = 20_000;
    for run in 0..30 {
        kept(root.path(), most, run * 10..run * 10 + 10);
        let (directory, names) = segments(root.path());
        let bytes: u64 = names.iter().map(|name| files::stat(&directory.join(name)).unwrap().size).sum();
        assert!(bytes <= most, "{bytes}");
        assert!(is_known(root.path(), run * 10));
    }
    assert!(!is_known(root.path(), 0));
    assert!(is_known(root.path(), 285));
    // What has no room at all drives nothing out.
    let (_, before) = segments(root.path());
    kept(root.path(), most, 1_000..2_000);
    assert_eq!(segments(root.path()).1, before);
}

#[test]
fn writers_at_the_same_time_lose_nothing() {
    let root = files::temporary_dir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let root = root.path();
            scope.spawn(move || kept(root, MOST_BYTES, writer * 10..writer * 10 + 10));
        }
    });
    assert!((0..80).all(|number| is_known(root.path(), number)));
}

#[test]
fn what_somebody_else_is_writing_is_let_be_and_what_nobody_finished_goes() {
    let root = files::temporary_dir().unwrap();
    kept(root.path(), MOST_BYTES, [0]);
    let (directory, _) = segments(root.path());
    let [young, old] = [".tmp-young", ".tmp-old"].map(|name| directory.join(name));
    [&young, &old].into_iter().for_each(|path| files::write_atomic(path, b"begun").unwrap());
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(7_200);
    std::fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
    kept(root.path(), MOST_BYTES, [1]);
    assert_eq!((files::exists(&young), files::exists(&old)), (true, false));
}

#[test]
fn a_reader_whose_segments_went_extracts_again() {
    let root = files::temporary_dir().unwrap();
    kept(root.path(), MOST_BYTES, 0..5);
    let reader = over(root.path(), MOST_BYTES);
    let (directory, names) = segments(root.path());
    names.iter().for_each(|name| files::remove_file(&directory.join(name)).unwrap());
    assert_eq!(*reader.facts(Language::Python, &text(0)), extract_without_digests(&text(0)));
    assert_eq!(reader.extractions(), 1);
}

#[test]
fn other_versions_are_left_alone_but_for_old_ones() {
    let root = files::temporary_dir().unwrap();
    let versions = root.path().join("facts");
    for name in ["a", "b", "c", "d"] {
        files::create_dirs(&versions.join(name)).unwrap();
    }
    for name in ["b", "d"] {
        files::write_atomic(&versions.join(name).join("index"), b"of another form").unwrap();
    }
    kept(root.path(), MOST_BYTES, [0]);
    let left: Vec<_> = files::list(&versions).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(left.len(), 3);
    assert!(["b", "d"].iter().all(|name| left.contains(&(*name).to_owned())), "{left:?}");
}

#[test]
fn without_a_place_everything_works_and_nothing_is_kept() {
    let root = files::temporary_dir().unwrap();
    let file = root.path().join("file");
    files::write_atomic(&file, b"no directory").unwrap();
    for root in [&file, &root.path().join("a\0b")] {
        kept(root, MOST_BYTES, [0]);
        assert!(!is_known(root, 0));
    }
    assert_eq!(files::list(root.path()).unwrap().len(), 1);
}
