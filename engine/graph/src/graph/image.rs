//! A graph as bytes, and back: so that the next run need not make it again.
//!
//! An image has a head (which files it is of, by path and content, and the checksums of what follows) and a body of
//! sections. A head is enough to tell how far a tree is from the image; what an edit of a few files asks for is read of the
//! body. What is read is checked before anybody sees it: an image that was damaged, or made to harm, is no image.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rows::{Edges, Row};
use super::{CodeGraph, FileNode, Nodes, Outlines, Rows, Sight, Unresolved};
use crate::code::{Dependent, Edge, EdgeKind, Evidence, FileId, Part, PartId, PartKind};
use crate::facts::{ContentId, Language, ProblemKind};
use crate::graph::ModelLiteral;
use crate::hash::{Checksum, Map, checksum};
use crate::resolve::{Demand, LazyIndex};
use crate::store::FactStore;

/// What a file holds: two files of one path and label are the same to a graph. Of a file that was read it is the
/// [`ContentId`].
pub type Label = [u8; 32];

/// Graphs that are remembered of one work tree: those before and after the change.
pub(crate) const IMAGES: usize = 2;

/// Bytes of an edge: its ends, its site, and what it says.
const EDGE: usize = 16;
/// Bytes of a part: its names, the part around it, which of its name it is, what it is, and how many decorators it has.
const PART: usize = 20;
/// Of a part with none around it.
const NO_PARENT: u32 = 0;
const IS_ASYNC: u8 = 1;
const IS_TEST: u8 = 2;
const IS_PUBLIC: u8 = 4;
const IS_CONDITIONAL: u8 = 8;
const PART_KINDS: [PartKind; 5] =
    [PartKind::File, PartKind::Module, PartKind::Class, PartKind::Function, PartKind::Method];

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
    sections: [(u64, Checksum); SECTIONS],
}

/// Nodes, edges, the rest of the rows, and what linking knows of all files together.
const SECTIONS: usize = 4;

#[derive(Serialize, Deserialize)]
struct KeptNodes<'a> {
    /// Strings that many parts have in common, one after the other, and where each ends.
    names: &'a str,
    ends: Vec<u32>,
    files: Vec<KeptFile>,
    /// [`PART`] bytes each.
    parts: &'a [u8],
    /// Names of the decorators of all parts, in order.
    decorators: Vec<u32>,
    /// The order of the parts of each file by key, as ordinals of four bytes.
    by_key: &'a [u8],
}

#[derive(Serialize, Deserialize)]
struct KeptFile {
    language: Option<Language>,
    parts: u32,
    opaque: Option<ProblemKind>,
    has_problems: bool,
    is_generated: bool,
    is_test: bool,
    has_configured_tests: bool,
    makes_tests: bool,
    module: u32,
    /// What reads it, where something was read.
    reader: Option<Language>,
}

/// What rows hold beside their edges, in order of files.
#[derive(Default, Serialize, Deserialize)]
struct Rest {
    given: Vec<(FileId, Vec<Edge>)>,
    unresolved: Vec<Unresolved>,
    demands: Vec<(FileId, Vec<Demand>)>,
    models: Vec<ModelLiteral>,
    dependents: Vec<Dependent>,
    sight: Sight,
}

/// An image of a tree that is not far from another one.
pub struct Recall<'s> {
    store: &'s Arc<FactStore>,
    number: usize,
    head: Vec<u8>,
    /// Files that have another content in the image.
    differing: Vec<FileId>,
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
        (0..IMAGES).filter_map(recall).min_by_key(|recall| (recall.differing.len(), recall.number != wanted))
    }

    /// The head and the body of an image of this graph; `None` where it cannot be written.
    pub(crate) fn image(&self, labels: &[Label]) -> Option<(Vec<u8>, Vec<u8>)> {
        let edges: Vec<u8> = self.edges().flat_map(edge_bytes).collect();
        let sections: [Vec<u8>; SECTIONS] =
            [nodes_bytes(self)?, edges, postcard::to_stdvec(&Rest::of(self)).ok()?, self.index().kept()?];
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
        Head::of(&self.head)?.graph(self.store, |start, length| body.read(start, length))
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

    /// The graph, of a body of which `read` gives so many bytes from a place on. One section is held at a time.
    fn graph(&self, store: &Arc<FactStore>, read: impl Fn(u64, usize) -> Option<Vec<u8>>) -> Option<CodeGraph> {
        let section = |number: usize| {
            let start = self.sections[..number].iter().try_fold(0, |sum: u64, (length, _)| sum.checked_add(*length))?;
            let (length, expected) = self.sections[number];
            read(start, usize::try_from(length).ok()?).filter(|section| checksum(section) == expected)
        };
        let (nodes, kept) = {
            let section = section(0)?;
            let kept: KeptNodes<'_> = whole(&section)?;
            (kept.nodes(self)?, kept.files)
        };
        let edges = read_edges(&section(1)?, nodes.len() as u32)?;
        let rest: Rest = whole(&section(2)?)?;
        let sight = rest.sight;
        let rows = rest.rows(&nodes, edges)?;
        let index = section(3)?;
        let outlines = kept
            .iter()
            .zip(self.files())
            .zip(nodes.files())
            .map(|((kept, (_, label)), file)| Some((ContentId(label), kept.reader?, file.parts.len())));
        let outlines = Outlines::kept(store, outlines);
        let (models, dependents) = (Arc::new(super::build::models(&rows)), Arc::new(super::build::dependents(&rows)));
        let index = Arc::new(LazyIndex::kept(index.into()));
        let built = Arc::new(rows.clone());
        Some(CodeGraph { nodes: Arc::new(nodes), index, outlines, rows, built, models, dependents, sight })
    }
}

fn whole<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    let (read, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(read)
}

/// The section of [`KeptNodes`]; `None` where it cannot be written.
fn nodes_bytes(graph: &CodeGraph) -> Option<Vec<u8>> {
    let mut known: Map<Arc<str>, u32> = Map::default();
    let (mut names, mut ends) = (String::new(), Vec::new());
    let mut name = |text: &Arc<str>| {
        *known.entry(Arc::clone(text)).or_insert_with(|| {
            names.push_str(text);
            ends.push(names.len() as u32);
            ends.len() as u32 - 1
        })
    };
    let (mut parts, mut decorators) = (Vec::with_capacity(graph.len() * PART), Vec::new());
    for part in graph.parts() {
        let parent = part.parent.map_or(NO_PARENT, |parent| graph.part(parent).ordinal + 1);
        for number in [name(&part.name), name(&part.local_name), parent, part.occurrence] {
            parts.extend(number.to_le_bytes());
        }
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        let flags = flag(part.is_async, IS_ASYNC)
            | flag(part.is_test, IS_TEST)
            | flag(part.is_public, IS_PUBLIC)
            | flag(part.is_conditional, IS_CONDITIONAL);
        parts.extend([PART_KINDS.iter().position(|kind| *kind == part.kind)? as u8, flags]);
        parts.extend(u16::try_from(part.decorators.len()).ok()?.to_le_bytes());
        decorators.extend(part.decorators.iter().map(&mut name));
    }
    let file = |(id, file): (FileId, &FileNode)| KeptFile {
        language: file.language,
        parts: file.parts.len() as u32,
        opaque: file.opaque,
        has_problems: file.has_problems,
        is_generated: file.is_generated,
        is_test: file.is_test,
        has_configured_tests: file.has_configured_tests,
        makes_tests: file.makes_tests,
        module: name(&file.module),
        reader: Language::reader_of(&file.path).filter(|_| graph.outlines.has(id)),
    };
    let files = graph.file_ids().zip(graph.files()).map(file).collect();
    let by_key: Vec<u8> = graph.by_key.iter().flat_map(|part| graph.part(*part).ordinal.to_le_bytes()).collect();
    postcard::to_stdvec(&KeptNodes { names: &names, ends, files, parts: &parts, decorators, by_key: &by_key }).ok()
}

impl KeptNodes<'_> {
    fn nodes(&self, head: &Head<'_>) -> Option<Nodes> {
        let ((parts, []), (by_key, [])) = (self.parts.as_chunks::<PART>(), self.by_key.as_chunks::<4>()) else {
            return None;
        };
        if by_key.len() != parts.len() || u32::try_from(parts.len()).is_err() {
            return None;
        }
        let (mut start, mut names) = (0, Vec::<Arc<str>>::with_capacity(self.ends.len()));
        for end in &self.ends {
            names.push(self.names.get(start..*end as usize)?.into());
            start = *end as usize;
        }
        let name = |at: u32| names.get(at as usize).map(Arc::clone);
        let undecorated: Arc<[Arc<str>]> = Arc::new([]);
        let mut nodes = Nodes { parts: Vec::with_capacity(parts.len()), ..Nodes::default() };
        nodes.by_path.reserve(self.files.len());
        nodes.by_key.reserve(parts.len());
        let (mut left, mut decorators) = (parts, self.decorators.as_slice());
        for (file, (path, _)) in self.files.iter().zip(head.files()) {
            let id = FileId(nodes.files.len() as u32);
            let first = nodes.parts.len() as u32;
            let (own, others) = left.split_at_checked(file.parts as usize).filter(|(own, _)| !own.is_empty())?;
            left = others;
            for (ordinal, part) in (0..).zip(own) {
                let number = |at: usize| u32::from_le_bytes([part[at], part[at + 1], part[at + 2], part[at + 3]]);
                let kind = *PART_KINDS.get(usize::from(part[16]))?;
                let parent = match number(8) {
                    NO_PARENT if ordinal == 0 => None,
                    after if (1..=ordinal).contains(&after) => Some(PartId(first + after - 1)),
                    _ => return None,
                };
                let is_top = matches!(kind, PartKind::File | PartKind::Module);
                if is_top != parent.is_none() {
                    return None;
                }
                let decorated = usize::from(u16::from_le_bytes([part[18], part[19]]));
                let (mine, others) = decorators.split_at_checked(decorated)?;
                decorators = others;
                let is = |flag: u8| part[17] & flag != 0;
                if is(IS_TEST) {
                    nodes.tests.push(PartId(first + ordinal));
                }
                nodes.parts.push(Part {
                    kind,
                    file: id,
                    ordinal,
                    parent,
                    name: name(number(0))?,
                    local_name: name(number(4))?,
                    occurrence: number(12),
                    is_async: is(IS_ASYNC),
                    is_test: is(IS_TEST),
                    is_conditional: is(IS_CONDITIONAL),
                    is_public: is(IS_PUBLIC),
                    decorators: match mine {
                        [] => Arc::clone(&undecorated),
                        mine => mine.iter().map(|at| name(*at)).collect::<Option<_>>()?,
                    },
                });
            }
            let end = nodes.parts.len() as u32;
            for ordinal in by_key.get(first as usize..end as usize)? {
                let part = first.checked_add(u32::from_le_bytes(*ordinal)).filter(|part| *part < end)?;
                nodes.by_key.push(PartId(part));
            }
            if file.opaque.is_some() || file.has_problems {
                nodes.damaged.push(id);
            }
            let path: Arc<str> = path.into();
            nodes.by_path.insert(Arc::clone(&path), id);
            nodes.files.push(FileNode {
                path,
                language: file.language,
                parts: first..end,
                opaque: file.opaque,
                has_problems: file.has_problems,
                is_generated: file.is_generated,
                is_test: file.is_test,
                has_configured_tests: file.has_configured_tests,
                makes_tests: file.makes_tests,
                module: name(file.module)?,
            });
        }
        let is_all = left.is_empty() && decorators.is_empty() && nodes.files.len() == self.files.len();
        if !is_all || nodes.by_path.len() != nodes.files.len() {
            return None;
        }
        nodes.close_subtrees();
        Some(nodes)
    }
}

impl Rest {
    fn of(graph: &CodeGraph) -> Self {
        let mut rest = Self { sight: graph.sight(), ..Self::default() };
        for file in graph.file_ids() {
            let Some(row) = graph.rows.row(file) else { continue };
            if !row.given.is_empty() {
                rest.given.push((file, row.given.to_vec()));
            }
            if !row.demands.is_empty() {
                rest.demands.push((file, row.demands.to_vec()));
            }
            rest.unresolved.extend_from_slice(&row.unresolved);
            rest.models.extend_from_slice(&row.models);
            rest.dependents.extend_from_slice(&row.dependents);
        }
        rest
    }

    fn rows(self, nodes: &Nodes, edges: Vec<Edge>) -> Option<Rows> {
        let all = nodes.len() as u32;
        let there = |part: PartId| part.0 < all;
        let edges = Arc::new(edges);
        let mut next = 0;
        let mut unresolved = self.unresolved.into_iter().peekable();
        let mut models = self.models.into_iter().peekable();
        let mut dependents = self.dependents.into_iter().peekable();
        let mut given = self.given.into_iter().peekable();
        let mut demands = self.demands.into_iter().peekable();
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
            let is_sound = given.iter().all(|edge| here(edge.from) && there(edge.to))
                && unresolved.iter().all(|one| here(one.part))
                && demands.iter().all(|demand| demand.is_sound(all));
            if !is_sound {
                return None;
            }
            let models = std::iter::from_fn(|| models.next_if(|(_, part, _)| here(*part))).collect();
            let dependents = std::iter::from_fn(|| dependents.next_if(|one| here(one.part))).collect();
            rows.push(Arc::new(Row::recalled(nodes, file, out, given, unresolved, demands, models, dependents)));
        }
        let is_done = next == edges.len()
            && unresolved.next().is_none()
            && models.next().is_none()
            && dependents.next().is_none()
            && given.next().is_none()
            && demands.next().is_none();
        is_done.then(|| Rows::of(nodes, rows))
    }
}

fn edge_bytes(edge: &Edge) -> [u8; EDGE] {
    let kind = EdgeKind::ALL.iter().position(|kind| *kind == edge.kind).unwrap_or_default();
    let evidence = Evidence::ALL.iter().position(|evidence| *evidence == edge.evidence).unwrap_or_default();
    let mut bytes = [0; EDGE];
    bytes[..4].copy_from_slice(&edge.from.0.to_le_bytes());
    bytes[4..8].copy_from_slice(&edge.to.0.to_le_bytes());
    bytes[8..12].copy_from_slice(&edge.site.to_le_bytes());
    bytes[12..].copy_from_slice(&[kind as u8, evidence as u8, u8::from(edge.type_only), 0]);
    bytes
}

/// The edges of a section, between parts below `all`; `None` where they are not in order.
fn read_edges(section: &[u8], all: u32) -> Option<Vec<Edge>> {
    let (section, []) = section.as_chunks::<EDGE>() else { return None };
    let mut edges = Vec::with_capacity(section.len());
    let mut before = (0, 0);
    for (at, bytes) in section.iter().enumerate() {
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (from, to) = (number(0), number(4));
        let place = (u64::from(from) << 32 | u64::from(to), bytes[12]);
        if to >= all || (at > 0 && before >= place) {
            return None;
        }
        before = place;
        edges.push(Edge {
            from: PartId(from),
            to: PartId(to),
            site: number(8),
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
            "from app.kernel import Kernel\n\n\nclass More(Kernel):\n    async def stop(self):\n        return open('app/api.py')\n",
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
        let nodes = (graph.files(), graph.parts(), graph.tests(), graph.damaged());
        let keys: Vec<_> = graph.part_ids().map(|part| graph.find(&graph.key(part))).collect();
        let ends: Vec<_> = graph.part_ids().map(|part| graph.subtree(part).len()).collect();
        let edges: Vec<_> = graph.edges().collect();
        let incoming: Vec<_> =
            graph.part_ids().map(|part| graph.in_edges(part, &EdgeKind::ALL).collect::<Vec<_>>()).collect();
        let unresolved: Vec<_> = graph.unresolved().collect();
        let rest = (unresolved, graph.model_literals(), graph.dependents(), graph.sight());
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
            head.graph(&store, |start, length| Some(body.get(start as usize..)?.get(..length)?.to_vec()))
        };
        let read = |head: &[u8], body: &[u8]| of(&Head::of(head)?, body);
        for at in 0..body.len() {
            assert!(read(&head, &body[..at]).is_none(), "cut at {at}");
            let mut noise = body.clone();
            noise[at] ^= 1;
            // Of a damaged index nothing is read: it is made again.
            assert!(read(&head, &noise).is_none_or(|graph| shown(&graph) == expected), "noise at {at}");
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
