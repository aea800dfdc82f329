//! Commits that are made of another one and edits, in objects alone: no file of the work tree and no index of the user is touched.

use std::collections::BTreeMap;

use super::{CommitId, GitError, Oid, Repository, run};
use crate::files;

/// One file of the commit that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Executable bit.
    pub executable: bool,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Repository {
    /// A commit on top of `base` with other contents of some files, by path; `None` removes one. No hook runs, and nothing is
    /// signed. The commit is kept as `reference`, below `refs/`, whatever stood there.
    ///
    /// # Errors
    /// When git refuses a path or cannot write.
    pub fn commit_edited(
        &self,
        base: CommitId,
        edits: &BTreeMap<String, Option<Written>>,
        message: &str,
        reference: &str,
    ) -> Result<CommitId, GitError> {
        let failed = |message: String| GitError::Failed { command: "update-index".to_owned(), message };
        let scratch = files::temporary_dir().map_err(|error| failed(error.to_string()))?;
        let index = scratch.path().join("index");
        let in_index = |arguments: &[&str], input: Vec<u8>| {
            let mut command = self.command(arguments.iter().copied());
            command.input = Some(input);
            command.env.insert("GIT_INDEX_FILE".into(), index.clone().into_os_string());
            run(command, &self.cancel, arguments.first().copied().unwrap_or_default())
        };
        in_index(&["read-tree", &base.to_string()], Vec::new())?;
        let mut lines = Vec::new();
        for (path, written) in edits {
            let entry = match written {
                Some(written) => {
                    let blob = self.made(&["hash-object", "-w", "--stdin", "--no-filters"], written.bytes.clone())?;
                    format!("{} {blob}\t", if written.executable { "100755" } else { "100644" })
                }
                None => format!("0 {}\t", "0".repeat(base.oid().as_bytes().len() * 2)),
            };
            lines.extend_from_slice(entry.as_bytes());
            lines.extend_from_slice(path.as_bytes());
            lines.push(0);
        }
        in_index(&["update-index", "-z", "--index-info"], lines)?;
        let tree = in_index(&["write-tree"], Vec::new())?;
        let tree = Oid::parse(String::from_utf8_lossy(&tree).trim());
        let tree = tree.ok_or_else(|| failed("it names no tree".to_owned()))?.to_string();
        let commit = self.made(&["commit-tree", &tree, "-p", &base.to_string()], message.as_bytes().to_vec())?;
        let commit = CommitId(commit);
        self.keep(reference, commit)?;
        Ok(commit)
    }

    /// Keeps a commit as `reference`, below `refs/`, whatever stood there.
    ///
    /// # Errors
    /// When git refuses the name or cannot write.
    pub fn keep(&self, reference: &str, commit: CommitId) -> Result<(), GitError> {
        self.git(["update-ref", "--no-deref", reference, &commit.to_string()])?;
        Ok(())
    }
}
