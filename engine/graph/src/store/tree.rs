//! What is remembered of one work tree: the contents of its files by their state, as git's index has it, and the listing of
//! the commit that it was last compared with.
//!
//! A file is believed to hold what it held while its size, its times and its inode are the same. One that was written only
//! just before it was looked at is not remembered: it may be written once more within one tick of the file system's clock.

use std::path::{Path, PathBuf};

use grace_system::files::{self, FileError, Pieces, Stamp};
use grace_system::git::{Answers, EntryKind, KnownFile, Listing as Listed, Names, Oid, TreeEntry};
use serde::{Deserialize, Serialize};

use crate::graph::IMAGES;
use crate::hash::checksum;

/// What both files begin with; then a checksum of all that follows it.
const MAGIC: &[u8; 16] = b"grace tree 3\0\0\0\0";
const CHECKSUM: usize = 32;
/// Larger files are not read; a path takes about two hundred bytes.
const MAX_BYTES: u64 = 256 << 20;
/// Work trees that are remembered, at most: those that were used last.
const MAX_TREES: usize = 64;
/// Files that a work tree takes, at most: four of its own, and the heads and bodies of its graphs.
const FILES: usize = 4 + 2 * IMAGES;

/// One work tree.
#[derive(Debug)]
pub struct TreeMemory {
    root: PathBuf,
    name: String,
    /// Sorted by path.
    files: Vec<Row>,
}

/// A file, and what it held in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    path: Box<str>,
    size: u64,
    modified: i64,
    changed: i64,
    inode: u64,
    content: [u8; 32],
    blob: Name,
    text: Option<Name>,
    pointer: Option<Name>,
}

/// Git's name of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Name(Box<[u8]>);

/// A commit and all its files.
#[derive(Serialize, Deserialize)]
struct Listing {
    commit: Name,
    files: Vec<(Box<str>, bool, u32, Name)>,
}

/// What git listed of the work tree, and what that hangs on.
#[derive(Serialize, Deserialize)]
struct Work {
    tracked: Vec<u8>,
    untracked: Vec<u8>,
    inside: Vec<(String, State)>,
    outside: Vec<(String, Option<State>)>,
    surroundings: String,
}

/// Size, times and inode.
type State = (u64, i64, i64, u64);

fn state(stamp: Stamp) -> State {
    (stamp.size, stamp.modified, stamp.changed, stamp.inode)
}

fn stamp((size, modified, changed, inode): State) -> Stamp {
    Stamp { size, modified, changed, inode }
}

impl Name {
    fn of(oid: Oid) -> Self {
        Self(oid.as_bytes().into())
    }

    fn oid(&self) -> Option<Oid> {
        Oid::from_bytes(&self.0)
    }
}

impl Row {
    fn of(file: &KnownFile) -> Self {
        let KnownFile { path, stamp, names } = file;
        Self {
            path: path.as_str().into(),
            size: stamp.size,
            modified: stamp.modified,
            changed: stamp.changed,
            inode: stamp.inode,
            content: names.content,
            blob: Name::of(names.blob),
            text: names.text.map(Name::of),
            pointer: names.pointer.map(Name::of),
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp { size: self.size, modified: self.modified, changed: self.changed, inode: self.inode }
    }

    fn names(&self) -> Option<Names> {
        let (text, pointer) = (self.text.as_ref().and_then(Name::oid), self.pointer.as_ref().and_then(Name::oid));
        Some(Names { content: self.content, blob: self.blob.oid()?, text, pointer })
    }
}

impl TreeMemory {
    /// What is remembered below `root` of a work tree; nothing where there is nothing.
    #[must_use]
    pub fn open(root: &Path, work_tree: &Path) -> Self {
        let name = blake3::hash(work_tree.as_os_str().as_encoded_bytes()).to_hex().to_string();
        let mut memory = Self { root: root.to_path_buf(), name, files: Vec::new() };
        memory.files = memory.read("files").unwrap_or_default();
        // Sorted where it was written here; who is found wrong is not found.
        memory
    }

    /// The names of the content of a file in this state.
    #[must_use]
    pub fn names(&self, path: &str, stamp: &Stamp) -> Option<Names> {
        let at = self.files.binary_search_by(|row| row.path.as_ref().cmp(path)).ok()?;
        self.files[at].names().filter(|_| self.files[at].stamp() == *stamp)
    }

    /// Remembers what files held at `moment`, in nanoseconds since 1970, and forgets all others but those that `is_there`.
    pub fn keep_files(&self, known: &[KnownFile], moment: i64, is_there: impl Fn(&str) -> bool) {
        let mut rows: Vec<Row> = known.iter().filter(|file| file.stamp.is_settled(moment)).map(Row::of).collect();
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        let is_known = |path: &str| rows.binary_search_by(|row| row.path.as_ref().cmp(path)).is_ok();
        let others = self.files.iter().filter(|row| is_there(&row.path) && !is_known(&row.path));
        let others: Vec<Row> = others.cloned().collect();
        if !others.is_empty() {
            rows.extend(others);
            rows.sort_by(|a, b| a.path.cmp(&b.path));
        }
        if rows != self.files {
            // Without it everything is as before, only slower.
            let _nothing_kept = self.write("files", &rows);
        }
    }

    /// The files of a commit, if it is the one that is remembered.
    #[must_use]
    pub fn listing(&self, commit: Oid) -> Option<Vec<TreeEntry>> {
        let listing: Listing = self.read("listing")?;
        if listing.commit.oid()? != commit {
            return None;
        }
        let entry = |(path, odd_name, mode, oid): (Box<str>, bool, u32, Name)| {
            let kind = EntryKind::of_mode(mode);
            Some(TreeEntry { path: path.into(), odd_name, mode, oid: oid.oid()?, kind })
        };
        listing.files.into_iter().map(entry).collect()
    }

    /// Remembers the files of a commit in place of those of another.
    pub fn keep_listing(&self, commit: Oid, entries: &[TreeEntry]) {
        let entry = |entry: &TreeEntry| (entry.path.as_str().into(), entry.odd_name, entry.mode, Name::of(entry.oid));
        let listing = Listing { commit: Name::of(commit), files: entries.iter().map(entry).collect() };
        let _nothing_kept = self.write("listing", &listing);
    }

    /// Blobs that were read one by one, by name. Who uses one looks whether it is what its name says.
    #[must_use]
    pub fn blobs(&self) -> Vec<(Oid, Vec<u8>)> {
        let blobs: Vec<(Name, Vec<u8>)> = self.read("blobs").unwrap_or_default();
        blobs.into_iter().filter_map(|(name, bytes)| Some((name.oid()?, bytes))).collect()
    }

    /// Remembers blobs in place of others.
    pub fn keep_blobs(&self, blobs: &[(Oid, Vec<u8>)]) {
        let blobs: Vec<(Name, &[u8])> = blobs.iter().map(|(oid, bytes)| (Name::of(*oid), bytes.as_slice())).collect();
        let _nothing_kept = self.write("blobs", &blobs);
    }

    /// What git listed of the work tree.
    #[must_use]
    pub fn work(&self) -> Option<Listed> {
        let Work { tracked, untracked, inside, outside, surroundings } = self.read("work")?;
        Some(Listed {
            answers: Answers { tracked, untracked },
            inside: inside.into_iter().map(|(path, state)| (path, stamp(state))).collect(),
            outside: outside.into_iter().map(|(path, state)| (path, state.map(stamp))).collect(),
            surroundings,
        })
    }

    /// Remembers what git listed of the work tree.
    pub fn keep_work(&self, listed: Listed) {
        let Listed { answers: Answers { tracked, untracked }, inside, outside, surroundings } = listed;
        let inside = inside.into_iter().map(|(path, stamp)| (path, state(stamp))).collect();
        let outside = outside.into_iter().map(|(path, stamp)| (path, stamp.map(state))).collect();
        let _nothing_kept = self.write("work", &Work { tracked, untracked, inside, outside, surroundings });
    }

    /// The head of the graph of this number.
    pub(crate) fn graph_head(&self, number: usize) -> Option<Vec<u8>> {
        self.read_bytes(&format!("head{number}"))
    }

    /// The body of the graph of this number; the head has its checksums.
    pub(crate) fn graph_body(&self, number: usize) -> Option<Pieces> {
        Pieces::open(&self.path(&format!("graph{number}"))).ok().filter(|body| body.size() <= MAX_BYTES)
    }

    /// Remembers a graph in place of another.
    pub(super) fn keep_graph(&self, number: usize, head: &[u8], body: &[u8]) {
        // The head last: one without its body is worth nothing.
        if self.write_whole(&format!("graph{number}"), body).is_ok() {
            let _nothing_kept = self.write_bytes(&format!("head{number}"), head);
        }
    }

    fn path(&self, what: &str) -> PathBuf {
        self.root.join("trees").join(format!("{}.{what}", self.name))
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, what: &str) -> Option<T> {
        let bytes = self.read_bytes(what)?;
        let (read, rest) = postcard::take_from_bytes(&bytes).ok()?;
        rest.is_empty().then_some(read)
    }

    fn read_bytes(&self, what: &str) -> Option<Vec<u8>> {
        let mut bytes = files::read(&self.path(what), MAX_BYTES).ok()?;
        let (expected, rest) = bytes.strip_prefix(MAGIC)?.split_at_checked(CHECKSUM)?;
        if checksum(rest) != expected {
            return None;
        }
        bytes.drain(..MAGIC.len() + CHECKSUM);
        Some(bytes)
    }

    fn write<T: Serialize>(&self, what: &str, value: &T) -> Result<(), FileError> {
        postcard::to_stdvec(value).map_or(Ok(()), |bytes| self.write_bytes(what, &bytes))
    }

    fn write_bytes(&self, what: &str, rest: &[u8]) -> Result<(), FileError> {
        self.write_whole(what, &[MAGIC.as_slice(), &checksum(rest), rest].concat())
    }

    fn write_whole(&self, what: &str, bytes: &[u8]) -> Result<(), FileError> {
        let directory = self.root.join("trees");
        files::create_dirs(&directory)?;
        super::disk::mark(&self.root)?;
        let path = self.path(what);
        let is_new = !files::exists(&path);
        files::replace_unsynced(&path, bytes)?;
        if is_new {
            forget(&directory);
        }
        Ok(())
    }
}

/// Removes what was not written for longest, where there is too much.
fn forget(directory: &Path) {
    let entries = files::list(directory).unwrap_or_default();
    let mut entries: Vec<(i64, PathBuf)> = entries
        .into_iter()
        .map(|entry| directory.join(entry.name))
        .map(|path| (files::stat(&path).map_or(0, |stat| stat.stamp.modified), path))
        .collect();
    entries.sort();
    let many = entries.len().saturating_sub(FILES * MAX_TREES);
    for (_, path) in &entries[..many] {
        let _left_behind = files::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: &str = "/work";
    /// A moment at which everything below had been as it is for a while.
    const LATER: i64 = 1_000_000_000_000;

    fn oid(number: u8) -> Oid {
        Oid::from_bytes(&[number; 20]).unwrap()
    }

    fn file(path: &str, number: u8) -> KnownFile {
        let names = Names { content: [number; 32], blob: oid(number), text: None, pointer: Some(oid(number + 1)) };
        let stamp = Stamp { size: 1, modified: i64::from(number), changed: 2, inode: 3 };
        KnownFile { path: path.to_owned(), stamp, names }
    }

    fn open(root: &files::TempDir) -> TreeMemory {
        TreeMemory::open(root.path(), Path::new(WORK))
    }

    #[test]
    fn a_file_is_known_in_the_very_state_that_it_was_seen_in() {
        let root = files::temporary_dir().unwrap();
        let (a, b) = (file("b/a.py", 1), file("a.py", 2));
        open(&root).keep_files(&[a.clone(), b.clone()], LATER, |_| false);
        let later = open(&root);
        assert_eq!(later.names("b/a.py", &a.stamp), Some(a.names));
        assert_eq!(later.names("a.py", &b.stamp), Some(b.names));
        assert_eq!(later.names("c.py", &b.stamp), None);
        for stamp in [
            Stamp { size: 2, ..b.stamp },
            Stamp { modified: 3, ..b.stamp },
            Stamp { changed: 3, ..b.stamp },
            Stamp { inode: 4, ..b.stamp },
        ] {
            assert_eq!(later.names("a.py", &stamp), None);
        }
        assert_eq!(TreeMemory::open(root.path(), Path::new("/other")).names("a.py", &b.stamp), None);
    }

    #[test]
    fn what_was_written_just_now_is_not_remembered() {
        let root = files::temporary_dir().unwrap();
        let moment = LATER - 1_000_000_000;
        let settled = file("a.py", 1);
        let mut written = file("b.py", 2);
        written.stamp.modified = moment;
        let mut moved = file("c.py", 3);
        moved.stamp.changed = moment;
        let mut to_come = file("d.py", 4);
        to_come.stamp.modified = i64::MAX;
        let all = [settled.clone(), written.clone(), moved.clone(), to_come.clone()];
        open(&root).keep_files(&all, LATER, |_| false);
        let known: Vec<bool> = all.iter().map(|file| open(&root).names(&file.path, &file.stamp).is_some()).collect();
        assert_eq!(known, [true, false, false, false]);
    }

    #[test]
    fn files_that_went_are_forgotten_and_others_stay() {
        let root = files::temporary_dir().unwrap();
        open(&root).keep_files(&[file("a", 1), file("b", 2), file("c", 3)], LATER, |_| false);
        open(&root).keep_files(&[file("b", 4), file("0", 5)], LATER, |path| path == "c" || path == "b");
        let known = |path, number| open(&root).names(path, &file(path, number).stamp).is_some();
        assert_eq!(
            [known("a", 1), known("b", 2), known("b", 4), known("c", 3), known("0", 5)],
            [false, false, true, true, true]
        );
    }

    #[test]
    fn the_listing_of_the_last_commit_is_remembered() {
        let root = files::temporary_dir().unwrap();
        let entry = |path: &str, mode, odd_name| TreeEntry {
            path: path.to_owned(),
            odd_name,
            mode,
            oid: oid(7),
            kind: EntryKind::of_mode(mode),
        };
        let entries = [
            entry("a", 0o100_644, false),
            entry("b", 0o100_755, true),
            entry("c", 0o120_000, false),
            entry("d", 0o160_000, false),
        ];
        assert_eq!(open(&root).listing(oid(1)), None);
        open(&root).keep_listing(oid(1), &entries);
        assert_eq!(open(&root).listing(oid(1)).as_deref(), Some(&entries[..]));
        assert_eq!(open(&root).listing(oid(2)), None);
    }

    #[test]
    fn what_git_listed_and_single_blobs_are_remembered() {
        let root = files::temporary_dir().unwrap();
        let listed = Listed {
            answers: Answers { tracked: b"H 100644 a".to_vec(), untracked: vec![0xff, 0] },
            inside: vec![("dir".to_owned(), Stamp { size: 1, modified: -2, changed: 3, inode: 4 })],
            outside: vec![("/index".to_owned(), Some(Stamp::default())), ("/none".to_owned(), None)],
            surroundings: "/home".to_owned(),
        };
        let blobs = [(oid(1), b"text".to_vec()), (oid(2), Vec::new())];
        assert_eq!((open(&root).work(), open(&root).blobs()), (None, Vec::new()));
        open(&root).keep_work(listed.clone());
        open(&root).keep_blobs(&blobs);
        assert_eq!(open(&root).work(), Some(listed));
        assert_eq!(open(&root).blobs(), blobs);
    }

    #[test]
    fn a_damaged_memory_is_none() {
        let root = files::temporary_dir().unwrap();
        let one = file("a.py", 1);
        open(&root).keep_files(std::slice::from_ref(&one), LATER, |_| false);
        let path = open(&root).path("files");
        let whole = files::read(&path, u64::MAX).unwrap();
        for at in 0..whole.len() {
            files::write_atomic(&path, &whole[..at]).unwrap();
            assert_eq!(open(&root).names("a.py", &one.stamp), None, "cut at {at}");
            let mut noise = whole.clone();
            noise[at] ^= 1;
            files::write_atomic(&path, &noise).unwrap();
            assert_eq!(open(&root).names("a.py", &one.stamp), None, "noise at {at}");
        }
    }

    #[test]
    fn few_work_trees_are_remembered() {
        let root = files::temporary_dir().unwrap();
        for number in 0..FILES * MAX_TREES + 10 {
            let memory = TreeMemory::open(root.path(), Path::new(&number.to_string()));
            memory.keep_files(&[file("a", 1)], LATER, |_| false);
        }
        assert_eq!(files::list(&root.path().join("trees")).unwrap().len(), FILES * MAX_TREES);
    }
}
