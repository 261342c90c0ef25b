//! The records that share one request, and how a rejected batch is split.
//!
//! Rendered records lie one behind the other in one buffer, so a part of the batch is a range of records and a range of
//! bytes. If the gateway rejects a batch, its halves are sent, in order, until a rejected record is alone.

use std::borrow::Cow;
use std::ops::Range;

use xxhash_rust::xxh3::Xxh3;

use crate::format::Framing;

/// The limits of one request.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// Records.
    pub events: usize,
    /// Bytes of the body before compression.
    pub bytes: usize,
}

/// Rendered records, each with a note of the caller's.
#[derive(Debug)]
pub struct Batch<T> {
    framing: Framing,
    limits: BatchLimits,
    text: Vec<u8>,
    /// The ids of all records, one behind the other.
    ids: String,
    items: Vec<Item<T>>,
}

#[derive(Debug)]
struct Item<T> {
    /// Where its id is in `ids`.
    id: Range<usize>,
    /// Where it is in `text`, without separators.
    bytes: Range<usize>,
    note: T,
}

impl<T> Batch<T> {
    /// An empty batch.
    #[must_use]
    pub fn new(framing: Framing, limits: BatchLimits) -> Self {
        Self { framing, limits, text: Vec::new(), ids: String::new(), items: Vec::new() }
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it has no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether a record of so many bytes fits. A record of any size fits into an empty batch.
    #[must_use]
    pub fn has_room_for(&self, bytes: usize) -> bool {
        let most = if self.framing.is_alone { 1 } else { self.limits.events };
        // `text` already holds the separators between the records.
        let around = self.framing.around_bytes(1);
        self.is_empty() || (self.len() < most && self.text.len() + bytes + around <= self.limits.bytes)
    }

    /// Adds a record.
    pub fn push(&mut self, id: &str, rendered: &[u8], note: T) {
        let start = self.text.len();
        self.text.extend_from_slice(rendered);
        let bytes = start..self.text.len();
        self.text.extend_from_slice(self.framing.between.as_bytes());
        let id_start = self.ids.len();
        self.ids.push_str(id);
        self.items.push(Item { id: id_start..self.ids.len(), bytes, note });
    }

    /// The note of a record.
    #[must_use]
    pub fn note(&self, index: usize) -> Option<&T> {
        self.items.get(index).map(|item| &item.note)
    }

    /// Finds the note of a record by a key that grows from record to record.
    pub fn note_mut<K: Ord>(&mut self, key: &K, key_of: impl Fn(&T) -> K) -> Option<&mut T> {
        let index = self.items.binary_search_by_key(key, |item| key_of(&item.note)).ok()?;
        self.items.get_mut(index).map(|item| &mut item.note)
    }

    /// The id of a record; empty if the batch has no record at this index.
    #[must_use]
    pub fn id(&self, index: usize) -> &str {
        self.items.get(index).and_then(|item| self.ids.get(item.id.clone())).unwrap_or_default()
    }

    /// The body of a request with this part of the records.
    #[must_use]
    pub fn body(&self, part: &Range<usize>) -> Cow<'_, [u8]> {
        let items = self.items.get(part.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (items.first(), items.last()) else { return Cow::Borrowed(b"") };
        let Framing { before, between, after, .. } = self.framing;
        if before.is_empty() && between == after {
            // The separator behind the last record ends the body.
            return Cow::Borrowed(&self.text[first.bytes.start..last.bytes.end + after.len()]);
        }
        let joined = &self.text[first.bytes.start..last.bytes.end];
        Cow::Owned([before.as_bytes(), joined, after.as_bytes()].concat())
    }

    /// The length of that body.
    #[must_use]
    pub fn body_bytes(&self, part: &Range<usize>) -> usize {
        let items = self.items.get(part.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (items.first(), items.last()) else { return 0 };
        last.bytes.end - first.bytes.start + self.framing.around_bytes(1)
    }

    /// A hash over the ids of this part of the batch, the same on every retry.
    #[must_use]
    pub fn idempotency_key(&self, part: &Range<usize>) -> String {
        let mut hasher = Xxh3::new();
        for id in part.clone().map(|index| self.id(index)) {
            hasher.update(&(id.len() as u64).to_le_bytes());
            hasher.update(id.as_bytes());
        }
        format!("{:032x}", hasher.digest128())
    }

    /// Empties the batch and keeps its buffers.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ids.clear();
        self.items.clear();
    }
}

/// The parts of a batch that are still to be sent, in order.
#[derive(Debug)]
pub struct Parts {
    /// The last one is sent next.
    waiting: Vec<Range<usize>>,
}

impl Parts {
    /// The whole of a batch of so many records.
    #[must_use]
    pub fn whole(len: usize) -> Self {
        Self { waiting: (len > 0).then_some(0..len).into_iter().collect() }
    }

    /// Puts the two halves of a rejected part in its place; `false` if it is a single record.
    #[must_use]
    pub fn halve(&mut self, part: &Range<usize>) -> bool {
        if part.len() < 2 {
            return false;
        }
        let middle = part.start + part.len() / 2;
        self.waiting.push(middle..part.end);
        self.waiting.push(part.start..middle);
        true
    }
}

impl Iterator for Parts {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        self.waiting.pop()
    }
}
