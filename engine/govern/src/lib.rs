//! What happens around a plan: who may agree, what was agreed, and the answer.
//!
//! People sign statements with the SSH keys that the repository's *base* names (`grace/allowed_signers`); a statement travels
//! with the repository below `refs/grace/`. Everything read here is hostile until a signature has been checked, and what
//! does not count is told with the reason. This crate reads no clock: callers say which time it is.

pub mod agreement;
pub mod authors;
pub mod cycle;
pub mod envelope;
pub mod failpoint;
pub mod grants;
pub mod guardrails;
pub mod halts;
pub mod holes;
pub mod inputs;
pub mod journal;
pub mod monitor;
pub mod practices;
pub mod private;
pub mod probes;
pub mod project;
pub mod shelf;
pub mod signers;
pub mod signing;
pub mod steps;
pub mod story;
pub mod task;
pub mod trends;

#[cfg(test)]
mod testing;
