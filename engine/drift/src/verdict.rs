//! What was found, and what it was found from.

use std::fmt;

use serde::{Serialize, Serializer};

/// What is said of a measure after a deployment. Ordered by how bad it is, `Unknown` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing can be said; why stands beside it.
    Unknown,
    /// Not worse, as far as the data can tell.
    Ok,
    /// Worse than before; too soon, or not clear enough, to act on.
    Suspect,
    /// Worse by more than the threshold, more than the past explains, and still so.
    Drift,
    /// The same by evidence that a second, independent test agrees with.
    Confirmed,
}

impl State {
    /// Its name in rules, records and on screens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Suspect => "suspect",
            Self::Drift => "drift",
            Self::Confirmed => "confirmed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// The rule or the series has a number that means nothing.
    Unusable,
    /// No step of the watch has ended yet.
    TooEarly,
    /// Too little is known from before the deployment to say what is usual.
    ShortHistory,
    /// There are fewer samples than the rule asks for.
    FewSamples,
    /// More than a quarter of the watched steps have no data, or the latest has none.
    Gaps,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unusable => "the rule or the series holds a number that means nothing",
            Self::TooEarly => "nothing is measured since the deployment yet",
            Self::ShortHistory => "too little is known from before the deployment",
            Self::FewSamples => "fewer samples than the rule asks for",
            Self::Gaps => "too many steps without data",
        })
    }
}

/// One watched step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Hour {
    /// When it began, in seconds since 1970.
    pub at: i64,
    /// What was measured.
    #[serde(serialize_with = "maybe_decimal")]
    pub value: Option<f64>,
    /// What was to be expected, by the past.
    #[serde(serialize_with = "maybe_decimal")]
    pub expected: Option<f64>,
    /// Where worse than the threshold begins.
    #[serde(serialize_with = "maybe_decimal")]
    pub limit: Option<f64>,
}

/// What a verdict came from. Its numbers are written as decimal strings of nine digits, so that they may stand in records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// The method and its version, such as `calibrated/1`. A change of what it computes changes the version.
    pub method: String,
    /// The watched steps so far.
    pub hours: Vec<Hour>,
    /// How many steps before the deployment were used, and how many of them had data.
    pub history: (usize, usize),
    /// The ways of expecting that were chosen, by their error on the past.
    pub baselines: Vec<&'static str>,
    /// How many times as bad as expected, so far: 1.0 is as expected, 1.2 is 20 % worse.
    #[serde(serialize_with = "maybe_decimal")]
    pub times: Option<f64>,
    /// How many times as bad counts as worse, by the rule.
    #[serde(serialize_with = "as_decimal")]
    pub threshold: f64,
    /// How many fake deployments in the past it was compared with.
    pub placebos: usize,
    /// The share of them that look at least as bad as this one.
    #[serde(serialize_with = "maybe_decimal")]
    pub placebo_share: Option<f64>,
    /// The natural logarithm of how much likelier what was seen is under a worse level than under the usual one, looked
    /// at every step: 4.6 is a hundred times.
    #[serde(serialize_with = "maybe_decimal")]
    pub log_evidence: Option<f64>,
}

/// A verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// What is said.
    pub state: State,
    /// Why, where it is `unknown`.
    pub reason: Option<Unknown>,
    /// What it came from.
    pub evidence: Evidence,
}

/// A number with nine significant digits, as a record may hold it and every machine writes it: `0.95`, `12000`, `1.5e-7`.
/// What is no number is `none`.
pub fn decimal(number: f64) -> String {
    if !number.is_finite() {
        return "none".to_owned();
    }
    // Through the nearest number of nine digits, so that the last bits of a logarithm do not show.
    let rounded: f64 = format!("{number:.8e}").parse().unwrap_or(number);
    let size = rounded.abs();
    if rounded == 0.0 {
        "0".to_owned()
    } else if (1e-6..1e15).contains(&size) {
        format!("{rounded}")
    } else {
        format!("{rounded:e}")
    }
}

pub(crate) fn as_decimal<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&decimal(*number))
}

pub(crate) fn maybe_decimal<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => as_decimal(number, serializer),
        None => serializer.serialize_none(),
    }
}
