//! `cost`: what changing something would ask for, before anybody changes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use grace_engine::Engine;
use grace_engine::cost::parts_named;
use grace_engine::plan::{Derivation, Plan, Side, TierApprove};
use grace_graph::change::Change;
use grace_hook::costs::{self, Cost};
use grace_system::files;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Context, carrying};
use crate::args::agents::CostArgs;
use crate::args::{ChangeArgs, GraphArgs};
use crate::failure::{Failure, Result};
use crate::load::estimate::{self, Estimate};
use crate::load::{self, Cache, Loaded};
use crate::screen;

/// What changing something would ask for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CostReport {
    schema: &'static str,
    version: u32,
    /// What was asked about.
    pub(crate) what: String,
    /// Parts of the code that it stands for: each is taken to have another body.
    pub(crate) parts: usize,
    /// 1 to 3.
    pub(crate) tier: u8,
    /// How a change of this tier is let through.
    pub(crate) approve: TierApprove,
    /// What puts it there.
    pub(crate) because: Vec<Because>,
    /// Who must agree.
    pub(crate) approvals: Vec<String>,
    /// Bundles to run.
    pub(crate) bundles: Vec<BundleCost>,
    /// Validations of models to run.
    pub(crate) validations: Vec<String>,
    /// What the change has to bring along: `ticket "HOT-*"`, `rationale`.
    pub(crate) duties: Vec<String>,
    /// Rules that would deny it.
    pub(crate) denials: Vec<String>,
    /// What could not be told.
    pub(crate) unknowns: Vec<String>,
    /// About how long the bundles will take; absent where none was run before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) estimate: Option<Estimate>,
}

/// A rule with its reason.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Because {
    /// The rule, as `explain rule NAME` takes it.
    pub(crate) rule: String,
    /// Its file.
    pub(crate) file: String,
    /// Its line.
    pub(crate) line: u32,
    /// Its own words.
    pub(crate) because: String,
}

/// A bundle to run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BundleCost {
    /// Its name.
    pub(crate) name: String,
    /// It must pass before a deployment.
    pub(crate) critical: bool,
    /// Tests of it that run.
    pub(crate) tests: usize,
}

pub(super) fn cost(context: &Context, args: &CostArgs) -> Result<Answer> {
    let report = report(context, &args.what, Cache::checked_unless(args.no_cache))?;
    if context.is_json() {
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    screen::cost::cost(&mut page, &report);
    Ok(Answer::yes(page.finish()))
}

/// What changing something would ask for. Where it is denied, that is an answer, too.
///
/// # Errors
/// When nothing has this name, or the tree cannot be read.
pub(crate) fn report(context: &Context, what: &str, cache: Cache) -> Result<CostReport> {
    let (mut engine, loaded) = unchanged(context, cache)?;
    report_of(context, what, &mut engine, &loaded)
}

/// As [`report`], by what [`unchanged`] gave.
///
/// # Errors
/// When nothing has this name.
pub(super) fn report_of(context: &Context, what: &str, engine: &mut Engine, loaded: &Loaded) -> Result<CostReport> {
    let _working = context.progress.spinner("planning");
    let graph = engine.graph(Side::After);
    let inside = grace_system::names::relative(&context.place.root, &context.place.absolute(what.as_ref()));
    let path = inside.map(|(path, _)| path).filter(|path| !path.is_empty());
    let parts = path.map(|path| parts_named(&graph, &path)).filter(|parts| !parts.is_empty());
    let parts = parts.unwrap_or_else(|| parts_named(&graph, what));
    if parts.is_empty() {
        return Err(Failure::new("input", format!("nothing is called `{}`", what.escape_debug()))
            .help("name a file or a directory that is there, or a dotted name or the end of one"));
    }
    let plan = loaded.memory.kept_while(|| engine.plan_if(&parts));
    let repository = context.place.repository.as_ref().ok();
    let estimate =
        repository.and_then(|repository| estimate::of(repository, &loaded.memory, &plan, carrying::at_once()));
    Ok(of_plan(what, parts.len(), &plan, estimate))
}

fn of_plan(what: &str, parts: usize, plan: &Plan, estimate: Option<Estimate>) -> CostReport {
    let because = |reason: &Derivation| Because {
        rule: reason.rule.clone(),
        file: reason.file.clone(),
        line: reason.line,
        because: reason.because.clone(),
    };
    let bundles = plan.bundles.iter().map(|bundle| BundleCost {
        name: bundle.name.clone(),
        critical: bundle.critical,
        tests: if bundle.narrowed { bundle.selected.len() } else { bundle.tests.len() },
    });
    CostReport {
        schema: "grace-rules/cost",
        version: 1,
        what: what.to_owned(),
        parts,
        tier: plan.tier,
        approve: plan.approve.clone(),
        because: plan.tier_derivation.iter().map(because).collect(),
        approvals: plan.approvals.iter().map(|approval| approval.name.clone()).collect(),
        bundles: bundles.collect(),
        validations: plan.validations.iter().map(|validation| validation.name.clone()).collect(),
        duties: plan.duties.iter().map(|duty| duty.name.clone()).collect(),
        denials: plan.denials.iter().map(|denial| denial.name.clone()).collect(),
        unknowns: plan.unknowns.iter().map(|unknown| unknown.name.clone()).collect(),
        estimate,
    }
}

/// Writes the table that hooks look costs up in.
///
/// # Errors
/// When the tree cannot be read or the table not be written.
pub(crate) fn keep_table(context: &Context) -> Result<()> {
    let common = context.place.repository()?.common_dir().join("grace");
    let (mut engine, _) = unchanged(context, Cache::Checked)?;
    let costs: BTreeMap<String, Cost> = engine
        .costs()
        .into_iter()
        .map(|(path, cost)| {
            let (approvals, rules) = (cost.approvals.into_iter().collect(), cost.rules.into_iter().collect());
            (path, Cost { tier: cost.tier, approvals, rules })
        })
        .collect();
    files::create_dirs(&common)?;
    Ok(files::replace_unsynced(&common.join(costs::NAME), costs::written(&costs).as_bytes())?)
}

/// An engine that holds the tree as it is on both sides, and the rules of base and tree.
pub(super) fn unchanged(context: &Context, cache: Cache) -> Result<(Engine, Loaded)> {
    let no_cache = cache == Cache::Unused;
    let mut loaded = match &context.place.repository {
        Ok(_) => {
            load::load(&context.place, &ChangeArgs { no_cache, ..ChangeArgs::default() }, cache, &context.progress)?
        }
        Err(_) => load::load_tree(&context.place, &GraphArgs { no_cache, ..GraphArgs::default() }, &context.progress)?,
    };
    let mut input = std::mem::take(&mut loaded.input);
    input.before = input.after.clone();
    input.change = Change::default();
    let mut engine = Engine::new(Arc::clone(&loaded.memory.store));
    engine.update(input);
    Ok((engine, loaded))
}
