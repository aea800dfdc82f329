//! `cargo xtask demo`: the main job on the example, from nothing to a plan with its reasons.
//!
//! Works on a copy of `examples/mini_grace` under the target directory, which is a fresh git
//! repository with one commit and one edit that is not committed.

use std::fs;
use std::io;
use std::path::Path;

use crate::{duckdb, host};

/// The edit that is planned.
const CHANGE: &str = "changes/boot_kernel.patch";

pub(crate) fn run() -> Result<(), String> {
    duckdb::bring()?;
    host::cargo(&["build", "--package", "grace-rules"]).run()?;

    let example = host::root().join("examples").join("mini_grace");
    let copy = host::target()?.join("demo").join("mini_grace");
    fresh_copy(&example, &copy).map_err(|error| format!("cannot copy the example to {}: {error}", copy.display()))?;
    let git = |arguments: &[&str]| {
        host::program("git")
            .directory(&copy)
            .args(["-c", "user.name=demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgSign=false"])
            .args(arguments)
            .output()
    };
    git(&["init", "--quiet", "--initial-branch=main"])?;
    git(&["add", "--all"])?;
    git(&["commit", "--quiet", "--no-verify", "--message", "mini grace"])?;
    git(&["apply", CHANGE])?;

    let binary = host::target()?.join("debug").join(format!("grace-rules{}", std::env::consts::EXE_SUFFIX));
    println!("\nthe change ({CHANGE}):\n");
    host::program("git").directory(&copy).args(["--no-pager", "diff", "--unified=1"]).quiet()?;
    println!();
    host::program(&binary).directory(&copy).args(["plan", "--worktree"]).run()?;
    println!("\nwhere: {}", copy.display());
    println!("next, there: {} explain tier --worktree", binary.display());
    Ok(())
}

/// Replaces `to` by a copy of the tree `from`, without what Python left there.
fn fresh_copy(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    copy_tree(from, to)
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "__pycache__" || name == ".pytest_cache" {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&entry.path(), &to.join(&name))?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}
