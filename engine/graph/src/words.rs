//! Which names an outline holds, to ask many outlines for a few names quickly.

use crate::facts::{NameId, Outline, without_call};
use crate::hash::Keyed;

/// Methods that run where nobody names them: where an object is made or called.
pub(crate) const UNNAMED: [&str; 4] = ["__init__", "__new__", "__post_init__", "__call__"];

/// The words of one outline: by their hashes, so that one too many may seem to be there, and never one too few.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    /// Of each segment of each name, those of [`UNNAMED`] left out; sorted.
    hashes: Box<[u32]>,
    /// Which of [`UNNAMED`] it asks for by name.
    unnamed: [bool; UNNAMED.len()],
    /// It asks for attributes by a name that is computed, which may be any.
    computes: bool,
}

/// What a name asks for, wherever it is said.
struct Asks {
    unnamed: [bool; UNNAMED.len()],
    computes: bool,
}

/// Some words to look for.
#[derive(Debug, Default)]
pub(crate) struct Sought {
    hashes: Vec<u32>,
    unnamed: [bool; UNNAMED.len()],
}

impl Sought {
    pub(crate) fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut sought = Self::default();
        for word in words {
            match UNNAMED.iter().position(|unnamed| *unnamed == word) {
                Some(at) => sought.unnamed[at] = true,
                None => sought.hashes.push(hash(word)),
            }
        }
        sought.hashes.sort_unstable();
        sought.hashes.dedup();
        sought
    }
}

impl Words {
    pub(crate) fn of(outline: &Outline) -> Self {
        let mut hashes: Vec<u32> = Vec::with_capacity(outline.names.len());
        // Of each name, what it asks for where code or a string says it; each name is looked at once, however often it is said.
        let mut asks: Vec<Asks> = Vec::with_capacity(outline.names.len());
        for name in outline.names.iter() {
            let mut of_name = Asks { unnamed: [false; UNNAMED.len()], computes: name.ends_with('*') };
            for segment in segments(name) {
                match UNNAMED.iter().position(|unnamed| *unnamed == segment) {
                    Some(at) => of_name.unnamed[at] = true,
                    None => hashes.push(hash(segment)),
                }
            }
            asks.push(of_name);
        }
        hashes.sort_unstable();
        hashes.dedup();
        let mut words = Self { hashes: hashes.into(), unnamed: [false; UNNAMED.len()], computes: false };
        let mut ask = |name: NameId, is_code: bool| {
            let Some(asks) = asks.get(name.0 as usize) else { return };
            words.unnamed.iter_mut().zip(asks.unnamed).for_each(|(asked, asks)| *asked |= asks);
            words.computes |= is_code && asks.computes;
        };
        outline.references.iter().for_each(|reference| ask(reference.chain, true));
        outline.strings.iter().for_each(|string| ask(string.text, false));
        words
    }

    /// Whether one of these is there.
    pub(crate) fn hold(&self, sought: &Sought) -> bool {
        sought.hashes.iter().any(|hash| self.hashes.binary_search(hash).is_ok())
            || self.unnamed.iter().zip(&sought.unnamed).any(|(asked, sought)| *asked && *sought)
    }

    /// Whether attributes are asked for by a name that is computed.
    pub(crate) fn compute(&self) -> bool {
        self.computes
    }
}

/// The names in a dotted chain.
pub(crate) fn segments(chain: &str) -> impl Iterator<Item = &str> {
    chain.split('.').map(without_call)
}

fn hash(word: &str) -> u32 {
    (Keyed::default().hash_text(word) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::extract;
    use crate::facts::Language;

    #[test]
    fn what_a_file_holds_is_found_and_a_constructor_only_where_it_is_asked_for() {
        let text = "from a.b import c as d\n\nclass E:\n    def __init__(self):\n        self.f().g = 1\n";
        let outline = |text: &str| extract(Language::Python, text.as_bytes()).outline;
        let words = Words::of(&outline(text));
        for word in ["a", "b", "c", "d", "E", "f"] {
            assert!(words.hold(&Sought::new([word])), "{word}");
        }
        assert!(!words.hold(&Sought::new(["h", "a.b", "__init__"])) && !words.compute());
        let asking = Words::of(&outline("def f(x):\n    x.__init__()\n    getattr(x, 'on_' + y)()\n"));
        assert!(asking.hold(&Sought::new(["__init__"])) && asking.compute());
    }
}
