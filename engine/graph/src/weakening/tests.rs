use super::*;
use crate::change::FileChange;

fn side(path: &str, text: &str) -> Option<FileSide> {
    Some(FileSide { path: path.into(), executable: false, content: Content::Text(text.into()) })
}

fn file(path: &str, before: &str, after: &str) -> FileChange {
    FileChange { before: side(path, before), after: side(path, after), asserted: false }
}

fn lines(files: Vec<FileChange>) -> Vec<String> {
    let changes = test_changes(&Change { files });
    let removed =
        changes.removed.iter().map(|test| format!("removed {}:{} {}", test.test.path, test.line, test.test.name));
    let weakened = changes.weakened.iter().map(|test| {
        format!("{:?} {} -> {}:{} {}", test.how, test.before.name, test.after.path, test.line, test.after.name)
    });
    let uncollected = changes.uncollected.iter().map(|entry| format!("uncollected {} {:?}", entry.line, entry.pattern));
    let unknown = changes.unknown.iter().map(|entry| format!("unknown {}:{} {}", entry.path, entry.line, entry.why));
    removed.chain(weakened).chain(uncollected).chain(unknown).collect()
}

/// What becomes of `def test_x` when its body changes; the kinds only.
fn body(before: &str, after: &str) -> Vec<String> {
    let text = |body: &str| {
        let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
        format!("import math\nimport pytest\nimport unittest\ndef test_x(self):\n{body}")
    };
    kinds(&text(before), &text(after))
}

fn kinds(before: &str, after: &str) -> Vec<String> {
    let changes = test_changes(&Change { files: vec![file("test_a.py", before, after)] });
    let removed = changes.removed.iter().map(|_| "Removed".to_owned());
    let weakened = changes.weakened.iter().map(|test| format!("{:?}", test.how));
    removed.chain(weakened).chain(changes.unknown.iter().map(|_| "Unknown".to_owned())).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn fewer_assertions_weaken_whatever_their_form() {
    for (before, after) in [
        ("assert a\nassert b", "assert a"),
        ("assert a and b", "assert a"),
        ("assert a", "pass"),
        ("assert a", "assert True"),
        ("assert a", "assert True, a"),
        ("assert a == b", "assert b == b"),
        ("assert a", "assert a or True"),
        ("assert a", "assert (a, 'message')"),
        ("assert a", "assert not False"),
        ("assert a", "assert 'text'"),
        ("self.assertEqual(a, 1)", "self.assertTrue(True)"),
        ("self.assertEqual(a, 1)", "self.assertEqual(1, 1)"),
        ("self.assertEqual(a, 1)", "self.assert_equal_not_called"),
        ("mock.assert_called_once()", "mock.called"),
        ("with pytest.raises(E):\n    f()", "f()"),
        ("self.fail('x')", "pass"),
        ("assert a", "return\nassert a"),
        ("assert a", "if False:\n    assert a"),
        ("assert a", "if 0 and x:\n    assert a"),
        ("assert a", "while False:\n    assert a"),
        ("assert a", "try:\n    assert a\nexcept Exception:\n    pass"),
        ("assert a", "try:\n    assert a\nexcept:\n    log()"),
        ("assert a", "try:\n    assert a\nexcept (ValueError, AssertionError) as e:\n    print(e)"),
        ("assert a", "with contextlib.suppress(AssertionError):\n    assert a"),
        ("assert a", "if True:\n    return\nassert a"),
        ("assert a", "with x:\n    return\nassert a"),
        ("assert a", "for x in []:\n    assert a"),
        ("assert a", "try:\n    assert a\nfinally:\n    return"),
        ("assert a", "def inner():\n    assert a"),
        ("assert a", "os._exit(0)\nassert a"),
        ("assert a", "assert True if a else True"),
        ("assert a", "assert len(a) >= 0"),
        ("assert a", "assert isinstance(a, object)"),
        ("assert a", "# assert a"),
        ("assert a", "'''assert a'''"),
    ] {
        assert_eq!(body(before, after), ["FewerAssertions"], "{before} -> {after}");
    }
}

#[test]
fn assertions_that_only_look_different_do_not_weaken() {
    for (before, after) in [
        ("assert a", "assert (a)"),
        ("assert a and b", "assert a\nassert b"),
        ("assert a", "try:\n    assert a\nexcept ValueError:\n    pass"),
        ("assert a", "try:\n    assert a\nexcept AssertionError:\n    raise"),
        ("assert a", "try:\n    assert a\nfinally:\n    close()"),
        ("assert a", "for x in y:\n    assert x"),
        ("assert a", "assert a\nreturn"),
        ("assert a == 1", "self.assertEqual(a, 1)"),
        ("assert 1 < a", "assert 1 < a  # why"),
        ("assert a", "assert a\nassert b"),
        ("assert a()", "if True:\n    assert a()\nelse:\n    pass"),
        ("if c:\n    return\nassert a()", "if c:\n    return\nassert a()"),
        ("assert a", "def inner():\n    assert a\ninner()"),
        ("assert True", "pass"),
    ] {
        assert_eq!(body(before, after), NONE, "{before} -> {after}");
    }
}

#[test]
fn an_assertion_that_only_runs_under_a_condition_is_in_doubt() {
    for after in [
        "if c:\n    assert a",
        "if c:\n    return\nassert a",
        "while c:\n    assert a",
        "try:\n    f()\nexcept E:\n    assert a",
        "for x in y:\n    if x:\n        return\nassert a",
        "match c:\n    case 1:\n        assert a",
    ] {
        assert_eq!(body("assert a", after), ["Unknown"], "{after}");
    }
    // What was asked under a condition before may be so after.
    assert_eq!(body("if c:\n    assert a", "if d:\n    assert a"), NONE);
}

#[test]
fn what_a_test_asks_through_a_function_of_its_file_counts() {
    let text = |helper: &str, test: &str| format!("import pytest\n{helper}\ndef test_x():\n    {test}\n");
    let asks = "def check(a):\n    assert a.ok\n    assert a.all";
    for (helper, test, expected) in [
        (asks, "check(f())", vec![]),
        ("def check(a):\n    assert a.ok", "check(f())", vec!["FewerAssertions"]),
        ("def check(a):\n    pass", "check(f())", vec!["FewerAssertions"]),
        ("def check(a):\n    return", "check(f())", vec!["FewerAssertions"]),
        (asks, "f()", vec!["FewerAssertions"]),
        ("def deep(a):\n    assert a.ok\n    assert a.all\ndef check(a):\n    deep(a)", "check(f())", vec![]),
        ("from helpers import check", "check(f())", vec!["Unknown"]),
    ] {
        assert_eq!(kinds(&text(asks, "check(f())"), &text(helper, test)), expected, "{helper} {test}");
    }
    let class =
        "class TestA:\n    def check(self, a):\n        assert a\n    def test_x(self):\n        self.check(1)\n";
    assert_eq!(kinds(class, &class.replace("assert a", "pass")), ["FewerAssertions"]);
    // Named like an assertion, and emptied.
    let named = "def assert_ok(a):\n    assert a\ndef test_x():\n    assert_ok(1)\n";
    assert_eq!(kinds(named, &named.replace("assert a\n", "pass\n")), ["FewerAssertions"]);
    let fixture =
        "import pytest\n@pytest.fixture\ndef db():\n    yield 1\n    assert closed\ndef test_x(db):\n    assert db\n";
    assert_eq!(kinds(fixture, &fixture.replace("    assert closed\n", "")), ["FewerAssertions"]);
    let helpers = "def check(a):\n    assert a\n";
    assert_eq!(
        lines(vec![file("tests/helpers.py", helpers, "def check(a):\n    pass\n")]),
        ["FewerAssertions check -> tests/helpers.py:1 check"]
    );
    assert_eq!(lines(vec![file("src/helpers.py", helpers, "def check(a):\n    pass\n")]), [""; 0]);
}

#[test]
fn what_may_leave_a_test_out_is_in_doubt() {
    let plain = "import pytest\ndef test_x():\n    assert a\n";
    for after in [
        plain.replace("def test_x", "@pytest.mark.integration\ndef test_x"),
        plain.replace("def test_x", "pytestmark = pytest.mark.slow\ndef test_x"),
        plain.replace("def test_x", "@requires_network\ndef test_x"),
        plain.replace("def test_x", "async def test_x"),
        plain.replace("assert a", "yield\n    assert a"),
        plain.replace("def test_x():\n    assert a", "if c:\n    def test_x():\n        assert a"),
        format!("{plain}def load_tests(a, b, c):\n    return b\n"),
        format!("{plain}def pytest_generate_tests(metafunc):\n    pass\n"),
    ] {
        assert_eq!(kinds(plain, &after), ["Unknown"], "{after}");
    }
    for after in [
        plain.replace("def test_x", "@pytest.mark.usefixtures('a')\n@mock.patch('a')\ndef test_x"),
        plain.replace("def test_x", "@pytest.mark.asyncio\nasync def test_x"),
        plain.replace("def test_x():\n    assert a", "if True:\n    def test_x():\n        assert a"),
    ] {
        assert_eq!(kinds(plain, &after), NONE, "{after}");
    }
    assert_eq!(kinds(&plain.replace("def test_x", "@slow\ndef test_x"), plain), NONE);
}

#[test]
fn fewer_generated_examples_weaken() {
    let text = |decorators: &str| format!("from hypothesis import *\n{decorators}\ndef test_x(a):\n    assert a\n");
    let before = "@given(a)\n@settings(max_examples=50)\n@example(1)";
    for (after, expected) in [
        ("@given(a)\n@settings(max_examples=5)\n@example(1)", vec!["FewerCases"]),
        ("@given(a)\n@settings(max_examples=50)", vec!["FewerCases"]),
        ("@example(1)", vec!["FewerCases"]),
        ("@given(a)\n@settings(max_examples=N)\n@example(1)", vec!["Unknown"]),
        ("@given(a)\n@example(1)", vec![]),
    ] {
        assert_eq!(kinds(&text(before), &text(after)), expected, "{after}");
    }
    let expand = |cases: &str| {
        format!(
            "class TestA(TestCase):\n    @parameterized.expand({cases})\n    def test_x(self, a):\n        assert a\n"
        )
    };
    assert_eq!(kinds(&expand("[1, 2]"), &expand("[1]")), ["FewerCases"]);
}

#[test]
fn skips_and_expected_failures_are_found_in_bodies() {
    for (after, expected) in [
        ("pytest.skip('x')\nassert a", vec!["FewerAssertions", "Skipped"]),
        ("if c:\n    pytest.skip('x')\nassert a", vec!["Skipped"]),
        ("pytest.importorskip('x')\nassert a", vec!["Skipped"]),
        ("if c:\n    self.skipTest('x')\nassert a", vec!["Skipped"]),
        ("if c:\n    raise unittest.SkipTest('x')\nassert a", vec!["Skipped"]),
        ("if c:\n    pytest.xfail('x')\nassert a", vec!["ExpectedToFail"]),
        ("if c:\n    raise pytest.skip.Exception('x')\nassert a", vec!["Skipped"]),
        ("pytest.exit('x', 0)\nassert a", vec!["FewerAssertions", "Skipped"]),
        ("reader.skip(1)\nassert a", vec![]),
    ] {
        assert_eq!(body("assert a", after), expected, "{after}");
    }
}

#[test]
fn skips_and_expected_failures_are_found_around_tests() {
    let head =
        "import pytest, unittest\nimport pytest as pt\nfrom pytest import mark\nfrom unittest import skip as leave\n";
    let test = "class TestA:\n    def test_x(self):\n        assert a\n";
    for (after, expected) in [
        (format!("{head}class TestA:\n    @pytest.mark.skip\n    def test_x(self):\n        assert a\n"), "Skipped"),
        (
            format!("{head}class TestA:\n    @pt.mark.skip(reason='x')\n    def test_x(self):\n        assert a\n"),
            "Skipped",
        ),
        (
            format!("{head}class TestA:\n    @mark.skipif(a, reason='x')\n    def test_x(self):\n        assert a\n"),
            "Skipped",
        ),
        (format!("{head}class TestA:\n    @leave('x')\n    def test_x(self):\n        assert a\n"), "Skipped"),
        (
            format!("{head}class TestA:\n    @unittest.skipUnless(a, 'x')\n    def test_x(self):\n        assert a\n"),
            "Skipped",
        ),
        (
            format!("{head}class TestA:\n    @unittest.expectedFailure\n    def test_x(self):\n        assert a\n"),
            "ExpectedToFail",
        ),
        (
            format!("{head}class TestA:\n    @mark.xfail(reason='x')\n    def test_x(self):\n        assert a\n"),
            "ExpectedToFail",
        ),
        (
            format!(
                "{head}slow = pytest.mark.skipif(a)\nclass TestA:\n    @slow\n    def test_x(self):\n        assert a\n"
            ),
            "Skipped",
        ),
        (format!("{head}@pytest.mark.skip\n{test}"), "Skipped"),
        (format!("{head}pytestmark = pytest.mark.skip\n{test}"), "Skipped"),
        (format!("{head}pytestmark = [pytest.mark.timeout, pytest.mark.xfail]\n{test}"), "ExpectedToFail"),
        (format!("{head}pytest.skip('x', allow_module_level=True)\n{test}"), "Skipped"),
        (format!("{head}np = pytest.importorskip('numpy')\n{test}"), "Skipped"),
        (format!("{head}def setup_module():\n    pytest.skip('x')\n{test}"), "Skipped"),
        (format!("{head}@pytest.fixture(autouse=True)\ndef f():\n    pytest.skip('x')\n{test}"), "Skipped"),
        (
            format!("{head}class TestA:\n    pytestmark = pytest.mark.skip\n    def test_x(self):\n        assert a\n"),
            "Skipped",
        ),
        (
            format!(
                "{head}class TestA:\n    def setUp(self):\n        self.skipTest('x')\n    def test_x(self):\n        assert a\n"
            ),
            "Skipped",
        ),
    ] {
        assert_eq!(kinds(&format!("{head}{test}"), &after), [expected], "{after}");
    }
}

#[test]
fn a_skip_that_only_moves_or_says_another_reason_does_not_weaken() {
    let head = "import pytest\n";
    let on_class =
        format!("{head}@pytest.mark.skipif(c, reason='a')\nclass TestA:\n    def test_x(self):\n        assert a\n");
    let on_test = format!(
        "{head}class TestA:\n    @pytest.mark.skipif(c, reason='b')\n    def test_x(self):\n        assert a\n"
    );
    assert_eq!(kinds(&on_class, &on_test), NONE);
    assert_eq!(kinds(&on_test, &on_test.replace("skipif(c,", "skipif(True,")), ["Skipped"]);
    let strict = |strict: &str| format!("import pytest\n@pytest.mark.xfail(c{strict})\ndef test_x():\n    assert a\n");
    assert_eq!(kinds(&strict(", strict=True"), &strict("")), ["ExpectedToFail"]);
    assert_eq!(kinds(&strict(""), &strict(", strict=True")), NONE);
    let always = on_test.replace("skipif(c, ", "skip(");
    assert_eq!(kinds(&always, &on_test), NONE);
}

#[test]
fn fewer_parametrised_cases_weaken() {
    let text = |values: &str| {
        format!(
            "import pytest\nMANY = [1, 2, 3]\nFEW = [1]\n@pytest.mark.parametrize('a', {values})\ndef test_x(a):\n    assert a\n"
        )
    };
    for (before, after, expected) in [
        ("[1, 2, 3]", "[1, 2]", vec!["FewerCases"]),
        ("[1, 2, 3]", "[1, 2, 4]", vec![]),
        ("[1, 2]", "[1, 2, # why\n 3]", vec![]),
        ("MANY", "FEW", vec!["FewerCases"]),
        ("MANY", "[*MANY, 4]", vec![]),
        ("MANY + FEW", "MANY", vec!["FewerCases"]),
        ("range(5)", "range(4)", vec!["FewerCases"]),
        ("[1, 2]", "[1, pytest.param(2, marks=pytest.mark.skip)]", vec!["Skipped"]),
        ("[1, 2]", "[1, pytest.param(2, marks=pytest.mark.xfail)]", vec!["ExpectedToFail"]),
        ("[1, 2]", "load()", vec!["FewerCases", "Unknown"]),
        ("load()", "load()", vec![]),
        ("load()", "load(1)", vec!["Unknown"]),
        ("load()", "[1]", vec!["Unknown"]),
    ] {
        assert_eq!(kinds(&text(before), &text(after)), expected, "{before} -> {after}");
    }
    let plain = text("[1, 2]").replace("@pytest.mark.parametrize('a', [1, 2])\n", "");
    assert_eq!(kinds(&text("[1, 2]"), &plain), ["FewerCases"]);
    let constant = text("MANY");
    assert_eq!(kinds(&constant, &constant.replace("MANY = [1, 2, 3]", "MANY = [1, 2]")), ["FewerCases"]);
}

#[test]
fn wider_tolerances_weaken() {
    for (before, after, expected) in [
        ("assert a == pytest.approx(1)", "assert a == pytest.approx(1, rel=0.1)", vec!["WiderTolerance"]),
        ("assert a == pytest.approx(1, rel=0.1)", "assert a == pytest.approx(1)", vec![]),
        ("assert a == pytest.approx(1, abs=1e-3)", "assert a == pytest.approx(1, abs=1e-2)", vec!["WiderTolerance"]),
        ("assert a == pytest.approx(1, 1e-3)", "assert a == pytest.approx(1, 1e-2)", vec!["WiderTolerance"]),
        ("self.assertAlmostEqual(a, 1)", "self.assertAlmostEqual(a, 1, places=3)", vec!["WiderTolerance"]),
        ("self.assertAlmostEqual(a, 1, 3)", "self.assertAlmostEqual(a, 1, 5)", vec![]),
        ("self.assertAlmostEqual(a, 1)", "self.assertAlmostEqual(a, 1, delta=1)", vec!["WiderTolerance"]),
        ("assert math.isclose(a, b)", "assert math.isclose(a, b, rel_tol=1e-3)", vec!["WiderTolerance"]),
        ("assert a == 1", "assert a == pytest.approx(1)", vec!["WiderTolerance"]),
        ("assert abs(a - b) < 0.1", "assert abs(a - b) < 10", vec!["WiderTolerance"]),
        ("assert 0.1 > abs(a - b)", "assert 0.01 > abs(a - b)", vec![]),
        ("self.assertLess(abs(a), 0.1)", "self.assertLess(abs(a), 1)", vec!["WiderTolerance"]),
        ("torch.testing.assert_close(a, b)", "torch.testing.assert_close(a, b, atol=1)", vec!["WiderTolerance"]),
        ("assert a == 1", "assert a == 1\nassert b == pytest.approx(1)", vec![]),
        ("assert a == pytest.approx(1, rel=T)", "assert a == pytest.approx(1, rel=U)", vec!["Unknown"]),
        ("assert a == pytest.approx(1, rel=T)", "assert b == pytest.approx(1, rel=T)", vec![]),
    ] {
        assert_eq!(body(before, after), expected, "{before} -> {after}");
    }
    let text = |tolerance: &str| {
        format!("import pytest\nTOL = {tolerance}\ndef test_x():\n    assert a == pytest.approx(1, rel=TOL)\n")
    };
    assert_eq!(kinds(&text("1e-3"), &text("1e-2")), ["WiderTolerance"]);
}

#[test]
fn wider_exceptions_weaken() {
    for (before, after, expected) in [
        ("pytest.raises(ValueError)", "pytest.raises(Exception)", vec!["WiderException"]),
        ("pytest.raises(MyError)", "pytest.raises(Exception)", vec!["WiderException"]),
        ("pytest.raises(Exception)", "pytest.raises(BaseException)", vec!["WiderException"]),
        ("pytest.raises(KeyError)", "pytest.raises(LookupError)", vec!["WiderException"]),
        ("pytest.raises(LookupError)", "pytest.raises(KeyError)", vec![]),
        ("pytest.raises(ValueError)", "pytest.raises((ValueError, TypeError))", vec!["WiderException"]),
        ("pytest.raises(ValueError, match='x')", "pytest.raises(ValueError)", vec!["WiderException"]),
        ("pytest.raises(ValueError, match='x')", "pytest.raises(ValueError, match='.*')", vec!["WiderException"]),
        ("pytest.raises(ValueError, match='x')", "pytest.raises(ValueError, match='y')", vec![]),
        ("pytest.raises(ValueError)", "pytest.raises(TypeError)", vec![]),
        ("self.assertRaisesRegex(E, 'x')", "self.assertRaises(E)", vec!["WiderException"]),
    ] {
        let with = |raises: &str| format!("with {raises}:\n    f()");
        assert_eq!(body(&with(before), &with(after)), expected, "{before} -> {after}");
    }
    let two = "with pytest.raises(A):\n    f()\nwith pytest.raises(B):\n    g()";
    let swapped = "with pytest.raises(B):\n    g()\nwith pytest.raises(A):\n    f()";
    assert_eq!(body(two, swapped), NONE);
}

#[test]
fn a_test_that_is_gone_is_removed_and_a_moved_one_is_not() {
    let two = "def test_a():\n    assert a\n\ndef test_b():\n    assert b\n";
    assert_eq!(lines(vec![file("test_a.py", two, "def test_b():\n    assert b\n")]), ["removed test_a.py:1 test_a"]);
    assert_eq!(
        lines(vec![FileChange { before: side("test_a.py", two), after: None, asserted: false }]),
        ["removed test_a.py:1 test_a", "removed test_a.py:4 test_b"]
    );
    let moved = FileChange {
        before: None,
        after: side("x/test_c.py", "def test_a():\n    # why\n    assert a\n"),
        asserted: false,
    };
    assert_eq!(lines(vec![file("test_a.py", two, "def test_b():\n    assert b\n"), moved]), [""; 0]);
    let other_body =
        FileChange { before: None, after: side("x/test_c.py", "def test_a():\n    assert z\n"), asserted: false };
    assert_eq!(
        lines(vec![file("test_a.py", two, "def test_b():\n    assert b\n"), other_body]),
        ["removed test_a.py:1 test_a"]
    );
    assert_eq!(lines(vec![file("test_a.py", two, &two.replace("test_a", "test_renamed"))]), [""; 0]);
    // One copy stands for one test only.
    let twins = "def test_a():\n    assert a\n\ndef test_b():\n    assert a\n";
    assert_eq!(kinds(twins, "def test_c():\n    assert a\n"), ["Removed"]);
    assert_eq!(kinds(twins, "def test_b():\n    assert a\n"), ["Removed"]);
    // A test that moved and was skipped on the way is weakened.
    let skipped = FileChange {
        before: None,
        after: side("x/test_c.py", "import pytest\n@pytest.mark.skip\ndef test_a():\n    assert a\n"),
        asserted: false,
    };
    assert_eq!(
        lines(vec![file("test_a.py", two, "def test_b():\n    assert b\n"), skipped]),
        ["Skipped test_a -> x/test_c.py:2 test_a"]
    );
}

#[test]
fn tests_that_are_no_longer_collected_are_weakened() {
    let plain = "def test_a():\n    assert a\n";
    let class = "class TestA:\n    def test_a(self):\n        assert a\n";
    for (before, after) in [
        (plain, "def check_a():\n    assert a\n".to_owned()),
        (plain, "def check_a():\n    assert a\ndef test_a():\n    pass\n".replace("def test_a():\n    pass\n", "")),
        (plain, format!("{plain}__test__ = False\n")),
        (plain, format!("{plain}test_a.__test__ = False\n")),
        (plain, format!("{plain}del test_a\n")),
        (plain, format!("{plain}test_a = None\n")),
        (plain, format!("import pytest\n@pytest.fixture\n{plain}")),
        (plain, format!("{plain}from stubs import test_a\n")),
        (plain, format!("{plain}from stubs import other as test_a\n")),
        (plain, format!("{plain}test_a, b = 1, 2\n")),
        (plain, "if False:\n    def test_a():\n        assert a\n".to_owned()),
        (plain, "if TYPE_CHECKING:\n    def test_a():\n        assert a\n".to_owned()),
        (class, format!("{class}TestA.test_a = None\n")),
        (class, format!("{class}del TestA.test_a\n")),
        (class, format!("{class}setattr(TestA, 'test_a', None)\n")),
        (class, format!("{class}TestA.test_a.__test__ = False\n")),
        (class, class.replace("TestA", "CaseA")),
        (class, class.replace("TestA:", "TestA:\n    __test__ = False")),
        (class, class.replace("TestA:", "TestA:\n    def __init__(self):\n        pass")),
        (class, format!("{class}TestA = None\n")),
        (
            "from unittest import TestCase\nclass Case(TestCase):\n    def test_a(self):\n        assert a\n",
            "class Case:\n    def test_a(self):\n        assert a\n".to_owned(),
        ),
    ] {
        assert_eq!(kinds(before, &after), ["NoLongerCollected"], "{after}");
    }
    let renamed = FileChange { before: side("test_a.py", plain), after: side("checks.py", plain), asserted: false };
    assert_eq!(lines(vec![renamed]), ["NoLongerCollected test_a -> checks.py:1 test_a"]);
    let apart = vec![
        FileChange { before: None, after: side("checks.py", plain), asserted: false },
        FileChange { before: side("test_a.py", plain), after: None, asserted: false },
    ];
    assert_eq!(lines(apart), ["NoLongerCollected test_a -> checks.py:1 test_a"]);
    let again = FileChange { before: side("test_a.py", plain), after: side("test_b.py", plain), asserted: false };
    assert_eq!(lines(vec![again]), [""; 0]);
}

#[test]
fn a_later_definition_of_the_same_name_replaces_the_test() {
    let real = "def test_a():\n    assert a\n";
    assert_eq!(kinds(real, &format!("{real}def test_a():\n    pass\n")), ["FewerAssertions"]);
    assert_eq!(kinds(real, &format!("def test_a():\n    pass\n{real}")), NONE);
}

#[test]
fn what_cannot_be_compared_is_unknown() {
    let plain = "def test_a():\n    assert a\n";
    assert_eq!(kinds(plain, "def test_a(:\n"), ["Unknown", "Unknown"]);
    assert_eq!(kinds(plain, "if x:\n  (\n"), ["Unknown"]);
    assert_eq!(lines(vec![FileChange { asserted: true, ..file("test_a.py", plain, plain) }]).len(), 1);
    let content = Content::Binary([0; 32]);
    let binary = FileChange {
        before: side("test_a.py", plain),
        after: Some(FileSide { path: "test_a.py".into(), executable: false, content }),
        asserted: false,
    };
    assert_eq!(lines(vec![binary]), ["unknown test_a.py:1 the file cannot be read"]);
    let deep = format!("def test_a():\n    assert {}1{}\n", "(".repeat(1000), ")".repeat(1000));
    assert!(kinds(&deep, &deep.replace('1', "a")).contains(&"Unknown".to_owned()));
}

#[test]
fn added_tests_and_other_files_say_nothing() {
    let plain = "def test_a():\n    assert a\n";
    assert_eq!(kinds("", plain), NONE);
    assert_eq!(lines(vec![file("src/app.py", plain, "")]), [""; 0]);
    let case = "from unittest import TestCase\nclass Case(TestCase):\n    def test_a(self):\n        assert a\ndef test_b():\n    assert b\n";
    // A case is run from any file; a function only from one that is named so.
    assert_eq!(lines(vec![file("src/app.py", case, "")]), ["removed src/app.py:3 Case.test_a"]);
    assert_eq!(lines(vec![file("src/testing.md", plain, "")]), [""; 0]);
}

#[test]
fn tests_of_other_languages_are_removed_or_in_doubt_and_moved_ones_are_neither() {
    let test = "it('adds', () => {\n  expect(1 + 1).toBe(2)\n})\n";
    let gone = |path: &str| FileChange { before: side(path, test), after: None, asserted: false };
    let come = |path: &str| FileChange { before: None, after: side(path, test), asserted: false };
    for path in ["web/a.test.ts", "pkg/a_test.go", "tests/a.rs", "spec/a_spec.rb"] {
        assert_eq!(lines(vec![gone(path)]), [format!("removed {path}:1 ")], "{path}");
        assert_eq!(lines(vec![come(path)]), [""; 0], "{path}");
    }
    assert_eq!(lines(vec![gone("a.test.ts"), come("b.test.ts")]), [""; 0]);
    assert_eq!(lines(vec![gone("a.test.ts"), come("b.ts")]), ["NoLongerCollected  -> b.ts:1 "]);
    assert_eq!(lines(vec![gone("web/a.ts")]), [""; 0]);
    let edit = |after: &str| lines(vec![file("a.test.ts", test, after)]);
    let doubt = |line: u32| vec![format!("unknown a.test.ts:{line} no parser reads tests of this language")];
    assert_eq!(edit(&test.replace("toBe(2)", "toBeTruthy()")), doubt(2));
    assert_eq!(edit(&test.replace("it(", "it.skip(")), doubt(1));
    assert_eq!(edit(&format!("/* {test} */")), doubt(1));
    assert_eq!(edit(&test.replace("  expect", "  return\n  expect")), doubt(2));
    assert_eq!(edit(&format!("{test}\nit('more', () => {{\n  expect(f()).toBe(3)\n}})\n")), [""; 0]);
    assert_eq!(edit(&format!("describe('all', () => {{\n{test}}})\n")), [""; 0]);
    // Tests of Rust stand beside the code.
    let rust = "pub fn f() -> u8 { 1 }\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() { assert_eq!(super::f(), 1); }\n}\n";
    assert_eq!(lines(vec![file("src/lib.rs", rust, &rust.replace("{ 1 }", "{ 2 }"))]), [""; 0]);
    assert_eq!(
        lines(vec![file("src/lib.rs", rust, &rust.replace("    #[test]\n", ""))]),
        ["unknown src/lib.rs:5 no parser reads tests of this language"]
    );
    assert_eq!(
        lines(vec![FileChange { before: side("src/lib.rs", rust), after: None, asserted: false }]),
        ["removed src/lib.rs:1 "]
    );
}

#[test]
fn whatever_a_conftest_or_a_setting_can_leave_out_is_named() {
    for after in [
        "def pytest_runtest_setup(item):\n    pass\n",
        "@pytest.hookimpl\ndef pytest_runtest_makereport(item, call):\n    pass\n",
        "from helpers import pytest_collection_modifyitems\n",
        "from helpers import *\n",
        "pytest_plugins = ['x']\n",
        "pytest_sessionfinish = f\n",
        "@pytest.fixture(autouse=True)\ndef f():\n    pytest.skip('x')\n",
    ] {
        let found = lines(vec![file("conftest.py", "import pytest\n", &format!("import pytest\n{after}"))]);
        assert!(found.iter().any(|line| line.contains("Setting(")), "{after}: {found:?}");
    }
    for after in ["def pytest_report_header(config):\n    pass\n", "@pytest.fixture\ndef f():\n    return 1\n"] {
        assert_eq!(lines(vec![file("conftest.py", "", after)]), [""; 0], "{after}");
    }
    let ini = "[pytest]\naddopts = -q --doctest-modules\n";
    for (options, expected) in [
        ("-q --doctest-modules --co", "Setting(\"--co\")"),
        ("-q --doctest-modules --lf", "Setting(\"--lf\")"),
        ("-q --doctest-modules -p no:python", "Setting(\"-p\")"),
        ("-q --doctest-modules -o python_files=x", "Setting(\"-o\")"),
        ("-q --doctest-modules -qk name", "Setting(\"-k\")"),
        ("-q --doctest-modules tests/unit", "Setting(\"a path in addopts\")"),
        ("-q", "Setting(\"--doctest-modules\")"),
    ] {
        let found = lines(vec![file("pytest.ini", ini, &format!("[pytest]\naddopts = {options}\n"))]);
        assert!(found.iter().any(|line| line.contains(expected)), "{options}: {found:?}");
    }
    assert_eq!(lines(vec![file("pytest.ini", ini, &ini.replace("-q", "-q -n auto --tb short -ra"))]), [""; 0]);
    assert_eq!(
        lines(vec![file("pytest.ini", ini, &ini.replace("= -q", ": -q --ignore=a"))]),
        ["uncollected 2 Path(\"a\")"]
    );
    // A new file of this name silences the settings that stand elsewhere.
    let alone = FileChange { before: None, after: side("pytest.ini", ""), asserted: false };
    assert_eq!(lines(vec![alone]), ["uncollected 1 Setting(\"the file that configures pytest\")"]);
    let toml = |value: &str| format!("[pytest]\nnorecursedirs = {value}\n");
    assert_eq!(lines(vec![file("pytest.toml", &toml("['a']"), &toml("['a', 'b']"))]), ["uncollected 2 Folder(\"b\")"]);
}

#[test]
fn settings_that_leave_out_tests_are_named() {
    let conftest = "collect_ignore = ['old.py']\n";
    assert_eq!(
        lines(vec![file("t/conftest.py", conftest, "collect_ignore = ['old.py', \"sub/test_a.py\"]\n")]),
        ["uncollected 1 Path(\"t/sub/test_a.py\")"]
    );
    assert_eq!(
        lines(vec![file("conftest.py", "", "collect_ignore_glob = ['*_a.py']\ncollect_ignore.append(x)\n")]),
        ["uncollected 1 Glob(\"*_a.py\")", "uncollected 2 Setting(\"collect_ignore?\")"]
    );
    assert_eq!(
        lines(vec![file("conftest.py", "", "def pytest_ignore_collect(p):\n    return True\n")]),
        ["uncollected 1 Setting(\"pytest_ignore_collect\")"]
    );
    let ini = "[pytest]\naddopts = -q --ignore=a\nnorecursedirs = .* x\n[other]\npython_files = z\n";
    assert_eq!(
        lines(vec![file(
            "pytest.ini",
            ini,
            "[pytest]\naddopts = -q --ignore=a --ignore b -k 'not c'\nnorecursedirs =\n    .* x\n    y*\npython_files = check_*.py\ntestpaths = unit\n"
        )]),
        [
            "uncollected 2 Path(\"b\")",
            "uncollected 2 Setting(\"-k\")",
            "uncollected 3 Folder(\"y*\")",
            "uncollected 6 Setting(\"python_files\")",
            "uncollected 7 Setting(\"testpaths\")",
        ]
    );
    let project = |value: &str| format!("[project]\nname = 'x'\n[tool.pytest.ini_options]\nnorecursedirs = {value}\n");
    assert_eq!(
        lines(vec![file("pyproject.toml", &project("['a']"), &project("['a', 'b']"))]),
        ["uncollected 4 Folder(\"b\")"]
    );
    assert_eq!(lines(vec![file("pyproject.toml", &project("['a']"), "[")]).len(), 1);
    // Of very many, some are read, and that there are more is told.
    let many = (0..300).map(|at| format!("'f{at:03}'")).collect::<Vec<_>>().join(", ");
    let said = lines(vec![file("pyproject.toml", &project("['a']"), &project(&format!("[{many}]")))]);
    assert_eq!((said.len(), &*said[0]), (257, "uncollected 4 Folder(\"f000\")"));
    assert_eq!(said[256], "uncollected 4 Setting(\"more than is read of one file\")");
    let nested = |last: &str| format!("{}{last}{}", "f(collect_ignore, ".repeat(200), ")".repeat(200));
    let said =
        |last: &str| lines(vec![file("conftest.py", &format!("{}\n", nested("a")), &format!("{}\n", nested(last)))]);
    assert_eq!(said("b"), ["uncollected 1 Setting(\"collect_ignore?\")"]);
    assert_eq!(said("a"), [""; 0]);
    assert_eq!(lines(vec![file("pyproject.toml", "[project]\nname = 'x'\n", "[project]\nname = 'y'\n")]), [""; 0]);
}

#[test]
fn a_setting_says_which_files_it_leaves_out() {
    let setting = |pattern| Uncollected { path: "x".into(), line: 1, pattern };
    let path = setting(UncollectedPattern::Path("t/a".into()));
    assert_eq!(path.leaves_out().file("t/a/test_b.py"), Some(true));
    assert_eq!(path.leaves_out().file("t/ab/test_b.py"), Some(false));
    let folder = setting(UncollectedPattern::Folder("y*".into()));
    assert_eq!(folder.leaves_out().file("a/yes/test_b.py"), Some(true));
    assert_eq!(folder.leaves_out().file("a/test_y.py"), Some(false));
    assert_eq!(setting(UncollectedPattern::Folder("[".into())).leaves_out().file("a/b.py"), None);
    let glob = setting(UncollectedPattern::Glob("t/*_a.py".into()));
    assert_eq!(glob.leaves_out().file("t/sub/test_a.py"), Some(true));
    assert_eq!(setting(UncollectedPattern::Setting("-k")).leaves_out().file("a.py"), None);
}

#[test]
fn many_definitions_marks_and_handlers_are_read_in_bounded_time() {
    let tests = "def test_a(): assert a\n".repeat(20_000);
    assert_eq!(kinds(&tests, &tests), NONE);
    let marks =
        format!("pytestmark = [{}]\n{}", "pytest.mark.skip, ".repeat(5_000), "def test_a(): pass\n".repeat(2_000));
    kinds(&marks, &marks);
    let mut nested = String::new();
    for depth in 0..60 {
        nested.push_str(&format!("{0}try:\n{0} a()\n{0}except:\n", " ".repeat(depth + 1)));
    }
    nested.push_str(&format!("{}pass\n", " ".repeat(61)));
    let nested = format!("def test_a():\n{nested}");
    kinds(&nested, &nested);
    let tolerances = format!("def test_a():\n{}", " a == approx(1)\n".repeat(20_000));
    kinds(&tolerances, &tolerances.replace('1', "2"));
}

proptest::proptest! {
    #[test]
    fn hostile_tests_never_panic(text in "(def test_a\\(\\):\n|class Test:\n|    |assert |pytest\\.|raises\\(|approx\\(|parametrize|\\(|\\)|\\[|\\]|,|=|'|\"|\n|@|\\PC){0,60}") {
        kinds("def test_a():\n    assert a\n", &text);
        kinds(&text, "def test_a():\n    assert a\n");
        lines(vec![file("conftest.py", "", &text), file("pytest.ini", "", &format!("[pytest]\n{text}"))]);
    }
}
