//! Edges in a row per file: those that start in it, and those that end in it.

use std::ops::{Deref, Range};
use std::sync::Arc;

use super::chunks::Chunks;
use super::{FileNode, ModelLiteral, Nodes, Unresolved};
use crate::code::{Dependent, Edge, EdgeKind, Evidence, FileId, PartId};
use crate::resolve::visits::Mark;
use crate::resolve::{Demand, Links};

/// Edges that stand side by side: those of one file, among those of all files where all were read at once.
#[derive(Debug, Default)]
pub(super) struct Edges {
    among: Arc<Vec<Edge>>,
    range: Range<usize>,
}

impl Edges {
    /// Some of these; the range is one of theirs.
    pub(super) fn among(all: &Arc<Vec<Edge>>, range: Range<usize>) -> Self {
        Self { among: Arc::clone(all), range }
    }
}

impl From<Vec<Edge>> for Edges {
    fn from(edges: Vec<Edge>) -> Self {
        Self { range: 0..edges.len(), among: Arc::new(edges) }
    }
}

impl Deref for Edges {
    type Target = [Edge];

    fn deref(&self) -> &[Edge] {
        &self.among[self.range.clone()]
    }
}

impl PartialEq for Edges {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// Edges sorted by the part at one end, and where each part's begin.
#[derive(Debug, Default, PartialEq)]
struct ByPart {
    edges: Edges,
    /// `edges[starts[n]..starts[n + 1]]` are those of the file's part `n`.
    starts: Box<[u32]>,
}

impl ByPart {
    /// `end` names the part of an edge; the edges are sorted by it.
    fn new(nodes: &Nodes, file: FileId, edges: impl Into<Edges>, end: impl Fn(&Edge) -> u32) -> Self {
        let edges = edges.into();
        let parts = &nodes.file(file).parts;
        let mut starts = vec![0u32; parts.len() + 1];
        for edge in edges.iter() {
            starts[(end(edge) - parts.start) as usize + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        Self { edges, starts: starts.into() }
    }

    fn of(&self, ordinal: u32) -> &[Edge] {
        let ordinal = ordinal as usize;
        match (self.starts.get(ordinal), self.starts.get(ordinal + 1)) {
            (Some(&start), Some(&end)) => &self.edges[start as usize..end as usize],
            _ => &[],
        }
    }
}

/// What starts in one file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Row {
    out: ByPart,
    /// Edges from here that other files ask for: from a method to its many overrides.
    pub(super) given: Box<[Edge]>,
    pub(super) unresolved: Box<[Unresolved]>,
    pub(super) demands: Box<[Demand]>,
    pub(super) models: Box<[ModelLiteral]>,
    pub(super) dependents: Box<[Dependent]>,
    /// What the look-ups of the file came by in others, sorted; `None` where that is not known.
    pub(super) visits: Option<Arc<[Mark]>>,
}

impl Row {
    /// Edges that start in the file.
    pub(super) fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.out.edges.iter()
    }

    pub(super) fn new(nodes: &Nodes, file: FileId, links: Links, given: Box<[Edge]>) -> Self {
        let mut edges = links.edges;
        edges.extend_from_slice(&given);
        // A part that names itself says nothing. One edge for two ends and a kind: what runs before what is only for types,
        // then the surest evidence.
        edges.retain(|edge| edge.from != edge.to);
        edges.sort_unstable_by_key(|edge| (edge.from, edge.to, edge.kind, edge.type_only, edge.evidence, edge.site));
        edges.dedup_by_key(|edge| (edge.from, edge.to, edge.kind));
        Self {
            out: ByPart::new(nodes, file, edges, |edge| edge.from.0),
            given,
            unresolved: links.unresolved.into(),
            demands: links.demands.into(),
            models: links.models.into(),
            dependents: links.dependents.into(),
            visits: Some(links.visits.into()),
        }
    }

    /// The row with other numbers of parts; `None` where it names one that has none.
    pub(super) fn renumbered(
        &self,
        nodes: &Nodes,
        file: FileId,
        of: impl Fn(PartId) -> Option<PartId>,
    ) -> Option<Self> {
        let renumbered = |edges: &[Edge]| -> Option<Vec<Edge>> {
            edges.iter().map(|edge| Some(Edge { from: of(edge.from)?, to: of(edge.to)?, ..*edge })).collect()
        };
        let mut edges = renumbered(&self.out.edges)?;
        // The parts of the edited file may stand in another order.
        edges.sort_unstable_by_key(|edge| (edge.from, edge.to, edge.kind));
        let unresolved = self.unresolved.iter().map(|one| Some(Unresolved { part: of(one.part)?, ..one.clone() }));
        let models = self.models.iter().map(|(name, part, site)| Some((Arc::clone(name), of(*part)?, *site)));
        let dependents = self.dependents.iter().map(|one| Some(Dependent { part: of(one.part)?, ..one.clone() }));
        let mut demands: Vec<Demand> =
            self.demands.iter().map(|demand| demand.renumbered(&of)).collect::<Option<_>>()?;
        demands.sort_unstable();
        Some(Self {
            out: ByPart::new(nodes, file, edges, |edge| edge.from.0),
            given: renumbered(&self.given)?.into(),
            unresolved: unresolved.collect::<Option<_>>()?,
            demands: demands.into(),
            models: models.collect::<Option<_>>()?,
            dependents: dependents.collect::<Option<_>>()?,
            visits: self.visits.clone(),
        })
    }

    /// A row as it was: its edges are sorted and free of doubles, those given by others among them.
    #[expect(clippy::too_many_arguments, reason = "the fields of a row, each once")]
    pub(super) fn recalled(
        nodes: &Nodes,
        file: FileId,
        edges: Edges,
        given: Vec<Edge>,
        unresolved: Box<[Unresolved]>,
        demands: Vec<Demand>,
        models: Box<[ModelLiteral]>,
        dependents: Box<[Dependent]>,
    ) -> Self {
        Self {
            out: ByPart::new(nodes, file, edges, |edge| edge.from.0),
            given: given.into(),
            unresolved,
            demands: demands.into(),
            models,
            dependents,
            visits: None,
        }
    }
}

/// Every edge of a graph, by file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    rows: Chunks<Arc<Row>>,
    incoming: Chunks<Arc<ByPart>>,
}

impl Rows {
    /// From the links of every file in order, and the edges that files are given by others.
    pub(crate) fn new(nodes: &Nodes, links: Vec<Links>, mut given: impl FnMut(FileId) -> Vec<Edge>) -> Self {
        let rows: Vec<Row> =
            nodes.file_ids().zip(links).map(|(file, links)| Row::new(nodes, file, links, given(file).into())).collect();
        Self::of(nodes, rows.into_iter().map(Arc::new).collect())
    }

    /// From the rows of every file in order.
    pub(super) fn of(nodes: &Nodes, rows: Vec<Arc<Row>>) -> Self {
        let incoming = incoming(nodes, &rows);
        Self { incoming, rows: rows.into_iter().collect() }
    }

    /// With other links of one file; `None` where they ask other files for something else than before. What is again as in
    /// `first`, the rows of before all edits, is shared with it: edits that were taken back leave no trace.
    pub(crate) fn with(&self, nodes: &Nodes, file: FileId, links: Links, first: &Self) -> Option<Self> {
        let old = self.row(file)?;
        if *old.demands != *links.demands {
            return None;
        }
        let new = Row::new(nodes, file, links, old.given.clone());
        let mut touched: Vec<FileId> = Vec::new();
        for row in [&**old, &new] {
            touched.extend(row.out.edges.iter().map(|edge| nodes.part(edge.to).file));
        }
        touched.sort_unstable();
        touched.dedup();
        let mut rows = self.clone();
        let own = nodes.file(file).parts.clone();
        for target in touched {
            let before = self.incoming.get(target.0 as usize)?;
            let ends_here = |edge: &&Edge| nodes.part(edge.to).file == target;
            let kept = before.edges.iter().filter(|edge| !own.contains(&edge.from.0)).copied();
            let mut added: Vec<Edge> = new.out.edges.iter().filter(ends_here).copied().collect();
            added.sort_unstable_by_key(by_end);
            let edges = merged(kept, added, before.edges.len());
            if *edges != *before.edges {
                let incoming = Arc::new(ByPart::new(nodes, target, edges, |edge| edge.to.0));
                rows.incoming.set_like(target.0 as usize, incoming, &first.incoming);
            }
        }
        rows.rows.set_like(file.0 as usize, Arc::new(new), &first.rows);
        Some(rows)
    }

    /// The same as where nobody knows what look-ups came by.
    pub(super) fn untraced(&self, nodes: &Nodes) -> Option<Self> {
        let untraced = |(file, row): (FileId, &Arc<Row>)| {
            let row = row.renumbered(nodes, file, Some)?;
            Some(Arc::new(Row { visits: None, ..row }))
        };
        let rows = nodes.file_ids().zip(self.rows.iter()).map(untraced).collect::<Option<_>>()?;
        Some(Self { rows, incoming: self.incoming.clone() })
    }

    /// Files whose row another graph does not share.
    pub(super) fn not_shared_with<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = FileId> + 'a {
        self.rows.not_shared_with(&other.rows).map(|file| FileId(file as u32))
    }

    /// The edges that one has and the other has not, or knows otherwise.
    pub(super) fn changed_since(&self, before: &Self) -> Vec<Edge> {
        let mut changed = Vec::new();
        for file in self.not_shared_with(before) {
            if let (Some(new), Some(old)) = (self.row(file), before.row(file)) {
                changed.extend(only_in(&new.out.edges, &old.out.edges));
                changed.extend(only_in(&old.out.edges, &new.out.edges));
            }
        }
        changed
    }

    pub(super) fn row(&self, file: FileId) -> Option<&Arc<Row>> {
        self.rows.get(file.0 as usize)
    }

    /// Whether it is known of every row what its look-ups came by.
    pub(super) fn are_traced(&self) -> bool {
        self.rows.iter().all(|row| row.visits.is_some())
    }

    /// Edges that start at a part of a file.
    pub(super) fn out(&self, file: FileId, ordinal: u32) -> &[Edge] {
        self.row(file).map_or(&[], |row| row.out.of(ordinal))
    }

    /// Edges that end at a part of a file, by start and kind.
    pub(super) fn incoming(&self, file: FileId, ordinal: u32) -> &[Edge] {
        self.incoming.get(file.0 as usize).map_or(&[], |row| row.of(ordinal))
    }

    /// The parts at which edges start that end in a file.
    pub(super) fn sources(&self, file: FileId) -> impl Iterator<Item = PartId> {
        self.incoming.get(file.0 as usize).into_iter().flat_map(|row| row.edges.iter().map(|edge| edge.from))
    }

    /// Every edge, by start, end and kind.
    pub(super) fn all(&self) -> impl Iterator<Item = &Edge> {
        self.rows.iter().flat_map(|row| row.edges())
    }

    /// Every import that led nowhere, by place.
    pub(super) fn unresolved(&self) -> impl Iterator<Item = &Unresolved> {
        self.rows.iter().flat_map(|row| &row.unresolved)
    }

    /// Every literal that names a model, in order of files.
    pub(super) fn models(&self) -> impl Iterator<Item = &ModelLiteral> {
        self.rows.iter().flat_map(|row| &row.models)
    }

    /// Every part that hangs on a folder, in order of files.
    pub(super) fn dependents(&self) -> impl Iterator<Item = &Dependent> {
        self.rows.iter().flat_map(|row| &row.dependents)
    }
}

/// The edges that end in each file, by part, start and kind.
fn incoming(nodes: &Nodes, rows: &[Arc<Row>]) -> Chunks<Arc<ByPart>> {
    // Rows come in the order of starts, so edges that are laid out by their ends alone lie in the order of starts there.
    let mut starts = vec![0u32; nodes.len() + 1];
    for edge in rows.iter().flat_map(|row| row.edges()) {
        starts[edge.to.0 as usize + 1] += 1;
    }
    for index in 1..starts.len() {
        starts[index] += starts[index - 1];
    }
    let mut next = starts.clone();
    let blank = Edge {
        from: PartId(0),
        to: PartId(0),
        kind: EdgeKind::Imports,
        evidence: Evidence::Guess,
        site: 0,
        type_only: false,
    };
    let mut edges = vec![blank; starts[nodes.len()] as usize];
    for edge in rows.iter().flat_map(|row| row.edges()) {
        let slot = &mut next[edge.to.0 as usize];
        edges[*slot as usize] = *edge;
        *slot += 1;
    }
    let edges = Arc::new(edges);
    let of_file = |file: &FileNode| {
        let own = &starts[file.parts.start as usize..=file.parts.end as usize];
        let (first, last) = (own[0], own[own.len() - 1]);
        let edges = Edges::among(&edges, first as usize..last as usize);
        Arc::new(ByPart { edges, starts: own.iter().map(|start| start - first).collect() })
    };
    nodes.files().iter().map(of_file).collect()
}

/// Edges of one sorted list that another has not, or with other evidence.
fn only_in<'a>(edges: &'a [Edge], others: &'a [Edge]) -> impl Iterator<Item = Edge> + 'a {
    let key = |edge: &Edge| (edge.from, edge.to, edge.kind);
    let stands = move |edge: &&Edge| {
        let place = others.binary_search_by_key(&key(edge), key);
        !place.is_ok_and(|place| (others[place].evidence, others[place].type_only) == (edge.evidence, edge.type_only))
    };
    edges.iter().filter(stands).copied()
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
