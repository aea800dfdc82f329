//! Samples from OTLP in JSON, one export a line, as the collector's file exporter writes it.
//!
//! Cumulative sums are turned into differences by stream (metric, resource, attributes); one that falls or begins anew has
//! been reset, and counts from zero. The first value of a stream says nothing of its time before.

use std::collections::BTreeMap;

use grace_drift::Point;
use grace_dsl::ast::Ask;
use serde_json::Value;

use super::sources::Asked;

/// Streams that are told apart.
const MOST_STREAMS: usize = 100_000;

/// What a file says, gathered over all its lines in order.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// By metric and hour.
    gauges: BTreeMap<(String, i64), (f64, u64)>,
    sums: BTreeMap<(String, i64), f64>,
    means: BTreeMap<(String, i64), (f64, f64)>,
    /// The last cumulative value of each stream: when it began, when it was, value and count.
    streams: BTreeMap<String, (i64, i64, f64, f64)>,
}

/// Seconds of a time in nanoseconds, which JSON holds as text.
fn nanoseconds(value: &Value, name: &str) -> Option<i64> {
    let text = value.get(name)?;
    let all = text.as_str().map_or_else(|| text.as_i64(), |text| text.parse::<i64>().ok())?;
    (all > 0).then_some(all)
}

/// A number, which JSON may hold as text.
fn number(value: &Value, name: &str) -> Option<f64> {
    let found = value.get(name)?;
    found.as_str().map_or_else(|| found.as_f64(), |text| text.parse().ok()).filter(|number| number.is_finite())
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Whether the attributes of something hold this text.
fn holds(of: Option<&Value>, rows: &(String, String)) -> bool {
    of.is_some_and(|of| {
        list(of, "attributes").any(|attribute| {
            let value = attribute.get("value");
            let text = value.and_then(|value| value.get("stringValue")).and_then(Value::as_str);
            attribute.get("key").and_then(Value::as_str) == Some(&rows.0) && text == Some(&rows.1)
        })
    })
}

/// `1` or its name is delta, `2` cumulative; anything else says nothing.
fn is_cumulative(of: &Value) -> Option<bool> {
    match of.get("aggregationTemporality")? {
        Value::Number(number) if number.as_i64() == Some(1) => Some(false),
        Value::Number(number) if number.as_i64() == Some(2) => Some(true),
        Value::String(text) if text == "AGGREGATION_TEMPORALITY_DELTA" => Some(false),
        Value::String(text) if text == "AGGREGATION_TEMPORALITY_CUMULATIVE" => Some(true),
        _ => None,
    }
}

impl Reader {
    /// Takes in one line; what is no export is passed over by its number.
    ///
    /// # Errors
    /// When it is no JSON, or there are too many streams.
    pub(super) fn line(
        &mut self,
        line: &str,
        names: &[&str],
        rows: Option<&(String, String)>,
        step: u32,
    ) -> Result<(), String> {
        if line.trim().is_empty() {
            return Ok(());
        }
        let export: Value = serde_json::from_str(line).map_err(|error| format!("no JSON: {error}"))?;
        for resource in list(&export, "resourceMetrics") {
            let of = resource.get("resource");
            let whole = rows.is_none_or(|rows| holds(of, rows));
            for metric in list(resource, "scopeMetrics").flat_map(|scope| list(scope, "metrics")) {
                let Some(name) = metric.get("name").and_then(Value::as_str).filter(|name| names.contains(name)) else {
                    continue;
                };
                let points = |kind: &str| metric.get(kind).into_iter().flat_map(|of| list(of, "dataPoints"));
                let counts = |point: &Value| whole || rows.is_some_and(|rows| holds(Some(point), rows));
                for point in points("gauge").filter(|point| counts(point)) {
                    let value = number(point, "asDouble").or_else(|| number(point, "asInt"));
                    if let (Some(at), Some(value)) = (nanoseconds(point, "timeUnixNano"), value) {
                        let gauge = self.gauges.entry((name.to_owned(), hour(at, step))).or_default();
                        *gauge = (gauge.0 + value, gauge.1 + 1);
                    }
                }
                for kind in ["sum", "histogram"] {
                    let cumulative = metric.get(kind).and_then(is_cumulative);
                    for point in points(kind).filter(|point| counts(point)) {
                        let stream = || {
                            let attributes = point.get("attributes").map(Value::to_string).unwrap_or_default();
                            format!("{name} {} {attributes}", of.map(Value::to_string).unwrap_or_default())
                        };
                        self.counted(name, kind, point, cumulative, &stream, step)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn counted(
        &mut self,
        name: &str,
        kind: &str,
        point: &Value,
        cumulative: Option<bool>,
        stream: &dyn Fn() -> String,
        step: u32,
    ) -> Result<(), String> {
        let (value, count) = match kind {
            "sum" => (number(point, "asDouble").or_else(|| number(point, "asInt")), Some(0.0)),
            _ => (number(point, "sum"), number(point, "count")),
        };
        let (Some(at), Some(value), Some(count), Some(cumulative)) =
            (nanoseconds(point, "timeUnixNano"), value, count, cumulative)
        else {
            return Ok(());
        };
        let (mut more, mut counted) = (value, count);
        if cumulative {
            let began = nanoseconds(point, "startTimeUnixNano").unwrap_or(0);
            let stream = stream();
            let known = self.streams.get(&stream).copied();
            match known {
                // Out of order, or the same again.
                Some((_, then, ..)) if at <= then => return Ok(()),
                Some((start, _, before, counts)) if start == began && before <= value && counts <= count => {
                    (more, counted) = (value - before, count - counts);
                }
                // It was reset: what it has counted since is all there is.
                Some(_) => {}
                None => (more, counted) = (0.0, 0.0),
            }
            if known.is_none() && self.streams.len() >= MOST_STREAMS {
                return Err(format!("it holds more than {MOST_STREAMS} streams"));
            }
            self.streams.insert(stream, (began, at, value, count));
            if known.is_none() {
                return Ok(());
            }
        }
        let place = (name.to_owned(), hour(at, step));
        if kind == "sum" {
            *self.sums.entry(place).or_default() += more;
        } else {
            let mean = self.means.entry(place).or_default();
            *mean = (mean.0 + more, mean.1 + counted);
        }
        Ok(())
    }

    /// The hours of what is asked for.
    pub(super) fn hours(&self, ask: &Ask, asked: &Asked) -> Vec<(i64, Point)> {
        let total = |name: &str| -> BTreeMap<i64, f64> {
            let of = |((metric, at), value): (&(String, i64), f64)| (metric == name).then_some((*at, value));
            let sums: BTreeMap<i64, f64> = self.sums.iter().filter_map(|(place, sum)| of((place, *sum))).collect();
            if !sums.is_empty() {
                return sums;
            }
            self.means.iter().filter_map(|(place, (_, count))| of((place, *count))).collect()
        };
        match ask {
            Ask::Value(name) => {
                let gauges =
                    self.gauges.iter().filter(|((metric, _), _)| metric == name).map(|((_, at), (sum, count))| {
                        (*at, Point::Value { value: sum / (*count).max(1) as f64, samples: *count })
                    });
                let means = self.means.iter().filter(|((metric, _), (_, count))| metric == name && *count >= 1.0);
                let means = means
                    .map(|((_, at), (sum, count))| (*at, Point::Value { value: sum / count, samples: *count as u64 }));
                let sums = self.sums.iter().filter(|((metric, _), _)| metric == name);
                let sums = sums.map(|((_, at), sum)| (*at, Point::Value { value: *sum, samples: 1 }));
                gauges.chain(means).chain(sums).collect()
            }
            Ask::Ratio { numerator, denominator } => asked.ratios(&total(numerator), &total(denominator)),
        }
    }
}

/// When the hour of a moment begins, in seconds. What was counted up to its very first moment belongs to the one before.
fn hour(nanoseconds: i64, step: u32) -> i64 {
    let step = i64::from(step.max(1));
    (nanoseconds - 1).div_euclid(1_000_000_000).div_euclid(step) * step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(metric: &str) -> String {
        format!(
            "{{\"resourceMetrics\":[{{\"resource\":{{\"attributes\":[]}},\"scopeMetrics\":[{{\"metrics\":[{metric}]}}]}}]}}"
        )
    }

    fn sum(name: &str, temporality: &str, points: &[(i64, i64, i64)]) -> String {
        let point = |(began, at, value): &(i64, i64, i64)| {
            format!(
                "{{\"startTimeUnixNano\":\"{}\",\"timeUnixNano\":\"{}\",\"asInt\":\"{value}\"}}",
                began * 1_000_000_000,
                at * 1_000_000_000
            )
        };
        let points: Vec<String> = points.iter().map(point).collect();
        export(&format!(
            "{{\"name\":\"{name}\",\"sum\":{{\"aggregationTemporality\":{temporality},\"isMonotonic\":true,\"dataPoints\":[{}]}}}}",
            points.join(",")
        ))
    }

    fn read(lines: &[String], ask: &Ask) -> Vec<(i64, Point)> {
        let names: Vec<&str> = match ask {
            Ask::Value(name) => vec![name],
            Ask::Ratio { numerator, denominator } => vec![numerator, denominator],
        };
        let mut reader = Reader::default();
        lines.iter().for_each(|line| reader.line(line, &names, None, 3600).unwrap());
        reader.hours(ask, &ASKED)
    }

    const ASKED: Asked = Asked { from: 0, to: 7200, step: 3600, since: 0, is_zero: false };

    fn value(at: i64, value: f64) -> (i64, Point) {
        (at, Point::Value { value, samples: 1 })
    }

    #[test]
    fn cumulative_sums_become_differences_and_a_reset_counts_from_zero() {
        let ask = Ask::Value("ok".to_owned());
        let points = [(1, 1800, 100), (1, 3600, 110), (1, 7200, 150), (8000, 9000, 5), (8000, 10_800, 7)];
        let lines = [sum("ok", "2", &points)];
        assert_eq!(read(&lines, &ask), [value(0, 10.0), value(3600, 40.0), value(7200, 7.0)]);
        // A counter that falls was reset, whatever it says of its beginning; the same line again says nothing new.
        let falls = sum("ok", "\"AGGREGATION_TEMPORALITY_CUMULATIVE\"", &[(1, 1800, 100), (1, 3600, 30)]);
        assert_eq!(read(&[falls.clone(), falls], &ask), [value(0, 30.0)]);
        let delta = sum("ok", "1", &[(1, 1800, 100), (1800, 3600, 30)]);
        assert_eq!(read(&[delta], &ask), [value(0, 130.0)]);
        // Without its temporality a sum says nothing.
        assert_eq!(read(&[sum("ok", "0", &[(1, 1800, 100)])], &ask), []);
    }

    #[test]
    fn ratios_histograms_and_gauges() {
        let ask = Ask::Ratio { numerator: "ok".to_owned(), denominator: "all".to_owned() };
        let lines = [sum("ok", "1", &[(1, 60, 19)]), sum("all", "1", &[(1, 60, 20), (1, 4000, 3)])];
        let ratio = |at, numerator, denominator| (at, Point::Ratio { numerator, denominator });
        assert_eq!(read(&lines, &ask), [ratio(0, 19.0, 20.0), ratio(3600, 0.0, 3.0)]);
        // Of a numerator that nobody tells, nothing is known; unless the rule says that it is none.
        let all = [sum("all", "1", &[(1, 60, 20)])];
        assert_eq!(read(&all, &ask), []);
        let mut reader = Reader::default();
        reader.line(&all[0], &["ok", "all"], None, 3600).unwrap();
        assert_eq!(reader.hours(&ask, &Asked { is_zero: true, ..ASKED }), [ratio(0, 0.0, 20.0)]);
        let histogram = export(
            "{\"name\":\"took\",\"histogram\":{\"aggregationTemporality\":1,\"dataPoints\":[{\"timeUnixNano\":\"60000000000\",\"count\":\"4\",\"sum\":2.0}]}}",
        );
        let mean = (0, Point::Value { value: 0.5, samples: 4 });
        assert_eq!(read(&[histogram], &Ask::Value("took".to_owned())), [mean]);
        let gauge = export(
            "{\"name\":\"depth\",\"gauge\":{\"dataPoints\":[{\"timeUnixNano\":\"60000000000\",\"asDouble\":4},{\"timeUnixNano\":70000000000,\"asInt\":\"2\"}]}}",
        );
        assert_eq!(read(&[gauge], &Ask::Value("depth".to_owned())), [(0, Point::Value { value: 3.0, samples: 2 })]);
    }

    #[test]
    fn what_is_no_export_says_nothing() {
        let mut reader = Reader::default();
        for line in
            ["{}", "[]", "1", "", "{\"resourceMetrics\":{}}", "{\"resourceMetrics\":[1,{\"scopeMetrics\":[[]]}]}"]
        {
            assert_eq!(reader.line(line, &["a"], None, 3600), Ok(()), "{line}");
        }
        assert!(reader.line("{", &["a"], None, 3600).is_err());
        assert_eq!(reader.hours(&Ask::Value("a".to_owned()), &ASKED), []);
    }
}
