//! `plan`: what must happen for a change, and why.

use grace_engine::Engine;
use grace_engine::plan::Plan;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Context};
use crate::args::ChangeArgs;
use crate::failure::Result;
use crate::load::estimate::Estimate;
use crate::load::{self, Cache, Loaded};
use crate::screen;

/// A plan with what was compared: more keys than the engine's own, none less.
#[derive(Serialize, JsonSchema)]
pub(super) struct PlanReport<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    /// What was compared, in words.
    compared: &'a str,
    /// What could not be read or listed.
    problems: Vec<ProblemReport<'a>>,
    /// About how long the bundles will take, from runs of the past; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<Estimate>,
}

#[derive(Serialize, JsonSchema)]
struct ProblemReport<'a> {
    path: &'a str,
    message: &'a str,
}

impl<'a> PlanReport<'a> {
    pub(super) fn new(plan: &'a Plan, loaded: &'a Loaded, estimate: Option<Estimate>) -> Self {
        let problems = loaded.problems.iter().map(|p| ProblemReport { path: &p.path, message: &p.message }).collect();
        Self { plan, compared: &loaded.compared, problems, estimate }
    }
}

pub(super) fn plan(context: &Context, args: &ChangeArgs) -> Result<Answer> {
    let (plan, loaded) = derive(context, args, Cache::unless(args.no_cache))?;
    let yes = plan.denials.is_empty();
    // A denied change is not run.
    let repository = context.place.repository.as_ref().ok().filter(|_| yes && !plan.bundles.is_empty());
    let estimate = repository.and_then(|repository| load::estimate::of(repository, &plan, super::run::at_once()));
    if context.is_json() {
        return Answer::json(&PlanReport::new(&plan, &loaded, estimate), yes);
    }
    let mut page = context.page();
    screen::plan::plan(&mut page, &plan, &loaded.compared, estimate);
    screen::notes::problems(&mut page, &loaded.problems);
    if plan.change.files == 0 && *args == (ChangeArgs { no_cache: args.no_cache, ..ChangeArgs::default() }) {
        page.gap();
        page.line(0, if has_parent(context)? { "the last commit: grace-rules plan --base HEAD~1" } else { FIRST });
    } else {
        screen::notes::next(&mut page, &plan);
    }
    Ok(Answer { text: page.finish(), code: u8::from(!yes) })
}

/// What to do where there is nothing to compare.
const FIRST: &str = "change something, then: grace-rules plan";

/// Whether the commit that is checked out has one before it.
fn has_parent(context: &Context) -> Result<bool> {
    let repository = context.place.repository()?;
    Ok(match repository.head()? {
        Some(head) => !repository.commit(head)?.parents.is_empty(),
        None => false,
    })
}

/// The plan of a change, and what was loaded for it.
pub(super) fn derive(context: &Context, args: &ChangeArgs, cache: Cache) -> Result<(Plan, Loaded)> {
    let (engine, loaded) = engine(context, args, cache)?;
    let working = context.progress.spinner("planning");
    let plan = loaded.memory.kept_while(|| engine.plan());
    if cache == Cache::Used && loaded.memory.store.has_lost() {
        drop(working);
        return derive(context, args, Cache::Checked);
    }
    Ok((plan, loaded))
}

/// An engine that holds the change.
pub(super) fn engine(context: &Context, args: &ChangeArgs, cache: Cache) -> Result<(Engine, Loaded)> {
    let mut loaded = load::load(&context.place, args, cache, &context.progress)?;
    let mut engine = Engine::new(std::sync::Arc::clone(&loaded.memory.store));
    engine.update(std::mem::take(&mut loaded.input));
    Ok((engine, loaded))
}
