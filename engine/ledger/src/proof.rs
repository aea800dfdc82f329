//! Proofs that a record is in a ledger, as files that need nothing but the public key (C2SP's tlog-proof).
//!
//! The bytes of the record itself are the `extra` of the proof.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::key::PublicKey;
use crate::merkle::{self, Hash};
use crate::note::{self, Checkpoint, MAX_CHECKPOINT};
use crate::record::{Record, Wrong};
use crate::tiles::MAX_ENTRY;

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// The longest proof: the longest record in Base64, 64 hashes, a checkpoint.
pub const MAX_PROOF: usize = MAX_ENTRY * 4 / 3 + 64 * 45 + MAX_CHECKPOINT + 256;

/// The text of a proof.
pub(crate) fn write(seq: u64, entry: &[u8], path: &[Hash], head: &Checkpoint) -> String {
    let mut text = format!("{HEADER}\nextra {}\nindex {seq}\n", BASE64.encode(entry));
    for hash in path {
        text.push_str(&BASE64.encode(hash));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&head.note);
    text
}

/// What a proof proves.
#[derive(Debug, Clone, PartialEq)]
pub struct Proven {
    /// The record.
    pub record: Record,
    /// The checkpoint of the ledger that holds it.
    pub checkpoint: Checkpoint,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproven {
    /// It is no proof, or none of a record that this program can read; why.
    Malformed(&'static str),
    /// Its checkpoint is not signed by the key.
    NotSigned,
    /// The record is not in the tree of its checkpoint.
    NotIncluded,
    /// The record is of a newer format, of this major version.
    Newer(i64),
    /// The record is in the tree and is no sound record.
    Record(String),
    /// The record is in the tree, and what was given for its body is another.
    Body,
}

impl std::fmt::Display for Unproven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "it is no proof: {why}"),
            Self::NotSigned => f.write_str("its checkpoint is not signed by the key"),
            Self::NotIncluded => f.write_str("its record is not in the ledger of its checkpoint"),
            Self::Newer(version) => write!(f, "its record is of format {version}, which this program does not know"),
            Self::Body => f.write_str("the file is not the body that its record names"),
            Self::Record(why) => write!(f, "its record is none: {why}"),
        }
    }
}

/// What a proof proves to whoever trusts `key`.
pub fn check(text: &str, key: &PublicKey) -> Result<Proven, Unproven> {
    let (seq, entry, path, note) = parse(text).map_err(Unproven::Malformed)?;
    let checkpoint = Checkpoint::verify(note, key).ok_or(Unproven::NotSigned)?;
    let root = merkle::root_of_proof(seq, checkpoint.size, merkle::leaf(&entry), &path);
    if root != Some(checkpoint.root) {
        return Err(Unproven::NotIncluded);
    }
    let record = Record::parse(&entry).map_err(|wrong| match wrong {
        Wrong::Version(version) => Unproven::Newer(version),
        Wrong::Form(why) => Unproven::Record(why),
    })?;
    if record.seq != seq {
        return Err(Unproven::Record(format!("it says that it is record {}", record.seq)));
    }
    Ok(Proven { record, checkpoint })
}

/// The checkpoint that a proof brings, unverified: it names the key's name for messages.
#[must_use]
pub fn claimed_checkpoint(text: &str) -> Option<Checkpoint> {
    Checkpoint::parse(parse(text).ok()?.3)
}

type Parts<'a> = (u64, Vec<u8>, Vec<Hash>, &'a str);

fn parse(text: &str) -> Result<Parts<'_>, &'static str> {
    if text.len() > MAX_PROOF {
        return Err("it is far too long");
    }
    let (head, note) = text.split_once("\n\n").ok_or("it has no checkpoint")?;
    let mut lines = head.split('\n');
    if lines.next() != Some(HEADER) {
        return Err("it does not begin like one");
    }
    let entry = lines.next().and_then(|line| line.strip_prefix("extra ")).and_then(|text| BASE64.decode(text).ok());
    let entry = entry.filter(|entry| entry.len() <= MAX_ENTRY).ok_or("it does not bring its record")?;
    let seq = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(note::decimal);
    let seq = seq.ok_or("it does not say which record it is about")?;
    let path: Option<Vec<Hash>> =
        lines.map(|line| BASE64.decode(line).ok().and_then(|hash| hash.try_into().ok())).collect();
    let path = path.filter(|path| path.len() <= 64).ok_or("its hashes are none")?;
    Ok((seq, entry, path, note))
}
