//! A graph as bytes, and back: so that the next run need not make it again.
//!
//! An image has a head (which files it is of, by path and content, and the checksums of what follows) and a body of
//! sections. A head is enough to tell how far a tree is from the image. Of the body nodes and edges by their ends are read at
//! once, for that is what a plan asks for; the rest when somebody asks for it. What is read is checked before anybody sees
//! it: an image that was damaged, or made to harm, is no image, and what is found damaged later is made again.

mod parts;
mod words;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::build;
use super::ends::{End, Ends};
use super::rows::{Edges, Row};
use super::{Chunks, CodeGraph, ModelLiterals, Nodes, Outlines, Rows, Sight, Unresolved};
use crate::code::{Dependent, Edge, EdgeKind, Evidence, FileId, PartId};
use crate::facts::ContentId;
use crate::graph::ModelLiteral;
use crate::hash::{Checksum, Sum, checksum};
use crate::resolve::{Asked, Demand, LazyIndex, ScopeTable, Trace};
use crate::store::FactStore;

use parts::KeptNodes;
pub(crate) use words::WordsOfFiles;

/// What a file holds: two files of one path and label are the same to a graph. Of a file that was read it is the
/// [`ContentId`].
pub type Label = [u8; 32];

/// Graphs that are remembered of one work tree: those before and after the change.
pub(crate) const IMAGES: usize = 2;

/// Bytes of an edge that starts somewhere: its ends, its site, and what it says.
const EDGE: usize = 16;
/// Bytes of a section that are read and checked at a time: what a cache holds, and a multiple of what a checksum takes.
const PIECE: usize = 128 << 10;

/// What an image is of.
#[derive(Serialize, Deserialize)]
struct Head<'a> {
    version: &'a str,
    /// The paths of the files.
    #[serde(borrow)]
    paths: Vec<&'a str>,
    /// The labels of the files, one after the other.
    labels: &'a [u8],
    /// The length and checksum of each section.
    sections: Sections,
}

type Sections = [(u64, Checksum); SECTIONS];

/// Sections of a body, in order. Those behind [`ROWS`] are read when somebody asks.
const SECTIONS: usize = 10;
const NODES: usize = 0;
const NAMES: usize = 1;
const PARTS: usize = 2;
const COUNTS: usize = 3;
const ENDS: usize = 4;
const TOLD: usize = 5;
const ROWS: usize = 6;
const EDGES: usize = 7;
const INDEX: usize = 8;
const WORDS: usize = 9;

/// What is told of all files together.
#[derive(Serialize, Deserialize)]
struct Told {
    models: Vec<ModelLiteral>,
    dependents: Vec<Dependent>,
    sight: Sight,
}

/// What rows hold beside their edges, in order of files.
#[derive(Default, Serialize, Deserialize)]
struct Rest {
    given: Vec<(FileId, Vec<Edge>)>,
    unresolved: Vec<Unresolved>,
    demands: Vec<(FileId, Vec<Demand>)>,
    asked: Vec<(FileId, Vec<Asked>)>,
    models: Vec<ModelLiteral>,
    dependents: Vec<Dependent>,
}

/// An image of a tree that is not far from another one.
pub struct Recall<'s> {
    store: &'s Arc<FactStore>,
    number: usize,
    head: Vec<u8>,
    /// Files that have another content in the image.
    differing: Vec<FileId>,
}

/// Fills a slice with the bytes of a body from a place on, where they are all there.
type ReadBody = dyn Fn(u64, &mut [u8]) -> Option<()> + Send + Sync;

/// The body of an image.
#[derive(Clone)]
struct Body {
    read: Arc<ReadBody>,
    sections: Sections,
}

impl Body {
    fn section(&self, number: usize) -> Option<Vec<u8>> {
        let (_, length, _) = self.place(number)?;
        let mut section = vec![0; if self.holds(number) { length } else { return None }];
        self.fill(number, &mut section)?;
        Some(section)
    }

    /// A section into a place that is as long.
    fn fill(&self, number: usize, bytes: &mut [u8]) -> Option<()> {
        let (start, length, expected) = self.place(number)?;
        let (mut sum, mut done) = (Sum::new(length), start);
        for piece in bytes.chunks_mut(PIECE) {
            (self.read)(done, piece)?;
            sum.add(piece);
            done = done.checked_add(piece.len() as u64)?;
        }
        (length == bytes.len() && sum.end() == expected).then_some(())
    }

    /// Whether all of a section is there: room is set aside only for what can be read.
    fn holds(&self, number: usize) -> bool {
        self.place(number).is_some_and(|(start, length, _)| {
            length == 0
                || start.checked_add(length as u64 - 1).is_some_and(|last| (self.read)(last, &mut [0]).is_some())
        })
    }

    /// Where a section begins, its length and its checksum.
    fn place(&self, number: usize) -> Option<(u64, usize, Checksum)> {
        let start = self.sections[..number].iter().try_fold(0, |sum: u64, (length, _)| sum.checked_add(*length))?;
        let (length, expected) = self.sections[number];
        Some((start, usize::try_from(length).ok()?, expected))
    }

    fn later(&self, number: usize) -> Section {
        Section { body: self.clone(), number }
    }
}

/// A section of an image that is read when somebody asks for it.
#[derive(Clone)]
pub(crate) struct Section {
    body: Body,
    number: usize,
}

impl Section {
    /// Its bytes; `None` where they are damaged or gone.
    pub(crate) fn read(&self) -> Option<Vec<u8>> {
        self.body.section(self.number)
    }
}

impl std::fmt::Debug for Section {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "section {}", self.number)
    }
}

/// The rows of a graph that was recalled, and what they are made from where they are found damaged.
#[derive(Debug)]
pub(super) struct KeptRows {
    edges: Section,
    rest: Section,
    nodes: Arc<Nodes>,
    outlines: Outlines,
    index: Arc<LazyIndex>,
}

impl KeptRows {
    pub(super) fn load(&self) -> Chunks<Arc<Row>> {
        let rows = self.read().unwrap_or_else(|| {
            let scopes = ScopeTable::new(&self.outlines, self.nodes.files().len());
            build::linked(&self.nodes, &self.outlines, self.index.get(&self.nodes, &self.outlines), &scopes, Trace::No)
        });
        rows.into_iter().collect()
    }

    fn read(&self) -> Option<Vec<Arc<Row>>> {
        let edges = read_edges(&self.edges.read()?, self.nodes.len() as u32)?;
        whole::<Rest>(&self.rest.read()?)?.rows(&self.nodes, edges)
    }
}

impl CodeGraph {
    /// The image that is nearest to a tree: of the same paths, with other contents in at most `most` files. Of two that are
    /// as near it is the one of this number. The files are sorted by path.
    #[must_use]
    pub fn recall<'s>(
        store: &'s Arc<FactStore>,
        files: &[(&str, Label)],
        most: usize,
        wanted: usize,
    ) -> Option<Recall<'s>> {
        let memory = store.tree()?;
        let recall = |number| {
            let head = memory.graph_head(number)?;
            let differing = Head::of(&head)?.differing(files, most)?;
            Some(Recall { store, number, head, differing })
        };
        // One that is the very tree is not looked past.
        let mut nearest: Option<Recall<'_>> = None;
        for number in std::iter::once(wanted).chain((0..IMAGES).filter(|number| *number != wanted)) {
            if nearest.as_ref().is_some_and(|nearest| nearest.differing.is_empty()) {
                break;
            }
            let Some(found) = recall(number) else { continue };
            if nearest.as_ref().is_none_or(|nearest| found.differing.len() < nearest.differing.len()) {
                nearest = Some(found);
            }
        }
        nearest
    }

    /// The head and the body of an image of this graph; `None` where it cannot be written.
    pub(crate) fn image(&self, labels: &[Label]) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut edges = Vec::new();
        self.edges().for_each(|edge| edges.extend_from_slice(&edge_bytes(edge)));
        let told = Told { models: self.models.0.clone(), dependents: self.dependents.to_vec(), sight: self.sight() };
        let (counts, ends) = ends_bytes(self);
        let (nodes, parts) = parts::bytes(self)?;
        let sections: [Vec<u8>; SECTIONS] = [
            nodes,
            self.names.text().as_bytes().to_vec(),
            parts,
            counts,
            ends,
            postcard::to_stdvec(&told).ok()?,
            postcard::to_stdvec(&Rest::of(self)).ok()?,
            edges,
            self.index().kept()?,
            words::bytes(self).unwrap_or_default(),
        ];
        let head = Head {
            version: crate::store::VERSION,
            paths: self.files().iter().map(|file| &*file.path).collect(),
            labels: labels.as_flattened(),
            sections: sections.each_ref().map(|bytes| (bytes.len() as u64, checksum(bytes))),
        };
        Some((postcard::to_stdvec(&head).ok()?, sections.concat()))
    }
}

impl Recall<'_> {
    /// Files that have another content in the image, in order.
    #[must_use]
    pub fn differing(&self) -> &[FileId] {
        &self.differing
    }

    /// The graph of the image; `None` where it is damaged.
    #[must_use]
    pub fn graph(&self) -> Option<CodeGraph> {
        let body = self.store.tree()?.graph_body(self.number)?;
        Head::of(&self.head)?.graph(self.store, Arc::new(move |start, bytes: &mut [u8]| body.fill(start, bytes)))
    }
}

impl<'a> Head<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        (rest.is_empty() && head.version == crate::store::VERSION).then_some(head)
    }

    /// The files by path, each with its label.
    fn files(&self) -> impl Iterator<Item = (&'a str, Label)> {
        let (labels, _) = self.labels.as_chunks::<32>();
        self.paths.iter().copied().zip(labels.iter().copied())
    }

    fn differing(&self, files: &[(&str, Label)], most: usize) -> Option<Vec<FileId>> {
        let paths = self.paths.len();
        if paths != files.len() || self.labels.len() != paths * size_of::<Label>() {
            return None;
        }
        let mut differing = Vec::new();
        for (at, ((path, label), (here, now))) in self.files().zip(files).enumerate() {
            if path != *here || differing.len() > most {
                return None;
            }
            if label != *now {
                differing.push(FileId(at as u32));
            }
        }
        (differing.len() <= most).then_some(differing)
    }

    /// The graph, of a body of which `read` gives so many bytes from a place on.
    fn graph(&self, store: &Arc<FactStore>, read: Arc<ReadBody>) -> Option<CodeGraph> {
        let body = Body { read, sections: self.sections };
        let (nodes, readers) = {
            let (section, parts) = (body.section(NODES)?, body.section(PARTS)?);
            let kept: KeptNodes<'_> = whole(&section)?;
            let names = String::from_utf8(body.section(NAMES)?).ok()?;
            (Arc::new(kept.nodes(names, &parts, self.paths.iter().copied())?), kept.readers())
        };
        let ends = read_ends(&body, nodes.len())?;
        let told: Told = whole(&body.section(TOLD)?)?;
        let there = |part: PartId| part.0 < nodes.len() as u32;
        let is_sound =
            told.models.iter().all(|(_, part, _)| there(*part)) && told.dependents.iter().all(|one| there(one.part));
        if !is_sound {
            return None;
        }
        let files = readers.into_iter().zip(self.files()).zip(nodes.files());
        let outlines = files.map(|((reader, (_, label)), file)| Some((ContentId(label), reader?, file.parts.len())));
        let outlines = Outlines::kept(store, WordsOfFiles::new(body.later(WORDS)), outlines);
        let index = Arc::new(LazyIndex::kept(body.later(INDEX)));
        let (edges, rest) = (body.later(EDGES), body.later(ROWS));
        let (of_rows, own_index) = (outlines.clone(), Arc::clone(&index));
        let kept = KeptRows { edges, rest, nodes: Arc::clone(&nodes), outlines: of_rows, index: own_index };
        let rows = Rows::kept(&nodes, ends, kept);
        let (models, dependents) = (Arc::new(ModelLiterals(told.models)), Arc::new(told.dependents));
        let (built, sight) = (Arc::new(rows.clone()), told.sight);
        let (bases, heirs) = (Arc::default(), Arc::default());
        Some(CodeGraph { nodes, index, outlines, rows, built, models, dependents, bases, heirs, sight })
    }
}

fn whole<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    let (read, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(read)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

impl Rest {
    fn of(graph: &CodeGraph) -> Self {
        let mut rest = Self::default();
        for file in graph.file_ids() {
            let Some(row) = graph.rows.row(file) else { continue };
            if !row.given.is_empty() {
                rest.given.push((file, row.given.to_vec()));
            }
            if !row.demands.is_empty() {
                rest.demands.push((file, row.demands.to_vec()));
            }
            if !row.asked.is_empty() {
                rest.asked.push((file, row.asked.to_vec()));
            }
            rest.unresolved.extend_from_slice(&row.unresolved);
            rest.models.extend_from_slice(&row.models);
            rest.dependents.extend_from_slice(&row.dependents);
        }
        rest
    }

    fn rows(self, nodes: &Nodes, edges: Vec<Edge>) -> Option<Vec<Arc<Row>>> {
        let all = nodes.len() as u32;
        let there = |part: PartId| part.0 < all;
        let edges = Arc::new(edges);
        let mut next = 0;
        let mut unresolved = self.unresolved.into_iter().peekable();
        let mut models = self.models.into_iter().peekable();
        let mut dependents = self.dependents.into_iter().peekable();
        let mut given = self.given.into_iter().peekable();
        let mut demands = self.demands.into_iter().peekable();
        let mut asked = self.asked.into_iter().peekable();
        let mut rows = Vec::with_capacity(nodes.files().len());
        for file in nodes.file_ids() {
            let end = nodes.file(file).parts.end;
            let own = nodes.file(file).parts.clone();
            let here = |part: PartId| own.contains(&part.0);
            let first = next;
            next += edges[first..].iter().take_while(|edge| edge.from.0 < end).count();
            let out = Edges::among(&edges, first..next);
            let given = given.next_if(|(of, _)| *of == file).map(|(_, edges)| edges).unwrap_or_default();
            let unresolved: Box<[Unresolved]> =
                std::iter::from_fn(|| unresolved.next_if(|one| one.part.0 < end)).collect();
            let demands = demands.next_if(|(of, _)| *of == file).map(|(_, demands)| demands).unwrap_or_default();
            let asked = asked.next_if(|(of, _)| *of == file).map(|(_, asked)| asked).unwrap_or_default();
            let is_sound = given.iter().all(|edge| here(edge.from) && there(edge.to))
                && unresolved.iter().all(|one| here(one.part))
                && demands.iter().all(|demand| demand.is_sound(all))
                && asked.iter().all(|asked| asked.is_sound(all));
            if !is_sound {
                return None;
            }
            let models = std::iter::from_fn(|| models.next_if(|(_, part, _)| here(*part))).collect();
            let dependents = std::iter::from_fn(|| dependents.next_if(|one| here(one.part))).collect();
            rows.push(Arc::new(Row::recalled(nodes, file, out, given, unresolved, demands, asked, models, dependents)));
        }
        let is_done = next == edges.len()
            && unresolved.next().is_none()
            && models.next().is_none()
            && dependents.next().is_none()
            && given.next().is_none()
            && demands.next().is_none()
            && asked.next().is_none();
        is_done.then_some(rows)
    }
}

/// What an edge says: its kind, its evidence, and whether only type checkers follow it.
fn said(edge: &Edge) -> [u8; 4] {
    let kind = EdgeKind::ALL.iter().position(|kind| *kind == edge.kind).unwrap_or_default();
    let evidence = Evidence::ALL.iter().position(|evidence| *evidence == edge.evidence).unwrap_or_default();
    [kind as u8, evidence as u8, u8::from(edge.type_only), 0]
}

fn edge_bytes(edge: &Edge) -> [u8; EDGE] {
    let mut bytes = [0; EDGE];
    bytes[..4].copy_from_slice(&edge.from.0.to_le_bytes());
    bytes[4..8].copy_from_slice(&edge.to.0.to_le_bytes());
    bytes[8..12].copy_from_slice(&edge.site.to_le_bytes());
    bytes[12..].copy_from_slice(&said(edge));
    bytes
}

/// The sections of [`Ends`]: how many edges end at each part, and these edges.
fn ends_bytes(graph: &CodeGraph) -> (Vec<u8>, Vec<u8>) {
    let (mut counts, mut edges) = (Vec::with_capacity(graph.len() * 4), Vec::new());
    for ends in graph.rows.ends(&graph.nodes) {
        counts.extend_from_slice(&(ends.len() as u32).to_le_bytes());
        edges.extend_from_slice(ends.bytes());
    }
    (counts, edges)
}

/// The edges by their ends of a tree of so many parts; `None` where they are damaged, or start nowhere.
fn read_ends(body: &Body, parts: usize) -> Option<Ends> {
    let counts = body.section(COUNTS)?;
    let (counts, []) = counts.as_chunks::<4>() else { return None };
    let mut starts = Vec::with_capacity(parts + 1);
    let mut end = 0_u32;
    starts.push(end);
    for count in counts {
        end = end.checked_add(u32::from_le_bytes(*count))?;
        starts.push(end);
    }
    let (_, length, _) = body.place(ENDS)?;
    if counts.len() != parts || (end as usize).checked_mul(size_of::<End>())? != length || !body.holds(ENDS) {
        return None;
    }
    let mut ends = vec![End::default(); end as usize];
    body.fill(ENDS, ends.as_flattened_mut())?;
    Ends::recalled(ends, starts)
}

/// The edges of a section, between parts below `all`; `None` where they are not in order.
fn read_edges(section: &[u8], all: u32) -> Option<Vec<Edge>> {
    let (section, []) = section.as_chunks::<EDGE>() else { return None };
    let mut edges = Vec::with_capacity(section.len());
    let mut before = (0, 0);
    for (at, bytes) in section.iter().enumerate() {
        let (from, to) = (number(bytes, 0), number(bytes, 4));
        let place = (u64::from(from) << 32 | u64::from(to), bytes[12]);
        if to >= all || (at > 0 && before >= place) {
            return None;
        }
        before = place;
        edges.push(Edge {
            from: PartId(from),
            to: PartId(to),
            site: number(bytes, 8),
            kind: *EdgeKind::ALL.get(usize::from(bytes[12]))?,
            evidence: *Evidence::ALL.get(usize::from(bytes[13]))?,
            type_only: bytes[14] != 0,
        });
    }
    Some(edges)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use grace_system::files;

    use super::*;
    use crate::code::Part;
    use crate::facts::Language;
    use crate::graph::{GraphFile, Repair};
    use crate::store::TreeMemory;

    const FILES: &[(&str, &str)] = &[
        ("app/__init__.py", ""),
        (
            "app/api.py",
            "import gone\nfrom .kernel import Kernel\n\n\n@cache\ndef boot():\n    return Kernel().start('model:7b')\n",
        ),
        (
            "app/kernel.py",
            "class Kernel:\n    def start(self):\n        return self.stop()\n\n    def stop(self):\n        pass\n",
        ),
        (
            "app/more.py",
            "from app.kernel import Kernel\n\n\nclass More(Kernel):\n    async def stop(self):\n        return getattr(self, 'st' + x)(open('app/api.py'))\n",
        ),
        ("bad.py", "def f(:\n"),
        ("go.mod", "module example.com/a\n"),
        ("notes.md", ""),
        (
            "tests/conftest.py",
            "import pytest\n\n\n@pytest.fixture\ndef kernel():\n    from app.kernel import Kernel\n    return Kernel()\n",
        ),
        ("tests/test_kernel.py", "def test_start(kernel):\n    kernel.start()\n"),
        ("web/a.ts", "import { b } from './b';\nexport class A { m() { return b(); } }\n"),
        ("web/b.ts", "export function b() { return import(name); }\n"),
    ];

    /// What the tests do with a text in place of one of the files.
    fn texts(edits: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let text = |path: &str, text: &str| {
            edits.iter().find(|(edited, _)| *edited == path).map_or(text, |(_, text)| text).to_owned()
        };
        FILES.iter().map(|(path, old)| (*path, text(path, old))).collect()
    }

    fn file(store: &FactStore, path: &str, text: &str) -> GraphFile {
        let facts = Language::reader_of(path).map(|language| store.facts(language, text.as_bytes()));
        GraphFile::new(path.into(), facts.as_deref())
    }

    fn built(store: &FactStore, texts: &[(&str, String)]) -> CodeGraph {
        CodeGraph::build(texts.iter().map(|(path, text)| file(store, path, text)).collect())
    }

    fn labels<'p>(texts: &[(&'p str, String)]) -> Vec<(&'p str, Label)> {
        let label = |path, text: &str| match Language::reader_of(path) {
            Some(_) => ContentId::of(text.as_bytes()).0,
            None => Label::default(),
        };
        texts.iter().map(|(path, text)| (*path, label(path, text))).collect()
    }

    fn store(root: &Path) -> Arc<FactStore> {
        Arc::new(FactStore::new().with_tree(Arc::new(TreeMemory::open(root, Path::new("/work")))))
    }

    /// A store that remembers the graph of these texts, and their facts.
    fn remembered(root: &Path, number: usize, texts: &[(&str, String)]) -> Arc<FactStore> {
        let store = store(root);
        let labels = labels(texts).into_iter().map(|(_, label)| label).collect();
        store.learn_graph(number, &built(&store, texts), labels);
        store.keep();
        store
    }

    /// Everything that can be asked of a graph.
    fn shown(graph: &CodeGraph) -> String {
        let said = |part| (graph.name(part), graph.local_name(part), graph.decorators(part).collect::<Vec<_>>());
        let parts: Vec<_> = graph.part_ids().map(|part| (graph.part(part).kind, said(part))).collect();
        let flags = |part: &Part| {
            (
                part.file,
                part.ordinal,
                part.parent,
                part.occurrence,
                [part.is_async, part.is_test, part.is_public, part.is_conditional, part.keeps_classes],
            )
        };
        let parts = (parts, graph.parts().iter().map(flags).collect::<Vec<_>>());
        let nodes = (graph.files(), parts, graph.tests(), graph.damaged());
        let keys: Vec<_> = graph.part_ids().map(|part| graph.find(&graph.key(part))).collect();
        let ends: Vec<_> = graph.part_ids().map(|part| graph.subtree(part).len()).collect();
        let edges: Vec<_> = graph.edges().collect();
        let incoming: Vec<_> =
            graph.part_ids().map(|part| graph.in_edges(part, &EdgeKind::ALL).collect::<Vec<_>>()).collect();
        let unresolved: Vec<_> = graph.unresolved().collect();
        let bases: Vec<_> = graph.part_ids().map(|part| graph.bases(part)).collect();
        let rest = (bases, unresolved, graph.model_literals(), graph.dependents(), graph.sight());
        format!("{nodes:?} {keys:?} {ends:?} {edges:?} {incoming:?} {rest:?} {:?}", graph.stats())
    }

    #[test]
    fn a_graph_comes_back_as_it_was() {
        let root = files::temporary_dir().unwrap();
        let texts = texts(&[]);
        let store = remembered(root.path(), 1, &texts);
        let recall = CodeGraph::recall(&store, &labels(&texts), 0, 0).unwrap();
        assert_eq!(recall.differing(), []);
        let graph = recall.graph().unwrap();
        assert_eq!(shown(&graph), shown(&built(&store, &texts)));
        assert!(shown(&graph).contains("model:7b") && graph.tests().len() == 1, "{}", shown(&graph));
    }

    #[test]
    fn a_graph_that_came_back_is_repaired_like_the_one_that_was_made() {
        let root = files::temporary_dir().unwrap();
        let old = texts(&[]);
        let store = remembered(root.path(), 0, &old);
        let edits = [
            (
                "app/api.py",
                "import gone\nfrom .kernel import Kernel\n\n\n@cache\ndef boot():\n    return Kernel().stop(x.start())\n",
            ),
            ("tests/test_kernel.py", "def test_start(kernel):\n    kernel.stop()\n"),
            ("web/a.ts", "import { b } from './b';\nexport class A { m() { return 1; } }\n"),
        ];
        let new = texts(&edits);
        assert!(CodeGraph::recall(&store, &labels(&new), 2, 0).is_none());
        let recall = CodeGraph::recall(&store, &labels(&new), 3, 0).unwrap();
        assert_eq!(recall.differing(), [FileId(1), FileId(8), FileId(9)]);
        let mut graph = recall.graph().unwrap();
        for (path, text) in edits {
            graph = graph.repaired(&[file(&store, path, text)], &[], Repair::Any).unwrap();
        }
        assert_eq!(shown(&graph), shown(&built(&store, &new)));
    }

    #[test]
    fn a_function_that_nobody_asks_for_is_added_without_reading_other_files() {
        let root = files::temporary_dir().unwrap();
        let api = FILES[1].1;
        let first = format!("{api}\n\ndef one():\n    pass\n");
        let second = format!("{first}\n\ndef two(x):\n    return Kernel().start(x)\n");
        let old = texts(&[("app/api.py", &first)]);
        // The first edit tells the words of all files.
        let known = store(root.path());
        let graph = built(&known, &texts(&[]));
        let graph = graph.repaired(&[file(&known, "app/api.py", &first)], &[], Repair::Any).unwrap();
        known.learn_graph(0, &graph, labels(&old).into_iter().map(|(_, label)| label).collect());
        known.keep();

        // Of this one nothing can be read but the edited file and what it asks for itself.
        let bare = store(root.path());
        let asked: Vec<&str> =
            old.iter().filter(|(path, _)| path.starts_with("app/")).map(|(_, text)| &**text).collect();
        asked.iter().for_each(|text| drop(bare.facts(Language::Python, text.as_bytes())));
        let graph = CodeGraph::recall(&bare, &labels(&old), 0, 0).unwrap().graph().unwrap();
        let graph = graph.repaired(&[file(&bare, "app/api.py", &second)], &[], Repair::Any).unwrap();
        let expected = built(&known, &texts(&[("app/api.py", &second)]));
        assert!(graph.edges().eq(expected.edges()) && graph.edges().count() > 10);
        assert_eq!((graph.tests(), graph.sight()), (expected.tests(), expected.sight()));
        let is_read = |file: &FileId| graph.outline(*file).is_some();
        let others: Vec<&str> = graph.file_ids().filter(is_read).map(|file| &*graph.file(file).path).collect();
        assert!(others.iter().all(|path| path.starts_with("app/")), "{others:?}");
        // And what is remembered then knows the words of all, too.
        assert_eq!(words::bytes(&graph).unwrap(), words::bytes(&expected).unwrap());
    }

    /// One more method in the class of which a name that is computed is asked.
    const MORE_TO_COMPUTE: (&str, &str) = (
        "app/kernel.py",
        "class Kernel:\n    def start(self):\n        return self.stop()\n\n    def stop(self):\n        pass\n\n    def stay(self):\n        return 1\n",
    );

    #[test]
    fn what_names_that_are_computed_were_asked_comes_back() {
        let root = files::temporary_dir().unwrap();
        let old = texts(&[]);
        let store = remembered(root.path(), 0, &old);
        let graph = CodeGraph::recall(&store, &labels(&old), 0, 0).unwrap().graph().unwrap();
        let (path, text) = MORE_TO_COMPUTE;
        let graph = graph.repaired(&[file(&store, path, text)], &[], Repair::Any).unwrap();
        let expected = built(&store, &texts(&[MORE_TO_COMPUTE]));
        assert_eq!(shown(&graph), shown(&expected));
        let stay = expected.part_ids().find(|part| expected.name(*part) == "stay").unwrap();
        let computes =
            expected.in_edges(stay, &EdgeKind::ALL).any(|edge| &*expected.key(edge.from).path == "app/more.py");
        assert!(computes, "the name that is computed may be that one");
    }

    #[test]
    fn the_nearest_one_of_the_same_paths_is_recalled() {
        let root = files::temporary_dir().unwrap();
        let (first, second) = (texts(&[("notes.md", "")]), texts(&[("app/__init__.py", "a = 1\n")]));
        remembered(root.path(), 0, &first);
        let store = remembered(root.path(), 1, &second);
        let wanted = texts(&[("app/__init__.py", "a = 1\n"), ("web/b.ts", "")]);
        let recall = CodeGraph::recall(&store, &labels(&wanted), 8, 0).unwrap();
        assert_eq!((recall.number, recall.differing()), (1, &[FileId(10)][..]));
        // Each is one file away.
        let between = texts(&[("app/__init__.py", "a = 2\n")]);
        let number = |wanted| CodeGraph::recall(&store, &labels(&between), 8, wanted).unwrap().number;
        assert_eq!([number(0), number(1)], [0, 1]);
        assert!(CodeGraph::recall(&store, &labels(&wanted[1..]), 8, 0).is_none());
        let mut renamed = labels(&wanted);
        renamed[4].0 = "good.py";
        assert!(CodeGraph::recall(&store, &renamed, 8, 0).is_none());
        let other = Arc::new(FactStore::new().with_tree(Arc::new(TreeMemory::open(root.path(), Path::new("/other")))));
        assert!(CodeGraph::recall(&other, &labels(&wanted), 8, 0).is_none());
    }

    #[test]
    fn no_image_harms() {
        let root = files::temporary_dir().unwrap();
        let texts = texts(&[]);
        let store = remembered(root.path(), 0, &texts);
        let expected = shown(&built(&store, &texts));
        let memory = store.tree().unwrap();
        let body = memory.graph_body(0).unwrap();
        let (head, body) = (memory.graph_head(0).unwrap(), body.read(0, body.size() as usize).unwrap());
        let of = |head: &Head<'_>, body: &[u8]| {
            let body = body.to_vec();
            let read = move |start, bytes: &mut [u8]| {
                bytes.copy_from_slice(body.get(start as usize..)?.get(..bytes.len())?);
                Some(())
            };
            head.graph(&store, Arc::new(read))
        };
        let read = |head: &[u8], body: &[u8]| of(&Head::of(head)?, body);
        // What is read later is made again where it is damaged, also where it is read to repair a graph.
        let edit = file(&store, MORE_TO_COMPUTE.0, MORE_TO_COMPUTE.1);
        let repaired = shown(&built(&store, &self::texts(&[MORE_TO_COMPUTE])));
        let behind_ends: u64 = Head::of(&head).unwrap().sections[..ROWS].iter().map(|(length, _)| length).sum();
        for at in 0..body.len() {
            let is_as_ever = |graph: CodeGraph| {
                let repair = || graph.repaired(std::slice::from_ref(&edit), &[], Repair::Any).unwrap();
                shown(&graph) == expected && ((at as u64) < behind_ends || shown(&repair()) == repaired)
            };
            assert!(read(&head, &body[..at]).is_none_or(is_as_ever), "cut at {at}");
            let mut noise = body.clone();
            noise[at] ^= 1;
            assert!(read(&head, &noise).is_none_or(is_as_ever), "noise at {at}");
        }
        for at in 0..head.len() {
            assert!(Head::of(&head[..at]).is_none(), "head cut at {at}");
        }
        // One made to harm has the checksums of what it says: it may say less than there is, but nothing breaks.
        let edited = file(&store, "app/api.py", "import gone\n");
        for at in 0..body.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut forged = body.clone();
                forged[at] = byte;
                let mut head = Head::of(&head).unwrap();
                let mut start = 0;
                for (length, expected) in &mut head.sections {
                    let section = &forged[start..start + *length as usize];
                    *expected = checksum(section);
                    start += section.len();
                }
                if let Some(graph) = of(&head, &forged) {
                    shown(&graph);
                    let _may_be_none = graph.repaired(std::slice::from_ref(&edited), &[], Repair::Any);
                }
            }
        }
    }
}
