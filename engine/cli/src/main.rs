//! Governs code changes by rules: plan, explain, run.

/// Syntax trees are millions of small allocations: this takes a tenth off a cold run, at some memory.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    grace_rules::main()
}
