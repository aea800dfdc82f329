//! Practices: ways of working that are declared, and those that are taken from stories that went well; how often each was used
//! and how that ended, counted from the stories that the ledger holds; which fit a change.
//!
//! Nothing is kept of it: the same ledger and the same rules give the same counts.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::Role;
use grace_dsl::ast::{ItemKind, OperationalKind, Word};
use grace_engine::input::Book;
use grace_engine::plan::{Evidence, PartRef, Plan, Step};
use schemars::JsonSchema;
use serde::Serialize;

use crate::story::{Fields, Told};

/// Practices that are suggested.
const MOST_SUGGESTED: usize = 5;
/// Plans that are kept of a practice, the last ones.
const MOST_PLANS: usize = 20;
/// What is taken for the share of successes of one that was never used, as one of two, and for its trust, in thousandths.
const UNKNOWN_TRUST: i64 = 500;

/// A way of working.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Practice {
    /// Its name.
    pub name: String,
    /// `playbook`, `adapter_api`, `test_suite`, `telemetry_hook`, `refactor`.
    pub kind: String,
    /// What it is.
    pub says: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// Layers, domains, tags and operations that it fits.
    pub applies_to: Vec<String>,
    /// Those that it does not fit.
    pub not_for: Vec<String>,
    /// Why it works, or where it comes from.
    pub because: String,
    /// Where it stands: `pack grace.practices`, a file, or `stories`.
    pub place: String,
    /// The stories that it was taken from.
    pub from: Vec<u64>,
    /// Stories that used it and have ended: those that went well, and all.
    pub succeeded: u64,
    /// All of them.
    pub used: u64,
    /// Mean trust of those stories, in thousandths; absent where none has one.
    pub trust: Option<i64>,
    /// The steps of the plans of the last stories that used it and went well.
    #[serde(skip)]
    pub plans: Vec<BTreeSet<String>>,
}

/// A practice that fits, with what its place hangs on, each in thousandths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Suggestion {
    /// The practice.
    #[serde(flatten)]
    pub practice: Practice,
    /// What of the change it fits.
    pub fits: Vec<String>,
    /// How alike the steps of the plan are to those that it was used with, or names itself; absent where neither is known.
    pub similar: Option<i64>,
    /// Two parts the share of what it applies to that the change touches, one part that likeness; the share alone where that is not
    /// known.
    pub fit: i64,
    /// Fit × success × trust.
    pub score: i64,
}

impl Practice {
    /// Keeps what was planned where it went well.
    fn learn(&mut self, went_well: bool, plan: &[String]) {
        if went_well && !plan.is_empty() {
            self.plans.push(plan.iter().cloned().collect());
            self.plans.drain(..self.plans.len().saturating_sub(MOST_PLANS));
        }
    }

    /// How alike the steps of a plan are to those of the plan that it went well with and that is most alike (what both have of what
    /// either has), or how many of its own steps name something that the plan asks for, whichever is more.
    fn similar(&self, steps: &BTreeSet<String>) -> Option<i64> {
        let share = |part: usize, of: usize| i64::try_from(part * 1000 / of.max(1)).unwrap_or(0);
        let used =
            self.plans.iter().map(|plan| share(plan.intersection(steps).count(), plan.union(steps).count())).max();
        let names: BTreeSet<&str> = steps.iter().filter_map(|step| step.rsplit(' ').next()).collect();
        let is_named = |step: &&String| words(step).any(|word| names.contains(word));
        let named = self.steps.iter().filter(is_named).count();
        used.max((named > 0).then(|| share(named, self.steps.len())))
    }

    /// The share of successes, in thousandths, with one success and one failure added: of few uses little is known.
    #[must_use]
    pub fn success(&self) -> i64 {
        i64::try_from((self.succeeded + 1) * 1000 / (self.used + 2)).unwrap_or(0)
    }
}

/// The practices of a book that apply or are visible, by name.
#[must_use]
pub fn declared(book: &Book) -> Vec<Practice> {
    let mut all = BTreeMap::new();
    for file in &book.files {
        let Ok(text) = &file.text else { continue };
        for item in grace_dsl::parse(text).items {
            let ItemKind::Operational(operational) = &item.kind else { continue };
            if operational.kind != OperationalKind::Practice {
                continue;
            }
            let line = |name: &str| -> Vec<String> {
                let lines = operational.clauses.iter().filter(|clause| clause.name.text == name);
                lines.flat_map(|clause| clause.words.iter().filter_map(said)).collect()
            };
            let because = operational.because.as_ref().map(|text| text.value.clone()).unwrap_or_default();
            let practice = Practice {
                name: item.name.clone(),
                kind: line("kind").concat(),
                says: line("says").join(" "),
                steps: line("step"),
                applies_to: line("applies to"),
                not_for: line("not for"),
                because,
                place: file.path.to_string(),
                from: Vec::new(),
                succeeded: 0,
                used: 0,
                trust: None,
                plans: Vec::new(),
            };
            // The project's own beats what it is shipped with.
            if file.role == Role::Own || !all.contains_key(&item.name) {
                all.insert(item.name.clone(), practice);
            }
        }
    }
    all.into_values().collect()
}

fn said(word: &Word) -> Option<String> {
    match word {
        Word::Word(name) => Some(name.text.clone()),
        Word::Text(text) => Some(text.value.clone()),
        Word::Call(name, argument) => Some(format!("{}({})", name.text, argument.text)),
        Word::Quantity(_) | Word::Comma => None,
    }
}

/// What stories teach: declared practices with their counts, then those taken from stories that went well and gave steps of
/// their own. Stories with the same steps are one practice. What drifted after it was deployed, or was rolled back, did not go
/// well, whatever the gate said before.
#[must_use]
pub fn learned(mut practices: Vec<Practice>, stories: &[Told], wrong: &BTreeSet<u64>) -> Vec<Practice> {
    let mut trust: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut taken: BTreeMap<Vec<String>, Practice> = BTreeMap::new();
    // A change that ran twice was one use: how it ended last counts.
    let mut last: BTreeMap<[String; 3], u64> = BTreeMap::new();
    for story in stories.iter().filter(|story| has_ended(story)) {
        last.insert(change_of(story), story.id);
    }
    for story in stories {
        if has_ended(story) && last.get(&change_of(story)) != Some(&story.id) {
            continue;
        }
        let fields = story.fields();
        let outcome = list(&fields, "outcome").concat();
        let went_well = match outcome.as_str() {
            "success" => !wrong.contains(&story.id),
            "failed" | "rolled_back" => false,
            _ => continue,
        };
        let score = story.story.trust.as_ref().and_then(|reading| reading.score);
        let used = list(&fields, "playbooks_used");
        let plan = list(&fields, "plan_steps");
        let mut known = false;
        for practice in practices.iter_mut().filter(|practice| used.contains(&practice.name)) {
            known = true;
            practice.used += 1;
            practice.succeeded += u64::from(went_well);
            practice.learn(went_well, &plan);
            trust.entry(practice.name.clone()).or_default().extend(score);
        }
        // The steps of the plan say what the gate asked for, and not how somebody worked.
        if known || used.is_empty() {
            continue;
        }
        let key: Vec<String> = used.iter().map(|step| step.trim().to_lowercase()).collect();
        // What failed counts against what it repeats, and teaches nothing new.
        if !went_well && !taken.contains_key(&key) {
            continue;
        }
        let practice = taken.entry(key).or_insert_with(|| Practice {
            name: format!("story_{}", story.id),
            kind: "playbook".to_owned(),
            says: story.title(),
            steps: used,
            applies_to: ["layer", "component"].iter().flat_map(|field| parted(&list(&fields, field))).collect(),
            not_for: Vec::new(),
            because: "It went well.".to_owned(),
            place: "stories".to_owned(),
            from: Vec::new(),
            succeeded: 0,
            used: 0,
            trust: None,
            plans: Vec::new(),
        });
        if went_well {
            practice.from.push(story.id);
        }
        practice.used += 1;
        practice.succeeded += u64::from(went_well);
        practice.learn(went_well, &plan);
        trust.entry(practice.name.clone()).or_default().extend(score);
    }
    practices.extend(taken.into_values());
    for practice in &mut practices {
        let scores = trust.get(&practice.name).map(Vec::as_slice).unwrap_or_default();
        let sum: i64 = scores.iter().sum();
        practice.trust = i64::try_from(scores.len()).ok().filter(|count| *count > 0).map(|count| sum / count);
    }
    practices
}

fn has_ended(story: &Told) -> bool {
    matches!(list(&story.fields(), "outcome").concat().as_str(), "success" | "failed" | "rolled_back")
}

/// What was changed, in which tree; a follow-up after a deployment is of its own.
fn change_of(story: &Told) -> [String; 3] {
    match story.story.run.starts_with("drift ") {
        true => [story.story.run.clone(), String::new(), String::new()],
        false => story.story.about.name(),
    }
}

/// The practices that a story used, or the one that it taught, by name.
#[must_use]
pub fn of_story(practices: &[Practice], story: &Told) -> Vec<String> {
    let used = list(&story.fields(), "playbooks_used");
    let is_its = |practice: &&Practice| practice.from.contains(&story.id) || used.contains(&practice.name);
    practices.iter().filter(is_its).map(|practice| practice.name.clone()).collect()
}

/// What a plan asks for, as stories tell it.
#[must_use]
pub fn steps(plan: &Plan) -> BTreeSet<String> {
    let bundles = plan.bundles.iter().map(|bundle| format!("run bundle {}", bundle.name));
    let validations = plan.validations.iter().map(|validation| format!("validate {}", validation.name));
    let approvals = plan.approvals.iter().map(|approval| format!("approval {}", approval.name));
    bundles.chain(validations).chain(approvals).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !(char.is_alphanumeric() || char == '_')).filter(|word| !word.is_empty())
}

/// A story's layers, and its components, are one text: `layer1, layer2`.
fn parted(texts: &[String]) -> Vec<String> {
    let names = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn list(fields: &Fields, name: &str) -> Vec<String> {
    fields.get(name).map(|field| field.value.entries()).unwrap_or_default()
}

/// What a plan's change touches, in the words that practices use: tags, layers, domains, and what is declared of it.
#[must_use]
pub fn terms(plan: &Plan) -> BTreeSet<String> {
    let mut terms = BTreeSet::new();
    let mut add = |text: &str| {
        terms.extend(words(text).map(str::to_owned));
    };
    let of_rules = plan.rules.iter().flat_map(|rule| &rule.derivation).chain(&plan.tier_derivation);
    for evidence in of_rules.flat_map(|reason| &reason.evidence) {
        match evidence {
            Evidence::Changed { set, proof, .. } => {
                add(set);
                for step in proof {
                    if let Step::Named { name, .. } = step {
                        add(name);
                    }
                }
            }
            Evidence::Declared { value, .. } => add(value),
            _ => {}
        }
    }
    terms
}

/// The parts that a plan's evidence says were changed.
pub fn changed(plan: &Plan) -> impl Iterator<Item = &PartRef> {
    let of_rules = plan.rules.iter().flat_map(|rule| &rule.derivation).chain(&plan.tier_derivation);
    of_rules.flat_map(|reason| &reason.evidence).filter_map(|evidence| match evidence {
        Evidence::Changed { part, .. } => Some(part),
        _ => None,
    })
}

/// The practices that fit best: fit × success × trust, then by name. None that is not for something that the change touches. What
/// the change does not touch is suggested only where the plan's `steps` are alike by half or more.
#[must_use]
pub fn suggested(practices: &[Practice], terms: &BTreeSet<String>, steps: &BTreeSet<String>) -> Vec<Suggestion> {
    let mut found: Vec<Suggestion> = practices
        .iter()
        .filter(|practice| !practice.not_for.iter().any(|term| terms.contains(term)))
        .filter_map(|practice| {
            let fits: Vec<String> = practice.applies_to.iter().filter(|term| terms.contains(*term)).cloned().collect();
            let all = i64::try_from(practice.applies_to.len().max(1)).ok()?;
            let touched = i64::try_from(fits.len()).ok()? * 1000 / all;
            let similar = practice.similar(steps);
            let fit = similar.map_or(touched, |similar| (2 * touched + similar) / 3);
            let score = fit * practice.success() / 1000 * practice.trust.unwrap_or(UNKNOWN_TRUST) / 1000;
            let is_fit = touched > 0 || similar >= Some(500);
            is_fit.then(|| Suggestion { practice: practice.clone(), fits, similar, fit, score })
        })
        .collect();
    found.sort_by(|a, b| (b.score, &a.practice.name).cmp(&(a.score, &b.practice.name)));
    found.truncate(MOST_SUGGESTED);
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use grace_engine::input::BookFile;

    use super::*;

    fn book(role: Role, text: &str) -> Book {
        Book { files: vec![BookFile { path: "x.grace".into(), text: Ok(Arc::from(text)), role }] }
    }

    fn practice(name: &str, applies_to: &[&str], not_for: &[&str], used: u64, succeeded: u64) -> Practice {
        let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Practice {
            name: name.to_owned(),
            kind: "playbook".to_owned(),
            says: String::new(),
            steps: Vec::new(),
            applies_to: all(applies_to),
            not_for: all(not_for),
            because: String::new(),
            place: String::new(),
            from: Vec::new(),
            succeeded,
            used,
            trust: None,
            plans: Vec::new(),
        }
    }

    #[test]
    fn a_practice_is_read_from_its_lines() {
        let text = "practice tune\n  kind playbook\n  says \"Tune it.\"\n  step \"One.\"\n  step \"Two.\"\n  \
                    applies to self_healing, layer2\n  not for layer1\n  because \"It works.\"\n";
        let found = declared(&book(Role::Own, text));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].kind.as_str(), found[0].steps.len()), ("playbook", 2));
        assert_eq!(found[0].applies_to, ["self_healing", "layer2"]);
        assert_eq!((found[0].not_for.as_slice(), found[0].because.as_str()), (&["layer1".to_owned()][..], "It works."));
    }

    fn told(id: u64, fields: serde_json::Value) -> Told {
        let mut all = serde_json::Map::new();
        for (name, value) in fields.as_object().unwrap() {
            all.insert(name.clone(), serde_json::json!({"value": value, "from": "given"}));
        }
        let about = serde_json::json!({"plan": "", "diff": id.to_string(), "rules": "", "tree": "", "base": null, "head": null});
        let story = serde_json::json!({
            "run": "", "about": about, "fields": all, "missing": [], "principles": [], "trust": null,
        });
        let story = serde_json::from_value(story).unwrap();
        let (at, actor, amendments, decisions) = Default::default();
        Told { id, at, actor, story, redacted: false, amendments, decisions }
    }

    #[test]
    fn stories_count_what_they_used_and_teach_what_went_well_once() {
        let steps = serde_json::json!(["Cut it.", "Watch it."]);
        let other = serde_json::json!(["cut it. ", "watch it."]);
        let stories = [
            told(1, serde_json::json!({"outcome": "success", "playbooks_used": ["known"]})),
            told(2, serde_json::json!({"outcome": "rolled_back", "playbooks_used": ["known"]})),
            told(3, serde_json::json!({"outcome": "pending", "playbooks_used": ["known"]})),
            told(4, serde_json::json!({"outcome": "failed", "playbooks_used": ["Break it."]})),
            told(
                5,
                serde_json::json!({"outcome": "success", "playbooks_used": steps, "title": "Cut", "layer": "layer1, layer2"}),
            ),
            told(6, serde_json::json!({"outcome": "success", "playbooks_used": other})),
            told(7, serde_json::json!({"outcome": "failed", "playbooks_used": steps})),
            // What the gate asked for is no way of working.
            told(8, serde_json::json!({"outcome": "success", "plan_steps": ["run bundle x"]})),
        ];
        let of = |drifted: &[u64]| {
            super::learned(vec![practice("known", &[], &[], 0, 0)], &stories, &drifted.iter().copied().collect())
        };
        // It was deployed, and things got worse.
        let worse = of(&[1, 5]);
        let counts = |all: &[Practice]| all.iter().map(|one| (one.succeeded, one.used)).collect::<Vec<_>>();
        assert_eq!(counts(&worse), [(0, 2), (1, 2)]);
        let learned = of(&[]);
        let shown: Vec<_> =
            learned.iter().map(|one| (one.name.as_str(), one.succeeded, one.used, one.from.clone())).collect();
        assert_eq!(shown, [("known", 1, 2, vec![]), ("story_5", 2, 3, vec![5, 6])]);
        assert_eq!(learned[1].says, "Cut");
        assert_eq!([0, 5, 3].map(|at| of_story(&learned, &stories[at]).concat()), ["known", "story_5", ""]);
        assert_eq!(learned[1].applies_to, ["layer1", "layer2"]);
    }

    #[test]
    fn a_change_that_ran_twice_is_one_use_and_ends_as_it_did_last() {
        let used = |id, diff: &str, outcome: &str| {
            let mut told = told(id, serde_json::json!({"outcome": outcome, "playbooks_used": ["known"]}));
            told.story.about.diff = diff.to_owned();
            told
        };
        let stories =
            [used(1, "a", "failed"), used(2, "a", "success"), used(3, "b", "failed"), used(4, "a", "pending")];
        let learned = learned(vec![practice("known", &[], &[], 0, 0)], &stories, &BTreeSet::new());
        assert_eq!((learned[0].succeeded, learned[0].used), (1, 2));
    }

    #[test]
    fn what_fits_and_went_well_comes_first_and_what_does_not_fit_does_not_come() {
        let practices = [
            practice("never_used", &["kernel"], &[], 0, 0),
            practice("good", &["kernel"], &[], 8, 8),
            practice("bad", &["kernel"], &[], 8, 0),
            practice("half", &["kernel", "memory"], &[], 8, 8),
            practice("not_here", &["kernel"], &["layer1"], 9, 9),
            practice("elsewhere", &["memory"], &[], 9, 9),
        ];
        let terms = BTreeSet::from(["kernel".to_owned(), "layer1".to_owned()]);
        let names: Vec<String> =
            suggested(&practices, &terms, &BTreeSet::new()).into_iter().map(|one| one.practice.name).collect();
        assert_eq!(names, ["good", "never_used", "half", "bad"]);
        let many: Vec<Practice> = (0..9).map(|at| practice(&format!("p{at}"), &["kernel"], &[], 0, 0)).collect();
        assert_eq!(suggested(&many, &terms, &BTreeSet::new()).len(), MOST_SUGGESTED);
    }

    #[test]
    fn of_two_that_fit_alike_the_one_whose_plans_were_alike_comes_first() {
        let set = |steps: &[&str]| steps.iter().map(|step| (*step).to_owned()).collect::<BTreeSet<String>>();
        let plan = ["run bundle core", "run bundle memory", "validate safety"];
        let used = |id, name: &str, steps: &[&str], outcome: &str| {
            told(id, serde_json::json!({"outcome": outcome, "playbooks_used": [name], "plan_steps": steps}))
        };
        let stories = [
            used(1, "a_other", &["run bundle docs"], "success"),
            used(2, "b_alike", &plan[..2], "success"),
            used(3, "c_not_here", &plan, "success"),
            used(4, "d_failed", &plan, "failed"),
        ];
        let known = ["a_other", "b_alike", "c_not_here", "d_failed"].map(|name| {
            let place = if name == "c_not_here" { "elsewhere" } else { "kernel" };
            practice(name, &[place], &[], 0, 0)
        });
        let all = learned(known.to_vec(), &stories, &BTreeSet::new());
        let found = suggested(&all, &set(&["kernel"]), &set(&plan));
        let shown: Vec<_> = found.iter().map(|one| (one.practice.name.as_str(), one.similar, one.fit)).collect();
        // What failed says nothing of the plans that it is for; what only its steps speak for comes, too.
        let expected = [
            ("b_alike", Some(666), 888),
            ("a_other", Some(0), 666),
            ("d_failed", None, 1000),
            ("c_not_here", Some(1000), 333),
        ];
        assert_eq!(shown.iter().copied().collect::<BTreeSet<_>>(), BTreeSet::from(expected));
        let place = |name: &str| shown.iter().position(|one| one.0 == name);
        assert!(place("b_alike") < place("a_other"), "{shown:?}");
        // Steps that name what the plan asks for.
        let mut naming = practice("naming", &["kernel"], &[], 0, 0);
        naming.steps = vec!["Change it.".to_owned(), "Run memory.".to_owned()];
        let found = suggested(&[naming], &set(&["kernel"]), &set(&plan));
        assert_eq!((found[0].similar, found[0].fit), (Some(500), 833));
    }
}
