//! From a rule and a watch to a verdict.

use crate::rule::{Better, Missing, Rule};
use crate::verdict::{Evidence, Hour, State, Unknown, Verdict};
use crate::{Method, Watch};

/// What is said of the measure by what had been measured at `watch.now`. Looking every hour is allowed for: the budget is
/// that of the whole watch.
pub fn judge(rule: &Rule, watch: &Watch<'_>) -> Verdict {
    let series = watch.series;
    let first = series.first_from(watch.deployed_at);
    let step = i64::from(series.step.max(1));
    let seen: Vec<(i64, Option<f64>)> = (first..series.points.len())
        .take(rule.watch as usize)
        .map(|index| (series.at(index), series.points[index].value()))
        .take_while(|(at, _)| at.saturating_add(step) <= watch.now)
        .map(|(at, value)| (at, value.or((rule.missing == Missing::Zero).then_some(0.0))))
        .collect();
    let before: Vec<f64> = series.points[..first].iter().rev().take(24).filter_map(|point| point.value()).collect();
    let expected = (!before.is_empty()).then(|| before.iter().sum::<f64>() / before.len() as f64);
    let limit = expected.map(|expected| match rule.better {
        Better::Lower => expected * (1.0 + rule.threshold),
        Better::Higher => expected / (1.0 + rule.threshold),
    });
    let worse = |value: f64| match (rule.better, limit) {
        (Better::Lower, Some(limit)) => value > limit,
        (Better::Higher, Some(limit)) => value < limit,
        (_, None) => false,
    };
    let (state, reason) = if seen.is_empty() {
        (State::Unknown, Some(Unknown::TooEarly))
    } else if expected.is_none() {
        (State::Unknown, Some(Unknown::ShortHistory))
    } else if seen.iter().filter_map(|(_, value)| *value).any(worse) {
        (if rule.method == Method::Calibrated { State::Suspect } else { State::Drift }, None)
    } else {
        (State::Ok, None)
    };
    Verdict {
        state,
        reason,
        evidence: Evidence {
            method: format!("{}/1", rule.method),
            hours: seen.into_iter().map(|(at, value)| Hour { at, value, expected, limit }).collect(),
            history: (first.min(24), before.len()),
            baselines: vec!["mean of 24 hours"],
            times: None,
            threshold: 1.0 + rule.threshold,
            placebos: 0,
            placebo_share: None,
            log_evidence: None,
        },
    }
}
