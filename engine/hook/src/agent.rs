//! The agents, and how each wants to be answered.

use serde_json::{Value, json};

use crate::event::{Event, Kind};

/// A coding agent that has hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Agent {
    /// Claude Code.
    ClaudeCode,
    /// Codex.
    Codex,
    /// Cursor.
    Cursor,
    /// OpenHands.
    OpenHands,
    /// Copilot, in the terminal and in the cloud.
    Copilot,
}

/// What an agent is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// Nothing stands against it.
    Nothing,
    /// The tool is not used, for this reason.
    Deny(String),
    /// The tool may be used; this is worth knowing.
    Tell(String),
    /// It goes on: this is missing.
    Block(String),
    /// It may stop, though this is missing.
    Let(String),
    /// What it should know from the start.
    Context(String),
}

impl Agent {
    /// Every agent.
    pub const ALL: [Self; 5] = [Self::ClaudeCode, Self::Codex, Self::Cursor, Self::OpenHands, Self::Copilot];

    /// As the command line names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::Cursor => "cursor",
            Self::OpenHands => "openhands",
            Self::Copilot => "copilot",
        }
    }

    /// The agent of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|agent| agent.name() == name)
    }

    /// The answer to an event, for standard output with exit code 0: JSON and a line break, or nothing at all.
    ///
    /// `ask` is never said: it is a dialog here, a denial there, and with Codex an open door.
    #[must_use]
    pub fn answer(self, event: &Event, say: &Say) -> String {
        let value = match self {
            Self::ClaudeCode | Self::Codex => of_claude(event, say),
            Self::Cursor => of_cursor(event, say),
            Self::OpenHands => of_openhands(say),
            Self::Copilot => of_copilot(say),
        };
        value.map(|value| format!("{value}\n")).unwrap_or_default()
    }
}

/// Codex reads the same, but takes a bare `allow` for a mistake of the hook: to let through, nothing is said.
fn of_claude(event: &Event, say: &Say) -> Option<Value> {
    Some(match say {
        Say::Nothing => return None,
        Say::Deny(reason) => json!({"hookSpecificOutput": {
            "hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": reason,
        }}),
        Say::Tell(text) | Say::Context(text) => {
            let name = if event.kind == Kind::Start { "SessionStart" } else { "PreToolUse" };
            json!({"hookSpecificOutput": {"hookEventName": name, "additionalContext": text}})
        }
        Say::Block(reason) => json!({"decision": "block", "reason": reason}),
        Say::Let(text) => json!({"systemMessage": text}),
    })
}

/// With `failClosed` an empty answer would block, so yes is said in words.
fn of_cursor(event: &Event, say: &Say) -> Option<Value> {
    Some(match say {
        Say::Nothing if event.kind == Kind::Before => json!({"permission": "allow"}),
        Say::Nothing | Say::Let(_) => json!({}),
        Say::Deny(reason) => json!({"permission": "deny", "user_message": reason, "agent_message": reason}),
        Say::Tell(text) => json!({"permission": "allow", "agent_message": text}),
        Say::Block(reason) => json!({"followup_message": reason}),
        Say::Context(text) => json!({"additional_context": text}),
    })
}

fn of_openhands(say: &Say) -> Option<Value> {
    Some(match say {
        Say::Nothing => return None,
        Say::Deny(reason) | Say::Block(reason) => json!({"decision": "deny", "reason": reason}),
        Say::Tell(text) | Say::Context(text) => json!({"additionalContext": text}),
        Say::Let(text) => json!({"decision": "allow", "reason": text}),
    })
}

fn of_copilot(say: &Say) -> Option<Value> {
    Some(match say {
        Say::Nothing | Say::Let(_) => return None,
        Say::Deny(reason) => json!({"permissionDecision": "deny", "permissionDecisionReason": reason}),
        Say::Tell(text) | Say::Context(text) => json!({"additionalContext": text}),
        Say::Block(reason) => json!({"decision": "block", "reason": reason}),
    })
}
