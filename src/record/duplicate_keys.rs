//! DuplicateKeys that a map has twice: the last value counts, as in JSON.
//!
//! Nearly no map has one, so a map pays for a look at a hash of each key and no more ([`DuplicateKeys`]). Which pairs a later
//! one replaces is looked for only where two hashes are the same ([`replaced`]), by sorting: a hostile map of a hundred
//! thousand keys costs what sorting them costs.

/// More keys than nearly every map has.
const FEW: usize = 24;

/// Watches the keys of one map for one that comes twice.
#[derive(Debug)]
pub struct DuplicateKeys {
    /// A bit for each hash that was seen: where it is not set, nobody has to look.
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

    /// `false`: each key came once. `true`: two of them are the same, or share a hash.
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

/// Of a key, eight bytes at a time. That others share it costs time and changes nothing.
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
        // The last eight may have been looked at in part.
        hash = mixed(hash, key.last_chunk::<8>().copied().unwrap_or_else(|| short(tail)));
    }
    let [.., a, b, c, d] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Less than eight bytes as one word.
#[inline]
fn short(tail: &[u8]) -> [u8; 8] {
    let mut word = 0;
    for byte in tail {
        word = word << 8 | u64::from(*byte);
    }
    word.to_le_bytes()
}

/// The places of those that a later one of the same key replaces, in their order.
#[must_use]
pub fn replaced<K: Ord>(keys: &[K]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    // Stable: of equal ones the last stays the last.
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
