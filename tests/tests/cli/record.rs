//! `run --record` and what plans make of it; tiers that observe.

use serde_json::Value;

use crate::support::Repo;
use crate::watch::{expect_the_plan, watching};

const MODULE: &str = "import functools
import subprocess
import sys


def plain(x):
    return x


def once(x):
    return x


@functools.lru_cache
def kept(x):
    return once(x)


def late():
    from app import lazy

    return lazy.VALUE


def made():
    return 3


class Box:
    held = None

    def get(self):
        if self.held is None:
            self.held = made()
        return self.held


BOX = Box()


def text():
    with open('data.txt', encoding='ascii') as data:
        return data.read()


def child():
    return subprocess.run([sys.executable, '-c', 'from app import m; print(m.plain(1))'], check=True)
";

const TESTS: &str = "import threading

import pytest

from app import m


@pytest.mark.parametrize('x', [1, 2])
def test_plain(x):
    assert m.plain(x) == x


def test_kept_first():
    assert m.kept(1) == 1


def test_kept_again():
    assert m.kept(1) == 1


def test_box_first():
    assert m.BOX.get() == 3


def test_box_again():
    assert m.BOX.get() == 3


def test_late():
    assert m.late() == 5


def test_text():
    assert m.text() == 'hi\\n'


def test_child():
    m.child()


def test_thread():
    thread = threading.Thread(target=m.plain, args=(1,))
    thread.start()
    thread.join()


def test_wide(wide):
    assert wide == 4


class TestWide:
    def test_again(self, wide):
        assert wide == 4


def test_idle():
    assert m or m.plain(1)
";

/// A package whose tests are narrowed; the tier's line says what of those that are left out.
fn project(selection: &str) -> Repo {
    let repo = Repo::unborn();
    for (path, text) in [
        ("app/__init__.py", ""),
        ("app/m.py", MODULE),
        ("app/lazy.py", "from app.m import made\n\nVALUE = made() + 2\n"),
        ("app/wide.py", "def build():\n    return 4\n\n\ndef end():\n    return 0\n"),
        (
            "conftest.py",
            "import pytest\n\nfrom app import wide as source\n\n\n@pytest.fixture(scope='session')\ndef wide():\n    yield source.build()\n    source.end()\n",
        ),
        ("data.txt", "hi\n"),
        ("tests/test_m.py", TESTS),
        (".gitignore", "__pycache__/\n"),
    ] {
        repo.write(path, text);
    }
    let rules = format!(
        "module project.rules

tiers
  1 safe       approve automatically  for change only in comments
  2 internal   approve by rules       for any other change{selection}
  3 sensitive  approve 1 of anyone    for operations update_model

bundle unit
  tests    path(\"tests/**\")
  run      \"pytest\", \"{{tests}}\", \"-q\", \"-p\", \"no:cacheprovider\", \"--junitxml={{junit}}\"
  timeout  120 s in all

bundle lint
  tests    path(\"tests/**\")
  run      \"python3\", \"-c\", \"import sys; open(sys.argv[1], 'w').write('<testsuite><testcase classname=\\\"c\\\" name=\\\"n\\\"/></testsuite>')\", \"{{junit}}\"
  timeout  60 s

rule code : tier 2
  when     change touches path(\"**/*.py\") plus path(\"data.txt\")
  require  bundle(unit) narrowed to impacted tests
  because  \"Code is tested.\"
"
    );
    repo.write("grace/rules.grace", &rules);
    repo.commit("first");
    repo
}

/// The tests that the plan of the work tree chooses, and the bundle itself.
fn chosen(repo: &Repo) -> (Vec<String>, Value) {
    let plan = repo.json("plan");
    let bundle = plan["bundles"].as_array().and_then(|bundles| bundles.iter().find(|bundle| bundle["name"] == "unit"));
    let bundle = bundle.unwrap_or_else(|| panic!("no bundle: {plan}")).clone();
    let names = bundle["selected"].as_array().into_iter().flatten().filter_map(Value::as_str);
    (names.map(|id| id.rsplit("::").next().unwrap_or(id).to_owned()).collect(), bundle)
}

/// What an edit of a file chooses; the file is then as it was.
#[track_caller]
fn edit(repo: &Repo, path: &str, from: &str, to: &str) -> Vec<String> {
    let text = repo.read(path);
    assert!(text.contains(from));
    repo.write(path, &text.replacen(from, to, 1));
    let (chosen, _) = chosen(repo);
    repo.write(path, &text);
    chosen
}

#[track_caller]
fn record(repo: &Repo) {
    let report = repo.json("run --all --record");
    let problem = |name: &str| {
        let bundles = report["recorded"].as_array().into_iter().flatten();
        bundles.clone().find(|bundle| bundle["bundle"] == name).map(|bundle| bundle["problem"].clone())
    };
    assert_eq!(problem("unit"), Some(Value::Null), "{report}");
    assert_eq!(problem("lint"), Some("its command is not pytest".into()), "{report}");
}

#[test]
fn a_recorded_run_tells_plans_which_tests_enter_what_changes() {
    let repo = project("");
    // Nothing was recorded: by reading.
    assert!(edit(&repo, "app/m.py", "def plain(x):\n    return x", "def plain(x):\n    return x + 0").len() > 3);
    record(&repo);
    let plain = edit(&repo, "app/m.py", "def plain(x):\n    return x", "def plain(x):\n    return x + 0");
    assert_eq!(plain, ["test_child", "test_plain", "test_thread"]);
    // Whoever asks a cache, or an object that keeps, not only the first.
    let kept = edit(&repo, "app/m.py", "def once(x):\n    return x", "def once(x):\n    return x + 0");
    assert_eq!(kept, ["test_child", "test_kept_again", "test_kept_first"]);
    let body = "            self.held = made()";
    let boxed = edit(&repo, "app/m.py", body, "            self.held = made() + 0");
    assert_eq!(boxed, ["test_box_again", "test_box_first", "test_child"]);
    // Set-up and tear-down of a wide fixture are those of all who use it.
    let users = ["test_again", "test_child", "test_wide"];
    assert_eq!(edit(&repo, "app/wide.py", "return 4", "return 5"), users);
    // The last test of all is at it as well.
    let end = edit(&repo, "app/wide.py", "return 0", "return 1");
    assert_eq!(end, ["test_again", "test_child", "test_idle", "test_wide"]);
    assert!(edit(&repo, "data.txt", "hi", "ho").contains(&"test_text".to_owned()));
    // What ran while a module was imported, by whichever test, is followed by reading.
    let made = edit(&repo, "app/m.py", "def made():\n    return 3", "def made():\n    return 4");
    assert!(["test_late", "test_box_again"].iter().all(|test| made.contains(&(*test).to_owned())), "{made:?}");
    let said = repo.run(&["explain", "test", "test_idle"], None, |_| {});
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
}

#[test]
fn a_record_is_of_one_command_and_of_what_it_ran_in() {
    let repo = project("");
    record(&repo);
    let (from, to) = ("def plain(x):\n    return x", "def plain(x):\n    return x + 0");
    let told = ["test_child", "test_plain", "test_thread"];
    assert_eq!(edit(&repo, "app/m.py", from, to), told);
    let plan = |variable: Option<&str>| {
        let said = repo.run(&["plan", "--format", "json"], None, |command| {
            variable.iter().for_each(|value| {
                command.env("TZ", value);
            });
        });
        let plan: Value =
            serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}{}", said.stdout, said.stderr));
        let bundle = plan["bundles"].as_array().and_then(|all| all.iter().find(|bundle| bundle["name"] == "unit"));
        bundle.unwrap_or_else(|| panic!("{plan}")).clone()
    };
    let module = repo.read("app/m.py");
    repo.write("app/m.py", &module.replacen(from, to, 1));
    assert_eq!(plan(None)["unused_record"], Value::Null);
    // Tests see another time zone.
    let elsewhere = plan(Some("Asia/Tokyo"));
    assert!(elsewhere["unused_record"].as_str().is_some_and(|why| why.contains("environment")), "{elsewhere}");
    assert!(elsewhere["sources"]["read"].as_u64() > Some(3), "{elsewhere}");
    // Another command.
    repo.write("app/m.py", &module);
    repo.write("grace/rules.grace", &repo.read("grace/rules.grace").replacen("\"-q\", ", "\"-q\", \"-v\", ", 1));
    repo.commit("second");
    assert!(edit(&repo, "app/m.py", from, to).len() > 3);
    // Both are kept, each for its own command.
    record(&repo);
    assert_eq!(edit(&repo, "app/m.py", from, to), told);
    repo.write("grace/rules.grace", &repo.read("grace/rules.grace").replacen("\"-v\", ", "", 1));
    repo.commit("third");
    assert_eq!(edit(&repo, "app/m.py", from, to), told);
}

#[test]
fn watch_believes_the_record_that_plan_believes() {
    let repo = project("");
    let module = repo.read("app/m.py");
    let edited = module.replacen("def plain(x):\n    return x", "def plain(x):\n    return x + 0", 1);
    repo.write("app/m.py", &edited);
    let by = |plan: &Value, source: &str| plan["bundles"][0]["sources"][source].as_u64();
    let watching = watching(&repo);
    assert_eq!(by(&expect_the_plan(&repo, &watching), "with_record"), Some(0));
    // Recorded while it is watched.
    record(&repo);
    let plan = expect_the_plan(&repo, &watching);
    assert!(by(&plan, "with_record") > Some(5), "{plan}");
    repo.write("app/m.py", &module.replacen("def once(x):\n    return x", "def once(x):\n    return x + 0", 1));
    // What is saved now is neither what was recorded nor what was before it.
    assert_eq!(by(&expect_the_plan(&repo, &watching), "recorded"), Some(0));
    repo.write("app/m.py", &edited);
    assert!(by(&expect_the_plan(&repo, &watching), "with_record") > Some(5));
    std::fs::remove_dir_all(repo.path.join(".git/grace/reach")).unwrap();
    assert_eq!(by(&expect_the_plan(&repo, &watching), "with_record"), Some(0));
}

#[test]
fn a_record_is_of_one_content_and_goes_on_with_what_a_run_did_not_reach() {
    let repo = project("");
    record(&repo);
    let edited = MODULE.replacen("def once(x):\n    return x", "def once(x):\n    return x + 0", 1);
    repo.write("app/m.py", &edited);
    assert_eq!(chosen(&repo).0, ["test_child", "test_kept_again", "test_kept_first"]);
    let files = |repo: &Repo| std::fs::read_dir(repo.path.join(".git/grace/reach")).unwrap().count();
    // Run and recorded, the rest stays recorded for the new content.
    let said = repo.run(&["run", "--record"], None, |_| {});
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert_eq!(files(&repo), 2);
    repo.commit("second");
    let (from, to) = ("def plain(x):\n    return x", "def plain(x):\n    return x + 0");
    assert_eq!(edit(&repo, "app/m.py", from, to), ["test_child", "test_plain", "test_thread"]);
    // Committed without a run: by reading, for whoever may be reached by it.
    repo.write("app/m.py", &edited.replace("return 3", "return 1 + 2"));
    repo.commit("third");
    assert!(edit(&repo, "app/m.py", from, to).len() > 3);
    // Tests of others stay told.
    let plan = chosen_after(&repo, "app/wide.py", "return 4", "return 5");
    assert!(plan["sources"]["with_record"].as_u64() < Some(12), "{plan}");
}

/// The bundle after an edit that is then undone.
fn chosen_after(repo: &Repo, path: &str, from: &str, to: &str) -> Value {
    let text = repo.read(path);
    repo.write(path, &text.replacen(from, to, 1));
    let (_, bundle) = chosen(repo);
    repo.write(path, &text);
    bundle
}

#[test]
fn a_record_that_is_cut_or_altered_is_none_and_half_a_run_makes_none() {
    let repo = project("");
    record(&repo);
    let folder = repo.path.join(".git/grace/reach");
    let only = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&only).unwrap();
    let (from, to) = ("def plain(x):\n    return x", "def plain(x):\n    return x + 0");
    for step in 1..8 {
        std::fs::write(&only, &whole[..whole.len() * step / 8]).unwrap();
        assert!(edit(&repo, "app/m.py", from, to).len() > 3, "cut at {step}/8");
    }
    let mut altered = whole.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    std::fs::write(&only, &altered).unwrap();
    assert!(edit(&repo, "app/m.py", from, to).len() > 3);
    std::fs::write(&only, &whole).unwrap();
    assert_eq!(edit(&repo, "app/m.py", from, to), ["test_child", "test_plain", "test_thread"]);
    std::fs::remove_file(&only).unwrap();
    // A session that ends before its end.
    repo.write(
        "tests/test_m.py",
        &TESTS.replace("def test_idle():", "def test_idle():\n    import os\n    os._exit(0)"),
    );
    let report = repo.json("run --all --record");
    let problems = report["recorded"].as_array().unwrap().iter().filter(|bundle| bundle["problem"].is_string());
    assert_eq!(problems.count(), 2, "{report}");
    assert!(std::fs::read_dir(&folder).unwrap().next().is_none());
}

#[test]
fn a_tier_that_observes_runs_all_and_tells_what_leaving_out_would_have_missed() {
    let repo = project("  selection observe");
    record(&repo);
    // A fault that no record knows: a test looks at the module's text.
    repo.write("tests/test_n.py", "def test_looks():\n    assert open('app/m.py').read().count('+ 0') == 0\n");
    repo.write("app/m.py", &MODULE.replacen("def once(x):\n    return x", "def once(x):\n    return x + 0", 1));
    let report = repo.json("run");
    let seen = &report["observed"][0];
    assert_eq!((&seen["bundle"], &seen["tests"]), (&"unit".into(), &13.into()), "{report}");
    assert!(seen["selected"].as_u64() < seen["tests"].as_u64(), "{report}");
    assert_eq!(seen["failed"], 1);
    assert_eq!(report["passed"], false);
    assert_eq!(repo.recorded_as("selection").len(), 1);
    // Rules can name it.
    let rules = repo.read("grace/rules.grace")
        + "\nkpi caught\n  better higher\n  from selection recall\n  unit percent\n\nrule misses : tier 3\n  when     kpi(caught) < 99.5 %\n  because  \"Too much is missed.\"\n\nkpi share\n  better lower\n  from selection share\n  unit percent\n\nrule wide : tier 3\n  when     kpi(share) > 10 %\n  because  \"Too much is run.\"\n";
    repo.write("grace/rules.grace", &rules);
    let said = repo.run(&["check"], None, |_| {});
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    let plan = repo.json("plan");
    let wide = plan["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == "wide").unwrap().clone();
    assert_eq!(wide["outcome"], "fires", "{wide}");
    // What was measured is remembered, until it is measured again.
    let rest = || std::thread::sleep(std::time::Duration::from_millis(2_700));
    rest();
    repo.json("plan");
    let kept = std::fs::read_dir(repo.cache().join("trees")).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = kept.filter(|path| path.extension().is_some_and(|ending| ending == "selections")).collect();
    let key = *std::fs::read(&kept[0]).unwrap()[48..].first_chunk::<32>().unwrap();
    // Of a hundred tests one was selected.
    let lie = [100, 1, 0, 0];
    grace_graph::store::TreeMemory::open(&repo.cache(), &repo.path).keep_answer("selections", &key, &lie);
    let fires = |line: &str| {
        let plan = repo.json(line);
        plan["rules"].as_array().unwrap().iter().any(|rule| rule["name"] == "wide" && rule["outcome"] == "fires")
    };
    assert!(!fires("plan"), "it is found");
    assert!(fires("plan --no-cache"));
    repo.json("run");
    rest();
    assert!(fires("plan"));
}

#[test]
fn a_tier_that_enforces_leaves_out_what_is_not_reached() {
    let repo = project("  selection enforce");
    record(&repo);
    repo.write("app/m.py", &MODULE.replacen("def once(x):\n    return x", "def once(x):\n    return x + 0", 1));
    let report = repo.json("run");
    assert_eq!(report["observed"].as_array().map(Vec::len), Some(0));
    assert_eq!(report["bundles"][0]["executed"], 3, "{report}");
}

#[test]
fn a_test_that_was_skipped_or_ran_for_some_of_its_parameters_is_not_told_by_a_record() {
    let repo = project("");
    let more = "

@pytest.mark.skipif(True, reason='offline')
def test_skipped():
    m.plain(1)


def test_skips():
    if m:
        pytest.skip('offline')
    m.plain(1)


@pytest.mark.xfail(run=False)
def test_expected():
    m.plain(1)


@pytest.mark.parametrize('x', [0, pytest.param(1, marks=pytest.mark.slow)])
def test_some(x):
    if x:
        m.plain(x)
";
    repo.write("tests/test_m.py", &format!("{TESTS}{more}"));
    repo.write("pytest.ini", "[pytest]\naddopts = -m 'not slow'\nmarkers = slow\n");
    repo.commit("second");
    record(&repo);
    let found = edit(&repo, "app/m.py", "def plain(x):\n    return x", "def plain(x):\n    return x + 0");
    for test in ["test_skipped", "test_skips", "test_expected", "test_some"] {
        assert!(found.contains(&test.to_owned()), "{test}: {found:?}");
    }
    assert!(!found.contains(&"test_idle".to_owned()), "{found:?}");
}

#[test]
fn a_file_that_makes_tests_is_run_whole_until_a_whole_run_of_it_was_recorded() {
    let repo = project("");
    let made =
        "from app import m\n\n\ndef case():\n    def check():\n        assert m.plain(1)\n    return check\n\n\n";
    // A name like a test's: of one file it is one, of another it is none, and reading cannot tell; a third leaves it out.
    repo.write("tests/test_made.py", &format!("{made}test_made = case()\n"));
    repo.write("tests/test_none.py", "from app import m\n\ntest_path = str(m)\n\n\ndef test_seen():\n    assert m\n");
    repo.write("tests/test_left.py", &format!("{made}test_left = case()\n\n\ndef test_here():\n    assert m\n"));
    repo.write("pytest.ini", "[pytest]\naddopts = -k 'not test_left or here'\n");
    repo.commit("second");
    let planned = |from: &str, to: &str| {
        let text = repo.read("app/m.py");
        assert!(text.contains(from));
        repo.write("app/m.py", &text.replacen(from, to, 1));
        let (selected, bundle) = chosen(&repo);
        repo.write("app/m.py", &text);
        let files = bundle["whole"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let files: Vec<String> = files.map(|path| path.rsplit('/').next().unwrap_or(path).to_owned()).collect();
        (files, selected.contains(&"test_made".to_owned()))
    };
    let in_whole = |files: &[&str]| (files.iter().map(|file| (*file).to_owned()).collect::<Vec<_>>(), false);
    let by_id = (vec!["test_left.py".to_owned()], true);
    let all = ["test_left.py", "test_made.py", "test_none.py"];
    let plain = ("def plain(x):\n    return x", "def plain(x):\n    return x + 0");
    assert_eq!(planned(plain.0, plain.1), in_whole(&all));
    record(&repo);
    // From then on the tests that are made are asked for by id, as others are.
    assert_eq!(planned(plain.0, plain.1), by_id);
    assert_eq!(planned("BOX = Box()", "BOX = Box() or 1"), in_whole(&all));
    // What a narrowed run did not come to stays known.
    repo.write("app/m.py", &repo.read("app/m.py").replacen(plain.0, plain.1, 1));
    let report = repo.json("run --record");
    let ran = report["bundles"][0]["tests"].as_array().into_iter().flatten();
    assert!(ran.clone().any(|test| test["id"] == "tests/test_made.py::test_made"), "{report}");
    assert!(!ran.clone().any(|test| test["id"] == "tests/test_none.py::test_seen"), "{report}");
    repo.commit("third");
    assert_eq!(planned("return x + 0", "return x - 0"), by_id);
}

#[test]
fn a_test_that_is_not_there_under_its_name_stops_no_other() {
    let repo = project("");
    // As the package of that name does: one method for each case, and none under the name that is written.
    let module = "import sys\n\n\nclass parameterized:\n    @staticmethod\n    def expand(cases):\n        def apart(method):\n            names = sys._getframe(1).f_locals\n            for at, case in enumerate(cases):\n                names['%s_%d' % (method.__name__, at)] = lambda self, case=case: method(self, case)\n        return apart\n";
    let tests = "import sys\nimport unittest\n\nfrom app import m\nfrom parameterized import parameterized\n\n\nif sys.version_info > (99,):\n    def test_later():\n        assert m.plain(0)\n\n\ndef test_now():\n    assert m.plain(1)\n\n\nclass CasesTest(unittest.TestCase):\n    @parameterized.expand([1, 2])\n    def test_case(self, x):\n        assert m.plain(x)\n";
    repo.write("parameterized.py", module);
    repo.write("tests/test_cases.py", tests);
    repo.commit("second");
    repo.write(
        "app/m.py",
        &repo.read("app/m.py").replacen("def plain(x):\n    return x", "def plain(x):\n    return x + 0", 1),
    );
    let (selected, bundle) = chosen(&repo);
    assert!(selected.contains(&"test_now".to_owned()) && !selected.contains(&"test_case".to_owned()), "{selected:?}");
    assert_eq!(bundle["whole"], serde_json::json!(["tests/test_cases.py"]));
    let outcome = |report: &Value| {
        let all = report["bundles"].as_array().into_iter().flatten();
        all.clone().find(|bundle| bundle["bundle"] == "unit").map(|bundle| bundle["status"].clone())
    };
    for call in ["run", "run --all"] {
        let report = repo.json(call);
        assert_eq!(outcome(&report), Some("passed".into()), "{call}: {report}");
    }
}

#[test]
fn a_session_that_stopped_early_or_a_process_that_was_started_outside_of_tests_tells_nothing() {
    let (from, to) = ("def plain(x):\n    return x", "def plain(x):\n    return x + 0");
    let repo = project("");
    repo.write("pytest.ini", "[pytest]\naddopts = -x\n");
    repo.write("tests/test_z.py", "def test_fails():\n    assert False\n\n\ndef test_after():\n    pass\n");
    repo.commit("second");
    let report = repo.json("run --all --record");
    let unit = report["recorded"].as_array().unwrap().iter().find(|bundle| bundle["bundle"] == "unit").unwrap();
    assert!(unit["problem"].is_string(), "{report}");
    let repo = project("");
    let conftest = repo.read("conftest.py");
    let start = "\n\ndef pytest_sessionstart(session):\n    import subprocess\n    import sys\n\n    subprocess.run([sys.executable, '-c', 'pass'])\n";
    repo.write("conftest.py", &format!("{conftest}{start}"));
    repo.commit("second");
    record(&repo);
    assert!(edit(&repo, "app/m.py", from, to).contains(&"test_idle".to_owned()));
}

const PLAIN: (&str, &str) = ("def plain(x):\n    return x", "def plain(x):\n    return x + 0");

#[test]
fn a_record_that_no_run_of_this_ledger_signed_for_is_not_believed() {
    let repo = project("");
    record(&repo);
    let (from, to) = PLAIN;
    let narrowed = edit(&repo, "app/m.py", from, to);
    assert!(!narrowed.contains(&"test_idle".to_owned()), "{narrowed:?}");
    // The same file beside another ledger: whoever can write one says what they like.
    let ledger = repo.path.join(".git/grace/ledger");
    std::fs::rename(&ledger, repo.path.with_file_name("signed")).unwrap();
    repo.json("audit init");
    assert!(edit(&repo, "app/m.py", from, to).contains(&"test_idle".to_owned()));
    std::fs::remove_dir_all(&ledger).unwrap();
    std::fs::rename(repo.path.with_file_name("signed"), &ledger).unwrap();
    assert_eq!(edit(&repo, "app/m.py", from, to), narrowed);
}

#[test]
fn a_test_that_failed_runs_with_every_change_until_it_passes_and_the_gate_takes_more_for_enough() {
    let repo = project("");
    let outside = repo.path.with_file_name("outside");
    let text = format!("import os\n\n\ndef test_fails():\n    assert os.path.exists(r'{}')\n", outside.display());
    repo.write("tests/test_z.py", &text);
    repo.commit("second");
    let (from, to) = PLAIN;
    assert!(!edit(&repo, "app/m.py", from, to).contains(&"test_fails".to_owned()));
    assert_eq!(repo.json("run --all")["passed"], false);
    assert!(edit(&repo, "app/m.py", from, to).contains(&"test_fails".to_owned()));
    let bundle = chosen_after(&repo, "app/m.py", from, to);
    assert_eq!(bundle["sources"]["failed"], 1, "{bundle}");
    // It is gone from the plan once it passed, and the run that ran it still counts.
    repo.write("app/m.py", &repo.read("app/m.py").replacen(from, to, 1));
    repo.commit("third");
    std::fs::write(&outside, "").unwrap();
    assert_eq!(repo.json("run --base HEAD~1 --head HEAD")["passed"], true);
    let gate = || repo.json("gate --base HEAD~1 --head HEAD");
    assert_eq!(gate()["outcomes"]["unit"], "passed", "{}", gate());
    let plan = repo.json("plan --base HEAD~1 --head HEAD");
    let unit = plan["bundles"].as_array().unwrap().iter().find(|bundle| bundle["name"] == "unit").unwrap();
    assert!(!unit["selected"].to_string().contains("test_fails"), "{unit}");
    // So after a run that records: what tests enter is known better after it.
    repo.json("run --record --base HEAD~1 --head HEAD");
    assert_eq!(gate()["outcomes"]["unit"], "passed", "{}", gate());
    // A test that the run did not run is missing.
    std::fs::remove_file(&outside).unwrap();
    repo.json("run --all");
    assert!(gate()["outcomes"]["unit"].is_null(), "{}", gate());
}
