//! Modules of Rust: the tree that `mod` builds inside a crate, and the crates that `Cargo.toml` names.

use crate::code::{FileId, PartKind};
use crate::facts::{ImportFact, ImportForm, Language, Outline};
use crate::graph::{Nodes, Outlines, UnresolvedKind};
use crate::hash::{Map, Set};
use crate::layout::{base_name, directory_of};

use super::foreign::{Found, Names, Thing, Value, Values, entries, normal};

/// Longest way from a module up to its crate.
const MAX_DEPTH: usize = 64;
/// Libraries of one name that a path may lead into.
const MAX_CANDIDATES: usize = 8;
/// Star imports of one file that are followed.
const MAX_STARS: usize = 50;

/// What manifests say of crates.
#[derive(Debug, Default)]
pub(crate) struct Crates {
    /// The root of a package's library by directory.
    libraries: Map<Box<str>, FileId>,
    /// Libraries by the name under which code uses them.
    by_name: Map<Box<str>, Vec<FileId>>,
    /// By directory: names of dependencies as code writes them, with the package or the path that is meant.
    dependencies: Map<Box<str>, Vec<Dependency>>,
    /// Modules that a file brings in by `mod`, by their name inside the file.
    children: Map<(FileId, Box<str>), FileId>,
    /// The file that brings a file in.
    parents: Map<FileId, FileId>,
    /// Names of inline modules.
    inline: Set<(FileId, Box<str>)>,
    /// The files of each package by its directory, sorted.
    files: Map<Box<str>, Vec<FileId>>,
}

#[derive(Debug)]
struct Dependency {
    name: Box<str>,
    package: Box<str>,
    /// Directory of a dependency by path.
    directory: Option<Box<str>>,
}

impl Crates {
    pub(super) fn new(nodes: &Nodes, outlines: &Outlines) -> Self {
        let mut crates = Self::default();
        for file in nodes.file_ids() {
            let path = &nodes.file(file).path;
            if Language::reader_of(path) == Some(Language::CargoToml) {
                crates.add(nodes, outlines, file, directory_of(path));
            }
        }
        for file in nodes.file_ids() {
            let node = nodes.file(file);
            if node.language == Some(Language::Rust)
                && let Some(directory) = crates.package_of(&node.path)
            {
                crates.files.entry(directory.into()).or_default().push(file);
            }
            if node.language == Some(Language::Rust)
                && let Some(outline) = outlines.of(file)
            {
                crates.add_modules(nodes, file, outline);
            }
        }
        crates
    }

    fn add_modules(&mut self, nodes: &Nodes, file: FileId, outline: &Outline) {
        for import in outline.imports.iter().filter(|import| import.level == 1 && import.part == 0) {
            if let Some(child) = child_file(nodes, file, outline, import)
                && let Some(name) = outline.name(import.module).strip_prefix("self.")
            {
                self.children.entry((file, name.into())).or_insert(child);
                // Of a library and a program that share a module, the library comes first.
                self.parents.entry(child).or_insert(file);
            }
        }
        for part in outline.parts.iter().filter(|part| part.parent == 0) {
            if let Some((first, _)) = outline.name(part.local_name).split_once('.') {
                self.inline.insert((file, first.into()));
            }
        }
    }

    /// The files of the package that a file belongs to.
    pub(super) fn package_files(&self, path: &str) -> &[FileId] {
        self.package_of(path).and_then(|directory| self.files.get(directory)).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, nodes: &Nodes, outlines: &Outlines, file: FileId, directory: &str) {
        let at = |path: &str| normal(directory, path).and_then(|path| nodes.file_by_path(&path));
        let mut name = String::new();
        let mut library = at("src/lib.rs");
        let mut dependencies = Vec::new();
        for entry in entries(outlines, file) {
            match entry.as_slice() {
                ["name", package] => name = (*package).to_owned(),
                ["lib", own, path] => {
                    if !own.is_empty() {
                        name = (*own).to_owned();
                    }
                    if !path.is_empty() {
                        library = at(path);
                    }
                }
                ["dependency" | "shared", own, package, path] => {
                    dependencies.push(Dependency {
                        name: own.replace('-', "_").into(),
                        package: (*package).into(),
                        directory: normal(directory, path).filter(|_| !path.is_empty()).map(Into::into),
                    });
                }
                _ => {}
            }
        }
        if let Some(library) = library.filter(|_| !name.is_empty()) {
            self.libraries.insert(directory.into(), library);
            self.by_name.entry(name.replace('-', "_").into()).or_default().push(library);
        }
        self.dependencies.insert(directory.into(), dependencies);
    }

    /// The directory of the package that a file belongs to.
    fn package_of<'p>(&self, path: &'p str) -> Option<&'p str> {
        let mut directory = directory_of(path);
        loop {
            if self.dependencies.contains_key(directory) {
                return Some(directory);
            }
            if directory.is_empty() {
                return None;
            }
            directory = directory_of(directory);
        }
    }

    /// The library that a name outside of modules means in a file: by the path of the dependency, else by its name, which
    /// several may have.
    fn libraries(&self, path: &str, name: &str) -> Vec<FileId> {
        let directory = self.package_of(path);
        let declared = || {
            let above = std::iter::successors(directory, |at| (!at.is_empty()).then(|| directory_of(at)));
            let of_all = above.filter_map(|directory| self.dependencies.get(directory)).flatten();
            of_all.filter(|dependency| *dependency.name == *name)
        };
        let by_path = declared().find_map(|dependency| self.libraries.get(dependency.directory.as_deref()?));
        if let Some(library) = by_path {
            return vec![*library];
        }
        let package = declared().next().map_or_else(|| name.to_owned(), |found| found.package.replace('-', "_"));
        let Some(candidates) = self.by_name.get(package.as_str()) else { return Vec::new() };
        // Code beside a library uses it by its name.
        let own = directory.and_then(|directory| self.libraries.get(directory));
        match own.filter(|own| candidates.contains(own)) {
            Some(own) => vec![*own],
            None => candidates.iter().take(MAX_CANDIDATES).copied().collect(),
        }
    }

    fn is_declared(&self, path: &str, name: &str) -> bool {
        let Some(mut directory) = self.package_of(path) else { return false };
        loop {
            let here = self.dependencies.get(directory).into_iter().flatten();
            if here.into_iter().any(|dependency| *dependency.name == *name) {
                return true;
            }
            if directory.is_empty() {
                return false;
            }
            directory = directory_of(directory);
        }
    }
}

/// The file of a `mod`: in the folder of a root or a `mod.rs`, else in the folder of the file's name.
fn child_file(nodes: &Nodes, file: FileId, outline: &Outline, import: &ImportFact) -> Option<FileId> {
    let own = &nodes.file(file).path;
    let directory = directory_of(own);
    let stem = own.strip_suffix(".rs").unwrap_or(own);
    let named = outline.name(import.module).strip_prefix("self.")?;
    if let Some(path) = import.name.some() {
        let path = outline.name(path);
        return [directory, stem].iter().find_map(|from| nodes.file_by_path(&normal(from, path)?));
    }
    let path = named.replace('.', "/");
    let stands_for_folder = matches!(base_name(own), "lib.rs" | "main.rs" | "mod.rs" | "build.rs");
    // Roots of other names, and what is loaded by `#[path]`, look beside themselves.
    let places = if stands_for_folder { [directory, stem] } else { [stem, directory] };
    places.iter().find_map(|from| {
        let at = normal(from, &path)?;
        let found = nodes.file_by_path(&format!("{at}.rs")).or_else(|| nodes.file_by_path(&format!("{at}/mod.rs")));
        found.filter(|found| *found != file)
    })
}

fn parent(names: &Names<'_>, file: FileId) -> Option<FileId> {
    names.world.rust.parents.get(&file).copied()
}

/// A module that a file brings in.
fn submodule(names: &Names<'_>, file: FileId, name: &str) -> Option<FileId> {
    names.world.rust.children.get(&(file, Box::from(name))).copied()
}

fn child(names: &Names<'_>, file: FileId, import: &ImportFact) -> Option<FileId> {
    let outline = names.outline(file)?;
    match import.part {
        0 => submodule(names, file, outline.name(import.module).strip_prefix("self.")?),
        _ => child_file(names.nodes(), file, outline, import),
    }
}

/// The root of the crate that a file belongs to.
fn crate_root(names: &Names<'_>, file: FileId) -> FileId {
    let mut at = file;
    for _ in 0..MAX_DEPTH {
        match parent(names, at) {
            Some(above) => at = above,
            None => break,
        }
    }
    at
}

pub(super) fn found(names: &Names<'_>, file: FileId, import: &ImportFact) -> Found {
    let Some(outline) = names.outline(file) else { return Found::Outside };
    if import.level == 1 {
        return match child(names, file, import) {
            Some(child) => Found::Files(vec![child], true),
            None => Found::Missing(UnresolvedKind::RelativeModule),
        };
    }
    let path = outline.name(import.module);
    let modules = modules(names, file, path);
    match modules.as_slice() {
        [_, ..] => {
            // The last name may be a module, too.
            let further = |target| import.name.some().and_then(|name| submodule(names, target, outline.name(name)));
            let files = modules.iter().flat_map(|(target, _)| further(*target).into_iter().chain([*target]));
            Found::Files(files.collect(), modules.len() == 1)
        }
        [] => {
            let first = path.split('.').next().unwrap_or(path);
            let standard = matches!(first, "std" | "core" | "alloc" | "proc_macro" | "test");
            if standard || names.world.rust.is_declared(names.path(file), first) {
                Found::Outside
            } else if matches!(first, "crate" | "self" | "super") {
                Found::Missing(UnresolvedKind::OwnModule)
            } else if is_local(names, file, first) {
                Found::Outside
            } else {
                Found::Missing(UnresolvedKind::External)
            }
        }
    }
}

/// True for a name that the file itself gives a meaning: an enum whose variants are used, an import, an inline module.
fn is_local(names: &Names<'_>, file: FileId, name: &str) -> bool {
    names.binds(file, name) || names.world.rust.inline.contains(&(file, Box::from(name)))
}

/// The module that a path names, with how many of its segments were modules: none outside the repository, several where
/// the path begins with a library whose name others have, too.
fn modules(names: &Names<'_>, file: FileId, path: &str) -> Vec<(FileId, usize)> {
    let segments: Vec<&str> = path.split('.').collect();
    let Some(first) = segments.first() else { return Vec::new() };
    let begins: Vec<FileId> = match *first {
        "crate" | "$crate" => vec![crate_root(names, file)],
        "self" => vec![file],
        "super" => parent(names, file).into_iter().collect(),
        name => match submodule(names, file, name) {
            Some(module) => vec![module],
            None if is_local(names, file, name) => Vec::new(),
            None => names.world.rust.libraries(names.path(file), name),
        },
    };
    let follow = |begin: FileId| {
        let (mut at, mut taken) = (begin, 1);
        for segment in &segments[1..] {
            let next = match *segment {
                "super" => parent(names, at),
                "self" => Some(at),
                name => submodule(names, at, name),
            };
            match next {
                Some(next) => at = next,
                None => break,
            }
            taken += 1;
        }
        (at, taken)
    };
    begins.into_iter().map(follow).collect()
}

/// The meaning of a path of modules and names.
fn path_values(names: &mut Names<'_>, file: FileId, path: &str, values: &mut Values) {
    let modules = modules(names, file, path);
    if modules.is_empty() {
        values.push(Value { thing: Thing::External, sure: true });
    }
    for (at, taken) in &modules {
        let segments: Vec<&str> = path.split('.').skip(*taken).collect();
        let begin = Value { thing: Thing::Module(*at), sure: modules.len() == 1 };
        values_behind(names, begin, &segments, values);
    }
}

/// The meaning of the names behind a module.
fn values_behind(names: &mut Names<'_>, begin: Value, segments: &[&str], values: &mut Values) {
    let mut found = vec![begin];
    let mut index = 0;
    while index < segments.len() {
        let before = std::mem::take(&mut found);
        for value in &before {
            names.attribute(*value, segments[index], &mut found);
        }
        if found.is_empty() {
            let (inline, more) = inline(names, &before, &segments[index..]);
            found = inline;
            index += more;
        }
        index += 1;
    }
    values.extend(found);
}

/// What an import binds.
pub(super) fn imported(names: &mut Names<'_>, file: FileId, import: &ImportFact, values: &mut Values) {
    let Some(outline) = names.outline(file) else { return };
    if import.level == 1 {
        values.extend(child(names, file, import).map(|child| Value { thing: Thing::Module(child), sure: true }));
        return;
    }
    let module = outline.name(import.module);
    match import.name.some() {
        Some(name) => {
            let path = format!("{module}.{}", outline.name(name));
            names.nested(|names| path_values(names, file, &path, values));
        }
        None => names.nested(|names| path_values(names, file, module, values)),
    }
}

/// What a name of a module stands for: what it defines, imports, or brings in by a star.
pub(super) fn member(names: &mut Names<'_>, file: FileId, name: &str, values: &mut Values) {
    match name {
        "self" => values.push(Value { thing: Thing::Module(file), sure: true }),
        "super" => values.extend(parent(names, file).map(|above| Value { thing: Thing::Module(above), sure: true })),
        _ => {
            let before = values.len();
            names.module_level(file, name, values);
            if values.len() == before {
                starred(names, file, name, values);
            }
        }
    }
}

fn starred(names: &mut Names<'_>, file: FileId, name: &str, values: &mut Values) {
    let Some(outline) = names.outline(file) else { return };
    for import in outline.imports.iter().filter(|import| import.form == ImportForm::Star).take(MAX_STARS) {
        let path = outline.name(import.module);
        if path == "self" {
            continue;
        }
        if !names.spend() {
            break;
        }
        let mut from = Values::new();
        if modules(names, file, path).iter().any(|(target, _)| *target != file || path.contains('.')) {
            names.inside(|names| path_values(names, file, path, &mut from));
        }
        for value in from.into_iter().filter(|value| value.thing != Thing::External) {
            names.attribute(value, name, values);
        }
    }
}

/// The first name of a path that no scope of the file binds.
pub(super) fn head(names: &mut Names<'_>, file: FileId, name: &str, values: &mut Values) {
    match name {
        "crate" => values.push(Value { thing: Thing::Module(crate_root(names, file)), sure: true }),
        "self" | "super" => member(names, file, name, values),
        "std" | "core" | "alloc" => values.push(Value { thing: Thing::External, sure: true }),
        _ => {
            // Tests in an inline module see what the file holds; a function may stand in one.
            starred(names, file, name, values);
            if !values.is_empty() {
                return;
            }
            let libraries = names.world.rust.libraries(names.path(file), name);
            let sure = libraries.len() == 1;
            values.extend(libraries.iter().map(|library| Value { thing: Thing::Module(*library), sure }));
            if libraries.is_empty() && names.world.rust.is_declared(names.path(file), name) {
                values.push(Value { thing: Thing::External, sure: true });
            }
        }
    }
}

/// What an inline module of a file holds: its name is part of theirs. Gives also how many more segments were taken.
pub(super) fn inline(names: &Names<'_>, receivers: &Values, segments: &[&str]) -> (Values, usize) {
    let mut values = Values::new();
    for more in 1..segments.len().min(4) {
        let local: Vec<&str> = segments[..=more].iter().map(|segment| crate::facts::without_call(segment)).collect();
        let local = local.join(".");
        for receiver in receivers {
            let Thing::Module(file) = receiver.thing else { continue };
            for kind in [PartKind::Function, PartKind::Class] {
                values.extend(
                    names.named(file, &local, kind).map(|part| Value { thing: Thing::Part(part), sure: receiver.sure }),
                );
            }
        }
        if !values.is_empty() {
            return (values, more);
        }
    }
    (values, 0)
}
