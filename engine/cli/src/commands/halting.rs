//! `audit halt` and `audit resume`: signed, kept below `refs/grace/halts/` and in the ledger.

use std::path::Path;

use grace_govern::envelope::{self, Says, Statement};
use grace_govern::journal::{self, Event, HaltSaid, Journal};
use grace_govern::shelf::{self, Place as Shelf};
use grace_govern::signers::fingerprint;
use grace_govern::signing::{self, NAMESPACE};
use grace_system::clock;
use grace_system::git::Repository;
use jiff::Timestamp;

use super::approve::{Kept, Said, refuse_suppositions, said_it, signer};
use super::plan::engine;
use super::{Answer, Context};
use crate::args::{HaltArgs, ResumeArgs};
use crate::failure::{Failure, Result};
use crate::load::{Cache, people};

/// Halts that one statement lifts: what is signed has a largest size.
const MOST: usize = 1000;

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
    let statement = Statement::new(&by, now, Timestamp::MAX, Some(args.because.clone()), Says::Halt {});
    let kept = keep(repository, &statement, &file, args.change.actor.as_deref())?;
    said_it(
        context,
        &Said { said: "halt", of: "everything", statement: &statement, kept: &kept, file: &file, decision: None },
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
    let teams: Vec<&str> = lifters.teams.keys().map(String::as_str).collect();
    let team = match (&args.team, teams.as_slice()) {
        (Some(team), _) => team.clone(),
        (None, [team]) => (*team).to_owned(),
        (None, []) => "anyone".to_owned(),
        (None, _) => {
            return Err(Failure::new("usage", format!("teams {} are asked", teams.join(", ")))
                .help("say in the name of which with --as"));
        }
    };
    let authorship = people::authors(repository, &loaded, now)?;
    if let Some(why) = lifters.refuses(&person, &team, &authorship) {
        let asked = if teams.is_empty() { "any person who may sign".to_owned() } else { teams.join(", ") };
        return Err(Failure::new("approval", why).help(format!("asked: {asked}")));
    }
    let halts: Vec<String> = standing.iter().take(MOST).map(|halt| halt.name.clone()).collect();
    let of = match halts.len() {
        1 => "1 halt".to_owned(),
        count => format!("{count} halts"),
    };
    let says = Says::Resume { halts, r#as: team };
    let statement = Statement::new(&person.name, now, Timestamp::MAX, Some(because.clone()), says);
    let kept = keep(repository, &statement, &file, change.actor.as_deref())?;
    said_it(context, &Said { said: "resume", of: &of, statement: &statement, kept: &kept, file: &file, decision: None })
}

/// Records a statement and puts it on the shelf: a halt is in the ledger before anything else can fail.
pub(super) fn keep(repository: &Repository, statement: &Statement, file: &Path, actor: Option<&str>) -> Result<Kept> {
    let (bytes, digest) = envelope::seal(statement, file, repository.root())?;
    let said = HaltSaid { envelope: String::from_utf8_lossy(&bytes).into_owned() };
    let event = if matches!(statement.says, Says::Halt {}) { Event::Halt(said) } else { Event::Resume(said) };
    Journal::open(repository, actor)?.append(&[event])?;
    let reference = shelf::put(repository, &Shelf::Halts, &digest, &bytes)?;
    Ok(Kept { digest, reference })
}
