//! The files and parts of a tree after some of its files became others, and which of them is which of before.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::build;
use super::super::words::{Carrier, Namer};
use super::super::{CodeGraph, FileNode, GraphFile, Nodes, Outlines};
use crate::code::{FileId, Part, PartId, Words};
use crate::facts::Language;
use crate::layout::Layout;
use crate::resolve::is_seen_by_nobody;
use crate::test_names::is_test_name;

/// What others see of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing: bodies alone.
    Nothing,
    /// Names of it mean something else.
    Names,
    /// All of it: it came or went, or is read otherwise.
    Whole,
}

/// A file that is another one after the edit.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    pub(super) path: Arc<str>,
    pub(super) before: Option<FileId>,
    pub(super) after: Option<FileId>,
    pub(super) language: Option<Language>,
    pub(super) seen: Seen,
}

impl Changed {
    /// The file is there on one side only.
    pub(super) fn comes_or_goes(&self) -> bool {
        self.before.is_none() || self.after.is_none()
    }

    /// Nothing reads the file.
    pub(super) fn is_plain(&self) -> bool {
        self.language.is_none() && Language::reader_of(&self.path).is_none()
    }
}

/// A part that is not there after.
const GONE: u32 = u32::MAX;

/// Both trees, and how they hang together.
pub(super) struct Turn {
    /// Without marks of tests and decorators.
    pub(super) nodes: Nodes,
    pub(super) outlines: Outlines,
    pub(super) layout: Layout,
    /// Sorted by path.
    pub(super) changed: Vec<Changed>,
    /// By file of before.
    files: Vec<Option<FileId>>,
    /// By file of after.
    origins: Vec<Option<FileId>>,
    /// By part of before.
    parts: Vec<u32>,
}

impl Turn {
    /// `files` are as they are after, each other than before; `gone` are not there any more.
    pub(super) fn new(graph: &CodeGraph, files: &[GraphFile], gone: &[Arc<str>]) -> Self {
        let mut edits: BTreeMap<&str, Option<&GraphFile>> = gone.iter().map(|path| (&**path, None)).collect();
        edits.extend(files.iter().map(|file| (&*file.path, Some(file))));
        let order = order(graph, &edits);
        let paths = order.iter().map(|(before, file)| match (before, file) {
            (_, Some(file)) => &*file.path,
            (Some(before), None) => &*graph.file(*before).path,
            (None, None) => "",
        });
        let layout = Layout::new(paths);
        let mut turn = Self {
            nodes: Nodes::default(),
            outlines: Outlines::default(),
            layout,
            changed: Vec::with_capacity(edits.len()),
            files: vec![None; graph.files().len()],
            origins: order.iter().map(|(before, _)| *before).collect(),
            parts: vec![GONE; graph.len()],
        };
        turn.nodes.parts.reserve(graph.len());
        turn.nodes.files.reserve(order.len());
        turn.nodes.by_path.reserve(order.len());
        turn.nodes.by_key.reserve(graph.len());
        let (mut namer, mut carrier) = (Namer::default(), Carrier::new(&graph.names));
        for (at, (before, file)) in order.iter().enumerate() {
            let id = FileId(at as u32);
            match (before, file) {
                (_, Some(file)) => turn.add(graph, &mut namer, id, *before, file),
                (Some(before), None) => turn.keep(graph, &mut carrier, id, *before),
                (None, None) => {}
            }
        }
        turn.outlines = order
            .iter()
            .map(|(before, file)| match (before, file) {
                (Some(before), None) => graph.outlines.slot(*before),
                (_, file) => Outlines::known(file.and_then(GraphFile::readable).cloned()),
            })
            .collect();
        turn.nodes.close_subtrees();
        for path in gone {
            if let Some(before) = graph.file_by_path(path) {
                turn.changed.push(Changed {
                    path: Arc::clone(path),
                    before: Some(before),
                    after: None,
                    language: graph.file(before).language,
                    seen: Seen::Whole,
                });
            }
        }
        turn.changed.sort_by(|a, b| a.path.cmp(&b.path));
        turn
    }

    fn add(&mut self, graph: &CodeGraph, namer: &mut Namer, id: FileId, before: Option<FileId>, file: &GraphFile) {
        let start = self.nodes.parts.len() as u32;
        build::add_file(&mut self.nodes, namer, &self.layout, id, file);
        let end = self.nodes.parts.len() as u32;
        self.nodes.by_key.extend((start..end).map(PartId));
        self.nodes.sort_keys(start..end);
        if let Some(before) = before {
            self.files[before.0 as usize] = Some(id);
            for part in graph.parts_of(before) {
                self.parts[part.0 as usize] = graph.find_again(part, &self.nodes).map_or(GONE, |part| part.0);
            }
        }
        self.changed.push(Changed {
            path: Arc::clone(&file.path),
            before,
            after: Some(id),
            language: file.language,
            seen: seen(graph, before, file),
        });
    }

    /// A file that is as it was, under other numbers.
    fn keep(&mut self, graph: &CodeGraph, carrier: &mut Carrier<'_>, id: FileId, before: FileId) {
        let file = graph.file(before);
        let start = self.nodes.parts.len() as u32;
        let moved = |part: PartId| PartId(part.0 - file.parts.start + start);
        for (at, part) in graph.parts[file.parts.start as usize..file.parts.end as usize].iter().enumerate() {
            self.parts[file.parts.start as usize + at] = start + at as u32;
            let mut taken = |word| carrier.take(&mut self.nodes.names, word);
            let (name, local_name) = (taken(part.name), taken(part.local_name));
            self.nodes.parts.push(Part {
                file: id,
                parent: part.parent.map(moved),
                name,
                local_name,
                is_test: false,
                decorators: Words::default(),
                ..*part
            });
        }
        let keys = &graph.by_key[file.parts.start as usize..file.parts.end as usize];
        self.nodes.by_key.extend(keys.iter().map(|part| moved(*part)));
        self.nodes.by_path.insert(Arc::clone(&file.path), id);
        if file.opaque.is_some() || file.has_problems {
            self.nodes.damaged.push(id);
        }
        let parts = start..self.nodes.parts.len() as u32;
        let is_test = is_test_name(&file.path);
        self.nodes.files.push(FileNode { parts, is_test, has_configured_tests: false, ..file.clone() });
        self.files[before.0 as usize] = Some(id);
    }

    /// The files of a language, as they are after.
    pub(super) fn files_of(&self, language: Language) -> Vec<FileId> {
        let files = self.nodes.file_ids().zip(self.nodes.files());
        files.filter(|(_, file)| file.language == Some(language)).map(|(id, _)| id).collect()
    }

    /// What became of a file.
    pub(super) fn file(&self, before: FileId) -> Option<FileId> {
        self.files.get(before.0 as usize).copied().flatten()
    }

    /// What a file was.
    pub(super) fn origin(&self, after: FileId) -> Option<FileId> {
        self.origins.get(after.0 as usize).copied().flatten()
    }

    /// What became of a part.
    pub(super) fn part(&self, before: PartId) -> Option<PartId> {
        self.parts.get(before.0 as usize).copied().filter(|part| *part != GONE).map(PartId)
    }

    /// Whether a file of after is seen as a whole.
    pub(super) fn is_whole(&self, after: FileId) -> bool {
        let path = &self.nodes.file(after).path;
        let found = self.changed.binary_search_by(|changed| changed.path.cmp(path));
        found.is_ok_and(|at| self.changed[at].seen == Seen::Whole)
    }

    /// Every file and part has the number that it had.
    pub(super) fn is_identity(&self) -> bool {
        self.parts.len() == self.nodes.len()
            && self.parts.iter().enumerate().all(|(before, after)| *after == before as u32)
    }
}

/// The files after, sorted by path: what each was, and what it is where it is another one.
fn order<'f>(
    graph: &CodeGraph,
    edits: &BTreeMap<&str, Option<&'f GraphFile>>,
) -> Vec<(Option<FileId>, Option<&'f GraphFile>)> {
    let mut order = Vec::with_capacity(graph.files().len() + edits.len());
    let mut edits = edits.iter().peekable();
    for (id, file) in graph.file_ids().zip(graph.files()) {
        while let Some((_, added)) = edits.next_if(|(path, _)| ***path < *file.path) {
            order.extend(added.map(|added| (None, Some(added))));
        }
        match edits.next_if(|(path, _)| ***path == *file.path) {
            Some((_, None)) => {}
            Some((_, Some(edited))) => order.push((Some(id), Some(*edited))),
            None => order.push((Some(id), None)),
        }
    }
    order.extend(edits.filter_map(|(_, added)| Some((None, Some((*added)?)))));
    order
}

fn seen(graph: &CodeGraph, before: Option<FileId>, file: &GraphFile) -> Seen {
    let Some(before) = before.filter(|before| file.reads_as(graph.file(*before))) else { return Seen::Whole };
    match (graph.outline(before), file.readable()) {
        (Some(old), Some(new)) if is_seen_by_nobody(file.language, old, new) => Seen::Nothing,
        (Some(_), Some(_)) => Seen::Names,
        (None, None) => Seen::Nothing,
        _ => Seen::Whole,
    }
}
