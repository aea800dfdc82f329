//! Each story of `examples/`: its repository, its rules and its change give the plan that stands beside them.
//!
//! With `GRACE_BLESS` set, plans are written instead of compared; what changed is then for a person to read.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read the repository from disk")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::sync::Arc;

use grace_dsl::Role;
use grace_engine::Engine;
use grace_engine::input::{Book, BookFile, Input, Tree, TreeContent, TreeFile};
use grace_engine::plan::{BookSide, Derivation, Evidence, Outcome, Plan};
use grace_engine::testing::models_of;
use grace_graph::change::Content;
use grace_graph::diff::{change_from_patches, parse_unified};
use grace_graph::facts::{ContentId, Language};
use grace_graph::store::FactStore;
use grace_tests::{book, files_below, root};
use serde_json::{Value, json};

const STORIES: &[&str] =
    &["first_adoption", "forbid_import", "freeze_window", "licensed_model", "vendored_waiver", "weakened_test"];

/// A story's change, and a second one where the point is the difference; the plans beside them.
const PATCHES: &[(&str, &str)] = &[("change.patch", "plan.json"), ("second.patch", "second.json")];

type Files = BTreeMap<String, String>;

fn tree(files: &Files, store: &FactStore) -> Tree {
    let file = |(path, text): (&String, &String)| TreeFile {
        path: Arc::from(path.as_str()),
        content: match Language::of_path(path) {
            Some(language) => {
                store.facts(language, text.as_bytes());
                TreeContent::Code(ContentId::of(text.as_bytes()))
            }
            None => TreeContent::Other,
        },
    };
    Tree { files: files.iter().map(file).collect() }
}

/// The project's own rules; the floor where it has none.
fn rules(files: &Files) -> Book {
    let own: Files = files
        .iter()
        .filter(|(path, _)| path.starts_with("grace/") && path.ends_with(".grace"))
        .map(|(path, text)| (path.clone(), text.clone()))
        .collect();
    if !own.is_empty() {
        return book(own);
    }
    let floor = grace_packs::floor();
    Book {
        files: vec![BookFile {
            path: format!("pack {}", floor.module).into(),
            text: Ok(Arc::from(floor.text)),
            role: Role::Adopted,
        }],
    }
}

/// Seconds since 1970 at noon, UTC, of `YYYY-MM-DD`.
fn noon(date: &str) -> i64 {
    let mut parts = date.split('-').map(|part| part.parse::<i64>().unwrap());
    let (year, month, day) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    // Days from the civil calendar, with years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    days * 86_400 + 43_200
}

fn plan_of(story: &str, patch: &str) -> Plan {
    let before = files_below(&format!("examples/{story}/repo"));
    let folder = root().join("examples").join(story);
    let patch = fs::read_to_string(folder.join(patch)).unwrap();
    let inputs: Value = serde_json::from_str(&fs::read_to_string(folder.join("inputs.json")).unwrap()).unwrap();
    let patches = parse_unified(&patch).unwrap();
    let change =
        change_from_patches(&patches, &mut |path| before.get(path).map(|text| Content::Text(Arc::from(text.as_str()))))
            .unwrap();
    let mut after = before.clone();
    for file in &change.files {
        if let Some(side) = &file.before {
            after.remove(&*side.path);
        }
        if let Some(side) = &file.after {
            let Content::Text(text) = &side.content else { panic!("{} is not text", side.path) };
            after.insert(side.path.to_string(), text.to_string());
        }
    }
    let store = Arc::new(FactStore::new());
    let mut input = Input {
        before: tree(&before, &store),
        after: tree(&after, &store),
        change,
        rules_before: Some(rules(&before)),
        rules_after: Some(rules(&after)),
        as_of: noon(inputs["as_of"].as_str().unwrap()),
        ..Input::default()
    };
    input.declared.ticket = inputs["ticket"].as_str().map(str::to_owned);
    input.past.models_before = models_of(&before).0;
    input.past.models_after = models_of(&after).0;
    input.past.grants =
        inputs["grants"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect();
    let mut engine = Engine::new(store);
    engine.update(input);
    engine.plan()
}

fn because(derivation: &[Derivation]) -> Vec<String> {
    let rules: BTreeSet<String> = derivation
        .iter()
        .map(|reason| match reason.book {
            BookSide::BuiltIn => reason.rule.clone(),
            _ => format!("{} ({}:{})", reason.rule, reason.file, reason.line),
        })
        .collect();
    rules.into_iter().collect()
}

/// The changed parts behind a reason: `core/scheduler.py: core.scheduler.next_job`.
fn evidence(derivation: &[Derivation]) -> BTreeSet<String> {
    let parts = derivation.iter().flat_map(|reason| &reason.evidence).filter_map(|evidence| match evidence {
        Evidence::Changed { part, .. } | Evidence::Test { part, .. } => Some(format!("{}: {}", part.path, part.name)),
        _ => None,
    });
    parts.collect()
}

/// The plan, shortened to what a reader of the story looks for: names, and the rules behind them.
fn short(plan: &Plan) -> Value {
    let fired = |outcome: Outcome| -> Vec<&str> {
        plan.rules.iter().filter(|rule| rule.outcome == outcome).map(|rule| rule.name.as_str()).collect()
    };
    let elements = |list: Vec<(&str, &[Derivation])>| -> Vec<Value> {
        list.into_iter().map(|(name, derivation)| json!({ "name": name, "rules": because(derivation) })).collect()
    };
    json!({
        "tier": plan.tier,
        "tier_rules": because(&plan.tier_derivation),
        "tier_evidence": evidence(&plan.tier_derivation),
        "approvals": elements(plan.approvals.iter().map(|one| (one.name.as_str(), &*one.derivation)).collect()),
        "bundles": plan.bundles.iter().map(|one| json!({ "name": one.name, "tests": one.selected, "rules": because(&one.derivation) })).collect::<Vec<_>>(),
        "principles": elements(plan.principles.iter().map(|one| (one.name.as_str(), &*one.derivation)).collect()),
        "validations": elements(plan.validations.iter().map(|one| (one.name.as_str(), &*one.derivation)).collect()),
        "duties": plan.duties.iter().map(|one| json!({ "name": one.name, "given": one.given, "rules": because(&one.derivation) })).collect::<Vec<_>>(),
        "denials": plan.denials.iter().map(|one| json!({ "name": one.name, "remedy": one.remedy, "rules": because(&one.derivation) })).collect::<Vec<_>>(),
        "unknowns": elements(plan.unknowns.iter().map(|one| (one.name.as_str(), &*one.derivation)).collect()),
        "fires": fired(Outcome::Fires),
        "waived": fired(Outcome::Waived),
        "unknown": fired(Outcome::Unknown),
        "waivers": plan.rules.iter().flat_map(|rule| &rule.waivers).collect::<BTreeSet<_>>(),
        "valid_until": plan.valid_until,
    })
}

#[test]
fn every_story_gives_the_plan_beside_it() {
    let bless = env::var_os("GRACE_BLESS").is_some();
    let mut wrong = String::new();
    for story in STORIES {
        for (patch, plan) in PATCHES {
            let folder = root().join("examples").join(story);
            if !folder.join(patch).exists() && *patch != PATCHES[0].0 {
                continue;
            }
            let found = format!("{}\n", serde_json::to_string_pretty(&short(&plan_of(story, patch))).unwrap());
            if bless {
                fs::write(folder.join(plan), found).unwrap();
                continue;
            }
            let expected = fs::read_to_string(folder.join(plan)).unwrap_or_default().replace("\r\n", "\n");
            if expected != found {
                wrong.push_str(&format!("{story}: {plan} says\n{expected}and the plan is\n{found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_story_is_listed_and_run() {
    let readme = fs::read_to_string(root().join("examples/README.md")).unwrap();
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            assert!(readme.contains(&format!("]({name})")), "{name} is not in examples/README.md");
            assert_eq!(entry.path().join("repo").is_dir(), STORIES.contains(&name.as_str()), "{name}");
        }
    }
}
