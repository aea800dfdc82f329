//! `cargo xtask bench`: what a cold `graph stats` costs on a large project, and a plan when everything is remembered, as
//! ratios.
//!
//! Programs read the same Python files in turn, several times: ours, tree-sitter alone (with the allocator and the threads
//! of ours, which is what ours is compared with, on one thread, and with the system's allocator), and two import-only tools of others. The best run of each counts, so that
//! whatever else the machine does matters less. Processor time is user and system time of the whole process tree. A tool
//! of others that cannot be had or run is left out, and said to be. docs/performance.md has figures.

mod drift;
mod ledger;
mod mcp;
mod warm;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::{duckdb, host, python};

/// Rounds in which each program runs once.
const ROUNDS: usize = 5;

/// How many contestants, the first ones, are ours: none of them can be left out.
const OURS: usize = 4;

/// What `graph stats` may cost: times the processor seconds of tree-sitter alone with the same allocator, the time that
/// passes as a share of its own processor time, and megabytes.
const MOST_RATIO: f64 = 1.4;
const MOST_PASSED: f64 = 0.6;
const MOST_MEGABYTES: f64 = 200.0;

/// One program and its best run.
struct Contestant {
    name: &'static str,
    command: Vec<PathBuf>,
    environment: Vec<(&'static str, PathBuf)>,
    /// Emptied before each run, so that nothing is remembered.
    cache: Option<PathBuf>,
    best: Option<Cost>,
}

#[derive(Clone, Copy)]
struct Cost {
    processor_seconds: f64,
    megabytes: f64,
    seconds: f64,
}

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    if let [word, rest @ ..] = arguments
        && word == "drift"
    {
        return drift::run(rest);
    }
    let only = match arguments {
        [] => None,
        [word] if ["warm", "mcp", "ledger"].contains(&word.as_str()) => Some(word.as_str()),
        _ => return Err("it takes the word `warm`, `mcp`, `ledger` or `drift`, or nothing".to_owned()),
    };
    if cfg!(windows) {
        return Err("the benchmark counts with `getrusage`, which Windows lacks".to_owned());
    }
    let folder = host::root().join("xtask").join("bench");
    let base = python::interpreter()?;
    let measure = folder.join("measure.py");
    if only == Some("ledger") {
        return ledger::run(&base, &measure);
    }
    if only == Some("warm") {
        let corpus = corpus(&base, &folder.join("corpus.txt"))?;
        duckdb::bring()?;
        host::cargo(&["build", "--release", "--package", "grace-rules"]).run()?;
        return warm::run(&base, &measure, &corpus);
    }
    if only == Some("mcp") {
        let corpus = corpus(&base, &folder.join("corpus.txt"))?;
        duckdb::bring()?;
        host::cargo(&["build", "--release", "--package", "grace-rules", "--package", "grace-hook"]).run()?;
        return mcp::run(&folder, &corpus);
    }
    let tools = python::prepared(&base, &folder.join("tools.txt"), python::Pinned::ByVersion);
    let tools = tools.map_err(|why| eprintln!("warning: without ruff and grimp ({why})")).ok();
    let corpus = corpus(&base, &folder.join("corpus.txt"))?;
    duckdb::bring()?;
    host::cargo(&["build", "--release", "--package", "grace-rules"]).run()?;
    let examples = ["--example", "parse_only", "--example", "graph_stats"];
    host::cargo(&[&["build", "--release", "--package", "grace-graph"][..], &examples].concat()).run()?;

    let release = host::target()?.join("release");
    let scratch = host::target()?.join("bench-cache");
    let words = |words: &[&str]| words.iter().map(PathBuf::from).collect::<Vec<_>>();
    let parse_only = vec![release.join("examples").join("parse_only"), corpus.clone()];
    let yardstick = vec![release.join("examples").join("graph_stats"), corpus.clone(), "parse".into()];
    let contestant = |name, command| Contestant { name, command, environment: Vec::new(), cache: None, best: None };
    let mut contestants = vec![
        contestant("tree-sitter, read and parse only", yardstick.clone()),
        Contestant {
            // Facts are remembered, so what cold costs holds what remembering them costs.
            environment: vec![("GRACE_RULES_CACHE", scratch.clone()), ("HOME", scratch.clone())],
            cache: Some(scratch),
            ..contestant(
                "grace-rules graph stats, cold",
                [vec![release.join("grace-rules")], words(&["graph", "stats"])].concat(),
            )
        },
        // What threads that work beside each other take from each other, such as room in caches, both above pay.
        Contestant {
            environment: vec![("RAYON_NUM_THREADS", "1".into())],
            ..contestant("tree-sitter, on one thread", yardstick)
        },
        contestant("tree-sitter, the system's allocator", parse_only.clone()),
    ];
    if let Some(tools) = tools {
        let ruff = [vec![tools.join("ruff")], words(&["analyze", "graph", "."])].concat();
        let count = "import grimp; print(len(grimp.build_graph('homeassistant', cache_dir=None).modules))";
        let grimp = [vec![tools.join("python3")], words(&["-c", count])].concat();
        contestants.push(contestant("ruff analyze graph (imports only)", ruff));
        contestants.push(contestant("grimp (imports only)", grimp));
    }
    let requirement = fs::read_to_string(folder.join("corpus.txt")).unwrap_or_default();
    let pinned = requirement.lines().filter(|line| !line.starts_with('#')).find_map(|line| line.split_once(' '));
    // Also brings the files into memory, for all alike.
    let size = host::program(&parse_only[0]).args([&corpus]).output()?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    eprintln!("{}: {}; {threads} threads", pinned.map_or("corpus", |(name, _)| name), size.trim());
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        let mut left = Vec::with_capacity(contestants.len());
        for (index, mut contestant) in contestants.into_iter().enumerate() {
            let cost = match contestant.measured(&base, &measure, &corpus) {
                Ok(cost) => cost,
                Err(why) if index >= OURS => {
                    eprintln!("warning: left out: {why}");
                    continue;
                }
                Err(why) => return Err(why),
            };
            contestant.keep_best(cost);
            left.push(contestant);
        }
        contestants = left;
    }
    let cold = report(&contestants);
    let warm = warm::run(&base, &measure, &corpus);
    cold.and(warm)
}

impl Contestant {
    fn keep_best(&mut self, cost: Cost) {
        self.best = Some(match self.best {
            Some(best) if best.processor_seconds <= cost.processor_seconds => best,
            _ => cost,
        });
    }

    fn measured(&self, python: &str, measure: &Path, corpus: &Path) -> Result<Cost, String> {
        if let Some(cache) = &self.cache {
            if cache.exists() {
                fs::remove_dir_all(cache).map_err(|error| format!("cannot empty {}: {error}", cache.display()))?;
            }
            fs::create_dir_all(cache).map_err(|error| format!("cannot make {}: {error}", cache.display()))?;
        }
        let mut process = host::program(python).args([measure]).args(&self.command).directory(corpus);
        for (name, value) in &self.environment {
            process = process.variable(name, value);
        }
        let said = process.output().map_err(|error| format!("{}: {error}", self.name))?;
        let numbers: Vec<f64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        match numbers.as_slice() {
            [processor_seconds, megabytes, seconds] => {
                Ok(Cost { processor_seconds: *processor_seconds, megabytes: *megabytes, seconds: *seconds })
            }
            _ => Err(format!("{}: not measured: {said}", self.name)),
        }
    }
}

fn report(contestants: &[Contestant]) -> Result<(), String> {
    let costs: Vec<(&str, Cost)> =
        contestants.iter().filter_map(|contestant| Some((contestant.name, contestant.best?))).collect();
    let [(_, yardstick), (_, ours), (_, one_thread), ..] = costs.as_slice() else {
        return Err("nothing was measured".to_owned());
    };
    println!("\n{:<34} {:>9} {:>7} {:>9} {:>9}", format!("best of {ROUNDS}"), "processor", "ratio", "passed", "memory");
    for (name, cost) in &costs {
        let ratio = cost.processor_seconds / yardstick.processor_seconds;
        println!(
            "{name:<34} {:>7.2} s {ratio:>7.2} {:>7.2} s {:>6.0} MB",
            cost.processor_seconds, cost.seconds, cost.megabytes
        );
    }
    let ratio = ours.processor_seconds / yardstick.processor_seconds;
    let passed = ours.seconds / ours.processor_seconds;
    println!(
        "\nof what tree-sitter takes on one thread: {:.2} (not judged: it shares no caches with a second)",
        ours.processor_seconds / one_thread.processor_seconds
    );
    println!(
        "target: ratio at most {MOST_RATIO}, passed at most {MOST_PASSED} of the processor's time, memory at most {MOST_MEGABYTES} MB"
    );
    if ratio > MOST_RATIO || passed > MOST_PASSED || ours.megabytes > MOST_MEGABYTES {
        return Err(format!("missed: ratio {ratio:.2}, passed {passed:.2}, memory {:.0} MB", ours.megabytes));
    }
    println!("met");
    Ok(())
}

/// The unpacked Python files, a git repository with one commit, in the user's cache.
fn corpus(python: &str, requirement: &Path) -> Result<PathBuf, String> {
    let cache = host::cache()?;
    let directory = cache.join("bench-corpus");
    let ready = cache.join("bench-corpus.ready");
    let wanted = fs::read(requirement).map_err(|error| format!("cannot read {}: {error}", requirement.display()))?;
    if fs::read(&ready).is_ok_and(|made_for| made_for == wanted) {
        return Ok(directory);
    }
    let said = |error: io::Error| format!("cannot prepare {}: {error}", directory.display());
    let download = cache.join("bench-download");
    for stale in [&directory, &download] {
        if stale.exists() {
            fs::remove_dir_all(stale).map_err(said)?;
        }
    }
    eprintln!("bringing the Python files to {}", directory.display());
    // Pip checks the pinned hash. The wheel is only unpacked, so the Python version does not matter.
    host::program(python)
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"])
        .args(["--python-version", "3.12", "--requirement"])
        .args([requirement])
        .args(["--dest".as_ref(), download.as_os_str()])
        .output()?;
    for entry in fs::read_dir(&download).map_err(said)? {
        unpack(&entry.map_err(said)?.path(), &directory)?;
    }
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgSign=false"];
        host::program("git").directory(&directory).args(who).args(arguments).output()
    };
    git(&["init", "--quiet"])?;
    git(&["add", "--all"])?;
    git(&["commit", "--quiet", "--message", "corpus"])?;
    fs::remove_dir_all(&download).map_err(said)?;
    fs::write(&ready, wanted).map_err(said)?;
    Ok(directory)
}

/// Unpacks the Python files of a wheel.
fn unpack(wheel: &Path, to: &Path) -> Result<(), String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("cannot unpack {}: {error}", wheel.display());
    let file = File::open(wheel).map_err(|error| unreadable(&error))?;
    let mut zip = zip::ZipArchive::new(file).map_err(|error| unreadable(&error))?;
    for index in 0..zip.len() {
        let mut member = zip.by_index(index).map_err(|error| unreadable(&error))?;
        let Some(name) = member.enclosed_name().filter(|name| name.extension().is_some_and(|end| end == "py")) else {
            continue;
        };
        let path = to.join(name);
        let mut write = || {
            fs::create_dir_all(path.parent().unwrap_or(to))?;
            io::copy(&mut member, &mut File::create(&path)?)
        };
        write().map_err(|error| unreadable(&error))?;
    }
    Ok(())
}
