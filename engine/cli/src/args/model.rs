//! The words of `model`.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, Subcommand, ValueEnum};
use grace_models::probe::Probe;

use super::ChangeArgs;

/// `model`.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// The models that are known, and what is measured of each
    #[command(after_help = "Example:\n  grace-rules model list")]
    List,
    /// One model: what is declared, what is served, what was measured
    #[command(after_help = "Example:\n  grace-rules model show mistral:7b\nExit code 1 where the two differ.")]
    Show {
        /// The model
        name: String,
    },
    /// What a change takes from models' contracts, or how two models differ
    #[command(
        after_help = "Examples:\n  grace-rules model diff --base main\n  grace-rules model diff mistral:7b yi:6b\nExit code 1 where a change drops a flag, changes a licence or asks for fewer tests."
    )]
    Diff(Box<ModelDiffArgs>),
    /// Does it answer, how fast, and how much does it take in?
    #[command(
        after_help = "Example:\n  grace-rules model check mistral:7b\nThe operator's configuration says where the model is; docs/models.md."
    )]
    Check(ModelCheckArgs),
    /// Asks questions with known answers and records what came of them
    #[command(
        after_help = "Examples:\n  grace-rules model probe hallucination mistral:7b\n  grace-rules model probe bias mistral:7b --samples 200\nExit code 1 where the model is not as declared, or it cannot be told."
    )]
    Probe(ModelProbeArgs),
    /// Which model is to be asked for a task, and why not the others
    #[command(
        after_help = "Example:\n  grace-rules model select --task task.toml\nExit code 1 where no model will do."
    )]
    Select {
        /// The task (TOML)
        #[arg(long, value_name = "FILE")]
        task: PathBuf,
    },
}

/// `model diff`.
#[derive(Debug, Args)]
pub struct ModelDiffArgs {
    /// Two models, or none for what the change does
    #[arg(value_name = "NAME", num_args = 2)]
    pub names: Vec<String>,
    /// The change.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `model check`.
#[derive(Debug, Args)]
pub struct ModelCheckArgs {
    /// The model
    pub name: String,
    /// Requests
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub requests: u32,
    /// Tokens up to which its window is looked for; 0 = not at all
    #[arg(long, value_name = "TOKENS", default_value_t = 16_384)]
    pub up_to: u64,
    /// Who asks
    #[arg(long, value_name = "ACTOR")]
    pub actor: Option<String>,
}

/// `model probe`.
#[derive(Debug, Args)]
pub struct ModelProbeArgs {
    /// What is looked for
    #[arg(value_name = "PROBE")]
    pub probe: ProbeWord,
    /// The model
    pub name: String,
    /// Samples; otherwise as many as it takes to tell
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub samples: Option<u32>,
    /// What the questions follow from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Tokens up to which the window is looked for
    #[arg(long, value_name = "TOKENS", default_value_t = 131_072)]
    pub up_to: u64,
    /// Who asks
    #[arg(long, value_name = "ACTOR")]
    pub actor: Option<String>,
}

/// A probe by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeWord(pub Probe);

impl ValueEnum for ProbeWord {
    fn value_variants<'a>() -> &'a [Self] {
        const {
            &[
                Self(Probe::Hallucination),
                Self(Probe::Bias),
                Self(Probe::Accuracy),
                Self(Probe::Latency),
                Self(Probe::Context),
                Self(Probe::Inference),
            ]
        }
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}
