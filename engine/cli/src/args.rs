//! The command line's words. Only their shape: what they mean is in [`crate::commands`].

pub mod agents;
pub mod drift;
mod model;
pub mod practice;
pub mod task;

use std::path::PathBuf;

pub use model::{ModelCheckArgs, ModelCommand, ModelDiffArgs, ModelProbeArgs, ProbeWord};

use clap::builder::PossibleValue;
use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};

/// Governs code changes by rules: what must happen for a change, and why.
#[derive(Debug, Parser)]
#[command(
    name = "grace-rules",
    version,
    propagate_version = false,
    disable_help_subcommand = true,
    max_term_width = 80
)]
#[command(
    after_help = "Start: grace-rules init, then grace-rules plan.\nExit codes: 0 yes or done, 1 the answer is no, 2 it could not be answered."
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Work as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t = Format::Human, global = true)]
    pub format: Format,
    /// Colour; `auto` means on a terminal
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, global = true)]
    pub color: ColorChoice,
}

/// Who reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text.
    Human,
    /// JSON on standard output.
    Json,
    /// Graphviz; `graph export` alone.
    Dot,
    /// GraphML; `graph export` alone.
    GraphMl,
    /// The records, one a line; `audit export` alone.
    Jsonl,
    /// A signed in-toto statement; `audit export` alone.
    InToto,
    /// The records as a Parquet file; `audit export` alone.
    Parquet,
    /// Markdown; `story show` alone.
    Markdown,
    /// A page; `story show` alone.
    Html,
}

/// By hand, so that help names the values without describing what their names say.
impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Human,
            Self::Json,
            Self::Dot,
            Self::GraphMl,
            Self::Jsonl,
            Self::InToto,
            Self::Parquet,
            Self::Markdown,
            Self::Html,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Human => PossibleValue::new("human"),
            Self::Json => PossibleValue::new("json"),
            Self::Dot => PossibleValue::new("dot").hide(true),
            Self::GraphMl => PossibleValue::new("graphml").hide(true),
            Self::Jsonl => PossibleValue::new("jsonl").hide(true),
            Self::InToto => PossibleValue::new("intoto").hide(true),
            Self::Parquet => PossibleValue::new("parquet").hide(true),
            Self::Markdown => PossibleValue::new("markdown").hide(true),
            Self::Html => PossibleValue::new("html").hide(true),
        })
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Put a starter `grace/` into this repository
    #[command(after_help = "Example:\n  grace-rules init\nNothing that exists is overwritten.")]
    Init,
    /// Are the rules right? Everything that is wrong, at once
    #[command(
        after_help = "Example:\n  grace-rules check\nExit code 1 where there is an error; notes and warnings pass."
    )]
    Check(CheckArgs),
    /// Write the rules in their one form
    #[command(
        after_help = "Example:\n  grace-rules fmt --check\nThere are no options of style. A file with a mistake is left as it is."
    )]
    Fmt(FmtArgs),
    /// Run the tests that stand beside the rules
    #[command(after_help = "Example:\n  grace-rules test kernel\nruns the tests whose title holds `kernel`.")]
    Test(TestArgs),
    /// What must happen for a change, and why
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(Box<PlanArgs>),
    /// The plan anew, each time a file is saved
    #[command(
        after_help = "Example:\n  grace-rules watch --base main\nWith --format json each plan is one line. Ctrl-C ends it."
    )]
    Watch(Box<WatchArgs>),
    /// Why something is in the plan, or why it is not
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Box<ExplainArgs>),
    /// What is known of the code, and what is not
    #[command(subcommand)]
    Graph(GraphCommand),
    /// Run the plan's bundles and record what happened
    #[command(after_help = RUN_EXAMPLES)]
    Run(Box<RunArgs>),
    /// Whether this change may go, by its plan, its runs and its approvals
    #[command(after_help = GATE_EXAMPLES)]
    Gate(Box<GateArgs>),
    /// What changing something would ask for, before anybody changes it
    #[command(
        after_help = "Examples:\n  grace-rules cost src/app/core.py\n  grace-rules cost Kernel.start\nIt takes every part of it to have another body; what an edit does beyond that, `plan` tells."
    )]
    Cost(agents::CostArgs),
    /// A coding agent's event on standard input, answered in its own dialect
    #[command(after_help = HOOK_EXAMPLES)]
    Hook(agents::HookArgs),
    /// The same answers over the Model Context Protocol, for agents that ask before they edit
    #[command(
        after_help = "Example, as an agent's settings name it:\n  {\"mcpServers\": {\"grace-rules\": {\"command\": \"grace-rules\", \"args\": [\"mcp\"]}}}\nIt speaks on standard input and output, only reads, and runs nothing of the repository."
    )]
    Mcp,
    /// Ways of working that have proved themselves, and those that fit a change
    #[command(subcommand)]
    Practice(practice::PracticeCommand),
    /// The rules in force, for the file that coding agents read
    #[command(after_help = "Example:\n  grace-rules agents-md --write\nOnly what stands between its marks is changed.")]
    AgentsMd(agents::AgentsMdArgs),
    /// What happened, told: who, what, when, where, why and how of each run
    #[command(subcommand)]
    Story(StoryCommand),
    /// Agree to a plan, or grant a waiver; signed with your SSH key
    #[command(after_help = APPROVE_EXAMPLES)]
    Approve(Box<ApproveArgs>),
    /// Say no to a plan; signed with your SSH key
    #[command(
        after_help = "Example:\n  grace-rules deny PLAN --as governance --base main --head feature --because \"Not before the release.\""
    )]
    Deny(Box<ApproveArgs>),
    /// Take back what you signed
    #[command(after_help = "Example:\n  grace-rules revoke 3c1d09e2a4b7\n`grace-rules gate` lists what was signed.")]
    Revoke(Box<RevokeArgs>),
    /// The ledger: what was recorded, and whether it can be proved
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The ledger's records as tables of a database
    #[command(subcommand)]
    Store(StoreCommand),
    /// What happened after a deployment, and whether it got worse
    #[command(subcommand)]
    Drift(drift::DriftCommand),
    /// Models: what is declared of them, and what is measured
    #[command(subcommand)]
    Model(ModelCommand),
    /// Coding agents' tasks, under the rules
    #[command(subcommand)]
    Task(task::TaskCommand),
    /// What the documentation is written from
    #[command(hide = true, after_help = "Example:\n  grace-rules reference schemas")]
    Reference {
        /// The part
        what: Reference,
    },
    /// Ends the children of a run that was killed, and removes its temporary files
    #[command(
        hide = true,
        after_help = "Example:\n  grace-rules guard MARK DIR\n`run` starts it; nobody else needs it."
    )]
    Guard {
        /// What the children carry
        mark: String,
        /// Its directory for temporary files
        scratch: PathBuf,
    },
    /// Completions for a shell
    #[command(
        after_help = "Example:\n  grace-rules completions bash > ~/.local/share/bash-completion/completions/grace-rules"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// What documentation is written from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reference {
    /// The help of every command.
    Cli,
    /// The schema of every JSON format.
    Schemas,
}

const PLAN_EXAMPLES: &str = "Examples:
  grace-rules plan                          what you changed on this branch
  grace-rules plan --base v1.2 --head main  between two commits
  grace-rules plan --staged                 what the next commit would hold
  git diff | grace-rules plan --diff -      a diff, applied to HEAD
  grace-rules plan --files src/a.py         as if this file had changed
Exit code 1 where a rule denies the change.";

const EXPLAIN_EXAMPLES: &str = "WHAT is one of:
  tier                     bundle NAME        approval NAME      file PATH
  rule NAME                test ID            validation NAME    symbol NAME
  principle NAME           E021, or any other code of `check`

Examples:
  grace-rules explain tier
  grace-rules explain bundle chaos_smoke --staged
  grace-rules explain test tests/test_boot.py::test_restart";

const RUN_EXAMPLES: &str = "Examples:
  grace-rules run --base main
  grace-rules run --all --record    once, so that plans choose tests by what they entered
Results are kept in .git/grace/. Ctrl-C stops and keeps what was done.
Exit code 1 where a bundle failed.";

const GATE_EXAMPLES: &str = "Examples:
  grace-rules gate --base origin/main --head HEAD    in CI, as the required check
  grace-rules gate --worktree                        what is not committed yet
It asks for a run of exactly this tree: grace-rules run, with the same options.
Exit code 0 go, 1 hold or no, 2 it could not be decided.";

const HOOK_EXAMPLES: &str = "Examples:
  grace-rules hook install claude-code    once, in the repository
  grace-rules hook doctor claude-code     does it block?
  grace-rules hook claude-code            what the agent runs
Answers are exit code 0; whatever goes wrong is 2, which stops the agent.";

const APPROVE_EXAMPLES: &str = "Examples:
  grace-rules approve PLAN --as governance --base main --head feature
  grace-rules approve waiver vendored_sync --as governance --until 2026-12-31
  git push origin 'refs/grace/*:refs/grace/*'    share what was signed
PLAN is its name as `plan` and `gate` print it, so that you sign what you read; your key stands in the base's
grace/allowed_signers.";

/// Which change to judge, and what it says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ChangeArgs {
    /// Compare from this commit, exactly
    #[arg(long, value_name = "REV", help_heading = "The change")]
    pub base: Option<String>,
    /// Compare to this commit instead of the work tree
    #[arg(long, value_name = "REV", help_heading = "The change", conflicts_with_all = ["staged", "worktree", "diff", "files"])]
    pub head: Option<String>,
    /// What is staged, against HEAD or --base
    #[arg(long, help_heading = "The change", conflicts_with_all = ["worktree", "diff", "files"])]
    pub staged: bool,
    /// The work tree, against HEAD or --base
    #[arg(long, help_heading = "The change", conflicts_with_all = ["diff", "files"])]
    pub worktree: bool,
    /// A unified diff to apply to HEAD or --base; `-` is standard input
    #[arg(long, value_name = "FILE", help_heading = "The change", conflicts_with = "files")]
    pub diff: Option<PathBuf>,
    /// Take these files as changed, in an unknown way
    #[arg(long, value_name = "FILE", num_args = 1.., help_heading = "The change")]
    pub files: Vec<PathBuf>,
    /// What the change is, such as `refactor`; it can only raise
    #[arg(long, value_name = "OPERATION", help_heading = "What it says of itself")]
    pub operation: Option<String>,
    /// Who makes it, unverified; it can only raise
    #[arg(long, value_name = "ACTOR", help_heading = "What it says of itself")]
    pub actor: Option<String>,
    /// Its ticket, such as `HOT-7`
    #[arg(long, value_name = "TICKET", help_heading = "What it says of itself")]
    pub ticket: Option<String>,
    /// Why it is made
    #[arg(long, value_name = "TEXT", help_heading = "What it says of itself")]
    pub rationale: Option<String>,
    /// Fields of its story (TOML, or JSON); trailers of its commits give them too
    #[arg(long, value_name = "FILE", help_heading = "What it says of itself")]
    pub story: Option<PathBuf>,
    /// Its branch; otherwise the one that is checked out
    #[arg(long, value_name = "BRANCH", help_heading = "What it says of itself")]
    pub branch: Option<String>,
    /// Judge by the rules in DIR in place of both rule books, to try them out
    #[arg(long, value_name = "DIR", help_heading = "How it is judged")]
    pub rules: Option<PathBuf>,
    /// Judge as of this date (UTC) instead of now
    #[arg(long, value_name = "DATE", help_heading = "How it is judged")]
    pub as_of: Option<String>,
    /// Read everything anew, and remember nothing
    #[arg(long, help_heading = "How it is judged")]
    pub no_cache: bool,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The change.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The change.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// What to explain: `bundle NAME`, `test ID`, `tier`, …
    #[arg(required = true, value_name = "WHAT", num_args = 1..)]
    pub what: Vec<String>,
    /// The change.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The change.
    #[command(flatten)]
    pub change: ChangeArgs,
    /// Every bundle of the rules, whole, whatever the change asks for
    #[arg(long, help_heading = "What is run")]
    pub all: bool,
    /// Record what each test enters (pytest), so that later plans choose by it
    #[arg(long, help_heading = "What is run")]
    pub record: bool,
    /// Run what failed so many times more in the same tree: tells flaky from broken, and changes no outcome
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true,
        value_parser = clap::value_parser!(u32).range(0..=20), help_heading = "What is run")]
    pub reruns: u32,
}

/// `story`.
#[derive(Debug, Subcommand)]
pub enum StoryCommand {
    /// The stories, newest first
    #[command(after_help = "Example:\n  grace-rules story list --last 50")]
    List {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: usize,
        /// Which ledger.
        #[command(flatten)]
        source: LedgerArgs,
    },
    /// One story, with what was added to it
    #[command(after_help = "Examples:\n  grace-rules story show 184\n  grace-rules story show 184 --format markdown")]
    Show {
        /// Its number
        id: u64,
        /// Which ledger.
        #[command(flatten)]
        source: LedgerArgs,
    },
    /// The stories that hold a text
    #[command(after_help = "Example:\n  grace-rules story search 'retry on heal'")]
    Search {
        /// The text; case aside
        text: String,
        /// Which ledger.
        #[command(flatten)]
        source: LedgerArgs,
    },
    /// Adds to a story; what was told stays
    #[command(
        after_help = "Example:\n  grace-rules story amend 184 --story more.toml --because \"The risk was seen later.\""
    )]
    Amend {
        /// Its number
        id: u64,
        /// The fields (TOML, or JSON)
        #[arg(long, value_name = "FILE")]
        story: PathBuf,
        /// Why
        #[arg(long, value_name = "TEXT")]
        because: String,
        /// Who adds it
        #[arg(long, value_name = "ACTOR")]
        actor: Option<String>,
    },
}

/// `gate`.
#[derive(Debug, Args)]
pub struct GateArgs {
    /// The change.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// What a statement is signed with.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The SSH key; otherwise GRACE_RULES_SIGNING_KEY, else ~/.ssh/id_ed25519
    #[arg(long, value_name = "FILE", help_heading = "The signature")]
    pub key: Option<PathBuf>,
}

/// `approve` and `deny`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// The plan, by the beginning of its name; or `waiver NAME`
    #[arg(required = true, value_name = "WHAT", num_args = 1..=2)]
    pub what: Vec<String>,
    /// In whose name: a team, `owner` or `anyone`, as the plan asks
    #[arg(long = "as", value_name = "TEAM", help_heading = "The signature")]
    pub team: String,
    /// Why
    #[arg(long, value_name = "TEXT", help_heading = "The signature")]
    pub because: Option<String>,
    /// The last day on which it counts (UTC); otherwise 30 days
    #[arg(long, value_name = "DATE", help_heading = "The signature")]
    pub until: Option<String>,
    /// The key.
    #[command(flatten)]
    pub sign: SignArgs,
    /// The change.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `revoke`.
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// The statement, by the beginning of its name
    #[arg(value_name = "ENVELOPE")]
    pub envelope: String,
    /// Why
    #[arg(long, value_name = "TEXT", help_heading = "The signature")]
    pub because: Option<String>,
    /// The key.
    #[command(flatten)]
    pub sign: SignArgs,
    /// The change.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `audit halt`.
#[derive(Debug, Args)]
pub struct HaltArgs {
    /// Why
    #[arg(long, value_name = "TEXT", help_heading = "The signature")]
    pub because: String,
    /// The key.
    #[command(flatten)]
    pub sign: SignArgs,
    /// The change.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `audit resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Which halts, as `gate` names them
    #[arg(value_name = "HALT")]
    pub halts: Vec<String>,
    /// In whose name; may be left out where one team is asked
    #[arg(long = "as", value_name = "TEAM", help_heading = "The signature")]
    pub team: Option<String>,
    /// What the signature says.
    #[command(flatten)]
    pub halt: HaltArgs,
}

/// `audit cycle`.
#[derive(Debug, Args)]
pub struct CycleArgs {
    /// The commit whose rules say what a cycle is
    #[arg(long, value_name = "REV")]
    pub base: String,
    /// Before it is due
    #[arg(long)]
    pub now: bool,
    /// What is to be said of it
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Who makes it, unverified
    #[arg(long, value_name = "ACTOR")]
    pub actor: Option<String>,
}

/// `audit review`.
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// Which cycle, as `gate` names it: what its record's digest begins with
    #[arg(value_name = "CYCLE")]
    pub cycle: String,
    /// In whose name; may be left out where one team is asked
    #[arg(long = "as", value_name = "TEAM", help_heading = "The signature")]
    pub team: Option<String>,
    /// It may not stand: halt everything
    #[arg(long)]
    pub reject: bool,
    /// What was looked at, or why not
    #[arg(long, value_name = "TEXT", help_heading = "The signature")]
    pub because: String,
    /// The key.
    #[command(flatten)]
    pub sign: SignArgs,
    /// The change.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Check the rules in DIR instead of `grace/`
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// Read everything anew, and remember nothing
    #[arg(long)]
    pub no_cache: bool,
}

/// `fmt`.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Write nothing; list the files that are not in the one form, and end with 1
    #[arg(long)]
    pub check: bool,
    /// Files to format; otherwise all of `grace/`
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// `test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Run only tests whose title holds this
    #[arg(value_name = "TITLE")]
    pub title: Option<String>,
    /// Test the rules in DIR instead of `grace/`
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
}

/// `graph`.
#[derive(Debug, Subcommand)]
pub enum GraphCommand {
    /// How much of the code is read, and how surely its parts are connected
    #[command(after_help = "Example:\n  grace-rules graph stats\nOutside a repository it reads the directory.")]
    Stats(GraphArgs),
    /// The members of a set, as rules write sets
    #[command(after_help = "Examples:
  grace-rules graph query 'callers(function(\"save\"), within 2)'
  grace-rules graph query 'tag(kernel)' --format json
  grace-rules graph query all --format json      every part, with its tags")]
    Query {
        /// The set
        #[arg(value_name = "SET")]
        set: String,
        /// Where.
        #[command(flatten)]
        graph: GraphArgs,
    },
    /// A shortest way on which one thing uses another
    #[command(after_help = "Example:
  grace-rules graph path tests/test_boot.py app.core.kernel.Kernel.start
A thing is a file, or a dotted name or the end of one. Exit code 1 where there is no way.")]
    Path {
        /// What uses
        from: String,
        /// What is used
        to: String,
        /// Where.
        #[command(flatten)]
        graph: GraphArgs,
    },
    /// The graph, for other programs
    #[command(after_help = "Examples:
  grace-rules graph export --format dot | dot -Tsvg > graph.svg
  grace-rules graph export --format json --level parts
Formats: dot (unless another is named), json, graphml.")]
    Export {
        /// What its nodes are
        #[arg(long, value_enum, default_value_t = Level::Files)]
        level: Level,
        /// Where.
        #[command(flatten)]
        graph: GraphArgs,
    },
}

/// `audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Make the ledger of this repository, and the key that signs it
    #[command(after_help = "Example:
  grace-rules audit init
What is recorded first does it as well. Keep the public key that it prints where nobody who writes here can change it.")]
    Init,
    /// Derive what was decided again, and say whether it is the same
    #[command(after_help = "Examples:
  grace-rules audit replay 184
  grace-rules audit replay --all
  grace-rules audit replay --all --rules candidate/    what other rules would have said
  grace-rules audit replay --all --key 'grace-rules/shop/1c2d…+9e…+AX…'    as an auditor
Exit code 0 where all is equal, 1 where something differs, 2 where it could not be told.")]
    Replay {
        /// The record: a plan, a run, a decision, a story
        #[arg(value_name = "SEQ", required_unless_present = "all")]
        seq: Option<u64>,
        /// Every plan and every decision
        #[arg(long, conflicts_with = "seq")]
        all: bool,
        /// Judge by the rules in DIR in place of the recorded ones
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
        /// Which ledger.
        #[command(flatten)]
        source: LedgerArgs,
    },
    /// Look at what was done since the last cycle, as the rules' `audit` item asks
    #[command(after_help = "Example:\n  grace-rules audit cycle --base origin/main\n\
Runs the bundles of what was touched again, in the work tree; where nothing is due, nothing is done.\n\
A cycle that fails halts where the rules say so: exit code 1.")]
    Cycle(CycleArgs),
    /// Sign that the newest cycle may stand, or that it may not
    #[command(
        after_help = "Example:\n  grace-rules audit review 3fa2c1d09b7e --as peers --because \"read all of it\"\n\
Who took part in its actions does not review it. With --reject everything is halted."
    )]
    Review(Box<ReviewArgs>),
    /// Let nothing through the gate, whoever makes it, until a person lifts it
    #[command(after_help = "Example:\n  grace-rules audit halt --because \"the agent deletes tests\"
Any SSH key signs a halt. It is kept below refs/grace/halts/ and in the ledger.")]
    Halt(Box<HaltArgs>),
    /// Lift halts: a person of the base's rules, who took no part in the change
    #[command(
        after_help = "Example:\n  grace-rules audit resume 3fa2c1d09b7e --as peers --because \"the tests are back\"
Asked are the teams that review in an `audit` item of the base's rules, else those that approve at tier 3."
    )]
    Resume(Box<ResumeArgs>),
    /// Records: the last ones, or one whole
    #[command(after_help = "Examples:\n  grace-rules audit show\n  grace-rules audit show 184")]
    Show {
        /// The record's number
        #[arg(value_name = "SEQ")]
        seq: Option<u64>,
        /// How many of the last ones
        #[arg(long, value_name = "COUNT", default_value_t = 20)]
        last: u64,
        /// Which ledger.
        #[command(flatten)]
        source: LedgerArgs,
    },
    /// Is every record as it was signed, and what cannot be shown
    #[command(after_help = "Examples:
  grace-rules audit verify
  grace-rules audit verify --against checkpoint-2026-11 --require-anchor
  grace-rules audit verify --ledger copy/ledger --key 'grace-rules/shop/1c2d…+9e…+AX…'
Exit code 0 proven, 1 tampered with or damaged, 2 it could not be shown.")]
    Verify {
        /// A checkpoint that was kept outside, as `audit anchor file` writes it
        #[arg(long, value_name = "CHECKPOINT")]
        against: Vec<PathBuf>,
        /// Not shown, unless a checkpoint kept outside vouches for every record
        #[arg(long)]
        require_anchor: bool,
        /// Which ledger.
        #[command(flatten)]
        source: LedgerArgs,
    },
    /// A proof of one record that needs no ledger to be checked
    #[command(after_help = "Example:\n  grace-rules audit prove 184 -o 184.tlog-proof")]
    Prove {
        /// The record's number
        #[arg(value_name = "SEQ")]
        seq: u64,
        /// Write the proof to this file, which must not exist
        #[arg(short = 'o', long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Which ledger.
        #[command(flatten)]
        source: LedgerArgs,
    },
    /// Does a proof prove its record
    #[command(
        after_help = "Example:\n  grace-rules audit check-proof 184.tlog-proof --key 'grace-rules/shop/1c2d…+9e…+AX…'\nWith --body the file must be the record's long body to the byte: grace-rules audit export --bodies DIR"
    )]
    CheckProof {
        /// The proof
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Hold this file against the body that the record names by its digest
        #[arg(long, value_name = "FILE")]
        body: Option<PathBuf>,
        /// The ledger's public key, or a file with it; otherwise this user's
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Keep the checkpoint where who changes the ledger does not change it
    #[command(subcommand)]
    Anchor(AnchorCommand),
    /// The records for other programs
    #[command(after_help = "Examples:
  grace-rules audit export > ledger.jsonl
  grace-rules audit export --bodies bodies > ledger.jsonl
  grace-rules audit export --format intoto 184
  grace-rules audit export --format intoto 20260101T120000.000000Z-77    plan, run and decision of a run
  grace-rules audit export --format parquet -o ledger.parquet
Formats: jsonl (the bytes of each record, one a line), intoto (a signed statement), parquet.")]
    Export {
        /// One record; for a statement also a run
        #[arg(value_name = "SEQ|RUN")]
        what: Option<String>,
        /// The Parquet file, which must not exist
        #[arg(short = 'o', long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// And bodies over 48 KiB, which records name by their digest, as files of that name in DIR
        #[arg(long, value_name = "DIR")]
        bodies: Option<PathBuf>,
        /// Which ledger.
        #[command(flatten)]
        source: LedgerArgs,
    },
    /// Delete the texts that were given of a change: its rationale and the fields of its stories
    #[command(after_help = "Example:\n  grace-rules audit redact 184 --because \"names a customer\"\n\
184 is any plan, decision or story of the change. The records stay, and prove that something was said; a replay of them says that they are redacted.")]
    Redact {
        /// The record's number
        #[arg(value_name = "SEQ")]
        seq: u64,
        /// Why
        #[arg(long, value_name = "TEXT")]
        because: String,
        /// Who deletes it, unverified
        #[arg(long, value_name = "ACTOR")]
        actor: Option<String>,
    },
    /// Finish what an append left that was cut off, or put it aside, and verify
    #[command(
        after_help = "Example:\n  grace-rules audit fsck\nThe next append does the same. Nothing is ever cut away."
    )]
    Fsck,
}

/// `audit anchor`.
#[derive(Debug, Subcommand)]
pub enum AnchorCommand {
    /// As a commit of its own, below refs/grace/anchors/
    #[command(after_help = "Example:
  grace-rules audit anchor git
  git push origin 'refs/grace/anchors/*:refs/grace/anchors/*'
It vouches once it is pushed to where nobody can force it back.")]
    Git,
    /// As a file
    #[command(after_help = "Example:\n  grace-rules audit anchor file /mnt/auditor/checkpoint-2026-11")]
    File {
        /// The file, which must not exist
        #[arg(value_name = "PATH")]
        path: PathBuf,
    },
}

/// Which ledger is read, and whose.
#[derive(Debug, Default, Args)]
pub struct LedgerArgs {
    /// The ledger in DIR instead of this repository's
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// The ledger's public key, or a file with it; otherwise this user's
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
}

/// `store`.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Make the database again from the ledger
    #[command(after_help = "Examples:
  grace-rules store rebuild
  grace-rules store rebuild --also /mnt/ci/ledger --key 'grace-rules/shop/1c2d…+9e…+AX…'
Each row names its ledger. Decisions are by this repository's own ledger alone.")]
    Rebuild {
        /// And from this ledger, of another machine; may be repeated
        #[arg(long, value_name = "DIR")]
        also: Vec<PathBuf>,
        /// A public key that is trusted beside this user's, or a file with it; may be repeated
        #[arg(long, value_name = "KEY", requires = "also")]
        key: Vec<String>,
        /// Leave out texts of plans and outcomes of single tests from before this date (UTC)
        #[arg(long, value_name = "DATE")]
        since: Option<String>,
    },
    /// Write each table to a Parquet file
    #[command(after_help = "Example:\n  grace-rules store export --to tables\nFiles of these names are replaced.")]
    Export {
        /// The directory; otherwise `.git/grace/parquet`
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
}

/// What the nodes of an exported graph are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Files.
    Files,
    /// Files' parts: modules, classes, functions.
    Parts,
}

/// Which code `graph` reads.
#[derive(Debug, Default, Args)]
pub struct GraphArgs {
    /// Read this commit instead of the work tree
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// Take tags and names from the rules in DIR instead of `grace/`
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// Read everything anew, and remember nothing
    #[arg(long)]
    pub no_cache: bool,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_table_of_commands_has_each_of_them_and_no_other() {
        let cli = Cli::command();
        let shown = |command: &&clap::Command| !command.is_hide_set();
        let mut known = BTreeSet::new();
        for command in cli.get_subcommands().filter(shown) {
            let name = command.get_name();
            let below: Vec<String> =
                command.get_subcommands().filter(shown).map(|below| format!("{name} {}", below.get_name())).collect();
            // A noun is no command of its own, unless something else may follow it.
            if below.is_empty() || !command.is_subcommand_required_set() {
                known.insert(name.to_owned());
            }
            known.extend(below);
        }
        let mut told = BTreeSet::new();
        for row in include_str!("../../../docs/commands.md").lines().filter_map(|line| line.strip_prefix("| `")) {
            let cell = row.split(" | ").next().unwrap_or_default();
            let mut noun = "";
            for span in cell.split('`').step_by(2) {
                let mut words = span.split(' ').filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
                let (first, second) = (words.next().unwrap_or_default(), words.next());
                let inherited = format!("{noun} {first}");
                match second {
                    None if known.contains(&inherited) => told.insert(inherited),
                    None => told.insert(first.to_owned()),
                    Some(second) if known.contains(&format!("{first} {second}")) => {
                        noun = first;
                        told.insert(format!("{first} {second}"))
                    }
                    Some(_) => told.insert(first.to_owned()),
                };
            }
        }
        // Of other tables, too: what is told there is told.
        let missing: Vec<_> = known.difference(&told).collect();
        assert!(missing.is_empty(), "docs/commands.md does not have {missing:?}");
        let begin = include_str!("../../../docs/commands.md");
        let table = begin.split("## Exit codes").next().unwrap_or_default();
        for span in table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()) {
            let noun = span.split(' ').next().unwrap_or_default();
            assert!(cli.find_subcommand(noun).is_some(), "docs/commands.md has `{span}`, which is no command");
        }
    }

    #[test]
    fn every_command_has_an_example() {
        fn visit(command: &clap::Command) {
            let mut subcommands = command.get_subcommands().peekable();
            if subcommands.peek().is_none() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("grace-rules"), "no example: {}", command.get_name());
            }
            subcommands.for_each(visit);
        }
        visit(&Cli::command());
    }
}
