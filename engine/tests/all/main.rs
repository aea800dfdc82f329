//! The engine against small repositories written in the tests.

mod bombs;
mod incremental;
mod mistakes;
mod plans;
mod support;
