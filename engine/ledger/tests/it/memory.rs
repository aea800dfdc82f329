//! A disk in memory that can be looked at, changed, made to fail, and that forgets what was not synced when its power is cut.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grace_ledger::{Disk, Guard, Ledger};
use grace_system::files::{DirEntry, FileError, FileErrorKind, Kind};

/// Files by path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What happens at one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It fails and does nothing.
    Fails,
    /// The disk is full: of what is written the first half is there.
    Full,
    /// The process ends before it.
    Dies,
    /// The process ends in the middle of it: of what is written the first half is there.
    DiesHalfway,
}

/// A disk in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// As programs see it.
    files: BTreeMap<String, Inode>,
    /// The names that are on disk.
    kept: BTreeMap<String, Inode>,
    /// Operations so far.
    operations: u64,
    /// What happens at which operation.
    trouble: Option<(u64, Trouble)>,
    is_dead: bool,
    /// Whether operations that only read count, too.
    reads_count: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inode {
    bytes: Vec<u8>,
    is_synced: bool,
}

impl Memory {
    pub(crate) fn holding(files: &Files) -> Arc<Self> {
        let inodes = files.iter().map(|(path, bytes)| (path.clone(), Inode { bytes: bytes.clone(), is_synced: true }));
        let files: BTreeMap<String, Inode> = inodes.collect();
        let state = State { kept: files.clone(), files, ..State::default() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    pub(crate) fn ledger(self: &Arc<Self>) -> Ledger {
        Ledger::on(Arc::<Self>::clone(self), Path::new("memory"))
    }

    pub(crate) fn files(&self) -> Files {
        self.state().files.iter().map(|(path, inode)| (path.clone(), inode.bytes.clone())).collect()
    }

    /// Lets something happen at the operation with this number from now on, 0 being the next.
    pub(crate) fn trouble(&self, after: u64, what: Trouble, reads_count: bool) {
        let mut state = self.state();
        state.trouble = Some((state.operations + after, what));
        state.reads_count = reads_count;
    }

    /// Whether the trouble came.
    pub(crate) fn came(&self) -> bool {
        self.state().trouble.is_none()
    }

    /// Starts again after the process ended. With `power_cut`, of each name either what was synced or what was seen is there,
    /// and of content that was not synced a part: which, `choice` decides.
    pub(crate) fn restart(&self, power_cut: Option<u64>) {
        let mut state = self.state();
        state.is_dead = false;
        state.trouble = None;
        let Some(mut choice) = power_cut else { return };
        // xorshift64: any sequence will do that is the same each time.
        let mut next = move || {
            choice ^= choice << 13;
            choice ^= choice >> 7;
            choice ^= choice << 17;
            choice
        };
        let paths: BTreeSet<String> = state.files.keys().chain(state.kept.keys()).cloned().collect();
        let mut after = BTreeMap::new();
        for path in paths {
            let from = if next() % 2 == 0 { &state.kept } else { &state.files };
            if let Some(inode) = from.get(&path) {
                let mut inode = inode.clone();
                if !inode.is_synced {
                    let length = next() as usize % (inode.bytes.len() + 1);
                    inode.bytes.truncate(length);
                }
                inode.is_synced = true;
                after.insert(path, inode);
            }
        }
        state.kept = after.clone();
        state.files = after;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation, and says what is to happen in place of it.
    fn begin(&self, path: &str, is_read: bool) -> Result<(MutexGuard<'_, State>, Option<FileError>), FileError> {
        let mut state = self.state();
        if state.is_dead {
            return Err(error(path, FileErrorKind::Other("the process has ended".to_owned())));
        }
        if is_read && !state.reads_count {
            return Ok((state, None));
        }
        let now = state.operations;
        state.operations += 1;
        let Some((_, what)) = state.trouble.filter(|(at, _)| *at == now) else { return Ok((state, None)) };
        state.trouble = None;
        let failed = match what {
            Trouble::Fails | Trouble::Dies => FileErrorKind::Other("input/output error".to_owned()),
            Trouble::Full | Trouble::DiesHalfway => FileErrorKind::Full,
        };
        state.is_dead = matches!(what, Trouble::Dies | Trouble::DiesHalfway);
        let failed = error(path, failed);
        match what {
            Trouble::Fails | Trouble::Dies => Err(failed),
            Trouble::Full | Trouble::DiesHalfway => Ok((state, Some(failed))),
        }
    }
}

fn error(path: &str, kind: FileErrorKind) -> FileError {
    FileError { path: PathBuf::from(path), kind }
}

impl Disk for Memory {
    fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, FileError> {
        let (state, failed) = self.begin(path, true)?;
        if let Some(failed) = failed {
            return Err(failed);
        }
        match state.files.get(path) {
            Some(inode) if inode.bytes.len() as u64 > max => Err(error(path, FileErrorKind::TooLarge { max })),
            Some(inode) => Ok(inode.bytes.clone()),
            None => Err(error(path, FileErrorKind::NotFound)),
        }
    }

    fn list(&self, path: &str, max: usize) -> Result<Vec<DirEntry>, FileError> {
        let (state, failed) = self.begin(path, true)?;
        if let Some(failed) = failed {
            return Err(failed);
        }
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let mut entries = BTreeMap::new();
        for below in state.files.keys().filter_map(|name| name.strip_prefix(&prefix)) {
            match below.split_once('/') {
                Some((dir, _)) => entries.insert(dir.to_owned(), Kind::Directory),
                None => entries.insert(below.to_owned(), Kind::File),
            };
        }
        if entries.is_empty() && !path.is_empty() {
            return Err(error(path, FileErrorKind::NotFound));
        }
        Ok(entries.into_iter().take(max).map(|(name, kind)| DirEntry { name, odd_name: false, kind }).collect())
    }

    fn make_dir(&self, path: &str, _durable: bool) -> Result<(), FileError> {
        self.begin(path, false)?.1.map_or(Ok(()), Err)
    }

    fn write(&self, path: &str, bytes: &[u8], durable: bool) -> Result<(), FileError> {
        let (mut state, failed) = self.begin(path, false)?;
        if state.files.contains_key(path) {
            return Err(error(path, FileErrorKind::Other("it is there".to_owned())));
        }
        let written = if failed.is_some() { &bytes[..bytes.len() / 2] } else { bytes };
        let inode = Inode { bytes: written.to_vec(), is_synced: durable && failed.is_none() };
        state.files.insert(path.to_owned(), inode);
        failed.map_or(Ok(()), Err)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        let (mut state, failed) = self.begin(from, false)?;
        if let Some(failed) = failed {
            return Err(failed);
        }
        let inode = state.files.remove(from).ok_or_else(|| error(from, FileErrorKind::NotFound))?;
        state.files.insert(to.to_owned(), inode);
        Ok(())
    }

    fn sync_dir(&self, path: &str) -> Result<(), FileError> {
        let (mut state, failed) = self.begin(path, false)?;
        if let Some(failed) = failed {
            return Err(failed);
        }
        let dir = |name: &str| name.rsplit_once('/').map_or("", |(dir, _)| dir) == path;
        state.kept.retain(|name, _| !dir(name));
        let seen: Vec<_> =
            state.files.iter().filter(|(name, _)| dir(name)).map(|(a, b)| (a.clone(), b.clone())).collect();
        state.kept.extend(seen);
        Ok(())
    }

    fn remove(&self, path: &str) -> Result<(), FileError> {
        let (mut state, failed) = self.begin(path, false)?;
        if let Some(failed) = failed {
            return Err(failed);
        }
        state.files.remove(path);
        Ok(())
    }

    fn remove_empty_dir(&self, path: &str) -> Result<(), FileError> {
        self.begin(path, false)?.1.map_or(Ok(()), Err)
    }

    fn lock(&self, _patience: Duration) -> Result<Option<Guard>, FileError> {
        // Tests that append from several threads use files.
        Ok(Some(Box::new(())))
    }
}
