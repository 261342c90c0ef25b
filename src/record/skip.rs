//! Skips values without reading them.
//!
//! A table has the size of a value by its first byte, following the format table of the MessagePack
//! specification. The code is the same for all types, which keeps it short.

use super::cursor::{Cursor, DecodeError, DecodeErrorKind, MAX_DEPTH, Token};

impl<'a> Cursor<'a> {
    /// The bytes of the value at the cursor.
    ///
    /// # Errors
    /// As [`Cursor::token`], and [`DecodeErrorKind::TooDeep`] beyond [`MAX_DEPTH`]; the cursor then does not
    /// move.
    pub fn value(&mut self) -> Result<&'a [u8], DecodeError> {
        self.value_inside(0)
    }

    /// As [`Cursor::value`], for a value that is inside this many containers already.
    ///
    /// # Errors
    /// As [`Cursor::value`].
    pub fn value_inside(&mut self, containers: usize) -> Result<&'a [u8], DecodeError> {
        let start = *self;
        // The depth is at most the number of containers, so few containers need no measuring.
        let passed = self.pass_over(1).is_ok();
        if !passed || containers + self.containers - start.containers > MAX_DEPTH {
            *self = start;
            self.measure(containers).inspect_err(|_| *self = start)?;
        }
        Ok(start.up_to(self))
    }

    /// Skips a value and checks its depth.
    fn measure(&mut self, containers: usize) -> Result<(), DecodeError> {
        let mut left = [0u64; MAX_DEPTH];
        let mut depth = containers;
        loop {
            let (end, inside) = pass(self.bytes, self.at)?;
            if inside > 0 {
                let too_deep = DecodeError { offset: self.at, kind: DecodeErrorKind::TooDeep };
                *left.get_mut(depth).ok_or(too_deep)? = inside;
                self.at = end;
                self.containers += 1;
                depth += 1;
                continue;
            }
            self.at = end;
            // Closes every container that ended with this child.
            while depth > containers {
                let open = &mut left[depth - 1];
                *open -= 1;
                if *open > 0 {
                    break;
                }
                depth -= 1;
            }
            if depth == containers {
                return Ok(());
            }
        }
    }

    /// Skips the value at the cursor, whatever its depth.
    ///
    /// # Errors
    /// As [`Cursor::token`].
    pub fn skip(&mut self) -> Result<(), DecodeError> {
        self.pass_over(1)
    }

    /// Skips the children of a container whose head was just read.
    ///
    /// # Errors
    /// As [`Cursor::token`].
    pub fn skip_children(&mut self, head: Token<'_>) -> Result<(), DecodeError> {
        self.pass_over(children(head))
    }

    /// Skips a number of values and counts the containers in them.
    fn pass_over(&mut self, mut left: u64) -> Result<(), DecodeError> {
        // Local copies, because each step depends on the one before and should not wait for memory.
        let (bytes, mut at, mut containers) = (self.bytes, self.at, self.containers);
        while left > 0 {
            // Each value needs at least one byte, so a wrong length ends in `Truncated`. The count cannot
            // overflow before 2^31 containers of 2^33 values were skipped.
            let (end, inside) = pass(bytes, at)?;
            at = end;
            left = left - 1 + inside;
            containers += usize::from(inside > 0);
        }
        (self.at, self.containers) = (at, containers);
        Ok(())
    }
}

/// Where the scalar or the container head at `at` ends, and how many values are inside.
#[inline(always)]
fn pass(bytes: &[u8], at: usize) -> Result<(usize, u64), DecodeError> {
    if let Some(marker) = bytes.get(at) {
        let format = FORMATS[usize::from(*marker)];
        let end = at + usize::from(format.bytes);
        if format.length_bytes == 0 && end <= bytes.len() {
            return Ok((end, u64::from(format.children)));
        }
    }
    pass_counted(bytes, at)
}

/// The rest of [`pass`]: explicit lengths and errors.
#[inline(never)]
fn pass_counted(bytes: &[u8], at: usize) -> Result<(usize, u64), DecodeError> {
    let fault = |kind| DecodeError { offset: at, kind };
    let marker = bytes.get(at).ok_or(fault(DecodeErrorKind::Truncated))?;
    let format = FORMATS[usize::from(*marker)];
    if format.length_bytes == RESERVED {
        return Err(fault(DecodeErrorKind::Reserved));
    }
    let length = bytes.get(at + 1..at + 1 + usize::from(format.length_bytes));
    let length = length.ok_or(fault(DecodeErrorKind::Truncated))?;
    let length = length.iter().fold(0u64, |length, byte| length << 8 | u64::from(*byte));
    let counted_bytes = if format.children == 0 { usize::try_from(length).ok() } else { Some(0) };
    let end = counted_bytes.and_then(|counted| counted.checked_add(at + usize::from(format.bytes)));
    let end = end.filter(|end| *end <= bytes.len()).ok_or(fault(DecodeErrorKind::Truncated))?;
    Ok((end, length * u64::from(format.children)))
}

/// How many values are inside.
fn children(head: Token<'_>) -> u64 {
    match head {
        Token::Array(len) => u64::from(len),
        Token::Map(len) => 2 * u64::from(len),
        _ => 0,
    }
}

/// The size of a value, by its first byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct MarkerFormat {
    /// The bytes that the first byte determines: marker, length field and type, without what the length
    /// counts.
    pub bytes: u8,
    /// Width of the length field, or [`RESERVED`].
    pub length_bytes: u8,
    /// Number of values inside, or values per unit of the length. If 0, a length counts bytes.
    pub children: u8,
}

/// The `length_bytes` of the byte that MessagePack never uses.
pub(super) const RESERVED: u8 = u8::MAX;

pub(super) static FORMATS: [MarkerFormat; 256] = {
    let mut formats = [plain(1, 0); 256];
    let mut marker = 0;
    while marker < 256 {
        formats[marker] = format_of(marker);
        marker += 1;
    }
    formats
};

#[expect(clippy::cast_possible_truncation, reason = "masked")]
const fn format_of(marker: usize) -> MarkerFormat {
    let low_4 = (marker & 0x0f) as u8;
    let low_5 = (marker & 0x1f) as u8;
    match marker {
        0x80..=0x8f => plain(1, 2 * low_4),
        0x90..=0x9f => plain(1, low_4),
        0xa0..=0xbf => plain(1 + low_5, 0),
        0xc1 => MarkerFormat { length_bytes: RESERVED, ..plain(1, 0) },
        0xc4 | 0xd9 => counted(1, 0),
        0xc5 | 0xda => counted(2, 0),
        0xc6 | 0xdb => counted(4, 0),
        // An extension has its type between the length and the data.
        0xc7 => MarkerFormat { bytes: 3, ..counted(1, 0) },
        0xc8 => MarkerFormat { bytes: 4, ..counted(2, 0) },
        0xc9 => MarkerFormat { bytes: 6, ..counted(4, 0) },
        0xcc | 0xd0 => plain(2, 0),
        0xcd | 0xd1 | 0xd4 => plain(3, 0),
        0xd5 => plain(4, 0),
        0xca | 0xce | 0xd2 => plain(5, 0),
        0xd6 => plain(6, 0),
        0xcb | 0xcf | 0xd3 => plain(9, 0),
        0xd7 => plain(10, 0),
        0xd8 => plain(18, 0),
        0xdc => counted(2, 1),
        0xdd => counted(4, 1),
        0xde => counted(2, 2),
        0xdf => counted(4, 2),
        _ => plain(1, 0),
    }
}

const fn plain(bytes: u8, children: u8) -> MarkerFormat {
    MarkerFormat { bytes, length_bytes: 0, children }
}

const fn counted(length_bytes: u8, children: u8) -> MarkerFormat {
    MarkerFormat { bytes: 1 + length_bytes, length_bytes, children }
}

#[cfg(test)]
mod tests {
    use super::super::cursor::{Cursor, Token};
    use super::pass;

    /// Both ways through a value must agree on its end, for every first byte and every small length.
    #[test]
    fn the_table_says_what_a_reader_finds() {
        // Both must refuse the reserved byte.
        assert!(pass(&[0xc1], 0).is_err() && Cursor::new(&[0xc1]).token().is_err());
        for marker in (0..=255u8).filter(|marker| *marker != 0xc1) {
            for length in [0u8, 1, 2, 5] {
                let mut bytes = vec![marker, 0, 0, 0, length];
                // Zeros follow a length of one or two bytes; they are valid values too.
                if matches!(marker, 0xc4 | 0xc7 | 0xd9) {
                    bytes[1] = length;
                } else if matches!(marker, 0xc5 | 0xc8 | 0xda | 0xdc | 0xde) {
                    bytes[2] = length;
                }
                bytes.extend_from_slice(&[0; 64]);
                let mut reader = Cursor::new(&bytes);
                let read = reader.token().map(|token| match token {
                    Token::Array(len) => u64::from(len),
                    Token::Map(len) => 2 * u64::from(len),
                    _ => 0,
                });
                let read = read.map(|inside| (reader.offset(), inside));
                assert_eq!(pass(&bytes, 0), read, "{marker:#x} {length}");
                for cut in 0..reader.offset() {
                    let bytes = &bytes[..cut];
                    let fault = Cursor::new(bytes).token().err();
                    assert_eq!(pass(bytes, 0).err(), fault, "{marker:#x} {length} cut {cut}");
                }
            }
        }
    }
}
