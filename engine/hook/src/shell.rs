//! A shell's command, read roughly: into simple commands and their words.
//!
//! A shell has endless ways to spell a path; this reads those that people and agents write. What must hold against somebody
//! who hides a path is held elsewhere: by signatures, and by the gate where the agent has no shell.

use std::iter::Peekable;
use std::str::Chars;

/// One simple command: its words, and whether it writes by a redirection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Simple {
    /// Words without quotes. Assignments and wrappers (`sudo`, `env`) that stand before the program are left out.
    pub words: Vec<String>,
    /// Assignments that stand before the program: `NAME=VALUE`.
    pub assigned: Vec<String>,
    /// Files that a redirection writes. They are no words.
    pub targets: Vec<String>,
    /// The next word is one of these.
    redirects: bool,
}

impl Simple {
    /// The program's own name, without its directory or ending.
    #[must_use]
    pub fn program(&self) -> &str {
        name(self.words.first().map_or("", String::as_str))
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

    /// Variables that it sets for what comes after it: name and value.
    pub(crate) fn sets(&self) -> impl Iterator<Item = (String, String)> {
        let alone = self.assigned.iter().filter(|_| self.words.is_empty());
        let declares = ["export", "local", "declare", "readonly"].contains(&self.program());
        let declared = self.words.iter().skip(1).filter(move |word| declares && is_assignment(word));
        let both = alone.chain(declared).filter_map(|word| word.split_once('='));
        both.map(|(name, value)| (name.to_owned(), value.to_owned()))
    }

    /// Puts what variables are known to hold in their place.
    pub(crate) fn expand(&mut self, known: &[(String, String)]) {
        for word in self.words.iter_mut().chain(&mut self.targets).chain(&mut self.assigned) {
            for (name, value) in known {
                if word.contains('$') && word.len() + value.len() < LONGEST {
                    // The longer form first; `$X` is not the beginning of `$XY`.
                    *word = word.replacen(&format!("${{{name}}}"), value, MOST_TIMES);
                    let plain = format!("${name}");
                    let ends = |rest: &str| !rest.starts_with(|char: char| char.is_ascii_alphanumeric() || char == '_');
                    if let Some(at) = word.find(&plain).filter(|at| ends(&word[at + plain.len()..])) {
                        word.replace_range(at..at + plain.len(), value);
                    }
                }
            }
        }
    }

    fn push(&mut self, word: &mut String) {
        if word.is_empty() {
            return;
        }
        let word = std::mem::take(word);
        if std::mem::take(&mut self.redirects) {
            self.targets.push(word);
            return;
        }
        let before = self.words.is_empty()
            && (is_assignment(&word)
                || matches!(
                    word.as_str(),
                    "sudo"
                        | "env"
                        | "command"
                        | "exec"
                        | "nohup"
                        | "time"
                        | "builtin"
                        | "!"
                        | "{"
                        | "if"
                        | "then"
                        | "else"
                        | "elif"
                        | "while"
                        | "until"
                        | "do"
                ));
        if !before {
            self.words.push(word);
        } else if word.contains('=') {
            self.assigned.push(word);
        }
    }
}

/// The name of the program that a word gives.
pub(crate) fn name(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    name.strip_suffix(".exe").unwrap_or(name)
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Longer words are left as they are written.
const LONGEST: usize = 4096;

/// How often a variable is put into one word.
const MOST_TIMES: usize = 4;

/// How many shells in shells are read.
const DEEPEST: usize = 4;

/// Programs that run the text that they are given.
const SHELLS: &[&str] = &["sh", "bash", "zsh", "dash", "ksh", "fish", "eval", "xargs", "timeout", "nice", "watch"];

/// Verbs of git that do.
const RUNNING_VERBS: &[&str] = &["rebase", "bisect", "submodule", "difftool", "mergetool", "filter-branch"];

/// Programs to which a text is a text: what stands in it is not run. To others it may be.
const TAKING_TEXT: &[&str] =
    &["cat", "tee", "git", "gh", "glab", "grep", "wc", "jq", "sed", "head", "tail", "sort", "diff"];

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
    let mut heres: Vec<Here> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match (quote, char) {
            (Some(open), close) if open == close => quote = None,
            (Some('"') | None, '\\') => word.extend(chars.next()),
            (Some(_), other) => word.push(other),
            (None, '\'' | '"') => quote = Some(char),
            (None, '\n') if !heres.is_empty() => {
                now.push(&mut word);
                let is_text = TAKING_TEXT.contains(&now.program());
                end(&mut now, &mut word, depth, all);
                for here in heres.drain(..) {
                    let text = here.take(&mut chars);
                    let substitutes = !here.is_quoted && (text.contains("$(") || text.contains('`'));
                    if depth < DEEPEST && (!is_text || substitutes) {
                        read(&substituted(&text), depth + 1, all);
                    }
                }
            }
            (None, ';' | '|' | '&' | '\n' | '`' | '(' | ')') => end(&mut now, &mut word, depth, all),
            (None, '>') => {
                // `2>` names what is written, which is no word.
                if word.bytes().all(|byte| byte.is_ascii_digit()) {
                    word.clear();
                }
                now.push(&mut word);
                now.redirects = true;
                // `2>&1` writes nothing of its own; `>>` adds, `>|` insists.
                while chars.next_if(|char| matches!(char, '&' | '>' | '|')).is_some() {}
            }
            (None, '<') => {
                now.push(&mut word);
                if chars.next_if_eq(&'<').is_some() && chars.next_if_eq(&'<').is_none() {
                    heres.push(Here::begun(&mut chars));
                }
            }
            (None, ' ' | '\t' | '\r') => now.push(&mut word),
            // `$(` begins a command; a variable stays in its word.
            (None, '$') if chars.peek() == Some(&'(') => {}
            (None, other) => word.push(other),
        }
    }
    end(&mut now, &mut word, depth, all);
}

/// Ends a simple command; what its words give another shell comes after it.
fn end(now: &mut Simple, word: &mut String, depth: usize, all: &mut Vec<Simple>) {
    now.push(word);
    let one = std::mem::take(now);
    if one.words.is_empty() && one.assigned.is_empty() && one.targets.is_empty() {
        return;
    }
    let is_shell = SHELLS.contains(&one.program()) || one.program() == "git" && RUNNING_VERBS.contains(&one.verb());
    let runs =
        |word: &&String| is_shell && word.contains([' ', ';', '|', '&']) || word.contains("$(") || word.contains('`');
    let inner = one.words.iter().chain(&one.assigned).filter(|word| runs(word)).map(|word| substituted(word));
    let run = one.assigned.iter().filter_map(|word| word.split_once('=')).filter(|(name, _)| is_run(name));
    let inner = inner.chain(run.map(|(_, value)| substituted(value))).filter(|_| depth < DEEPEST);
    let inner: Vec<String> = inner.collect();
    all.push(one);
    for text in inner {
        read(&text, depth + 1, all);
    }
}

/// Whether programs run what a variable of this name holds.
fn is_run(name: &str) -> bool {
    let of_git = name.strip_prefix("GIT_");
    matches!(name, "PAGER" | "EDITOR" | "VISUAL" | "LESSOPEN" | "LESSCLOSE" | "PROMPT_COMMAND")
        || of_git.is_some_and(|rest| !["AUTHOR_", "COMMITTER_"].into_iter().any(|person| rest.starts_with(person)))
}

/// A text with the commands that it substitutes as commands of their own.
fn substituted(text: &str) -> String {
    text.replace("$(", ";").replace(['`', ')'], ";")
}

/// A text that stands in the command's own lines: `<<END`.
struct Here {
    end: String,
    /// Nothing in it is substituted.
    is_quoted: bool,
}

impl Here {
    /// Reads the word that ends it.
    fn begun(chars: &mut Peekable<Chars<'_>>) -> Self {
        let mut here = Self { end: String::new(), is_quoted: false };
        while chars.next_if(|char| matches!(char, '-' | ' ' | '\t')).is_some() {}
        while let Some(char) = chars.next_if(|char| !char.is_whitespace() && !";|&<>()".contains(*char)) {
            if matches!(char, '\'' | '"' | '\\') {
                here.is_quoted = true;
            } else {
                here.end.push(char);
            }
        }
        here
    }

    /// Takes its lines, and the one that ends it.
    fn take(&self, chars: &mut Peekable<Chars<'_>>) -> String {
        let mut text = String::new();
        loop {
            let from = text.len();
            let mut ended = true;
            for char in chars.by_ref() {
                text.push(char);
                if char == '\n' {
                    ended = false;
                    break;
                }
            }
            if text[from..].trim() == self.end {
                text.truncate(from);
                return text;
            }
            if ended {
                return text;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let shown = |one: Simple| {
            let targets: String = one.targets.iter().map(|target| format!(" >{target}")).collect();
            one.words.join(" ") + &targets
        };
        simple(text).into_iter().map(shown).collect()
    }

    #[test]
    fn a_text_is_its_simple_commands() {
        assert_eq!(words("cd a && FOO=1 sudo rm -rf '.git/grace' | tee x"), ["cd a", "rm -rf .git/grace", "tee x"]);
        assert_eq!(words("cat > a.txt <<EOF"), ["cat >a.txt"]);
        assert_eq!(words("cat > a <<'EOF'\nrm x; don't\n$(rm y)\nEOF\nls"), ["cat >a", "ls"]);
        assert_eq!(words("cat <<-EOF | tee b\n\ta $(rm y)\n\tEOF\nls"), ["cat", "tee b", "a", "rm y", "ls"]);
        assert_eq!(words("bash <<EOF\nrm x\nEOF"), ["bash", "rm x"]);
        assert_eq!(words("cat <<EOF | sh\nrm x\nEOF"), ["cat", "sh", "rm x"]);
        assert_eq!(words("wc <<< word; ls"), ["wc word", "ls"]);
        assert_eq!(
            words("git commit -m \"$(cat <<'EOF'\nrm x (y)\nEOF\n)\""),
            ["git commit -m $(cat <<'EOF'\nrm x (y)\nEOF\n)", "cat"]
        );
        assert_eq!(words("cat <<EOF"), ["cat"]);
        assert_eq!(words("echo $(git commit -n)"), ["echo", "git commit -n"]);
        assert_eq!(words("echo \"$(rm x)\""), ["echo $(rm x)", "rm x"]);
        assert_eq!(words("bash -lc \"rm x; ls\""), ["bash -lc rm x; ls", "rm x", "ls"]);
        assert_eq!(words("git commit -m 'a; b'"), ["git commit -m a; b"]);
        assert_eq!(words("rm .gi\\t/x"), ["rm .git/x"]);
        assert_eq!(words("X=1 >|a 2>&1 make b>>c"), ["make b >a >1 >c"]);
        assert_eq!(words("PAGER='rm x' git log"), ["git log", "rm x"]);
        assert_eq!(words("git rebase -x 'rm x' @~"), ["git rebase -x rm x @~", "rm x"]);
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
