//! Which files are linked again where it is known what the look-ups of each came by: those that came by what is another one.

use std::sync::Arc;

use super::modules::{self, Binds};
use super::names::Meanings;
use super::turn::{Changed, Seen, Turn};
use super::{Edits, Loose, Told, mark_fixtures};
use crate::code::PartId;
use crate::facts::{Language, Outline};
use crate::graph::{Anew, Nodes, is_callable};
use crate::hash::Set;
use crate::layout::{base_name, directory_of, stem};
use crate::resolve::Index;
use crate::resolve::visits::{Class, Mark, Visit};
use crate::words::Sought;

/// Marks the files of Python whose links may differ, and tells what all files say together.
pub(super) fn mark(edits: &Edits<'_>, turn: &mut Turn, again: &mut [bool]) -> Result<Index, Anew> {
    let Edits { graph, outlines, files, places, .. } = edits;
    let (graph, outlines, files) = (*graph, *outlines, *files);
    let mut other = Other::default();
    modules::follow_imports(graph, turn, outlines, places, files, again, &mut |file, binds| {
        let path = &*turn.nodes.file(file).path;
        other.add(match binds {
            Binds::Name(name) | Binds::First(name) => Visit::Name(path, name),
            Binds::Star(_) => Visit::File(path),
        });
        Some(())
    })
    .ok_or(Anew::Star)?;
    let is_seen = edits.seen().next().is_some();
    if is_seen {
        mark_loose(edits, turn, again);
    }
    for changed in edits.changed.iter().filter(|changed| changed.seen == Seen::Whole) {
        other.add_places(edits, turn, changed);
    }
    for (changed, names) in edits.seen() {
        match changed.seen {
            Seen::Whole => other.add(Visit::File(&changed.path)),
            _ => names.iter().for_each(|name| other.add(Visit::Name(&changed.path, name))),
        }
    }
    let index = edits.discover(turn, !is_seen && other.is_empty())?;
    if !matches!(edits.told, Told::Carried) {
        mark_fixtures(graph, turn, &index, files, again).ok_or(Anew::Plugins)?;
        mark_classes(edits, turn, &index, &mut other, again);
    }
    for &file in files {
        let visits = turn.origin(file).and_then(|before| graph.rows.row(before)?.visits.as_deref());
        again[file.0 as usize] |= visits.is_some_and(|visits| other.is_among(visits));
    }
    Ok(index)
}

/// Marks the files of classes with other bases, and adds what look-ups come by in them and in the files that are others.
fn mark_classes<'e>(edits: &'e Edits<'_>, turn: &'e Turn, index: &'e Index, other: &mut Other, again: &mut [bool]) {
    let graph = edits.graph;
    let sides = [Side { nodes: &graph.nodes, index: graph.index() }, Side { nodes: &turn.nodes, index }];
    for (before, after) in graph.index().lines_that_differ(index, |part| turn.part(part)) {
        for (side, class) in sides.iter().zip([before, after]) {
            let Some(class) = class else { continue };
            other.add(Visit::Line(Class::of(side.nodes, class)));
            other.add_methods(*side, class, |_| true);
        }
        if let Some(class) = after {
            again[turn.nodes.part(class).file.0 as usize] = true;
        }
    }
    let is_guessed = |name: &str| sides.iter().any(|side| side.index.is_guessed(name));
    for (changed, names) in edits.seen() {
        let means = |name: &str| changed.seen == Seen::Whole || names.contains(name);
        for (side, file) in sides.iter().zip([changed.before, changed.after]) {
            let parts = file.into_iter().flat_map(|file| side.nodes.parts_of(file));
            for class in parts.filter(|part| is_class(side.nodes, *part)) {
                other.add_methods(*side, class, means);
                let methods = methods(side.nodes, class).filter(|name| means(name) && is_guessed(name));
                methods.for_each(|name| other.add(Visit::Methods(name)));
            }
        }
    }
}

/// Marks files that name modules which came and went without being seen to come by them, and those that may find something
/// else by names that are computed.
fn mark_loose(edits: &Edits<'_>, turn: &Turn, again: &mut [bool]) {
    let (modules, packages) = (edits.places.modules.clone(), edits.places.packages.clone());
    let mut meanings = Meanings { modules, packages, ..Meanings::default() };
    meanings.spread_packages(edits.outlines, edits.files);
    let loose = Loose::new(turn, edits.outlines, &meanings, edits.files);
    let sought = Sought::new(meanings.modules.iter().copied());
    for &file in edits.files {
        let passes = |outline: &Arc<Outline>| outline.names.iter().any(|chain| meanings.pass(chain, loose.holds(file)));
        again[file.0 as usize] = again[file.0 as usize]
            || edits.may_compute_otherwise(turn, file)
            || edits.outlines.holder(file, &sought).is_some_and(passes);
    }
}

/// One of the two trees.
#[derive(Clone, Copy)]
struct Side<'s> {
    nodes: &'s Nodes,
    index: &'s Index,
}

fn is_class(nodes: &Nodes, part: PartId) -> bool {
    nodes.part(part).kind == crate::code::PartKind::Class
}

/// The names of what a class itself defines to be called.
fn methods(nodes: &Nodes, class: PartId) -> impl Iterator<Item = &str> {
    nodes.children(class).filter(|child| is_callable(nodes.part(*child).kind)).map(|child| nodes.name(child))
}

/// What look-ups may have come by that is another one now.
struct Other {
    marks: Set<Mark>,
    /// A bit for the lowest bits of each: most visits are of what stays, and are told by this alone.
    bits: Box<[u64]>,
}

/// Bits of a mark that are looked at first.
const BITS: u32 = 16;

impl Default for Other {
    fn default() -> Self {
        Self { marks: Set::default(), bits: vec![0; 1 << (BITS - 6)].into() }
    }
}

impl Other {
    fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    fn add(&mut self, visit: Visit<'_>) {
        let mark = visit.mark();
        let (word, bit) = Self::place(mark);
        self.bits[word] |= bit;
        self.marks.insert(mark);
    }

    fn place(mark: Mark) -> (usize, u64) {
        let low = mark & ((1 << BITS) - 1);
        ((low >> 6) as usize, 1 << (low & 63))
    }

    /// Whether one of these visits was of something that is another one.
    fn is_among(&self, visits: &[Mark]) -> bool {
        visits.iter().any(|mark| {
            let (word, bit) = Self::place(*mark);
            self.bits[word] & bit != 0 && self.marks.contains(mark)
        })
    }

    /// Where a module, or a folder with modules, came, went or is read otherwise.
    fn add_places(&mut self, edits: &Edits<'_>, turn: &Turn, changed: &Changed) {
        let mut inside = |path: &str| self.add(Visit::Inside(directory_of(path), base_name(path)));
        if changed.language == Some(Language::Python) {
            match stem(&changed.path) {
                init if base_name(init) == "__init__" => inside(directory_of(init)),
                module => inside(module),
            }
        }
        let (old, new) = (&edits.graph.index().layout, &turn.layout);
        let mut folder = directory_of(&changed.path);
        while changed.comes_or_goes() && !folder.is_empty() {
            if old.has_code(folder) != new.has_code(folder) {
                inside(folder);
            }
            folder = directory_of(folder);
        }
    }

    /// Some methods of a class, for those who ask for them by a class above it.
    fn add_methods(&mut self, side: Side<'_>, class: PartId, means: impl Fn(&str) -> bool) {
        for above in side.index.classes_above(class) {
            let above = Class::of(side.nodes, above);
            methods(side.nodes, class).filter(|name| means(name)).for_each(|name| self.add(Visit::Below(above, name)));
        }
    }
}
