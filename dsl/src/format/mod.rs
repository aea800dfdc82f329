//! The one look of a `.grace` file. No options.
//!
//! Tokens and comments stay as they are and in their order; only white space changes. So that nothing else can change by
//! mistake, what was made is parsed again and compared before it is handed out.

mod layout;

use std::fmt;

use crate::diagnostic::{Diagnostic, Severity};
use crate::lexer::{self, Token, TokenKind};
use crate::parse::{self, Parsed, parse};
use layout::{Gap, Layout, Start};

/// Why a text was not formatted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatError {
    /// It has errors; this is the first.
    Invalid(Box<Diagnostic>),
    /// The formatter would have changed what the text says; the text is left alone. This is a bug.
    Unsound,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(first) => write!(f, "the text has errors, the first is {}: {}", first.code, first.message),
            Self::Unsound => f.write_str("formatting would have changed what the text says, so nothing was changed"),
        }
    }
}

impl std::error::Error for FormatError {}

/// Formats a file: all comments kept, every clause on a line of its own, lists wrapped at 100 columns. Formatting twice
/// changes nothing more. Byte order mark and carriage returns go.
pub fn format(text: &str) -> Result<String, FormatError> {
    let before = parse(text);
    if let Some(first) = before.diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(FormatError::Invalid(Box::new(first.clone())));
    }
    let made = write(text);
    let after = parse(&made);
    if same(text, &before, &made, &after) { Ok(made) } else { Err(FormatError::Unsound) }
}

fn same(text: &str, before: &Parsed, made: &str, after: &Parsed) -> bool {
    let comments = |text: &'_ str, parsed: &Parsed| -> Vec<String> {
        parsed.comments.iter().map(|span| text.get(span.clone()).unwrap_or_default().to_owned()).collect()
    };
    after.broken.is_empty() && before.items == after.items && comments(text, before) == comments(made, after)
}

fn write(text: &str) -> String {
    let tokens = lexer::tokens(text);
    let layout = Layout::of(text, &tokens);
    let mut writer = Writer { text, layout: &layout, out: String::new(), column: 0, fresh: None, last: Last::Nothing };
    let mut at = 0;
    // What stands before the first item: comments.
    let mut inside = false;
    while at < tokens.len() {
        let start = layout.starts.get(&tokens[at].span.start);
        let end = (at + 1..tokens.len())
            .find(|&end| layout.starts.contains_key(&tokens[end].span.start))
            .unwrap_or(tokens.len());
        let Some(start) = start else {
            writer.comments(&tokens, at, end, inside, end < tokens.len() && layout.is_clause(&tokens[end]));
            at = end;
            continue;
        };
        // Comments on lines of their own before the next start belong to what comes next.
        let own = |token: &Token| token.kind == TokenKind::Comment && token.first_on_line;
        let last = (at..end).rev().find(|&index| !own(&tokens[index])).map_or(at, |index| index);
        writer.line(&tokens, at, last + 1, start);
        inside = true;
        writer.comments(&tokens, last + 1, end, inside, end < tokens.len() && layout.is_clause(&tokens[end]));
        at = end;
    }
    writer.end_line();
    writer.out
}

/// What was written last at the left edge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Comment,
    ShortItem,
    LongItem,
}

/// A line that is being wrapped.
struct Wrapped<'l> {
    tokens: &'l [Token],
    start: &'l Start,
    /// Index of its first token.
    first: usize,
    /// How many parentheses are open around each of its tokens.
    depths: Vec<usize>,
}

impl Wrapped<'_> {
    fn depth(&self, at: usize) -> usize {
        at.checked_sub(self.first).and_then(|at| self.depths.get(at)).copied().unwrap_or_default()
    }
}

struct Writer<'t> {
    text: &'t str,
    layout: &'t Layout,
    out: String,
    column: usize,
    /// The indent of the line that the next token begins, if it begins one.
    fresh: Option<usize>,
    last: Last,
}

impl Writer<'_> {
    fn end_line(&mut self) {
        if self.column > 0 {
            self.out.push('\n');
            self.column = 0;
        }
    }

    fn push(&mut self, word: &str) {
        self.out.push_str(word);
        self.column += word.chars().count();
    }

    fn spaces(&mut self, count: usize) {
        self.push(&" ".repeat(count));
    }

    /// A blank line, where what stood there had one or where the look asks for one.
    fn separate(&mut self, tokens: &[Token], at: usize, next: Last) {
        self.end_line();
        let before = at.checked_sub(1).and_then(|before| tokens.get(before)).map_or(0, |before| before.span.end);
        let between = tokens.get(at).and_then(|token| self.text.get(before..token.span.start)).unwrap_or_default();
        let was_blank = between.matches('\n').count() > 1;
        let asked = self.last == Last::LongItem || (next == Last::LongItem && self.last == Last::ShortItem);
        if self.last != Last::Nothing && (was_blank || asked) {
            self.out.push('\n');
        }
        self.last = next;
    }

    /// Comments on lines of their own: before a clause they are indented with it; before an item they stand at the left
    /// edge, unless they were indented below the item that they end.
    fn comments(&mut self, tokens: &[Token], from: usize, to: usize, inside: bool, before_clause: bool) {
        let mut inside = inside;
        for (at, token) in tokens.iter().enumerate().take(to).skip(from) {
            let at_edge = token.span.start == 0 || self.text.as_bytes().get(token.span.start - 1) == Some(&b'\n');
            inside = before_clause || (inside && !at_edge);
            if inside {
                self.end_line();
                self.spaces(2);
            } else {
                self.separate(tokens, at, Last::Comment);
            }
            self.push(token.text(self.text));
            self.end_line();
        }
    }

    /// One item's first line, or one clause, wrapped.
    fn line(&mut self, tokens: &[Token], from: usize, to: usize, start: &Start) {
        match start.item {
            Some(long) => self.separate(tokens, from, if long { Last::LongItem } else { Last::ShortItem }),
            None => self.end_line(),
        }
        self.fresh = Some(start.indent);
        let mut depth = 0usize;
        let depths: Vec<usize> = tokens[from..to]
            .iter()
            .map(|token| match token.text(self.text) {
                "(" => {
                    depth += 1;
                    depth - 1
                }
                ")" => {
                    depth = depth.saturating_sub(1);
                    depth
                }
                _ => depth,
            })
            .collect();
        self.wrapped(&Wrapped { tokens, start, first: from, depths }, from, to, 0);
        self.end_line();
    }

    /// Tokens of a line, wrapped where parentheses are open at most `depth` deep, and deeper only inside what is too
    /// wide for a line of its own.
    fn wrapped(&mut self, line: &Wrapped<'_>, from: usize, to: usize, depth: usize) {
        let Wrapped { tokens, start, .. } = line;
        let mut at = from;
        while at < to {
            if tokens[at].kind == TokenKind::Comment {
                if tokens[at].first_on_line {
                    self.end_line();
                    self.spaces(start.continued);
                } else {
                    self.spaces(2);
                }
                self.push(tokens[at].text(self.text));
                self.end_line();
                self.fresh = Some(start.continued);
                at += 1;
                continue;
            }
            // A group holds together: it ends before the next token that may begin a line, or before a comment.
            let ends = |end: usize| {
                tokens[end].kind == TokenKind::Comment
                    || (line.depth(end) <= depth && self.may_break(tokens, end, start))
            };
            let end = (at + 1..to).find(|&end| ends(end)).unwrap_or(to);
            let width = self.width(tokens, at, end);
            let gap = if self.fresh.is_some() { 0 } else { self.gap(tokens, at) };
            if self.fresh.is_none() && self.column + gap + width > start.width && self.may_break(tokens, at, start) {
                self.end_line();
                self.fresh = Some(start.continued);
            }
            let begins = self.fresh.unwrap_or(self.column + gap);
            let deeper = |index: usize| line.depth(index) > depth && self.may_break(tokens, index, start);
            if begins + width > start.width && (at + 1..end).any(deeper) {
                self.wrapped(line, at, end, depth + 1);
            } else {
                self.group(tokens, at, end);
            }
            at = end;
        }
    }

    fn group(&mut self, tokens: &[Token], from: usize, to: usize) {
        for at in from..to {
            let spaces = match self.fresh.take() {
                Some(indent) => indent,
                None => self.gap(tokens, at),
            };
            self.spaces(spaces);
            self.push(tokens[at].text(self.text));
        }
    }

    /// Spaces before a token that stands behind another one on its line.
    fn gap(&self, tokens: &[Token], at: usize) -> usize {
        match self.layout.gaps.get(&tokens[at].span.start) {
            Some(Gap::Spaces(count)) => *count,
            Some(Gap::Column { column, least }) => column.saturating_sub(self.column).max(*least),
            None => {
                let before =
                    at.checked_sub(1).and_then(|before| tokens.get(before)).map_or("", |before| before.text(self.text));
                usize::from(lexer::space_between(before, tokens[at].text(self.text)))
            }
        }
    }

    fn width(&self, tokens: &[Token], from: usize, to: usize) -> usize {
        let mut width = 0;
        for at in from..to {
            let word = tokens[at].text(self.text);
            let before = if at > from { tokens[at - 1].text(self.text) } else { "" };
            width += word.chars().count() + usize::from(at > from && lexer::space_between(before, word));
        }
        width
    }

    fn may_break(&self, tokens: &[Token], at: usize, start: &Start) -> bool {
        let (Some(token), Some(before)) = (tokens.get(at), at.checked_sub(1).and_then(|before| tokens.get(before)))
        else {
            return false;
        };
        let word = token.text(self.text);
        let strings = token.kind == TokenKind::String && before.kind == TokenKind::String;
        let after_comma = before.text(self.text) == ",";
        // In an operational item a line that begins with a word is a new line of the item.
        let joint = !start.operational
            && matches!(word, "and" | "or" | "plus" | "except" | "within" | "may")
            && before.text(self.text) != ",";
        let distance = word == "within" && tokens.get(at + 1).is_some_and(|next| next.kind == TokenKind::Number);
        (strings || after_comma || (joint && !distance)) && parse::may_begin_line(self.text, token, tokens.get(at + 1))
    }
}
