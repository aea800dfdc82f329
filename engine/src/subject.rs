//! What of a plan is about the change as a whole: its numbers, how long it holds, and the subject that people sign.

use grace_graph::change::Content;

use crate::book::{Kind, item, names};
use crate::dates;
use crate::db::{Db, World, nodes_of, part_changes};
use crate::impact::impact;
use crate::input::RAISED;
use crate::join::books;
use crate::plan::{BookSide, ChangeSummary, Plan, Side, Subject};
use crate::waivers::waivers_in_force;
use grace_dsl::ast::ItemKind;

/// The change in numbers.
pub(crate) fn summary(db: &dyn Db) -> ChangeSummary {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let nodes = nodes_of(db, Side::After);
    let impact = impact(db);
    let changes = part_changes(db);
    ChangeSummary {
        files: count(World::get(db).change(db).files.len()),
        parts: count(changes.len()),
        reach: count(impact.reached.difference(&impact.changed).count()),
        lines_added: count(changes.iter().map(|change| change.added.len()).sum()),
        lines_removed: count(changes.iter().map(|change| change.removed.len()).sum()),
        tests_reached: count(impact.tests_reached(nodes.tests())),
        tests: count(nodes.tests().len()),
    }
}

/// The next moment that could change the plan: a window's edge, a waiver's end.
pub(crate) fn valid_until(db: &dyn Db) -> Option<String> {
    let as_of = World::get(db).as_of(db);
    let mut next: Option<i64> = None;
    let mut consider = |moment: Option<i64>| {
        if let Some(moment) = moment
            && moment > as_of
        {
            next = Some(next.map_or(moment, |seen| seen.min(moment)));
        }
    };
    for (_, book) in books(db) {
        for (_, at) in names(db, book).of_kind(Kind::Window) {
            if let Some(item) = item(db, at.file, at.id.clone())
                && let ItemKind::Window { from, to, zone } = &item.kind
            {
                consider(dates::boundary(*from, &zone.value, false));
                consider(dates::boundary(*to, &zone.value, true));
            }
        }
        for (_, compiled) in waivers_in_force(db, book) {
            if let ItemKind::Waiver(waiver) = &compiled.item.kind
                && let Some((_, until)) = waiver.until
            {
                consider(dates::boundary(until, "UTC", true));
            }
        }
    }
    next.map(dates::iso)
}

/// Bytes that cannot be read in two ways: each field with its length before it.
struct Fields(blake3::Hasher);

impl Fields {
    fn new() -> Self {
        Self(blake3::Hasher::new())
    }

    fn field(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn digest(self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// What the plan is about, by digest: the diff and the rules.
pub(crate) fn subject(db: &dyn Db) -> Subject {
    Subject { diff: diff(db), rules: rules(db) }
}

fn diff(db: &dyn Db) -> String {
    let mut fields = Fields::new();
    for file in &World::get(db).change(db).files {
        for side in [&file.before, &file.after] {
            let Some(side) = side else {
                fields.field(&[0]);
                continue;
            };
            fields.field(side.path.as_bytes());
            fields.field(&[u8::from(side.executable), u8::from(file.asserted)]);
            // What kind of content it is belongs to it: a link is no file with the same text.
            fields.field(&[match &side.content {
                Content::Text(_) => 1,
                Content::Binary(_) => 2,
                Content::TooLarge { .. } => 3,
                Content::Link(_) => 4,
                Content::Submodule(_) => 5,
                Content::Unknown(_) => 6,
            }]);
            match &side.content {
                Content::Text(text) => fields.field(text.as_bytes()),
                Content::Binary(digest) => fields.field(digest),
                Content::TooLarge { size, digest } => {
                    fields.field(&size.to_le_bytes());
                    fields.field(digest);
                }
                Content::Link(text) | Content::Submodule(text) | Content::Unknown(text) => {
                    fields.field(text.as_bytes())
                }
            }
        }
    }
    fields.digest()
}

fn rules(db: &dyn Db) -> String {
    let mut fields = Fields::new();
    for (side, book) in books(db) {
        fields.field(match side {
            BookSide::Before => b"before",
            BookSide::After => b"after",
            BookSide::Both | BookSide::BuiltIn => b"both",
        });
        for file in book.files(db).iter().filter(|file| !file.path(db).starts_with(RAISED)) {
            fields.field(file.path(db).as_bytes());
            fields.field(file.text(db).unwrap_or_else(|reason| reason).as_bytes());
        }
    }
    fields.digest()
}

/// The name of the subject that approvers sign: the diff, the rules, the tier, the approvals, the denials, and what fills
/// duties, which is agreed with the rest.
pub(crate) fn name(plan: &Plan) -> String {
    let mut fields = Fields::new();
    fields.field(plan.subject.diff.as_bytes());
    fields.field(plan.subject.rules.as_bytes());
    fields.field(&[plan.tier]);
    for (kind, names) in [
        ("approval", plan.approvals.iter().map(|approval| &approval.name).collect::<Vec<_>>()),
        ("denial", plan.denials.iter().map(|denial| &denial.name).collect()),
    ] {
        for name in names {
            fields.field(kind.as_bytes());
            fields.field(name.as_bytes());
        }
    }
    for duty in &plan.duties {
        fields.field(duty.name.as_bytes());
        fields.field(duty.given.as_deref().unwrap_or_default().as_bytes());
    }
    fields.digest()
}
