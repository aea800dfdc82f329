//! What was read of the texts that were asked about last: the new side of a change is mostly the old side of the next one.
//!
//! Pure: what is remembered is what would be read again. Knows texts by their digest alone.

use std::sync::{Arc, Mutex, PoisonError};

use crate::hash::Map;

/// So many bytes of text are told of before what was not asked for since is forgotten.
const MOST_BYTES: usize = 8 << 20;

/// What was read, by text and a word for how it was read.
pub(crate) struct Memo<T>(Mutex<Generations<T>>);

type Generation<T> = Map<([u8; 32], bool), (usize, Arc<T>)>;

struct Generations<T> {
    young: Option<Generation<T>>,
    old: Option<Generation<T>>,
    /// Of the young.
    bytes: usize,
}

impl<T> Memo<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Generations { young: None, old: None, bytes: 0 }))
    }

    /// What a text says, read now or before.
    pub(crate) fn of(&self, text: &str, how: bool, read: impl FnOnce() -> T) -> Arc<T> {
        let key = (*blake3::hash(text.as_bytes()).as_bytes(), how);
        let known = self.lock().get(&key);
        known.unwrap_or_else(|| {
            let found = Arc::new(read());
            self.lock().add(key, text.len(), Arc::clone(&found));
            found
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Generations<T> {
    fn get(&mut self, key: &([u8; 32], bool)) -> Option<Arc<T>> {
        if let Some((_, found)) = self.young.as_ref().and_then(|young| young.get(key)) {
            return Some(Arc::clone(found));
        }
        let (bytes, found) = self.old.as_mut()?.remove(key)?;
        self.add(*key, bytes, Arc::clone(&found));
        Some(found)
    }

    fn add(&mut self, key: ([u8; 32], bool), bytes: usize, found: Arc<T>) {
        self.bytes += bytes;
        if self.bytes > MOST_BYTES {
            (self.old, self.bytes) = (self.young.take(), bytes);
        }
        self.young.get_or_insert_default().insert(key, (bytes, found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_again_is_not_read_again_and_the_rest_is_forgotten() {
        let memo: Memo<usize> = Memo::new();
        let reads = std::cell::Cell::new(0);
        let ask = |text: &str, how: bool| {
            let read = || {
                reads.set(reads.get() + 1);
                text.len()
            };
            (*memo.of(text, how, read), reads.get())
        };
        assert_eq!((ask("a", true), ask("a", true), ask("a", false)), ((1, 1), (1, 1), (1, 2)));
        let long = |sign: &str| sign.repeat(MOST_BYTES / 2);
        for (number, sign) in ["b", "c", "d", "e", "f"].into_iter().enumerate() {
            assert_eq!(ask(&long(sign), true).1, 3 + number);
            assert_eq!(ask("a", true).1, 3 + number);
        }
        assert_eq!(ask("a", false).1, 8);
    }
}
