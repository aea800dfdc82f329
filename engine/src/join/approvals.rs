//! Whose approval is needed.

use std::collections::BTreeSet;
use std::sync::Arc;

use grace_dsl::ast::{self, ItemKind, SetExpr};
use grace_graph::code::PartKey;

use super::{Joiner, Judged, push};
use crate::book::{Kind, item, names};
use crate::conds::{Conds, Mode};
use crate::db::{RuleBook, World};
use crate::plan::{Approver, Derivation, Side, Truth};
use crate::verdict::Hit;

impl Joiner<'_> {
    fn team(&self, book: RuleBook, name: &str) -> Approver {
        // Members count only if they stood before; a team that is new has only its new ones, and so has what asks for it.
        let before = World::get(self.db).book_before(self.db);
        let members = [before, Some(book)]
            .into_iter()
            .flatten()
            .find_map(|book| {
                let names = names(self.db, book);
                let at = names.first(Kind::Team, name)?;
                match &item(self.db, at.file, at.id.clone())?.kind {
                    ItemKind::Team { members, .. } => Some(members.iter().map(|member| member.value.clone()).collect()),
                    _ => None,
                }
            })
            .unwrap_or_default();
        Approver::Team { name: name.to_owned(), members }
    }

    pub(super) fn approver(&self, book: RuleBook, by: &ast::Approver) -> Approver {
        match by {
            ast::Approver::Anyone | ast::Approver::OwnerOfEachFile(_) => Approver::Anyone,
            ast::Approver::Team(team) => self.team(book, &team.text),
        }
    }

    pub(super) fn approval(&mut self, rule: &Judged, approval: &ast::Approval, derivation: Derivation) {
        let among: Vec<(u32, Approver)> =
            approval.among.iter().map(|(count, by)| (*count, self.approver(rule.book, by))).collect();
        let ast::Approver::OwnerOfEachFile(set) = &approval.by else {
            let by = self.approver(rule.book, &approval.by);
            return self.add_approval(approval.count, by, among, approval.extra, derivation);
        };
        let owners = World::get(self.db)
            .past(self.db)
            .codeowners
            .as_ref()
            .map(|(_, text)| grace_graph::owners::Owners::parse(text));
        let files = self.evidence_files(rule, set);
        let hidden = rule.verdict.trace.evidence().iter().any(|hit| matches!(hit, Hit::Missing { .. }));
        if files.is_empty() || hidden {
            // Which file it is cannot be told, so nobody can be asked as its owner.
            let by = approval.otherwise.as_ref().map_or(Approver::Anyone, |by| self.approver(rule.book, by));
            self.add_approval(approval.count, by, among.clone(), approval.extra, derivation.clone());
        }
        for path in files {
            let named: Vec<String> = owners
                .as_ref()
                .map(|owners| owners.owners_of(&path).iter().map(ToString::to_string).collect())
                .unwrap_or_default();
            let by = if named.is_empty() {
                approval.otherwise.as_ref().map_or(Approver::Anyone, |by| self.approver(rule.book, by))
            } else {
                Approver::OwnerOf { path: path.to_string(), owners: named }
            };
            self.add_approval(approval.count, by, among.clone(), approval.extra, derivation.clone());
        }
    }

    /// Files of the parts of a set that are in a rule's evidence, an edge's far end included.
    fn evidence_files(&self, rule: &Judged, set: &SetExpr) -> BTreeSet<Arc<str>> {
        let conds = Conds { db: self.db, book: rule.book, compiled: &rule.compiled, mode: Mode::Raise };
        let both = conds.both(set);
        let mut files = BTreeSet::new();
        for hit in rule.verdict.trace.evidence() {
            for (side, key) in hit_parts(hit) {
                if both.holds(side, key) != Truth::No {
                    files.insert(key.path.clone());
                }
            }
        }
        files
    }

    pub(super) fn add_approval(
        &mut self,
        count: u32,
        by: Approver,
        among: Vec<(u32, Approver)>,
        extra: bool,
        derivation: Derivation,
    ) {
        let entry = self.approvals.entry((extra, by, among)).or_insert((0, Vec::new()));
        entry.0 = entry.0.max(count);
        push(&mut entry.1, derivation);
    }

    /// An approval by a rule's owner, or by anyone where it has none.
    pub(super) fn hold(&mut self, book: RuleBook, owner: Option<&ast::Name>, derivation: Derivation) {
        let by = owner.map_or(Approver::Anyone, |team| self.team(book, &team.text));
        self.add_approval(1, by, Vec::new(), false, derivation);
    }
}

/// The parts that a hit is about.
pub(super) fn hit_parts(hit: &Hit) -> Vec<(Side, &PartKey)> {
    match hit {
        Hit::Changed { before, after, .. } => {
            before.iter().map(|key| (Side::Before, key)).chain(after.iter().map(|key| (Side::After, key))).collect()
        }
        Hit::Member { part, side, .. } | Hit::Test { part, side, .. } => vec![(*side, part)],
        Hit::NewEdge { edge, .. } => vec![(Side::After, &edge.from), (Side::After, &edge.to)],
        Hit::Way { edges, side, .. } => {
            edges.iter().flat_map(|edge| [(*side, &edge.from), (*side, &edge.to)]).collect()
        }
        Hit::Line { part: Some(part), .. } => vec![(Side::After, part)],
        Hit::Model { part: Some(part), side, .. } => vec![(*side, part)],
        Hit::Line { .. }
        | Hit::Model { .. }
        | Hit::Number { .. }
        | Hit::Package { .. }
        | Hit::Declared { .. }
        | Hit::Window { .. }
        | Hit::Missing { .. } => Vec::new(),
    }
}

/// The name of an approval, as `explain approval NAME` takes it.
pub(super) fn approval_name(count: u32, by: &Approver, among: &[(u32, Approver)], extra: bool) -> String {
    let group = |by: &Approver| match by {
        Approver::Anyone => "anyone".to_owned(),
        Approver::Team { name, .. } => format!("team({name})"),
        Approver::OwnerOf { path, .. } => format!("an owner of {path}"),
    };
    let mut name = format!("{}{count} of {}", if extra { "extra " } else { "" }, group(by));
    for (count, by) in among {
        name.push_str(&format!(", {count} of them of {}", group(by)));
    }
    name
}
