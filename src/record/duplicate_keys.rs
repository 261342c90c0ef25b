//! Finds keys that occur twice in a map; the last value counts, as in JSON.
//!
//! Hardly any map has such keys, so the usual cost is one hash per key ([`DuplicateKeys`]). Only if two
//! hashes are equal, [`replaced`] finds the replaced pairs by sorting. So a hostile map of 100,000 keys costs
//! no more than sorting them.

/// Nearly every map has fewer keys.
const FEW: usize = 24;

/// Detects a key that occurs twice in one map.
#[derive(Debug)]
pub struct DuplicateKeys {
    /// One bit per hash; if the bit of a new key is clear, its hash is new.
    seen: u64,
    count: usize,
    few: [u32; FEW],
    many: Vec<u32>,
    may_repeat: bool,
}

impl Default for DuplicateKeys {
    fn default() -> Self {
        Self { seen: 0, count: 0, few: [0; FEW], many: Vec::new(), may_repeat: false }
    }
}

impl DuplicateKeys {
    /// Notes the next key of the map.
    #[inline]
    pub fn note(&mut self, key: &[u8]) {
        let hash = hash(key);
        let bit = 1 << (hash % u64::BITS);
        match self.few.get_mut(self.count) {
            Some(place) => {
                *place = hash;
                if self.seen & bit != 0 {
                    self.may_repeat |= self.few.iter().take(self.count).any(|one| *one == hash);
                }
            }
            None => self.many.push(hash),
        }
        self.seen |= bit;
        self.count += 1;
    }

    /// `false`: all keys differ. `true`: two keys are equal or have the same hash.
    #[inline]
    #[must_use]
    pub fn may_repeat(self) -> bool {
        self.may_repeat || (!self.many.is_empty() && have_a_pair(self.many, &self.few))
    }
}

#[cold]
fn have_a_pair(mut many: Vec<u32>, few: &[u32]) -> bool {
    many.extend_from_slice(few);
    many.sort_unstable();
    many.iter().zip(many.iter().skip(1)).any(|(one, next)| one == next)
}

/// Hashes a key, eight bytes at a time. A collision costs time but changes no result.
#[inline]
fn hash(key: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed =
        |hash: u64, word: [u8; 8]| (hash.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    let mut hash = key.len() as u64;
    let (words, tail) = key.as_chunks::<8>();
    for word in words {
        hash = mixed(hash, *word);
    }
    if !tail.is_empty() {
        // Some of the last eight bytes may be hashed twice.
        hash = mixed(hash, key.last_chunk::<8>().copied().unwrap_or_else(|| short(tail)));
    }
    let [.., a, b, c, d] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Fewer than eight bytes as one word.
#[inline]
fn short(tail: &[u8]) -> [u8; 8] {
    let mut word = 0;
    for byte in tail {
        word = word << 8 | u64::from(*byte);
    }
    word.to_le_bytes()
}

/// Indexes of keys that a later equal key replaces, in order.
#[must_use]
pub fn replaced<K: Ord>(keys: &[K]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    // The sort is stable, so the last of equal keys stays last.
    order.sort_by_key(|place| keys.get(*place));
    let two = order.iter().zip(order.iter().skip(1));
    let of_one_key = two.filter(|(one, next)| keys.get(**one) == keys.get(**next));
    let mut replaced: Vec<usize> = of_one_key.map(|(one, _)| *one).collect();
    replaced.sort_unstable();
    replaced
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn may_repeat(keys: &[String]) -> bool {
        let mut all = DuplicateKeys::default();
        keys.iter().for_each(|key| all.note(key.as_bytes()));
        all.may_repeat()
    }

    proptest! {
        #[test]
        fn no_repetition_is_missed(mut keys in vec("[a-c.]{0,3}|[a-z]{7,9}|.{0,40}", 1..60), again: prop::sample::Index, at: prop::sample::Index) {
            let again = keys[again.index(keys.len())].clone();
            keys.insert(at.index(keys.len()), again);
            prop_assert!(may_repeat(&keys));
        }

        #[test]
        fn the_last_of_each_key_stays(keys in vec(0..20u8, 0..60)) {
            let gone: BTreeSet<usize> = replaced(&keys).into_iter().collect();
            for place in 0..keys.len() {
                prop_assert_eq!(gone.contains(&place), keys[place + 1..].contains(&keys[place]));
            }
        }
    }

    #[test]
    fn keys_that_differ_are_no_reason_to_look_closer() {
        for count in [1, FEW, FEW + 1, 100] {
            let keys: Vec<String> =
                (0..count).map(|number| format!("label-{number}.example.com/x")).collect();
            assert!(!may_repeat(&keys), "{count}");
        }
    }
}
