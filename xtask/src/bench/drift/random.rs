//! Numbers drawn from a seed: the same on every machine.

/// Splitmix64, by Steele, Lea and Flood.
#[derive(Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// From a name, by FNV-1a, so that what is drawn for one file does not hang on which others are there.
    pub(super) fn named(name: &str) -> Self {
        Self(
            name.bytes()
                .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)),
        )
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        ((self.uniform() * end as f64) as usize).min(end - 1)
    }

    /// Of the normal distribution, by Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform().max(f64::MIN_POSITIVE), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }

    /// Events of a Poisson process with a small mean, by Knuth.
    pub(super) fn poisson(&mut self, mean: f64) -> f64 {
        let least = (-mean).exp();
        let (mut events, mut left) = (0.0, self.uniform());
        while left > least {
            events += 1.0;
            left *= self.uniform();
        }
        events
    }

    /// How many of `count` happen that each happen with this chance.
    pub(super) fn binomial(&mut self, count: usize, chance: f64) -> f64 {
        (0..count).filter(|_| self.uniform() < chance).count() as f64
    }
}
