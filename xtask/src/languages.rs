//! `cargo xtask languages KIND DIRECTORY [TOOL...]`: our imports beside those of the language's own tool, as the last table
//! of `docs/languages.md` says.
//!
//! KIND is `python` (grimp, which is brought), `script` (dependency-cruiser), `rust` (`cargo metadata` and what rustc says it read) or `go` (`go list`). The
//! packages and the tools are fetched by hand and never part of this repository.

use crate::{host, python};

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let [kind, directory, tool @ ..] = arguments else {
        let expected = "expected a kind (python, script, rust or go), a directory, and perhaps the command of the tool";
        return Err(expected.to_owned());
    };
    let named = match kind.as_str() {
        "python" => None,
        "script" => Some("depcruise"),
        "rust" => Some("cargo"),
        "go" => Some("go"),
        _ => return Err(format!("`{kind}` is no kind: python, script, rust or go")),
    };
    let mut base = python::interpreter()?;
    if let Some(named) = named {
        let command = tool.first().map_or(named, String::as_str);
        let version = if kind == "go" { "version" } else { "--version" };
        if host::program(command).args([version]).output().is_err() {
            return Err(format!("`{command}` is not installed: nothing is compared"));
        }
    } else {
        let tools = host::root().join("xtask").join("bench").join("tools.txt");
        let tools = python::prepared(&base, &tools, python::Pinned::ByVersion)?;
        let python = tools.join(if cfg!(windows) { "python.exe" } else { "python3" });
        base = python.display().to_string();
    }
    host::cargo(&["build", "--package", "grace-graph", "--example", "graph_stats"]).run()?;
    let graph =
        host::target()?.join("debug").join("examples").join(format!("graph_stats{}", std::env::consts::EXE_SUFFIX));
    host::program(&base)
        .args([host::root().join("xtask").join("languages").join("compare.py"), graph])
        .args([kind, directory])
        .args(tool)
        .run()
}
