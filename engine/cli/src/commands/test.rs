//! `test`: runs the tests that stand beside the rules, and says what they did not reach.

use std::sync::Arc;

use grace_engine::testing::{self, Fixtures, TestReport};
use grace_graph::store::FactStore;
use grace_system::files;
use grace_system::git::{Blob, EntryKind, Repository};
use grace_system::walk::{WalkOptions, walk};
use grace_system::{clock, names};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Context};
use crate::args::TestArgs;
use crate::failure::{Failure, Result};
use crate::load::{self, Place};
use crate::screen;

/// Where a fixture of a name is looked for, below the root; the first that is there counts.
const FIXTURES: [&str; 5] = ["grace/fixtures", "fixtures", "examples", "tests/fixtures", "grace/tests/fixtures"];
/// Largest file of a fixture, in bytes; larger ones and those that are not text are left out.
const MAX_FILE: u64 = 4 << 20;
/// Largest fixture, in bytes.
const MAX_FIXTURE: usize = 256 << 20;

/// The report as JSON.
#[derive(Serialize, JsonSchema)]
pub(super) struct Report<'a> {
    schema: &'static str,
    version: u32,
    #[serde(flatten)]
    report: &'a TestReport,
}

pub(super) fn test(context: &Context, args: &TestArgs) -> Result<Answer> {
    let book = load::rules_here(&context.place, args.rules.as_deref())?
        .ok_or_else(|| Failure::new("rules", "there are no rules to test").help("write some: grace-rules init"))?;
    let fixtures = OnDisk { place: &context.place };
    let own = |path: &str| !path.starts_with("pack ");
    let store = Arc::new(FactStore::new());
    let working = context.progress.spinner("testing");
    let mut report = testing::run_tests(&book, &fixtures, &own, &store, clock::now().as_second());
    drop(working);
    let all = args.title.is_none();
    if let Some(title) = &args.title {
        report.tests.retain(|test| test.name.contains(title.as_str()));
        if report.tests.is_empty() {
            return Err(Failure::new("input", format!("no test's title holds `{}`", title.escape_debug()))
                .help("all tests: grace-rules test"));
        }
    }
    let yes = report.tests.iter().all(|test| test.failures.is_empty());
    if context.is_json() {
        return Answer::json(&Report { schema: "grace-rules/test", version: 1, report: &report }, yes);
    }
    let mut page = context.page();
    screen::test::report(&mut page, &report, all);
    Ok(Answer { text: page.finish(), code: u8::from(!yes) })
}

struct OnDisk<'a> {
    place: &'a Place,
}

type Files = std::result::Result<Vec<(String, String)>, String>;

impl Fixtures for OnDisk<'_> {
    fn fixture(&self, name: &str) -> Files {
        for directory in FIXTURES {
            let path = names::join(&self.place.root, &format!("{directory}/{name}")).map_err(str::to_owned)?;
            if files::is_dir(&path) {
                return directory_files(&path);
            }
        }
        // A project that is itself an example names itself.
        if self.place.root.file_name().is_some_and(|own| own == name) {
            return directory_files(&self.place.root);
        }
        Err(format!("no directory `{name}` in any of: {}", FIXTURES.join(", ")))
    }

    fn revision(&self, rev: &str) -> Files {
        let repository = self.place.repository.as_ref().map_err(ToString::to_string)?;
        revision_files(repository, rev).map_err(|failure| failure.message)
    }

    fn patch(&self, path: &str, name: &str) -> std::result::Result<String, String> {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let relative = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
        let bytes = files::read_in(&self.place.root, &relative, MAX_FILE).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|_| format!("`{name}` is not UTF-8 text"))
    }
}

fn directory_files(root: &std::path::Path) -> Files {
    let mut texts = Vec::new();
    let mut total = 0;
    for file in walk(root, WalkOptions { ignore_files: false, ..WalkOptions::default() }).files {
        if file.is_symlink {
            continue;
        }
        if let Ok(bytes) = files::read_in(root, &file.path, MAX_FILE)
            && let Ok(text) = String::from_utf8(bytes)
        {
            total += text.len();
            if total > MAX_FIXTURE {
                return Err(format!("the fixture holds more than {}", screen::numbers::bytes(MAX_FIXTURE as u64)));
            }
            texts.push((file.path, text));
        }
    }
    Ok(texts)
}

fn revision_files(repository: &Repository, rev: &str) -> Result<Vec<(String, String)>> {
    let entries: Vec<_> = repository
        .tree(repository.resolve(rev)?)?
        .into_iter()
        .filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable))
        .collect();
    let oids: Vec<_> = entries.iter().map(|entry| entry.oid).collect();
    let mut texts = Vec::new();
    let mut total = 0;
    repository.blobs().read_many(&oids, MAX_FILE, |index, blob| {
        if let (Blob::Data(bytes), Some(entry)) = (blob, entries.get(index))
            && let Ok(text) = String::from_utf8(bytes)
            && total + text.len() <= MAX_FIXTURE
        {
            total += text.len();
            texts.push((entry.path.clone(), text));
        }
    })?;
    Ok(texts)
}
