//! Points as text, for records and the spool: nothing for a gap, `0.95*200` for the mean of 200 samples, `190/200` for so many of
//! so many. Numbers are written so that reading gives the very same number.

use grace_drift::{Point, Series};
use serde::{Deserialize, Serialize};

/// Longest text of a point.
const LONGEST: usize = 80;

/// A point as text.
#[must_use]
pub fn write(point: Point) -> String {
    match point {
        Point::Missing => String::new(),
        Point::Value { value, samples: 1 } => exact(value),
        Point::Value { value, samples } => format!("{}*{samples}", exact(value)),
        Point::Ratio { numerator, denominator } => format!("{}/{}", exact(numerator), exact(denominator)),
    }
}

/// The shortest text that reads as this very number, however small or large.
fn exact(number: f64) -> String {
    let text = format!("{number:?}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// The point that a text stands for; `None` for what is none.
#[must_use]
pub fn read(text: &str) -> Option<Point> {
    if text.len() > LONGEST {
        return None;
    }
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    if let Some((numerator, denominator)) = text.split_once('/') {
        let (numerator, denominator) = (number(numerator)?, number(denominator)?);
        return (denominator >= 0.0).then_some(Point::Ratio { numerator, denominator });
    }
    match text.split_once('*') {
        None if text.is_empty() => Some(Point::Missing),
        None => Some(Point::Value { value: number(text)?, samples: 1 }),
        Some((value, samples)) => Some(Point::Value { value: number(value)?, samples: samples.trim().parse().ok()? }),
    }
}

/// A series as it is recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesSaid {
    /// When the first step begins, in seconds since 1970.
    pub start: i64,
    /// How long a step is, in seconds.
    pub step: u32,
    /// The points, as text.
    pub points: Vec<String>,
}

impl SeriesSaid {
    /// That of a series.
    #[must_use]
    pub fn of(series: &Series) -> Self {
        Self { start: series.start, step: series.step, points: series.points.iter().copied().map(write).collect() }
    }

    /// The series; what is no point is a gap.
    #[must_use]
    pub fn series(&self) -> Series {
        let points = self.points.iter().map(|text| read(text).unwrap_or(Point::Missing)).collect();
        Series { start: self.start, step: self.step.max(1), points }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_as_it_was_written() {
        for point in [
            Point::Missing,
            Point::Value { value: 0.1 + 0.2, samples: 1 },
            Point::Value { value: -1.5e-300, samples: 200 },
            Point::Ratio { numerator: 190.0, denominator: 200.0 },
        ] {
            assert_eq!(read(&write(point)), Some(point));
        }
        for text in ["NaN", "inf", "1/", "/2", "1/-2", "1*x", "x", "1/2/3"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"1".repeat(100)), None);
    }
}
