//! A plan when everything is remembered, beside `git status` on the same tree: both must look at every file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Contestant, ROUNDS};
use crate::host;

/// What a plan may take, times `git status`: with one changed file, and after all files were touched.
const MOST: [f64; 2] = [2.0, 4.0];
/// A file is believed to hold what it held once it has rested.
const REST: Duration = Duration::from_secs(3);

/// Measures both on a copy of the corpus in which one file is changed.
pub(super) fn run(python: &str, measure: &Path, corpus: &Path) -> Result<(), String> {
    let target = host::target()?;
    let (tree, cache) = (target.join("bench-tree"), target.join("bench-warm-cache"));
    for stale in [&tree, &cache] {
        if stale.exists() {
            fs::remove_dir_all(stale).map_err(|error| format!("cannot empty {}: {error}", stale.display()))?;
        }
    }
    host::program("git").args(["clone", "--quiet", "--local"]).args([corpus, &tree]).output()?;
    let changed = tree.join("homeassistant").join("core.py");
    let said = |error| format!("cannot change {}: {error}", changed.display());
    let text = fs::read_to_string(&changed).map_err(said)?;
    fs::write(&changed, text + "\n\ndef of_the_benchmark():\n    return 1\n").map_err(said)?;

    let words = |words: &[&str]| words.iter().map(PathBuf::from).collect::<Vec<_>>();
    let contestant = |name, command| Contestant { name, command, environment: Vec::new(), cache: None, best: None };
    let plan = [vec![target.join("release").join("grace-rules")], words(&["plan"])].concat();
    let of_plan =
        |name| Contestant { environment: vec![("GRACE_RULES_CACHE", cache.clone())], ..contestant(name, plan.clone()) };
    let mut rows = [
        contestant("git status", words(&["git", "status"])),
        of_plan("grace-rules plan, one file changed"),
        contestant("git status, all files touched", words(&["git", "status"])),
        of_plan("grace-rules plan, all files touched"),
    ];
    std::thread::sleep(REST);
    // Both remember what they have seen before either is measured.
    for row in &rows[..2] {
        row.measured(python, measure, &tree)?;
    }
    let files = host::program("git").args(["ls-files", "-z"]).directory(&tree).output()?;
    for round in 1..=ROUNDS {
        eprintln!("warm round {round} of {ROUNDS}");
        for (index, row) in rows.iter_mut().enumerate() {
            if index == 2 {
                let now = SystemTime::now();
                for path in files.split('\0').filter(|path| !path.is_empty()) {
                    File::options()
                        .append(true)
                        .open(tree.join(path))
                        .and_then(|file| file.set_modified(now))
                        .map_err(|error| format!("cannot touch {path}: {error}"))?;
                }
                std::thread::sleep(REST);
            }
            let cost = row.measured(python, measure, &tree)?;
            row.keep_best(cost);
        }
    }
    println!("\n{:<36} {:>9} {:>7} {:>9} {:>7}", format!("best of {ROUNDS}"), "processor", "ratio", "passed", "ratio");
    let mut missed = Vec::new();
    for (pair, most) in rows.chunks(2).zip(MOST) {
        let [Some(git), Some(plan)] = [pair[0].best, pair[1].best] else { continue };
        for (row, cost) in pair.iter().zip([git, plan]) {
            println!(
                "{:<36} {:>6.0} ms {:>7.2} {:>6.0} ms {:>7.2}",
                row.name,
                cost.processor_seconds * 1_000.0,
                cost.processor_seconds / git.processor_seconds,
                cost.seconds * 1_000.0,
                cost.seconds / git.seconds
            );
        }
        let ratio = plan.processor_seconds / git.processor_seconds;
        if ratio > most {
            missed.push(format!("{}: ratio {ratio:.2}, at most {most}", pair[1].name));
        }
    }
    println!("\ntarget: at most {} × `git status`, and {} × after all files were touched", MOST[0], MOST[1]);
    if !missed.is_empty() {
        return Err(format!("missed: {}", missed.join("; ")));
    }
    println!("met");
    Ok(())
}
