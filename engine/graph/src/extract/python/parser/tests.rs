//! The parser reads what it reads as tree-sitter does, and reads what is common.

use crate::extract::{Reading, compare_parsers};

/// Statements that the parser must read itself.
const COMMON: &[&str] = &[
    "return",
    "return 'a/b.json'",
    "'data/x.json'",
    "\"\"\"A docstring, 'data/y.json'.\"\"\"",
    "(a(), b.c(), ['d/e.py', f'g/{h()}.py'])",
    "[a(), b[c()][1:d(), ::2], *e]",
    "[*a, b]; [*c]; [*d.e, f]; {*g, h}; (i, *j)",
    "[*a.b]; {*a()}; [*a[b].c(d)[e]]; [*(a)]; [*[a]]; {*1}; [*await a.b(c)]; [*await a, *await b]; {*'a'}",
    "{'k': a(), **b, c: 'd.e.f'}; {}; (); []; {a}; {b, c,}",
    "x = y = z = a()",
    "x, *y = z; (x), [y, *z] = a = b, c; x.y[z], = a; () = b",
    "x: list['A.b'] = a()",
    "x: int | list[int]; y: list[int] | None = 1; z: a[b] | c | d; type: dict[str, list[e | f],]",
    "x: a.b[c] = yield; x.y: (z) = 3; match: int; print: a = b",
    "if a() == b or (c := d()): e()\nelif not f: g()\nelse: h()",
    "if a:\n    b\nelif c: d\nelse:\n    e",
    "from . import a as b, c",
    "from ..a.b import (c, d as e,)",
    "from ... import a\nfrom .... import b",
    "import a.b, c as d",
    "from a import *",
    "from __future__ import a, b as c",
    "@a.b(c='d/e.py', f=g())\ndef h(i, j: K = l(), *m, n='o.p', **q) -> R[s()]: return t(*i, **j)",
    "@ a # b\nclass B(c, D['e'], metaclass=f()): g = h",
    "def a(b, /, c=1, *, d: e[f] = g, **h: i) -> list[j] | None: pass",
    "def a(b: *C, *d: *E, f, **g: *H) -> i: pass",
    "async def a(*b: c): await d(e=f, g=h); await -i; await j ** k",
    "async def a():\n    async with b as c: [d async for e in f]\n    async for g in h: pass\n    else: i",
    "lambda a, b=c(): d(a, b)",
    "lambda: a if b else c; lambda *a, **b: (yield); lambda *, c: lambda: d",
    "with open('a/b') as c, d(): e(c)",
    "with (a, b): c\nwith (a): c\nwith (a) as b, c as (d, e): f\nwith (a as b, c()): d\nwith (a, b) as c.d: e",
    "for a, b in c(d): e()\nelse: f()",
    "for a.b, c[d] in *e, f: g\nfor (a) in b: c\nfor a, in b, c: d\nfor (a, [*b]), *c in d: e",
    "while a: b\nelse: c",
    "try: a()\nexcept (B, c.D) as e: f(e)\nfinally: g()",
    "try: a\nexcept B: c\nexcept: d\nelse: e\nfinally:\n    f",
    "a(b)(c)(d='e')[f](g).h = i",
    "f(*a or b, *c.d(), **e or f, g=lambda: h, i=j if k else l)",
    "f(a for b in c); f((a for b in c), d)",
    "assert a, b('c/d.py')",
    "print(a, file = b , end='')",
    "print(a), b; print (a) % b; print(a).b = c; type(a); match(b); exec(c); type.x = print; match.y[d] = e",
    "a = b if c else d; e(); return",
    "a if b if c else d else e if f else g",
    "del a[b()], c.d",
    "del (a, b), [c]; del d",
    "raise A(b) from c",
    "raise; raise a, b",
    "a = 'b' 'c/d.py' f'{e!r:>{f()}}'",
    "f'{a}{{b}}{c!s}{d:e{f}g}{h=}{i[\"j\"]}' rf'\\{k}' f'\\N{DASH}{l}' f'''\n{m}\n'''",
    "u'a'; b'\\x'; rb'\\'; Rb\"c\"' if d else ''; '\\''; \"\"\"e\"f\\\"\"\"\"; 'g\\\n  h'; t'{i}'",
    "f'{(lambda: a)}' f'{ {b: c} }' f'{d if e else f}' f'{g:%Y-%m}' f'{h.i(j, *k)}' f'{l != m}'",
    "global a, b\na += b(c)[d]",
    "nonlocal a; b, c = d, e; f **= yield; g //= h, i",
    "returned, fromage, definite, iffy = importable()",
    "a = [b(c) for c in d if e(c) for f in g]",
    "{a: b for c, in d if e or f}; {g for h.i in j if (k := l)}; [a if b else c for d in e if f if g]",
    "a =\\\n    b(c,\n      # d('e/f.py')\n      d)",
    "not a == b; a < b not in c is not d is e in f != g; a and not b or not not c and d",
    "a ** -b ** c; -a ** b; ~a.b; a ^ b & c | d << e + f * g @ h // i % j / k - l >> m",
    "a or b and c or (d := e or f); (g := h if i else j); f(k := l)",
    "1; 1.; .5; 1e5; 1_0.0_1e-1_0j; 0xFf; 0b1_0; 0o17; ...; 1 .real; 1..real; True; None",
    "yield; yield a, b; yield from c; (yield); (yield d, e); x = yield f",
    "if a:\n    pass # b\n    # c\n  # d\n# e\n\n\nf",
    "class A:\n    def b(self):\n        pass\n        # c\n    # d\n# e\n    f = g",
    "if a:\n\tif b:\n\t\tc\n\telse: # d\n\t\te ; \nf",
    "if a:\n        b\n\t# c\nif d:\n\te \\\n\nf",
    "if a:\n    b # c",
    "a[b, c:d, ::e, ...]; a[:]; a[b:=c]; a[::]; a[b:, :c]; a[(d, e)]",
];

/// Statements that are left to tree-sitter, or rejected by it.
const RARE: &[&str] = &[
    "type(x)\n*y = z",
    "type(a)\n-b\n(c).d = e",
    "with a or lambda: b as c: d",
    "try: a\nexcept not lambda: c as d: e",
    "x = b'\\u'#'",
    "f(b\"\\U\\\")",
    "x = f\"{lambda: 'x}' '{'}\"'} x\" #'",
    "x = *a, b",
    "x, *y = (x), [y, *z]",
    "type(a).b: c = d",
    "def f() -> a: b[c, d:e]; g",
    "'a',",
    "a = b,",
    "a, b,\n# c\nd = e",
    "with a(),: b",
    "a = b, c\n(d).e = f",
    "a, b\n[c] = d",
    "match(a)\n[b]",
    "x: match[a]",
    "def f() -> print[a]: b",
    "def f() -> a: b: c",
    "[a, *b()] = c",
    "for a, *[b] in c: d",
    "[*a.b, c] += d",
    "match a():\n    case B(c=d) if e: f()\n    case [g, *h]: i()\n    case _: return",
    "type A[B] = c[B]",
    "async def g[T: b](c): await d(e=f, g=h)",
    "print a, b",
    "print >>a, b",
    "print(a, *b)",
    "print -a",
    "exec 'a' in b",
    "type(a).b = c",
    "match (a):\n    case b: c",
    "match -a",
    "match[a] = b",
    "if a:\n    @b\n  # c\n    def d(): pass",
    "[*'a'.b()]",
    "[*(a).b]",
    "{*[a].b().c}",
    "[*a.b() for c in d]",
    "(*a)",
    "def a(*b: *c[d]): pass",
    "def a(*b: *c.d): pass",
    "x: *a",
    "[*a or b]",
    "return *a.b, c",
    "`a`",
    "a <> b",
    "x = y += 1",
    "try: a\nexcept* B: c",
    "except_ = a\ntry: b\nexcept C, d: e",
    "with a if b else c as d: e",
    "with (a as b): c",
    "[a for b in lambda: c if d]",
    "[a for b in c, d]",
    "x: list[int].y",
    "x: list[*a]",
    "x: a[b:c]",
    "x: a[b][c]",
    "f'{a:=5}'",
    "f'{a,}'",
    "f'{a\n}'",
    "f'''{a\n + b}'''",
    "{**a for b in c}",
    "{a, b: c}",
    "a = é",
    "if a:\n    b\n  c",
    "if a:\nb",
    "    a",
    "if a: b\n    else: c",
    "if a:\n    b(c +\nd)",
    "a\x0c",
    "a = 'b\nc'",
    "a = (b",
    "a = b)",
    "a b",
    "def a(b",
    "0777L; 1if a else b",
    "async = 1",
    "not = a",
    "a.if",
    "lambda (a, b): c",
    "def f((a, b)): c",
    "a = not b = c",
    "f() = a",
    "for f() in a: b",
    "a == b := c",
    "(a, b := c) = d",
    "return yield a",
    "\\\na",
    "@a",
    "@a\nb",
    "class A(b for c in d): e",
    "else: a",
    "from a import",
    "from a import (b",
    "from . import *, a",
    "import a as b.c",
    "a; ; b",
    "if a: if b: c",
    "while a: pass\nelif b: c",
    "a[b, *c]",
    "a[]",
    "f(a, b for c in d)",
    "f(a.b=c)",
    "f(**a for a in b)",
    "x = (yield a, b)[c]; y = (yield, z)",
    "'\\N{a'} b'",
];

fn nested(text: &str) -> String {
    text.replace('\n', "\n    ")
}

/// Contexts in which two statements stand.
fn contexts(one: &str, other: &str) -> [String; 4] {
    let (deep, deeper) = (nested(one), nested(other));
    [
        format!("{one}\n{other}\n"),
        format!("def around(a):\n    {deep}\n    {deeper}\n"),
        format!("class Around:\n    {deep}\n\n\n{other}"),
        format!("if a:\n    {deep}\n    # b\n  # c\nelse:\n    def d():\n        {}\n# e\n", nested(&deeper)),
    ]
}

#[test]
fn what_is_common_is_read_as_tree_sitter_reads_it() {
    for one in COMMON {
        for other in COMMON {
            for text in contexts(one, other) {
                let reading = compare_parsers(&text);
                // A bracket that begins a line may belong to the line before.
                let may_go_on = other.starts_with(['(', '[']);
                let is_read = matches!(reading, Reading::Alike(_)) || may_go_on && reading == Reading::Left;
                assert!(is_read, "{text}\n{reading:?}");
            }
        }
    }
}

#[test]
fn what_is_rare_is_left_or_read_alike() {
    for one in RARE {
        assert_eq!(compare_parsers(one), Reading::Left, "{one}");
        for other in COMMON {
            for text in contexts(one, other).into_iter().chain(contexts(other, one)) {
                let reading = compare_parsers(&text);
                assert!(!matches!(reading, Reading::Differs { .. }), "{text}\n{reading:?}");
            }
        }
    }
}

/// Pieces that a change puts somewhere.
const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ";",
    ".",
    "=",
    "==",
    ":=",
    "+=",
    "*",
    "**",
    "-",
    "/",
    "->",
    "@",
    "|",
    "^",
    "!",
    "\\",
    "\n",
    "\n    ",
    "\n        ",
    "\n# a\n",
    "\n  # a\n",
    " # a\n",
    "\t",
    " ",
    "'",
    "\"",
    "'''",
    "f'",
    "{a}",
    "a",
    "1",
    "...",
    " if ",
    " else ",
    " for ",
    " in ",
    " not ",
    " is ",
    " and ",
    " or ",
    " lambda ",
    " lambda: ",
    " as ",
    " await ",
    " async ",
    " yield ",
    " from ",
    " import ",
    "print ",
    "type ",
    "match ",
    "case ",
    "exec ",
    "def ",
    "class ",
    "with ",
    "return ",
    "else:",
    "pass",
    "*a",
    "**b",
    "a=",
    "a: ",
    "()",
    "[]",
    "\r\n",
    "\u{e9}",
    "#",
];

/// A small generator of numbers, always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound.max(1)
    }
}

/// A text with pieces of it gone, doubled, swapped or replaced.
fn changed(text: &str, numbers: &mut Numbers) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for _ in 0..=numbers.below(2) {
        let at = numbers.below(text.len() + 1);
        let end = (at + numbers.below(4)).min(text.len());
        match numbers.below(5) {
            0 => drop(text.drain(at..end)),
            1 => {
                let piece: Vec<char> = text[at..end].to_vec();
                let to = numbers.below(text.len() + 1);
                text.splice(to..to, piece);
            }
            2 => drop(text.splice(at..end, PIECES[numbers.below(PIECES.len())].chars())),
            _ => drop(text.splice(at..at, PIECES[numbers.below(PIECES.len())].chars())),
        }
    }
    text.into_iter().collect()
}

/// `PARSER_ROUNDS` and `PARSER_SEED` ask for more of it, or for others.
#[test]
#[expect(clippy::disallowed_methods, reason = "who develops the parser says how long to search")]
fn changed_texts_are_read_alike_or_left() {
    let set = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    let rounds: u64 = set("PARSER_ROUNDS").unwrap_or(40_000);
    let mut numbers = Numbers(set("PARSER_SEED").unwrap_or(1));
    let (mut alike, mut failures) = (0, Vec::new());
    for _ in 0..rounds {
        let pick = |numbers: &mut Numbers| {
            let from = if numbers.below(16) == 0 { RARE } else { COMMON };
            from[numbers.below(from.len())]
        };
        let (one, other) = (pick(&mut numbers), pick(&mut numbers));
        let context = numbers.below(4);
        let text = changed(&contexts(one, other)[context], &mut numbers);
        match compare_parsers(&text) {
            Reading::Alike(_) => alike += 1,
            Reading::Left => {}
            reading @ Reading::Differs { .. } => failures.push(format!("{text}\n  {reading:?}")),
        }
    }
    assert!(failures.is_empty(), "{} differ\n{}", failures.len(), failures[..failures.len().min(40)].join("\n"));
    assert!(alike > rounds / 10, "{alike}");
}

#[test]
fn deep_and_long_texts_end_without_a_row_too_many() {
    let nested =
        ["(", "[", "{", "-", "not ", "lambda: ", "a if b else ", "a ** ", "f'{", "[*", "(*", "{*", "a(*", "a[", "{a: "];
    let repeated =
        ["[a for ", "(a for ", "{a for ", "for (a for ", "a(b for ", "with a as [*", "if a:\n", "a = ", "x: a["];
    for text in nested.into_iter().chain(repeated) {
        assert_eq!(compare_parsers(&text.repeat(10_000)), Reading::Left, "{text}");
    }
    // A column is a number of 16 bits to tree-sitter.
    for (spaces, is_left) in [(65_535, false), (65_536, true)] {
        let reading = compare_parsers(&format!("if a:\n{}b\n", " ".repeat(spaces)));
        assert_eq!(reading == Reading::Left, is_left, "{spaces}: {reading:?}");
    }
    // Each of these stands around all before it.
    for text in [".a", "()", "[a]", " + a", " or a"] {
        assert_eq!(compare_parsers(&format!("a{}", text.repeat(20_000))), Reading::Left, "{text}");
        assert!(matches!(compare_parsers(&format!("a{}", text.repeat(50))), Reading::Alike(_)), "{text}");
    }
    let list = format!("a = [{}]\n", "b, ".repeat(50_000));
    assert!(matches!(compare_parsers(&list), Reading::Alike(_)));
}
