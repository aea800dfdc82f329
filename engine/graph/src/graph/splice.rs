//! The graph after an edit of one file of Python that other files can see: what it defines, imports or binds.
//!
//! Whatever another file's links hang on in this one, it is asked for by a name. So links are made again only for files
//! that hold a name whose meaning changed, or a name that stands for such a one; all others are kept, under new numbers.
//! Where names do not tell (a star import, a fixture, a module's `__getattr__`), or where they lead to very many files,
//! the graph is to be built anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::build::{self, Shared};
use super::rows::Row;
use super::{CodeGraph, FileNode, GraphFile, Nodes, Outlines, Rows, is_generated_name};
use crate::code::{FileId, Part, PartId, PartKind};
use crate::facts::{ImportForm, Language, Outline, StringUse, without_call};
use crate::hash::Set;
use crate::layout::Layout;
use crate::resolve::{self, Index, ScopeTable};

/// Of so many files one may be linked again: beyond, building anew is as quick.
const FILES_A_LINKED_ONE: usize = 4;
/// In a small tree these many may be.
const FEW: usize = 32;
/// Names that stand for names that stand for names: no honest code goes on for longer.
const MAX_ROUNDS: usize = 16;
/// Methods that run where nobody names them: where an object is made or called.
const UNNAMED: [&str; 4] = ["__init__", "__new__", "__post_init__", "__call__"];

/// Which parts of the graph before are which ones of the graph after.
struct Renumbering {
    /// The parts of the edited file before.
    old: std::ops::Range<u32>,
    /// What became of each of them.
    own: Vec<Option<PartId>>,
    /// The end of the file after.
    end: u32,
}

impl Renumbering {
    fn of(&self, part: PartId) -> Option<PartId> {
        if part.0 < self.old.start {
            Some(part)
        } else if part.0 < self.old.end {
            self.own[(part.0 - self.old.start) as usize]
        } else {
            Some(PartId(part.0 - self.old.end + self.end))
        }
    }

    /// Every part has the number that it had.
    fn is_identity(&self) -> bool {
        self.old.end == self.end && self.own.iter().zip(self.old.clone()).all(|(new, old)| *new == Some(PartId(old)))
    }
}

pub(super) fn spliced(graph: &CodeGraph, id: FileId, file: &GraphFile) -> Option<CodeGraph> {
    if file.language != Some(Language::Python) {
        return None;
    }
    let (old, new) = (graph.outline(id)?, file.readable()?);
    let mut names = changed_names(old, new)?;
    let mut outlines = graph.outlines.clone();
    outlines.set(id, Arc::clone(new));
    let (mut nodes, renumbering) = nodes(graph, id, new);
    let scopes = ScopeTable::new(&outlines, nodes.files.len());
    let layout = Layout::new(nodes.files.iter().map(|file| &*file.path));
    let of = |part| renumbering.of(part);
    let (mut again, meant) = hold(&nodes, &outlines, &[old, new], names.clone())?;
    // Where no class is, or is based on, what means something else, the classes are what they were.
    let holders = nodes.file_ids().filter(|file| again[file.0 as usize]).filter_map(|file| outlines.of(file));
    let same_classes = ![old, new].into_iter().chain(holders).any(|outline| has_class_of(outline, &meant));
    let known = if same_classes { Some(graph.index().renumbered_classes(of)?) } else { None };
    let found = resolve::discover(&nodes, &outlines, layout, &scopes, known);
    build::mark(&mut nodes, found.tests, found.decorators);
    let index = found.index;
    if !is_test_alike(graph, &nodes) || !graph.index().has_fixtures_of(&index, of) {
        return None;
    }

    // Whose links are made again.
    let before = names.len();
    let differing = if same_classes { Vec::new() } else { graph.index().classes_that_differ(&index, of) };
    for (class, after) in differing {
        let (nodes, outlines) = if after { (&nodes, &outlines) } else { (&*graph.nodes, &graph.outlines) };
        add_class(nodes, outlines, class, &mut names);
    }
    let unnamed: Vec<&str> = UNNAMED.into_iter().filter(|name| names.contains(name)).collect();
    for unnamed in unnamed {
        for (index, nodes, file) in [(graph.index(), &*graph.nodes, old), (&index, &nodes, new)] {
            add_users_of_unnamed(index, nodes, id, file, unnamed, &mut names);
        }
    }
    if names.len() > before {
        again = hold(&nodes, &outlines, &[old, new], names)?.0;
    }
    again[id.0 as usize] = true;
    for file in nodes.file_ids() {
        again[file.0 as usize] |= !same_marks(graph, &nodes, file, of);
    }

    // Links of these, and what all of them together ask of others.
    let mut links = links_of(&nodes, &outlines, &index, &scopes, &again);
    let mut kept: Vec<Option<Row>> = Vec::with_capacity(again.len());
    for file in nodes.file_ids() {
        let is_kept = !again[file.0 as usize] && !renumbering.is_identity();
        kept.push(match graph.rows.row(file) {
            Some(row) if is_kept => Some(row.renumbered(&nodes, file, of)?),
            _ => None,
        });
    }
    let old_row = |file: FileId| kept[file.0 as usize].as_ref().or_else(|| graph.rows.row(file).map(|row| &**row));
    let demands: Vec<_> = nodes
        .file_ids()
        .flat_map(|file| match links.get(&file) {
            Some(links) => links.demands.as_slice(),
            None => old_row(file).map_or(&[][..], |row| &row.demands),
        })
        .collect();
    let mut given = resolve::demanded(&nodes, &outlines, &index, &scopes, demands.into_iter());
    given.values_mut().for_each(|edges| edges.sort_unstable());
    let mut more = vec![false; again.len()];
    for file in nodes.file_ids().filter(|file| !again[file.0 as usize]) {
        let mut before = old_row(file).map_or_else(Vec::new, |row| row.given.to_vec());
        before.sort_unstable();
        more[file.0 as usize] = given.get(&file).map_or(&[][..], Vec::as_slice) != before;
    }
    links.extend(links_of(&nodes, &outlines, &index, &scopes, &more));
    drop(scopes);
    let mut rows: Vec<Arc<Row>> = Vec::with_capacity(again.len());
    for (file, kept) in nodes.file_ids().zip(kept) {
        rows.push(match (links.remove(&file), kept) {
            (Some(links), _) => Arc::new(Row::new(&nodes, file, links, given.remove(&file).unwrap_or_default().into())),
            (None, Some(row)) => Arc::new(row),
            (None, None) => Arc::clone(graph.rows.row(file)?),
        });
    }
    let rows = Rows::of(&nodes, rows);
    Some(build::assembled(nodes, index, outlines, rows))
}

/// The nodes with another outline of one file, without marks of tests and decorators.
fn nodes(graph: &CodeGraph, id: FileId, outline: &Outline) -> (Nodes, Renumbering) {
    let before = graph.file(id);
    let old = before.parts.clone();
    let mut nodes = Nodes { by_path: graph.by_path.clone(), damaged: graph.damaged.clone(), ..Nodes::default() };
    nodes.parts.extend_from_slice(&graph.parts[..old.start as usize]);
    build::add_parts(&mut nodes, &mut Shared::default(), outline, id, old.start, &before.module);
    let end = nodes.parts.len() as u32;
    let later = |part: PartId| PartId(part.0 - old.end + end);
    let shifted = |part: &Part| Part { parent: part.parent.map(later), ..part.clone() };
    nodes.parts.extend(graph.parts[old.end as usize..].iter().map(shifted));
    for (number, file) in graph.files.iter().enumerate() {
        let edited = number == id.0 as usize;
        let parts = match () {
            () if edited => old.start..end,
            () if file.parts.start >= old.end => later(PartId(file.parts.start)).0..later(PartId(file.parts.end)).0,
            () => file.parts.clone(),
        };
        let is_generated = if edited { is_generated_name(&file.path) || outline.generated } else { file.is_generated };
        nodes.files.push(FileNode { parts, is_generated, ..file.clone() });
    }
    nodes.by_key.extend_from_slice(&graph.by_key[..old.start as usize]);
    nodes.by_key.extend((old.start..end).map(PartId));
    nodes.sort_keys(old.start..end);
    nodes.by_key.extend(graph.by_key[old.end as usize..].iter().map(|part| later(*part)));
    nodes.close_subtrees();
    let own = old.clone().map(|part| nodes.find(&graph.key(PartId(part)))).collect();
    (nodes, Renumbering { old, own, end })
}

/// Names of one file that mean something else after an edit; `None` where names do not tell what that does to others.
fn changed_names<'o>(old: &'o Outline, new: &'o Outline) -> Option<Set<&'o str>> {
    let (before, after) = (said(old), said(new));
    let mut counts: BTreeMap<&(String, &str), i32> = BTreeMap::new();
    before.iter().for_each(|said| *counts.entry(said).or_default() += 1);
    after.iter().for_each(|said| *counts.entry(said).or_default() -= 1);
    let stays = |said: &&(String, &str)| counts.get(said) == Some(&0);
    // Of very many meanings of a name the first ones count.
    if !before.iter().filter(stays).eq(after.iter().filter(stays)) {
        return None;
    }
    let mut names: Set<&str> = counts.iter().filter(|(_, count)| **count != 0).map(|((_, name), _)| *name).collect();
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

/// What a file says that others can ask for, each with the name that it is asked for by; `*` for a star import, which
/// gives names that are not there to be read.
fn said(outline: &Outline) -> Vec<(String, &str)> {
    let list = |list| outline.list(list).iter().map(|name| outline.name(*name)).collect::<Vec<_>>();
    // Which part is meant, with all around it: a file may hold several of one name.
    let mut places: Vec<String> = Vec::with_capacity(outline.parts.len());
    for part in &outline.parts {
        let around = places.get(part.parent as usize).map_or("", String::as_str);
        places.push(format!("{around}/{} {:?} {}", outline.name(part.local_name), part.kind, part.occurrence));
    }
    let place = |part: u32| places.get(part as usize).map(String::as_str).unwrap_or_default();
    let mut all: Vec<(String, &str)> = Vec::new();
    for (part, place) in outline.parts.iter().zip(&places).skip(1) {
        let lists = [list(part.decorators), list(part.bases), list(part.parameters)];
        let said = (place, part.flags, lists, outline.name(part.returns), outline.name(part.fixture_name));
        all.push((format!("part {said:?}"), outline.name(part.name)));
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
        all.push((format!("import {said:?}"), bound));
    }
    for binding in &outline.bindings {
        let (target, source) = (outline.name(binding.target), outline.name(binding.source));
        let said = (place(binding.part), binding.on_self, binding.form, target, source);
        all.push((format!("binding {said:?}"), target));
    }
    all.extend(outline.module_names.iter().map(|name| (String::from("variable"), outline.name(*name))));
    let plugins = outline.strings.iter().filter(|string| string.usage == StringUse::Plugin);
    all.extend(plugins.map(|string| (format!("plugin {}", outline.name(string.text)), "pytest_plugins")));
    all
}

/// The name of a class, and those of its own members.
fn add_class<'o>(nodes: &Nodes, outlines: &'o Outlines, class: PartId, names: &mut Set<&'o str>) {
    let part = nodes.part(class);
    let Some(outline) = outlines.of(part.file) else { return };
    let Some(fact) = outline.parts.get(part.ordinal as usize) else { return };
    names.insert(outline.name(fact.name));
    let own = |ordinal: u32| ordinal == part.ordinal;
    names.extend(outline.parts.iter().filter(|part| own(part.parent)).map(|part| outline.name(part.name)));
    names.extend(
        outline
            .imports
            .iter()
            .filter(|import| own(import.part))
            .map(|import| outline.name(import.alias.some().or(import.name.some()).unwrap_or(import.module))),
    );
    let in_class = |part: u32| own(part) || outline.parts.get(part as usize).is_some_and(|part| own(part.parent));
    let bound = outline.bindings.iter().filter(|binding| in_class(binding.part));
    names.extend(bound.map(|binding| outline.name(binding.target)));
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

/// The files that hold one of some names, or a name that stands for one, and all these names; `None` where they are too
/// many.
fn hold<'o>(
    nodes: &Nodes,
    outlines: &'o Outlines,
    edited: &[&'o Arc<Outline>],
    mut names: Set<&'o str>,
) -> Option<(Vec<bool>, Set<&'o str>)> {
    let most = (nodes.files.len() / FILES_A_LINKED_ONE).max(FEW);
    let mut again = vec![false; nodes.files.len()];
    let mut fresh = names.clone();
    for _ in 0..MAX_ROUNDS {
        let holds = |(file, again): (usize, &bool)| {
            let of_python = nodes.files[file].language == Some(Language::Python);
            let outline = outlines.of(FileId(file as u32)).filter(|_| of_python && !again)?;
            holds_any(outline, &fresh).then_some(file)
        };
        let found: Vec<usize> = again.par_iter().enumerate().filter_map(holds).collect();
        found.iter().for_each(|file| again[*file] = true);
        if again.iter().filter(|again| **again).count() > most {
            return None;
        }
        let holders = (0..again.len()).filter(|file| again[*file]);
        let of_holders = holders.filter_map(|file| outlines.of(FileId(file as u32)));
        let mut next: Set<&str> = Set::default();
        for outline in of_holders.chain(edited.iter().copied()) {
            stand_for(outline, &names, &mut next);
        }
        next.retain(|name| !names.contains(name));
        if next.is_empty() {
            return Some((again, names));
        }
        names.extend(next.iter().copied());
        fresh = next;
    }
    None
}

fn segments(text: &str) -> impl Iterator<Item = &str> {
    text.split('.').map(without_call)
}

/// Whether a file names something by one of these names. A `getattr` of a computed name may mean any.
fn holds_any(outline: &Outline, names: &Set<&str>) -> bool {
    let is_named = |name: &str| names.contains(name) && !UNNAMED.contains(&name);
    let is_asked = |name: &str| names.contains(name);
    outline.names.iter().any(|text| segments(text).any(is_named))
        || outline.references.iter().any(|reference| outline.name(reference.chain).ends_with('*'))
        || UNNAMED.iter().any(|name| names.contains(name))
            && (outline.references.iter().map(|reference| outline.name(reference.chain)))
                .chain(outline.strings.iter().map(|string| outline.name(string.text)))
                .any(|chain| segments(chain).any(is_asked))
}

/// Whether a file has a class of one of these names, or one that is based on one.
fn has_class_of(outline: &Outline, names: &Set<&str>) -> bool {
    let means = |name: &str| segments(name).any(|segment| names.contains(segment));
    outline.parts.iter().filter(|part| part.kind == PartKind::Class).any(|part| {
        means(outline.name(part.name)) || outline.list(part.bases).iter().any(|base| means(outline.name(*base)))
    })
}

/// Names that a file gives to what some names mean.
fn stand_for<'o>(outline: &'o Outline, names: &Set<&str>, found: &mut Set<&'o str>) {
    let means = |chain: &str| segments(chain).any(|segment| names.contains(segment));
    let bindings = outline.bindings.iter().filter(|binding| means(outline.name(binding.source)));
    found.extend(bindings.map(|binding| outline.name(binding.target)));
    let imports =
        outline.imports.iter().filter(|import| import.name.some().is_some_and(|name| means(outline.name(name))));
    found.extend(imports.filter_map(|import| import.alias.some()).map(|alias| outline.name(alias)));
    let parts = outline.parts.iter().filter(|part| part.returns.some().is_some_and(|name| means(outline.name(name))));
    found.extend(parts.map(|part| outline.name(part.name)));
}

/// Whether the same files are test files: who reaches only those is counted.
fn is_test_alike(graph: &CodeGraph, nodes: &Nodes) -> bool {
    graph.files.iter().zip(&nodes.files).all(|(before, after)| before.is_test == after.is_test)
}

/// Whether the parts of a file are tests, and decorated, as they were.
fn same_marks(graph: &CodeGraph, nodes: &Nodes, file: FileId, of: impl Fn(PartId) -> Option<PartId>) -> bool {
    graph.parts_of(file).all(|part| {
        let before = graph.part(part);
        of(part)
            .map(|part| nodes.part(part))
            .is_some_and(|after| before.is_test == after.is_test && before.decorators == after.decorators)
    })
}

/// The links of the files that are marked.
fn links_of(
    nodes: &Nodes,
    outlines: &Outlines,
    index: &Index,
    scopes: &ScopeTable<'_>,
    marked: &[bool],
) -> crate::hash::Map<FileId, resolve::Links> {
    let files: Vec<FileId> = nodes.file_ids().filter(|file| marked[file.0 as usize]).collect();
    let links = resolve::link_some(nodes, outlines, index, scopes, &files);
    files.into_iter().zip(links).collect()
}
