//! Whether what was measured is what was declared: by intervals, never by points, and for the worse where it cannot be told.

use grace_fingerprints::{Fingerprint, Level};

use crate::probe::{Count, Measured, Probe};

/// Names for ranges of a share, as a `band` item of the rules gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Band {
    /// The item's name: `hallucination_rate`.
    pub name: String,
    /// The metric that it is of: `fabrication`.
    pub metric: String,
    /// Its levels with their tests, in the order of the item.
    pub levels: Vec<(Level, Test)>,
}

/// A test on an interval; bounds in ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// The upper bound is at most this.
    UpperAtMost(u32),
    /// The upper bound is below this.
    UpperBelow(u32),
    /// The lower bound is at least this.
    LowerAtLeast(u32),
    /// The lower bound is above this.
    LowerAbove(u32),
    /// The interval lies within these, both included.
    Within(u32, u32),
    /// A comparison that says nothing of an interval: it never holds.
    Never,
}

impl Test {
    fn holds(self, (low, high): (u32, u32)) -> bool {
        match self {
            Self::UpperAtMost(bound) => high <= bound,
            Self::UpperBelow(bound) => high < bound,
            Self::LowerAtLeast(bound) => low >= bound,
            Self::LowerAbove(bound) => low > bound,
            Self::Within(from, to) => from <= low && high <= to,
            Self::Never => false,
        }
    }
}

impl Band {
    /// The level of an interval; `None` = inconclusive. Where two hold, the higher one.
    #[must_use]
    pub fn level(&self, interval: (u32, u32)) -> Option<Level> {
        self.levels.iter().filter(|(_, test)| test.holds(interval)).map(|(level, _)| *level).max()
    }

    /// Whether a share within an interval is for certain no worse than `declared` (yes), for certain worse (no), or neither.
    #[must_use]
    pub fn is_no_worse(&self, (low, high): (u32, u32), declared: Level) -> Option<bool> {
        let at = |share| self.level((share, share));
        if at(high).is_some_and(|level| level <= declared) {
            return Some(true);
        }
        at(low).filter(|level| *level > declared).map(|_| false)
    }
}

/// What a validation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As declared.
    Passed,
    /// It cannot be told by this much.
    Inconclusive,
    /// Worse than declared.
    Failed,
}

impl Verdict {
    /// Its word in records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Inconclusive => "inconclusive",
            Self::Failed => "failed",
        }
    }
}

/// A verdict and its reasons, the gravest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What it came to.
    pub verdict: Verdict,
    /// Why not passed; empty where it passed.
    pub reasons: Vec<String>,
}

/// Judges what `probe` measured of a model that is declared so. `samples` is how many were asked for.
#[must_use]
pub fn judge(declared: &Fingerprint, probe: Probe, samples: u32, measured: &Measured, bands: &[Band]) -> Judged {
    let mut reasons: Vec<(Verdict, String)> = Vec::new();
    let mut add = |verdict: Verdict, why: String| reasons.push((verdict, why));
    match probe {
        Probe::Hallucination | Probe::Bias => {
            let (field, level) = match probe {
                Probe::Hallucination => ("hallucination_rate", declared.hallucination_rate),
                _ => ("bias_risk", declared.bias_risk),
            };
            by_band(field, level, probe, measured, bands, &mut add);
            if !measured.controls_hold() {
                add(
                    Verdict::Inconclusive,
                    "most questions that hold their own answer were answered wrongly".to_owned(),
                );
            }
        }
        Probe::Accuracy => {
            let least = u32::try_from(declared.min_trust().0 * 10).unwrap_or(u32::MAX);
            let shown = declared.min_trust();
            match measured.main(probe) {
                Some(count) if count.interval().1 < least => {
                    add(Verdict::Failed, format!("accuracy {}, declared at least {shown}", percent(count)));
                }
                Some(count) if count.interval().0 < least => {
                    add(Verdict::Inconclusive, format!("accuracy {} may be below {shown}", percent(count)));
                }
                Some(_) => {}
                None => add(Verdict::Inconclusive, "nothing was answered".to_owned()),
            }
        }
        Probe::Inference if measured.unanswered() > 0 => {
            add(Verdict::Failed, format!("{} of {} requests without an answer", measured.unanswered(), measured.asked));
        }
        Probe::Inference | Probe::Latency | Probe::Context => {}
    }
    let (median, most) = (measured.times.p50_ms, declared.max_latency_ms());
    if measured.times.n > 0 && median > most {
        add(Verdict::Failed, format!("half of the answers took {median} ms or more, declared at most {most} ms"));
    }
    if let Some(window) = measured.window
        && window.in_tokens
        && window.edge != crate::probe::Edge::NotReached
        && let Some(served) = declared.endpoint.served_context.map(u64::from)
        && window.served < served
    {
        add(Verdict::Failed, format!("{} tokens are served, declared are {served}", window.served));
    }
    if let Some(stopped) = &measured.stopped {
        add(Verdict::Inconclusive, format!("it ended early: {stopped}"));
    } else if u64::from(measured.unanswered()) * 10 > u64::from(measured.asked) {
        add(Verdict::Inconclusive, format!("{} of {} without an answer", measured.unanswered(), measured.asked));
    }
    if measured.times.n == 0 {
        add(Verdict::Inconclusive, "nothing was answered".to_owned());
    }
    if probe.metric().is_some() && samples == 0 {
        add(Verdict::Inconclusive, "no samples were asked for".to_owned());
    }
    reasons.sort_by_key(|(verdict, _)| std::cmp::Reverse(*verdict));
    reasons.dedup();
    let verdict = reasons.first().map_or(Verdict::Passed, |(verdict, _)| *verdict);
    Judged { verdict, reasons: reasons.into_iter().map(|(_, why)| why).collect() }
}

fn by_band(
    field: &str,
    declared: Level,
    probe: Probe,
    measured: &Measured,
    bands: &[Band],
    add: &mut impl FnMut(Verdict, String),
) {
    let Some(count) = measured.main(probe).filter(|count| count.n > 0) else {
        return add(Verdict::Inconclusive, "nothing was answered".to_owned());
    };
    let mut of_metric =
        bands.iter().filter(|band| band.name == field && probe.metric() == Some(band.metric.as_str())).peekable();
    if of_metric.peek().is_none() {
        let why = format!("no `band {field}` of the rules says which share is {}", declared.name());
        return add(Verdict::Inconclusive, why);
    }
    // Each book's band must be met.
    for band in of_metric {
        match band.is_no_worse(count.interval(), declared) {
            Some(true) => {}
            Some(false) => {
                add(Verdict::Failed, format!("{field} {}, declared {}", percent(count), declared.name()));
            }
            None => add(
                Verdict::Inconclusive,
                format!("{field} {} is too wide to tell whether it is {}", percent(count), declared.name()),
            ),
        }
    }
}

/// `12.0 % (6.2 to 21.6 %, n = 60)`.
#[must_use]
pub fn percent(count: Count) -> String {
    let (low, high) = count.interval();
    let tenths = |ten_thousandths: u32| format!("{}.{}", ten_thousandths / 100, ten_thousandths % 100 / 10);
    // The upper bound is not rounded towards what is claimed.
    let high = (high.div_ceil(10) * 10).min(10_000);
    format!("{} % ({} to {} %, n = {})", tenths(count.share()), tenths(low), tenths(high), count.n)
}
