//! What the `tiers` lines of both books say of the change, and who agrees to a tier.

use grace_dsl::ast::{ItemKind, TierApproval, TierLine, TierReach, WaiverEffect, WaiverOf};

use super::approvals::Asking;
use super::built_in::built_in;
use super::requirements::Asked;
use super::{Joiner, SHOWN, books};
use crate::book::{At, Kind, applies, compiled, item, line, names};
use crate::conds::{Conds, Mode};
use crate::db::{Db, RuleBook, World, part_changes};
use crate::plan::{Approver, BookSide, Derivation, Evidence, TierApprove, Truth};
use crate::prove::Prover;
use crate::show;
use crate::waivers::certain_on_both;

/// The `tiers` item of a book, from files that apply.
pub(super) fn tier_items(db: &dyn Db, book: RuleBook) -> Option<(At, Vec<TierLine>)> {
    let names = names(db, book);
    let at = names.of_kind(Kind::Tiers).map(|(_, at)| at).find(|at| applies(db, at.file))?.clone();
    let item = item(db, at.file, at.id.clone())?;
    match &item.kind {
        ItemKind::Tiers(lines) => Some((at, lines.clone())),
        _ => None,
    }
}

impl Joiner<'_> {
    /// What the `tiers` lines say of the change.
    pub(super) fn tier_lines(&mut self) {
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

    /// The name of the final tier, and the approvals that its lines bind.
    pub(super) fn tier_approval(&mut self, tier: u8) -> (String, TierApprove) {
        let Agreed { name, approve, asked } = self.agree_to(tier);
        self.asked.join(asked);
        (name, approve)
    }

    /// Who agrees to a plan of a tier: whom the lines of that tier name.
    pub(super) fn agree_to(&self, tier: u8) -> Agreed {
        let db = self.db;
        let mut name = String::new();
        let mut approve = None;
        let mut asked = Asked::default();
        for (book_side, book) in books(db) {
            let Some((at, lines)) = tier_items(db, book) else { continue };
            let Some(compiled) = compiled(db, book, at.file, at.id.clone()) else { continue };
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
                        self.approval(&Asking::Tiers(book, &compiled), approval, &derivation, &mut asked);
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
                asked.approval((false, Approver::Anyone, Vec::new()), 1, derivation);
                TierApprove::People
            } else {
                TierApprove::ByRules
            }
        });
        Agreed { name, approve, asked }
    }
}

/// How a tier is let through.
pub(super) struct Agreed {
    name: String,
    approve: TierApprove,
    pub(super) asked: Asked,
}
