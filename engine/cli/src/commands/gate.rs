//! `gate`: whether this change may go. The plan is derived anew, and judged by the newest run of exactly this tree and by what
//! people signed; the answer is recorded.

use std::collections::BTreeMap;

use grace_engine::decide::{self, Agreed, BundleOutcome, Decision};
use grace_engine::trust::{self, Reading};
use grace_govern::agreement::{Counted, Uncounted};
use grace_govern::halts::Halt;
use grace_govern::holes;
use grace_govern::inputs::Gist;
use grace_govern::journal::{self, DecisionSaid, Event, Journal, Ran};
use grace_system::clock;
use schemars::JsonSchema;
use serde::Serialize;

use super::approve::{needs_a_base, refuse_suppositions};
use super::keeping::take_in;
use super::plan::engine;
use super::run::about;
use super::{Answer, Context};
use crate::args::ChangeArgs;
use crate::failure::{Failure, Result};
use crate::load::{Cache, Head, ledger, people};
use crate::screen;
use crate::screen::gate::Judged;

/// A decision as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct GateReport<'a> {
    schema: &'static str,
    version: u32,
    plan: &'a str,
    /// Digest of the tree that was decided about.
    tree: &'a str,
    /// The run that it is by.
    run: Option<&'a str>,
    #[serde(flatten)]
    decision: &'a Decision,
    /// How trust came about; absent where the rules count none.
    trust: Option<&'a Reading>,
    /// Approvals that count.
    approvals: &'a [Counted],
    /// Statements that do not.
    uncounted: &'a [Uncounted],
    /// Halts that stand.
    halts: &'a [Halt],
    /// What else holds every change back, or this one: a run without an end, a cycle that waits, a ledger that is gone.
    holds: &'a [String],
    /// What each bundle came to in that run, as far as it counts.
    outcomes: &'a BTreeMap<String, BundleOutcome>,
    /// What gives what is missing, to be carried out as it stands.
    commands: Vec<String>,
}

/// Which decisions are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Records {
    /// Each.
    Every,
    /// Those about a change: who stops without one is not told about.
    Changes,
    /// None: it was only asked.
    None,
}

/// A decision, for whoever asked.
pub(super) struct Decided {
    pub(super) answer: Answer,
    /// There is nothing to decide about.
    pub(super) is_empty: bool,
    /// The same for the same change and the same reasons.
    pub(super) gist: String,
}

pub(super) fn gate(context: &Context, args: &ChangeArgs) -> Result<Answer> {
    Ok(decided(context, args, Records::Every)?.answer)
}

pub(super) fn decided(context: &Context, args: &ChangeArgs, records: Records) -> Result<Decided> {
    refuse_suppositions(args, "a decision")?;
    needs_a_base(args)?;
    let repository = context.place.repository()?;
    // What decides believes no cache.
    let (engine, loaded) = engine(context, args, Cache::Unused)?;
    if loaded.head == Head::Supposed {
        return Err(Failure::new("input", "only a commit, what is staged, or the work tree can be decided about")
            .help("apply the diff first, or name a commit with --head"));
    }
    let plan = {
        let _working = context.progress.spinner("planning");
        engine.plan()
    };
    let is_empty = plan.change.files == 0 && loaded.problems.is_empty();
    let is_recorded = records == Records::Every || records == Records::Changes && !is_empty;
    let now = clock::now();
    let about = about(repository, &plan, &loaded)?;
    let recorded = journal::recorded(repository)?;
    let exported = loaded.head != Head::WorkTree;
    let ran = recorded.as_ref().map(|ledger| journal::run_of(ledger, &about, exported)).transpose()?.flatten();
    let (run, unfinished) = match ran {
        Some(Ran::Ended(run)) => (Some(*run), None),
        Some(Ran::Unfinished(run)) => (None, Some(run)),
        None => (None, None),
    };
    let outcomes = match (&recorded, &run) {
        (Some(ledger), Some(run)) => journal::outcomes(ledger, run, &plan)?,
        _ => BTreeMap::new(),
    };
    let trust = trust::count(loaded.books(), &plan, &outcomes, &loaded.past);
    let judge = |agreed: &Agreed| {
        let trust = trust.as_ref().map(Reading::trust).unwrap_or_default();
        decide::decide(&plan, &outcomes, &loaded.past, agreed, trust)
    };
    let asked = judge(&Agreed::default());
    let mut heard = people::heard(repository, &loaded, &plan, &asked, now)?;
    let (_, halts, uncounted) = people::halts(repository, &loaded, recorded.as_ref(), now)?;
    heard.agreed.objections.extend(halts.iter().map(Halt::objection));
    heard.uncounted.extend(uncounted);
    heard.agreed.holds.extend(ledger::lost(repository, recorded.as_ref())?);
    heard.agreed.holds.extend(unfinished.map(|run| format!("run {run} of this tree has not ended; run again")));
    heard.agreed.holds.extend(run.iter().flat_map(|run| holes::holds(&run.holes, &loaded.changed, &plan)));
    heard.agreed.holds.extend(people::cycles(repository, &loaded, recorded.as_ref(), now)?);
    let decision = judge(&heard.agreed);
    let run = run.map(|run| run.run);
    let counted = |one: &Counted| (one.envelope.clone(), one.by.clone(), one.r#as.clone());
    let said = DecisionSaid {
        about: about.clone(),
        policy: journal::policy_of(loaded.rules[0].as_ref()),
        inputs: loaded.inputs.clone(),
        gist: Gist::of(&plan),
        agreed: heard.agreed.clone(),
        answer: decision.answer,
        tier: decision.tier,
        reasons: decision.reasons.clone(),
        run: run.clone(),
        approvals: heard.approvals.iter().map(counted).collect(),
        trust: trust.clone(),
        as_of: now.to_string(),
    };
    let known = recorded.as_ref().map(|ledger| journal::decision_of(ledger, &about)).transpose()?;
    // Asked again, with the same answer under the rules that are in force already: once is enough.
    let in_force = recorded.as_ref().map(|ledger| ledger.get(ledger.len() - 1)).transpose()?;
    let is_in_force = in_force.and_then(|record| record.policy).is_none_or(|policy| policy.digest == said.policy);
    let is_known = known.flatten().is_some_and(|known| known.is_same(&said));
    let mut taken = None;
    if is_recorded && !(is_known && is_in_force) {
        let journal = Journal::open(repository, args.actor.as_deref())?;
        journal.append(&[Event::Decision(Box::new(said))])?;
        taken = Some(take_in(repository, &journal));
    }
    let code = u8::from(decision.answer != decide::Answer::Go);
    let reasons = decision.reasons.iter().map(|reason| reason.what.as_str());
    let gist = std::iter::once(plan.id.as_str()).chain(reasons).collect::<Vec<_>>().join("\n");
    let judged = Judged {
        plan: &plan,
        compared: &loaded.compared,
        named: &loaded.named,
        decision: &decision,
        heard: &heard,
        outcomes: &outcomes,
        run: run.as_deref(),
        trust: trust.as_ref(),
    };
    if context.is_json() {
        let report = GateReport {
            schema: "grace-rules/decision",
            version: 1,
            plan: &plan.id,
            tree: &about.tree,
            run: run.as_deref(),
            decision: &decision,
            trust: trust.as_ref(),
            approvals: &heard.approvals,
            uncounted: &heard.uncounted,
            halts: &halts,
            holds: &heard.agreed.holds,
            outcomes: &outcomes,
            commands: screen::gate::commands(&judged),
        };
        return Ok(Decided { answer: Answer::json(&report, code == 0)?, is_empty, gist });
    }
    let mut page = context.page();
    screen::gate::decision(&mut page, &judged);
    screen::notes::problems(&mut page, &loaded.problems);
    if let Some(taken) = taken {
        screen::run::taken_in(&mut page, taken.late.as_deref(), &taken.notices);
    }
    Ok(Decided { answer: Answer { text: page.finish(), code }, is_empty, gist })
}
