//! What was deleted is remembered for a while, in the order in which it went, and not without a bound.
//!
//! Beyond the bound the namespace with the most tombstones loses its oldest: whoever creates and deletes objects in one
//! namespace without end does not push out what is remembered of the others.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU64;

use super::key::Key;
use super::object::Object;

/// Which object was deleted, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grave {
    pub seconds: u64,
    /// Of its name ([`Key::of`]).
    pub namespace: Key,
    pub uid: Key,
}

impl Grave {
    /// `None` while the object is there.
    #[must_use]
    pub fn of(object: &Object) -> Option<Self> {
        let seconds = object.deleted_seconds.map(NonZeroU64::get)?;
        Some(Self { seconds, namespace: Key::of(&object.namespace), uid: object.key() })
    }
}

/// Deleted objects, oldest first.
#[derive(Debug, Default)]
pub struct Graves {
    by_time: BTreeSet<Grave>,
    /// Namespace, then as above.
    by_namespace: BTreeSet<(Key, Grave)>,
    numbers: HashMap<Key, usize>,
}

impl Graves {
    pub fn dig(&mut self, grave: Grave) {
        if self.by_time.insert(grave) {
            self.by_namespace.insert((grave.namespace, grave));
            *self.numbers.entry(grave.namespace).or_default() += 1;
        }
    }

    pub fn open(&mut self, grave: Grave) {
        if self.by_time.remove(&grave) {
            self.by_namespace.remove(&(grave.namespace, grave));
            if let Some(number) = self.numbers.get_mut(&grave.namespace) {
                *number -= 1;
                if *number == 0 {
                    self.numbers.remove(&grave.namespace);
                }
            }
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }

    /// Takes the oldest, if it went at `until` or before.
    pub fn take_until(&mut self, until_seconds: u64) -> Option<Grave> {
        let oldest = *self.by_time.first()?;
        (oldest.seconds <= until_seconds).then(|| {
            self.open(oldest);
            oldest
        })
    }

    /// Takes the oldest of the namespace that has the most, if there are more than `most` in all.
    pub fn take_above(&mut self, most: usize) -> Option<Grave> {
        if self.len() <= most {
            return None;
        }
        let (namespace, _) = self.numbers.iter().max_by_key(|(namespace, number)| (**number, **namespace))?;
        let (_, oldest) = self.by_namespace.range((*namespace, Grave::LEAST)..).next()?;
        let oldest = *oldest;
        self.open(oldest);
        Some(oldest)
    }
}

impl Grave {
    const LEAST: Self = Self { seconds: 0, namespace: Key::LEAST, uid: Key::LEAST };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_deletes_much_loses_its_own() {
        let mut graves = Graves::default();
        let of = |namespace: &str, seconds: u64| Grave {
            seconds,
            namespace: Key::of(namespace),
            uid: Key::of(&format!("{namespace}-{seconds}")),
        };
        graves.dig(of("shop", 1));
        (2..100).for_each(|seconds| graves.dig(of("aaa", seconds)));
        let taken: Vec<Grave> = std::iter::from_fn(|| graves.take_above(3)).collect();
        assert_eq!(taken, (2..98).map(|seconds| of("aaa", seconds)).collect::<Vec<_>>());
        assert_eq!(graves.take_until(50), Some(of("shop", 1)));
    }
}
