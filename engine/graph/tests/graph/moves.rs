//! A graph that was repaired after files came, went and moved equals one that is built anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_graph::graph::{CodeGraph, Repair};

use crate::repair::assert_equal;
use crate::support::{self, file};

type Tree = BTreeMap<String, String>;

/// Files that ask for each other in every way that hangs on where files lie.
const FILES: &[(&str, &str)] = &[
    ("app/__init__.py", "from app.models import Base as Exported\nfrom .tools import *\n"),
    (
        "app/models.py",
        "import app.tools\nimport unittest\n\n\nclass Base(unittest.TestCase):\n    def __init__(self):\n        self.tool = app.tools.make()\n\n    def run(self):\n        return 1\n\n\nclass Child(Base):\n    def run(self):\n        return self.tool.use()\n",
    ),
    (
        "app/tools.py",
        "class Tool:\n    def use(self):\n        return 2\n\n    def __call__(self):\n        return 0\n\n\ndef make() -> Tool:\n    return Tool()\n",
    ),
    (
        "app/kinds/deep.py",
        "from ..models import Child\nfrom . import wide\n\n\nclass Deep(Child):\n    def run(self):\n        return wide.span()\n\n    def test_deep(self):\n        pass\n",
    ),
    ("app/kinds/wide.py", "LIMIT = 3\n\n\ndef span():\n    return LIMIT\n"),
    (
        "app/main.py",
        "import app\nimport app.kinds.wide\nfrom app import kinds, tools as kit\nfrom app.kinds import wide as far\nfrom app.kinds.deep import Deep\n\nalias = kit\n\n\ndef main(base: app.Exported, deep: Deep):\n    kit.make().use()\n    alias.make()\n    far.span()\n    kinds.wide.span()\n    app.kinds.wide.LIMIT\n    deep.run()\n    deep.missing()\n    base.run()\n    open('data/rules.json')\n    open('rules.json')\n    return open('kinds')\n",
    ),
    (
        "app/late.py",
        "from app.main import alias, far\nfrom app import *\nimport app.main as m\n\n\ndef late(x):\n    alias.make()\n    far.span()\n    m.kit.make().use()\n    kinds.wide.span()\n    x.use()\n    x.span()\n    make()\n    Exported()\n",
    ),
    (
        "app/lost.py",
        "import nowhere.at.all\nfrom nowhere import thing\nfrom app.missing import Gone as Here\nfrom missing import other\nimport kinds.wide\nfrom wide import span\n\nheld = Here()\n\n\ndef lost():\n    thing.run()\n    held.use()\n    span()\n    return other\n",
    ),
    (
        "app/held.py",
        "from app.lost import held, thing\n\n\ndef go(x):\n    held.vanish()\n    thing.walk()\n    getattr(x, 'test_' + x)()\n",
    ),
    (
        "tests/conftest.py",
        "import pytest\nfrom app.models import Child\n\n\n@pytest.fixture\ndef child():\n    return Child()\n",
    ),
    ("tests/helpers.py", "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef always():\n    return 1\n"),
    (
        "tests/test_app.py",
        "from app.main import main\nfrom tests.helpers import always\nfrom unittest import mock\n\n\n@mock.patch('app.tools.make')\ndef test_run(child, always, outer):\n    assert main(child)\n    load('app.kinds.wide.span', 'kinds.wide')\n",
    ),
    (
        "tests/unit/test_more.py",
        "from app.kinds.deep import Deep\n\n\nclass TestMore(Deep):\n    def test_more(self, child, outer):\n        self.run()\n        load('../../data/rules.json')\n",
    ),
    ("data/rules.json", "{}\n"),
    ("web/package.json", "{\"name\": \"web\", \"main\": \"src/entry\"}\n"),
    (
        "web/src/index.ts",
        "import { make } from './tools';\nimport data from './data.json';\n\nexport function main() {\n    make();\n    open('data/rules.json');\n}\n",
    ),
    ("web/src/tools.ts", "export function make() {\n    return 1;\n}\n"),
    (
        "tests/far.py",
        "import deeper\nfrom split.one import here\nfrom split import two\nfrom pkg.fast import go\n\n\ndef far():\n    deeper.down()\n    return here(two, go)\n",
    ),
    ("one/split/one.py", "def here():\n    return 1\n"),
    ("pkg/notes.html", "x\n"),
    ("web/src/view.vue", "x\n"),
    ("web/src/view.test.ts", "import view from './view.vue';\ntest('a', () => view);\n"),
    ("web/src/lazy.ts", "export const lazy = (n) => require(`./${n}`);\n"),
    ("web/src/more.ts", "import { main } from '.';\nimport web from 'web';\n\nmain();\nweb.make();\n"),
    ("go.mod", "module example.com/m\n"),
    (
        "main.go",
        "package main\n\nimport (\n    \"embed\"\n    \"example.com/m/part\"\n)\n\n//go:embed data\nvar files embed.FS\n\nfunc main() {\n    part.Do()\n}\n",
    ),
    ("part/part.go", "package part\n\nfunc Do() {}\n"),
    ("crate/Cargo.toml", "[package]\nname = \"app\"\n"),
    (
        "crate/src/lib.rs",
        "pub mod tools;\n\npub fn run() {\n    tools::make();\n    include_str!(\"../../data/rules.json\");\n}\n",
    ),
    ("crate/src/tools.rs", "pub fn make() {}\n"),
];

/// What may come beside them: what shadows, what was missing, what makes a package of a folder.
const NEW: &[(&str, &str)] = &[
    ("app/tools/__init__.py", "from app.models import Base as Tool\n\n\ndef make() -> Tool:\n    return Tool()\n"),
    ("app/tools.pyi", "class Tool: ...\n"),
    ("app/kinds/__init__.py", "from .deep import Deep\nfrom . import wide as broad\n"),
    ("app/kinds.py", "wide = 1\n"),
    (
        "app/missing.py",
        "class Gone:\n    def use(self):\n        return 1\n\n    def vanish(self):\n        return 2\n",
    ),
    ("missing.py", "other = 3\n"),
    ("nowhere/__init__.py", "from app.tools import make as thing\n"),
    ("nowhere/at/all.py", "def walk():\n    pass\n"),
    ("tests/__init__.py", ""),
    (
        "tests/unit/conftest.py",
        "import pytest\n\n\n@pytest.fixture\ndef outer():\n    return 1\n\n\n@pytest.fixture\ndef child(child):\n    return child\n",
    ),
    (
        "conftest.py",
        "import pytest\nfrom tests.helpers import always\n\n\n@pytest.fixture\ndef outer():\n    return 1\n",
    ),
    ("tests/plugin.py", "pytest_plugins = ['tests.helpers']\n"),
    ("lib/kinds/wide.py", "def span():\n    return 2\n"),
    ("other/app/main.py", "def main():\n    return 1\n"),
    ("app/data/rules.json", "{}\n"),
    ("other/rules.json", "{}\n"),
    ("kinds/notes.md", "x\n"),
    (
        "app/star.py",
        "from app.kinds import *\nfrom app.main import *\n\n\ndef star():\n    wide.span()\n    kit.make()\n",
    ),
    ("app/broken.py", "def broken(:\n"),
    ("app/setup.py", ""),
    ("pyproject.toml", ""),
    ("app/pyproject.toml", ""),
    ("src/app.py", "def make():\n    pass\n"),
    ("web/src/data.json", "{}\n"),
    ("web/src/entry.ts", "export * from './tools';\n"),
    ("web/src/tools/index.ts", "export const make = 1;\n"),
    ("web/src/tools.d.ts", "export declare function make(): void;\n"),
    ("web/tsconfig.json", "{\"compilerOptions\": {\"baseUrl\": \"src\"}}\n"),
    ("data/more.txt", "x\n"),
    ("lib/deeper.py", "def down():\n    return 1\n"),
    ("other/deeper.py", "def down():\n    return 2\n"),
    ("other/split/one.py", "def here():\n    return 2\n"),
    ("other/split/two.py", "x = 1\n"),
    ("other/split/__init__.py", "x = 1\n"),
    ("pkg/fast.pyx", "x\n"),
    ("pkg/__init__.py", "x = 1\n"),
    ("web/src/__mocks__/axios.js", "exports.a = 1;\n"),
    ("web/jest.config.js", "module.exports = {};\n"),
    ("web/src/setupTests.ts", "export {};\n"),
    ("web/src/package.json", "{\"name\": \"deep\", \"jest\": {\"setupFiles\": [\"./tools\"]}}\n"),
    ("part/more.go", "package part\n\nfunc More() {}\n"),
    ("crate/src/tools/mod.rs", "pub fn make() {}\n"),
];

fn tree() -> Tree {
    FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

fn graph(tree: &Tree) -> CodeGraph {
    support::graph(&tree.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>())
}

/// The graph of one tree made from that of another one; `None` where it has to be built.
fn moved(graph: &CodeGraph, from: &Tree, to: &Tree) -> Option<CodeGraph> {
    let differs = |(path, text): &(&String, &String)| from.get(*path) != Some(*text);
    let files: Vec<_> = to.iter().filter(differs).map(|(path, text)| file(path, text)).collect();
    let gone: Vec<Arc<str>> =
        from.keys().filter(|path| !to.contains_key(*path)).map(|path| Arc::from(path.as_str())).collect();
    let repaired = graph.traced().repaired(&files, &gone, Repair::Any).ok();
    let by_names = graph.repaired(&files, &gone, Repair::Any).ok();
    if let (Some(one), Some(other)) = (&repaired, &by_names) {
        assert_equal(one, other, "by names");
    }
    repaired
}

/// Holds the repair of one tree to another one, and back, against building: how many were repaired.
fn hold(before: &CodeGraph, from: &Tree, to: &Tree, of: &str) -> usize {
    let after = graph(to);
    let there = moved(before, from, to).inspect(|there| assert_equal(there, &after, of));
    let back = moved(&after, to, from).inspect(|back| assert_equal(back, before, &format!("{of}, back")));
    usize::from(there.is_some()) + usize::from(back.is_some())
}

#[test]
fn each_file_that_goes_and_comes_back_repairs_the_graph() {
    let tree = tree();
    let before = graph(&tree);
    let mut repaired = 0;
    for path in tree.keys() {
        let mut without = tree.clone();
        without.remove(path);
        repaired += hold(&before, &tree, &without, path);
    }
    assert!(repaired > tree.len(), "{repaired} repaired");
}

#[test]
fn each_file_that_comes_and_each_two_of_them_repair_the_graph() {
    let tree = tree();
    let before = graph(&tree);
    let mut repaired = 0;
    for (at, (path, text)) in NEW.iter().enumerate() {
        let mut with = tree.clone();
        with.insert((*path).to_owned(), (*text).to_owned());
        repaired += hold(&before, &tree, &with, path);
        let beside = graph(&with);
        for (other, text) in &NEW[..at] {
            let mut both = with.clone();
            both.insert((*other).to_owned(), (*text).to_owned());
            repaired += hold(&beside, &with, &both, &format!("{other} beside {path}"));
        }
    }
    assert!(repaired > 600, "{repaired} repaired");
}

#[test]
fn each_file_that_moves_to_a_place_of_another_one_repairs_the_graph() {
    let tree = tree();
    let before = graph(&tree);
    let mut repaired = 0;
    let places = FILES.iter().chain(NEW).map(|(path, _)| *path);
    for place in places {
        for (path, text) in &tree {
            let ending = |path: &str| path.rsplit('.').next().map(str::to_owned);
            if path == place || ending(path) != ending(place) {
                continue;
            }
            let mut renamed = tree.clone();
            renamed.remove(path);
            renamed.insert(place.to_owned(), text.clone());
            repaired += hold(&before, &tree, &renamed, &format!("{path} to {place}"));
        }
    }
    assert!(repaired > 300, "{repaired} repaired");
}

/// What an import of `shapes` leads to hangs on the folders that imports start from, and those on files that name nothing.
const SHAPES: &[(&str, &str)] = &[
    ("lib/shapes.py", "from corners import corner\n\n\ndef area():\n    return corner()\n"),
    ("lib/corners.py", "def corner():\n    return 1\n"),
    ("old/shapes.py", "def area():\n    return 2\n"),
    ("lib/src/shapes.py", "def area():\n    return 3\n"),
    (
        "tests/test_area.py",
        "from shapes import area\n\n\ndef test_area():\n    assert area()\n    load('shapes.area')\n",
    ),
];

/// Holds a change of import roots against building, there and back. The edges of files that it leaves must differ.
#[track_caller]
fn hold_roots(beside: &[(&str, &str)], added: &[&str]) {
    let mut from: Tree =
        SHAPES.iter().chain(beside).map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let mut to = from.clone();
    added.iter().for_each(|path| drop(to.insert((*path).to_owned(), String::new())));
    let (before, after) = (graph(&from), graph(&to));
    let of_test = |graph: &CodeGraph| -> BTreeSet<String> {
        let edges = graph.edges().map(|edge| (graph.key(edge.from), graph.key(edge.to), edge.evidence));
        let of_test = edges.filter(|(from, ..)| &*from.path == "tests/test_area.py");
        of_test.map(|edge| format!("{edge:?}")).collect()
    };
    assert_ne!(of_test(&before), of_test(&after), "nothing hangs on the roots");
    hold(&before, &from, &to, "roots");
    // Beside an edit of a file that nobody asks for, too.
    let alone = "alone.py".to_owned();
    from.insert(alone.clone(), "x = 1\n".to_owned());
    to.insert(alone, "x = 2\n".to_owned());
    hold(&graph(&from), &from, &to, "roots, beside an edit");
}

#[test]
fn imports_start_in_a_folder_that_becomes_a_project() {
    for manifest in ["lib/pyproject.toml", "lib/setup.cfg", "lib/setup.py"] {
        hold_roots(&[], &[manifest]);
    }
}

#[test]
fn imports_start_in_another_folder_where_a_nearer_project_comes() {
    hold_roots(&[("old/pyproject.toml", "")], &["lib/pyproject.toml"]);
}

#[test]
fn imports_no_longer_start_in_a_project_or_src_that_becomes_a_package() {
    hold_roots(&[("old/setup.cfg", "")], &["old/__init__.py"]);
    hold_roots(&[], &["lib/src/__init__.py"]);
}

#[test]
fn a_src_layout_that_appears_gives_the_graph_that_is_built() {
    hold_roots(&[], &["src/shapes.py"]);
}

/// Numbers that look random and are always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap_or_default()
    }
}

#[test]
fn a_history_in_which_files_come_go_move_and_change_is_followed() {
    let bodies = [
        "",
        "def use(self):\n    return make()\n",
        "from app.tools import *\n",
        "class Tool(Base):\n    pass\n",
        "Child = 1\n",
    ];
    let pool: Vec<(&str, &str)> = FILES.iter().chain(NEW).copied().collect();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut now = tree();
    let mut known = graph(&now);
    let (mut repaired, mut built) = (0, 0);
    for step in 0..400 {
        let mut next = now.clone();
        for _ in 0..=dice.below(4) {
            let (path, text) = pool[dice.below(pool.len())];
            match dice.below(5) {
                0 | 1 => drop(next.insert(path.to_owned(), text.to_owned())),
                2 => drop(next.remove(path)),
                3 => {
                    let (_, other) = pool[dice.below(pool.len())];
                    next.insert(path.to_owned(), other.to_owned());
                }
                _ => {
                    if let Some(text) = next.get_mut(path) {
                        text.push_str(bodies[dice.below(bodies.len())]);
                    }
                }
            }
        }
        let anew = graph(&next);
        match moved(&known, &now, &next) {
            Some(after) => {
                repaired += 1;
                assert_equal(&after, &anew, &format!("step {step}: {:?} to {:?}", now.keys(), next.keys()));
                known = after;
            }
            None => {
                built += 1;
                known = anew;
            }
        }
        now = next;
    }
    assert!(repaired > built, "{repaired} repaired, {built} built");
}
