//! Models that are measured: endpoints over a bounded HTTP client, probes with known answers, and what follows from both.
//!
//! What an endpoint answers is hostile: bounded in time and bytes, never run, and never taken as its identity. This crate
//! decides nothing, keeps nothing, and prints nothing.

pub mod endpoint;
pub mod http;
pub mod judge;
pub mod probe;
mod random;
