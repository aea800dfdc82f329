//! Law 5: what says nothing of this repository does not pass `check`.

use grace_dsl::{Role, Severity};
use grace_engine::input::Book;

use crate::support::{Bench, files, raw_book};

fn found_in(rules: Book) -> Vec<(Severity, String)> {
    let mut bench = Bench::new();
    let tree = files(&[
        ("app/a.py", "import app.b\n\n\nclass A:\n    def f(self):\n        return 1\n"),
        ("app/b.py", "X = 1\n"),
        ("README.md", "text\n"),
    ]);
    bench.set(&tree, &tree, &rules);
    bench
        .engine
        .check()
        .into_iter()
        .map(|found| (found.severity, format!("{} {}", found.code, found.message)))
        .collect()
}

fn found(text: &str) -> Vec<String> {
    found_in(raw_book(text)).into_iter().map(|(_, found)| found).collect()
}

fn of_condition(condition: &str) -> Vec<String> {
    let found = found(&format!("rule r : tier 2\n  when {condition}\n  because \"x\"\n"));
    let of_always =
        found_in(raw_book(&format!("rule r : tier 2\n  when {condition}\n  may be empty\n  because \"x\"\n")));
    assert_eq!(of_always, [], "{condition}");
    found
}

#[test]
fn a_rule_over_nothing_cannot_fire_whatever_it_asks() {
    for condition in [
        "change touches path(\"no\")",
        "change only touches path(\"no\")",
        "change removes path(\"no\")",
        "change renames path(\"no\")",
        "signatures change in path(\"no\")",
        "new edges imports from path(\"no\") to all",
        "new edges imports from all to path(\"no\")",
        "added code lines in path(\"no\") contain \"eval\"",
        "documentation removed in path(\"no\")",
        "any edit in path(\"no\")",
        "lines changed in path(\"no\") > 4",
        "files changed in path(\"no\") >= 1",
        "count(path(\"no\")) > 3",
        "(change touches all and any edit in path(\"no\"))",
        "(change touches path(\"no\") or any edit in path(\"no\"))",
        "not path(\"no\") is empty",
    ] {
        assert_eq!(of_condition(condition), ["E061 `r` cannot fire: nothing is in path(\"no\")"], "{condition}");
    }
    for (condition, why) in [
        ("flags removed of models where bias_risk is high", "nothing is in models where bias_risk is high"),
        ("contracts change of models where bias_risk is high", "nothing is in models where bias_risk is high"),
        ("any of models used by all has licence is \"MIT\"", "nothing is in models used by all"),
        ("signatures change in path(\"README.md\")", "no function, method or class is in path(\"README.md\")"),
        ("signatures change in path(\"app/b.py\")", "no function, method or class is in path(\"app/b.py\")"),
        ("lines changed in all < 0", "no count is below 0"),
    ] {
        assert_eq!(of_condition(condition), [format!("E061 `r` cannot fire: {why}")], "{condition}");
    }
}

#[test]
fn a_rule_that_can_fire_passes() {
    for condition in [
        "change touches path(\"app/**\")",
        "change adds path(\"no\")",
        "path(\"no\") is empty",
        "count(path(\"no\")) = 0",
        "lines changed in path(\"no\") < 4",
        "signatures change in path(\"app/a.py\")",
        "new edges imports from path(\"app/a.py\") to path(\"app/b.py\")",
        "tests removed or tests weakened or no test reaches the change",
        "package change is major",
        "operation is refactor",
        "actor is verified bot(\"x\")",
        "ticket \"A-*\" or branch \"b\" or rationale missing",
    ] {
        assert_eq!(of_condition(condition), [""; 0], "{condition}");
    }
}

#[test]
fn a_dead_part_of_a_condition_that_lives_is_told() {
    let dead = ["E060 a part of `r` says nothing: nothing is in path(\"no\")"];
    assert_eq!(of_condition("change touches path(\"no\") or tests removed"), dead);
    assert_eq!(of_condition("not change touches path(\"no\")"), dead);
}

#[test]
fn a_waiver_that_covers_nothing_is_told() {
    let waiver = |rule: &str, set: &str, when: &str| {
        found(&format!(
            "team g members \"a@x\"\n{rule}\nwaiver w of r for {set}\n  waives tier\n  {when}\n  granted by team(g) until 2099-01-01\n  because \"x\"\n"
        ))
    };
    let rule = "rule r : tier 2\n  when change touches path(\"app/a.py\") or lines changed in path(\"app/a.py\") > 5\n  because \"x\"";
    assert_eq!(waiver(rule, "path(\"app/a.py\")", ""), [""; 0]);
    assert_eq!(waiver(rule, "path(\"no\")", ""), ["E062 `w` covers nothing"]);
    assert_eq!(waiver(rule, "path(\"app/b.py\")", ""), ["E062 `w` covers nothing"]);
    assert_eq!(
        waiver(rule, "path(\"app/a.py\")", "when change touches path(\"no\")"),
        ["E062 `w` covers nothing: nothing is in path(\"no\")"]
    );
    let forbid = "forbid r\n  imports from path(\"app/a.py\") to path(\"README.md\")\n  because \"x\"";
    assert_eq!(waiver(forbid, "path(\"app/b.py\")", ""), ["E062 `w` covers nothing"]);
    // What is not about parts may be covered by anything.
    assert_eq!(waiver("rule r : tier 2\n  when tests removed\n  because \"x\"", "path(\"app/b.py\")", ""), [""; 0]);
}

#[test]
fn owners_of_nothing_and_validations_of_no_model_are_told() {
    let rule = "rule r : tier 2\n  when change touches all\n  require approval 1 of an owner of each file in path(\"no\")\n  because \"x\"\n";
    assert_eq!(found(rule), ["E060 `r` asks nobody: nothing is in path(\"no\")"]);
    let validation = "validation v of models where bias_risk is high\n  run probe p\n  because \"x\"\n";
    let told =
        (Severity::Warning, "E060 `v` is asked of no model: nothing is in models where bias_risk is high".to_owned());
    assert_eq!(found_in(raw_book(validation)), [told]);
}

#[test]
fn a_bundle_whose_tests_do_not_exist_is_told() {
    let bundle = |tests: &str| found(&format!("bundle b\n  tests {tests}\n  run \"x\"\n"));
    assert_eq!(bundle("path(\"app/a.py\")"), [""; 0]);
    assert_eq!(
        bundle("path(\"no.py\") plus path(\"app/a.py\")"),
        ["E063 bundle `b` asks for `no.py`, which does not exist"]
    );
    assert_eq!(bundle("files of path(\"no.py\")"), ["E063 bundle `b` asks for `no.py`, which does not exist"]);
    assert_eq!(bundle("path(\"no/**\")"), ["E063 bundle `b` holds nothing: nothing is in path(\"no/**\")"]);
}

#[test]
fn what_an_adopted_pack_says_of_nothing_is_a_note_and_what_is_used_is_not_looked_at() {
    let text = "rule r : tier 2\n  when any edit in path(\"no\")\n  because \"x\"\n";
    let severity = |role| {
        let mut book = raw_book(text);
        book.files[0].role = role;
        found_in(book).into_iter().map(|(severity, _)| severity).collect::<Vec<_>>()
    };
    assert_eq!(severity(Role::Own), [Severity::Error]);
    assert_eq!(severity(Role::Adopted), [Severity::Note]);
    assert_eq!(severity(Role::Used), []);
}

#[test]
fn a_forbid_lists_the_pairs_that_may_only_shrink() {
    let found = |clause: &str, through: &str, modules: usize| {
        let mut tree = files(&[("b/x.py", "import c.z\n"), ("c/z.py", "Z = 1\n")]);
        for at in 0..modules {
            tree.insert(format!("a/m{at:02}.py"), "\nimport b.x\n".to_owned());
        }
        let rules = format!(
            "forbid r\n  imports from package(\"a\") to package(\"b\") plus package(\"c\"){through}\n{clause}  because \"x\"\n"
        );
        let mut bench = Bench::new();
        bench.set(&tree, &tree, &raw_book(&rules));
        bench.engine.check().into_iter().map(|found| (found.severity, found.message)).collect::<Vec<_>>()
    };
    let listed = "  existing listed, may only shrink\n";
    let through = ", direct or through other modules";
    assert_eq!(found("", "", 2), []);
    let lines = "\na.m00 to b.x (a/m00.py:2)\na.m01 to b.x (a/m01.py:2)";
    assert_eq!(found(listed, "", 2), [(Severity::Note, format!("`r` finds 2 pairs that may only shrink{lines}"))]);
    let lines = "\na.m00 to b.x (a/m00.py:2)\na.m00 to c.z (a/m00.py:2)";
    assert_eq!(found(listed, through, 1), [(Severity::Note, format!("`r` finds 2 pairs that may only shrink{lines}"))]);
    let many = &found(listed, "", 23)[0].1;
    assert_eq!((many.lines().count(), many.lines().last()), (22, Some("and 3 more")));
}

#[test]
fn exceptions_are_as_large_as_what_they_take_out() {
    let text = "define most = all except path(\"app/a.py\")\n\nforbid x\n  imports from (path(\"app/**\") except path(\"docs/**\")) to path(\"app/b.py\")\n  because \"x\"\n\n\
                waiver w of x for path(\"app/b.py\")\n  waives   deny\n  granted by team(t) until 2030-01-01\n  because  \"x\"\n\nteam t  members \"ann@example.org\"\n";
    let mut bench = Bench::new();
    let tree = files(&[
        ("app/a.py", "import app.b\n\n\nclass A:\n    def f(self):\n        return 1\n"),
        ("app/b.py", "X = 1\n"),
    ]);
    bench.set(&tree, &tree, &raw_book(text));
    let found = bench.engine.exceptions();
    let shown: Vec<String> = found.iter().map(|(name, size)| format!("{name} = {size}")).collect();
    assert_eq!(
        shown,
        ["most: all except path(\"app/a.py\") = 3", "waiver w = 1", "x: path(\"app/**\") except path(\"docs/**\") = 0",]
    );
}
