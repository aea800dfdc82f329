//! From a rule and a watch to a verdict.

use crate::Watch;
use crate::kayenta::{Kayenta, mean};
use crate::learned::{CLIP, FEWEST, Learned, Reading, is_left_out, running_medians, soonest, value};
use crate::order::median;
use crate::rule::{Better, Method, Rule};
use crate::series::Point;
use crate::verdict::{Evidence, Hour, State, Unknown, Verdict};

/// Raised when the same inputs may give another verdict.
const VERSION: u32 = 3;
/// The likelihood ratio of events counted at which a rate has drifted, and at which that is confirmed.
const COUNTED_DRIFT: f64 = 20.0;
const COUNTED_CONFIRMED: f64 = 1000.0;
/// And without the three worst steps.
const COUNTED_REST: f64 = 4.0;
/// The likelihood ratio that confirms a drift of values, and the size of change that is thought of, as a logarithm.
const CONFIRMED: f64 = 100.0;
const THOUGHT_OF: f64 = 0.4;
/// The share of quiet watches that may be confirmed, by the fake deployments.
const CONFIRMED_SHARE: f64 = 0.01;
/// The fake deployments alone may exceed their limit this many times as often as the rule's budget: of those that do, few
/// have also moved since the day before, by as much as the threshold, and stayed there.
const PLACEBO_PART: f64 = 4.0;
/// How wide the interval is by which they must have moved, in standard deviations. Kayenta's own is 2.33.
const MOVED_WIDTH: f64 = 3.0;
/// Drift needs the middle of so many latest steps to be worse, not only the latest.
const STILL: usize = 3;
/// And this part of the worst middle so far, as logarithms.
const STILL_PART: f64 = 0.5;
/// Kayenta's comparison is not made of fewer steps.
const COMPARED: usize = 3;

/// What is said of the measure by what had been measured at `watch.now`. Looking every hour is allowed for: the budget is
/// that of the whole watch.
pub fn judge(rule: &Rule, watch: &Watch<'_>) -> Verdict {
    Judge::default().judge(rule, watch)
}

/// As [`judge`](fn@judge), for acting upon: see [`Judge::guarded`].
pub fn guarded(rule: &Rule, watch: &Watch<'_>) -> Verdict {
    Judge::default().guarded(rule, watch)
}

/// Judges many rules on one series, or one rule again and again as time passes, and learns the past only once for rules
/// that read it alike: the series before the deployment, the control and the spans left out must be the same from call to
/// call; `now`, and what was measured since, may differ.
#[derive(Debug, Default)]
pub struct Judge {
    learned: Vec<(Reading, Option<Learned>)>,
}

impl Judge {
    /// As [`judge`](fn@judge).
    pub fn judge(&mut self, rule: &Rule, watch: &Watch<'_>) -> Verdict {
        let reading = Reading::of(rule);
        if !self.learned.iter().any(|(other, _)| *other == reading) {
            self.learned.push((reading, Learned::of(reading, watch)));
        }
        let learned =
            self.learned.iter().find(|(other, _)| *other == reading).and_then(|(_, learned)| learned.as_ref());
        let usable = rule.threshold.is_finite()
            && rule.threshold > 0.0
            && rule.floor.is_finite()
            && rule.floor >= 0.0
            && (0.0..1.0).contains(&rule.budget);
        match learned {
            Some(learned) if usable => Case::of(rule, watch, learned).verdict(),
            _ => Verdict { state: State::Unknown, reason: Some(Unknown::Unusable), evidence: Evidence::none(rule) },
        }
    }

    /// As [`Judge::judge`], for acting upon: the methods that are there to compare are bare, and what they say counts only
    /// where something was worse, four hours have passed, and the latest step is known.
    pub fn guarded(&mut self, rule: &Rule, watch: &Watch<'_>) -> Verdict {
        let mut verdict = self.judge(rule, watch);
        if rule.method == Method::Calibrated || verdict.state == State::Unknown {
            return verdict;
        }
        let hours = &verdict.evidence.hours;
        let known = hours.iter().filter(|hour| hour.value.is_some()).count();
        if hours.last().is_none_or(|hour| hour.value.is_none()) || (hours.len() - known) * 4 > hours.len() {
            verdict.state = State::Unknown;
            verdict.reason = Some(Unknown::Gaps);
            return verdict;
        }
        let sign = if rule.better == Better::Lower { 1.0 } else { -1.0 };
        let worse = hours.iter().any(|hour| match (hour.value, hour.limit) {
            (Some(value), Some(limit)) => sign * (value - limit) > 0.0,
            _ => false,
        });
        if !worse {
            verdict.state = State::Ok;
        } else if hours.len() < soonest(watch.series.step, rule.watch as usize) {
            verdict.state = verdict.state.min(State::Suspect);
        }
        verdict
    }
}

/// One rule, one watch, at one time.
struct Case<'a> {
    rule: &'a Rule,
    watch: &'a Watch<'a>,
    learned: &'a Learned,
    /// The watched points that have ended.
    points: &'a [Point],
    /// Their values.
    values: Vec<Option<f64>>,
    /// 1 where higher is worse, -1 where lower is.
    sign: f64,
    /// How large a worsening counts, as a logarithm.
    large: f64,
    evidence: Evidence,
}

impl<'a> Case<'a> {
    fn of(rule: &'a Rule, watch: &'a Watch<'a>, learned: &'a Learned) -> Self {
        let series = watch.series;
        let step = i64::from(series.step);
        let ended = (learned.first..series.points.len())
            .take(rule.watch as usize)
            .take_while(|index| series.at(*index).saturating_add(step) <= watch.now)
            .count();
        let points = &series.points[learned.first..learned.first + ended];
        let known = |(number, point): (usize, &Point)| {
            if is_left_out(watch, series.at(learned.first + number)) { None } else { value(*point, rule.missing) }
        };
        let values = points.iter().enumerate().map(known).collect();
        let mut evidence = Evidence::none(rule);
        evidence.history = (learned.first - learned.from, learned.known);
        evidence.placebos = learned.placebos();
        Self {
            rule,
            watch,
            learned,
            points,
            values,
            sign: if rule.better == Better::Lower { 1.0 } else { -1.0 },
            large: rule.threshold.ln_1p(),
            evidence,
        }
    }

    fn verdict(mut self) -> Verdict {
        let found = match self.rule.method {
            Method::Calibrated => self.calibrated(),
            Method::Seed => self.seed(),
            Method::ThreeSigma => self.three_sigma(),
            Method::Kayenta => self.kayenta(),
        };
        let (state, reason) = match found {
            Ok(state) => (state, None),
            Err(reason) => (State::Unknown, Some(reason)),
        };
        Verdict { state, reason, evidence: self.evidence }
    }

    fn at(&self, step: usize) -> i64 {
        self.watch.series.at(self.learned.first + step)
    }

    /// Fills in the hours, each with what is expected of it and where worse begins.
    fn tell(&mut self, expected: impl Fn(usize) -> Option<f64>, limit: impl Fn(f64) -> f64) {
        self.evidence.hours = (0..self.values.len())
            .map(|step| {
                let expected = expected(step);
                Hour { at: self.at(step), value: self.values[step], expected, limit: expected.map(&limit) }
            })
            .collect();
    }

    /// What an expected value must be beyond to be worse.
    fn limit_of(&self, expected: f64) -> f64 {
        let scale = self.learned.scale;
        let by_share = scale.unit(scale.log(expected) + self.sign * self.large);
        let by_floor = expected + self.sign * self.rule.floor;
        if self.sign > 0.0 { by_share.max(by_floor) } else { by_share.min(by_floor) }
    }

    fn calibrated(&mut self) -> Result<State, Unknown> {
        let (learned, watch, rule) = (self.learned, self.watch, self.rule);
        let scale = learned.scale;
        let in_unit = |step: usize| {
            let log =
                learned.past.expected.get(step).copied().unwrap_or(f64::NAN) + learned.shared(watch, self.at(step));
            (!log.is_nan()).then(|| scale.unit(log))
        };
        let expected: Vec<Option<f64>> = (0..self.values.len()).map(in_unit).collect();
        let limits: Vec<Option<f64>> = expected.iter().map(|expected| expected.map(|e| self.limit_of(e))).collect();
        self.evidence.baselines.clone_from(&learned.past.chosen);
        self.evidence.hours = (0..self.values.len())
            .map(|step| Hour {
                at: self.at(step),
                value: self.values[step],
                expected: expected[step],
                limit: limits[step],
            })
            .collect();
        // How much worse than expected each step was.
        let off: Vec<f64> = (0..self.values.len())
            .map(|step| match self.values[step] {
                Some(value) => self.sign * (learned.log(watch, self.at(step), value) - learned.past.expected[step]),
                None => f64::NAN,
            })
            .collect();
        let steps = off.len();
        let Some(latest) = off.last().copied() else { return Err(Unknown::TooEarly) };
        let known: Vec<f64> = off.iter().copied().filter(|off| !off.is_nan()).collect();
        if learned.placebos() < FEWEST || learned.known * 2 < learned.first - learned.from {
            return Err(Unknown::ShortHistory);
        }
        if (steps - known.len()) * 4 > steps {
            return Err(Unknown::Gaps);
        }
        self.enough_samples()?;

        let middles = running_medians(&off);
        let middle = middles[steps - 1];
        let how_far = learned.off(middle, steps);
        let log_evidence = self.sequential(&known);
        self.evidence.times = Some(middle.exp());
        self.evidence.placebo_share = Some(learned.share(how_far, rule.better));
        self.evidence.log_evidence = Some(log_evidence);
        let counted = learned.counts.as_ref().map(|counts| counts.weigh(self.points, learned.between, rule.better));
        if let Some(counted) = counted {
            self.evidence.times = Some(counted.times);
            self.evidence.log_evidence = Some(counted.log_evidence);
        }

        let beyond = |step: usize| match (self.values[step], limits[step]) {
            (Some(value), Some(limit)) => self.sign * (value - limit) >= 0.0,
            _ => false,
        };
        let large = middle >= self.large && self.in_units(&expected);
        let unusual = how_far >= learned.limit((rule.budget * PLACEBO_PART).min(1.0), rule.better);
        let moved = self.moved(&known);
        let counted_large = counted.is_some_and(|counted| counted.times >= 1.0 + rule.threshold);
        let counted_as =
            |ratio: f64| counted_large && counted.is_some_and(|counted| counted.log_evidence >= ratio.ln());

        let spread_out = counted.is_some_and(|counted| counted.log_evidence_of_rest >= COUNTED_REST.ln());

        let mut last: Vec<f64> = known[known.len().saturating_sub(STILL)..].to_vec();
        // Half as bad as it ever was, so that one noisy hour after a spike does not look like more of it.
        let peak = middles.iter().copied().filter(|middle| !middle.is_nan()).fold(self.large, f64::max);
        let still =
            beyond(steps - 1) && latest >= STILL_PART * peak && median(&mut last) >= self.large.max(STILL_PART * peak);
        let due = steps >= learned.soonest && still;
        if due && ((large && unusual && moved) || (counted_as(COUNTED_DRIFT) && spread_out)) {
            let sequential = log_evidence >= CONFIRMED.ln() && how_far >= learned.limit(CONFIRMED_SHARE, rule.better);
            let confirmed = (large && unusual && moved && sequential) || (counted_as(COUNTED_CONFIRMED) && spread_out);
            return Ok(if confirmed { State::Confirmed } else { State::Drift });
        }
        if (large && (how_far >= learned.limit(rule.budget, rule.better) || moved))
            || counted_as(1.0 / rule.budget.max(0.01))
        {
            return Ok(State::Suspect);
        }
        // What is not known now is not well.
        if latest.is_nan() { Err(Unknown::Gaps) } else { Ok(State::Ok) }
    }

    /// Whether the difference is not below the rule's floor, in the measure's unit.
    fn in_units(&self, expected: &[Option<f64>]) -> bool {
        let mut differences: Vec<f64> = self
            .values
            .iter()
            .zip(expected)
            .filter_map(|(value, expected)| Some(self.sign * ((*value)? - (*expected)?)))
            .filter(|difference| !difference.is_nan())
            .collect();
        median(&mut differences) >= self.rule.floor
    }

    /// Whether the steps since the deployment differ from those of the day before it, each beside what was expected then.
    fn moved(&self, known: &[f64]) -> bool {
        let times = |off: &f64| off.clamp(-30.0, 30.0).exp();
        let before = self.learned.past.placebos.first().map(Vec::as_slice).unwrap_or_default();
        // A long watch is compared with what came last before the deployment.
        let before = &before[before.len().saturating_sub(self.learned.day)..];
        let before: Vec<f64> = before.iter().filter(|off| !off.is_nan()).map(|off| times(&(self.sign * off))).collect();
        let after: Vec<f64> = known.iter().map(times).collect();
        let judge = Kayenta { width: MOVED_WIDTH, ..Kayenta::new(Better::Lower, 1.0 + self.rule.threshold) };
        after.len() >= COMPARED && judge.worse(&before, &after)
    }

    /// The logarithm of a likelihood ratio that may be looked at after every step: a level shift of the usual size, either
    /// none or drawn from a normal distribution, in noise as large as the past's, however long it swings.
    fn sequential(&self, known: &[f64]) -> f64 {
        let sum: f64 = known.iter().map(|off| off.clamp(-CLIP, CLIP)).sum();
        if sum <= 0.0 {
            return 0.0;
        }
        let (noise, shift) = (self.learned.variance, THOUGHT_OF * THOUGHT_OF);
        let all = noise + known.len() as f64 * shift;
        (0.5 * (noise / all).ln() + shift * sum * sum / (2.0 * noise * all)).max(0.0)
    }

    /// Asks for the samples that the rule wants on each side, of a series that tells how many there were.
    fn enough_samples(&self) -> Result<(), Unknown> {
        let before = &self.watch.series.points[self.learned.from..self.learned.first];
        let told = before.iter().chain(self.points).any(|point| match point {
            Point::Value { samples, .. } => *samples > 1,
            Point::Ratio { .. } => true,
            Point::Missing => false,
        });
        let of = |points: &[Point]| -> f64 { points.iter().map(|point| point.samples()).sum() };
        let wanted = self.rule.min_samples as f64;
        if told && (of(before) < wanted || of(self.points) < wanted) { Err(Unknown::FewSamples) } else { Ok(()) }
    }

    fn seed(&mut self) -> Result<State, Unknown> {
        let base = self.values.iter().flatten().next().copied().ok_or(Unknown::TooEarly)?;
        let threshold = self.rule.threshold;
        let sign = self.sign;
        self.tell(|_| Some(base), |base| base * (1.0 + sign * threshold));
        self.evidence.baselines = vec!["first_step_after_deployment"];
        let far = |value: &f64| base > 0.0 && (value - base).abs() / base > threshold;
        Ok(if self.values.iter().flatten().any(far) { State::Drift } else { State::Ok })
    }

    /// The known values of so many days before the deployment.
    fn before(&self, days: usize) -> Vec<f64> {
        let end = self.learned.first;
        let from = end.saturating_sub(days * self.learned.day);
        self.watch.series.points[from..end].iter().filter_map(|point| value(*point, self.rule.missing)).collect()
    }

    fn three_sigma(&mut self) -> Result<State, Unknown> {
        let before = self.before(7);
        if before.len() < 2 {
            return Err(Unknown::ShortHistory);
        }
        let usual = mean(&before);
        let squares: Vec<f64> = before.iter().map(|value| (value - usual) * (value - usual)).collect();
        let limit = usual + self.sign * 3.0 * mean(&squares).sqrt();
        self.tell(|_| Some(usual), |_| limit);
        self.evidence.baselines = vec!["mean_of_7_days"];
        let sign = self.sign;
        let beyond = self.values.iter().flatten().any(|value| sign * (value - limit) > 0.0);
        Ok(if beyond { State::Drift } else { State::Ok })
    }

    fn kayenta(&mut self) -> Result<State, Unknown> {
        let before = self.before(1);
        if before.is_empty() {
            return Err(Unknown::ShortHistory);
        }
        let after: Vec<f64> = self.values.iter().flatten().copied().collect();
        if after.is_empty() {
            return Err(Unknown::TooEarly);
        }
        let (usual, times) = (mean(&before), 1.0 + self.rule.threshold);
        self.tell(|_| Some(usual), |usual| usual);
        self.evidence.baselines = vec!["24h_before"];
        let worse =
            self.values.len() >= self.learned.soonest && Kayenta::new(self.rule.better, times).worse(&before, &after);
        Ok(if worse { State::Drift } else { State::Ok })
    }
}

impl Evidence {
    fn none(rule: &Rule) -> Self {
        Self {
            method: format!("{}/{VERSION}", rule.method),
            hours: Vec::new(),
            history: (0, 0),
            baselines: Vec::new(),
            times: None,
            threshold: 1.0 + rule.threshold,
            placebos: 0,
            placebo_share: None,
            log_evidence: None,
        }
    }
}
