//! `drift`: what is watched after a deployment and what follows, read from the item's lines.

use super::kpi::no_data;
use super::{NoData, Operational, OperationalKind, Quantity, Unit, Word};

/// A `drift`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The KPI.
    pub kpi: String,
    /// How long a step is, in seconds.
    pub every_s: u32,
    /// How many steps are watched.
    pub steps: u32,
    /// How much worse counts, in thousandths of a percent of the baseline.
    pub worse_by: i64,
    /// What no data means, where it is said here.
    pub missing: Option<NoData>,
    /// How a verdict is come to, where it is said.
    pub method: Option<String>,
    /// The KPI where the change was not deployed.
    pub control: Option<String>,
    /// The least number of samples on each side, where it is said.
    pub samples: Option<u64>,
    /// A difference below this counts for nothing, in thousandths of the KPI's unit.
    pub floor: i64,
    /// What follows a first sign.
    pub on_suspect: Vec<Action>,
    /// What follows drift.
    pub on_drift: Vec<Action>,
    /// What follows confirmed drift.
    pub on_confirmed: Vec<Action>,
}

/// What follows a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `note`: it is recorded, as every verdict is.
    Note,
    /// `open story`
    OpenStory,
    /// `log incident`
    LogIncident,
    /// `propose rollback`
    ProposeRollback,
    /// `tier at least N for SET during DURATION`
    Tier {
        /// The tier.
        tier: u8,
        /// Changes of what: `domain(self_healing)`, `tag(kernel)`.
        region: (String, String),
        /// For how long, in seconds.
        seconds: u32,
    },
    /// `tell "NAME"`: a webhook of the operator's configuration.
    Tell(String),
    /// `write issue`: a file of Markdown.
    WriteIssue,
}

/// Shortest and longest step, in seconds.
const STEPS: std::ops::RangeInclusive<i64> = 60..=86_400;
/// Most steps of a watch.
const MOST_STEPS: i64 = 1000;
/// The past that a watch is held against, in days.
const PAST_DAYS: i64 = 28;
/// Longest time that a tier stays raised, in seconds: 31 days.
const LONGEST: i64 = 31 * 86_400;

impl Drift {
    /// What an item describes; `None` where it is no `drift`, or a line of it says nothing that can be watched, which
    /// `check` reports.
    #[must_use]
    pub fn of(item: &Operational) -> Option<Self> {
        if item.kind != OperationalKind::Drift {
            return None;
        }
        let mut drift = Self {
            kpi: item.on.as_ref()?.text.clone(),
            every_s: 0,
            steps: 0,
            worse_by: 0,
            missing: None,
            method: None,
            control: None,
            samples: None,
            floor: 0,
            on_suspect: Vec::new(),
            on_drift: Vec::new(),
            on_confirmed: Vec::new(),
        };
        for clause in &item.clauses {
            let words = clause.words.as_slice();
            match (clause.name.text.as_str(), words) {
                ("watch", _) => (drift.every_s, drift.steps) = watch(words)?,
                ("alert", _) => drift.worse_by = alert(words)?,
                ("missing", _) => drift.missing = Some(no_data(words)?),
                ("method", [Word::Word(method)]) => drift.method = Some(method.text.clone()),
                ("control", _) => drift.control = Some(control(words)?),
                ("samples", _) => drift.samples = Some(samples(words)?),
                ("floor", [Word::Quantity(floor)]) if floor.thousandths >= 0 => drift.floor = floor.thousandths,
                ("on suspect", _) => drift.on_suspect = actions(words)?,
                ("on drift", _) => drift.on_drift = actions(words)?,
                ("on confirmed", _) => drift.on_confirmed = actions(words)?,
                _ => return None,
            }
        }
        (drift.steps > 0 && drift.worse_by > 0).then_some(drift)
    }
}

fn spoken(words: &[Word]) -> Vec<&str> {
    words.iter().map(|word| if let Word::Word(name) = word { name.text.as_str() } else { "" }).collect()
}

/// A duration in whole seconds.
pub(super) fn seconds(quantity: &Quantity) -> Option<i64> {
    let in_one = match quantity.unit {
        Unit::Seconds => 1,
        Unit::Minutes => 60,
        Unit::Hours => 3600,
        Unit::Days => 86_400,
        _ => return None,
    };
    let thousandths = quantity.thousandths.checked_mul(in_one)?;
    (thousandths > 0 && thousandths % 1000 == 0).then_some(thousandths / 1000)
}

/// `every D for D after deployment`: the step in seconds, and how many.
pub(crate) fn watch(words: &[Word]) -> Option<(u32, u32)> {
    let ["every", _, "for", _, "after", "deployment"] = *spoken(words).as_slice() else { return None };
    let (Some(Word::Quantity(every)), Some(Word::Quantity(whole))) = (words.get(1), words.get(3)) else { return None };
    let (every, whole) = (seconds(every)?, seconds(whole)?);
    if !STEPS.contains(&every) || whole % every != 0 || whole / every > MOST_STEPS || !can_be_judged(every, whole) {
        return None;
    }
    Some((u32::try_from(every).ok()?, u32::try_from(whole / every).ok()?))
}

/// Whether four weeks hold enough watches of this length to learn from: sixteen that begin an eighth of a day after one another,
/// with two days before the first.
fn can_be_judged(every: i64, whole: i64) -> bool {
    let (day, watched) = (86_400 / every, whole / every);
    watched + 15 * (day / 8).max(1) + 2 * day <= PAST_DAYS * day
}

/// `worse by more than N % of baseline`: in thousandths of a percent.
pub(crate) fn alert(words: &[Word]) -> Option<i64> {
    let ["worse", "by", "more", "than", _, "of", "baseline"] = *spoken(words).as_slice() else { return None };
    let Some(Word::Quantity(by)) = words.get(4) else { return None };
    (by.unit == Unit::Percent && by.thousandths > 0 && by.thousandths <= 10_000_000).then_some(by.thousandths)
}

/// `kpi(NAME)`
pub(crate) fn control(words: &[Word]) -> Option<String> {
    let [Word::Call(call, name)] = words else { return None };
    (call.text == "kpi").then(|| name.text.clone())
}

/// `at least N`
pub(crate) fn samples(words: &[Word]) -> Option<u64> {
    let ["at", "least", _] = *spoken(words).as_slice() else { return None };
    let Some(Word::Quantity(count)) = words.get(2) else { return None };
    (count.unit == Unit::One && count.thousandths % 1000 == 0)
        .then(|| u64::try_from(count.thousandths / 1000).ok())
        .flatten()
}

/// What follows a verdict, divided by commas.
pub(crate) fn actions(words: &[Word]) -> Option<Vec<Action>> {
    words.split(|word| *word == Word::Comma).map(action).collect()
}

fn action(words: &[Word]) -> Option<Action> {
    match (spoken(words).as_slice(), words) {
        (["note"], _) => Some(Action::Note),
        (["open", "story"], _) => Some(Action::OpenStory),
        (["log", "incident"], _) => Some(Action::LogIncident),
        (["propose", "rollback"], _) => Some(Action::ProposeRollback),
        (["write", "issue"], _) => Some(Action::WriteIssue),
        (["tell", _], [_, Word::Text(name)]) if !name.value.is_empty() => Some(Action::Tell(name.value.clone())),
        (
            ["tier", "at", "least", _, "for", _, "during", _],
            [_, _, _, Word::Quantity(tier), _, Word::Call(family, value), _, Word::Quantity(during)],
        ) => {
            let tier = match (tier.unit, tier.thousandths) {
                (Unit::One, 2000) => 2,
                (Unit::One, 3000) => 3,
                _ => return None,
            };
            let seconds = seconds(during).filter(|seconds| *seconds <= LONGEST)?;
            let region = (family.text.clone(), value.text.clone());
            Some(Action::Tier { tier, region, seconds: u32::try_from(seconds).ok()? })
        }
        _ => None,
    }
}
