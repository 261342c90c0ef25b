//! Which of two versions of an object is newer.

use xxhash_rust::xxh3::xxh3_64;

/// The version of an object. Numbers (etcd revisions, below 2⁶³, without leading zeros) keep their order. Any other text
/// becomes a hash with the top bit set, which has no order. So two texts are one version only if they are equal, as in a
/// record's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);

const TEXT: u64 = 1 << 63;

impl Version {
    /// The version of an object without a resourceVersion, by the hash of its fields.
    #[must_use]
    pub fn of_hash(hash: u128) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "half of a hash is one")]
        let half = hash as u64;
        Self(half | TEXT)
    }

    /// From a `resourceVersion`. Text that is not a number becomes a hash, without an order.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let is_number = text == "0" || text.starts_with(|first| matches!(first, '1'..='9'));
        match text.parse::<u64>() {
            Ok(number) if is_number && number < TEXT => Self(number),
            _ => Self(xxh3_64(text.as_bytes()) | TEXT),
        }
    }

    /// The number that a resourceVersion is; `None` for any other text, and for a record that has none.
    #[must_use]
    pub fn number(self) -> Option<u64> {
        (self.0 != 0 && self.is_number()).then_some(self.0)
    }

    fn is_number(self) -> bool {
        self.0 < TEXT
    }

    /// Compares numbers by their order; otherwise any other version is newer.
    #[must_use]
    pub fn is_newer_than(self, other: Self) -> bool {
        if self.is_number() && other.is_number() { self > other } else { self != other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_an_order_and_texts_have_none() {
        let (old, new) = (Version::parse("9"), Version::parse("10"));
        assert!(new.is_newer_than(old) && !old.is_newer_than(new) && !new.is_newer_than(new));
        let (a, b) = (Version::parse("abc"), Version::parse("abd"));
        assert!(a.is_newer_than(b) && b.is_newer_than(a) && !a.is_newer_than(a));
        assert!(a.is_newer_than(new) && new.is_newer_than(a));
        for odd in ["", "-1", "+1", "18446744073709551615", "9223372036854775808", "1 ", "1x", "00", "07"] {
            assert!(!Version::parse(odd).is_number(), "{odd}");
            assert!(Version::parse(odd).is_newer_than(Version::parse("7")), "{odd}");
        }
    }
}
