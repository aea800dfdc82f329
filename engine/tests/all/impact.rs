//! Which tests a change reaches: one claim a way by which Python code hangs together, and why a bundle is not narrowed.

use grace_engine::What;
use grace_engine::plan::{BundlePlan, WideningCause};

use crate::support::{Bench, Files, files, narrowing, narrowing_of, with, without};

fn bundle(before: &Files, after: &Files) -> BundlePlan {
    let mut bench = Bench::new();
    bench.set(before, after, &narrowing());
    bench.engine.plan().bundles.into_iter().next().expect("the change touches something")
}

/// The functions of the tests that are chosen, and of the files that are run whole; nothing may be widened.
#[track_caller]
pub(crate) fn chosen(before: &Files, after: &Files) -> Vec<String> {
    let bundle = bundle(before, after);
    assert_eq!(bundle.widened, [], "{:#?}", bundle.selected);
    let name = |id: &String| id.rsplit("::").next().unwrap_or(id).to_owned();
    bundle.selected.iter().chain(&bundle.whole).map(name).collect()
}

/// What an edit chooses: the file before and after it, beside the rest.
#[track_caller]
pub(crate) fn edit(rest: &[(&str, &str)], path: &str, before: &str, after: &str) -> Vec<String> {
    let rest = files(rest);
    chosen(&with(&rest, path, before), &with(&rest, path, after))
}

/// Why all tests run after an edit of a file.
#[track_caller]
fn causes(rest: &[(&str, &str)], path: &str, before: &str, after: &str) -> Vec<(WideningCause, String)> {
    let rest = files(rest);
    let bundle = bundle(&with(&rest, path, before), &with(&rest, path, after));
    assert_eq!(bundle.selected, *bundle.tests);
    bundle.widened.into_iter().map(|one| (one.cause, one.what)).collect()
}

/// A test of another module, which nothing here reaches.
const OTHER: (&str, &str) = ("tests/test_other.py", "import other\n\n\ndef test_other():\n    assert other.o() == 1\n");
const OTHER_MODULE: (&str, &str) = ("other.py", "def o():\n    return 1\n");

// Kinds of change.

#[test]
fn a_body_reaches_who_calls_it_and_anything_else_reaches_who_imports_the_file() {
    let tests = "from m import f, g\n\n\ndef test_f():\n    assert f() == 1\n\n\ndef test_g():\n    assert g() == 2\n";
    let rest = [("tests/test_m.py", tests), OTHER, OTHER_MODULE];
    let before = "def f():\n    return 1\n\n\ndef g():\n    return 2\n";
    assert_eq!(edit(&rest, "m.py", before, "def f():\n    return 0 + 1\n\n\ndef g():\n    return 2\n"), ["test_f"]);
    for after in [
        // Signature, decorator, a new function, a statement of the module.
        "def f(a=1):\n    return 1\n\n\ndef g():\n    return 2\n",
        "@str\ndef f():\n    return 1\n\n\ndef g():\n    return 2\n",
        "def f():\n    return 1\n\n\ndef g():\n    return 2\n\n\ndef h():\n    return 3\n",
        "def f():\n    return 1\n\n\ndef g():\n    return 2\n\n\nf = g\n",
    ] {
        assert_eq!(edit(&rest, "m.py", before, after), ["test_f", "test_g"], "{after}");
    }
    let comment = "# why\ndef f():\n    return 1\n\n\ndef g():\n    return 2\n";
    let mut bench = Bench::new();
    let all = files(&rest);
    bench.set(&with(&all, "m.py", before), &with(&all, "m.py", comment), &narrowing());
    assert!(bench.engine.plan().bundles.is_empty(), "a comment reaches nothing");
}

#[test]
fn a_new_override_reaches_who_imports_its_file() {
    let rest = [
        (
            "base.py",
            "class Base:\n    def go(self):\n        return self.step()\n\n    def step(self):\n        return 1\n",
        ),
        ("tests/test_sub.py", "from sub import Sub\n\n\ndef test_sub():\n    assert Sub().go() == 1\n"),
        OTHER,
        OTHER_MODULE,
    ];
    let before = "from base import Base\n\n\nclass Sub(Base):\n    x = 1\n";
    let after = "from base import Base\n\n\nclass Sub(Base):\n    x = 1\n\n    def step(self):\n        return 2\n";
    assert_eq!(edit(&rest, "sub.py", before, after), ["test_sub"]);
}

// Packages.

#[test]
fn a_re_export_leads_to_the_symbol_and_import_time_code_goes_through_the_package() {
    let rest = [
        ("p/__init__.py", "from .inner import thing\nfrom .far import far\n"),
        ("p/far.py", "def far():\n    return 1\n"),
        (
            "tests/test_p.py",
            "from p import thing, far\n\n\ndef test_thing():\n    assert thing()\n\n\ndef test_far():\n    assert far()\n",
        ),
        OTHER,
        OTHER_MODULE,
    ];
    let before = "def thing():\n    return 1\n";
    assert_eq!(edit(&rest, "p/inner.py", before, "def thing():\n    return 2\n"), ["test_thing"]);
    let constant = "LIMIT = 3\n\n\ndef thing():\n    return 1\n";
    assert_eq!(edit(&rest, "p/inner.py", before, constant), ["test_far", "test_thing"]);
}

#[test]
fn an_ancestor_of_what_is_imported_is_imported_too() {
    let rest = [
        ("a/b/__init__.py", ""),
        ("a/b/c.py", "def c():\n    return 1\n"),
        ("tests/test_c.py", "import a.b.c\n\n\ndef test_c():\n    assert a.b.c.c()\n"),
        OTHER,
        OTHER_MODULE,
    ];
    assert_eq!(edit(&rest, "a/__init__.py", "X = 1\n", "X = 2\n"), ["test_c"]);
}

#[test]
fn a_function_that_runs_at_import_reaches_by_file() {
    let rest = [
        ("m.py", "from h import make\n\nTABLE = make()\n\n\ndef look():\n    return TABLE\n"),
        ("tests/test_m.py", "import m\n\n\ndef test_m():\n    assert m.look()\n"),
        OTHER,
        OTHER_MODULE,
    ];
    assert_eq!(edit(&rest, "h.py", "def make():\n    return 1\n", "def make():\n    return 2\n"), ["test_m"]);
}

#[test]
fn a_module_that_answers_for_names_it_lacks_hangs_on_its_package() {
    let lazy = "import importlib\n\n_NAMES = {'make': '.inner'}\n\n\ndef __getattr__(name):\n    return getattr(importlib.import_module(_NAMES[name], __name__), name)\n";
    let rest = [
        ("p/__init__.py", lazy),
        ("tests/test_p.py", "import p\n\n\ndef test_thing():\n    assert p.make() == 1\n"),
        OTHER,
        OTHER_MODULE,
    ];
    let before = "def make():\n    return 1\n";
    assert_eq!(edit(&rest, "p/inner.py", before, "def make():\n    return 2\n"), ["test_thing"]);
}

#[test]
fn a_module_below_a_root_that_settings_or_code_add_is_reached() {
    let test = ("tests/test_m.py", "import mymod\n\n\ndef test_m():\n    assert mymod.f() == 1\n");
    let rest = [test, OTHER, OTHER_MODULE];
    let (before, after) = ("def f():\n    return 1\n", "def f():\n    return 2\n");
    for path in ["lib/mymod.py", "lib/mymod/__init__.py", "src/deep/mymod.py"] {
        assert_eq!(edit(&rest, path, before, after), ["test_m"], "{path}");
    }
    // The folder may be a package, too, to others.
    let with_init = [&rest[..], &[("lib/__init__.py", "")]].concat();
    assert_eq!(edit(&with_init, "lib/mymod.py", before, after), ["test_m"]);
    // Of several that it may be each counts, whatever name of it is used, and so does what it uses itself.
    let from = ("tests/test_m.py", "from x.y import f\n\n\ndef test_m():\n    assert f() == 1\n");
    let user = ("tests/test_n.py", "from services.b.lib.x.y import f\n\n\ndef test_n():\n    assert f() == 1\n");
    let twice = [from, user, ("services/a/lib/x/y.py", "def f():\n    return 1\n"), OTHER, OTHER_MODULE];
    assert_eq!(edit(&twice, "services/b/lib/x/y.py", before, after), ["test_m", "test_n"]);
    // And very many are any.
    let mut many: Vec<(String, String)> =
        (0..9).map(|number| (format!("s/a{number}/x/y.py"), "from deep import g\n".to_owned())).collect();
    many.extend([from, OTHER, OTHER_MODULE].map(|(path, text)| (path.to_owned(), text.to_owned())));
    let many: Vec<(&str, &str)> = many.iter().map(|(path, text)| (&**path, &**text)).collect();
    assert!(edit(&many, "s/deep.py", before, after).contains(&"test_m".to_owned()));
    // What Python has is not looked for.
    let standard = [("tests/test_m.py", "import json\n\n\ndef test_m():\n    assert json\n"), OTHER, OTHER_MODULE];
    assert_eq!(edit(&standard, "lib/json.py", before, after), [""; 0]);
}

// Registries and dispatch.

#[test]
fn what_a_decorator_registers_is_reached_by_file() {
    let registry = "HANDLERS = {}\n\n\ndef register(name):\n    def keep(function):\n        HANDLERS[name] = function\n        return function\n    return keep\n\n\ndef run(name):\n    return HANDLERS[name]()\n";
    let plugin = "from registry import register\n\n\n@register('a')\ndef handle():\n    return 1\n";
    let test = "import plugin\nfrom registry import run\n\n\ndef test_a():\n    assert plugin and run('a') == 1\n";
    let rest = [("registry.py", registry), ("tests/test_a.py", test), OTHER, OTHER_MODULE];
    assert_eq!(edit(&rest, "plugin.py", plugin, &plugin.replace("return 1", "return 2")), ["test_a"]);
    // The registrar reaches what it registers.
    let rest = [
        ("plugin.py", plugin),
        ("tests/test_a.py", "import plugin\n\n\ndef test_a():\n    assert plugin\n"),
        OTHER,
        OTHER_MODULE,
    ];
    assert_eq!(
        edit(&rest, "registry.py", registry, &registry.replace("HANDLERS[name] =", "HANDLERS[name + 'x'] =")),
        ["test_a"]
    );
}

#[test]
fn what_a_base_class_registers_is_reached_and_so_is_the_registering() {
    let base = "class Base:\n    known = {}\n\n    def __init_subclass__(cls):\n        Base.known[cls.__name__] = cls\n\n\ndef make(name):\n    return Base.known[name]()\n";
    let sub = "from base import Base\n\n\nclass Sub(Base):\n    def render(self):\n        return 1\n";
    let test =
        "import sub\nfrom base import make\n\n\ndef test_made():\n    assert sub and make('Sub').render() == 1\n";
    let rest = [("base.py", base), ("tests/test_made.py", test), OTHER, OTHER_MODULE];
    assert_eq!(edit(&rest, "sub.py", sub, &sub.replace("return 1", "return 2")), ["test_made"]);
    let rest = [("sub.py", sub), ("tests/test_made.py", test), OTHER, OTHER_MODULE];
    assert_eq!(edit(&rest, "base.py", base, &base.replace("[cls.__name__]", "['x' + cls.__name__]")), ["test_made"]);
}

#[test]
fn a_class_may_be_kept_by_what_runs_for_those_below_unless_it_only_looks() {
    let sub = "from base import Base\n\n\nclass Sub(Base):\n    def render(self):\n        return 1\n";
    let made = "import sub\nfrom base import make\n\n\ndef test_made():\n    assert make(str())\n";
    let used = "from sub import Sub\n\n\ndef test_used():\n    assert Sub().render()\n";
    let is_kept = |base: &str| {
        let base = format!("{base}\n\ndef make(name):\n    return KNOWN[name]()\n");
        let rest = [
            ("base.py", base.as_str()),
            ("tests/test_made.py", made),
            ("tests/test_used.py", used),
            OTHER,
            OTHER_MODULE,
        ];
        let chosen = edit(&rest, "sub.py", sub, &sub.replace("return 1", "return 2"));
        assert!(chosen.contains(&"test_used".to_owned()), "{chosen:?}");
        chosen.contains(&"test_made".to_owned())
    };
    let runs = |body: &str| format!("class Base:\n    def __init_subclass__(cls, **kwargs):\n{body}");
    for body in [
        "        KNOWN[cls.__name__] = cls\n",
        "        KNOWN.append(cls)\n",
        "        held = cls\n        KNOWN.append(held)\n",
        "        cls.register()\n",
        "        super().register()\n",
        "        KNOWN.append(lambda: cls)\n",
        "        def later():\n            return cls\n        KNOWN.append(later)\n",
        "        KNOWN.append(__class__)\n",
        "        KNOWN[cls.kind] = cls.render\n",
        "        hook = cls.register\n        hook()\n",
        "        getattr(cls, 'register')()\n",
        "        class Maker:\n            def make(self):\n                return cls()\n        KNOWN.append(Maker)\n",
        "        KNOWN.append(vars()['cls'])\n",
        "        KNOWN.append(locals())\n",
        "        KNOWN.append(f'{cls}')\n",
    ] {
        assert!(is_kept(&runs(body)), "{body}");
    }
    let many = "        hasattr(cls, 'x')\n".repeat(20);
    assert!(is_kept(&runs(&many)));
    assert!(is_kept(&runs("        pass\n").replace("    def __init", "    @there.register\n    def __init")));
    assert!(is_kept("class Base:\n    def __init_subclass__(*all):\n        KNOWN.append(all)\n"));
    for body in [
        "        pass\n",
        "        super().__init_subclass__(**kwargs)\n        cls.name = cls.__name__\n",
        "        if hasattr(cls, 'x') and isinstance(cls, type):\n            cls.x = {base.x for base in cls.__bases__}\n",
    ] {
        assert!(!is_kept(&runs(body)), "{body}");
    }
    assert!(is_kept("class Base(six.with_metaclass(Meta)):\n    pass\n"));
    assert!(is_kept("class Base:\n    pass\n\n\nKNOWN = {one.__name__: one for one in Base.__subclasses__()}\n"));
    assert!(!is_kept("class Base(collections.namedtuple('Base', 'a b')):\n    pass\n"));
    // A class of classes sees each of them.
    for meta in ["type", "abc.ABCMeta", "there.ModelMeta"] {
        let base = format!(
            "class Meta({meta}):\n    def __init__(cls, *all):\n        KNOWN.append(cls)\n\n\nclass Base(metaclass=Meta):\n    pass\n"
        );
        assert!(is_kept(&base), "{meta}");
    }
    assert!(!is_kept("import abc\n\n\nclass Base(metaclass=abc.ABCMeta):\n    pass\n"));
}

#[test]
fn a_method_is_reached_by_the_beginning_of_its_name() {
    let visitor = |visit: &str| {
        format!(
            "class Visitor:\n    def go(self, node):\n{visit}\n\n    def visit_name(self):\n        return 1\n\n    def other_name(self):\n        return 1\n"
        )
    };
    let test = "from v import Visitor\n\n\ndef test_go():\n    assert Visitor().go('name') == 1\n\n\ndef test_other():\n    assert Visitor().other_name() == 1\n";
    let rest = [("tests/test_v.py", test)];
    for visit in [
        "        return getattr(self, 'visit_' + node)()",
        "        return getattr(self, f'visit_{node}')()",
        "        return getattr(self, 'visit_%s' % node)()",
        "        return getattr(self, 'visit_{}'.format(node))()",
        "        name = 'visit_' + node\n        return getattr(self, name)()",
        "        return getattr(self, 'visit_name')()",
    ] {
        let before = visitor(visit);
        let after = before.replacen("return 1", "return 2", 1);
        assert!(edit(&rest, "v.py", &before, &after).contains(&"test_go".to_owned()), "{visit}");
    }
    // Nothing is known of the name: any attribute.
    let before = visitor("        return getattr(self, node)()");
    assert!(edit(&rest, "v.py", &before, &before.replacen("return 1", "return 2", 1)).contains(&"test_go".to_owned()));
}

#[test]
fn a_method_that_many_classes_have_is_reached_through_who_holds_its_objects() {
    let many: String = (0..9).map(|n| format!("class M{n}:\n    def common(self):\n        return 1\n\n\n")).collect();
    let before = format!(
        "{many}class Own:\n    def common(self):\n        return 1\n\n    def __len__(self):\n        return 1\n\n    @property\n    def size(self):\n        return 1\n"
    );
    let test = "from made import make\n\n\ndef use(x):\n    return x.common() + len(x) + x.size\n\n\ndef test_own():\n    assert use(make())\n";
    let rest = [
        ("made.py", "from m import Own\n\n\ndef make():\n    return Own()\n"),
        ("tests/test_own.py", test),
        OTHER,
        OTHER_MODULE,
    ];
    let start = before.find("class Own").unwrap();
    for (at, _) in before[start..].match_indices("return 1") {
        let at = start + at;
        let after = format!("{}return 2{}", &before[..at], &before[at + "return 1".len()..]);
        assert_eq!(edit(&rest, "m.py", &before, &after), ["test_own"], "{}", &before[at - 40..at]);
    }
}

// Fixtures.

const FIXTURES: &str = "import pytest\n\n\n@pytest.fixture\ndef db():\n    return 1\n";

#[test]
fn a_fixture_reaches_the_tests_for_which_it_is_the_nearest() {
    let rest = [
        ("tests/unit/conftest.py", FIXTURES),
        ("tests/unit/test_near.py", "def test_near(db):\n    assert db\n"),
        ("tests/test_far.py", "def test_far(db):\n    assert db\n\n\ndef test_none():\n    assert 1\n"),
    ];
    assert_eq!(edit(&rest, "tests/conftest.py", FIXTURES, &FIXTURES.replace("return 1", "return 2")), ["test_far"]);
}

#[test]
fn fixtures_are_used_by_marks_by_name_and_by_themselves() {
    let changed = FIXTURES.replace("return 1", "return 2");
    let fixtures = |text: &str| {
        edit(
            &[("tests/test_a.py", text), ("tests/test_b.py", "def test_b():\n    assert 1\n")],
            "tests/conftest.py",
            FIXTURES,
            &changed,
        )
    };
    assert_eq!(
        fixtures("import pytest\n\n\n@pytest.mark.usefixtures('db')\ndef test_a():\n    assert 1\n"),
        ["test_a"]
    );
    assert_eq!(
        fixtures("import pytest\n\npytestmark = pytest.mark.usefixtures('db')\n\n\ndef test_a():\n    assert 1\n"),
        ["test_a"]
    );
    assert_eq!(
        fixtures(
            "import pytest\n\n\n@pytest.mark.usefixtures('db')\nclass TestA:\n    def test_a(self):\n        assert 1\n"
        ),
        ["test_a"]
    );
    assert_eq!(fixtures("def test_a(request):\n    assert request.getfixturevalue('db')\n"), ["test_a"]);
    assert_eq!(
        fixtures("def test_a(request, name='d'):\n    assert request.getfixturevalue(name + 'b')\n"),
        ["test_a"]
    );
    for autouse in ["True", "bool(1)"] {
        let before = FIXTURES.replace("fixture\n", &format!("fixture(autouse={autouse})\n"));
        let rest = [
            ("tests/test_a.py", "def test_a():\n    assert 1\n"),
            ("elsewhere/test_b.py", "def test_b():\n    assert 1\n"),
        ];
        assert_eq!(edit(&rest, "tests/conftest.py", &before, &before.replace("return 1", "return 2")), ["test_a"]);
    }
}

#[test]
fn fixtures_and_hooks_of_plugins_reach_the_tests() {
    let plugin = format!("{FIXTURES}\n\ndef pytest_runtest_setup(item):\n    return 1\n");
    let rest = [
        ("conftest.py", "pytest_plugins = ['support.plugin']\n"),
        ("support/__init__.py", ""),
        ("tests/test_a.py", "def test_a(db):\n    assert db\n\n\ndef test_b():\n    assert 1\n"),
    ];
    let fixture = plugin.replacen("return 1", "return 2", 1);
    assert_eq!(edit(&rest, "support/plugin.py", &plugin, &fixture), ["test_a"]);
    let hook = plugin.replace("(item):\n    return 1", "(item):\n    return 2");
    assert_eq!(edit(&rest, "support/plugin.py", &plugin, &hook), ["test_a", "test_b"]);
}

#[test]
fn what_runs_before_the_tests_of_a_class_or_file_reaches_them() {
    let class = "import unittest\n\n\nclass CaseA(unittest.TestCase):\n    def setUp(self):\n        self.x = 1\n\n    def test_a(self):\n        assert self.x\n\n\ndef test_b():\n    assert 1\n";
    assert_eq!(
        edit(&[OTHER, OTHER_MODULE], "tests/test_a.py", class, &class.replace("self.x = 1", "self.x = 2")),
        ["test_a"]
    );
    let module =
        "def setup_module():\n    return 1\n\n\ndef test_a():\n    assert 1\n\n\ndef test_b():\n    assert 1\n";
    assert_eq!(
        edit(&[OTHER, OTHER_MODULE], "tests/test_a.py", module, &module.replace("return 1", "return 2")),
        ["test_a", "test_b"]
    );
}

#[test]
fn a_conftest_reaches_every_test_below_it() {
    let rest = [
        ("tests/test_a.py", "def test_a():\n    assert 1\n"),
        ("elsewhere/test_b.py", "def test_b():\n    assert 1\n"),
    ];
    assert_eq!(edit(&rest, "tests/conftest.py", "X = 1\n", "X = 2\n"), ["test_a"]);
}

// Strings.

#[test]
fn strings_that_name_modules_and_their_members_reach() {
    let before = "class C:\n    def go(self):\n        return 1\n";
    for text in [
        "import importlib\n\n\ndef test_m():\n    assert importlib.import_module('p.m')\n",
        "from unittest import mock\n\n\ndef test_m():\n    with mock.patch('p.m.C.go'):\n        pass\n",
        "def test_m(monkeypatch):\n    monkeypatch.setattr('p.m.C.go', None)\n",
        "PLACES = ['p.m.C']\n\n\ndef test_m():\n    assert PLACES\n",
    ] {
        let rest = [("p/__init__.py", ""), ("tests/test_m.py", text), OTHER, OTHER_MODULE];
        assert_eq!(
            edit(&rest, "p/m.py", before, "class C:\n    def go(self, a=1):\n        return 1\n"),
            ["test_m"],
            "{text}"
        );
    }
}

#[test]
fn a_test_that_starts_a_process_hangs_on_the_whole_tree() {
    for text in [
        "import subprocess\nimport sys\n\n\ndef test_m():\n    subprocess.run([sys.executable, '-m', 'tool'])\n",
        "from subprocess import run\n\n\ndef test_m():\n    run(['tool', '--help'])\n",
        "import subprocess\n\n\ndef tool(*args):\n    return subprocess.check_output(['tool', *args])\n\n\ndef test_m():\n    assert tool()\n",
        "def test_m(pytester):\n    pytester.runpytest_subprocess()\n",
    ] {
        let rest = [
            ("pyproject.toml", "[project.scripts]\ntool = 'tool.__main__:main'\n"),
            ("tool/__init__.py", ""),
            ("tests/test_m.py", text),
            OTHER,
            OTHER_MODULE,
        ];
        let before = "def main():\n    return 1\n";
        assert_eq!(edit(&rest, "tool/__main__.py", before, "def main():\n    return 2\n"), ["test_m"], "{text}");
    }
}

#[test]
fn a_test_that_imports_by_a_computed_name_hangs_on_the_whole_tree_and_code_on_its_package() {
    let test = "import importlib\nimport pkgutil\nimport p\n\n\ndef test_m():\n    for one in pkgutil.iter_modules(p.__path__):\n        importlib.import_module(one.name)\n";
    let rest = [("p/__init__.py", ""), ("tests/test_m.py", test), OTHER, OTHER_MODULE];
    assert_eq!(edit(&rest, "p/m.py", "def f():\n    return 1\n", "def f():\n    return 2\n"), ["test_m"]);
    let loader = "import importlib\n\n\ndef load(name):\n    return importlib.import_module('p.plugins.' + name)\n";
    let rest = [
        ("p/__init__.py", ""),
        ("p/loader.py", loader),
        ("p/plugins/__init__.py", ""),
        ("tests/test_m.py", "from p.loader import load\n\n\ndef test_m():\n    assert load('a')\n"),
        OTHER,
        OTHER_MODULE,
    ];
    assert_eq!(edit(&rest, "p/plugins/a.py", "def f():\n    return 1\n", "def f():\n    return 2\n"), ["test_m"]);
}

// Data.

#[test]
fn data_is_reached_by_the_paths_that_name_it_or_its_folder() {
    for text in [
        "def test_d():\n    assert open('data/a.json')\n",
        "from pathlib import Path\n\n\ndef test_d():\n    assert (Path(__file__).parent.parent / 'data' / 'a.json').read_text()\n",
        "import os\n\n\ndef test_d():\n    assert os.path.join(os.path.dirname(__file__), '..', 'data', 'a.json')\n",
        "from pathlib import Path\n\n\ndef test_d():\n    assert list(Path('data').glob('*.json'))\n",
        "from importlib import resources\n\n\ndef test_d():\n    assert resources.files('data')\n",
        "from importlib.resources import files\n\n\ndef test_d(name='a'):\n    assert files('data').joinpath(name + '.json')\n",
    ] {
        let rest = [("data/__init__.py", ""), ("tests/test_d.py", text), OTHER, OTHER_MODULE];
        assert_eq!(edit(&rest, "data/a.json", "1\n", "2\n"), ["test_d"], "{text}");
    }
    let rest = [
        (
            "tests/test_d.py",
            "from pathlib import Path\n\nHERE = Path(__file__).parent\n\n\ndef test_d():\n    assert list(HERE.glob('*.sql'))\n",
        ),
        OTHER,
        OTHER_MODULE,
    ];
    assert_eq!(edit(&rest, "tests/a.sql", "select 1\n", "select 2\n"), ["test_d"]);
}

#[test]
fn a_template_is_reached_by_its_name() {
    let rest = [
        (
            "app/views.py",
            "from web import render_template\n\n\ndef index():\n    return render_template('index.html')\n",
        ),
        ("tests/test_v.py", "from app.views import index\n\n\ndef test_v():\n    assert index()\n"),
        OTHER,
        OTHER_MODULE,
    ];
    assert_eq!(edit(&rest, "app/templates/index.html", "a\n", "b\n"), ["test_v"]);
}

#[test]
fn what_nothing_is_seen_to_use_and_what_says_how_tests_run_widens_and_says_why() {
    let rest = [("tests/test_a.py", "def test_a():\n    assert 1\n"), OTHER, OTHER_MODULE];
    assert_eq!(causes(&rest, "data/x.bin", "1\n", "2\n"), [(WideningCause::UnknownInput, "data/x.bin".to_owned())]);
    for path in ["CODEOWNERS", ".github/CODEOWNERS", "grace/own.grace"] {
        assert_eq!(edit(&rest, path, "# a\n", "# b\n"), [""; 0], "{path}");
    }
    assert_eq!(causes(&rest, "data/a.grace", "# a\n", "# b\n").len(), 1);
    let mut bench = Bench::new();
    let all = files(&rest);
    bench.set(&with(&all, "data/x.bin", "1"), &with(&all, "data/x.bin", "2"), &narrowing());
    let facts = bench.engine.explain(&What::Test("test_a".to_owned())).facts;
    let why = "with all tests of the bundle: data/x.bin is read by no parser, and nothing is seen to use it";
    assert!(facts.contains(&("run".to_owned(), why.to_owned())), "{facts:?}");
    for path in ["pyproject.toml", "tox.ini", "uv.lock", "requirements/dev.txt"] {
        assert_eq!(causes(&rest, path, "a\n", "b\n"), [(WideningCause::GovernsTests, path.to_owned())]);
    }
    assert_eq!(causes(&rest, "m.py", "def f(:\n", "def f(::\n"), [(WideningCause::UnknownChange, "m.py".to_owned())]);
}

#[test]
fn a_graph_that_sees_too_little_widens_and_says_so() {
    let blind = |number: usize| (format!("tests/test_{number}.py"), "def test_x():\n    assert 1\n".to_owned());
    let seeing = |number: usize| {
        let text = format!("import m\n\n\ndef test_{number}():\n    assert m.f()\n");
        (format!("tests/test_{number}.py"), text)
    };
    let tree = |blind_ones: usize, all: usize| -> Files {
        let tests = (0..all).map(|number| if number < blind_ones { blind(number) } else { seeing(number) });
        tests.chain([("m.py".to_owned(), "def f():\n    return 1\n".to_owned())]).collect()
    };
    let widened = |before: &Files| -> Vec<(WideningCause, String)> {
        let bundle = bundle(before, &with(before, "m.py", "def f():\n    return 2\n"));
        assert_eq!(bundle.selected == *bundle.tests, !bundle.widened.is_empty());
        bundle.widened.into_iter().map(|one| (one.cause, one.what)).collect()
    };
    assert_eq!(widened(&tree(7, 12)), [(WideningCause::BlindTests, "7 of 12 test files".to_owned())]);
    assert_eq!(widened(&tree(6, 12)), []);
    // A few test files say nothing.
    assert_eq!(widened(&tree(5, 9)), []);
    let lost: String = (0..30).map(|number| format!("from m import gone_{number}\n")).collect();
    let found: String = (0..90).map(|_| "from m import f\n").collect();
    let lossy = with(&tree(1, 2), "n.py", &format!("{lost}{found}"));
    assert_eq!(widened(&lossy), [(WideningCause::LostImports, "30 of 121 imports".to_owned())]);
}

#[test]
fn who_reads_sources_as_text_is_reached_by_those_that_change_and_not_by_those_that_are_reached() {
    let reads = "from pathlib import Path\n\n\ndef test_read():\n    for p in (Path('tests/data') / 'cases').glob('*.py'):\n        assert p.read_text()\n";
    let tree = [
        ("tool.py", "def fix(x):\n    return x\n"),
        ("tests/test_read.py", reads),
        ("tests/data/cases/a.py", "from tool import fix\n\nx = fix(1)\n"),
        ("tests/test_fix.py", "from tool import fix\n\n\ndef test_fix():\n    assert fix(1)\n"),
        OTHER,
        OTHER_MODULE,
    ];
    let rest = |path: &str| tree.iter().filter(|(own, _)| *own != path).copied().collect::<Vec<_>>();
    let tool = edit(&rest("tool.py"), "tool.py", "def fix(x):\n    return x\n", "def fix(x):\n    return x + 1\n");
    assert_eq!(tool, ["test_fix"]);
    let case = "tests/data/cases/a.py";
    let found = edit(&rest(case), case, "from tool import fix\n\nx = fix(1)\n", "from tool import fix\n\nx = fix(2)\n");
    assert!(found.contains(&"test_read".to_owned()), "{found:?}");
}

#[test]
fn a_source_that_tests_read_is_data_to_them() {
    let reads = "from pathlib import Path\n\nfrom tool import fix\n\n\ndef test_fix():\n    for p in (Path('tests/data') / 'cases').glob('*.py'):\n        assert fix(p)\n";
    let rest = [("tool.py", "def fix(x):\n    return x\n"), ("tests/test_fix.py", reads), OTHER, OTHER_MODULE];
    for path in ["tests/data/cases/a.py", "tests/data/cases/test_a.py", "tests/data/a.ts"] {
        let found = edit(&rest, path, "x = 1\n", "x = 2\n");
        assert!(
            found.contains(&"test_fix".to_owned()) && !found.contains(&"test_other".to_owned()),
            "{path}: {found:?}"
        );
    }
    // One that leans on another one there.
    let with_one = [&rest[..], &[("tests/data/cases/b.py", "import tests.data.cases.a\n")]].concat();
    assert_eq!(edit(&with_one, "tests/data/cases/a.py", "x = 1\n", "x = 2\n"), ["test_fix"]);
    // Read by nobody that is seen: no test is known not to.
    let unread = [OTHER, OTHER_MODULE];
    for (path, before, after) in [
        ("tests/functional/a.py", "def a():\n    return 1\n", "def a():\n    return 2\n"),
        ("testdata/src/a/a.go", "package a\n", "package b\n"),
        ("web/__fixtures__/a.ts", "export const a = 1\n", "export const a = 2\n"),
    ] {
        assert_eq!(causes(&unread, path, before, after), [(WideningCause::UnusedSource, path.to_owned())]);
    }
    // What is used, what is code elsewhere, and tests are none.
    assert_eq!(edit(&rest, "scripts/run.py", "x = 1\n", "x = 2\n"), [""; 0]);
    let helped = [OTHER, OTHER_MODULE, ("tests/test_h.py", "from help import h\n\n\ndef test_h():\n    assert h()\n")];
    assert_eq!(edit(&helped, "tests/help.py", "def h():\n    return 1\n", "def h():\n    return 2\n"), ["test_h"]);
}

// Settings.

/// What an edit of a file reaches beside what settings say; they are the same before and after.
#[track_caller]
fn by_settings(settings: (&str, &str), rest: &[(&str, &str)], path: &str, before: &str, after: &str) -> Vec<String> {
    edit(&[&[settings, OTHER, OTHER_MODULE], rest].concat(), path, before, after)
}

#[test]
fn what_settings_name_is_imported_before_the_tests() {
    let (before, after) = ("X = 1\n", "X = 2\n");
    let test = ("tests/test_a.py", "def test_a(box):\n    assert box\n");
    let plugin = "import pytest\n\n\n@pytest.fixture\ndef box():\n    return 1\n";
    for settings in [
        ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = \"-ra -p tests.plug\"\n"),
        ("setup.cfg", "[tool:pytest]\naddopts = -p tests.plug\n"),
        ("setup.cfg", "[options.entry_points]\npytest11 =\n    plug = tests.plug\n"),
        ("pyproject.toml", "[project.entry-points.pytest11]\nplug = \"tests.plug\"\n"),
    ] {
        let found = by_settings(settings, &[test], "tests/plug.py", plugin, &plugin.replace("return 1", "return 2"));
        assert_eq!(found, ["test_a"], "{settings:?}");
    }
    for settings in [
        ("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = proj.settings\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\nDJANGO_SETTINGS_MODULE = \"proj.settings\"\n"),
        ("tox.ini", "[pytest]\naddopts = --ds=proj.settings\n"),
    ] {
        assert_eq!(by_settings(settings, &[], "proj/settings.py", before, after), ["test_other"], "{settings:?}");
    }
}

#[test]
fn what_entry_points_name_reaches_who_loads_them() {
    let rest = [
        ("app/__init__.py", ""),
        (
            "app/load.py",
            "from importlib.metadata import entry_points\n\n\ndef load():\n    return [e.load() for e in entry_points(group='app.plugins')]\n",
        ),
        ("tests/test_l.py", "from app.load import load\n\n\ndef test_l():\n    assert load()\n"),
    ];
    let settings = ("pyproject.toml", "[project.entry-points.\"app.plugins\"]\na = \"more.a:A\"\n");
    let (before, after) = ("class A:\n    x = 1\n", "class A:\n    x = 2\n");
    for path in ["more/a.py", "app/plug/a.py"] {
        assert_eq!(by_settings(settings, &rest, path, before, after), ["test_l"], "{path}");
    }
    assert_eq!(by_settings(settings, &rest, "far/a.py", before, after), [""; 0]);
}

#[test]
fn tests_by_names_that_settings_give_run_with_their_file() {
    let (before, after) = ("def f():\n    return 1\n", "def f():\n    return 2\n");
    let run = |settings: (&str, &str), path: &str, text: &str| {
        let rest = files(&[settings, (path, text), OTHER, OTHER_MODULE]);
        let mut bench = Bench::new();
        bench.set(&with(&rest, "m.py", before), &with(&rest, "m.py", after), &narrowing_of("path(\"tests/**\")"));
        let bundle = bench.engine.plan().bundles.into_iter().next().expect("the change touches something");
        assert_eq!(bundle.widened, []);
        bundle.whole
    };
    let ini = |line: &str| format!("[pytest]\n{line}\n");
    for (line, path, text) in [
        ("python_files = check_*.py", "tests/check_a.py", "from m import f\n\n\ndef test_f():\n    assert f() == 1\n"),
        (
            "python_functions = should_*",
            "tests/test_a.py",
            "from m import f\n\n\ndef should_f():\n    assert f() == 1\n\n\ndef test_o():\n    assert 1\n",
        ),
        (
            "python_classes = *Spec",
            "tests/test_a.py",
            "from m import f\n\n\nclass FSpec:\n    def test_f(self):\n        assert f() == 1\n\n\ndef test_o():\n    assert 1\n",
        ),
    ] {
        assert_eq!(run(("pytest.ini", &ini(line)), path, text), [path], "{line}");
        assert_eq!(run(("pytest.ini", &ini("x = 1")), path, text), [""; 0], "{line}");
    }
    // A fixture reaches them, and a helper beside them is none.
    let fixture =
        ("tests/conftest.py", "import pytest\nfrom m import f\n\n\n@pytest.fixture\ndef box():\n    return f()\n");
    let check = ("tests/check_a.py", "def test_f(box):\n    assert box == 1\n");
    let all = [
        ("pytest.ini", "[pytest]\npython_files = *.py\n"),
        fixture,
        check,
        ("tests/help.py", "from m import f\n"),
        OTHER,
    ];
    let rest = files(&all);
    let mut bench = Bench::new();
    bench.set(&with(&rest, "m.py", before), &with(&rest, "m.py", after), &narrowing_of("path(\"tests/**\")"));
    assert_eq!(bench.engine.plan().bundles[0].whole, ["tests/check_a.py"]);
}

// Reads, processes and loads that are not spelled out.

#[test]
fn data_that_one_test_names_reaches_those_who_read_it_by_a_computed_name() {
    let named = (
        "tests/test_schema.py",
        "from pathlib import Path\nimport other\n\n\ndef test_schema():\n    assert Path('q/users.sql').exists()\n",
    );
    let users = ("tests/test_users.py", "from q.load import q\n\n\ndef test_users():\n    assert q('users')\n");
    for (path, text) in [
        (
            "q/load.py",
            "from pathlib import Path\n\n\ndef q(name):\n    return (Path(__file__).parent / f'{name}.sql').read_text()\n",
        ),
        (
            "q/load.py",
            "from importlib.resources import files\n\n\ndef q(name):\n    return files(__package__).joinpath(name).read_text()\n",
        ),
        ("q/load.py", "import pkgutil\n\n\ndef q(name):\n    return pkgutil.get_data(__name__, name)\n"),
        (
            "q/load.py",
            "import os\n\nHERE = os.path.dirname(os.path.dirname(__file__))\n\n\ndef q(n):\n    return open(HERE + n + '.sql')\n",
        ),
        ("q/load.py", "def q(n):\n    return open(f'q/{n}.sql')\n"),
        ("q/load.py", "def q(n):\n    return open('q/%s.sql' % n)\n"),
        ("q/load.py", "from base import HERE\n\n\ndef q(n):\n    return open(HERE + '/q/' + n)\n"),
    ] {
        let rest = [named, users, (path, text), ("q/__init__.py", ""), OTHER, OTHER_MODULE];
        assert_eq!(edit(&rest, "q/users.sql", "1\n", "2\n"), ["test_schema", "test_users"], "{text}");
        assert_eq!(edit(&rest, "README.md", "1\n", "2\n"), [""; 0], "{text}");
    }
}

#[test]
fn a_process_is_started_by_many_names() {
    let (before, after) = ("def f():\n    return 1\n", "def f():\n    return 2\n");
    for (import, call) in [
        ("import subprocess as sp", "sp.run([1])"),
        ("import subprocess as sp", "sp.call([1])"),
        ("from subprocess import run as sh", "sh([1])"),
        ("import subprocess", "subprocess.getoutput('x')"),
        ("import os", "os.spawnv(1, 'x')"),
        ("import os", "os.execv('x', [])"),
        ("from os import system as go", "go('x')"),
        ("import pexpect", "pexpect.spawn('x')"),
        ("x = 1", "script_runner.run('x')"),
        ("x = 1", "pytester.run('x')"),
    ] {
        let text = format!("import other\n{import}\n\n\ndef test_p(script_runner, pytester):\n    assert {call}\n");
        let rest = [("tests/test_p.py", &*text), OTHER, OTHER_MODULE];
        assert_eq!(edit(&rest, "m.py", before, after), ["test_p"], "{import} {call}");
    }
    let text = "import other\nfrom subprocess import CalledProcessError\n\n\ndef test_p():\n    assert CalledProcessError(1)\n";
    assert_eq!(edit(&[("tests/test_p.py", text), OTHER, OTHER_MODULE], "m.py", before, after), [""; 0]);
}

#[test]
fn code_is_loaded_by_many_names() {
    let (before, after) = ("def f():\n    return 1\n", "def f():\n    return 2\n");
    let test = ("tests/test_l.py", "from load import load\n\n\ndef test_l():\n    assert load(1, 2)\n");
    for call in [
        "runpy.run_path(d / f'{n}.py')",
        "importlib.util.spec_from_file_location('plug.a', d / n)",
        "SourceFileLoader('x', n).load_module()",
        "exec(open(n).read())",
        "exec(compile(d.read_text(), n, 'exec'), {})",
        "imp.load_source('x', n)",
        "import_string(n)",
        "pydoc.locate(n)",
        "pkg_resources.load_entry_point('a', 'b', n)",
    ] {
        let text = format!("def load(d, n):\n    return {call}\n");
        let rest = [test, ("load.py", &*text), OTHER, OTHER_MODULE];
        assert_eq!(edit(&rest, "plug/a.py", before, after), ["test_l"], "{call}");
    }
    for call in ["runpy.run_path('plug/a.py')", "spec_from_file_location('a', 'plug/a.py')"] {
        let text = format!("def load(d, n):\n    return {call}\n");
        let rest = [test, ("load.py", &*text), OTHER, OTHER_MODULE];
        assert_eq!(edit(&rest, "plug/a.py", before, after), ["test_l"], "{call}");
        assert_eq!(edit(&rest, "plug/b.py", before, after), [""; 0], "{call}");
    }
    let rest = [test, ("load.py", "def load(d, n):\n    return exec('x = 1')\n"), OTHER, OTHER_MODULE];
    assert_eq!(edit(&rest, "plug/a.py", before, after), [""; 0]);
}

// JavaScript, and what no parser reads.

/// What an edit chooses beside a test of a script in `web`, which nothing reaches.
#[track_caller]
fn script(rest: &[(&str, &str)], path: &str, before: &str, after: &str) -> Vec<String> {
    const OTHERS: [(&str, &str); 2] = [
        ("web/package.json", "{\"name\": \"web\", \"jest\": {\"setupFiles\": [\"<rootDir>/tools/first.ts\"]}}"),
        ("other/o.test.ts", "import { test } from 'vitest'\ntest('o', () => {})\n"),
    ];
    let files = |text: &str| with(&files(&[rest, &OTHERS].concat()), path, text);
    let rules = narrowing_of("path(\"**\")");
    let mut bench = Bench::new();
    bench.set(&files(before), &files(after), &rules);
    let bundle = bench.engine.plan().bundles.into_iter().next().expect("the change touches something");
    assert_eq!(bundle.widened, [], "{:#?}", bundle.whole);
    bundle.whole
}

#[test]
fn what_scripts_load_by_patterns_and_computed_names_is_of_their_package() {
    let test = ("web/src/p/index.test.ts", "import { all } from './index'\ntest('a', () => all())\n");
    let (before, after) = ("export const a = 1\n", "export const a = 2\n");
    for loads in [
        "export const all = () => import.meta.glob('./*.ts')\n",
        "export const all = (n) => require(`./${n}`)\n",
        "export const all = () => require.context('.', true)\n",
        "export const all = (n) => import(n)\n",
    ] {
        let rest = [test, ("web/src/p/index.ts", loads)];
        assert_eq!(script(&rest, "web/src/p/a.ts", before, after), ["web/src/p/index.test.ts"], "{loads}");
        assert_eq!(script(&rest, "far/a.ts", before, after), [""; 0], "{loads}");
    }
}

#[test]
fn what_a_runner_sets_up_reaches_the_tests_below_it() {
    let test = ("web/src/a.test.ts", "test('a', () => {})\n");
    let (before, after) = ("globalThis.a = 1\n", "globalThis.a = 2\n");
    for (path, text) in [
        ("web/vitest.config.ts", "export default { test: { setupFiles: ['./tools/first.ts'] } }\n"),
        ("web/jest.config.js", "import './tools/first'\nmodule.exports = {}\n"),
        // By `package.json`.
        ("web/plain.txt", ""),
    ] {
        assert_eq!(script(&[test, (path, text)], "web/tools/first.ts", before, after), ["web/src/a.test.ts"], "{path}");
    }
    for path in
        ["web/src/setupTests.ts", "web/__mocks__/axios.js", "web/src/deep/__mocks__/api.ts", "web/test/setup.js"]
    {
        assert_eq!(script(&[test], path, before, after), ["web/src/a.test.ts"], "{path}");
    }
    assert_eq!(script(&[test], "web/src/elsewhere.ts", before, after), [""; 0]);
}

#[test]
fn tests_of_scripts_are_known_by_their_folder_and_what_they_call() {
    let (before, after) = ("exports.f = () => 1\n", "exports.f = () => 2\n");
    for text in [
        "var app = require('../lib/app')\ndescribe('a', function () { it('b', function () { app.f() }) })\n",
        "const test = require('ava')\nconst app = require('../lib/app')\ntest('b', t => t.is(app.f(), 1))\n",
        "import test from 'tape'\nimport app from '../lib/app'\ntest('b', t => t.is(app.f(), 1))\n",
    ] {
        assert_eq!(script(&[("test/app.js", text)], "lib/app.js", before, after), ["test/app.js"], "{text}");
        assert_eq!(script(&[("bin/app.js", text)], "lib/app.js", before, after), [""; 0], "{text}");
    }
    let helper = ("test/help.js", "exports.app = require('../lib/app')\n");
    assert_eq!(script(&[helper], "lib/app.js", before, after), [""; 0]);
}

#[test]
fn what_no_parser_reads_hangs_on_what_it_may_use() {
    let (before, after) = ("export const f = 1\n", "export const f = 2\n");
    for component in ["web/src/App.vue", "web/src/App.svelte"] {
        let name = component.rsplit('/').next().unwrap();
        let test = format!("import App from './{name}'\ntest('a', () => App)\n");
        let rest = [("web/src/App.test.ts", &*test), (component, "import { f } from './util'\n")];
        assert_eq!(script(&rest, "web/src/util.ts", before, after), ["web/src/App.test.ts"], "{component}");
        assert_eq!(script(&rest, "far/util.ts", before, after), [""; 0], "{component}");
    }
    // Not what is of other languages: no component, style or script loads a module of Python, nor Python one of theirs.
    let rest = [
        ("package.json", "{}"),
        ("web/App.vue", "x\n"),
        ("web/App.css", "x\n"),
        (
            "web/App.test.ts",
            "import App from './App.vue'\nimport './App.css'\nconst all = import(name)\ntest('a', () => App)\n",
        ),
        ("jobs/__init__.py", "import importlib\n\n\ndef load(name):\n    return importlib.import_module(name)\n"),
        ("tests/test_jobs.py", "from jobs import load\n\n\ndef test_jobs():\n    assert load('x')\n"),
        // What nothing uses may be read as data.
        ("tests/test_daily.py", "import jobs.daily\n\n\ndef test_daily():\n    assert jobs.daily.f()\n"),
        ("web/daily.test.ts", "import { f } from '../jobs/daily'\ntest('a', () => f())\n"),
        OTHER,
        OTHER_MODULE,
    ];
    let python = ("def f():\n    return 1\n", "def f():\n    return 2\n");
    assert_eq!(edit(&rest, "jobs/daily.py", python.0, python.1), ["test_daily", "test_jobs"]);
    assert_eq!(edit(&rest, "jobs/daily.ts", before, after), ["web/App.test.ts", "web/daily.test.ts"]);
    // What is compiled to modules of theirs is loaded by both, as far as is seen.
    let compiled =
        [&rest[..], &[("jobs/Cargo.toml", "[package]\nname = \"jobs\"\n"), ("jobs/src/lib.rs", "mod fast;\n")]]
            .concat();
    let rust = ("pub fn f() -> i32 { 1 }\n", "pub fn f() -> i32 { 2 }\n");
    assert_eq!(edit(&compiled, "jobs/src/fast.rs", rust.0, rust.1), ["test_jobs", "web/App.test.ts"]);
    // A compiled module.
    let (before, after) = ("def f():\n    return 1\n", "def f():\n    return 2\n");
    let rest = [
        ("pkg/__init__.py", ""),
        ("pkg/fast.pyx", "from pkg.util import f\n"),
        ("pyproject.toml", ""),
        ("tests/test_fast.py", "from pkg.fast import go\n\n\ndef test_fast():\n    assert go()\n"),
        ("tests/test_too.py", "from pkg import fast\n\n\ndef test_too():\n    assert fast.go()\n"),
        OTHER,
        OTHER_MODULE,
    ];
    assert_eq!(edit(&rest, "pkg/util.py", before, after), ["test_fast", "test_too"]);
    // A template that another one extends, which one view names and another test reads.
    let rest = [
        ("app/__init__.py", ""),
        ("app/templates/a.html", "{% extends 'base.html' %}\n"),
        ("app/views.py", "from web import render\n\n\ndef index():\n    return render('a.html')\n"),
        ("app/plain.py", "from web import render\n\n\ndef plain():\n    return render('base.html')\n"),
        ("tests/test_v.py", "from app.views import index\n\n\ndef test_v():\n    assert index()\n"),
        ("tests/test_p.py", "from app.plain import plain\n\n\ndef test_p():\n    assert plain()\n"),
        OTHER,
        OTHER_MODULE,
    ];
    assert_eq!(edit(&rest, "app/templates/base.html", "a\n", "b\n"), ["test_p", "test_v"]);
}

#[test]
fn data_that_a_script_imports_reaches_its_tests() {
    let rest = [
        ("web/a.ts", "import data from './data.json'\nexport const a = data\n"),
        ("web/a.test.ts", "import { a } from './a'\ntest('a', () => a)\n"),
    ];
    assert_eq!(script(&rest, "web/data.json", "1", "2"), ["web/a.test.ts"]);
}

// What is gone.

#[test]
fn a_deleted_or_moved_module_reaches_who_used_it_before() {
    let before = files(&[
        ("m.py", "def f():\n    return 1\n"),
        ("tests/test_m.py", "from m import f\n\n\ndef test_m():\n    assert f()\n"),
        OTHER,
        OTHER_MODULE,
    ]);
    assert_eq!(chosen(&before, &without(&before, "m.py")), ["test_m"]);
    let moved = with(&without(&before, "m.py"), "n.py", "def f():\n    return 1\n");
    assert_eq!(chosen(&before, &moved), ["test_m"]);
    let data = with(&with(&before, "a.json", "1"), "tests/test_d.py", "def test_d():\n    assert open('a.json')\n");
    assert_eq!(chosen(&data, &without(&data, "a.json")), ["test_d"]);
}

#[test]
fn new_and_changed_tests_always_run() {
    let before = "def test_a():\n    assert 1\n\n\ndef test_b():\n    assert 1\n";
    assert_eq!(
        edit(&[OTHER, OTHER_MODULE], "tests/test_a.py", before, &before.replacen("assert 1", "assert 2", 1)),
        ["test_a"]
    );
    let all = files(&[OTHER, OTHER_MODULE]);
    assert_eq!(chosen(&all, &with(&all, "tests/test_new.py", "def test_new():\n    assert 1\n")), ["test_new"]);
}

#[test]
fn a_call_by_name_alone_reaches_no_test_that_cannot_load_what_changed() {
    let rest = [
        ("app/__init__.py", ""),
        ("app/other.py", "def drop(x):\n    return x.release_it()\n"),
        ("tests/test_box.py", "from app.box import Box\n\n\ndef test_box():\n    assert Box().release_it()\n"),
        ("tests/test_other.py", "from app.other import drop\n\n\ndef test_other():\n    assert drop(None)\n"),
        // This one hands the one to the other.
        (
            "tests/test_pair.py",
            "import app.box\nfrom app.other import drop\n\n\ndef test_pair():\n    assert drop(app.box.make())\n",
        ),
    ];
    let source = |body: &str| {
        format!("class Box:\n    def release_it(self):\n        return {body}\n\n\ndef make():\n    return Box()\n")
    };
    assert_eq!(edit(&rest, "app/box.py", &source("1"), &source("2")), ["test_box", "test_pair"]);
    // Of a test of which an import is not seen nobody knows what it loads.
    let lost = "from app.other import drop\nfrom app.gone import x\n\n\ndef test_lost():\n    assert drop(x)\n";
    let unseen = [&rest[..], &[("tests/test_lost.py", lost)]].concat();
    assert_eq!(edit(&unseen, "app/box.py", &source("1"), &source("2")), ["test_box", "test_lost", "test_pair"]);
}

#[test]
fn a_string_in_a_test_names_a_module_below_a_folder_that_the_test_searches() {
    let load = "import sys\nfrom app import load\n\n\ndef test_load():\n    sys.path.append('plugs')\n    assert load('plug.first.make')\n";
    let rest = [
        ("app/__init__.py", "def load(name):\n    return sorted(name)\n"),
        ("tests/test_load.py", load),
        ("tests/test_else.py", "from app import load\n\n\ndef test_else():\n    assert load\n"),
    ];
    let source = |body: &str| format!("def make():\n    return {body}\n");
    assert_eq!(edit(&rest, "tests/plugs/plug/first.py", &source("1"), &source("2")), ["test_load"]);
}

#[test]
fn a_file_that_is_given_tests_when_it_is_loaded_is_run_whole() {
    let base = |gives: &str| {
        format!(
            "import unittest\n\n\nclass Base(unittest.TestCase):\n    @classmethod\n    def load(cls, name):\n        {gives}\n"
        )
    };
    let user = "from app.a import a\nfrom . import deeper\n\n\nclass TestIt(deeper.Base):\n    go = a\n\n\nTestIt.load('x')\n\n\ndef test_own():\n    assert deeper\n";
    let source = |value: u8| format!("def a():\n    return {value}\n");
    let chosen = |base: &str, user: &str| {
        let rest = [
            ("app/__init__.py", ""),
            ("tests/__init__.py", ""),
            ("tests/base.py", base),
            ("tests/deeper.py", "from .base import Base\n"),
            ("tests/test_it.py", user),
            ("tests/test_else.py", "from app.a import a\n\n\ndef test_else():\n    assert a()\n"),
        ];
        edit(&rest, "app/a.py", &source(1), &source(2))
    };
    let whole = ["test_else", "test_own", "tests/test_it.py"];
    for gives in [
        "setattr(cls, 'test_' + name, lambda self: 0)",
        "setattr(cls, f'{name}', name)",
        "setattr(cls, 'test_it', name)",
    ] {
        assert_eq!(chosen(&base(gives), user), whole, "{gives}");
    }
    for gives in
        ["return getattr(cls, 'test_it')", "setattr(cls, 'limit', name)", "setattr(self, name, 1)", "exec(name, {})"]
    {
        assert_eq!(chosen(&base(gives), user), whole[..2], "{gives}");
    }
    assert_eq!(chosen("class Base:\n    def load(name):\n        globals()[name] = 1\n", user), whole);
    assert_eq!(chosen("class Base:\n    def load(name):\n        exec('def test_it(): pass')\n", user), whole);
    assert_eq!(chosen("class Meta(type):\n    pass\n\n\nclass Base(metaclass=Meta):\n    pass\n", user), whole);
    let inside = "from app.a import a\n\n\nclass TestIt:\n    go = a\n    for name in ['a', 'b']:\n        locals()['test_' + name] = go\n\n    def test_own(self):\n        pass\n";
    assert!(chosen("", inside).contains(&"tests/test_it.py".to_owned()));
    let bound = "from app.a import a\n\n\nclass TestIt:\n    test_it = a(1)\n\n    def test_own(self):\n        pass\n";
    assert!(chosen("", bound).contains(&"tests/test_it.py".to_owned()));
    // In a test it is too late.
    let late = user.replace("    assert deeper", "    setattr(deeper, deeper.name, 1)");
    assert_eq!(chosen(&base("pass"), &late), whole[..2]);
    assert_eq!(
        chosen(&base("pass"), &format!("{late}\n\nfor name in ['a', 'b']:\n    setattr(TestIt, 'test_' + name, a)\n")),
        whole
    );
}

#[test]
fn a_test_that_may_not_be_there_by_its_name_is_run_with_all_of_its_file() {
    let text = "import sys\nfrom parameterized import parameterized, parameterized_class\nfrom app.a import a\nfrom app.b import b\n\n
def test_sure():
    assert a()


if sys.version_info > (3, 9):
    def test_new():
        assert b()

    class TestNew:
        def test_in(self):
            assert b()


class TestCases:
    @parameterized.expand([1, 2])
    def test_case(self, x):
        assert b()

    def test_of(self):
        assert a()
";
    let source = |name: &str, value: u8| format!("def {name}():\n    return {value}\n");
    let (a, b) = (source("a", 1), source("b", 1));
    let rest = [("app/__init__.py", ""), ("app/b.py", b.as_str()), ("tests/test_it.py", text)];
    assert_eq!(edit(&rest, "app/a.py", &a, &source("a", 2)), ["test_of", "test_sure"]);
    let rest = [("app/__init__.py", ""), ("app/a.py", a.as_str()), ("tests/test_it.py", text)];
    assert_eq!(edit(&rest, "app/b.py", &b, &source("b", 2)), ["tests/test_it.py"]);
    // Of two of a name one is enough, and a class is renamed with all that is in it.
    let both = "from app.b import b\n\n\ndef test_two():\n    assert b()\n\n\nif b():\n    def test_two():\n        assert b()\n";
    let rest = [("app/__init__.py", ""), ("tests/test_it.py", both)];
    assert_eq!(edit(&rest, "app/b.py", &b, &source("b", 2)), ["test_two"]);
    let class = "from parameterized import parameterized_class\nfrom app.b import b\n\n\n@parameterized_class([{}])\nclass TestAll:\n    def test_of(self):\n        assert b()\n";
    let rest = [("app/__init__.py", ""), ("tests/test_it.py", class)];
    assert_eq!(edit(&rest, "app/b.py", &b, &source("b", 2)), ["tests/test_it.py"]);
}

#[test]
fn a_file_that_inherits_tests_is_run_whole_where_it_may_load_what_changed() {
    let rest = [
        ("app/__init__.py", ""),
        ("app/other.py", "def other():\n    return 1\n"),
        ("tests/__init__.py", "class Mixin:\n    def test_get(self):\n        self.make().get()\n"),
        ("tests/deeper.py", "from . import Mixin\n\n\nclass Deeper(Mixin):\n    pass\n"),
        (
            "tests/test_lru.py",
            "import unittest\nfrom app.lru import Lru\nfrom .deeper import Deeper\n\n\nclass LruTest(unittest.TestCase, Deeper):\n    make = Lru\n",
        ),
        (
            "tests/test_other.py",
            "import unittest\nfrom app.other import other\nfrom . import Mixin\n\n\nclass OtherTest(Mixin, unittest.TestCase):\n    def test_own(self):\n        other()\n",
        ),
    ];
    let lru = |value: u8| format!("class Lru:\n    def get(self):\n        return {value}\n");
    assert_eq!(edit(&rest, "app/lru.py", &lru(1), &lru(2)), ["tests/test_lru.py"]);
    let first = lru(1);
    let both = [&rest[..1], &rest[2..], &[("app/lru.py", first.as_str())]].concat();
    let chosen = edit(&both, "app/other.py", "def other():\n    return 1\n", "def other():\n    return 2\n");
    assert_eq!(chosen, ["test_own", "tests/test_other.py"]);
    // No runner looks into a function, nor at what derives from a library's class that has methods named so.
    let library = "class Client:\n    def test_client(self):\n        return 1\n\n\ndef seen():\n    return 1\n";
    let client = "from app import lib\n\n\nclass Own(lib.Client):\n    pass\n\n\ndef test_own():\n    class TestLike(lib.Client):\n        pass\n\n    assert lib.seen() and TestLike\n";
    let edited = library.replace("def seen():\n    return 1", "def seen():\n    return 2");
    let rest = [("app/__init__.py", ""), ("tests/test_client.py", client)];
    assert_eq!(edit(&rest, "app/lib.py", library, &edited), ["test_own"]);
    // One of the standard library is none of tests, but where they are made with it.
    let standard = library.replace("class Client:", "import typing as t\n\n\nclass Client(t.NamedTuple):");
    let edited_too = standard.replace("def seen():\n    return 1", "def seen():\n    return 2");
    let importer = "from app.lib import Client, seen\n\n\ndef test_own():\n    assert seen() and Client\n";
    let rest = [("app/__init__.py", ""), ("tests/test_client.py", importer)];
    assert_eq!(edit(&rest, "app/lib.py", &standard, &edited_too), ["test_own"]);
    for made in ["import unittest as t", "import typing as t\n\nt = t", "from lib import t", "t = 1"] {
        let (before, after) =
            (standard.replace("import typing as t", made), edited_too.replace("import typing as t", made));
        assert_eq!(edit(&rest, "app/lib.py", &before, &after), ["test_own", "tests/test_client.py"], "{made}");
    }
    let rest = [("app/__init__.py", ""), ("tests/test_client.py", client)];
    assert_eq!(edit(&rest, "app/lib.py", library, &edited), ["test_own"]);
    // Below a class that is not read, it may.
    let outside = client.replace("Own(lib.Client)", "Own(lib.Client, there.Base)");
    let rest = [("app/__init__.py", ""), ("tests/test_client.py", outside.as_str())];
    assert_eq!(edit(&rest, "app/lib.py", library, &edited), ["test_own", "tests/test_client.py"]);
    // Also from a class of its own that is none of tests.
    let own = "from app.lru import Lru\nimport unittest\n\n\nclass Mixin:\n    def test_get(self):\n        self.make().get()\n\n\nclass LruTest(Mixin, unittest.TestCase):\n    make = Lru\n";
    let chosen = edit(&[("app/__init__.py", ""), ("tests/test_lru.py", own)], "app/lru.py", &lru(1), &lru(2));
    assert_eq!(chosen, ["tests/test_lru.py"]);
}
