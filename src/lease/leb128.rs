//! Numbers in as many bytes as they need (LEB128).

/// Appends a number, in as few bytes as it needs.
pub(super) fn push(bytes: &mut Vec<u8>, mut number: u128) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Small numbers for small distances in either direction.
pub(super) fn zigzag(distance: u64) -> u64 {
    (distance << 1) ^ (distance >> 63).wrapping_neg()
}

pub(super) fn unzigzag(number: u64) -> u64 {
    (number >> 1) ^ (number & 1).wrapping_neg()
}

/// The bytes that are not read yet. `None` stands for bytes that end too early, or for a number that is too large.
pub(super) struct Cursor<'b>(&'b [u8]);

impl<'b> Cursor<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.number()?).ok()?;
        // Each item has a byte at least: a count from outside must not decide how much memory is taken.
        if count > self.0.len() {
            return None;
        }
        (0..count).map(|_| item(self)).collect()
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        u64::try_from(self.long()?).ok()
    }

    pub(super) fn long(&mut self) -> Option<u128> {
        let mut number = 0;
        for shift in (0..=63).step_by(7) {
            let [byte] = self.array()?;
            number |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }
}
