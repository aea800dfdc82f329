//! Hash maps for keys that come from files: fast, and with a key of its own per process, so that nobody can write names
//! that all fall into one bucket. The order of such a map is never looked at.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

/// Tells what was damaged by accident. Whoever can write to the cache can write a checksum, too, of whatever kind.
pub(crate) type Checksum = [u8; 32];

/// Any one damaged word gives another checksum, for each step can be undone; and so does nearly everything else.
pub(crate) fn checksum(bytes: &[u8]) -> Checksum {
    let mut sum = Sum::new(bytes.len());
    sum.add(bytes);
    sum.end()
}

/// A [`checksum`] of bytes that come piece by piece.
pub(crate) struct Sum {
    /// Four beside one another, which a processor takes at the same time.
    chains: [u64; 4],
}

/// Bytes that a sum takes at once.
const WORDS: usize = 32;

impl Sum {
    const FACTORS: [u64; 4] =
        [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9, 0x27d4_eb2f_1656_67c5];

    /// Of so many bytes.
    pub(crate) fn new(length: usize) -> Self {
        Self { chains: Self::FACTORS.map(|factor| factor ^ length as u64) }
    }

    /// The next piece; each but the last is as long as some [`WORDS`].
    pub(crate) fn add(&mut self, piece: &[u8]) {
        let (whole, rest) = piece.as_chunks::<WORDS>();
        let mut chains = self.chains;
        let mut take = |words: &[u8; WORDS]| {
            for (at, chain) in chains.iter_mut().enumerate() {
                let mut word = [0; 8];
                word.copy_from_slice(&words[at * 8..at * 8 + 8]);
                *chain = (*chain ^ u64::from_le_bytes(word)).wrapping_mul(Self::FACTORS[at]).rotate_left(29);
            }
        };
        whole.iter().for_each(&mut take);
        if !rest.is_empty() {
            let mut last = [0; WORDS];
            last[..rest.len()].copy_from_slice(rest);
            take(&last);
        }
        self.chains = chains;
    }

    pub(crate) fn end(self) -> Checksum {
        let mut checksum = [0; 32];
        for (bytes, chain) in checksum.chunks_exact_mut(8).zip(self.chains) {
            bytes.copy_from_slice(&(chain ^ chain >> 32).wrapping_mul(Self::FACTORS[0]).to_le_bytes());
        }
        checksum
    }
}

/// A map with [`Keyed`] hashes.
pub(crate) type Map<K, V> = HashMap<K, V, Keyed>;
/// A set with [`Keyed`] hashes.
pub(crate) type Set<K> = HashSet<K, Keyed>;

static KEYS: LazyLock<[u64; 2]> = LazyLock::new(|| {
    let random = RandomState::new();
    // Odd, so that no multiplication by it loses anything.
    [random.hash_one(1u8), random.hash_one(2u8) | 1]
});

/// Makes hashers with this process's keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keyed {
    keys: [u64; 2],
}

impl Default for Keyed {
    fn default() -> Self {
        Self { keys: *KEYS }
    }
}

impl BuildHasher for Keyed {
    type Hasher = KeyedHasher;

    fn build_hasher(&self) -> KeyedHasher {
        KeyedHasher { state: self.keys[0], key: self.keys[1] }
    }
}

/// The hash of a text with keys that are the same in each process: for what is remembered.
pub(crate) fn fixed(text: &str) -> u64 {
    Keyed { keys: [Sum::FACTORS[2], Sum::FACTORS[1]] }.hash_text(text)
}

impl Keyed {
    /// The hash of a text.
    pub(crate) fn hash_text(&self, text: &str) -> u64 {
        let mut hasher = self.build_hasher();
        hasher.write(text.as_bytes());
        hasher.finish()
    }
}

/// Folded multiplication, eight bytes at a time.
#[derive(Debug)]
pub(crate) struct KeyedHasher {
    state: u64,
    key: u64,
}

impl KeyedHasher {
    fn fold(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(self.key);
        self.state = (product as u64) ^ ((product >> 64) as u64).wrapping_add(word.rotate_left(17));
    }
}

impl Hasher for KeyedHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.fold(u64::from_le_bytes(word));
        }
        let rest = chunks.remainder();
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        self.fold(u64::from_le_bytes(word) ^ ((bytes.len() as u64) << 56));
    }

    fn write_u8(&mut self, value: u8) {
        self.fold(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.fold(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.fold(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.fold(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.fold(value as u64);
    }

    /// With one more step by a fixed factor: with some keys the last word alone leaves buckets empty.
    fn finish(&self) -> u64 {
        let product = u128::from(self.state) * u128::from(Sum::FACTORS[0]);
        (product as u64) ^ ((product >> 64) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that are the same in each run: what a process draws would make the test one of luck.
    #[test]
    fn texts_that_differ_hash_differently_and_spread_whatever_the_keys() {
        let texts: Vec<String> = (0..20_000).map(|n| format!("a{n}")).collect();
        // With the first three, the last word alone leaves 119, 115 and 53 of the buckets empty.
        let poor = [
            [0x79f6_56a8_7c3a_84d0, 0x0800_028b_33be_af8d],
            [0x455f_2c90_c014_4c7b, 0xd65f_7527_09c3_0dfb],
            [0x1be7_39de_7e7d_9318, 0x9990_9182_e5ef_eb7d],
        ];
        let others = (0..100_u32).map(|n| {
            let sum = checksum(&n.to_le_bytes());
            let key = |at: usize| u64::from_le_bytes(sum[at..at + 8].try_into().expect("eight bytes"));
            [key(0), key(8) | 1]
        });
        for keys in poor.into_iter().chain(others) {
            let keyed = Keyed { keys };
            let mut buckets = vec![0_u32; 1024];
            let mut hashes = Set::default();
            for text in &texts {
                let hash = keyed.hash_text(text);
                hashes.insert(hash);
                buckets[hash as usize % 1024] += 1;
            }
            assert_eq!(hashes.len(), texts.len(), "{keys:x?}");
            // About 20 to a bucket; by chance alone 50 come once in 10⁸ buckets.
            assert!(buckets.iter().all(|&held| (1..50).contains(&held)), "{keys:x?}");
            assert_ne!(keyed.hash_text(""), keyed.hash_text("\0"));
            assert_ne!(keyed.hash_text("ab"), keyed.hash_text("ab\0"));
        }
    }

    #[test]
    fn a_sum_of_pieces_is_that_of_the_whole_and_sees_each_damaged_byte() {
        let bytes: Vec<u8> = (0..1_000_u32).map(|n| (n * 7 % 251) as u8).collect();
        for length in [0, 1, 31, 32, 33, 64, 1_000] {
            let whole = checksum(&bytes[..length]);
            let mut sum = Sum::new(length);
            bytes[..length].chunks(2 * WORDS).for_each(|piece| sum.add(piece));
            assert_eq!(sum.end(), whole, "{length}");
            for at in 0..length {
                let mut damaged = bytes[..length].to_vec();
                damaged[at] ^= 1;
                assert_ne!(checksum(&damaged), whole, "{at} of {length}");
            }
        }
    }
}
