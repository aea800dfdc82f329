//! The engine against small repositories written in the tests.

mod incremental;
mod plans;
mod support;
