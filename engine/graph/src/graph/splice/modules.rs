//! What became of modules and paths when files came and went: which imports lead elsewhere, and who names a path.

use super::super::{CodeGraph, Nodes, Outlines};
use super::names::{self, Meanings};
use super::turn::{Changed, Seen, Turn};
use crate::code::FileId;
use crate::facts::{ImportFact, ImportForm, Language, Outline, StringShape, StringUse};
use crate::hash::Set;
use crate::layout::{Target, base_name, directory_of, stem};
use crate::words::{Sought, segments};

/// What comes and goes, as others write it.
#[derive(Debug, Default)]
pub(super) struct Places<'o> {
    /// Modules of Python and folders that hold them.
    pub(super) modules: Set<&'o str>,
    /// What is around these.
    pub(super) packages: Set<&'o str>,
    /// Last segments of the paths of files, and of folders that come or go with them.
    paths: Set<&'o str>,
    /// Last segments of the folders around those files, and of the files without their last ending: what other languages
    /// write for them.
    stems: Set<&'o str>,
    /// Folders whose `__init__` comes or goes: who is below is looked for elsewhere.
    pub(super) packages_made: Vec<&'o str>,
}

impl<'o> Places<'o> {
    pub(super) fn of(graph: &CodeGraph, turn: &Turn, changed: &'o [Changed]) -> Self {
        let mut places = Self::default();
        for file in changed.iter().filter(|file| file.seen == Seen::Whole) {
            if file.language == Some(Language::Python) {
                places.module(&file.path, file.comes_or_goes());
            }
            if !file.comes_or_goes() {
                continue;
            }
            places.paths.insert(base_name(&file.path));
            places.stems.insert(stem(base_name(&file.path)));
            let (old, new) = (&graph.index().layout, &turn.layout);
            let mut folder = directory_of(&file.path);
            while !folder.is_empty() {
                let is_there = |nodes: &Nodes| nodes.files_below(folder).next().is_some();
                if is_there(&graph.nodes) != is_there(&turn.nodes) {
                    places.paths.insert(base_name(folder));
                }
                places.stems.insert(base_name(folder));
                if old.has_code(folder) != new.has_code(folder) {
                    places.modules.insert(base_name(folder));
                    places.packages.insert(base_name(directory_of(folder)));
                }
                folder = directory_of(folder);
            }
        }
        places.packages.remove("");
        places
    }

    /// The modules that names are asked of which mean something else, as others write them.
    pub(super) fn doors(changed: &'o [Changed]) -> Meanings<'o> {
        let mut doors = Self::default();
        let is_door = |file: &&Changed| file.language == Some(Language::Python) && file.seen != Seen::Nothing;
        changed.iter().filter(is_door).for_each(|file| doors.module(&file.path, false));
        doors.packages.remove("");
        Meanings { modules: doors.modules, packages: doors.packages, ..Meanings::default() }
    }

    fn module(&mut self, path: &'o str, comes_or_goes: bool) {
        let (folder, name) = (directory_of(path), stem(base_name(path)));
        if name == "__init__" {
            self.modules.insert(base_name(folder));
            self.packages.insert(base_name(directory_of(folder)));
            if comes_or_goes {
                self.packages_made.push(folder);
            }
        } else {
            self.modules.insert(name);
            self.packages.insert(base_name(folder));
        }
    }

    /// Whether a string can name any of them.
    pub(super) fn may_be_named(&self) -> bool {
        !self.paths.is_empty() || !self.modules.is_empty()
    }

    /// Whether a file of Python has a string that may name one of the paths, or a module among strings.
    pub(super) fn are_named_in(&self, outline: &Outline) -> bool {
        outline.strings.iter().any(|string| {
            let text = outline.name(string.text);
            let is_path = string.shape.contains(StringShape::PATH) || string.usage == StringUse::Path;
            let may_be_module = string.shape.contains(StringShape::DOTTED) || string.usage != StringUse::Plain;
            is_path && self.paths.contains(base_name(text.trim_end_matches('/')))
                || may_be_module && segments(text).any(|segment| self.modules.contains(segment))
        })
    }

    /// Whether a file of another language, or a manifest, has a text that may name one of the paths.
    pub(super) fn are_written_in(&self, outline: &Outline) -> bool {
        outline.names.iter().any(|text| {
            let mut words = text.split(['/', '!', '?', '\t']).filter(|word| !word.is_empty());
            words.any(|word| self.paths.contains(word) || self.stems.contains(word))
        })
    }
}

/// What an import binds that leads elsewhere now.
pub(super) enum Binds<'o> {
    /// A name.
    Name(&'o str),
    /// The first of the names of a module.
    First(&'o str),
    /// Whatever the module gives.
    Star(&'o ImportFact),
}

/// Looks through the imports of files that are there on both sides for those that lead elsewhere now: marks their files,
/// and hands on what they bind. `None` where `each` gives it.
pub(super) fn follow_imports<'o>(
    graph: &'o CodeGraph,
    turn: &Turn,
    outlines: &'o Outlines,
    places: &Places<'o>,
    files: &[FileId],
    marked: &mut [bool],
    each: &mut dyn FnMut(FileId, Binds<'o>) -> Option<()>,
) -> Option<()> {
    let sought = Sought::new(places.modules.iter().copied());
    for &file in files {
        let path = &*turn.nodes.file(file).path;
        let is_below = |folder: &&str| path.strip_prefix(*folder).is_some_and(|rest| rest.starts_with('/'));
        let below = places.packages_made.iter().any(is_below);
        let outline = if below { outlines.of(file) } else { outlines.holder(file, &sought) };
        let Some(outline) = outline else { continue };
        marked[file.0 as usize] |= below;
        for import in &outline.imports {
            let (module, name) = (outline.name(import.module), outline.name(import.name));
            let is_asked = segments(module).any(|segment| places.modules.contains(segment));
            if !below && !is_asked && !places.modules.contains(name) {
                continue;
            }
            if !leads_elsewhere(graph, turn, outlines, places, path, outline, import) {
                continue;
            }
            marked[file.0 as usize] = true;
            let binds = match (import.form, import.alias.some()) {
                (ImportForm::Literal, _) => continue,
                (ImportForm::Star, _) => Binds::Star(import),
                (_, Some(alias)) => Binds::Name(outline.name(alias)),
                (ImportForm::From, None) => Binds::Name(name),
                (ImportForm::Module, None) => Binds::First(module.split('.').next().unwrap_or(module)),
            };
            each(file, binds)?;
        }
    }
    Some(())
}

fn leads_elsewhere(
    graph: &CodeGraph,
    turn: &Turn,
    outlines: &Outlines,
    places: &Places<'_>,
    path: &str,
    outline: &Outline,
    import: &ImportFact,
) -> bool {
    let module = outline.name(import.module);
    let (old, new) = (&graph.index().layout, &turn.layout);
    // What comes, goes or is read otherwise is another one, also under its old path.
    let of = |file: FileId| turn.file(file).filter(|file| !turn.is_whole(*file));
    let before = old.find(path, import.level, module);
    let after = new.find(path, import.level, module);
    if !old.is_found_alike(before.as_ref(), new, after.as_ref(), of) {
        return true;
    }
    let whole = import.name.some().map(|name| format!("{module}.{}", outline.name(name)));
    let mut asked = [Some(module), whole.as_deref()].into_iter().flatten().filter(|_| import.level == 0);
    if asked.any(|dotted| old.may_mean(dotted) != new.may_mean(dotted)) {
        return true;
    }
    let first = module.split('.').next().unwrap_or(module);
    if import.form == ImportForm::Module && first.len() < module.len() {
        let (before, after) = (old.find(path, 0, first), new.find(path, 0, first));
        if !old.is_found_alike(before.as_ref(), new, after.as_ref(), of) {
            return true;
        }
    }
    let (Some(before), Some(after), Some(name)) = (before, after, import.name.some()) else { return false };
    let name = outline.name(name);
    let old_path = match before.target {
        Target::Module(file) => &*graph.file(file).path,
        Target::Namespace(_) => "",
    };
    let new_path = match after.target {
        Target::Module(file) => &*turn.nodes.file(file).path,
        Target::Namespace(_) => "",
    };
    let (before, inside) = (old.submodule(before.target, old_path, name), new.submodule(after.target, new_path, name));
    if !old.is_target_alike(before, new, inside, of) {
        return true;
    }
    if !places.modules.contains(name) {
        return false;
    }
    // A star may give the module that it does not name.
    let has_star = |file| {
        let imports = outlines.of(file).map_or(&[][..], |outline| &outline.imports);
        imports.iter().any(|import| import.form == ImportForm::Star)
    };
    matches!(after.target, Target::Module(file) if has_star(file))
}

/// Adds the names that a star import of a file may bind, before and after; `None` where they are not there to be read.
pub(super) fn add_starred<'o>(
    graph: &'o CodeGraph,
    turn: &Turn,
    outlines: &'o Outlines,
    file: FileId,
    import: &ImportFact,
    bound: &mut Set<&'o str>,
) -> Option<()> {
    let path = &*turn.nodes.file(file).path;
    let module = outlines.of(file)?.name(import.module);
    let before = graph.index().layout.find(path, import.level, module);
    if let Some(Target::Module(file)) = before.map(|found| found.target)
        && let Some(outline) = graph.outline(file)
    {
        names::given(graph.file(file), outline, bound)?;
    }
    let after = turn.layout.find(path, import.level, module);
    if let Some(Target::Module(file)) = after.map(|found| found.target)
        && let Some(outline) = outlines.of(file)
    {
        names::given(turn.nodes.file(file), outline, bound)?;
    }
    Some(())
}

/// Whether some file asks another one for a name that `import name.more` binds there.
pub(super) fn is_asked_of_others(outlines: &Outlines, files: &[FileId], name: &str) -> bool {
    let sought = Sought::new([name]);
    files.iter().filter_map(|file| outlines.holder(*file, &sought)).any(|outline| {
        let imported = outline.imports.iter().any(|import| {
            import.name.some().is_some_and(|of| outline.name(of) == name) || import.form == ImportForm::Star
        });
        let chains = outline.references.iter().map(|reference| reference.chain);
        let sources = outline.bindings.iter().map(|binding| binding.source);
        let behind = |chain| segments(outline.name(chain)).skip(1).any(|segment| segment == name);
        imported || chains.chain(sources).any(behind)
    })
}
