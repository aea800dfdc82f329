//! What references point at, read from their files where these say it plainly: a process of git takes as long as a tenth of
//! a plan. Wherever git might say something else, nothing is told, and git is to be asked.

use std::path::Path;

use memchr::memmem;

use super::{CommitId, Oid, Repository};
use crate::files::{self, FileErrorKind, Kind};

/// Longest file of one reference.
const LONGEST: u64 = 1024;
/// Largest file of packed references.
const MOST_PACKED: u64 = 64 << 20;
/// Links from reference to reference that are followed, as git does.
const MOST_LINKS: usize = 5;
/// A reference of which the whole name stands below one of these is found by that name, too.
const ALSO: [&str; 4] = ["refs/refs", "refs/tags/refs", "refs/heads/refs", "refs/remotes/refs"];

/// Git may say something else.
struct NotPlain;

impl Repository {
    /// The commit of this name, where the files of references say that it is checked out, and that the first of these
    /// branches that is there points at it, too, or that none of them is there. The branches have their whole names.
    #[must_use]
    pub fn head_if_plainly(&self, commit: Oid, branches: &[&str]) -> Option<CommitId> {
        // Of several work trees each has a head of its own; and references may be kept in tables.
        if self.git_dir != self.common_dir || files::exists(&self.git_dir.join("reftable")) {
            return None;
        }
        let references = References { git_dir: &self.git_dir, packed: self.packed()? };
        if ALSO.iter().any(|also| references.may_have(also)) || references.find("HEAD").ok()?? != commit {
            return None;
        }
        for branch in branches {
            match references.find(branch).ok()? {
                None => {}
                Some(tip) if tip == commit => break,
                Some(_) => return None,
            }
        }
        Some(CommitId(commit))
    }

    fn packed(&self) -> Option<Vec<u8>> {
        match files::read(&self.git_dir.join("packed-refs"), MOST_PACKED) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind == FileErrorKind::NotFound => Some(Vec::new()),
            Err(_) => None,
        }
    }
}

struct References<'a> {
    git_dir: &'a Path,
    packed: Vec<u8>,
}

impl References<'_> {
    fn may_have(&self, folder: &str) -> bool {
        files::exists(&self.git_dir.join(folder))
            || memmem::find(&self.packed, format!(" {folder}").as_bytes()).is_some()
    }

    /// What a reference points at, through those that it names; `None` where it is not there.
    fn find(&self, name: &str) -> Result<Option<Oid>, NotPlain> {
        let mut name = name.to_owned();
        for _ in 0..MOST_LINKS {
            let path = self.git_dir.join(&name);
            match files::stat(&path) {
                Ok(stat) if stat.kind == Kind::File => {}
                // A folder of other references.
                Ok(stat) if stat.kind == Kind::Directory => return self.find_packed(&name),
                Err(error) if error.kind == FileErrorKind::NotFound => return self.find_packed(&name),
                _ => return Err(NotPlain),
            }
            let text = files::read_text(&path, LONGEST).map_err(|_| NotPlain)?;
            let line = text.strip_suffix('\n').ok_or(NotPlain)?;
            match line.strip_prefix("ref: ") {
                Some(next) if is_plain(next) => next.clone_into(&mut name),
                Some(_) => return Err(NotPlain),
                None => return Oid::parse(line).map(Some).ok_or(NotPlain),
            }
        }
        Err(NotPlain)
    }

    fn find_packed(&self, name: &str) -> Result<Option<Oid>, NotPlain> {
        // A line is the name of an object, a space, and the name of the reference.
        let Some(at) = memmem::find(&self.packed, format!(" {name}\n").as_bytes()) else { return Ok(None) };
        let start = memchr::memrchr(b'\n', &self.packed[..at]).map_or(0, |end| end + 1);
        let oid = std::str::from_utf8(&self.packed[start..at]).ok().and_then(Oid::parse);
        oid.map(Some).ok_or(NotPlain)
    }
}

/// Whether a name is one of a reference that git reads as it is written.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    name.starts_with("refs/") && name.bytes().all(is_plain) && !name.contains("..") && !name.contains("/.")
}
