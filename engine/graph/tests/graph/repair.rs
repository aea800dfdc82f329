//! A graph that was repaired after an edit equals one that is built anew, and says so where it cannot be repaired.

use std::collections::BTreeMap;

use grace_graph::graph::CodeGraph;

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
    ];
    files.map(|(path, text)| (path, text.to_owned())).into()
}

fn graph(tree: &BTreeMap<&str, String>) -> CodeGraph {
    support::graph(&tree.iter().map(|(path, text)| (*path, text.as_str())).collect::<Vec<_>>())
}

fn assert_equal(one: &CodeGraph, other: &CodeGraph, of: &str) {
    assert_eq!(one.files(), other.files(), "{of}");
    assert_eq!(one.parts(), other.parts(), "{of}");
    assert!(one.edges().eq(other.edges()), "{of}");
    assert!(one.unresolved().eq(other.unresolved()), "{of}");
    assert_eq!(one.model_literals(), other.model_literals(), "{of}");
    for part in one.part_ids() {
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
    "@decorate\ndef wrapped():\n    pass",
    "pytest_plugins = ['app.tools']",
];

#[test]
fn an_edit_repairs_the_graph_to_what_it_would_be_if_built_anew() {
    let tree = tree();
    let before = graph(&tree);
    let (mut repaired, mut refused) = (0, 0);
    for (path, text) in tree.iter().filter(|(path, _)| path.ends_with(".py")) {
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..=lines.len() {
            // Behind a line, as deep as it is (a block goes on) or one deeper (it opens one).
            let above = lines[..at].last().copied().unwrap_or("");
            let depth = above.len() - above.trim_start().len() + if above.ends_with(':') { 4 } else { 0 };
            for statement in STATEMENTS {
                let indent = " ".repeat(depth);
                let inserted: Vec<String> = statement.lines().map(|line| format!("{indent}{line}")).collect();
                let mut edited = tree.clone();
                edited.insert(path, [lines[..at].join("\n"), inserted.join("\n"), lines[at..].join("\n")].join("\n"));
                let anew = graph(&edited);
                let name = format!("{path}:{at}: {statement}");
                match before.repaired(&file(path, &edited[path])) {
                    Some(after) => {
                        repaired += 1;
                        assert_equal(&after, &anew, &name);
                        let back = after.repaired(&file(path, text)).expect("an edit can be taken back");
                        assert_equal(&back, &before, &name);
                    }
                    None => refused += 1,
                }
            }
        }
    }
    assert!(repaired > 200 && refused > 200, "{repaired} repaired, {refused} built anew");
}

#[test]
fn what_other_files_can_see_is_not_repaired_and_a_body_is() {
    let tree = tree();
    let before = graph(&tree);
    let edit = |path: &str, old: &str, new: &str| {
        assert!(tree[path].contains(old), "{path} has {old}");
        before.repaired(&file(path, &tree[path].replace(old, new))).is_some()
    };
    assert!(edit("app/main.py", "    tool.use()\n", "    tool.use()\n    app.models.Child().run()\n"));
    assert!(edit("tests/test_app.py", "main(child)", "main(child) and main(1)"));
    assert!(!edit("app/main.py", "def main(base", "def main(other"));
    assert!(!edit("app/models.py", "class Child(Base)", "class Child"));
    assert!(!edit("app/models.py", "app.tools.make()\n", "None\n"), "an attribute of its objects");
    assert!(!edit("tests/conftest.py", "tests.plugin", "tests.other"));
    assert!(!edit("app/tools.py", "    return 2", "    return (2"), "it cannot be read whole any more");
    assert!(before.repaired(&file("app/new.py", "")).is_none());
}
