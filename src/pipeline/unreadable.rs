//! The bytes of a chunk that cannot be read are dead-lettered as they came, one dead letter a chunk.
//!
//! Nothing is known of such bytes, so no format can hold them and no ledger remembers them. The dead letter shows them in
//! base64, up to a bound; but not where they may hold what must not leave, as what cannot be read cannot be redacted. The
//! host brings a chunk again that was not delivered: one dead letter is enough for it.

use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use super::round::Round;
use crate::record::cursor::DecodeError;
use crate::record::redact::Redactor;
use crate::record::text::{Repair, Text};

/// Bytes of one chunk that a dead letter shows.
const MOST_BYTES: usize = 256 << 10;
/// Records of one chunk that a dead letter lists.
const MOST_RECORDS: usize = 1_000;

/// The unreadable records of one chunk.
#[derive(Debug, Serialize)]
pub(super) struct Unreadable<'a> {
    /// Without control characters, as people read dead letters in a terminal.
    tag: Text<'a>,
    /// How many there are, including those that are not listed.
    count: u64,
    records: Vec<Piece>,
    #[serde(skip)]
    room_bytes: usize,
}

/// An unreadable record.
#[derive(Debug, Serialize)]
struct Piece {
    /// Where it begins in the chunk.
    offset: usize,
    bytes: usize,
    why: String,
    /// Its first bytes, as many as there is room for; absent if something in it may have to be redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl<'a> Unreadable<'a> {
    pub(super) fn new(tag: &'a str) -> Self {
        Self {
            tag: Repair::default().text(tag.as_bytes()),
            count: 0,
            records: Vec::new(),
            room_bytes: MOST_BYTES,
        }
    }

    pub(super) fn add(&mut self, offset: usize, bytes: &[u8], fault: DecodeError, redactor: &Redactor) {
        self.count += 1;
        if self.records.len() >= MOST_RECORDS {
            return;
        }
        let shown = &bytes[..bytes.len().min(self.room_bytes)];
        let is_shown = !redactor.may_take_out_of(bytes);
        self.room_bytes -= if is_shown { shown.len() } else { 0 };
        let base64 = is_shown.then(|| STANDARD.encode(shown));
        let (bytes, why) = (bytes.len(), fault.to_string());
        self.records.push(Piece { offset, bytes, why, base64 });
    }
}

/// Writes these dead letters, each once.
#[derive(Debug, Default)]
pub(super) struct UnreadableLetters {
    /// The hashes of the last ones, oldest first.
    written: VecDeque<u128>,
}

/// How many of them are remembered. Hardly more chunks with unreadable bytes wait with the host at a time.
const MOST_WRITTEN: usize = 1_024;

impl UnreadableLetters {
    /// Dead-letters what could not be read. `false`: it was not written, and the host must bring the chunk again.
    pub(super) fn dead_letter(&mut self, unreadable: &Unreadable<'_>, round: &mut Round<'_>) -> bool {
        let Some(first) = unreadable.records.first() else { return true };
        let others = match unreadable.count {
            1 => String::new(),
            many => format!(", nor could {} others of its chunk", many - 1),
        };
        let what = format!("a record of tag {} could not be read{others}: {}", unreadable.tag, first.why);
        let record = serde_json::to_string(unreadable).unwrap_or_default();
        let hash = xxh3_128(record.as_bytes());
        if self.written.contains(&hash) {
            return true;
        }
        let is_settled = round.dead_letter_unread(&what, &first.why, &record, unreadable.count);
        if is_settled && round.has_dead_letters() {
            self.note(hash);
        }
        is_settled
    }

    fn note(&mut self, hash: u128) {
        self.written.push_back(hash);
        if self.written.len() > MOST_WRITTEN {
            self.written.pop_front();
        }
    }
}
