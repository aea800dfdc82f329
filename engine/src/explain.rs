//! `explain`: why a thing is in the plan, and for what is not, the nearest rules with each condition and what was seen.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;
use grace_dsl::ast::{self, CondKind, Distance, ItemKind, NodeId, RequirementKind, SetExpr, SetKind, Walk, When};
use grace_graph::change::Kinds;
use grace_graph::code::{FileId, PartId, PartKey, PartKind};
use grace_graph::graph::{CodeGraph, Direction};

use crate::affects::{Reached, way_to};
use crate::book::{Kind, line, names};
use crate::conds::{Conds, EDGE_KINDS, Mode};
use crate::db::{Db, graph_of, meant};
use crate::impact::{ChosenBy, impact, seeds, test_id};
use crate::join::{Judged, RuleView, books, cond_at, cond_text, judged, plan};
use crate::plan::{
    BundlePlan, CondSeen, Explanation, NearRule, Outcome, Plan, Presence, SelectionMode, Side, Step, Truth,
};
use crate::prove::Prover;
use crate::show;
use crate::verdict::{Hit, Trace};

/// What can be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A bundle by name.
    Bundle(String),
    /// A test by id: `tests/x.py::TestA::test_b`; a tail of it will do where it is unique.
    Test(String),
    /// The tier.
    Tier,
    /// An approval: `1 of team(governance)`, or the team's name.
    Approval(String),
    /// A principle.
    Principle(String),
    /// A validation: `hallucination_detection`, with or without `of model("…")`.
    Validation(String),
    /// A rule.
    Rule(String),
    /// A file.
    File(String),
    /// A symbol by its dotted name or a tail of it.
    Symbol(String),
}

/// Names offered where nothing of the asked name exists.
const CANDIDATES: usize = 3;
/// Ways shown to one part.
const WAYS: usize = 3;

/// Suggestions that are shown at most.
pub(crate) const MOST_IDEAS: usize = 3;
/// Parts that are tried for one rule.
const TRIES: usize = 3;

/// A change that may bring a thing; it is tried before it is shown.
#[derive(Debug)]
pub(crate) struct Idea {
    /// The rule that it is to make fire: one suggestion each is enough.
    pub(crate) rule: String,
    /// What would change, and how.
    pub(crate) part: PartKey,
    pub(crate) kinds: Kinds,
    /// How it is shown.
    pub(crate) text: String,
}

/// The explanation, and what may bring the thing where it is absent.
pub(crate) fn explain(db: &dyn Db, what: &What) -> (Explanation, Vec<Idea>) {
    let mut explainer = Explainer { db, plan: plan(db), judged: judged(db), ideas: RefCell::default() };
    let explanation = explainer.answer(what);
    (explanation, std::mem::take(explainer.ideas.get_mut()))
}

/// Whether the plan holds a thing for a reason that is certain. `subject` is the thing as its explanation names it.
pub(crate) fn is_brought(db: &dyn Db, what: &What, subject: &str) -> bool {
    let plan = plan(db);
    let certain = |reasons: &[crate::plan::Derivation]| reasons.iter().any(|reason| !reason.by_unknown);
    match what {
        What::Bundle(name) => plan.bundles.iter().any(|bundle| bundle.name == *name && certain(&bundle.derivation)),
        What::Test(_) => {
            let id = subject.strip_prefix("test ").unwrap_or(subject);
            plan.bundles.iter().any(|bundle| runs(bundle, id) && certain(&bundle.derivation))
        }
        What::Approval(name) => {
            plan.approvals.iter().any(|approval| is_approval(&approval.name, name) && certain(&approval.derivation))
        }
        What::Principle(name) => {
            plan.principles.iter().any(|principle| principle.name == *name && certain(&principle.derivation))
        }
        What::Validation(name) => plan
            .validations
            .iter()
            .any(|found| (found.name == *name || found.validation == *name) && certain(&found.derivation)),
        What::Rule(name) => {
            plan.rules.iter().any(|rule| rule.name == *name && matches!(rule.outcome, Outcome::Fires | Outcome::Waived))
        }
        What::Tier | What::File(_) | What::Symbol(_) => false,
    }
}

/// Whether a bundle of the plan runs a test: by itself, or with all of its file.
fn runs(bundle: &BundlePlan, id: &str) -> bool {
    bundle.selected.iter().any(|test| test == id) || runs_whole(bundle, id)
}

fn runs_whole(bundle: &BundlePlan, id: &str) -> bool {
    let file = id.split_once("::").map_or(id, |(file, _)| file);
    bundle.whole.iter().any(|whole| whole == file)
}

/// Whether an approval is the one that is asked for, by its whole name, its team or its end.
fn is_approval(known: &str, asked: &str) -> bool {
    known == asked || known.contains(&format!("team({asked})")) || known.ends_with(asked)
}
struct Explainer<'a> {
    db: &'a dyn Db,
    plan: Plan,
    judged: Vec<Judged>,
    ideas: RefCell<Vec<Idea>>,
}

fn empty(subject: String, status: Presence) -> Explanation {
    Explanation {
        subject,
        status,
        facts: Vec::new(),
        reasons: Vec::new(),
        reached: Vec::new(),
        near: Vec::new(),
        would_bring: Vec::new(),
        did_you_mean: Vec::new(),
    }
}

fn fact(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// Words that are of one bundle; it is named where several hold the same test.
fn in_bundle(words: String, bundle: &BundlePlan, holding: &[&BundlePlan]) -> String {
    if holding.len() > 1 { format!("bundle({}): {words}", bundle.name) } else { words }
}

impl Explainer<'_> {
    fn answer(&self, what: &What) -> Explanation {
        match what {
            What::Bundle(name) => self.bundle(name),
            What::Test(id) => self.test(id),
            What::Tier => self.tier(),
            What::Approval(name) => self.approval(name),
            What::Principle(name) => self.principle(name),
            What::Validation(name) => self.validation(name),
            What::Rule(name) => self.rule(name),
            What::File(path) => self.file(path),
            What::Symbol(name) => self.symbol(name),
        }
    }

    fn bundle(&self, name: &str) -> Explanation {
        let subject = format!("bundle {name}");
        if let Some(bundle) = self.plan.bundles.iter().find(|bundle| bundle.name == name) {
            let mut explanation = empty(subject, Presence::Present);
            explanation.facts.push(fact("critical", if bundle.critical { "yes" } else { "no" }));
            explanation.facts.push(fact("tests", format!("{} of {}", bundle.selected.len(), bundle.tests.len())));
            for form in &bundle.forms {
                explanation.facts.push(fact("run", form.run.join(" ")));
            }
            explanation.reasons.clone_from(&bundle.derivation);
            return explanation;
        }
        if self.plan.not_run.iter().any(|bundle| bundle.name == name) {
            return self.absent(subject, |view| {
                view.require.iter().any(|requirement| {
                    matches!(&requirement.kind, RequirementKind::Bundle { name: required, .. } if required.text == name)
                })
            });
        }
        self.unheard(subject, name, &[Kind::Bundle])
    }

    fn principle(&self, name: &str) -> Explanation {
        let subject = format!("principle {name}");
        let says = self.says(name);
        let mut explanation = if let Some(found) = self.plan.principles.iter().find(|found| found.name == name) {
            let mut explanation = empty(subject, Presence::Present);
            explanation.reasons.clone_from(&found.derivation);
            explanation
        } else if self.defined(Kind::Principle, name) {
            self.absent(subject, |view| view.upholds.iter().any(|upheld| upheld.text == name))
        } else {
            self.unheard(subject, name, &[Kind::Principle])
        };
        if let Some(says) = says {
            explanation.facts.push(fact("says", says));
        }
        explanation
    }

    fn says(&self, principle: &str) -> Option<String> {
        books(self.db).into_iter().rev().find_map(|(_, book)| {
            let names = names(self.db, book);
            let at = names.first(Kind::Principle, principle)?;
            match &crate::book::item(self.db, at.file, at.id.clone())?.kind {
                ItemKind::Principle { says, .. } => Some(says.value.clone()),
                _ => None,
            }
        })
    }

    fn validation(&self, name: &str) -> Explanation {
        let subject = format!("validation {name}");
        let (short, _) = name.split_once(" of ").unwrap_or((name, ""));
        let found: Vec<_> = self
            .plan
            .validations
            .iter()
            .filter(|validation| validation.name == name || (validation.validation == name))
            .collect();
        if !found.is_empty() {
            let mut explanation = empty(subject, Presence::Present);
            for validation in found {
                explanation.facts.push(fact("model", validation.model.clone()));
                for reason in &validation.derivation {
                    if !explanation.reasons.contains(reason) {
                        explanation.reasons.push(reason.clone());
                    }
                }
            }
            return explanation;
        }
        if self.defined(Kind::Validation, short) {
            return self.absent(subject, |view| {
                view.require.iter().any(|requirement| {
                    matches!(&requirement.kind, RequirementKind::Validation(required) if required.text == short)
                })
            });
        }
        self.unheard(subject, short, &[Kind::Validation])
    }

    fn approval(&self, name: &str) -> Explanation {
        let subject = format!("approval {name}");
        let found: Vec<_> = self.plan.approvals.iter().filter(|approval| is_approval(&approval.name, name)).collect();
        if !found.is_empty() {
            let mut explanation = empty(subject, Presence::Present);
            for approval in found {
                explanation.facts.push(fact("needed", approval.name.clone()));
                if let crate::plan::Approver::Team { members, .. } = &approval.by {
                    let members = if members.is_empty() { "nobody yet".to_owned() } else { members.join(", ") };
                    explanation.facts.push(fact("members", members));
                }
                explanation.reasons.extend(approval.derivation.iter().cloned());
            }
            return explanation;
        }
        let wanted = |approval: &ast::Approval| is_approval(&show::approval(approval), name);
        let mut explanation = self.absent(subject.clone(), |view| {
            view.require
                .iter()
                .any(|requirement| matches!(&requirement.kind, RequirementKind::Approval(approval) if wanted(approval)))
                || view.if_unknown.is_some_and(wanted)
        });
        if explanation.near.is_empty() && !self.defined(Kind::Team, name) {
            explanation = self.unheard(subject, name, &[Kind::Team]);
        }
        explanation
    }

    fn tier(&self) -> Explanation {
        let mut explanation = empty("tier".to_owned(), Presence::Present);
        explanation.facts.push(fact("tier", format!("{} ({})", self.plan.tier, self.plan.tier_name)));
        explanation.reasons.clone_from(&self.plan.tier_derivation);
        explanation
    }

    fn rule(&self, name: &str) -> Explanation {
        let subject = format!("rule {name}");
        let Some(outcome) = self.plan.rules.iter().find(|rule| rule.name == name) else {
            return self.unheard(subject, name, &[Kind::Rule]);
        };
        let status = if outcome.outcome == Outcome::DoesNotApply { Presence::Absent } else { Presence::Present };
        let mut explanation = empty(subject, status);
        let word = match outcome.outcome {
            Outcome::Fires => "fires",
            Outcome::Unknown => "unknown: counts as fired",
            Outcome::Waived => "waived",
            Outcome::DoesNotApply => "does not apply",
            Outcome::AfterRun => "is judged after the run",
        };
        explanation.facts.push(fact("outcome", word));
        for waiver in &outcome.waivers {
            explanation.facts.push(fact("waived by", waiver.clone()));
        }
        if outcome.outcome != Outcome::DoesNotApply {
            explanation.reasons.clone_from(&outcome.derivation);
        }
        for judged in self.judged.iter().filter(|judged| *judged.at.id.name == *name) {
            // Where both books say the same, it is said once.
            let near = self.near(judged);
            if explanation.near.contains(&near) {
                continue;
            }
            explanation.near.push(near);
            if status == Presence::Absent {
                explanation.would_bring.extend(self.would_bring(judged));
            }
        }
        explanation
    }

    /// A test that only a record knows: its file inherits it, or makes it when it is loaded.
    fn recorded_test(&self, id: &str) -> Option<Explanation> {
        let is_held = |bundle: &&BundlePlan| bundle.tests.iter().any(|test| test == id);
        let holding: Vec<_> = self.plan.bundles.iter().filter(is_held).collect();
        let running: Vec<_> = holding.iter().filter(|bundle| runs(bundle, id)).collect();
        let is_running = !running.is_empty();
        let status = if is_running { Presence::Present } else { Presence::Absent };
        let mut explanation = empty(format!("test {id}"), status);
        for bundle in running {
            explanation.facts.push(fact("bundle", bundle.name.clone()));
            explanation.reasons.extend(bundle.derivation.iter().cloned());
        }
        let known = "by a record alone: its file inherits it, or makes it when it is loaded";
        explanation.facts.push(fact("known", known));
        if !is_running && let [first, ..] = holding.as_slice() {
            let why = format!(
                "bundle({}) is narrowed to impacted tests, and by its record it enters nothing that changed",
                first.name
            );
            explanation.facts.push(fact("left out", why));
        }
        (!holding.is_empty()).then_some(explanation)
    }

    fn test(&self, id: &str) -> Explanation {
        let subject = format!("test {id}");
        let graph = graph_of(self.db, Side::After);
        let tests: Vec<(PartId, String)> = graph
            .part_ids()
            .filter(|&part| graph.part(part).is_test)
            .map(|part| (part, test_id(&graph.key(part))))
            .collect();
        let plain = id.split('[').next().unwrap_or(id);
        let found = tests.iter().find(|(_, name)| name == plain).or_else(|| {
            let mut tails = tests.iter().filter(|(_, name)| {
                name.strip_suffix(plain).is_some_and(|head| head.ends_with("::") || head.ends_with('/'))
            });
            tails.next().filter(|_| tails.next().is_none())
        });
        let Some((part, id)) = found else {
            if let Some(recorded) = self.recorded_test(plain) {
                return recorded;
            }
            let mut explanation = empty(subject, Presence::Unheard);
            // A file of tests, or a name that several tests share: offer those.
            let inside = |name: &str| {
                name.starts_with(&format!("{plain}::"))
                    || name.strip_suffix(plain).is_some_and(|head| head.ends_with("::") || head.ends_with('/'))
            };
            explanation.did_you_mean =
                tests.iter().map(|(_, name)| name).filter(|name| inside(name)).take(CANDIDATES).cloned().collect();
            if explanation.did_you_mean.is_empty() {
                explanation.did_you_mean = alike(plain, &['/', ':'], tests.iter().map(|(_, name)| name.as_str()));
            }
            if let (true, Some((file, _))) = (explanation.did_you_mean.is_empty(), plain.split_once("::")) {
                let of_file = |name: &&String| name.strip_prefix(file).is_some_and(|rest| rest.starts_with("::"));
                explanation.did_you_mean =
                    tests.iter().map(|(_, name)| name).filter(of_file).take(CANDIDATES).cloned().collect();
            }
            return explanation;
        };
        let holding: Vec<_> = self.plan.bundles.iter().filter(|bundle| bundle.tests.contains(id)).collect();
        let running: Vec<_> = holding.iter().filter(|bundle| runs(bundle, id)).collect();
        let status = if running.is_empty() { Presence::Absent } else { Presence::Present };
        let mut explanation = empty(format!("test {id}"), status);
        for bundle in &running {
            explanation.facts.push(fact("bundle", bundle.name.clone()));
            if !bundle.selected.contains(id) && runs_whole(bundle, id) {
                let why = "with all of its file, whose tests cannot all be told by reading it";
                explanation.facts.push(fact("run", why));
            }
            for widening in &bundle.widened {
                let why = format!("with all tests of the bundle: {} {}", widening.what, widening.cause.words());
                explanation.facts.push(fact("run", why));
            }
            for reason in &bundle.derivation {
                explanation.reasons.push(reason.clone());
            }
        }
        let impact = impact(self.db);
        for bundle in &running {
            if let Some(why) = impact.of_bundle(&bundle.name).why(*part) {
                explanation.facts.push(fact("recorded", in_bundle(why.words(), bundle, &holding)));
            }
        }
        for bundle in &holding {
            if let Some(why) = &bundle.unused_record {
                let why = format!("there is one, and it is not used: {why}");
                explanation.facts.push(fact("record", in_bundle(why, bundle, &holding)));
            }
        }
        // What reading alone would follow is no reason where every record says otherwise.
        let is_read = holding.is_empty()
            || holding.iter().map(|bundle| impact.of_bundle(&bundle.name)).any(|narrowing| {
                let chosen = narrowing.chosen_by(*part);
                !narrowing.is_told(*part) || matches!(chosen, Some(ChosenBy::Changed | ChosenBy::Read))
            });
        if is_read {
            explanation.reached = self.ways_to(graph, *part);
        }
        if running.is_empty() {
            for bundle in &holding {
                let is_told = impact.of_bundle(&bundle.name).is_told(*part);
                let why = if is_told && impact.reached.contains(part.0 as usize) {
                    "by its record this one enters nothing that changed"
                } else {
                    "the change does not reach this one"
                };
                let why = format!("bundle({}) is narrowed to impacted tests, and {why}", bundle.name);
                explanation.facts.push(fact("left out", why));
            }
            if self.plan.selection == Some(SelectionMode::Observe) && !holding.is_empty() {
                explanation
                    .facts
                    .push(fact("selection", "observe: it is run all the same, and what is missed is recorded"));
            }
            let absent: BTreeSet<String> = self
                .bundles_holding(*part)
                .into_iter()
                .filter(|name| !holding.iter().any(|held| held.name == *name))
                .collect();
            if absent.is_empty() && holding.is_empty() {
                explanation.facts.push(fact("bundle", "none holds this test"));
            }
            if !holding.is_empty() {
                self.ideas_for_test(graph, *part);
            }
            for name in absent {
                explanation.facts.push(fact("bundle", format!("{name}, which is not in the plan")));
                let bundle = self.bundle(&name);
                explanation.near.extend(bundle.near);
                explanation.would_bring.extend(bundle.would_bring);
            }
        }
        explanation
    }

    fn bundles_holding(&self, part: PartId) -> Vec<String> {
        let mut found = BTreeSet::new();
        for (_, book) in books(self.db) {
            for (name, at) in names(self.db, book).of_kind(Kind::Bundle) {
                let Some(compiled) = crate::book::compiled(self.db, book, at.file, at.id.clone()) else { continue };
                let ItemKind::Bundle(bundle) = &compiled.item.kind else { continue };
                let conds = Conds { db: self.db, book, compiled: &compiled, mode: Mode::Raise };
                if conds.sets(Side::After).eval(&bundle.tests).holds(part) != Truth::No {
                    found.insert(name.to_string());
                }
            }
        }
        found.into_iter().collect()
    }

    /// Shortest ways by which the change reaches a part: those by which tests are selected, each from another changed part.
    /// What only the code before the change leads to is shown as it was.
    fn ways_to(&self, graph: &CodeGraph, part: PartId) -> Vec<Vec<Step>> {
        let impact = impact(self.db);
        let Some((_, book)) = books(self.db).into_iter().last() else { return Vec::new() };
        let prover = Prover { db: self.db, book };
        let key = graph.key(part);
        if impact.changed.contains(part.0 as usize) {
            let part = prover.part_ref(&key, Side::After);
            return vec![vec![Step::Inside { of: "change".to_owned(), part }]];
        }
        if !impact.reached.contains(part.0 as usize) {
            return Vec::new();
        }
        let was = meant(self.db)
            .iter()
            .find(|change| change.after.as_ref() == Some(&key))
            .and_then(|change| change.before.clone());
        for (side, key) in [(Side::After, &key), (Side::Before, was.as_ref().unwrap_or(&key))] {
            let graph = graph_of(self.db, side);
            let Some(end) = graph.find(key) else { continue };
            let mut starts: BTreeSet<PartId> = seeds(self.db, graph, side).into_iter().collect();
            let mut ways = Vec::new();
            while ways.len() < WAYS
                && let Some(way) = way_to(graph, &starts, end)
                && let Some(first) = way.first()
            {
                starts.remove(&first.from);
                let step = |step: &Reached| match &step.edge {
                    Some(edge) => prover.edge_step(graph, edge, side),
                    None => {
                        let same_file = graph.part(step.from).file == graph.part(step.to).file;
                        let around = if same_file { graph.module_of(step.from) } else { step.from };
                        let of = if same_file { "file" } else { "reach of" };
                        Step::Inside { of: of.to_owned(), part: prover.part_ref(&graph.key(around), side) }
                    }
                };
                ways.push(way.iter().map(step).collect());
            }
            if !ways.is_empty() {
                return ways;
            }
        }
        Vec::new()
    }

    fn file(&self, path: &str) -> Explanation {
        let subject = format!("file {path}");
        let (after, before) = (graph_of(self.db, Side::After), graph_of(self.db, Side::Before));
        let Some((graph, side, file)) = after
            .file_by_path(path)
            .map(|file| (&after, Side::After, file))
            .or_else(|| before.file_by_path(path).map(|file| (&before, Side::Before, file)))
        else {
            let mut explanation = empty(subject, Presence::Unheard);
            explanation.did_you_mean = alike(path, &['/'], after.files().iter().map(|file| &*file.path));
            return explanation;
        };
        let parts: Vec<PartId> = graph.parts_of(file).collect();
        self.parts(subject, graph, side, &parts)
    }

    fn symbol(&self, name: &str) -> Explanation {
        let subject = format!("symbol {name}");
        let (after, before) = (graph_of(self.db, Side::After), graph_of(self.db, Side::Before));
        for (graph, side) in [(&after, Side::After), (&before, Side::Before)] {
            let parts: Vec<PartId> = graph
                .part_ids()
                .filter(|&part| {
                    let full = graph.qualified_name(part);
                    full == name || full.strip_suffix(name).is_some_and(|head| head.ends_with('.'))
                })
                .collect();
            if !parts.is_empty() {
                return self.parts(subject, graph, side, &parts);
            }
        }
        let mut explanation = empty(subject, Presence::Unheard);
        let names: Vec<Cow<'_, str>> = after.part_ids().map(|part| after.qualified_name(part)).collect();
        explanation.did_you_mean = alike(name, &['.'], names.iter().map(|name| &**name));
        explanation
    }

    /// What is known of some parts, and what they bring into the plan.
    fn parts(&self, subject: String, graph: &CodeGraph, side: Side, parts: &[PartId]) -> Explanation {
        let keys: BTreeSet<PartKey> = parts.iter().map(|&part| graph.key(part)).collect();
        let changed: Vec<_> = meant(self.db)
            .iter()
            .filter(|change| [&change.before, &change.after].into_iter().flatten().any(|key| keys.contains(key)))
            .cloned()
            .collect();
        let impact = impact(self.db);
        let reached = side == Side::After && parts.iter().any(|part| impact.reached.contains(part.0 as usize));
        let status = if changed.is_empty() && !reached { Presence::Absent } else { Presence::Present };
        let mut explanation = empty(subject, status);
        for change in &changed {
            let key = change.after.as_ref().or(change.before.as_ref());
            if let Some(key) = key {
                let name = if key.name.is_empty() { "import-time code".to_owned() } else { key.name.to_string() };
                explanation
                    .facts
                    .push(fact("changed", format!("{name}: {}", crate::prove::kind_words(change.kinds).join(", "))));
            }
        }
        if changed.is_empty() {
            let word = if reached { "not changed, but the change reaches it" } else { "not changed, not reached" };
            explanation.facts.push(fact("change", word));
        }
        if let Some((_, book)) = books(self.db).into_iter().last() {
            let tags = crate::sets::tags(self.db, book, crate::db::snapshot(self.db, side));
            let mut all = BTreeSet::new();
            for part in parts {
                all.extend(tags.get(part.0 as usize).into_iter().flatten().map(ToString::to_string));
            }
            let all: Vec<String> = all.into_iter().collect();
            explanation.facts.push(fact("tags", if all.is_empty() { "none".to_owned() } else { all.join(", ") }));
        }
        let mut start = graph.empty_set();
        for part in parts {
            start.insert(part.0 as usize);
        }
        let dependents = graph.reach(&start, EDGE_KINDS, Direction::Backward, None, false);
        let tests = dependents
            .ones()
            .filter(|&index| graph.part(PartId(u32::try_from(index).unwrap_or(u32::MAX))).is_test)
            .count();
        let more = dependents.count_ones(..).saturating_sub(start.count_ones(..));
        explanation.facts.push(fact("depended on by", format!("{more} parts, {tests} of them tests")));
        for rule in self.plan.rules.iter().filter(|rule| rule.outcome != Outcome::DoesNotApply) {
            for reason in &rule.derivation {
                let about = reason.evidence.iter().any(|evidence| match evidence {
                    crate::plan::Evidence::Changed { part, .. } | crate::plan::Evidence::Member { part, .. } => keys
                        .iter()
                        .any(|key| *key.path == *part.path && (key.name.is_empty() || *key.name == *part.name)),
                    _ => false,
                });
                if about {
                    explanation.reasons.push(reason.clone());
                }
            }
        }
        if changed.is_empty()
            && reached
            && let Some(part) = parts.iter().find(|part| impact.reached.contains(part.0 as usize))
        {
            explanation.reached = self.ways_to(graph, *part);
        }
        explanation
    }

    fn defined(&self, kind: Kind, name: &str) -> bool {
        books(self.db).into_iter().any(|(_, book)| names(self.db, book).first(kind, name).is_some())
    }

    fn unheard(&self, subject: String, name: &str, kinds: &[Kind]) -> Explanation {
        let mut explanation = empty(subject, Presence::Unheard);
        let mut known = BTreeSet::new();
        for (_, book) in books(self.db) {
            for kind in kinds {
                known.extend(names(self.db, book).of_kind(*kind).map(|(name, _)| name.to_string()));
            }
        }
        explanation.did_you_mean = alike(name, &['.'], known.iter().map(String::as_str));
        explanation
    }

    /// A thing that is not in the plan: the rules that could bring it.
    fn absent(&self, subject: String, brings: impl Fn(&RuleView<'_>) -> bool) -> Explanation {
        let mut explanation = empty(subject, Presence::Absent);
        let mut seen = BTreeSet::new();
        for judged in &self.judged {
            let Some(view) = RuleView::of(&judged.compiled.item) else { continue };
            if brings(&view) && seen.insert(judged.at.id.name.clone()) {
                explanation.near.push(self.near(judged));
                explanation.would_bring.extend(self.would_bring(judged));
            }
        }
        explanation
    }

    fn near(&self, judged: &Judged) -> NearRule {
        let mut conditions = Vec::new();
        self.seen(judged, &judged.verdict.trace, 0, &mut conditions);
        let because = RuleView::of(&judged.compiled.item).map(|view| view.because.to_owned()).unwrap_or_default();
        NearRule {
            rule: judged.at.id.name.to_string(),
            file: judged.at.file.path(self.db).to_string(),
            line: line(self.db, &judged.at, NodeId(0)),
            because,
            conditions,
            nearest: self.nearest(judged),
            empty: self.empty_set(judged),
        }
    }

    /// The set that a rule asks for, where nothing is in it.
    fn empty_set(&self, judged: &Judged) -> Option<String> {
        let (set, _) = Self::wanted_set(judged)?;
        let conds = Conds { db: self.db, book: judged.book, compiled: &judged.compiled, mode: Mode::Raise };
        let members = conds.sets(Side::After).eval(&set);
        members.possible.is_clear().then(|| show::set(&set))
    }

    fn seen(&self, judged: &Judged, trace: &Trace, depth: u32, found: &mut Vec<CondSeen>) {
        let prover = Prover { db: self.db, book: judged.book };
        let mut hits: Vec<Hit> = trace.hits.iter().take(CANDIDATES).cloned().collect();
        if trace.truth == Truth::No
            && hits.is_empty()
            && let Some(cond) = cond_at(&judged.compiled.item, trace.node)
        {
            let conds = Conds { db: self.db, book: judged.book, compiled: &judged.compiled, mode: Mode::Raise };
            hits = conds.seen_instead(cond);
        }
        found.push(CondSeen {
            text: cond_text(&judged.compiled.item, trace.node),
            line: line(self.db, &judged.at, trace.node),
            depth,
            truth: trace.truth,
            seen: hits.iter().map(|hit| prover.evidence(&judged.compiled, hit)).collect(),
        });
        for child in &trace.children {
            self.seen(judged, child, depth + 1, found);
        }
    }

    /// The set that a rule asks the change to touch, where that is all that it lacks, and how.
    fn wanted_set(judged: &Judged) -> Option<(SetExpr, Kinds)> {
        fn lacking(cond: &ast::Cond, trace: &Trace) -> Option<(SetExpr, Kinds)> {
            match &cond.kind {
                CondKind::Touches(set) | CondKind::AnyEdit(set) => Some((set.clone(), Kinds::BODY)),
                CondKind::SignaturesChange(set) => Some((set.clone(), Kinds::SIGNATURE)),
                CondKind::And(conds) => {
                    let mut open = conds.iter().zip(&trace.children).filter(|(_, child)| child.truth == Truth::No);
                    let (cond, child) = open.next()?;
                    if open.next().is_some() { None } else { lacking(cond, child) }
                }
                CondKind::Or(conds) => conds.iter().zip(&trace.children).find_map(|(cond, child)| lacking(cond, child)),
                _ => None,
            }
        }
        match &judged.compiled.item.kind {
            ItemKind::Policy(policy) => Some((policy.covers.clone(), Kinds::BODY)),
            ItemKind::Rule(rule) => match &rule.when {
                When::Change(cond) => lacking(cond, &judged.verdict.trace),
                When::Always(_) | When::AfterRun(_) => None,
            },
            _ => None,
        }
    }

    /// The changed part that is nearest to what a rule asks for, and the way from it.
    fn nearest(&self, judged: &Judged) -> Option<(crate::plan::PartRef, Vec<Step>)> {
        let (set, _) = Self::wanted_set(judged)?;
        let graph = graph_of(self.db, Side::After);
        let conds = Conds { db: self.db, book: judged.book, compiled: &judged.compiled, mode: Mode::Raise };
        let members = conds.sets(Side::After).eval(&set);
        let impact = impact(self.db);
        let prover = Prover { db: self.db, book: judged.book };
        let mut changed = impact.changed.clone();
        changed.difference_with(&members.certain);
        let ways = [Direction::Backward, Direction::Forward].into_iter().filter_map(|direction| {
            let edges = graph.path_to_any(&members.certain, &changed, EDGE_KINDS, direction, None, true)?;
            let last = edges.last()?;
            Some((if direction == Direction::Backward { last.from } else { last.to }, edges))
        });
        let (part, mut edges) = ways.min_by_key(|(_, edges)| edges.len())?;
        edges.reverse();
        let steps = edges.iter().map(|edge| prover.edge_step(graph, edge, Side::After)).collect();
        Some((prover.part_ref(&graph.key(part), Side::After), steps))
    }

    /// What would make a rule fire: how else it could be written is evaluated here; parts that could be touched become ideas.
    fn would_bring(&self, judged: &Judged) -> Vec<String> {
        let Some((set, kinds)) = Self::wanted_set(judged) else { return Vec::new() };
        let graph = graph_of(self.db, Side::After);
        let conds = Conds { db: self.db, book: judged.book, compiled: &judged.compiled, mode: Mode::Raise };
        let members = conds.sets(Side::After).eval(&set);
        self.ideas_in(judged, graph, &members.certain, &set, kinds);
        let impact = impact(self.db);
        let mut found = Vec::new();
        for (direction, walk) in [(Direction::Backward, Walk::Dependents), (Direction::Forward, Walk::Dependencies)] {
            for distance in 1..=3 {
                let near = graph.reach(&members.certain, EDGE_KINDS, direction, Some(distance), true);
                if near.is_disjoint(&impact.changed) {
                    continue;
                }
                let wider = SetExpr {
                    node: set.node,
                    kind: SetKind::Walk {
                        walk,
                        set: Box::new(set.clone()),
                        distance: Distance::Within(distance),
                        certain: false,
                    },
                };
                let text = format!("widen {} to {}", judged.at.id.name, show::set(&wider));
                if Self::condition(judged)
                    .is_some_and(|cond| conds.eval(&with_set(&cond, &set, &wider)).truth == Truth::Yes)
                {
                    found.push(text);
                    break;
                }
            }
        }
        found
    }

    /// The condition of a rule that reads the change.
    fn condition(judged: &Judged) -> Option<ast::Cond> {
        match &judged.compiled.item.kind {
            ItemKind::Policy(policy) => {
                Some(ast::Cond { node: policy.covers.node, kind: CondKind::Touches(policy.covers.clone()) })
            }
            ItemKind::Rule(rule) => match &rule.when {
                When::Change(cond) => Some(cond.clone()),
                When::Always(_) | When::AfterRun(_) => None,
            },
            _ => None,
        }
    }

    /// A few unchanged parts of a set, functions first, each of another file.
    fn ideas_in(&self, judged: &Judged, graph: &CodeGraph, members: &FixedBitSet, set: &SetExpr, kinds: Kinds) {
        let before = graph_of(self.db, Side::Before);
        let changed = impact(self.db);
        let is_function = |part: PartId| matches!(graph.part(part).kind, PartKind::Function | PartKind::Method);
        let mut files: BTreeMap<FileId, PartId> = BTreeMap::new();
        for index in members.ones() {
            let part = PartId(u32::try_from(index).unwrap_or(u32::MAX));
            let entry = files.entry(graph.part(part).file).or_insert(part);
            if is_function(part) && !is_function(*entry) {
                *entry = part;
            }
        }
        let all = files.len();
        let is_free =
            |part: &PartId| !changed.changed.contains(part.0 as usize) && before.find(&graph.key(*part)).is_some();
        let mut parts: Vec<PartId> = files.into_values().filter(is_free).collect();
        parts.sort_by_key(|&part| (!is_function(part), part));
        for part in parts.into_iter().take(TRIES) {
            let verb = if kinds == Kinds::SIGNATURE { "change the signature of" } else { "touch" };
            let one_of = if all == 1 { "the one file".to_owned() } else { format!("one of {all} files") };
            self.idea(graph, judged.at.id.name.as_ref(), part, kinds, verb, &format!("{one_of} in {}", show::set(set)));
        }
    }

    /// What a test leans on directly, of the code that is no test itself.
    fn ideas_for_test(&self, graph: &CodeGraph, test: PartId) {
        let before = graph_of(self.db, Side::Before);
        let used: BTreeSet<PartId> = graph
            .out_edges(test, EDGE_KINDS)
            .filter(|edge| edge.evidence.is_certain())
            .map(|edge| edge.to)
            .filter(|&part| !graph.file(graph.part(part).file).is_test && before.find(&graph.key(part)).is_some())
            .collect();
        for part in used.into_iter().take(TRIES) {
            self.idea(graph, "", part, Kinds::BODY, "touch", "which it uses");
        }
    }

    fn idea(&self, graph: &CodeGraph, rule: &str, part: PartId, kinds: Kinds, verb: &str, why: &str) {
        let Some((_, book)) = books(self.db).into_iter().last() else { return };
        let key = graph.key(part);
        let shown = Prover { db: self.db, book }.part_ref(&key, Side::After);
        let kinds = if graph.part(part).kind == PartKind::File { Kinds::BYTES } else { kinds };
        let place = match shown.line {
            _ if shown.name == shown.path => shown.path,
            line => format!("{} in {}:{line}", shown.name, shown.path),
        };
        let text = format!("{verb} {place}, {why}");
        self.ideas.borrow_mut().push(Idea { rule: rule.to_owned(), part: key, kinds, text });
    }
}

/// A condition with one of its sets in place of another.
fn with_set(cond: &ast::Cond, old: &SetExpr, new: &SetExpr) -> ast::Cond {
    let of = |set: &SetExpr| if set == old { new.clone() } else { set.clone() };
    let kind = match &cond.kind {
        CondKind::And(conds) => CondKind::And(conds.iter().map(|cond| with_set(cond, old, new)).collect()),
        CondKind::Or(conds) => CondKind::Or(conds.iter().map(|cond| with_set(cond, old, new)).collect()),
        CondKind::Touches(set) => CondKind::Touches(of(set)),
        CondKind::AnyEdit(set) => CondKind::AnyEdit(of(set)),
        CondKind::SignaturesChange(set) => CondKind::SignaturesChange(of(set)),
        other => other.clone(),
    };
    ast::Cond { node: cond.node, kind }
}

/// The names most like a name, best first: by edits, or because they hold it. `between` separates the parts of a name,
/// of which the last counts most.
fn alike<'a>(name: &str, between: &[char], known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let short = |text: &'a str| text.rsplit(between).next().unwrap_or(text);
    let wanted = name.rsplit(between).next().unwrap_or(name);
    let mut scored: Vec<(usize, &str)> = known
        .filter_map(|other| {
            let holds = |text: &str| text.starts_with(wanted) || text.contains(&format!("_{wanted}"));
            if wanted.len() > 2 && holds(short(other)) {
                return Some((1, other));
            }
            let distance = edit_distance(wanted, short(other)).min(edit_distance(name, other));
            (distance <= 2.max(wanted.len() / 3) && distance < wanted.len()).then_some((distance, other))
        })
        .collect();
    scored.sort_unstable();
    scored.dedup();
    scored.into_iter().take(CANDIDATES).map(|(_, other)| other.to_owned()).collect()
}

/// Levenshtein distance over characters, of at most 64 of them.
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let cost = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
