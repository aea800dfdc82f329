//! `cargo xtask lint`: formatting, clippy, generated files, and cargo-deny when it is installed.

use crate::{generate, host};

pub(crate) fn run() -> Result<(), String> {
    host::cargo(&["fmt", "--all", "--check"]).run()?;
    // Clippy links nothing, so it does not need libduckdb.
    host::cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]).run()?;
    generate::run(&["--check".to_owned()])?;
    if host::cargo(&["deny", "--version"]).output().is_ok() {
        host::cargo(&["deny", "--workspace", "check"]).run()
    } else {
        eprintln!("warning: cargo-deny is not installed: licences and advisories are NOT checked");
        eprintln!("  help: cargo install cargo-deny --locked");
        Ok(())
    }
}
