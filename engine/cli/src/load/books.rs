//! Rule books: the project's own `grace/**/*.grace`, and the shipped packs that they adopt or use.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use grace_dsl::Role;
use grace_dsl::ast::ItemKind;
use grace_engine::input::{Book, BookFile, CodeOwners, PastFacts};
use grace_graph::owners::{MAX_BYTES as MAX_OWNERS, PLACES};
use grace_system::walk::{WalkOptions, walk};
use grace_system::{ProblemKind, files};

use super::Place;
use super::side::{Files, Problem, Reader};
use crate::failure::{Failure, Result, quoted, why};

/// Where a project keeps its rules.
pub const OWN_RULES: &str = "grace/";
/// Ending of a file of rules.
const ENDING: &str = ".grace";
/// Largest file of rules, in bytes.
const MAX_RULES: u64 = grace_dsl::LARGEST as u64;

type Text = std::result::Result<Arc<str>, Arc<str>>;

/// The books of both sides; where neither has rules, the floor judges both.
pub(super) fn of_both(reader: &Reader<'_>, before: &Files, after: &Files) -> Result<(Option<Book>, Option<Book>)> {
    let books = (of_side(reader, before)?, of_side(reader, after)?);
    Ok(match books {
        (None, None) => (Some(shipped_floor()), Some(shipped_floor())),
        books => books,
    })
}

/// The book of one side; `None` where it has no rules of its own.
pub(super) fn of_side(reader: &Reader<'_>, side: &Files) -> Result<Option<Book>> {
    let mut own = BTreeMap::new();
    for (path, entry) in side.range(OWN_RULES.to_owned()..).take_while(|(path, _)| path.starts_with(OWN_RULES)) {
        if path.ends_with(ENDING) {
            own.insert(path.clone(), reader.text(path, entry, MAX_RULES)?);
        }
    }
    Ok((!own.is_empty()).then(|| own_book(own)))
}

/// The book of a directory that stands for both (`--rules DIR`).
pub(super) fn from_directory(place: &Place, directory: &Path) -> Result<Book> {
    let root = place.absolute(directory);
    if !files::is_dir(&root) {
        return Err(Failure::new("rules", format!("{} is not a directory", quoted(directory))));
    }
    let shown = directory.display().to_string();
    let shown = shown.trim_end_matches(['/', '\\']);
    let mut own = BTreeMap::new();
    for file in walk(&root, WalkOptions { ignore_files: false, ..WalkOptions::default() }).files {
        if file.path.ends_with(ENDING) && !file.is_symlink {
            let text = match files::read_in(&root, &file.path, MAX_RULES) {
                Ok(bytes) => String::from_utf8(bytes).map(Arc::from).map_err(|_| Arc::from("it is not UTF-8 text")),
                Err(error) => Err(Arc::from(why(&error.kind))),
            };
            own.insert(if shown == "." { file.path } else { format!("{shown}/{}", file.path) }, text);
        }
    }
    if own.is_empty() {
        return Err(Failure::new("rules", format!("{} holds no rules", quoted(directory)))
            .help("rules are files that end in `.grace`"));
    }
    Ok(own_book(own))
}

/// The floor, which judges where nobody has written rules.
#[must_use]
pub fn shipped_floor() -> Book {
    static FLOOR: OnceLock<Book> = OnceLock::new();
    let read = || {
        let floor = grace_packs::floor();
        let mut packs = BTreeMap::new();
        packs.insert(floor.module, (floor.text, Role::Adopted));
        follow(&mut packs, wanted(floor.text, Role::Adopted));
        Book { files: pack_files(packs) }
    };
    FLOOR.get_or_init(read).clone()
}

/// A book of own files and what they adopt or use, transitively. A module that an own file has is not looked for elsewhere.
#[must_use]
pub fn own_book(own: BTreeMap<String, Text>) -> Book {
    let mut here = Vec::new();
    let mut names = Vec::new();
    for text in own.values().flatten() {
        let parsed = grace_dsl::parse_once(text);
        here.extend(parsed.items.iter().filter(|item| item.kind == ItemKind::Module).map(|item| item.name.clone()));
        names.extend(references(&parsed.items, Role::Adopted));
    }
    names.retain(|(name, _)| !here.contains(name));
    let mut packs = BTreeMap::new();
    follow(&mut packs, names);
    packs.retain(|module, _| !here.iter().any(|own| own == module));
    let mut files: Vec<BookFile> =
        own.into_iter().map(|(path, text)| BookFile { path: path.into(), text, role: Role::Own }).collect();
    files.extend(pack_files(packs));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Book { files }
}

fn pack_files(packs: BTreeMap<&'static str, (&'static str, Role)>) -> Vec<BookFile> {
    packs
        .into_iter()
        .map(|(module, (text, role))| BookFile { path: format!("pack {module}").into(), text: Ok(text.into()), role })
        .collect()
}

/// Adds the packs of these names and, in turn, theirs. Adopted beats used; a name that no pack has is the checker's to report.
fn follow(packs: &mut BTreeMap<&'static str, (&'static str, Role)>, mut names: Vec<(String, Role)>) {
    while let Some((name, role)) = names.pop() {
        let Some(pack) = grace_packs::pack(&name) else { continue };
        match packs.get(pack.module) {
            Some((_, Role::Adopted)) => continue,
            Some(_) if role != Role::Adopted => continue,
            _ => {}
        }
        packs.insert(pack.module, (pack.text, role));
        names.extend(wanted(pack.text, role));
    }
}

fn wanted(text: &str, role: Role) -> Vec<(String, Role)> {
    references(&grace_dsl::parse_once(text).items, role)
}

/// What items adopt and use. What a used file adopts is only used: its rules do not apply.
fn references(items: &[grace_dsl::ast::Item], role: Role) -> Vec<(String, Role)> {
    let mut names = Vec::new();
    for item in items {
        match &item.kind {
            ItemKind::Adopt(list) => names.extend(list.iter().map(|name| (name.text.clone(), role))),
            ItemKind::Use(list) => names.extend(list.iter().map(|name| (name.text.clone(), Role::Used))),
            _ => {}
        }
    }
    names
}

/// Fills in CODEOWNERS of a side: the first that is there. Where that cannot be read it is a problem, and owners are unknown.
pub(super) fn owners(
    reader: &Reader<'_>,
    side: &Files,
    past: &mut PastFacts,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let Some((path, entry)) = PLACES.iter().find_map(|place| side.get_key_value(*place)) else { return Ok(()) };
    match reader.text(path, entry, MAX_OWNERS as u64)? {
        Ok(text) => past.codeowners = Some(CodeOwners { path: path.as_str().into(), text }),
        Err(why) => {
            past.unread_codeowners = Some((path.clone(), why.to_string()));
            problems.push(Problem { path: path.clone(), kind: ProblemKind::Unreadable, message: why.to_string() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(texts: &[(&str, &str)]) -> Vec<(String, Role)> {
        let own = texts.iter().map(|(path, text)| ((*path).to_owned(), Ok(Arc::from(*text)))).collect();
        own_book(own).files.into_iter().map(|file| (file.path.to_string(), file.role)).collect()
    }

    #[test]
    fn what_an_own_file_names_comes_with_its_own_needs() {
        let files = book(&[("grace/a.grace", "module a\nadopt grace.policies\n")]);
        assert!(files.contains(&("grace/a.grace".to_owned(), Role::Own)));
        assert!(files.contains(&("pack grace.policies".to_owned(), Role::Adopted)));
        assert!(files.len() > 2, "the policies need a vocabulary: {files:?}");
    }

    #[test]
    fn an_own_module_is_not_replaced_by_a_pack() {
        let files =
            book(&[("grace/a.grace", "module a\nadopt grace.floor\n"), ("grace/b.grace", "module grace.floor\n")]);
        assert_eq!(files.len(), 2, "{files:?}");
    }

    #[test]
    fn a_name_that_nobody_ships_is_left_to_the_checker() {
        assert_eq!(book(&[("grace/a.grace", "module a\nadopt no.such.pack\n")]).len(), 1);
    }

    #[test]
    fn the_floor_is_a_whole_book() {
        let floor = shipped_floor();
        assert!(floor.files.iter().any(|file| &*file.path == "pack grace.floor" && file.role == Role::Adopted));
    }
}
