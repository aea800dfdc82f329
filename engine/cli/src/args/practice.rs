//! The words of `practice`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ChangeArgs;

/// `practice`.
#[derive(Debug, Subcommand)]
pub enum PracticeCommand {
    /// Ways of working, with how often they were used and how that ended
    #[command(after_help = "Example:\n  grace-rules practice list")]
    List,
    /// One of them, with its steps
    #[command(after_help = "Example:\n  grace-rules practice show one_kernel_a_change")]
    Show {
        /// Its name
        name: String,
    },
    /// Those that fit a change, or a task: the best five, and why
    #[command(after_help = "Example:
  grace-rules practice suggest --base main
  grace-rules practice suggest --task retry.toml
Name the one that you use in the story: playbooks_used.")]
    Suggest(Box<SuggestArgs>),
}

/// `practice suggest`.
#[derive(Debug, Args)]
pub struct SuggestArgs {
    /// A task, as if the files that it names had changed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["base", "head", "staged", "worktree", "diff", "files", "operation"])]
    pub task: Option<PathBuf>,
    /// The change.
    #[command(flatten)]
    pub change: ChangeArgs,
}
