//! The audit loop: every so many actions, what was done is looked at as a whole.
//!
//! Each run that ends is an action (`action`), whoever made it and under whatever name; the same change of the same tree counts once.
//! A cycle (`cycle`) runs the bundles of what was touched again, gathers what the guardrails saw, compares models with their
//! baselines, and tells what happened. One that fails halts, where the rules say so; one that passed waits for its reviewers.
//! The rules before a change say how often, and the gate holds until it is done; a cycle that was judged by less than they ask
//! for is none.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::Role;
use grace_dsl::ast::{Audit, ItemKind, ModelLimits, OperationalKind};
use grace_engine::decide::BundleOutcome;
use grace_engine::input::Book;
use grace_ledger::{Error, Snapshot};
use grace_system::files;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agreement::{Uncounted, WITHOUT_PROOF};
use crate::authors::Authorship;
use crate::envelope::Says;
use crate::guardrails::{Finding, Guardrail};
use crate::halts::Lifters;
use crate::journal::{About, BundleSaid, DecisionSaid};
use crate::shelf::Found;
use crate::signers::{AllowedSigners, Person};
use crate::signing::NAMESPACE;
use crate::story::Story;

/// Most findings of one guardrail in one action that are recorded.
pub const MOST_SIGNS: usize = 40;

/// Fewest digits of a record's digest that name a cycle.
pub const DIGITS: usize = 12;

/// One action (`action`): a run that ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionSaid {
    /// The run.
    pub run: String,
    /// Of what.
    pub about: About,
    /// What the change says that it does: its type.
    pub operation: Option<String>,
    /// Paths of changed files.
    pub files: Vec<String>,
    /// Lines added.
    pub lines_added: u32,
    /// Lines removed.
    pub lines_removed: u32,
    /// Intents that the rules name for it.
    pub intents: Vec<String>,
    /// Models that it is said to have been made with, or concerns.
    pub models: Vec<String>,
    /// Tests that were run.
    pub tests: u32,
    /// Of them, those that passed.
    pub passed: u32,
    /// How the run ended: `passed`, `failed`, `stopped`.
    pub end: String,
    /// Principals of the base's `allowed_signers` who took part.
    pub by: BTreeSet<String>,
    /// It is not proved who made all of it.
    pub unproved: bool,
    /// What the guardrails saw in the lines added.
    pub signs: Vec<Finding>,
}

/// A model beside its baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelCompared {
    /// The model.
    pub model: String,
    /// Milliseconds of an answer: baseline and now.
    pub latency_ms: (u64, u64),
    /// Errors in thousandths of a percent of the requests: baseline and now.
    pub error_rate: (i64, i64),
    /// It is worse than the rules let it be.
    pub is_beyond: bool,
    /// The share that is worse for certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worse: Option<WorseShare>,
}

/// A share that is worse than it was: the intervals at 95 % have nothing in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorseShare {
    /// `fabrication`, `group_driven`, `accuracy`, `answered`.
    pub metric: String,
    /// Both bounds of the baseline, in ten-thousandths.
    pub baseline: (u32, u32),
    /// Both bounds now.
    pub now: (u32, u32),
}

/// What happened in a cycle, as the ledger tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retrospective {
    /// Actions by how they ended.
    pub ends: BTreeMap<String, u32>,
    /// Actions by operation; `not said` where none was given.
    pub operations: BTreeMap<String, u32>,
    /// Records by who is said to have made them.
    pub actors: BTreeMap<String, u32>,
    /// Decisions by answer.
    pub decisions: BTreeMap<String, u32>,
    /// How often each bundle did not pass.
    pub failed: BTreeMap<String, u32>,
    /// How often each bundle passed only when tried again.
    pub flaky: BTreeMap<String, u32>,
    /// Fields that stories lack, and how often.
    pub untold: BTreeMap<String, u32>,
    /// Tests that were run.
    pub tests: u32,
    /// Of them, those that passed.
    pub passed: u32,
    /// What somebody adds.
    pub note: Option<String>,
}

/// A cycle (`cycle`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CycleSaid {
    /// Which, from 1.
    pub number: u64,
    /// Its run, under which bundles were recorded.
    pub run: String,
    /// Numbers of the actions' records.
    pub actions: Vec<u64>,
    /// Records before this number were looked at; what was recorded while the cycle was made is of the next one.
    pub until: u64,
    /// Digest of the work tree in which the bundles ran again.
    pub tree: String,
    /// The commit that was checked out there.
    pub commit: Option<String>,
    /// One of the actions was of exactly this tree.
    pub is_theirs: bool,
    /// Paths that were changed.
    pub files: Vec<String>,
    /// Lines added.
    pub lines_added: u64,
    /// Lines removed.
    pub lines_removed: u64,
    /// What the bundles of what was touched came to.
    #[schemars(with = "BTreeMap<String, String>")]
    pub bundles: BTreeMap<String, BundleOutcome>,
    /// What those guardrails saw that the rules ask for.
    pub signs: Vec<Finding>,
    /// Models beside their baselines.
    pub models: Vec<ModelCompared>,
    /// Principals who took part in its actions: they do not review it.
    pub by: BTreeSet<String>,
    /// It is not proved who made all of it.
    pub unproved: bool,
    /// What happened.
    pub retrospective: Retrospective,
    /// Why it failed; empty = it passed.
    pub failures: Vec<String>,
    /// It halted: who lifts that are its reviewers.
    pub halted: bool,
    /// By what it was judged: the loop of the base that was named.
    #[serde(default)]
    pub judged_by: Loop,
}

/// What the `audit` items of a rule book ask for: of several, the most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Loop {
    /// Actions in a cycle.
    pub every: u32,
    /// The bundles of what was touched run again.
    pub reruns: bool,
    /// How far models may be worse than their baselines: latency in thousandths of a percent of it, error rate in thousandths
    /// of a percentage point.
    #[serde(with = "limits")]
    #[schemars(with = "Option<(i64, i64)>")]
    pub compares: Option<ModelLimits>,
    /// Guardrails that count.
    pub checks: BTreeSet<Guardrail>,
    /// How many of which team look at a cycle.
    pub reviews: BTreeMap<String, u32>,
    /// A cycle that fails halts.
    pub halts: bool,
    /// Some item says nothing that can be done.
    pub unread: bool,
}

impl Loop {
    /// That of a book; `None` where it holds no `audit`. What is only used, and not adopted, does not apply.
    #[must_use]
    pub fn of(book: &Book) -> Option<Self> {
        let mut found: Option<Self> = None;
        let files = book.files.iter().filter(|file| file.role != Role::Used);
        for text in files.filter_map(|file| file.text.as_deref().ok()) {
            for item in grace_dsl::parse(text).items {
                let ItemKind::Operational(item) = item.kind else { continue };
                if item.kind == OperationalKind::Audit {
                    found.get_or_insert_default().join(Audit::of(&item));
                }
            }
        }
        found
    }

    /// Whether a cycle that was judged by this one is one for whoever asks for `asked`.
    #[must_use]
    pub fn covers(&self, asked: &Self) -> bool {
        let limits = match (self.compares, asked.compares) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(asked)) => own.latency <= asked.latency && own.error_rate <= asked.error_rate,
        };
        let reviews = |(team, count): (&String, &u32)| self.reviews.get(team).is_some_and(|own| own >= count);
        limits
            && self.reruns >= asked.reruns
            && self.halts >= asked.halts
            && self.checks.is_superset(&asked.checks)
            && asked.reviews.iter().all(reviews)
    }

    fn join(&mut self, audit: Option<Audit>) {
        let Some(audit) = audit else {
            self.unread = true;
            return;
        };
        self.every = if self.every == 0 { audit.every } else { self.every.min(audit.every) };
        self.reruns |= audit.reruns;
        self.halts |= audit.halts;
        let known = |word: &&str| Guardrail::ALL.into_iter().find(|guardrail| guardrail.word() == *word);
        self.checks.extend(audit.checks.iter().filter_map(known));
        if let Some((count, team)) = audit.review {
            let most = self.reviews.entry(team).or_default();
            *most = count.max(*most);
        }
        self.compares = match (self.compares, audit.compares) {
            (Some(a), Some(b)) => {
                Some(ModelLimits { latency: a.latency.min(b.latency), error_rate: a.error_rate.min(b.error_rate) })
            }
            (a, b) => a.or(b),
        };
    }
}

/// Limits as two numbers.
mod limits {
    use grace_dsl::ast::ModelLimits;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(limits: &Option<ModelLimits>, to: S) -> Result<S::Ok, S::Error> {
        limits.map(|limits| (limits.latency, limits.error_rate)).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ModelLimits>, D::Error> {
        let limits = Option::<(i64, i64)>::deserialize(from)?;
        Ok(limits.map(|(latency, error_rate)| ModelLimits { latency, error_rate }))
    }
}

/// The newest cycle, and what was done since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Since {
    /// The cycle: its number in the ledger, the digest of its record, and what it says.
    pub last: Option<(u64, String, CycleSaid)>,
    /// Actions since, oldest first, each with its number in the ledger: the same change of the same tree once.
    pub actions: Vec<(u64, ActionSaid)>,
}

impl Since {
    /// Reads it from the ledger, as rules that ask for `audit` see it.
    ///
    /// # Errors
    /// When the ledger is not what was signed.
    pub fn read(ledger: &Snapshot, audit: &Loop) -> Result<Self, Error> {
        let mut since = Self::default();
        let mut seen = BTreeSet::new();
        crate::journal::back(ledger, &["action", "cycle"], |record, body| {
            let until = since.last.as_ref().map_or(0, |(_, _, last)| last.until);
            if record.seq < until {
                return Some(());
            }
            if record.kind == "cycle" {
                // Of two that were made at once the newer one counts.
                if since.last.is_none() {
                    let said: CycleSaid = serde_json::from_value(body).ok()?;
                    // What it looked at has still to be looked at.
                    if !said.judged_by.covers(audit) {
                        return None;
                    }
                    since.last = Some((record.seq, files::sha256(&record.bytes), said));
                }
                return None;
            }
            // What is of a form that this version does not know cannot be told from others.
            let said: ActionSaid = serde_json::from_value(body).ok()?;
            if seen.insert((said.about.tree.clone(), said.about.diff.clone())) {
                since.actions.push((record.seq, said));
            }
            None
        })?;
        since.actions.reverse();
        Ok(since)
    }

    /// Whether a cycle is due.
    #[must_use]
    pub fn is_due(&self, audit: &Loop) -> bool {
        audit.every > 0 && self.actions.len() >= audit.every as usize
    }

    /// The number of the next cycle.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.last.as_ref().map_or(1, |(_, _, last)| last.number + 1)
    }

    /// What holds every change back until it is done. `reviews` is what stands on the shelf for the newest cycle.
    #[must_use]
    pub fn holds(&self, audit: &Loop, reviewing: &Reviewing<'_>, reviews: &Found) -> Vec<String> {
        let mut holds = Vec::new();
        if audit.unread {
            holds.push("an `audit` item says nothing that can be done: grace-rules check".to_owned());
        }
        if let Some((_, digest, last)) = &self.last {
            for (team, missing) in reviewing.missing(audit, last, digest, reviews) {
                let (number, command) = (last.number, review_command(digest, &team));
                holds.push(format!("audit cycle {number} waits for review {missing} of team({team}): {command}"));
            }
        }
        holds.extend(self.due(audit));
        holds
    }

    /// That a cycle is due, and what makes it.
    #[must_use]
    pub fn due(&self, audit: &Loop) -> Option<String> {
        let count = self.actions.len();
        let make = "grace-rules audit cycle --base BASE";
        self.is_due(audit).then(|| format!("{count} actions since the last audit cycle: {make}"))
    }
}

/// What signs a review.
#[must_use]
pub fn review_command(digest: &str, team: &str) -> String {
    let short = digest.get(..DIGITS).unwrap_or(digest);
    format!("grace-rules audit review {short} --as {team} --because \"…\"")
}

/// Who may review a cycle.
#[derive(Debug)]
pub struct Reviewing<'a> {
    /// Those whom the base names.
    pub signers: &'a AllowedSigners,
    /// The base's teams.
    pub teams: &'a Lifters,
    /// When it is asked.
    pub at: Timestamp,
}

impl Reviewing<'_> {
    /// Why a person's review in the name of `team` does not count; `None` where it does.
    #[must_use]
    pub fn refuses(&self, person: &Person, team: &str, cycle: &CycleSaid) -> Option<String> {
        let took_part = Authorship {
            people: cycle.by.iter().filter_map(|name| self.signers.named(name)).collect(),
            ..Authorship::default()
        };
        self.teams.refuses(person, team, &took_part)
    }

    /// How many of each team are still asked to review a cycle. One that failed needs a person who lifts its halt instead.
    #[must_use]
    pub fn missing(&self, audit: &Loop, cycle: &CycleSaid, digest: &str, found: &Found) -> BTreeMap<String, u32> {
        if cycle.halted {
            return BTreeMap::new();
        }
        let (counted, _) = self.counted(cycle, digest, found);
        let missing = audit.reviews.iter().filter_map(|(team, count)| {
            // Whoever made it may be the one who looks at it: of two people one is another.
            let least = if cycle.unproved { WITHOUT_PROOF.max(*count) } else { *count };
            let people = counted.get(team.as_str()).map_or(0, BTreeSet::len);
            let missing = least.saturating_sub(u32::try_from(people).unwrap_or(u32::MAX));
            (missing > 0).then(|| (team.clone(), missing))
        });
        missing.collect()
    }

    /// Reviews of a cycle that count, by team, and those that do not.
    #[must_use]
    pub fn counted(
        &self,
        cycle: &CycleSaid,
        digest: &str,
        found: &Found,
    ) -> (BTreeMap<String, BTreeSet<String>>, Vec<Uncounted>) {
        let (mut counted, mut uncounted) = (BTreeMap::<String, BTreeSet<String>>::new(), Vec::new());
        // With more than are read, none counts.
        for signed in found.signed.iter().filter(|_| !found.more) {
            let Says::Review { cycle: of, r#as } = &signed.statement.says else { continue };
            let statement = &signed.statement;
            let why = match self.signers.person(&signed.key, NAMESPACE, self.at) {
                _ if of != digest => Err("it is about another cycle".to_owned()),
                _ if !statement.is_in_force(self.at) => Err("it has ended".to_owned()),
                Err(_) => Err("its key is none of the base's grace/allowed_signers that is in force".to_owned()),
                Ok(person) if !person.names.contains(&statement.by) => Err(format!("it is signed by {}", person.name)),
                Ok(person) => self.refuses(&person, r#as, cycle).map_or(Ok(person.name), Err),
            };
            match why {
                Ok(name) => {
                    counted.entry(r#as.clone()).or_default().insert(name);
                }
                Err(why) => {
                    let envelope = signed.digest.chars().take(12).collect();
                    uncounted.push(Uncounted { envelope, by: statement.by.clone(), why });
                }
            }
        }
        (counted, uncounted)
    }
}

/// What happened in a range of records.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn retrospective(ledger: &Snapshot, since: &Since, note: Option<String>) -> Result<Retrospective, Error> {
    let mut told = Retrospective { note, ..Retrospective::default() };
    let begin = since.last.as_ref().map_or(0, |(_, _, last)| last.until);
    let one = |counts: &mut BTreeMap<String, u32>, name: &str| *counts.entry(name.to_owned()).or_default() += 1;
    for (_, action) in &since.actions {
        one(&mut told.ends, &action.end);
        one(&mut told.operations, action.operation.as_deref().unwrap_or("not said"));
        told.tests += action.tests;
        told.passed += action.passed;
    }
    for record in ledger.records(begin..ledger.len()) {
        let record = record?;
        if record.kind == "action" {
            one(&mut told.actors, &record.actor);
        }
        let body = match record.kind.as_str() {
            "bundle" | "decision" | "story" => ledger.body(&record)?,
            _ => continue,
        };
        match record.kind.as_str() {
            "bundle" => {
                let Ok(said) = serde_json::from_value::<BundleSaid>(body) else { continue };
                match said.status.as_str() {
                    "passed" | "nothing_selected" => {}
                    "flaky" => one(&mut told.flaky, &said.bundle),
                    _ => one(&mut told.failed, &said.bundle),
                }
            }
            "decision" => {
                let Ok(said) = serde_json::from_value::<DecisionSaid>(body) else { continue };
                one(&mut told.decisions, said.answer.word());
            }
            _ => {
                let Ok(said) = serde_json::from_value::<Story>(body) else { continue };
                said.missing.iter().for_each(|field| one(&mut told.untold, field));
            }
        }
    }
    Ok(told)
}

/// The actions of a cycle as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Together {
    /// Paths that were changed.
    pub files: BTreeSet<String>,
    /// Lines added.
    pub lines_added: u64,
    /// Lines removed.
    pub lines_removed: u64,
    /// Principals who took part.
    pub by: BTreeSet<String>,
    /// It is not proved who made all of it.
    pub unproved: bool,
}

/// The actions of a cycle together.
#[must_use]
pub fn together(actions: &[(u64, ActionSaid)]) -> Together {
    let mut all = Together::default();
    for (_, action) in actions {
        all.files.extend(action.files.iter().cloned());
        all.lines_added += u64::from(action.lines_added);
        all.lines_removed += u64::from(action.lines_removed);
        all.by.extend(action.by.iter().cloned());
        all.unproved |= action.unproved;
    }
    all
}

/// What guardrails saw in some actions, those that the rules ask for, each once.
#[must_use]
pub fn signs(actions: &[(u64, ActionSaid)], audit: &Loop) -> Vec<Finding> {
    let all: BTreeSet<&Finding> = actions.iter().flat_map(|(_, action)| &action.signs).collect();
    all.into_iter().filter(|finding| audit.checks.contains(&finding.guardrail)).cloned().collect()
}

/// Why a cycle failed, in words; empty = it passed.
#[must_use]
pub fn failures(bundles: &BTreeMap<String, BundleOutcome>, signs: &[Finding], models: &[ModelCompared]) -> Vec<String> {
    let bad = bundles.iter().filter_map(|(name, outcome)| match outcome {
        BundleOutcome::Passed | BundleOutcome::Flaky => None,
        BundleOutcome::Failed => Some(format!("bundle {name} failed when it ran again")),
        BundleOutcome::Cancelled => Some(format!("bundle {name} did not run to its end")),
    });
    let seen = Guardrail::ALL.into_iter().filter_map(|guardrail| {
        let of: Vec<&Finding> = signs.iter().filter(|finding| finding.guardrail == guardrail).collect();
        let first = of.first()?;
        let more = match of.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        Some(format!("{}: {}:{}: {}{more}", guardrail.word(), first.file, first.line, first.what))
    });
    let worse = models.iter().filter(|model| model.is_beyond).map(|model| {
        let ((before, now), (errors, more)) = (model.latency_ms, model.error_rate);
        let bounds = |(low, high): (u32, u32)| {
            format!("{} to {} %", percent(10 * i64::from(low)), percent(10 * i64::from(high)))
        };
        let share = model
            .worse
            .as_ref()
            .map(|share| format!(", {} {} → {}", share.metric, bounds(share.baseline), bounds(share.now)));
        format!(
            "model {} is worse than its baseline: {before} → {now} ms, errors {} → {} %{}",
            model.model,
            percent(errors),
            percent(more),
            share.unwrap_or_default()
        )
    });
    bad.chain(seen).chain(worse).collect()
}

/// Thousandths of a percent in percent.
fn percent(thousandths: i64) -> String {
    let text = format!("{}.{:03}", thousandths / 1000, thousandths.unsigned_abs() % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guardrails::Guardrail;
    use crate::journal::Event;
    use grace_engine::input::BookFile;

    fn book(files: &[(Role, &str)]) -> Book {
        let file = |(role, text): &(Role, &str)| BookFile {
            path: "grace/a.grace".into(),
            text: Ok((*text).into()),
            role: *role,
        };
        Book { files: files.iter().map(file).collect() }
    }

    fn item(every: u32, rest: &str) -> String {
        format!("audit a\n  every {every} actions\n{rest}  on failure note\n")
    }

    #[test]
    fn of_several_items_the_most_counts() {
        let (a, b) = (
            item(15, "  check repetition\n  review 1 of team(x)\n"),
            item(9, "  review 2 of team(x)\n  rerun bundles of touched\n"),
        );
        let used = item(1, "");
        let read = Loop::of(&book(&[(Role::Own, &a), (Role::Adopted, &b), (Role::Used, &used)])).unwrap();
        assert_eq!((read.every, read.reruns, read.halts, read.unread), (9, true, false, false));
        assert_eq!(read.reviews, BTreeMap::from([("x".to_owned(), 2)]));
        assert_eq!(read.checks, BTreeSet::from([Guardrail::Repetition]));
        let halts = a.replace("note", "halt").replace("15 actions", "15 runs");
        assert!(
            Loop::of(&book(&[(Role::Own, &halts), (Role::Own, &b)])).unwrap().unread,
            "what cannot be done is not left out"
        );
        assert_eq!(Loop::of(&book(&[(Role::Used, &used)])), None);
    }

    #[test]
    fn whatever_is_found_makes_a_cycle_fail() {
        let passed = BTreeMap::from([("a".to_owned(), BundleOutcome::Passed), ("b".to_owned(), BundleOutcome::Flaky)]);
        assert_eq!(failures(&passed, &[], &[]), Vec::<String>::new());
        let failed =
            BTreeMap::from([("a".to_owned(), BundleOutcome::Cancelled), ("b".to_owned(), BundleOutcome::Failed)]);
        assert_eq!(failures(&failed, &[], &[]).len(), 2);
        let finding =
            |line| Finding { file: "a.py".into(), line, guardrail: Guardrail::Repetition, what: "again".into() };
        assert_eq!(failures(&passed, &[finding(3), finding(9)], &[]), ["repetition: a.py:3: again (and 1 more)"]);
        let model = |is_beyond| ModelCompared {
            model: "m".into(),
            latency_ms: (100, 160),
            error_rate: (500, 12_000),
            is_beyond,
            worse: None,
        };
        assert_eq!(failures(&passed, &[], &[model(false)]), Vec::<String>::new());
        assert_eq!(
            failures(&passed, &[], &[model(true)]),
            ["model m is worse than its baseline: 100 → 160 ms, errors 0.5 → 12 %"]
        );
        let worse = WorseShare { metric: "accuracy".to_owned(), baseline: (8_630, 9_829), now: (3_773, 6_227) };
        let worse = ModelCompared { worse: Some(worse), ..model(true) };
        assert_eq!(
            failures(&passed, &[], &[worse]),
            [
                "model m is worse than its baseline: 100 → 160 ms, errors 0.5 → 12 %, accuracy 86.3 to 98.29 % → 37.73 to 62.27 %"
            ]
        );
    }

    #[test]
    fn what_is_recorded_while_a_cycle_is_made_is_of_the_next_one() {
        let place = files::temporary_dir().unwrap();
        let key = grace_ledger::SecretKey::generate().unwrap();
        let ledger = grace_ledger::Ledger::at(place.path());
        ledger.create(&key, "mini").unwrap();
        let write = |event: &Event| {
            let draft = grace_ledger::Draft::new(event.kind(), "somebody", event.body());
            ledger.append(&key, &[draft]).unwrap()[0].seq
        };
        let read = || Since::read(&ledger.snapshot(&key.public()).unwrap(), &Loop::default()).unwrap();
        let action = |run: &str| {
            let about = About { tree: run.to_owned(), ..About::default() };
            write(&Event::Action(Box::new(ActionSaid { run: run.to_owned(), about, ..ActionSaid::default() })))
        };
        action("looked at");
        let until = ledger.snapshot(&key.public()).unwrap().len();
        let during = action("during");
        let said = CycleSaid { number: 1, until, ..CycleSaid::default() };
        write(&Event::Cycle(Box::new(said)));
        let after = action("after");
        let since = read();
        assert_eq!(since.last.as_ref().map(|(_, _, last)| last.number), Some(1));
        assert_eq!(since.actions.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [during, after]);
        // The same change of the same tree is one action, whatever its run is called.
        let tree = About { tree: "after".to_owned(), ..About::default() };
        write(&Event::Action(Box::new(ActionSaid { run: "again".to_owned(), about: tree, ..ActionSaid::default() })));
        assert_eq!(read().actions.len(), 2);
    }

    #[test]
    fn a_cycle_that_was_judged_by_less_is_none() {
        let of = |rest: &str| Loop::of(&book(&[(Role::Own, &item(2, rest))])).unwrap();
        let all = "  rerun bundles of touched
  compare models with baseline, latency 50 %, error_rate 10 points
  check repetition
  review 2 of team(x)
";
        let asked = of(all);
        assert!(asked.covers(&asked));
        assert!(!Loop { halts: false, ..asked.clone() }.covers(&Loop { halts: true, ..asked.clone() }));
        for (line, other) in [
            (
                "  rerun bundles of touched
",
                "",
            ),
            ("latency 50 %", "latency 60 %"),
            ("error_rate 10", "error_rate 20"),
            (
                "  check repetition
",
                "",
            ),
            ("review 2", "review 1"),
            ("team(x)", "team(y)"),
        ] {
            let weaker = of(&all.replace(line, other));
            assert!(!weaker.covers(&asked), "{line}");
        }
        let more =
            of(&all.replace("check repetition", "check repetition, contradictions").replace("review 2", "review 3"));
        assert!(more.covers(&asked));
        let text = serde_json::to_string(&more).unwrap();
        assert_eq!(serde_json::from_str::<Loop>(&text).unwrap(), more);
    }
}
