//! A source graph read from a repository by tree-sitter.

pub mod change;
pub mod code;
pub mod extract;
pub mod facts;
pub mod graph;
mod layout;
mod resolve;
mod stdlib;
pub mod store;
