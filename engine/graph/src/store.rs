//! Facts by content: each content is extracted once, whoever asks and from whichever tree. In memory, and beneath it on disk
//! where the store was given a place there.

mod codec;
mod disk;
mod index;
mod table;
mod tree;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::extract;
use crate::facts::{ContentId, FileFacts, Language, ProblemKind};
use crate::graph::{CodeGraph, IMAGES, Label};

pub(crate) use disk::VERSION;
pub use disk::{Disk, MOST_BYTES, record_checksum};
use index::{BlobName, Key};
pub use tree::TreeMemory;

/// How many files one task of a worker reads: one that is left with more keeps the others waiting.
const SHARE: usize = 64;

/// A content-addressed store of facts. Cheap to share behind an `Arc`; safe from many threads.
#[derive(Debug, Default)]
pub struct FactStore {
    facts: Mutex<FxHashMap<(ContentId, Language), Arc<FileFacts>>>,
    extractions: AtomicUsize,
    disk: Option<Disk>,
    tree: Option<Arc<TreeMemory>>,
    lost: AtomicBool,
    fresh: Mutex<Fresh>,
}

/// What the disk does not have yet.
#[derive(Debug, Default)]
struct Fresh {
    facts: Vec<(ContentId, Language)>,
    blobs: Vec<(BlobName, ContentId)>,
    graphs: Vec<(usize, CodeGraph, Vec<Label>)>,
}

impl FactStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A store above what the disk has. Nothing is written before [`FactStore::keep`].
    #[must_use]
    pub fn over(disk: Disk) -> Self {
        Self { disk: Some(disk), ..Self::default() }
    }

    /// With what is remembered of a work tree: its graphs.
    #[must_use]
    pub fn with_tree(self, tree: Arc<TreeMemory>) -> Self {
        Self { tree: Some(tree), ..self }
    }

    pub(crate) fn tree(&self) -> Option<&TreeMemory> {
        self.tree.as_deref()
    }

    /// Remembers a graph with the labels of its files in place of the one of this number: 0 is that before a change, 1 that
    /// after it. [`CodeGraph::recall`] finds it.
    pub fn learn_graph(&self, number: usize, graph: &CodeGraph, labels: Vec<Label>) {
        if self.tree.is_some() && number < IMAGES {
            let graphs = &mut self.fresh().graphs;
            graphs.retain(|(known, _, _)| *known != number);
            graphs.push((number, graph.clone(), labels));
        }
    }

    /// The facts of these bytes, extracted unless they are known. Their digests are there if somebody asked for them before.
    pub fn facts(&self, language: Language, bytes: &[u8]) -> Arc<FileFacts> {
        let content = ContentId::of(bytes);
        if let Some(known) = self.get(content, language) {
            return known;
        }
        // Outside the lock: two threads with one new content may both extract it, and both get the first one's facts.
        let facts = Arc::new(extract::facts(language, bytes));
        self.extractions.fetch_add(1, Ordering::Relaxed);
        self.to_be_kept(content, language);
        Arc::clone(self.map().entry((content, language)).or_insert(facts))
    }

    /// [`FactStore::facts`] with the digests of the parts, for files that a change touches. Where just these are lacking all is
    /// read once more.
    pub fn facts_with_digests(&self, language: Language, bytes: &[u8]) -> Arc<FileFacts> {
        let known = self.get(ContentId::of(bytes), language);
        if let Some(known) = &known
            && (!known.digests.is_empty() || known.opaque().is_some())
        {
            return Arc::clone(known);
        }
        let read = extract::extract(language, bytes);
        let facts = match known {
            Some(known) => {
                let FileFacts { digests, reads_otherwise, quiet, .. } = read;
                FileFacts { digests, reads_otherwise, quiet, ..(*known).clone() }
            }
            None => {
                self.extractions.fetch_add(1, Ordering::Relaxed);
                read
            }
        };
        let facts = Arc::new(facts);
        self.to_be_kept(facts.content, language);
        self.map().insert((facts.content, language), Arc::clone(&facts));
        facts
    }

    /// The facts of a content that was read before, in this process or in another one.
    #[must_use]
    pub fn get(&self, content: ContentId, language: Language) -> Option<Arc<FileFacts>> {
        if let Some(known) = self.map().get(&(content, language)) {
            return Some(Arc::clone(known));
        }
        let disk = self.disk.as_ref()?;
        let key = Key::each(content, language).into_iter().find(|key| disk.has(key))?;
        let Some(facts) = disk.read(&key).and_then(|record| codec::decode(content, &record)) else {
            self.lost.store(true, Ordering::Relaxed);
            return None;
        };
        Some(Arc::clone(self.map().entry((content, language)).or_insert(Arc::new(facts))))
    }

    /// Whether a content was read before, and what kept it from being read as code, by the index alone: nobody looked at the
    /// record itself yet. Where that is found damaged, the store [has lost](Self::has_lost) it.
    #[must_use]
    pub fn knows(&self, content: ContentId, language: Language) -> Option<Option<ProblemKind>> {
        let [readable, _] = Key::each(content, language);
        let is_known = self.map().contains_key(&(content, language));
        if !is_known && self.disk.as_ref().is_some_and(|disk| disk.has(&readable)) {
            return Some(None);
        }
        Some(self.get(content, language)?.opaque())
    }

    /// Whether something was not there that the index names: what was told from this store may be less than there is.
    #[must_use]
    pub fn has_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// The content of a blob, if somebody read it before. `name` is git's, of 20 or 32 bytes.
    #[must_use]
    pub fn content_of_blob(&self, name: &[u8]) -> Option<ContentId> {
        self.disk.as_ref()?.content_of(&blob_name(name)?)
    }

    /// Remembers that a blob has this content.
    pub fn learn_blob(&self, name: &[u8], content: ContentId) {
        if let Some(disk) = &self.disk
            && let Some(name) = blob_name(name)
            && disk.content_of(&name) != Some(content)
        {
            self.fresh().blobs.push((name, content));
        }
    }

    /// Writes to disk what was learnt since the last call. Where that cannot be done, nothing is kept and nothing is said.
    pub fn keep(&self) {
        let mut fresh = std::mem::take(&mut *self.fresh());
        // A graph that lacks something would lack it for good.
        let graphs = if self.has_lost() { &[] } else { fresh.graphs.as_slice() };
        for (number, graph, labels) in graphs {
            if let Some(tree) = &self.tree
                && let Some((head, body)) = graph.image(labels)
            {
                tree.keep_graph(*number, &head, &body);
            }
        }
        let Some(disk) = &self.disk else { return };
        fresh.facts.sort_unstable();
        fresh.facts.dedup();
        let facts: Vec<_> = {
            let map = self.map();
            fresh.facts.iter().filter_map(|key| Some((*key, Arc::clone(map.get(key)?)))).collect()
        };
        let records: Vec<(Key, &FileFacts)> = facts
            .iter()
            .map(|((content, language), facts)| {
                let [readable, opaque] = Key::each(*content, *language);
                (if facts.opaque().is_none() { readable } else { opaque }, &**facts)
            })
            .collect();
        disk.keep(&records, &fresh.blobs);
    }

    /// How many extractions were run so far, not counting digests.
    #[must_use]
    pub fn extractions(&self) -> usize {
        self.extractions.load(Ordering::Relaxed)
    }

    /// How many contents are known in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map().len()
    }

    /// True when nothing is known in memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Facts of many files in the order given, extracted in parallel. `load` gives the bytes of one path (`None` where they
    /// cannot be read); they are dropped as soon as their facts are known. Files without an extractor are not loaded.
    pub fn load_tree<P, L>(&self, paths: &[P], load: L) -> Vec<Option<Arc<FileFacts>>>
    where
        P: AsRef<str> + Sync,
        L: Fn(&str) -> Option<Vec<u8>> + Sync,
    {
        paths
            .par_iter()
            .with_max_len(SHARE)
            .map(|path| {
                let path = path.as_ref();
                let language = Language::reader_of(path)?;
                Some(match load(path) {
                    Some(bytes) => self.facts(language, &bytes),
                    None => Arc::new(FileFacts::unreadable(ContentId::of(path.as_bytes()), ProblemKind::Unreadable)),
                })
            })
            .collect()
    }

    fn map(&self) -> MutexGuard<'_, FxHashMap<(ContentId, Language), Arc<FileFacts>>> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self) -> MutexGuard<'_, Fresh> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_be_kept(&self, content: ContentId, language: Language) {
        if self.disk.is_some() {
            self.fresh().facts.push((content, language));
        }
    }
}

/// A name of 20 or 32 bytes, with zeros behind the short ones.
fn blob_name(name: &[u8]) -> Option<BlobName> {
    let mut padded = [0; 32];
    padded.get_mut(..name.len())?.copy_from_slice(name);
    Some(padded)
}
