//! What the eleven steps of an agent's task came to, and the patch in a model's answer.
//!
//! The model's answer is text of a stranger: it is a patch to the files that the task names, or it is refused.

use std::collections::BTreeMap;

use grace_ledger::{Error, Snapshot};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::journal;

/// The steps, in their order.
pub const STEPS: [&str; 11] = [
    "source graph",
    "constitution",
    "domain policy",
    "intents",
    "model",
    "execution",
    "bundles",
    "story",
    "monitoring",
    "ledger",
    "practice",
];

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// It is done.
    Done,
    /// There was nothing to do.
    Skipped,
    /// It ended the task: what was asked for, or what was answered, may not be.
    Refused,
    /// It ended the task: it could not be done.
    Failed,
}

/// One step of a task (`task`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepSaid {
    /// The task.
    pub task: String,
    /// SHA-256 (hex) of its file: another text is another task.
    pub digest: String,
    /// The commit that it begins on.
    pub base: String,
    /// Which attempt at it, from 1.
    pub attempt: u32,
    /// Which step, from 1.
    pub step: u32,
    /// What it came to.
    pub came: Came,
    /// In words.
    pub what: String,
    /// What it found, by name.
    pub facts: BTreeMap<String, Vec<String>>,
}

/// The steps of the newest attempt at a task, oldest first: of this text, on this commit.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn attempt(ledger: &Snapshot, digest: &str, base: &str) -> Result<Vec<StepSaid>, Error> {
    let mut steps: Vec<StepSaid> = Vec::new();
    journal::back::<()>(ledger, &["task"], |_, body| {
        let said: StepSaid = serde_json::from_value(body).ok()?;
        let newest = steps.first().map_or(said.attempt, |step| step.attempt);
        if said.digest == digest && said.base == base {
            if said.attempt != newest {
                return Some(());
            }
            steps.push(said);
        }
        None
    })?;
    steps.reverse();
    Ok(steps)
}

/// The unified diff in a model's answer: in a fence, or from its first line that begins one. `None` where there is none.
#[must_use]
pub fn patch_in(answer: &str) -> Option<String> {
    let begins = |line: &str| line.starts_with("diff --git ") || line.starts_with("--- ");
    let lines: Vec<&str> = answer.lines().collect();
    let start = lines.iter().position(|line| begins(line))?;
    let fenced =
        lines[..start].iter().rev().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with("```"));
    let mut text = String::new();
    for line in &lines[start..] {
        if line.starts_with("```") && (fenced || line.trim() == "```") {
            break;
        }
        text.push_str(line);
        text.push('\n');
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patch_is_found_in_what_a_model_says() {
        let patch = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";
        assert_eq!(patch_in(patch).as_deref(), Some(patch));
        assert_eq!(patch_in(&format!("Here it is:\n```diff\n{patch}```\nDone.")).as_deref(), Some(patch));
        assert_eq!(patch_in(&format!("Sure!\n\n{patch}")).as_deref(), Some(patch));
        assert_eq!(patch_in("I cannot do that."), None);
        assert_eq!(patch_in(""), None);
    }
}
