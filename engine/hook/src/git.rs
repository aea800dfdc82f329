//! What a command of git does to what is not for agents. Git reads its long options cut short, and so does this.

use crate::shell::Simple;

/// Verbs that only look.
const LOOKING: &[&str] = &[
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
    "shortlog",
    "merge-base",
    "name-rev",
    "check-ignore",
    "add",
];

/// Names of branches that are the default one.
const DEFAULT: &[&str] = &["main", "master", "trunk"];

/// Settings whose value git runs, or by which it writes references elsewhere: whole names, or a first and a last part.
const RUNNING: &[(&str, &str)] = &[
    ("core.pager", ""),
    ("pager.", ""),
    ("core.editor", ""),
    ("sequence.editor", ""),
    ("core.fsmonitor", ""),
    ("core.sshcommand", ""),
    ("core.askpass", ""),
    ("core.gitproxy", ""),
    ("core.hookspath", ""),
    ("diff.external", ""),
    ("diff.", ".command"),
    ("diff.", ".textconv"),
    ("difftool.", ""),
    ("mergetool.", ""),
    ("merge.", ".driver"),
    ("filter.", ""),
    ("alias.", ""),
    ("credential.", "helper"),
    ("gpg.", "program"),
    ("include.path", ""),
    ("includeif.", ""),
    ("uploadpack.packobjectshook", ""),
    ("remote.", ".uploadpack"),
    ("remote.", ".receivepack"),
    ("remote.", ".mirror"),
    ("remote.", ".push"),
    ("remote.", ".vcs"),
    ("protocol.", ".allow"),
    ("interactive.difffilter", ""),
    ("trailer.", "cmd"),
    ("trailer.", ".command"),
    ("init.templatedir", ""),
    ("submodule.", ".update"),
    ("web.browser", ""),
    ("browser.", ""),
    ("man.", ".cmd"),
    ("sendemail.", "cmd"),
];

/// Whether it changes nothing that is not for agents, whatever it names.
pub(crate) fn looks(one: &Simple) -> bool {
    if one.verb() != "fetch" {
        let runs = has(one, "--open-files-in-pager") || has(one, "--upload-pack") || has(one, "--exec");
        let runs = runs || one.verb() == "grep" && one.words.iter().any(|word| word.starts_with("-O"));
        return LOOKING.contains(&one.verb()) && !runs && !has(one, "--output") || reads_config(one);
    }
    // References that are there already are then changed or deleted.
    let letters = |word: &String| {
        word.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-') && rest.contains(['f', 'p', 'P']))
    };
    let forces = |word: &String| word.split('=').any(|part| part.starts_with('+'));
    let forced = ["--force", "--prune", "--prune-tags", "--upload-pack"].into_iter().any(|option| has(one, option));
    !forced && !one.words.iter().any(|word| letters(word) || forces(word))
}

/// Whether it has this option, in whole or cut short.
fn has(one: &Simple, option: &str) -> bool {
    one.words.iter().any(|word| {
        let name = word.split('=').next().unwrap_or_default();
        name.len() > 2 && option.starts_with(name)
    })
}

/// Whether what it is given to map references stands for those of grace-rules, too: `refs/*`.
pub(crate) fn spans(word: &str) -> bool {
    let parts = word.split([':', '=', '+']).filter_map(|part| part.split_once('*'));
    parts.map(|(before, _)| before).any(|before| before.starts_with("refs/") && "refs/grace/".starts_with(before))
}

/// Why it is not for agents, whatever files it names. `behind` says that another program starts it.
pub(crate) fn refused(one: &Simple, behind: bool) -> Option<&'static str> {
    let verb = if behind { "" } else { one.verb() };
    let is = |verb_of: &str| verb == verb_of || behind && one.words.iter().any(|word| word == verb_of);
    let no_verify = one.words.iter().any(|word| word == "--no-verify");
    if no_verify || is("commit") && one.words.iter().any(|word| is_no_verify(word)) {
        return Some("hooks of git are not left out; mend what they say");
    }
    let set = set_for_once(one).chain(set_for_good(one));
    let mut risky = set.filter(|(key, value)| runs(key) && !is_harmless(key, value));
    if let Some((key, _)) = risky.next() {
        return Some(if key.eq_ignore_ascii_case("core.hookspath") {
            "hooks of git are not left out; mend what they say"
        } else {
            "this setting has git run a program, or write to other places, in passing; do that by a command of its own"
        });
    }
    if is("push") {
        return pushes(one);
    }
    let unseen = is("fast-import") || is("update-ref") && has(one, "--stdin");
    unseen.then_some("references that are written from standard input cannot be looked at before; name each")
}

/// `-n`, also among other letters, as `git commit` reads it; what follows `m` is the message.
fn is_no_verify(word: &str) -> bool {
    let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.starts_with('-')) else { return false };
    letters
        .chars()
        .take_while(|letter| !matches!(letter, 'm' | 'F' | 'C' | 'c' | 't' | 'S' | 'u'))
        .any(|letter| letter == 'n')
}

/// What a push does to others' history.
fn pushes(one: &Simple) -> Option<&'static str> {
    if has(one, "--mirror") {
        return Some(
            "a mirror writes and deletes every reference there, also what people signed; push the branches that you mean",
        );
    }
    let letter = |wanted: char| {
        one.words.iter().any(|word| {
            word.strip_prefix('-').is_some_and(|letters| !letters.starts_with('-') && letters.contains(wanted))
        })
    };
    let anew = letter('f') || letter('d') || has(one, "--force-with-lease") || has(one, "--delete");
    let references = one.words.iter().skip_while(|word| *word != "push").skip(1).filter(|word| !word.starts_with('-'));
    let mut to_default = references.skip(1).filter(|word| {
        let to = word.rsplit(':').next().unwrap_or_default().trim_start_matches('+');
        let to = to.strip_prefix("refs/heads/").unwrap_or(to);
        (anew || word.starts_with(['+', ':'])) && DEFAULT.contains(&to)
    });
    to_default.next().map(|_| "the default branch is not written anew or deleted by agents; make a commit on top of it")
}

/// `-c KEY=VALUE`, `--config-env=KEY=NAME`, and the variables that say the same.
fn set_for_once(one: &Simple) -> impl Iterator<Item = (&str, &str)> {
    let after =
        |option: &'static str| one.words.windows(2).filter(move |pair| pair[0] == option).map(|pair| pair[1].as_str());
    let joined = |start: &'static str| one.words.iter().filter_map(move |word| word.strip_prefix(start));
    let given = after("-c").chain(after("--config")).chain(joined("-c")).chain(joined("--config="));
    let given = given.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    // The value is elsewhere, and could be any.
    let from_elsewhere = after("--config-env").chain(joined("--config-env="));
    let from_elsewhere = from_elsewhere.map(|pair| (pair.split('=').next().unwrap_or(pair), "?"));
    let variables = one.assigned.iter().filter_map(|word| word.strip_prefix("GIT_CONFIG_KEY_"));
    let variables = variables.filter_map(|rest| rest.split_once('=')).map(|(_, key)| (key, "?"));
    let listed = one.assigned.iter().filter_map(|word| word.strip_prefix("GIT_CONFIG_PARAMETERS="));
    let listed =
        listed.flat_map(|list| list.split(['\'', ' '])).map(|pair| pair.split_once('=').unwrap_or((pair, "?")));
    given.chain(from_elsewhere).chain(variables).chain(listed)
}

/// What `git config` writes: a name and its value.
fn set_for_good(one: &Simple) -> impl Iterator<Item = (&str, &str)> {
    let words = one.words.iter().map(String::as_str);
    let mut words = words.skip_while(|word| *word != "config").skip(1);
    let mut plain = words.by_ref().filter(|word| !word.starts_with('-') && *word != "set");
    let key = plain.next().filter(|key| key.contains('.') && !reads_config(one));
    key.and_then(|key| plain.next().map(|value| (key, value))).into_iter()
}

/// `git config` that says what is set.
fn reads_config(one: &Simple) -> bool {
    let words = || one.words.iter().map(String::as_str).skip_while(|word| *word != "config").skip(1);
    let writes = ["--add", "--unset", "--unset-all", "--replace-all", "--rename-section", "--remove-section", "--edit"];
    one.verb() == "config"
        && !writes.into_iter().any(|option| has(one, option))
        && !words().any(|word| matches!(word, "-e" | "set" | "unset" | "edit" | "rename-section" | "remove-section"))
        && (words()
            .any(|word| matches!(word, "-l" | "--list" | "list" | "get" | "--get" | "--get-all" | "--get-regexp"))
            || words().filter(|word| !word.starts_with('-')).count() <= 1)
}

fn runs(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    RUNNING.iter().any(
        |(first, last)| {
            if first.ends_with('.') { key.starts_with(first) && key.ends_with(last) } else { key == *first }
        },
    )
}

/// The name of a program that people set: it gets nothing to do but to show or to edit.
fn is_harmless(key: &str, value: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let is_name = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte));
    match key.as_str() {
        "core.fsmonitor" => matches!(value, "" | "true" | "false" | "0" | "1"),
        "core.hookspath" => false,
        "core.askpass" | "core.pager" | "core.editor" | "sequence.editor" | "interactive.difffilter" => is_name,
        _ if key.starts_with("pager.") || key.starts_with("credential.") || key.starts_with("gpg.") => is_name,
        _ if key.ends_with(".mirror") => value == "false",
        _ if key.starts_with("difftool.") || key.starts_with("mergetool.") => !key.ends_with(".cmd"),
        _ if key.starts_with("filter.") => key.ends_with(".required"),
        _ if key.starts_with("protocol.") => key != "protocol.ext.allow" && key != "protocol.allow",
        _ if key.starts_with("submodule.") => !value.starts_with('!'),
        // Other words for the same verbs; one that runs a program, or leaves the hooks out, is more than that.
        _ if key.starts_with("alias.") => !value.starts_with('!') && !value.contains("verify") && !value.contains("-c"),
        _ => false,
    }
}
