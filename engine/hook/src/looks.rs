//! Commands that only look. One that is not known to only look may change what it names: an option that is not read here makes
//! of a look something else, never the other way round.

use crate::git;
use crate::shell::Simple;

/// Programs that only look at the files that they are given, whatever their options are.
const LOOKING: &[&str] = &[
    "cat",
    "ls",
    "head",
    "tail",
    "more",
    "wc",
    "stat",
    "grep",
    "egrep",
    "fgrep",
    "diff",
    "cmp",
    "sha256sum",
    "b3sum",
    "du",
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
    "cut",
    "tr",
    "nl",
    "od",
    "strings",
    "column",
    "hexdump",
    "which",
    "type",
    "md5sum",
    "sha1sum",
    "sha512sum",
    "b2sum",
    "[[",
    // What they set is followed.
    "export",
    "readonly",
    "local",
    "declare",
];

/// Verbs of grace-rules that write nothing but what an option of [`OWN_WRITING`] names.
const OWN: &[&str] = &[
    "check",
    "plan",
    "explain",
    "graph",
    "cost",
    "gate",
    "story",
    "practice",
    "audit",
    "drift",
    "model",
    "test",
    "completions",
    "agents-md",
    "help",
];

/// Words below those verbs that write, or that people say.
const OWN_CHANGING: &[&str] = &[
    "export", "amend", "init", "cycle", "review", "halt", "resume", "anchor", "deploy", "lift", "collect", "watch",
    "push", "probe", "redact",
];

/// Options of grace-rules that name what is written.
const OWN_WRITING: &[&str] = &["--output", "--to", "--html", "--write"];

/// Whether a command only looks, but for its redirections.
pub(crate) fn looks(one: &Simple) -> bool {
    match one.program() {
        "git" => git::looks(one),
        // Only with these does it more than look. They stand alone and in whole.
        "find" => !begins(one, &["-delete", "-exec", "-ok", "-fprint", "-fls"]),
        "sed" => sed(one),
        "awk" => awk(one),
        "sort" => !bundled(one, "o") && !given(one, &["--output", "--compress-program"]),
        "tree" => !bundled(one, "oR"),
        "less" => {
            !bundled(one, "oOk") && !given(one, &["--log-file", "--LOG-FILE", "--lesskey-file"]) && !begins(one, &["+"])
        }
        "bat" => !given(one, &["--pager"]) && one.verb() != "cache",
        "rg" => !begins(one, &["--pre", "--hostname-bin"]),
        "file" => !bundled(one, "C") && !given(one, &["--compile"]),
        "grace-rules" => own(one),
        program => LOOKING.contains(&program),
    }
}

/// Whether a word after the program begins with one of these.
fn begins(one: &Simple, options: &[&str]) -> bool {
    one.words.iter().skip(1).any(|word| options.iter().any(|option| word.starts_with(option)))
}

/// Whether one of these long options is given, in whole or cut short, as GNU's programs read them.
fn given(one: &Simple, options: &[&str]) -> bool {
    one.words.iter().any(|word| options.iter().any(|option| is_long(word, option)))
}

fn is_long(word: &str, option: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    name.len() > 2 && option.starts_with(name)
}

/// Whether one of these letters stands in a bundle of short options, wherever: which of them take the rest is not asked.
fn bundled(one: &Simple, letters: &str) -> bool {
    let mut bundles = one.words.iter().skip(1).filter_map(|word| word.strip_prefix('-'));
    bundles.any(|bundle| !bundle.starts_with('-') && bundle.contains(|letter| letters.contains(letter)))
}

/// `--format X` and `--color X` stand before or after the verb.
fn own(one: &Simple) -> bool {
    let mut plain = Vec::new();
    let mut words = one.words.iter().skip(1).map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--format" | "--color" | "-C" => _ = words.next(),
            word if word.starts_with('-') => {}
            word => plain.push(word),
        }
    }
    let changes = plain.get(1).is_some_and(|word| OWN_CHANGING.contains(word));
    plain.first().is_some_and(|verb| OWN.contains(verb))
        && !changes
        && !given(one, OWN_WRITING)
        && !begins(one, &["-o"])
}

/// The program of awk may write, run and include others; only its two harmless options are known.
fn awk(one: &Simple) -> bool {
    let mut words = one.words.iter().skip(1).map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-F" | "-v" => _ = words.next(),
            "--" => break,
            word if word.starts_with("-F") || word.starts_with("-v") || !word.starts_with('-') => {}
            _ => return false,
        }
    }
    !one.words.iter().any(|word| [">", "|", "system", "@"].into_iter().any(|part| word.contains(part)))
}

/// Every script of sed is read. It looks where each of its commands is known to.
fn sed(one: &Simple) -> bool {
    let (mut scripts, mut plain) = (Vec::new(), Vec::new());
    let mut words = one.words.iter().skip(1).map(String::as_str);
    let mut ended = false;
    while let Some(word) = words.next() {
        if ended || !word.starts_with('-') || word == "-" {
            plain.push(word);
        } else if word == "--" {
            ended = true;
        } else if let Some(name) = word.strip_prefix("--") {
            let (name, value) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
            match name {
                "quiet" | "silent" | "regexp-extended" | "separate" | "unbuffered" | "null-data"
                | "zero-terminated" | "posix" | "debug" | "sandbox" | "help" | "version" => {}
                "expression" => match value.or_else(|| words.next()) {
                    Some(script) => scripts.push(script),
                    None => return false,
                },
                _ => return false,
            }
        } else {
            for (at, letter) in word.char_indices().skip(1) {
                match letter {
                    'n' | 'r' | 'E' | 's' | 'u' | 'z' => {}
                    'e' => {
                        let rest = &word[at + 1..];
                        match Some(rest).filter(|rest| !rest.is_empty()).or_else(|| words.next()) {
                            Some(script) => scripts.push(script),
                            None => return false,
                        }
                        break;
                    }
                    _ => return false,
                }
            }
        }
    }
    if scripts.is_empty() {
        scripts.extend(plain.first());
    }
    scripts.into_iter().all(|script| script_looks(script).is_some())
}

/// How many places of a script are looked at, where it may write.
const MOST_WRITTEN: usize = 32;

/// What a script of sed may write: up to the line's end behind each letter that may be the command for it.
pub(crate) fn written_by_script(script: &str) -> impl Iterator<Item = &str> {
    let after = script.match_indices(['w', 'W']).take(MOST_WRITTEN);
    after.filter_map(|(at, _)| script[at + 1..].lines().next()).map(str::trim).filter(|file| !file.is_empty())
}

/// `None` where a command of a script writes, runs, or is not known.
fn script_looks(script: &str) -> Option<()> {
    let mut chars = script.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            // Between commands, and addresses.
            ' ' | '\t' | '\n' | ';' | '{' | '}' | ',' | '!' | '+' | '~' | '$' | '0'..='9' => {}
            '/' => {
                section(&mut chars, '/')?;
                while chars.next_if(|flag| matches!(flag, 'I' | 'M')).is_some() {}
            }
            '\\' => {
                let open = chars.next()?;
                section(&mut chars, open)?;
            }
            's' | 'y' => {
                let open = chars.next().filter(|open| !matches!(open, '\n' | '\\'))?;
                section(&mut chars, open)?;
                section(&mut chars, open)?;
                while let Some(flag) = chars.next_if(|char| !matches!(char, ';' | '}' | '\n' | ' ' | '\t')) {
                    if char == 'y' || !matches!(flag, 'g' | 'p' | 'i' | 'I' | 'm' | 'M' | '0'..='9') {
                        return None;
                    }
                }
            }
            '=' | 'd' | 'D' | 'g' | 'G' | 'h' | 'H' | 'l' | 'n' | 'N' | 'p' | 'P' | 'q' | 'Q' | 'x' | 'z' | 'F' => {}
            // A text, a file to read: up to the line's end.
            'a' | 'i' | 'c' | 'r' | 'R' | '#' => while chars.next().is_some_and(|char| char != '\n') {},
            // A label.
            'b' | 't' | 'T' | ':' => while chars.next_if(|char| !matches!(char, ';' | '}' | '\n')).is_some() {},
            _ => return None,
        }
    }
    Some(())
}

/// Reads up to what ends a pattern or what is put in its place. Programs differ over an end in brackets: `None`.
fn section(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, end: char) -> Option<()> {
    let mut in_brackets = false;
    loop {
        match chars.next()? {
            char if char == end => return (!in_brackets).then_some(()),
            '\\' => _ = chars.next()?,
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell;

    fn is_look(text: &str) -> bool {
        looks(&shell::simple(text).remove(0))
    }

    #[test]
    fn what_only_looks_is_known_by_every_word_of_it() {
        for text in [
            "sed -n 1,40p F",
            "sed -n '/^[a-z]/,/^}/p' F",
            "sed -nE '/wide|we/ {s/w/e/gI;p;q}' F",
            "sed -e 's|/|w|' -e '$d' F",
            "sed --expression='y/ab/we/' -- F",
            "sed --quiet '1!G;h;$!d' F",
            "sed '/w x/d; # write\n/e/p' F",
            "sed ':a;N;$!ba;s/\\n/ /g' F",
            "sed '1i we' F",
            "awk '{print $1}' F",
            "awk -F: -v x=1 '$1 == x {print $2}' F",
            "sort -t: -k2,2 -rnu F",
            "sort --unique F",
            "tree -a -L 2 D",
            "less -N F",
            "rg -n we D",
            "file -b F",
            "bat -p F",
            "find . -name '*.o' -print",
            "grace-rules plan --worktree",
            "grace-rules --format json drift status",
            "grace-rules model show x",
            "grace-rules audit verify",
        ] {
            assert!(is_look(text), "{text}");
        }
        for text in [
            "sed -i p F",
            "sed -Eni p F",
            "sed -zi p F",
            "sed -si.bak p F",
            "sed -I '' p F",
            "sed p F -i",
            "sed --in p F",
            "sed -nf S F",
            "sed --file=S F",
            "sed -n 'wF' k",
            "sed -n 'W F' k",
            "sed -ne wF k",
            "sed -n --expression=wF k",
            "sed -n --expr wF k",
            "sed '1e rm x' k",
            "sed e k",
            "sed 's/a/b/e' k",
            "sed 's/a/b/gw F' k",
            "sed 's,a,b,;wF' k",
            "sed '/a/wF' k",
            "sed '\\,a,wF' k",
            "sed '1i x\nwF' k",
            "sed -e p -e 'w F' k",
            "sed -- 'w F' k",
            "sed 's/[/]/p;s/g;w F\n/p/p' k",
            "sed 's/a' k",
            "awk -i inplace x F",
            "awk --include inplace x F",
            "awk --include=inplace x F",
            "awk -f P F",
            "awk -o x F",
            "awk '@include \"inplace\"' F",
            "awk '{print > \"F\"}' k",
            "sort -o F k",
            "sort -uo F k",
            "sort -oF k",
            "sort --out=F k",
            "tree -ao F",
            "less -No F k",
            "less '+!rm x' F",
            "bat cache --build --target D",
            "file -bC -m F",
            "rg --pre=x we",
            "find . -execdir rm {} +",
            "grace-rules drift status --html F",
            "grace-rules drift status --html=F",
            "grace-rules agents-md --write",
            "grace-rules graph export -oF",
            "grace-rules store export --to F",
            "grace-rules audit anchor file --to F",
            "grace-rules fmt F",
            "grace-rules init F",
            "grace-rules --format json hook install claude-code",
        ] {
            assert!(!is_look(text), "{text}");
        }
    }
}
