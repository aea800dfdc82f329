//! Checkpoints: how large the tree is and what its root is, as a signed note (C2SP's tlog-checkpoint and signed-note).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::key::{PublicKey, SecretKey};
use crate::merkle::Hash;

/// The longest checkpoint that is read.
pub const MAX_CHECKPOINT: usize = 16 * 1024;
/// The longest name of a log.
const MAX_ORIGIN: usize = 200;
/// What a line with a signature begins with.
const DASH: &str = "\u{2014} ";

/// A checkpoint whose signature has not been looked at, or has, by whoever gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many records.
    pub size: u64,
    /// The root of the tree of these records.
    pub root: Hash,
    /// The whole signed note.
    pub note: String,
}

impl Checkpoint {
    /// Signs how large a tree is and what its root is.
    #[must_use]
    pub fn sign(key: &SecretKey, origin: &str, size: u64, root: Hash) -> Self {
        let text = format!("{origin}\n{size}\n{}\n", BASE64.encode(root));
        let mut signature = key.public().id(origin).to_vec();
        signature.extend(key.sign(text.as_bytes()));
        let note = format!("{text}\n{DASH}{origin} {}\n", BASE64.encode(signature));
        Self { origin: origin.to_owned(), size, root, note }
    }

    /// What a note says, without looking at its signatures: use [`Checkpoint::verify`] before believing it.
    #[must_use]
    pub fn parse(note: &str) -> Option<Self> {
        let (text, signatures) = split(note)?;
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        // Lines after these are extensions, which this program knows none of.
        if lines.next().is_some() || !is_name(origin) || signatures.lines().any(|line| signature(line).is_none()) {
            return None;
        }
        Some(Self {
            origin: origin.to_owned(),
            size: decimal(size)?,
            root: BASE64.decode(root).ok()?.try_into().ok()?,
            note: note.to_owned(),
        })
    }

    /// What a note says, if `key` signed it under the name of its log.
    #[must_use]
    pub fn verify(note: &str, key: &PublicKey) -> Option<Self> {
        let checkpoint = Self::parse(note)?;
        let (text, signatures) = split(note)?;
        let id = key.id(&checkpoint.origin);
        let is_signed = signatures.lines().filter_map(signature).any(|(name, of, signature)| {
            // Signatures of other kinds, such as those of witnesses, have another length.
            let signature = <&[u8; 64]>::try_from(signature.as_slice());
            name == checkpoint.origin && of == id && signature.is_ok_and(|it| key.has_signed(text.as_bytes(), it))
        });
        is_signed.then_some(checkpoint)
    }
}

/// The text of a note and the lines with its signatures; a note of any other form is none.
fn split(note: &str) -> Option<(&str, &str)> {
    if note.len() > MAX_CHECKPOINT || note.chars().any(|c| c < ' ' && c != '\n') {
        return None;
    }
    let at = note.rfind("\n\n")?;
    let (text, signatures) = (&note[..=at], &note[at + 2..]);
    (signatures.ends_with('\n') && text.len() > 1).then_some((text, signatures))
}

/// Name, id of the key and signature of one line.
fn signature(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = BASE64.decode(encoded).ok().filter(|_| is_name(name))?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    Some((name, *id, signature.to_vec()))
}

/// Whether a text can be the name of a log or a key.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_ORIGIN && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

/// A number in its one decimal form.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let is_canonical = text == "0" || !text.starts_with('0');
    (is_canonical && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}
