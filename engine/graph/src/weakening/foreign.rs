//! Tests of languages that no parser reads, told by their names: gone ones are removed, edited ones are compared by lines.
//!
//! Nothing here says that a test is as strong as before unless no line of it went and nothing that came could switch it off.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{RemovedTest, TestChanges, UnknownTests};
use crate::change::{Change, Content, FileChange, FileSide, WeakenedTest, Weakening};
use crate::code::{PartKey, PartKind};
use crate::diff::line_diff;
use crate::facts::Language;
use crate::test_names::is_foreign_test;

/// Words of added lines that can make what stands around them ask less, in any of the languages.
const SWITCHES: [&str; 40] = [
    "skip",
    "skipped",
    "only",
    "todo",
    "pending",
    "ignore",
    "ignored",
    "disable",
    "disabled",
    "xit",
    "xdescribe",
    "xtest",
    "xcontext",
    "fit",
    "fdescribe",
    "fixme",
    "fails",
    "failing",
    "if",
    "unless",
    "else",
    "return",
    "exit",
    "abort",
    "break",
    "continue",
    "try",
    "catch",
    "rescue",
    "except",
    "recover",
    "finally",
    "defer",
    "cfg",
    "build",
    "ifdef",
    "assume",
    "slow",
    "tags",
    "flaky",
];
/// Signs of the same kind: what they begin, they can take out.
const SIGNS: [&str; 6] = ["/*", "*/", "=begin", "<!--", "#if", "--[["];

/// Adds what becomes of the tests of one file.
pub(super) fn compare(change: &Change, file: &FileChange, changes: &mut TestChanges) {
    let Some(before) = file.before.as_ref().filter(|side| holds_tests(side)) else { return };
    let key = |side: &FileSide| {
        // A file that is read as code is named by its module.
        let kind = if Language::of_path(&side.path).is_some() { PartKind::Module } else { PartKind::File };
        PartKey { path: side.path.clone(), name: "".into(), kind, occurrence: 0 }
    };
    let unknown = |path: &Arc<str>, line: u32, why| UnknownTests { path: path.clone(), line, why };
    let left_out = |after: &FileSide| WeakenedTest {
        before: key(before),
        after: key(after),
        how: Weakening::NoLongerCollected,
        line: 1,
    };
    let Some(after) = &file.after else {
        // The same content elsewhere is a move.
        let moved = change.files.iter().filter(|other| other.before.is_none()).filter_map(|other| other.after.as_ref());
        match moved.clone().find(|side| side.content == before.content && holds_tests(side)) {
            Some(_) => {}
            None => match moved.clone().find(|side| side.content == before.content) {
                Some(side) => changes.weakened.push(left_out(side)),
                None => changes.removed.push(RemovedTest { test: key(before), line: 1 }),
            },
        }
        return;
    };
    if file.asserted {
        changes.unknown.push(unknown(&after.path, 1, "how the file changed is not said"));
        return;
    }
    if !holds_tests(after) && is_foreign_test(&before.path) {
        changes.weakened.push(left_out(after));
        return;
    }
    let (Content::Text(old), Content::Text(new)) = (&before.content, &after.content) else {
        if before.content != after.content {
            changes.unknown.push(unknown(&after.path, 1, "the file cannot be read"));
        }
        return;
    };
    if let Some(line) = loses(&before.path, old, new) {
        changes.unknown.push(unknown(&after.path, line, "no parser reads tests of this language"));
    }
}

/// By its name; of Rust also by what stands in it, for its tests live beside the code.
fn holds_tests(side: &FileSide) -> bool {
    let inside = || match &side.content {
        Content::Text(text) => first_test(&side.path, text).is_some(),
        _ => false,
    };
    is_foreign_test(&side.path) || inside()
}

/// The line (1-based) from which a file of Rust holds tests of its own.
fn first_test(path: &str, text: &str) -> Option<u32> {
    if !path.ends_with(".rs") {
        return None;
    }
    let at = text.lines().position(|line| {
        let line = line.trim_start();
        line.starts_with("#[cfg(test)]") || line.starts_with("#[test]") || line.starts_with("#[tokio::test")
    })?;
    u32::try_from(at + 1).ok()
}

/// The line of the after text from which a test may ask less: a line went, or one came that can switch others off.
fn loses(path: &str, old: &str, new: &str) -> Option<u32> {
    let whole = is_foreign_test(path);
    let from = |text: &str| if whole { 1 } else { first_test(path, text).unwrap_or(u32::MAX) };
    let (old_from, new_from) = (from(old), from(new));
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let text =
        |lines: &[&str], line: u32| lines.get(line as usize - 1).map_or(String::new(), |line| line.trim().to_owned());
    // A line that only moved, or stands deeper, is not gone.
    let mut balance: BTreeMap<String, (i64, u32)> = BTreeMap::new();
    let mut switched = None;
    for hunk in line_diff(old, new) {
        for line in hunk.removed.clone().filter(|line| *line >= old_from) {
            balance.entry(text(&old_lines, line)).or_insert((0, hunk.added.start)).0 -= 1;
        }
        for line in hunk.added.clone().filter(|line| *line >= new_from) {
            let added = text(&new_lines, line);
            if switched.is_none() && switches(&added) {
                switched = Some(line);
            }
            balance.entry(added).or_insert((0, line)).0 += 1;
        }
    }
    let gone =
        balance.iter().filter(|(text, (count, _))| !text.is_empty() && *count < 0).map(|(_, (_, line))| *line).min();
    gone.into_iter().chain(switched).min().map(|line| line.max(1))
}

fn switches(line: &str) -> bool {
    let mut words = line.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    SIGNS.iter().any(|sign| line.contains(sign))
        || words.any(|word| SWITCHES.contains(&word.to_ascii_lowercase().as_str()))
}
