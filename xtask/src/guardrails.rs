//! `cargo xtask guardrails CHECKOUT...`: how often the guardrails tell of real commits, and how much spoilt text they find.
//! `cargo xtask guardrails table` makes the table of letters anew.

use std::ffi::OsString;

use crate::host;

/// Real commits that are looked at.
const COMMITS: &str = "2000";
/// Seeds that nothing was tuned by.
const HELD_OUT: &[&str] = &["1", "3", "5"];

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    if arguments.is_empty() {
        return Err("name checkouts with at least 2,000 commits together, or `table`".to_owned());
    }
    host::cargo(&["build", "--package", "grace-govern", "--example", "guardrails"]).run()?;
    let binary = host::target()?.join("debug").join("examples");
    let binary = binary.join(format!("guardrails{}", std::env::consts::EXE_SUFFIX));
    let root = host::root();
    if arguments == ["table"] {
        let table = host::program(&binary).args(["table"]).args([&root]).output()?;
        let file = root.join("engine").join("govern").join("src").join("guardrails").join("letters.txt");
        return std::fs::write(&file, table).map_err(|error| format!("cannot write {}: {error}", file.display()));
    }
    for seed in HELD_OUT {
        host::program(&binary).args(["recall"]).args([&root]).args([seed]).run()?;
    }
    let checkouts = arguments.iter().map(OsString::from);
    host::program(&binary).args(["false-alarms", COMMITS]).args(checkouts).run()
}
