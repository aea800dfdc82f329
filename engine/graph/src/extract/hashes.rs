//! Digests of what a part says, the same for every reader.

use crate::facts::Digest;

/// The digest of some bytes; that of none is all zeros.
pub(super) fn digest(bytes: &[u8]) -> Digest {
    if bytes.is_empty() { Digest::default() } else { shorten(blake3::hash(bytes)) }
}

/// The digest of a body without its nested parts, whose ranges are sorted; `whole` is that of all of it.
pub(super) fn without_nested(body: &[u8], nested: &[(usize, usize)], whole: Digest) -> Digest {
    if nested.is_empty() {
        return whole;
    }
    let mut hasher = blake3::Hasher::new();
    let mut from = 0;
    for &(begin, end) in nested {
        hasher.update(&body[from..begin]);
        from = end;
    }
    hasher.update(&body[from..]);
    shorten(hasher.finalize())
}

fn shorten(hash: blake3::Hash) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(&hash.as_bytes()[..16]);
    digest
}
