//! A plan over the Model Context Protocol beside `git status`, and a hook beside `git --version`: what agents wait for.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{host, python};

/// What 95 of 100 plans may take, times the median of `git status`, and a hook, times `git --version`.
const MOST_PLAN: f64 = 1.0;
const MOST_HOOK: f64 = 3.0;
/// Times that a program is started.
const STARTS: usize = 100;

pub(super) fn run(folder: &Path, corpus: &Path) -> Result<(), String> {
    let sdk = python::protocol().ok_or("there is no Python with the protocol's SDK")?;
    let target = host::target()?;
    let (tree, release) = (target.join("bench-tree"), target.join("release"));
    if tree.exists() {
        fs::remove_dir_all(&tree).map_err(|error| format!("cannot empty {}: {error}", tree.display()))?;
    }
    host::program("git").args(["clone", "--quiet", "--local"]).args([corpus, &tree]).output()?;
    let changed = tree.join("homeassistant").join("core.py");
    let suffix = std::env::consts::EXE_SUFFIX;
    let said = host::program(sdk)
        .args([folder.join("over_mcp.py"), release.join(format!("grace-rules{suffix}")), tree, changed])
        .variable("GRACE_RULES_CACHE", target.join("bench-warm-cache"))
        .output()?;
    let times: Value = serde_json::from_str(&said).map_err(|error| format!("{error}: {said}"))?;
    let at = |name: &str, share: usize| -> Result<f64, String> {
        let all = times[name].as_array().ok_or_else(|| format!("no times of {name}"))?;
        all.get(all.len() * share / 100).and_then(Value::as_f64).ok_or_else(|| format!("no times of {name}"))
    };
    println!("\n{:<44} {:>9} {:>9} {:>7}", "one file edited before each", "median", "p95", "ratio");
    let git = at("git", 50)?;
    let plan = at("plan", 95)? / git;
    println!("{:<44} {git:>6.1} ms {:>6.1} ms {:>7}", "git status", at("git", 95)?, "");
    println!("{:<44} {:>6.1} ms {:>6.1} ms {plan:>7.2}", "plan over MCP, warm", at("plan", 50)?, at("plan", 95)?);

    let version = started(|| host::program("git").args(["--version"]).output().map(drop))?;
    let event = format!(
        r#"{{"hook_event_name":"PreToolUse","tool_name":"Write","tool_input":{{"file_path":"src/a.py"}},"cwd":{:?}}}"#,
        host::root()
    );
    let hook = release.join(format!("grace-hook{suffix}"));
    let file = target.join("bench-event.json");
    fs::write(&file, event).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    let answered = started(|| {
        let event = File::open(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        host::program(&hook).args(["claude-code"]).input(event).output().map(drop)
    })?;
    println!("\n{:<44} {:>9} {:>9} {:>7}", format!("best of {STARTS}, from start to answer"), "best", "", "ratio");
    println!("{:<44} {version:>6.2} ms", "git --version");
    println!("{:<44} {answered:>6.2} ms {:>9} {:>7.2}", "grace-hook, before a tool is used", "", answered / version);
    println!(
        "\ntarget: p95 of a plan at most {MOST_PLAN} × `git status`, a hook at most {MOST_HOOK} × `git --version`"
    );
    if plan > MOST_PLAN || answered / version > MOST_HOOK {
        return Err("missed".to_owned());
    }
    println!("met");
    Ok(())
}

/// The least milliseconds that a program takes from its start to its end.
fn started(mut start: impl FnMut() -> Result<(), String>) -> Result<f64, String> {
    let mut best = Duration::MAX;
    for _ in 0..STARTS {
        let begun = Instant::now();
        start()?;
        best = best.min(begun.elapsed());
    }
    Ok(best.as_secs_f64() * 1_000.0)
}
