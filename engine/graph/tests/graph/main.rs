//! Claims about extraction and resolution, each on a small source.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

mod extract;
mod languages;
mod moves;
mod repair;
mod resolve;
mod robust;
mod store;
mod support;
