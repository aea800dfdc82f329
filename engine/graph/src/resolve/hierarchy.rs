//! Classes with their bases and subclasses, over all files.

use serde::{Deserialize, Serialize};

use crate::code::{PartId, PartKind};
use crate::facts::{Language, Outline};
use crate::hash::{Map, Set};

use super::values::{Resolver, Thing, Value};
use crate::graph::Nodes;

/// Longest line of base classes that is followed.
pub(super) const MAX_BASES: usize = 64;

/// A class with its bases in the order in which attributes are looked up.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Line {
    /// Each once, with whether it is surely a base.
    pub(super) classes: Box<[(PartId, bool)]>,
    /// Some base is not in the repository, or not a name.
    pub(super) open: bool,
}

impl Line {
    /// The line of a class, depth first, by the bases of each.
    pub(super) fn new(nodes: &Nodes, class: PartId, mut bases: impl FnMut(PartId) -> std::rc::Rc<[Value]>) -> Self {
        let mut classes: Vec<(PartId, bool)> = Vec::new();
        let mut open = false;
        let mut pending = vec![(class, true)];
        while let Some((class, sure)) = pending.pop() {
            if classes.len() >= MAX_BASES || classes.iter().any(|(known, _)| *known == class) {
                continue;
            }
            classes.push((class, sure));
            for base in bases(class).iter().rev() {
                match base.thing {
                    Thing::Part(part) if nodes.part(part).kind == PartKind::Class => {
                        pending.push((part, sure && base.sure));
                    }
                    _ => open = true,
                }
            }
        }
        Self { classes: classes.into(), open }
    }
}

/// The classes of a tree.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Hierarchy {
    lines: Map<PartId, Line>,
    /// Classes of the repository that a class names as bases, with whether surely.
    bases: Map<PartId, Box<[(PartId, bool)]>>,
    /// Direct subclasses, sorted.
    subclasses: Map<PartId, Vec<PartId>>,
}

impl Hierarchy {
    pub(super) fn new(resolver: &mut Resolver<'_>) -> Self {
        let nodes = resolver.nodes();
        let mut hierarchy = Self::default();
        let is_class = |part: &PartId| {
            let part = nodes.part(*part);
            part.kind == PartKind::Class && nodes.file(part.file).language == Some(Language::Python)
        };
        for class in nodes.part_ids().filter(is_class) {
            let bases: Box<[(PartId, bool)]> = resolver
                .bases(class)
                .iter()
                .filter_map(|base| match base.thing {
                    Thing::Part(part) if nodes.part(part).kind == PartKind::Class => Some((part, base.sure)),
                    _ => None,
                })
                .collect();
            for (base, _) in &bases {
                hierarchy.subclasses.entry(*base).or_default().push(class);
            }
            if !bases.is_empty() {
                hierarchy.bases.insert(class, bases);
            }
            let line = Line::new(nodes, class, |class| resolver.bases(class));
            hierarchy.lines.insert(class, line);
        }
        hierarchy
    }

    /// Whether every class of it is a part of the tree.
    pub(super) fn is_sound(&self, nodes: &Nodes) -> bool {
        let there = |part: &PartId| (part.0 as usize) < nodes.len();
        let known = |(part, _): &(PartId, bool)| there(part);
        self.lines.iter().all(|(class, line)| there(class) && line.classes.iter().all(known))
            && self.bases.iter().all(|(class, bases)| there(class) && bases.iter().all(known))
            && self.subclasses.iter().all(|(class, below)| there(class) && below.iter().all(there))
    }

    /// The same under other numbers; `None` where a class has none.
    pub(super) fn renumbered(&self, of: impl Fn(PartId) -> Option<PartId>) -> Option<Self> {
        let pairs = |pairs: &[(PartId, bool)]| -> Option<Box<[(PartId, bool)]>> {
            pairs.iter().map(|(class, sure)| Some((of(*class)?, *sure))).collect()
        };
        let line = |line: &Line| Some(Line { classes: pairs(&line.classes)?, open: line.open });
        let below = |below: &[PartId]| -> Option<Vec<PartId>> {
            let mut below: Vec<PartId> = below.iter().map(|class| of(*class)).collect::<Option<_>>()?;
            below.sort_unstable();
            Some(below)
        };
        Some(Self {
            lines: self.lines.iter().map(|(class, own)| Some((of(*class)?, line(own)?))).collect::<Option<_>>()?,
            bases: self.bases.iter().map(|(class, own)| Some((of(*class)?, pairs(own)?))).collect::<Option<_>>()?,
            subclasses: self
                .subclasses
                .iter()
                .map(|(class, own)| Some((of(*class)?, below(own)?)))
                .collect::<Option<_>>()?,
        })
    }

    /// Classes whose line is another one, and those that are there on one side only: numbered as before, and as after.
    pub(super) fn lines_that_differ(
        &self,
        after: &Self,
        of: impl Fn(PartId) -> Option<PartId>,
    ) -> Vec<(Option<PartId>, Option<PartId>)> {
        let mut seen: Set<PartId> = Set::default();
        let mut found = Vec::new();
        let mut classes: Vec<(&PartId, &Line)> = self.lines.iter().collect();
        classes.sort_unstable_by_key(|(class, _)| **class);
        for (class, line) in classes {
            let Some((now, line_now)) = of(*class).and_then(|now| Some((now, after.lines.get(&now)?))) else {
                found.push((Some(*class), None));
                continue;
            };
            seen.insert(now);
            let mapped = |(base, sure): &(PartId, bool)| Some((of(*base)?, *sure));
            let same_line = line.open == line_now.open
                && line.classes.iter().map(mapped).eq(line_now.classes.iter().copied().map(Some));
            let same_bases = self.bases(*class).iter().map(mapped).eq(after.bases(now).iter().copied().map(Some));
            if !same_line || !same_bases {
                found.push((Some(*class), Some(now)));
            }
        }
        found.extend(after.lines.keys().filter(|class| !seen.contains(class)).map(|class| (None, Some(*class))));
        found
    }

    /// Classes whose line is another one, and the classes that are in one of the two lines only; each with whether it is
    /// numbered as after.
    pub(super) fn differing(&self, after: &Self, of: impl Fn(PartId) -> Option<PartId>) -> Vec<(PartId, bool)> {
        let mut found = Vec::new();
        for pair in self.lines_that_differ(after, &of) {
            let (class, now) = match pair {
                (Some(class), Some(now)) => (class, now),
                (Some(class), None) => {
                    found.push((class, false));
                    continue;
                }
                (None, now) => {
                    found.extend(now.map(|now| (now, true)));
                    continue;
                }
            };
            found.push((now, true));
            let (Some(line), Some(line_now)) = (self.lines.get(&class), after.lines.get(&now)) else { continue };
            for (base, _) in &line.classes {
                if of(*base).is_none_or(|base| !line_now.classes.iter().any(|(other, _)| *other == base)) {
                    found.push((*base, false));
                }
            }
            for (base, _) in &line_now.classes {
                if !line.classes.iter().any(|(other, _)| of(*other) == Some(*base)) {
                    found.push((*base, true));
                }
            }
        }
        found
    }

    pub(super) fn line(&self, class: PartId) -> Option<&Line> {
        self.lines.get(&class)
    }

    pub(super) fn bases(&self, class: PartId) -> &[(PartId, bool)] {
        self.bases.get(&class).map_or(&[], |bases| bases)
    }

    /// The other side of [`Self::below`]; a line ends earlier.
    pub(super) fn above(&self, class: PartId) -> Vec<PartId> {
        let mut found = Vec::new();
        let mut seen = Set::from_iter([class]);
        let mut open = vec![class];
        while let Some(class) = open.pop() {
            for (base, _) in self.bases(class) {
                if seen.insert(*base) {
                    found.push(*base);
                    open.push(*base);
                }
            }
        }
        found
    }

    pub(super) fn has_subclasses(&self, class: PartId) -> bool {
        self.subclasses.contains_key(&class)
    }

    /// Every class below a class, near and far, sorted; without the class itself.
    pub(super) fn below(&self, class: PartId) -> Vec<PartId> {
        let mut seen: Set<PartId> = Set::default();
        let mut pending = vec![class];
        while let Some(above) = pending.pop() {
            for &subclass in self.subclasses.get(&above).into_iter().flatten() {
                if subclass != class && seen.insert(subclass) {
                    pending.push(subclass);
                }
            }
        }
        let mut found: Vec<PartId> = seen.into_iter().collect();
        found.sort_unstable();
        found
    }

    /// True for a class that unittest collects: some base, near or far, is a `TestCase`.
    pub(super) fn is_test_case<'o>(
        &self,
        nodes: &Nodes,
        class: PartId,
        outline: impl Fn(PartId) -> Option<&'o Outline>,
    ) -> bool {
        self.line(class).is_some_and(|line| {
            line.classes.iter().any(|(class, _)| {
                outline(*class).is_some_and(|outline| {
                    let bases = outline.list(outline.parts[nodes.part(*class).ordinal as usize].bases);
                    bases.iter().any(|base| outline.name(*base).ends_with("TestCase"))
                })
            })
        })
    }
}
