//! A measure over time, in steps of equal length.

/// How many steps a series has at most: two years of hours. Older ones are of no use and are dropped.
pub const MAX_POINTS: usize = 2 * 366 * 24;

/// What is known of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Point {
    /// Nothing.
    Missing,
    /// The mean of so many samples.
    Value {
        /// Their mean, in the measure's unit.
        value: f64,
        /// How many there were; 1 where the source gives only the mean. A series that has no more than one for any step is
        /// not held to tell how many there were.
        samples: u64,
    },
    /// Events counted: so many of so many, or so many in so much exposure (requests, hours).
    Ratio {
        /// What is counted, such as failures.
        numerator: f64,
        /// Of how many, or in how much.
        denominator: f64,
    },
}

impl Point {
    /// The measure, if it is a number.
    pub fn value(self) -> Option<f64> {
        let value = match self {
            Self::Missing => return None,
            Self::Value { value, .. } => value,
            Self::Ratio { numerator, denominator } if denominator > 0.0 => numerator / denominator,
            Self::Ratio { .. } => return None,
        };
        value.is_finite().then_some(value)
    }
}

/// A measure in steps of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// When the first step begins, in seconds since 1970.
    pub start: i64,
    /// How long a step is, in seconds: 3600 for hours. At least 1.
    pub step: u32,
    /// What is known of each.
    pub points: Vec<Point>,
}

impl Series {
    /// The steps of `step` seconds into which samples fall, in any order: values are averaged, numerators and
    /// denominators added up. Steps without a sample are missing, and what is no number is no sample. Of more than
    /// [`MAX_POINTS`] steps the latest are kept.
    pub fn of_samples(step: u32, samples: impl IntoIterator<Item = (i64, Point)>) -> Self {
        let step = step.max(1);
        let mut samples: Vec<(i64, Point)> = samples
            .into_iter()
            .filter(|(_, point)| point.value().is_some())
            .map(|(at, point)| (at.div_euclid(i64::from(step)), point))
            .collect();
        // Stable, so that sums are made in the order given and come out alike.
        samples.sort_by_key(|(slot, _)| *slot);
        let Some(last) = samples.last().map(|(slot, _)| *slot) else {
            return Self { start: 0, step, points: Vec::new() };
        };
        let oldest = last.saturating_sub(MAX_POINTS as i64 - 1);
        samples.retain(|(slot, _)| *slot >= oldest);
        let first = samples.first().map_or(last, |(slot, _)| *slot);
        let mut points = vec![Point::Missing; usize::try_from(last - first + 1).unwrap_or(MAX_POINTS)];
        for (slot, point) in samples {
            let Some(place) = usize::try_from(slot - first).ok().and_then(|index| points.get_mut(index)) else {
                continue;
            };
            *place = place.joined(point);
        }
        Self { start: first.saturating_mul(i64::from(step)), step, points }
    }

    /// When the step of this number begins.
    pub fn at(&self, index: usize) -> i64 {
        let passed = i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(i64::from(self.step));
        self.start.saturating_add(passed)
    }

    /// The number of the first step that begins at `at` or later; the number of steps if none does.
    pub fn first_from(&self, at: i64) -> usize {
        let step = i128::from(self.step.max(1));
        let passed = i128::from(at) - i128::from(self.start);
        let index = passed.div_euclid(step) + i128::from(passed.rem_euclid(step) != 0);
        usize::try_from(index.max(0)).unwrap_or(usize::MAX).min(self.points.len())
    }
}

impl Point {
    /// How many samples or events the step stands for.
    pub(crate) fn samples(self) -> f64 {
        match self {
            Self::Missing => 0.0,
            Self::Value { samples, .. } => samples as f64,
            // Of a rate the events count, of a part of a whole the whole.
            Self::Ratio { numerator, denominator } => numerator.max(denominator).max(0.0),
        }
    }

    /// Both in one step. Of two kinds the first stays.
    fn joined(self, other: Self) -> Self {
        match (self, other) {
            (Self::Missing, other) => other,
            (Self::Value { value, samples }, Self::Value { value: more, samples: others }) => {
                let all = samples.saturating_add(others).max(1);
                let share = others as f64 / all as f64;
                Self::Value { value: value + (more - value) * share, samples: all }
            }
            (Self::Ratio { numerator, denominator }, Self::Ratio { numerator: n, denominator: d }) => {
                Self::Ratio { numerator: numerator + n, denominator: denominator + d }
            }
            (first, _) => first,
        }
    }
}
