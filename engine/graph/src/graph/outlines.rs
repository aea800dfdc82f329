//! What was read of each file of a tree. Of a graph that was recalled, each outline is read when somebody asks for it:
//! who plans one edit needs few of them.

use std::sync::{Arc, OnceLock};

use super::Chunks;
use super::image::WordsOfFiles;
use crate::code::FileId;
use crate::facts::{ContentId, Language, Outline};
use crate::resolve::Scopes;
use crate::store::FactStore;
use crate::words::{KeptWords, Sought};

/// Files of which words are told for an image alone.
const MOST_TOLD: u32 = 64;

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
    /// Under a number in a tree that was recalled.
    Kept(Arc<KeptFiles>, FileId),
}

impl From<Place> for Slot {
    fn from(outline: Place) -> Self {
        Self { outline, scopes: OnceLock::new() }
    }
}

/// Outlines of a tree that a store has, and what is remembered of their words.
#[derive(Debug)]
struct KeptFiles {
    store: Arc<FactStore>,
    words: WordsOfFiles,
    files: Vec<Option<KeptFile>>,
}

/// An outline that a store has.
#[derive(Debug)]
struct KeptFile {
    content: ContentId,
    language: Language,
    /// How many parts the graph has of the file.
    parts: usize,
    loaded: OnceLock<Option<Arc<Outline>>>,
}

impl KeptFile {
    fn load(&self, store: &FactStore) -> Option<Arc<Outline>> {
        let facts = store.get(self.content, self.language)?;
        // What is read of a manifest are no parts. Who asks for the outline of a part takes it by its ordinal.
        let fits = self.language.is_manifest() || facts.outline.parts.len() == self.parts;
        (fits && facts.opaque().is_none()).then(|| Arc::clone(&facts.outline))
    }
}

impl KeptFiles {
    fn file(&self, number: FileId) -> Option<&KeptFile> {
        self.files.get(number.0 as usize)?.as_ref()
    }

    fn outline(&self, number: FileId) -> Option<&Arc<Outline>> {
        let file = self.file(number)?;
        file.loaded.get_or_init(|| file.load(&self.store)).as_ref()
    }

    /// The outline of a file, where somebody asked for it already.
    fn loaded(&self, number: FileId) -> Option<&Arc<Outline>> {
        self.file(number)?.loaded.get()?.as_ref()
    }

    /// What is remembered of the words of a file, as long as it was not read.
    fn words_unread(&self, number: FileId) -> Option<KeptWords<'_>> {
        self.words.of(number).filter(|_| self.loaded(number).is_none())
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

    /// Of files whose facts a store has: by content and language, and the parts of each; `None` where nothing was read. What
    /// is remembered of their words is there by the same numbers.
    pub(super) fn kept(
        store: &Arc<FactStore>,
        words: WordsOfFiles,
        files: impl Iterator<Item = Option<(ContentId, Language, usize)>>,
    ) -> Self {
        let kept = |(content, language, parts)| KeptFile { content, language, parts, loaded: OnceLock::new() };
        let files: Vec<Option<KeptFile>> = files.map(|file| file.map(kept)).collect();
        let kept = Arc::new(KeptFiles { store: Arc::clone(store), words, files });
        let slot = |(number, file): (u32, &Option<KeptFile>)| match file {
            None => Self::known(None),
            Some(_) => Place::Kept(Arc::clone(&kept), FileId(number)).into(),
        };
        Self((0..).zip(&kept.files).map(slot).collect())
    }

    /// The outline of a file.
    pub(crate) fn of(&self, file: FileId) -> Option<&Arc<Outline>> {
        match &self.0.get(file.0 as usize)?.outline {
            Place::Known(outline) => outline.as_ref(),
            Place::Kept(kept, number) => kept.outline(*number),
        }
    }

    /// The outline of a file that holds one of these words. Nothing is read of one that does not, by what is remembered.
    pub(crate) fn holder(&self, file: FileId, sought: &Sought) -> Option<&Arc<Outline>> {
        let lacks = |words: KeptWords<'_>| !words.may_hold(sought);
        match &self.0.get(file.0 as usize)?.outline {
            _ if sought.is_empty() => None,
            Place::Kept(kept, number) if kept.words_unread(*number).is_some_and(lacks) => None,
            _ => self.of(file).filter(|outline| outline.words().hold(sought)),
        }
    }

    /// Whether a file asks for attributes by a name that is computed.
    pub(crate) fn computes(&self, file: FileId) -> bool {
        let kept = match self.0.get(file.0 as usize).map(|slot| &slot.outline) {
            Some(Place::Kept(kept, number)) => kept.words_unread(*number),
            _ => None,
        };
        let read = || self.of(file).is_some_and(|outline| outline.words().compute());
        kept.map_or_else(read, KeptWords::compute)
    }

    /// What is to be remembered of the words of each file that is wanted; `None` where those of many are not told yet.
    pub(super) fn words(&self, is_wanted: impl Fn(FileId) -> bool) -> Option<Vec<Vec<u8>>> {
        let mut told_here = 0;
        let words = |(number, slot): (u32, &Slot)| {
            if !is_wanted(FileId(number)) {
                return Some(Vec::new());
            }
            let outline = match &slot.outline {
                Place::Known(outline) => outline.as_ref(),
                Place::Kept(kept, number) => match kept.words.bytes_of(*number).filter(|words| !words.is_empty()) {
                    Some(words) => return Some(words.to_vec()),
                    None => Some(kept.loaded(*number)?),
                },
            };
            let Some(outline) = outline else { return Some(Vec::new()) };
            told_here += u32::from(!outline.are_words_told());
            (told_here <= MOST_TOLD).then(|| outline.words().kept())
        };
        (0..).zip(self.0.iter()).map(words).collect()
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
