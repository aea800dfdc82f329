//! The words of `task`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `task`.
#[derive(Debug, Subcommand)]
pub enum TaskCommand {
    /// Have a model make a change, under the rules that everybody works under
    #[command(after_help = "Example:
  grace-rules task run retry.toml --dry-run
  grace-rules task run retry.toml
The file (TOML, or JSON) holds `id`, `description`, `files`, and may hold `operation`, `capability`, `model`,
`test_command` and a table `story`. The patch is judged and run elsewhere, and never touches the work tree unless asked.
Exit code 0 where it may go, 1 where it was refused, failed or is held.")]
    Run(TaskArgs),
}

/// `task run`.
#[derive(Debug, Args)]
pub struct TaskArgs {
    /// The task
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Stop before the model is asked, and record nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Ask anew, whatever was answered before
    #[arg(long)]
    pub again: bool,
    /// Write the patch to the work tree where it may go
    #[arg(long)]
    pub apply: bool,
    /// It is deployed as soon as it may go: watch what follows
    #[arg(long)]
    pub deployed: bool,
}
