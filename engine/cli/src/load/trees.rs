//! From listed files to the engine's trees: facts of every source file, each distinct content read once.

use std::collections::BTreeMap;
use std::sync::Arc;

use grace_engine::input::{Tree, TreeContent, TreeFile};
use grace_graph::facts::{Language, MAX_PARSED_BYTES};
use grace_graph::store::FactStore;
use grace_system::git::Oid;
use rayon::prelude::*;

use super::side::{Bytes, Entry, Files, Reader, Source, of_blob};
use crate::failure::{Failure, Result};
use crate::progress::Progress;

/// How many files one task of a worker reads.
const SHARE: usize = 64;

/// The trees of these sides, in order.
pub(super) fn read(reader: &Reader<'_>, sides: &[&Files], store: &FactStore, progress: &Progress) -> Result<Vec<Tree>> {
    let mut blobs: BTreeMap<(Oid, Language), Option<TreeContent>> = BTreeMap::new();
    let mut others: BTreeMap<&str, Vec<(usize, &Entry, Language)>> = BTreeMap::new();
    for (side, files) in sides.iter().enumerate() {
        for (path, entry) in files.iter() {
            let Some(language) = Language::of_path(path).filter(|_| entry.is_file()) else { continue };
            match &entry.source {
                Source::Blob(oid) => {
                    blobs.insert((*oid, language), None);
                }
                _ => others.entry(path).or_default().push((side, entry, language)),
            }
        }
    }
    let meter = progress.meter("reading", (blobs.len() + others.len()) as u64);
    read_blobs(reader, &mut blobs, store, &meter)?;
    let read: Vec<((usize, &str), TreeContent)> = others
        .into_par_iter()
        .flat_map_iter(|(path, entries)| {
            meter.advance(1);
            entries
                .into_iter()
                .map(move |(side, entry, language)| ((side, path), content(reader, path, entry, language, store)))
        })
        .collect();
    let read: BTreeMap<(usize, &str), TreeContent> = read.into_iter().collect();
    let tree = |side: usize, files: &Files| {
        let file = |(path, entry): (&String, &Entry)| {
            let content = match (&entry.source, Language::of_path(path).filter(|_| entry.is_file())) {
                (_, None) => TreeContent::Other,
                (Source::Blob(oid), Some(language)) => {
                    blobs.get(&(*oid, language)).cloned().flatten().unwrap_or_else(unread)
                }
                (_, Some(_)) => read.get(&(side, path.as_str())).cloned().unwrap_or_else(unread),
            };
            TreeFile { path: path.as_str().into(), content }
        };
        Tree { files: files.iter().map(file).collect() }
    };
    Ok(sides.iter().enumerate().map(|(side, files)| tree(side, files)).collect())
}

fn unread() -> TreeContent {
    TreeContent::Opaque("it was not read".into())
}

fn read_blobs(
    reader: &Reader<'_>,
    blobs: &mut BTreeMap<(Oid, Language), Option<TreeContent>>,
    store: &FactStore,
    meter: &crate::progress::Meter,
) -> Result<()> {
    let mut wanted: Vec<_> = blobs.iter_mut().collect();
    // A share per worker would leave one with the long files; many small shares would start git anew for each.
    let share = wanted.len().div_ceil(rayon::current_num_threads() * 2).max(SHARE);
    wanted.par_chunks_mut(share).try_for_each(|share| {
        let Some(mut git) = reader.blobs() else { return Ok(()) };
        let oids: Vec<Oid> = share.iter().map(|((oid, _), _)| *oid).collect();
        git.read_many(&oids, MAX_PARSED_BYTES as u64, |index, blob| {
            if let Some(((_, language), slot)) = share.get_mut(index) {
                **slot = Some(facts(of_blob(blob), *language, store));
            }
            meter.advance(1);
        })
        .map_err(Failure::from)
    })
}

fn content(reader: &Reader<'_>, path: &str, entry: &Entry, language: Language, store: &FactStore) -> TreeContent {
    match reader.bytes(&mut None, path, entry, MAX_PARSED_BYTES as u64) {
        Ok(bytes) => facts(bytes, language, store),
        Err(failure) => TreeContent::Opaque(failure.message.into()),
    }
}

fn facts(bytes: Bytes, language: Language, store: &FactStore) -> TreeContent {
    match bytes {
        Ok(bytes) => {
            let facts = store.facts(language, &bytes);
            match facts.opaque() {
                None => TreeContent::Code(facts.content),
                Some(kind) => TreeContent::Opaque(Arc::from(opaque(kind))),
            }
        }
        Err(unread) => TreeContent::Opaque(unread.reason()),
    }
}

fn opaque(kind: grace_graph::facts::ProblemKind) -> &'static str {
    use grace_graph::facts::ProblemKind;
    match kind {
        ProblemKind::TooLarge => "it is too large to be parsed",
        ProblemKind::NotUtf8 => "it is not UTF-8 text",
        ProblemKind::HasNul => "it holds a NUL byte",
        ProblemKind::OverBudget => "the parser gave up on it",
        ProblemKind::Unreadable => "it could not be read",
        ProblemKind::SyntaxError | ProblemKind::TooDeep | ProblemKind::StrayTags => "it could not be parsed",
    }
}
