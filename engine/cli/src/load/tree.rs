//! The digest of a tree: every file's path, kind and content. Two trees of one digest are the same tree, wherever they lie.

use grace_system::git::{EntryKind, Repository};
use sha2::{Digest as _, Sha256};

use super::Cache;
use super::side::{Files, Reader, Source};
use crate::failure::{Failure, Result};

/// Largest file whose content is looked at, in bytes.
const MAX_FILE: u64 = 1 << 30;

/// SHA-256 (hex) of a tree: for each file its kind, its name in git and its path.
///
/// # Errors
/// When a file cannot be read: nothing can be said of such a tree.
pub fn digest(repository: &Repository, files: &Files) -> Result<String> {
    let reader = Reader::new(repository.root(), Some(repository), Cache::Unused);
    let mut hasher = Sha256::new();
    for (path, entry) in files {
        let kind = match entry.kind {
            EntryKind::File => "100644",
            EntryKind::Executable => "100755",
            EntryKind::Symlink => "120000",
            EntryKind::Submodule => "160000",
        };
        let name = match &entry.source {
            Source::Blob(oid) => *oid,
            _ => match reader.bytes(path, entry, MAX_FILE)? {
                Ok(bytes) => repository.blob_id(&bytes),
                Err(unread) => {
                    return Err(Failure::new("file", format!("`{path}` cannot be read: {}", unread.reason()))
                        .help("a tree that cannot be read as a whole is not run and not decided"));
                }
            },
        };
        hasher.update(format!("{kind} {name} {}\0", path.len()));
        hasher.update(path);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
