//! The engine against small repositories written in the tests.

mod bombs;
mod claims;
mod incremental;
mod mistakes;
mod plans;
mod support;
