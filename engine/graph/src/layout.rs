//! Where Python finds modules in a tree: packages, namespace packages, import roots. Knows paths only, never contents.

use std::sync::Arc;

use crate::hash::{Map, Set};

use crate::code::FileId;
use crate::facts::Language;

/// What a dotted name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// `__init__` files of the packages on the way, outermost first, without the target.
    pub(crate) packages: Vec<FileId>,
    /// What the matched segments name.
    pub(crate) target: Target,
    /// How many segments matched.
    pub(crate) matched: usize,
    /// Found along a path that Python is sure to look at.
    pub(crate) sure: bool,
}

/// A module, or a directory that only holds modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    /// A module or a package's `__init__`.
    Module(FileId),
    /// Index of a directory without `__init__`.
    Namespace(u32),
}

/// Import roots that one name is looked for in, beside those around the file that names it; modules of one name that are
/// looked through; and those that one name may mean before it may mean any.
const MAX_ROOTS: usize = 64;
const MAX_NAMESAKES: usize = 128;
const MAX_MEANT: usize = 4;

#[derive(Debug, Default)]
struct Directory {
    init: Option<FileId>,
    has_code: bool,
}

/// The directories and modules of one tree.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// Stem path (`a/b/c` for `a/b/c.py`) to file; a source wins over its stub.
    modules: Map<Arc<str>, FileId>,
    directories: Map<Arc<str>, u32>,
    directory_names: Vec<Arc<str>>,
    directory_facts: Vec<Directory>,
    /// Directories that imports start from, the repository's root first.
    roots: Vec<Arc<str>>,
    is_root: Set<Arc<str>>,
    /// Last segment to the stems that end with it (for packages: the directory).
    by_last: Map<Box<str>, Vec<(Arc<str>, FileId)>>,
    /// Names of directories and modules: no other name can begin an import of this tree.
    first_names: Set<Box<str>>,
}

/// The directory of a path; empty at the root.
pub(crate) fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The last segment of a path.
pub(crate) fn base_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// A path without its last ending.
pub(crate) fn stem(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(stem, _)| stem)
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

impl Layout {
    /// Reads the layout off the sorted paths of a tree.
    pub(crate) fn new<'p>(paths: impl Iterator<Item = &'p str>) -> Self {
        let mut layout = Self { roots: vec!["".into()], ..Self::default() };
        let mut project_roots = Set::default();
        layout.directory("");
        for (index, path) in paths.enumerate() {
            let file = FileId(index as u32);
            let directory = directory_of(path);
            if matches!(base_name(path), "pyproject.toml" | "setup.py" | "setup.cfg") {
                project_roots.insert(directory);
            }
            if Language::of_path(path) != Some(Language::Python) {
                continue;
            }
            let mut at = directory;
            loop {
                let index = layout.directory(at) as usize;
                if layout.directory_facts[index].has_code {
                    break;
                }
                layout.directory_facts[index].has_code = true;
                if at.is_empty() {
                    break;
                }
                at = directory_of(at);
            }
            let stem = stem(path);
            let is_stub = path.ends_with(".pyi");
            if base_name(stem) == "__init__" {
                let index = layout.directory(directory) as usize;
                let init = &mut layout.directory_facts[index].init;
                if init.is_none() || !is_stub {
                    *init = Some(file);
                }
                let directory = Arc::clone(&layout.directory_names[index]);
                layout.by_last.entry(base_name(&directory).into()).or_default().push((Arc::clone(&directory), file));
            } else {
                let last: Box<str> = base_name(stem).into();
                let stem: Arc<str> = stem.into();
                if !is_stub || !layout.modules.contains_key(&stem) {
                    layout.modules.insert(Arc::clone(&stem), file);
                }
                layout.first_names.insert(last.clone());
                layout.by_last.entry(last).or_default().push((stem, file));
            }
        }
        for index in 1..layout.directory_names.len() {
            let name = Arc::clone(&layout.directory_names[index]);
            layout.first_names.insert(base_name(&name).into());
            let facts = &layout.directory_facts[index];
            if facts.has_code && facts.init.is_none() && (base_name(&name) == "src" || project_roots.contains(&*name)) {
                layout.roots.push(name);
            }
        }
        let depth = |root: &str| root.matches('/').count() + usize::from(!root.is_empty());
        layout.roots.sort_unstable_by(|a, b| (depth(a), a).cmp(&(depth(b), b)));
        layout.is_root = layout.roots.iter().cloned().collect();
        layout
    }

    fn directory(&mut self, name: &str) -> u32 {
        if let Some(&index) = self.directories.get(name) {
            return index;
        }
        let index = self.directory_names.len() as u32;
        let name: Arc<str> = name.into();
        self.directories.insert(Arc::clone(&name), index);
        self.directory_names.push(name);
        self.directory_facts.push(Directory::default());
        index
    }

    /// A number for the directory of a path, the same for the same directory.
    pub(crate) fn directory_number(&self, path: &str) -> u32 {
        self.directories.get(directory_of(path)).copied().unwrap_or(u32::MAX)
    }

    /// The deepest import root above a path.
    fn root_of<'p>(&self, path: &'p str) -> &'p str {
        let mut at = directory_of(path);
        while !at.is_empty() && !self.is_root.contains(at) {
            at = directory_of(at);
        }
        at
    }

    /// The import roots that a file's names are looked for in after its own: of very many those that lie beside what is
    /// around it, and the first of them.
    fn other_roots(&self, path: &str) -> Vec<Arc<str>> {
        let mut roots = Vec::new();
        if self.roots.len() > MAX_ROOTS {
            let mut at = directory_of(path);
            while !at.is_empty() && roots.len() < MAX_ROOTS {
                at = directory_of(at);
                roots.extend(self.is_root.get(join(at, "src").as_str()).cloned());
            }
        }
        roots.extend(self.roots.iter().take(MAX_ROOTS).cloned());
        roots
    }

    /// The directory that Python itself would import a file from: above its outermost package.
    fn natural_root<'p>(&self, path: &'p str) -> &'p str {
        let mut at = directory_of(path);
        while !at.is_empty() && self.init_of(at).is_some() {
            at = directory_of(at);
        }
        at
    }

    fn init_of(&self, directory: &str) -> Option<FileId> {
        self.directories.get(directory).and_then(|index| self.directory_facts[*index as usize].init)
    }

    /// `__init__` of the packages around a file, outermost first, without the file itself.
    pub(crate) fn packages_around(&self, path: &str, file: FileId) -> Vec<FileId> {
        let mut found = Vec::new();
        let mut at = directory_of(path);
        while !at.is_empty() {
            match self.init_of(at) {
                Some(init) if init != file => found.push(init),
                Some(_) => {}
                None => break,
            }
            at = directory_of(at);
        }
        found.reverse();
        found
    }

    /// The dotted name of a Python file over the whole repository.
    pub(crate) fn module_name(&self, path: &str) -> String {
        let root = self.root_of(path);
        let rest = path.strip_prefix(root).unwrap_or(path).trim_start_matches('/');
        let stem = stem(rest);
        let stem = stem.strip_suffix("/__init__").unwrap_or(stem);
        stem.replace('/', ".")
    }

    /// Follows segments down from a directory, as far as they lead.
    fn descend(&self, directory: &str, segments: &[&str]) -> Option<Found> {
        let mut packages = Vec::new();
        let mut at = directory.to_owned();
        let mut found = None;
        for (index, segment) in segments.iter().enumerate() {
            if segment.is_empty() {
                break;
            }
            at = join(&at, segment);
            let known = self.directories.get(at.as_str()).copied();
            let init = known.and_then(|index| self.directory_facts[index as usize].init);
            let module = self.modules.get(at.as_str()).copied();
            let target = match (init, module, known) {
                (Some(init), _, _) => Target::Module(init),
                (None, Some(module), _) => Target::Module(module),
                (None, None, Some(index)) if self.directory_facts[index as usize].has_code => Target::Namespace(index),
                _ => break,
            };
            found = Some(Found { packages: packages.clone(), target, matched: index + 1, sure: true });
            match (init, module) {
                (Some(init), _) => packages.push(init),
                (None, Some(_)) => break,
                _ => {}
            }
        }
        found
    }

    /// What an absolute dotted name means in a file: the longest match over the import roots, surest root first.
    pub(crate) fn absolute(&self, path: &str, dotted: &str) -> Option<Found> {
        let segments: Vec<&str> = dotted.split('.').collect();
        if !self.first_names.contains(segments[0]) {
            return None;
        }
        let is_standard = crate::stdlib::is_standard(segments[0]);
        let natural = self.natural_root(path);
        let mut best: Option<Found> = None;
        let own = [natural, self.root_of(path)];
        let others = self.other_roots(path);
        for root in own.into_iter().chain(others.iter().map(|root| &**root)) {
            let Some(mut found) = self.descend(root, &segments) else { continue };
            if is_standard && matches!(found.target, Target::Namespace(_)) {
                continue;
            }
            found.sure = !is_standard;
            if found.matched == segments.len() && matches!(found.target, Target::Module(_)) {
                return Some(found);
            }
            if best.as_ref().is_none_or(|best| best.matched < found.matched) {
                best = Some(found);
            }
        }
        if best.as_ref().is_some_and(|best| best.matched == segments.len()) {
            return best;
        }
        if is_standard {
            return best;
        }
        // Some directory above acts as an import root.
        let mut at = directory_of(path);
        loop {
            if let Some(mut found) = self.descend(at, &segments)
                && found.matched == segments.len()
            {
                found.sure = false;
                return Some(found);
            }
            if at.is_empty() {
                break;
            }
            at = directory_of(at);
        }
        self.by_suffix(&segments).or(best)
    }

    /// The only module whose path ends with these segments: settings, or code, may make its folder a root.
    fn by_suffix(&self, segments: &[&str]) -> Option<Found> {
        let [stem] = &*self.ending_with(segments)? else { return None };
        let root = stem.strip_suffix(&segments.join("/"))?.trim_end_matches('/');
        let mut found = self.descend(root, segments)?;
        found.sure = false;
        (found.matched == segments.len()).then_some(found)
    }

    /// Modules whose paths end with these segments; `None` where they are too many to tell.
    fn ending_with(&self, segments: &[&str]) -> Option<Vec<&Arc<str>>> {
        let name = segments.join("/");
        let Some(named) = segments.last().and_then(|last| self.by_last.get(*last)) else { return Some(Vec::new()) };
        if named.len() > MAX_NAMESAKES {
            return None;
        }
        let ends =
            |stem: &str| stem.strip_suffix(&*name).is_some_and(|before| before.is_empty() || before.ends_with('/'));
        let mut found: Vec<&Arc<str>> = named.iter().map(|(stem, _)| stem).filter(|stem| ends(stem)).collect();
        found.dedup();
        Some(found)
    }

    /// Paths without endings that a module of this name would have.
    pub(crate) fn stems(&self, path: &str, level: u16, dotted: &str) -> Vec<String> {
        let name = dotted.replace('.', "/");
        if level > 0 {
            let mut at = directory_of(path);
            (1..level).for_each(|_| at = directory_of(at));
            return vec![join(at, &name)];
        }
        let mut roots = vec![self.natural_root(path), self.root_of(path)];
        roots.extend(self.roots.iter().take(MAX_ROOTS).map(|root| &**root));
        roots.into_iter().map(|root| join(root, &name)).collect()
    }

    /// The folders in which an absolute name that is not found may mean a module, when one of several roots is added at run
    /// time; the whole tree where those are many. None where no path ends so, or Python itself has the module.
    pub(crate) fn may_mean(&self, dotted: &str) -> Vec<&str> {
        let segments: Vec<&str> = dotted.split('.').collect();
        if !self.first_names.contains(segments[0]) || crate::stdlib::is_standard(segments[0]) {
            return Vec::new();
        }
        let mut folders: Vec<&str> = match self.ending_with(&segments) {
            Some(stems) => stems.into_iter().map(|stem| directory_of(stem)).collect(),
            None => vec![""],
        };
        folders.sort_unstable();
        folders.dedup();
        if folders.len() > MAX_MEANT { vec![""] } else { folders }
    }

    /// What a relative name means in a file; `dotted` may be empty. The first result says how many segments matched.
    pub(crate) fn relative(&self, path: &str, level: u16, dotted: &str) -> Option<Found> {
        let mut at = directory_of(path);
        for _ in 1..level {
            if at.is_empty() {
                return None;
            }
            at = directory_of(at);
        }
        if dotted.is_empty() {
            let target = match self.init_of(at) {
                Some(init) => Target::Module(init),
                None => Target::Namespace(*self.directories.get(at)?),
            };
            return Some(Found { packages: Vec::new(), target, matched: 0, sure: true });
        }
        let segments: Vec<&str> = dotted.split('.').collect();
        let mut found = self.descend(at, &segments)?;
        if let Some(init) = self.init_of(at) {
            found.packages.insert(0, init);
        }
        Some(found)
    }

    /// A module of a package or namespace directory.
    pub(crate) fn submodule(&self, of: Target, init_path: &str, name: &str) -> Option<Target> {
        self.descend(self.folder_of(of, init_path)?, &[name]).map(|found| found.target)
    }

    /// The folder that a package or namespace directory is.
    pub(crate) fn folder_of<'p>(&'p self, of: Target, init_path: &'p str) -> Option<&'p str> {
        match of {
            Target::Module(_) if base_name(stem(init_path)) == "__init__" => Some(directory_of(init_path)),
            Target::Module(_) => None,
            Target::Namespace(index) => Some(&self.directory_names[index as usize]),
        }
    }

    /// What the module of an import means in a file.
    pub(crate) fn find(&self, path: &str, level: u16, dotted: &str) -> Option<Found> {
        if level == 0 { self.absolute(path, dotted) } else { self.relative(path, level, dotted) }
    }

    /// Whether a directory holds code, near or far.
    pub(crate) fn has_code(&self, directory: &str) -> bool {
        self.directories.get(directory).is_some_and(|index| self.directory_facts[*index as usize].has_code)
    }

    /// Whether imports start from the same directories in another tree.
    pub(crate) fn has_roots_of(&self, other: &Self) -> bool {
        self.roots == other.roots
    }

    /// Whether a name led to the same in this tree as in another one, where `of` gives a file of this one as one of that.
    pub(crate) fn is_found_alike(
        &self,
        before: Option<&Found>,
        other: &Self,
        after: Option<&Found>,
        of: impl Fn(FileId) -> Option<FileId>,
    ) -> bool {
        match (before, after) {
            (None, None) => true,
            (Some(before), Some(after)) => {
                (before.matched, before.sure) == (after.matched, after.sure)
                    && before.packages.iter().map(|file| of(*file)).eq(after.packages.iter().copied().map(Some))
                    && self.is_target_alike(Some(before.target), other, Some(after.target), of)
            }
            _ => false,
        }
    }

    /// The same of a target.
    pub(crate) fn is_target_alike(
        &self,
        before: Option<Target>,
        other: &Self,
        after: Option<Target>,
        of: impl Fn(FileId) -> Option<FileId>,
    ) -> bool {
        match (before, after) {
            (None, None) => true,
            (Some(Target::Module(before)), Some(Target::Module(after))) => of(before) == Some(after),
            (Some(Target::Namespace(before)), Some(Target::Namespace(after))) => {
                self.directory_names.get(before as usize) == other.directory_names.get(after as usize)
            }
            _ => false,
        }
    }

    /// True when the first segment of a dotted name is a package or module of this tree.
    pub(crate) fn owns(&self, path: &str, dotted: &str) -> bool {
        let first = dotted.split('.').next().unwrap_or(dotted);
        [self.natural_root(path), self.root_of(path), ""].into_iter().any(|root| self.descend(root, &[first]).is_some())
    }
}
