//! How far a share that was counted can be from the true one.

use crate::Thousandths;

/// The quantile of the normal distribution for an interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// Ten-thousandths of 1: shares and their bounds as whole numbers, for records.
pub const WHOLE: u32 = 10_000;

/// Bounds of the share behind `of` in `n` at 95 % (Wilson's score interval), in ten-thousandths: the lower one rounded down, the
/// upper one up. Nothing counted says nothing: 0 to 1.
#[must_use]
pub fn wilson(of: u32, n: u32) -> (u32, u32) {
    if n == 0 {
        return (0, WHOLE);
    }
    let (low, high) = bounds(f64::from(of.min(n)) / f64::from(n), n);
    let scaled = |share: f64| share * f64::from(WHOLE);
    // What is as good as a whole number is one: 1 of 1 has no bound above 1.
    let low = (scaled(low) + 1e-6).floor().clamp(0.0, f64::from(WHOLE));
    let high = (scaled(high) - 1e-6).ceil().clamp(0.0, f64::from(WHOLE));
    (low as u32, high as u32)
}

/// The same of a share that was published, in thousandths.
#[must_use]
pub fn wilson_of_share(share: Thousandths, n: u32) -> (Thousandths, Thousandths) {
    let share = share.0.min(1000) as f64 / 1000.0;
    let (low, high) = bounds(share, n.max(1));
    let round = |share: f64| Thousandths((share * 1000.0).round().clamp(0.0, 1000.0) as u64);
    (round(low), round(high))
}

fn bounds(share: f64, n: u32) -> (f64, f64) {
    let n = f64::from(n);
    let scale = 1.0 + Z * Z / n;
    let centre = (share + Z * Z / (2.0 * n)) / scale;
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    ((centre - half).max(0.0), (centre + half).min(1.0))
}
