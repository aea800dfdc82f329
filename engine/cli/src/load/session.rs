//! A change that is followed while files are saved: loaded once, then kept up to date file by file.
//!
//! What an edit can touch beside the content of files that are there (files that come and go, rules, owners, renames,
//! the commit that is compared with) is loaded anew as a whole; so the plan is always that of a first load.

use std::collections::BTreeSet;
use std::sync::Arc;

use grace_engine::Engine;
use grace_engine::input::TreeFile;
use grace_graph::change::{Change, Content, FileChange};
use grace_graph::facts::{Language, MAX_PARSED_BYTES};
use grace_graph::owners::PLACES;
use grace_system::clock;
use grace_system::files::{self, Kind};
use grace_system::git::EntryKind;
use grace_system::watch::Touched;

use super::memory::Cache;
use super::side::{Entry, Reader, Source};
use super::{Loaded, OWN_RULES, Place, load, trees};
use crate::args::ChangeArgs;
use crate::failure::Result;
use crate::progress::Progress;

/// What became of touched files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// They say what they said, or are no part of the project.
    Nothing,
    /// Files have other contents.
    Edited,
    /// Everything was loaded anew.
    Loaded,
}

/// The comparison of a work tree that goes on.
pub struct Session<'a> {
    place: &'a Place,
    args: &'a ChangeArgs,
    progress: Progress,
    reader: Reader<'a>,
    loaded: Loaded,
    change: Change,
    engine: Engine,
    /// The day of `as_of` for which it was loaded, and whether something touched was not taken in.
    day: i64,
    is_stale: bool,
}

/// One file's other content: in the engine's tree, in the listing, and as a change against the before side.
struct Edit {
    file: TreeFile,
    entry: Entry,
    change: Option<FileChange>,
}

impl<'a> Session<'a> {
    /// Loads the change.
    ///
    /// # Errors
    /// As [`load`].
    pub fn open(place: &'a Place, args: &'a ChangeArgs, progress: Progress) -> Result<Self> {
        // It reads single files; what they say is kept where the whole was loaded.
        let reader = Reader::new(&place.root, place.repository.as_ref().ok(), Cache::Unused);
        let (loaded, change, engine) = whole(place, args, progress)?;
        Ok(Self { place, args, progress, reader, loaded, change, engine, day: today(), is_stale: false })
    }

    /// The engine, which holds the change as it is now.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine with what was loaded, to ask what changes nothing of it.
    pub fn parts(&mut self) -> (&mut Engine, &Loaded) {
        (&mut self.engine, &self.loaded)
    }

    /// What was loaded; its input was given to the engine.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Takes in what was touched.
    ///
    /// # Errors
    /// When git cannot answer. The next time everything is loaded, whatever is touched then.
    pub fn refresh(&mut self, touched: &Touched) -> Result<Refreshed> {
        let was_stale = std::mem::replace(&mut self.is_stale, true);
        // Windows and waivers begin and end with a day.
        let refreshed = if was_stale || touched.many || touched.repository || self.day != today() {
            self.reload()
        } else {
            self.take_in(&touched.files)
        };
        self.is_stale = refreshed.is_err();
        refreshed
    }

    fn take_in(&mut self, touched: &BTreeSet<String>) -> Result<Refreshed> {
        let unknown: BTreeSet<&str> =
            touched.iter().map(String::as_str).filter(|path| !self.loaded.after.contains_key(*path)).collect();
        if !unknown.is_empty() && self.brings_files(&unknown)? {
            return self.reload();
        }
        let mut edits = Vec::new();
        for path in touched.iter().filter(|path| !unknown.contains(path.as_str())) {
            match self.edit(path)? {
                Some(edit) => edits.push(edit),
                None => return self.reload(),
            }
        }
        if edits.is_empty() {
            return Ok(Refreshed::Nothing);
        }
        let mut files = Vec::new();
        for Edit { file, entry, change } in edits {
            let path = file.path.to_string();
            let at =
                self.change.files.iter().position(|known| known.after.as_ref().is_some_and(|at| *at.path == *path));
            match (at, change) {
                (Some(at), Some(change)) => self.change.files[at] = change,
                (Some(at), None) => {
                    self.change.files.remove(at);
                }
                (None, Some(change)) => {
                    let before = |known: &FileChange| path_of(known).is_some_and(|known| known < path.as_str());
                    let at = self.change.files.partition_point(before);
                    self.change.files.insert(at, change);
                }
                (None, None) => {}
            }
            self.loaded.after.insert(path, entry);
            files.push(file);
        }
        if self.engine.edit(&files, self.change.clone()) { Ok(Refreshed::Edited) } else { self.reload() }
    }

    fn reload(&mut self) -> Result<Refreshed> {
        let (loaded, change, engine) = whole(self.place, self.args, self.progress)?;
        self.reader = Reader::new(&self.place.root, self.place.repository.as_ref().ok(), Cache::Unused);
        (self.loaded, self.change, self.engine) = (loaded, change, engine);
        self.day = today();
        Ok(Refreshed::Loaded)
    }

    /// Whether some of these paths, which the comparison does not know, are files of the project now.
    fn brings_files(&self, paths: &BTreeSet<&str>) -> Result<bool> {
        // A directory that comes or goes may be told by its own name alone.
        let had = |path: &&str| {
            let below = format!("{path}/");
            self.loaded.after.range(below.clone()..).next().is_some_and(|(known, _)| known.starts_with(&below))
        };
        if paths.iter().any(had) {
            return Ok(true);
        }
        let there = |path: &&&str| files::stat_in(&self.place.root, path).is_ok();
        let there: Vec<&str> = paths.iter().filter(there).copied().collect();
        Ok(match (there.is_empty(), &self.place.repository) {
            (true, _) => false,
            (false, Ok(repository)) => !repository.not_ignored(&there)?.is_empty(),
            (false, Err(_)) => true,
        })
    }

    /// What a touched file means; `None` where it may mean more than its own content.
    fn edit(&self, path: &str) -> Result<Option<Edit>> {
        let Some(known) = self.loaded.after.get(path) else { return Ok(None) };
        let name = path.rsplit('/').next().unwrap_or(path);
        if path.starts_with(OWN_RULES)
            || PLACES.contains(&path)
            || self.loaded.recorded_otherwise.contains(path)
            || matches!(name, ".gitignore" | ".gitattributes" | ".gitmodules")
            || matches!(known.source, Source::Unreadable(_))
            || !known.is_file()
        {
            return Ok(None);
        }
        let Ok(stat) = files::stat_in(&self.place.root, path) else { return Ok(None) };
        if stat.kind != Kind::File || cfg!(unix) && stat.executable != (known.kind == EntryKind::Executable) {
            return Ok(None);
        }
        let before = self.loaded.before.get(path);
        // A file that came may have come from one that went: which one hangs on what all of them hold.
        let went = |change: &FileChange| match (&change.before, &change.after) {
            (Some(before), Some(after)) => before.path != after.path,
            (before, _) => before.is_some(),
        };
        if before.is_none() && self.change.files.iter().any(went) {
            return Ok(None);
        }
        let entry = Entry { kind: known.kind, source: Source::Disk };
        let after = self.reader.file_side(path, &entry)?;
        let before = before.map(|before| self.reader.file_side(path, before)).transpose()?;
        let same = match before.as_ref().map(|before| (&before.content, before.executable)) {
            None => false,
            // What is compared otherwise than by its text is left to who compares.
            Some((Content::Text(old), _)) if old.starts_with("version https://git-lfs") => {
                return Ok(None);
            }
            Some((Content::TooLarge { .. } | Content::Unknown(_), _)) => return Ok(None),
            // A checkout may write other line ends than the commit has.
            Some((Content::Text(old), executable)) => {
                let is_same = |new: &Content| match new {
                    Content::Text(new) => old == new || new.contains("\r\n") && **old == *new.replace("\r\n", "\n"),
                    _ => false,
                };
                executable == after.executable && is_same(&after.content)
            }
            Some((old, executable)) => *old == after.content && executable == after.executable,
        };
        let content = match Language::reader_of(path) {
            None => grace_engine::input::TreeContent::Other,
            Some(language) => {
                let bytes = self.reader.disk(path, MAX_PARSED_BYTES as u64);
                trees::facts(bytes, language, &self.loaded.memory.store)
            }
        };
        let file = TreeFile { path: Arc::from(path), content };
        let change = (!same).then_some(FileChange { before, after: Some(after), asserted: false });
        Ok(Some(Edit { file, entry, change }))
    }
}

/// Days since 1970, UTC.
fn today() -> i64 {
    clock::now().as_second().div_euclid(86_400)
}

fn path_of(change: &FileChange) -> Option<&str> {
    change.after.as_ref().or(change.before.as_ref()).map(|side| &*side.path)
}

/// Everything, with an engine that holds it.
fn whole(place: &Place, args: &ChangeArgs, progress: Progress) -> Result<(Loaded, Change, Engine)> {
    let cache = Cache::checked_unless(args.no_cache);
    let mut loaded = load(place, args, cache, &progress)?;
    let change = loaded.input.change.clone();
    let mut engine = Engine::new(Arc::clone(&loaded.memory.store));
    engine.update(std::mem::take(&mut loaded.input));
    Ok((loaded, change, engine))
}
