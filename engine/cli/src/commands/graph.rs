//! `graph`: what is known of the code, and what is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use grace_dsl::ast::{ItemKind, SetExpr};
use grace_engine::input::{Book, BookFile, Input, TreeContent};
use grace_engine::plan::Side;
use grace_engine::{Engine, Row};
use grace_graph::code::{Edge, EdgeKind, PartId};
use grace_graph::facts::Language;
use grace_graph::graph::{CodeGraph, Direction};
use grace_graph::store::FactStore;

use super::{Answer, Context, check};
use crate::args::{Format, GraphArgs, Level};
use crate::failure::{Failure, Result};
use crate::load::{self, Loaded};
use crate::screen;

/// The name under which a set on the command line is checked.
const QUERY: &str = "the set";
/// What stands before it there.
const BEFORE: &str = "define query =\n";

pub(super) fn stats(context: &Context, args: &GraphArgs) -> Result<Answer> {
    let loaded = load::load_tree(&context.place, args, &context.progress)?;
    let working = context.progress.spinner("connecting");
    let (graph, stats) = loaded.memory.kept_while(|| {
        let graph = loaded.input.after.graph(&loaded.memory.store);
        let stats = graph.stats();
        (graph, stats)
    });
    drop(working);
    let opaque = |input: &Input| -> Vec<(String, String)> {
        let why = |content: &TreeContent| match content {
            TreeContent::Opaque(why) => Some(why.to_string()),
            _ => None,
        };
        let code = input.after.files.iter().filter(|file| Language::of_path(&file.path).is_some());
        code.filter_map(|file| Some((file.path.to_string(), why(&file.content)?))).collect()
    };
    let report = screen::stats::Report::new(&graph, &stats, &opaque(&loaded.input), &loaded.compared);
    let answer = if context.is_json() {
        Answer::json(&report, true)
    } else {
        let mut page = context.page();
        screen::stats::stats(&mut page, &report);
        screen::notes::problems(&mut page, &loaded.problems);
        Ok(Answer::yes(page.finish()))
    };
    drop(report);
    // The process ends next, which gives all of it back at once instead of piece by piece.
    std::mem::forget((graph, loaded));
    answer
}

pub(super) fn path(context: &Context, from: &str, to: &str, args: &GraphArgs) -> Result<Answer> {
    let loaded = load::load_tree(&context.place, args, &context.progress)?;
    let working = context.progress.spinner("connecting");
    let graph = loaded.memory.kept_while(|| loaded.input.after.graph(&loaded.memory.store));
    drop(working);
    let (start, end) = (named(&graph, from)?, named(&graph, to)?);
    // What is certain says more, though it be longer.
    let way = [true, false].into_iter().find_map(|certain_only| {
        graph.path_to_any(&start, &end, &EdgeKind::ALL, Direction::Forward, None, certain_only)
    });
    let places = Places::new(&loaded);
    let steps: Vec<screen::way::Step> = way.iter().flatten().map(|edge| places.step(&graph, edge)).collect();
    if context.is_json() {
        return Answer::json(&way.is_some().then_some(&steps), way.is_some());
    }
    let mut page = context.page();
    screen::way::way(&mut page, from, to, way.is_some().then_some(&steps));
    Ok(Answer { text: page.finish(), code: u8::from(way.is_none()) })
}

/// What a name on the command line means: a file with all its parts, or the parts of a dotted name or of its end.
fn named(graph: &CodeGraph, name: &str) -> Result<FixedBitSet> {
    let mut found = graph.empty_set();
    if let Some(file) = graph.file_by_path(name) {
        found.extend(graph.parts_of(file).map(|part| part.0 as usize));
        return Ok(found);
    }
    // `a/b.py::Class.method`, as tests are written, is a dotted name below a file.
    let below =
        name.split_once("::").and_then(|(path, local)| Some((graph.file_by_path(path)?, local.replace("::", "."))));
    let is_it = |part: &PartId| match &below {
        Some((file, local)) => graph.part(*part).file == *file && graph.local_name(*part) == local,
        None => {
            let full = graph.qualified_name(*part);
            let rest = full.strip_suffix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }
    };
    for part in graph.part_ids().filter(is_it) {
        found.extend(graph.subtree(part).map(|inside| inside.0 as usize));
    }
    if found.is_clear() {
        let failure = Failure::new("name", format!("there is neither a file nor a part `{}`", name.escape_debug()));
        return Err(failure.help("a path as `git ls-files` writes it, or a dotted name: app.core.kernel.Kernel.start"));
    }
    Ok(found)
}

pub(super) fn export(context: &Context, level: Level, args: &GraphArgs) -> Result<Answer> {
    let loaded = load::load_tree(&context.place, args, &context.progress)?;
    let working = context.progress.spinner("connecting");
    let graph = loaded.memory.kept_while(|| loaded.input.after.graph(&loaded.memory.store));
    drop(working);
    let places = Places::new(&loaded);
    let exported = screen::export::Exported::new(&graph, level == Level::Parts, |edge| places.line(&graph, edge));
    match context.format {
        Format::Json => Answer::json(&exported, true),
        Format::GraphMl => Ok(Answer::yes(exported.graphml())),
        // The others were refused, or stand for none.
        _ => Ok(Answer::yes(exported.dot())),
    }
}

/// Lines of the after side.
struct Places<'a> {
    store: &'a FactStore,
    contents: BTreeMap<&'a str, &'a TreeContent>,
}

impl<'a> Places<'a> {
    fn new(loaded: &'a Loaded) -> Self {
        let contents = loaded.input.after.files.iter().map(|file| (&*file.path, &file.content)).collect();
        Self { store: &loaded.memory.store, contents }
    }

    /// Line (1-based) of an edge in the file that it starts in; 0 where it is not known.
    fn line(&self, graph: &CodeGraph, edge: &Edge) -> u32 {
        let path = &graph.file(graph.part(edge.from).file).path;
        let (Some(TreeContent::Code(content)), Some(language)) =
            (self.contents.get(&**path), Language::reader_of(path))
        else {
            return 0;
        };
        self.store.get(*content, language).and_then(|facts| facts.places.site_line(edge.site)).unwrap_or(0)
    }

    fn step(&self, graph: &CodeGraph, edge: &Edge) -> screen::way::Step {
        let from = graph.part(edge.from);
        screen::way::Step {
            from: graph.qualified_name(edge.from).into_owned(),
            to: graph.qualified_name(edge.to).into_owned(),
            kind: edge.kind,
            evidence: edge.evidence,
            path: graph.file(from.file).path.to_string(),
            line: self.line(graph, edge),
        }
    }
}

pub(super) fn query(context: &Context, set: &str, args: &GraphArgs) -> Result<Answer> {
    let mut loaded = load::load_tree(&context.place, args, &context.progress)?;
    let expression = parse_set(set, loaded.input.rules_after.as_ref())?;
    // Where nobody wrote rules, the floor's names are those that there are.
    loaded.input.rules_after.get_or_insert_with(load::shipped_floor);
    let mut engine = Engine::new(Arc::clone(&loaded.memory.store));
    engine.update(std::mem::take(&mut loaded.input));
    let working = context.progress.spinner("asking");
    let rows = members(&engine, &expression)?;
    loaded.memory.keep();
    drop(working);
    if context.is_json() {
        return Answer::json(&rows, true);
    }
    let mut page = context.page();
    screen::stats::rows(&mut page, &rows);
    Ok(Answer::yes(page.finish()))
}

/// The answer of [`query`] by an engine that holds the tree already, as JSON.
///
/// # Errors
/// When it is no set.
pub(super) fn query_by(set: &str, engine: &Engine, book: Option<&Book>) -> Result<Answer> {
    Answer::json(&members(engine, &parse_set(set, book)?)?, true)
}

fn members(engine: &Engine, set: &SetExpr) -> Result<Vec<Row>> {
    engine.members(set, Side::After).map_err(|problems| Failure::new("set", problems.join("; ")))
}

/// Reads the set as a rule would, with the names that the rules define.
fn parse_set(set: &str, book: Option<&Book>) -> Result<SetExpr> {
    let text = format!("{BEFORE}{set}\n");
    let parsed = grace_dsl::parse(&text);
    let mut book = book.cloned().unwrap_or_else(load::shipped_floor);
    book.files.push(BookFile { path: QUERY.into(), text: Ok(text.as_str().into()), role: grace_dsl::Role::Own });
    let mistakes: Vec<_> = check::of_book(&book).into_iter().filter(|mistake| mistake.path == QUERY).collect();
    let mistakes: Vec<_> =
        mistakes.into_iter().filter(|mistake| mistake.severity == grace_dsl::Severity::Error).collect();
    if let Some(first) = mistakes.first() {
        // The item around the set is ours and means nothing to who asks.
        let mut failure = Failure::new("set", first.message.replace("`define` ends", "the set ends"));
        failure.help.clone_from(&first.help);
        return Err(failure);
    }
    match <[_; 1]>::try_from(parsed.items).map(|[item]| item.kind) {
        Ok(ItemKind::Define { set, .. }) => Ok(set),
        _ => Err(Failure::new("set", "this is not one set")
            .help("write it as a rule would: callers(function(\"save\"), within 2)")),
    }
}
