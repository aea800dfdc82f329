//! A source graph read from a repository by tree-sitter.
