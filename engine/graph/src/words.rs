//! Which names an outline holds, to ask many outlines for a few names quickly.

use crate::facts::{NameId, Outline, without_call};
use crate::hash::fixed;

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
    /// Nothing is looked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty() && !self.unnamed.contains(&true)
    }

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

    /// As bytes that are remembered: what it asks for, a bit each, then the upper halves of the hashes, sorted.
    pub(crate) fn kept(&self) -> Vec<u8> {
        let asked = self.unnamed.iter().chain([&self.computes]).enumerate();
        let asked = asked.fold(0, |bits, (at, asked)| bits | u8::from(*asked) << at);
        let mut halves: Vec<u16> = self.hashes.iter().map(|hash| (hash >> 16) as u16).collect();
        halves.dedup();
        std::iter::once(asked).chain(halves.into_iter().flat_map(u16::to_le_bytes)).collect()
    }
}

/// What [`Words::kept`] gave: tells of a few files more that they may hold a word than [`Words`] do (of one in 300 that have
/// 200 names), and never of one too few.
#[derive(Clone, Copy)]
pub(crate) struct KeptWords<'a> {
    asked: u8,
    halves: &'a [[u8; 2]],
}

impl<'a> KeptWords<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        let (asked, halves) = bytes.split_first()?;
        let (halves, rest) = halves.as_chunks::<2>();
        rest.is_empty().then_some(Self { asked: *asked, halves })
    }

    /// Whether one of these may be there.
    pub(crate) fn may_hold(self, sought: &Sought) -> bool {
        let holds = |hash: &u32| {
            let half = (hash >> 16) as u16;
            self.halves.binary_search_by_key(&half, |bytes| u16::from_le_bytes(*bytes)).is_ok()
        };
        let asks = |at: usize| self.asked >> at & 1 != 0;
        sought.hashes.iter().any(holds) || (0..).zip(sought.unnamed).any(|(at, sought)| sought && asks(at))
    }

    /// Whether attributes are asked for by a name that is computed.
    pub(crate) fn compute(self) -> bool {
        self.asked >> UNNAMED.len() & 1 != 0
    }
}

/// The names in a dotted chain.
pub(crate) fn segments(chain: &str) -> impl Iterator<Item = &str> {
    chain.split('.').map(without_call)
}

/// The same in each process, for words are remembered: who writes names that fall together has files linked that need not be.
fn hash(word: &str) -> u32 {
    (fixed(word) >> 32) as u32
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

    #[test]
    fn what_is_remembered_of_words_tells_the_same_and_never_misses_one() {
        let texts =
            ["", "import a.b\n", "def f(x):\n    x.__init__()\n", "def f(x, y):\n    getattr(x, 'on_' + y)()\n"];
        for text in texts {
            let words = Words::of(&extract(Language::Python, text.as_bytes()).outline);
            let kept = words.kept();
            let kept = KeptWords::of(&kept).unwrap();
            for word in ["a", "b", "x", "on_", "f", "__init__", "__call__", "nobody"] {
                let sought = Sought::new([word]);
                assert_eq!(kept.may_hold(&sought), words.hold(&sought), "{word} in {text}");
            }
            assert_eq!(kept.compute(), words.compute(), "{text}");
        }
        let many: String = (0..20_000).map(|n| format!("name_{n}\n")).collect();
        let words = Words::of(&extract(Language::Python, many.as_bytes()).outline);
        let kept = words.kept();
        let kept = KeptWords::of(&kept).unwrap();
        assert!((0..20_000).all(|n| kept.may_hold(&Sought::new([&*format!("name_{n}")]))));
        let wrong = (0..1_000).filter(|n| kept.may_hold(&Sought::new([&*format!("other_{n}")]))).count();
        assert!((100..400).contains(&wrong), "about a quarter is expected of 20,000 among 65,536: {wrong}");
        assert!(KeptWords::of(&[]).is_none() && KeptWords::of(&[0, 1]).is_none());
    }
}
