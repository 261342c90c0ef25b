//! The stretches of secrets that must not be seen, and where a stream holds one.
//!
//! A text holds a secret, or a part of it, if it holds one of its stretches of a certain length. That finds the whole, what
//! a bound has left of its beginning or its end, and what a line break has cut, by one look-up for each place of a text.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use xxhash_rust::xxh3::xxh3_64;

use super::stream::Stream;

/// So many characters of a secret are shown by accident at most; of short ones, a quarter.
pub(super) const LONGEST: usize = 12;
pub(super) const SHORTEST: usize = 4;

/// Stretches of all lengths.
#[derive(Default)]
pub(super) struct Grams {
    /// By their length.
    by_length: HashMap<usize, Set, FixedState>,
}

struct Set {
    /// A bit for each pair of bytes that some stretch begins with: nearly every place of a text ends here.
    begins: Vec<u64>,
    /// Of the stretches; should two have the same, a text without a secret is hidden.
    hashes: std::collections::HashSet<u64, FixedState>,
}

impl Grams {
    /// How many bytes in a row of a secret of this length tell it.
    pub(super) fn length_for(secret_bytes: usize) -> usize {
        (3 * secret_bytes).div_ceil(4).clamp(SHORTEST, LONGEST)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_length.is_empty()
    }

    /// Takes the stretches of this length of a secret in.
    pub(super) fn add(&mut self, secret: &[u8], length: usize) {
        let secret = folded(secret);
        let set = self.by_length.entry(length).or_insert_with(|| Set {
            begins: vec![0; (1 << 16) / 64],
            hashes: std::collections::HashSet::default(),
        });
        for stretch in secret.windows(length) {
            let (word, bit) = beginning(stretch);
            set.begins[word] |= bit;
            set.hashes.insert(xxh3_64(stretch));
        }
    }

    /// Marks the places of the original text that show a stretch of at least `least` bytes.
    pub(super) fn mark(&self, stream: &Stream, least: usize, hidden: &mut [bool]) {
        let bytes = folded(&stream.bytes);
        for (length, set) in self.by_length.iter().filter(|(length, _)| **length >= least) {
            for (at, stretch) in bytes.windows(*length).enumerate() {
                let (word, bit) = beginning(stretch);
                if set.begins[word] & bit == 0 || !set.hashes.contains(&xxh3_64(stretch)) {
                    continue;
                }
                // What was passed over between them is hidden, too.
                hidden[stream.spans[at].0..stream.spans[at + length - 1].1].fill(true);
            }
        }
    }
}

/// In forms a plus is a space.
fn folded(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect()
}

fn beginning(stretch: &[u8]) -> (usize, u64) {
    let pair = usize::from(stretch[0]) << 8 | usize::from(stretch[1]);
    (pair / 64, 1 << (pair % 64))
}
