//! The judge of Kayenta's canary analysis, made anew from its description: a Mann-Whitney test whose interval must clear a
//! part of its own estimate, and a ratio of means.

use crate::order::median;
use crate::rule::Better;

/// The judge and its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kayenta {
    /// Which way the measure is better.
    pub better: Better,
    /// The least ratio of means, in the bad direction.
    pub times: f64,
    /// How wide the interval of the shift is, in standard deviations of the normal distribution.
    pub width: f64,
}

/// The width of an interval that leaves 1 % on each side, as Kayenta has it.
const WIDTH: f64 = 2.326_347_874;
/// Which part of its estimate the interval must clear.
const CLEARS: f64 = 0.25;

impl Kayenta {
    /// As it is shipped, but for the ratio.
    pub fn new(better: Better, times: f64) -> Self {
        Self { better, times, width: WIDTH }
    }

    /// Whether `after` is worse than `before`; not so where either is empty. No value may be NaN.
    pub fn worse(&self, before: &[f64], after: &[f64]) -> bool {
        if before.is_empty() || after.is_empty() {
            return false;
        }
        // Which is better lower is judged as its mirror image would be.
        let sign = if self.better == Better::Lower { 1.0 } else { -1.0 };
        let (low, estimate) = self.shift(before, after, sign);
        let (was, is) = (mean(before), mean(after));
        let large = if self.better == Better::Lower { is >= was * self.times } else { is * self.times <= was };
        estimate > 0.0 && low > CLEARS * estimate && large
    }

    /// By how much more `sign * after` is than `sign * before`: the lower end of the interval, by the normal
    /// approximation, and the Hodges-Lehmann estimate.
    fn shift(&self, before: &[f64], after: &[f64], sign: f64) -> (f64, f64) {
        let (n, m) = (before.len() as f64, after.len() as f64);
        let mut differences: Vec<f64> =
            after.iter().flat_map(|after| before.iter().map(move |before| sign * (after - before))).collect();
        let left_out = (n * m / 2.0 - self.width * (n * m * (n + m + 1.0) / 12.0).sqrt()).floor();
        let estimate = median(&mut differences);
        if left_out < 0.0 {
            return (f64::NEG_INFINITY, estimate);
        }
        let place = (left_out as usize).min((differences.len() - 1) / 2);
        (*differences.select_nth_unstable_by(place, f64::total_cmp).1, estimate)
    }
}

/// The mean of at least one number.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().map(|value| value / values.len() as f64).sum()
}
