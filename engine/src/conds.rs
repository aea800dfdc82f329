//! Conditions: each atom is yes, no or unknown, its two sides joined inside it; then Kleene `not`, `and`, `or`.

mod edges;
mod facts;
mod pending;
mod texts;
mod touched;

use std::sync::Arc;

use grace_dsl::ast::{Compare, Cond, CondKind, Quantity, SetExpr};
use grace_fingerprints::Fingerprint;
use grace_graph::change::Kinds;
use grace_graph::code::{PartKey, PartKind};
use grace_graph::graph::Nodes;

use crate::book::Compiled;
use crate::db::{Db, Meant, RuleBook, World, meant, nodes_of, part_changes, snapshot};
use crate::input::VerifiedBot;
use crate::plan::{Side, Truth};
use crate::scan::Kept;
use crate::sets::{Sets, compare_exact, is_opaque, models, plain};
use crate::verdict::{Hit, Trace};
use crate::{show, text};

pub(crate) use edges::{EDGE_KINDS, edge_kind, hidden_edges_of};
pub(crate) use facts::used_by;

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
    members: [Arc<Kept>; 2],
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
        BothSides { nodes, members: SIDES.map(|side| self.sets(side).kept(set)) }
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
                before.differences(after).join(", ")
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

    /// Changed parts that stand for what cannot be read of their files after the change.
    pub(crate) fn opaque_changes(&self) -> Vec<PartKey> {
        let nodes = nodes_of(self.db, Side::After);
        meant(self.db)
            .iter()
            .filter_map(|change| change.after.clone())
            .filter(|key| nodes.find(key).is_some_and(|part| is_opaque(nodes, part)))
            .collect()
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

fn missing(fact: String) -> (Truth, Vec<Hit>) {
    (Truth::Unknown, vec![Hit::Missing { fact }])
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
