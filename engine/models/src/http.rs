//! Requests over HTTP that end: bounded in time, bytes, attempts and rate.
//!
//! Redirects are not followed, so what is sent goes where the operator said and nowhere else. A secret header is sent only
//! over TLS or to this machine, and is in no message and no `Debug`.

mod error;
mod inner;

use std::fmt;
use std::time::Duration;

use grace_system::env;
use grace_system::process::Cancel;

pub use error::Error;
use inner::Inner;

/// What a client may spend on one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Until the connection stands.
    pub connect: Duration,
    /// One attempt, from the first byte sent to the last one read.
    pub total: Duration,
    /// Longest answer in bytes; a longer one is cut off and is an error.
    pub max_bytes: usize,
    /// How often it is tried in all: again after no connection, a cut answer, 429 and 5xx.
    pub attempts: u32,
    /// The first pause before trying again; doubled each time. A server's `Retry-After` may ask for more.
    pub pause: Duration,
    /// The longest pause; a server that asks for more has refused.
    pub longest_pause: Duration,
    /// Requests a minute, evenly spaced; `None` for as many as come.
    pub per_minute: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(60),
            max_bytes: 8 << 20,
            attempts: 3,
            pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            per_minute: None,
        }
    }
}

/// A value that is sent and never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps `value`.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value of the environment variable `name`, without the white space around it; `None` if it is unset or empty.
    pub fn from_env(name: &str) -> Option<Self> {
        env::var(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).map(Self)
    }

    /// The value itself, for what signs with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// A header of a request.
#[derive(Debug, Clone)]
pub struct Header {
    name: String,
    value: Secret,
    secret: bool,
}

impl Header {
    /// One that anybody may see.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: Secret::new(value), secret: false }
    }

    /// One that goes only over TLS or to this machine.
    pub fn secret(name: impl Into<String>, value: Secret) -> Self {
        Self { name: name.into(), value, secret: true }
    }

    /// `Authorization: Bearer …`.
    pub fn bearer(key: &Secret) -> Self {
        Self::secret("authorization", Secret::new(format!("Bearer {}", key.reveal())))
    }
}

/// A complete answer with a status of 200 to 299.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// From sending until the body was complete, of the attempt that succeeded.
    pub elapsed: Duration,
    /// When bytes came: after how long, and how many there were then. At most [`MOST_ARRIVALS`], the first ones.
    pub arrivals: Vec<(Duration, usize)>,
    /// How many attempts it took.
    pub attempts: u32,
}

/// Most entries of [`Answer::arrivals`].
pub const MOST_ARRIVALS: usize = 20_000;

impl Answer {
    /// The body as text, invalid bytes replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A blocking client, for one thread at a time or several. Not to be used inside an asynchronous task.
pub struct Client {
    inner: Inner,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("limits", self.inner.limits()).finish_non_exhaustive()
    }
}

impl Client {
    /// A client whose requests end when `cancel` is set.
    ///
    /// Errors if the system gives no threads or sockets.
    pub fn new(limits: Limits, cancel: Cancel) -> Result<Self, Error> {
        Ok(Self { inner: Inner::new(limits, cancel)? })
    }

    /// `GET url`, with `query` appended to what the address has already.
    pub fn get(&self, url: &str, query: &[(&str, &str)], headers: &[Header]) -> Result<Answer, Error> {
        let mut url = inner::parse(url)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.inner.send(&url, headers, None)
    }

    /// `POST url` with a JSON text. It is sent again after a failure, so whoever receives it must bear a repetition.
    pub fn post_json(&self, url: &str, body: &str, headers: &[Header]) -> Result<Answer, Error> {
        self.inner.send(&inner::parse(url)?, headers, Some(body))
    }
}
