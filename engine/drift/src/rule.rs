//! What counts as worse, and how it is looked for.

use std::fmt;
use std::str::FromStr;

/// Which way a measure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// As latency is.
    Lower,
    /// As a success rate is.
    Higher,
}

/// What a step without data stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Nothing is known of it. Too many of them, and so is the verdict.
    Unknown,
    /// Nothing happened: zero, as of a count of errors that is only written when there are any.
    Zero,
}

/// How a verdict is come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Expected values from the past, and evidence that is calibrated on fake deployments in it.
    Calibrated,
    /// The bare rule: any hour that is worse than one value, taken at the deployment, by more than the threshold. Fires by
    /// chance on most noisy series.
    Seed,
    /// Any hour beyond three standard deviations of the week before.
    ThreeSigma,
    /// Kayenta's Mann-Whitney judge, the 24 hours before against the hours since.
    Kayenta,
}

impl Method {
    /// All of them, the one that is meant where none is named first.
    pub const ALL: [Self; 4] = [Self::Calibrated, Self::Seed, Self::ThreeSigma, Self::Kayenta];

    /// Its name in rules and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calibrated => "calibrated",
            Self::Seed => "seed",
            Self::ThreeSigma => "three_sigma",
            Self::Kayenta => "kayenta",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|method| method.name() == text).ok_or_else(|| format!("no method `{text}`"))
    }
}

/// A drift rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// How a verdict is come to.
    pub method: Method,
    /// Which way the measure is better.
    pub better: Better,
    /// How much worse counts, as a share of what is expected: 0.2 is 20 %. Of a measure that is better higher, what is
    /// expected must be 1.2 times what is seen, so that twice and half weigh alike.
    pub threshold: f64,
    /// A difference below this counts for nothing, in the measure's unit. It is also what zero is taken for, so that a
    /// measure that is usually zero can get worse. Zero where the rule names none.
    pub floor: f64,
    /// For how many steps a deployment is watched.
    pub watch: u32,
    /// What a step without data stands for.
    pub missing: Missing,
    /// How many samples (or events, of a ratio) each side needs before anything is said of it.
    pub min_samples: u64,
    /// Which share of watches in which nothing happened may end in `drift`, by the series' own past.
    pub budget: f64,
}

impl Rule {
    /// 20 % worse, watched for 24 steps, no floor, what is missing is unknown, at least 30 samples, a budget of 5 %.
    pub fn new(better: Better) -> Self {
        Self {
            method: Method::Calibrated,
            better,
            threshold: 0.2,
            floor: 0.0,
            watch: 24,
            missing: Missing::Unknown,
            min_samples: 30,
            budget: 0.05,
        }
    }
}
