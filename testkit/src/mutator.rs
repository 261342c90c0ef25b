//! Mutants of good input: the same for a seed and a number on every machine, whatever came before.

use super::dice::Dice;

/// What is put in where a mutant is to be longer.
const LONGEST_COPY: usize = 2_000;
/// No mutant is longer: what takes a megabyte has tests of its own.
const LONGEST: usize = 8_000;

pub struct Mutator {
    /// Good input to begin with.
    pub seeds: Vec<Vec<u8>>,
    /// What such input is made of.
    pub words: &'static [&'static [u8]],
    /// Another one makes other mutants.
    pub seed: u64,
}

impl Mutator {
    /// Makes the mutant of this number.
    pub fn mutant(&self, number: u64, bytes: &mut Vec<u8>) {
        let mut dice = Dice(self.seed.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ number);
        bytes.clear();
        bytes.extend_from_slice(&self.seeds[dice.below(self.seeds.len())]);
        for _ in 0..=dice.below(4) {
            self.mutate(bytes, &mut dice);
        }
        bytes.truncate(LONGEST);
    }

    /// One mutation in place.
    fn mutate(&self, bytes: &mut Vec<u8>, dice: &mut Dice) {
        let at = dice.below(bytes.len());
        let end = (at + dice.below(24)).min(bytes.len());
        match dice.below(12) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = byte(dice),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let noise: [u8; 8] = dice.roll().to_le_bytes();
                put(bytes, at, at, &noise[..dice.below(9)]);
            }
            5 => {
                // Anything twice: keys, items, headers.
                let mut copy = [0; 24];
                let copy = &mut copy[..end - at];
                copy.copy_from_slice(&bytes[at..end]);
                let to = dice.below(bytes.len());
                put(bytes, to, to, copy);
            }
            6 => {
                // A length that lies: the head of something long, or a longer tail of the one that is there.
                let lie = [0xc4 + byte(dice) % 0x3c, byte(dice), byte(dice), 0xff, byte(dice)];
                let lie = &lie[..1 + dice.below(5)];
                put(bytes, at, (at + lie.len()).min(bytes.len()), lie);
            }
            7 => {
                let depth = dice.below(90);
                put(bytes, at, at, &[[0x91, 0x81, b'[', b'{'][dice.below(4)]; 90][..depth]);
            }
            8 => {
                let other = &self.seeds[dice.below(self.seeds.len())];
                let from = dice.below(other.len());
                let to = (from + dice.below(LONGEST_COPY)).min(other.len());
                put(bytes, at, end, &other[from..to]);
            }
            9 if at < bytes.len() => {
                // A digit, a bracket, a quote: one byte of the same class makes another number or another end.
                bytes[at] = b"{}[]\",:\\\n\r 0123456789-+.eEtfn\xff\0"[dice.below(31)];
            }
            10 => put(bytes, at, at, self.words[dice.below(self.words.len())]),
            _ => {
                let word = self.words[dice.below(self.words.len())];
                put(bytes, at, (at + word.len()).min(bytes.len()), word);
            }
        }
    }
}

fn byte(dice: &mut Dice) -> u8 {
    dice.roll().to_le_bytes()[0]
}

/// `with` in place of what stands between the two.
fn put(bytes: &mut Vec<u8>, from: usize, to: usize, with: &[u8]) {
    let tail = bytes.len() - to;
    let len = from + with.len() + tail;
    if len > bytes.len() {
        let old = bytes.len();
        bytes.resize(len, 0);
        bytes.copy_within(to..old, from + with.len());
    } else {
        bytes.copy_within(to.., from + with.len());
        bytes.truncate(len);
    }
    bytes[from..from + with.len()].copy_from_slice(with);
}
