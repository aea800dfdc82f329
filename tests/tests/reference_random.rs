//! The plan against the reference: random repositories, edits and rule books; steps against a fresh start.

#[path = "reference/case.rs"]
mod case;
#[path = "reference/reduce.rs"]
mod reduce;
#[path = "reference/rules.rs"]
mod rules;
#[path = "reference/trees.rs"]
mod trees;

use std::fmt::Write as _;
use std::sync::Arc;

use case::Case;
use grace_engine::Engine;
use grace_engine::input::{Book, Input};
use grace_engine::plan::Plan;
use grace_engine::reference::Answer;
use grace_graph::change::{Content, FileSide};
use grace_graph::store::FactStore;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Cases in a row, the same on every run: `PROPTEST_CASES` of them.
fn cases(steps: usize) -> impl Iterator<Item = Case> {
    let config = Config::default();
    let count = config.cases;
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let strategy = case::case(steps);
    (0..count).filter_map(move |_| strategy.new_tree(&mut runner).ok().map(|tree| tree.current()))
}

fn from_scratch(store: &Arc<FactStore>, input: &Input) -> Plan {
    let mut engine = Engine::new(Arc::clone(store));
    engine.update(input.clone());
    engine.plan()
}

/// What the plan says and the reference does not, and the other way; empty where they agree.
fn disagreement(case: &Case) -> String {
    let store = Arc::new(FactStore::new());
    let input = case.input(&store, 0);
    let plan = Answer::of_plan(&from_scratch(&store, &input));
    let reference = case::reference(&store, &input);
    let mut text = String::new();
    let mut line = |what: &str, plan: String, reference: String| {
        if plan != reference {
            let _ = writeln!(text, "{what}\n  plan      {plan}\n  reference {reference}");
        }
    };
    for name in plan.rules.keys().chain(reference.rules.keys()) {
        let outcome = |answer: &Answer| format!("{:?}", answer.rules.get(name));
        line(&format!("rule {name}"), outcome(&plan), outcome(&reference));
    }
    line("tier", plan.tier.to_string(), reference.tier.to_string());
    line("approvals", format!("{:?}", plan.approvals), format!("{:?}", reference.approvals));
    line("bundles", format!("{:?}", plan.bundles), format!("{:?}", reference.bundles));
    line("selected", format!("{:?}", plan.selected), format!("{:?}", reference.selected));
    line("validations", format!("{:?}", plan.validations), format!("{:?}", reference.validations));
    line("principles", format!("{:?}", plan.principles), format!("{:?}", reference.principles));
    line("duties", format!("{:?}", plan.duties), format!("{:?}", reference.duties));
    line("intents", format!("{:?}", plan.intents), format!("{:?}", reference.intents));
    line("trust", format!("{:?}", plan.trust), format!("{:?}", reference.trust));
    line("denials", format!("{:?}", plan.denials), format!("{:?}", reference.denials));
    line("unknown", plan.unknown.to_string(), reference.unknown.to_string());
    text
}

/// A case as a person reads it.
fn shown(case: &Case) -> String {
    let store = FactStore::new();
    let input = case.input(&store, 0);
    let text = |book: &Option<Book>| {
        let files = book.iter().flat_map(|book| &book.files);
        files
            .filter_map(|file| file.text.as_ref().ok().map(|text| format!("-- {}\n{text}\n", file.path)))
            .collect::<String>()
    };
    let (before, after) = (text(&input.rules_before), text(&input.rules_after));
    let mut shown = format!("=== rules\n{before}");
    if before != after {
        let _ = writeln!(shown, "=== rules after\n{after}");
    }
    let side = |side: &Option<FileSide>| match side {
        None => "nothing".to_owned(),
        Some(side) => match &side.content {
            Content::Text(text) => format!("{}\n{text}", side.path),
            other => format!("{} {other:?}", side.path),
        },
    };
    for file in &input.change.files {
        let asserted = if file.asserted { " asserted" } else { "" };
        let _ = writeln!(shown, "=== change{asserted}, before {}\n--- after {}", side(&file.before), side(&file.after));
    }
    let changed = |path: &String| input.change.files.iter().any(|file| file.after.iter().any(|side| *side.path == **path));
    for (path, bytes) in case.repo.render().iter().filter(|(path, _)| !changed(path)) {
        let _ = writeln!(shown, "=== unchanged {path}\n{}", String::from_utf8_lossy(bytes));
    }
    let past = &case.past;
    let _ = writeln!(
        shown,
        "=== {:?} runs {:?} kpis {:?} grants {:?} owners {:?} models {:?} {:?} as of {}",
        case.declared,
        past.runs,
        past.kpis,
        past.grants,
        past.codeowners,
        past.models_before.keys(),
        past.models_after.keys(),
        case.as_of
    );
    shown
}

#[test]
fn random_books_parse() {
    for case in cases(1) {
        let text = case.book.join("\n");
        let parsed = grace_dsl::parse(&text);
        let broken: Vec<_> = parsed.broken.iter().map(|broken| &text[broken.span.clone()]).collect();
        assert!(broken.is_empty(), "{:?}\n{broken:?}", parsed.diagnostics);
    }
}

#[test]
fn a_plan_says_what_the_reference_says() {
    for (number, case) in cases(1).enumerate() {
        if !disagreement(&case).is_empty() {
            let case = reduce::reduced(case, &|case| !disagreement(case).is_empty());
            panic!("case {number}\n{}\n{}", disagreement(&case), shown(&case));
        }
    }
}

#[test]
fn a_plan_after_updates_is_the_plan_from_scratch() {
    for (number, case) in cases(4).enumerate() {
        let store = Arc::new(FactStore::new());
        let mut engine = Engine::new(Arc::clone(&store));
        for step in 0..case.steps.len() {
            let input = case.input(&store, step);
            engine.update(input.clone());
            assert_eq!(engine.plan(), from_scratch(&store, &input), "case {number}, step {step}\n{}", shown(&case));
        }
    }
}

#[test]
#[ignore = "exploration"]
fn explore() {
    let mut seen = std::collections::BTreeMap::new();
    for (number, case) in cases(1).enumerate() {
        if let Some(only) = option_env!("ONLY") { if !only.split(',').any(|n| n == number.to_string()) { continue; } }
        let found = disagreement(&case);
        if found.is_empty() {
            continue;
        }
        let case = reduce::reduced(case, &|case| !disagreement(case).is_empty());
        let found = disagreement(&case);
        let key: Vec<String> = found.lines().filter(|line| !line.starts_with(' ')).map(str::to_owned).map(|line| line.chars().filter(|c| !c.is_ascii_digit()).collect()).collect();
        let count = seen.entry(key).or_insert(0);
        *count += 1;
        if *count <= 3 {
            println!("######## case {number}\n{found}\n{}", shown(&case));
        }
    }
    println!("{seen:#?}");
}
