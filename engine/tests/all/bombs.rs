//! Rules that are built to hurt: none overflows the stack or grows out of proportion. Test threads have 2 MiB of stack,
//! less than any program's main thread on the systems that are supported but one.

use std::fmt::Write as _;

use grace_engine::What;
use grace_engine::plan::Plan;

use crate::support::{Bench, files, raw_book, with};

/// Evaluates a book of `rule r` over a small change, questions the plan and checks the rules.
fn plan(text: &str) -> Plan {
    let rule = "rule r : tier 2\n  when change touches end\n  because \"x\"\n";
    let mut bench = Bench::new();
    let before = files(&[("app/a.py", "def f():\n    return 1\n"), ("app/b.py", "import app.a\n")]);
    let after = with(&before, "app/a.py", "def f():\n    return 2\n");
    bench.set(&before, &after, &raw_book(&format!("{rule}{text}")));
    let plan = bench.engine.plan();
    let _ = bench.engine.explain(&What::Rule("r".to_owned()));
    let _ = bench.engine.explain(&What::File("app/a.py".to_owned()));
    let _ = bench.engine.check();
    // What is known must be confirmed after an edit without going down the whole way.
    let edited = with(&before, "app/a.py", "def f():\n    return 3\n\n\ndef g():\n    return 4\n");
    bench.set(&before, &edited, &raw_book(&format!("{rule}{text}")));
    assert_eq!(bench.engine.plan().tier, plan.tier);
    plan
}

fn outcome(plan: &Plan) -> String {
    plan.rules.iter().find(|rule| rule.name == "r").map(|rule| format!("{:?}", rule.outcome)).unwrap_or_default()
}

fn chain(length: usize, link: impl Fn(usize) -> String, last: &str) -> String {
    let mut text = String::new();
    for at in 0..length {
        let _ = writeln!(text, "{}", link(at));
    }
    text + last
}

#[test]
fn a_chain_of_ten_thousand_defines_is_evaluated() {
    let plan = plan(&chain(
        10_000,
        |at| format!("define d{at} = d{}", at + 1),
        "define d10000 = path(\"app/**\")\ndefine end = d0\n",
    ));
    assert_eq!((outcome(&plan), plan.unknowns.len(), plan.tier), ("Fires".to_owned(), 0, 2));
}

#[test]
fn a_chain_of_tags_and_families_is_evaluated() {
    let values: Vec<String> = (0..1_000).map(|at| format!("v{at}")).collect();
    let mut text = format!("family f values {}\nfamily l values a\n", values.join(", "));
    text.push_str("tag f(v0) on path(\"app/**\")\ntag t0 on f(v0)\ntag l(a) on tag(t999)\n");
    for at in 1..1_000 {
        let _ = writeln!(text, "tag f(v{at}) on path(\"{at}\")\ntag t{at} on tag(t{})", at - 1);
    }
    text.push_str("define end = l(a)\n");
    let plan = plan(&text);
    assert_eq!((outcome(&plan), plan.unknowns.len()), ("Fires".to_owned(), 0));
}

#[test]
fn walks_inside_walks_are_evaluated() {
    let walks =
        |deep: usize, start: &str| format!("{}{start}{}", "importers(".repeat(deep), ", within 1)".repeat(deep));
    let link = |at: usize| format!("define d{at} = {}", walks(60, &format!("d{}", at + 1)));
    let plan = plan(&chain(20, link, "define d20 = path(\"app/**\")\ndefine end = d0\n"));
    assert_eq!((outcome(&plan), plan.unknowns.len()), ("Fires".to_owned(), 0));
}

#[test]
fn a_chain_of_bindings_is_evaluated() {
    let link = |at: usize| format!("binding model(\"m{at}\") to d{at}\ndefine d{} = bound to model(\"m{at}\")", at + 1);
    let plan = plan(&chain(1_000, link, "define d0 = path(\"app/**\")\ndefine end = d1000\n"));
    assert_eq!((outcome(&plan), plan.unknowns.len()), ("Fires".to_owned(), 0));
}

#[test]
fn a_chain_of_defines_of_models_is_evaluated() {
    let text = chain(2_000, |at| format!("define m{at} = m{}", at + 1), "define m2000 = model(\"a\")\n");
    let text = format!(
        "{text}binding model(\"a\") to path(\"app/**\")\ndefine end = path(\"app/**\")\n\
         rule s : tier 3 when any of m0 has licence is \"MIT\" because \"x\"\n"
    );
    let names: Vec<String> = plan(&text).unknowns.into_iter().map(|unknown| unknown.name).collect();
    assert_eq!(names, ["licence of model(\"a\")"]);
}

#[test]
fn a_circle_of_ten_thousand_defines_is_unknown() {
    let plan = plan(&chain(10_000, |at| format!("define d{at} = d{}", (at + 1) % 10_000), "define end = d0\n"));
    assert_eq!((outcome(&plan), plan.tier), ("Unknown".to_owned(), 3));
}

#[test]
fn circles_through_tags_families_and_bindings_are_unknown() {
    for text in [
        "tag a on tag(b)\ntag b on tag(a)\ndefine end = tag(a)\n",
        "family l values x, y\ntag l(x) on l(y)\ntag l(y) on l(x)\ndefine end = l(x)\n",
        "binding model(\"m\") to end\ndefine end = bound to model(\"m\")\n",
        "binding model(\"m*\") to bound to model(\"m1\")\ndefine end = bound to model(\"m1\")\n",
        "define end = models used by end\n",
    ] {
        let plan = plan(text);
        assert_eq!((outcome(&plan), plan.tier), ("Unknown".to_owned(), 3), "{text}");
    }
}

#[test]
fn defines_that_double_are_evaluated_once_each() {
    let plan = plan(&chain(
        2_000,
        |at| format!("define d{at} = d{0} plus d{0}", at + 1),
        "define d2000 = path(\"app/**\")\ndefine end = d0\n",
    ));
    assert_eq!(outcome(&plan), "Fires");
}

#[test]
fn the_deepest_expressions_in_a_chain_are_evaluated_and_proved() {
    let nest = |inner: &str| {
        let mut set = inner.to_owned();
        for at in 0..60 {
            set = if at % 2 == 0 {
                format!("(path(\"x{at}\") plus {set})")
            } else {
                format!("files of ({set} within all)")
            };
        }
        set
    };
    let text = chain(
        40,
        |at| format!("define d{at} = {}", nest(&format!("d{}", at + 1))),
        "define d40 = path(\"app/**\")\ndefine end = d0\n",
    );
    let plan = plan(&text);
    assert_eq!(plan.unknowns.iter().map(|unknown| &unknown.name).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(outcome(&plan), "Fires");
}

#[test]
fn conditions_at_their_deepest_are_judged() {
    let conditions = format!("{}change touches end{}", "(not not (".repeat(31), "))".repeat(31));
    let text = format!("define end = path(\"app/**\")\nrule s : tier 3\n  when {conditions}\n  because \"x\"\n");
    let plan = plan(&text);
    assert_eq!((plan.tier, plan.unknowns.len()), (3, 0));
}

/// Look-ups of one name among very many modules that end so, and very many roots: each is bounded, so that this ends.
#[test]
fn modules_of_one_name_and_roots_beyond_number_are_not_all_looked_through() {
    let mut tree = files(&[("tests/test_a.py", "import end\n\n\ndef test_a():\n    assert end\n")]);
    for at in 0..2_000 {
        let imports: String = (0..40).fold(String::new(), |mut text, other| {
            let _ = writeln!(text, "import d{at}.n{other}.x\nimport k{}.x", at + other);
            text
        });
        tree.insert(format!("d{at}/x.py"), imports);
        tree.insert(format!("d{at}/src/k{at}.py"), String::new());
    }
    let after = with(&tree, "d0/x.py", "x = 1\n");
    let mut bench = Bench::new();
    bench.set(&tree, &after, &raw_book(""));
    let _ = bench.engine.plan();
}
