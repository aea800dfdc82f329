//! Rollbacks that people went for: the way back of a deployment is in a change that the gate said go of.
//!
//! Nothing is taken back here. It is told by what `git revert` writes into messages, and only where all commits of the deployment
//! are named: a squashed revert that kept their names counts, a change that merely looks like one does not.

use std::collections::BTreeSet;

use grace_engine::decide::Answer;
use grace_ledger::Snapshot;
use grace_system::git::{CommitRange, GitError, Repository};

use super::history::Past;
use super::said::{RollbackSaid, Said};
use crate::journal::{self, DecisionSaid, Event};

/// The word of a rollback that people went for.
pub const ACCEPTED: &str = "accepted";
/// Decisions that are looked at, from the newest back.
const MOST_DECISIONS: usize = 200;
/// Commits of each.
const MOST_COMMITS: usize = 1000;

/// What is to be recorded: each rollback that was accepted since, once.
pub(super) fn found(
    repository: &Repository,
    recorded: &Snapshot,
    past: &Past,
) -> Result<Vec<Event>, super::collect::CollectError> {
    let waiting = past.deployments.values().filter(|one| {
        let words = || one.rollbacks.iter().map(|(_, word, _)| word.as_str());
        words().next().is_some() && words().all(|word| word != ACCEPTED)
    });
    let waiting: Vec<_> = waiting.filter(|one| !one.said.commits.is_empty() && !one.said.more_commits).collect();
    let Some(first) = waiting.iter().map(|one| one.number).min() else { return Ok(Vec::new()) };
    let mut looked_at = 0;
    let mut changes: BTreeSet<(String, String)> = BTreeSet::new();
    journal::back(recorded, &["decision"], |record, body| {
        looked_at += 1;
        let said = serde_json::from_value::<DecisionSaid>(body).ok().filter(|said| said.answer == Answer::Go);
        let about = said.map(|said| said.about);
        changes.extend(about.and_then(|about| about.base.zip(about.head)));
        (looked_at >= MOST_DECISIONS || record.seq < first).then_some(())
    })?;
    let mut reverted = BTreeSet::new();
    for (base, head) in changes {
        reverted.extend(reverts(repository, &base, &head).unwrap_or_default());
    }
    let accepted = waiting.into_iter().filter(|one| one.said.commits.iter().all(|commit| reverted.contains(commit)));
    let event = |rule: &str, deployment| {
        Event::Monitoring(Said::Rollback(RollbackSaid {
            deployment,
            rule: rule.to_owned(),
            word: ACCEPTED.to_owned(),
            onto: None,
            commands: Vec::new(),
            applies: true,
            conflicts: Vec::new(),
            says: "all of its commits are reverted by changes that the gate said go of".to_owned(),
        }))
    };
    let rule =
        |one: &super::history::Deployment| one.rollbacks.first().map(|(rule, ..)| rule.clone()).unwrap_or_default();
    Ok(accepted.map(|one| event(&rule(one), one.number)).collect())
}

/// The commits that those of a change say that they revert. What this clone lacks says nothing.
fn reverts(repository: &Repository, base: &str, head: &str) -> Result<BTreeSet<String>, GitError> {
    let (after, until) = (Some(repository.resolve(base)?), repository.resolve(head)?);
    let range = CommitRange { after, until, first_parent: false, limit: MOST_COMMITS };
    let named = |message: &str| message.split("This reverts commit ").skip(1).map(name).collect::<Vec<_>>();
    Ok(repository.commits(range)?.iter().flat_map(|commit| named(&commit.message)).collect())
}

/// The name that a text begins with.
fn name(text: &str) -> String {
    text.chars().take_while(char::is_ascii_hexdigit).take(64).collect()
}
