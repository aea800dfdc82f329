//! Loading: from a repository (or a plain directory) and the command line to the engine's input.
//!
//! Two sides are listed, then read: each distinct content once, in parallel, texts dropped as soon as their facts are
//! known. What cannot be read is named, never skipped. Nothing of the repository is executed, and nothing is written
//! but what the user's cache remembers.

mod books;
mod change;
pub mod estimate;
pub mod failed;
mod history;
pub mod ledger;
mod measured;
mod memory;
pub mod models;
mod name;
pub mod people;
pub mod reach;
pub mod replay;
pub mod session;
mod side;
pub mod told;
pub mod tree;
mod trees;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use grace_engine::input::{Book, Declared, Input, PastFacts, VerifiedBot};
use grace_govern::envelope::Signed;
use grace_govern::inputs::Inputs;
use grace_govern::journal;
use grace_govern::monitor::raises::{self, Raise};
use grace_govern::signers::AllowedSigners;
use grace_govern::story::Fields;
use grace_graph::change::Change;
use grace_system::git::{CommitId, GitError, Repository};
use grace_system::process::Cancel;
use grace_system::{clock, env, files};

pub use books::{OWN_RULES, own_book, shipped_floor};
pub use change::{Head, default_base};
pub use history::store_path;
pub use memory::{Cache, Memory};
pub use side::{Files, Problem, Source};

use crate::args::{ChangeArgs, GraphArgs};
use crate::failure::{Failure, Result, quoted};
use crate::progress::Progress;

/// Where the command works.
#[derive(Debug)]
pub struct Place {
    /// The directory that the user stands in, or gave by `-C`.
    pub directory: PathBuf,
    /// The repository's top; the directory itself where there is none.
    pub root: PathBuf,
    /// The repository.
    pub repository: std::result::Result<Repository, GitError>,
}

impl Place {
    /// The place of `-C DIR` or of the working directory.
    ///
    /// # Errors
    /// When the directory is not there.
    pub fn find(directory: Option<&Path>, cancel: &Cancel) -> Result<Self> {
        let directory = match directory {
            Some(directory) => directory.to_path_buf(),
            None => env::current_dir()
                .map_err(|error| Failure::new("file", format!("the working directory cannot be used: {error}")))?,
        };
        if !files::is_dir(&directory) {
            return Err(Failure::new("file", format!("{} is not a directory", quoted(&directory))));
        }
        let directory = files::canonical(&directory)?;
        let repository = Repository::discover(&directory).map(|repository| repository.with_cancel(cancel.clone()));
        let root = repository.as_ref().map_or_else(|_| directory.clone(), |repository| repository.root().to_path_buf());
        Ok(Self { directory, root, repository })
    }

    /// The repository, where a command needs one.
    ///
    /// # Errors
    /// When there is none.
    pub fn repository(&self) -> Result<&Repository> {
        self.repository.as_ref().map_err(|error| error.clone().into())
    }

    /// The repository if there is one; `None` where the directory is in none.
    ///
    /// # Errors
    /// When there may be one that cannot be used (no git, another owner, no work tree).
    fn optional_repository(&self) -> Result<Option<&Repository>> {
        match &self.repository {
            Ok(repository) => Ok(Some(repository)),
            Err(GitError::NotARepository { .. }) => Ok(None),
            Err(GitError::NoGit) if !self.directory.ancestors().any(|dir| files::exists(&dir.join(".git"))) => Ok(None),
            Err(error) => Err(error.clone().into()),
        }
    }

    /// A path as the user gave it, made absolute.
    #[must_use]
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }
}

/// What was loaded for a plan.
#[derive(Debug)]
pub struct Loaded {
    /// What the engine is given.
    pub input: Input,
    /// Facts of both trees, and what else is remembered.
    pub memory: Memory,
    /// Facts of the past, as the input has them.
    pub past: Arc<PastFacts>,
    /// What was compared, for the screen.
    pub compared: String,
    /// What could not be read or listed.
    pub problems: Vec<Problem>,
    /// What is wrong in fingerprints of the project, one by one; [`Self::problems`] has a sentence for each such file.
    pub fingerprints: Vec<grace_fingerprints::Problem>,
    /// The files of the before side.
    pub before: Files,
    /// The files of the after side, for those that run something there.
    pub after: Files,
    /// Files that had another content where tests were recorded than before the change: what a record is worth hangs on what
    /// they are after it.
    pub recorded_otherwise: BTreeSet<String>,
    /// The commit of the before side; `None` where there is none yet, or no repository.
    pub base: Option<CommitId>,
    /// What the after side is.
    pub head: Head,
    /// Who may sign: those that the before side names.
    pub signers: AllowedSigners,
    /// Paths of the changed files.
    pub changed: Vec<String>,
    /// The change, as the input has it.
    pub change: Change,
    /// What names the change to another command: `--base main --head feature`.
    pub named: String,
    /// What decides a plan and lies in no tree.
    pub inputs: Inputs,
    /// What the command line gives for a story.
    pub given: Fields,
    /// The rules before and after the change, as the input has them.
    pub rules: [Option<Book>; 2],
}

impl Loaded {
    /// Both rule books, as far as there are any.
    pub fn books(&self) -> impl Iterator<Item = &Book> {
        self.rules.iter().flatten()
    }
}

/// Loads both sides, the change between them and everything that judges it.
///
/// # Errors
/// When git cannot answer, a revision is not there, a diff does not apply, or the command line contradicts itself.
pub fn load(place: &Place, args: &ChangeArgs, cache: Cache, progress: &Progress) -> Result<Loaded> {
    let as_of = as_of(args.as_of.as_deref())?;
    let repository = match (&args.diff, args.files.is_empty()) {
        (None, true) => Some(place.repository()?),
        _ => place.optional_repository()?,
    };
    // Before the trees are read, which takes longer: a slip of the keyboard is answered at once.
    let tried = args.rules.as_deref().map(|directory| books::from_directory(place, directory)).transpose()?;
    let reader = side::Reader::new(&place.root, repository, cache);
    let mut compared = change::compare(place, &reader, args)?;
    trees::read_changed(&reader, &compared.change);
    let trees = trees::read(&reader, &[&compared.before, &compared.after], progress)?;
    let [before, after] = <[_; 2]>::try_from(trees).map_err(|_| Failure::new("bug", "two sides give two trees"))?;
    let (mut rules_before, mut rules_after) = match tried {
        Some(book) => (Some(book.clone()), Some(book)),
        None => books::of_both(&reader, &compared.before, &compared.after)?,
    };
    let mut past = PastFacts::default();
    let fingerprints = models::fill(&reader, &compared.before, &compared.after, &mut past, &mut compared.problems)?;
    books::owners(&reader, &compared.before, &mut past, &mut compared.problems)?;
    if history::is_asked_for(rules_before.iter().chain(&rules_after))
        && let Some(repository) = repository
    {
        match history::bundle_runs(repository, &reader.memory) {
            Ok(runs) => past.runs = runs,
            // The rules that ask for it are then unknown, which raises.
            Err(error) => compared.problems.push(Problem {
                path: "the store of past runs".to_owned(),
                kind: grace_system::ProblemKind::Unreadable,
                message: error.to_string(),
            }),
        }
    }
    let kpis = history::own_kpis(rules_before.iter().chain(&rules_after));
    if !kpis.is_empty()
        && let Some(repository) = repository
    {
        match history::selections(repository, &reader.memory) {
            Ok(seen) => past.kpis.extend(kpis.iter().filter_map(|(name, kpi)| Some((name.clone(), kpi.value(seen)?)))),
            // The rules that ask for it are then unknown, which raises.
            Err(error) => compared.problems.push(Problem {
                path: "the store of past runs".to_owned(),
                kind: grace_system::ProblemKind::Unreadable,
                message: error.to_string(),
            }),
        }
    }
    let asked = measured::asked(rules_before.iter().chain(&rules_after));
    if !asked.is_empty()
        && let Some(repository) = repository
    {
        match measured::values(repository, &asked, as_of) {
            Ok(values) => past.kpis.extend(values),
            // The rules that ask for it are then unknown, which raises.
            Err(error) => compared.problems.push(Problem {
                path: "the ledger".to_owned(),
                kind: grace_system::ProblemKind::Unreadable,
                message: error.to_string(),
            }),
        }
    }
    past.failed = repository.map(|repository| failed::read(repository, cache)).transpose()?.unwrap_or_default();
    let records = reach::of(&place.root, &reader, &compared.before, &compared.after);
    past.reach = records.past;
    let signers = people::signers(&reader, &compared.before, &mut compared.problems)?;
    if let (Some(repository), Some(book)) = (repository, &rules_before) {
        past.grants = people::grants(repository, book, &signers, (compared.head, compared.base), as_of)?;
    }
    let asks_for_bots = rules_before.iter().chain(&rules_after).flat_map(|book| &book.files);
    let asks_for_bots = asks_for_bots.filter_map(|file| file.text.as_ref().ok()).any(|text| text.contains("bot("));
    let verified_bot = match repository {
        Some(repository) if asks_for_bots => {
            people::verified_bot(repository, compared.head, compared.base, &signers, as_of)?
        }
        _ => VerifiedBot::NotLookedAt,
    };
    let given = told::given(place, args)?;
    let commits = match repository {
        Some(repository) if told::is_asked_for(rules_before.iter().chain(&rules_after)) => {
            let head = compared.tip.map_or(compared.head, Head::Commit);
            people::commits(repository, head, compared.base)?
        }
        _ => Vec::new(),
    };
    let told = told::declared(&given, &commits);
    let declared = Declared {
        operation: args.operation.clone(),
        actor: args.actor.clone(),
        ticket: args.ticket.clone(),
        rationale: args.rationale.clone().or_else(|| told.get("rationale").cloned()),
        story: told,
        branch: args.branch.clone().or_else(|| compared.branch.clone()),
        verified_bot,
    };
    // What got worse after a deployment raises, whatever the rules of either side say.
    let (mut raised, lifts) =
        repository.map(|repository| raised(repository, cache, as_of)).transpose()?.unwrap_or_default();
    if let (Some(repository), false, false) = (repository, raised.is_empty(), lifts.is_empty()) {
        let authorship =
            people::authors_as(repository, (compared.head, compared.base), &signers, &declared, people::time(as_of)?)?;
        let lifters = people::lifters_of(rules_before.as_ref());
        raises::lift(&mut raised, &lifts, &signers, &lifters, &authorship, people::time(as_of)?);
    }
    for book in [&mut rules_before, &mut rules_after].into_iter().flatten() {
        raises::put(book, &raised);
    }
    let sides = compared.change.files.iter().filter_map(|file| file.after.as_ref().or(file.before.as_ref()));
    let changed = sides.map(|side| side.path.to_string()).collect();
    let named = name::of(args, compared.base);
    let written = compared.change.clone();
    let (kept, rules) = (Arc::new(past.clone()), [rules_before.clone(), rules_after.clone()]);
    let input = Input { before, after, change: compared.change, rules_before, rules_after, declared, past, as_of };
    let inputs = Inputs { raises: raised, ..Inputs::of(&input) };
    Ok(Loaded {
        input,
        memory: reader.memory,
        past: kept,
        compared: compared.description,
        problems: compared.problems,
        fingerprints,
        before: compared.before,
        after: compared.after,
        recorded_otherwise: records.unlike_before,
        base: compared.base,
        head: compared.head,
        signers,
        changed,
        change: written,
        named,
        inputs,
        given,
        rules,
    })
}

/// The rules of a commit; `None` where it has none of its own.
///
/// # Errors
/// When git cannot answer, or the revision is not there.
pub fn book_at(place: &Place, rev: &str) -> Result<Option<Book>> {
    let reader = side::Reader::new(&place.root, Some(place.repository()?), Cache::Unused);
    let (listed, _, _) = change::one_tree(place, &reader, Some(rev))?;
    books::of_side(&reader, &listed)
}

/// One tree without a change: for `graph` and `check`. Both sides of the input are this tree.
///
/// # Errors
/// When git cannot answer or the directory cannot be read.
pub fn load_tree(place: &Place, args: &GraphArgs, progress: &Progress) -> Result<Loaded> {
    let repository = match args.rev {
        Some(_) => Some(place.repository()?),
        None => place.optional_repository()?,
    };
    let tried = args.rules.as_deref().map(|directory| books::from_directory(place, directory)).transpose()?;
    let cache = Cache::checked_unless(args.no_cache);
    let reader = side::Reader::new(&place.root, repository, cache);
    let (listed, description, problems) = change::one_tree(place, &reader, args.rev.as_deref())?;
    let mut trees = trees::read(&reader, &[&listed], progress)?;
    let tree = trees.pop().unwrap_or_default();
    let book = match tried {
        Some(book) => Some(book),
        None => books::of_side(&reader, &listed)?,
    };
    let mut problems = problems;
    let mut past = PastFacts::default();
    // Both sides are one tree, which is read once.
    let fingerprints = models::fill(&reader, &Files::new(), &listed, &mut past, &mut problems)?;
    past.models_before.clone_from(&past.models_after);
    books::owners(&reader, &listed, &mut past, &mut problems)?;
    let kept = Arc::new(past.clone());
    let input = Input {
        before: tree.clone(),
        after: tree,
        rules_before: book.clone(),
        rules_after: book,
        past,
        as_of: as_of(None)?,
        ..Input::default()
    };
    Ok(Loaded {
        input,
        memory: reader.memory,
        past: kept,
        compared: description,
        problems,
        fingerprints,
        before: Files::new(),
        after: listed,
        recorded_otherwise: BTreeSet::new(),
        base: None,
        head: Head::Supposed,
        signers: AllowedSigners::default(),
        changed: Vec::new(),
        change: Change::default(),
        named: String::new(),
        inputs: Inputs::default(),
        given: Fields::new(),
        rules: [None, None],
    })
}

/// The rules of the work tree, or of `--rules DIR`; `None` where there are none.
///
/// # Errors
/// When git cannot answer or the directory holds no rules.
pub fn rules_here(place: &Place, rules: Option<&Path>) -> Result<Option<Book>> {
    if let Some(directory) = rules {
        return books::from_directory(place, directory).map(Some);
    }
    let repository = place.optional_repository()?;
    let reader = side::Reader::new(&place.root, repository, Cache::Unused);
    let (listed, ..) = change::one_tree(place, &reader, None)?;
    books::of_side(&reader, &listed)
}

/// Raised tiers that are in force, and what lifts some. What decides, and so believes no cache, reads the ledger as well: a plan that is only shown
/// goes by what lies beside it and below `refs/grace/`.
fn raised(repository: &Repository, cache: Cache, as_of: i64) -> Result<(Vec<Raise>, Vec<Signed>)> {
    let recorded = match cache {
        Cache::Unused => journal::recorded(repository)?.as_ref().map(raises::recorded).transpose()?.unwrap_or_default(),
        _ => Vec::new(),
    };
    Ok(raises::in_force(repository, &recorded, as_of)?)
}

/// Seconds since 1970 of `--as-of`; now where it is not given.
fn as_of(text: Option<&str>) -> Result<i64> {
    text.map_or_else(|| Ok(clock::now().as_second()), moment)
}

/// Seconds since 1970 of a date (its first moment, UTC) or a time with its offset.
///
/// # Errors
/// When it is neither.
pub fn moment(text: &str) -> Result<i64> {
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && let Ok(time) = date.to_zoned(jiff::tz::TimeZone::UTC)
        && !text.contains('T')
    {
        return Ok(time.timestamp().as_second());
    }
    text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second).map_err(|_| {
        Failure::new("input", format!("`{}` is neither a date nor a time", text.escape_debug()))
            .help("write 2026-12-24, or 2026-12-24T18:00:00Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_of_takes_dates_and_times() {
        assert_eq!(as_of(Some("1970-01-02")).unwrap(), 86_400);
        assert_eq!(as_of(Some("1970-01-02T00:00:01Z")).unwrap(), 86_401);
        assert_eq!(as_of(Some("1970-01-02T01:00:00+01:00")).unwrap(), 86_400);
        assert_eq!(as_of(Some("soon")).unwrap_err().code, "input");
        assert_eq!(as_of(Some("2026-02-30")).unwrap_err().code, "input");
    }
}
