//! The shipped rule files: they parse, each book that they are read in is sound, and the tests beside them pass.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read the repository from disk")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::sync::Arc;

use grace_dsl::{Diagnostic, LineIndex, Parsed, Severity, SourceFile, check, format, parse};
use grace_engine::input::Book;
use grace_engine::testing::{Fixtures, TestReport, run_tests};
use grace_graph::store::FactStore;
use grace_packs::starter::{self, Found};
use grace_tests::{book, files_below, root, rules_below};

/// `path:line severity code: message (help)`
fn shown(diagnostic: &Diagnostic, path: &str, text: &str) -> String {
    let line = LineIndex::new(text).line(diagnostic.span.start);
    let help = diagnostic.help.as_deref().unwrap_or("-");
    format!("{path}:{line} {} {}: {} ({help})\n", diagnostic.severity, diagnostic.code, diagnostic.message)
}

/// What is wrong with a book, notes left out.
fn wrong_with(book: &Book) -> String {
    let parsed: Vec<(&str, &str, Parsed, grace_dsl::Role)> = book
        .files
        .iter()
        .map(|file| (&*file.path, &**file.text.as_ref().unwrap(), parse(file.text.as_ref().unwrap()), file.role))
        .collect();
    let sources: Vec<SourceFile<'_>> =
        parsed.iter().map(|(path, text, parsed, role)| SourceFile { path, text, parsed, role: *role }).collect();
    let texts: BTreeMap<&str, &str> = parsed.iter().map(|(path, text, ..)| (*path, *text)).collect();
    check(&sources)
        .iter()
        .filter(|diagnostic| diagnostic.severity != Severity::Note)
        .map(|diagnostic| shown(diagnostic, &diagnostic.path, texts.get(&*diagnostic.path).copied().unwrap_or("")))
        .collect()
}

/// Repositories are folders of `examples/`; patches stand beside the rule file that names them.
struct Examples;

impl Fixtures for Examples {
    fn fixture(&self, name: &str) -> Result<Vec<(String, String)>, String> {
        Ok(files_below(&format!("examples/{name}")).into_iter().collect())
    }

    fn revision(&self, rev: &str) -> Result<Vec<(String, String)>, String> {
        Err(format!("there are no revisions here, so none is `{rev}`"))
    }

    fn patch(&self, path: &str, name: &str) -> Result<String, String> {
        let file = root().join(path).parent().unwrap().join(name);
        fs::read_to_string(&file).map_err(|error| format!("{name}: {error}"))
    }
}

/// Runs the tests of a book; every one must pass, and every rule of these files must be seen to fire and not to fire.
fn run(directory: &str, covered: &[&str]) -> TestReport {
    let store = Arc::new(FactStore::new());
    let report = run_tests(&book(rules_below(directory)), &Examples, &|path| path.starts_with(directory), &store, 0);
    let mut wrong = String::new();
    for test in report.tests.iter().filter(|test| !test.failures.is_empty()) {
        wrong.push_str(&format!("{}:{} {}\n", test.file, test.line, test.name));
        for failure in &test.failures {
            wrong.push_str(&format!(
                "    line {}: expected {}\n        found {}\n",
                failure.line, failure.expected, failure.found
            ));
        }
    }
    for rule in report.coverage.rules.iter().filter(|rule| covered.contains(&rule.file.as_str())) {
        if !rule.fired || !rule.spared {
            let missing = if rule.fired { "not fire" } else { "fire" };
            wrong.push_str(&format!("{}: no test sees `{}` {missing}\n", rule.file, rule.name));
        }
    }
    let seen: BTreeSet<&str> = report.coverage.rules.iter().map(|rule| rule.file.as_str()).collect();
    for file in covered.iter().filter(|file| !seen.contains(*file)) {
        wrong.push_str(&format!("{file} holds no rule that was judged\n"));
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    report
}

#[test]
fn every_shipped_rule_file_parses() {
    let files: Vec<(String, String)> = ["rules", "bundles", "examples"].into_iter().flat_map(rules_below).collect();
    assert!(files.len() > 30, "only {} rule files were found", files.len());
    let wrong: String = files
        .iter()
        .flat_map(|(path, text)| {
            parse(text).diagnostics.into_iter().map(move |diagnostic| shown(&diagnostic, path, text))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong}");
}

/// With `GRACE_BLESS` set, files are rewritten instead.
#[test]
fn every_shipped_rule_file_is_written_as_fmt_writes() {
    let bless = env::var_os("GRACE_BLESS").is_some();
    let mut wrong = Vec::new();
    for (path, text) in ["rules", "bundles", "examples"].into_iter().flat_map(rules_below) {
        let formatted = format(&text).unwrap_or_else(|error| panic!("{path}: {error:?}"));
        if formatted == text.replace("\r\n", "\n") {
            continue;
        }
        if bless {
            fs::write(root().join(&path), formatted).unwrap();
        } else {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "run `grace-rules fmt` on {wrong:?}");
}

#[test]
fn the_packs_are_sound_in_each_book_that_tests_them() {
    for directory in ["rules/tests/grace", "rules/tests/floor", "rules/tests/seed"] {
        let wrong = wrong_with(&book(rules_below(directory)));
        assert!(wrong.is_empty(), "{directory}\n{wrong}");
    }
}

#[test]
fn the_rules_of_every_example_are_sound() {
    let mut checked = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let example = entry.unwrap().file_name();
        for rules in ["grace", "repo/grace", "tags", "seed_tags"] {
            let directory = format!("examples/{}/{rules}", example.display());
            if root().join(&directory).is_dir() {
                let wrong = wrong_with(&book(rules_below(&directory)));
                assert!(wrong.is_empty(), "{directory}\n{wrong}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 9, "only {checked} examples have rules");
}

#[test]
fn the_packs_that_need_telemetry_are_sound_together() {
    let own = "module own\nadopt grace.limits, grace.telemetry, grace.vocabulary, grace.tags\n\
               team governance members \"a@example.org\"\nteam peers members \"b@example.org\"\n";
    let wrong = wrong_with(&book(BTreeMap::from([("own.grace".to_owned(), own.to_owned())])));
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_rule_of_the_packs_fires_and_does_not_fire() {
    let packs = [
        "pack grace.principles",
        "pack grace.policies",
        "pack grace.selection",
        "pack grace.validation",
        "pack grace.tiers",
    ];
    let report = run("rules/tests/grace", &packs);
    assert!(report.tests.len() > 50, "only {} tests ran", report.tests.len());
}

#[test]
fn every_rule_of_the_floor_fires_and_does_not_fire() {
    run("rules/tests/floor", &["pack grace.floor"]);
}

#[test]
fn the_naming_convention_tells_its_rows_apart() {
    run("rules/tests/seed", &[]);
}

#[test]
fn each_of_the_ten_policies_fires_and_does_not_fire() {
    let report = run("examples/policies/grace", &["examples/policies/grace/policies.grace"]);
    assert!(report.coverage.waivers.iter().all(|(_, used)| *used), "{:?}", report.coverage.waivers);
}

#[test]
fn the_rules_of_mini_grace_fire_and_do_not_fire() {
    run("examples/mini_grace/grace", &["examples/mini_grace/grace/rules.grace"]);
}

#[test]
fn what_init_writes_is_sound_and_written_as_fmt_writes() {
    let found = |is_grace_system, test_files: &[&str]| Found {
        person: "ada@example.org".to_owned(),
        is_grace_system,
        test_directories: if test_files.is_empty() { Vec::new() } else { vec!["tests".to_owned()] },
        test_files: test_files.iter().map(|path| (*path).to_owned()).collect(),
    };
    let some = ["app/tests/test_cognition_loop.py", "tests/chaos/test_chaos_smoke.py", "tests/test_meta_loop.py"];
    for found in [found(false, &[]), found(false, &some), found(true, &[]), found(true, &some)] {
        let files = starter::files(&found);
        let rules = files.into_iter().filter(|file| file.path.ends_with(".grace"));
        let rules: BTreeMap<String, String> = rules.map(|file| (file.path.to_owned(), file.text)).collect();
        for (path, text) in &rules {
            assert_eq!(&format(text).unwrap(), text, "{path} of {found:?}");
        }
        let wrong = wrong_with(&book(rules));
        assert!(wrong.is_empty(), "{found:?}\n{wrong}");
    }
}
