//! Edges in a row per file: those that start in it, and those that end in it.

use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};

use super::build;
use super::chunks::Chunks;
use super::image::KeptRows;
use super::{ModelLiteral, Nodes, Unresolved};
use crate::code::{Dependent, Edge, EdgeKind, Evidence, FileId, Part, PartId};
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
        let incoming = Incoming::new(nodes, Arc::new(Ends::of(nodes, &rows)));
        Self { incoming, rows: LazyRows::known(rows.into_iter().collect()) }
    }

    /// From all edges by their ends, and where the rows are.
    pub(super) fn kept(nodes: &Nodes, ends: Ends, kept: KeptRows) -> Self {
        let rows = Arc::new(LazyRows { rows: OnceLock::new(), kept: Some(kept) });
        Self { incoming: Incoming::new(nodes, Arc::new(ends)), rows }
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
        let own = nodes.file(file).parts.clone();
        for target in touched {
            let parts = &nodes.file(target).parts;
            let before = self.incoming.of_file(target, parts);
            let kept = before.iter().filter(|edge| !own.contains(&edge.from.0)).copied();
            let mut added: Vec<Edge> =
                new.out.edges.iter().filter(|edge| parts.contains(&edge.to.0)).copied().collect();
            added.sort_unstable_by_key(by_end);
            let edges = merged(kept, added, before.len());
            if *edges != *before {
                incoming.set(nodes, target, edges);
            }
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
    pub(super) fn incoming(&self, part: &Part, id: PartId) -> &[Edge] {
        self.incoming.of(part, id)
    }

    /// Every edge by its end, and how many end at each part; none of them was edited since they were all read.
    pub(super) fn ends<'a>(&'a self, nodes: &'a Nodes) -> impl Iterator<Item = &'a [Edge]> {
        nodes.part_ids().map(|id| self.incoming.of(nodes.part(id), id))
    }

    /// The parts at which edges start that end in a file.
    pub(super) fn sources(&self, nodes: &Nodes, file: FileId) -> impl Iterator<Item = PartId> {
        self.incoming.of_file(file, &nodes.file(file).parts).iter().map(|edge| edge.from)
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

/// All edges of a tree by the part at their end, then by start and kind.
#[derive(Debug, Default)]
pub(super) struct Ends {
    edges: Vec<Edge>,
    /// `edges[starts[n]..starts[n + 1]]` end at part `n`.
    starts: Vec<u32>,
}

impl Ends {
    /// The edges of the parts in order, and where those of each part begin: one more than there are parts.
    pub(super) fn new(edges: Vec<Edge>, starts: Vec<u32>) -> Self {
        Self { edges, starts }
    }

    fn of(nodes: &Nodes, rows: &[Arc<Row>]) -> Self {
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
        Self { edges, starts }
    }

    /// Those from classes to what they inherit, by start and end.
    pub(super) fn bases(&self) -> Vec<Edge> {
        let mut bases: Vec<Edge> = self.edges.iter().filter(build::is_base).copied().collect();
        bases.sort_unstable_by_key(|edge| (edge.from, edge.to));
        bases
    }

    /// Those that end in a run of parts.
    fn among(&self, parts: Range<u32>) -> &[Edge] {
        match (self.starts.get(parts.start as usize), self.starts.get(parts.end as usize)) {
            (Some(&start), Some(&end)) => self.edges.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// The edges that end at each part: as all were read at once, and by file where they became others since.
#[derive(Debug, Clone)]
struct Incoming {
    all: Arc<Ends>,
    edited: Chunks<Option<Arc<ByPart>>>,
}

impl Incoming {
    fn new(nodes: &Nodes, all: Arc<Ends>) -> Self {
        Self { all, edited: nodes.files().iter().map(|_| None).collect() }
    }

    fn edited(&self, file: FileId) -> Option<&ByPart> {
        self.edited.get(file.0 as usize)?.as_deref()
    }

    fn of(&self, part: &Part, id: PartId) -> &[Edge] {
        match self.edited(part.file) {
            Some(edited) => edited.of(part.ordinal),
            None => self.all.among(id.0..id.0 + 1),
        }
    }

    fn of_file(&self, file: FileId, parts: &Range<u32>) -> &[Edge] {
        match self.edited(file) {
            Some(edited) => &edited.edges,
            None => self.all.among(parts.clone()),
        }
    }

    /// Edges that are again those that were read at first leave no trace.
    fn set(&mut self, nodes: &Nodes, file: FileId, edges: Vec<Edge>) {
        let is_edited = *edges != *self.all.among(nodes.file(file).parts.clone());
        let edited = is_edited.then(|| Arc::new(ByPart::new(nodes, file, edges, |edge| edge.to.0)));
        self.edited.set(file.0 as usize, edited);
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
