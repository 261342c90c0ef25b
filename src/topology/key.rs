//! Keys: 64-bit hashes in place of strings, so that look-ups compare numbers.
//!
//! A uid, a name in a namespace or a label is hashed with a seed that each process draws at random. A cluster
//! of 100,000 pods has about a million such strings; the chance that any two share a key is about one in 30
//! million. The effect would be that one event names a wrong Service; no event is lost. 128 bits would double
//! the memory. Nobody outside the process knows the seed, so no tenant can construct a name that collides
//! with another tenant's object. For the same reason a key is never written to disk.

use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::num::NonZeroU64;
use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::kind::{ObjectKind, group_of};

/// The standard library seeds its hash tables from the kernel's random numbers.
static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(()));

/// A hash that stands for a text or an object in all look-ups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(NonZeroU64);

impl Key {
    /// The smallest and the greatest key, as bounds of a range.
    pub const LEAST: Self = Self(NonZeroU64::MIN);
    /// No key is greater: the end of a range.
    pub const GREATEST: Self = Self(NonZeroU64::MAX);

    /// Key of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    /// Key of the bytes of a text.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        // Excluding zero makes `Option<Key>` as small as `Key`.
        Self(NonZeroU64::new(xxh3_64_with_seed(bytes, *SEED)).unwrap_or(NonZeroU64::MIN))
    }

    /// The key of a pair. The order matters.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let mut pair = [0; 16];
        pair[..8].copy_from_slice(&self.0.get().to_le_bytes());
        pair[8..].copy_from_slice(&other.0.get().to_le_bytes());
        Self::of_bytes(&pair)
    }

    /// Hash bits for a table; all bits are equally good.
    #[must_use]
    pub(super) fn spread(self) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a good hash are one")]
        let bits = self.0.get() as usize;
        bits
    }

    /// A name in a namespace.
    #[must_use]
    pub fn name(namespace: &str, name: &str) -> Self {
        Self::of(namespace).with(Self::of(name))
    }

    /// An object by its name. A kind that the topology does not hold is identified by its name without a
    /// group, unless a held kind has the same name.
    #[must_use]
    pub fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> Self {
        let group = group_of(api_version);
        let kind_key = match (ObjectKind::of(group, kind), ObjectKind::of(None, kind)) {
            (None, Some(_)) => Self::of(group.unwrap_or_default()).with(Self::of(kind)),
            _ => Self::of(kind),
        };
        kind_key.with(Self::name(namespace, name))
    }

    /// An object of a held kind, by its name.
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

/// A hasher that uses the key itself, which is a hash already.
#[derive(Debug, Clone, Copy, Default)]
pub struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Keys use `write_u64`; the trait requires this method too.
        self.0 = bytes.iter().fold(self.0, |sum, byte| sum.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// For maps by [`Key`], which is a hash already.
pub type BuildIdentityHasher = BuildHasherDefault<IdentityHasher>;

#[cfg(test)]
mod tests {
    use super::*;

    /// If a key could be computed outside the process, a tenant could choose a colliding name.
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
