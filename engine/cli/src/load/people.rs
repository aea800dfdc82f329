//! What people said of a change: who may sign, which waivers are granted, who made it, what was agreed.

use std::collections::BTreeSet;

use grace_dsl::Role;
use grace_engine::decide::Decision;
use grace_engine::input::{Book, Declared, VerifiedBot};
use grace_engine::plan::Plan;
use grace_govern::agreement::{self, Heard, Uncounted};
use grace_govern::authors::{Authorship, authorship};
use grace_govern::cycle::{Loop, Reviewing, Since};
use grace_govern::halts::{self, Halt, Lifters};
use grace_govern::shelf::{self, Found, Place as Shelf};
use grace_govern::signers::{self, AllowedSigners};
use grace_govern::signing::{self, GIT};
use grace_govern::{envelope, grants, journal};
use grace_ledger::Snapshot;
use grace_system::git::{CommitId, CommitInfo, CommitRange, Repository};
use grace_system::{ProblemKind, files};
use jiff::Timestamp;

use super::side::{Files, Problem, Reader};
use super::{Head, Loaded};
use crate::failure::{Failure, Result};

/// Commits of one change whose signatures are looked at; with more, it is not proved who made them.
const MOST_COMMITS: usize = 2000;

/// Who may sign, by the before side. A file that cannot be read names nobody.
pub(super) fn signers(reader: &Reader<'_>, before: &Files, problems: &mut Vec<Problem>) -> Result<AllowedSigners> {
    let Some(entry) = before.get(signers::PATH) else { return Ok(AllowedSigners::default()) };
    let mut problem = |message: String| {
        problems.push(Problem { path: signers::PATH.to_owned(), kind: ProblemKind::Unreadable, message });
    };
    match reader.text(signers::PATH, entry, signers::MAX_BYTES)? {
        Ok(text) => {
            let signers = AllowedSigners::parse(&text);
            for (line, why) in &signers.unread {
                problem(format!("line {line} stands for nobody: {why}"));
            }
            Ok(signers)
        }
        Err(why) => {
            problem(why.to_string());
            Ok(AllowedSigners::default())
        }
    }
}

/// The waivers of the rules before the change that are granted. Git is asked only where there is a waiver.
pub(super) fn grants(
    repository: &Repository,
    book: &Book,
    signers: &AllowedSigners,
    of: (Head, Option<CommitId>),
    as_of: i64,
) -> Result<BTreeSet<String>> {
    let texts = || book.files.iter().filter_map(|file| file.text.as_deref().ok());
    if signers.is_empty() || !texts().any(|text| text.contains("waiver")) {
        return Ok(BTreeSet::new());
    }
    let waivers = grants::waivers(texts());
    if waivers.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found = shelf::read(repository, &Shelf::Grants)?;
    if found.signed.is_empty() {
        return Ok(BTreeSet::new());
    }
    let at = time(as_of)?;
    let authorship = authors_of(repository, of.0, of.1, signers, at)?;
    Ok(grants::granted(&found, &waivers, signers, &authorship, at))
}

pub(super) fn time(as_of: i64) -> Result<Timestamp> {
    Timestamp::from_second(as_of).map_err(|error| Failure::new("input", error))
}

/// The commits of a change, newest first, and at most one more than are looked at.
///
/// # Errors
/// When git cannot answer.
pub fn commits(repository: &Repository, head: Head, base: Option<CommitId>) -> Result<Vec<CommitInfo>> {
    let until = match head {
        Head::Commit(commit) => Some(commit),
        Head::Staged | Head::WorkTree => repository.head()?,
        Head::Supposed => None,
    };
    let Some(until) = until.filter(|until| Some(*until) != base) else { return Ok(Vec::new()) };
    let range = CommitRange { after: base, until, first_parent: false, limit: MOST_COMMITS + 1 };
    Ok(repository.commits(range)?)
}

/// The bot that makes a change: every commit of it is signed by the bot's own key of the base, and nothing else is in it.
///
/// # Errors
/// When git cannot answer.
pub(super) fn verified_bot(
    repository: &Repository,
    head: Head,
    base: Option<CommitId>,
    signers: &AllowedSigners,
    as_of: i64,
) -> Result<VerifiedBot> {
    // What is not committed, or supposed, nobody signed.
    let (Head::Commit(_), false) = (head, repository.is_shallow()) else { return Ok(VerifiedBot::Nobody) };
    let commits = commits(repository, head, base)?;
    if commits.is_empty() || commits.len() > MOST_COMMITS {
        return Ok(VerifiedBot::Nobody);
    }
    let at = time(as_of)?;
    let bots = commits.iter().map(|commit| {
        let signature = commit.signature.as_ref()?;
        let key = signing::verify(&signature.armored, GIT, &signature.signed).ok()?;
        signers.person(&key, GIT, at).ok()?.bot_name()
    });
    let bots: Option<BTreeSet<String>> = bots.collect();
    match bots.map(|bots| bots.into_iter().collect::<Vec<_>>()).as_deref() {
        Some([one]) => Ok(VerifiedBot::Bot(one.clone())),
        _ => Ok(VerifiedBot::Nobody),
    }
}

/// Who made the change, as far as it is proved; whom it names itself as asking for it took part, too.
///
/// # Errors
/// When git cannot answer.
pub fn authors(repository: &Repository, loaded: &Loaded, as_of: Timestamp) -> Result<Authorship> {
    let asking = [loaded.inputs.actor.as_ref(), loaded.inputs.story.get("requesting_actor")];
    let found = authors_of(repository, loaded.head, loaded.base, &loaded.signers, as_of)?;
    Ok(named_too(found, asking, &loaded.signers))
}

/// The same while it is loaded.
///
/// # Errors
/// When git cannot answer.
pub(super) fn authors_as(
    repository: &Repository,
    (head, base): (Head, Option<CommitId>),
    signers: &AllowedSigners,
    declared: &Declared,
    as_of: Timestamp,
) -> Result<Authorship> {
    let asking = [declared.actor.as_ref(), declared.story.get("requesting_actor")];
    Ok(named_too(authors_of(repository, head, base, signers, as_of)?, asking, signers))
}

fn named_too(mut found: Authorship, asking: [Option<&String>; 2], signers: &AllowedSigners) -> Authorship {
    for name in asking.into_iter().flatten() {
        found.add(name.trim(), signers);
    }
    found
}

fn authors_of(
    repository: &Repository,
    head: Head,
    base: Option<CommitId>,
    signers: &AllowedSigners,
    as_of: Timestamp,
) -> Result<Authorship> {
    let tip = repository.head()?;
    let uncommitted = match head {
        Head::Commit(_) => false,
        Head::Staged => !repository.changed_staged(tip)?.is_empty(),
        // Where the before side is what stands there, the change is all that is not committed.
        Head::WorkTree if base == tip => true,
        Head::WorkTree => {
            let changed = repository.changed_worktree(tip)?;
            !changed.changes.is_empty() || !changed.problems.is_empty()
        }
        Head::Supposed => true,
    };
    let commits = commits(repository, head, base)?;
    let mut found = authorship(&commits, uncommitted, signers, as_of);
    if commits.len() > MOST_COMMITS {
        found.unproved.push(format!("it has more than {MOST_COMMITS} commits"));
    }
    if repository.is_shallow() {
        found.unproved.push("the history of this clone is cut off".to_owned());
    }
    // What is compared is two trees: where the one does not come from the other, the difference holds what others made.
    let until = match head {
        Head::Commit(commit) => Some(commit),
        _ => tip,
    };
    if let (Some(base), Some(until)) = (base, until)
        && repository.merge_base(base, until).ok() != Some(base)
    {
        found.unproved.push("it does not come from what it is compared with; merge or rebase first".to_owned());
    }
    Ok(found)
}

/// Who lifts halts, and the halts that stand below `refs/grace/` or in the ledger; attempts to lift one that do not count.
///
/// # Errors
/// When git cannot answer, or the ledger is not what was signed.
pub fn halts(
    repository: &Repository,
    loaded: &Loaded,
    recorded: Option<&Snapshot>,
    as_of: Timestamp,
) -> Result<(Lifters, Vec<Halt>, Vec<Uncounted>)> {
    let mut found = shelf::read(repository, &Shelf::Halts)?;
    if found.more {
        // What is not read may be a halt.
        found.bad.push(("refs/grace/halts".to_owned(), envelope::BadEnvelope::Unreadable));
    }
    let recorded = recorded.map(journal::halts).transpose()?.unwrap_or_default();
    let mut kept_back = Vec::new();
    for envelope in recorded {
        match envelope::open(envelope.as_bytes()) {
            Ok(signed) if found.signed.iter().any(|known| known.digest == signed.digest) => {}
            Ok(signed) => {
                // Whoever recorded it was ended before it was shelved, or somebody took it away: it is to reach other clones.
                if let Err(error) = shelf::put(repository, &Shelf::Halts, &signed.digest, envelope.as_bytes()) {
                    let (envelope, by) = (signed.digest.chars().take(12).collect(), signed.statement.by.clone());
                    kept_back.push(Uncounted { envelope, by, why: format!("it does not reach other clones: {error}") });
                }
                found.signed.push(signed);
            }
            Err(bad) => found.bad.push((files::sha256(envelope.as_bytes()), bad)),
        }
    }
    let lifters = lifters(loaded);
    if found == Found::default() {
        return Ok((lifters, Vec::new(), Vec::new()));
    }
    let authorship = authors(repository, loaded, as_of)?;
    let (halts, mut uncounted) = halts::standing(&found, &loaded.signers, &lifters, &authorship, as_of);
    uncounted.extend(kept_back);
    Ok((lifters, halts, uncounted))
}

/// The teams that look at the agents' work, by the rules before the change.
#[must_use]
pub fn lifters(loaded: &Loaded) -> Lifters {
    lifters_of(loaded.rules[0].as_ref())
}

/// The same of a rule book.
pub(super) fn lifters_of(book: Option<&Book>) -> Lifters {
    // What is only used, and not adopted, does not apply.
    let files = book.into_iter().flat_map(|book| &book.files).filter(|file| file.role != Role::Used);
    Lifters::of(files.filter_map(|file| file.text.as_deref().ok()))
}

/// What holds every change back until the audit loop has gone on, by the rules before the change.
///
/// # Errors
/// When git cannot answer, or the ledger is not what was signed.
pub fn cycles(
    repository: &Repository,
    loaded: &Loaded,
    recorded: Option<&Snapshot>,
    at: Timestamp,
) -> Result<Vec<String>> {
    let audit = loaded.rules[0].as_ref().and_then(Loop::of);
    let (Some(audit), Some(recorded)) = (audit, recorded) else { return Ok(Vec::new()) };
    let since = Since::read(recorded, &audit)?;
    let reviews = reviews(repository, &since)?;
    Ok(since.holds(&audit, &Reviewing { signers: &loaded.signers, teams: &lifters(loaded), at }, &reviews))
}

/// What stands on the shelf for the newest cycle.
///
/// # Errors
/// When git cannot answer.
pub fn reviews(repository: &Repository, since: &Since) -> Result<Found> {
    Ok(match &since.last {
        Some((_, digest, _)) => shelf::read(repository, &Shelf::Reviews(digest.clone()))?,
        None => Found::default(),
    })
}

/// What people said of the change, where the decision without them asks anybody.
///
/// # Errors
/// When git cannot answer.
pub fn heard(
    repository: &Repository,
    loaded: &Loaded,
    plan: &Plan,
    asked: &Decision,
    as_of: Timestamp,
) -> Result<Heard> {
    let found = shelf::read(repository, &Shelf::Approvals(plan.subject.diff.clone()))?;
    let authorship = authors(repository, loaded, as_of)?;
    Ok(agreement::hear(&found, &loaded.signers, &authorship, plan, asked, as_of))
}
