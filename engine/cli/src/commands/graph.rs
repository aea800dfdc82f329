//! `graph`: what is known of the code, and what is not.

use std::sync::Arc;

use grace_dsl::ast::{ItemKind, SetExpr};
use grace_engine::Engine;
use grace_engine::input::{BookFile, Input, TreeContent};
use grace_engine::plan::Side;
use grace_graph::facts::Language;
use grace_graph::graph::{CodeGraph, GraphFile};
use grace_graph::store::FactStore;

use super::{Answer, Context, check};
use crate::args::GraphArgs;
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
        let graph = graph_of(&loaded.input, &loaded.memory.store);
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

fn graph_of(input: &Input, store: &FactStore) -> CodeGraph {
    let file = |file: &grace_engine::input::TreeFile| {
        let language = Language::reader_of(&file.path);
        let facts = match (&file.content, language) {
            (TreeContent::Code(content), Some(language)) => store.get(*content, language),
            _ => None,
        };
        let mut node = GraphFile::new(Arc::clone(&file.path), facts.as_deref());
        if let (TreeContent::Opaque(_), Some(language)) = (&file.content, Language::of_path(&file.path)) {
            node.language = Some(language);
            node.opaque = Some(grace_graph::facts::ProblemKind::Unreadable);
        }
        node
    };
    CodeGraph::build(input.after.files.iter().map(file).collect())
}

pub(super) fn query(context: &Context, set: &str, args: &GraphArgs) -> Result<Answer> {
    let mut loaded = load::load_tree(&context.place, args, &context.progress)?;
    let expression = parse_set(set, &loaded)?;
    // Where nobody wrote rules, the floor's names are those that there are.
    loaded.input.rules_after.get_or_insert_with(load::shipped_floor);
    let mut engine = Engine::new(Arc::clone(&loaded.memory.store));
    engine.update(std::mem::take(&mut loaded.input));
    let working = context.progress.spinner("asking");
    let rows = engine.members(&expression, Side::After).map_err(|problems| Failure::new("set", problems.join("; ")))?;
    loaded.memory.keep();
    drop(working);
    if context.is_json() {
        return Answer::json(&rows, true);
    }
    let mut page = context.page();
    screen::stats::rows(&mut page, &rows);
    Ok(Answer::yes(page.finish()))
}

/// Reads the set as a rule would, with the names that the rules define.
fn parse_set(set: &str, loaded: &Loaded) -> Result<SetExpr> {
    let text = format!("{BEFORE}{set}\n");
    let parsed = grace_dsl::parse(&text);
    let mut book = loaded.input.rules_after.clone().unwrap_or_else(load::shipped_floor);
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
