//! `check`: are the rules right? Everything that is wrong at once, by text alone and against this repository.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::{Diagnostic, LineIndex, Parsed, Severity, SourceFile};
use grace_engine::Engine;
use grace_engine::input::Book;
use grace_fingerprints::Problem;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Context};
use crate::args::{CheckArgs, GraphArgs};
use crate::failure::Result;
use crate::load::{self, Loaded};
use crate::screen::diagnostic::{diagnostic, fingerprint, source};
use crate::screen::numbers::{count, thousands};
use crate::screen::page::{Page, Style, Text};

/// Notes named one by one; the rest is counted.
const MOST_NOTES: usize = 30;
/// Errors and warnings drawn one by one; the rest is counted.
const MOST_DRAWN: usize = 50;

/// Texts of rule files by path, each with its lines counted once.
type Texts<'a> = BTreeMap<&'a str, (&'a str, LineIndex)>;

/// One mistake, with the keys that are promised.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Mistake<'a> {
    code: String,
    severity: String,
    message: &'a str,
    help: Option<&'a str>,
    file: &'a str,
    line: usize,
    column: usize,
}

pub(super) fn check(context: &Context, args: &CheckArgs) -> Result<Answer> {
    let graph = GraphArgs { rev: None, rules: args.rules.clone(), no_cache: args.no_cache };
    let mut loaded = load::load_tree(&context.place, &graph, &context.progress)?;
    let Some(book) = loaded.input.rules_after.clone() else {
        return without_rules(context, &loaded);
    };
    let mut found = of_book(&book);
    let mut engine = Engine::new(Arc::clone(&loaded.memory.store));
    engine.update(std::mem::take(&mut loaded.input));
    let working = context.progress.spinner("checking");
    found.extend(engine.check());
    loaded.memory.keep();
    drop(working);
    found.sort_by(|a, b| (&a.path, a.span.start, a.code, &a.message).cmp(&(&b.path, b.span.start, b.code, &b.message)));
    found.dedup_by(|a, b| a.path == b.path && a.span == b.span && a.code == b.code && a.message == b.message);
    let texts: Texts<'_> = book
        .files
        .iter()
        .filter_map(|file| {
            let text: &str = file.text.as_ref().ok()?;
            Some((&*file.path, (text, LineIndex::new(text))))
        })
        .collect();
    let unread: Vec<(&str, &str)> = book
        .files
        .iter()
        .filter_map(|file| Some((&*file.path, &**file.text.as_ref().err()?)))
        .chain(unread_beside_rules(&loaded))
        .collect();
    let sound = unread.is_empty() && loaded.fingerprints.is_empty();
    let yes = sound && found.iter().all(|found| found.severity != Severity::Error);
    if context.is_json() {
        let mut list = beside_rules(&unread, &loaded.fingerprints);
        list.extend(found.iter().map(|diagnostic| mistake(diagnostic, &texts)));
        return Answer::json(&list, yes);
    }
    let mut page = context.page();
    not_right_beside_rules(&mut page, &unread, &loaded.fingerprints);
    screen(&mut page, &found, unread.len() + loaded.fingerprints.len(), &texts, &book);
    Ok(Answer { text: page.finish(), code: u8::from(!yes) })
}

/// What the texts alone show to be wrong; files that cannot be read are not looked at.
pub(super) fn of_book(book: &Book) -> Vec<Diagnostic> {
    let parsed: Vec<(&str, &str, Parsed, grace_dsl::Role)> = book
        .files
        .iter()
        .filter_map(|file| {
            let text: &str = file.text.as_ref().ok()?;
            Some((&*file.path, text, grace_dsl::parse(text), file.role))
        })
        .collect();
    let files: Vec<SourceFile<'_>> =
        parsed.iter().map(|(path, text, parsed, role)| SourceFile { path, text, parsed, role: *role }).collect();
    grace_dsl::check(&files)
}

/// Files of the rules' directory that could not be read, with the reason; not those whose mistakes are known one by one.
fn unread_beside_rules(loaded: &Loaded) -> impl Iterator<Item = (&str, &str)> {
    let known: BTreeSet<&str> = loaded.fingerprints.iter().map(Problem::path).collect();
    let own = loaded.problems.iter().filter(|problem| problem.path.starts_with(load::OWN_RULES));
    let own = own.filter(move |problem| !known.contains(problem.path.as_str()));
    own.map(|problem| (problem.path.as_str(), problem.message.as_str()))
}

fn without_rules(context: &Context, loaded: &Loaded) -> Result<Answer> {
    let unread: Vec<(&str, &str)> = unread_beside_rules(loaded).collect();
    let yes = unread.is_empty() && loaded.fingerprints.is_empty();
    if context.is_json() {
        return Answer::json(&beside_rules(&unread, &loaded.fingerprints), yes);
    }
    let mut page = context.page();
    not_right_beside_rules(&mut page, &unread, &loaded.fingerprints);
    page.line(0, format!("no rules in {} ({}): the shipped floor judges", load::OWN_RULES, loaded.compared));
    page.line(0, "write some: grace-rules init");
    Ok(Answer { text: page.finish(), code: u8::from(!yes) })
}

fn not_read<'a>(path: &'a str, why: &'a str) -> Mistake<'a> {
    let severity = Severity::Error.to_string();
    Mistake { code: "unread".to_owned(), severity, message: why, help: None, file: path, line: 0, column: 0 }
}

fn beside_rules<'a>(unread: &[(&'a str, &'a str)], fingerprints: &'a [Problem]) -> Vec<Mistake<'a>> {
    let unread = unread.iter().map(|(path, why)| not_read(path, why));
    unread.chain(fingerprints.iter().map(of_fingerprint)).collect()
}

fn of_fingerprint(problem: &Problem) -> Mistake<'_> {
    let text = problem.text();
    let place = LineIndex::new(text).line_column(text, problem.span.start.min(text.len()));
    Mistake {
        code: problem.code.to_owned(),
        severity: Severity::Error.to_string(),
        message: &problem.message,
        help: problem.help.as_deref(),
        file: problem.path(),
        line: place.line,
        column: place.column,
    }
}

fn not_right_beside_rules(page: &mut Page, unread: &[(&str, &str)], fingerprints: &[Problem]) {
    for (path, why) in unread {
        page.hanging(0, &Text::new().then(Style::Bad, "error").plain(": "), format!("`{path}`: {why}"));
        page.gap();
    }
    for of_file in fingerprints.chunk_by(|a, b| a.path() == b.path()) {
        let Some(first) = of_file.first() else { continue };
        let source = source(first.path(), first.text());
        for problem in of_file {
            fingerprint(page, problem, &source);
            page.gap();
        }
    }
}

fn mistake<'a>(diagnostic: &'a Diagnostic, texts: &Texts<'_>) -> Mistake<'a> {
    let (line, column) = place(diagnostic, texts);
    Mistake {
        code: diagnostic.code.to_string(),
        severity: diagnostic.severity.to_string(),
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        file: &diagnostic.path,
        line,
        column,
    }
}

fn place(diagnostic: &Diagnostic, texts: &Texts<'_>) -> (usize, usize) {
    texts.get(diagnostic.path.as_str()).map_or((0, 0), |(text, lines)| {
        let place = lines.line_column(text, diagnostic.span.start.min(text.len()));
        (place.line, place.column)
    })
}

fn screen(page: &mut Page, found: &[Diagnostic], beside: usize, texts: &Texts<'_>, book: &Book) {
    let (notes, loud): (Vec<&Diagnostic>, Vec<&Diagnostic>) = found.iter().partition(|d| d.severity == Severity::Note);
    let mut sources = BTreeMap::new();
    for mistake in loud.iter().take(MOST_DRAWN) {
        let path = mistake.path.as_str();
        let source = texts.get(path).map(|(text, _)| &*sources.entry(path).or_insert_with(|| source(path, text)));
        diagnostic(page, mistake, source);
        page.gap();
    }
    if loud.len() > MOST_DRAWN {
        let more = format!("and {} more (--format json has all)", thousands((loud.len() - MOST_DRAWN) as u64));
        page.line(0, Text::new().then(Style::Dim, more));
        page.gap();
    }
    for note in notes.iter().take(MOST_NOTES) {
        let (line, _) = place(note, texts);
        let mut lines = note.message.lines();
        let first = lines.next().unwrap_or_default();
        let label = Text::new().then(Style::Dim, format!("note[{}]", note.code)).plain(format!(" {first}"));
        page.row(0, label, Text::new().then(Style::Dim, format!("{}:{line}", note.path)));
        lines.for_each(|line| page.line(2, line));
    }
    if notes.len() > MOST_NOTES {
        let more = format!("and {} (--format json has all)", count((notes.len() - MOST_NOTES) as u64, "more note"));
        page.line(0, Text::new().then(Style::Dim, more));
    }
    if !notes.is_empty() {
        page.gap();
    }
    let number = |severity| loud.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (number(Severity::Error) + beside, number(Severity::Warning));
    let own = book.files.iter().filter(|file| file.role == grace_dsl::Role::Own).count();
    let packs = book.files.len() - own;
    let mut of = count(own as u64, "file");
    if packs > 0 {
        of.push_str(&format!(" and {}", count(packs as u64, "shipped pack")));
    }
    let mut parts = Vec::new();
    if errors > 0 {
        parts.push(count(errors as u64, "error"));
    }
    if warnings > 0 {
        parts.push(count(warnings as u64, "warning"));
    }
    if !notes.is_empty() {
        parts.push(count(notes.len() as u64, "note"));
    }
    let counts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    let text = if errors == 0 {
        Text::new().then(Style::Good, "the rules are right").plain(format!(" ({of}){counts}"))
    } else {
        Text::new().then(Style::Bad, count(errors as u64, "error")).plain(match warnings {
            0 => format!(" in {of}"),
            warnings => format!(
                " and {} {} in {of}",
                thousands(warnings as u64),
                if warnings == 1 { "warning" } else { "warnings" }
            ),
        })
    };
    page.line(0, text);
    if let Some(first) = loud.first() {
        page.line(0, Text::new().then(Style::Dim, format!("what a code means: grace-rules explain {}", first.code)));
    }
}
