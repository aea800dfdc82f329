//! Whose approval is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::{self, ItemKind, SetExpr};
use grace_graph::code::PartKey;

use super::reasons::Reasons;
use super::requirements::{ApprovalKey, Asked};
use super::{Joiner, Judged};
use crate::book::{Compiled, Kind, item, names};
use crate::conds::{Conds, Mode};
use crate::db::{RuleBook, World, part_changes};
use crate::plan::{Approval, Approver, Derivation, Side, Truth};
use crate::verdict::Hit;

const SIDES: [Side; 2] = [Side::Before, Side::After];

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

    /// Adds an approval with its owners named: one for each file that they are owners of.
    pub(super) fn approval(
        &self,
        asking: &Asking<'_>,
        approval: &ast::Approval,
        derivation: &Derivation,
        asked: &mut Asked,
    ) {
        let mut among: BTreeMap<Approver, u32> = BTreeMap::new();
        for (count, by) in &approval.among {
            for by in self.approvers(asking, by, approval.otherwise.as_ref()) {
                let seen = among.entry(by).or_default();
                *seen = (*seen).max(*count);
            }
        }
        let among: Vec<(u32, Approver)> = among.into_iter().map(|(by, count)| (count, by)).collect();
        for by in self.approvers(asking, &approval.by, approval.otherwise.as_ref()) {
            asked.approval((approval.extra, by, among.clone()), approval.count, derivation.clone());
        }
    }

    /// Each group that an approver stands for. Where it cannot be told which file somebody owns, or nobody owns it,
    /// `otherwise` is asked, or anyone: a requirement never vanishes.
    fn approvers(&self, asking: &Asking<'_>, by: &ast::Approver, otherwise: Option<&ast::Approver>) -> Vec<Approver> {
        let simple = |by: &ast::Approver| match by {
            ast::Approver::Anyone | ast::Approver::OwnerOfEachFile(_) => Approver::Anyone,
            ast::Approver::Team(team) => self.team(asking.book(), &team.text),
        };
        let ast::Approver::OwnerOfEachFile(set) = by else { return vec![simple(by)] };
        let otherwise = otherwise.map_or(Approver::Anyone, simple);
        let owners = World::get(self.db)
            .past(self.db)
            .codeowners
            .as_ref()
            .map(|file| grace_graph::owners::Owners::parse(&file.text));
        let (files, are_all) = self.asked_files(asking, set);
        let mut groups: BTreeSet<Approver> = files
            .iter()
            .map(|path| {
                let of_file = owners.as_ref().map(|owners| owners.owners_of(path)).unwrap_or_default();
                let owners: Vec<String> = of_file.iter().map(ToString::to_string).collect();
                if owners.is_empty() { otherwise.clone() } else { Approver::OwnerOf { path: path.to_string(), owners } }
            })
            .collect();
        if files.is_empty() || !are_all {
            groups.insert(otherwise);
        }
        groups.into_iter().collect()
    }

    /// The files of those parts of a set that are in the evidence, and whether these are all that there can be.
    fn asked_files(&self, asking: &Asking<'_>, set: &SetExpr) -> (BTreeSet<Arc<str>>, bool) {
        let conds = Conds { db: self.db, book: asking.book(), compiled: asking.compiled(), mode: Mode::Raise };
        let both = conds.both(set);
        let is_in = |(side, key): &(Side, &PartKey)| both.holds(*side, key) != Truth::No;
        let path_of = |(_, key): (Side, &PartKey)| key.path.clone();
        let mut files = BTreeSet::new();
        let mut are_all = true;
        match asking {
            Asking::Tiers(..) => {
                for change in part_changes(self.db).iter() {
                    let before = change.before.iter().map(|key| (Side::Before, key));
                    let after = change.after.iter().map(|key| (Side::After, key));
                    files.extend(before.chain(after).filter(is_in).map(path_of));
                }
            }
            Asking::Rule(rule) => {
                for hit in rule.verdict.trace.evidence() {
                    files.extend(hit_parts(hit).into_iter().filter(is_in).map(path_of));
                    let Hit::Unread { path, part, edges, .. } = hit else { continue };
                    // What its edges lead to cannot be read.
                    are_all &= !edges;
                    let may_be = match part {
                        Some(key) => SIDES.into_iter().any(|side| both.knows(side, key) && is_in(&(side, key))),
                        None => both.may_reach_into(path),
                    };
                    if may_be {
                        files.insert(path.clone());
                    }
                }
            }
        }
        (files, are_all)
    }

    /// Who holds a change for a rule: its owner, or anyone where it has none.
    pub(super) fn of_owner(&self, book: RuleBook, owner: Option<&ast::Name>) -> ApprovalKey {
        let by = owner.map_or(Approver::Anyone, |team| self.team(book, &team.text));
        (false, by, Vec::new())
    }
}

/// What asks for an approval: it says which files its owners are of.
#[derive(Clone, Copy)]
pub(super) enum Asking<'a> {
    /// A rule, by its evidence.
    Rule(&'a Judged),
    /// A line of `tiers`, by everything that changed.
    Tiers(RuleBook, &'a Compiled),
}

impl<'a> Asking<'a> {
    fn book(&self) -> RuleBook {
        match self {
            Self::Rule(rule) => rule.book,
            Self::Tiers(book, _) => *book,
        }
    }

    fn compiled(&self) -> &'a Compiled {
        match self {
            Self::Rule(rule) => &rule.compiled,
            Self::Tiers(_, compiled) => compiled,
        }
    }
}

/// Approvals as a plan lists them.
pub(super) fn approvals(asked: BTreeMap<ApprovalKey, (u32, Reasons)>) -> Vec<Approval> {
    asked
        .into_iter()
        .map(|((extra, by, among), (count, derivation))| Approval {
            name: approval_name(count, &by, &among, extra),
            count,
            by,
            among,
            extra,
            derivation: derivation.into_list(),
        })
        .collect()
}

/// The parts that a hit is about.
fn hit_parts(hit: &Hit) -> Vec<(Side, &PartKey)> {
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
        Hit::Model { users, side, .. } => users.iter().map(|part| (*side, part)).collect(),
        Hit::Line { .. }
        | Hit::Number { .. }
        | Hit::Package { .. }
        | Hit::Declared { .. }
        | Hit::Window { .. }
        | Hit::Missing { .. }
        | Hit::Unread { .. } => Vec::new(),
    }
}

/// The name of an approval, as `explain approval NAME` takes it.
fn approval_name(count: u32, by: &Approver, among: &[(u32, Approver)], extra: bool) -> String {
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
