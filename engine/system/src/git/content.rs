//! The names of contents on disk: what git would call a file, and what we call it, from its bytes or from memory.

use std::io::Read as _;

use sha2::Digest as _;

use super::{Hasher, ObjectFormat, Oid, Repository};
use crate::files::{self, FileError, Stamp};

/// Files larger than this are hashed as they are, without a second look for line endings.
const IN_MEMORY: u64 = 64 << 20;

/// What one content is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names {
    /// BLAKE3 of the bytes.
    pub content: [u8; 32],
    /// The blob with these bytes.
    pub blob: Oid,
    /// The blob with CRLF as LF, where that is another one.
    pub text: Option<Oid>,
    /// The blob of the Git LFS pointer to them, where somebody asked for it.
    pub pointer: Option<Oid>,
}

/// A file on disk whose content was looked at, now or in the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// Repository-relative path.
    pub path: String,
    /// Its state when it had this content.
    pub stamp: Stamp,
    /// The names of its content.
    pub names: Names,
}

/// What is remembered of a file in this state. What it says is believed. Files are asked for in order, and the number is
/// where who remembers begins to look: 0 at first, then as it was left.
pub type Recall<'a> = &'a (dyn Fn(&str, &Stamp, &mut usize) -> Option<Names> + Sync);

/// What is known of the content of a file on disk.
pub(super) struct Looked {
    /// The state in which it had this content.
    pub(super) stamp: Stamp,
    pub(super) names: Names,
    /// It was not remembered.
    pub(super) was_read: bool,
}

impl Repository {
    /// The names of a file on disk: as remembered in the state `stamp`, otherwise by its bytes. And the blob that it stands
    /// for: the first of `wanted` that it is a checkout of, otherwise that of its bytes.
    pub(super) fn names_on_disk(
        &self,
        path: &str,
        stamp: &Stamp,
        wanted: [Option<Oid>; 2],
        recall: Recall<'_>,
        hint: &mut usize,
    ) -> Result<(Oid, Looked), FileError> {
        if let Some(names) = recall(path, stamp, hint)
            && let Some(oid) = stands_for(&names, stamp, wanted)
        {
            return Ok((oid, Looked { stamp: *stamp, names, was_read: false }));
        }
        let (mut file, meta) = files::open_in(self.root(), path)?;
        let failed = |error: std::io::Error| FileError::from_io(&self.root().join(path), &error);
        let stamp = Stamp::of(&meta);
        let names = if meta.len() > IN_MEMORY {
            let mut hasher = Hasher::blob(self.format, meta.len());
            let mut content = blake3::Hasher::new();
            let mut chunk = vec![0; 1 << 20];
            loop {
                match file.read(&mut chunk).map_err(failed)? {
                    0 => break,
                    count => {
                        hasher.update(&chunk[..count]);
                        content.update(&chunk[..count]);
                    }
                }
            }
            Names { content: *content.finalize().as_bytes(), blob: hasher.finish(), text: None, pointer: None }
        } else {
            let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
            (&mut file).take(IN_MEMORY).read_to_end(&mut bytes).map_err(failed)?;
            let mut names = self.names_of(&bytes);
            if stands_for(&names, &stamp, wanted).is_none() {
                names.pointer = Some(Oid::of_blob(self.format, &lfs_pointer(&bytes)));
            }
            names
        };
        // Written to meanwhile: what was read may be neither the old nor the new content.
        let unchanged = file.metadata().is_ok_and(|meta| Stamp::of(&meta) == stamp);
        let stamp = if unchanged { stamp } else { Stamp { modified: i64::MAX, ..stamp } };
        let oid = stands_for(&names, &stamp, wanted).unwrap_or(names.blob);
        Ok((oid, Looked { stamp, names, was_read: true }))
    }

    /// The names of these bytes, but for that of the pointer.
    #[must_use]
    pub fn names_of(&self, bytes: &[u8]) -> Names {
        self.names_of_content(*blake3::hash(bytes).as_bytes(), bytes)
    }

    /// The same where the first of them, of these very bytes, is known.
    #[must_use]
    pub fn names_of_content(&self, content: [u8; 32], bytes: &[u8]) -> Names {
        Names {
            content,
            blob: Oid::of_blob(self.format, bytes),
            text: without_carriage_returns(bytes).map(|text| Oid::of_blob(self.format, &text)),
            pointer: None,
        }
    }
}

/// The blob that a file with these names stands for; `None` where its pointer must be asked for first.
fn stands_for(names: &Names, stamp: &Stamp, wanted: [Option<Oid>; 2]) -> Option<Oid> {
    let is_wanted = |oid: &Oid| wanted.iter().flatten().any(|wanted| wanted == oid);
    if wanted == [None, None] || is_wanted(&names.blob) {
        return Some(names.blob);
    }
    match [names.text, names.pointer].into_iter().flatten().find(is_wanted) {
        None if names.pointer.is_none() && stamp.size <= IN_MEMORY => None,
        None => Some(names.blob),
        same => same,
    }
}

/// CRLF as LF; `None` if there is none, or if the content is binary.
fn without_carriage_returns(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.contains(&b'\r') || bytes.contains(&0) || !bytes.windows(2).any(|pair| pair == b"\r\n") {
        return None;
    }
    let mut text = Vec::with_capacity(bytes.len());
    for (index, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(index + 1) != Some(&b'\n') {
            text.push(*byte);
        }
    }
    Some(text)
}

/// The pointer file that Git LFS commits in place of these bytes (its specification, version 1).
fn lfs_pointer(bytes: &[u8]) -> Vec<u8> {
    let mut hasher = sha2::Sha256::new();
    hasher.update(bytes);
    let digest = Oid { bytes: hasher.finalize().into(), format: ObjectFormat::Sha256 };
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {}\n", bytes.len()).into_bytes()
}
