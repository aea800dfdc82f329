//! What names mean something else after some files became others, and who holds them.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{FileNode, Outlines};
use super::Loose;
use crate::code::{FileId, PartKind};
use crate::facts::{ImportFact, ImportForm, Outline, StringUse};
use crate::hash::Set;
use crate::layout::{base_name, stem};
use crate::words::{Sought, UNNAMED, segments};

/// Names that stand for names that stand for names: no honest code goes on for longer.
const MAX_ROUNDS: usize = 16;

/// Names of one file that mean something else after an edit; `None` where names do not tell what that does to others.
pub(super) fn changed_names<'o>(old: &'o Outline, new: &'o Outline) -> Option<Set<&'o str>> {
    let (before, after) = (said(old), said(new));
    let difference = Difference::of(&before, &after);
    if difference.is_reordered {
        return None;
    }
    let mut names: Set<&str> = difference.only.iter().flatten().map(|said| said.name).collect();
    match (&old.all, &new.all) {
        (None, None) => {}
        (Some(before), Some(after)) => {
            let before: Set<&str> = before.iter().map(|name| old.name(*name)).collect();
            let after: Set<&str> = after.iter().map(|name| new.name(*name)).collect();
            names.extend(before.symmetric_difference(&after).copied());
        }
        _ => return None,
    }
    let is_plain = !names.contains("*") && !names.contains("__getattr__") && !names.contains("pytest_plugins");
    is_plain.then_some(names)
}

/// Something that a file says and others can ask for.
pub(super) struct Said<'o> {
    pub(super) text: String,
    /// What it is asked for by; `*` for a star import, which gives names that are not there to be read.
    pub(super) name: &'o str,
    pub(super) sayer: Sayer,
}

/// What says it.
pub(super) enum Sayer {
    /// A part, and which part is meant, with all around it: a file may hold several of one name.
    Part { ordinal: u32, place: String },
    /// An import, a binding, a variable, a plugin.
    Other,
}

impl<'o> Said<'o> {
    fn other(text: String, name: &'o str) -> Self {
        Self { text, name, sayer: Sayer::Other }
    }

    /// Two that have the same say the same.
    pub(super) fn key(&self) -> (&str, &str) {
        (&self.text, self.name)
    }
}

/// How two files differ in what they say.
pub(super) struct Difference<'s, 'o> {
    /// What only the one says, and only the other.
    pub(super) only: [Vec<&'s Said<'o>>; 2],
    /// What both say stands in another order: of very many meanings of a name the first ones count.
    is_reordered: bool,
}

impl<'s, 'o> Difference<'s, 'o> {
    pub(super) fn of(before: &'s [Said<'o>], after: &'s [Said<'o>]) -> Self {
        let mut counts: BTreeMap<(&str, &str), i32> = BTreeMap::new();
        before.iter().for_each(|said| *counts.entry(said.key()).or_default() += 1);
        after.iter().for_each(|said| *counts.entry(said.key()).or_default() -= 1);
        let sides = [before, after]
            .map(|side| side.iter().partition::<Vec<&Said<'_>>, _>(|said| counts.get(&said.key()) == Some(&0)));
        let [(stays, gone), (stays_there, come)] = sides;
        let is_reordered = !stays.iter().map(|said| said.key()).eq(stays_there.iter().map(|said| said.key()));
        Self { only: [gone, come], is_reordered }
    }
}

/// What a file says that others can ask for.
pub(super) fn said(outline: &Outline) -> Vec<Said<'_>> {
    let list = |list| outline.list(list).iter().map(|name| outline.name(*name)).collect::<Vec<_>>();
    let mut places: Vec<String> = Vec::with_capacity(outline.parts.len());
    for part in &outline.parts {
        let around = places.get(part.parent as usize).map_or("", String::as_str);
        places.push(format!("{around}/{} {:?} {}", outline.name(part.local_name), part.kind, part.occurrence));
    }
    let place = |part: u32| places.get(part as usize).map(String::as_str).unwrap_or_default();
    let mut all: Vec<Said<'_>> = Vec::new();
    for ((ordinal, part), place) in (0..).zip(&outline.parts).zip(&places).skip(1) {
        let lists = [list(part.decorators), list(part.bases), list(part.parameters)];
        let said = (place, part.flags, lists, outline.name(part.returns), outline.name(part.fixture_name));
        let sayer = Sayer::Part { ordinal, place: place.clone() };
        all.push(Said { text: format!("part {said:?}"), name: outline.name(part.name), sayer });
    }
    for import in outline.imports.iter().filter(|import| import.form != ImportForm::Literal) {
        let (module, name) = (outline.name(import.module), outline.name(import.name));
        let alias = outline.name(import.alias);
        let bound = match import.form {
            ImportForm::Star => "*",
            _ if !alias.is_empty() => alias,
            ImportForm::From => name,
            _ => module.split('.').next().unwrap_or(module),
        };
        let said = (place(import.part), import.form, import.level, module, name, alias);
        all.push(Said::other(format!("import {said:?}"), bound));
    }
    for binding in &outline.bindings {
        let (target, source) = (outline.name(binding.target), outline.name(binding.source));
        let said = (place(binding.part), binding.on_self, binding.form, target, source);
        all.push(Said::other(format!("binding {said:?}"), target));
    }
    all.extend(outline.module_names.iter().map(|name| Said::other("variable".to_owned(), outline.name(*name))));
    let plugins = outline.strings.iter().filter(|string| string.usage == StringUse::Plugin);
    all.extend(plugins.map(|string| Said::other(format!("plugin {}", outline.name(string.text)), "pytest_plugins")));
    all
}

/// Every name that others may have from a file; `None` where it gives names that are not there to be read: by a star, and
/// a package the modules in it.
pub(super) fn given<'o>(file: &FileNode, outline: &'o Outline, names: &mut Set<&'o str>) -> Option<()> {
    let said = said(outline);
    if stem(base_name(&file.path)) == "__init__" {
        return None;
    }
    if said.iter().any(|said| said.name == "*") {
        return None;
    }
    names.extend(said.into_iter().map(|said| said.name));
    names.extend(outline.all.iter().flatten().map(|name| outline.name(*name)));
    Some(())
}

/// Names whose meaning is another one after an edit.
#[derive(Debug, Clone, Default)]
pub(super) struct Meanings<'o> {
    /// Of whatever they are asked: definitions, what imports and bindings bind.
    pub(super) names: Set<&'o str>,
    /// Of modules and folders, asked of what is around them.
    pub(super) modules: Set<&'o str>,
    /// What stands for what is around those modules.
    pub(super) packages: Set<&'o str>,
}

impl<'o> Meanings<'o> {
    /// Whether a chain goes through one of them. Where `loose`, names of modules may be bound without being written.
    pub(super) fn pass(&self, chain: &str, loose: bool) -> bool {
        let mut before = "";
        segments(chain).any(|segment| {
            let is_module = self.modules.contains(segment);
            let found = self.names.contains(segment) || is_module && (loose || self.packages.contains(before));
            before = segment;
            found
        })
    }

    /// Whether an import may bind modules that it does not name: a star of what is around some of these.
    pub(super) fn may_give_modules(&self, outline: &Outline, import: &ImportFact) -> bool {
        let module = outline.name(import.module);
        import.form == ImportForm::Star
            && (module.is_empty() || segments(module).any(|segment| self.packages.contains(segment)))
    }

    /// Names that a file gives to what these mean.
    fn stand_for(&self, outline: &'o Outline, loose: bool, found: &mut Set<&'o str>) {
        let means = |chain: &str| self.pass(chain, loose);
        let bindings = outline.bindings.iter().filter(|binding| means(outline.name(binding.source)));
        found.extend(bindings.map(|binding| outline.name(binding.target)));
        let imports = outline
            .imports
            .iter()
            .filter(|import| import.name.some().is_some_and(|name| self.names.contains(outline.name(name))));
        found.extend(imports.filter_map(|import| import.alias.some()).map(|alias| outline.name(alias)));
        let parts =
            outline.parts.iter().filter(|part| part.returns.some().is_some_and(|name| means(outline.name(name))));
        found.extend(parts.map(|part| outline.name(part.name)));
    }

    /// Whether a file has a class of one of these names, or one that is based on one.
    pub(super) fn has_class(&self, outline: &Outline, loose: bool) -> bool {
        outline.parts.iter().filter(|part| part.kind == PartKind::Class).any(|part| {
            self.names.contains(outline.name(part.name))
                || outline.list(part.bases).iter().any(|base| self.pass(outline.name(*base), loose))
        })
    }

    /// Adds what else stands for the packages: they are modules, which are bound by imports and plain bindings alone.
    pub(super) fn spread_packages(&mut self, outlines: &'o Outlines, files: &[FileId]) {
        let mut fresh = self.packages.clone();
        for _ in 0..MAX_ROUNDS {
            let sought = Sought::new(fresh.iter().copied());
            let mut next: Set<&str> = Set::default();
            for outline in files.iter().filter_map(|file| outlines.holder(*file, &sought)) {
                let last = |chain: &str| fresh.contains(segments(chain).last().unwrap_or_default());
                let aliased = outline.imports.iter().filter(|import| {
                    let named = match import.form {
                        ImportForm::From => import.name,
                        _ => import.module,
                    };
                    last(outline.name(named))
                });
                next.extend(aliased.filter_map(|import| import.alias.some()).map(|alias| outline.name(alias)));
                let bound = outline.bindings.iter().filter(|binding| last(outline.name(binding.source)));
                next.extend(bound.map(|binding| outline.name(binding.target)));
            }
            next.retain(|name| !self.packages.contains(name));
            if next.is_empty() {
                return;
            }
            self.packages.extend(next.iter().copied());
            fresh = next;
        }
    }
}

/// Files of Python of which those are found that hold names.
pub(super) struct Holders<'o, 'r> {
    pub(super) outlines: &'o Outlines,
    /// Files of Python.
    pub(super) files: &'o [FileId],
    /// Outlines of files whose names changed, before and after.
    pub(super) edited: &'r [&'o Outline],
    /// Files that surely may come by what means something else, in order of all files.
    pub(super) begin: &'r [bool],
    /// All files that may; told once a file that holds such a name is not among those.
    pub(super) reach: LazyCell<Vec<bool>, &'r dyn Fn() -> Vec<bool>>,
    /// Whether a file may find something else by a name that is computed.
    pub(super) computes: &'r dyn Fn(FileId) -> bool,
    /// At most so many files are marked.
    pub(super) most: usize,
}

impl<'o> Holders<'o, '_> {
    fn reaches(&self, file: FileId) -> bool {
        self.begin[file.0 as usize] || self.reach[file.0 as usize]
    }

    /// Marks the files that hold one of these and may come by what means something else, or hold a name that stands for
    /// one, and adds those names; `None` where they are too many. `loose` files may bind names of modules without writing
    /// them.
    pub(super) fn mark(&self, meanings: &mut Meanings<'o>, loose: &Loose, marked: &mut [bool]) -> Option<()> {
        let mut fresh = meanings.names.clone();
        for round in 0..MAX_ROUNDS {
            let sought = Sought::new(fresh.iter().copied());
            let modules = Sought::new(if round == 0 { meanings.modules.clone() } else { Set::default() });
            for &file in self.files {
                if marked[file.0 as usize] {
                    continue;
                }
                let passes =
                    |outline: &Arc<Outline>| outline.names.iter().any(|chain| meanings.pass(chain, loose.holds(file)));
                marked[file.0 as usize] = self.outlines.holder(file, &sought).is_some() && self.reaches(file)
                    || (self.computes)(file)
                    || self.outlines.holder(file, &modules).is_some_and(passes);
            }
            if marked.iter().filter(|marked| **marked).count() > self.most {
                return None;
            }
            let mut next: Set<&str> = Set::default();
            let meant = Sought::new(meanings.names.iter().chain(&meanings.modules).copied());
            // Words tell of these alone whether they are called or asked for.
            let is_unnamed = UNNAMED.iter().any(|name| meanings.names.contains(name));
            for &file in self.files.iter().filter(|file| marked[file.0 as usize]) {
                let outline = self.outlines.of(file).filter(|outline| is_unnamed || outline.words().hold(&meant));
                if let Some(outline) = outline.filter(|_| self.reaches(file)) {
                    meanings.stand_for(outline, loose.holds(file), &mut next);
                }
            }
            for outline in self.edited {
                meanings.stand_for(outline, true, &mut next);
            }
            next.retain(|name| !meanings.names.contains(name));
            if next.is_empty() {
                return Some(());
            }
            meanings.names.extend(next.iter().copied());
            fresh = next;
        }
        None
    }

    /// Marks the files that hold one of these words.
    pub(super) fn mark_words(&self, words: &Set<&str>, marked: &mut [bool]) -> Option<()> {
        let sought = Sought::new(words.iter().copied());
        for &file in self.files {
            marked[file.0 as usize] |= self.outlines.holder(file, &sought).is_some();
        }
        (marked.iter().filter(|marked| **marked).count() <= self.most).then_some(())
    }
}
