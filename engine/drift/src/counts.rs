//! Evidence from events counted: how much likelier what was seen is under a worse rate than under the usual one.

use crate::rule::Better;
use crate::series::Point;

/// The worse rates that are thought of, as multiples of the usual one.
const TIMES: [f64; 6] = [1.2, 1.35, 1.5, 2.0, 3.0, 5.0];
const DOUBLED: usize = 3;
/// A spike of so many steps is no drift.
const SPIKE: usize = 3;
/// How many events the rate of an hour of the day is pulled to the rate of all hours by.
const PULL: f64 = 20.0;
/// The level is that of so many days, the shape of the day that of all that is looked at.
const LEVEL_DAYS: usize = 7;
/// The fewest days whose events the spread is learned from.
const FEWEST_DAYS: usize = 3;

/// What the past says of a rate.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Whether the numerator is a part of the denominator in all that is known.
    part: bool,
    /// The rate of each step of the day, counted from the first that was not learned from.
    rates: Vec<f64>,
    /// How much more the events of a day vary than chance alone explains; at least 1.
    spread: f64,
}

/// What the events since a deployment say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weighed {
    /// The natural logarithm of how much likelier a worse rate is.
    pub(crate) log_evidence: f64,
    /// The same without the three steps that speak loudest for it.
    pub(crate) log_evidence_of_rest: f64,
    /// How many times as bad as expected, all steps together.
    pub(crate) times: f64,
}

/// The events of one step.
fn events(point: Point) -> Option<(f64, f64)> {
    match point {
        Point::Ratio { numerator, denominator } if point.value().is_some() && numerator >= 0.0 => {
            Some((numerator, denominator))
        }
        _ => None,
    }
}

impl Counts {
    /// Learns from the steps before a deployment, oldest first. `None` where they are no counts, or too few.
    pub(crate) fn of(points: &[Point], day: usize) -> Option<Self> {
        let known: Vec<Option<(f64, f64)>> = points.iter().map(|point| events(*point)).collect();
        if known.iter().flatten().count() * 2 < points.len() || points.len() < (FEWEST_DAYS + 1) * day {
            return None;
        }
        let (all, exposed) = sums(&known);
        if !(exposed > 0.0 && exposed.is_finite() && all.is_finite()) {
            return None;
        }
        let part = known.iter().flatten().all(|(numerator, denominator)| numerator <= denominator);
        // A rate of zero is taken for half an event in all that was seen.
        let rate = all.max(0.5) / exposed;
        let pull = PULL / rate;
        let mut shape = vec![(PULL, pull); day];
        for (back, step) in known.iter().rev().enumerate() {
            let (Some((numerator, denominator)), Some(slot)) = (step, shape.get_mut(day - 1 - back % day)) else {
                continue;
            };
            slot.0 += numerator;
            slot.1 += denominator;
        }
        let shape: Vec<f64> =
            shape.into_iter().map(|(numerator, denominator)| numerator / denominator / rate).collect();
        let level = |end: usize| -> Option<f64> {
            let (all, exposed) = sums(&known[end.saturating_sub(LEVEL_DAYS * day)..end]);
            (exposed > 0.0).then(|| (all + 0.5) / (exposed + 0.5 / rate))
        };
        // Of each past day: what was seen, and what the days before it let expect.
        let mut spreads = Vec::new();
        let days = known.len() / day;
        for back in 1..days.saturating_sub(1) {
            let end = known.len() - back * day;
            let Some(level) = level(end) else { continue };
            let (mut seen, mut expected, mut variance) = (0.0, 0.0, 0.0);
            for (step, shape) in known[end..end + day].iter().zip(&shape) {
                let Some((numerator, denominator)) = step else { continue };
                let rate = capped(level * shape, part);
                seen += numerator;
                expected += denominator * rate;
                variance += denominator * rate * if part { 1.0 - rate } else { 1.0 };
            }
            if variance > 0.0 {
                spreads.push((seen - expected) * (seen - expected) / variance);
            }
        }
        if spreads.len() < FEWEST_DAYS {
            return None;
        }
        let spread = spreads.iter().sum::<f64>() / spreads.len() as f64;
        let level = level(known.len())?;
        let rates = shape.into_iter().map(|shape| capped(level * shape, part)).collect();
        // A spread learned from few days may be larger than it looks.
        Some(Self { part, rates, spread: spread.max(1.0) * (1.0 + 2.0 / spreads.len() as f64) })
    }

    /// Weighs the steps since the deployment, the first of which is so many after the last that was learned from.
    pub(crate) fn weigh(&self, points: &[Point], between: usize, better: Better) -> Weighed {
        let mut steps: Vec<[f64; TIMES.len()]> = Vec::with_capacity(points.len());
        let (mut seen, mut expected) = (0.0, 0.0);
        for (number, point) in points.iter().enumerate() {
            let Some((numerator, denominator)) = events(*point) else { continue };
            let rate = self.rates[(between + number) % self.rates.len()];
            let numerator = if self.part { numerator.min(denominator) } else { numerator };
            seen += numerator;
            expected += denominator * rate;
            steps.push(TIMES.map(|times| {
                let worse = capped(if better == Better::Lower { rate * times } else { rate / times }, self.part);
                let others = if self.part {
                    (denominator - numerator) * ((1.0 - worse) / (1.0 - rate)).ln()
                } else {
                    -denominator * (worse - rate)
                };
                numerator * (worse / rate).ln() + others
            }));
        }
        let log_evidence = self.joined(&steps);
        // By what a doubled rate would make of them.
        steps.sort_by(|a, b| b[DOUBLED].total_cmp(&a[DOUBLED]));
        let (worse, usual) = if better == Better::Lower { (seen, expected) } else { (expected, seen) };
        Weighed {
            log_evidence,
            log_evidence_of_rest: self.joined(steps.get(SPIKE..).unwrap_or_default()),
            times: if usual > 0.0 { worse / usual } else { f64::INFINITY },
        }
    }

    /// The logarithm of the likelihood ratio of all steps, each worse rate being as likely as the others.
    fn joined(&self, steps: &[[f64; TIMES.len()]]) -> f64 {
        let sums: [f64; TIMES.len()] =
            std::array::from_fn(|number| steps.iter().map(|step| step[number]).sum::<f64>() / self.spread);
        let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        most + (sums.iter().map(|sum| (sum - most).exp()).sum::<f64>() / TIMES.len() as f64).ln()
    }
}

/// A part of a whole is neither all nor nothing of it.
fn capped(rate: f64, part: bool) -> f64 {
    rate.clamp(1e-12, if part { 1.0 - 1e-6 } else { f64::MAX })
}

fn sums(steps: &[Option<(f64, f64)>]) -> (f64, f64) {
    steps
        .iter()
        .flatten()
        .fold((0.0, 0.0), |(all, exposed), (numerator, denominator)| (all + numerator, exposed + denominator))
}
