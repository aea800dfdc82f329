//! Ten families of made series, 27 days of hours and a day that is watched.

use grace_drift::{Better, Point};

use super::random::Random;
use super::{Change, HOURS, Trial};

const DAYS: usize = 27;

/// The names of the families.
pub(super) const FAMILIES: [&str; 10] = [
    "noise of 10 %",
    "noise of 20 %",
    "AR(1) .7",
    "daily",
    "daily, AR(1) .7",
    "daily and weekly",
    "heavy tails (t, 3)",
    "5 % failures of 50",
    "Poisson, 5 an hour",
    "random walk",
];

/// Series of each family, from different seeds for the tuning and for the reporting half.
pub(super) fn trials(each: usize, tuning: bool) -> Vec<Trial> {
    (0..FAMILIES.len())
        .flat_map(|family| (0..each).map(move |number| (family, number)))
        .map(|(family, number)| {
            let seed = ((family as u64) << 40) | ((u64::from(tuning)) << 32) | number as u64;
            Trial {
                group: family * each + number,
                family,
                row: family,
                better: Better::Lower,
                first: DAYS * HOURS,
                start: 0,
                series: Box::new(move |change| series(family, seed, change)),
            }
        })
        .collect()
}

fn series(family: usize, seed: u64, change: Change) -> Vec<Point> {
    let mut random = Random::seeded(seed);
    // Deployments fall on any hour of any day of the week.
    let offset = random.below(7 * HOURS);
    let (mut swing, mut walk) = (0.0, 0.0);
    (0..(DAYS + 1) * HOURS)
        .map(|hour| {
            let times = change.times(hour as i64 - (DAYS * HOURS) as i64);
            let noisier = change.noise(hour as i64 - (DAYS * HOURS) as i64);
            let clock = hour + offset;
            let day = 1.0 + 0.5 * (std::f64::consts::TAU * clock as f64 / HOURS as f64).sin();
            let week = if (clock / HOURS) % 7 >= 5 { 0.7 } else { 1.0 };
            swing = 0.7 * swing + (1.0_f64 - 0.49).sqrt() * random.normal();
            walk += 0.02 * random.normal();
            let noise = noisier * random.normal();
            let swing = noisier * swing;
            let value = |log: f64, shape: f64| Point::Value { value: 100.0 * shape * log.exp() * times, samples: 1 };
            match family {
                0 => value(0.1 * noise, 1.0),
                1 => value(0.2 * noise, 1.0),
                2 => value(0.2 * swing, 1.0),
                3 => value(0.1 * noise, day),
                4 => value(0.15 * swing, day),
                5 => value(0.1 * noise, day * week),
                6 => {
                    let squares: f64 = (0..3).map(|_| random.normal().powi(2)).sum();
                    value(0.1 * noise / (squares / 3.0).sqrt(), 1.0)
                }
                7 => Point::Ratio { numerator: random.binomial(50, (0.05 * times).min(1.0)), denominator: 50.0 },
                8 => Point::Ratio { numerator: random.poisson(5.0 * times), denominator: 1.0 },
                _ => value(walk + 0.05 * noise, 1.0),
            }
        })
        .collect()
}
