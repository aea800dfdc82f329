//! `audit replay`: what was planned and decided, derived again from the recorded commits, rules, facts and time.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

use grace_engine::Engine;
use grace_engine::decide;
use grace_engine::plan::Plan;
use grace_engine::trust::{self, Reading};
use grace_govern::inputs::{Gist, Inputs};
use grace_govern::journal::{self, About, DecisionSaid, PlanSaid, RunSaid};
use grace_govern::monitor::history::Past;
use grace_govern::private;
use grace_ledger::{Record, Snapshot};
use grace_system::git::GitError;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Answer, Context, rejudging};
use crate::args::{ChangeArgs, LedgerArgs};
use crate::failure::{Failure, INTERRUPTED, Result};
use crate::load::{self, Cache, Loaded, ledger};
use crate::screen;

/// Replayed records as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ReplayReport<'a> {
    schema: &'static str,
    version: u32,
    equal: usize,
    differ: usize,
    untold: usize,
    records: &'a [Replayed],
}

/// What a record came to when it was derived again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// The same.
    Equal,
    /// Something else.
    Differs,
    /// It cannot be told: an input is missing.
    Untold,
}

/// One replayed record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Replayed {
    /// The record.
    pub seq: u64,
    /// Its kind.
    pub kind: String,
    /// What it came to.
    pub came: Came,
    /// Which input or answer differs or is missing.
    pub what: Vec<String>,
    /// The program that wrote it, where it is not this one.
    pub engine: Option<String>,
}

pub(super) fn replay(context: &Context, seq: Option<u64>, rules: Option<&Path>, source: &LedgerArgs) -> Result<Answer> {
    let ledger = ledger::read(&context.place, source)?.ok_or_else(|| {
        Failure::new("ledger", "nothing is recorded here").help("grace-rules run and gate record what they do")
    })?;
    let replaying = Replaying { context, ledger: &ledger, rules, past: OnceCell::new() };
    let mut records = Vec::new();
    match seq {
        Some(seq) => {
            let record = ledger.get(seq)?;
            let one = replaying.record(&record)?.ok_or_else(|| {
                Failure::new("input", format!("record {seq} is a `{}`, and nothing was derived for it", record.kind))
                    .help("name a plan, a run, a decision, a story or a check: grace-rules audit show")
            })?;
            records.push(one);
        }
        None => {
            let spinner = context.progress.spinner("replaying");
            for seq in 0..ledger.len() {
                // One that cannot be read is told, and says nothing of the others.
                match ledger.get(seq) {
                    Ok(record) if matches!(record.kind.as_str(), "plan" | "decision" | "check") => {
                        records.extend(replaying.record_or_why(&record)?);
                    }
                    Ok(_) => {}
                    Err(error) => records.push(Replayed {
                        seq,
                        kind: "record".to_owned(),
                        came: Came::Untold,
                        what: vec![Failure::from(error).message],
                        engine: None,
                    }),
                }
                if context.cancel.is_cancelled() {
                    return Err(GitError::Cancelled.into());
                }
            }
            drop(spinner);
        }
    }
    let count = |came: Came| records.iter().filter(|one| one.came == came).count();
    let (equal, differ, untold) = (count(Came::Equal), count(Came::Differs), count(Came::Untold));
    let code = match (differ, untold) {
        (0, 0) => 0,
        (0, _) => 2,
        _ => 1,
    };
    if context.is_json() {
        let report =
            ReplayReport { schema: "grace-rules/replay", version: 1, equal, differ, untold, records: &records };
        return Ok(Answer { code, ..Answer::json(&report, true)? });
    }
    let mut page = context.page();
    screen::replay::replayed(&mut page, &records);
    Ok(Answer { text: page.finish(), code })
}

struct Replaying<'a> {
    context: &'a Context,
    ledger: &'a Snapshot,
    /// Stand for both rule books.
    rules: Option<&'a Path>,
    /// Deployments and what was judged after them, read once.
    past: OnceCell<std::result::Result<Past, String>>,
}

/// A plan that was derived again.
struct Again {
    plan: Plan,
    loaded: Loaded,
}

impl Replaying<'_> {
    /// As [`Self::record`]; what cannot be derived for a reason of its own cannot be told, and why.
    fn record_or_why(&self, record: &Record) -> Result<Option<Replayed>> {
        match self.record(record) {
            Err(failure) if failure.code != INTERRUPTED => {
                Ok(Some(replayed(record, Came::Untold, vec![failure.message])))
            }
            found => found,
        }
    }

    /// `None` where nothing was derived for the record.
    fn record(&self, record: &Record) -> Result<Option<Replayed>> {
        if private::is_redacted(self.ledger, record)? {
            return self.redacted(record).map(Some);
        }
        let body = private::body(self.ledger, record)?;
        let found = match record.kind.as_str() {
            "plan" => self.plan(&read(record, body)?)?,
            "decision" => self.decision(&read(record, body)?)?,
            "check" => {
                let past = self.past.get_or_init(|| Past::read(self.ledger).map_err(|error| error.to_string()));
                let said = read(record, body)?;
                past.as_ref().map_err(Clone::clone).and_then(|past| rejudging::check(past, &said))
            }
            // What was derived for a run stands in its plan.
            "run" | "story" => {
                match journal::of_run(self.ledger, body.get("run").and_then(Value::as_str).unwrap_or_default(), "plan")?
                {
                    Some((plan, _)) if private::is_redacted(self.ledger, &plan)? => return self.record(&plan),
                    Some((plan, body)) => self.plan(&read(&plan, body)?)?,
                    None => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        let (came, what) = match found {
            Ok(what) if what.is_empty() => (Came::Equal, what),
            Ok(what) => (Came::Differs, what),
            Err(missing) => (Came::Untold, vec![missing]),
        };
        Ok(Some(replayed(record, came, what)))
    }

    fn plan(&self, said: &PlanSaid) -> Result<Told> {
        let Ok(recorded) = serde_json::from_str::<Plan>(&said.json) else {
            return Ok(Err("the recorded plan is of a form that this version does not read".to_owned()));
        };
        let again = match self.again(&said.about, &said.inputs)? {
            Ok(again) => again,
            Err(missing) => return Ok(Err(missing)),
        };
        let mut what = inputs_that_differ(&said.about, &again, recorded.change.files > 0);
        what.extend(Gist::of(&recorded).differences(&Gist::of(&again.plan)));
        Ok(Ok(what))
    }

    fn decision(&self, said: &DecisionSaid) -> Result<Told> {
        let again = match self.again(&said.about, &said.inputs)? {
            Ok(again) => again,
            Err(missing) => return Ok(Err(missing)),
        };
        let plan = &again.plan;
        let mut what = inputs_that_differ(&said.about, &again, true);
        what.extend(said.gist.differences(&Gist::of(plan)));
        let outcomes = match &said.run {
            None => BTreeMap::new(),
            Some(run) => match journal::of_run(self.ledger, run, "run")? {
                Some((record, body)) => {
                    let ran: RunSaid = read(&record, body)?;
                    if (&ran.about.tree, &ran.about.diff, &ran.about.rules)
                        != (&said.about.tree, &said.about.diff, &said.about.rules)
                    {
                        what.push(format!("run {run}, which it is by, is of another tree"));
                    }
                    journal::outcomes(self.ledger, &ran, plan)?
                }
                None => return Ok(Err(format!("run {run}, which it is by, is not in the ledger"))),
            },
        };
        let past = &again.loaded.past;
        let trust = trust::count(again.loaded.books(), plan, &outcomes, past);
        let counted = trust.as_ref().map(Reading::trust).unwrap_or_default();
        let decision = decide::decide(plan, &outcomes, past, &said.agreed, counted);
        if decision.answer != said.answer {
            what.push(format!("the answer: {:?}, now {:?}", said.answer, decision.answer).to_lowercase());
        } else if (decision.tier, &decision.reasons, &trust) != (said.tier, &said.reasons, &said.trust) {
            what.push("the reasons of the decision".to_owned());
        }
        Ok(Ok(what))
    }

    /// What can be held of a record whose texts are gone: that a record tells of it, the change, and the rules.
    fn redacted(&self, record: &Record) -> Result<Replayed> {
        if !private::is_told(self.ledger, record)? {
            let what = "texts that it was derived from are missing, and no record tells of it".to_owned();
            return Ok(replayed(record, Came::Differs, vec![what]));
        }
        let body = self.ledger.body(record)?;
        let subject = match record.kind.as_str() {
            "plan" => Some(read::<PlanSaid>(record, body).map(|said| (said.about, said.inputs))?),
            "decision" => Some(read::<DecisionSaid>(record, body).map(|said| (said.about, said.inputs))?),
            _ => None,
        };
        if let Some((about, inputs)) = subject
            && let Ok(again) = self.again(&about, &inputs)?
        {
            let what = inputs_that_differ(&about, &again, true);
            if !what.is_empty() {
                return Ok(replayed(record, Came::Differs, what));
            }
        }
        let what =
            "redacted: texts that it was derived from were deleted; the change and the rules are the same".to_owned();
        Ok(replayed(record, Came::Untold, vec![what]))
    }

    /// The plan again, of what was recorded; else which input is missing.
    fn again(&self, about: &About, inputs: &Inputs) -> Result<std::result::Result<Again, String>> {
        let (Some(base), Some(head)) = (&about.base, &about.head) else {
            return Ok(Err("the tree was not a commit: what was not committed is kept nowhere".to_owned()));
        };
        let repository = self.context.place.repository()?;
        for commit in [base, head] {
            match repository.resolve(commit) {
                Ok(_) => {}
                Err(error @ (GitError::Cancelled | GitError::TimedOut { .. })) => return Err(error.into()),
                Err(_) => {
                    return Ok(Err(format!("commit {} is not in this clone", commit.get(..10).unwrap_or(commit))));
                }
            }
        }
        let as_of = Timestamp::from_second(inputs.as_of).map_err(|error| Failure::new("ledger", error))?;
        let args = ChangeArgs {
            base: Some(base.clone()),
            head: Some(head.clone()),
            as_of: Some(as_of.to_string()),
            rules: self.rules.map(Path::to_path_buf),
            ..ChangeArgs::default()
        };
        // Who replays believes no cache.
        let mut loaded = load::load(&self.context.place, &args, Cache::Unused, &self.context.progress)?;
        inputs.put(&mut loaded.input);
        loaded.past = std::sync::Arc::new(loaded.input.past.clone());
        let mut engine = Engine::new(std::sync::Arc::clone(&loaded.memory.store));
        engine.update(std::mem::take(&mut loaded.input));
        if inputs.reach != loaded.inputs.reach {
            return Ok(
                Err("the record of what tests enter, by which it was narrowed, is not here any more".to_owned()),
            );
        }
        Ok(Ok(Again { plan: engine.plan(), loaded }))
    }
}

fn replayed(record: &Record, came: Came, what: Vec<String>) -> Replayed {
    let engine = concat!("grace-rules ", env!("CARGO_PKG_VERSION"));
    let engine = (record.engine != engine).then(|| record.engine.clone());
    Replayed { seq: record.seq, kind: record.kind.clone(), came, what, engine }
}

/// What differs, or the input that is missing.
type Told = std::result::Result<Vec<String>, String>;

fn read<T: serde::de::DeserializeOwned>(record: &Record, body: Value) -> Result<T> {
    serde_json::from_value(body).map_err(|_| {
        Failure::new("ledger", format!("record {} is of a form that this version does not read", record.seq))
            .help(format!("{} wrote it", record.engine))
    })
}

/// Which inputs are not what they were.
fn inputs_that_differ(about: &About, again: &Again, has_change: bool) -> Vec<String> {
    let mut what = Vec::new();
    if about.diff != again.plan.subject.diff && has_change {
        what.push("the change: what the commits hold, or how it is read".to_owned());
    }
    if about.rules != again.plan.subject.rules {
        what.push("the rules: those that were named, or the shipped packs".to_owned());
    }
    what
}
