//! How much of a tree reading sees: counts by file, kept up to date with it.

use serde::{Deserialize, Serialize};

use super::{Nodes, Outlines, Row, Rows, UnresolvedKind};
use crate::code::FileId;

/// Fewer test files than this say nothing about how well a tree is read.
const MIN_TEST_FILES: u32 = 10;
/// Of so many test files one may reach no source: tests of scripts, services and data do. Where it is more, imports are
/// most likely looked for in the wrong place, and every test would seem untouched by every change.
const TEST_FILES_A_BLIND_ONE: u32 = 2;
/// Fewer imports than this say nothing either.
const MIN_IMPORTS: u32 = 100;
/// Of so many imports one may name an own module or name that is not found: made at run time, generated, compiled.
const IMPORTS_A_LOST_ONE: u32 = 5;

/// Counts over one graph, or one file of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sight {
    /// Test files.
    pub test_files: u32,
    /// Of these, those from which no source is reached.
    pub blind_test_files: u32,
    /// Imports.
    pub imports: u32,
    /// Of these, those of modules or names of the tree that are not there; excused ones left out.
    pub lost_imports: u32,
}

impl Sight {
    pub(super) fn of(nodes: &Nodes, outlines: &Outlines, file: FileId, row: &Row) -> Self {
        let is_test = nodes.file(file).is_test;
        let leaves = row.edges().any(|edge| {
            let target = nodes.part(edge.to).file;
            target != file && !nodes.file(target).is_test
        });
        let imports = outlines.of(file).map_or(0, |outline| outline.imports.len());
        let lost = row.unresolved.iter().filter(|unresolved| {
            let own = [UnresolvedKind::RelativeModule, UnresolvedKind::OwnModule, UnresolvedKind::Name]
                .contains(&unresolved.kind);
            own && !unresolved.excused
        });
        Self {
            test_files: u32::from(is_test),
            blind_test_files: u32::from(is_test && !leaves),
            imports: u32::try_from(imports).unwrap_or(u32::MAX),
            lost_imports: u32::try_from(lost.count()).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn of_all(nodes: &Nodes, outlines: &Outlines, rows: &Rows) -> Self {
        let of_file = |file| rows.row(file).map(|row| Self::of(nodes, outlines, file, row)).unwrap_or_default();
        nodes.file_ids().map(of_file).fold(Self::default(), Self::plus)
    }

    pub(super) fn plus(self, other: Self) -> Self {
        self.zip(other, u32::saturating_add)
    }

    pub(super) fn minus(self, other: Self) -> Self {
        self.zip(other, u32::saturating_sub)
    }

    fn zip(self, other: Self, with: impl Fn(u32, u32) -> u32) -> Self {
        Self {
            test_files: with(self.test_files, other.test_files),
            blind_test_files: with(self.blind_test_files, other.blind_test_files),
            imports: with(self.imports, other.imports),
            lost_imports: with(self.lost_imports, other.lost_imports),
        }
    }

    /// So many tests are seen to reach nothing that what a change reaches is not to be believed.
    #[must_use]
    pub fn loses_tests(&self) -> bool {
        self.test_files >= MIN_TEST_FILES && self.blind_test_files > self.test_files / TEST_FILES_A_BLIND_ONE
    }

    /// So many imports lead nowhere that what a change reaches is not to be believed.
    #[must_use]
    pub fn loses_imports(&self) -> bool {
        self.imports >= MIN_IMPORTS && self.lost_imports > self.imports / IMPORTS_A_LOST_ONE
    }
}
