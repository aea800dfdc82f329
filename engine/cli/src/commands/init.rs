//! `init`: a starter `grace/`, from what is found in the repository. Nothing that exists is overwritten.

use std::collections::{BTreeMap, BTreeSet};

use grace_graph::facts::Language;
use grace_graph::graph::CodeGraph;
use grace_packs::starter::{self, Found};
use grace_system::files;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Context};
use crate::args::GraphArgs;
use crate::failure::{Failure, Result, quoted};
use crate::load::{self, Files, Loaded};
use crate::screen::numbers::{count, thousands};
use crate::screen::page::{Page, Style, Text};

/// Who owns the first team where nobody has committed yet.
const NOBODY: &str = "you@example.org";
/// Directories of tests that become bundles; more would be a list that nobody reads.
const MOST_BUNDLES: usize = 8;
/// Words in paths that a Grace system has; two of them make one.
const GRACE_WORDS: [&[&str]; 5] = [
    &["/kernels/", "/boot/"],
    &["/governance/"],
    &["/self_heal/", "/self_healing/"],
    &["/cognition/", "/cognitive/"],
    &["/agents_core/", "/model_adapters/", "/adapters/"],
];

/// What was found, for people and as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    schema: &'static str,
    version: u32,
    /// Files by extension, most first; those that are read as code have their language's name.
    languages: Vec<(String, usize)>,
    test_runner: Option<&'static str>,
    tests: usize,
    test_files: usize,
    packages: Vec<String>,
    codeowners: Option<String>,
    grace_system: bool,
    written: Vec<&'static str>,
    kept: Vec<&'static str>,
}

pub(super) fn init(context: &Context) -> Result<Answer> {
    let repository = context.place.repository().map_err(|failure| match failure.code {
        "git" if failure.message.contains("not in a git repository") => failure.help("make one first: git init"),
        _ => failure,
    })?;
    let loaded = load::load_tree(&context.place, &GraphArgs::default(), &context.progress)?;
    let person = match repository.head()? {
        Some(head) => repository.commit(head)?.author.email,
        None => String::new(),
    };
    let person = if person.contains('@') { person } else { NOBODY.to_owned() };
    let (found, mut report) = look(&loaded, person);
    let directory = context.place.root.join(load::OWN_RULES.trim_end_matches('/'));
    if files::exists(&directory) && !files::is_dir(&directory) {
        return Err(Failure::new("file", format!("{} is in the way: it is not a directory", quoted(&directory)))
            .help("rules live in a directory of this name; move the file"));
    }
    let files = starter::files(&found);
    for file in &files {
        let path =
            grace_system::names::join(&context.place.root, file.path).map_err(|why| Failure::new("file", why))?;
        if let Some(directory) = path.parent() {
            files::create_dirs(directory)?;
        }
        if files::exists(&path) {
            report.kept.push(file.path);
            continue;
        }
        match files::create_new(&path, file.text.as_bytes()) {
            Ok(()) => report.written.push(file.path),
            // Somebody else was quicker: theirs stays.
            Err(_) if files::exists(&path) => report.kept.push(file.path),
            Err(error) => return Err(error.into()),
        }
    }
    if context.is_json() {
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    screen(&mut page, &report, &found);
    Ok(Answer::yes(page.finish()))
}

fn look(loaded: &Loaded, person: String) -> (Found, Report) {
    let files: &Files = &loaded.after;
    let graph = loaded.input.after.graph(&loaded.memory.store);
    let stats = graph.stats();
    let test_files: Vec<String> = graph
        .files()
        .iter()
        .filter(|file| file.language == Some(Language::Python) && file.is_test && holds_tests(&graph, file))
        .map(|file| file.path.to_string())
        .collect();
    let mut languages: BTreeMap<String, usize> = BTreeMap::new();
    for path in files.keys() {
        let name = match Language::of_path(path) {
            Some(language) => language.name().to_owned(),
            None => match path.rsplit('/').next().and_then(|name| name.rsplit_once('.')) {
                Some((stem, extension)) if !stem.is_empty() && extension.len() <= 8 => {
                    format!(".{}", extension.to_ascii_lowercase())
                }
                _ => continue,
            },
        };
        *languages.entry(name).or_default() += 1;
    }
    let mut languages: Vec<(String, usize)> = languages.into_iter().collect();
    languages.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let named = |name: &str| files.keys().any(|path| path == name || path.ends_with(&format!("/{name}")));
    let test_runner = if named("conftest.py") || named("pytest.ini") || named("pyproject.toml") {
        Some("pytest")
    } else {
        (!test_files.is_empty()).then_some("pytest")
    };
    let packages = files
        .keys()
        .filter(|path| {
            matches!(
                path.rsplit('/').next().unwrap_or_default(),
                "pyproject.toml"
                    | "requirements.txt"
                    | "uv.lock"
                    | "poetry.lock"
                    | "package.json"
                    | "package-lock.json"
                    | "Cargo.toml"
                    | "go.mod"
            )
        })
        .cloned()
        .collect();
    let grace_system = GRACE_WORDS
        .iter()
        .filter(|words| {
            files.keys().any(|path| {
                Language::of_path(path).is_some() && words.iter().any(|word| format!("/{path}").contains(word))
            })
        })
        .count()
        >= 2;
    let found = Found { person, is_grace_system: grace_system, test_directories: directories(&test_files), test_files };
    let report = Report {
        schema: "grace-rules/init",
        version: 1,
        languages,
        test_runner: test_runner.filter(|_| stats.tests > 0),
        tests: stats.tests,
        test_files: found.test_files.len(),
        packages,
        codeowners: loaded.input.past.codeowners.as_ref().map(|file| file.path.to_string()),
        grace_system,
        written: Vec::new(),
        kept: Vec::new(),
    };
    (found, report)
}

fn holds_tests(graph: &CodeGraph, file: &grace_graph::graph::FileNode) -> bool {
    graph
        .parts()
        .get(file.parts.start as usize..file.parts.end as usize)
        .is_some_and(|parts| parts.iter().any(|part| part.is_test))
}

/// The outermost directories named `test` or `tests` that hold test files, else the files' own; those with most tests.
fn directories(test_files: &[String]) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for path in test_files {
        let mut end = 0;
        let mut found = None;
        for segment in path.split('/') {
            end += segment.len();
            if matches!(segment, "test" | "tests") && end < path.len() {
                found = path.get(..end);
                break;
            }
            end += 1;
        }
        if let Some(directory) = found.or_else(|| path.rsplit_once('/').map(|(directory, _)| directory)) {
            *counts.entry(directory).or_default() += 1;
        }
    }
    let mut most: Vec<(&str, usize)> = counts.into_iter().collect();
    most.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    most.into_iter()
        .take(MOST_BUNDLES)
        .map(|(directory, _)| directory.to_owned())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn screen(page: &mut Page, report: &Report, found: &Found) {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| rows.push(vec![Text::new().then(Style::Dim, name), Text::from(value)]);
    let languages: Vec<String> =
        report.languages.iter().take(4).map(|(name, number)| format!("{name} {}", thousands(*number as u64))).collect();
    row("files", if languages.is_empty() { "none".to_owned() } else { languages.join(", ") });
    let tests = match report.tests {
        0 => "none found".to_owned(),
        tests => {
            let runner = report.test_runner.map(|runner| format!(", {runner}")).unwrap_or_default();
            format!("{} in {}{runner}", count(tests as u64, "test"), count(report.test_files as u64, "file"))
        }
    };
    row("tests", tests);
    if !report.packages.is_empty() {
        let more = report.packages.len().saturating_sub(3);
        let mut text = report.packages.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        if more > 0 {
            text.push_str(&format!(" and {} more", thousands(more as u64)));
        }
        row("packages", text);
    }
    row("owners", report.codeowners.clone().unwrap_or_else(|| "no CODEOWNERS".to_owned()));
    if report.grace_system {
        row("rules", "this looks like a Grace system: its policies, tags and bundles are adopted".to_owned());
    } else {
        row("rules", "the floor, and a first rule of your own".to_owned());
    }
    page.line(0, Text::new().then(Style::Strong, "found"));
    page.table(2, &rows, &[]);
    page.gap();
    for path in &report.written {
        page.line(0, Text::new().then(Style::Good, "wrote").plain(format!("  {path}")));
    }
    for path in &report.kept {
        page.line(
            0,
            Text::new().then(Style::Dim, "kept").plain(format!("   {path}")).then(Style::Dim, " (it was there)"),
        );
    }
    page.gap();
    if report.written.is_empty() {
        page.line(0, "everything was there already; next: grace-rules check");
    } else {
        page.line(0, format!("approvals wait for {}; edit the teams in grace/rules.grace", found.person));
        page.line(0, "next: grace-rules check, then grace-rules plan");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_test_directory_is_the_bundle() {
        let files: Vec<String> =
            ["tests/unit/test_a.py", "tests/test_b.py", "pkg/tests/x/test_c.py", "lib/check_test.py", "test_d.py"]
                .map(str::to_owned)
                .to_vec();
        assert_eq!(directories(&files), ["lib", "pkg/tests", "tests"]);
    }
}
