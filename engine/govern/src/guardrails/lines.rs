//! A file as lines of code: without comments, with strings of one line as they are and those of several lines left out.

use std::collections::BTreeSet;

use super::Syntax;

/// Longest line that is looked at, in bytes: what is longer is data.
const LONGEST: usize = 400;

/// A line that holds code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'t> {
    /// From 1.
    pub(super) number: u32,
    /// Whether the change added it.
    pub(super) is_added: bool,
    /// Columns before the first character; a tab counts eight.
    pub(super) indent: usize,
    /// The code, trimmed; empty where the line holds only a comment or lies inside a string.
    pub(super) code: String,
    /// All of the line, trimmed.
    pub(super) raw: &'t str,
    /// Brackets of any kind that are open where it begins, braces counted only in Python: there they hold no statements.
    pub(super) depth: usize,
    /// Whether the last line goes on in it by a backslash.
    pub(super) goes_on: bool,
}

/// What the reader is inside of, where a line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Inside {
    Code,
    /// A comment; how many are open, where they nest.
    Comment(usize),
    /// A string until this text; whether a backslash escapes.
    Text(String, bool),
}

/// Reads all lines that are not blank.
pub(super) fn read<'t>(text: &'t str, syntax: Syntax, added: &BTreeSet<u32>) -> Vec<Line<'t>> {
    let mut reader = Reader { syntax, inside: Inside::Code, depth: 0 };
    let mut lines = Vec::new();
    let mut goes_on = false;
    for (index, raw) in text.lines().enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let depth = reader.depth;
        let in_code = reader.inside == Inside::Code;
        let code = reader.line(raw);
        let trimmed = raw.trim();
        if trimmed.is_empty() || raw.len() > LONGEST {
            continue;
        }
        let columns = |c: char| if c == '\t' { 8 } else { 1 };
        let indent = raw.chars().take_while(|c| c.is_whitespace()).map(columns).sum();
        let code = if in_code { code.trim().to_owned() } else { String::new() };
        let backslash = code.ends_with('\\');
        let is_added = added.contains(&number);
        lines.push(Line { number, is_added, indent, code, raw: trimmed, depth, goes_on });
        goes_on = backslash;
    }
    lines
}

struct Reader {
    syntax: Syntax,
    inside: Inside,
    depth: usize,
}

impl Reader {
    /// The code of a line; the state moves on to the next.
    fn line(&mut self, raw: &str) -> String {
        let mut code = String::new();
        let mut rest = raw;
        while !rest.is_empty() {
            rest = match self.inside.clone() {
                Inside::Code => self.code(rest, &mut code),
                Inside::Comment(open) => self.comment(rest, open),
                Inside::Text(end, escapes) => match closed(rest, &end, escapes) {
                    Some(after) => {
                        self.inside = Inside::Code;
                        code.push_str("\"\"");
                        after
                    }
                    None => "",
                },
            };
        }
        code
    }

    /// Reads code up to what is none; the rest.
    fn code<'r>(&mut self, rest: &'r str, code: &mut String) -> &'r str {
        let Some(first) = rest.chars().next() else { return "" };
        let is_python = self.syntax == Syntax::Python;
        if is_python && first == '#' || !is_python && rest.starts_with("//") {
            return "";
        }
        if !is_python && rest.starts_with("/*") {
            self.inside = Inside::Comment(1);
            return &rest[2..];
        }
        for quotes in ["\"\"\"", "'''"] {
            if is_python && let Some(after) = rest.strip_prefix(quotes) {
                self.inside = Inside::Text(quotes.to_owned(), true);
                return after;
            }
        }
        if self.syntax == Syntax::Rust && first == 'r' && !code.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
            if rest[1 + hashes..].starts_with('"') {
                self.inside = Inside::Text(format!("\"{}", "#".repeat(hashes)), false);
                return &rest[hashes + 2..];
            }
        }
        if first == '`' && matches!(self.syntax, Syntax::Script | Syntax::Go) {
            self.inside = Inside::Text("`".to_owned(), self.syntax == Syntax::Script);
            return &rest[1..];
        }
        // A quote begins a lifetime in Rust where no character ends by another.
        let is_quote = match first {
            '"' => true,
            '\'' if self.syntax == Syntax::Rust => {
                rest[1..].starts_with('\\') || rest[1..].chars().nth(1) == Some('\'')
            }
            '\'' => true,
            _ => false,
        };
        if is_quote {
            return match closed(&rest[1..], &first.to_string(), true) {
                Some(after) => {
                    code.push_str(&rest[..rest.len() - after.len()]);
                    after
                }
                // A string of several lines in Rust; in the other languages none that is right.
                None if self.syntax == Syntax::Rust => {
                    self.inside = Inside::Text("\"".to_owned(), true);
                    ""
                }
                None => "",
            };
        }
        let counts_braces = is_python;
        match first {
            '(' | '[' => self.depth += 1,
            ')' | ']' => self.depth = self.depth.saturating_sub(1),
            '{' if counts_braces => self.depth += 1,
            '}' if counts_braces => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        code.push(first);
        &rest[first.len_utf8()..]
    }

    fn comment<'r>(&mut self, rest: &'r str, open: usize) -> &'r str {
        if let Some(after) = rest.strip_prefix("*/") {
            self.inside = if open > 1 { Inside::Comment(open - 1) } else { Inside::Code };
            return after;
        }
        if self.syntax == Syntax::Rust && rest.starts_with("/*") {
            self.inside = Inside::Comment(open + 1);
            return &rest[2..];
        }
        let mut chars = rest.chars();
        chars.next();
        let after = chars.as_str();
        after.find(['*', '/']).map_or("", |at| &after[at..])
    }
}

/// What follows the end of a string; `None` where it does not end here.
pub(super) fn closed<'r>(text: &'r str, end: &str, escapes: bool) -> Option<&'r str> {
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        if escapes && char == '\\' {
            chars.next();
        } else if text[at..].starts_with(end) {
            return Some(&text[at + end.len()..]);
        }
    }
    None
}
