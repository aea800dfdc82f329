//! The names of a tree's parts: one text with all of them, so that a tree that is remembered is read without setting aside
//! room for each.

use std::sync::Arc;

use crate::code::Word;
use crate::hash::Map;

/// Names, one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    text: String,
    /// Where each ends.
    ends: Vec<u32>,
}

impl Names {
    /// From what [`Names::text`] and [`Names::ends`] gave; `None` where these are not the ends of names.
    pub(super) fn kept(text: String, ends: Vec<u32>) -> Option<Self> {
        let mut start = 0;
        let is_end = |end: &u32| text.is_char_boundary(*end as usize) && *end >= std::mem::replace(&mut start, *end);
        let are_ends = ends.iter().all(is_end);
        are_ends.then_some(Self { text, ends })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.ends.len() as u32
    }

    /// A name; empty where there is none.
    pub(super) fn get(&self, word: Word) -> &str {
        let at = word.0 as usize;
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        match (start, self.ends.get(at)) {
            (Some(start), Some(&end)) => self.text.get(start as usize..end as usize).unwrap_or_default(),
            _ => "",
        }
    }

    fn push(&mut self, name: &str) -> Word {
        self.text.push_str(name);
        self.ends.push(self.text.len() as u32);
        Word(self.ends.len() as u32 - 1)
    }
}

/// Adds names to those of a tree, each once.
#[derive(Default)]
pub(super) struct Namer {
    known: Map<Arc<str>, Word>,
}

impl Namer {
    pub(super) fn add(&mut self, names: &mut Names, name: &str) -> Word {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let word = names.push(name);
        self.known.insert(name.into(), word);
        word
    }
}

/// Takes names of one tree over to another: those that nobody asks for any more stay behind.
pub(super) struct Carrier<'n> {
    from: &'n Names,
    taken: Vec<Option<Word>>,
}

impl<'n> Carrier<'n> {
    pub(super) fn new(from: &'n Names) -> Self {
        Self { from, taken: vec![None; from.ends.len()] }
    }

    pub(super) fn take(&mut self, names: &mut Names, word: Word) -> Word {
        let Some(taken) = self.taken.get_mut(word.0 as usize) else { return names.push("") };
        *taken.get_or_insert_with(|| names.push(self.from.get(word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_are_taken_over() {
        let (mut names, mut namer) = (Names::default(), Namer::default());
        let words = ["", "a", "über", "a", ""].map(|name| namer.add(&mut names, name));
        assert_eq!(words.map(|word| names.get(word)), ["", "a", "über", "a", ""]);
        assert_eq!((names.len(), words[1], words[0]), (3, words[3], words[4]));
        assert_eq!(names.get(Word(3)), "");
        let kept = Names::kept(names.text().to_owned(), names.ends().to_vec()).unwrap();
        assert_eq!(words.map(|word| kept.get(word)), words.map(|word| names.get(word)));
        let (mut other, mut carrier) = (Names::default(), Carrier::new(&names));
        let taken = [words[2], words[2]].map(|word| carrier.take(&mut other, word));
        assert_eq!((other.get(taken[0]), taken[0], other.len()), ("über", taken[1], 1));
    }

    #[test]
    fn what_are_no_ends_is_not_taken_for_them() {
        let kept = |ends: &[u32]| Names::kept("aüb".to_owned(), ends.to_vec()).is_some();
        assert!(kept(&[1, 1, 3, 4]));
        assert!(!kept(&[2]) && !kept(&[3, 1]) && !kept(&[5]) && !kept(&[u32::MAX]));
    }
}
