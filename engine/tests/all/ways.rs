//! `forbid` and `layers` against a naive count of pairs, and on repositories where everything reaches everything.

use std::collections::{BTreeMap, BTreeSet};

use grace_engine::plan::{Outcome, Plan};

use crate::support::{Bench, Files, book, files, with};

const THROUGH: &str =
    "forbid r\n  imports from package(\"a\") to package(\"b\"), direct or through other modules\n  because \"x\"\n";
const DIRECT: &str = "forbid r\n  imports from package(\"a\") to package(\"b\")\n  because \"x\"\n";
const OPEN: &str = "layers r package(\"a\") over package(\"c\") over package(\"b\")\n  because \"x\"\n";
const CLOSED: &str = "layers r closed package(\"a\") over package(\"c\") over package(\"b\")\n  because \"x\"\n";

/// Imports by module name.
type Imports = BTreeMap<String, BTreeSet<String>>;

fn repository(imports: &Imports) -> Files {
    let text = |imported: &BTreeSet<String>| imported.iter().map(|module| format!("import {module}\n")).collect();
    imports.iter().map(|(module, imported)| (format!("{}.py", module.replace('.', "/")), text(imported))).collect()
}

fn plan(before: &Imports, after: &Imports, rules: &str) -> Plan {
    let mut bench = Bench::new();
    bench.set(&repository(before), &repository(after), &book(rules));
    bench.engine.plan()
}

/// How many ways the plan says are new.
fn new_ways(plan: &Plan) -> usize {
    assert_eq!(plan.unknowns.len(), 0, "{:#?}", plan.unknowns);
    plan.denials
        .iter()
        .flat_map(|denial| &denial.derivation)
        .map(|reason| reason.evidence.len() + reason.more_evidence as usize)
        .sum()
}

fn reached(imports: &Imports, start: &str, through: bool) -> BTreeSet<String> {
    let mut seen: BTreeSet<String> = imports[start].clone();
    let mut queue: Vec<String> = seen.iter().cloned().collect();
    while let Some(next) = queue.pop().filter(|_| through) {
        for more in &imports[&next] {
            if seen.insert(more.clone()) {
                queue.push(more.clone());
            }
        }
    }
    seen.remove(start);
    seen
}

fn forbidden(imports: &Imports, through: bool) -> BTreeSet<(String, String)> {
    let starts = imports.keys().filter(|module| module.starts_with("a."));
    let pairs = starts.flat_map(|start| {
        let ends = reached(imports, start, through).into_iter().filter(|end| end.starts_with("b."));
        ends.map(|end| (start.clone(), end)).collect::<Vec<_>>()
    });
    pairs.collect()
}

fn against_floors(imports: &Imports, closed: bool) -> BTreeSet<(String, String)> {
    let floor = |module: &str| ["a.", "c.", "b."].iter().position(|package| module.starts_with(package)).unwrap_or(9);
    let pairs = imports.iter().flat_map(|(from, all)| all.iter().map(move |to| (from.clone(), to.clone())));
    let is_against = |(from, to): &(String, String)| {
        let (from, to) = (floor(from), floor(to));
        to < from || (closed && to > from + 1)
    };
    pairs.filter(is_against).collect()
}

/// A small generator of numbers; the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn new_ways_are_those_that_a_naive_count_finds() {
    let mut numbers = Numbers(7);
    let modules: Vec<String> =
        ["a", "b", "c"].iter().flat_map(|p| (0..4).map(move |at| format!("{p}.m{at}"))).collect();
    let mut seen = 0;
    for round in 0..25 {
        let draw = |numbers: &mut Numbers, from: &Imports| {
            let mut imports = from.clone();
            for _ in 0..=numbers.below(8) {
                let [from, to] = [0, 1].map(|_| modules[numbers.below(modules.len() as u64) as usize].clone());
                let imported = imports.entry(from.clone()).or_default();
                if from != to && !imported.remove(&to) {
                    imported.insert(to);
                }
            }
            imports
        };
        let empty: Imports = modules.iter().map(|module| (module.clone(), BTreeSet::new())).collect();
        let first = draw(&mut numbers, &empty);
        let before = draw(&mut numbers, &first);
        let after = draw(&mut numbers, &before);
        for (rules, pairs) in [
            (THROUGH, (|imports: &Imports| forbidden(imports, true)) as fn(&Imports) -> BTreeSet<(String, String)>),
            (DIRECT, |imports| forbidden(imports, false)),
            (OPEN, |imports| against_floors(imports, false)),
            (CLOSED, |imports| against_floors(imports, true)),
        ] {
            let new: BTreeSet<_> = pairs(&after).difference(&pairs(&before)).cloned().collect();
            seen += new.len();
            assert_eq!(new_ways(&plan(&before, &after, rules)), new.len(), "{round} {rules}\n{before:?}\n{after:?}");
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn a_repository_that_is_one_circle_is_compared_whole_and_shown_in_part() {
    let size = 400;
    let line: Imports =
        (0..size).map(|at| (format!("a.m{at}"), BTreeSet::from([format!("a.m{}", (at + 1) % size)]))).collect();
    let mut open = line.clone();
    open.insert(format!("a.m{}", size - 1), BTreeSet::new());
    let rules = "forbid r\n  imports from all to all, direct or through other modules\n  because \"x\"\n";
    // Every module reaches every other, and half of the pairs are new.
    let shown = new_ways(&plan(&open, &line, rules));
    assert!((1000..3000).contains(&shown), "{shown}");
    assert_eq!(new_ways(&plan(&line, &line, rules)), 0);
}

#[test]
fn a_forbid_of_calls_reads_calls() {
    let rules = "forbid r\n  calls from package(\"a\") to package(\"b\")\n  because \"x\"\n";
    let module = |text: &str| {
        Files::from([
            ("a/m.py".to_owned(), text.to_owned()),
            ("b/n.py".to_owned(), "def f():\n    return 1\n".to_owned()),
        ])
    };
    let denials = |after: &str| {
        let mut bench = Bench::new();
        bench.set(&module("x = 1\n"), &module(after), &book(rules));
        bench.engine.plan().denials.len()
    };
    assert_eq!(denials("from b.n import f\nx = 1\n"), 0);
    assert_eq!(denials("from b.n import f\nx = f()\n"), 1);
}

#[test]
fn what_cannot_be_read_is_unknown_where_it_may_be_a_way_and_only_there() {
    let outcome = |unread: &str, others: &[(&str, &str)], rules: &str| {
        let before = with(&files(others), unread, "x = 1\n");
        let mut bench = Bench::new();
        let rules = format!("{rules}\n  because \"x\"\n");
        bench.set(&before, &with(&before, unread, "x = '\0'\n"), &book(&rules));
        let plan = bench.engine.plan();
        plan.rules.into_iter().find(|rule| rule.name == "r").unwrap().outcome
    };
    let (may, cannot) = (Outcome::Unknown, Outcome::DoesNotApply);
    let all = [("a/a.py", "x = 1\n"), ("b/b.py", "x = 1\n"), ("c/c.py", "x = 1\n")];

    // Against the floors: upwards, and where they are closed over more than one.
    let open = "layers r path(\"a/*\") over path(\"b/*\") over path(\"c/*\")";
    let closed = &open.replace("layers r", "layers r closed");
    for (unread, others, open_says, closed_says) in [
        ("a/x.py", &all[..], cannot, may),
        ("a/x.py", &all[..2], cannot, cannot),
        ("b/x.py", &all[..], may, may),
        ("b/x.py", &all[1..], cannot, cannot),
        ("c/x.py", &all[..], may, may),
        ("c/x.py", &all[2..], cannot, cannot),
        ("elsewhere/x.py", &all[..], cannot, cannot),
    ] {
        assert_eq!(outcome(unread, others, open), open_says, "{unread} {others:?} open");
        assert_eq!(outcome(unread, others, closed), closed_says, "{unread} {others:?} closed");
    }
    // It may hold a class of any name, but nothing can be on a floor where there is no file.
    let classes = "layers r closed header of class(\"*Kernel\") over path(\"**/*kernel*\")";
    assert_eq!(outcome("tests/x.py", &all, classes), cannot);
    let upwards = "layers r path(\"**/*kernel*\") over header of class(\"*Kernel\")";
    assert_eq!(outcome("tests/x.py", &all, upwards), cannot);
    assert_eq!(outcome("tests/x.py", &[("a/kernel.py", "x = 1\n")], upwards), may);

    // From the first set to the second, and through other modules also where the first leads.
    let direct = "forbid r imports from path(\"a/*\") to path(\"b/*\")";
    let through = &format!("{direct}, direct or through other modules");
    let leads = [("a/a.py", "import c.x\n"), ("b/b.py", "x = 1\n")];
    let leads_far = [("a/a.py", "import c.y\n"), ("b/b.py", "x = 1\n"), ("c/y.py", "import c.x\n")];
    let leads_unread = [("a/a.py", "x = '\0'\n"), ("b/b.py", "x = 1\n")];
    for (unread, others, direct_says, through_says) in [
        ("a/x.py", &all[..], may, may),
        ("a/x.py", &all[..1], cannot, cannot),
        ("b/x.py", &all[..], cannot, cannot),
        ("c/x.py", &all[..], cannot, cannot),
        ("c/x.py", &leads, cannot, may),
        ("c/x.py", &leads[..1], cannot, cannot),
        ("c/x.py", &leads_far, cannot, may),
        ("c/x.py", &leads_unread, cannot, may),
    ] {
        assert_eq!(outcome(unread, others, direct), direct_says, "{unread} {others:?} direct");
        assert_eq!(outcome(unread, others, through), through_says, "{unread} {others:?} through");
    }
    let everything = "forbid r imports from all to path(\"a/x.py\")";
    assert_eq!(outcome("a/x.py", &all, everything), cannot, "a file is no way to itself");
}
