//! What an edit makes run again, by watching salsa's events.

use std::collections::BTreeMap;

use grace_engine::Ahead;
use grace_engine::input::{TreeContent, TreeFile};

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

const WATCHED: &[&str] = &["parsed", "compiled", "named_set", "verdict"];

#[test]
fn a_comment_edit_runs_one_extraction_and_no_rule_but_those_that_read_text() {
    let mut bench = Bench::new();
    let before = repository();
    let edited = with(&before, "app/util.py", "def helper():\n    return 4\n\n\ndef other():\n    return 3\n");
    bench.set(&before, &edited, &book(RULES));
    let _ = bench.engine.plan();
    bench.ran();
    let (extractions, work) = (bench.store.extractions(), bench.engine.graph_work());

    let commented = with(
        &before,
        "app/util.py",
        "# a comment\ndef helper():\n    # more\n    return 4\n\n\ndef other():\n    return 3\n",
    );
    bench.set(&before, &commented, &book(RULES));
    let plan = bench.engine.plan();
    let ran = bench.ran();
    assert_eq!(bench.store.extractions() - extractions, 1);
    // `many_lines` reads text; no tag and no other rule runs, and the graph stays as it is.
    assert_eq!(only(&ran, WATCHED), counts(&[("verdict", 1)]), "{ran:#?}");
    assert_eq!(bench.engine.graph_work(), work);
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
    let work = bench.engine.graph_work();

    let other = with(&before, "app/util.py", "def helper():\n    return 2\n\n\ndef other():\n    return 5\n");
    bench.set(&before, &other, &book(RULES));
    let _ = bench.engine.plan();
    let ran = bench.ran();
    assert_eq!(only(&ran, &["named_set", "compiled"]), counts(&[]), "{ran:#?}");
    assert_eq!(bench.engine.graph_work(), work);
}

#[test]
fn a_new_call_links_one_file_and_runs_what_walks_edges_and_a_definition_is_repaired() {
    let rules = format!(
        "{RULES}\ntag util on path(\"app/util.py\")\n\nrule util_change : tier 2\n  when     change touches tag(util)\n  because  \"Everybody uses it.\"\n"
    );
    let mut bench = Bench::new();
    let before = repository();
    let edited = with(&before, "app/util.py", "def helper():\n    return 4\n\n\ndef other():\n    return 3\n");
    bench.set(&before, &edited, &book(&rules));
    let _ = bench.engine.plan();
    bench.ran();
    let work = bench.engine.graph_work();

    let called = with(&before, "app/util.py", "def helper():\n    return other()\n\n\ndef other():\n    return 3\n");
    bench.set(&before, &called, &book(&rules));
    let plan = bench.engine.plan();
    let ran = bench.ran();
    let after = bench.engine.graph_work();
    assert_eq!((after.built, after.repaired), (work.built, work.repaired + 1));
    // Both walks are asked. What is inherited stays, and so does `kernel`; what the kernel leans on is more now.
    assert_eq!(only(&ran, &["walk", "named_set", "expression"]), counts(&[("walk", 2), ("expression", 1)]), "{ran:#?}");
    assert_eq!(plan.tier, 2);
    // The other edit, a definition that others can see, is a repair too; a folder that imports start from builds anew.
    let defined = with(&before, "app/util.py", "def helper():\n    return 2\n\n\ndef fresh():\n    return 3\n");
    bench.set(&before, &defined, &book(&rules));
    let _ = bench.engine.plan();
    let (built, repaired) = (after.built, after.repaired + 1);
    let now = bench.engine.graph_work();
    assert_eq!((now.built, now.repaired), (built, repaired));
    bench.set(&before, &with(&before, "src/fresh.py", "x = 1\n"), &book(&rules));
    let _ = bench.engine.plan();
    assert_eq!(bench.engine.graph_work().built, built + 1);
}

#[test]
fn an_edge_that_no_walk_comes_by_tells_no_set_anew() {
    let far = |body: &str| format!("def far():\n    return 1\n\n\ndef farther():\n    {body}\n");
    let rules = format!(
        "{RULES}\nrule far : tier 2\n  when     change touches callers(function(\"far\"), any distance)\n  because  \"x\"\n"
    );
    let before = with(&repository(), "app/far.py", &far("return 2"));
    let mut bench = Bench::new();
    bench.set(&before, &with(&before, "app/far.py", &far("return 3")), &book(&rules));
    let fired = |plan: &grace_engine::plan::Plan| plan.tier_derivation.iter().any(|one| one.rule == "far");
    assert!(!fired(&bench.engine.plan()));
    bench.ran();
    // The kernel's walks are asked and keep what they had; the walk that the call stands at goes on.
    bench.set(&before, &with(&before, "app/far.py", &far("return far()")), &book(&rules));
    assert!(fired(&bench.engine.plan()));
    let ran = bench.ran();
    assert_eq!(only(&ran, &["named_set", "expression"]), counts(&[("expression", 1)]), "{ran:#?}");
    // Taken back, and so is what it brought.
    bench.set(&before, &with(&before, "app/far.py", &far("return 4")), &book(&rules));
    assert!(!fired(&bench.engine.plan()));
}

#[test]
fn edits_of_one_file_give_the_plan_that_the_whole_tree_gives() {
    let before = repository();
    let bodies = [
        "return 4",
        "return other()",
        "# only a comment\n    return 2",
        "from app.boot import Boot\n    return Boot().start()",
    ];
    let text = |body: &str| format!("def helper():\n    {body}\n\n\ndef other():\n    return 3\n");
    let mut bench = Bench::new();
    bench.set(&before, &before, &book(RULES));
    for body in bodies {
        let after = with(&before, "app/util.py", &text(body));
        let input = bench.input(&before, &after, &book(RULES));
        let file = input.after.files.iter().find(|file| &*file.path == "app/util.py").cloned().unwrap();
        assert!(bench.engine.edit(&[file], input.change.clone()));
        let edited = bench.engine.plan();
        let mut anew = Bench::new();
        anew.set(&before, &after, &book(RULES));
        assert_eq!(edited, anew.engine.plan(), "{body}");
        let graphs = [&bench, &anew].map(|bench| bench.engine.graph(grace_engine::plan::Side::After));
        assert!(graphs[0].edges().eq(graphs[1].edges()), "{body}");
    }
    let elsewhere = TreeFile { path: "app/new.py".into(), content: TreeContent::Other };
    assert!(!bench.engine.edit(&[elsewhere], grace_graph::change::Change::default()));
}

#[test]
fn a_graph_that_was_made_ahead_gives_the_plan_of_its_tree_and_one_of_another_tree_is_not_taken() {
    let text = |body: &str| format!("def helper():\n    {body}\n\n\ndef fresh():\n    return 3\n");
    let line = [
        repository(),
        with(&repository(), "app/util.py", &text("return 4")),
        with(&repository(), "app/util.py", &text("from app.boot import Boot\n    return Boot().start()")),
        with(&repository(), "app/more.py", "from app.util import helper\n\nhelper()\n"),
    ];
    let mut bench = Bench::new();
    let (mut ahead, mut late) = (Ahead::default(), Ahead::default());
    for pair in line.windows(2) {
        let input = bench.input(&pair[0], &pair[1], &book(RULES));
        late.follow(&bench.store, &input.before);
        ahead.follow(&bench.store, &input.after);
        let mut anew = Bench::new();
        anew.set(&pair[0], &pair[1], &book(RULES));
        for graphs in [&ahead, &late] {
            bench.engine.update_ahead(input.clone(), graphs);
            assert_eq!(bench.engine.plan(), anew.engine.plan());
            let after = [&bench, &anew].map(|bench| bench.engine.graph(grace_engine::plan::Side::After));
            assert!(after[0].edges().eq(after[1].edges()));
        }
    }
    assert_eq!((ahead.work().built, ahead.built_because()), (1, None));
    // Nothing was made for the side after the change but what was made ahead, and its first tree once more.
    assert!(bench.engine.graph_work().built <= 2);
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
