//! A list in order of first sight, each value once.

use std::collections::HashSet;
use std::hash::Hash;

/// Longer lists are searched by hash.
const SHORT: usize = 16;

/// Values in order of first sight.
#[derive(Clone, Debug)]
pub(crate) struct Once<T> {
    list: Vec<T>,
    seen: HashSet<T>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self { list: Vec::new(), seen: HashSet::new() }
    }
}

impl<T: Clone + Eq + Hash> Once<T> {
    /// Adds a value unless it is there.
    pub fn insert(&mut self, value: T) {
        if self.contains(&value) {
            return;
        }
        if self.list.len() == SHORT {
            self.seen.extend(self.list.iter().cloned());
        }
        if self.list.len() >= SHORT {
            self.seen.insert(value.clone());
        }
        self.list.push(value);
    }

    /// Adds values unless they are there.
    pub fn extend(&mut self, values: impl IntoIterator<Item = T>) {
        values.into_iter().for_each(|value| self.insert(value));
    }

    /// Whether a value is there.
    pub fn contains(&self, value: &T) -> bool {
        if self.list.len() > SHORT { self.seen.contains(value) } else { self.list.contains(value) }
    }

    /// The values.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.list.iter()
    }

    /// The list.
    pub fn into_vec(self) -> Vec<T> {
        self.list
    }
}
