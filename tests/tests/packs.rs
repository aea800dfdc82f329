//! The shipped rule files: they parse, each book that they are read in is sound, and they are written as `fmt` writes.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read the repository from disk")]

use std::fs;
use std::path::{Path, PathBuf};

use grace_dsl::ast::ItemKind;
use grace_dsl::{Diagnostic, LineIndex, Parsed, Role, Severity, SourceFile, check, parse};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// All `.grace` files below a directory, sorted: path relative to the repository, and text.
fn rule_files(directory: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&root().join(directory), &mut found);
    found
}

fn collect(directory: &Path, found: &mut Vec<(String, String)>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "grace") {
            let shown = path.strip_prefix(root()).unwrap().display().to_string();
            found.push((shown, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// `path:line code message (help)`
fn shown(diagnostic: &Diagnostic, path: &str, text: &str) -> String {
    let line = LineIndex::new(text).line(diagnostic.span.start);
    let help = diagnostic.help.as_deref().unwrap_or("-");
    format!("{path}:{line} {} {}: {} ({help})\n", diagnostic.severity, diagnostic.code, diagnostic.message)
}

/// A book of own files and the packs that they adopt or use, at any remove.
fn book(own: Vec<(String, String)>) -> Vec<(String, String, Parsed, Role)> {
    let mut files: Vec<(String, String, Parsed, Role)> = Vec::new();
    for (path, text) in own {
        let parsed = parse(&text);
        files.push((path, text, parsed, Role::Own));
    }
    let mut at = 0;
    while at < files.len() {
        let mut wanted = Vec::new();
        for item in &files[at].2.items {
            match &item.kind {
                ItemKind::Adopt(names) => wanted.extend(names.iter().map(|name| (name.text.clone(), Role::Adopted))),
                ItemKind::Use(names) => wanted.extend(names.iter().map(|name| (name.text.clone(), Role::Used))),
                _ => {}
            }
        }
        for (module, role) in wanted {
            let Some(pack) = grace_packs::pack(&module) else { continue };
            if !files.iter().any(|(path, ..)| path == pack.path) {
                files.push((pack.path.to_owned(), pack.text.to_owned(), parse(pack.text), role));
            }
        }
        at += 1;
    }
    files
}

/// What is wrong with a book, notes left out.
fn wrong_with(own: Vec<(String, String)>) -> String {
    let files = book(own);
    let sources: Vec<SourceFile<'_>> =
        files.iter().map(|(path, text, parsed, role)| SourceFile { path, text, parsed, role: *role }).collect();
    let mut wrong = String::new();
    for diagnostic in check(&sources).iter().filter(|diagnostic| diagnostic.severity != Severity::Note) {
        let text = files.iter().find(|(path, ..)| *path == diagnostic.path).map_or("", |(_, text, ..)| text);
        wrong.push_str(&shown(diagnostic, &diagnostic.path, text));
    }
    wrong
}

#[test]
fn every_shipped_rule_file_parses() {
    let files: Vec<(String, String)> = ["rules", "bundles", "examples"].into_iter().flat_map(rule_files).collect();
    assert!(files.len() > 30, "only {} rule files were found", files.len());
    let wrong: String = files
        .iter()
        .flat_map(|(path, text)| {
            parse(text).diagnostics.into_iter().map(move |diagnostic| shown(&diagnostic, path, text))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_packs_are_sound_in_each_book_that_tests_them() {
    for directory in ["rules/tests/grace", "rules/tests/floor", "rules/tests/seed"] {
        let wrong = wrong_with(rule_files(directory));
        assert!(wrong.is_empty(), "{directory}\n{wrong}");
    }
}

#[test]
fn the_rules_of_every_example_are_sound() {
    let mut checked = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let example = entry.unwrap().path();
        for rules in ["grace", "repo/grace", "tags", "seed_tags"].map(|folder| example.join(folder)) {
            if rules.is_dir() {
                let relative = rules.strip_prefix(root()).unwrap().display().to_string();
                let wrong = wrong_with(rule_files(&relative));
                assert!(wrong.is_empty(), "{relative}\n{wrong}");
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
    let wrong = wrong_with(vec![("own.grace".to_owned(), own.to_owned())]);
    assert!(wrong.is_empty(), "{wrong}");
}
