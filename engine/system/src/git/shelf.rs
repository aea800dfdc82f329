//! Small documents that travel with the repository: each is a blob with a reference of its own below `refs/grace/`.
//!
//! A reference is only ever created or deleted whole, never moved: two that write at once cannot lose one another's, and a
//! fetch or push unites what both sides have. What is read is hostile: names, number and sizes are bounded.

use super::{Blob, GitError, Oid, Repository};

/// Where our references stand.
const ROOT: &str = "refs/grace/";
/// Longest name below it, in bytes.
const LONGEST: usize = 200;

/// One document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// Below `refs/grace/`: `approvals/1f2e…`.
    pub name: String,
    /// The blob's name.
    pub oid: Oid,
    /// Its content; `None` where it is no blob, a symbolic or oddly named reference, missing, or too large.
    pub bytes: Option<Vec<u8>>,
}

fn failed(command: &str, message: &str) -> GitError {
    GitError::Failed { command: command.to_owned(), message: message.to_owned() }
}

/// Letters, digits, `-`, `_` and single dots in parts divided by `/`: a name that every system can hold.
fn is_safe(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['-', '.'])
            && !part.ends_with('.')
            && !part.to_ascii_lowercase().ends_with(".lock")
            && !part.contains("..")
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    name.len() <= LONGEST && name.split('/').all(part)
}

impl Repository {
    /// Keeps a document as `refs/grace/NAME`. `false` where this name holds the same already; another content under a name
    /// that is taken is an error.
    pub fn shelve(&self, name: &str, bytes: &[u8]) -> Result<bool, GitError> {
        if !is_safe(name) {
            return Err(GitError::UnsafeRevision { rev: format!("{ROOT}{name}") });
        }
        let mut command = self.command(["hash-object", "-w", "-t", "blob", "--stdin", "--no-filters"]);
        command.input = Some(bytes.to_vec());
        let written = super::run(command, &self.cancel, "hash-object")?;
        let oid = String::from_utf8_lossy(&written);
        let oid = Oid::parse(oid.trim()).filter(|oid| *oid == self.blob_id(bytes));
        let oid = oid.ok_or_else(|| failed("hash-object", "it wrote something else"))?;
        let reference = format!("{ROOT}{name}");
        let zero = "0".repeat(oid.as_bytes().len() * 2);
        let created = self.git(["update-ref", "--no-deref", &reference, &oid.to_string(), &zero]);
        match created {
            Ok(_) => Ok(true),
            Err(GitError::Failed { .. }) if self.shelved(name, 0, 2)?.iter().any(|known| known.oid == oid) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes `refs/grace/NAME` where it holds this document.
    pub fn unshelve(&self, name: &str, oid: Oid) -> Result<(), GitError> {
        if !is_safe(name) {
            return Err(GitError::UnsafeRevision { rev: format!("{ROOT}{name}") });
        }
        self.git(["update-ref", "--no-deref", "-d", &format!("{ROOT}{name}"), &oid.to_string()]).map(drop)
    }

    /// What stands at `refs/grace/PREFIX` and below, sorted by name, each of at most `max` bytes, and no more than the first `most`.
    /// Nothing that is listed is left out, so that whoever counts sees whether there may be more.
    pub fn shelved(&self, prefix: &str, max: u64, most: usize) -> Result<Vec<Shelved>, GitError> {
        if !is_safe(prefix) {
            return Err(GitError::UnsafeRevision { rev: format!("{ROOT}{prefix}") });
        }
        let format = "--format=%(objectname) %(objecttype) %(refname) %(symref)";
        let count = format!("--count={most}");
        let output = self.git(["for-each-ref", &count, format, &format!("{ROOT}{prefix}")])?;
        let mut found = Vec::new();
        for line in String::from_utf8_lossy(&output).lines() {
            let mut words = line.split(' ');
            let (oid, kind, name, link) = (words.next(), words.next(), words.next(), words.next());
            let (Some(oid), Some(name)) = (oid.and_then(Oid::parse), name.and_then(|name| name.strip_prefix(ROOT)))
            else {
                return Err(failed("for-each-ref", "it lists what is no reference"));
            };
            let is_document = kind == Some("blob") && link == Some("") && is_safe(name);
            found.push((is_document, Shelved { name: name.to_owned(), oid, bytes: None }));
        }
        found.sort_by(|(_, left), (_, right)| left.name.cmp(&right.name));
        let documents: Vec<usize> = (0..found.len()).filter(|index| max > 0 && found[*index].0).collect();
        let oids: Vec<Oid> = documents.iter().map(|index| found[*index].1.oid).collect();
        self.blobs().read_many(&oids, max, |index, blob| {
            if let (Blob::Data(bytes), Some(at)) = (blob, documents.get(index)) {
                found[*at].1.bytes = Some(bytes);
            }
        })?;
        Ok(found.into_iter().map(|(_, one)| one).collect())
    }
}
