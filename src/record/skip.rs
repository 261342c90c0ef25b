//! Values that are passed over: how far each reaches, without a look at what it says.
//!
//! What a first byte tells of its value's size is the table of formats of the MessagePack specification, as
//! numbers. The way through a value is the same for all of it, so that it is short.

use super::cursor::{Cursor, DecodeError, DecodeErrorKind, MAX_DEPTH, Token};

impl<'a> Cursor<'a> {
    /// The bytes of the value that starts here, whole.
    ///
    /// # Errors
    /// As [`Cursor::token`], and [`DecodeErrorKind::TooDeep`] beyond [`MAX_DEPTH`]; the cursor then stands where
    /// it stood.
    pub fn value(&mut self) -> Result<&'a [u8], DecodeError> {
        self.value_inside(0)
    }

    /// As [`Cursor::value`], inside so many containers that count as well.
    ///
    /// # Errors
    /// As [`Cursor::value`].
    pub fn value_inside(&mut self, containers: usize) -> Result<&'a [u8], DecodeError> {
        let start = *self;
        // Nothing nests deeper than there are containers, so few of them need no closer look.
        let passed = self.pass_over(1).is_ok();
        if !passed || containers + self.containers - start.containers > MAX_DEPTH {
            *self = start;
            self.measure(containers).inspect_err(|_| *self = start)?;
        }
        Ok(start.up_to(self))
    }

    /// Passes over a value that may be too deep.
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
            // Close every container whose last child was just passed.
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

    /// Passes over the value that starts here, however deep it is.
    ///
    /// # Errors
    /// As [`Cursor::token`].
    pub fn skip(&mut self) -> Result<(), DecodeError> {
        self.pass_over(1)
    }

    /// Passes over the children of a container whose head was just read.
    ///
    /// # Errors
    /// As [`Cursor::token`].
    pub fn skip_children(&mut self, head: Token<'_>) -> Result<(), DecodeError> {
        self.pass_over(children(head))
    }

    /// Passes over so many values, and counts the containers among and inside them.
    fn pass_over(&mut self, mut left: u64) -> Result<(), DecodeError> {
        // By value: each step waits for the one before it, and must not wait for memory as well.
        let (bytes, mut at, mut containers) = (self.bytes, self.at, self.containers);
        while left > 0 {
            // Each claimed value needs at least one byte, so a lying length ends in Truncated; and the
            // count cannot overflow before 2^31 containers of 2^33 values were passed.
            let (end, inside) = pass(bytes, at)?;
            at = end;
            left = left - 1 + inside;
            containers += usize::from(inside > 0);
        }
        (self.at, self.containers) = (at, containers);
        Ok(())
    }
}

/// Where a scalar that starts at `at`, or the head of a container, ends, and how many values stand inside.
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

/// What is left for [`pass`]: a length to be read, and faults.
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

/// How many values stand inside.
fn children(head: Token<'_>) -> u64 {
    match head {
        Token::Array(len) => u64::from(len),
        Token::Map(len) => 2 * u64::from(len),
        _ => 0,
    }
}

/// How far a value reaches that begins with some byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct MarkerFormat {
    /// Its bytes as far as the first byte tells: marker, length and what stands behind a length besides
    /// what it counts.
    pub bytes: u8,
    /// How many bytes behind the first hold a length, or [`RESERVED`].
    pub length_bytes: u8,
    /// Values that stand inside: all of them, or so many for each that the length counts. A length without
    /// children counts bytes.
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
        // An extension's type stands between the length and the bytes it counts.
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

    /// Both ways through a value must agree on where it ends, for every first byte and every small length.
    #[test]
    fn the_table_says_what_a_reader_finds() {
        // The byte that is none is a fault for the one, and for the other as well.
        assert!(pass(&[0xc1], 0).is_err() && Cursor::new(&[0xc1]).token().is_err());
        for marker in (0..=255u8).filter(|marker| *marker != 0xc1) {
            for length in [0u8, 1, 2, 5] {
                let mut bytes = vec![marker, 0, 0, 0, length];
                // Behind a length of one or two bytes stand zeros, which are values too.
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
