//! A limit of a receiver, and where it is documented. Each format lists its own.
//!
//! docs/formats.md shows all of them, and a test compares the two. A text above its limit is cut with a mark if possible;
//! otherwise the record is dead-lettered before it is sent. An operator can change most limits of a receiver; the figures
//! are the documented defaults, which every receiver of that kind takes.

/// One limit of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is limited.
    pub of: &'static str,
    /// The limit, in `unit`.
    pub most: u64,
    /// What `most` counts.
    pub unit: Unit,
    /// What happens to the excess.
    pub over: Over,
    /// Where it is documented: a URL, or a path in a repository.
    pub source: &'static str,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Unicode characters.
    Characters,
    /// Items such as labels, tags or levels.
    Pieces,
    /// Seconds.
    Seconds,
    /// Bytes or records in a second.
    PerSecond,
    /// Records in a minute.
    PerMinute,
}

/// What happens to the excess over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// It is cut, and a mark says so.
    Cut,
    /// The key ends in a hash of the whole key, or is that hash, so that two keys stay distinct.
    Hashed,
    /// The excess becomes a text, its JSON.
    AsText,
    /// The last of them are left out.
    LeftOut,
    /// Further records go into the next request, whatever `batch_bytes` says. A record that is too large for any request
    /// is dead-lettered before it is sent; the reason names this limit and the record's size.
    NextRequest,
    /// The receiver gets the nearest time that it takes; the true one is in a field.
    Clamped,
    /// The receiver responds with 429 or 503, and the records wait.
    Waits,
    /// The format never exceeds it.
    Never,
    /// It is sent as it is, and the receiver handles it in its own way.
    Receiver,
}

impl Limit {
    /// The limit of a request.
    pub const REQUEST: &'static str = "a request";
    /// The limit of a rendered record.
    pub const RECORD: &'static str = "a record";

    /// The limit as a length in memory.
    #[must_use]
    pub fn usize(&self) -> usize {
        usize::try_from(self.most).unwrap_or(usize::MAX)
    }

    /// The limit of a request, before compression.
    pub(super) fn of_request(limits: &[Self]) -> Option<Self> {
        limits.iter().copied().find(|limit| limit.of == Self::REQUEST)
    }

    /// The limit of a rendered record: its own, or that of a request.
    pub(super) fn of_record(limits: &[Self]) -> Option<Self> {
        let own =
            limits.iter().copied().find(|limit| limit.of == Self::RECORD && limit.over != Over::Receiver);
        own.or_else(|| Self::of_request(limits))
    }
}
