//! Runs the `test` items of a rule book: real edits of a fixture, planned and judged by the same engine.
//!
//! A test gives a repository, an edit of it and facts; each expectation is held against the plan and the decision.
//! Coverage tells which rules, conditions and waivers no test reached. Reads no files: a caller gives the fixtures.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::{
    CondKind, Date, Expect, ExpectKind, FactName, Given, GivenKind, Item, ItemKind, SetExpr, Test, Value, When,
};
use grace_fingerprints::Fingerprint;
use grace_graph::change::{Change, Content, FileChange, FileSide};
use grace_graph::code::{PartId, PartKind};
use grace_graph::facts::Language;
use grace_graph::store::FactStore;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::book::Compiled;
use crate::conds::{Conds, Mode};
use crate::dates;
use crate::db::{Database, Inputs, World, facts, graph_of};
use crate::decide::{Agreed, Agreement, Answer, BundleOutcome, Decision, Trust, decide};
use crate::input::{Book, CodeOwners, Input, Tree, TreeContent, TreeFile, VerifiedBot};
use crate::join::{Judged, judged, plan};
use crate::plan::{AfterRun, Derivation, Outcome, Plan, Side, Truth, ValidationPlan};
use crate::sets::plain;
use crate::show;
use crate::verdict::Trace;

/// Where tests find their repositories and patches.
pub trait Fixtures {
    /// The files of a fixture: path and text. `Err` says why there is none.
    ///
    /// # Errors
    /// A sentence for the reader.
    fn fixture(&self, name: &str) -> Result<Vec<(String, String)>, String>;

    /// The files of the project at a revision.
    ///
    /// # Errors
    /// A sentence for the reader.
    fn revision(&self, rev: &str) -> Result<Vec<(String, String)>, String>;

    /// The text of a patch, named as in `given patch "NAME"` in a rule file at `path`.
    ///
    /// # Errors
    /// A sentence for the reader.
    fn patch(&self, path: &str, name: &str) -> Result<String, String>;
}

/// What the tests of a book came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestReport {
    /// Each test, in book order.
    pub tests: Vec<TestResult>,
    /// What they reached.
    pub coverage: Coverage,
}

/// What one test came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestResult {
    /// Its title.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// What it expected and did not get; empty = it passed.
    pub failures: Vec<Failure>,
}

/// One expectation that was not met, or one given that could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Line of the given or the expectation.
    pub line: u32,
    /// What was expected, as the language writes it.
    pub expected: String,
    /// What was there instead.
    pub found: String,
}

/// What tests reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Every rule that applies, by name.
    pub rules: Vec<RuleCoverage>,
    /// Waivers, and whether a test saw each lower something.
    pub waivers: Vec<(String, bool)>,
}

/// How far tests reached one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleCoverage {
    /// The rule.
    pub name: String,
    /// Its file.
    pub file: String,
    /// A test saw it fire.
    pub fired: bool,
    /// A test saw it not fire.
    pub spared: bool,
    /// Conditions: text, seen yes, seen no.
    pub conditions: Vec<(String, bool, bool)>,
}

/// Runs every `test` item of the files that match `wanted` (by path). `today` (seconds since 1970) stands where a test
/// names no date.
#[must_use]
pub fn run_tests(
    book: &Book,
    fixtures: &dyn Fixtures,
    wanted: &dyn Fn(&str) -> bool,
    store: &Arc<FactStore>,
    today: i64,
) -> TestReport {
    let mut runner = Runner {
        book,
        fixtures,
        store,
        today,
        trees: BTreeMap::new(),
        db: Database::new(Arc::clone(store), None),
        inputs: None,
        coverage: BTreeMap::new(),
        granted: waivers(book),
    };
    let mut tests = Vec::new();
    for file in &book.files {
        let Ok(text) = &file.text else { continue };
        if !wanted(&file.path) {
            continue;
        }
        let parsed = grace_dsl::parse(text);
        for (ordinal, item) in parsed.items.iter().enumerate() {
            let ItemKind::Test(test) = &item.kind else { continue };
            let line_of = |node| {
                let range = parsed.map.node(ordinal, node).or_else(|| parsed.map.item(ordinal)).unwrap_or(0..0);
                u32::try_from(text[..range.start.min(text.len())].matches('\n').count()).unwrap_or(u32::MAX) + 1
            };
            let failures = runner.run(&file.path, item, test, &line_of);
            tests.push(TestResult {
                name: item.name.clone(),
                file: file.path.to_string(),
                line: line_of(grace_dsl::ast::NodeId(0)),
                failures,
            });
        }
    }
    TestReport { tests, coverage: runner.coverage() }
}

type Files = BTreeMap<String, String>;

struct Runner<'a> {
    book: &'a Book,
    fixtures: &'a dyn Fixtures,
    store: &'a Arc<FactStore>,
    today: i64,
    trees: BTreeMap<String, Result<Arc<Files>, String>>,
    db: Database,
    inputs: Option<Inputs>,
    coverage: BTreeMap<(String, String), RuleCoverage>,
    /// Every waiver of the book, and whether a test saw it lower something.
    granted: BTreeMap<String, bool>,
}

/// The waivers of a book, by name, none of them used.
fn waivers(book: &Book) -> BTreeMap<String, bool> {
    let texts = book.files.iter().filter_map(|file| file.text.as_ref().ok());
    let items = texts.flat_map(|text| grace_dsl::parse(text).items);
    items.filter(|item| matches!(item.kind, ItemKind::Waiver(_))).map(|item| (item.name, false)).collect()
}

impl Runner<'_> {
    fn run(
        &mut self,
        path: &str,
        item: &Item,
        test: &Test,
        line_of: &dyn Fn(grace_dsl::ast::NodeId) -> u32,
    ) -> Vec<Failure> {
        let given_failure = |given: &Given, found: String| {
            vec![Failure { line: line_of(given.node), expected: "this given to hold".to_owned(), found }]
        };
        let before = match self.repository(test) {
            Ok(files) => files,
            Err((given, found)) => {
                let line = given.map_or_else(|| line_of(grace_dsl::ast::NodeId(0)), |given| line_of(given.node));
                return vec![Failure { line, expected: "a repository to edit".to_owned(), found }];
            }
        };
        // Sets in givens are read on the tree before any edit.
        self.set(Input { rules_after: Some(self.book.clone()), ..input_of(self.store, &before, &before) });
        let mut after = (*before).clone();
        for given in &test.givens {
            if let Err(found) = self.edit(path, item, given, &before, &mut after) {
                return given_failure(given, found);
            }
        }
        let mut input = Input {
            rules_before: Some(self.book.clone()),
            rules_after: Some(self.book.clone()),
            as_of: self.today,
            ..input_of(self.store, &before, &after)
        };
        let mut outcomes = BTreeMap::new();
        let mut approved = BTreeSet::new();
        let mut trust = None;
        for given in &test.givens {
            if let Err(found) = state(given, &mut input, &mut outcomes, &mut approved, &mut trust) {
                return given_failure(given, found);
            }
        }
        // The author never counts; outside of tests, whoever reads the approvals leaves them out.
        if let Some(actor) = &input.declared.actor {
            approved.remove(actor);
        }
        // A test judges rules as if every waiver in them were granted.
        input.past.grants = self.granted.keys().cloned().collect();
        let past = input.past.clone();
        self.set(input);
        let plan = plan(&self.db);
        let people = approved.iter().map(|name| Agreement::of(name)).collect();
        let agreed = Agreed { people, ..Agreed::default() };
        let trust = Trust { score: trust, ..Trust::default() };
        let decision = decide(&plan, &outcomes, &past, &agreed, trust);
        self.cover(&plan, &decision);
        let judge = Judge { plan: &plan, decision: &decision, expects: &test.expects };
        test.expects
            .iter()
            .filter_map(|expect| {
                judge.failure(expect).map(|found| Failure {
                    line: line_of(expect.node),
                    expected: expectation(expect),
                    found,
                })
            })
            .collect()
    }

    fn set(&mut self, input: Input) {
        let db = &mut self.db;
        let inputs = self.inputs.get_or_insert_with(|| Inputs::new(db));
        inputs.update(&mut self.db, input, None);
        crate::order::prepare(&self.db);
    }

    fn repository<'t>(&mut self, test: &'t Test) -> Result<Arc<Files>, (Option<&'t Given>, String)> {
        for given in &test.givens {
            let (key, is_fixture) = match &given.kind {
                GivenKind::Fixture(name) => (&name.value, true),
                GivenKind::AtRev(rev) => (&rev.value, false),
                _ => continue,
            };
            let fixtures = self.fixtures;
            let tree = self.trees.entry(format!("{is_fixture} {key}")).or_insert_with(|| {
                let files = if is_fixture { fixtures.fixture(key) } else { fixtures.revision(key) };
                files.map(|files| Arc::new(files.into_iter().collect()))
            });
            return tree.clone().map_err(|reason| (Some(given), reason));
        }
        Ok(Arc::new(Files::new()))
    }

    /// Applies an edit that a test gives.
    fn edit(&self, path: &str, item: &Item, given: &Given, before: &Files, after: &mut Files) -> Result<(), String> {
        match &given.kind {
            GivenKind::EditOf(set) => self.edit_parts(item, set, after, Edit::Body),
            GivenKind::CommentEditOf(set) => self.edit_parts(item, set, after, Edit::Comment),
            GivenKind::RemovalOf(set) => self.edit_parts(item, set, after, Edit::Removal),
            GivenKind::NewFile(path, text) => {
                if before.contains_key(&path.value) {
                    return Err(format!("`{}` exists already", path.value));
                }
                after.insert(path.value.clone(), text.value.clone());
                Ok(())
            }
            GivenKind::Replace { old, new, path } => {
                let Some(text) = after.get_mut(&path.value) else {
                    return Err(format!("`{}` does not exist", path.value));
                };
                match text.matches(old.value.as_str()).count() {
                    1 => *text = text.replacen(&old.value, &new.value, 1),
                    0 => return Err(format!("`{}` does not stand in `{}`", old.value, path.value)),
                    many => return Err(format!("`{}` stands {many} times in `{}`", old.value, path.value)),
                }
                Ok(())
            }
            GivenKind::Patch(name) => {
                let text = self.fixtures.patch(path, &name.value)?;
                let patches = grace_graph::diff::parse_unified(&text).map_err(|error| error.to_string())?;
                let known = after.clone();
                let change = grace_graph::diff::change_from_patches(&patches, &mut |path| {
                    known.get(path).map(|text| Content::Text(Arc::from(text.as_str())))
                })
                .map_err(|error| error.to_string())?;
                for file in change.files {
                    if let Some(side) = &file.before {
                        after.remove(&*side.path);
                    }
                    if let Some(FileSide { path, content: Content::Text(text), .. }) = &file.after {
                        after.insert(path.to_string(), text.to_string());
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn edit_parts(&self, item: &Item, set: &SetExpr, after: &mut Files, edit: Edit) -> Result<(), String> {
        let db = &self.db;
        let Some(book) = World::get(db).book_after(db) else { return Err("there are no rules".to_owned()) };
        let compiled = Compiled::new(db, book, Arc::new(item.clone()));
        let conds = Conds { db, book, compiled: &compiled, mode: Mode::Raise };
        let graph = graph_of(db, Side::Before);
        let members = conds.sets(Side::Before).eval(set);
        let mut places: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        for index in members.certain.ones() {
            let part = graph.part(PartId(u32::try_from(index).unwrap_or(u32::MAX)));
            let path = &graph.file(part.file).path;
            let place =
                facts(db, Side::Before, path).and_then(|facts| facts.places.parts.get(part.ordinal as usize).copied());
            places.entry(path.to_string()).or_default().push(Place {
                kind: part.kind,
                start: place.map_or(1, |place| place.start as usize),
                def: place.map_or(1, |place| place.def as usize),
                end: place.map_or(1, |place| place.end as usize),
            });
        }
        if places.is_empty() {
            return Err(format!("nothing is in {}", show::set(set)));
        }
        for (path, mut places) in places {
            let Some(text) = after.get(&path).cloned() else {
                return Err(format!("`{path}` was removed by an earlier given"));
            };
            let whole = places.iter().any(|place| matches!(place.kind, PartKind::File | PartKind::Module));
            if edit == Edit::Removal && whole {
                after.remove(&path);
                continue;
            }
            // From the bottom up, so that lines above stay where they are; an inner part ends no later than its outer.
            places.sort_by_key(|place| (std::cmp::Reverse(place.end), place.def));
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            for place in &places {
                edit_lines(&mut lines, place, edit);
            }
            let mut text = lines.join("\n");
            text.push('\n');
            after.insert(path, text);
        }
        Ok(())
    }

    fn cover(&mut self, plan: &Plan, decision: &Decision) {
        let rules: Vec<Judged> = judged(&self.db);
        for judged in &rules {
            let file = judged.at.file.path(&self.db).to_string();
            let name = judged.at.id.name.to_string();
            let outcome = plan.rules.iter().find(|rule| rule.name == name).map(|rule| rule.outcome);
            let fired = match outcome {
                Some(Outcome::Fires | Outcome::Waived | Outcome::Unknown) => true,
                Some(Outcome::AfterRun) => {
                    decision.after_run.iter().any(|(rule, truth)| *rule == name && *truth != Truth::No)
                }
                Some(Outcome::DoesNotApply) | None => false,
            };
            let entry = self.coverage.entry((file.clone(), name.clone())).or_insert_with(|| RuleCoverage {
                name,
                file,
                fired: false,
                spared: false,
                conditions: conditions(&judged.compiled.item).into_iter().map(|text| (text, false, false)).collect(),
            });
            entry.fired |= fired;
            entry.spared |= !fired;
            let mut leaves = Vec::new();
            leaves_of(&judged.verdict.trace, &mut leaves);
            for (truth, condition) in leaves.into_iter().zip(&mut entry.conditions) {
                condition.1 |= truth != Truth::No;
                condition.2 |= truth == Truth::No;
            }
        }
        for (name, used) in &mut self.granted {
            *used |= plan.rules.iter().any(|rule| rule.waivers.contains(name))
                || plan.tier_derivation.iter().any(|reason| reason.because.contains(&format!("Waiver {name} ")));
        }
    }

    fn coverage(self) -> Coverage {
        Coverage { rules: self.coverage.into_values().collect(), waivers: self.granted.into_iter().collect() }
    }
}

/// Leaves of a trace in source order.
fn leaves_of(trace: &Trace, found: &mut Vec<Truth>) {
    if trace.children.is_empty() {
        found.push(trace.truth);
    }
    for child in &trace.children {
        leaves_of(child, found);
    }
}

/// The leaf conditions of a rule as text, in source order.
fn conditions(item: &Item) -> Vec<String> {
    fn leaves(cond: &grace_dsl::ast::Cond, found: &mut Vec<String>) {
        match &cond.kind {
            CondKind::And(conds) | CondKind::Or(conds) => conds.iter().for_each(|cond| leaves(cond, found)),
            CondKind::Not(cond) => leaves(cond, found),
            _ => found.push(show::cond(cond)),
        }
    }
    let mut found = Vec::new();
    match &item.kind {
        ItemKind::Rule(rule) => {
            let (When::Change(cond) | When::Always(cond) | When::AfterRun(cond)) = &rule.when;
            leaves(cond, &mut found);
        }
        ItemKind::Policy(policy) => found.push(format!("change touches {}", show::set(&policy.covers))),
        _ => found.push(item.name.clone()),
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edit {
    Body,
    Comment,
    Removal,
}

struct Place {
    kind: PartKind,
    start: usize,
    def: usize,
    end: usize,
}

/// Edits one part of a file that is given by lines.
fn edit_lines(lines: &mut Vec<String>, place: &Place, edit: Edit) {
    let text = match edit {
        Edit::Comment => "# edited",
        Edit::Body | Edit::Removal => "edited_by_test = 1",
    };
    let (start, def, end) = (place.start.max(1), place.def.max(1), place.end.min(lines.len()));
    if matches!(place.kind, PartKind::File | PartKind::Module) {
        lines.push(text.to_owned());
        return;
    }
    if end == 0 || def > end {
        return;
    }
    if edit == Edit::Removal {
        let indent = indent_of(&lines[def - 1]).to_owned();
        lines.drain(start - 1..end);
        lines.insert(start - 1, format!("{indent}pass"));
        return;
    }
    let outer = indent_of(&lines[def - 1]).len();
    let inner = lines[def..end]
        .iter()
        .filter(|line| !line.trim().is_empty() && indent_of(line).len() > outer)
        .map(|line| indent_of(line).to_owned())
        .min_by_key(String::len);
    match inner {
        Some(indent) => lines.insert(end, format!("{indent}{text}")),
        // All of it stands on one line.
        None if edit == Edit::Comment => lines[end - 1].push_str("  # edited"),
        None => lines[end - 1].push_str("; edited_by_test = 1"),
    }
}

fn indent_of(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// Models by name, and the files that declare them.
pub type Models = (BTreeMap<String, Arc<Fingerprint>>, BTreeMap<String, Vec<String>>);

/// The models of a tree: the fifteen that are shipped, and those of `grace/fingerprints/`, which stand above them.
/// A file that does not read declares nothing here; `check` reports it.
#[must_use]
pub fn models_of(files: &BTreeMap<String, String>) -> Models {
    let mut models = BTreeMap::new();
    let mut by_file: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in grace_fingerprints::shipped() {
        if let Ok(model) = grace_fingerprints::parse(path, text) {
            models.insert(model.model_name.clone(), Arc::new(model));
        }
    }
    for (path, text) in files {
        let name = path.strip_prefix("grace/fingerprints/");
        if name.is_some_and(|name| name.ends_with(".yaml") || name.ends_with(".yml"))
            && let Ok(model) = grace_fingerprints::parse(path, text)
        {
            by_file.entry(path.clone()).or_default().push(model.model_name.clone());
            models.insert(model.model_name.clone(), Arc::new(model));
        }
    }
    (models, by_file)
}

/// Everything that two trees of text say: the trees, the change between them, models and owners. No rules.
#[must_use]
pub fn input_of(store: &FactStore, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Input {
    let mut input = Input {
        before: tree(store, before),
        after: tree(store, after),
        change: change(before, after),
        ..Input::default()
    };
    let (models, files) = models_of(before);
    input.past.models_before = models;
    input.past.model_files = files;
    let (models, files) = models_of(after);
    input.past.models_after = models;
    input.past.model_files.extend(files);
    input.past.codeowners = grace_graph::owners::PLACES.iter().find_map(|path| {
        before.get(*path).map(|text| CodeOwners { path: Arc::from(*path), text: Arc::from(text.as_str()) })
    });
    input
}

fn tree(store: &FactStore, files: &BTreeMap<String, String>) -> Tree {
    let files = files
        .iter()
        .map(|(path, text)| TreeFile {
            path: Arc::from(path.as_str()),
            content: match Language::reader_of(path) {
                Some(language) => TreeContent::Code(store.facts(language, text.as_bytes()).content),
                None => TreeContent::Other,
            },
        })
        .collect();
    Tree { files }
}

/// The change between two trees of text.
fn change(before: &Files, after: &Files) -> Change {
    let side = |path: &str, text: &String| FileSide {
        path: Arc::from(path),
        executable: false,
        content: Content::Text(Arc::from(text.as_str())),
    };
    let mut files = Vec::new();
    for path in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (old, new) = (before.get(path), after.get(path));
        if old != new {
            files.push(FileChange {
                before: old.map(|text| side(path, text)),
                after: new.map(|text| side(path, text)),
                asserted: false,
            });
        }
    }
    Change { files }
}

/// Sets the facts that a test gives.
fn state(
    given: &Given,
    input: &mut Input,
    outcomes: &mut BTreeMap<String, BundleOutcome>,
    approved: &mut BTreeSet<String>,
    trust: &mut Option<i64>,
) -> Result<(), String> {
    match &given.kind {
        GivenKind::AsOf(date) => input.as_of = noon(*date)?,
        GivenKind::Operation(name) => input.declared.operation = Some(name.text.clone()),
        GivenKind::Actor(name) => {
            input.declared.actor = Some(name.value.clone());
            if input.declared.verified_bot == VerifiedBot::NotLookedAt {
                input.declared.verified_bot = VerifiedBot::Nobody;
            }
        }
        GivenKind::VerifiedBot(name) => input.declared.verified_bot = VerifiedBot::Bot(name.value.clone()),
        GivenKind::Branch(name) => input.declared.branch = Some(name.value.clone()),
        GivenKind::Ticket(name) => input.declared.ticket = Some(name.value.clone()),
        GivenKind::Rationale(text) => input.declared.rationale = Some(text.value.clone()),
        GivenKind::ApprovedBy(person) => {
            approved.insert(person.value.clone());
        }
        GivenKind::Outcome(bundle, outcome) => {
            let outcome = match outcome.text.as_str() {
                "passed" => BundleOutcome::Passed,
                "flaky" => BundleOutcome::Flaky,
                "failed" => BundleOutcome::Failed,
                "cancelled" => BundleOutcome::Cancelled,
                other => return Err(format!("`{other}` is no outcome; say passed, failed, flaky or cancelled")),
            };
            outcomes.insert(bundle.text.clone(), outcome);
        }
        GivenKind::Fact(name, value) => match (name, value) {
            (FactName::BundleRate(rate, bundle), Value::Quantity(value)) => {
                input.past.rates.insert((show::rate(*rate).to_owned(), bundle.text.clone()), plain(value));
            }
            (FactName::Kpi(kpi), Value::Quantity(value)) => {
                input.past.kpis.insert(kpi.text.clone(), plain(value));
            }
            (FactName::Trust, Value::Quantity(value)) => *trust = Some(value.thousandths),
            (FactName::ModelField(field, model), value) => {
                input.past.model_fields.insert((model.value.clone(), field.text.clone()), Some(model_value(value)));
            }
            (FactName::StoryField(field), Value::Text(text)) => {
                input.declared.story.insert(field.text.clone(), text.value.clone());
            }
            _ => return Err("the value does not fit the fact".to_owned()),
        },
        GivenKind::Unknown(name) => match name {
            FactName::BundleRate(rate, bundle) => {
                input.past.rates.remove(&(show::rate(*rate).to_owned(), bundle.text.clone()));
                input.past.runs.remove(&bundle.text);
            }
            FactName::Kpi(kpi) => {
                input.past.kpis.remove(&kpi.text);
            }
            FactName::Trust => *trust = None,
            FactName::ModelField(field, model) => {
                input.past.model_fields.insert((model.value.clone(), field.text.clone()), None);
            }
            FactName::StoryField(field) => {
                input.declared.story.remove(&field.text);
            }
        },
        GivenKind::EditOf(_)
        | GivenKind::CommentEditOf(_)
        | GivenKind::RemovalOf(_)
        | GivenKind::NewFile(..)
        | GivenKind::Replace { .. }
        | GivenKind::Patch(_)
        | GivenKind::Fixture(_)
        | GivenKind::AtRev(_) => {}
    }
    Ok(())
}

fn model_value(value: &Value) -> grace_fingerprints::Value {
    use grace_fingerprints::{Thousandths, Value as Field};
    match value {
        Value::Word(word) => match word.text.as_str() {
            "yes" | "true" => Field::Bool(true),
            "no" | "false" => Field::Bool(false),
            text => Field::Text(text.to_owned()),
        },
        Value::Text(text) => Field::Text(text.value.clone()),
        Value::Quantity(quantity) => Field::Number(Thousandths(u64::try_from(plain(quantity)).unwrap_or(0))),
        Value::Date(date) => Field::Text(date.to_string()),
    }
}

fn noon(date: Date) -> Result<i64, String> {
    dates::boundary(date, "UTC", false).map(|start| start + 12 * 3600).ok_or_else(|| format!("{date} is no date"))
}

/// Holds expectations against a plan and its decision.
struct Judge<'a> {
    plan: &'a Plan,
    decision: &'a Decision,
    expects: &'a [Expect],
}

impl Judge<'_> {
    /// What was found instead; `None` where the expectation is met.
    fn failure(&self, expect: &Expect) -> Option<String> {
        let from = expect.from.as_ref().map(|rule| rule.text.as_str());
        let by =
            |derivations: &[Derivation]| from.is_none_or(|rule| derivations.iter().any(|reason| reason.rule == rule));
        let (met, found) = match &expect.kind {
            ExpectKind::Tier(tier) => self.tier(*tier, from),
            ExpectKind::Bundle(name, narrowed) => {
                let all = self.bundles();
                let met = all.iter().any(|(bundle, is_narrowed, derivation)| {
                    *bundle == name.text && by(derivation) && (!narrowed || *is_narrowed)
                });
                (met, list("bundles", all.iter().map(|(bundle, _, derivation)| reasons(bundle, derivation))))
            }
            ExpectKind::Approval(approval) => {
                let wanted = show::approval(approval);
                let all: Vec<_> =
                    self.plan.approvals.iter().chain(self.after().flat_map(|rule| rule.approvals.iter())).collect();
                let met = all.iter().any(|approval| approval.name == wanted && by(&approval.derivation));
                (met, list("approvals", all.iter().map(|approval| reasons(&approval.name, &approval.derivation))))
            }
            ExpectKind::Principle(name) => {
                let met = self.plan.principles.iter().any(|found| found.name == name.text && by(&found.derivation));
                (
                    met,
                    list(
                        "principles",
                        self.plan.principles.iter().map(|found| reasons(&found.name, &found.derivation)),
                    ),
                )
            }
            ExpectKind::Validation(name, model) => {
                let all: Vec<_> = self.validations().collect();
                let met = all.iter().any(|found| {
                    found.validation == name.text
                        && model.as_ref().is_none_or(|model| model.value == found.model)
                        && by(&found.derivation)
                });
                (met, list("validations", all.iter().map(|found| found.name.clone())))
            }
            ExpectKind::Denied => {
                let after = self.decision.reasons.iter().any(|reason| {
                    reason.what.starts_with("denied by")
                        && from.is_none_or(|rule| reason.what == format!("denied by {rule}"))
                });
                let met = self.plan.denials.iter().any(|denial| by(&denial.derivation)) || after;
                (met, list("denials", self.plan.denials.iter().map(|denial| denial.name.clone())))
            }
            ExpectKind::Unknown => {
                let met = match from {
                    None => !self.plan.unknowns.is_empty(),
                    Some(_) => self
                        .plan
                        .unknowns
                        .iter()
                        .any(|unknown| !unknown.derivation.is_empty() && by(&unknown.derivation)),
                };
                (
                    met,
                    list(
                        "unknowns",
                        self.plan.unknowns.iter().map(|unknown| reasons(&unknown.name, &unknown.derivation)),
                    ),
                )
            }
            ExpectKind::Waived(name) => {
                let found = self.plan.rules.iter().find(|rule| rule.name == name.text);
                let tier = self.plan.tier_derivation.iter().any(|reason| {
                    reason.because.starts_with("Waiver ")
                        && reason.rule.trim_start_matches("tiers.") == name.text.trim_start_matches("tiers.")
                });
                let met = tier || found.is_some_and(|rule| rule.outcome == Outcome::Waived);
                (met, outcome_of(found.map(|rule| rule.outcome)))
            }
            ExpectKind::Rule(name) => {
                let found = self.plan.rules.iter().find(|rule| rule.name == name.text).map(|rule| rule.outcome);
                let met = match found {
                    Some(Outcome::Fires | Outcome::Unknown) => true,
                    Some(Outcome::AfterRun) => self.fired_after(&name.text),
                    Some(Outcome::Waived | Outcome::DoesNotApply) | None => false,
                };
                (met, outcome_of(found))
            }
            ExpectKind::Decision(answer) => {
                let seen = match self.decision.answer {
                    Answer::Go => "go",
                    Answer::Hold => "hold",
                    Answer::No => "no",
                };
                let by_rule = from.is_none_or(|rule| {
                    self.decision.reasons.iter().any(|reason| reason.rules.iter().any(|name| name == rule))
                        || self.fired_after(rule)
                });
                let why = list("because", self.decision.reasons.iter().map(|reason| reason.what.clone()));
                (seen == answer.text && by_rule, format!("decision {seen}; {why}"))
            }
            ExpectKind::NothingElse => return self.something_else(),
        };
        (met == expect.negated).then_some(found)
    }

    /// Rules that fired after the run. Before it nothing is known of them, and nobody is asked for what may come after.
    fn after(&self) -> impl Iterator<Item = &AfterRun> {
        let fired = |name: &String| self.decision.after_run.contains(&(name.clone(), Truth::Yes));
        self.plan.after_run.iter().filter(move |rule| fired(&rule.name))
    }

    /// Bundles of the plan and of the rules that fired after the run: name, narrowed, why.
    fn bundles(&self) -> Vec<(&str, bool, &[Derivation])> {
        let planned = self.plan.bundles.iter();
        let planned = planned.map(|bundle| (bundle.name.as_str(), bundle.narrowed, bundle.derivation.as_slice()));
        let after = self.after().flat_map(|rule| &rule.bundles);
        let after = after.map(|bundle| (bundle.name.as_str(), bundle.narrowed, bundle.derivation.as_slice()));
        planned.chain(after).collect()
    }

    fn validations(&self) -> impl Iterator<Item = &ValidationPlan> {
        self.plan.validations.iter().chain(self.after().flat_map(|rule| &rule.validations))
    }

    fn fired_after(&self, rule: &str) -> bool {
        self.decision.after_run.iter().any(|(name, truth)| name == rule && *truth != Truth::No)
    }

    fn tier(&self, tier: u8, from: Option<&str>) -> (bool, String) {
        let planned = self.plan.tier == tier
            && from.is_none_or(|rule| self.plan.tier_derivation.iter().any(|reason| is_from(&reason.rule, rule)));
        let decided = self.decision.tier == tier
            && self.decision.tier > self.plan.tier
            && from.is_none_or(|rule| {
                self.fired_after(rule)
                    && self.plan.after_run.iter().any(|after| after.name == rule && after.tier == Some(tier))
            });
        let raised_after = self.decision.tier > self.plan.tier;
        let found = format!(
            "tier {} from {}{}",
            self.plan.tier,
            self.plan.tier_derivation.iter().map(|reason| reason.rule.as_str()).collect::<Vec<_>>().join(", "),
            if raised_after { format!("; after the run tier {}", self.decision.tier) } else { String::new() }
        );
        (planned || decided, found)
    }

    /// Bundles, approvals, principles, validations and denials that no other line names.
    fn something_else(&self) -> Option<String> {
        let mut extra = Vec::new();
        let named = |test: &dyn Fn(&ExpectKind) -> bool| {
            self.expects.iter().any(|expect| !expect.negated && test(&expect.kind))
        };
        for (bundle, ..) in self.bundles() {
            if !named(&|kind| matches!(kind, ExpectKind::Bundle(name, _) if name.text == bundle)) {
                extra.push(format!("bundle({bundle})"));
            }
        }
        for approval in self.plan.approvals.iter().chain(self.after().flat_map(|rule| &rule.approvals)) {
            if !named(&|kind| matches!(kind, ExpectKind::Approval(wanted) if show::approval(wanted) == approval.name)) {
                extra.push(format!("approval {}", approval.name));
            }
        }
        for principle in &self.plan.principles {
            if !named(&|kind| matches!(kind, ExpectKind::Principle(name) if name.text == principle.name)) {
                extra.push(format!("principle {}", principle.name));
            }
        }
        for validation in self.validations() {
            if !named(&|kind| {
                matches!(kind, ExpectKind::Validation(name, model) if name.text == validation.validation
                    && model.as_ref().is_none_or(|model| model.value == validation.model))
            }) {
                extra.push(format!("validation {}", validation.name));
            }
        }
        if !self.plan.denials.is_empty() && !named(&|kind| matches!(kind, ExpectKind::Denied)) {
            extra.push("a denial".to_owned());
        }
        (!extra.is_empty()).then(|| format!("also {}", extra.join(", ")))
    }
}

/// Whether a reason is from a rule as a test names it: built-in rules go by their bare name.
fn is_from(reason: &str, rule: &str) -> bool {
    reason == rule || reason.strip_prefix("built-in ") == Some(rule)
}

fn reasons(name: &str, derivation: &[Derivation]) -> String {
    let rules: BTreeSet<&str> = derivation.iter().map(|reason| reason.rule.as_str()).collect();
    if rules.is_empty() {
        name.to_owned()
    } else {
        format!("{name} from {}", rules.into_iter().collect::<Vec<_>>().join(", "))
    }
}

fn list(what: &str, items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { format!("no {what}") } else { format!("{what}: {}", items.join("; ")) }
}

fn outcome_of(outcome: Option<Outcome>) -> String {
    match outcome {
        None => "no such rule".to_owned(),
        Some(Outcome::Fires) => "it fires".to_owned(),
        Some(Outcome::Unknown) => "it is unknown".to_owned(),
        Some(Outcome::Waived) => "it is waived".to_owned(),
        Some(Outcome::DoesNotApply) => "it does not apply".to_owned(),
        Some(Outcome::AfterRun) => "it waits for the run, and does not apply after it".to_owned(),
    }
}

/// An expectation as the language writes it.
fn expectation(expect: &Expect) -> String {
    let mut text = String::new();
    if expect.negated {
        text.push_str("no ");
    }
    text.push_str(&match &expect.kind {
        ExpectKind::Tier(tier) => format!("tier {tier}"),
        ExpectKind::Bundle(name, narrowed) => {
            format!("bundle({}){}", name.text, if *narrowed { " narrowed" } else { "" })
        }
        ExpectKind::Approval(approval) => format!("approval {}", show::approval(approval)),
        ExpectKind::Principle(name) => format!("principle {}", name.text),
        ExpectKind::Validation(name, None) => format!("validation {}", name.text),
        ExpectKind::Validation(name, Some(model)) => format!("validation {} of model(\"{}\")", name.text, model.value),
        ExpectKind::Denied => "denied".to_owned(),
        ExpectKind::Unknown => "unknown".to_owned(),
        ExpectKind::Waived(name) => format!("waived {}", name.text),
        ExpectKind::Rule(name) => format!("rule {}", name.text),
        ExpectKind::Decision(name) => format!("decision {}", name.text),
        ExpectKind::NothingElse => "nothing else".to_owned(),
    });
    if let Some(rule) = &expect.from {
        text.push_str(" from ");
        text.push_str(&rule.text);
    }
    text
}
