//! The operator's configuration: where endpoints, webhooks and models are, and their limits.
//!
//! Rules name these things and never hold an address; a key is named here by its environment variable and never written. The
//! file lies outside every tree that is judged, so that no change can turn a question to another server.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::env;
use crate::files::{self, FileError, FileErrorKind};

/// The variable that names the file.
pub const VARIABLE: &str = "GRACE_RULES_CONFIG";
/// Largest file, in bytes.
const MAX_BYTES: u64 = 256 << 10;
/// Longest time that one answer may be waited for, in seconds.
const LONGEST: u64 = 3600;
/// Largest answer that may be allowed, in bytes.
const LARGEST: u64 = 1 << 30;
/// Most attempts at one delivery.
const MOST_ATTEMPTS: u32 = 20;

/// What the operator says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `[endpoints.NAME]`: where values are measured.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// `[webhooks.NAME]`: who is told.
    pub webhooks: BTreeMap<String, Webhook>,
    /// `[models.NAME]`: which model is asked where.
    pub models: BTreeMap<String, ModelEndpoint>,
}

/// A server that is asked for measured values, such as a Prometheus.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its address, `http` or `https`.
    pub url: String,
    /// The environment variable that holds a bearer token.
    pub auth: Option<String>,
    /// Longest time for one answer, in seconds.
    #[serde(default = "half_a_minute")]
    pub timeout_s: u64,
    /// Largest answer, in bytes.
    #[serde(default = "megabytes::<32>")]
    pub max_bytes: u64,
}

/// A server that is told what was found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its address, `http` or `https`.
    pub url: String,
    /// The environment variable that holds the secret which messages are signed with.
    pub secret: String,
    /// Longest time for one answer, in seconds.
    #[serde(default = "half_a_minute")]
    pub timeout_s: u64,
    /// Attempts at one delivery.
    #[serde(default = "five")]
    pub attempts: u32,
}

/// A model's endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEndpoint {
    /// Its address, `http` or `https`.
    pub url: String,
    /// What it speaks.
    pub dialect: Dialect,
    /// The model's name there.
    pub model: String,
    /// The environment variable that holds its key.
    pub key_env: Option<String>,
    /// Longest time for one answer, in seconds.
    #[serde(default = "two_minutes")]
    pub timeout_s: u64,
    /// Largest answer, in bytes.
    #[serde(default = "megabytes::<8>")]
    pub max_bytes: u64,
    /// Most requests in a minute.
    #[serde(default = "sixty")]
    pub requests_per_minute: u32,
}

/// What a model's endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// As OpenAI's chat completions.
    OpenAi,
    /// Ollama's own.
    Ollama,
}

const fn half_a_minute() -> u64 {
    30
}

const fn two_minutes() -> u64 {
    120
}

const fn megabytes<const COUNT: u64>() -> u64 {
    COUNT << 20
}

const fn five() -> u32 {
    5
}

const fn sixty() -> u32 {
    60
}

impl Endpoint {
    /// Longest time for one answer.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }
}

impl Webhook {
    /// Longest time for one answer.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }
}

impl ModelEndpoint {
    /// Longest time for one answer.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }
}

/// Why there is no configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// The file cannot be used.
    File(FileError),
    /// The path that the variable holds is not absolute.
    Relative(PathBuf),
    /// It lies in a tree that is judged.
    Inside(PathBuf),
    /// It says something that cannot be.
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Relative(path) => write!(f, "{VARIABLE} holds `{}`, which is no absolute path", path.display()),
            Self::Inside(path) => {
                write!(f, "`{}` lies inside the repository, where a change could turn it", path.display())
            }
            Self::Wrong { path, why } => write!(f, "`{}` cannot be used: {why}", path.display()),
        }
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// What to do about it, if that is known.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::File(_) => None,
            Self::Relative(_) => Some("write the whole path"),
            Self::Inside(_) => Some("keep it with your own settings, or name another by GRACE_RULES_CONFIG"),
            Self::Wrong { .. } => Some("docs/monitoring.md says what may stand there"),
        }
    }
}

/// Where the configuration is looked for; whether somebody named that place.
#[must_use]
pub fn path() -> Option<(PathBuf, bool)> {
    match env::var_os(VARIABLE) {
        Some(named) => Some((PathBuf::from(named), true)),
        None => Some((env::config_dir()?.join("grace-rules").join("config.toml"), false)),
    }
}

impl Config {
    /// Reads the operator's configuration. Nothing is configured where the usual place holds no file. A file in one of the
    /// directories `outside_of` is refused: the tree that is judged and its git directory.
    ///
    /// # Errors
    /// When the file cannot be read, lies where a change could reach it, or says what cannot be.
    pub fn read(outside_of: &[&Path]) -> Result<Self, ConfigError> {
        match path() {
            Some((path, named)) => Self::read_at(path, named, outside_of),
            None => Ok(Self::default()),
        }
    }

    fn read_at(path: PathBuf, named: bool, outside_of: &[&Path]) -> Result<Self, ConfigError> {
        if !path.is_absolute() {
            return Err(ConfigError::Relative(path));
        }
        // Links are resolved first: what counts is where the bytes lie.
        let real = match files::canonical(&path) {
            Err(error) if error.kind == FileErrorKind::NotFound && !named => return Ok(Self::default()),
            other => other.map_err(ConfigError::File)?,
        };
        let is_inside = |dir: &&Path| files::canonical(dir).is_ok_and(|dir| real.starts_with(dir));
        if outside_of.iter().any(is_inside) {
            return Err(ConfigError::Inside(path));
        }
        let text = files::read_text(&real, MAX_BYTES).map_err(ConfigError::File)?;
        Self::parse(&text).map_err(|why| ConfigError::Wrong { path, why })
    }

    /// Reads a configuration's text.
    ///
    /// # Errors
    /// When it is no TOML, names something that is not known, or a value cannot be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            line.map_or_else(|| error.message().to_owned(), |line| format!("line {line}: {}", error.message()))
        })?;
        let within = |what: &str, value: u64, most: u64| match value {
            0 => Err(format!("{what} is 0")),
            more if more > most => Err(format!("{what} is more than {most}")),
            _ => Ok(()),
        };
        for (name, endpoint) in &config.endpoints {
            let of = |field: &str| format!("{field} of endpoint {name:?}");
            address(&of("url"), &endpoint.url)?;
            variable(&of("auth"), endpoint.auth.as_deref())?;
            within(&of("timeout_s"), endpoint.timeout_s, LONGEST)?;
            within(&of("max_bytes"), endpoint.max_bytes, LARGEST)?;
        }
        for (name, webhook) in &config.webhooks {
            let of = |field: &str| format!("{field} of webhook {name:?}");
            address(&of("url"), &webhook.url)?;
            variable(&of("secret"), Some(&webhook.secret))?;
            within(&of("timeout_s"), webhook.timeout_s, LONGEST)?;
            within(&of("attempts"), webhook.attempts.into(), MOST_ATTEMPTS.into())?;
        }
        for (name, model) in &config.models {
            let of = |field: &str| format!("{field} of model {name:?}");
            address(&of("url"), &model.url)?;
            variable(&of("key_env"), model.key_env.as_deref())?;
            within(&of("timeout_s"), model.timeout_s, LONGEST)?;
            within(&of("max_bytes"), model.max_bytes, LARGEST)?;
            within(&of("requests_per_minute"), model.requests_per_minute.into(), 1_000_000)?;
        }
        Ok(config)
    }
}

fn address(what: &str, url: &str) -> Result<(), String> {
    let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) else {
        return Err(format!("{what} is no address: it begins with neither http:// nor https://"));
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(format!("{what} is no address"));
    }
    if host.contains('@') {
        return Err(format!("{what} holds a name or a password; name the variable that holds a token instead"));
    }
    Ok(())
}

/// A variable's name, so that nobody writes the key itself: keys are not made of these letters alone, or are refused by length.
fn variable(what: &str, name: Option<&str>) -> Result<(), String> {
    let Some(name) = name else { return Ok(()) };
    let starts = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
    let holds = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if starts && holds && name.len() <= 64 {
        return Ok(());
    }
    Err(format!("{what} is the name of an environment variable, in capitals, and not what that holds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "[endpoints.main]\nurl = \"http://localhost:9090\"\nauth = \"PROM_TOKEN\"\n\n[webhooks.ops]\nurl = \"https://example.org/hook\"\nsecret = \"HOOK_SECRET\"\n\n[models.\"mistral:7b\"]\nurl = \"http://localhost:11434\"\ndialect = \"ollama\"\nmodel = \"mistral:7b\"\n";

    #[test]
    fn what_is_not_said_has_a_bound() {
        let config = Config::parse(WHOLE).unwrap();
        assert_eq!(config.endpoints["main"].timeout(), Duration::from_secs(30));
        assert_eq!(config.endpoints["main"].max_bytes, 32 << 20);
        assert_eq!(config.webhooks["ops"].attempts, 5);
        assert_eq!(
            (config.models["mistral:7b"].dialect, config.models["mistral:7b"].requests_per_minute),
            (Dialect::Ollama, 60)
        );
        assert_eq!(Config::parse("").unwrap(), Config::default());
    }

    #[test]
    fn a_file_where_a_change_could_turn_it_is_refused() {
        let (tree, own) = (files::temporary_dir().unwrap(), files::temporary_dir().unwrap());
        let read = |path: &Path, named| Config::read_at(path.to_path_buf(), named, &[tree.path()]);
        let inside = tree.path().join("config.toml");
        std::fs::write(&inside, WHOLE).unwrap();
        assert_eq!(read(&inside, true), Err(ConfigError::Inside(inside.clone())));
        let outside = own.path().join("config.toml");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&inside, &outside).unwrap();
            assert_eq!(read(&outside, false), Err(ConfigError::Inside(outside.clone())));
            std::fs::remove_file(&outside).unwrap();
        }
        // Nothing at the usual place is no configuration; at a place that somebody named, it is a mistake.
        assert_eq!(read(&outside, false), Ok(Config::default()));
        assert!(matches!(read(&outside, true), Err(ConfigError::File(_))));
        assert!(matches!(read(Path::new("config.toml"), true), Err(ConfigError::Relative(_))));
        std::fs::write(&outside, WHOLE).unwrap();
        assert_eq!(read(&outside, true), Ok(Config::parse(WHOLE).unwrap()));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_name() {
        for (from, to, why) in [
            ("http://localhost:9090", "file:///etc/passwd", "url of endpoint \"main\""),
            ("http://localhost:9090", "http://", "url of endpoint \"main\" is no address"),
            ("http://localhost:9090", "http://a:b@localhost", "a password"),
            ("PROM_TOKEN", "glsa_9fZ1x", "auth of endpoint \"main\" is the name of an environment variable"),
            ("auth = ", "timeout_s = 0\nauth = ", "is 0"),
            ("auth = ", "timeout_s = 99999\nauth = ", "more than 3600"),
            ("auth = ", "max_bytes = -1\nauth = ", "line 3"),
            ("auth = ", "colour = 1\nauth = ", "unknown field `colour`"),
            ("secret = \"HOOK_SECRET\"\n", "", "missing field `secret`"),
            ("\"ollama\"", "\"telepathy\"", "telepathy"),
            ("[endpoints.main]", "[endpoints.main", "line 1"),
        ] {
            let wrong = Config::parse(&WHOLE.replacen(from, to, 1)).unwrap_err();
            assert!(wrong.contains(why), "{to}: {wrong}");
        }
    }
}
