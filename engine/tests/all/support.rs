//! A repository as a map of texts, and rules as one text.

use std::collections::BTreeMap;
use std::sync::Arc;

use grace_dsl::Role;
use grace_engine::Engine;
use grace_engine::input::{Book, BookFile, Input};
use grace_engine::testing::input_of;
use grace_graph::store::FactStore;

pub(crate) type Files = BTreeMap<String, String>;

pub(crate) fn files(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

pub(crate) fn with(files: &Files, path: &str, text: &str) -> Files {
    let mut files = files.clone();
    files.insert(path.to_owned(), text.to_owned());
    files
}

pub(crate) fn without(files: &Files, path: &str) -> Files {
    let mut files = files.clone();
    files.remove(path);
    files
}

pub(crate) fn book(text: &str) -> Book {
    let parsed = grace_dsl::parse(text);
    assert!(parsed.diagnostics.is_empty(), "{:#?}", parsed.diagnostics);
    raw_book(text)
}

pub(crate) fn raw_book(text: &str) -> Book {
    Book { files: vec![BookFile { path: Arc::from("grace/rules.grace"), text: Ok(Arc::from(text)), role: Role::Own }] }
}

pub(crate) struct Bench {
    pub(crate) store: Arc<FactStore>,
    pub(crate) engine: Engine,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let store = Arc::new(FactStore::new());
        Self { engine: Engine::recording(Arc::clone(&store)), store }
    }

    pub(crate) fn input(&self, before: &Files, after: &Files, rules: &Book) -> Input {
        Input {
            rules_before: Some(rules.clone()),
            rules_after: Some(rules.clone()),
            as_of: 1_780_000_000,
            ..input_of(&self.store, before, after)
        }
    }

    pub(crate) fn set(&mut self, before: &Files, after: &Files, rules: &Book) {
        let input = self.input(before, after, rules);
        self.engine.update(input);
    }

    /// How often each query ran since the last call.
    pub(crate) fn ran(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for event in self.engine.take_events() {
            let name = event.split('(').next().unwrap_or_default().to_owned();
            *counts.entry(name).or_default() += 1;
        }
        counts
    }
}

/// Any change runs the tests that it reaches.
pub(crate) fn narrowing() -> Book {
    narrowing_of("tests")
}

/// Any change runs those of a bundle's tests that it reaches.
pub(crate) fn narrowing_of(tests: &str) -> Book {
    let text = NARROWING.replace("tests    tests", &format!("tests    {tests}"));
    book(&text)
}

const NARROWING: &str = "
tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules       for any other change
  3 sensitive  approve 1 of anyone    for operations update_model

bundle unit
  tests    tests
  run      \"pytest\", \"{tests}\"
  timeout  60 s
rule code : tier 2
  when     change touches all
  require  bundle(unit) narrowed to impacted tests
  because  \"Code is tested.\"
";
