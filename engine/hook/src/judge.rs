//! Whether an agent may do what it is about to do: what is not for agents is denied, with the reason.

use std::path::{Path, PathBuf};

use crate::event::Event;
use crate::git;
use crate::looks::{self, looks};
use crate::places::Places;
use crate::shell::{self, Simple};

/// Programs that take away what they are given, and everything in it.
const TAKING: &[&str] = &["rm", "rmdir", "unlink", "shred", "mv", "trash"];

/// Programs that lay what they are given into the directory that stands last.
const LAYING: &[&str] = &["mv", "cp", "ln", "install", "rsync"];

/// Programs that start another one that they are given.
const STARTING: &[&str] =
    &["git", "xargs", "timeout", "nice", "ionice", "setsid", "doas", "busybox", "stdbuf", "watch"];

/// Words of a shell that go to a directory.
const GOING: &[&str] = &["cd", "pushd", "chdir"];

/// How many words are read of a text: each is looked up on the disk.
const MOST_WORDS: usize = 20_000;

/// How many variables are followed.
const MOST_VARIABLES: usize = 32;

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
    if event.takes {
        let whole = event.paths.iter().filter_map(|text| places.resolve(text)).find_map(|path| held(&path, places));
        if whole.is_some() {
            return whole;
        }
    }
    event.commands.iter().find_map(|text| script(text, places))
}

/// What is in a directory that is taken away.
fn held(path: &Path, places: &Places) -> Option<String> {
    let what = places.within(path)?;
    let shown: String = path.display().to_string().chars().take(200).flat_map(char::escape_debug).collect();
    Some(format!("`{shown}` holds {what}, which agents do not change; name what you mean, or ask a person to do it"))
}

/// A shell's text. Each of its commands may stand in each directory that was gone to before it: which of them it is hangs on
/// subshells, and on what fails.
fn script(text: &str, places: &Places) -> Option<String> {
    let mut directories = vec![places.directory.clone()];
    let mut known = Vec::new();
    let mut left = MOST_WORDS;
    for mut one in shell::simple(text) {
        let Some(rest) = left.checked_sub(one.words.len() + one.targets.len() + one.assigned.len()) else {
            return Some("this has too many words to be read; say it in several commands, or in a file".to_owned());
        };
        left = rest;
        one.expand(&known);
        known.extend(one.sets().take(MOST_VARIABLES.saturating_sub(known.len())));
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
    let what = places.named_by(from, text).iter().find_map(|path| places.protected(path));
    let what = what.or_else(|| places.protected(&places.resolve_from(from, text)?))?;
    let shown: String = text.chars().take(200).flat_map(char::escape_debug).collect();
    Some(format!("`{shown}` belongs to {what}, which agents do not change; ask a person to do it"))
}

fn command(one: &Simple, places: &Places, directories: &[PathBuf]) -> Option<String> {
    if let Some(reason) = said(one) {
        return Some(reason.to_owned());
    }
    let is_git = one.program() == "git";
    let written = |texts: &[String]| {
        let from = |text: &String| directories.iter().find_map(|from| denied(text, places, from));
        texts.iter().find_map(from)
    };
    if looks(one) {
        return written(&one.targets);
    }
    if one.words.iter().any(|word| word.contains("refs/grace") || is_git && git::spans(word)) {
        return Some(
            "refs/grace holds what people signed, which agents do not change; ask a person to do it".to_owned(),
        );
    }
    // `make -C DIR` and others go there themselves.
    let gone = one.words.windows(2).filter(|pair| pair[0] == "-C").map(|pair| pair[1].as_str());
    let gone = gone.chain(one.words.iter().filter_map(|word| word.strip_prefix("--directory="))).take(MOST_DIRECTORIES);
    let gone: Vec<PathBuf> =
        gone.flat_map(|to| directories.iter().filter_map(|from| places.resolve_from(from, to))).collect();
    let from: Vec<&Path> = directories.iter().chain(&gone).map(PathBuf::as_path).collect();
    let skipped = match one.program() {
        // All but the last is only read.
        "cp" if !one.words.iter().any(|word| word == "-t") => one.words.len() - 1,
        // What goes to a directory is no file there.
        program => usize::from(GOING.contains(&program)),
    };
    let named = one.words.iter().skip(skipped).filter(|word| !word.starts_with("--exclude"));
    let is_sed = one.program() == "sed";
    let mut named =
        named.flat_map(|word| spellings(word, is_git).chain(looks::written_by_script(word).filter(|_| is_sed)));
    let named = named.find_map(|text| from.iter().find_map(|from| denied(text, places, from)));
    named.or_else(|| written(&one.targets)).or_else(|| moved(one, places, &from))
}

/// What takes away, moves or lays over a directory does so to what is in it, which the command does not name.
fn moved(one: &Simple, places: &Places, from: &[&Path]) -> Option<String> {
    // `sudo`, `xargs`, `timeout` and `git` have the program further behind.
    let is_first = |at: usize| at == 0 || STARTING.contains(&one.program()) || one.words[0].starts_with('-');
    let mut programs = one.words.iter().enumerate().map(|(at, word)| (at, shell::name(word)));
    let (at, program) =
        programs.find(|(at, name)| is_first(*at) && (TAKING.contains(name) || LAYING.contains(name)))?;
    let words: Vec<&str> =
        one.words.iter().skip(at + 1).map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let resolved = |text: &str| -> Vec<PathBuf> {
        from.iter().take(MOST_DIRECTORIES).flat_map(|from| places.named_by(from, text)).collect()
    };
    if TAKING.contains(&program) {
        let taken = if program == "mv" { &words[..words.len().saturating_sub(1)] } else { &words };
        if let Some(reason) = taken.iter().flat_map(|text| resolved(text)).find_map(|path| held(&path, places)) {
            return Some(reason);
        }
    }
    if !LAYING.contains(&program) {
        return None;
    }
    // `cp a b DIR`, `cp -t DIR a b`.
    let target = one.words.iter().find_map(|word| word.strip_prefix("--target-directory="));
    let (laid, to) = match (target, words.as_slice()) {
        (Some(to), laid) => (laid, to),
        (None, [laid @ .., to]) => (laid, *to),
        (None, []) => return None,
    };
    let is_first = one.words.iter().any(|word| word == "-t");
    let (laid, to) = if is_first { (words.as_slice(), *words.first()?) } else { (laid, to) };
    if let Some(what) = resolved(to).iter().find_map(|to| places.becomes(to)) {
        return Some(format!("`{to}` would be where {what} are, which agents do not change; ask a person to do it"));
    }
    laid.iter().filter(|text| **text != to).find_map(|text| {
        let name = text.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty())?;
        resolved(to).into_iter().find_map(|to| {
            let onto = places.resolve_from(&to, name)?;
            let what = places.protected(&onto).filter(|_| name != "." && name != "..");
            let what = what.map(|what| {
                format!("`{name}` there belongs to {what}, which agents do not change; ask a person to do it")
            });
            what.or_else(|| if name == "." { None } else { held(&onto, places) })
        })
    })
}

/// What of a word may be a path: the whole, what an option or an assignment gives, and unless only `whole` words count, what a
/// program written as a word names.
fn spellings(word: &str, whole: bool) -> impl Iterator<Item = &str> {
    let given = word.split_once('=').map(|(_, given)| given);
    // Long options without `=` are no paths, and `-` alone is standard input.
    let outright = [Some(word).filter(|word| !word.starts_with('-')), given].into_iter().flatten();
    // `-oFILE`, `-uoFILE`.
    let bundle = Some(word).filter(|word| !whole && word.starts_with('-') && !word.starts_with("--"));
    let joined = bundle.into_iter().flat_map(|word| (2..=4).filter_map(|at| word.get(at..)));
    let outright = outright.chain(joined.filter(|rest| !rest.is_empty()));
    let parts = word.split([' ', '\t', '\n', '\'', '"', '(', ')', ',', ';', '{', '}', '[', ']']);
    outright.chain(parts.filter(move |part| !whole && part.len() < word.len() && !part.starts_with('-')))
}

/// What agents do not say: agreement in the name of people, and that hooks are to be left out.
fn said(one: &Simple) -> Option<&'static str> {
    let has = |wanted: &str| one.words.iter().skip(1).any(|word| word == wanted);
    // `xargs` and `timeout` have the program further behind.
    let runs = |program: &str| one.words.iter().any(|word| shell::name(word) == program);
    if runs("grace-rules") {
        let of_noun = |noun: &str, verb: &str| has(noun) && has(verb);
        let signs = ["approve", "revoke", "deny", "resume"].into_iter().any(has);
        let signs = signs || of_noun("audit", "review") || of_noun("drift", "lift");
        if signs {
            return Some("agents do not sign: approvals, denials, reviews and resumptions are said by people");
        }
        return of_noun("audit", "redact").then_some("agents delete nothing that people said: a person does");
    }
    if runs("git") {
        return git::refused(one, one.program() != "git");
    }
    None
}

#[cfg(test)]
mod tests {
    use grace_system::files;

    use super::*;
    use crate::agent::Agent;
    use crate::event::parse;

    /// A repository with rules, and a hook of an agent.
    fn judged(command: &str) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        for path in [".git/grace", "grace", ".claude", ".github/workflows", "src", "node_modules"] {
            files::create_dirs(&dir.path().join(path)).unwrap();
        }
        for path in ["grace/allowed_signers", "grace/rules.grace", ".claude/settings.json", "src/a.py"] {
            files::create_new(&dir.path().join(path), b"x").unwrap();
        }
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
            "grace-rules audit redact 184 --because x",
            "grace-rules audit --format json review --as peers --because x",
            "grace-rules drift lift 3fa2c1d09b7e --because x",
            "echo x | tee .claude/settings.json",
            "echo y > ~/.ssh/id_ed25519",
            // Directories that hold it, and what is laid into them.
            "cp x grace/allowed_signers",
            "cp /tmp/allowed_signers grace",
            "cp /tmp/allowed_signers grace/",
            "cp -t grace /tmp/allowed_signers",
            "cp --target-directory=grace /tmp/allowed_signers",
            "cp -r /tmp/x/grace .",
            "mv x grace/allowed_signers",
            "mv grace /tmp/old",
            "mv /tmp/settings.json .claude",
            "ln -s /tmp/other .codex",
            "mv /tmp/other .cursor",
            "cp -r /tmp/other ./.openhands/",
            "install -m 644 /tmp/allowed_signers grace/",
            "rm -rf .claude",
            "rm -rf ./.claude/",
            "rm -r grace && git status",
            "sudo -n rm -rf grace",
            "ls | xargs rm -rf grace",
            "timeout 5 rm -rf .claude",
            "git rm -r grace",
            "git mv grace old",
            "cd .. && rm -rf \"$OLDPWD\"/x; cd - ; rm -rf .claude",
            "rm -rf .",
            "rm -rf *",
            "rm -rf .cl*",
            "rm grace/*signers",
            "rm -f gr?ce/allowed_sign[e]rs",
            "sed -i s/a/b/ .claude/*.json",
            "tee .claude/settings.json < x",
            "> grace/allowed_signers",
            "cat x >> grace/allowed_signers",
            "cat x >| grace/allowed_signers",
            "cat > .claude/settings.json <<'EOF'\n{}\nEOF",
            "python3 - <<'EOF'\nopen('.git/grace/halt', 'w')\nEOF",
            "sed -n 'w grace/allowed_signers' x",
            "sort x -o grace/allowed_signers",
            // Options among others, and scripts that write.
            "sed -Eni s/a/b/ grace/allowed_signers",
            "sed -zi s/a/b/ grace/allowed_signers",
            "sed -n 'wgrace/allowed_signers' x",
            "sed '1e rm -rf .git/grace' x",
            "sed '1e rm -rf .git/grace' grace/rules.grace",
            "awk --include inplace '{print}' grace/allowed_signers",
            "sort -uo grace/allowed_signers x",
            "sort -uograce/allowed_signers x",
            "cc -ograce/allowed_signers x.c",
            "tree -ao grace/allowed_signers",
            "less -No.git/grace/halt x",
            "grace-rules drift status --html grace/allowed_signers",
            "grace-rules drift status --html=.claude/settings.json",
            "grace-rules store export --to .git/grace",
            "grace-rules audit export -o.git/grace/halt",
            "X=grace/allowed_signers; rm $X",
            "export D=.git/grace && rm -rf \"${D}/ledger\"",
            // What git does in passing.
            "git push --mirror",
            "git push --mirror origin",
            "git push --mirr origin",
            "git push --force origin main",
            "git push -f origin HEAD:main",
            "git push origin +feature:refs/heads/master",
            "git push origin :main",
            "git push origin --delete main",
            "git -c core.pager='sh -c x' log",
            "git -c core.fsmonitor=./x status",
            "git -c alias.x='!rm -rf /tmp/x' x",
            "git -c core.sshCommand='sh x' fetch",
            "git -c diff.external=./x diff",
            "git --config-env=core.pager=X log",
            "git -c remote.origin.mirror=true push",
            "git config core.pager './x'",
            "git config --global alias.st '!sh x'",
            "git config core.hooksPath /dev/null",
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/dev/null git commit -m x",
            "GIT_PAGER='rm -rf .git/grace' git log",
            "git rebase -x 'rm -rf .git/grace' main",
            "git grep -O'rm x' foo .git/grace/halt",
            "git update-ref --stdin < x",
            "timeout 9 git push --mirror",
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
    fn ordinary_commands_pass() {
        for command in [
            "ls -la",
            "ls grace .claude",
            "cat grace/allowed_signers",
            "cat .claude/settings.json | jq .hooks",
            "sed -n 1,40p .claude/settings.json",
            "head -5 grace/allowed_signers > /tmp/x",
            "grep -rn allowed_signers docs grace",
            "rg settings.json .claude",
            "awk '{print $1}' grace/allowed_signers",
            "awk -F: 'NR == 1 {print $2}' .claude/settings.json",
            "sed -ne '/hooks/,/]/p' .claude/settings.json",
            "sed 's/who/we/g; /^#/d' grace/allowed_signers",
            "sort -t' ' -k2,2 -u grace/allowed_signers",
            "gcc -O2 -Wall -Isrc -osrc/a src/a.c",
            "grace-rules --format json explain why grace/allowed_signers",
            "grace-rules drift status --html /tmp/status.html",
            "sort grace/allowed_signers | uniq -c",
            "git diff HEAD~3 -- grace/allowed_signers",
            "git show HEAD:grace/allowed_signers",
            "git log -p -- .claude/settings.json",
            "git blame grace/allowed_signers",
            "git add -A",
            "git add .",
            "git add .claude/settings.json grace",
            "git commit -m \"$(cat <<'EOF'\nhook: say why\n\nDon't touch .git/grace (see docs), rm -rf .git is bad\nEOF\n)\"",
            "git commit -am \"mend .git/hooks in docs\"",
            "git commit --amend --no-edit",
            "git push",
            "git push -u origin feature",
            "git push --force-with-lease origin feature",
            "git push -f origin my-main",
            "git push origin main",
            "git pull --rebase origin main",
            "git rebase main",
            "git rebase -i HEAD~3",
            "GIT_EDITOR=true git rebase --continue",
            "git -c core.editor=true rebase --continue",
            "git -c core.pager=cat log -3",
            "git -c user.name=x -c user.email=y commit -m z",
            "GIT_PAGER=cat git diff",
            "git --no-pager log --oneline -20",
            "git config user.name x",
            "git config --get core.hooksPath",
            "git config --list",
            "git config core.pager cat",
            "git switch -c feature",
            "git checkout -- src/a.py",
            "git restore .",
            "git stash && git stash pop",
            "git clean -fd src",
            "git rm src/a.py",
            "git mv src/a.py src/b.py",
            "git worktree add ../x feature",
            "git bisect run python3 -m pytest -q",
            "git fetch --all",
            "git cherry-pick abc123",
            "git clone https://example.org/x.git /tmp/x && rm -rf /tmp/x",
            "rm -rf node_modules target dist",
            "rm -rf src/*.pyc src/__pycache__",
            "rm -f *.log",
            "mv src/a.py src/b.py",
            "mv old.grace grace/",
            "cp src/a.py grace/a.py",
            "cp -r src /tmp/copy",
            "cp -r . /tmp/copy",
            "cp grace/allowed_signers /tmp/",
            "cp grace/rules.grace /tmp/x.grace",
            "ln -s ../src src/link",
            "mkdir -p grace/fingerprints .github/workflows",
            "touch src/b.py grace/more.grace",
            "chmod +x src/a.py",
            "find . -name '*.py' -exec grep -l x {} +",
            "find . -name '*.pyc' -delete",
            "python3 -m pytest -q tests",
            "python3 -c \"print('hello')\"",
            "python3 - <<'EOF'\nprint(open('src/a.py').read())\nEOF",
            "cat > src/b.py <<'EOF'\nPATH = '.git/grace'\nEOF",
            "cat >> notes.md <<EOF\nthe settings are in .claude/settings.json\nEOF",
            "echo 'see .git/config' >> notes.md",
            "echo x > grace/rules.grace",
            "pip install -e .",
            "ruff check . --fix",
            "npx prettier --write .",
            "npx prettier --write \"**/*.json\"",
            "npm run build && npm test",
            "cargo test --workspace 2>&1 | tail -20",
            "cargo fmt --all",
            "make -j4 test",
            "docker build -t x .",
            "docker run --rm -v $PWD:/work x",
            "curl -s https://example.org | head",
            "tar czf /tmp/x.tgz .",
            "X=src/a.py; rm $X",
            "for f in src/*.py; do sed -i s/a/b/ $f; done",
            "while read x; do echo $x; done < src/a.py",
            "if [ -f .claude/settings.json ]; then echo yes; fi",
            "ps aux | grep python",
            "env | sort",
            "date && uptime",
            "grace-rules plan --worktree",
            "grace-rules cost .claude/settings.json",
            "grace-rules explain why grace/allowed_signers",
            "grace-rules run --worktree && grace-rules gate --worktree",
        ] {
            assert_eq!(judged(command), None, "{command}");
        }
    }

    #[test]
    fn a_text_without_end_is_denied_soon() {
        for text in ["x ".repeat(1 << 20), "A=$A$A;".repeat(1 << 16), "$(".repeat(1 << 18), "<<a ".repeat(1 << 16)] {
            let _an_end = judged(&text);
        }
        assert!(judged(&"x ".repeat(1 << 16)).is_some());
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
