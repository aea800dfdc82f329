//! Reasons of one element, each once.

use std::collections::HashMap;
use std::hash::BuildHasher as _;

use crate::plan::{BookSide, Derivation};

/// Reasons in the order in which they came. As many rules as a book may hold may give one to the same element, so what
/// is there already is looked up, not searched for.
#[derive(Debug, Clone, Default)]
pub(super) struct Reasons {
    list: Vec<Derivation>,
    /// Where those of one rule, file and sentence stand, by the hash of the three.
    places: HashMap<u64, Vec<usize>>,
}

impl Reasons {
    /// Adds a reason once; the same reason from both books is one, of both.
    pub(super) fn push(&mut self, derivation: Derivation) {
        let key = self.places.hasher().hash_one((&derivation.rule, &derivation.file, &derivation.because));
        let places = self.places.entry(key).or_default();
        for &place in places.iter() {
            let Some(seen) = self.list.get_mut(place) else { continue };
            let same = seen.rule == derivation.rule
                && seen.file == derivation.file
                && seen.because == derivation.because
                && seen.evidence == derivation.evidence
                && seen.by_unknown == derivation.by_unknown;
            if same && seen.line == derivation.line && seen.book == derivation.book {
                return;
            }
            if same && seen.book != derivation.book && seen.book != BookSide::Both {
                seen.book = BookSide::Both;
                seen.line = if derivation.book == BookSide::After { derivation.line } else { seen.line };
                return;
            }
        }
        places.push(self.list.len());
        self.list.push(derivation);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Derivation> {
        self.list.iter()
    }

    pub(super) fn into_list(self) -> Vec<Derivation> {
        self.list
    }
}

impl IntoIterator for Reasons {
    type Item = Derivation;
    type IntoIter = std::vec::IntoIter<Derivation>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl Extend<Derivation> for Reasons {
    fn extend<T: IntoIterator<Item = Derivation>>(&mut self, more: T) {
        more.into_iter().for_each(|reason| self.push(reason));
    }
}

impl FromIterator<Derivation> for Reasons {
    fn from_iter<T: IntoIterator<Item = Derivation>>(all: T) -> Self {
        let mut reasons = Self::default();
        reasons.extend(all);
        reasons
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::Evidence;

    fn reason() -> impl Strategy<Value = Derivation> {
        let books = [BookSide::Before, BookSide::After, BookSide::Both, BookSide::BuiltIn];
        let small = || 0..3_u32;
        (small(), small(), small(), small(), proptest::sample::select(books.to_vec()), small(), any::<bool>()).prop_map(
            |(rule, file, line, because, book, fact, by_unknown)| Derivation {
                rule: format!("rule{rule}"),
                file: format!("file{file}"),
                line,
                because: format!("because{because}"),
                book,
                evidence: vec![Evidence::Missing { fact: fact.to_string() }],
                more_evidence: 0,
                by_unknown,
            },
        )
    }

    /// What [`Reasons`] means, by looking at everything that came before.
    fn searched(all: &[Derivation]) -> Vec<Derivation> {
        let mut list: Vec<Derivation> = Vec::new();
        'next: for new in all {
            for seen in &mut list {
                let in_place = Derivation { line: seen.line, book: seen.book, ..new.clone() };
                if in_place != *seen {
                    continue;
                }
                if (seen.line, seen.book) == (new.line, new.book) {
                    continue 'next;
                }
                if seen.book != new.book && seen.book != BookSide::Both {
                    seen.book = BookSide::Both;
                    if new.book == BookSide::After {
                        seen.line = new.line;
                    }
                    continue 'next;
                }
            }
            list.push(new.clone());
        }
        list
    }

    proptest! {
        #[test]
        fn looking_up_is_as_searching(all in proptest::collection::vec(reason(), 0..60)) {
            // Few kinds of everything, so that the same comes again; and once more, so that it all does.
            let twice: Vec<Derivation> = all.iter().chain(&all).cloned().collect();
            for all in [all, twice] {
                let reasons = Reasons::from_iter(all.iter().cloned());
                prop_assert_eq!(reasons.into_list(), searched(&all));
            }
        }
    }
}
