//! What is remembered of one work tree: the contents of its files by their state, as git's index has it, the listing of
//! the commit that it was last compared with, what git listed, old texts, both graphs, the plan that was made last, and what
//! the store of past runs answered.
//!
//! A file is believed to hold what it held while its size, its times and its inode are the same. One that was written only
//! just before it was looked at is not remembered: it may be written once more within one tick of the file system's clock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use grace_system::files::{self, FileError, Pieces, Stamp};
use grace_system::git::{Answers, EntryKind, KnownFile, Listing as Listed, Names, Oid, TreeEntry};
use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::graph::IMAGES;
use crate::hash::checksum;

/// What each file begins with; then a checksum of all that follows it.
const MAGIC: &[u8; 16] = b"grace tree 4\0\0\0\0";
const CHECKSUM: usize = 32;
const HEAD: usize = MAGIC.len() + CHECKSUM;
/// Larger files are not read; a path takes about two hundred bytes.
const MAX_BYTES: u64 = 256 << 20;
/// Of so many files one may be edited without being written down at once, and these are together so many bytes at most.
const SHARE_PUT_OFF: usize = 256;
const MOST_BYTES_PUT_OFF: u64 = 1 << 20;
/// How long a file that was edited has rested when it is, in nanoseconds: a minute.
const REST: i64 = 60_000_000_000;
/// Work trees that are remembered, at most: those that something was written of last.
const MAX_TREES: usize = 64;
/// What a work tree's own files are called: what files held, the listing of a commit, old texts, what git said, and answers.
const OWN_FILES: [&str; 8] = ["files", "listing", "blobs", "work", "plan", "timings", "runs", "selections"];
/// Files that a work tree takes, at most: its own, and the heads and bodies of its graphs.
const FILES: usize = OWN_FILES.len() + 2 * IMAGES;

/// One work tree.
#[derive(Debug)]
pub struct TreeMemory {
    root: PathBuf,
    name: String,
    files: Table<FILE>,
    /// The commit whose files are remembered, and the bytes that say so.
    listing: OnceLock<Option<(Oid, Vec<u8>)>>,
}

/// Git's name of an object in a row: how long it is, and zeros behind it. Of length 0 it is none.
const NAME: usize = 33;
/// The state of a file: size, times and inode.
const STATE: usize = 32;
/// What is known of a file in a state: its content, and the names of [`Names`].
const FILE: usize = STATE + 32 + 3 * NAME;
/// A file of a commit: its mode, whether its name is odd, its blob.
const ENTRY: usize = 4 + 1 + NAME;

/// What git listed of the work tree, and what that hangs on.
#[derive(Serialize, Deserialize)]
struct Work<'a> {
    // Bytes that are borrowed are read at once.
    tracked: &'a [u8],
    untracked: &'a [u8],
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

fn name_bytes(oid: Option<Oid>) -> [u8; NAME] {
    let mut bytes = [0; NAME];
    if let Some(oid) = oid {
        let name = oid.as_bytes();
        bytes[0] = name.len() as u8;
        bytes[1..=name.len()].copy_from_slice(name);
    }
    bytes
}

fn oid_of(bytes: &[u8]) -> Option<Oid> {
    Oid::from_bytes(bytes.get(1..=usize::from(*bytes.first()?))?)
}

fn state_bytes(stamp: &Stamp) -> [u8; STATE] {
    let mut bytes = [0; STATE];
    bytes[..8].copy_from_slice(&stamp.size.to_le_bytes());
    bytes[8..16].copy_from_slice(&stamp.modified.to_le_bytes());
    bytes[16..24].copy_from_slice(&stamp.changed.to_le_bytes());
    bytes[24..].copy_from_slice(&stamp.inode.to_le_bytes());
    bytes
}

fn file_bytes(stamp: &Stamp, names: &Names) -> [u8; FILE] {
    let mut bytes = [0; FILE];
    let (state, rest) = bytes.split_at_mut(STATE);
    state.copy_from_slice(&state_bytes(stamp));
    let (content, rest) = rest.split_at_mut(32);
    content.copy_from_slice(&names.content);
    for (to, name) in rest.chunks_exact_mut(NAME).zip([Some(names.blob), names.text, names.pointer]) {
        to.copy_from_slice(&name_bytes(name));
    }
    bytes
}

/// What a file in this state held, by its row.
fn names_of(row: &[u8; FILE], stamp: &Stamp) -> Option<Names> {
    let (state, rest) = row.split_first_chunk::<STATE>()?;
    let (content, rest) = rest.split_first_chunk::<32>()?;
    if *state != state_bytes(stamp) {
        return None;
    }
    let name = |at: usize| oid_of(&rest[at * NAME..]);
    Some(Names { content: *content, blob: name(0)?, text: name(1), pointer: name(2) })
}

fn entry_bytes(entry: &TreeEntry) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    bytes[..4].copy_from_slice(&entry.mode.to_le_bytes());
    bytes[4] = u8::from(entry.odd_name);
    bytes[5..].copy_from_slice(&name_bytes(Some(entry.oid)));
    bytes
}

fn entry_of(path: &[u8], row: &[u8; ENTRY]) -> Option<TreeEntry> {
    let (mode, rest) = row.split_first_chunk::<4>()?;
    let (odd, name) = rest.split_first()?;
    let mode = u32::from_le_bytes(*mode);
    let path = std::str::from_utf8(path).ok()?.to_owned();
    Some(TreeEntry { path, odd_name: *odd != 0, mode, oid: oid_of(name)?, kind: EntryKind::of_mode(mode) })
}

impl TreeMemory {
    /// What is remembered below `root` of a work tree; nothing where there is nothing.
    #[must_use]
    pub fn open(root: &Path, work_tree: &Path) -> Self {
        let name = blake3::hash(work_tree.as_os_str().as_encoded_bytes()).to_hex().to_string();
        let mut memory = Self { root: root.to_path_buf(), name, files: Table::default(), listing: OnceLock::new() };
        memory.files = memory.read_whole("files").and_then(|bytes| Table::parse(bytes, HEAD)).unwrap_or_default();
        memory
    }

    /// The names of the content of a file in this state. Who asks for files in order gives a hint of 0 at first, and then as
    /// it was left.
    #[must_use]
    pub fn names(&self, path: &str, stamp: &Stamp, hint: &mut usize) -> Option<Names> {
        names_of(self.files.find(path, hint)?, stamp)
    }

    /// Of how many files something is remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether nothing is remembered of any file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Remembers what files held at `moment`, in nanoseconds since 1970, and forgets all others but those that `is_there`. While
    /// a few small ones among very many are being edited that is put off: each edit would write down all of them.
    pub fn keep_files(&self, known: &[KnownFile], moment: i64, is_there: impl Fn(&str) -> bool) {
        if self.may_wait(known, moment) {
            return;
        }
        let settled = known.iter().filter(|file| file.stamp.is_settled(moment));
        let mut rows: BTreeMap<&[u8], [u8; FILE]> =
            settled.map(|file| (file.path.as_bytes(), file_bytes(&file.stamp, &file.names))).collect();
        for (path, row) in self.files.iter() {
            if std::str::from_utf8(path).is_ok_and(&is_there) {
                rows.entry(path).or_insert(*row);
            }
        }
        let rows: Vec<_> = rows.into_iter().collect();
        if !self.files.iter().eq(rows.iter().map(|(path, row)| (*path, row))) {
            // Without it everything is as before, only slower.
            let _nothing_kept = self.write_bytes("files", &Table::bytes(&rows));
        }
    }

    /// Whether they are as many as are remembered, and those that are otherwise are few, small and were edited just before
    /// `moment`.
    fn may_wait(&self, known: &[KnownFile], moment: i64) -> bool {
        let (mut edited, mut bytes, mut hint) = (0, 0_u64, 0);
        known.len() == self.len()
            && known.iter().all(|file| {
                if self.names(&file.path, &file.stamp, &mut hint).as_ref() == Some(&file.names) {
                    return true;
                }
                edited += 1;
                bytes = bytes.saturating_add(file.stamp.size);
                let is_resting = file.stamp.modified.max(file.stamp.changed) < moment.saturating_sub(REST);
                !is_resting && edited <= self.len() / SHARE_PUT_OFF && bytes <= MOST_BYTES_PUT_OFF
            })
    }

    /// The files of a commit, if it is the one that is remembered.
    #[must_use]
    pub fn listing(&self, commit: Oid) -> Option<Vec<TreeEntry>> {
        let (_, bytes) = self.known_listing().filter(|(known, _)| *known == commit)?;
        let table = Table::<ENTRY, _>::parse(bytes.as_slice(), HEAD + NAME)?;
        let entries: Vec<TreeEntry> = table.iter().map_while(|(path, row)| entry_of(path, row)).collect();
        (entries.len() == table.len()).then_some(entries)
    }

    /// The commit whose files are remembered.
    #[must_use]
    pub fn listed_commit(&self) -> Option<Oid> {
        self.known_listing().map(|(commit, _)| *commit)
    }

    fn known_listing(&self) -> Option<&(Oid, Vec<u8>)> {
        let read = || self.read_whole("listing").and_then(|bytes| Some((oid_of(&bytes[HEAD..])?, bytes)));
        self.listing.get_or_init(read).as_ref()
    }

    /// Remembers the files of a commit in place of those of another.
    pub fn keep_listing(&self, commit: Oid, entries: &[TreeEntry]) {
        let rows: Vec<_> = entries.iter().map(|entry| (entry.path.as_bytes(), entry_bytes(entry))).collect();
        let listing = [name_bytes(Some(commit)).as_slice(), &Table::bytes(&rows)].concat();
        let _nothing_kept = self.write_bytes("listing", &listing);
    }

    /// Blobs that were read one by one, by name. Who uses one looks whether it is what its name says.
    #[must_use]
    pub fn blobs(&self) -> Vec<(Oid, Vec<u8>)> {
        let Some(bytes) = self.read_whole("blobs") else { return Vec::new() };
        let blobs: Vec<(&[u8], &[u8])> = whole(&bytes[HEAD..]).unwrap_or_default();
        blobs.into_iter().filter_map(|(name, bytes)| Some((Oid::from_bytes(name)?, bytes.to_vec()))).collect()
    }

    /// Remembers blobs in place of others.
    pub fn keep_blobs(&self, blobs: &[(Oid, Vec<u8>)]) {
        let blobs: Vec<(&[u8], &[u8])> = blobs.iter().map(|(oid, bytes)| (oid.as_bytes(), bytes.as_slice())).collect();
        let _nothing_kept = self.write("blobs", &blobs);
    }

    /// What git listed of the work tree.
    #[must_use]
    pub fn work(&self) -> Option<Listed> {
        let bytes = self.read_whole("work")?;
        let Work { tracked, untracked, inside, outside, surroundings } = whole(&bytes[HEAD..])?;
        Some(Listed {
            answers: Answers { tracked: tracked.to_vec(), untracked: untracked.to_vec() },
            inside: inside.into_iter().map(|(path, state)| (path, stamp(state))).collect(),
            outside: outside.into_iter().map(|(path, state)| (path, state.map(stamp))).collect(),
            surroundings,
        })
    }

    /// Remembers what git listed of the work tree.
    pub fn keep_work(&self, listed: Listed) {
        let Listed { answers, inside, outside, surroundings } = listed;
        let Answers { tracked, untracked } = &answers;
        let inside = inside.into_iter().map(|(path, stamp)| (path, state(stamp))).collect();
        let outside = outside.into_iter().map(|(path, stamp)| (path, stamp.map(state))).collect();
        let _nothing_kept = self.write("work", &Work { tracked, untracked, inside, outside, surroundings });
    }

    /// What was answered last to this question, at most `max` bytes, if this key names it: a digest of all that decides it.
    #[must_use]
    pub fn answer(&self, question: &str, key: &[u8; 32], max: usize) -> Option<Vec<u8>> {
        let mut bytes = self.read_up_to(question, (HEAD + key.len() + max) as u64)?;
        let is_named = bytes[HEAD..].starts_with(key);
        is_named.then(|| bytes.split_off(HEAD + key.len()))
    }

    /// Remembers an answer in place of another.
    pub fn keep_answer(&self, question: &str, key: &[u8; 32], answer: &[u8]) {
        let _nothing_kept = self.write_bytes(question, &[key.as_slice(), answer].concat());
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
        let is_counted = OWN_FILES.contains(&what) || what.starts_with("head") || what.starts_with("graph");
        debug_assert!(is_counted, "{what} is no file of a work tree");
        self.root.join("trees").join(format!("{}.{what}", self.name))
    }

    fn read_bytes(&self, what: &str) -> Option<Vec<u8>> {
        let mut bytes = self.read_whole(what)?;
        bytes.drain(..HEAD);
        Some(bytes)
    }

    /// The bytes of a file that is whole, with what it begins with.
    fn read_whole(&self, what: &str) -> Option<Vec<u8>> {
        self.read_up_to(what, MAX_BYTES)
    }

    fn read_up_to(&self, what: &str, max: u64) -> Option<Vec<u8>> {
        let bytes = files::read(&self.path(what), max).ok()?;
        let (expected, rest) = bytes.strip_prefix(MAGIC)?.split_at_checked(CHECKSUM)?;
        (checksum(rest) == expected).then_some(bytes)
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

fn whole<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    let (read, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(read)
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
        assert_eq!(later.names("b/a.py", &a.stamp, &mut 0), Some(a.names));
        assert_eq!(later.names("a.py", &b.stamp, &mut 0), Some(b.names));
        assert_eq!(later.names("c.py", &b.stamp, &mut 0), None);
        for stamp in [
            Stamp { size: 2, ..b.stamp },
            Stamp { modified: 3, ..b.stamp },
            Stamp { changed: 3, ..b.stamp },
            Stamp { inode: 4, ..b.stamp },
        ] {
            assert_eq!(later.names("a.py", &stamp, &mut 0), None);
        }
        assert_eq!(TreeMemory::open(root.path(), Path::new("/other")).names("a.py", &b.stamp, &mut 0), None);
    }

    #[test]
    fn a_few_small_files_among_many_are_written_down_once_they_rest() {
        let root = files::temporary_dir().unwrap();
        let all: Vec<KnownFile> = (0..2 * SHARE_PUT_OFF).map(|number| file(&format!("{number:04}"), 1)).collect();
        let has = |file: &KnownFile| open(&root).names(&file.path, &file.stamp, &mut 0).is_some();
        let keep = |files: &[KnownFile], moment| open(&root).keep_files(files, moment, |_| false);
        keep(&all, LATER);
        let edit = |ats: &[usize], size| {
            let mut edited = all.clone();
            for at in ats {
                edited[*at].stamp = Stamp { size, modified: LATER, ..edited[*at].stamp };
            }
            edited
        };
        let (soon, later) = (LATER + REST, LATER + REST + 1);
        let few = edit(&[7, 8], MOST_BYTES_PUT_OFF / 2);
        keep(&few, soon);
        assert_eq!([has(&all[7]), has(&few[7]), has(&few[9])], [true, false, true], "put off");
        for (what, files, moment) in [
            ("many", edit(&[7, 8, 9], 1), soon),
            ("large", edit(&[7, 8], MOST_BYTES_PUT_OFF / 2 + 1), soon),
            ("resting", few.clone(), later),
            ("one went", few[..few.len() - 1].to_vec(), soon),
        ] {
            keep(&files, moment);
            assert_eq!([has(&all[7]), has(&files[7])], [false, true], "{what}");
            keep(&all, later);
            assert!(has(&all[7]));
        }
        let moved = KnownFile { path: "z".to_owned(), ..all[0].clone() };
        keep(&[&all[1..], std::slice::from_ref(&moved)].concat(), soon);
        assert!(has(&moved), "another path, in a state of long ago");
        keep(&[], soon);
        assert!(!has(&all[9]), "all went");
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
        let known: Vec<bool> =
            all.iter().map(|file| open(&root).names(&file.path, &file.stamp, &mut 0).is_some()).collect();
        assert_eq!(known, [true, false, false, false]);
    }

    #[test]
    fn files_that_went_are_forgotten_and_others_stay() {
        let root = files::temporary_dir().unwrap();
        open(&root).keep_files(&[file("a", 1), file("b", 2), file("c", 3)], LATER, |_| false);
        open(&root).keep_files(&[file("b", 4), file("0", 5)], LATER, |path| path == "c" || path == "b");
        let known = |path, number| open(&root).names(path, &file(path, number).stamp, &mut 0).is_some();
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
            assert_eq!(open(&root).names("a.py", &one.stamp, &mut 0), None, "cut at {at}");
            let mut noise = whole.clone();
            noise[at] ^= 1;
            files::write_atomic(&path, &noise).unwrap();
            assert_eq!(open(&root).names("a.py", &one.stamp, &mut 0), None, "noise at {at}");
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
