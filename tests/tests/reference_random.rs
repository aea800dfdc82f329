//! The plan against the reference: random repositories, edits and rule books; steps against a fresh start.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read what the environment asks of them")]

#[path = "reference/case.rs"]
mod case;
#[path = "reference/history.rs"]
mod history;
#[path = "reference/records.rs"]
mod records;
#[path = "reference/reduce.rs"]
mod reduce;
#[path = "reference/rules.rs"]
mod rules;
#[path = "reference/trees.rs"]
mod trees;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use case::Case;
use grace_dsl::Role;
use grace_engine::Engine;
use grace_engine::input::{Book, BookFile, CodeOwners, Input, PastFacts};
use grace_engine::plan::Plan;
use grace_engine::reference::Answer;
use grace_engine::testing::models_of;
use grace_graph::change::{Content, FileSide};
use grace_graph::diff::{change_from_patches, parse_unified};
use grace_graph::store::FactStore;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How many cases are tried: a hundred, or as many as the environment says in `PROPTEST_CASES`.
fn count() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(100)
}

/// Cases in a row, the same on every run.
fn cases(steps: usize, count: u32) -> impl Iterator<Item = Case> {
    let config = Config { cases: count, ..Config::default() };
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
    difference(&Answer::of_plan(&from_scratch(&store, &input)), &case::reference(&store, &input))
}

fn difference(plan: &Answer, reference: &Answer) -> String {
    let mut text = String::new();
    let mut line = |what: &str, plan: &dyn std::fmt::Debug, reference: &dyn std::fmt::Debug| {
        let (plan, reference) = (format!("{plan:?}"), format!("{reference:?}"));
        if plan != reference {
            let _ = writeln!(text, "{what}\n  plan      {plan}\n  reference {reference}");
        }
    };
    for name in plan.rules.keys().chain(reference.rules.keys().filter(|name| !plan.rules.contains_key(*name))) {
        line(&format!("rule {name}"), &plan.rules.get(name), &reference.rules.get(name));
    }
    line("tier", &plan.tier, &reference.tier);
    line("approvals", &plan.approvals, &reference.approvals);
    line("bundles", &plan.bundles, &reference.bundles);
    line("selected", &plan.selected, &reference.selected);
    line("validations", &plan.validations, &reference.validations);
    line("principles", &plan.principles, &reference.principles);
    line("duties", &plan.duties, &reference.duties);
    line("intents", &plan.intents, &reference.intents);
    line("trust", &plan.trust, &reference.trust);
    line("denials", &plan.denials, &reference.denials);
    line("unknown", &plan.unknown, &reference.unknown);
    line("after the run", &plan.after_run, &reference.after_run);
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
    let changed =
        |path: &String| input.change.files.iter().any(|file| file.after.iter().any(|side| *side.path == **path));
    for (path, bytes) in case.repo.render().iter().filter(|(path, _)| !changed(path)) {
        let _ = writeln!(shown, "=== unchanged {path}\n{}", String::from_utf8_lossy(bytes));
    }
    for past in &input.past.reach {
        let _ = writeln!(shown, "=== record {past:#?}");
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
fn random_books_are_sound() {
    for mut case in cases(1, count()) {
        // What is adopted is looked at less closely.
        case.adopted = 0;
        let book = case.text_of(&case.book);
        let text = |file: &BookFile| file.text.as_ref().map_or_else(|_| String::new(), ToString::to_string);
        let texts: Vec<String> = book.files.iter().map(text).collect();
        let parsed: Vec<_> = texts.iter().map(|text| grace_dsl::parse(text)).collect();
        let files: Vec<_> = std::iter::zip(&book.files, std::iter::zip(&texts, &parsed))
            .map(|(file, (text, parsed))| grace_dsl::SourceFile { path: &file.path, text, parsed, role: file.role })
            .collect();
        let mut found = grace_dsl::check(&files);
        found.retain(|diagnostic| diagnostic.severity == grace_dsl::Severity::Error);
        let found: Vec<&String> = found.iter().map(|diagnostic| &diagnostic.message).collect();
        assert!(found.is_empty(), "{found:?}\n{}", texts.join("\n"));
    }
}

#[test]
fn a_plan_says_what_the_reference_says() {
    for (number, case) in cases(1, count()).enumerate() {
        if !disagreement(&case).is_empty() {
            let case = reduce::reduced(case, &|case| !disagreement(case).is_empty());
            panic!("case {number}\n{}\n{}", disagreement(&case), shown(&case));
        }
    }
}

#[test]
fn a_plan_over_other_languages_says_what_the_reference_says() {
    for (number, mut case) in (0_u8..).zip(cases(1, count().min(120))) {
        let edit = trees::add_others(&mut case.repo, number);
        case.steps.iter_mut().for_each(|step| step.push(edit.clone()));
        if !disagreement(&case).is_empty() {
            let case = reduce::reduced(case, &|case| !disagreement(case).is_empty());
            panic!("case {number}\n{}\n{}", disagreement(&case), shown(&case));
        }
    }
}

#[test]
fn a_plan_with_records_is_what_the_reference_says() {
    let narrowed = |bundle: &str| {
        format!(
            "rule narrows_{bundle} : tier 2\n  when change touches all\n  require bundle({bundle}) narrowed to impacted tests\n  because \"x\"\n"
        )
    };
    let (mut chosen, mut left_out, mut unused, mut failed) = (0, 0, 0, 0);
    for (number, mut case) in cases(1, count() / 2).enumerate() {
        case.records = number as u64 + 1;
        case.book.extend(["b1", "b2"].map(narrowed));
        if !disagreement(&case).is_empty() {
            let case = reduce::reduced(case, &|case| !disagreement(case).is_empty());
            panic!("case {number}\n{}\n{}", disagreement(&case), shown(&case));
        }
        let store = Arc::new(FactStore::new());
        for bundle in from_scratch(&store, &case.input(&store, 0)).bundles {
            chosen += bundle.sources.recorded;
            failed += bundle.sources.failed;
            left_out += u32::from(bundle.sources.with_record > bundle.selected.len() as u32);
            unused += u32::from(bundle.unused_record.is_some());
        }
    }
    assert!(chosen > 0 && left_out > 0 && unused > 0 && failed > 0, "{chosen} {left_out} {unused} {failed}");
}

#[test]
fn a_plan_after_updates_is_the_plan_from_scratch() {
    for (number, case) in cases(4, count() / 4).enumerate() {
        let store = Arc::new(FactStore::new());
        let mut engine = Engine::new(Arc::clone(&store));
        for step in 0..case.steps.len() {
            let input = case.input(&store, step);
            engine.update(input.clone());
            assert_eq!(engine.plan(), from_scratch(&store, &input), "case {number}, step {step}\n{}", shown(&case));
        }
    }
}

/// The input of a patch on an example: its own rules, or the floor.
fn replayed(store: &FactStore, before: &BTreeMap<String, String>, patch: &str) -> Input {
    let mut read = |path: &str| before.get(path).map(|text| Content::Text(Arc::from(text.as_str())));
    let change = change_from_patches(&parse_unified(patch).unwrap(), &mut read).unwrap();
    let mut after = before.clone();
    for side in change.files.iter().filter_map(|file| file.before.as_ref()) {
        after.remove(&*side.path);
    }
    for side in change.files.iter().filter_map(|file| file.after.as_ref()) {
        if let Content::Text(text) = &side.content {
            after.insert(side.path.to_string(), text.to_string());
        }
    }
    let bytes = |files: &BTreeMap<String, String>| -> case::Files {
        files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect()
    };
    let mut past = PastFacts::default();
    (past.models_before, past.model_files) = models_of(before);
    past.models_after = models_of(&after).0;
    Input {
        before: case::tree(store, &bytes(before)),
        after: case::tree(store, &bytes(&after)),
        change,
        rules_before: Some(rules_of(before)),
        rules_after: Some(rules_of(&after)),
        past,
        as_of: 1_780_315_200,
        ..Input::default()
    }
}

/// The rules of a tree, or the floor where it has none.
fn rules_of(files: &BTreeMap<String, String>) -> Book {
    let own: BTreeMap<String, String> = files
        .iter()
        .filter(|(path, _)| path.starts_with("grace/") && path.ends_with(".grace"))
        .map(|(path, text)| (path.clone(), text.clone()))
        .collect();
    if !own.is_empty() {
        return grace_tests::book(own);
    }
    let floor = grace_packs::floor();
    let path = format!("pack {}", floor.module);
    Book { files: vec![BookFile { path: path.into(), text: Ok(Arc::from(floor.text)), role: Role::Adopted }] }
}

/// A repository with the changes that come with it: paths and texts.
type Example = (String, BTreeMap<String, String>, Vec<(String, String)>);

/// The changes that the examples come with, by the folder of their repository.
fn examples() -> Vec<Example> {
    let mut found = Vec::new();
    let all = grace_tests::files_below("examples");
    let patches: BTreeMap<&String, &String> = all.iter().filter(|(path, _)| path.ends_with(".patch")).collect();
    let stories: BTreeSet<&str> = patches.keys().filter_map(|path| path.split('/').next()).collect();
    for story in stories {
        let inner = format!("{story}/repo/");
        let base = if all.keys().any(|path| path.starts_with(&inner)) { inner } else { format!("{story}/") };
        let under = |path: &String| path.strip_prefix(&base).map(str::to_owned);
        let files = all.iter().filter_map(|(path, text)| Some((under(path)?, text.clone()))).collect();
        let own = patches.iter().filter(|(path, _)| path.starts_with(&format!("{story}/")));
        let patches = own.map(|(path, patch)| ((*path).clone(), (*patch).clone())).collect();
        found.push((base, files, patches));
    }
    found
}

#[test]
fn the_changes_of_the_examples_are_judged_alike() {
    let mut replays = 0;
    for (_, before, patches) in examples() {
        let store = Arc::new(FactStore::new());
        let mut engine = Engine::new(Arc::clone(&store));
        for (name, patch) in patches {
            let input = replayed(&store, &before, &patch);
            engine.update(input.clone());
            let plan = engine.plan();
            assert_eq!(plan, from_scratch(&store, &input), "{name}");
            replays += 1;
            // The reference is slow on whole projects: it is asked of some, and of all in a campaign.
            if replays % 6 == 1 || count() > 100 {
                let found = difference(&Answer::of_plan(&plan), &case::reference(&store, &input));
                assert!(found.is_empty(), "{name}\n{found}");
            }
        }
    }
    assert!(replays >= 15, "{replays} changes");
}

#[test]
fn a_history_is_judged_alike_commit_by_commit() {
    let store = Arc::new(FactStore::new());
    let mut engine = Engine::new(Arc::clone(&store));
    let history = history::history();
    assert!(history.len() >= 30, "{} commits", history.len());
    let texts = |files: &case::Files| -> BTreeMap<String, String> {
        files.iter().map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).into_owned())).collect()
    };
    let mut tiers = BTreeSet::new();
    let mut outcomes = BTreeSet::new();
    for pair in history.windows(2) {
        let [old, new] = pair else { continue };
        let (before, after) = (texts(&old.files), texts(&new.files));
        let rules = |files: &BTreeMap<String, String>| {
            let has_rules = files.keys().any(|path| path.ends_with(".grace"));
            has_rules.then(|| rules_of(files))
        };
        // Where neither side has rules the floor judges.
        let (rules_before, rules_after) = match (rules(&before), rules(&after)) {
            (None, None) => (Some(rules_of(&before)), Some(rules_of(&after))),
            both => both,
        };
        let owners = before.get("CODEOWNERS");
        let codeowners =
            owners.map(|text| CodeOwners { path: Arc::from("CODEOWNERS"), text: Arc::from(text.as_str()) });
        let past = PastFacts { codeowners, ..PastFacts::default() };
        let input = Input {
            before: case::tree(&store, &old.files),
            after: case::tree(&store, &new.files),
            change: case::change(&old.files, &new.files, &new.done),
            rules_before,
            rules_after,
            past,
            as_of: 1_780_315_200,
            ..Input::default()
        };
        engine.update(input.clone());
        let plan = engine.plan();
        assert_eq!(plan, from_scratch(&store, &input), "{}", new.name);
        let found = difference(&Answer::of_plan(&plan), &case::reference(&store, &input));
        assert!(found.is_empty(), "{}\n{found}", new.name);
        tiers.insert(plan.tier);
        outcomes.extend(plan.rules.iter().map(|rule| format!("{:?}", rule.outcome)));
    }
    // The history is worth replaying: it meets every tier and nearly every outcome.
    assert_eq!(tiers.len(), 3, "{tiers:?}");
    for outcome in ["Fires", "Unknown", "DoesNotApply", "AfterRun"] {
        assert!(outcomes.contains(outcome), "{outcomes:?}");
    }
}
