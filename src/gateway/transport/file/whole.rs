//! Finds how much of a file is whole after a crash or power loss during a batch.
//!
//! Each batch is synced before the next, so only the last one can be torn: cut at any byte, or with zeros for bytes that
//! were not written yet. All accepted batches are before it.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;
use memchr::{memchr, memrchr};

/// The bytes up to the end of the last whole line. A line of JSON holds no zero byte, so bytes after one are torn.
///
/// # Errors
/// The disk's error.
pub fn whole_lines(mut reader: impl BufRead) -> io::Result<u64> {
    let (mut whole, mut at) = (0, 0);
    loop {
        let buffer = reader.fill_buf()?;
        let torn = memchr(0, buffer);
        let sound = buffer.get(..torn.unwrap_or(buffer.len())).unwrap_or_default();
        if let Some(newline) = memrchr(b'\n', sound) {
            whole = at + newline as u64 + 1;
        }
        let seen = buffer.len();
        if seen == 0 || torn.is_some() {
            return Ok(whole);
        }
        at += seen as u64;
        reader.consume(seen);
    }
}

/// The bytes up to the end of the last whole gzip member.
///
/// # Errors
/// The disk's error.
pub fn whole_members(reader: impl BufRead) -> io::Result<u64> {
    let mut counted = Counted { reader, taken: 0 };
    let mut whole = 0;
    while !counted.fill_buf()?.is_empty() {
        match io::copy(&mut GzDecoder::new(&mut counted), &mut io::sink()) {
            Ok(_) => whole = counted.taken,
            Err(error) if error.raw_os_error().is_some() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(whole)
}

/// A reader that counts the bytes that were read from it.
struct Counted<R> {
    reader: R,
    taken: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.taken += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount as u64;
        self.reader.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;
    use crate::gateway::Gzip;

    /// Reads in pieces of several sizes.
    fn of(bytes: &[u8], is_gzip: bool) -> usize {
        let counts = [1, 2, 7, 4096].map(|piece| {
            let reader = BufReader::with_capacity(piece, bytes);
            let whole = if is_gzip { whole_members(reader) } else { whole_lines(reader) };
            usize::try_from(whole.unwrap()).unwrap()
        });
        assert!(counts.iter().all(|one| *one == counts[0]), "{counts:?}");
        counts[0]
    }

    /// The batches before a torn one stay, and nothing of the torn one does, wherever it is torn.
    #[test]
    fn a_cut_at_any_byte_leaves_what_is_whole() {
        let batches =
            ["{\"id\":1}\n{\"id\":2}\n", "{\"id\":3}\n", "{\"id\":4,\"text\":\"xxxxxxxxxxxxxxxxxxxxx\"}\n"];
        let plain = batches.concat();
        let line_ends: Vec<_> = plain.match_indices('\n').map(|(at, _)| at + 1).collect();
        let mut gzip = Gzip::default();
        let mut packed = Vec::new();
        let mut member_ends = Vec::new();
        for batch in batches {
            gzip.pack(batch.as_bytes(), &mut packed).unwrap();
            member_ends.push(packed.len());
        }
        let last = |ends: &[usize], cut| ends.iter().copied().rfind(|end| *end <= cut).unwrap_or(0);
        for (bytes, ends, is_gzip) in [(plain.as_bytes(), &line_ends, false), (&packed, &member_ends, true)] {
            for cut in 0..=bytes.len() {
                assert_eq!(of(&bytes[..cut], is_gzip), last(ends, cut), "cut at {cut}");
                // The length of all of it, and zeros where the rest should be.
                let mut zeros = bytes.to_vec();
                zeros[cut..].fill(0);
                // A member may end in zeros of its own.
                let there = ends.iter().copied().rfind(|end| zeros[..*end] == bytes[..*end]).unwrap_or(0);
                assert_eq!(of(&zeros, is_gzip), there, "zeros from {cut} on");
            }
        }
    }
}
