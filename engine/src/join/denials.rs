//! What denies a change, and what waits for people instead.

use grace_dsl::ast::{self, ItemKind, NodeId};

use super::approvals::Asking;
use super::reasons::Reasons;
use super::requirements::Asked;
use super::{Joiner, Judged, RuleView};
use crate::book::{Kind, item, line, names};
use crate::db::World;
use crate::plan::{BookSide, Derivation, Truth};
use crate::verdict::Hit;

impl Joiner<'_> {
    pub(super) fn deny(&mut self, rule: &Judged, view: &RuleView<'_>, at_rule: &Derivation) {
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
            return self.hold_deny(rule, view, derivation);
        }
        // A mistake in the rule: what it would have denied cannot be told.
        if verdict.truth == Truth::Unknown {
            self.hold_deny(rule, view, base);
        }
    }

    fn denial(&mut self, name: String, view: &RuleView<'_>, derivation: Derivation) {
        let entry = self
            .denials
            .entry(name)
            .or_insert_with(|| (view.remedy.map(|remedy| remedy.value.clone()), Reasons::default()));
        entry.1.push(derivation);
    }

    /// An unknown denial, or a state that stood before, waits for people.
    fn hold_deny(&mut self, rule: &Judged, view: &RuleView<'_>, derivation: Derivation) {
        let mut asked = Asked::default();
        self.held(rule, view, &derivation, &mut asked);
        self.asked.join(asked);
    }

    /// Whom a denial waits for that cannot be told, or that stood before.
    pub(super) fn held(&self, rule: &Judged, view: &RuleView<'_>, derivation: &Derivation, asked: &mut Asked) {
        match view.if_unknown {
            Some(approval) => self.approval(&Asking::Rule(rule), approval, derivation, asked),
            None => asked.approval(self.of_owner(rule.book, view.owner), 1, derivation.clone()),
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
}
