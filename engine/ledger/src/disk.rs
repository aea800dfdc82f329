//! The file operations that a ledger is made of, few enough that a test can let each of them fail.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use grace_system::files::{self, DirEntry, FileError};

/// Held until it is dropped.
pub type Guard = Box<dyn Send>;

/// Files below one directory, by paths with `/` between names. No path leads through a link.
pub trait Disk: fmt::Debug + Send + Sync {
    /// The whole of a file of at most `max` bytes.
    fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, FileError>;
    /// What a directory holds, at most `max` entries.
    fn list(&self, path: &str, max: usize) -> Result<Vec<DirEntry>, FileError>;
    /// Makes a directory and those above it, as `durable` as that is asked for.
    fn make_dir(&self, path: &str, durable: bool) -> Result<(), FileError>;
    /// A new file; with `durable` its content is on disk afterwards, but not yet its name. Nothing may be there.
    fn write(&self, path: &str, bytes: &[u8], durable: bool) -> Result<(), FileError>;
    /// Moves a file to a path where one may be, which it replaces at once.
    fn rename(&self, from: &str, to: &str) -> Result<(), FileError>;
    /// Waits until the names in a directory are on disk.
    fn sync_dir(&self, path: &str) -> Result<(), FileError>;
    /// Removes a file; absent is fine.
    fn remove(&self, path: &str) -> Result<(), FileError>;
    /// Removes a directory if it is empty, and leaves it otherwise.
    fn remove_empty_dir(&self, path: &str) -> Result<(), FileError>;
    /// Waits at most so long for the lock among processes; `None` if another still holds it.
    fn lock(&self, patience: Duration) -> Result<Option<Guard>, FileError>;
}

/// A directory of this machine.
#[derive(Debug)]
pub struct Local {
    dir: PathBuf,
}

impl Local {
    /// The directory `dir`, which need not be there yet.
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf() }
    }

    fn path(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.dir.clone() } else { self.dir.join(path) }
    }
}

impl Disk for Local {
    fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, FileError> {
        files::read_in(&self.dir, path, max)
    }

    fn list(&self, path: &str, max: usize) -> Result<Vec<DirEntry>, FileError> {
        if !path.is_empty() {
            // Refuses a path through links; the directory itself is no link either.
            let stat = files::stat_in(&self.dir, path)?;
            if stat.kind != files::Kind::Directory {
                return Err(FileError { path: self.path(path), kind: files::FileErrorKind::NotFound });
            }
        }
        files::list_at_most(&self.path(path), max)
    }

    fn make_dir(&self, path: &str, durable: bool) -> Result<(), FileError> {
        let dir = self.path(path);
        // Above the ledger's own directory, too: what is in a directory whose name is lost is lost.
        let missing: Vec<&Path> = dir.ancestors().take_while(|above| !files::is_dir(above)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        files::create_dirs(&dir)?;
        for above in missing.into_iter().filter(|_| durable).filter_map(Path::parent) {
            files::sync_directory(if above.as_os_str().is_empty() { Path::new(".") } else { above })?;
        }
        Ok(())
    }

    fn write(&self, path: &str, bytes: &[u8], durable: bool) -> Result<(), FileError> {
        files::write_new(&self.path(path), bytes, durable)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        files::rename(&self.path(from), &self.path(to))
    }

    fn sync_dir(&self, path: &str) -> Result<(), FileError> {
        files::sync_directory(&self.path(path))
    }

    fn remove(&self, path: &str) -> Result<(), FileError> {
        files::remove_file(&self.path(path))
    }

    fn remove_empty_dir(&self, path: &str) -> Result<(), FileError> {
        files::remove_empty_dir(&self.path(path))
    }

    fn lock(&self, patience: Duration) -> Result<Option<Guard>, FileError> {
        let lock = files::lock(&self.path("lock"), patience)?;
        Ok(lock.map(|lock| Box::new(lock) as Guard))
    }
}
