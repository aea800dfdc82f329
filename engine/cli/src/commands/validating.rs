//! What `run` does about the validations that a plan asks for: each model is probed at the endpoint that the operator names,
//! and judged by what its fingerprint declares. Without an endpoint a validation has not run, and the gate holds for it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use grace_engine::decide::BundleOutcome;
use grace_engine::plan::{Plan, ValidationPlan};
use grace_govern::journal::{About, Event};
use grace_govern::probes::{Of, ProbeSaid};
use grace_models::endpoint::{Endpoint, Settings};
use grace_models::judge::{Band, Verdict, judge};
use grace_models::probe::{self, MOST_SAMPLES, Probe, Request};
use grace_system::clock;
use grace_system::config::Config;
use schemars::JsonSchema;
use serde::Serialize;

use super::Context;
use super::keeping::Keeper;
use crate::failure::Result;
use crate::load::{Loaded, models};

/// A validation as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Validated {
    /// `bias_evaluation of model("mistral:7b")`.
    pub validation: String,
    /// `passed`, `failed`, `inconclusive`, `not_run`.
    pub outcome: &'static str,
    /// Why not passed.
    pub reasons: Vec<String>,
    /// What it was asked for, with its interval.
    pub share: Option<String>,
}

impl Validated {
    /// As a story tells it.
    pub(super) fn in_words(&self) -> String {
        let share = self.share.as_ref().map(|share| format!(", {share}")).unwrap_or_default();
        format!("{}: {}{share}", self.validation, self.outcome.replace('_', " "))
    }
}

/// What the operator says of models, and what the rules call low.
pub(super) struct Validating {
    config: Config,
    bands: Vec<Band>,
}

impl Validating {
    pub(super) fn of(context: &Context, plan: &Plan, loaded: &Loaded) -> Result<Self> {
        // Nothing of it is read where nothing is asked for.
        if plan.validations.is_empty() {
            return Ok(Self { config: Config::default(), bands: Vec::new() });
        }
        // Of both sides: a change does not loosen what it is judged by.
        Ok(Self { config: models::config(&context.place)?, bands: models::bands(loaded.books()) })
    }

    /// Runs them all, one after the other, and records each.
    pub(super) fn run(
        &self,
        context: &Context,
        (plan, loaded): (&Plan, &Loaded),
        (run, about): (&str, &About),
        keeper: &Mutex<Keeper>,
    ) -> Vec<Validated> {
        let each = plan.validations.iter();
        each.map(|validation| self.one(context, validation, loaded, (run, about), keeper)).collect()
    }

    fn one(
        &self,
        context: &Context,
        asked: &ValidationPlan,
        loaded: &Loaded,
        (run, about): (&str, &About),
        keeper: &Mutex<Keeper>,
    ) -> Validated {
        let not_run = |why: String| Validated {
            validation: asked.name.clone(),
            outcome: "not_run",
            reasons: vec![why],
            share: None,
        };
        let Some(said) = self.config.models.get(&asked.model) else {
            return not_run("the operator's configuration names no endpoint for it".to_owned());
        };
        let Some(probe) = Probe::of(&asked.probe) else {
            return not_run(format!("no probe is called {}", asked.probe));
        };
        // What it declares now; where it is gone, what it declared.
        let past = &loaded.past;
        let declared = past.models_after.get(&asked.model).or_else(|| past.models_before.get(&asked.model));
        let Some(declared) = declared else { return not_run("its fingerprint cannot be read".to_owned()) };
        let endpoint = match Settings::of(&asked.model, said)
            .and_then(|settings| Endpoint::new(settings, context.cancel.clone()))
        {
            Ok(endpoint) => endpoint,
            Err(error) => return not_run(error.to_string()),
        };
        if context.cancel.is_cancelled() {
            return not_run("interrupted".to_owned());
        }
        let samples = asked.samples.unwrap_or_else(|| probe.samples()).clamp(1, MOST_SAMPLES);
        // Of the change, so that nobody learns the questions by heart, and the same for who runs it again.
        let seed = about.diff.get(..8).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(1);
        let request = Request { probe, seed, samples, up_to: u64::from(declared.context_window) };
        let started = clock::now().to_string();
        let measured = {
            let meter = context.progress.meter("validating", u64::from(samples));
            probe::run(&endpoint, &request, &mut |_, _| meter.advance(1))
        };
        let mut judged = judge(declared, probe, samples, &measured, &self.bands);
        // Who answers under another name may be another one.
        if let Some(other) = measured.other_names.first()
            && judged.verdict == Verdict::Passed
        {
            judged.verdict = Verdict::Inconclusive;
            judged.reasons.push(format!("the server says that it is {other}"));
        }
        let finished = clock::now().to_string();
        let of = Of {
            settings: endpoint.settings(),
            declared: Some(declared),
            said_digest: None,
            asked_by: Some((run, about, &asked.name)),
            when: (&started, &finished),
        };
        let record = ProbeSaid::new(of, &request, &measured, &judged);
        let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
        if !keeper.say(&[Event::Probe(Box::new(record))]) {
            return not_run("it could not be recorded".to_owned());
        }
        Validated {
            validation: asked.name.clone(),
            outcome: judged.verdict.word(),
            reasons: judged.reasons,
            share: measured.main(probe).map(grace_models::judge::percent),
        }
    }
}

/// Outcomes by name, as a decision takes them. What is inconclusive, or did not run, is not among what passed or failed.
pub(super) fn outcomes(validated: &[Validated]) -> BTreeMap<String, BundleOutcome> {
    let outcome = |one: &Validated| match one.outcome {
        word if word == Verdict::Passed.word() => Some(BundleOutcome::Passed),
        word if word == Verdict::Failed.word() => Some(BundleOutcome::Failed),
        word if word == Verdict::Inconclusive.word() => Some(BundleOutcome::Cancelled),
        _ => None,
    };
    validated.iter().filter_map(|one| Some((one.validation.clone(), outcome(one)?))).collect()
}
