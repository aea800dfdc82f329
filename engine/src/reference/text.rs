//! Globs over paths and names.

use globset::GlobBuilder;

/// `path("…")`: `**` crosses directories, `*` does not. A glob that cannot be read matches nothing.
pub(super) fn path_glob(glob: &str, ignore_case: bool) -> impl Fn(&str) -> bool + use<> {
    compiled(glob, true, ignore_case)
}

/// A glob over a whole name.
pub(super) fn glob(glob: &str, ignore_case: bool) -> impl Fn(&str) -> bool + use<> {
    compiled(glob, false, ignore_case)
}

/// A glob over a dotted name or any tail of it that begins at a segment; `*` does not cross a dot.
pub(super) fn dotted_glob(glob: &str) -> impl Fn(&str) -> bool + use<> {
    let matches = path_glob(&glob.replace('.', "/"), false);
    move |name| {
        let name = name.replace('.', "/");
        let borders = name.char_indices().filter(|(_, letter)| *letter == '/').map(|(at, _)| at + 1);
        std::iter::once(0).chain(borders).any(|at| matches(&name[at..]))
    }
}

fn compiled(glob: &str, separators: bool, ignore_case: bool) -> impl Fn(&str) -> bool + use<> {
    let matcher = GlobBuilder::new(glob)
        .literal_separator(separators)
        .case_insensitive(ignore_case)
        .build()
        .map(|glob| glob.compile_matcher());
    move |text| matcher.as_ref().is_ok_and(|matcher| matcher.is_match(text))
}
