//! What one pass of all rules costs beside a plain query over the same file: 100 million points in Parquet, 200 series, 50
//! rules on each.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Contestant, ROUNDS};
use crate::{duckdb, host, python};

/// Points of all series together, unless told otherwise.
const POINTS: &str = "100000000";
/// What a pass may take of the time of the plain query.
const MOST: f64 = 2.0;

pub(super) fn run(arguments: &[String]) -> Result<(), String> {
    let points = match arguments {
        [] => POINTS,
        [points] if points.parse::<u64>().is_ok() => points.as_str(),
        _ => return Err("`--points` takes a number, or nothing".to_owned()),
    };
    let library = duckdb::bring()?;
    // An example is not linked to where the library is, as the binary is.
    let found = if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
    let found = (found, library.parent().unwrap_or(&library).to_path_buf());
    let base = python::interpreter()?;
    let measure = host::root().join("xtask").join("bench").join("measure.py");
    host::cargo(&["build", "--package", "grace-store", "--example", "drift_points"]).run()?;
    let target = host::target()?;
    let bench = target.join("debug").join("examples").join(format!("drift_points{}", std::env::consts::EXE_SUFFIX));
    let file = target.join("bench-drift.parquet");
    let mut missed = Vec::new();
    // The second is the worst case: all points fall into the four weeks that are looked at.
    for (what, seconds) in [("a point a minute", "60"), ("a point every 5 seconds", "5")] {
        let ratio = compared(&base, &measure, &bench, &file, &found, [what, points, seconds]);
        fs::remove_file(&file).map_err(|error| format!("cannot remove {}: {error}", file.display()))?;
        let ratio = ratio?;
        if ratio > MOST {
            missed.push(format!("{ratio:.2} with {what}"));
        }
    }
    println!("\ntarget: at most {MOST} times the plain query");
    if missed.is_empty() { Ok(()) } else { Err(format!("missed: {}", missed.join(", "))) }
}

/// Times both in turn; gives the ratio of the best.
fn compared(
    python: &str,
    measure: &Path,
    bench: &Path,
    file: &Path,
    library: &(&'static str, PathBuf),
    [what, points, seconds]: [&str; 3],
) -> Result<f64, String> {
    let parameters = ["make".as_ref(), file.as_os_str(), points.as_ref(), seconds.as_ref()];
    host::program(bench).args(parameters).variable(library.0, &library.1).output()?;
    let contestant = |name, words: &[&str]| {
        let command = [bench.to_path_buf(), words[0].into(), file.to_path_buf()];
        let command = command.into_iter().chain(words[1..].iter().map(Into::into)).collect();
        Contestant { name, command, environment: vec![library.clone()], cache: None, best: None }
    };
    let mut contestants = [
        contestant("avg, stddev group by", &["plain"]),
        contestant("one pass of all rules", &["pass", points, seconds]),
    ];
    for _ in 0..ROUNDS {
        for contestant in &mut contestants {
            let cost = contestant.measured(python, measure, &host::root())?;
            contestant.keep_best(cost);
        }
    }
    println!("\n{:<34} {:>9} {:>9} {:>9}", format!("{points}, {what}"), "processor", "passed", "memory");
    let mut costs = Vec::new();
    for contestant in &contestants {
        let cost = contestant.best.ok_or("nothing was measured")?;
        println!(
            "{:<34} {:>7.2} s {:>7.2} s {:>6.0} MB",
            contestant.name, cost.processor_seconds, cost.seconds, cost.megabytes
        );
        costs.push(cost.processor_seconds);
    }
    let ratio = costs[1] / costs[0];
    println!("ratio {ratio:.2}");
    Ok(ratio)
}
