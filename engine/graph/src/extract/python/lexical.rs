//! Which bytes of a text are comments and the insides of strings, and whether Python may read it otherwise than the grammar
//! does. By the rows of a text as its file has it: with its line ends and its byte-order mark.

use super::between::Piece;
use super::kinds::Role;
use super::tree::{Node, Tree};
use crate::change::syntax;
use crate::facts::Language;

/// Both of them.
pub(super) struct Lexical {
    /// Python may read it otherwise, or refuse it, so that equal tokens prove nothing.
    pub(super) reads_otherwise: bool,
    /// The byte ranges of comments and of what stands inside strings, in order; code inside a formatted string is not in them.
    pub(super) quiet: Option<Box<[(u32, u32)]>>,
}

impl Lexical {
    /// That of a text with errors.
    pub(super) const UNKNOWN: Self = Self { reads_otherwise: true, quiet: None };

    /// That of a text without errors.
    pub(super) fn of(text: &str, tree: &Tree) -> Self {
        let quiet = quiet(text, tree);
        // The grammar is lenient where Python is not.
        let reads_otherwise = syntax::reads_otherwise(Language::Python, text)
            || has_odd_characters(text, &quiet)
            || !is_indented_evenly(text, tree)
            || has_empty_block(tree)
            || has_torn_statement(text, tree, &quiet);
        Self { reads_otherwise, quiet: Some(quiet.into()) }
    }
}

fn quiet(text: &str, tree: &Tree) -> Vec<(u32, u32)> {
    let mut quiet = Vec::new();
    // Open nodes, each with whether comments may stand directly in it.
    let mut open: Vec<(Node<'_>, bool)> = Vec::new();
    let mut passed = 0;
    let mut pass = |end: usize, open: &[(Node<'_>, bool)], quiet: &mut Vec<(u32, u32)>| {
        let begin = passed;
        passed = end.max(begin);
        if open.last().is_some_and(|(_, has_comments)| *has_comments) && begin < end {
            quiet.extend(tree.between(text, begin, end).filter_map(|piece| match piece {
                Piece::Comment(start, end) => Some((start as u32, end as u32)),
                Piece::Token(_) => None,
            }));
        }
    };
    for at in 0..tree.rows.len() {
        let node = tree.node(at);
        while let Some((around, _)) = open.last()
            && around.behind() <= at
        {
            pass(around.end(), &open, &mut quiet);
            open.pop();
        }
        pass(node.start(), &open, &mut quiet);
        let has_comments = match node.role() {
            // Directly in a string stand its pieces,
            Role::String => {
                insides(text, node, &mut quiet);
                false
            }
            // and directly in the format of a value stands text; the value itself stands in a string.
            Role::Verbatim if open.last().is_some_and(|(around, _)| around.role() != Role::String) => {
                outside_children(node, node.start(), node.end(), |_| true, &mut quiet);
                false
            }
            _ => true,
        };
        open.push((node, has_comments));
    }
    while let Some((around, _)) = open.last() {
        pass(around.end(), &open, &mut quiet);
        open.pop();
    }
    quiet.sort_unstable();
    quiet
}

/// What stands between the quotes of a string and is no code.
fn insides(text: &str, string: Node<'_>, quiet: &mut Vec<(u32, u32)>) {
    let literal = string.slice(text);
    let quoted = literal.trim_start_matches(|first: char| first.is_ascii_alphabetic());
    let quotes = if quoted.starts_with("\"\"\"") || quoted.starts_with("'''") { 3 } else { 1 };
    let from = string.start() + literal.len() - quoted.len() + quotes;
    let end = string.end().saturating_sub(quotes);
    outside_children(string, from, end, |child| child.role() == Role::Verbatim, quiet);
}

/// What of a stretch of a node stands outside those children of it that are code.
fn outside_children(
    node: Node<'_>,
    mut from: usize,
    end: usize,
    is_code: impl Fn(Node<'_>) -> bool,
    quiet: &mut Vec<(u32, u32)>,
) {
    for code in node.children().filter(|child| is_code(*child)) {
        quiet.push((from as u32, code.start() as u32));
        from = code.end();
    }
    quiet.push((from as u32, end.max(from) as u32));
}

/// A line ends where a statement does not: outside brackets and without a backslash.
fn has_torn_statement(text: &str, tree: &Tree, quiet: &[(u32, u32)]) -> bool {
    let mut begins: Vec<u32> = Vec::new();
    for at in 0..tree.rows.len() {
        let node = tree.node(at);
        match node.role() {
            Role::Module | Role::Block | Role::Decorated => {
                begins.extend(node.children().map(|child| child.start() as u32));
            }
            _ if is_clause(text, node) => begins.push(node.start() as u32),
            _ => {}
        }
    }
    begins.sort_unstable();
    let (mut depth, mut is_new) = (0_usize, true);
    code(text, quiet).any(|(start, code)| {
        code.bytes().enumerate().any(|(at, byte)| {
            match byte {
                b' ' | b'\t' | b'\r' | b'\x0c' => return false,
                b'\n' => {
                    let line = code[..at].trim_end_matches('\r');
                    is_new |= depth == 0 && !line.ends_with('\\');
                    return false;
                }
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            std::mem::take(&mut is_new) && begins.binary_search(&((start + at) as u32)).is_err()
        })
    })
}

/// What stands outside comments and the insides of strings: where it begins, and the text.
fn code<'t>(text: &'t str, quiet: &[(u32, u32)]) -> impl Iterator<Item = (usize, &'t str)> {
    let mut from = 0;
    let ends = quiet.iter().map(|(start, end)| (*start as usize, *end as usize));
    ends.chain([(text.len(), text.len())]).map(move |(start, end)| {
        let begin = std::mem::replace(&mut from, end);
        (begin, text.get(begin..start).unwrap_or_default())
    })
}

/// Outside comments and strings: white space that Python does not know, or a backslash that continues nothing.
fn has_odd_characters(text: &str, quiet: &[(u32, u32)]) -> bool {
    code(text, quiet)
        .any(|(start, code)| code.char_indices().any(|(at, character)| is_odd(text, start + at, character)))
}

fn is_odd(text: &str, at: usize, character: char) -> bool {
    match character {
        ' ' | '\t' | '\n' | '\r' => false,
        // A form feed alone on its line is nothing to Python; in front of code it resets the indentation.
        '\u{c}' => {
            let begins = at == 0 || text.as_bytes()[at - 1] == b'\n';
            !(begins && matches!(text.as_bytes().get(at + 1), None | Some(b'\n' | b'\r')))
        }
        '\\' => {
            let rest = &text[at + 1..];
            let Some(rest) = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')) else { return true };
            let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
            let next = rest.lines().next().unwrap_or_default().trim();
            text[start..at].trim().is_empty() || next.is_empty() || next.starts_with('#')
        }
        '\u{feff}' | '\u{2060}' | '\u{200b}' => true,
        _ => character.is_control() || character.is_whitespace(),
    }
}

fn has_empty_block(tree: &Tree) -> bool {
    (0..tree.rows.len()).map(|at| tree.node(at)).any(|node| node.role() == Role::Block && node.child(0).is_none())
}

/// The statements of each block begin in the same way, deeper than what surrounds the block.
fn is_indented_evenly(text: &str, tree: &Tree) -> bool {
    // Open blocks, each with the row behind it and its indentation.
    let mut open: Vec<(usize, &str)> = Vec::new();
    (0..tree.rows.len()).all(|at| {
        let node = tree.node(at);
        while open.last().is_some_and(|(behind, _)| *behind <= at) {
            open.pop();
        }
        let around = open.last().map_or("", |(_, indentation)| *indentation);
        let is_around = |node: Node<'_>| leading(text, node).is_none_or(|indentation| indentation == around);
        match node.role() {
            Role::Module | Role::Decorated => node.children().all(is_around),
            Role::Block => {
                let mut statements = node.children().filter_map(|statement| leading(text, statement));
                let Some(first) = statements.next() else { return true };
                open.push((node.behind(), first));
                first.len() > around.len() && first.starts_with(around) && statements.all(|other| other == first)
            }
            // What continues a statement stands where the statement does.
            _ if is_clause(text, node) => is_around(node),
            _ => true,
        }
    })
}

/// The white space before a node that begins its line.
fn leading<'t>(text: &'t str, node: Node<'_>) -> Option<&'t str> {
    let before = &text[..node.start()];
    let indentation = before.bytes().rev().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\x0c')).count();
    let start = before.len() - indentation;
    (start == 0 || before.as_bytes()[start - 1] == b'\n').then(|| &before[start..])
}

/// Whether it is a clause that continues a statement: nothing else that has a row begins with these words.
fn is_clause(text: &str, node: Node<'_>) -> bool {
    let begins = |word: &str| node.slice(text).strip_prefix(word);
    match node.role() {
        Role::Except => true,
        Role::Inner => ["elif", "else", "finally"]
            .into_iter()
            .filter_map(begins)
            .any(|rest| !rest.starts_with(|character: char| character == '_' || character.is_alphanumeric())),
        _ => false,
    }
}
