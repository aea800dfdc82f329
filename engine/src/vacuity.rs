//! Law 5: nothing vacuous passes `check`. What a rule book says of nothing, against the after tree.
//!
//! An error in the project's own files, a note in packs that it adopted, nothing where `may be empty` stands. Beside it,
//! as a note, the pairs that a `forbid` lists.

use std::sync::Arc;

use grace_dsl::ast::{
    Approver, Compare, Cond, CondKind, Forbid, ItemKind, NodeId, RequirementKind, Rule, SetExpr, SetKind, Waiver,
    WaiverOf, When,
};
use grace_dsl::{Code, Diagnostic, Role, Severity};
use grace_graph::code::{PartId, PartKind};
use grace_graph::graph::CodeGraph;

use crate::book::{At, Compiled, Kind, applies, compiled, item_ids, names, ordinals, parsed};
use crate::conds::{Conds, Mode};
use crate::db::{Db, RuleBook, graph_of, snapshot};
use crate::join::books;
use crate::plan::Side;
use crate::sets::{Members, SetName, compare_exact, is_opaque, named_set, plain};
use crate::show;
use crate::ways;

/// Pairs of one `forbid` that are listed; the rest is counted.
const MOST_PAIRS: usize = 20;

/// Everything vacuous in the rules after the change.
pub(crate) fn check(db: &dyn Db) -> Vec<Diagnostic> {
    let Some((_, book)) = books(db).into_iter().last() else { return Vec::new() };
    let graph = graph_of(db, Side::After);
    let mut found = Vec::new();
    for &file in book.files(db) {
        if file.role(db) == Role::Used {
            continue;
        }
        for id in item_ids(db, file).iter() {
            let Some(compiled) = compiled(db, book, file, id.clone()) else { continue };
            let checker = Checker { db, book, graph, compiled: &compiled, at: At { file, id: id.clone() } };
            // What does not resolve is reported as that.
            if compiled.problems.is_empty() {
                checker.item(&mut found);
            }
        }
    }
    found
}

struct Checker<'a> {
    db: &'a dyn Db,
    book: RuleBook,
    graph: &'a CodeGraph,
    compiled: &'a Compiled,
    at: At,
}

impl Checker<'_> {
    fn item(&self, found: &mut Vec<Diagnostic>) {
        match &self.compiled.item.kind {
            ItemKind::Define { set, may_be_empty: false } if self.is_empty(set) => {
                self.report(found, Code::SetMatchesNothing, set.node, format!("`{}` holds nothing", self.at.id.name));
            }
            ItemKind::Tag { tag, value, set, may_be_empty: false } => {
                let name = match value {
                    Some(value) => SetName::Family(tag.text.as_str().into(), value.text.as_str().into()),
                    None => SetName::Tag(tag.text.as_str().into()),
                };
                let members = named_set(self.db, self.book, snapshot(self.db, Side::After), name);
                if members.possible.count_ones(..) == 0 {
                    let message = format!("no part carries the tag `{}`", self.at.id.name);
                    self.report(found, Code::TagMatchesNothing, set.node, message);
                }
            }
            ItemKind::Binding { set, may_be_empty: false, .. } if self.is_empty(set) => {
                self.report(found, Code::SetMatchesNothing, set.node, format!("nothing is in {}", show::set(set)));
            }
            ItemKind::Policy(policy) if !policy.rule.may_be_empty && self.is_empty(&policy.covers) => {
                let message = format!("`{}` covers nothing", self.at.id.name);
                self.report(found, Code::RuleCannotFire, policy.covers.node, message);
            }
            ItemKind::Policy(policy) => self.approvals(found, &policy.rule),
            ItemKind::Rule(rule) if !rule.may_be_empty => {
                let (When::Change(cond) | When::Always(cond) | When::AfterRun(cond)) = &rule.when;
                self.condition(found, cond);
                self.approvals(found, rule);
            }
            ItemKind::Forbid(forbid) => {
                if forbid.existing_may_shrink {
                    self.existing(found, forbid);
                }
                for set in [&forbid.from, &forbid.to] {
                    if self.is_empty(set) {
                        let message = format!("`{}` cannot fire: nothing is in {}", self.at.id.name, show::set(set));
                        self.report(found, Code::RuleCannotFire, set.node, message);
                    }
                }
            }
            ItemKind::Layers(layers) => {
                for set in layers.floors.iter().filter(|set| self.is_empty(set)) {
                    let message = format!("floor {} of `{}` is empty", show::set(set), self.at.id.name);
                    self.report(found, Code::SetMatchesNothing, set.node, message);
                }
            }
            ItemKind::Waiver(waiver) if self.is_empty(&waiver.set) || self.waives_nothing(waiver) => {
                let message = format!("`{}` covers nothing", self.at.id.name);
                self.report(found, Code::WaiverCoversNothing, waiver.set.node, message);
            }
            ItemKind::Waiver(waiver) => {
                let dead = waiver.when.as_ref().and_then(|when| self.never(when, &mut Vec::new()));
                if let Some((node, why)) = dead {
                    let message = format!("`{}` covers nothing: {why}", self.at.id.name);
                    self.report(found, Code::WaiverCoversNothing, node, message);
                }
            }
            ItemKind::Bundle(bundle) if !bundle.may_be_empty => self.bundle(found, &bundle.tests),
            ItemKind::Validation { of, .. } => {
                if let Some((node, why)) = self.nothing_in(of) {
                    let message = format!("`{}` is asked of no model: {why}", self.at.id.name);
                    self.report(found, Code::SetMatchesNothing, node, message);
                    // A project may well declare what it does before it has the first model.
                    if let Some(last) = found.last_mut() {
                        last.severity = last.severity.min(Severity::Warning);
                    }
                }
            }
            // What `may be empty`, and what holds no set.
            ItemKind::Define { .. }
            | ItemKind::Tag { .. }
            | ItemKind::Binding { .. }
            | ItemKind::Rule(_)
            | ItemKind::Bundle(_)
            | ItemKind::Module
            | ItemKind::Use(_)
            | ItemKind::Adopt(_)
            | ItemKind::Team { .. }
            | ItemKind::Tiers(_)
            | ItemKind::Family { .. }
            | ItemKind::Principle { .. }
            | ItemKind::Window { .. }
            | ItemKind::Band { .. }
            | ItemKind::Intent { .. }
            | ItemKind::Test(_)
            | ItemKind::Operational(_) => {}
        }
    }

    /// The pairs that a `forbid` with `existing listed` finds: a note, kept in no file.
    fn existing(&self, found: &mut Vec<Diagnostic>, forbid: &Forbid) {
        let conds = Conds { db: self.db, book: self.book, compiled: self.compiled, mode: Mode::Raise };
        let (count, pairs) = ways::existing(&conds, forbid, MOST_PAIRS);
        if count == 0 {
            return;
        }
        let plural = if count == 1 { "pair" } else { "pairs" };
        let mut message = format!("`{}` finds {count} {plural} that may only shrink", self.at.id.name);
        for pair in &pairs {
            let doubt = if pair.certain { "" } else { ", not certain" };
            message.push_str(&format!("\n{} to {} ({}:{}{doubt})", pair.from, pair.to, pair.path, pair.line));
        }
        if count > pairs.len() {
            message.push_str(&format!("\nand {} more", count - pairs.len()));
        }
        self.report(found, Code::ExistingPairs, NodeId(0), message);
        if let Some(last) = found.last_mut() {
            last.severity = Severity::Note;
            last.help = None;
        }
    }

    /// One report for each named file that is not there, and one where the whole set holds no test.
    fn bundle(&self, found: &mut Vec<Diagnostic>, tests: &SetExpr) {
        let mut missing = Vec::new();
        self.literal_paths(tests, &mut missing);
        for (node, path) in &missing {
            let message = format!("bundle `{}` asks for `{path}`, which does not exist", self.at.id.name);
            self.report(found, Code::BundleTestsMissing, *node, message);
        }
        // A bundle of other things than tests (`lint`) names them by path; what is there is enough.
        if missing.is_empty() && self.is_empty(tests) {
            let message = format!("bundle `{}` holds nothing: nothing is in {}", self.at.id.name, show::set(tests));
            self.report(found, Code::BundleTestsMissing, tests.node, message);
        }
    }

    fn literal_paths(&self, set: &SetExpr, missing: &mut Vec<(NodeId, String)>) {
        match &set.kind {
            SetKind::Path { glob, .. }
                if !glob.value.contains(['*', '?', '[', '{']) && self.graph.file_by_path(&glob.value).is_none() =>
            {
                missing.push((set.node, glob.value.clone()));
            }
            SetKind::Plus(a, b) => {
                self.literal_paths(a, missing);
                self.literal_paths(b, missing);
            }
            SetKind::Except(a, _) | SetKind::FilesOf(a) => self.literal_paths(a, missing),
            _ => {}
        }
    }

    /// What is dead in a condition: the rule as a whole, or some of its atoms.
    fn condition(&self, found: &mut Vec<Diagnostic>, cond: &Cond) {
        let mut dead = Vec::new();
        if let Some((node, why)) = self.never(cond, &mut dead) {
            let message = format!("`{}` cannot fire: {why}", self.at.id.name);
            return self.report(found, Code::RuleCannotFire, node, message);
        }
        for (node, why) in dead {
            self.report(
                found,
                Code::SetMatchesNothing,
                node,
                format!("a part of `{}` says nothing: {why}", self.at.id.name),
            );
        }
    }

    /// Why a condition never holds; every atom that never does is added. `None` where it can, or where that cannot be told.
    fn never(&self, cond: &Cond, dead: &mut Vec<Dead>) -> Option<Dead> {
        match &cond.kind {
            CondKind::And(conds) => {
                let never: Vec<Option<Dead>> = conds.iter().map(|cond| self.never(cond, dead)).collect();
                never.into_iter().flatten().next()
            }
            CondKind::Or(conds) => {
                let never: Option<Vec<Dead>> =
                    conds.iter().map(|cond| self.never(cond, dead)).collect::<Vec<_>>().into_iter().collect();
                never?.into_iter().next()
            }
            CondKind::Not(inner) => {
                self.never(inner, dead);
                match &inner.kind {
                    CondKind::IsEmpty(set) => self.nothing_in(set),
                    _ => None,
                }
            }
            _ => {
                let why = self.dead_atom(cond)?;
                dead.push(why.clone());
                Some(why)
            }
        }
    }

    /// Why an atom never holds. Each kind is named, so that a new one is thought of.
    fn dead_atom(&self, cond: &Cond) -> Option<Dead> {
        match &cond.kind {
            CondKind::Touches(set)
            | CondKind::OnlyTouches(set)
            | CondKind::Removes(set)
            | CondKind::Renames(set)
            | CondKind::DocumentationRemoved(set)
            | CondKind::AddedLinesContain { set, .. }
            | CondKind::FlagsRemoved(set)
            | CondKind::ContractsChange(set)
            | CondKind::AnyEdit(set)
            | CondKind::AnyOf(set, _) => self.nothing_in(set),
            CondKind::SignaturesChange(set) => self.nothing_in(set).or_else(|| {
                let none = || (set.node, format!("no function, method or class is in {}", show::set(set)));
                (!self.has_signatures(set)).then(none)
            }),
            CondKind::NewEdges { from, to, .. } => [from, to].into_iter().find_map(|set| self.nothing_in(set)),
            // A count of nothing is 0, and none is below.
            CondKind::LinesChanged(set, compare, limit)
            | CondKind::FilesChanged(set, compare, limit)
            | CondKind::Count(set, compare, limit) => {
                let limit_value = plain(limit);
                if matches!(compare, Compare::Less) && limit_value <= 0 {
                    return Some((limit.node, "no count is below 0".to_owned()));
                }
                self.nothing_in(set).filter(|_| !compare_exact(*compare, 0, limit_value))
            }
            // To add to what is empty, or to ask whether it is, says something.
            CondKind::Adds(_) | CondKind::IsEmpty(_) => None,
            // What is not about a set; a bundle that runs nothing, an unknown KPI or window are reported where they stand.
            CondKind::OnlyIn(_)
            | CondKind::TestsRemoved
            | CondKind::TestsWeakened
            | CondKind::NoTestReaches
            | CondKind::PackageChange(_)
            | CondKind::Operation(_)
            | CondKind::VerifiedBot(_)
            | CondKind::Ticket(_)
            | CondKind::Branch(_)
            | CondKind::RationaleMissing
            | CondKind::StoryLacks(_)
            | CondKind::During(_)
            | CondKind::BundleRate { .. }
            | CondKind::BundleFailed(_)
            | CondKind::Kpi(_)
            | CondKind::TrustBelowMinimum => None,
            CondKind::And(_) | CondKind::Or(_) | CondKind::Not(_) => None,
        }
    }

    fn nothing_in(&self, set: &SetExpr) -> Option<Dead> {
        self.is_empty(set).then(|| (set.node, format!("nothing is in {}", show::set(set))))
    }

    fn has_signatures(&self, set: &SetExpr) -> bool {
        self.eval(self.compiled, set).possible.ones().any(|index| {
            let part = PartId(u32::try_from(index).unwrap_or(u32::MAX));
            self.graph.part(part).kind != PartKind::Module && self.graph.part(part).kind != PartKind::File
                || is_opaque(self.graph, part)
        })
    }

    /// Sets of the people who are asked as owners: where nothing is in one, nobody is.
    fn approvals(&self, found: &mut Vec<Diagnostic>, rule: &Rule) {
        let required = rule.require.iter().filter_map(|requirement| match &requirement.kind {
            RequirementKind::Approval(approval) => Some(approval),
            _ => None,
        });
        for approval in required.chain(rule.deny.as_ref().and_then(|deny| deny.if_unknown.as_ref())) {
            let others = approval.among.iter().map(|(_, by)| by).chain(&approval.otherwise);
            for by in std::iter::once(&approval.by).chain(others) {
                if let Approver::OwnerOfEachFile(set) = by
                    && let Some((node, why)) = self.nothing_in(set)
                {
                    let message = format!("`{}` asks nobody: {why}", self.at.id.name);
                    self.report(found, Code::SetMatchesNothing, node, message);
                }
            }
        }
    }

    /// Whether the waived rule says nothing about the waiver's set, or does not apply at all.
    fn waives_nothing(&self, waiver: &Waiver) -> bool {
        let WaiverOf::Rule(name) = &waiver.of else { return false };
        let names = names(self.db, self.book);
        let all = names.get(Kind::Rule, &name.text);
        let waived = self.eval(self.compiled, &waiver.set);
        let covers = |at: &At| {
            let Some(rule) = compiled(self.db, self.book, at.file, at.id.clone()) else { return true };
            let mut sets = Vec::new();
            let is_told = match &rule.item.kind {
                ItemKind::Policy(policy) => {
                    sets.push(&policy.covers);
                    true
                }
                ItemKind::Rule(rule) => {
                    let (When::Change(cond) | When::Always(cond) | When::AfterRun(cond)) = &rule.when;
                    waivable_sets(cond, &mut sets)
                }
                ItemKind::Forbid(forbid) => {
                    sets.push(&forbid.from);
                    true
                }
                ItemKind::Layers(layers) => {
                    sets.extend(&layers.floors);
                    true
                }
                _ => false,
            };
            !is_told || sets.iter().any(|set| !self.eval(&rule, set).possible.is_disjoint(&waived.possible))
        };
        !all.is_empty() && !all.iter().any(|at| applies(self.db, at.file) && covers(at))
    }

    fn eval(&self, compiled: &Compiled, set: &SetExpr) -> Arc<Members> {
        let conds = Conds { db: self.db, book: self.book, compiled, mode: Mode::Raise };
        conds.sets(Side::After).eval(set)
    }

    fn is_empty(&self, set: &SetExpr) -> bool {
        let conds = Conds { db: self.db, book: self.book, compiled: self.compiled, mode: Mode::Raise };
        let sets = conds.sets(Side::After);
        sets.eval(set).possible.count_ones(..) == 0 && sets.models(set).is_empty() && !is_of_others(set)
    }

    fn report(&self, found: &mut Vec<Diagnostic>, code: Code, node: NodeId, message: String) {
        let parsed = parsed(self.db, self.at.file);
        let span = ordinals(self.db, self.at.file)
            .get(&self.at.id)
            .and_then(|&ordinal| parsed.map.node(ordinal, node).or_else(|| parsed.map.item(ordinal)))
            .unwrap_or(0..0);
        let severity = if self.at.file.role(self.db) == Role::Own { Severity::Error } else { Severity::Note };
        let mut diagnostic = Diagnostic::error(code, span, message)
            .severity(severity)
            .help("name what exists, take it away, or say `may be empty`")
            .at(&self.at.file.path(self.db));
        if code == Code::BundleTestsMissing {
            diagnostic.help = Some("write the test, or take its file out of the bundle".to_owned());
        }
        found.push(diagnostic);
    }
}

/// Where something never holds, and why.
type Dead = (NodeId, String);

/// Collects the sets of which a waiver of a condition must cover something; `false` where that cannot be told.
fn waivable_sets<'c>(cond: &'c Cond, sets: &mut Vec<&'c SetExpr>) -> bool {
    match &cond.kind {
        CondKind::And(conds) | CondKind::Or(conds) => {
            // Each of them adds its sets, also after one that cannot be told.
            conds.iter().filter(|cond| !waivable_sets(cond, sets)).count() == 0
        }
        CondKind::Touches(set)
        | CondKind::OnlyTouches(set)
        | CondKind::Adds(set)
        | CondKind::Removes(set)
        | CondKind::Renames(set)
        | CondKind::SignaturesChange(set)
        | CondKind::DocumentationRemoved(set)
        | CondKind::AddedLinesContain { set, .. }
        | CondKind::AnyEdit(set)
        | CondKind::NewEdges { from: set, .. }
        | CondKind::LinesChanged(set, ..)
        | CondKind::FilesChanged(set, ..) => {
            sets.push(set);
            true
        }
        _ => false,
    }
}

/// Sets of bundles and people are checked by their names alone.
fn is_of_others(set: &SetExpr) -> bool {
    matches!(set.kind, SetKind::None | SetKind::Bundles | SetKind::Bundle(_) | SetKind::OwnersOf(_) | SetKind::Team(_))
}
