//! `cargo xtask <command>`: builds, tests, lints and shows the workspace on a machine that has
//! only a Rust toolchain, git, a C compiler and Python.
//!
//! It brings what the build needs and the repository does not hold: the ready-made libduckdb
//! (pinned, verified) and a Python environment with pytest. It holds no logic of the product.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a build tool talks to the terminal, to files and to processes by itself"
)]

mod attack;
mod bench;
mod crash;
mod decisions;
mod demo;
mod doctor;
mod duckdb;
mod extras;
mod generate;
mod guardrails;
mod host;
mod languages;
mod lint;
mod llm;
mod python;
mod selection;
mod testbed;

use std::process::ExitCode;

/// One command: its name, its arguments as shown in the help, and what it does.
const COMMANDS: &[(&str, &str, &str)] = &[
    ("build", "[cargo arguments]", "build the binary `grace-rules`, linked to the ready-made libduckdb"),
    ("demo", "", "build, then plan a sample change of examples/mini_grace"),
    ("test", "[--ci] [cargo arguments]", "run every test of every crate"),
    ("lint", "", "formatting, clippy on everything, generated files, licences and advisories"),
    (
        "bench",
        "[warm|mcp|ledger|drift [--nab DIR]]",
        "measure on a large project: `graph stats` beside other tools, a plan beside `git status`, over MCP too; `ledger`: the ledger beside `sha256sum`; `drift`: false alarms and what is found",
    ),
    (
        "attack",
        "[kill|crowd|trees|files] [NUMBERS]",
        "try to change, tear or lose records of a ledger in every way, unseen",
    ),
    (
        "crash",
        "[KILLS [TOGETHER]]",
        "kill runs at random moments, and start many at once: is all that was told recorded",
    ),
    (
        "testbed",
        "CHECKOUT [[--replay|--reverts] COMMITS]",
        "measure again what docs/testbed.md says of a checkout of aaron031291/grace_2",
    ),
    (
        "guardrails",
        "CHECKOUT...|table",
        "false alarms of the guardrails on real commits, and what they find of text that is spoilt on purpose",
    ),
    (
        "languages",
        "KIND DIRECTORY [TOOL...]",
        "compare imports with the language's own tool: python, script, rust or go",
    ),
    (
        "selection",
        "replay|measure|truth [PACKAGE...]",
        "which tests are chosen for seeded faults, beside those that fail",
    ),
    ("llm", "", "serve a real small model here and let the tests that need one ask it; the first time takes minutes"),
    ("fetch", "", "bring the pinned libduckdb to target/libduckdb, so that plain cargo commands link"),
    (
        "extras",
        "",
        "bring the Prometheus and Chromium of Debian, which tests of monitoring start; without them they are skipped",
    ),
    ("generate", "[--check]", "write the generated files; with --check, fail where one differs"),
    ("doctor", "", "say what this machine lacks"),
];

/// What a command came to: nothing to report, or one sentence that says what stopped it.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let outcome = match command.as_str() {
        "build" => build(&rest),
        "demo" => no_arguments(&rest).and_then(|()| demo::run()),
        "test" => test(&rest),
        "lint" => no_arguments(&rest).and_then(|()| lint::run()),
        "bench" => bench::run(&rest),
        "attack" => attack::run(&rest),
        "crash" => crash::run(&rest),
        "testbed" => testbed::run(&rest),
        "guardrails" => guardrails::run(&rest),
        "languages" => languages::run(&rest),
        "selection" => selection::run(&rest),
        "llm" => no_arguments(&rest).and_then(|()| llm::run()),
        "fetch" => no_arguments(&rest).and_then(|()| fetch()),
        "extras" => no_arguments(&rest).and_then(|()| extras::run()),
        "generate" => generate::run(&rest),
        "doctor" => no_arguments(&rest).and_then(|()| doctor::run()),
        "" | "help" | "-h" | "--help" => {
            print!("{}", help());
            Ok(())
        }
        unknown => Err(format!("no command `{unknown}`\n{}", help())),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let mut text = String::from("cargo xtask <command>\n");
    for (name, arguments, what) in COMMANDS {
        let call = format!("{name} {arguments}");
        text.push_str(&format!("  {call:<30} {what}\n"));
    }
    text
}

fn no_arguments(rest: &[String]) -> Outcome {
    match rest.first() {
        None => Ok(()),
        Some(first) => Err(format!("unexpected argument `{first}`")),
    }
}

fn fetch() -> Outcome {
    let library = duckdb::bring()?;
    println!("{}", library.display());
    Ok(())
}

fn build(rest: &[String]) -> Outcome {
    duckdb::bring()?;
    host::cargo(&["build", "--package", "grace-rules"]).args(rest).run()
}

/// Runs all tests with pytest on the path. The binary is built first: the command-line tests start it.
fn test(rest: &[String]) -> Outcome {
    duckdb::bring()?;
    let python = python::environment()?;
    let ci = rest.iter().any(|argument| argument == "--ci");
    let rest: Vec<&String> = rest.iter().filter(|argument| *argument != "--ci").collect();
    // With the tests, so that features are those of the tests and nothing is compiled twice.
    host::cargo(&["build", "--workspace", "--bins", "--tests", "--examples"]).args(ci.then_some("--locked")).run()?;
    let mut command = host::cargo(&["test", "--workspace"]).path_first(&python);
    if let Some(python) = python::protocol() {
        command = command.variable("GRACE_TEST_MCP_PYTHON", python);
    }
    if ci {
        command = command.args(["--locked", "--no-fail-fast"]);
    }
    command.args(rest).run()
}
