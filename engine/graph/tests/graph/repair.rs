//! A graph that was repaired after an edit equals one that is built anew, and says so where it cannot be repaired.

use std::collections::BTreeMap;

use grace_graph::graph::{CodeGraph, GraphFile, Repair};

use crate::support::{self, file};

/// A tree in which every kind of look-up across files has something to find.
fn tree() -> BTreeMap<&'static str, String> {
    let files = [
        ("app/__init__.py", "from app.models import Base as Exported\nfrom app.tools import *\n"),
        (
            "app/models.py",
            "import app.tools\n\n\nclass Base:\n    def __init__(self):\n        self.tool = app.tools.make()\n\n    def run(self):\n        return 1\n\n\nclass Child(Base):\n    def run(self):\n        return self.tool.use()\n",
        ),
        (
            "app/tools.py",
            "class Tool:\n    def use(self):\n        return 2\n\n    def __len__(self):\n        return 0\n\n\ndef make() -> Tool:\n    return Tool()\n\n\ndef decorate(f):\n    def inner():\n        return f()\n    return inner\n",
        ),
        (
            "app/main.py",
            "import app\nfrom app.tools import decorate, make\n\nNAME = 'mistral:7b'\n\n\n@decorate\ndef main(base: app.Exported):\n    tool = make()\n    tool.use()\n    base.run()\n    return open('data/rules.json')\n",
        ),
        (
            "tests/conftest.py",
            "import pytest\nfrom app.models import Child\n\npytest_plugins = ['tests.plugin']\n\n\n@pytest.fixture\ndef child():\n    return Child()\n",
        ),
        ("tests/plugin.py", "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef always():\n    return 1\n"),
        ("tests/test_app.py", "from app.main import main\n\n\ndef test_run(child):\n    assert main(child)\n"),
        ("data/rules.json", "{}\n"),
        // Names that stand for others.
        (
            "app/alias.py",
            "from app.tools import Tool as Kind\n\nshared = Kind()\n\n\ndef kind() -> Kind:\n    return shared\n",
        ),
        (
            "app/user.py",
            "from app.alias import shared, kind\nimport app.alias as al\n\n\ndef go(thing):\n    shared.use()\n    kind().use()\n    al.shared()\n    thing.visit_it()\n    thing.late()\n",
        ),
        ("app/dispatch.py", "def dispatch(thing, x):\n    return getattr(thing, 'visit_' + x)()\n"),
        (
            "app/sub.py",
            "from app.models import Child\n\n\nclass Grand(Child):\n    def use(self):\n        return super().run()\n\n\ndef of(it: Grand):\n    it.run()\n    it.missing()\n    it.tool.use()\n    it()\n",
        ),
        // Two classes of one name.
        (
            "app/twice.py",
            "from app.models import Base\n\ntry:\n    class Twice(Base):\n        def run(self):\n            return 1\n\nexcept ImportError:\n    class Twice:\n        pass\n",
        ),
        (
            "app/asks.py",
            "from app import tools\nfrom app.models import Child\n\n\nclass Asks(Child):\n    def ask(self, name):\n        return getattr(self, 'on_' + name)() or getattr(tools, name)()\n",
        ),
        ("app/cached.py", "from functools import lru_cache\n\n\n@lru_cache\ndef cached():\n    return 1\n"),
        // What a star may bring in.
        ("app/late.py", "from app import tools\n\n\ndef late():\n    return tools.Child()\n"),
    ];
    files.map(|(path, text)| (path, text.to_owned())).into()
}

fn graph(tree: &BTreeMap<&str, String>) -> CodeGraph {
    support::graph(&tree.iter().map(|(path, text)| (*path, text.as_str())).collect::<Vec<_>>())
}

/// The graph with one file as it is given.
fn with(graph: &CodeGraph, file: GraphFile) -> Option<CodeGraph> {
    let by_names = graph.repaired(std::slice::from_ref(&file), &[], Repair::Any).ok();
    let repaired = graph.traced().repaired(&[file], &[], Repair::Any).ok();
    if let (Some(one), Some(other)) = (&repaired, &by_names) {
        assert_equal(one, other, "by names");
    }
    repaired
}

pub(crate) fn assert_equal(one: &CodeGraph, other: &CodeGraph, of: &str) {
    assert_eq!(one.files(), other.files(), "{of}");
    assert_eq!(support::parts(one), support::parts(other), "{of}");
    assert!(one.edges().eq(other.edges()), "{of}");
    assert!(one.unresolved().eq(other.unresolved()), "{of}");
    assert_eq!(one.model_literals(), other.model_literals(), "{of}");
    assert_eq!(
        (one.tests(), one.dependents(), one.sight()),
        (other.tests(), other.dependents(), other.sight()),
        "{of}"
    );
    for part in one.part_ids() {
        assert_eq!(one.bases(part), other.bases(part), "{of}");
        assert_eq!(one.is_below_keeper(part), other.is_below_keeper(part), "{of}");
        let kinds = &grace_graph::code::EdgeKind::ALL;
        assert!(one.in_edges(part, kinds).eq(other.in_edges(part, kinds)), "{of}: what ends at {}", one.key(part).name);
        assert!(one.out_edges(part, kinds).eq(other.out_edges(part, kinds)), "{of}");
    }
}

/// Statements, each put at the end of each body of each file in turn.
const STATEMENTS: &[&str] = &[
    "x = 1",
    "app.tools.make().use()",
    "from app.models import Child as Other",
    "tool = Other = make = Child = 1",
    "self.tool = Child()",
    "open('app/models.py'); load('nomic:v1')",
    "import_module('app.tools')",
    "import_module(name)",
    "base.run(); child.run(); always()",
    "def nested():\n    return make()",
    "class Nested(Base):\n    pass",
    "return super().run()",
    "import nowhere.at.all",
    "from app.models import *",
    "from app.models import *",
    "@decorate\ndef wrapped():\n    pass",
    "pytest_plugins = ['app.tools']",
    // What others see.
    "def make():\n    return Child()",
    "def use(self):\n    return self.run()",
    "def run(self) -> Tool:\n    return 3",
    "def __init__(self):\n    self.tool = make()",
    "def __call__(self):\n    return self",
    "def visit_it(self):\n    pass",
    "def __getattr__(name):\n    return name",
    "class Tool:\n    def late(self):\n        pass",
    "class Exported(Child):\n    def use(self):\n        return 1",
    "Base = Child",
    "from app.tools import Tool as Base",
    "@property\ndef tool(self) -> Child:\n    return 1",
    "def test_more(child, always):\n    pass",
    "getattr(base, 'visit_' + name)()",
    "__all__ = ['make']",
    // What nobody asks for, and what others may take for something else.
    "def nobody_asks():\n    return make()",
    "def nobody_asks(self, child):\n    return self.tool.use()",
    "async def visit_nobody(self):\n    pass",
    "def make(more) -> Tool:\n    return Tool()",
    "def kind(more):\n    return shared",
    "def decorate(f, more):\n    return f",
    "def pytest_configure(config):\n    pass",
    "def on_event(self):\n    pass",
    "def lru_cache(f):\n    return f",
    "def fresh():\n    pass\n\n\n@fresh\ndef decorated():\n    pass",
    "def fresh():\n    pass\n\n\nclass Fresh(fresh()):\n    pass",
];

/// Holds the repair of a tree against what is built anew, by names and by what look-ups came by.
fn assert_repaired(tree: &BTreeMap<&str, String>, edits: &[(&'static str, &str)]) {
    let mut edited = tree.clone();
    edited.extend(edits.iter().map(|(path, text)| (*path, (*text).to_owned())));
    let files: Vec<GraphFile> = edits.iter().map(|(path, text)| file(path, text)).collect();
    let (before, after) = (graph(tree), graph(&edited));
    for repaired in [&before, &before.traced()].map(|graph| graph.repaired(&files, &[], Repair::Any).unwrap()) {
        assert_equal(&repaired, &after, &format!("{edits:?}"));
    }
}

#[test]
fn a_file_whose_body_is_edited_too_may_ask_for_what_gives_something_else() {
    let user = |called: &str| {
        format!(
            "from app.db import get_db\n\n\nclass User(get_db().Model):\n    def go(self):\n        return {called}(self.save())\n"
        )
    };
    let db = |gives: &str| {
        format!(
            "class Database:\n    class Model:\n        def save(self):\n            return 1\n\n\ndef get_db(){gives}:\n    return made()\n"
        )
    };
    let tree = texts(&[("app/__init__.py", ""), ("app/db.py", &db("")), ("app/user.py", &user("str"))]);
    for edits in [
        vec![("app/db.py", db(" -> Database")), ("app/user.py", user("print"))],
        vec![("app/db.py", db(" -> Database"))],
    ] {
        assert_repaired(&tree, &edits.iter().map(|(path, text)| (*path, &**text)).collect::<Vec<_>>());
    }
}

#[test]
fn an_object_by_another_name_is_another_base() {
    let text = |object: &str| {
        format!(
            "class A:\n    class Inner:\n        def x(self):\n            return 1\n\n    def m({object}):\n        class L(self.Inner):\n            def y(self):\n                return self.x()\n\n        return L\n"
        )
    };
    let tree = texts(&[("app/a.py", &text("self"))]);
    assert_repaired(&tree, &[("app/a.py", &text("this, self"))]);
    assert_repaired(&tree, &[("app/a.py", &text("self, more"))]);
}

#[test]
fn a_script_that_comes_to_run_tests_in_a_body_is_seen() {
    let script = |run: &str| format!("export function all() {{\n    {run}\n}}\n");
    let tree = texts(&[
        ("test/all.js", &script("")),
        ("test/other.js", &script("it('runs', () => {});")),
        ("app/a.py", "def known():\n    return 1\n"),
    ]);
    let (python, tests) =
        ("def known():\n    return 1\n\n\ndef nobody_asks():\n    return 2\n", script("it('is', () => {});"));
    for edits in [
        vec![("test/all.js", &*tests)],
        vec![("test/all.js", &*tests), ("app/a.py", python)],
        vec![("test/other.js", &*script("")), ("app/a.py", python)],
    ] {
        assert_repaired(&tree, &edits);
    }
}

/// From the same place and by the same kind of edge: what ends at each of two neighbours looks alike.
#[test]
fn a_call_that_moves_to_the_next_function_ends_there_and_comes_back() {
    let text = |called: &str| format!("import b\n\n\ndef go():\n    b.{called}()\n");
    let mut tree: BTreeMap<&str, String> =
        [("b.py", "def x():\n    pass\n\n\ndef y():\n    pass\n".to_owned()), ("a.py", text("x"))].into();
    let first = graph(&tree);
    let mut repaired = first.clone();
    for called in ["y", "x", "y"] {
        tree.insert("a.py", text(called));
        repaired = repaired.repaired(&[file("a.py", &text(called))], &[], Repair::Bodies).unwrap();
        assert_equal(&repaired, &graph(&tree), called);
    }
}

#[test]
fn an_edit_repairs_the_graph_to_what_it_would_be_if_built_anew() {
    let (repaired, refused) = repaired_after_each(&tree(), ".py", STATEMENTS);
    assert!(repaired > 3_000 && refused < 300, "{repaired} repaired, {refused} built anew");
}

#[test]
fn a_method_that_moves_between_classes_of_one_name_is_seen() {
    let tree = tree();
    let moved = "from app.models import Base\n\ntry:\n    class Twice(Base):\n        pass\n\nexcept ImportError:\n    class Twice:\n        def run(self):\n            return 1\n";
    let mut edited = tree.clone();
    edited.insert("app/twice.py", moved.to_owned());
    let (before, anew) = (graph(&tree), graph(&edited));
    let after = with(&before, file("app/twice.py", moved)).expect("names tell it");
    assert_equal(&after, &anew, "moved");
    assert_ne!(before.edges().count(), anew.edges().count(), "others see it");
}

#[test]
fn a_method_that_very_many_override_is_repaired_too() {
    let classes = |count: usize| -> String {
        (0..count).map(|n| format!("\n\nclass C{n}(Base):\n    def run(self):\n        return {n}\n")).collect()
    };
    let many = |count| format!("from app.base import Base\n{}", classes(count));
    let user = "from app.base import Base\n\n\ndef go(it: Base):\n    return it.run()\n";
    let tree = texts(&[
        ("app/base.py", "class Base:\n    def run(self):\n        return 1\n"),
        ("app/many.py", &many(40)),
        ("app/user.py", user),
    ]);
    let before = graph(&tree);
    let edits = [
        ("app/many.py", many(41)),
        ("app/many.py", many(39)),
        ("app/many.py", many(3)),
        ("app/user.py", user.replace("it.run()", "1")),
        ("app/user.py", user.replace("def go", "def other")),
        ("app/base.py", "class Base:\n    pass\n".to_owned()),
        // What the overrides are asked by has another number then.
        (
            "app/base.py",
            "def nobody_asks():\n    pass\n\n\nclass Base:\n    def run(self):\n        return 1\n".to_owned(),
        ),
    ];
    for (path, text) in edits {
        let mut edited = tree.clone();
        edited.insert(path, text);
        // Who asks for something else of other files may have to be built anew.
        if let Some(after) = with(&before, file(path, &edited[path])) {
            assert_equal(&after, &graph(&edited), &edited[path]);
        } else {
            assert_eq!(path, "app/user.py", "{}", edited[path]);
        }
    }
    // The first one who asks, and who holds no name that changed.
    let mut quiet = tree.clone();
    quiet.insert("app/user.py", "from app.base import Base\n".to_owned());
    let after = with(&graph(&quiet), file("app/user.py", user)).expect("a new function");
    assert_equal(&after, &before, "asked for the first time");
}

#[test]
fn what_is_taken_away_or_moved_repairs_the_graph_too() {
    let tree = tree();
    let before = graph(&tree);
    let mut repaired = 0;
    for (path, text) in tree.iter().filter(|(path, _)| path.ends_with(".py")) {
        let lines: Vec<&str> = text.lines().collect();
        for first in 0..lines.len() {
            for last in first + 1..=lines.len() {
                let (cut, rest) = (&lines[first..last], [&lines[..first], &lines[last..]].concat());
                for edited in [rest.join("\n"), [&rest[..], cut].concat().join("\n")] {
                    let mut now = tree.clone();
                    now.insert(path, edited);
                    if let Some(after) = with(&before, file(path, &now[path])) {
                        repaired += 1;
                        let name = format!("{path}:{first}-{last}");
                        assert_equal(&after, &graph(&now), &name);
                        let back = with(&after, file(path, text)).expect("an edit can be taken back");
                        assert_equal(&back, &before, &name);
                    }
                }
            }
        }
    }
    assert!(repaired > 500, "{repaired} repaired");
}

/// Puts each statement at the end of each body of each file of an ending: how many repairs there were, and how many were
/// refused.
fn repaired_after_each(tree: &BTreeMap<&'static str, String>, ending: &str, statements: &[&str]) -> (usize, usize) {
    let before = graph(tree);
    let (mut repaired, mut refused) = (0, 0);
    for (path, text) in tree.iter().filter(|(path, _)| path.ends_with(ending)) {
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..=lines.len() {
            // Behind a line, as deep as it is (a block goes on) or one deeper (it opens one).
            let above = lines[..at].last().copied().unwrap_or("");
            let depth = above.len() - above.trim_start().len() + if above.ends_with([':', '{']) { 4 } else { 0 };
            for statement in statements {
                let indent = " ".repeat(depth);
                let inserted: Vec<String> = statement.lines().map(|line| format!("{indent}{line}")).collect();
                let mut edited = tree.clone();
                edited.insert(path, [lines[..at].join("\n"), inserted.join("\n"), lines[at..].join("\n")].join("\n"));
                let anew = graph(&edited);
                let name = format!("{path}:{at}: {statement}");
                match with(&before, file(path, &edited[path])) {
                    Some(after) => {
                        repaired += 1;
                        assert_equal(&after, &anew, &name);
                        let back = with(&after, file(path, text)).expect("an edit can be taken back");
                        assert_equal(&back, &before, &name);
                    }
                    None => refused += 1,
                }
            }
        }
    }
    (repaired, refused)
}

fn texts(files: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
    files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect()
}

#[test]
fn an_edit_of_typescript_repairs_the_graph_to_what_it_would_be_if_built_anew() {
    let tree = texts(&[
        ("tsconfig.json", "{\"compilerOptions\": {\"paths\": {\"@/*\": [\"./src/*\"]}}}\n"),
        ("src/index.ts", "export * from './tools';\nexport { Base as Exported } from './models';\n"),
        (
            "src/models.ts",
            "import { make, Tool } from '@/tools';\n\nexport class Base {\n    tool: Tool = make();\n    run() {\n        return 1;\n    }\n}\n\nexport class Child extends Base {\n    run() {\n        return this.tool.use();\n    }\n}\n",
        ),
        (
            "src/tools.ts",
            "export class Tool {\n    use() {\n        return 2;\n    }\n}\n\nexport function make(): Tool {\n    return new Tool();\n}\n",
        ),
        (
            "src/main.ts",
            "import * as all from './index';\nimport { make } from './index';\n\nexport function main(base: all.Exported) {\n    const tool = make();\n    tool.use();\n    base.run();\n}\n",
        ),
        ("src/late.ts", "import { Child } from './tools';\n\nexport function late() {\n    return new Child();\n}\n"),
        ("src/main.test.ts", "import { main } from './main';\n\ntest('runs', () => {\n    main(null);\n});\n"),
    ]);
    let statements = [
        "const x = 1;",
        "make().use();",
        "const tool = new Tool(); tool.use();",
        "const other = require('./models'); other.Child;",
        "const more = await import('./tools'); more.make();",
        "import(name);",
        "export * from './models';",
        "export { make as again } from './tools';",
        "import { Child } from './models';",
        "this.tool = make();",
        "base.run(); child.run();",
        "function nested() { return make(); }",
        "class Nested extends Base {}",
        "namespace inner { export * from './models'; }",
        "open('src/models.ts'); load('nomic:v1');",
        "import './nowhere';",
    ];
    let (repaired, refused) = repaired_after_each(&tree, ".ts", &statements);
    assert!(repaired > 200 && refused == 0, "{repaired} repaired, {refused} built anew");
}

#[test]
fn an_edit_of_rust_repairs_the_graph_to_what_it_would_be_if_built_anew() {
    let tree = texts(&[
        ("Cargo.toml", "[package]\nname = \"app\"\n"),
        ("src/lib.rs", "pub mod models;\npub mod tools;\npub use tools::*;\n"),
        (
            "src/models.rs",
            "use crate::tools::{Tool, make};\n\npub trait Runs {\n    fn run(&self) -> u32;\n}\n\npub struct Base {\n    tool: Tool,\n}\n\nimpl Runs for Base {\n    fn run(&self) -> u32 {\n        self.tool.call()\n    }\n}\n\npub fn later() {}\n",
        ),
        (
            "src/tools.rs",
            "pub struct Tool;\n\nimpl Tool {\n    pub fn call(&self) -> u32 {\n        2\n    }\n}\n\npub fn make() -> Tool {\n    Tool\n}\n",
        ),
        (
            "tests/app.rs",
            "use app::make;\n\n#[test]\nfn it_runs() {\n    make().call();\n    app::tools::later();\n}\n",
        ),
    ]);
    let statements = [
        "let x = 1;",
        "make().call();",
        "let tool = crate::tools::make(); tool.call();",
        "use crate::models::*;",
        "pub use crate::tools::*;",
        "use crate::tools::make as other;",
        "mod nowhere;",
        "mod inner { pub use crate::models::*; pub fn deep() { make(); } }",
        "fn nested() -> Tool { make() }",
        "struct Nested(Tool);",
        "impl Runs for Tool { fn run(&self) -> u32 { 1 } }",
        "self.tool.call(); base.run();",
        "println!(\"{}\", make().call());",
        "include_str!(\"src/models.rs\");",
    ];
    let (repaired, refused) = repaired_after_each(&tree, ".rs", &statements);
    assert!(repaired > 200 && refused == 0, "{repaired} repaired, {refused} built anew");
}

#[test]
fn an_edit_of_go_repairs_the_graph_to_what_it_would_be_if_built_anew() {
    let tree = texts(&[
        ("go.mod", "module example.com/m\n"),
        (
            "main.go",
            "package main\n\nimport (\n    \"example.com/m/tools\"\n    . \"example.com/m/models\"\n)\n\nfunc main() {\n    tool := tools.Make()\n    tool.Use()\n    Run(tool)\n}\n",
        ),
        ("helper.go", "package main\n\nfunc helper() int {\n    return 1\n}\n"),
        (
            "tools/tool.go",
            "package tools\n\ntype Tool struct {\n    inner *Part\n}\n\nfunc Make() *Tool {\n    return nil\n}\n\nfunc (t *Tool) Use() int {\n    return t.inner.Go()\n}\n",
        ),
        ("tools/part.go", "package tools\n\ntype Part struct{}\n\nfunc (p *Part) Go() int {\n    return 1\n}\n"),
        (
            "models/run.go",
            "package models\n\nimport \"example.com/m/tools\"\n\nfunc Run(t *tools.Tool) {\n    t.Use()\n}\n",
        ),
        ("main_test.go", "package main\n\nimport \"testing\"\n\nfunc TestMain(t *testing.T) {\n    main()\n}\n"),
    ]);
    let statements = [
        "x := 1",
        "helper()",
        "tools.Make().Use()",
        "tool := tools.Make(); tool.Use()",
        "import \"example.com/m/models\"",
        "import . \"example.com/m/tools\"",
        "import other \"example.com/m/tools\"",
        "import \"example.com/m/nowhere\"",
        "var Make = helper",
        "func nested() { helper() }",
        "func (t *Tool) More() { t.Use() }",
        "type Nested struct { Tool }",
        "//go:embed tools",
        "t.inner.Go(); p.Go()",
    ];
    let (repaired, refused) = repaired_after_each(&tree, ".go", &statements);
    assert!(repaired > 200 && refused == 0, "{repaired} repaired, {refused} built anew");
}

#[test]
fn what_names_do_not_tell_is_not_repaired_and_the_rest_is() {
    let tree = tree();
    let before = graph(&tree);
    let edit = |path: &str, old: &str, new: &str| {
        assert!(tree[path].contains(old), "{path} has {old}");
        with(&before, file(path, &tree[path].replace(old, new))).is_some()
    };
    assert!(edit("app/main.py", "    tool.use()\n", "    tool.use()\n    app.models.Child().run()\n"));
    assert!(edit("tests/test_app.py", "main(child)", "main(child) and main(1)"));
    assert!(edit("app/main.py", "def main(base", "def main(other"));
    assert!(edit("app/models.py", "class Child(Base)", "class Child"));
    assert!(edit("app/models.py", "app.tools.make()\n", "None\n"), "an attribute of its objects");
    assert!(edit("app/models.py", "import app.tools", "from app.tools import *"));
    assert!(edit("app/tools.py", "    return 2", "    return (2"), "it cannot be read whole any more");
    assert!(edit("tests/conftest.py", "def child", "def other"), "a fixture");
    assert!(!edit("tests/conftest.py", "tests.plugin", "tests.other"), "plugins are everywhere");
    assert!(edit("app/tools.py", "def make()", "def __getattr__()"));
    assert!(with(&before, file("app/new.py", "")).is_some());
    assert!(with(&before, file("app/setup.py", "")).is_some());
    assert!(with(&before, file("src/new.py", "")).is_none(), "imports start there, too");
}
