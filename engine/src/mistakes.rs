//! Mistakes in a rule book: what cannot be read, does not parse, or is an error to [`grace_dsl::check`].
//!
//! Law 4: each is tier 3 and a named unknown, whoever wrote it; an item with a mistake could have said anything, so what
//! hangs on it is unknown too, and no waiver of such a book is in force.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::{Diagnostic, Severity};

use crate::book::{ItemId, ordinals, parsed};
use crate::db::{Db, RuleBook, RuleFile};

/// Mistakes of one book that are told one by one; the rest are counted.
const MOST_TOLD: usize = 100;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) path: Arc<str>,
    /// From 1; 0 where a file has none.
    pub(crate) line: u32,
    /// The missing fact, as plans name it.
    pub(crate) fact: String,
}

/// The mistakes of a book.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mistakes {
    /// In book order, each file from top to bottom.
    pub(crate) told: Vec<Mistake>,
    of_items: BTreeMap<(Arc<str>, ItemId), Vec<String>>,
}

/// Everything that is wrong with a book by its texts alone. It reads every text of the book, so it runs with every edit
/// of one; rules hang on [`mistakes_in`].
#[salsa::tracked(returns(clone))]
pub(crate) fn mistakes(db: &dyn Db, book: RuleBook) -> Arc<Mistakes> {
    let mut found = Mistakes::default();
    let mut sources = Vec::new();
    for &file in book.files(db) {
        let path = file.path(db);
        match file.text(db) {
            Ok(text) => sources.push((file, path, text, parsed(db, file))),
            Err(reason) => {
                found.told.push(Mistake { line: 0, fact: format!("`{path}` cannot be read: {reason}"), path })
            }
        }
    }
    let files: Vec<grace_dsl::SourceFile<'_>> = sources
        .iter()
        .map(|(file, path, text, parsed)| grace_dsl::SourceFile { path, text, parsed, role: file.role(db) })
        .collect();
    let mut by_path: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
    for diagnostic in grace_dsl::check(&files) {
        if diagnostic.severity == Severity::Error {
            by_path.entry(diagnostic.path.clone()).or_default().push(diagnostic);
        }
    }
    for (file, path, text, parsed) in &sources {
        let lines = grace_dsl::LineIndex::new(text);
        let line = |offset: usize| u32::try_from(lines.line(offset)).unwrap_or(u32::MAX);
        let mut told: Vec<(usize, Mistake)> = Vec::new();
        for broken in &parsed.broken {
            let name = broken.name.as_deref().unwrap_or("without a name");
            let fact = format!("{} `{name}` in {path} does not parse", broken.kind.unwrap_or("an item"));
            let start = broken.span.start;
            told.push((start, Mistake { path: path.clone(), line: line(start), fact }));
        }
        // What parsing found is told by the items above.
        let parsing: BTreeSet<(usize, &str)> =
            parsed.diagnostics.iter().map(|found| (found.span.start, found.message.as_str())).collect();
        let items = ItemSpans::of(db, *file, parsed);
        for diagnostic in by_path.remove(&**path).unwrap_or_default() {
            let start = diagnostic.span.start;
            if parsing.contains(&(start, diagnostic.message.as_str())) {
                continue;
            }
            let place = line(start);
            let fact = format!("{} at {path}:{place}", diagnostic.message);
            if let Some(id) = items.at(start) {
                found.of_items.entry((path.clone(), id.clone())).or_default().push(fact.clone());
            }
            told.push((start, Mistake { path: path.clone(), line: place, fact }));
        }
        told.sort_by(|(a, one), (b, other)| (a, &one.fact).cmp(&(b, &other.fact)));
        found.told.extend(told.into_iter().map(|(_, mistake)| mistake));
    }
    if found.told.len() > MOST_TOLD {
        let more = found.told.len() - MOST_TOLD;
        let first = found.told[MOST_TOLD].clone();
        found.told.truncate(MOST_TOLD);
        let fact = format!("{more} more mistakes in the rules, from {}:{} on", first.path, first.line);
        found.told.push(Mistake { fact, ..first });
    }
    Arc::new(found)
}

/// The mistakes inside one item: a projection, so that a rule hangs on its own mistakes and on no others.
#[salsa::tracked(returns(clone))]
pub(crate) fn mistakes_in(db: &dyn Db, book: RuleBook, file: RuleFile, id: ItemId) -> Arc<Vec<String>> {
    let mistakes = mistakes(db, book);
    Arc::new(mistakes.of_items.get(&(file.path(db), id)).cloned().unwrap_or_default())
}

/// Whether nothing is wrong with a book by its texts alone.
#[salsa::tracked(returns(copy))]
pub(crate) fn is_sound(db: &dyn Db, book: RuleBook) -> bool {
    mistakes(db, book).told.is_empty()
}

/// Which item stands at an offset.
struct ItemSpans {
    /// Start and end of each item, in source order.
    spans: Vec<(usize, usize, ItemId)>,
}

impl ItemSpans {
    fn of(db: &dyn Db, file: RuleFile, parsed: &grace_dsl::Parsed) -> Self {
        let mut spans: Vec<(usize, usize, ItemId)> = ordinals(db, file)
            .iter()
            .filter_map(|(id, &ordinal)| {
                let span = parsed.map.item(ordinal)?;
                Some((span.start, span.end, id.clone()))
            })
            .collect();
        spans.sort();
        Self { spans }
    }

    fn at(&self, offset: usize) -> Option<&ItemId> {
        let after = self.spans.partition_point(|(start, ..)| *start <= offset);
        let (_, end, id) = self.spans.get(after.checked_sub(1)?)?;
        (offset <= *end).then_some(id)
    }
}
