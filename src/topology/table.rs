//! A persistent hash table: copies share unchanged parts, and little memory is wasted.
//!
//! ```text
//! pages ─► page of 64 buckets ─► bucket: sorted (key, value) pairs in one allocation of exact size
//! ```
//! A change copies one bucket. The first change after the table was copied also copies the page and the list
//! of pages. `imbl`'s hash map, which other look-ups use, takes three times the memory for such small entries,
//! and every object of the cluster has several.

use std::sync::Arc;

use super::key::Key;

/// Buckets per page.
const PAGE: usize = 64;
/// Average number of entries per bucket at which the number of buckets doubles.
const FULL: usize = 24;

type Bucket<V> = Option<Arc<[(Key, V)]>>;
type Page<V> = Arc<[Bucket<V>]>;

/// A map by [`Key`] whose copies share what did not change.
#[derive(Debug, Clone)]
pub struct Table<V> {
    /// A power of two; empty if the table is empty.
    pages: Arc<[Page<V>]>,
    len: usize,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { pages: Arc::from([]), len: 0 }
    }
}

impl<V> Table<V> {
    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&V> {
        let (page, place) = self.place(*key)?;
        let bucket = self.pages[page][place].as_deref()?;
        let at = bucket.binary_search_by_key(key, |(key, _)| *key).ok()?;
        Some(&bucket[at].1)
    }

    /// Whether the key has a value.
    #[must_use]
    pub fn contains_key(&self, key: &Key) -> bool {
        self.get(key).is_some()
    }

    /// All entries, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &V)> {
        let buckets = self.pages.iter().flat_map(|page| page.iter().flatten());
        buckets.flat_map(|bucket| bucket.iter()).map(|(key, value)| (key, value))
    }

    /// All values, in no order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Page and place on the page; `None` if the table is empty.
    fn place(&self, key: Key) -> Option<(usize, usize)> {
        let buckets = self.pages.len() * PAGE;
        let bucket = key.spread() & buckets.checked_sub(1)?;
        Some((bucket / PAGE, bucket % PAGE))
    }
}

impl<V: Clone> Table<V> {
    /// Inserts a value and returns the previous one.
    pub fn insert(&mut self, key: Key, value: V) -> Option<V> {
        if self.len >= self.pages.len() * PAGE * FULL {
            self.grow();
        }
        let bucket = self.bucket_mut(key)?;
        let there = bucket.as_deref().unwrap_or_default();
        match there.binary_search_by_key(&key, |(key, _)| *key) {
            // Copied only if another table shares it.
            Ok(at) => {
                bucket.as_mut().map(|bucket| std::mem::replace(&mut Arc::make_mut(bucket)[at].1, value))
            }
            Err(at) => {
                let mut slots = Vec::with_capacity(there.len() + 1);
                slots.extend_from_slice(&there[..at]);
                slots.push((key, value));
                slots.extend_from_slice(&there[at..]);
                *bucket = Some(slots.into());
                self.len += 1;
                None
            }
        }
    }

    /// Removes a value and returns it.
    pub fn remove(&mut self, key: &Key) -> Option<V> {
        self.get(key)?;
        let bucket = self.bucket_mut(*key)?;
        let mut slots = bucket.as_deref()?.to_vec();
        let at = slots.binary_search_by_key(key, |(key, _)| *key).ok()?;
        let (_, before) = slots.remove(at);
        *bucket = (!slots.is_empty()).then(|| slots.into());
        self.len -= 1;
        Some(before)
    }

    fn bucket_mut(&mut self, key: Key) -> Option<&mut Bucket<V>> {
        let (page, place) = self.place(key)?;
        let page = &mut Arc::make_mut(&mut self.pages)[page];
        Some(&mut Arc::make_mut(page)[place])
    }

    /// Doubles the number of buckets.
    fn grow(&mut self) {
        let buckets = (self.pages.len() * PAGE * 2).max(PAGE);
        let mut filled: Vec<Vec<(Key, V)>> = vec![Vec::new(); buckets];
        for (key, value) in self.iter() {
            filled[key.spread() & (buckets - 1)].push((*key, value.clone()));
        }
        let bucket = |mut slots: Vec<(Key, V)>| {
            slots.sort_unstable_by_key(|(key, _)| *key);
            (!slots.is_empty()).then(|| slots.into())
        };
        let mut filled = filled.into_iter().map(bucket);
        self.pages = (0..buckets / PAGE).map(|_| filled.by_ref().take(PAGE).collect()).collect();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_and_its_copies_stay(
            steps in prop::collection::vec((0_u32..3_000, any::<bool>()), 0..4_000),
            copied in 0_usize..4_000,
        ) {
            let (mut table, mut model) = (Table::default(), HashMap::new());
            let mut copy = None;
            for (number, (name, is_in)) in steps.into_iter().enumerate() {
                let key = Key::of(&name.to_string());
                if is_in {
                    prop_assert_eq!(table.insert(key, number), model.insert(key, number));
                } else {
                    prop_assert_eq!(table.remove(&key), model.remove(&key));
                }
                prop_assert_eq!(table.get(&key), model.get(&key));
                if number == copied {
                    copy = Some((table.clone(), model.clone()));
                }
            }
            for (table, model) in [(table, model)].into_iter().chain(copy) {
                prop_assert_eq!(table.len(), model.len());
                prop_assert_eq!(table.iter().map(|(key, value)| (*key, *value)).collect::<HashMap<_, _>>(), model);
            }
        }
    }
}
