//! `graph` on the screen, and the report that both the screen and JSON show.

use std::collections::BTreeMap;

use grace_engine::Row;
use grace_graph::code::{EdgeKind, Evidence, FileId, FolderUse};
use grace_graph::graph::{CodeGraph, Stats, UnresolvedKind};
use schemars::JsonSchema;
use serde::Serialize;

use super::numbers::{count, plural, thousands};
use super::page::{Page, Style, Text};

/// Names listed for each thing that is not known; the rest is counted.
const MOST: usize = 3;

/// What is known of the code and what is not. Serializes as `graph stats --format json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    version: u32,
    /// What was read, in words.
    source: String,
    files: BTreeMap<&'static str, usize>,
    parts: BTreeMap<String, usize>,
    /// By kind, then by evidence.
    edges: BTreeMap<String, BTreeMap<String, usize>>,
    generated_files: usize,
    test_files: usize,
    tests: usize,
    unresolved_imports: BTreeMap<&'static str, usize>,
    /// Path and reason of files that could not be read.
    unread_files: Vec<Unread>,
    /// Files that could be read in part only.
    partly_read_files: Vec<String>,
    tests_that_reach_nothing: Vec<String>,
    sources_without_test: Vec<String>,
    /// Files that no parser reads and that nothing is seen to use: a change of one runs every test.
    unknown_inputs: Vec<String>,
    /// Parts that hang on folders as a whole: `loads` modules by computed names, `runs` processes, `reads` files.
    by_folder: BTreeMap<&'static str, usize>,
    import_cycles: Vec<Vec<String>>,
}

/// A file that could not be read, and why.
#[derive(Debug, Serialize, JsonSchema)]
struct Unread {
    path: String,
    reason: String,
}

impl Report {
    /// Of a graph; `unread` are the files that never reached it, with the reason.
    #[must_use]
    pub fn new(graph: &CodeGraph, stats: &Stats, unread: &[(String, String)], source: &str) -> Self {
        let paths = |files: &[FileId]| files.iter().map(|file| graph.file(*file).path.to_string()).collect::<Vec<_>>();
        let mut edges: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for ((kind, evidence), number) in &stats.edges {
            *edges
                .entry(edge_word(*kind).to_owned())
                .or_default()
                .entry(evidence_word(*evidence).to_owned())
                .or_default() += number;
        }
        Self {
            schema: "grace-rules/graph-stats",
            version: 1,
            source: source.to_owned(),
            files: stats.files.clone(),
            parts: stats.parts.iter().map(|(kind, number)| (kind.word().to_owned(), *number)).collect(),
            edges,
            generated_files: stats.generated_files,
            test_files: stats.test_files,
            tests: stats.tests,
            unresolved_imports: stats
                .unresolved
                .iter()
                .map(|(kind, number)| (unresolved_word(*kind), *number))
                .collect(),
            unread_files: unread
                .iter()
                .map(|(path, reason)| Unread { path: path.clone(), reason: reason.clone() })
                .collect(),
            partly_read_files: paths(&stats.files_with_problems),
            tests_that_reach_nothing: paths(&stats.tests_that_reach_nothing),
            sources_without_test: paths(&stats.sources_without_test),
            unknown_inputs: paths(&stats.unknown_inputs),
            by_folder: stats.by_folder.iter().map(|(usage, number)| (folder_word(*usage), *number)).collect(),
            import_cycles: stats.import_cycles.iter().map(|cycle| paths(cycle)).collect(),
        }
    }
}

pub(super) fn edge_word(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Imports => "imports",
        EdgeKind::Calls => "calls",
        EdgeKind::Inherits => "inherits",
        EdgeKind::References => "references",
    }
}

pub(super) fn evidence_word(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Recorded => "recorded",
        Evidence::Import => "import",
        Evidence::Call => "call",
        Evidence::Fixture => "fixture",
        Evidence::String => "string",
        Evidence::Declared => "declared",
        Evidence::Guess => "guess",
    }
}

fn folder_word(usage: FolderUse) -> &'static str {
    match usage {
        FolderUse::Loads => "loads",
        FolderUse::Runs => "runs",
        FolderUse::Reads => "reads",
        FolderUse::Attributes => "attributes",
    }
}

fn folder_sentence(word: &str) -> &'static str {
    match word {
        "loads" => "that load modules by names that are computed",
        "runs" => "that start processes, which may run anything",
        "attributes" => "that use attributes by names that are computed",
        _ => "that read a folder as a whole",
    }
}

fn unresolved_word(kind: UnresolvedKind) -> &'static str {
    match kind {
        UnresolvedKind::RelativeModule => "relative_module",
        UnresolvedKind::OwnModule => "own_module",
        UnresolvedKind::Name => "name",
        UnresolvedKind::External => "external",
        UnresolvedKind::Computed => "computed",
    }
}

fn unresolved_sentence(word: &str) -> &'static str {
    match word {
        "relative_module" => "of a relative module that is not there",
        "own_module" => "of an own module that is not there",
        "name" => "of a name that an own module does not define",
        "external" => "of a module that is neither here nor in the standard library",
        _ => "of a name that is computed at run time",
    }
}

/// Counts first, then what is not known.
pub fn stats(page: &mut Page, report: &Report) {
    let number = |number: usize| number as u64;
    let files: usize = report.files.values().sum();
    let languages: Vec<String> = report
        .files
        .iter()
        .filter(|(name, _)| **name != "other")
        .map(|(name, n)| format!("{} {name}", thousands(number(*n))))
        .collect();
    let read = if languages.is_empty() {
        "none that can be read as code".to_owned()
    } else {
        format!("{} read as code", languages.join(", "))
    };
    page.row(
        0,
        Text::new().then(Style::Strong, count(number(files), "file")).plain(format!(", {read}")),
        Text::new().then(Style::Dim, &report.source),
    );
    let mut rows = Vec::new();
    let parts: Vec<String> = ["module", "class", "function", "method"]
        .iter()
        .filter_map(|kind| report.parts.get(*kind).map(|n| count(number(*n), kind)))
        .collect();
    if !parts.is_empty() {
        rows.push(vec![Text::from("parts"), Text::from(parts.join(", "))]);
    }
    for (kind, by_evidence) in &report.edges {
        let all: usize = by_evidence.values().sum();
        let mut text = thousands(number(all));
        let unsure: Vec<String> = by_evidence
            .iter()
            .filter(|(evidence, _)| matches!(evidence.as_str(), "guess" | "string" | "fixture"))
            .map(|(evidence, n)| match evidence.as_str() {
                "guess" => format!("{} by a guess", thousands(number(*n))),
                "string" => format!("{} from strings", thousands(number(*n))),
                _ => format!("{} from fixtures", thousands(number(*n))),
            })
            .collect();
        if !unsure.is_empty() {
            text.push_str(&format!(", of which {}", unsure.join(", ")));
        }
        rows.push(vec![Text::from(kind.as_str()), Text::from(text)]);
    }
    if report.test_files > 0 {
        rows.push(vec![
            Text::from("tests"),
            Text::from(format!("{} in {}", thousands(number(report.tests)), count(number(report.test_files), "file"))),
        ]);
    }
    if report.generated_files > 0 {
        rows.push(vec![Text::from("generated"), Text::from(count(number(report.generated_files), "file"))]);
    }
    page.table(2, &rows, &[]);
    not_known(page, report);
}

fn not_known(page: &mut Page, report: &Report) {
    let mut rows: Vec<(u64, String, Vec<String>)> = Vec::new();
    for (word, number) in &report.unresolved_imports {
        rows.push((*number as u64, format!("{} {}", noun(*number, "import"), unresolved_sentence(word)), Vec::new()));
    }
    for (word, number) in &report.by_folder {
        rows.push((*number as u64, format!("{} {}", noun(*number, "part"), folder_sentence(word)), Vec::new()));
    }
    let unread: Vec<String> =
        report.unread_files.iter().map(|file| format!("{}: {}", file.path, file.reason)).collect();
    let lists = [
        ("file", " that could not be read", unread),
        ("file", " read in part: the rest is no valid code", report.partly_read_files.clone()),
        ("test file", " that reach no source", report.tests_that_reach_nothing.clone()),
        ("source file", " that no test reaches", report.sources_without_test.clone()),
        ("file", " of unknown kind: nothing is seen to use them", report.unknown_inputs.clone()),
        ("import cycle", "", report.import_cycles.iter().map(|cycle| cycle_line(cycle)).collect()),
    ];
    for (what, rest, names) in lists {
        if !names.is_empty() {
            rows.push((names.len() as u64, format!("{}{rest}", noun(names.len(), what)), names));
        }
    }
    if rows.is_empty() {
        return;
    }
    page.gap();
    page.line(0, Text::new().then(Style::Strong, "not known, or worth a look"));
    let widest = rows.iter().map(|(number, ..)| thousands(*number).len()).max().unwrap_or(0);
    for (number, sentence, names) in rows {
        let number = thousands(number);
        let label = Text::from(format!("{}{number}  ", " ".repeat(widest - number.len())));
        page.hanging(2, &label, sentence);
        for name in names.iter().take(MOST) {
            page.hanging(4 + widest, &Text::new(), Text::new().then(Style::Dim, name));
        }
        if names.len() > MOST {
            let more = format!("and {} more (--format json has all)", thousands((names.len() - MOST) as u64));
            page.line(4 + widest, Text::new().then(Style::Dim, more));
        }
    }
}

fn noun(number: usize, noun: &str) -> String {
    if number == 1 { noun.to_owned() } else { plural(noun) }
}

fn cycle_line(cycle: &[String]) -> String {
    match cycle {
        [first, second] => format!("{first} and {second}"),
        [first, rest @ ..] => format!("{first} and {}", count(rest.len() as u64, "more file")),
        [] => String::new(),
    }
}

/// Members of a set, by file.
pub fn rows(page: &mut Page, rows: &[Row]) {
    for in_file in rows.chunk_by(|a, b| a.path == b.path) {
        let Some(first) = in_file.first() else { continue };
        if let ([only], "file") = (in_file, first.kind) {
            page.line(0, Text::from(only.path.as_str()).then(Style::Dim, format!("  {}", only.tags.join(", "))));
            continue;
        }
        page.line(0, first.path.as_str());
        let module = in_file.iter().find(|row| row.kind == "module").unwrap_or(first);
        let module = module_of(&module.qualified_name, &first.path);
        let lines: Vec<Vec<Text>> = in_file
            .iter()
            .map(|row| {
                vec![
                    Text::new().then(Style::Dim, thousands(row.line.into())),
                    Text::new().then(Style::Dim, row.kind),
                    Text::new().then(Style::Strong, within(module, row)),
                    Text::from(row.tags.join(", ")),
                ]
            })
            .collect();
        page.table(2, &lines, &[0]);
    }
    page.gap();
    page.line(0, if rows.is_empty() { "no part is in this set".to_owned() } else { count(rows.len() as u64, "part") });
}

/// The dotted name of a file's module: as much of the path as the names of its parts begin with.
fn module_of<'a>(qualified_name: &'a str, path: &str) -> &'a str {
    let path = path.strip_suffix(".py").unwrap_or(path);
    let dotted = path.strip_suffix("/__init__").unwrap_or(path).replace('/', ".");
    let ends = std::iter::once(0).chain(dotted.match_indices('.').map(|(at, _)| at + 1));
    let mut module = ends.filter_map(|at| dotted.get(at..)).filter(|module| {
        let rest = qualified_name.strip_prefix(module);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    module.next().and_then(|module| qualified_name.get(..module.len())).unwrap_or_default()
}

/// The name of a part below the path of its file, as `explain symbol` takes it.
fn within<'a>(module: &str, row: &'a Row) -> &'a str {
    let rest = row.qualified_name.strip_prefix(module).and_then(|rest| rest.strip_prefix('.'));
    rest.filter(|_| !module.is_empty()).unwrap_or(&row.qualified_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_the_part_of_the_path_that_names_begin_with() {
        assert_eq!(module_of("a.b.C.d", "a/b.py"), "a.b");
        assert_eq!(module_of("a.b.C.d", "src/a/b.py"), "a.b");
        assert_eq!(module_of("a.C", "a/__init__.py"), "a");
        assert_eq!(module_of("a", "a/__init__.py"), "a");
        assert_eq!(module_of("other.C", "a/b.py"), "");
        assert_eq!(module_of("abc.C", "a.py"), "");
    }
}
