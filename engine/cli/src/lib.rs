//! The command line of grace-rules: plan, explain, run. It alone prints and exits; everything else it asks of the
//! other crates, loads what they need ([`load`]) and shows what they say ([`screen`]).

pub mod args;
pub mod commands;
pub mod failure;
pub mod load;
pub mod progress;
pub mod screen;
pub mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Format};
use failure::Failure;
use terminal::Terminal;

/// The program: arguments in, text on the two streams, and an exit code: 0 yes or done, 1 the answer is no, 2 it could not
/// be answered.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; everything else is usage.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _gone = error.print();
            return ExitCode::from(code);
        }
    };
    let terminal = Terminal::new(cli.global.color);
    // A panic is a bug: it is said in one sentence, without a trace that frightens, and never looks like an answer.
    std::panic::set_hook(Box::new(|_| {}));
    let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        commands::carry_out(&cli, terminal.width(), terminal.is_watched())
    }))
    .unwrap_or_else(|panic| Err(bug(panic.as_ref())))
    .and_then(|answer| match terminal.answer(&answer.text) {
        Ok(()) => Ok(answer.code),
        Err(error) => Err(Failure::new("output", format!("the answer could not be written: {error}"))),
    });
    match answer {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            terminal.aside(&match cli.global.format {
                Format::Human => failure.screen(terminal.width()),
                Format::Json => failure.json(),
            });
            ExitCode::from(2)
        }
    }
}

fn bug(panic: &(dyn std::any::Any + Send)) -> Failure {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    Failure::new("bug", format!("grace-rules has a bug: {message}"))
        .help("please report it with the command that you gave")
}
