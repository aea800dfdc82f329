//! `practice`: ways of working, declared and taken from stories, and those that fit a change.

use std::collections::BTreeSet;

use grace_engine::Engine;
use grace_engine::plan::{Plan, Side};
use grace_govern::monitor::history::Past;
use grace_govern::practices::{self, Practice, Suggestion};
use grace_govern::task::Task;
use grace_govern::{journal, story};
use grace_graph::code::PartKind;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Context, plan, task};
use crate::args::practice::PracticeCommand;
use crate::failure::{Failure, Result};
use crate::load::{self, Cache};
use crate::screen;

/// The pack that every project knows, adopted or not.
const SHIPPED: &str = "grace.practices";

/// Practices as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PracticesReport<'a> {
    schema: &'static str,
    version: u32,
    /// By name.
    practices: &'a [Practice],
}

/// Practices that fit a change.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SuggestionsReport<'a> {
    schema: &'static str,
    version: u32,
    /// The best first.
    suggestions: &'a [Suggestion],
}

pub(super) fn practice(context: &Context, command: &PracticeCommand) -> Result<Answer> {
    let (mut known, _) = known(context)?;
    match command {
        PracticeCommand::List => shown(context, &known, screen::practice::list),
        PracticeCommand::Show { name } => {
            known.retain(|practice| practice.name == *name);
            if known.is_empty() {
                return Err(Failure::new("input", format!("there is no practice `{}`", name.escape_debug()))
                    .help("grace-rules practice list shows what there is"));
            }
            shown(context, &known, screen::practice::whole)
        }
        PracticeCommand::Suggest(args) => {
            let mut terms = BTreeSet::new();
            let supposed;
            let change = match &args.task {
                Some(path) => {
                    let task = task::read(context, path)?.0;
                    terms.extend(task.capability.clone());
                    let repository = context.place.repository()?;
                    let entries = repository.head()?.map(|head| repository.tree(head)).transpose()?.unwrap_or_default();
                    let named = entries.iter().filter(|entry| task.allows(&entry.path));
                    supposed = task::supposed(context, &task, named.map(|entry| entry.path.as_str()));
                    &supposed
                }
                None => &args.change,
            };
            // The kinds of parts are in the graph, which is kept only while the plan is derived anew.
            let (engine, _) = plan::engine(context, change, Cache::Unused)?;
            let plan = {
                let _working = context.progress.spinner("planning");
                engine.plan()
            };
            terms.extend(touched(&engine, &plan));
            let suggestions = practices::suggested(&known, &terms, &practices::steps(&plan));
            if context.is_json() {
                let report =
                    SuggestionsReport { schema: "grace-rules/suggestions", version: 1, suggestions: &suggestions };
                return Answer::json(&report, true);
            }
            let mut page = context.page();
            screen::practice::suggested(&mut page, &suggestions);
            Ok(Answer::yes(page.finish()))
        }
    }
}

fn shown(context: &Context, known: &[Practice], screen: impl Fn(&mut screen::Page, &[Practice])) -> Result<Answer> {
    if context.is_json() {
        return Answer::json(&PracticesReport { schema: "grace-rules/practices", version: 1, practices: known }, true);
    }
    let mut page = context.page();
    screen(&mut page, known);
    Ok(Answer::yes(page.finish()))
}

/// The names of the declared practices that a recorded story used, or of the one that it taught.
pub(super) fn of_story(context: &Context, story: u64) -> Result<Vec<String>> {
    let (known, stories) = known(context)?;
    Ok(stories.iter().find(|told| told.id == story).map(|told| practices::of_story(&known, told)).unwrap_or_default())
}

/// What a change touches, in the words that practices use, the kinds of its parts among them: `class`, `method`.
fn touched(engine: &Engine, plan: &Plan) -> BTreeSet<String> {
    let mut terms = practices::terms(plan);
    for side in [Side::Before, Side::After] {
        let changed: BTreeSet<(&str, &str)> = practices::changed(plan)
            .filter(|part| part.side == side)
            .map(|part| (part.path.as_str(), part.name.as_str()))
            .collect();
        if changed.is_empty() {
            continue;
        }
        let modules = changed.iter().filter(|(_, name)| name.starts_with("module ")).map(|(path, _)| *path);
        let modules: BTreeSet<&str> = modules.collect();
        let graph = engine.graph(side);
        let nodes = graph.nodes();
        for id in nodes.part_ids() {
            let part = nodes.part(id);
            let path = &*nodes.file(part.file).path;
            let is_named = match part.kind {
                PartKind::File => changed.contains(&(path, path)),
                PartKind::Module => modules.contains(path),
                PartKind::Class | PartKind::Function | PartKind::Method => {
                    changed.contains(&(path, nodes.local_name(id)))
                }
            };
            if is_named {
                terms.insert(part.kind.word().to_owned());
            }
        }
    }
    terms
}

/// The declared practices that fit a task's plan, the best first. What stories taught comes from commits, and is for people to read.
pub(super) fn fitting(context: &Context, engine: &Engine, plan: &Plan, task: &Task) -> Result<Vec<Practice>> {
    let (mut known, _) = known(context)?;
    known.retain(|practice| practice.from.is_empty());
    let mut terms = touched(engine, plan);
    terms.extend(task.capability.clone());
    let suggestions = practices::suggested(&known, &terms, &practices::steps(plan));
    Ok(suggestions.into_iter().map(|suggestion| suggestion.practice).collect())
}

/// The project's practices and the shipped ones, with what the ledger's stories say of them, and those that these teach; and the
/// stories.
fn known(context: &Context) -> Result<(Vec<Practice>, Vec<story::Told>)> {
    let mut all = load::rules_here(&context.place, None)?.map(|book| practices::declared(&book)).unwrap_or_default();
    let shipped = load::own_book(std::collections::BTreeMap::from([(
        "shipped".to_owned(),
        Ok(std::sync::Arc::from(format!("module shipped\nuse {SHIPPED}\n"))),
    )]));
    let names: Vec<String> = all.iter().map(|practice| practice.name.clone()).collect();
    all.extend(practices::declared(&shipped).into_iter().filter(|practice| !names.contains(&practice.name)));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let ledger = match &context.place.repository {
        Ok(repository) => journal::recorded(repository)?,
        Err(_) => None,
    };
    let stories = ledger.as_ref().map(story::all).transpose()?.unwrap_or_default();
    let past = ledger.as_ref().map(Past::read).transpose()?.unwrap_or_default();
    let wrong = past.deployments.values().filter(|one| one.went_wrong()).filter_map(|one| one.said.story).collect();
    Ok((practices::learned(all, &stories, &wrong), stories))
}
