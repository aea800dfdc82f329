//! From files to a graph, and from a graph to the graph after an edit.

use std::sync::Arc;

use crate::hash::Set;

use super::{CodeGraph, FileNode, GraphFile, ModelLiteral, Nodes, Outlines, Rows, Sight, is_generated_name};
use crate::code::{Dependent, FileId, Part, PartId, PartKind};
use crate::facts::{Language, Outline, PartFact, PartFlags};
use crate::layout::{Layout, base_name};
use crate::resolve::{self, ScopeTable};
use crate::store::FactStore;
use crate::test_names::is_test_name;

pub(super) fn build(mut files: Vec<GraphFile>, store: Option<&FactStore>) -> CodeGraph {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|later, first| later.path == first.path);
    let remembered = store.and_then(|store| store.links(|| name_of(&files)));
    let layout = Layout::new(files.iter().map(|file| &*file.path));
    let mut nodes = nodes(&files, &layout);
    let outlines: Outlines = files.into_iter().map(|file| file.outline.filter(|_| file.opaque.is_none())).collect();
    let scopes = ScopeTable::new(&outlines, nodes.files.len());
    let found = resolve::discover(&nodes, &outlines, layout, &scopes);
    for part in &found.tests {
        let part = &mut nodes.parts[part.0 as usize];
        part.is_test = true;
        let file = &mut nodes.files[part.file.0 as usize];
        // Tests of Rust live beside the code that they test.
        file.is_test |= file.language != Some(Language::Rust);
    }
    nodes.tests = found.tests;
    for (part, decorators) in found.decorators {
        nodes.parts[part.0 as usize].decorators = decorators;
    }
    let known = remembered.as_ref().and_then(|slot| resolve::decode_links(&nodes, slot.record.as_deref()?));
    let links = known.unwrap_or_else(|| {
        let links = resolve::link_all(&nodes, &outlines, &found.index, &scopes);
        if let (Some(store), Some(slot)) = (store, remembered) {
            store.learn_links(slot, resolve::encode_links(&links));
        }
        links
    });
    let demands = links.iter().flat_map(|links| &links.demands);
    let mut given = resolve::demanded(&nodes, &outlines, &found.index, &scopes, demands);
    drop(scopes);
    let rows = Rows::new(&nodes, links, |file| given.remove(&file).unwrap_or_default());
    let models = Arc::new(models(&rows));
    let dependents = Arc::new(dependents(&rows));
    let of_file = |file| rows.row(file).map(|row| Sight::of(&nodes, &outlines, file, row)).unwrap_or_default();
    let sight = nodes.file_ids().map(of_file).fold(Sight::default(), Sight::plus);
    CodeGraph { nodes: Arc::new(nodes), index: Arc::new(found.index), outlines, rows, models, dependents, sight }
}

pub(super) fn repaired(graph: &CodeGraph, file: &GraphFile) -> Option<CodeGraph> {
    let id = graph.file_by_path(&file.path)?;
    let node = graph.file(id);
    if !file.reads_as(node) {
        return None;
    }
    let (old, new) = match (graph.outline(id), file.readable()) {
        (None, None) => return Some(graph.clone()),
        (Some(old), Some(new)) => (old, new),
        _ => return None,
    };
    if old == new {
        return Some(graph.clone());
    }
    if !old.same_interface(new) {
        return None;
    }
    let mut outlines = graph.outlines.clone();
    outlines.set(id.0 as usize, Some(Arc::clone(new)));
    let links = resolve::link(&graph.nodes, &outlines, &graph.index, id);
    let rows = graph.rows.with(&graph.nodes, id, links)?;
    let (same_models, same_dependents) = match (graph.rows.row(id), rows.row(id)) {
        (Some(old), Some(new)) => (old.models == new.models, old.dependents == new.dependents),
        _ => (false, false),
    };
    let models = if same_models { Arc::clone(&graph.models) } else { Arc::new(models(&rows)) };
    let dependents = if same_dependents { Arc::clone(&graph.dependents) } else { Arc::new(dependents(&rows)) };
    let (nodes, index) = (Arc::clone(&graph.nodes), Arc::clone(&graph.index));
    let sight = graph.sight.minus(Sight::of(&nodes, &graph.outlines, id, graph.rows.row(id)?)).plus(Sight::of(
        &nodes,
        &outlines,
        id,
        rows.row(id)?,
    ));
    Some(CodeGraph { nodes, index, outlines, rows, models, dependents, sight })
}

fn dependents(rows: &Rows) -> Vec<Dependent> {
    let mut dependents: Vec<Dependent> = rows.dependents().cloned().collect();
    dependents.sort_unstable();
    dependents
}

/// The name of a tree: equal for trees with equal links.
fn name_of(files: &[GraphFile]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for file in files {
        let outline = file.outline.as_ref().map(|outline| *outline.digest());
        let read = (file.path.len(), file.language, file.opaque, file.has_problems, outline.is_some());
        hasher.update(format!("{read:?}").as_bytes());
        hasher.update(file.path.as_bytes());
        hasher.update(&outline.unwrap_or_default());
    }
    *hasher.finalize().as_bytes()
}

fn models(rows: &Rows) -> Vec<ModelLiteral> {
    let mut models: Vec<ModelLiteral> = rows.models().cloned().collect();
    models.sort_unstable();
    models
}

/// Strings that many parts have in common.
#[derive(Default)]
struct Shared {
    names: Set<Arc<str>>,
}

impl Shared {
    fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.names.insert(Arc::clone(&name));
        name
    }
}

/// The nodes of sorted files, without tests and decorators.
fn nodes(files: &[GraphFile], layout: &Layout) -> Nodes {
    let mut shared = Shared::default();
    let mut nodes = Nodes::default();
    for (index, file) in files.iter().enumerate() {
        add_file(&mut nodes, &mut shared, layout, FileId(index as u32), file);
    }
    let mut by_key: Vec<PartId> = nodes.part_ids().collect();
    for node in &nodes.files {
        by_key[node.parts.start as usize..node.parts.end as usize].sort_unstable_by(|a, b| {
            let (a, b) = (nodes.part(*a), nodes.part(*b));
            (&a.local_name, a.kind, a.occurrence).cmp(&(&b.local_name, b.kind, b.occurrence))
        });
    }
    nodes.by_key = by_key;
    nodes
}

fn add_file(nodes: &mut Nodes, shared: &mut Shared, layout: &Layout, id: FileId, file: &GraphFile) {
    let first = nodes.parts.len() as u32;
    let module: Arc<str> = match file.language {
        Some(Language::Python) => layout.module_name(&file.path).into(),
        Some(_) => dotted_path(&file.path).into(),
        None => Arc::clone(&file.path),
    };
    let outline = file.outline.as_deref().filter(|_| file.opaque.is_none());
    // What is read of a manifest are no parts.
    match outline.filter(|_| file.language.is_some()) {
        Some(outline) => add_parts(nodes, shared, outline, id, first, &module),
        None => {
            let name = shared.get(base_name(&file.path));
            let path = Arc::clone(&file.path);
            nodes.parts.push(plain_part(PartKind::File, id, name, path, shared.get("")));
            nodes.subtree_end.push(first + 1);
        }
    }
    nodes.by_path.insert(Arc::clone(&file.path), id);
    if file.opaque.is_some() || file.has_problems {
        nodes.damaged.push(id);
    }
    nodes.files.push(FileNode {
        path: Arc::clone(&file.path),
        language: file.language,
        parts: first..nodes.parts.len() as u32,
        opaque: file.opaque,
        has_problems: file.has_problems,
        is_generated: is_generated_name(&file.path) || outline.is_some_and(|outline| outline.generated),
        is_test: is_test_name(&file.path),
        module,
    });
}

/// The dotted name of a file of a language that is not found by dotted names: its path without the ending. What stands
/// for its folder (`index`, `mod`) has the folder's name.
fn dotted_path(path: &str) -> String {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let stem = stem.strip_suffix("/index").or_else(|| stem.strip_suffix("/mod")).unwrap_or(stem);
    stem.replace('/', ".")
}

fn plain_part(kind: PartKind, file: FileId, name: Arc<str>, qualified_name: Arc<str>, local_name: Arc<str>) -> Part {
    Part {
        kind,
        file,
        ordinal: 0,
        parent: None,
        name,
        qualified_name,
        local_name,
        occurrence: 0,
        is_async: false,
        is_test: false,
        is_public: true,
        decorators: Arc::new([]),
    }
}

fn add_parts(nodes: &mut Nodes, shared: &mut Shared, outline: &Outline, file: FileId, first: u32, module: &Arc<str>) {
    let all: Option<Set<&str>> = outline.all.as_ref().map(|all| all.iter().map(|name| outline.name(*name)).collect());
    for (ordinal, fact) in outline.parts.iter().enumerate() {
        let (name, qualified_name) = if fact.kind == PartKind::Module {
            (shared.get(module.rsplit('.').next().unwrap_or(module)), Arc::clone(module))
        } else {
            let local = outline.name(fact.local_name);
            let qualified = if module.is_empty() { local.into() } else { format!("{module}.{local}").into() };
            (shared.get(outline.name(fact.name)), qualified)
        };
        let local_name = shared.get(outline.name(fact.local_name));
        nodes.parts.push(Part {
            ordinal: ordinal as u32,
            parent: (fact.parent != PartFact::NO_PARENT).then(|| PartId(first + fact.parent)),
            occurrence: fact.occurrence,
            is_async: fact.flags.contains(PartFlags::ASYNC),
            is_public: is_public(&local_name, all.as_ref()),
            ..plain_part(fact.kind, file, name, qualified_name, local_name)
        });
        nodes.subtree_end.push(first + ordinal as u32 + 1);
    }
    // From the end, each part hands its own end to the part around it.
    for ordinal in (1..outline.parts.len()).rev() {
        let parent = (first + outline.parts[ordinal].parent) as usize;
        let end = nodes.subtree_end[first as usize + ordinal];
        if nodes.subtree_end[parent] < end {
            nodes.subtree_end[parent] = end;
        }
    }
}

fn is_public(local_name: &str, all: Option<&Set<&str>>) -> bool {
    let mut segments = local_name.split('.');
    let listed = match (all, segments.clone().next()) {
        (Some(all), Some(first)) if !first.is_empty() => all.contains(first),
        _ => true,
    };
    listed
        && segments.all(|segment| !segment.starts_with('_') || (segment.starts_with("__") && segment.ends_with("__")))
}

#[cfg(test)]
mod tests {
    use grace_system::files;
    use std::path::Path;

    use super::*;
    use crate::extract::extract;
    use crate::store::{FactStore, TreeMemory};

    const FILES: &[(&str, &str)] = &[
        ("app/__init__.py", ""),
        (
            "app/kernel.py",
            "class Kernel:\n    def start(self):\n        return self.stop()\n\n    def stop(self):\n        pass\n",
        ),
        (
            "app/api.py",
            "import gone\nfrom .kernel import Kernel\n\n\ndef boot():\n    return Kernel().start('model:7b')\n",
        ),
        (
            "app/more.py",
            "from app.kernel import Kernel\n\n\nclass More(Kernel):\n    def stop(self):\n        return open('app/api.py')\n",
        ),
        ("notes.md", ""),
    ];

    fn tree() -> Vec<GraphFile> {
        let facts = |path, text: &str| Language::reader_of(path).map(|language| extract(language, text.as_bytes()));
        FILES.iter().map(|(path, text)| GraphFile::new((*path).into(), facts(path, text).as_ref())).collect()
    }

    fn store(root: &Path) -> FactStore {
        FactStore::new().with_tree(Arc::new(TreeMemory::open(root, Path::new("/work"))))
    }

    fn shown(graph: &CodeGraph) -> String {
        let edges: Vec<_> = graph.edges().collect();
        let unresolved: Vec<_> = graph.unresolved().collect();
        format!("{edges:?} {unresolved:?} {:?}", graph.model_literals())
    }

    /// The sorted files of [`tree`], and the record of their links.
    fn record() -> ([u8; 32], Vec<u8>) {
        let root = files::temporary_dir().unwrap();
        let first = store(root.path());
        let _graph = CodeGraph::build_with(tree(), &first);
        first.keep();
        let mut files = tree();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let name = name_of(&files);
        let slot = store(root.path()).links(|| name).unwrap();
        (name, slot.record.expect("they are remembered"))
    }

    #[test]
    fn remembered_links_are_those_of_linking_and_are_believed() {
        let root = files::temporary_dir().unwrap();
        let expected = shown(&CodeGraph::build(tree()));
        let (name, record) = record();
        assert!(expected.contains("model:7b"));
        let remember = |record: &[u8]| TreeMemory::open(root.path(), Path::new("/work")).keep_links(0, &name, record);
        remember(&record);
        assert_eq!(shown(&CodeGraph::build_with(tree(), &store(root.path()))), expected);
        // That they are taken from there shows when they are others.
        remember(
            &resolve::encode_links(&(0..FILES.len()).map(|_| resolve::Links::default()).collect::<Vec<_>>()).unwrap(),
        );
        assert_eq!(CodeGraph::build_with(tree(), &store(root.path())).edges().count(), 0);
        // Another tree is linked by itself.
        let mut other = tree();
        other[2].has_problems = true;
        assert_eq!(shown(&CodeGraph::build_with(other, &store(root.path()))), expected);
    }

    #[test]
    fn no_record_of_links_harms() {
        let root = files::temporary_dir().unwrap();
        let expected = shown(&CodeGraph::build(tree()));
        let (name, record) = record();
        let built = |record: &[u8]| {
            TreeMemory::open(root.path(), Path::new("/work")).keep_links(0, &name, record);
            shown(&CodeGraph::build_with(tree(), &store(root.path())))
        };
        for at in 0..record.len() {
            assert_eq!(built(&record[..at]), expected, "cut at {at}");
            for byte in [0, 1, 0x7f, 0xff] {
                let mut changed = record.clone();
                changed[at] = byte;
                built(&changed);
            }
        }
    }
}
