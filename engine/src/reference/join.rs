//! From what every rule comes to, to the answer: a join over rules and over both books.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::ast::{
    Approval, Approver, Bundle, Forbid, ItemKind, Layers, Requirement, RequirementKind, Rule, Selection, SetExpr,
    TierApproval, TierLine, TierReach, Waived, Waiver, WaiverEffect, WaiverOf, When,
};
use grace_graph::change::{Content, Kinds};
use grace_graph::code::{EdgeKind, FolderUse, PartKey, PartKind};
use grace_graph::facts::Language;
use grace_graph::test_names::{lies_among_data, lies_among_tests};

use super::conditions::{Asked, Folded, Join, Judge, Seen, Verdict, kind_of};
use super::records::Told;
use super::rules::Rules;
use super::sets::{Members, newly};
use super::text::path_glob;
use super::world::World;
use super::{AfterRunAnswer, Answer};
use crate::plan::{Outcome, SelectionMode, Truth};

/// Files that hold rules, signers, fingerprints and owners: a change to one is tier 3.
const RULE_PLACES: [&str; 5] =
    ["grace/**", "CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// Approvals by what they ask for; the value is how many people.
type Approvals = BTreeMap<(String, Vec<(String, u32)>, bool), u32>;

/// What one rule asks for.
#[derive(Debug, Default)]
struct Asks {
    tier: Option<u8>,
    approvals: Approvals,
    /// Approvals that a waiver of a team's approval means: those that name the team outright.
    of_teams: BTreeMap<String, Approvals>,
    /// Approvals that stand for a deny that could not be told, or whose violation stood before.
    holds: Approvals,
    /// Approvals for limits that are broken or unknown.
    limits: Approvals,
    bundles: Vec<(String, bool)>,
    validations: Vec<String>,
    duties: Vec<String>,
    principles: Vec<String>,
    intents: Vec<String>,
    trust: Option<i64>,
    denies: bool,
    /// It mends what it denies, or edits the rule: tier 3, and no denial.
    mends: bool,
    limit_unknown: bool,
}

/// What one rule comes to in one book.
struct Result {
    outcome: Outcome,
    asks: Asks,
    /// It waits for the run, and this is what it asks for if it fires.
    waits: bool,
    /// Something of its condition is unknown that no run tells.
    misses: bool,
}

impl Result {
    fn absent(outcome: Outcome) -> Self {
        Self { outcome, asks: Asks::default(), waits: false, misses: false }
    }
}

/// Both books over one world.
pub(super) struct Court<'a> {
    pub(super) world: &'a World,
    /// Before and after.
    pub(super) books: [&'a Rules; 2],
}

impl<'a> Court<'a> {
    fn judge(&self, book: usize) -> Judge<'a> {
        Judge { world: self.world, rules: self.books[book] }
    }

    /// The answer to the whole change.
    pub(super) fn answer(&self) -> Answer {
        let mut answer = Answer { tier: self.base_tier(), ..Answer::default() };
        let mut approvals = Approvals::new();
        let mut validations = Vec::new();
        let mut waiting = Vec::new();
        for book in 0..2 {
            for item in self.books[book].judging() {
                let result = match &item.kind {
                    ItemKind::Rule(rule) => self.rule(book, &item.name, rule),
                    ItemKind::Policy(policy) => self.rule(book, &item.name, &policy.rule),
                    ItemKind::Forbid(forbid) => self.forbid(book, &item.name, forbid),
                    ItemKind::Layers(layers) => self.layers(book, &item.name, layers),
                    _ => continue,
                };
                let slot = answer.rules.entry(item.name.clone()).or_insert(Outcome::DoesNotApply);
                if rank(result.outcome) > rank(*slot) {
                    *slot = result.outcome;
                }
                let asks = result.asks;
                if result.waits {
                    answer.unknown |= result.misses;
                    answer.principles.extend(asks.principles.iter().cloned());
                    waiting.push((book, item.name.clone(), asks));
                    continue;
                }
                answer.tier = answer.tier.max(asks.tier.unwrap_or(1));
                if asks.mends {
                    answer.tier = 3;
                }
                for more in [asks.approvals, asks.holds, asks.limits] {
                    add_all(&mut approvals, more);
                }
                for (bundle, narrowed) in asks.bundles {
                    let slot = answer.bundles.entry(bundle).or_insert(true);
                    *slot &= narrowed;
                }
                validations.extend(asks.validations.into_iter().map(|name| (book, name)));
                answer.duties.extend(asks.duties);
                answer.principles.extend(asks.principles);
                answer.intents.extend(asks.intents);
                answer.trust = answer.trust.max(asks.trust);
                if asks.denies {
                    answer.denials.insert(item.name.clone());
                }
                answer.unknown |= asks.limit_unknown || result.outcome == Outcome::Unknown;
            }
        }
        if self.rules_changed() {
            answer.tier = 3;
        }
        if self.world.input.past.unread_codeowners.is_some() || !self.world.input.past.unread_models.is_empty() {
            answer.tier = 3;
            answer.unknown = true;
        }
        // What a change holds and nobody can read is named, whatever the rules ask.
        let sides = self.world.input.change.files.iter().flat_map(|file| [&file.before, &file.after]).flatten();
        answer.unknown |= sides.into_iter().any(|side| matches!(side.content, Content::Unknown(_)));
        for rules in self.books {
            if rules.mistakes > 0 {
                answer.tier = 3;
                answer.unknown = true;
            }
        }
        add_all(&mut approvals, self.tier_approvals(answer.tier));
        let said = self.books.iter().flat_map(|book| book.tier_lines()).filter(|line| line.tier == answer.tier);
        let said: Vec<Selection> = said.filter_map(|line| line.selection).collect();
        answer.selection = match said.as_slice() {
            [] => None,
            said if said.contains(&Selection::Observe) => Some(SelectionMode::Observe),
            _ => Some(SelectionMode::Enforce),
        };
        answer.approvals = approvals.iter().map(written).collect();
        for (book, name, asks) in waiting {
            let asked = self.after_run(answer.tier, book, asks);
            let slot = answer.after_run.entry(name).or_default();
            if !slot.contains(&asked) {
                slot.push(asked);
            }
        }
        for (book, validation) in validations {
            answer.validations.extend(self.validations(book, &validation));
        }
        let reached = self.tests_reached();
        for (bundle, narrowed) in &answer.bundles {
            let tests = self.bundle_tests(bundle);
            let told = if *narrowed { self.told_of(bundle) } else { None };
            let selected = match &reached {
                Some(reached) if *narrowed => self.impacted(bundle, &tests, reached, told.as_ref()),
                _ => tests.clone(),
            };
            // What may not be there by its name is asked for where a record has it, or else with all of its file.
            let surely = tests.iter().filter(|test| !self.world.sides[1].may_be_absent(test)).map(test_id);
            let there = told.map(|told| told.there).unwrap_or_default();
            let there: BTreeSet<String> = surely.chain(there).collect();
            let ids = selected.iter().map(test_id).filter(|id| there.contains(id));
            answer.selected.insert(bundle.clone(), ids.collect());
        }
        answer
    }

    /// What a rule that waits asks for if it fires, beside what the plan asks for anyway.
    fn after_run(&self, planned: u8, book: usize, asks: Asks) -> AfterRunAnswer {
        let mut approvals = asks.approvals;
        add_all(&mut approvals, asks.limits);
        if let Some(tier) = asks.tier.filter(|tier| *tier > planned) {
            add_all(&mut approvals, self.tier_approvals(tier));
        }
        let mut bundles: BTreeMap<String, bool> = BTreeMap::new();
        for (bundle, narrowed) in asks.bundles {
            *bundles.entry(bundle).or_insert(true) &= narrowed;
        }
        AfterRunAnswer {
            tier: asks.tier,
            approvals: approvals.iter().map(written).collect(),
            holds: asks.holds.iter().map(written).collect(),
            bundles,
            validations: asks.validations.iter().flat_map(|name| self.validations(book, name)).collect(),
            duties: asks.duties.into_iter().collect(),
            principles: asks.principles.into_iter().collect(),
            intents: asks.intents.into_iter().collect(),
            trust: asks.trust,
            denies: asks.denies,
        }
    }

    /// The change edits rules, signers, fingerprints or owners, or brings the first rules, or takes the last away.
    fn rules_changed(&self) -> bool {
        let input = &self.world.input;
        let edited = input.change.files.iter().any(|file| {
            [&file.before, &file.after]
                .into_iter()
                .flatten()
                .any(|side| RULE_PLACES.iter().any(|place| path_glob(place, false)(&side.path)))
        });
        edited || input.rules_before.is_some() != input.rules_after.is_some()
    }

    /// The highest tier that the `tiers` lines of either book give.
    fn base_tier(&self) -> u8 {
        (0..2).filter_map(|book| self.line_tier(book)).max().unwrap_or(2)
    }

    /// Each `tiers` judges by itself; the strictest counts.
    fn line_tier(&self, book: usize) -> Option<u8> {
        if !self.books[book].present {
            return None;
        }
        Some(self.books[book].tiers().map(|lines| self.tier_of(book, lines)).max().unwrap_or(2))
    }

    fn tier_of(&self, book: usize, lines: &[TierLine]) -> u8 {
        let judge = self.judge(book);
        let stood =
            |line: &TierLine| self.books[0].tier_lines().any(|old| old.tier == line.tier && old.reach == line.reach);
        let proved: Vec<u8> = lines
            .iter()
            .filter(|line| match &line.reach {
                TierReach::OnlyIn(kinds) => (line.tier > 1 || stood(line)) && judge.only_in(kinds) == Truth::Yes,
                _ => false,
            })
            .map(|line| self.lowered(line))
            .collect();
        let mut tiers = proved.clone();
        if proved.is_empty() {
            let others = lines.iter().filter(|line| line.reach == TierReach::AnyOther);
            tiers.push(others.map(|line| self.lowered(line)).max().unwrap_or(2));
        }
        let declared = self.world.input.declared.operation.as_deref();
        tiers.extend(
            lines
                .iter()
                .filter(|line| match &line.reach {
                    TierReach::Operations(names) => names.iter().any(|name| Some(name.text.as_str()) == declared),
                    _ => false,
                })
                .map(|line| self.lowered(line)),
        );
        tiers.into_iter().max().unwrap_or(2)
    }

    /// What a line gives, after the waivers of it.
    fn lowered(&self, line: &TierLine) -> u8 {
        let all = self.all_changed();
        self.waivers()
            .filter(|waiver| matches!(&waiver.of, WaiverOf::Tier(name) if name.text == line.name.text))
            .filter(|waiver| self.covers(waiver, &all))
            .filter_map(|waiver| match waiver.effect {
                WaiverEffect::ToTier(tier) => Some(tier),
                WaiverEffect::Waives(_) => None,
            })
            .fold(line.tier, u8::min)
    }

    /// Every changed part, as evidence.
    fn all_changed(&self) -> Verdict {
        let changed = self.world.changes.iter();
        let seen = changed.map(|pc| Seen::Part { before: pc.before.clone(), after: pc.after.clone() });
        Verdict::new(Truth::Yes, seen.collect())
    }

    /// Who lets a plan of a tier through.
    fn tier_approvals(&self, tier: u8) -> Approvals {
        let mut approvals = Approvals::new();
        let mut lines = 0;
        for book in 0..2 {
            let here = self.books[book].tier_lines().filter(|line| line.tier == tier);
            for line in here {
                lines += 1;
                if let TierApproval::Approval(approval) = &line.approve {
                    add_all(&mut approvals, self.approval(book, approval, &self.all_changed()));
                }
            }
        }
        if lines == 0 && tier == 3 {
            approvals.insert(("anyone".to_owned(), Vec::new(), false), 1);
        }
        approvals
    }

    fn rule(&self, book: usize, name: &str, rule: &Rule) -> Result {
        let judge = self.judge(book);
        let mut misses = false;
        let (verdict, waits) = match &rule.when {
            When::Change(cond) => (judge.judge(cond, Asked::Change, false), false),
            When::Always(cond) => (judge.judge(cond, Asked::State(1), false), false),
            When::AfterRun(cond) => {
                match judge.fold(cond, false) {
                    Folded::Known(Truth::No) => return Result::absent(Outcome::DoesNotApply),
                    Folded::Known(truth) => misses = truth == Truth::Unknown,
                    Folded::Waits { misses: rest } => misses = rest,
                }
                (judge.judge(cond, Asked::Change, false), true)
            }
        };
        if verdict.truth == Truth::No && !waits {
            return Result::absent(Outcome::DoesNotApply);
        }
        let mut asks = Asks {
            tier: rule.tier.map(|(_, tier)| tier),
            principles: rule.upholds.iter().map(|name| name.text.clone()).collect(),
            intents: rule.intents.iter().map(|name| name.text.clone()).collect(),
            trust: rule.trust.as_ref().map(|trust| trust.thousandths),
            ..Asks::default()
        };
        self.require(book, &rule.require, &verdict, &mut asks);
        let owner = rule.owner.as_ref().map(|owner| owner.text.as_str());
        if let Some(deny) = &rule.deny {
            let hold = match &deny.if_unknown {
                Some(approval) => self.approval(book, approval, &verdict),
                None => one_of_owner(owner),
            };
            if waits {
                asks.denies = true;
                asks.holds = hold;
            } else {
                self.deny(book, name, rule, verdict.truth, hold, &mut asks);
            }
        }
        for limit in &rule.limits {
            match judge.kpi(limit) {
                Truth::Yes => {}
                Truth::No => add_all(&mut asks.limits, one_of_owner(owner)),
                Truth::Unknown => {
                    asks.limit_unknown = true;
                    add_all(&mut asks.limits, one_of_owner(owner));
                }
            }
        }
        if waits {
            for more in std::mem::take(&mut asks.of_teams).into_values() {
                add_all(&mut asks.approvals, more);
            }
            return Result { outcome: Outcome::AfterRun, asks, waits, misses };
        }
        self.waive(name, &verdict, asks)
    }

    fn require(&self, book: usize, require: &[Requirement], seen: &Verdict, asks: &mut Asks) {
        for requirement in require {
            match &requirement.kind {
                RequirementKind::Approval(approval) => {
                    let named = self.approval(book, approval, seen);
                    let slot = match &approval.by {
                        Approver::Team(team) => asks.of_teams.entry(team.text.clone()).or_default(),
                        _ => &mut asks.approvals,
                    };
                    add_all(slot, named);
                }
                RequirementKind::Bundle { name, narrowed } => asks.bundles.push((name.text.clone(), *narrowed)),
                RequirementKind::Validation(name) => asks.validations.push(name.text.clone()),
                RequirementKind::Ticket(glob) => asks.duties.push(format!("ticket \"{}\"", glob.value)),
                RequirementKind::Rationale => asks.duties.push("rationale".to_owned()),
                RequirementKind::Story(field) => asks.duties.push(format!("story {}", field.text)),
            }
        }
    }

    /// What a denying rule that holds comes to.
    fn deny(&self, book: usize, name: &str, rule: &Rule, holds: Truth, hold: Approvals, asks: &mut Asks) {
        let When::Always(cond) = &rule.when else {
            if holds == Truth::Yes {
                asks.denies = true;
            } else {
                asks.holds = hold;
            }
            return;
        };
        let judge = self.judge(book);
        let [certain_before, possible_before] = judge.violations(cond, 0);
        let [certain, possible] = judge.violations(cond, 1);
        let edited = self.books[0].named(name) != self.books[1].named(name);
        if edited || possible.len() < certain_before.len() {
            asks.mends = true;
        } else if certain.difference(&possible_before).next().is_some() {
            asks.denies = true;
        } else {
            asks.holds = hold;
        }
    }

    /// The waivers that stood before the change and are in force.
    fn waivers(&self) -> impl Iterator<Item = &'a Waiver> {
        let input = &self.world.input;
        let today = jiff::Timestamp::from_second(input.as_of)
            .map(|now| now.to_zoned(jiff::tz::TimeZone::UTC).date())
            .map(|day| (day.year(), day.month(), day.day()))
            .ok();
        self.books[0].waivers().filter_map(move |(name, waiver)| {
            let granted = input.past.grants.contains(name);
            let lasts = waiver
                .until
                .is_none_or(|(_, until)| today.is_some_and(|today| today <= (until.year, until.month, until.day)));
            (granted && lasts).then_some(waiver)
        })
    }

    /// Whether a waiver's condition holds and it covers all of the evidence, for certain and on both sides.
    fn covers(&self, waiver: &Waiver, verdict: &Verdict) -> bool {
        let judge = self.judge(0);
        let holds = waiver.when.as_ref().is_none_or(|cond| judge.judge(cond, Asked::Waiver, false).truth == Truth::Yes);
        let covered = [judge.on(0).code(&waiver.set), judge.on(1).code(&waiver.set)];
        holds && cover(&covered, verdict) == Cover::All
    }

    /// Takes away what the waivers of a rule list.
    fn waive(&self, name: &str, verdict: &Verdict, mut asks: Asks) -> Result {
        let outcome = self.waived(name, verdict, &mut asks);
        for more in std::mem::take(&mut asks.of_teams).into_values() {
            add_all(&mut asks.approvals, more);
        }
        Result { outcome, asks, waits: false, misses: false }
    }

    fn waived(&self, name: &str, verdict: &Verdict, asks: &mut Asks) -> Outcome {
        if verdict.truth == Truth::Unknown {
            return Outcome::Unknown;
        }
        let unwaivable =
            asks.principles.iter().any(|principle| self.books.iter().any(|rules| rules.is_unwaivable(principle)));
        let mut outcome = Outcome::Fires;
        if unwaivable {
            return outcome;
        }
        for waiver in self.waivers() {
            if !matches!(&waiver.of, WaiverOf::Rule(of) if of.text == name) || !self.covers(waiver, verdict) {
                continue;
            }
            outcome = Outcome::Waived;
            match &waiver.effect {
                WaiverEffect::ToTier(tier) => asks.tier = asks.tier.map(|own| own.min(*tier)),
                WaiverEffect::Waives(list) => list.iter().for_each(|waived| take_away(asks, waived)),
            }
        }
        outcome
    }

    fn forbid(&self, book: usize, name: &str, forbid: &Forbid) -> Result {
        let judge = self.judge(book);
        let pairs = |side: usize| {
            let sets = judge.on(side);
            let (from, to) = (sets.code(&forbid.from), sets.code(&forbid.to));
            let (from, to) = (files_of(&from), files_of(&to));
            let mut pairs = BTreeMap::new();
            for (start, in_from) in &from {
                let sure = self.files_reached(side, kind_of(forbid.edge), start, forbid.through, true);
                let perhaps = self.files_reached(side, kind_of(forbid.edge), start, forbid.through, false);
                for (end, in_to) in to.iter().filter(|(end, _)| *end != start) {
                    let reached = if sure.contains(end) {
                        Truth::Yes
                    } else if perhaps.contains(end) {
                        Truth::Unknown
                    } else {
                        Truth::No
                    };
                    let holds = reached.min(*in_from).min(*in_to);
                    if holds != Truth::No {
                        pairs.insert((start.clone(), end.clone()), holds);
                    }
                }
            }
            pairs
        };
        let (before, after) = (pairs(0), pairs(1));
        let (from, to) = (judge.on(1).code(&forbid.from), judge.on(1).code(&forbid.to));
        // What cannot be read may be a step from its own file, and, on a way through others, from a file that it reaches.
        let mut steps: BTreeSet<String> = files_of(&from).into_keys().collect();
        if forbid.through {
            for start in files_of(&from).into_keys() {
                steps.extend(self.files_reached(1, kind_of(forbid.edge), &start, true, false));
            }
            let files = &self.world.sides[1].files;
            if steps.iter().any(|path| files[path].opaque) {
                steps.extend(files.keys().map(ToString::to_string));
            }
        }
        let hidden = judge
            .opaque_now()
            .filter(|key| steps.contains(&*key.path) && to.possible.iter().any(|end| end.path != key.path));
        let evidence = |start: &str| parts_in(&from, start);
        let verdict = self.new_pairs(&before, &after, evidence, hidden.collect());
        self.forbidden(name, verdict, &forbid.upholds, forbid.owner.as_ref().map(|owner| owner.text.as_str()))
    }

    fn layers(&self, book: usize, name: &str, layers: &Layers) -> Result {
        let judge = self.judge(book);
        let floors = |side: usize| -> Vec<Members> {
            let sets = judge.on(side);
            layers.floors.iter().map(|floor| sets.code(floor)).collect()
        };
        // From `upper` to `lower`: down one floor is allowed, and further down where not closed.
        let allowed =
            |upper: usize, lower: usize| upper == lower || (upper < lower && (!layers.closed || lower == upper + 1));
        let pairs = |side: usize| {
            let floors: Vec<BTreeMap<String, Truth>> = floors(side).iter().map(files_of).collect();
            let mut pairs: BTreeMap<(String, String), Truth> = BTreeMap::new();
            for edge in self.world.sides[side].edges.iter().filter(|edge| edge.kind == EdgeKind::Imports) {
                let (start, end) = (edge.from.path.to_string(), edge.to.path.to_string());
                if start == end {
                    continue;
                }
                let sure = if edge.certain { Truth::Yes } else { Truth::Unknown };
                for (upper, above) in floors.iter().enumerate() {
                    for (lower, below) in floors.iter().enumerate() {
                        let (Some(from), Some(to)) = (above.get(&start), below.get(&end)) else { continue };
                        if !allowed(upper, lower) {
                            let slot = pairs.entry((start.clone(), end.clone())).or_insert(Truth::No);
                            *slot = (*slot).max((*from).min(*to).min(sure));
                        }
                    }
                }
            }
            pairs
        };
        let (before, after) = (pairs(0), pairs(1));
        let floors = floors(1);
        // What cannot be read of a file may be any import, so also one that is not allowed, if there is a file to import.
        let hidden = judge.opaque_now().filter(|key| {
            (0..floors.len()).any(|upper| {
                let is_on = floors[upper].possible.iter().any(|part| part.path == key.path);
                is_on
                    && (0..floors.len()).any(|lower| {
                        !allowed(upper, lower) && floors[lower].possible.iter().any(|end| end.path != key.path)
                    })
            })
        });
        let evidence = |start: &str| floors.iter().flat_map(|floor| parts_in(floor, start)).collect();
        let verdict = self.new_pairs(&before, &after, evidence, hidden.collect());
        self.forbidden(name, verdict, &layers.upholds, layers.owner.as_ref().map(|owner| owner.text.as_str()))
    }

    /// The pairs of the after side that did not stand before, renames followed.
    fn new_pairs(
        &self,
        before: &BTreeMap<(String, String), Truth>,
        after: &BTreeMap<(String, String), Truth>,
        evidence: impl Fn(&str) -> Vec<PartKey>,
        hidden: Vec<&PartKey>,
    ) -> Verdict {
        let moved = self.world.moved_files();
        let now = |path: &String| moved.get(path).unwrap_or(path).clone();
        let stood: BTreeMap<(String, String), Truth> =
            before.iter().map(|((start, end), holds)| ((now(start), now(end)), *holds)).collect();
        let mut verdict = Verdict::from(Truth::No);
        for (pair, holds) in after {
            let new = newly(stood.get(pair).copied().unwrap_or(Truth::No), *holds);
            if new == Truth::No {
                continue;
            }
            verdict.truth = verdict.truth.max(new);
            verdict.seen.extend(evidence(&pair.0).into_iter().map(|key| Seen::Member { side: 1, key }));
        }
        for key in hidden {
            verdict.truth = verdict.truth.max(Truth::Unknown);
            verdict.seen.push(Seen::Unread { key: key.clone(), edges: true });
        }
        verdict
    }

    fn forbidden(&self, name: &str, verdict: Verdict, upholds: &[grace_dsl::ast::Name], owner: Option<&str>) -> Result {
        if verdict.truth == Truth::No {
            return Result::absent(Outcome::DoesNotApply);
        }
        let mut asks = Asks { principles: upholds.iter().map(|name| name.text.clone()).collect(), ..Asks::default() };
        if verdict.truth == Truth::Yes {
            asks.denies = true;
        } else {
            asks.holds = one_of_owner(owner);
        }
        self.waive(name, &verdict, asks)
    }

    /// The files that a file reaches: an edge anywhere in a file counts for the file.
    fn files_reached(
        &self,
        side: usize,
        kind: EdgeKind,
        start: &str,
        through: bool,
        certain: bool,
    ) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut border = BTreeSet::from([start.to_owned()]);
        while !border.is_empty() {
            let mut next = BTreeSet::new();
            for edge in &self.world.sides[side].edges {
                if edge.kind == kind
                    && (edge.certain || !certain)
                    && border.contains(&*edge.from.path)
                    && !reached.contains(&*edge.to.path)
                {
                    next.insert(edge.to.path.to_string());
                }
            }
            reached.extend(next.iter().cloned());
            border = if through { next } else { BTreeSet::new() };
        }
        reached
    }

    /// An approval with its owners named. A requirement never vanishes: where there is no file, or not every file is
    /// known, or nobody owns one, it is of whom `else` names, or of anyone.
    fn approval(&self, book: usize, approval: &Approval, verdict: &Verdict) -> Approvals {
        let named = |approver: &Approver| -> BTreeSet<String> {
            let Approver::OwnerOfEachFile(set) = approver else { return BTreeSet::from([simple(approver)]) };
            let otherwise = approval.otherwise.as_ref().map_or_else(|| "anyone".to_owned(), simple);
            let (files, are_all) = self.files_seen(book, set, verdict);
            let nobody = (files.is_empty() || !are_all).then(|| otherwise.clone());
            let each = files.into_iter().map(|path| {
                if self.world.owners.owners_of(&path).is_empty() {
                    otherwise.clone()
                } else {
                    format!("an owner of {path}")
                }
            });
            each.chain(nobody).collect()
        };
        let mut among: BTreeMap<String, u32> = BTreeMap::new();
        for (count, approver) in &approval.among {
            for name in named(approver) {
                let slot = among.entry(name).or_insert(0);
                *slot = (*slot).max(*count);
            }
        }
        let among: Vec<(String, u32)> = among.into_iter().collect();
        named(&approval.by).into_iter().map(|by| ((by, among.clone(), approval.extra), approval.count)).collect()
    }

    /// The files of those parts of a set that are in the evidence, and whether these are all that there can be.
    fn files_seen(&self, book: usize, set: &SetExpr, verdict: &Verdict) -> (BTreeSet<String>, bool) {
        let judge = self.judge(book);
        let members = [judge.on(0).code(set), judge.on(1).code(set)];
        let mut files = BTreeSet::new();
        let mut are_all = true;
        for seen in verdict.evidence(true) {
            let keys: Vec<(usize, &PartKey)> = match seen {
                Seen::Part { before, after } => {
                    before.iter().map(|key| (0, key)).chain(after.iter().map(|key| (1, key))).collect()
                }
                Seen::Edge { from, to } => vec![(1, from), (1, to)],
                Seen::Member { side, key } => vec![(*side, key)],
                Seen::Unread { key, edges } => {
                    are_all &= !edges;
                    vec![(0, key), (1, key)]
                }
                Seen::UnreadFile(path) => {
                    let parts = members.iter().flat_map(|side| &side.possible);
                    files.extend(parts.filter(|key| *key.path == **path).map(|key| key.path.to_string()));
                    Vec::new()
                }
                Seen::Model { users, .. } => users.iter().map(|(side, key)| (*side, key)).collect(),
                Seen::Else => Vec::new(),
            };
            let inside = keys.into_iter().filter(|(side, key)| members[*side].holds(key) != Truth::No);
            files.extend(inside.map(|(_, key)| key.path.to_string()));
        }
        (files, are_all)
    }

    /// `V of model("m")` for each model of its `of` that the change touches.
    fn validations(&self, book: usize, name: &str) -> BTreeSet<String> {
        let judge = self.judge(book);
        let Some(of) = self.books[book].validation(name) else { return BTreeSet::new() };
        let models: BTreeSet<String> = (0..2).flat_map(|side| judge.on(side).names(of).into_keys()).collect();
        let touched = |model: &String| {
            let bound = [judge.on(0).bound(model), judge.on(1).bound(model)];
            let by_part = judge.meant().any(|pc| {
                [&pc.before, &pc.after]
                    .into_iter()
                    .enumerate()
                    .any(|(side, key)| key.as_ref().is_some_and(|key| bound[side].possible.contains(key)))
            });
            by_part || self.fingerprint_changed(model)
        };
        models.into_iter().filter(touched).map(|model| format!("{name} of model(\"{model}\")")).collect()
    }

    fn fingerprint_changed(&self, model: &str) -> bool {
        let input = &self.world.input;
        input.change.files.iter().any(|file| {
            [&file.before, &file.after].into_iter().flatten().any(|side| {
                let held = input.past.model_files.get(&*side.path);
                held.is_some_and(|models| models.iter().any(|one| one == model))
            })
        })
    }

    /// The tests of a bundle on the after side, by either book.
    fn bundle_tests(&self, name: &str) -> BTreeSet<PartKey> {
        let mut tests = BTreeSet::new();
        for book in 0..2 {
            let sets = self.judge(book).on(1);
            for (_, bundle) in self.books[book].bundles().filter(|(own, _)| *own == name) {
                tests.extend(sets.code(&bundle.tests).possible);
            }
        }
        // What is run by file is selected by file: none of it is a test of its own.
        let is_python = |key: &PartKey| Language::of_path(&key.path) == Some(Language::Python);
        tests.retain(|key| is_python(key) && self.world.sides[1].parts.get(key).is_some_and(|part| part.is_test));
        tests
    }

    /// What the record of a bundle says, where there is one that counts.
    fn told_of(&self, name: &str) -> Option<Told> {
        let forms = self.books.iter().filter_map(|book| book.bundles().find(|(own, _)| *own == name));
        let forms: Vec<&Bundle> = forms.map(|(_, bundle)| bundle).collect();
        self.world.told(name, &forms, test_id)
    }

    /// Of a narrowed bundle's tests those that run: by its record, where it has one that counts, else by reading.
    fn impacted(
        &self,
        name: &str,
        tests: &BTreeSet<PartKey>,
        reached: &BTreeSet<PartKey>,
        told: Option<&Told>,
    ) -> BTreeSet<PartKey> {
        let failed = self.world.input.past.failed.get(name);
        let has_failed = |test: &PartKey| failed.is_some_and(|failed| failed.contains_key(&test_id(test)));
        let Some(told) = told else {
            return tests.iter().filter(|test| reached.contains(*test) || has_failed(test)).cloned().collect();
        };
        let changed = self.world.noticed.iter().filter_map(|pc| pc.after.as_ref());
        let changed: BTreeSet<&PartKey> = changed.collect();
        let runs = |test: &&PartKey| {
            let id = test_id(test);
            let by = if told.usable.contains(&id) { &told.read } else { reached };
            changed.contains(test) || told.chosen.contains(&id) || by.contains(*test) || has_failed(test)
        };
        tests.iter().filter(runs).cloned().collect()
    }

    /// The tests of the after side that the change reaches; `None` where it may reach any.
    fn tests_reached(&self) -> Option<BTreeSet<PartKey>> {
        for pc in &self.world.noticed {
            if pc.kinds.contains(Kinds::UNKNOWN) || self.world.sides[1].is_hardly_seen {
                return None;
            }
            let (side, key) = match (&pc.before, &pc.after) {
                (_, Some(key)) => (1, key),
                (Some(key), None) => (0, key),
                (None, None) => continue,
            };
            let facts = &self.world.sides[side];
            let governs_all = grace_graph::test_names::governs_tests(&key.path);
            // Its folder, and those around it that are around data in its folder.
            let is_read = facts.dependents.iter().any(|(folder, usage, _)| {
                let rest =
                    if folder.is_empty() { Some(&*key.path) } else { key.path.strip_prefix(&format!("{folder}/")) };
                let beside = rest.is_some_and(|rest| {
                    let steps: Vec<&str> = rest.split('/').collect();
                    (1..steps.len()).all(|some| {
                        let inner = format!("{folder}/{}", steps[..some].join("/"));
                        lies_among_data(inner.trim_start_matches('/'))
                    })
                });
                let counts = !(folder.is_empty() && grace_graph::test_names::is_script(&key.path));
                *usage == FolderUse::Reads && beside && counts
            });
            let is_unnamed = key.kind == PartKind::File
                && !self.world.is_documentation(&key.path)
                && !grace_graph::test_names::governs_changes(&key.path)
                && !facts.edges.iter().any(|edge| edge.to == *key);
            let file = facts.files.get(&*key.path);
            let is_loose = key.kind != PartKind::File
                && (lies_among_data(&key.path) || lies_among_tests(&key.path))
                && file.is_some_and(|file| !file.is_test && file.may_be_data);
            if governs_all || (is_unnamed || is_loose) && !is_read {
                return None;
            }
        }
        let renamed = self.world.changes.iter().filter(|pc| pc.kinds.contains(Kinds::RENAMED));
        let now: BTreeMap<&PartKey, &PartKey> =
            renamed.filter_map(|pc| Some((pc.before.as_ref()?, pc.after.as_ref()?))).collect();
        let mut reached = self.world.affected(1);
        for key in self.world.affected(0) {
            reached.insert(now.get(&key).map_or_else(|| key.clone(), |now| (*now).clone()));
        }
        Some(reached)
    }
}

/// How far a waiver's set covers what made a rule fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    /// Everything that is about parts, and there is some.
    All,
    /// Nothing here is about parts.
    NoParts,
    /// Something stands outside.
    Outside,
}

/// In an `or` every branch that holds or may hold must be covered, since each alone makes the rule fire; in an `and` one
/// is enough where none stands outside. What stands under a `not` is no evidence.
fn cover(covered: &[Members; 2], verdict: &Verdict) -> Cover {
    let inside = |side: usize, key: &PartKey| covered[side].certain.contains(key);
    if verdict.join == Join::Not {
        return Cover::NoParts;
    }
    if verdict.parts.is_empty() {
        let all = verdict.seen.iter().all(|seen| match seen {
            Seen::Part { before, after } => {
                before.as_ref().is_none_or(|key| inside(0, key)) && after.as_ref().is_none_or(|key| inside(1, key))
            }
            Seen::Edge { from, .. } => inside(1, from),
            Seen::Member { side, key } => inside(*side, key),
            Seen::Unread { .. } | Seen::UnreadFile(_) | Seen::Model { .. } | Seen::Else => false,
        });
        return match (all, verdict.seen.is_empty()) {
            (_, true) => Cover::NoParts,
            (true, false) => Cover::All,
            (false, false) => Cover::Outside,
        };
    }
    let holding = verdict.parts.iter().filter(|part| part.truth != Truth::No);
    let parts: Vec<Cover> = holding.map(|part| cover(covered, part)).collect();
    let uncovered = |part: &Cover| *part == Cover::Outside || (verdict.join == Join::Any && *part == Cover::NoParts);
    if parts.iter().any(uncovered) {
        Cover::Outside
    } else if parts.contains(&Cover::All) {
        Cover::All
    } else {
        Cover::NoParts
    }
}

/// The order of the four outcomes, and of what waits.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::DoesNotApply => 0,
        Outcome::AfterRun => 1,
        Outcome::Waived => 2,
        Outcome::Unknown => 3,
        Outcome::Fires => 4,
    }
}

fn add_all(approvals: &mut Approvals, more: Approvals) {
    for (what, count) in more {
        let slot = approvals.entry(what).or_insert(0);
        *slot = (*slot).max(count);
    }
}

fn one_of_owner(owner: Option<&str>) -> Approvals {
    let by = owner.map_or_else(|| "anyone".to_owned(), |owner| format!("team({owner})"));
    Approvals::from([((by, Vec::new(), false), 1)])
}

fn simple(approver: &Approver) -> String {
    match approver {
        Approver::Anyone | Approver::OwnerOfEachFile(_) => "anyone".to_owned(),
        Approver::Team(team) => format!("team({})", team.text),
    }
}

/// Whom an approval is of, how many of them are of whom else, and whether it serves no other.
type Group = (String, Vec<(String, u32)>, bool);

fn written(((by, among, extra), count): (&Group, &u32)) -> String {
    let mut name = format!("{}{count} of {by}", if *extra { "extra " } else { "" });
    for (whom, count) in among {
        name.push_str(&format!(", {count} of them of {whom}"));
    }
    name
}

fn take_away(asks: &mut Asks, waived: &Waived) {
    match waived {
        Waived::Tier(_) => asks.tier = None,
        Waived::Approval(_, None) => {
            asks.approvals.clear();
            asks.of_teams.clear();
        }
        Waived::Approval(_, Some(team)) => {
            asks.of_teams.remove(&team.text);
        }
        Waived::Bundle(bundle) => asks.bundles.retain(|(name, _)| *name != bundle.text),
        Waived::Validation(validation) => asks.validations.retain(|name| *name != validation.text),
        Waived::Deny(_) => {
            asks.denies = false;
            asks.mends = false;
            asks.holds.clear();
        }
        Waived::Everything(_) => {
            *asks = Asks { principles: std::mem::take(&mut asks.principles), ..Asks::default() };
        }
    }
}

/// The files that hold a part of a set, and how surely.
fn files_of(members: &Members) -> BTreeMap<String, Truth> {
    let mut files = BTreeMap::new();
    for key in &members.possible {
        let slot = files.entry(key.path.to_string()).or_insert(Truth::No);
        *slot = (*slot).max(members.holds(key));
    }
    files
}

fn parts_in(members: &Members, path: &str) -> Vec<PartKey> {
    members.possible.iter().filter(|key| &*key.path == path).cloned().collect()
}

fn test_id(key: &PartKey) -> String {
    std::iter::once(&*key.path).chain(key.name.split('.')).collect::<Vec<_>>().join("::")
}
