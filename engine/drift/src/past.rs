//! What a series' own past says: what to expect next, and how far off such expectations were before.

use crate::order::{median, quantile};

/// How far back is looked, in days.
pub(crate) const DAYS: usize = 28;
/// The least that a fake deployment needs before it, in days.
const LEAD_DAYS: usize = 2;
/// Fake deployments begin this many times a day.
const A_DAY: usize = 8;
/// How many ways of expecting are kept.
const KEPT: usize = 3;

/// A way of expecting what comes. All are medians, so that an outage or a spike in the past moves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The median of so many days.
    Flat(usize),
    /// The median of the last quarter of a day.
    Recent,
    /// The median of the same hour of so many days.
    Hour(usize),
    /// The same hour of seven days, moved by how the last day, or its last quarter, differed from that.
    HourAtLevel { quarter: bool },
    /// The same hour of the same day of so many weeks.
    Week(usize),
}

const WAYS: [(Way, &str); 9] = [
    (Way::Flat(1), "day"),
    (Way::Flat(7), "week"),
    (Way::Recent, "6h"),
    (Way::Hour(3), "hour_of_3_days"),
    (Way::Hour(7), "hour_of_7_days"),
    (Way::HourAtLevel { quarter: false }, "hour_of_7_days_at_level_of_day"),
    (Way::HourAtLevel { quarter: true }, "hour_of_7_days_at_level_of_6h"),
    (Way::Week(2), "hour_of_2_weeks"),
    (Way::Week(3), "hour_of_3_weeks"),
];

/// What was learned of a past.
#[derive(Debug)]
pub(crate) struct Past {
    /// What is expected of each watched step; NaN where nothing can be.
    pub(crate) expected: Vec<f64>,
    /// The ways that were chosen.
    pub(crate) chosen: Vec<&'static str>,
    /// For each fake deployment, latest first, how much higher than expected each watched step was; NaN where that is not
    /// known. The first one ends where the real one begins.
    pub(crate) placebos: Vec<Vec<f64>>,
}

impl Past {
    /// Learns from the logarithms before a deployment, oldest first, NaN where nothing is known. `day`: steps of a day.
    /// `watch`: how many steps are watched. Both at least 1.
    pub(crate) fn of(logs: &[f64], day: usize, watch: usize) -> Self {
        let known = Known { logs, day };
        let mut shapes = Vec::new();
        let first = logs.iter().position(|log| !log.is_nan()).unwrap_or(logs.len());
        let stride = (day / A_DAY).max(1);
        let origins: Vec<usize> = (0..)
            .map_while(|number| logs.len().checked_sub(watch + number * stride))
            .take_while(|origin| *origin >= first + LEAD_DAYS * day)
            .collect();
        // Each way's guesses, for every fake deployment one after another, and then for the real one.
        let mut scored: Vec<(f64, &'static str, Vec<f64>)> = Vec::new();
        let mut off = Vec::with_capacity(watch);
        for (way, name) in WAYS {
            let mut guesses = Vec::with_capacity((origins.len() + 1) * watch);
            for (number, origin) in origins.iter().chain([&logs.len()]).enumerate() {
                // The shape of the day is the longest to find, and two ways start from it.
                if let Way::HourAtLevel { quarter } = way {
                    if shapes.len() == number {
                        shapes.push(known.shape(*origin));
                    }
                    known.at_level(&shapes[number], *origin, quarter, watch, &mut guesses);
                } else {
                    known.guess(way, *origin, watch, &mut guesses);
                }
            }
            let mut errors = Vec::with_capacity(origins.len() * 3);
            for (origin, guesses) in origins.iter().zip(guesses.chunks_exact(watch)) {
                for part in [watch.div_ceil(4), watch.div_ceil(2), watch] {
                    off.clear();
                    let each = logs[*origin..].iter().zip(guesses).take(part).map(|(log, guess)| log - guess);
                    off.extend(each.filter(|off| !off.is_nan()));
                    if !off.is_empty() {
                        errors.push(median(&mut off).abs());
                    }
                }
            }
            // A way that can seldom say anything is no way.
            if errors.len() * 2 > origins.len() * 3 {
                errors.sort_unstable_by(f64::total_cmp);
                scored.push((quantile(&errors, 0.8), name, guesses));
            }
        }
        // Stable: of two that err alike the simpler one, which stands first.
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        scored.truncate(KEPT);
        let joined = |place: usize| -> f64 {
            let mut each = [0.0; KEPT];
            let mut count = 0;
            for guess in scored.iter().map(|(_, _, guesses)| guesses[place]).filter(|guess| !guess.is_nan()) {
                each[count] = guess;
                count += 1;
            }
            median(&mut each[..count])
        };
        let placebos = origins.iter().enumerate().map(|(number, origin)| {
            (0..watch).map(|step| logs[origin + step] - joined(number * watch + step)).collect()
        });
        Self {
            placebos: placebos.collect(),
            expected: (0..watch).map(|step| joined(origins.len() * watch + step)).collect(),
            chosen: scored.iter().map(|(_, name, _)| *name).collect(),
        }
    }
}

/// The past as it is known.
struct Known<'a> {
    logs: &'a [f64],
    day: usize,
}

impl Known<'_> {
    /// Adds what one way expects of the `watch` steps from `origin`.
    fn guess(&self, way: Way, origin: usize, watch: usize, guesses: &mut Vec<f64>) {
        let quarter_day = (self.day / 4).max(1);
        let flat = |back| std::iter::repeat_n(self.level(origin, back), watch);
        match way {
            Way::Flat(days) => guesses.extend(flat(days * self.day)),
            Way::Recent => guesses.extend(flat(quarter_day)),
            Way::Hour(days) => guesses.extend((0..watch).map(|step| self.same(origin + step, origin, days, self.day))),
            Way::Week(weeks) => {
                guesses.extend((0..watch).map(|step| self.same(origin + step, origin, weeks, 7 * self.day)));
            }
            Way::HourAtLevel { quarter } => self.at_level(&self.shape(origin), origin, quarter, watch, guesses),
        }
    }

    /// The same hour of seven days, for the steps of the day from `origin`.
    fn shape(&self, origin: usize) -> Vec<f64> {
        (0..self.day).map(|step| self.same(origin + step, origin, 7, self.day)).collect()
    }

    /// The shape of a day, moved by how what came last before `origin` differed from it.
    fn at_level(&self, shape: &[f64], origin: usize, quarter: bool, watch: usize, guesses: &mut Vec<f64>) {
        let back = if quarter { (self.day / 4).max(1) } else { self.day };
        let mut off: Vec<f64> = (1..=back.min(origin))
            // The step so far back falls on the same hour as the one `day - back` ahead.
            .map(|back| self.logs[origin - back] - shape[self.day - back])
            .filter(|off| !off.is_nan())
            .collect();
        let level = if off.len() * 2 >= back { median(&mut off) } else { f64::NAN };
        guesses.extend((0..watch).map(|step| shape[step % self.day] + level));
    }

    /// The median of so many steps before `origin`, at least half of which are known.
    fn level(&self, origin: usize, back: usize) -> f64 {
        let back = back.min(origin);
        let mut values: Vec<f64> =
            self.logs[origin - back..origin].iter().copied().filter(|log| !log.is_nan()).collect();
        if values.len() * 2 < back { f64::NAN } else { median(&mut values) }
    }

    /// The median of the same step in so many periods (8 at most) before `origin`, at least two of which are known.
    fn same(&self, place: usize, origin: usize, periods: usize, period: usize) -> f64 {
        let mut values = [0.0; 8];
        let mut count = 0;
        let ahead = (place - origin) / period + 1;
        for back in (ahead..ahead + periods).map(|number| number * period) {
            let Some(place) = place.checked_sub(back) else { break };
            let log = self.logs[place];
            if !log.is_nan() {
                values[count] = log;
                count += 1;
            }
        }
        if count < 2 { f64::NAN } else { median(&mut values[..count]) }
    }
}
