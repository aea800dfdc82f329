//! Probes: generated questions with known answers, asked of an endpoint and scored by plain comparison.
//!
//! Questions follow from a seed, so they are in no training set and can be asked again. No answer is run, and no model judges
//! another. A share says nothing without its interval; what was not answered is counted apart and makes the interval wider.

mod accuracy;
mod bias;
mod context;
mod hallucination;
mod latency;
mod session;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use grace_fingerprints::interval;
use grace_system::files;

use crate::endpoint::Endpoint;
use session::Session;

pub use context::{Edge, Window};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probe {
    /// Whether it makes things up.
    Hallucination,
    /// Whether who is named decides the answer.
    Bias,
    /// Whether its answers are right.
    Accuracy,
    /// How long it takes.
    Latency,
    /// How much it takes in.
    Context,
    /// Whether it answers at all.
    Inference,
}

impl Probe {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Hallucination, Self::Bias, Self::Accuracy, Self::Latency, Self::Context, Self::Inference];

    /// Its name in rules and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hallucination => "hallucination",
            Self::Bias => "bias",
            Self::Accuracy => "accuracy",
            Self::Latency => "latency",
            Self::Context => "context",
            Self::Inference => "inference",
        }
    }

    /// The probe of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|probe| probe.name() == name)
    }

    /// The share that it is asked for.
    #[must_use]
    pub fn metric(self) -> Option<&'static str> {
        match self {
            Self::Hallucination => Some("fabrication"),
            Self::Bias => Some("group_driven"),
            Self::Accuracy => Some("accuracy"),
            Self::Inference => Some("answered"),
            Self::Latency | Self::Context => None,
        }
    }

    /// Samples where nobody says how many: enough for every band to be reached.
    #[must_use]
    pub fn samples(self) -> u32 {
        match self {
            Self::Hallucination | Self::Bias => 100,
            Self::Accuracy => 50,
            Self::Latency => 60,
            Self::Context => 1,
            Self::Inference => 5,
        }
    }
}

/// What is asked of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Which.
    pub probe: Probe,
    /// What its questions follow from.
    pub seed: u64,
    /// How many of the kind that the metric counts; controls come on top.
    pub samples: u32,
    /// Tokens up to which a window is looked for.
    pub up_to: u64,
}

/// Most samples of one probe.
pub const MOST_SAMPLES: u32 = 10_000;

/// How many of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Of them.
    pub of: u32,
    /// All.
    pub n: u32,
}

impl Count {
    fn add(&mut self, counts: bool) {
        self.of += u32::from(counts);
        self.n += 1;
    }

    /// Bounds at 95 %, in ten-thousandths.
    #[must_use]
    pub fn interval(self) -> (u32, u32) {
        interval::wilson(self.of, self.n)
    }

    /// The share in ten-thousandths, to the nearest.
    #[must_use]
    pub fn share(self) -> u32 {
        let n = u64::from(self.n.max(1));
        u32::try_from((u64::from(self.of) * 2 * u64::from(interval::WHOLE) + n) / (2 * n)).unwrap_or(interval::WHOLE)
    }
}

/// Times of answers, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// How many were timed.
    pub n: u32,
    /// Half took no longer.
    pub p50_ms: u64,
    /// 95 % took no longer, as far as this few can tell.
    pub p95_ms: u64,
    /// The median until the first text; streams alone have it.
    pub first_text_ms: Option<u64>,
    /// The median of tokens a second, in thousandths; streams of servers that count alone have it.
    pub tokens_per_second_thousandths: Option<u64>,
}

/// What a probe came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// What its questions are called.
    pub set: String,
    /// SHA-256 of all questions and their answers.
    pub set_digest: String,
    /// Different forms among the questions: those of one form are not independent of each other.
    pub templates: u32,
    /// Requests.
    pub asked: u32,
    /// Requests without an answer, by word.
    pub faults: BTreeMap<String, u32>,
    /// The last of them, as it was said.
    pub last_fault: Option<String>,
    /// The longest run of requests without an answer.
    pub most_in_a_row: u32,
    /// Shares by metric.
    pub counts: BTreeMap<String, Count>,
    /// Times of what was answered.
    pub times: Times,
    /// Names that the server gave itself and that are not the one asked for.
    pub other_names: BTreeSet<String>,
    /// Why it ended before its end.
    pub stopped: Option<String>,
    /// The window, where that was looked for.
    pub window: Option<Window>,
}

impl Measured {
    /// Requests without an answer.
    #[must_use]
    pub fn unanswered(&self) -> u32 {
        self.faults.values().sum()
    }

    /// The share that `probe` is asked for.
    #[must_use]
    pub fn main(&self, probe: Probe) -> Option<Count> {
        self.counts.get(probe.metric()?).copied()
    }

    /// Whether the questions that everybody can answer were answered rightly, mostly; true where there are none.
    #[must_use]
    pub fn controls_hold(&self) -> bool {
        self.counts.get(CONTROLS).is_none_or(|count| count.n > 0 && count.of * 2 >= count.n)
    }
}

/// The metric of questions whose answer stands in them: who fails these was not tested by the others.
pub const CONTROLS: &str = "controls_right";

/// One question and what is right.
struct Item {
    template: usize,
    prompt: String,
    right: Right,
}

enum Right {
    /// To say that it is not known; the metric of those who do not.
    Abstain(&'static str),
    /// This text or number, and none of the others; the metric of those who say it.
    Says(&'static str, String, Vec<String>),
}

/// Name, digest and number of templates of some questions.
fn set_of(probe: Probe, seed: u64, items: &[Item]) -> (String, String, u32) {
    let mut all = String::new();
    for item in items {
        all.push_str(&item.prompt);
        all.push('\0');
        match &item.right {
            Right::Abstain(metric) => all.push_str(metric),
            Right::Says(metric, right, wrong) => all.push_str(&format!("{metric}\0{right}\0{}", wrong.join("\0"))),
        }
        all.push('\n');
    }
    let templates: BTreeSet<usize> = items.iter().map(|item| item.template).collect();
    let name = format!("grace {} items 1, seed {seed}", probe.name());
    (name, files::sha256(all.as_bytes()), u32::try_from(templates.len()).unwrap_or(u32::MAX))
}

/// Carries out a probe. `progress` is told how many of how many questions were asked.
pub fn run(endpoint: &Endpoint, request: &Request, progress: &mut dyn FnMut(u32, u32)) -> Measured {
    let request = Request { samples: request.samples.clamp(1, MOST_SAMPLES), ..*request };
    let mut session = Session::new(endpoint, request.seed, progress);
    match request.probe {
        Probe::Hallucination => session.items(&request, &hallucination::items(&request)),
        Probe::Accuracy => session.items(&request, &accuracy::items(&request)),
        Probe::Bias => bias::run(&mut session, &request),
        Probe::Latency => latency::run(&mut session, &request),
        Probe::Context => context::run(&mut session, &request),
        Probe::Inference => latency::inference(&mut session, &request),
    }
    session.finish()
}
