//! What the ledger costs: verifying a million records beside `sha256sum` of the same files, and one append beside its file
//! operations and one signature.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Contestant, ROUNDS};
use crate::host;

/// Records that are verified.
const RECORDS: &str = "1000000";
/// Appends that are timed.
const APPENDS: &str = "1000";
/// What verifying must reach of the throughput of `sha256sum`, and what an append may take, times the operations alone.
const LEAST_THROUGHPUT: f64 = 0.4;
const MOST_APPEND: f64 = 3.0;

pub(super) fn run(python: &str, measure: &Path) -> Result<(), String> {
    host::cargo(&["build", "--release", "--package", "grace-ledger", "--example", "ledger_bench"]).run()?;
    let target = host::target()?;
    let bench = target.join("release").join("examples").join(format!("ledger_bench{}", std::env::consts::EXE_SUFFIX));
    let scratch = target.join("bench-ledger");
    let empty = || match scratch.exists() {
        true => fs::remove_dir_all(&scratch).map_err(|error| format!("cannot empty {}: {error}", scratch.display())),
        false => Ok(()),
    };
    empty()?;
    let ledger = scratch.join("verify");
    fs::create_dir_all(&ledger).map_err(|error| format!("cannot make {}: {error}", ledger.display()))?;
    let words = |words: &[&str]| words.iter().map(PathBuf::from).collect::<Vec<_>>();
    host::program(&bench).args(["make".as_ref(), ledger.as_os_str(), RECORDS.as_ref()]).output()?;
    let contestant = |name, command| Contestant { name, command, environment: Vec::new(), cache: None, best: None };
    let all = "find . -type f -print0 | xargs -0 sha256sum | tail -n 1";
    let mut contestants = [
        contestant("sha256sum of all files", words(&["sh", "-c", all])),
        contestant("verify", [vec![bench.clone()], words(&["verify", "."])].concat()),
    ];
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        for contestant in &mut contestants {
            let cost = contestant.measured(python, measure, &ledger)?;
            contestant.keep_best(cost);
        }
    }
    let costs: Vec<_> = contestants.iter().filter_map(|contestant| Some((contestant.name, contestant.best?))).collect();
    println!(
        "\n{:<34} {:>9} {:>9} {:>9}",
        format!("{RECORDS} records, best of {ROUNDS}"),
        "processor",
        "passed",
        "memory"
    );
    for (name, cost) in &costs {
        println!("{name:<34} {:>7.2} s {:>7.2} s {:>6.0} MB", cost.processor_seconds, cost.seconds, cost.megabytes);
    }
    let [(_, sum), (_, verify)] = costs.as_slice() else { return Err("nothing was measured".to_owned()) };
    // Of one core against one core, whatever else the machine does.
    let throughput = sum.processor_seconds / verify.processor_seconds;
    println!("throughput for each second of a processor: {throughput:.2} times that of sha256sum");

    let appends = scratch.join("append");
    fs::create_dir_all(&appends).map_err(|error| format!("cannot make {}: {error}", appends.display()))?;
    let said = host::program(&bench).args(["append".as_ref(), appends.as_os_str(), APPENDS.as_ref()]).output()?;
    empty()?;
    let numbers: Vec<f64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [append, files, signature] = numbers.as_slice() else { return Err(format!("not measured: {said}")) };
    let ratio = append / (files + signature);
    println!(
        "an append of one record: {append:.0} µs; its file operations {files:.0} µs and one signature {signature:.0} µs \
         (medians of {APPENDS}): {ratio:.2} times these"
    );
    println!("target: throughput at least {LEAST_THROUGHPUT}, append at most {MOST_APPEND}");
    if throughput < LEAST_THROUGHPUT || ratio > MOST_APPEND {
        return Err(format!("missed: throughput {throughput:.2}, append {ratio:.2}"));
    }
    println!("met");
    Ok(())
}
