//! `hook install` and `hook doctor`: an agent's settings, and the proof that they block.

use std::path::{Path, PathBuf};
use std::time::Duration;

use grace_hook::Agent;
use grace_system::files::{FileError, FileErrorKind};
use grace_system::git::Repository;
use grace_system::process::{self, Command, End};
use grace_system::{env, files};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{HELD, UNDECIDED, insert};
use crate::commands::{Answer, Context};
use crate::failure::{Failure, Result};
use crate::screen::page::{Page, Style, Text};

/// Largest settings that are read, in bytes.
const MAX_SETTINGS: u64 = 4 << 20;
/// Seconds that an agent may wait for a hook: before a tool is used, and for the gate.
const SOON: u64 = 30;
const LONG: u64 = 600;
/// Seconds that a hook may take while it is tried.
const TRIED: u64 = 120;

/// What was done to an agent's settings, or what was seen of them.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct HookReport {
    schema: &'static str,
    version: u32,
    /// The agent.
    agent: &'static str,
    /// Its settings.
    file: String,
    /// Whether they were changed.
    changed: bool,
    /// What was looked at.
    checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, JsonSchema)]
struct Check {
    /// What should be.
    name: String,
    /// Whether it is.
    holds: bool,
    /// What was seen instead; empty where it holds.
    seen: String,
}

/// One hook of an agent: its event, and whether the small program answers it.
struct Wanted {
    event: &'static str,
    quick: bool,
}

/// Where an agent reads its hooks, and which it gets.
fn wanted(agent: Agent) -> (&'static str, Vec<Wanted>) {
    let of = |quick: &[&'static str], slow: &[&'static str]| {
        let quick = quick.iter().map(|event| Wanted { event, quick: true });
        quick.chain(slow.iter().map(|event| Wanted { event, quick: false })).collect::<Vec<_>>()
    };
    match agent {
        Agent::ClaudeCode => (".claude/settings.json", of(&["PreToolUse"], &["Stop", "SessionStart"])),
        Agent::Codex => (".codex/hooks.json", of(&["PreToolUse"], &["Stop", "SessionStart"])),
        Agent::OpenHands => (".openhands/hooks.json", of(&["PreToolUse"], &["Stop", "SessionStart"])),
        // Older ones know no `preToolUse`; newer ones ask twice, which costs little.
        Agent::Cursor => (
            ".cursor/hooks.json",
            of(&["preToolUse", "beforeShellExecution", "beforeMCPExecution"], &["stop", "sessionStart"]),
        ),
        Agent::Copilot => (".github/hooks/grace-rules.json", of(&["preToolUse"], &["agentStop", "sessionStart"])),
    }
}

/// The entry of a hook in an agent's settings.
fn entry(agent: Agent, wanted: &Wanted, command: &str) -> Value {
    let timeout = if wanted.quick { SOON } else { LONG };
    match agent {
        Agent::ClaudeCode | Agent::Codex | Agent::OpenHands => {
            json!({"hooks": [{"type": "command", "command": command, "timeout": timeout}]})
        }
        // Without `failClosed` whatever goes wrong would let through.
        Agent::Cursor if wanted.quick => json!({"command": command, "timeout": timeout, "failClosed": true}),
        Agent::Cursor => json!({"command": command, "timeout": timeout}),
        Agent::Copilot => {
            json!({"type": "command", "bash": command, "powershell": format!("& {command}"), "timeoutSec": timeout})
        }
    }
}

/// The commands of an event's hooks in an agent's settings.
fn commands(agent: Agent, settings: &Value, event: &str) -> Vec<String> {
    let entries = settings.get("hooks").and_then(|hooks| hooks.get(event)).and_then(Value::as_array);
    let mut found = Vec::new();
    for entry in entries.into_iter().flatten() {
        match agent {
            Agent::ClaudeCode | Agent::Codex | Agent::OpenHands => {
                let hooks = entry.get("hooks").and_then(Value::as_array).into_iter().flatten();
                found.extend(hooks.filter_map(|hook| hook.get("command").and_then(Value::as_str)));
            }
            Agent::Cursor => found.extend(entry.get("command").and_then(Value::as_str)),
            Agent::Copilot if cfg!(windows) => {
                let shown = entry.get("powershell").and_then(Value::as_str);
                found.extend(shown.map(|shown| shown.strip_prefix("& ").unwrap_or(shown)));
            }
            Agent::Copilot => found.extend(entry.get("bash").and_then(Value::as_str)),
        }
    }
    found.into_iter().map(str::to_owned).collect()
}

/// Whether a command looks like one of ours, from wherever the program stood: to replace it, never to run it.
fn is_like_ours(command: &str) -> bool {
    command.contains("grace-hook") || command.contains("grace-rules") && command.contains(" hook ")
}

/// The command of a hook: by name where the shell finds this very program by it, so that others who share the settings do, too.
fn command(agent: Agent, wanted: &Wanted) -> Result<String> {
    let this = env::current_exe().and_then(|exe| exe.canonicalize());
    let this = this.map_err(|error| Failure::new("file", format!("this program is not found again: {error}")))?;
    let suffix = std::env::consts::EXE_SUFFIX;
    let small = this.with_file_name(format!("grace-hook{suffix}"));
    let (program, verb) = if wanted.quick && files::exists(&small) { (small, "") } else { (this, " hook") };
    let stem = program.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let by_name = env::find_program(&stem, &env::search_path(None)).and_then(|found| files::canonical(&found).ok());
    let program = if by_name == Some(program.clone()) { stem } else { quoted(&program) };
    let event = if agent == Agent::Copilot { format!(" {}", wanted.event) } else { String::new() };
    Ok(format!("{program}{verb} {}{event}", agent.name()))
}

/// A path as a word of a shell.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/\\:._-+".contains(&byte);
    if path.bytes().all(plain) && !cfg!(windows) {
        path
    } else if cfg!(windows) {
        format!("\"{path}\"")
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match files::read_text(path, MAX_SETTINGS) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind == FileErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A repository's link could lead what is written to anywhere.
fn refuse_links(root: &Path, file: &str) -> Result<()> {
    match files::stat_in(root, file) {
        Ok(found) if found.kind == files::Kind::Link => {
            Err(FileError { path: root.join(file), kind: FileErrorKind::Link }.into())
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind == FileErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Puts the hooks into an agent's settings.
pub(in crate::commands) fn install(context: &Context, agent: Agent) -> Result<Answer> {
    let root = context.place.repository()?.root().to_path_buf();
    let (file, hooks) = wanted(agent);
    let path = root.join(file);
    refuse_links(&root, file)?;
    let before = read(&path)?;
    let mut text = before.clone().filter(|text| !text.trim().is_empty()).unwrap_or_else(|| {
        if matches!(agent, Agent::Cursor | Agent::Copilot) {
            "{\n  \"version\": 1\n}\n".to_owned()
        } else {
            "{}\n".to_owned()
        }
    });
    let failed = |why: String| {
        Failure::new("input", format!("{} cannot be added to: {why}", crate::failure::quoted(&path)))
            .help("nothing was written; mend it, or move it away")
    };
    for hook in &hooks {
        let command = command(agent, hook)?;
        let settings: Value = serde_json::from_str(&text).map_err(|error| failed(format!("it is no JSON: {error}")))?;
        let ours: Vec<String> =
            commands(agent, &settings, hook.event).into_iter().filter(|one| is_like_ours(one)).collect();
        match ours.first() {
            Some(known) if *known == command => {}
            // From where the program stood before.
            Some(known) => {
                for before in ["", "& "] {
                    let json = |command: &str| Value::from(format!("{before}{command}")).to_string();
                    text = text.replace(&json(known), &json(&command));
                }
            }
            None => {
                let item = entry(agent, hook, &command);
                text = insert::with(&text, &["hooks", hook.event], &item).map_err(failed)?;
            }
        }
    }
    let changed = before.as_deref() != Some(text.as_str());
    if changed {
        if let Some(parent) = path.parent() {
            files::create_dirs(parent)?;
        }
        files::write_atomic(&path, text.as_bytes())?;
    }
    let report = report(agent, file, changed, Vec::new());
    if context.is_json() {
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    let word = if changed { Text::new().then(Style::Good, "wrote") } else { Text::new().then(Style::Dim, "kept") };
    page.line(0, word.plain(format!("  {file}")));
    if agent == Agent::Codex {
        page.line(0, "Codex (0.124 or later) asks you to trust the project, then the hooks: /hooks there");
    }
    page.line(0, format!("next: grace-rules hook doctor {}; then start the agent anew", agent.name()));
    Ok(Answer::yes(page.finish()))
}

fn report(agent: Agent, file: &str, changed: bool, checks: Vec<Check>) -> HookReport {
    HookReport { schema: "grace-rules/hook", version: 1, agent: agent.name(), file: file.to_owned(), changed, checks }
}

/// Proves that what is installed blocks: its own commands are given events that must be denied, and ones that must not.
pub(in crate::commands) fn doctor(context: &Context, agent: Agent) -> Result<Answer> {
    let root = context.place.repository()?.root().to_path_buf();
    let (file, hooks) = wanted(agent);
    let mut checks = Vec::new();
    let settings = match read(&root.join(file))? {
        None => Err("it is not there".to_owned()),
        Some(text) => serde_json::from_str::<Value>(&text).map_err(|error| format!("it is no JSON: {error}")),
    };
    checks.push(Check {
        name: format!("{file} can be read"),
        holds: settings.is_ok(),
        seen: settings.clone().err().unwrap_or_default(),
    });
    let settings = settings.unwrap_or_default();
    if let Some(switch) = switch(agent, &root) {
        checks.push(Check {
            name: "hooks are on".to_owned(),
            holds: switch.off.is_none(),
            seen: switch.off.unwrap_or_default(),
        });
    }
    for hook in &hooks {
        // The settings came with the repository: nothing of them is run but what `install` itself would write.
        let command = command(agent, hook)?;
        let found = commands(agent, &settings, hook.event);
        if found.contains(&command) {
            checks.extend(tried(context, agent, hook, &command, &root));
            continue;
        }
        let other = found.iter().find(|other| is_like_ours(other));
        let seen = other.map(|other| {
            let shown: String = other.chars().take(200).flat_map(char::escape_debug).collect();
            format!("`{shown}` is not what install writes here, so it was not run")
        });
        checks.push(Check {
            name: format!("{} has the hook of grace-rules", hook.event),
            holds: false,
            seen: seen.unwrap_or_else(|| "it has none".to_owned()),
        });
    }
    let holds = checks.iter().all(|check| check.holds);
    if context.is_json() {
        return Answer::json(&report(agent, file, false, checks), holds);
    }
    let mut page = context.page();
    screen(&mut page, agent, &checks, holds);
    Ok(Answer { text: page.finish(), code: u8::from(!holds) })
}

/// Whether an agent's hooks as a whole are switched off, and where.
struct Switch {
    off: Option<String>,
}

/// Looks at the settings by which an agent may leave out all hooks, those of its user among them; `None` where it has none.
fn switch(agent: Agent, root: &Path) -> Option<Switch> {
    let home = |file: &str| env::home().map(|home| home.join(file));
    let places = match agent {
        Agent::ClaudeCode => vec![
            Some(root.join(".claude/settings.json")),
            Some(root.join(".claude/settings.local.json")),
            home(".claude/settings.json"),
        ],
        Agent::Codex => {
            let own = env::var_os("CODEX_HOME").map(|home| PathBuf::from(home).join("config.toml"));
            vec![Some(root.join(".codex/config.toml")), own.or_else(|| home(".codex/config.toml"))]
        }
        Agent::Cursor | Agent::OpenHands | Agent::Copilot => return None,
    };
    let is_off = |text: &str| match agent {
        Agent::Codex => switched_off(&text.parse().unwrap_or_default()),
        _ => {
            let value: Value = serde_json::from_str(text).unwrap_or_default();
            value.get("disableAllHooks").and_then(Value::as_bool) == Some(true)
        }
    };
    let off = places.into_iter().flatten().find(|path| read(path).ok().flatten().is_some_and(|text| is_off(&text)));
    Some(Switch { off: off.map(|path| format!("{} switches them off", path.display())) })
}

/// Whether settings of Codex switch hooks off; the second name is what it was before.
fn switched_off(settings: &toml::Table) -> bool {
    let features = settings.get("features").and_then(toml::Value::as_table);
    let is_off = |name: &str| features.and_then(|all| all.get(name)?.as_bool()) == Some(false);
    is_off("hooks") || is_off("codex_hooks")
}

fn screen(page: &mut Page, agent: Agent, checks: &[Check], holds: bool) {
    for check in checks {
        let mark = if check.holds { Text::new().then(Style::Good, "yes") } else { Text::new().then(Style::Bad, "no ") };
        page.hanging(0, &mark.plain("  "), check.name.as_str());
        if !check.holds {
            page.hanging(5, &Text::new(), check.seen.as_str());
        }
    }
    page.gap();
    page.line(
        0,
        match holds {
            true => format!("{} is blocked where it must be", agent.name()),
            false => format!("not proved; mend it: grace-rules hook install {}", agent.name()),
        },
    );
}

/// What a hook's own command does with its event: where it must deny or hold, and where it must not.
fn tried(context: &Context, agent: Agent, hook: &Wanted, command: &str, root: &Path) -> Vec<Check> {
    let check = |name: &str, holds: bool, said: &Said| Check {
        name: format!("the command of {} {name}", hook.event),
        holds,
        seen: if holds { String::new() } else { format!("`{command}` said: {}", said.shown()) },
    };
    if hook.quick {
        let denied = run(context, command, &event(agent, hook.event, ".git/grace/forbidden", root), root);
        let passed = run(context, command, &event(agent, hook.event, "notes/doctor.txt", root), root);
        let passes = passed.code == Some(0) && !passed.denies(agent);
        return vec![
            check("denies an edit of the ledger", denied.denies(agent), &denied),
            check("lets another edit pass", passes, &passed),
        ];
    }
    let asked = |at: &Path| run(context, command, &session_event(agent, hook.event, at), at);
    if !matches!(hook.event, "Stop" | "stop" | "agentStop") {
        let said = asked(root);
        return vec![check("tells the rules", said.tells(), &said)];
    }
    let scratch = match Scratch::new(context) {
        Ok(scratch) => scratch,
        Err(failure) => {
            let seen = failure.message;
            return vec![Check {
                name: format!("the command of {} is tried in a repository", hook.event),
                holds: false,
                seen,
            }];
        }
    };
    let unchanged = asked(scratch.root());
    let lets = unchanged.code == Some(0) && !unchanged.holds(agent);
    let changed = scratch.change().map(|()| asked(scratch.root()));
    let changed = changed.unwrap_or_else(|failure| Said { code: None, out: String::new(), err: failure.message });
    vec![
        check("lets an agent stop that changed nothing", lets, &unchanged),
        check("holds an agent whose change the gate does not let through", changed.holds(agent), &changed),
    ]
}

/// A repository of its own, with one commit and no rules, in which an agent is said to work.
struct Scratch {
    dir: files::TempDir,
}

impl Scratch {
    const FILE: &str = "notes.txt";
    const TEXT: &str = "a note\n";

    fn new(context: &Context) -> Result<Self> {
        let dir = files::temporary_dir()?;
        let root = context.place.repository()?.root();
        let missing = || Failure::new("git", "git is not found");
        let git = env::find_program("git", &env::search_path(Some(root))).ok_or_else(missing)?;
        let mut command = Command::new(git, dir.path());
        // No template: it would bring hooks of this user.
        command.args = ["init", "--quiet", "--initial-branch=main", "--template="].map(Into::into).into();
        command.env = env::inherited(ENVIRONMENT).into_iter().collect();
        let finished = process::run(&command, &context.cancel);
        if finished.end != End::Exited(0) {
            return Err(Failure::new("git", format!("git init failed: {}", finished.stderr.text().trim())));
        }
        let repository = Repository::discover(dir.path())?;
        repository.commit_file("refs/heads/main", Self::FILE, Self::TEXT.as_bytes(), "a note")?;
        files::create_new(&dir.path().join(Self::FILE), Self::TEXT.as_bytes())?;
        Ok(Self { dir })
    }

    fn root(&self) -> &Path {
        self.dir.path()
    }

    /// A change that no gate lets through unseen: rules where there were none.
    fn change(&self) -> Result<()> {
        let rules = self.root().join("grace");
        files::create_dirs(&rules)?;
        Ok(files::create_new(&rules.join("rules.grace"), b"module doctor.rules\n")?)
    }
}

/// The end or the beginning of a session, as the agent tells it.
fn session_event(agent: Agent, name: &str, root: &Path) -> String {
    let event = match agent {
        Agent::ClaudeCode | Agent::Codex => {
            json!({"hook_event_name": name, "session_id": "doctor", "cwd": root, "stop_hook_active": false, "source": "startup"})
        }
        Agent::OpenHands => json!({"event_type": name, "session_id": "doctor", "working_dir": root}),
        Agent::Cursor => json!({
            "hook_event_name": name, "conversation_id": "doctor", "workspace_roots": [root], "status": "completed", "loop_count": 0,
        }),
        Agent::Copilot => json!({"sessionId": "doctor", "cwd": root, "stopReason": "end_turn", "source": "new"}),
    };
    event.to_string()
}

/// An edit of a file, as the agent tells it.
fn event(agent: Agent, name: &str, path: &str, root: &Path) -> String {
    let input = json!({"file_path": path, "path": path, "command": format!("touch {path}")});
    let event = match agent {
        Agent::ClaudeCode | Agent::Codex => {
            json!({"hook_event_name": "PreToolUse", "tool_name": "Write", "tool_input": input, "cwd": root})
        }
        Agent::OpenHands => {
            json!({"event_type": "PreToolUse", "tool_name": "terminal", "tool_input": input, "working_dir": root})
        }
        Agent::Cursor if name == "beforeShellExecution" => {
            json!({"hook_event_name": name, "command": format!("touch {path}"), "cwd": root})
        }
        Agent::Cursor => {
            json!({"hook_event_name": "preToolUse", "tool_name": "Write", "tool_input": input, "workspace_roots": [root]})
        }
        Agent::Copilot => {
            json!({"hookEventName": "preToolUse", "toolName": "edit", "toolArgs": input.to_string(), "cwd": root})
        }
    };
    event.to_string()
}

/// What a command left.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    /// Whether it denies in the agent's own words. A failure stops the agent, too, but with everything else.
    fn denies(&self, agent: Agent) -> bool {
        let Ok(value) = serde_json::from_str::<Value>(&self.out) else { return false };
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (decision, reason) = match agent {
            Agent::ClaudeCode | Agent::Codex => {
                let inner = value.get("hookSpecificOutput").cloned().unwrap_or_default();
                (text(&inner, "permissionDecision"), text(&inner, "permissionDecisionReason"))
            }
            Agent::Copilot => (text(&value, "permissionDecision"), text(&value, "permissionDecisionReason")),
            Agent::Cursor => (text(&value, "permission"), text(&value, "user_message")),
            Agent::OpenHands => (text(&value, "decision"), text(&value, "reason")),
        };
        self.code == Some(0) && decision == "deny" && !reason.trim().is_empty()
    }

    /// Whether it holds an agent that would stop, by the gate's word: that nothing could be judged proves nothing.
    fn holds(&self, agent: Agent) -> bool {
        let Ok(value) = serde_json::from_str::<Value>(&self.out) else { return false };
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let (is_held, reason) = match agent {
            Agent::ClaudeCode | Agent::Codex | Agent::Copilot => (text("decision") == "block", text("reason")),
            Agent::OpenHands => (text("decision") == "deny", text("reason")),
            Agent::Cursor => (true, text("followup_message")),
        };
        self.code == Some(0) && is_held && reason.starts_with(HELD) && !reason.contains(UNDECIDED)
    }

    /// Whether it tells an agent something.
    fn tells(&self) -> bool {
        let value = serde_json::from_str::<Value>(&self.out).unwrap_or_default();
        let found = ["additionalContext", "additional_context"]
            .into_iter()
            .find_map(|key| value.get("hookSpecificOutput").unwrap_or(&value).get(key).and_then(Value::as_str));
        self.code == Some(0) && found.is_some_and(|text| !text.trim().is_empty())
    }

    fn shown(&self) -> String {
        let code = self.code.map_or("it did not end".to_owned(), |code| format!("exit code {code}"));
        let text: String = format!("{} {}", self.out.trim(), self.err.trim()).chars().take(400).collect();
        format!("{code} {}", text.trim())
    }
}

/// What a hook finds its programs, its user's settings and its files by; secrets of the environment are not for it.
const ENVIRONMENT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_*",
    "TMPDIR",
    "XDG_*",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "COMSPEC",
    "PATHEXT",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "USERNAME",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAMDATA",
    "GRACE_RULES_CACHE",
    "GRACE_RULES_CONFIG",
    "GRACE_RULES_LEDGER_KEY",
];

/// Runs a hook's command as agents do: by the shell, with the event on standard input.
fn run(context: &Context, line: &str, event: &str, root: &Path) -> Said {
    let shell: (PathBuf, [&str; 2]) =
        if cfg!(windows) { ("cmd".into(), ["/C", line]) } else { ("/bin/sh".into(), ["-c", line]) };
    let mut command = Command::new(shell.0, root);
    command.args = shell.1.iter().map(Into::into).collect();
    command.env = env::inherited(ENVIRONMENT).into_iter().collect();
    command.input = Some(event.as_bytes().to_vec());
    command.deadline = Duration::from_secs(TRIED);
    let finished = process::run(&command, &context.cancel);
    let code = match finished.end {
        End::Exited(code) => Some(code),
        _ => None,
    };
    Said { code, out: finished.stdout.text(), err: finished.stderr.text() }
}
