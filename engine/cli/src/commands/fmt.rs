//! `fmt`: writes rules in their one form. A file with a mistake is left as it is.

use std::path::{Path, PathBuf};

use grace_system::files;
use grace_system::walk::{WalkOptions, walk};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Context};
use crate::args::FmtArgs;
use crate::failure::{Failure, Result, quoted, why};
use crate::load::{OWN_RULES, Place};
use crate::screen::numbers::count;
use crate::screen::page::{Style, Text};

/// What became of each file.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Report {
    schema: &'static str,
    version: u32,
    /// Written, or with `--check` not in the one form.
    changed: Vec<String>,
    /// In the one form already.
    unchanged: Vec<String>,
    /// Left as they are, and why.
    failed: Vec<(String, String)>,
}

pub(super) fn fmt(context: &Context, args: &FmtArgs) -> Result<Answer> {
    let mut report = Report { schema: "grace-rules/fmt", version: 1, ..Report::default() };
    for (shown, path) in files_to_format(&context.place, &args.files)? {
        match format(&path, args.check) {
            Ok(true) => report.changed.push(shown),
            Ok(false) => report.unchanged.push(shown),
            Err(reason) => report.failed.push((shown, reason)),
        }
    }
    let code = u8::from(!report.failed.is_empty() || (args.check && !report.changed.is_empty()));
    if context.is_json() {
        return Ok(Answer { code, ..Answer::json(&report, true)? });
    }
    let mut page = context.page();
    for path in &report.changed {
        let word = if args.check {
            Text::new().then(Style::Warn, "to format")
        } else {
            Text::new().then(Style::Good, "formatted")
        };
        page.line(0, word.plain(format!("  {path}")));
    }
    for (path, reason) in &report.failed {
        page.hanging(0, &Text::new().then(Style::Bad, "left").plain("       "), format!("{path}: {reason}"));
    }
    let all = report.changed.len() + report.unchanged.len() + report.failed.len();
    if report.changed.is_empty() && report.failed.is_empty() {
        page.line(0, format!("{} in the one form already", count(all as u64, "file")));
    } else if args.check && !report.changed.is_empty() {
        page.line(0, Text::new().then(Style::Dim, "write them: grace-rules fmt"));
    } else if !report.failed.is_empty() {
        page.line(0, Text::new().then(Style::Dim, "what is wrong: grace-rules check"));
    }
    Ok(Answer { text: page.finish(), code })
}

/// Each file to format: as it is shown, and where it is.
fn files_to_format(place: &Place, given: &[PathBuf]) -> Result<Vec<(String, PathBuf)>> {
    if given.is_empty() {
        let found = below(&place.root, OWN_RULES.trim_end_matches('/'));
        return if found.is_empty() {
            Err(Failure::new("rules", format!("there are no rules in {OWN_RULES}"))
                .help("write some: grace-rules init"))
        } else {
            Ok(found)
        };
    }
    let mut all = Vec::new();
    for path in given {
        let absolute = place.absolute(path);
        let shown = path.display().to_string();
        if files::is_dir(&absolute) {
            all.extend(below(&place.directory, shown.trim_end_matches('/')));
        } else if !files::exists(&absolute) {
            return Err(Failure::new("file", format!("there is no file {}", quoted(path))));
        } else {
            all.push((shown, absolute));
        }
    }
    Ok(all)
}

fn below(root: &Path, directory: &str) -> Vec<(String, PathBuf)> {
    let path = root.join(directory);
    walk(&path, WalkOptions { ignore_files: false, ..WalkOptions::default() })
        .files
        .into_iter()
        .filter(|file| file.path.ends_with(".grace") && !file.is_symlink)
        .map(|file| (format!("{directory}/{}", file.path), path.join(&file.path)))
        .collect()
}

/// Whether the file is not in the one form; it is then written, unless only asked.
fn format(path: &Path, check: bool) -> std::result::Result<bool, String> {
    let text = files::read_text(path, grace_dsl::LARGEST as u64).map_err(|error| why(&error.kind))?;
    let formatted = grace_dsl::format(&text).map_err(|error| error.to_string())?;
    if formatted == text {
        return Ok(false);
    }
    if !check {
        files::write_atomic(path, formatted.as_bytes()).map_err(|error| why(&error.kind))?;
    }
    Ok(true)
}
