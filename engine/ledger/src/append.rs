//! Appending, and finishing or putting aside what an append left that was cut off.
//!
//! Under the lock: long bodies and private fields, then the journal, then bundles and tiles, then the checkpoint. Each file
//! is written beside its place, on disk, and then moved there. The checkpoint is the commit: what it says is the ledger.

use std::collections::BTreeSet;
use std::sync::Arc;

use grace_system::clock;
use grace_system::files::FileErrorKind;
use serde_json::json;

use crate::disk::Guard;
use crate::error::{Error, Result};
use crate::key::{SecretKey, random};
use crate::merkle::{self, Hash, hex};
use crate::note::Checkpoint;
use crate::pending::{self, MAX_APPEND, MAX_PENDING, PENDING, Pending};
use crate::record::{self, Draft, Place, Policy};
use crate::snapshot::{self, CHECKPOINT, Snapshot};
use crate::tiles::{self, Edge, Row, WIDTH};
use crate::{Ledger, Receipt};

/// Where what cannot be finished is put; until a record tells of it, its name ends in [`UNTOLD`].
pub(crate) const QUARANTINE: &str = "quarantine";
/// The end of the name of a file in [`QUARANTINE`] that no record tells of yet.
pub(crate) const UNTOLD: &str = ".new";
/// Most files put aside that one append tells of.
const MAX_UNTOLD: usize = 64;
/// Where a file is written before it is moved to its place.
pub(crate) const BESIDE: &str = "tmp";
/// The directory of bundles and tiles.
pub(crate) const TILES: &str = "tile";

/// What is already there when something is appended.
#[derive(Debug)]
struct Base {
    origin: String,
    edge: Edge,
    /// The last bundle, if it is partial.
    bundle: Vec<u8>,
    /// Digest of the last record.
    prev: Hash,
    policy: Option<Policy>,
}

impl Ledger {
    /// Makes the ledger if there is none yet: `project` becomes part of its name. The first record names the ledger and the
    /// key. Whether it was made.
    pub fn create(&self, key: &SecretKey, project: &str) -> Result<bool> {
        self.disk.make_dir("", self.durable)?;
        let _lock = self.lock()?;
        if self.recover(key)?.is_some() {
            return Ok(false);
        }
        let origin = origin(project, key)?;
        let body = json!({"key": key.public().text(&origin)});
        let base = Base { origin, edge: Edge::default(), bundle: Vec::new(), prev: [0; 32], policy: None };
        let untold = self.untold()?;
        self.add(key, base, &[Draft::new(record::LEDGER, "grace-rules", body)], untold)?;
        Ok(true)
    }

    /// Records all of `drafts`, one after the other under one checkpoint, or none. When it returns, they are on disk.
    ///
    /// An error means that nothing may be done that was to be recorded.
    pub fn append(&self, key: &SecretKey, drafts: &[Draft]) -> Result<Vec<Receipt>> {
        for (index, draft) in drafts.iter().enumerate() {
            let own =
                || record::is_own_kind(&draft.kind).then(|| format!("the kind `{}` is the ledger's own", draft.kind));
            if let Some(what) = record::objection(draft).or_else(own) {
                return Err(Error::Draft { index, what });
            }
        }
        let _lock = self.lock()?;
        let snapshot = self.recover(key)?.ok_or_else(|| Error::Absent { dir: self.dir.clone() })?;
        let untold = self.untold()?;
        if drafts.is_empty() && untold.is_empty() {
            return Ok(Vec::new());
        }
        let base = base(&snapshot)?;
        drop(snapshot);
        self.add(key, base, drafts, untold)
    }

    /// Finishes or puts aside what was cut off, and tells of it, as the next append would. How many records that added.
    pub fn settle(&self, key: &SecretKey) -> Result<u64> {
        let before = snapshot::read_checkpoint(&*self.disk)?;
        let before = before.map(|note| snapshot::believe(&note, &key.public())).transpose()?;
        self.append(key, &[])?;
        let after = self.snapshot(&key.public())?.len();
        Ok(after - before.map_or(0, |checkpoint| checkpoint.size).min(after))
    }

    /// Deletes the texts of all private fields of a record and tells of it, and why. The record itself stays as it is.
    /// A text that is still there after it was told of, where that was cut off, is deleted by [`Self::delete_redacted`].
    pub fn redact(&self, key: &SecretKey, actor: &str, seq: u64, because: &str) -> Result<Receipt> {
        let record = self.snapshot(&key.public())?.get(seq)?;
        if record.private.is_empty() {
            return Err(Error::Draft { index: 0, what: format!("record {seq} has no private fields") });
        }
        let fields: Vec<_> = record.private.values().map(|commitment| hex(commitment)).collect();
        let draft = Draft::new(record::REDACT, actor, json!({"seq": seq, "private": fields, "because": because}));
        if let Some(what) = record::objection(&draft) {
            return Err(Error::Draft { index: 0, what });
        }
        let _lock = self.lock()?;
        let snapshot = self.recover(key)?.ok_or_else(|| Error::Absent { dir: self.dir.clone() })?;
        // Told first: a text that is gone without a record would look like damage.
        let receipts = self.add(key, base(&snapshot)?, &[draft], Vec::new())?;
        self.delete(record.private.values())?;
        receipts.last().copied().ok_or_else(|| Error::damaged(CHECKPOINT, "nothing was added"))
    }

    /// Deletes texts that records say were deleted, and that [a report](crate::Report::undeleted) found.
    pub fn delete_redacted(&self, undeleted: &[Hash]) -> Result<()> {
        let _lock = self.lock()?;
        self.delete(undeleted.iter())
    }

    fn delete<'h>(&self, commitments: impl Iterator<Item = &'h Hash>) -> Result<()> {
        let paths: Vec<String> = commitments.map(record::private_path).collect();
        for path in &paths {
            match self.disk.remove(path) {
                Err(error) if error.kind != FileErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        self.sync_above(paths.iter().map(String::as_str))
    }

    fn lock(&self) -> Result<Guard> {
        match self.disk.lock(self.patience) {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => Err(Error::Busy { dir: self.dir.clone() }),
            Err(error) if error.kind == FileErrorKind::NotFound => Err(Error::Absent { dir: self.dir.clone() }),
            Err(error) => Err(error.into()),
        }
    }

    /// The ledger once the journal has been dealt with; `None` if there is no ledger. The lock must be held.
    fn recover(&self, key: &SecretKey) -> Result<Option<Snapshot>> {
        let note = snapshot::read_checkpoint(&*self.disk)?;
        let head = note.map(|note| snapshot::believe(&note, &key.public())).transpose()?;
        let current = head.map(|head| Snapshot::at(Arc::clone(&self.disk), head)).transpose()?;
        let bytes = match self.disk.read(PENDING, MAX_PENDING) {
            Ok(bytes) => bytes,
            Err(error) if error.kind == FileErrorKind::NotFound => {
                if current.is_none() && self.disk.list(TILES, 1).is_ok_and(|entries| !entries.is_empty()) {
                    return Err(Error::damaged(CHECKPOINT, "it is missing, and tiles are there"));
                }
                return Ok(current);
            }
            Err(error) => return Err(error.into()),
        };
        let size = current.as_ref().map_or(0, Snapshot::len);
        let pending = match pending::parse(&bytes) {
            Ok(pending) if is_ours(&pending, key, current.as_ref()) => pending,
            // It was cut off while it was written, or is not ours: no tile was touched for it.
            Ok(_) | Err(_) => {
                self.put_aside(&bytes)?;
                return Ok(current);
            }
        };
        if pending.base > size {
            let what = format!("an append after {} records is under way, but only {size} are there", pending.base);
            return Err(Error::damaged(CHECKPOINT, what));
        }
        let (edge, bundle) = match &current {
            // It was finished, but for cleaning up.
            Some(current) if pending.checkpoint.size <= size => {
                if current.root_at(pending.checkpoint.size)? == pending.checkpoint.root {
                    self.clean_up(pending.base, size)?;
                    self.disk.remove(PENDING)?;
                } else {
                    self.put_aside(&bytes)?;
                }
                return Ok(Some(Snapshot::at(Arc::clone(&self.disk), current.head().clone())?));
            }
            Some(_) if pending.base < size => {
                self.put_aside(&bytes)?;
                return Ok(current);
            }
            Some(current) => (current.edge().clone(), last_bundle(current)?),
            None => (Edge::default(), Vec::new()),
        };
        let entries = tiles::entries(&pending.bundle).unwrap_or_default();
        let addition = Addition::new(edge, bundle, &entries);
        if addition.edge.root() != pending.checkpoint.root {
            self.put_aside(&bytes)?;
            return Ok(current);
        }
        self.commit(&addition, pending.base, &pending.checkpoint)?;
        Ok(Some(Snapshot::at(Arc::clone(&self.disk), pending.checkpoint)?))
    }

    /// Adds the records of `drafts`, after what tells of files put aside. The lock must be held.
    fn add(&self, key: &SecretKey, base: Base, drafts: &[Draft], untold: Vec<Untold>) -> Result<Vec<Receipt>> {
        let ts = format!("{:.6}", clock::now());
        let is_new = base.edge.size == 0;
        // The first record names the ledger; what tells of files comes after it, else before.
        let told = untold.iter().map(Untold::draft);
        let all: Vec<Draft> = match is_new {
            true => drafts.iter().cloned().chain(told).collect(),
            false => told.chain(drafts.iter().cloned()).collect(),
        };
        let (mut prev, mut policy) = (base.prev, base.policy);
        let mut entries = Vec::with_capacity(all.len());
        let mut beside = Vec::new();
        let mut length = 0;
        let own = if is_new { 0 } else { untold.len() };
        for (index, draft) in all.iter().enumerate() {
            let objection = |what| Error::Draft { index: index.saturating_sub(own), what };
            if let Some(digest) =
                draft.policy.as_ref().filter(|given| policy.as_ref().is_none_or(|last| last.digest != **given))
            {
                policy = Some(Policy { digest: digest.clone(), version: policy.map_or(1, |last| last.version + 1) });
            }
            let seq = base.edge.size + index as u64;
            let origin = (seq == 0).then_some(base.origin.as_str());
            let place = Place { seq, prev, ts: &ts, engine: &self.engine, origin, policy: policy.as_ref() };
            let salts = draft.private.iter().map(|_| random()).collect::<Result<Vec<_>>>()?;
            let (entry, files) = record::encode(draft, &place, &salts).map_err(objection)?;
            length += entry.len() + 2;
            if length > MAX_APPEND {
                return Err(objection(format!("all of them together are longer than {MAX_APPEND} bytes")));
            }
            prev = merkle::sha256(&entry);
            entries.push(entry);
            beside.extend(files);
        }
        let old = base.edge.size;
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let addition = Addition::new(base.edge, base.bundle, &entries);
        let checkpoint = Checkpoint::sign(key, &base.origin, addition.edge.size, addition.edge.root());
        for (path, bytes) in &beside {
            self.place(path, bytes)?;
        }
        self.sync_above(beside.iter().map(|(path, _)| path.as_str()))?;
        let mut bundle = Vec::with_capacity(length);
        entries.iter().for_each(|entry| tiles::push_entry(&mut bundle, entry));
        self.disk.remove(PENDING)?;
        self.disk.write(PENDING, &pending::write(&checkpoint, &bundle), self.durable)?;
        self.sync("")?;
        self.commit(&addition, old, &checkpoint)?;
        for file in &untold {
            let path = format!("{QUARANTINE}/{}", file.name);
            // Told of in vain again, if it fails.
            let _ = self.disk.rename(&format!("{path}{UNTOLD}"), &path);
        }
        let first = old + own as u64;
        Ok(entries[own..]
            .iter()
            .take(drafts.len())
            .zip(first..)
            .map(|(entry, seq)| Receipt { seq, leaf: merkle::leaf(entry), digest: merkle::sha256(entry) })
            .collect())
    }

    /// Puts the files of an addition in their places, the checkpoint last, and cleans up. The journal must be on disk.
    fn commit(&self, addition: &Addition, old: u64, checkpoint: &Checkpoint) -> Result<()> {
        for (path, bytes) in &addition.files {
            self.place(path, bytes)?;
        }
        self.sync_above(addition.files.iter().map(|(path, _)| path.as_str()))?;
        self.place(CHECKPOINT, checkpoint.note.as_bytes())?;
        self.sync("")?;
        // It is done. If this fails, the journal stays, and the next append does it.
        if self.clean_up(old, checkpoint.size).is_ok() {
            let _ = self.disk.remove(PENDING);
        }
        Ok(())
    }

    /// Writes a file beside its place and moves it there.
    fn place(&self, path: &str, bytes: &[u8]) -> Result<()> {
        if let Some((dir, _)) = path.rsplit_once('/') {
            self.disk.make_dir(dir, self.durable)?;
        }
        // One name for all: there is one writer, and a crash leaves at most one such file.
        self.disk.remove(BESIDE)?;
        self.disk.write(BESIDE, bytes, self.durable)?;
        Ok(self.disk.rename(BESIDE, path)?)
    }

    fn sync(&self, dir: &str) -> Result<()> {
        if self.durable {
            self.disk.sync_dir(dir)?;
        }
        Ok(())
    }

    /// Waits for the names of files in their directories.
    fn sync_above<'a>(&self, paths: impl Iterator<Item = &'a str>) -> Result<()> {
        let dirs: BTreeSet<&str> = paths.filter_map(|path| Some(path.rsplit_once('/')?.0)).collect();
        dirs.into_iter().try_for_each(|dir| self.sync(dir))
    }

    /// Removes the partial tiles of a ledger of `old` records that larger ones have replaced in one of `new`.
    fn clean_up(&self, old: u64, new: u64) -> Result<()> {
        let rows = (0..tiles::LEVELS).map(|level| (Row::Hashes(level), level)).chain([(Row::Entries, 0)]);
        for (row, level) in rows {
            let (before, after) = (tiles::count(old, level), tiles::count(new, level));
            if before % WIDTH > 0 && before != after {
                self.disk.remove(&tiles::path(row, before / WIDTH, before % WIDTH))?;
                if after / WIDTH > before / WIDTH {
                    self.disk.remove_empty_dir(&format!("{}.p", tiles::path(row, before / WIDTH, WIDTH)))?;
                }
            }
        }
        Ok(())
    }

    /// Copies a journal that cannot be finished to where a record will tell of it. The journal itself is replaced by the next.
    fn put_aside(&self, bytes: &[u8]) -> Result<()> {
        let name = hex(&merkle::sha256(bytes));
        self.place(&format!("{QUARANTINE}/{name}{UNTOLD}"), bytes)?;
        self.sync(QUARANTINE)?;
        Ok(self.disk.remove(PENDING)?)
    }

    /// The files that were put aside and that no record tells of yet.
    fn untold(&self) -> Result<Vec<Untold>> {
        let entries = match self.disk.list(QUARANTINE, 64 * MAX_UNTOLD) {
            Ok(entries) => entries,
            Err(error) if error.kind == FileErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut untold = Vec::new();
        for entry in entries {
            let Some(name) = entry.name.strip_suffix(UNTOLD) else { continue };
            if merkle::from_hex(name).is_none() || untold.len() == MAX_UNTOLD {
                continue;
            }
            let bytes = self.disk.read(&format!("{QUARANTINE}/{}", entry.name), MAX_PENDING)?;
            // Another name than that of its digest is no file of ours.
            if hex(&merkle::sha256(&bytes)) == name {
                let why = pending::parse(&bytes).err().unwrap_or("it does not continue this ledger");
                untold.push(Untold { name: name.to_owned(), size: bytes.len(), why });
            }
        }
        Ok(untold)
    }
}

/// A file in quarantine that no record tells of yet.
#[derive(Debug)]
struct Untold {
    name: String,
    size: usize,
    why: &'static str,
}

impl Untold {
    fn draft(&self) -> Draft {
        let body =
            json!({"found": "an append that was cut off", "sha256": self.name, "size": self.size, "why": self.why});
        Draft::new(record::RECOVERY, "grace-rules", body)
    }
}

/// What the records to be added make of the last tiles: the new right edge, and the files that change.
#[derive(Debug)]
struct Addition {
    edge: Edge,
    files: Vec<(String, Vec<u8>)>,
}

impl Addition {
    /// After a ledger with this edge and this partial bundle come `entries`.
    fn new(mut edge: Edge, mut bundle: Vec<u8>, entries: &[&[u8]]) -> Self {
        let old = edge.size;
        let mut files = Vec::new();
        for entry in entries {
            tiles::push_entry(&mut bundle, entry);
            edge.push(merkle::leaf(entry), |whole| {
                let path = tiles::path(Row::Hashes(whole.level), whole.index, WIDTH);
                files.push((path, whole.hashes.concat()));
            });
            if edge.size.is_multiple_of(WIDTH) {
                files.push((tiles::path(Row::Entries, edge.size / WIDTH - 1, WIDTH), std::mem::take(&mut bundle)));
            }
        }
        if !bundle.is_empty() {
            files.push((tiles::path(Row::Entries, edge.size / WIDTH, edge.size % WIDTH), bundle));
        }
        for (level, hashes) in (0..).zip(&edge.levels) {
            let count = tiles::count(edge.size, level);
            if !hashes.is_empty() && count != tiles::count(old, level) {
                files.push((tiles::path(Row::Hashes(level), count / WIDTH, count % WIDTH), hashes.concat()));
            }
        }
        Self { edge, files }
    }
}

/// Whether a journal is signed by this key and goes with the ledger that is there.
fn is_ours(pending: &Pending, key: &SecretKey, current: Option<&Snapshot>) -> bool {
    Checkpoint::verify(&pending.checkpoint.note, &key.public()).is_some()
        && current.is_none_or(|current| current.head().origin == pending.checkpoint.origin)
}

fn base(snapshot: &Snapshot) -> Result<Base> {
    let last = snapshot.get(snapshot.len() - 1)?;
    Ok(Base {
        origin: snapshot.head().origin.clone(),
        edge: snapshot.edge().clone(),
        bundle: last_bundle(snapshot)?,
        prev: last.digest(),
        policy: last.policy,
    })
}

/// The bytes of the last bundle, if it is partial.
fn last_bundle(snapshot: &Snapshot) -> Result<Vec<u8>> {
    match snapshot.len() % WIDTH {
        0 => Ok(Vec::new()),
        _ => Ok(snapshot.bundle(snapshot.len() / WIDTH)?.bytes().to_vec()),
    }
}

/// A new ledger's name: the project, the key and chance, so that no two ledgers have the same.
fn origin(project: &str, key: &SecretKey) -> Result<String> {
    let project: String = project
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' })
        .take(64)
        .collect();
    let project = if project.is_empty() { "project" } else { &project };
    Ok(format!("grace-rules/{project}/{}-{}", key.public().fingerprint(), hex(&random::<4>()?)))
}
