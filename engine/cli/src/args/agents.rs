//! The words of what coding agents are given: `hook`, `cost`, `agents-md`, `mcp`.

use clap::{Args, Subcommand, ValueEnum};
use grace_hook::Agent;

/// An agent, as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentWord(pub Agent);

impl ValueEnum for AgentWord {
    fn value_variants<'a>() -> &'a [Self] {
        const {
            &[
                Self(Agent::ClaudeCode),
                Self(Agent::Codex),
                Self(Agent::Cursor),
                Self(Agent::OpenHands),
                Self(Agent::Copilot),
            ]
        }
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}

/// `hook`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct HookArgs {
    /// Whose event is on standard input
    #[arg(value_enum, value_name = "AGENT", required = true)]
    pub agent: Option<AgentWord>,
    /// The event's name, for an agent that does not give it
    #[arg(value_name = "EVENT")]
    pub event: Option<String>,
    /// What to do instead.
    #[command(subcommand)]
    pub verb: Option<HookVerb>,
}

/// `hook install`, `hook doctor`.
#[derive(Debug, Subcommand)]
pub enum HookVerb {
    /// Put the hooks into an agent's settings in this repository
    #[command(
        after_help = "Example:\n  grace-rules hook install claude-code\nWhat else stands in the settings is kept. Done twice, it changes nothing more."
    )]
    Install {
        /// Whose settings
        #[arg(value_enum, value_name = "AGENT")]
        agent: AgentWord,
    },
    /// Prove that the installed hook blocks: it is given an event that it must deny
    #[command(
        after_help = "Example:\n  grace-rules hook doctor claude-code\nExit code 1 where it does not block. The agent must also be started anew, and may ask to trust the hook."
    )]
    Doctor {
        /// Whose settings
        #[arg(value_enum, value_name = "AGENT")]
        agent: AgentWord,
    },
}

/// `cost`.
#[derive(Debug, Args)]
pub struct CostArgs {
    /// A file, a directory, or a dotted name or the end of one
    #[arg(value_name = "WHAT")]
    pub what: String,
    /// Read everything anew, and remember nothing
    #[arg(long)]
    pub no_cache: bool,
}

/// `agents-md`.
#[derive(Debug, Args)]
pub struct AgentsMdArgs {
    /// Put it into AGENTS.md, between marks; the rest of the file stays
    #[arg(long)]
    pub write: bool,
}
