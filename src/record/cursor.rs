//! Reads MessagePack values in place, one after the other.
//!
//! It neither recurses nor allocates, so a hostile record cannot exhaust stack or memory. A length is checked
//! against the bytes that are there.
//!
//! Most values of a record are skipped. So there are two ways through a value: [`Cursor::token`] reads it,
//! and the table in `skip` skips it. Both follow the format table of the MessagePack specification.

use std::fmt;

/// Maximum nesting of containers in a record. Kubernetes' own objects stay below 20.
pub const MAX_DEPTH: usize = 64;

/// Why bytes cannot be decoded. The caller skips the record or the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// Position in the bytes of the first cursor.
    pub offset: usize,
    /// What is wrong there.
    pub kind: DecodeErrorKind,
}

/// Why bytes are no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeErrorKind {
    /// The bytes end inside a value.
    Truncated,
    /// The byte 0xc1, which MessagePack never uses.
    Reserved,
    /// Containers nest deeper than [`MAX_DEPTH`].
    TooDeep,
    /// Another type was expected here.
    Expected(&'static str),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            DecodeErrorKind::Truncated => write!(f, "the bytes end inside a value")?,
            DecodeErrorKind::Reserved => write!(f, "the byte 0xc1, which is not MessagePack")?,
            DecodeErrorKind::TooDeep => write!(f, "containers nested deeper than {MAX_DEPTH}")?,
            DecodeErrorKind::Expected(what) => write!(f, "expected {what}")?,
        }
        write!(f, " at offset {}", self.offset)
    }
}

/// A value without its children.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token<'a> {
    /// Kubernetes' `null`; readers take it for an absent field.
    Nil,
    /// One byte, 0xc2 or 0xc3.
    Bool(bool),
    /// An integer of any width and sign that fits.
    Int(i64),
    /// Only for numbers that do not fit an `i64`.
    Uint(u64),
    /// A 32-bit number is widened.
    Float(f64),
    /// Bytes that should be UTF-8.
    Str(&'a [u8]),
    /// Bytes of any content.
    Bin(&'a [u8]),
    /// The type and its bytes. Type 0 is the host's `EventTime`.
    Ext(i8, &'a [u8]),
    /// The number of values that follow.
    Array(u32),
    /// The number of pairs that follow.
    Map(u32),
}

/// A position in the bytes.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    /// At most the length of the bytes.
    pub(super) at: usize,
    /// Containers entered or skipped so far.
    pub(super) containers: usize,
}

impl<'a> Cursor<'a> {
    /// Reads from the beginning.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// A cursor at `offset` of the same bytes, or at their end if `offset` is beyond.
    #[must_use]
    pub fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self { bytes, at: offset.min(bytes.len()), containers: 0 }
    }

    /// How many bytes are read.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// How many containers were entered or skipped so far.
    #[must_use]
    pub fn containers(&self) -> usize {
        self.containers
    }

    /// Whether all bytes are read.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The bytes between this position and a later one.
    #[must_use]
    pub fn up_to(&self, later: &Self) -> &'a [u8] {
        self.bytes.get(self.at..later.at).unwrap_or_default()
    }

    /// Reads a scalar, or the head of a container.
    ///
    /// # Errors
    /// When the bytes end inside the value or are not MessagePack; the cursor then does not move.
    pub fn token(&mut self) -> Result<Token<'a>, DecodeError> {
        let start = self.at;
        let token = self.head();
        if token.is_none() {
            self.at = start;
        }
        match token {
            Some(Some(token)) => {
                self.containers += usize::from(matches!(token, Token::Array(_) | Token::Map(_)));
                Ok(token)
            }
            Some(None) => Err(DecodeError { offset: start, kind: DecodeErrorKind::Reserved }),
            None => Err(DecodeError { offset: start, kind: DecodeErrorKind::Truncated }),
        }
    }

    /// Reads a string of less than 256 bytes, which every key and nearly every value is. `None`: it is
    /// something else, and the cursor does not move.
    #[inline]
    pub fn short_str(&mut self) -> Option<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let (start, len) = match *rest.first()? {
            marker @ 0xa0..=0xbf => (1, usize::from(marker & 0x1f)),
            0xd9 => (2, usize::from(*rest.get(1)?)),
            _ => return None,
        };
        let text = rest.get(start..start + len)?;
        self.at += start + len;
        Some(text)
    }

    /// `None`: the bytes end. `Some(None)`: the reserved marker.
    fn head(&mut self) -> Option<Option<Token<'a>>> {
        let [marker] = self.fixed()?;
        let token = match marker {
            0x00..=0x7f => Token::Int(i64::from(marker)),
            0x80..=0x8f => Token::Map(u32::from(marker & 0x0f)),
            0x90..=0x9f => Token::Array(u32::from(marker & 0x0f)),
            0xa0..=0xbf => Token::Str(self.take(u32::from(marker & 0x1f))?),
            0xc0 => Token::Nil,
            0xc1 => return Some(None),
            0xc2 => Token::Bool(false),
            0xc3 => Token::Bool(true),
            0xc4 => Token::Bin(self.sized(Size::One)?),
            0xc5 => Token::Bin(self.sized(Size::Two)?),
            0xc6 => Token::Bin(self.sized(Size::Four)?),
            0xc7 => self.sized_ext(Size::One)?,
            0xc8 => self.sized_ext(Size::Two)?,
            0xc9 => self.sized_ext(Size::Four)?,
            0xca => Token::Float(f64::from(f32::from_be_bytes(self.fixed()?))),
            0xcb => Token::Float(f64::from_be_bytes(self.fixed()?)),
            0xcc => Token::Int(i64::from(u8::from_be_bytes(self.fixed()?))),
            0xcd => Token::Int(i64::from(u16::from_be_bytes(self.fixed()?))),
            0xce => Token::Int(i64::from(u32::from_be_bytes(self.fixed()?))),
            0xcf => {
                let n = u64::from_be_bytes(self.fixed()?);
                i64::try_from(n).map_or(Token::Uint(n), Token::Int)
            }
            0xd0 => Token::Int(i64::from(i8::from_be_bytes(self.fixed()?))),
            0xd1 => Token::Int(i64::from(i16::from_be_bytes(self.fixed()?))),
            0xd2 => Token::Int(i64::from(i32::from_be_bytes(self.fixed()?))),
            0xd3 => Token::Int(i64::from_be_bytes(self.fixed()?)),
            0xd4 => self.ext(1)?,
            0xd5 => self.ext(2)?,
            0xd6 => self.ext(4)?,
            0xd7 => self.ext(8)?,
            0xd8 => self.ext(16)?,
            0xd9 => Token::Str(self.sized(Size::One)?),
            0xda => Token::Str(self.sized(Size::Two)?),
            0xdb => Token::Str(self.sized(Size::Four)?),
            0xdc => Token::Array(self.length(Size::Two)?),
            0xdd => Token::Array(self.length(Size::Four)?),
            0xde => Token::Map(self.length(Size::Two)?),
            0xdf => Token::Map(self.length(Size::Four)?),
            0xe0..=0xff => Token::Int(i64::from(i8::from_be_bytes([marker]))),
        };
        Some(Some(token))
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let fixed = *self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(fixed)
    }

    fn length(&mut self, size: Size) -> Option<u32> {
        Some(match size {
            Size::One => u32::from(u8::from_be_bytes(self.fixed()?)),
            Size::Two => u32::from(u16::from_be_bytes(self.fixed()?)),
            Size::Four => u32::from_be_bytes(self.fixed()?),
        })
    }

    fn take(&mut self, len: u32) -> Option<&'a [u8]> {
        let end = self.at.checked_add(usize::try_from(len).ok()?)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn sized(&mut self, size: Size) -> Option<&'a [u8]> {
        let len = self.length(size)?;
        self.take(len)
    }

    fn ext(&mut self, len: u32) -> Option<Token<'a>> {
        let kind = i8::from_be_bytes(self.fixed()?);
        Some(Token::Ext(kind, self.take(len)?))
    }

    fn sized_ext(&mut self, size: Size) -> Option<Token<'a>> {
        let len = self.length(size)?;
        self.ext(len)
    }
}

/// The width of a length.
#[derive(Clone, Copy)]
enum Size {
    One,
    Two,
    Four,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Vec<u8> {
        let mut bytes = vec![0x91; depth];
        bytes.push(0xc0);
        bytes
    }

    #[test]
    fn depth_is_limited_where_it_matters_and_skipped_where_not() {
        assert!(Cursor::new(&nested(MAX_DEPTH)).value().is_ok());
        let deep = nested(MAX_DEPTH + 1);
        let mut cursor = Cursor::new(&deep);
        assert_eq!(cursor.value().map_err(|fault| fault.kind), Err(DecodeErrorKind::TooDeep));
        assert_eq!(cursor.offset(), 0);
        assert!(Cursor::new(&nested(1_000_000)).skip().is_ok());
    }

    #[test]
    fn lengths_are_claims() {
        for lie in [
            &[0xdf, 0xff, 0xff, 0xff, 0xff][..],
            &[0xdd, 0xff, 0xff, 0xff, 0xff],
            &[0xdb, 0xff, 0xff, 0xff, 0xff, b'x'],
        ] {
            assert_eq!(Cursor::new(lie).skip().map_err(|fault| fault.kind), Err(DecodeErrorKind::Truncated));
        }
    }

    #[test]
    fn values_after_each_other_keep_their_places() {
        // {"a": [1, -1]}, "b", 0xc1
        let bytes = [0x81, 0xa1, b'a', 0x92, 0x01, 0xff, 0xa1, b'b', 0xc1];
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(cursor.value().map(<[u8]>::len), Ok(6));
        assert_eq!(cursor.token(), Ok(Token::Str(b"b")));
        assert_eq!(cursor.token(), Err(DecodeError { offset: 8, kind: DecodeErrorKind::Reserved }));
    }
}
