//! What a coding agent asks before it acts: its event read, judged, and answered in its own dialect.
//!
//! Agents start a hook anew for each call of a tool, so this crate is small, knows no rules and no graph, and starts no
//! process: the program `grace-hook` is this crate alone. What needs a plan (the gate when an agent stops, what it is told when
//! it starts) is the command line's; it speaks the same dialects. Everything on standard input is hostile.
//!
//! Agents take exit code 2 for no and every other failure for yes, so here a failure is 2 and a sentence, never 1.

pub mod agent;
pub mod costs;
pub mod event;
mod git;
pub mod judge;
mod looks;
pub mod places;
pub mod shell;

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use grace_system::files;

pub use agent::{Agent, Say};
pub use event::{Event, Kind};
pub use judge::judge;
pub use places::Places;

/// Largest event that is read, in bytes: one that writes a file holds the file.
pub const MAX_EVENT: u64 = 16 << 20;

/// What the program leaves: text for the two streams, and the exit code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// For standard output: JSON, or nothing.
    pub out: String,
    /// For standard error.
    pub err: String,
    /// 0, or 2 where nothing could be judged: the agent then does not act.
    pub code: u8,
}

impl Outcome {
    /// An answer.
    #[must_use]
    pub fn answer(out: String) -> Self {
        Self { out, ..Self::default() }
    }

    /// It could not be judged, which stops the agent. The reason is one line and never empty.
    #[must_use]
    pub fn failure(why: &str) -> Self {
        let why = why.lines().next().unwrap_or_default();
        Self {
            err: format!("grace-rules hook: {why}; nothing is let through meanwhile\n"),
            code: 2,
            out: String::new(),
        }
    }
}

/// Carries out a hook so that whatever goes wrong in it, a panic included, stops the agent.
pub fn guarded(hook: impl FnOnce() -> Result<String, String>) -> Outcome {
    std::panic::set_hook(Box::new(|_| {}));
    match catch_unwind(AssertUnwindSafe(hook)) {
        Ok(Ok(out)) => Outcome::answer(out),
        Ok(Err(why)) => Outcome::failure(&why),
        Err(panic) => {
            let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Outcome::failure(&format!("this is a bug: {said}"))
        }
    }
}

/// Reads an event.
///
/// # Errors
/// In a sentence, where it is too long, or no JSON that this agent sends.
pub fn read(agent: Agent, named: Option<&str>, from: impl Read) -> Result<Event, String> {
    let mut bytes = Vec::new();
    let read = from.take(MAX_EVENT + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("the event cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_EVENT {
        return Err(format!("the event is longer than {} MiB", MAX_EVENT >> 20));
    }
    event::parse(agent, named, &bytes)
}

/// The directory that an event speaks of: its own where it is one, else that of this process.
#[must_use]
pub fn directory(event: &Event, here: &Path) -> PathBuf {
    match &event.directory {
        Some(directory) if Path::new(directory).is_absolute() && files::is_dir(Path::new(directory)) => {
            PathBuf::from(directory)
        }
        _ => here.to_path_buf(),
    }
}

/// The answer to an event before a tool is used, or to one that asks nothing; `None` to what needs a plan.
#[must_use]
pub fn quick(agent: Agent, event: &Event, here: &Path) -> Option<String> {
    match event.kind {
        Kind::Before => {
            let directory = directory(event, here);
            let places = Places::find(&directory);
            let say = match judge(event, &places) {
                Some(reason) => Say::Deny(reason),
                None => costs::of(event, &places).map_or(Say::Nothing, Say::Tell),
            };
            Some(agent.answer(event, &say))
        }
        Kind::Other => Some(agent.answer(event, &Say::Nothing)),
        Kind::Start | Kind::Stop => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_and_a_failure_stop_the_agent_with_a_sentence() {
        let bug = guarded(|| panic!("index out of bounds"));
        assert_eq!((bug.code, bug.out.as_str()), (2, ""));
        assert!(bug.err.contains("index out of bounds"), "{}", bug.err);
        let failure = guarded(|| Err(String::new()));
        assert_eq!(failure.code, 2);
        assert!(!failure.err.trim().is_empty());
        assert_eq!(guarded(|| Ok("{}".to_owned())).code, 0);
    }

    #[test]
    fn what_is_no_event_is_a_failure_and_never_let_through() {
        let deep = "[".repeat(100_000);
        for input in ["", "yes", "[]", "{", "null", "\u{feff}{}", deep.as_str()] {
            for agent in Agent::ALL {
                assert!(read(agent, None, input.as_bytes()).is_err(), "{agent:?} {input:.20}");
            }
        }
        let endless = std::io::repeat(b' ');
        assert!(read(Agent::Codex, None, endless).is_err_and(|why| why.contains("longer")));
    }
}
