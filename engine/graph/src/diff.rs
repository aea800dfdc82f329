//! Differences between texts, by lines: computing them, and reading and applying unified diffs.
//!
//! Pure: texts in, texts out. It does not know what a part is (see [`crate::change`]) and never reads a file.

mod apply;
mod unified;

use std::fmt;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

pub use apply::{apply, change_from_patches};
pub use unified::{FilePatch, LineKind, MAX_FILES, MAX_PATCH_BYTES, PatchHunk, PatchLine, check_path, parse_unified};

/// Above this many differing lines on both sides together, the whole differing range is one hunk.
const MAX_DIFFED_LINES: usize = 400_000;

/// One run of changed lines; 1-based, half-open. At least one range is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineHunk {
    /// Lines of the before text that are gone.
    pub removed: Range<u32>,
    /// Lines of the after text that are new.
    pub added: Range<u32>,
}

/// The hunks between two texts, in order. Line endings do not count: `\r\n` equals `\n`, and so does a last line without one.
///
/// Inputs whose differing middle is huge give one hunk for all of it: never wrong, only coarse.
#[must_use]
pub fn line_diff(before: &str, after: &str) -> Vec<LineHunk> {
    // With nothing on one side, there is nothing to compare.
    if before.is_empty() || after.is_empty() {
        let all = |text: &str| 1..line_number(text.split_inclusive('\n').count());
        let hunk = LineHunk { removed: all(before), added: all(after) };
        return Some(hunk).filter(|hunk| !(hunk.removed.is_empty() && hunk.added.is_empty())).into_iter().collect();
    }
    let before = lines_without_endings(before);
    let after = lines_without_endings(after);
    let prefix = before.iter().zip(&after).take_while(|(left, right)| left == right).count();
    let suffix = before[prefix..]
        .iter()
        .rev()
        .zip(after[prefix..].iter().rev())
        .take_while(|(left, right)| left == right)
        .count();
    let before_middle = before.len() - prefix - suffix;
    let after_middle = after.len() - prefix - suffix;
    if before_middle + after_middle == 0 {
        return Vec::new();
    }
    if before_middle + after_middle > MAX_DIFFED_LINES {
        return vec![LineHunk {
            removed: line_number(prefix)..line_number(prefix + before_middle),
            added: line_number(prefix)..line_number(prefix + after_middle),
        }];
    }
    let mut input = InternedInput::default();
    input.update_before(before.into_iter());
    input.update_after(after.into_iter());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    diff.hunks()
        .map(|hunk| LineHunk {
            removed: hunk.before.start + 1..hunk.before.end + 1,
            added: hunk.after.start + 1..hunk.after.end + 1,
        })
        .collect()
}

fn lines_without_endings(text: &str) -> Vec<&str> {
    text.split_inclusive('\n')
        .map(|line| {
            let line = line.strip_suffix('\n').unwrap_or(line);
            line.strip_suffix('\r').unwrap_or(line)
        })
        .collect()
}

/// The 1-based number of the line at a 0-based index; saturates, which only texts of 4 billion lines could see.
fn line_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX - 1).saturating_add(1)
}

/// Why a unified diff could not be read or applied. Lines are 1-based.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffError {
    /// The diff is larger than [`MAX_PATCH_BYTES`] or names more than [`MAX_FILES`] files.
    TooLarge,
    /// The text is not empty and holds no patch.
    NoPatch,
    /// The text breaks the format.
    Malformed {
        /// Line in the diff.
        line: u32,
        /// What is wrong.
        why: &'static str,
    },
    /// A path that no repository file may have.
    Path {
        /// Line in the diff.
        line: u32,
        /// The path as written.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A patch of a file that is not text: it has no lines to apply.
    Binary {
        /// The file.
        path: String,
    },
    /// A hunk does not fit the text.
    Mismatch {
        /// The file.
        path: String,
        /// Which hunk of the file, from 1.
        hunk: u32,
        /// Line in the before text.
        line: u32,
        /// What the diff expects there.
        expected: String,
        /// What is there; `None` beyond the end.
        found: Option<String>,
    },
    /// A hunk fits two places that are equally near.
    Ambiguous {
        /// The file.
        path: String,
        /// Which hunk of the file, from 1.
        hunk: u32,
        /// Line in the before text where it was expected.
        line: u32,
    },
    /// The diff changes a file that is not there.
    Missing {
        /// The file.
        path: String,
    },
    /// The diff adds a file that is there already.
    Exists {
        /// The file.
        path: String,
    },
    /// The diff deletes a file but leaves some of its lines.
    NotEmptied {
        /// The file.
        path: String,
    },
    /// The diff takes a file for a link, a submodule or a regular file, which it is not.
    WrongType {
        /// The file.
        path: String,
    },
    /// The diff puts a file below another file.
    BelowFile {
        /// The file that the diff adds.
        path: String,
    },
    /// The diff patches the same file twice.
    Twice {
        /// The file.
        path: String,
    },
}

impl DiffError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::TooLarge => "split the diff, or give two revisions instead",
            Self::NoPatch => "give the output of `git diff` or of `diff -u`",
            Self::Malformed { .. } => "write the diff again with `git diff` and do not edit it by hand",
            Self::Path { .. } => "write the diff from the top of the repository",
            Self::Binary { .. } => "give two revisions instead: a diff does not hold what a binary file became",
            Self::Mismatch { .. } | Self::Ambiguous { .. } => "write the diff again, from the base that is judged",
            Self::Missing { .. }
            | Self::Exists { .. }
            | Self::NotEmptied { .. }
            | Self::WrongType { .. }
            | Self::BelowFile { .. } => "check that the diff was written from the base that is judged",
            Self::Twice { .. } => "give one diff from the base to the head instead of a series",
        }
    }
}

impl fmt::Display for DiffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => {
                write!(f, "the diff is larger than {MAX_PATCH_BYTES} bytes or {MAX_FILES} files")
            }
            Self::NoPatch => f.write_str("the text holds no unified diff"),
            Self::Malformed { line, why } => write!(f, "line {line} of the diff: {why}"),
            Self::Path { line, path, why } => {
                write!(f, "line {line} of the diff: the path `{}` {why}", path.escape_debug())
            }
            Self::Binary { path } => write!(f, "the diff of `{path}` is binary and cannot be applied"),
            Self::Mismatch { path, hunk, line, expected, found } => {
                write!(
                    f,
                    "hunk {hunk} of `{path}` does not fit at line {line}: expected `{}`, found ",
                    Short(expected)
                )?;
                match found {
                    Some(found) => write!(f, "`{}`", Short(found)),
                    None => f.write_str("the end of the file"),
                }
            }
            Self::Ambiguous { path, hunk, line } => {
                write!(f, "hunk {hunk} of `{path}` fits both before and after line {line}")
            }
            Self::Missing { path } => write!(f, "the diff changes `{path}`, which is not there"),
            Self::Exists { path } => write!(f, "the diff adds `{path}`, which is there already"),
            Self::NotEmptied { path } => write!(f, "the diff deletes `{path}` but leaves lines in it"),
            Self::WrongType { path } => write!(f, "the diff takes `{path}` for another type of file than it is"),
            Self::BelowFile { path } => write!(f, "the diff adds `{path}` below what is a file or a link"),
            Self::Twice { path } => write!(f, "the diff patches `{path}` twice"),
        }
    }
}

impl std::error::Error for DiffError {}

/// A line for a message: escaped, at most 80 characters.
struct Short<'a>(&'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars().take(80) {
            if character == '\t' || !character.is_control() {
                write!(f, "{character}")?;
            } else {
                write!(f, "{}", character.escape_debug())?;
            }
        }
        if self.0.chars().nth(80).is_some() { f.write_str("…") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
