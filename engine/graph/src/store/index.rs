//! The index of the records on disk: one file, replaced as a whole, searched as it lies. What is not exactly an index counts
//! as an empty one.

use std::ops::Range;
use std::path::Path;

use grace_system::files;

use crate::facts::{ContentId, Language};

/// What an index begins with.
const MAGIC: &[u8; 16] = b"grace facts 1\n\0\0";
/// Then a checksum of all that follows it.
const CHECKSUM: usize = 32;
/// Then how many segments, records and blobs there are.
const COUNTS: usize = 16;
const HEAD: usize = MAGIC.len() + CHECKSUM + COUNTS;
/// A segment: its number, its bytes.
const SEGMENT: usize = 16;
/// A record: its key, a byte of nothing, its segment, length and offset.
const RECORD: usize = KEY + 1 + 2 + 4 + 8;
/// A kind and a digest.
const KEY: usize = 33;
/// The bit of a kind that says that nothing could be read.
const OPAQUE: u8 = 0x80;
/// A blob: git's name of it, its content.
const BLOB: usize = 64;
/// Larger indexes are not read; a record takes less than a hundred bytes of it.
const MAX_INDEX: u64 = 256 << 20;

/// Git's name of a blob, with zeros behind a short one.
pub(super) type BlobName = [u8; 32];

/// Names a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key([u8; KEY]);

impl Key {
    /// The keys of the facts of a content: where it could be read, and where it could not.
    pub(super) fn each(content: ContentId, language: Language) -> [Self; 2] {
        [0, OPAQUE].map(|kind| {
            let mut key = [0; KEY];
            key[0] = language as u8 | kind;
            key[1..].copy_from_slice(&content.0);
            Self(key)
        })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn content(&self) -> ContentId {
        let mut content = [0; 32];
        content.copy_from_slice(&self.0[1..]);
        ContentId(content)
    }
}

/// A file of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// Its number; younger ones have larger ones.
    pub(super) id: u64,
    /// Its size.
    pub(super) bytes: u64,
}

/// Where a record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Ordinal among the segments of the index.
    pub(super) segment: u16,
    pub(super) length: u32,
    pub(super) offset: u64,
}

/// An index as it lies on disk.
#[derive(Debug, Default)]
pub(super) struct Index {
    bytes: Vec<u8>,
    pub(super) segments: Vec<Segment>,
    records: Range<usize>,
    blobs: Range<usize>,
}

impl Index {
    /// The index at `path`; an empty one where there is none.
    pub(super) fn load(path: &Path) -> Self {
        files::read(path, MAX_INDEX).ok().and_then(Self::parse).unwrap_or_default()
    }

    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (checksum, rest) = rest.split_at_checked(CHECKSUM)?;
        if blake3::hash(rest).as_bytes() != checksum {
            return None;
        }
        let (counts, rest) = rest.split_at_checked(COUNTS)?;
        let count = |at: usize| number(counts, at * 4, 4) as usize;
        let (segments, records, blobs) = (count(0), count(1), count(2));
        let size = |count: usize, each: usize| count.checked_mul(each);
        let (in_segments, in_records, in_blobs) =
            (size(segments, SEGMENT)?, size(records, RECORD)?, size(blobs, BLOB)?);
        if in_segments.checked_add(in_records)?.checked_add(in_blobs)? != rest.len() || segments > usize::from(u16::MAX)
        {
            return None;
        }
        let segments = rest[..in_segments]
            .chunks_exact(SEGMENT)
            .map(|segment| Segment { id: number(segment, 0, 8), bytes: number(segment, 8, 8) })
            .collect();
        let records = HEAD + in_segments..HEAD + in_segments + in_records;
        let blobs = records.end..records.end + in_blobs;
        Some(Self { bytes, segments, records, blobs })
    }

    /// Where the record of a key lies.
    pub(super) fn find(&self, key: &Key) -> Option<Place> {
        let record = search(&self.bytes[self.records.clone()], RECORD, key.as_bytes())?;
        Some(place(record)).filter(|place| usize::from(place.segment) < self.segments.len())
    }

    /// The content of a blob.
    pub(super) fn content_of(&self, blob: &BlobName) -> Option<ContentId> {
        let found = search(&self.bytes[self.blobs.clone()], BLOB, blob)?;
        Some(ContentId(found.get(32..)?.try_into().ok()?))
    }

    pub(super) fn records(&self) -> impl Iterator<Item = (Key, Place)> {
        let records = self.bytes[self.records.clone()].chunks_exact(RECORD);
        records.filter_map(|record| Some((Key(record.get(..KEY)?.try_into().ok()?), place(record))))
    }

    pub(super) fn blobs(&self) -> impl Iterator<Item = (BlobName, ContentId)> {
        let blobs = self.bytes[self.blobs.clone()].chunks_exact(BLOB);
        blobs.filter_map(|blob| Some((blob[..32].try_into().ok()?, ContentId(blob[32..].try_into().ok()?))))
    }

    /// The bytes of an index. Records and blobs are sorted here; of equal keys the last one given counts.
    pub(super) fn bytes(
        segments: &[Segment],
        mut records: Vec<(Key, Place)>,
        mut blobs: Vec<(BlobName, ContentId)>,
    ) -> Vec<u8> {
        records.reverse();
        records.sort_by_key(|(key, _)| *key);
        records.dedup_by_key(|(key, _)| *key);
        blobs.reverse();
        blobs.sort_by_key(|(blob, _)| *blob);
        blobs.dedup_by_key(|(blob, _)| *blob);
        let mut rest =
            Vec::with_capacity(COUNTS + segments.len() * SEGMENT + records.len() * RECORD + blobs.len() * BLOB);
        for count in [segments.len(), records.len(), blobs.len(), 0] {
            rest.extend_from_slice(&(count as u32).to_le_bytes());
        }
        for segment in segments {
            rest.extend_from_slice(&segment.id.to_le_bytes());
            rest.extend_from_slice(&segment.bytes.to_le_bytes());
        }
        for (key, place) in &records {
            rest.extend_from_slice(key.as_bytes());
            rest.push(0);
            rest.extend_from_slice(&place.segment.to_le_bytes());
            rest.extend_from_slice(&place.length.to_le_bytes());
            rest.extend_from_slice(&place.offset.to_le_bytes());
        }
        for (blob, content) in &blobs {
            rest.extend_from_slice(blob);
            rest.extend_from_slice(&content.0);
        }
        [MAGIC.as_slice(), blake3::hash(&rest).as_bytes(), &rest].concat()
    }
}

fn place(record: &[u8]) -> Place {
    Place {
        segment: number(record, KEY + 1, 2) as u16,
        length: number(record, KEY + 3, 4) as u32,
        offset: number(record, KEY + 7, 8),
    }
}

/// A little-endian number; what is not there is zero.
fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let bytes = bytes.get(at..at + length).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The row that begins with `key`, among sorted rows of `size` bytes.
fn search<'a>(rows: &'a [u8], size: usize, key: &[u8]) -> Option<&'a [u8]> {
    let (mut low, mut high) = (0, rows.len() / size);
    while low < high {
        let middle = low + (high - low) / 2;
        let row = &rows[middle * size..(middle + 1) * size];
        match row[..key.len()].cmp(key) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return Some(row),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Key {
        Key::each(ContentId([number; 32]), Language::Python)[0]
    }

    fn some() -> Vec<u8> {
        let place = |offset| Place { segment: 1, length: 7, offset };
        let segments = [Segment { id: 3, bytes: 100 }, Segment { id: 9, bytes: u64::MAX }];
        let records = vec![(key(5), place(1)), (key(2), place(2)), (key(5), place(3)), (key(200), place(4))];
        let blobs = vec![([8; 32], ContentId([5; 32])), ([1; 32], ContentId([2; 32]))];
        Index::bytes(&segments, records, blobs)
    }

    #[test]
    fn everything_is_found_again_and_the_last_of_equals_counts() {
        let index = Index::parse(some()).unwrap();
        let offset = |number| index.find(&key(number)).map(|place| place.offset);
        assert_eq!([2, 5, 200, 1, 6, 255].map(offset), [Some(2), Some(3), Some(4), None, None, None]);
        assert_eq!(index.find(&key(2)), Some(Place { segment: 1, length: 7, offset: 2 }));
        assert_eq!(index.content_of(&[8; 32]), Some(ContentId([5; 32])));
        assert_eq!(index.content_of(&[9; 32]), None);
        assert_eq!(index.segments[1], Segment { id: 9, bytes: u64::MAX });
        assert_eq!((index.records().count(), index.blobs().count()), (3, 2));
    }

    #[test]
    fn a_damaged_index_is_none() {
        let whole = some();
        assert!((0..whole.len()).all(|cut| Index::parse(whole[..cut].to_vec()).is_none()));
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            assert!(Index::parse(damaged).is_none(), "byte {at}");
        }
    }

    #[test]
    fn counts_that_lie_are_seen_before_they_are_used() {
        for (at, count) in [(0, u32::MAX), (1, u32::MAX), (2, 3), (1, 2)] {
            let mut bytes = some();
            let counts = MAGIC.len() + CHECKSUM + at * 4;
            bytes[counts..counts + 4].copy_from_slice(&count.to_le_bytes());
            let checksum = *blake3::hash(&bytes[MAGIC.len() + CHECKSUM..]).as_bytes();
            bytes[MAGIC.len()..MAGIC.len() + CHECKSUM].copy_from_slice(&checksum);
            assert!(Index::parse(bytes).is_none(), "{at} {count}");
        }
    }
}
