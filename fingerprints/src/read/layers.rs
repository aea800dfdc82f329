//! The layers beside the declared fields: the weights, one endpoint that serves them, and what was measured of them.

use super::check::{self, Kind, Unread};
use super::problem::Report;
use super::tree::{self, Node};
use crate::field::Value;
use crate::interval;
use crate::{Endpoint, Evidence, Origin, Thousandths, Weights};

/// Rows of evidence that a file may hold.
const MOST_EVIDENCE: usize = 200;

/// Keys of `model`.
const WEIGHTS: [(&str, Kind); 3] =
    [("weights", Kind::Text), ("digest", Kind::Digest), ("parameters_millions", Kind::Whole(10_000_000))];

/// Keys of `endpoint`.
const SERVED: [(&str, Kind); 4] = [
    ("host", Kind::Text),
    ("served_context", Kind::Whole(100_000_000)),
    ("latency_ms", Kind::Whole(600_000)),
    ("quantisation", Kind::Text),
];

/// Keys of one row of `evidence`, and whether each must be there.
const ROW: [(&str, Kind, bool); 9] = [
    ("metric", Kind::Name, true),
    ("value", Kind::Share, true),
    ("low", Kind::Share, true),
    ("high", Kind::Share, true),
    ("n", Kind::Whole(1_000_000_000), true),
    ("set", Kind::Text, true),
    ("date", Kind::Date, true),
    ("source", Kind::Address, false),
    ("run", Kind::Text, false),
];

/// The values of a group by key, as far as they could be read; `None` where the group is none or a value is wrong.
fn group<const N: usize>(
    node: Node,
    what: &str,
    known: [(&'static str, Kind); N],
    report: &mut Report,
) -> Option<[Option<Value>; N]> {
    let names = known.map(|(name, _)| name);
    let mut keys = super::keys(node, what, &names, report)?;
    let mut sound = true;
    let values = known.map(|(name, kind)| {
        let (_, node) = keys.remove(name)?;
        let read = check::value(kind, name, node, report);
        sound &= read.is_ok();
        read.ok()
    });
    sound.then_some(values)
}

fn text(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn whole(value: Option<Value>) -> Option<u32> {
    match value {
        Some(Value::Number(number)) => u32::try_from(number.0 / 1000).ok(),
        _ => None,
    }
}

fn share(value: Option<Value>) -> Option<Thousandths> {
    match value {
        Some(Value::Number(number)) => Some(number),
        _ => None,
    }
}

pub(super) fn weights(node: Node, report: &mut Report) -> Weights {
    let Some([weights, digest, parameters]) = group(node, "`model`", WEIGHTS, report) else {
        return Weights::default();
    };
    Weights { weights: text(weights), digest: text(digest), parameters_millions: whole(parameters) }
}

pub(super) fn endpoint(node: Node, report: &mut Report) -> Endpoint {
    let Some([host, served, latency, quantisation]) = group(node, "`endpoint`", SERVED, report) else {
        return Endpoint::default();
    };
    Endpoint {
        host: text(host),
        served_context: whole(served),
        latency_ms: whole(latency),
        quantisation: text(quantisation),
    }
}

pub(super) fn evidence(node: Node, report: &mut Report) -> Vec<Evidence> {
    let span = node.span.clone();
    let tree::Value::List(items) = node.value else {
        let message = format!("`evidence` is a list, this is {}", node.value.kind());
        report.add("F004", span, message, Some("write `- metric: …` with its other keys under it".to_owned()));
        return Vec::new();
    };
    if items.len() > MOST_EVIDENCE {
        let message = format!("`evidence` has {} rows, more than {MOST_EVIDENCE}", items.len());
        report.add("F005", span, message, Some("keep the newest of each metric".to_owned()));
        return Vec::new();
    }
    items.into_iter().filter_map(|item| row(item, report).ok()).collect()
}

fn row(node: Node, report: &mut Report) -> Result<Evidence, Unread> {
    let span = node.span.clone();
    let is_group = matches!(node.value, tree::Value::Map(_));
    let known = ROW.map(|(name, kind, _)| (name, kind));
    let present: Vec<String> = match &node.value {
        tree::Value::Map(pairs) => pairs.iter().map(|(key, _)| key.name.clone()).collect(),
        _ => Vec::new(),
    };
    let read = group(node, "a row of `evidence`", known, report);
    if !is_group {
        return Err(Unread);
    }
    for (name, kind, required) in ROW {
        if required && !present.iter().any(|key| key == name) {
            let help = format!("add `{name}: …`, {}", kind.wanted());
            report.add("F003", span.clone(), format!("`{name}` of this row of `evidence` is missing"), Some(help));
        }
    }
    let says = |key: &str| present.iter().any(|name| name == key);
    match (says("source"), says("run")) {
        (true, true) => {
            let help = "keep the one that it comes from".to_owned();
            report.add("F007", span.clone(), "this row has a `source` and a `run`".to_owned(), Some(help));
        }
        (false, false) => {
            let help = "add `source: \"https://…\"`, or `run: \"…\"` for one of your own".to_owned();
            report.add("F003", span.clone(), "nothing says where this row comes from".to_owned(), Some(help));
        }
        _ => {}
    }
    let [metric, value, low, high, n, set, date, source, run] = read.ok_or(Unread)?;
    let origin = match (text(source), text(run)) {
        (Some(source), None) => Some(Origin::Source(source)),
        (None, Some(run)) => Some(Origin::Run(run)),
        _ => None,
    };
    let row = (|| {
        Some(Evidence {
            metric: text(metric)?,
            value: share(value)?,
            low: share(low)?,
            high: share(high)?,
            n: whole(n)?,
            set: text(set)?,
            date: text(date)?,
            origin: origin?,
        })
    })()
    .ok_or(Unread)?;
    if !(row.low <= row.value && row.value <= row.high) {
        let message = format!("the interval {} to {} does not hold the value {}", row.low, row.high, row.value);
        report.add("F007", span, message, Some("write `low`, `value` and `high` in growing order".to_owned()));
        return Err(Unread);
    }
    // Two thousandths for what was rounded: `value` to begin with.
    let (low, high) = interval::wilson_of_share(row.value, row.n);
    if row.low.0 > low.0 + 2 || row.high.0 + 2 < high.0 {
        let message = format!("the interval {} to {} is narrower than n = {} allows", row.low, row.high, row.n);
        report.add("F007", span, message, Some(format!("write `low: {low}` and `high: {high}` (Wilson, 95 %)")));
        return Err(Unread);
    }
    Ok(row)
}
