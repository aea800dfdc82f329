//! Facts by content: each content is extracted once, whoever asks and from whichever tree. In memory only.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::extract;
use crate::facts::{ContentId, FileFacts, Language, ProblemKind};

/// A content-addressed store of facts. Cheap to share behind an `Arc`; safe from many threads.
#[derive(Debug, Default)]
pub struct FactStore {
    facts: Mutex<FxHashMap<(ContentId, Language), Arc<FileFacts>>>,
    extractions: AtomicUsize,
}

impl FactStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The facts of these bytes, extracted unless they are known. Their digests are there if somebody asked for them before.
    pub fn facts(&self, language: Language, bytes: &[u8]) -> Arc<FileFacts> {
        let content = ContentId::of(bytes);
        if let Some(known) = self.get(content, language) {
            return known;
        }
        // Outside the lock: two threads with one new content may both extract it, and both get the first one's facts.
        let facts = Arc::new(extract::facts(content, language, bytes));
        self.extractions.fetch_add(1, Ordering::Relaxed);
        let mut map = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(map.entry((content, language)).or_insert(facts))
    }

    /// [`FactStore::facts`] with the digests of the parts, which take a parse of their own: for files that a change touches.
    pub fn facts_with_digests(&self, language: Language, bytes: &[u8]) -> Arc<FileFacts> {
        let known = self.facts(language, bytes);
        if !known.digests.is_empty() || known.opaque().is_some() {
            return known;
        }
        let facts = Arc::new(FileFacts { digests: extract::digests(language, bytes), ..FileFacts::clone(&known) });
        let mut map = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        map.insert((facts.content, language), Arc::clone(&facts));
        facts
    }

    /// The facts of a content that was read before.
    #[must_use]
    pub fn get(&self, content: ContentId, language: Language) -> Option<Arc<FileFacts>> {
        let map = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        map.get(&(content, language)).cloned()
    }

    /// How many extractions were run so far, not counting digests.
    #[must_use]
    pub fn extractions(&self) -> usize {
        self.extractions.load(Ordering::Relaxed)
    }

    /// How many contents are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// True when nothing is known.
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
            .map(|path| {
                let path = path.as_ref();
                let language = Language::of_path(path)?;
                Some(match load(path) {
                    Some(bytes) => self.facts(language, &bytes),
                    None => Arc::new(FileFacts::unreadable(ContentId::of(path.as_bytes()), ProblemKind::Unreadable)),
                })
            })
            .collect()
    }
}
