//! What waivers in force take away.

use std::collections::BTreeSet;
use std::sync::Arc;

use grace_dsl::ast::{ItemKind, RequirementKind, Waived, WaiverEffect, WaiverOf};

use super::{Joiner, Judged, RuleView, books};
use crate::book::{At, Compiled, Kind, item, names};
use crate::conds::{Conds, Mode};
use crate::db::{RuleBook, World};
use crate::plan::{BookSide, Truth};
use crate::waivers::{Coverage, coverage, waivers_in_force};

/// What a waiver takes away from one rule.
#[derive(Default)]
pub(super) struct Lowered {
    pub(super) waivers: Vec<String>,
    pub(super) tier: bool,
    pub(super) to_tier: Option<u8>,
    pub(super) all_approvals: bool,
    pub(super) approvals: BTreeSet<String>,
    pub(super) bundles: BTreeSet<String>,
    pub(super) validations: BTreeSet<String>,
    pub(super) deny: bool,
    /// `waives everything`: only its principles stay.
    pub(super) everything: bool,
}

impl Joiner<'_> {
    /// Waivers in force: those of the book that stood before, granted, and not past their date.
    pub(super) fn waivers(&self, book_side: BookSide, book: RuleBook) -> Vec<(At, Arc<Compiled>)> {
        if book_side == BookSide::After {
            // What lowers counts only if it stood before. The rules before judge what they say of it.
            return World::get(self.db)
                .book_before(self.db)
                .map(|before| waivers_in_force(self.db, before))
                .unwrap_or_default();
        }
        waivers_in_force(self.db, book)
    }

    /// What waivers in force take away from a fired rule.
    pub(super) fn lowered(&self, rule: &Judged, view: &RuleView<'_>) -> Lowered {
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
}
