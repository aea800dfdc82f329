//! The plan as a join of what the rules of both books contribute. Rules only raise; order cannot matter.

mod after_run;
mod approvals;
mod built_in;
mod denials;
mod finish;
mod lowering;
mod reasons;
mod requirements;
mod tiers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::{self, Item, ItemKind, NodeId, Requirement};
use grace_graph::code::PartKey;

pub(crate) use built_in::is_rule_path;
pub(crate) use finish::{cond_at, cond_text};
pub(crate) use tiers::tier_floor;

use crate::book::{At, Compiled, Kind, applies, compiled, item_ids, line};
use crate::db::{Db, RuleBook, World};
use crate::plan::{BookSide, Derivation, Outcome, Plan, Truth};
use crate::prove::Prover;
use crate::rules::verdict;
use crate::show;
use crate::verdict::{Hit, Verdict};
use after_run::Waiting;
use lowering::Lowered;
use reasons::Reasons;
use requirements::Asked;

/// Pieces of evidence that one derivation shows; the rest are counted.
const SHOWN: usize = 5;

/// A book and the side that it stands for.
pub(crate) fn books(db: &dyn Db) -> Vec<(BookSide, RuleBook)> {
    let world = World::get(db);
    match (world.book_before(db), world.book_after(db)) {
        (Some(before), Some(after)) if before == after => vec![(BookSide::Both, after)],
        (before, after) => before
            .map(|book| (BookSide::Before, book))
            .into_iter()
            .chain(after.map(|book| (BookSide::After, book)))
            .collect(),
    }
}

/// One rule with what it came to.
pub(crate) struct Judged {
    pub(crate) book_side: BookSide,
    pub(crate) book: RuleBook,
    pub(crate) at: At,
    pub(crate) compiled: Arc<Compiled>,
    pub(crate) verdict: Arc<Verdict>,
}

/// Every rule of every book, in book order.
pub(crate) fn judged(db: &dyn Db) -> Vec<Judged> {
    let mut all = Vec::new();
    for (book_side, book) in books(db) {
        for &file in book.files(db) {
            if !applies(db, file) {
                continue;
            }
            for id in item_ids(db, file).iter().filter(|id| id.kind == Kind::Rule) {
                let (Some(compiled), Some(verdict)) =
                    (compiled(db, book, file, id.clone()), verdict(db, book, file, id.clone()))
                else {
                    continue;
                };
                all.push(Judged { book_side, book, at: At { file, id: id.clone() }, compiled, verdict });
            }
        }
    }
    all
}

/// What rules, policies, forbids and layers have in common.
pub(crate) struct RuleView<'a> {
    pub(crate) tier: Option<(NodeId, u8)>,
    pub(crate) require: &'a [Requirement],
    pub(crate) denies: bool,
    pub(crate) if_unknown: Option<&'a ast::Approval>,
    pub(crate) trust: Option<&'a ast::Quantity>,
    pub(crate) limits: &'a [ast::KpiTest],
    pub(crate) upholds: &'a [ast::Name],
    pub(crate) intents: &'a [ast::Name],
    pub(crate) owner: Option<&'a ast::Name>,
    pub(crate) remedy: Option<&'a ast::Text>,
    pub(crate) because: &'a str,
}

impl<'a> RuleView<'a> {
    /// The common view of an item that can fire.
    pub(crate) fn of(item: &'a Item) -> Option<Self> {
        let of_rule = |rule: &'a ast::Rule| Self {
            tier: rule.tier,
            require: &rule.require,
            denies: rule.deny.is_some(),
            if_unknown: rule.deny.as_ref().and_then(|deny| deny.if_unknown.as_ref()),
            trust: rule.trust.as_ref(),
            limits: &rule.limits,
            upholds: &rule.upholds,
            intents: &rule.intents,
            owner: rule.owner.as_ref(),
            remedy: rule.remedy.as_ref(),
            because: &rule.because.value,
        };
        let module_rule = |owner, upholds, remedy, because: &'a ast::Text| Self {
            tier: None,
            require: &[],
            denies: true,
            if_unknown: None,
            trust: None,
            limits: &[],
            upholds,
            intents: &[],
            owner,
            remedy,
            because: &because.value,
        };
        match &item.kind {
            ItemKind::Rule(rule) => Some(of_rule(rule)),
            ItemKind::Policy(policy) => Some(of_rule(&policy.rule)),
            ItemKind::Forbid(forbid) => Some(module_rule(
                forbid.owner.as_ref(),
                forbid.upholds.as_slice(),
                forbid.remedy.as_ref(),
                &forbid.because,
            )),
            ItemKind::Layers(layers) => Some(module_rule(
                layers.owner.as_ref(),
                layers.upholds.as_slice(),
                layers.remedy.as_ref(),
                &layers.because,
            )),
            _ => None,
        }
    }
}

struct Joiner<'a> {
    db: &'a dyn Db,
    tiers: Vec<(u8, Derivation, bool)>,
    asked: Asked,
    denials: BTreeMap<String, (Option<String>, Reasons)>,
    unknowns: BTreeMap<String, Reasons>,
    rules: BTreeMap<String, (Outcome, BTreeSet<String>, Reasons)>,
    waiting: Vec<Waiting>,
}

/// The plan of what the inputs say.
pub(crate) fn plan(db: &dyn Db) -> Plan {
    let mut joiner = Joiner {
        db,
        tiers: Vec::new(),
        asked: Asked::default(),
        denials: BTreeMap::new(),
        unknowns: BTreeMap::new(),
        rules: BTreeMap::new(),
        waiting: Vec::new(),
    };
    joiner.built_in();
    joiner.tier_lines();
    let judged = judged(db);
    for rule in &judged {
        joiner.rule(rule);
    }
    joiner.finish(&judged)
}

impl Joiner<'_> {
    fn derivation(&self, rule: &Judged, node: NodeId, because: &str, hits: &[&Hit], by_unknown: bool) -> Derivation {
        let prover = Prover { db: self.db, book: rule.book };
        Derivation {
            rule: rule.at.id.name.to_string(),
            file: rule.at.file.path(self.db).to_string(),
            line: line(self.db, &rule.at, node),
            because: because.to_owned(),
            book: rule.book_side,
            evidence: hits.iter().take(SHOWN).map(|hit| prover.evidence(&rule.compiled, hit)).collect(),
            more_evidence: u32::try_from(hits.len().saturating_sub(SHOWN)).unwrap_or(u32::MAX),
            by_unknown,
        }
    }

    fn rule(&mut self, rule: &Judged) {
        let compiled = rule.compiled.clone();
        let Some(view) = RuleView::of(&compiled.item) else { return };
        let verdict = rule.verdict.clone();
        let name = rule.at.id.name.to_string();
        let evidence = verdict.trace.evidence();
        let by_unknown = verdict.truth == Truth::Unknown;
        if let Some(pending) = &verdict.pending {
            return self.after_run(rule, &view, pending);
        }
        let always_denies = verdict.violations.is_some();
        // `forbid` and `layers` list what exists and speak only of what is new.
        let violated = matches!(compiled.item.kind, ItemKind::Rule(_))
            && verdict.violations.as_ref().is_some_and(|violations| !violations.old.is_empty());
        if verdict.truth == Truth::No && !violated {
            let derivation = self.derivation(rule, NodeId(0), view.because, &[], false);
            return self.outcome(name, Outcome::DoesNotApply, &[], derivation);
        }
        let at_rule = self.derivation(rule, NodeId(0), view.because, &evidence, by_unknown);
        if by_unknown {
            self.name_unknowns(&verdict, &evidence, &at_rule);
        }
        let lowered = if by_unknown { Lowered::default() } else { self.lowered(rule, &view) };
        let outcome = match (verdict.truth, lowered.waivers.is_empty()) {
            (Truth::Unknown, _) => Outcome::Unknown,
            (_, false) => Outcome::Waived,
            (_, true) => Outcome::Fires,
        };
        // A state that stood before and stays is told, but it is the hold below that asks for something.
        if !(always_denies && verdict.truth == Truth::No) {
            self.tier(rule, &view, &lowered, &at_rule);
            let asked = self.requirements(rule, &view, &lowered, &at_rule);
            // A limit of which nothing is known is a missing fact of the plan.
            for (fact, derivations) in &asked.unknowns {
                derivations
                    .iter()
                    .for_each(|reason| self.unknowns.entry(fact.clone()).or_default().push(reason.clone()));
            }
            self.asked.join(asked);
        }
        if view.denies && !lowered.deny {
            self.deny(rule, &view, &at_rule);
        }
        self.outcome(name, outcome, &lowered.waivers, at_rule);
    }

    fn tier(&mut self, rule: &Judged, view: &RuleView<'_>, lowered: &Lowered, at_rule: &Derivation) {
        if let Some((node, tier)) = view.tier
            && !lowered.tier
        {
            let tier = lowered.to_tier.map_or(tier, |most| tier.min(most));
            let derivation = Derivation { line: line(self.db, &rule.at, node), ..at_rule.clone() };
            self.tiers.push((tier, derivation, at_rule.by_unknown));
        }
    }

    fn outcome(&mut self, name: String, outcome: Outcome, waivers: &[String], derivation: Derivation) {
        let rank = |outcome: Outcome| match outcome {
            Outcome::Fires => 4,
            Outcome::Unknown => 3,
            Outcome::Waived => 2,
            Outcome::AfterRun => 1,
            Outcome::DoesNotApply => 0,
        };
        let entry = self.rules.entry(name).or_insert((outcome, BTreeSet::new(), Reasons::default()));
        if rank(outcome) > rank(entry.0) {
            entry.0 = outcome;
        }
        entry.1.extend(waivers.iter().cloned());
        entry.2.push(derivation);
    }

    /// Names what is missing where a rule is unknown.
    fn name_unknowns(&mut self, verdict: &Verdict, evidence: &[&Hit], derivation: &Derivation) {
        let mut facts: BTreeSet<String> = verdict.problems.iter().cloned().collect();
        // A mistake in the rule is the one cause; what it makes possible of every part would bury it.
        let hits = if facts.is_empty() { evidence } else { &[] };
        for hit in hits {
            match hit {
                Hit::Missing { fact } | Hit::Unread { fact, .. } => {
                    facts.insert(fact.clone());
                }
                Hit::Changed { before, after, set, certain: false, .. } => {
                    if let Some(key) = after.as_ref().or(before.as_ref()) {
                        facts.insert(format!("whether {} is in {}", shown_key(key), show::set(set)));
                    }
                }
                Hit::Member { part, set, certain: false, .. } => {
                    facts.insert(format!("whether {} is in {}", shown_key(part), show::set(set)));
                }
                Hit::NewEdge { edge, certain: false, .. } => {
                    facts.insert(format!("whether {} reaches {}", shown_key(&edge.from), shown_key(&edge.to)));
                }
                Hit::Way { edges, certain: false, .. } => {
                    if let (Some(first), Some(last)) = (edges.first(), edges.last()) {
                        facts.insert(format!("whether {} reaches {}", first.from.path, last.to.path));
                    }
                }
                Hit::Model { model, field, certain: false, .. } => {
                    facts.insert(format!("{field} of model(\"{model}\")"));
                }
                Hit::Number { what, low, high, .. } if low != high => {
                    facts.insert(what.clone());
                }
                _ => {}
            }
        }
        if facts.is_empty() {
            facts.insert(format!("whether {} applies", derivation.rule));
        }
        for fact in facts {
            self.unknowns.entry(fact).or_default().push(derivation.clone());
        }
    }
}

fn shown_key(key: &PartKey) -> String {
    if key.name.is_empty() { key.path.to_string() } else { format!("{} of {}", key.name, key.path) }
}
