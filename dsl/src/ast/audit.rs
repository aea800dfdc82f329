//! `audit`: what is looked at every few actions, read from the item's lines.

use super::{Operational, OperationalKind, Unit, Word};

/// Guardrails by their words.
pub const GUARDRAILS: [&str; 3] = ["repetition", "nonsense_identifiers", "contradictions"];

/// An `audit` item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Actions in a cycle.
    pub every: u32,
    /// The bundles of what was touched run again.
    pub reruns: bool,
    /// Models are compared with their baselines.
    pub compares: Option<ModelLimits>,
    /// Guardrails that look at the text written, by their words.
    pub checks: Vec<&'static str>,
    /// How many of which team look at it.
    pub review: Option<(u32, String)>,
    /// A cycle that fails halts; otherwise it is only noted.
    pub halts: bool,
}

/// How far a model may be worse than its baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelLimits {
    /// Latency, in thousandths of a percent of the baseline.
    pub latency: i64,
    /// Error rate, in thousandths of a percentage point.
    pub error_rate: i64,
}

impl Audit {
    /// What an item says; `None` where it is no `audit`, or a line of it says nothing that can be done, which `check` reports.
    #[must_use]
    pub fn of(item: &Operational) -> Option<Self> {
        if item.kind != OperationalKind::Audit {
            return None;
        }
        let mut audit =
            Self { every: 0, reruns: false, compares: None, checks: Vec::new(), review: None, halts: false };
        let mut ends = false;
        for clause in &item.clauses {
            let words = clause.words.as_slice();
            match clause.name.text.as_str() {
                "every" => audit.every = every(words)?,
                "rerun" => audit.reruns = reruns(words)?,
                "compare" => audit.compares = Some(compares(words)?),
                "check" => audit.checks = checks(words)?,
                "review" => audit.review = Some(review(words)?),
                "on failure" => (audit.halts, ends) = (word(words.first()?) == Some("halt"), true),
                "because" => {}
                _ => return None,
            }
        }
        (audit.every > 0 && ends).then_some(audit)
    }
}

/// Whether a line of an `audit` says something that can be done.
pub(crate) fn says(line: &str, words: &[Word]) -> bool {
    match line {
        "every" => every(words).is_some(),
        "rerun" => reruns(words).is_some(),
        "compare" => compares(words).is_some(),
        "check" => checks(words).is_some(),
        "review" => review(words).is_some(),
        _ => !words.is_empty(),
    }
}

fn word(word: &Word) -> Option<&str> {
    match word {
        Word::Word(name) => Some(&name.text),
        _ => None,
    }
}

fn spoken(words: &[Word]) -> Vec<&str> {
    words.iter().map(|one| word(one).unwrap_or_default()).collect()
}

fn number(word: &Word, unit: Unit) -> Option<i64> {
    match word {
        Word::Quantity(number) if number.unit == unit && number.thousandths > 0 => Some(number.thousandths),
        _ => None,
    }
}

fn count(word: &Word) -> Option<u32> {
    let thousandths = number(word, Unit::One)?;
    (thousandths % 1000 == 0).then(|| u32::try_from(thousandths / 1000).ok()).flatten()
}

/// `15 actions`
fn every(words: &[Word]) -> Option<u32> {
    match words {
        [number, actions] if word(actions) == Some("actions") => count(number),
        _ => None,
    }
}

/// `bundles of touched`
fn reruns(words: &[Word]) -> Option<bool> {
    (spoken(words) == ["bundles", "of", "touched"]).then_some(true)
}

/// `models with baseline, latency 50 %, error_rate 10 points`
fn compares(words: &[Word]) -> Option<ModelLimits> {
    match (words, spoken(words).as_slice()) {
        (
            [_, _, _, Word::Comma, _, latency, Word::Comma, _, errors],
            ["models", "with", "baseline", _, "latency", _, _, "error_rate", _],
        ) => Some(ModelLimits { latency: number(latency, Unit::Percent)?, error_rate: number(errors, Unit::Points)? }),
        _ => None,
    }
}

/// `repetition, contradictions`
fn checks(words: &[Word]) -> Option<Vec<&'static str>> {
    let one = |words: &[Word]| match words {
        [one] => GUARDRAILS.into_iter().find(|known| word(one) == Some(known)),
        _ => None,
    };
    words.split(|word| *word == Word::Comma).map(one).collect()
}

/// `1 of team(peers)`
fn review(words: &[Word]) -> Option<(u32, String)> {
    match words {
        [number, of, Word::Call(call, team)] if word(of) == Some("of") && call.text == "team" => {
            Some((count(number)?, team.text.clone()))
        }
        _ => None,
    }
}
