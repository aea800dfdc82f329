use super::*;
use crate::extract::describe::{bindings, imports, parts, references};
use crate::extract::extract;
use crate::facts::PartFlags;

fn facts(language: Language, text: &str) -> FileFacts {
    extract(language, text.as_bytes())
}

fn ts(text: &str) -> FileFacts {
    let facts = facts(Language::TypeScript, text);
    assert!(facts.problems.is_empty(), "{text}: {:?}", facts.problems);
    assert_eq!(facts.digests.len(), facts.outline.parts.len());
    facts
}

fn js(text: &str) -> FileFacts {
    let facts = facts(Language::JavaScript, text);
    assert!(facts.problems.is_empty(), "{text}: {:?}", facts.problems);
    facts
}

fn all(facts: &FileFacts) -> Option<Vec<String>> {
    let outline = &facts.outline;
    outline.all.as_ref().map(|all| all.iter().map(|name| outline.name(*name).to_owned()).collect())
}

#[test]
fn definitions_are_parts_wherever_they_have_a_name() {
    let facts = ts("export function f(a: number): void { function inner() {} }\n\
         export const g = async (x: T) => x, h = function* () {};\n\
         class A extends B { m() {} get p() { return 1; } static s() {} field = () => 1; #x() {} ['y']() {} o = { z() {} }; }\n\
         interface I { m(): void }\n\
         enum E { A }\n\
         namespace N.M { export function f() {} class C { m() {} } }\n\
         declare function d(): void;\n\
         abstract class Q { abstract a(): void; b?(): void }\n\
         export default class { m() {} }\n\
         const K = class Named { m() {} };\n");
    assert_eq!(
        parts(&facts),
        [
            "function f",
            "function f.inner",
            "function g",
            "function h",
            "class A",
            "method A.m",
            "method A.p",
            "method A.s",
            "method A.field",
            "method A.#x",
            "method A.['y']",
            "class I",
            "method I.m",
            "class E",
            "function N.M.f",
            "class N.M.C",
            "method N.M.C.m",
            "function d",
            "class Q",
            "method Q.a",
            "method Q.b",
            "class default",
            "method default.m",
            "class K",
            "method K.m",
        ]
    );
    let flags = |name: &str| {
        let part = facts.outline.parts.iter().find(|part| facts.outline.name(part.local_name) == name);
        part.map(|part| part.flags).unwrap_or_default()
    };
    assert_eq!(flags("g"), PartFlags::ASYNC);
    assert_eq!(flags("A.p"), PartFlags::PROPERTY);
    assert_eq!(flags("A.s"), PartFlags::CLASS_METHOD);
    let script = js("exports.a = function () {};\nmodule.exports.b = () => 1;\nmodule.exports = class { m() {} };\n\
         Kind.prototype.run = function () {};\nconst { x } = y;\n");
    assert_eq!(parts(&script), ["function a", "function b", "class default", "method default.m", "function Kind.run"]);
}

#[test]
fn imports_of_every_form() {
    let facts = ts("import './side';\nimport d, { a, b as c, type T } from './m';\nimport * as ns from \"n\";\n\
         import type { U } from './t';\nimport old = require('./old');\n\
         export { x, y as z } from './re';\nexport * from './star';\nexport * as all from './all';\nexport type { V } from './v';\n\
         const lazy = await import('./lazy');\nconst { p, q: r } = require('./req');\nconst whole = require('whole');\n\
         import(`./plain`);\nimport(`./${computed}`);\njest.mock('./mocked', () => ({}));\n");
    assert_eq!(
        imports(&facts),
        [
            "module ./side",
            "from ./m:default as d",
            "from ./m:a",
            "from ./m:b as c",
            "from ./m:T (type)",
            "module n as ns",
            "from ./t:U (type)",
            "module ./old as old",
            "from ./re:x",
            "from ./re:y as z",
            "star ./star",
            "module ./all as all",
            "from ./v:V (type)",
            "module ./lazy as lazy",
            "literal ./req",
            "from ./req:p",
            "from ./req:q as r",
            "module whole as whole",
            "literal ./plain",
            "literal ./mocked",
        ]
    );
    assert!(facts.outline.parts[0].flags.contains(PartFlags::COMPUTED_IMPORT));
}

#[test]
fn exports_are_listed_where_a_module_has_any() {
    let facts = ts("export const a = 1, { b, c: [d] } = x;\nexport function f() {}\nexport default f;\nconst k = 1;\n\
         export { k, k as l };\nexport { m } from './m';\nexport class C {}\nexport type T = string;\n");
    let all = all(&facts).unwrap();
    assert_eq!(all, ["a", "b", "d", "f", "default", "k", "l", "m", "C", "T"]);
    assert_eq!(bindings(&facts), [": default = f", ": l = k"]);
    assert_eq!(super::tests::all(&js("exports.a = 1; module.exports = { b, c: d };\n")), None);
    assert_eq!(bindings(&js("exports.a = b; module.exports = { b, c: d };\n")), [": a = b", ": c = d"]);
}

#[test]
fn what_is_used_is_a_chain() {
    let facts = facts(
        Language::Tsx,
        "import { svc } from './s';\n@Injectable({ in: root })\nexport class A extends ns.Base<T> implements I {\n\
         constructor(private http: Http, plain: P) { super(); this.y = new Y(); }\n\
         @Input() run(q: string) { this.http.get(q).then(svc.done); const local = q; local.go(); local; return <Box.Item a={svc}><div/></Box.Item>; }\n}\n\
         a?.b!.c();\n(await load()).x;\nnew Thing(1).go();\n",
    );
    assert!(facts.problems.is_empty());
    assert_eq!(
        references(&facts),
        [
            "A: Injectable@",
            "A: root@",
            "A: ns.Base",
            "A: T",
            "A: I",
            "A.constructor: Http",
            "A.constructor: P",
            "A.constructor: super().constructor()",
            "A.constructor: this.y",
            "A.constructor: Y()",
            "A.run: Input@",
            "A.run: this.http.get().then()",
            "A.run: this.http.get()",
            "A.run: svc.done",
            "A.run: local.go()",
            "A.run: local",
            "A.run: Box.Item()",
            "A.run: svc",
            ": a.b.c()",
            ": a.b",
            ": load().x",
            ": load()",
            ": Thing().go()",
            ": Thing()",
        ]
    );
    let outline = &facts.outline;
    let class = &outline.parts[1];
    let names = |list| outline.list(list).iter().map(|name| outline.name(*name)).collect::<Vec<_>>();
    assert_eq!(names(class.decorators), ["Injectable"]);
    assert_eq!(names(class.bases), ["ns.Base", "I"]);
    assert_eq!(names(outline.parts[3].decorators), ["Input"]);
    assert_eq!(names(outline.parts[2].parameters), ["this", "http", "plain"]);
    assert_eq!(
        bindings(&facts),
        [
            "A.constructor: http = Http type",
            "A.constructor: this.http = Http type",
            "A.constructor: plain = P type",
            "A.constructor: this.y = Y()",
        ]
    );
    assert_eq!(facts.places.parts[1].start, 2);
    assert_eq!(facts.places.parts[1].def, 3);
}

#[test]
fn strings_that_may_name_a_file() {
    let facts = ts(
        "const a = 'data/a.json', b = \"two words\", c = `x/y.sql`, d = 'gpt:4o';\nreadFileSync('plain');\nf('plain');\n",
    );
    let texts: Vec<&str> = facts.outline.strings.iter().map(|string| facts.outline.name(string.text)).collect();
    assert_eq!(texts, ["data/a.json", "x/y.sql", "gpt:4o", "plain"]);
}

#[test]
fn types_name_the_class_of_what_they_describe() {
    let facts = ts("let a: A | null; let b: ns.B<T>; let c: Promise<C>; let d: D | E; let e: string; let f: F[];\n\
         function g(x: X): Promise<R> {}\n");
    assert_eq!(bindings(&facts), [": a = A type", ": b = ns.B type", ": c = C type", "g: x = X type"]);
    let returns = facts.outline.parts[1].returns;
    assert_eq!(facts.outline.name(returns), "R");
}

/// What differs between two texts, by part: signature, decorators, body, body alone, comments.
fn differences(before: &str, after: &str) -> Vec<String> {
    let (old, new) = (ts(before), ts(after));
    assert_eq!(parts(&old), parts(&new));
    let mut found = Vec::new();
    for (index, (a, b)) in old.digests.iter().zip(&new.digests).enumerate() {
        let name = old.outline.name(old.outline.parts[index].local_name);
        for (what, same) in [
            ("signature", a.signature == b.signature),
            ("decorators", a.decorators == b.decorators),
            ("body", a.body_alone == b.body_alone),
            ("comments", a.comments == b.comments),
        ] {
            if !same {
                found.push(format!("{name} {what}"));
            }
        }
    }
    found
}

const CODE: &str = "import { a } from './a';\n@dec(1)\nclass A extends B {\n  @log\n  m(x: number) {\n    // why\n    return a(x);\n  }\n}\n\
                    const f = (y: string) => {\n  return `${y} b`;\n};\nlet z = 1;\n";

#[test]
fn digests_tell_what_of_a_part_changed() {
    for (from, to, expected) in [
        ("return a(x)", "return a(x, 1)", vec!["A.m body"]),
        ("x: number", "x: string", vec!["A.m signature"]),
        ("@log", "@log2", vec!["A.m decorators"]),
        ("@dec(1)", "@dec(2)", vec!["A decorators"]),
        ("extends B", "extends C", vec!["A decorators"]),
        ("// why", "// because", vec!["A.m comments"]),
        ("// why", "// @ts-ignore", vec!["A.m body", "A.m comments"]),
        ("y: string", "y: number", vec!["f signature"]),
        ("} b`", "}  b`", vec!["f body"]),
        ("${y}", "${ y }", vec![]),
        ("let z = 1", "let z = 2", vec![" body"]),
        ("return a(x)", "return\n    a(x)", vec!["A.m body"]),
        ("{\n    // why", "{ // why", vec![]),
        ("m(x: number)", "m( x : number )", vec![]),
    ] {
        assert_eq!(differences(CODE, &CODE.replacen(from, to, 1)), expected, "{from} -> {to}");
    }
}

#[test]
fn comments_that_tools_read_are_code() {
    for code in [
        "// eslint-disable-next-line",
        "/* istanbul ignore next */",
        "// @ts-expect-error",
        "/** @type {A} */",
        "/* webpackChunkName: \"x\" */",
        "// prettier-ignore",
        "/// <reference path=\"x\" />",
        "//# sourceMappingURL=x",
        "/*! licence */",
        "/*#__PURE__*/",
        "// biome-ignore lint: x",
        "// some-tool: off",
    ] {
        assert!(comments::is_code(code, false), "{code}");
    }
    for prose in ["// a note", "/* why this is so */", "// see there: it works"] {
        assert!(!comments::is_code(prose, false), "{prose}");
    }
}

#[test]
fn an_ampersand_in_the_text_of_jsx_hides_nothing() {
    let before = "export function A() {\n  return <h2 title=\"x & y\">Health & Trust {b} & c &amp; d&e</h2>;\n}\n";
    let after = "function f() { return a & b; }\nconst more = <p>& <b>x</b> &</p>;\n";
    let read = facts(Language::Tsx, &format!("{before}{after}"));
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    assert_eq!(parts(&read), ["function A", "function f"]);
    // What is written still counts.
    let other = facts(Language::Tsx, &format!("{}{after}", before.replace("Health &", "Health and")));
    assert_ne!(read.digests[1].body, other.digests[1].body);
    // An error of another kind stays one.
    let broken = facts(Language::Tsx, &format!("{before}{after}function (\n"));
    assert!(!broken.problems.is_empty());
    let code = facts(Language::Tsx, "const a = b > c & d; const e = {f: <p>x</p>}; function (\n");
    assert!(!code.problems.is_empty());
}
