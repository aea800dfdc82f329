//! `model check` and `model probe`: an endpoint is asked, and what came of it is recorded before it is shown.

use grace_govern::journal::{Event, Journal};
use grace_govern::probes::{Of, ProbeSaid};
use grace_models::endpoint::{Endpoint, Settings};
use grace_models::judge::{Judged, Verdict, judge};
use grace_models::probe::{self, Probe, Request};
use grace_system::clock;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::keeping::take_in;
use super::super::{Answer, Context};
use super::{Known, UNHEALTHY};
use crate::args::{ModelCheckArgs, ModelProbeArgs};
use crate::failure::{Failure, Result};
use crate::screen;

/// `model check` and `model probe` as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProbeReport {
    schema: &'static str,
    version: u32,
    /// The model.
    pub model: String,
    /// What was recorded.
    pub probes: Vec<ProbeSaid>,
    /// `healthy`, `unhealthy`; of `check` alone.
    pub health: Option<&'static str>,
    /// What should be known of the server, beside the verdicts.
    pub findings: Vec<String>,
    /// Numbers of the records in the ledger.
    pub records: Vec<u64>,
    /// Whether the database has them, too.
    pub stored: bool,
    /// What became known.
    pub notices: Vec<String>,
}

pub(super) fn check(context: &Context, args: &ModelCheckArgs) -> Result<Answer> {
    let mut requests = vec![Request { probe: Probe::Inference, seed: 1, samples: args.requests, up_to: 0 }];
    if args.up_to > 0 {
        requests.push(Request { probe: Probe::Context, seed: 1, samples: 1, up_to: args.up_to });
    }
    // Once each: what succeeds only when it is asked again has failed.
    asked(context, &args.name, &requests, 1, args.actor.as_deref())
}

pub(super) fn probe(context: &Context, args: &ModelProbeArgs) -> Result<Answer> {
    let probe = args.probe.0;
    let samples = args.samples.unwrap_or_else(|| probe.samples());
    let request = Request { probe, seed: args.seed, samples, up_to: args.up_to };
    asked(context, &args.name, &[request], 3, args.actor.as_deref())
}

fn asked(context: &Context, name: &str, requests: &[Request], attempts: u32, actor: Option<&str>) -> Result<Answer> {
    let repository = context.place.repository()?;
    let known = Known::of(context)?;
    let Some(said) = known.config.models.get(name) else {
        let declared = known.model(name);
        return Err(declared.err().unwrap_or_else(|| {
            Failure::new("config", format!("the operator's configuration names no endpoint for `{name}`"))
                .help(format!("add [models.\"{name}\"] to it; docs/models.md shows how"))
        }));
    };
    let failed = |error: grace_models::http::Error| Failure::new("model", error);
    let mut settings = Settings::of(name, said).map_err(failed)?;
    settings.limits.attempts = attempts;
    let endpoint = Endpoint::new(settings, context.cancel.clone()).map_err(failed)?;
    // Nothing is asked that could not be recorded.
    let journal = Journal::open(repository, actor)?;
    let _held = context.cancel.hold();
    let mut findings = Vec::new();
    let digest = listed(&endpoint, &mut findings);
    let declared = known.fleet.models.get(name);
    let mut probes = Vec::new();
    let mut records = Vec::new();
    let mut unhealthy = false;
    for request in requests {
        let started = clock::now().to_string();
        let measured = {
            let meter = context.progress.meter(request.probe.name(), u64::from(request.samples));
            probe::run(&endpoint, request, &mut |_, _| meter.advance(1))
        };
        let judged = match declared {
            Some(declared) => judge(declared, request.probe, request.samples, &measured, &known.fleet.bands),
            None => Judged {
                verdict: Verdict::Inconclusive,
                reasons: vec![format!("no fingerprint declares anything of {name}")],
            },
        };
        if request.probe == Probe::Inference {
            unhealthy = measured.most_in_a_row >= UNHEALTHY || measured.unanswered() == measured.asked;
        }
        findings.extend(measured.last_fault.iter().map(|fault| format!("{}: {fault}", request.probe.name())));
        let others = measured.other_names.iter();
        findings.extend(others.map(|other| format!("the server says that it is `{other}`, asked was {}", said.model)));
        let finished = clock::now().to_string();
        let of = Of {
            settings: endpoint.settings(),
            declared: declared.map(AsRef::as_ref),
            said_digest: digest.as_deref(),
            asked_by: None,
            when: (&started, &finished),
        };
        let said = ProbeSaid::new(of, request, &measured, &judged);
        let receipts = journal.append(&[Event::Probe(Box::new(said.clone()))])?;
        records.extend(receipts.iter().map(|receipt| receipt.seq));
        probes.push(said);
        if context.cancel.is_cancelled() {
            break;
        }
    }
    if let (Some(declared), Some(digest)) = (declared.and_then(|model| model.weights.digest.as_ref()), &digest)
        && declared.trim_start_matches("sha256:") != digest.trim_start_matches("sha256:")
    {
        findings.push(format!("the server says that its weights are {digest}, declared are {declared}"));
    }
    findings.dedup();
    let checks = requests.iter().any(|request| request.probe == Probe::Inference);
    let taken = take_in(repository, &journal);
    let report = ProbeReport {
        schema: "grace-rules/model-probe",
        version: 1,
        model: name.to_owned(),
        health: checks.then_some(if unhealthy { "unhealthy" } else { "healthy" }),
        findings,
        records,
        stored: taken.late.is_none(),
        notices: taken.late.into_iter().chain(taken.notices).collect(),
        probes,
    };
    let passed = !unhealthy && report.probes.iter().all(|said| said.verdict == Verdict::Passed.word());
    let code = if context.cancel.is_cancelled() { 2 } else { u8::from(!passed) };
    if context.is_json() {
        return Ok(Answer { code, ..Answer::json(&report, passed)? });
    }
    let mut page = context.page();
    screen::model::probed(&mut page, &report);
    Ok(Answer { text: page.finish(), code })
}

/// The digest that the server says of the model's weights; that it does not list the model is a finding.
fn listed(endpoint: &Endpoint, findings: &mut Vec<String>) -> Option<String> {
    let served_as = &endpoint.settings().served_as;
    let listed = match endpoint.listed() {
        Ok(listed) => listed.models,
        Err(fault) => {
            findings.push(format!("it does not say what it serves: {fault}"));
            return None;
        }
    };
    // Ollama completes a name without a tag.
    let found = listed.get(served_as).or_else(|| listed.get(&format!("{served_as}:latest")));
    if found.is_none() {
        findings.push(format!("it does not list `{served_as}` among what it serves"));
    }
    found.cloned().flatten()
}
