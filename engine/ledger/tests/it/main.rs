//! Tests of the ledger, in one binary.

mod append;
mod support;
