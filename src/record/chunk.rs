//! Finds the records of a chunk and skips damaged ones.
//!
//! Fluent Bit sends records one after the other, in one of two framings:
//!
//! - v2: `[[timestamp, metadata], body]`, and group markers whose seconds are 0xffffffff (start) or
//!   0xfffffffe (end) and whose body is not a record;
//! - v1: `[timestamp, body]`, from old hosts and from `forward` inputs.
//!
//! A timestamp is an `EventTime` (ext 0: seconds and nanoseconds), an integer or a float. Arrays and maps may
//! have a longer encoding than necessary; hosts before Fluent Bit 5 write them so. See
//! `flb_log_event_decoder.c`.

use memchr::memchr;

use super::cursor::{Cursor, DecodeError, DecodeErrorKind, MAX_DEPTH, Token};
use crate::time::Stamp;

/// One record: its body, a whole MessagePack map, and its position in the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Where the framing begins, in bytes from the start of the chunk.
    pub offset: usize,
    /// The bytes before the body: heads of the arrays, timestamp, metadata.
    pub framing: &'a [u8],
    /// The last part of the record.
    pub body: &'a [u8],
}

impl Envelope<'_> {
    /// The end of the record in the chunk.
    #[must_use]
    pub fn end(&self) -> usize {
        self.offset + self.framing.len() + self.body.len()
    }

    /// When the host received the record.
    #[must_use]
    pub fn received(&self) -> Option<Stamp> {
        let mut inside = Cursor::new(self.framing);
        inside.token().ok()?;
        let mut time = inside.token().ok()?;
        if matches!(time, Token::Array(_)) {
            time = inside.token().ok()?;
        }
        match time {
            Token::Ext(0, bytes) => {
                let (seconds, nanos) = bytes.split_first_chunk()?;
                Stamp::from_unix(u32::from_be_bytes(*seconds), u32::from_be_bytes(*nanos.first_chunk()?))
            }
            Token::Int(seconds) => Stamp::from_unix_seconds(u64::try_from(seconds).ok()?),
            Token::Float(seconds) => Stamp::from_unix_millis(seconds * 1e3),
            _ => None,
        }
    }
}

/// Seconds of the markers around a group of records (`FLB_LOG_EVENT_GROUP_START`, `…_END`).
const GROUP_MARKERS: [u32; 2] = [0xffff_ffff, 0xffff_fffe];

/// The first bytes of a record with an `EventTime`: v2 as Fluent Bit 5 writes it, v2 as older hosts write it
/// (the same arrays in their longest encoding), and v1. UTF-8 text never contains the last two bytes, and
/// only one number in millions contains a whole head.
const HEADS: [&[u8]; 3] =
    [&[0x92, 0x92, 0xd7, 0x00], &[0xdd, 0, 0, 0, 2, 0xdd, 0, 0, 0, 2, 0xd7, 0x00], &[0x92, 0xd7, 0x00]];

/// Iterates over the records of a chunk. An error stands for a skipped record; the iterator goes on.
///
/// A record is read only up to the head of the next one. So a wrong length or a missing end costs one record
/// and never its neighbours, and the time is linear for any bytes.
#[derive(Debug)]
pub struct Records<'a> {
    chunk: &'a [u8],
    cursor: Cursor<'a>,
    /// How records with an `EventTime` begin in this chunk, if there are any.
    head: Option<&'static [u8]>,
    /// Position of the next head, or the end of the chunk.
    next: usize,
    /// The last skipped record.
    skipped: &'a [u8],
}

impl<'a> Records<'a> {
    /// Reads from the beginning of the chunk.
    #[must_use]
    pub fn new(chunk: &'a [u8]) -> Self {
        Self { chunk, cursor: Cursor::new(chunk), head: head_in(chunk), next: 0, skipped: &[] }
    }

    /// The next record. `read` reads the body in the same pass. Its result is missing if it failed, or met
    /// too many containers, on a body that is nevertheless whole.
    pub fn next_with<T>(
        &mut self,
        mut read: impl FnMut(&mut Cursor<'a>) -> Result<T, DecodeError>,
    ) -> Option<Result<(Envelope<'a>, Option<T>), DecodeError>> {
        while !self.cursor.is_at_end() {
            let start = self.cursor.offset();
            match self.record(&mut read) {
                Ok(Some(found)) => return Some(Ok(found)),
                Ok(None) => {}
                Err(fault) => {
                    // A value that nests too deep is still whole, and the next record may begin right after
                    // it.
                    if fault.kind != DecodeErrorKind::TooDeep {
                        self.resume(start);
                    }
                    self.skipped = &self.chunk[start..self.cursor.offset()];
                    return Some(Err(fault));
                }
            }
        }
        None
    }

    /// All bytes that the last error covers; for [`DecodeErrorKind::TooDeep`] one whole value.
    #[must_use]
    pub fn skipped(&self) -> &'a [u8] {
        self.skipped
    }

    /// Reads a record, or `None` for a marker. On success the cursor is after the record.
    fn record<T>(
        &mut self,
        read: impl FnMut(&mut Cursor<'a>) -> Result<T, DecodeError>,
    ) -> Result<Option<(Envelope<'a>, Option<T>)>, DecodeError> {
        let offset = self.cursor.offset();
        // A v2 head ends in a v1 head, so the search starts after this record's own head.
        let own = HEADS.iter().find(|head| self.chunk[offset..].starts_with(head));
        let inside = offset + own.map_or(1, |head| head.len());
        if self.next < inside {
            let next = self.head.and_then(|head| find(head, self.chunk, inside));
            self.next = next.unwrap_or(self.chunk.len());
        }
        let bytes = &self.chunk[..self.next];
        let mut cursor = Cursor::at(bytes, offset);
        let usual = envelope(&mut cursor, read).ok().filter(|_| cursor.containers() <= MAX_DEPTH);
        let found = match usual {
            Some(found) => Ok(found.map(|(envelope, made)| (envelope, Some(made)))),
            None => {
                cursor = Cursor::at(bytes, offset);
                let found = envelope(&mut cursor, |body| body.value_inside(1).map(drop));
                found.map(|found| found.map(|(envelope, ())| (envelope, None)))
            }
        };
        match found {
            Ok(found) => {
                self.cursor = Cursor::at(self.chunk, cursor.offset());
                Ok(found)
            }
            // An error in the MessagePack itself is more helpful than the first missing part.
            Err(fault) => Err(self.pass_over(bytes, offset).err().unwrap_or(fault)),
        }
    }

    /// Moves the cursor past the value at `offset`, if it is whole.
    fn pass_over(&mut self, bytes: &'a [u8], offset: usize) -> Result<(), DecodeError> {
        let mut cursor = Cursor::at(bytes, offset);
        let whole = cursor.value();
        if matches!(whole, Err(DecodeError { kind: DecodeErrorKind::TooDeep, .. })) {
            // The value is well-formed as far as it was read.
            cursor.skip()?;
        }
        self.cursor = Cursor::at(self.chunk, cursor.offset());
        whole.map(drop)
    }

    /// Moves to the next record, after an error in the one at `offset`.
    fn resume(&mut self, offset: usize) {
        // Without heads, only a whole value shows where the next record may begin.
        let is_whole = self.cursor.offset() > offset;
        let mut ahead = self.cursor;
        if self.head.is_some() || !is_whole || ahead.token() != Ok(Token::Array(2)) {
            self.cursor = Cursor::at(self.chunk, self.next);
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Envelope<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.next_with(|body| body.value_inside(1).map(drop))?;
        Some(found.map(|(envelope, _)| envelope))
    }
}

/// The first kind of head in the chunk.
fn head_in(chunk: &[u8]) -> Option<&'static [u8]> {
    let first = HEADS.into_iter().find(|head| chunk.starts_with(head));
    first.or_else(|| {
        let found = HEADS.into_iter().filter_map(|head| Some((find(head, chunk, 0)?, head)));
        found.min_by_key(|(at, _)| *at).map(|(_, head)| head)
    })
}

/// The first position of this head, from `from` on.
fn find(head: &[u8], chunk: &[u8], from: usize) -> Option<usize> {
    // 0xd7 is the rarest of its bytes.
    let before_mark = head.len() - 2;
    let mut at = from + before_mark;
    loop {
        let mark = at + memchr(0xd7, chunk.get(at..)?)?;
        let start = mark - before_mark;
        if chunk[start..].starts_with(head) {
            return Some(start);
        }
        at = mark + 1;
    }
}

/// Reads one record, its body with `read`; `None` for a group marker.
fn envelope<'a, T>(
    inside: &mut Cursor<'a>,
    mut read: impl FnMut(&mut Cursor<'a>) -> Result<T, DecodeError>,
) -> Result<Option<(Envelope<'a>, T)>, DecodeError> {
    let offset = inside.offset();
    let start = *inside;
    expect(inside, "a record, an array of two", |token| token == Token::Array(2))?;
    let first = *inside;
    let seconds = match inside.token()? {
        Token::Array(2) => {
            let seconds = timestamp(inside)?;
            expect_map(inside, "metadata, a map")?;
            inside.value_inside(2)?;
            seconds
        }
        _ => {
            *inside = first;
            timestamp(inside)?
        }
    };
    let framing = start.up_to(inside);
    expect_map(inside, "a body, a map")?;
    let body = *inside;
    let made = read(inside)?;
    let is_marker = seconds.is_some_and(|seconds| GROUP_MARKERS.contains(&seconds));
    Ok((!is_marker).then_some((Envelope { offset, framing, body: body.up_to(inside) }, made)))
}

/// Skips a timestamp and returns its seconds if it is an `EventTime`.
fn timestamp(inside: &mut Cursor<'_>) -> Result<Option<u32>, DecodeError> {
    let offset = inside.offset();
    match inside.token()? {
        Token::Ext(0, bytes) if bytes.len() == 8 => {
            Ok(bytes.first_chunk().map(|seconds| u32::from_be_bytes(*seconds)))
        }
        Token::Int(_) | Token::Uint(_) | Token::Float(_) => Ok(None),
        _ => Err(DecodeError { offset, kind: DecodeErrorKind::Expected("a timestamp") }),
    }
}

fn expect(
    inside: &mut Cursor<'_>,
    what: &'static str,
    is_it: impl FnOnce(Token<'_>) -> bool,
) -> Result<(), DecodeError> {
    let offset = inside.offset();
    if is_it(inside.token()?) {
        Ok(())
    } else {
        Err(DecodeError { offset, kind: DecodeErrorKind::Expected(what) })
    }
}

fn expect_map(inside: &Cursor<'_>, what: &'static str) -> Result<(), DecodeError> {
    expect(&mut inside.clone(), what, |token| matches!(token, Token::Map(_)))
}
