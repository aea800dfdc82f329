//! Conditions: each atom joined over its two sides, then Kleene `not`, `and`, `or`.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::ast::{
    Compare, Cond, CondKind, EdgeWord, FieldTest, ItemKind, KpiTest, PackageMove, Quantity, Rate, SafeKind, SetExpr,
    SetKind, Unit,
};
use grace_graph::change::{Kinds, PartChange};
use grace_graph::code::{EdgeKind, PartKey, PartKind};
use grace_graph::packages::PackageChangeKind;
use grace_graph::weakening::Uncollected;

use super::fields::{in_base_unit, truth, within};
use super::rules::Rules;
use super::sets::{Members, Sets, Sort, newly, not};
use super::text::glob;
use super::world::World;
use crate::input::{BundleRun, VerifiedBot};
use crate::plan::Truth;

/// What made a condition hold, as far as waivers and owners ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// A changed part.
    Part { before: Option<PartKey>, after: Option<PartKey> },
    /// An edge of the after side.
    Edge { from: PartKey, to: PartKey },
    /// A member of a set, on one side.
    Member { side: usize, key: PartKey },
    /// A part that cannot be read, on whichever sides it stands; what its edges lead to is not known either.
    Unread { key: PartKey, edges: bool },
    /// A file of which something cannot be read.
    UnreadFile(String),
    /// A model that speaks for the condition, for certain or not, with the parts by which code uses it.
    Model { name: String, certain: bool, users: Vec<(usize, PartKey)> },
    /// Something that is no part: a package, a missing fact. No set of code covers it.
    Else,
}

/// What a condition came to, by what, and what its parts came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) truth: Truth,
    pub(super) seen: Vec<Seen>,
    pub(super) parts: Vec<Verdict>,
    pub(super) join: Join,
}

/// How a condition is made of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    All,
    Any,
    Not,
}

impl From<Truth> for Verdict {
    /// An atom of which nothing was seen: where it is unknown, a fact is missing.
    fn from(truth: Truth) -> Self {
        let seen = if truth == Truth::Unknown { vec![Seen::Else] } else { Vec::new() };
        Self { truth, seen, parts: Vec::new(), join: Join::All }
    }
}

impl Verdict {
    pub(super) fn new(truth: Truth, seen: Vec<Seen>) -> Self {
        Self { truth, seen, parts: Vec::new(), join: Join::All }
    }

    /// Everything seen in the branches that hold or may hold. `under_not`: also what speaks against it.
    pub(super) fn evidence(&self, under_not: bool) -> Vec<&Seen> {
        let mut all: Vec<&Seen> = self.seen.iter().collect();
        if self.join != Join::Not || under_not {
            let holding = self.parts.iter().filter(|part| part.truth != Truth::No);
            all.extend(holding.flat_map(|part| part.evidence(under_not)));
        }
        all
    }
}

/// From where a condition is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// By a rule of a change.
    Change,
    /// By an `always` rule, of one side.
    State(usize),
    /// By a waiver.
    Waiver,
}

/// A condition that may have to wait for the run.
pub(super) enum Folded {
    Known(Truth),
    /// It waits; `misses` where the rest of it is unknown though no run tells it.
    Waits {
        misses: bool,
    },
}

/// Judges conditions with the names of one rule book.
pub(super) struct Judge<'a> {
    pub(super) world: &'a World,
    pub(super) rules: &'a Rules,
}

impl<'a> Judge<'a> {
    /// The sets of one side.
    pub(super) fn on(&self, side: usize) -> Sets<'a> {
        Sets { world: self.world, rules: self.rules, side }
    }

    fn both(&self, set: &SetExpr) -> [Members; 2] {
        [self.on(0).code(set), self.on(1).code(set)]
    }

    /// What a condition comes to. `negative`: it stands under an odd number of `not`.
    pub(super) fn judge(&self, cond: &Cond, asked: Asked, negative: bool) -> Verdict {
        // To lower, a change counts only where it holds on every side that the part has.
        let strict = asked == Asked::Waiver && !negative;
        match &cond.kind {
            CondKind::And(all) => {
                let all: Vec<Verdict> = all.iter().map(|cond| self.judge(cond, asked, negative)).collect();
                let truth = all.iter().map(|one| one.truth).min().unwrap_or(Truth::Yes);
                Verdict { truth, seen: Vec::new(), parts: all, join: Join::All }
            }
            CondKind::Or(any) => {
                let any: Vec<Verdict> = any.iter().map(|cond| self.judge(cond, asked, negative)).collect();
                let truth = any.iter().map(|one| one.truth).max().unwrap_or(Truth::No);
                Verdict { truth, seen: Vec::new(), parts: any, join: Join::Any }
            }
            CondKind::Not(inner) => {
                let inner = self.judge(inner, asked, !negative);
                Verdict { truth: not(inner.truth), seen: Vec::new(), parts: vec![inner], join: Join::Not }
            }
            CondKind::Touches(set) => self.changed(strict, set, |pc| [truth(pc.kinds.intersects(Kinds::MEANING)); 2]),
            CondKind::OnlyTouches(set) => self.only_touches(set),
            CondKind::OnlyIn(kinds) => self.only_in(kinds).into(),
            CondKind::Adds(set) => self.came_or_went(set, 1, Kinds::ADDED),
            CondKind::Removes(set) => self.came_or_went(set, 0, Kinds::REMOVED),
            CondKind::Renames(set) => self.changed(strict, set, |pc| kind_on(pc, Kinds::RENAMED, [true, true])),
            CondKind::SignaturesChange(set) => self.changed(strict, set, |pc| self.signature(pc)),
            CondKind::NewEdges { kinds, from, to } => self.new_edges(kinds, from, to),
            CondKind::TestsRemoved => self.tests_removed(),
            CondKind::TestsWeakened => self.tests_weakened(),
            CondKind::AddedLinesContain { set, literals } => {
                let literals: Vec<&str> = literals.iter().map(|literal| literal.value.as_str()).collect();
                let literals = literals.as_slice();
                self.text(set, [false, true], |pc| self.world.added_lines_contain(pc, literals))
            }
            CondKind::DocumentationRemoved(set) => {
                self.text(set, [true, true], |pc| self.world.documentation_removed(pc))
            }
            CondKind::FlagsRemoved(set) => self.models_changed(set, |before, after| {
                let kept = after.map(|model| model.compliance_flags.as_slice()).unwrap_or_default();
                before.compliance_flags.iter().any(|flag| !kept.contains(flag))
            }),
            CondKind::ContractsChange(set) => self.models_changed(set, |before, after| {
                after.is_none_or(|after| {
                    let lost = before.evidence.iter().any(|row| !after.evidence.contains(row));
                    let served = (&before.weights, &before.endpoint) != (&after.weights, &after.endpoint);
                    lost || served || !before.to_facts().eq(after.to_facts())
                })
            }),
            CondKind::AnyEdit(set) => self.changed(strict, set, |pc| [truth(!pc.kinds.is_empty()); 2]),
            CondKind::LinesChanged(set, compare, than) => self.lines_changed(set, *compare, than),
            CondKind::FilesChanged(set, compare, than) => self.files_changed(set, *compare, than),
            CondKind::AnyOf(set, test) => {
                let holds = |side: usize| {
                    let sets = self.on(side);
                    let members = sets.names(set).into_iter();
                    members.map(|(model, is)| is.min(sets.model_test(&model, test))).max().unwrap_or(Truth::No)
                };
                let seen = match asked {
                    Asked::State(side) => self.users(set, test, side),
                    // The side that decides.
                    Asked::Change | Asked::Waiver => {
                        let before = if negative { holds(0) < holds(1) } else { holds(0) > holds(1) };
                        self.users(set, test, if before && asked == Asked::Change { 0 } else { 1 })
                    }
                };
                Verdict::new(state(asked, negative, holds), seen)
            }
            CondKind::Count(set, compare, than) => Verdict::new(
                state(asked, negative, |side| self.count(set, side, *compare, than.thousandths)),
                Vec::new(),
            ),
            CondKind::IsEmpty(set) => state(asked, negative, |side| self.count(set, side, Compare::Equal, 0)).into(),
            CondKind::PackageChange(moved) => self.package_change(*moved),
            CondKind::Operation(names) => {
                let declared = self.world.input.declared.operation.as_deref();
                let is = names.iter().any(|name| Some(name.text.as_str()) == declared);
                said(truth(is), asked, negative).into()
            }
            CondKind::VerifiedBot(bot) => match &self.world.input.declared.verified_bot {
                VerifiedBot::NotLookedAt => Truth::Unknown.into(),
                VerifiedBot::Nobody => Truth::No.into(),
                VerifiedBot::Bot(name) => truth(*name == bot.value).into(),
            },
            CondKind::Ticket(pattern) => {
                let ticket = self.world.input.declared.ticket.as_deref();
                let is = ticket.is_some_and(|ticket| glob(&pattern.value, false)(ticket));
                said(truth(is), asked, negative).into()
            }
            CondKind::Branch(pattern) => match self.world.input.declared.branch.as_deref() {
                Some(branch) => said(truth(glob(&pattern.value, false)(branch)), asked, negative).into(),
                None => Truth::Unknown.into(),
            },
            CondKind::RationaleMissing => lacks(self.world.input.declared.rationale.as_deref(), asked).into(),
            CondKind::StoryLacks(field) => {
                lacks(self.world.input.declared.story.get(&field.text).map(String::as_str), asked).into()
            }
            CondKind::During(window) => self.during(&window.text).into(),
            CondKind::BundleRate { rate, bundle: Some(bundle), runs, compare, value } => {
                self.rate(*rate, &bundle.text, runs, *compare, value).into()
            }
            CondKind::Kpi(test) => self.kpi(test).into(),
            CondKind::NoTestReaches => self.no_test_reaches(),
            CondKind::BundleRate { bundle: None, .. } | CondKind::BundleFailed(_) | CondKind::TrustBelowMinimum => {
                Truth::Unknown.into()
            }
        }
    }

    /// What remains of a condition that is judged after the run.
    pub(super) fn fold(&self, cond: &Cond, negative: bool) -> Folded {
        match &cond.kind {
            CondKind::And(all) => {
                let all: Vec<Folded> = all.iter().map(|cond| self.fold(cond, negative)).collect();
                join_folded(&all, Truth::No, |truths| truths.min())
            }
            CondKind::Or(any) => {
                let any: Vec<Folded> = any.iter().map(|cond| self.fold(cond, negative)).collect();
                join_folded(&any, Truth::Yes, |truths| truths.max())
            }
            CondKind::Not(inner) => match self.fold(inner, !negative) {
                Folded::Known(truth) => Folded::Known(not(truth)),
                waits @ Folded::Waits { .. } => waits,
            },
            CondKind::BundleRate { .. } | CondKind::BundleFailed(_) | CondKind::TrustBelowMinimum => {
                Folded::Waits { misses: false }
            }
            _ => Folded::Known(self.judge(cond, Asked::Change, negative).truth),
        }
    }

    /// The changed parts of a set. `how` says of each side whether the part changed in the way that is asked for.
    fn changed(&self, strict: bool, set: &SetExpr, how: impl Fn(&PartChange) -> [Truth; 2]) -> Verdict {
        let members = self.both(set);
        let mut verdict = Verdict::from(Truth::No);
        for pc in &self.world.changes {
            let how = how(pc);
            let sides = [&pc.before, &pc.after].into_iter().enumerate();
            let holds = sides.filter_map(|(side, key)| Some(members[side].holds(key.as_ref()?).min(how[side])));
            let holds = if strict { holds.min() } else { holds.max() }.unwrap_or(Truth::No);
            verdict.truth = verdict.truth.max(holds);
            if holds != Truth::No {
                verdict.seen.push(Seen::Part { before: pc.before.clone(), after: pc.after.clone() });
            }
        }
        verdict
    }

    /// Parts that came into a set or left it: added or removed, or moved across its border.
    fn came_or_went(&self, set: &SetExpr, here: usize, outright: Kinds) -> Verdict {
        let members = self.both(set);
        let mut verdict = Verdict::from(Truth::No);
        for pc in self.meant() {
            let keys = [pc.before.as_ref(), pc.after.as_ref()];
            let Some(key) = keys[here] else { continue };
            let how = match keys[1 - here] {
                Some(other) if pc.kinds.contains(Kinds::RENAMED) => not(members[1 - here].holds(other)),
                _ if pc.kinds.contains(outright) => Truth::Yes,
                _ => truth_unknown(pc.kinds.contains(Kinds::UNKNOWN))[0],
            };
            let holds = members[here].holds(key).min(how);
            verdict.truth = verdict.truth.max(holds);
            if holds != Truth::No {
                verdict.seen.push(Seen::Part { before: pc.before.clone(), after: pc.after.clone() });
            }
        }
        verdict
    }

    /// What is read of the text of the parts of a set. What is found counts before what cannot be read.
    fn text(&self, set: &SetExpr, sides: [bool; 2], what: impl Fn(&PartChange) -> Reading) -> Verdict {
        let members = self.both(set);
        let mut found = Verdict::from(Truth::No);
        let mut unread = Verdict::from(Truth::No);
        for pc in &self.world.changes {
            let reading = what(pc);
            let keys = [&pc.before, &pc.after];
            let on = |side: usize| keys[side].as_ref().map_or(Truth::No, |key| members[side].holds(key));
            let inside = (0..2).filter(|side| sides[*side]).map(on).max().unwrap_or(Truth::No);
            let holds = inside.min(reading.found);
            if holds != Truth::No {
                found.truth = found.truth.max(holds);
                let side = usize::from(pc.after.is_some());
                if let Some(key) = keys[side] {
                    found.seen.push(Seen::Member { side, key: key.clone() });
                }
            }
            if reading.unread && on(0).max(on(1)) != Truth::No {
                unread.truth = Truth::Unknown;
                unread.seen.extend(pc.part().map(|key| Seen::Unread { key: key.clone(), edges: false }));
            }
        }
        if found.truth == Truth::No { unread } else { found }
    }

    fn only_touches(&self, set: &SetExpr) -> Verdict {
        let members = self.both(set);
        let mut verdict = Verdict::from(Truth::Yes);
        for pc in self.meant() {
            for (side, key) in [&pc.before, &pc.after].into_iter().enumerate() {
                let Some(key) = key else { continue };
                verdict.truth = verdict.truth.min(members[side].holds(key));
            }
            verdict.seen.push(Seen::Part { before: pc.before.clone(), after: pc.after.clone() });
        }
        if verdict.seen.is_empty() {
            verdict.truth = Truth::No;
        }
        verdict
    }

    /// The changes that mean something.
    pub(super) fn meant(&self) -> impl Iterator<Item = &'a PartChange> {
        self.world.changes.iter().filter(|pc| pc.kinds.intersects(Kinds::MEANING))
    }

    /// Proved from both sides, or no.
    pub(super) fn only_in(&self, kinds: &[SafeKind]) -> Truth {
        truth(self.world.is_only_in(kinds))
    }

    fn signature(&self, pc: &PartChange) -> [Truth; 2] {
        let keys = [&pc.before, &pc.after];
        let callable = keys
            .iter()
            .copied()
            .flatten()
            .any(|key| matches!(key.kind, PartKind::Function | PartKind::Method | PartKind::Class));
        if callable && pc.kinds.intersects(Kinds::SIGNATURE | Kinds::REMOVED | Kinds::RENAMED) {
            return [Truth::Yes; 2];
        }
        // What cannot be read at all may hold any signature.
        let meant = pc.kinds.intersects(Kinds::MEANING);
        truth_unknown((callable && pc.kinds.contains(Kinds::UNKNOWN)) || (!callable && meant && self.is_unread(pc)))
    }

    fn is_unread(&self, pc: &PartChange) -> bool {
        [&pc.before, &pc.after]
            .into_iter()
            .enumerate()
            .any(|(side, key)| key.as_ref().is_some_and(|key| self.world.sides[side].is_opaque(key)))
    }

    /// Where parts went: the before key of each renamed part, and its after key.
    fn renamed(&self) -> BTreeMap<&'a PartKey, &'a PartKey> {
        self.world
            .changes
            .iter()
            .filter(|pc| pc.kinds.contains(Kinds::RENAMED))
            .filter_map(|pc| Some((pc.before.as_ref()?, pc.after.as_ref()?)))
            .collect()
    }

    fn new_edges(&self, kinds: &[EdgeWord], from: &SetExpr, to: &SetExpr) -> Verdict {
        let renamed = self.renamed();
        let now = |key: &PartKey| renamed.get(key).map_or_else(|| key.clone(), |now| (*now).clone());
        let (from, to) = (self.both(from), self.both(to));
        let runs = |side: usize| {
            let mut edges: BTreeMap<(EdgeKind, PartKey, PartKey), Truth> = BTreeMap::new();
            for edge in &self.world.sides[side].edges {
                if edge.from == edge.to || !(kinds.is_empty() || kinds.iter().any(|word| kind_of(*word) == edge.kind)) {
                    continue;
                }
                let sure = if edge.certain { Truth::Yes } else { Truth::Unknown };
                let holds = from[side].holds(&edge.from).min(to[side].holds(&edge.to)).min(sure);
                let key = if side == 0 {
                    (edge.kind, now(&edge.from), now(&edge.to))
                } else {
                    (edge.kind, edge.from.clone(), edge.to.clone())
                };
                let slot = edges.entry(key).or_insert(Truth::No);
                *slot = (*slot).max(holds);
            }
            edges
        };
        let before = runs(0);
        let mut verdict = Verdict::from(Truth::No);
        for (edge, holds) in runs(1) {
            let stood = before.get(&edge).copied().unwrap_or(Truth::No);
            let new = newly(stood, holds);
            verdict.truth = verdict.truth.max(new);
            if new != Truth::No {
                verdict.seen.push(Seen::Edge { from: edge.1, to: edge.2 });
            }
        }
        if !to[1].possible.is_empty() {
            for key in self.opaque_now() {
                if from[1].holds(key) != Truth::No {
                    verdict.truth = verdict.truth.max(Truth::Unknown);
                    verdict.seen.push(Seen::Unread { key: key.clone(), edges: true });
                }
            }
        }
        verdict
    }

    /// Changed files that are opaque on the after side.
    pub(super) fn opaque_now(&self) -> impl Iterator<Item = &'a PartKey> {
        self.world
            .changes
            .iter()
            .filter(|pc| pc.kinds.intersects(Kinds::MEANING))
            .filter_map(|pc| pc.after.as_ref())
            .filter(|key| self.world.sides[1].is_opaque(key))
    }

    /// What happened to tests, as far as it can be told: what is lost counts before what cannot be read.
    fn lost(&self, lost: Vec<Seen>, sure: bool) -> Verdict {
        if sure {
            Verdict::new(Truth::Yes, lost)
        } else {
            let mut unknown: BTreeSet<String> =
                self.world.tests.unknown.iter().map(|one| one.path.to_string()).collect();
            // What leaves out some tests, and does not say which.
            let untold = self.left_out().into_iter().filter(|(_, _, is_left_out)| is_left_out.is_none());
            unknown.extend(untold.map(|(setting, _, _)| setting.to_owned()));
            let seen: Vec<Seen> = unknown.into_iter().map(Seen::UnreadFile).collect();
            Verdict::new(truth_unknown(!seen.is_empty())[0], seen)
        }
    }

    fn tests_removed(&self) -> Verdict {
        let removed = self.world.tests.removed.iter();
        let seen: Vec<Seen> = removed.map(|one| Seen::Member { side: 0, key: one.test.clone() }).collect();
        let sure = !seen.is_empty();
        self.lost(seen, sure)
    }

    fn tests_weakened(&self) -> Verdict {
        let mut weakened: Vec<PartKey> = self.world.tests.weakened.iter().map(|one| one.after.clone()).collect();
        let left_out = self.left_out().into_iter().filter(|(_, _, is_left_out)| *is_left_out == Some(true));
        weakened.extend(left_out.map(|(_, test, _)| test.clone()));
        let sure = !weakened.is_empty();
        self.lost(weakened.into_iter().map(|key| Seen::Member { side: 1, key }).collect(), sure)
    }

    /// Of each setting that newly leaves out tests and each test now: the setting's file, the test, whether it is left out.
    fn left_out(&self) -> Vec<(&'a str, &'a PartKey, Option<bool>)> {
        let tests: Vec<&PartKey> =
            self.world.sides[1].parts.iter().filter(|(_, part)| part.is_test).map(|(key, _)| key).collect();
        let settings = self.world.tests.uncollected.iter();
        let of_one = |setting: &'a Uncollected| {
            let leaves_out = setting.leaves_out();
            tests.iter().map(move |test| (&*setting.path, *test, leaves_out.file(&test.path))).collect::<Vec<_>>()
        };
        settings.flat_map(of_one).collect()
    }

    fn models_changed(
        &self,
        set: &SetExpr,
        worse: impl Fn(&grace_fingerprints::Fingerprint, Option<&grace_fingerprints::Fingerprint>) -> bool,
    ) -> Verdict {
        let [before, after] = &self.world.sides;
        let mut members = self.on(0).names(set);
        for (model, holds) in self.on(1).names(set) {
            let slot = members.entry(model).or_insert(Truth::No);
            *slot = (*slot).max(holds);
        }
        let mut verdict = Verdict::from(Truth::No);
        for (name, holds) in members {
            let (was, is) = (before.models.get(&name), after.models.get(&name));
            let how = match (was, is) {
                (None, None) => Truth::Unknown,
                (None, Some(_)) => Truth::No,
                (Some(was), is) => truth(worse(was, is.map(AsRef::as_ref))),
            };
            if how == Truth::No {
                continue;
            }
            let side = usize::from(!self.on(1).bound(&name).possible.is_empty());
            let users = match (was, is) {
                // Nothing is known of it, so nothing was seen.
                (None, None) => Vec::new(),
                _ => self.on(side).bound(&name).possible.into_iter().map(|key| (side, key)).collect(),
            };
            verdict.truth = verdict.truth.max(holds.min(how));
            verdict.seen.push(Seen::Model { name, certain: holds == Truth::Yes, users });
        }
        verdict
    }

    fn lines_changed(&self, set: &SetExpr, compare: Compare, than: &Quantity) -> Verdict {
        let members = self.both(set);
        let (mut low, mut high) = (0_i64, 0_i64);
        let mut seen = Vec::new();
        for pc in &self.world.changes {
            let counts = [pc.removed.len(), pc.added.len()];
            let mut on = [false; 2];
            for (side, key) in [&pc.before, &pc.after].into_iter().enumerate() {
                let Some(key) = key else { continue };
                let lines = i64::try_from(counts[side]).unwrap_or(i64::MAX);
                match members[side].holds(key) {
                    Truth::Yes => {
                        low = low.saturating_add(lines);
                        high = high.saturating_add(lines);
                        on[side] = true;
                    }
                    Truth::Unknown => {
                        high = high.saturating_add(lines);
                        on[side] = true;
                    }
                    Truth::No => {}
                }
            }
            if on != [false; 2] {
                if pc.kinds.contains(Kinds::UNKNOWN) && counts == [0, 0] {
                    high = i64::MAX;
                }
                seen.push(Seen::Part { before: pc.before.clone(), after: pc.after.clone() });
            }
        }
        let holds = within(low.saturating_mul(1000), high.saturating_mul(1000), compare, than.thousandths);
        Verdict::new(holds, if holds == Truth::No { Vec::new() } else { seen })
    }

    fn files_changed(&self, set: &SetExpr, compare: Compare, than: &Quantity) -> Verdict {
        let members = self.both(set);
        let mut files: BTreeMap<String, Truth> = BTreeMap::new();
        let mut seen = Vec::new();
        for pc in &self.world.changes {
            let mut on = [false; 2];
            for (side, key) in [&pc.before, &pc.after].into_iter().enumerate() {
                let Some(key) = key else { continue };
                let holds = members[side].holds(key);
                if holds != Truth::No {
                    let file = self.world.changed_file(side, &key.path);
                    let slot = files.entry(file).or_insert(Truth::No);
                    *slot = (*slot).max(holds);
                    on[side] = true;
                }
            }
            if on != [false; 2] {
                seen.push(Seen::Part { before: pc.before.clone(), after: pc.after.clone() });
            }
        }
        let count =
            |least: Truth| i64::try_from(files.values().filter(|holds| **holds >= least).count()).unwrap_or(i64::MAX);
        let (low, high) = (count(Truth::Yes), count(Truth::Unknown));
        let holds = within(low.saturating_mul(1000), high.saturating_mul(1000), compare, than.thousandths);
        Verdict::new(holds, if holds == Truth::No { Vec::new() } else { seen })
    }

    fn count(&self, set: &SetExpr, side: usize, compare: Compare, than: i64) -> Truth {
        let sets = self.on(side);
        let (low, high) = if sets.sort(set) == Sort::Code {
            let members = sets.code(set);
            (members.certain.len(), members.possible.len())
        } else {
            let names = sets.names(set);
            (names.values().filter(|holds| **holds == Truth::Yes).count(), names.len())
        };
        let thousandths = |count: usize| i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(1000);
        within(thousandths(low), thousandths(high), compare, than)
    }

    /// The violations of an `always` rule on a side, those that are certain and those that are possible: the models that
    /// meet the test of an `any of …`, else the condition itself.
    pub(super) fn violations(&self, cond: &Cond, side: usize) -> [BTreeSet<String>; 2] {
        let mut certain = BTreeSet::new();
        let mut possible = BTreeSet::new();
        let mut add = |name: String, holds: Truth| {
            if holds == Truth::Yes {
                certain.insert(name.clone());
            }
            if holds != Truth::No {
                possible.insert(name);
            }
        };
        let verdict = self.judge(cond, Asked::State(side), false);
        if !names_models(cond) {
            add(String::new(), verdict.truth);
        } else if verdict.truth != Truth::No {
            for seen in verdict.evidence(false) {
                if let Seen::Model { name, certain, .. } = seen {
                    add(name.clone(), truth_unknown(true)[0].max(truth(*certain)).min(verdict.truth));
                }
            }
        }
        [certain, possible]
    }

    /// The models that meet a test on a side, with the parts by which code uses them.
    fn users(&self, set: &SetExpr, test: &FieldTest, side: usize) -> Vec<Seen> {
        let sets = self.on(side);
        let used = match &set.kind {
            SetKind::ModelsUsedBy(code) => sets.used_by(code).possible,
            _ => BTreeSet::new(),
        };
        let meeting = sets.names(set).into_iter().map(|(model, is)| (is.min(sets.model_test(&model, test)), model));
        meeting
            .filter(|(holds, _)| *holds != Truth::No)
            .map(|(holds, name)| Seen::Model {
                users: sets.bound(&name).possible.intersection(&used).map(|key| (side, key.clone())).collect(),
                name,
                certain: holds == Truth::Yes,
            })
            .collect()
    }

    fn package_change(&self, moved: PackageMove) -> Verdict {
        let kinds = self.world.packages.iter().map(|package| match (package.kind, moved) {
            (PackageChangeKind::Major, PackageMove::Major)
            | (PackageChangeKind::New, PackageMove::New)
            | (PackageChangeKind::Downgrade, PackageMove::Downgrade) => Truth::Yes,
            (PackageChangeKind::Unknown, _) => Truth::Unknown,
            _ => Truth::No,
        });
        let truth = kinds.max().unwrap_or(Truth::No);
        Verdict::new(truth, if truth == Truth::No { Vec::new() } else { vec![Seen::Else] })
    }

    fn during(&self, window: &str) -> Truth {
        let found = self.rules.items().find_map(|item| match &item.kind {
            ItemKind::Window { from, to, zone } if item.name == window => Some((*from, *to, zone)),
            _ => None,
        });
        let Some((from, to, zone)) = found else { return Truth::Unknown };
        let (Ok(zone), Ok(now)) =
            (jiff::tz::TimeZone::get(&zone.value), jiff::Timestamp::from_second(self.world.input.as_of))
        else {
            return Truth::Unknown;
        };
        let today = now.to_zoned(zone).date();
        let today = (today.year(), today.month(), today.day());
        truth((from.year, from.month, from.day) <= today && today <= (to.year, to.month, to.day))
    }

    fn rate(&self, rate: Rate, bundle: &str, runs: &Quantity, compare: Compare, value: &Quantity) -> Truth {
        let past = &self.world.input.past;
        let name = match rate {
            Rate::Pass => "pass rate",
            Rate::Flaky => "flaky rate",
        };
        if let Some(outright) = past.rates.get(&(name.to_owned(), bundle.to_owned())) {
            return within(*outright, *outright, compare, value.thousandths);
        }
        let Some(all) = past.runs.get(bundle) else { return Truth::Unknown };
        let last = usize::try_from(runs.thousandths / 1000).unwrap_or(0);
        let (mut part, mut whole) = (0_i64, 0_i64);
        for run in all.iter().rev().take(last) {
            whole += 1;
            match (rate, run) {
                (Rate::Pass, BundleRun::Passed | BundleRun::Flaky) | (Rate::Flaky, BundleRun::Flaky) => part += 1,
                _ => {}
            }
        }
        if whole == 0 {
            return Truth::Unknown;
        }
        // part / whole against value / 100 000, without rounding.
        let (left, right) = (part.saturating_mul(100_000), value.thousandths.saturating_mul(whole));
        within(left, left, compare, right)
    }

    /// A KPI against its bound.
    pub(super) fn kpi(&self, test: &KpiTest) -> Truth {
        let kpis = &self.world.input.past.kpis;
        let mut name = test.kpi.text.clone();
        if let Some(statistic) = &test.statistic {
            name = format!("{name} {}", statistic.text);
        }
        if let Some(over) = &test.over {
            name = format!("{name} over {}", written(over));
        }
        match kpis.get(&name).or_else(|| kpis.get(&test.kpi.text)) {
            Some(value) => within(*value, *value, test.compare, in_base_unit(&test.value)),
            None => Truth::Unknown,
        }
    }

    /// Each changed part of the product by itself, where it stands: after, or before where it was removed.
    fn no_test_reaches(&self) -> Verdict {
        let mut truth = Truth::No;
        let mut seen = Vec::new();
        for pc in self.meant() {
            let (side, key) = match (&pc.before, &pc.after) {
                (_, Some(key)) => (1, key),
                (Some(key), None) => (0, key),
                (None, None) => continue,
            };
            let facts = &self.world.sides[side];
            let is_code =
                |path: &str| facts.files.get(path).is_some_and(|file| file.language.is_some() && !file.surely_test);
            if !facts.parts.contains_key(key) || !is_code(&key.path) {
                continue;
            }
            let reaches = |certain: bool| {
                let affected = self.world.spread(side, certain, vec![key.clone()]);
                affected.iter().any(|key| facts.parts.get(key).is_some_and(|part| part.is_test))
            };
            let unreached = if facts.is_opaque(key) {
                Truth::Unknown
            } else if reaches(true) {
                Truth::No
            } else if reaches(false) {
                Truth::Unknown
            } else {
                Truth::Yes
            };
            if unreached != Truth::No {
                seen.push(Seen::Member { side, key: key.clone() });
            }
            truth = truth.max(unreached);
        }
        Verdict::new(truth, seen)
    }
}

/// A state atom over the sides that it is asked of.
fn state(asked: Asked, negative: bool, holds: impl Fn(usize) -> Truth) -> Truth {
    match asked {
        Asked::State(side) => holds(side),
        Asked::Change if negative => holds(0).min(holds(1)),
        Asked::Change => holds(0).max(holds(1)),
        Asked::Waiver => {
            let (before, after) = (holds(0), holds(1));
            if before == after { before } else { Truth::Unknown }
        }
    }
}

/// What a change says of itself: it cannot lower.
fn said(holds: Truth, asked: Asked, negative: bool) -> Truth {
    // Saying something, or leaving it unsaid, lowers nothing.
    if asked == Asked::Waiver {
        return Truth::Unknown;
    }
    if holds == Truth::Yes && negative { Truth::Unknown } else { holds }
}

/// Whether a condition is about models that it names.
fn names_models(cond: &Cond) -> bool {
    match &cond.kind {
        CondKind::AnyOf(..) => true,
        CondKind::And(all) => all.iter().any(names_models),
        CondKind::Or(all) => all.iter().all(names_models),
        _ => false,
    }
}

/// What is read of the text of a part: what was found, and whether something cannot be read.
pub(super) struct Reading {
    pub(super) found: Truth,
    pub(super) unread: bool,
}

/// What the change does not say of itself: neither saying it nor leaving it out lowers.
fn lacks(text: Option<&str>, asked: Asked) -> Truth {
    if asked == Asked::Waiver { Truth::Unknown } else { truth(is_blank(text)) }
}

/// Whether a part changed in a way that shows on these sides.
fn kind_on(pc: &PartChange, kind: Kinds, sides: [bool; 2]) -> [Truth; 2] {
    if pc.kinds.contains(kind) { sides.map(truth) } else { truth_unknown(pc.kinds.contains(Kinds::UNKNOWN)) }
}

fn truth_unknown(unknown: bool) -> [Truth; 2] {
    [if unknown { Truth::Unknown } else { Truth::No }; 2]
}

/// The kind of edge that a rule names.
pub(super) fn kind_of(word: EdgeWord) -> EdgeKind {
    match word {
        EdgeWord::Imports => EdgeKind::Imports,
        EdgeWord::Calls => EdgeKind::Calls,
        EdgeWord::Inherits => EdgeKind::Inherits,
        EdgeWord::References => EdgeKind::References,
    }
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

fn join_folded(all: &[Folded], settles: Truth, join: impl Fn(std::vec::IntoIter<Truth>) -> Option<Truth>) -> Folded {
    let known: Vec<Truth> = all
        .iter()
        .filter_map(|one| match one {
            Folded::Known(truth) => Some(*truth),
            Folded::Waits { .. } => None,
        })
        .collect();
    if known.contains(&settles) {
        return Folded::Known(settles);
    }
    if known.len() < all.len() {
        let misses = |part: &Folded| matches!(part, Folded::Known(Truth::Unknown) | Folded::Waits { misses: true });
        return Folded::Waits { misses: all.iter().any(misses) };
    }
    Folded::Known(join(known.into_iter()).unwrap_or(Truth::Unknown))
}

/// A quantity as the language writes it: `24 h`, `0.9`, `95 %`.
fn written(quantity: &Quantity) -> String {
    let (whole, rest) = (quantity.thousandths / 1000, (quantity.thousandths % 1000).abs());
    let number =
        if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:03}").trim_end_matches('0').to_owned() };
    let unit = match quantity.unit {
        Unit::One => return number,
        Unit::Percent => "%",
        Unit::Points => "points",
        Unit::Milliseconds => "ms",
        Unit::Seconds => "s",
        Unit::Minutes => "min",
        Unit::Hours => "h",
        Unit::Days => "d",
    };
    format!("{number} {unit}")
}
