//! Edges by the part at which they end: all of a tree side by side, eight bytes each, and by file where they became others
//! since. In memory they lie as they do in an [image](super::image), so that nothing is done to those that are recalled.

use std::ops::Range;
use std::sync::Arc;

use super::Nodes;
use super::chunks::Chunks;
use super::rows::Row;
use crate::code::{Edge, EdgeKind, Evidence, FileId, Part, PartId};

/// An edge without its end: where it starts, its site, and what it says in the lowest bits of that. A file that is parsed
/// has far fewer sites than there is room for.
pub(super) type End = [u8; 8];

const SAID: u32 = 6;
const MOST_SITE: u32 = u32::MAX >> SAID;

/// Every pattern of the bits of an evidence is one.
const EVIDENCE: [Evidence; 8] = {
    let [a, b, c, d, e, f, g] = Evidence::ALL;
    [a, b, c, d, e, f, g, Evidence::Guess]
};

fn packed(edge: &Edge) -> End {
    let said = edge.kind as u32 | (edge.evidence as u32) << 2 | u32::from(edge.type_only) << 5;
    let (from, said) = (edge.from.0.to_le_bytes(), (edge.site.min(MOST_SITE) << SAID | said).to_le_bytes());
    [from[0], from[1], from[2], from[3], said[0], said[1], said[2], said[3]]
}

fn unpacked(end: End, to: PartId) -> Edge {
    let said = u32::from_le_bytes([end[4], end[5], end[6], end[7]]);
    Edge {
        from: start_of(end),
        to,
        kind: EdgeKind::ALL[(said & 3) as usize],
        evidence: EVIDENCE[(said >> 2 & 7) as usize],
        site: said >> SAID,
        type_only: said >> 5 & 1 != 0,
    }
}

fn start_of(end: End) -> PartId {
    PartId(u32::from_le_bytes([end[0], end[1], end[2], end[3]]))
}

/// The edges that end at one part, by start and kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct EndsOf<'a> {
    ends: &'a [End],
    part: PartId,
}

impl<'a> EndsOf<'a> {
    pub(super) fn len(self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Edge> + 'a {
        self.ends.iter().map(move |end| unpacked(*end, self.part))
    }

    /// As they lie in memory and in an image.
    pub(super) fn bytes(self) -> &'a [u8] {
        self.ends.as_flattened()
    }
}

/// All edges of a tree by the part at their end, then by start and kind.
#[derive(Debug, Default)]
pub(super) struct Ends {
    ends: Vec<End>,
    /// `ends[starts[n]..starts[n + 1]]` end at part `n`.
    starts: Vec<u32>,
}

impl Ends {
    /// The edges of the parts in order, and where those of each part begin: one more than there are parts. `None` where one
    /// starts at no part.
    pub(super) fn recalled(ends: Vec<End>, starts: Vec<u32>) -> Option<Self> {
        let last = ends.iter().map(|end| start_of(*end)).max();
        last.is_none_or(|last| (last.0 as usize) + 1 < starts.len()).then_some(Self { ends, starts })
    }

    pub(super) fn of(nodes: &Nodes, rows: &[Arc<Row>]) -> Self {
        // Rows come in the order of starts, so edges that are laid out by their ends alone lie in the order of starts there.
        let mut starts = vec![0u32; nodes.len() + 1];
        for edge in rows.iter().flat_map(|row| row.edges()) {
            starts[edge.to.0 as usize + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let mut next = starts.clone();
        let mut ends = vec![End::default(); starts[nodes.len()] as usize];
        for edge in rows.iter().flat_map(|row| row.edges()) {
            let slot = &mut next[edge.to.0 as usize];
            ends[*slot as usize] = packed(edge);
            *slot += 1;
        }
        Self { ends, starts }
    }

    /// Those that end in a run of parts.
    fn among(&self, parts: Range<u32>) -> &[End] {
        match (self.starts.get(parts.start as usize), self.starts.get(parts.end as usize)) {
            (Some(&start), Some(&end)) => self.ends.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Whether just these edges end in a run of parts.
    fn holds(&self, parts: &Range<u32>, edges: &OfFile) -> bool {
        let starts = self.starts.get(parts.start as usize..=parts.end as usize).unwrap_or_default();
        let first = starts.first().copied().unwrap_or_default();
        let are_shared_out_alike = || starts.iter().map(|start| start - first).eq(edges.starts.iter().copied());
        *edges.ends == *self.among(parts.clone()) && are_shared_out_alike()
    }
}

/// The edges that end in one file.
#[derive(Debug, PartialEq)]
struct OfFile {
    ends: Box<[End]>,
    /// `ends[starts[n]..starts[n + 1]]` end at the file's part `n`.
    starts: Box<[u32]>,
}

impl OfFile {
    /// The edges are sorted by end and start.
    fn new(parts: &Range<u32>, edges: &[Edge]) -> Self {
        let starts = (parts.start..=parts.end).map(|part| edges.partition_point(|edge| edge.to.0 < part) as u32);
        Self { starts: starts.collect(), ends: edges.iter().map(packed).collect() }
    }

    fn of(&self, ordinal: u32) -> &[End] {
        match (self.starts.get(ordinal as usize), self.starts.get(ordinal as usize + 1)) {
            (Some(&start), Some(&end)) => &self.ends[start as usize..end as usize],
            _ => &[],
        }
    }
}

/// The edges that end at each part: as all were read at once, and by file where they became others since.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    all: Arc<Ends>,
    edited: Chunks<Option<Arc<OfFile>>>,
    /// Some file's were edited at some time: walks ask of each part, and most trees were not edited.
    is_edited: bool,
}

impl Incoming {
    pub(super) fn new(nodes: &Nodes, all: Ends) -> Self {
        Self { all: Arc::new(all), edited: nodes.files().iter().map(|_| None).collect(), is_edited: false }
    }

    fn edited(&self, file: FileId) -> Option<&OfFile> {
        if !self.is_edited {
            return None;
        }
        self.edited.get(file.0 as usize)?.as_deref()
    }

    pub(super) fn of(&self, part: &Part, id: PartId) -> EndsOf<'_> {
        let ends = match self.edited(part.file) {
            Some(edited) => edited.of(part.ordinal),
            None => self.all.among(id.0..id.0 + 1),
        };
        EndsOf { ends, part: id }
    }

    fn ends_of_file(&self, file: FileId, parts: &Range<u32>) -> &[End] {
        match self.edited(file) {
            Some(edited) => &edited.ends,
            None => self.all.among(parts.clone()),
        }
    }

    /// The parts at which edges start that end in a file.
    pub(super) fn sources(&self, nodes: &Nodes, file: FileId) -> impl Iterator<Item = PartId> {
        self.ends_of_file(file, &nodes.file(file).parts).iter().map(|end| start_of(*end))
    }

    /// Puts the edges from one file that end in another in place of those before; edges that end elsewhere are not looked
    /// at. What is again as it was read at first leaves no trace.
    pub(super) fn replace(&mut self, nodes: &Nodes, target: FileId, source: FileId, edges: &[Edge]) {
        let (parts, own) = (&nodes.file(target).parts, &nodes.file(source).parts);
        let before = self.ends_of_file(target, parts);
        let known = parts.clone().map(PartId).flat_map(|part| self.of(nodes.part(part), part).iter());
        let kept = known.filter(|edge| !own.contains(&edge.from.0));
        let mut added: Vec<Edge> = edges.iter().filter(|edge| parts.contains(&edge.to.0)).copied().collect();
        added.sort_unstable_by_key(by_end);
        let edges = OfFile::new(parts, &merged(kept, added, before.len()));
        let edited = Some(edges).filter(|edges| !self.all.holds(parts, edges));
        if edited.as_ref() != self.edited(target) {
            self.edited.set(target.0 as usize, edited.map(Arc::new));
            self.is_edited = true;
        }
    }
}

/// The order of incoming edges.
fn by_end(edge: &Edge) -> (PartId, PartId, EdgeKind) {
    (edge.to, edge.from, edge.kind)
}

/// Two sorted runs as one: a file that everything uses has very many edges, which are not sorted again for each edit.
fn merged(kept: impl Iterator<Item = Edge>, added: Vec<Edge>, room: usize) -> Vec<Edge> {
    let mut edges = Vec::with_capacity(room + added.len());
    let mut added = added.into_iter().peekable();
    for edge in kept {
        while let Some(next) = added.next_if(|next| by_end(next) < by_end(&edge)) {
            edges.push(next);
        }
        edges.push(edge);
    }
    edges.extend(added);
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_comes_back_as_it_was() {
        for (kind, evidence) in
            EdgeKind::ALL.into_iter().flat_map(|kind| Evidence::ALL.map(|evidence| (kind, evidence)))
        {
            for (from, site, type_only) in [(0, 0, false), (7, 70_000, true), (u32::MAX - 1, MOST_SITE, false)] {
                let edge = Edge { from: PartId(from), to: PartId(9), kind, evidence, site, type_only };
                assert_eq!(unpacked(packed(&edge), PartId(9)), edge);
                let far = Edge { site: u32::MAX, ..edge };
                assert_eq!(unpacked(packed(&far), PartId(9)), Edge { site: MOST_SITE, ..edge });
            }
        }
    }
}
