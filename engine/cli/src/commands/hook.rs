//! `hook`: what a coding agent asks before it acts, when it begins, and when it would stop.

mod insert;
mod settings;

use std::io::Read;
use std::path::PathBuf;

use grace_hook::{Agent, Event, Kind, Say};
use grace_system::{clock, env, files};

use super::{Answer, Context, agents_md, cost, gate};
use crate::args::ChangeArgs;
use crate::args::agents::HookArgs;
use crate::failure::{Failure, Result};
use crate::load;

pub(super) use settings::{HookReport, doctor, install};

/// Longest text of the gate that an agent is given, in characters.
const MOST_TEXT: usize = 8_000;

/// What an agent is told that is held, and where nothing could be judged.
const HELD: &str = "The gate does not let this change through yet";
const UNDECIDED: &str = "the gate could not decide";

/// How often in a row an agent is held, whatever it changed in between: something is then amiss that it cannot mend.
const MOST_HELD: u32 = 5;
/// Days that something is remembered of an agent's session.
const REMEMBERED_DAYS: i64 = 30;
/// Files of other sessions that are looked at when one begins.
const MOST_FORGOTTEN: usize = 1000;

/// An agent's event, with the answer where no plan is needed for it.
pub(super) struct Asked {
    pub(super) agent: Agent,
    pub(super) event: Event,
    pub(super) answer: Option<String>,
}

/// Reads the event of a hook.
///
/// # Errors
/// When it is none: the agent is then stopped, as by every failure here.
pub(super) fn asked(args: &HookArgs, from: impl Read) -> Result<Asked> {
    let failed = |why: String| Failure::new("hook", why).help("nothing is let through meanwhile");
    let agent = args.agent.ok_or_else(|| failed("no agent is named".to_owned()))?.0;
    let event = grace_hook::read(agent, args.event.as_deref(), from).map_err(failed)?;
    let here = env::current_dir().map_err(|error| failed(format!("the working directory cannot be used: {error}")))?;
    let answer = grace_hook::quick(agent, &event, &here);
    Ok(Asked { agent, event, answer })
}

/// The answer to an event that needs a plan.
pub(super) fn answer(context: &Context, asked: &Asked) -> Result<Answer> {
    let say = match asked.event.kind {
        Kind::Stop => stop(context, asked),
        Kind::Start => start(context, asked),
        Kind::Before | Kind::Other => Say::Nothing,
    };
    Ok(Answer::yes(asked.agent.answer(&asked.event, &say)))
}

/// The gate for exactly this tree. Who was told just this, and changed nothing, may stop: the gate says no elsewhere, too. Who did
/// change something is told anew, a few times.
fn stop(context: &Context, asked: &Asked) -> Say {
    debug_assert!(env::var_os("GRACE_RULES_TEST_PANIC").is_none(), "a test asked for a panic");
    let judged = base(context, asked).and_then(|base| {
        let args = ChangeArgs { worktree: true, base, ..ChangeArgs::default() };
        let options = args.base.as_ref().map(|base| format!(" --base {base}")).unwrap_or_default();
        Ok((gate::decided(context, &args, gate::Records::Changes)?, format!("--worktree{options}")))
    });
    let (missing, gist, options) = match judged {
        Ok((decided, _)) if decided.is_empty || decided.answer.code == 0 => {
            let _ends_the_row = remember(context, asked, "held", "0");
            return Say::Nothing;
        }
        Ok((decided, options)) => {
            (anstream::adapter::strip_str(&decided.answer.text).to_string(), decided.gist, options)
        }
        Err(failure) => {
            let help = failure.help.map(|help| format!("\n{help}")).unwrap_or_default();
            let why = format!("{UNDECIDED}: {}{help}", failure.message);
            (why.clone(), why, "--worktree".to_owned())
        }
    };
    let missing: String = missing.chars().take(MOST_TEXT).collect();
    let missing = missing.trim_end();
    if asked.event.stopped || told_before(context, asked, &gist) {
        return Say::Let(format!("stopped, though the gate does not let this change through:\n{missing}"));
    }
    Say::Block(format!(
        "{HELD}:\n{missing}\n\n\
         Do what is missing, then stop again. Its bundles run by: grace-rules run {options}\n\
         What only people give, such as an approval, ask them for; do not give it yourself."
    ))
}

/// The commit that the change began from: where the branch left the default branch, else where the session began, so that
/// what the session committed is judged, too. Where the session wrote history anew, it is what both histories share. `None` is
/// the last commit.
fn base(context: &Context, asked: &Asked) -> Result<Option<String>> {
    let repository = context.place.repository()?;
    let head = repository.head()?;
    let default = load::default_base(repository)?;
    if default != head {
        return Ok(default.map(|commit| commit.to_string()));
    }
    let Some(begun) = remembered(context, asked, "begun") else { return Ok(None) };
    let lost = |why: String| {
        Failure::new("hook", format!("what this session began from is no part of the history any more: {why}"))
            .help("bring back the commit that it began from, or ask a person to look at what was committed")
    };
    let begun = repository.resolve(&begun).map_err(|error| lost(error.to_string()))?;
    let head = head.ok_or_else(|| lost("the branch has no commit".to_owned()))?;
    if begun == head {
        return Ok(None);
    }
    let fork = repository.merge_base(begun, head).map_err(|error| lost(error.to_string()))?;
    Ok((fork != head).then(|| fork.to_string()))
}

/// Whether this session was told just this before, or was held so often that it would go on for ever.
fn told_before(context: &Context, asked: &Asked, gist: &str) -> bool {
    let now = files::sha256(gist.as_bytes());
    let before = remembered(context, asked, "told");
    let held = remembered(context, asked, "held").and_then(|count| count.parse().ok());
    // Of an agent that says so it is known that a new row begins.
    let held: u32 = if asked.event.again == Some(false) { 0 } else { held.unwrap_or(0) };
    let lets = before.as_ref() == Some(&now) || held >= MOST_HELD;
    let held = if lets { 0 } else { held + 1 };
    let is_kept =
        remember(context, asked, "told", &now).and_then(|()| remember(context, asked, "held", &held.to_string()));
    // Where nothing can be remembered, the agent's own word has to do.
    lets || is_kept.is_none() && asked.event.again == Some(true)
}

/// Where something is remembered of an agent's session.
fn memory(context: &Context, asked: &Asked, what: &str) -> Option<PathBuf> {
    let folder = context.place.repository().ok()?.common_dir().join("grace").join("hooks");
    let session = asked.event.session.as_deref().unwrap_or_default();
    Some(folder.join(files::sha256(format!("{}\n{session}\n{what}", asked.agent.name()).as_bytes())))
}

fn remembered(context: &Context, asked: &Asked, what: &str) -> Option<String> {
    files::read_text(&memory(context, asked, what)?, 1024).ok()
}

fn remember(context: &Context, asked: &Asked, what: &str, text: &str) -> Option<()> {
    let file = memory(context, asked, what)?;
    files::create_dirs(file.parent()?).ok()?;
    files::replace_unsynced(&file, text.as_bytes()).ok()
}

/// Removes what is remembered of sessions that nobody has gone on with for long.
fn forget_old(context: &Context) {
    let Ok(repository) = context.place.repository() else { return };
    let folder = repository.common_dir().join("grace").join("hooks");
    let oldest = clock::now().as_nanosecond() - i128::from(REMEMBERED_DAYS) * 86_400_000_000_000;
    for entry in files::list_at_most(&folder, MOST_FORGOTTEN).unwrap_or_default() {
        let path = folder.join(&entry.name);
        if files::stat(&path)
            .is_ok_and(|stat| stat.kind == files::Kind::File && i128::from(stat.stamp.modified) < oldest)
        {
            // Another session may have done so just now.
            let _gone = files::remove_file(&path);
        }
    }
}

/// What an agent should know from the start; the costs of files are looked up from now on.
fn start(context: &Context, asked: &Asked) -> Say {
    // A session that is taken up again began where it began.
    if let Ok(Some(head)) = context.place.repository().and_then(|repository| Ok(repository.head()?))
        && remembered(context, asked, "begun").is_none()
    {
        let _judged_from_the_last_commit = remember(context, asked, "begun", &head.to_string());
        forget_old(context);
    }
    let costs = cost::keep_table(context).err();
    match agents_md::digest(context) {
        Ok(text) => {
            let note = costs.map(|failure| format!("\nWhat files cost is not known: {}", failure.message));
            Say::Context(text + &note.unwrap_or_default())
        }
        Err(failure) => Say::Context(format!("The rules of this repository cannot be read: {}", failure.message)),
    }
}
