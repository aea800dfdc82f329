//! Tokens of `.grace`, with comments and white space left in place.
//!
//! The grammar does not use them. Splitting a file into pieces, bounding its nesting, keeping comments, formatting and
//! looking around a mistake do: all of that must work on text that does not parse.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A name or a keyword, dots included: `layer1`, `grace.core`.
    Word,
    /// Digits with what belongs to them: `0.90`, `2026-06-01`.
    Number,
    /// A closed string literal.
    String,
    /// A string literal that its line does not close.
    OpenString,
    /// One or two characters: `(`, `<=`.
    Mark,
    /// `# …` up to the end of its line, white space at its end left out.
    Comment,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// Its bytes.
    pub(crate) span: Range<usize>,
    /// Whether only white space stands before it on its line.
    pub(crate) first_on_line: bool,
}

impl Token {
    /// Its text.
    pub(crate) fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.span.clone()).unwrap_or_default()
    }
}

/// All tokens of a text, in order; every character outside them is white space.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    let mut first_on_line = true;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if c == '\n' {
            first_on_line = true;
        }
        if c.is_ascii_whitespace() || c == '\u{feff}' {
            at += c.len_utf8();
            continue;
        }
        let start = at;
        let kind = match c {
            '#' => {
                at = end_of_line(text, at);
                TokenKind::Comment
            }
            '"' => {
                let (end, closed) = string_end(bytes, at);
                at = end;
                if closed { TokenKind::String } else { TokenKind::OpenString }
            }
            _ if is_word_start(c) => {
                at = word_end(bytes, at);
                TokenKind::Word
            }
            _ if c.is_ascii_digit() || (c == '-' && next_is_digit(bytes, at)) => {
                at = number_end(bytes, at + 1);
                TokenKind::Number
            }
            _ => {
                let pair = text.get(at..at + 2).unwrap_or_default();
                let double = matches!(pair, "<=" | ">=" | "==" | "!=" | "=<" | "=>" | "&&" | "||");
                at += if double { 2 } else { c.len_utf8() };
                TokenKind::Mark
            }
        };
        found.push(Token { kind, span: start..at, first_on_line });
        first_on_line = false;
    }
    found
}

fn is_word_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn word_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        let dotted = byte == b'.' && bytes.get(at + 1).is_some_and(|&next| is_word_byte(next));
        if !is_word_byte(byte) && !dotted {
            break;
        }
        at += 1;
    }
    at
}

fn next_is_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
}

fn number_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        let joint = matches!(byte, b'.' | b'-' | b'/') && next_is_digit(bytes, at);
        if !byte.is_ascii_digit() && !joint {
            break;
        }
        at += 1;
    }
    at
}

fn end_of_line(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    at + line.trim_end().len()
}

fn string_end(bytes: &[u8], start: usize) -> (usize, bool) {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return (at + 1, true),
            b'\n' => break,
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => break,
            b'\\' if bytes.get(at + 1).is_some_and(|&next| next != b'\n' && next != b'\r') => at += 2,
            _ => at += 1,
        }
    }
    // An escape may have stepped over the first byte of a longer character.
    while at < bytes.len() && bytes.get(at).is_some_and(|byte| byte & 0xC0 == 0x80) {
        at += 1;
    }
    (at.min(bytes.len()), false)
}

/// A span without the white space and comments at its end: what implicit white space of the grammar leaves there.
pub(crate) fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    let Some(piece) = text.get(span.clone()) else { return span };
    if !piece.contains('\n') {
        // A comment ends at its line: without a line break inside, only a `#` outside strings can begin one.
        let plain = piece.trim_end();
        if !plain.contains('#') {
            return span.start..span.start + plain.len();
        }
    } else if piece.ends_with(|c: char| !c.is_whitespace()) && !last_line_has_comment(piece) {
        return span;
    }
    let last = tokens(piece).into_iter().rev().find(|token| token.kind != TokenKind::Comment);
    last.map_or(span.clone(), |last| span.start..span.start + last.span.end)
}

fn last_line_has_comment(piece: &str) -> bool {
    piece.rsplit('\n').next().is_some_and(|line| line.contains('#'))
}

/// Whether only white space stands before an offset on its line.
pub(crate) fn first_on_line(text: &str, offset: usize) -> bool {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.chars().all(|c| c.is_whitespace() || c == '\u{feff}')
}

/// Whether canonical text has a space between two tokens that stand on one line.
pub(crate) fn space_between(before: &str, after: &str) -> bool {
    !matches!(after, "," | ")") && before != "(" && !(after == "(" && joins_parenthesis(before))
}

/// Whether a word is written together with the parenthesis that follows it: a call, and no joint before a group.
fn joins_parenthesis(word: &str) -> bool {
    let is_word = word.chars().next().is_some_and(is_word_start);
    let joint = matches!(
        word,
        "and"
            | "or"
            | "not"
            | "plus"
            | "within"
            | "except"
            | "from"
            | "to"
            | "in"
            | "of"
            | "when"
            | "covers"
            | "touches"
            | "adds"
            | "removes"
            | "renames"
            | "on"
            | "over"
            | "for"
            | "closed"
    );
    is_word && !joint
}

/// Tokens on one line as canonical text; comments are left out.
pub(crate) fn spaced(text: &str, tokens: &[Token]) -> String {
    let mut line = String::new();
    let mut before = "";
    for token in tokens.iter().filter(|token| token.kind != TokenKind::Comment) {
        let word = token.text(text);
        if !before.is_empty() && space_between(before, word) {
            line.push(' ');
        }
        line.push_str(word);
        before = word;
    }
    line
}
