//! Whatever a file holds, extraction ends, keeps its promises and never panics.

use std::fmt::Write as _;

use grace_graph::code::PartKind;
use grace_graph::extract::extract;
use grace_graph::facts::{FileFacts, Language, MAX_PARSED_BYTES, ProblemKind};
use proptest::prelude::*;

use crate::support::{facts, graph, outline};

fn read(bytes: &[u8]) -> FileFacts {
    extract(Language::Python, bytes)
}

#[track_caller]
fn assert_sound(facts: &FileFacts) {
    let outline = &facts.outline;
    let parts = outline.parts.len();
    assert!(parts >= 1);
    assert!(facts.digests.len() == parts || facts.opaque().is_some());
    assert_eq!(facts.places.parts.len(), parts);
    assert_eq!(facts.places.sites.len(), outline.imports.len() + outline.references.len() + outline.strings.len());
    for (ordinal, (part, place)) in outline.parts.iter().zip(&facts.places.parts).enumerate() {
        assert!(place.start <= place.def && place.def <= place.end, "{place:?}");
        if ordinal == 0 {
            assert!(matches!(part.kind, PartKind::Module | PartKind::File));
            continue;
        }
        assert!((part.parent as usize) < ordinal, "a part comes after the part around it");
        let around = facts.places.parts[part.parent as usize];
        assert!(around.start <= place.start && place.end <= around.end, "{around:?} around {place:?}");
        let kind = outline.parts[part.parent as usize].kind;
        assert_eq!(part.kind == PartKind::Method, kind == PartKind::Class && part.kind != PartKind::Class);
    }
    for reference in &outline.references {
        assert!((reference.part as usize) < parts && !outline.name(reference.chain).is_empty());
    }
    for site in 0..parts as u32 + facts.places.sites.len() as u32 {
        let line = facts.places.site_line(site).unwrap();
        assert!(line >= 1 && line <= facts.places.parts[0].end, "line {line}");
    }
}

#[test]
fn what_is_no_text_is_a_problem_and_a_file_of_one_part() {
    for (bytes, kind) in [
        (b"a = '\xe9'\n".to_vec(), ProblemKind::NotUtf8),
        (b"a = 1\0\n".to_vec(), ProblemKind::HasNul),
        (vec![b' '; MAX_PARSED_BYTES + 1], ProblemKind::TooLarge),
    ] {
        let facts = read(&bytes);
        assert_eq!(facts.opaque(), Some(kind));
        assert_eq!(facts.outline.parts[0].kind, PartKind::File);
        assert_sound(&facts);
    }
}

#[test]
fn deep_nesting_overflows_nothing() {
    for (open, close) in
        [("(", ")"), ("[", "]"), ("f(", ")"), ("a[", "]"), ("not ", ""), ("x.y(", ").z"), ("lambda: ", "")]
    {
        let source = format!("x = {}1{}\n", open.repeat(50_000), close.repeat(50_000));
        assert_sound(&facts(&source));
        assert_sound(&facts(&format!("x = {}", open.repeat(50_000))));
    }
    assert_sound(&facts(&format!("x = a{}\n", ".b".repeat(50_000))));
    assert_sound(&facts(&format!("x = a{}\n", ".b()".repeat(50_000))));
    assert_sound(&facts(&format!("x = {}1\n", "1 + ".repeat(50_000))));
}

#[test]
fn definitions_nested_too_deeply_belong_to_the_part_around_them() {
    let mut source = String::new();
    for depth in 0..300 {
        writeln!(source, "{}def f{depth}():", " ".repeat(depth)).unwrap();
    }
    writeln!(source, "{}g()", " ".repeat(300)).unwrap();
    let facts = facts(&source);
    assert_sound(&facts);
    assert!(facts.outline.parts.len() <= 102);
    assert!(facts.problems.iter().any(|problem| problem.kind == ProblemKind::TooDeep));
}

#[test]
fn large_flat_texts_stay_quick_and_whole() {
    let long = format!("x = '{}'\n", "a".repeat(1_000_000));
    assert_sound(&facts(&long));
    assert_sound(&facts(&format!("x = [{}]\n", "1,".repeat(500_000))));
    assert_sound(&facts(&"x".repeat(1_000_000)));
    let imports = format!("from m import (\n{})\n", "name,\n".repeat(100_000));
    let facts = facts(&imports);
    assert_sound(&facts);
    assert_eq!(facts.outline.imports.len(), 100_000);
}

#[test]
fn odd_white_space_and_marks_are_read_through() {
    let plain = outline(&facts("class A:\n    def f(self):\n        pass\n"));
    for odd in [
        "\u{feff}class A:\n    def f(self):\n        pass\n",
        "class A:\r\n    def f(self):\r\n        pass\r\n",
        "class A:\n\tdef f(self):\n\t\tpass\n",
        "\x0cclass A:\n    def f(self):\n        pass\n",
        "class A:\n    def f(self):\n        pass",
    ] {
        assert_eq!(outline(&facts(odd)), plain, "{odd:?}");
    }
    assert_eq!(outline(&facts("# note\rdef f(): pass\r")), ["module  1-2", "function f 2-2"]);
    let named = facts("class Größe:\n    def länge(self): return self.länge\n");
    assert_eq!(outline(&named), ["module  1-2", "class Größe 1-2", "method Größe.länge 2-2"]);
    assert_eq!(outline(&facts("")), ["module  1-1"]);
}

#[test]
fn a_graph_is_built_from_odd_paths() {
    let files = [
        ("", "import a"),
        ("/", "import b"),
        (".py", "x = 1"),
        ("a//b.py", "from . import c"),
        ("a b/c-d.py", "from ..... import z"),
        ("__init__.py", "from . import a"),
        ("a.py/b.py", "import a"),
        ("x/__init__.pyi", "from .y import *"),
        ("x/y.py", "from . import *\nfrom .y import *\nimport x.y.z.w\n"),
    ];
    let graph = graph(&files);
    assert_eq!(graph.files().len(), files.len());
    assert_eq!(graph.stats().files.values().sum::<usize>(), files.len());
}

const PIECES: [&str; 44] = [
    "def f(a, *b, c=1, **d):",
    "class C(B, m=M):",
    "async def g():",
    "@dec",
    "@a.b(c)",
    "    ",
    "\t",
    "\n",
    "\n",
    "\n    ",
    "\n        ",
    "if x:",
    "else:",
    "try:",
    "except E as e:",
    "import a.b as c",
    "from . import x",
    "from a import *",
    "x = y()",
    "self.x = C()",
    "x: 'C' = 1",
    "return self.x.y()",
    "lambda q: q",
    "[i for i in j]",
    "match x:",
    "case C(a=1):",
    "'''doc'''",
    "f'{x!r:>{w}}'",
    "# c",
    "# type: ignore",
    "\\\n",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ";",
    "global g",
    "super().m()",
    "with open('a/b.txt') as h:",
    "é",
    "\"",
];

fn pythonish() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![8 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned), 1 => ".{0,6}"],
        0..80,
    )
    .prop_map(|pieces| pieces.join(" "))
}

/// Functions, methods and classes that are valid, with a body of simple statements each.
fn valid() -> impl Strategy<Value = Vec<(bool, Vec<u8>)>> {
    prop::collection::vec((any::<bool>(), prop::collection::vec(0u8..6, 1..5)), 1..8)
}

fn render(parts: &[(bool, Vec<u8>)], changed: Option<usize>, noise: bool) -> String {
    let mut text = String::new();
    for (index, (in_class, statements)) in parts.iter().enumerate() {
        let indent = if *in_class {
            writeln!(text, "class K{index}:").unwrap();
            "    "
        } else {
            ""
        };
        if noise {
            writeln!(text, "{indent}# note {index}\n").unwrap();
        }
        writeln!(text, "{indent}def f{index}(a, b = 2):").unwrap();
        for statement in statements {
            let line = ["a = b", "b()", "return [a, b]", "if a: b()", "x = 'text'", "a.c(b)"][usize::from(*statement)];
            let spaced =
                if noise { line.replace(' ', "  ").replace("'text'", "'text'  # said") } else { line.to_owned() };
            writeln!(text, "{indent}    {spaced}").unwrap();
        }
        if changed == Some(index) {
            writeln!(text, "{indent}    assert a").unwrap();
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_sound_facts(text in pythonish()) {
        assert_sound(&facts(&text));
    }

    #[test]
    fn any_bytes_give_sound_facts(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_sound(&read(&bytes));
    }

    #[test]
    fn a_graph_of_any_texts_is_built(one in pythonish(), other in pythonish()) {
        let graph = graph(&[("a.py", &one), ("p/__init__.py", &other), ("p/test_b.py", &one)]);
        for part in graph.part_ids() {
            prop_assert_eq!(graph.find(&graph.key(part)), Some(part));
        }
        for edge in graph.edges() {
            prop_assert!(edge.from != edge.to);
        }
    }

    #[test]
    fn line_ends_make_no_difference(text in pythonish()) {
        let text = text.replace('\r', "");
        let (one, other) = (facts(&text), facts(&text.replace('\n', "\r\n")));
        prop_assert_eq!((one.outline, one.places, one.digests), (other.outline, other.places, other.digests));
    }

    #[test]
    fn comments_and_white_space_change_no_meaning(parts in valid()) {
        let (before, after) = (facts(&render(&parts, None, false)), facts(&render(&parts, None, true)));
        prop_assert_eq!(&before.outline, &after.outline);
        for (one, other) in before.digests.iter().zip(&after.digests) {
            prop_assert_eq!((one.signature, one.decorators, one.body, one.docstring), (other.signature, other.decorators, other.body, other.docstring));
        }
    }

    #[test]
    fn an_edit_in_a_body_changes_the_digest_of_that_part_only(parts in valid(), at in any::<prop::sample::Index>()) {
        let at = at.index(parts.len());
        let (before, after) = (facts(&render(&parts, None, false)), facts(&render(&parts, Some(at), false)));
        let name = format!("f{at}");
        for ((part, one), other) in before.outline.parts.iter().zip(&before.digests).zip(&after.digests) {
            let edited = before.outline.name(part.name) == name;
            prop_assert_eq!(one.body != other.body, edited);
            prop_assert_eq!((one.signature, one.comments), (other.signature, other.comments));
        }
    }
}
