//! How much the exceptions of a rule book permit, on the after tree: what `except` takes out of a set, and what waivers are for.

use std::collections::BTreeMap;

use grace_dsl::Role;
use grace_dsl::ast::{ItemKind, SetExpr, SetKind};
use grace_dsl::walk;

use crate::book::{compiled, item_ids};
use crate::conds::{Conds, Mode};
use crate::db::Db;
use crate::join::books;
use crate::plan::Side;
use crate::sets::Sets;
use crate::show;

/// The size of every exception of the rules after the change, by its item and what it says: parts of the code, or models. What
/// may be in it counts. A set that stands in an item twice is one exception.
pub(crate) fn exceptions(db: &dyn Db) -> BTreeMap<String, u64> {
    let Some((_, book)) = books(db).into_iter().last() else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for &file in book.files(db) {
        if file.role(db) == Role::Used {
            continue;
        }
        for id in item_ids(db, file).iter() {
            let Some(compiled) = compiled(db, book, file, id.clone()) else { continue };
            if !compiled.problems.is_empty() {
                continue;
            }
            let conds = Conds { db, book, compiled: &compiled, mode: Mode::Raise };
            let sets = conds.sets(Side::After);
            if let ItemKind::Waiver(waiver) = &compiled.item.kind {
                found.insert(format!("waiver {}", id.name), size(&sets, &waiver.set, None));
            }
            // What tests of rules edit permits nothing.
            if matches!(compiled.item.kind, ItemKind::Test(_)) {
                continue;
            }
            walk::sets_of_item(&compiled.item.kind, &mut |set| {
                walk::sets(set, &mut |set| {
                    if let SetKind::Except(of, out) = &set.kind {
                        found.insert(format!("{}: {}", id.name, show::set(set)), size(&sets, of, Some(out)));
                    }
                });
            });
        }
    }
    found
}

/// How many parts and models are in a set, and in the other as well, where there is one.
fn size(sets: &Sets<'_>, set: &SetExpr, other: Option<&SetExpr>) -> u64 {
    let (mut parts, mut models) = (sets.eval(set).possible.clone(), sets.models(set));
    if let Some(other) = other {
        parts.intersect_with(&sets.eval(other).possible);
        let others = sets.models(other);
        models.retain(|model, _| others.contains_key(model));
    }
    (parts.count_ones(..) + models.len()) as u64
}
