//! Whether an agent may do what it is about to do: what is not for agents is denied, with the reason.

use crate::event::Event;
use crate::places::Places;
use crate::shell::{self, Simple};

/// Programs that only look at the files that they are given.
const LOOKING: &[&str] = &[
    "cat",
    "ls",
    "head",
    "tail",
    "less",
    "more",
    "wc",
    "stat",
    "file",
    "grep",
    "rg",
    "egrep",
    "fgrep",
    "diff",
    "cmp",
    "sha256sum",
    "b3sum",
    "du",
    "tree",
    "jq",
    "echo",
    "printf",
    "cd",
    "pwd",
    "test",
    "[",
    "readlink",
    "realpath",
    "basename",
    "dirname",
    "true",
];

/// Verbs of git that only look.
const LOOKING_AT_GIT: &[&str] = &[
    "log",
    "show",
    "status",
    "diff",
    "rev-parse",
    "ls-files",
    "ls-tree",
    "cat-file",
    "for-each-ref",
    "show-ref",
    "ls-remote",
    "fetch",
    "blame",
    "grep",
    "rev-list",
    "describe",
    "help",
    "version",
];

/// The reason for which it may not; `None` where nothing stands against it.
#[must_use]
pub fn judge(event: &Event, places: &Places) -> Option<String> {
    if event.only_reads {
        return None;
    }
    let named = event.paths.iter().chain(&event.words);
    if let Some(reason) = named.filter_map(|text| denied(text, places)).next() {
        return Some(reason);
    }
    event.commands.iter().flat_map(|text| shell::simple(text)).find_map(|one| command(&one, places))
}

fn denied(text: &str, places: &Places) -> Option<String> {
    let what = places.protected(&places.resolve(text)?)?;
    let shown: String = text.chars().take(200).flat_map(char::escape_debug).collect();
    Some(format!("`{shown}` belongs to {what}, which agents do not change; ask a person to do it"))
}

fn command(one: &Simple, places: &Places) -> Option<String> {
    if let Some(reason) = said(one) {
        return Some(reason);
    }
    let looks = match one.program() {
        "git" => LOOKING_AT_GIT.contains(&one.verb()),
        // Only with these does it more than look.
        "find" => !one.words.iter().any(|word| {
            word.starts_with("-exec") || word.starts_with("-ok") || word == "-delete" || word.starts_with("-fprint")
        }),
        "grace-rules" => true,
        program => LOOKING.contains(&program),
    };
    if looks && !one.writes {
        return None;
    }
    if one.words.iter().any(|word| word.contains("refs/grace")) {
        return Some(
            "refs/grace holds what people signed, which agents do not change; ask a person to do it".to_owned(),
        );
    }
    let named = one.words.iter().filter(|word| !word.starts_with("--exclude"));
    let whole = one.program() == "git";
    named.flat_map(|word| spellings(word, whole)).find_map(|text| denied(text, places))
}

/// What of a word may be a path: the whole, what an option or an assignment gives, and unless only `whole` words count, what a
/// program written as a word names.
fn spellings(word: &str, whole: bool) -> impl Iterator<Item = &str> {
    let given = word.split_once('=').map(|(_, given)| given);
    // Options without `=` are no paths, and `-` alone is standard input.
    let outright = [Some(word).filter(|word| !word.starts_with('-')), given].into_iter().flatten();
    let parts = word.split([' ', '\t', '\n', '\'', '"', '(', ')', ',', ';', '{', '}', '[', ']']);
    outright.chain(parts.filter(move |part| !whole && part.len() < word.len() && !part.starts_with('-')))
}

/// What agents do not say: agreement in the name of people, and that hooks are to be left out.
fn said(one: &Simple) -> Option<String> {
    let has = |wanted: &str| one.words.iter().skip(1).any(|word| word == wanted);
    // `xargs` and `timeout` have the program further behind.
    let runs = |program: &str| {
        one.words
            .iter()
            .any(|word| word.rsplit(['/', '\\']).next().is_some_and(|name| name.trim_end_matches(".exe") == program))
    };
    if runs("grace-rules") {
        let signs = ["approve", "revoke", "deny", "resume"].into_iter().any(has) || has("audit") && has("review");
        return signs
            .then(|| "agents do not sign: approvals, denials, reviews and resumptions are said by people".to_owned());
    }
    if runs("git") {
        let verify = has("--no-verify") || (has("commit") && one.words.iter().any(|word| is_no_verify(word)));
        let hooks = one.words.iter().any(|word| word.to_ascii_lowercase().contains("core.hookspath"));
        return (verify || hooks).then(|| "hooks of git are not left out; mend what they say".to_owned());
    }
    None
}

/// `-n`, also among other letters, as `git commit` reads it; what follows `m` is the message.
fn is_no_verify(word: &str) -> bool {
    let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.starts_with('-')) else { return false };
    letters
        .chars()
        .take_while(|letter| !matches!(letter, 'm' | 'F' | 'C' | 'c' | 't' | 'S' | 'u'))
        .any(|letter| letter == 'n')
}

#[cfg(test)]
mod tests {
    use grace_system::files;

    use super::*;
    use crate::agent::Agent;
    use crate::event::parse;

    fn judged(command: &str) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        files::create_dirs(&dir.path().join(".git/grace")).unwrap();
        let event = serde_json::json!({
            "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": command, "description": ".git/x"},
        });
        let event = parse(Agent::ClaudeCode, None, event.to_string().as_bytes()).unwrap();
        judge(&event, &Places::find(dir.path()))
    }

    #[test]
    fn a_shell_does_not_change_what_is_not_for_agents() {
        for command in [
            "rm -rf .git",
            "rm -rf .git/grace",
            "cd src; echo x > ../.git/grace/halt",
            "cat a > .git/grace/halt",
            "cp key.pub grace/allowed_signers",
            "sed -i s/a/b/ grace/allowed_signers",
            "dd if=x of=.git/grace/ledger/tile",
            "python3 -c \"open('.git/grace/halt','w')\"",
            "bash -c 'rm .git/grace/halt'",
            "find .git/grace -delete",
            "git push origin :refs/grace/halts/x",
            "git update-ref -d refs/grace/approvals/x",
            "git commit --no-verify -m x",
            "git commit -anm x",
            "git -c core.hooksPath=/dev/null commit -m x",
            "git push --no-verify",
            "grace-rules approve 3f --as governance",
            "target/debug/grace-rules audit resume --because x",
            "grace-rules audit --format json review --as peers --because x",
            "echo x | tee .claude/settings.json",
            "echo y > ~/.ssh/id_ed25519",
        ] {
            assert!(judged(command).is_some(), "{command}");
        }
    }

    #[test]
    fn what_is_the_agents_own_business_passes() {
        for command in [
            "cat .git/grace/halt",
            "ls -la .git | head",
            "grep -rn x . --exclude-dir=.git",
            "tar --exclude=.git -czf /tmp/x.tgz .",
            "find . -path ./.git -prune -o -name '*.py' -print",
            "git log --oneline refs/grace/halts/x",
            "git commit -m 'do not use --no-verify anywhere'",
            "git commit -am 'no'",
            "git status && git add -A && git commit -m x",
            "git push origin main",
            "git clone https://example.org/x.git",
            "grace-rules gate",
            "grace-rules run --base main",
            "grace-rules audit halt --because x",
            "pytest -q 2>&1 | tail -5",
            "echo .gitignore > notes.txt",
            "rm -rf build",
        ] {
            assert_eq!(judged(command), None, "{command}");
        }
    }

    #[test]
    fn readers_read() {
        let places = Places::find(std::path::Path::new("/"));
        let event = parse(
            Agent::ClaudeCode,
            None,
            br#"{"hook_event_name":"PreToolUse","tool_name":"Read","tool_input":{"file_path":"/r/.git/config"}}"#,
        )
        .unwrap();
        assert_eq!(judge(&event, &places), None);
        let event = parse(Agent::OpenHands, None, br#"{"event_type":"PreToolUse","tool_name":"file_editor","tool_input":{"command":"view","path":"/r/.git/config"}}"#).unwrap();
        assert_eq!(judge(&event, &places), None);
        let event = parse(Agent::OpenHands, None, br#"{"event_type":"PreToolUse","tool_name":"file_editor","tool_input":{"command":"create","path":"/r/.git/config","file_text":"x"}}"#).unwrap();
        assert!(judge(&event, &places).is_some());
    }
}
