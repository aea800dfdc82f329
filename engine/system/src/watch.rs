//! Tells when files below a directory change.
//!
//! What the system reports is gathered until nothing more comes for a moment: an editor that saves writes several times.
//! It says which paths were touched, not how; who asks looks at them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::names;
use crate::process::Cancel;

/// How long it must be quiet before what was touched is told.
const QUIET: Duration = Duration::from_millis(40);
/// How long is waited for quiet at most: something may be written all the time.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long it is waited for an event before the flag is looked at again.
const TURN: Duration = Duration::from_millis(250);
/// Paths that are told by name; of more it is said that there are many.
const MOST_PATHS: usize = 500;

/// What was touched since the last answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Paths below the root, as [`names::relative`] writes them.
    pub files: BTreeSet<String>,
    /// The index, `HEAD` or a branch of the repository, or something of the folder that counts as these.
    pub repository: bool,
    /// More than can be told, or some of it got lost: anything may have changed.
    pub many: bool,
}

impl Touched {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Watches a work tree and its repository's directory.
#[derive(Debug)]
pub struct Watch {
    root: PathBuf,
    git_dirs: Vec<PathBuf>,
    also: PathBuf,
    events: Receiver<notify::Result<notify::Event>>,
    cancel: Cancel,
    /// How often a mark was set.
    turn: u64,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches `root` and the directories of its repository, which may lie elsewhere. `also` is a folder in one of these that
    /// counts as the repository itself; it may come later.
    ///
    /// # Errors
    /// In words, where the system gives no such service or not for so many directories.
    pub fn new(root: &Path, git_dirs: &[&Path], also: &Path, cancel: &Cancel) -> Result<Self, String> {
        let (send, events) = channel();
        let mut watcher = notify::recommended_watcher(send).map_err(|error| error.to_string())?;
        let outside = git_dirs.iter().filter(|directory| !directory.starts_with(root));
        for directory in std::iter::once(&root).chain(outside) {
            watcher.watch(directory, RecursiveMode::Recursive).map_err(|error| error.to_string())?;
        }
        let git_dirs = git_dirs.iter().map(|directory| directory.to_path_buf()).collect();
        let (root, also) = (root.to_path_buf(), also.to_path_buf());
        Ok(Self { root, git_dirs, also, events, cancel: cancel.clone(), turn: 0, _watcher: watcher })
    }

    /// Waits until something is touched, then until it is quiet; `None` once the flag is set, or nothing can come any more.
    pub fn wait(&mut self) -> Option<Touched> {
        let mut touched = Touched::default();
        let mut first: Option<Instant> = None;
        loop {
            if touched.is_empty() {
                first = None;
            } else if first.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                return Some(touched);
            }
            let wait = if touched.is_empty() { TURN } else { QUIET };
            match self.events.recv_timeout(wait) {
                Ok(event) => self.add(&mut touched, event),
                Err(RecvTimeoutError::Timeout) if !touched.is_empty() => return Some(touched),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
            if self.cancel.is_cancelled() {
                return None;
            }
        }
    }

    /// What was touched until this moment, without waiting for quiet: a file is written below `folder`, which lies in a
    /// directory that is watched, and what the system reports before that file was touched before it.
    pub fn until_now(&mut self, folder: &Path) -> Touched {
        let mut touched = Touched::default();
        self.turn += 1;
        let mark = folder.join(format!("mark-{}-{}", std::process::id(), self.turn));
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&mark, b""));
        // Where nothing can be written or nothing comes back, anything may have changed.
        touched.many = written.is_err();
        let begun = Instant::now();
        while !touched.many {
            match self.events.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                Ok(event) => {
                    let is_mark = event.as_ref().is_ok_and(|event| event.paths.contains(&mark));
                    self.add(&mut touched, event);
                    if is_mark {
                        break;
                    }
                }
                Err(_) => touched.many = true,
            }
        }
        let _left_behind = std::fs::remove_file(&mark);
        touched
    }

    fn add(&self, touched: &mut Touched, event: notify::Result<notify::Event>) {
        let Ok(event) = event else {
            touched.many = true;
            return;
        };
        touched.many |= event.need_rescan();
        // Reading is no change.
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        for path in event.paths {
            if let Some(inside) = self.git_dirs.iter().find_map(|directory| path.strip_prefix(directory).ok()) {
                let first = inside.components().next().map(|first| first.as_os_str().to_string_lossy().into_owned());
                touched.repository |= path.starts_with(&self.also)
                    || first.is_some_and(|first| matches!(&*first, "HEAD" | "index" | "refs" | "packed-refs"));
            } else if let Some((path, _)) = names::relative(&self.root, &path).filter(|(path, _)| !path.is_empty()) {
                if touched.files.len() >= MOST_PATHS {
                    touched.many = true;
                } else {
                    touched.files.insert(path);
                }
            }
        }
    }
}
