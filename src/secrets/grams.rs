//! The n-grams of secrets, and where a text contains one.
//!
//! A text contains a secret or a part of it if it contains one of the secret's n-grams of a certain length. One look-up at
//! each position of a text finds the whole secret, its beginning or end if it was cut, and its parts if a line break
//! splits it.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use xxhash_rust::xxh3::xxh3_64;

use super::stream::Stream;

/// The longest n-grams: at most this many bytes of a secret in a row can be shown by accident.
pub(super) const LONGEST: usize = 12;
pub(super) const SHORTEST: usize = 4;

/// N-grams of all lengths.
#[derive(Default)]
pub(super) struct Grams {
    /// The n-grams by their length.
    by_length: HashMap<usize, Set, FixedState>,
}

struct Set {
    /// A bit for each pair of bytes that begins an n-gram. Nearly every position of a text is ruled out by it.
    begins: Vec<u64>,
    /// The hashes of the n-grams. A collision only hides a text that contains no secret.
    hashes: std::collections::HashSet<u64, FixedState>,
}

impl Grams {
    /// The length of the n-grams of a secret of this length.
    pub(super) fn length_for(secret_bytes: usize) -> usize {
        (3 * secret_bytes).div_ceil(4).clamp(SHORTEST, LONGEST)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_length.is_empty()
    }

    /// Adds the n-grams of this length of a secret.
    pub(super) fn add(&mut self, secret: &[u8], length: usize) {
        let secret = folded(secret);
        let set = self.by_length.entry(length).or_insert_with(|| Set {
            begins: vec![0; (1 << 16) / 64],
            hashes: std::collections::HashSet::default(),
        });
        for gram in secret.windows(length) {
            let (word, bit) = beginning(gram);
            set.begins[word] |= bit;
            set.hashes.insert(xxh3_64(gram));
        }
    }

    /// Marks the bytes of the original text that show an n-gram of at least `least` bytes.
    pub(super) fn mark(&self, stream: &Stream, least: usize, hidden: &mut [bool]) {
        let bytes = folded(&stream.bytes);
        for (length, set) in self.by_length.iter().filter(|(length, _)| **length >= least) {
            for (at, gram) in bytes.windows(*length).enumerate() {
                let (word, bit) = beginning(gram);
                if set.begins[word] & bit == 0 || !set.hashes.contains(&xxh3_64(gram)) {
                    continue;
                }
                // This includes characters between them that were skipped, such as line breaks in base64.
                hidden[stream.spans[at].0..stream.spans[at + length - 1].1].fill(true);
            }
        }
    }
}

/// The bytes with each `+` as a space, because forms encode a space as `+`.
fn folded(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect()
}

fn beginning(gram: &[u8]) -> (usize, u64) {
    let pair = usize::from(gram[0]) << 8 | usize::from(gram[1]);
    (pair / 64, 1 << (pair % 64))
}
