//! Ways from module to module: what `forbid` and `layers` deny, and which of it the change brings.
//!
//! A rule may speak of every pair of modules, so pairs are compared as rows of bits, a block of targets at a time; edges
//! are written out for what is shown alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use grace_dsl::ast::{Forbid, Layers, NodeId, SetExpr};
use grace_graph::code::{EdgeKind, FileId, PartId, PartKey, PartKind};
use grace_graph::graph::CodeGraph;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::conds::{Conds, edge_kind, hidden_edges_of};
use crate::db::{Db, Snapshot, graph_of, renamed_paths, snapshot};
use crate::plan::{Side, Truth};
use crate::prove::site_line;
use crate::sets::{Members, is_damaged};
use crate::verdict::{EdgeHit, Hit, Trace, Verdict, Violations};

/// Targets that are looked at together: what bounds memory where every module reaches every other.
const BLOCK: usize = 2048;
/// Pairs of which each is kept; of what is beyond, one for each module that a way starts from.
const MOST_WAYS: usize = 1000;
/// Edges that are walked to write ways out; ways beyond are shown by their first edge.
const MOST_STEPS: usize = 2_000_000;

/// Edges of one kind from file to file, the first certain one of each pair, else the first.
type FileEdges = BTreeMap<FileId, BTreeMap<FileId, (bool, EdgeHit)>>;

#[salsa::tracked(returns(clone))]
fn file_edges(db: &dyn Db, side: Snapshot, kind: EdgeKind) -> Arc<FileEdges> {
    let graph = side.graph(db);
    let mut edges = FileEdges::new();
    for index in 0..graph.len() {
        let part = PartId(u32::try_from(index).unwrap_or(u32::MAX));
        if graph.part(part).kind == PartKind::File {
            continue;
        }
        for edge in graph.out_edges(part, &[kind]) {
            let (from, to) = (graph.part(edge.from).file, graph.part(edge.to).file);
            if from == to {
                continue;
            }
            let certain = edge.evidence.is_certain();
            let hit = || EdgeHit {
                from: graph.key(edge.from),
                to: graph.key(edge.to),
                kind: edge.kind,
                evidence: edge.evidence,
                site: edge.site,
            };
            let seen = edges.entry(from).or_default().entry(to).or_insert_with(|| (certain, hit()));
            if certain && !seen.0 {
                *seen = (true, hit());
            }
        }
    }
    Arc::new(edges)
}

/// Files of a set of parts, certain (true) or possible.
fn files_of(graph: &CodeGraph, members: &Members) -> BTreeMap<FileId, bool> {
    let mut files = BTreeMap::new();
    for index in members.possible.ones() {
        let part = PartId(u32::try_from(index).unwrap_or(u32::MAX));
        let certain = members.certain.contains(index);
        *files.entry(graph.part(part).file).or_insert(certain) |= certain;
    }
    files
}

/// What a `forbid` comes to.
pub(crate) fn forbid(conds: &Conds<'_>, forbid: &Forbid) -> Verdict {
    let kind = edge_kind(forbid.edge);
    let after = Ends::of(conds, forbid, Side::After, kind);
    let before = Ends::of(conds, forbid, Side::Before, kind);
    let follow = Follow::new(conds, &before.graph, &after.graph);
    let mut found = Found::new(&after, forbid);
    let targets: Vec<FileId> = after.to.keys().copied().collect();
    for block in targets.chunks(BLOCK) {
        let columns: BTreeMap<FileId, usize> = block.iter().enumerate().map(|(column, &file)| (file, column)).collect();
        let now = after.rows(forbid.through, block.len(), &columns);
        let columns: BTreeMap<FileId, usize> =
            before.to.keys().filter_map(|&file| Some((file, *columns.get(&follow.file(file)?)?))).collect();
        let mut stood: BTreeMap<FileId, Row> = BTreeMap::new();
        for (start, row) in before.rows(forbid.through, block.len(), &columns) {
            let Some(start) = follow.file(start) else { continue };
            stood.entry(start).or_insert_with(|| Row::new(block.len())).union_with(&row);
        }
        let none = Row::new(block.len());
        for (start, row) in now {
            let (new, maybe_new) = row.against(stood.get(&start).unwrap_or(&none));
            let files = |row: &FixedBitSet| row.ones().map(|column| block[column]).collect::<Vec<FileId>>();
            found.add(start, &files(&new), &files(&maybe_new));
        }
    }
    let mut violations = found.violations;
    violations.maybe_new.extend(after.hidden(conds, forbid.through));
    verdict(violations)
}

/// A pair that a `forbid` finds in a tree: module to module, and the first edge of the way.
pub(crate) struct Pair {
    pub(crate) from: Arc<str>,
    pub(crate) to: Arc<str>,
    pub(crate) path: Arc<str>,
    pub(crate) line: u32,
    pub(crate) certain: bool,
}

/// How many pairs of a `forbid` are there after the change, and the first of them.
pub(crate) fn existing(conds: &Conds<'_>, forbid: &Forbid, most: usize) -> (usize, Vec<Pair>) {
    let ends = Ends::of(conds, forbid, Side::After, edge_kind(forbid.edge));
    let graph = &ends.graph;
    let mut found = Found::new(&ends, forbid);
    let (mut count, mut pairs) = (0, Vec::new());
    let targets: Vec<FileId> = ends.to.keys().copied().collect();
    for block in targets.chunks(BLOCK) {
        let columns: BTreeMap<FileId, usize> = block.iter().enumerate().map(|(column, &file)| (file, column)).collect();
        for (start, row) in ends.rows(forbid.through, block.len(), &columns) {
            count += row.possible.count_ones(..);
            let shown = row.possible.ones().take(most.saturating_sub(pairs.len()));
            let wanted: BTreeSet<FileId> = shown.map(|column| block[column]).collect();
            let mut ways = BTreeMap::new();
            for certain_only in [true, false] {
                found.walk(start, &wanted, certain_only, &mut ways);
            }
            let name = |file| Arc::from(graph.qualified_name(graph.body_of(file)));
            for end in wanted {
                let Some(first) = ways.get(&end).and_then(|way| way.first()) else { continue };
                pairs.push(Pair {
                    from: name(start),
                    to: name(end),
                    path: first.from.path.clone(),
                    line: site_line(conds.db, &first.from.path, first.site, Side::After),
                    certain: columns.get(&end).is_some_and(|&column| row.certain.contains(column)),
                });
            }
        }
    }
    (count, pairs)
}

fn verdict(violations: Violations) -> Verdict {
    let truth = if !violations.new.is_empty() {
        Truth::Yes
    } else if !violations.maybe_new.is_empty() {
        Truth::Unknown
    } else {
        Truth::No
    };
    let hits = violations.new.iter().chain(&violations.maybe_new).cloned().collect();
    Verdict {
        truth,
        trace: Trace::leaf(NodeId(0), truth, hits),
        violations: Some(violations),
        pending: None,
        missing: Vec::new(),
        problems: Vec::new(),
    }
}

/// What files of before are after, renames followed.
struct Follow<'a> {
    renamed: Arc<BTreeMap<Arc<str>, Arc<str>>>,
    before: &'a CodeGraph,
    after: &'a CodeGraph,
}

impl<'a> Follow<'a> {
    fn new(conds: &Conds<'_>, before: &'a CodeGraph, after: &'a CodeGraph) -> Self {
        Self { renamed: renamed_paths(conds.db), before, after }
    }

    fn file(&self, file: FileId) -> Option<FileId> {
        let path = &self.before.file(file).path;
        self.after.file_by_path(self.renamed.get(path).unwrap_or(path))
    }
}

/// The files that a module reaches, as bits of a block of targets: the possible ones and, of those, the certain.
#[derive(Clone)]
struct Row {
    certain: FixedBitSet,
    possible: FixedBitSet,
}

impl Row {
    fn new(columns: usize) -> Self {
        Self { certain: FixedBitSet::with_capacity(columns), possible: FixedBitSet::with_capacity(columns) }
    }

    fn union_with(&mut self, other: &Self) {
        self.certain.union_with(&other.certain);
        self.possible.union_with(&other.possible);
    }

    /// What is new, and what may be, against what stood before. A guess that stood before as a guess is no news.
    fn against(&self, stood: &Self) -> (FixedBitSet, FixedBitSet) {
        let mut new = self.certain.clone();
        new.difference_with(&stood.possible);
        let mut surer = self.certain.clone();
        surer.intersect_with(&stood.possible);
        surer.difference_with(&stood.certain);
        let mut maybe_new = self.possible.clone();
        maybe_new.difference_with(&self.certain);
        maybe_new.difference_with(&stood.possible);
        maybe_new.union_with(&surer);
        (new, maybe_new)
    }
}

/// Both ends of a `forbid` on one side, and the edges between files.
struct Ends {
    graph: Arc<CodeGraph>,
    from: BTreeMap<FileId, bool>,
    to: BTreeMap<FileId, bool>,
    edges: Arc<FileEdges>,
    /// Files in circles as one, by certain edges and by all; empty where ways are direct.
    condensed: Option<[Condensed; 2]>,
}

impl Ends {
    fn of(conds: &Conds<'_>, forbid: &Forbid, side: Side, kind: EdgeKind) -> Self {
        let graph = graph_of(conds.db, side);
        let sets = conds.sets(side);
        let from = files_of(graph, &sets.eval(&forbid.from));
        let to = files_of(graph, &sets.eval(&forbid.to));
        let edges = file_edges(conds.db, snapshot(conds.db, side), kind);
        let condensed =
            forbid.through.then(|| [true, false].map(|certain| Condensed::of(&edges, graph.files().len(), certain)));
        Self { graph: Arc::clone(graph), from, to, edges, condensed }
    }

    /// The rows of all files of `from` that reach something.
    fn rows(&self, through: bool, width: usize, columns: &BTreeMap<FileId, usize>) -> BTreeMap<FileId, Row> {
        let mut sure_columns = FixedBitSet::with_capacity(width);
        sure_columns.extend(columns.iter().filter(|(file, _)| self.to.get(file) == Some(&true)).map(|(_, at)| *at));
        let reached = match &self.condensed {
            Some(condensed) if through => Some(condensed.each_ref().map(|condensed| condensed.reach(width, columns))),
            _ => None,
        };
        let mut rows = BTreeMap::new();
        for (&start, &start_certain) in &self.from {
            let mut row = Row::new(width);
            match (&reached, &self.condensed) {
                (Some([certain, possible]), Some([by_certain, by_any])) => {
                    row.certain.union_with(by_certain.of_file(certain, start));
                    row.possible.union_with(by_any.of_file(possible, start));
                    if let Some(&own) = columns.get(&start) {
                        row.certain.set(own, false);
                        row.possible.set(own, false);
                    }
                }
                _ => {
                    for (end, (certain, _)) in self.edges.get(&start).into_iter().flatten() {
                        if let Some(&column) = columns.get(end) {
                            row.possible.insert(column);
                            row.certain.set(column, *certain);
                        }
                    }
                }
            }
            if start_certain {
                row.certain.intersect_with(&sure_columns);
            } else {
                row.certain.clear();
            }
            if !row.possible.is_clear() {
                rows.insert(start, row);
            }
        }
        rows
    }

    /// Changed files of which something cannot be read, where that may be a step of a way.
    fn hidden(&self, conds: &Conds<'_>, through: bool) -> Vec<Hit> {
        let opaque = conds.opaque_changes();
        if opaque.is_empty() {
            return Vec::new();
        }
        let mut reached: BTreeSet<FileId> = self.from.keys().copied().collect();
        let mut queue: Vec<FileId> = if through { reached.iter().copied().collect() } else { Vec::new() };
        while let Some(file) = queue.pop() {
            let next = self.edges.get(&file).into_iter().flat_map(BTreeMap::keys);
            queue.extend(next.filter(|next| reached.insert(**next)));
        }
        // What cannot be read of a file on the way may lead to any other.
        let to_any = through && reached.iter().any(|&file| is_damaged(&self.graph, file));
        let may = |key: &PartKey| {
            self.graph.file_by_path(&key.path).is_some_and(|file| {
                (to_any || reached.contains(&file)) && self.to.keys().take(2).any(|&end| end != file)
            })
        };
        opaque.iter().filter(|key| may(key)).map(hidden_edges_of).collect()
    }
}

/// Files with every circle of them as one, so that reach is found in one pass.
struct Condensed {
    component_of: Vec<usize>,
    /// The files of each, after those that it reaches.
    components: Vec<Vec<FileId>>,
    next: Vec<BTreeSet<usize>>,
}

impl Condensed {
    fn of(edges: &FileEdges, files: usize, certain_only: bool) -> Self {
        let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(files, edges.len());
        for _ in 0..files {
            graph.add_node(());
        }
        let node = |file: FileId| NodeIndex::new(file.0 as usize);
        let followed =
            |file: &FileId| edges.get(file).into_iter().flatten().filter(|(_, (certain, _))| *certain || !certain_only);
        for from in edges.keys() {
            for (to, _) in followed(from) {
                graph.add_edge(node(*from), node(*to), ());
            }
        }
        let mut component_of = vec![0; files];
        let mut components: Vec<Vec<FileId>> = Vec::new();
        for nodes in petgraph::algo::kosaraju_scc(&graph) {
            let files: Vec<FileId> =
                nodes.into_iter().map(|node| FileId(u32::try_from(node.index()).unwrap_or(u32::MAX))).collect();
            for file in &files {
                component_of[file.0 as usize] = components.len();
            }
            components.push(files);
        }
        let next = components
            .iter()
            .map(|files| files.iter().flat_map(followed).map(|(to, _)| component_of[to.0 as usize]).collect())
            .collect();
        Self { component_of, components, next }
    }

    /// For each component the targets inside and beyond it.
    fn reach(&self, width: usize, columns: &BTreeMap<FileId, usize>) -> Vec<FixedBitSet> {
        let mut reached: Vec<FixedBitSet> = Vec::with_capacity(self.components.len());
        for (at, files) in self.components.iter().enumerate() {
            let mut row = FixedBitSet::with_capacity(width);
            row.extend(files.iter().filter_map(|file| columns.get(file)).copied());
            for &next in self.next[at].iter().filter(|&&next| next < at) {
                row.union_with(&reached[next]);
            }
            reached.push(row);
        }
        reached
    }

    fn of_file<'r>(&self, reached: &'r [FixedBitSet], file: FileId) -> &'r FixedBitSet {
        &reached[self.component_of[file.0 as usize]]
    }
}

/// Ways that the change brings, as hits.
struct Found<'a> {
    ends: &'a Ends,
    from_set: Arc<SetExpr>,
    to_set: Arc<SetExpr>,
    /// Pairs that are still kept one by one, and edges that may still be walked.
    pairs: usize,
    steps: usize,
    violations: Violations,
}

impl<'a> Found<'a> {
    fn new(ends: &'a Ends, forbid: &Forbid) -> Self {
        Self {
            ends,
            from_set: Arc::new(forbid.from.clone()),
            to_set: Arc::new(forbid.to.clone()),
            pairs: MOST_WAYS,
            steps: MOST_STEPS,
            violations: Violations::default(),
        }
    }

    fn add(&mut self, start: FileId, new: &[FileId], maybe_new: &[FileId]) {
        if new.is_empty() && maybe_new.is_empty() {
            return;
        }
        // One of each start is kept always: a waiver covers a way by where it starts.
        let most = self.pairs.max(1);
        self.pairs = self.pairs.saturating_sub(new.len().max(maybe_new.len()));
        let (new, maybe_new) = (&new[..new.len().min(most)], &maybe_new[..maybe_new.len().min(most)]);
        let wanted: BTreeSet<FileId> = new.iter().chain(maybe_new).copied().collect();
        let mut ways = BTreeMap::new();
        for certain_only in [true, false] {
            self.walk(start, &wanted, certain_only, &mut ways);
        }
        let hit = |end: &FileId, certain| Hit::Way {
            edges: ways.get(end).cloned().unwrap_or_default(),
            side: Side::After,
            from_set: self.from_set.clone(),
            to_set: self.to_set.clone(),
            certain,
        };
        self.violations.new.extend(new.iter().map(|end| hit(end, true)));
        self.violations.maybe_new.extend(maybe_new.iter().map(|end| hit(end, false)));
    }

    /// Shortest ways from a file to those that are wanted and not yet found. Beyond the bound on steps a way is its first
    /// edge, which is not looked for where it leads.
    fn walk(
        &mut self,
        start: FileId,
        wanted: &BTreeSet<FileId>,
        certain_only: bool,
        ways: &mut BTreeMap<FileId, Vec<EdgeHit>>,
    ) {
        let edges = &self.ends.edges;
        let mut left = wanted.iter().filter(|end| !ways.contains_key(end)).count();
        let mut came: BTreeMap<FileId, (FileId, &EdgeHit)> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(file) = queue.pop_front()
            && left > 0
            && self.steps > 0
        {
            for (&next, (certain, hit)) in edges.get(&file).into_iter().flatten() {
                self.steps = self.steps.saturating_sub(1);
                if (*certain || !certain_only) && next != start && !came.contains_key(&next) {
                    came.insert(next, (file, hit));
                    queue.push_back(next);
                    if wanted.contains(&next) && !ways.contains_key(&next) {
                        left -= 1;
                    }
                }
            }
        }
        for &end in wanted {
            if ways.contains_key(&end) {
                continue;
            }
            let mut way = Vec::new();
            let mut at = end;
            while let Some((before, hit)) = came.get(&at) {
                way.push((*hit).clone());
                at = *before;
            }
            way.reverse();
            if way.is_empty() && !certain_only {
                let first = edges.get(&start).and_then(|edges| edges.values().next());
                way.extend(first.map(|(_, hit)| hit.clone()));
            }
            if !way.is_empty() {
                ways.insert(end, way);
            }
        }
    }
}

/// What a `layers` comes to.
pub(crate) fn layers(conds: &Conds<'_>, layers: &Layers) -> Verdict {
    let floors: Vec<Arc<SetExpr>> = layers.floors.iter().cloned().map(Arc::new).collect();
    let before = Floors::of(conds, layers, Side::Before);
    let after = Floors::of(conds, layers, Side::After);
    let follow = Follow::new(conds, &before.graph, &after.graph);
    let mut stood: BTreeMap<(FileId, FileId), bool> = BTreeMap::new();
    for ((from, to), (certain, ..)) in before.ways(layers.closed) {
        if let (Some(from), Some(to)) = (follow.file(from), follow.file(to)) {
            *stood.entry((from, to)).or_insert(certain) |= certain;
        }
    }
    let mut violations = Violations::default();
    let mut starts: BTreeSet<FileId> = BTreeSet::new();
    for (pair, (certain, edge, (from, to))) in after.ways(layers.closed) {
        let is_new = match (certain, stood.get(&pair)) {
            (true, Some(true)) | (false, Some(_)) => continue,
            (true, None) => true,
            _ => false,
        };
        // One of each start is kept always: a waiver covers a way by where it starts.
        let kept = violations.new.len() + violations.maybe_new.len();
        if !starts.insert(pair.0) && kept >= MOST_WAYS {
            continue;
        }
        let (from_set, to_set) = (floors[from].clone(), floors[to].clone());
        let hit = Hit::Way { edges: vec![edge.clone()], side: Side::After, from_set, to_set, certain };
        if is_new { violations.new.push(hit) } else { violations.maybe_new.push(hit) }
    }
    violations.maybe_new.extend(after.hidden(conds, layers));
    verdict(violations)
}

/// The highest and the lowest floor of something.
type Range = (usize, usize);

/// An import against the floors: its files, whether certain, the edge, and the floors that it starts from and leads to.
type Against<'a> = ((FileId, FileId), (bool, &'a EdgeHit, Range));

/// The floors that the files of one side are on, from the top.
struct Floors {
    graph: Arc<CodeGraph>,
    edges: Arc<FileEdges>,
    /// The highest and the lowest floor of a file: for certain (`None`: it is on none), and possibly.
    of_file: BTreeMap<FileId, (Option<Range>, Range)>,
}

impl Floors {
    fn of(conds: &Conds<'_>, layers: &Layers, side: Side) -> Self {
        let graph = graph_of(conds.db, side);
        let sets = conds.sets(side);
        let mut of_file: BTreeMap<FileId, (Option<Range>, Range)> = BTreeMap::new();
        for (floor, set) in layers.floors.iter().enumerate() {
            for (file, certain) in files_of(graph, &sets.eval(set)) {
                let on = of_file.entry(file).or_insert((None, (floor, floor)));
                on.1.1 = floor;
                if certain {
                    on.0 = Some((on.0.map_or(floor, |(highest, _)| highest), floor));
                }
            }
        }
        let edges = file_edges(conds.db, snapshot(conds.db, side), EdgeKind::Imports);
        Self { graph: Arc::clone(graph), edges, of_file }
    }

    /// Imports against the floors: certain or not, the edge, and the floors that it starts from and leads to.
    fn ways(&self, closed: bool) -> impl Iterator<Item = Against<'_>> {
        let against = move |from, to| against(from, to, closed);
        self.edges.iter().flat_map(move |(&from, edges)| {
            edges.iter().filter_map(move |(&to, (certain, edge))| {
                let (from_sure, from_any) = self.of_file.get(&from)?;
                let (to_sure, to_any) = self.of_file.get(&to)?;
                let sure = from_sure.zip(*to_sure).and_then(|(from, to)| against(from, to)).filter(|_| *certain);
                let floors = sure.or_else(|| against(*from_any, *to_any))?;
                Some(((from, to), (sure.is_some(), edge, floors)))
            })
        })
    }

    /// Changed files of which something cannot be read, where that may be an import against the floors.
    fn hidden(&self, conds: &Conds<'_>, layers: &Layers) -> Vec<Hit> {
        let opaque = conds.opaque_changes();
        if opaque.is_empty() {
            return Vec::new();
        }
        // Two files of each floor are enough to tell whether one of another file is there.
        let mut ends: Vec<Vec<FileId>> = vec![Vec::new(); layers.floors.len()];
        for (&file, &(_, (highest, lowest))) in &self.of_file {
            for floor in [highest, lowest] {
                if ends[floor].len() < 2 && !ends[floor].contains(&file) {
                    ends[floor].push(file);
                }
            }
        }
        let may = |key: &PartKey| {
            let file = self.graph.file_by_path(&key.path);
            file.and_then(|file| Some((file, self.of_file.get(&file)?.1))).is_some_and(|(file, from)| {
                ends.iter().enumerate().any(|(floor, ends)| {
                    ends.iter().any(|&end| end != file) && against(from, (floor, floor), layers.closed).is_some()
                })
            })
        };
        opaque.iter().filter(|key| may(key)).map(hidden_edges_of).collect()
    }
}

/// The floors from which and to which an import goes upwards, from the lowest floor of one to the highest of the other,
/// or, where floors are closed, downwards over more than one.
fn against(from: Range, to: Range, closed: bool) -> Option<(usize, usize)> {
    if to.0 < from.1 {
        Some((from.1, to.0))
    } else if closed && to.1 > from.0 + 1 {
        Some((from.0, to.1))
    } else {
        None
    }
}
