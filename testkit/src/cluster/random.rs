//! Numbers that look random and are the same for a seed on every machine: splitmix64.

use std::fmt::Write;

#[derive(Clone, Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, and without, this.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).expect("below a usize")
    }

    pub(super) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

/// In the form of version 4.
pub(super) fn uid(number: u64) -> String {
    let mut random = Random(number);
    let (high, low) = (random.next(), random.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        8 + (low >> 62),
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// Letters as Kubernetes appends them to names: without vowels, so that they make no words.
pub(super) fn suffix(number: u64, letters: usize) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut random = Random(number);
    (0..letters).map(|_| char::from(ALPHABET[random.below(ALPHABET.len())])).collect()
}

/// So many hexadecimal digits, as in the digest of an image.
pub(super) fn hex(number: u64, digits: usize) -> String {
    let (mut random, mut text) = (Random(number), String::new());
    while text.len() < digits {
        write!(text, "{:016x}", random.next()).expect("a String takes all");
    }
    text.truncate(digits);
    text
}
