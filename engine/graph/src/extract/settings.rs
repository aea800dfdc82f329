//! Settings of Python's projects and of pytest: `pyproject.toml`, `pytest.ini` and their kin. What they name is imported
//! by runners and by what looks for plugins, and says which functions are tests.
//!
//! Entries as [`super::manifest`] keeps them: `plugin` (a module that pytest imports before any test), `entry` (what an
//! entry point names), `files`, `classes` and `functions` (names of tests).

use toml::de::{DeTable, DeValue};

use super::manifest::Entries;
use super::shapes::is_dotted;

/// The tables of entry points in a TOML file.
const ENTRY_POINTS: [&[&str]; 2] = [&["project", "entry-points"], &["tool", "poetry", "plugins"]];
/// The tables of pytest.
const PYTEST: [&[&str]; 3] = [&["tool", "pytest", "ini_options"], &["tool", "pytest"], &["pytest"]];

pub(super) fn toml(text: &str, entries: &mut Entries) {
    let Ok(document) = DeTable::parse(text) else { return };
    for path in PYTEST {
        for (name, value) in table(document.get_ref(), path).into_iter().flat_map(DeTable::iter) {
            let values: Vec<&str> = match value.get_ref() {
                DeValue::String(text) => vec![text],
                DeValue::Array(values) => values.iter().filter_map(|value| value.get_ref().as_str()).collect(),
                _ => continue,
            };
            pytest(name.get_ref(), values.into_iter(), entries);
        }
    }
    for path in ENTRY_POINTS {
        for (group, points) in table(document.get_ref(), path).into_iter().flat_map(DeTable::iter) {
            for (_, point) in points.get_ref().as_table().into_iter().flat_map(DeTable::iter) {
                if let Some(point) = point.get_ref().as_str() {
                    entry_point(group.get_ref(), point, entries);
                }
            }
        }
    }
}

fn table<'t, 'd>(document: &'t DeTable<'d>, path: &[&str]) -> Option<&'t DeTable<'d>> {
    path.iter().try_fold(document, |table, name| table.get(*name)?.get_ref().as_table())
}

/// Lines under a name, in sections: a line that is indented goes on with the name before it.
pub(super) fn ini(text: &str, entries: &mut Entries) {
    let mut section = "";
    let mut name = "";
    let mut values: Vec<&str> = Vec::new();
    let mut close = |section: &str, name: &str, values: &mut Vec<&str>| match section {
        "[pytest]" | "[tool:pytest]" => pytest(name, values.drain(..), entries),
        "[options.entry_points]" => {
            for point in values.drain(..).filter_map(|line| line.split_once('=')) {
                entry_point(name, point.1, entries);
            }
        }
        _ => values.clear(),
    };
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            values.push(content);
            continue;
        }
        close(section, name, &mut values);
        if line.starts_with('[') {
            (section, name) = (content, "");
        } else if let Some((before, value)) = line.split_once(['=', ':']) {
            name = before.trim();
            values.push(value.trim());
        }
    }
    close(section, name, &mut values);
}

/// A setting of pytest.
fn pytest<'t>(name: &str, values: impl Iterator<Item = &'t str>, entries: &mut Entries) {
    let mut words = values.flat_map(str::split_whitespace).map(|word| word.trim_matches(['"', '\'']));
    let kind = match name {
        "python_files" => "files",
        "python_classes" => "classes",
        "python_functions" => "functions",
        "DJANGO_SETTINGS_MODULE" => "plugin",
        "addopts" => {
            while let Some(word) = words.next() {
                let plugin = match word {
                    "-p" | "--ds" => words.next(),
                    _ => word.strip_prefix("-p").or_else(|| word.strip_prefix("--ds=")),
                };
                plugin.into_iter().for_each(|plugin| module("plugin", plugin, entries));
            }
            return;
        }
        "env" => {
            for word in words {
                if let Some((_, settings)) = word.split_once("DJANGO_SETTINGS_MODULE=") {
                    module("plugin", settings, entries);
                }
            }
            return;
        }
        _ => return,
    };
    for word in words {
        if kind == "plugin" { module(kind, word, entries) } else { entries.push(&[kind, word]) }
    }
}

fn entry_point(group: &str, point: &str, entries: &mut Entries) {
    let kind = match group {
        "console_scripts" | "gui_scripts" => return,
        "pytest11" => "plugin",
        _ => "entry",
    };
    let named = point.split(['[', ':']).next().unwrap_or(point).trim();
    module(kind, named, entries);
}

fn module(kind: &str, dotted: &str, entries: &mut Entries) {
    if is_dotted(dotted) {
        entries.push(&[kind, dotted]);
    }
}
