//! Bytes to envelopes: finds the records of a chunk, and skips the broken ones with their offset.
//!
//! Fluent Bit hands over records one after the other, in one of two framings:
//!
//! - v2: `[[timestamp, metadata], body]`, and group markers, whose seconds are 0xffffffff (start) or
//!   0xfffffffe (end) and whose body is not a record;
//! - v1: `[timestamp, body]`, from old hosts and from `forward` inputs.
//!
//! A timestamp is an `EventTime` (ext 0: seconds and nanoseconds), an integer or a float. Arrays and maps
//! may be written in a longer form than needed, and before Fluent Bit 5 they are. See `flb_log_event_decoder.c`.

use std::io::BufRead;

use super::cursor::{Cursor, Fault, FaultKind, Token};

/// One record: its body, a whole MessagePack map, and where the record starts in the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub offset: usize,
    /// What stands before the body: the heads of the arrays, the timestamp, the metadata.
    pub framing: &'a [u8],
    /// The last of the record: nothing stands behind it.
    pub body: &'a [u8],
}

impl Envelope<'_> {
    /// Where the record ends in the chunk.
    #[must_use]
    pub fn end(&self) -> usize {
        self.offset + self.framing.len() + self.body.len()
    }
}

/// Seconds of the markers around a group of records (`FLB_LOG_EVENT_GROUP_START`, `…_END`).
const GROUP_MARKERS: [u32; 2] = [0xffff_ffff, 0xffff_fffe];

/// How a record with an `EventTime` begins: v2 as Fluent Bit 5 writes it, v2 as the hosts before it do
/// (the same arrays in their longest form), and v1. No UTF-8 text holds the last two bytes, and a number
/// that holds a head whole is one in millions.
const HEADS: [&[u8]; 3] =
    [&[0x92, 0x92, 0xd7, 0x00], &[0xdd, 0, 0, 0, 2, 0xdd, 0, 0, 0, 2, 0xd7, 0x00], &[0x92, 0xd7, 0x00]];

/// The records of a chunk, in order. An error is a record that was skipped; the iterator goes on.
///
/// A record is read no further than to the head of the next one. So a length that lies, or an end that is
/// missing, costs one record and never its neighbours, and the time is linear whatever the bytes are.
#[derive(Debug)]
pub struct Records<'a> {
    chunk: &'a [u8],
    cursor: Cursor<'a>,
    /// How records begin in this chunk, when it is with an `EventTime`.
    head: Option<&'static [u8]>,
    /// Where the next head stands, or the end of the chunk.
    next: usize,
}

impl<'a> Records<'a> {
    #[must_use]
    pub fn new(chunk: &'a [u8]) -> Self {
        Self { chunk, cursor: Cursor::new(chunk), head: head_in(chunk), next: 0 }
    }

    /// A record, `None` for a marker, or what is wrong. On success the cursor stands behind the record.
    fn record(&mut self) -> Result<Option<Envelope<'a>>, Fault> {
        let offset = self.cursor.offset();
        // A head of v2 ends in one of v1: the search begins behind this record's own.
        let own = HEADS.iter().find(|head| self.chunk[offset..].starts_with(head));
        let inside = offset + own.map_or(1, |head| head.len());
        if self.next < inside {
            let next = self.head.and_then(|head| find(head, self.chunk, inside));
            self.next = next.unwrap_or(self.chunk.len());
        }
        let mut cursor = Cursor::at(&self.chunk[..self.next], offset);
        let whole = cursor.value();
        if matches!(whole, Err(Fault { kind: FaultKind::TooDeep, .. })) {
            // Well-formed as far as we know: pass over it.
            cursor.skip()?;
        }
        self.cursor = Cursor::at(self.chunk, cursor.offset());
        let whole = whole?;
        let found = envelope(&mut Cursor::new(whole))
            .map_err(|fault| Fault { offset: offset + fault.offset, ..fault })?;
        let framing = |body: &[u8]| &whole[..whole.len() - body.len()];
        Ok(found.map(|body| Envelope { offset, framing: framing(body), body }))
    }

    /// Moves to where the next record begins, after a fault in the one that began at `offset`.
    fn resume(&mut self, offset: usize) {
        // Without heads only a whole value tells where the next one may begin.
        let is_whole = self.cursor.offset() > offset;
        let mut ahead = self.cursor;
        if self.head.is_some() || !is_whole || ahead.token() != Ok(Token::Array(2)) {
            self.cursor = Cursor::at(self.chunk, self.next);
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Envelope<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.cursor.is_at_end() {
            let start = self.cursor.offset();
            match self.record() {
                Ok(Some(envelope)) => return Some(Ok(envelope)),
                Ok(None) => {}
                Err(fault) => {
                    self.resume(start);
                    return Some(Err(fault));
                }
            }
        }
        None
    }
}

/// The kind of head that comes first.
fn head_in(chunk: &[u8]) -> Option<&'static [u8]> {
    let first = HEADS.into_iter().find(|head| chunk.starts_with(head));
    first.or_else(|| {
        let found = HEADS.into_iter().filter_map(|head| Some((find(head, chunk, 0)?, head)));
        found.min_by_key(|(at, _)| *at).map(|(_, head)| head)
    })
}

/// Where this head stands first, at `from` or behind it.
fn find(head: &[u8], chunk: &[u8], from: usize) -> Option<usize> {
    // Of its bytes 0xd7 is the rare one, and the standard library looks for one byte with memchr.
    let before_mark = head.len() - 2;
    let mut at = from + before_mark;
    loop {
        let mut rest = chunk.get(at..).filter(|rest| !rest.is_empty())?;
        at += rest.skip_until(0xd7).ok()?;
        let start = at - 1 - before_mark;
        if chunk[start..].starts_with(head) {
            return Some(start);
        }
    }
}

/// Reads the framing of one whole value; the body, or `None` for a group marker.
fn envelope<'a>(inside: &mut Cursor<'a>) -> Result<Option<&'a [u8]>, Fault> {
    expect(inside, "a record, an array of two", |token| token == Token::Array(2))?;
    let first = *inside;
    let seconds = match inside.token()? {
        Token::Array(2) => {
            let seconds = timestamp(inside)?;
            expect_map(inside, "metadata, a map")?;
            seconds
        }
        _ => {
            *inside = first;
            timestamp(inside)?
        }
    };
    let body = expect_map(inside, "a body, a map")?;
    Ok((!seconds.is_some_and(|seconds| GROUP_MARKERS.contains(&seconds))).then_some(body))
}

/// Passes over a timestamp; its seconds when it is an `EventTime`.
fn timestamp(inside: &mut Cursor<'_>) -> Result<Option<u32>, Fault> {
    let offset = inside.offset();
    match inside.token()? {
        Token::Ext(0, bytes) if bytes.len() == 8 => {
            Ok(bytes.first_chunk().map(|seconds| u32::from_be_bytes(*seconds)))
        }
        Token::Int(_) | Token::Uint(_) | Token::Float(_) => Ok(None),
        _ => Err(Fault { offset, kind: FaultKind::Expected("a timestamp") }),
    }
}

fn expect(
    inside: &mut Cursor<'_>,
    what: &'static str,
    is_it: impl FnOnce(Token<'_>) -> bool,
) -> Result<(), Fault> {
    let offset = inside.offset();
    if is_it(inside.token()?) { Ok(()) } else { Err(Fault { offset, kind: FaultKind::Expected(what) }) }
}

fn expect_map<'a>(inside: &mut Cursor<'a>, what: &'static str) -> Result<&'a [u8], Fault> {
    let mut ahead = *inside;
    expect(&mut ahead, what, |token| matches!(token, Token::Map(_)))?;
    inside.value()
}
