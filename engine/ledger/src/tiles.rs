//! The tree on disk: tiles of 256 hashes and bundles of 256 entries, as C2SP's tlog-tiles lays them out.
//!
//! `tile/L/N` holds the hashes of level 8·L from 256·N on, `tile/entries/N` the entries themselves, each after its length in
//! two bytes. The last of a level may be partial: its name then ends in `.p/W`, where W is how many it holds.

use crate::merkle::{self, Hash};

/// Hashes in a tile, entries in a bundle.
pub(crate) const WIDTH: u64 = 256;
/// The longest entry: its length is kept in two bytes.
pub(crate) const MAX_ENTRY: usize = 65_535;
/// The longest bundle.
pub(crate) const MAX_BUNDLE: u64 = WIDTH * (2 + MAX_ENTRY as u64);
/// The longest tile of hashes.
pub(crate) const MAX_TILE: u64 = WIDTH * 32;
/// Levels of tiles that a tree of 2⁶⁴ leaves has.
pub(crate) const LEVELS: u8 = 8;

/// What a row of tiles holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    /// Entries.
    Entries,
    /// Hashes of this level of tiles.
    Hashes(u8),
}

/// The path of a tile with `width` of 256 hashes or entries, from the ledger's directory on.
pub(crate) fn path(row: Row, index: u64, width: u64) -> String {
    let mut path = match row {
        Row::Entries => "tile/entries".to_owned(),
        Row::Hashes(level) => format!("tile/{level}"),
    };
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    for group in groups.iter().rev() {
        path.push('/');
        path.push_str(group);
    }
    if width < WIDTH {
        path.push_str(&format!(".p/{width}"));
    }
    path
}

/// How many hashes the rows of a tree of `size` hold, at this level of tiles.
pub(crate) fn count(size: u64, level: u8) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// How many the tile `index` holds in a row of `count`.
pub(crate) fn width(count: u64, index: u64) -> u64 {
    count.saturating_sub(index.saturating_mul(WIDTH)).min(WIDTH)
}

/// Puts an entry at the end of a bundle. It must not be longer than [`MAX_ENTRY`].
pub(crate) fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) {
    let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
    bundle.extend(length.to_be_bytes());
    bundle.extend(entry);
}

/// The entries of a bundle; `None` where the lengths do not add up.
pub(crate) fn entries(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bundle = rest;
    }
    Some(entries)
}

/// The hashes of a tile; `None` if a part of one is left over.
pub(crate) fn hashes(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    rest.is_empty().then(|| hashes.to_vec())
}

/// The right edge of a tree: all that is needed to put more leaves at its end, and to tell its root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edge {
    /// Leaves.
    pub(crate) size: u64,
    /// Of each level of tiles, what its last, not yet whole tile holds.
    pub(crate) levels: Vec<Vec<Hash>>,
}

/// A tile that became whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) level: u8,
    pub(crate) index: u64,
    pub(crate) hashes: Vec<Hash>,
}

impl Edge {
    /// Puts a leaf at the end; each tile that became whole by it is given to `whole`.
    pub(crate) fn push(&mut self, leaf: Hash, mut whole: impl FnMut(Whole)) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0..LEVELS {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Vec::with_capacity(WIDTH as usize));
            }
            self.levels[at].push(hash);
            if self.levels[at].len() < WIDTH as usize {
                return;
            }
            let hashes = std::mem::take(&mut self.levels[at]);
            hash = merkle::root(&hashes);
            whole(Whole { level, index: count(self.size, level) / WIDTH - 1, hashes });
        }
    }

    /// The root of the whole tree.
    pub(crate) fn root(&self) -> Hash {
        let mut peaks = Vec::new();
        for hashes in self.levels.iter().rev() {
            let mut rest = hashes.as_slice();
            while !rest.is_empty() {
                let (peak, after) = rest.split_at(1 << rest.len().ilog2());
                peaks.push(merkle::root(peak));
                rest = after;
            }
        }
        let Some(mut root) = peaks.pop() else { return merkle::root(&[]) };
        while let Some(peak) = peaks.pop() {
            root = merkle::node(&peak, &root);
        }
        root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_specification() {
        assert_eq!(path(Row::Hashes(0), 1_234_067, WIDTH), "tile/0/x001/x234/067");
        assert_eq!(path(Row::Entries, 1000, 7), "tile/entries/x001/000.p/7");
        assert_eq!(path(Row::Hashes(3), 5, 255), "tile/3/005.p/255");
    }

    #[test]
    fn an_edge_has_the_root_of_all_its_leaves() {
        let leaves: Vec<Hash> = (0..70_000_u32).map(|number| merkle::leaf(&number.to_be_bytes())).collect();
        let mut edge = Edge::default();
        let mut whole = Vec::new();
        assert_eq!(edge.root(), merkle::root(&[]));
        for leaf in &leaves {
            edge.push(*leaf, |tile| whole.push((tile.level, tile.index)));
            if edge.size.is_power_of_two() || edge.size % 9_973 == 1 {
                assert_eq!(edge.root(), merkle::root(&leaves[..edge.size as usize]), "{}", edge.size);
            }
        }
        assert!(whole.contains(&(0, 272)) && whole.contains(&(1, 0)) && !whole.contains(&(2, 0)));
        assert_eq!(edge.levels.iter().map(Vec::len).collect::<Vec<_>>(), [70_000 % 256, 273 % 256, 1]);
    }

    #[test]
    fn lengths_that_do_not_add_up_are_no_bundle() {
        let mut bundle = Vec::new();
        push_entry(&mut bundle, b"one");
        push_entry(&mut bundle, b"");
        assert_eq!(entries(&bundle), Some(vec![&b"one"[..], b""]));
        for cut in [1, 3, 4, 6] {
            assert_eq!(entries(&bundle[..cut]), None, "{cut}");
        }
        assert_eq!(entries(b""), Some(Vec::new()));
    }
}
