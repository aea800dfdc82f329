//! Applying unified diffs to texts, and building a [`Change`] from them.
//!
//! Strict: every before line of a hunk must be there, exactly. A hunk may have moved by a few lines; its content may not differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::unified::{FilePatch, LineKind, PatchHunk};
use super::{DiffError, line_number};
use crate::change::{Change, Content, FileChange, FileSide};

/// How many lines a hunk may have moved from where the diff says it is.
const MAX_OFFSET: usize = 100;
/// What git writes as the text of a submodule.
const SUBMODULE: &str = "Subproject commit ";
const LINK_MODE: u32 = 0o120_000;
const SUBMODULE_MODE: u32 = 0o160_000;
const EXECUTABLE_MODE: u32 = 0o100_755;

/// The text after the patch.
///
/// # Errors
/// [`DiffError::Binary`] for a binary patch, [`DiffError::Mismatch`] or [`DiffError::Ambiguous`] where a hunk does not fit.
pub fn apply(before: &str, patch: &FilePatch) -> Result<String, DiffError> {
    if patch.binary {
        return Err(DiffError::Binary { path: patch.path().to_owned() });
    }
    let lines: Vec<&str> = before.split_inclusive('\n').collect();
    // Where the diff lost the file's line endings, the file itself tells them.
    let ending =
        if patch.endings_rewritten && lines.first().is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" };
    let mut result = String::with_capacity(before.len());
    let mut next = 0;
    let mut moved = 0_isize;
    for (index, hunk) in patch.hunks.iter().enumerate() {
        let at = locate(&lines, patch, index, hunk, next, moved)?;
        moved = at as isize - expected_index(hunk) as isize;
        result.extend(lines[next..at].iter().copied());
        next = at;
        for line in &hunk.lines {
            if line.kind == LineKind::Added {
                result.push_str(&line.text);
                if !line.without_newline {
                    result.push_str(ending);
                }
                continue;
            }
            if line.kind == LineKind::Context {
                result.push_str(lines[next]);
            }
            next += 1;
        }
        let unended = hunk
            .lines
            .iter()
            .rev()
            .find(|line| line.kind != LineKind::Removed)
            .is_some_and(|line| line.without_newline);
        if unended && (next < lines.len() || index + 1 < patch.hunks.len()) {
            return Err(DiffError::Mismatch {
                path: patch.path().to_owned(),
                hunk: line_number(index),
                line: line_number(next),
                expected: "the end of the file".to_owned(),
                found: lines.get(next).map(|line| line.trim_end_matches('\n').to_owned()),
            });
        }
    }
    result.extend(lines[next..].iter().copied());
    Ok(result)
}

/// The 0-based index where the hunk's first before line should be.
fn expected_index(hunk: &PatchHunk) -> usize {
    let start = hunk.before_start as usize;
    if has_before_lines(hunk) { start.saturating_sub(1) } else { start }
}

fn has_before_lines(hunk: &PatchHunk) -> bool {
    hunk.lines.iter().any(|line| line.kind != LineKind::Added)
}

/// Where the hunk fits: where it says, else the nearest place, else an error about where it says.
fn locate(
    lines: &[&str],
    patch: &FilePatch,
    index: usize,
    hunk: &PatchHunk,
    lowest: usize,
    moved: isize,
) -> Result<usize, DiffError> {
    let mismatch = |line: usize, expected: &str, found: Option<&str>| DiffError::Mismatch {
        path: patch.path().to_owned(),
        hunk: line_number(index),
        line: line_number(line),
        expected: expected.to_owned(),
        found: found.map(|found| match found.strip_suffix('\n') {
            // Only how the line ends differs.
            Some(text) if text == expected => format!("{text} and a line break"),
            Some(text) => text.to_owned(),
            None if found == expected => format!("{found} without a line break"),
            None => found.to_owned(),
        }),
    };
    let expected = expected_index(hunk).saturating_add_signed(moved);
    if !has_before_lines(hunk) {
        // Nothing to recognise the place by: it must be exactly where it says.
        return if moved == 0 && expected >= lowest && expected <= lines.len() && after_full_line(lines, expected) {
            Ok(expected)
        } else {
            Err(mismatch(expected, "a place to insert lines", lines.get(expected).copied()))
        };
    }
    let fits = |at: usize| at >= lowest && first_difference(lines, patch, hunk, at).is_none();
    if fits(expected) {
        return Ok(expected);
    }
    for offset in 1..=MAX_OFFSET {
        let above = expected.checked_sub(offset).filter(|at| fits(*at));
        let below = expected.checked_add(offset).filter(|at| fits(*at));
        match (above, below) {
            (Some(_), Some(_)) => {
                return Err(DiffError::Ambiguous {
                    path: patch.path().to_owned(),
                    hunk: line_number(index),
                    line: line_number(expected),
                });
            }
            (Some(at), None) | (None, Some(at)) => return Ok(at),
            (None, None) => {}
        }
    }
    if expected < lowest {
        return Err(mismatch(expected, "a hunk that begins after the one before it", lines.get(expected).copied()));
    }
    let (line, expected) = first_difference(lines, patch, hunk, expected).unwrap_or((expected, ""));
    Err(mismatch(line, expected, lines.get(line).copied()))
}

/// Lines can only be added after a line that is ended.
fn after_full_line(lines: &[&str], at: usize) -> bool {
    at == 0 || lines.get(at - 1).is_some_and(|line| line.ends_with('\n'))
}

/// The index of the first line that is not what the hunk expects when it stands at `at`, and what it expects there.
fn first_difference<'a>(lines: &[&str], patch: &FilePatch, hunk: &'a PatchHunk, at: usize) -> Option<(usize, &'a str)> {
    let expected = hunk.lines.iter().filter(|line| line.kind != LineKind::Added);
    for (index, line) in (at..).zip(expected) {
        let fits = lines.get(index).is_some_and(|found| {
            let (mut text, ended) = match found.strip_suffix('\n') {
                Some(text) => (text, true),
                None => (*found, false),
            };
            if patch.endings_rewritten {
                text = text.strip_suffix('\r').unwrap_or(text);
            }
            text == line.text && ended != line.without_newline
        });
        if !fits {
            return Some((index, &line.text));
        }
    }
    None
}

/// The change that the patches make to the files that `reader` gives (by path; `None` for a file that is not there).
///
/// A side that the patches do not tell (a binary patch, a before side that is no text) becomes [`Content::Unknown`].
///
/// # Errors
/// The first patch that does not fit; see [`DiffError`].
pub fn change_from_patches(
    patches: &[FilePatch],
    reader: &mut dyn FnMut(&str) -> Option<Content>,
) -> Result<Change, DiffError> {
    let mut files: BTreeMap<Arc<str>, FileChange> = BTreeMap::new();
    let mut consumed = BTreeSet::new();
    let gone: BTreeSet<&str> = patches
        .iter()
        .filter(|patch| !patch.copied && patch.before != patch.after)
        .filter_map(|patch| patch.before.as_deref())
        .collect();
    for patch in patches {
        let Some(mut file) = file_change(patch, &gone, reader)? else { continue };
        let twice = || DiffError::Twice { path: patch.path().to_owned() };
        if let (Some(before), false) = (&patch.before, patch.copied)
            && !consumed.insert(before.as_str())
        {
            return Err(twice());
        }
        let key: Arc<str> = patch.path().into();
        if let Some(other) = files.remove(&key) {
            // A file that becomes a link, or back, is written as a deletion and an addition.
            file = match (other.before, other.after, file.before, file.after) {
                (Some(before), None, None, Some(after)) => {
                    FileChange { before: Some(before), after: Some(after), asserted: false }
                }
                _ => return Err(twice()),
            };
        }
        files.insert(key, file);
    }
    for file in files.values() {
        let come = file.after.as_ref().filter(|after| file.before.as_ref().is_none_or(|old| old.path != after.path));
        if let Some(after) = come {
            below_a_file(&after.path, &files, &gone, reader)?;
        }
    }
    Ok(Change { files: files.into_values().collect() })
}

/// An error where a folder of the path is a file or a link after the diff.
fn below_a_file(
    path: &str,
    files: &BTreeMap<Arc<str>, FileChange>,
    gone: &BTreeSet<&str>,
    reader: &mut dyn FnMut(&str) -> Option<Content>,
) -> Result<(), DiffError> {
    for (at, _) in path.match_indices('/') {
        let folder = &path[..at];
        let is_file = match files.get(folder) {
            Some(file) => file.after.is_some(),
            None => !gone.contains(folder) && reader(folder).is_some(),
        };
        if is_file {
            return Err(DiffError::BelowFile { path: path.to_owned() });
        }
    }
    Ok(())
}

/// The type of file that a mode speaks of; `None` for a content of which it is not known.
fn is_of_mode(content: &Content, mode: u32) -> Option<bool> {
    Some(match content {
        Content::Link(_) => mode == LINK_MODE,
        Content::Submodule(_) => mode == SUBMODULE_MODE,
        Content::Text(_) | Content::Binary(_) | Content::TooLarge { .. } => !matches!(mode, LINK_MODE | SUBMODULE_MODE),
        Content::Unknown(_) => return None,
    })
}

/// `None` when the patch changes nothing.
fn file_change(
    patch: &FilePatch,
    gone: &BTreeSet<&str>,
    reader: &mut dyn FnMut(&str) -> Option<Content>,
) -> Result<Option<FileChange>, DiffError> {
    let before = match &patch.before {
        Some(path) => {
            let content = reader(path).ok_or_else(|| DiffError::Missing { path: path.clone() })?;
            if patch.before_mode.is_some_and(|mode| is_of_mode(&content, mode) == Some(false)) {
                return Err(DiffError::WrongType { path: path.clone() });
            }
            Some(FileSide {
                path: path.as_str().into(),
                executable: patch.before_mode == Some(EXECUTABLE_MODE),
                content,
            })
        }
        None => None,
    };
    if let Some(path) = &patch.after
        && patch.before.as_ref() != Some(path)
        && !gone.contains(path.as_str())
        && reader(path).is_some()
    {
        return Err(DiffError::Exists { path: path.clone() });
    }
    let content = after_content(patch, before.as_ref().map(|side| &side.content))?;
    let after = patch.after.as_ref().map(|path| FileSide {
        path: path.as_str().into(),
        executable: patch.after_mode.or(patch.before_mode) == Some(EXECUTABLE_MODE),
        content,
    });
    if before == after {
        // A patch with hunks changed something that a side does not show, such as a byte-order mark.
        let told = !patch.hunks.is_empty() || patch.binary;
        return Ok(told.then_some(FileChange { before, after, asserted: true }));
    }
    // A copy's before side did not change: the copy is an added file.
    let before = if patch.copied { None } else { before };
    Ok(Some(FileChange { before, after, asserted: false }))
}

fn after_content(patch: &FilePatch, before: Option<&Content>) -> Result<Content, DiffError> {
    let unknown = |why: &str| Ok(Content::Unknown(why.into()));
    if patch.binary {
        return unknown("the diff does not hold the bytes of a binary file");
    }
    let text = match before {
        None => "".into(),
        Some(Content::Text(text)) => text.clone(),
        // Git writes a link's target without a line break.
        Some(Content::Link(target)) => target.clone(),
        Some(Content::Submodule(commit)) => format!("{SUBMODULE}{commit}\n").into(),
        Some(same) if patch.hunks.is_empty() => return Ok(same.clone()),
        Some(Content::Binary(_)) => return unknown("the diff changes lines of a file that is not text"),
        Some(Content::TooLarge { .. }) => return unknown("the diff changes lines of a file that is too large to read"),
        Some(Content::Unknown(_)) => return unknown("the diff changes lines of a file that could not be read"),
    };
    let text = apply(&text, &without_byte_order_mark(patch))?;
    if patch.after.is_none() {
        return if text.is_empty() {
            Ok(Content::Text(text.into()))
        } else {
            Err(DiffError::NotEmptied { path: patch.path().to_owned() })
        };
    }
    let before_mode = match before {
        Some(Content::Link(_)) => Some(LINK_MODE),
        Some(Content::Submodule(_)) => Some(SUBMODULE_MODE),
        _ => None,
    };
    Ok(match patch.after_mode.or(before_mode) {
        Some(LINK_MODE) => Content::Link(text.into()),
        Some(SUBMODULE_MODE) => match text.strip_prefix(SUBMODULE) {
            Some(commit) => Content::Submodule(commit.trim_end().into()),
            None => return unknown("the diff does not say the submodule's commit"),
        },
        _ if text.contains('\0') => return unknown("the diff writes NUL bytes"),
        _ => Content::Text(text.into()),
    })
}

/// [`Content::Text`] has no byte-order mark; the first line of a diff may have one.
fn without_byte_order_mark(patch: &FilePatch) -> FilePatch {
    let mut patch = patch.clone();
    if let Some(hunk) = patch.hunks.first_mut()
        && hunk.before_start <= 1
    {
        for kind in [LineKind::Removed, LineKind::Added, LineKind::Context] {
            if let Some(line) = hunk.lines.iter_mut().find(|line| line.kind == kind)
                && let Some(rest) = line.text.strip_prefix('\u{feff}')
            {
                line.text = rest.to_owned();
            }
        }
    }
    patch
}
