//! Ampersands in the text of JSX: `<h2>Health & Trust</h2>`.
//!
//! Compilers take one that begins no character reference as itself; the grammar calls it an error, and may lose what
//! follows. Where a text has errors, it is parsed once more with such ampersands written as another character of JSX
//! text, which code would not accept in their place; positions stay the same, and what is read is read from the text
//! itself.

use tree_sitter::Tree;

use super::kinds::Dialect;
use crate::extract::core;

/// The syntax tree of a text.
pub(super) fn parse(dialect: &Dialect, text: &str) -> Option<Tree> {
    let tree = core::parse(&dialect.grammar, text)?;
    if !tree.root_node().has_error() {
        return Some(tree);
    }
    let other = without_plain_ampersands(text).and_then(|text| core::parse(&dialect.grammar, &text));
    Some(other.filter(|other| !other.root_node().has_error()).unwrap_or(tree))
}

/// The text with `_` for each ampersand that may stand in the text between two tags, expressions or both; `None` where
/// there is none.
fn without_plain_ampersands(text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let mut opened = false;
    let mut waiting: Vec<usize> = Vec::new();
    let mut replaced = false;
    for at in 0..bytes.len() {
        match bytes[at] {
            b'&' if opened && is_plain(text.as_bytes(), at) => waiting.push(at),
            end @ (b'<' | b'{' | b'>' | b'}') => {
                if matches!(end, b'<' | b'{') {
                    replaced |= !waiting.is_empty();
                    waiting.iter().for_each(|&at| bytes[at] = b'_');
                }
                waiting.clear();
                opened = matches!(end, b'>' | b'}');
            }
            _ => {}
        }
    }
    // Both are one byte of ASCII: the text stays UTF-8.
    replaced.then(|| String::from_utf8(bytes).ok()).flatten()
}

/// True for an ampersand that is no part of an operator and begins no character reference.
fn is_plain(bytes: &[u8], at: usize) -> bool {
    let is_operator =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(|byte| matches!(byte, b'&' | b'='));
    let rest = bytes.get(at + 1..).unwrap_or_default();
    let name = rest.iter().take(32).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#').count();
    let is_reference = name > 0 && rest.get(name) == Some(&b';');
    !is_operator(at.checked_sub(1)) && !is_operator(Some(at + 1)) && !is_reference
}
