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

use super::cursor::{Cursor, Fault, FaultKind, Token};

/// One record: its body, a whole MessagePack map, and where the record starts in the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub offset: usize,
    pub body: &'a [u8],
}

/// Seconds of the markers around a group of records (`FLB_LOG_EVENT_GROUP_START`, `…_END`).
const GROUP_MARKERS: [u32; 2] = [0xffff_ffff, 0xffff_fffe];

/// How a record with an `EventTime` begins: v2 as Fluent Bit 5 writes it, v2 as the hosts before it do
/// (the same arrays in their longest form), and v1.
const HEADS: [&[u8]; 3] =
    [&[0x92, 0x92, 0xd7, 0x00], &[0xdd, 0, 0, 0, 2, 0xdd, 0, 0, 0, 2, 0xd7, 0x00], &[0x92, 0xd7, 0x00]];

/// After so many breaks in one chunk the rest is given up: each costs a search for the next record, and
/// a chunk like this is not one of Fluent Bit's.
const MAX_BREAKS: u32 = 1_000;

/// The records of a chunk, in order. An error is a record that was skipped; the iterator goes on.
#[derive(Debug)]
pub struct Records<'a> {
    chunk: &'a [u8],
    cursor: Cursor<'a>,
    breaks: u32,
}

impl<'a> Records<'a> {
    #[must_use]
    pub fn new(chunk: &'a [u8]) -> Self {
        Self { chunk, cursor: Cursor::new(chunk), breaks: 0 }
    }

    /// A record, `None` for a marker, or what is wrong. On success the cursor stands behind the record.
    fn record(&mut self) -> Result<Option<Envelope<'a>>, Fault> {
        let start = self.cursor;
        let offset = start.offset();
        let whole = match self.cursor.value() {
            Err(Fault { kind: FaultKind::TooDeep, offset }) => {
                // Well-formed as far as we know: pass over it and keep to the next record.
                self.cursor.skip()?;
                return Err(Fault { kind: FaultKind::TooDeep, offset });
            }
            whole => whole?,
        };
        let mut inside = Cursor::new(whole);
        let found =
            envelope(&mut inside).map_err(|fault| Fault { offset: offset + fault.offset, ..fault })?;
        Ok(found.map(|body| Envelope { offset, body }))
    }

    /// Moves to the next place behind `offset` that looks like the head of a record with an `EventTime`,
    /// or to the end.
    fn resume_behind(&mut self, offset: usize) {
        let from = offset + 1;
        let next = self.chunk.get(from..).and_then(|rest| {
            (0..rest.len()).find(|at| HEADS.iter().any(|head| rest[*at..].starts_with(head)))
        });
        self.cursor = Cursor::at(self.chunk, next.map_or(self.chunk.len(), |at| from + at));
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
                    self.breaks += 1;
                    if self.breaks > MAX_BREAKS {
                        self.cursor = Cursor::at(self.chunk, self.chunk.len());
                    } else if matches!(fault.kind, FaultKind::Truncated | FaultKind::Reserved) {
                        // The length of the record is unknown: look for the next one.
                        self.resume_behind(start);
                    }
                    return Some(Err(fault));
                }
            }
        }
        None
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
