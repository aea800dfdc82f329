//! Wall clock and stopwatch. Nothing that is compared or signed may depend on either.

use std::time::{Duration, Instant};

/// The moment, UTC.
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// The moment in nanoseconds since 1970, as stamps of files have it.
pub fn nanoseconds() -> i64 {
    i64::try_from(now().as_nanosecond()).unwrap_or(i64::MAX)
}

/// A monotonic timer.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// What is left of `limit`; zero when it is used up.
    pub fn remaining(&self, limit: Duration) -> Duration {
        limit.saturating_sub(self.elapsed())
    }
}

/// A moment in RFC 3339.
pub fn parse(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok()
}

/// Microseconds since the epoch as a moment; `None` outside the years -9999 to 9999.
pub fn from_microsecond(microseconds: i64) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(microseconds).ok()
}
