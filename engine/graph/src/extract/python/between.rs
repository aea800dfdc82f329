//! What stands between the rows of a text: tokens that have no row, and comments.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// A keyword, an operator or a bracket.
    Token(&'t str),
    /// Where a comment begins and where its line ends.
    Comment(usize, usize),
}

/// The pieces from a byte of a text up to another one; white space and continued lines are none. Whether a `#` begins a
/// comment is asked.
pub(super) fn pieces(
    text: &str,
    begin: usize,
    end: usize,
    is_comment: impl Fn(usize) -> bool,
) -> impl Iterator<Item = Piece<'_>> {
    let mut at = begin;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..end).unwrap_or_default();
            let start = at;
            match rest.as_bytes().first()? {
                b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'\\' => at += 1,
                b'#' if is_comment(start) => {
                    at += memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
                    return Some(Piece::Comment(start, at));
                }
                _ => {
                    at += token_length(rest);
                    return Some(Piece::Token(&text[start..at]));
                }
            }
        }
    })
}

/// How long the token is with which a text begins.
fn token_length(text: &str) -> usize {
    /// What is more than its first character.
    const OPERATORS: [&str; 25] = [
        "...", "**=", "//=", "<<=", ">>=", "->", ":=", "==", "!=", "<=", ">=", "<>", "+=", "-=", "*=", "/=", "%=",
        "@=", "&=", "|=", "^=", "**", "//", "<<", ">>",
    ];
    let is_word = |character: char| character == '_' || character.is_alphanumeric();
    let word = text.find(|character| !is_word(character)).unwrap_or(text.len());
    if word > 0 {
        return word;
    }
    let operator = OPERATORS.iter().find(|operator| text.starts_with(**operator)).map(|operator| operator.len());
    operator.unwrap_or_else(|| text.chars().next().map_or(1, char::len_utf8))
}
