//! From files to a graph, and from a graph to the graph after an edit.

use std::sync::Arc;

use rayon::prelude::*;

use crate::hash::Set;

use super::words::Namer;
use super::{
    Anew, CodeGraph, FileNode, GraphFile, ModelLiteral, ModelLiterals, Nodes, Outlines, Repair, Row, Rows, Sight,
    heirs, is_generated_name, splice,
};
use crate::code::{Dependent, Edge, EdgeKind, FileId, Part, PartId, PartKind, Word, Words};
use crate::facts::{BindingFact, BindingForm, ImportFact, Language, NameId, Outline, PartFact, PartFlags};
use crate::layout::{Layout, base_name};
use crate::resolve::{self, Index, LazyIndex, ScopeTable, Trace};
use crate::test_names::is_test_name;

/// Files that one task of a worker handles at least.
const SHARE: usize = 64;

pub(super) fn build(mut files: Vec<GraphFile>) -> CodeGraph {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|later, first| later.path == first.path);
    let layout = Layout::new(files.iter().map(|file| &*file.path));
    let mut nodes = nodes(&files, &layout);
    let outlines: Outlines = files.into_iter().map(|file| file.outline.filter(|_| file.opaque.is_none())).collect();
    let scopes = ScopeTable::new(&outlines, nodes.files.len());
    scopes.fill();
    let found = resolve::discover(&nodes, &outlines, layout, &scopes, None);
    mark(&mut nodes, found.tests, &found.configured, found.decorators);
    let rows = linked(&nodes, &outlines, &found.index, &scopes, Trace::No);
    drop(scopes);
    let rows = Rows::of(&nodes, rows);
    let sight = Sight::of_all(&nodes, &outlines, &rows);
    assembled(nodes, found.index, outlines, rows, sight)
}

/// The rows of all files.
pub(super) fn linked(
    nodes: &Nodes,
    outlines: &Outlines,
    index: &Index,
    scopes: &ScopeTable<'_>,
    trace: Trace,
) -> Vec<Arc<Row>> {
    let links = resolve::link_all(nodes, outlines, index, scopes, trace);
    let demands = links.iter().flat_map(|links| &links.demands);
    let mut given = resolve::demanded(nodes, outlines, index, scopes, demands);
    let files: Vec<_> = nodes
        .file_ids()
        .zip(links)
        .map(|(file, links)| (file, links, given.remove(&file).unwrap_or_default()))
        .collect();
    let row = |(file, links, given): (_, _, Vec<_>)| Arc::new(Row::new(nodes, file, links, given.into()));
    files.into_par_iter().with_min_len(SHARE).map(row).collect()
}

/// The graph with rows of which it is known what their look-ups came by.
pub(super) fn traced(graph: &CodeGraph) -> CodeGraph {
    // Of other languages all files are linked again, whatever they come by.
    let is_of_python = |file: &FileNode| file.language == Some(Language::Python);
    if graph.rows.are_traced() || !graph.files().iter().any(is_of_python) {
        return graph.clone();
    }
    let scopes = ScopeTable::staying(&graph.outlines);
    let rows = linked(&graph.nodes, &graph.outlines, graph.index(), &scopes, Trace::Yes);
    let rows = graph.rows.instead(rows);
    CodeGraph { built: Arc::new(rows.clone()), rows, ..graph.clone() }
}

/// A graph of which all rows are known.
pub(super) fn assembled(nodes: Nodes, index: Index, outlines: Outlines, rows: Rows, sight: Sight) -> CodeGraph {
    let models = Arc::new(models(&rows));
    let dependents = Arc::new(dependents(&rows));
    let index = Arc::new(LazyIndex::known(index));
    let built = Arc::new(rows.clone());
    let (bases, heirs) = (Arc::default(), Arc::default());
    CodeGraph { nodes: Arc::new(nodes), index, outlines, rows, built, models, dependents, bases, heirs, sight }
}

/// Says which parts are tests, and what decorates parts; before, neither is said of any.
pub(super) fn mark<D: IntoIterator<Item: AsRef<str>>>(
    nodes: &mut Nodes,
    tests: Vec<PartId>,
    configured: &[FileId],
    decorators: impl IntoIterator<Item = (PartId, D)>,
) {
    for file in configured {
        nodes.files[file.0 as usize].has_configured_tests = true;
    }
    for part in &tests {
        let part = &mut nodes.parts[part.0 as usize];
        part.is_test = true;
        let file = &mut nodes.files[part.file.0 as usize];
        // Tests of Rust live beside the code that they test.
        file.is_test |= file.language != Some(Language::Rust);
    }
    nodes.tests = tests;
    let mut namer = Namer::default();
    for (part, decorators) in decorators {
        let first = nodes.decorators.len() as u32;
        nodes.decorators.extend(decorators.into_iter().map(|name| namer.add(&mut nodes.names, name.as_ref())));
        let count = nodes.decorators.len() as u32 - first;
        nodes.parts[part.0 as usize].decorators = Words { first, count };
    }
}

pub(super) fn repaired(
    graph: &CodeGraph,
    files: &[GraphFile],
    gone: &[Arc<str>],
    how: Repair,
) -> Result<CodeGraph, Anew> {
    let is_there = |file: &GraphFile| graph.file_by_path(&file.path);
    let other: Vec<&GraphFile> =
        files.iter().filter(|file| !is_there(file).is_some_and(|id| file.is_as_in(graph, id))).collect();
    let gone: Vec<Arc<str>> = gone.iter().filter(|path| graph.file_by_path(path).is_some()).cloned().collect();
    if gone.is_empty()
        && let Some(bodies) = other.iter().map(|file| body(graph, file)).collect::<Option<Vec<_>>>()
    {
        let edit = |graph: CodeGraph, (id, new)| with_body(&graph, id, new);
        if let Some(repaired) = bodies.into_iter().try_fold(graph.clone(), edit) {
            return Ok(repaired);
        }
    }
    match how {
        Repair::Bodies => Err(Anew::Seen),
        Repair::Any => splice::spliced(graph, &other.into_iter().cloned().collect::<Vec<_>>(), &gone),
    }
}

/// What a file is edited to, where others do not see that.
fn body<'f>(graph: &CodeGraph, file: &'f GraphFile) -> Option<(FileId, &'f Arc<Outline>)> {
    let id = graph.file_by_path(&file.path)?;
    let (old, new) = (graph.outline(id)?, file.readable()?);
    (file.reads_as(graph.file(id)) && resolve::is_seen_by_nobody(file.language, old, new)).then_some((id, new))
}

/// The graph with another body of one file.
fn with_body(graph: &CodeGraph, id: FileId, outline: &Arc<Outline>) -> Option<CodeGraph> {
    let mut outlines = graph.outlines.clone();
    outlines.set(id, Arc::clone(outline));
    let trace = if graph.rows.row(id)?.visits.is_some() { Trace::Yes } else { Trace::No };
    let links = resolve::link(&graph.nodes, &outlines, graph.index(), trace, id);
    let rows = graph.rows.with(&graph.nodes, id, links, &graph.built)?;
    let (old, new) = (graph.rows.row(id)?, rows.row(id)?);
    let (same_models, same_dependents) = (old.models == new.models, old.dependents == new.dependents);
    let same_bases = old.edges().filter(is_base).eq(new.edges().filter(is_base));
    let models = if same_models { Arc::clone(&graph.models) } else { Arc::new(models(&rows)) };
    let dependents = if same_dependents { Arc::clone(&graph.dependents) } else { Arc::new(dependents(&rows)) };
    let bases = if same_bases { Arc::clone(&graph.bases) } else { Arc::default() };
    let same_heirs = same_bases && heirs::imports_alike(graph, id, outline, new);
    let heirs = if same_heirs { Arc::clone(&graph.heirs) } else { Arc::default() };
    let (nodes, index) = (Arc::clone(&graph.nodes), Arc::clone(&graph.index));
    let of_old = Sight::of(&nodes, &graph.outlines, id, old);
    let sight = graph.sight.minus(of_old).plus(Sight::of(&nodes, &outlines, id, new));
    let built = Arc::clone(&graph.built);
    Some(CodeGraph { nodes, index, outlines, rows, built, models, dependents, bases, heirs, sight })
}

/// Whether an edge leads from a class to what it inherits.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "a filter of edges")]
pub(super) fn is_base(edge: &&Edge) -> bool {
    edge.kind == EdgeKind::Inherits
}

pub(super) fn dependents(rows: &Rows) -> Vec<Dependent> {
    let mut dependents: Vec<Dependent> = rows.dependents().cloned().collect();
    dependents.sort_unstable();
    dependents
}

pub(super) fn models(rows: &Rows) -> ModelLiterals {
    let mut models: Vec<ModelLiteral> = rows.models().cloned().collect();
    models.sort_unstable();
    ModelLiterals(models)
}

/// The nodes of sorted files, without tests and decorators.
fn nodes(files: &[GraphFile], layout: &Layout) -> Nodes {
    let mut namer = Namer::default();
    let mut nodes = Nodes::default();
    for (index, file) in files.iter().enumerate() {
        add_file(&mut nodes, &mut namer, layout, FileId(index as u32), file);
    }
    nodes.by_key = nodes.part_ids().collect();
    for file in 0..nodes.files.len() {
        nodes.sort_keys(nodes.files[file].parts.clone());
    }
    nodes.close_subtrees();
    nodes
}

pub(super) fn add_file(nodes: &mut Nodes, namer: &mut Namer, layout: &Layout, id: FileId, file: &GraphFile) {
    let first = nodes.parts.len() as u32;
    let module: Arc<str> = match file.language {
        Some(Language::Python) => layout.module_name(&file.path).into(),
        Some(_) => dotted_path(&file.path).into(),
        None => Arc::clone(&file.path),
    };
    let outline = file.outline.as_deref().filter(|_| file.opaque.is_none());
    // What is read of a manifest are no parts.
    match outline.filter(|_| file.language.is_some()) {
        Some(outline) => add_parts(nodes, namer, outline, id, first, &module),
        None => {
            let name = namer.add(&mut nodes.names, base_name(&file.path));
            let local_name = namer.add(&mut nodes.names, "");
            nodes.parts.push(plain_part(PartKind::File, id, name, local_name));
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
        has_configured_tests: false,
        makes_tests: file.language == Some(Language::Python) && outline.is_some_and(makes_tests),
        gives_names: outline.is_some_and(gives_names),
        module,
    });
}

/// Whether a module may hold tests that it does not write out; see [`FileNode::makes_tests`].
fn makes_tests(outline: &Outline) -> bool {
    let is_named = |id: NameId| ["test", "Test"].iter().any(|start| outline.name(id).starts_with(start));
    let is_made = |id: &NameId| matches!(outline.name(*id), base if base == "?" || base.contains('('));
    let renames = |import: &ImportFact| import.part == 0 && import.alias.some().is_some_and(is_named);
    let makes = |part: &PartFact| {
        part.parent == 0 && (outline.name(part.name) == "load_tests" || outline.list(part.bases).iter().any(is_made))
    };
    let is_of_class = |part: u32| outline.parts.get(part as usize).is_some_and(|part| part.kind == PartKind::Class);
    let binds = |binding: &BindingFact| {
        let is_value = binding.form != BindingForm::Annotation && !binding.on_self;
        is_value && is_named(binding.target) && is_of_class(binding.part)
    };
    outline.module_names.iter().any(|name| is_named(*name))
        || outline.bindings.iter().any(binds)
        || outline.imports.iter().any(renames)
        || outline.parts.iter().any(makes)
}

/// See [`FileNode::gives_names`].
fn gives_names(outline: &Outline) -> bool {
    // What runs for a test comes too late to give any.
    let runs_for_tests = |part: &PartFact| {
        let around = |part: &&PartFact| outline.parts.get(part.parent as usize);
        std::iter::successors(Some(part), around).any(|part| {
            let is_function = matches!(part.kind, PartKind::Function | PartKind::Method);
            is_function && (part.flags.contains(PartFlags::FIXTURE) || outline.name(part.name).starts_with("test"))
        })
    };
    let gives = |part: &PartFact| part.flags.contains(PartFlags::GIVES_NAMES) && !runs_for_tests(part);
    outline.parts.iter().any(|part| gives(part) || outline.makes_classes(part))
}

/// The dotted name of a file of a language that is not found by dotted names: its path without the ending. What stands
/// for its folder (`index`, `mod`) has the folder's name.
fn dotted_path(path: &str) -> String {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let stem = stem.strip_suffix("/index").or_else(|| stem.strip_suffix("/mod")).unwrap_or(stem);
    stem.replace('/', ".")
}

fn plain_part(kind: PartKind, file: FileId, name: Word, local_name: Word) -> Part {
    Part {
        kind,
        file,
        ordinal: 0,
        parent: None,
        name,
        local_name,
        occurrence: 0,
        is_async: false,
        is_test: false,
        is_conditional: false,
        keeps_classes: false,
        is_public: true,
        decorators: Words::default(),
    }
}

fn add_parts(nodes: &mut Nodes, namer: &mut Namer, outline: &Outline, file: FileId, first: u32, module: &Arc<str>) {
    let all: Option<Set<&str>> = outline.all.as_ref().map(|all| all.iter().map(|name| outline.name(*name)).collect());
    for (ordinal, fact) in outline.parts.iter().enumerate() {
        let name = if fact.kind == PartKind::Module {
            module.rsplit('.').next().unwrap_or(module)
        } else {
            outline.name(fact.name)
        };
        let name = namer.add(&mut nodes.names, name);
        let said = outline.name(fact.local_name);
        let local_name = namer.add(&mut nodes.names, said);
        nodes.parts.push(Part {
            ordinal: ordinal as u32,
            parent: (fact.parent != PartFact::NO_PARENT).then(|| PartId(first + fact.parent)),
            occurrence: fact.occurrence,
            is_async: fact.flags.contains(PartFlags::ASYNC),
            is_conditional: fact.flags.contains(PartFlags::CONDITIONAL),
            keeps_classes: outline.keeps_classes(fact),
            is_public: is_public(said, all.as_ref()),
            ..plain_part(fact.kind, file, name, local_name)
        });
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
