//! One MessagePack value after the other, in place, over `rmp`'s markers.
//!
//! No recursion, no allocation: a hostile record can make this neither deep nor large. Lengths are
//! claims, held against the bytes that are there.

use std::fmt;

use rmp::Marker;
use rmp::decode::{RmpRead, read_marker};

/// Containers may nest this deep in a record. Kubernetes' own objects stay below 20.
pub const MAX_DEPTH: usize = 64;

/// Why bytes are not the value they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Where, in bytes from the start of what the first cursor was made of.
    pub offset: usize,
    pub kind: FaultKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The bytes end inside a value.
    Truncated,
    /// The byte 0xc1, which MessagePack never uses.
    Reserved,
    /// Containers nest deeper than [`MAX_DEPTH`].
    TooDeep,
    /// Something else stands where this was expected.
    Expected(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FaultKind::Truncated => write!(f, "the bytes end inside a value")?,
            FaultKind::Reserved => write!(f, "the byte 0xc1, which is no MessagePack")?,
            FaultKind::TooDeep => write!(f, "containers nested deeper than {MAX_DEPTH}")?,
            FaultKind::Expected(what) => write!(f, "expected {what}")?,
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
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// A cursor that starts at `offset` of the same bytes; at their end when `offset` lies beyond.
    #[must_use]
    pub fn at(bytes: &'a [u8], offset: usize) -> Self {
        let offset = offset.min(bytes.len());
        Self { rest: &bytes[offset..], offset }
    }

    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next value's head: a scalar whole, a container's length.
    ///
    /// # Errors
    /// When the bytes end inside it, or are no MessagePack.
    pub fn token(&mut self) -> Result<Token<'a>, Fault> {
        let start = self.offset;
        let token = self.head().ok_or(Fault { offset: start, kind: FaultKind::Truncated })?;
        token.ok_or(Fault { offset: start, kind: FaultKind::Reserved })
    }

    /// The bytes of the value that starts here, whole.
    ///
    /// # Errors
    /// As [`Cursor::token`], and [`FaultKind::TooDeep`] beyond [`MAX_DEPTH`]; the cursor then stands where
    /// it stood.
    pub fn value(&mut self) -> Result<&'a [u8], Fault> {
        let start = *self;
        let mut left = [0u64; MAX_DEPTH];
        let mut depth = 0;
        loop {
            let offset = self.offset;
            let inside = children(self.token()?);
            if inside > 0 {
                if depth == MAX_DEPTH {
                    *self = start;
                    return Err(Fault { offset, kind: FaultKind::TooDeep });
                }
                left[depth] = inside;
                depth += 1;
                continue;
            }
            // Close every container whose last child was just read.
            while depth > 0 {
                left[depth - 1] -= 1;
                if left[depth - 1] > 0 {
                    break;
                }
                depth -= 1;
            }
            if depth == 0 {
                return Ok(&start.rest[..self.offset - start.offset]);
            }
        }
    }

    /// Passes over the value that starts here, however deep it is.
    ///
    /// # Errors
    /// As [`Cursor::token`].
    pub fn skip(&mut self) -> Result<(), Fault> {
        let mut left: u64 = 1;
        while left > 0 {
            // Each claimed value needs at least one byte, so a lying length ends in Truncated; and the
            // count cannot overflow before 2^31 containers of 2^33 values were read.
            left -= 1;
            left += children(self.token()?);
        }
        Ok(())
    }

    /// Passes over the children of a container whose head was just read.
    ///
    /// # Errors
    /// As [`Cursor::token`].
    pub fn skip_children(&mut self, head: Token<'_>) -> Result<(), Fault> {
        for _ in 0..children(head) {
            self.skip()?;
        }
        Ok(())
    }

    /// `None`: the bytes end. `Some(None)`: the reserved marker.
    fn head(&mut self) -> Option<Option<Token<'a>>> {
        let token = match self.marker()? {
            Marker::Null => Token::Nil,
            Marker::True => Token::Bool(true),
            Marker::False => Token::Bool(false),
            Marker::FixPos(n) => Token::Int(i64::from(n)),
            Marker::FixNeg(n) => Token::Int(i64::from(n)),
            Marker::U8 => Token::Int(i64::from(self.number(RmpRead::read_data_u8)?)),
            Marker::U16 => Token::Int(i64::from(self.number(RmpRead::read_data_u16)?)),
            Marker::U32 => Token::Int(i64::from(self.number(RmpRead::read_data_u32)?)),
            Marker::U64 => {
                let n = self.number(RmpRead::read_data_u64)?;
                i64::try_from(n).map_or(Token::Uint(n), Token::Int)
            }
            Marker::I8 => Token::Int(i64::from(self.number(RmpRead::read_data_i8)?)),
            Marker::I16 => Token::Int(i64::from(self.number(RmpRead::read_data_i16)?)),
            Marker::I32 => Token::Int(i64::from(self.number(RmpRead::read_data_i32)?)),
            Marker::I64 => Token::Int(self.number(RmpRead::read_data_i64)?),
            Marker::F32 => Token::Float(f64::from(self.number(RmpRead::read_data_f32)?)),
            Marker::F64 => Token::Float(self.number(RmpRead::read_data_f64)?),
            Marker::FixStr(len) => Token::Str(self.take(u32::from(len))?),
            Marker::Str8 => Token::Str(self.sized(Size::One)?),
            Marker::Str16 => Token::Str(self.sized(Size::Two)?),
            Marker::Str32 => Token::Str(self.sized(Size::Four)?),
            Marker::Bin8 => Token::Bin(self.sized(Size::One)?),
            Marker::Bin16 => Token::Bin(self.sized(Size::Two)?),
            Marker::Bin32 => Token::Bin(self.sized(Size::Four)?),
            Marker::FixExt1 => self.ext(1)?,
            Marker::FixExt2 => self.ext(2)?,
            Marker::FixExt4 => self.ext(4)?,
            Marker::FixExt8 => self.ext(8)?,
            Marker::FixExt16 => self.ext(16)?,
            Marker::Ext8 => self.sized_ext(Size::One)?,
            Marker::Ext16 => self.sized_ext(Size::Two)?,
            Marker::Ext32 => self.sized_ext(Size::Four)?,
            Marker::FixArray(len) => Token::Array(u32::from(len)),
            Marker::Array16 => Token::Array(self.length(Size::Two)?),
            Marker::Array32 => Token::Array(self.length(Size::Four)?),
            Marker::FixMap(len) => Token::Map(u32::from(len)),
            Marker::Map16 => Token::Map(self.length(Size::Two)?),
            Marker::Map32 => Token::Map(self.length(Size::Four)?),
            Marker::Reserved => return Some(None),
        };
        Some(Some(token))
    }

    fn marker(&mut self) -> Option<Marker> {
        let marker = read_marker(&mut self.rest).ok()?;
        self.offset += 1;
        Some(marker)
    }

    /// A number of fixed size, by one of `rmp`'s big-endian readers.
    fn number<T, E>(&mut self, read: impl FnOnce(&mut &'a [u8]) -> Result<T, E>) -> Option<T> {
        let before = self.rest.len();
        let mut rest = self.rest;
        let number = read(&mut rest).ok()?;
        self.rest = rest;
        self.offset += before - rest.len();
        Some(number)
    }

    fn length(&mut self, size: Size) -> Option<u32> {
        match size {
            Size::One => self.number(RmpRead::read_data_u8).map(u32::from),
            Size::Two => self.number(RmpRead::read_data_u16).map(u32::from),
            Size::Four => self.number(RmpRead::read_data_u32),
        }
    }

    fn take(&mut self, len: u32) -> Option<&'a [u8]> {
        let len = usize::try_from(len).ok()?;
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        self.offset += len;
        Some(taken)
    }

    fn sized(&mut self, size: Size) -> Option<&'a [u8]> {
        let len = self.length(size)?;
        self.take(len)
    }

    fn ext(&mut self, len: u32) -> Option<Token<'a>> {
        let kind = self.number(RmpRead::read_data_i8)?;
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

/// How many values stand inside.
fn children(head: Token<'_>) -> u64 {
    match head {
        Token::Array(len) => u64::from(len),
        Token::Map(len) => 2 * u64::from(len),
        _ => 0,
    }
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
        assert_eq!(cursor.value().map_err(|fault| fault.kind), Err(FaultKind::TooDeep));
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
            assert_eq!(Cursor::new(lie).skip().map_err(|fault| fault.kind), Err(FaultKind::Truncated));
        }
    }

    #[test]
    fn values_after_each_other_keep_their_places() {
        // {"a": [1, -1]}, "b", 0xc1
        let bytes = [0x81, 0xa1, b'a', 0x92, 0x01, 0xff, 0xa1, b'b', 0xc1];
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(cursor.value().map(<[u8]>::len), Ok(6));
        assert_eq!(cursor.token(), Ok(Token::Str(b"b")));
        assert_eq!(cursor.token(), Err(Fault { offset: 8, kind: FaultKind::Reserved }));
    }
}
