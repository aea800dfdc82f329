//! From a change and rules to a plan with its reasons.

pub mod plan;
