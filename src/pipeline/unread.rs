//! What of a chunk cannot be read: it goes to the dead letters as it came, one entry a chunk.
//!
//! Nothing is known of it, so no format can hold it and no ledger remembers it. The dead letter shows its bytes in
//! base64, all of them up to a bound; but none where they may hold what must not leave, as nothing can be redacted in
//! what cannot be read. The host brings a chunk again that was not delivered: one dead letter is enough for it.

use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use super::Pipeline;
use crate::record::cursor::DecodeError;
use crate::record::redact::Redactor;
use crate::record::text::{Repair, Text};

/// Bytes of one chunk that a dead letter shows.
const MOST_BYTES: usize = 256 << 10;
/// Records of one chunk of which a dead letter says where they stood.
const MOST_RECORDS: usize = 1_000;

/// The unread records of one chunk.
#[derive(Debug, Serialize)]
pub(super) struct Unread<'a> {
    /// Without control characters: whoever reads the letters in a terminal must not be at the mercy of a tag.
    tag: Text<'a>,
    /// How many there are, those included that are not listed.
    count: u64,
    records: Vec<Piece>,
    #[serde(skip)]
    room_bytes: usize,
}

/// One of them.
#[derive(Debug, Serialize)]
struct Piece {
    /// Where it stood in the chunk.
    offset: usize,
    bytes: usize,
    why: String,
    /// Its first bytes, as many as there is room for; absent where something in it may have to be redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// The last dead letters of this kind, by their hashes.
#[derive(Debug, Default)]
pub(super) struct Written(VecDeque<u128>);

/// So many chunks may wait at a time that have such bytes.
const MOST_WRITTEN: usize = 1_024;

impl Written {
    fn note(&mut self, hash: u128) {
        self.0.push_back(hash);
        if self.0.len() > MOST_WRITTEN {
            self.0.pop_front();
        }
    }
}

impl<'a> Unread<'a> {
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

impl Pipeline {
    /// Writes a dead letter of what could not be read. `false`: it was not written, and the host must bring the chunk again.
    pub(super) fn keep_unread(&mut self, unread: &Unread<'_>) -> bool {
        let Some(first) = unread.records.first() else { return true };
        let others = match unread.count {
            1 => String::new(),
            many => format!(", nor could {} others of its chunk", many - 1),
        };
        let what = format!("a record of tag {} could not be read{others}: {}", unread.tag, first.why);
        let record = serde_json::to_string(unread).unwrap_or_default();
        let hash = xxh3_128(record.as_bytes());
        if self.written.0.contains(&hash) {
            return true;
        }
        let is_kept = self.delivery.keep_unread(&what, &first.why, &record, unread.count);
        if is_kept && self.delivery.has_dead_letters() {
            self.written.note(hash);
        }
        is_kept
    }
}
