//! Governs code changes by rules: plan, explain, run.

fn main() {}
