//! Who is there: the files and parts of one tree, and how to find them. Knows nothing of edges.
//!
//! The nodes stay the same, to the number, as long as no file's [interface](crate::facts::Outline::same_interface) changes:
//! what is told from nodes alone need not be told again when a body was edited.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use fixedbitset::FixedBitSet;

use super::words::Names;
use crate::code::{FileId, Part, PartId, PartKey, PartKind, Word};
use crate::facts::{Language, ProblemKind};
use crate::hash::Map;

/// One file as the graph knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNode {
    /// Repository-relative path with `/`.
    pub path: Arc<str>,
    /// The language of its extractor.
    pub language: Option<Language>,
    /// Its parts: contiguous, the module body (or the file) first.
    pub parts: Range<u32>,
    /// Why nothing could be read.
    pub opaque: Option<ProblemKind>,
    /// Some of it could not be read.
    pub has_problems: bool,
    /// Written by a tool, by its first lines or its name.
    pub is_generated: bool,
    /// Holds tests: pytest collects its name by default ([`crate::test_names`]), or it defines a test.
    pub is_test: bool,
    /// Holds what is a test by names that settings give, and none by those that pytest looks for by itself.
    pub has_configured_tests: bool,
    /// Python that may hold tests which no part of it stands for: bound by assignment or under another name, loaded, or
    /// inherited from what is only known when it runs.
    pub makes_tests: bool,
    /// Python that may give names to classes and modules of others, and so tests to who loads it.
    pub gives_names: bool,
    /// Dotted name over the whole repository; the path for files without a language.
    pub module: Arc<str>,
}

/// The files and parts of one tree.
#[derive(Debug, Default)]
pub struct Nodes {
    pub(super) files: Vec<FileNode>,
    pub(super) parts: Vec<Part>,
    /// What parts are called.
    pub(super) names: Names,
    /// Of all parts, those of each side by side.
    pub(super) decorators: Vec<Word>,
    /// One past the last part inside each part.
    pub(super) subtree_end: Vec<u32>,
    /// What each part is, side by side: a walk along edges asks that of every end.
    pub(super) kinds: Vec<PartKind>,
    pub(super) by_path: Map<Arc<str>, FileId>,
    /// The parts of each file by (local name, kind, occurrence).
    pub(super) by_key: Vec<PartId>,
    /// Files of which something could not be read.
    pub(super) damaged: Vec<FileId>,
    /// Test functions and methods, sorted.
    pub(super) tests: Vec<PartId>,
    /// Told once they are asked for: see [`Nodes::unwritten_tests`].
    pub(super) unwritten: OnceLock<Unwritten>,
}

/// What may have to do with tests that nobody wrote where they are collected, each list sorted.
#[derive(Debug)]
pub(super) struct Unwritten {
    /// Files with tests that may hold others, too: [`FileNode::makes_tests`].
    pub(super) makers: Vec<FileId>,
    /// Those of [`FileNode::gives_names`].
    pub(super) givers: Vec<FileId>,
    /// Classes that have methods named like tests, whoever runs them, and functions of Python's modules that are.
    pub(super) named: Vec<PartId>,
}

impl Nodes {
    /// Puts the parts of one file in the order of their keys.
    pub(super) fn sort_keys(&mut self, file: Range<u32>) {
        let (parts, names) = (&self.parts, &self.names);
        self.by_key[file.start as usize..file.end as usize].sort_unstable_by(|a, b| {
            let (a, b) = (&parts[a.0 as usize], &parts[b.0 as usize]);
            let (of_a, of_b) = (names.get(a.local_name), names.get(b.local_name));
            (of_a, a.kind, a.occurrence).cmp(&(of_b, b.kind, b.occurrence))
        });
    }

    /// Says where each part ends, once all parts are there.
    pub(super) fn close_subtrees(&mut self) {
        self.kinds = self.parts.iter().map(|part| part.kind).collect();
        self.subtree_end = (1..=self.parts.len() as u32).collect();
        // From the end, each part hands its own end to the part around it.
        for (at, part) in self.parts.iter().enumerate().rev() {
            if let Some(parent) = part.parent {
                let end = self.subtree_end[at];
                let around = &mut self.subtree_end[parent.0 as usize];
                *around = (*around).max(end);
            }
        }
    }

    /// How many parts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// True for a tree without files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// An empty set with room for every part.
    #[must_use]
    pub fn empty_set(&self) -> FixedBitSet {
        FixedBitSet::with_capacity(self.parts.len())
    }

    /// Every file, sorted by path.
    #[must_use]
    pub fn files(&self) -> &[FileNode] {
        &self.files
    }

    /// The ids of every file, sorted by path.
    pub fn file_ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..self.files.len() as u32).map(FileId)
    }

    /// Every part, sorted by file and place.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The ids of every part.
    pub fn part_ids(&self) -> impl Iterator<Item = PartId> + use<> {
        (0..self.parts.len() as u32).map(PartId)
    }

    /// Test functions and methods, sorted.
    #[must_use]
    pub fn tests(&self) -> &[PartId] {
        &self.tests
    }

    /// What may have to do with tests that nobody wrote where they are collected: an edited body leaves that as it is, and need
    /// not go through all files again.
    pub(super) fn unwritten_tests(&self) -> &Unwritten {
        self.unwritten.get_or_init(|| {
            let those = |is: fn(&FileNode) -> bool| self.file_ids().filter(|file| is(self.file(*file))).collect();
            Unwritten {
                makers: those(|file| file.is_test && file.makes_tests),
                givers: those(|file| file.gives_names),
                named: self.named_like_tests(),
            }
        })
    }

    fn named_like_tests(&self) -> Vec<PartId> {
        let of_module = |part: &Part| part.parent.is_some_and(|around| self.kind(around) == PartKind::Module);
        let is_python = |part: &Part| self.file(part.file).language == Some(Language::Python);
        let named = |id: PartId| {
            let (kind, part) = (self.kind(id), self.part(id));
            match kind {
                PartKind::Method if self.name(id).starts_with("test") => {
                    part.parent.filter(|around| self.kind(*around) == PartKind::Class)
                }
                PartKind::Function if of_module(part) && is_python(part) && self.name(id).starts_with("test") => {
                    Some(id)
                }
                _ => None,
            }
        };
        let mut found: Vec<PartId> = self.part_ids().filter_map(named).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Files of which something could not be read, sorted.
    #[must_use]
    pub fn damaged(&self) -> &[FileId] {
        &self.damaged
    }

    /// A file by its id. Ids come from the same graph.
    #[must_use]
    pub fn file(&self, file: FileId) -> &FileNode {
        &self.files[file.0 as usize]
    }

    /// The file of a path.
    #[must_use]
    pub fn file_by_path(&self, path: &str) -> Option<FileId> {
        self.by_path.get(path).copied()
    }

    /// The files in a directory (empty: the root) and below it, sorted by path.
    pub fn files_below(&self, directory: &str) -> impl Iterator<Item = FileId> + use<> {
        // Sorted by path, they stand side by side: `/` is followed by `0`.
        let from = |end: &str| {
            let bound = format!("{directory}{end}");
            self.files.partition_point(|file| *file.path < *bound)
        };
        let range = if directory.is_empty() { 0..self.files.len() } else { from("/")..from("0") };
        (range.start as u32..range.end as u32).map(FileId)
    }

    /// A part by its id. Ids come from the same graph.
    #[must_use]
    pub fn part(&self, part: PartId) -> &Part {
        &self.parts[part.0 as usize]
    }

    /// What a part is.
    #[must_use]
    pub fn kind(&self, part: PartId) -> PartKind {
        self.kinds[part.0 as usize]
    }

    /// A part's own name: `start`, `BootKernel`, the module's last segment, or the file's name.
    #[must_use]
    pub fn name(&self, part: PartId) -> &str {
        self.names.get(self.part(part).name)
    }

    /// A part's name inside its file, as in [`PartKey::name`].
    #[must_use]
    pub fn local_name(&self, part: PartId) -> &str {
        self.names.get(self.part(part).local_name)
    }

    /// Dotted names of a part's decorators, as resolved as static reading allows (`functools.cache`, `app.route`).
    pub fn decorators(&self, part: PartId) -> impl ExactSizeIterator<Item = &str> + Clone {
        let words = self.part(part).decorators;
        let first = words.first as usize;
        let words = self.decorators.get(first..first + words.count as usize).unwrap_or_default();
        words.iter().map(|word| self.names.get(*word))
    }

    /// The dotted name of a part over the whole repository: `backend.boot.boot_kernel.BootKernel.start`; a file's path for
    /// files.
    #[must_use]
    pub fn qualified_name(&self, part: PartId) -> Cow<'_, str> {
        let (name, part) = (self.local_name(part), self.part(part));
        let file = self.file(part.file);
        match part.kind {
            PartKind::File => Cow::Borrowed(&*file.path),
            PartKind::Module => Cow::Borrowed(&*file.module),
            _ if file.module.is_empty() => Cow::Borrowed(name),
            _ => Cow::Owned(format!("{}.{name}", file.module)),
        }
    }

    /// The parts of a file, in source order.
    pub fn parts_of(&self, file: FileId) -> impl DoubleEndedIterator<Item = PartId> + ExactSizeIterator + use<> {
        self.file(file).parts.clone().map(PartId)
    }

    /// The body of a module, or the part of a file without a language.
    #[must_use]
    pub fn body_of(&self, file: FileId) -> PartId {
        PartId(self.file(file).parts.start)
    }

    /// The part of a file with this ordinal.
    pub(crate) fn part_id(&self, file: FileId, ordinal: u32) -> PartId {
        PartId(self.file(file).parts.start + ordinal)
    }

    /// The key of a part: the same in every snapshot.
    #[must_use]
    pub fn key(&self, part: PartId) -> PartKey {
        let (name, part) = (self.local_name(part), self.part(part));
        PartKey {
            path: Arc::clone(&self.file(part.file).path),
            name: name.into(),
            kind: part.kind,
            occurrence: part.occurrence,
        }
    }

    /// The part of a key.
    #[must_use]
    pub fn find(&self, key: &PartKey) -> Option<PartId> {
        self.find_in(self.file_by_path(&key.path)?, (&key.name, key.kind, key.occurrence))
    }

    /// The part of a file by its name there, its kind, and which of those it is.
    fn find_in(&self, file: FileId, wanted: (&str, PartKind, u32)) -> Option<PartId> {
        let range = &self.file(file).parts;
        let parts = &self.by_key[range.start as usize..range.end as usize];
        let index = parts
            .binary_search_by(|id| {
                let part = self.part(*id);
                (self.local_name(*id), part.kind, part.occurrence).cmp(&wanted)
            })
            .ok()?;
        Some(parts[index])
    }

    /// The part of another tree that has the key of a part of this one.
    #[must_use]
    pub fn find_again(&self, part: PartId, other: &Self) -> Option<PartId> {
        let here = self.part(part);
        let path = &self.file(here.file).path;
        // Two trees of one work tree mostly have a file at the same place.
        let file = match other.files.get(here.file.0 as usize).filter(|file| file.path == *path) {
            Some(_) => here.file,
            None => other.file_by_path(path)?,
        };
        let wanted = (self.local_name(part), here.kind, here.occurrence);
        let at_its_place = PartId(other.file(file).parts.start + here.ordinal);
        if other.file(file).parts.contains(&at_its_place.0) {
            let there = other.part(at_its_place);
            if (other.local_name(at_its_place), there.kind, there.occurrence) == wanted {
                return Some(at_its_place);
            }
        }
        other.find_in(file, wanted)
    }

    /// Parts directly inside a part, in source order.
    pub fn children(&self, part: PartId) -> impl Iterator<Item = PartId> + '_ {
        let end = self.subtree_end[part.0 as usize];
        let mut next = part.0 + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let child = PartId(next);
            next = self.subtree_end[next as usize];
            Some(child)
        })
    }

    /// A part with everything inside, in source order.
    pub fn subtree(&self, part: PartId) -> impl ExactSizeIterator<Item = PartId> + use<> {
        (part.0..self.subtree_end[part.0 as usize]).map(PartId)
    }

    /// The module body of a part's file, or the file's own part.
    #[must_use]
    pub fn module_of(&self, part: PartId) -> PartId {
        self.body_of(self.part(part).file)
    }
}
