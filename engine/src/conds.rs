//! Conditions: each atom is yes, no or unknown, its two sides joined inside it; then Kleene `not`, `and`, `or`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::{
    Compare, Cond, CondKind, EdgeWord, FailedBundle, ItemKind, NodeId, Quantity, Rate, SafeKind, SetExpr, SetKind,
};
use grace_fingerprints::{FIELDS, Fingerprint};
use grace_graph::change::Kinds;
use grace_graph::code::{Edge, EdgeKind, PartId, PartKey, PartKind};
use grace_graph::graph::{CodeGraph, FileNode, Nodes};

use crate::book::{Compiled, Kind, item, names};
use crate::dates;
use crate::db::{Db, Meant, RuleBook, World, graph_of, meant, nodes_of, part_changes, snapshot};
use crate::impact;
use crate::input::VerifiedBot;
use crate::plan::{FailedOf, Pending, Side, Truth};
use crate::sets::{Members, Sets, compare_exact, is_named_as_test, is_opaque, models, plain, stood_before};
use crate::show;
use crate::text;
use crate::verdict::{EdgeHit, Hit, Trace};

/// What a condition is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// To raise: either side is enough.
    Raise,
    /// To lower: it must be known and hold on both sides.
    Lower,
    /// A state: this side only.
    State(Side),
}

/// Evaluates the conditions of one item.
pub(crate) struct Conds<'a> {
    pub(crate) db: &'a dyn Db,
    pub(crate) book: RuleBook,
    pub(crate) compiled: &'a Compiled,
    pub(crate) mode: Mode,
}

const SIDES: [Side; 2] = [Side::Before, Side::After];

/// A set on both sides, with the parts that its bits stand for.
pub(crate) struct BothSides {
    nodes: [Arc<Nodes>; 2],
    members: [Arc<Members>; 2],
}

impl BothSides {
    /// Whether a side has this part.
    pub(crate) fn knows(&self, side: Side, key: &PartKey) -> bool {
        self.nodes[usize::from(side == Side::After)].find(key).is_some()
    }

    /// Whether a key is a member on a side; a part that the graph does not know could be one.
    pub(crate) fn holds(&self, side: Side, key: &PartKey) -> Truth {
        let index = usize::from(side == Side::After);
        match self.nodes[index].find(key) {
            Some(part) => self.members[index].holds(part),
            None => Truth::Unknown,
        }
    }

    /// Whether a file of either side has, or may have, a member.
    pub(crate) fn may_reach_into(&self, path: &str) -> bool {
        self.nodes.iter().zip(&self.members).any(|(nodes, members)| {
            let parts = nodes.file_by_path(path).into_iter().flat_map(|file| nodes.parts_of(file));
            parts.into_iter().any(|part| members.holds(part) != Truth::No)
        })
    }
}

/// A test file by its name, or one that held tests before the change.
fn is_settled_test(db: &dyn Db, side: Side, file: &FileNode) -> bool {
    is_named_as_test(&file.path)
        || file.is_test && (side == Side::Before || stood_before(db, &file.path, |old| old.is_test))
}

fn max_kinds(kinds: Kinds, wanted: Kinds) -> Truth {
    if kinds.intersects(wanted) {
        Truth::Yes
    } else if kinds.contains(Kinds::UNKNOWN) {
        Truth::Unknown
    } else {
        Truth::No
    }
}

impl Conds<'_> {
    /// The condition with everything that was seen.
    pub(crate) fn eval(&self, cond: &Cond) -> Trace {
        self.eval_under(cond, false)
    }

    /// Under an odd number of `not` what raises is that the atom does *not* hold, so doubt goes the other way.
    fn eval_under(&self, cond: &Cond, negated: bool) -> Trace {
        match &cond.kind {
            CondKind::And(conds) | CondKind::Or(conds) => {
                let children: Vec<Trace> = conds.iter().map(|cond| self.eval_under(cond, negated)).collect();
                let truths = children.iter().map(|child| child.truth);
                let truth = match cond.kind {
                    CondKind::And(_) => truths.min().unwrap_or(Truth::Yes),
                    _ => truths.max().unwrap_or(Truth::No),
                };
                Trace {
                    node: cond.node,
                    negates: false,
                    any: matches!(cond.kind, CondKind::Or(_)),
                    truth,
                    hits: Vec::new(),
                    children,
                }
            }
            CondKind::Not(inner) => {
                let child = self.eval_under(inner, !negated);
                let truth = not(child.truth);
                Trace { node: cond.node, negates: true, any: false, truth, hits: Vec::new(), children: vec![child] }
            }
            _ => {
                let (truth, hits) = self.atom(cond, negated);
                Trace::leaf(cond.node, truth, hits)
            }
        }
    }

    pub(crate) fn sets(&self, side: Side) -> Sets<'_> {
        Sets { db: self.db, book: self.book, side: snapshot(self.db, side), compiled: self.compiled }
    }

    /// A set of code on both sides.
    pub(crate) fn both(&self, set: &SetExpr) -> BothSides {
        let nodes = SIDES.map(|side| Arc::clone(nodes_of(self.db, side)));
        BothSides { nodes, members: SIDES.map(|side| self.sets(side).eval(set)) }
    }

    fn atom(&self, cond: &Cond, negated: bool) -> (Truth, Vec<Hit>) {
        // To lower, a change counts only where it holds on every side that it has.
        let strict = self.mode == Mode::Lower && !negated;
        match &cond.kind {
            CondKind::And(_) | CondKind::Or(_) | CondKind::Not(_) => (Truth::Unknown, Vec::new()),
            // What the change says of itself, or leaves unsaid, lowers nothing, under `not` either.
            CondKind::Operation(_) | CondKind::Ticket(_) | CondKind::Branch(_) if self.mode == Mode::Lower => {
                missing("what the change says of itself, which lowers nothing".to_owned())
            }
            CondKind::Touches(set) => self.changed(strict, set, &meant(self.db), |_| Truth::Yes),
            CondKind::AnyEdit(set) => self.changed(strict, set, &self.every_edit(), |_| Truth::Yes),
            CondKind::Adds(set) => self.moved(set, Side::After, Kinds::ADDED),
            CondKind::Removes(set) => self.moved(set, Side::Before, Kinds::REMOVED),
            CondKind::Renames(set) => {
                self.changed(strict, set, &meant(self.db), |change| max_kinds(change.kinds, Kinds::RENAMED))
            }
            CondKind::SignaturesChange(set) => {
                let nodes = SIDES.map(|side| nodes_of(self.db, side));
                self.changed(strict, set, &meant(self.db), |change| {
                    let keys = [change.before.as_ref(), change.after.as_ref()];
                    let has_signature = keys
                        .iter()
                        .flatten()
                        .any(|key| matches!(key.kind, PartKind::Function | PartKind::Method | PartKind::Class));
                    // What cannot be read at all may hold any signature.
                    let opaque = nodes.into_iter().zip(keys).any(|(nodes, key)| {
                        key.and_then(|key| nodes.find(key)).is_some_and(|part| is_opaque(nodes, part))
                    });
                    if has_signature {
                        max_kinds(change.kinds, Kinds::SIGNATURE | Kinds::REMOVED | Kinds::RENAMED)
                    } else if opaque {
                        Truth::Unknown
                    } else {
                        Truth::No
                    }
                })
            }
            CondKind::OnlyTouches(set) => self.only_touches(set),
            CondKind::OnlyIn(kinds) => self.only_in(kinds),
            CondKind::NewEdges { kinds, from, to } => self.new_edges(kinds, from, to),
            CondKind::TestsRemoved => {
                let losses = text::test_losses(self.db);
                Self::losses(&losses.removed, &losses.unreadable)
            }
            CondKind::TestsWeakened => {
                let losses = text::test_losses(self.db);
                Self::losses(&losses.weakened, &losses.unreadable)
            }
            CondKind::AddedLinesContain { set, literals } => self.added_lines(set, literals),
            CondKind::DocumentationRemoved(set) => self.documentation_removed(set),
            CondKind::FlagsRemoved(set) => self.models_differ(set, "compliance_flags", |before, after| {
                let flags =
                    |model: Option<&Fingerprint>| model.map(|model| model.compliance_flags.clone()).unwrap_or_default();
                let (before, after) = (flags(before), flags(after));
                before.into_iter().filter(|flag| !after.contains(flag)).collect::<Vec<_>>().join(", ")
            }),
            // What is declared of a model is its contract with those who call it.
            CondKind::ContractsChange(set) => self.models_differ(set, "contract", |before, after| {
                let Some(before) = before else { return String::new() };
                let Some(after) = after else { return "gone".to_owned() };
                let changed = FIELDS.iter().filter(|field| before.field(field) != after.field(field));
                changed.copied().collect::<Vec<_>>().join(", ")
            }),
            CondKind::LinesChanged(set, compare, limit) => {
                let (low, high) = self.lines_changed(set);
                let what = format!("lines changed in {}", show::set(set));
                self.counted(number(what, low, high, *compare, limit), set)
            }
            CondKind::FilesChanged(set, compare, limit) => {
                let (low, high) = self.files_changed(set);
                let what = format!("files changed in {}", show::set(set));
                self.counted(number(what, low, high, *compare, limit), set)
            }
            CondKind::AnyOf(set, test) => self.join_sides(negated, |side| {
                let sets = self.sets(side);
                let known = models(self.db, self.book, snapshot(self.db, side));
                let mut truth = Truth::No;
                let mut hits = Vec::new();
                for (name, certain) in sets.models(set) {
                    let model = known.get(&name).cloned().flatten();
                    let (holds, value) = sets.field(&name, model.as_deref(), test);
                    let holds = if certain { holds } else { holds.min(Truth::Unknown) };
                    if holds == Truth::No {
                        continue;
                    }
                    truth = truth.max(holds);
                    let users = self.parts_using(&sets, set, &name);
                    hits.push(Hit::Model {
                        model: name,
                        field: test.field.text.clone(),
                        value,
                        users,
                        used_by: used_by(set),
                        side,
                        certain: holds == Truth::Yes,
                    });
                }
                (truth, hits)
            }),
            CondKind::PackageChange(wanted) => Self::packages(self.db, *wanted),
            CondKind::Operation(names) => {
                let declared = World::get(self.db).declared(self.db);
                match &declared.operation {
                    Some(operation) if names.iter().any(|name| name.text == *operation) => {
                        self.own_word(negated, "operation", operation)
                    }
                    _ => (Truth::No, Vec::new()),
                }
            }
            CondKind::VerifiedBot(bot) => {
                let declared = World::get(self.db).declared(self.db);
                match &declared.verified_bot {
                    VerifiedBot::Bot(actor) if *actor == bot.value => {
                        (Truth::Yes, vec![Hit::Declared { what: "verified bot".to_owned(), value: actor.clone() }])
                    }
                    VerifiedBot::Bot(_) | VerifiedBot::Nobody => (Truth::No, Vec::new()),
                    VerifiedBot::NotLookedAt => missing(format!("whether {}", show::cond(cond))),
                }
            }
            CondKind::Ticket(glob) => {
                let declared = World::get(self.db).declared(self.db);
                match &declared.ticket {
                    Some(ticket) if self.compiled.glob(&glob.value, false, ticket) => {
                        self.own_word(negated, "ticket", ticket)
                    }
                    _ => (Truth::No, Vec::new()),
                }
            }
            CondKind::Branch(glob) => {
                let declared = World::get(self.db).declared(self.db);
                match &declared.branch {
                    Some(branch) if self.compiled.glob(&glob.value, false, branch) => {
                        self.own_word(negated, "branch", branch)
                    }
                    Some(_) => (Truth::No, Vec::new()),
                    None => missing("the branch".to_owned()),
                }
            }
            CondKind::RationaleMissing => {
                let declared = World::get(self.db).declared(self.db);
                let absent = declared.rationale.as_ref().is_none_or(|rationale| rationale.trim().is_empty());
                self.absence(absent, "rationale".to_owned())
            }
            CondKind::StoryLacks(field) => {
                let declared = World::get(self.db).declared(self.db);
                let absent = declared.story.get(&field.text).is_none_or(|value| value.trim().is_empty());
                self.absence(absent, format!("story {}", field.text))
            }
            CondKind::Count(set, compare, limit) => self.join_sides(negated, |side| {
                let members = self.sets(side).eval(set);
                let low = i64::try_from(members.certain.count_ones(..)).unwrap_or(i64::MAX);
                let high = i64::try_from(members.possible.count_ones(..)).unwrap_or(i64::MAX);
                number(format!("count({})", show::set(set)), low, high, *compare, limit)
            }),
            CondKind::IsEmpty(set) => self.join_sides(negated, |side| {
                let members = self.sets(side).eval(set);
                if members.certain.count_ones(..) > 0 {
                    (Truth::No, Vec::new())
                } else if members.possible.count_ones(..) > 0 {
                    missing(format!("whether {} is empty", show::set(set)))
                } else {
                    (
                        Truth::Yes,
                        vec![Hit::Number {
                            what: format!("count({})", show::set(set)),
                            low: 0,
                            high: 0,
                            test: "is empty".to_owned(),
                        }],
                    )
                }
            }),
            CondKind::During(window) => self.during(&window.text),
            CondKind::BundleRate { rate, bundle, runs, compare, value } => match bundle {
                Some(bundle) => self.rate(*rate, &bundle.text, runs, *compare, value),
                None => missing("the runs of the required bundles".to_owned()),
            },
            CondKind::BundleFailed(_) => missing("the outcome of the run".to_owned()),
            CondKind::Kpi(test) => {
                let past = World::get(self.db).past(self.db);
                match past.kpis.get(&show::kpi_key(test)).or_else(|| past.kpis.get(&test.kpi.text)) {
                    Some(&value) => {
                        let holds = compare_exact(test.compare, value, plain(&test.value));
                        let hit = Hit::Number {
                            what: show::kpi(test),
                            low: value,
                            high: value,
                            test: show::comparison(test.compare, &test.value),
                        };
                        (if holds { Truth::Yes } else { Truth::No }, vec![hit])
                    }
                    None => missing(show::kpi(test)),
                }
            }
            CondKind::TrustBelowMinimum => missing("the trust score of the run".to_owned()),
            CondKind::NoTestReaches => self.no_test_reaches(),
        }
    }

    /// Every changed part, also where only its text changed.
    fn every_edit(&self) -> Vec<Meant> {
        part_changes(self.db)
            .iter()
            .map(|change| Meant { before: change.before.clone(), after: change.after.clone(), kinds: change.kinds })
            .collect()
    }

    /// A count of the change, with the parts that were counted.
    fn counted(&self, (truth, mut hits): (Truth, Vec<Hit>), set: &SetExpr) -> (Truth, Vec<Hit>) {
        if truth != Truth::No {
            hits.extend(self.changed(false, set, &self.every_edit(), |_| Truth::Yes).1);
        }
        (truth, hits)
    }

    /// What the change does not say of itself. Giving it fills a duty; neither giving nor leaving it out lowers.
    fn absence(&self, absent: bool, what: String) -> (Truth, Vec<Hit>) {
        let hits = vec![Hit::Declared { what, value: String::new() }];
        match (self.mode, absent) {
            (Mode::Lower, _) => (Truth::Unknown, hits),
            (_, true) => (Truth::Yes, hits),
            (_, false) => (Truth::No, Vec::new()),
        }
    }

    /// What the change says of itself: it can raise, never lower, so under `not` it is in doubt.
    fn own_word(&self, negated: bool, what: &str, value: &str) -> (Truth, Vec<Hit>) {
        let truth = if negated { Truth::Unknown } else { Truth::Yes };
        (truth, vec![Hit::Declared { what: what.to_owned(), value: value.to_owned() }])
    }

    /// Joins a state that is read on each side.
    fn join_sides(&self, negated: bool, read: impl Fn(Side) -> (Truth, Vec<Hit>)) -> (Truth, Vec<Hit>) {
        match self.mode {
            Mode::State(side) => read(side),
            Mode::Raise => {
                let (before, after) = (read(Side::Before), read(Side::After));
                let before_raises = if negated { before.0 < after.0 } else { before.0 > after.0 };
                if before_raises { before } else { after }
            }
            Mode::Lower => {
                let (before, after) = (read(Side::Before), read(Side::After));
                if before.0 == after.0 { after } else { (Truth::Unknown, after.1) }
            }
        }
    }

    /// Parts that came into being in a set, or are gone from it: added and removed ones, and those that moved across its
    /// border.
    fn moved(&self, set: &SetExpr, here: Side, outright: Kinds) -> (Truth, Vec<Hit>) {
        let changes = meant(self.db);
        if changes.is_empty() {
            return (Truth::No, Vec::new());
        }
        let shared = Arc::new(set.clone());
        let both = self.both(set);
        let mut truth = Truth::No;
        let mut hits = Vec::new();
        for change in changes.iter() {
            let (key, other) = match here {
                Side::Before => (&change.before, &change.after),
                Side::After => (&change.after, &change.before),
            };
            let Some(key) = key else { continue };
            let there = if here == Side::Before { Side::After } else { Side::Before };
            let kind = match other {
                Some(other) if change.kinds.contains(Kinds::RENAMED) => not(both.holds(there, other)),
                _ => max_kinds(change.kinds, outright),
            };
            let holds = both.holds(here, key).min(kind);
            if holds != Truth::No {
                truth = truth.max(holds);
                hits.push(Hit::Changed {
                    before: change.before.clone(),
                    after: change.after.clone(),
                    kinds: change.kinds,
                    side: here,
                    set: shared.clone(),
                    certain: holds == Truth::Yes,
                });
            }
        }
        (truth, hits)
    }

    /// Changed parts in a set that meet a test: on either side, or with `strict` on every side that they have.
    fn changed(
        &self,
        strict: bool,
        set: &SetExpr,
        changes: &[Meant],
        test: impl Fn(&Meant) -> Truth,
    ) -> (Truth, Vec<Hit>) {
        if changes.is_empty() {
            return (Truth::No, Vec::new());
        }
        let shared = Arc::new(set.clone());
        let both = self.both(set);
        let mut truth = Truth::No;
        let mut hits = Vec::new();
        for change in changes {
            let kind = test(change);
            if kind == Truth::No {
                continue;
            }
            // The after side is shown where both hold: its lines are the ones that the reader sees.
            let seen = SIDES.into_iter().filter_map(|side| {
                let key = match side {
                    Side::Before => change.before.as_ref(),
                    Side::After => change.after.as_ref(),
                }?;
                Some((both.holds(side, key).min(kind), side))
            });
            let best = if strict { seen.min() } else { seen.max() };
            if let Some((holds, side)) = best
                && holds != Truth::No
            {
                truth = truth.max(holds);
                hits.push(Hit::Changed {
                    before: change.before.clone(),
                    after: change.after.clone(),
                    kinds: change.kinds,
                    side,
                    set: shared.clone(),
                    certain: holds == Truth::Yes,
                });
            }
        }
        (truth, hits)
    }

    fn only_touches(&self, set: &SetExpr) -> (Truth, Vec<Hit>) {
        let changes = meant(self.db);
        if changes.is_empty() {
            return (Truth::No, Vec::new());
        }
        let shared = Arc::new(set.clone());
        let both = self.both(set);
        let mut truth = Truth::Yes;
        let mut hits = Vec::new();
        for change in changes.iter() {
            let mut holds = Truth::Yes;
            let mut at = Side::After;
            for (side, key) in [(Side::Before, &change.before), (Side::After, &change.after)] {
                if let Some(key) = key {
                    let seen = both.holds(side, key);
                    if seen < holds {
                        holds = seen;
                        at = side;
                    }
                }
            }
            truth = truth.min(holds);
            hits.push(Hit::Changed {
                before: change.before.clone(),
                after: change.after.clone(),
                kinds: change.kinds,
                side: if change.after.is_none() { Side::Before } else { at },
                set: shared.clone(),
                certain: holds == Truth::Yes,
            });
        }
        (truth, hits)
    }

    fn only_in(&self, kinds: &[SafeKind]) -> (Truth, Vec<Hit>) {
        let proved = text::proved_safe(self.db);
        match proved.as_ref() {
            Some(found) if found.iter().all(|kind| kinds.contains(kind)) => {
                let words: Vec<&str> = found.iter().map(|kind| show::safe_kind(*kind)).collect();
                let what = "proved: change only in".to_owned();
                (Truth::Yes, vec![Hit::Declared { what, value: words.join(", ") }])
            }
            _ => (Truth::No, Vec::new()),
        }
    }

    fn new_edges(&self, words: &[EdgeWord], from: &SetExpr, to: &SetExpr) -> (Truth, Vec<Hit>) {
        let changes = meant(self.db);
        // A tag, and so an end, can only move when something changed.
        if changes.is_empty() && World::get(self.db).book_before(self.db) == World::get(self.db).book_after(self.db) {
            return (Truth::No, Vec::new());
        }
        let (from_set, to_set) = (Arc::new(from.clone()), Arc::new(to.clone()));
        let (from_both, to_both) = (self.both(from), self.both(to));
        let renames: BTreeMap<&PartKey, &PartKey> = changes
            .iter()
            .filter(|change| change.kinds.contains(Kinds::RENAMED))
            .filter_map(|change| Some((change.before.as_ref()?, change.after.as_ref()?)))
            .collect();
        let wanted: Vec<EdgeKind> =
            if words.is_empty() { EDGE_KINDS.to_vec() } else { words.iter().map(|word| edge_kind(*word)).collect() };
        // Edges of both sides that run from A to B, by the keys that their ends have after the change.
        let run = |index: usize| {
            let graph = graph_of(self.db, SIDES[index]);
            let mut certain = BTreeSet::new();
            let mut possible = BTreeMap::new();
            for start in from_both.members[index].possible.ones() {
                let start = grace_graph::code::PartId(u32::try_from(start).unwrap_or(u32::MAX));
                for edge in graph.out_edges(start, &wanted) {
                    let ends = to_both.members[index].holds(edge.to).min(from_both.members[index].holds(edge.from));
                    if ends == Truth::No || edge.from == edge.to {
                        continue;
                    }
                    let (mut from, mut to) = (graph.key(edge.from), graph.key(edge.to));
                    let hit = EdgeHit {
                        from: from.clone(),
                        to: to.clone(),
                        kind: edge.kind,
                        evidence: edge.evidence,
                        site: edge.site,
                    };
                    if index == 0 {
                        from = renames.get(&from).map_or(from, |&key| key.clone());
                        to = renames.get(&to).map_or(to, |&key| key.clone());
                    }
                    let key = (edge.kind, from, to);
                    let sure = ends == Truth::Yes && edge.evidence.is_certain();
                    if sure {
                        certain.insert(key.clone());
                    }
                    possible.entry(key).or_insert(hit);
                }
            }
            (certain, possible)
        };
        let (before_certain, before_possible) = run(0);
        let (after_certain, after_possible) = run(1);
        let came_from: BTreeMap<&PartKey, &PartKey> = renames.iter().map(|(&before, &after)| (after, before)).collect();
        let mut truth = Truth::No;
        let mut hits = Vec::new();
        let hidden = self.hidden_edges(from, to);
        if !hidden.is_empty() {
            truth = Truth::Unknown;
            hits.extend(hidden);
        }
        for (key, hit) in after_possible {
            if before_certain.contains(&key) {
                continue;
            }
            let certain = after_certain.contains(&key) && !before_possible.contains_key(&key);
            if !certain && !after_certain.contains(&key) && before_possible.contains_key(&key) {
                // A guess that stood before as a guess is no news.
                continue;
            }
            truth = truth.max(if certain { Truth::Yes } else { Truth::Unknown });
            hits.push(Hit::NewEdge {
                why: why_new(graph_of(self.db, Side::Before), &came_from, &renames, &hit),
                edge: hit,
                from_set: from_set.clone(),
                to_set: to_set.clone(),
                certain,
            });
        }
        (truth, hits)
    }

    /// Changed files of one set of which something cannot be read after the change: they may hold any edge to the other.
    fn hidden_edges(&self, from: &SetExpr, to: &SetExpr) -> Vec<Hit> {
        let opaque = self.opaque_changes();
        if opaque.is_empty() || self.both(to).members[1].possible.is_clear() {
            return Vec::new();
        }
        let from = self.both(from);
        let hidden = opaque.into_iter().filter(|key| from.holds(Side::After, key) != Truth::No);
        hidden.map(|key| hidden_edges_of(&key)).collect()
    }

    /// Changed parts that stand for what cannot be read of their files after the change.
    pub(crate) fn opaque_changes(&self) -> Vec<PartKey> {
        let nodes = nodes_of(self.db, Side::After);
        meant(self.db)
            .iter()
            .filter_map(|change| change.after.clone())
            .filter(|key| nodes.find(key).is_some_and(|part| is_opaque(nodes, part)))
            .collect()
    }

    fn losses(losses: &[text::TestLoss], unreadable: &[Arc<str>]) -> (Truth, Vec<Hit>) {
        let mut hits: Vec<Hit> = losses
            .iter()
            .map(|loss| Hit::Test {
                part: loss.part.clone(),
                side: if loss.after { Side::After } else { Side::Before },
                how: loss.how.clone(),
                line: loss.line,
            })
            .collect();
        if !losses.is_empty() {
            return (Truth::Yes, hits);
        }
        if unreadable.is_empty() {
            return (Truth::No, hits);
        }
        hits.extend(unreadable.iter().map(|path| Hit::Unread {
            path: path.clone(),
            part: None,
            edges: false,
            fact: format!("the tests of {path}"),
        }));
        (Truth::Unknown, hits)
    }

    fn added_lines(&self, set: &SetExpr, literals: &[grace_dsl::ast::Text]) -> (Truth, Vec<Hit>) {
        let lines = text::added_lines(self.db);
        let both = self.both(set);
        let mut truth = Truth::No;
        let mut hits = Vec::new();
        for line in &lines.lines {
            let Some(literal) = literals.iter().find(|literal| line.text.contains(literal.value.as_str())) else {
                continue;
            };
            let mut holds = both.holds(Side::After, &line.part);
            if !line.certain {
                holds = holds.min(Truth::Unknown);
            }
            if holds != Truth::No {
                truth = truth.max(holds);
                hits.push(Hit::Line {
                    path: line.path.clone(),
                    line: line.line,
                    text: Arc::from(literal.value.as_str()),
                    part: Some(line.part.clone()),
                });
            }
        }
        self.or_unreadable(truth, hits, &lines.unreadable, &both, "the added lines")
    }

    /// Where nothing was found, a part that cannot be compared may hide it.
    fn or_unreadable(
        &self,
        mut truth: Truth,
        mut hits: Vec<Hit>,
        unreadable: &[PartKey],
        both: &BothSides,
        what: &str,
    ) -> (Truth, Vec<Hit>) {
        if truth == Truth::No {
            for part in unreadable {
                // A side that does not have the part says nothing of it, unless the other has it neither.
                let nowhere = !SIDES.iter().any(|&side| both.knows(side, part));
                let may = |side| (nowhere || both.knows(side, part)) && both.holds(side, part) != Truth::No;
                if SIDES.into_iter().any(may) {
                    truth = Truth::Unknown;
                    hits.push(Hit::Unread {
                        path: part.path.clone(),
                        part: Some(part.clone()),
                        edges: false,
                        fact: format!("{what} of {}", part.path),
                    });
                }
            }
        }
        (truth, hits)
    }

    fn documentation_removed(&self, set: &SetExpr) -> (Truth, Vec<Hit>) {
        let both = self.both(set);
        let removed = text::documentation_removed(self.db);
        let mut truth = Truth::No;
        let mut hits = Vec::new();
        for gone in &removed.0 {
            let (side, holds) = SIDES
                .into_iter()
                .map(|side| (side, if both.knows(side, &gone.part) { both.holds(side, &gone.part) } else { Truth::No }))
                .max_by_key(|(_, holds)| *holds)
                .unwrap_or((Side::After, Truth::No));
            if holds != Truth::No {
                truth = truth.max(holds);
                hits.push(Hit::Test {
                    part: gone.part.clone(),
                    side,
                    how: Arc::from(text::documentation_word(gone.what)),
                    line: gone.line,
                });
            }
        }
        self.or_unreadable(truth, hits, &removed.1, &both, "the documentation")
    }

    /// Models of a set, on either side, whose fingerprints differ; the test returns what was lost, empty for nothing.
    fn models_differ(
        &self,
        set: &SetExpr,
        field: &str,
        lost: impl Fn(Option<&Fingerprint>, Option<&Fingerprint>) -> String,
    ) -> (Truth, Vec<Hit>) {
        let before = models(self.db, self.book, snapshot(self.db, Side::Before));
        let after = models(self.db, self.book, snapshot(self.db, Side::After));
        let mut truth = Truth::No;
        let mut hits = Vec::new();
        for (name, certain) in self.models_either_side(set) {
            let (old, new) = (before.get(&name).cloned().flatten(), after.get(&name).cloned().flatten());
            if old.is_none() && new.is_none() {
                truth = truth.max(Truth::Unknown);
                hits.push(Hit::Missing { fact: format!("{field} of model(\"{name}\")") });
                continue;
            }
            let value = lost(old.as_deref(), new.as_deref());
            if !value.is_empty() {
                truth = truth.max(if certain { Truth::Yes } else { Truth::Unknown });
                let (side, users) = self.bound_to(&name);
                hits.push(Hit::Model {
                    model: name,
                    field: field.to_owned(),
                    value,
                    users,
                    used_by: None,
                    side,
                    certain,
                });
            }
        }
        (truth, hits)
    }

    /// The parts that are bound to a model after the change, or before it where there are none any more.
    fn bound_to(&self, model: &str) -> (Side, Vec<PartKey>) {
        let on = |side: Side| {
            let name = crate::sets::SetName::Bound(Arc::from(model));
            let bound = crate::sets::named_set(self.db, self.book, snapshot(self.db, side), name);
            let graph = nodes_of(self.db, side);
            let key = |index| graph.key(PartId(u32::try_from(index).unwrap_or(u32::MAX)));
            bound.possible.ones().map(key).collect::<Vec<_>>()
        };
        let after = on(Side::After);
        if after.is_empty() { (Side::Before, on(Side::Before)) } else { (Side::After, after) }
    }

    fn models_either_side(&self, set: &SetExpr) -> BTreeMap<String, bool> {
        let mut models = BTreeMap::new();
        for side in SIDES {
            for (name, certain) in self.sets(side).models(set) {
                *models.entry(name).or_insert(certain) |= certain;
            }
        }
        models
    }

    /// The parts by which the set in `models used by S` uses a model: those that are bound to it.
    pub(crate) fn parts_using(&self, sets: &Sets<'_>, set: &SetExpr, model: &str) -> Vec<PartKey> {
        let grace_dsl::ast::SetKind::ModelsUsedBy(inner) = &set.kind else { return Vec::new() };
        let start = sets.eval(inner);
        let bound =
            crate::sets::named_set(self.db, self.book, sets.side, crate::sets::SetName::Bound(Arc::from(model)));
        let (kinds, direction) = crate::sets::walk_of(grace_dsl::ast::Walk::Dependencies);
        let mut reached = sets.side.graph(self.db).reach(&start.possible, kinds, direction, None, false);
        reached.intersect_with(&bound.possible);
        reached.ones().map(|index| sets.nodes().key(PartId(u32::try_from(index).unwrap_or(u32::MAX)))).collect()
    }

    fn lines_changed(&self, set: &SetExpr) -> (i64, i64) {
        let both = self.both(set);
        let (mut low, mut high) = (0_i64, 0_i64);
        for change in part_changes(self.db).iter() {
            let hidden = change.kinds.contains(Kinds::UNKNOWN) && change.added.is_empty() && change.removed.is_empty();
            for (side, key, lines) in
                [(Side::Before, &change.before, &change.removed), (Side::After, &change.after, &change.added)]
            {
                let Some(key) = key else { continue };
                let holds = both.holds(side, key);
                let count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
                if holds == Truth::Yes {
                    low = low.saturating_add(count);
                }
                if holds != Truth::No {
                    high = if hidden { i64::MAX } else { high.saturating_add(count) };
                }
            }
        }
        (low, high)
    }

    fn files_changed(&self, set: &SetExpr) -> (i64, i64) {
        let both = self.both(set);
        let mut certain = BTreeSet::new();
        let mut possible = BTreeSet::new();
        for change in part_changes(self.db).iter() {
            let Some(path) = change.after.as_ref().or(change.before.as_ref()).map(|key| key.path.clone()) else {
                continue;
            };
            for (side, key) in [(Side::Before, &change.before), (Side::After, &change.after)] {
                let Some(key) = key else { continue };
                match both.holds(side, key) {
                    Truth::Yes => {
                        certain.insert(path.clone());
                        possible.insert(path.clone());
                    }
                    Truth::Unknown => {
                        possible.insert(path.clone());
                    }
                    Truth::No => {}
                }
            }
        }
        let count = |set: BTreeSet<Arc<str>>| i64::try_from(set.len()).unwrap_or(i64::MAX);
        (count(certain), count(possible))
    }

    fn packages(db: &dyn Db, wanted: grace_dsl::ast::PackageMove) -> (Truth, Vec<Hit>) {
        let mut truth = Truth::No;
        let mut hits = Vec::new();
        for package in text::packages(db).iter() {
            let holds = text::package_is(package, wanted);
            if holds != Truth::No {
                truth = truth.max(holds);
                hits.push(Hit::Package {
                    name: package.name.to_string(),
                    before: package.before.as_ref().map(ToString::to_string),
                    after: package.after.as_ref().map(ToString::to_string),
                    path: package.path.clone(),
                    line: package.line,
                });
            }
        }
        (truth, hits)
    }

    fn during(&self, window: &str) -> (Truth, Vec<Hit>) {
        let names = names(self.db, self.book);
        let Some(at) = names.first(Kind::Window, window) else { return missing(format!("window {window}")) };
        let Some(item) = item(self.db, at.file, at.id.clone()) else { return missing(format!("window {window}")) };
        let ItemKind::Window { from, to, zone } = &item.kind else { return missing(format!("window {window}")) };
        let Some(today) = dates::date_in(World::get(self.db).as_of(self.db), &zone.value) else {
            return missing(format!("the time zone {}", zone.value));
        };
        if (*from..=*to).contains(&today) {
            let hit = Hit::Window { name: window.to_owned(), from: from.to_string(), to: to.to_string() };
            (Truth::Yes, vec![hit])
        } else {
            (Truth::No, Vec::new())
        }
    }

    fn rate(&self, rate: Rate, bundle: &str, runs: &Quantity, compare: Compare, value: &Quantity) -> (Truth, Vec<Hit>) {
        let past = World::get(self.db).past(self.db);
        let last = u32::try_from(runs.thousandths / 1000).unwrap_or(u32::MAX);
        match crate::decide::rate_of(&past, show::rate(rate), bundle, last) {
            Some(seen) => {
                let (left, right) = seen.against(plain(value));
                let holds = compare_exact(compare, left, right);
                let seen = seen.shown();
                let hit = Hit::Number {
                    what: format!("{} of bundle({bundle}) over last {last} runs", show::rate(rate)),
                    low: seen,
                    high: seen,
                    test: show::comparison(compare, value),
                };
                (if holds { Truth::Yes } else { Truth::No }, vec![hit])
            }
            None => missing(format!("{} of bundle({bundle})", show::rate(rate))),
        }
    }

    /// Each changed part of the product is looked at by itself where it stands: after the change, or before where it was
    /// removed. That a test imports its module does not excuse a function that nobody calls.
    fn no_test_reaches(&self) -> (Truth, Vec<Hit>) {
        let mut truth = Truth::No;
        let mut hits = Vec::new();
        for side in SIDES {
            let graph = graph_of(self.db, side);
            let key_here = |change: &Meant| match (side, &change.before, &change.after) {
                (Side::After, _, Some(key)) | (Side::Before, Some(key), None) => Some(key.clone()),
                _ => None,
            };
            let changed: BTreeSet<PartId> =
                meant(self.db).iter().filter_map(key_here).filter_map(|key| graph.find(&key)).collect();
            if changed.is_empty() {
                continue;
            }
            let all = Arc::new(SetExpr { node: NodeId(0), kind: SetKind::All });
            let (certain, possible) =
                (impact::reaching_tests(graph, &changed, true), impact::reaching_tests(graph, &changed, false));
            for part in changed {
                let node = graph.part(part);
                let file = graph.file(node.file);
                // Code that only now holds a test is still code.
                if is_settled_test(self.db, side, file) || file.language.is_none() {
                    continue;
                }
                // A class header runs with its module.
                let runs = if node.kind == PartKind::Class { graph.module_of(part) } else { part };
                let within =
                    |set: &fixedbitset::FixedBitSet| [part, runs].iter().any(|part| set.contains(part.0 as usize));
                let unreached = match () {
                    // What cannot be read may hold what no test reaches.
                    () if is_opaque(graph, part) => Truth::Unknown,
                    () if within(&certain) => Truth::No,
                    () if within(&possible) => Truth::Unknown,
                    () => Truth::Yes,
                };
                if unreached == Truth::No {
                    continue;
                }
                truth = truth.max(unreached);
                hits.push(Hit::Member {
                    part: graph.key(part),
                    side,
                    set: all.clone(),
                    certain: unreached == Truth::Yes,
                });
            }
        }
        (truth, hits)
    }

    /// An `after the run` condition with everything folded in that is known before the run, and what is unknown in the
    /// rest though the run does not tell it.
    pub(crate) fn pending(&self, cond: &Cond) -> (Pending, Vec<Hit>) {
        self.pending_under(cond, false)
    }

    fn pending_under(&self, cond: &Cond, negated: bool) -> (Pending, Vec<Hit>) {
        let waits = |pending| (pending, Vec::new());
        match &cond.kind {
            CondKind::And(conds) => {
                fold(conds.iter().map(|cond| self.pending_under(cond, negated)), Truth::No, Truth::Yes, Pending::And)
            }
            CondKind::Or(conds) => {
                fold(conds.iter().map(|cond| self.pending_under(cond, negated)), Truth::Yes, Truth::No, Pending::Or)
            }
            CondKind::Not(cond) => match self.pending_under(cond, !negated) {
                (Pending::Known(truth), missing) => (Pending::Known(not(truth)), missing),
                (pending, missing) => (Pending::Not(Box::new(pending)), missing),
            },
            CondKind::BundleRate { rate, bundle, runs, compare, value } => waits(Pending::Rate {
                rate: show::rate(*rate).to_owned(),
                bundle: bundle.as_ref().map(|bundle| bundle.text.clone()),
                runs: u32::try_from(runs.thousandths / 1000).unwrap_or(u32::MAX),
                compare: show::compare(*compare).to_owned(),
                value: plain(value),
            }),
            CondKind::BundleFailed(failed) => waits(Pending::Failed(match failed {
                FailedBundle::Required => FailedOf::AnyRequired,
                FailedBundle::Critical => FailedOf::AnyCritical,
                FailedBundle::Named(name) => FailedOf::Bundle(name.text.clone()),
            })),
            CondKind::TrustBelowMinimum => waits(Pending::TrustBelowMinimum),
            _ => {
                let trace = self.eval_under(cond, negated);
                let missing = if trace.truth == Truth::Unknown { trace.hits } else { Vec::new() };
                (Pending::Known(trace.truth), missing)
            }
        }
    }
}

/// Kleene's `not`.
pub(crate) fn not(truth: Truth) -> Truth {
    match truth {
        Truth::Yes => Truth::No,
        Truth::Unknown => Truth::Unknown,
        Truth::No => Truth::Yes,
    }
}

/// Folds known parts of an `and` (absorbing `no`) or an `or` (absorbing `yes`).
fn fold(
    parts: impl Iterator<Item = (Pending, Vec<Hit>)>,
    absorbing: Truth,
    neutral: Truth,
    join: fn(Vec<Pending>) -> Pending,
) -> (Pending, Vec<Hit>) {
    let mut open = Vec::new();
    let mut missing = Vec::new();
    for (part, of_part) in parts {
        if part == Pending::Known(absorbing) {
            return (part, Vec::new());
        }
        if part != Pending::Known(neutral) {
            open.push(part);
            missing.extend(of_part);
        }
    }
    let pending = match open.len() {
        0 => Pending::Known(neutral),
        1 => open.remove(0),
        _ => join(open),
    };
    (pending, missing)
}

pub(crate) const EDGE_KINDS: &[EdgeKind] =
    &[EdgeKind::Imports, EdgeKind::Calls, EdgeKind::Inherits, EdgeKind::References];

pub(crate) fn edge_kind(word: EdgeWord) -> EdgeKind {
    match word {
        EdgeWord::Imports => EdgeKind::Imports,
        EdgeWord::Calls => EdgeKind::Calls,
        EdgeWord::Inherits => EdgeKind::Inherits,
        EdgeWord::References => EdgeKind::References,
    }
}

/// Why an edge is new between two sets: it was not there, an end of it moved, or what stood was only tagged anew.
/// Renames are given from after to before, and from before to after.
fn why_new(
    before: &CodeGraph,
    came_from: &BTreeMap<&PartKey, &PartKey>,
    went_to: &BTreeMap<&PartKey, &PartKey>,
    edge: &EdgeHit,
) -> &'static str {
    let stood = |key: &PartKey| match came_from.get(key) {
        Some(old) => before.find(old),
        // What stands where another part moved away from is not that part.
        None if went_to.contains_key(key) => None,
        None => before.find(key),
    };
    let (Some(from), Some(to)) = (stood(&edge.from), stood(&edge.to)) else { return "new" };
    let is_it = |old: &Edge| old.to == to && (old.evidence.is_certain() || !edge.evidence.is_certain());
    if !before.out_edges(from, &[edge.kind]).any(is_it) {
        "new"
    } else if came_from.contains_key(&edge.from) || came_from.contains_key(&edge.to) {
        "moved"
    } else {
        "retagged"
    }
}

pub(crate) fn hidden_edges_of(key: &PartKey) -> Hit {
    Hit::Unread {
        fact: format!("the edges of {}", key.path),
        path: key.path.clone(),
        part: Some(key.clone()),
        edges: true,
    }
}

fn missing(fact: String) -> (Truth, Vec<Hit>) {
    (Truth::Unknown, vec![Hit::Missing { fact }])
}

/// The set in `models used by S`.
pub(crate) fn used_by(set: &SetExpr) -> Option<Arc<SetExpr>> {
    match &set.kind {
        SetKind::ModelsUsedBy(inner) => Some(Arc::new((**inner).clone())),
        _ => None,
    }
}

/// A number known as an interval against a limit: yes where all of it holds, no where none does.
fn number(what: String, low: i64, high: i64, compare: Compare, limit: &Quantity) -> (Truth, Vec<Hit>) {
    let (low, high) = (low.saturating_mul(1000), high.saturating_mul(1000));
    let limit_value = plain(limit);
    let ends = [compare_exact(compare, low, limit_value), compare_exact(compare, high, limit_value)];
    let truth = match (ends, compare) {
        (_, Compare::Equal) if low == high => {
            if ends[0] {
                Truth::Yes
            } else {
                Truth::No
            }
        }
        (_, Compare::Equal) => {
            if (low..=high).contains(&limit_value) {
                Truth::Unknown
            } else {
                Truth::No
            }
        }
        ([true, true], _) => Truth::Yes,
        ([false, false], _) => Truth::No,
        _ => Truth::Unknown,
    };
    (truth, vec![Hit::Number { what, low, high, test: show::comparison(compare, limit) }])
}
