//! Hours from a Prometheus, by `query_range`: one sample for each hour, taken at its end, so that a query over `[1h]` speaks of
//! just that hour.

use std::collections::BTreeMap;
use std::time::Duration;

use super::sources::Asked;
use grace_drift::Point;
use grace_dsl::ast::Ask;
use grace_models::http::{Client, Header, Limits, Secret};
use grace_system::config::Endpoint;
use grace_system::process::Cancel;
use serde::Deserialize;

/// Points that a Prometheus gives in one answer.
const MOST_POINTS: i64 = 11_000;

/// An answer, as far as it is read.
#[derive(Debug, Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: Option<String>,
    data: Option<Data>,
}

#[derive(Debug, Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    values: Vec<(f64, String)>,
}

/// The hours that begin from `from` to before `to`, both multiples of `step`. What gives no number is absent.
///
/// # Errors
/// In words: the server could not be reached, took too long, sent too much, or says something that is no series.
pub(super) fn hours(
    name: &str,
    endpoint: &Endpoint,
    ask: &Ask,
    asked: &Asked,
    cancel: &Cancel,
) -> Result<Vec<(i64, Point)>, String> {
    let Asked { from, to, step, .. } = *asked;
    let limits = Limits {
        connect: Duration::from_secs(5).min(endpoint.timeout()),
        total: endpoint.timeout(),
        max_bytes: usize::try_from(endpoint.max_bytes).unwrap_or(usize::MAX),
        ..Limits::default()
    };
    let client = Client::new(limits, cancel.clone()).map_err(|error| error.to_string())?;
    let mut headers = Vec::new();
    if let Some(variable) = &endpoint.auth {
        let token = Secret::from_env(variable).ok_or_else(|| {
            format!("the variable {variable}, which holds the token of endpoint `{name}`, is not set")
        })?;
        headers.push(Header::bearer(&token));
    }
    let url = format!("{}/api/v1/query_range", endpoint.url.trim_end_matches('/'));
    let series = |query: &str| -> Result<BTreeMap<i64, f64>, String> {
        let step = i64::from(step.max(1));
        let mut found = BTreeMap::new();
        let mut begin = from;
        while begin < to {
            let end = to.min(begin.saturating_add((MOST_POINTS - 1) * step));
            // Taken at the end of each hour.
            let (first, last, every) = ((begin + step).to_string(), end.to_string(), step.to_string());
            let asked = [("query", query), ("start", &first), ("end", &last), ("step", &every)];
            let answer = client.get(&url, &asked, &headers).map_err(|error| format!("endpoint `{name}`: {error}"))?;
            let read = read(&answer.body).map_err(|why| format!("endpoint `{name}`: {why}"))?;
            found.extend(
                read.into_iter().map(|(at, value)| (at - step, value)).filter(|(at, _)| (begin..end).contains(at)),
            );
            begin = end;
        }
        Ok(found)
    };
    Ok(match ask {
        Ask::Value(query) => {
            series(query)?.into_iter().map(|(at, value)| (at, Point::Value { value, samples: 1 })).collect()
        }
        Ask::Ratio { numerator, denominator } => asked.ratios(&series(numerator)?, &series(denominator)?),
    })
}

/// The one series of an answer, by second; no series is none.
fn read(body: &[u8]) -> Result<Vec<(i64, f64)>, String> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|error| format!("it answers what is no series: {error}"))?;
    if answer.status != "success" {
        let why: String = answer.error.unwrap_or_default().chars().take(300).collect();
        return Err(format!("it refuses the query: {}", why.escape_debug()));
    }
    let Some(data) = answer.data.filter(|data| data.kind == "matrix") else {
        return Err("it answers something other than a matrix".to_owned());
    };
    if data.result.len() > 1 {
        return Err(format!("the query gives {} series in place of one; aggregate them", data.result.len()));
    }
    let values = data.result.into_iter().flat_map(|row| row.values);
    // `NaN` and `+Inf` are texts there, and no measure.
    let number = |(at, text): (f64, String)| {
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite())?;
        (at.abs() < 1e12).then_some((at.round() as i64, value))
    };
    Ok(values.filter_map(number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_series_is_read_and_anything_else_is_said() {
        let of = |result: &str| {
            format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":{result}}}}}")
        };
        let one = "{\"metric\":{},\"values\":[[3600,\"0.5\"],[7200,\"NaN\"],[10800,\"+Inf\"],[14400.0,\"1e-3\"]]}";
        assert_eq!(read(of(&format!("[{one}]")).as_bytes()), Ok(vec![(3600, 0.5), (14_400, 0.001)]));
        assert_eq!(read(of("[]").as_bytes()), Ok(vec![]));
        for (body, why) in [
            (of(&format!("[{one},{one}]")), "2 series"),
            ("{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\"}".to_owned(), "parse error"),
            (
                "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}".to_owned(),
                "other than a matrix",
            ),
            ("<html>".to_owned(), "no series"),
            (of("[{\"values\":\"x\"}]"), "no series"),
            (String::new(), "no series"),
        ] {
            let wrong = read(body.as_bytes()).unwrap_err();
            assert!(wrong.contains(why), "{body}: {wrong}");
        }
    }
}
