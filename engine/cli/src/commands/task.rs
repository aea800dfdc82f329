//! `task run`: a model makes a change, in eleven steps, each of which is recorded. What it answers is a stranger's patch: it is applied
//! to a commit of its own, judged by the same plan as anybody's, and run elsewhere. The work tree is not touched unless asked.

mod prompt;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use grace_dsl::ast::ItemKind;
use grace_engine::Engine;
use grace_engine::plan::{Outcome, Plan, Side};
use grace_govern::journal::{self, Event, Journal, RunSaid};
use grace_govern::steps::{self, Came, StepSaid};
use grace_govern::task::{self, Choice, Task};
use grace_graph::change::{Change, Content};
use grace_graph::diff::{change_from_patches, parse_unified};
use grace_models::endpoint::{Ask, Completion, Endpoint, Settings};
use grace_system::clock;
use grace_system::config::Config;
use grace_system::files::{self, FileErrorKind};
use grace_system::git::{Blob, CommitId, EntryKind, Repository, TreeEntry, Written};
use grace_system::process::{self, Command, End};
use schemars::JsonSchema;
use serde::Serialize;

use self::prompt::Prompt;
use super::carrying::Workplace;
use super::keeping::take_in;
use super::model::{Known, choices};
use super::plan::engine;
use super::practice;
use super::{Answer, Context};
use crate::args::drift::DeployArgs;
use crate::args::task::TaskArgs;
use crate::args::{ChangeArgs, RunArgs};
use crate::failure::{Failure, Result, quoted};
use crate::load::{Cache, Loaded, people};
use crate::screen;
use crate::screen::numbers::count;

/// Text of target files that a model is shown, in bytes.
const MAX_SHOWN: usize = 96 << 10;
/// Largest file that a patch may make, in bytes.
const MAX_WRITTEN: usize = 4 << 20;
/// Largest file of a tree that a test command is run in, in bytes.
const MAX_FILE: u64 = 256 << 20;
/// Names that are kept of a list.
const MOST: usize = 40;
/// Tokens of an answer.
const MAX_TOKENS: u32 = 8192;
/// How long a task's own test command may take.
const TEST_TIME: Duration = Duration::from_secs(600);
/// Where the newest patch of each task is, and all of them, so that what was decided of them can be replayed.
const REFERENCES: &str = "refs/grace/tasks/";
const ATTEMPTS: &str = "refs/grace/attempts/";

/// A task's end as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TaskReport<'a> {
    schema: &'static str,
    version: u32,
    task: &'a str,
    attempt: u32,
    /// `go`, `hold`, `refused`, `failed`, `dry_run`.
    ended: &'static str,
    steps: &'a [StepSaid],
    /// The commit that holds the patch.
    commit: Option<String>,
    reference: Option<String>,
    /// What stands in the way.
    reasons: &'a [String],
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Go,
    Hold,
    Refused,
    Failed,
    DryRun,
}

impl Ended {
    fn word(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Hold => "hold",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::DryRun => "dry_run",
        }
    }
}

/// A task that is worked on.
struct Work<'a> {
    context: &'a Context,
    repository: &'a Repository,
    task: Task,
    digest: String,
    base: CommitId,
    attempt: u32,
    /// None: nothing is recorded.
    journal: Option<Journal>,
    /// Steps of this attempt that an earlier process recorded.
    earlier: Vec<StepSaid>,
    steps: Vec<StepSaid>,
    reasons: Vec<String>,
    commit: Option<CommitId>,
    /// Practices that the model was told of.
    practices: Vec<String>,
}

type Facts = Vec<(&'static str, Vec<String>)>;

/// What a step came to: what it gives, or the end.
type Step<T> = std::result::Result<T, Ended>;

/// A task's file, and its digest.
pub(super) fn read(context: &Context, file: &Path) -> Result<(Task, String)> {
    let text = files::read_text(&context.place.absolute(file), task::MAX_FILE)?;
    let task = Task::parse(&text).map_err(|wrong| {
        Failure::new("input", format!("{} is no task: {wrong}", quoted(file)))
            .help("docs/tasks.md says what a task holds")
    })?;
    Ok((task, files::sha256(text.as_bytes())))
}

/// What would be planned if the files that a task names changed.
pub(super) fn supposed<'a>(context: &Context, task: &Task, paths: impl Iterator<Item = &'a str>) -> ChangeArgs {
    let named: Vec<PathBuf> = paths.map(|path| context.place.root.join(path)).collect();
    ChangeArgs {
        worktree: named.is_empty(),
        files: named,
        operation: task.operation.clone(),
        rationale: Some(task.description.clone()),
        ..ChangeArgs::default()
    }
}

pub(super) fn run(context: &Context, args: &TaskArgs) -> Result<Answer> {
    let repository = context.place.repository()?;
    let (task, digest) = read(context, &args.file)?;
    if task.files.is_empty() {
        return Err(Failure::new("input", "the task names no file that may be changed")
            .help("files = [\"app/core.py\", \"lib/\"]"));
    }
    let base =
        repository.head()?.ok_or_else(|| Failure::new("input", "a task begins on a commit, and there is none"))?;
    let known = Known::of(context)?;
    let recorded = journal::recorded(repository)?;
    let before = match &recorded {
        Some(ledger) => steps::attempt(ledger, &digest, &base.to_string())?,
        None => Vec::new(),
    };
    let last = before.last().map_or(0, |step| step.attempt);
    let ended = before.last().is_some_and(|step| {
        matches!(step.came, Came::Refused | Came::Failed) || step.step as usize == steps::STEPS.len()
    });
    // What was begun and not ended goes on: what the model answered is not asked again.
    let goes_on = !before.is_empty() && !ended && !args.again;
    let mut work = Work {
        context,
        repository,
        task,
        digest,
        base,
        attempt: if goes_on { last } else { last + 1 },
        journal: (!args.dry_run).then(|| Journal::open(repository, Some("agent"))).transpose()?,
        earlier: if goes_on { before } else { Vec::new() },
        steps: Vec::new(),
        reasons: Vec::new(),
        commit: None,
        practices: Vec::new(),
    };
    let ended = work.carry_out(&known, args)?;
    let mut applied = Vec::new();
    if args.apply
        && ended == Ended::Go
        && let Some(commit) = work.commit
    {
        applied = work.apply(commit)?;
    }
    if let Some(journal) = &work.journal {
        take_in(repository, journal);
    }
    let code = u8::from(!matches!(ended, Ended::Go | Ended::DryRun));
    let reference = work.commit.map(|_| work.reference());
    if context.is_json() {
        let report = TaskReport {
            schema: "grace-rules/task",
            version: 1,
            task: &work.task.id,
            attempt: work.attempt,
            ended: ended.word(),
            steps: &work.steps,
            commit: work.commit.map(|commit| commit.to_string()),
            reference,
            reasons: &work.reasons,
        };
        return Ok(Answer { code, ..Answer::json(&report, true)? });
    }
    let mut page = context.page();
    let told = screen::task::Told {
        task: &work.task.id,
        description: &work.task.description,
        attempt: work.attempt,
        ended: ended.word(),
        steps: &work.steps,
        reasons: &work.reasons,
        reference: reference.as_deref(),
        applied: &applied,
    };
    screen::task::task(&mut page, &told);
    Ok(Answer { text: page.finish(), code })
}

impl Work<'_> {
    fn reference(&self) -> String {
        format!("{REFERENCES}{}", self.task.id)
    }

    /// Records a step; what was recorded already is not recorded again.
    fn say(&mut self, step: u32, came: Came, what: impl Into<String>, facts: Facts) -> Result<()> {
        let short = |mut list: Vec<String>| {
            let more = list.len().saturating_sub(MOST);
            list.truncate(MOST);
            list.extend((more > 0).then(|| format!("and {more} more")));
            list
        };
        let said = StepSaid {
            task: self.task.id.clone(),
            digest: self.digest.clone(),
            base: self.base.to_string(),
            attempt: self.attempt,
            step,
            came,
            what: what.into(),
            facts: facts.into_iter().map(|(name, list)| (name.to_owned(), short(list))).collect(),
        };
        let is_known = self.earlier.iter().any(|known| known.step == step && known.came == came);
        if let Some(journal) = self.journal.as_ref().filter(|_| !is_known) {
            journal.append(&[Event::Task(Box::new(said.clone()))])?;
        }
        self.steps.push(said);
        Ok(())
    }

    /// A step that ends the task.
    fn end<T>(&mut self, step: u32, came: Came, why: impl Into<String>, facts: Facts) -> Result<Step<T>> {
        let why = why.into();
        self.reasons.push(why.clone());
        self.say(step, came, why, facts)?;
        Ok(Err(if came == Came::Refused { Ended::Refused } else { Ended::Failed }))
    }

    fn earlier(&self, step: u32) -> Option<&StepSaid> {
        self.earlier.iter().find(|known| known.step == step && known.came == Came::Done)
    }

    fn carry_out(&mut self, known: &Known, args: &TaskArgs) -> Result<Ended> {
        let entries = self.repository.tree(self.base)?;
        let targets: Vec<&TreeEntry> = entries.iter().filter(|entry| self.task.allows(&entry.path)).collect();
        let change = supposed(self.context, &self.task, targets.iter().map(|entry| entry.path.as_str()));
        let (engine, loaded) = engine(self.context, &change, Cache::Unused)?;
        let plan = {
            let _working = self.context.progress.spinner("planning");
            engine.plan()
        };
        let graph = self.graph(&engine, &plan, &targets)?;
        if let Err(ended) = self.constitution(&plan, &loaded)? {
            return Ok(ended);
        }
        self.policies(&plan)?;
        let chosen = match self.model(known)? {
            Ok(chosen) => chosen,
            Err(ended) => return Ok(ended),
        };
        // Who answered before made the patch, whoever would be asked now.
        let before = self.earlier(6).and_then(|step| step.facts.get("model")?.first().cloned());
        let chosen = before.unwrap_or(chosen);
        if args.dry_run {
            return Ok(Ended::DryRun);
        }
        let prompt = self.prompt(&engine, &plan, &loaded, &targets, &graph)?;
        let patch = match self.execute(&chosen, &prompt, &known.config)? {
            Ok(patch) => patch,
            Err(ended) => return Ok(ended),
        };
        let edits = match self.read(&patch, &entries)? {
            Ok(edits) => edits,
            Err(ended) => return Ok(ended),
        };
        let commit = self.repository.commit_edited(self.base, &edits, &self.message(&chosen), &self.reference())?;
        self.repository.keep(&format!("{ATTEMPTS}{}/{commit}", self.task.id), commit)?;
        self.commit = Some(commit);
        self.judge(commit, &chosen, args.deployed)
    }

    /// Step 1: what is known of the files, and who depends on them.
    fn graph(
        &mut self,
        engine: &Engine,
        plan: &Plan,
        targets: &[&TreeEntry],
    ) -> Result<BTreeMap<&'static str, Vec<String>>> {
        let graph = engine.graph(Side::After);
        let nodes = graph.nodes();
        let paths: BTreeSet<&str> = targets.iter().map(|entry| entry.path.as_str()).collect();
        let (mut defines, mut dependents) = (BTreeSet::new(), BTreeSet::new());
        for edge in graph.edges() {
            let (from, to) = (nodes.part(edge.from), nodes.part(edge.to));
            let (from_path, to_path) = (&*nodes.file(from.file).path, &*nodes.file(to.file).path);
            if paths.contains(to_path) {
                defines.insert(nodes.qualified_name(edge.to).into_owned());
                if !paths.contains(from_path) {
                    dependents.insert(from_path.to_owned());
                }
            }
        }
        let found = BTreeMap::from([
            ("files", paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>()),
            ("used parts", defines.into_iter().collect()),
            ("dependents", dependents.into_iter().collect()),
        ]);
        let what = format!(
            "{}, {} within reach, {} reached",
            count(targets.len() as u64, "file"),
            count(u64::from(plan.change.reach), "part"),
            count(u64::from(plan.change.tests_reached), "test")
        );
        self.say(1, Came::Done, what, found.clone().into_iter().collect())?;
        Ok(found)
    }

    /// Step 2: nothing is halted, and nothing forbids it.
    fn constitution(&mut self, plan: &Plan, loaded: &Loaded) -> Result<Step<()>> {
        let recorded = journal::recorded(self.repository)?;
        let now = clock::now();
        let (_, halts, _) = people::halts(self.repository, loaded, recorded.as_ref(), now)?;
        if let Some(halt) = halts.first() {
            return self.end(2, Came::Refused, format!("nothing goes any more: {}", halt.because), Vec::new());
        }
        if let Some(hold) = people::cycles(self.repository, loaded, recorded.as_ref(), now)?.into_iter().next() {
            return self.end(2, Came::Refused, hold, Vec::new());
        }
        let principles: Vec<String> = plan.principles.iter().map(|principle| principle.name.clone()).collect();
        if let Some(denial) = plan.denials.first() {
            let why = format!("rule {} denies any change of these files", denial.name);
            return self.end(2, Came::Refused, why, vec![("principles", principles)]);
        }
        self.say(2, Came::Done, count(principles.len() as u64, "principle"), vec![("principles", principles)])?;
        Ok(Ok(()))
    }

    /// Steps 3 and 4: what the rules ask for, and the intents.
    fn policies(&mut self, plan: &Plan) -> Result<()> {
        let fired = plan.rules.iter().filter(|rule| matches!(rule.outcome, Outcome::Fires | Outcome::Unknown));
        let rules = fired.map(|rule| rule.name.clone()).collect();
        let approvals: Vec<String> = plan.approvals.iter().map(|approval| approval.name.clone()).collect();
        let bundles = plan.bundles.iter().map(|bundle| bundle.name.clone()).collect();
        let what = match approvals.as_slice() {
            [] => format!("tier {} at least", plan.tier),
            asked => format!("tier {} at least, approval {}", plan.tier, asked.join(", ")),
        };
        self.say(3, Came::Done, what, vec![("rules", rules), ("approvals", approvals), ("bundles", bundles)])?;
        let intents: Vec<String> = plan.intents.iter().map(|intent| intent.name.clone()).collect();
        let came = if intents.is_empty() { Came::Skipped } else { Came::Done };
        let what = if intents.is_empty() { "the rules name none".to_owned() } else { intents.join(", ") };
        self.say(4, came, what, vec![("intents", intents)])
    }

    /// Step 5: which model is asked, by its fingerprint, its health, and where the operator says that it is served.
    fn model(&mut self, known: &Known) -> Result<Step<String>> {
        let choices = choices(known, &self.task);
        let served = |choice: &&Choice| known.config.models.contains_key(&choice.model);
        let against = choices.iter().filter(|choice| !choice.will_do).filter(served);
        let against = against.map(|choice| format!("{}: {}", choice.model, choice.why_not.join(", "))).collect();
        let Some(chosen) = choices.first().filter(|choice| choice.will_do) else {
            let why = match choices.iter().find(served) {
                Some(choice) => format!("no model will do; {}: {}", choice.model, choice.why_not.join(", ")),
                None => "no model is served: name one in the operator's configuration, [models.NAME]".to_owned(),
            };
            return self.end(5, Came::Failed, why, Vec::new());
        };
        let facts = vec![("why", chosen.why.clone()), ("passed over", against)];
        self.say(5, Came::Done, chosen.model.clone(), facts)?;
        Ok(Ok(chosen.model.clone()))
    }

    /// What the model is asked.
    fn prompt(
        &mut self,
        engine: &Engine,
        plan: &Plan,
        loaded: &Loaded,
        targets: &[&TreeEntry],
        graph: &BTreeMap<&'static str, Vec<String>>,
    ) -> Result<String> {
        let practices = practice::fitting(self.context, engine, plan, &self.task)?;
        self.practices = practices.iter().map(|one| one.name.clone()).collect();
        let mut blobs = self.repository.blobs();
        let mut room = MAX_SHOWN;
        let mut files = Vec::new();
        for entry in targets {
            let text = match blobs.read(entry.oid, room as u64)? {
                Blob::Data(bytes) => String::from_utf8(bytes).ok(),
                Blob::TooLarge(_) | Blob::Missing => None,
            };
            room -= text.as_ref().map_or(0, String::len);
            files.push((entry.path.clone(), text));
        }
        let prompt = Prompt {
            task: &self.task,
            of: (&self.digest, &self.base.to_string()),
            plan,
            says: &says(loaded),
            practices: &practices,
            dependents: graph.get("dependents").map_or(&[], Vec::as_slice),
            files: &files,
        };
        Ok(prompt.text())
    }

    /// Step 6: asks the model; the patch that it answers with.
    fn execute(&mut self, model: &str, prompt: &str, config: &Config) -> Result<Step<String>> {
        if let Some(known) = self.earlier(6).and_then(|step| step.facts.get("answer")).and_then(|answer| answer.first())
        {
            let known = known.clone();
            self.say(6, Came::Done, format!("{model} answered before"), Vec::new())?;
            return self.patch(&known);
        }
        let said = config.models.get(model).ok_or_else(|| Failure::new("bug", "a model that is served is gone"))?;
        let asked = Settings::of(model, said).and_then(|settings| Endpoint::new(settings, self.context.cancel.clone()));
        let endpoint = match asked {
            Ok(endpoint) => endpoint,
            Err(error) => {
                return self.end(6, Came::Failed, format!("{model} cannot be asked: {error}"), Vec::new());
            }
        };
        let system = "You change source code. You answer with a unified diff only.";
        let answer = {
            let _working = self.context.progress.spinner("asking the model");
            endpoint.complete(&Ask { system: Some(system), prompt, max_tokens: MAX_TOKENS, seed: 1 })
        };
        let Completion { text, prompt_tokens, answer_tokens, cut_short, elapsed, said_model, .. } = match answer {
            Ok(answer) => answer,
            Err(fault) => {
                return self.end(6, Came::Failed, format!("{model} gave no answer: {fault}"), Vec::new());
            }
        };
        let number = |tokens: Option<u64>| tokens.map_or_else(|| "not said".to_owned(), |tokens| tokens.to_string());
        let facts = vec![
            ("model", vec![model.to_owned()]),
            ("served by", vec![endpoint.settings().host().to_owned()]),
            ("says it is", said_model.into_iter().collect()),
            ("practices", self.practices.clone()),
            ("prompt", vec![files::sha256(prompt.as_bytes())]),
            ("tokens", vec![number(prompt_tokens), number(answer_tokens)]),
            ("milliseconds", vec![elapsed.as_millis().to_string()]),
            ("answer", vec![text.clone()]),
        ];
        if cut_short {
            return self.end(6, Came::Failed, format!("{model}'s answer was cut off"), facts);
        }
        let what = format!("{model} answered in {:.1} s", elapsed.as_secs_f64());
        self.say(6, Came::Done, what, facts)?;
        self.patch(&text)
    }

    fn patch(&mut self, answer: &str) -> Result<Step<String>> {
        match steps::patch_in(answer) {
            Some(patch) => Ok(Ok(patch)),
            None => self.end(7, Came::Failed, "the model's answer holds no patch", Vec::new()),
        }
    }

    /// The files that a patch writes, where it applies and touches nothing that the task does not name.
    fn read(&mut self, patch: &str, entries: &[TreeEntry]) -> Result<Step<BTreeMap<String, Option<Written>>>> {
        let known: BTreeMap<&str, &TreeEntry> = entries.iter().map(|entry| (entry.path.as_str(), entry)).collect();
        let mut blobs = self.repository.blobs();
        let mut failed = None;
        let mut read = |path: &str| {
            let entry = *known.get(path)?;
            if !matches!(entry.kind, EntryKind::File | EntryKind::Executable) {
                return Some(Content::Unknown("it is no regular file".into()));
            }
            match blobs.read(entry.oid, MAX_WRITTEN as u64) {
                Ok(Blob::Data(bytes)) => Some(
                    String::from_utf8(bytes)
                        .map_or(Content::Unknown("it is no text".into()), |text| Content::Text(text.into())),
                ),
                Ok(_) => Some(Content::Unknown("it is too large".into())),
                Err(error) => {
                    failed = Some(error);
                    None
                }
            }
        };
        let change = parse_unified(patch).and_then(|patches| change_from_patches(&patches, &mut read));
        if let Some(error) = failed {
            return Err(error.into());
        }
        let change = match change {
            Ok(change) => change,
            Err(error) => return self.end(7, Came::Failed, format!("the patch does not apply: {error}"), Vec::new()),
        };
        let (edits, why) = self.edits(&change, &known);
        match why {
            Some(why) => self.end(7, Came::Refused, why, Vec::new()),
            None if edits.is_empty() => self.end(7, Came::Failed, "the patch changes nothing".to_owned(), Vec::new()),
            None => Ok(Ok(edits)),
        }
    }

    /// The files to write, and why they may not be.
    fn edits(
        &self,
        change: &Change,
        known: &BTreeMap<&str, &TreeEntry>,
    ) -> (BTreeMap<String, Option<Written>>, Option<String>) {
        let mut edits = BTreeMap::new();
        for file in &change.files {
            for path in [&file.before, &file.after].into_iter().flatten().map(|side| &*side.path) {
                if !self.task.allows(path) {
                    return (
                        edits,
                        Some(format!("the patch touches `{}`, which the task does not name", path.escape_debug())),
                    );
                }
            }
            if let Some(before) = &file.before {
                // What another part of the patch wrote there stays.
                edits.entry(before.path.to_string()).or_insert(None);
            }
            if let Some(after) = &file.after {
                let Content::Text(text) = &after.content else {
                    return (edits, Some(format!("the patch makes `{}` no text", after.path.escape_debug())));
                };
                if text.len() > MAX_WRITTEN {
                    return (edits, Some(format!("the patch makes `{}` too large", after.path.escape_debug())));
                }
                // A patch that says nothing of the mode leaves it as it is.
                let was = file.before.as_ref().and_then(|before| known.get(&*before.path));
                let executable = after.executable || was.is_some_and(|was| was.kind == EntryKind::Executable);
                let written = Written { executable, bytes: text.as_bytes().to_vec() };
                edits.insert(after.path.to_string(), Some(written));
            }
        }
        (edits, None)
    }

    /// The message of the commit: what its story is told by.
    fn message(&self, model: &str) -> String {
        let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let title: String = line(&self.task.description).chars().take(72).collect();
        let mut trailers = BTreeMap::from([
            ("Rationale".to_owned(), line(&self.task.description)),
            ("Models-involved".to_owned(), model.to_owned()),
        ]);
        for (name, value) in &self.task.story {
            let mut name = name.replace('_', "-");
            if let Some(first) = name.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            trailers.insert(name, line(value));
        }
        let trailers: Vec<String> = trailers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!("{title}\n\nTask {} by a model.\n\n{}\n", self.task.id, trailers.join("\n"))
    }

    /// Steps 7 to 11: the bundles, the story, and what is decided.
    fn judge(&mut self, commit: CommitId, model: &str, deployed: bool) -> Result<Ended> {
        let change = ChangeArgs {
            base: Some(self.base.to_string()),
            head: Some(commit.to_string()),
            operation: self.task.operation.clone(),
            actor: Some(format!("agent {model}")),
            ..ChangeArgs::default()
        };
        super::run::run(self.context, &RunArgs { change: change.clone(), all: false, record: false, reruns: 0 })?;
        let ledger =
            journal::recorded(self.repository)?.ok_or_else(|| Failure::new("bug", "a run was not recorded"))?;
        let head = commit.to_string();
        let ran: Option<(u64, RunSaid)> =
            journal::newest(&ledger, "run", |said: &RunSaid| said.about.head.as_deref() == Some(&head))?;
        let Some((_, ran)) = ran else { return Err(Failure::new("bug", "a run was not recorded")) };
        let bundles: Vec<String> =
            ran.bundles.iter().map(|(name, ran)| format!("{name} {}", ran.outcome.word())).collect();
        let own = self.own_test(commit)?;
        let facts =
            vec![("run", vec![ran.run.clone()]), ("bundles", bundles), ("test command", own.iter().cloned().collect())];
        if ran.end != "passed" || own.is_some() {
            let why = own.unwrap_or_else(|| format!("the run of its bundles {}", ran.end));
            self.say(7, Came::Failed, why.clone(), facts)?;
            self.reasons.push(why);
        } else {
            self.say(7, Came::Done, format!("{} passed", count(ran.bundles.len() as u64, "bundle")), facts)?;
        }
        let story = journal::newest(&ledger, "story", |told: &grace_govern::story::Story| told.run == ran.run)?;
        match &story {
            Some((seq, told)) => {
                let lacks = told.missing.clone();
                self.say(
                    8,
                    Came::Done,
                    format!("story {seq}"),
                    vec![("story", vec![seq.to_string()]), ("lacks", lacks)],
                )?;
            }
            None => self.say(8, Came::Failed, "no story was told", Vec::new())?,
        }
        super::gate::gate(self.context, &change)?;
        let ledger =
            journal::recorded(self.repository)?.ok_or_else(|| Failure::new("bug", "a decision was not recorded"))?;
        let decided: Option<(u64, journal::DecisionSaid)> =
            journal::newest(&ledger, "decision", |said: &journal::DecisionSaid| {
                said.about.head.as_deref() == Some(&head)
            })?;
        let Some((seq, decided)) = decided else { return Err(Failure::new("bug", "a decision was not recorded")) };
        let goes = decided.answer == grace_engine::decide::Answer::Go && self.reasons.is_empty();
        self.reasons.extend(decided.reasons.iter().map(|reason| reason.what.clone()));
        self.monitor(&change, goes, deployed)?;
        let facts = vec![("decision", vec![seq.to_string()]), ("answer", vec![decided.answer.word().to_owned()])];
        self.say(10, Came::Done, format!("decision {seq}: {}", decided.answer.word()), facts)?;
        self.practice(goes, story.map(|(seq, _)| seq))?;
        Ok(match decided.answer {
            _ if goes => Ended::Go,
            grace_engine::decide::Answer::Hold if ran.end == "passed" => Ended::Hold,
            grace_engine::decide::Answer::No => Ended::Refused,
            _ => Ended::Failed,
        })
    }

    /// Step 9: what may go is watched once it is deployed.
    fn monitor(&mut self, change: &ChangeArgs, goes: bool, deployed: bool) -> Result<()> {
        if !goes {
            return self.say(9, Came::Skipped, "nothing goes, and nothing is watched", Vec::new());
        }
        if !deployed {
            let (base, head) = (self.base, self.reference());
            let what = format!("not deployed yet: grace-rules drift deploy --base {base} --head {head}");
            return self.say(9, Came::Skipped, what, Vec::new());
        }
        let args = DeployArgs { plan: None, run: None, at: None, change: change.clone() };
        match super::drift::deploy(self.context, &args) {
            Ok(_) => self.say(9, Came::Done, "what it does is watched: grace-rules drift status", Vec::new()),
            Err(failure) => {
                // That it may go stands; that nobody watches is told.
                self.say(9, Came::Failed, format!("it is not watched: {}", failure.message), Vec::new())
            }
        }
    }

    /// Step 11: what the story of a success counts for, or teaches.
    fn practice(&mut self, goes: bool, story: Option<u64>) -> Result<()> {
        let Some(story) = story.filter(|_| goes) else {
            return self.say(11, Came::Skipped, "only what succeeded is a practice", Vec::new());
        };
        let practices = practice::of_story(self.context, story)?;
        if practices.is_empty() {
            return self.say(11, Came::Skipped, "its story has no steps to repeat", Vec::new());
        }
        self.say(11, Came::Done, practices.join(", "), vec![("practices", practices)])
    }

    /// Why the task's own test command did not succeed in the changed tree. It sees none of the operator's keys.
    fn own_test(&self, commit: CommitId) -> Result<Option<String>> {
        let [program, arguments @ ..] = self.task.test.as_slice() else { return Ok(None) };
        let workplace = Workplace::open(self.context)?;
        let dir = workplace.path().join("tree");
        files::create_dirs(&dir)?;
        let report = self.repository.export(&self.repository.tree(commit)?, &dir, MAX_FILE)?;
        // A tree with holes is another tree; what the task leaves alone (a link that was always there) is no hole of its own.
        if let Some(hole) = report.left_out.iter().find(|hole| self.task.allows(&hole.path)) {
            return Ok(Some(format!("`{}` cannot be written out: {}", hole.path.escape_debug(), hole.message)));
        }
        let command = Command {
            args: arguments.iter().map(OsString::from).collect(),
            env: grace_runner::environment(&[]),
            deadline: TEST_TIME,
            hunt: true,
            ..Command::new(program, &dir)
        };
        let finished = process::run(&command, &self.context.cancel);
        Ok(match finished.end {
            End::Exited(0) => None,
            end => Some(format!("`{}` {}", program.escape_debug(), in_words(&end))),
        })
    }

    /// Writes the patch to the work tree; the paths. A file that is not as it was at the base is left alone, and so are all.
    fn apply(&self, commit: CommitId) -> Result<Vec<String>> {
        let root = self.repository.root();
        let changes = self.repository.changed(Some(self.base), commit)?;
        let mut writes = Vec::new();
        let mut blobs = self.repository.blobs();
        for change in &changes {
            let path = change.path();
            // What cannot be read, or lies behind a link, is no absent file.
            let there = match files::read_in(root, path, MAX_WRITTEN as u64) {
                Ok(bytes) => Some(self.repository.blob_id(&bytes)),
                Err(error) if error.kind == FileErrorKind::NotFound => None,
                Err(error) => return Err(error.into()),
            };
            if there != change.before.as_ref().map(|before| before.oid) {
                return Err(Failure::new("file", format!("`{path}` is not as it was committed; nothing was written"))
                    .help(format!("git cherry-pick {}", self.reference())));
            }
            let after = match &change.after {
                Some(after) => match blobs.read(after.oid, MAX_WRITTEN as u64)? {
                    Blob::Data(bytes) => Some(bytes),
                    _ => return Err(Failure::new("git", format!("`{path}` cannot be read back"))),
                },
                None => None,
            };
            writes.push((path.to_owned(), after));
        }
        for (path, bytes) in &writes {
            let file = root.join(path);
            match bytes {
                Some(bytes) => {
                    if let Some(above) = file.parent() {
                        files::create_dirs(above)?;
                    }
                    files::write_atomic(&file, bytes)?;
                }
                None => files::remove_file(&file)?,
            }
        }
        Ok(writes.into_iter().map(|(path, _)| path).collect())
    }
}

/// What the principles and intents of the rules say, by name.
fn says(loaded: &Loaded) -> BTreeMap<String, String> {
    let mut says = BTreeMap::new();
    for text in loaded.books().flat_map(|book| &book.files).filter_map(|file| file.text.as_deref().ok()) {
        for item in grace_dsl::parse(text).items {
            if let ItemKind::Principle { says: text, .. } | ItemKind::Intent { says: text } = item.kind {
                says.insert(item.name, text.value);
            }
        }
    }
    says
}

fn in_words(end: &End) -> String {
    match end {
        End::Exited(code) => format!("ended with {code}"),
        End::TimedOut => "took too long".to_owned(),
        End::Cancelled => "was stopped".to_owned(),
        other => format!("did not run: {other:?}"),
    }
}
