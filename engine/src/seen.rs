//! What was seen where a condition does not hold, for who asks why: read only then, and never a reason of a plan.

use grace_dsl::ast::{Cond, CondKind, ItemKind};
use grace_graph::packages::PackageChange;

use crate::book::{Kind, item, names};
use crate::conds::{Conds, used_by};
use crate::dates;
use crate::db::{World, snapshot};
use crate::input::VerifiedBot;
use crate::plan::Side;
use crate::sets::models;
use crate::show;
use crate::text;
use crate::verdict::Hit;

/// Packages and models that are named at most.
const MOST: usize = 3;

impl Conds<'_> {
    /// The value that an unmet condition met instead; empty where its own evidence says it.
    pub(crate) fn seen_instead(&self, cond: &Cond) -> Vec<Hit> {
        let world = World::get(self.db);
        let declared = world.declared(self.db);
        let said = |what: &str, value: Option<&str>| {
            vec![Hit::Declared { what: what.to_owned(), value: value.unwrap_or_default().to_owned() }]
        };
        match &cond.kind {
            CondKind::Operation(_) => said("operation", declared.operation.as_deref()),
            CondKind::VerifiedBot(_) => match &declared.verified_bot {
                VerifiedBot::Bot(name) => said("verified bot", Some(name)),
                VerifiedBot::Nobody => said("verified bot", None),
                VerifiedBot::NotLookedAt => Vec::new(),
            },
            CondKind::Ticket(_) => said("ticket", declared.ticket.as_deref()),
            CondKind::Branch(_) => said("branch", declared.branch.as_deref()),
            CondKind::During(window) => {
                let names = names(self.db, self.book);
                let item = names.first(Kind::Window, &window.text).and_then(|at| item(self.db, at.file, at.id.clone()));
                let Some(ItemKind::Window { from, to, zone }) = item.as_ref().map(|item| &item.kind) else {
                    return Vec::new();
                };
                let date = dates::date_in(world.as_of(self.db), &zone.value).map(|date| date.to_string());
                let mut hits = said("date", date.as_deref());
                hits.push(Hit::Window { name: window.text.clone(), from: from.to_string(), to: to.to_string() });
                hits
            }
            CondKind::PackageChange(_) => {
                let hit = |package: &PackageChange| Hit::Package {
                    name: package.name.to_string(),
                    before: package.before.as_ref().map(ToString::to_string),
                    after: package.after.as_ref().map(ToString::to_string),
                    path: package.path.clone(),
                    line: package.line,
                };
                let hits: Vec<Hit> = text::packages(self.db).iter().take(MOST).map(hit).collect();
                if hits.is_empty() { said("package change", None) } else { hits }
            }
            CondKind::AnyOf(set, test) => {
                let side = Side::After;
                let sets = self.sets(side);
                let known = models(self.db, self.book, snapshot(self.db, side));
                let of_set = sets.models(set);
                if of_set.is_empty() {
                    let what = format!("count({})", show::set(set));
                    return vec![Hit::Number { what, low: 0, high: 0, test: "> 0".to_owned() }];
                }
                let named = of_set.into_iter().take(MOST).map(|(model, certain)| Hit::Model {
                    value: sets.field(&model, known.get(&model).cloned().flatten().as_deref(), test).1,
                    field: test.field.text.clone(),
                    users: self.parts_using(&sets, set, &model),
                    used_by: used_by(set),
                    model,
                    side,
                    certain,
                });
                named.collect()
            }
            _ => Vec::new(),
        }
    }
}
