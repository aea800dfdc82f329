//! `cargo xtask testbed CHECKOUT [COMMITS]`: what `docs/testbed.md` says, measured again. With `--replay COMMITS` its history
//! is planned in one process instead, timed beside `git log -p`, and every plan held against others; with `--decisions`
//! it is decided, and the decisions are replayed (`decisions.rs`); with `--reverts COMMITS` sampled commits are taken back.
//!
//! CHECKOUT is a work tree of aaron031291/grace_2 with its history, which is fetched by hand and never part of this
//! repository. One file of it is run as Python: its own `source_graph.py`, which the tags are compared with.

use std::path::Path;

use crate::{duckdb, host, python};

/// Commits that are planned unless another number is given.
const COMMITS: u32 = 100;

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let (checkout, commits) = match arguments {
        [checkout, option, rest @ ..] if option == "--replay" => return replay(checkout, rest),
        [checkout, option, rest @ ..] if option == "--decisions" => {
            let number = match rest {
                [] => None,
                [number] => Some(number.parse().map_err(|_| format!("`{number}` is not a number of decisions"))?),
                _ => return Err("expected perhaps a number of decisions".to_owned()),
            };
            return crate::decisions::run(Path::new(checkout), number);
        }
        [checkout, option, rest @ ..] if option == "--reverts" => return reverts(checkout, rest),
        [checkout] => (checkout, COMMITS),
        [checkout, commits] => {
            (checkout, commits.parse().map_err(|_| format!("`{commits}` is not a number of commits"))?)
        }
        _ => return Err("expected the directory of a checkout, and perhaps a number of commits".to_owned()),
    };
    let checkout = Path::new(checkout)
        .canonicalize()
        .map_err(|error| format!("cannot read the directory `{checkout}`: {error}"))?;
    let base = python::interpreter()?;
    duckdb::bring()?;
    host::cargo(&["build", "--release", "--package", "grace-rules"]).run()?;
    let binary = host::target()?.join("release").join(format!("grace-rules{}", std::env::consts::EXE_SUFFIX));
    host::program(&base)
        .args([host::root().join("xtask").join("testbed").join("testbed.py"), binary, checkout])
        .args([host::root().join("examples").join("grace_2")])
        .args([commits.to_string()])
        .run()
}

/// Whether what is said of taking commits back is what git does with them.
fn reverts(checkout: &str, arguments: &[String]) -> Result<(), String> {
    host::cargo(&["run", "--quiet", "--package", "grace-system", "--example", "reverts", "--", checkout])
        .args(arguments)
        .run()
}

/// The history, commit by commit: how long it takes with nothing and with everything remembered, and whether each plan is
/// the one from scratch and the reference's. `SHARE` (such as `0/20`) asks the reference of some commits only: it is slow.
fn replay(checkout: &str, arguments: &[String]) -> Result<(), String> {
    let (commits, share) = match arguments {
        [commits] => (commits, "0/1"),
        [commits, share] => (commits, share.as_str()),
        _ => return Err("expected a number of commits after --replay, and perhaps a share such as 0/20".to_owned()),
    };
    duckdb::bring()?;
    host::cargo(&["build", "--release", "--package", "grace-rules", "--example", "replay"]).run()?;
    let name = format!("replay{}", std::env::consts::EXE_SUFFIX);
    let binary = host::target()?.join("release").join("examples").join(name);
    let cache = host::target()?.join("replay-cache");
    if cache.exists() {
        std::fs::remove_dir_all(&cache).map_err(|error| format!("cannot remove {}: {error}", cache.display()))?;
    }
    let run = |mode: &str| {
        println!("{mode}");
        host::program(&binary).args([checkout, commits, mode]).variable("GRACE_RULES_CACHE", &cache).run()
    };
    // Cold, then with what that remembered.
    run("time")?;
    run("time")?;
    run(&format!("reference:{share}"))
}
