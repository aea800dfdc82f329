//! What rules ask of measured values: the hours that were judged last, as the ledger has them.
//!
//! Nothing is measured for a plan. What is not known, or known only of long ago, is absent, and the rule that asks is unknown.

use std::collections::BTreeMap;

use grace_drift::Point;
use grace_dsl::ast::Kpi;
use grace_ledger::{Error, Snapshot};

use super::history::kpi_of;
use super::points;
use super::said::{CheckSaid, DeploymentSaid};
use crate::journal::back;

/// The span of a statistic where none is said, and how old the latest value may be, in seconds.
const DAY: i64 = 86_400;
/// A value of more than this is none, so that thousandths of it are exact.
const MOST: f64 = 9e12;

/// A value that a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What the facts of the past call it: `boot_latency p95 over 24 h`.
    pub key: String,
    /// The KPI's name.
    pub name: String,
    /// The KPI: hours that were measured in another way are of another one.
    pub kpi: Kpi,
    /// `mean`, `p95`, …; the latest value where none is said.
    pub statistic: Option<String>,
    /// Over so many seconds; a day where that is not said.
    pub over: Option<i64>,
}

/// The hours of a KPI by their end, each with its length and point.
type Hours = BTreeMap<i64, (i64, Point)>;

/// The values that are known as of a second, in thousandths of milliseconds, percent, or one.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn values(snapshot: &Snapshot, asked: &[Asked], as_of: i64) -> Result<BTreeMap<String, i64>, Error> {
    let oldest = as_of.saturating_sub(asked.iter().map(|one| one.over.unwrap_or(DAY)).max().unwrap_or(0));
    let mut deployments: BTreeMap<u64, Option<DeploymentSaid>> = BTreeMap::new();
    let mut hours: BTreeMap<&str, Hours> = BTreeMap::new();
    let mut failed = None;
    back(snapshot, &["check"], |_, body| {
        let check: CheckSaid = serde_json::from_value(body).ok()?;
        // An hour is judged after it has ended, so what was judged before ended before.
        if check.judged < oldest {
            return Some(());
        }
        let deployment = deployments.entry(check.deployment).or_insert_with(|| {
            let body = snapshot.get(check.deployment).and_then(|record| snapshot.body(&record));
            body.map_err(|error| failed = Some(error)).ok().and_then(|body| serde_json::from_value(body).ok())
        });
        let watch = deployment.as_ref()?.watches.iter().find(|watch| watch.rule == check.rule)?;
        let (name, kpi) = kpi_of(&watch.kpi)?;
        let one = asked.iter().find(|one| one.name == name && one.kpi == kpi)?;
        if check.to <= as_of {
            let point = points::read(&check.point).unwrap_or(Point::Missing);
            hours.entry(&one.name).or_default().entry(check.to).or_insert((check.to - check.from, point));
        }
        None
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    Ok(told(asked, &hours, as_of))
}

fn told(asked: &[Asked], hours: &BTreeMap<&str, Hours>, as_of: i64) -> BTreeMap<String, i64> {
    let of = |one: &Asked| value(one, hours.get(one.name.as_str())?, as_of);
    let mut found: BTreeMap<String, i64> = asked.iter().filter_map(|one| Some((one.key.clone(), of(one)?))).collect();
    // The bare name answers whatever has no value of its own: not where that is unknown.
    for one in asked {
        if !found.contains_key(&one.key) {
            found.remove(&one.name);
        }
    }
    found
}

fn value(asked: &Asked, hours: &Hours, as_of: i64) -> Option<i64> {
    let from = as_of.saturating_sub(asked.over.unwrap_or(DAY));
    let (latest, (step, point)) = hours.last_key_value().filter(|(to, _)| **to > from)?;
    let unit = asked.kpi.unit.as_str();
    let is_counted = matches!(point, Point::Ratio { .. });
    let in_window: Vec<Point> = hours.range(from + 1..=*latest).map(|(_, (_, point))| *point).collect();
    let mut values: Vec<f64> = in_window.iter().filter_map(|point| point.value()).collect();
    // The latest hour must be known, and of a span three quarters of it.
    let newest = point.value()?;
    let expected = asked.over.unwrap_or(DAY) / (*step).max(1);
    let is_enough = i64::try_from(values.len()).is_ok_and(|known| known * 4 >= expected * 3);
    let found = match asked.statistic.as_deref() {
        None | Some("last") => newest,
        Some(_) if !is_enough => return None,
        Some("mean") => mean(&in_window)?,
        Some("sum") => values.iter().sum(),
        Some(statistic) => {
            values.sort_by(f64::total_cmp);
            let at = |part: f64| {
                let rank = (part * values.len() as f64).ceil() as usize;
                values.get(rank.saturating_sub(1)).copied()
            };
            match statistic {
                "min" => at(0.0)?,
                "median" | "p50" => at(0.5)?,
                "p90" => at(0.9)?,
                "p95" => at(0.95)?,
                "p99" => at(0.99)?,
                "max" => at(1.0)?,
                _ => return None,
            }
        }
    };
    let factor = match unit {
        // A share is counted from 0 to 1, and written in percent.
        "percent" if is_counted => 100.0,
        "s" => 1e3,
        "min" => 60e3,
        "h" => 3600e3,
        "d" => 86_400e3,
        _ => 1.0,
    };
    let thousandths = found * factor * 1000.0;
    (thousandths.abs() <= MOST).then_some(thousandths.round() as i64)
}

/// The mean of all samples, or all that was counted of all.
fn mean(points: &[Point]) -> Option<f64> {
    let (mut sum, mut all) = (0.0, 0.0);
    for point in points {
        match point {
            Point::Missing => {}
            Point::Value { value, samples } => {
                sum += value * *samples as f64;
                all += *samples as f64;
            }
            Point::Ratio { numerator, denominator } => {
                sum += numerator;
                all += denominator;
            }
        }
    }
    (all > 0.0).then_some(sum / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(unit: &str, statistic: Option<&str>, over: Option<i64>) -> Asked {
        let text = format!("kpi k\n  better lower\n  unit {unit}\n  from push\n");
        let (name, kpi) = kpi_of(&text).unwrap();
        let key = match (statistic, over) {
            (None, None) => name.clone(),
            _ => format!("{name} {statistic:?} {over:?}"),
        };
        Asked { key, name, kpi, statistic: statistic.map(str::to_owned), over }
    }

    fn hours(points: &[&str]) -> Hours {
        (1..).zip(points).map(|(hour, point)| (hour * 3600, (3600, points::read(point).unwrap()))).collect()
    }

    #[test]
    fn the_latest_value_counts_while_it_is_fresh_and_known() {
        let known = hours(&["90/100", "", "80/100"]);
        let last = |unit: &str, hours: &Hours, as_of| value(&asked(unit, None, None), hours, as_of);
        assert_eq!(last("percent", &known, 3 * 3600), Some(80_000));
        assert_eq!(last("percent", &known, 3 * 3600 + DAY - 1), Some(80_000));
        assert_eq!(last("percent", &known, 3 * 3600 + DAY), None, "stale");
        assert_eq!(last("percent", &hours(&["90/100", ""]), 2 * 3600), None, "the latest hour is a gap");
        assert_eq!(last("percent", &hours(&["1/0"]), 3600), None);
        assert_eq!(last("percent", &Hours::new(), 3600), None);
        // A measure in percent is one already; durations are milliseconds.
        assert_eq!(last("percent", &hours(&["80.5"]), 3600), Some(80_500));
        assert_eq!(last("s", &hours(&["1.5"]), 3600), Some(1_500_000));
        assert_eq!(last("ms", &hours(&["1.5"]), 3600), Some(1500));
        assert_eq!(last("ms", &hours(&["1e300"]), 3600), None);
    }

    #[test]
    fn statistics_are_of_the_judged_hours_and_need_most_of_them() {
        let known = hours(&["10*1", "20*1", "30*8", "40*1"]);
        let of = |statistic: &str, over| value(&asked("ms", Some(statistic), Some(over)), &known, 4 * 3600);
        let all: Vec<_> =
            ["mean", "sum", "min", "median", "p95", "max", "last"].map(|name| of(name, 4 * 3600)).into_iter().collect();
        let wanted = [28_182, 100_000, 10_000, 20_000, 40_000, 40_000, 40_000].map(Some);
        assert_eq!(all, wanted);
        assert_eq!(of("max", 2 * 3600), Some(40_000));
        assert_eq!(of("min", 2 * 3600), Some(30_000));
        assert_eq!(of("mean", 24 * 3600), None, "four of twenty-four hours");
        assert_eq!(of("nothing", 4 * 3600), None);
    }

    #[test]
    fn a_bare_name_does_not_answer_for_what_is_unknown() {
        let known = hours(&["10", "20"]);
        let (last, mean) = (asked("ms", None, None), asked("ms", Some("mean"), Some(DAY)));
        let all = BTreeMap::from([("k", known)]);
        assert_eq!(told(std::slice::from_ref(&last), &all, 7200), BTreeMap::from([("k".to_owned(), 20_000)]));
        assert_eq!(told(&[last, mean], &all, 7200), BTreeMap::new());
    }
}
