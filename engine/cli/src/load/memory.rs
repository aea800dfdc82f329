//! What is remembered between runs: facts by content, the contents of a work tree's files by their state, the last plan, and
//! what the store of past runs answered. Everything works without it, and to the same plan.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use grace_engine::input::Input;
use grace_engine::plan::Plan;
use grace_engine::recall::{self, Key};
use grace_graph::facts::{ContentId, Language, ProblemKind};
use grace_graph::store::{Disk, FactStore, MOST_BYTES, TreeMemory};
use grace_store::Store;
use grace_system::files::{self, Stamp};
use grace_system::git::{Answers, CommitId, KnownFile, Names, Oid, Repository, TreeEntry, WorkState, WorkTree};
use grace_system::{clock, env};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::Result;

/// The variable that names another place for what is remembered.
const VARIABLE: &str = "GRACE_RULES_CACHE";

/// Bytes of blobs that are remembered as they are, at most: the old texts of what changed, rules.
const MOST_TEXT: usize = 4 << 20;

/// Bytes of an answer of the store, at most; where it is more, the store is asked each time.
const MOST_ANSWERED: usize = 4 << 20;

/// Whether what earlier runs left may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// It may: for questions. What the index of facts names is believed to be there; where it was not,
    /// [the store has lost](FactStore::has_lost) something, and the question is to be asked again with all of it checked.
    Used,
    /// It may, after a look at every record.
    Checked,
    /// It may not, and nothing is added to it: whoever can write to the cache would otherwise decide. What a false record
    /// would hide is just that the change reaches its file, so no part of it is believed.
    Unused,
}

impl Cache {
    /// For a question, by what the command line says.
    #[must_use]
    pub fn unless(no_cache: bool) -> Self {
        if no_cache { Self::Unused } else { Self::Used }
    }

    /// As [`Cache::unless`], for who does not ask again where something was lost.
    #[must_use]
    pub fn checked_unless(no_cache: bool) -> Self {
        if no_cache { Self::Unused } else { Self::Checked }
    }

    fn place(self) -> Option<PathBuf> {
        match self {
            Self::Used | Self::Checked => env::cache_dir_of("grace-rules", VARIABLE),
            Self::Unused => None,
        }
    }
}

/// What is remembered, and what is to be.
#[derive(Debug)]
pub struct Memory {
    /// Facts of everything that is loaded.
    pub store: Arc<FactStore>,
    /// How far it is believed.
    cache: Cache,
    tree: Option<Arc<TreeMemory>>,
    /// Before anything was looked at, in nanoseconds since 1970.
    moment: i64,
    /// Which program this is; `None` where no plan is to be found again.
    program: Option<(u64, i64, i64, u64)>,
    found: OnceLock<Found>,
    /// Files that were read where only their listing was known.
    read: Mutex<Vec<KnownFile>>,
    listing: OnceLock<(Oid, Vec<TreeEntry>)>,
    /// What git said of the work tree, where it was asked.
    asked: OnceLock<(Repository, Answers)>,
    /// Blobs that an earlier run read one by one.
    texts: OnceLock<Vec<(Oid, Vec<u8>)>>,
    used: Mutex<Used>,
}

/// The state of the program's file, which tells it from any other of its version; `None` where it may be written yet.
fn program(moment: i64) -> Option<(u64, i64, i64, u64)> {
    let stamp = files::stat_through(&env::current_exe().ok()?).ok()?.stamp;
    stamp.is_settled(moment).then_some((stamp.size, stamp.modified, stamp.changed, stamp.inode))
}

/// Blobs that were asked for one by one.
#[derive(Debug, Default)]
struct Used {
    blobs: Vec<(Oid, Vec<u8>)>,
    /// Some were not remembered.
    is_new: bool,
}

/// The files of the work tree.
#[derive(Debug, Default)]
struct Found {
    /// Sorted by path.
    files: Vec<KnownFile>,
    /// Asked for of few blobs, or of none.
    by_blob: OnceLock<HashMap<Oid, usize>>,
    /// Nothing is known of them but what was remembered.
    is_old: bool,
    /// Where contents were not looked at: the files by path, in the state that they were listed in.
    listed: HashMap<String, (Stamp, Option<ContentId>)>,
}

impl Memory {
    /// What is remembered of this work tree; without a repository only facts are.
    #[must_use]
    pub(super) fn open(cache: Cache, root: &Path, repository: Option<&Repository>) -> Self {
        let place = cache.place();
        let mut store = match &place {
            Some(place) => FactStore::over(Disk::open(place, MOST_BYTES)),
            None => FactStore::new(),
        };
        let tree = place.filter(|_| repository.is_some()).map(|place| Arc::new(TreeMemory::open(&place, root)));
        if let Some(tree) = &tree {
            store = store.with_tree(Arc::clone(tree));
        }
        let moment = clock::nanoseconds();
        Self {
            store: Arc::new(store),
            cache,
            moment,
            program: tree.as_ref().and_then(|_| program(moment)),
            tree,
            found: OnceLock::new(),
            read: Mutex::default(),
            listing: OnceLock::new(),
            asked: OnceLock::new(),
            texts: OnceLock::new(),
            used: Mutex::default(),
        }
    }

    /// What a file in this state is remembered to hold. For the hint see [`TreeMemory::names`].
    pub(super) fn names(&self, path: &str, stamp: &Stamp, hint: &mut usize) -> Option<Names> {
        self.tree.as_ref()?.names(path, stamp, hint)
    }

    /// The files of a commit.
    ///
    /// # Errors
    /// When git cannot list them.
    pub(super) fn listing(&self, repository: &Repository, commit: CommitId) -> Result<Vec<TreeEntry>> {
        let Some(tree) = &self.tree else { return Ok(repository.tree(commit)?) };
        if let Some(entries) = tree.listing(commit.oid()) {
            return Ok(entries);
        }
        let entries = repository.tree(commit)?;
        let _the_first_counts = self.listing.set((commit.oid(), entries.clone()));
        Ok(entries)
    }

    /// The commit whose files are remembered.
    pub(super) fn listed_commit(&self) -> Option<Oid> {
        self.tree.as_ref()?.listed_commit()
    }

    /// The files of the work tree, in their state.
    ///
    /// # Errors
    /// When git cannot list them.
    pub(super) fn work_tree(&self, repository: &Repository) -> Result<WorkTree> {
        let mut found = repository.work_tree_as(self.tree.as_ref().and_then(|tree| tree.work()))?;
        if let Some(answers) = found.asked.take().filter(|_| self.tree.is_some()) {
            let _the_first_counts = self.asked.set((repository.clone(), answers));
        }
        Ok(found)
    }

    /// The work tree's files as they were just looked at.
    pub(super) fn looked_at(&self, files: Vec<KnownFile>, some_read: bool) {
        let is_old = !some_read && self.tree.as_ref().is_some_and(|tree| tree.len() == files.len());
        let _the_first_counts = self.found.set(Found { files, is_old, ..Found::default() });
    }

    /// The work tree's files as they were listed, nobody having looked into them.
    pub(super) fn listed(&self, tree: &WorkTree) {
        let (mut found, mut hint) = (Found::default(), 0);
        for file in &tree.files {
            if let WorkState::Present(stat) = file.state
                && stat.kind == files::Kind::File
            {
                let names = self.names(&file.path, &stat.stamp, &mut hint);
                found.listed.insert(file.path.clone(), (stat.stamp, names.map(|names| ContentId(names.content))));
                found.files.extend(names.map(|names| KnownFile { path: file.path.clone(), stamp: stat.stamp, names }));
            }
        }
        let _the_first_counts = self.found.set(found);
    }

    /// The files of the work tree that were looked at, sorted by path.
    pub(super) fn files(&self) -> &[KnownFile] {
        self.found.get().map(|found| found.files.as_slice()).unwrap_or_default()
    }

    /// The content of a file on disk, where it is known without reading.
    pub(super) fn content_on_disk(&self, path: &str) -> Option<ContentId> {
        self.found.get()?.listed.get(path)?.1
    }

    /// A file that had only been listed was read, and found in this state.
    pub(super) fn was_read(
        &self,
        repository: &Repository,
        path: &str,
        stamp: &Stamp,
        content: ContentId,
        bytes: &[u8],
    ) {
        if self.tree.is_some()
            && let Some((listed, _)) = self.found.get().and_then(|found| found.listed.get(path))
            // Still as it was listed, so these are its bytes.
            && listed == stamp
        {
            let names = repository.names_of_content(content.0, bytes);
            let file = KnownFile { path: path.to_owned(), stamp: *stamp, names };
            self.read.lock().unwrap_or_else(PoisonError::into_inner).push(file);
        }
    }

    /// Whether what was read before is told without reading it again.
    pub(super) fn is_believed(&self) -> bool {
        self.cache == Cache::Used
    }

    /// What kept a content from being read as code, where it was read before.
    pub(super) fn read_before(&self, content: ContentId, language: Language) -> Option<Option<ProblemKind>> {
        match self.cache {
            Cache::Used => self.store.knows(content, language),
            Cache::Checked | Cache::Unused => Some(self.store.get(content, language)?.opaque()),
        }
    }

    /// The content of a blob, where it is known without reading.
    pub(super) fn content_of_blob(&self, blob: Oid) -> Option<ContentId> {
        match self.file_with(blob) {
            Some(file) => Some(ContentId(file.names.content)),
            None => self.store.content_of_blob(blob.as_bytes()),
        }
    }

    fn texts(&self) -> &[(Oid, Vec<u8>)] {
        self.texts.get_or_init(|| self.tree.as_ref().map(|tree| tree.blobs()).unwrap_or_default())
    }

    /// Whether a blob was read before.
    pub(super) fn has_text_of(&self, blob: Oid) -> bool {
        self.texts().iter().any(|(name, _)| *name == blob)
    }

    /// A blob of at most `max` bytes that was read before. Its name tells whether it is what it was.
    pub(super) fn text_of(&self, repository: &Repository, blob: Oid, max: u64) -> Option<Vec<u8>> {
        let (_, bytes) = self.texts().iter().find(|(name, bytes)| *name == blob && bytes.len() as u64 <= max)?;
        if repository.blob_id(bytes) != blob {
            return None;
        }
        self.used(blob, bytes, false);
        Some(bytes.clone())
    }

    /// A blob was read by itself: the next run may want it again.
    pub(super) fn used(&self, blob: Oid, bytes: &[u8], is_new: bool) {
        if self.tree.is_none() {
            return;
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let size: usize = used.blobs.iter().map(|(_, bytes)| bytes.len()).sum();
        if size + bytes.len() <= MOST_TEXT && used.blobs.iter().all(|(name, _)| *name != blob) {
            used.blobs.push((blob, bytes.to_vec()));
            used.is_new |= is_new;
        }
    }

    /// A file of the work tree that holds a blob, as far as is known.
    pub(super) fn file_with(&self, blob: Oid) -> Option<&KnownFile> {
        let found = self.found.get().filter(|found| found.listed.is_empty())?;
        let by_blob = || found.files.iter().enumerate().map(|(at, file)| (file.names.blob, at)).collect();
        found.files.get(*found.by_blob.get_or_init(by_blob).get(&blob)?)
    }

    /// Remembers the work tree for the next run. Where that cannot be done, nothing is kept and nothing is said.
    fn keep_tree(&self) {
        let Some(tree) = &self.tree else { return };
        if let Some((commit, entries)) = self.listing.get() {
            tree.keep_listing(*commit, entries);
        }
        if let Some((repository, answers)) = self.asked.get()
            && let Some(listing) = repository.listing(answers, self.moment)
        {
            tree.keep_work(listing);
        }
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        if used.is_new {
            tree.keep_blobs(&used.blobs);
        }
        let Some(found) = self.found.get().filter(|found| !found.is_old) else { return };
        let read = std::mem::take(&mut *self.read.lock().unwrap_or_else(PoisonError::into_inner));
        if read.is_empty() {
            tree.keep_files(&found.files, self.moment, |path| found.listed.contains_key(path));
        } else {
            let all = [found.files.as_slice(), &read].concat();
            tree.keep_files(&all, self.moment, |path| found.listed.contains_key(path));
        }
    }

    /// What names the plan of an input; `None` where none may be found again: only questions look for one, not what decides.
    #[must_use]
    pub fn plan_key(&self, input: &Input) -> Option<Key> {
        let program = self.program.filter(|_| self.cache == Cache::Used)?;
        recall::key(input, &(env!("CARGO_PKG_VERSION"), program))
    }

    /// The plan of this name as it is at a moment, where it was the last that was asked for.
    #[must_use]
    pub fn plan(&self, key: &Key, as_of: i64) -> Option<Plan> {
        recall::plan(&self.tree.as_ref()?.answer("plan", key, recall::MAX_BYTES)?, as_of)
    }

    /// Remembers a plan in place of another.
    pub fn keep_plan(&self, key: &Key, plan: &Plan) {
        if let (Some(tree), Some(bytes)) = (&self.tree, recall::bytes(plan)) {
            tree.keep_answer("plan", key, &bytes);
        }
    }

    /// What names a question to the store in `home`, and the store as it is; `None` where that may be written yet.
    pub(super) fn answer_key(&self, home: &Path, asked: &impl Serialize) -> Option<Key> {
        let database = Store::at(home).database_path();
        let stamp = files::stat(&database).ok()?.stamp;
        let Stamp { size, modified, changed, inode } = stamp;
        // What is there was not taken into the database yet.
        let log = database.with_added_extension("wal");
        if !stamp.is_settled(clock::nanoseconds()) || files::exists(&log) {
            return None;
        }
        let named = postcard::to_stdvec(&(self.program?, (size, modified, changed, inode), asked)).ok()?;
        Some(*blake3::hash(&named).as_bytes())
    }

    /// What the store answered last to a question, if this key names what the answer hangs on.
    pub(super) fn answer<T: DeserializeOwned>(&self, question: &str, key: &Key) -> Option<T> {
        let bytes = self.tree.as_ref()?.answer(question, key, MOST_ANSWERED)?;
        let (answer, rest) = postcard::take_from_bytes(&bytes).ok()?;
        rest.is_empty().then_some(answer)
    }

    /// Remembers that answer in place of another.
    pub(super) fn keep_answer<T: Serialize>(&self, question: &str, key: &Key, answer: &T) {
        if let (Some(tree), Ok(bytes)) = (&self.tree, postcard::to_stdvec(answer))
            && bytes.len() <= MOST_ANSWERED
        {
            tree.keep_answer(question, key, &bytes);
        }
    }

    /// Remembers everything for the next run.
    pub fn keep(&self) {
        self.keep_tree();
        self.store.keep();
    }

    /// Does something, and meanwhile remembers the work tree; facts last, for more may be read until then.
    pub fn kept_while<T>(&self, work: impl FnOnce() -> T) -> T {
        let done = std::thread::scope(|scope| {
            scope.spawn(|| self.keep_tree());
            work()
        });
        self.store.keep();
        done
    }
}
