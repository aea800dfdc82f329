//! The names that each scope of a file binds, ready for look-up.

use crate::code::PartKind;
use crate::facts::{ImportForm, Outline};
use crate::hash::Keyed;

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

/// The scopes of one file: sorted tables over its outline.
#[derive(Debug, Default)]
pub(super) struct Scopes<'a> {
    names: Table<'a, Binder>,
    /// By class: its attributes and the indices of their bindings.
    attributes: Table<'a, u32>,
    /// Names bound below the module, and first parameters of methods; sorted.
    inner: Vec<&'a str>,
    /// Imports with a star in the module body.
    pub(super) stars: Vec<u32>,
}

impl<'a> Scopes<'a> {
    pub(super) fn new(outline: &'a Outline) -> Self {
        let mut scopes = Self::default();
        for (ordinal, part) in outline.parts.iter().enumerate() {
            if part.kind != PartKind::Module && part.kind != PartKind::File {
                scopes.names.push(part.parent, outline.name(part.name), Binder::Part(ordinal as u32));
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
                ImportForm::From => outline.name(import.alias.some().unwrap_or(import.name)),
                ImportForm::Module => match import.alias.some() {
                    Some(alias) => outline.name(alias),
                    None => {
                        let module = outline.name(import.module);
                        module.split('.').next().unwrap_or(module)
                    }
                },
            };
            scopes.names.push(import.part, name, Binder::Import(index));
        }
        for (index, binding) in outline.bindings.iter().enumerate() {
            let index = index as u32;
            let target = outline.name(binding.target);
            let part = &outline.parts[binding.part as usize];
            if binding.on_self {
                scopes.attributes.push(part.parent, target, index);
            } else {
                scopes.names.push(binding.part, target, Binder::Binding(index));
                if part.kind == PartKind::Class {
                    scopes.attributes.push(binding.part, target, index);
                }
            }
        }
        for name in &outline.module_names {
            scopes.names.push(0, outline.name(*name), Binder::Variable);
        }
        scopes.inner.extend(scopes.names.entries.iter().filter(|entry| entry.part > 0).map(|entry| entry.name));
        let methods = outline.parts.iter().filter(|part| part.kind == PartKind::Method);
        let receivers = methods.filter_map(|method| outline.list(method.parameters).first());
        scopes.inner.extend(receivers.map(|name| outline.name(*name)));
        scopes.inner.sort_unstable();
        scopes.inner.dedup();
        scopes.names.seal(outline.parts.len());
        scopes.attributes.seal(outline.parts.len());
        scopes
    }

    /// What binds a name in a part's own scope.
    pub(super) fn binders(&self, part: u32, name: &str) -> &[Entry<'a, Binder>] {
        self.names.get(part, name)
    }

    /// True for a name that some scope below the module's gives a meaning.
    pub(super) fn binds_inside(&self, name: &str) -> bool {
        self.inner.binary_search(&name).is_ok()
    }

    /// Bindings of an attribute of a class or its instances.
    pub(super) fn attributes(&self, class: u32, name: &str) -> &[Entry<'a, u32>] {
        self.attributes.get(class, name)
    }
}

/// A name in a part, and what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry<'a, T> {
    part: u32,
    hash: u32,
    name: &'a str,
    pub(super) of: T,
}

/// Entries sorted by part, hash and name.
#[derive(Debug)]
struct Table<'a, T> {
    entries: Vec<Entry<'a, T>>,
    /// Of each entry's name, side by side: most look-ups find nothing, and read only a line or two of these.
    hashes: Vec<u32>,
    /// `entries[starts[p]..starts[p + 1]]` are those of part `p`.
    starts: Vec<u32>,
    keyed: Keyed,
}

impl<T> Default for Table<'_, T> {
    fn default() -> Self {
        Self { entries: Vec::new(), hashes: Vec::new(), starts: Vec::new(), keyed: Keyed::default() }
    }
}

impl<'a, T: Copy + Ord> Table<'a, T> {
    fn push(&mut self, part: u32, name: &'a str, of: T) {
        self.entries.push(Entry { part, hash: self.hash(name), name, of });
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

    fn get(&self, part: u32, name: &str) -> &[Entry<'a, T>] {
        let part = part as usize;
        let (Some(&start), Some(&end)) = (self.starts.get(part), self.starts.get(part + 1)) else { return &[] };
        if start == end {
            return &[];
        }
        let (start, end) = (start as usize, end as usize);
        let (entries, hashes) = (&self.entries[start..end], &self.hashes[start..end]);
        let hash = self.hash(name);
        // Names are compared only where hashes are equal, which is almost never a different name.
        let mut from = hashes.partition_point(|known| *known < hash);
        if hashes.get(from) != Some(&hash) {
            return &[];
        }
        while entries.get(from).is_some_and(|entry| entry.hash == hash && entry.name < name) {
            from += 1;
        }
        let count = entries[from..].iter().take_while(|entry| entry.hash == hash && entry.name == name).count();
        &entries[from..from + count]
    }
}
