//! Looking at very many paths below one directory, one question to the system for most of them, and reading them so.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::{FileError, FileErrorKind, Stamp, Stat, at, joined, open, read_whole, stat};
use crate::names;

/// Looks at one path after another below a directory. The directories above a path are looked at once while paths come in
/// order, so that most paths cost one question; those that are known to be there, not at all.
#[derive(Debug)]
pub struct LookIn<'a> {
    root: &'a Path,
    /// The root, held open where the system then need not walk down to it for each path.
    #[cfg(target_os = "linux")]
    open: Option<fs::File>,
    /// Directories that are no links, nor reached through any.
    known: Option<&'a HashSet<&'a str>>,
    /// A directory below the root that is reached without links; empty at first, which is the root.
    sound: String,
}

impl<'a> LookIn<'a> {
    /// Below `root`.
    #[must_use]
    pub fn new(root: &'a Path) -> Self {
        Self {
            root,
            #[cfg(target_os = "linux")]
            open: fs::File::open(root).ok(),
            known: None,
            sound: String::new(),
        }
    }

    /// With directories that were just found to be no links, nor reached through any.
    #[must_use]
    pub fn knowing(self, known: &'a HashSet<&'a str>) -> Self {
        Self { known: Some(known), ..self }
    }

    /// As [`super::stat_in`].
    pub fn stat(&mut self, relative: &str) -> Result<Stat, FileError> {
        match self.reach(relative)? {
            true => self.by_itself(relative),
            false => stat(&self.root.join(relative)),
        }
    }

    /// As [`super::read_in`], with the state that the file was in when all of it was read. Where the system has
    /// `openat2` (Linux) no link is followed that takes the place of a directory meanwhile; elsewhere one is that comes after
    /// the directory was looked at.
    pub fn read(&mut self, relative: &str, max: u64) -> Result<(Vec<u8>, Stamp), FileError> {
        let path = self.root.join(relative);
        let (file, meta) = match self.beneath(&path, relative)? {
            Some(opened) => opened,
            None => {
                // Looked at anew for each file.
                self.sound.clear();
                self.reach(relative)?;
                open(&path, false)?
            }
        };
        let bytes = read_whole(&path, &file, &meta, max)?;
        Ok((bytes, Stamp::of(&at(&path, file.metadata())?)))
    }

    /// A regular file below the root, opened by a system that itself sees to it that no component is a link; `None` where it
    /// does not.
    #[cfg(target_os = "linux")]
    fn beneath(&self, path: &Path, relative: &str) -> Result<Option<(fs::File, fs::Metadata)>, FileError> {
        use rustix::fs::{Mode, OFlags, ResolveFlags};
        use rustix::io::Errno;
        let Some(root) = self.open.as_ref().filter(|_| names::refused(relative).is_none()) else { return Ok(None) };
        // Asked before opening, as everywhere.
        if below(root, relative).is_some_and(|found| found.kind == super::Kind::Other) {
            return Err(FileError::new(path, FileErrorKind::NotAFile));
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let opened = rustix::io::retry_on_intr(|| rustix::fs::openat2(root, relative, flags, Mode::empty(), resolve));
        let file = match opened {
            Ok(file) => fs::File::from(file),
            Err(Errno::LOOP) => return Err(FileError::new(path, FileErrorKind::Link)),
            // Old systems, and sandboxes that do not know it.
            Err(Errno::NOSYS | Errno::PERM) => return Ok(None),
            Err(error) => return Err(FileError::from_io(path, &error.into())),
        };
        let meta = at(path, file.metadata())?;
        if !meta.is_file() {
            return Err(FileError::new(path, FileErrorKind::NotAFile));
        }
        Ok(Some((file, meta)))
    }

    #[cfg(not(target_os = "linux"))]
    fn beneath(&self, _path: &Path, _relative: &str) -> Result<Option<(fs::File, fs::Metadata)>, FileError> {
        Ok(None)
    }

    /// Makes sure that nothing above a path is a link; false where something there is no directory: whoever then asks for what
    /// is below it is told so by the system.
    fn reach(&mut self, relative: &str) -> Result<bool, FileError> {
        if names::refused(relative).is_some() {
            // It says why.
            joined(self.root, relative)?;
        }
        let parent = relative.rfind('/').map_or("", |at| &relative[..at]);
        if parent == self.sound {
            return Ok(true);
        }
        if self.known.is_some_and(|known| known.contains(parent)) {
            parent.clone_into(&mut self.sound);
            return Ok(true);
        }
        self.sound.truncate(shared(&self.sound, parent));
        let new = parent[self.sound.len()..].trim_start_matches('/');
        for component in new.split('/').filter(|component| !component.is_empty()) {
            let above = self.sound.len();
            if above > 0 {
                self.sound.push('/');
            }
            self.sound.push_str(component);
            let path = self.root.join(relative);
            let found = at(&path, fs::symlink_metadata(self.root.join(&self.sound)));
            if found.as_ref().is_ok_and(fs::Metadata::is_dir) {
                continue;
            }
            self.sound.truncate(above);
            if found?.is_symlink() {
                return Err(FileError::new(&path, FileErrorKind::Link));
            }
            return Ok(false);
        }
        Ok(true)
    }

    /// What is at a path that is safe, whatever is above it.
    pub(crate) fn by_itself(&self, relative: &str) -> Result<Stat, FileError> {
        #[cfg(target_os = "linux")]
        if let Some(found) = self.open.as_ref().and_then(|open| below(open, relative)) {
            return Ok(found);
        }
        stat(&self.root.join(relative))
    }
}

/// What is at a path below an open directory; `None` where nothing can be said so.
#[cfg(target_os = "linux")]
fn below(directory: &fs::File, relative: &str) -> Option<Stat> {
    use super::Kind;
    use rustix::fs::{AtFlags, FileType, Mode, Statx, StatxFlags, StatxTimestamp};
    // What a field says that the system does not fill in is nothing.
    let wanted = StatxFlags::BASIC_STATS;
    let found: Statx = rustix::fs::statx(directory, relative, AtFlags::SYMLINK_NOFOLLOW, wanted).ok()?;
    if found.stx_mask & wanted.bits() != wanted.bits() {
        return None;
    }
    let raw = found.stx_mode.into();
    let kind = match FileType::from_raw_mode(raw) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    };
    let nanoseconds =
        |time: StatxTimestamp| time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec.into());
    let stamp = Stamp {
        size: found.stx_size,
        modified: nanoseconds(found.stx_mtime),
        changed: nanoseconds(found.stx_ctime),
        inode: found.stx_ino,
    };
    let executable = kind == Kind::File && Mode::from_raw_mode(raw).contains(Mode::XUSR);
    Some(Stat { kind, size: stamp.size, executable, stamp })
}

/// How many bytes of two paths are the directories that they begin with alike.
fn shared(one: &str, other: &str) -> usize {
    let mut end = 0;
    for (at, (here, there)) in one.split('/').zip(other.split('/')).enumerate() {
        if here != there || here.is_empty() {
            break;
        }
        end += here.len() + usize::from(at > 0);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{stat_in, temporary_dir};

    #[test]
    fn what_is_looked_at_in_a_row_is_what_is_looked_at_alone() {
        let root = temporary_dir().unwrap();
        let write = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        };
        ["a", "b/c", "b/d/e", "b/d/f", "bb/g", "h"].into_iter().for_each(write);
        let mut paths =
            vec!["a", "b", "b/c", "b/d/e", "b/d/f", "b/d", "bb/g", "b/gone", "gone/a", "h", "h/a", "../x", "", "b//c"];
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt as _, symlink};
            symlink("b", root.path().join("link")).unwrap();
            fs::set_permissions(root.path().join("h"), fs::Permissions::from_mode(0o755)).unwrap();
            paths.extend(["link", "link/c", "link/d/e"]);
        }
        let known = HashSet::from(["", "b", "b/d"]);
        let (mut look, mut knowing) = (LookIn::new(root.path()), LookIn::new(root.path()).knowing(&known));
        for path in paths {
            let alone = stat_in(root.path(), path);
            assert_eq!(look.stat(path), alone, "{path}");
            assert_eq!(knowing.stat(path), alone, "{path}");
        }
    }
}
