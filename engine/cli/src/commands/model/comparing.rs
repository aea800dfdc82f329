//! `model diff`: what a change takes from contracts, or how two models differ.

use grace_fingerprints::{CommercialUse, Fingerprint, Value};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::{Answer, Context};
use super::Known;
use crate::args::ModelDiffArgs;
use crate::failure::Result;
use crate::load::{self, Cache};
use crate::screen;

/// What differs of one model, or between two.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ModelDiff {
    /// The model, or both.
    pub model: String,
    /// `changed`, `added`, `removed`.
    pub how: &'static str,
    /// Fields that differ.
    pub fields: Vec<FieldDiff>,
    /// What a change must not take without somebody's word.
    pub findings: Vec<String>,
}

/// A field that differs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FieldDiff {
    /// Its name.
    pub field: String,
    /// What it held before.
    pub before: String,
    /// What it holds after.
    pub after: String,
}

/// `model diff` as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DiffReport {
    schema: &'static str,
    version: u32,
    /// What was compared.
    pub compared: String,
    /// Models that differ.
    pub models: Vec<ModelDiff>,
}

pub(super) fn diff(context: &Context, args: &ModelDiffArgs) -> Result<Answer> {
    let report = match args.names.as_slice() {
        [one, other] => {
            let known = Known::of(context)?;
            let (one, other) = (known.model(one)?, known.model(other)?);
            let compared = format!("{} and {}", one.model_name, other.model_name);
            let fields = fields(one, other).into_iter().filter(|one| one.field != "model_name").collect();
            let model = ModelDiff { model: compared.clone(), how: "changed", fields, findings: Vec::new() };
            DiffReport { schema: "grace-rules/model-diff", version: 1, compared, models: vec![model] }
        }
        _ => {
            let loaded = load::load(&context.place, &args.change, Cache::Unused, &context.progress)?;
            let (before, after) = (&loaded.past.models_before, &loaded.past.models_after);
            let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
            let models = names.filter_map(|name| {
                let (was, is) = (before.get(name), after.get(name));
                match (was, is) {
                    (Some(was), Some(is)) if was == is => None,
                    (Some(was), Some(is)) => Some(ModelDiff {
                        model: name.clone(),
                        how: "changed",
                        fields: fields(was, is),
                        findings: findings(was, is),
                    }),
                    (Some(was), None) => {
                        let flags = was.compliance_flags.join(", ");
                        let findings = vec![format!("its fingerprint is gone, with the flags {flags}")];
                        Some(ModelDiff { model: name.clone(), how: "removed", fields: Vec::new(), findings })
                    }
                    (None, _) => {
                        Some(ModelDiff { model: name.clone(), how: "added", fields: Vec::new(), findings: Vec::new() })
                    }
                }
            });
            let models = models.collect();
            DiffReport { schema: "grace-rules/model-diff", version: 1, compared: loaded.compared.clone(), models }
        }
    };
    let sound = report.models.iter().all(|model| model.findings.is_empty());
    if context.is_json() {
        return Answer::json(&report, sound);
    }
    let mut page = context.page();
    screen::model::diff(&mut page, &report);
    Ok(Answer { text: page.finish(), code: u8::from(!sound) })
}

fn shown(value: Option<Value>) -> String {
    match value {
        Some(Value::Bool(yes)) => if yes { "yes" } else { "no" }.to_owned(),
        Some(Value::Text(text)) => text,
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::List(names)) if names.is_empty() => "none".to_owned(),
        Some(Value::List(names)) => names.join(", "),
        None => "not said".to_owned(),
    }
}

fn fields(was: &Fingerprint, is: &Fingerprint) -> Vec<FieldDiff> {
    let of = |model: &Fingerprint, name: &str| match name {
        "weights" => model.weights.digest.clone().or_else(|| model.weights.weights.clone()).unwrap_or_default(),
        "endpoint" => model.endpoint.host.clone().unwrap_or_default(),
        "evidence" => format!("{} rows", model.evidence.len()),
        name => shown(model.field(name)),
    };
    let mut differ: Vec<&str> = was.differences(is);
    if !differ.contains(&"evidence") && was.evidence != is.evidence {
        differ.push("evidence");
    }
    differ
        .into_iter()
        .map(|name| FieldDiff { field: name.to_owned(), before: of(was, name), after: of(is, name) })
        .collect()
}

/// What the change takes: promises to somebody outside, and tests.
fn findings(was: &Fingerprint, is: &Fingerprint) -> Vec<String> {
    let mut found: Vec<String> = was
        .compliance_flags
        .iter()
        .filter(|flag| !is.compliance_flags.contains(flag))
        .map(|flag| format!("the compliance flag {flag} is dropped"))
        .collect();
    if was.licence != is.licence {
        found.push(format!("the licence changes from {} to {}", was.licence, is.licence));
    }
    if was.commercial_use != is.commercial_use && is.commercial_use != CommercialUse::Allowed {
        found.push(format!("commercial use was {}, is {}", was.commercial_use.name(), is.commercial_use.name()));
    }
    for (name, asked, asks) in [
        ("hallucination", was.requires_hallucination_test, is.requires_hallucination_test),
        ("bias", was.requires_bias_check, is.requires_bias_check),
        ("accuracy", was.requires_accuracy_validation, is.requires_accuracy_validation),
    ] {
        if asked && !asks {
            found.push(format!("it is no longer probed for {name}"));
        }
    }
    if was.weights.digest != is.weights.digest && was.weights.digest.is_some() {
        found.push("other weights, of which the old evidence says nothing".to_owned());
    }
    if was.evidence.iter().any(|row| !is.evidence.contains(row)) {
        found.push("evidence is removed".to_owned());
    }
    found
}
