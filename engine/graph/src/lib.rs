//! A source graph read from a repository by tree-sitter.

pub mod change;
pub mod code;
pub mod decorators;
pub mod diff;
pub mod extract;
pub mod facts;
pub mod graph;
mod hash;
mod layout;
mod memo;
pub mod owners;
pub mod packages;
mod resolve;
mod stdlib;
pub mod store;
pub mod test_names;
pub mod text_match;
pub mod weakening;
mod words;
