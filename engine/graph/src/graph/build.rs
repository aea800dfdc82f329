//! From files to nodes; edges come from `resolve`.

use std::sync::Arc;

use crate::hash::{Map, Set};

use super::{BuildOptions, CodeGraph, FileNode, GraphFile, is_generated_name};
use crate::code::{FileId, Part, PartId, PartKind};
use crate::facts::{Outline, PartFact, PartFlags, StringShape};
use crate::layout::{Layout, base_name};
use crate::resolve;
use crate::test_names::{TestName, python_test_name};

pub(super) fn build(mut files: Vec<GraphFile>, options: &BuildOptions) -> CodeGraph {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|later, first| later.path == first.path);
    let layout = Layout::new(files.iter().map(|file| &*file.path));
    let mut shared = Shared::default();
    let mut graph = CodeGraph {
        files: Vec::with_capacity(files.len()),
        parts: Vec::new(),
        subtree_end: Vec::new(),
        by_path: Map::default(),
        by_module: Map::default(),
        by_name: Map::default(),
        by_key: Vec::new(),
        edges: Vec::new(),
        out: Vec::new(),
        incoming: Vec::new(),
        into: Vec::new(),
        unresolved: Vec::new(),
        models: Vec::new(),
    };
    for (index, file) in files.iter().enumerate() {
        add_file(&mut graph, &mut shared, &layout, FileId(index as u32), file);
    }
    let resolved = resolve::resolve(&graph, &layout, options);
    for part in resolved.tests {
        let file = graph.parts[part.0 as usize].file;
        graph.parts[part.0 as usize].is_test = true;
        graph.files[file.0 as usize].is_test = true;
    }
    for (part, decorators) in resolved.decorators {
        graph.parts[part.0 as usize].decorators = decorators;
    }
    graph.unresolved = resolved.unresolved;
    graph.set_edges(resolved.edges);
    index(&mut graph);
    graph
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

fn add_file(graph: &mut CodeGraph, shared: &mut Shared, layout: &Layout<'_>, id: FileId, file: &GraphFile) {
    let first = graph.parts.len() as u32;
    let module: Arc<str> = match file.language {
        Some(_) => layout.module_name(&file.path).into(),
        None => Arc::clone(&file.path),
    };
    match file.outline.as_deref().filter(|_| file.opaque.is_none()) {
        Some(outline) => add_parts(graph, shared, outline, id, first, &module),
        None => {
            let name = shared.get(base_name(&file.path));
            let path = Arc::clone(&file.path);
            graph.parts.push(plain_part(PartKind::File, id, name, path, shared.get("")));
            graph.subtree_end.push(first + 1);
        }
    }
    graph.by_path.insert(Arc::clone(&file.path), id);
    if file.language.is_some() {
        graph.by_module.entry(Arc::clone(&module)).or_default().push(id);
    }
    let outline = file.outline.clone().filter(|_| file.opaque.is_none());
    graph.files.push(FileNode {
        path: Arc::clone(&file.path),
        language: file.language,
        parts: first..graph.parts.len() as u32,
        opaque: file.opaque,
        has_problems: file.has_problems,
        is_generated: is_generated_name(&file.path) || outline.as_ref().is_some_and(|outline| outline.generated),
        is_test: python_test_name(&file.path) == Some(TestName::Default),
        module,
        outline,
    });
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

fn add_parts(
    graph: &mut CodeGraph,
    shared: &mut Shared,
    outline: &Outline,
    file: FileId,
    first: u32,
    module: &Arc<str>,
) {
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
        graph.parts.push(Part {
            ordinal: ordinal as u32,
            parent: (fact.parent != PartFact::NO_PARENT).then(|| PartId(first + fact.parent)),
            occurrence: fact.occurrence,
            is_async: fact.flags.contains(PartFlags::ASYNC),
            is_public: is_public(&local_name, all.as_ref()),
            ..plain_part(fact.kind, file, name, qualified_name, local_name)
        });
        graph.subtree_end.push(first + ordinal as u32 + 1);
    }
    // From the end, each part hands its own end to the part around it.
    for ordinal in (1..outline.parts.len()).rev() {
        let parent = (first + outline.parts[ordinal].parent) as usize;
        let end = graph.subtree_end[first as usize + ordinal];
        if graph.subtree_end[parent] < end {
            graph.subtree_end[parent] = end;
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

fn index(graph: &mut CodeGraph) {
    for (index, part) in graph.parts.iter().enumerate() {
        graph.by_name.entry(Arc::clone(&part.name)).or_default().push(PartId(index as u32));
    }
    let mut by_key: Vec<PartId> = graph.part_ids().collect();
    for node in &graph.files {
        by_key[node.parts.start as usize..node.parts.end as usize].sort_unstable_by(|a, b| {
            let (a, b) = (graph.part(*a), graph.part(*b));
            (&a.local_name, a.kind, a.occurrence).cmp(&(&b.local_name, b.kind, b.occurrence))
        });
    }
    graph.by_key = by_key;
    let mut models = Vec::new();
    for node in &graph.files {
        let Some(outline) = &node.outline else { continue };
        for (index, string) in outline.strings.iter().enumerate() {
            if string.shape.contains(StringShape::MODEL) {
                let name: Arc<str> = outline.name(string.text).to_lowercase().into();
                models.push((name, PartId(node.parts.start + string.part), outline.string_site(index)));
            }
        }
    }
    models.sort_unstable();
    graph.models = models;
}
