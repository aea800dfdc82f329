//! Conditions: each atom joined over its two sides, then Kleene `not`, `and`, `or`.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::ast::{
    Compare, Cond, CondKind, EdgeWord, FieldTest, ItemKind, KpiTest, PackageMove, Quantity, Rate, SafeKind, SetExpr,
    SetKind, Unit,
};
use grace_graph::change::{Kinds, PartChange};
use grace_graph::code::{EdgeKind, PartKey, PartKind};
use grace_graph::packages::PackageChangeKind;

use super::fields::{in_base_unit, truth, within};
use super::rules::Rules;
use super::sets::{Members, Sets, Sort, newly, not};
use super::text::glob;
use super::world::World;
use crate::plan::Truth;

/// What made a condition hold, as far as waivers and owners ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// A changed part, and the sides on which it is (possibly) in the set that was asked about.
    Part { before: Option<PartKey>, after: Option<PartKey>, on: [bool; 2] },
    /// An edge of the after side.
    Edge { from: PartKey, to: PartKey },
    /// A member of a set, on one side.
    Member { side: usize, key: PartKey },
}

/// What a condition came to, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) truth: Truth,
    pub(super) seen: Vec<Seen>,
}

impl From<Truth> for Verdict {
    fn from(truth: Truth) -> Self {
        Self { truth, seen: Vec::new() }
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
    Waits,
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
        match &cond.kind {
            CondKind::And(all) => {
                let all: Vec<Verdict> = all.iter().map(|cond| self.judge(cond, asked, negative)).collect();
                let truth = all.iter().map(|one| one.truth).min().unwrap_or(Truth::Yes);
                Verdict { truth, seen: all.into_iter().flat_map(|one| one.seen).collect() }
            }
            CondKind::Or(any) => {
                let any: Vec<Verdict> = any.iter().map(|cond| self.judge(cond, asked, negative)).collect();
                let truth = any.iter().map(|one| one.truth).max().unwrap_or(Truth::No);
                let holding = any.into_iter().filter(|one| one.truth != Truth::No);
                Verdict { truth, seen: holding.flat_map(|one| one.seen).collect() }
            }
            CondKind::Not(inner) => not(self.judge(inner, asked, !negative).truth).into(),
            CondKind::Touches(set) => self.changed(set, |pc| [truth(pc.kinds.intersects(Kinds::MEANING)); 2]),
            CondKind::OnlyTouches(set) => self.only_touches(set),
            CondKind::OnlyIn(kinds) => self.only_in(kinds).into(),
            CondKind::Adds(set) => self.changed(set, |pc| kind_on(pc, Kinds::ADDED, [false, true])),
            CondKind::Removes(set) => self.changed(set, |pc| kind_on(pc, Kinds::REMOVED, [true, false])),
            CondKind::Renames(set) => self.changed(set, |pc| kind_on(pc, Kinds::RENAMED, [true, true])),
            CondKind::SignaturesChange(set) => self.changed(set, |pc| self.signature(pc)),
            CondKind::NewEdges { kinds, from, to } => self.new_edges(kinds, from, to),
            CondKind::TestsRemoved => self.tests_removed(),
            CondKind::TestsWeakened => self.tests_weakened(),
            CondKind::AddedLinesContain { set, literals } => {
                let literals: Vec<&str> = literals.iter().map(|literal| literal.value.as_str()).collect();
                self.changed(set, |pc| [Truth::No, self.world.added_lines_contain(pc, &literals)])
            }
            CondKind::DocumentationRemoved(set) => self.changed(set, |pc| [self.world.documentation_removed(pc); 2]),
            CondKind::FlagsRemoved(set) => self.models_changed(set, |before, after| {
                let kept = after.map(|model| model.compliance_flags.as_slice()).unwrap_or_default();
                before.compliance_flags.iter().any(|flag| !kept.contains(flag))
            }),
            CondKind::ContractsChange(set) => self
                .models_changed(set, |before, after| after.is_none_or(|after| !before.to_facts().eq(after.to_facts()))),
            CondKind::AnyEdit(set) => self.changed(set, |pc| [truth(!pc.kinds.is_empty()); 2]),
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
                    Asked::Change | Asked::Waiver => [self.users(set, test, 0), self.users(set, test, 1)].concat(),
                };
                Verdict { truth: state(asked, negative, holds), seen }
            }
            CondKind::Count(set, compare, than) => {
                state(asked, negative, |side| self.count(set, side, *compare, than.thousandths)).into()
            }
            CondKind::IsEmpty(set) => state(asked, negative, |side| self.count(set, side, Compare::Equal, 0)).into(),
            CondKind::PackageChange(moved) => self.package_change(*moved).into(),
            CondKind::Operation(names) => {
                let declared = self.world.input.declared.operation.as_deref();
                let is = names.iter().any(|name| Some(name.text.as_str()) == declared);
                said(truth(is), asked, negative).into()
            }
            CondKind::VerifiedBot(bot) => {
                truth(self.world.input.declared.verified_bot.as_deref() == Some(bot.value.as_str())).into()
            }
            CondKind::Ticket(pattern) => {
                let ticket = self.world.input.declared.ticket.as_deref();
                let is = ticket.is_some_and(|ticket| glob(&pattern.value, false)(ticket));
                said(truth(is), asked, negative).into()
            }
            CondKind::Branch(pattern) => match self.world.input.declared.branch.as_deref() {
                Some(branch) => said(truth(glob(&pattern.value, false)(branch)), asked, negative).into(),
                None => Truth::Unknown.into(),
            },
            CondKind::RationaleMissing => truth(is_blank(self.world.input.declared.rationale.as_deref())).into(),
            CondKind::StoryLacks(field) => {
                truth(is_blank(self.world.input.declared.story.get(&field.text).map(String::as_str))).into()
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
                Folded::Waits => Folded::Waits,
            },
            CondKind::BundleRate { .. } | CondKind::BundleFailed(_) | CondKind::TrustBelowMinimum => Folded::Waits,
            _ => Folded::Known(self.judge(cond, Asked::Change, negative).truth),
        }
    }

    /// The changed parts of a set. `how` says of each side whether the part changed in the way that is asked for.
    fn changed(&self, set: &SetExpr, how: impl Fn(&PartChange) -> [Truth; 2]) -> Verdict {
        let members = self.both(set);
        let mut verdict = Verdict::from(Truth::No);
        for pc in &self.world.changes {
            let how = how(pc);
            let mut on = [false; 2];
            for (side, key) in [&pc.before, &pc.after].into_iter().enumerate() {
                let Some(key) = key else { continue };
                let holds = members[side].holds(key).min(how[side]);
                on[side] = holds != Truth::No;
                verdict.truth = verdict.truth.max(holds);
            }
            if on != [false; 2] {
                verdict.seen.push(Seen::Part { before: pc.before.clone(), after: pc.after.clone(), on });
            }
        }
        verdict
    }

    fn only_touches(&self, set: &SetExpr) -> Verdict {
        let members = self.both(set);
        let mut verdict = Verdict::from(Truth::Yes);
        for pc in self.meant() {
            let mut on = [false; 2];
            for (side, key) in [&pc.before, &pc.after].into_iter().enumerate() {
                let Some(key) = key else { continue };
                let holds = members[side].holds(key);
                on[side] = holds != Truth::No;
                verdict.truth = verdict.truth.min(holds);
            }
            verdict.seen.push(Seen::Part { before: pc.before.clone(), after: pc.after.clone(), on });
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
        truth_unknown(pc.kinds.contains(Kinds::UNKNOWN) && (callable || self.in_opaque_file(pc)))
    }

    fn in_opaque_file(&self, pc: &PartChange) -> bool {
        [&pc.before, &pc.after]
            .into_iter()
            .enumerate()
            .any(|(side, key)| key.as_ref().is_some_and(|key| self.world.sides[side].is_opaque(&key.path)))
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
                    verdict.seen.push(Seen::Member { side: 1, key: key.clone() });
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
            .filter(|pc| pc.kinds.contains(Kinds::UNKNOWN))
            .filter_map(|pc| pc.after.as_ref())
            .filter(|key| self.world.sides[1].is_opaque(&key.path))
    }

    /// What happened to tests, as far as it can be told.
    fn tests<'k>(&self, sure: bool, keys: impl Iterator<Item = (Option<&'k PartKey>, Option<&'k PartKey>)>) -> Verdict {
        let part = |(before, after): (Option<&PartKey>, Option<&PartKey>)| Seen::Part {
            before: before.cloned(),
            after: after.cloned(),
            on: [before.is_some(), after.is_some()],
        };
        let unknown = truth_unknown(!self.world.tests.unknown.is_empty())[0];
        Verdict { truth: truth(sure).max(unknown), seen: keys.map(part).collect() }
    }

    fn tests_removed(&self) -> Verdict {
        let removed = &self.world.tests.removed;
        self.tests(!removed.is_empty(), removed.iter().map(|one| (Some(&one.test), None)))
    }

    fn tests_weakened(&self) -> Verdict {
        let tests = &self.world.tests;
        let sure = !tests.weakened.is_empty() || !tests.uncollected.is_empty();
        self.tests(sure, tests.weakened.iter().map(|one| (Some(&one.before), Some(&one.after))))
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
        let truths = members.into_iter().map(|(model, holds)| {
            let (was, is) = (before.models.get(&model), after.models.get(&model));
            let how = match (was, is) {
                (None, None) => Truth::Unknown,
                (None, Some(_)) => Truth::No,
                (Some(was), is) => truth(worse(was, is.map(AsRef::as_ref))),
            };
            holds.min(how)
        });
        truths.max().unwrap_or(Truth::No).into()
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
                seen.push(Seen::Part { before: pc.before.clone(), after: pc.after.clone(), on });
            }
        }
        let holds = within(low.saturating_mul(1000), high.saturating_mul(1000), compare, than.thousandths);
        Verdict { truth: holds, seen: if holds == Truth::No { Vec::new() } else { seen } }
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
                seen.push(Seen::Part { before: pc.before.clone(), after: pc.after.clone(), on });
            }
        }
        let count =
            |least: Truth| i64::try_from(files.values().filter(|holds| **holds >= least).count()).unwrap_or(i64::MAX);
        let (low, high) = (count(Truth::Yes), count(Truth::Unknown));
        let holds = within(low.saturating_mul(1000), high.saturating_mul(1000), compare, than.thousandths);
        Verdict { truth: holds, seen: if holds == Truth::No { Vec::new() } else { seen } }
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
        if let CondKind::AnyOf(set, test) = &cond.kind {
            let sets = self.on(side);
            for (model, is) in sets.names(set) {
                let meets = sets.model_test(&model, test);
                add(model, is.min(meets));
            }
        } else {
            add(String::new(), self.judge(cond, Asked::State(side), false).truth);
        }
        [certain, possible]
    }

    /// The parts by which code uses the models that meet a test.
    fn users(&self, set: &SetExpr, test: &FieldTest, side: usize) -> Vec<Seen> {
        let SetKind::ModelsUsedBy(code) = &set.kind else { return Vec::new() };
        let sets = self.on(side);
        let used = sets.used_by(code).possible;
        let holding = sets.names(set).into_keys().filter(|model| sets.model_test(model, test) != Truth::No);
        holding
            .flat_map(|model| sets.bound(&model).possible)
            .filter(|key| used.contains(key))
            .map(|key| Seen::Member { side, key })
            .collect()
    }

    fn package_change(&self, moved: PackageMove) -> Truth {
        let kinds = self.world.packages.iter().map(|package| match (package.kind, moved) {
            (PackageChangeKind::Major, PackageMove::Major)
            | (PackageChangeKind::New, PackageMove::New)
            | (PackageChangeKind::Downgrade, PackageMove::Downgrade) => Truth::Yes,
            (PackageChangeKind::Unknown, _) => Truth::Unknown,
            _ => Truth::No,
        });
        kinds.max().unwrap_or(Truth::No)
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
        let recent = all.iter().rev().take(last);
        let (mut part, mut whole) = (0_i64, 0_i64);
        for run in recent {
            part += i64::from(match rate {
                Rate::Pass => run.passed,
                Rate::Flaky => run.flaky,
            });
            whole += i64::from(run.passed) + i64::from(run.failed);
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
        let mut name = format!("kpi({})", test.kpi.text);
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
            let is_body = matches!(key.kind, PartKind::File | PartKind::Module);
            let unreached = if facts.is_opaque(&key.path) && is_body {
                Truth::Unknown
            } else if reaches(true) {
                Truth::No
            } else if reaches(false) {
                Truth::Unknown
            } else {
                Truth::Yes
            };
            if unreached != Truth::No {
                let on = [pc.before.is_some(), pc.after.is_some()];
                seen.push(Seen::Part { before: pc.before.clone(), after: pc.after.clone(), on });
            }
            truth = truth.max(unreached);
        }
        Verdict { truth, seen }
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
    if holds == Truth::Yes && (negative || asked == Asked::Waiver) { Truth::Unknown } else { holds }
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
            Folded::Waits => None,
        })
        .collect();
    if known.contains(&settles) {
        return Folded::Known(settles);
    }
    if known.len() < all.len() {
        return Folded::Waits;
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
