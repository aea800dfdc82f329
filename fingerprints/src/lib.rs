//! Model fingerprints: what is declared of a model, one YAML file each, and what was published or measured of it.
//!
//! Three layers that never mix: the weights (`licence`, `context_window`, [`Weights`]), one endpoint that serves them
//! ([`Endpoint`]), and evidence with its interval and its origin ([`Evidence`]). All else is declared.
//!
//! [`parse`] reads one strictly and reports everything wrong at once; [`shipped`] holds the files
//! that come with the product. This crate reads no files, asks no model and measures nothing.

mod field;
pub mod interval;
mod read;
mod shipped;

use std::collections::BTreeMap;
use std::fmt;

pub use field::{FIELDS, Value};
pub use read::{CODES, Problem, parse, summary};
pub use shipped::shipped;

/// What is declared of one model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The name the model is served under, `mistral:7b`.
    pub model_name: String,
    /// The family, `mistral`.
    pub model_type: String,
    /// The licence of the weights, as its publisher names it.
    pub licence: String,
    /// Whether the licence lets a product use the model.
    pub commercial_use: CommercialUse,
    /// What it is good at.
    pub strengths: Vec<String>,
    /// What it is not good at.
    pub weaknesses: Vec<String>,
    /// Milliseconds that an answer usually takes.
    pub typical_latency_ms: u32,
    /// Tokens that the weights were trained for; a server may offer fewer.
    pub context_window: u32,
    /// How good its output is held to be.
    pub output_quality: Level,
    /// How far it is trusted, from 0 to 1.
    pub trust_score: Thousandths,
    /// Flags of licence and compliance. A change may add to them and not remove.
    pub compliance_flags: Vec<String>,
    /// How often it makes things up.
    pub hallucination_rate: Level,
    /// How far its output is held to be biased.
    pub bias_risk: Level,
    /// Whether a change of it must pass the hallucination test.
    pub requires_hallucination_test: bool,
    /// Whether a change of it must pass the bias check.
    pub requires_bias_check: bool,
    /// Whether a change of it must pass the accuracy validation.
    pub requires_accuracy_validation: bool,
    /// Tasks to choose it for.
    pub recommended_for: Vec<String>,
    /// Tasks not to choose it for.
    pub not_recommended_for: Vec<String>,
    /// The weights behind the name.
    pub weights: Weights,
    /// The endpoint that the file is of, where it says one.
    pub endpoint: Endpoint,
    /// What was published or measured of it.
    pub evidence: Vec<Evidence>,
    /// Values of the seed document that the published ones above replace, by field.
    pub seed: BTreeMap<String, Value>,
    /// Where the published values come from.
    pub sources: Vec<Source>,
}

/// The weights behind a name; a name is a tag that moves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Weights {
    /// What their publisher calls them.
    pub weights: Option<String>,
    /// `sha256:…` of them, the one sure identity.
    pub digest: Option<String>,
    /// How many parameters, in millions.
    pub parameters_millions: Option<u32>,
}

/// One server of the weights. Its numbers say nothing of another's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Where it runs.
    pub host: Option<String>,
    /// Tokens that it takes; never more than the weights' window.
    pub served_context: Option<u32>,
    /// Milliseconds that an answer takes there, the median.
    pub latency_ms: Option<u32>,
    /// `q4_0`.
    pub quantisation: Option<String>,
}

/// A share that was counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// What was counted: `fabrication`, `accuracy`.
    pub metric: String,
    /// The share.
    pub value: Thousandths,
    /// Lower bound at 95 %.
    pub low: Thousandths,
    /// Upper bound at 95 %.
    pub high: Thousandths,
    /// Of how many.
    pub n: u32,
    /// On what.
    pub set: String,
    /// `2025-10-16`, or `2025-10`.
    pub date: String,
    /// Who says so.
    pub origin: Origin,
}

/// Where evidence comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A page.
    Source(String),
    /// A run of one's own.
    Run(String),
}

/// Whether a licence lets a product use the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommercialUse {
    /// It does, perhaps under conditions.
    Allowed,
    /// It does not.
    NotAllowed,
    /// Nobody has said.
    Unknown,
}

/// A coarse band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// The lowest band.
    Low,
    /// The band between.
    Medium,
    /// The highest band.
    High,
}

/// Where a published value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    /// What the page is.
    pub name: String,
    /// Its address: the very page that was read, or a comment in the file says where else it was.
    pub url: String,
    /// What it says that is used here.
    pub says: String,
}

/// A number with three decimals, exact, so that thresholds compare without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thousandths(pub u64);

/// A validation that a change of a model must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strategy {
    /// Does it make things up?
    HallucinationDetection,
    /// Does its output treat groups alike?
    BiasEvaluation,
    /// Are its answers right?
    AccuracyValidation,
    /// Does it answer at all?
    BasicInference,
}

impl Fingerprint {
    /// The validations that a change of this model must pass, never empty.
    ///
    /// Each `requires_*` field asks for one; where none does, the model must at least answer.
    #[must_use]
    pub fn validations(&self) -> Vec<Strategy> {
        let asked = [
            (self.requires_hallucination_test, Strategy::HallucinationDetection),
            (self.requires_bias_check, Strategy::BiasEvaluation),
            (self.requires_accuracy_validation, Strategy::AccuracyValidation),
        ];
        let mut strategies: Vec<Strategy> =
            asked.into_iter().filter(|(required, _)| *required).map(|(_, strategy)| strategy).collect();
        if strategies.is_empty() {
            strategies.push(Strategy::BasicInference);
        }
        strategies
    }

    /// Milliseconds beyond which an answer is too slow: half as much again as is typical, rounded up.
    #[must_use]
    pub fn max_latency_ms(&self) -> u64 {
        (u64::from(self.typical_latency_ms) * 3).div_ceil(2)
    }

    /// The trust below which the model is no longer as declared: a tenth less, and never below zero.
    #[must_use]
    pub fn min_trust(&self) -> Thousandths {
        Thousandths(self.trust_score.0.saturating_sub(100))
    }
}

impl Strategy {
    /// The name in rules and plans.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Strategy::HallucinationDetection => "hallucination_detection",
            Strategy::BiasEvaluation => "bias_evaluation",
            Strategy::AccuracyValidation => "accuracy_validation",
            Strategy::BasicInference => "basic_inference",
        }
    }
}

impl CommercialUse {
    /// Every value with its name in files and rules.
    pub const NAMES: &'static [(&'static str, CommercialUse)] = &[
        ("allowed", CommercialUse::Allowed),
        ("not_allowed", CommercialUse::NotAllowed),
        ("unknown", CommercialUse::Unknown),
    ];

    /// The name in files and rules.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CommercialUse::Allowed => "allowed",
            CommercialUse::NotAllowed => "not_allowed",
            CommercialUse::Unknown => "unknown",
        }
    }
}

impl Level {
    /// Every value with its name in files and rules, lowest first.
    pub const NAMES: &'static [(&'static str, Level)] =
        &[("low", Level::Low), ("medium", Level::Medium), ("high", Level::High)];

    /// The name in files and rules.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Low => "low",
            Level::Medium => "medium",
            Level::High => "high",
        }
    }
}

impl fmt::Display for Thousandths {
    /// `0.85`, without zeros that say nothing.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        if rest == 0 {
            return write!(formatter, "{whole}");
        }
        let decimals = format!("{rest:03}");
        write!(formatter, "{whole}.{}", decimals.trim_end_matches('0'))
    }
}
