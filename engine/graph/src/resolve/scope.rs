//! The names that each scope of a file binds, ready for look-up.

use std::sync::OnceLock;

use rayon::prelude::*;

use crate::code::{FileId, PartKind};
use crate::facts::{ImportForm, NameId, Outline};
use crate::graph::Outlines;
use crate::hash::Keyed;

/// How many files get their room in a table at once.
const ROOM: usize = 256;

/// The scopes of the files of a tree, each made when it is first asked for. Shared by threads.
pub(crate) struct ScopeTable<'a> {
    outlines: &'a Outlines,
    /// They stay with the outlines, for the next tree that has those.
    stay: bool,
    scopes: Vec<OnceLock<Box<[OnceLock<Scopes>]>>>,
}

impl<'a> ScopeTable<'a> {
    /// A table for so many files.
    pub(crate) fn new(outlines: &'a Outlines, files: usize) -> Self {
        let mut scopes = Vec::new();
        scopes.resize_with(files.div_ceil(ROOM), OnceLock::new);
        Self { outlines, stay: false, scopes }
    }

    /// A table of which the scopes stay with the outlines.
    pub(crate) fn staying(outlines: &'a Outlines) -> Self {
        Self { outlines, stay: true, scopes: Vec::new() }
    }

    /// Makes those of all files that there is room for, on all threads: who reads all files together asks for them one by one.
    pub(crate) fn fill(&self) {
        let all = (0..self.scopes.len() * ROOM).into_par_iter();
        all.with_min_len(ROOM / 4).for_each(|file| {
            let _ = self.of(FileId(file as u32));
        });
    }

    /// The scopes of a file with the outline that names them; `None` where nothing was read of it.
    pub(super) fn of(&self, file: FileId) -> Option<(&'a Outline, &Scopes)> {
        let outline = self.outlines.of(file)?;
        if self.stay {
            return Some((outline, self.outlines.scopes(file, || Scopes::new(outline))?));
        }
        let room = self.scopes.get(file.0 as usize / ROOM)?;
        let room = room.get_or_init(|| (0..ROOM).map(|_| OnceLock::new()).collect());
        let scopes = room.get(file.0 as usize % ROOM)?.get_or_init(|| Scopes::new(outline));
        Some((outline, scopes))
    }
}

/// What binds a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binder {
    /// A class or function, by ordinal.
    Part(u32),
    /// An import, by index.
    Import(u32),
    /// A binding, by index.
    Binding(u32),
    /// A variable of the module.
    Variable,
}

/// The scopes of one file: sorted tables over its outline, which look-ups are given again.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    names: Table<Binder>,
    /// By class: its attributes and the indices of their bindings.
    attributes: Table<u32>,
    /// Names bound below the module, and first parameters of methods, by hash; sorted.
    inner: Vec<(u32, NameId)>,
    /// Imports with a star in the module body.
    pub(super) stars: Vec<u32>,
}

impl Scopes {
    fn new(outline: &Outline) -> Self {
        let mut scopes = Self::default();
        for (ordinal, part) in outline.parts.iter().enumerate() {
            if part.kind != PartKind::Module && part.kind != PartKind::File {
                scopes.names.push(outline, part.parent, part.name, Binder::Part(ordinal as u32));
            }
        }
        for (index, import) in outline.imports.iter().enumerate() {
            let index = index as u32;
            let name = match import.form {
                ImportForm::Literal => continue,
                ImportForm::Star => {
                    scopes.stars.push(index);
                    continue;
                }
                ImportForm::From => import.alias.some().unwrap_or(import.name),
                ImportForm::Module => import.alias.some().unwrap_or(import.module),
            };
            scopes.names.push(outline, import.part, name, Binder::Import(index));
        }
        for (index, binding) in outline.bindings.iter().enumerate() {
            let index = index as u32;
            let part = &outline.parts[binding.part as usize];
            if binding.on_self {
                scopes.attributes.push(outline, part.parent, binding.target, index);
            } else {
                scopes.names.push(outline, binding.part, binding.target, Binder::Binding(index));
                if part.kind == PartKind::Class {
                    scopes.attributes.push(outline, binding.part, binding.target, index);
                }
            }
        }
        for name in &outline.module_names {
            scopes.names.push(outline, 0, *name, Binder::Variable);
        }
        let below = scopes.names.entries.iter().filter(|entry| entry.part > 0).map(|entry| (entry.hash, entry.name));
        scopes.inner.extend(below);
        let methods = outline.parts.iter().filter(|part| part.kind == PartKind::Method);
        let receivers = methods.filter_map(|method| outline.list(method.parameters).first());
        scopes.inner.extend(receivers.map(|name| (scopes.names.hash(outline.name(*name)), *name)));
        scopes.inner.sort_unstable();
        scopes.inner.dedup();
        scopes.names.seal(outline.parts.len());
        scopes.attributes.seal(outline.parts.len());
        scopes
    }

    /// What binds a name in a part's own scope.
    pub(super) fn binders<'s>(
        &'s self,
        outline: &'s Outline,
        part: u32,
        name: &'s str,
    ) -> impl Iterator<Item = Binder> + 's {
        self.names.get(outline, part, name)
    }

    /// True for a name that some scope below the module's gives a meaning.
    pub(super) fn binds_inside(&self, outline: &Outline, name: &str) -> bool {
        let hash = self.names.hash(name);
        let from = self.inner.partition_point(|(known, _)| *known < hash);
        self.inner[from..]
            .iter()
            .take_while(|(known, _)| *known == hash)
            .any(|(_, known)| written(outline, *known) == name)
    }

    /// Bindings of an attribute of a class or its instances.
    pub(super) fn attributes<'s>(
        &'s self,
        outline: &'s Outline,
        class: u32,
        name: &'s str,
    ) -> impl Iterator<Item = u32> + 's {
        self.attributes.get(outline, class, name)
    }
}

/// The name that an import, a definition or a binding gives: `import a.b` gives `a`, and no other name has a dot.
fn written(outline: &Outline, name: NameId) -> &str {
    let text = outline.name(name);
    text.split_once('.').map_or(text, |(first, _)| first)
}

/// A name in a part, and what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry<T> {
    part: u32,
    hash: u32,
    of: T,
    name: NameId,
}

/// Entries sorted by part and hash; those of one part and name in order of what they stand for.
#[derive(Debug)]
struct Table<T> {
    entries: Vec<Entry<T>>,
    /// Of each entry's name, side by side: most look-ups find nothing, and read only a line or two of these.
    hashes: Vec<u32>,
    /// `entries[starts[p]..starts[p + 1]]` are those of part `p`.
    starts: Vec<u32>,
    keyed: Keyed,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), hashes: Vec::new(), starts: Vec::new(), keyed: Keyed::default() }
    }
}

impl<T: Copy + Ord> Table<T> {
    fn push(&mut self, outline: &Outline, part: u32, name: NameId, of: T) {
        self.entries.push(Entry { part, hash: self.hash(written(outline, name)), of, name });
    }

    fn hash(&self, name: &str) -> u32 {
        (self.keyed.hash_text(name) >> 32) as u32
    }

    fn seal(&mut self, parts: usize) {
        self.entries.sort_unstable();
        self.entries.shrink_to_fit();
        self.hashes = self.entries.iter().map(|entry| entry.hash).collect();
        self.starts = vec![0; parts + 1];
        for entry in &self.entries {
            if let Some(start) = self.starts.get_mut(entry.part as usize + 1) {
                *start += 1;
            }
        }
        for part in 0..parts {
            self.starts[part + 1] += self.starts[part];
        }
    }

    fn get<'s>(&'s self, outline: &'s Outline, part: u32, name: &'s str) -> impl Iterator<Item = T> + 's {
        let part = part as usize;
        let range = match (self.starts.get(part), self.starts.get(part + 1)) {
            (Some(&start), Some(&end)) => start as usize..end as usize,
            _ => 0..0,
        };
        let (entries, hashes) = (&self.entries[range.clone()], &self.hashes[range]);
        let hash = if hashes.is_empty() { 0 } else { self.hash(name) };
        // Names are compared only where hashes are equal, which is almost never a different name.
        let from = hashes.partition_point(|known| *known < hash);
        entries[from..]
            .iter()
            .take_while(move |entry| entry.hash == hash)
            .filter(move |entry| written(outline, entry.name) == name)
            .map(|entry| entry.of)
    }
}
