//! `cargo xtask doctor`: what a fresh machine lacks, each with the way to get it.

use crate::{duckdb, host, python};

pub(crate) fn run() -> Result<(), String> {
    let mut missing = 0;
    let mut report = |what: &str, found: Result<String, String>, help: &str| match found {
        Ok(version) => println!("ok       {what}: {}", version.lines().next().unwrap_or_default().trim()),
        Err(why) => {
            missing += 1;
            println!("missing  {what}: {why}\n         help: {help}");
        }
    };
    let version = |name: &str| host::program(name).args(["--version"]).output();

    report("rust", version("rustc"), "install rustup; the version is in `rust-version` of Cargo.toml");
    report("clippy", host::cargo(&["clippy", "--version"]).output(), "rustup component add clippy");
    report("rustfmt", host::cargo(&["fmt", "--version"]).output(), "rustup component add rustfmt");
    report("git", version("git"), "install git");
    let compiler = ["cc", "gcc", "clang", "cl"].into_iter().find_map(|name| version(name).ok());
    report(
        "C compiler",
        compiler.ok_or_else(|| "none of cc, gcc, clang, cl".to_owned()),
        "install a C compiler: tree-sitter and the linker need it",
    );
    let python = python::interpreter();
    report("python", python.clone().and_then(|name| version(&name)), "install Python 3.10 or newer");
    report(
        "pytest",
        python::environment().map(|directory| directory.display().to_string()),
        "install the `venv` module of Python, or pytest itself",
    );
    report(
        "libduckdb",
        duckdb::bring().map(|library| library.display().to_string()),
        "let this machine reach the official releases or an npm registry",
    );
    if missing == 0 { Ok(()) } else { Err(format!("{missing} missing")) }
}
