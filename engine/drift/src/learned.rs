//! What is learned of a series before a deployment, once for all rules that read it alike.

use crate::Watch;
use crate::counts::Counts;
use crate::order::{RunningMedian, next_exceeds};
use crate::past::{DAYS, Past};
use crate::rule::{Better, Missing, Rule};
use crate::scale::Scale;
use crate::series::{Point, Series};

/// The fewest fake deployments that say what is usual: with 24 hours to a watch, those of five days.
pub(crate) const FEWEST: usize = 16;
/// The fewest fake deployments of which only the bad direction is looked at.
const ONE_WAY: usize = 32;
/// No watch is longer, in steps, and no day has more of them: steps of a minute, a day long.
pub(crate) const LONGEST: usize = 1440;
/// Drift is never said before this many steps, or this many seconds, have passed.
const SOONEST: usize = 4;
const SOONEST_SECONDS: usize = 4 * 3600;
/// What is further off than this counts as this far, where squares are summed: e to the 1.5, 4.5 times as much.
pub(crate) const CLIP: f64 = 1.5;

/// What a rule takes from the series: rules that agree in this learn the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    floor: f64,
    missing: Missing,
    watch: u32,
}

impl Reading {
    pub(crate) fn of(rule: &Rule) -> Self {
        Self { floor: rule.floor, missing: rule.missing, watch: rule.watch }
    }
}

/// What was learned.
#[derive(Debug)]
pub(crate) struct Learned {
    /// The number of the first watched step.
    pub(crate) first: usize,
    /// Steps of a day.
    pub(crate) day: usize,
    /// The number of the first step that is looked at, and how many from there to the deployment are known.
    pub(crate) from: usize,
    pub(crate) known: usize,
    pub(crate) scale: Scale,
    /// The scale of the control series, where there is one that can be used.
    control: Option<Scale>,
    pub(crate) past: Past,
    /// By how much the middle of so many steps usually misses, for each number of steps.
    spreads: Vec<f64>,
    /// How far off the fake deployments looked at worst, in such misses: higher, lower, and whichever way; each sorted.
    worst: [Vec<f64>; 3],
    /// The variance of one step that explains those of sums of 1, 6 and 24 steps.
    pub(crate) variance: f64,
    /// The counts, where the points are ratios and there is no control.
    pub(crate) counts: Option<Counts>,
    /// How many steps lie between the end of what was learned and the first watched one: that in which the deployment fell.
    pub(crate) between: usize,
    /// When the first verdict beyond `suspect` may be given, in steps.
    pub(crate) soonest: usize,
}

/// The first step of a watch at which drift may be said.
pub(crate) fn soonest(step: u32, watch: usize) -> usize {
    SOONEST.max(SOONEST_SECONDS / step.max(1) as usize).min(watch.max(SOONEST))
}

/// Whether a step that begins then is left out.
pub(crate) fn is_left_out(watch: &Watch<'_>, at: i64) -> bool {
    let ends = at.saturating_add(i64::from(watch.series.step));
    watch.left_out.iter().any(|(begin, end)| at < *end && ends > *begin)
}

/// The measure as it is read: missing steps as the rule says.
pub(crate) fn value(point: Point, missing: Missing) -> Option<f64> {
    match point {
        Point::Missing if missing == Missing::Zero => Some(0.0),
        point => point.value(),
    }
}

impl Learned {
    /// Learns, or says that the numbers mean nothing.
    pub(crate) fn of(reading: Reading, watch: &Watch<'_>) -> Option<Self> {
        let series = watch.series;
        let length = reading.watch as usize;
        let day = (86_400 / series.step.max(1) as usize).max(1);
        if series.step == 0 || day > LONGEST || !(1..=LONGEST).contains(&length) {
            return None;
        }
        let first = series.first_from(watch.deployed_at);
        // The step in which the deployment fell is of neither side.
        let end = first - usize::from(first > 0 && series.at(first - 1) + i64::from(series.step) > watch.deployed_at);
        let from = end.saturating_sub(DAYS * day);
        let past: Vec<Option<f64>> =
            (from..end)
                .map(|index| {
                    if is_left_out(watch, series.at(index)) {
                        None
                    } else {
                        value(series.points[index], reading.missing)
                    }
                })
                .collect();
        let known = past.iter().flatten().count();
        let scale = Scale::of(past.iter().flatten().copied(), reading.floor);
        let control = watch.control.filter(|control| control.step == series.step).and_then(|control| {
            let values = (from..end).filter_map(|index| beside(control, series.at(index)));
            let known = values.clone().count();
            (known * 4 >= (end - from) * 3).then(|| Scale::of(values, reading.floor))
        });
        let mut logs: Vec<f64> = past
            .iter()
            .enumerate()
            .map(|(number, value)| {
                let shared = match (control, watch.control) {
                    (Some(scale), Some(series_beside)) => {
                        beside(series_beside, series.at(from + number)).map_or(f64::NAN, |value| scale.log(value))
                    }
                    _ => 0.0,
                };
                value.map_or(f64::NAN, |value| scale.log(value)) - shared
            })
            .collect();
        if end < first {
            // Keeps the steps of the day in place.
            logs.push(f64::NAN);
        }
        let past = Past::of(&logs, day, length);
        let of_counts = |index: usize| {
            if is_left_out(watch, series.at(index)) { Point::Missing } else { series.points[index] }
        };
        let counts =
            control.is_none().then(|| Counts::of(&(from..end).map(of_counts).collect::<Vec<_>>(), day)).flatten();
        let middles: Vec<Vec<f64>> = past.placebos.iter().map(|placebo| running_medians(placebo)).collect();
        let spreads: Vec<f64> = (0..length).map(|step| spread(middles.iter().map(|middle| middle[step]))).collect();
        let soonest = soonest(series.step, length);
        let mut worst: [Vec<f64>; 3] = std::array::from_fn(|_| Vec::with_capacity(middles.len() * 2));
        for middle in &middles {
            let (mut above, mut below) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
            for (middle, spread) in middle.iter().zip(&spreads).skip(soonest - 1).filter(|(middle, _)| !middle.is_nan())
            {
                above = above.max(middle / spread);
                below = below.max(-middle / spread);
            }
            // A placebo of which nothing is known is none.
            if above.is_finite() {
                worst[0].push(above);
                worst[1].push(below);
                worst[2].extend([above, below]);
            }
        }
        worst.iter_mut().for_each(|worst| worst.sort_unstable_by(f64::total_cmp));
        let variance = [1, day / 4, day].map(|span| variance_of_sums(&past.placebos, span.max(1)));
        Some(Self {
            first,
            day,
            from,
            known,
            scale,
            control,
            spreads,
            worst,
            variance: variance.into_iter().fold(1e-9, f64::max),
            past,
            counts,
            between: first - end,
            soonest,
        })
    }

    /// How many fake deployments say something.
    pub(crate) fn placebos(&self) -> usize {
        self.worst[0].len()
    }

    /// How far off fake deployments looked in the bad direction, or whichever way where there are few of them.
    fn worst(&self, better: Better) -> &[f64] {
        match better {
            _ if self.placebos() < ONE_WAY => &self.worst[2],
            Better::Lower => &self.worst[0],
            Better::Higher => &self.worst[1],
        }
    }

    /// How far off the middle of so many steps is, in usual misses.
    pub(crate) fn off(&self, middle: f64, steps: usize) -> f64 {
        middle / self.spreads[steps - 1]
    }

    /// What a quiet watch exceeds with a chance of `share` at most, by the fake deployments, in usual misses. Where those of the bad
    /// direction are too few to say, both directions are looked at.
    pub(crate) fn limit(&self, share: f64, better: Better) -> f64 {
        let bad = next_exceeds(self.worst(better), 1.0 - share);
        let limit = if bad.is_finite() { bad } else { next_exceeds(&self.worst[2], 1.0 - share) };
        limit.max(1.0)
    }

    /// The share of fake deployments that looked at least so far off.
    pub(crate) fn share(&self, off: f64, better: Better) -> f64 {
        let worst = self.worst(better);
        let below = worst.partition_point(|worst| *worst < off);
        (worst.len() - below + 1) as f64 / (worst.len() + 1) as f64
    }

    /// A value of the series at `at` as a logarithm, beside the control's where there is one.
    pub(crate) fn log(&self, watch: &Watch<'_>, at: i64, value: f64) -> f64 {
        self.scale.log(value) - self.shared(watch, at)
    }

    /// What the control says of a step, as a logarithm; 0 without one.
    pub(crate) fn shared(&self, watch: &Watch<'_>, at: i64) -> f64 {
        match (self.control, watch.control) {
            (Some(scale), Some(series)) => beside(series, at).map_or(f64::NAN, |value| scale.log(value)),
            _ => 0.0,
        }
    }
}

/// The value of the control at a time of the series.
fn beside(control: &Series, at: i64) -> Option<f64> {
    let index = control.first_from(at);
    (control.points.len() > index && control.at(index) - at < i64::from(control.step))
        .then(|| control.points[index].value())
        .flatten()
}

/// The median of the known steps so far, after each.
pub(crate) fn running_medians(off: &[f64]) -> Vec<f64> {
    let mut running = RunningMedian::default();
    off.iter()
        .map(|off| {
            if !off.is_nan() {
                running.push(*off);
            }
            running.get()
        })
        .collect()
}

/// The usual size of such misses: the larger of the root of the mean square and the scaled median, never zero.
fn spread(misses: impl Iterator<Item = f64>) -> f64 {
    let mut sizes: Vec<f64> = misses.filter(|miss| !miss.is_nan()).map(f64::abs).collect();
    if sizes.is_empty() {
        return f64::INFINITY;
    }
    let square = sizes.iter().map(|size| size.min(CLIP) * size.min(CLIP)).sum::<f64>() / sizes.len() as f64;
    square.sqrt().max(1.4826 * crate::order::median(&mut sizes)).max(1e-9)
}

/// The variance of one step, as the sums of so many steps have it.
fn variance_of_sums(placebos: &[Vec<f64>], span: usize) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for spans in placebos.iter().map(|placebo| placebo.chunks_exact(span)) {
        for steps in spans {
            let known = steps.iter().filter(|off| !off.is_nan()).map(|off| off.clamp(-CLIP, CLIP));
            let (total, known) = known.fold((0.0, 0), |(total, known), off| (total + off, known + 1));
            if known > 0 {
                sum += total * total / known as f64;
                count += 1;
            }
        }
    }
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}
