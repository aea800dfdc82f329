//! `trust_score`: how trust in a change is counted, read from the item's lines.

use super::{Operational, OperationalKind, Quantity, Unit, Word};

/// A `trust_score`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustScore {
    /// The score before anything is lost, in thousandths.
    pub start: i64,
    /// What is lost by what, in order.
    pub losses: Vec<Loss>,
    /// A score below the minimum is a hold; otherwise it is a no.
    pub below_holds: bool,
}

/// One line `lose`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What is lost, in thousandths.
    pub amount: i64,
    /// By what.
    pub cause: LossCause,
}

/// What trust is lost by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LossCause {
    /// `when any required bundle failed`
    AnyRequiredFailed,
    /// `when any critical bundle failed`
    AnyCriticalFailed,
    /// `when bundle(NAME) failed`
    BundleFailed(String),
    /// `when pass rate of bundle(NAME) over last N runs below P %`, `when flaky rate … above P %`
    Rate {
        /// `pass rate` or `flaky rate`.
        rate: &'static str,
        /// The bundle.
        bundle: String,
        /// Number of runs.
        runs: u32,
        /// In thousandths of a percent. A pass rate counts below it, a flaky rate above it.
        limit: i64,
    },
    /// `per contract violation`: as often as there is one.
    PerContractViolation,
}

impl TrustScore {
    /// The score that an item describes; `None` where it is no `trust_score`, or a line of it says nothing that can be
    /// counted, which `check` reports.
    #[must_use]
    pub fn of(item: &Operational) -> Option<Self> {
        if item.kind != OperationalKind::TrustScore {
            return None;
        }
        let mut score = Self { start: 0, losses: Vec::new(), below_holds: false };
        let (mut starts, mut ends) = (false, false);
        for clause in &item.clauses {
            match (clause.name.text.as_str(), clause.words.as_slice()) {
                ("start", [Word::Quantity(start)]) => (score.start, starts) = (start.thousandths, true),
                ("lose", words) => score.losses.push(loss(words)?),
                ("below", [Word::Word(word)]) => (score.below_holds, ends) = (word.text == "hold", true),
                ("because", _) => {}
                _ => return None,
            }
        }
        (starts && ends).then_some(score)
    }
}

/// What a line `lose` says.
pub(crate) fn loss(words: &[Word]) -> Option<Loss> {
    let (Word::Quantity(amount), rest) = words.split_first()? else { return None };
    (amount.unit == Unit::One && amount.thousandths > 0)
        .then_some(Loss { amount: amount.thousandths, cause: cause(rest)? })
}

fn cause(words: &[Word]) -> Option<LossCause> {
    let spoken: Vec<&str> =
        words.iter().map(|word| if let Word::Word(name) = word { name.text.as_str() } else { "" }).collect();
    let bundle = |at: usize| match words.get(at) {
        Some(Word::Call(call, name)) if call.text == "bundle" => Some(name.text.clone()),
        _ => None,
    };
    let number = |at: usize| match words.get(at) {
        Some(Word::Quantity(number)) => Some(number),
        _ => None,
    };
    let whole = |number: &Quantity| u32::try_from(number.thousandths / 1000).ok().filter(|count| *count > 0);
    match spoken.as_slice() {
        ["when", "any", "required", "bundle", "failed"] => Some(LossCause::AnyRequiredFailed),
        ["when", "any", "critical", "bundle", "failed"] => Some(LossCause::AnyCriticalFailed),
        ["when", _, "failed"] => Some(LossCause::BundleFailed(bundle(1)?)),
        ["per", "contract", "violation"] => Some(LossCause::PerContractViolation),
        ["when", kind, "rate", "of", _, "over", "last", _, "runs", side, _] => {
            let rate = match (*kind, *side) {
                ("pass", "below") => "pass rate",
                ("flaky", "above") => "flaky rate",
                _ => return None,
            };
            let limit = number(10).filter(|limit| limit.unit == Unit::Percent)?.thousandths;
            Some(LossCause::Rate { rate, bundle: bundle(4)?, runs: whole(number(7)?)?, limit })
        }
        _ => None,
    }
}
