//! A limit of a receiver, with where it is documented. Each format lists its own.
//!
//! docs/formats.md shows all of them; a test compares the two. What exceeds a limit is cut with a mark where the format
//! has room for one; otherwise the record is dead-lettered before it is sent. Owners of a receiver can change most of
//! these figures: listed is the documented default, which every receiver of that kind takes.

/// One limit of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is limited.
    pub of: &'static str,
    pub most: u64,
    pub unit: Unit,
    pub over: Over,
    /// Where it is documented: a URL, or a path in a repository.
    pub source: &'static str,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Characters,
    /// Labels, tags, levels.
    Pieces,
    Seconds,
    PerSecond,
    PerMinute,
}

/// What happens to what exceeds the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// It is cut, and a mark says so.
    Cut,
    /// The key ends in a hash of the whole, or is one, so that two keys stay distinct.
    Hashed,
    /// The excess is written as a text, its JSON.
    AsText,
    /// The last of them are left out.
    LeftOut,
    /// What has no room goes into the next request, whatever `batch_bytes` says. A record that is too large for any
    /// request is dead-lettered before it is sent; the reason names this limit and the record's size.
    NextRequest,
    /// The receiver gets the nearest time that it takes, and the true one in a field.
    Clamped,
    /// The receiver responds with 429 or 503, and the records wait.
    Waits,
    /// It never occurs: the format has fewer.
    Never,
    /// It is sent as it is, and the receiver handles it in its own way.
    Receiver,
}

impl Limit {
    /// A request, of a receiver that takes no larger one.
    pub const REQUEST: &'static str = "a request";
    /// A record in its format.
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

    /// The limit of a rendered record: its own, or that of a request, which it then fills alone.
    pub(super) fn of_record(limits: &[Self]) -> Option<Self> {
        let own =
            limits.iter().copied().find(|limit| limit.of == Self::RECORD && limit.over != Over::Receiver);
        own.or_else(|| Self::of_request(limits))
    }
}
