//! What coding agents are given: `cost`, `hook`, `agents-md`, `mcp`.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::support::Repo;

/// What the hook of an agent answers to an event, with the exit code.
fn hook(repo: &Repo, agent: &[&str], event: &Value) -> (Value, Option<i32>) {
    let mut event = event.clone();
    event["cwd"] = json!(repo.path);
    let said = repo.run(&[&["hook"], agent].concat(), Some(&event.to_string()), |_| {});
    assert!(said.stdout.trim().is_empty() || said.stdout.trim().lines().count() == 1, "{}", said.stdout);
    (serde_json::from_str(&said.stdout).unwrap_or_default(), said.code)
}

#[test]
fn cost_says_what_an_edit_would_ask_for_before_it_is_made() {
    let repo = Repo::project();
    insta::assert_snapshot!(repo.grace("cost app/core/kernel.py"));
    insta::assert_snapshot!(repo.grace("cost Kernel.start"));
    insta::assert_snapshot!(repo.grace("cost app/notes.py"));
    insta::assert_snapshot!(repo.grace("cost grace/rules.grace"));
    insta::assert_snapshot!(repo.grace("cost nothing.py"));
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn the_cost_of_a_file_is_what_the_plan_of_its_edit_asks_for() {
    let repo = Repo::project();
    let cost = repo.json("cost app/core/kernel.py");
    repo.edit_kernel();
    let plan = repo.json("plan");
    let names = |value: &Value, key: &str| -> Vec<String> {
        value[key]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap_or_else(|| one.as_str().unwrap()).to_owned())
            .collect()
    };
    assert_eq!(cost["tier"], plan["tier"]);
    assert_eq!(names(&cost, "approvals"), names(&plan, "approvals"));
    assert_eq!(names(&cost, "bundles"), names(&plan, "bundles"));
}

#[test]
fn a_session_learns_the_rules_and_then_what_files_cost() {
    let repo = Repo::project();
    let (start, code) = hook(&repo, &["claude-code"], &json!({"hook_event_name": "SessionStart", "session_id": "s"}));
    let told = start["hookSpecificOutput"]["additionalContext"].as_str().unwrap().to_owned();
    assert!(told.contains("core_change (tier 3): Everything starts here."), "{told}");
    assert_eq!(code, Some(0));
    let event = json!({"hook_event_name": "PreToolUse", "tool_name": "Edit", "tool_input": {"file_path": "app/core/kernel.py"}});
    let (edit, _) = hook(&repo, &["claude-code"], &event);
    let told = edit["hookSpecificOutput"]["additionalContext"].as_str().unwrap();
    assert!(told.contains("tier 3") && told.contains("1 of team(owners)") && told.contains("core_change"), "{told}");
    // Rules are agreed to by people, whoever owns them.
    let event =
        json!({"hook_event_name": "PreToolUse", "tool_name": "Edit", "tool_input": {"file_path": "grace/rules.grace"}});
    assert!(hook(&repo, &["claude-code"], &event).0.to_string().contains("tier 3"));
}

#[test]
fn every_agent_is_stopped_until_the_gate_says_go() {
    let blocks = |agent: &str, said: &Value| match agent {
        "claude-code" | "codex" | "copilot" => {
            said["decision"] == "block" && said["reason"].as_str().unwrap().contains("grace-rules run")
        }
        "openhands" => said["decision"] == "deny",
        _ => said["followup_message"].as_str().is_some_and(|text| text.contains("grace-rules run")),
    };
    let stop = |agent: &str, session: &str| match agent {
        "claude-code" | "codex" => json!({"hook_event_name": "Stop", "session_id": session, "stop_hook_active": false}),
        "openhands" => json!({"event_type": "Stop", "session_id": session}),
        "copilot" => json!({"sessionId": session, "stopReason": "end_turn"}),
        _ => json!({"hook_event_name": "stop", "conversation_id": session, "status": "completed", "loop_count": 0}),
    };
    let repo = Repo::project();
    for agent in ["claude-code", "codex", "cursor", "openhands", "copilot"] {
        let words: &[&str] = if agent == "copilot" { &["copilot", "agentStop"] } else { &[agent] };
        repo.git(&["checkout", "--quiet", "."]);
        let (said, code) = hook(&repo, words, &stop(agent, "a"));
        assert!(!blocks(agent, &said), "{agent}: nothing was changed: {said}");
        repo.edit_kernel();
        let (said, _) = hook(&repo, words, &stop(agent, "a"));
        assert!(blocks(agent, &said), "{agent}: {said}");
        // It was told, and changed nothing: it would go on for ever.
        let (said, _) = hook(&repo, words, &stop(agent, "a"));
        assert!(!blocks(agent, &said), "{agent}: {said}");
        // Another session, or another change, is told anew.
        let (said, _) = hook(&repo, words, &stop(agent, "b"));
        assert!(blocks(agent, &said), "{agent}: {said}");
        assert_eq!(code, Some(0));
    }
}

#[test]
fn who_was_sent_on_is_held_again_for_another_change_but_not_for_ever() {
    let repo = Repo::project();
    let claude = |again: bool| {
        let event = json!({"hook_event_name": "Stop", "session_id": "s", "stop_hook_active": again});
        hook(&repo, &["claude-code"], &event).0["decision"] == "block"
    };
    let cursor = |count: u32, status: &str| {
        let event = json!({"hook_event_name": "stop", "conversation_id": "s", "status": status, "loop_count": count});
        hook(&repo, &["cursor"], &event).0["followup_message"].is_string()
    };
    let edit = |number: u32| {
        let text = format!("class Kernel:\n    def start(self):\n        return {number}\n");
        repo.write("app/core/kernel.py", &text);
    };
    edit(10);
    assert!(claude(false) && cursor(0, "completed"));
    assert!(!claude(true) && !cursor(1, "completed"), "it was told, and changed nothing");
    edit(11);
    assert!(claude(true) && cursor(1, "completed"), "it changed something else");
    assert!(!cursor(2, "aborted"), "its user stopped it");
    // Six in a row, each with another change: the first was above.
    let held: Vec<bool> = (12..18)
        .map(|number| {
            edit(number);
            claude(true)
        })
        .collect();
    assert_eq!(held, [true, true, true, true, false, true], "five in a row, and after that a new row");
}

#[test]
fn a_gate_that_breaks_down_stops_the_agent_with_a_sentence() {
    let repo = Repo::edited();
    let stop = json!({"hook_event_name": "Stop", "session_id": "s", "cwd": repo.path}).to_string();
    let (deep, long) = ("[".repeat(1 << 20), " ".repeat(17 << 20));
    let cut = &stop[..stop.len() - 2];
    for agent in ["claude-code", "codex", "cursor", "openhands", "copilot"] {
        let breaks = |input: &str, panics: bool| {
            let said = repo.run(&["hook", agent], Some(input), |command| {
                if panics {
                    command.env("GRACE_RULES_TEST_PANIC", "1");
                }
            });
            assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""), "{agent}: {}", said.stderr);
            said.stderr
        };
        for input in [cut, &deep, &long, "", "\u{0}"] {
            assert!(breaks(input, false).trim().len() > 10, "{agent}");
        }
        // Only a build for tests can be asked to.
        if cfg!(debug_assertions) {
            let said = breaks(&stop, true);
            assert!(said.contains("a test asked for a panic") && !said.contains("thread"), "{agent}: {said}");
        }
    }
}

#[test]
fn what_a_session_committed_is_judged_when_it_stops() {
    let repo = Repo::project();
    hook(&repo, &["claude-code"], &json!({"hook_event_name": "SessionStart", "session_id": "s"}));
    repo.edit_kernel();
    repo.commit("by the agent");
    let (said, _) = hook(&repo, &["claude-code"], &json!({"hook_event_name": "Stop", "session_id": "s"}));
    assert_eq!(said["decision"], "block");
    assert!(said["reason"].as_str().unwrap().contains("core_change"), "{said}");
}

#[test]
fn history_written_anew_is_judged_from_what_is_left_of_the_old_one() {
    let start = json!({"hook_event_name": "SessionStart", "session_id": "s"});
    let stop = json!({"hook_event_name": "Stop", "session_id": "s"});
    let repo = Repo::project();
    repo.write("notes.txt", "x\n");
    repo.commit("before the agent");
    hook(&repo, &["claude-code"], &start);
    repo.edit_kernel();
    repo.git(&["commit", "--quiet", "--all", "--amend", "--message", "as if before"]);
    let (said, _) = hook(&repo, &["claude-code"], &stop);
    assert_eq!(said["decision"], "block");
    assert!(said["reason"].as_str().unwrap().contains("core_change"), "{said}");
    // Nothing of it is left.
    let repo = Repo::project();
    hook(&repo, &["claude-code"], &start);
    let tree = repo.git(&["write-tree"]);
    let orphan = repo.git(&["commit-tree", tree.trim(), "-m", "alone"]);
    repo.git(&["reset", "--quiet", "--hard", orphan.trim()]);
    let (said, _) = hook(&repo, &["claude-code"], &stop);
    assert_eq!(said["decision"], "block");
    assert!(said["reason"].as_str().unwrap().contains("began from"), "{said}");
}

#[test]
fn a_change_that_may_go_stops_without_a_word_and_one_that_cannot_be_judged_does_not() {
    let repo = Repo::project();
    let stop = json!({"hook_event_name": "Stop", "session_id": "s"});
    // A comment is tier 1 by no rule of this project, and asks for nothing.
    repo.write("app/notes.py", "def note():\n    return 'y'\n");
    assert_eq!(hook(&repo, &["claude-code"], &stop), (Value::Null, Some(0)));
    fs::write(repo.path.join(".git/HEAD"), "nonsense\n").unwrap();
    let (said, code) = hook(&repo, &["claude-code"], &stop);
    assert_eq!((&said["decision"], code), (&json!("block"), Some(0)));
    assert!(said["reason"].as_str().unwrap().contains("could not decide"), "{said}");
}

#[test]
fn what_is_remembered_of_sessions_long_gone_is_removed() {
    let repo = Repo::project();
    for (name, days) in [("old", 31), ("new", 1)] {
        repo.write(&format!(".git/grace/hooks/{name}"), "x");
        let file = std::fs::File::options().write(true).open(repo.path.join(".git/grace/hooks").join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400)).unwrap();
    }
    hook(&repo, &["claude-code"], &json!({"hook_event_name": "SessionStart", "session_id": "s"}));
    let is_there = |name: &str| repo.path.join(".git/grace/hooks").join(name).exists();
    assert!(!is_there("old") && is_there("new"));
}

#[test]
fn hooks_are_put_into_settings_once_and_proved() {
    let repo = Repo::project();
    repo.write(".claude/settings.json", "{\n  \"model\": \"x\",\n  \"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"true\"}]}]}\n}\n");
    for (agent, file) in [
        ("claude-code", ".claude/settings.json"),
        ("codex", ".codex/hooks.json"),
        ("cursor", ".cursor/hooks.json"),
        ("openhands", ".openhands/hooks.json"),
        ("copilot", ".github/hooks/grace-rules.json"),
    ] {
        let doctor = ["hook", "doctor", agent, "--format", "json"];
        assert_eq!(repo.run(&doctor, None, |_| {}).code, Some(1), "{agent}: nothing is installed");
        assert_eq!(repo.run(&["hook", "install", agent], None, |_| {}).code, Some(0));
        let once = repo.read(file);
        assert_eq!(repo.run(&["hook", "install", agent], None, |_| {}).code, Some(0));
        assert_eq!(repo.read(file), once, "{agent}");
        let said = repo.run(&doctor, None, |_| {});
        assert_eq!(said.code, Some(0), "{agent}: {}", said.stdout);
        assert!(said.stdout.contains("holds an agent whose change"), "{agent}: {}", said.stdout);
        // Settings come with the repository: what only looks like a hook is told, and never run.
        for spoiling in
            ["touch planted; true #grace-hook", "touch planted #grace-rules hook ", "touch planted; grace-hook"]
        {
            let spoilt = once.replace("hook ", &format!("hook; {spoiling} ")).replace("grace-hook", spoiling);
            assert!(spoilt.contains("touch planted"), "{spoilt}");
            repo.write(file, &spoilt);
            let said = repo.run(&doctor, None, |_| {});
            assert_eq!(said.code, Some(1), "{agent}: {spoilt}");
            assert!(said.stdout.contains("was not run"), "{agent}: {}", said.stdout);
            assert!(!repo.path.join("planted").exists(), "{agent}: {spoilt}");
        }
    }
    repo.remove(".claude");
    repo.write(".claude/settings.json", "{ // a comment\n}");
    assert_eq!(repo.run(&["hook", "install", "claude-code"], None, |_| {}).code, Some(2));
    assert_eq!(repo.read(".claude/settings.json"), "{ // a comment\n}");
}

#[test]
fn hooks_that_are_switched_off_as_a_whole_prove_nothing() {
    let repo = Repo::project();
    for (agent, file, off, on) in [
        ("claude-code", ".claude/settings.local.json", "{\"disableAllHooks\": true}", "{\"disableAllHooks\": false}"),
        ("codex", ".codex/config.toml", "[features]\nhooks = false\n", "[features]\nhooks = true\n"),
        ("codex", ".codex/config.toml", "features.codex_hooks = false\n", "model = \"x\"\n"),
    ] {
        assert_eq!(repo.run(&["hook", "install", agent], None, |_| {}).code, Some(0));
        let doctor = || repo.run(&["hook", "doctor", agent], None, |_| {});
        repo.write(file, off);
        let said = doctor();
        assert!(said.code == Some(1) && said.stdout.contains("switches them off"), "{agent}: {}", said.stdout);
        repo.write(file, on);
        assert_eq!(doctor().code, Some(0), "{agent}: {}", doctor().stdout);
    }
}

#[cfg(unix)]
#[test]
fn settings_behind_a_link_are_not_written() {
    let repo = Repo::project();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), repo.path.join(".claude")).unwrap();
    assert_eq!(repo.run(&["hook", "install", "claude-code"], None, |_| {}).code, Some(2));
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    repo.write(".codex/other.json", "{}\n");
    std::os::unix::fs::symlink("other.json", repo.path.join(".codex/hooks.json")).unwrap();
    assert_eq!(repo.run(&["hook", "install", "codex"], None, |_| {}).code, Some(2));
    assert_eq!(repo.read(".codex/other.json"), "{}\n");
}

#[test]
fn what_stands_in_settings_is_kept() {
    let repo = Repo::project();
    let text = "{\n  \"model\": \"x\",\n  \"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"true\"}]}]}\n}\n";
    repo.write(".claude/settings.json", text);
    repo.run(&["hook", "install", "claude-code"], None, |_| {});
    let written = repo.read(".claude/settings.json");
    assert!(written.starts_with("{\n  \"model\": \"x\",\n  \"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"true\"}]},"));
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap()["hooks"]["Stop"].as_array().unwrap().len(), 2);
}

#[test]
fn agents_md_holds_the_rules_between_marks() {
    let repo = Repo::project();
    insta::assert_snapshot!(repo.grace("agents-md"));
    repo.write("AGENTS.md", "# Agents\n\nBe kind.\n");
    repo.grace("agents-md --write");
    let once = repo.read("AGENTS.md");
    assert!(once.starts_with("# Agents\n\nBe kind.\n\n<!-- grace-rules: begin"));
    repo.grace("agents-md --write");
    assert_eq!(repo.read("AGENTS.md"), once);
}

/// What the server says to some requests, in order, one after the other.
fn mcp(repo: &Repo, requests: &[(&str, Value)]) -> Vec<Value> {
    use std::io::{BufRead as _, BufReader};
    let mut command = repo.command();
    let mut child =
        command.arg("mcp").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut input, mut lines) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
    let hello =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let mut said = Vec::new();
    for (id, (method, params)) in [("initialize", hello)].iter().chain(requests).enumerate() {
        writeln!(input, "{}", json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).unwrap();
        said.push(serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap());
        if id == 0 {
            writeln!(input, "{}", json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
        }
    }
    drop(input);
    assert!(child.wait().unwrap().success());
    said.remove(0);
    said
}

fn call(name: &str, arguments: Value) -> (&'static str, Value) {
    ("tools/call", json!({"name": name, "arguments": arguments}))
}

#[test]
fn tools_answer_as_the_command_line_does_and_record_nothing() {
    let repo = Repo::edited();
    let command = |line: &str| repo.json(line);
    let said = mcp(
        &repo,
        &[
            call("plan", json!({})),
            call("cost", json!({"what": "app/api.py"})),
            call("gate", json!({})),
            call("explain", json!({"what": "rule core_change"})),
            call("graph_query", json!({"set": "tag(kernel)"})),
            call("cost", json!({"what": "nothing"})),
            call("explain", json!({"what": "-x"})),
            call("run", json!({})),
        ],
    );
    let answer = |at: usize| -> Value {
        serde_json::from_str(said[at]["result"]["content"][0]["text"].as_str().unwrap()).unwrap()
    };
    let same = |mut a: Value, mut b: Value| {
        for one in [&mut a, &mut b] {
            // When it was derived.
            one.as_object_mut().unwrap().remove("as_of");
        }
        assert_eq!(a, b);
    };
    same(answer(0), command("plan"));
    assert_eq!(answer(1), command("cost app/api.py"));
    assert_eq!((&answer(2)["answer"], &answer(2)["tier"]), (&json!("hold"), &json!(3)));
    assert_eq!(answer(3), command("explain rule core_change"));
    assert_eq!(answer(4), command("graph query tag(kernel)"));
    assert_eq!((&said[5]["result"]["isError"], &said[6]["result"]["isError"]), (&json!(true), &json!(true)));
    assert!(said[7]["error"].is_object());
    assert!(!repo.path.join(".git/grace/ledger").exists(), "asking is not deciding");
}

#[test]
fn the_answers_of_a_session_are_those_of_what_was_saved_just_before() {
    use std::io::{BufRead as _, BufReader};
    let repo = Repo::project();
    let mut child =
        repo.command().arg("mcp").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut input, mut lines) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
    let mut id = 0;
    let mut ask = |method: &str, params: Value| -> Value {
        id += 1;
        writeln!(input, "{}", json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).unwrap();
        serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap()
    };
    ask(
        "initialize",
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}),
    );
    let mut asked = |name: &str, arguments: Value| -> Value {
        let said = ask("tools/call", json!({"name": name, "arguments": arguments}));
        serde_json::from_str(said["result"]["content"][0]["text"].as_str().unwrap()).unwrap()
    };
    assert_eq!(asked("plan", json!({}))["change"]["files"], 0);
    // Everything that is kept in the process is what a command says that looks for itself.
    let mut expected = || {
        let (plan, fresh) = (asked("plan", json!({})), repo.json("plan"));
        assert_eq!((&plan["id"], &plan["tier"], &plan["rules"]), (&fresh["id"], &fresh["tier"], &fresh["rules"]));
        for _again in 0..2 {
            assert_eq!(asked("cost", json!({"what": "app"})), repo.json("cost app"));
            assert_eq!(asked("explain", json!({"what": "rule core_change"})), repo.json("explain rule core_change"));
            assert_eq!(
                asked("graph_query", json!({"set": "path(\"app/**\")"})),
                repo.json("graph query path(\"app/**\")")
            );
            assert_eq!(asked("check", json!({})), repo.json("check"));
        }
        let plan = asked("plan", json!({}));
        assert_eq!((&plan["id"], &plan["rules"]), (&fresh["id"], &fresh["rules"]), "an explanation changes nothing");
    };
    for round in 0..3 {
        repo.write("app/notes.py", &format!("def note():\n    return {round}\n"));
        expected();
        repo.edit_kernel();
        repo.write(&format!("app/new_{round}.py"), "X = 1\n");
        expected();
        repo.write("grace/rules.grace", &repo.read("grace/rules.grace").replace("tier 2", "tier 3"));
        expected();
        repo.git(&["checkout", "--quiet", "."]);
        fs::remove_file(repo.path.join(format!("app/new_{round}.py"))).unwrap();
        expected();
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_protocols_own_sdk_lists_and_calls_every_tool() {
    let Some(python) = std::env::var_os("GRACE_TEST_MCP_PYTHON") else {
        eprintln!("skipped: no Python with the package `mcp`; cargo xtask test brings one");
        return;
    };
    let repo = Repo::edited();
    let binary = repo.command().get_program().to_owned();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/mcp/sdk.py");
    let output = Command::new(python).arg(script).arg(binary).current_dir(&repo.path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(said[0]["tools"], json!(["check", "cost", "explain", "gate", "graph_query", "plan"]));
    assert_eq!(said.iter().filter(|one| one["failed"] == false).count(), 6, "{said:?}");
    assert!(said.last().unwrap()["rules"].as_str().unwrap().contains("core_change"));
}

#[test]
fn practices_are_listed_and_suggested_by_what_a_change_touches() {
    let repo = Repo::project();
    let own = "practice slowly\n  kind playbook\n  says \"Slowly.\"\n  step \"One.\"\n  applies to kernel\n";
    repo.write(
        "grace/practices.grace",
        &format!("{own}\npractice never\n  kind playbook\n  step \"No.\"\n  applies to kernel\n  not for kernel\n"),
    );
    repo.commit("practices");
    let all = repo.json("practice list");
    assert_eq!(all["practices"].as_array().unwrap().len(), 22, "20 are shipped");
    repo.edit_kernel();
    let best = repo.json("practice suggest");
    let best = best["suggestions"].as_array().unwrap();
    assert_eq!((best[0]["name"].as_str(), best[0]["score"].as_i64()), (Some("slowly"), Some(250)));
    assert!(best.len() <= 5 && best.iter().all(|one| one["name"] != "never"), "{best:?}");
    // By a task, as if its files had changed; by what it needs, and by the kinds of parts.
    repo.git(&["checkout", "--quiet", "."]);
    let named = |line: &str| {
        let found = repo.json(line)["suggestions"].as_array().unwrap().clone();
        found.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(!named("practice suggest --worktree").contains(&"slowly".to_owned()));
    repo.write("../task.toml", "id = \"t\"\ndescription = \"d\"\nfiles = [\"app/core/\"]\ncapability = \"sorting\"\n");
    assert!(named("practice suggest --task ../task.toml").contains(&"slowly".to_owned()));
    let more = "practice by_method\n  kind playbook\n  step \"One.\"\n  applies to method\n\npractice by_need\n  kind playbook\n  step \"One.\"\n  applies to sorting\n";
    repo.write("grace/practices.grace", &format!("{own}\n{more}"));
    repo.commit("more practices");
    let found = named("practice suggest --task ../task.toml");
    assert!(found.contains(&"by_method".to_owned()) && found.contains(&"by_need".to_owned()), "{found:?}");
    repo.edit_kernel();
    let found = named("practice suggest");
    assert!(found.contains(&"by_method".to_owned()) && !found.contains(&"by_need".to_owned()), "{found:?}");
    repo.git(&["checkout", "--quiet", "."]);
    repo.write("README.md", "# other\n");
    assert!(!named("practice suggest").contains(&"by_method".to_owned()));
    assert!(repo.grace("practice show slowly").contains("1  One."));
    assert!(repo.grace("practice show nothing").contains("--- exit 2"));
}
