//! `cargo xtask languages KIND DIRECTORY [TOOL...]`: our imports beside those of the language's own tool, as the last table
//! of `docs/languages.md` says.
//!
//! KIND is `script` (dependency-cruiser), `rust` (`cargo metadata` and what rustc says it read) or `go` (`go list`). The
//! packages and the tools are fetched by hand and never part of this repository.

use crate::{host, python};

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let [kind, directory, tool @ ..] = arguments else {
        return Err("expected a kind (script, rust or go), a directory, and perhaps the command of the tool".to_owned());
    };
    let named = match kind.as_str() {
        "script" => "depcruise",
        "rust" => "cargo",
        "go" => "go",
        _ => return Err(format!("`{kind}` is no kind: script, rust or go")),
    };
    let command = tool.first().map_or(named, String::as_str);
    let version = if kind == "go" { "version" } else { "--version" };
    if host::program(command).args([version]).output().is_err() {
        eprintln!("warning: `{command}` is not installed: nothing is compared");
        return Ok(());
    }
    let base = python::interpreter()?;
    host::cargo(&["build", "--package", "grace-graph", "--example", "graph_stats"]).run()?;
    let graph =
        host::target()?.join("debug").join("examples").join(format!("graph_stats{}", std::env::consts::EXE_SUFFIX));
    host::program(&base)
        .args([host::root().join("xtask").join("languages").join("compare.py"), graph])
        .args([kind, directory])
        .args(tool)
        .run()
}
