//! `audit halt` and `audit resume`, signed, kept below `refs/grace/halts/` and in the ledger; `drift lift`, below
//! `refs/grace/raises/`.

use std::path::Path;

use grace_govern::authors::Authorship;
use grace_govern::envelope::{self, Says, Statement};
use grace_govern::halts::{ANYONE, Halt, Lifters};
use grace_govern::journal::{self, Event, HaltSaid, Journal};
use grace_govern::monitor::raises::Raise;
use grace_govern::monitor::said::{LiftSaid, Said};
use grace_govern::shelf::{self, Place as Shelf};
use grace_govern::signers::{Person, fingerprint};
use grace_govern::signing::{self, NAMESPACE};
use grace_system::clock;
use grace_system::git::Repository;
use jiff::Timestamp;

use super::approve::{Kept, Said as Spoken, refuse_suppositions, said_it, signer};
use super::plan::engine;
use super::{Answer, Context};
use crate::args::drift::LiftArgs;
use crate::args::{HaltArgs, ResumeArgs};
use crate::failure::{Failure, Result};
use crate::load::{Cache, people};

/// Halts that one statement lifts: what is signed has a largest size.
const MOST: usize = 1000;
/// Halts that are listed for who names none.
const SHOWN: usize = 20;

pub(super) fn halt(context: &Context, args: &HaltArgs) -> Result<Answer> {
    refuse_suppositions(&args.change, "a halt")?;
    let repository = context.place.repository()?;
    let (_, loaded) = engine(context, &args.change, Cache::Unused)?;
    let named = args.sign.key.as_deref().map(|path| context.place.absolute(path));
    let file = signing::key_file(named.as_deref())?;
    let key = signing::public_key(&file)?;
    let now = clock::now();
    // Whoever signs it, it counts; those who are known are named.
    let by = loaded.signers.person(&key, NAMESPACE, now).map_or_else(|_| fingerprint(&key), |person| person.name);
    // It has no end: only who lifts it ends it.
    let statement = Statement::new(&by, now, Timestamp::MAX, Some(args.because.clone()), Says::Halt { cycle: None });
    let kept = keep(repository, &statement, &file, args.change.actor.as_deref())?;
    said_it(
        context,
        &Spoken { said: "halt", of: "everything", statement: &statement, kept: &kept, file: &file, decision: None },
    )
}

pub(super) fn resume(context: &Context, args: &ResumeArgs) -> Result<Answer> {
    let HaltArgs { because, sign, change } = &args.halt;
    refuse_suppositions(change, "a halt")?;
    let repository = context.place.repository()?;
    let (_, loaded) = engine(context, change, Cache::Unused)?;
    let now = clock::now();
    let (file, person) = signer(context, sign, &loaded, now)?;
    let recorded = journal::recorded(repository)?;
    let (lifters, standing, _) = people::halts(repository, &loaded, recorded.as_ref(), now)?;
    if standing.is_empty() {
        return Err(Failure::new("input", "nothing is halted").help("see: grace-rules gate"));
    }
    let authorship = people::authors(repository, &loaded, now)?;
    let team = team_of(args.team.as_ref(), &lifters, &person, &authorship)?;
    let halts = meant(&args.halts, &standing)?;
    if let Some(halt) =
        halts.iter().find(|halt| halt.cycle.as_ref().is_some_and(|of| !of.by.is_disjoint(&person.names)))
    {
        let why = format!("{} took part in what halt {} is about", person.name, halt.short());
        return Err(Failure::new("approval", why));
    }
    let halts: Vec<String> = halts.into_iter().map(|halt| halt.name.clone()).collect();
    let of = match halts.len() {
        1 => "1 halt".to_owned(),
        count => format!("{count} halts"),
    };
    let says = Says::Resume { halts, r#as: team };
    let statement = Statement::new(&person.name, now, Timestamp::MAX, Some(because.clone()), says);
    let kept = keep(repository, &statement, &file, change.actor.as_deref())?;
    said_it(
        context,
        &Spoken { said: "resume", of: &of, statement: &statement, kept: &kept, file: &file, decision: None },
    )
}

/// Ends raised tiers before their time, as far as one person does.
pub(super) fn lift(context: &Context, args: &LiftArgs) -> Result<Answer> {
    let HaltArgs { because, sign, change } = &args.said;
    refuse_suppositions(change, "a raised tier")?;
    let repository = context.place.repository()?;
    let (_, loaded) = engine(context, change, Cache::Unused)?;
    let now = clock::now();
    let (file, person) = signer(context, sign, &loaded, now)?;
    let standing: Vec<&Raise> = loaded.inputs.raises.iter().filter(|raise| raise.lifted.is_empty()).collect();
    if standing.is_empty() {
        return Err(Failure::new("input", "no tier is raised").help("see: grace-rules drift status"));
    }
    let authorship = people::authors(repository, &loaded, now)?;
    let team = team_of(args.team.as_ref(), &people::lifters(&loaded), &person, &authorship)?;
    let listed = || {
        let line =
            |raise: &&Raise| format!("{} of {} by {}: {}", raise.short(), raise.region, raise.rule, raise.because);
        standing.iter().take(SHOWN).map(line).collect::<Vec<_>>().join("\n")
    };
    if args.raises.is_empty() {
        return Err(Failure::new("usage", "name the raised tiers to lift").help(listed()));
    }
    if args.raises.len() > MOST {
        return Err(Failure::new("usage", format!("one statement lifts at most {MOST} raised tiers")));
    }
    let mut raises = Vec::new();
    for named in &args.raises {
        let Some(raise) = standing.iter().find(|raise| raise.is_named(&named.to_ascii_lowercase())) else {
            let what = format!("no raised tier `{}` stands", named.escape_debug());
            return Err(Failure::new("input", what).help(listed()));
        };
        if !raise.makers().by.is_disjoint(&person.names) {
            let why = format!("{} took part in what raised {} is about", person.name, raise.short());
            return Err(Failure::new("approval", why));
        }
        raises.push(raise.name());
    }
    let of = match raises.len() {
        1 => "1 raised tier".to_owned(),
        count => format!("{count} raised tiers"),
    };
    let says = Says::Lift { raises: raises.clone(), r#as: team };
    let statement = Statement::new(&person.name, now, Timestamp::MAX, Some(because.clone()), says);
    let (bytes, digest) = envelope::seal(&statement, &file, repository.root())?;
    let said = LiftSaid {
        raises,
        by: person.name,
        because: because.clone(),
        envelope: String::from_utf8_lossy(&bytes).into_owned(),
    };
    Journal::open(repository, change.actor.as_deref())?.append(&[Event::Monitoring(Said::Lift(said))])?;
    let reference = shelf::put(repository, &Shelf::Raises, &digest, &bytes)?;
    let kept = Kept { digest, reference };
    said_it(context, &Spoken { said: "lift", of: &of, statement: &statement, kept: &kept, file: &file, decision: None })
}

/// In the name of which team somebody lifts; an error where they do not.
fn team_of(named: Option<&String>, lifters: &Lifters, person: &Person, authorship: &Authorship) -> Result<String> {
    let teams: Vec<&str> = lifters.teams.keys().map(String::as_str).collect();
    let team = match (named, teams.as_slice()) {
        (Some(team), _) => team.clone(),
        (None, [team]) => (*team).to_owned(),
        (None, []) => ANYONE.to_owned(),
        (None, _) => {
            return Err(Failure::new("usage", format!("teams {} are asked", teams.join(", ")))
                .help("say in the name of which with --as"));
        }
    };
    if let Some(why) = lifters.refuses(person, &team, authorship) {
        let asked = if teams.is_empty() { "any person who may sign".to_owned() } else { teams.join(", ") };
        return Err(Failure::new("approval", why).help(format!("asked: {asked}")));
    }
    Ok(team)
}

/// The halts that somebody names, each one that stands: nobody lifts what they have not looked at.
fn meant<'h>(named: &[String], standing: &'h [Halt]) -> Result<Vec<&'h Halt>> {
    let listed = || {
        let line = |halt: &Halt| format!("{} by {}: {}", halt.short(), halt.by, halt.because);
        standing.iter().take(SHOWN).map(line).collect::<Vec<_>>().join("\n")
    };
    if named.is_empty() {
        return Err(Failure::new("usage", "name the halts to lift").help(listed()));
    }
    if named.len() > MOST {
        return Err(Failure::new("usage", format!("one statement lifts at most {MOST} halts")));
    }
    let mut found = Vec::new();
    for name in named {
        let meant: Vec<&Halt> = standing.iter().filter(|halt| halt.is_named(&name.to_ascii_lowercase())).collect();
        match meant.as_slice() {
            [halt] => found.push(*halt),
            [] => return Err(Failure::new("input", format!("no halt `{}` stands", name.escape_debug())).help(listed())),
            _ => {
                let what = format!("more than one halt begins with `{}`", name.escape_debug());
                return Err(
                    Failure::new("input", what).help("write more of its digits: grace-rules gate --format json")
                );
            }
        }
    }
    Ok(found)
}

/// Records a statement and puts it on the shelf: a halt is in the ledger before anything else can fail.
pub(super) fn keep(repository: &Repository, statement: &Statement, file: &Path, actor: Option<&str>) -> Result<Kept> {
    let (bytes, digest) = envelope::seal(statement, file, repository.root())?;
    let said = HaltSaid { envelope: String::from_utf8_lossy(&bytes).into_owned() };
    let event = if matches!(statement.says, Says::Halt { .. }) { Event::Halt(said) } else { Event::Resume(said) };
    Journal::open(repository, actor)?.append(&[event])?;
    let reference = shelf::put(repository, &Shelf::Halts, &digest, &bytes)?;
    Ok(Kept { digest, reference })
}
