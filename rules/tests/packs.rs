//! What the crate embeds is what the repository holds, and it is sound.

use grace_packs::starter::{self, Found};
use grace_packs::{FLOOR, floor, pack, packs};

fn module_of(text: &str) -> &str {
    let line = text.lines().find(|line| line.starts_with("module ")).expect("a module line");
    line.trim_start_matches("module ").trim()
}

#[test]
fn each_pack_is_found_by_the_module_that_its_text_names() {
    for one in packs() {
        assert_eq!(module_of(one.text), one.module, "{}", one.path);
        assert_eq!(pack(one.module), Some(one));
    }
    assert_eq!(pack("grace.nothing"), None);
    assert_eq!(pack(FLOOR), Some(floor()));
}

#[test]
fn packs_are_sorted_and_unique() {
    assert!(packs().windows(2).all(|pair| pair[0].module < pair[1].module));
}

#[test]
fn every_starter_module_and_bundle_is_shipped() {
    for module in starter::GRACE_MODULES {
        assert!(pack(module).is_some(), "{module}");
    }
    for bundle in starter::BUNDLES {
        assert!(pack(&format!("grace.bundles.{bundle}")).is_some(), "{bundle}");
    }
}

#[test]
fn a_bundle_whose_tests_stand_elsewhere_is_written_with_their_paths() {
    let found = Found {
        person: "ada@example.org".to_owned(),
        is_grace_system: true,
        test_directories: Vec::new(),
        test_files: vec!["app/tests/test_cognition_loop.py".to_owned(), "tests/chaos/test_chaos_smoke.py".to_owned()],
    };
    let files = starter::files(&found);
    assert!(files[0].text.contains("grace.bundles.chaos_smoke"), "{}", files[0].text);
    assert!(!files[0].text.contains("grace.bundles.cognition_loops"));
    assert!(files[1].text.contains("bundle cognition_loops\n"));
    assert!(files[1].text.contains("tests    path(\"app/tests/test_cognition_loop.py\")\n  run "), "{}", files[1].text);
    assert!(files[1].text.contains("bundle layer1_boot  critical"));
    assert!(files[1].text.contains("tests    none"));
    assert!(!files[1].text.contains("test_meta_loop"));
}

#[test]
fn a_name_cannot_leave_its_string() {
    let found = Found { person: "a\"\nrule x".to_owned(), ..Found::default() };
    let files = starter::files(&found);
    assert!(files[0].text.contains("members \"a\\\"rule x\"\n"), "{}", files[0].text);
}
