//! Builds, tests and benchmarks the workspace.

fn main() {}
