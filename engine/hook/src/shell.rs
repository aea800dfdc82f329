//! A shell's command, read roughly: into simple commands and their words.
//!
//! A shell has endless ways to spell a path; this reads those that people and agents write. What must hold against somebody
//! who hides a path is held elsewhere: by signatures, and by the gate where the agent has no shell.

/// One simple command: its words, and whether it writes by a redirection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Simple {
    /// Words without quotes. Assignments and wrappers (`sudo`, `env`) that stand before the program are left out.
    pub words: Vec<String>,
    /// It has a redirection that writes.
    pub writes: bool,
}

impl Simple {
    /// The program's own name, without its directory or ending.
    #[must_use]
    pub fn program(&self) -> &str {
        let word = self.words.first().map_or("", String::as_str);
        let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
        name.strip_suffix(".exe").unwrap_or(name)
    }

    /// The first word after the program that is no option.
    #[must_use]
    pub fn verb(&self) -> &str {
        let mut words = self.words.iter().skip(1);
        while let Some(word) = words.next() {
            // Options of git that take the next word.
            if matches!(word.as_str(), "-C" | "-c" | "--git-dir" | "--work-tree") {
                words.next();
            } else if !word.starts_with('-') {
                return word;
            }
        }
        ""
    }

    fn push(&mut self, word: &mut String) {
        if word.is_empty() {
            return;
        }
        let word = std::mem::take(word);
        let before = self.words.is_empty()
            && (is_assignment(&word)
                || matches!(
                    word.as_str(),
                    "sudo" | "env" | "command" | "exec" | "nohup" | "time" | "builtin" | "!" | "{"
                ));
        if !before {
            self.words.push(word);
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// How many shells in shells are read.
const DEEPEST: usize = 4;

/// Programs that run the text that they are given.
const SHELLS: &[&str] = &["sh", "bash", "zsh", "dash", "ksh", "fish", "eval", "xargs", "timeout", "nice", "watch"];

/// The simple commands of a text, in order; after each those of what it gives another shell, and of substitutions in it.
#[must_use]
pub fn simple(text: &str) -> Vec<Simple> {
    let mut all = Vec::new();
    read(text, 0, &mut all);
    all
}

fn read(text: &str, depth: usize, all: &mut Vec<Simple>) {
    let mut now = Simple::default();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.chars().peekable();
    let mut end = |now: &mut Simple, word: &mut String| {
        now.push(word);
        let one = std::mem::take(now);
        if one.words.is_empty() {
            return;
        }
        let inner: Vec<String> = if depth < DEEPEST {
            let is_shell = SHELLS.contains(&one.program());
            let runs = |word: &&String| {
                is_shell && word.contains([' ', ';', '|', '&']) || word.contains("$(") || word.contains('`')
            };
            one.words.iter().filter(runs).map(|word| word.replace("$(", ";").replace(['`', ')'], ";")).collect()
        } else {
            Vec::new()
        };
        all.push(one);
        for text in inner {
            read(&text, depth + 1, all);
        }
    };
    while let Some(char) = chars.next() {
        match (quote, char) {
            (Some(open), close) if open == close => quote = None,
            (Some('"') | None, '\\') => word.extend(chars.next()),
            (Some(_), other) => word.push(other),
            (None, '\'' | '"') => quote = Some(char),
            (None, ';' | '|' | '&' | '\n' | '`' | '(' | ')') => end(&mut now, &mut word),
            (None, '>') => {
                now.push(&mut word);
                now.writes = true;
                // `2>&1` writes nothing of its own.
                if chars.peek() == Some(&'&') {
                    chars.next();
                }
            }
            (None, '<' | ' ' | '\t' | '\r') => now.push(&mut word),
            // `$(` begins a command; a variable stays in its word.
            (None, '$') if chars.peek() == Some(&'(') => {}
            (None, other) => word.push(other),
        }
    }
    end(&mut now, &mut word);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let shown = |one: Simple| format!("{}{}", one.words.join(" "), if one.writes { " >" } else { "" });
        simple(text).into_iter().map(shown).collect()
    }

    #[test]
    fn a_text_is_its_simple_commands() {
        assert_eq!(words("cd a && FOO=1 sudo rm -rf '.git/grace' | tee x"), ["cd a", "rm -rf .git/grace", "tee x"]);
        assert_eq!(words("cat > a.txt <<EOF"), ["cat a.txt EOF >"]);
        assert_eq!(words("echo $(git commit -n)"), ["echo", "git commit -n"]);
        assert_eq!(words("echo \"$(rm x)\""), ["echo $(rm x)", "rm x"]);
        assert_eq!(words("bash -lc \"rm x; ls\""), ["bash -lc rm x; ls", "rm x", "ls"]);
        assert_eq!(words("git commit -m 'a; b'"), ["git commit -m a; b"]);
        assert_eq!(words("rm .gi\\t/x"), ["rm .git/x"]);
        assert_eq!(words(""), Vec::<String>::new());
    }

    #[test]
    fn programs_and_verbs_are_found_behind_options() {
        let one = |text: &str| simple(text).remove(0);
        assert_eq!(one("/usr/bin/git -C x --no-pager commit -n").verb(), "commit");
        assert_eq!(one("/usr/bin/git status").program(), "git");
        assert_eq!(one("git").verb(), "");
    }
}
