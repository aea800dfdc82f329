//! What each agent sends and is answered, pair by pair: `golden/AGENT-VERSION/EVENT.in.json` and `.out.json` beside it.
//!
//! The events have the fields that the agent's own documentation and source name; an answer that is empty has an empty file.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read their fixtures and run the program")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("golden")
}

/// The program's answer in a repository that knows what one file costs. `REPO` in an event stands for its directory.
fn hook(agent: &str, named: Option<&str>, input: &[u8]) -> (Output, String) {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().canonicalize().unwrap();
    fs::create_dir_all(repo.join(".git/grace")).unwrap();
    for (file, text) in [("grace/allowed_signers", "x"), (".claude/settings.json", "{}"), ("app/kernel.py", "")] {
        fs::create_dir_all(repo.join(file).parent().unwrap()).unwrap();
        fs::write(repo.join(file), text).unwrap();
    }
    fs::write(repo.join(".git/grace/costs"), "grace-rules/costs 1\napp/kernel.py\t3\t1 of team(owners)\tcore_change\n")
        .unwrap();
    let shown = repo.display().to_string().replace('\\', "\\\\");
    let input = String::from_utf8_lossy(input).replace("REPO", &shown);
    let mut command = Command::new(env!("CARGO_BIN_EXE_grace-hook"));
    let mut child = command
        .arg(agent)
        .args(named)
        .current_dir(&repo)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who refuses an input does not read it to its end.
    let _closed = child.stdin.take().unwrap().write_all(input.as_bytes());
    (child.wait_with_output().unwrap(), shown)
}

#[test]
fn every_dialect_is_answered_as_its_agent_reads_it() {
    let mut pairs = 0;
    for agent in fs::read_dir(folder()).unwrap() {
        let agent = agent.unwrap();
        let name = agent.file_name().into_string().unwrap();
        let (name, _version) = name.rsplit_once('-').unwrap();
        for input in fs::read_dir(agent.path()).unwrap() {
            let input = input.unwrap().path();
            let Some(event) = input.file_name().unwrap().to_str().unwrap().strip_suffix(".in.json") else { continue };
            // Copilot's settings name the event; the others say it themselves.
            let named = (name == "copilot").then(|| event.split('.').next().unwrap());
            let (output, repo) = hook(name, named, &fs::read(&input).unwrap());
            let expected = fs::read_to_string(input.with_file_name(format!("{event}.out.json"))).unwrap();
            let said = String::from_utf8(output.stdout).unwrap().replace(&repo, "REPO");
            assert_eq!(said, expected.replace("\r\n", "\n"), "{name} {event}");
            assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{name} {event}");
            pairs += 1;
        }
    }
    assert!(pairs >= 20, "{pairs} pairs");
}

#[test]
fn whatever_is_no_event_is_exit_code_2_with_a_sentence() {
    let large = vec![b' '; 17 << 20];
    let deep = "[".repeat(1 << 20);
    let inputs: [&[u8]; 6] = [b"", b"{", b"[]", b"\xff\xfe", &large, deep.as_bytes()];
    for agent in ["claude-code", "codex", "cursor", "openhands", "copilot", "nobody"] {
        for input in inputs {
            let (output, _) = hook(agent, None, input);
            assert_eq!(output.status.code(), Some(2), "{agent}");
            assert!(output.stdout.is_empty(), "{agent}");
            assert!(String::from_utf8(output.stderr).unwrap().trim().len() > 10, "{agent}");
        }
    }
}

#[test]
fn a_gate_is_not_let_through_by_the_small_program() {
    let (output, _) = hook("claude-code", None, br#"{"hook_event_name":"Stop","stop_hook_active":true}"#);
    assert_eq!(output.status.code(), Some(2));
}
