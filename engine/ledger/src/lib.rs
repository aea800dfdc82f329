//! A ledger that proves itself: records that can only be added, and a reader that notices whatever else was done to them.
//!
//! Records are lines of canonical JSON ([`record`]), chained by SHA-256 and held in an RFC 6962 Merkle tree whose tiles,
//! entries and signed checkpoint lie on disk as C2SP's tlog-tiles has them, so any verifier of that format can check a
//! ledger. This crate knows nothing of rules, plans or git; what records say is up to who writes them. It holds no lock
//! and no file open between calls.
//!
//! An append is on disk before it is acknowledged, or it is an error on which the caller must stop. Nothing is ever
//! truncated: what a crash left half-written is put aside and told by a record.

mod append;
pub mod canonical;
mod disk;
mod dsse;
mod error;
mod key;
pub mod merkle;
mod note;
mod pending;
mod proof;
pub mod record;
mod snapshot;
mod tiles;
mod verify;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use grace_system::files::FileErrorKind;

pub use disk::{Disk, Guard, Local};
pub use dsse::{Subject, open_envelope};
pub use error::{Error, Result};
pub use key::{PublicKey, SecretKey};
pub use note::{Checkpoint, MAX_CHECKPOINT};
pub use pending::MAX_APPEND;
pub use proof::{MAX_PROOF, Proven, Unproven, check as check_proof, claimed_checkpoint};
pub use record::{Blob, Draft, Policy, Record};
pub use snapshot::Snapshot;
pub use verify::{Anchor, Anchored, Fault, FaultKind, Pending, Report};

/// How long one process waits for others to be done with a ledger.
const PATIENCE: Duration = Duration::from_secs(30);

/// The ledger in one directory, usually `<git-common-dir>/grace/ledger`.
#[derive(Debug, Clone)]
pub struct Ledger {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    engine: String,
    durable: bool,
    patience: Duration,
}

/// What an append gives for each of its drafts: the record is on disk, and signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The number of the record.
    pub seq: u64,
    /// Its hash as a leaf of the tree.
    pub leaf: merkle::Hash,
    /// SHA-256 of its bytes.
    pub digest: merkle::Hash,
}

impl Ledger {
    /// The ledger in `dir`, which need not be there yet. Nothing is read.
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self::on(Arc::new(Local::at(dir)), dir)
    }

    /// The ledger on another disk; `dir` is only its name in messages.
    #[must_use]
    pub fn on(disk: Arc<dyn Disk>, dir: &Path) -> Self {
        let engine = concat!("grace-ledger ", env!("CARGO_PKG_VERSION")).to_owned();
        Self { disk, dir: dir.to_path_buf(), engine, durable: true, patience: PATIENCE }
    }

    /// Whether anything stands where it is kept, whoever made it.
    #[must_use]
    pub fn is_there(&self) -> bool {
        !matches!(self.disk.list("", 1), Err(error) if error.kind == FileErrorKind::NotFound)
    }

    /// Names the program that writes, as each record then says: at most 128 bytes.
    #[must_use]
    pub fn engine(mut self, engine: impl Into<String>) -> Self {
        self.engine = engine.into();
        self
    }

    /// Whether an append waits for the disk. Without it a power cut may lose or tear what was acknowledged: for measurements.
    #[must_use]
    pub fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// How long to wait for other processes.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Its directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The ledger as its checkpoint says it is, if `key` signed that. What was appended half is not in it.
    pub fn snapshot(&self, key: &PublicKey) -> Result<Snapshot> {
        let note = snapshot::read_checkpoint(&*self.disk)?;
        let note = note.ok_or_else(|| Error::Absent { dir: self.dir.clone() })?;
        Snapshot::at(Arc::clone(&self.disk), snapshot::believe(&note, key)?)
    }

    /// The checkpoint on disk, whoever signed it; `None` if there is none that could be one.
    pub fn claimed_checkpoint(&self) -> Result<Option<Checkpoint>> {
        Ok(snapshot::read_checkpoint(&*self.disk)?.and_then(|note| Checkpoint::parse(&note)))
    }
}
