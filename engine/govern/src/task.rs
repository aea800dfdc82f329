//! A task for a coding agent as its file says it, and which model is to be asked for it, with why and why not.

use std::collections::BTreeMap;

use grace_fingerprints::{CommercialUse, Fingerprint, Level, Thousandths};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Largest file of a task, in bytes.
pub const MAX_FILE: u64 = 64 << 10;
/// Most files that a task may name.
const MOST_FILES: usize = 200;
/// Longest text of a task, in bytes.
const LONGEST: usize = 16 << 10;
/// Longest name of a task.
const LONGEST_ID: usize = 64;

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What it is called.
    pub id: String,
    /// What is to be done.
    pub description: String,
    /// What it is: `refactor`.
    pub operation: Option<String>,
    /// The files that it may touch: paths from the root, or folders that end in `/`.
    #[serde(default)]
    pub files: Vec<String>,
    /// What a model must be good at: `code_generation`.
    pub capability: Option<String>,
    /// The model to take if it will do.
    pub model: Option<String>,
    /// Arguments of a command that tests it.
    #[serde(default)]
    pub test: Vec<String>,
    /// What a model must fulfil.
    #[serde(default)]
    pub needs: Needs,
    /// Fields of its story.
    #[serde(default)]
    pub story: BTreeMap<String, String>,
}

/// What a task asks of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Needs {
    /// Tokens that must fit.
    pub context: Option<u32>,
    /// Its licence lets a product use it.
    pub commercial: bool,
    /// Licences, one of which it must have; empty for any.
    pub licences: Vec<String>,
    /// The least declared trust, in thousandths.
    pub trust_thousandths: Option<u64>,
    /// The highest rate of inventions: `low`, `medium`, `high`.
    pub hallucination: Option<String>,
    /// The highest bias: `low`, `medium`, `high`.
    pub bias: Option<String>,
    /// The longest usual answer, in milliseconds.
    pub latency_ms: Option<u32>,
    /// What is only declared does not do.
    pub measured: bool,
}

impl Task {
    /// Reads a task's file (TOML).
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let task: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            line.map_or_else(|| error.message().to_owned(), |line| format!("line {line}: {}", error.message()))
        })?;
        if task.id.trim().is_empty() || task.description.trim().is_empty() {
            return Err("`id` and `description` say something".to_owned());
        }
        if task.files.len() > MOST_FILES {
            return Err(format!("more than {MOST_FILES} files"));
        }
        if task.description.len() > LONGEST {
            return Err(format!("`description` has more than {LONGEST} bytes"));
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if task.id.len() > LONGEST_ID || !task.id.chars().all(is_word) || task.id.starts_with('-') {
            return Err(format!("`id` is 1 to {LONGEST_ID} letters, digits, `-` or `_`"));
        }
        for file in &task.files {
            let bad = |part: &str| part.is_empty() || part == "." || part == ".." || part.eq_ignore_ascii_case(".git");
            let plain = file.strip_suffix('/').unwrap_or(file);
            if file.contains('\\') || plain.split('/').any(bad) {
                return Err(format!("`{}` is no path from the root", file.escape_debug()));
            }
        }
        for (name, level) in [("hallucination", &task.needs.hallucination), ("bias", &task.needs.bias)] {
            if let Some(level) = level
                && level_of(level).is_none()
            {
                return Err(format!("`needs.{name}` is `low`, `medium` or `high`"));
            }
        }
        Ok(task)
    }

    /// Whether it lets this file be touched.
    #[must_use]
    pub fn allows(&self, path: &str) -> bool {
        self.files.iter().any(|target| match target.strip_suffix('/') {
            Some(folder) => path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
            None => path == target,
        })
    }
}

fn level_of(name: &str) -> Option<Level> {
    Level::NAMES.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
}

/// How far a band is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// By evidence whose interval lies in one level.
    Measured(LevelWord),
    /// There is evidence, and it is too little.
    Inconclusive,
    /// Nobody measured it; the level is what is declared.
    Declared(LevelWord),
}

/// A level as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LevelWord {
    /// The lowest.
    Low,
    /// Between.
    Medium,
    /// The highest.
    High,
}

impl From<Level> for LevelWord {
    fn from(level: Level) -> Self {
        match level {
            Level::Low => Self::Low,
            Level::Medium => Self::Medium,
            Level::High => Self::High,
        }
    }
}

impl LevelWord {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Whether a model answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Health {
    /// It answered when it was checked last.
    Healthy {
        /// Requests without an answer.
        unanswered: u32,
        /// Requests.
        asked: u32,
    },
    /// It did not.
    Unhealthy {
        /// Why.
        why: String,
    },
    /// It was not checked, or too long ago.
    Unknown,
}

/// A model that could be asked.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// What is declared of it.
    pub declared: &'a Fingerprint,
    /// Whether the operator says where it is.
    pub has_endpoint: bool,
    /// Whether it answers.
    pub health: Health,
    /// How often it makes things up.
    pub hallucination: Standing,
    /// How far groups decide.
    pub bias: Standing,
    /// Tokens that its endpoint takes, as measured.
    pub served_context: Option<u64>,
    /// Milliseconds of an answer, as measured.
    pub latency_ms: Option<u64>,
}

/// What was decided of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Choice {
    /// The model.
    pub model: String,
    /// Whether it will do.
    pub will_do: bool,
    /// What speaks for it.
    pub why: Vec<String>,
    /// What speaks against it; not empty where it will not do.
    pub why_not: Vec<String>,
}

/// All candidates, the best first: those that will do, then the others by name.
#[must_use]
pub fn select(task: &Task, candidates: &[Candidate<'_>]) -> Vec<Choice> {
    let mut judged: Vec<(bool, Rank, Choice)> = candidates
        .iter()
        .map(|candidate| {
            let (why, why_not) = weigh(task, candidate);
            let model = candidate.declared.model_name.clone();
            let choice = Choice { model, will_do: why_not.is_empty(), why, why_not };
            (!choice.will_do, rank(task, candidate), choice)
        })
        .collect();
    judged.sort_by(|a, b| (a.0, &a.1, &a.2.model).cmp(&(b.0, &b.1, &b.2.model)));
    judged.into_iter().map(|(.., choice)| choice).collect()
}

/// Preferred, then fewest errors (in ten-thousandths), then recommended, then most trusted, then quickest.
type Rank = (bool, u64, bool, std::cmp::Reverse<Thousandths>, u64);

fn rank(task: &Task, candidate: &Candidate<'_>) -> Rank {
    let declared = candidate.declared;
    let errors = match candidate.health {
        Health::Healthy { unanswered, asked } => u64::from(unanswered) * 10_000 / u64::from(asked.max(1)),
        Health::Unhealthy { .. } | Health::Unknown => u64::MAX,
    };
    let recommended = task.capability.as_ref().is_some_and(|wanted| declared.recommended_for.contains(wanted));
    let latency = candidate.latency_ms.unwrap_or(declared.typical_latency_ms.into());
    let preferred = task.model.as_ref() == Some(&declared.model_name);
    (!preferred, errors, !recommended, std::cmp::Reverse(declared.trust_score), latency)
}

fn weigh(task: &Task, candidate: &Candidate<'_>) -> (Vec<String>, Vec<String>) {
    let (declared, needs) = (candidate.declared, &task.needs);
    let (mut why, mut why_not) = (Vec::new(), Vec::new());
    if task.model.as_ref() == Some(&declared.model_name) {
        why.push("the task prefers it".to_owned());
    }
    if !candidate.has_endpoint {
        why_not.push("the operator's configuration names no endpoint for it".to_owned());
    }
    match &candidate.health {
        Health::Healthy { unanswered, asked } => {
            why.push(format!("{unanswered} of {asked} requests without an answer"))
        }
        Health::Unhealthy { why } => why_not.push(format!("it does not answer well: {why}")),
        Health::Unknown if candidate.has_endpoint => {
            why_not.push(format!("its health is not known: grace-rules model check {}", declared.model_name));
        }
        Health::Unknown => {}
    }
    if let Some(wanted) = &task.capability {
        let has = |list: &[String]| list.contains(wanted);
        if has(&declared.not_recommended_for) || has(&declared.weaknesses) {
            why_not.push(format!("not recommended for {wanted}"));
        } else if has(&declared.recommended_for) {
            why.push(format!("recommended for {wanted}"));
        } else if has(&declared.strengths) {
            why.push(format!("good at {wanted}"));
        } else {
            why_not.push(format!("nothing says that it is good at {wanted}"));
        }
    }
    if let Some(context) = needs.context {
        let (window, whose) = match candidate.served_context {
            Some(served) => (served, "its endpoint takes"),
            None => (declared.context_window.into(), "its weights have"),
        };
        if window < u64::from(context) {
            why_not.push(format!("{whose} {window} tokens, needed are {context}"));
        } else {
            why.push(format!("{whose} {window} tokens"));
        }
    }
    match (needs.commercial, declared.commercial_use) {
        (true, CommercialUse::NotAllowed) => why_not.push(format!("{} forbids a product's use", declared.licence)),
        (true, CommercialUse::Unknown) => {
            why_not.push(format!("nobody says whether {} allows a product", declared.licence))
        }
        (true, CommercialUse::Allowed) | (false, _) => {}
    }
    if !needs.licences.is_empty() && !needs.licences.contains(&declared.licence) {
        why_not.push(format!("its licence is {}", declared.licence));
    }
    if let Some(least) = needs.trust_thousandths
        && declared.trust_score.0 < least
    {
        why_not.push(format!("trust {}, needed is {}", declared.trust_score, Thousandths(least)));
    }
    for (name, standing, most) in
        [("hallucination", candidate.hallucination, &needs.hallucination), ("bias", candidate.bias, &needs.bias)]
    {
        let Some(most) = most.as_deref().and_then(level_of).map(LevelWord::from) else { continue };
        match standing {
            Standing::Measured(level) if level <= most => why.push(format!("{name} {}, measured", level.word())),
            Standing::Declared(level) if level <= most && !needs.measured => {
                why.push(format!("{name} {}, declared and not measured", level.word()));
            }
            Standing::Declared(level) if level <= most => {
                why_not.push(format!("{name} {} is declared and not measured", level.word()));
            }
            Standing::Inconclusive => why_not.push(format!("what was measured of its {name} is inconclusive")),
            Standing::Measured(level) | Standing::Declared(level) => {
                why_not.push(format!("{name} {}, allowed is {}", level.word(), most.word()));
            }
        }
    }
    if let Some(most) = needs.latency_ms {
        let (took, how) = candidate
            .latency_ms
            .map_or((declared.typical_latency_ms.into(), "declared"), |measured| (measured, "measured"));
        if took > u64::from(most) {
            why_not.push(format!("an answer takes {took} ms ({how}), allowed are {most} ms"));
        }
    }
    (why, why_not)
}

#[cfg(test)]
mod tests {
    use grace_fingerprints::{parse, shipped};

    use super::*;

    fn fleet() -> Vec<Fingerprint> {
        shipped().iter().filter_map(|(path, text)| parse(path, text).ok()).collect()
    }

    fn candidate(declared: &Fingerprint) -> Candidate<'_> {
        Candidate {
            declared,
            has_endpoint: true,
            health: Health::Healthy { unanswered: 0, asked: 5 },
            hallucination: Standing::Declared(declared.hallucination_rate.into()),
            bias: Standing::Declared(declared.bias_risk.into()),
            served_context: None,
            latency_ms: None,
        }
    }

    fn task(more: &str) -> Task {
        Task::parse(&format!("id = \"T-1\"\ndescription = \"Do it.\"\ncapability = \"code_generation\"\n{more}"))
            .unwrap()
    }

    fn choice<'a>(choices: &'a [Choice], model: &str) -> &'a Choice {
        choices.iter().find(|choice| choice.model == model).unwrap()
    }

    #[test]
    fn the_most_trusted_of_those_that_are_good_at_it_is_chosen() {
        let fleet = fleet();
        let all: Vec<Candidate<'_>> = fleet.iter().map(candidate).collect();
        let choices = select(&task(""), &all);
        assert_eq!(choices[0].model, "llama3.2:3b");
        assert_eq!(choices[0].why, ["0 of 5 requests without an answer", "recommended for code_generation"]);
        assert_eq!(choice(&choices, "yi:6b").why_not, ["nothing says that it is good at code_generation"]);
        // A named preference wins where it will do.
        let choices = select(&task("model = \"codellama:7b\"\n"), &all);
        assert_eq!(choices[0].model, "codellama:7b");
        let choices = select(&task("model = \"yi:6b\"\n"), &all);
        assert_eq!(choices[0].model, "llama3.2:3b");
    }

    #[test]
    fn fewer_errors_go_before_trust() {
        let fleet = fleet();
        let mut all: Vec<Candidate<'_>> = fleet.iter().map(candidate).collect();
        for one in all.iter_mut().filter(|one| one.declared.model_name == "llama3.2:3b") {
            one.health = Health::Healthy { unanswered: 1, asked: 5 };
        }
        assert_eq!(select(&task(""), &all)[0].model, "qwen2.5-coder:7b");
    }

    #[test]
    fn each_need_rules_out_with_its_reason() {
        let fleet = fleet();
        let solar = fleet.iter().find(|model| model.model_name == "solar:10.7b").unwrap();
        let ruled_out = |more: &str, change: &dyn Fn(&mut Candidate<'_>)| {
            let text = format!("id = \"T\"\ndescription = \"d\"\ncapability = \"reasoning\"\n{more}");
            let mut one = candidate(solar);
            change(&mut one);
            select(&Task::parse(&text).unwrap(), &[one]).remove(0).why_not
        };
        let same = |_: &mut Candidate<'_>| ();
        assert_eq!(ruled_out("", &same), Vec::<String>::new());
        assert_eq!(ruled_out("[needs]\ncommercial = true\n", &same), ["CC-BY-NC-4.0 forbids a product's use"]);
        assert_eq!(ruled_out("[needs]\nlicences = [\"MIT\"]\n", &same), ["its licence is CC-BY-NC-4.0"]);
        assert_eq!(ruled_out("[needs]\ncontext = 8192\n", &same), ["its weights have 4096 tokens, needed are 8192"]);
        let served = |one: &mut Candidate<'_>| one.served_context = Some(2048);
        assert_eq!(
            ruled_out("[needs]\ncontext = 4096\n", &served),
            ["its endpoint takes 2048 tokens, needed are 4096"]
        );
        assert_eq!(ruled_out("[needs]\ntrust_thousandths = 800\n", &same), ["trust 0.75, needed is 0.8"]);
        assert_eq!(
            ruled_out("[needs]\nhallucination = \"low\"\nmeasured = true\n", &same),
            ["hallucination low is declared and not measured"]
        );
        let high = |one: &mut Candidate<'_>| one.hallucination = Standing::Measured(LevelWord::High);
        assert_eq!(
            ruled_out("[needs]\nhallucination = \"medium\"\n", &high),
            ["hallucination high, allowed is medium"]
        );
        let vague = |one: &mut Candidate<'_>| one.bias = Standing::Inconclusive;
        assert_eq!(ruled_out("[needs]\nbias = \"high\"\n", &vague), ["what was measured of its bias is inconclusive"]);
        assert_eq!(
            ruled_out("[needs]\nlatency_ms = 1000\n", &same),
            ["an answer takes 3000 ms (declared), allowed are 1000 ms"]
        );
        let sick = |one: &mut Candidate<'_>| one.health = Health::Unhealthy { why: "3 in a row".to_owned() };
        assert_eq!(ruled_out("", &sick), ["it does not answer well: 3 in a row"]);
        let nowhere = |one: &mut Candidate<'_>| {
            one.has_endpoint = false;
            one.health = Health::Unknown;
        };
        assert_eq!(ruled_out("", &nowhere), ["the operator's configuration names no endpoint for it"]);
    }

    #[test]
    fn a_task_names_what_may_be_touched_and_nothing_else() {
        let task = task("files = [\"app/x.py\", \"lib/\"]\n");
        for (path, allowed) in
            [("app/x.py", true), ("lib/a/b.py", true), ("lib", false), ("library/x.py", false), ("app/x.pyc", false)]
        {
            assert_eq!(task.allows(path), allowed, "{path}");
        }
    }

    #[test]
    fn a_file_that_is_no_task_says_why() {
        for (text, why) in [
            ("id = \"../a\"\ndescription = \"b\"\n", "`id` is"),
            ("id = \"a\"\ndescription = \"b\"\nfiles = [\"../x.py\"]\n", "no path"),
            ("id = \"a\"\ndescription = \"b\"\nfiles = [\"/etc/passwd\"]\n", "no path"),
            ("id = \"a\"\ndescription = \"b\"\nfiles = [\".git/config\"]\n", "no path"),
            ("id = 1", "line 1"),
            ("id = \"a\"\ndescription = \" \"\n", "say something"),
            ("id = \"a\"\ndescription = \"b\"\ncolour = \"red\"\n", "colour"),
            ("id = \"a\"\ndescription = \"b\"\n[needs]\nbias = \"tiny\"\n", "`needs.bias`"),
        ] {
            let wrong = Task::parse(text).unwrap_err();
            assert!(wrong.contains(why), "{text}: {wrong}");
        }
    }
}
