use super::*;

fn seen(file: &str, text: &str) -> Vec<(u32, Guardrail)> {
    let added = (1..=text.lines().count()).map(|line| line as u32).collect();
    look(file, text, &added).into_iter().map(|finding| (finding.line, finding.guardrail)).collect()
}

#[test]
fn a_contradiction_is_told_where_it_stands() {
    for (bad, line) in [
        ("if ready and not ready:\n    go()\n", 1),
        ("if not (ready) and other and ready:\n    go()\n", 1),
        ("while count > 5 and count < 3:\n    go()\n", 1),
        ("assert kind == \"a\" and kind == \"b\"\n", 1),
        ("if value is None and value is not None:\n    go()\n", 1),
        ("if (first\n        and not first):\n    go()\n", 1),
        ("if ready or not ready:\n    go()\n", 1),
        ("if a:\n    go()\nelif b:\n    stay()\nelif a:\n    leave()\n", 5),
        ("if a:\n    go(1)\n    go(2)\nelse:\n    go(1)\n    go(2)\n", 4),
        ("def f():\n    return 1\n    go()\n", 3),
        ("def f():\n    raise Error(\n        1)\n    go()\n", 4),
        ("table = {\n    'a': 1,\n    'b': {'a': 2},\n    'a': 3,\n}\n", 4),
        ("limit = 3\nlimit = 4\n", 2),
    ] {
        assert_eq!(seen("a.py", bad), [(line, Guardrail::Contradictions)], "{bad}");
    }
    for (bad, line) in [
        ("if (ready && !ready) {\n  go();\n}\n", 1),
        ("function f() {\n  return 1;\n  go();\n}\n", 3),
        ("if (a) {\n  go();\n} else if (b) {\n  stay();\n} else if (a) {\n  leave();\n}\n", 5),
        ("if (a) {\n  go();\n} else {\n  go();\n}\n", 3),
    ] {
        assert_eq!(seen("a.ts", bad), [(line, Guardrail::Contradictions)], "{bad}");
    }
    assert_eq!(seen("a.rs", "if x > 5 && x < 3 {\n    go();\n}\n"), [(1, Guardrail::Contradictions)]);
}

#[test]
fn what_only_looks_alike_is_no_contradiction() {
    for good in [
        "if ready and not other:\n    go()\n",
        "if count > 3 and count < 5:\n    go()\n",
        "if kind == \"a\" or kind == \"b\":\n    go()\n",
        "if next(items) and not next(items):\n    go()\n",
        "if a[0] and not a[1]:\n    go()\n",
        "text = '''\nif ready and not ready:\n'''\n",
        "# if ready and not ready:\n",
        "if a:\n    go()\nelse:\n    stay()\nif a:\n    leave()\n",
        "if a:\n    return 1\nreturn 2\n",
        "def f():\n    return\n    yield\n",
        "def f():\n    return (\n        1\n    )\n\ndef g():\n    pass\n",
        "table = [{'a': 1}, {'a': 2}]\n",
        "table = {'a': 1, **more, 'a': 2}\n",
        "limit = 3\nother = 4\nlimit = 5\n",
        "if (a and b) or (not a and c):\n    go()\n",
        "return x if x is None else y and x is not None\n",
    ] {
        assert_eq!(seen("a.py", good), [], "{good}");
    }
    for good in [
        "if (x)\n  return 1;\ngo();\n",
        "switch (x) {\n  case 1:\n  return 1;\n  case 2:\n  return 2;\n}\n",
        "function f() {\n  return g();\n  function g() {}\n}\n",
    ] {
        assert_eq!(seen("a.js", good), [], "{good}");
    }
    assert_eq!(
        seen("a.rs", "fn f<'a>(x: &'a str) -> char {\n    if x == \"'\" {\n        return 'a';\n    }\n    '\\''\n}\n"),
        []
    );
}

#[test]
fn repeated_text_is_told_and_a_table_is_not() {
    let block = "    total = total + price(item)\n    log.info(\"added %s\", item)\n";
    let found = seen("a.py", &format!("def f():\n{}", block.repeat(6)));
    assert_eq!(found, [(2, Guardrail::Repetition)]);
    assert_eq!(seen("a.py", &format!("def f():\n{}", block.repeat(2))), []);
    assert_eq!(seen("a.py", &"    None,\n".repeat(40)), []);
    let words = format!("# {}\n", "the same ".repeat(12));
    assert_eq!(seen("a.py", &words), [(1, Guardrail::Repetition)]);
}

#[test]
fn names_that_are_no_words_are_told() {
    let bad = "def qzxvkj(wpfhgt):\n    bvnmxq = wpfhgt + jkqzrt\n    xkcdqw = bvnmxq\n    return zzqpfk(xkcdqw)\n";
    assert_eq!(seen("a.py", bad), [(1, Guardrail::NonsenseIdentifiers)]);
    let good = "def load_settings(configuration):\n    parsed = configuration.parse()\n    validate_everything(parsed)\n    return initialize_application(parsed)\n";
    assert_eq!(seen("a.py", good), []);
    assert!(names::surprise("configuration") < names::surprise("qzxvkjwpf"));
    assert_eq!(names::words("loadHTMLFile_2(\"nothing here\")"), ["load", "htmlfile"]);
}

#[test]
fn only_what_was_added_is_judged_and_only_code() {
    let text = "if ready and not ready:\n    go()\nif other:\n    stay()\n";
    assert_eq!(look("a.py", text, &BTreeSet::from([3, 4])), []);
    assert_eq!(look("a.py", text, &BTreeSet::from([1])).len(), 1);
    for other in ["a.md", "a.min.js", "README", "a.json"] {
        assert_eq!(seen(other, text), [], "{other}");
    }
}

/// Hostile text does not end the program.
#[test]
fn hostile_text_does_no_harm() {
    let deep = "(".repeat(2_000);
    let wide = "if a and ".repeat(4_000);
    let lines = "if x:\n".repeat(5_000);
    let nested: String = (0..1_000).map(|at| format!("{}if a{at}:\n", " ".repeat(at % 390))).collect();
    let keys = "{".repeat(300) + &"\n'a': 1,".repeat(2_000);
    for text in
        [&deep, &wide, &lines, &nested, &keys, "é\u{202e}\u{0}'\\", "r###\"", "/*é*", "'''\\", "\"\\é", "(\\é and x"]
    {
        for file in ["a.py", "a.ts", "a.rs", "a.go"] {
            seen(file, text);
        }
    }
}
