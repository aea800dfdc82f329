//! The facts that a plan is judged on, laid out flat: no interning, nothing derived from a rule, no index but of edges by
//! their ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::SafeKind;
use grace_fingerprints::Fingerprint;
use grace_graph::change::{Content, Kinds, PartChange, Readers, SafeKinds, is_documentation, only, read_docstrings};
use grace_graph::code::{EdgeKind, FolderUse, LanguageFamily, PartId, PartKey, PartKind};
use grace_graph::extract::extract;
use grace_graph::facts::Language;
use grace_graph::graph::CodeGraph;
use grace_graph::owners::Owners;
use grace_graph::packages::{PackageChange, package_changes};
use grace_graph::test_names::{is_test_name, lies_among_data};
use grace_graph::text_match::{CodeLine, added_code_lines, removed_documentation};
use grace_graph::weakening::{TestChanges, test_changes};

use super::conditions::Reading;
use crate::input::Input;
use crate::plan::Truth;

/// Everything that is known of a change, apart from the rules.
#[derive(Debug)]
pub(super) struct World {
    /// Before and after.
    pub(super) sides: [SideFacts; 2],
    pub(super) changes: Vec<PartChange>,
    /// Those that a test may notice: they mean something, or a docstring changed that something may read.
    pub(super) noticed: Vec<PartChange>,
    pub(super) tests: TestChanges,
    pub(super) packages: Vec<PackageChange>,
    code_lines: Vec<CodeLine>,
    /// Parts of which it cannot be said what was added.
    code_unknown: BTreeSet<PartKey>,
    documentation_gone: BTreeSet<PartKey>,
    /// Parts of which that cannot be said.
    documentation_unknown: BTreeSet<PartKey>,
    /// As they were before the change.
    pub(super) owners: Owners,
    pub(super) input: Input,
}

/// One tree.
#[derive(Debug, Default)]
pub(super) struct SideFacts {
    pub(super) parts: BTreeMap<PartKey, PartFacts>,
    pub(super) files: BTreeMap<String, FileFacts>,
    pub(super) edges: BTreeSet<EdgeFacts>,
    /// The same by the part that they end at. Of a change that reaches much they are asked for very many parts.
    users: BTreeMap<PartKey, Vec<EdgeFacts>>,
    /// Imports by the file that they end in.
    importers: BTreeMap<Arc<str>, Vec<EdgeFacts>>,
    /// Too much of the tree is not seen for what a change reaches to be believed.
    pub(super) is_hardly_seen: bool,
    /// Folders, what hangs on all that is in them, and how.
    pub(super) dependents: Vec<(String, FolderUse, PartKey)>,
    /// String literals that may name a model, with the part that holds them.
    pub(super) strings: BTreeSet<(PartKey, String)>,
    pub(super) models: BTreeMap<String, Arc<Fingerprint>>,
}

impl SideFacts {
    /// Whether the sources of one file are compiled into the package of another one of Rust or Go, or its tests with them.
    fn is_compiled_into(&self, from: &str, to: &str) -> bool {
        if ![".go", ".rs"].iter().any(|ending| from.ends_with(ending) && to.ends_with(ending)) {
            return false;
        }
        let package = |path: &str| -> Option<String> {
            let above = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            if path.ends_with(".go") {
                return Some(format!("go {above}"));
            }
            let mut folders = std::iter::successors(Some(above), |folder| {
                (!folder.is_empty()).then(|| folder.rsplit_once('/').map_or("", |(above, _)| above))
            });
            let holds = |folder: &&str| self.files.contains_key(format!("{folder}/Cargo.toml").trim_start_matches('/'));
            let found = path.ends_with(".rs").then(|| folders.find(holds)).flatten();
            found.map(str::to_owned)
        };
        let ways = !is_test_name(from) || is_test_name(to);
        ways && package(from).is_some_and(|own| package(to) == Some(own))
    }

    /// Whether a decorator of a class, or a class above it, may keep it for somebody who does not name it.
    fn is_registered(&self, class: &PartFacts) -> bool {
        let mut above = BTreeSet::new();
        let mut open = vec![class.key.clone()];
        while let Some(key) = open.pop() {
            if above.insert(key.clone()) {
                let bases = self.edges.iter().filter(|edge| edge.kind == EdgeKind::Inherits && edge.from == key);
                open.extend(bases.map(|edge| edge.to.clone()));
            }
        }
        let registers = |one: &PartFacts| {
            let runs =
                || one.name == "__init_subclass__" && one.parent.as_ref().is_some_and(|class| above.contains(class));
            one.keeps_classes && (above.contains(&one.key) || runs())
        };
        !class.is_left_alone() || self.parts.values().any(registers)
    }

    /// Whether a test may be there under another name, or not at all, when its file is loaded.
    pub(super) fn may_be_absent(&self, test: &PartKey) -> bool {
        let mut at = self.parts.get(test);
        while let Some(part) = at {
            let is_renamed = part.decorators.iter().any(|name| grace_graph::decorators::renames_tests(name));
            if part.is_conditional || is_renamed {
                return true;
            }
            at = part.parent.as_ref().and_then(|parent| self.parts.get(parent));
        }
        false
    }

    /// Edges that end at a part.
    fn uses_of(&self, key: &PartKey) -> &[EdgeFacts] {
        self.users.get(key).map_or(&[], Vec::as_slice)
    }

    /// Imports that end in a file.
    fn importers_of(&self, path: &str) -> &[EdgeFacts] {
        self.importers.get(path).map_or(&[], Vec::as_slice)
    }

    /// Whether a part stands for what could not be read of its file: it may hold anything.
    pub(super) fn is_opaque(&self, key: &PartKey) -> bool {
        matches!(key.kind, PartKind::File | PartKind::Module)
            && self.files.get(&*key.path).is_some_and(|file| file.opaque)
    }
}

/// One part.
#[derive(Debug, Clone)]
pub(super) struct PartFacts {
    pub(super) key: PartKey,
    pub(super) parent: Option<PartKey>,
    pub(super) name: String,
    pub(super) qualified_name: String,
    pub(super) is_test: bool,
    pub(super) is_public: bool,
    pub(super) decorators: Vec<String>,
    /// As in [`grace_graph::code::Part::keeps_classes`].
    pub(super) keeps_classes: bool,
    /// As in [`grace_graph::code::Part::is_conditional`].
    pub(super) is_conditional: bool,
}

impl PartFacts {
    /// No decorator may hand it to somebody who does not name it.
    fn is_left_alone(&self) -> bool {
        self.decorators.iter().all(|name| grace_graph::decorators::leaves_alone(name))
    }
}

/// One file.
#[derive(Debug, Clone)]
pub(super) struct FileFacts {
    pub(super) path: String,
    /// Its dotted name, where it is a module.
    pub(super) module: Option<String>,
    pub(super) language: Option<String>,
    /// It should be read as code, and all or some of it could not be.
    pub(super) opaque: bool,
    pub(super) generated: bool,
    pub(super) is_test: bool,
    /// A test file of Python whose imports are all seen, and lead to sources.
    pub(super) is_bounded_test: bool,
    /// No parser reads it; or it is a source that no other file uses, and no test by its name. Where tests keep what they
    /// read, neither its name nor what lies there counts.
    pub(super) may_be_data: bool,
    /// Whether that is settled: by the file before the change, and of tests by the name.
    pub(super) surely_generated: bool,
    pub(super) surely_test: bool,
}

/// One edge; several sites of one kind between two parts are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EdgeFacts {
    pub(super) from: PartKey,
    pub(super) to: PartKey,
    pub(super) kind: EdgeKind,
    pub(super) certain: bool,
}

impl World {
    pub(super) fn read(input: &Input, graphs: [&CodeGraph; 2], changes: &[PartChange]) -> Self {
        let readers = Readers::new(graphs[0], graphs[1]);
        let noticed = changes.iter().filter_map(|pc| {
            let is_read = pc.kinds.contains(Kinds::DOCSTRING)
                && (read_docstrings(&input.change, &[pc]) == [true] || readers.read(pc));
            let docstring = if is_read { Kinds::DOCSTRING } else { Kinds::empty() };
            let kinds = (pc.kinds & Kinds::MEANING) | docstring;
            (!kinds.is_empty()).then(|| PartChange { kinds, ..pc.clone() })
        });
        let noticed = noticed.collect();
        let proved = changes.iter().map(|pc| PartChange { safe: readers.leave(pc), ..pc.clone() }).collect();
        let [mut before, mut after] = graphs.map(SideFacts::read);
        // What the change says of a file itself is no more than possible.
        for file in after.files.values_mut() {
            let moved =
                input.change.files.iter().find(|one| one.after.as_ref().is_some_and(|side| *side.path == *file.path));
            let path =
                moved.and_then(|one| Some(one.before.as_ref()?.path.to_string())).unwrap_or_else(|| file.path.clone());
            let old = before.files.get(&path);
            file.surely_generated &= old.is_some_and(|old| old.generated);
            file.surely_test &= is_test_name(&file.path) || old.is_some_and(|old| old.is_test);
        }
        before.models.clone_from(&input.past.models_before);
        after.models.clone_from(&input.past.models_after);
        let owners = input.past.codeowners.as_ref().map(|file| Owners::parse(&file.text)).unwrap_or_default();
        let mut facts = |path: &str, content: &Content| match content {
            Content::Text(text) => Some(Arc::new(extract(Language::of_path(path)?, text.as_bytes()))),
            _ => None,
        };
        let (code_lines, code_unknown) = added_code_lines(&input.change, changes, &mut facts);
        let (gone, documentation_unknown) = removed_documentation(&input.change, changes);
        Self {
            sides: [before, after],
            changes: proved,
            noticed,
            code_lines,
            code_unknown: code_unknown.into_iter().collect(),
            documentation_gone: gone.into_iter().map(|gone| gone.part).collect(),
            documentation_unknown: documentation_unknown.into_iter().collect(),
            tests: test_changes(&input.change),
            packages: package_changes(&input.change),
            owners,
            input: input.clone(),
        }
    }

    /// The one name of a changed file: its path after the change, where it has one.
    pub(super) fn changed_file(&self, side: usize, path: &str) -> String {
        let found = self.input.change.files.iter().find(|file| {
            let here = if side == 0 { &file.before } else { &file.after };
            here.as_ref().is_some_and(|here| &*here.path == path)
        });
        found
            .and_then(|file| file.after.as_ref().or(file.before.as_ref()))
            .map_or_else(|| path.to_owned(), |side| side.path.to_string())
    }

    /// Where files went: path before to path after.
    pub(super) fn moved_files(&self) -> BTreeMap<String, String> {
        let bodies = self.changes.iter().filter_map(|pc| Some((pc.before.as_ref()?, pc.after.as_ref()?)));
        bodies
            .filter(|(before, _)| matches!(before.kind, PartKind::Module | PartKind::File))
            .filter(|(before, after)| before.path != after.path)
            .map(|(before, after)| (before.path.to_string(), after.path.to_string()))
            .collect()
    }

    /// Proved from both sides that the change is of these kinds only.
    pub(super) fn is_only_in(&self, kinds: &[SafeKind]) -> bool {
        let allowed = kinds.iter().map(|kind| match kind {
            SafeKind::Comments => SafeKinds::COMMENTS,
            SafeKind::Formatting => SafeKinds::FORMATTING,
            SafeKind::Documentation => SafeKinds::DOCUMENTATION,
            SafeKind::AddedTests => SafeKinds::ADDED_TESTS,
        });
        !self.changes.is_empty() && only(&self.changes, allowed.collect()).holds
    }

    /// Whether the change adds code to a part that contains one of the literals.
    pub(super) fn added_lines_contain(&self, pc: &PartChange, literals: &[&str]) -> Reading {
        let Some(key) = &pc.after else { return self.reading(Truth::No, pc.part(), &self.code_unknown) };
        let here = self.code_lines.iter().filter(|line| line.part == *key);
        let found = here.filter(|line| literals.iter().any(|literal| line.text.contains(literal)));
        let best = found.map(|line| if line.certain { Truth::Yes } else { Truth::Unknown }).max();
        self.reading(best.unwrap_or(Truth::No), Some(key), &self.code_unknown)
    }

    /// Whether the change takes documentation away from a part.
    pub(super) fn documentation_removed(&self, pc: &PartChange) -> Reading {
        let gone = pc.part().is_some_and(|key| self.documentation_gone.contains(key));
        self.reading(if gone { Truth::Yes } else { Truth::No }, pc.part(), &self.documentation_unknown)
    }

    fn reading(&self, found: Truth, key: Option<&PartKey>, unread: &BTreeSet<PartKey>) -> Reading {
        Reading { found, unread: key.is_some_and(|key| unread.contains(key)) }
    }

    /// A document that only people read.
    pub(super) fn is_documentation(&self, path: &str) -> bool {
        is_documentation(path)
    }
}

impl World {
    /// Everything on a side that may behave otherwise because of the change, what changed included: what [`Self::spread`]
    /// tells, and whoever may use a part unseen. Any function that changed in more than its body is import-time code.
    pub(super) fn affected(&self, side: usize) -> BTreeSet<PartKey> {
        self.affected_by(side, self.seeds(side, self.noticed.iter()))
    }

    /// The parts of a side that some changes begin at.
    pub(super) fn seeds<'c>(&self, side: usize, changes: impl Iterator<Item = &'c PartChange>) -> Vec<PartKey> {
        let facts = &self.sides[side];
        let mut open = Vec::new();
        for pc in changes {
            let Some(key) = (if side == 0 { &pc.before } else { &pc.after }) else { continue };
            open.push(key.clone());
            let by_file = Language::of_path(&key.path).is_some_and(|language| language != Language::Python);
            if by_file || pc.kinds.intersects((Kinds::MEANING | Kinds::DOCSTRING) - Kinds::BODY) {
                open.extend(
                    facts.parts.keys().filter(|part| part.path == key.path && part.kind == PartKind::Module).cloned(),
                );
            }
        }
        open
    }

    /// [`Self::affected`] of some parts.
    pub(super) fn affected_by(&self, side: usize, open: Vec<PartKey>) -> BTreeSet<PartKey> {
        let facts = &self.sides[side];
        let changed = open.iter().filter(|key| facts.parts.contains_key(key)).map(|key| key.path.to_string()).collect();
        let mut affected = self.spread_widely(side, open);
        let loading = facts.loading(changed);
        affected.retain(|key| !facts.files[&*key.path].is_bounded_test || loading.contains(&*key.path));
        affected
    }

    /// As [`Self::spread`], and: a function that nobody is seen to use or that a decorator may keep affects what is around
    /// it; a method and an operator those who hold an object of the class. What may decorate something affects the code
    /// around that. What loads, runs or reads a folder, or asks a module for any name, is affected by what is in it.
    fn spread_widely(&self, side: usize, open: Vec<PartKey>) -> BTreeSet<PartKey> {
        let facts = &self.sides[side];
        let changed: BTreeSet<Arc<str>> = open.iter().map(|key| Arc::clone(&key.path)).collect();
        let builds =
            |name: &str| ["__init_subclass__", "__set_name__", "__class_getitem__", "__prepare__"].contains(&name);
        let operator = |edge: &EdgeFacts| {
            let to = &facts.parts[&edge.to];
            !edge.certain
                && edge.from.kind == PartKind::Class
                && to.parent.as_ref() == Some(&edge.from)
                && !builds(&to.name)
        };
        let names_only = |edge: &EdgeFacts| {
            let is_whole = [PartKind::Module, PartKind::File].contains(&edge.to.kind);
            edge.kind == EdgeKind::Imports && edge.from.kind == PartKind::Module && !is_whole
        };
        let inside = |part: &PartKey, class: &PartKey| {
            let mut at = Some(part);
            while let Some(key) = at {
                if key == class {
                    return true;
                }
                at = facts.parts[key].parent.as_ref();
            }
            false
        };
        let mut open: Vec<(PartKey, bool)> = open.into_iter().map(|key| (key, false)).collect();
        let mut seen = BTreeSet::new();
        while let Some((key, held)) = open.pop() {
            if !seen.insert((key.clone(), held)) {
                continue;
            }
            let Some(part) = facts.parts.get(&key) else { continue };
            let users: Vec<&EdgeFacts> = facts.uses_of(&key).iter().filter(|edge| !names_only(edge)).collect();
            if held {
                for edge in &users {
                    let heir = edge.from.kind == PartKind::Class && edge.kind == EdgeKind::Inherits;
                    open.push((edge.from.clone(), heir));
                }
                let tests: Vec<&PartFacts> =
                    facts.parts.values().filter(|one| one.is_test && one.parent.as_ref() == Some(&key)).collect();
                open.extend(tests.iter().map(|test| (test.key.clone(), false)));
                let unnamed = tests.is_empty() && users.iter().all(|edge| inside(&edge.from, &key));
                if unnamed || facts.is_registered(part) {
                    open.extend(part.parent.iter().map(|around| (around.clone(), false)));
                }
                continue;
            }
            open.extend(users.iter().map(|edge| (edge.from.clone(), operator(edge))));
            for user in
                users.iter().filter(|edge| edge.kind == EdgeKind::References).map(|edge| &facts.parts[&edge.from])
            {
                let is_function = matches!(user.key.kind, PartKind::Function | PartKind::Method);
                let python = Language::of_path(&user.key.path) == Some(Language::Python);
                if is_function && python && !user.decorators.is_empty() {
                    open.extend(user.parent.iter().map(|around| match around.kind {
                        PartKind::Function | PartKind::Method => (around.clone(), false),
                        _ => {
                            let kind = PartKind::Module;
                            (PartKey { path: Arc::clone(&around.path), name: "".into(), kind, occurrence: 0 }, false)
                        }
                    }));
                }
            }
            let by_part = matches!(Language::of_path(&key.path), Some(Language::Python) | None);
            if let Some(around) = part.parent.as_ref().filter(|_| !part.is_test && by_part) {
                match key.kind {
                    PartKind::Method => open.push((around.clone(), true)),
                    PartKind::Function if users.is_empty() || !part.is_left_alone() => {
                        open.push((around.clone(), false));
                    }
                    _ => {}
                }
            }
            if matches!(key.kind, PartKind::Module | PartKind::Class) {
                open.extend(facts.importers_of(&key.path).iter().map(|edge| (edge.from.clone(), false)));
                let (folder, name) = key.path.rsplit_once('/').unwrap_or(("", &key.path));
                let below = matches!(name, "conftest.py" | "__init__.py");
                let within = |path: &str| folder.is_empty() || path.starts_with(&format!("{folder}/"));
                let package = |path: &str| facts.is_compiled_into(&key.path, path);
                let hit =
                    |part: &&PartKey| part.path == key.path || (below && within(&part.path)) || package(&part.path);
                open.extend(facts.parts.keys().filter(hit).map(|key| (key.clone(), false)));
            }
            for (folder, usage, dependent) in &facts.dependents {
                let counts = match usage {
                    FolderUse::Loads | FolderUse::Attributes => {
                        key.kind != PartKind::File && may_load(&dependent.path, &key.path)
                    }
                    FolderUse::Reads => {
                        // A source that is only reached says what it said.
                        (key.kind == PartKind::File || changed.contains(&key.path))
                            && facts.files[&*key.path].may_be_data
                            && !(folder.is_empty() && is_for_people(&key.path))
                    }
                    FolderUse::Runs => true,
                };
                let within = folder.is_empty() || key.path.starts_with(&format!("{folder}/"));
                if counts && (within || *key.path == **folder) {
                    open.push((dependent.clone(), false));
                }
            }
        }
        seen.into_iter().filter(|(_, held)| !held).map(|(key, _)| key).collect()
    }

    /// Parts of a side, and everything that they affect. A function affects those who call it, use it or inherit from it.
    /// Import-time code – a module body, a class header – affects everything in its file and everything that imports from
    /// the file; `conftest.py` and `__init__.py` affect what lies below them.
    pub(super) fn spread(&self, side: usize, certain: bool, mut open: Vec<PartKey>) -> BTreeSet<PartKey> {
        let facts = &self.sides[side];
        let mut affected = BTreeSet::new();
        while let Some(key) = open.pop() {
            if !affected.insert(key.clone()) {
                continue;
            }
            let import_time = matches!(key.kind, PartKind::Module | PartKind::Class);
            let sure = |edge: &&EdgeFacts| edge.certain || !certain;
            let is_use = |edge: &&EdgeFacts| edge.kind != EdgeKind::Imports || key.kind == PartKind::File;
            open.extend(facts.uses_of(&key).iter().filter(sure).filter(is_use).map(|edge| edge.from.clone()));
            if import_time {
                open.extend(facts.importers_of(&key.path).iter().filter(sure).map(|edge| edge.from.clone()));
                let (folder, name) = key.path.rsplit_once('/').unwrap_or(("", &key.path));
                let below = matches!(name, "conftest.py" | "__init__.py");
                let inside = |path: &str| folder.is_empty() || path.starts_with(&format!("{folder}/"));
                let package = |path: &str| !certain && facts.is_compiled_into(&key.path, path);
                let hit =
                    |part: &&PartKey| part.path == key.path || (below && inside(&part.path)) || package(&part.path);
                open.extend(facts.parts.keys().filter(hit).cloned());
            }
        }
        affected
    }
}

impl SideFacts {
    /// Files, and those that can come to load one of them by whatever steps: along every edge but calls by name alone, to
    /// what a `conftest.py` or `__init__.py` lies above, what is compiled with them, and what loads, runs or reads folders.
    fn loading(&self, files: BTreeSet<String>) -> BTreeSet<String> {
        let mut open: Vec<String> = files.into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(path) = open.pop() {
            if !found.insert(path.clone()) {
                continue;
            }
            let whole = [PartKind::File, PartKind::Module];
            let sure =
                |edge: &&EdgeFacts| edge.certain || edge.kind == EdgeKind::Imports || whole.contains(&edge.to.kind);
            let users = self.edges.iter().filter(sure).filter(|edge| *edge.to.path == *path);
            open.extend(users.map(|edge| edge.from.path.to_string()));
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            let below = matches!(name, "conftest.py" | "__init__.py");
            let is_below = |other: &&String| {
                below && (folder.is_empty() || other.starts_with(&format!("{folder}/")))
                    || self.is_compiled_into(&path, other)
            };
            open.extend(self.files.keys().filter(is_below).cloned());
            let is_data = self.parts.keys().any(|key| *key.path == *path && key.kind == PartKind::File);
            for (folder, usage, dependent) in &self.dependents {
                let counts = match usage {
                    FolderUse::Loads => !is_data && may_load(&dependent.path, &path),
                    FolderUse::Reads => self.files[&path].may_be_data && !(folder.is_empty() && is_for_people(&path)),
                    FolderUse::Runs => true,
                    FolderUse::Attributes => false,
                };
                if counts && (folder.is_empty() || path.starts_with(&format!("{folder}/"))) {
                    open.push(dependent.path.to_string());
                }
            }
        }
        found
    }

    fn read(graph: &CodeGraph) -> Self {
        let sight = graph.sight();
        let is_hardly_seen = sight.loses_tests() || sight.loses_imports();
        let mut facts = Self { is_hardly_seen, ..Self::default() };
        for id in graph.file_ids() {
            let (file, seen) = (graph.file(id), graph.sight_of(id));
            facts.files.insert(
                file.path.to_string(),
                FileFacts {
                    path: file.path.to_string(),
                    module: file.language.map(|_| file.module.to_string()),
                    language: file.language.map(|language| language.name().to_owned()),
                    opaque: file.opaque.is_some() || file.has_problems,
                    generated: file.is_generated,
                    is_test: file.is_test,
                    is_bounded_test: file.is_test
                        && file.language == Some(Language::Python)
                        && file.opaque.is_none()
                        && !file.has_problems
                        && seen.blind_test_files + seen.lost_imports == 0,
                    may_be_data: false,
                    surely_generated: file.is_generated,
                    surely_test: file.is_test,
                },
            );
        }
        let key = |part: PartId| graph.key(part);
        for id in graph.part_ids() {
            let part = graph.part(id);
            let own = key(id);
            facts.parts.insert(
                own.clone(),
                PartFacts {
                    key: own,
                    parent: part.parent.map(key),
                    name: graph.name(id).to_owned(),
                    qualified_name: graph.qualified_name(id).into_owned(),
                    is_test: part.is_test,
                    is_public: part.is_public,
                    decorators: graph.decorators(id).map(ToOwned::to_owned).collect(),
                    keeps_classes: part.keeps_classes,
                    is_conditional: part.is_conditional,
                },
            );
        }
        for edge in graph.edges() {
            facts.edges.insert(EdgeFacts {
                from: key(edge.from),
                to: key(edge.to),
                kind: edge.kind,
                certain: edge.evidence.is_certain(),
            });
        }
        for edge in &facts.edges {
            facts.users.entry(edge.to.clone()).or_default().push(edge.clone());
            if edge.kind == EdgeKind::Imports {
                facts.importers.entry(Arc::clone(&edge.to.path)).or_default().push(edge.clone());
            }
        }
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for edge in facts.edges.iter().filter(|edge| edge.from.path != edge.to.path) {
            if !(lies_among_data(&edge.to.path) && lies_among_data(&edge.from.path)) {
                used.insert(&*edge.to.path);
            }
        }
        let plain: BTreeSet<&str> =
            facts.parts.keys().filter(|key| key.kind == PartKind::File).map(|key| &*key.path).collect();
        for (path, file) in &mut facts.files {
            let name = path.rsplit('/').next().unwrap_or(path);
            let told = (file.is_test || ["conftest.py", "__init__.py"].contains(&name)) && !lies_among_data(path);
            file.may_be_data = plain.contains(&**path) || !told && !used.contains(&**path);
        }
        for one in graph.dependents() {
            facts.dependents.push((one.folder.to_string(), one.usage, key(one.part)));
        }
        for (model, part, _) in graph.model_literals() {
            facts.strings.insert((key(*part), model.to_string()));
        }
        facts
    }
}

/// What no reader of the whole tree is taken to read: documents and scripts.
fn is_for_people(path: &str) -> bool {
    is_documentation(path) || grace_graph::test_names::is_script(path)
}

/// Whether one file may load another by a name that is computed.
fn may_load(user: &str, loaded: &str) -> bool {
    LanguageFamily::may_load(LanguageFamily::of_path(user), LanguageFamily::of_path(loaded))
}
