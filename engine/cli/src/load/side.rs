//! One side of a comparison: which files it has, where their content is, and how to read it within bounds.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use grace_graph::change::{Content, FileSide};
use grace_graph::facts::ContentId;
use grace_system::files::{self, FileError, FileErrorKind, LookIn, Stamp};
use grace_system::git::{Blob, Blobs, EntryKind, Oid, Repository, TreeEntry};

use super::memory::{Cache, Memory};
use crate::failure::{Result, why};

pub use grace_system::Problem;

/// The files of one side, by repository-relative path.
pub type Files = BTreeMap<String, Entry>;

/// The largest text of a changed file that is compared, in bytes; the same as what is parsed.
pub(super) const MAX_TEXT: u64 = grace_graph::facts::MAX_PARSED_BYTES as u64;

/// The largest file that is named by its content, in bytes.
const MAX_NAMED: u64 = 1 << 30;

/// One file of a side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Where its content is.
    pub source: Source,
}

/// Where the content of a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In git's object database.
    Blob(Oid),
    /// On disk, at the entry's own path.
    Disk,
    /// Here: a diff made it.
    Given(Content),
    /// It cannot be read, or not without guessing; why.
    Unreadable(Arc<str>),
}

impl Entry {
    /// As git lists it.
    #[must_use]
    pub fn of_git(entry: &TreeEntry) -> Self {
        Self { kind: entry.kind, source: Source::Blob(entry.oid) }
    }

    /// Whether it is a regular file, executable or not.
    #[must_use]
    pub fn is_file(&self) -> bool {
        matches!(self.kind, EntryKind::File | EntryKind::Executable)
    }
}

/// Reads the content of entries.
pub(super) struct Reader<'a> {
    root: PathBuf,
    pub(super) repository: Option<&'a Repository>,
    pub(super) memory: Memory,
    /// For those who read one file after the other.
    blobs: Mutex<Option<Blobs>>,
    /// Blobs that were asked for together, until each is.
    brought: Mutex<HashMap<Oid, Blob>>,
}

/// Bytes, or why there are none.
pub(super) type Bytes = std::result::Result<Vec<u8>, Unread>;

/// Why the bytes of a file are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// Larger than the bound; its size in bytes.
    TooLarge(u64),
    /// Anything else, in words.
    Because(Arc<str>),
}

impl Unread {
    /// In words.
    #[must_use]
    pub(super) fn reason(&self) -> Arc<str> {
        match self {
            Self::TooLarge(size) => {
                format!("it is too large to be read ({})", crate::screen::numbers::bytes(*size)).into()
            }
            Self::Because(why) => Arc::clone(why),
        }
    }
}

impl<'a> Reader<'a> {
    /// Reads below `root`, and from the repository's objects where there is one.
    #[must_use]
    pub(super) fn new(root: &Path, repository: Option<&'a Repository>, cache: Cache) -> Self {
        let memory = Memory::open(cache, root, repository);
        let blobs = Mutex::new(repository.map(Repository::blobs));
        Self { root: root.to_path_buf(), repository, memory, blobs, brought: Mutex::default() }
    }

    /// Asks git once for blobs of at most [`MAX_TEXT`] that are then read one by one.
    ///
    /// # Errors
    /// When git itself fails.
    pub(super) fn bring(&self, blobs: impl Iterator<Item = Oid>) -> Result<()> {
        let stands_elsewhere = |oid: &Oid| self.memory.file_with(*oid).is_some() || self.memory.has_text_of(*oid);
        let mut oids: Vec<Oid> = blobs.filter(|oid| !stands_elsewhere(oid)).collect();
        oids.sort_unstable();
        oids.dedup();
        let mut found = HashMap::with_capacity(oids.len());
        if let Some(git) = &mut *self.blobs.lock().unwrap_or_else(PoisonError::into_inner) {
            git.read_many(&oids, MAX_TEXT, |index, blob| {
                found.extend(oids.get(index).map(|oid| (*oid, blob)));
            })?;
        }
        *self.brought.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }

    /// A blob from git's objects.
    fn blob(&self, oid: Oid, max: u64) -> Result<Bytes> {
        let brought = self.brought.lock().unwrap_or_else(PoisonError::into_inner).remove(&oid);
        let blob = match brought {
            Some(Blob::Data(bytes)) if bytes.len() as u64 > max => Blob::TooLarge(bytes.len() as u64),
            Some(blob @ (Blob::Data(_) | Blob::Missing)) => blob,
            // What was too large then may not be so now.
            Some(Blob::TooLarge(size)) if size > max => Blob::TooLarge(size),
            _ => match &mut *self.blobs.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(blobs) => blobs.read(oid, max)?,
                None => return Ok(Err(Unread::Because("there is no repository".into()))),
            },
        };
        let bytes = of_blob(blob);
        if let Ok(bytes) = &bytes {
            self.memory.used(oid, bytes, true);
        }
        Ok(bytes)
    }

    /// A reader of git's objects for one thread.
    #[must_use]
    pub(super) fn blobs(&self) -> Option<Blobs> {
        self.repository.map(Repository::blobs)
    }

    /// The bytes of a file on disk, at most `max`.
    pub(super) fn disk(&self, path: &str, max: u64) -> Bytes {
        files::read_in(&self.root, path, max).map_err(|error| self.unread(path, &error))
    }

    /// For those who read one file on disk after the other, in order.
    pub(super) fn look(&self) -> LookIn<'_> {
        LookIn::new(&self.root)
    }

    /// What kept a file on disk from being read.
    pub(super) fn unread(&self, path: &str, error: &FileError) -> Unread {
        match &error.kind {
            FileErrorKind::TooLarge { .. } => {
                Unread::TooLarge(files::stat_in(&self.root, path).map_or(0, |stat| stat.size))
            }
            FileErrorKind::NotFound => Unread::Because("it is gone from the disk".into()),
            kind => Unread::Because(why(kind).into()),
        }
    }

    /// The bytes of a blob from the work tree, where they stand there too.
    pub(super) fn blob_on_disk(&self, oid: Oid, max: u64) -> Option<Vec<u8>> {
        let file = self.memory.file_with(oid)?;
        let bytes = files::read_in(&self.root, &file.path, max).ok()?;
        (self.repository?.blob_id(&bytes) == oid).then_some(bytes)
    }

    /// The bytes of a blob, where they stand in the work tree or were read by an earlier run.
    fn blob_read_before(&self, oid: Oid, max: u64) -> Option<Vec<u8>> {
        self.blob_on_disk(oid, max).or_else(|| self.memory.text_of(self.repository?, oid, max))
    }

    /// A file that the listing of the work tree had was read, and found in this state.
    pub(super) fn was_read(&self, path: &str, stamp: &Stamp, content: ContentId, bytes: &[u8]) {
        if let Some(repository) = self.repository {
            self.memory.was_read(repository, path, stamp, content, bytes);
        }
    }

    /// The bytes of a file of a side, at most `max`.
    ///
    /// # Errors
    /// When git itself fails; a file that cannot be read is an answer.
    pub(super) fn bytes(&self, path: &str, entry: &Entry, max: u64) -> Result<Bytes> {
        Ok(match &entry.source {
            Source::Disk if entry.kind == EntryKind::Symlink => {
                files::link_target_in(&self.root, path).map_err(|error| Unread::Because(why(&error.kind).into()))
            }
            Source::Disk => self.disk(path, max),
            Source::Blob(oid) => match self.blob_read_before(*oid, max) {
                Some(bytes) => Ok(bytes),
                None => self.blob(*oid, max)?,
            },
            Source::Given(Content::Text(text)) if text.len() as u64 <= max => Ok(text.as_bytes().to_vec()),
            Source::Given(Content::Text(text)) => Err(Unread::TooLarge(text.len() as u64)),
            Source::Given(Content::Link(target)) => Ok(target.as_bytes().to_vec()),
            Source::Given(Content::TooLarge { size, .. }) => Err(Unread::TooLarge(*size)),
            Source::Given(Content::Unknown(why)) | Source::Unreadable(why) => Err(Unread::Because(Arc::clone(why))),
            Source::Given(Content::Binary(_) | Content::Submodule(_)) => Err(Unread::Because("it is not text".into())),
        })
    }

    /// The text of a file of a side, at most `max` bytes; `Err` says why there is none.
    ///
    /// # Errors
    /// When git itself fails.
    pub(super) fn text(&self, path: &str, entry: &Entry, max: u64) -> Result<std::result::Result<Arc<str>, Arc<str>>> {
        if !entry.is_file() {
            return Ok(Err("it is not a regular file".into()));
        }
        let bytes = self.bytes(path, entry, max)?;
        Ok(bytes.map_err(|unread| unread.reason()).and_then(|bytes| match text(bytes) {
            Ok(text) => Ok(text),
            Err(_) => Err("it is not UTF-8 text".into()),
        }))
    }

    /// One side of a changed file.
    ///
    /// # Errors
    /// When git itself fails.
    pub(super) fn file_side(&self, path: &str, entry: &Entry) -> Result<FileSide> {
        let content = match (&entry.source, entry.kind) {
            (Source::Given(content), _) => content.clone(),
            (Source::Unreadable(why), _) => Content::Unknown(Arc::clone(why)),
            (Source::Blob(oid), EntryKind::Submodule) => Content::Submodule(oid.to_string().into()),
            (source, kind) => match (self.bytes(path, entry, MAX_TEXT)?, kind) {
                (Ok(target), EntryKind::Symlink) => Content::Link(String::from_utf8_lossy(&target).into()),
                (Ok(bytes), _) => {
                    text(bytes).map_or_else(|bytes| Content::Binary(*blake3::hash(&bytes).as_bytes()), Content::Text)
                }
                (Err(Unread::TooLarge(size)), _) => {
                    let digest = match source {
                        Source::Blob(oid) => digest_of(*oid),
                        // By its size alone, one file could stand for another.
                        _ => match (self.bytes(path, entry, MAX_NAMED)?, self.repository) {
                            (Ok(bytes), Some(repository)) => digest_of(repository.blob_id(&bytes)),
                            (Ok(bytes), None) => *blake3::hash(&bytes).as_bytes(),
                            (Err(unread), _) => return Ok(self.unread_side(path, entry, &unread)),
                        },
                    };
                    Content::TooLarge { size, digest }
                }
                (Err(Unread::Because(why)), _) => Content::Unknown(why),
            },
        };
        Ok(FileSide { path: path.into(), executable: entry.kind == EntryKind::Executable, content })
    }
}

impl Reader<'_> {
    fn unread_side(&self, path: &str, entry: &Entry, why: &Unread) -> FileSide {
        let executable = entry.kind == EntryKind::Executable;
        FileSide { path: path.into(), executable, content: Content::Unknown(why.reason()) }
    }
}

/// What git said of a blob, as bytes.
pub(super) fn of_blob(blob: Blob) -> Bytes {
    match blob {
        Blob::Data(bytes) => Ok(bytes),
        Blob::TooLarge(size) => Err(Unread::TooLarge(size)),
        Blob::Missing => Err(Unread::Because("the object is not in this clone".into())),
    }
}

/// Text without its byte-order mark; the bytes themselves where they are not UTF-8 or hold a NUL.
fn text(bytes: Vec<u8>) -> std::result::Result<Arc<str>, Vec<u8>> {
    if bytes.contains(&0) {
        return Err(bytes);
    }
    String::from_utf8(bytes)
        .map(|text| text.strip_prefix('\u{feff}').unwrap_or(&text).into())
        .map_err(|error| error.into_bytes())
}

fn digest_of(oid: Oid) -> [u8; 32] {
    let mut digest = [0; 32];
    for (to, from) in digest.iter_mut().zip(oid.as_bytes()) {
        *to = *from;
    }
    digest
}
