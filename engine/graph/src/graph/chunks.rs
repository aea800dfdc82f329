//! A vector that is cheap to copy with one element changed: what two snapshots have in common they share.

use std::sync::Arc;

/// Elements that are copied together when one of them is set.
const SIZE: usize = 256;

/// A persistent vector of fixed length, for values by file.
#[derive(Debug, Clone)]
pub struct Chunks<T> {
    chunks: Vec<Arc<Vec<T>>>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T> FromIterator<T> for Chunks<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut elements = elements.into_iter();
        let mut chunks = Vec::new();
        loop {
            let chunk: Vec<T> = elements.by_ref().take(SIZE).collect();
            if chunk.is_empty() {
                return Self { chunks };
            }
            chunks.push(Arc::new(chunk));
        }
    }
}

impl<T> Chunks<T> {
    /// The element at an index; `None` past the end.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&T> {
        self.chunks.get(index / SIZE)?.get(index % SIZE)
    }

    /// Every element in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

impl<T> Chunks<Arc<T>> {
    /// Indices of the elements that two vectors do not share.
    pub(super) fn not_shared_with<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = usize> + 'a {
        let chunks = self.chunks.iter().zip(&other.chunks).enumerate();
        chunks.filter(|(_, (one, two))| !Arc::ptr_eq(one, two)).flat_map(|(number, (one, two))| {
            let pairs = one.iter().zip(two.iter()).enumerate();
            pairs.filter(|(_, (one, two))| !Arc::ptr_eq(one, two)).map(move |(at, _)| number * SIZE + at)
        })
    }
}

impl<T: PartialEq> Chunks<Arc<T>> {
    /// Sets an element; one that another vector has there, too, is shared with it, and so are chunks that are then the same.
    pub(super) fn set_like(&mut self, index: usize, element: Arc<T>, other: &Self) {
        let same = other.get(index).filter(|same| **same == element).cloned();
        let is_same = same.is_some();
        self.set(index, same.unwrap_or(element));
        if let (true, Some(chunk), Some(same)) =
            (is_same, self.chunks.get_mut(index / SIZE), other.chunks.get(index / SIZE))
            && chunk.len() == same.len()
            && chunk.iter().zip(same.iter()).all(|(one, other)| Arc::ptr_eq(one, other))
        {
            *chunk = Arc::clone(same);
        }
    }
}

impl<T: Clone> Chunks<T> {
    /// Sets an element; nothing past the end.
    pub fn set(&mut self, index: usize, element: T) {
        if let Some(chunk) = self.chunks.get_mut(index / SIZE)
            && let Some(slot) = Arc::make_mut(chunk).get_mut(index % SIZE)
        {
            *slot = element;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_shares_all_but_the_chunk_that_was_set() {
        let old: Chunks<usize> = (0..1_000).collect();
        let mut new = old.clone();
        new.set(300, 7);
        new.set(5_000, 7);
        let expected: Vec<usize> = (0..1_000).map(|n| if n == 300 { 7 } else { n }).collect();
        assert_eq!(new.iter().copied().collect::<Vec<_>>(), expected);
        assert_eq!((old.get(300), new.get(300), new.get(1_000)), (Some(&300), Some(&7), None));
        let shared: Vec<bool> = old.chunks.iter().zip(&new.chunks).map(|(a, b)| Arc::ptr_eq(a, b)).collect();
        assert_eq!(shared, [true, false, true, true]);
    }

    #[test]
    fn what_is_set_back_is_shared_again() {
        let first: Chunks<Arc<usize>> = (0..1_000).map(Arc::new).collect();
        let mut edited = first.clone();
        let differing = |edited: &Chunks<Arc<usize>>| edited.not_shared_with(&first).collect::<Vec<_>>();
        edited.set_like(300, Arc::new(7), &first);
        edited.set_like(301, Arc::new(7), &first);
        assert_eq!(differing(&edited), [300, 301]);
        edited.set_like(300, Arc::new(300), &first);
        assert_eq!(differing(&edited), [301]);
        assert!(!Arc::ptr_eq(&first.chunks[1], &edited.chunks[1]));
        edited.set_like(301, Arc::new(301), &first);
        assert!(Arc::ptr_eq(&first.chunks[1], &edited.chunks[1]));
    }
}
