//! Tests that a change reaches by ways that nobody writes down, although somebody else is seen to use what changed.

use crate::impact::{chosen, edit};
use crate::support::{files, with};

const UNIT: &str = "from app import x\n\n\ndef test_unit():\n    assert x() == '1'\n";

#[test]
fn what_a_decorator_may_keep_is_reached_by_file_although_a_test_calls_it() {
    let client = "from app import app\n\n\ndef test_client():\n    assert app.test_client().get('/x').data == b'1'\n";
    let rest = [("tests/test_client.py", client), ("tests/test_unit.py", UNIT)];
    let head = "from flask import Flask\nimport functools, click\nfrom own import keep\n\napp = Flask(__name__)\n\n\n";
    for (decorator, expected) in [
        ("@app.route('/x')", &["test_client", "test_unit"][..]),
        ("@click.command()", &["test_client", "test_unit"]),
        ("@keep", &["test_client", "test_unit"]),
        ("@functools.lru_cache", &["test_unit"]),
        ("@functools.wraps(keep)", &["test_unit"]),
    ] {
        let before = format!("{head}{decorator}\ndef x():\n    return '1'\n");
        assert_eq!(edit(&rest, "app.py", &before, &before.replace("'1'", "'2'")), expected, "{decorator}");
    }
}

#[test]
fn a_class_that_may_be_kept_is_reached_by_file_although_a_test_makes_one() {
    let unit = "from app import Made\n\n\ndef test_unit():\n    assert Made().get() == 1\n";
    let other = "import app\nfrom kept import make\n\n\ndef test_made():\n    assert app and make('Made').get() == 1\n";
    let kept = "class Base:\n    def __init_subclass__(cls):\n        KNOWN[cls.__name__] = cls\n";
    let rest = [("kept.py", kept), ("tests/test_made.py", other), ("tests/test_unit.py", unit)];
    for head in ["import registry\n\n\n@registry.add\nclass Made:\n", "from kept import Base\n\n\nclass Made(Base):\n"]
    {
        let before = format!("{head}    def get(self):\n        return 1\n");
        let after = before.replace("return 1", "return 2");
        assert_eq!(edit(&rest, "app.py", &before, &after), ["test_made", "test_unit"], "{head}");
    }
}

#[test]
fn what_sets_a_test_up_is_reached_although_another_class_calls_it_by_super() {
    let test = "from unittest import TestCase\n\n\nclass M:\n    def setUp(self):\n        self.n = 1\n\n\nclass A(M, TestCase):\n    def test_a(self):\n        assert self.n == 1\n\n\nclass B(M, TestCase):\n    def setUp(self):\n        super().setUp()\n\n    def test_b(self):\n        pass\n";
    assert_eq!(edit(&[], "tests/test_m.py", test, &test.replace("self.n = 1", "self.n = 2")), ["test_a", "test_b"]);
}

#[test]
fn a_method_that_a_framework_calls_reaches_who_hands_its_class_on() {
    let view = "from django.views import View\n\n\nclass Page(View):\n    def get(self, request):\n        return 1\n";
    let urls = "from django.urls import path\nfrom view import Page\n\nurlpatterns = [path('', Page.as_view())]\n";
    let rest = [
        ("urls.py", urls),
        (
            "tests/test_client.py",
            "import urls\n\n\ndef test_client(client):\n    assert urls and client.get('/') == 1\n",
        ),
        ("tests/test_unit.py", "from view import Page\n\n\ndef test_unit():\n    assert Page().get(None) == 1\n"),
    ];
    let after = view.replace("return 1", "return 2");
    assert_eq!(edit(&rest, "view.py", view, &after), ["test_client", "test_unit"]);
}

#[test]
fn a_method_reaches_who_makes_an_object_for_what_takes_a_protocol() {
    let app = "from typing import Protocol\n\n\nclass Store(Protocol):\n    def fetch(self): ...\n\n\nclass Mem:\n    def fetch(self):\n        return 1\n\n\ndef use(s: Store):\n    return s.fetch()\n";
    let rest = [
        ("tests/test_a.py", "from app import Mem\n\n\ndef test_a():\n    assert Mem().fetch() == 1\n"),
        ("tests/test_b.py", "from app import Mem, use\n\n\ndef test_b():\n    assert use(Mem()) == 1\n"),
    ];
    assert_eq!(edit(&rest, "app.py", app, &app.replace("return 1", "return 2")), ["test_a", "test_b"]);
}

#[test]
fn a_method_reaches_who_asks_an_object_for_any_name_or_hands_it_on_uncalled() {
    let h = "class H:\n    def on_save(self):\n        return 1\n";
    let conftest = "import pytest\nfrom h import H\n\n\n@pytest.fixture\ndef handler():\n    return H()\n";
    let a = "from h import H\n\n\ndef test_a():\n    assert H().on_save() == 1\n";
    for b in ["[getattr(handler, n)() for n in NAMES]", "dispatch(handler.on_save)"] {
        let b = format!("from other import NAMES, dispatch\n\n\ndef test_b(handler):\n    {b}\n");
        let rest = [
            ("other.py", "NAMES = []\n\n\ndef dispatch(f):\n    f()\n"),
            ("tests/conftest.py", conftest),
            ("tests/test_a.py", a),
            ("tests/test_b.py", &b),
        ];
        assert_eq!(edit(&rest, "h.py", h, &h.replace("return 1", "return 2")), ["test_a", "test_b"], "{b}");
    }
}

#[test]
fn a_function_reaches_who_hands_its_module_on_and_who_looks_it_up_among_all() {
    let a = "from h import on_save\n\n\ndef test_a():\n    assert on_save() == 1\n";
    let b = "import h\nfrom use import use\n\n\ndef test_b():\n    assert use(h, 'on_save') == 1\n";
    let rest = [
        ("use.py", "def use(thing, name):\n    return getattr(thing, name)()\n"),
        ("tests/test_a.py", a),
        ("tests/test_b.py", b),
    ];
    let h = "def on_save():\n    return 1\n";
    assert_eq!(edit(&rest, "h.py", h, &h.replace("return 1", "return 2")), ["test_a", "test_b"]);
    let b = "from h import run\n\n\ndef test_b():\n    assert run('on_save') == 1\n";
    let rest = [("tests/test_a.py", a), ("tests/test_b.py", b)];
    for all in ["globals()[name]", "vars()[name]", "getattr(sys.modules[__name__], name)"] {
        let h = format!("import sys\n\n\n{h}\n\ndef run(name):\n    return {all}()\n");
        assert_eq!(edit(&rest, "h.py", &h, &h.replace("return 1", "return 2")), ["test_a", "test_b"], "{all}");
    }
}

#[test]
fn what_a_decorator_does_happens_where_what_it_decorates_is_defined() {
    let registry = "H = {}\n\n\ndef register(n):\n    def keep(f):\n        H[n] = f\n        return f\n    return keep\n\n\ndef run(n):\n    return H[n]()\n";
    let rest = [
        ("plugin.py", "from registry import register\n\n\n@register('a')\ndef handle():\n    return 1\n"),
        ("tests/test_a.py", "from plugin import handle\n\n\ndef test_a():\n    assert handle() == 1\n"),
        (
            "tests/test_b.py",
            "import plugin\nfrom registry import run\n\n\ndef test_b():\n    assert plugin and run('a') == 1\n",
        ),
    ];
    for (from, to) in [("H[n] = f", "H[n + 'x'] = f"), ("return keep", "return lambda f: f")] {
        assert_eq!(edit(&rest, "registry.py", registry, &registry.replace(from, to)), ["test_a", "test_b"], "{from}");
    }
}

// Tests that a file does not write out.

#[test]
fn tests_that_a_file_imports_or_makes_run_with_all_of_the_file() {
    let shared = "from m import f\n\n\nclass TestShared:\n    def test_s(self):\n        assert f() == 1\n\n\ndef test_one():\n    assert f() == 1\n\n\ndef check():\n    assert f() == 1\n\n\ndef case():\n    return TestShared\n";
    let m = "def f():\n    return 1\n";
    for head in [
        "from tests.shared import TestShared",
        "from tests.shared import test_one",
        "from tests.shared import *",
        "from tests.stars import *",
        "from tests.shared import check as test_check",
        "from tests.shared import case\n\nTestMade = case()",
        "from tests.shared import case\n\n\nclass Made(case()):\n    pass",
        "from tests.shared import case\n\n\ndef load_tests(loader, tests, pattern):\n    return case()",
    ] {
        let test = format!("{head}\n\n\ndef test_own():\n    assert 1\n");
        let rest = [
            ("tests/__init__.py", ""),
            ("tests/shared.py", shared),
            ("tests/stars.py", "from tests.shared import *\n"),
            ("tests/test_a.py", &test),
        ];
        let chosen = edit(&rest, "m.py", m, "def f():\n    return 2\n");
        assert!(chosen.contains(&"tests/test_a.py".to_owned()), "{head}: {chosen:?}");
    }
    // A file whose tests all stand in it is run by them.
    let test =
        "from tests.helpers import check\n\n\ndef test_own():\n    assert 1\n\n\ndef test_check():\n    check()\n";
    let helpers = "from m import f\n\n\ndef check():\n    assert f() == 1\n";
    let rest = [("tests/__init__.py", ""), ("tests/helpers.py", helpers), ("tests/test_a.py", test)];
    assert_eq!(edit(&rest, "m.py", m, "def f():\n    return 2\n"), ["test_check"]);
}

// Docstrings.

/// What is chosen where the docstring of `app.py` ends otherwise, and something else that no test uses changes.
#[track_caller]
fn documented(rest: &[(&str, &str)], before: &str) -> Vec<String> {
    let rest = with(&files(rest), "app.py", before);
    let after = with(&rest, "app.py", &before.replace("hello.\"", "it.\""));
    chosen(&with(&rest, "lone.py", "X = 1\n"), &with(&after, "lone.py", "X = 2\n"))
}

#[test]
fn a_docstring_reaches_by_file_where_something_may_read_it() {
    let help = "from app import hello\nfrom click.testing import CliRunner\n\n\ndef test_help():\n    assert 'hello' in CliRunner().invoke(hello, ['--help']).output\n";
    let rest = [("tests/test_help.py", help)];
    for before in [
        "import click\n\n\n@click.command()\ndef hello():\n    \"\"\"Say hello.\"\"\"\n",
        "import argparse\n\n\ndef hello():\n    \"\"\"Say hello.\"\"\"\n    return argparse.ArgumentParser(description=hello.__doc__)\n",
        "\"\"\"Say hello.\"\"\"\nimport argparse\n\n\ndef hello():\n    return argparse.ArgumentParser(description=__doc__)\n",
        "from pydantic import BaseModel\n\n\nclass hello(BaseModel):\n    \"\"\"Say hello.\"\"\"\n",
        // With the body, too.
        "import click\n\n\n@click.command()\ndef hello():\n    \"\"\"Say hello.\"\"\"\n    return 'hello.'\n",
    ] {
        assert_eq!(documented(&rest, before), ["test_help"], "{before}");
    }
    // Another file asks for it.
    let asks = "import app\n\n\ndef test_help():\n    assert 'hello' in app.hello.__doc__\n";
    let before = "def hello():\n    \"\"\"Say hello.\"\"\"\n    return 1\n";
    assert_eq!(documented(&[("tests/test_help.py", asks)], before), ["test_help"]);
    // Nothing reads it.
    let uses = "from app import hello\n\n\ndef test_hello():\n    assert hello() == 1\n";
    assert!(documented(&[("tests/test_hello.py", uses)], before).is_empty());
}

// Fixtures.

#[test]
fn fixtures_that_a_star_brings_are_offered_to_all_below() {
    let fx = "import pytest\n\n\n@pytest.fixture\ndef box():\n    return 1\n";
    let b = "from tests.fx import box\n\n\ndef test_b(box):\n    assert box == 1\n";
    for conftest in ["from tests.fx import *\n", "from tests.mid import *\n", "from tests.named import *\n"] {
        let rest = [
            ("tests/__init__.py", ""),
            ("tests/mid.py", "from tests.fx import *\n"),
            ("tests/named.py", "from tests.fx import box\n"),
            ("tests/conftest.py", conftest),
            ("tests/test_a.py", "def test_a(box):\n    assert box == 1\n"),
            ("tests/test_b.py", b),
        ];
        assert_eq!(
            edit(&rest, "tests/fx.py", fx, &fx.replace("return 1", "return 2")),
            ["test_a", "test_b"],
            "{conftest}"
        );
    }
    // What `__all__` leaves out is not brought.
    let rest = [
        ("tests/__init__.py", ""),
        ("tests/conftest.py", "from tests.fx import *\n"),
        ("tests/test_a.py", "def test_a(box):\n    assert box == 1\n"),
        ("tests/test_b.py", b),
    ];
    let hidden = format!("__all__ = []\n{fx}");
    assert_eq!(edit(&rest, "tests/fx.py", &hidden, &hidden.replace("return 1", "return 2")), ["test_b"]);
}

#[test]
fn a_fixture_that_is_imported_keeps_its_name_and_a_plugin_offers_what_it_imports() {
    let fx = "import pytest\n\n\n@pytest.fixture(name='box')\ndef made():\n    return 1\n";
    let test = "def test_a(box):\n    assert box == 1\n";
    let changed = fx.replace("return 1", "return 2");
    let conftest = "from fx import made\n";
    assert_eq!(edit(&[("tests/conftest.py", conftest), ("tests/test_a.py", test)], "fx.py", fx, &changed), ["test_a"]);
    let rest = [
        ("plug.py", "from fx import made\n"),
        ("tests/conftest.py", "pytest_plugins = ['plug']\n"),
        ("tests/test_a.py", test),
    ];
    assert_eq!(edit(&rest, "fx.py", fx, &changed), ["test_a"]);
}
