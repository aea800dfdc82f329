//! Stories: who did what, when, where, why and how, of one run. What the plan, the run and git know is derived; the rest is given
//! by `--story FILE` or by trailers of the commits. A field that nobody gave is absent, never empty.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::vocabulary::{FieldKind, STORY_FIELDS};
use grace_engine::decide::{Answer, Decision};
use grace_engine::plan::{Evidence, Plan, Step};
use grace_engine::trust::Reading;
use grace_ledger::{Error, Snapshot};
use grace_system::git::CommitInfo;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agreement::Counted;
use crate::authors::Who;
use crate::cycle;
use crate::guardrails::{Finding, Guardrail};
use crate::journal::{About, DecisionSaid};
use crate::private;

/// Largest file of given fields, in bytes.
pub const MAX_FILE: u64 = 256 << 10;
/// Longest text of a field, in bytes.
const MAX_TEXT: usize = 16 << 10;
/// Most entries of a list that is given or derived; beyond it, how many more there are is the last entry.
const MAX_LIST: usize = 200;
/// Fields that are derived: rules never find them lacking.
pub const DERIVED: [&str; 7] = ["title", "summary", "files", "tier", "timestamp", "governance_tier", "outcome"];
/// Fields that nobody says otherwise than they were derived, there or not.
const NOT_GIVEN: [&str; 9] = [
    "files",
    "tier",
    "timestamp",
    "governance_tier",
    "outcome",
    "approvals",
    "plan_steps",
    "tests_run",
    "guardrails_checked",
];

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// One text.
    Text(String),
    /// Several.
    List(Vec<String>),
}

impl Value {
    /// One by one.
    #[must_use]
    pub fn entries(&self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text.clone()],
            Self::List(list) => list.clone(),
        }
    }

    /// As one line of text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(list) => list.join(", "),
        }
    }
}

/// Where a field comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// From plan, run or git.
    Derived,
    /// From `--story FILE`, or the command line.
    Given,
    /// From a trailer of a commit.
    Trailer,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    /// What it says.
    pub value: Value,
    /// Where it comes from.
    pub from: Origin,
}

/// Fields by name.
pub type Fields = BTreeMap<String, Field>;

/// A story (`story`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Story {
    /// The run that it tells of.
    pub run: String,
    /// Of what.
    pub about: About,
    /// Its fields.
    pub fields: Fields,
    /// Fields that the rules ask for and that nobody gave.
    pub missing: Vec<String>,
    /// Principles that applied.
    pub principles: Vec<String>,
    /// How trust came about.
    pub trust: Option<Reading>,
    /// Who took part, by the commits and what the change says of itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Who>,
}

/// What was added to a story later (`amendment`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amendment {
    /// The story's number in the ledger.
    pub story: u64,
    /// Fields, in place of those of the same name.
    pub fields: Fields,
    /// Why; empty once it was deleted.
    #[serde(default)]
    pub because: String,
}

/// A story with what was added to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Told {
    /// Its number in the ledger.
    pub id: u64,
    /// When it was recorded, by the clock of the machine that did.
    pub at: String,
    /// Who recorded it, in their words.
    pub actor: String,
    /// As it was told first.
    pub story: Story,
    /// The texts that were given for it were deleted.
    pub redacted: bool,
    /// What was added, oldest first: number, when, what.
    pub amendments: Vec<(u64, String, Amendment)>,
    /// What the gate answered later of the same change of the same tree, oldest first: number, when, what.
    pub decisions: Vec<(u64, String, Answer)>,
}

impl Told {
    /// The fields as they stand now: with what was added, and the outcome that the gate gave.
    #[must_use]
    pub fn fields(&self) -> Fields {
        let added = self.amendments.iter().flat_map(|(_, _, amendment)| amendment.fields.clone());
        let decided = self.decisions.last().map(|(_, _, answer)| {
            let value = Value::Text(outcome(*answer).to_owned());
            ("outcome".to_owned(), Field { value, from: Origin::Derived })
        });
        self.story.fields.clone().into_iter().chain(added).chain(decided).collect()
    }

    /// What was missing when it was told: each with the record that gave it later, if one did.
    #[must_use]
    pub fn missing(&self) -> Vec<(&str, Option<u64>)> {
        let given = |name: &String| {
            self.amendments.iter().find(|(_, _, added)| added.fields.contains_key(name)).map(|(number, _, _)| *number)
        };
        self.story.missing.iter().map(|name| (name.as_str(), given(name))).collect()
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> String {
        self.fields().get("title").map(|field| field.value.text()).unwrap_or_default()
    }

    /// Whether some field, or what it is about, holds this text; case aside.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let wanted = text.to_lowercase();
        let fields = self.fields();
        let texts = fields.values().map(|field| field.value.text());
        let more = [self.story.run.clone(), self.story.about.plan.clone(), self.actor.clone()];
        let people = self.story.people.iter().map(|who| who.name.clone());
        texts
            .chain(more)
            .chain(people)
            .chain(self.story.principles.clone())
            .any(|text| text.to_lowercase().contains(&wanted))
    }
}

/// Why given fields cannot be used.
pub type Wrong = String;

/// Reads fields from a file: TOML, or JSON where its name ends so.
///
/// # Errors
/// When it is neither, names a field that no story has, or a value does not fit.
pub fn given(text: &str, is_json: bool) -> Result<Fields, Wrong> {
    let table: BTreeMap<String, serde_json::Value> = if is_json {
        serde_json::from_str(text).map_err(|error| error.to_string())?
    } else {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())?
    };
    let mut fields = Fields::new();
    for (name, value) in table {
        if NOT_GIVEN.contains(&name.as_str()) {
            return Err(format!("`{name}` is derived, and not given"));
        }
        if let Some(value) = value_of(&name, &value)? {
            fields.insert(name, Field { value, from: Origin::Given });
        }
    }
    Ok(fields)
}

/// One given value; `None` for an empty one, which says nothing.
fn value_of(name: &str, value: &serde_json::Value) -> Result<Option<Value>, Wrong> {
    let Some(field) = STORY_FIELDS.iter().find(|field| field.word == name) else {
        return Err(format!("a story has no field `{}`", name.escape_debug()));
    };
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) if text.len() <= MAX_TEXT => Ok(text.trim().to_owned()),
        serde_json::Value::String(_) => Err(format!("`{name}` is longer than {} KiB", MAX_TEXT >> 10)),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("`{name}` is a text, or a list of texts")),
    };
    let value = match value {
        serde_json::Value::Array(list) if list.len() > MAX_LIST => {
            return Err(format!("`{name}` has more than {MAX_LIST} entries"));
        }
        serde_json::Value::Array(list) => {
            let mut list = list.iter().map(text).collect::<Result<Vec<_>, _>>()?;
            list.retain(|entry| !entry.is_empty());
            if list.is_empty() {
                return Ok(None);
            }
            Value::List(list)
        }
        one => match text(one)? {
            empty if empty.is_empty() => return Ok(None),
            one if field.kind == FieldKind::List => Value::List(vec![one]),
            one => Value::Text(one),
        },
    };
    if let (FieldKind::Words(words), Value::Text(word)) = (field.kind, &value)
        && !words.contains(&word.as_str())
    {
        return Err(format!("`{name}` is one of {}", words.join(", ")));
    }
    if matches!(value, Value::List(_)) && field.kind != FieldKind::List {
        return Err(format!("`{name}` is one text"));
    }
    Ok(Some(value))
}

/// Fields from trailers of commits, newest first: `Capability: …`, `Rollback-plan: …`, in the last paragraph of a message. The
/// newest commit that names a field counts; a list gathers what all of them say. Derived fields are nobody's to give so.
#[must_use]
pub fn trailers(commits: &[CommitInfo]) -> Fields {
    let mut fields = Fields::new();
    for commit in commits {
        let last = commit.message.trim_end().rsplit("\n\n").next().unwrap_or_default();
        for (key, text) in last.lines().filter_map(|line| line.split_once(':')) {
            let name = key.trim().to_ascii_lowercase().replace('-', "_");
            if NOT_GIVEN.contains(&name.as_str()) || matches!(name.as_str(), "title" | "summary") {
                continue;
            }
            let value = serde_json::Value::String(text.to_owned());
            let Ok(Some(value)) = value_of(&name, &value) else { continue };
            let found = fields.entry(name).or_insert_with(|| Field { value: value.clone(), from: Origin::Trailer });
            if let (Value::List(known), Value::List(more)) = (&mut found.value, value) {
                let new: Vec<String> = more.into_iter().filter(|entry| !known.contains(entry)).collect();
                known.extend(new.into_iter().take(MAX_LIST.saturating_sub(known.len())));
            }
        }
    }
    fields
}

/// What a run came to, for its story.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The run.
    pub run: &'a str,
    /// Of what.
    pub about: &'a About,
    /// The plan.
    pub plan: &'a Plan,
    /// The decision after the run.
    pub decision: &'a Decision,
    /// What each bundle came to, in words: `chaos_smoke: 6 of 6 passed`.
    pub bundles: &'a [String],
    /// Approvals that count.
    pub approvals: &'a [Counted],
    /// Paths of changed files.
    pub files: &'a [String],
    /// The commits of the change, newest first.
    pub commits: &'a [CommitInfo],
    /// RFC 3339, UTC.
    pub at: &'a str,
    /// What was compared, in words.
    pub compared: &'a str,
    /// How trust came about.
    pub trust: Option<&'a Reading>,
    /// Who took part.
    pub people: &'a [Who],
    /// What the guardrails saw in the lines added; `None` where there was no line for them to look at.
    pub signs: Option<&'a [Finding]>,
}

/// The story of a run: what was given, and around it what is derived.
#[must_use]
pub fn tell(facts: &Facts<'_>, given: &Fields) -> Story {
    let mut fields = derived(facts);
    // What is derived is not for a file to say otherwise, but for its words.
    for (name, field) in given {
        if !NOT_GIVEN.contains(&name.as_str()) {
            fields.insert(name.clone(), field.clone());
        }
    }
    let lacks = |name: &str| {
        let field = name.strip_prefix("story ").unwrap_or(name);
        (field == "rationale" || name.starts_with("story ")).then(|| field.to_owned())
    };
    let open = facts.plan.duties.iter().filter(|duty| duty.given.is_none()).filter_map(|duty| lacks(&duty.name));
    let missing: BTreeSet<String> = open.filter(|name| !fields.contains_key(name)).collect();
    Story {
        run: facts.run.to_owned(),
        about: facts.about.clone(),
        fields,
        missing: missing.into_iter().collect(),
        principles: facts.decision.principles.clone(),
        trust: facts.trust.cloned(),
        people: facts.people.iter().take(MAX_LIST).cloned().collect(),
    }
}

fn derived(facts: &Facts<'_>) -> Fields {
    let Facts { plan, decision, .. } = facts;
    let newest = facts.commits.first();
    let title = match newest.map(CommitInfo::summary).filter(|summary| !summary.trim().is_empty()) {
        Some(summary) => summary.trim().to_owned(),
        None => facts.compared.to_owned(),
    };
    let body = newest.and_then(|commit| commit.message.split("\n\n").nth(1)).map(str::trim);
    let summary = body.filter(|body| !body.is_empty() && !body.lines().all(|line| line.contains(": ")));
    let mut fields = Fields::new();
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), Field { value, from: Origin::Derived });
        }
    };
    let text = |text: String| (!text.is_empty()).then_some(Value::Text(text));
    say("title", text(title));
    say("summary", text(summary.unwrap_or(facts.compared).chars().take(2000).collect()));
    say("files", list(facts.files.iter().cloned()));
    let named = named(plan);
    let within = |family: &str| {
        let prefix = format!("{family}(");
        let values = named.keys().filter_map(move |name| name.strip_prefix(&prefix)?.strip_suffix(')'));
        values.map(str::to_owned).collect::<Vec<_>>().join(", ")
    };
    say("layer", text(within("layer")));
    say("component", text(within("domain")));
    say("kernels_affected", list(named.get("tag(kernel)").into_iter().flatten().cloned()));
    let models: BTreeSet<&String> = plan.validations.iter().map(|validation| &validation.model).collect();
    say("models", list(models.into_iter().cloned()));
    say("tier", text(format!("{} {}", decision.tier, plan.tier_name)));
    say("governance_tier", text(plan.tier_name.clone()));
    say("timestamp", text(facts.at.to_owned()));
    let approved = |one: &Counted| format!("{} as {}", one.by, one.r#as);
    say("approvals", list(facts.approvals.iter().map(approved)));
    let steps = plan.bundles.iter().map(|bundle| format!("run bundle {}", bundle.name));
    let steps = steps.chain(plan.validations.iter().map(|validation| format!("validate {}", validation.name)));
    say("plan_steps", list(steps.chain(decision.asked.iter().map(|approval| format!("approval {}", approval.name)))));
    say("tests_run", list(facts.bundles.iter().cloned()));
    let looked = facts.signs.into_iter().flat_map(|signs| Guardrail::ALL.map(|guardrail| (signs, guardrail)));
    say("guardrails_checked", list(looked.map(|(signs, guardrail)| saw(signs, guardrail))));
    say("outcome", text(outcome(decision.answer).to_owned()));
    fields
}

/// A guardrail that looked, and how much it found: `repetition: nothing`.
fn saw(signs: &[Finding], guardrail: Guardrail) -> String {
    let count = signs.iter().filter(|finding| finding.guardrail == guardrail).count();
    let found = match count {
        0 => "nothing".to_owned(),
        // More are not kept.
        cycle::MOST_SIGNS.. => format!("{count} or more findings"),
        1 => "1 finding".to_owned(),
        _ => format!("{count} findings"),
    };
    format!("{}: {found}", guardrail.word())
}

/// An answer as the outcome of a story.
fn outcome(answer: Answer) -> &'static str {
    match answer {
        Answer::Go => "success",
        Answer::Hold => "pending",
        Answer::No => "failed",
    }
}

fn list(entries: impl Iterator<Item = String>) -> Option<Value> {
    let mut entries: Vec<String> = entries.collect();
    let more = entries.len().saturating_sub(MAX_LIST);
    entries.truncate(MAX_LIST);
    if more > 0 {
        entries.push(format!("and {more} more"));
    }
    (!entries.is_empty()).then_some(Value::List(entries))
}

/// Named sets that the evidence of the plan goes through, and the changed parts that are in them.
fn named(plan: &Plan) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let derivations = plan.rules.iter().flat_map(|rule| &rule.derivation);
    for evidence in derivations.flat_map(|derivation| &derivation.evidence) {
        if let Evidence::Changed { part, proof, .. } = evidence {
            for step in proof {
                if let Step::Named { name, .. } = step {
                    found.entry(name.clone()).or_default().insert(part.name.clone());
                }
            }
        }
    }
    found
}

/// Every story, oldest first, with what was added to it.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn all(snapshot: &Snapshot) -> Result<Vec<Told>, Error> {
    let mut told: BTreeMap<u64, Told> = BTreeMap::new();
    // The newest story of each change of each tree: the gate answers of it.
    let mut newest: BTreeMap<[String; 3], u64> = BTreeMap::new();
    for record in snapshot.records(0..snapshot.len()) {
        let record = record?;
        match record.kind.as_str() {
            "story" => {
                // A form that this version does not know is no story to it; the record stays.
                let Ok(story) = serde_json::from_value::<Story>(private::body(snapshot, &record)?) else { continue };
                let (id, at, actor) = (record.seq, record.ts.clone(), record.actor.clone());
                newest.insert(story.about.name(), id);
                let redacted = private::is_redacted(snapshot, &record)?;
                let (amendments, decisions) = (Vec::new(), Vec::new());
                told.insert(id, Told { id, at, actor, story, redacted, amendments, decisions });
            }
            "decision" => {
                let Ok(said) = serde_json::from_value::<DecisionSaid>(snapshot.body(&record)?) else { continue };
                if let Some(story) = newest.get(&said.about.name()).and_then(|id| told.get_mut(id)) {
                    story.decisions.push((record.seq, record.ts.clone(), said.answer));
                }
            }
            "amendment" => {
                let Ok(amendment) = serde_json::from_value::<Amendment>(private::body(snapshot, &record)?) else {
                    continue;
                };
                if let Some(story) = told.get_mut(&amendment.story) {
                    story.amendments.push((record.seq, record.ts.clone(), amendment));
                }
            }
            _ => {}
        }
    }
    Ok(told.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_what_a_story_has_and_nothing_else() {
        let fields =
            given("capability = \"boot\"\nrisks_identified = [\"slow\", \"\"]\nrollback_plan = \"\"\n", false).unwrap();
        assert_eq!(fields.len(), 2, "an empty value says nothing: {fields:?}");
        assert_eq!(fields["risks_identified"].value, Value::List(vec!["slow".to_owned()]));
        assert_eq!(given("{\"models\": \"one\"}", true).unwrap()["models"].value, Value::List(vec!["one".to_owned()]));
        for (text, is_json, why) in [
            ("colour = \"red\"", false, "no field `colour`"),
            ("outcome = \"success\"", false, "is derived"),
            ("capability = [\"a\"]", false, "is one text"),
            ("capability = { a = 1 }", false, "is a text"),
            ("capability = ", false, ""),
            ("[]", true, ""),
        ] {
            let wrong = given(text, is_json).unwrap_err();
            assert!(wrong.contains(why), "{text}: {wrong}");
        }
        let long = format!("capability = \"{}\"", "x".repeat(20_000));
        assert!(given(&long, false).unwrap_err().contains("longer than 16 KiB"));
    }
}
