//! `cargo xtask testbed CHECKOUT [COMMITS]`: what `docs/testbed.md` says, measured again.
//!
//! CHECKOUT is a work tree of aaron031291/grace_2 with its history, which is fetched by hand and never part of this
//! repository. One file of it is run as Python: its own `source_graph.py`, which the tags are compared with.

use std::path::Path;

use crate::{duckdb, host, python};

/// Commits that are planned unless another number is given.
const COMMITS: u32 = 100;

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let (checkout, commits) = match arguments {
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
