//! The files and parts of a graph as bytes, and back.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::words::Names;
use super::super::{CodeGraph, FileNode, Nodes};
use super::number;
use crate::code::{FileId, Part, PartId, PartKind, Word, Words};
use crate::facts::{Language, ProblemKind};
use crate::hash::Map;

/// Bytes of a part: its names, the part around it, which of its name it is, what it is, and how many decorators it has.
const PART: usize = 20;
/// Of a part with none around it.
const NO_PARENT: u32 = 0;
const IS_ASYNC: u8 = 1;
const IS_TEST: u8 = 2;
const IS_PUBLIC: u8 = 4;
const KEEPS_CLASSES: u8 = 16;
const IS_CONDITIONAL: u8 = 8;
const PART_KINDS: [PartKind; 5] =
    [PartKind::File, PartKind::Module, PartKind::Class, PartKind::Function, PartKind::Method];

/// The section of the nodes. The text of the names and the parts, of [`PART`] bytes each, lie in sections of their own.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptNodes<'a> {
    /// Where each name ends, in four bytes.
    ends: &'a [u8],
    /// Dotted names of modules.
    #[serde(borrow)]
    modules: Vec<&'a str>,
    files: Vec<KeptFile>,
    /// Names of the decorators of all parts, in order, of four bytes.
    decorators: &'a [u8],
    /// The order of the parts of each file by key, as ordinals of four bytes.
    by_key: &'a [u8],
}

#[derive(Serialize, Deserialize)]
struct KeptFile {
    language: Option<Language>,
    parts: u32,
    opaque: Option<ProblemKind>,
    has_problems: bool,
    is_generated: bool,
    is_test: bool,
    has_configured_tests: bool,
    makes_tests: bool,
    gives_names: bool,
    /// Among the modules.
    module: u32,
    /// What reads it, where something was read.
    reader: Option<Language>,
}

/// The sections of [`KeptNodes`] and of the parts; `None` where they cannot be written.
pub(super) fn bytes(graph: &CodeGraph) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut parts, mut decorators) = (Vec::with_capacity(graph.len() * PART), Vec::new());
    for part in graph.parts() {
        let parent = part.parent.map_or(NO_PARENT, |parent| graph.part(parent).ordinal + 1);
        for number in [part.name.0, part.local_name.0, parent, part.occurrence] {
            parts.extend_from_slice(&number.to_le_bytes());
        }
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        let flags = flag(part.is_async, IS_ASYNC)
            | flag(part.is_test, IS_TEST)
            | flag(part.is_public, IS_PUBLIC)
            | flag(part.keeps_classes, KEEPS_CLASSES)
            | flag(part.is_conditional, IS_CONDITIONAL);
        parts.extend([PART_KINDS.iter().position(|kind| *kind == part.kind)? as u8, flags]);
        parts.extend(u16::try_from(part.decorators.count).ok()?.to_le_bytes());
        let first = part.decorators.first as usize;
        let own = graph.decorators.get(first..first + part.decorators.count as usize)?;
        decorators.extend(own.iter().flat_map(|word| word.0.to_le_bytes()));
    }
    let mut known: Map<&str, u32> = Map::default();
    let mut modules: Vec<&str> = Vec::new();
    let mut module = |name| {
        *known.entry(name).or_insert_with(|| {
            modules.push(name);
            modules.len() as u32 - 1
        })
    };
    let file = |(id, file): (FileId, &'_ FileNode)| KeptFile {
        language: file.language,
        parts: file.parts.len() as u32,
        opaque: file.opaque,
        has_problems: file.has_problems,
        is_generated: file.is_generated,
        is_test: file.is_test,
        has_configured_tests: file.has_configured_tests,
        makes_tests: file.makes_tests,
        gives_names: file.gives_names,
        module: module(&*graph.file(id).module),
        reader: Language::reader_of(&file.path).filter(|_| graph.outlines.has(id)),
    };
    let files = graph.file_ids().zip(graph.files()).map(file).collect();
    let by_key: Vec<u8> = graph.by_key.iter().flat_map(|part| graph.part(*part).ordinal.to_le_bytes()).collect();
    let ends: Vec<u8> = graph.names.ends().iter().flat_map(|end| end.to_le_bytes()).collect();
    let (ends, decorators, by_key) = (&*ends, &*decorators, &*by_key);
    let nodes = postcard::to_stdvec(&KeptNodes { ends, modules, files, decorators, by_key }).ok()?;
    Some((nodes, parts))
}

fn words(bytes: &[u8]) -> Option<Vec<u32>> {
    let (words, []) = bytes.as_chunks::<4>() else { return None };
    Some(words.iter().map(|word| u32::from_le_bytes(*word)).collect())
}

impl KeptNodes<'_> {
    /// What reads each file, where something was read.
    pub(super) fn readers(&self) -> Vec<Option<Language>> {
        self.files.iter().map(|file| file.reader).collect()
    }

    /// The nodes of files of these paths; `None` where they are not as nodes are.
    pub(super) fn nodes<'p>(&self, names: String, parts: &[u8], paths: impl Iterator<Item = &'p str>) -> Option<Nodes> {
        let ((parts, []), (by_key, [])) = (parts.as_chunks::<PART>(), self.by_key.as_chunks::<4>()) else {
            return None;
        };
        if by_key.len() != parts.len() || u32::try_from(parts.len()).is_err() {
            return None;
        }
        let names = Names::kept(names, words(self.ends)?)?;
        let decorators = words(self.decorators)?;
        let are_known = |words: &[u32]| words.iter().all(|word| *word < names.len());
        if !are_known(&decorators) {
            return None;
        }
        let mut nodes = Nodes { parts: Vec::with_capacity(parts.len()), ..Nodes::default() };
        nodes.by_path.reserve(self.files.len());
        nodes.by_key.reserve(parts.len());
        nodes.files.reserve(self.files.len());
        let (mut left, mut decorated) = (parts, 0_u32);
        for (file, path) in self.files.iter().zip(paths) {
            let id = FileId(nodes.files.len() as u32);
            let first = nodes.parts.len() as u32;
            let (own, others) = left.split_at_checked(file.parts as usize).filter(|(own, _)| !own.is_empty())?;
            left = others;
            for (ordinal, part) in (0..).zip(own) {
                let kind = *PART_KINDS.get(usize::from(part[16]))?;
                let parent = match number(part, 8) {
                    NO_PARENT if ordinal == 0 => None,
                    after if (1..=ordinal).contains(&after) => Some(PartId(first + after - 1)),
                    _ => return None,
                };
                let is_top = matches!(kind, PartKind::File | PartKind::Module);
                if is_top != parent.is_none() {
                    return None;
                }
                let is = |flag| part[17] & flag != 0;
                if is(IS_TEST) {
                    nodes.tests.push(PartId(first + ordinal));
                }
                let words = [number(part, 0), number(part, 4)];
                let count = u32::from(u16::from_le_bytes([part[18], part[19]]));
                if !are_known(&words) {
                    return None;
                }
                nodes.parts.push(Part {
                    kind,
                    file: id,
                    ordinal,
                    parent,
                    name: Word(words[0]),
                    local_name: Word(words[1]),
                    decorators: Words { first: if count == 0 { 0 } else { decorated }, count },
                    occurrence: number(part, 12),
                    is_async: is(IS_ASYNC),
                    is_test: is(IS_TEST),
                    is_conditional: is(IS_CONDITIONAL),
                    is_public: is(IS_PUBLIC),
                    keeps_classes: is(KEEPS_CLASSES),
                });
                decorated = decorated.checked_add(count)?;
            }
            let end = nodes.parts.len() as u32;
            for ordinal in by_key.get(first as usize..end as usize)? {
                let part = first.checked_add(u32::from_le_bytes(*ordinal)).filter(|part| *part < end)?;
                nodes.by_key.push(PartId(part));
            }
            if file.opaque.is_some() || file.has_problems {
                nodes.damaged.push(id);
            }
            let path: Arc<str> = path.into();
            nodes.by_path.insert(Arc::clone(&path), id);
            nodes.files.push(FileNode {
                path,
                language: file.language,
                parts: first..end,
                opaque: file.opaque,
                has_problems: file.has_problems,
                is_generated: file.is_generated,
                is_test: file.is_test,
                has_configured_tests: file.has_configured_tests,
                makes_tests: file.makes_tests,
                gives_names: file.gives_names,
                module: (*self.modules.get(file.module as usize)?).into(),
            });
        }
        let is_all = left.is_empty() && decorated as usize == decorators.len() && nodes.files.len() == self.files.len();
        if !is_all || nodes.by_path.len() != nodes.files.len() {
            return None;
        }
        nodes.decorators = decorators.into_iter().map(Word).collect();
        nodes.names = names;
        nodes.close_subtrees();
        Some(nodes)
    }
}
