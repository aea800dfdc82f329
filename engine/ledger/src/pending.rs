//! The journal of an append: what is to be added, and the checkpoint that will then be true, on disk before any tile is
//! touched. If the append is cut off after that, anybody can finish it, and nobody can forge one without the key.

use crate::merkle::{self, hex};
use crate::note::{Checkpoint, MAX_CHECKPOINT};
use crate::tiles;

/// Where it stands.
pub(crate) const PENDING: &str = "pending";
/// Most bytes of entries in one append.
pub const MAX_APPEND: usize = 64 * 1024 * 1024;
/// The longest journal.
pub(crate) const MAX_PENDING: u64 = (MAX_APPEND + MAX_CHECKPOINT + 1024) as u64;
/// What it begins with.
const HEADER: &str = "grace-ledger-pending-v1 ";

/// A whole journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    /// The checkpoint that is true once the entries are in the tree. Its signature is for the reader to look at.
    pub(crate) checkpoint: Checkpoint,
    /// The entries, as in a bundle.
    pub(crate) bundle: Vec<u8>,
    /// How many records there are before them.
    pub(crate) base: u64,
}

/// The bytes of a journal.
pub(crate) fn write(checkpoint: &Checkpoint, bundle: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(bundle.len() + checkpoint.note.len() + 4);
    payload.extend(u32::try_from(checkpoint.note.len()).unwrap_or(u32::MAX).to_be_bytes());
    payload.extend(checkpoint.note.as_bytes());
    payload.extend(bundle);
    let mut bytes = format!("{HEADER}{} {}\n", payload.len(), hex(&merkle::sha256(&payload))).into_bytes();
    bytes.extend(payload);
    bytes
}

/// The journal that these bytes are; otherwise why they are none, which is what a cut-off write leaves.
pub(crate) fn parse(bytes: &[u8]) -> Result<Pending, &'static str> {
    let end = bytes.iter().take(256).position(|byte| *byte == b'\n').ok_or("its first line is cut off")?;
    let header = std::str::from_utf8(&bytes[..end]).ok().and_then(|line| line.strip_prefix(HEADER));
    let (length, digest) = header.and_then(|rest| rest.split_once(' ')).ok_or("its first line is none")?;
    let payload = &bytes[end + 1..];
    if length != payload.len().to_string() {
        return Err("its length is another");
    }
    if digest != hex(&merkle::sha256(payload)) {
        return Err("its checksum is another");
    }
    let (length, rest) = payload.split_first_chunk().ok_or("it has no checkpoint")?;
    let (note, bundle) = rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or("it has no checkpoint")?;
    let note = std::str::from_utf8(note).map_err(|_| "its checkpoint is none")?;
    let checkpoint = Checkpoint::parse(note).ok_or("its checkpoint is none")?;
    let count = tiles::entries(bundle).ok_or("its entries are not of these lengths")?.len() as u64;
    let base = checkpoint.size.checked_sub(count).filter(|_| count > 0).ok_or("it has no entries")?;
    Ok(Pending { checkpoint, bundle: bundle.to_vec(), base })
}
