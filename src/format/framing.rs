//! How records share one request.

/// The bytes around the records of a body and between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framing {
    /// Before the first record.
    pub before: &'static str,
    /// Between two records.
    pub between: &'static str,
    /// After the last record.
    pub after: &'static str,
    /// Each record has a request of its own.
    pub is_alone: bool,
}

impl Framing {
    /// One record per line; each line ends with a line feed.
    pub const LINES: Self = Self { before: "", between: "\n", after: "\n", is_alone: false };
    /// A JSON array.
    pub const ARRAY: Self = Self { before: "[", between: ",", after: "]", is_alone: false };
    /// One record per request.
    pub const ALONE: Self = Self { before: "", between: "", after: "", is_alone: true };

    /// The bytes of a body with so many records that are before, between and after them.
    #[must_use]
    pub const fn around_bytes(&self, records: usize) -> usize {
        self.before.len() + self.between.len() * records.saturating_sub(1) + self.after.len()
    }
}
