//! `run`: carries out a plan's bundles and keeps what happened. Each bundle's outcome is on disk before it is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use grace_engine::decide::{self, Agreed, Decision};
use grace_engine::plan::Plan;
use grace_engine::trust::{self, Reading};
use grace_govern::agreement::Heard;
use grace_govern::cycle::{Loop, Since};
use grace_govern::holes::{self, Hole};
use grace_govern::journal::{self, About, Event as Said, Journal, PlanSaid, RunSaid};
use grace_govern::story;
use grace_runner::{BundleOutcome, BundleStatus};
use grace_system::clock;
use grace_system::files::FileError;
use grace_system::git::{GitError, Repository};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::auditing::{Acted, signs};
use super::carrying::{self, Carried, Carrying, Tree, Workplace};
use super::keeping::{Keeper, take_in};
use super::observing::{Observed, ObservedBundle};
use super::plan::{PlanReport, engine};
use super::recording::{Before, RecordedBundle, Recording};
use super::rerunning::{self, Rerun};
use super::validating::{self, Validated, Validating};
use super::{Answer, Context};
use crate::args::{ChangeArgs, RunArgs};
use crate::failure::{Failure, Result};
use crate::load::{self, Cache, Head, Loaded, failed, people, reach, told};
use crate::screen;

/// A run as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RunReport<'a> {
    schema: &'static str,
    version: u32,
    run: &'a str,
    plan: &'a str,
    tier: u8,
    passed: bool,
    bundles: &'a [BundleOutcome],
    after_run: &'a [(String, grace_engine::plan::Truth)],
    decision: &'a Decision,
    stored: bool,
    /// Of bundles that ran whole because their tier observes: what leaving tests out would have come to.
    observed: Vec<ObservedBundle>,
    /// With `--record`: what was recorded of each bundle.
    recorded: &'a [RecordedBundle],
    /// With `--reruns`: what had failed, run again in the same tree.
    reruns: &'a [Rerun],
    /// Validations of models that the plan asks for.
    validations: &'a [Validated],
    notices: Vec<String>,
}

pub(super) fn run(context: &Context, run: &RunArgs) -> Result<Answer> {
    let args = &run.change;
    let repository = runnable(context, args)?;
    // A plan that is acted upon believes no cache.
    let (engine, loaded) = engine(context, args, Cache::Unused)?;
    let planned = {
        let _working = context.progress.spinner("planning");
        engine.plan()
    };
    let is_denied = !planned.denials.is_empty();
    let every = if run.all && !is_denied { engine.every_bundle() } else { Vec::new() };
    // Where a tier observes, what is narrowed runs whole, and what that would have missed is recorded.
    let observed = Observed::of(&planned, &engine);
    let validating = Validating::of(context, &planned, &loaded)?;
    // From here on there are things to bring to an end: a tree written out, children, records.
    let workplace = Workplace::open(context)?;
    let begun = Begun::new(context, repository, &loaded, (&planned, engine.exceptions()), args.actor.as_deref())?;
    let recording = run.record.then(|| Recording::of(reach::digests(&context.place.root, repository, &loaded.after)));
    let mut plan = planned.clone();
    let mut carried = Carried::default();
    let mut decision = begun.judge(&plan, &carried, &Agreed::default()).0;
    let mut tree: Option<Tree> = None;
    let mut ran = Vec::new();
    // A plan that a rule denies runs nothing; that it was asked for is recorded.
    if !is_denied {
        let mut to_run = observed.whole(&plan.bundles);
        to_run.retain(|bundle| !every.iter().any(|whole| whole.name == bundle.name));
        to_run.extend(every);
        // What rules ask for after the run is run as well, until they ask for no more.
        loop {
            if !to_run.is_empty() {
                let tree = match &tree {
                    Some(tree) => tree,
                    None => tree.insert(carrying::tree(repository, &context.place.root, workplace.path(), &loaded)?),
                };
                let carrying = begun.carrying(context, &observed, recording.as_ref(), &tree.path, workplace.path());
                carrying.round(&to_run, &mut carried);
                ran.extend(to_run.iter().cloned());
            }
            decision = begun.judge(&plan, &carried, &Agreed::default()).0;
            to_run = observed.whole(&plan.after_run_bundles);
            to_run.retain(|bundle| decision.still_to_run.contains(&bundle.name));
            if to_run.is_empty() || carried.is_cancelled() {
                break;
            }
            plan.bundles.retain(|bundle| !to_run.iter().any(|more| more.name == bundle.name));
            plan.bundles.extend(to_run.iter().cloned());
        }
        carried.validated = validating.run(context, (&plan, &loaded), (&begun.id, &begun.about), &begun.keeper);
        carried.outcomes.extend(validating::outcomes(&carried.validated));
        decision = begun.judge(&plan, &carried, &Agreed::default()).0;
    }
    // Whatever it comes to, the outcomes above stand.
    let reruns = match &tree {
        Some(tree) => {
            let carrying = begun.carrying(context, &observed, None, &tree.path, workplace.path());
            rerunning::again(&carrying, &ran, &carried, run.reruns)
        }
        None => Vec::new(),
    };
    let recorded = recording.as_ref().zip(tree.as_ref()).map_or_else(Vec::new, |(recording, tree)| {
        let before = Before { past: &loaded.past.reach, holds: &engine.still_recorded() };
        recording.keep(&tree.path, repository, &loaded.memory.store, &begun.id, &before)
    });
    let holes = tree.map(|tree| tree.holes).unwrap_or_default();
    let reach = recorded.iter().filter_map(|bundle| bundle.sum.clone()).collect();
    let (decision, unknown) = begun.end(context, &plan, &carried, decision, (&holes, reach))?;
    let keeper = begun.keeper.lock().unwrap_or_else(PoisonError::into_inner);
    let mut taken = take_in(repository, &keeper.journal);
    taken.notices.extend(holes::told(&holes));
    taken.notices.extend(unknown.map(|error| format!("the next plan does not know of what failed: {error}")));
    taken.notices.extend(due(&loaded, &keeper.journal)?);
    let end = End::of(&carried.bundles, &decision);
    if context.is_json() {
        let report = RunReport {
            schema: "grace-rules/run",
            version: 1,
            run: &begun.id,
            plan: &planned.id,
            tier: decision.tier,
            passed: end == End::Passed,
            bundles: &carried.bundles,
            after_run: &decision.after_run,
            decision: &decision,
            stored: taken.late.is_none(),
            observed: observed.seen(),
            recorded: &recorded,
            reruns: &reruns,
            validations: &carried.validated,
            notices: taken.notices,
        };
        return Ok(Answer { code: end.code(), ..Answer::json(&report, true)? });
    }
    let mut page = context.page();
    if carried.bundles.is_empty() {
        screen::run::nothing(&mut page, &planned, &decision);
    } else {
        screen::run::summary(&mut page, &planned, &carried.bundles, &decision);
        screen::run::observed(&mut page, &observed.seen());
        screen::run::recorded(&mut page, &recorded);
        screen::run::reruns(&mut page, &reruns);
    }
    screen::run::validated(&mut page, &carried.validated);
    screen::run::taken_in(&mut page, taken.late.as_deref(), &taken.notices);
    Ok(Answer { text: page.finish(), code: end.code() })
}

/// That a cycle of the audit loop is due, by the rules before the change.
fn due(loaded: &Loaded, journal: &Journal) -> Result<Option<String>> {
    let Some(audit) = loaded.rules[0].as_ref().and_then(Loop::of) else { return Ok(None) };
    let since = Since::read(&journal.read()?, &audit)?;
    Ok(since.due(&audit))
}

/// The repository to run in. What supposes something runs nothing.
fn runnable<'c>(context: &'c Context, args: &ChangeArgs) -> Result<&'c Repository> {
    if args.rules.is_some() {
        return Err(Failure::new(
            "input",
            "`run` takes no `--rules`: what is run is decided by the rules of this change",
        )
        .help("try rules out with: grace-rules plan --rules DIR"));
    }
    if args.as_of.is_some() {
        return Err(Failure::new("input", "`run` takes no `--as-of`: what is run is judged by today's date")
            .help("see what another day would ask with: grace-rules plan --as-of DATE"));
    }
    if args.diff.is_some() || !args.files.is_empty() {
        return Err(Failure::new("input", "`run` needs a tree to run in: the work tree, what is staged, or a commit")
            .help("apply the diff first, or name a commit with --head"));
    }
    // What stands in for a repository elsewhere, `run` does not take.
    context.place.repository().map_err(|failure| match context.place.repository {
        Err(GitError::NotARepository { .. }) => failure.help("run inside a repository; git init makes one"),
        Err(GitError::NoGit) => failure.help("install git"),
        _ => failure,
    })
}

/// A run that has begun: its plan is recorded, and nothing is started that could not be.
struct Begun<'a> {
    repository: &'a Repository,
    loaded: &'a Loaded,
    id: String,
    about: About,
    started: Timestamp,
    keeper: Arc<Mutex<Keeper>>,
}

impl<'a> Begun<'a> {
    fn new(
        context: &Context,
        repository: &'a Repository,
        loaded: &'a Loaded,
        (plan, permits): (&Plan, BTreeMap<String, u64>),
        actor: Option<&str>,
    ) -> Result<Self> {
        let started = clock::now();
        let id = journal::run_id(started);
        let journal = Journal::open(repository, actor)?;
        let about = about(repository, plan, loaded)?;
        let json =
            serde_json::to_string(&PlanReport::new(plan, loaded, None)).map_err(|error| Failure::new("bug", error))?;
        let planned = PlanSaid { run: id.clone(), about: about.clone(), inputs: loaded.inputs.clone(), json, permits };
        journal.append(&[Said::Plan(planned)])?;
        let keeper = Arc::new(Mutex::new(Keeper { journal, cancel: context.cancel.clone(), failure: None }));
        Ok(Self { repository, loaded, id, about, started, keeper })
    }

    fn carrying<'b>(
        &'b self,
        context: &'b Context,
        observed: &'b Observed,
        recording: Option<&'b Arc<Recording>>,
        tree: &'b Path,
        scratch: &'b Path,
    ) -> Carrying<'b> {
        Carrying {
            context,
            run: &self.id,
            about: &self.about,
            keeper: &self.keeper,
            observed,
            recording,
            tree,
            scratch,
        }
    }

    fn judge(&self, plan: &Plan, carried: &Carried, agreed: &Agreed) -> (Decision, Option<Reading>) {
        let past = &self.loaded.past;
        let trust = trust::count(self.loaded.books(), plan, &carried.outcomes, past);
        let counted = trust.as_ref().map(Reading::trust).unwrap_or_default();
        (decide::decide(plan, &carried.outcomes, past, agreed, counted), trust)
    }

    /// Records the end, the story and the action; the decision with what people said.
    fn end(
        &self,
        context: &Context,
        plan: &Plan,
        carried: &Carried,
        decision: Decision,
        (holes, reach): (&[Hole], BTreeSet<String>),
    ) -> Result<(Decision, Option<FileError>)> {
        let Self { repository, loaded, about, .. } = self;
        let mut heard = Heard::default();
        let mut commits = Vec::new();
        // What git cannot say now is said at the end: what was run is recorded first. Once it was interrupted, git answers no more.
        let mut unheard = None;
        if !context.cancel.is_cancelled() {
            match people::commits(repository, loaded.head, loaded.base) {
                Ok(found) => commits = found,
                Err(failure) => unheard = Some(failure),
            }
            if !decision.asked.is_empty() {
                match people::heard(repository, loaded, plan, &decision, clock::now()) {
                    Ok(found) => heard = found,
                    Err(failure) => unheard = Some(failure),
                }
            }
        }
        let (decision, trust) = self.judge(plan, carried, &heard.agreed);
        let end = End::of(&carried.bundles, &decision);
        let finished = clock::now();
        let authorship = match unheard {
            None if !context.cancel.is_cancelled() => people::authors(repository, loaded, finished).ok(),
            _ => None,
        };
        let signs = signs(&loaded.change);
        let facts = story::Facts {
            run: &self.id,
            about,
            plan,
            decision: &decision,
            bundles: &carried
                .bundles
                .iter()
                .map(in_words)
                .chain(carried.validated.iter().map(Validated::in_words))
                .collect::<Vec<_>>(),
            approvals: &heard.approvals,
            files: &loaded.changed,
            commits: &commits,
            at: &finished.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            compared: &loaded.compared,
            trust: trust.as_ref(),
            people: authorship.as_ref().map_or(&[], |found| found.who.as_slice()),
            signs: signs.as_deref(),
        };
        let told = story::tell(&facts, &told::all(&loaded.given, &commits));
        // What ran in a tree that changed meanwhile was no run of it.
        let is_same_tree = loaded.head != Head::WorkTree
            || load::tree::digest(repository, &loaded.after).is_ok_and(|now| now == about.tree);
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = if is_same_tree { carried.ended() } else { Vec::new() };
        let failed = failed::after(&keeper.journal.read()?, &self.id, &ended)?;
        let ran = RunSaid {
            run: self.id.clone(),
            exported: loaded.head != Head::WorkTree,
            about: about.clone(),
            started: self.started.to_string(),
            finished: finished.to_string(),
            end: end.word().to_owned(),
            tier: decision.tier,
            trust,
            bundles: if is_same_tree { carried.ran() } else { BTreeMap::new() },
            failed: failed.clone(),
            reach,
            holes: holes.to_vec(),
        };
        let acted = Acted {
            run: &self.id,
            about,
            loaded,
            plan,
            carried,
            intents: &decision.intents,
            models: told.fields.get("models").map(|field| field.value.entries()).unwrap_or_default(),
            end: end.word(),
            signs: signs.unwrap_or_default(),
            // Where git did not say who took part, nobody is known to have.
            unproved: authorship.as_ref().is_none_or(|found| !found.unproved.is_empty()),
            by: authorship
                .map(|found| found.people.into_iter().map(|person| person.name).collect())
                .unwrap_or_default(),
        };
        let action = Said::Action(Box::new(acted.said()));
        keeper.say(&[Said::Run(ran), Said::Story(told), action]);
        match keeper.failure.take().or(unheard) {
            Some(failure) => Err(failure),
            None => Ok((decision, failed::keep(repository, &failed).err())),
        }
    }
}

/// What a bundle came to: `chaos_smoke: 6 of 6 passed`.
fn in_words(outcome: &BundleOutcome) -> String {
    let (word, _) = screen::run::status(outcome.status);
    match outcome.executed {
        0 => format!("{}: {word}", outcome.bundle),
        executed => format!("{}: {word}, {} of {executed} passed", outcome.bundle, outcome.passed),
    }
}

/// What is run or decided: the plan, in exactly this tree.
pub(super) fn about(repository: &Repository, plan: &Plan, loaded: &Loaded) -> Result<About> {
    let tree = load::tree::digest(repository, &loaded.after)?;
    let head = match loaded.head {
        Head::Commit(commit) => Some(commit.to_string()),
        _ => None,
    };
    Ok(About::new(plan, tree, loaded.base.map(|base| base.to_string()), head))
}

/// How a run ended: what is stored of it, its JSON and the exit code all say this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Passed,
    /// Something failed, or a rule denies.
    Failed,
    /// A person stopped it before its end.
    Stopped,
}

impl End {
    fn of(bundles: &[BundleOutcome], decision: &Decision) -> Self {
        let any = |is: &dyn Fn(BundleStatus) -> bool| bundles.iter().any(|bundle| is(bundle.status));
        if decision.answer == decide::Answer::No {
            Self::Failed
        } else if any(&|status| status == BundleStatus::Cancelled) {
            Self::Stopped
        } else if any(&|status| !status.is_pass()) {
            Self::Failed
        } else {
            Self::Passed
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Stopped => 2,
        }
    }
}
