//! A whole case: two repositories, the change between them, two rule books and what else is known, as the engine's input.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::Role;
use grace_engine::input::{
    Book, BookFile, BundleRun, CodeOwners, Declared, Input, PastFacts, Tree, TreeContent, TreeFile, VerifiedBot,
};
use grace_engine::reference::{Answer, evaluate};
use grace_fingerprints::Fingerprint;
use grace_graph::change::{Change, Content, FileChange, FileSide, parts};
use grace_graph::facts::{ContentId, FileFacts, Language};
use grace_graph::graph::{CodeGraph, GraphFile};
use grace_graph::store::FactStore;
use proptest::prelude::*;

use crate::records;
use crate::rules::{self, RuleEdit};
use crate::trees::{self, Done, Edit, Repo};

/// Files of a repository by path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What is random in a case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) repo: Repo,
    /// Each step is a change of its own against the repository.
    pub(crate) steps: Vec<Vec<Edit>>,
    pub(crate) book: Vec<rules::Item>,
    pub(crate) rule_edit: Option<RuleEdit>,
    pub(crate) adopted: u8,
    pub(crate) declared: Declared,
    pub(crate) past: PastFacts,
    pub(crate) as_of: i64,
    /// What was recorded of its bundles is drawn from this; nothing was where it is 0.
    pub(crate) records: u64,
}

/// A random case with up to this many steps.
pub(crate) fn case(steps: usize) -> impl Strategy<Value = Case> {
    (
        trees::repo(),
        prop::collection::vec(prop::collection::vec(trees::edit(), 0..4), 1..=steps),
        rules::book(),
        prop::option::weighted(0.25, rules::rule_edit()),
        0..8_u8,
        declared(),
        past(),
        prop::sample::select(vec![1_780_272_000_i64, 1_782_864_000, 1_782_777_600, 1_782_856_800]),
    )
        .prop_map(|(repo, steps, book, rule_edit, adopted, declared, past, as_of)| Case {
            repo,
            steps,
            book,
            rule_edit,
            adopted,
            declared,
            past,
            as_of,
            records: 0,
        })
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop::sample::select(words).prop_map(str::to_owned))
}

fn declared() -> impl Strategy<Value = Declared> {
    (
        word(&["optimize", "lint", "refactor", "update_model"]),
        prop::sample::select(vec![
            VerifiedBot::NotLookedAt,
            VerifiedBot::Nobody,
            VerifiedBot::Bot("renovate".to_owned()),
            VerifiedBot::Bot("other".to_owned()),
        ]),
        word(&["HOT-17", "GOV-1"]),
        word(&["release/1", "main"]),
        word(&["because", " "]),
        word(&["kernel", ""]),
    )
        .prop_map(|(operation, verified_bot, ticket, branch, rationale, component)| Declared {
            operation,
            actor: None,
            verified_bot,
            ticket,
            branch,
            rationale,
            story: component.into_iter().map(|value| ("component".to_owned(), value)).collect(),
        })
}

fn fingerprints() -> BTreeMap<String, Arc<Fingerprint>> {
    grace_fingerprints::shipped()
        .iter()
        .filter_map(|(path, text)| grace_fingerprints::parse(path, text).ok())
        .filter(|model| ["mistral:7b", "phi3:medium", "llama3.2:3b"].contains(&model.model_name.as_str()))
        .map(|model| (model.model_name.clone(), Arc::new(model)))
        .collect()
}

fn past() -> impl Strategy<Value = PastFacts> {
    let run = prop::sample::select(vec![BundleRun::Passed, BundleRun::Flaky, BundleRun::Failed]);
    (
        prop::collection::vec(run.clone(), 0..4),
        prop::collection::vec(run, 0..4),
        prop::option::of(prop::sample::select(vec![800_000_i64, 1_200_000])),
        prop::option::of(prop::sample::select(vec![3_000_i64, 7_000])),
        prop::collection::vec(any::<bool>(), 2),
        prop::option::of(prop::sample::select(vec![
            "* @everyone\napp/ @org/app\n",
            "/lib/** @lib\n*.md\n",
            "tests/ tester@example.org\n",
            "unreadable",
        ])),
        0..9_u8,
    )
        .prop_map(|(first, second, boot, errors, grants, owners, models)| {
            let mut past = PastFacts::default();
            for (bundle, runs) in [("b1", first), ("b2", second)] {
                if !runs.is_empty() {
                    past.runs.insert(bundle.to_owned(), runs);
                }
            }
            past.kpis.extend(boot.map(|value| ("boot p95 over 24 h".to_owned(), value)));
            past.kpis.extend(errors.map(|value| ("errors".to_owned(), value)));
            let granted = grants.iter().enumerate().filter(|(_, granted)| **granted);
            past.grants = granted.map(|(number, _)| format!("w{number}")).collect::<BTreeSet<_>>();
            match owners {
                Some("unreadable") => {
                    past.unread_codeowners = Some(("CODEOWNERS".to_owned(), "it is not UTF-8 text".to_owned()));
                }
                owners => {
                    past.codeowners =
                        owners.map(|text| CodeOwners { path: Arc::from("CODEOWNERS"), text: Arc::from(text) });
                }
            }
            past.models_before = fingerprints();
            past.models_after = fingerprints();
            past.model_files = BTreeMap::from([("conf/mistral.yaml".to_owned(), vec!["mistral:7b".to_owned()])]);
            change_models(&mut past, models);
            past
        })
}

/// How the fingerprints differ between the sides.
fn change_models(past: &mut PastFacts, how: u8) {
    let edit = |past: &mut PastFacts, edit: &dyn Fn(&mut Fingerprint)| {
        if let Some(model) = past.models_after.get("mistral:7b") {
            let mut model = model.as_ref().clone();
            edit(&mut model);
            past.models_after.insert("mistral:7b".to_owned(), Arc::new(model));
        }
    };
    // Evidence that says low, nothing, and high.
    let evidence = |value: u64, low: u64, high: u64| grace_fingerprints::Evidence {
        metric: "fabrication".to_owned(),
        value: grace_fingerprints::Thousandths(value),
        low: grace_fingerprints::Thousandths(low),
        high: grace_fingerprints::Thousandths(high),
        n: 100,
        set: "own".to_owned(),
        date: format!("2026-01-{:02}", 1 + value % 9),
        origin: grace_fingerprints::Origin::Run("r".to_owned()),
    };
    match how {
        0 => edit(past, &|model| {
            model.compliance_flags.pop();
        }),
        4 => edit(past, &|model| model.evidence.push(evidence(10, 2, 55))),
        5 => edit(past, &|model| model.evidence.extend([evidence(10, 2, 55), evidence(130, 78, 210)])),
        6 => edit(past, &|model| model.evidence.extend([evidence(608, 510, 698), evidence(10, 2, 55)])),
        1 => edit(past, &|model| model.commercial_use = grace_fingerprints::CommercialUse::NotAllowed),
        2 => {
            past.models_after.remove("mistral:7b");
        }
        3 => {
            past.models_before.remove("phi3:medium");
        }
        _ => {}
    }
}

impl Case {
    /// The input of a step, as a change against the repository.
    pub(crate) fn input(&self, store: &FactStore, step: usize) -> Input {
        let (after, done) = trees::apply(&self.repo, &self.steps[step]);
        let items_after = match &self.rule_edit {
            Some(edit) if step == 0 => rules::edited(&self.book, edit),
            _ => self.book.clone(),
        };
        let (mut files_before, mut files_after) = (self.repo.render(), after.render());
        if items_after != self.book {
            files_before.insert("grace/rules.grace".to_owned(), self.book.join("\n").into_bytes());
            files_after.insert("grace/rules.grace".to_owned(), items_after.join("\n").into_bytes());
        }
        let before = tree(store, &files_before);
        let mut past = self.past.clone();
        let graph = graph(store, &before);
        past.reach = records::drawn(self.records, &graph);
        past.failed = records::failed(self.records, &graph);
        Input {
            before,
            after: tree(store, &files_after),
            change: change(&files_before, &files_after, &done),
            rules_before: Some(self.text_of(&self.book)),
            rules_after: Some(self.text_of(&items_after)),
            declared: self.declared.clone(),
            past,
            as_of: self.as_of,
        }
    }

    /// The items as files: the project's own, and what they adopt. One `tiers` may be the project's.
    pub(crate) fn text_of(&self, items: &[rules::Item]) -> Book {
        let at = items.len() * usize::from(self.adopted) / 8;
        let last_tiers = items.iter().rposition(|item| item.starts_with("tiers"));
        let (adopted, own): (Vec<_>, Vec<_>) = items.iter().enumerate().partition(|(number, item)| {
            *number < at || (item.starts_with("tiers") && last_tiers.is_some_and(|last| *number < last))
        });
        let file = |path: &str, items: Vec<(usize, &rules::Item)>, role: Role| BookFile {
            path: Arc::from(path),
            text: Ok(Arc::from(items.into_iter().map(|(_, item)| item.as_str()).collect::<Vec<_>>().join("\n"))),
            role,
        };
        Book {
            files: vec![file("grace/rules.grace", own, Role::Own), file("pack test.adopted", adopted, Role::Adopted)],
        }
    }
}

/// A tree of these files, read into the store.
pub(crate) fn tree(store: &FactStore, files: &Files) -> Tree {
    let file = |(path, bytes): (&String, &Vec<u8>)| {
        let content = match Language::of_path(path) {
            None => TreeContent::Other,
            Some(language) => {
                let facts = store.facts(language, bytes);
                TreeContent::Code(facts.content)
            }
        };
        TreeFile { path: Arc::from(path.as_str()), content }
    };
    Tree { files: files.iter().map(file).collect() }
}

/// The change between two trees.
pub(crate) fn change(before: &Files, after: &Files, done: &Done) -> Change {
    let side = |path: &String, bytes: &Vec<u8>| FileSide {
        path: Arc::from(path.as_str()),
        executable: false,
        content: match std::str::from_utf8(bytes) {
            Ok(text) if !bytes.contains(&0) => Content::Text(Arc::from(text)),
            _ => Content::Binary(ContentId::of(bytes).0),
        },
    };
    let mut files = Vec::new();
    for (path, bytes) in after {
        let from = done.moved.get(path).unwrap_or(path);
        let old = before.get(from).map(|old| side(from, old));
        let asserted = done.asserted.contains(path);
        if from == path && before.get(path) == Some(bytes) && !asserted {
            continue;
        }
        files.push(FileChange { before: old, after: Some(side(path, bytes)), asserted });
    }
    for (path, bytes) in before {
        if !after.contains_key(path) && !done.moved.values().any(|from| from == path) {
            files.push(FileChange { before: Some(side(path, bytes)), after: None, asserted: false });
        }
    }
    let name = |file: &FileChange| file.after.as_ref().or(file.before.as_ref()).map(|side| Arc::clone(&side.path));
    files.sort_by_key(name);
    Change { files }
}

/// The graph of a tree.
pub(crate) fn graph(store: &FactStore, tree: &Tree) -> CodeGraph {
    let file = |file: &TreeFile| {
        let facts: Option<Arc<FileFacts>> = match &file.content {
            TreeContent::Code(content) => {
                Language::of_path(&file.path).and_then(|language| store.get(*content, language))
            }
            TreeContent::Other => None,
            TreeContent::Opaque(_) => Some(Arc::new(FileFacts::unreadable(
                ContentId::of(file.path.as_bytes()),
                grace_graph::facts::ProblemKind::Unreadable,
            ))),
        };
        GraphFile::new(Arc::clone(&file.path), facts.as_deref())
    };
    CodeGraph::build(tree.files.iter().map(file).collect())
}

/// What the reference says of an input.
pub(crate) fn reference(store: &FactStore, input: &Input) -> Answer {
    let changes = parts(&input.change, &mut |path, content| match content {
        Content::Text(text) => Some(store.facts_with_digests(Language::of_path(path)?, text.as_bytes())),
        _ => None,
    });
    evaluate(input, &graph(store, &input.before), &graph(store, &input.after), &changes)
}
