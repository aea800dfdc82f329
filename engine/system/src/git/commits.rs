//! Commits: who, when, why. Read as raw objects, so that no setting (signatures, mail maps, encodings) takes part.

use jiff::Timestamp;

use super::{Blob, CommitId, GitError, Oid, Repository};

/// Longest commit object that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its name.
    pub id: CommitId,
    /// Its tree.
    pub tree: Oid,
    /// Its parents, the first first.
    pub parents: Vec<CommitId>,
    /// Who wrote it.
    pub author: Person,
    /// When; as the author's clock said.
    pub author_time: Timestamp,
    /// Who committed it.
    pub committer: Person,
    /// When; as the committer's clock said.
    pub commit_time: Timestamp,
    /// `Co-authored-by` trailers, in order.
    pub co_authors: Vec<Person>,
    /// The whole message; invalid UTF-8 replaced.
    pub message: String,
    /// Its signature, which nobody has looked at yet.
    pub signature: Option<CommitSignature>,
}

/// A signature in a commit, and what it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitSignature {
    /// As it stands there: `-----BEGIN SSH SIGNATURE-----` or of another kind.
    pub armored: String,
    /// The bytes of the commit without it.
    pub signed: Vec<u8>,
}

impl CommitInfo {
    /// The first line of the message.
    pub fn summary(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

/// A name and an address, both as they were claimed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Person {
    /// Such as `Ada Lovelace`.
    pub name: String,
    /// Such as `ada@example.com`, without brackets.
    pub email: String,
}

/// Which commits, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitRange {
    /// Leave out this one and all before it.
    pub after: Option<CommitId>,
    /// Begin here.
    pub until: CommitId,
    /// Follow only first parents.
    pub first_parent: bool,
    /// At most so many.
    pub limit: usize,
}

impl Repository {
    /// The commits of a range, newest first. Ends early at the edge of a shallow clone.
    pub fn commits(&self, range: CommitRange) -> Result<Vec<CommitInfo>, GitError> {
        let mut args = vec!["rev-list".to_owned(), format!("--max-count={}", range.limit)];
        if range.first_parent {
            args.push("--first-parent".to_owned());
        }
        args.push(range.until.to_string());
        args.extend(range.after.map(|after| format!("^{after}")));
        let output = self.git(args)?;
        let ids: Vec<Oid> = String::from_utf8_lossy(&output).lines().filter_map(Oid::parse).collect();
        self.commit_infos(&ids)
    }

    /// One commit.
    pub fn commit(&self, id: CommitId) -> Result<CommitInfo, GitError> {
        self.commit_infos(&[id.oid()])?.pop().ok_or_else(|| GitError::MissingObject { name: id.to_string() })
    }

    fn commit_infos(&self, ids: &[Oid]) -> Result<Vec<CommitInfo>, GitError> {
        let mut commits = Vec::with_capacity(ids.len());
        self.blobs().objects("commit", ids, LONGEST, |index, object| {
            commits.push(match object {
                Blob::Data(bytes) => parse(CommitId(ids[index]), &bytes).ok_or_else(|| GitError::Failed {
                    command: "cat-file".to_owned(),
                    message: format!("commit {} is malformed", ids[index]),
                }),
                Blob::TooLarge(_) | Blob::Missing => Err(GitError::MissingObject { name: ids[index].to_string() }),
            });
        })?;
        commits.into_iter().collect()
    }
}

fn parse(id: CommitId, bytes: &[u8]) -> Option<CommitInfo> {
    let text = String::from_utf8_lossy(bytes);
    let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
    let (mut tree, mut parents, mut author, mut committer) = (None, Vec::new(), None, None);
    // Continued lines begin with a space and so match no key.
    for line in head.lines() {
        match line.split_once(' ') {
            Some(("tree", value)) if tree.is_none() => tree = Oid::parse(value),
            Some(("parent", value)) => parents.push(CommitId(Oid::parse(value)?)),
            Some(("author", value)) if author.is_none() => author = Some(signature(value)),
            Some(("committer", value)) if committer.is_none() => committer = Some(signature(value)),
            _ => {}
        }
    }
    let (author, author_time) = author?;
    let (committer, commit_time) = committer?;
    let message = message.to_owned();
    let co_authors = co_authors(&message);
    let signature = commit_signature(bytes);
    Some(CommitInfo {
        id,
        tree: tree?,
        parents,
        author,
        author_time,
        committer,
        commit_time,
        co_authors,
        message,
        signature,
    })
}

/// The `gpgsig` header, continued lines joined, and the commit's bytes without it. With two of them nothing is told: what the
/// one signs holds the other.
fn commit_signature(bytes: &[u8]) -> Option<CommitSignature> {
    let mut armored: Option<Vec<u8>> = None;
    let mut signed = Vec::with_capacity(bytes.len());
    let (mut in_head, mut in_signature) = (true, false);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if in_head {
            let value = [&b"gpgsig "[..], b"gpgsig-sha256 "].iter().find_map(|key| line.strip_prefix(*key));
            if let Some(value) = value {
                if armored.is_some() {
                    return None;
                }
                (armored, in_signature) = (Some(value.to_vec()), true);
                continue;
            }
            if in_signature && let Some(more) = line.strip_prefix(b" ") {
                armored.get_or_insert_default().extend_from_slice(more);
                continue;
            }
            in_signature = false;
            in_head = line != b"\n";
        }
        signed.extend_from_slice(line);
    }
    Some(CommitSignature { armored: String::from_utf8(armored?).ok()?, signed })
}

/// `NAME <EMAIL> SECONDS ZONE`; a time that cannot be read is the epoch.
fn signature(text: &str) -> (Person, Timestamp) {
    let (person, time) = text.rsplit_once('>').unwrap_or((text, ""));
    let seconds = time.split_ascii_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0);
    (self::person(person), Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// `NAME <EMAIL` with or without the last bracket.
fn person(text: &str) -> Person {
    let (name, email) = text.split_once('<').unwrap_or((text, ""));
    Person { name: name.trim().to_owned(), email: email.trim().trim_end_matches('>').to_owned() }
}

/// Trailers of the last paragraph, as `git interpret-trailers` finds them.
fn co_authors(message: &str) -> Vec<Person> {
    let last = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
    last.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(key, _)| key.trim().eq_ignore_ascii_case("co-authored-by"))
        .map(|(_, value)| person(value))
        .collect()
}
