//! Which parts a change changes, and how: digests of both sides tell the kinds, the line diff tells the lines.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::safe;
use super::{Change, Content, FileChange, FileSide, Kinds, PartChange, SafeKinds};
use crate::code::{PartKey, PartKind};
use crate::diff::{LineHunk, line_diff};
use crate::facts::{FileFacts, Language, PartDigests, PartFact};

/// The changed parts of a change, sorted by file and part; every file gives at least one.
///
/// `facts` gives what was read of a side that is text in a language with a parser. Where it gives nothing for one, or only
/// a problem, all parts of that file have changed in an unknown way.
#[must_use]
pub fn parts(change: &Change, facts: &mut dyn FnMut(&str, &Content) -> Option<Arc<FileFacts>>) -> Vec<PartChange> {
    let mut sides: Vec<(View, View)> = Vec::with_capacity(change.files.len());
    for file in &change.files {
        sides.push((View::of(file.before.as_ref(), facts), View::of(file.after.as_ref(), facts)));
    }
    let twins = whole_file_moves(change, &sides);
    let moved_away: BTreeSet<usize> = twins.values().copied().collect();
    let mut found = Found::default();
    for (index, file) in change.files.iter().enumerate() {
        if moved_away.contains(&index) {
            continue;
        }
        // A file that was deleted here and added there with equal bytes moved, whether git says so or not.
        let before = twins.get(&index).copied().unwrap_or(index);
        let moved = FileChange {
            before: change.files[before].before.clone(),
            after: file.after.clone(),
            asserted: file.asserted,
        };
        compare_file(&moved, &sides[before].0, &sides[index].1, &mut found);
    }
    let mut parts = found.settle();
    safe::mark(change, &mut parts);
    for part in &mut parts {
        part.added.sort_unstable();
        part.removed.sort_unstable();
    }
    parts.sort_by(|left, right| {
        (left.part(), &left.before, &left.after).cmp(&(right.part(), &right.before, &right.after))
    });
    parts
}

/// What is known of one side.
enum View {
    Absent,
    /// No parser reads it: one part, its bytes.
    Bytes,
    /// A parser should read it and could not, or the side itself is unknown.
    Opaque,
    Parts(Arc<FileFacts>),
}

impl View {
    fn of(side: Option<&FileSide>, facts: &mut dyn FnMut(&str, &Content) -> Option<Arc<FileFacts>>) -> Self {
        let Some(side) = side else { return Self::Absent };
        let has_parser = Language::of_path(&side.path).is_some();
        match &side.content {
            Content::Text(_) if has_parser => match facts(&side.path, &side.content) {
                Some(facts) if facts.opaque().is_none() && facts.outline.parts.len() == facts.digests.len() => {
                    Self::Parts(facts)
                }
                _ => Self::Opaque,
            },
            Content::Binary(_) | Content::TooLarge { .. } if has_parser => Self::Opaque,
            Content::Unknown(_) => Self::Opaque,
            // Without its digest a large file may hold anything.
            Content::TooLarge { digest, .. } if *digest == [0; 32] => Self::Opaque,
            _ => Self::Bytes,
        }
    }
}

/// Added files to the deleted files whose bytes they have; only where exactly one was deleted and one added with them.
fn whole_file_moves(change: &Change, sides: &[(View, View)]) -> BTreeMap<usize, usize> {
    let mut by_content: BTreeMap<[u8; 32], (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (index, file) in change.files.iter().enumerate() {
        if file.asserted {
            continue;
        }
        match &sides[index] {
            (View::Parts(facts), View::Absent) => by_content.entry(facts.content.0).or_default().0.push(index),
            (View::Absent, View::Parts(facts)) => by_content.entry(facts.content.0).or_default().1.push(index),
            _ => {}
        }
    }
    by_content
        .into_values()
        .filter_map(|(deleted, added)| match (deleted.as_slice(), added.as_slice()) {
            ([deleted], [added]) => Some((*added, *deleted)),
            _ => None,
        })
        .collect()
}

/// A part that is on one side only, until it is known whether it moved.
struct Single {
    key: PartKey,
    digests: PartDigests,
    lines: Vec<u32>,
    /// Its file holds syntax errors or reads otherwise than the grammar says.
    unsure: bool,
}

#[derive(Default)]
struct Found {
    parts: Vec<PartChange>,
    gone: Vec<Single>,
    come: Vec<Single>,
}

impl Found {
    fn push(
        &mut self,
        before: Option<PartKey>,
        after: Option<PartKey>,
        kinds: Kinds,
        added: Vec<u32>,
        removed: Vec<u32>,
    ) {
        self.parts.push(PartChange { before, after, kinds, added, removed, safe: SafeKinds::empty() });
    }

    /// Pairs what went here and came there with an equal body, where there is exactly one of each.
    fn settle(mut self) -> Vec<PartChange> {
        let is_function = |kind: PartKind| matches!(kind, PartKind::Function | PartKind::Method);
        type Bodies = BTreeMap<(bool, [u8; 16], [u8; 16]), (Vec<usize>, Vec<usize>)>;
        let mut bodies = Bodies::new();
        let movable = |single: &Single| !single.unsure && !matches!(single.key.kind, PartKind::Module | PartKind::File);
        let identity = |single: &Single| (is_function(single.key.kind), single.digests.body, single.digests.signature);
        for (index, single) in self.gone.iter().enumerate().filter(|(_, single)| movable(single)) {
            bodies.entry(identity(single)).or_default().0.push(index);
        }
        for (index, single) in self.come.iter().enumerate().filter(|(_, single)| movable(single)) {
            bodies.entry(identity(single)).or_default().1.push(index);
        }
        let mut paired_gone = BTreeMap::new();
        let mut paired_come = BTreeSet::new();
        for (gone, come) in bodies.into_values() {
            if let ([gone], [come]) = (gone.as_slice(), come.as_slice()) {
                paired_gone.insert(*gone, *come);
                paired_come.insert(*come);
            }
        }
        let gone = std::mem::take(&mut self.gone);
        let mut come: Vec<Option<Single>> = std::mem::take(&mut self.come).into_iter().map(Some).collect();
        for (index, single) in gone.into_iter().enumerate() {
            match paired_gone.get(&index).and_then(|at| come[*at].take()) {
                Some(after) => {
                    let kinds = Kinds::RENAMED | differences(&single.digests, &after.digests);
                    self.push(Some(single.key), Some(after.key), kinds, after.lines, single.lines);
                }
                None => {
                    let unknown = if single.unsure { Kinds::UNKNOWN } else { Kinds::empty() };
                    self.push(Some(single.key), None, Kinds::REMOVED | unknown, Vec::new(), single.lines);
                }
            }
        }
        for single in come.into_iter().flatten() {
            let unknown = if single.unsure { Kinds::UNKNOWN } else { Kinds::empty() };
            self.push(None, Some(single.key), Kinds::ADDED | unknown, single.lines, Vec::new());
        }
        self.parts
    }
}

fn file_key(side: &FileSide) -> PartKey {
    PartKey { path: side.path.clone(), name: "".into(), kind: PartKind::File, occurrence: 0 }
}

fn key(path: &Arc<str>, facts: &FileFacts, part: &PartFact) -> PartKey {
    PartKey {
        path: path.clone(),
        name: facts.outline.name(part.local_name).into(),
        kind: part.kind,
        occurrence: part.occurrence,
    }
}

fn keys(side: &FileSide, view: &View) -> Vec<PartKey> {
    match view {
        View::Parts(facts) => facts.outline.parts.iter().map(|part| key(&side.path, facts, part)).collect(),
        View::Absent => Vec::new(),
        View::Bytes | View::Opaque => vec![file_key(side)],
    }
}

fn text(side: &FileSide) -> Option<&str> {
    match &side.content {
        Content::Text(text) => Some(text),
        _ => None,
    }
}

fn compare_file(file: &FileChange, before: &View, after: &View, found: &mut Found) {
    let mode = match (&file.before, &file.after) {
        (Some(before), Some(after)) if before.executable != after.executable => Kinds::MODE,
        _ => Kinds::empty(),
    };
    let renamed = match (&file.before, &file.after) {
        (Some(before), Some(after)) if before.path != after.path => Kinds::RENAMED,
        _ => Kinds::empty(),
    };
    match (before, after) {
        _ if file.asserted => all_unknown(file, before, after, mode | renamed, found),
        (View::Parts(old), View::Parts(new)) => {
            if let (Some(before), Some(after)) = (&file.before, &file.after) {
                Comparison::new(before, after, old, new).run(mode, renamed, found);
            }
        }
        (View::Parts(facts), View::Absent) => one_side(file.before.as_ref(), facts, false, found),
        (View::Absent, View::Parts(facts)) => one_side(file.after.as_ref(), facts, true, found),
        (View::Bytes, View::Bytes) => {
            if let (Some(before), Some(after)) = (&file.before, &file.after) {
                let mut kinds = mode | renamed;
                if before.content != after.content {
                    kinds |= Kinds::BYTES;
                }
                let hunks = hunks(text(before), text(after));
                let (added, removed) = all_lines(&hunks);
                // Two equal sides are listed for a reason that is not told.
                let kinds = if kinds.is_empty() { Kinds::UNKNOWN } else { kinds };
                found.push(Some(file_key(before)), Some(file_key(after)), kinds, added, removed);
            }
        }
        (View::Bytes, View::Absent) => {
            if let Some(side) = &file.before {
                let (_, removed) = all_lines(&hunks(text(side), Some("")));
                found.push(Some(file_key(side)), None, Kinds::REMOVED, Vec::new(), removed);
            }
        }
        (View::Absent, View::Bytes) => {
            if let Some(side) = &file.after {
                let (added, _) = all_lines(&hunks(Some(""), text(side)));
                found.push(None, Some(file_key(side)), Kinds::ADDED, added, Vec::new());
            }
        }
        _ => all_unknown(file, before, after, mode | renamed, found),
    }
}

fn hunks(before: Option<&str>, after: Option<&str>) -> Vec<LineHunk> {
    line_diff(before.unwrap_or_default(), after.unwrap_or_default())
}

fn all_lines(hunks: &[LineHunk]) -> (Vec<u32>, Vec<u32>) {
    (
        hunks.iter().flat_map(|hunk| hunk.added.clone()).collect(),
        hunks.iter().flat_map(|hunk| hunk.removed.clone()).collect(),
    )
}

/// Every part of both sides has changed, nobody can say how.
fn all_unknown(file: &FileChange, before: &View, after: &View, kinds: Kinds, found: &mut Found) {
    let of = |side: &Option<FileSide>, view: &View| side.as_ref().map(|side| keys(side, view)).unwrap_or_default();
    let (old, new) = (of(&file.before, before), of(&file.after, after));
    // A file that a parser reads on one side only has other parts on each side; both are named.
    let place = |key: &PartKey| (key.name.clone(), key.kind, key.occurrence);
    let mut left: BTreeMap<_, PartKey> = old.into_iter().map(|key| (place(&key), key)).collect();
    let mut lines = Some(all_lines(&hunks(file.before.as_ref().and_then(text), file.after.as_ref().and_then(text))));
    for key in new {
        let before = left.remove(&place(&key));
        let kinds = if before.is_some() { kinds } else { Kinds::ADDED | kinds } | Kinds::UNKNOWN;
        // The lines are told once, at the file or module.
        let (added, removed) = lines.take().unwrap_or_default();
        found.push(before, Some(key), kinds, added, removed);
    }
    for key in left.into_values() {
        let (_, removed) = lines.take().unwrap_or_default();
        found.push(Some(key), None, Kinds::REMOVED | Kinds::UNKNOWN | kinds, Vec::new(), removed);
    }
}

/// A file that is there on one side only.
fn one_side(side: Option<&FileSide>, facts: &FileFacts, is_after: bool, found: &mut Found) {
    let Some(side) = side else { return };
    let source = text(side).unwrap_or_default();
    let mut lines = Owners::new(facts, source).lines(1..line_count(source) + 1);
    let unsure = !facts.problems.is_empty() || facts.reads_otherwise;
    for (index, (part, digests)) in facts.outline.parts.iter().zip(&facts.digests).enumerate() {
        let single = Single {
            key: key(&side.path, facts, part),
            digests: *digests,
            lines: lines.remove(&index).unwrap_or_default(),
            unsure,
        };
        if is_after { found.come.push(single) } else { found.gone.push(single) }
    }
}

fn line_count(text: &str) -> u32 {
    u32::try_from(text.split_inclusive('\n').count()).unwrap_or(u32::MAX - 1)
}

/// Which part each line of a text belongs to: the innermost that contains it.
struct Owners(Vec<u32>);

impl Owners {
    fn new(facts: &FileFacts, text: &str) -> Self {
        let mut owners = vec![0; line_count(text) as usize + 1];
        // Enclosing parts come first, so what is inside paints over them.
        for (index, place) in facts.places.parts.iter().enumerate().skip(1) {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let end = (place.end as usize + 1).min(owners.len());
            let start = (place.start as usize).min(end);
            owners[start..end].fill(index);
        }
        Self(owners)
    }

    /// Lines by ordinal of their part.
    fn lines(&self, numbers: impl Iterator<Item = u32>) -> BTreeMap<usize, Vec<u32>> {
        let mut lines: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for line in numbers {
            let owner = self.0.get(line as usize).copied().unwrap_or(0);
            lines.entry(owner as usize).or_default().push(line);
        }
        lines
    }
}

/// What the digests of two parts say; nested parts count for themselves.
fn differences(before: &PartDigests, after: &PartDigests) -> Kinds {
    let mut kinds = Kinds::empty();
    kinds.set(Kinds::SIGNATURE, before.signature != after.signature);
    kinds.set(Kinds::DECORATORS, before.decorators != after.decorators);
    kinds.set(Kinds::BODY, before.body_alone != after.body_alone);
    kinds.set(Kinds::COMMENT, before.comments != after.comments);
    if before.docstring != after.docstring {
        // A doctest is run.
        kinds |= if before.has_doctest || after.has_doctest { Kinds::BODY } else { Kinds::DOCSTRING };
    }
    kinds
}

/// Two sides of one file that were both read.
struct Comparison<'a> {
    before: &'a FileSide,
    after: &'a FileSide,
    old: &'a FileFacts,
    new: &'a FileFacts,
    added: BTreeMap<usize, Vec<u32>>,
    removed: BTreeMap<usize, Vec<u32>>,
    /// Ordinals after to ordinals before.
    pairs: BTreeMap<usize, usize>,
    renamed: BTreeSet<usize>,
    /// Ordinals of the parts directly inside each part.
    old_inside: Vec<Vec<usize>>,
    new_inside: Vec<Vec<usize>>,
}

fn inside(facts: &FileFacts) -> Vec<Vec<usize>> {
    let mut inside = vec![Vec::new(); facts.outline.parts.len()];
    for (index, part) in facts.outline.parts.iter().enumerate() {
        if let Some(children) = inside.get_mut(part.parent as usize) {
            children.push(index);
        }
    }
    inside
}

impl<'a> Comparison<'a> {
    fn new(before: &'a FileSide, after: &'a FileSide, old: &'a FileFacts, new: &'a FileFacts) -> Self {
        let (before_text, after_text) = (text(before).unwrap_or_default(), text(after).unwrap_or_default());
        let hunks = line_diff(before_text, after_text);
        let (added, removed) = all_lines(&hunks);
        Self {
            before,
            after,
            old,
            new,
            added: Owners::new(new, after_text).lines(added.into_iter()),
            removed: Owners::new(old, before_text).lines(removed.into_iter()),
            pairs: BTreeMap::new(),
            renamed: BTreeSet::new(),
            old_inside: inside(old),
            new_inside: inside(new),
        }
    }

    fn run(mut self, mode: Kinds, renamed_file: Kinds, found: &mut Found) {
        let (before_text, after_text) = (text(self.before).unwrap_or_default(), text(self.after).unwrap_or_default());
        let unsure = before_text != after_text
            && (!self.old.problems.is_empty()
                || !self.new.problems.is_empty()
                || self.old.reads_otherwise
                || self.new.reads_otherwise);
        let unknown = if unsure { Kinds::UNKNOWN } else { Kinds::empty() };
        self.pair_by_name();
        if !unsure {
            self.pair_renamed();
        }
        let paired: BTreeSet<usize> = self.pairs.values().copied().collect();
        let mut any = false;
        let has_script_settings = LazyCell::new(|| [before_text, after_text].iter().any(|text| text.contains("# ///")));
        for (after, before) in self.pairs.clone() {
            let mut kinds = differences(&self.old.digests[before], &self.new.digests[after]);
            if self.reordered(before, after) {
                kinds |= Kinds::BODY;
            }
            let (added, removed) =
                (self.added.remove(&after).unwrap_or_default(), self.removed.remove(&before).unwrap_or_default());
            // The line of a renamed part holds its name.
            if kinds.is_empty() && !(added.is_empty() && removed.is_empty()) && !self.renamed.contains(&after) {
                kinds = Kinds::FORMAT;
            }
            // Inside a comment block that a tool reads as a script's settings, comments are code.
            if kinds.contains(Kinds::COMMENT) && *has_script_settings {
                kinds |= Kinds::BODY;
            }
            if self.renamed.contains(&after) {
                kinds |= Kinds::RENAMED;
            }
            kinds |= renamed_file;
            if after == 0 {
                kinds |= mode | unknown;
                // Whether a tool wrote the file is told by its first lines, comments and docstring included.
                if self.old.outline.generated != self.new.outline.generated {
                    kinds |= Kinds::BODY;
                }
                // Line ends, which no line of the diff shows.
                let ends = |text: &str| (text.matches("\r\n").count(), text.ends_with('\n'));
                if kinds.is_empty() && ends(before_text) != ends(after_text) {
                    kinds = Kinds::FORMAT;
                }
            }
            if !kinds.is_empty() {
                any = true;
                let (before, after) = (self.key_before(before), self.key_after(after));
                found.push(Some(before), Some(after), kinds | unknown, added, removed);
            }
        }
        for (index, part) in self.old.outline.parts.iter().enumerate().filter(|(index, _)| !paired.contains(index)) {
            found.gone.push(Single {
                key: key(&self.before.path, self.old, part),
                digests: self.old.digests[index],
                lines: self.removed.remove(&index).unwrap_or_default(),
                unsure,
            });
            any = true;
        }
        for (index, part) in
            self.new.outline.parts.iter().enumerate().filter(|(index, _)| !self.pairs.contains_key(index))
        {
            found.come.push(Single {
                key: key(&self.after.path, self.new, part),
                digests: self.new.digests[index],
                lines: self.added.remove(&index).unwrap_or_default(),
                unsure,
            });
            any = true;
        }
        if !any {
            // Two equal sides are listed for a reason that is not told.
            found.push(Some(self.key_before(0)), Some(self.key_after(0)), Kinds::UNKNOWN, Vec::new(), Vec::new());
        }
    }

    fn key_before(&self, index: usize) -> PartKey {
        key(&self.before.path, self.old, &self.old.outline.parts[index])
    }

    fn key_after(&self, index: usize) -> PartKey {
        key(&self.after.path, self.new, &self.new.outline.parts[index])
    }

    /// Equal names and kinds; of several definitions of one name, equal ones first.
    fn pair_by_name(&mut self) {
        type Groups<'n> = BTreeMap<(&'n str, PartKind), (Vec<usize>, Vec<usize>)>;
        let mut groups = Groups::new();
        for (index, part) in self.old.outline.parts.iter().enumerate() {
            groups.entry((self.old.outline.name(part.local_name), part.kind)).or_default().0.push(index);
        }
        for (index, part) in self.new.outline.parts.iter().enumerate() {
            groups.entry((self.new.outline.name(part.local_name), part.kind)).or_default().1.push(index);
        }
        for (mut old, mut new) in groups.into_values() {
            if old.len() != new.len() {
                let mut equal: BTreeMap<[u8; 16], Vec<usize>> = BTreeMap::new();
                for index in old.iter().rev() {
                    equal.entry(self.old.digests[*index].body).or_default().push(*index);
                }
                new.retain(|after| {
                    let digests = &self.new.digests[*after];
                    let twin = equal.get_mut(&digests.body).and_then(Vec::pop);
                    if let Some(before) = twin {
                        self.pairs.insert(*after, before);
                    }
                    twin.is_none()
                });
                let taken: BTreeSet<usize> = self.pairs.values().copied().collect();
                old.retain(|before| !taken.contains(before));
            }
            self.pairs.extend(new.into_iter().zip(old));
        }
    }

    /// Renamed in place: an equal body under another name where there is exactly one of each; what is inside follows.
    fn pair_renamed(&mut self) {
        let taken: BTreeSet<usize> = self.pairs.values().copied().collect();
        type Bodies = BTreeMap<(PartKind, [u8; 16]), (Vec<usize>, Vec<usize>)>;
        let mut bodies = Bodies::new();
        for (index, part) in self.old.outline.parts.iter().enumerate().filter(|(index, _)| !taken.contains(index)) {
            bodies.entry((part.kind, self.old.digests[index].body)).or_default().0.push(index);
        }
        for (index, part) in
            self.new.outline.parts.iter().enumerate().filter(|(index, _)| !self.pairs.contains_key(index))
        {
            bodies.entry((part.kind, self.new.digests[index].body)).or_default().1.push(index);
        }
        let mut renamed: Vec<(usize, usize)> = bodies
            .into_values()
            .filter_map(|(old, new)| match (old.as_slice(), new.as_slice()) {
                ([old], [new]) => Some((*old, *new)),
                _ => None,
            })
            .collect();
        renamed.sort_unstable();
        let mut taken = taken;
        // A bound for files with thousands of renamed parts; the rest counts as removed and added.
        let mut budget = 2_000_usize;
        while let Some((old, new)) = renamed.pop() {
            if self.pairs.contains_key(&new) || taken.contains(&old) || budget == 0 {
                continue;
            }
            budget -= 1;
            self.pairs.insert(new, old);
            self.renamed.insert(new);
            taken.insert(old);
            let inside = &self.new_inside[new];
            for before in self.old_inside[old].iter().copied() {
                let part = &self.old.outline.parts[before];
                let name = self.old.outline.name(part.name);
                let twin = inside.iter().copied().find(|after| {
                    let other = &self.new.outline.parts[*after];
                    other.kind == part.kind
                        && self.new.outline.name(other.name) == name
                        && self.new.digests[*after].body == self.old.digests[before].body
                        && !self.pairs.contains_key(after)
                });
                if let Some(after) = twin {
                    renamed.push((before, after));
                }
            }
        }
    }

    /// Nested parts stand in another order, or elsewhere between the statements: what runs when may differ.
    fn reordered(&self, before: usize, after: usize) -> bool {
        let (old, new) = (&self.old.digests[before], &self.new.digests[after]);
        if old.body == new.body || old.body_alone != new.body_alone {
            return false;
        }
        let (old_inside, new_inside) = (&self.old_inside[before], &self.new_inside[after]);
        let common: Vec<usize> = new_inside.iter().filter_map(|index| self.pairs.get(index).copied()).collect();
        let stayed: BTreeSet<usize> = common.iter().copied().collect();
        let same_order = old_inside.iter().filter(|index| stayed.contains(index)).eq(common.iter());
        if !same_order {
            return true;
        }
        let renamed_inside = new_inside.iter().any(|index| self.renamed.contains(index));
        if old_inside.len() == common.len() && new_inside.len() == common.len() && !renamed_inside {
            // The same parts in the same order, yet another body: they stand elsewhere between the statements.
            return true;
        }
        // Something came or went as well. Whatever moved shows as removed and added lines of a part that is equal.
        let moved = |index: usize| {
            let Some(before) = self.pairs.get(&index) else { return false };
            self.old.digests[*before] == self.new.digests[index]
                && (self.added.contains_key(&index) || self.removed.contains_key(before))
        };
        new_inside.iter().copied().any(moved) || self.removed.contains_key(&before) && self.added.contains_key(&after)
    }
}
