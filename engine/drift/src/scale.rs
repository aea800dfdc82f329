//! The scale on which worse is measured: differences on it are logarithms of "how many times as much".

/// From a measure's unit to logarithms and back.
///
/// Values that are all positive go through the logarithm, so that a difference is a ratio. Where some are zero or below,
/// `asinh(y / 2e)` takes its place: the same far from zero, and finite at it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// What zero is taken for, in the measure's unit; none where all are positive.
    zero: Option<f64>,
}

/// What zero is taken for where the rule names no floor: this share of the mean size of values.
const ZERO_SHARE: f64 = 0.05;
/// No logarithm is further from zero than this, whatever the values: 10 to the 26th.
const FARTHEST: f64 = 60.0;

impl Scale {
    /// The scale of a measure with such values in its past, none of them NaN, and such a floor.
    pub(crate) fn of(values: impl Iterator<Item = f64>, floor: f64) -> Self {
        let (mut sum, mut count, mut positive) = (0.0, 0.0, true);
        for value in values {
            sum += value.abs().min(1e300);
            count += 1.0;
            positive &= value > 0.0;
        }
        let usual = if count > 0.0 { sum / count } else { 0.0 };
        let zero = if floor > 0.0 {
            Some(floor)
        } else if positive && count > 0.0 {
            None
        } else {
            // A measure that was always zero has no size of its own: whatever is above is much worse.
            Some(if usual > 0.0 { usual * ZERO_SHARE } else { 1e-12 })
        };
        Self { zero }
    }

    /// A value as a logarithm.
    pub(crate) fn log(self, value: f64) -> f64 {
        match self.zero {
            Some(zero) => (value / (2.0 * zero)).asinh().clamp(-FARTHEST, FARTHEST),
            // What fell to zero fell by as much as can be said.
            None => value.max(f64::MIN_POSITIVE).ln().clamp(-10.0 * FARTHEST, 10.0 * FARTHEST),
        }
    }

    /// Back to the measure's unit.
    pub(crate) fn unit(self, log: f64) -> f64 {
        match self.zero {
            Some(zero) => log.sinh() * 2.0 * zero,
            None => log.exp(),
        }
    }
}
