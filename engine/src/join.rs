//! The plan as a join of what the rules of both books contribute. Rules only raise; order cannot matter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::{
    self, Item, ItemKind, NodeId, Requirement, RequirementKind, SetExpr, TierApproval, TierLine, TierReach, Waived,
    WaiverEffect, WaiverOf, When,
};
use grace_graph::change::Content;
use grace_graph::code::PartKey;

use crate::book::{At, Compiled, Kind, applies, broken, compiled, item, item_ids, line, names};
use crate::conds::{Conds, Mode};
use crate::dates;
use crate::db::{Db, RuleBook, World, graph_of, meant, part_changes, snapshot};
use crate::impact::{bundle_plan, impact};
use crate::plan::{
    AfterRun, Approval, Approver, BookSide, BundlePlan, Denial, Derivation, Duty, Element, Evidence, NotRun, Outcome,
    Pending, Plan, Rejected, RuleOutcome, SCHEMA, Side, TierApprove, TrustFloor, Truth, Unknown, VERSION,
    ValidationPlan,
};
use crate::prove::Prover;
use crate::rules::verdict;
use crate::sets::{SetName, Sets, named_set};
use crate::show;
use crate::subject::{subject, summary, valid_until};
use crate::verdict::{Hit, Trace, Verdict};
use crate::waivers::{Coverage, certain_on_both, coverage, waivers_in_force};

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

/// What a waiver takes away from one rule.
#[derive(Default)]
struct Lowered {
    waivers: Vec<String>,
    tier: bool,
    to_tier: Option<u8>,
    all_approvals: bool,
    approvals: BTreeSet<String>,
    bundles: BTreeSet<String>,
    validations: BTreeSet<String>,
    deny: bool,
    /// `waives everything`: only its principles stay.
    everything: bool,
}

/// Approvals are joined by whom they are of: (extra, by, among) to the largest count.
type ApprovalKey = (bool, Approver, Vec<(u32, Approver)>);

struct Joiner<'a> {
    db: &'a dyn Db,
    tiers: Vec<(u8, Derivation, bool)>,
    approvals: BTreeMap<ApprovalKey, (u32, Vec<Derivation>)>,
    principles: BTreeMap<String, Vec<Derivation>>,
    bundles: BTreeMap<String, (bool, Vec<Derivation>)>,
    validations: BTreeMap<(String, String), Vec<Derivation>>,
    duties: BTreeMap<String, (Option<String>, Vec<Derivation>)>,
    intents: BTreeMap<String, Vec<Derivation>>,
    trust: Vec<(i64, Derivation)>,
    denials: BTreeMap<String, (Option<String>, Vec<Derivation>)>,
    unknowns: BTreeMap<String, Vec<Derivation>>,
    rules: BTreeMap<String, (Outcome, BTreeSet<String>, Vec<Derivation>)>,
    after_run: Vec<AfterRun>,
}

/// The plan of what the inputs say.
pub(crate) fn plan(db: &dyn Db) -> Plan {
    let mut joiner = Joiner {
        db,
        tiers: Vec::new(),
        approvals: BTreeMap::new(),
        principles: BTreeMap::new(),
        bundles: BTreeMap::new(),
        validations: BTreeMap::new(),
        duties: BTreeMap::new(),
        intents: BTreeMap::new(),
        trust: Vec::new(),
        denials: BTreeMap::new(),
        unknowns: BTreeMap::new(),
        rules: BTreeMap::new(),
        after_run: Vec::new(),
    };
    joiner.built_in();
    joiner.tier_lines();
    let judged = judged(db);
    for rule in &judged {
        joiner.rule(rule);
    }
    joiner.finish(&judged)
}

fn built_in(rule: &str, because: &str, evidence: Vec<Evidence>) -> Derivation {
    Derivation {
        rule: format!("built-in {rule}"),
        file: "built-in".to_owned(),
        line: 0,
        because: because.to_owned(),
        book: BookSide::BuiltIn,
        evidence,
        more_evidence: 0,
        by_unknown: false,
    }
}

/// Paths that hold rules, signers or owners: changing one is tier 3.
pub(crate) fn is_rule_path(path: &str) -> bool {
    path.starts_with("grace/")
        || matches!(path, "CODEOWNERS" | ".github/CODEOWNERS" | ".gitlab/CODEOWNERS" | "docs/CODEOWNERS")
}

impl Joiner<'_> {
    /// Rules that no rule book can take away.
    fn built_in(&mut self) {
        let db = self.db;
        let world = World::get(db);
        let change = world.change(db);
        let mut touched = Vec::new();
        for file in &change.files {
            for (side, at) in [(Side::Before, &file.before), (Side::After, &file.after)] {
                let Some(at) = at else { continue };
                if is_rule_path(&at.path) {
                    touched.push((at.path.clone(), side));
                }
                if let Content::Unknown(reason) = &at.content {
                    self.unknowns.entry(format!("the content of {} ({reason})", at.path)).or_default();
                }
            }
        }
        touched.dedup_by(|a, b| a.0 == b.0);
        let one_sided = world.book_before(db).is_some() != world.book_after(db).is_some();
        if !touched.is_empty() || one_sided {
            let shown: Vec<Evidence> = touched
                .iter()
                .take(SHOWN)
                .map(|(path, side)| Evidence::Changed {
                    part: crate::plan::PartRef { name: path.to_string(), path: path.to_string(), line: 0, side: *side },
                    how: vec!["bytes".to_owned()],
                    set: "rules, signers, owners".to_owned(),
                    proof: Vec::new(),
                })
                .collect();
            let because = match (world.book_before(db).is_some(), world.book_after(db).is_some()) {
                (false, true) => "The change that adds the first rules is agreed by people.",
                (true, false) => "The change that takes the rules away is agreed by people.",
                _ => "A change to rules, signers or owners is agreed by people.",
            };
            let mut derivation = built_in("rules_changed", because, shown);
            derivation.more_evidence = u32::try_from(touched.len().saturating_sub(SHOWN)).unwrap_or(u32::MAX);
            self.tiers.push((3, derivation.clone(), false));
            self.rules.insert(derivation.rule.clone(), (Outcome::Fires, BTreeSet::new(), vec![derivation]));
        }
        for (book_side, book) in books(db) {
            for &file in book.files(db) {
                for reason in broken(db, file).iter() {
                    let mut derivation = built_in(
                        "broken_rule",
                        "A rule that cannot be read could have asked for anything.",
                        vec![Evidence::Missing { fact: reason.clone() }],
                    );
                    derivation.by_unknown = true;
                    derivation.book = book_side;
                    self.tiers.push((3, derivation.clone(), true));
                    push(self.unknowns.entry(reason.clone()).or_default(), derivation);
                }
            }
        }
    }

    /// What the `tiers` lines say of the change.
    fn tier_lines(&mut self) {
        let db = self.db;
        let declared = World::get(db).declared(db);
        let books = books(db);
        if books.is_empty() {
            self.default_tier(BookSide::BuiltIn);
        }
        for (book_side, book) in &books {
            let Some((at, lines)) = tier_items(db, *book) else {
                self.default_tier(*book_side);
                continue;
            };
            // A line that lowers must have stood before: in the first rules there is nothing that did.
            let safe_counts = !(*book_side == BookSide::After && books.len() == 1);
            let mut proved_tier: Option<(u8, Derivation)> = None;
            let mut any_other: Option<(u8, Derivation)> = None;
            for tier_line in &lines {
                let derivation = |because: String, evidence| Derivation {
                    rule: format!("tiers.{}", tier_line.name.text),
                    file: at.file.path(db).to_string(),
                    line: line(db, &at, tier_line.node),
                    because,
                    book: *book_side,
                    evidence,
                    more_evidence: 0,
                    by_unknown: false,
                };
                match &tier_line.reach {
                    TierReach::OnlyIn(kinds) if safe_counts => {
                        let proved = crate::text::proved_safe(db);
                        if let Some(found) = proved.as_ref()
                            && found.iter().all(|kind| kinds.contains(kind))
                        {
                            let words: Vec<&str> = found.iter().map(|kind| show::safe_kind(*kind)).collect();
                            let words = words.join(", ");
                            let evidence = vec![Evidence::Declared {
                                what: "proved: change only in".to_owned(),
                                value: words.clone(),
                            }];
                            let because = format!("The change is proved to be only {words}.");
                            if proved_tier.as_ref().is_none_or(|(tier, _)| tier_line.tier > *tier) {
                                proved_tier = Some((tier_line.tier, derivation(because, evidence)));
                            }
                        }
                    }
                    TierReach::AnyOther if any_other.as_ref().is_none_or(|(tier, _)| tier_line.tier > *tier) => {
                        let waived = self.tier_waiver(*book_side, *book, &tier_line.name.text);
                        any_other = Some(match waived {
                            Some((tier, name, evidence)) => (
                                tier,
                                derivation(format!("Waiver {name} lowers tiers.{}.", tier_line.name.text), evidence),
                            ),
                            None => (tier_line.tier, derivation("Any other change.".to_owned(), Vec::new())),
                        });
                    }
                    TierReach::Operations(operations) => {
                        if let Some(operation) = &declared.operation
                            && operations.iter().any(|name| name.text == *operation)
                        {
                            let evidence =
                                vec![Evidence::Declared { what: "operation".to_owned(), value: operation.clone() }];
                            let because = format!("The operation {operation} is declared.");
                            self.tiers.push((tier_line.tier, derivation(because, evidence), false));
                        }
                    }
                    TierReach::OnlyIn(_) | TierReach::AnyOther | TierReach::RulesOnly => {}
                }
            }
            match proved_tier.or(any_other) {
                Some((tier, derivation)) => self.tiers.push((tier, derivation, false)),
                None => self.default_tier(*book_side),
            }
        }
    }

    /// A book that does not say which tier a change has says tier 2.
    fn default_tier(&mut self, book: BookSide) {
        let mut derivation = built_in("default_tier", "No line of `tiers` is about this change.", Vec::new());
        derivation.book = book;
        self.tiers.push((2, derivation, false));
    }

    /// A waiver in force `of tiers.NAME` that covers the whole change: the tier, its name and evidence.
    fn tier_waiver(&self, book_side: BookSide, book: RuleBook, name: &str) -> Option<(u8, String, Vec<Evidence>)> {
        for (at, compiled) in self.waivers(book_side, book) {
            let ItemKind::Waiver(waiver) = &compiled.item.kind else { continue };
            let WaiverEffect::ToTier(tier) = waiver.effect else { continue };
            if !matches!(&waiver.of, WaiverOf::Tier(of) if of.text == name) {
                continue;
            }
            let conds = Conds { db: self.db, book, compiled: &compiled, mode: Mode::Lower };
            let covered = conds.both(&waiver.set);
            let whole = part_changes(self.db)
                .iter()
                .all(|change| certain_on_both(&covered, change.before.as_ref(), change.after.as_ref()));
            if !whole || part_changes(self.db).is_empty() {
                continue;
            }
            let trace = waiver.when.as_ref().map(|when| conds.eval(when));
            if trace.as_ref().is_some_and(|trace| trace.truth != Truth::Yes) {
                continue;
            }
            let prover = Prover { db: self.db, book };
            let evidence = trace
                .map(|trace| {
                    trace.evidence().into_iter().take(SHOWN).map(|hit| prover.evidence(&compiled, hit)).collect()
                })
                .unwrap_or_default();
            return Some((tier, at.id.name.to_string(), evidence));
        }
        None
    }

    /// Waivers in force: those of the book that stood before, granted, and not past their date.
    fn waivers(&self, book_side: BookSide, book: RuleBook) -> Vec<(At, Arc<Compiled>)> {
        if book_side == BookSide::After {
            // What lowers counts only if it stood before. The rules before judge what they say of it.
            return World::get(self.db)
                .book_before(self.db)
                .map(|before| waivers_in_force(self.db, before))
                .unwrap_or_default();
        }
        waivers_in_force(self.db, book)
    }

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
            self.contribute(rule, &view, &lowered, &at_rule);
        }
        if view.denies && !lowered.deny {
            self.deny(rule, &view, &at_rule);
        }
        self.outcome(name, outcome, &lowered.waivers, at_rule);
    }

    /// Everything that a fired rule says, but for its denial.
    fn contribute(&mut self, rule: &Judged, view: &RuleView<'_>, lowered: &Lowered, at_rule: &Derivation) {
        let at = |node: NodeId, joiner: &Self| Derivation { line: line(joiner.db, &rule.at, node), ..at_rule.clone() };
        if let Some((node, tier)) = view.tier
            && !lowered.tier
        {
            let tier = lowered.to_tier.map_or(tier, |most| tier.min(most));
            let derivation = at(node, self);
            self.tiers.push((tier, derivation, at_rule.by_unknown));
        }
        for requirement in view.require {
            let derivation = at(requirement.node, self);
            match &requirement.kind {
                RequirementKind::Approval(approval) => {
                    let waived = lowered.all_approvals
                        || matches!(&approval.by, ast::Approver::Team(team) if lowered.approvals.contains(&team.text));
                    if !waived {
                        self.approval(rule, approval, derivation);
                    }
                }
                RequirementKind::Bundle { name, narrowed } => {
                    if !lowered.bundles.contains(&name.text) {
                        let entry = self.bundles.entry(name.text.clone()).or_insert((true, Vec::new()));
                        entry.0 &= *narrowed;
                        push(&mut entry.1, derivation);
                    }
                }
                RequirementKind::Validation(validation) => {
                    if !lowered.validations.contains(&validation.text) {
                        self.validation(rule.book, &validation.text, &derivation);
                    }
                }
                RequirementKind::Ticket(_) | RequirementKind::Rationale | RequirementKind::Story(_)
                    if lowered.everything => {}
                RequirementKind::Ticket(glob) => {
                    let declared = World::get(self.db).declared(self.db);
                    let given = declared.ticket.clone().filter(|ticket| rule.compiled.glob(&glob.value, false, ticket));
                    self.duty(format!("ticket \"{}\"", glob.value), given, derivation);
                }
                RequirementKind::Rationale => {
                    let given = World::get(self.db).declared(self.db).rationale.clone();
                    self.duty("rationale".to_owned(), given.filter(|text| !text.trim().is_empty()), derivation);
                }
                RequirementKind::Story(field) => {
                    let given = World::get(self.db).declared(self.db).story.get(&field.text).cloned();
                    let given = given.filter(|text| !text.trim().is_empty());
                    self.duty(format!("story {}", field.text), given, derivation);
                }
            }
        }
        for principle in view.upholds {
            let derivation = at(principle.node, self);
            push(self.principles.entry(principle.text.clone()).or_default(), derivation);
        }
        if lowered.everything {
            return;
        }
        for intent in view.intents {
            let derivation = at(intent.node, self);
            push(self.intents.entry(intent.text.clone()).or_default(), derivation);
        }
        if let Some(trust) = view.trust {
            let derivation = at(trust.node, self);
            self.trust.push((trust.thousandths, derivation));
        }
        for limit in view.limits {
            self.limit(rule, view, limit, at(limit.node, self));
        }
    }

    /// A limit that is broken or unknown is a hold for the policy's owner.
    fn limit(&mut self, rule: &Judged, view: &RuleView<'_>, limit: &ast::KpiTest, mut derivation: Derivation) {
        let past = World::get(self.db).past(self.db);
        let key = show::kpi(limit);
        let test = show::comparison(limit.compare, &limit.value);
        match past.kpis.get(&show::kpi_key(limit)).or_else(|| past.kpis.get(&limit.kpi.text)) {
            Some(&value) if crate::sets::compare_exact(limit.compare, value, crate::sets::plain(&limit.value)) => {
                return;
            }
            Some(&value) => {
                derivation.evidence = vec![Evidence::Number { what: key, low: value, high: value, test }];
            }
            None => {
                derivation.by_unknown = true;
                derivation.evidence = vec![Evidence::Missing { fact: key.clone() }];
                push(self.unknowns.entry(key).or_default(), derivation.clone());
            }
        }
        derivation.more_evidence = 0;
        self.hold(rule.book, view.owner, derivation);
    }

    /// An approval by a rule's owner, or by anyone where it has none.
    fn hold(&mut self, book: RuleBook, owner: Option<&ast::Name>, derivation: Derivation) {
        let by = owner.map_or(Approver::Anyone, |team| self.team(book, &team.text));
        self.add_approval(1, by, Vec::new(), false, derivation);
    }

    fn deny(&mut self, rule: &Judged, view: &RuleView<'_>, at_rule: &Derivation) {
        let verdict = &rule.verdict;
        let name = rule.at.id.name.to_string();
        let deny_line = match &rule.compiled.item.kind {
            ItemKind::Rule(ast::Rule { deny: Some(deny), .. }) => deny.node,
            _ => NodeId(0),
        };
        let base = Derivation { line: line(self.db, &rule.at, deny_line), ..at_rule.clone() };
        let Some(violations) = &verdict.violations else {
            match verdict.truth {
                Truth::Yes => self.denial(name, view, base),
                _ => self.hold_deny(rule, view, base),
            }
            return;
        };
        let show = |joiner: &Self, hits: &[Hit], by_unknown| {
            let hits: Vec<&Hit> = hits.iter().collect();
            joiner.derivation(rule, deny_line, view.because, &hits, by_unknown)
        };
        let edited = self.is_edited(rule);
        // Asked first: who mends a rule or leaves fewer violations than there were is never denied by it.
        let always = matches!(&rule.compiled.item.kind, ItemKind::Rule(_));
        let after = violations.new.len() + violations.old.len() + violations.maybe_new.len();
        if always && after > 0 && (edited || after < violations.before) {
            let hits: Vec<Hit> =
                violations.new.iter().chain(&violations.old).chain(&violations.maybe_new).cloned().collect();
            let derivation = show(self, &hits, false);
            self.tiers.push((3, derivation, false));
            return;
        }
        if !violations.new.is_empty() {
            let derivation = show(self, &violations.new, false);
            return self.denial(name, view, derivation);
        }
        if !violations.maybe_new.is_empty() {
            let derivation = show(self, &violations.maybe_new, true);
            return self.hold_deny(rule, view, derivation);
        }
        if !violations.old.is_empty() && always {
            let derivation = show(self, &violations.old, false);
            self.hold_deny(rule, view, derivation);
        }
    }

    fn denial(&mut self, name: String, view: &RuleView<'_>, derivation: Derivation) {
        let entry =
            self.denials.entry(name).or_insert_with(|| (view.remedy.map(|remedy| remedy.value.clone()), Vec::new()));
        push(&mut entry.1, derivation);
    }

    /// An unknown denial, or a state that stood before, waits for people.
    fn hold_deny(&mut self, rule: &Judged, view: &RuleView<'_>, derivation: Derivation) {
        match view.if_unknown {
            Some(approval) => self.approval(rule, &approval.clone(), derivation),
            None => self.hold(rule.book, view.owner, derivation),
        }
    }

    /// Whether this change edits a rule: it is not the same in both books.
    fn is_edited(&self, rule: &Judged) -> bool {
        let world = World::get(self.db);
        let other = match rule.book_side {
            BookSide::Before => world.book_after(self.db),
            BookSide::After => world.book_before(self.db),
            BookSide::Both | BookSide::BuiltIn => return false,
        };
        let Some(other) = other else { return true };
        let names = names(self.db, other);
        names
            .get(Kind::Rule, &rule.at.id.name)
            .iter()
            .filter_map(|at| item(self.db, at.file, at.id.clone()))
            .all(|item| *item != *rule.compiled.item)
    }

    fn after_run(&mut self, rule: &Judged, view: &RuleView<'_>, pending: &Pending) {
        let name = rule.at.id.name.to_string();
        let evidence = rule.verdict.trace.evidence();
        let derivation = self.derivation(rule, NodeId(0), view.because, &evidence, false);
        if *pending == Pending::Known(Truth::No) {
            return self.outcome(name, Outcome::DoesNotApply, &[], derivation);
        }
        let mut approvals: Vec<Approval> = view
            .require
            .iter()
            .filter_map(|requirement| match &requirement.kind {
                RequirementKind::Approval(approval) => Some(approval),
                _ => None,
            })
            .map(|approval| Approval {
                name: show::approval(approval),
                count: approval.count,
                by: self.approver(rule.book, &approval.by),
                among: approval.among.iter().map(|(count, by)| (*count, self.approver(rule.book, by))).collect(),
                extra: approval.extra,
                derivation: vec![derivation.clone()],
            })
            .collect();
        for principle in view.upholds {
            push(self.principles.entry(principle.text.clone()).or_default(), derivation.clone());
        }
        if let Some((_, tier)) = view.tier {
            approvals.extend(self.agree_to(tier, &derivation));
        }
        self.after_run.push(AfterRun {
            name: name.clone(),
            when: pending.clone(),
            tier: view.tier.map(|(_, tier)| tier),
            approvals,
            denies: view.denies,
            derivation: derivation.clone(),
        });
        self.outcome(name, Outcome::AfterRun, &[], derivation);
    }

    /// Who agrees to a plan that a rule raises to a tier after the run: whom the lines of that tier name.
    fn agree_to(&self, tier: u8, derivation: &Derivation) -> Vec<Approval> {
        let mut found = Vec::new();
        let mut is_said = false;
        for (_, book) in books(self.db) {
            let Some((_, lines)) = tier_items(self.db, book) else { continue };
            for line in lines.iter().filter(|line| line.tier == tier) {
                is_said = true;
                let TierApproval::Approval(approval) = &line.approve else { continue };
                let by = self.approver(book, &approval.by);
                let among: Vec<(u32, Approver)> =
                    approval.among.iter().map(|(count, by)| (*count, self.approver(book, by))).collect();
                found.push(Approval {
                    name: approval_name(approval.count, &by, &among, approval.extra),
                    count: approval.count,
                    by,
                    among,
                    extra: approval.extra,
                    derivation: vec![derivation.clone()],
                });
            }
        }
        if !is_said && tier >= 3 {
            found.push(Approval {
                name: approval_name(1, &Approver::Anyone, &[], false),
                count: 1,
                by: Approver::Anyone,
                among: Vec::new(),
                extra: false,
                derivation: vec![derivation.clone()],
            });
        }
        found
    }

    fn outcome(&mut self, name: String, outcome: Outcome, waivers: &[String], derivation: Derivation) {
        let rank = |outcome: Outcome| match outcome {
            Outcome::Fires => 4,
            Outcome::Unknown => 3,
            Outcome::Waived => 2,
            Outcome::AfterRun => 1,
            Outcome::DoesNotApply => 0,
        };
        let entry = self.rules.entry(name).or_insert((outcome, BTreeSet::new(), Vec::new()));
        if rank(outcome) > rank(entry.0) {
            entry.0 = outcome;
        }
        entry.1.extend(waivers.iter().cloned());
        push(&mut entry.2, derivation);
    }

    /// Names what is missing where a rule is unknown.
    fn name_unknowns(&mut self, verdict: &Verdict, evidence: &[&Hit], derivation: &Derivation) {
        let mut facts: BTreeSet<String> = verdict.problems.iter().cloned().collect();
        for hit in evidence {
            match hit {
                Hit::Missing { fact } => {
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
            push(self.unknowns.entry(fact).or_default(), derivation.clone());
        }
    }

    fn duty(&mut self, name: String, given: Option<String>, derivation: Derivation) {
        let entry = self.duties.entry(name).or_insert((None, Vec::new()));
        entry.0 = given;
        push(&mut entry.1, derivation);
    }

    fn team(&self, book: RuleBook, name: &str) -> Approver {
        // Members count only if they stood before; a team that is new has only its new ones, and so has what asks for it.
        let before = World::get(self.db).book_before(self.db);
        let members = [before, Some(book)]
            .into_iter()
            .flatten()
            .find_map(|book| {
                let names = names(self.db, book);
                let at = names.first(Kind::Team, name)?;
                match &item(self.db, at.file, at.id.clone())?.kind {
                    ItemKind::Team { members, .. } => Some(members.iter().map(|member| member.value.clone()).collect()),
                    _ => None,
                }
            })
            .unwrap_or_default();
        Approver::Team { name: name.to_owned(), members }
    }

    fn approver(&self, book: RuleBook, by: &ast::Approver) -> Approver {
        match by {
            ast::Approver::Anyone | ast::Approver::OwnerOfEachFile(_) => Approver::Anyone,
            ast::Approver::Team(team) => self.team(book, &team.text),
        }
    }

    fn approval(&mut self, rule: &Judged, approval: &ast::Approval, derivation: Derivation) {
        let among: Vec<(u32, Approver)> =
            approval.among.iter().map(|(count, by)| (*count, self.approver(rule.book, by))).collect();
        let ast::Approver::OwnerOfEachFile(set) = &approval.by else {
            let by = self.approver(rule.book, &approval.by);
            return self.add_approval(approval.count, by, among, approval.extra, derivation);
        };
        let owners = World::get(self.db)
            .past(self.db)
            .codeowners
            .as_ref()
            .map(|(_, text)| grace_graph::owners::Owners::parse(text));
        let files = self.evidence_files(rule, set);
        let hidden = rule.verdict.trace.evidence().iter().any(|hit| matches!(hit, Hit::Missing { .. }));
        if files.is_empty() || hidden {
            // Which file it is cannot be told, so nobody can be asked as its owner.
            let by = approval.otherwise.as_ref().map_or(Approver::Anyone, |by| self.approver(rule.book, by));
            self.add_approval(approval.count, by, among.clone(), approval.extra, derivation.clone());
        }
        for path in files {
            let named: Vec<String> = owners
                .as_ref()
                .map(|owners| owners.owners_of(&path).iter().map(ToString::to_string).collect())
                .unwrap_or_default();
            let by = if named.is_empty() {
                approval.otherwise.as_ref().map_or(Approver::Anyone, |by| self.approver(rule.book, by))
            } else {
                Approver::OwnerOf { path: path.to_string(), owners: named }
            };
            self.add_approval(approval.count, by, among.clone(), approval.extra, derivation.clone());
        }
    }

    /// Files of the parts of a set that are in a rule's evidence, an edge's far end included.
    fn evidence_files(&self, rule: &Judged, set: &SetExpr) -> BTreeSet<Arc<str>> {
        let conds = Conds { db: self.db, book: rule.book, compiled: &rule.compiled, mode: Mode::Raise };
        let both = conds.both(set);
        let mut files = BTreeSet::new();
        for hit in rule.verdict.trace.evidence() {
            for (side, key) in hit_parts(hit) {
                if both.holds(side, key) != Truth::No {
                    files.insert(key.path.clone());
                }
            }
        }
        files
    }

    fn add_approval(
        &mut self,
        count: u32,
        by: Approver,
        among: Vec<(u32, Approver)>,
        extra: bool,
        derivation: Derivation,
    ) {
        let entry = self.approvals.entry((extra, by, among)).or_insert((0, Vec::new()));
        entry.0 = entry.0.max(count);
        push(&mut entry.1, derivation);
    }

    fn validation(&mut self, book: RuleBook, name: &str, derivation: &Derivation) {
        let db = self.db;
        let names = names(db, book);
        let Some(at) = names.first(Kind::Validation, name) else { return };
        let Some(compiled) = compiled(db, book, at.file, at.id.clone()) else { return };
        let ItemKind::Validation { of, .. } = &compiled.item.kind else { return };
        let mut wanted = BTreeSet::new();
        for side in [Side::Before, Side::After] {
            let graph = graph_of(db, side);
            let sets = Sets { db, book, side: snapshot(db, side), graph: &graph, compiled: &compiled };
            for model in sets.models(of).into_keys() {
                if touches_model(db, book, side, &model) {
                    wanted.insert(model);
                }
            }
        }
        for model in wanted {
            push(self.validations.entry((name.to_owned(), model)).or_default(), derivation.clone());
        }
    }

    /// What waivers in force take away from a fired rule.
    fn lowered(&self, rule: &Judged, view: &RuleView<'_>) -> Lowered {
        let mut lowered = Lowered::default();
        let unwaivable = view.upholds.iter().any(|principle| {
            books(self.db).iter().any(|(_, book)| {
                names(self.db, *book)
                    .first(Kind::Principle, &principle.text)
                    .and_then(|at| item(self.db, at.file, at.id.clone()))
                    .is_some_and(|item| matches!(item.kind, ItemKind::Principle { unwaivable: true, .. }))
            })
        });
        if unwaivable {
            return lowered;
        }
        let waiver_book = World::get(self.db).book_before(self.db).unwrap_or(rule.book);
        for (at, compiled) in self.waivers(rule.book_side, rule.book) {
            let ItemKind::Waiver(waiver) = &compiled.item.kind else { continue };
            if !matches!(&waiver.of, WaiverOf::Rule(name) if *name.text == *rule.at.id.name) {
                continue;
            }
            let conds = Conds { db: self.db, book: waiver_book, compiled: &compiled, mode: Mode::Lower };
            let covered = conds.both(&waiver.set);
            let of_rule = Conds { db: self.db, book: rule.book, compiled: &rule.compiled, mode: Mode::Lower };
            if coverage(&of_rule, &covered, &rule.verdict.trace) != Coverage::Whole {
                continue;
            }
            if waiver.when.as_ref().is_some_and(|when| conds.eval(when).truth != Truth::Yes) {
                continue;
            }
            lowered.waivers.push(at.id.name.to_string());
            match &waiver.effect {
                WaiverEffect::ToTier(tier) => {
                    lowered.to_tier = Some(lowered.to_tier.map_or(*tier, |least| least.min(*tier)));
                }
                WaiverEffect::Waives(list) => {
                    for waived in list {
                        match waived {
                            Waived::Tier(_) => lowered.tier = true,
                            Waived::Approval(_, None) => lowered.all_approvals = true,
                            Waived::Approval(_, Some(team)) => {
                                lowered.approvals.insert(team.text.clone());
                            }
                            Waived::Bundle(name) => {
                                lowered.bundles.insert(name.text.clone());
                            }
                            Waived::Validation(name) => {
                                lowered.validations.insert(name.text.clone());
                            }
                            Waived::Deny(_) => lowered.deny = true,
                            Waived::Everything(_) => {
                                lowered.tier = true;
                                lowered.all_approvals = true;
                                lowered.deny = true;
                                lowered.everything = true;
                                for requirement in view.require {
                                    match &requirement.kind {
                                        RequirementKind::Bundle { name, .. } => {
                                            lowered.bundles.insert(name.text.clone());
                                        }
                                        RequirementKind::Validation(name) => {
                                            lowered.validations.insert(name.text.clone());
                                        }
                                        _ => {}
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        lowered
    }

    fn finish(mut self, judged: &[Judged]) -> Plan {
        let db = self.db;
        let tier = self.tiers.iter().map(|(tier, ..)| *tier).max().unwrap_or(3);
        let certain_tier =
            self.tiers.iter().filter(|(.., unknown)| !unknown).map(|(tier, ..)| *tier).max().unwrap_or(1);
        let (tier_name, approve) = self.tier_approval(tier);
        let mut tier_derivation = Vec::new();
        // The certain reasons come first.
        for by_unknown in [false, true] {
            for (reached, derivation, unknown) in &self.tiers {
                if *reached == tier && *unknown == by_unknown {
                    push(&mut tier_derivation, derivation.clone());
                }
            }
        }
        let approvals = std::mem::take(&mut self.approvals)
            .into_iter()
            .map(|((extra, by, among), (count, derivation))| Approval {
                name: approval_name(count, &by, &among, extra),
                count,
                by,
                among,
                extra,
                derivation,
            })
            .collect::<Vec<_>>();
        let unknowns = std::mem::take(&mut self.unknowns)
            .into_iter()
            .map(|(name, derivation)| Unknown {
                decides_tier: tier > certain_tier
                    && self.tiers.iter().any(|(reached, reason, unknown)| {
                        *reached == tier && *unknown && derivation.iter().any(|other| other.rule == reason.rule)
                    }),
                name,
                derivation,
            })
            .collect();
        let bundles = self.bundle_plans();
        let not_run = not_run(db, judged, &bundles);
        let validations = self.validation_plans();
        let trust = self.trust.iter().map(|(least, _)| *least).max().map(|at_least| {
            let mut derivation = Vec::new();
            for (least, reason) in &self.trust {
                if *least == at_least {
                    push(&mut derivation, reason.clone());
                }
            }
            TrustFloor { at_least, derivation }
        });
        let elements = |map: BTreeMap<String, Vec<Derivation>>| {
            map.into_iter().map(|(name, derivation)| Element { name, derivation }).collect()
        };
        let as_of = World::get(db).as_of(db);
        let mut after_run = self.after_run;
        after_run.sort_by(|a, b| a.name.cmp(&b.name).then(a.derivation.book.cmp(&b.derivation.book)));
        let mut plan = Plan {
            schema: SCHEMA.to_owned(),
            version: VERSION,
            id: String::new(),
            tier,
            tier_name,
            approve,
            tier_derivation,
            approvals,
            principles: elements(self.principles),
            bundles,
            not_run,
            validations,
            duties: self
                .duties
                .into_iter()
                .map(|(name, (given, derivation))| Duty { name, given, derivation })
                .collect(),
            intents: elements(self.intents),
            trust,
            denials: self
                .denials
                .into_iter()
                .map(|(name, (remedy, derivation))| Denial { name, remedy, derivation })
                .collect(),
            unknowns,
            rules: self
                .rules
                .into_iter()
                .map(|(name, (outcome, waivers, derivation))| RuleOutcome {
                    name,
                    outcome,
                    waivers: waivers.into_iter().collect(),
                    derivation,
                })
                .collect(),
            after_run,
            change: summary(db),
            valid_until: valid_until(db),
            as_of: dates::iso(as_of),
        };
        plan.id = subject(db, &plan);
        plan
    }

    /// The name of the final tier, and the approvals that its lines bind.
    fn tier_approval(&mut self, tier: u8) -> (String, TierApprove) {
        let db = self.db;
        let mut name = String::new();
        let mut approve = None;
        for (book_side, book) in books(db) {
            let Some((at, lines)) = tier_items(db, book) else { continue };
            for tier_line in lines.iter().filter(|line| line.tier == tier) {
                if name.is_empty() {
                    name.clone_from(&tier_line.name.text);
                }
                let this = match &tier_line.approve {
                    TierApproval::Automatically => TierApprove::Automatically,
                    TierApproval::ByRules => TierApprove::ByRules,
                    TierApproval::Approval(approval) => {
                        let derivation = Derivation {
                            rule: format!("tiers.{}", tier_line.name.text),
                            file: at.file.path(db).to_string(),
                            line: line(db, &at, tier_line.node),
                            because: format!("Every plan of tier {tier} is agreed by people."),
                            book: book_side,
                            evidence: Vec::new(),
                            more_evidence: 0,
                            by_unknown: false,
                        };
                        let by = self.approver(book, &approval.by);
                        let among =
                            approval.among.iter().map(|(count, by)| (*count, self.approver(book, by))).collect();
                        self.add_approval(approval.count, by, among, approval.extra, derivation);
                        TierApprove::People
                    }
                };
                approve = approve.max(Some(this));
            }
        }
        if name.is_empty() {
            name = ["safe", "internal", "sensitive"][usize::from(tier.clamp(1, 3)) - 1].to_owned();
        }
        let approve = approve.unwrap_or_else(|| {
            if tier >= 3 {
                let derivation =
                    built_in("tier_3", "No rule book says who agrees to tier 3, so somebody must.", Vec::new());
                self.add_approval(1, Approver::Anyone, Vec::new(), false, derivation);
                TierApprove::People
            } else {
                TierApprove::ByRules
            }
        });
        (name, approve)
    }

    fn bundle_plans(&self) -> Vec<BundlePlan> {
        let impact = impact(self.db);
        self.bundles
            .iter()
            .filter_map(|(name, (narrowed, derivation))| {
                bundle_plan(self.db, name, *narrowed, derivation.clone(), &impact)
            })
            .collect()
    }

    /// Validations to run; one that differs between the books runs in both forms.
    fn validation_plans(&self) -> Vec<ValidationPlan> {
        let mut plans: Vec<ValidationPlan> = Vec::new();
        for ((validation, model), derivation) in &self.validations {
            for (_, book) in books(self.db) {
                let names = names(self.db, book);
                let Some(at) = names.first(Kind::Validation, validation) else { continue };
                let Some(item) = item(self.db, at.file, at.id.clone()) else { continue };
                let ItemKind::Validation { probe, samples, .. } = &item.kind else { continue };
                let form = ValidationPlan {
                    name: format!("{validation} of model(\"{model}\")"),
                    validation: validation.clone(),
                    model: model.clone(),
                    probe: probe.text.clone(),
                    samples: samples.as_ref().and_then(|samples| u32::try_from(samples.thousandths / 1000).ok()),
                    derivation: derivation.clone(),
                };
                if !plans.contains(&form) {
                    plans.push(form);
                }
            }
        }
        plans
    }
}

/// Adds a reason once; the same reason from both books is one, of both.
fn push(derivations: &mut Vec<Derivation>, derivation: Derivation) {
    for seen in derivations.iter_mut() {
        let same = seen.rule == derivation.rule
            && seen.file == derivation.file
            && seen.because == derivation.because
            && seen.evidence == derivation.evidence
            && seen.by_unknown == derivation.by_unknown;
        if same && seen.line == derivation.line && seen.book == derivation.book {
            return;
        }
        if same && seen.book != derivation.book && seen.book != BookSide::Both {
            seen.book = BookSide::Both;
            seen.line = if derivation.book == BookSide::After { derivation.line } else { seen.line };
            return;
        }
    }
    derivations.push(derivation);
}

/// The `tiers` item of a book, from files that apply.
pub(crate) fn tier_items(db: &dyn Db, book: RuleBook) -> Option<(At, Vec<TierLine>)> {
    let names = names(db, book);
    let at = names.of_kind(Kind::Tiers).map(|(_, at)| at).find(|at| applies(db, at.file))?.clone();
    let item = item(db, at.file, at.id.clone())?;
    match &item.kind {
        ItemKind::Tiers(lines) => Some((at, lines.clone())),
        _ => None,
    }
}

/// The parts that a hit is about.
pub(crate) fn hit_parts(hit: &Hit) -> Vec<(Side, &PartKey)> {
    match hit {
        Hit::Changed { before, after, .. } => {
            before.iter().map(|key| (Side::Before, key)).chain(after.iter().map(|key| (Side::After, key))).collect()
        }
        Hit::Member { part, side, .. } | Hit::Test { part, side, .. } => vec![(*side, part)],
        Hit::NewEdge { edge, .. } => vec![(Side::After, &edge.from), (Side::After, &edge.to)],
        Hit::Way { edges, side, .. } => {
            edges.iter().flat_map(|edge| [(*side, &edge.from), (*side, &edge.to)]).collect()
        }
        Hit::Line { part: Some(part), .. } => vec![(Side::After, part)],
        Hit::Model { part: Some(part), side, .. } => vec![(*side, part)],
        Hit::Line { .. }
        | Hit::Model { .. }
        | Hit::Number { .. }
        | Hit::Package { .. }
        | Hit::Declared { .. }
        | Hit::Window { .. }
        | Hit::Missing { .. } => Vec::new(),
    }
}

fn shown_key(key: &PartKey) -> String {
    if key.name.is_empty() { key.path.to_string() } else { format!("{} of {}", key.name, key.path) }
}

/// The name of an approval, as `explain approval NAME` takes it.
pub(crate) fn approval_name(count: u32, by: &Approver, among: &[(u32, Approver)], extra: bool) -> String {
    let group = |by: &Approver| match by {
        Approver::Anyone => "anyone".to_owned(),
        Approver::Team { name, .. } => format!("team({name})"),
        Approver::OwnerOf { path, .. } => format!("an owner of {path}"),
    };
    let mut name = format!("{}{count} of {}", if extra { "extra " } else { "" }, group(by));
    for (count, by) in among {
        name.push_str(&format!(", {count} of them of {}", group(by)));
    }
    name
}

/// Whether the change touches a model: a part bound to it, or its fingerprint's file.
fn touches_model(db: &dyn Db, book: RuleBook, side: Side, model: &str) -> bool {
    let past = World::get(db).past(db);
    let by_file = World::get(db).change(db).files.iter().any(|file| {
        [&file.before, &file.after]
            .into_iter()
            .flatten()
            .any(|at| past.model_files.get(&*at.path).is_some_and(|models| models.iter().any(|name| name == model)))
    });
    if by_file {
        return true;
    }
    let graph = graph_of(db, side);
    let bound = named_set(db, book, snapshot(db, side), SetName::Bound(Arc::from(model)));
    meant(db).iter().any(|change| {
        let key = match side {
            Side::Before => change.before.as_ref(),
            Side::After => change.after.as_ref(),
        };
        key.and_then(|key| graph.find(key)).is_some_and(|part| bound.holds(part) != Truth::No)
    })
}

/// Bundles that the books know and that the plan does not run, with what their rules lack.
fn not_run(db: &dyn Db, judged: &[Judged], bundles: &[BundlePlan]) -> Vec<NotRun> {
    let mut known = BTreeSet::new();
    for (_, book) in books(db) {
        known.extend(names(db, book).of_kind(Kind::Bundle).map(|(name, _)| name.to_string()));
    }
    for bundle in bundles {
        known.remove(&bundle.name);
    }
    known
        .into_iter()
        .map(|name| {
            let mut rules: Vec<Rejected> = Vec::new();
            for rule in judged {
                let Some(view) = RuleView::of(&rule.compiled.item) else { continue };
                let requires = view.require.iter().any(|requirement| {
                    matches!(&requirement.kind, RequirementKind::Bundle { name: required, .. } if required.text == name)
                });
                if !requires || rules.iter().any(|seen| *seen.rule == *rule.at.id.name) {
                    continue;
                }
                rules.push(Rejected {
                    rule: rule.at.id.name.to_string(),
                    file: rule.at.file.path(db).to_string(),
                    line: line(db, &rule.at, NodeId(0)),
                    unmet: unmet(&rule.compiled.item, &rule.verdict.trace),
                });
            }
            NotRun { name, rules }
        })
        .collect()
}

/// The conditions of a rule that were not met, as the language writes them.
pub(crate) fn unmet(item: &Item, trace: &Trace) -> Vec<String> {
    let mut found = Vec::new();
    let mut stack = vec![trace];
    while let Some(trace) = stack.pop() {
        if trace.children.is_empty() {
            if trace.truth == Truth::No {
                found.push(cond_text(item, trace.node));
            }
        } else {
            stack.extend(trace.children.iter().rev());
        }
    }
    found
}

/// The text of a condition of an item by its node.
pub(crate) fn cond_text(item: &Item, node: NodeId) -> String {
    fn find(cond: &ast::Cond, node: NodeId) -> Option<String> {
        if cond.node == node {
            return Some(show::cond(cond));
        }
        match &cond.kind {
            ast::CondKind::And(conds) | ast::CondKind::Or(conds) => conds.iter().find_map(|cond| find(cond, node)),
            ast::CondKind::Not(cond) => find(cond, node),
            _ => None,
        }
    }
    let text = match &item.kind {
        ItemKind::Rule(rule) => {
            let (When::Change(cond) | When::Always(cond) | When::AfterRun(cond)) = &rule.when;
            find(cond, node)
        }
        ItemKind::Policy(policy) => Some(format!("change touches {}", show::set(&policy.covers))),
        ItemKind::Forbid(forbid) => {
            Some(format!("new imports from {} to {}", show::set(&forbid.from), show::set(&forbid.to)))
        }
        ItemKind::Layers(layers) => {
            let floors: Vec<String> = layers.floors.iter().map(show::set).collect();
            Some(format!("new imports against {}", floors.join(" over ")))
        }
        _ => None,
    };
    text.unwrap_or_else(|| item.name.clone())
}
