//! Packages of Go: directories below the module path of a `go.mod`.

use std::rc::Rc;

use crate::code::FileId;
use crate::facts::{ImportFact, ImportForm, Language};
use crate::graph::{Nodes, Outlines, UnresolvedKind};
use crate::hash::Map;
use crate::layout::{base_name, directory_of};

use super::foreign::{Found, Names, Thing, Value, Values, entries, normal};

/// Files that declare one name: with build tags several may.
const MAX_DECLARING: usize = 8;
/// Imports of one file among which a name is looked for.
const MAX_IMPORTS: usize = 500;
/// Modules of one path.
const MAX_NAMESAKES: usize = 64;

/// The packages of a tree.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    /// Directories with their files, tests among them, in order.
    packages: Vec<(Box<str>, Vec<FileId>)>,
    by_directory: Map<Box<str>, u32>,
    /// The files of each package that declare a name.
    names: Map<(u32, Box<str>), Vec<FileId>>,
    /// Module paths with their directories, in order.
    modules: Map<Box<str>, Vec<Box<str>>>,
    /// What each `go.mod` requires from outside, and what it puts in place of something.
    required: Vec<Box<str>>,
}

impl Packages {
    pub(super) fn new(nodes: &Nodes, outlines: &Outlines) -> Self {
        let mut all = Self::default();
        for file in nodes.file_ids() {
            let node = nodes.file(file);
            let directory = directory_of(&node.path);
            if node.language == Some(Language::Go) {
                let next = all.packages.len() as u32;
                let index = *all.by_directory.entry(directory.into()).or_insert(next);
                if index == next {
                    all.packages.push((directory.into(), Vec::new()));
                }
                all.packages[index as usize].1.push(file);
                if let Some(outline) = outlines.of(file) {
                    let parts = outline.parts.iter().filter(|part| part.parent == 0 && part.name == part.local_name);
                    for name in parts.map(|part| part.name).chain(outline.module_names.iter().copied()) {
                        all.names.entry((index, outline.name(name).into())).or_default().push(file);
                    }
                }
            } else if Language::reader_of(&node.path) == Some(Language::GoMod) {
                for entry in entries(outlines, file) {
                    match entry.as_slice() {
                        ["module", path] => all.modules.entry((*path).into()).or_default().push(directory.into()),
                        ["require", path] => all.required.push((*path).into()),
                        ["replace", path, target] if target.starts_with('.') => {
                            let target = normal(directory, target).map(Into::into);
                            all.modules.entry((*path).into()).or_default().extend(target);
                        }
                        _ => {}
                    }
                }
            }
        }
        all.required.sort_unstable();
        all
    }

    /// The files of the package that a file belongs to.
    pub(super) fn package_files(&self, path: &str) -> &[FileId] {
        let index = self.by_directory.get(directory_of(path));
        index.and_then(|index| self.packages.get(*index as usize)).map_or(&[], |(_, files)| files)
    }

    /// The package of an import path.
    fn package(&self, from: &str, path: &str) -> Option<u32> {
        let of_module = upwards(path).find_map(|module| {
            let rest = path[module.len()..].trim_start_matches('/');
            let directories = self.modules.get(module)?.iter().take(MAX_NAMESAKES);
            directories.into_iter().find_map(|directory| {
                let directory = if rest.is_empty() { directory.to_string() } else { normal(directory, rest)? };
                self.by_directory.get(directory.as_str()).copied()
            })
        });
        of_module.or_else(|| {
            // Copies of what others wrote lie beside some folder above.
            let mut at = directory_of(from);
            loop {
                let vendored = normal(at, &format!("vendor/{path}"))?;
                if let Some(found) = self.by_directory.get(vendored.as_str()) {
                    return Some(*found);
                }
                if at.is_empty() {
                    return None;
                }
                at = directory_of(at);
            }
        })
    }

    fn is_own(&self, path: &str) -> bool {
        upwards(path).any(|module| self.modules.contains_key(module))
    }

    fn is_outside(&self, path: &str) -> bool {
        let first = path.split('/').next().unwrap_or(path);
        let required = |path: &str| self.required.binary_search_by(|known| (**known).cmp(path)).is_ok();
        upwards(path).any(required) || !first.contains('.')
    }

    /// Files that a pattern of `go:embed` names: below a folder, or by a star in the last segment.
    pub(super) fn embedded(&self, nodes: &Nodes, directory: &str, pattern: &str) -> Vec<FileId> {
        let Some(path) = normal(directory, pattern) else { return Vec::new() };
        let (folder, last) = path.rsplit_once('/').map_or(("", path.as_str()), |(folder, last)| (folder, last));
        let begin = match last.split_once('*') {
            Some((begin, _)) if folder.is_empty() => begin.to_owned(),
            Some((begin, _)) => format!("{folder}/{begin}"),
            None => format!("{path}/"),
        };
        if begin.is_empty() || folder.contains('*') {
            return Vec::new();
        }
        let end = last.split_once('*').map_or("", |(_, end)| end.rsplit('*').next().unwrap_or(end));
        let files = nodes.files();
        let first = files.partition_point(|file| *file.path < *begin);
        files[first..]
            .iter()
            .enumerate()
            .take_while(|(_, file)| file.path.starts_with(&begin))
            .take(10_000)
            .filter(|(_, file)| file.path.ends_with(end))
            .map(|(index, _)| FileId((first + index) as u32))
            .collect()
    }
}

/// A path and those above it.
fn upwards(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(above, _)| above))
}

fn is_test(path: &str) -> bool {
    base_name(path).ends_with("_test.go")
}

pub(super) fn found(names: &Names<'_>, file: FileId, import: &ImportFact) -> Found {
    let Some(outline) = names.outline(file) else { return Found::Outside };
    let path = outline.name(import.module);
    let packages = &names.world.go;
    match packages.package(names.path(file), path) {
        Some(package) => {
            let files = &packages.packages[package as usize].1;
            let sources = files.iter().copied().filter(|file| !is_test(names.path(*file)));
            Found::Files(sources.collect(), true)
        }
        None if packages.is_own(path) => Found::Missing(UnresolvedKind::OwnModule),
        None if packages.is_outside(path) => Found::Outside,
        None => Found::Missing(UnresolvedKind::External),
    }
}

/// What an import binds.
pub(super) fn imported(names: &mut Names<'_>, file: FileId, import: &ImportFact, values: &mut Values) {
    let Some(outline) = names.outline(file) else { return };
    let thing = match names.world.go.package(names.path(file), outline.name(import.module)) {
        Some(package) => Thing::Package(package),
        None => Thing::External,
    };
    values.push(Value { thing, sure: true });
}

/// The name that the files of a package give it.
fn package_name<'a>(names: &Names<'a>, package: u32) -> Option<&'a str> {
    let files = &names.world.go.packages.get(package as usize)?.1;
    let source = files.iter().find(|file| !is_test(names.path(**file)))?;
    let outline = names.outline(*source)?;
    let binding = outline.bindings.iter().find(|binding| outline.name(binding.target) == "package")?;
    Some(outline.name(binding.source))
}

/// A name that no scope of the file binds: an import by the name of its package, or something of the same package.
pub(super) fn head(names: &mut Names<'_>, file: FileId, name: &str, values: &mut Values) {
    let Some(outline) = names.outline(file) else { return };
    let bound = match names.by_package.get(&file) {
        Some(known) => Rc::clone(known),
        None => {
            let bound = Rc::new(by_package(names, file));
            names.by_package.insert(file, Rc::clone(&bound));
            bound
        }
    };
    if let Some(thing) = bound.get(name) {
        values.push(Value { thing: *thing, sure: true });
        return;
    }
    let here = names.world.go.by_directory.get(directory_of(names.path(file))).copied();
    if let Some(package) = here {
        names.nested(|names| member(names, package, name, values));
    }
    if !values.is_empty() {
        return;
    }
    for import in outline.imports.iter().filter(|import| import.form == ImportForm::Star).take(MAX_IMPORTS) {
        if let Some(package) = names.world.go.package(names.path(file), outline.name(import.module)) {
            names.nested(|names| member(names, package, name, values));
        }
    }
}

/// What the imports of a file bind by the names of their packages; the first of a name counts.
fn by_package(names: &Names<'_>, file: FileId) -> Map<Box<str>, Thing> {
    let mut found = Map::default();
    let Some(outline) = names.outline(file) else { return found };
    let plain = |import: &&ImportFact| import.form == ImportForm::Module && import.alias.some().is_none();
    for import in outline.imports.iter().filter(plain).take(MAX_IMPORTS) {
        let path = outline.name(import.module);
        let package = names.world.go.package(names.path(file), path);
        let thing = package.map_or(Thing::External, Thing::Package);
        match package.and_then(|package| package_name(names, package)) {
            Some(own) => {
                found.entry(own.into()).or_insert(thing);
            }
            // `gopkg.in/yaml.v3` and `x/go-y` are used by their middle.
            None => {
                let last = path.rsplit('/').find(|segment| !is_version(segment)).unwrap_or(path);
                let last = last.split(".v").next().unwrap_or(last);
                found.entry(last.into()).or_insert(thing);
                let bare = last.trim_start_matches("go-").replace('-', "");
                found.entry(bare.into()).or_insert(thing);
            }
        }
    }
    found
}

fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What a name of a package stands for, in whichever of its files.
pub(super) fn member(names: &mut Names<'_>, package: u32, name: &str, values: &mut Values) {
    let world = names.world;
    let Some(files) = world.go.names.get(&(package, Box::from(name))) else { return };
    for file in files.iter().take(MAX_DECLARING) {
        names.declared(*file, name, values);
    }
}
