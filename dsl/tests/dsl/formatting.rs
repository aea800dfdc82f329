//! The formatter changes white space and nothing else, and changes nothing the second time.
#![expect(clippy::disallowed_methods, reason = "the shipped texts are read as they stand in the repository")]

use std::path::{Path, PathBuf};

use grace_dsl::{FormatError, format, parse};

const LANGUAGE: &str = include_str!("../examples/language.grace");
const OPERATIONAL: &str = include_str!("../examples/operational.grace");

#[test]
fn the_language_page_in_its_one_look() {
    insta::with_settings!({ snapshot_path => "../examples", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("formatted", format!("{}\n{}", format(LANGUAGE).unwrap(), format(OPERATIONAL).unwrap()));
    });
}

#[test]
fn every_sound_file_of_the_repository_is_formatted_soundly() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths = Vec::new();
    for folder in ["rules", "bundles", "examples", "dsl/tests/examples"] {
        grace_files(&root.join(folder), &mut paths);
    }
    assert!(paths.len() > 20, "{}", paths.len());
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let once = match format(&text) {
            Ok(once) => once,
            Err(FormatError::Invalid(_)) => continue,
            Err(FormatError::Unsound) => panic!("{}", path.display()),
        };
        assert_eq!(format(&once).as_deref(), Ok(once.as_str()), "{}", path.display());
        assert_eq!(parse(&once).items, parse(&text).items, "{}", path.display());
    }
}

fn grace_files(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            grace_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "grace") {
            into.push(path);
        }
    }
}

#[test]
fn comments_stay_beside_what_they_are_about() {
    let text = "# first\n\n\n# of the team\nteam a members # who\n  \"x\", # one\n  # two\n  \"y\"\n  # below\n# left\nrule r : tier 2 # why\n when tests removed\n # of because\n because \"x\"\n# last";
    insta::assert_snapshot!(format(text).unwrap(), @r#"
    # first

    # of the team
    team a  members  # who
      "x",  # one
      # two
      "y"
      # below
    # left
    rule r : tier 2  # why
      when     tests removed
      # of because
      because  "x"

    # last
    "#);
}

#[test]
fn a_text_with_errors_is_left_alone_and_the_first_error_is_named() {
    let Err(FormatError::Invalid(first)) = format("rule a : tier 2\n  when tests removed\n") else {
        panic!("it was formatted");
    };
    assert_eq!(first.code.as_str(), "E020");
}

#[test]
fn marks_and_line_ends_of_other_systems_go() {
    let text = "\u{feff}define a = tests\r\n# x\r\ndefine b = a\r\n";
    assert_eq!(format(text).as_deref(), Ok("define a = tests\n# x\ndefine b = a\n"));
    assert_eq!(format(""), Ok(String::new()));
}

#[test]
fn long_lists_are_wrapped_at_a_hundred_columns() {
    let names: Vec<String> = (0..60).map(|number| format!("bundle(name_{number})")).collect();
    let text = format!("rule a : tier 2 when tests removed require {} because \"x\"", names.join(","));
    let made = format(&text).unwrap();
    assert!(made.lines().all(|line| line.chars().count() <= 100), "{made}");
    assert!(made.lines().any(|line| line.chars().count() > 80), "{made}");
}
