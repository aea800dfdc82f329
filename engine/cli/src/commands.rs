//! The commands: each takes its arguments and gives an answer, a text and whether it is yes. None prints by itself,
//! but for progress.

mod agents_md;
mod approve;
mod audit;
mod auditing;
mod backtesting;
mod carrying;
mod check;
pub(crate) mod cost;
mod drift;
mod explain;
mod fmt;
mod gate;
mod graph;
mod halting;
mod hook;
mod init;
mod keeping;
mod mcp;
pub(crate) mod model;
pub(crate) mod observing;
mod plan;
mod practice;
pub(crate) mod recording;
mod reference;
mod rejudging;
pub(crate) mod replay;
pub(crate) mod rerunning;
mod run;
pub(crate) mod store;
mod story;
mod task;
mod test;
mod trending;
pub(crate) mod validating;
mod watch;

use std::path::PathBuf;

use clap::CommandFactory as _;
use grace_system::process::{self, Cancel};
use serde::Serialize;

use crate::args::agents::HookVerb;
use crate::args::task::TaskCommand;
use crate::args::{AuditCommand, Cli, Command, Format, GraphCommand, StoreCommand, StoryCommand};
use crate::failure::{Failure, Result};
use crate::load::Place;
use crate::progress::Progress;
use crate::screen::Page;

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// For standard output, with ANSI sequences.
    pub text: String,
    /// The exit code: 0 yes or done, 1 the answer is no, 2 it was not answered to the end.
    pub code: u8,
}

impl Answer {
    fn yes(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 0 }
    }

    fn json(value: &impl Serialize, yes: bool) -> Result<Self> {
        let mut text = serde_json::to_string_pretty(value).map_err(|error| Failure::new("bug", error))?;
        text.push('\n');
        Ok(Self { text, code: u8::from(!yes) })
    }
}

/// Shows text now, for commands that go on.
pub type Show<'a> = &'a dyn Fn(&str) -> Result<()>;

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) place: Place,
    pub(crate) format: Format,
    pub(crate) width: usize,
    pub(crate) progress: Progress,
    pub(crate) cancel: Cancel,
}

impl Context {
    fn page(&self) -> Page {
        Page::new(self.width)
    }

    fn is_json(&self) -> bool {
        self.format == Format::Json
    }
}

/// Carries out one command. `width` is the terminal's, `watched` says whether progress may be drawn; `interrupted` ends
/// the process on a signal, at once but for a run, which first ends its children and keeps what was done.
///
/// # Errors
/// When the question cannot be answered.
pub fn carry_out(
    cli: &Cli,
    width: usize,
    watched: bool,
    show: Show<'_>,
    interrupted: impl Fn() + Send + 'static,
) -> Result<Answer> {
    if let Command::Completions { shell } = &cli.command {
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut Cli::command(), "grace-rules", &mut script);
        return Ok(Answer::yes(String::from_utf8_lossy(&script).into_owned()));
    }
    if let Command::Reference { what } = &cli.command {
        return reference::reference(*what);
    }
    if let Command::Guard { mark, scratch } = &cli.command {
        process::guard(mark, scratch);
        return Ok(Answer::yes(String::new()));
    }
    // A second handler in one process is an error that means nothing here.
    let cancel = Cancel::on_interrupt(interrupted).unwrap_or_default();
    if let Command::Hook(args) = &cli.command
        && args.verb.is_none()
    {
        // Agents wait at each call of a tool: what needs no repository asks for none.
        let asked = hook::asked(args, std::io::stdin().lock())?;
        if let Some(answer) = asked.answer {
            return Ok(Answer::yes(answer));
        }
        let directory = asked.event.directory.as_ref().map(PathBuf::from).filter(|directory| directory.is_absolute());
        let place = Place::find(directory.as_deref().or(cli.global.directory.as_deref()), &cancel)?;
        let context = Context { place, format: Format::Human, width, progress: Progress::Silent, cancel };
        return hook::answer(&context, &asked);
    }
    let place = Place::find(cli.global.directory.as_deref(), &cancel)?;
    let progress = match (cli.global.format, watched) {
        // Standard output is the protocol's, and standard error nobody's.
        _ if matches!(cli.command, Command::Mcp) => Progress::Silent,
        (Format::Json, _) => Progress::Silent,
        (_, true) => Progress::Drawn,
        (_, false) => Progress::Lines,
    };
    let only = match cli.global.format {
        Format::Human | Format::Json => None,
        Format::Dot | Format::GraphMl => {
            (!matches!(cli.command, Command::Graph(GraphCommand::Export { .. }))).then_some("graph export")
        }
        Format::Jsonl | Format::InToto | Format::Parquet => {
            (!matches!(cli.command, Command::Audit(AuditCommand::Export { .. }))).then_some("audit export")
        }
        Format::Markdown | Format::Html => {
            (!matches!(cli.command, Command::Story(StoryCommand::Show { .. }))).then_some("story show")
        }
    };
    if let Some(command) = only {
        return Err(Failure::new("usage", format!("only `{command}` writes this format")).help("human, or json"));
    }
    let context = Context { place, format: cli.global.format, width, progress, cancel };
    match &cli.command {
        Command::Init => init::init(&context),
        Command::Check(args) => check::check(&context, args),
        Command::Fmt(args) => fmt::fmt(&context, args),
        Command::Test(args) => test::test(&context, args),
        Command::Plan(args) => plan::plan(&context, &args.change),
        Command::Watch(args) => watch::watch(&context, &args.change, show),
        Command::Explain(args) => explain::explain(&context, args),
        Command::Graph(GraphCommand::Stats(args)) => graph::stats(&context, args),
        Command::Graph(GraphCommand::Query { set, graph }) => graph::query(&context, set, graph),
        Command::Graph(GraphCommand::Path { from, to, graph }) => graph::path(&context, from, to, graph),
        Command::Graph(GraphCommand::Export { level, graph }) => graph::export(&context, *level, graph),
        Command::Run(args) => run::run(&context, args),
        Command::Cost(args) => cost::cost(&context, args),
        Command::Practice(command) => practice::practice(&context, command),
        Command::Mcp => mcp::mcp(&context),
        Command::AgentsMd(args) => agents_md::agents_md(&context, args),
        Command::Hook(args) => match &args.verb {
            Some(HookVerb::Install { agent }) => hook::install(&context, agent.0),
            Some(HookVerb::Doctor { agent }) => hook::doctor(&context, agent.0),
            None => Err(Failure::new("bug", "a hook was answered before")),
        },
        Command::Gate(args) => gate::gate(&context, &args.change),
        Command::Story(command) => story::story(&context, command),
        Command::Approve(args) => approve::approve(&context, args, approve::Word::Yes),
        Command::Deny(args) => approve::approve(&context, args, approve::Word::No),
        Command::Revoke(args) => approve::revoke(&context, args),
        Command::Audit(command) => audit::audit(&context, command, show),
        Command::Model(command) => model::model(&context, command),
        Command::Store(StoreCommand::Rebuild { also, key, since }) => {
            store::rebuild(&context, also, key, since.as_deref())
        }
        Command::Store(StoreCommand::Export { to }) => store::export(&context, to.as_deref()),
        Command::Drift(command) => drift::drift(&context, command, show),
        Command::Task(TaskCommand::Run(args)) => task::run(&context, args),
        Command::Completions { .. } | Command::Reference { .. } | Command::Guard { .. } => {
            Err(Failure::new("bug", "this command needs no place"))
        }
    }
}
