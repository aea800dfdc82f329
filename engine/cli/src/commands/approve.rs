//! `approve`, `deny`, `revoke`: what a person says of a change, signed with their SSH key and kept below `refs/grace/`.

use std::path::PathBuf;

use grace_engine::decide::{self, Agreed, Decision, Trust};
use grace_engine::plan::Plan;
use grace_govern::agreement;
use grace_govern::authors::Authorship;
use grace_govern::envelope::{self, Says, Signed, Statement};
use grace_govern::grants;
use grace_govern::shelf::{self, Place as Shelf};
use grace_govern::signers::{Person, Refused, fingerprint};
use grace_govern::signing::{self, NAMESPACE, SigningError};
use grace_system::clock;
use grace_system::git::Repository;
use jiff::{Timestamp, ToSpan as _};
use schemars::JsonSchema;
use serde::Serialize;

use super::plan::engine;
use super::{Answer, Context};
use crate::args::{ApproveArgs, ChangeArgs, RevokeArgs, SignArgs};
use crate::failure::{Failure, Result};
use crate::load::{Cache, Head, Loaded, people};
use crate::screen;
use crate::screen::plan::short_id;

/// How long a statement counts that does not say it, in days.
const DAYS: i64 = 30;
/// Fewest digits that name a plan: with fewer, somebody could make two that begin alike and show the other one.
const DIGITS: usize = 32;
/// Fewest digits that name one's own statement.
const FEWEST: usize = 8;

/// A statement that was made, as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SaidReport<'a> {
    schema: &'static str,
    version: u32,
    /// `approve`, `deny`, `grant`, `revoke`, `halt`, `resume`, `lift`.
    said: &'static str,
    /// Of what: the plan, the waiver, the envelope, everything.
    of: &'a str,
    by: &'a str,
    key: String,
    until: &'a str,
    envelope: &'a str,
    reference: &'a str,
    /// Approvals that are missing still.
    missing: &'a [String],
}

/// What to say: yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Yes,
    No,
}

impl From<SigningError> for Failure {
    fn from(error: SigningError) -> Self {
        Self { code: "signing", message: screen::page::printable(&error.to_string()), help: error.help() }
    }
}

pub(super) fn approve(context: &Context, args: &ApproveArgs, word: Word) -> Result<Answer> {
    match args.what.as_slice() {
        [what] => of_plan(context, args, what, word),
        [noun, name] if noun == "waiver" && word == Word::Yes => grant(context, args, name),
        [noun, _] if noun == "waiver" => {
            Err(Failure::new("usage", "a waiver is not denied").help("take a grant back: grace-rules revoke ENVELOPE"))
        }
        _ => Err(Failure::new("usage", "name one plan, or a waiver")
            .help("grace-rules approve PLAN --as TEAM, as plan and gate print it")),
    }
}

fn of_plan(context: &Context, args: &ApproveArgs, named: &str, word: Word) -> Result<Answer> {
    let repository = context.place.repository()?;
    let (plan, loaded) = judged(context, &args.change)?;
    if named.len() < DIGITS && plan.id.starts_with(&named.to_ascii_lowercase()) {
        return Err(Failure::new("input", format!("`{}` is too short to name what is signed", named.escape_debug()))
            .help(format!("write {DIGITS} digits at least, as plan and gate print them")));
    }
    if !plan.id.starts_with(&named.to_ascii_lowercase()) {
        return Err(Failure::new(
            "input",
            format!("this change has plan {}, not `{}`", short_id(&plan.id), named.escape_debug()),
        )
        .help("read it first: grace-rules plan; the change is named as there (--base, --head, …)"));
    }
    let asked = undecided(&plan, &loaded);
    let now = clock::now();
    let (file, person) = signer(context, &args.sign, &loaded, now)?;
    let authorship = people::authors(repository, &loaded, now)?;
    may(&person, &args.team, &asked, &authorship, word)?;
    let until = until(args.until.as_deref(), now, plan.valid_until.as_deref())?;
    let subject = agreement::subject(&plan, &asked);
    let shelf = Shelf::Approvals(subject.diff.clone());
    let r#as = args.team.clone();
    let (says, said) = match word {
        Word::Yes => (Says::Approve { subject, r#as }, "approve"),
        Word::No => (Says::Deny { subject, r#as }, "deny"),
    };
    if word == Word::No && args.because.is_none() {
        return Err(Failure::new("usage", "a denial says why").help("add --because \"…\""));
    }
    let statement = Statement::new(&person.name, now, until, args.because.clone(), says);
    let kept = keep(repository, &shelf, &statement, &file)?;
    let heard = people::heard(repository, &loaded, &plan, &asked, now)?;
    let decision = decide::decide(&plan, &Default::default(), &loaded.past, &heard.agreed, Trust::default());
    let of = short_id(&plan.id);
    said_it(context, &Said { said, of, statement: &statement, kept: &kept, file: &file, decision: Some(&decision) })
}

fn grant(context: &Context, args: &ApproveArgs, name: &str) -> Result<Answer> {
    let repository = context.place.repository()?;
    let (_, loaded) = judged(context, &args.change)?;
    let book = loaded.rules[0].as_ref();
    let texts = book.into_iter().flat_map(|book| &book.files).filter_map(|file| file.text.as_deref().ok());
    let waiver = grants::waivers(texts).into_iter().find(|waiver| waiver.name == name).ok_or_else(|| {
        Failure::new("input", format!("the rules before the change have no waiver `{}`", name.escape_debug()))
            .help("a waiver counts once it stands in the base; two of one name are none")
    })?;
    if waiver.team != args.team {
        return Err(Failure::new("input", format!("waiver {name} is granted by team({})", waiver.team))
            .help(format!("grace-rules approve waiver {name} --as {}", waiver.team)));
    }
    let now = clock::now();
    let (file, person) = signer(context, &args.sign, &loaded, now)?;
    if waiver.members.is_disjoint(&person.names) || person.is_bot() {
        return Err(Failure::new("input", format!("{} is not in team({})", person.name, waiver.team)));
    }
    let until = until(args.until.as_deref(), now, None)?;
    let says = Says::Grant { waiver: waiver.name, text: waiver.text, r#as: waiver.team };
    let statement = Statement::new(&person.name, now, until, args.because.clone(), says);
    let kept = keep(repository, &Shelf::Grants, &statement, &file)?;
    let of = format!("waiver {name}");
    said_it(context, &Said { said: "grant", of: &of, statement: &statement, kept: &kept, file: &file, decision: None })
}

pub(super) fn revoke(context: &Context, args: &RevokeArgs) -> Result<Answer> {
    let repository = context.place.repository()?;
    let (plan, loaded) = judged(context, &args.change)?;
    let now = clock::now();
    let (file, person) = taker_back(context, &args.sign, &loaded, now)?;
    let named = args.envelope.to_ascii_lowercase();
    let mut own: Vec<(Shelf, Signed)> = Vec::new();
    for shelf in [Shelf::Approvals(plan.subject.diff.clone()), Shelf::Grants] {
        for signed in shelf::read(repository, &shelf)?.signed {
            let mine = loaded.signers.holder(&signed.key).is_some_and(|signer| signer == person);
            if mine && named.len() >= FEWEST && signed.digest.starts_with(&named) {
                own.push((shelf.clone(), signed));
            }
        }
    }
    let [(shelf, signed)] = own.as_slice() else {
        let what = if own.is_empty() { "no statement" } else { "more than one statement" };
        return Err(Failure::new("input", format!("{what} of {} begins with `{}`", person.name, named.escape_debug()))
            .help("grace-rules gate lists them"));
    };
    let says = Says::Revoke { envelope: signed.digest.clone() };
    // What was taken back stays so.
    let statement = Statement::new(&person.name, now, Timestamp::MAX, args.because.clone(), says);
    let kept = keep(repository, shelf, &statement, &file)?;
    let of = signed.digest.get(..12).unwrap_or(&signed.digest);
    said_it(context, &Said { said: "revoke", of, statement: &statement, kept: &kept, file: &file, decision: None })
}

/// The plan of the change, derived without any cache, and what was loaded.
fn judged(context: &Context, args: &ChangeArgs) -> Result<(Plan, Loaded)> {
    refuse_suppositions(args, "what is signed")?;
    needs_a_base(args)?;
    let (engine, loaded) = engine(context, args, Cache::Unused)?;
    if loaded.head == Head::Supposed {
        return Err(Failure::new("input", "only a commit, what is staged, or the work tree can be approved"));
    }
    let _working = context.progress.spinner("planning");
    Ok((engine.plan(), loaded))
}

/// Where something is decided, the base is named: what stands for it otherwise hangs on where branches lie, which whoever
/// makes a change can move.
pub(super) fn needs_a_base(args: &ChangeArgs) -> Result<()> {
    if args.base.is_some() || args.staged || args.worktree {
        return Ok(());
    }
    Err(Failure::new("input", "name what the change is compared with")
        .help("--base origin/main, or a commit; --worktree and --staged are compared with HEAD"))
}

/// Where something is decided, nobody chooses the rules or the day.
pub(super) fn refuse_suppositions(args: &ChangeArgs, what: &str) -> Result<()> {
    if args.rules.is_some() {
        return Err(Failure::new("input", format!("{what} is judged by the rules of this change, not by --rules"))
            .help("try rules out with: grace-rules plan --rules DIR"));
    }
    if args.as_of.is_some() {
        return Err(Failure::new("input", format!("{what} is judged by today's date, not by --as-of"))
            .help("see what another day would ask with: grace-rules plan --as-of DATE"));
    }
    Ok(())
}

/// What the change asks for, whatever its bundles come to: rules that wait for the run count as fired.
fn undecided(plan: &Plan, loaded: &Loaded) -> Decision {
    decide::decide(plan, &Default::default(), &loaded.past, &Agreed::default(), Trust::default())
}

/// The key file, and the person of the base that it stands for.
pub(super) fn signer(context: &Context, args: &SignArgs, loaded: &Loaded, now: Timestamp) -> Result<(PathBuf, Person)> {
    let named = args.key.as_deref().map(|path| context.place.absolute(path));
    let file = signing::key_file(named.as_deref())?;
    let key = signing::public_key(&file)?;
    let print = fingerprint(&key);
    let person = loaded.signers.person(&key, NAMESPACE, now).map_err(|refused| {
        let (message, help) = match refused {
            Refused::UnknownKey if loaded.signers.is_empty() => (
                "nobody can sign: the base has no grace/allowed_signers".to_owned(),
                "whoever administers the repository adds it to the base: EMAIL KEYTYPE KEY, one line for each key",
            ),
            Refused::UnknownKey => (
                format!("key {print} is not in the base's grace/allowed_signers"),
                "add it there by a change of its own, which others approve",
            ),
            Refused::Namespace => (
                format!("key {print} is not for {NAMESPACE}"),
                "its line in grace/allowed_signers names other namespaces",
            ),
            Refused::Time => {
                (format!("key {print} is not in force"), "see valid-after and valid-before in grace/allowed_signers")
            }
        };
        Failure::new("signing", message).help(help)
    })?;
    Ok((file, person))
}

/// The same for who takes something back: whatever became of the key's line, as the gate counts it.
fn taker_back(context: &Context, args: &SignArgs, loaded: &Loaded, now: Timestamp) -> Result<(PathBuf, Person)> {
    let named = args.key.as_deref().map(|path| context.place.absolute(path));
    let file = signing::key_file(named.as_deref())?;
    match loaded.signers.holder(&signing::public_key(&file)?) {
        Some(person) => Ok((file, person)),
        None => signer(context, args, loaded, now),
    }
}

/// Whether this person can say so at all; what could never count is not signed.
fn may(person: &Person, team: &str, asked: &Decision, authorship: &Authorship, word: Word) -> Result<()> {
    let refuse = |message: String, help: &str| Err(Failure::new("approval", message).help(help));
    if asked.asked.is_empty() && word == Word::Yes {
        return refuse("this change asks nobody for approval".to_owned(), "see: grace-rules gate");
    }
    let reached = agreement::serves(asked, person, team);
    if !reached && !asked.asked.is_empty() {
        let groups: Vec<&str> = asked.asked.iter().map(|approval| approval.name.as_str()).collect();
        return refuse(
            format!("{} in the name of `{team}` serves nothing that is asked for", person.name),
            &format!("asked for: {}", groups.join(", ")),
        );
    }
    if word == Word::No {
        return Ok(());
    }
    if let Some(why) = agreement::wrong_team(asked, person, team) {
        return refuse(why.replace("its signer", &person.name), "name a team that you are in, as the base's rules say");
    }
    if person.is_bot() {
        return refuse("a bot approves nothing".to_owned(), "ask a person");
    }
    if authorship.people.iter().any(|author| !author.names.is_disjoint(&person.names)) {
        return refuse(format!("{} took part in this change", person.name), "somebody else approves it");
    }
    Ok(())
}

/// The last moment of a statement: the end of the day that is named (UTC), else so many days on; never beyond the plan.
fn until(named: Option<&str>, now: Timestamp, plan: Option<&str>) -> Result<Timestamp> {
    let wrong = |text: &str| {
        Failure::new("input", format!("`{}` is no date", text.escape_debug())).help("write --until 2026-12-24")
    };
    let until = match named {
        None => now.checked_add((24 * DAYS).hours()).map_err(|error| Failure::new("bug", error))?,
        Some(text) => {
            let date: jiff::civil::Date = text.parse().map_err(|_| wrong(text))?;
            let end = date.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong(text))?;
            if end.timestamp() <= now {
                return Err(Failure::new("input", format!("{text} is over")).help("name a day to come"));
            }
            end.timestamp()
        }
    };
    let end = plan.and_then(|date| date.parse::<Timestamp>().ok());
    let until = end.map_or(until, |end| until.min(end));
    // Whole seconds: what people read.
    Timestamp::from_second(until.as_second()).map_err(|error| Failure::new("bug", error))
}

/// An envelope that was kept.
pub(super) struct Kept {
    pub(super) digest: String,
    pub(super) reference: String,
}

fn keep(repository: &Repository, shelf: &Shelf, statement: &Statement, file: &std::path::Path) -> Result<Kept> {
    let (bytes, digest) = envelope::seal(statement, file, repository.root())?;
    let reference = shelf::put(repository, shelf, &digest, &bytes)?;
    Ok(Kept { digest, reference })
}

/// What was said, for the screen.
pub(super) struct Said<'a> {
    pub(super) said: &'static str,
    pub(super) of: &'a str,
    pub(super) statement: &'a Statement,
    pub(super) kept: &'a Kept,
    pub(super) file: &'a std::path::Path,
    pub(super) decision: Option<&'a Decision>,
}

pub(super) fn said_it(context: &Context, said: &Said<'_>) -> Result<Answer> {
    let key = fingerprint(&signing::public_key(said.file)?);
    let missing = said.decision.map(|decision| decision.missing_approvals.as_slice()).unwrap_or_default();
    let until = said.statement.until.as_str();
    if context.is_json() {
        let report = SaidReport {
            schema: "grace-rules/statement",
            version: 1,
            said: said.said,
            of: said.of,
            by: &said.statement.by,
            key,
            until,
            envelope: &said.kept.digest,
            reference: &said.kept.reference,
            missing,
        };
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    let short = said.kept.digest.get(..12).unwrap_or_default();
    screen::approvals::said(&mut page, said.said, said.of, &said.statement.by, until, short, &key);
    screen::approvals::still_missing(&mut page, said.decision);
    screen::approvals::share(&mut page);
    Ok(Answer::yes(page.finish()))
}
