//! What the shipped fingerprints say, and what a malformed one gets told.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod layers;
mod malformed;
mod shipped;
