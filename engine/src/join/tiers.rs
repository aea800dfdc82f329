//! What the `tiers` lines of both books say of the change, and who agrees to a tier.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::ast::{ItemKind, Selection, TierApproval, TierLine, TierReach, WaiverEffect, WaiverOf};

use super::approvals::Asking;
use super::built_in::built_in;
use super::requirements::Asked;
use super::{Joiner, SHOWN, books};
use crate::book::{At, Kind, applies, compiled, item, line, names};
use crate::conds::{Conds, Mode};
use crate::db::{Db, RuleBook, World, part_changes};
use crate::plan::{Approver, BookSide, Derivation, Evidence, SelectionMode, TierApprove, Truth};
use crate::prove::Prover;
use crate::show;
use crate::waivers::certain_on_both;

/// The tier of a change of which no line says one.
const DEFAULT_TIER: u8 = 2;

/// As the plan says it.
pub(crate) fn mode(selection: Selection) -> SelectionMode {
    match selection {
        Selection::Observe => SelectionMode::Observe,
        Selection::Enforce => SelectionMode::Enforce,
    }
}

/// Each `tiers` of a book, from files that apply: the project's own and those of every adopted pack.
fn tier_items(db: &dyn Db, book: RuleBook) -> Vec<(At, Vec<TierLine>)> {
    names(db, book)
        .of_kind(Kind::Tiers)
        .filter(|(_, at)| applies(db, at.file))
        .filter_map(|(_, at)| match &item(db, at.file, at.id.clone())?.kind {
            ItemKind::Tiers(lines) => Some((at.clone(), lines.clone())),
            _ => None,
        })
        .collect()
}

/// The tier of a change that no line of `tiers` and no rule says more of, and by tier who agrees to it.
pub(crate) fn tier_floor(db: &dyn Db) -> (u8, BTreeMap<u8, BTreeSet<String>>) {
    let mut floor = 0;
    let mut agree: BTreeMap<u8, BTreeSet<String>> = BTreeMap::new();
    for (_, book) in books(db) {
        for line in tier_items(db, book).into_iter().flat_map(|(_, lines)| lines) {
            if line.reach == TierReach::AnyOther {
                floor = floor.max(line.tier);
            }
            if let TierApproval::Approval(approval) = &line.approve {
                agree.entry(line.tier).or_default().insert(show::approval(approval));
            }
        }
    }
    // As where no `tiers` stands.
    (if floor == 0 { DEFAULT_TIER } else { floor }, agree)
}

impl Joiner<'_> {
    /// What the `tiers` lines say of the change. Each `tiers` judges by itself, and the strictest counts.
    pub(super) fn tier_lines(&mut self) {
        let books = books(self.db);
        if books.is_empty() {
            self.default_tier(BookSide::BuiltIn);
        }
        for (book_side, book) in &books {
            // A line that lowers must have stood before: in the first rules there is nothing that did.
            let safe_counts = !(*book_side == BookSide::After && books.len() == 1);
            let items = tier_items(self.db, *book);
            if items.is_empty() {
                self.default_tier(*book_side);
            }
            for (at, lines) in &items {
                self.tiers_item(*book_side, *book, at, lines, safe_counts);
            }
        }
    }

    /// What the lines of one `tiers` say.
    fn tiers_item(&mut self, book_side: BookSide, book: RuleBook, at: &At, lines: &[TierLine], safe_counts: bool) {
        let db = self.db;
        let declared = World::get(db).declared(db);
        let proved = crate::text::proved_safe(db);
        let mut proved_tier: Option<(u8, Derivation)> = None;
        let mut any_other: Option<(u8, Derivation)> = None;
        for tier_line in lines {
            let reached = |because: String, evidence: Vec<Evidence>| {
                let (tier, because, evidence) = self
                    .tier_waiver(book_side, book, &tier_line.name.text)
                    .filter(|(lower, ..)| *lower < tier_line.tier)
                    .map_or((tier_line.tier, because, evidence), |(tier, waiver, evidence)| {
                        (tier, format!("Waiver {waiver} lowers tiers.{}.", tier_line.name.text), evidence)
                    });
                let derivation = Derivation {
                    rule: format!("tiers.{}", tier_line.name.text),
                    file: at.file.path(db).to_string(),
                    line: line(db, at, tier_line.node),
                    because,
                    book: book_side,
                    evidence,
                    more_evidence: 0,
                    by_unknown: false,
                };
                (tier, derivation)
            };
            match &tier_line.reach {
                TierReach::OnlyIn(kinds) if safe_counts => {
                    if let Some(found) = proved.as_ref()
                        && found.iter().all(|kind| kinds.contains(kind))
                    {
                        let words: Vec<&str> = found.iter().map(|kind| show::safe_kind(*kind)).collect();
                        let value = words.join(", ");
                        let because = format!("The change is proved to be only {value}.");
                        let evidence = vec![Evidence::Declared { what: "proved: change only in".to_owned(), value }];
                        proved_tier = highest(proved_tier, reached(because, evidence));
                    }
                }
                TierReach::AnyOther => {
                    any_other = highest(any_other, reached("Any other change.".to_owned(), Vec::new()));
                }
                TierReach::Operations(operations) => {
                    if let Some(operation) = &declared.operation
                        && operations.iter().any(|name| name.text == *operation)
                    {
                        let because = format!("The operation {operation} is declared.");
                        let evidence =
                            vec![Evidence::Declared { what: "operation".to_owned(), value: operation.clone() }];
                        let (tier, derivation) = reached(because, evidence);
                        self.tiers.push((tier, derivation, false));
                    }
                }
                TierReach::OnlyIn(_) | TierReach::RulesOnly => {}
            }
        }
        match proved_tier.or(any_other) {
            Some((tier, derivation)) => self.tiers.push((tier, derivation, false)),
            None => self.default_tier(book_side),
        }
    }

    /// A book that does not say which tier a change has says tier 2.
    fn default_tier(&mut self, book: BookSide) {
        let mut derivation = built_in("default_tier", "No line of `tiers` is about this change.", Vec::new());
        derivation.book = book;
        self.tiers.push((DEFAULT_TIER, derivation, false));
    }

    /// The waiver in force `of tiers.NAME` that covers the whole change and lowers it most: the tier, its name and
    /// evidence.
    fn tier_waiver(&self, book_side: BookSide, book: RuleBook, name: &str) -> Option<(u8, String, Vec<Evidence>)> {
        let waiver_book = World::get(self.db).book_before(self.db).unwrap_or(book);
        let mut lowest: Option<(u8, String, Vec<Evidence>)> = None;
        for (at, compiled) in self.waivers(book_side, book) {
            let ItemKind::Waiver(waiver) = &compiled.item.kind else { continue };
            let WaiverEffect::ToTier(tier) = waiver.effect else { continue };
            if !matches!(&waiver.of, WaiverOf::Tier(of) if of.text == name) {
                continue;
            }
            let conds = Conds { db: self.db, book: waiver_book, compiled: &compiled, mode: Mode::Lower };
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
            if lowest.as_ref().is_some_and(|(least, known, _)| (*least, known.as_str()) <= (tier, &at.id.name)) {
                continue;
            }
            let prover = Prover { db: self.db, book: waiver_book };
            let evidence = trace
                .map(|trace| {
                    trace.evidence().into_iter().take(SHOWN).map(|hit| prover.evidence(&compiled, hit)).collect()
                })
                .unwrap_or_default();
            lowest = Some((tier, at.id.name.to_string(), evidence));
        }
        lowest
    }

    /// The name of the final tier, and the approvals that its lines bind.
    pub(super) fn tier_approval(&mut self, tier: u8) -> (String, TierApprove) {
        let Agreed { name, approve, asked } = self.agree_to(tier);
        self.asked.join(asked);
        (name, approve)
    }

    /// What the lines of a tier say of tests that the change does not reach: where one observes, all run.
    pub(super) fn selection(&self, tier: u8) -> Option<SelectionMode> {
        let books = books(self.db).into_iter();
        let items = books.flat_map(|(_, book)| tier_items(self.db, book));
        let lines = items.flat_map(|(_, lines)| lines).filter(|line| line.tier == tier);
        lines.filter_map(|line| line.selection.map(mode)).max()
    }

    /// Who agrees to a plan of a tier: whom the lines of that tier name.
    pub(super) fn agree_to(&self, tier: u8) -> Agreed {
        let db = self.db;
        // The strictest line gives its name; of equals, the first by name, so that no order of files matters.
        let mut strictest: Option<(TierApprove, Reverse<String>)> = None;
        let mut asked = Asked::default();
        for (book_side, book) in books(db) {
            for (at, lines) in tier_items(db, book) {
                let Some(compiled) = compiled(db, book, at.file, at.id.clone()) else { continue };
                for tier_line in lines.iter().filter(|line| line.tier == tier) {
                    let approve = match &tier_line.approve {
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
                    strictest = strictest.max(Some((approve, Reverse(tier_line.name.text.clone()))));
                }
            }
        }
        let (approve, name) = strictest.map(|(approve, Reverse(name))| (approve, name)).unzip();
        let name =
            name.unwrap_or_else(|| ["safe", "internal", "sensitive"][usize::from(tier.clamp(1, 3)) - 1].to_owned());
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

/// The higher of two tiers; the one that was there, where they are equal.
fn highest(known: Option<(u8, Derivation)>, found: (u8, Derivation)) -> Option<(u8, Derivation)> {
    match known {
        Some(known) if known.0 >= found.0 => Some(known),
        _ => Some(found),
    }
}

/// How a tier is let through.
pub(super) struct Agreed {
    name: String,
    approve: TierApprove,
    pub(super) asked: Asked,
}
