//! Facts beside the code: models, packages, dates, rates.

use std::collections::BTreeMap;
use std::sync::Arc;

use grace_dsl::ast::{Compare, ItemKind, Quantity, Rate, SetExpr, SetKind};
use grace_fingerprints::Fingerprint;
use grace_graph::code::{PartId, PartKey};

use super::{Conds, SIDES, missing};
use crate::book::{Kind, item, names};
use crate::db::{Db, World, nodes_of, snapshot};
use crate::plan::{Side, Truth};
use crate::sets::{Sets, compare_exact, models, plain};
use crate::verdict::Hit;
use crate::{dates, show, text};

impl Conds<'_> {
    /// Models of a set, on either side, whose fingerprints differ; the test returns what was lost, empty for nothing.
    pub(super) fn models_differ(
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

    pub(super) fn packages(db: &dyn Db, wanted: grace_dsl::ast::PackageMove) -> (Truth, Vec<Hit>) {
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

    pub(super) fn during(&self, window: &str) -> (Truth, Vec<Hit>) {
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

    pub(super) fn rate(
        &self,
        rate: Rate,
        bundle: &str,
        runs: &Quantity,
        compare: Compare,
        value: &Quantity,
    ) -> (Truth, Vec<Hit>) {
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
}

/// The set in `models used by S`.
pub(crate) fn used_by(set: &SetExpr) -> Option<Arc<SetExpr>> {
    match &set.kind {
        SetKind::ModelsUsedBy(inner) => Some(Arc::new((**inner).clone())),
        _ => None,
    }
}
