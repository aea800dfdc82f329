//! Text to [`Fingerprint`], strictly, with everything wrong reported at once.

mod check;
mod layers;
mod problem;
mod tree;

use std::collections::BTreeMap;

use crate::field::{FIELDS, Value};
use crate::{CommercialUse, Endpoint, Fingerprint, Level, Source, Thousandths, Weights};
use check::{Kind, Unread};
use problem::Report;
pub use problem::{CODES, Problem, summary};
use tree::{Key, Node};

/// Keys of a file beside [`FIELDS`].
const SEED: &str = "seed";
const SOURCES: &str = "sources";
const MODEL: &str = "model";
const ENDPOINT: &str = "endpoint";
const EVIDENCE: &str = "evidence";

/// The keys of one entry of `sources`, all required.
const SOURCE_KEYS: [&str; 3] = ["name", "url", "says"];

/// Reads one fingerprint. `path` is only shown.
///
/// # Errors
/// Every problem of the text, in the order of the text; never an empty list.
pub fn parse(path: &str, text: &str) -> Result<Fingerprint, Vec<Problem>> {
    let mut report = Report::new(path, text);
    let read = match tree::read(text) {
        Ok(root) => fingerprint(root, &mut report),
        Err(broken) => {
            report.add("F001", broken.span, broken.message, Some(broken.help.to_owned()));
            None
        }
    };
    report.finish(read)
}

/// The fingerprint of a file; where the report holds a problem, it is not to be used.
fn fingerprint(root: Node, report: &mut Report) -> Option<Fingerprint> {
    let known: Vec<&str> = FIELDS.iter().copied().chain([MODEL, ENDPOINT, EVIDENCE, SEED, SOURCES]).collect();
    let whole = root.span.clone();
    let mut keys = keys(root, "a fingerprint", &known, report)?;
    let seed = keys.remove(SEED).map(|(_, node)| seed(node, report)).unwrap_or_default();
    let sources = keys.remove(SOURCES).map(|(_, node)| sources(node, report)).unwrap_or_default();
    let weights = keys.remove(MODEL).map(|(_, node)| layers::weights(node, report)).unwrap_or_default();
    let endpoint_at = keys.get(ENDPOINT).map(|(key, _)| key.span.clone());
    let endpoint = keys.remove(ENDPOINT).map(|(_, node)| layers::endpoint(node, report)).unwrap_or_default();
    let evidence = keys.remove(EVIDENCE).map(|(_, node)| layers::evidence(node, report)).unwrap_or_default();

    let mut values = Values::default();
    let mut places = BTreeMap::new();
    for name in FIELDS.iter().copied() {
        match keys.remove(name) {
            Some((key, node)) => {
                places.insert(name, key.span);
                if let Ok(value) = check::field(name, node, report) {
                    values.0.insert(name, value);
                }
            }
            None if Kind::required(name) => report.add(
                "F003",
                whole.start..whole.start,
                format!("`{name}` is missing"),
                Some(format!("add `{name}: …`, {}", Kind::of(name).wanted())),
            ),
            None => {}
        }
    }
    for (good, bad) in [("strengths", "weaknesses"), ("recommended_for", "not_recommended_for")] {
        let Some(place) = places.get(bad) else { continue };
        check::disjoint(good, values.list(good), bad, values.list(bad), place, report);
    }
    let allowed = values.text("commercial_use") == CommercialUse::Allowed.name();
    if let Some(place) = places.get("commercial_use")
        && allowed
        && values.list("compliance_flags").iter().any(|flag| flag == "non_commercial")
    {
        let message = "`commercial_use` is `allowed`, and `compliance_flags` has `non_commercial`".to_owned();
        report.add("F007", place.clone(), message, Some("keep the one that the licence says".to_owned()));
    }
    let native = values.whole("context_window", 4096);
    if let (Some(place), Some(served)) = (endpoint_at, endpoint.served_context)
        && served > native
    {
        let message = format!("`served_context` is {served}, and the weights' `context_window` is {native}");
        report.add("F007", place, message, Some("a server cannot offer more than the weights have".to_owned()));
    }
    let fingerprint = values.into_fingerprint(seed, sources);
    Some(Fingerprint { weights, endpoint, evidence, ..fingerprint })
}

/// The keys of a group, without those that are unknown or stand twice: both are reported.
fn keys(group: Node, what: &str, known: &[&str], report: &mut Report) -> Option<BTreeMap<String, (Key, Node)>> {
    let span = group.span.clone();
    let tree::Value::Map(pairs) = group.value else {
        let message = format!("{what} is a group of keys, this is {}", group.value.kind());
        report.add("F004", span, message, Some(format!("write `{}: …`", known[0])));
        return None;
    };
    let mut keys: BTreeMap<String, (Key, Node)> = BTreeMap::new();
    for (key, node) in pairs {
        if !known.contains(&key.name.as_str()) {
            let help = problem::nearest(&key.name, known).map_or_else(
                || format!("known are {}", problem::listed(known)),
                |near| format!("did you mean `{near}`?"),
            );
            report.add("F002", key.span, format!("unknown key `{}`", problem::shown(&key.name)), Some(help));
        } else if keys.contains_key(&key.name) {
            let message = format!("`{}` stands twice", key.name);
            report.add("F006", key.span, message, Some("keep one of the two".to_owned()));
        } else {
            keys.insert(key.name.clone(), (key, node));
        }
    }
    Some(keys)
}

fn seed(node: Node, report: &mut Report) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    for (name, (_, node)) in keys(node, "`seed`", FIELDS, report).unwrap_or_default() {
        if let Ok(value) = check::field(&name, node, report) {
            values.insert(name, value);
        }
    }
    values
}

fn sources(node: Node, report: &mut Report) -> Vec<Source> {
    let span = node.span.clone();
    let tree::Value::List(items) = node.value else {
        let message = format!("`sources` is a list, this is {}", node.value.kind());
        report.add("F004", span, message, Some("write `- name: …` with `url` and `says` under it".to_owned()));
        return Vec::new();
    };
    items.into_iter().filter_map(|item| source(item, report)).collect()
}

fn source(node: Node, report: &mut Report) -> Option<Source> {
    let span = node.span.clone();
    let mut keys = keys(node, "a source", &SOURCE_KEYS, report)?;
    let mut texts = SOURCE_KEYS.iter().map(|name| match keys.remove(*name) {
        Some((_, node)) => check::text(name, node, report),
        None => {
            let help = "a source has a `name`, a `url`, and what it `says`".to_owned();
            report.add("F003", span.clone(), format!("`{name}` of this source is missing"), Some(help));
            Err(Unread)
        }
    });
    let (name, url, says) = (texts.next()?, texts.next()?, texts.next()?);
    Some(Source { name: name.ok()?, url: url.ok()?, says: says.ok()? })
}

/// Fields by name as far as they could be read.
#[derive(Default)]
struct Values(BTreeMap<&'static str, Value>);

impl Values {
    fn list(&self, name: &str) -> &[String] {
        match self.0.get(name) {
            Some(Value::List(names)) => names,
            _ => &[],
        }
    }

    fn text(&self, name: &str) -> &str {
        match self.0.get(name) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    fn flag(&self, name: &str, absent: bool) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(value)) => *value,
            _ => absent,
        }
    }

    fn thousandths(&self, name: &str, absent: u64) -> Thousandths {
        match self.0.get(name) {
            Some(Value::Number(number)) => *number,
            _ => Thousandths(absent),
        }
    }

    fn whole(&self, name: &str, absent: u32) -> u32 {
        u32::try_from(self.thousandths(name, u64::from(absent) * 1000).0 / 1000).unwrap_or(u32::MAX)
    }

    fn level(&self, name: &str, absent: Level) -> Level {
        named(Level::NAMES, self.text(name)).unwrap_or(absent)
    }

    /// What a file leaves out has the value that the seed document gives it.
    fn into_fingerprint(self, seed: BTreeMap<String, Value>, sources: Vec<Source>) -> Fingerprint {
        Fingerprint {
            model_name: self.text("model_name").to_owned(),
            model_type: self.text("model_type").to_owned(),
            licence: self.text("licence").to_owned(),
            commercial_use: named(CommercialUse::NAMES, self.text("commercial_use")).unwrap_or(CommercialUse::Unknown),
            strengths: self.list("strengths").to_vec(),
            weaknesses: self.list("weaknesses").to_vec(),
            typical_latency_ms: self.whole("typical_latency_ms", 2000),
            context_window: self.whole("context_window", 4096),
            output_quality: self.level("output_quality", Level::Medium),
            trust_score: self.thousandths("trust_score", 800),
            compliance_flags: self.list("compliance_flags").to_vec(),
            hallucination_rate: self.level("hallucination_rate", Level::Low),
            bias_risk: self.level("bias_risk", Level::Low),
            requires_hallucination_test: self.flag("requires_hallucination_test", false),
            requires_bias_check: self.flag("requires_bias_check", false),
            requires_accuracy_validation: self.flag("requires_accuracy_validation", true),
            recommended_for: self.list("recommended_for").to_vec(),
            not_recommended_for: self.list("not_recommended_for").to_vec(),
            weights: Weights::default(),
            endpoint: Endpoint::default(),
            evidence: Vec::new(),
            seed,
            sources,
        }
    }
}

fn named<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    names.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}
