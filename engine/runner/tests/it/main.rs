//! Bundles are run with real processes, and judged by their reports.
#![expect(clippy::disallowed_methods, reason = "tests set the outside world up")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod junit;
#[cfg(unix)]
mod pytest;
#[cfg(unix)]
mod run;
