//! The words of `practice`.

use clap::Subcommand;

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
    /// Those that fit a change: the best five, and why
    #[command(
        after_help = "Example:\n  grace-rules practice suggest --base main\nName the one that you use in the story: playbooks_used."
    )]
    Suggest(Box<ChangeArgs>),
}
