//! What was read of each file of a tree. Of a graph that was recalled, each outline is read when somebody asks for it:
//! who plans one edit needs few of them.

use std::sync::{Arc, OnceLock};

use super::Chunks;
use crate::code::FileId;
use crate::facts::{ContentId, Language, Outline};
use crate::resolve::Scopes;
use crate::store::FactStore;

/// The outlines of a tree by file; none for files that nothing reads, or that could not be read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outlines(Chunks<Slot>);

/// The outline of one file, and what of it is kept for look-ups.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    outline: Place,
    scopes: OnceLock<Arc<Scopes>>,
}

/// The outline of one file, or where it is.
#[derive(Debug, Clone)]
enum Place {
    Known(Option<Arc<Outline>>),
    Kept(Arc<Kept>),
}

impl From<Place> for Slot {
    fn from(outline: Place) -> Self {
        Self { outline, scopes: OnceLock::new() }
    }
}

/// An outline that the store has.
#[derive(Debug)]
struct Kept {
    content: ContentId,
    language: Language,
    /// How many parts the graph has of the file.
    parts: usize,
    store: Arc<FactStore>,
    loaded: OnceLock<Option<Arc<Outline>>>,
}

impl Kept {
    fn load(&self) -> Option<Arc<Outline>> {
        let facts = self.store.get(self.content, self.language)?;
        // What is read of a manifest are no parts. Who asks for the outline of a part takes it by its ordinal.
        let fits = self.language.is_manifest() || facts.outline.parts.len() == self.parts;
        (fits && facts.opaque().is_none()).then(|| Arc::clone(&facts.outline))
    }
}

impl FromIterator<Option<Arc<Outline>>> for Outlines {
    fn from_iter<I: IntoIterator<Item = Option<Arc<Outline>>>>(outlines: I) -> Self {
        Self(outlines.into_iter().map(Self::known).collect())
    }
}

impl FromIterator<Slot> for Outlines {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        Self(slots.into_iter().collect())
    }
}

impl Outlines {
    /// What stands for the outline of a file, in another tree too.
    pub(super) fn slot(&self, file: FileId) -> Slot {
        self.0.get(file.0 as usize).cloned().unwrap_or_else(|| Self::known(None))
    }

    /// What stands for an outline that was read.
    pub(super) fn known(outline: Option<Arc<Outline>>) -> Slot {
        Place::Known(outline).into()
    }

    /// Of files whose facts a store has: by content and language, and the parts of each; `None` where nothing was read.
    pub(super) fn kept(
        store: &Arc<FactStore>,
        files: impl Iterator<Item = Option<(ContentId, Language, usize)>>,
    ) -> Self {
        let slot = |file| match file {
            None => Self::known(None),
            Some((content, language, parts)) => {
                let store = Arc::clone(store);
                Place::Kept(Arc::new(Kept { content, language, parts, store, loaded: OnceLock::new() })).into()
            }
        };
        Self(files.map(slot).collect())
    }

    /// The outline of a file.
    pub(crate) fn of(&self, file: FileId) -> Option<&Arc<Outline>> {
        match &self.0.get(file.0 as usize)?.outline {
            Place::Known(outline) => outline.as_ref(),
            Place::Kept(kept) => kept.loaded.get_or_init(|| kept.load()).as_ref(),
        }
    }

    /// The scopes of a file, made where they are not yet; they stay as long as the outline does.
    pub(crate) fn scopes(&self, file: FileId, make: impl FnOnce() -> Scopes) -> Option<&Scopes> {
        Some(self.0.get(file.0 as usize)?.scopes.get_or_init(|| Arc::new(make())))
    }

    /// Whether a file has one, as far as is known without reading it.
    pub(super) fn has(&self, file: FileId) -> bool {
        self.0.get(file.0 as usize).is_some_and(|slot| !matches!(slot.outline, Place::Known(None)))
    }

    pub(super) fn set(&mut self, file: FileId, outline: Arc<Outline>) {
        self.0.set(file.0 as usize, Self::known(Some(outline)));
    }
}
