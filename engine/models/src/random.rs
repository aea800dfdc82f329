//! Numbers that follow from a seed, the same on every machine: items that were asked can be made again.

/// SplitMix64.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Those of `seed` for one purpose: two purposes share no items.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let mut random = Self(seed);
        for byte in purpose.bytes() {
            random.0 ^= u64::from(byte);
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of 0 to `below` - 1; 0 for nothing to choose from.
    pub(crate) fn below(&mut self, below: usize) -> usize {
        // The remainder's bias is far below anything that a few hundred items could show.
        usize::try_from(self.next() % (below.max(1) as u64)).unwrap_or(0)
    }

    /// From `from` to `to`, both included.
    pub(crate) fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// One of `all`, which is not empty.
    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// A word that nobody uses, of three or four syllables.
    pub(crate) fn word(&mut self) -> String {
        const BEGIN: &[&str] = &["qu", "z", "v", "dr", "k", "thr", "m", "y", "sk", "br", "f", "pl"];
        const MIDDLE: &[&str] = &["ani", "ovu", "ezi", "ura", "ilo", "aqu", "yme", "oxi", "eru", "avo"];
        const END: &[&str] = &["mdor", "lvex", "ntral", "rquin", "shtar", "vlop", "zzik", "ndril", "xphar", "gmuth"];
        let mut word = (*self.pick(BEGIN)).to_owned();
        for _ in 0..self.between(1, 2) {
            word.push_str(self.pick::<&str>(MIDDLE));
            word.push_str(self.pick::<&str>(&["b", "d", "k", "l", "n", "r", "t"]));
        }
        word.push_str(self.pick::<&str>(&["a", "e", "i", "o", "u"]));
        word.push_str(self.pick::<&str>(END));
        word
    }

    /// Such a word as a name.
    pub(crate) fn name(&mut self) -> String {
        let word = self.word();
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_same_seed_gives_the_same_words_and_another_others() {
        let words = |seed, purpose: &str| {
            let mut random = Random::new(seed, purpose);
            (0..20).map(|_| random.name()).collect::<Vec<_>>()
        };
        assert_eq!(words(7, "a"), words(7, "a"));
        assert_ne!(words(7, "a"), words(8, "a"));
        assert_ne!(words(7, "a"), words(7, "b"));
        assert_eq!(words(7, "a")[..2], ["Koxirovulushtar", "Drymebozzik"]);
    }

    #[test]
    fn a_range_is_kept() {
        let mut random = Random::new(1, "range");
        assert!((0..1000).all(|_| (3..=5).contains(&random.between(3, 5))));
        assert_eq!(random.below(0), 0);
    }
}
