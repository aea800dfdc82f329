//! What probes of models came to, as the ledger has it (`probe`): shares with their intervals in whole ten-thousandths, what was
//! asked, and where. Of an endpoint its host alone is recorded; questions are named by their digest, answers are not kept.

use std::collections::BTreeMap;

use grace_fingerprints::Fingerprint;
use grace_models::endpoint::Settings;
use grace_models::judge::Judged;
use grace_models::probe::{Count, Edge, Measured, Probe, Request, Times, Window};
use grace_system::files;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

    /// Which probe it is; `None` for one that this version does not know.
    #[must_use]
    pub fn kind(&self) -> Option<Probe> {
        Probe::of(&self.probe)
    }
}

/// Digest of what is declared of a model: of each field that rules can ask for, by name.
#[must_use]
pub fn digest_of(declared: &Fingerprint) -> String {
    let mut text = String::new();
    for (name, value) in declared.to_facts() {
        text.push_str(&format!("{name}={value:?}\n"));
    }
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

/// Slower than its baseline by more than this share of it, in percent, is worse.
const SLOWER: u64 = 50;
/// More requests without an answer than at its baseline by more than this, in ten-thousandths, are worse.
const MORE_ERRORS: u64 = 1000;

/// What of a model is worse than at its baseline: answers that take more than half as long again, and more than ten points more
/// requests without an answer. Empty where nothing is, or where one of the two says nothing of it.
#[must_use]
pub fn worse(baseline: &ProbeSaid, now: &ProbeSaid) -> Vec<String> {
    let mut found = Vec::new();
    let (was, is) = (baseline.times.p50_ms, now.times.p50_ms);
    if baseline.times.n > 0 && now.times.n > 0 && is * 100 > was * (100 + SLOWER) {
        found.push(format!("half of the answers take {is} ms or more, {was} ms at the baseline"));
    }
    let errors = |said: &ProbeSaid| {
        let unanswered: u64 = said.faults.values().map(|times| u64::from(*times)).sum();
        (said.asked > 0).then(|| unanswered * 10_000 / u64::from(said.asked))
    };
    if let (Some(was), Some(is)) = (errors(baseline), errors(now))
        && is > was + MORE_ERRORS
    {
        let percent = |share: u64| format!("{}.{} %", share / 100, share % 100 / 10);
        found.push(format!("{} of the requests have no answer, {} at the baseline", percent(is), percent(was)));
    }
    found
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
    fn slower_by_half_or_ten_points_more_errors_is_worse() {
        let baseline = said(100, 10, 0);
        assert_eq!(worse(&baseline, &said(150, 10, 1)), Vec::<String>::new());
        assert_eq!(worse(&baseline, &said(151, 10, 0)).len(), 1);
        assert_eq!(
            worse(&baseline, &said(100, 10, 2)),
            ["20.0 % of the requests have no answer, 0.0 % at the baseline"]
        );
    }

    #[test]
    fn another_claim_is_another_contract() {
        let mut model = shipped().iter().find_map(|(path, text)| parse(path, text).ok()).unwrap();
        let before = digest_of(&model);
        model.requires_bias_check = !model.requires_bias_check;
        assert_ne!(digest_of(&model), before);
    }
}
