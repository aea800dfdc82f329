//! What a record of what tests entered makes of a change: whom it chooses, whom it leaves out, and when it is not believed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_engine::What;
use grace_engine::plan::{BundlePlan, Plan, SelectionMode};
use grace_engine::reach::{PastReach, Reach, Seen, TestReach};
use grace_graph::code::{PartKey, PartKind};

use crate::support::{Bench, Files, book, files, narrowing, with, without};

const MODULE: &str = "import functools


def used():
    return 1


def hidden():
    return used()


def other():
    return 2


@functools.lru_cache
def kept():
    return used()


def asks():
    return kept()


class Box:
    def open(self):
        return 1


LIMIT = other()
";
const TESTS: &str = "import m


def test_used():
    assert m.used() == 1


def test_hidden():
    assert getattr(m, 'hid' + 'den')() == 1


def test_asks():
    assert m.asks() == 1 or m.hidden()


def test_box():
    assert m.Box().open() == 1


def test_idle():
    assert m or m.hidden()
";

fn project() -> Files {
    files(&[
        ("m.py", MODULE),
        ("far.py", "def far():\n    return 1\n"),
        ("data/table.csv", "1\n"),
        ("tests/test_m.py", TESTS),
        ("tests/test_far.py", "import far\n\n\ndef test_far():\n    assert far.far() == 1\n"),
    ])
}

fn key(path: &str, name: &str) -> PartKey {
    let kind = if name.contains('.') { PartKind::Method } else { PartKind::Function };
    PartKey { path: path.into(), name: name.into(), kind, occurrence: 0 }
}

/// A record: which parts of `m.py` each test entered. `kept` keeps; `other` ran while `m.py` was imported.
fn record(entered: &[(&str, &[&str])]) -> Reach {
    let mut parts: BTreeSet<PartKey> =
        entered.iter().flat_map(|(_, names)| names.iter()).map(|name| key("m.py", name)).collect();
    parts.extend([key("m.py", "kept"), key("m.py", "other")]);
    let parts: Vec<PartKey> = parts.into_iter().collect();
    let index = |name: &str| parts.binary_search(&key("m.py", name)).map(|at| at as u32).expect("it is there");
    let seen = |names: &[&str]| {
        let entered: BTreeSet<u32> = names.iter().map(|name| index(name)).collect();
        Seen { entered: entered.into_iter().collect(), ..Seen::default() }
    };
    let test =
        |(id, names): &(&str, &[&str])| ((*id).to_owned(), TestReach { run: 0, failed: false, seen: seen(names) });
    let reach = Reach {
        runs: vec!["r1".to_owned()],
        keeps: vec![index("kept")],
        hands: vec![index("kept")],
        imports: BTreeMap::from([("m.py".to_owned(), seen(&["other"]))]),
        tests: entered.iter().map(test).collect(),
        opened: vec!["data/table.csv".to_owned()],
        parts,
        ..Reach::default()
    };
    assert!(reach.is_sound());
    reach
}

/// All tests of the project but that of `far.py`, as they ran.
fn usual() -> Reach {
    record(&[
        ("tests/test_m.py::test_asks", &["asks"]),
        ("tests/test_m.py::test_box", &["Box.open"]),
        ("tests/test_m.py::test_hidden", &["hidden", "used"]),
        ("tests/test_m.py::test_idle", &[]),
        ("tests/test_m.py::test_used", &["used", "kept"]),
    ])
}

/// The command of the bundle `unit`.
const RUN: [&str; 2] = ["pytest", "{tests}"];

/// A record of a bundle, as the rules run it.
fn past(bundle: &str, reach: Reach, differs: Vec<String>) -> PastReach {
    PastReach {
        bundle: bundle.to_owned(),
        run: RUN.map(str::to_owned).to_vec(),
        setup: Vec::new(),
        ran_in: [0; 32],
        unlike: None,
        reach: Arc::new(reach),
        differs,
    }
}

fn bench(before: &Files, after: &Files, reach: Option<Reach>, differs: &[&str]) -> Bench {
    let mut bench = Bench::new();
    let mut input = bench.input(before, after, &narrowing());
    let differs = differs.iter().map(|path| (*path).to_owned()).collect();
    input.past.reach = reach.map(|reach| past("unit", reach, differs)).into_iter().collect();
    bench.engine.update(input);
    bench
}

fn bundle(plan: &Plan) -> &BundlePlan {
    plan.bundles.first().expect("the change touches something")
}

/// The tests that an edit of a file chooses.
#[track_caller]
fn chosen(path: &str, from: &str, to: &str, reach: Option<Reach>, differs: &[&str]) -> Vec<String> {
    let before = project();
    let edited = before[path].replacen(from, to, 1);
    assert_ne!(edited, before[path], "`{from}` is there");
    let plan = bench(&before, &with(&before, path, &edited), reach, differs).engine.plan();
    names(&bundle(&plan).selected)
}

fn names(ids: &[String]) -> Vec<String> {
    ids.iter().map(|id| id.rsplit("::").next().unwrap_or(id).to_owned()).collect()
}

const HIDDEN: (&str, &str) = ("return used()", "return used() + 0");
const ALL: [&str; 5] = ["test_asks", "test_box", "test_hidden", "test_idle", "test_used"];

#[test]
fn a_changed_body_chooses_the_tests_that_entered_it() {
    let (from, to) = HIDDEN;
    assert_eq!(chosen("m.py", from, to, Some(usual()), &[]), ["test_hidden"]);
    // By reading, whoever may call it.
    assert_eq!(chosen("m.py", from, to, None, &[]), ["test_asks", "test_hidden", "test_idle"]);
    // Who called what a cache holds is chosen with who asks the cache.
    assert_eq!(
        chosen("m.py", "return 1", "return 1 + 0", Some(usual()), &[]),
        ["test_asks", "test_hidden", "test_used"]
    );
    assert_eq!(chosen("m.py", "        return 1", "        return 0 + 1", Some(usual()), &[]), ["test_box"]);
}

#[test]
fn a_record_tells_of_its_own_bundle_and_command_alone() {
    let before = project();
    let after = with(&before, "m.py", &MODULE.replacen(HIDDEN.0, HIDDEN.1, 1));
    let bundle = |name: &str, setup: &str| {
        let run = format!("bundle {name}\n  tests tests\n{setup}  run \"pytest\", \"{{tests}}\"\n  timeout 60 s\n");
        let rule = format!(
            "rule of_{name} : tier 2\n  when change touches all\n  require bundle({name}) narrowed to impacted tests\n  because \"Tested.\"\n"
        );
        run + &rule
    };
    let narrowed = |rules: [&str; 2], records: Vec<PastReach>| {
        let mut bench = Bench::new();
        let mut input = bench.input(&before, &after, &book(rules[0]));
        input.rules_after = Some(book(rules[1]));
        input.past.reach = records;
        bench.engine.update(input);
        let bundles = bench.engine.plan().bundles;
        bundles.iter().map(|bundle| (names(&bundle.selected), bundle.unused_record.clone())).collect::<Vec<_>>()
    };
    let (told, read) = (vec!["test_hidden".to_owned()], chosen("m.py", HIDDEN.0, HIDDEN.1, None, &[]));
    assert_ne!(told, read);
    let one = || past("unit", usual(), Vec::new());
    // Of two bundles with the same tests each has its own.
    let idle = record(&[("tests/test_m.py::test_idle", &["hidden"]), ("tests/test_m.py::test_hidden", &[])]);
    let both = bundle("slow", "") + &bundle("unit", "");
    let other = past("slow", idle, Vec::new());
    let by_slow = vec!["test_asks".to_owned(), "test_idle".to_owned()];
    assert_eq!(narrowed([&both; 2], vec![one()]), [(read.clone(), None), (told.clone(), None)]);
    assert_eq!(narrowed([&both; 2], vec![other, one()]), [(by_slow, None), (told.clone(), None)]);
    // Another command, another set-up, one of two rule books: by reading, and it is said.
    let unit = bundle("unit", "");
    let set_up = bundle("unit", "  setup \"make\"\n");
    assert_eq!(narrowed([&unit; 2], vec![one()]), [(told.clone(), None)]);
    let unused = |rules: [&str; 2], record: PastReach| {
        let [(selected, why)] = narrowed(rules, vec![record]).try_into().expect("one bundle");
        assert_eq!(selected, read);
        why.expect("it is said")
    };
    let by_options = PastReach { run: ["pytest", "-x", "{tests}"].map(str::to_owned).to_vec(), ..one() };
    assert!(unused([&unit; 2], by_options).contains("another command"));
    assert!(unused([&set_up; 2], one()).contains("another command"));
    assert!(unused([&unit, &set_up], one()).contains("another command"));
    // Other surroundings, and a setting that changed since.
    let unlike = PastReach { unlike: Some("other packages".to_owned()), ..one() };
    assert_eq!(unused([&unit; 2], unlike), "other packages");
    let since = PastReach { differs: vec!["pyproject.toml".to_owned()], ..one() };
    assert!(unused([&unit; 2], since).contains("pyproject.toml"));
}

#[test]
fn what_ran_at_import_or_is_no_body_is_followed_by_reading() {
    for (from, to) in [
        ("return 2", "return 3"),
        ("LIMIT = other()", "LIMIT = other() + 1"),
        ("def hidden():", "def hidden(a=1):"),
        ("class Box:", "class Box(dict):"),
        ("    def open(self):", "    x = 1\n\n    def open(self):"),
        ("def hidden():", "@str\ndef hidden():"),
    ] {
        assert_eq!(chosen("m.py", from, to, Some(usual()), &[]), ALL, "{to}");
    }
}

#[test]
fn a_test_without_a_record_that_holds_is_chosen_by_reading() {
    let (from, to) = HIDDEN;
    let read = chosen("m.py", from, to, None, &[]);
    assert!(read.contains(&"test_asks".to_owned()));
    // Not recorded.
    let mut reach = usual();
    reach.tests.remove("tests/test_m.py::test_asks");
    assert_eq!(chosen("m.py", from, to, Some(reach), &[]), ["test_asks", "test_hidden"]);
    // Another process ran for it.
    let mut reach = usual();
    reach.tests.get_mut("tests/test_m.py::test_asks").expect("it is there").seen.unseen = true;
    assert_eq!(chosen("m.py", from, to, Some(reach), &[]), ["test_asks", "test_hidden"]);
    // It did not pass.
    let mut reach = usual();
    reach.tests.get_mut("tests/test_m.py::test_idle").expect("it is there").failed = true;
    assert_eq!(chosen("m.py", from, to, Some(reach), &[]), ["test_hidden", "test_idle"]);
    // Its module ran before anybody looked.
    let reach = Reach { unseen: vec!["m.py".to_owned()], ..usual() };
    assert_eq!(chosen("m.py", from, to, Some(reach), &[]), read);
}

#[test]
fn what_went_on_unseen_outside_of_tests_is_not_left_to_a_record() {
    let (from, to) = HIDDEN;
    let read = chosen("m.py", from, to, None, &[]);
    assert_ne!(chosen("m.py", from, to, Some(usual()), &[]), read);
    let unseen = Seen { unseen: true, ..Seen::default() };
    let reach = Reach { outside: unseen.clone(), ..usual() };
    assert_eq!(chosen("m.py", from, to, Some(reach), &[]), read);
    // A module that others import, and a test file.
    for path in ["m.py", "far.py", "conftest.py", "tests/test_m.py"] {
        let mut reach = usual();
        reach.imports.insert(path.to_owned(), unseen.clone());
        assert_eq!(chosen("m.py", from, to, Some(reach), &[]), read, "{path}");
    }
    // What another test file starts is no matter.
    let mut reach = usual();
    reach.tests.insert("tests/test_far.py::test_far".to_owned(), TestReach::default());
    reach.imports.insert("tests/test_far.py".to_owned(), unseen);
    assert_eq!(chosen("m.py", from, to, Some(reach), &[]), ["test_hidden"]);
}

#[test]
fn what_changed_since_takes_the_record_from_the_tests_that_it_may_reach() {
    let (from, to) = HIDDEN;
    let read = chosen("m.py", from, to, None, &[]);
    assert_eq!(chosen("m.py", from, to, Some(usual()), &["m.py"]), read);
    assert_eq!(chosen("m.py", from, to, Some(usual()), &["tests/test_m.py"]), read);
    assert_eq!(chosen("m.py", from, to, Some(usual()), &["gone.py"]), read);
    assert_eq!(chosen("m.py", from, to, Some(usual()), &["pyproject.toml"]), read);
    // What no test of `m.py` can see is no matter.
    assert_eq!(chosen("m.py", from, to, Some(usual()), &["far.py"]), ["test_hidden"]);
    assert_eq!(chosen("m.py", from, to, Some(usual()), &["README.md"]), ["test_hidden"]);
}

#[test]
fn a_file_that_was_opened_chooses_who_opened_it() {
    let mut reach = usual();
    let opens = "tests/test_m.py::test_idle";
    reach.tests.get_mut(opens).expect("it is there").seen.opened = vec![0];
    let found = chosen("data/table.csv", "1", "2", Some(reach), &[]);
    assert!(found.contains(&"test_idle".to_owned()), "{found:?}");
}

#[test]
fn a_recorded_test_that_reading_does_not_see_is_run_with_its_file() {
    let before = project();
    let made = "import m\n\n\ndef test_seen():\n    assert m\n\n\nmade = type('made', (), {})\n";
    let before = with(&before, "tests/test_made.py", made);
    let after = with(&before, "m.py", &MODULE.replacen(HIDDEN.0, HIDDEN.1, 1));
    let mut reach = usual();
    let hidden = reach.tests["tests/test_m.py::test_hidden"].clone();
    reach.tests.insert("tests/test_made.py::test_seen".to_owned(), TestReach::default());
    let run = |reach: &Reach| {
        let plan = bench(&before, &after, Some(reach.clone()), &[]).engine.plan();
        (names(&bundle(&plan).selected), bundle(&plan).whole.clone())
    };
    assert_eq!(run(&reach), (vec!["test_hidden".to_owned()], Vec::new()));
    reach.tests.insert("tests/test_made.py::Made::test_inherited".to_owned(), hidden);
    assert_eq!(run(&reach).1, ["tests/test_made.py"]);
}

#[test]
fn a_file_that_makes_tests_runs_whole_unless_a_record_has_all_of_them() {
    let made = "import m\n\ntest_path = m.LIMIT\n\n\ndef test_seen():\n    assert m\n";
    let before = with(&project(), "tests/test_made.py", made);
    let mut partly = usual();
    partly.tests.insert("tests/test_made.py::test_seen".to_owned(), TestReach::default());
    let whole = Reach { whole: vec!["tests/test_made.py".to_owned()], ..partly.clone() };
    let chosen = std::cell::Cell::new(false);
    let plan = |edit: (&str, &str), reach: &Reach, differs: &[&str]| {
        let after = with(&before, "m.py", &MODULE.replacen(edit.0, edit.1, 1));
        let bench = bench(&before, &after, Some(reach.clone()), differs);
        let held = bench.engine.still_recorded()["unit"].contains("tests/test_made.py");
        let plan = bench.engine.plan();
        chosen.replace(bundle(&plan).selected.contains(&"tests/test_made.py::test_path".to_owned()));
        (!bundle(&plan).whole.is_empty(), held)
    };
    // Of a run of some of its tests nobody knows which others there are.
    assert_eq!(plan(HIDDEN, &partly, &[]), (true, false));
    assert_eq!(plan(HIDDEN, &whole, &[]), (false, true));
    // What runs while it is loaded, in it or in a hook, may give it others; so may what changed since.
    assert_eq!(plan(("return 2", "return 3"), &whole, &[]), (true, false));
    assert_eq!(plan(("LIMIT = other()", "LIMIT = str"), &whole, &[]), (true, false));
    let mut hooked = whole.clone();
    let hidden = hooked.parts.binary_search(&key("m.py", "hidden")).expect("it is there");
    hooked.outside = Seen { entered: vec![hidden as u32], ..Seen::default() };
    assert_eq!(plan(HIDDEN, &hooked, &[]), (true, false));
    assert_eq!(plan(HIDDEN, &whole, &["m.py"]), (true, false));
    assert_eq!(plan(HIDDEN, &whole, &["tests/test_made.py"]), (true, false));
    assert_eq!(plan(HIDDEN, &whole, &["far.py"]), (false, true));
    // A test that the record alone knows is run by its id as others are, or with all of its file.
    let mut more = whole.clone();
    let id = "tests/test_made.py::test_path".to_owned();
    more.tests.insert(id.clone(), TestReach::default());
    assert_eq!((plan(HIDDEN, &more, &[]), chosen.get()), ((false, true), false));
    more.tests.insert(id.clone(), more.tests["tests/test_m.py::test_hidden"].clone());
    assert_eq!((plan(HIDDEN, &more, &[]), chosen.get()), ((false, true), true));
    let after = with(&before, "m.py", &MODULE.replacen(HIDDEN.0, HIDDEN.1, 1));
    let mut asked = self::bench(&before, &after, Some(more.clone()), &[]);
    let explained = asked.engine.explain(&What::Test(id.clone()));
    assert!(
        explained.facts.iter().any(|(name, why)| name == "known" && why.contains("by a record alone")),
        "{explained:?}"
    );
    assert_eq!(explained.status, grace_engine::plan::Presence::Present);
    let in_part = Reach { whole: Vec::new(), ..more.clone() };
    assert_eq!((plan(HIDDEN, &in_part, &[]), chosen.get()), ((true, false), false));
    assert_eq!((plan(("LIMIT = other()", "LIMIT = str"), &more, &[]), chosen.get()), ((true, false), false));
    // One that was skipped runs where reading comes to its file. Where it does not, nobody knows the file whole from then on.
    let skipped = Seen { unseen: true, ..Seen::default() };
    more.tests.insert(id, TestReach { seen: skipped, ..TestReach::default() });
    assert_eq!((plan(HIDDEN, &more, &[]), chosen.get()), ((false, true), true));
    let after = with(&before, "far.py", "def far():\n    return 2\n");
    let bench = bench(&before, &after, Some(more), &[]);
    assert!(!bench.engine.still_recorded()["unit"].contains("tests/test_made.py"));
    assert!(bundle(&bench.engine.plan()).whole.is_empty());
}

#[test]
fn a_record_of_a_whole_file_says_which_of_its_tests_are_there() {
    let maybe = "import m\n\nif m:\n    def test_there():\n        assert m.hidden()\n\n    def test_gone():\n        assert m.hidden()\n";
    let before = with(&project(), "tests/test_maybe.py", maybe);
    let after = with(&before, "m.py", &MODULE.replacen(HIDDEN.0, HIDDEN.1, 1));
    let run = |reach: &Reach| {
        let plan = bench(&before, &after, Some(reach.clone()), &[]).engine.plan();
        (names(&bundle(&plan).selected), bundle(&plan).whole.clone())
    };
    let only = |name: &str| vec![name.to_owned()];
    let mut reach = usual();
    assert_eq!(run(&reach), (only("test_hidden"), only("tests/test_maybe.py")));
    let there = "tests/test_maybe.py::test_there".to_owned();
    reach.tests.insert(there.clone(), reach.tests["tests/test_m.py::test_hidden"].clone());
    assert_eq!(run(&reach), (only("test_hidden"), only("tests/test_maybe.py")));
    reach.whole = only("tests/test_maybe.py");
    assert_eq!(run(&reach), (vec!["test_hidden".to_owned(), "test_there".to_owned()], Vec::new()));
    reach.tests.insert(there.clone(), TestReach::default());
    assert_eq!(run(&reach), (only("test_hidden"), Vec::new()));
    // Where a run that does not come to it loses its record, nobody knows any more that it is there.
    let skipped = Seen { unseen: true, ..Seen::default() };
    reach.tests.insert(there, TestReach { seen: skipped, ..TestReach::default() });
    let far = with(&before, "far.py", "def far():\n    return 2\n");
    let held = bench(&before, &far, Some(reach), &[]).engine.still_recorded();
    assert!(!held["unit"].contains("tests/test_maybe.py"));
}

#[test]
fn of_several_parts_of_one_id_whichever_changed_is_run() {
    let maybe = "import m\n\nif m:\n    def test_two():\n        assert m.hidden()\nelse:\n    def test_two():\n        assert m\n";
    let before = with(&project(), "tests/test_maybe.py", maybe);
    let mut reach = usual();
    reach.whole = vec!["tests/test_maybe.py".to_owned()];
    let skipped = Seen { unseen: true, ..Seen::default() };
    let id = "tests/test_maybe.py::test_two".to_owned();
    reach.tests.insert(id.clone(), TestReach { seen: skipped, ..TestReach::default() });
    for (from, to) in [("m.hidden()", "m.hidden() or 1"), ("assert m\n", "assert m or 1\n")] {
        let after = with(&before, "tests/test_maybe.py", &maybe.replacen(from, to, 1));
        let plan = bench(&before, &after, Some(reach.clone()), &[]).engine.plan();
        let bundle = bundle(&plan);
        assert!(bundle.selected.contains(&id) || !bundle.whole.is_empty(), "{from}: {bundle:?}");
    }
}

#[test]
fn an_inherited_test_whose_record_does_not_hold_runs_where_its_file_may_load_what_changed() {
    let base = "import m\n\n\nclass TestBase:\n    def test_x(self):\n        assert m.hidden()\n";
    let heir = "from tests.test_base import TestBase\n\n\nclass TestHeir(TestBase):\n    v = 2\n";
    let before = with(&with(&project(), "tests/test_base.py", base), "tests/test_heir.py", heir);
    let after = with(&before, "m.py", &MODULE.replacen(HIDDEN.0, HIDDEN.1, 1));
    let mut reach = usual();
    reach.whole = vec!["tests/test_heir.py".to_owned()];
    let id = "tests/test_heir.py::TestHeir::test_x".to_owned();
    for (seen, differs) in [(Seen::default(), vec!["README.md"]), (Seen { unseen: true, ..Seen::default() }, vec![])] {
        reach.tests.insert(id.clone(), TestReach { seen, ..TestReach::default() });
        let plan = bench(&before, &after, Some(reach.clone()), &differs).engine.plan();
        assert!(bundle(&plan).selected.contains(&id), "{differs:?}");
    }
}

#[test]
fn where_all_tests_run_so_do_those_that_only_a_record_knows() {
    let made = "import m\n\n\nclass TestMade:\n    given = m\n\n    def test_seen(self):\n        assert m\n";
    let rest = with(&with(&project(), "tests/test_made.py", made), "pytest.ini", "[pytest]\n");
    let after = with(&rest, "pytest.ini", "[pytest]\naddopts = -q\n");
    let mut reach = usual();
    reach.whole = vec!["tests/test_made.py".to_owned()];
    reach.tests.insert("tests/test_made.py::TestMade::test_planted".to_owned(), TestReach::default());
    let plan = bench(&rest, &after, Some(reach), &[]).engine.plan();
    assert!(bundle(&plan).whole.contains(&"tests/test_made.py".to_owned()), "{:?}", bundle(&plan));
}

#[test]
fn sources_are_counted_and_explained() {
    let before = project();
    let after = with(&before, "m.py", &MODULE.replacen(HIDDEN.0, HIDDEN.1, 1));
    let after = with(&after, "far.py", "def far():\n    return 2 - 1\n");
    let mut bench = bench(&before, &after, Some(usual()), &[]);
    let plan = bench.engine.plan();
    let sources = bundle(&plan).sources;
    assert_eq!((sources.recorded, sources.read, sources.with_record), (1, 1, 5));
    assert_eq!(plan.change.tests_reached, 2);
    let mut said = |test: &str| {
        let explained = bench.engine.explain(&What::Test(test.to_owned()));
        (explained.facts, explained.reached.is_empty())
    };
    let (facts, _) = said("tests/test_m.py::test_hidden");
    assert!(facts.contains(&("recorded".to_owned(), "in run r1 it entered hidden in m.py".to_owned())), "{facts:?}");
    let (facts, is_bare) = said("tests/test_m.py::test_idle");
    assert!(
        is_bare && facts.iter().any(|(name, why)| name == "left out" && why.contains("by its record")),
        "{facts:?}"
    );
}

#[test]
fn the_tests_that_a_change_does_not_reach_stay_recorded() {
    let before = project();
    let after = with(&before, "m.py", &MODULE.replacen(HIDDEN.0, HIDDEN.1, 1));
    let held = bench(&before, &after, Some(usual()), &[]).engine.still_recorded();
    assert_eq!(
        names(&held["unit"].iter().cloned().collect::<Vec<_>>()),
        ["test_asks", "test_box", "test_idle", "test_used"]
    );
    let held = bench(&before, &without(&before, "m.py"), Some(usual()), &[]).engine.still_recorded();
    assert!(held.values().all(BTreeSet::is_empty), "{held:?}");
    // Two records become one, whose tests name the same parts as before.
    let mut joined = record(&[("tests/test_m.py::test_hidden", &["hidden"])]);
    joined.runs = vec!["r2".to_owned()];
    joined.add(&usual(), |id| id.ends_with("box") || id.ends_with("used"));
    assert!(joined.is_sound());
    assert_eq!(joined.runs, ["r2", "r1"]);
    let entered = |id: &str| {
        let test = &joined.tests[id];
        let names = test.seen.entered.iter().map(|&index| joined.parts[index as usize].name.to_string());
        (joined.runs[test.run as usize].clone(), names.collect::<Vec<_>>())
    };
    assert_eq!(entered("tests/test_m.py::test_box"), ("r1".to_owned(), vec!["Box.open".to_owned()]));
    assert_eq!(entered("tests/test_m.py::test_hidden"), ("r2".to_owned(), vec!["hidden".to_owned()]));
    assert_eq!(joined.tests.len(), 3);
    // What is searched is sorted, or believed in nothing.
    joined.unseen = vec!["b.py".to_owned(), "a.py".to_owned()];
    assert!(!joined.is_sound());
}

#[test]
fn the_lines_of_a_tier_say_whether_tests_are_left_out_and_one_that_observes_counts() {
    let tiers = |first: &str, second: &str| {
        let line = "  1 safe approve automatically for change only in comments\n  3 sensitive approve 1 of anyone for operations update_model\n";
        let text = format!(
            "tiers\n  2 internal approve by rules for any other change{first}\n{line}\nbundle unit\n  tests tests\n  run \"pytest\", \"{{tests}}\"\n  timeout 60 s\n"
        );
        let (from, to) = (format!("any other change{first}"), format!("any other change{second}"));
        let rules = [text.clone(), text.replace(&from, &to)];
        let before = project();
        let after = with(&before, "m.py", &MODULE.replacen(HIDDEN.0, HIDDEN.1, 1));
        let mut bench = Bench::new();
        let mut input = bench.input(&before, &after, &book(&rules[0]));
        input.rules_after = Some(book(&rules[1]));
        bench.engine.update(input);
        bench.engine.plan().selection
    };
    let (none, observe, enforce) = ("", "  selection observe", "  selection enforce");
    assert_eq!(tiers(none, none), None);
    assert_eq!(tiers(enforce, enforce), Some(SelectionMode::Enforce));
    assert_eq!(tiers(observe, enforce), Some(SelectionMode::Observe));
    assert_eq!(tiers(enforce, observe), Some(SelectionMode::Observe));
    assert_eq!(tiers(none, enforce), Some(SelectionMode::Enforce));
}
