//! What happens after a change: deployments that are watched, hours that are judged once each, and what follows.
//!
//! The truth is the ledger. A deployment's record holds the text of every rule that watches it, so that no later change of
//! rules ends a watch; the past that a rule is held against is recorded with its first hour, and each hour with its own
//! point, so that every verdict can be made again from records alone. Raw points that were pushed lie in a spool.

pub mod accepted;
pub mod acting;
pub mod collect;
pub mod history;
pub mod measured;
pub mod otlp;
pub mod points;
pub mod prometheus;
pub mod raises;
pub mod said;
pub mod sources;
pub mod spool;
pub mod tell;
