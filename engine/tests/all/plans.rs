//! Plans of small changes: what fires, what does not, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_engine::What;
use grace_engine::decide::{Agreed, Answer, Trust, decide};
use grace_engine::input::{Book, CodeOwners, PastFacts, VerifiedBot};
use grace_engine::plan::{Evidence, Outcome, Presence, Step, Truth};
use grace_fingerprints::CommercialUse;
use grace_graph::change::Content;

use crate::support::{Bench, Files, book, files, raw_book, with, without};

const TIERS: &str = r#"
tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules       for any other change
  3 sensitive  approve 1 of team(governance)  for operations update_model

team governance members "alice@example.org", "bob@example.org"
"#;

/// Rules by which a change of a set runs the tests of a set that it reaches.
fn impacted(tests: &str, changed: &str) -> Book {
    book(&format!(
        "{TIERS}
bundle unit
  tests    {tests}
  run      \"pytest\", \"{{tests}}\"
  timeout  60 s
rule code : tier 2
  when     change touches {changed}
  require  bundle(unit) narrowed to impacted tests
  because  \"Code is tested.\"
"
    ))
}

fn repository() -> Files {
    files(&[
        ("app/__init__.py", ""),
        ("app/base.py", "class BaseKernel:\n    def start(self):\n        return 1\n"),
        (
            "app/boot.py",
            "from app.base import BaseKernel\nfrom app.util import helper\n\n\nclass Boot(BaseKernel):\n    def start(self):\n        return helper()\n",
        ),
        ("app/util.py", "def helper():\n    return 2\n\n\ndef other():\n    return 3\n"),
        ("tests/test_boot.py", "from app.boot import Boot\n\n\ndef test_start():\n    assert Boot().start() == 2\n"),
        ("README.md", "# App\n"),
    ])
}

fn helper_edit() -> Files {
    with(&repository(), "app/util.py", "def helper():\n    return 9\n\n\ndef other():\n    return 3\n")
}

#[test]
fn a_changed_part_in_a_tag_fires_with_its_proof() {
    let mut bench = Bench::new();
    let rules = book(&format!(
        "{TIERS}
tag kernel on members of subtypes(header of class(\"BaseKernel\"), any distance)
rule kernel_change : tier 3
  when     change touches tag(kernel)
  because  \"A kernel runs everywhere.\"
"
    ));
    let before = repository();
    let after = with(
        &before,
        "app/boot.py",
        "from app.base import BaseKernel\nfrom app.util import helper\n\n\nclass Boot(BaseKernel):\n    def start(self):\n        return helper() + 1\n",
    );
    bench.set(&before, &after, &rules);
    let plan = bench.engine.plan();
    assert_eq!(plan.tier, 3);
    assert_eq!(plan.tier_derivation[0].rule, "kernel_change");
    let Evidence::Changed { part, proof, .. } = &plan.tier_derivation[0].evidence[0] else { panic!("{plan:#?}") };
    assert_eq!((part.name.as_str(), part.path.as_str(), part.line), ("Boot.start", "app/boot.py", 6));
    assert!(
        matches!(&proof[0], Step::Named { name, file, .. } if name == "tag(kernel)" && file == "grace/rules.grace")
    );
    assert!(
        proof.iter().any(
            |step| matches!(step, Step::Edge { kind, to, line: 5, .. } if kind == "inherits" && to.name == "BaseKernel")
        ),
        "{proof:#?}"
    );
    assert_eq!(plan.approvals[0].name, "1 of team(governance)");
}

#[test]
fn a_comment_edit_is_proved_safe() {
    let mut bench = Bench::new();
    let before = repository();
    let after = with(&before, "app/util.py", "# why\ndef helper():\n    return 2\n\n\ndef other():\n    return 3\n");
    bench.set(&before, &after, &book(TIERS));
    let plan = bench.engine.plan();
    assert_eq!(plan.tier, 1, "{:#?}", plan.tier_derivation);
    assert!(plan.approvals.is_empty());
}

#[test]
fn a_declared_operation_only_raises() {
    let mut bench = Bench::new();
    let before = repository();
    let mut input = bench.input(&before, &helper_edit(), &book(TIERS));
    input.declared.operation = Some("update_model".to_owned());
    bench.engine.update(input.clone());
    assert_eq!(bench.engine.plan().tier, 3);
    input.declared.operation = Some("lint".to_owned());
    bench.engine.update(input);
    assert_eq!(bench.engine.plan().tier, 2);
}

#[test]
fn an_item_that_does_not_parse_is_tier_3_and_a_named_unknown() {
    let mut bench = Bench::new();
    let rules = raw_book(&format!("{TIERS}\nrule broken : tier 2\n  when change touches\n"));
    bench.set(&repository(), &helper_edit(), &rules);
    let plan = bench.engine.plan();
    assert_eq!(plan.tier, 3);
    assert!(
        plan.unknowns.iter().any(|unknown| unknown.name.contains("`broken`") && unknown.decides_tier),
        "{:#?}",
        plan.unknowns
    );
}

#[test]
fn a_name_that_stands_for_nothing_makes_its_rule_unknown() {
    let mut bench = Bench::new();
    let rules = raw_book(&format!("{TIERS}\nrule lost : tier 3\n  when change touches tag(kernal)\n  because \"x\"\n"));
    bench.set(&repository(), &helper_edit(), &rules);
    let plan = bench.engine.plan();
    assert_eq!(plan.rules.iter().find(|rule| rule.name == "lost").map(|rule| rule.outcome), Some(Outcome::Unknown));
    assert_eq!(plan.tier, 3);
}

#[test]
fn a_new_import_against_a_forbid_is_denied_and_an_old_one_is_not() {
    let rules = book(&format!(
        "{TIERS}
forbid no_util
  imports  from module(\"app.boot\") to module(\"app.util\")
  existing listed, may only shrink
  because  \"Boot stands alone.\"
forbid base_alone
  imports  from module(\"app.base\") to module(\"app.util\"), direct or through other modules
  existing listed, may only shrink
  remedy   \"Pass it in.\"
  because  \"The base knows nobody.\"
"
    ));
    let mut bench = Bench::new();
    let before = repository();
    let after = with(
        &before,
        "app/base.py",
        "from app.boot import Boot\n\n\nclass BaseKernel:\n    def start(self):\n        return Boot\n",
    );
    bench.set(&before, &after, &rules);
    let plan = bench.engine.plan();
    let denied: Vec<&str> = plan.denials.iter().map(|denial| denial.name.as_str()).collect();
    assert_eq!(denied, ["base_alone"]);
    let Evidence::Path { steps, .. } = &plan.denials[0].derivation[0].evidence[0] else { panic!("{plan:#?}") };
    assert_eq!(steps.len(), 2, "{steps:#?}");
}

#[test]
fn a_bundle_is_narrowed_to_the_tests_that_the_change_reaches() {
    let rules = impacted("tests", "language(python)");
    let before = with(
        &repository(),
        "tests/test_other.py",
        "from app.util import other\n\n\ndef test_other():\n    assert other() == 3\n",
    );
    let after = with(&before, "app/util.py", "def helper():\n    return 9\n\n\ndef other():\n    return 3\n");
    let mut bench = Bench::new();
    bench.set(&before, &after, &rules);
    let plan = bench.engine.plan();
    assert_eq!(plan.bundles[0].selected, ["tests/test_boot.py::test_start"]);
    assert_eq!(plan.bundles[0].tests.len(), 2);
    let explained = bench.engine.explain(&What::Test("tests/test_boot.py::test_start".to_owned()));
    assert_eq!(explained.status, Presence::Present);
    assert!(!explained.reached.is_empty());
    let explained = bench.engine.explain(&What::Test("test_other".to_owned()));
    assert_eq!(explained.status, Presence::Absent);
}

#[test]
fn a_bundle_narrowed_to_nothing_holds_nobody_up() {
    let rules = |narrowed: &str, tests: &str| {
        book(&format!(
            "{TIERS}
bundle unit  critical
  tests    {tests}
  run      \"pytest\", \"{{tests}}\"
  timeout  60 s
  may be empty
rule code : tier 2
  when     change touches language(python)
  require  bundle(unit) {narrowed}
  because  \"Code is tested.\"
rule broke : tier 3
  after    the run
  when     any critical bundle failed
  because  \"It does not work.\"
"
        ))
    };
    let before = with(&repository(), "app/alone.py", "def alone():\n    return 1\n");
    let after = with(&before, "app/alone.py", "def alone():\n    return 2\n");
    let decided = |rules: &Book| {
        let mut bench = Bench::new();
        bench.set(&before, &after, rules);
        let plan = bench.engine.plan();
        let (nobody, nothing) = (Agreed::default(), BTreeMap::new());
        (plan.bundles[0].clone(), decide(&plan, &nothing, &PastFacts::default(), &nobody, Trust::default()))
    };
    let narrowed = "narrowed to impacted tests";
    let (bundle, decision) = decided(&rules(narrowed, "tests"));
    assert!(bundle.selected.is_empty() && bundle.runs_nothing());
    assert_eq!((decision.answer, decision.tier), (Answer::Go, 2));
    assert_eq!(decision.after_run, [("broke".to_owned(), Truth::No)]);
    // A whole bundle must run, and one that holds no test at all proves nothing.
    for rules in [rules("", "tests"), rules(narrowed, "none")] {
        let (bundle, decision) = decided(&rules);
        assert!(!bundle.runs_nothing());
        assert_eq!((decision.answer, decision.tier), (Answer::Hold, 3));
    }
}

#[test]
fn test_files_that_cannot_be_read_belong_to_a_narrowed_run() {
    let rules = |tests: &str| impacted(tests, "language(python)");
    let mut before = with(&repository(), "app/alone.py", "def alone():\n    return 1\n");
    for (path, text) in [
        ("tests/test_damaged.py", "def test_a():\n    assert True\n\ndef test_b(:\n    assert False\n"),
        ("tests/test_zero.py", "def test_c():\n    assert '\0'\n"),
        ("tests/test_made.py", "import unittest\nfrom app.alone import alone\ntest_made = alone\n"),
        ("tests/test_idle.py", "LIMIT = 3\n"),
        ("tests/damaged_data.py", "def data(:\n"),
    ] {
        before.insert(path.to_owned(), text.to_owned());
    }
    let after = with(&before, "app/alone.py", "def alone():\n    return 2\n");
    for tests in ["path(\"tests/**\")", "tests"] {
        let mut bench = Bench::new();
        bench.set(&before, &after, &rules(tests));
        let bundle = bench.engine.plan().bundles.remove(0);
        assert_eq!(bundle.selected, Vec::<String>::new(), "{tests}");
        let whole = ["tests/test_damaged.py", "tests/test_made.py", "tests/test_zero.py"];
        assert_eq!(bundle.whole, whole, "{tests}");
        let told = bench.engine.explain(&What::Test("tests/test_damaged.py::test_a".to_owned()));
        assert_eq!(told.status, Presence::Present, "{:?}", told.facts);
        assert!(told.facts.iter().any(|(name, why)| name == "run" && why.contains("with all of its file")));
        assert!(!bundle.runs_nothing());
    }
}

#[test]
fn tests_of_other_languages_are_run_by_file_and_packages_as_one() {
    let mut before = repository();
    for (path, text) in [
        ("web/a.ts", "export function f() {\n  return 1;\n}\n\nexport function g() {}\n"),
        ("web/a.test.ts", "import { g } from './a';\nit('works', () => { g(); });\n"),
        ("web/b.test.ts", "it('stands alone', () => {});\n"),
        ("pkg/a.go", "package pkg\n\nfunc F() int {\n\treturn 1\n}\n"),
        ("pkg/b.go", "package pkg\n"),
        ("pkg/a_test.go", "package pkg\n\nfunc TestF(t *testing.T) {}\n"),
        ("other/o_test.go", "package other\n\nfunc TestO(t *testing.T) {}\n"),
        ("one/Cargo.toml", "[package]\nname = \"one\"\n"),
        (
            "one/src/lib.rs",
            "fn f() -> u8 {\n    1\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn works() {}\n}\n",
        ),
        ("one/tests/it.rs", "#[test]\nfn works() {}\n"),
    ] {
        before.insert(path.to_owned(), text.to_owned());
    }
    let tests = "(path(\"web/**\") plus path(\"pkg/**\") plus path(\"other/**\") plus path(\"one/**\"))";
    for (path, from, to, whole) in [
        ("web/a.ts", "return 1", "return 2", vec!["web/a.test.ts"]),
        ("pkg/a.go", "return 1", "return 2", vec!["pkg/a_test.go"]),
        ("pkg/b.go", "package pkg\n", "package pkg\n\nvar X = 1\n", vec!["pkg/a_test.go"]),
        ("one/src/lib.rs", "    1\n", "    2\n", vec!["one/src/lib.rs", "one/tests/it.rs"]),
        ("one/tests/it.rs", "{}", "{ panic!() }", vec!["one/tests/it.rs"]),
        ("web/a.ts", "return 1;", "return 1; // one", vec![]),
    ] {
        let after = with(&before, path, &before[path].replace(from, to));
        let mut bench = Bench::new();
        bench.set(&before, &after, &impacted(tests, "all"));
        let bundles = bench.engine.plan().bundles;
        let Some(bundle) = bundles.first() else {
            assert_eq!(whole, [""; 0], "{path}");
            continue;
        };
        assert_eq!(bundle.whole, whole, "{path}");
        assert_eq!(bundle.selected, [""; 0], "{path}");
        assert_eq!(bundle.tests.iter().filter(|test| !test.contains("::")).count(), 6, "{:?}", bundle.tests);
        assert_eq!(bundle.runs_nothing(), whole.is_empty(), "{path}");
    }
}

#[test]
fn one_tested_part_does_not_excuse_another() {
    let rules = book(&format!(
        "{TIERS}
rule untested : tier 3
  when     no test reaches the change
  because  \"Nothing shows that it works.\"
"
    ));
    let before = with(
        &repository(),
        "app/both.py",
        "class Both:\n    def tested(self):\n        return 1\n\n\ndef untested():\n    return 1\n",
    );
    let before = with(
        &before,
        "tests/test_both.py",
        "from app.both import Both, untested\n\n\ndef test_both():\n    assert Both().tested()\n",
    );
    let mut bench = Bench::new();
    let mut fired = |path: &str, old: &str, new: &str| -> (Outcome, Vec<String>) {
        let text = before.get(path).cloned().unwrap_or_default();
        let after = with(&before, path, &if old.is_empty() { text.clone() + new } else { text.replace(old, new) });
        bench.set(&before, &after, &rules);
        let plan = bench.engine.plan();
        let rule = plan.rules.into_iter().find(|rule| rule.name == "untested").unwrap();
        let names = rule.derivation.iter().flat_map(|derivation| &derivation.evidence).map(|piece| match piece {
            Evidence::Member { part, .. } => part.name.clone(),
            other => panic!("{other:?}"),
        });
        (rule.outcome, names.collect())
    };
    assert_eq!(fired("app/both.py", "return 1\n\n\ndef", "return 2\n\n\ndef"), (Outcome::DoesNotApply, vec![]));
    assert_eq!(fired("app/both.py", "return 1", "return 2"), (Outcome::Fires, vec!["untested".to_owned()]));
    // The module is imported by a test; what is new in it is reached by none.
    assert_eq!(fired("app/both.py", "", "\n\ndef new():\n    return 3\n"), (Outcome::Fires, vec!["new".to_owned()]));
    assert_eq!(fired("app/both.py", "class Both:", "class Both(dict):"), (Outcome::DoesNotApply, vec![]));
    assert_eq!(fired("tests/test_both.py", "", "\n\ndef helper():\n    return 3\n"), (Outcome::DoesNotApply, vec![]));
    assert_eq!(fired("README.md", "App", "The app"), (Outcome::DoesNotApply, vec![]));
    // What cannot be read may hold what no test reaches.
    assert_eq!(fired("app/new.py", "", "x = '\0'\n").0, Outcome::Unknown);
}

#[test]
fn what_would_bring_a_thing_was_tried() {
    let rules = book(&format!(
        "{TIERS}
tag kernel  on members of subtypes(header of class(\"BaseKernel\"), any distance)
define reading = path(\"app/util.py\")
bundle unit
  tests    tests
  run      \"pytest\", \"{{tests}}\"
  timeout  60 s
bundle narrow
  tests    tests
  run      \"pytest\", \"{{tests}}\"
  timeout  60 s
rule kernel : tier 3
  when     change touches tag(kernel)
  require  bundle(unit)
  because  \"It runs everywhere.\"
rule contradicts_itself : tier 3
  when     change touches tag(kernel) and change only touches reading
  because  \"A kernel is no reading.\"
rule signature : tier 2
  when     signatures change in function(\"helper\")
  because  \"Callers depend on it.\"
rule narrowed : tier 2
  when     change touches language(python)
  require  bundle(narrow) narrowed to impacted tests
  because  \"Code is tested.\"
rule absent : tier 2
  when     change touches path(\"nowhere/**\")
  because  \"Nothing is there.\"
"
    ));
    let before = with(&repository(), "app/alone.py", "def alone():\n    return 3\n");
    let after = with(&before, "app/alone.py", "def alone():\n    return 4\n");
    let mut bench = Bench::new();
    bench.set(&before, &after, &rules);
    let plan = bench.engine.plan();
    let mut bring = |what: What| bench.engine.explain(&what).would_bring;
    let touch = "touch BaseKernel.start in app/base.py:2, one of 2 files in tag(kernel)";
    assert_eq!(bring(What::Bundle("unit".to_owned()))[0], touch);
    assert_eq!(bring(What::Rule("kernel".to_owned()))[0], touch);
    // Membership alone would have promised it.
    assert_eq!(bring(What::Rule("contradicts_itself".to_owned())), Vec::<String>::new());
    let signature = "change the signature of helper in app/util.py:1, the one file in function(\"helper\")";
    assert_eq!(bring(What::Rule("signature".to_owned()))[0], signature);
    let test = bring(What::Test("tests/test_boot.py::test_start".to_owned()));
    assert_eq!(test, ["touch Boot in app/boot.py:5, which it uses", touch]);
    assert_eq!(bring(What::Rule("absent".to_owned())), Vec::<String>::new());
    let nowhere = bench.engine.explain(&What::Rule("absent".to_owned()));
    assert_eq!(nowhere.near[0].empty.as_deref(), Some("path(\"nowhere/**\")"));
    assert_eq!(bench.engine.plan(), plan, "what was tried leaves no trace");
}

#[test]
fn both_rule_books_judge_and_a_dropped_rule_still_counts() {
    let before = repository();
    let old = format!("{TIERS}\nrule strict : tier 3\n  when change touches all\n  because \"x\"\n");
    let mut bench = Bench::new();
    let mut input = bench.input(&before, &helper_edit(), &book(&old));
    input.rules_after = Some(book(TIERS));
    bench.engine.update(input);
    let plan = bench.engine.plan();
    assert_eq!(plan.rules.iter().find(|rule| rule.name == "strict").map(|rule| rule.outcome), Some(Outcome::Fires));
    assert_eq!(plan.tier, 3);
}

#[test]
fn a_removed_part_is_judged_by_what_it_was() {
    let rules = book(&format!(
        "{TIERS}
rule base_users : tier 3
  when     change touches dependents(module(\"app.base\"), any distance)
  because  \"Base users are watched.\"
"
    ));
    let before = repository();
    let mut bench = Bench::new();
    bench.set(&before, &without(&before, "app/boot.py"), &rules);
    let plan = bench.engine.plan();
    assert_eq!(plan.rules[0].outcome, Outcome::Fires, "{:#?}", plan.rules);
}

#[test]
fn a_new_file_that_cannot_be_read_hides_added_lines_only_where_it_could_be_a_member() {
    let mut bench = Bench::new();
    let rules = book(&format!(
        "{TIERS}
rule disabled : tier 3
  when     added code lines in path(\"**/*.sh\") contain \"--no-verify\"
  because  \"A check that is off stays off.\"
"
    ));
    let before = repository();
    for (path, outcome) in [("data/a.db", Outcome::DoesNotApply), ("bin/a.sh", Outcome::Unknown)] {
        let mut input = bench.input(&before, &with(&before, path, ""), &rules);
        for file in &mut input.change.files {
            let side = file.after.as_mut().expect("a new file has an after side");
            side.content = Content::Unknown("its blob is not here".into());
        }
        bench.engine.update(input);
        let plan = bench.engine.plan();
        let found = plan.rules.iter().find(|rule| rule.name == "disabled").map(|rule| rule.outcome);
        assert_eq!(found, Some(outcome), "{path}: {plan:#?}");
    }
}

#[test]
fn explain_names_what_a_missing_bundle_lacks() {
    let rules = book(&format!(
        "{TIERS}
bundle unit
  tests    tests
  run      \"pytest\", \"{{tests}}\"
  timeout  60 s
rule boot : tier 2
  when     change touches module(\"app.boot\")
  require  bundle(unit)
  because  \"Boot is tested.\"
"
    ));
    let mut bench = Bench::new();
    bench.set(&repository(), &helper_edit(), &rules);
    let explained = bench.engine.explain(&What::Bundle("unit".to_owned()));
    assert_eq!(explained.status, Presence::Absent);
    assert_eq!(explained.near[0].rule, "boot");
    assert_eq!(explained.near[0].conditions[0].text, "change touches module(\"app.boot\")");
    let (nearest, way) = explained.near[0].nearest.as_ref().expect("a way");
    assert_eq!(nearest.name, "helper");
    assert_eq!(way.len(), 1);
    assert_eq!(
        explained.would_bring,
        [
            "touch Boot.start in app/boot.py:6, the one file in module(\"app.boot\")",
            "widen boot to dependencies(module(\"app.boot\"), within 1)"
        ]
    );
    let unheard = bench.engine.explain(&What::Bundle("unti".to_owned()));
    assert_eq!(unheard.did_you_mean, ["unit"]);
}

#[test]
fn equal_inputs_give_byte_equal_plans() {
    let rules = book(TIERS);
    let json = || {
        let mut bench = Bench::new();
        bench.set(&repository(), &helper_edit(), &rules);
        format!("{:?}", bench.engine.plan())
    };
    assert_eq!(json(), json());
}

#[test]
fn import_time_code_selects_tests_by_file_and_a_body_by_its_users() {
    let rules = impacted("tests", "language(python)");
    let before = files(&[
        ("app/__init__.py", ""),
        ("app/limits.py", "LIMIT = 3\n\n\ndef limit():\n    return LIMIT\n\n\ndef unused():\n    return 0\n"),
        ("tests/conftest.py", "import pytest\n\n\n@pytest.fixture\ndef box():\n    return 1\n"),
        (
            "tests/test_limits.py",
            "from app.limits import limit\n\nMOST = limit()\n\n\ndef test_most():\n    assert MOST == 3\n",
        ),
        ("tests/test_other.py", "def test_box(box):\n    assert box\n\n\ndef test_alone():\n    assert True\n"),
    ]);
    let mut bench = Bench::new();
    let mut selected = |path: &str, old: &str, new: &str| {
        let after = with(&before, path, &before[path].replace(old, new));
        bench.set(&before, &after, &rules);
        bench.engine.plan().bundles[0].selected.clone()
    };
    // A constant at import time reaches whoever imports the module.
    assert_eq!(selected("app/limits.py", "LIMIT = 3", "LIMIT = 4"), ["tests/test_limits.py::test_most"]);
    // A body reaches its users, also through import-time code of the test file.
    assert_eq!(selected("app/limits.py", "return LIMIT", "return LIMIT + 1"), ["tests/test_limits.py::test_most"]);
    // A body that nobody is seen to use reaches by file: a registry or a computed name may lead to it.
    assert_eq!(selected("app/limits.py", "return 0", "return 1"), ["tests/test_limits.py::test_most"]);
    assert_eq!(selected("tests/conftest.py", "return 1", "return 2"), ["tests/test_other.py::test_box"]);
    // A new line at the top of a conftest reaches everything below it.
    assert_eq!(selected("tests/conftest.py", "import pytest\n", "import pytest\nimport os\n").len(), 3);
}

#[test]
fn members_of_a_team_count_only_if_they_stood_before() {
    let old = format!("{TIERS}\nteam crew members \"old@example.org\"\n");
    let new = format!(
        "{TIERS}\nteam crew members \"old@example.org\", \"new@example.org\"\nteam fresh members \"fresh@example.org\"
rule crew_agrees : tier 2
  when     change touches all
  require  approval 1 of team(crew), approval 1 of team(fresh)
  because  \"x\"
"
    );
    let mut bench = Bench::new();
    let mut input = bench.input(&repository(), &helper_edit(), &book(&old));
    input.rules_after = Some(book(&new));
    bench.engine.update(input);
    let members: Vec<Vec<String>> = bench
        .engine
        .plan()
        .approvals
        .into_iter()
        .filter_map(|approval| match approval.by {
            grace_engine::plan::Approver::Team { name, members } if name != "governance" => Some(members),
            _ => None,
        })
        .collect();
    assert_eq!(members, [vec!["old@example.org".to_owned()], vec!["fresh@example.org".to_owned()]]);
}

#[test]
fn the_first_match_wins_also_over_what_cannot_be_read() {
    let before = files(&[("x.py", "x = '\0'\n"), ("y.py", "x = 1\n")]);
    let after = with(&before, "x.py", "y = '\0'\n");
    let outcome = |tags: &[(&str, &str)], asked: &str| {
        let tags: String = tags.iter().map(|(value, set)| format!("tag f({value}) on {set} may be empty\n")).collect();
        let rule = format!("rule r : tier 3\n  when change touches f({asked})\n  because \"x\"\n");
        let mut bench = Bench::new();
        bench.set(&before, &after, &book(&format!("family f values a, b, c first match wins\n{tags}{rule}")));
        bench.engine.plan().rules.into_iter().find(|rule| rule.name == "r").unwrap().outcome
    };
    let (may, x) = ("class(\"K\")", "path(\"x.py\")");
    // It is of `a` or of `b`, so that nothing is left to `c`.
    assert_eq!(outcome(&[("a", may), ("b", "all"), ("c", x)], "a"), Outcome::Unknown);
    assert_eq!(outcome(&[("a", may), ("b", "all"), ("c", x)], "b"), Outcome::Unknown);
    assert_eq!(outcome(&[("a", may), ("b", "all"), ("c", x)], "c"), Outcome::DoesNotApply);
    // It is of `a` by one of its items, whichever; unless another value may have come first.
    assert_eq!(outcome(&[("a", may), ("a", x)], "a"), Outcome::Fires);
    assert_eq!(outcome(&[("a", may), ("b", may), ("a", x)], "a"), Outcome::Unknown);
    assert_eq!(outcome(&[("b", may), ("a", may), ("a", x)], "a"), Outcome::Unknown);
    assert_eq!(outcome(&[("a", x), ("b", may), ("a", x)], "a"), Outcome::Fires);
    assert_eq!(outcome(&[("a", x), ("b", x)], "b"), Outcome::DoesNotApply);
}

#[test]
fn a_file_that_cannot_be_read_may_hold_members_of_what_it_is_in() {
    let before = files(&[("a/x.py", "x = 1\n"), ("b/y.py", "class K:\n    x = 1\n")]);
    let outcome = |path: &str, set: &str| {
        let after = with(&before, path, "x = '\0'\n");
        let rules = book(&format!("rule r : tier 3\n  when change adds {set}\n  because \"x\"\n"));
        let mut bench = Bench::new();
        bench.set(&before, &after, &rules);
        bench.engine.plan().rules.into_iter().find(|rule| rule.name == "r").unwrap().outcome
    };
    // The place is certain, what is there is not.
    for set in ["members of path(\"a/**\")", "header of path(\"a/**\")", "members of class(\"K\")"] {
        assert_eq!(outcome("a/x.py", set), Outcome::Unknown, "{set}");
        assert_eq!(outcome("a/x.py", &set.replace("a/", "c/").replace("class(\"K\")", "none")), Outcome::DoesNotApply);
    }
}

#[test]
fn a_new_edge_says_whether_it_is_new_or_an_end_of_it_moved_or_was_tagged_anew() {
    let why = |before: &Files, after: &Files, tagged: &str| {
        let rules = book(&format!(
            "{TIERS}
tag core on {tagged}
rule r : tier 2
  when     new edges imports from path(\"app/**\") to tag(core)
  because  \"A new dependency on the core is seen.\"
"
        ));
        let mut bench = Bench::new();
        bench.set(before, after, &rules);
        let plan = bench.engine.plan();
        let rule = plan.rules.iter().find(|rule| rule.name == "r").unwrap();
        let evidence = rule.derivation.iter().flat_map(|reason| &reason.evidence);
        let all = evidence.map(|piece| match piece {
            Evidence::NewEdge { why, .. } => why.clone(),
            other => panic!("{other:#?}"),
        });
        all.collect::<BTreeSet<String>>()
    };
    let long = "import core.one\n\n\ndef first():\n    return 1\n\n\ndef second():\n    return first() + 2\n";
    let base = files(&[("core/one.py", "ONE = 1\n"), ("lib/a.py", long)]);
    let set = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<BTreeSet<String>>();
    // From a part that is new: nothing moved.
    let added = with(&base, "app/new.py", "import core.one\n");
    assert_eq!(why(&base, &added, "path(\"core/**\")"), set(&["new"]));
    let moved = with(&without(&base, "lib/a.py"), "app/a.py", long);
    assert_eq!(why(&base, &moved, "path(\"core/**\")"), set(&["moved"]));
    // The tag is on what imports `mark`, which the core begins to do; who imports the core did so before.
    let before = with(&with(&base, "app/b.py", "import core.one\n"), "mark.py", "MARK = 1\n");
    let after = with(&before, "core/one.py", "import mark\n\nONE = 1\n");
    assert_eq!(why(&before, &after, "importers(module(\"mark\"), within 1)"), set(&["retagged"]));
}

#[test]
fn an_edge_and_a_way_say_why_each_end_counts() {
    let before = files(&[("app/a.py", "A = 1\n"), ("core/one.py", "ONE = 1\n"), ("core/two.py", "TWO = 1\n")]);
    let after = with(&before, "core/two.py", "import core.one\n\nTWO = core.one.ONE\n");
    let after = with(&after, "app/a.py", "import core.two\n\n\ndef use():\n    return core.two\n");
    let ends = |rule: &str| {
        let rules = book(&format!("{TIERS}\ntag core on path(\"core/one.py\")\n{rule}\n  because \"x\"\n"));
        let mut bench = Bench::new();
        bench.set(&before, &after, &rules);
        let plan = bench.engine.plan();
        let rule = plan.rules.iter().find(|rule| rule.name == "r").unwrap();
        let (from, to) = match &rule.derivation[0].evidence[0] {
            Evidence::NewEdge { from_in, to_in, .. } | Evidence::Path { from_in, to_in, .. } => (from_in, to_in),
            other => panic!("{other:#?}"),
        };
        [from, to].map(|end| {
            let steps = end.proof.iter().map(|step| match step {
                Step::In { set, .. } => format!("in {set}"),
                Step::Named { name, file, line } => format!("{name} at {file}:{line}"),
                Step::Inside { of, part } => format!("{of} of {}:{}", part.path, part.line),
                other => panic!("{other:#?}"),
            });
            format!("{}: {}", end.set, steps.collect::<Vec<String>>().join(", "))
        })
    };
    let tagged = "tag(core): tag(core) at grace/rules.grace:9, in path(\"core/one.py\")";
    assert_eq!(
        ends("rule r : tier 2\n  when new edges imports from path(\"core/two.py\") to tag(core)"),
        ["path(\"core/two.py\"): in path(\"core/two.py\")", tagged]
    );
    // A module counts by what is in its file: here by a function, which is not the part that imports.
    let other = "function(\"use\"): file of app/a.py:4, in function(\"use\")";
    assert_eq!(
        ends("forbid r\n  imports from function(\"use\") to tag(core), direct or through other modules"),
        [other, tagged]
    );
    let lower = "path(\"core/two.py\"): in path(\"core/two.py\")";
    assert_eq!(ends("layers r tag(core) over path(\"core/two.py\")"), [lower, tagged]);
}

#[test]
fn an_unmet_condition_says_what_was_seen_instead_and_the_plan_does_not() {
    let rules = book(&format!(
        "{TIERS}
window freeze 2020-01-01 to 2020-01-31, zone \"UTC\"
binding model(\"m:1\") to path(\"app/util.py\")
rule r : tier 2
  when     (operation is optimize or ticket \"HOT-*\" or branch \"release/*\" or actor is verified bot(\"b\") or during freeze
           or package change is major or any of models used by path(\"app/boot.py\") has commercial_use not allowed
           or any of models used by path(\"README.md\") has commercial_use not allowed)
  because  \"x\"
"
    ));
    let mut bench = Bench::new();
    let mut input = bench.input(&repository(), &helper_edit(), &rules);
    input.declared.operation = Some("refactor".to_owned());
    input.declared.ticket = Some("ABC-1".to_owned());
    input.declared.branch = Some("main".to_owned());
    input.declared.verified_bot = VerifiedBot::Nobody;
    let mut parsed =
        grace_fingerprints::shipped().iter().filter_map(|(path, text)| grace_fingerprints::parse(path, text).ok());
    let allowed = parsed.find(|model| model.commercial_use == CommercialUse::Allowed).unwrap();
    for side in [&mut input.past.models_before, &mut input.past.models_after] {
        side.insert("m:1".to_owned(), Arc::new(allowed.clone()));
    }
    bench.engine.update(input);
    let plan = bench.engine.plan();
    let rule = plan.rules.iter().find(|rule| rule.name == "r").unwrap();
    assert_eq!(rule.outcome, Outcome::DoesNotApply);
    assert!(rule.derivation.iter().all(|reason| reason.evidence.is_empty()), "{rule:#?}");
    let explained = bench.engine.explain(&What::Rule("r".to_owned()));
    let conditions = &explained.near[0].conditions;
    let declared = |what: &str, value: &str| Evidence::Declared { what: what.to_owned(), value: value.to_owned() };
    let seen: Vec<&[Evidence]> = conditions.iter().skip(1).map(|condition| &*condition.seen).collect();
    assert_eq!(seen[0], [declared("operation", "refactor")]);
    assert_eq!(seen[1], [declared("ticket", "ABC-1")]);
    assert_eq!(seen[2], [declared("branch", "main")]);
    assert_eq!(seen[3], [declared("verified bot", "")]);
    assert!(matches!(&seen[4][0], Evidence::Declared { what, value } if what == "date" && value.starts_with("2026-")));
    assert!(matches!(&seen[4][1], Evidence::Window { name, .. } if name == "freeze"));
    assert_eq!(seen[5], [declared("package change", "")]);
    let Evidence::Model { value, proof, part, .. } = &seen[6][0] else { panic!("{:#?}", seen[6]) };
    assert_eq!(value, "allowed");
    // Boot imports and calls what is bound to the model: the way, and where it starts.
    assert_eq!(part.as_ref().map(|part| part.path.as_str()), Some("app/util.py"));
    let edges = proof.iter().filter(|step| matches!(step, Step::Edge { .. })).count();
    assert!(
        edges > 0 && matches!(proof.last(), Some(Step::In { set, .. }) if set.contains("app/boot.py")),
        "{proof:#?}"
    );
    assert!(matches!(&seen[7][0], Evidence::Number { high: 0, .. }), "{:#?}", seen[7]);
}

#[test]
fn a_test_that_is_not_reached_has_no_way_and_one_that_is_has_the_way_by_which_it_is() {
    let rules = impacted("tests", "language(python)");
    let before = with(
        &with(
            &repository(),
            "tests/test_names.py",
            "from app.util import helper\n\n\ndef test_names():\n    assert True\n",
        ),
        "tests/test_other.py",
        "from app.util import other\n\n\ndef test_other():\n    assert other() == 3\n",
    );
    let mut bench = Bench::new();
    bench.set(&before, &with(&before, "app/util.py", &helper_edit()["app/util.py"]), &rules);
    for test in ["test_names", "test_other"] {
        let explained = bench.engine.explain(&What::Test(test.to_owned()));
        assert_eq!((explained.status, explained.reached), (Presence::Absent, vec![]), "{test}");
    }
    let explained = bench.engine.explain(&What::Test("test_start".to_owned()));
    let ends = |step: &Step| match step {
        Step::Edge { from, to, .. } => (from.name.clone(), to.name.clone()),
        other => panic!("{other:#?}"),
    };
    let way: Vec<(String, String)> = explained.reached[0].iter().map(ends).collect();
    assert_eq!(way.first().map(|(_, to)| to.as_str()), Some("helper"), "{way:?}");
    assert_eq!(way.last().map(|(from, _)| from.as_str()), Some("test_start"), "{way:?}");
    // Import-time code leads to what stands in the files that run it.
    bench.set(&before, &with(&before, "app/util.py", &format!("X = 1\n{}", before["app/util.py"])), &rules);
    let explained = bench.engine.explain(&What::Test("test_names".to_owned()));
    assert_eq!(explained.status, Presence::Present);
    assert!(matches!(explained.reached[0].last(), Some(Step::Inside { of, .. }) if of == "file"), "{explained:#?}");
}

#[test]
fn what_governs_the_tests_selects_them_all_whoever_names_it() {
    let before = files(&[
        ("app/a.py", "def f():\n    return open('requirements.txt'), open('data.json')\n"),
        ("requirements.txt", "x==1\n"),
        ("data.json", "{}\n"),
        ("setup.py", "X = 1\n"),
        ("tests/test_a.py", "from app.a import f\n\n\ndef test_a():\n    assert f()\n"),
        ("tests/test_b.py", "def test_b():\n    assert True\n"),
    ]);
    let rules = impacted("tests", "all");
    for (path, text, selected) in
        [("requirements.txt", "x==2\n", 2), ("setup.py", "X = 2\n", 2), ("data.json", "{\"a\": 1}\n", 1)]
    {
        let mut bench = Bench::new();
        bench.set(&before, &with(&before, path, text), &rules);
        assert_eq!(bench.engine.plan().bundles[0].selected.len(), selected, "{path}");
    }
}

#[test]
fn what_a_model_loses_names_who_uses_it_and_asks_their_owners() {
    let rules = book(&format!(
        "{TIERS}
binding model(\"m:1\") to path(\"app/util.py\")
rule flags : tier 2
  when     flags removed of models
  require  approval 1 of an owner of each file in all, else team(governance)
  because  \"x\"
"
    ));
    let mut bench = Bench::new();
    let mut input = bench.input(&repository(), &helper_edit(), &rules);
    let mut parsed =
        grace_fingerprints::shipped().iter().filter_map(|(path, text)| grace_fingerprints::parse(path, text).ok());
    let before = parsed.find(|model| !model.compliance_flags.is_empty()).unwrap();
    let mut after = before.clone();
    after.compliance_flags.clear();
    input.past.models_before.insert("m:1".to_owned(), Arc::new(before));
    input.past.models_after.insert("m:1".to_owned(), Arc::new(after));
    input.past.codeowners = Some(CodeOwners { path: Arc::from("CODEOWNERS"), text: Arc::from("* @all\n") });
    bench.engine.update(input);
    let plan = bench.engine.plan();
    let rule = plan.rules.iter().find(|rule| rule.name == "flags").unwrap();
    assert_eq!(rule.outcome, Outcome::Fires);
    let Evidence::Model { part, .. } = &rule.derivation[0].evidence[0] else { panic!("{rule:#?}") };
    assert_eq!(part.as_ref().map(|part| part.path.as_str()), Some("app/util.py"));
    let asked: Vec<&str> = plan.approvals.iter().map(|approval| approval.name.as_str()).collect();
    assert_eq!(asked, ["1 of an owner of app/util.py"]);
}
