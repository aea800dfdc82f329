//! Where items begin, seen from the lines alone, so that one broken item leaves the others whole.

use crate::lexer::{Token, TokenKind};
use crate::vocabulary;

/// Cuts a file's tokens (without comments) where a line begins with an item's keyword. A keyword with a parenthesis or
/// a dot behind it is no beginning but a reference that was wrapped: `bundle(x)`, `tag(kernel)`.
pub(super) fn pieces<'k>(text: &str, tokens: &'k [Token]) -> Vec<&'k [Token]> {
    cut(tokens, |at| begins_item(text, tokens, at))
}

/// Whether a token is the keyword of an item at the start of its line.
pub(crate) fn begins_item(text: &str, tokens: &[Token], at: usize) -> bool {
    let Some(token) = tokens.get(at) else { return false };
    let called = tokens.get(at + 1).is_some_and(|next| next.text(text) == "(");
    token.first_on_line && token.kind == TokenKind::Word && !called && vocabulary::begins_item(token.text(text))
}

/// Cuts a piece that could not be parsed where something at the left edge can be no part of its item: a word that the
/// language does not have or that begins a clause of other items only, with a name, a number or a text behind it (most
/// likely an item whose keyword is misspelt or lacking), or a mark of another language.
pub(super) fn at_left_edge<'k>(text: &str, tokens: &'k [Token]) -> Vec<&'k [Token]> {
    let item = tokens.first().map(|token| token.text(text)).unwrap_or_default();
    let own = vocabulary::clause_words(item);
    cut(tokens, |at| {
        let Some(token) = tokens.get(at) else { return false };
        let at_edge = token.span.start == 0 || text.as_bytes().get(token.span.start - 1) == Some(&b'\n');
        if !at_edge {
            return false;
        }
        let word = token.text(text);
        if token.kind == TokenKind::Mark {
            return matches!(word, "/" | "*" | "-" | ";" | "|" | ">" | "<" | "@" | "[" | "]" | "{" | "&");
        }
        let named = tokens.get(at + 1).is_some_and(|next| next.kind != TokenKind::Mark);
        let foreign = !vocabulary::is_known(word) || (vocabulary::is_only_clause(word) && !own.contains(&word));
        token.kind == TokenKind::Word && named && foreign
    })
}

fn cut(tokens: &[Token], begins: impl Fn(usize) -> bool) -> Vec<&[Token]> {
    let mut found = Vec::new();
    let mut start = 0;
    for at in 1..=tokens.len() {
        if at == tokens.len() || begins(at) {
            found.extend(tokens.get(start..at).filter(|piece| !piece.is_empty()));
            start = at;
        }
    }
    found
}
