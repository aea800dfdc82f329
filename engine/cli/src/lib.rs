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
use std::sync::Once;
use std::time::Duration;

use clap::Parser as _;

use args::{Cli, Format};
use failure::{Failure, INTERRUPTED};
use terminal::Terminal;

/// The program: arguments in, text on the two streams, and an exit code: 0 yes or done, 1 the answer is no, 2 it could not
/// be answered.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; everything else is usage.
            let arrived = !error.print().is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe);
            return ExitCode::from(if arrived && !error.use_stderr() { 0 } else { 2 });
        }
    };
    let terminal = Terminal::new(cli.global.color);
    // A panic is a bug: it is said in one sentence, without a trace that frightens, and never looks like an answer.
    std::panic::set_hook(Box::new(|_| {}));
    let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let show = |text: &str| terminal.answer(text).map_err(|error| unwritten(&error));
        let interrupted = interrupted(terminal, cli.global.format);
        commands::carry_out(&cli, terminal.width(), terminal.is_watched(), &show, interrupted)
    }))
    .unwrap_or_else(|panic| Err(bug(panic.as_ref())))
    .and_then(|answer| match terminal.answer(&answer.text) {
        Ok(()) => Ok(answer.code),
        Err(error) => Err(unwritten(&error)),
    });
    match answer {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            if failure.code == INTERRUPTED {
                say_interrupted(terminal, cli.global.format);
            } else {
                say(terminal, cli.global.format, &failure);
            }
            ExitCode::from(2)
        }
    }
}

fn unwritten(error: &std::io::Error) -> Failure {
    Failure::new("output", format!("the answer could not be written: {error}"))
}

fn say(terminal: Terminal, format: Format, failure: &Failure) {
    terminal.aside(&match format {
        Format::Json => failure.json(),
        _ => failure.screen(terminal.width()),
    });
}

/// Says it once: the handler of the signal and the command that it ended may both come here.
fn say_interrupted(terminal: Terminal, format: Format) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        // The process ends without those who drew it: a line of progress would stay.
        progress::clear();
        say(terminal, format, &Failure::new(INTERRUPTED, "interrupted"));
    });
}

/// Ends the process after an interrupt, with exit code 2.
fn interrupted(terminal: Terminal, format: Format) -> impl Fn() + Send + 'static {
    move || {
        // On a thread of its own: whoever does not read standard error keeps nobody from ending.
        let saying = std::thread::spawn(move || say_interrupted(terminal, format));
        for _ in 0..100 {
            if saying.is_finished() {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        #[expect(
            clippy::exit,
            clippy::disallowed_methods,
            reason = "this is the command line, and a signal has no caller to return to"
        )]
        std::process::exit(2);
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
