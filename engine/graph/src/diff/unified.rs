//! Reading unified diffs: what `git diff`, `git format-patch` and `diff -u` write.
//!
//! Strict inside a patch: counts must agree, nothing is guessed. Text around patches (mail headers, commit messages) is passed over.

use super::DiffError;

/// Largest diff that is read.
pub const MAX_PATCH_BYTES: usize = 64 << 20;
/// Most files that one diff may patch.
pub const MAX_FILES: usize = 50_000;
/// Longest path, in bytes.
const MAX_PATH_BYTES: usize = 4096;

/// What a diff says of one file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilePatch {
    /// Path before; `None` for an added file.
    pub before: Option<String>,
    /// Path after; `None` for a deleted file.
    pub after: Option<String>,
    /// Git's file mode before, where the diff says it: `0o100644`, `0o100755`, `0o120000` (link), `0o160000` (submodule).
    pub before_mode: Option<u32>,
    /// Git's file mode after, where the diff says it.
    pub after_mode: Option<u32>,
    /// The after file is a copy: the before file stays.
    pub copied: bool,
    /// Git's similarity of a rename or copy, in percent.
    pub similarity: Option<u8>,
    /// The change is of bytes that the diff does not hold as lines.
    pub binary: bool,
    /// Every line of the diff ends in `\r\n`: a mailer or an editor rewrote the line endings, so those of the file are not known from it.
    pub endings_rewritten: bool,
    /// What changed, in order.
    pub hunks: Vec<PatchHunk>,
    /// Line of the diff where this patch begins, 1-based.
    pub line: u32,
}

impl FilePatch {
    /// The path to name this patch by: the after path, the before path for a deletion.
    #[must_use]
    pub fn path(&self) -> &str {
        self.after.as_deref().or(self.before.as_deref()).unwrap_or_default()
    }
}

/// One hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchHunk {
    /// First line of it in the before text, 1-based; the line before it when it has no before lines.
    pub before_start: u32,
    /// First line of it in the after text, 1-based; the line before it when it has no after lines.
    pub after_start: u32,
    /// Its lines, in the order of the diff.
    pub lines: Vec<PatchLine>,
    /// Line of the diff where its `@@` stands, 1-based.
    pub line: u32,
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchLine {
    /// Which sides have it.
    pub kind: LineKind,
    /// Its text without the `\n`, with a `\r` if the file has one.
    pub text: String,
    /// The last line of a file that does not end in a line break.
    pub without_newline: bool,
}

/// Which sides of a patch have a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Both.
    Context,
    /// Only before.
    Removed,
    /// Only after.
    Added,
}

/// Reads a unified diff. An empty text is an empty diff.
///
/// # Errors
/// Whatever is not a well-formed diff of paths inside a repository; see [`DiffError`].
pub fn parse_unified(text: &str) -> Result<Vec<FilePatch>, DiffError> {
    if text.len() > MAX_PATCH_BYTES {
        return Err(DiffError::TooLarge);
    }
    // What Windows puts in front of a text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let rewritten =
        text.split_inclusive('\n').all(|line| line.ends_with("\r\n") || !line.ends_with('\n')) && text.contains("\r\n");
    let lines: Vec<&str> = text
        .split_inclusive('\n')
        .map(|line| {
            let line = line.strip_suffix('\n').unwrap_or(line);
            if rewritten { line.strip_suffix('\r').unwrap_or(line) } else { line }
        })
        .collect();
    let mut reader = Reader { lines, at: 0, rewritten };
    let mut patches = Vec::new();
    let (mut is_plain, mut only_in) = (false, None);
    while let Some(line) = reader.peek() {
        let patch = if line.starts_with("diff --git ") {
            Some(reader.git_patch()?)
        } else if line.starts_with("diff --cc ") || line.starts_with("diff --combined ") {
            return Err(reader.malformed("a merge's combined diff has no single before"));
        } else if line.starts_with("--- ") && reader.line_at(1).is_some_and(|next| next.starts_with("+++ ")) {
            is_plain = true;
            Some(reader.plain_patch()?)
        } else if line.starts_with("@@ -") {
            return Err(reader.malformed("a hunk without the `---` and `+++` lines of its file"));
        } else if line.starts_with("@@@ -") {
            return Err(reader.malformed("a merge's combined diff has no single before"));
        } else if line.trim_end() == "***************" {
            return Err(reader.malformed("a context diff, not a unified one"));
        } else if line.starts_with("* Unmerged path ") {
            return Err(reader.malformed("a file in conflict has no single after"));
        } else if is_submodule_log(line) {
            return Err(
                reader.malformed("a submodule told by its log; `git diff --submodule=short` tells it by its commits")
            );
        } else if line.starts_with("Binary files ") && line.trim_end().ends_with(" differ") {
            return Err(reader.malformed("a binary file that only `diff --git` names safely"));
        } else {
            if line.starts_with("Only in ") && line.contains(": ") {
                only_in = only_in.or(Some(reader.line_number()));
            }
            reader.at += 1;
            None
        };
        if let Some(patch) = patch {
            if patches.len() == MAX_FILES {
                return Err(DiffError::TooLarge);
            }
            patches.push(patch);
        }
    }
    if let (true, Some(line)) = (is_plain, only_in) {
        return Err(DiffError::Malformed {
            line,
            why: "a file that only one side has, without its lines (use `diff -N`)",
        });
    }
    if patches.is_empty() { Err(DiffError::NoPatch) } else { Ok(patches) }
}

/// `Submodule lib 1a2b3c4..5d6e7f8:` and its variants.
fn is_submodule_log(line: &str) -> bool {
    line.strip_prefix("Submodule ").is_some_and(|rest| {
        let is_range = |word: &str| {
            word.trim_end_matches(':').split_once("..").is_some_and(|(before, after)| {
                [before, after.trim_start_matches('.')]
                    .iter()
                    .all(|oid| oid.len() >= 4 && oid.bytes().all(|byte| byte.is_ascii_hexdigit()))
            })
        };
        rest.ends_with(" contains untracked content")
            || rest.ends_with(" contains modified content")
            || rest.split(' ').any(is_range)
    })
}

/// Checks that a path names a file inside a repository: relative, `/` between its segments, no `.`, `..` or `.git` segment,
/// no NUL, backslash or drive.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that begins with "the path".
pub fn check_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Err("is empty");
    }
    if path.len() > MAX_PATH_BYTES {
        return Err("is too long");
    }
    if path.contains('\0') {
        return Err("holds a NUL");
    }
    if path.starts_with('/') {
        return Err("is absolute");
    }
    if path.contains('\\') {
        return Err("holds a backslash");
    }
    let bytes = path.as_bytes();
    if bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' {
        return Err("begins with a drive");
    }
    for segment in path.split('/') {
        match segment {
            "" => return Err("has an empty segment"),
            "." | ".." => return Err("climbs out of its folder"),
            // Windows reads `.git.`, `.git ` and `GIT~1` as `.git`; `.git::$INDEX_ALLOCATION` is a stream of it.
            _ if {
                // What macOS does not see in a name.
                let seen: String = segment.chars().filter(|character| !is_ignorable(*character)).collect();
                let plain = seen.split(':').next().unwrap_or(&seen).trim_end_matches(['.', ' ']);
                plain.eq_ignore_ascii_case(".git") || plain.eq_ignore_ascii_case("git~1")
            } =>
            {
                return Err("points into `.git`");
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_ignorable(character: char) -> bool {
    matches!(character, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    at: usize,
    rewritten: bool,
}

/// A name on a `---` or `+++` line.
struct Name {
    /// `None` for `/dev/null`.
    path: Option<String>,
    /// Written by `diff -N` for a file that is not there.
    epoch: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    fn line_at(&self, ahead: usize) -> Option<&'a str> {
        self.lines.get(self.at + ahead).copied()
    }

    fn line_number(&self) -> u32 {
        super::line_number(self.at)
    }

    fn malformed(&self, why: &'static str) -> DiffError {
        DiffError::Malformed { line: self.line_number(), why }
    }

    fn checked(&self, path: String) -> Result<String, DiffError> {
        match check_path(&path) {
            Ok(()) => Ok(path),
            Err(why) => Err(DiffError::Path { line: self.line_number(), path, why }),
        }
    }

    fn new_patch(&self) -> FilePatch {
        FilePatch { line: self.line_number(), endings_rewritten: self.rewritten, ..FilePatch::default() }
    }

    fn git_patch(&mut self) -> Result<FilePatch, DiffError> {
        let mut patch = self.new_patch();
        let header = self.peek().and_then(|line| line.strip_prefix("diff --git ")).unwrap_or_default();
        let header_line = self.at;
        self.at += 1;
        let (mut added, mut deleted) = (false, false);
        let (mut from, mut to) = (None, None);
        let mut names: Option<(Name, Name)> = None;
        while let Some(line) = self.peek() {
            if let Some(mode) = line.strip_prefix("old mode ") {
                patch.before_mode = Some(self.mode(mode)?);
            } else if let Some(mode) = line.strip_prefix("new mode ") {
                patch.after_mode = Some(self.mode(mode)?);
            } else if let Some(mode) = line.strip_prefix("deleted file mode ") {
                deleted = true;
                patch.before_mode = Some(self.mode(mode)?);
            } else if let Some(mode) = line.strip_prefix("new file mode ") {
                added = true;
                patch.after_mode = Some(self.mode(mode)?);
            } else if let Some(name) = line.strip_prefix("rename from ").or_else(|| line.strip_prefix("copy from ")) {
                patch.copied = line.starts_with("copy");
                if from.replace(self.whole_name(name)?).is_some() {
                    return Err(self.malformed("a second name before"));
                }
            } else if let Some(name) = line.strip_prefix("rename to ").or_else(|| line.strip_prefix("copy to ")) {
                if to.replace(self.whole_name(name)?).is_some() || patch.copied != line.starts_with("copy") {
                    return Err(self.malformed("a second name after, or a copy that is a rename"));
                }
            } else if let Some(percent) = line.strip_prefix("similarity index ") {
                patch.similarity = percent.strip_suffix('%').and_then(|digits| digits.parse().ok());
            } else if line.starts_with("dissimilarity index ") {
                // Says how much a rewrite kept; the hunks say it better.
            } else if let Some(index) = line.strip_prefix("index ") {
                if let Some((_, mode)) = index.rsplit_once(' ') {
                    let mode = self.mode(mode)?;
                    patch.before_mode = Some(mode);
                    patch.after_mode = Some(mode);
                }
            } else if line.starts_with("Binary files ") || line == "GIT binary patch" {
                patch.binary = true;
                self.at += 1;
                self.skip_binary()?;
                break;
            } else if line.starts_with("--- ") && self.line_at(1).is_some_and(|next| next.starts_with("+++ ")) {
                names = Some((self.name("--- ")?, self.name("+++ ")?));
                self.hunks(&mut patch)?;
                if patch.hunks.is_empty() {
                    return Err(self.malformed("a file without a hunk"));
                }
                break;
            } else {
                break;
            }
            self.at += 1;
        }
        let end = std::mem::replace(&mut self.at, header_line);
        let agrees = |name: &Name, path: &str| {
            name.path
                .as_deref()
                .is_some_and(|name| name == path || name.split_once('/').is_some_and(|(_, rest)| rest == path))
        };
        let (before, after) = match (from, to) {
            (Some(from), Some(to)) => {
                if names.as_ref().is_some_and(|(before, after)| !agrees(before, &from) || !agrees(after, &to)) {
                    return Err(self.malformed("the `---` and `+++` lines contradict the rename"));
                }
                (from, to)
            }
            (None, None) => match names {
                Some((before, after)) => match (&before.path, &after.path) {
                    (Some(before), Some(after)) => {
                        let name = strip_git_prefixes(before, after)
                            .ok_or_else(|| self.malformed("the names before and after differ without a rename"))?;
                        (name.clone(), name)
                    }
                    (None, None) => return Err(self.malformed("neither side names a file")),
                    (Some(_), None) if !deleted => return Err(self.malformed("no side after, and not deleted")),
                    (None, Some(_)) if !added => return Err(self.malformed("no side before, and not added")),
                    _ => {
                        let (name, same) = self.header_names(header)?;
                        if !agrees(&before, &name) && !agrees(&after, &name) {
                            return Err(self.malformed("the `---` and `+++` lines contradict the `diff --git` line"));
                        }
                        (name, same)
                    }
                },
                None => self.header_names(header)?,
            },
            _ => return Err(self.malformed("a rename or copy without both names")),
        };
        if added && deleted || (added || deleted) && (patch.copied || before != after) {
            return Err(self.malformed("added, deleted and renamed exclude each other"));
        }
        let (before, after) = (self.checked(before)?, self.checked(after)?);
        patch.before = (!added).then_some(before);
        patch.after = (!deleted).then_some(after);
        self.at = end;
        Ok(patch)
    }

    fn plain_patch(&mut self) -> Result<FilePatch, DiffError> {
        let mut patch = self.new_patch();
        let start = self.at;
        let (before, after) = (self.name("--- ")?, self.name("+++ ")?);
        self.hunks(&mut patch)?;
        let end = std::mem::replace(&mut self.at, start);
        if patch.hunks.is_empty() {
            return Err(self.malformed("a file without a hunk"));
        }
        let no_before = patch.hunks.len() == 1 && before.epoch && patch.hunks[0].before_start == 0;
        let no_after = patch.hunks.len() == 1 && after.epoch && patch.hunks[0].after_start == 0;
        match (before.path, after.path) {
            (Some(before), Some(after)) => {
                let path = strip_plain_prefixes(&before, &after)
                    .ok_or_else(|| self.malformed("the names before and after are of two files"))?;
                let path = self.checked(path)?;
                patch.before = (!no_before).then(|| path.clone());
                patch.after = (!no_after).then_some(path);
            }
            (None, Some(after)) => {
                let path = after.strip_prefix("b/").map(str::to_owned).unwrap_or(after);
                patch.after = Some(self.checked(path)?);
            }
            (Some(before), None) => {
                let path = before.strip_prefix("a/").map(str::to_owned).unwrap_or(before);
                patch.before = Some(self.checked(path)?);
            }
            (None, None) => return Err(self.malformed("neither side names a file")),
        }
        if patch.before.is_none() && patch.after.is_none() {
            return Err(self.malformed("neither side names a file"));
        }
        self.at = end;
        Ok(patch)
    }

    fn mode(&self, text: &str) -> Result<u32, DiffError> {
        let mode = u32::from_str_radix(text.trim_end(), 8)
            .map_err(|_| self.malformed("a file mode that is no octal number"))?;
        match mode {
            0o100_644 | 0o100_664 | 0o100_755 | 0o120_000 | 0o160_000 => Ok(mode),
            _ => Err(self.malformed("a file mode that git does not have")),
        }
    }

    /// A name that takes the rest of its line.
    fn whole_name(&self, text: &str) -> Result<String, DiffError> {
        if text.starts_with('"') {
            match unquote(text) {
                Some((name, "")) => Ok(name),
                _ => Err(self.malformed("a quoted name that does not end or is not UTF-8")),
            }
        } else {
            self.unquoted(text)
        }
    }

    /// A name as it stands: git quotes those that hold what no line shows.
    fn unquoted(&self, name: &str) -> Result<String, DiffError> {
        if name.contains(char::is_control) {
            return Err(self.malformed("a name with a control character, which git would quote"));
        }
        Ok(name.to_owned())
    }

    /// Reads a `--- ` or `+++ ` line and moves past it.
    fn name(&mut self, marker: &str) -> Result<Name, DiffError> {
        let text =
            self.peek().and_then(|line| line.strip_prefix(marker)).ok_or_else(|| self.malformed("no file name"))?;
        let (name, stamp) = if text.starts_with('"') {
            let (name, rest) =
                unquote(text).ok_or_else(|| self.malformed("a quoted name that does not end or is not UTF-8"))?;
            (name, rest)
        } else {
            let (name, stamp) = text.split_once('\t').unwrap_or((text, ""));
            (self.unquoted(name)?, stamp)
        };
        let stamp = stamp.trim_start_matches('\t');
        let epoch = stamp.starts_with("1970-01-01") || stamp.starts_with("1969-12-31");
        self.at += 1;
        Ok(Name { path: (name != "/dev/null").then_some(name), epoch })
    }

    /// The name in `diff --git a/NAME b/NAME`; both are the same where this line is what names the file.
    fn header_names(&self, header: &str) -> Result<(String, String), DiffError> {
        let found = if header.starts_with('"') {
            unquote(header).and_then(|(before, rest)| {
                let rest = rest.strip_prefix(' ')?;
                let after = if rest.starts_with('"') {
                    unquote(rest).filter(|(_, end)| end.is_empty())?.0
                } else {
                    rest.to_owned()
                };
                strip_git_prefixes(&before, &after)
            })
        } else if let Some((before, after)) = header.split_once(" \"") {
            unquote(&format!("\"{after}"))
                .filter(|(_, end)| end.is_empty())
                .and_then(|(after, _)| strip_git_prefixes(before, &after))
        } else {
            // Both halves name the same file, so the middle is the only place where they can part.
            let middle = header.len() / 2;
            (header.len() % 2 == 1 && header.as_bytes().get(middle) == Some(&b' '))
                .then(|| strip_git_prefixes(&header[..middle], &header[middle + 1..]))
                .flatten()
        };
        let name = found.ok_or_else(|| self.malformed("a `diff --git` line whose two names differ"))?;
        if !header.contains('"') {
            self.unquoted(&name)?;
        }
        Ok((name.clone(), name))
    }

    /// Passes over the body of a binary patch: `literal` and `delta` blocks, each ended by an empty line. What stands in one
    /// must be encoded bytes: nothing else may hide there.
    fn skip_binary(&mut self) -> Result<(), DiffError> {
        while let Some(line) = self.peek() {
            if !(line.starts_with("literal ") || line.starts_with("delta ")) {
                break;
            }
            self.at += 1;
            while let Some(line) = self.peek().filter(|line| !line.is_empty()) {
                if !is_encoded(line) {
                    return Err(self.malformed("a line of a binary patch that is not encoded as git does it"));
                }
                self.at += 1;
            }
            if self.peek().is_some() {
                self.at += 1;
            }
        }
        Ok(())
    }

    fn hunks(&mut self, patch: &mut FilePatch) -> Result<(), DiffError> {
        while let Some(line) = self.peek() {
            if !line.starts_with("@@ -") {
                // A signature of `git format-patch` begins like a removed line.
                let stray =
                    line.starts_with(['+', ' ']) || line.starts_with('-') && !matches!(line.trim_end(), "--" | "---");
                if stray && !patch.hunks.is_empty() && !self.begins_patch() {
                    return Err(self.malformed("more lines than the hunk's `@@` line counts"));
                }
                return Ok(());
            }
            let hunk = self.hunk()?;
            patch.hunks.push(hunk);
        }
        Ok(())
    }

    fn begins_patch(&self) -> bool {
        self.peek().is_some_and(|line| line.starts_with("--- "))
            && self.line_at(1).is_some_and(|line| line.starts_with("+++ "))
    }

    fn hunk(&mut self) -> Result<PatchHunk, DiffError> {
        let header = self.peek().unwrap_or_default();
        let (before, after) =
            hunk_ranges(header).ok_or_else(|| self.malformed("a `@@` line that is not `@@ -A,B +C,D @@`"))?;
        let mut hunk =
            PatchHunk { before_start: before.0, after_start: after.0, lines: Vec::new(), line: self.line_number() };
        if before.1 > 0 && before.0 == 0 || after.1 > 0 && after.0 == 0 {
            return Err(self.malformed("lines are counted from 1"));
        }
        self.at += 1;
        let (mut before_left, mut after_left) = (before.1, after.1);
        while before_left > 0 || after_left > 0 {
            let line = self.peek().ok_or_else(|| self.malformed("the diff ends inside a hunk"))?;
            let (kind, text) = match line.as_bytes().first() {
                Some(b' ') => (LineKind::Context, &line[1..]),
                Some(b'-') => (LineKind::Removed, &line[1..]),
                Some(b'+') => (LineKind::Added, &line[1..]),
                // Mailers drop the blank of an empty context line.
                None => (LineKind::Context, ""),
                Some(b'\r') if line.len() == 1 => (LineKind::Context, line),
                Some(b'\\') => {
                    self.without_newline(&mut hunk)?;
                    continue;
                }
                _ => return Err(self.malformed("a line in a hunk that begins with none of ` `, `+`, `-`, `\\`")),
            };
            let takes = |left: &mut u32, counts: bool| {
                if counts {
                    *left = left.checked_sub(1)?;
                }
                Some(())
            };
            takes(&mut before_left, kind != LineKind::Added)
                .and_then(|()| takes(&mut after_left, kind != LineKind::Removed))
                .ok_or_else(|| self.malformed("other lines than the hunk's `@@` line counts"))?;
            hunk.lines.push(PatchLine { kind, text: text.to_owned(), without_newline: false });
            self.at += 1;
        }
        if self.peek().is_some_and(|line| line.starts_with('\\')) {
            self.without_newline(&mut hunk)?;
        }
        let ends_right = |side: LineKind| {
            let mut of_side = hunk.lines.iter().filter(|line| line.kind != side).rev();
            of_side.next();
            of_side.all(|line| !line.without_newline)
        };
        if hunk.lines.is_empty() || !ends_right(LineKind::Added) || !ends_right(LineKind::Removed) {
            return Err(DiffError::Malformed {
                line: hunk.line,
                why: "an empty hunk, or `\\ No newline` before its last line",
            });
        }
        Ok(hunk)
    }

    fn without_newline(&mut self, hunk: &mut PatchHunk) -> Result<(), DiffError> {
        match hunk.lines.last_mut() {
            Some(last) if !last.without_newline => last.without_newline = true,
            _ => return Err(self.malformed("`\\ No newline` without a line before it")),
        }
        self.at += 1;
        Ok(())
    }
}

/// `@@ -A[,B] +C[,D] @@ …` as ((A, B), (C, D)); B and D are 1 where absent.
fn hunk_ranges(header: &str) -> Option<((u32, u32), (u32, u32))> {
    let (ranges, _) = header.strip_prefix("@@ -")?.split_once(" @@")?;
    let (before, after) = ranges.split_once(" +")?;
    let range = |text: &str| {
        let number =
            |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>().ok())?;
        match text.split_once(',') {
            Some((start, count)) => Some((number(start)?, number(count)?)),
            None => Some((number(text)?, 1)),
        }
    };
    Some((range(before)?, range(after)?))
}

/// The common name behind git's prefixes: `a/` `b/`, the mnemonic ones, or none.
fn strip_git_prefixes(before: &str, after: &str) -> Option<String> {
    const PAIRS: [(&str, &str); 9] = [
        ("a/", "b/"),
        ("i/", "w/"),
        ("c/", "i/"),
        ("c/", "w/"),
        ("o/", "w/"),
        ("b/", "a/"),
        ("w/", "i/"),
        ("i/", "c/"),
        ("w/", "c/"),
    ];
    if before == after {
        return Some(before.to_owned());
    }
    PAIRS.iter().find_map(|(left, right)| {
        let name = before.strip_prefix(left)?;
        (after.strip_prefix(right)? == name).then(|| name.to_owned())
    })
}

/// The common name of a plain diff: equal names, equal but for the first folder (`diff -r old new`), or `NAME.orig` and `NAME`.
fn strip_plain_prefixes(before: &str, after: &str) -> Option<String> {
    if before == after || before.strip_suffix(".orig") == Some(after) {
        return Some(after.to_owned());
    }
    let (left, right) = (before.split_once('/')?.1, after.split_once('/')?.1);
    (left == right || left.strip_suffix(".orig") == Some(right)).then(|| right.to_owned())
}

/// A line of git's binary patches: how many bytes, then those bytes in base 85.
fn is_encoded(line: &str) -> bool {
    let Some((count, encoded)) = line.as_bytes().split_first() else { return false };
    let bytes = match count {
        b'A'..=b'Z' => usize::from(count - b'A') + 1,
        b'a'..=b'z' => usize::from(count - b'a') + 27,
        _ => return false,
    };
    let in_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&()*+-;<=>?@^_`{|}~".contains(byte);
    encoded.len() == bytes.div_ceil(4) * 5 && encoded.iter().all(in_alphabet)
}

/// Reads git's C-style quoted name at the start of a text; returns it and what follows. `None` when it does not end, holds an
/// unknown escape or is not UTF-8.
fn unquote(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let bytes = inner.as_bytes();
    let mut name = Vec::new();
    let mut at = 0;
    loop {
        match *bytes.get(at)? {
            b'"' => return Some((String::from_utf8(name).ok()?, &inner[at + 1..])),
            b'\\' => {
                let escape = *bytes.get(at + 1)?;
                at += 2;
                name.push(match escape {
                    b'a' => 7,
                    b'b' => 8,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 11,
                    b'f' => 12,
                    b'r' => b'\r',
                    b'"' | b'\\' => escape,
                    b'0'..=b'3' => {
                        let digit = |index: usize| bytes.get(index).filter(|byte| (b'0'..=b'7').contains(byte));
                        let (second, third) = (*digit(at)?, *digit(at + 1)?);
                        at += 2;
                        (escape - b'0') * 64 + (second - b'0') * 8 + (third - b'0')
                    }
                    _ => return None,
                });
            }
            byte => {
                name.push(byte);
                at += 1;
            }
        }
    }
}
