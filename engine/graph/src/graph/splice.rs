//! The graph after some files became others, came or went: repaired where that is less than building it anew.
//!
//! Of a graph that is repaired again and again, what the links of a file of Python hang on in other files is written down as
//! it is linked ([`traced`]). So links are made again only for files whose look-ups came by what changed; all others are
//! kept, under new numbers. Of one that was just built or recalled nobody knows that: whatever look-ups hang on is asked for
//! by a name, so there the files are linked again that hold a name whose meaning changed ([`named`]). What all files say
//! together is told anew, but where functions alone came or went for which nobody asks ([`quiet`]). Files of other languages
//! are linked again with all of their language. Where neither tells (plugins of pytest, folders that imports start from), the graph is to be built anew.

mod modules;
mod named;
mod names;
mod quiet;
mod traced;
mod turn;

use std::sync::Arc;

use rayon::prelude::*;

use super::build;
use super::rows::Row;
use super::{Anew, CodeGraph, FileNode, GraphFile, Nodes, Outlines, Rows, Sight};
use crate::code::{Edge, FileId, PartId};
use crate::facts::Language;
use crate::hash::{Map, Set};
use crate::layout::{base_name, directory_of, stem};
use crate::resolve::{self, Demand, Index, Links, ScopeTable, Trace, unread};

use modules::Places;
use names::Meanings;
use quiet::Quiet;
use turn::{Changed, Seen, Turn};

/// `files` are other than in the graph, or not there yet; `gone` are there and shall not be.
pub(super) fn spliced(graph: &CodeGraph, files: &[GraphFile], gone: &[Arc<str>]) -> Result<CodeGraph, Anew> {
    let mut turn = Turn::new(graph, files, gone);
    // Imports start elsewhere: every name of a module may mean another one.
    if !graph.index().layout.has_roots_of(&turn.layout) {
        return Err(Anew::Roots);
    }
    let outlines = turn.outlines.clone();
    // A module that is compiled is found by its path alone, and what settings say holds everywhere.
    let is_everywhere = |changed: &Changed| {
        let reader = Language::reader_of(&changed.path);
        let is_settings = matches!(reader, Some(Language::PythonToml | Language::PythonIni));
        changed.comes_or_goes() && changed.path.ends_with(".pyx") || is_settings && changed.seen != Seen::Nothing
    };
    if turn.changed.iter().any(is_everywhere) {
        return Err(Anew::Settings);
    }
    let names = changed_names(graph, &outlines, &mut turn.changed);
    let changed = turn.changed.clone();
    let places = Places::of(graph, &turn, &changed);
    // What is around everything has no name.
    if places.packages_made.contains(&"") {
        return Err(Anew::Roots);
    }
    let files = turn.files_of(Language::Python);
    let mut again = vec![false; turn.nodes.files.len()];
    changed.iter().filter_map(|changed| changed.after).for_each(|file| again[file.0 as usize] = true);
    mark_kin(&turn, &outlines, &places, &mut again);
    if places.may_be_named() {
        for &file in &files {
            again[file.0 as usize] |= outlines.of(file).is_some_and(|outline| places.are_named_in(outline));
        }
    }

    let trace = if graph.rows.are_traced() { Trace::Yes } else { Trace::No };
    let scopes = match trace {
        Trace::Yes => ScopeTable::staying(&outlines),
        Trace::No => ScopeTable::new(&outlines, turn.nodes.files.len()),
    };
    let mut edits = Edits {
        told: Told::Anew,
        graph,
        outlines: &outlines,
        scopes: &scopes,
        changed: &changed,
        names,
        places,
        files: &files,
    };
    edits.told = edits.told(&turn);
    let index = match trace {
        Trace::Yes => traced::mark(&edits, &mut turn, &mut again)?,
        Trace::No => named::mark(&edits, &mut turn, &mut again)?,
    };
    let (nodes, of) = (&turn.nodes, |part| turn.part(part));
    let was_there = nodes.file_ids().filter_map(|file| Some((file, turn.origin(file)?)));
    let is_told_anew = matches!(edits.told, Told::Anew);
    for (file, before) in was_there.filter(|_| is_told_anew) {
        again[file.0 as usize] |= !is_marked_alike(graph, nodes, before, file, of);
    }
    let rows = rows(&edits, &turn, &index, trace, &mut again).ok_or(Anew::Classes)?;
    let sight = if is_told_anew { Sight::of_all(nodes, &outlines, &rows) } else { sight(graph, &turn, &rows, &again) };
    drop(scopes);
    Ok(build::assembled(turn.nodes, index, outlines, rows, sight))
}

/// How much is seen of a tree in which tests are those of before, when the links of some files were made again.
fn sight(graph: &CodeGraph, turn: &Turn, rows: &Rows, again: &[bool]) -> Sight {
    let before = |file| graph.rows.row(file).map(|row| Sight::of(&graph.nodes, &graph.outlines, file, row));
    let after = |file| rows.row(file).map(|row| Sight::of(&turn.nodes, &turn.outlines, file, row));
    let sum = |all: Sight, one: Option<Sight>| all.plus(one.unwrap_or_default());
    let linked = || turn.nodes.file_ids().filter(|file| again[file.0 as usize]);
    let gone = graph.file_ids().filter(|file| turn.file(*file).is_none());
    let old = linked().filter_map(|file| turn.origin(file)).chain(gone).map(before).fold(Sight::default(), sum);
    graph.sight.minus(old).plus(linked().map(after).fold(Sight::default(), sum))
}

/// How is told what all files say together.
#[derive(Debug)]
enum Told {
    /// All are read.
    Anew,
    /// They say what they said, under other numbers, but for some functions.
    Quiet(Quiet),
    /// They say what they said: nothing reads any of those that are others.
    Carried,
}

/// What became another one, and what it lies among.
struct Edits<'o> {
    graph: &'o CodeGraph,
    /// After the edits.
    outlines: &'o Outlines,
    scopes: &'o ScopeTable<'o>,
    changed: &'o [Changed],
    told: Told,
    /// By changed file: its names that mean something else.
    names: Vec<Set<&'o str>>,
    places: Places<'o>,
    /// Files of Python, after the edits.
    files: &'o [FileId],
}

impl<'o> Edits<'o> {
    /// Files of Python of which others see what became of them.
    fn seen(&self) -> impl Iterator<Item = (&'o Changed, &Set<&'o str>)> {
        let seen =
            |(changed, _): &(&Changed, _)| changed.language == Some(Language::Python) && changed.seen != Seen::Nothing;
        self.changed.iter().zip(&self.names).filter(seen)
    }

    fn told(&self, turn: &Turn) -> Told {
        if self.changed.iter().all(Changed::is_plain) {
            return Told::Carried;
        }
        Quiet::of(self, turn).map_or(Told::Anew, Told::Quiet)
    }

    /// Whether a file of after may find something else by a name that is computed.
    fn may_compute_otherwise(&self, turn: &Turn, file: FileId) -> bool {
        let row = turn.origin(file).and_then(|before| self.graph.rows.row(before));
        match (&self.told, row) {
            (Told::Quiet(quiet), Some(row)) => row.asked.iter().any(|asked| quiet.are_among(asked, turn)),
            _ => self.outlines.computes(file),
        }
    }

    /// The edges that demands ask for, by file, where they are those of before.
    fn given_as_before(&self, turn: &Turn, demands: &[&Demand]) -> Option<Map<FileId, Vec<Edge>>> {
        let is_other = |demand: &&Demand| match &self.told {
            Told::Anew => true,
            Told::Quiet(quiet) => quiet.are_called(demand.name()),
            Told::Carried => false,
        };
        if demands.iter().any(is_other) {
            return None;
        }
        let (of, before) =
            (|part| turn.part(part), || self.graph.file_ids().filter_map(|file| self.graph.rows.row(file)));
        let old = before().flat_map(|row| &row.demands).map(|demand| demand.renumbered(of));
        let old: Vec<Demand> = old.collect::<Option<_>>()?;
        if resolve::each_once(old.iter()) != demands {
            return None;
        }
        let mut given: Map<FileId, Vec<Edge>> = Map::default();
        for edge in before().flat_map(|row| &row.given) {
            let (from, to) = (turn.part(edge.from)?, turn.part(edge.to)?);
            let start = turn.nodes.part(from);
            // As where they are told anew: what is asked for is shown at the method.
            given.entry(start.file).or_default().push(Edge { from, to, site: start.ordinal, ..*edge });
        }
        Some(given)
    }

    /// What all files say together after the edits, with the classes where they are as they were. Marks tests and what is
    /// decorated.
    fn discover(&self, turn: &mut Turn, same_classes: bool) -> Result<Index, Anew> {
        if !matches!(self.told, Told::Anew) {
            return self.carried(turn).ok_or(Anew::Classes);
        }
        let of = |part| turn.part(part);
        let classes = || self.graph.index().renumbered_classes(of).ok_or(Anew::Classes);
        let known = if same_classes { Some(classes()?) } else { None };
        let layout = std::mem::take(&mut turn.layout);
        let found = resolve::discover(&turn.nodes, self.outlines, layout, self.scopes, known);
        build::mark(&mut turn.nodes, found.tests, &found.configured, found.decorators);
        Ok(found.index)
    }

    /// What all files say together where they say what they said; `None` where one has no number any more.
    fn carried(&self, turn: &mut Turn) -> Option<Index> {
        let graph = self.graph;
        let layout = std::mem::take(&mut turn.layout);
        let same_methods = matches!(self.told, Told::Carried);
        let (file, of) = (|file| turn.file(file), |part| turn.part(part));
        let index = graph.index().carried(&turn.nodes, self.outlines, layout, same_methods, file, of)?;
        let tests = graph.tests().iter().map(|test| turn.part(*test)).collect::<Option<_>>()?;
        let configured = graph.file_ids().filter(|file| graph.file(*file).has_configured_tests);
        let configured: Vec<FileId> = configured.map(|file| turn.file(file)).collect::<Option<_>>()?;
        let decorated = graph.part_ids().filter(|part| graph.decorators(*part).len() > 0);
        let decorated: Vec<(PartId, PartId)> =
            decorated.map(|part| Some((turn.part(part)?, part))).collect::<Option<_>>()?;
        let decorators = decorated.into_iter().map(|(part, before)| (part, graph.decorators(before)));
        build::mark(&mut turn.nodes, tests, &configured, decorators);
        Some(index)
    }
}

/// By changed file: the names that mean something else, of files of Python. A file of which names do not tell that is seen
/// as a whole.
fn changed_names<'o>(graph: &'o CodeGraph, outlines: &'o Outlines, changed: &mut [Changed]) -> Vec<Set<&'o str>> {
    let of_file = |changed: &mut Changed| {
        if changed.language != Some(Language::Python) || changed.seen != Seen::Names {
            return Set::default();
        }
        let old = changed.before.and_then(|file| graph.outline(file));
        let new = changed.after.and_then(|file| outlines.of(file));
        let names = old.zip(new).and_then(|(old, new)| names::changed_names(old, new));
        names.unwrap_or_else(|| {
            changed.seen = Seen::Whole;
            Set::default()
        })
    };
    changed.iter_mut().map(of_file).collect()
}

/// Where names of modules may be bound without being written.
struct Loose {
    everywhere: bool,
    files: Vec<FileId>,
}

impl Loose {
    fn new(turn: &Turn, outlines: &Outlines, meanings: &Meanings<'_>, files: &[FileId]) -> Self {
        if meanings.modules.is_empty() {
            return Self { everywhere: false, files: Vec::new() };
        }
        let has_star = |file: &FileId| {
            let outline = outlines.of(*file);
            outline
                .is_some_and(|outline| outline.imports.iter().any(|import| meanings.may_give_modules(outline, import)))
        };
        let is_package = |file: &FileId| stem(base_name(&turn.nodes.file(*file).path)) == "__init__";
        Self { everywhere: files.iter().any(has_star), files: files.iter().copied().filter(is_package).collect() }
    }

    fn holds(&self, file: FileId) -> bool {
        self.everywhere || self.files.binary_search(&file).is_ok()
    }
}

/// Languages whose code uses each other and that are linked again as one.
fn kin(path: &str, language: Option<Language>) -> Option<Language> {
    match language.or_else(|| Language::reader_of(path))? {
        Language::Python => None,
        Language::TypeScript | Language::Tsx | Language::JavaScript | Language::PackageJson | Language::TsConfig => {
            Some(Language::JavaScript)
        }
        Language::Rust | Language::CargoToml => Some(Language::Rust),
        Language::Go | Language::GoMod => Some(Language::Go),
        Language::PythonToml | Language::PythonIni => None,
    }
}

/// Marks the files of other languages than Python whose links may differ.
fn mark_kin(turn: &Turn, outlines: &Outlines, places: &Places<'_>, again: &mut [bool]) {
    let seen = turn.changed.iter().filter(|changed| changed.seen != Seen::Nothing);
    let mut kins: Vec<Language> = seen.filter_map(|changed| kin(&changed.path, changed.language)).collect();
    // A folder that is embedded is one with all that lies in it.
    if turn.changed.iter().any(Changed::comes_or_goes) {
        kins.push(Language::Go);
    }
    let all = || turn.nodes.file_ids().zip(turn.nodes.files());
    for (id, file) in all() {
        let Some(kin) = kin(&file.path, file.language) else { continue };
        if outlines.of(id).is_some_and(|outline| places.are_written_in(outline)) {
            again[id.0 as usize] = true;
            // What a manifest names is where modules are.
            if file.language.is_none() {
                kins.push(kin);
            }
        }
    }
    // What is not read and uses others hangs on its package.
    if turn.changed.iter().any(|changed| changed.comes_or_goes() && unread::begins_package(&changed.path)) {
        for (id, file) in all().filter(|(_, file)| file.language.is_none()) {
            again[id.0 as usize] |= unread::may_use(&file.path);
        }
    }
    for (id, file) in all() {
        again[id.0 as usize] |= kin(&file.path, file.language).is_some_and(|kin| kins.contains(&kin));
    }
}

/// Marks the files that are offered other fixtures; `None` where plugins, which are offered to all, differ.
fn mark_fixtures(graph: &CodeGraph, turn: &Turn, index: &Index, files: &[FileId], again: &mut [bool]) -> Option<()> {
    let differing = graph.index().fixtures_that_differ(index, |file| turn.file(file), |part| turn.part(part))?;
    for &file in files {
        let path = &turn.nodes.file(file).path;
        let mut folder = directory_of(path);
        let below = loop {
            if differing.folders.contains(folder) {
                break true;
            }
            if folder.is_empty() {
                break false;
            }
            folder = directory_of(folder);
        };
        again[file.0 as usize] |= below || differing.files.contains(&file);
    }
    Some(())
}

/// Whether a file and its parts are tests, and decorated, as they were.
fn is_marked_alike(
    graph: &CodeGraph,
    nodes: &Nodes,
    before: FileId,
    after: FileId,
    of: impl Fn(PartId) -> Option<PartId>,
) -> bool {
    let marks = |file: &FileNode| (file.is_test, file.has_configured_tests);
    marks(graph.file(before)) == marks(nodes.file(after))
        && graph.parts_of(before).all(|part| {
            of(part).is_some_and(|after| {
                graph.part(part).is_test == nodes.part(after).is_test
                    && graph.decorators(part).eq(nodes.decorators(after))
            })
        })
}

/// The rows of all files: those that are marked are linked again, and those to which what others ask of methods differs.
/// Marks the latter, too.
fn rows(edits: &Edits<'_>, turn: &Turn, index: &Index, trace: Trace, again: &mut [bool]) -> Option<Rows> {
    let Edits { graph, outlines, scopes, .. } = edits;
    let nodes = &turn.nodes;
    let same = turn.is_identity();
    let of_file = |(file, again): (usize, &bool)| -> Option<Arc<Row>> {
        let id = FileId(file as u32);
        let row = graph.rows.row(turn.origin(id)?).filter(|_| !again)?;
        if same { Some(Arc::clone(row)) } else { row.renumbered(nodes, id, |part| turn.part(part)).map(Arc::new) }
    };
    let mut kept: Vec<Option<Arc<Row>>> = again.par_iter().enumerate().map(of_file).collect();
    // What leads to a part that went is linked again, too.
    again.iter_mut().zip(&kept).for_each(|(again, kept)| *again |= kept.is_none());

    let link = |marked: &[bool]| -> Vec<(FileId, Links)> {
        let files: Vec<FileId> = nodes.file_ids().filter(|file| marked[file.0 as usize]).collect();
        let links = resolve::link_some(nodes, outlines, index, scopes, trace, &files);
        files.into_iter().zip(links).collect()
    };
    let mut links = link(again);
    let demands =
        (kept.iter().flatten().flat_map(|row| &row.demands)).chain(links.iter().flat_map(|(_, links)| &links.demands));
    let demands = resolve::each_once(demands);
    let given = edits.given_as_before(turn, &demands);
    let mut given = given.unwrap_or_else(|| resolve::demanded(nodes, outlines, index, scopes, demands.iter().copied()));
    given.values_mut().for_each(|edges| edges.sort_unstable());
    let mut more = vec![false; again.len()];
    for (at, row) in kept.iter_mut().enumerate() {
        let Some(old) = row else { continue };
        let mut before = old.given.to_vec();
        before.sort_unstable();
        if given.get(&FileId(at as u32)).map_or(&[][..], Vec::as_slice) != before {
            (more[at], *row) = (true, None);
        }
    }
    links.extend(link(&more));
    again.iter_mut().zip(more).for_each(|(again, more)| *again |= more);
    for (file, links) in links {
        let given = given.remove(&file).unwrap_or_default().into();
        kept[file.0 as usize] = Some(Arc::new(Row::new(nodes, file, links, given)));
    }
    Some(Rows::of(nodes, kept.into_iter().collect::<Option<_>>()?))
}
