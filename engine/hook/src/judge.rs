//! Whether an agent may do what it is about to do: what is not for agents is denied, with the reason.

use std::path::{Path, PathBuf};

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
    "pwd",
    "test",
    "[",
    "readlink",
    "realpath",
    "basename",
    "dirname",
    "true",
];

/// Words of a shell that go to a directory.
const GOING: &[&str] = &["cd", "pushd", "chdir"];

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
    "blame",
    "grep",
    "rev-list",
    "describe",
    "help",
    "version",
];

/// How many directories a text may go to.
const MOST_DIRECTORIES: usize = 16;

/// The reason for which it may not; `None` where nothing stands against it.
#[must_use]
pub fn judge(event: &Event, places: &Places) -> Option<String> {
    if event.only_reads {
        return None;
    }
    let named = event.paths.iter().chain(&event.words);
    if let Some(reason) = named.filter_map(|text| denied(text, places, &places.directory)).next() {
        return Some(reason);
    }
    event.commands.iter().find_map(|text| script(text, places))
}

/// A shell's text. Each of its commands may stand in each directory that was gone to before it: which of them it is hangs on
/// subshells, and on what fails.
fn script(text: &str, places: &Places) -> Option<String> {
    let mut directories = vec![places.directory.clone()];
    for one in shell::simple(text) {
        if let Some(reason) = command(&one, places, &directories) {
            return Some(reason);
        }
        if !GOING.contains(&one.program()) {
            continue;
        }
        let to = one.words.iter().skip(1).find(|word| !word.starts_with('-')).map_or("~", String::as_str);
        // From the last, and from the first: in a subshell the last was gone to for a while.
        let from = [directories.first(), directories.last()];
        let found: Vec<PathBuf> = from.into_iter().flatten().filter_map(|from| places.resolve_from(from, to)).collect();
        for directory in found {
            if !directories.contains(&directory) {
                directories.push(directory);
            }
        }
        if directories.len() > MOST_DIRECTORIES {
            return Some("this goes to too many directories to be read; say it in several commands".to_owned());
        }
    }
    None
}

fn denied(text: &str, places: &Places, from: &Path) -> Option<String> {
    let what = places.protected(&places.resolve_from(from, text)?)?;
    let shown: String = text.chars().take(200).flat_map(char::escape_debug).collect();
    Some(format!("`{shown}` belongs to {what}, which agents do not change; ask a person to do it"))
}

fn command(one: &Simple, places: &Places, directories: &[PathBuf]) -> Option<String> {
    if let Some(reason) = said(one) {
        return Some(reason);
    }
    let is_git = one.program() == "git";
    let looks = match one.program() {
        "git" => looks_at_git(one),
        // Only with these does it more than look.
        "find" => !one.words.iter().any(|word| {
            word == "-delete" || ["-exec", "-ok", "-fprint", "-fls"].iter().any(|option| word.starts_with(option))
        }),
        "grace-rules" => true,
        program => LOOKING.contains(&program),
    };
    if looks && !one.writes {
        return None;
    }
    if one.words.iter().any(|word| word.contains("refs/grace")) || is_git && one.words.iter().any(|word| spans(word)) {
        return Some(
            "refs/grace holds what people signed, which agents do not change; ask a person to do it".to_owned(),
        );
    }
    // `make -C DIR` and others go there themselves.
    let gone = one.words.windows(2).filter(|pair| pair[0] == "-C").map(|pair| pair[1].as_str());
    let gone = gone.chain(one.words.iter().filter_map(|word| word.strip_prefix("--directory="))).take(MOST_DIRECTORIES);
    let gone: Vec<PathBuf> =
        gone.flat_map(|to| directories.iter().filter_map(|from| places.resolve_from(from, to))).collect();
    // What goes to a directory is no file there.
    let skipped = usize::from(GOING.contains(&one.program()));
    let named = one.words.iter().skip(skipped).filter(|word| !word.starts_with("--exclude"));
    let mut named = named.flat_map(|word| spellings(word, is_git));
    named.find_map(|text| directories.iter().chain(&gone).find_map(|from| denied(text, places, from)))
}

/// Whether a command of git changes nothing that is not for agents.
fn looks_at_git(one: &Simple) -> bool {
    // As git reads it: long options may be cut short.
    let has = |option: &str| {
        one.words.iter().any(|word| {
            let name = word.split('=').next().unwrap_or_default();
            name.len() > 2 && option.starts_with(name)
        })
    };
    if one.verb() != "fetch" {
        return LOOKING_AT_GIT.contains(&one.verb()) && !has("--output");
    }
    // References that are there already are then changed or deleted.
    let letters = |word: &String| {
        word.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-') && rest.contains(['f', 'p', 'P']))
    };
    let forces = |word: &String| word.split('=').any(|part| part.starts_with('+'));
    !(has("--force")
        || has("--prune")
        || has("--prune-tags")
        || one.words.iter().any(|word| letters(word) || forces(word)))
}

/// Whether what git is given to map references stands for those of grace-rules, too: `refs/*`.
fn spans(word: &str) -> bool {
    let parts = word.split([':', '=', '+']).filter_map(|part| part.split_once('*'));
    parts.map(|(before, _)| before).any(|before| before.starts_with("refs/") && "refs/grace/".starts_with(before))
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
            "cd .git && rm -rf grace",
            "pushd .git; rm -rf grace",
            "(cd src; ls); cd grace && cp k allowed_signers",
            "cd src && cd ../.claude && rm settings.json",
            "cd src; cd grace; echo x > allowed_signers",
            "bash -c 'cd grace && cp k allowed_signers'",
            "make -C grace allowed_signers",
            "cd a; cd b; cd c; cd d; cd e; cd f; cd g; cd h; cd i; cd j; cd k; ls",
            "git fetch -p origin '+refs/grace/*:refs/grace/*'",
            "git fetch origin +refs/grace/halts/x:refs/grace/halts/x",
            "git fetch --pru origin 'refs/grace/*:refs/grace/*'",
            "git fetch -qf origin 'refs/grace/*:refs/grace/*'",
            "git fetch --prune origin 'refs/*:refs/*'",
            "git fetch --refmap='+refs/gr*:refs/gr*' origin",
            "git diff --output=.git/grace/halt",
            "git log -1 --outp .git/grace/halt",
            "git show --output=grace/allowed_signers HEAD:k",
            "find . -fls .git/grace/halt",
            "find . -fprint .git/grace/halt",
            "find .git -exec rm {} +",
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
            "git fetch origin",
            "git fetch -p origin",
            "git fetch --prune origin '+refs/heads/*:refs/remotes/origin/*'",
            "git fetch origin 'refs/grace/*:refs/grace/*'",
            "git diff --output=/tmp/x.diff",
            "cd src && python3 -m pytest -q && cd .. && git status",
            "cd grace && cp rules.grace old.grace",
            "cd && ls",
            "cd - && rm x",
            "make -C docs html",
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
