//! From listed files to the engine's trees: facts of every source file, each distinct content read once.

use std::collections::BTreeMap;
use std::sync::Arc;

use grace_engine::input::{Tree, TreeContent, TreeFile};
use grace_graph::change::{Change, Content};
use grace_graph::facts::{ContentId, FileFacts, Language, MAX_PARSED_BYTES, ProblemKind};
use grace_graph::store::FactStore;
use grace_system::files::LookIn;
use grace_system::git::Oid;
use rayon::prelude::*;

use super::side::{Bytes, Entry, Files, Reader, Source, of_blob};
use crate::failure::{Failure, Result};
use crate::progress::Progress;

/// How many files one task of a worker reads.
const SHARE: usize = 64;
/// As few are read on this thread: others need not be started for them.
const FEW: usize = 4;

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

/// A file of a side.
struct Listed<'f> {
    name: &'f str,
    path: Arc<str>,
    entry: &'f Entry,
    /// What reads it.
    language: Option<Language>,
    /// What it says, as far as that is known without reading.
    content: Option<TreeContent>,
}

/// The trees of these sides, in order.
pub(super) fn read(reader: &Reader<'_>, sides: &[&Files], progress: &Progress) -> Result<Vec<Tree>> {
    let mut lists: Vec<Vec<Listed<'_>>> = Vec::with_capacity(sides.len());
    for files in sides {
        let list = listed(reader, files, lists.first().map(Vec::as_slice).unwrap_or_default());
        lists.push(list);
    }
    let mut blobs = Blobs::new();
    let mut others: BTreeMap<&str, Vec<(usize, &Entry, Language)>> = BTreeMap::new();
    for (side, list) in lists.iter().enumerate() {
        for file in list.iter().filter(|file| file.content.is_none()) {
            let Some(language) = file.language else { continue };
            match &file.entry.source {
                Source::Blob(oid) => {
                    blobs.insert((*oid, language), None);
                }
                _ => others.entry(file.name).or_default().push((side, file.entry, language)),
            }
        }
    }
    let meter = progress.meter("reading", (blobs.len() + others.len()) as u64);
    read_blobs(reader, &mut blobs, &meter)?;
    let read_file = |look: &mut LookIn<'_>, (path, entries): (&'_ str, Vec<(usize, &Entry, Language)>)| {
        meter.advance(1);
        let read = |(side, entry, language)| ((side, path.to_owned()), content(reader, look, path, entry, language));
        entries.into_iter().map(read).collect::<Vec<_>>()
    };
    let read: BTreeMap<(usize, String), TreeContent> = if others.len() <= FEW {
        let mut look = reader.look();
        others.into_iter().flat_map(|file| read_file(&mut look, file)).collect()
    } else {
        let others: Vec<_> = others.into_iter().collect();
        let read = others.into_par_iter().with_max_len(SHARE).map_init(|| reader.look(), read_file);
        read.flatten_iter().collect::<Vec<_>>().into_iter().collect()
    };
    let content = |side: usize, file: &Listed<'_>| match (&file.entry.source, file.language) {
        (_, None) => TreeContent::Other,
        (Source::Blob(oid), Some(language)) => blobs.get(&(*oid, language)).cloned().flatten().unwrap_or_else(unread),
        (_, Some(_)) => read.get(&(side, file.name.to_owned())).cloned().unwrap_or_else(unread),
    };
    let tree = |(side, list): (usize, Vec<Listed<'_>>)| {
        let file = |mut file: Listed<'_>| TreeFile {
            content: file.content.take().unwrap_or_else(|| content(side, &file)),
            path: file.path,
        };
        Tree { files: list.into_iter().map(file).collect() }
    };
    Ok(lists.into_iter().enumerate().map(tree).collect())
}

/// The files of a side. What another side has just so is taken from there, and of a blob that stands in the work tree it is
/// known what it says.
fn listed<'f>(reader: &Reader<'_>, files: &'f Files, like: &[Listed<'_>]) -> Vec<Listed<'f>> {
    let found = if reader.memory.is_believed() { reader.memory.files() } else { &[] };
    let (mut like, mut found) = (like.iter().peekable(), found.iter().peekable());
    let list = |(path, entry): (&'f String, &'f Entry)| {
        let name = path.as_str();
        while like.next_if(|other| other.name < name).is_some() {}
        let is_same = |other: &&Listed<'_>| {
            let is_blob = matches!((&other.entry.source, &entry.source), (Source::Blob(one), Source::Blob(other)) if one == other);
            other.name == name && is_blob && other.entry.kind == entry.kind
        };
        if let Some(same) = like.next_if(is_same) {
            return Listed {
                name,
                path: Arc::clone(&same.path),
                entry,
                language: same.language,
                content: same.content.clone(),
            };
        }
        let language = Language::reader_of(path).filter(|_| entry.is_file());
        let content = match (&entry.source, language) {
            (_, None) => Some(TreeContent::Other),
            (Source::Blob(oid), Some(language)) => {
                while found.next_if(|file| file.path.as_str() < name).is_some() {}
                let here = found.next_if(|file| file.path == *path && file.names.blob == *oid);
                here.map(|file| ContentId(file.names.content))
                    .and_then(|content| Some(of_content(content, reader.memory.read_before(content, language)?)))
            }
            _ => None,
        };
        Listed { name, path: name.into(), entry, language, content }
    };
    files.iter().map(list).collect()
}

fn unread() -> TreeContent {
    TreeContent::Opaque("it was not read".into())
}

fn read_blobs(reader: &Reader<'_>, blobs: &mut Blobs, meter: &crate::progress::Meter) -> Result<()> {
    let (memory, store) = (&reader.memory, &reader.memory.store);
    // What was read before needs no reading, and what stands in the work tree needs no git.
    let look = |((oid, language), slot): (&(Oid, Language), &mut Option<TreeContent>)| {
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
    };
    if blobs.len() <= FEW {
        blobs.iter_mut().for_each(look)
    } else {
        let all: Vec<_> = blobs.iter_mut().collect();
        all.into_par_iter().with_max_len(SHARE).for_each(look)
    }
    let mut wanted: Vec<_> = blobs.iter_mut().filter(|(_, slot)| slot.is_none()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
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

fn content(reader: &Reader<'_>, look: &mut LookIn<'_>, path: &str, entry: &Entry, language: Language) -> TreeContent {
    let store = &reader.memory.store;
    if entry.source != Source::Disk {
        return match reader.bytes(path, entry, MAX_PARSED_BYTES as u64) {
            Ok(bytes) => facts(bytes, language, store),
            Err(failure) => TreeContent::Opaque(failure.message.into()),
        };
    }
    if let Some(content) = reader.memory.content_on_disk(path)
        && let Some(opaque) = reader.memory.read_before(content, language)
    {
        return of_content(content, opaque);
    }
    match look.read(path, MAX_PARSED_BYTES as u64) {
        Ok((bytes, stamp)) => {
            let facts = store.facts(language, &bytes);
            reader.was_read(path, &stamp, facts.content, &bytes);
            of_facts(&facts)
        }
        Err(error) => TreeContent::Opaque(reader.unread(path, &error).reason()),
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
