//! `cargo xtask selection`: how many of the tests that fail for a change are among those that are chosen for it.
//!
//! Faults are seeded into packages of others, each whole suite has run once for each fault (`selection truth`, hours), and
//! the sets of failing tests are kept in `xtask/selection/truth`. Choosing alone takes seconds: `selection replay` does
//! so with what static reading tells, with `--recorded` by a record that it makes first, too, and fails where a test that
//! fails was left out. docs/selection.md has figures.

mod others;
mod ours;
mod packages;
mod report;
mod truth;

use std::path::{Path, PathBuf};

use crate::{duckdb, host, python};
use ours::{Binary, Chosen};
use packages::{PACKAGES, Package};
use report::{Column, Selector};
use truth::Truth;

/// Commits of one package that are measured.
const COMMITS: usize = 12;

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let (flags, words): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|word| word.starts_with("--"));
    if let Some(unknown) = flags.iter().find(|flag| !["--built", "--each", "--no-testmon", "--recorded"].contains(flag))
    {
        return Err(format!("no option `{unknown}`: there are --built, --each, --no-testmon and --recorded"));
    }
    let binary = || if flags.contains(&"--built") { built() } else { built_anew() };
    match words.as_slice() {
        ["truth", names @ ..] => named(names)?.into_iter().try_for_each(find_out),
        ["commits", name, checkout] => commits(&named(&[name])?, Path::new(checkout), &binary()?),
        ["measure", names @ ..] => {
            measure(&named(names)?, &binary()?, !flags.contains(&"--no-testmon"), flags.contains(&"--each"))
        }
        ["replay", names @ ..] => replay(&named(names)?, &binary()?, flags.contains(&"--recorded")),
        _ => {
            Err("expected `truth`, `replay` or `measure`, and perhaps names of packages; or `commits PACKAGE CHECKOUT`"
                .to_owned())
        }
    }
}

/// The packages of these names; all where there are none.
fn named(names: &[&str]) -> Result<Vec<&'static Package>, String> {
    if let Some(unknown) = names.iter().find(|name| PACKAGES.iter().all(|package| package.name != **name)) {
        return Err(format!("no package `{unknown}`"));
    }
    Ok(PACKAGES.iter().filter(|package| names.is_empty() || names.contains(&package.name)).collect())
}

/// Where trees are unpacked and changed.
fn scratch() -> Result<PathBuf, String> {
    Ok(host::target()?.join("selection"))
}

fn script(name: &str) -> PathBuf {
    host::root().join("xtask").join("selection").join(name)
}

/// An environment that holds what the tests of all packages need, and the tools that are compared.
fn tools() -> Result<PathBuf, String> {
    python::prepared(&python::interpreter()?, &script("requirements.txt"), python::Pinned::ByVersion)
}

/// Runs a package's whole suite for each of its faults and keeps what failed. Goes on where it was stopped.
fn find_out(package: &Package) -> Result<(), String> {
    if cfg!(windows) {
        return Err("suites are run with a limit on memory, which Windows lacks".to_owned());
    }
    let python = tools()?.join("python3");
    let tree = scratch()?.join("truth").join(package.name);
    package.unpacked(&tree)?;
    host::program(&python)
        .args([script("truth.py"), python.clone(), tree, scratch()?.join("found").join(package.name)])
        .args([truth::path(package)])
        .args([package.described()])
        .run()
}

/// Puts the sources of before under the tests of real commits of a package, whose history is fetched by hand.
fn commits(packages: &[&'static Package], checkout: &Path, binary: &Binary) -> Result<(), String> {
    let checkout = checkout.canonicalize().map_err(|error| format!("cannot read {}: {error}", checkout.display()))?;
    let python = tools()?.join("python3");
    packages.iter().try_for_each(|package| {
        binary
            .started(host::program(&python))
            .args([script("commits.py"), python.clone(), binary.program.clone(), checkout.clone()])
            .args([scratch()?.join("commits").join(package.name)])
            .args([package.described(), COMMITS.to_string()])
            .quiet()
    })
}

/// The binary, built.
fn built_anew() -> Result<Binary, String> {
    duckdb::bring()?;
    host::cargo(&["build", "--package", "grace-rules"]).run()?;
    built()
}

/// The binary as the last build left it.
fn built() -> Result<Binary, String> {
    let library = duckdb::bring()?;
    Ok(Binary {
        program: host::target()?.join("debug").join(format!("grace-rules{}", std::env::consts::EXE_SUFFIX)),
        library: library.parent().map_or(library.clone(), Path::to_path_buf),
        home: scratch()?.join("home"),
    })
}

/// What is chosen for every fault of a package by reading, and then, where it is recorded, with a record.
struct Choices {
    by_reading: Vec<Chosen>,
    recorded: Vec<Chosen>,
}

/// Chooses tests for every fault of some packages, several packages at a time; with a record too where there are tools.
fn choices(
    binary: &Binary,
    packages: &[(&'static Package, Truth)],
    tools: Option<&Path>,
) -> Result<Vec<Choices>, String> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let done = std::sync::Mutex::new(Vec::new());
    let work = || -> Result<(), String> {
        loop {
            let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some((package, truth)) = packages.get(at) else { return Ok(()) };
            let tree = scratch()?.join("replay").join(package.name);
            package.unpacked(&tree)?;
            let by_reading = binary.choices(&tree, truth, None)?;
            let mut recorded = Vec::new();
            if let Some(tools) = tools {
                binary.record(&tree, tools)?;
                recorded = binary.choices(&tree, truth, Some(tools))?;
            }
            eprintln!("{}: done", package.name);
            done.lock().map_err(|_| "a thread panicked")?.push((at, Choices { by_reading, recorded }));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?)
    })?;
    let mut done = done.into_inner().map_err(|_| "a thread panicked")?;
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, choices)| choices).collect())
}

/// The packages with their failing sets. Those whose sources cannot be had for want of a network are said to be left out,
/// at the very end of what is said.
///
/// # Errors
/// When a package has no failing set, or what was brought is not what was asked for.
fn known(wanted: &[&'static Package]) -> Result<Vec<(&'static Package, Truth)>, String> {
    let mut packages = Vec::new();
    for package in wanted {
        let Some(truth) = truth::read(package)? else {
            let help = format!("cargo xtask selection truth {}", package.name);
            return Err(format!("which tests of {} fail was never found out: {help}", package.name));
        };
        match package.archive() {
            Ok(_) => packages.push((*package, truth)),
            Err(why) if is_offline(&why) => {}
            Err(why) => return Err(format!("{} cannot be had: {why}", package.name)),
        }
    }
    Ok(packages)
}

/// Whether pip says that it reached nobody.
fn is_offline(why: &str) -> bool {
    ["NewConnectionError", "NameResolutionError", "Name or service not known", "ConnectTimeoutError", "ProxyError"]
        .iter()
        .any(|sign| why.contains(sign))
}

/// Says which packages were left out; nothing where none was.
fn left_out(wanted: &[&'static Package], packages: &[(&'static Package, Truth)]) {
    let is_there = |package: &&&Package| packages.iter().all(|(known, _)| known.name != package.name);
    let missing: Vec<&str> = wanted.iter().filter(is_there).map(|package| package.name).collect();
    if packages.is_empty() {
        eprintln!("warning: SKIPPED: NOTHING WAS REPLAYED: there is no network to bring packages from");
    } else if !missing.is_empty() {
        eprintln!("warning: SKIPPED: NOT REPLAYED, there is no network to bring them from: {}", missing.join(", "));
    }
}

/// Faults for which tests fail that do not reach them: another one that fails before them in their process leaves something
/// behind, or they compare times on a busy machine. Run by themselves they pass, so a record of what they enter rightly
/// leaves them out.
const FAIL_BY_OTHERS: [(&str, &str, u64); 2] =
    [("flask", "src/flask/ctx.py", 317), ("mistune", "src/mistune/plugins/def_list.py", 101)];

/// Fails where a test that fails for a fault is not chosen for it: by reading, and where it is asked for with a record.
fn replay(wanted: &[&'static Package], binary: &Binary, is_recorded: bool) -> Result<(), String> {
    let packages = known(wanted)?;
    let tools = match tools() {
        _ if !is_recorded || packages.is_empty() => None,
        Ok(tools) => Some(tools),
        Err(why) if is_offline(&why) => {
            eprintln!("warning: SKIPPED: NOTHING IS RECORDED: there is no network to bring pytest from");
            None
        }
        Err(why) => return Err(why),
    };
    let all = choices(binary, &packages, tools.as_deref())?;
    let mut more = Vec::new();
    println!(
        "{:<16} {:<9} {:>6} {:>6} {:>8} {:>8} {:>8}",
        "package", "by", "faults", "killed", "failing", "chosen", "ms each"
    );
    for ((package, truth), choices) in packages.iter().zip(&all) {
        for (by, chosen) in [("reading", &choices.by_reading), ("a record", &choices.recorded)] {
            let wrong = if chosen.is_empty() { 0 } else { wrong(package, truth, by, chosen) };
            if wrong > 0 {
                more.push(format!("{} by {by} is wrong for {wrong} faults", package.name));
            }
        }
    }
    left_out(wanted, &packages);
    if more.is_empty() { Ok(()) } else { Err(more.join("; ")) }
}

/// Prints what was chosen for a package's faults, and how many of the choices are wrong.
fn wrong(package: &Package, truth: &Truth, by: &str, chosen: &[Chosen]) -> usize {
    let killed: Vec<_> = truth.faults.iter().zip(chosen).filter(|(fault, _)| fault.is_killed()).collect();
    let failing: usize = killed.iter().map(|(fault, _)| fault.failed.len()).sum();
    let picked: usize = killed.iter().map(|(_, chosen)| chosen.tests.len()).sum();
    let share = 100.0 * picked as f64 / (killed.len() * truth.tests.len()).max(1) as f64;
    let millis = chosen.iter().map(|chosen| chosen.millis).sum::<f64>() / chosen.len().max(1) as f64;
    let (name, faults) = (package.name, truth.faults.len());
    println!("{name:<16} {by:<9} {faults:>6} {:>6} {failing:>8} {share:>6.1} % {millis:>8.0}", killed.len());
    let mut wrong = 0;
    for (fault, chosen) in truth.faults.iter().zip(chosen) {
        let lost = report::lost(fault, Some(chosen));
        if !lost.is_empty() {
            let is_known = by != "reading" && FAIL_BY_OTHERS.contains(&(name, fault.file.as_str(), fault.line));
            wrong += usize::from(!is_known);
            let known = if is_known { ", which fail for other reasons alone" } else { "" };
            println!("  {}: {} of {} failing tests are lost{known}", fault.shown(), lost.len(), fault.failed.len());
            lost.iter().take(3).for_each(|&test| println!("    {}", truth.tests[test].id));
        } else if chosen.is_empty && !fault.uncollected.is_empty() {
            wrong += 1;
            println!("  {}: tests cannot be collected, and nothing is chosen", fault.shown());
        }
    }
    wrong
}

/// Every selector on the same faults, as tables.
fn measure(wanted: &[&'static Package], binary: &Binary, asks_testmon: bool, shows_each: bool) -> Result<(), String> {
    let packages = known(wanted)?;
    let tools = tools()?;
    let mut columns: [Vec<Column<'_>>; 4] = Default::default();
    for ((package, truth), ours) in packages.iter().zip(choices(binary, &packages, Some(&tools))?) {
        let tree = scratch()?.join("replay").join(package.name);
        let known = |all: Vec<Chosen>| all.into_iter().map(Some).collect();
        let testmon =
            if asks_testmon || others::was_asked(package, truth)? { others::testmon(package)? } else { Vec::new() };
        let all = [known(ours.recorded), known(ours.by_reading), others::imports(package, &tree)?, testmon];
        for (columns, chosen) in columns.iter_mut().zip(all).filter(|(_, chosen)| !chosen.is_empty()) {
            columns.push(Column { package, truth, chosen });
        }
    }
    let names = ["with a record", "reading alone", "import closure", "pytest-testmon"];
    let selectors = names.into_iter().zip(columns).map(|(name, columns)| Selector { name, columns });
    let selectors: Vec<_> = selectors.collect();
    if shows_each {
        selectors.iter().for_each(report::print_each);
    }
    report::print(&selectors);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_network_that_is_not_there_is_let_pass() {
        assert!(is_offline("WARNING: Retrying after NewConnectionError('failed')"));
        assert!(!is_offline("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE"));
        assert!(!is_offline("ERROR: No matching distribution found for h11==9"));
        assert!(!is_offline("pip brought no archive of h11"));
    }
}
