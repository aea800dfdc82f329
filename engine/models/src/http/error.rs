//! Why a request has no answer.

use std::fmt;
use std::time::Duration;

/// A request without an answer. No message holds an address' query, a header or a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The address is none that may be asked; why.
    Address(String),
    /// A header that cannot be sent; its name.
    Header(String),
    /// This machine gives no means; why.
    System(String),
    /// No connection; why.
    Connection(String),
    /// The connection ended within the answer, or the answer is no HTTP; why.
    Cut(String),
    /// Nothing complete within the time allowed.
    TimedOut(Duration),
    /// A longer answer than allowed, in bytes.
    TooLong(usize),
    /// A status outside 200 to 299, with the start of the answer, at most [`Error::MOST_BODY`] bytes.
    Status {
        /// The status.
        status: u16,
        /// What the server says, invalid bytes replaced.
        body: String,
    },
    /// The server asks for a longer pause than allowed.
    Refused {
        /// Its status.
        status: u16,
        /// The pause it asks for.
        pause: Duration,
    },
    /// Interrupted.
    Cancelled,
}

impl Error {
    /// Most bytes of [`Error::Status::body`].
    pub const MOST_BODY: usize = 4096;

    /// Whether trying again may help.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Cut(_) => true,
            Self::Status { status, .. } => *status == 429 || (500..=599).contains(status),
            _ => false,
        }
    }

    /// One word for reports and counts.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::Header(_) => "header",
            Self::System(_) => "system",
            Self::Connection(_) => "connection",
            Self::Cut(_) => "cut",
            Self::TimedOut(_) => "time out",
            Self::TooLong(_) => "too long",
            Self::Status { .. } => "status",
            Self::Refused { .. } => "refused",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(why) => write!(f, "the address cannot be asked: {why}"),
            Self::Header(name) => write!(f, "the header `{name}` cannot be sent"),
            Self::System(why) => write!(f, "this machine cannot ask: {why}"),
            Self::Connection(why) => write!(f, "no connection: {why}"),
            Self::Cut(why) => write!(f, "the answer broke off: {why}"),
            Self::TimedOut(after) => write!(f, "no complete answer within {} s", after.as_secs_f64()),
            Self::TooLong(limit) => write!(f, "an answer of more than {limit} bytes"),
            Self::Status { status, body } => {
                write!(f, "status {status}")?;
                let line = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
                let shown: String = line.trim().chars().filter(|c| !c.is_control()).take(200).collect();
                if shown.is_empty() { Ok(()) } else { write!(f, ": {shown}") }
            }
            Self::Refused { status, pause } => {
                write!(f, "status {status}, to be asked again in {} s, later than is waited", pause.as_secs())
            }
            Self::Cancelled => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Error {}
