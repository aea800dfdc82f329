//! `reference`: what documentation is written from: the help of every command, the schema of every JSON format. Hidden:
//! `cargo xtask generate` asks for it.

use std::collections::BTreeMap;

use clap::CommandFactory as _;
use grace_engine::Row;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};

use super::{
    Answer, approve, auditing, check, cost, explain, fmt, gate, hook, init, model, plan, practice, replay, run, store,
    story, task, test,
};
use crate::args::{Cli, Reference};
use crate::failure::{self, Result};
use crate::screen::{audit, backtest, drift, stats, trends};

/// Columns of the help in the documentation.
const WIDTH: usize = 80;

pub(super) fn reference(what: Reference) -> Result<Answer> {
    match what {
        Reference::Cli => Ok(Answer::yes(command_line())),
        Reference::Schemas => Answer::json(&schemas(), true),
    }
}

/// The help of every command, as Markdown.
fn command_line() -> String {
    let mut text = String::from(
        "# Help of every command\n\nWritten by `cargo xtask generate`; what the commands mean is in [commands.md](commands.md).\n",
    );
    let mut command = Cli::command().term_width(WIDTH);
    command.build();
    visit(&mut command, "", &mut text);
    text
}

fn visit(command: &mut clap::Command, above: &str, text: &mut String) {
    let name = format!("{above} {}", command.get_name()).trim_start().to_owned();
    let help = command.clone().term_width(WIDTH).render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    text.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", help.join("\n").trim_end()));
    for inner in command.get_subcommands_mut().filter(|inner| !inner.is_hide_set()) {
        visit(inner, &name, text);
    }
}

/// The schema of every JSON format, by the name of its file.
fn schemas() -> BTreeMap<&'static str, Schema> {
    fn of<T: JsonSchema>() -> Schema {
        SchemaGenerator::new(SchemaSettings::draft2020_12().for_serialize()).into_root_schema_for::<T>()
    }
    BTreeMap::from([
        ("plan", of::<plan::PlanReport<'_>>()),
        ("explanation", of::<explain::ExplanationReport<'_>>()),
        ("code", of::<explain::CodeReport>()),
        ("check", of::<Vec<check::Mistake<'_>>>()),
        ("graph-query", of::<Vec<Row>>()),
        ("graph-stats", of::<stats::Report>()),
        ("test", of::<test::Report<'_>>()),
        ("fmt", of::<fmt::Report>()),
        ("init", of::<init::Report>()),
        ("run", of::<run::RunReport<'_>>()),
        ("practices", of::<practice::PracticesReport<'_>>()),
        ("suggestions", of::<practice::SuggestionsReport<'_>>()),
        ("cost", of::<cost::CostReport>()),
        ("hook", of::<hook::HookReport>()),
        ("decision", of::<gate::GateReport<'_>>()),
        ("store", of::<store::StoreReport>()),
        ("statement", of::<approve::SaidReport<'_>>()),
        ("audit-ledger", of::<audit::LedgerReport>()),
        ("audit-records", of::<audit::RecordsReport>()),
        ("audit-verify", of::<audit::VerifyReport>()),
        ("audit-proof", of::<audit::ProofReport>()),
        ("audit-redact", of::<audit::RedactReport>()),
        ("audit-cycle", of::<auditing::CycleReport<'_>>()),
        ("task", of::<task::TaskReport<'_>>()),
        ("replay", of::<replay::ReplayReport<'_>>()),
        ("drift", of::<drift::Report>()),
        ("drift-collect", of::<drift::CollectReport>()),
        ("drift-test", of::<backtest::Report>()),
        ("drift-trends", of::<trends::Report>()),
        ("drift-push", of::<drift::PushReport>()),
        ("stories", of::<story::StoriesReport<'_>>()),
        ("models", of::<model::ListReport>()),
        ("model", of::<model::ShowReport>()),
        ("model-diff", of::<model::DiffReport>()),
        ("model-probe", of::<model::ProbeReport>()),
        ("model-select", of::<model::SelectReport>()),
        ("error", of::<failure::Report<'_>>()),
    ])
}
