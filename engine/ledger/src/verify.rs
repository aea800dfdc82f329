//! Verifying a whole ledger: every byte of it against the checkpoint, and the checkpoint against others that were kept
//! elsewhere.
//!
//! Bundles are read one after the other by a few threads, each of which holds a few bundles at a time, so the memory that is
//! needed does not grow with the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use grace_system::files::FileErrorKind;

use crate::Ledger;
use crate::disk::Disk;
use crate::error::Error;
use crate::key::PublicKey;
use crate::merkle::{self, Hash};
use crate::note::Checkpoint;
use crate::pending::{self, MAX_PENDING, PENDING};
use crate::record::{self, Header, Record, Wrong};
use crate::snapshot::{self, CHECKPOINT};
use crate::tiles::{self, Edge, Row, WIDTH};
use crate::walk;

/// Faults that are told one by one; after these verifying ends.
const MAX_FAULTS: usize = 50;
/// Bundles that a thread is ahead of the one that is being put together.
const AHEAD: usize = 2;

/// A checkpoint that was kept outside of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Where it was kept, as it is to be shown.
    pub source: String,
    /// The signed note.
    pub note: String,
}

/// An anchor that the ledger agrees with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    /// Where it was kept.
    pub source: String,
    /// How many records it vouches for.
    pub size: u64,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What it means.
    pub kind: FaultKind,
    /// Where: a file from the ledger's directory on, a record, or an anchor.
    pub at: String,
    /// What is wrong, in words.
    pub what: String,
}

/// What a fault means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The ledger is not what was signed: it was tampered with, or its disk is damaged.
    Tampered,
    /// It could not be read, so nothing is known.
    Unreadable,
    /// It is of a format that this program does not know.
    Newer,
    /// An anchor cannot be used.
    Anchor,
}

/// What an append left that has not ended, or was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pending {
    /// It is whole and signed: the next append finishes it. The records are from `from` to before `to`.
    Whole {
        /// The first record.
        from: u64,
        /// After the last record.
        to: u64,
    },
    /// It was cut off, and nobody was told that it is recorded. The next append puts it aside and tells of it.
    Torn {
        /// Its length in bytes.
        bytes: u64,
        /// How it shows.
        why: &'static str,
    },
}

/// What verifying a ledger came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The checkpoint, if it is signed by the key.
    pub head: Option<Checkpoint>,
    /// How many records were read.
    pub read: u64,
    /// What is wrong; nothing is, where this is empty.
    pub faults: Vec<Fault>,
    /// Whether verifying ended early, at so many faults that more would tell nothing.
    pub stopped: bool,
    /// What a reader should know, and what proves nothing.
    pub notes: Vec<String>,
    /// The anchors that agree.
    pub anchored: Vec<Anchored>,
    /// What an append left.
    pub pending: Option<Pending>,
    /// Private fields whose texts were deleted, as records tell.
    pub redacted: u64,
    /// Texts that are still there although records tell that they were deleted: that was cut off.
    pub undeleted: Vec<Hash>,
    /// The version of the last record's policy.
    pub policy: Option<u64>,
}

impl Report {
    /// Whether every record is as it was signed, and every anchor agrees.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.faults.is_empty() && self.head.is_some()
    }

    /// Whether it shows that something was tampered with, or damaged.
    #[must_use]
    pub fn is_tampered(&self) -> bool {
        self.faults.iter().any(|fault| fault.kind == FaultKind::Tampered)
    }

    /// The number of records that an anchor vouches for.
    #[must_use]
    pub fn anchored_to(&self) -> u64 {
        self.anchored.iter().map(|anchored| anchored.size).max().unwrap_or(0)
    }

    /// What the ledger cannot show, however sound it is.
    #[must_use]
    pub fn not_proven(&self) -> Vec<String> {
        let mut cannot = Vec::new();
        if let Some(head) = &self.head {
            let (size, anchored) = (head.size, self.anchored_to());
            if anchored < size {
                let after = match anchored {
                    0 => String::new(),
                    _ => format!(" after record {}", anchored - 1),
                };
                cannot.push(format!(
                    "that whoever has the key rewrote nothing{after}: no checkpoint outside vouches for it"
                ));
                cannot.push(format!(
                    "that no records were cut off after record {}: no later checkpoint is known",
                    size - 1
                ));
            } else {
                cannot.push(format!("that no records were cut off after record {}", size - 1));
            }
        }
        cannot.push("that everything that happened was recorded".to_owned());
        cannot.push("that the times are right: they are those of the writer's clock".to_owned());
        if self.redacted > 0 {
            cannot.push(format!("what {} deleted private fields said", self.redacted));
        }
        cannot
    }

    fn fault(&mut self, kind: FaultKind, at: impl Into<String>, what: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault { kind, at: at.into(), what: what.into() });
        } else {
            self.stopped = true;
        }
    }

    pub(crate) fn tampered(&mut self, at: impl Into<String>, what: impl Into<String>) {
        self.fault(FaultKind::Tampered, at, what);
    }

    /// Takes an error as a fault.
    pub(crate) fn error(&mut self, error: Error) {
        let (at, what) = match error {
            Error::Damaged { path, what } => return self.tampered(path, what),
            Error::Untrusted { .. } => return self.tampered(CHECKPOINT, error.to_string()),
            Error::Newer { seq, .. } => {
                return self.fault(FaultKind::Newer, format!("record {seq}"), error.to_string());
            }
            Error::File(error) => (error.path.display().to_string(), error.to_string()),
            other => (CHECKPOINT.to_owned(), other.to_string()),
        };
        self.fault(FaultKind::Unreadable, at, what);
    }
}

impl Ledger {
    /// Holds every file of the ledger against the checkpoint that `key` signed, and that against checkpoints kept elsewhere.
    #[must_use]
    pub fn verify(&self, key: &PublicKey, anchors: &[Anchor]) -> Report {
        let mut report = Report::default();
        let head = snapshot::read_checkpoint(&*self.disk).and_then(|note| match note {
            Some(note) => snapshot::believe(&note, key),
            None => Err(self.missing(key, anchors)),
        });
        match head {
            Ok(head) => report.head = Some(head.clone()),
            Err(error) => {
                report.error(error);
                return report;
            }
        }
        let Some(head) = report.head.clone() else { return report };
        let anchors = usable(anchors, key, &head, &mut report);
        let told = self.stream(&head, &anchors, &mut report);
        if report.stopped {
            return report;
        }
        // While another process appends, files come and go. Where no lock can be had, what is found is believed.
        let _lock = self.disk.lock(self.patience).ok().flatten();
        match self.now(key, &head) {
            Ok((pending, now)) => {
                look_at_pending(pending, key, &now, &mut report);
                walk::files(self, &head, &now, &told, &mut report);
            }
            Err(error) => report.error(error),
        }
        report
    }

    /// Why there is no checkpoint: the ledger may never have been, or not be any more.
    fn missing(&self, key: &PublicKey, anchors: &[Anchor]) -> Error {
        let anchor = anchors.iter().find(|anchor| Checkpoint::verify(&anchor.note, key).is_some());
        if let Some(anchor) = anchor {
            return Error::damaged(CHECKPOINT, format!("it is missing, and {} vouches for it", anchor.source));
        }
        match self.disk.list(crate::append::TILES, 1) {
            Ok(entries) if !entries.is_empty() => Error::damaged(CHECKPOINT, "it is missing, and tiles are there"),
            _ => Error::Absent { dir: self.dir.clone() },
        }
    }

    /// Reads all records, in order.
    fn stream(&self, head: &Checkpoint, anchors: &[(Anchored, Hash)], report: &mut Report) -> Told {
        let bundles = head.size.div_ceil(WIDTH);
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8) as u64;
        let threads = threads.min(bundles).max(1);
        let mut chain = Chain::new(head);
        std::thread::scope(|scope| {
            let receivers: Vec<Receiver<Piece>> = (0..threads)
                .map(|first| {
                    let (sender, receiver) = sync_channel(AHEAD);
                    let disk = Arc::clone(&self.disk);
                    let size = head.size;
                    scope.spawn(move || read_pieces(&*disk, size, (first..bundles).step_by(threads as usize), &sender));
                    receiver
                })
                .collect();
            for (_, receiver) in (0..bundles).zip(receivers.iter().cycle()) {
                // A thread ends early only when nobody listens any more.
                let Ok(piece) = receiver.recv() else { break };
                chain.add(&*self.disk, piece, anchors, report);
                if report.stopped {
                    break;
                }
            }
        });
        chain.end(&*self.disk, head, report)
    }

    /// The journal, and what the ledger has become since `head`. In this order: a journal is only ever written for a
    /// checkpoint that is there already.
    fn now(&self, key: &PublicKey, head: &Checkpoint) -> Result<(Option<Vec<u8>>, Checkpoint), Error> {
        let pending = match self.disk.read(PENDING, MAX_PENDING) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind == FileErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let note = snapshot::read_checkpoint(&*self.disk)?.unwrap_or_default();
        let now = snapshot::believe(&note, key)?;
        if now.origin != head.origin || now.size < head.size {
            return Err(Error::damaged(CHECKPOINT, "it was replaced by another while the ledger was read"));
        }
        Ok((pending, now))
    }
}

/// Tells what an append left, if it left something.
fn look_at_pending(pending: Option<Vec<u8>>, key: &PublicKey, now: &Checkpoint, report: &mut Report) {
    let Some(bytes) = pending else { return };
    let torn = |why| Some(Pending::Torn { bytes: bytes.len() as u64, why });
    report.pending = match pending::parse(&bytes) {
        Err(why) => torn(why),
        Ok(pending) if Checkpoint::verify(&pending.checkpoint.note, key).is_none() => torn("the key did not sign it"),
        Ok(pending) if pending.checkpoint.origin != now.origin => torn("it is of another ledger"),
        Ok(pending) if pending.base > now.size => {
            let what = format!("its checkpoint is of {} records, and {} are there", pending.base, now.size);
            return report.tampered(PENDING, what);
        }
        Ok(pending) if pending.checkpoint.size <= now.size => None,
        Ok(pending) => Some(Pending::Whole { from: pending.base, to: pending.checkpoint.size }),
    };
}

/// The anchors that can be held against the ledger, by size.
fn usable(anchors: &[Anchor], key: &PublicKey, head: &Checkpoint, report: &mut Report) -> Vec<(Anchored, Hash)> {
    let mut usable = Vec::new();
    for anchor in anchors {
        let source = anchor.source.clone();
        match Checkpoint::verify(&anchor.note, key) {
            None => report.fault(FaultKind::Anchor, source, "it is no checkpoint that the key signed"),
            Some(other) if other.origin != head.origin => {
                let what = format!("it is of the ledger `{}`, and here is `{}`", other.origin, head.origin);
                report.tampered(source, what);
            }
            Some(other) if other.size > head.size => {
                let what = format!("it vouches for {} records, and only {} are there", other.size, head.size);
                report.tampered(source, what);
            }
            Some(other) => usable.push((Anchored { source, size: other.size }, other.root)),
        }
    }
    usable.sort_by_key(|(anchored, _)| anchored.size);
    usable
}

/// What records tell of files beside them.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Digests of blobs that were found and are as they should be.
    pub(crate) blobs: BTreeSet<Hash>,
    /// Commitments to private fields whose text was found and is as it should be.
    pub(crate) private: BTreeSet<Hash>,
    /// Digests of files that were put aside.
    pub(crate) quarantine: BTreeSet<String>,
}

/// What a thread found in one bundle.
#[derive(Debug, Default)]
struct Piece {
    leaves: Vec<Hash>,
    first_prev: Option<Hash>,
    last_digest: Option<Hash>,
    /// The rules of its first record that names any, and wherever others are named than in the record before: number, digest, version.
    policies: Vec<(u64, String, u64)>,
    first_ts: String,
    last_ts: String,
    /// The first record of the piece whose time is before that of the one before it.
    backwards: Option<u64>,
    errors: Vec<Error>,
    blobs: Vec<Hash>,
    private: Vec<Hash>,
    /// Private fields without a text.
    gone: Vec<(u64, Hash)>,
    redacted: Vec<Hash>,
    quarantine: Vec<String>,
    /// The name in the first record of the ledger.
    origin: Option<String>,
}

fn read_pieces(disk: &dyn Disk, size: u64, bundles: impl Iterator<Item = u64>, to: &SyncSender<Piece>) {
    for index in bundles {
        let piece =
            read_piece(disk, size, index).unwrap_or_else(|error| Piece { errors: vec![error], ..Piece::default() });
        if to.send(piece).is_err() {
            return;
        }
    }
}

fn read_piece(disk: &dyn Disk, size: u64, index: u64) -> Result<Piece, Error> {
    let width = tiles::width(size, index);
    let bundle = snapshot::read_bundle(disk, index, width)?;
    let mut piece = Piece { leaves: bundle.entries().map(merkle::leaf).collect(), ..Piece::default() };
    let hashes = snapshot::read_hashes(disk, 0, index, width)?;
    if hashes != piece.leaves {
        let at = hashes.iter().zip(&piece.leaves).position(|(a, b)| a != b).unwrap_or(0) as u64;
        let what = "the entry and its hash in the tile differ";
        piece.errors.push(Error::damaged(format!("record {}", index * WIDTH + at), what));
    }
    for (seq, entry) in (index * WIDTH..).zip(bundle.entries()) {
        let digest = merkle::sha256(entry);
        match Header::parse(entry) {
            Ok(header) => piece.look_at(disk, seq, &header, entry),
            Err(wrong) => piece.errors.push(wrong.error(seq)),
        }
        piece.last_digest = Some(digest);
    }
    Ok(piece)
}

impl Piece {
    fn look_at(&mut self, disk: &dyn Disk, seq: u64, header: &Header<'_>, entry: &[u8]) {
        let mut wrong = |what: String| self.errors.push(Error::damaged(format!("record {seq}"), what));
        if header.seq != seq {
            wrong(format!("it says that it is record {}", header.seq));
        }
        match self.last_digest {
            Some(digest) if digest != header.prev => {
                wrong("its `prev` is not the digest of the record before".to_owned())
            }
            Some(_) => {}
            None => self.first_prev = Some(header.prev),
        }
        if let Some((digest, version)) = header.policy
            && self.policies.last().is_none_or(|(_, last, of)| last != digest || *of != version)
        {
            self.policies.push((seq, digest.to_owned(), version));
        }
        if self.first_ts.is_empty() {
            header.ts.clone_into(&mut self.first_ts);
        } else if header.ts < self.last_ts.as_str() {
            self.backwards = self.backwards.or(Some(seq));
        }
        header.ts.clone_into(&mut self.last_ts);
        if seq == 0 {
            self.origin = header.origin.map(str::to_owned);
        }
        if let Some(blob) = header.blob {
            let path = record::blob_path(&blob.digest);
            match disk.read(&path, blob.size.min(record::MAX_BODY as u64)) {
                Ok(bytes) if bytes.len() as u64 == blob.size && merkle::sha256(&bytes) == blob.digest => {
                    self.blobs.push(blob.digest);
                }
                Ok(_) => self.errors.push(Error::damaged(path, "its digest is another")),
                Err(error) => self.errors.push(beside(path, error)),
            }
        }
        for commitment in &header.private {
            let path = record::private_path(commitment);
            match disk.read(&path, (record::SALT + record::MAX_PRIVATE) as u64) {
                Ok(bytes) if merkle::sha256(&bytes) == *commitment => self.private.push(*commitment),
                Ok(_) => self.errors.push(Error::damaged(path, "its digest is another")),
                Err(error) if error.kind == FileErrorKind::NotFound => self.gone.push((seq, *commitment)),
                Err(error) => self.errors.push(beside(path, error)),
            }
        }
        if matches!(header.kind, record::REDACT | record::RECOVERY) {
            match Record::parse(entry) {
                Ok(record) => self.tell(&record),
                Err(Wrong::Form(_) | Wrong::Version(_)) => {}
            }
        }
    }

    /// Takes up what a record of the ledger's own tells of files.
    fn tell(&mut self, record: &Record) {
        let Some(body) = &record.body else { return };
        let fields = body["private"].as_array().map(Vec::as_slice).unwrap_or_default();
        self.redacted.extend(fields.iter().filter_map(|field| merkle::from_hex(field.as_str()?)));
        if record.kind == record::RECOVERY {
            self.quarantine.extend(body["sha256"].as_str().map(str::to_owned));
        }
    }
}

/// A file beside a record that cannot be read: not being what was written is tampering, a failing disk is not.
fn beside(path: String, error: grace_system::files::FileError) -> Error {
    match error.kind {
        FileErrorKind::NotFound => Error::damaged(path, "it is missing"),
        FileErrorKind::TooLarge { .. } => Error::damaged(path, "it is longer than it was"),
        FileErrorKind::NotAFile | FileErrorKind::Link => Error::damaged(path, "it is no file"),
        _ => error.into(),
    }
}

/// The rules that records name, in order.
#[derive(Debug, Default)]
struct Policies {
    last: Option<(String, u64)>,
    /// The first version of each text.
    first: BTreeMap<String, u64>,
    /// Where an earlier text came back: number, version, the version that it had first.
    back: Option<(u64, u64, u64)>,
    times_back: u64,
}

impl Policies {
    /// What is wrong with rules that are named after those before.
    fn follow(&mut self, seq: u64, digest: String, version: u64) -> Option<String> {
        let wrong = match &self.last {
            Some((_, last)) if version < *last => {
                Some(format!("the version of the policy falls from {last} to {version}"))
            }
            Some((text, last)) if version == *last && *text != digest => {
                Some(format!("it names other rules than the record before under the same version, {version}"))
            }
            _ => None,
        };
        let is_other = self.last.as_ref().is_none_or(|(last, _)| *last != digest);
        let first = *self.first.entry(digest.clone()).or_insert(version);
        if is_other && first < version {
            self.back = Some((seq, version, first));
            self.times_back += 1;
        }
        self.last = Some((digest, version));
        wrong
    }

    /// That rules which had been replaced were in force again: by their digest nothing is wrong with that.
    fn note(&self) -> Option<String> {
        let (seq, version, first) = self.back?;
        let times =
            if self.times_back > 1 { format!(", the last of {} times", self.times_back) } else { String::new() };
        Some(format!(
            "version {version} of the policy, from record {seq} on, is the text of version {first} again{times}"
        ))
    }
}

/// What is known of the records so far, put together in order.
#[derive(Debug)]
struct Chain {
    edge: Edge,
    origin: String,
    digest: Option<Hash>,
    policies: Policies,
    ts: String,
    backwards: Option<u64>,
    times_back: u64,
    gone: Vec<(u64, Hash)>,
    redacted: BTreeSet<Hash>,
    told: Told,
    /// A piece could not be read, so the root cannot be told.
    has_gap: bool,
}

impl Chain {
    fn new(head: &Checkpoint) -> Self {
        Self {
            edge: Edge::default(),
            origin: head.origin.clone(),
            digest: None,
            policies: Policies::default(),
            ts: String::new(),
            backwards: None,
            times_back: 0,
            gone: Vec::new(),
            redacted: BTreeSet::new(),
            told: Told::default(),
            has_gap: false,
        }
    }

    fn add(&mut self, disk: &dyn Disk, piece: Piece, anchors: &[(Anchored, Hash)], report: &mut Report) {
        let seq = report.read;
        report.read += piece.leaves.len() as u64;
        self.has_gap |= piece.leaves.is_empty();
        for error in piece.errors {
            report.error(error);
        }
        if self.has_gap {
            return;
        }
        if seq == 0 && piece.origin.as_deref() != Some(&self.origin) {
            report.tampered("record 0", "it is not the first of the ledger that its checkpoint names");
        }
        if piece.first_prev.is_some_and(|prev| prev != self.digest.unwrap_or_default()) {
            report.tampered(format!("record {seq}"), "its `prev` is not the digest of the record before");
        }
        for (seq, digest, version) in piece.policies {
            if let Some(what) = self.policies.follow(seq, digest, version) {
                report.tampered(format!("record {seq}"), what);
            }
        }
        if piece.first_ts < self.ts {
            self.backwards = self.backwards.or(Some(seq));
            self.times_back += 1;
        }
        self.times_back += u64::from(piece.backwards.is_some());
        self.backwards = self.backwards.or(piece.backwards);
        self.digest = piece.last_digest;
        self.ts = piece.last_ts;
        self.gone.extend(piece.gone);
        self.redacted.extend(piece.redacted);
        self.told.blobs.extend(piece.blobs);
        self.told.private.extend(piece.private);
        self.told.quarantine.extend(piece.quarantine);
        for leaf in piece.leaves {
            let mut whole = Vec::new();
            self.edge.push(leaf, |tile| whole.push(tile));
            // Those of the lowest level were compared already.
            for tile in whole.into_iter().filter(|tile| tile.level > 0) {
                compare(disk, tile.level, tile.index, &tile.hashes, report);
            }
            for (anchored, root) in anchors.iter().filter(|(anchored, _)| anchored.size == self.edge.size) {
                if self.edge.root() == *root {
                    report.anchored.push(anchored.clone());
                } else {
                    let what = format!("its first {} records are not those that it vouches for", anchored.size);
                    report.tampered(anchored.source.clone(), what);
                }
            }
        }
    }

    fn end(mut self, disk: &dyn Disk, head: &Checkpoint, report: &mut Report) -> Told {
        if !self.has_gap && !report.stopped {
            for (level, hashes) in (0..).zip(&self.edge.levels).skip(1).filter(|(_, hashes)| !hashes.is_empty()) {
                compare(disk, level, tiles::count(head.size, level) / WIDTH, hashes, report);
            }
            if self.edge.size != head.size || self.edge.root() != head.root {
                report.tampered(CHECKPOINT, "the records do not lead to the root that was signed");
            }
        }
        let redacted = std::mem::take(&mut self.redacted);
        for (seq, commitment) in &self.gone {
            if redacted.contains(commitment) {
                report.redacted += 1;
            } else {
                let what = format!("the text of a private field of record {seq} is missing, and no record tells of it");
                report.tampered(record::private_path(commitment), what);
            }
        }
        report.undeleted = redacted.intersection(&self.told.private).copied().collect();
        if !report.undeleted.is_empty() {
            let what =
                format!("{} deleted private fields are still there: `audit fsck` removes them", report.undeleted.len());
            report.notes.push(what);
        }
        report.policy = self.policies.last.as_ref().map(|(_, version)| *version);
        report.notes.extend(self.policies.note());
        if let Some(seq) = self.backwards {
            report.notes.push(format!(
                "the clock went backwards at record {seq}{}",
                if self.times_back > 1 { " and later" } else { "" }
            ));
        }
        self.told
    }
}

/// Holds a tile of hashes against what the records make of it.
fn compare(disk: &dyn Disk, level: u8, index: u64, hashes: &[Hash], report: &mut Report) {
    match snapshot::read_hashes(disk, level, index, hashes.len() as u64) {
        Ok(found) if found == hashes => {}
        Ok(_) => {
            let path = tiles::path(Row::Hashes(level), index, hashes.len() as u64);
            report.tampered(path, "its hashes are not those of the records");
        }
        Err(error) => report.error(error),
    }
}
