//! Keeps track of deleted objects, in order of deletion, up to a bound.
//!
//! Beyond the bound, the namespace with the most tombstones loses its oldest. So a tenant who keeps creating
//! and deleting objects does not displace the tombstones of others.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU64;

use super::key::Key;
use super::object::Object;

/// Which object was deleted, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tombstone {
    /// When it was deleted, by our clock: Unix time in seconds.
    pub seconds: u64,
    /// Key of the namespace's name ([`Key::of`]).
    pub namespace: Key,
    /// Key of the object's uid.
    pub uid: Key,
}

impl Tombstone {
    /// `None` for a live object.
    #[must_use]
    pub fn of(object: &Object) -> Option<Self> {
        let seconds = object.deleted_seconds.map(NonZeroU64::get)?;
        Some(Self { seconds, namespace: Key::of(&object.namespace), uid: object.key() })
    }
}

/// Deleted objects, oldest first.
#[derive(Debug, Default)]
pub struct Tombstones {
    by_time: BTreeSet<Tombstone>,
    /// Ordered by namespace, then as above.
    by_namespace: BTreeSet<(Key, Tombstone)>,
    numbers: HashMap<Key, usize>,
}

impl Tombstones {
    /// Adds a tombstone.
    pub fn insert(&mut self, tombstone: Tombstone) {
        if self.by_time.insert(tombstone) {
            self.by_namespace.insert((tombstone.namespace, tombstone));
            *self.numbers.entry(tombstone.namespace).or_default() += 1;
        }
    }

    /// Removes a tombstone, if there is one.
    pub fn remove(&mut self, tombstone: Tombstone) {
        if self.by_time.remove(&tombstone) {
            self.by_namespace.remove(&(tombstone.namespace, tombstone));
            if let Some(number) = self.numbers.get_mut(&tombstone.namespace) {
                *number -= 1;
                if *number == 0 {
                    self.numbers.remove(&tombstone.namespace);
                }
            }
        }
    }

    /// Number of tombstones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }

    /// Removes and returns the oldest tombstone, if it is from `until_seconds` or earlier.
    pub fn take_until(&mut self, until_seconds: u64) -> Option<Tombstone> {
        let oldest = *self.by_time.first()?;
        (oldest.seconds <= until_seconds).then(|| {
            self.remove(oldest);
            oldest
        })
    }

    /// If there are more than `most` tombstones, removes and returns the oldest of the namespace that has the
    /// most.
    pub fn take_above(&mut self, most: usize) -> Option<Tombstone> {
        if self.len() <= most {
            return None;
        }
        let (namespace, _) = self.numbers.iter().max_by_key(|(namespace, number)| (**number, **namespace))?;
        let (_, oldest) = self.by_namespace.range((*namespace, Tombstone::LEAST)..).next()?;
        let oldest = *oldest;
        self.remove(oldest);
        Some(oldest)
    }
}

impl Tombstone {
    const LEAST: Self = Self { seconds: 0, namespace: Key::LEAST, uid: Key::LEAST };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_deletes_much_loses_its_own() {
        let mut tombstones = Tombstones::default();
        let of = |namespace: &str, seconds: u64| Tombstone {
            seconds,
            namespace: Key::of(namespace),
            uid: Key::of(&format!("{namespace}-{seconds}")),
        };
        tombstones.insert(of("shop", 1));
        (2..100).for_each(|seconds| tombstones.insert(of("aaa", seconds)));
        let taken: Vec<Tombstone> = std::iter::from_fn(|| tombstones.take_above(3)).collect();
        assert_eq!(taken, (2..98).map(|seconds| of("aaa", seconds)).collect::<Vec<_>>());
        assert_eq!(tombstones.take_until(50), Some(of("shop", 1)));
    }
}
