//! From a change and rules to a plan with its reasons.
//!
//! Everything comes in by value ([`input::Input`]) and goes out as data ([`plan::Plan`], [`plan::Explanation`]): no file,
//! process, git, clock, database or terminal. Inside, salsa queries over the source graphs of both sides; beside them
//! a naive reference evaluator that tests hold them against.

mod affects;
mod bands;
mod book;
mod conds;
pub mod cost;
mod dates;
mod db;
pub mod decide;
pub mod digest;
mod engine;
mod exceptions;
mod explain;
mod found;
mod impact;
pub mod input;
mod join;
mod listing;
mod loading;
mod mistakes;
mod order;
pub mod plan;
mod prove;
pub mod reach;
pub mod recall;
pub mod reference;
mod rules;
mod scan;
mod seen;
mod sets;
mod show;
mod side;
mod subject;
pub mod testing;
mod text;
pub mod trust;
mod vacuity;
mod verdict;
mod waivers;
mod walks;
mod ways;

pub use engine::{Engine, Row};
pub use explain::What;
pub use side::Ahead;
