//! Reads and parses every Python file under a directory with tree-sitter, and does nothing else.
//!
//! The yardstick of `cargo xtask bench`: what a source graph costs beyond this is our own doing.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a yardstick stands beside the product and uses nothing of it"
)]

use std::path::PathBuf;

use rayon::prelude::*;
use tree_sitter::Parser;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                files.push(path);
            }
        }
    }
    let language = tree_sitter_python::LANGUAGE.into();
    let counts: Vec<(usize, usize)> = files
        .par_iter()
        .map_init(Parser::new, |parser, path| {
            let text = std::fs::read(path).ok()?;
            parser.set_language(&language).ok()?;
            let tree = parser.parse(&text, None)?;
            Some((text.len(), tree.root_node().descendant_count()))
        })
        .flatten()
        .collect();
    let (bytes, nodes) = counts.iter().fold((0, 0), |(bytes, nodes), (b, n)| (bytes + b, nodes + n));
    println!("{} files, {bytes} bytes, {nodes} nodes", counts.len());
    Ok(())
}
