//! The table of words is the language: nothing lacks in it, nothing in it is untrue.
#![expect(clippy::disallowed_methods, reason = "the reference page is compared, and written where UPDATE is set")]

use std::path::Path;

use grace_dsl::vocabulary::{self, Entry};
use grace_dsl::{format, parse, reference};

const GRAMMAR: &str = include_str!("../../src/grace.pest");

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '%').filter(|word| !word.is_empty())
}

fn tables() -> Vec<&'static Entry> {
    let tables = [
        vocabulary::SETS,
        vocabulary::SET_OPERATORS,
        vocabulary::CONDITIONS,
        vocabulary::CONDITION_OPERATORS,
        vocabulary::COMPARISONS,
        vocabulary::FIELD_TESTS,
        vocabulary::REQUIREMENTS,
        vocabulary::GIVENS,
        vocabulary::EXPECTATIONS,
        vocabulary::UNITS,
    ];
    tables.into_iter().flatten().chain(vocabulary::ITEMS.iter().flat_map(|item| item.clauses)).collect()
}

#[test]
fn no_item_begins_like_a_clause() {
    for item in vocabulary::ITEMS {
        for other in vocabulary::ITEMS {
            let lines = vocabulary::lines(other.word).iter().map(|line| line.word);
            for clause in other.clauses.iter().map(|clause| clause.word).chain(lines) {
                assert_ne!(clause.split(' ').next(), Some(item.word), "a clause of `{}`", other.word);
            }
        }
    }
}

#[test]
fn every_keyword_of_the_grammar_stands_in_the_table_and_has_a_rule_of_its_own() {
    let mut known: Vec<&str> = tables().iter().flat_map(|entry| words(entry.form).chain(words(entry.doc))).collect();
    known.extend(
        vocabulary::ITEMS.iter().flat_map(|item| words(item.form).chain(words(item.doc)).chain(words(item.example))),
    );
    for used in words(GRAMMAR).filter_map(|word| word.strip_prefix("k_")).filter(|word| *word != "WORD") {
        assert!(GRAMMAR.contains(&format!("k_{used} = @{{ \"{used}\" ~ !id_char }}")), "`{used}` has no atomic rule");
    }
    let untold: Vec<&str> = words(GRAMMAR)
        .filter_map(|word| word.strip_prefix("k_"))
        .filter(|word| *word != "WORD" && !known.contains(word))
        .collect();
    assert_eq!(untold, [""; 0]);
}

#[test]
fn every_example_of_an_item_parses_and_is_of_that_item() {
    for item in vocabulary::ITEMS {
        let parsed = parse(item.example);
        assert_eq!(parsed.diagnostics, [], "{}", item.example);
        assert_eq!(parsed.items.len(), 1, "{}", item.example);
        assert!(item.example.starts_with(item.word));
        assert!(item.form.starts_with(item.word));
        assert!(format(item.example).is_ok());
    }
}

/// A form with what its capital words stand for.
fn filled(form: &str) -> String {
    let form = form
        .replace("FIELD TEST", "licence is \"MIT\"")
        .replace("STATISTIC over DURATION COMPARISON", "p95 over 1 h > 2");
    let form = form.split(", …").next().unwrap_or_default().split(" and …").next().unwrap_or_default();
    let form = form.split(" | ").next().unwrap_or_default();
    let fill = |word: &str| match word {
        "S" | "A" | "B" => "tests".to_owned(),
        "MODELS" => "models".to_owned(),
        "N" => "3".to_owned(),
        "NAME" | "WINDOW" | "FIELD" => "some_name".to_owned(),
        other => other.to_owned(),
    };
    let mut made = String::new();
    let mut word = String::new();
    for c in form.chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
        } else {
            made.push_str(&fill(&std::mem::take(&mut word)));
            made.extend((c != '\0').then_some(c));
        }
    }
    made
}

/// Forms of one line: `a, b` outside parentheses and quotes are two.
fn forms(form: &str) -> Vec<String> {
    let mut depth = 0usize;
    let mut found = vec![String::new()];
    for c in form.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                found.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = found.last_mut() {
            last.push(c);
        }
    }
    found.into_iter().map(|form| form.trim().to_owned()).filter(|form| form != "…").collect()
}

#[test]
fn every_form_of_a_set_parses() {
    for entry in vocabulary::SETS {
        for form in forms(entry.form) {
            let text = format!("define a = {}", filled(&form));
            assert_eq!(parse(&text).diagnostics, [], "{text}");
        }
    }
}

#[test]
fn every_form_of_a_condition_parses() {
    for entry in vocabulary::CONDITIONS {
        // Lists inside a condition are no further forms.
        let listed = ["added code lines", "change only in", "operation"].contains(&entry.word);
        let forms = if listed { vec![entry.form.to_owned()] } else { forms(entry.form) };
        for form in forms {
            let text = format!("rule a : tier 2 when {} because \"x\"", filled(&form));
            assert_eq!(parse(&text).diagnostics, [], "{text}");
        }
    }
}

#[test]
fn every_requirement_given_and_expectation_parses() {
    for entry in vocabulary::REQUIREMENTS {
        let form = filled(entry.form).replace("of …", "of anyone");
        let text = format!("rule a : tier 2 when tests removed require {form} because \"x\"");
        assert_eq!(parse(&text).diagnostics, [], "{text}");
    }
    for (word, entries) in [("given", vocabulary::GIVENS), ("expect", vocabulary::EXPECTATIONS)] {
        for form in entries.iter().flat_map(|entry| forms(entry.form)).filter(|form| !form.starts_with("in ")) {
            let form = filled(&form).replace("DATE", "2026-06-01").replace("of …", "of anyone");
            let form = form
                .replace("fact FACT = VALUE", "fact trust = 0.5")
                .replace("FACT", "trust")
                .replace("RULE", "some_name");
            let text = format!("test \"t\" {word} {form}");
            assert_eq!(parse(&text).diagnostics, [], "{text}");
        }
    }
}

#[test]
fn the_reference_page_is_the_one_in_the_repository() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/language.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, reference()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == reference(), "docs/language.md differs from the vocabulary; run this test with UPDATE=1");
}
