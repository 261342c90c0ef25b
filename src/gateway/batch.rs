//! What goes together in one request, and how a rejected batch comes apart.
//!
//! Records are rendered one behind the other into one buffer; a part of the batch is a range of records
//! and therefore a range of bytes. A gateway that rejects a batch is asked again with its halves, in
//! order, until the entry stands alone.

use std::borrow::Cow;
use std::ops::Range;

use xxhash_rust::xxh3::Xxh3;

use crate::format::Framing;

/// The limits of one request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub events: usize,
    /// Before compression.
    pub bytes: usize,
}

/// Rendered records on their way, each with what the caller has to know of it.
#[derive(Debug)]
pub struct Batch<T> {
    framing: Framing,
    limits: Limits,
    text: Vec<u8>,
    /// All ids, one behind the other.
    ids: String,
    items: Vec<Item<T>>,
}

#[derive(Debug)]
struct Item<T> {
    /// Its place in the ids.
    id: Range<usize>,
    /// Its place in the text, without separators.
    bytes: Range<usize>,
    note: T,
}

impl<T> Batch<T> {
    /// An empty batch.
    #[must_use]
    pub fn new(framing: Framing, limits: Limits) -> Self {
        Self { framing, limits, text: Vec::new(), ids: String::new(), items: Vec::new() }
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it has no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether a record of so many bytes may still join. An empty batch takes a record of any size.
    #[must_use]
    pub fn has_room_for(&self, bytes: usize) -> bool {
        let most = if self.framing.is_alone { 1 } else { self.limits.events };
        // What is between them already is counted with the text.
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

    /// What the caller noted of a record.
    #[must_use]
    pub fn note(&self, index: usize) -> Option<&T> {
        self.items.get(index).map(|item| &item.note)
    }

    /// Finds the note of a record that waits in this batch by a key that grows from record to record.
    pub fn note_mut<K: Ord>(&mut self, key: &K, key_of: impl Fn(&T) -> K) -> Option<&mut T> {
        let index = self.items.binary_search_by_key(key, |item| key_of(&item.note)).ok()?;
        self.items.get_mut(index).map(|item| &mut item.note)
    }

    /// The id of a record; empty if there is none at this index.
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
            // It stands there already, behind the last.
            return Cow::Borrowed(&self.text[first.bytes.start..last.bytes.end + after.len()]);
        }
        let joined = &self.text[first.bytes.start..last.bytes.end];
        Cow::Owned([before.as_bytes(), joined, after.as_bytes()].concat())
    }

    /// How long that body is.
    #[must_use]
    pub fn body_bytes(&self, part: &Range<usize>) -> usize {
        let items = self.items.get(part.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (items.first(), items.last()) else { return 0 };
        last.bytes.end - first.bytes.start + self.framing.around_bytes(1)
    }

    /// Names this part of the batch: a hash over its ids, the same on every retry.
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

/// The parts of a batch that have no answer yet, in order.
#[derive(Debug)]
pub struct Parts {
    /// The last is the next.
    waiting: Vec<Range<usize>>,
}

impl Parts {
    /// All of a batch of so many records.
    #[must_use]
    pub fn whole(len: usize) -> Self {
        Self { waiting: (len > 0).then_some(0..len).into_iter().collect() }
    }

    /// Puts the halves of a rejected part in its place; `false` when it cannot be halved.
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
