//! Splits the bytes of a watch into lines.
//!
//! One line is one event, because JSON contains no raw line feed. A line that is too long or too deep is
//! dropped and counted, and the watch goes on: the next change of the object brings its whole state again.

use memchr::memchr;

use super::json_value::{MAX_DEPTH, ValueWalker};

/// etcd accepts no object above 1.5 MiB by default.
pub const MAX_BYTES: usize = 4 << 20;
/// A larger buffer is released after a rare large line.
const KEPT_BYTES: usize = 256 << 10;
/// The object is one level below its event.
const MAX_LINE_DEPTH: u32 = MAX_DEPTH + 1;

/// Takes bytes and returns lines.
#[derive(Debug, Default)]
pub struct LineSplitter {
    /// The beginning of a line that is not complete yet.
    begun: Vec<u8>,
    dropping: bool,
    dropped: u64,
}

impl LineSplitter {
    /// Reads more bytes and calls `each` with every complete line, without its line end.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            if std::mem::take(&mut self.dropping) {
                // It was counted when it became too long.
            } else if self.begun.is_empty() {
                self.whole(line, &mut each);
            } else {
                let mut begun = std::mem::take(&mut self.begun);
                begun.extend_from_slice(line);
                self.whole(&begun, &mut each);
                begun.clear();
                begun.shrink_to(KEPT_BYTES);
                self.begun = begun;
            }
            bytes = rest;
        }
        if self.dropping {
            return;
        }
        if self.begun.len() + bytes.len() > MAX_BYTES {
            self.dropping = true;
            self.dropped += 1;
            self.begun = Vec::new();
        } else {
            self.begun.extend_from_slice(bytes);
        }
    }

    /// How many lines were dropped since the last call.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn whole(&mut self, line: &[u8], each: &mut impl FnMut(&[u8])) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        let mut value = ValueWalker::default();
        // An invalid line is passed on too: its parser reports what is wrong.
        let _ = value.walk(line);
        if line.len() > MAX_BYTES || value.deepest() > MAX_LINE_DEPTH {
            self.dropped += 1;
        } else {
            each(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> (Vec<usize>, u64) {
        let (mut lines, mut seen) = (LineSplitter::default(), Vec::new());
        for piece in pieces {
            lines.feed(piece, |line| seen.push(line.len()));
        }
        (seen, lines.take_dropped())
    }

    #[test]
    fn long_lines_are_dropped_wherever_they_are_cut() {
        let at_the_bound = "x".repeat(MAX_BYTES) + "\n";
        let above = "x".repeat(MAX_BYTES + 1) + "\n";
        let all = format!("ab\n\r\n \n{above}c\r\n{at_the_bound}{above}d\nrest").into_bytes();
        for size in [1 << 14, MAX_BYTES - 1, MAX_BYTES, all.len()] {
            let pieces: Vec<_> = all.chunks(size).collect();
            assert_eq!(lines(&pieces), (vec![2, 1, MAX_BYTES, 1], 2), "in pieces of {size}");
        }
    }

    #[test]
    fn deep_lines_are_dropped() {
        let nested = |levels: usize| format!("{}{}\n", "[".repeat(levels), "]".repeat(levels));
        let both = nested(65) + &nested(66);
        assert_eq!(lines(&[both.as_bytes()]), (vec![130], 1));
    }
}
