//! The only place that prints: text to the two streams, colour where it is wanted, and the width of the terminal.

use std::io::Write as _;

use anstream::AutoStream;
use clap::ColorChoice;
use grace_system::env::{self, Stream};

/// Width where there is no terminal to ask.
const DEFAULT_WIDTH: u16 = 80;

/// Where and how to print.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    color: ColorChoice,
}

impl Terminal {
    /// With colour as the user asked.
    #[must_use]
    pub fn new(color: ColorChoice) -> Self {
        Self { color }
    }

    fn choice(self) -> anstream::ColorChoice {
        match self.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::AlwaysAnsi,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
    }

    /// Columns of the terminal that standard output (or else standard error) goes to; 80 where it is none.
    #[must_use]
    pub fn width(self) -> usize {
        let asked = if env::is_terminal(Stream::Output) {
            terminal_size::terminal_size_of(std::io::stdout())
        } else if env::is_terminal(Stream::Error) {
            terminal_size::terminal_size_of(std::io::stderr())
        } else {
            None
        };
        asked.map_or(DEFAULT_WIDTH, |(width, _)| width.0).into()
    }

    /// Prints an answer. A reader that went away (`| head`) is not an error.
    ///
    /// # Errors
    /// When the answer did not arrive, as on a full disk.
    pub fn answer(self, text: &str) -> std::io::Result<()> {
        let mut stream = AutoStream::new(std::io::stdout().lock(), self.choice());
        match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    /// Prints what is not the answer: errors, notes, progress.
    pub fn aside(self, text: &str) {
        let mut stream = AutoStream::new(std::io::stderr().lock(), self.choice());
        let _gone = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }

    /// Whether progress may be drawn: somebody watches standard error.
    #[must_use]
    pub fn is_watched(self) -> bool {
        env::is_terminal(Stream::Error)
    }
}
