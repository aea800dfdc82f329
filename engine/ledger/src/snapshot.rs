//! A ledger as one checkpoint says it is. Whatever it gives was held against the root that was signed.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use grace_system::files::{FileError, FileErrorKind};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::key::PublicKey;
use crate::merkle::{self, At, Hash};
use crate::note::{Checkpoint, MAX_CHECKPOINT};
use crate::proof;
use crate::record::{self, Blob, Record};
use crate::tiles::{self, Edge, MAX_BUNDLE, MAX_TILE, Row, WIDTH};

/// Where the checkpoint stands.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// How often a partial tile is looked for that another process replaces meanwhile.
const TRIES: usize = 4;

/// A ledger as one checkpoint says it is: a view that later appends do not change.
#[derive(Debug)]
pub struct Snapshot {
    disk: Arc<dyn Disk>,
    head: Checkpoint,
    edge: Edge,
    /// Of each level, the whole tile that was read last, and the bundle that was.
    tiles: Mutex<Vec<Option<Tile>>>,
    bundle: Mutex<Option<(u64, Arc<Bundle>)>>,
}

/// A whole tile of hashes, after its index.
type Tile = (u64, Arc<[Hash]>);

/// The entries of one bundle, one after the other.
#[derive(Debug)]
pub(crate) struct Bundle {
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Bundle {
    /// `None` where lengths do not add up.
    pub(crate) fn parse(bytes: Vec<u8>) -> Option<Self> {
        let mut places = Vec::new();
        let mut at = 0;
        for entry in tiles::entries(&bytes)? {
            places.push(at + 2..at + 2 + entry.len());
            at += 2 + entry.len();
        }
        Some(Self { bytes, places })
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn entry(&self, index: usize) -> Option<&[u8]> {
        self.bytes.get(self.places.get(index)?.clone())
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &[u8]> {
        self.places.iter().map(|place| &self.bytes[place.clone()])
    }

    /// As it stands on disk, with the first `count` entries.
    fn truncated(mut self, count: usize) -> Self {
        if let Some(last) = self.places.get(count.wrapping_sub(1)) {
            self.bytes.truncate(last.end);
        }
        self.places.truncate(count);
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The note on disk, if there is one.
pub(crate) fn read_checkpoint(disk: &dyn Disk) -> Result<Option<String>> {
    match disk.read(CHECKPOINT, MAX_CHECKPOINT as u64) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(note) => Ok(Some(note)),
            Err(_) => Err(Error::damaged(CHECKPOINT, "it is not text")),
        },
        Err(error) if error.kind == FileErrorKind::NotFound => Ok(None),
        Err(FileError { kind: FileErrorKind::TooLarge { .. }, .. }) => {
            Err(Error::damaged(CHECKPOINT, "it is far too long"))
        }
        Err(error) => Err(error.into()),
    }
}

/// The checkpoint that a note is, if this key signed it.
pub(crate) fn believe(note: &str, key: &PublicKey) -> Result<Checkpoint> {
    match (Checkpoint::verify(note, key), Checkpoint::parse(note)) {
        (Some(checkpoint), _) => Ok(checkpoint),
        (None, Some(of_another)) => Err(Error::Untrusted { origin: of_another.origin, trusted: key.fingerprint() }),
        (None, None) => Err(Error::damaged(CHECKPOINT, "it is no signed checkpoint")),
    }
}

impl Snapshot {
    /// The ledger as `head` says it is, which the caller believes. The right edge is read and held against the root.
    pub(crate) fn at(disk: Arc<dyn Disk>, head: Checkpoint) -> Result<Self> {
        let mut edge = Edge { size: head.size, levels: Vec::new() };
        for level in 0..tiles::LEVELS {
            let count = tiles::count(head.size, level);
            if count == 0 {
                break;
            }
            edge.levels.push(match count % WIDTH {
                0 => Vec::new(),
                width => read_hashes(&*disk, level, count / WIDTH, width)?,
            });
        }
        if head.size == 0 || edge.root() != head.root {
            let row = Row::Hashes(0);
            return Err(Error::damaged(
                tiles::path(row, head.size / WIDTH, head.size % WIDTH),
                "its hashes do not lead to the root that was signed",
            ));
        }
        let tiles = Mutex::new(vec![None; usize::from(tiles::LEVELS)]);
        Ok(Self { disk, head, edge, tiles, bundle: Mutex::new(None) })
    }

    /// The checkpoint.
    #[must_use]
    pub fn head(&self) -> &Checkpoint {
        &self.head
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.head.size
    }

    /// Whether there are none; a ledger has one from its beginning.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.size == 0
    }

    /// One record.
    pub fn get(&self, seq: u64) -> Result<Record> {
        let bytes = self.entry(seq)?;
        let record = Record::parse(&bytes).map_err(|wrong| wrong.error(seq))?;
        if record.seq != seq {
            return Err(Error::damaged(format!("record {seq}"), format!("it says that it is record {}", record.seq)));
        }
        Ok(record)
    }

    /// The bytes of one record.
    pub fn entry(&self, seq: u64) -> Result<Vec<u8>> {
        if seq >= self.head.size {
            return Err(Error::NoRecord { seq, size: self.head.size });
        }
        let bundle = self.bundle(seq / WIDTH)?;
        let entry = bundle.entry((seq % WIDTH) as usize);
        Ok(entry.ok_or(Error::NoRecord { seq, size: self.head.size })?.to_vec())
    }

    /// Records in order, as far as there are any. It ends after an error.
    pub fn records(&self, range: Range<u64>) -> impl Iterator<Item = Result<Record>> + '_ {
        let mut seqs = range.start..range.end.min(self.head.size);
        let mut failed = false;
        std::iter::from_fn(move || {
            let seq = seqs.next().filter(|_| !failed)?;
            let record = self.get(seq);
            failed = record.is_err();
            Some(record)
        })
    }

    /// The body of a record, read from its blob if it is long; held against its digest.
    pub fn body(&self, record: &Record) -> Result<serde_json::Value> {
        let Some(blob) = record.blob else { return Ok(record.body.clone().unwrap_or_default()) };
        let bytes = self.blob(&blob)?;
        serde_json::from_slice(&bytes).map_err(|_| Error::damaged(record::blob_path(&blob.digest), "it is no JSON"))
    }

    /// The bytes of a long body, held against their digest.
    pub fn blob(&self, blob: &Blob) -> Result<Vec<u8>> {
        let path = record::blob_path(&blob.digest);
        let bytes = self.disk.read(&path, blob.size.min(record::MAX_BODY as u64))?;
        if merkle::sha256(&bytes) != blob.digest {
            return Err(Error::damaged(path, "its digest is another"));
        }
        Ok(bytes)
    }

    /// A private field of a record; `None` once its text was deleted.
    pub fn private(&self, commitment: &Hash) -> Result<Option<Vec<u8>>> {
        let path = record::private_path(commitment);
        match self.disk.read(&path, (record::SALT + record::MAX_PRIVATE) as u64) {
            Ok(bytes) if merkle::sha256(&bytes) != *commitment => Err(Error::damaged(path, "its digest is another")),
            Ok(mut bytes) => Ok(Some(bytes.split_off(record::SALT.min(bytes.len())))),
            Err(error) if error.kind == FileErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The root that the tree had when it held `size` records. With it an older checkpoint is held against this ledger.
    pub fn root_at(&self, size: u64) -> Result<Hash> {
        match size {
            0 => Ok(merkle::root(&[])),
            _ if size > self.head.size => Err(Error::NoRecord { seq: size - 1, size: self.head.size }),
            _ => merkle::subtree(0, size, &mut |at| self.whole(at)),
        }
    }

    /// One file's text that proves a record, for whoever has the public key and nothing else.
    pub fn prove(&self, seq: u64) -> Result<String> {
        let entry = self.entry(seq)?;
        let path = merkle::inclusion(seq, self.head.size, &mut |at| self.whole(at))?;
        Ok(proof::write(seq, &entry, &path, &self.head))
    }

    /// The right edge.
    pub(crate) fn edge(&self) -> &Edge {
        &self.edge
    }

    /// The bundle `index`, held against the root.
    pub(crate) fn bundle(&self, index: u64) -> Result<Arc<Bundle>> {
        let mut cached = self.bundle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bundle)) = cached.as_ref().filter(|(of, _)| *of == index) {
            return Ok(Arc::clone(bundle));
        }
        let width = tiles::width(self.head.size, index);
        let bundle = read_bundle(&*self.disk, index, width)?;
        let leaves: Vec<Hash> = bundle.entries().map(merkle::leaf).collect();
        let is_signed = match width {
            WIDTH => merkle::root(&leaves) == self.whole((8, index))?,
            _ => self.edge.levels.first() == Some(&leaves),
        };
        if !is_signed {
            let path = tiles::path(Row::Entries, index, width);
            return Err(Error::damaged(path, "its entries do not lead to the root that was signed"));
        }
        let bundle = Arc::new(bundle);
        *cached = Some((index, Arc::clone(&bundle)));
        Ok(bundle)
    }

    /// The hash of a whole subtree, held against the root.
    fn whole(&self, (level, index): At) -> Result<Hash> {
        let (row, below) = ((level / 8) as u8, level % 8);
        let first = index << below;
        let tile = self.tile(row, first / WIDTH)?;
        let at = (first % WIDTH) as usize;
        let hashes = tile.get(at..at + (1 << below));
        hashes
            .map(merkle::root)
            .ok_or_else(|| Error::damaged(tiles::path(Row::Hashes(row), first / WIDTH, WIDTH), "it is too short"))
    }

    /// The tile `index` of a level, held against the root.
    fn tile(&self, level: u8, index: u64) -> Result<Arc<[Hash]>> {
        let count = tiles::count(self.head.size, level);
        let at = usize::from(level);
        if index >= count / WIDTH {
            // The last one is the edge, which was held against the root at the beginning.
            let edge = self.edge.levels.get(at).map(Vec::as_slice).unwrap_or_default();
            return Ok(edge.into());
        }
        let cached = self.tiles.lock().unwrap_or_else(PoisonError::into_inner)[at].clone();
        if let Some((_, tile)) = cached.filter(|(of, _)| *of == index) {
            return Ok(tile);
        }
        let tile: Arc<[Hash]> = read_hashes(&*self.disk, level, index, WIDTH)?.into();
        if merkle::root(&tile) != self.whole((8 * (u32::from(level) + 1), index))? {
            let path = tiles::path(Row::Hashes(level), index, WIDTH);
            return Err(Error::damaged(path, "its hashes do not lead to the root that was signed"));
        }
        self.tiles.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some((index, Arc::clone(&tile)));
        Ok(tile)
    }
}

/// The first `width` hashes of a tile, as they are on disk.
pub(crate) fn read_hashes(disk: &dyn Disk, level: u8, index: u64, width: u64) -> Result<Vec<Hash>> {
    let row = Row::Hashes(level);
    let (bytes, is_exact) = read_row(disk, row, index, width, MAX_TILE)?;
    let is_enough = |length: u64| if is_exact { length == width } else { length >= width };
    let hashes = tiles::hashes(&bytes).filter(|hashes| is_enough(hashes.len() as u64));
    let mut hashes = hashes.ok_or_else(|| Error::damaged(tiles::path(row, index, width), "its length is another"))?;
    hashes.truncate(width as usize);
    Ok(hashes)
}

/// The first `width` entries of a bundle, as they are on disk.
pub(crate) fn read_bundle(disk: &dyn Disk, index: u64, width: u64) -> Result<Bundle> {
    let (bytes, is_exact) = read_row(disk, Row::Entries, index, width, MAX_BUNDLE)?;
    let is_enough = |length: u64| if is_exact { length == width } else { length >= width };
    let bundle = Bundle::parse(bytes).filter(|bundle| is_enough(bundle.len() as u64));
    let bundle = bundle.ok_or_else(|| {
        Error::damaged(tiles::path(Row::Entries, index, width), "its entries are not of these lengths")
    })?;
    Ok(bundle.truncated(width as usize))
}

/// A tile with `width` in it, or one that begins with them: a larger one replaces it as the ledger grows. Whether it is the
/// one asked for, which then holds nothing more.
fn read_row(disk: &dyn Disk, row: Row, index: u64, width: u64, max: u64) -> Result<(Vec<u8>, bool)> {
    let exact = tiles::path(row, index, width);
    let missing = |error: &FileError| error.kind == FileErrorKind::NotFound;
    let read = |path: &str| match disk.read(path, max) {
        Err(FileError {
            kind: FileErrorKind::TooLarge { .. } | FileErrorKind::NotAFile | FileErrorKind::Link, ..
        }) => Err(Error::damaged(path, "it is no file of a tile")),
        other => Ok(other),
    };
    for _ in 0..TRIES {
        match read(&exact)? {
            Err(error) if missing(&error) => {}
            found => return Ok((found?, true)),
        }
        if width == WIDTH {
            break;
        }
        let whole = tiles::path(row, index, WIDTH);
        let larger = disk.list(&format!("{whole}.p"), WIDTH as usize).unwrap_or_default();
        let larger = larger.iter().filter_map(|entry| entry.name.parse::<u64>().ok()).find(|other| *other > width);
        let path = larger.map_or(whole, |width| tiles::path(row, index, width));
        match read(&path)? {
            Err(error) if missing(&error) => {}
            found => return Ok((found?, false)),
        }
    }
    Err(Error::damaged(exact, "it is missing"))
}
