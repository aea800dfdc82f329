//! What is measured once a run rather than once an hour: a level that moved between runs, and tests that waver.

use serde::Serialize;

use crate::kayenta::mean;
use crate::rule::Better;
use crate::verdict::as_decimal;

/// Runs on each side of a change that are compared at most.
const WINDOW: usize = 50;
/// The fewest runs on a side: with fewer, one bad run is a change.
const FEWEST: usize = 8;
/// Series are read from their end, so many runs of them.
const MOST_RUNS: usize = 2000;
/// No more changes are looked for.
const MOST: usize = 64;
/// How many standard errors two levels must lie apart. High, because every place of the series is tried.
const APART: f64 = 5.0;

/// A place where the level of a series moved for good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Moved {
    /// The number of the first run at the new level.
    pub at: usize,
    /// The level before.
    #[serde(serialize_with = "as_decimal")]
    pub before: f64,
    /// The level since.
    #[serde(serialize_with = "as_decimal")]
    pub after: f64,
    /// Whether the new level is worse.
    pub worse: bool,
    /// How far apart they are, in standard errors.
    #[serde(serialize_with = "as_decimal")]
    pub apart: f64,
}

/// Where the level of a measure moved by at least `threshold` (0.2 is 20 %), oldest first: the duration of a bundle, or its
/// pass rate, run by run. Runs that are no number are passed over, and of more than 2,000 the latest are read.
///
/// Welch's t between up to 50 runs on either side, at every place; the highest peak is taken, and both sides are searched
/// again. Values beyond three (scaled) median deviations of their side are drawn in, so that one slow run is no change.
pub fn moved(values: &[f64], better: Better, threshold: f64) -> Vec<Moved> {
    let skipped = values.len().saturating_sub(MOST_RUNS);
    let runs: Vec<(usize, f64)> =
        values.iter().copied().enumerate().skip(skipped).filter(|(_, value)| value.is_finite()).collect();
    let mut found = Vec::new();
    let mut left = vec![(0, runs.len())];
    while let Some((from, to)) = left.pop() {
        let best = (from + FEWEST..(to + 1).saturating_sub(FEWEST))
            .map(|place| {
                (
                    place,
                    sides(&runs[place.saturating_sub(WINDOW).max(from)..place], &runs[place..to.min(place + WINDOW)]),
                )
            })
            .filter(|(_, (before, after, apart))| {
                *apart >= APART && (after - before).abs() >= threshold * before.abs().min(after.abs())
            })
            .max_by(|a, b| a.1.2.total_cmp(&b.1.2));
        if let Some((place, (before, after, apart))) = best {
            let worse = (after > before) == (better == Better::Lower);
            found.push(Moved { at: runs[place].0, before, after, worse, apart });
            if found.len() == MOST {
                break;
            }
            left.extend([(from, place), (place, to)]);
        }
    }
    found.sort_by_key(|moved| moved.at);
    found
}

/// The levels of two sides, and how many standard errors they lie apart.
fn sides(before: &[(usize, f64)], after: &[(usize, f64)]) -> (f64, f64, f64) {
    let (before, after) = (drawn_in(before), drawn_in(after));
    let (was, is) = (mean(&before), mean(&after));
    let error = |values: &[f64], mean: f64| {
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        squares / (values.len() - 1) as f64 / values.len() as f64
    };
    let error = (error(&before, was) + error(&after, is)).sqrt();
    // Levels without any noise are apart as soon as they differ.
    let apart = if was == is { 0.0 } else { (is - was).abs() / error.max(f64::MIN_POSITIVE) };
    (was, is, if apart.is_finite() { apart.min(1e9) } else { 1e9 })
}

fn drawn_in(side: &[(usize, f64)]) -> Vec<f64> {
    let mut values: Vec<f64> = side.iter().map(|(_, value)| value.clamp(-1e150, 1e150)).collect();
    let middle = crate::order::median(&mut values.clone());
    let mut off: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    let reach = 3.0 * 1.4826 * crate::order::median(&mut off);
    if reach > 0.0 {
        values.iter_mut().for_each(|value| *value = value.clamp(middle - reach, middle + reach));
    }
    values
}

/// What a test is, by how it ended on one and the same tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Steadiness {
    /// It was not run, or failed once: nothing is shown.
    Unknown,
    /// It passed every time.
    Passing,
    /// It failed every time, at least twice: broken.
    Broken,
    /// It did both on the same tree: flaky, whatever its last run said.
    Flaky,
}

/// Tells a flaky test from a broken one by its runs on one tree: `true` is a pass. Runs on different trees say nothing of
/// each other and must not be given together.
pub fn steadiness(passed: &[bool]) -> Steadiness {
    let passes = passed.iter().filter(|passed| **passed).count();
    match (passes, passed.len()) {
        (_, 0) => Steadiness::Unknown,
        (passes, runs) if passes > 0 && passes < runs => Steadiness::Flaky,
        (0, 1) => Steadiness::Unknown,
        (0, _) => Steadiness::Broken,
        _ => Steadiness::Passing,
    }
}
