//! One claim a row of the tables in `docs/languages.md`, which name these tests.

use grace_graph::code::EdgeKind::{Calls, Imports, Inherits, References};
use grace_graph::code::Evidence::{Call, Guess, Import, String as Literal};
use grace_graph::code::{Evidence, FolderUse, PartId, PartKind};
use grace_graph::extract::extract;
use grace_graph::facts::{FileFacts, Language};
use grace_graph::graph::{CodeGraph, UnresolvedKind};
use proptest::prelude::*;

use crate::support::{assert_edge, assert_no_edge, edges, graph, part};

const LANGUAGES: [Language; 11] = [
    Language::TypeScript,
    Language::Tsx,
    Language::JavaScript,
    Language::Rust,
    Language::Go,
    Language::PackageJson,
    Language::PythonToml,
    Language::PythonIni,
    Language::TsConfig,
    Language::CargoToml,
    Language::GoMod,
];

fn tests(graph: &CodeGraph) -> Vec<String> {
    graph.tests().iter().map(|part| graph.qualified_name(*part).into_owned()).collect()
}

fn unresolved(graph: &CodeGraph) -> Vec<(UnresolvedKind, String)> {
    graph.unresolved().map(|unresolved| (unresolved.kind, unresolved.name.to_string())).collect()
}

// TypeScript and JavaScript.

#[test]
fn script_relative_imports() {
    let graph = graph(&[
        ("src/a.ts", "import { f } from './b';\nimport './side.js';\nimport data from '../data.json';\nf();\n"),
        ("src/b.ts", "export function f() {}\n"),
        ("src/side.ts", ""),
        ("data.json", "{}"),
    ]);
    assert_edge(&graph, "src.a", Imports, "src.b", Import);
    assert_edge(&graph, "src.a", Imports, "src.b.f", Import);
    assert_edge(&graph, "src.a", Calls, "src.b.f", Call);
    assert_edge(&graph, "src.a", Imports, "src.side", Import);
    assert_edge(&graph, "src.a", Imports, "data.json", Import);
}

#[test]
fn script_index_files() {
    let graph =
        graph(&[("a.ts", "import { f } from './lib';\nf();\n"), ("lib/index.ts", "export const f = () => 1;\n")]);
    assert_edge(&graph, "a", Imports, "lib", Import);
    assert_edge(&graph, "a", Calls, "lib.f", Call);
}

#[test]
fn script_barrels_lead_to_the_definition() {
    let graph = graph(&[
        ("a.ts", "import { f, g as h, K } from './lib';\nf();\nh();\nnew K().run();\n"),
        ("lib/index.ts", "export * from './f';\nexport { g } from './g';\nexport { default as K } from './k';\n"),
        ("lib/f.ts", "export function f() {}\n"),
        ("lib/g.ts", "export function g() {}\n"),
        ("lib/k.ts", "export default class { constructor() {} run() {} }\n"),
    ]);
    for to in ["lib.f.f", "lib.g.g", "lib.k.default"] {
        assert_edge(&graph, "a", Imports, to, Import);
        assert_edge(&graph, "a", Calls, to, Call);
    }
    assert_edge(&graph, "a", Calls, "lib.k.default.run", Call);
    assert_edge(&graph, "a", Calls, "lib.k.default.constructor", Call);
    assert_edge(&graph, "lib", Imports, "lib.f", Import);
}

#[test]
fn script_commonjs() {
    let graph = graph(&[
        (
            "a.js",
            "const whole = require('./b');\nconst { g, h: i } = require('./b');\nwhole.f();\ng();\ni();\nrequire('./c')();\nconst c = require('./c');\nc();\n",
        ),
        ("b.js", "function f() {}\nexports.g = function () {};\nmodule.exports.h = () => 1;\nexports.f = f;\n"),
        ("c.js", "module.exports = main;\nfunction main() {}\n"),
        ("d.js", "const k = require('./e');\nk.m();\n"),
        ("e.js", "function m() {}\nmodule.exports = { m };\n"),
    ]);
    for to in ["b.f", "b.g", "b.h", "c.main"] {
        assert_edge(&graph, "a", Calls, to, Call);
    }
    assert_edge(&graph, "a", Imports, "b", Import);
    assert_edge(&graph, "d", Calls, "e.m", Call);
}

#[test]
fn script_dynamic_imports() {
    let graph = graph(&[
        (
            "a.ts",
            "async function f() {\n  const m = await import('./b');\n  m.g();\n  import('./c');\n  import(name);\n}\n",
        ),
        ("b.ts", "export function g() {}\n"),
        ("c.ts", ""),
    ]);
    assert_edge(&graph, "a.f", Imports, "b", Import);
    assert_edge(&graph, "a.f", Calls, "b.g", Call);
    assert_edge(&graph, "a.f", Imports, "c", Literal);
    assert_eq!(unresolved(&graph), [(UnresolvedKind::Computed, String::new())]);
}

#[test]
fn script_path_aliases() {
    let files = [
        (
            "web/tsconfig.json",
            "{ // c\n \"extends\": \"../base\", \"compilerOptions\": { \"paths\": { \"@/*\": [\"./src/*\"], \"util\": [\"./src/u.ts\"] } } }",
        ),
        ("base.json", "{}"),
        ("base/tsconfig.json", "{}"),
        ("web/src/a.ts", "import { f } from '@/b';\nimport 'util';\nf();\n"),
        ("web/src/b.ts", "export function f() {}\n"),
        ("web/src/u.ts", ""),
        ("tsconfig.json", "{\"compilerOptions\": {\"baseUrl\": \"lib\"}}"),
        ("main.ts", "import 'x/y';\n"),
        ("lib/x/y.ts", ""),
        ("app/tsconfig.json", "{\"extends\": \"./tsconfig.base.json\"}"),
        ("app/tsconfig.base.json", "{\"compilerOptions\": {\"baseUrl\": \".\", \"paths\": {\"~*\": [\"in/*\"]}}}"),
        ("app/m.ts", "import '~/n';\n"),
        ("app/in/n.ts", ""),
    ];
    let graph = graph(&files);
    assert_edge(&graph, "web.src.a", Calls, "web.src.b.f", Call);
    assert_edge(&graph, "web.src.a", Imports, "web.src.u", Import);
    assert_edge(&graph, "main", Imports, "lib.x.y", Import);
    assert_edge(&graph, "app.m", Imports, "app.in.n", Import);
}

#[test]
fn aliases_are_meant_from_an_inherited_base_and_a_tsconfig_hides_a_jsconfig() {
    let graph = graph(&[
        ("tsconfig.json", "{\"compilerOptions\": {\"baseUrl\": \"./src\"}}"),
        (
            "web/tsconfig.json",
            "{\"extends\": \"../tsconfig.json\", \"compilerOptions\": {\"paths\": {\"@/*\": [\"./*\"]}}}",
        ),
        ("web/jsconfig.json", "{\"compilerOptions\": {\"paths\": {\"@/*\": [\"./wrong/*\"]}}}"),
        ("web/a.ts", "import '@/x';\n"),
        ("src/x.ts", ""),
        ("web/x.ts", ""),
        ("web/wrong/x.ts", ""),
    ]);
    assert_eq!(edges(&graph, "web.a"), ["imports src.x import"]);
}

#[test]
fn configurations_that_extend_one_another_many_times_are_read_once() {
    let extends = |to: &str| format!("{{\"extends\": [{}]}}", vec![format!("\"./{to}.json\""); 200].join(", "));
    let (root, a, b) = (extends("tsconfig.a"), extends("tsconfig.b"), extends("tsconfig.a"));
    let graph = graph(&[("tsconfig.json", &root), ("tsconfig.a.json", &a), ("tsconfig.b.json", &b), ("x.ts", "")]);
    assert_eq!(graph.files().len(), 4);
}

#[test]
fn modules_that_hand_on_all_names_of_one_another_are_looked_through_within_bounds() {
    // What names nothing is looked for in each of them, behind each of them.
    let stars: String = (0..200).map(|n| format!("export * from './m{n}';\n")).collect();
    let uses: String = (0..100).map(|n| format!("none{n}();\n")).collect();
    let names: String = (0..100).map(|n| format!("none{n}, ")).collect();
    let user = format!("import {{ {names} }} from './m0';\n{uses}");
    let paths: Vec<String> = (0..200).map(|n| format!("m{n}.ts")).collect();
    let mut files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), stars.as_str())).collect();
    files.push(("user.ts", &user));
    assert_edge(&graph(&files), "user", Imports, "m0", Import);
}

#[test]
fn an_import_leads_to_every_file_of_a_large_package() {
    let paths: Vec<String> = (0..1_100).map(|n| format!("big/f{n:04}.go")).collect();
    let import = |count: usize| {
        let mut files: Vec<(&str, &str)> = paths[..count].iter().map(|path| (path.as_str(), "package big\n")).collect();
        files.extend([("go.mod", "module m\n"), ("main.go", "package main\n\nimport \"m/big\"\n")]);
        graph(&files)
    };
    assert_edge(&import(70), "main", Imports, "big.f0069", Import);
    assert!(import(70).dependents().is_empty());
    // Beyond what can be listed, it hangs on the folder.
    let graph = import(1_100);
    assert_eq!(graph.dependents_of("big").iter().map(|one| one.part).collect::<Vec<_>>(), [part(&graph, "main")]);
}

#[test]
fn a_crate_of_a_name_that_others_have_is_found_by_its_path_and_else_guessed() {
    let user = |dependency: &str| {
        let manifest = format!("[package]\nname = \"user\"\n[dependencies]\n{dependency}\n");
        graph(&[
            ("one/Cargo.toml", "[package]\nname = \"same\"\n"),
            ("one/src/lib.rs", "pub fn f() {}\n"),
            ("two/Cargo.toml", "[package]\nname = \"same\"\n"),
            ("two/src/lib.rs", "pub fn f() {}\n"),
            ("user/Cargo.toml", &manifest),
            ("user/src/lib.rs", "use same::f;\npub fn g() { f(); same::f(); }\n"),
        ])
    };
    let by_path = user("same = { path = \"../two\" }");
    let files = |graph: &CodeGraph, evidence| {
        let from = graph.part_ids().filter(|part| graph.file(graph.part(*part).file).path.starts_with("user/src"));
        let edges = from.flat_map(|part| graph.out_edges(part, &[Calls]).collect::<Vec<_>>());
        let to = edges.filter(|edge| edge.evidence == evidence);
        let mut files: Vec<String> = to.map(|edge| graph.file(graph.part(edge.to).file).path.to_string()).collect();
        files.sort();
        files.dedup();
        files
    };
    assert_eq!(files(&by_path, Call), ["two/src/lib.rs"]);
    assert_eq!(files(&by_path, Guess), [""; 0]);
    let by_name = user("same = \"1\"");
    assert_eq!(files(&by_name, Call), [""; 0]);
    assert_eq!(files(&by_name, Guess), ["one/src/lib.rs", "two/src/lib.rs"]);
}

#[test]
fn inline_modules_nested_too_deeply_are_flagged_and_have_no_paths() {
    let deep = format!("{}{}", "mod a{mod b;".repeat(20_000), "}".repeat(20_000));
    let facts = extract(Language::Rust, deep.as_bytes());
    assert!(facts.problems.iter().any(|problem| problem.kind == grace_graph::facts::ProblemKind::TooDeep));
    assert!(facts.outline.imports.len() <= 64);
    let shallow = format!("{}mod b;{}", "mod a{".repeat(60), "}".repeat(60));
    let facts = extract(Language::Rust, shallow.as_bytes());
    assert!(facts.problems.is_empty() && facts.outline.imports.len() == 1);
}

#[test]
fn script_workspace_packages() {
    let graph = graph(&[
        (
            "packages/a/package.json",
            "{\"name\": \"@w/a\", \"exports\": {\".\": {\"types\": \"./dist/index.d.ts\", \"import\": \"./dist/index.js\"}, \"./sub\": \"./src/sub.ts\", \"./x/*\": \"./src/x/*.ts\"}}",
        ),
        ("packages/a/src/index.ts", "export function f() {}\n"),
        ("packages/a/src/sub.ts", "export const s = 1;\n"),
        ("packages/a/src/x/y.ts", ""),
        (
            "packages/b/package.json",
            "{\"name\": \"b\", \"main\": \"main.js\", \"dependencies\": {\"react\": \"1\"}, \"imports\": {\"#in\": \"./in.js\"}}",
        ),
        (
            "packages/b/main.js",
            "import { f } from '@w/a';\nimport '@w/a/sub';\nimport '@w/a/x/y';\nimport 'react';\nimport '#in';\nimport 'fs';\nimport 'gone';\nf();\n",
        ),
        ("packages/b/in.js", ""),
        ("packages/c/c.ts", "import 'b';\n"),
    ]);
    let from = "packages.b.main";
    assert_edge(&graph, from, Imports, "packages.a.src", Guess);
    assert_edge(&graph, from, Imports, "packages.a.src.sub", Import);
    assert_edge(&graph, from, Imports, "packages.a.src.x.y", Import);
    assert_edge(&graph, from, Imports, "packages.b.in", Import);
    assert_edge(&graph, "packages.c.c", Imports, from, Import);
    assert_eq!(unresolved(&graph), [(UnresolvedKind::External, "gone".to_owned())]);
}

#[test]
fn script_classes_and_calls() {
    let graph = graph(&[
        (
            "base.ts",
            "export abstract class Base { constructor() {} run() { this.step(); } step() {} }\nexport interface Shape { area(): number }\n",
        ),
        (
            "a.ts",
            "import * as b from './base';\nimport type { Shape } from './base';\nclass Sub extends b.Base implements Shape {\n  constructor(private other: Sub) { super(); }\n  area() { return this.other.go(null); }\n  go(s: Shape) { super.run(); this.step(); s.area(); }\n}\nexport function make(): Sub { return new Sub(null); }\nmake().go(null);\n",
        ),
    ]);
    assert_edge(&graph, "a.Sub", Inherits, "base.Base", Call);
    assert_edge(&graph, "a.Sub", Inherits, "base.Shape", Call);
    assert_edge(&graph, "base.Base.run", Calls, "base.Base.step", Call);
    assert_edge(&graph, "a.Sub.constructor", Calls, "base.Base.constructor", Call);
    assert_edge(&graph, "a.Sub.area", Calls, "a.Sub.go", Call);
    assert_edge(&graph, "a.Sub.go", Calls, "base.Base.run", Call);
    assert_edge(&graph, "a.Sub.go", Calls, "base.Base.step", Call);
    assert_edge(&graph, "a.Sub.go", Calls, "base.Shape.area", Call);
    assert_edge(&graph, "a.Sub.go", Calls, "a.Sub.area", Guess);
    assert_edge(&graph, "a", Calls, "a.Sub.go", Call);
    let types = graph.out_edges(part(&graph, "a"), &[Imports]).filter(|edge| edge.type_only).count();
    assert_eq!(types, 1, "what only types need is marked: {:?}", edges(&graph, "a"));
}

#[test]
fn script_jsx_and_decorators() {
    let graph = graph(&[
        (
            "a.tsx",
            "import { Box } from './box';\nimport { dec } from './dec';\n@dec\nclass A {}\nexport const App = () => <Box.Item><Box/><div/></Box.Item>;\n",
        ),
        ("box.tsx", "export function Box() { return null; }\n"),
        ("dec.ts", "export function dec(x: unknown) {}\n"),
    ]);
    assert_edge(&graph, "a.App", Calls, "box.Box", Call);
    assert_edge(&graph, "a.A", References, "dec.dec", Call);
    assert!(graph.decorators(part(&graph, "a.A")).eq(["dec"]));
}

#[test]
fn script_tests_and_mocks() {
    let graph = graph(&[
        ("a.test.ts", "import { f } from './a';\njest.mock('./dep', () => ({}));\nit('works', () => { f(); });\n"),
        ("__tests__/b.js", "test('x', () => {});\n"),
        ("c.mjs", "import { test } from 'node:test';\nimport { f } from './a.ts';\ntest('y', () => f());\n"),
        ("a.ts", "import './dep';\nexport function f() {}\n"),
        ("dep.ts", ""),
    ]);
    assert_eq!(tests(&graph), ["__tests__.b", "a.test", "c"]);
    assert_edge(&graph, "a.test", Imports, "dep", Literal);
    assert_edge(&graph, "a.test", Calls, "a.f", Call);
    let is_test = |path: &str| graph.file_by_path(path).is_some_and(|file| graph.file(file).is_test);
    assert!(is_test("a.test.ts") && is_test("__tests__/b.js") && is_test("c.mjs") && !is_test("a.ts"));
}

#[test]
fn script_reference_directives() {
    let graph = graph(&[
        ("a.ts", "/// <reference path=\"types/b.d.ts\" />\n/// <reference types=\"node\" />\n"),
        ("types/b.d.ts", ""),
    ]);
    assert_eq!(edges(&graph, "a"), ["imports types.b.d string type_only"]);
    assert_eq!(unresolved(&graph), []);
}

#[test]
fn script_declarations_lead_to_what_they_declare() {
    let graph = graph(&[
        (
            "package.json",
            "{\"name\": \"p\", \"exports\": {\".\": {\"types\": \"./lib/b.d.ts\", \"import\": \"./dist/b.js\"}}}",
        ),
        ("lib/b.d.ts", "export function f(): void;\n"),
        ("lib/b.js", "export function f() {}\n"),
        ("a.ts", "import { f } from './lib/b';\nf();\n"),
        ("own.mjs", "import 'p';\n"),
        ("typed.ts", "import type { f } from './lib/b';\n"),
    ]);
    for from in ["a", "own"] {
        assert_edge(&graph, from, Imports, "lib.b.d", Import);
        assert_edge(&graph, from, Imports, "lib.b", Import);
    }
    assert_edge(&graph, "typed", Imports, "lib.b.d", Import);
    assert_no_edge(&graph, "typed", "lib.b");
}

#[test]
fn script_path_literals() {
    let graph = graph(&[
        ("web/a.ts", "readFileSync('schema');\nconst t = './data/x.sql';\n"),
        ("web/schema", ""),
        ("web/data/x.sql", ""),
        ("data/x.sql", ""),
    ]);
    assert_edge(&graph, "web.a", References, "web/schema", Literal);
    assert_edge(&graph, "web.a", References, "web/data/x.sql", Literal);
    assert_no_edge(&graph, "web.a", "data/x.sql");
}

// Rust.

#[test]
fn rust_modules() {
    let graph = graph(&[
        ("Cargo.toml", "[package]\nname = \"one\"\n"),
        ("src/lib.rs", "pub mod a;\nmod b;\n#[path = \"odd/name.rs\"]\nmod c;\nmod gone;\n"),
        ("src/a.rs", "pub mod inner;\n"),
        (
            "src/a/inner.rs",
            "use super::super::b::f;\nuse crate::c;\npub fn g() { f(); c::h(); self::k(); }\nfn k() {}\n",
        ),
        ("src/b/mod.rs", "pub fn f() {}\n"),
        ("src/odd/name.rs", "pub fn h() {}\n"),
        ("tests/it.rs", "mod common;\nuse one::a::inner::g;\n#[test]\nfn works() { g(); common::help(); }\n"),
        ("tests/common/mod.rs", "pub fn help() {}\n"),
    ]);
    for to in ["src.a", "src.b", "src.odd.name"] {
        assert_edge(&graph, "src.lib", Imports, to, Import);
    }
    assert_edge(&graph, "src.a", Imports, "src.a.inner", Import);
    for to in ["src.b.f", "src.odd.name.h", "src.a.inner.k"] {
        assert_edge(&graph, "src.a.inner.g", Calls, to, Call);
    }
    assert_edge(&graph, "tests.it.works", Calls, "src.a.inner.g", Call);
    assert_edge(&graph, "tests.it.works", Calls, "tests.common.help", Call);
    assert_edge(&graph, "tests.it", Imports, "src.a.inner", Import);
    assert_eq!(unresolved(&graph), [(UnresolvedKind::RelativeModule, "self.gone".to_owned())]);
    assert_eq!(tests(&graph), ["tests.it.works"]);
}

#[test]
fn rust_uses() {
    let graph = graph(&[
        (
            "src/main.rs",
            "mod a;\nmod b;\nuse b::*;\nuse a::{self, Kind as K};\nfn main() { starred(); a::f(); K::new(); inline::deep(); }\nmod inline { use super::a; pub fn deep() { a::f(); super::top(); } }\nfn top() {}\n",
        ),
        ("src/a.rs", "pub use crate::b::Kind;\npub fn f() {}\n"),
        ("src/b.rs", "pub fn starred() {}\npub struct Kind;\nimpl Kind { pub fn new() -> Self { Kind } }\n"),
    ]);
    for to in ["src.b.starred", "src.a.f", "src.b.Kind.new", "src.main.inline.deep"] {
        assert_edge(&graph, "src.main.main", Calls, to, Call);
    }
    assert_edge(&graph, "src.main.inline.deep", Calls, "src.a.f", Call);
    assert_edge(&graph, "src.main.inline.deep", Calls, "src.main.top", Call);
    assert_edge(&graph, "src.a", Imports, "src.b", Import);
}

#[test]
fn rust_workspace_crates() {
    let graph = graph(&[
        ("one/Cargo.toml", "[package]\nname = \"one-lib\"\n[lib]\npath = \"root.rs\"\n"),
        ("one/root.rs", "pub fn f() {}\n"),
        (
            "two/Cargo.toml",
            "[package]\nname = \"two\"\n[dependencies]\none-lib = { path = \"../one\" }\nalias = { package = \"one-lib\", path = \"../one\" }\nserde = \"1\"\n",
        ),
        (
            "two/src/main.rs",
            "use one_lib::f;\nuse serde::Serialize;\nuse std::fmt;\nuse unknown::x;\nfn main() { f(); alias::f(); }\n",
        ),
        ("two/benches/b.rs", "fn main() { one_lib::f(); }\n"),
    ]);
    assert_edge(&graph, "two.src.main", Imports, "one.root", Import);
    assert_edge(&graph, "two.src.main.main", Calls, "one.root.f", Call);
    assert_edge(&graph, "two.benches.b.main", Calls, "one.root.f", Call);
    assert_eq!(unresolved(&graph), [(UnresolvedKind::External, "unknown".to_owned())]);
}

#[test]
fn rust_impls_and_traits() {
    let graph = graph(&[
        (
            "src/lib.rs",
            "mod t;\nuse t::{Run, Base};\npub struct Kind { other: Other }\nimpl Kind { pub fn new() -> Self { Self::helper(); Kind { other: Other } } fn helper() {} fn go(&self) { self.other.step(); self.run(); } }\nimpl Run for Kind { fn run(&self) {} }\npub struct Other;\nimpl Other { fn step(&self) {} }\nfn f(k: &Kind) { k.go(); k.provided(); Kind::new().go(); }\nenum E { V }\nfn g() -> E { E::V }\n",
        ),
        ("src/t.rs", "pub trait Base {}\npub trait Run: Base { fn run(&self); fn provided(&self) {} }\n"),
    ]);
    assert_edge(&graph, "src.t.Run", Inherits, "src.t.Base", Call);
    let impls: Vec<_> = graph
        .part_ids()
        .filter(|part| graph.qualified_name(*part) == "src.lib.Kind")
        .map(|part| graph.out_edges(part, &[Inherits]).count())
        .collect();
    assert_eq!(impls, [0, 0, 1], "the type, what it does by itself, and its trait");
    assert_edge(&graph, "src.lib.Kind.new", Calls, "src.lib.Kind.helper", Call);
    assert_edge(&graph, "src.lib.Kind.go", Calls, "src.lib.Other.step", Call);
    assert_edge(&graph, "src.lib.Kind.go", Calls, "src.lib.Kind.run", Call);
    assert_edge(&graph, "src.lib.f", Calls, "src.lib.Kind.go", Call);
    assert_edge(&graph, "src.lib.f", Calls, "src.t.Run.provided", Call);
    assert_edge(&graph, "src.lib.g", References, "src.lib.E", Call);
}

#[test]
fn rust_tests_and_literals() {
    let graph = graph(&[
        (
            "src/lib.rs",
            "pub fn f() {}\nconst T: &str = include_str!(\"../data/t.txt\");\n#[cfg(test)]\nmod tests {\n    use super::*;\n    #[tokio::test]\n    async fn works() { assert_eq!(f(), ()); }\n}\n",
        ),
        ("data/t.txt", ""),
        ("tests/whole.rs", "fn main() {}\n"),
    ]);
    assert_eq!(tests(&graph), ["src.lib.tests.works"]);
    assert_edge(&graph, "src.lib.tests.works", Calls, "src.lib.f", Call);
    assert_edge(&graph, "src.lib", References, "data/t.txt", Literal);
    let is_test = |path: &str| graph.file_by_path(path).is_some_and(|file| graph.file(file).is_test);
    assert!(!is_test("src/lib.rs"), "the product's own code is no test for the tests inside it");
    assert!(is_test("tests/whole.rs"));
}

// Go.

#[test]
fn go_packages() {
    let graph = graph(&[
        ("go.mod", "module example.com/m\n\nrequire github.com/x/y v1\n"),
        (
            "main.go",
            "package main\n\nimport (\n\t\"fmt\"\n\t\"example.com/m/store\"\n\talias \"example.com/m/other\"\n\t\"github.com/x/y/z\"\n\t\"gone.org/a\"\n\t\"example.com/m/none\"\n)\n\nfunc main() { fmt.Println(store.New(), alias.Do(), helper()) }\n",
        ),
        ("helper.go", "package main\n\nfunc helper() int { return 1 }\n"),
        ("store/store.go", "package store\n\nfunc New() *Kind { return nil }\n"),
        ("store/kind.go", "package store\n\ntype Kind struct{}\n"),
        ("store/kind_test.go", "package store\n"),
        ("other/o.go", "package named\n\nfunc Do() {}\n"),
    ]);
    for to in ["store.store", "store.kind", "other.o"] {
        assert_edge(&graph, "main", Imports, to, Import);
    }
    assert_no_edge(&graph, "main", "store.kind_test");
    for to in ["store.store.New", "other.o.Do", "helper.helper"] {
        assert_edge(&graph, "main.main", Calls, to, Call);
    }
    assert_edge(&graph, "store.store.New", References, "store.kind.Kind", Call);
    assert_eq!(
        unresolved(&graph),
        [
            (UnresolvedKind::External, "gone.org/a".to_owned()),
            (UnresolvedKind::OwnModule, "example.com/m/none".to_owned())
        ]
    );
}

#[test]
fn go_methods_and_embedding() {
    let graph = graph(&[
        ("go.mod", "module m.org/m\n"),
        (
            "a/a.go",
            "package a\n\ntype Base struct{}\n\nfunc (b Base) Run() {}\n\ntype Kind struct {\n\tBase\n\tnext *Kind\n}\n\nfunc (k *Kind) Go() { k.Run(); k.next.Go(); k.more() }\n\ntype Doer interface{ Go() }\n",
        ),
        (
            "a/b.go",
            "package a\n\nfunc (k *Kind) more() {}\n\nfunc use(d Doer) {\n\tk := &Kind{}\n\tk.Go()\n\td.Go()\n\tnewKind().Go()\n}\n\nfunc newKind() *Kind { return nil }\n",
        ),
    ]);
    assert_edge(&graph, "a.a.Kind", Inherits, "a.a.Base", Call);
    assert_edge(&graph, "a.a.Kind.Go", Calls, "a.a.Base.Run", Call);
    assert_edge(&graph, "a.a.Kind.Go", Calls, "a.b.Kind.more", Call);
    assert_edge(&graph, "a.b.use", Calls, "a.a.Kind.Go", Call);
    assert_edge(&graph, "a.b.use", Calls, "a.a.Doer.Go", Call);
}

#[test]
fn go_tests() {
    let graph = graph(&[
        ("go.mod", "module m.org/m\n"),
        ("p/p.go", "package p\n\nfunc F() {}\n\nfunc TestLike() {}\n"),
        (
            "p/p_test.go",
            "package p\n\nfunc TestF(t *testing.T) { F() }\n\nfunc Testify() {}\n\nfunc BenchmarkF(b *testing.B) {}\n",
        ),
        (
            "p/x_test.go",
            "package p_test\n\nimport \"m.org/m/p\"\n\nfunc ExampleF() { p.F() }\n\nfunc FuzzF(f *testing.F) {}\n",
        ),
    ]);
    assert_eq!(tests(&graph), ["p.p_test.TestF", "p.p_test.BenchmarkF", "p.x_test.ExampleF", "p.x_test.FuzzF"]);
    assert_edge(&graph, "p.p_test.TestF", Calls, "p.p.F", Call);
    assert_edge(&graph, "p.x_test.ExampleF", Calls, "p.p.F", Call);
}

#[test]
fn go_embedded_files() {
    let graph = graph(&[
        ("a/a.go", "package a\n\nimport _ \"embed\"\n\n//go:embed t.txt sql/*.sql dir\nvar F embed.FS\n"),
        ("a/t.txt", ""),
        ("a/sql/x.sql", ""),
        ("a/sql/y.txt", ""),
        ("a/dir/deep/z", ""),
    ]);
    for to in ["a/t.txt", "a/sql/x.sql", "a/dir/deep/z"] {
        assert_edge(&graph, "a.a", References, to, Literal);
    }
    assert_no_edge(&graph, "a.a", "a/sql/y.txt");
}

// What holds for all of them.

#[test]
fn manifests_are_plain_files() {
    let graph = graph(&[
        ("package.json", "{\"name\": \"x\", \"main\": \"a.js\"}"),
        ("go.mod", "module x\n"),
        ("a/Cargo.toml", "\u{0}"),
    ]);
    for file in graph.files() {
        assert_eq!(
            (file.language, file.opaque, file.has_problems, file.parts.len()),
            (None, None, false, 1),
            "{}",
            file.path
        );
        let part = PartId(file.parts.start);
        assert_eq!((graph.part(part).kind, &*graph.qualified_name(part)), (PartKind::File, &*file.path));
    }
    assert!(graph.damaged().is_empty());
}

#[test]
fn languages_do_not_guess_at_each_other() {
    let graph = graph(&[
        ("a.py", "class A:\n    def unusual(self): pass\ndef f(x):\n    x.unusual()\n"),
        ("b.ts", "class B { unusual() {} }\nfunction f(x) { x.unusual(); }\n"),
        ("c.go", "package c\n\ntype C struct{}\n\nfunc (c C) unusual() {}\n"),
        ("d.rs", "struct D;\nimpl D { fn unusual(&self) {} }\nfn f(x: X) { x.unusual(); }\n"),
    ]);
    assert_eq!(edges(&graph, "a.f"), ["calls a.A.unusual guess"]);
    assert_eq!(edges(&graph, "b.f"), ["calls b.B.unusual guess"]);
    assert_eq!(edges(&graph, "d.f"), ["calls d.D.unusual guess"]);
}

#[test]
fn an_edit_of_a_manifest_is_seen_by_the_files_that_it_leads() {
    let file = crate::support::file;
    let config = |target: &str| format!("{{\"compilerOptions\": {{\"paths\": {{\"@/*\": [\"./{target}/*\"]}}}}}}");
    let before = graph(&[("tsconfig.json", &config("a")), ("m.ts", "import '@/x';\n"), ("a/x.ts", ""), ("b/x.ts", "")]);
    assert_edge(&before, "m", Imports, "a.x", Import);
    assert!(
        before.repaired(&[file("tsconfig.json", &config("b"))], &[], grace_graph::graph::Repair::Any).is_ok(),
        "other files see it"
    );
}

#[test]
fn script_set_up_and_mocks() {
    let graph = graph(&[
        ("web/package.json", "{\"jest\": {\"setupFiles\": [\"<rootDir>/first.ts\"]}}"),
        ("web/first.ts", ""),
        ("web/vitest.config.ts", "export default { test: { setupFiles: ['./second.ts'] } };\n"),
        ("web/second.ts", ""),
        ("web/src/setupTests.ts", ""),
        ("web/__mocks__/axios.js", ""),
        ("web/a.test.ts", "test('a', () => {});\n"),
        ("far/b.test.ts", "test('b', () => {});\n"),
    ]);
    for before in ["web/package.json", "web.vitest.config", "web.src.setupTests"] {
        assert_edge(&graph, "web.a.test", Imports, before, Evidence::Fixture);
    }
    assert_edge(&graph, "web/package.json", References, "web.first", Evidence::String);
    assert_edge(&graph, "web.vitest.config", References, "web.second", Evidence::String);
    let mocked: Vec<_> = graph.dependents().iter().map(|one| (&*one.folder, one.usage)).collect();
    assert_eq!(mocked, [("web/__mocks__", FolderUse::Loads)]);
}

#[test]
fn script_computed_imports() {
    let graph = graph(&[
        ("web/package.json", "{}"),
        ("web/src/a.ts", "export const all = import.meta.glob('./*.ts');\n"),
        ("web/src/b.js", "module.exports = (n) => require(`./${n}`);\n"),
        ("web/src/c.test.js", "test('c', (n) => require(n));\n"),
    ]);
    let hang: Vec<_> = graph.dependents().iter().map(|one| (&*one.folder, one.usage)).collect();
    let own = ("web", FolderUse::Loads);
    assert_eq!(hang.iter().filter(|one| **one == own).count(), 2, "{hang:?}");
    assert_eq!(hang.iter().filter(|one| **one == ("", FolderUse::Loads)).count(), 1, "{hang:?}");
    assert_eq!(hang.iter().filter(|one| one.1 == FolderUse::Reads).count(), 3, "{hang:?}");
}

#[test]
fn every_row_of_the_tables_names_a_test() {
    let page = include_str!("../../../../docs/languages.md");
    let source = include_str!("languages.rs");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ") && line.contains("_")).collect();
    let named = |row: &str| {
        let name = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        name.trim().trim_matches('`').to_owned()
    };
    assert!(rows.len() >= 15);
    for row in rows {
        assert!(source.contains(&format!("fn {}()", named(row))), "{row}");
    }
}

fn assert_sound(facts: &FileFacts, text: &str) {
    let outline = &facts.outline;
    let parts = outline.parts.len();
    assert!(parts >= 1);
    let is_plain = outline.parts[0].kind == PartKind::File;
    assert!(facts.digests.len() == parts || is_plain, "{text:?}");
    assert_eq!(facts.places.parts.len(), parts);
    assert_eq!(facts.places.sites.len(), outline.imports.len() + outline.references.len() + outline.strings.len());
    for (ordinal, (part, place)) in outline.parts.iter().zip(&facts.places.parts).enumerate().skip(1) {
        assert!(place.start <= place.def && place.def <= place.end, "{place:?} {text:?}");
        assert!((part.parent as usize) < ordinal, "a part comes after the part around it");
    }
    for site in 0..parts as u32 + facts.places.sites.len() as u32 {
        let line = facts.places.site_line(site).unwrap_or_default();
        assert!(line >= 1 && line <= facts.places.parts[0].end.max(1), "line {line}: {text:?}");
    }
}

#[test]
fn deep_and_broken_texts_end() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("f(", ")"),
        ("a.b().", ""),
        ("`${", "}`"),
        ("<a>", "</a>"),
        ("x => ", ""),
        ("function f() {", "}"),
        ("fn f() {", "}"),
        ("mod a {", "}"),
        ("namespace a {", "}"),
        ("class A { m() {", "}}"),
        ("@a ", ""),
        ("#[a] ", ""),
        ("a::", ""),
        ("Vec<", ">"),
        ("&", ""),
        ("if a {", "}"),
        ("use a::{", "}"),
        ("func() {", "}"),
        ("/* x */ ", ""),
        ("// @ts-ignore\n", ""),
        ("!", ""),
        ("a ? b : ", ""),
        ("-", ""),
        ("vec![", "]"),
        ("*", ""),
        ("[]", ""),
        ("{\"a\":", "}"),
        ("a = [", "]"),
    ] {
        for text in [open.repeat(1_000), format!("{}1{}", open.repeat(700), close.repeat(700))] {
            for language in LANGUAGES {
                assert_sound(&extract(language, text.as_bytes()), open);
            }
        }
    }
}

const PIECES: [&str; 90] = [
    "function f(a, {b}, ...c)",
    "class C extends B",
    "async ",
    "export default ",
    "export ",
    "import x from './y';",
    "import {a as b} from 'c'",
    "require('d')",
    "const ",
    "let x = ",
    "=> ",
    "new K()",
    "this.x = ",
    "super.m()",
    "@dec ",
    "<T,>",
    "<A b={c}/>",
    "`a ${b} c`",
    "/re/g",
    "interface I ",
    "type T = ",
    "enum E ",
    "namespace N ",
    "fn g(&self, x: &X) -> Y ",
    "impl T for S ",
    "struct S ",
    "trait T: U ",
    "mod m ",
    "mod n;",
    "use a::{b, c::*};",
    "#[test]\n",
    "#[path = \"q\"]\n",
    "let y: Z = ",
    "match x ",
    "|a| ",
    "println!(\"{}\", a.b())",
    "pub ",
    "'a ",
    "r#\"raw\"#",
    "macro_rules! m ",
    "package p\n",
    "func (r *R) m(a, b int) (x, error) ",
    "type K struct ",
    "import \"fmt\"\n",
    "go func() ",
    "x := y.z()",
    "//go:embed a/*.b\n",
    "var v = ",
    "chan int",
    "defer ",
    "range ",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    ",",
    "\n",
    "\n",
    "  ",
    "\t",
    ".",
    "::",
    "?.",
    "=",
    ":",
    "a",
    "b.c",
    "self",
    "crate",
    "'s'",
    "\"t/u.v\"",
    "1",
    "// c\n",
    "/* d */",
    "/** @x */",
    "//! doc\n",
    "/// doc\n",
    "#!/bin\n",
    "é",
    "\u{2028}",
    "\\",
    "*",
    "&",
    "<",
    ">",
    "\"",
    "'",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_by_every_reader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for language in LANGUAGES {
            assert_sound(&extract(language, &bytes), &String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn any_pieces_of_code_are_read_by_every_reader(picks in prop::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = picks.iter().map(|pick| PIECES[*pick]).collect();
        for language in LANGUAGES {
            assert_sound(&extract(language, text.as_bytes()), &text);
        }
    }

    #[test]
    fn white_space_and_notes_leave_the_outline_alone(
        places in prop::collection::vec((any::<prop::sample::Index>(), 0..3usize), 1..8),
    ) {
        for (language, text) in SAMPLES {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            for (place, what) in &places {
                let at = place.index(lines.len());
                match what {
                    0 => lines.insert(at, String::new()),
                    1 => lines.insert(at, "   // a note".to_owned()),
                    _ => lines[at] = lines[at].replace("  ", "     ").replace(", ", " ,   "),
                }
            }
            let edited = extract(language, (lines.join("\n") + "\n").as_bytes());
            let plain = extract(language, text.as_bytes());
            prop_assert!(plain.problems.is_empty() && edited.problems.is_empty());
            prop_assert_eq!(&edited.outline, &plain.outline);
            for (a, b) in plain.digests.iter().zip(&edited.digests) {
                prop_assert_eq!((a.body, a.signature, a.decorators), (b.body, b.signature, b.decorators));
            }
        }
    }
}

const SAMPLES: [(Language, &str); 3] = [
    (
        Language::TypeScript,
        "import { a, b } from './a';\n@dec(1, 2)\nexport class A extends B {\n  @log\n  m(x: number, y: A) {\n    return a(x, y);\n  }\n}\nconst f = (y: string, z: number) => {\n  b.c(y, z);\n};\nexport { f, A as B };\n",
    ),
    (
        Language::Rust,
        "use a::{b, c};\n\n#[derive(Debug, Clone)]\npub struct A {\n    x: u8,\n}\n\nimpl A {\n    fn m(&self, x: u8, y: B) -> u8 {\n        self.n(x, y)\n    }\n}\n\nmod inner {\n    #[test]\n    fn t() {\n        super::f(1, 2);\n    }\n}\n",
    ),
    (
        Language::Go,
        "package p\n\nimport (\n  \"fmt\"\n)\n\ntype K struct {\n  A\n  x int\n}\n\nfunc (k *K) M(a, b int) (int, error) {\n  fmt.Println(a, b)\n  return a, nil\n}\n",
    ),
];
