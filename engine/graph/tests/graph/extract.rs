//! What extraction reads, and what it leaves alone.

use grace_graph::facts::{PartFlags, ProblemKind};

use crate::support::{digests, facts, outline};

const SOURCE: &str = "\
'''Doc.'''
import os
# a note
@mark
def f(a, b=1):
    '''Say.'''
    # why
    if a:
        g(b)
    return b


class C(Base, metaclass=Meta):
    x = 1

    async def m(self):
        def inner():
            return self
        return inner
";

#[test]
fn parts_are_read_with_their_lines_from_the_first_decorator() {
    assert_eq!(
        outline(&facts(SOURCE)),
        ["module  1-19", "function f 4-10", "class C 13-19", "method C.m 16-19", "function C.m.inner 17-18"]
    );
    let facts = facts(SOURCE);
    assert!(facts.outline.parts[3].flags.contains(PartFlags::ASYNC));
    assert_eq!((facts.places.parts[1].def, facts.places.parts[1].name_column), (5, 4));
}

#[test]
fn comments_and_white_space_change_neither_outline_nor_bodies() {
    let before = facts(SOURCE);
    let edited = SOURCE.replace("# why", "# because").replace("b=1", "b = 1").replace("\n\n\n", "\n\n\n\n# more\n");
    let after = facts(&edited);
    assert_eq!(before.outline, after.outline);
    for (one, other) in before.digests.iter().zip(&after.digests) {
        assert_eq!(
            (one.signature, one.decorators, one.body, one.docstring),
            (other.signature, other.decorators, other.body, other.docstring)
        );
    }
    assert_ne!(digests(&before, "f").comments, digests(&after, "f").comments);
}

#[test]
fn line_ends_change_nothing_at_all() {
    let before = facts(SOURCE);
    let after = facts(&SOURCE.replace('\n', "\r\n"));
    assert_eq!((before.outline, before.places, before.digests), (after.outline, after.places, after.digests));
}

#[test]
fn a_comment_that_is_code_changes_the_body() {
    let before = facts("def f():\n    g()\n");
    let after = facts("def f():\n    g()  # type: ignore\n");
    assert_ne!(digests(&before, "f").body, digests(&after, "f").body);
}

#[test]
fn each_piece_of_a_part_has_its_own_digest() {
    let before = facts(SOURCE);
    let same = |edited: &str, part: &str| {
        let (one, other) = (digests(&before, part), digests(&facts(edited), part));
        (
            one.signature == other.signature,
            one.decorators == other.decorators,
            one.body == other.body,
            one.docstring == other.docstring,
        )
    };
    assert_eq!(same(&SOURCE.replace("b=1", "b=2"), "f"), (false, true, true, true));
    assert_eq!(same(&SOURCE.replace("@mark", "@note"), "f"), (true, false, true, true));
    assert_eq!(same(&SOURCE.replace("g(b)", "g(a)"), "f"), (true, true, false, true));
    assert_eq!(same(&SOURCE.replace("Say.", "Tell."), "f"), (true, true, true, false));
    assert_eq!(same(&SOURCE.replace("async def", "def"), "C.m"), (false, true, true, true));
    assert_eq!(same(&SOURCE.replace("Base,", "Other,"), "C"), (true, false, true, true));
    assert_eq!(same(&SOURCE.replace("x = 1", "x = 2"), "C"), (true, true, false, true));
    assert_eq!(same(&SOURCE.replace("return self", "return 1"), "C.m"), (true, true, true, true));
    assert_eq!(same(&SOURCE.replace("Doc.", "Text."), ""), (true, true, true, false));
}

#[test]
fn moving_a_statement_out_of_its_block_changes_the_body() {
    let inside = facts("def f():\n    if a:\n        b()\n        c()\n");
    let outside = facts("def f():\n    if a:\n        b()\n    c()\n");
    assert_ne!(digests(&inside, "f").body, digests(&outside, "f").body);
}

#[test]
fn a_part_that_comes_or_goes_leaves_the_rest_of_the_body_alone() {
    let before = facts("x = 1\ndef f(): pass\n");
    let after = facts("x = 1\ndef f(): pass\ndef g(): pass\n");
    assert_ne!(digests(&before, "").body, digests(&after, "").body);
    assert_eq!(digests(&before, "").body_alone, digests(&after, "").body_alone);
}

#[test]
fn a_renamed_part_keeps_its_own_digests() {
    let before = facts("def f(a):\n    return a\n");
    let after = facts("def g(a):\n    return a\n");
    assert_eq!(digests(&before, "f"), digests(&after, "g"));
}

#[test]
fn a_formatted_string_keeps_its_white_space() {
    for (one, other) in [("f'{x:>3}'", "f'{x: >3}'"), ("f'{x=}'", "f'{x =}'"), ("'a b'", "'a  b'")] {
        let (one, other) = (facts(&format!("y = {one}\n")), facts(&format!("y = {other}\n")));
        assert_ne!(digests(&one, "").body, digests(&other, "").body);
    }
}

#[test]
fn a_broken_file_gives_what_can_be_read_and_says_where_it_breaks() {
    let facts = facts("def f():\n    pass\n\ndef g(:\n    pass\n");
    assert!(facts.problems.iter().all(|problem| problem.kind == ProblemKind::SyntaxError && problem.line >= 4));
    assert!(!facts.problems.is_empty());
    assert!(outline(&facts).iter().any(|part| part.starts_with("function f")));
}

#[test]
fn literals_that_are_joined_to_a_path_are_one_path() {
    let read = facts(
        "A = here / \"docs\" / \"guide.md\"\nB = here / \"data\"\nC = here / \"sub\" / name\nD = (here / \"a\"\n    / \"b\" / \"c.json\")\nE = 1 / 2\n",
    );
    let outline = &read.outline;
    let strings: Vec<&str> = outline.strings.iter().map(|string| outline.name(string.text)).collect();
    assert_eq!(strings, ["docs/guide.md", "data", "sub", "a/b/c.json"]);
    let long = format!("A = here{}\n", " / \"x\"".repeat(100_000));
    assert!(facts(&long).outline.strings.len() <= 100_000);
}

#[test]
fn what_follows_a_node_is_read_wherever_that_node_ends() {
    let text = "\
a(b)(c)[d].e(f, g[h], *(i, j), k={l: m})  # n
o = [p for q in (r.s(t).u, v) if w]; x(y)
def z(a1, b1=(c1), *, d1: e1[f1]): return g1(h1)
i1(
    j1,
    # k1
)
l1(m1 if n1 else o1, (yield p1), lambda q1: (r1))
";
    let facts = facts(text);
    let outline = &facts.outline;
    let said: Vec<&str> = outline.references.iter().map(|reference| outline.name(reference.chain)).collect();
    for name in [
        "a", "b", "c", "d", "f", "g", "h", "i", "j", "l", "m", "p", "t", "v", "w", "x", "y", "c1", "e1", "f1", "g1",
        "i1", "j1", "l1", "m1", "n1", "o1", "p1",
    ] {
        assert!(said.contains(&name), "{name} of {said:?}");
    }
}
