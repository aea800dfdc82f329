//! A history, commit by commit, in one process: each tree is listed and read as far as it differs from the last.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use grace_engine::input::{Book, Input, PastFacts, Tree};
use grace_graph::store::FactStore;
use grace_system::git::{CommitId, Repository, TreeChange};

use super::memory::Cache;
use super::side::{Files, Reader};
use super::{Place, books, change, models, trees};
use crate::failure::Result;
use crate::progress::Progress;

/// Where a history has come to.
pub struct Replay<'a> {
    repository: &'a Repository,
    reader: Reader<'a>,
    /// Stands for the rules of every commit, where there is one.
    rules: Option<Book>,
    as_of: i64,
    at: CommitId,
    /// What the next steps change, as far as it was asked for: by where they come from and go to.
    changes: HashMap<(CommitId, CommitId), Vec<TreeChange>>,
    files: Files,
    tree: Tree,
}

/// Commits whose changes are asked for at once.
const AT_ONCE: usize = 128;

impl<'a> Replay<'a> {
    /// Begins at a commit. `rules` is a directory whose rules judge every step in place of those of its commits.
    ///
    /// # Errors
    /// When git cannot answer, or the directory holds no rules.
    pub fn start(place: &'a Place, at: CommitId, rules: Option<&Path>, as_of: i64, cache: Cache) -> Result<Self> {
        let repository = place.repository()?;
        let rules = rules.map(|directory| books::from_directory(place, directory)).transpose()?;
        let reader = Reader::new(&place.root, Some(repository), cache);
        let files = change::files_of(repository.tree(at)?);
        let tree = trees::read(&reader, &[&files], &Progress::Silent)?.pop().unwrap_or_default();
        let changes = HashMap::new();
        Ok(Self { repository, reader, rules, as_of, at, changes, files, tree })
    }

    /// Where facts are.
    #[must_use]
    pub fn store(&self) -> &Arc<FactStore> {
        &self.reader.memory.store
    }

    /// Remembers what was read, for the next process.
    pub fn keep(&self) {
        self.reader.memory.keep();
    }

    /// The steps along some commits, from where it is: what they change is asked of git for many at once.
    ///
    /// # Errors
    /// When git cannot answer.
    pub fn along(&mut self, commits: &[CommitId], mut each: impl FnMut(&Self, CommitId, Input)) -> Result<()> {
        for part in commits.chunks(AT_ONCE) {
            let line: Vec<CommitId> = std::iter::once(self.at).chain(part.iter().copied()).collect();
            let pairs = line.windows(2).map(|pair| (pair[0], pair[1]));
            // Where that fails, each step asks for itself.
            self.changes = pairs.zip(self.repository.changed_along(&line).unwrap_or_default()).collect();
            for &to in part {
                let input = self.step(to)?;
                each(self, to, input);
            }
        }
        Ok(())
    }

    /// The change to another commit, with everything that judges it; the next step begins there.
    ///
    /// # Errors
    /// When git cannot answer.
    pub fn step(&mut self, to: CommitId) -> Result<Input> {
        let changes = match self.changes.remove(&(self.at, to)) {
            Some(changes) => changes,
            None => self.repository.changed(Some(self.at), to)?,
        };
        let files = std::mem::take(&mut self.files);
        let compared = change::between(&self.reader, files, changes, Vec::new(), false, String::new(), None)?;
        let before = std::mem::take(&mut self.tree);
        let after = self.tree_after(&before, &compared)?;
        let (rules_before, rules_after) = match &self.rules {
            Some(book) => (Some(book.clone()), Some(book.clone())),
            None => books::of_both(&self.reader, &compared.before, &compared.after)?,
        };
        let (mut past, mut problems) = (PastFacts::default(), Vec::new());
        models::fill(&self.reader, &compared.before, &compared.after, &mut past, &mut problems)?;
        books::owners(&self.reader, &compared.before, &mut past, &mut problems)?;
        self.at = to;
        self.files = compared.after;
        self.tree = after.clone();
        let as_of = self.as_of;
        Ok(Input { before, after, change: compared.change, rules_before, rules_after, past, as_of, ..Input::default() })
    }

    /// The tree after a change: what it names is read, and all else is as it was.
    fn tree_after(&self, before: &Tree, compared: &change::Compared) -> Result<Tree> {
        let sides = compared.change.files.iter().flat_map(|file| [&file.before, &file.after]).flatten();
        let named: BTreeSet<&str> = sides.map(|side| &*side.path).collect();
        let entry = |path: &&str| Some(((*path).to_owned(), compared.after.get(*path)?.clone()));
        let fresh: Files = named.iter().filter_map(entry).collect();
        let fresh = trees::read(&self.reader, &[&fresh], &Progress::Silent)?.pop().unwrap_or_default();
        // All three are sorted by path.
        let (mut named, mut fresh) = (named.into_iter().peekable(), fresh.files.into_iter().peekable());
        let mut files = Vec::with_capacity(before.files.len() + fresh.len());
        for file in &before.files {
            while named.next_if(|path| *path < &*file.path).is_some() {}
            let is_named = named.peek().is_some_and(|path| *path == &*file.path);
            while let Some(come) = fresh.next_if(|come| come.path < file.path || is_named && come.path == file.path) {
                files.push(come);
            }
            if !is_named {
                files.push(file.clone());
            }
        }
        files.extend(fresh);
        Ok(Tree { files })
    }
}
