//! `plan`: what must happen for a change, and why.

use grace_engine::Engine;
use grace_engine::decide::{self, Agreed, Decision, Trust};
use grace_engine::plan::Plan;
use grace_govern::agreement::{Counted, Heard, Uncounted};
use grace_system::clock;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Context};
use crate::args::ChangeArgs;
use crate::failure::Result;
use crate::load::estimate::Estimate;
use crate::load::{self, Cache, Head, Loaded};
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
    /// What people signed about this change; absent where nobody is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<SignedReport>,
}

/// What people signed about a change.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SignedReport {
    /// Approvals that count.
    approvals: Vec<Counted>,
    /// Statements that do not.
    uncounted: Vec<Uncounted>,
    /// Approvals that are missing, those that may be asked for after the run among them.
    missing: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct ProblemReport<'a> {
    path: &'a str,
    message: &'a str,
}

impl<'a> PlanReport<'a> {
    pub(super) fn new(plan: &'a Plan, loaded: &'a Loaded, estimate: Option<Estimate>) -> Self {
        let problems = loaded.problems.iter().map(|p| ProblemReport { path: &p.path, message: &p.message }).collect();
        Self { plan, compared: &loaded.compared, problems, estimate, signed: None }
    }

    /// With what people signed.
    pub(super) fn signed(self, signed: Option<Signed>) -> Self {
        let report = |signed: Signed| SignedReport {
            approvals: signed.heard.approvals,
            uncounted: signed.heard.uncounted,
            missing: signed.decision.missing_approvals,
        };
        Self { signed: signed.map(report), ..self }
    }
}

pub(super) fn plan(context: &Context, args: &ChangeArgs) -> Result<Answer> {
    let (plan, loaded) = derive(context, args, Cache::unless(args.no_cache))?;
    let yes = plan.denials.is_empty();
    // A denied change is not run.
    let repository = context.place.repository.as_ref().ok().filter(|_| yes && !plan.bundles.is_empty());
    let estimate = repository
        .and_then(|repository| load::estimate::of(repository, &loaded.memory, &plan, super::carrying::at_once()));
    let signed = Signed::of(context, &plan, &loaded)?;
    if context.is_json() {
        return Answer::json(&PlanReport::new(&plan, &loaded, estimate).signed(signed), yes);
    }
    let mut page = context.page();
    screen::plan::plan(&mut page, &plan, &loaded.compared, estimate);
    if let Some(signed) = &signed {
        signed.show(&mut page, &plan, &loaded.named);
    }
    screen::notes::problems(&mut page, &loaded.problems);
    if plan.change.files == 0 && *args == (ChangeArgs { no_cache: args.no_cache, ..ChangeArgs::default() }) {
        page.gap();
        page.line(0, if has_parent(context)? { "the last commit: grace-rules plan --base HEAD~1" } else { FIRST });
    } else {
        screen::notes::next(&mut page, &plan);
    }
    Ok(Answer { text: page.finish(), code: u8::from(!yes) })
}

/// What people signed about a change that asks for approval, and what that comes to before any run.
pub(super) struct Signed {
    heard: Heard,
    decision: Decision,
}

impl Signed {
    /// `None` where nobody is asked.
    pub(super) fn of(context: &Context, plan: &Plan, loaded: &Loaded) -> Result<Option<Self>> {
        let asks = !plan.approvals.is_empty() && plan.denials.is_empty() && loaded.head != Head::Supposed;
        let Some(repository) = context.place.repository.as_ref().ok().filter(|_| asks) else { return Ok(None) };
        let judge = |agreed: &Agreed| decide::decide(plan, &Default::default(), &loaded.past, agreed, Trust::default());
        let heard = load::people::heard(repository, loaded, plan, &judge(&Agreed::default()), clock::now())?;
        let decision = judge(&heard.agreed);
        Ok(Some(Self { heard, decision }))
    }

    pub(super) fn show(&self, page: &mut screen::Page, plan: &Plan, named: &str) {
        page.gap();
        screen::approvals::heard(page, &self.heard);
        screen::approvals::missing(page, &plan.id, named, &self.decision);
    }
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
fn derive(context: &Context, args: &ChangeArgs, cache: Cache) -> Result<(Plan, Loaded)> {
    let mut loaded = load::load(&context.place, args, cache, &context.progress)?;
    let working = context.progress.spinner("planning");
    let key = loaded.memory.plan_key(&loaded.input);
    let known = key.as_ref().and_then(|key| loaded.memory.plan(key, loaded.input.as_of));
    if let Some(plan) = known.filter(|_| !loaded.memory.store.has_lost()) {
        loaded.memory.keep();
        return Ok((plan, loaded));
    }
    let engine = engine_of(&mut loaded);
    let plan = loaded.memory.kept_while(|| engine.plan());
    if cache == Cache::Used && loaded.memory.store.has_lost() {
        drop(working);
        return derive(context, args, Cache::Checked);
    }
    if let Some(key) = key {
        loaded.memory.keep_plan(&key, &plan);
    }
    // The command ends soon, and taking two graphs apart takes longer than telling what hangs on them.
    std::mem::forget(engine);
    Ok((plan, loaded))
}

/// An engine that holds the change.
pub(super) fn engine(context: &Context, args: &ChangeArgs, cache: Cache) -> Result<(Engine, Loaded)> {
    let mut loaded = load::load(&context.place, args, cache, &context.progress)?;
    Ok((engine_of(&mut loaded), loaded))
}

fn engine_of(loaded: &mut Loaded) -> Engine {
    let mut engine = Engine::new(std::sync::Arc::clone(&loaded.memory.store));
    engine.update(std::mem::take(&mut loaded.input));
    engine
}
