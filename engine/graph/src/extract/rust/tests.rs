use super::*;
use crate::extract::describe::{bindings, imports, parts, references};
use crate::extract::extract;
use crate::facts::Language;

fn rust(text: &str) -> FileFacts {
    let facts = extract(Language::Rust, text.as_bytes());
    assert!(facts.problems.is_empty(), "{text}: {:?}", facts.problems);
    assert_eq!(facts.digests.len(), facts.outline.parts.len());
    facts
}

#[test]
fn definitions_are_parts_and_inline_modules_give_names() {
    let facts = rust(
        "pub struct A { x: u8 }\nenum E { V }\npub trait T: Base + other::B { fn m(&self); fn d(&self) { self.m() } }\n\
         impl<X> A { pub fn new() -> Self { Self { x: 1 } } async fn go(&self, b: &B) { b.run(); } }\n\
         impl T for A { fn m(&self) {} }\nimpl From<u8> for &str { fn from(x: u8) -> Self { \"\" } }\n\
         fn free() { fn inner() {} }\n#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn works() { super::free(); }\n    mod deep { fn f() { super::super::free() } }\n}\n",
    );
    assert_eq!(
        parts(&facts),
        [
            "class A",
            "class E",
            "class T",
            "method T.m",
            "method T.d",
            "class A",
            "method A.new",
            "method A.go",
            "class A",
            "method A.m",
            "class str",
            "method str.from",
            "function free",
            "function free.inner",
            "function tests.works",
            "function tests.deep.f",
        ]
    );
    let outline = &facts.outline;
    let names = |list| outline.list(list).iter().map(|name| outline.name(*name)).collect::<Vec<_>>();
    assert_eq!(names(outline.parts[3].bases), ["Base", "other.B"]);
    assert_eq!(names(outline.parts[9].bases), ["T"]);
    assert_eq!(names(outline.parts[15].decorators), ["test"]);
    assert_eq!(imports(&facts), ["star self"]);
    let uses = references(&facts);
    for expected in ["tests.works: self.free()", "tests.deep.f: self.free()", "A.go: b.run()", "T.d: self.m()"] {
        assert!(uses.iter().any(|use_| use_ == expected), "{expected}: {uses:?}");
    }
    assert!(bindings(&facts).contains(&"A.go: b = B type".to_owned()), "{:?}", bindings(&facts));
    let all: Vec<&str> = outline.all.iter().flatten().map(|name| outline.name(*name)).collect();
    assert_eq!(all, ["A", "T"]);
}

#[test]
fn use_trees_become_imports() {
    let facts = rust(
        "use std::collections::{HashMap, hash_map::{self, Entry as E}};\npub use crate::a::B;\nuse super::c::*;\nuse d;\n\
         use ::e::f;\nuse self::g::{h, i as _};\nextern crate alloc as al;\npub mod m;\n#[path = \"odd/n.rs\"]\nmod n;\nmod inline { mod o; use self::p::q; }\n",
    );
    assert_eq!(
        imports(&facts),
        [
            "from std.collections:HashMap",
            "from std.collections:hash_map",
            "from std.collections.hash_map:Entry as E",
            "from crate.a:B",
            "star super.c",
            "module d as d",
            "from e:f",
            "from self.g:h",
            "from self.g:i as _",
            "module alloc as al",
            "module self.m as m",
            "module self.n:odd/n.rs as n",
            "module self.inline.o as o",
            "from self.inline.p:q",
        ]
    );
}

#[test]
fn macros_and_literals_are_read_by_shape() {
    let facts = rust(
        "fn f() {\n    assert_eq!(crate::a::g(1), x.method(2));\n    let t = include_str!(\"../data/a.txt\");\n    let u = fs::read_to_string(\"plain\");\n    vec![h(), Kind::new()];\n}\n",
    );
    let uses = references(&facts);
    for expected in ["f: crate.a.g()", "f: x.method()", "f: h()", "f: Kind.new()", "f: fs.read_to_string()"] {
        assert!(uses.iter().any(|use_| use_ == expected), "{expected}: {uses:?}");
    }
    let outline = &facts.outline;
    let strings: Vec<&str> = outline.strings.iter().map(|string| outline.name(string.text)).collect();
    assert_eq!(strings, ["../data/a.txt", "plain"]);
}

#[test]
fn doc_comments_and_attributes_are_code_and_notes_are_not() {
    let code = "/// Doc.\n#[inline]\nfn f(x: u8) -> u8 {\n    // why\n    x + 1\n}\n\nfn g() {}\n";
    let differ = |from: &str, to: &str| -> Vec<String> {
        let (a, b) = (rust(code).digests, rust(&code.replacen(from, to, 1)).digests);
        let mut found = Vec::new();
        for (index, (a, b)) in a.iter().zip(&b).enumerate() {
            for (what, same) in [
                ("signature", a.signature == b.signature),
                ("decorators", a.decorators == b.decorators),
                ("body", a.body_alone == b.body_alone),
                ("comments", a.comments == b.comments),
            ] {
                if !same {
                    found.push(format!("{index} {what}"));
                }
            }
        }
        found
    };
    assert_eq!(differ("x + 1", "x + 2"), ["1 body"]);
    assert_eq!(differ("x: u8", "x: u16"), ["1 signature"]);
    assert_eq!(differ("#[inline]", "#[cold]"), ["1 decorators"]);
    assert_eq!(differ("/// Doc.", "/// Docs."), ["0 body"]);
    assert_eq!(differ("// why", "// because"), ["1 comments"]);
    assert_eq!(differ("// why", "// SAFETY: x"), ["1 body", "1 comments"]);
    assert_eq!(differ("x + 1", "x  +  1"), [""; 0]);
}
