//! A source graph read from a repository by tree-sitter.

pub mod change;
pub mod code;
pub mod facts;
