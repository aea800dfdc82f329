//! What a rule would have done on a past in which nothing happened, and what it would have found.

use serde::Serialize;

use crate::rule::{Better, Rule};
use crate::series::{Point, Series};
use crate::verdict::{State, as_decimal, maybe_decimal};
use crate::{Judge, Watch};

/// How many times as bad the past is made, to see what is found.
const TIMES: [f64; 9] = [1.1, 1.2, 1.3, 1.5, 1.75, 2.0, 3.0, 5.0, 10.0];
/// Fake deployments begin this many times a day.
const A_DAY: usize = 4;
/// No more of them are tried, the latest first.
const MOST: usize = 120;
/// 95 % of a normal distribution lie within so many standard deviations.
const NORMAL: f64 = 1.959_964;
/// Of fewer watches a share says too little.
pub const ENOUGH_WATCHES: usize = 20;
/// A change counts as found by a rule that finds it this often.
const FOUND: f64 = 0.8;

/// How often a change of one size is found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Found {
    /// How many times as bad the measure was made, from the deployment on.
    #[serde(serialize_with = "as_decimal")]
    pub times: f64,
    /// The share of watches that end in `drift` or worse.
    #[serde(serialize_with = "as_decimal")]
    pub share: f64,
    /// The median number of steps until then.
    pub delay: Option<usize>,
}

/// What a rule did on a past.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backtest {
    /// Fake deployments that could be judged.
    pub watches: usize,
    /// Others, of which nothing could be said at the end, and that alarmed at no step: of the first days, or where there are gaps.
    pub unknown: usize,
    /// Those that were called `suspect` or worse at some step although nothing was changed.
    pub suspect: usize,
    /// Those that were called `drift` or worse.
    pub drift: usize,
    /// Those that were called `confirmed`.
    pub confirmed: usize,
    /// What was found of changes that were made up.
    pub found: Vec<Found>,
    /// The smallest of them that is found in four of five watches.
    #[serde(serialize_with = "maybe_decimal")]
    pub smallest: Option<f64>,
}

impl Backtest {
    /// The share of watches that ended in `drift` although nothing was changed.
    pub fn false_alarms(&self) -> Option<f64> {
        (self.watches > 0).then(|| self.drift as f64 / self.watches as f64)
    }

    /// Its 95 % interval (Wilson), were the watches independent; they overlap, so that it is wider in truth. From 0 to 1 where
    /// there were none.
    pub fn bounds(&self) -> (f64, f64) {
        if self.watches == 0 {
            return (0.0, 1.0);
        }
        let (n, share) = (self.watches as f64, self.drift as f64 / self.watches as f64);
        let square = NORMAL * NORMAL;
        let middle = (share + square / (2.0 * n)) / (1.0 + square / n);
        let half = NORMAL / (1.0 + square / n) * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
        ((middle - half).max(0.0), (middle + half).min(1.0))
    }
}

/// Watches fake deployments in the past of a series, four a day and 120 at most, with a rule: as it was, and made worse.
/// Spans that are left out are no past, and nothing is deployed in them.
pub fn backtest(rule: &Rule, series: &Series, left_out: &[(i64, i64)]) -> Backtest {
    let step = series.step.max(1) as usize;
    let day = (86_400 / step).max(1);
    let length = rule.watch as usize;
    let part = series.points.iter().all(|point| match point {
        Point::Ratio { numerator, denominator } => numerator <= denominator,
        _ => true,
    });
    let stride = (day / A_DAY).max(1);
    let quiet = |first: usize| {
        let (from, to) = (series.at(first), series.at(first + length));
        !left_out.iter().any(|(begin, end)| *begin < to && *end > from)
    };
    let firsts = (0..)
        .map_while(|number| series.points.len().checked_sub(length.checked_add(number * stride)?))
        .take_while(|first| *first > 0)
        .filter(|first| quiet(*first))
        .take(MOST);
    let mut test = Backtest {
        watches: 0,
        unknown: 0,
        suspect: 0,
        drift: 0,
        confirmed: 0,
        found: TIMES.map(|times| Found { times, share: 0.0, delay: None }).to_vec(),
        smallest: None,
    };
    let mut delays: Vec<Vec<usize>> = vec![Vec::new(); TIMES.len()];
    for first in firsts {
        let mut judge = Judge::default();
        let before = first.saturating_sub(crate::past::DAYS * day);
        let mut trial = Series {
            start: series.at(before),
            step: series.step,
            points: series.points[before..first + length].to_vec(),
        };
        let deployed_at = series.at(first);
        // The first step at which it is so bad, and the last state.
        let worst_of = |trial: &Series, judge: &mut Judge, wanted: [State; 3]| {
            let mut first_at = [None; 3];
            let mut last = State::Unknown;
            for steps in 1..=length {
                let now = deployed_at.saturating_add((steps * step) as i64);
                let watch = Watch { series: trial, control: None, deployed_at, now, left_out };
                last = judge.guarded(rule, &watch).state;
                for (first, wanted) in first_at.iter_mut().zip(wanted) {
                    if first.is_none() && last >= wanted {
                        *first = Some(steps);
                    }
                }
                if first_at[0].is_some() {
                    break;
                }
            }
            (first_at, last)
        };
        let all = [State::Confirmed, State::Drift, State::Suspect];
        let ([confirmed, drift, suspect], last) = worst_of(&trial, &mut judge, all);
        // An alarm counts, whatever the last hour said.
        if last == State::Unknown && suspect.is_none() {
            test.unknown += 1;
            continue;
        }
        test.watches += 1;
        test.confirmed += usize::from(confirmed.is_some());
        test.drift += usize::from(drift.is_some());
        test.suspect += usize::from(suspect.is_some());
        for (times, delays) in TIMES.into_iter().zip(&mut delays) {
            for (point, was) in trial.points[first - before..].iter_mut().zip(&series.points[first..]) {
                *point = worsened(*was, rule.better, times, part);
            }
            if let ([Some(steps), ..], _) = worst_of(&trial, &mut judge, [State::Drift; 3]) {
                delays.push(steps);
            }
        }
    }
    for (found, mut delays) in test.found.iter_mut().zip(delays) {
        delays.sort_unstable();
        found.share = if test.watches > 0 { delays.len() as f64 / test.watches as f64 } else { 0.0 };
        found.delay = delays.get(delays.len() / 2).copied();
    }
    // Found from here on: of a rule that fires by chance, a small change is found no better than none.
    let enough = |found: &&Found| found.share >= FOUND;
    test.smallest = test.found.iter().rev().take_while(enough).last().map(|found| found.times);
    test
}

/// What a step would have been, had the measure been so many times as bad.
fn worsened(point: Point, better: Better, times: f64, part: bool) -> Point {
    let worse = |value: f64| if better == Better::Lower { value * times } else { value / times };
    match point {
        Point::Missing => Point::Missing,
        Point::Value { value, samples } => Point::Value { value: worse(value), samples },
        Point::Ratio { numerator, denominator } => {
            let numerator = worse(numerator);
            Point::Ratio { numerator: if part { numerator.min(denominator) } else { numerator }, denominator }
        }
    }
}
