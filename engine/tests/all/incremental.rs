//! What an edit makes run again, by watching salsa's events.

use std::collections::BTreeMap;

use crate::support::{Bench, Files, book, files, with};

const RULES: &str = r#"
tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules       for any other change
  3 sensitive  approve 1 of anyone

tag kernel on members of subtypes(header of class("BaseKernel"), any distance)

rule kernel_change : tier 3
  when     change touches tag(kernel)
  because  "A kernel runs everywhere."

rule reaches_kernel : tier 2
  when     change touches dependencies(tag(kernel), within 3)
  because  "A kernel breaks through what it calls."

rule many_lines : tier 2
  when     lines changed in all > 400
  because  "Large changes are read badly."
"#;

fn repository() -> Files {
    files(&[
        ("app/__init__.py", ""),
        ("app/base.py", "class BaseKernel:\n    def start(self):\n        return 1\n"),
        (
            "app/boot.py",
            "from app.base import BaseKernel\nfrom app.util import helper\n\n\nclass Boot(BaseKernel):\n    def start(self):\n        return helper()\n",
        ),
        ("app/util.py", "def helper():\n    return 2\n\n\ndef other():\n    return 3\n"),
    ])
}

fn counts(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn only(ran: &BTreeMap<String, usize>, names: &[&str]) -> BTreeMap<String, usize> {
    names.iter().filter_map(|name| ran.get(*name).map(|count| ((*name).to_owned(), *count))).collect()
}

const WATCHED: &[&str] = &["facts", "outline", "graph", "parsed", "compiled", "named_set", "verdict"];

#[test]
fn a_comment_edit_runs_one_extraction_and_no_rule_but_those_that_read_text() {
    let mut bench = Bench::new();
    let before = repository();
    let edited = with(&before, "app/util.py", "def helper():\n    return 4\n\n\ndef other():\n    return 3\n");
    bench.set(&before, &edited, &book(RULES));
    let _ = bench.engine.plan();
    bench.ran();
    let extractions = bench.store.extractions();

    let commented = with(
        &before,
        "app/util.py",
        "# a comment\ndef helper():\n    # more\n    return 4\n\n\ndef other():\n    return 3\n",
    );
    bench.set(&before, &commented, &book(RULES));
    let plan = bench.engine.plan();
    let ran = bench.ran();
    assert_eq!(bench.store.extractions() - extractions, 1);
    // `many_lines` reads text; no tag, no graph and no other rule runs.
    assert_eq!(only(&ran, WATCHED), counts(&[("facts", 1), ("outline", 1), ("verdict", 1)]), "{ran:#?}");
    assert_eq!(plan.tier, 2);
}

#[test]
fn a_body_edit_keeps_the_graph_and_the_sets() {
    let mut bench = Bench::new();
    let before = repository();
    let edited = with(&before, "app/util.py", "def helper():\n    return 4\n\n\ndef other():\n    return 3\n");
    bench.set(&before, &edited, &book(RULES));
    let _ = bench.engine.plan();
    bench.ran();

    let other = with(&before, "app/util.py", "def helper():\n    return 2\n\n\ndef other():\n    return 5\n");
    bench.set(&before, &other, &book(RULES));
    let _ = bench.engine.plan();
    let ran = bench.ran();
    assert_eq!(
        only(&ran, &["facts", "outline", "graph", "named_set", "compiled"]),
        counts(&[("facts", 1), ("outline", 1)]),
        "{ran:#?}"
    );
}

#[test]
fn editing_one_rule_recompiles_one_rule() {
    let mut bench = Bench::new();
    let before = repository();
    let edited = with(&before, "app/util.py", "def helper():\n    return 4\n");
    bench.set(&before, &edited, &book(RULES));
    let _ = bench.engine.plan();
    bench.ran();

    // Another reason in the first rule, and a comment above everything moves every item.
    let rules = format!("# moved\n{}", RULES.replace("within 3", "within 2"));
    bench.set(&before, &edited, &book(&rules));
    let _ = bench.engine.plan();
    let ran = bench.ran();
    assert_eq!(only(&ran, WATCHED), counts(&[("parsed", 1), ("compiled", 1), ("verdict", 1)]), "{ran:#?}");
}

#[test]
fn an_equal_input_runs_nothing() {
    let mut bench = Bench::new();
    let before = repository();
    let edited = with(&before, "app/util.py", "def helper():\n    return 4\n");
    bench.set(&before, &edited, &book(RULES));
    let first = bench.engine.plan();
    bench.ran();
    bench.set(&before, &edited, &book(RULES));
    let second = bench.engine.plan();
    assert_eq!(bench.ran(), BTreeMap::new());
    assert_eq!(first, second);
}
