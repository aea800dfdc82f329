//! Law 5: nothing vacuous passes `check`. What a rule book says of nothing, against the after tree.
//!
//! An error in the project's own files, a note in packs that it adopted, nothing where `may be empty` stands.

use grace_dsl::ast::{CondKind, ItemKind, NodeId, SetExpr, SetKind, WaiverOf, When};
use grace_dsl::{Code, Diagnostic, Role, Severity};
use grace_graph::graph::CodeGraph;

use crate::book::{At, Compiled, Kind, compiled, item_ids, names, ordinals, parsed};
use crate::conds::{Conds, Mode};
use crate::db::{Db, RuleBook, graph_of, snapshot};
use crate::join::books;
use crate::plan::Side;
use crate::sets::{SetName, named_set};
use crate::show;

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
            let checker = Checker { db, book, graph: &graph, compiled: &compiled, at: At { file, id: id.clone() } };
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
            ItemKind::Rule(rule) if !rule.may_be_empty => {
                let (When::Change(cond) | When::Always(cond) | When::AfterRun(cond)) = &rule.when;
                if let Some(set) = self.cannot_hold(cond) {
                    let message = format!("`{}` cannot fire: nothing is in {}", self.at.id.name, show::set(set));
                    self.report(found, Code::RuleCannotFire, set.node, message);
                }
            }
            ItemKind::Forbid(forbid) => {
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
            ItemKind::Bundle(bundle) if !bundle.may_be_empty => self.bundle(found, &bundle.tests),
            _ => {}
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
            SetKind::Except(a, _) => self.literal_paths(a, missing),
            _ => {}
        }
    }

    /// The empty set that keeps a condition from ever holding; `None` where it can, or where that cannot be told.
    fn cannot_hold<'c>(&self, cond: &'c grace_dsl::ast::Cond) -> Option<&'c SetExpr> {
        match &cond.kind {
            CondKind::And(conds) => conds.iter().find_map(|cond| self.cannot_hold(cond)),
            CondKind::Or(conds) => {
                let mut empty = conds.iter().map(|cond| self.cannot_hold(cond));
                let first = empty.next()??;
                empty.all(|set| set.is_some()).then_some(first)
            }
            CondKind::Touches(set)
            | CondKind::Removes(set)
            | CondKind::SignaturesChange(set)
            | CondKind::DocumentationRemoved(set)
                if self.is_empty(set) =>
            {
                Some(set)
            }
            CondKind::NewEdges { from, to, .. } => [from, to].into_iter().find(|set| self.is_empty(set)),
            _ => None,
        }
    }

    /// Whether the waived rule says nothing about the waiver's set.
    fn waives_nothing(&self, waiver: &grace_dsl::ast::Waiver) -> bool {
        let WaiverOf::Rule(name) = &waiver.of else { return false };
        let names = names(self.db, self.book);
        let Some(at) = names.first(Kind::Rule, &name.text) else { return false };
        let Some(rule) = compiled(self.db, self.book, at.file, at.id.clone()) else { return false };
        let set = match &rule.item.kind {
            ItemKind::Policy(policy) => &policy.covers,
            ItemKind::Rule(rule) => match &rule.when {
                When::Change(cond) => match &cond.kind {
                    CondKind::Touches(set) | CondKind::AnyEdit(set) => set,
                    _ => return false,
                },
                When::Always(_) | When::AfterRun(_) => return false,
            },
            _ => return false,
        };
        let of = |compiled: &Compiled, set: &SetExpr| {
            let conds = Conds { db: self.db, book: self.book, compiled, mode: Mode::Raise };
            conds.sets(Side::After, self.graph).eval(set)
        };
        of(&rule, set).possible.is_disjoint(&of(self.compiled, &waiver.set).possible)
    }

    fn is_empty(&self, set: &SetExpr) -> bool {
        let conds = Conds { db: self.db, book: self.book, compiled: self.compiled, mode: Mode::Raise };
        let sets = conds.sets(Side::After, self.graph);
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

/// Sets of bundles and people are checked by their names alone.
fn is_of_others(set: &SetExpr) -> bool {
    matches!(set.kind, SetKind::None | SetKind::Bundles | SetKind::Bundle(_) | SetKind::OwnersOf(_) | SetKind::Team(_))
}
