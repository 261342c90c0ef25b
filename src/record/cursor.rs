//! One MessagePack value after the other, in place.
//!
//! No recursion, no allocation: a hostile record can make this neither deep nor large. Lengths are
//! claims, held against the bytes that are there.
//!
//! Most of what a record holds is passed over. So there are two ways through a value: [`Cursor::token`] here
//! for what is read, and the table in `pass` for what is not. Both follow the table of formats of the
//! MessagePack specification.

use std::fmt;

/// Containers may nest this deep in a record. Kubernetes' own objects stay below 20.
pub const MAX_DEPTH: usize = 64;

/// Why bytes are not the value they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// Where, in bytes from the start of what the first cursor was made of.
    pub offset: usize,
    pub kind: DecodeErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeErrorKind {
    /// The bytes end inside a value.
    Truncated,
    /// The byte 0xc1, which MessagePack never uses.
    Reserved,
    /// Containers nest deeper than [`MAX_DEPTH`].
    TooDeep,
    /// Something else stands where this was expected.
    Expected(&'static str),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            DecodeErrorKind::Truncated => write!(f, "the bytes end inside a value")?,
            DecodeErrorKind::Reserved => write!(f, "the byte 0xc1, which is no MessagePack")?,
            DecodeErrorKind::TooDeep => write!(f, "containers nested deeper than {MAX_DEPTH}")?,
            DecodeErrorKind::Expected(what) => write!(f, "expected {what}")?,
        }
        write!(f, " at offset {}", self.offset)
    }
}

/// What a value is, without the values inside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    /// Only what does not fit an `i64`.
    Uint(u64),
    Float(f64),
    /// Bytes that should be UTF-8.
    Str(&'a [u8]),
    Bin(&'a [u8]),
    Ext(i8, &'a [u8]),
    /// So many values follow.
    Array(u32),
    /// So many pairs follow.
    Map(u32),
}

/// A place in the bytes.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    /// Never behind their end.
    pub(super) at: usize,
    /// Containers that were entered or passed over on the way here.
    pub(super) containers: usize,
}

impl<'a> Cursor<'a> {
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// A cursor that starts at `offset` of the same bytes; at their end when `offset` lies beyond.
    #[must_use]
    pub fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self { bytes, at: offset.min(bytes.len()), containers: 0 }
    }

    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// How many containers were entered or passed over on the way here.
    #[must_use]
    pub fn containers(&self) -> usize {
        self.containers
    }

    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// What lies between this place and a later one in the same bytes.
    #[must_use]
    pub fn up_to(&self, later: &Self) -> &'a [u8] {
        self.bytes.get(self.at..later.at).unwrap_or_default()
    }

    /// The next value's head: a scalar whole, a container's length.
    ///
    /// # Errors
    /// When the bytes end inside it, or are no MessagePack; the cursor then stands where it stood.
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

    /// The string that starts here, if it is one of less than 256 bytes, as every key and nearly every value is.
    /// `None`: it is something else, and the cursor stands where it stood.
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

/// How wide a length is written.
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
