//! Records on disk: segments that are written once, an index that says where each record lies, a lock for those who write.
//!
//! Nothing here fails: what cannot be read is not known, what cannot be written is not kept. Readers take no lock. They see
//! the index that was whole when they opened it, and a segment that went since is a record that is not known. A writer writes
//! one segment beside its place, takes the lock, reads the index anew, moves the segment there and then the index.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use grace_system::clock;
use grace_system::files::{self, FileError, Kind, Pieces};
use rayon::prelude::*;

use super::codec;
use super::index::{BlobName, Index, Key, Place, Segment};
use crate::facts::{ContentId, FileFacts};
use crate::hash::{self, Checksum};

/// Facts of another form, or from other extractors, have another name.
pub(crate) const VERSION: &str = env!("GRACE_FACTS_VERSION");
/// Directories of other versions that are let be: the youngest.
const OTHER_VERSIONS: usize = 2;
/// Bytes before a record that tell whether it is whole.
const CHECKSUM: usize = size_of::<Checksum>();
/// Larger records are not kept.
const MAX_RECORD: usize = 64 << 20;
/// With more segments the small ones become one.
const MAX_SEGMENTS: usize = 16;
/// How many are left alone then: the largest.
const LARGE_SEGMENTS: usize = 4;
/// Records that are encoded at once.
const SHARE: usize = 256;
/// How long a writer waits for another; what it has can be made again.
const PATIENCE: Duration = Duration::from_millis(500);
/// What nobody wrote to for so many nanoseconds (two minutes) will not be finished: who writes adds a share at a time.
const UNFINISHED: i64 = 120_000_000_000;
/// Bytes that a cache takes, at most.
pub const MOST_BYTES: u64 = 512 << 20;

/// The records of one version.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    directory: PathBuf,
    most: u64,
    index: Index,
    opened: Vec<OnceLock<Option<Pieces>>>,
}

impl Disk {
    /// The records below `root`, a directory of their own that need not exist. At most `most` bytes are kept there.
    #[must_use]
    pub fn open(root: &Path, most: u64) -> Self {
        let directory = root.join("facts").join(VERSION);
        let index = Index::load(&directory.join("index"));
        let opened = index.segments.iter().map(|_| OnceLock::new()).collect();
        Self { root: root.to_path_buf(), directory, most, index, opened }
    }

    /// Whether the index names a record.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.index.find(key).is_some()
    }

    /// The record of a key, if it is there and whole.
    pub(super) fn read(&self, key: &Key) -> Option<Vec<u8>> {
        let place = self.index.find(key)?;
        let segment = usize::from(place.segment);
        let pieces = self
            .opened
            .get(segment)?
            .get_or_init(|| Pieces::open(&self.directory.join(file_name(self.index.segments.get(segment)?.id))).ok());
        read_at(pieces.as_ref()?, key, place)
    }

    /// The content of a blob, if it was seen before.
    pub(super) fn content_of(&self, blob: &BlobName) -> Option<ContentId> {
        self.index.content_of(blob)
    }

    /// Keeps records and the contents of blobs, if that can be done.
    pub(super) fn keep(&self, records: &[(Key, &FileFacts)], blobs: &[(BlobName, ContentId)]) {
        if !(records.is_empty() && blobs.is_empty()) {
            // Without it everything is as before, so nobody is told.
            let _nothing_kept = self.try_to_keep(records, blobs);
        }
    }

    fn try_to_keep(&self, records: &[(Key, &FileFacts)], blobs: &[(BlobName, ContentId)]) -> Result<(), FileError> {
        files::create_dirs(&self.directory)?;
        // Before the lock is taken: whoever waits for it meanwhile would give up.
        let mut written = Written::begin(&self.directory)?;
        // So many at once as keep all threads busy: all of them together take as much room as the graph.
        for share in records.chunks(SHARE) {
            let encoded: Vec<Option<Vec<u8>>> = share.par_iter().map(|(_, facts)| codec::encode(facts)).collect();
            for ((key, _), record) in share.iter().zip(encoded) {
                record.map_or(Ok(()), |record| written.add(*key, &record))?;
            }
        }
        let new_ones = written.places.len();
        let Some(_lock) = files::lock(&self.directory.join("lock"), PATIENCE)? else { return Ok(()) };
        mark(&self.root)?;
        let old = Index::load(&self.directory.join("index"));
        let next = old.segments.iter().map(|segment| segment.id).max().unwrap_or(0).saturating_add(1);
        let rewritten = to_rewrite(&old);
        let sources: Vec<Option<Pieces>> = old
            .segments
            .iter()
            .zip(&rewritten)
            .map(|(segment, rewrite)| {
                Pieces::open(&self.directory.join(file_name(segment.id))).ok().filter(|_| *rewrite)
            })
            .collect();
        let mut copied = 0_u64;
        for (key, place) in old.records() {
            let source = sources.get(usize::from(place.segment)).and_then(Option::as_ref);
            if let Some(record) = source.and_then(|pieces| read_at(pieces, &key, place)) {
                copied = copied.saturating_add(record.len() as u64);
                // An index made to harm names the same bytes many times over.
                if copied > self.most {
                    return Ok(());
                }
                written.add(key, &record)?;
            }
        }
        let Written { file, size, mut places } = written;
        // Of equal keys the last one counts.
        places.rotate_left(new_ones);

        // The oldest segments go first, until the new one has room.
        let new = Segment { id: next, bytes: size };
        let mut kept: Vec<usize> = (0..old.segments.len()).filter(|&at| !rewritten[at]).collect();
        kept.sort_by_key(|&at| old.segments[at].id);
        let mut total = kept.iter().map(|&at| old.segments[at].bytes).fold(new.bytes, u64::saturating_add);
        while total > self.most {
            if kept.is_empty() {
                return Ok(());
            }
            total = total.saturating_sub(old.segments[kept.remove(0)].bytes);
        }
        let mut segments: Vec<Segment> = kept.iter().map(|&at| old.segments[at]).collect();
        let ordinals: Vec<Option<u16>> = (0..old.segments.len())
            .map(|at| kept.iter().position(|other| *other == at).and_then(|ordinal| u16::try_from(ordinal).ok()))
            .collect();
        let mut entries: Vec<(Key, Place)> = old
            .records()
            .filter_map(|(key, place)| {
                let segment = (*ordinals.get(usize::from(place.segment))?)?;
                Some((key, Place { segment, ..place }))
            })
            .collect();
        if !places.is_empty() {
            let segment = segments.len() as u16;
            entries.extend(places.into_iter().map(|(key, offset, length)| (key, Place { segment, length, offset })));
            file.finish_as(&self.directory.join(file_name(next)))?;
            segments.push(new);
        }
        // A blob whose facts went is of no use.
        let mut contents: Vec<ContentId> = entries.iter().map(|(key, _)| key.content()).collect();
        contents.sort_unstable();
        let blobs = old.blobs().chain(blobs.iter().copied());
        let blobs = blobs.filter(|(_, content)| contents.binary_search(content).is_ok()).collect();
        files::replace_unsynced(&self.directory.join("index"), &Index::bytes(&segments, entries, blobs))?;
        self.clean(&segments);
        Ok(())
    }

    /// Removes what no index names any more. Nobody else gives names meanwhile.
    fn clean(&self, segments: &[Segment]) {
        let youngest = clock::nanoseconds().saturating_sub(UNFINISHED);
        let named: Vec<String> = segments.iter().map(|segment| file_name(segment.id)).collect();
        for entry in files::list(&self.directory).unwrap_or_default() {
            let path = self.directory.join(&entry.name);
            let is_left = match entry.name.starts_with(".tmp-") {
                // Somebody may be writing it, without the lock.
                true => files::stat(&path).is_ok_and(|stat| stat.stamp.modified < youngest),
                false => entry.name.ends_with(".segment") && !named.contains(&entry.name),
            };
            if is_left {
                let _left_behind = files::remove_file(&path);
            }
        }
        let Some(versions) = self.directory.parent() else { return };
        let others = files::list(versions).unwrap_or_default();
        let mut others: Vec<(i64, PathBuf)> = others
            .into_iter()
            .filter(|entry| entry.kind == Kind::Directory && entry.name != VERSION)
            .map(|entry| versions.join(&entry.name))
            .map(|path| (files::stat(&path.join("index")).map_or(0, |stat| stat.stamp.modified), path))
            .collect();
        others.sort();
        let many = others.len().saturating_sub(OTHER_VERSIONS);
        for (_, path) in &others[..many] {
            let _left_behind = files::remove_dirs(path);
        }
    }
}

/// A segment that is being written, which has no name yet.
struct Written {
    file: files::Replacement,
    size: u64,
    /// Its records: where each begins, and how long it is.
    places: Vec<(Key, u64, u32)>,
}

impl Written {
    fn begin(directory: &Path) -> Result<Self, FileError> {
        let file = files::Replacement::begin(&directory.join("segment"))?;
        Ok(Self { file, size: 0, places: Vec::new() })
    }

    fn add(&mut self, key: Key, record: &[u8]) -> Result<(), FileError> {
        if record.len() <= MAX_RECORD {
            self.file.add(&checksum(&key, record))?;
            self.file.add(record)?;
            self.places.push((key, self.size, (record.len() + CHECKSUM) as u32));
            self.size += (record.len() + CHECKSUM) as u64;
        }
        Ok(())
    }
}

/// Which segments are written anew: those of which much is dead, and the small ones where there are too many.
fn to_rewrite(index: &Index) -> Vec<bool> {
    let mut live = vec![0_u64; index.segments.len()];
    for (_, place) in index.records() {
        if let Some(live) = live.get_mut(usize::from(place.segment)) {
            *live += u64::from(place.length);
        }
    }
    let mut by_size: Vec<usize> = (0..live.len()).collect();
    by_size.sort_by_key(|&at| std::cmp::Reverse(index.segments[at].bytes));
    let is_dead = |(live, segment): (&u64, &Segment)| live.saturating_mul(4) < segment.bytes.saturating_mul(3);
    let mut rewritten: Vec<bool> = live.iter().zip(&index.segments).map(is_dead).collect();
    if live.len() >= MAX_SEGMENTS {
        by_size.iter().skip(LARGE_SEGMENTS).for_each(|&at| rewritten[at] = true);
    }
    rewritten
}

/// Says to programs that keep copies that nothing here is worth one.
pub(super) fn mark(root: &Path) -> Result<(), FileError> {
    let tag = root.join("CACHEDIR.TAG");
    if files::exists(&tag) {
        return Ok(());
    }
    let text =
        "Signature: 8a477f597d28d172789f06886806bc55\n# grace-rules makes all of this again whenever it is gone.\n";
    files::replace_unsynced(&tag, text.as_bytes())
}

fn file_name(id: u64) -> String {
    format!("{id:016x}.segment")
}

/// What a record begins with, under its own key: one that was taken for another is damaged, too. It tells accidents alone: whoever
/// can write there can write this, and what decides believes no record.
#[must_use]
pub fn record_checksum(key: &[u8], record: &[u8]) -> [u8; CHECKSUM] {
    let (of_key, of_record) = (hash::checksum(key), hash::checksum(record));
    std::array::from_fn(|at| of_key[at] ^ of_record[at])
}

fn checksum(key: &Key, record: &[u8]) -> Checksum {
    record_checksum(key.as_bytes(), record)
}

fn read_at(pieces: &Pieces, key: &Key, place: Place) -> Option<Vec<u8>> {
    let length = usize::try_from(place.length).ok().filter(|length| *length <= MAX_RECORD + CHECKSUM)?;
    let mut bytes = pieces.read(place.offset, length)?;
    let (expected, record) = bytes.split_at_checked(CHECKSUM)?;
    if expected != checksum(key, record) {
        return None;
    }
    bytes.drain(..CHECKSUM);
    Some(bytes)
}
