//! Files: bounded reads, atomic and appended writes, listings, locks.
//!
//! Reading never blocks on a FIFO and never follows a link that the last component is. [`read_in`]
//! is for paths that came from a repository: no component may be a link. Nothing here watches files.

mod look;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

pub use look::LookIn;
pub use tempfile::TempDir;

use crate::names;

/// Why a file could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The path as it was asked for.
    pub path: PathBuf,
    /// What went wrong.
    pub kind: FileErrorKind,
}

/// The kinds of [`FileError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileErrorKind {
    /// Nothing is there.
    NotFound,
    /// The system forbids it.
    Denied,
    /// The file exceeds the bound.
    TooLarge {
        /// Bytes allowed.
        max: u64,
    },
    /// A directory, FIFO, socket or device.
    NotAFile,
    /// A symbolic link, or a path through one.
    Link,
    /// The path would leave its directory; why.
    Unsafe(&'static str),
    /// Not UTF-8 text.
    NotText,
    /// The disk is full or the quota used up.
    Full,
    /// The file system is mounted read-only.
    ReadOnly,
    /// Anything else, in the system's words.
    Other(String),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.path.display())?;
        match &self.kind {
            FileErrorKind::NotFound => f.write_str("does not exist"),
            FileErrorKind::Denied => f.write_str("may not be accessed (permission denied)"),
            FileErrorKind::TooLarge { max } => write!(f, "is larger than {max} bytes"),
            FileErrorKind::NotAFile => f.write_str("is not a regular file"),
            FileErrorKind::Link => f.write_str("is, or is reached through, a symbolic link"),
            FileErrorKind::Unsafe(reason) => write!(f, "is not a safe path: it {reason}"),
            FileErrorKind::NotText => f.write_str("is not UTF-8 text"),
            FileErrorKind::Full => f.write_str("cannot be written: the disk is full"),
            FileErrorKind::ReadOnly => f.write_str("cannot be written: the file system is read-only"),
            FileErrorKind::Other(message) => write!(f, "cannot be used: {message}"),
        }
    }
}

impl std::error::Error for FileError {}

impl FileError {
    fn new(path: &Path, kind: FileErrorKind) -> Self {
        Self { path: path.to_path_buf(), kind }
    }

    /// Translates what the system said about `path`.
    pub fn from_io(path: &Path, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileErrorKind::NotFound,
            io::ErrorKind::PermissionDenied => FileErrorKind::Denied,
            io::ErrorKind::IsADirectory => FileErrorKind::NotAFile,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FileErrorKind::Full,
            io::ErrorKind::ReadOnlyFilesystem => FileErrorKind::ReadOnly,
            _ => FileErrorKind::Other(error.to_string()),
        };
        Self::new(path, kind)
    }
}

/// `io::Error` with its path.
fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, FileError> {
    result.map_err(|error| FileError::from_io(path, &error))
}

/// The whole of a regular file of at most `max` bytes. A link as last component is followed: for paths that the user gave.
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    read_open(path, max, true)
}

/// As [`read`], as UTF-8 text.
pub fn read_text(path: &Path, max: u64) -> Result<String, FileError> {
    String::from_utf8(read(path, max)?).map_err(|_| FileError::new(path, FileErrorKind::NotText))
}

/// A file at a repository-relative path below `root`; no component may be a link.
pub fn read_in(root: &Path, relative: &str, max: u64) -> Result<Vec<u8>, FileError> {
    let path = resolve_in(root, relative)?;
    read_open(&path, max, false)
}

/// `root/relative`, made sure to be safe and free of links above its last component.
fn resolve_in(root: &Path, relative: &str) -> Result<PathBuf, FileError> {
    let path = joined(root, relative)?;
    let mut parent = root.to_path_buf();
    let mut components = relative.split('/').peekable();
    while let Some(component) = components.next() {
        if components.peek().is_none() {
            break;
        }
        parent.push(component);
        if at(&path, fs::symlink_metadata(&parent))?.is_symlink() {
            return Err(FileError::new(&path, FileErrorKind::Link));
        }
    }
    Ok(path)
}

fn joined(root: &Path, relative: &str) -> Result<PathBuf, FileError> {
    names::join(root, relative)
        .map_err(|reason| FileError::new(&root.join(relative.replace('\0', "")), FileErrorKind::Unsafe(reason)))
}

/// A regular file below `root` for reading, and its size; no component may be a link.
pub(crate) fn open_in(root: &Path, relative: &str) -> Result<(File, fs::Metadata), FileError> {
    open(&resolve_in(root, relative)?, false)
}

fn open(path: &Path, follow: bool) -> Result<(File, fs::Metadata), FileError> {
    // Asked before opening: opening a device can have effects, opening a FIFO can block.
    let before = at(path, if follow { fs::metadata(path) } else { fs::symlink_metadata(path) })?;
    if before.is_symlink() {
        return Err(FileError::new(path, FileErrorKind::Link));
    }
    if !before.is_file() {
        return Err(FileError::new(path, FileErrorKind::NotAFile));
    }
    let mut options = OpenOptions::new();
    options.read(true);
    guard_open(&mut options, follow);
    let file = at(path, options.open(path))?;
    let meta = at(path, file.metadata())?;
    if !meta.is_file() {
        return Err(FileError::new(path, FileErrorKind::NotAFile));
    }
    Ok((file, meta))
}

fn read_open(path: &Path, max: u64, follow: bool) -> Result<Vec<u8>, FileError> {
    let (file, meta) = open(path, follow)?;
    read_whole(path, &file, &meta, max)
}

fn read_whole(path: &Path, file: &File, meta: &fs::Metadata, max: u64) -> Result<Vec<u8>, FileError> {
    if meta.len() > max {
        return Err(FileError::new(path, FileErrorKind::TooLarge { max }));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    // One byte beyond the bound shows a file that grows while it is read.
    at(path, file.take(max.saturating_add(1)).read_to_end(&mut bytes))?;
    if bytes.len() as u64 > max {
        return Err(FileError::new(path, FileErrorKind::TooLarge { max }));
    }
    Ok(bytes)
}

/// If the path was exchanged for a FIFO or a link since it was looked at, opening neither blocks nor follows.
#[cfg(unix)]
fn guard_open(options: &mut OpenOptions, follow: bool) {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = if follow { OFlags::NONBLOCK } else { OFlags::NONBLOCK | OFlags::NOFOLLOW };
    options.custom_flags(flags.bits().cast_signed());
}

#[cfg(not(unix))]
fn guard_open(_options: &mut OpenOptions, _follow: bool) {}

/// What a path is, by itself (a link is a link).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// File, directory, link or something else.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// Whether the owner may execute it; always false where the system has no such bit.
    pub executable: bool,
    /// When it was last changed, as the system tells.
    pub stamp: Stamp,
}

/// What changes when a file's content does: two equal stamps that are not of this moment are of one content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// When the content was written, in nanoseconds since 1970. A program may set it.
    pub modified: i64,
    /// When anything of it was changed, likewise; no program can set it. 0 where the system does not tell.
    pub changed: i64,
    /// Which file of the file system it is; 0 where the system does not tell.
    pub inode: u64,
}

impl Stamp {
    #[cfg(unix)]
    pub(crate) fn of(meta: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            size: meta.len(),
            modified: nanoseconds(meta.mtime(), meta.mtime_nsec()),
            changed: nanoseconds(meta.ctime(), meta.ctime_nsec()),
            inode: meta.ino(),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn of(meta: &fs::Metadata) -> Self {
        let since = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok();
        let modified = meta.modified().ok().and_then(since).and_then(|time| i64::try_from(time.as_nanos()).ok());
        // A time that nobody can tell is of this moment, and believed of no content.
        Self { size: meta.len(), modified: modified.unwrap_or(i64::MAX), changed: 0, inode: 0 }
    }

    /// Whether it had been so for a while at `moment`, in nanoseconds since 1970: a later change would then have another
    /// time, however coarsely the file system counts (FAT: two seconds).
    #[must_use]
    pub fn is_settled(&self, moment: i64) -> bool {
        let latest = self.modified.max(self.changed);
        latest < moment.saturating_sub(2_500_000_000)
    }
}

/// The kinds of directory entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// FIFO, socket, device.
    Other,
}

impl Stat {
    fn of(meta: &fs::Metadata) -> Self {
        let kind = Kind::of(meta.file_type());
        let executable = kind == Kind::File && owner_may_execute(meta);
        Self { kind, size: meta.len(), executable, stamp: Stamp::of(meta) }
    }
}

impl Kind {
    pub(crate) fn of(file_type: fs::FileType) -> Self {
        if file_type.is_symlink() {
            Self::Link
        } else if file_type.is_dir() {
            Self::Directory
        } else if file_type.is_file() {
            Self::File
        } else {
            Self::Other
        }
    }
}

#[cfg(unix)]
pub(crate) fn owner_may_execute(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    meta.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
pub(crate) fn owner_may_execute(_meta: &fs::Metadata) -> bool {
    false
}

/// What is at `path`, without following a link there.
pub fn stat(path: &Path) -> Result<Stat, FileError> {
    Ok(Stat::of(&at(path, fs::symlink_metadata(path))?))
}

/// What is at `path`, at the end of links.
pub fn stat_through(path: &Path) -> Result<Stat, FileError> {
    Ok(Stat::of(&at(path, fs::metadata(path))?))
}

/// What is at a repository-relative path below `root`; no component above it may be a link.
pub fn stat_in(root: &Path, relative: &str) -> Result<Stat, FileError> {
    stat(&resolve_in(root, relative)?)
}

/// The target of a link at a repository-relative path, as bytes with `/` separators.
pub fn link_target_in(root: &Path, relative: &str) -> Result<Vec<u8>, FileError> {
    let path = resolve_in(root, relative)?;
    let target = at(&path, fs::read_link(&path))?.into_os_string().into_encoded_bytes();
    Ok(if cfg!(windows) { target.iter().map(|b| if *b == b'\\' { b'/' } else { *b }).collect() } else { target })
}

/// Whether anything is at `path`, a dangling link included.
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether `path` is a directory, through links.
pub fn is_dir(path: &Path) -> bool {
    path.is_dir()
}

/// `path` made absolute, links resolved.
pub fn canonical(path: &Path) -> Result<PathBuf, FileError> {
    at(path, path.canonicalize())
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// File name, escaped if it is not UTF-8.
    pub name: String,
    /// Whether the name had to be escaped.
    pub odd_name: bool,
    /// What it is.
    pub kind: Kind,
}

/// The entries of a directory, sorted by name.
pub fn list(dir: &Path) -> Result<Vec<DirEntry>, FileError> {
    list_at_most(dir, usize::MAX)
}

/// The first entries that the system names, at most `max`, sorted by name.
pub fn list_at_most(dir: &Path, max: usize) -> Result<Vec<DirEntry>, FileError> {
    let mut entries = Vec::new();
    for entry in at(dir, fs::read_dir(dir))?.take(max) {
        let entry = at(dir, entry)?;
        let (name, odd_name) = names::from_bytes(entry.file_name().as_encoded_bytes());
        entries.push(DirEntry { name, odd_name, kind: Kind::of(at(dir, entry.file_type())?) });
    }
    entries.sort();
    Ok(entries)
}

/// Replaces `path` by `bytes`: readers see the old or the new content, also after a crash.
///
/// The new file takes over the old one's permissions; its directory must exist.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = at(path, tempfile::Builder::new().prefix(".tmp-").tempfile_in(dir))?;
    at(path, file.write_all(bytes))?;
    at(path, set_permissions_like(path, file.as_file()))?;
    at(path, file.as_file().sync_all())?;
    file.persist(path).map_err(|error| FileError::from_io(path, &error.error))?;
    sync_dir(dir);
    Ok(())
}

/// As [`write_atomic`] for files that can be made again: nobody waits for the disk, and only this user may read it. After a
/// crash it may hold anything, so the reader must recognise what it does not hold.
pub fn replace_unsynced(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = at(path, tempfile::Builder::new().prefix(".tmp-").tempfile_in(dir))?;
    at(path, file.write_all(bytes))?;
    file.persist(path).map_err(|error| FileError::from_io(path, &error.error))?;
    Ok(())
}

/// A file that is written piece by piece and only then put where it belongs, as by [`replace_unsynced`].
#[derive(Debug)]
pub struct Replacement {
    path: PathBuf,
    file: io::BufWriter<tempfile::NamedTempFile>,
}

impl Replacement {
    /// An empty one for `path`, whose directory must exist.
    pub fn begin(path: &Path) -> Result<Self, FileError> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = at(path, tempfile::Builder::new().prefix(".tmp-").tempfile_in(dir))?;
        Ok(Self { path: path.to_path_buf(), file: io::BufWriter::with_capacity(1 << 16, file) })
    }

    /// Writes the next piece.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        at(&self.path, self.file.write_all(bytes))
    }

    /// Puts it in place; one that never comes so far leaves nothing behind.
    pub fn finish(self) -> Result<(), FileError> {
        let path = self.path.clone();
        self.finish_as(&path)
    }

    /// As [`Replacement::finish`], under a name of the same directory that was not known when it was begun.
    pub fn finish_as(self, path: &Path) -> Result<(), FileError> {
        let file = at(path, self.file.into_inner().map_err(io::IntoInnerError::into_error))?;
        file.persist(path).map_err(|error| FileError::from_io(path, &error.error))?;
        Ok(())
    }
}

/// A file of which pieces are read, from many threads.
#[derive(Debug)]
pub struct Pieces {
    file: File,
    #[cfg(not(any(unix, windows)))]
    turn: std::sync::Mutex<()>,
    size: u64,
}

impl Pieces {
    /// Opens a regular file that is no link.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let (file, meta) = open(path, false)?;
        Ok(Self {
            file,
            #[cfg(not(any(unix, windows)))]
            turn: std::sync::Mutex::new(()),
            size: meta.len(),
        })
    }

    /// Its size when it was opened, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Exactly `length` bytes from `offset` on; `None` where it has fewer, or cannot be read.
    #[must_use]
    pub fn read(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        // Nothing is set aside for what cannot be there.
        offset.checked_add(length as u64).filter(|end| *end <= self.size)?;
        let mut bytes = vec![0; length];
        self.fill(offset, &mut bytes)?;
        Some(bytes)
    }

    /// Fills a slice from `offset` on; `None` where the file has fewer bytes, or cannot be read.
    #[must_use]
    pub fn fill(&self, offset: u64, bytes: &mut [u8]) -> Option<()> {
        self.read_exact(bytes, offset).ok()
    }

    #[cfg(unix)]
    fn read_exact(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, offset)
    }

    #[cfg(windows)]
    fn read_exact(&self, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.file, bytes, offset)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => {
                    offset += count as u64;
                    bytes = &mut bytes[count..];
                }
            }
        }
        Ok(())
    }

    #[cfg(not(any(unix, windows)))]
    fn read_exact(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        use std::io::Seek as _;
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut file = &self.file;
        file.seek(io::SeekFrom::Start(offset))?;
        file.read_exact(bytes)
    }
}

#[cfg(unix)]
fn set_permissions_like(path: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let permissions = match fs::metadata(path) {
        Ok(meta) => meta.permissions(),
        Err(_) => fs::Permissions::from_mode(0o644),
    };
    file.set_permissions(permissions)
}

#[cfg(not(unix))]
fn set_permissions_like(_path: &Path, _file: &File) -> io::Result<()> {
    Ok(())
}

/// Makes a rename or a new name durable where the system allows it; the content is already synced, so a failure loses no bytes.
fn sync_dir(dir: &Path) {
    let _ = sync_directory(dir);
}

/// Waits until the names in a directory are on disk: what was made, renamed or removed there. Where directories cannot be
/// waited for (Windows), the file system keeps names by a journal of its own, and this does nothing.
pub fn sync_directory(dir: &Path) -> Result<(), FileError> {
    if cfg!(unix) { at(dir, at(dir, File::open(dir))?.sync_all()) } else { Ok(()) }
}

/// A new file at `path` with `bytes`, fails if anything is there; with `durable` it waits until they are on disk. Only the name
/// is left to [`sync_directory`]. After an error or a crash the file may hold any beginning of `bytes`.
pub fn write_new(path: &Path, bytes: &[u8], durable: bool) -> Result<(), FileError> {
    let mut file = at(path, OpenOptions::new().write(true).create_new(true).open(path))?;
    at(path, file.write_all(bytes))?;
    if durable { at(path, file.sync_data()) } else { Ok(()) }
}

/// As [`create_new`], readable by this user alone: on Unix by its mode, on Windows as far as its directory is.
pub fn create_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // What the library makes by itself has mode 0600.
    let mut file = at(path, tempfile::Builder::new().prefix(".tmp-").tempfile_in(dir))?;
    at(path, file.write_all(bytes))?;
    at(path, file.as_file().sync_all())?;
    file.persist_noclobber(path).map_err(|error| FileError::from_io(path, &error.error))?;
    sync_dir(dir);
    Ok(())
}

/// Whether others than its owner may read a file; always false where the system has no such bits.
#[must_use]
pub fn is_open_to_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// A new file at `path` with `bytes`, synced; fails if anything is there.
pub fn create_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tmp-");
    // As any new file: what the user's mask leaves of it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = at(path, builder.tempfile_in(dir))?;
    at(path, file.write_all(bytes))?;
    at(path, file.as_file().sync_all())?;
    file.persist_noclobber(path).map_err(|error| FileError::from_io(path, &error.error))?;
    sync_dir(dir);
    Ok(())
}

/// As [`create_new`] without waiting for the disk, for files that can be made again.
pub(crate) fn create_unsynced(path: &Path, bytes: &[u8], executable: bool) -> Result<(), FileError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if executable { 0o755 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = executable;
    at(path, at(path, options.open(path))?.write_all(bytes))
}

/// Appends `bytes` in one write and waits until they are on disk. The file is created if absent.
///
/// On an error part of `bytes` may have been written: the reader must recognise a truncated record.
pub fn append(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let fresh = !exists(path);
    let mut file = at(path, OpenOptions::new().append(true).create(true).open(path))?;
    at(path, file.write_all(bytes))?;
    at(path, file.sync_data())?;
    if fresh && let Some(dir) = path.parent() {
        sync_dir(dir);
    }
    Ok(())
}

/// A directory and what is missing above it.
pub fn create_dirs(dir: &Path) -> Result<(), FileError> {
    at(dir, fs::create_dir_all(dir))
}

/// Removes a file or link; absent is fine.
pub fn remove_file(path: &Path) -> Result<(), FileError> {
    absent_is_fine(path, fs::remove_file(path))
}

/// Removes a directory with all it holds, never through links; absent is fine.
pub fn remove_dirs(dir: &Path) -> Result<(), FileError> {
    absent_is_fine(dir, fs::remove_dir_all(dir))
}

/// Removes a directory if it is empty; absent or in use is fine.
pub fn remove_empty_dir(dir: &Path) -> Result<(), FileError> {
    match fs::remove_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        result => absent_is_fine(dir, result),
    }
}

fn absent_is_fine(path: &Path, result: io::Result<()>) -> Result<(), FileError> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => at(path, other),
    }
}

/// Moves `from` to `to` in the same file system.
pub fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    at(from, fs::rename(from, to))
}

/// The SHA-256 of `bytes`, hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new directory for temporary files, removed when dropped.
pub fn temporary_dir() -> Result<TempDir, FileError> {
    temporary_dir_in(&std::env::temp_dir())
}

/// As [`temporary_dir`], in a directory.
pub fn temporary_dir_in(dir: &Path) -> Result<TempDir, FileError> {
    at(dir, tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(dir))
}

/// Whether a path is one that [`temporary_dir`] could have given.
pub(crate) fn is_temporary_dir(path: &Path) -> bool {
    let is_named = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(TEMPORARY));
    is_named && path.parent() == Some(&std::env::temp_dir())
}

/// What names of directories for temporary files begin with.
const TEMPORARY: &str = "grace-";

/// An exclusive lock between processes, held until dropped or until the process ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Writes this process's number into the file, for [`holder`].
    pub fn sign(&self) {
        // Whoever cannot be named still holds the lock.
        let _ = self.file.set_len(0).and_then(|()| write!(&self.file, "{}", std::process::id()));
    }
}

impl Drop for Lock {
    /// Closing alone would not do: a process that is just being started has the open file, too, until it runs its program.
    fn drop(&mut self) {
        // Where it cannot be unlocked, closing the file does it.
        let _closed = self.file.unlock();
    }
}

/// The process that signed the lock at `path` last; it holds it, if the lock is taken by one that signs. Unknown where the
/// system lets nobody read what is locked (Windows).
#[must_use]
pub fn holder(path: &Path) -> Option<u32> {
    read_text(path, 20).ok()?.parse().ok()
}

/// Takes the lock at `path` (a file of its own), waiting for it; `None` if another process still holds it after `patience`.
pub fn lock(path: &Path, patience: std::time::Duration) -> Result<Option<Lock>, FileError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    guard_open(&mut options, false);
    let file = at(path, options.open(path))?;
    let started = crate::clock::Stopwatch::start();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(Lock { file })),
            Err(fs::TryLockError::WouldBlock) if started.elapsed() >= patience => return Ok(None),
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_millis(5)),
            Err(fs::TryLockError::Error(error)) => return Err(FileError::from_io(path, &error)),
        }
    }
}
