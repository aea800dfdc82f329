//! What an edit of one function's body costs in a process that holds the tree: `edit_bench FILES [EDITS] [packs]`.
//!
//! Makes a tree of so many Python files in memory, plans a change of one of them again and again, each time with another
//! body, and prints how long edit and plan took together. Rules are the shipped floor, or all other shipped packs.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measuring tool, outside the product: it takes times and prints"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use grace_dsl::Role;
use grace_engine::Engine;
use grace_engine::input::{Book, BookFile, Input, TreeContent, TreeFile};
use grace_engine::testing::input_of;
use grace_graph::change::{Change, Content, FileChange, FileSide};
use grace_graph::facts::Language;
use grace_graph::store::FactStore;

#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FLOOR: &[&str] = &[include_str!("../../rules/floor.grace")];
const PACKS: &[&str] = &[
    include_str!("../../bundles/chaos_smoke.grace"),
    include_str!("../../bundles/cognition_loops.grace"),
    include_str!("../../bundles/governance_decisions.grace"),
    include_str!("../../bundles/integration.grace"),
    include_str!("../../bundles/layer1_boot.grace"),
    include_str!("../../bundles/lint.grace"),
    include_str!("../../bundles/model_failover.grace"),
    include_str!("../../bundles/multi_model_routing.grace"),
    include_str!("../../bundles/policy_enforcement.grace"),
    include_str!("../../bundles/self_healing_flows.grace"),
    include_str!("../../bundles/trigger_system.grace"),
    include_str!("../../rules/intents.grace"),
    include_str!("../../rules/limits.grace"),
    include_str!("../../rules/policies.grace"),
    include_str!("../../rules/principles.grace"),
    include_str!("../../rules/seed_tags.grace"),
    include_str!("../../rules/selection.grace"),
    include_str!("../../rules/tags.grace"),
    include_str!("../../rules/telemetry.grace"),
    include_str!("../../rules/tiers.grace"),
    include_str!("../../rules/trust.grace"),
    include_str!("../../rules/validation.grace"),
    include_str!("../../rules/vocabulary.grace"),
];

/// Packages that hang together.
const REGION: usize = 10;
/// Modules in one package.
const PACKAGE: usize = 50;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let files: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let edits: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(200);
    let start = Instant::now();
    let tree: BTreeMap<String, String> = (0..files).map(|number| (path(number), module(number, "return 1"))).collect();
    let store = Arc::new(FactStore::new());
    let mut engine = Engine::new(Arc::clone(&store));
    let rules = if arguments.next().as_deref() == Some("packs") { PACKS } else { FLOOR };
    let file = |(number, text): (usize, &&str)| BookFile {
        path: format!("grace/{number:02}.grace").into(),
        text: Ok((*text).into()),
        role: Role::Own,
    };
    let book = Book { files: rules.iter().enumerate().map(file).collect() };
    let input = input_of(&store, &tree, &tree);
    engine.update(Input { rules_before: Some(book.clone()), rules_after: Some(book), as_of: 1_780_000_000, ..input });
    let _ = engine.plan();
    println!("{files} files: extracted, linked and planned in {} ms", start.elapsed().as_millis());
    let mut took = Vec::new();
    for edit in 0..=edits {
        // Somewhere else each time, with and without a new call.
        let number = edit * 7_919 % files;
        let body = if edit % 2 == 0 { format!("return {edit}") } else { format!("return second({edit})") };
        let (path, text) = (path(number), module(number, &body));
        let before = &tree[&path];
        let start = Instant::now();
        let facts = store.facts(Language::Python, text.as_bytes());
        let file = TreeFile { path: path.as_str().into(), content: TreeContent::Code(facts.content) };
        let side = |text: &str| {
            Some(FileSide { path: path.as_str().into(), executable: false, content: Content::Text(text.into()) })
        };
        let change = Change { files: vec![FileChange { before: side(before), after: side(&text), asserted: false }] };
        assert!(engine.edit(&[file], change), "{path} is there");
        let plan = engine.plan();
        // The first change is the first that rules look at: what it takes is shown by itself.
        match edit {
            0 => println!("first edit and plan: {} ms", start.elapsed().as_millis()),
            _ => took.push(start.elapsed()),
        }
        assert!(plan.tier > 0);
        // Back, so that the next edit is the only one.
        let facts = store.facts(Language::Python, before.as_bytes());
        let file = TreeFile { path: path.as_str().into(), content: TreeContent::Code(facts.content) };
        assert!(engine.edit(&[file], Change::default()));
    }
    took.sort_unstable();
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)].as_secs_f64() * 1e3;
    println!("edit and plan: p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms", at(50), at(90), at(99));
    println!("graphs: {:?}", engine.graph_work());
    std::mem::forget(engine);
}

fn path(number: usize) -> String {
    let package = number / PACKAGE;
    match number % PACKAGE {
        0 => format!("app/p{package}/__init__.py"),
        1 => format!("tests/p{package}/test_p{package}.py"),
        module => format!("app/p{package}/m{module}.py"),
    }
}

fn module(number: usize, body: &str) -> String {
    let package = number / PACKAGE;
    // Packages use each other within a region, as those of large repositories do.
    let other = if package.is_multiple_of(REGION) { package } else { package - 1 };
    match number % PACKAGE {
        0 => format!("from app.p{package}.m2 import Thing2\n"),
        1 => format!(
            "from app.p{package}.m2 import Thing2, first\n\n\ndef test_first():\n    assert first(Thing2())\n\n\ndef second(x):\n    {body}\n"
        ),
        module => {
            let next = 2 + (module - 1) % (PACKAGE - 2);
            let base = if next > module { format!("Thing{next}") } else { "object".to_owned() };
            format!(
                "import os\nfrom app.p{other} import m{next}\nfrom app.p{package}.m{next} import Thing{next}\n\n\nclass Thing{module}({base}):\n    \"\"\"A thing.\"\"\"\n\n    def __init__(self):\n        self.next = Thing{next}()\n\n    def run(self, x):\n        return self.next.run(x)\n\n\ndef first(thing: Thing{module}):\n    {body}\n\n\ndef second(x):\n    return m{next}.first(x) if x else os.getcwd()\n"
            )
        }
    }
}
