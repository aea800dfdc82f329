//! Which files are linked again where it is not known what their look-ups came by: those that hold a name whose meaning
//! changed, or a name that stands for such a one, and may come by what changed.

use std::cell::LazyCell;

use super::modules::{self, Binds, Places};
use super::names::{Holders, Meanings};
use super::turn::{Changed, Seen, Turn};
use super::{Edits, Loose, mark_fixtures};
use crate::code::{FileId, PartId, PartKind};
use crate::facts::{Language, Outline, StringFact};
use crate::graph::{Anew, CodeGraph, Nodes, Outlines};
use crate::hash::Set;
use crate::resolve::Index;
use crate::words::{Sought, UNNAMED};

/// Of so many files one may be linked again: beyond, building anew is as quick, and tells what look-ups come by.
const FILES_A_LINKED_ONE: usize = 4;
/// In a small tree these many may be.
const FEW: usize = 32;

/// Marks the files of Python whose links may differ, and tells what all files say together.
pub(super) fn mark(edits: &Edits<'_>, turn: &mut Turn, again: &mut [bool]) -> Result<Index, Anew> {
    let Edits { graph, outlines, changed, places, files, .. } = edits;
    let (graph, outlines, changed, files) = (*graph, *outlines, *changed, *files);
    let is_of_python = |changed: &&Changed| changed.language == Some(Language::Python);
    let edited = changed.iter().filter(|changed| changed.seen == Seen::Names);
    let edited: Vec<&Outline> = edited.flat_map(|changed| both(graph, outlines, changed)).collect();
    let names = edits.names.iter().flatten().copied().collect();
    let mut meanings = Meanings { names, modules: places.modules.clone(), packages: places.packages.clone() };
    meanings.spread_packages(outlines, files);
    let loose = Loose::new(turn, outlines, &meanings, files);
    let bound = &mut meanings.names;
    modules::follow_imports(graph, turn, outlines, places, files, again, &mut |file, binds| match binds {
        Binds::Star(import) => modules::add_starred(graph, turn, outlines, file, import, bound),
        Binds::First(name) if !modules::is_asked_of_others(outlines, files, name) => Some(()),
        Binds::Name(name) | Binds::First(name) => {
            bound.insert(name);
            Some(())
        }
    })
    .ok_or(Anew::Star)?;
    let is_seen = edits.seen().next().is_some();
    let begin = again.to_vec();
    if is_seen {
        let reach = || reaching(edits, turn, &begin);
        let computes = |file| edits.may_compute_otherwise(turn, file);
        let holders = holders(edits, &edited, &begin, &reach, &computes);
        holders.mark(&mut meanings, &loose, again).ok_or(Anew::Many)?;
    }

    let same_classes = !changes_classes(graph, outlines, changed, files, &meanings, &loose, again);
    let index = edits.discover(turn, same_classes)?;
    mark_fixtures(graph, turn, &index, files, again).ok_or(Anew::Plugins)?;

    // Who hangs on classes and methods without naming what changed.
    let sides = [(graph.index(), &*graph.nodes), (&index, &turn.nodes)];
    let (mut names, mut held): (Set<&str>, Set<&str>) = Default::default();
    if !same_classes {
        add_differing_classes(graph, turn, outlines, &index, &mut names, &mut held);
    }
    for changed in changed.iter().filter(|changed| changed.seen != Seen::Nothing).filter(is_of_python) {
        add_methods(graph, outlines, sides, changed, &meanings, &mut names, &mut held);
    }
    // Whose classes are others names them, and need not come by what changed.
    held.extend(names.iter().copied());
    names.retain(|name| !meanings.names.contains(name));
    let reach = || reaching(edits, turn, &begin);
    // Who computes names was marked, where anything is seen.
    let holders = holders(edits, &edited, &begin, &reach, &|_| false);
    if !names.is_empty() {
        meanings.names.extend(names);
        holders.mark(&mut meanings, &loose, again).ok_or(Anew::Many)?;
    }
    if !held.is_empty() {
        holders.mark_words(&held, again).ok_or(Anew::Many)?;
    }
    Ok(index)
}

fn holders<'o, 'r>(
    edits: &Edits<'o>,
    edited: &'r [&'o Outline],
    begin: &'r [bool],
    reach: &'r dyn Fn() -> Vec<bool>,
    computes: &'r dyn Fn(FileId) -> bool,
) -> Holders<'o, 'r>
where
    'o: 'r,
{
    let most = (begin.len() / FILES_A_LINKED_ONE).max(FEW);
    let (outlines, files) = (edits.outlines, edits.files);
    Holders { outlines, files, edited, begin, reach: LazyCell::new(reach), computes, most }
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
            Seen::Names => meanings.has_class(outline, true) || has_class_in_one(outline, meanings),
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

/// Whether a class stands in a function of one of the names: what that is given may be what the class is based on.
fn has_class_in_one(outline: &Outline, meanings: &Meanings<'_>) -> bool {
    let named = (0..).zip(&outline.parts).filter(|(_, part)| meanings.names.contains(outline.name(part.name)));
    let mut functions = named.filter(|(_, part)| matches!(part.kind, PartKind::Function | PartKind::Method));
    functions.any(|(ordinal, _)| outline.within(ordinal).any(|inside| inside.kind == PartKind::Class))
}

/// The files whose look-ups may come by a file that changed: some that surely do, those that lead to it, and those that
/// name it without that.
fn reaching(edits: &Edits<'_>, turn: &Turn, begin: &[bool]) -> Vec<bool> {
    let Edits { graph, outlines, files, .. } = edits;
    let mut doors = Places::doors(edits.changed);
    doors.spread_packages(outlines, files);
    let mut reach = begin.to_vec();
    let sought = Sought::new(doors.modules.iter().copied());
    let loose = Loose::new(turn, outlines, &doors, files);
    for &file in *files {
        let Some(outline) = outlines.holder(file, &sought) else { continue };
        let is_named = |string: &StringFact| doors.pass(outline.name(string.text), true);
        reach[file.0 as usize] |= outline.names.iter().any(|chain| doors.pass(chain, loose.holds(file)))
            || outline.strings.iter().any(is_named);
    }
    let mut pending: Vec<FileId> = turn.nodes.file_ids().filter(|file| reach[file.0 as usize]).collect();
    while let Some(file) = pending.pop() {
        let Some(before) = turn.origin(file) else { continue };
        for source in graph.rows.sources(&graph.nodes, before) {
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
        names.insert(nodes.name(class));
        names.extend(index.classes_below(class).into_iter().map(|class| nodes.name(class)));
    }
}
