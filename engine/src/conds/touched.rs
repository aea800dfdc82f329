//! What the change touches: parts of sets, and how many of their lines and files.

use std::collections::BTreeSet;
use std::sync::Arc;

use grace_dsl::ast::{SafeKind, SetExpr};
use grace_graph::change::Kinds;

use super::{Conds, SIDES, max_kinds, not};
use crate::db::{Meant, meant, part_changes};
use crate::plan::{Side, Truth};
use crate::verdict::Hit;
use crate::{show, text};

impl Conds<'_> {
    /// Parts that came into being in a set, or are gone from it: added and removed ones, and those that moved across its
    /// border.
    pub(super) fn moved(&self, set: &SetExpr, here: Side, outright: Kinds) -> (Truth, Vec<Hit>) {
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
    pub(super) fn changed(
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

    /// A count of the change, with the parts that were counted.
    pub(super) fn counted(&self, (truth, mut hits): (Truth, Vec<Hit>), set: &SetExpr) -> (Truth, Vec<Hit>) {
        if truth != Truth::No {
            hits.extend(self.changed(false, set, &self.every_edit(), |_| Truth::Yes).1);
        }
        (truth, hits)
    }

    pub(super) fn only_touches(&self, set: &SetExpr) -> (Truth, Vec<Hit>) {
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

    pub(super) fn only_in(&self, kinds: &[SafeKind]) -> (Truth, Vec<Hit>) {
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

    pub(super) fn lines_changed(&self, set: &SetExpr) -> (i64, i64) {
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

    pub(super) fn files_changed(&self, set: &SetExpr) -> (i64, i64) {
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
}
