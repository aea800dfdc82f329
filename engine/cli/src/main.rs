//! Governs code changes by rules: plan, explain, run.

fn main() -> std::process::ExitCode {
    grace_rules::main()
}
