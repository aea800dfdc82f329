//! Edits after which all files together say what they said: functions and methods without decorators, tests and fixtures
//! left out, came, went, or take other parameters, and nobody asks for those that came or went.
//!
//! Classes, fixtures, decorators and tests are then those of before, under other numbers; no file is read to tell them.

use std::collections::BTreeMap;

use super::Edits;
use super::names::{Difference, Sayer, said};
use super::turn::{Seen, Turn};
use crate::code::{PartId, PartKind};
use crate::facts::{Language, NameId, Outline, PartFact, PartFlags};
use crate::hash::Set;
use crate::resolve::{Asked, Index, is_hook};
use crate::words::{Sought, segments};

/// The functions and methods that came, went, or give something else.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    /// What they stood in, before.
    before: Set<PartId>,
    /// What they stand in, after.
    after: Set<PartId>,
    names: Vec<Box<str>>,
}

/// One that stands on one side only, or gives something else there.
struct Moved<'o> {
    name: &'o str,
    /// The ordinal of what it stands in.
    around: u32,
    is_after: bool,
}

impl Quiet {
    /// Where what [`discover`](crate::resolve::discover) tells is as it was before the edits.
    pub(super) fn of(edits: &Edits<'_>, turn: &Turn) -> Option<Self> {
        let mut quiet = Self::default();
        let mut names: Set<&str> = Set::default();
        let mut outlines: Vec<&Outline> = Vec::new();
        for changed in edits.changed.iter().filter(|changed| !changed.is_plain()) {
            let is_python = changed.language == Some(Language::Python);
            if changed.seen == Seen::Nothing {
                // What others see of it is as it was, and may be what asks.
                let outline = changed.after.filter(|_| is_python).and_then(|file| edits.outlines.of(file));
                outlines.extend(outline.map(|outline| &**outline));
                continue;
            }
            if changed.seen == Seen::Whole || !is_python {
                return None;
            }
            let (before, after) = (changed.before?, changed.after?);
            let (old, new) = (edits.graph.outline(before)?, edits.outlines.of(after)?);
            for moved in functions_that_moved(edits.graph.index(), old, new)? {
                names.insert(moved.name);
                if moved.is_after {
                    quiet.after.insert(turn.nodes.part_id(after, moved.around));
                } else {
                    quiet.before.insert(edits.graph.part_id(before, moved.around));
                }
            }
            outlines.extend([&**old, &**new]);
        }
        quiet.names = names.iter().map(|name| (*name).into()).collect();
        let is_quiet = names.is_empty()
            || !outlines.iter().any(|outline| ask_for(outline, &names)) && are_unknown_elsewhere(edits, &names);
        is_quiet.then_some(quiet)
    }

    /// Whether one of them is called so.
    pub(super) fn are_called(&self, name: &str) -> bool {
        self.names.iter().any(|one| **one == *name)
    }

    /// Whether one of them may be, or have been, what a name that is computed means.
    pub(super) fn are_among(&self, asked: &Asked, turn: &Turn) -> bool {
        match asked {
            Asked::In(part) => {
                self.before.contains(part) || turn.part(*part).is_some_and(|part| self.after.contains(&part))
            }
            Asked::Methods(start) => self.names.iter().any(|name| name.starts_with(&**start)),
        }
    }
}

/// The functions of one side only, or that give something else; `None` where anything differs but functions that nobody but
/// callers cares for.
fn functions_that_moved<'o>(index: &Index, old: &'o Outline, new: &'o Outline) -> Option<Vec<Moved<'o>>> {
    let all =
        |outline: &'o Outline| outline.all.as_ref().map(|all| all.iter().map(|name| outline.name(*name)).collect());
    let (before, after): (Option<Vec<&str>>, Option<Vec<&str>>) = (all(old), all(new));
    if before != after {
        return None;
    }
    let (before, after) = (said(old), said(new));
    // By place: how a function is defined and what it gives, on each side.
    let mut places: BTreeMap<&str, [Option<(PartFlags, &str)>; 2]> = BTreeMap::new();
    let mut all: Vec<(&str, Moved<'o>)> = Vec::new();
    let only = Difference::of(&before, &after).only;
    for (side, (outline, only)) in [old, new].into_iter().zip(&only).enumerate() {
        for said in only {
            let Sayer::Part { ordinal, place } = &said.sayer else { return None };
            let part = outline.parts.get(*ordinal as usize).filter(|part| is_plain(index, outline, part))?;
            // What it is given may be what is based on or decorates inside.
            if outline.within(*ordinal).any(|inside| inside.kind == PartKind::Class || inside.decorators.len > 0) {
                return None;
            }
            places.entry(place).or_default()[side] = Some((part.flags, outline.name(part.returns)));
            all.push((place, Moved { name: said.name, around: part.parent, is_after: side == 1 }));
        }
    }
    let is_same = |place: &str| matches!(places.get(place), Some([Some(before), Some(after)]) if before == after);
    Some(all.into_iter().filter(|(place, _)| !is_same(place)).map(|(_, moved)| moved).collect())
}

/// A function or method that only its callers see.
fn is_plain(index: &Index, outline: &Outline, part: &PartFact) -> bool {
    let name = outline.name(part.name);
    matches!(part.kind, PartKind::Function | PartKind::Method)
        && part.decorators.len == 0
        && part.bases.len == 0
        && part.fixture_name == NameId::NONE
        && !part.flags.contains(PartFlags::FIXTURE)
        && !name.starts_with("__")
        && !is_hook(name)
        && !index.names_tests(name)
}

/// Whether a file asks for one of these names by more than a call or a use in a body: by a base, a decorator, an import, a
/// binding, or what a function gives.
fn ask_for(outline: &Outline, names: &Set<&str>) -> bool {
    let asks = |id: NameId| segments(outline.name(id)).any(|segment| names.contains(segment));
    outline.parts.iter().any(|part| {
        let lists = [part.decorators, part.bases];
        asks(part.returns) || lists.iter().any(|list| outline.list(*list).iter().any(|id| asks(*id)))
    }) || outline.imports.iter().any(|import| [import.module, import.name, import.alias].into_iter().any(asks))
        || outline.bindings.iter().any(|binding| [binding.target, binding.source].into_iter().any(asks))
        || outline.module_names.iter().any(|name| asks(*name))
}

/// Whether no file that is as it was holds one of these names.
fn are_unknown_elsewhere(edits: &Edits<'_>, names: &Set<&str>) -> bool {
    let sought = Sought::new(names.iter().copied());
    let is_changed = |file| edits.changed.iter().any(|changed| changed.after == Some(file));
    edits.files.iter().all(|file| is_changed(*file) || edits.outlines.holder(*file, &sought).is_none())
}
