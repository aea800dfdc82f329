//! Edges in a row per file: what starts in it. By their ends they lie elsewhere ([`ends`](super::ends)).

use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};

use super::build;
use super::chunks::Chunks;
use super::ends::{Ends, EndsOf, Incoming};
use super::image::KeptRows;
use super::{ModelLiteral, Nodes, Unresolved};
use crate::code::{Dependent, Edge, FileId, Part, PartId};
use crate::resolve::visits::Mark;
use crate::resolve::{Asked, Demand, Links};

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

/// Edges sorted by the part at which they start, and where each part's begin.
#[derive(Debug, Default, PartialEq)]
struct ByPart {
    edges: Edges,
    /// `edges[starts[n]..starts[n + 1]]` are those of the file's part `n`.
    starts: Box<[u32]>,
}

impl ByPart {
    fn new(nodes: &Nodes, file: FileId, edges: impl Into<Edges>) -> Self {
        let edges = edges.into();
        let parts = &nodes.file(file).parts;
        let mut starts = vec![0u32; parts.len() + 1];
        for edge in edges.iter() {
            starts[(edge.from.0 - parts.start) as usize + 1] += 1;
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
    pub(super) asked: Box<[Asked]>,
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
            out: ByPart::new(nodes, file, edges),
            given,
            unresolved: links.unresolved.into(),
            demands: links.demands.into(),
            asked: links.asked.into(),
            models: links.models.into(),
            dependents: links.dependents.into(),
            visits: links.visits.map(Into::into),
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
        let mut asked: Vec<Asked> = self.asked.iter().map(|asked| asked.renumbered(&of)).collect::<Option<_>>()?;
        asked.sort_unstable();
        Some(Self {
            out: ByPart::new(nodes, file, edges),
            given: renumbered(&self.given)?.into(),
            unresolved: unresolved.collect::<Option<_>>()?,
            demands: demands.into(),
            asked: asked.into(),
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
        asked: Vec<Asked>,
        models: Box<[ModelLiteral]>,
        dependents: Box<[Dependent]>,
    ) -> Self {
        Self {
            out: ByPart::new(nodes, file, edges),
            given: given.into(),
            unresolved,
            demands: demands.into(),
            asked: asked.into(),
            models,
            dependents,
            visits: None,
        }
    }
}

/// Every edge of a graph, by file.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    rows: Arc<LazyRows>,
    incoming: Incoming,
}

/// The rows of all files. Of a graph that was recalled they are read when somebody asks for one: what a change reaches is
/// told from the edges that end in parts.
#[derive(Debug)]
struct LazyRows {
    rows: OnceLock<Chunks<Arc<Row>>>,
    kept: Option<KeptRows>,
}

impl LazyRows {
    fn known(rows: Chunks<Arc<Row>>) -> Arc<Self> {
        Arc::new(Self { rows: rows.into(), kept: None })
    }

    fn get(&self) -> &Chunks<Arc<Row>> {
        self.rows.get_or_init(|| self.kept.as_ref().map(KeptRows::load).unwrap_or_default())
    }
}

impl Rows {
    /// From the rows of every file in order.
    pub(super) fn of(nodes: &Nodes, rows: Vec<Arc<Row>>) -> Self {
        Self {
            incoming: Incoming::new(nodes, Ends::of(nodes, &rows)),
            rows: LazyRows::known(rows.into_iter().collect()),
        }
    }

    /// From all edges by their ends, and where the rows are.
    pub(super) fn kept(nodes: &Nodes, ends: Ends, kept: KeptRows) -> Self {
        let rows = Arc::new(LazyRows { rows: OnceLock::new(), kept: Some(kept) });
        Self { incoming: Incoming::new(nodes, ends), rows }
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
        let mut incoming = self.incoming.clone();
        for target in touched {
            incoming.replace(nodes, target, file, &new.out.edges);
        }
        let mut rows = self.rows.get().clone();
        rows.set_like(file.0 as usize, Arc::new(new), first.rows.get());
        Some(Self { rows: LazyRows::known(rows), incoming })
    }

    /// With rows in place of those that say the same.
    pub(super) fn instead(&self, rows: Vec<Arc<Row>>) -> Self {
        Self { rows: LazyRows::known(rows.into_iter().collect()), incoming: self.incoming.clone() }
    }

    /// Files whose row another graph does not share.
    pub(super) fn not_shared_with(&self, other: &Self) -> Vec<FileId> {
        if Arc::ptr_eq(&self.rows, &other.rows) {
            return Vec::new();
        }
        self.rows.get().not_shared_with(other.rows.get()).map(|file| FileId(file as u32)).collect()
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
        self.rows.get().get(file.0 as usize)
    }

    /// Whether it is known of every row what its look-ups came by.
    pub(super) fn are_traced(&self) -> bool {
        // Of what comes from disk it is not known, and need not be read to know that.
        let is_unread = self.rows.kept.is_some() && self.rows.rows.get().is_none();
        !is_unread && self.rows.get().iter().all(|row| row.visits.is_some())
    }

    /// Edges that start at a part of a file.
    pub(super) fn out(&self, file: FileId, ordinal: u32) -> &[Edge] {
        self.row(file).map_or(&[], |row| row.out.of(ordinal))
    }

    /// Edges that end at a part, by start and kind.
    pub(super) fn incoming(&self, part: &Part, id: PartId) -> EndsOf<'_> {
        self.incoming.of(part, id)
    }

    /// Every edge, and how many end at each part; in order of parts.
    pub(super) fn ends<'a>(&'a self, nodes: &'a Nodes) -> impl Iterator<Item = EndsOf<'a>> {
        nodes.part_ids().map(|id| self.incoming.of(nodes.part(id), id))
    }

    /// Those from classes to what they inherit, told by their ends.
    pub(super) fn bases(&self, nodes: &Nodes) -> Vec<Edge> {
        self.ends(nodes).flat_map(EndsOf::iter).filter(|edge| build::is_base(&edge)).collect()
    }

    /// The parts at which edges start that end in a file.
    pub(super) fn sources(&self, nodes: &Nodes, file: FileId) -> impl Iterator<Item = PartId> {
        self.incoming.sources(nodes, file)
    }

    /// Every edge, by start, end and kind.
    pub(super) fn all(&self) -> impl Iterator<Item = &Edge> {
        self.rows.get().iter().flat_map(|row| row.edges())
    }

    /// Every import that led nowhere, by place.
    pub(super) fn unresolved(&self) -> impl Iterator<Item = &Unresolved> {
        self.rows.get().iter().flat_map(|row| &row.unresolved)
    }

    /// Every literal that names a model, in order of files.
    pub(super) fn models(&self) -> impl Iterator<Item = &ModelLiteral> {
        self.rows.get().iter().flat_map(|row| &row.models)
    }

    /// Every part that hangs on a folder, in order of files.
    pub(super) fn dependents(&self) -> impl Iterator<Item = &Dependent> {
        self.rows.get().iter().flat_map(|row| &row.dependents)
    }
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
