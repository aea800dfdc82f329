//! Texts that were parsed last: several questions are asked of each file of rules, and most commands ask them all.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Parsed, parse};

/// Texts that are kept, in number and in bytes together: those of a rule book before and after a change.
const MOST: usize = 256;
const MOST_BYTES: usize = 2 << 20;

/// The oldest first.
static KEPT: Mutex<VecDeque<(Box<str>, Arc<Parsed>)>> = Mutex::new(VecDeque::new());

/// As [`parse`], for a text that is asked about more than once.
pub fn parse_once(text: &str) -> Arc<Parsed> {
    if let Some((_, known)) = kept().iter().find(|(known, _)| **known == *text) {
        return Arc::clone(known);
    }
    // Outside the lock: who parses the same text meanwhile comes to the same.
    let parsed = Arc::new(parse(text));
    let mut kept = kept();
    kept.push_back((text.into(), Arc::clone(&parsed)));
    while kept.len() > MOST || kept.iter().map(|(text, _)| text.len()).sum::<usize>() > MOST_BYTES {
        kept.pop_front();
    }
    parsed
}

fn kept() -> MutexGuard<'static, VecDeque<(Box<str>, Arc<Parsed>)>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parsed_once_while_it_is_among_the_last() {
        let text = "rule one : tier 2\n  when tests removed\n  because \"x\"\n";
        let first = parse_once(text);
        assert_eq!(*first, parse(text));
        assert_eq!(first.items.len(), 1);
        assert!(Arc::ptr_eq(&first, &parse_once(text)));
        assert!(!Arc::ptr_eq(&first, &parse_once(&format!("{text}\n"))));
        // One too large to be kept pushes everything out, and others do in time.
        let large = format!("{text}# {}\n", "x".repeat(MOST_BYTES));
        assert_eq!(parse_once(&large).items.len(), 1);
        assert!(kept().is_empty());
        let again = parse_once(text);
        assert!(!Arc::ptr_eq(&first, &again));
        (0..MOST).for_each(|number| drop(parse_once(&format!("# {number}\n"))));
        assert!(!Arc::ptr_eq(&again, &parse_once(text)));
        assert!(kept().len() <= MOST);
    }
}
