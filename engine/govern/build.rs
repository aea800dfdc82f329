//! Lets the tests of this crate find the ready-made libduckdb where cargo linked it.
#![expect(clippy::disallowed_methods, reason = "build scripts get their input from the environment")]

fn main() {
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    if let Ok(directory) = std::env::var("DUCKDB_LIB_DIR")
        && std::env::var_os("CARGO_CFG_UNIX").is_some()
    {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{directory}");
    }
}
