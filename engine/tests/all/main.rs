//! The engine against small repositories written in the tests.

mod after_run;
mod bands;
mod bombs;
mod claims;
mod impact;
mod incremental;
mod mistakes;
mod plans;
mod reach;
mod support;
mod tiers;
mod trust;
mod unseen;
mod vacuity;
mod ways;
