//! What runs saw each test enter, kept beside the journal: read for a plan, made anew by each run that records.
//!
//! A record holds for one tree, whose files it names by content. It is a file of its own, whole or not there: a copy that is
//! damaged, of another version or too large is none, and the one before it counts. DuckDB is not asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use grace_engine::reach::{PastReach, Reach, Seen, TestReach};
use grace_graph::code::PartKey;
use grace_graph::facts::{FileFacts, Language, MAX_PARSED_BYTES};
use grace_graph::store::FactStore;
use grace_runner::RawReach;
use grace_runner::reach::{Code, RawSeen};
use grace_system::git::{EntryKind, Oid, Repository};
use grace_system::{clock, files};
use serde::{Deserialize, Serialize};

use super::side::{Entry, Files, Reader, Source};

/// The folder in the store's.
const FOLDER: &str = "reach";
/// What a record begins with: the form, which any change of [`Kept`] changes.
const MAGIC: &[u8] = b"grace-rules reach 2\n";
/// Largest record that is read, in bytes.
const MAX_BYTES: u64 = 256 << 20;
/// Records that are kept: the newest counts.
const MOST_KEPT: usize = 4;
/// Largest file whose content is looked at, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// The kind of a file and the beginning of its name in git.
type Digest = [u8; 17];
/// The files of a tree by content; what could not be read is missing.
pub type Digests = BTreeMap<String, Digest>;

#[derive(Serialize, Deserialize)]
struct Kept {
    tree: Digests,
    reach: Reach,
}

fn digest(kind: EntryKind, oid: Oid) -> Digest {
    let mut digest = [0; 17];
    digest[0] = match kind {
        EntryKind::File | EntryKind::Executable => 0,
        EntryKind::Symlink => 1,
        EntryKind::Submodule => 2,
    };
    for (to, from) in digest[1..].iter_mut().zip(oid.as_bytes()) {
        *to = *from;
    }
    digest
}

fn digest_of(reader: &Reader<'_>, path: &str, entry: &Entry) -> Option<Digest> {
    if let Source::Blob(oid) = entry.source {
        return Some(digest(entry.kind, oid));
    }
    let bytes = reader.bytes(path, entry, MAX_FILE).ok()?.ok()?;
    Some(digest(entry.kind, reader.repository?.blob_id(&bytes)))
}

/// The newest record that can be read, and where it is out of date for these two sides.
pub(super) fn of(reader: &Reader<'_>, before: &Files, after: &Files) -> Option<PastReach> {
    let kept = read(&super::store_path(reader.repository?))?;
    let mut differs = BTreeSet::new();
    for path in kept.tree.keys().chain(before.keys()).chain(after.keys()) {
        let was = kept.tree.get(path);
        let same = |side: &Files| match side.get(path) {
            Some(entry) => was.is_some_and(|was| digest_of(reader, path, entry).as_ref() == Some(was)),
            None => was.is_none(),
        };
        if !same(before) && !same(after) {
            differs.insert(path.clone());
        }
    }
    Some(PastReach { reach: Arc::new(kept.reach), differs: differs.into_iter().collect() })
}

/// Names of records, the newest first.
fn listed(store: &Path) -> Vec<String> {
    let folder = store.join(FOLDER);
    if !files::is_dir(&folder) {
        return Vec::new();
    }
    let entries = files::list(&folder).unwrap_or_default().into_iter();
    let records = entries.filter(|entry| entry.kind == files::Kind::File && entry.name.ends_with(".reach"));
    let mut names: Vec<String> = records.map(|entry| entry.name).collect();
    names.sort_unstable_by(|left, right| right.cmp(left));
    names
}

fn read(store: &Path) -> Option<Kept> {
    let names = listed(store).into_iter().take(MOST_KEPT);
    names.into_iter().find_map(|name| decode(&files::read(&store.join(FOLDER).join(name), MAX_BYTES).ok()?))
}

fn encode(kept: &Kept) -> Option<Vec<u8>> {
    let body = postcard::to_stdvec(kept).ok()?;
    Some([MAGIC, blake3::hash(&body).as_bytes(), &body].concat())
}

fn decode(bytes: &[u8]) -> Option<Kept> {
    let (digest, body) = bytes.strip_prefix(MAGIC)?.split_at_checked(blake3::OUT_LEN)?;
    if *blake3::hash(body).as_bytes() != *digest {
        return None;
    }
    let (kept, rest) = postcard::take_from_bytes::<Kept>(body).ok()?;
    (rest.is_empty() && kept.reach.is_sound()).then_some(kept)
}

/// The files of the tree that is run in, by content, before it is.
pub fn digests(root: &Path, repository: &Repository, tree: &Files) -> Digests {
    let reader = Reader::new(root, Some(repository), super::Cache::Unused);
    let digest = |(path, entry): (&String, &Entry)| Some((path.clone(), digest_of(&reader, path, entry)?));
    tree.iter().filter_map(digest).collect()
}

/// A tree that was run in.
pub struct Ran<'a> {
    /// Where it stands.
    pub root: &'a Path,
    /// The repository.
    pub repository: &'a Repository,
    /// Its files, as they were before the run.
    pub tree: Digests,
    /// Facts of its files.
    pub store: &'a FactStore,
    /// The run.
    pub run: &'a str,
}

impl Ran<'_> {
    /// What a run saw, by the parts of its tree; why that cannot be told.
    ///
    /// # Errors
    /// When a file changed while it ran.
    pub fn reach(&self, raw: &RawReach) -> Result<Reach, String> {
        let mut facts: BTreeMap<u32, Arc<FileFacts>> = BTreeMap::new();
        for (index, path) in raw.files.iter().enumerate() {
            let (Ok(index), Some(was)) = (u32::try_from(index), self.tree.get(path)) else { continue };
            if Language::of_path(path) != Some(Language::Python) {
                continue;
            }
            let changed = || format!("{path} changed while the tests ran");
            let bytes = files::read_in(self.root, path, MAX_PARSED_BYTES as u64).map_err(|_| changed())?;
            let names = self.repository.names_of(&bytes);
            let is_same = |oid: Oid| digest(EntryKind::File, oid) == *was;
            if !is_same(names.blob) && !names.text.is_some_and(is_same) {
                return Err(changed());
            }
            facts.insert(index, self.store.facts(Language::Python, &bytes));
        }
        // Every code as the parts that it may be.
        let keys: Vec<Vec<PartKey>> = raw
            .codes
            .iter()
            .map(|code| match facts.get(&code.file) {
                Some(facts) => parts_of(&raw.files[code.file as usize], facts, code),
                None => Vec::new(),
            })
            .collect();
        let mut parts: Vec<PartKey> = keys.iter().flatten().cloned().collect();
        parts.sort_unstable();
        parts.dedup();
        let place: HashMap<&PartKey, u32> = parts.iter().zip(0..).collect();
        let mut opened: Vec<&String> = raw.files.iter().filter(|path| self.tree.contains_key(*path)).collect();
        opened.sort_unstable();
        opened.dedup();
        let file = |index: &u32| {
            let found = opened.binary_search(&&raw.files[*index as usize]).ok()?;
            u32::try_from(found).ok()
        };
        let indices = |codes: &[u32]| -> Vec<u32> {
            let found: BTreeSet<u32> =
                codes.iter().flat_map(|code| &keys[*code as usize]).map(|key| place[key]).collect();
            found.into_iter().collect()
        };
        let seen = |raw: &RawSeen| {
            let opened: BTreeSet<u32> = raw.opened.iter().filter_map(file).collect();
            Seen { entered: indices(&raw.entered), opened: opened.into_iter().collect(), unseen: raw.unseen }
        };
        let mut reach = Reach {
            runs: vec![self.run.to_owned()],
            keeps: indices(&raw.keeps),
            hands: indices(&raw.hands),
            outside: seen(&raw.outside),
            unseen: self.unseen(raw),
            ..Reach::default()
        };
        for (index, imported) in &raw.imports {
            let path = &raw.files[*index as usize];
            if self.tree.contains_key(path) {
                reach.imports.insert(path.clone(), seen(imported));
            }
        }
        for (id, (failed, test)) in &raw.tests {
            let file = id.split_once("::").map_or(id.as_str(), |(file, _)| file);
            if self.tree.contains_key(file) {
                reach.tests.insert(id.clone(), TestReach { run: 0, failed: *failed, seen: seen(test) });
            }
        }
        reach.opened = opened.into_iter().cloned().collect();
        reach.parts = parts;
        Ok(reach)
    }

    /// Files of the tree whose code ran unseen: before anybody looked, or a copy of it that lies elsewhere.
    fn unseen(&self, raw: &RawReach) -> Vec<String> {
        let mut by_tail: HashMap<&str, Vec<&String>> = HashMap::new();
        for path in self.tree.keys().filter(|path| path.ends_with(".py")) {
            for tail in tails(path) {
                by_tail.entry(tail).or_default().push(path);
            }
        }
        let early =
            raw.unseen.iter().map(|index| &raw.files[*index as usize]).filter(|path| self.tree.contains_key(*path));
        let copies = raw.files.iter().filter(|path| path.ends_with(".py") && !self.tree.contains_key(*path));
        let mut found: BTreeSet<&String> = early.collect();
        for copy in copies {
            // The longest tail that the tree has, too: `build/lib/pkg/a.py` is a copy of `src/pkg/a.py`.
            let longest = tails(copy).filter(|tail| tail.contains('/')).find_map(|tail| by_tail.get(tail));
            found.extend(longest.into_iter().flatten());
        }
        found.extend(raw.elsewhere.iter().filter_map(|module| by_tail.get(module.as_str())).flatten());
        found.into_iter().cloned().collect()
    }

    /// Keeps a record, beside what still holds of the one before it. `holds` names the tests of that one whose record holds
    /// for this tree.
    ///
    /// # Errors
    /// Why it could not be kept: the one before it counts on.
    pub fn keep(self, new: Vec<Reach>, holds: &BTreeSet<String>) -> Result<(), String> {
        let store = super::store_path(self.repository);
        let mut merged = Reach::default();
        for reach in &new {
            merged.add(reach, |_| true);
        }
        if let Some(old) = read(&store).filter(|_| !holds.is_empty()) {
            let again: BTreeSet<String> = merged.tests.keys().cloned().collect();
            merged.add(&old.reach, |id| holds.contains(id) && !again.contains(id));
        }
        let kept = Kept { tree: self.tree, reach: merged };
        let bytes = encode(&kept).filter(|bytes| bytes.len() as u64 <= MAX_BYTES).ok_or("the record is too large")?;
        let folder = store.join(FOLDER);
        files::create_dirs(&folder).map_err(|error| error.to_string())?;
        let name = format!("{:020}-{}.reach", clock::now().as_nanosecond(), std::process::id());
        files::write_atomic(&folder.join(name), &bytes).map_err(|error| error.to_string())?;
        for old in listed(&store).into_iter().skip(MOST_KEPT) {
            // Whoever else records may have removed it.
            let _gone = files::remove_file(&folder.join(old));
        }
        Ok(())
    }
}

/// A path, and what remains of it without its first steps, one after the other.
fn tails(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.split_once('/').map(|(_, rest)| rest))
}

/// The parts that a code may be: those of its name that begin on its line, else the innermost that holds the line.
fn parts_of(path: &str, facts: &FileFacts, code: &Code) -> Vec<PartKey> {
    let (places, outline) = (&facts.places.parts, &facts.outline);
    let key = |index: usize| {
        let part = &outline.parts[index];
        PartKey {
            path: path.into(),
            name: outline.name(part.local_name).into(),
            kind: part.kind,
            occurrence: part.occurrence,
        }
    };
    let begins = |index: &usize| places[*index].start == code.line || places[*index].def == code.line;
    let all = 0..places.len().min(outline.parts.len());
    let named = |index: &usize| begins(index) && outline.name(outline.parts[*index].name) == code.name;
    let found: Vec<PartKey> = all.clone().filter(named).map(key).collect();
    if !found.is_empty() {
        return found;
    }
    // Enclosing parts come first; the module holds every line.
    let holds = |index: &usize| *index == 0 || (places[*index].start..=places[*index].end).contains(&code.line);
    all.rev().find(holds).map(key).into_iter().collect()
}
