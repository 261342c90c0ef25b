//! Keys: 64 bits in place of a text or of several, so that look-ups compare numbers.
//!
//! A uid, a name within a namespace or a label becomes a key by a hash with a seed that each process draws anew. Among the million
//! texts that a cluster of 100,000 pods holds at a time, the chance that any two share a key is about one in 30 million; one event
//! would then name a wrong Service, and none is lost. 128 bits would cost twice the memory. Nobody can compute a text that
//! shares the key of another tenant's object, as nobody outside the process knows the seed. So a key is never written anywhere.

use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::num::NonZeroU64;
use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::kind::{ObjectKind, group_of};

/// The standard library draws the keys of its hash tables from the kernel's random numbers.
static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(()));

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(NonZeroU64);

impl Key {
    /// The least and the greatest: the bounds of a range.
    pub const LEAST: Self = Self(NonZeroU64::MIN);
    pub const GREATEST: Self = Self(NonZeroU64::MAX);

    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        // Without zero an optional key is no larger than a key.
        Self(NonZeroU64::new(xxh3_64_with_seed(bytes, *SEED)).unwrap_or(NonZeroU64::MIN))
    }

    /// The key of a pair. The order counts.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let mut pair = [0; 16];
        pair[..8].copy_from_slice(&self.0.get().to_le_bytes());
        pair[8..].copy_from_slice(&other.0.get().to_le_bytes());
        Self::of_bytes(&pair)
    }

    /// Bits for a table: all of them are equally good.
    #[must_use]
    pub(super) fn spread(self) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a good hash are one")]
        let bits = self.0.get() as usize;
        bits
    }

    /// A name within a namespace.
    #[must_use]
    pub fn name(namespace: &str, name: &str) -> Self {
        Self::of(namespace).with(Self::of(name))
    }

    /// An object by its name. Kinds that the topology does not hold go by their name alone, unless it is
    /// also the name of one that it does hold.
    #[must_use]
    pub fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> Self {
        let group = group_of(api_version);
        let kind_key = match (ObjectKind::of(group, kind), ObjectKind::of(None, kind)) {
            (None, Some(_)) => Self::of(group.unwrap_or_default()).with(Self::of(kind)),
            _ => Self::of(kind),
        };
        kind_key.with(Self::name(namespace, name))
    }

    /// An object of a kind that the topology holds, by its name.
    #[must_use]
    pub fn held(kind: ObjectKind, namespace: &str, name: &str) -> Self {
        Self::of(kind.name()).with(Self::name(namespace, name))
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.get());
    }
}

/// A key is a hash already.
#[derive(Debug, Clone, Copy, Default)]
pub struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Keys never come here; a hasher must take all the same.
        self.0 = bytes.iter().fold(self.0, |sum, byte| sum.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

pub type BuildIdentityHasher = BuildHasherDefault<IdentityHasher>;

#[cfg(test)]
mod tests {
    use super::*;

    /// What can be computed outside the process can be chosen there.
    #[test]
    fn keys_have_a_seed() {
        assert_ne!(Key::of("shop").0.get(), xxhash_rust::xxh3::xxh3_64(b"shop"));
        assert_ne!(*SEED, 0);
    }

    #[test]
    fn names_do_not_run_into_each_other() {
        assert_ne!(Key::name("ab", "c"), Key::name("a", "bc"));
        assert_ne!(Key::name("a", "b"), Key::name("b", "a"));
        assert_ne!(Key::name("", "a"), Key::name("a", ""));
    }

    #[test]
    fn the_group_counts_where_it_must() {
        let of = |version, kind| Key::object(version, kind, "shop", "cart");
        assert_eq!(of("", "Service"), Key::held(ObjectKind::Service, "shop", "cart"));
        assert_eq!(of("v1", "Service"), Key::held(ObjectKind::Service, "shop", "cart"));
        assert_ne!(of("serving.knative.dev/v1", "Service"), of("v1", "Service"));
        assert_eq!(of("argoproj.io/v1alpha1", "Rollout"), of("", "Rollout"));
    }
}
