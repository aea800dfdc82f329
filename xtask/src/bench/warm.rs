//! A plan when everything is remembered, beside `git status` on the same tree: both must look at every file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Contestant, ROUNDS};
use crate::host;

/// What a plan may take, times `git status`: with one changed file, and after all files were touched.
const MOST: f64 = 2.0;
const MOST_TOUCHED: f64 = 4.0;
/// A file is believed to hold what it held once it has rested.
const REST: Duration = Duration::from_secs(3);

/// What happens before each round of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing: the plan of the round before, once more, which is found again.
    Nothing,
    /// The plan of the round before is forgotten, and all else remembered.
    Forgotten,
    /// The body of a function is edited.
    Body,
    /// A function is added that was never there.
    Definition,
    /// All files are touched, and say what they said: all are read, and the plan of before is found again.
    Touched,
}

/// Measures both on a copy of the corpus in which one file is changed: one that most others use.
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
    let change = |name: String, value: usize| {
        fs::write(&changed, format!("{text}\n\ndef {name}():\n    return {value}\n")).map_err(said)
    };
    change("of_the_benchmark".to_owned(), 0)?;
    let files = host::program("git").args(["ls-files", "-z"]).directory(&tree).output()?;
    let touch = || -> Result<(), String> {
        let now = SystemTime::now();
        for path in files.split('\0').filter(|path| !path.is_empty()) {
            File::options()
                .append(true)
                .open(tree.join(path))
                .and_then(|file| file.set_modified(now))
                .map_err(|error| format!("cannot touch {path}: {error}"))?;
        }
        Ok(())
    };

    let words = |words: &[&str]| words.iter().map(PathBuf::from).collect::<Vec<_>>();
    let plan = [vec![target.join("release").join("grace-rules")], words(&["plan"])].concat();
    let mut missed = Vec::new();
    println!("\n{:<52} {:>9} {:>7} {:>9} {:>7}", format!("best of {ROUNDS}"), "processor", "ratio", "passed", "ratio");
    let measurements = [
        ("one file changed, asked again", Before::Nothing, MOST),
        ("one file changed, its plan forgotten", Before::Forgotten, MOST),
        ("another body edited each time", Before::Body, MOST),
        ("another function added each time", Before::Definition, MOST),
        ("all files touched", Before::Touched, MOST_TOUCHED),
    ];
    for (name, before, most) in measurements {
        let environment = vec![("GRACE_RULES_CACHE", cache.clone())];
        let contestant =
            |name, command, environment| Contestant { name, command, environment, cache: None, best: None };
        let mut pair = [
            contestant("git status", words(&["git", "status"]), Vec::new()),
            contestant("grace-rules plan", plan.clone(), environment),
        ];
        std::thread::sleep(REST);
        // Both remember what they have seen before either is measured.
        for row in &pair {
            row.measured(python, measure, &tree)?;
        }
        for round in 1..=ROUNDS {
            match before {
                Before::Nothing => {}
                Before::Forgotten => forget(&cache)?,
                Before::Body => change("of_the_benchmark".to_owned(), round)?,
                Before::Definition => change(format!("of_the_benchmark_{round}"), 0)?,
                Before::Touched => touch()?,
            }
            if !matches!(before, Before::Nothing | Before::Forgotten) {
                std::thread::sleep(REST);
            }
            for row in &mut pair {
                let cost = row.measured(python, measure, &tree)?;
                row.keep_best(cost);
            }
        }
        let [Some(git), Some(plan)] = [pair[0].best, pair[1].best] else { continue };
        for (row, cost) in pair.iter().zip([git, plan]) {
            println!(
                "{:<52} {:>6.0} ms {:>7.2} {:>6.0} ms {:>7.2}",
                format!("{}, {name}", row.name.trim_start_matches("grace-rules ")),
                cost.processor_seconds * 1_000.0,
                cost.processor_seconds / git.processor_seconds,
                cost.seconds * 1_000.0,
                cost.seconds / git.seconds
            );
        }
        let ratio = plan.processor_seconds / git.processor_seconds;
        if ratio > most {
            missed.push(format!("{name}: ratio {ratio:.2}, at most {most}"));
        }
    }
    println!("\ntarget: at most {MOST} × `git status`, and {MOST_TOUCHED} × after all files were touched");
    if !missed.is_empty() {
        return Err(format!("missed: {}", missed.join("; ")));
    }
    println!("met");
    Ok(())
}

/// Forgets the plan that was made last.
fn forget(cache: &Path) -> Result<(), String> {
    let trees = cache.join("trees");
    let said = |error| format!("cannot forget a plan in {}: {error}", trees.display());
    for entry in fs::read_dir(&trees).map_err(said)? {
        let path = entry.map_err(said)?.path();
        if path.extension().is_some_and(|ending| ending == "plan") {
            fs::remove_file(path).map_err(said)?;
        }
    }
    Ok(())
}
