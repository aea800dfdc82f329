//! Tests of the ledger, in one binary.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod append;
mod attacks;
mod canonical;
mod crash;
mod hostile;
mod memory;
mod support;
mod tamper;
mod tree;
