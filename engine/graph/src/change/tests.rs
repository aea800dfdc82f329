use proptest::prelude::*;

use super::*;
use crate::extract::extract;
use crate::facts::{FileFacts, Language};

/// The parts of a change, with facts from the extractor.
pub(crate) fn parts_of(change: &Change) -> Vec<PartChange> {
    parts(change, &mut facts_of)
}

/// The facts of one side of a file, from the extractor.
pub(crate) fn facts_of(path: &str, content: &Content) -> Option<Arc<FileFacts>> {
    match content {
        Content::Text(text) => Some(Arc::new(extract(Language::of_path(path)?, text.as_bytes()))),
        _ => None,
    }
}

fn side(path: &str, text: &str) -> Option<FileSide> {
    Some(FileSide { path: path.into(), executable: false, content: Content::Text(text.into()) })
}

fn file(path: &str, before: &str, after: &str) -> FileChange {
    FileChange { before: side(path, before), after: side(path, after), asserted: false }
}

fn show(change: &Change) -> Vec<String> {
    parts_of(change)
        .iter()
        .map(|part| {
            let name =
                |key: &Option<PartKey>| key.as_ref().map_or("-".to_owned(), |key| format!("{}:{}", key.path, key.name));
            let (before, after) = (name(&part.before), name(&part.after));
            let place = if before == after { after } else { format!("{before} -> {after}") };
            let kinds: Vec<&str> =
                part.kinds.iter_names().map(|(name, _)| name).filter(|name| *name != "MEANING").collect();
            let safe: Vec<&str> = part.safe.iter_names().map(|(name, _)| name).collect();
            format!("{place} {} [{}]", kinds.join("|"), safe.join("|"))
        })
        .collect()
}

fn diff(path: &str, before: &str, after: &str) -> Vec<String> {
    show(&Change { files: vec![file(path, before, after)] })
}

const CODE: &str = "\"\"\"Module.\"\"\"\nimport os\n\nX = 1\n\n\ndef f(a, b=1):\n    \"\"\"Adds.\"\"\"\n    # why\n    return a + b\n\n\nclass K(Exception):\n    \"\"\"A class.\"\"\"\n\n    y = 2\n\n    def m(self):\n        return self.y\n";

#[test]
fn of_other_languages_meaning_is_told_by_tokens_and_nothing_is_proved() {
    let ts = "import { a } from './a';\nexport function f() {\n  // why\n  return a(1);\n}\n";
    let go = "package p\n\nfunc F() int {\n\t// why\n\treturn 1\n}\n";
    let rs = "fn f() -> u8 {\n    // why\n    1\n}\n";
    for (path, code, from, to, expected) in [
        ("a.ts", ts, "a(1)", "a(2)", "a.ts:f BODY []"),
        ("a.ts", ts, "// why", "// because", "a.ts:f COMMENT []"),
        ("a.ts", ts, "// why", "// eslint-disable-next-line", "a.ts:f BODY|COMMENT []"),
        ("a.ts", ts, "a(1)", "a( 1 )", "a.ts:f FORMAT []"),
        ("a.ts", ts, "return a", "return\n  a", "a.ts:f BODY []"),
        ("a.ts", ts, "// why", "// wh\u{2028}y", "a.ts: UNKNOWN [], a.ts:f BODY|COMMENT|UNKNOWN []"),
        ("a.ts", ts, "'./a'", "'./b'", "a.ts: BODY []"),
        ("a.go", go, "// why", "// because", "a.go:F COMMENT []"),
        ("a.go", go, "// why", "//go:noinline", "a.go:F BODY|COMMENT []"),
        ("a.go", go, "return 1", "return  2", "a.go:F BODY []"),
        ("a.rs", rs, "// why", "// because", "a.rs:f COMMENT []"),
        ("a.rs", rs, "fn f", "#[cold]\nfn f", "a.rs:f DECORATORS []"),
        ("a.rs", rs, "fn f", "/// Says.\nfn f", "a.rs: BODY []"),
        ("package.json", "{}\n", "{}", "{ }", "package.json: BYTES []"),
    ] {
        let after = code.replacen(from, to, 1);
        assert_eq!(diff(path, code, &after).join(", "), expected, "{from} -> {to}");
    }
}

#[test]
fn each_kind_is_told_for_the_part_that_changed() {
    for (from, to, expected) in [
        ("a + b", "a - b", "a.py:f BODY []"),
        ("b=1", "b=2", "a.py:f SIGNATURE []"),
        ("def f", "async def f", "a.py:f SIGNATURE []"),
        ("# why", "# because", "a.py:f COMMENT [COMMENTS]"),
        ("# why", "# type: ignore", "a.py:f BODY|COMMENT []"),
        ("Adds.", "Subtracts.", "a.py:f DOCSTRING [DOCUMENTATION]"),
        ("Adds.", ">>> f(1, 2)", "a.py:f BODY []"),
        ("a + b", "a  +  b", "a.py:f FORMAT [FORMATTING]"),
        ("(Exception)", "(ValueError)", "a.py:K DECORATORS []"),
        ("y = 2", "y = 3", "a.py:K BODY []"),
        ("A class", "This class", "a.py:K DOCSTRING [DOCUMENTATION]"),
        ("    def m", "    @property\n    def m", "a.py:K.m DECORATORS []"),
        ("self.y\n", "self.y  # y\n", "a.py:K.m COMMENT [COMMENTS]"),
        ("X = 1", "X = 2", "a.py: BODY []"),
        ("Module.", "A module.", "a.py: DOCSTRING [DOCUMENTATION]"),
        ("\n\n\ndef f", "\n\ndef f", "a.py: FORMAT [FORMATTING]"),
        ("def f", "def g", "a.py:f -> a.py:g RENAMED []"),
        ("class K", "class L", "a.py:K -> a.py:L RENAMED [], a.py:K.m -> a.py:L.m RENAMED []"),
    ] {
        let after = CODE.replace(from, to);
        assert_ne!(after, CODE);
        let found = diff("a.py", CODE, &after);
        let found: Vec<String> = if from == "def f" || from == "class K" {
            // A rename changes the body of what surrounds it: another name is bound there.
            found.into_iter().filter(|part| !part.starts_with("a.py: ")).collect()
        } else {
            found
        };
        assert_eq!(found.join(", "), expected, "{from} -> {to}");
    }
}

#[test]
fn lines_belong_to_the_innermost_part() {
    let change = Change {
        files: vec![file("a.py", CODE, &CODE.replace("self.y", "self.z").replace("y = 2", "y = 3\n    z = 4"))],
    };
    let lines: Vec<(String, Vec<u32>, Vec<u32>)> = parts_of(&change)
        .into_iter()
        .map(|part| (part.after.unwrap().name.to_string(), part.added, part.removed))
        .collect();
    assert_eq!(lines, [("K".to_owned(), vec![16, 17], vec![16]), ("K.m".to_owned(), vec![20], vec![19])]);
}

#[test]
fn added_and_removed_parts_leave_their_surroundings_alone() {
    let added = format!("{CODE}\n\ndef g():\n    return 1\n");
    // The blank lines before it are the module's.
    assert_eq!(diff("a.py", CODE, &added), ["a.py: FORMAT [FORMATTING]", "- -> a.py:g ADDED []"]);
    assert_eq!(diff("a.py", &added, CODE), ["a.py: FORMAT [FORMATTING]", "a.py:g -> - REMOVED []"]);
}

#[test]
fn another_order_of_definitions_changes_what_surrounds_them() {
    let one = "def f():\n    return 1\ndef g():\n    return 2\n";
    let two = "def g():\n    return 2\ndef f():\n    return 1\n";
    assert!(diff("a.py", one, two).contains(&"a.py: BODY []".to_owned()));
    let before = "def f():\n    return 1\nx = f()\n";
    let after = "x = f()\ndef f():\n    return 1\n";
    assert!(diff("a.py", before, after).contains(&"a.py: BODY []".to_owned()));
    // Hidden behind an added part as well.
    let hidden = format!("{after}def h():\n    pass\n");
    assert!(diff("a.py", before, &hidden).contains(&"a.py: BODY []".to_owned()), "{:?}", diff("a.py", before, &hidden));
}

#[test]
fn files_without_a_parser_change_their_bytes() {
    assert_eq!(diff("run.sh", "a\n", "b\n"), ["run.sh: BYTES []"]);
    assert_eq!(diff("run.sh", "a\n", "a\r\n"), ["run.sh: BYTES []"]);
    let mut mode = file("run.sh", "a\n", "a\n");
    mode.after.as_mut().unwrap().executable = true;
    assert_eq!(show(&Change { files: vec![mode] }), ["run.sh: MODE []"]);
    let renamed = FileChange { before: side("a.sh", "a\n"), after: side("b.sh", "a\n"), asserted: false };
    assert_eq!(show(&Change { files: vec![renamed] }), ["a.sh: -> b.sh: RENAMED []"]);
    let added = FileChange { before: None, after: side("b.sh", "a\n"), asserted: false };
    assert_eq!(show(&Change { files: vec![added] }), ["- -> b.sh: ADDED []"]);
    let link = FileSide { path: "run.sh".into(), executable: false, content: Content::Link("x".into()) };
    let to_link = FileChange { before: side("run.sh", "x"), after: Some(link), asserted: false };
    assert_eq!(show(&Change { files: vec![to_link] }), ["run.sh: BYTES []"]);
}

#[test]
fn the_mode_of_a_parsed_file_changes_its_module() {
    let mut mode = file("a.py", CODE, CODE);
    mode.after.as_mut().unwrap().executable = true;
    assert_eq!(show(&Change { files: vec![mode] }), ["a.py: MODE []"]);
}

#[test]
fn a_renamed_file_renames_all_its_parts() {
    let small = "def f():\n    return 1\n";
    let renamed = FileChange { before: side("a.py", small), after: side("b.py", small), asserted: false };
    let expected = ["a.py: -> b.py: RENAMED []", "a.py:f -> b.py:f RENAMED []"];
    assert_eq!(show(&Change { files: vec![renamed] }), expected);
    let apart = vec![
        FileChange { before: side("a.py", small), after: None, asserted: false },
        FileChange { before: None, after: side("b.py", small), asserted: false },
    ];
    assert_eq!(show(&Change { files: apart }), expected);
    let edited =
        FileChange { before: side("a.py", small), after: side("b.py", "def f():\n    return 2\n"), asserted: false };
    assert_eq!(
        show(&Change { files: vec![edited] }),
        ["a.py: -> b.py: RENAMED []", "a.py:f -> b.py:f RENAMED|BODY []"]
    );
}

#[test]
fn a_function_that_moved_to_another_file_is_renamed_once() {
    let with = "X = 1\ndef f():\n    return 7\n";
    let without = "X = 1\n";
    let moved = vec![file("a.py", with, without), file("b.py", without, with)];
    assert_eq!(show(&Change { files: moved }), ["a.py:f -> b.py:f RENAMED []"]);
    let twice = vec![file("a.py", with, without), file("b.py", without, with), file("c.py", without, with)];
    assert_eq!(
        show(&Change { files: twice }),
        ["a.py:f -> - REMOVED []", "- -> b.py:f ADDED []", "- -> c.py:f ADDED []"]
    );
}

#[test]
fn what_cannot_be_read_or_parsed_or_is_only_asserted_is_unknown() {
    let asserted = FileChange { asserted: true, ..file("a.py", CODE, CODE) };
    let parts = show(&Change { files: vec![asserted] });
    assert_eq!(parts.len(), 4);
    assert!(parts.iter().all(|part| part.ends_with(" UNKNOWN []")), "{parts:?}");
    let asserted = FileChange { asserted: true, ..file("README.md", "a", "a") };
    assert_eq!(show(&Change { files: vec![asserted] }), ["README.md: UNKNOWN []"]);
    for content in
        [Content::Binary([1; 32]), Content::Unknown("x".into()), Content::TooLarge { size: 9, digest: [1; 32] }]
    {
        let after = Some(FileSide { path: "a.py".into(), executable: false, content });
        let change =
            Change { files: vec![FileChange { before: side("a.py", "def f(): pass\n"), after, asserted: false }] };
        assert!(parts_of(&change).iter().all(|part| part.kinds.contains(Kinds::UNKNOWN)));
        assert_eq!(parts_of(&change).len(), 3);
    }
    // Equal sides that are listed nevertheless.
    assert_eq!(diff("a.py", "x\n", "x\n"), ["a.py: UNKNOWN []"]);
    assert_eq!(diff("a.md", "x\n", "x\n"), ["a.md: UNKNOWN []"]);
    // No facts for a text that has a parser.
    let change = Change { files: vec![file("a.py", "x = 1\n", "x = 1 # a\n")] };
    assert!(super::parts(&change, &mut |_, _| None).iter().all(|part| part.kinds.contains(Kinds::UNKNOWN)));
}

#[test]
fn a_syntax_error_leaves_equal_parts_alone_and_proves_nothing() {
    let good = "def f():\n    return 1\n\ndef g():\n    return 2\n";
    let bad = "def f():\n    return 1\n\ndef g():\n    return (2\n";
    let parts = diff("a.py", good, bad);
    assert!(!parts.iter().any(|part| part.contains(":f ")), "{parts:?}");
    assert!(parts.iter().all(|part| part.contains("UNKNOWN")), "{parts:?}");
    let comment = diff("a.py", bad, &bad.replace("return 1", "return 1  # one"));
    assert!(comment.iter().all(|part| part.contains("UNKNOWN") && part.ends_with("[]")), "{comment:?}");
}

#[test]
fn text_that_python_reads_otherwise_than_the_grammar_proves_nothing() {
    for (before, after) in [
        ("x = 1\n# a\n", "x = 1\n# a\rimport os\n"),
        ("# coding: utf-7\n# a\n", "# coding: utf-7\n# +AAo-import os\n"),
        ("# a\nx = 1\n", "# a\n\x0cx = 1\n"),
        ("if x:\n    y\nz\n", "if x:\n    y\n  z\n"),
        ("if x:\n    y\n    z\n", "if x:\n    y\n\tz\n"),
        ("if x:\n    y\nelse:\n    z\n", "if x:\n    y\n  else:\n    z\n"),
        ("def f():\n    x\n    y\n", "def f():\n        x\n    y\n"),
        ("@a\ndef f():\n    x\n", "@a\n def f():\n    x\n"),
        ("x = 1\n", "x =\u{a0}1\n"),
        ("x = 1\n", "x = 1\u{200b}\n"),
        ("x = 1\n", "x = 1 \\\n"),
        ("x = (1 +\n     2)\n", "x = (1 + \\\n     # a\n     2)\n"),
        (" x = 1\n", "x = 1\n"),
        ("x = 1\n", "x =\n1\n"),
        ("if a and b: c\n", "if a and\n  b: c\n"),
        ("x = a.b\n", "x = a.\r\n  b\r\n"),
        ("f()\ng()\n", "f()- \ng()\n"),
        ("from a import b\n", "from  # c\n  a import b\n"),
        // Brackets in the format of a value open nothing.
        ("f'{x:(<9}'\ny = 1\n", "f'{x:(<9}'\ny =\n1\n"),
        ("f'{x:{w}[^}'\nf()\ng()\n", "f'{x:{w}[^}'\nf()- \ng()\n"),
        ("def f():\n    \"\"\"A.\"\"\"\n\ndef g(): pass\n", "def f():\n\ndef g(): pass\n"),
    ] {
        let parts = diff("a.py", before, after);
        assert!(parts.iter().all(|part| part.contains("UNKNOWN") && part.ends_with("[]")), "{parts:?}");
    }
    // Unusual and sound.
    for code in [
        "if x:\n\ty = 1 + \\\n\t\t2\n\u{c}\nz = \"\u{a0}\u{200b}\"\n",
        "class A:\n  @a\n  def f(self): return 1\n  # b\n\n  try:\n     a\n  except E: pass\n  else:\n   b\n  finally:\n     c\n",
        "x = r'\\\\' + f'{a}\u{a0}'\n",
        "match x:\n  case 1:\n    y\n  case 2: z\nif a: b; c\nelif d:\n  e\nfor i in j:\n  k\nelse:\n  l\n",
        "x = \"\"\"\n  a\n\"\"\"; y = 1\nwith a as b, \\\n     c as d:\n    pass\n",
        "x = f(f'{x:)<9}',\n  b, f'{x:{w})]#\u{a0}^}',\n  c)\n",
        "x = (a\n  .b[\n1], f'''{a}\n{{ (\n''', f'{b[(c)]}')\nif (a\n    ): # (\n    b = \\\r\n  c\n",
    ] {
        assert_eq!(diff("a.py", code, &format!("# note\n{code}")), ["a.py: COMMENT [COMMENTS]"], "{code}");
    }
    // The settings of a script stand in comments.
    let script = "# /// script\n# dependencies = [\"a\"]\n# ///\nimport a\n";
    assert_eq!(diff("a.py", script, &script.replace("\"a\"", "\"b\"")), ["a.py: BODY|COMMENT []"]);
}

#[test]
fn a_comment_that_is_code_speaks_of_its_line() {
    for (before, after) in [
        ("x = f(a)  # noqa\ny = 1\n", "x = f(a)\n# noqa\ny = 1\n"),
        ("x = f(a, b)  # nosec\n", "x = f(\n    a, b\n)  # nosec\n"),
        ("def f():\n    x\n    # pylint: disable=all\ny\n", "def f():\n    x\n# pylint: disable=all\ny\n"),
        ("if x:\n    y = 1  # type: ignore\n", "if x:\n    y = 1\n    # type: ignore\n"),
        ("x = 1\n# a note\n", "x = 1\n# fmt: off\n"),
        (
            "#!/usr/bin/python3\n# -*- coding: latin-1 -*-\nx = 1\n",
            "#!/usr/bin/python3\n# a\n# -*- coding: latin-1 -*-\nx = 1\n",
        ),
        ("#!/usr/bin/python3\nx = 1\n", "#!/usr/bin/python2\nx = 1\n"),
        ("#!/usr/bin/python3\nx = 1\n", "\n#!/usr/bin/python3\nx = 1\n"),
        ("def f(a):\n    # type: (int) -> int\n    return a\n", "def f(a):\n    # type: (str) -> int\n    return a\n"),
        ("x = 1\n", "# SPDX-License-Identifier: MIT\nx = 1\n"),
        ("x = 1  # lint: off\n", "x = 1\n"),
    ] {
        let parts = diff("a.py", before, after);
        assert!(!is_safe(&parts), "{before} -> {after}: {parts:?}");
    }
    // Spacing alone is not the line.
    assert!(is_safe(&diff("a.py", "x=f( a )  # noqa\n", "x = f(a)  # noqa\n")));
}

#[test]
fn white_space_and_quotes_that_are_data_are_no_formatting() {
    for (before, after) in [
        ("x = 'a b'\n", "x = 'a  b'\n"),
        ("x = 'a'\n", "x = \"a\"\n"),
        ("x = 'a'\n", "x = r'a'\n"),
        ("x = 'a' 'b'\n", "x = 'ab'\n"),
        ("x = f'{a}'\n", "x = f'{a }'\n"),
        ("x = f'{a:>3}'\n", "x = f'{a:> 3}'\n"),
        ("x = f'{a=}'\n", "x = f'{a =}'\n"),
        ("x = 'a\\\nb'\n", "x = 'a\\\n b'\n"),
        ("x = 1\n", "from __future__ import annotations\nx = 1\n"),
        ("x = 1,\n", "x = 1\n"),
        ("if a:\n    b\n    c\n", "if a:\n    b\nc\n"),
        ("a\nb\n", "b\na\n"),
        ("def f():\n    f'{g()}'\n", "def f():\n    f'{h()}'\n"),
        ("def f():\n    b'a'\n", "def f():\n    b'b'\n"),
        ("def f():\n    x\n    'a'\n", "def f():\n    x\n    'b'\n"),
        ("x = 10\n", "x = 1_0\n"),
        // Marks that join a letter, and comments whose letters join a name, are of no alphabet.
        ("import cafe\n", "import cafe\u{301}\n"),
        ("import ab\n", "import a\u{b7}b\n"),
        ("from m import b\n", "from m import b\u{b7}\n"),
        ("from .a import b\n", "from .a\u{301} import b\n"),
        ("import a.b\n", "import a.b\u{301}\n"),
        ("match x:\n  case a.b: y\n", "match x:\n  case a.b\u{301}: y\n"),
        ("match x:\n  case (a.xb): y\n", "match x:\n  case (a. # x\n    b): y\n"),
    ] {
        let parts = diff("a.py", before, after);
        assert!(!is_safe(&parts), "{before} -> {after}: {parts:?}");
    }
    for (before, after) in [
        ("x = a if b else c\n", "x = a  if b  else c\n"),
        ("x = (a if b\n     else c)\n", "x = (a if b else c)\n"),
        ("x = 1 + \\\n    2\n", "x = 1 + 2\n"),
        ("f(a,b)\n", "f(a,\n  b)\n"),
        ("x = not a\n", "x = not  a\n"),
        // Python reads both ends of a line as one.
        ("x = '''a\nb'''\n", "x = '''a\r\nb'''\n"),
        ("x = a not in b\n", "x = a not  in b\n"),
        ("import a.b\n", "import a . b\n"),
        ("match x:\n  case (a.b): y\n", "match x:\n  case (a. # x\n    b): y\n"),
    ] {
        assert!(is_safe(&diff("a.py", before, after)), "{before} -> {after}: {:?}", diff("a.py", before, after));
    }
}

#[test]
fn what_nobody_sees_is_in_no_comment_and_in_no_document() {
    for hidden in ["\u{202e}", "\u{2066}", "\u{200b}", "\u{e0041}", "\u{feff}", "\u{1b}", "\u{2028}"] {
        let comment = diff("a.py", "x = 1  # a\n", &format!("x = 1  # a{hidden}b\n"));
        assert!(!is_safe(&comment), "{hidden:?}: {comment:?}");
        let docstring = diff("a.py", "def f():\n    'a'\n", &format!("def f():\n    'a{hidden}b'\n"));
        assert!(!is_safe(&docstring), "{hidden:?}: {docstring:?}");
        let document = diff("README.md", "a\n", &format!("a\n{hidden}b\n"));
        assert!(!is_safe(&document), "{hidden:?}: {document:?}");
        // What stood there already says nothing of this change.
        assert!(is_safe(&diff("README.md", &format!("{hidden}a\nb\n"), &format!("{hidden}a\nc\n"))));
    }
    assert!(is_safe(&diff("README.md", "a\n", "a \u{1f469}\u{200d}\u{1f4bb} \u{2764}\u{fe0f}\n")));
}

#[test]
fn a_header_that_says_generated_is_more_than_a_comment() {
    for header in ["# @generated\n", "# DO NOT EDIT\n", "\"\"\"Do not edit by hand.\"\"\"\n"] {
        let after = format!("{header}x = 1\n");
        assert!(!is_safe(&diff("a.py", "x = 1\n", &after)), "{header}");
        assert!(!is_safe(&diff("a.py", &after, "x = 1\n")), "{header}");
    }
    // Blank lines can carry a header into the lines that are read, and out of them.
    let low = format!("{}# @generated\nx = 1\n", "\n".repeat(12));
    assert!(!is_safe(&diff("a.py", &low, "# @generated\nx = 1\n")));
}

#[test]
fn docstrings_that_something_reads_are_not_only_documentation() {
    for code in [
        "from pydantic.dataclasses import dataclass\n@dataclass\nclass A:\n    'One.'\n",
        "from own import cache\n@cache\ndef f():\n    'One.'\n",
        "def property(f): ...\nclass A:\n    @property\n    def m(self):\n        'One.'\n",
        "from own import ABC\nclass A(ABC):\n    'One.'\n",
        "import click\n@click.command()\ndef f():\n    'One.'\n",
        "@app.get('/')\nasync def f():\n    'One.'\n",
        "def f():\n    '''One.\n\n    .. plot::\n    '''\n",
        "import docs\n@tool\ndef f():\n    'One.'\n    return 1\n",
        "class Answer(Signature):\n    'One.'\n",
        "def f():\n    'One.'\nprint(f.__doc__)\n",
        "import inspect\ndef f():\n    'One.'\ninspect.getdoc(f)\n",
    ] {
        let parts = diff("a.py", code, &code.replace("One.", "Two."));
        assert!(parts[0].ends_with("DOCSTRING []"), "{parts:?}");
    }
}

#[test]
fn docstrings_behind_decorators_and_bases_of_python_itself_are_documentation() {
    for code in [
        "from abc import ABC, abstractmethod\nclass A(ABC):\n    'One.'\n    @abstractmethod\n    def m(self): ...\n",
        "import abc\nclass A(metaclass=abc.ABCMeta):\n    'One.'\n",
        "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef f():\n    'One.'\n",
        "class A:\n    @property\n    def m(self):\n        'One.'\n    @m.setter\n    def m(self, v): ...\n",
        "from typing import Generic, Protocol\nclass A(Protocol, Generic[T]):\n    'One.'\n",
        "from enum import Enum\nclass A(Enum):\n    'One.'\n    B = 1\n",
    ] {
        let parts = diff("a.py", code, &code.replace("One.", "Two."));
        assert!(parts[0].ends_with("DOCSTRING [DOCUMENTATION]"), "{code}: {parts:?}");
    }
}

#[test]
fn line_ends_alone_are_formatting() {
    assert_eq!(diff("a.py", CODE, &CODE.replace('\n', "\r\n")), ["a.py: FORMAT [FORMATTING]"]);
    assert_eq!(diff("a.py", CODE, CODE.trim_end()), ["a.py: FORMAT [FORMATTING]"]);
}

#[test]
fn documents_are_safe_unless_they_instruct_or_are_run() {
    for path in ["README.md", "docs/guide/x.rst", "backend/README.txt", "CHANGELOG.md", "design.adoc", "pkg/docs/a.md"]
    {
        assert_eq!(diff(path, "a\n", "b\n"), [format!("{path}: BYTES [DOCUMENTATION]")], "{path}");
    }
    for path in [
        "AGENTS.md",
        "docs/AGENTS.md",
        "CLAUDE.md",
        "claude.local.md",
        "GEMINI.md",
        ".cursorrules",
        ".cursor/rules/a.md",
        ".github/copilot-instructions.md",
        ".github/README.md",
        ".windsurfrules",
        "docs/SKILL.md",
        "docs/system.prompt.md",
        "prompts/README.md",
        "CODEOWNERS",
        "docs/CODEOWNERS",
        "requirements.txt",
        "docs/requirements.txt",
        "constraints.txt",
        "robots.txt",
        "LICENSE",
        "LICENSE.md",
        "LICENSE.txt",
        "CMakeLists.txt",
        "src/words.txt",
        "backend/planner.md",
        "tests/data/README.md",
        "docs/conf.py",
        "README",
        "README.html",
        "MEMORY.md",
        "docs/SOUL.md",
        "WARP.md",
    ] {
        let parts = diff(path, "a = 1\n", "a = 2\n");
        assert!(parts.iter().all(|part| part.ends_with("[]")), "{parts:?}");
    }
    for text in [
        ">>> f()",
        "--8<-- \"x.md\"",
        ".. include:: x",
        ".. literalinclude:: x",
        "```{include} x",
        "{{< include x >}}",
        "{% include 'x' %}",
        "{!x!}",
        "include::x[]",
        "[[include x]]",
        "#+INCLUDE: x",
        "!include x",
        "[x](x ':include')",
        "<script>x</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:x)",
        "```{python}",
        ".. csv-table::\n   :file: x",
        "[[[cog x ]]]",
        ".. automodule:: x",
    ] {
        assert_eq!(diff("README.md", "a\n", &format!("b\n{text}\n")), ["README.md: BYTES []"], "{text}");
        assert_eq!(diff("README.md", &format!("b\n{text}\n"), "a\n"), ["README.md: BYTES []"], "{text}");
    }
    for text in ["it depends on x = 1", "```python", "<img src=\"x\" width=\"3\">", "a, that includes: b"] {
        assert_eq!(diff("README.md", "a\n", &format!("{text}\n")), ["README.md: BYTES [DOCUMENTATION]"], "{text}");
    }
    assert_eq!(diff("README.md", ">>> f()\n1\n", "a\n"), ["README.md: BYTES []"]);
    let deleted = FileChange { before: side("README.md", "a\n"), after: None, asserted: false };
    assert_eq!(show(&Change { files: vec![deleted] }), ["README.md: -> - REMOVED []"]);
}

#[test]
fn documents_that_become_links_or_programs_or_move_are_not_only_documentation() {
    let of = |path: &str, content: Content| Some(FileSide { path: path.into(), executable: false, content });
    let link = |target: &str| of("README.md", Content::Link(target.into()));
    let module = |commit: &str| of("docs/a.md", Content::Submodule(commit.into()));
    let mut mode = file("README.md", "a\n", "b\n");
    mode.after.as_mut().unwrap().executable = true;
    for change in [
        FileChange { before: side("README.md", "a\n"), after: link("x"), asserted: false },
        FileChange { before: None, after: link("/etc/passwd"), asserted: false },
        FileChange { before: link("x"), after: side("README.md", "a\n"), asserted: false },
        FileChange { before: side("docs/a.md", "a\n"), after: side("docs/b.md", "a\n"), asserted: false },
        FileChange { before: module("1"), after: module("2"), asserted: false },
        file(".gitattributes", "", "docs/** -text\n"),
        mode,
    ] {
        let parts = show(&Change { files: vec![change] });
        assert!(!is_safe(&parts), "{parts:?}");
    }
}

const TESTS: &str = "import pytest\n\n\ndef helper():\n    return 1\n\n\ndef test_a():\n    assert helper() == 1\n\n\nclass TestK:\n    def test_m(self):\n        assert True\n";

fn added_to_tests(text: &str) -> Vec<String> {
    diff("tests/test_a.py", TESTS, &format!("{TESTS}{text}"))
}

fn is_safe(parts: &[String]) -> bool {
    !parts.is_empty() && parts.iter().all(|part| !part.ends_with("[]"))
}

#[test]
fn new_test_functions_are_only_added_tests() {
    for text in [
        "\n\ndef test_b():\n    assert helper() == 2\n",
        "\n\nasync def test_b(tmp_path, x: int) -> None:\n    def inner():\n        return 1\n    assert inner()\n",
        "\n\n@pytest.mark.parametrize('a', [1, (2, -3), pytest.param('x', id='y', marks=pytest.mark.slow)])\ndef test_b(a):\n    assert a\n",
        "\n    def test_n(self):\n        assert self\n",
        "\n\nclass TestL:\n    \"\"\"Says.\"\"\"\n\n    def test_m(self):\n        assert self\n",
    ] {
        let parts = added_to_tests(text);
        assert!(is_safe(&parts), "{text}: {parts:?}");
        assert!(parts.iter().any(|part| part.contains("ADDED [ADDED_TESTS]")), "{parts:?}");
    }
}

#[test]
fn whatever_runs_at_import_replaces_or_helps_is_no_added_test() {
    for text in [
        "\n\ndef check():\n    pass\n",
        "\n\ndef helper():\n    return 2\n",
        "\n\ndef test_a():\n    pass\n",
        "\n\n@pytest.fixture\ndef test_b():\n    pass\n",
        "\n\n@pytest.fixture(autouse=True)\ndef other():\n    pass\n",
        "\n\ndef test_b(a=run()):\n    pass\n",
        "\n\ndef test_b(a: run()):\n    pass\n",
        "\n\ndef test_b() -> run():\n    pass\n",
        "\n\n@run()\ndef test_b():\n    pass\n",
        "\n\n@pytest.mark.parametrize('a', run())\ndef test_b(a):\n    pass\n",
        "\n\n@pytest.mark.parametrize('a', [x for x in y])\ndef test_b(a):\n    pass\n",
        "\n\n@pytest.mark.parametrize('a', [f'{run()}'])\ndef test_b(a):\n    pass\n",
        "\n\ndef pytest_configure(config):\n    pass\n",
        "\n\nimport os\n",
        "\n\nrun()\n\ndef test_b():\n    pass\n",
        "\n\nclass TestL(Base):\n    def test_m(self):\n        assert self\n",
        "\n\nclass TestL:\n    x = run()\n    def test_n(self):\n        assert self\n",
        "\n\nclass TestL:\n    def setup_method(self):\n        pass\n    def test_n(self):\n        assert self\n",
        "\n\nclass TestL(metaclass=M):\n    def test_n(self):\n        assert self\n",
        "\n\nclass L:\n    def test_n(self):\n        assert self\n",
        "\n    def test_m(self):\n        assert self\n",
        "\n    def __init__(self):\n        pass\n",
        "\n\ndef test_b():\n    pass\n\nhelper = None\n",
        "\n\ndef test_b():\n    global helper\n    helper = None\n",
        "\n\npytest_plugins = ['a']\n\ndef test_b():\n    pass\n",
        "\n\n__test__ = False\n\ndef test_b():\n    pass\n",
        "\n\n@pytest.mark.parametrize('a', [1], ids=run)\ndef test_b(a):\n    pass\n",
        "\n\n@wrap\nclass TestL:\n    def test_n(self):\n        assert self\n",
        "\n\nclass TestL(TestCase):\n    def test_n(self):\n        assert self\n",
        "\n\ndef setup_module():\n    pass\n",
        "\n\nTestK.test_m = None\n",
    ] {
        let parts = added_to_tests(text);
        assert!(!is_safe(&parts), "{text}: {parts:?}");
    }
    let test = "def test_b():\n    assert 1\n";
    for path in ["tests/conftest.py", "src/app.py", "tests/helpers.py", "app/tests.py", "app/testing.py"] {
        assert!(!is_safe(&diff(path, "x = 1\n", &format!("x = 1\n{test}"))), "{path}");
    }
    // The mark is not pytest's.
    let foreign = "import own as pytest\n";
    let marked = "@pytest.mark.x\ndef test_b():\n    assert 1\n";
    assert!(!is_safe(&diff("test_a.py", foreign, &format!("{foreign}{marked}"))));
    assert!(is_safe(&diff("test_a.py", "import pytest\n", &format!("import pytest\n{marked}"))));
    let added = |path: &str| {
        let change = FileChange { before: None, after: side(path, test), asserted: false };
        is_safe(&show(&Change { files: vec![change] }))
    };
    for path in ["web/a.test.ts", "pkg/a_test.go", "tests/a.rs", "tests/a.md"] {
        assert!(!added(path), "{path}");
    }
    // The name means something already.
    let imported = "from helpers import test_b\n";
    assert!(!is_safe(&diff("test_a.py", imported, &format!("{imported}{test}"))));
}

#[test]
fn a_new_test_file_holds_imports_and_tests_and_nothing_else() {
    let new = |path: &str, text: &str| {
        let parts =
            show(&Change { files: vec![FileChange { before: None, after: side(path, text), asserted: false }] });
        is_safe(&parts)
    };
    let tests = "\"\"\"Tests.\"\"\"\nfrom __future__ import annotations\nimport pytest\nfrom app import f\n\n\ndef test_a():\n    assert f()\n";
    assert!(new("tests/test_a.py", tests));
    assert!(!new("tests/conftest.py", tests));
    assert!(!new("app/a.py", tests));
    for more in [
        "x = 1\n",
        "from os import *\n",
        "def helper():\n    pass\n",
        "if x:\n    def test_b():\n        pass\n",
        "f()\n",
        "f'{run()}'\n",
    ] {
        assert!(!new("tests/test_a.py", &format!("{tests}{more}")), "{more}");
    }
    let mut executable = FileChange { before: None, after: side("test_a.py", tests), asserted: false };
    executable.after.as_mut().unwrap().executable = true;
    assert!(!is_safe(&show(&Change { files: vec![executable] })));
}

#[test]
fn a_proof_names_the_first_part_that_breaks_it() {
    let change = Change {
        files: vec![
            file("README.md", "a\n", "b\n"),
            file("a.py", "x = 1\ny = 2\n", "x = 1  # one\ny = 2\n"),
            file("b.py", "x = 1\n", "x = 2\n"),
        ],
    };
    let parts = parts_of(&change);
    let proof = only(&parts, SafeKinds::all());
    assert!(!proof.holds);
    let (part, kinds) = proof.witness.unwrap();
    assert_eq!((&*part.path, kinds), ("b.py", Kinds::BODY));
    assert!(only(&parts[..2], SafeKinds::all()).holds);
    assert!(!only(&parts[..2], SafeKinds::COMMENTS).holds);
}

#[test]
fn the_order_of_parts_does_not_depend_on_the_order_of_files() {
    let mut files = vec![file("a.py", CODE, ""), file("b.py", "", CODE), file("c.md", "a", "b")];
    let one = show(&Change { files: files.clone() });
    files.reverse();
    assert_eq!(show(&Change { files }), one);
}

#[test]
fn thousands_of_changed_parts_are_compared_in_bounded_time() {
    let before: String = (0..20_000).map(|index| format!("def f{index}(): return {index}\n")).collect();
    let after = before.replace("def f", "def g");
    let change = Change { files: vec![file("a.py", &before, &after)] };
    assert!(parts_of(&change).len() >= 20_000);
}

fn line_insertions() -> impl Strategy<Value = Vec<(usize, bool, String)>> {
    prop::collection::vec((0_usize..19, any::<bool>(), "[a-z ]{0,20}"), 1..6)
}

proptest! {
    #[test]
    fn inserted_comments_and_white_space_are_only_that(insertions in line_insertions()) {
        let mut lines: Vec<String> = CODE.lines().map(str::to_owned).collect();
        for (at, is_comment, text) in insertions {
            let line = if is_comment { format!("# {text}") } else { String::new() };
            lines.insert(at.min(lines.len()), line);
        }
        let after = lines.join("\n") + "\n";
        for part in parts_of(&Change { files: vec![file("a.py", CODE, &after)] }) {
            prop_assert!((Kinds::COMMENT | Kinds::FORMAT).contains(part.kinds), "{:?}\n{}", part, after);
            prop_assert!(!part.safe.is_empty());
        }
    }

    #[test]
    fn a_changed_token_is_never_safe(line in 0_usize..19, text in "[a-z]{1,5}") {
        let mut lines: Vec<String> = CODE.lines().map(str::to_owned).collect();
        let code = ["import os", "X = 1", "def f", "return", "class", "y = 2", "def m"];
        prop_assume!(code.iter().any(|code| lines[line].contains(code)));
        lines[line].push_str(&format!("; {text}"));
        let parts = parts_of(&Change { files: vec![file("a.py", CODE, &(lines.join("\n") + "\n"))] });
        prop_assert!(!only(&parts, SafeKinds::all()).holds);
    }

    #[test]
    fn any_two_texts_are_compared_without_panic(
        before in "(def f\\(\\):\n|class A:\n|    |x = 1\n|#|'''|\"|\\(|\n|\r|@a\n|return|\\PC){0,40}",
        after in "(def f\\(\\):\n|class A:\n|    |x = 1\n|#|'''|\"|\\(|\n|\r|@a\n|return|\\PC){0,40}",
    ) {
        for path in ["a.py", "test_a.py", "README.md"] {
            let change = Change { files: vec![file(path, &before, &after)] };
            let parts = parts_of(&change);
            prop_assert!(!parts.is_empty());
            let _ = crate::text_match::added_code_lines(&change, &parts, &mut facts_of);
            let _ = crate::text_match::removed_documentation(&change, &parts);
        }
    }
}
