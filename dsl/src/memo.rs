//! Texts that were parsed last: several questions are asked of each file of rules, and most commands ask them all.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Parsed, parse};

/// Texts that are kept, in number and in bytes together: those of a rule book before and after a change. What they are parsed
/// to takes more, and grows with them.
const MOST: usize = 256;
const MOST_BYTES: usize = 512 << 10;

static KEPT: Mutex<Kept> = Mutex::new(Kept { texts: VecDeque::new(), bytes: 0 });

/// As [`parse`], for a text that is asked about more than once.
pub fn parse_once(text: &str) -> Arc<Parsed> {
    Kept::parsed(&KEPT, text)
}

struct Kept {
    /// The one that was asked for last is the last.
    texts: VecDeque<(Box<str>, Arc<Parsed>)>,
    bytes: usize,
}

impl Kept {
    fn parsed(kept: &Mutex<Self>, text: &str) -> Arc<Parsed> {
        let kept = || kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().find(text) {
            return known;
        }
        // Outside the lock: others need not wait for it.
        let parsed = Arc::new(parse(text));
        let mut kept = kept();
        // Or somebody else was quicker.
        kept.find(text).unwrap_or_else(|| {
            kept.put(text, &parsed);
            parsed
        })
    }

    fn find(&mut self, text: &str) -> Option<Arc<Parsed>> {
        let at = self.texts.iter().position(|(known, _)| **known == *text)?;
        let found = self.texts.remove(at)?;
        let parsed = Arc::clone(&found.1);
        self.texts.push_back(found);
        Some(parsed)
    }

    fn put(&mut self, text: &str, parsed: &Arc<Parsed>) {
        // One that is so large would push out all others.
        if text.len() > MOST_BYTES / 2 {
            return;
        }
        self.texts.push_back((text.into(), Arc::clone(parsed)));
        self.bytes += text.len();
        while (self.texts.len() > MOST || self.bytes > MOST_BYTES)
            && let Some((oldest, _)) = self.texts.pop_front()
        {
            self.bytes -= oldest.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parsed_once_while_it_is_among_the_last() {
        let kept = Mutex::new(Kept { texts: VecDeque::new(), bytes: 0 });
        let ask = |text: &str| Kept::parsed(&kept, text);
        let text = "rule one : tier 2\n  when tests removed\n  because \"x\"\n";
        let first = ask(text);
        assert_eq!((&*first, first.items.len()), (&parse(text), 1));
        assert!(Arc::ptr_eq(&first, &ask(text)));
        assert!(!Arc::ptr_eq(&first, &ask(&format!("{text}\n"))));
        // A large one pushes nothing out, and is itself not kept.
        let large = format!("{text}# {}\n", "x".repeat(MOST_BYTES / 2));
        assert!(!Arc::ptr_eq(&ask(&large), &ask(&large)));
        assert!(Arc::ptr_eq(&first, &ask(text)));
        // Nor do many, while it is asked for; when nobody does, they do.
        let many = || (0..MOST).for_each(|number| drop(ask(&format!("# {number} {}\n", "x".repeat(MOST_BYTES / 300)))));
        (0..MOST / 2).for_each(|number| drop(ask(&format!("# {number}\n"))));
        assert!(Arc::ptr_eq(&first, &ask(text)));
        many();
        assert!(!Arc::ptr_eq(&first, &ask(text)));
        let kept = kept.lock().unwrap();
        assert!(kept.texts.len() <= MOST && kept.bytes <= MOST_BYTES);
        assert_eq!(kept.bytes, kept.texts.iter().map(|(text, _)| text.len()).sum::<usize>());
    }
}
