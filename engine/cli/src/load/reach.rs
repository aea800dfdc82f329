//! What runs saw each test enter, kept beside the journal: read for a plan, made anew by each run that records.
//!
//! A record is of one bundle with one command, ran in certain surroundings, and holds for one tree, whose files it names by
//! content. It is a file of its own, whole or not there: a copy that is damaged, of another version or too large is none, and
//! the one before it counts. DuckDB is not asked.

mod surroundings;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use grace_engine::reach::{PastReach, Reach, Seen, TestReach};
use grace_govern::journal::SignedReach;
use grace_graph::code::PartKey;
use grace_graph::facts::{FileFacts, Language, MAX_PARSED_BYTES};
use grace_graph::store::FactStore;
use grace_runner::RawReach;
use grace_runner::reach::{Code, RanBy, RawSeen};
use grace_system::git::{EntryKind, Oid, Repository};
use grace_system::{clock, files};
use serde::{Deserialize, Serialize};

use super::side::{Entry, Files, Reader, Source};
use surroundings::Surroundings;

/// The folder in the store's.
const FOLDER: &str = "reach";
/// What a record begins with: the form, which any change of [`Kept`] changes.
const MAGIC: &[u8] = b"grace-rules reach 4\n";
/// Largest record that is read, in bytes.
const MAX_BYTES: u64 = 256 << 20;
/// Records that are kept of one bundle, command and surroundings: the newest counts.
const MOST_ALIKE: usize = 2;
/// Records that are kept, and that a plan looks at.
const MOST_KEPT: usize = 32;
/// How long a record is kept, in nanoseconds: 90 days.
const LONGEST_KEPT: i128 = 90 * 24 * 3600 * 1_000_000_000;
/// Largest file whose content is looked at, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// The kind of a file and the beginning of its name in git.
type Digest = [u8; 17];
/// The files of a tree by content; what could not be read is missing.
pub type Digests = BTreeMap<String, Digest>;

/// What was run: a bundle by the command that a rule book gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Runs {
    /// The bundle.
    pub bundle: String,
    /// Its command, with `{tests}` and `{junit}`.
    pub run: Vec<String>,
    /// What sets it up.
    pub setup: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    runs: Runs,
    surroundings: Surroundings,
    tree: Digests,
    reach: Reach,
}

/// Hexadecimal digits that name what was run, and those that name its surroundings.
const DIGITS: usize = 32;

/// The name of a record's file: what was run, in what, when, and by which process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    when: String,
    runs: String,
    surroundings: String,
    process: String,
}

impl Name {
    fn of(runs: &Runs, surroundings: &Surroundings) -> Self {
        let digits = |digest: &[u8; 32]| digest.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
        // What cannot be written down has the name of nothing, and is told apart by what the file says.
        let what = blake3::hash(&postcard::to_stdvec(runs).unwrap_or_default());
        Self {
            when: format!("{:020}", clock::now().as_nanosecond()),
            runs: digits(what.as_bytes()),
            surroundings: digits(&surroundings.digest()),
            process: std::process::id().to_string(),
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let mut words = name.strip_suffix(".reach")?.split('-').map(str::to_owned);
        let (runs, surroundings) = (words.next()?, words.next()?);
        let name = Self { runs, surroundings, when: words.next()?, process: words.next()? };
        let is_name = name.runs.len() == DIGITS && name.surroundings.len() == DIGITS;
        (is_name && words.next().is_none() && name.when.parse::<i128>().is_ok()).then_some(name)
    }

    fn file(&self) -> String {
        format!("{}-{}-{}-{}.reach", self.runs, self.surroundings, self.when, self.process)
    }
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

/// Where records lie.
#[must_use]
pub fn folder(repository: &Repository) -> PathBuf {
    super::store_path(repository).join(FOLDER)
}

/// The records that count for two sides.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// Of each bundle and command the newest record of surroundings like those of now, and where it is out of date; where there
    /// is none, the newest of others, which says so.
    pub(super) past: Vec<PastReach>,
    /// Files that had another content than before the change: whether a record is out of date there hangs on the after side.
    pub(super) unlike_before: BTreeSet<String>,
}

/// The records that count for two sides: those alone that a run of this ledger signed for, as whoever can write a file beside it would
/// else say what no test enters.
pub(super) fn of(root: &Path, reader: &Reader<'_>, before: &Files, after: &Files) -> Records {
    let Some(repository) = reader.repository else { return Records::default() };
    let folder = folder(repository);
    let mut found: BTreeMap<Runs, (Kept, Option<&'static str>)> = BTreeMap::new();
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let mut signed = None;
    for name in listed(&folder).iter().filter_map(|name| Name::parse(name)).take(MOST_KEPT) {
        if seen.contains(&(name.runs.clone(), name.surroundings.clone())) {
            continue;
        }
        let Some(bytes) = bytes(&folder, &name) else { continue };
        let signed = signed.get_or_insert_with(|| SignedReach::of(repository));
        let Some(kept) = decode(&bytes).filter(|_| signed.has(&files::sha256(&bytes))) else { continue };
        seen.insert((name.runs, name.surroundings));
        let unlike = kept.surroundings.differs(root, &kept.runs.run);
        match found.get(&kept.runs) {
            Some((_, None)) => {}
            Some(_) if unlike.is_some() => {}
            _ => {
                found.insert(kept.runs.clone(), (kept, unlike));
            }
        }
    }
    let (mut looked_at_before, mut looked_at_after) = (HashMap::new(), HashMap::new());
    let mut records = Records::default();
    for (kept, unlike) in found.into_values() {
        let mut differs = BTreeSet::new();
        let unlike_before = unlike_side(reader, &kept.tree, before, &mut looked_at_before);
        if !unlike_before.is_empty() {
            differs = unlike_side(reader, &kept.tree, after, &mut looked_at_after);
            differs.retain(|path| unlike_before.contains(path));
        }
        records.unlike_before.extend(unlike_before);
        records.past.push(PastReach {
            bundle: kept.runs.bundle,
            run: kept.runs.run,
            setup: kept.runs.setup,
            ran_in: kept.surroundings.digest(),
            unlike: unlike.map(str::to_owned),
            differs: differs.into_iter().collect(),
            reach: Arc::new(kept.reach),
        });
    }
    records
}

/// The files that had another content than on a side. What was looked at on disk is not looked at again.
fn unlike_side<'f>(
    reader: &Reader<'_>,
    tree: &Digests,
    side: &'f Files,
    looked_at: &mut HashMap<&'f str, Option<Digest>>,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in tree.keys().chain(side.keys()) {
        let was = tree.get(path);
        let is_same = match side.get_key_value(path) {
            Some((_, Entry { kind, source: Source::Blob(oid) })) => Some(digest(*kind, *oid)).as_ref() == was,
            Some((path, entry)) => {
                let now = looked_at.entry(path).or_insert_with(|| digest_of(reader, path, entry));
                was.is_some_and(|was| now.as_ref() == Some(was))
            }
            None => was.is_none(),
        };
        if !is_same {
            found.insert(path.clone());
        }
    }
    found
}

/// Names of files of records, of whatever form, the newest first.
fn listed(folder: &Path) -> Vec<String> {
    if !files::is_dir(folder) {
        return Vec::new();
    }
    let entries = files::list(folder).unwrap_or_default().into_iter();
    let records = entries.filter(|entry| entry.kind == files::Kind::File && entry.name.ends_with(".reach"));
    let mut names: Vec<String> = records.map(|entry| entry.name).collect();
    names.sort_by_cached_key(|name| std::cmp::Reverse(Name::parse(name)));
    names
}

fn bytes(folder: &Path, name: &Name) -> Option<Vec<u8>> {
    files::read(&folder.join(name.file()), MAX_BYTES).ok()
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
        let whole: BTreeSet<&String> = raw.whole.iter().map(|index| &raw.files[*index as usize]).collect();
        reach.whole = whole.into_iter().filter(|path| self.tree.contains_key(*path)).cloned().collect();
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

    /// Keeps a record of what was run, beside what still holds of the one that the plan before it was made by. Its SHA-256.
    ///
    /// # Errors
    /// Why it could not be kept: the one before it counts on.
    pub fn keep(&self, runs: Runs, by: &RanBy, new: &[Reach], held: Option<Held<'_>>) -> Result<String, String> {
        let folder = folder(self.repository);
        let mut merged = Reach::default();
        for reach in new {
            merged.add(reach, |_| true);
        }
        let surroundings = Surroundings::of(self.root, &runs.run, by);
        if let Some(held) = held.filter(|held| held.past.ran_in == surroundings.digest()) {
            let again: BTreeSet<String> = merged.tests.keys().cloned().collect();
            merged.add(&held.past.reach, |id| held.tests.contains(id) && !again.contains(id));
        }
        let name = Name::of(&runs, &surroundings);
        let kept = Kept { runs, surroundings, tree: self.tree.clone(), reach: merged };
        let bytes = encode(&kept).filter(|bytes| bytes.len() as u64 <= MAX_BYTES).ok_or("the record is too large")?;
        files::create_dirs(&folder).map_err(|error| error.to_string())?;
        files::write_atomic(&folder.join(name.file()), &bytes).map_err(|error| error.to_string())?;
        for old in superseded(&listed(&folder), clock::now().as_nanosecond()) {
            // Whoever else records may have removed it.
            let _gone = files::remove_file(&folder.join(old));
        }
        Ok(files::sha256(&bytes))
    }
}

/// What of a record goes on: the record that a plan was made by, and the tests of it that still hold.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The record.
    pub past: &'a PastReach,
    /// The tests.
    pub tests: &'a BTreeSet<String>,
}

/// Of files of records, the newest first, those that are kept no longer: older than others of their kind, too old, too many,
/// or of another form.
fn superseded(names: &[String], now: i128) -> Vec<&String> {
    let mut alike: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut kept = 0;
    let is_kept = |name: &&String| {
        let Some(name) = Name::parse(name) else { return false };
        let is_young = name.when.parse::<i128>().is_ok_and(|when| now.saturating_sub(when) <= LONGEST_KEPT);
        let of_kind = alike.entry((name.runs, name.surroundings)).or_default();
        *of_kind += 1;
        let is_wanted = is_young && *of_kind <= MOST_ALIKE && kept < MOST_KEPT;
        kept += usize::from(is_wanted);
        is_wanted
    };
    let mut is_kept = is_kept;
    names.iter().filter(|name| !is_kept(name)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_kept_by_kind_age_and_number() {
        let name = |kind: usize, when: i128| format!("{kind:032}-{kind:032}-{when:020}-1.reach");
        let day = 24 * 3600 * 1_000_000_000_i128;
        let now = 100 * day;
        let newest_first = |mut names: Vec<String>| {
            names.sort_by_cached_key(|name| std::cmp::Reverse(Name::parse(name)));
            names
        };
        let names = newest_first(vec![
            name(1, now),
            name(1, now - 1),
            name(1, now - 2),
            name(2, now - 3),
            name(2, day),
            format!("{now:020}-1.reach"),
        ]);
        let gone: BTreeSet<&String> = superseded(&names, now).into_iter().collect();
        assert_eq!(gone, BTreeSet::from([&name(1, now - 2), &name(2, day), &format!("{now:020}-1.reach")]));
        let many = newest_first((0..MOST_KEPT + 3).map(|kind| name(kind, now - kind as i128)).collect());
        assert_eq!(superseded(&many, now).len(), 3);
    }
}
