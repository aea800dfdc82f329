//! `model`: what is declared of models, what they were measured to be, and which is to be asked.

mod comparing;
mod probing;

use std::collections::BTreeMap;

use grace_fingerprints::{Evidence, Fingerprint, Level, Origin};
use grace_govern::journal;
use grace_govern::probes::{self, ProbeSaid, Today, Worth};
use grace_govern::task::{self, Candidate, Choice, Health, Standing, Task};
use grace_models::endpoint::host;
use grace_models::judge::{Band, judge};
use grace_models::probe::Probe;
use grace_system::config::Config;
use grace_system::{clock, files};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Context};
use crate::args::ModelCommand;
use crate::failure::{Failure, Result, quoted};
use crate::load::models::{self, Fleet};
use crate::screen;

pub(crate) use comparing::DiffReport;
pub(crate) use probing::ProbeReport;

/// Requests in a row without an answer by which a model counts as one that does not answer.
pub(crate) const UNHEALTHY: u32 = 3;
/// How long a check says something of a model's health, in seconds.
const FRESH: i64 = 24 * 3600;

/// A band of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BandReport {
    /// `hallucination_rate`.
    pub band: String,
    /// What it is measured by: `fabrication`.
    pub metric: String,
    /// What the fingerprint declares.
    pub declared: Option<&'static str>,
    /// `measured`, `inconclusive`, `declared`: nothing was measured.
    pub standing: &'static str,
    /// `low`, `medium`, `high`; absent where it is inconclusive.
    pub level: Option<&'static str>,
    /// The share with its interval.
    pub share: Option<String>,
    /// Where that comes from.
    pub from: Option<String>,
}

/// A row of `model list`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ModelRow {
    /// The model.
    pub model: String,
    /// Its licence.
    pub licence: String,
    /// `allowed`, `not_allowed`, `unknown`.
    pub commercial_use: &'static str,
    /// Tokens of its weights' window.
    pub context_window: u32,
    /// Its bands.
    pub bands: Vec<BandReport>,
    /// Whether the operator says where it is.
    pub endpoint: bool,
}

/// `model list` as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListReport {
    schema: &'static str,
    version: u32,
    /// By name.
    pub models: Vec<ModelRow>,
    /// Fingerprints that could not be read.
    pub problems: Vec<String>,
}

/// A row of evidence.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EvidenceRow {
    /// What was counted.
    pub metric: String,
    /// The share with its interval.
    pub share: String,
    /// On what.
    pub set: String,
    /// When.
    pub date: String,
    /// The page, or the run.
    pub from: String,
}

/// `model show` as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShowReport {
    schema: &'static str,
    version: u32,
    /// The model.
    pub model: String,
    /// Digest of what is declared of it.
    pub contract: String,
    /// Each field that rules can ask for, with its value.
    pub declared: BTreeMap<&'static str, String>,
    /// What the weights are called.
    pub weights: Option<String>,
    /// Their digest.
    pub digest: Option<String>,
    /// The host that the operator names.
    pub endpoint: Option<String>,
    /// Its bands.
    pub bands: Vec<BandReport>,
    /// What was published or measured.
    pub evidence: Vec<EvidenceRow>,
    /// The newest probe of each kind.
    pub probes: Vec<ProbeSaid>,
    /// Where what was measured is not what is declared.
    pub findings: Vec<String>,
}

/// `model select` as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SelectReport {
    schema: &'static str,
    version: u32,
    /// The task.
    pub task: String,
    /// The model to ask; absent where none will do.
    pub chosen: Option<String>,
    /// Every model, the best first.
    pub models: Vec<Choice>,
}

/// What is known of the models here.
pub(super) struct Known {
    pub(super) fleet: Fleet,
    pub(super) config: Config,
    /// The newest probe of each kind, by model and kind.
    pub(super) probes: BTreeMap<(String, String), ProbeSaid>,
}

impl Known {
    pub(super) fn of(context: &Context) -> Result<Self> {
        let recorded = match &context.place.repository {
            Ok(repository) => journal::recorded(repository)?,
            Err(_) => None,
        };
        let probes = recorded.as_ref().map(journal::probes).transpose()?.unwrap_or_default();
        Ok(Self {
            fleet: models::here(&context.place)?,
            config: models::config(&context.place)?,
            probes: probes::newest(probes),
        })
    }

    pub(super) fn model(&self, name: &str) -> Result<&Fingerprint> {
        match self.fleet.models.get(name) {
            Some(model) => Ok(model),
            None => Err(Failure::new("input", format!("no fingerprint is of `{}`", name.escape_debug()))
                .help("see the names: grace-rules model list; one of your own stands in grace/fingerprints/")),
        }
    }

    fn probe(&self, model: &str, probe: Probe) -> Option<&ProbeSaid> {
        self.probes.get(&(model.to_owned(), probe.name().to_owned()))
    }

    /// What a probe is worth today.
    fn worth(&self, model: &Fingerprint, said: &ProbeSaid) -> Worth {
        let contract = probes::digest_of(model);
        let served = self.config.models.get(&model.model_name);
        said.worth(served.map(|served| Today {
            host: host(&served.url),
            served_as: &served.model,
            contract: &contract,
        }))
    }

    /// The newest probe of a kind, where it says something of the model as it is asked today.
    fn whole(&self, model: &Fingerprint, probe: Probe) -> Option<&ProbeSaid> {
        self.probe(&model.model_name, probe).filter(|said| self.worth(model, said) == Worth::Whole)
    }

    fn bands(&self, model: &Fingerprint) -> Vec<BandReport> {
        self.fleet.bands.iter().map(|band| self.band(model, band)).collect()
    }

    fn band(&self, model: &Fingerprint, band: &Band) -> BandReport {
        let declared = match band.name.as_str() {
            "hallucination_rate" => Some(model.hallucination_rate),
            "bias_risk" => Some(model.bias_risk),
            _ => None,
        };
        let newest = self.newest(model, &band.metric);
        let level = newest.as_ref().map(|found| found.level(band, declared));
        let (standing, level) = match level {
            None => ("declared", declared),
            Some(None) => ("inconclusive", None),
            Some(level) => ("measured", level),
        };
        BandReport {
            band: band.name.clone(),
            metric: band.metric.clone(),
            declared: declared.map(Level::name),
            standing: if newest.is_none() && declared.is_none() { "unmeasured" } else { standing },
            level: level.map(Level::name),
            share: newest.as_ref().map(|found| found.share.clone()),
            from: newest.map(|found| found.from),
        }
    }

    /// The newest evidence of a metric: of this ledger, or of the fingerprint's file.
    fn newest(&self, model: &Fingerprint, metric: &str) -> Option<Found> {
        let said =
            self.probes.values().filter(|said| said.model == model.model_name && said.shares.contains_key(metric));
        let said = said.filter_map(|said| {
            let share = said.shares.get(metric)?;
            let void = match self.worth(model, said) {
                Worth::Whole => None,
                Worth::Void(why) => Some(why),
                Worth::Elsewhere => return None,
            };
            // A probe that tells nothing is no evidence.
            (share.n > 0).then(|| Found {
                date: said.finished.clone(),
                interval: (share.low, share.high),
                share: grace_models::judge::percent(share.count()),
                from: match &void {
                    Some(why) => format!("probe of {}, {why}", said.finished.get(..10).unwrap_or_default()),
                    None => format!("probe of {}", said.finished.get(..10).unwrap_or_default()),
                },
                is_void: void.is_some(),
            })
        });
        let rows = model.evidence.iter().filter(|row| row.metric == metric).map(|row| Found {
            date: row.date.clone(),
            interval: (ten_thousandths(row.low.0), ten_thousandths(row.high.0)),
            share: share_of(row),
            from: origin(row).to_owned(),
            is_void: false,
        });
        said.chain(rows).max_by(|a, b| a.date.cmp(&b.date))
    }

    fn standing(&self, model: &Fingerprint, name: &str, declared: Level) -> Standing {
        let Some(band) = self.fleet.bands.iter().find(|band| band.name == name) else {
            return Standing::Declared(declared.into());
        };
        match self.newest(model, &band.metric).map(|found| found.level(band, Some(declared))) {
            None => Standing::Declared(declared.into()),
            Some(None) => Standing::Inconclusive,
            Some(Some(level)) => Standing::Measured(level.into()),
        }
    }

    fn health(&self, model: &Fingerprint) -> Health {
        let Some(said) = self.probe(&model.model_name, Probe::Inference) else { return Health::Unknown };
        let worth = self.worth(model, said);
        if worth == Worth::Elsewhere {
            return Health::Unknown;
        }
        let age = clock::parse(&said.finished).map(|then| clock::now().as_second() - then.as_second());
        if age.is_none_or(|age| !(0..=FRESH).contains(&age)) {
            return Health::Unknown;
        }
        let unanswered: u32 = said.faults.values().sum();
        if said.most_in_a_row >= UNHEALTHY || unanswered == said.asked {
            let why = format!("{} requests in a row without an answer", said.most_in_a_row);
            return Health::Unhealthy { why };
        }
        match worth {
            Worth::Whole => Health::Healthy { unanswered, asked: said.asked },
            Worth::Void(_) | Worth::Elsewhere => Health::Unknown,
        }
    }
}

struct Found {
    date: String,
    interval: (u32, u32),
    share: String,
    from: String,
    /// It proves nothing good.
    is_void: bool,
}

impl Found {
    /// The level that it shows; `None` = it cannot be told. What proves nothing good still shows what is worse than declared.
    fn level(&self, band: &Band, declared: Option<Level>) -> Option<Level> {
        let level = band.level(self.interval)?;
        (!self.is_void || declared.is_some_and(|declared| level > declared)).then_some(level)
    }
}

fn ten_thousandths(thousandths: u64) -> u32 {
    u32::try_from(thousandths * 10).unwrap_or(10_000)
}

fn share_of(row: &Evidence) -> String {
    let percent = |thousandths: u64| format!("{}.{}", thousandths / 10, thousandths % 10);
    format!("{} % ({} to {} %, n = {})", percent(row.value.0), percent(row.low.0), percent(row.high.0), row.n)
}

fn origin(row: &Evidence) -> &str {
    match &row.origin {
        Origin::Source(url) => url,
        Origin::Run(run) => run,
    }
}

pub(super) fn model(context: &Context, command: &ModelCommand) -> Result<Answer> {
    match command {
        ModelCommand::List => list(context),
        ModelCommand::Show { name } => show(context, name),
        ModelCommand::Diff(args) => comparing::diff(context, args),
        ModelCommand::Check(args) => probing::check(context, args),
        ModelCommand::Probe(args) => probing::probe(context, args),
        ModelCommand::Select { task } => select(context, task),
    }
}

fn list(context: &Context) -> Result<Answer> {
    let known = Known::of(context)?;
    let row = |model: &Fingerprint| ModelRow {
        model: model.model_name.clone(),
        licence: model.licence.clone(),
        commercial_use: model.commercial_use.name(),
        context_window: model.context_window,
        bands: known.bands(model),
        endpoint: known.config.models.contains_key(&model.model_name),
    };
    let report = ListReport {
        schema: "grace-rules/models",
        version: 1,
        models: known.fleet.models.values().map(|model| row(model)).collect(),
        problems: known.fleet.problems.iter().map(ToString::to_string).collect(),
    };
    if context.is_json() {
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    screen::model::list(&mut page, &report);
    Ok(Answer::yes(page.finish()))
}

fn show(context: &Context, name: &str) -> Result<Answer> {
    let known = Known::of(context)?;
    let model = known.model(name)?;
    let value = |value: grace_fingerprints::Value| {
        use grace_fingerprints::Value;
        match value {
            Value::Bool(yes) => if yes { "yes" } else { "no" }.to_owned(),
            Value::Text(text) => text,
            Value::Number(number) => number.to_string(),
            Value::List(names) => names.join(", "),
        }
    };
    let probes: Vec<ProbeSaid> = known.probes.values().filter(|said| said.model == name).cloned().collect();
    let report = ShowReport {
        schema: "grace-rules/model",
        version: 1,
        model: name.to_owned(),
        contract: probes::digest_of(model),
        declared: model.to_facts().map(|(field, found)| (field, value(found))).collect(),
        weights: model.weights.weights.clone(),
        digest: model.weights.digest.clone(),
        endpoint: known.config.models.get(name).map(|said| host(&said.url).to_owned()),
        bands: known.bands(model),
        evidence: model
            .evidence
            .iter()
            .map(|row| EvidenceRow {
                metric: row.metric.clone(),
                share: share_of(row),
                set: row.set.clone(),
                date: row.date.clone(),
                from: origin(row).to_owned(),
            })
            .collect(),
        findings: findings(&known, model, &probes),
        probes,
    };
    let sound = report.findings.is_empty();
    if context.is_json() {
        return Answer::json(&report, sound);
    }
    let mut page = context.page();
    screen::model::show(&mut page, &report);
    Ok(Answer { text: page.finish(), code: u8::from(!sound) })
}

/// Where what was measured is not what is declared now.
fn findings(known: &Known, model: &Fingerprint, probes: &[ProbeSaid]) -> Vec<String> {
    let mut found = Vec::new();
    let contract = probes::digest_of(model);
    for said in probes {
        let Some(probe) = said.kind() else { continue };
        let judged = judge(model, probe, said.samples, &said.measured(), &known.fleet.bands);
        if judged.verdict == grace_models::judge::Verdict::Failed {
            found.extend(judged.reasons.first().map(|why| format!("{}: {why}", said.probe)));
        }
        if said.declared.as_deref().is_some_and(|declared| declared != contract) {
            found.push(format!("the contract has changed since the {} probe; probe it again", said.probe));
        }
        if let (Some(declared), Some(digest)) = (&model.weights.digest, &said.endpoint.said_digest)
            && declared.trim_start_matches("sha256:") != digest.trim_start_matches("sha256:")
        {
            found.push(format!("the server says that its weights are {digest}, declared are {declared}"));
        }
    }
    for band in
        known.fleet.bands.iter().filter(|band| !probes.iter().any(|said| said.shares.contains_key(&band.metric)))
    {
        let declared = match band.name.as_str() {
            "hallucination_rate" => model.hallucination_rate,
            "bias_risk" => model.bias_risk,
            _ => continue,
        };
        if let Some(row) = known.newest(model, &band.metric)
            && band.is_no_worse(row.interval, declared) == Some(false)
        {
            found.push(format!("{} {}, declared {}", band.name, row.share, declared.name()));
        }
    }
    found.dedup();
    found
}

fn select(context: &Context, path: &std::path::Path) -> Result<Answer> {
    let text = files::read_text(&context.place.absolute(path), task::MAX_FILE)?;
    let task = Task::parse(&text).map_err(|wrong| {
        Failure::new("input", format!("{} is no task: {wrong}", quoted(path)))
            .help("docs/models.md says what a task has")
    })?;
    let known = Known::of(context)?;
    let models = choices(&known, &task);
    let chosen = models.first().filter(|choice| choice.will_do).map(|choice| choice.model.clone());
    let report = SelectReport { schema: "grace-rules/model-select", version: 1, task: task.id, chosen, models };
    let found = report.chosen.is_some();
    if context.is_json() {
        return Answer::json(&report, found);
    }
    let mut page = context.page();
    screen::model::select(&mut page, &report);
    Ok(Answer { text: page.finish(), code: u8::from(!found) })
}

/// Every model for a task, the best first.
pub(super) fn choices(known: &Known, task: &Task) -> Vec<Choice> {
    let candidates: Vec<Candidate<'_>> = known
        .fleet
        .models
        .values()
        .map(|model| {
            let name = model.model_name.as_str();
            let window = known.whole(model, Probe::Context).and_then(|said| said.window.as_ref());
            let timed = known.whole(model, Probe::Latency).filter(|said| said.times.n > 0);
            Candidate {
                declared: model,
                has_endpoint: known.config.models.contains_key(name),
                health: known.health(model),
                hallucination: known.standing(model, "hallucination_rate", model.hallucination_rate),
                bias: known.standing(model, "bias_risk", model.bias_risk),
                // What was not looked for further on may be longer.
                served_context: window
                    .filter(|window| window.unit == "tokens" && window.edge != "not_reached")
                    .map(|window| window.served),
                latency_ms: timed.map(|said| said.times.p50_ms),
            }
        })
        .collect();
    task::select(task, &candidates)
}
