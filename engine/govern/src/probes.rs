//! What probes of models came to, as the ledger has it (`probe`): shares with their intervals in whole ten-thousandths, what was
//! asked, and where. Of an endpoint its host alone is recorded; questions are named by their digest, answers are not kept.

use std::collections::BTreeMap;

use grace_dsl::ast::ModelLimits;
use grace_fingerprints::{Endpoint, Fingerprint, Weights};
use grace_models::endpoint::Settings;
use grace_models::judge::Judged;
use grace_models::probe::{Count, Edge, Measured, Probe, Request, Times, Window};
use grace_system::files;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cycle::{ModelCompared, WorseShare};
use crate::journal::About;

/// One probe of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeSaid {
    /// The run that it belongs to, where a plan asked for it.
    pub run: Option<String>,
    /// Of what change, likewise.
    pub about: Option<About>,
    /// The validation, likewise: `bias_evaluation of model("mistral:7b")`.
    pub validation: Option<String>,
    /// The model, as fingerprints and rules name it.
    pub model: String,
    /// Digest of what was declared of it.
    pub declared: Option<String>,
    /// Where it was asked.
    pub endpoint: EndpointSaid,
    /// `hallucination`, `bias`, `accuracy`, `latency`, `context`, `inference`.
    pub probe: String,
    /// Samples that were asked for.
    pub samples: u32,
    /// What the questions follow from.
    pub seed: u64,
    /// What the questions are called.
    pub set: String,
    /// SHA-256 of them.
    pub set_digest: String,
    /// Different forms among them.
    pub templates: u32,
    /// Requests.
    pub asked: u32,
    /// Requests without an answer, by word.
    pub faults: BTreeMap<String, u32>,
    /// The longest run of them.
    pub most_in_a_row: u32,
    /// Shares by metric.
    pub shares: BTreeMap<String, ShareSaid>,
    /// Times of the answers.
    pub times: TimesSaid,
    /// The window that was found.
    pub window: Option<WindowSaid>,
    /// Names that the server gave itself, other than the one asked for.
    pub other_names: Vec<String>,
    /// Why it ended before its end.
    pub stopped: Option<String>,
    /// `passed`, `inconclusive`, `failed`: beside what is declared.
    pub verdict: String,
    /// Why not passed.
    pub reasons: Vec<String>,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
}

/// Where a model was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointSaid {
    /// Its host and port.
    pub host: String,
    /// `openai`, `ollama`.
    pub dialect: String,
    /// The model's name there, as it was asked for.
    pub served_as: String,
    /// Digest of the weights, as the server says it; a server can say anything.
    pub said_digest: Option<String>,
}

/// A share that was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShareSaid {
    /// Of them.
    pub of: u32,
    /// All.
    pub n: u32,
    /// Lower bound at 95 % (Wilson), in ten-thousandths.
    pub low: u32,
    /// Upper bound, likewise.
    pub high: u32,
}

impl ShareSaid {
    fn from(count: Count) -> Self {
        let (low, high) = count.interval();
        Self { of: count.of, n: count.n, low, high }
    }

    /// As it was counted.
    #[must_use]
    pub fn count(self) -> Count {
        Count { of: self.of, n: self.n }
    }
}

/// Times of answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimesSaid {
    /// How many.
    pub n: u32,
    /// Milliseconds that half did not exceed.
    pub p50_ms: u64,
    /// Milliseconds that 95 % did not exceed.
    pub p95_ms: u64,
    /// Milliseconds until the first text, the median.
    pub first_text_ms: Option<u64>,
    /// Tokens a second in thousandths, the median.
    pub tokens_per_second_thousandths: Option<u64>,
}

/// A window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WindowSaid {
    /// The longest question that arrived whole.
    pub served: u64,
    /// The longest one whose first line was still known.
    pub effective: u64,
    /// `refused`, `cut`, `not_reached`.
    pub edge: String,
    /// `tokens`, or `words` where the server counts none.
    pub unit: String,
}

/// How a model is asked today, by its operator's configuration and its fingerprint.
#[derive(Debug, Clone, Copy)]
pub struct Today<'a> {
    /// The host and port.
    pub host: &'a str,
    /// Its name there.
    pub served_as: &'a str,
    /// Digest of what is declared of it.
    pub contract: &'a str,
}

/// What a probe is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worth {
    /// It says what it counted.
    Whole,
    /// It was asked as one would ask today, and proves nothing good, for this reason.
    Void(String),
    /// It is of another server, another name, or another contract.
    Elsewhere,
}

/// What a probe was of.
#[derive(Debug, Clone, Copy)]
pub struct Of<'a> {
    /// The endpoint.
    pub settings: &'a Settings,
    /// What is declared of the model.
    pub declared: Option<&'a Fingerprint>,
    /// Digest of the weights, as the server says it.
    pub said_digest: Option<&'a str>,
    /// The run, the change and the validation, where a plan asked.
    pub asked_by: Option<(&'a str, &'a About, &'a str)>,
    /// When it began and ended.
    pub when: (&'a str, &'a str),
}

impl ProbeSaid {
    /// What to record of a probe.
    #[must_use]
    pub fn new(of: Of<'_>, request: &Request, measured: &Measured, judged: &Judged) -> Self {
        let settings = of.settings;
        let Times { n, p50_ms, p95_ms, first_text_ms, tokens_per_second_thousandths } = measured.times;
        Self {
            run: of.asked_by.map(|(run, ..)| run.to_owned()),
            about: of.asked_by.map(|(_, about, _)| about.clone()),
            validation: of.asked_by.map(|(.., validation)| validation.to_owned()),
            model: settings.name.clone(),
            declared: of.declared.map(digest_of),
            endpoint: EndpointSaid {
                host: settings.host().to_owned(),
                dialect: settings.dialect_name().to_owned(),
                served_as: settings.served_as.clone(),
                said_digest: of.said_digest.map(str::to_owned),
            },
            probe: request.probe.name().to_owned(),
            samples: request.samples,
            seed: request.seed,
            set: measured.set.clone(),
            set_digest: measured.set_digest.clone(),
            templates: measured.templates,
            asked: measured.asked,
            faults: measured.faults.clone(),
            most_in_a_row: measured.most_in_a_row,
            shares: measured.counts.iter().map(|(name, count)| (name.clone(), ShareSaid::from(*count))).collect(),
            times: TimesSaid { n, p50_ms, p95_ms, first_text_ms, tokens_per_second_thousandths },
            window: measured.window.map(|window| WindowSaid {
                served: window.served,
                effective: window.effective,
                edge: window.edge.word().to_owned(),
                unit: if window.in_tokens { "tokens" } else { "words" }.to_owned(),
            }),
            other_names: measured.other_names.iter().cloned().collect(),
            stopped: measured.stopped.clone(),
            verdict: judged.verdict.word().to_owned(),
            reasons: judged.reasons.clone(),
            started: of.when.0.to_owned(),
            finished: of.when.1.to_owned(),
        }
    }

    /// What it counted, for who judges again.
    #[must_use]
    pub fn measured(&self) -> Measured {
        let edge = |word: &str| match word {
            "refused" => Edge::Refused,
            "cut" => Edge::CutSilently,
            _ => Edge::NotReached,
        };
        Measured {
            set: self.set.clone(),
            set_digest: self.set_digest.clone(),
            templates: self.templates,
            asked: self.asked,
            faults: self.faults.clone(),
            last_fault: None,
            most_in_a_row: self.most_in_a_row,
            counts: self.shares.iter().map(|(name, share)| (name.clone(), share.count())).collect(),
            times: Times {
                n: self.times.n,
                p50_ms: self.times.p50_ms,
                p95_ms: self.times.p95_ms,
                first_text_ms: self.times.first_text_ms,
                tokens_per_second_thousandths: self.times.tokens_per_second_thousandths,
            },
            other_names: self.other_names.iter().cloned().collect(),
            stopped: self.stopped.clone(),
            window: self.window.as_ref().map(|window| Window {
                served: window.served,
                effective: window.effective,
                edge: edge(&window.edge),
                in_tokens: window.unit == "tokens",
            }),
        }
    }

    /// What it is worth for who asks the model today.
    #[must_use]
    pub fn worth(&self, today: Option<Today<'_>>) -> Worth {
        let is_today = today.is_some_and(|today| {
            self.endpoint.host == today.host
                && self.endpoint.served_as == today.served_as
                && self.declared.as_deref() == Some(today.contract)
        });
        if !is_today {
            Worth::Elsewhere
        } else if let Some(other) = self.other_names.first() {
            Worth::Void(format!("the server said that it is {other}"))
        } else if self.stopped.is_some() {
            Worth::Void("it ended early".to_owned())
        } else if !self.measured().controls_hold() {
            Worth::Void("most controls were answered wrongly".to_owned())
        } else {
            Worth::Whole
        }
    }

    /// Which probe it is; `None` for one that this version does not know.
    #[must_use]
    pub fn kind(&self) -> Option<Probe> {
        Probe::of(&self.probe)
    }
}

/// Digest of what is declared of a model: of each field that rules can ask for, by name, of its weights and of its endpoint.
#[must_use]
pub fn digest_of(declared: &Fingerprint) -> String {
    let mut text = String::new();
    for (name, value) in declared.to_facts() {
        text.push_str(&format!("{name}={value:?}\n"));
    }
    let Weights { weights, digest, parameters_millions } = &declared.weights;
    text.push_str(&format!("weights={weights:?} {digest:?} {parameters_millions:?}\n"));
    let Endpoint { host, served_context, latency_ms, quantisation } = &declared.endpoint;
    text.push_str(&format!("endpoint={host:?} {served_context:?} {latency_ms:?} {quantisation:?}\n"));
    files::sha256(text.as_bytes())
}

/// The newest probe of each kind of each model.
#[must_use]
pub fn newest(said: Vec<ProbeSaid>) -> BTreeMap<(String, String), ProbeSaid> {
    let mut newest = BTreeMap::new();
    for one in said {
        // They come from the newest back.
        newest.entry((one.model.clone(), one.probe.clone())).or_insert(one);
    }
    newest
}

/// Each model beside its baseline: the newest probe beside the oldest one of its kind, at the same host, under the same contract. Of
/// several kinds the one that is worse than `limits` let it be, if one is. `said` comes from the newest back; a model that was probed
/// once has no baseline yet.
#[must_use]
pub fn compared(said: &[ProbeSaid], limits: ModelLimits) -> Vec<ModelCompared> {
    let mut of_kind: BTreeMap<(&str, &str), (&ProbeSaid, &ProbeSaid)> = BTreeMap::new();
    for one in said.iter().filter(|one| one.asked > 0) {
        let (newest, oldest) = of_kind.entry((&one.model, &one.probe)).or_insert((one, one));
        let is_same = one.endpoint.host == newest.endpoint.host
            && one.endpoint.served_as == newest.endpoint.served_as
            && one.declared == newest.declared;
        if is_same {
            *oldest = one;
        }
    }
    let mut found: BTreeMap<&str, ModelCompared> = BTreeMap::new();
    for ((model, _), (newest, oldest)) in of_kind {
        if std::ptr::eq(newest, oldest) {
            continue;
        }
        let compared = beside(model, oldest, newest, limits);
        let kept = found.entry(model).or_insert_with(|| compared.clone());
        if compared.is_beyond && !kept.is_beyond {
            *kept = compared;
        }
    }
    found.into_values().collect()
}

fn beside(model: &str, baseline: &ProbeSaid, now: &ProbeSaid, limits: ModelLimits) -> ModelCompared {
    let latency_ms = (baseline.times.p50_ms, now.times.p50_ms);
    let timed = baseline.times.n > 0 && now.times.n > 0;
    let slower = i128::from(latency_ms.1) - i128::from(latency_ms.0);
    let is_slower = timed && slower * 100_000 > i128::from(latency_ms.0.max(1)) * i128::from(limits.latency);
    // In thousandths of a percent.
    let errors = |said: &ProbeSaid| {
        let unanswered: i64 = said.faults.values().map(|times| i64::from(*times)).sum();
        unanswered * 100_000 / i64::from(said.asked.max(1))
    };
    let error_rate = (errors(baseline), errors(now));
    let worse = worse_share(baseline, now);
    let is_beyond = is_slower || error_rate.1 - error_rate.0 > limits.error_rate || worse.is_some();
    ModelCompared { model: model.to_owned(), latency_ms, error_rate, is_beyond, worse }
}

/// The share that a probe is asked for, where it is worse for certain: the intervals have nothing in common.
fn worse_share(baseline: &ProbeSaid, now: &ProbeSaid) -> Option<WorseShare> {
    let probe = now.kind()?;
    let metric = probe.metric()?;
    // Other questions are no baseline, and neither is what was not tested.
    if baseline.set != now.set || !baseline.measured().controls_hold() || !now.measured().controls_hold() {
        return None;
    }
    let share = |said: &ProbeSaid| said.shares.get(metric).copied().filter(|share| share.n > 0);
    let (before, after) = (share(baseline)?, share(now)?);
    let is_worse = match probe {
        Probe::Hallucination | Probe::Bias => after.low > before.high,
        Probe::Accuracy | Probe::Inference | Probe::Latency | Probe::Context => after.high < before.low,
    };
    is_worse.then(|| WorseShare {
        metric: metric.to_owned(),
        baseline: (before.low, before.high),
        now: (after.low, after.high),
    })
}

#[cfg(test)]
mod tests {
    use grace_fingerprints::{parse, shipped};
    use grace_models::endpoint::{Dialect, Settings};
    use grace_models::http::Limits;
    use grace_models::judge::Verdict;

    use super::*;

    fn said(p50_ms: u64, asked: u32, cut: u32) -> ProbeSaid {
        let settings = Settings {
            name: "m:1b".to_owned(),
            url: "http://localhost:8080/v1?key=1".to_owned(),
            dialect: Dialect::OpenAi,
            served_as: "m".to_owned(),
            key: None,
            limits: Limits::default(),
        };
        let mut measured = Measured { asked, ..Measured::default() };
        measured.times = Times { n: asked - cut, p50_ms, p95_ms: p50_ms, ..Times::default() };
        measured.counts.insert("accuracy".to_owned(), Count { of: 9, n: 10 });
        measured.window = Some(Window { served: 7, effective: 5, edge: Edge::CutSilently, in_tokens: true });
        if cut > 0 {
            measured.faults.insert("cut".to_owned(), cut);
        }
        let request = Request { probe: Probe::Accuracy, seed: 1, samples: 10, up_to: 0 };
        let judged = Judged { verdict: Verdict::Passed, reasons: Vec::new() };
        let of = Of { settings: &settings, declared: None, said_digest: None, asked_by: None, when: ("then", "now") };
        ProbeSaid::new(of, &request, &measured, &judged)
    }

    #[test]
    fn a_record_says_what_was_measured_and_of_the_address_the_host_alone() {
        let said = said(10, 10, 2);
        assert_eq!(said.endpoint.host, "localhost:8080");
        let measured = said.measured();
        assert_eq!(measured.counts["accuracy"], Count { of: 9, n: 10 });
        assert_eq!((measured.unanswered(), measured.window.map(|window| window.edge)), (2, Some(Edge::CutSilently)));
        let again: ProbeSaid = serde_json::from_value(serde_json::to_value(&said).unwrap()).unwrap();
        assert_eq!(again, said);
    }

    #[test]
    fn a_model_stands_beside_its_oldest_probe_of_the_same_contract() {
        let limits = ModelLimits { latency: 50_000, error_rate: 10_000 };
        let beyond = |newest_first: &[ProbeSaid]| {
            compared(newest_first, limits).into_iter().map(|model| model.is_beyond).collect::<Vec<_>>()
        };
        let baseline = said(100, 10, 0);
        assert_eq!(beyond(std::slice::from_ref(&baseline)), Vec::<bool>::new());
        assert_eq!(beyond(&[said(150, 10, 1), baseline.clone()]), [false]);
        assert_eq!(beyond(&[said(151, 10, 0), said(100, 10, 0), baseline.clone()]), [true]);
        assert_eq!(beyond(&[said(100, 10, 2), baseline.clone()]), [true]);
        assert_eq!(compared(&[said(100, 10, 2), baseline.clone()], limits)[0].error_rate, (0, 20_000));
        // The share that it is asked for: beyond where nothing is in common, and only for the worse.
        let of = |right: u32| {
            let share = ShareSaid::from(Count { of: right, n: 60 });
            ProbeSaid { shares: BTreeMap::from([("accuracy".to_owned(), share)]), ..baseline.clone() }
        };
        assert_eq!(beyond(&[of(30), of(57)]), [true]);
        assert_eq!(beyond(&[of(50), of(57)]), [false]);
        assert_eq!(beyond(&[of(57), of(30)]), [false]);
        let made_up = |said: ProbeSaid| {
            let shares = said.shares.into_values().map(|share| ("fabrication".to_owned(), share)).collect();
            ProbeSaid { probe: "hallucination".to_owned(), shares, ..said }
        };
        assert_eq!(beyond(&[made_up(of(30)), made_up(of(57))]), [false]);
        assert_eq!(beyond(&[made_up(of(57)), made_up(of(30))]), [true]);
        let mut untested = made_up(of(57));
        untested.shares.insert("controls_right".to_owned(), ShareSaid::from(Count { of: 1, n: 9 }));
        assert_eq!(beyond(&[untested, made_up(of(30))]), [false]);
        // What was measured under another contract is no baseline.
        let other = ProbeSaid { declared: Some("another".to_owned()), ..baseline };
        assert_eq!(beyond(&[said(900, 10, 0), other]), Vec::<bool>::new());
    }

    #[test]
    fn a_probe_of_yesterdays_server_or_one_that_tests_nothing_proves_nothing() {
        let today = Today { host: "localhost:8080", served_as: "m", contract: "c" };
        let said = ProbeSaid { declared: Some("c".to_owned()), ..said(10, 10, 0) };
        assert_eq!(said.worth(Some(today)), Worth::Whole);
        for elsewhere in [
            None,
            Some(Today { host: "localhost:8081", ..today }),
            Some(Today { served_as: "n", ..today }),
            Some(Today { contract: "d", ..today }),
        ] {
            assert_eq!(said.worth(elsewhere), Worth::Elsewhere);
        }
        let unproved = ProbeSaid { declared: None, ..said.clone() };
        assert_eq!(unproved.worth(Some(today)), Worth::Elsewhere);
        let mut void = [said.clone(), said.clone(), said];
        void[0].other_names = vec!["other".to_owned()];
        void[1].stopped = Some("three in a row".to_owned());
        void[2].shares.insert("controls_right".to_owned(), ShareSaid::from(Count { of: 1, n: 9 }));
        for said in void {
            assert!(matches!(said.worth(Some(today)), Worth::Void(_)), "{said:?}");
        }
    }

    #[test]
    fn another_claim_is_another_contract() {
        let mut model = shipped().iter().find_map(|(path, text)| parse(path, text).ok()).unwrap();
        let before = digest_of(&model);
        model.requires_bias_check = !model.requires_bias_check;
        assert_ne!(digest_of(&model), before);
        for change in [
            |model: &mut Fingerprint| model.weights.digest = Some("sha256:00".to_owned()),
            |model: &mut Fingerprint| model.weights.weights = Some("other".to_owned()),
            |model: &mut Fingerprint| model.weights.parameters_millions = Some(1),
            |model: &mut Fingerprint| model.endpoint.host = Some("elsewhere".to_owned()),
            |model: &mut Fingerprint| model.endpoint.served_context = Some(7),
            |model: &mut Fingerprint| model.endpoint.latency_ms = Some(7),
            |model: &mut Fingerprint| model.endpoint.quantisation = Some("q1".to_owned()),
        ] {
            let mut other = model.clone();
            change(&mut other);
            assert_ne!(digest_of(&other), digest_of(&model));
        }
    }
}
