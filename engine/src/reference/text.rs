//! Globs over paths and names.

use globset::GlobBuilder;

/// `path("…")`: `**` crosses directories, `*` does not. A glob that cannot be read matches nothing.
pub(super) fn path_match(glob: &str, path: &str, ignore_case: bool) -> bool {
    GlobBuilder::new(glob)
        .literal_separator(true)
        .case_insensitive(ignore_case)
        .build()
        .is_ok_and(|glob| glob.compile_matcher().is_match(path))
}

/// A glob over a whole name.
pub(super) fn glob_match(glob: &str, name: &str, ignore_case: bool) -> bool {
    GlobBuilder::new(glob)
        .literal_separator(false)
        .case_insensitive(ignore_case)
        .build()
        .is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

/// A glob over a dotted name or any tail of it that begins at a segment; `*` does not cross a dot.
pub(super) fn dotted_match(glob: &str, name: &str) -> bool {
    let glob = glob.replace('.', "/");
    let name = name.replace('.', "/");
    let tails = std::iter::once(name.as_str())
        .chain(name.char_indices().filter(|(_, letter)| *letter == '/').map(|(at, _)| &name[at + 1..]));
    tails.into_iter().any(|tail| path_match(&glob, tail, false))
}
