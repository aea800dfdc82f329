//! The graph after some files became others, came or went: repaired where that is less than building it anew.
//!
//! Whatever another file's links hang on in a file of Python, it is asked for by a name: of a definition, of something that
//! is bound, of a module or a folder on the way. So links are made again only for files that hold a name whose meaning
//! changed, or a name that stands for such a one; all others are kept, under new numbers. Files of other languages are
//! linked again with all of their language. Where names do not tell (stars, plugins of pytest), or where they lead to very
//! many files, the graph is to be built anew.

mod modules;
mod names;
mod turn;

use std::sync::Arc;

use rayon::prelude::*;

use super::build;
use super::rows::Row;
use super::{CodeGraph, FileNode, GraphFile, Nodes, Outlines, Rows};
use crate::code::{FileId, PartId, PartKind};
use crate::facts::{Language, Outline, StringFact};
use crate::hash::Set;
use crate::layout::{base_name, directory_of, stem};
use crate::resolve::{self, Demand, Index, Links, ScopeTable, unread};
use crate::words::{Sought, UNNAMED};

use modules::Places;
use names::{Holders, Meanings};
use turn::{Changed, Seen, Turn};

/// Of so many files one may be linked again: beyond, building anew is as quick.
const FILES_A_LINKED_ONE: usize = 4;
/// In a small tree these many may be.
const FEW: usize = 32;

/// `files` are other than in the graph, or not there yet; `gone` are there and shall not be.
pub(super) fn spliced(graph: &CodeGraph, files: &[GraphFile], gone: &[Arc<str>]) -> Option<CodeGraph> {
    let mut turn = Turn::new(graph, files, gone);
    // Imports start elsewhere: every name of a module may mean another one.
    if !graph.index().layout.has_roots_of(&turn.layout) {
        return None;
    }
    let outlines = turn.outlines.clone();
    // A module that is compiled is found by its path alone, and what settings say holds everywhere.
    let is_everywhere = |changed: &Changed| {
        let reader = Language::reader_of(&changed.path);
        let is_settings = matches!(reader, Some(Language::PythonToml | Language::PythonIni));
        changed.comes_or_goes() && changed.path.ends_with(".pyx") || is_settings && changed.seen != Seen::Nothing
    };
    if turn.changed.iter().any(is_everywhere) {
        return None;
    }
    let names = changed_names(graph, &outlines, &mut turn.changed);
    let changed = turn.changed.clone();
    let places = Places::of(graph, &turn, &changed);
    // What is around everything has no name.
    if places.packages_made.contains(&"") {
        return None;
    }
    let files = turn.files_of(Language::Python);
    let most = (turn.nodes.files.len() / FILES_A_LINKED_ONE).max(FEW);

    let mut again = vec![false; turn.nodes.files.len()];
    changed.iter().filter_map(|changed| changed.after).for_each(|file| again[file.0 as usize] = true);
    mark_kin(&turn, &outlines, &places, &mut again);

    // Who holds what means something else.
    let edited = changed.iter().filter(|changed| changed.seen == Seen::Names);
    let edited: Vec<&Outline> = edited.flat_map(|changed| both(graph, &outlines, changed)).collect();
    let mut meanings = Meanings { names, modules: places.modules.clone(), packages: places.packages.clone() };
    meanings.spread_packages(&outlines, &files);
    let loose = Loose::new(&turn, &outlines, &meanings, &files);
    modules::follow_imports(graph, &turn, &outlines, &places, &files, &mut meanings, &mut again)?;
    for &file in &files {
        again[file.0 as usize] |= outlines.of(file).is_some_and(|outline| places.are_named_in(outline));
    }
    let is_of_python = |changed: &&Changed| changed.language == Some(Language::Python);
    let is_seen = changed.iter().filter(is_of_python).any(|changed| changed.seen != Seen::Nothing);
    let mut doors = Places::doors(&changed);
    doors.spread_packages(&outlines, &files);
    let reach = reaching(graph, &turn, &outlines, &doors, &files, &again);
    let holders = Holders { outlines: &outlines, files: &files, edited, reach, most };
    if is_seen {
        holders.mark(&mut meanings, &loose, &mut again)?;
    }

    // What all files say together.
    let of = |part| turn.part(part);
    let same_classes = !changes_classes(graph, &outlines, &changed, &files, &meanings, &loose, &again);
    let known = if same_classes { Some(graph.index().renumbered_classes(of)?) } else { None };
    let scopes = ScopeTable::new(&outlines, turn.nodes.files.len());
    let layout = std::mem::take(&mut turn.layout);
    let found = resolve::discover(&turn.nodes, &outlines, layout, &scopes, known);
    build::mark(&mut turn.nodes, found.tests, &found.configured, found.decorators);
    let (index, nodes) = (found.index, &turn.nodes);
    let of = |part| turn.part(part);
    mark_fixtures(graph, &turn, &index, &files, &mut again)?;

    // Who hangs on classes and methods without naming what changed.
    let sides = [(graph.index(), &*graph.nodes), (&index, nodes)];
    let (mut names, mut held): (Set<&str>, Set<&str>) = Default::default();
    if !same_classes {
        add_differing_classes(graph, &turn, &outlines, &index, &mut names, &mut held);
    }
    for changed in changed.iter().filter(|changed| changed.seen != Seen::Nothing).filter(is_of_python) {
        add_methods(graph, &outlines, sides, changed, &meanings, &mut names, &mut held);
    }
    names.retain(|name| !meanings.names.contains(name));
    if !names.is_empty() {
        meanings.names.extend(names);
        holders.mark(&mut meanings, &loose, &mut again)?;
    }
    if !held.is_empty() {
        holders.mark_words(&held, &mut again)?;
    }
    for (file, before) in nodes.file_ids().filter_map(|file| Some((file, turn.origin(file)?))) {
        again[file.0 as usize] |= !is_marked_alike(graph, nodes, before, file, of);
    }
    let rows = rows(graph, &turn, &outlines, &index, &scopes, again)?;
    drop(scopes);
    Some(build::assembled(turn.nodes, index, outlines, rows))
}

/// The outlines of a file before and after, where it has them.
fn both<'o>(
    graph: &'o CodeGraph,
    outlines: &'o Outlines,
    changed: &Changed,
) -> impl Iterator<Item = &'o Outline> + use<'o> {
    let before = changed.before.and_then(|file| graph.outline(file));
    let after = changed.after.and_then(|file| outlines.of(file));
    before.into_iter().chain(after).map(|outline| &**outline)
}

/// The names of files of Python that mean something else. A file of which names do not tell that is seen as a whole.
fn changed_names<'o>(graph: &'o CodeGraph, outlines: &'o Outlines, changed: &mut [Changed]) -> Set<&'o str> {
    let mut names: Set<&str> = Set::default();
    for changed in changed.iter_mut() {
        if changed.language != Some(Language::Python) || changed.seen != Seen::Names {
            continue;
        }
        let sides =
            (changed.before.and_then(|file| graph.outline(file)), changed.after.and_then(|file| outlines.of(file)));
        match sides {
            (Some(old), Some(new)) => match names::changed_names(old, new) {
                Some(more) => names.extend(more),
                None => changed.seen = Seen::Whole,
            },
            _ => changed.seen = Seen::Whole,
        }
    }
    names
}

/// Where names of modules may be bound without being written.
struct Loose {
    everywhere: bool,
    files: Vec<FileId>,
}

impl Loose {
    fn new(turn: &Turn, outlines: &Outlines, meanings: &Meanings<'_>, files: &[FileId]) -> Self {
        if meanings.modules.is_empty() {
            return Self { everywhere: false, files: Vec::new() };
        }
        let has_star = |file: &FileId| {
            let outline = outlines.of(*file);
            outline
                .is_some_and(|outline| outline.imports.iter().any(|import| meanings.may_give_modules(outline, import)))
        };
        let is_package = |file: &FileId| stem(base_name(&turn.nodes.file(*file).path)) == "__init__";
        Self { everywhere: files.iter().any(has_star), files: files.iter().copied().filter(is_package).collect() }
    }

    fn holds(&self, file: FileId) -> bool {
        self.everywhere || self.files.binary_search(&file).is_ok()
    }
}

/// Languages whose code uses each other and that are linked again as one.
fn kin(path: &str, language: Option<Language>) -> Option<Language> {
    match language.or_else(|| Language::reader_of(path))? {
        Language::Python => None,
        Language::TypeScript | Language::Tsx | Language::JavaScript | Language::PackageJson | Language::TsConfig => {
            Some(Language::JavaScript)
        }
        Language::Rust | Language::CargoToml => Some(Language::Rust),
        Language::Go | Language::GoMod => Some(Language::Go),
        Language::PythonToml | Language::PythonIni => None,
    }
}

/// Marks the files of other languages than Python whose links may differ.
fn mark_kin(turn: &Turn, outlines: &Outlines, places: &Places<'_>, again: &mut [bool]) {
    let seen = turn.changed.iter().filter(|changed| changed.seen != Seen::Nothing);
    let mut kins: Vec<Language> = seen.filter_map(|changed| kin(&changed.path, changed.language)).collect();
    // A folder that is embedded is one with all that lies in it.
    if turn.changed.iter().any(Changed::comes_or_goes) {
        kins.push(Language::Go);
    }
    let all = || turn.nodes.file_ids().zip(turn.nodes.files());
    for (id, file) in all() {
        let Some(kin) = kin(&file.path, file.language) else { continue };
        if outlines.of(id).is_some_and(|outline| places.are_written_in(outline)) {
            again[id.0 as usize] = true;
            // What a manifest names is where modules are.
            if file.language.is_none() {
                kins.push(kin);
            }
        }
    }
    // What is not read and uses others hangs on its package.
    if turn.changed.iter().any(|changed| changed.comes_or_goes() && unread::begins_package(&changed.path)) {
        for (id, file) in all().filter(|(_, file)| file.language.is_none()) {
            again[id.0 as usize] |= unread::may_use(&file.path);
        }
    }
    for (id, file) in all() {
        again[id.0 as usize] |= kin(&file.path, file.language).is_some_and(|kin| kins.contains(&kin));
    }
}

/// Whether the classes may not be what they were: one came or went, or one is, or is based on, what means something else.
fn changes_classes(
    graph: &CodeGraph,
    outlines: &Outlines,
    changed: &[Changed],
    files: &[FileId],
    meanings: &Meanings<'_>,
    loose: &Loose,
    again: &[bool],
) -> bool {
    let has_class = |outline: &Outline| outline.parts.iter().any(|part| part.kind == PartKind::Class);
    let of_changed = changed.iter().filter(|changed| changed.language == Some(Language::Python)).any(|changed| {
        both(graph, outlines, changed).any(|outline| match changed.seen {
            Seen::Nothing => false,
            Seen::Names => meanings.has_class(outline, true),
            Seen::Whole => has_class(outline),
        })
    });
    let of_holders = || {
        files
            .iter()
            .filter(|file| again[file.0 as usize])
            .any(|file| outlines.of(*file).is_some_and(|outline| meanings.has_class(outline, loose.holds(*file))))
    };
    of_changed || of_holders()
}

/// Marks the files that are offered other fixtures; `None` where plugins, which are offered to all, differ.
fn mark_fixtures(graph: &CodeGraph, turn: &Turn, index: &Index, files: &[FileId], again: &mut [bool]) -> Option<()> {
    let differing = graph.index().fixtures_that_differ(index, |file| turn.file(file), |part| turn.part(part))?;
    for &file in files {
        let path = &turn.nodes.file(file).path;
        let mut folder = directory_of(path);
        let below = loop {
            if differing.folders.contains(folder) {
                break true;
            }
            if folder.is_empty() {
                break false;
            }
            folder = directory_of(folder);
        };
        again[file.0 as usize] |= below || differing.files.contains(&file);
    }
    Some(())
}

/// The files whose look-ups may come by a file that changed: those that lead to it, and those that name it without that.
fn reaching(
    graph: &CodeGraph,
    turn: &Turn,
    outlines: &Outlines,
    doors: &Meanings<'_>,
    files: &[FileId],
    begin: &[bool],
) -> Vec<bool> {
    let mut reach = begin.to_vec();
    let sought = Sought::new(doors.modules.iter().copied());
    let loose = Loose::new(turn, outlines, doors, files);
    for &file in files {
        let Some(outline) = outlines.of(file).filter(|outline| outline.words().hold(&sought)) else { continue };
        let is_named = |string: &StringFact| doors.pass(outline.name(string.text), true);
        reach[file.0 as usize] |= outline.names.iter().any(|chain| doors.pass(chain, loose.holds(file)))
            || outline.strings.iter().any(is_named);
    }
    let mut pending: Vec<FileId> = turn.nodes.file_ids().filter(|file| reach[file.0 as usize]).collect();
    while let Some(file) = pending.pop() {
        let Some(before) = turn.origin(file) else { continue };
        for source in graph.rows.sources(before) {
            if let Some(from) = turn.file(graph.part(source).file)
                && !std::mem::replace(&mut reach[from.0 as usize], true)
            {
                pending.push(from);
            }
        }
    }
    reach
}

/// The names of the methods of a file, or of those alone that may stand in place of others.
fn method_names(outline: &Outline, overriding: bool) -> impl Iterator<Item = &str> {
    let overrides = move |class: u32| outline.parts.get(class as usize).is_some_and(|class| class.bases.len > 0);
    let methods = outline.parts.iter().filter(|part| part.kind == PartKind::Method);
    methods.filter(move |part| !overriding || overrides(part.parent)).map(|part| outline.name(part.name))
}

/// Classes with other bases, and those that came and went: their names, and what is in them.
fn add_differing_classes<'o>(
    graph: &'o CodeGraph,
    turn: &Turn,
    outlines: &'o Outlines,
    index: &Index,
    names: &mut Set<&'o str>,
    held: &mut Set<&'o str>,
) {
    for (class, after) in graph.index().classes_that_differ(index, |part| turn.part(part)) {
        if after {
            add_class(&turn.nodes, outlines, class, names, held);
        } else {
            add_class(&graph.nodes, &graph.outlines, class, names, held);
        }
    }
}

/// What is called in a changed file without being named: the classes whose constructors it defines join the names, and
/// methods that are guessed by their names, or stand in place of others, what is held.
fn add_methods<'o>(
    graph: &'o CodeGraph,
    outlines: &'o Outlines,
    sides: [(&Index, &'o Nodes); 2],
    changed: &Changed,
    meanings: &Meanings<'_>,
    names: &mut Set<&'o str>,
    held: &mut Set<&'o str>,
) {
    let is_guessed = |name: &&str| sides.iter().any(|(index, _)| index.is_guessed(name));
    let means = |name: &&str| changed.seen == Seen::Whole || meanings.names.contains(name);
    for outline in both(graph, outlines, changed) {
        held.extend(method_names(outline, false).filter(is_guessed).filter(means));
        held.extend(method_names(outline, true).filter(|name| meanings.names.contains(name)));
    }
    if changed.seen != Seen::Names {
        return;
    }
    let files = [changed.before, changed.after];
    for ((outline, (index, nodes)), file) in both(graph, outlines, changed).zip(sides).zip(files) {
        for unnamed in UNNAMED.into_iter().filter(|name| meanings.names.contains(name)) {
            if let Some(file) = file {
                add_users_of_unnamed(index, nodes, file, outline, unnamed, names);
            }
        }
    }
}

/// The name of a class, and what is in it.
fn add_class<'o>(
    nodes: &Nodes,
    outlines: &'o Outlines,
    class: PartId,
    names: &mut Set<&'o str>,
    held: &mut Set<&'o str>,
) {
    let part = nodes.part(class);
    let Some(outline) = outlines.of(part.file) else { return };
    let Some(fact) = outline.parts.get(part.ordinal as usize) else { return };
    names.insert(outline.name(fact.name));
    let own = |ordinal: u32| ordinal == part.ordinal;
    held.extend(outline.parts.iter().filter(|part| own(part.parent)).map(|part| outline.name(part.name)));
    held.extend(
        outline
            .imports
            .iter()
            .filter(|import| own(import.part))
            .map(|import| outline.name(import.alias.some().or(import.name.some()).unwrap_or(import.module))),
    );
    let in_class = |part: u32| own(part) || outline.parts.get(part as usize).is_some_and(|part| own(part.parent));
    let bound = outline.bindings.iter().filter(|binding| in_class(binding.part));
    held.extend(bound.map(|binding| outline.name(binding.target)));
}

/// The classes of a file that define a method that nobody names, and all classes below: who makes their objects names
/// them.
fn add_users_of_unnamed<'o>(
    index: &Index,
    nodes: &'o Nodes,
    id: FileId,
    outline: &Outline,
    unnamed: &str,
    names: &mut Set<&'o str>,
) {
    for part in outline.parts.iter().filter(|part| outline.name(part.name) == unnamed) {
        let class = nodes.part_id(id, part.parent);
        names.insert(&nodes.part(class).name);
        names.extend(index.classes_below(class).into_iter().map(|class| &*nodes.part(class).name));
    }
}

/// Whether a file and its parts are tests, and decorated, as they were.
fn is_marked_alike(
    graph: &CodeGraph,
    nodes: &Nodes,
    before: FileId,
    after: FileId,
    of: impl Fn(PartId) -> Option<PartId>,
) -> bool {
    let marks = |file: &FileNode| (file.is_test, file.has_configured_tests);
    marks(graph.file(before)) == marks(nodes.file(after))
        && graph.parts_of(before).all(|part| {
            let before = graph.part(part);
            of(part)
                .map(|part| nodes.part(part))
                .is_some_and(|after| before.is_test == after.is_test && before.decorators == after.decorators)
        })
}

/// The rows of all files: those that are marked are linked again, and those to which what others ask of methods differs.
fn rows(
    graph: &CodeGraph,
    turn: &Turn,
    outlines: &Outlines,
    index: &Index,
    scopes: &ScopeTable<'_>,
    mut again: Vec<bool>,
) -> Option<Rows> {
    let nodes = &turn.nodes;
    let same = turn.is_identity();
    let of_file = |(file, again): (usize, &bool)| -> Option<Arc<Row>> {
        let id = FileId(file as u32);
        let row = graph.rows.row(turn.origin(id)?).filter(|_| !again)?;
        if same { Some(Arc::clone(row)) } else { row.renumbered(nodes, id, |part| turn.part(part)).map(Arc::new) }
    };
    let mut kept: Vec<Option<Arc<Row>>> = again.par_iter().enumerate().map(of_file).collect();
    // What leads to a part that went is linked again, too.
    again.iter_mut().zip(&kept).for_each(|(again, kept)| *again |= kept.is_none());

    let link = |marked: &[bool]| -> Vec<(FileId, Links)> {
        let files: Vec<FileId> = nodes.file_ids().filter(|file| marked[file.0 as usize]).collect();
        let links = resolve::link_some(nodes, outlines, index, scopes, &files);
        files.into_iter().zip(links).collect()
    };
    let mut links = link(&again);
    let demands: Vec<&Demand> = (kept.iter().flatten().flat_map(|row| &row.demands))
        .chain(links.iter().flat_map(|(_, links)| &links.demands))
        .collect();
    let mut given = resolve::demanded(nodes, outlines, index, scopes, demands.into_iter());
    given.values_mut().for_each(|edges| edges.sort_unstable());
    let mut more = vec![false; again.len()];
    for (at, row) in kept.iter_mut().enumerate() {
        let Some(old) = row else { continue };
        let mut before = old.given.to_vec();
        before.sort_unstable();
        if given.get(&FileId(at as u32)).map_or(&[][..], Vec::as_slice) != before {
            (more[at], *row) = (true, None);
        }
    }
    links.extend(link(&more));
    for (file, links) in links {
        let given = given.remove(&file).unwrap_or_default().into();
        kept[file.0 as usize] = Some(Arc::new(Row::new(nodes, file, links, given)));
    }
    Some(Rows::of(nodes, kept.into_iter().collect::<Option<_>>()?))
}
