//! What a change tells of itself for its story: `--story FILE`, the command line, trailers of its commits.

use std::collections::BTreeMap;

use grace_engine::input::Book;
use grace_govern::story::{self, DERIVED, Field, Fields, Origin, Value};
use grace_system::files;
use grace_system::git::CommitInfo;

use super::Place;
use crate::args::ChangeArgs;
use crate::failure::{Failure, Result, quoted};

/// Words of rules that ask for what a change tells.
const WORDS: [&str; 3] = ["story", "rationale", "ticket"];

/// Whether rules ask for what commits could tell.
pub(super) fn is_asked_for<'b>(books: impl IntoIterator<Item = &'b Book>) -> bool {
    let mut texts = books.into_iter().flat_map(|book| &book.files).filter_map(|file| file.text.as_deref().ok());
    texts.any(|text| WORDS.iter().any(|word| text.contains(word)))
}

/// What the command line gives: the file's fields, and the reason and the actor that it names itself.
///
/// # Errors
/// When the file cannot be read or holds what no story has.
pub fn given(place: &Place, args: &ChangeArgs) -> Result<Fields> {
    let mut fields = match &args.story {
        None => Fields::new(),
        Some(path) => file(place, path)?,
    };
    for (name, value) in [("rationale", &args.rationale), ("requesting_actor", &args.actor)] {
        if let Some(value) = value.as_ref().filter(|value| !value.trim().is_empty()) {
            fields.insert(name.to_owned(), Field { value: Value::Text(value.clone()), from: Origin::Given });
        }
    }
    Ok(fields)
}

/// The fields of a file.
///
/// # Errors
/// When it cannot be read or holds what no story has.
pub fn file(place: &Place, path: &std::path::Path) -> Result<Fields> {
    let text = files::read_text(&place.absolute(path), story::MAX_FILE)?;
    let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    story::given(&text, is_json).map_err(|wrong| {
        Failure::new("input", format!("{} cannot be used: {wrong}", quoted(path)))
            .help("a story is lines such as `capability = \"boot\"`; docs/stories.md lists the fields")
    })
}

/// Given fields over those of commits.
#[must_use]
pub fn all(given: &Fields, commits: &[CommitInfo]) -> Fields {
    let mut fields = story::trailers(commits);
    fields.extend(given.clone());
    fields
}

/// The same as the engine takes it. What will be derived is not lacking.
pub(super) fn declared(given: &Fields, commits: &[CommitInfo]) -> BTreeMap<String, String> {
    let derived = DERIVED.iter().map(|name| ((*name).to_owned(), "derived".to_owned()));
    derived.chain(all(given, commits).into_iter().map(|(name, field)| (name, field.value.text()))).collect()
}
