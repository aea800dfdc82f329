//! From listed files to the engine's trees: facts of every source file, each distinct content read once.

use std::collections::BTreeMap;
use std::sync::Arc;

use grace_engine::input::{Tree, TreeContent, TreeFile};
use grace_graph::change::{Change, Content};
use grace_graph::facts::{ContentId, FileFacts, Language, MAX_PARSED_BYTES, ProblemKind};
use grace_graph::store::FactStore;
use grace_system::git::Oid;
use rayon::prelude::*;

use super::side::{Bytes, Entry, Files, Reader, Source, of_blob};
use crate::failure::{Failure, Result};
use crate::progress::Progress;

/// How many files one task of a worker reads.
const SHARE: usize = 64;

/// Blobs by what they are read as, and what they say.
type Blobs = BTreeMap<(Oid, Language), Option<TreeContent>>;

/// Larger changes are read with everything else, on all threads.
const MOST_AT_ONCE: usize = 8;

/// Reads what a change touches, so that each text of it is parsed once for all that is asked of it.
pub(super) fn read_changed(reader: &Reader<'_>, change: &Change) {
    if change.files.len() > MOST_AT_ONCE {
        return;
    }
    for side in change.files.iter().flat_map(|file| [&file.before, &file.after]).flatten() {
        if let (Content::Text(text), Some(language)) = (&side.content, Language::of_path(&side.path)) {
            reader.memory.store.facts_with_digests(language, text.as_bytes());
        }
    }
}

/// The trees of these sides, in order.
pub(super) fn read(reader: &Reader<'_>, sides: &[&Files], progress: &Progress) -> Result<Vec<Tree>> {
    let mut blobs = Blobs::new();
    let mut others: BTreeMap<&str, Vec<(usize, &Entry, Language)>> = BTreeMap::new();
    for (side, files) in sides.iter().enumerate() {
        for (path, entry) in files.iter() {
            let Some(language) = Language::reader_of(path).filter(|_| entry.is_file()) else { continue };
            match &entry.source {
                Source::Blob(oid) => {
                    blobs.insert((*oid, language), None);
                }
                _ => others.entry(path).or_default().push((side, entry, language)),
            }
        }
    }
    let meter = progress.meter("reading", (blobs.len() + others.len()) as u64);
    read_blobs(reader, &mut blobs, &meter)?;
    let read: Vec<((usize, &str), TreeContent)> = others
        .into_par_iter()
        .flat_map_iter(|(path, entries)| {
            meter.advance(1);
            entries
                .into_iter()
                .map(move |(side, entry, language)| ((side, path), content(reader, path, entry, language)))
        })
        .collect();
    let read: BTreeMap<(usize, &str), TreeContent> = read.into_iter().collect();
    let tree = |side: usize, files: &Files| {
        let file = |(path, entry): (&String, &Entry)| {
            let content = match (&entry.source, Language::reader_of(path).filter(|_| entry.is_file())) {
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

fn read_blobs(reader: &Reader<'_>, blobs: &mut Blobs, meter: &crate::progress::Meter) -> Result<()> {
    let (memory, store) = (&reader.memory, &reader.memory.store);
    // What was read before needs no reading, and what stands in the work tree needs no git.
    blobs.par_iter_mut().for_each(|((oid, language), slot)| {
        let known =
            memory.content_of_blob(*oid).and_then(|content| Some((content, memory.read_before(content, *language)?)));
        let known = known.or_else(|| {
            let bytes = reader.blob_on_disk(*oid, MAX_PARSED_BYTES as u64)?;
            let facts = store.facts(*language, &bytes);
            Some((facts.content, facts.opaque()))
        });
        if let Some((content, opaque)) = known {
            store.learn_blob(oid.as_bytes(), content);
            *slot = Some(of_content(content, opaque));
            meter.advance(1);
        }
    });
    let mut wanted: Vec<_> = blobs.iter_mut().filter(|(_, slot)| slot.is_none()).collect();
    // A share per worker would leave one with the long files; many small shares would start git anew for each.
    let share = wanted.len().div_ceil(rayon::current_num_threads() * 2).max(SHARE);
    wanted.par_chunks_mut(share).try_for_each(|share| {
        let Some(mut git) = reader.blobs() else { return Ok(()) };
        let oids: Vec<Oid> = share.iter().map(|((oid, _), _)| *oid).collect();
        git.read_many(&oids, MAX_PARSED_BYTES as u64, |index, blob| {
            if let Some(((oid, language), slot)) = share.get_mut(index) {
                let bytes = of_blob(blob);
                if let Ok(bytes) = &bytes {
                    store.learn_blob(oid.as_bytes(), ContentId::of(bytes));
                }
                **slot = Some(facts(bytes, *language, store));
            }
            meter.advance(1);
        })
        .map_err(Failure::from)
    })
}

fn content(reader: &Reader<'_>, path: &str, entry: &Entry, language: Language) -> TreeContent {
    let store = &reader.memory.store;
    if entry.source == Source::Disk
        && let Some(content) = reader.memory.content_on_disk(path)
        && let Some(opaque) = reader.memory.read_before(content, language)
    {
        return of_content(content, opaque);
    }
    match reader.bytes(path, entry, MAX_PARSED_BYTES as u64) {
        Ok(bytes) => {
            if let Ok(bytes) = &bytes
                && entry.source == Source::Disk
            {
                reader.was_read(path, bytes);
            }
            facts(bytes, language, store)
        }
        Err(failure) => TreeContent::Opaque(failure.message.into()),
    }
}

fn of_facts(facts: &FileFacts) -> TreeContent {
    of_content(facts.content, facts.opaque())
}

fn of_content(content: ContentId, unread: Option<ProblemKind>) -> TreeContent {
    match unread {
        None => TreeContent::Code(content),
        Some(kind) => TreeContent::Opaque(Arc::from(opaque(kind))),
    }
}

/// What a file's bytes are to the engine.
pub(super) fn facts(bytes: Bytes, language: Language, store: &FactStore) -> TreeContent {
    match bytes {
        Ok(bytes) => of_facts(&store.facts(language, &bytes)),
        Err(unread) => TreeContent::Opaque(unread.reason()),
    }
}

fn opaque(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::TooLarge => "it is too large to be parsed",
        ProblemKind::NotUtf8 => "it is not UTF-8 text",
        ProblemKind::HasNul => "it holds a NUL byte",
        ProblemKind::OverBudget => "the parser gave up on it",
        ProblemKind::Unreadable => "it could not be read",
        ProblemKind::SyntaxError | ProblemKind::TooDeep | ProblemKind::StrayTags => "it could not be parsed",
    }
}
