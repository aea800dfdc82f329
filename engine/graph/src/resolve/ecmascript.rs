//! Modules of TypeScript and JavaScript: relative paths, aliases of `tsconfig.json`, packages of the workspace.

use crate::code::{Edge, EdgeKind, Evidence, FileId, PartId};
use crate::facts::{ImportFact, ImportForm, Language, Outline, without_call};
use crate::graph::{Nodes, Outlines, UnresolvedKind};
use crate::hash::Map;
use crate::layout::{base_name, directory_of};
use crate::test_names::{governs_tests, lies_among_tests};

use super::foreign::{Family, Found, Names, Thing, Value, Values, entries, normal};
use super::{Index, Links, Tree};

/// Endings that a specifier leaves out, in the order in which they are tried.
const ENDINGS: [&str; 9] = ["ts", "tsx", "d.ts", "mts", "cts", "js", "jsx", "mjs", "cjs"];
/// Configurations that extend one another.
const MAX_EXTENDS: usize = 8;
/// Configurations that are read for one.
const MAX_CONFIGS: usize = 64;
/// Patterns of one manifest that are tried.
const MAX_PATTERNS: usize = 500;
/// Packages of one name that are looked through for a file.
const MAX_NAMESAKES: usize = 8;
/// Modules of which one hands on all names.
const MAX_STARS: usize = 200;
/// Folders of mocks that one package may have before its tests hang on all of it.
const MAX_MOCKS: usize = 16;
/// Folders that a build writes, whose sources stand elsewhere.
const BUILT: [&str; 8] = ["dist", "lib", "build", "out", "esm", "cjs", "es", "output"];

/// What manifests say, by directory.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    /// By directory.
    packages: Map<Box<str>, Package>,
    /// Directories of packages by name.
    by_name: Map<Box<str>, Vec<Box<str>>>,
    /// By directory; the aliases that hold in and below it.
    configs: Map<Box<str>, Aliases>,
    /// By directory of the package, or of the settings: what runs before the tests below it.
    set_up: Map<Box<str>, Vec<FileId>>,
    /// By directory of the package: folders of modules that stand in place of others.
    mocks: Map<Box<str>, Vec<Box<str>>>,
}

#[derive(Debug, Default)]
struct Package {
    /// Entry points in order of preference.
    entries: Vec<Box<str>>,
    exports: Vec<(Box<str>, Box<str>)>,
    imports: Vec<(Box<str>, Box<str>)>,
    dependencies: Vec<Box<str>>,
}

#[derive(Debug, Default, Clone)]
struct Aliases {
    /// Directory of `baseUrl`.
    base: Option<Box<str>>,
    /// Patterns with targets from the root.
    paths: Vec<(Box<str>, Box<str>)>,
}

impl Packages {
    pub(super) fn new(nodes: &Nodes, outlines: &Outlines) -> Self {
        let mut all = Self::default();
        for file in nodes.file_ids() {
            let path = &nodes.file(file).path;
            if runs_before_tests(path) {
                all.set_up.entry(directory_of(path).into()).or_default().push(file);
            }
            match Language::reader_of(path) {
                Some(Language::PackageJson) => all.add_package(path, outlines, file),
                Some(Language::TsConfig) if matches!(base_name(path), "tsconfig.json" | "jsconfig.json") => {
                    let aliases = aliases(nodes, outlines, file);
                    // The tools read a `jsconfig.json` only where no `tsconfig.json` stands beside it.
                    if base_name(path) == "tsconfig.json" {
                        all.configs.insert(directory_of(path).into(), aliases);
                    } else {
                        all.configs.entry(directory_of(path).into()).or_insert(aliases);
                    }
                }
                _ => {}
            }
        }
        for file in nodes.file_ids() {
            let path = &*nodes.file(file).path;
            if Family::of(nodes.file(file).language) != Some(Family::Script) {
                continue;
            }
            if is_set_up_name(path) {
                let package = all.package_of(path);
                all.set_up.entry(package).or_default().push(file);
            }
            let Some(end) = path.find("__mocks__/").map(|at| at + "__mocks__".len()) else { continue };
            let package = all.package_of(path);
            let folders = all.mocks.entry(package.clone()).or_default();
            if folders.last().is_none_or(|last| **last != path[..end]) && folders.len() <= MAX_MOCKS {
                folders.push(path[..end].into());
            }
        }
        all
    }

    /// The folder of the package around a file; the root where none is.
    pub(super) fn package_of(&self, path: &str) -> Box<str> {
        Self::above(&self.packages, path).next().map_or_else(|| "".into(), |(directory, _)| directory)
    }

    /// What runs before the tests of a file, and the folders of what stands in place of other modules for them.
    pub(super) fn set_up_for(&self, path: &str) -> (Vec<FileId>, Vec<Box<str>>) {
        let mut files: Vec<FileId> = Self::above(&self.set_up, path).flat_map(|(_, files)| files).copied().collect();
        files.sort_unstable();
        files.dedup();
        let folders = Self::above(&self.mocks, path)
            .flat_map(|(package, folders)| if folders.len() > MAX_MOCKS { vec![package] } else { folders.clone() });
        (files, folders.collect())
    }

    fn add_package(&mut self, path: &str, outlines: &Outlines, file: FileId) {
        let directory = directory_of(path);
        let mut package = Package::default();
        let mut set_up = true;
        for entry in entries(outlines, file) {
            match entry.as_slice() {
                ["name", name] => self.by_name.entry((*name).into()).or_default().push(directory.into()),
                ["source" | "types" | "typings" | "module" | "main", target] => package.entries.push((*target).into()),
                ["export", subpath, target] => package.exports.push(((*subpath).into(), (*target).into())),
                ["import", name, target] => package.imports.push(((*name).into(), (*target).into())),
                ["dependency", name] => package.dependencies.push((*name).into()),
                ["set up", _] if set_up => {
                    self.set_up.entry(directory.into()).or_default().push(file);
                    set_up = false;
                }
                _ => {}
            }
        }
        package.dependencies.sort_unstable();
        package.exports.truncate(MAX_PATTERNS);
        package.imports.truncate(MAX_PATTERNS);
        self.packages.insert(directory.into(), package);
    }

    /// What holds for a file, nearest first.
    fn above<'m, T>(map: &'m Map<Box<str>, T>, path: &str) -> impl Iterator<Item = (Box<str>, &'m T)> {
        let mut directory = Some(directory_of(path).to_owned());
        std::iter::from_fn(move || {
            loop {
                let at = directory.take()?;
                directory = (!at.is_empty()).then(|| directory_of(&at).to_owned());
                if let Some(found) = map.get(at.as_str()) {
                    return Some((at.into(), found));
                }
            }
        })
    }
}

/// What a configuration and those that it extends say, before it is put together.
#[derive(Default)]
struct Config {
    base: Option<Box<str>>,
    /// The nearest `paths` as written, which hide those further up, and the directory of the file that has them.
    paths: Vec<(Box<str>, Box<str>)>,
    directory: String,
    /// Projects that the first file refers to.
    referred: Vec<FileId>,
    /// Files that were read: each once.
    seen: Vec<FileId>,
}

impl Config {
    /// `paths` are meant from `baseUrl`, whichever file sets it, else from where they are written.
    fn aliases(self) -> Aliases {
        let from = self.base.as_deref().unwrap_or(&self.directory);
        let paths = self.paths.iter().take(MAX_PATTERNS);
        let paths =
            paths.filter_map(|(pattern, target)| Some((pattern.clone(), normal(from, target)?.into()))).collect();
        Aliases { base: self.base, paths }
    }
}

/// The aliases of a configuration. A solution has none of its own; the projects that it refers to say what holds beside it.
fn aliases(nodes: &Nodes, outlines: &Outlines, file: FileId) -> Aliases {
    let mut config = Config::default();
    read_config(nodes, outlines, file, &mut config, 0);
    let referred = std::mem::take(&mut config.referred);
    let mut seen = std::mem::take(&mut config.seen);
    let mut aliases = config.aliases();
    for project in referred {
        if !aliases.paths.is_empty() {
            break;
        }
        let mut config = Config { seen, ..Config::default() };
        read_config(nodes, outlines, project, &mut config, MAX_EXTENDS - 1);
        seen = std::mem::take(&mut config.seen);
        let more = config.aliases();
        aliases.paths = more.paths;
        aliases.base = aliases.base.or(more.base);
    }
    aliases
}

/// Reads a configuration with what it extends.
fn read_config(nodes: &Nodes, outlines: &Outlines, file: FileId, config: &mut Config, depth: usize) {
    if config.seen.len() >= MAX_CONFIGS || config.seen.contains(&file) {
        return;
    }
    config.seen.push(file);
    let directory = directory_of(&nodes.file(file).path).to_owned();
    let mut base = None;
    let mut above = Vec::new();
    let mut referred = Vec::new();
    let mut paths = Vec::new();
    for entry in entries(outlines, file) {
        match entry.as_slice() {
            ["base", path] => base = normal(&directory, path).map(Into::into),
            ["path", pattern, target] => paths.push(((*pattern).into(), (*target).into())),
            ["extends", path] => above.push((*path).to_owned()),
            ["reference", path] => referred.push((*path).to_owned()),
            _ => {}
        }
    }
    if config.base.is_none() {
        config.base = base;
    }
    if config.paths.is_empty() {
        config.paths = paths;
        config.directory.clone_from(&directory);
    }
    if depth >= MAX_EXTENDS {
        return;
    }
    let found = |path: &String| {
        let path = normal(&directory, path)?;
        [path.clone(), format!("{path}.json"), format!("{path}/tsconfig.json")]
            .iter()
            .find_map(|path| nodes.file_by_path(path))
            .filter(|found| Language::reader_of(&nodes.file(*found).path) == Some(Language::TsConfig))
    };
    for path in above.iter().rev().take(MAX_CONFIGS) {
        if let Some(above) = found(path) {
            read_config(nodes, outlines, above, config, depth + 1);
        }
    }
    if depth == 0 {
        let beside = referred.iter().take(MAX_CONFIGS).filter_map(found);
        config.referred = beside.filter(|found| directory_of(&nodes.file(*found).path) == directory).collect();
    }
}

/// The file of a module by its path without, or with, its ending.
fn file_at(nodes: &Nodes, path: &str, from_script: bool) -> Option<FileId> {
    if let Some(found) = nodes.file_by_path(path).filter(|_| !path.is_empty()) {
        return Some(found);
    }
    // `./x.js` may be written for `x.ts`.
    if let Some((stem, ending)) = path.rsplit_once('.') {
        let sources: &[&str] = match ending {
            "js" | "jsx" => &["ts", "tsx", "d.ts"],
            "mjs" => &["mts", "d.mts"],
            "cjs" => &["cts", "d.cts"],
            _ => &[],
        };
        if let Some(found) = sources.iter().find_map(|ending| nodes.file_by_path(&format!("{stem}.{ending}"))) {
            return Some(found);
        }
    }
    let order = |path: &str| {
        let endings = ENDINGS.iter().copied();
        let found = |ending: &str| nodes.file_by_path(&format!("{path}.{ending}"));
        if from_script {
            let (own, other) = (endings.clone().skip(5), endings.take(5));
            own.chain(other).find_map(found)
        } else {
            endings.into_iter().find_map(found)
        }
    };
    if !path.is_empty()
        && let Some(found) = order(path).or_else(|| nodes.file_by_path(&format!("{path}.json")))
    {
        return Some(found);
    }
    let index = if path.is_empty() { "index".to_owned() } else { format!("{path}/index") };
    order(&index)
}

/// What a pattern with at most one star makes of a text: what the star stands for.
fn captured<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
    match pattern.split_once('*') {
        Some((begin, end)) => {
            let inner = text.strip_prefix(begin)?.strip_suffix(end)?;
            Some(inner)
        }
        None => (pattern == text).then_some(""),
    }
}

struct Search<'a> {
    nodes: &'a Nodes,
    packages: &'a Packages,
    from_script: bool,
}

impl Search<'_> {
    fn at(&self, path: &str) -> Option<FileId> {
        if let Some(found) = file_at(self.nodes, path, self.from_script) {
            return Some(found);
        }
        // A folder with a manifest of its own.
        let package = self.packages.packages.get(path)?;
        self.entry(path, package).map(|(file, _)| file)
    }

    fn entry(&self, directory: &str, package: &Package) -> Option<(FileId, bool)> {
        let exported = package.exports.iter().filter(|(subpath, _)| &**subpath == ".").map(|(_, target)| target);
        let targets: Vec<&str> = package.entries.iter().chain(exported).map(|target| &**target).collect();
        let sure = targets.iter().find_map(|target| {
            let path = normal(directory, target)?;
            file_at(self.nodes, &path, self.from_script)
        });
        if let Some(file) = sure {
            return Some((file, true));
        }
        let built = targets.iter().find_map(|target| self.source_of(directory, target));
        let usual = || {
            ["src/index", "index", "lib/index", "src/main"]
                .iter()
                .find_map(|path| file_at(self.nodes, &normal(directory, path)?, self.from_script))
        };
        built.or_else(usual).map(|file| (file, false))
    }

    /// The source of something that a build writes: `dist/a.js` of `src/a.ts`.
    fn source_of(&self, directory: &str, target: &str) -> Option<FileId> {
        let target = target.trim_start_matches("./");
        let (first, rest) = target.split_once('/')?;
        if !BUILT.contains(&first) {
            return None;
        }
        let rest = rest.split_once('/').filter(|(next, _)| BUILT.contains(next)).map_or(rest, |(_, rest)| rest);
        let stem = [".d.ts", ".d.mts", ".d.cts"].iter().find_map(|ending| rest.strip_suffix(ending));
        let stem = stem.or_else(|| rest.rsplit_once('.').map(|(stem, _)| stem)).unwrap_or(rest);
        ["src", ""].iter().find_map(|folder| {
            let path = normal(directory, &format!("{folder}/{stem}"))?;
            file_at(self.nodes, &path, self.from_script)
        })
    }

    fn mapped(&self, directory: &str, map: &[(Box<str>, Box<str>)], name: &str) -> Option<(FileId, bool)> {
        for (pattern, target) in map {
            let Some(inner) = captured(pattern, name) else { continue };
            let target = target.replace('*', inner);
            let exact = normal(directory, &target).and_then(|path| file_at(self.nodes, &path, self.from_script));
            if let Some(file) = exact {
                return Some((file, true));
            }
            if let Some(file) = self.source_of(directory, &target) {
                return Some((file, false));
            }
        }
        None
    }

    fn alias(&self, path: &str, specifier: &str) -> Option<FileId> {
        let (_, aliases) = Packages::above(&self.packages.configs, path).next()?;
        let matching = |pattern: &str| captured(pattern, specifier).map(|_| pattern.find('*').unwrap_or(usize::MAX));
        let best = aliases.paths.iter().filter_map(|(pattern, _)| matching(pattern)).max();
        if let Some(best) = best {
            for (pattern, target) in aliases.paths.iter().filter(|(pattern, _)| matching(pattern) == Some(best)) {
                let inner = captured(pattern, specifier).unwrap_or_default();
                let target = normal("", &target.replace('*', inner));
                if let Some(found) = target.and_then(|target| self.at(&target)) {
                    return Some(found);
                }
            }
        }
        let base = aliases.base.as_deref()?;
        self.at(&normal(base, specifier)?)
    }
}

pub(super) fn found(names: &Names<'_>, file: FileId, import: &ImportFact) -> Found {
    let Some(outline) = names.outline(file) else { return Found::Outside };
    let path = names.path(file);
    let specifier = outline.name(import.module);
    // Loaders and queries of bundlers: `raw-loader!./x`, `./x?inline`.
    let specifier = specifier.rsplit('!').next().unwrap_or(specifier);
    let specifier = specifier.split('?').next().unwrap_or(specifier);
    let from_script = names.nodes().file(file).language == Some(Language::JavaScript);
    let search = Search { nodes: names.nodes(), packages: &names.world.script, from_script };
    let one = |file: FileId, sure: bool| {
        let runs = implementation(names.nodes(), file).filter(|_| !import.type_only);
        Found::Files(std::iter::once(file).chain(runs).collect(), sure)
    };
    if specifier.starts_with("./") || specifier.starts_with("../") || matches!(specifier, "." | "..") {
        let target = normal(directory_of(path), specifier).and_then(|target| search.at(&target));
        return match target {
            Some(target) => one(target, true),
            None => Found::Missing(UnresolvedKind::RelativeModule),
        };
    }
    if let Some(target) = search.alias(path, specifier) {
        return one(target, true);
    }
    if specifier.starts_with('#')
        && let Some((directory, package)) = Packages::above(&search.packages.packages, path).next()
        && let Some((target, sure)) = search.mapped(&directory, &package.imports, specifier)
    {
        return one(target, sure);
    }
    let (name, subpath) = package_name(specifier);
    if let Some(directories) = search.packages.by_name.get(name) {
        let only = directories.len() == 1;
        for directory in directories.iter().take(MAX_NAMESAKES) {
            let Some(package) = search.packages.packages.get(directory) else { continue };
            let target = if subpath.is_empty() {
                search.entry(directory, package)
            } else {
                let exported = search.mapped(directory, &package.exports, &format!("./{subpath}"));
                exported.or_else(|| {
                    let beside = normal(directory, subpath).and_then(|path| search.at(&path)).map(|file| (file, true));
                    beside.or_else(|| search.source_of(directory, subpath).map(|file| (file, false)))
                })
            };
            if let Some((target, sure)) = target {
                return one(target, sure && only);
            }
        }
        return Found::Missing(UnresolvedKind::OwnModule);
    }
    let is_declared = || {
        let types = format!("@types/{}", name.trim_start_matches('@').replace('/', "__"));
        Packages::above(&search.packages.packages, path).any(|(_, package)| {
            [name, &*types]
                .iter()
                .any(|name| package.dependencies.binary_search_by(|known| (**known).cmp(name)).is_ok())
        })
    };
    if specifier.contains(':') || is_built_in(name) || is_declared() {
        return Found::Outside;
    }
    Found::Missing(UnresolvedKind::External)
}

/// The script beside a file of declarations: what is declared is what it does.
fn implementation(nodes: &Nodes, declarations: FileId) -> Option<FileId> {
    let (stem, ending) = nodes.file(declarations).path.rsplit_once(".d.")?;
    let scripts: &[&str] = match ending {
        "ts" => &["js", "jsx", "mjs", "cjs"],
        "mts" => &["mjs"],
        "cts" => &["cjs"],
        _ => &[],
    };
    scripts.iter().find_map(|ending| nodes.file_by_path(&format!("{stem}.{ending}")))
}

/// The package that a bare specifier names, and the path inside.
fn package_name(specifier: &str) -> (&str, &str) {
    let skip = usize::from(specifier.starts_with('@'));
    let end = specifier.match_indices('/').nth(skip).map_or(specifier.len(), |(at, _)| at);
    (&specifier[..end], specifier.get(end + 1..).unwrap_or(""))
}

fn is_built_in(name: &str) -> bool {
    const NODE: [&str; 43] = [
        "assert",
        "async_hooks",
        "buffer",
        "child_process",
        "cluster",
        "console",
        "constants",
        "crypto",
        "dgram",
        "diagnostics_channel",
        "dns",
        "domain",
        "events",
        "fs",
        "http",
        "http2",
        "https",
        "inspector",
        "module",
        "net",
        "os",
        "path",
        "perf_hooks",
        "process",
        "punycode",
        "querystring",
        "readline",
        "repl",
        "sea",
        "sqlite",
        "stream",
        "string_decoder",
        "sys",
        "test",
        "timers",
        "tls",
        "trace_events",
        "tty",
        "url",
        "util",
        "v8",
        "vm",
        "zlib",
    ];
    NODE.contains(&name) || matches!(name, "worker_threads" | "wasi")
}

/// Settings of a runner of tests that are code: what they use runs before every test below.
fn runs_before_tests(path: &str) -> bool {
    const RUNNERS: [&str; 9] = ["jest", "vitest", "karma", "playwright", "cypress", "wdio", "ava", "mocha", "jasmine"];
    let name = base_name(path).trim_start_matches('.');
    let tool = name.split('.').next().unwrap_or(name);
    Language::of_path(path).is_some() && RUNNERS.contains(&tool.trim_end_matches("rc")) && governs_tests(path)
}

/// Names that files have which a runner's settings name, in whatever file those stand.
fn is_set_up_name(path: &str) -> bool {
    let stem = base_name(path).split('.').next().unwrap_or_default().to_ascii_lowercase().replace(['-', '_'], "");
    const NAMES: [&str; 12] = [
        "setuptests",
        "testsetup",
        "setuptest",
        "globalsetup",
        "globalteardown",
        "jestsetup",
        "setupjest",
        "vitestsetup",
        "setupvitest",
        "setupfiles",
        "setupenv",
        "setupfilesafterenv",
    ];
    NAMES.contains(&&*stem) || matches!(&*stem, "setup" | "teardown") && lies_among_tests(path)
}

/// What `package.json` says that runs before tests.
pub(super) fn set_up_by(tree: Tree<'_>, index: &Index, file: FileId) -> Links {
    let nodes = tree.nodes;
    let (own, body) = (directory_of(&nodes.file(file).path), nodes.body_of(file));
    let search = Search { nodes, packages: &index.foreign.script, from_script: true };
    let mut links = Links::default();
    for entry in entries(tree.outlines, file) {
        let ["set up", path] = entry.as_slice() else { continue };
        let path = path.trim_start_matches("<rootDir>/");
        if let Some(target) = normal(own, path).and_then(|path| search.at(&path)) {
            let (to, evidence) = (nodes.body_of(target), Evidence::String);
            let edge = Edge { from: body, to, kind: EdgeKind::References, evidence, site: 0, type_only: false };
            links.edges.push(edge);
        }
    }
    links
}

/// Whether a module calls what runners provide without an import, or imports one of those that only tests do.
pub(super) fn calls_a_runner(outline: &Outline) -> bool {
    const CALLED: [&str; 14] = [
        "describe",
        "it",
        "test",
        "suite",
        "specify",
        "context",
        "QUnit",
        "fixture",
        "feature",
        "scenario",
        "xdescribe",
        "fdescribe",
        "xit",
        "fit",
    ];
    const IMPORTED: [&str; 14] = [
        "ava",
        "tape",
        "tap",
        "uvu",
        "mocha",
        "jasmine",
        "qunit",
        "zora",
        "baretest",
        "node:test",
        "vitest",
        "bun:test",
        "tape-promise",
        "lab",
    ];
    let called = outline.references.iter().any(|reference| {
        let head = outline.name(reference.chain).split('.').next().unwrap_or_default();
        reference.is_call && CALLED.contains(&without_call(head))
    });
    called || outline.imports.iter().any(|import| IMPORTED.contains(&outline.name(import.module)))
}

/// Runners whose functions a module imports only to define tests.
pub(super) fn imports_a_runner(outline: &Outline) -> bool {
    outline.imports.iter().any(|import| {
        let runner = matches!(
            outline.name(import.module),
            "node:test" | "vitest" | "bun:test" | "@jest/globals" | "@playwright/test"
        );
        let defines = matches!(outline.name(import.name), "it" | "test" | "describe" | "suite" | "default");
        runner && import.part == 0 && !import.type_only && (defines || import.form == ImportForm::Module)
    })
}

/// What an import binds.
pub(super) fn imported(names: &mut Names<'_>, file: FileId, import: &ImportFact, values: &mut Values) {
    let Some(outline) = names.outline(file) else { return };
    let (target, sure) = match names.found(file, import) {
        Found::Files(files, sure) => match files.first() {
            Some(target) => (*target, sure),
            None => return,
        },
        _ => {
            values.push(Value { thing: Thing::External, sure: true });
            return;
        }
    };
    let before = values.len();
    match import.form {
        ImportForm::From => {
            let name = outline.name(import.name);
            names.nested(|names| attribute(names, target, name, values));
            if values.len() == before && name == "default" {
                values.push(Value { thing: Thing::Module(target), sure });
            }
        }
        _ => values.push(Value { thing: Thing::Module(target), sure }),
    }
    if !sure {
        values[before..].iter_mut().for_each(|value| value.sure = false);
    }
}

/// What a module offers under a name, by its own exports and those that it hands on.
pub(super) fn exported(names: &mut Names<'_>, file: FileId, name: &str, values: &mut Values) {
    let before = values.len();
    names.module_level(file, name, values);
    if values.len() > before {
        return;
    }
    // A default function without a name.
    let default: Vec<PartId> = match name {
        "default" => [crate::code::PartKind::Function, crate::code::PartKind::Class]
            .into_iter()
            .flat_map(|kind| names.named(file, "default", kind).collect::<Vec<_>>())
            .collect(),
        _ => Vec::new(),
    };
    values.extend(default.into_iter().map(|part| Value { thing: Thing::Part(part), sure: true }));
    let Some(outline) = names.outline(file) else { return };
    if values.len() > before || name == "default" {
        return;
    }
    for import in outline.imports.iter().filter(|import| import.form == ImportForm::Star).take(MAX_STARS) {
        if !names.spend() {
            break;
        }
        if let Found::Files(files, sure) = names.found(file, import)
            && let Some(&target) = files.first()
            && target != file
        {
            let begin = values.len();
            names.inside(|names| exported(names, target, name, values));
            if !sure {
                values[begin..].iter_mut().for_each(|value| value.sure = false);
            }
        }
    }
}

/// An attribute of a module: an export, or an attribute of the object that it exports.
pub(super) fn attribute(names: &mut Names<'_>, file: FileId, name: &str, values: &mut Values) {
    if Family::of(names.nodes().file(file).language) != Some(Family::Script) {
        values.push(Value { thing: Thing::Module(file), sure: true });
        return;
    }
    let before = values.len();
    exported(names, file, name, values);
    if values.len() > before || name == "default" {
        return;
    }
    let mut whole = Values::new();
    exported(names, file, "default", &mut whole);
    for value in whole {
        if !matches!(value.thing, Thing::Module(of) if of == file) {
            names.attribute(value, name, values);
        }
    }
}
