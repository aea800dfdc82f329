//! Packages of Go: directories below the module path of a `go.mod`.

use crate::code::FileId;
use crate::facts::{ImportFact, ImportForm, Language};
use crate::graph::{Nodes, Outlines, UnresolvedKind};
use crate::hash::Map;
use crate::layout::{base_name, directory_of};

use super::foreign::{Found, Names, Thing, Value, Values, entries, normal};

/// Files of one package that an import leads to.
const MAX_FILES: usize = 64;

/// Files that declare one name: with build tags several may.
const MAX_DECLARING: usize = 8;
/// Imports of one file among which a name is looked for.
const MAX_IMPORTS: usize = 500;

/// The packages of a tree.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    /// Directories with their files, tests among them, in order.
    packages: Vec<(Box<str>, Vec<FileId>)>,
    by_directory: Map<Box<str>, u32>,
    /// The files of each package that declare a name.
    names: Map<(u32, Box<str>), Vec<FileId>>,
    /// Module paths with their directories, the longest first.
    modules: Vec<(Box<str>, Box<str>)>,
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
                if let Some(outline) = outlines.get(file.0 as usize).and_then(|outline| outline.as_deref()) {
                    let parts = outline.parts.iter().filter(|part| part.parent == 0 && part.name == part.local_name);
                    for name in parts.map(|part| part.name).chain(outline.module_names.iter().copied()) {
                        all.names.entry((index, outline.name(name).into())).or_default().push(file);
                    }
                }
            } else if Language::reader_of(&node.path) == Some(Language::GoMod) {
                for entry in entries(outlines, file) {
                    match entry.as_slice() {
                        ["module", path] => all.modules.push(((*path).into(), directory.into())),
                        ["require", path] => all.required.push((*path).into()),
                        ["replace", path, target] if target.starts_with('.') => {
                            all.modules.extend(normal(directory, target).map(|target| ((*path).into(), target.into())));
                        }
                        _ => {}
                    }
                }
            }
        }
        all.modules.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
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
        let below = |prefix: &str| {
            let rest = path.strip_prefix(prefix)?;
            if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
        };
        let of_module = self.modules.iter().find_map(|(module, directory)| {
            let rest = below(module)?;
            let directory = if rest.is_empty() { directory.to_string() } else { normal(directory, rest)? };
            self.by_directory.get(directory.as_str()).copied()
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
        self.modules.iter().any(|(module, _)| {
            path.strip_prefix(&**module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn is_outside(&self, path: &str) -> bool {
        let first = path.split('/').next().unwrap_or(path);
        let required = |path: &str| self.required.binary_search_by(|known| (**known).cmp(path)).is_ok();
        let mut at = path;
        loop {
            if required(at) {
                return true;
            }
            match at.rsplit_once('/') {
                Some((above, _)) => at = above,
                None => break,
            }
        }
        !first.contains('.')
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
            Found::Files(sources.take(MAX_FILES).collect(), true)
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
    let plain = |import: &&ImportFact| import.form == ImportForm::Module && import.alias.some().is_none();
    for import in outline.imports.iter().filter(plain).take(MAX_IMPORTS) {
        let path = outline.name(import.module);
        let package = names.world.go.package(names.path(file), path);
        let is_named = match package.and_then(|package| package_name(names, package)) {
            Some(own) => own == name,
            // `gopkg.in/yaml.v3` and `x/go-y` are used by their middle.
            None => {
                let last = path.rsplit('/').find(|segment| !is_version(segment)).unwrap_or(path);
                let last = last.split(".v").next().unwrap_or(last);
                last == name || last.trim_start_matches("go-").replace('-', "") == name
            }
        };
        if is_named {
            let thing = package.map_or(Thing::External, Thing::Package);
            values.push(Value { thing, sure: true });
            return;
        }
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
