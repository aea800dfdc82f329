//! `cargo xtask crash`: the tests of runs and of steps of monitoring that are killed, and of runs at the same time, with large
//! numbers.

use crate::{duckdb, host, python};

/// Runs that are killed, and runs at the same time, unless others are named.
const USUAL: [&str; 2] = ["500", "32"];

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    if arguments.len() > 2 || arguments.iter().any(|argument| argument.parse::<u32>().is_err()) {
        return Err("expected the number of kills, and that of runs at the same time".to_owned());
    }
    let numbers: Vec<&str> = (0..2).map(|at| arguments.get(at).map_or(USUAL[at], String::as_str)).collect();
    duckdb::bring()?;
    let python = python::environment()?;
    host::cargo(&["build", "--package", "grace-rules"]).run()?;
    host::cargo(&["test", "--package", "grace-tests", "--test", "cli", "--"])
        .args(["--nocapture", "--test-threads=1", "crash::what_a_killed_run", "crash::runs_at_the_same_time"])
        .args(["drift_outside::a_step_that_is_killed_at_any_moment"])
        .variable("GRACE_TEST_KILLS", numbers[0])
        .variable("GRACE_TEST_TOGETHER", numbers[1])
        .path_first(&python)
        .run()
}
