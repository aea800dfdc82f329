//! What names a change to another command, as it is printed for people to copy.

use grace_system::git::CommitId;

use crate::args::ChangeArgs;

/// Digits of a commit.
const DIGITS: usize = 12;

/// `--base main --head feature --ticket HOT-7`: the same sides and the same words that a change says of itself.
pub(super) fn of(args: &ChangeArgs, base: Option<CommitId>) -> String {
    let mut words = Vec::new();
    let mut say = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push(format!("{flag} {}", quoted(&value)));
        }
    };
    let short = |commit: CommitId| commit.to_string().chars().take(DIGITS).collect();
    // Without a base, these two are compared with HEAD.
    let base = base.filter(|_| !args.staged && !args.worktree);
    say("--base", args.base.clone().or_else(|| base.map(short)));
    say("--head", args.head.clone());
    say("--operation", args.operation.clone());
    say("--actor", args.actor.clone());
    say("--ticket", args.ticket.clone());
    say("--rationale", args.rationale.clone());
    say("--story", args.story.as_ref().map(|path| path.display().to_string()));
    say("--branch", args.branch.clone());
    words.extend(args.staged.then(|| "--staged".to_owned()));
    words.extend(args.worktree.then(|| "--worktree".to_owned()));
    words.join(" ")
}

/// A word of a shell's command line. What no shell reads alike is quoted as POSIX shells read it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:=+,~^".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_name_the_same_change() {
        let args = ChangeArgs {
            base: Some("main".to_owned()),
            head: Some("a b".to_owned()),
            ticket: Some("it's".to_owned()),
            ..ChangeArgs::default()
        };
        assert_eq!(of(&args, None), "--base main --head 'a b' --ticket 'it'\\''s'");
        let staged = ChangeArgs { staged: true, ..ChangeArgs::default() };
        assert_eq!(of(&staged, None), "--staged");
    }
}
