//! The fields of a fingerprint by name, for rules such as `models where requires_bias_check`.

use crate::{Fingerprint, Thousandths};

/// The value of one field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A name, a licence, a band.
    Text(String),
    /// A number; milliseconds, tokens, or a share of 1.
    Number(Thousandths),
    /// Names, in the order of the file.
    List(Vec<String>),
}

/// Every field that a rule can ask for, in the order of the files.
pub const FIELDS: &[&str] = &[
    "model_name",
    "model_type",
    "licence",
    "commercial_use",
    "strengths",
    "weaknesses",
    "typical_latency_ms",
    "context_window",
    "output_quality",
    "trust_score",
    "compliance_flags",
    "hallucination_rate",
    "bias_risk",
    "requires_hallucination_test",
    "requires_bias_check",
    "requires_accuracy_validation",
    "recommended_for",
    "not_recommended_for",
];

impl Fingerprint {
    /// The value of a field by its name in [`FIELDS`]; `None` for every other name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Value> {
        let text = |text: &str| Value::Text(text.to_owned());
        let list = |names: &[String]| Value::List(names.to_vec());
        let whole = |number: u32| Value::Number(Thousandths(u64::from(number) * 1000));
        Some(match name {
            "model_name" => text(&self.model_name),
            "model_type" => text(&self.model_type),
            "licence" => text(&self.licence),
            "commercial_use" => text(self.commercial_use.name()),
            "strengths" => list(&self.strengths),
            "weaknesses" => list(&self.weaknesses),
            "typical_latency_ms" => whole(self.typical_latency_ms),
            "context_window" => whole(self.context_window),
            "output_quality" => text(self.output_quality.name()),
            "trust_score" => Value::Number(self.trust_score),
            "compliance_flags" => list(&self.compliance_flags),
            "hallucination_rate" => text(self.hallucination_rate.name()),
            "bias_risk" => text(self.bias_risk.name()),
            "requires_hallucination_test" => Value::Bool(self.requires_hallucination_test),
            "requires_bias_check" => Value::Bool(self.requires_bias_check),
            "requires_accuracy_validation" => Value::Bool(self.requires_accuracy_validation),
            "recommended_for" => list(&self.recommended_for),
            "not_recommended_for" => list(&self.not_recommended_for),
            _ => return None,
        })
    }

    /// What of the contract with those who call the model differs in `after`: fields by name, then `weights` and `endpoint`, and
    /// `evidence` where a row of it is gone. New evidence takes nothing back.
    #[must_use]
    pub fn differences(&self, after: &Self) -> Vec<&'static str> {
        let mut differ: Vec<&'static str> =
            FIELDS.iter().copied().filter(|name| self.field(name) != after.field(name)).collect();
        let layers = [
            ("weights", self.weights != after.weights),
            ("endpoint", self.endpoint != after.endpoint),
            ("evidence", self.evidence.iter().any(|row| !after.evidence.contains(row))),
        ];
        differ.extend(layers.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name));
        differ
    }

    /// Every field with its value, in the order of [`FIELDS`].
    pub fn to_facts(&self) -> impl Iterator<Item = (&'static str, Value)> + '_ {
        FIELDS.iter().filter_map(|name| self.field(name).map(|value| (*name, value)))
    }
}
