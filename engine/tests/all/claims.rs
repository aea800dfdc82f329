//! What a change says of itself can only raise: headers, names, and what it calls documentation or an added test.

use grace_engine::plan::Plan;

use crate::support::{Bench, Files, book, files, with};

const RULES: &str = r#"
tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules       for any other change
  3 sensitive  approve 1 of anyone    for operations update_model

define counted = all except (generated plus tests)
rule too_big : tier 3
  when     lines changed in counted > 5
  because  "Large changes are read badly."
"#;

fn plan(before: &Files, after: &Files) -> Plan {
    let mut bench = Bench::new();
    bench.set(before, after, &book(RULES));
    bench.engine.plan()
}

fn tier(before: &Files, after: &Files) -> u8 {
    plan(before, after).tier
}

const TEN: &str = "a = 1\nb = 1\nc = 1\nd = 1\ne = 1\nf = 1\ng = 1\nh = 1\ni = 1\nj = 1\n";

#[test]
fn a_file_that_the_change_itself_calls_generated_still_counts() {
    let generated = |text: &str| format!("# @generated\n{text}");
    let plain = files(&[("app.py", "x = 1\n")]);
    let header = files(&[("app.py", "# @generated\nx = 1\n")]);
    // The header came with the change: into a file, with a file, under a name that says so.
    let come = with(&plain, "app.py", &generated(&format!("x = 1\n{TEN}")));
    for after in [&come, &with(&plain, "new.py", &generated(TEN)), &with(&plain, "new_pb2.py", TEN)] {
        let plan = plan(&plain, after);
        assert_eq!(plan.tier, 3, "{:#?}", plan.tier_derivation);
        assert!(
            plan.unknowns.iter().any(|unknown| unknown.name.contains("lines changed in counted")),
            "{:#?}",
            plan.unknowns
        );
    }
    // It stood there before.
    assert_eq!(tier(&header, &with(&header, "app.py", &generated(&format!("x = 1\n{TEN}")))), 2);
    // It went with the change.
    assert_eq!(tier(&header, &with(&header, "app.py", &format!("x = 1\n{TEN}"))), 3);
    // It moved with the file.
    let old = files(&[("app.py", &generated(TEN))]);
    assert_eq!(tier(&old, &files(&[("moved.py", &generated(TEN))])), 2);
}

#[test]
fn code_that_the_change_itself_makes_hold_a_test_still_counts() {
    let case = "import unittest\nclass Case(unittest.TestCase):\n    def test_a(self):\n        pass\n";
    let plain = files(&[("app.py", "x = 1\n"), ("case.py", case)]);
    assert_eq!(tier(&plain, &with(&plain, "app.py", &format!("{case}{TEN}"))), 3);
    // One that held tests before, and one whose name pytest collects.
    assert_eq!(tier(&plain, &with(&plain, "case.py", &format!("{case}{TEN}"))), 2);
    assert_eq!(tier(&plain, &with(&plain, "test_new.py", &format!("{TEN}def test_a():\n    pass\n"))), 2);
}

#[test]
fn a_document_that_code_reads_is_not_only_documentation() {
    let documents =
        files(&[("README.md", "a\n"), ("docs/guide/x.md", "a\n"), ("lib/docs/y.md", "a\n"), ("app.py", "x = 1\n")]);
    let edit = |files: &Files, path: &str| tier(files, &with(files, path, "b\n"));
    for path in ["README.md", "docs/guide/x.md", "lib/docs/y.md"] {
        assert_eq!(edit(&documents, path), 1, "{path}");
    }
    for (reader, path) in [
        ("open('README.md')\n", "README.md"),
        ("text = ROOT / 'README.md'\n", "README.md"),
        ("open('docs/guide/x.md')\n", "docs/guide/x.md"),
        ("open('../docs/guide/x.md')\n", "docs/guide/x.md"),
        ("open('guide/x.md')\n", "docs/guide/x.md"),
        ("open('x.md')\n", "docs/guide/x.md"),
        ("Path('docs').rglob('*.md')\n", "docs/guide/x.md"),
        ("load('docs/guide/')\n", "docs/guide/x.md"),
        ("load('lib/docs')\n", "lib/docs/y.md"),
    ] {
        let read = with(&documents, "app.py", reader);
        assert_eq!(edit(&read, path), 2, "{reader} {path}");
        // Read by the code of one side only, or by a file that came with the change.
        let after = with(&with(&documents, path, "b\n"), "app.py", reader);
        assert_eq!(tier(&documents, &after), 2, "{reader}");
    }
    for (reader, path) in [
        ("open('other.md')\n", "README.md"),
        ("open('docs/README.md')\n", "README.md"),
        ("Path('lib')\n", "lib/docs/y.md"),
        ("x = 'docs'\n", "docs/guide/x.md"),
        ("load('application/json')\n", "docs/guide/x.md"),
    ] {
        assert_eq!(edit(&with(&documents, "app.py", reader), path), 1, "{reader} {path}");
    }
}

#[test]
fn a_docstring_that_another_file_may_read_is_not_only_documentation() {
    let code = "def f():\n    'One.'\n    return 1\n\n\nclass K:\n    'One.'\n";
    let edit = |reader: &str| {
        let before = files(&[("app.py", code), ("use.py", reader)]);
        tier(&before, &with(&before, "app.py", &code.replace("One.", "Two.")))
    };
    for reader in ["import app\napp.f()\napp.K()\n", "from app import K\nisinstance(1, K)\n", "print(__doc__)\n"] {
        assert_eq!(edit(reader), 1, "{reader}");
    }
    for reader in [
        "from app import f\ntools = [f]\n",
        "import app\nprint(app.f.__doc__)\n",
        "import app\nparser(description=app.__doc__)\n",
        "import app, inspect\ninspect.getdoc(app.K)\n",
    ] {
        assert_eq!(edit(reader), 2, "{reader}");
    }
}

#[test]
fn a_docstring_of_a_class_or_module_that_another_file_asks_for_is_not_only_documentation() {
    let code = "'One.'\nx = 1\n\n\nclass K:\n    'Two.'\n";
    for (reader, from) in
        [("import app\nprint(app.__doc__)\n", "One."), ("import app, inspect\ninspect.getdoc(app.K)\n", "Two.")]
    {
        let before = files(&[("app.py", code), ("use.py", reader)]);
        assert_eq!(tier(&before, &with(&before, "app.py", &code.replace(from, "Other."))), 2, "{reader}");
    }
    let alone = files(&[("app.py", code), ("use.py", "import app\n")]);
    assert_eq!(tier(&alone, &with(&alone, "app.py", &code.replace("One.", "Other."))), 1);
}

#[test]
fn a_test_that_another_class_would_inherit_is_not_only_an_added_test() {
    let tests = "class TestBase:\n    def test_a(self):\n        assert self\n";
    let more = format!("{tests}\n    def test_b(self):\n        assert self\n");
    let alone = files(&[("test_a.py", tests)]);
    assert_eq!(tier(&alone, &with(&alone, "test_a.py", &more)), 1);
    let inherited =
        with(&alone, "test_b.py", "from test_a import TestBase\nclass TestMore(TestBase, Other):\n    pass\n");
    assert_eq!(tier(&inherited, &with(&inherited, "test_a.py", &more)), 2);
}
