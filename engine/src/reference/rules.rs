//! A rule book as items in path order, and lookups by name that read every item.

use std::sync::Arc;

use grace_dsl::ast::{Bundle, Item, ItemKind, SetExpr, Text, TierLine, Waiver};
use grace_dsl::{Role, Severity, SourceFile};

use crate::input::Book;

/// One side's rules.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// There is a book on this side.
    pub(super) present: bool,
    files: Vec<(Role, Vec<Arc<Item>>)>,
    /// Files that cannot be read, items that do not parse, and every other error that `check` finds.
    pub(super) mistakes: usize,
}

impl Rules {
    pub(super) fn read(book: Option<&Book>) -> Self {
        let mut rules = Self { present: book.is_some(), ..Self::default() };
        let mut texts = Vec::new();
        for file in book.iter().flat_map(|book| &book.files) {
            match &file.text {
                Ok(text) => texts.push((file, text, grace_dsl::parse(text))),
                Err(_) => rules.mistakes += 1,
            }
        }
        let files: Vec<SourceFile<'_>> = texts
            .iter()
            .map(|(file, text, parsed)| SourceFile { path: &file.path, text, parsed, role: file.role })
            .collect();
        rules.mistakes += grace_dsl::check(&files).iter().filter(|found| found.severity == Severity::Error).count();
        for (file, _, parsed) in texts {
            rules.files.push((file.role, parsed.items.into_iter().map(Arc::new).collect()));
        }
        rules
    }

    /// Every item whose name can be used.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.files.iter().flat_map(|(_, items)| items.iter().map(AsRef::as_ref))
    }

    /// The items that judge: those of the project and of adopted packs.
    pub(super) fn judging(&self) -> impl Iterator<Item = &Item> {
        self.files.iter().filter(|(role, _)| *role != Role::Used).flat_map(|(_, items)| items.iter().map(AsRef::as_ref))
    }

    pub(super) fn define(&self, name: &str) -> Option<&SetExpr> {
        self.items().find_map(|item| match &item.kind {
            ItemKind::Define { set, .. } if item.name == name => Some(set),
            _ => None,
        })
    }

    /// The values of a family, and whether its first match wins.
    pub(super) fn family(&self, name: &str) -> (Vec<String>, bool) {
        self.items()
            .find_map(|item| match &item.kind {
                ItemKind::Family { values, first_match } if item.name == name => {
                    Some((values.iter().map(|value| value.text.clone()).collect(), *first_match))
                }
                _ => None,
            })
            .unwrap_or_default()
    }

    pub(super) fn team(&self, name: &str) -> Option<&[Text]> {
        self.items().find_map(|item| match &item.kind {
            ItemKind::Team { members, .. } if item.name == name => Some(members.as_slice()),
            _ => None,
        })
    }

    pub(super) fn bundles(&self) -> impl Iterator<Item = (&str, &Bundle)> {
        self.items().filter_map(|item| match &item.kind {
            ItemKind::Bundle(bundle) => Some((item.name.as_str(), bundle)),
            _ => None,
        })
    }

    /// The set of models that a validation is asked for.
    pub(super) fn validation(&self, name: &str) -> Option<&SetExpr> {
        self.items().find_map(|item| match &item.kind {
            ItemKind::Validation { of, .. } if item.name == name => Some(of),
            _ => None,
        })
    }

    pub(super) fn is_unwaivable(&self, principle: &str) -> bool {
        self.items()
            .any(|item| item.name == principle && matches!(item.kind, ItemKind::Principle { unwaivable: true, .. }))
    }

    /// The lines of each `tiers`.
    pub(super) fn tiers(&self) -> impl Iterator<Item = &[TierLine]> {
        self.judging().filter_map(|item| match &item.kind {
            ItemKind::Tiers(lines) => Some(lines.as_slice()),
            _ => None,
        })
    }

    pub(super) fn tier_lines(&self) -> impl Iterator<Item = &TierLine> {
        self.tiers().flatten()
    }

    /// Waivers. A book with a mistake has none: what one covers could lean on it.
    pub(super) fn waivers(&self) -> impl Iterator<Item = (&str, &Waiver)> {
        self.judging().filter(|_| self.mistakes == 0).filter_map(|item| match &item.kind {
            ItemKind::Waiver(waiver) => Some((item.name.as_str(), waiver)),
            _ => None,
        })
    }

    /// The items of a name that a rule can be called by, in order.
    pub(super) fn named(&self, name: &str) -> Vec<&ItemKind> {
        self.judging()
            .filter(|item| item.name == name)
            .map(|item| &item.kind)
            .filter(|kind| {
                matches!(kind, ItemKind::Rule(_) | ItemKind::Policy(_) | ItemKind::Forbid(_) | ItemKind::Layers(_))
            })
            .collect()
    }
}
