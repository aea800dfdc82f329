//! The Merkle tree of RFC 6962 over SHA-256: hashes of leaves, nodes and whole trees, and proofs that a leaf is in one.
//!
//! Pure: nothing here reads a file. A tree of `n` leaves splits at the largest power of two below `n`.

use sha2::{Digest as _, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// SHA-256 of bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// A hash in hexadecimal.
#[must_use]
pub fn hex(hash: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    hash.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The hash that 64 lowercase hexadecimal digits write.
#[must_use]
pub fn from_hex(text: &str) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}

/// The hash of an entry as a leaf.
#[must_use]
pub fn leaf(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// The hash of a node with two below it.
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of a tree of these leaves (or of these roots of equal, whole subtrees).
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(b""),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
            node(&root(left), &root(right))
        }
    }
}

/// The largest power of two below `n`, which is two or more.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// Where a hash of the tree stands: the root of the whole subtree of leaves `index << level .. (index + 1) << level`.
pub(crate) type At = (u32, u64);

/// The root over the leaves `begin..end`, from the hashes of whole subtrees. `begin` must be a multiple of the subtree's size
/// as it is at every split.
pub(crate) fn subtree<E>(begin: u64, end: u64, whole: &mut impl FnMut(At) -> Result<Hash, E>) -> Result<Hash, E> {
    let count = end - begin;
    if count.is_power_of_two() {
        let level = count.ilog2();
        return whole((level, begin >> level));
    }
    let middle = begin + split(count);
    Ok(node(&subtree(begin, middle, whole)?, &subtree(middle, end, whole)?))
}

/// The hashes beside the way from leaf `index` up to the root of a tree of `size`, lowest first.
pub(crate) fn inclusion<E>(
    index: u64,
    size: u64,
    whole: &mut impl FnMut(At) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let (mut begin, mut end) = (0, size);
    let mut path = Vec::new();
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            path.push(subtree(middle, end, whole)?);
            end = middle;
        } else {
            path.push(subtree(begin, middle, whole)?);
            begin = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The root that a leaf at `index` of a tree of `size` and the hashes beside its way lead to; `None` if there are too many
/// or too few of them, or the tree has no such leaf.
#[must_use]
pub fn root_of_proof(index: u64, size: u64, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let mut path = path.iter();
    let mut hash = leaf;
    // The place of the hash in its row, and the last place of that row.
    let (mut place, mut last) = (index, size - 1);
    while last > 0 {
        if place % 2 == 1 {
            hash = node(path.next()?, &hash);
        } else if place < last {
            hash = node(&hash, path.next()?);
        }
        // Otherwise it stands alone at the end of its row and moves up as it is.
        place /= 2;
        last /= 2;
    }
    path.next().is_none().then_some(hash)
}
