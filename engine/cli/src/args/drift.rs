//! `drift`: what happened after a deployment.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ChangeArgs, HaltArgs, SignArgs};

/// `drift`.
#[derive(Debug, Subcommand)]
pub enum DriftCommand {
    /// Record that a change was deployed, and watch it by its rules; refused where the gate does not say go
    #[command(after_help = "Examples:
  grace-rules drift deploy --base v1.2 --head v1.3
  grace-rules drift deploy --run 20261126T101500.000000Z-71
PLAN and --run find the change by what was decided about it before; the gate is asked again.")]
    Deploy(Box<DeployArgs>),
    /// Judge each hour that has ended, once, and do what follows; for cron or CI
    #[command(after_help = "Example:\n  grace-rules drift collect
It may be cut off and run again, and catches up: no hour is judged twice, and none is left out.
Exit code 0 also where drift is found; `drift status` says what there is.")]
    Collect(CollectArgs),
    /// `drift collect` again and again, until it is ended
    #[command(
        after_help = "Example:\n  grace-rules drift watch\nIt may be killed and started again; what it missed is caught up."
    )]
    Watch(CollectArgs),
    /// Take measured values from standard input
    #[command(after_help = "Examples:
  echo 0.95 | grace-rules drift push heal_rate
  echo '2026-11-26T10:00:00Z 190/200' | grace-rules drift push heal_rate
Each line is a value, or so many of so many, after its time; or JSON with ts and value, or numerator and denominator.
Alike lines of one push are several points; the same push again, or part of it, adds none. The KPI says `from push`.")]
    Push {
        /// The KPI
        kpi: String,
        /// Names this push: the same lines under another name are other points
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// What is watched, and whether it got worse
    #[command(after_help = "Examples:
  grace-rules drift status
  grace-rules drift status --html drift.html
Exit code 0 nothing got worse, 1 drift, 2 nothing is known.")]
    Status(StatusArgs),
    /// End raised tiers before their time: a person who lifts halts, and made neither what was deployed nor what is planned
    #[command(after_help = "Example:\n  grace-rules drift lift 3fa2c1d09b7e --as peers --because \"rolled back\"
`plan` names a raised tier. Asked are the teams that review in an `audit` item of the base's rules, else those
that approve at tier 3; two people of each where it is not proved who made what was deployed.")]
    Lift(Box<LiftArgs>),
    /// What moved over all recorded runs: bundles, tests, rules, exceptions
    #[command(after_help = "Examples:
  grace-rules drift trends
  grace-rules drift trends --last 1000 --format json
Tests that pass and fail on one tree are flaky, those that fail there each time are broken: grace-rules run --reruns 3.
Exit code 0 nothing got worse, 1 something did, wavers or is broken, 2 too little is recorded.")]
    Trends(TrendsArgs),
    /// Would a rule cry wolf? Tried on a past of yours, before it is trusted
    #[command(after_help = "Examples:
  grace-rules drift test heal_regression --history history.csv
  grace-rules drift test heal_regression --history heal.parquet --numerator ok --denominator all
Made-up deployments in that past are watched: as it was, and made worse. What happened in it is taken for nothing.
Exit code 0 false alarms within 5 %, 1 more, 2 nothing could be judged.")]
    Test(TestArgs),
}

/// `drift test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// The drift rule
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// What its KPI was: a CSV file with a line of names, JSON lines (.jsonl) or Parquet (.parquet)
    #[arg(long, value_name = "FILE")]
    pub history: PathBuf,
    /// The column of the time
    #[arg(long, value_name = "COLUMN", default_value = "ts")]
    pub time: String,
    /// The column of the value
    #[arg(long, value_name = "COLUMN", default_value = "value", conflicts_with = "numerator")]
    pub value: String,
    /// Of what is counted: the column of how many
    #[arg(long, value_name = "COLUMN", requires = "denominator")]
    pub numerator: Option<String>,
    /// And the column of how many in all
    #[arg(long, value_name = "COLUMN", requires = "numerator")]
    pub denominator: Option<String>,
    /// Rules from this directory
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
}

/// `drift deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// The plan, by the beginning of its name
    #[arg(value_name = "PLAN", conflicts_with = "run")]
    pub plan: Option<String>,
    /// The run
    #[arg(long, value_name = "ID")]
    pub run: Option<String>,
    /// When it was deployed (a date, or a time with its offset); otherwise now
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// The change.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `drift lift`.
#[derive(Debug, Args)]
pub struct LiftArgs {
    /// Which raised tiers, as `plan` names them
    #[arg(value_name = "RAISE")]
    pub raises: Vec<String>,
    /// In whose name; may be left out where one team is asked
    #[arg(long = "as", value_name = "TEAM", help_heading = "The signature")]
    pub team: Option<String>,
    /// What the signature says.
    #[command(flatten)]
    pub said: HaltArgs,
}

/// `drift collect` and `drift watch`.
#[derive(Debug, Args)]
pub struct CollectArgs {
    /// As if it were this time
    #[arg(long, value_name = "TIME", hide = true)]
    pub as_of: Option<String>,
    /// Who records it
    #[arg(long, value_name = "ACTOR")]
    pub actor: Option<String>,
    /// The key that raised tiers are signed with.
    #[command(flatten)]
    pub sign: SignArgs,
}

/// `drift trends`.
#[derive(Debug, Args)]
pub struct TrendsArgs {
    /// Runs that are looked at, at most
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub last: u32,
}

/// `drift status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Those whose watch is over too
    #[arg(long)]
    pub all: bool,
    /// Write a page with charts to this file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// As if it were this time
    #[arg(long, value_name = "TIME", hide = true)]
    pub as_of: Option<String>,
}
