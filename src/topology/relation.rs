//! A one-to-many relation, as a persistent set of pairs.
//!
//! It is one flat set rather than a map of sets: most keys have a single value, and a separate set for each
//! would take several times the memory.

use imbl::OrdSet;

use super::key::Key;

/// A set of pairs, looked up by the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relation(OrdSet<(Key, Key)>);

impl Relation {
    /// Adds a pair.
    pub fn insert(&mut self, one: Key, other: Key) {
        self.0.insert((one, other));
    }

    /// Removes a pair.
    pub fn remove(&mut self, one: Key, other: Key) {
        self.0.remove(&(one, other));
    }

    /// All values of a key, in key order.
    pub fn of(&self, one: Key) -> impl Iterator<Item = Key> {
        self.0.range((one, Key::LEAST)..=(one, Key::GREATEST)).map(|(_, other)| *other)
    }

    /// Whether a pair begins with this key.
    #[must_use]
    pub fn has_any(&self, one: Key) -> bool {
        self.of(one).next().is_some()
    }

    /// Number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own() {
        let (a, b, c) = (Key::of("a"), Key::of("b"), Key::of("c"));
        let mut relation = Relation::default();
        for (one, other) in [(a, b), (a, c), (b, c), (a, b)] {
            relation.insert(one, other);
        }
        let before = relation.clone();
        assert_eq!((relation.of(a).count(), relation.of(b).count(), relation.has_any(c)), (2, 1, false));
        relation.remove(a, c);
        assert_eq!(relation.of(a).collect::<Vec<_>>(), [b]);
        assert_eq!(before.of(a).count(), 2, "a copy stays as it was");
    }
}
