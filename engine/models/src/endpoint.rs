//! One server of one model, in either dialect.
//!
//! What it says of itself is kept as said and never taken as its identity: servers answer for models that they do not have.

mod ollama;
mod openai;
mod stream;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use grace_system::config::ModelEndpoint;
use grace_system::process::Cancel;
use serde_json::Value;

use crate::http::{self, Answer, Client, Header, Limits, Secret};

pub use grace_system::config::Dialect;

/// What the operator says of an endpoint.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The model's name in fingerprints and rules, `mistral:7b`.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// The model's name there.
    pub served_as: String,
    /// What opens it.
    pub key: Option<Secret>,
    /// What may be spent.
    pub limits: Limits,
}

impl Settings {
    /// What the operator's configuration says of the model `name`.
    ///
    /// # Errors
    /// When the variable that it names holds no key.
    pub fn of(name: &str, said: &ModelEndpoint) -> Result<Self, http::Error> {
        let key = said.key_env.as_deref().map(|variable| {
            let unset = || http::Error::System(format!("the environment variable `{variable}` holds no key"));
            Secret::from_env(variable).ok_or_else(unset)
        });
        Ok(Self {
            name: name.to_owned(),
            url: said.url.clone(),
            dialect: said.dialect,
            served_as: said.model.clone(),
            key: key.transpose()?,
            limits: Limits {
                total: said.timeout(),
                max_bytes: usize::try_from(said.max_bytes).unwrap_or(usize::MAX),
                per_minute: Some(said.requests_per_minute),
                ..Limits::default()
            },
        })
    }

    /// The host of its address, which is all that is recorded of it.
    #[must_use]
    pub fn host(&self) -> &str {
        host(&self.url)
    }

    /// The dialect's name, as the configuration writes it.
    #[must_use]
    pub fn dialect_name(&self) -> &'static str {
        match self.dialect {
            Dialect::OpenAi => "openai",
            Dialect::Ollama => "ollama",
        }
    }
}

/// The host and port of an address, without a name or a password before it.
#[must_use]
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    rest.rsplit_once('@').map_or(rest, |(_, host)| host)
}

/// One question.
#[derive(Debug, Clone, Default)]
pub struct Ask<'a> {
    /// What holds for every question.
    pub system: Option<&'a str>,
    /// The question.
    pub prompt: &'a str,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// For servers that draw by chance even so; it is always asked for the likeliest answer.
    pub seed: u64,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The text.
    pub text: String,
    /// Tokens of the question, as the server counts.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer, as the server counts.
    pub answer_tokens: Option<u64>,
    /// It ended because it had to: the text is no whole answer.
    pub cut_short: bool,
    /// The model that the server says it is.
    pub said_model: Option<String>,
    /// Until the answer was complete.
    pub elapsed: Duration,
    /// Until the first text of it, where it was streamed.
    pub first_text: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request failed.
    Http(http::Error),
    /// The question is longer than the server takes.
    TooLongForModel(String),
    /// What came is not JSON, or not of the dialect; what is wrong.
    Malformed(String),
    /// The stream ended without its end.
    CutStream,
    /// It answered with no text.
    Empty,
    /// The server reports a failure in a successful answer.
    Reported(String),
}

impl Fault {
    /// One word for counts.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Http(error) => error.word(),
            Self::TooLongForModel(_) => "context exceeded",
            Self::Malformed(_) => "malformed",
            Self::CutStream => "cut",
            Self::Empty => "empty",
            Self::Reported(_) => "reported",
        }
    }

    /// Whether it is of no use to ask anything more: it was interrupted, or nothing could be asked at all.
    #[must_use]
    pub fn is_final(&self) -> bool {
        use http::Error;
        matches!(
            self,
            Self::Http(
                Error::Cancelled | Error::Address(_) | Error::Header(_) | Error::System(_) | Error::Refused { .. }
            )
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => error.fmt(f),
            Self::TooLongForModel(said) => write!(f, "the question is longer than the server takes: {said}"),
            Self::Malformed(what) => write!(f, "the answer is not of the dialect: {what}"),
            Self::CutStream => f.write_str("the stream ended without its end"),
            Self::Empty => f.write_str("an answer without text"),
            Self::Reported(said) => write!(f, "the server reports: {said}"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<http::Error> for Fault {
    fn from(error: http::Error) -> Self {
        match error {
            http::Error::Status { status: 400 | 413 | 422, ref body } if speaks_of_context(body) => {
                Self::TooLongForModel(error.to_string())
            }
            other => Self::Http(other),
        }
    }
}

fn speaks_of_context(body: &str) -> bool {
    let body = body.to_ascii_lowercase();
    ["context_length", "context length", "context window", "maximum context", "too many tokens", "context size"]
        .iter()
        .any(|words| body.contains(words))
}

/// What a server says that it serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Models by name, with their digests where it has them; at most [`Listed::MOST`].
    pub models: BTreeMap<String, Option<String>>,
}

impl Listed {
    /// Most models that are kept.
    pub const MOST: usize = 1000;
}

/// A server of a model, ready to be asked.
#[derive(Debug)]
pub struct Endpoint {
    settings: Settings,
    client: Client,
}

impl Endpoint {
    /// Makes one; nothing is asked yet.
    ///
    /// # Errors
    /// When this machine has no means to ask.
    pub fn new(settings: Settings, cancel: Cancel) -> Result<Self, http::Error> {
        let client = Client::new(settings.limits.clone(), cancel)?;
        Ok(Self { settings, client })
    }

    /// What the operator says of it.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Asks once, for the likeliest answer.
    ///
    /// # Errors
    /// When there is none.
    pub fn complete(&self, ask: &Ask<'_>) -> Result<Completion, Fault> {
        let answer = self.post(ask, false)?;
        let value = json(&answer.body)?;
        let read = match self.settings.dialect {
            Dialect::OpenAi => openai::completion(&value)?,
            Dialect::Ollama => ollama::completion(&value)?,
        };
        finish(read, &answer, None)
    }

    /// Asks once and has the answer come piece by piece.
    ///
    /// # Errors
    /// When there is none.
    pub fn stream(&self, ask: &Ask<'_>) -> Result<Completion, Fault> {
        let answer = self.post(ask, true)?;
        let streamed = match self.settings.dialect {
            Dialect::OpenAi => stream::events(&answer)?,
            Dialect::Ollama => stream::lines(&answer)?,
        };
        finish(streamed.read, &answer, streamed.first_text)
    }

    /// What the server says that it serves.
    ///
    /// # Errors
    /// When it does not say.
    pub fn listed(&self) -> Result<Listed, Fault> {
        let (path, list, name, digest) = match self.settings.dialect {
            Dialect::OpenAi => ("models", "data", "id", None),
            Dialect::Ollama => ("api/tags", "models", "name", Some("digest")),
        };
        let answer = self.client.get(&self.url(path), &[], &self.headers())?;
        let value = json(&answer.body)?;
        let Some(all) = value.get(list).and_then(Value::as_array) else {
            return Err(Fault::Malformed(format!("no list `{list}`")));
        };
        let model = |entry: &Value| {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).map(|text| limited(text, 200));
            Some((text(name)?, digest.and_then(text)))
        };
        Ok(Listed { models: all.iter().take(Listed::MOST).filter_map(model).collect() })
    }

    fn post(&self, ask: &Ask<'_>, streaming: bool) -> Result<Answer, Fault> {
        let (path, body) = match self.settings.dialect {
            Dialect::OpenAi => ("chat/completions", openai::body(&self.settings.served_as, ask, streaming)),
            Dialect::Ollama => ("api/chat", ollama::body(&self.settings.served_as, ask, streaming)),
        };
        Ok(self.client.post_json(&self.url(path), &body.to_string(), &self.headers())?)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.settings.url.trim_end_matches('/'))
    }

    fn headers(&self) -> Vec<Header> {
        self.settings.key.iter().map(Header::bearer).collect()
    }
}

/// What a body says, before it is timed.
struct Read {
    text: String,
    prompt_tokens: Option<u64>,
    answer_tokens: Option<u64>,
    cut_short: bool,
    said_model: Option<String>,
}

fn finish(read: Read, answer: &Answer, first_text: Option<Duration>) -> Result<Completion, Fault> {
    if read.text.trim().is_empty() {
        return Err(Fault::Empty);
    }
    Ok(Completion {
        text: read.text,
        prompt_tokens: read.prompt_tokens,
        answer_tokens: read.answer_tokens,
        cut_short: read.cut_short,
        said_model: read.said_model,
        elapsed: answer.elapsed,
        first_text,
    })
}

fn json(body: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::Malformed(format!("not JSON: {error}")))
}

/// A failure that a server reports inside a successful answer.
fn reported(value: &Value) -> Option<Fault> {
    let error = value.get("error").filter(|error| !error.is_null())?;
    let said = error.get("message").and_then(Value::as_str).or_else(|| error.as_str()).unwrap_or("an error");
    Some(Fault::Reported(limited(said, 200)))
}

/// The beginning of a text of the server, on one line.
fn limited(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
}
