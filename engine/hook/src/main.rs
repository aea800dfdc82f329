//! `grace-hook AGENT [EVENT]`: the answer of `grace-rules hook` before a tool is used, from a program that is small enough to be
//! started at each call of a tool.

use std::io::Write as _;
use std::process::ExitCode;

use grace_hook::{Agent, Outcome, guarded, quick, read};
use grace_system::env;

fn main() -> ExitCode {
    let outcome = guarded(|| {
        let mut words = std::env::args().skip(1);
        let names = Agent::ALL.map(Agent::name).join(", ");
        let agent = words.next().as_deref().and_then(Agent::named).ok_or(format!("name an agent: {names}"))?;
        let event = read(agent, words.next().as_deref(), std::io::stdin().lock())?;
        let here = env::current_dir().map_err(|error| format!("the working directory cannot be used: {error}"))?;
        quick(agent, &event, &here).ok_or_else(|| format!("this event is for `grace-rules hook {}`", agent.name()))
    });
    let written = say(&outcome);
    ExitCode::from(if written.is_ok() { outcome.code } else { 2 })
}

/// A denial that does not arrive must not look like a yes.
fn say(outcome: &Outcome) -> std::io::Result<()> {
    std::io::stderr().write_all(outcome.err.as_bytes())?;
    let mut out = std::io::stdout().lock();
    out.write_all(outcome.out.as_bytes())?;
    out.flush()
}
