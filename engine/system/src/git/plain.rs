//! What references point at, read from their files where these say it plainly: a process of git takes as long as a tenth of
//! a plan. Wherever git might say something else, nothing is told, and git is to be asked.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use memchr::memmem;

use super::{CommitId, Oid, Repository};
use crate::files::{self, FileErrorKind, Kind, Stamp};

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
        let references = References { git_dir: &self.git_dir, packed: OnceCell::new() };
        if references.find("HEAD").ok()?? != commit {
            return None;
        }
        for branch in branches {
            match references.find(branch).ok()? {
                None => {}
                Some(tip) if tip == commit => break,
                Some(_) => return None,
            }
        }
        if ALSO.iter().map(|also| references.may_have(also)).any(|may_have| may_have.unwrap_or(true)) {
            return None;
        }
        // Where references were packed meanwhile, one may have been looked for in vain at both places.
        references.are_as_read().then_some(CommitId(commit))
    }
}

struct References<'a> {
    git_dir: &'a Path,
    /// The packed ones, with the state of their file, read once one is not found by itself: git packs before it removes.
    packed: OnceCell<(Option<Stamp>, Vec<u8>)>,
}

impl References<'_> {
    fn packed(&self) -> Result<&[u8], NotPlain> {
        if self.packed.get().is_none() {
            let stamp = self.stamp()?;
            let bytes = match stamp {
                Some(_) => files::read(&self.path(), MOST_PACKED).map_err(|_| NotPlain)?,
                None => Vec::new(),
            };
            let _ = self.packed.set((stamp, bytes));
        }
        self.packed.get().map(|(_, bytes)| bytes.as_slice()).ok_or(NotPlain)
    }

    fn path(&self) -> PathBuf {
        self.git_dir.join("packed-refs")
    }

    fn stamp(&self) -> Result<Option<Stamp>, NotPlain> {
        match files::stat(&self.path()) {
            Ok(stat) => Ok(Some(stat.stamp)),
            Err(error) if error.kind == FileErrorKind::NotFound => Ok(None),
            Err(_) => Err(NotPlain),
        }
    }

    fn are_as_read(&self) -> bool {
        self.packed.get().is_none_or(|(stamp, _)| self.stamp().is_ok_and(|now| now == *stamp))
    }

    fn may_have(&self, folder: &str) -> Result<bool, NotPlain> {
        let is_there = files::exists(&self.git_dir.join(folder));
        Ok(is_there || memmem::find(self.packed()?, format!(" {folder}").as_bytes()).is_some())
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
        let packed = self.packed()?;
        let Some(at) = memmem::find(packed, format!(" {name}\n").as_bytes()) else { return Ok(None) };
        let start = memchr::memrchr(b'\n', &packed[..at]).map_or(0, |end| end + 1);
        let oid = std::str::from_utf8(&packed[start..at]).ok().and_then(Oid::parse);
        oid.map(Some).ok_or(NotPlain)
    }
}

/// Whether a name is one of a reference that git reads as it is written.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    let is_component = |part: &str| !part.is_empty() && !part.starts_with(['.', '-']) && !part.ends_with(".lock");
    name.starts_with("refs/")
        && name.bytes().all(is_plain)
        && !name.contains("..")
        && !name.ends_with('.')
        && name.split('/').all(is_component)
}
