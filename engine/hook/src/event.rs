//! An agent's event: what it is about to do, of which every agent writes something else.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::agent::Agent;

/// Strings of a tool's input that are looked at, and how deep they may lie.
const MOST_STRINGS: usize = 10_000;
const DEEPEST: usize = 32;
/// Longer texts are no paths.
const LONGEST_PATH: usize = 4096;

/// What an event is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A tool is about to be used.
    Before,
    /// The agent is done and would stop.
    Stop,
    /// A session begins.
    Start,
    /// Something else, which nobody need answer.
    Other,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is of.
    pub kind: Kind,
    /// The agent's directory.
    pub directory: Option<String>,
    /// The session's name, where the agent gives one.
    pub session: Option<String>,
    /// The agent was sent on before and would stop again, where it says so.
    pub again: Option<bool>,
    /// Its user stopped it, or it broke down: it cannot be sent on.
    pub stopped: bool,
    /// The tool only looks.
    pub only_reads: bool,
    /// The tool takes files away, or moves them.
    pub takes: bool,
    /// Texts that name files to write.
    pub paths: BTreeSet<String>,
    /// Texts that may name files: what else stands in the tool's input.
    pub words: BTreeSet<String>,
    /// What a shell is given.
    pub commands: Vec<String>,
}

/// Names of tools that only look, in lower case.
const READERS: &[&str] = &[
    "read",
    "read_file",
    "readfile",
    "view",
    "grep",
    "glob",
    "ls",
    "list_dir",
    "listdir",
    "search",
    "codebase_search",
    "grep_search",
    "file_search",
    "webfetch",
    "websearch",
    "web_search",
    "web_fetch",
    "fetch",
    "think",
    "todowrite",
    "todoread",
    "update_plan",
    "task_tracker",
    "rg",
    "finish",
];

/// Keys whose text is written into a file, or is prose: no path, however it looks.
const CONTENTS: &[&str] = &[
    "content",
    "contents",
    "new_string",
    "old_string",
    "new_str",
    "old_str",
    "file_text",
    "text",
    "new_source",
    "description",
    "prompt",
    "query",
    "explanation",
    "thought",
    "summary",
    "message",
    "code_edit",
    "instructions",
    "pattern",
    "regex",
    "url",
    "insert_text",
    "todos",
];

/// Keys of files that are written.
const PATHS: &[&str] = &[
    "file_path",
    "filepath",
    "path",
    "paths",
    "file",
    "files",
    "notebook_path",
    "target_file",
    "relative_path",
    "old_path",
    "new_path",
    "destination",
    "target",
    "filename",
    "file_name",
    "uri",
];

/// Keys of what a shell is given.
const COMMANDS: &[&str] = &["command", "cmd", "script", "commands", "input", "patch", "chars"];

/// Reads an event. `named` is its name where the agent's settings give it, not the event.
///
/// # Errors
/// In a sentence, where it is none that the agent sends.
pub fn parse(agent: Agent, named: Option<&str>, bytes: &[u8]) -> Result<Event, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("the event is no JSON: {error}"))?;
    let Value::Object(event) = value else { return Err("the event is no JSON object".to_owned()) };
    let text = |keys: &[&str]| keys.iter().find_map(|key| event.get(*key).and_then(Value::as_str)).map(str::to_owned);
    let said = text(&["hook_event_name", "hookEventName", "event_type"]);
    let kind = match said.as_deref().or(named) {
        Some(name) => kind(name),
        // Copilot says only by its shape what happens.
        None if event.contains_key("toolName") || event.contains_key("tool_name") => Kind::Before,
        None => return Err("the event has no name".to_owned()),
    };
    let flag = |key: &str| event.get(key).and_then(Value::as_bool);
    let count = |key: &str| event.get(key).and_then(Value::as_u64);
    let mut found = Event {
        kind,
        directory: text(&["cwd", "working_dir"]).or_else(|| first_root(&event)),
        session: text(&["session_id", "sessionId", "conversation_id"]),
        again: flag("stop_hook_active").or_else(|| count("loop_count").map(|count| count > 0)),
        stopped: agent == Agent::Cursor && text(&["status"]).is_some_and(|status| status != "completed"),
        only_reads: false,
        takes: false,
        paths: BTreeSet::new(),
        words: BTreeSet::new(),
        commands: Vec::new(),
    };
    if kind == Kind::Before {
        before(&event, &mut found)?;
    }
    Ok(found)
}

fn kind(name: &str) -> Kind {
    match name {
        "PreToolUse" | "preToolUse" | "beforeShellExecution" | "beforeMCPExecution" | "PermissionRequest" => {
            Kind::Before
        }
        "Stop" | "stop" | "agentStop" => Kind::Stop,
        "SessionStart" | "sessionStart" => Kind::Start,
        _ => Kind::Other,
    }
}

/// Cursor names its folders, and the directory only with some events.
fn first_root(event: &Map<String, Value>) -> Option<String> {
    event.get("workspace_roots")?.as_array()?.first()?.as_str().map(str::to_owned)
}

fn before(event: &Map<String, Value>, found: &mut Event) -> Result<(), String> {
    let tool = ["tool_name", "toolName"].iter().find_map(|key| event.get(*key).and_then(Value::as_str));
    let input = ["tool_input", "toolArgs", "tool_args"].iter().find_map(|key| event.get(*key));
    // Cursor gives a shell's command beside the event's own fields.
    if let Some(command) = event.get("command").and_then(Value::as_str) {
        found.commands.push(command.to_owned());
    }
    let parsed;
    let input = match input {
        // Copilot and Cursor write the input as a text of JSON.
        Some(Value::String(text)) if text.trim_start().starts_with(['{', '[']) => {
            parsed = serde_json::from_str(text).map_err(|error| format!("the tool's input is no JSON: {error}"))?;
            Some(&parsed)
        }
        input => input,
    };
    let mut left = MOST_STRINGS;
    match input {
        Some(Value::String(text)) => take("command", text, found),
        Some(input) => walk("", input, 0, &mut left, found)?,
        None if found.commands.is_empty() && tool.is_none() => return Err("the event names no tool".to_owned()),
        None => {}
    }
    let tool = tool.unwrap_or_default().to_ascii_lowercase();
    // An editor that is told to show a file.
    let views = matches!(found.commands.as_slice(), [only] if only == "view");
    found.takes = ["delete", "remove", "move", "rename"].into_iter().any(|verb| tool.contains(verb));
    found.only_reads = READERS.contains(&tool.as_str()) || views;
    Ok(())
}

fn walk(key: &str, value: &Value, depth: usize, left: &mut usize, found: &mut Event) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("the tool's input is too deep".to_owned());
    }
    match value {
        Value::String(text) => {
            *left = left.checked_sub(1).ok_or("the tool's input has too many parts")?;
            take(key, text, found);
        }
        // A command as a list of arguments is one command: what a shell in it is given is looked at as well.
        Value::Array(items) if COMMANDS.contains(&key) && items.iter().all(Value::is_string) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            *left = left.checked_sub(words.len()).ok_or("the tool's input has too many parts")?;
            take(key, &words.join(" "), found);
        }
        Value::Array(items) => {
            for item in items {
                walk(key, item, depth + 1, left, found)?;
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                walk(&key.to_ascii_lowercase(), value, depth + 1, left, found)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

fn take(key: &str, text: &str, found: &mut Event) {
    if text.contains("*** Begin Patch") {
        // Only the heads name files: the lines between are the files' own.
        found.paths.extend(patched(text));
        if COMMANDS.contains(&key) {
            found.commands.push(without_patch(text));
        }
    } else if COMMANDS.contains(&key) {
        found.commands.push(text.to_owned());
    } else if text.len() > LONGEST_PATH || text.contains('\n') || CONTENTS.contains(&key) {
        // No path.
    } else if PATHS.contains(&key) {
        found.paths.insert(text.to_owned());
    } else {
        found.words.insert(text.to_owned());
    }
}

/// The files that a patch in Codex's form names.
fn patched(text: &str) -> impl Iterator<Item = String> {
    const HEADS: [&str; 4] = ["*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: "];
    text.lines()
        .filter_map(|line| HEADS.iter().find_map(|head| line.trim_start().strip_prefix(head)))
        .map(|path| path.trim().to_owned())
}

/// A command without the lines that a patch in it writes or takes away. No shell runs what begins like these.
fn without_patch(text: &str) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for line in text.lines() {
        inside |= line.contains("*** Begin Patch");
        if !(inside && line.starts_with(['+', '-', '@', '*'])) {
            kept.push_str(line);
            kept.push('\n');
        }
        inside &= !line.starts_with("*** End Patch");
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(agent: Agent, text: &str) -> Event {
        parse(agent, None, text.as_bytes()).unwrap()
    }

    #[test]
    fn a_patch_names_its_files_and_not_what_it_writes() {
        let text = r#"{"hook_event_name":"PreToolUse","tool_name":"apply_patch","tool_input":{"command":
            "*** Begin Patch\n*** Update File: src/a.py\n@@\n+see .git/grace\n*** Move to: src/b.py\n*** End Patch"}}"#;
        let found = event(Agent::Codex, text);
        assert_eq!(found.paths.into_iter().collect::<Vec<_>>(), ["src/a.py", "src/b.py"]);
        assert_eq!(found.commands, [""]);
        let hidden = "echo '*** Begin Patch'; rm -rf .git/grace\n+ cat .git\n*** End Patch\nrm x\n+ls";
        assert_eq!(without_patch(hidden), "echo '*** Begin Patch'; rm -rf .git/grace\nrm x\n+ls\n");
    }

    #[test]
    fn an_input_that_is_a_text_is_read_as_one() {
        let text = r#"{"toolName":"bash","toolArgs":"{\"command\":\"ls\",\"description\":\"/etc\"}","cwd":"/x"}"#;
        let found = event(Agent::Copilot, text);
        assert_eq!((found.kind, found.commands, found.words.len()), (Kind::Before, vec!["ls".to_owned()], 0));
        let broken = r#"{"toolName":"bash","toolArgs":"{\"command\":"}"#;
        assert!(parse(Agent::Copilot, None, broken.as_bytes()).is_err());
    }

    #[test]
    fn an_input_is_bounded() {
        let deep = format!(r#"{{"toolName":"x","toolArgs":{}1{}}}"#, "[".repeat(60), "]".repeat(60));
        assert!(parse(Agent::Copilot, None, deep.as_bytes()).is_err_and(|why| why.contains("deep")));
        let many = format!(r#"{{"toolName":"x","toolArgs":[{}"x"]}}"#, r#""x","#.repeat(MOST_STRINGS));
        assert!(parse(Agent::Copilot, None, many.as_bytes()).is_err_and(|why| why.contains("many")));
    }

    #[test]
    fn who_was_sent_on_and_who_was_stopped_is_told_apart() {
        let found = |agent, text| {
            let event = event(agent, text);
            (event.again, event.stopped)
        };
        let claude = |text| found(Agent::ClaudeCode, text);
        assert_eq!(claude(r#"{"hook_event_name":"Stop","stop_hook_active":true}"#), (Some(true), false));
        assert_eq!(claude(r#"{"hook_event_name":"Stop","stop_hook_active":false}"#), (Some(false), false));
        assert_eq!(claude(r#"{"hook_event_name":"Stop"}"#), (None, false));
        let cursor = |text| found(Agent::Cursor, text);
        assert_eq!(cursor(r#"{"hook_event_name":"stop","status":"completed","loop_count":1}"#), (Some(true), false));
        assert_eq!(cursor(r#"{"hook_event_name":"stop","status":"aborted","loop_count":0}"#), (Some(false), true));
        assert_eq!(cursor(r#"{"hook_event_name":"stop","status":"completed","loop_count":0}"#), (Some(false), false));
    }
}
