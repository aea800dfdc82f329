//! `cargo xtask lint`: formatting, clippy, generated files, and cargo-deny when it is installed.

use crate::{generate, host};

/// Runs every check, also after one that fails, so that one run shows all there is to mend.
pub(crate) fn run() -> Result<(), String> {
    let outcomes = [
        host::cargo(&["fmt", "--all", "--check"]).run(),
        // Clippy links nothing, so it does not need libduckdb.
        host::cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]).run(),
        generate::run(&["--check".to_owned()]),
        deny(),
    ];
    let failed: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\nerror: ")) }
}

fn deny() -> Result<(), String> {
    if host::cargo(&["deny", "--version"]).output().is_ok() {
        return host::cargo(&["deny", "--workspace", "check"]).run();
    }
    eprintln!("warning: cargo-deny is not installed: licences and advisories are NOT checked");
    eprintln!("  help: cargo install cargo-deny --locked");
    Ok(())
}
