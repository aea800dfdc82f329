//! Asks of every Python file under some folders whether the parser of this crate reads it as tree-sitter does:
//! `same_rows FOLDER…`. Prints the files in which they differ and ends with 1 then.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a tool for development, outside the product: it reads files and prints"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use grace_graph::extract::{Reading, compare_parsers};
use rayon::prelude::*;

fn main() -> ExitCode {
    let mut folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            files.push(folder);
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py" || extension == "pyi") {
                files.push(path);
            }
        }
    }
    files.sort();
    let readings: Vec<Reading> = files
        .par_iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n").replace('\r', "\n");
            compare_parsers(text.trim_start_matches('\u{feff}'))
        })
        .collect();
    let (mut alike, mut rows, mut left, mut differ) = (0, 0, 0, 0);
    let lists_left = std::env::var_os("LIST_LEFT").is_some();
    for (path, reading) in files.iter().zip(&readings) {
        match reading {
            Reading::Alike(count) => {
                alike += 1;
                rows += count;
            }
            Reading::Left => {
                left += 1;
                if lists_left {
                    println!("left {}", path.display());
                }
            }
            Reading::Differs { line, own, other } => {
                differ += 1;
                println!("{}:{line}\n  own   {own}\n  other {other}", path.display());
            }
        }
    }
    println!("{alike} files alike ({rows} rows), {left} left to tree-sitter, {differ} differ");
    ExitCode::from(u8::from(differ > 0))
}
