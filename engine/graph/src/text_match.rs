//! What a change says in text: the lines of code that it adds, and the documentation that it takes away.
//!
//! Reads the texts of the change itself, by the parts and lines that [`crate::change::parts`] found. It searches for nothing:
//! conditions do that with the lines given here.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::change::{Change, Content, FileChange, FileSide, Kinds, PartChange, is_documentation, syntax};
use crate::code::{PartKey, PartKind};
use crate::facts::{FileFacts, Language};

/// An added line, as far as it is code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeLine {
    /// The file, after the change.
    pub path: Arc<str>,
    /// The line in it, 1-based.
    pub line: u32,
    /// The line without its comments and without what stands inside its strings (quotes stay; code inside an f-string stays).
    /// The whole line where no parser reads the file.
    pub text: String,
    /// The part that holds it.
    pub part: PartKey,
    /// False where comments and strings could not be told from code: a match is then possible, not sure.
    pub certain: bool,
}

/// The added lines of code, in the order of the parts, and the parts of which it cannot be said what was added.
///
/// `.grace` files and documents that only people read hold no code. Lines that are blank without comments and strings are left out.
/// `facts` gives what was read of a text, as for [`crate::change::parts`].
#[must_use]
pub fn added_code_lines(
    change: &Change,
    parts: &[PartChange],
    facts: &mut dyn FnMut(&str, &Content) -> Option<Arc<FileFacts>>,
) -> (Vec<CodeLine>, Vec<PartKey>) {
    let files = by_after_path(change);
    let mut codes: BTreeMap<&str, Code<'_>> = BTreeMap::new();
    let mut lines = Vec::new();
    let mut unknown = Vec::new();
    for part in parts {
        let Some(key) = &part.after else { continue };
        if key.path.ends_with(".grace") {
            continue;
        }
        let Some(file) = files.get(&*key.path) else { continue };
        let after = file.after.as_ref();
        let text = after.and_then(text);
        let readable = |side: &Option<FileSide>| side.as_ref().is_none_or(|side| text_of_side(side).is_some());
        if part.kinds.contains(Kinds::UNKNOWN) && (file.asserted || !readable(&file.before)) || text.is_none() {
            unknown.push(key.clone());
            continue;
        }
        if part.added.is_empty() {
            continue;
        }
        let code = codes.entry(&key.path).or_insert_with(|| {
            let facts = after.and_then(|side| facts(&key.path, &side.content));
            let quiet = facts.filter(|_| !part.kinds.contains(Kinds::UNKNOWN)).and_then(|facts| facts.quiet.clone());
            Code::of(&key.path, text.unwrap_or_default(), quiet.as_deref())
        });
        for line in &part.added {
            let Some(text) = code.line(*line).filter(|text| !text.trim().is_empty()) else { continue };
            lines.push(CodeLine {
                path: key.path.clone(),
                line: *line,
                text: text.to_owned(),
                part: key.clone(),
                certain: code.certain,
            });
        }
    }
    (lines, unknown)
}

fn by_after_path(change: &Change) -> BTreeMap<&str, &FileChange> {
    change.files.iter().filter_map(|file| Some((&*file.after.as_ref()?.path, file))).collect()
}

fn text(side: &FileSide) -> Option<&str> {
    text_of_side(side)
}

fn text_of_side(side: &FileSide) -> Option<&str> {
    match &side.content {
        Content::Text(text) => Some(text),
        _ => None,
    }
}

/// A text without comments and strings, by lines.
struct Code<'t> {
    text: Cow<'t, str>,
    /// Where each line ends.
    ends: Vec<usize>,
    /// Not where nobody knows what are comments and strings.
    certain: bool,
}

impl<'t> Code<'t> {
    fn of(path: &str, text: &'t str, quiet: Option<&[(u32, u32)]>) -> Self {
        // Comments and strings of other languages than Python count as code: that only raises.
        let is_python = Language::of_path(path) == Some(Language::Python);
        let text = match quiet.filter(|_| is_python) {
            None => Cow::Borrowed(text),
            Some(quiet) => {
                let mut code = text.as_bytes().to_vec();
                for (start, end) in quiet {
                    // Line ends stay, so that lines keep their numbers.
                    let bytes = code.get_mut(*start as usize..*end as usize).unwrap_or_default();
                    bytes.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
                }
                // Only whole characters were blanked: what a node covers begins and ends at their boundaries.
                Cow::Owned(
                    String::from_utf8(code).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into()),
                )
            }
        };
        let ends = text.match_indices('\n').map(|(at, _)| at).chain([text.len()]).collect();
        Self { ends, certain: !is_python || quiet.is_some(), text }
    }

    /// A line by its number, from 1.
    fn line(&self, number: u32) -> Option<&str> {
        let at = (number as usize).checked_sub(1)?;
        let start = at.checked_sub(1).map_or(Some(0), |before| Some(self.ends.get(before)? + 1))?;
        Some(self.text.get(start..*self.ends.get(at)?)?.trim_end_matches('\r'))
    }
}

/// Documentation that a change takes away from one part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemovedDocumentation {
    /// The part, after the change; before it for a document that is gone.
    pub part: PartKey,
    /// What is gone.
    pub what: Documentation,
    /// Line of the part in the after text (in the before text for a document that is gone); 1 where none is known.
    pub line: u32,
}

/// A form of documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Documentation {
    /// The docstring is gone, or shorter by more than half.
    Docstring,
    /// There are fewer comments, and the code around them did not change.
    Comments,
    /// A document is gone, or shorter by more than half.
    Document,
}

/// Documentation that the change takes away, sorted; and the parts of which that cannot be said.
#[must_use]
pub fn removed_documentation(change: &Change, parts: &[PartChange]) -> (Vec<RemovedDocumentation>, Vec<PartKey>) {
    let files = by_after_path(change);
    let gone: BTreeMap<&str, &FileChange> =
        change.files.iter().filter_map(|file| Some((&*file.before.as_ref()?.path, file))).collect();
    let mut read: BTreeMap<(bool, &str), Option<Texts>> = BTreeMap::new();
    let mut found = BTreeSet::new();
    let mut unknown = Vec::new();
    for part in parts {
        let Some(key) = part.part() else { continue };
        let after = part.after.as_ref().and_then(|key| files.get(&*key.path));
        let before = part.before.as_ref().and_then(|key| gone.get(&*key.path));
        if part.kinds.contains(Kinds::UNKNOWN)
            && (is_documentation(&key.path) || Language::of_path(&key.path) == Some(Language::Python))
        {
            unknown.push(key.clone());
            continue;
        }
        if Language::of_path(&key.path).is_some_and(|language| language != Language::Python) {
            continue;
        }
        if key.kind == PartKind::File {
            let side = before.and_then(|file| file.before.as_ref()).filter(|side| is_documentation(&side.path));
            let Some(side) = side else { continue };
            let length = |side: Option<&FileSide>| side.map_or(Some(0), |side| text(side).map(letters));
            let after = part.after.as_ref().and(after).and_then(|file| file.after.as_ref());
            match (length(Some(side)), length(after)) {
                (Some(old), Some(new)) if new * 2 < old => {
                    found.insert(RemovedDocumentation { part: key.clone(), what: Documentation::Document, line: 1 });
                }
                (Some(_), Some(_)) => {}
                _ => unknown.push(key.clone()),
            }
            continue;
        }
        let (Some(old_key), Some(new_key)) = (&part.before, &part.after) else { continue };
        if !part.kinds.intersects(Kinds::DOCSTRING | Kinds::COMMENT | Kinds::BODY) {
            continue;
        }
        let (Some(old), Some(new)) =
            (before.and_then(|file| text(file.before.as_ref()?)), after.and_then(|file| text(file.after.as_ref()?)))
        else {
            unknown.push(key.clone());
            continue;
        };
        read.entry((false, &old_key.path)).or_insert_with(|| Texts::read(old));
        read.entry((true, &new_key.path)).or_insert_with(|| Texts::read(new));
        let (Some(Some(old)), Some(Some(new))) =
            (read.get(&(false, &*old_key.path)), read.get(&(true, &*new_key.path)))
        else {
            unknown.push(key.clone());
            continue;
        };
        let (old_part, new_part) = (old.docstring(old_key), new.docstring(new_key));
        let line = new_part.map_or(1, |(line, _)| line);
        let length = |docstring: Option<(u32, usize)>| docstring.map_or(0, |(_, length)| length);
        if length(new_part) * 2 < length(old_part) {
            found.insert(RemovedDocumentation { part: key.clone(), what: Documentation::Docstring, line });
        }
        let same_code = !part.kinds.intersects(Kinds::BODY | Kinds::SIGNATURE | Kinds::DECORATORS);
        let comments = |texts: &Texts, lines: &[u32]| lines.iter().filter(|line| texts.comments.contains(line)).count();
        if same_code && comments(new, &part.added) < comments(old, &part.removed) {
            found.insert(RemovedDocumentation { part: key.clone(), what: Documentation::Comments, line });
        }
    }
    (found.into_iter().collect(), unknown)
}

/// How much a text says: its letters and digits.
fn letters(text: &str) -> usize {
    text.chars().filter(|character| character.is_alphanumeric()).count()
}

/// Docstrings and comments of one text.
struct Texts {
    /// By local name and whether it is a class: line of the definition and length of the docstring; in source order.
    docstrings: BTreeMap<(String, bool), Vec<(u32, usize)>>,
    /// Lines with a comment.
    comments: BTreeSet<u32>,
}

impl Texts {
    fn read(text: &str) -> Option<Self> {
        if text.len() > syntax::MAX_BYTES {
            return None;
        }
        let tree = syntax::parse_python(text)?;
        let root = tree.root_node();
        let mut texts = Self { docstrings: BTreeMap::new(), comments: BTreeSet::new() };
        let docstring = |block: tree_sitter::Node<'_>| {
            let first = syntax::children(block).into_iter().next()?;
            let string = first
                .named_child(0)
                .filter(|string| first.kind() == "expression_statement" && string.kind() == "string")?;
            Some(letters(syntax::text_of(string, text)))
        };
        texts.docstrings.insert((String::new(), false), vec![(1, docstring(root).unwrap_or(0))]);
        syntax::each_definition(root, text, &mut |name, definition, _| {
            let length = definition.child_by_field_name("body").and_then(docstring).unwrap_or(0);
            let is_class = definition.kind() == "class_definition";
            texts
                .docstrings
                .entry((name.to_owned(), is_class))
                .or_default()
                .push((syntax::line_of(definition), length));
        });
        syntax::each_node(root, &mut |node| {
            if node.kind() == "comment" {
                texts.comments.insert(syntax::line_of(node));
            }
            true
        });
        Some(texts)
    }

    fn docstring(&self, key: &PartKey) -> Option<(u32, usize)> {
        let place = (key.name.to_string(), key.kind == PartKind::Class);
        self.docstrings.get(&place)?.get(key.occurrence as usize).copied()
    }
}

#[cfg(test)]
mod tests;
