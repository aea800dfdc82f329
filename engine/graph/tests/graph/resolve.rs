//! One claim a form of reference.

use grace_graph::code::EdgeKind::{Calls, Imports, Inherits, References};
use grace_graph::code::Evidence::{Call, Fixture, Guess, Import, String};
use grace_graph::graph::{Direction, UnresolvedKind};

use crate::support::{assert_edge, assert_no_edge, edges, graph, part};

#[test]
fn an_absolute_import_reaches_the_module_and_every_package_above_it() {
    let graph =
        graph(&[("a/__init__.py", ""), ("a/b/__init__.py", ""), ("a/b/c.py", ""), ("main.py", "import a.b.c\n")]);
    assert_eq!(edges(&graph, "main"), ["imports a import", "imports a.b import", "imports a.b.c import"]);
}

#[test]
fn a_from_import_reaches_the_module_and_the_symbol() {
    let graph =
        graph(&[("m.py", "def f(): pass\nclass C: pass\n"), ("main.py", "from m import f, C as D\nf()\nD()\n")]);
    assert_edge(&graph, "main", Imports, "m", Import);
    assert_edge(&graph, "main", Imports, "m.f", Import);
    assert_edge(&graph, "main", Imports, "m.C", Import);
    assert_edge(&graph, "main", Calls, "m.f", Call);
    assert_edge(&graph, "main", Calls, "m.C", Call);
}

#[test]
fn a_re_export_leads_to_the_definition_and_keeps_the_package_body_on_the_way() {
    let graph = graph(&[
        ("p/__init__.py", "from .inner import thing\n"),
        ("p/inner.py", "def thing(): pass\n"),
        ("main.py", "from p import thing\ndef run():\n    thing()\n"),
    ]);
    assert_edge(&graph, "main", Imports, "p", Import);
    assert_edge(&graph, "main", Imports, "p.inner.thing", Import);
    assert_edge(&graph, "p", Imports, "p.inner.thing", Import);
    assert_edge(&graph, "main.run", Calls, "p.inner.thing", Call);
}

#[test]
fn relative_imports_climb_by_their_dots() {
    let graph = graph(&[
        ("p/__init__.py", ""),
        ("p/x.py", "def f(): pass\n"),
        ("p/q/__init__.py", ""),
        ("p/q/y.py", "from .. import x\nfrom ..x import f\nfrom . import z\nx.f()\n"),
        ("p/q/z.py", ""),
    ]);
    assert_edge(&graph, "p.q.y", Imports, "p.x", Import);
    assert_edge(&graph, "p.q.y", Imports, "p.x.f", Import);
    assert_edge(&graph, "p.q.y", Imports, "p.q.z", Import);
    assert_edge(&graph, "p.q.y", Calls, "p.x.f", Call);
}

#[test]
fn a_submodule_comes_before_what_a_package_answers_for_names_that_it_lacks() {
    let graph = graph(&[
        ("p/__init__.py", "from . import z as z\n\ndef __getattr__(name):\n    return name\n"),
        ("p/z.py", "def f(): pass\n"),
        ("p/w.py", "from . import z\nz.f()\n"),
    ]);
    for from in ["p", "p.w"] {
        assert_edge(&graph, from, Imports, "p.z", Import);
    }
    assert_edge(&graph, "p.w", Calls, "p.z.f", Call);
}

#[test]
fn a_package_that_imports_its_own_submodule_leads_to_it() {
    let graph = graph(&[
        ("p/__init__.py", "from . import z\nfrom .y import w\n"),
        ("p/w.py", "def f(): pass\n"),
        ("p/y.py", "from . import w\nw.f()\n"),
        ("p/z.py", "def f(): pass\n"),
        ("main.py", "import p\ndef run():\n    p.z.f()\n"),
    ]);
    assert_edge(&graph, "p", Imports, "p.z", Import);
    assert_edge(&graph, "main.run", Calls, "p.z.f", Call);
    // Each module of the circle gives the name to the other; what is there is the submodule.
    assert_edge(&graph, "p", Imports, "p.w", Import);
    assert_edge(&graph, "p.y", Calls, "p.w.f", Call);
}

#[test]
fn a_star_import_gives_public_names_or_those_of_all() {
    let graph = graph(&[
        ("m.py", "def f(): pass\ndef _g(): pass\n"),
        ("n.py", "__all__ = ['h']\ndef h(): pass\ndef i(): pass\n"),
        ("main.py", "from m import *\nfrom n import *\nf()\n_g()\nh()\ni()\n"),
    ]);
    assert_edge(&graph, "main", Calls, "m.f", Call);
    assert_edge(&graph, "main", Calls, "n.h", Call);
    assert_no_edge(&graph, "main", "m._g");
    assert_no_edge(&graph, "main", "n.i");
}

#[test]
fn an_import_inside_a_function_belongs_to_the_function() {
    let graph = graph(&[("m.py", "def f(): pass\n"), ("main.py", "def run():\n    from m import f\n    f()\n")]);
    assert_edge(&graph, "main.run", Imports, "m", Import);
    assert_edge(&graph, "main.run", Calls, "m.f", Call);
    assert_no_edge(&graph, "main", "m");
}

#[test]
fn an_import_for_type_checkers_is_marked() {
    let graph = graph(&[
        ("m.py", "class C: pass\n"),
        ("main.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import m\nelse:\n    m = None\n"),
    ]);
    assert_eq!(edges(&graph, "main"), ["imports m import type_only"]);
}

#[test]
fn import_module_of_a_literal_is_an_import_known_by_a_string() {
    let graph = graph(&[
        ("p/__init__.py", ""),
        ("p/m.py", ""),
        ("main.py", "import importlib\nimportlib.import_module('p.m')\n"),
    ]);
    assert_edge(&graph, "main", Imports, "p.m", String);
}

#[test]
fn a_computed_import_is_counted_as_unresolved() {
    let graph = graph(&[("main.py", "import importlib\ndef load(name):\n    return importlib.import_module(name)\n")]);
    let unresolved: Vec<_> = graph.unresolved().collect();
    assert_eq!(unresolved.len(), 1);
    assert_eq!((unresolved[0].part, unresolved[0].kind), (part(&graph, "main.load"), UnresolvedKind::Computed));
}

#[test]
fn imports_that_lead_nowhere_are_listed_by_kind_and_the_standard_library_is_not() {
    let graph = graph(&[
        ("p/__init__.py", ""),
        ("p/m.py", "import os\nimport requests\nfrom . import gone\nfrom .lost import x\nimport p.none\n"),
        ("q.py", "try:\n    import ujson\nexcept ImportError:\n    ujson = None\nfrom p.m import nothing\n"),
    ]);
    let listed: Vec<_> = graph.unresolved().map(|each| (&*each.name, each.kind, each.excused)).collect();
    assert_eq!(
        listed,
        [
            ("requests", UnresolvedKind::External, false),
            (".:gone", UnresolvedKind::Name, false),
            (".lost", UnresolvedKind::RelativeModule, false),
            ("p.none", UnresolvedKind::OwnModule, false),
            ("ujson", UnresolvedKind::External, true),
            ("p.m:nothing", UnresolvedKind::Name, false),
        ]
    );
}

#[test]
fn a_method_of_self_is_found_along_the_bases_and_overrides_are_possible() {
    let graph = graph(&[
        ("base.py", "class Base:\n    def run(self):\n        self.step()\n    def step(self): pass\n"),
        (
            "sub.py",
            "from base import Base\nclass Sub(Base):\n    def step(self):\n        super().step()\n    def go(self):\n        self.run()\n",
        ),
    ]);
    assert_edge(&graph, "sub.Sub", Inherits, "base.Base", Call);
    assert_edge(&graph, "base.Base.run", Calls, "base.Base.step", Call);
    assert_edge(&graph, "base.Base.run", Calls, "sub.Sub.step", Guess);
    assert_edge(&graph, "sub.Sub.step", Calls, "base.Base.step", Call);
    assert_edge(&graph, "sub.Sub.go", Calls, "base.Base.run", Call);
}

#[test]
fn who_is_below_a_class_that_keeps_classes_is_told() {
    let graph = graph(&[
        (
            "kept.py",
            "ALL = []\n\n\nclass Keeper:\n    def __init_subclass__(cls):\n        ALL.append(cls)\n\n\nclass Plain:\n    pass\n",
        ),
        (
            "below.py",
            "from kept import Keeper, Plain\n\n\nclass One(Keeper):\n    pass\n\n\nclass Two(Plain, One):\n    pass\n\n\nclass Other(Plain):\n    pass\n",
        ),
        // Both a class that keeps others and what is named like the method that does.
        ("odd.py", "class __init_subclass__(metaclass=M):\n    pass\n\n\nclass Of(__init_subclass__):\n    pass\n"),
        // Each inherits from the other: wrong, and no reason to walk for ever.
        ("round.py", "class A(B):\n    pass\n\n\nclass B(A):\n    pass\n"),
    ]);
    let kept = |name: &str| graph.is_below_keeper(part(&graph, name));
    assert_eq!(["kept.Keeper", "below.One", "below.Two", "odd.__init_subclass__", "odd.Of"].map(kept), [true; 5]);
    assert_eq!(["kept.Plain", "below.Other", "round.A", "round.B"].map(kept), [false; 4]);
}

#[test]
fn constructing_a_class_runs_its_constructor_or_an_inherited_one() {
    let graph =
        graph(&[("m.py", "class A:\n    def __init__(self): pass\nclass B(A): pass\ndef make():\n    return B()\n")]);
    assert_edge(&graph, "m.make", Calls, "m.B", Call);
    assert_edge(&graph, "m.make", Calls, "m.A.__init__", Call);
}

#[test]
fn a_variable_with_a_known_class_resolves_its_methods() {
    let graph = graph(&[
        ("m.py", "class A:\n    def run(self): pass\n"),
        (
            "use.py",
            "from m import A\nimport m\n\ndef constructed():\n    a = A()\n    a.run()\n\ndef annotated(a: 'A | None'):\n    a.run()\n\
             \ndef direct():\n    m.A().run()\n\nclass Holder:\n    def __init__(self, a: A):\n        self.a = a\n    def go(self):\n        self.a.run()\n\
             \ndef make() -> A: ...\n\ndef returned():\n    make().run()\n",
        ),
    ]);
    for from in ["constructed", "annotated", "direct", "Holder.go", "returned"] {
        assert_edge(&graph, &format!("use.{from}"), Calls, "m.A.run", Call);
    }
}

#[test]
fn a_call_on_an_unknown_receiver_is_a_guess_at_few_methods_only() {
    let many: std::string::String = (0..9).map(|n| format!("class M{n}:\n    def common(self): pass\n")).collect();
    let graph = graph(&[
        ("m.py", "class A:\n    def unusual(self): pass\n    def append(self): pass\n"),
        ("many.py", &many),
        ("use.py", "def go(x):\n    x.unusual()\n    x.append(1)\n    x.common()\n"),
    ]);
    assert_eq!(edges(&graph, "use.go"), ["calls m.A.unusual guess"]);
}

#[test]
fn a_call_on_something_external_is_no_guess() {
    let graph = graph(&[
        ("m.py", "class A:\n    def unusual(self): pass\n"),
        ("use.py", "import requests\ndef go():\n    requests.unusual()\n    ''.unusual()\n"),
    ]);
    assert_eq!(edges(&graph, "use.go"), Vec::<std::string::String>::new());
}

#[test]
fn decorators_are_references_and_are_named_through_imports() {
    let graph = graph(&[
        ("deco.py", "def mark(f): return f\n"),
        ("m.py", "from deco import mark\nimport functools as ft\n@mark\n@ft.cache\ndef f(): pass\n"),
    ]);
    assert_edge(&graph, "m.f", References, "deco.mark", Call);
    let names: Vec<&str> = graph.decorators(part(&graph, "m.f")).collect();
    assert_eq!(names, ["deco.mark", "functools.cache"]);
}

#[test]
fn a_nested_function_is_called_by_the_function_around_it() {
    let graph = graph(&[("m.py", "def outer():\n    def inner(): pass\n    return inner()\n")]);
    assert_edge(&graph, "m.outer", Calls, "m.outer.inner", Call);
    assert_eq!(graph.children(part(&graph, "m.outer")).collect::<Vec<_>>(), [part(&graph, "m.outer.inner")]);
}

#[test]
fn a_variable_of_a_module_refers_to_its_body() {
    let graph =
        graph(&[("m.py", "LIMIT = 3\n"), ("use.py", "import m\nOWN = 1\ndef f():\n    return m.LIMIT + OWN\n")]);
    assert_edge(&graph, "use.f", References, "m", Call);
    assert_edge(&graph, "use.f", References, "use", Call);
}

#[test]
fn a_property_is_called_where_it_is_read() {
    let graph = graph(&[(
        "m.py",
        "class A:\n    @property\n    def x(self): pass\n    def go(self):\n        return self.x\n",
    )]);
    assert_edge(&graph, "m.A.go", Calls, "m.A.x", Call);
}

#[test]
fn a_fixture_is_the_nearest_one_of_its_name() {
    let graph = graph(&[
        (
            "tests/conftest.py",
            "import pytest\n@pytest.fixture\ndef db(): pass\n@pytest.fixture(autouse=True)\ndef always(): pass\n",
        ),
        ("tests/unit/conftest.py", "import pytest\n@pytest.fixture\ndef db(db): pass\n"),
        ("tests/unit/test_a.py", "def test_one(db): pass\n"),
        ("tests/test_b.py", "def test_two(db): pass\n"),
    ]);
    assert_edge(&graph, "tests.unit.test_a.test_one", Calls, "tests.unit.conftest.db", Fixture);
    assert_no_edge(&graph, "tests.unit.test_a.test_one", "tests.conftest.db");
    assert_edge(&graph, "tests.unit.test_a.test_one", Calls, "tests.conftest.always", Fixture);
    assert_edge(&graph, "tests.unit.conftest.db", Calls, "tests.conftest.db", Fixture);
    assert_edge(&graph, "tests.test_b.test_two", Calls, "tests.conftest.db", Fixture);
}

#[test]
fn tests_are_those_that_pytest_and_unittest_collect() {
    let graph = graph(&[
        (
            "test_a.py",
            "import pytest\n@pytest.fixture(scope='module')\ndef test_data(): pass\ndef test_one(): pass\ndef helper(): pass\nclass TestX:\n    def test_two(self): pass\nclass Other:\n    def test_no(self): pass\n",
        ),
        (
            "case.py",
            "import unittest\nclass Base(unittest.TestCase): pass\nclass Real(Base):\n    def test_three(self): pass\ndef test_not(): pass\n",
        ),
    ]);
    let tests = graph.part_ids().filter(|part| graph.part(*part).is_test);
    let tests: Vec<&str> = tests.map(|part| graph.local_name(part)).collect();
    assert_eq!(tests, ["Real.test_three", "test_one", "TestX.test_two"]);
    assert!(graph.files().iter().all(|file| file.is_test));
}

#[test]
fn strings_name_files_modules_and_models() {
    let graph = graph(&[
        ("config/app.yaml", ""),
        ("p/__init__.py", ""),
        ("p/m.py", "class C:\n    def go(self): pass\n"),
        ("use.py", "def f():\n    open('config/app.yaml')\n    patch('p.m.C.go')\n    return 'Mistral:7b'\n"),
    ]);
    assert_edge(&graph, "use.f", References, "config/app.yaml", String);
    assert_edge(&graph, "use.f", References, "p.m.C.go", String);
    let named: Vec<_> = graph.models().naming("mistral:7b").map(|(part, _)| part).collect();
    assert_eq!(named, [part(&graph, "use.f")]);
}

#[test]
fn a_source_layout_and_a_project_below_the_root_are_import_roots() {
    let graph = graph(&[
        ("src/pkg/__init__.py", ""),
        ("src/pkg/a.py", "def f(): pass\n"),
        ("tools/x/pyproject.toml", ""),
        ("tools/x/helper.py", "def g(): pass\n"),
        ("tests/test_a.py", "from pkg.a import f\nfrom helper import g\n"),
    ]);
    assert_edge(&graph, "tests.test_a", Imports, "pkg.a.f", Import);
    assert_edge(&graph, "tests.test_a", Imports, "helper.g", Import);
}

#[test]
fn a_directory_that_only_a_path_hack_makes_a_root_is_a_guess() {
    let graph =
        graph(&[("backend/core/engine.py", "def f(): pass\n"), ("scripts/run.py", "from core.engine import f\n")]);
    assert_edge(&graph, "scripts.run", Imports, "backend.core.engine.f", Guess);
}

#[test]
fn circles_of_imports_and_names_end() {
    let graph = graph(&[
        ("a.py", "from b import *\nfrom b import x\nx()\n"),
        ("b.py", "from a import *\nfrom a import x\nx = x\ny = z\nz = y\ny.go()\n"),
        ("c.py", "class A(B): pass\nclass B(A): pass\nclass C(C): pass\nA().f()\n"),
    ]);
    assert_edge(&graph, "a", Imports, "b", Import);
    assert_eq!(graph.import_cycles().len(), 1);
}

#[test]
fn reach_stops_at_the_distance_and_leaves_out_guesses_when_asked() {
    let graph = graph(&[(
        "m.py",
        "class K:\n    def odd(self): pass\ndef a():\n    b()\ndef b():\n    c()\ndef c(x):\n    x.odd()\n",
    )]);
    let mut start = graph.empty_set();
    start.insert(part(&graph, "m.a").0 as usize);
    let names = |distance, certain| -> Vec<&str> {
        graph
            .reach(&start, &[Calls], Direction::Forward, distance, certain)
            .ones()
            .map(|at| graph.local_name(grace_graph::code::PartId(at as u32)))
            .collect()
    };
    assert_eq!(names(Some(1), false), ["a", "b"]);
    assert_eq!(names(None, true), ["a", "b", "c"]);
    assert_eq!(names(None, false), ["K.odd", "a", "b", "c"]);
    let way = graph.path(&start, part(&graph, "m.K.odd"), &[Calls], Direction::Forward, None, false).unwrap();
    let ends: Vec<&str> = way.iter().map(|edge| graph.local_name(edge.to)).collect();
    assert_eq!(ends, ["b", "c", "K.odd"]);
    assert!(graph.path(&start, part(&graph, "m.K.odd"), &[Calls], Direction::Forward, None, true).is_none());
    // The nearest of several goals.
    let mut goals = graph.empty_set();
    let first = way[0].to;
    goals.insert(part(&graph, "m.K.odd").0 as usize);
    goals.insert(first.0 as usize);
    let nearest = graph.path_to_any(&start, &goals, &[Calls], Direction::Forward, None, false).unwrap();
    assert_eq!(nearest.last().map(|edge| edge.to), Some(first));
    assert_eq!(graph.path_to_any(&goals, &goals, &[Calls], Direction::Forward, None, false), Some(Vec::new()));
    assert!(graph.path_to_any(&start, &graph.empty_set(), &[Calls], Direction::Forward, None, false).is_none());
    assert!(graph.path(&start, part(&graph, "m.K.odd"), &[Calls], Direction::Forward, Some(2), false).is_none());
}

#[test]
fn keys_find_their_parts_again() {
    let graph =
        graph(&[("m.py", "def f(): pass\ndef f(): pass\nclass C:\n    def f(self): pass\n"), ("notes.txt", "")]);
    for part in graph.part_ids() {
        assert_eq!(graph.find(&graph.key(part)), Some(part));
    }
}

#[test]
fn the_order_of_the_files_does_not_matter() {
    let files = [("b.py", "from a import f\nf()\n"), ("a.py", "def f(): pass\n"), ("c/d.py", "import b\n")];
    let mut turned = files;
    turned.reverse();
    let (one, other) = (graph(&files), graph(&turned));
    assert_eq!(crate::support::parts(&one), crate::support::parts(&other));
    assert!(one.edges().eq(other.edges()));
}

#[test]
fn a_name_missing_from_a_directory_of_modules_may_be_an_installed_package() {
    let graph = graph(&[("alembic/env.py", "from alembic import op\nfrom alembic import env\n")]);
    let listed: Vec<_> = graph.unresolved().map(|each| (&*each.name, each.kind)).collect();
    assert_eq!(listed, [("alembic:op", UnresolvedKind::External)]);
}

#[test]
fn long_chains_of_names_end_without_overflowing_the_stack() {
    let mut files: Vec<(std::string::String, std::string::String)> =
        (0..600).map(|n| (format!("m{n}.py"), format!("from m{} import x\nx()\n", n + 1))).collect();
    files.push(("m600.py".into(), "def x(): pass\n".into()));
    let aliases: std::string::String = (0..3_000).map(|n| format!("a{n} = a{}\n", n + 1)).collect();
    files.push(("aliases.py".into(), format!("{aliases}a0.go()\n")));
    let classes: std::string::String = (0..3_000).map(|n| format!("class C{n}(C{}.Inner): pass\n", n + 1)).collect();
    files.push(("classes.py".into(), format!("{classes}C0().go()\n")));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    let graph = graph(&files);
    assert_edge(&graph, "m590", Calls, "m600.x", Call);
}

#[test]
fn files_below_a_directory_are_those_whose_path_begins_with_it() {
    let paths = ["a-b/x.py", "a.py", "a/b.py", "a/b/c.py", "a0/d.py", "ab/e.py", "z.py"];
    let graph = graph(&paths.map(|path| (path, "")));
    let below = |directory: &str| {
        graph.files_below(directory).map(|file| graph.file(file).path.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(below("a"), ["a/b.py", "a/b/c.py"]);
    assert_eq!(below("a/b"), ["a/b/c.py"]);
    assert_eq!(below(""), paths);
    assert!(below("none").is_empty());
}

/// What `getattr` in `main.run` may call, of a class with the methods `start`, `stop`, `do_it` and `other`.
#[track_caller]
fn asked(body: &str) -> Vec<std::string::String> {
    let main = format!("from m import C\ndef run(k, on, *more):\n{body}\n");
    let methods = "class C:\n    def start(self): pass\n    def stop(self): pass\n    def do_it(self): pass\n    def other(self): pass\n";
    let graph = graph(&[("m.py", methods), ("main.py", &main)]);
    let calls = edges(&graph, "main.run").into_iter();
    calls.filter_map(|edge| Some(edge.strip_prefix("calls m.C.")?.split(' ').next()?.to_owned())).collect()
}

#[test]
fn a_computed_name_is_followed_by_what_it_surely_begins_with_and_else_may_be_any() {
    let any = ["do_it", "other", "start", "stop"];
    for expression in ["'do_' + k", "f'do_{k}'", "'do_%s' % k", "'do_{}'.format(k)", "('do_' + k)", "'d' 'o_' + k"] {
        assert_eq!(asked(&format!("    getattr(C, {expression})()")), ["do_it"], "{expression}");
        assert_eq!(asked(&format!("    n = {expression}\n    getattr(C, n)()")), ["do_it"], "{expression}");
    }
    assert_eq!(asked("    getattr(C, 'start' if on else 'stop')()"), ["start", "stop"]);
    assert_eq!(asked("    n = 'start' if on else 'stop'\n    getattr(C, n)()"), ["start", "stop"]);
    for expression in ["'do_'.join(more)", "'DO_'.lower() + k", "'do_' + k if on else k", "'do_' and k", "'do_'[k:]"] {
        assert_eq!(asked(&format!("    getattr(C, {expression})()")), any, "{expression}");
    }
    for more in ["n = k", "n += k", "for n in more: pass", "n, k = more", "n: str = k"] {
        assert_eq!(asked(&format!("    n = 'do_' + k\n    {more}\n    getattr(C, n)()")), any, "{more}");
        assert_eq!(asked(&format!("    n = 'do_' + k\n    getattr(C, n)()\n    {more}")), any, "{more}");
    }
    assert_eq!(asked("    if on: k = 'do_it'\n    getattr(C, k)()"), any, "a parameter has a value already");
}

#[test]
fn what_asks_for_one_of_too_many_hangs_on_the_whole_tree_each_time() {
    let many = (0..257).map(|n| format!("def f{n}(): pass\n")).collect::<std::string::String>();
    let classes =
        (0..257).map(|n| format!("class C{n}(Base):\n    def go(self): pass\n")).collect::<std::string::String>();
    let classes = format!("class Base: pass\n{classes}");
    let ask = "def f(name): getattr(many, name)()\ndef g(name): getattr(many, name)()\ndef h(name): getattr(Base(), f'go{name}')()\n";
    let main = format!("import many\nfrom classes import Base\n{ask}");
    let graph = graph(&[("many.py", &many), ("classes.py", &classes), ("main.py", &main)]);
    let hanging: Vec<_> = graph.dependents_of("").iter().map(|one| one.part).collect();
    for name in ["main.f", "main.g", "main.h"] {
        assert!(hanging.contains(&part(&graph, name)), "{name}: {hanging:?}");
    }
}
