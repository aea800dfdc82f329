//! Who made a change, as far as it is proved: those people do not count among its approvers (law 11).
//!
//! Proved is the author of a commit that is signed by a key of theirs in the base's `allowed_signers`. Whatever else a commit
//! says of people (author, committer, co-authors, who started an agent) can only take people out.

use std::collections::BTreeSet;

use grace_system::git::CommitInfo;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::signers::{AllowedSigners, Person};
use crate::signing::{self, GIT};

/// Trailers that name somebody who took part.
const TRAILERS: [&str; 5] =
    ["co-authored-by", "started-by", "requested-by", "requesting-actor", "pair-programmed-with"];

/// Most people of one change that are named.
const MOST_NAMED: usize = 200;

/// Who made a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authorship {
    /// People who took part, proved or only said to: none of them counts.
    pub people: BTreeSet<Person>,
    /// Why it is not proved who made all of it; empty = it is.
    pub unproved: Vec<String>,
    /// All of them by name, those whom nobody knows too: who signed first.
    pub who: Vec<Who>,
}

/// Somebody who took part in a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Who {
    /// Their name: as the base's `allowed_signers` has it, else as it was said.
    pub name: String,
    /// A commit of the change is signed with their key; otherwise it is only said.
    pub signed: bool,
}

impl Authorship {
    /// Adds somebody of whom it is only said.
    pub fn add(&mut self, name: &str, signers: &AllowedSigners) {
        let person = signers.named(name);
        let shown = person.as_ref().map_or(name, |person| person.name.as_str());
        let is_known = |who: &Who| who.name.eq_ignore_ascii_case(shown);
        if !shown.is_empty() && self.who.len() < MOST_NAMED && !self.who.iter().any(is_known) {
            self.who.push(Who { name: shown.to_owned(), signed: false });
        }
        self.people.extend(person);
    }
}

/// Reads the authorship of some commits. `uncommitted` says that there is more than them: nobody signs a work tree.
#[must_use]
pub fn authorship(commits: &[CommitInfo], uncommitted: bool, signers: &AllowedSigners, at: Timestamp) -> Authorship {
    let mut found = Authorship::default();
    if uncommitted || commits.is_empty() {
        found.unproved.push("what is not committed is signed by nobody".to_owned());
    }
    for commit in commits {
        let short: String = commit.id.to_string().chars().take(10).collect();
        let proved = match &commit.signature {
            None => Err("is not signed"),
            Some(signature) => match signing::verify(&signature.armored, GIT, &signature.signed) {
                Err(_) => Err("has no SSH signature that holds"),
                Ok(key) => signers.person(&key, GIT, at).map_err(|_| "is signed by a key that the base does not name"),
            },
        };
        let author = &commit.author.email;
        match proved {
            Ok(person) => {
                if !person.names.iter().any(|name| name.eq_ignore_ascii_case(author)) {
                    found.unproved.push(format!("commit {short} is signed by {}, who is not its author", person.name));
                }
                // Who was only named so far has signed, too.
                found.who.retain(|who| who.name != person.name);
                let signed = found.who.iter().filter(|who| who.signed).count();
                found.who.insert(signed, Who { name: person.name.clone(), signed: true });
                found.people.insert(person);
            }
            Err(why) => found.unproved.push(format!("commit {short} {why}")),
        }
        for name in [author, &commit.committer.email].into_iter().chain(commit.co_authors.iter().map(|who| &who.email))
        {
            found.add(name, signers);
        }
        // Words of them that nobody knows may be no names.
        for person in trailers(&commit.message).iter().filter_map(|name| signers.named(name)) {
            found.add(&person.name, signers);
        }
    }
    found
}

/// Names in trailers that name people, wherever in the message they stand: each address and each word of the value, and of lines
/// that continue it. Who hides one by an odd form hides nothing.
fn trailers(message: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut goes_on = false;
    for line in message.lines() {
        let value = match line.split_once(':') {
            _ if goes_on && line.starts_with([' ', '\t']) => line,
            Some((key, value)) if TRAILERS.iter().any(|trailer| key.trim().eq_ignore_ascii_case(trailer)) => value,
            _ => {
                goes_on = false;
                continue;
            }
        };
        goes_on = true;
        let words = value.split(|c: char| c.is_whitespace() || "<>()[],;\"'".contains(c));
        names.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
        names.push(value.trim().to_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::tests::{key, openssh};
    use crate::testing::Sandbox;
    use ssh_key::{HashAlg, LineEnding};

    /// A commit as git holds it, signed by hand.
    fn commit(author: &str, by: Option<u8>, namespace: &str, message: &str) -> CommitInfo {
        let sandbox = Sandbox::new();
        let tree = sandbox.git(&["write-tree"], b"");
        let head = format!("tree {tree}\nauthor A <{author}> 1 +0000\ncommitter W <web@forge.example> 1 +0000\n");
        let signature = by.map(|by| {
            let signed = format!("{head}\n{message}");
            let signature = key(by).sign(namespace, HashAlg::Sha512, signed.as_bytes()).unwrap();
            format!("gpgsig {}\n", signature.to_pem(LineEnding::LF).unwrap().trim_end().replace('\n', "\n "))
        });
        let text = format!("{head}{}\n{message}", signature.unwrap_or_default());
        let oid = sandbox.git(&["hash-object", "-t", "commit", "-w", "--stdin"], text.as_bytes());
        let repository = sandbox.open();
        repository.commit(repository.resolve(&oid).unwrap()).unwrap()
    }

    #[test]
    fn an_author_is_proved_by_a_signature_of_their_own() {
        let signers =
            AllowedSigners::parse(&format!("alice@example.org {}\nbob@example.org {}\n", openssh(1), openssh(2)));
        let at = "2026-06-01T00:00:00Z".parse().unwrap();
        let of = |commit: CommitInfo, uncommitted| {
            let found = authorship(&[commit], uncommitted, &signers, at);
            let names: Vec<String> = found.people.into_iter().map(|person| person.name).collect();
            (names, found.unproved)
        };
        let (alice, bob) = ("alice@example.org".to_owned(), "bob@example.org".to_owned());
        assert_eq!(of(commit("alice@example.org", Some(1), GIT, "x"), false), (vec![alice.clone()], vec![]));
        assert_eq!(of(commit("alice@example.org", Some(1), GIT, "x"), true).1.len(), 1);
        for (commit, people, why) in [
            (commit("alice@example.org", None, GIT, "x"), vec![&alice], "not signed"),
            (commit("alice@example.org", Some(3), GIT, "x"), vec![&alice], "does not name"),
            (commit("alice@example.org", Some(1), signing::NAMESPACE, "x"), vec![&alice], "no SSH signature"),
            // Signed by another: both took part.
            (commit("alice@example.org", Some(2), GIT, "x"), vec![&alice, &bob], "not its author"),
            (commit("mallory@example.org", Some(1), GIT, "x"), vec![&alice], "not its author"),
            (commit("mallory@example.org", None, GIT, "x"), vec![], "not signed"),
        ] {
            let (found, unproved) = of(commit, false);
            assert_eq!(found.iter().collect::<Vec<_>>(), people);
            assert!(unproved.len() == 1 && unproved[0].contains(why), "{unproved:?}");
        }
        for trailer in [
            "Co-authored-by: Bob <bob@example.org>",
            "started-by:bob@example.org",
            "Requested-By: B <BOB@example.org>",
            "Co-authored-by: Bob <bob@example.org> (pair)",
            "Co-authored-by: A <a@x.example>,\n Bob <bob@example.org>",
            "Requesting-actor: bob@example.org (Bob)",
        ] {
            let message = format!("x\n\n{trailer}\n\nmore text");
            assert_eq!(
                of(commit("alice@example.org", Some(1), GIT, &message), false),
                (vec![alice.clone(), bob.clone()], vec![])
            );
        }
        assert_eq!(authorship(&[], false, &signers, at).unproved.len(), 1);
        // All of them by name: who signed first, and whom nobody knows too.
        let who = |commit: CommitInfo| {
            let found = authorship(&[commit], false, &signers, at);
            found.who.into_iter().map(|who| (who.name, who.signed)).collect::<Vec<_>>()
        };
        let of = |name: &str, signed| (name.to_owned(), signed);
        let said = "x\n\nCo-authored-by: Eve <eve@x.example>";
        assert_eq!(
            who(commit("mallory@example.org", Some(2), GIT, said)),
            [
                of("bob@example.org", true),
                of("mallory@example.org", false),
                of("web@forge.example", false),
                of("eve@x.example", false)
            ]
        );
        assert_eq!(
            who(commit("alice@example.org", None, GIT, "x")),
            [of("alice@example.org", false), of("web@forge.example", false)]
        );
    }
}
