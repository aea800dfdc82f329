//! The words that records of the ledger use for runs and decisions, and the ledger of a repository.
//!
//! A run writes the plan that it carries out before anything is started (`plan`), each bundle's outcome as soon as the runner
//! has told it (`bundle`, and `selection` where all of it ran although it was to be narrowed), what failed and ran once more
//! (`rerun`), and its end (`run`). A gate
//! writes its answer (`decision`). All of them name the change, the rules and the tree by digest, so that an outcome is never
//! taken for that of another tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use grace_engine::decide::{Agreed, Answer, BundleOutcome, Reason};
use grace_engine::input::{Book, RAISED};
use grace_engine::plan::{BundlePlan, Plan};
use grace_engine::trust::Reading;
use grace_ledger::{Draft, Error, Ledger, PublicKey, Receipt, Record, SecretKey, Snapshot};
use grace_system::git::Repository;
use grace_system::{env, files};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cycle::{ActionSaid, CycleSaid};
use crate::failpoint;
use crate::holes::Hole;
use crate::inputs::{Gist, Inputs};
use crate::monitor;
use crate::private;
use crate::probes::ProbeSaid;
use crate::steps::StepSaid;
use crate::story::{Amendment, Story};

/// Records that are read at once, from the newest back.
const STRIDE: u64 = 512;
/// Probes that are read, from the newest back.
const MOST_PROBES: usize = 5000;
/// The variable that names the file of the ledger's key.
const KEY_VARIABLE: &str = "GRACE_RULES_LEDGER_KEY";

/// Which change, under which rules, in which tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// The plan.
    pub plan: String,
    /// Digest of what changes.
    pub diff: String,
    /// Digest of both rule books.
    pub rules: String,
    /// Digest of the tree: every file's path, kind and content.
    pub tree: String,
    /// The commit of the before side.
    pub base: Option<String>,
    /// The commit of the after side, where it is one.
    pub head: Option<String>,
}

impl About {
    /// A plan in a tree.
    #[must_use]
    pub fn new(plan: &Plan, tree: String, base: Option<String>, head: Option<String>) -> Self {
        let subject = plan.subject.clone();
        Self { plan: plan.id.clone(), diff: subject.diff, rules: subject.rules, tree, base, head }
    }

    /// What an outcome counts for: the change, the rules, the tree.
    pub(crate) fn name(&self) -> [String; 3] {
        [self.diff.clone(), self.rules.clone(), self.tree.clone()]
    }

    /// Whether an outcome of this counts for that.
    fn is_same(&self, other: &Self) -> bool {
        (&self.diff, &self.rules, &self.tree) == (&other.diff, &other.rules, &other.tree)
    }
}

/// The plan of a run (`plan`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanSaid {
    /// The run.
    pub run: String,
    /// Of what.
    pub about: About,
    /// What it was derived from, beside the trees.
    pub inputs: Inputs,
    /// The plan as printed by `plan --format json`.
    pub json: String,
    /// How much each exception of the rules permits, in parts of the code or models.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub permits: BTreeMap<String, u64>,
}

/// One bundle's outcome (`bundle`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleSaid {
    /// The run.
    pub run: String,
    /// Of what.
    pub about: About,
    /// The bundle.
    pub bundle: String,
    /// Where it ran in two forms: which. Else the bundle's name.
    pub form: String,
    /// `passed`, `failed`, `flaky`, `timed_out`, `cancelled`, `error`, `nothing_selected`.
    pub status: String,
    /// Times that it was run.
    pub attempts: u32,
    /// Wall time of all attempts, milliseconds.
    pub duration_ms: u64,
    /// Tests that passed.
    pub passed: u32,
    /// Tests that were executed.
    pub executed: u32,
    /// Digest of the command and its arguments.
    pub command: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// What became of each test.
    pub tests: Vec<TestSaid>,
}

/// One test at one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestSaid {
    /// `path/file.py::Class::test`.
    pub test: String,
    /// `passed`, `failed`, `flaky`, `skipped`, `error`, `missing`, `too_slow`.
    pub status: String,
    /// Milliseconds.
    pub duration_ms: u64,
    /// From 1.
    pub attempt: u32,
}

/// What had failed in a run, run once more in the same tree (`rerun`): it tells flaky tests from broken ones, and changes no
/// outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RerunSaid {
    /// The run.
    pub run: String,
    /// Of what.
    pub about: About,
    /// The bundle.
    pub bundle: String,
    /// Where it ran in two forms: which. Else the bundle's name.
    pub form: String,
    /// Whether it passed this time, all that was repeated of it.
    pub passed: bool,
    /// The tests that had failed; none where the bundle tells no tests.
    pub tests: Vec<TestSaid>,
    /// RFC 3339, UTC.
    pub finished: String,
}

/// What leaving out the tests that a change does not reach would have come to, of a bundle all of whose tests ran (`selection`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectionSaid {
    /// The run.
    pub run: String,
    /// Of what.
    pub about: About,
    /// The bundle.
    pub bundle: String,
    /// Tests that were executed, parameters counted together.
    pub tests: u32,
    /// Of them, those that the change reaches.
    pub selected: u32,
    /// Tests that did not pass.
    pub failed: u32,
    /// Of them, those that would have been left out: their ids, the first hundred.
    pub missed: Vec<String>,
    /// How many those are.
    pub missed_count: u32,
}

/// The end of a run (`run`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSaid {
    /// The run.
    pub run: String,
    /// Of what.
    pub about: About,
    /// It ran in files that were written out for it, and not where somebody works: nothing else lay beside them.
    pub exported: bool,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// `passed`, `failed`, `stopped`.
    pub end: String,
    /// The tier after the run.
    pub tier: u8,
    /// How trust came about.
    pub trust: Option<Reading>,
    /// What each bundle of the plan came to.
    pub bundles: BTreeMap<String, RanBundle>,
    /// Tests that had not passed when they ran last, after it: bundle, id, run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, BTreeMap<String, String>>,
    /// SHA-256 of the records of what tests enter that it left: what decides believes no others.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reach: BTreeSet<String>,
    /// What the tree holds in git and did not hold where it ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<Hole>,
}

/// What a bundle came to, and which of its tests that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RanBundle {
    /// The outcome; of two forms the worse.
    pub outcome: BundleOutcome,
    /// Digest of the tests that were asked for; `None` = all that the bundle has.
    pub tests: Option<String>,
    /// What of them is no single test, and so in no report: files and packages that ran whole. Sorted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub whole: BTreeSet<String>,
}

/// An answer (`decision`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionSaid {
    /// Of what.
    pub about: About,
    /// SHA-256 of the rules before the change, which are in force; empty where there were none.
    #[serde(default)]
    pub policy: String,
    /// What its plan was derived from, beside the trees.
    pub inputs: Inputs,
    /// Its plan, in short.
    pub gist: Gist,
    /// What people said, as it counted.
    pub agreed: Agreed,
    /// `go`, `hold`, `no`.
    pub answer: Answer,
    /// The tier.
    pub tier: u8,
    /// Why not, or what is missing.
    pub reasons: Vec<Reason>,
    /// The run that it is by.
    pub run: Option<String>,
    /// Approvals that counted: envelope, person, in whose name.
    pub approvals: Vec<(String, String, String)>,
    /// How trust came about.
    pub trust: Option<Reading>,
    /// The moment it was judged for; RFC 3339, UTC.
    pub as_of: String,
}

/// SHA-256 of a rule book; empty where there is none.
#[must_use]
pub fn policy_of(book: Option<&Book>) -> String {
    let Some(book) = book else { return String::new() };
    let mut text = Vec::new();
    for file in book.files.iter().filter(|file| !file.path.starts_with(RAISED)) {
        let said = file.text.as_ref().unwrap_or_else(|reason| reason);
        // Lengths, so that no text can pass for another's end.
        text.extend(format!("{} {} {} {}\n", file.path.len(), file.path, said.len(), said).into_bytes());
    }
    files::sha256(&text)
}

impl DecisionSaid {
    /// Whether it says the same, the moment aside.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let mut other = Self { as_of: self.as_of.clone(), ..other.clone() };
        other.inputs.as_of = self.inputs.as_of;
        other.gist.digest.clone_from(&self.gist.digest);
        *self == other
    }
}

/// Digest of the tests that are asked for of a bundle; `None` where all of it is.
#[must_use]
pub fn tests_of(bundle: &BundlePlan) -> Option<String> {
    if !bundle.narrowed {
        return None;
    }
    let mut text = String::new();
    for one in bundle.selected.iter().chain(&bundle.whole) {
        text.push_str(one);
        text.push('\n');
    }
    Some(files::sha256(text.as_bytes()))
}

/// The name of a run that starts now, in this process.
#[must_use]
pub fn run_id(started: Timestamp) -> String {
    format!("{}-{}", started.strftime("%Y%m%dT%H%M%S%.6fZ"), std::process::id())
}

/// A halt, or what lifts one (`halt`, `resume`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaltSaid {
    /// The envelope, as it stands below `refs/grace/halts/` too.
    pub envelope: String,
}

/// One thing to record.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A run begins.
    Plan(PlanSaid),
    /// A bundle has ended.
    Bundle(BundleSaid),
    /// What failed ran once more.
    Rerun(RerunSaid),
    /// A bundle ran whole that was to be narrowed.
    Selection(SelectionSaid),
    /// A run has ended.
    Run(RunSaid),
    /// Something was decided.
    Decision(Box<DecisionSaid>),
    /// A run is told.
    Story(Story),
    /// Something is added to a story.
    Amendment(Amendment),
    /// A run counts as an action.
    Action(Box<ActionSaid>),
    /// A cycle of the audit loop.
    Cycle(Box<CycleSaid>),
    /// A step of an agent's task.
    Task(Box<StepSaid>),
    /// Nothing goes any more.
    Halt(HaltSaid),
    /// It goes on.
    Resume(HaltSaid),
    /// What happened after a deployment.
    Monitoring(monitor::said::Said),
    /// A model was probed.
    Probe(Box<ProbeSaid>),
}

impl Event {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Plan(_) => "plan",
            Self::Bundle(_) => "bundle",
            Self::Rerun(_) => "rerun",
            Self::Selection(_) => "selection",
            Self::Run(_) => "run",
            Self::Decision(_) => "decision",
            Self::Story(_) => "story",
            Self::Amendment(_) => "amendment",
            Self::Action(_) => "action",
            Self::Cycle(_) => "cycle",
            Self::Task(_) => "task",
            Self::Halt(_) => "halt",
            Self::Resume(_) => "resume",
            Self::Monitoring(said) => said.kind(),
            Self::Probe(_) => "probe",
        }
    }

    fn about(&self) -> Option<&About> {
        match self {
            Self::Plan(PlanSaid { about, .. })
            | Self::Bundle(BundleSaid { about, .. })
            | Self::Rerun(RerunSaid { about, .. })
            | Self::Selection(SelectionSaid { about, .. })
            | Self::Run(RunSaid { about, .. })
            | Self::Story(Story { about, .. }) => Some(about),
            Self::Decision(said) => Some(&said.about),
            Self::Action(said) => Some(&said.about),
            Self::Probe(said) => said.about.as_ref(),
            Self::Amendment(_) | Self::Cycle(_) | Self::Task(_) | Self::Halt(_) | Self::Resume(_) => None,
            Self::Monitoring(said) => said.about(),
        }
    }

    pub(crate) fn body(&self) -> Value {
        let value = match self {
            Self::Plan(said) => serde_json::to_value(said),
            Self::Bundle(said) => serde_json::to_value(said),
            Self::Rerun(said) => serde_json::to_value(said),
            Self::Selection(said) => serde_json::to_value(said),
            Self::Run(said) => serde_json::to_value(said),
            Self::Decision(said) => serde_json::to_value(said),
            Self::Story(said) => serde_json::to_value(said),
            Self::Amendment(said) => serde_json::to_value(said),
            Self::Action(said) => serde_json::to_value(said),
            Self::Cycle(said) => serde_json::to_value(said),
            Self::Task(said) => serde_json::to_value(said),
            Self::Halt(said) | Self::Resume(said) => serde_json::to_value(said),
            Self::Monitoring(said) => said.body(),
            Self::Probe(said) => serde_json::to_value(said),
        };
        // All of it is text and whole numbers.
        value.unwrap_or_default()
    }
}

/// The ledger of a repository, and the key that signs it.
#[derive(Debug)]
pub struct Journal {
    ledger: Ledger,
    key: SecretKey,
    made_key: bool,
    actor: String,
    project: String,
}

/// Where a repository's ledger is.
#[must_use]
pub fn ledger_of(repository: &Repository) -> Ledger {
    let engine = concat!("grace-rules ", env!("CARGO_PKG_VERSION"));
    Ledger::at(&repository.common_dir().join("grace").join("ledger")).engine(engine)
}

/// What a repository's ledger is named after.
#[must_use]
pub fn project_of(repository: &Repository) -> String {
    repository.root().file_name().and_then(|name| name.to_str()).unwrap_or("project").to_owned()
}

/// The file of this user's key: outside of every repository, and so of this one.
///
/// # Errors
/// When there is no place for it, or the one that is named lies inside the repository.
pub fn key_path(repository: Option<&Repository>) -> Result<PathBuf, Error> {
    let wrong = |path, what| Err(Error::Key { path, what });
    match said_path().filter(|path| path.is_absolute()) {
        None => wrong("ledger.key".into(), "nothing says where it is; name a file by GRACE_RULES_LEDGER_KEY, absolute"),
        Some(path) if repository.is_some_and(|repository| is_inside(&path, repository)) => {
            wrong(path, "it lies inside the repository, where a commit could take it along")
        }
        Some(path) => Ok(path),
    }
}

/// This user's key, and whether it was made now. None is made in place of one that a ledger here was signed by.
///
/// # Errors
/// When there is no place for it, it cannot be read, or it is gone.
pub fn key_of(repository: &Repository) -> Result<(SecretKey, bool), Error> {
    let path = key_path(Some(repository))?;
    if !files::exists(&path) && ledger_of(repository).is_there() {
        return Err(Error::Key { path, what: "it is gone, and the ledger here was signed by it" });
    }
    SecretKey::load_or_create(&path)
}

fn said_path() -> Option<PathBuf> {
    let named = env::var_os(KEY_VARIABLE).map(PathBuf::from);
    named.or_else(|| Some(env::config_dir()?.join("grace-rules").join("ledger.key")))
}

fn is_inside(path: &Path, repository: &Repository) -> bool {
    // The key may not be there yet; the directory that is nearest to it is.
    let real = path.ancestors().find_map(|above| files::canonical(above).ok());
    let inside = [Some(repository.root().to_path_buf()), files::canonical(repository.common_dir()).ok()];
    real.is_some_and(|real| inside.iter().flatten().any(|root| real.starts_with(root)))
}

impl Journal {
    /// The repository's ledger, for `actor` to write to. The key and the ledger are made if they are not there.
    ///
    /// # Errors
    /// When the key or the ledger cannot be used: nothing may be done then that was to be recorded.
    pub fn open(repository: &Repository, actor: Option<&str>) -> Result<Self, Error> {
        let (key, made_key) = key_of(repository)?;
        let ledger = ledger_of(repository);
        let project = project_of(repository);
        ledger.create(&key, &project)?;
        let actor = actor.filter(|actor| !actor.is_empty()).unwrap_or("not said").to_owned();
        Ok(Self { ledger, key, made_key, actor, project })
    }

    /// What its user should know once: that the key was made.
    #[must_use]
    pub fn news(&self) -> Option<&'static str> {
        self.made_key
            .then_some("a key was made that signs the ledger; to see and keep its public half: grace-rules audit init")
    }

    /// Records all of these, or none.
    ///
    /// # Errors
    /// When they are not on disk.
    pub fn append(&self, events: &[Event]) -> Result<Vec<Receipt>, Error> {
        let draft = |event: &Event| {
            let about = event.about();
            let mut body = event.body();
            let texts = private::hide(event.kind(), &mut body);
            let draft = Draft::new(event.kind(), self.actor.as_str(), body);
            let draft = texts.into_iter().fold(draft, |draft, (name, text)| draft.private(name, text));
            // In force is what the gate decides by; a run may be under rules that nobody agreed to yet.
            let draft = match event {
                Event::Decision(said) if !said.policy.is_empty() => draft.policy(said.policy.as_str()),
                _ => draft,
            };
            // What is not committed is of no commit: the body names its tree.
            match about.and_then(|about| about.head.as_ref()) {
                Some(commit) => draft.about(self.project.as_str(), commit.as_str()),
                None => Draft { repo: about.map(|_| self.project.clone()), ..draft },
            }
        };
        let drafts: Vec<Draft> = events.iter().map(draft).collect();
        let pass = |when: &str| events.iter().for_each(|event| failpoint::pass(&format!("{when} {}", event.kind())));
        pass("before");
        let receipts = self.ledger.append(&self.key, &drafts)?;
        pass("after");
        Ok(receipts)
    }

    /// Deletes the texts that were given of the change that a record is about, wherever they are recorded, and tells of it. The records in
    /// which they are no more; none where there was nothing to delete.
    ///
    /// # Errors
    /// When the ledger is not what was signed, or cannot be written.
    pub fn redact(&self, seq: u64, because: &str) -> Result<Vec<u64>, Error> {
        let records = private::of_the_change(&self.read()?, seq)?;
        for seq in &records {
            self.ledger.redact(&self.key, &self.actor, *seq, because)?;
        }
        Ok(records)
    }

    /// What is recorded now.
    ///
    /// # Errors
    /// When it cannot be read, or is not what was signed.
    pub fn read(&self) -> Result<Snapshot, Error> {
        self.ledger.snapshot(&self.key.public())
    }
}

/// What is recorded of a repository, if this user's key signed it; `None` where there is no ledger or no key yet.
///
/// # Errors
/// When it cannot be read, or is not what was signed.
pub fn recorded(repository: &Repository) -> Result<Option<Snapshot>, Error> {
    let Some(path) = said_path().filter(|path| files::exists(path)) else { return Ok(None) };
    let key: PublicKey = SecretKey::load(&path)?.public();
    match ledger_of(repository).snapshot(&key) {
        Ok(snapshot) => Ok(Some(snapshot)),
        Err(Error::Absent { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Goes back over the records of some kinds, newest first, until `take` has found what it looks for. Texts that people gave are not read.
pub(crate) fn back<T>(
    snapshot: &Snapshot,
    kinds: &[&str],
    mut take: impl FnMut(&Record, Value) -> Option<T>,
) -> Result<Option<T>, Error> {
    let mut end = snapshot.len();
    while end > 0 {
        let begin = end.saturating_sub(STRIDE);
        let records = snapshot.records(begin..end).collect::<Result<Vec<_>, _>>()?;
        for record in records.iter().rev().filter(|record| kinds.contains(&record.kind.as_str())) {
            if let Some(found) = take(record, snapshot.body(record)?) {
                return Ok(Some(found));
            }
        }
        end = begin;
    }
    Ok(None)
}

/// The newest record of a kind that says what is wanted, and its number.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn newest<T: DeserializeOwned>(
    snapshot: &Snapshot,
    kind: &str,
    is_wanted: impl Fn(&T) -> bool,
) -> Result<Option<(u64, T)>, Error> {
    let found = back(snapshot, &[kind], |record, body| {
        let said: T = serde_json::from_value(body).ok()?;
        is_wanted(&said).then(|| (record.clone(), said))
    })?;
    let Some((record, said)) = found else { return Ok(None) };
    let whole = serde_json::from_value(private::body(snapshot, &record)?).unwrap_or(said);
    Ok(Some((record.seq, whole)))
}

/// The newest record of a kind that belongs to a run, and its body.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn of_run(snapshot: &Snapshot, run: &str, kind: &str) -> Result<Option<(Record, Value)>, Error> {
    let found = back(snapshot, &[kind], |record, body| {
        (body.get("run").and_then(Value::as_str) == Some(run)).then(|| record.clone())
    })?;
    found.map(|record| Ok((record.clone(), private::body(snapshot, &record)?))).transpose()
}

/// The newest run of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    /// It ended.
    Ended(Box<RunSaid>),
    /// It was begun and has no end: what it came to is not known, and an older one says nothing of it.
    Unfinished(String),
}

/// The newest run of exactly this tree, change and rules. Where `exported` is asked for, runs in a work tree do not count: files that
/// are in no commit may have lain beside it.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn run_of(snapshot: &Snapshot, about: &About, exported: bool) -> Result<Option<Ran>, Error> {
    let mut ended = std::collections::BTreeSet::new();
    back(snapshot, &["plan", "run"], |record, body| {
        if record.kind == "run" {
            let said: RunSaid = serde_json::from_value(body).ok()?;
            ended.insert(said.run.clone());
            let counts = said.about.is_same(about) && (said.exported || !exported);
            return counts.then(|| Ran::Ended(Box::new(said)));
        }
        let said: PlanSaid = serde_json::from_value(body).ok()?;
        (said.about.is_same(about) && !ended.contains(&said.run)).then_some(Ran::Unfinished(said.run))
    })
}

/// The envelopes of all halts that are recorded.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn halts(snapshot: &Snapshot) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    back::<()>(snapshot, &["halt"], |_, body| {
        found.extend(serde_json::from_value::<HaltSaid>(body).map(|said| said.envelope));
        None
    })?;
    Ok(found)
}

/// Probes of models, the newest first; at most a few thousand.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn probes(snapshot: &Snapshot) -> Result<Vec<ProbeSaid>, Error> {
    let mut found = Vec::new();
    back(snapshot, &["probe"], |_, body| {
        found.extend(serde_json::from_value::<ProbeSaid>(body));
        (found.len() >= MOST_PROBES).then_some(())
    })?;
    Ok(found)
}

/// The newest decision of exactly this tree, change and rules.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn decision_of(snapshot: &Snapshot, about: &About) -> Result<Option<DecisionSaid>, Error> {
    Ok(newest(snapshot, "decision", |said: &DecisionSaid| said.about.is_same(about))?.map(|(_, said)| said))
}

/// The outcomes of a run that count for a plan: those of bundles of which it ran all that the plan asks for. It may have run more: what
/// tests enter, and which of them failed, is known better after it.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn outcomes(snapshot: &Snapshot, run: &RunSaid, plan: &Plan) -> Result<BTreeMap<String, BundleOutcome>, Error> {
    let mut counted = BTreeMap::new();
    for (name, ran) in &run.bundles {
        let asked = plan.bundles.iter().find(|bundle| bundle.name == *name);
        let counts = match (&ran.tests, asked) {
            // What ran whole, ran whatever is asked for.
            (None, _) => true,
            (Some(_), None) => false,
            (Some(digest), Some(asked)) => match tests_of(asked) {
                None => false,
                Some(of_asked) => {
                    of_asked == *digest
                        || covers(
                            &reported(snapshot, &run.run, name)?,
                            &ran.whole,
                            asked.selected.iter().chain(&asked.whole),
                        )
                }
            },
        };
        if counts {
            counted.insert(name.clone(), ran.outcome);
        }
    }
    Ok(counted)
}

/// Tests that had not passed when they ran last, as the newest run says: bundle, id, run.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn failed(snapshot: &Snapshot) -> Result<BTreeMap<String, BTreeMap<String, String>>, Error> {
    let newest = back(snapshot, &["run"], |_, body| serde_json::from_value::<RunSaid>(body).ok())?;
    Ok(newest.map(|said| said.failed).unwrap_or_default())
}

/// Which records of what tests enter a run of this ledger signed for: looked for from the newest run back.
#[derive(Debug)]
pub struct SignedReach {
    ledger: Option<Snapshot>,
    /// Records before this one were not looked at.
    until: u64,
    sums: BTreeSet<String>,
}

impl SignedReach {
    /// Records that are looked at; what only an older one names, or another ledger, is not signed for.
    const MOST: u64 = 20_000;

    /// Those of a repository; none where its ledger is not there, or not what was signed.
    #[must_use]
    pub fn of(repository: &Repository) -> Self {
        let ledger = recorded(repository).ok().flatten();
        Self { until: ledger.as_ref().map_or(0, Snapshot::len), ledger, sums: BTreeSet::new() }
    }

    /// Whether a run signed for a record of this SHA-256.
    pub fn has(&mut self, sum: &str) -> bool {
        let Some(ledger) = &self.ledger else { return false };
        let last = ledger.len().saturating_sub(Self::MOST);
        while !self.sums.contains(sum) && self.until > last {
            let begin = self.until.saturating_sub(STRIDE);
            for record in ledger.records(begin..self.until).flatten().filter(|record| record.kind == "run") {
                let said = ledger.body(&record).ok().and_then(|body| serde_json::from_value::<RunSaid>(body).ok());
                self.sums.extend(said.map(|said| said.reach).unwrap_or_default());
            }
            self.until = begin;
        }
        self.sums.contains(sum)
    }
}

/// What a run reports of a bundle, by form: each test with its parameters, and whether it passed or was left out on purpose.
fn reported(snapshot: &Snapshot, run: &str, bundle: &str) -> Result<BTreeMap<String, BTreeMap<String, bool>>, Error> {
    let mut forms = BTreeMap::new();
    back(snapshot, &["bundle", "plan"], |record, body| {
        if record.kind == "plan" {
            return (body.get("run").and_then(Value::as_str) == Some(run)).then_some(());
        }
        let said = serde_json::from_value::<BundleSaid>(body).ok()?;
        if said.run == run && said.bundle == bundle {
            let is_fine = |status: &str| matches!(status, "passed" | "flaky" | "skipped");
            let tests = said.tests.into_iter().map(|test| (test.test, is_fine(&test.status))).collect();
            // The newest of a form counts: it was run again.
            forms.entry(said.form).or_insert(tests);
        }
        None
    })?;
    Ok(forms)
}

/// Whether all that is asked for of a narrowed bundle is among what ran, and each test of it passed in every form: a share of others that
/// passed beside it says nothing of it.
fn covers<'a>(
    reported: &BTreeMap<String, BTreeMap<String, bool>>,
    whole: &BTreeSet<String>,
    mut asked: impl Iterator<Item = &'a String>,
) -> bool {
    let passed = |form: &BTreeMap<String, bool>, test: &String| {
        let with_parameters = format!("{test}[");
        let of_parameters =
            form.range(with_parameters.clone()..).take_while(|(id, _)| id.starts_with(&with_parameters));
        let mut ends = form.get(test).into_iter().chain(of_parameters.map(|(_, passed)| passed)).peekable();
        ends.peek().is_some() && ends.all(|passed| *passed)
    };
    let file_passed = |form: &BTreeMap<String, bool>, file: &str| {
        form.iter().filter(|(id, _)| id.split_once("::").is_some_and(|(of, _)| of == file)).all(|(_, passed)| *passed)
    };
    !reported.is_empty()
        && asked.all(|one| match one.contains("::") {
            true => reported.values().all(|form| passed(form, one)),
            false => whole.contains(one) && reported.values().all(|form| file_passed(form, one)),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_covers_what_is_asked_for_where_each_of_it_passed_in_every_form() {
        let form = |tests: &[(&str, bool)]| -> BTreeMap<String, bool> {
            tests.iter().map(|(id, passed)| ((*id).to_owned(), *passed)).collect()
        };
        let asked = |selected: &[&str], whole: &[&str]| -> Vec<String> {
            selected.iter().chain(whole).map(|name| (*name).to_owned()).collect()
        };
        let whole = BTreeSet::from(["b.py".to_owned()]);
        let one = form(&[("a.py::t[1]", true), ("a.py::t[2]", true), ("a.py::t_more", false), ("b.py::u", true)]);
        let covers = |forms: &[&BTreeMap<String, bool>], asked: &[String]| {
            let forms = forms.iter().enumerate().map(|(number, form)| (number.to_string(), (*form).clone()));
            covers(&forms.collect(), &whole, asked.iter())
        };
        assert!(covers(&[&one], &asked(&["a.py::t", "b.py::u"], &["b.py"])));
        // Not reported, failed, of a file that was not run whole, and in the other form not at all.
        assert!(!covers(&[&one], &asked(&["a.py::v"], &[])));
        assert!(!covers(&[&one], &asked(&["a.py::t_more"], &[])));
        assert!(!covers(&[&one], &asked(&["b.py::w"], &[])), "a file that ran whole did not report it");
        assert!(!covers(&[&one], &asked(&[], &["a.py"])));
        assert!(!covers(&[&one, &form(&[("b.py::u", true)])], &asked(&["a.py::t"], &[])));
        assert!(covers(&[&one, &form(&[("a.py::t", true)])], &asked(&["a.py::t"], &[])));
        // One of its parameters failed; a test of a file that is asked for whole failed.
        let failed = form(&[("a.py::t[1]", true), ("a.py::t[2]", false), ("b.py::u", false)]);
        assert!(!covers(&[&failed], &asked(&["a.py::t"], &[])));
        assert!(!covers(&[&failed], &asked(&[], &["b.py"])));
        assert!(!covers(&[], &asked(&[], &[])), "nothing is known of it");
    }
}
