//! How records share one request, and how it is answered.

/// What stands around the records of a body and between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    pub before: &'static str,
    pub between: &'static str,
    pub after: &'static str,
    /// Each record goes in a request of its own.
    pub is_alone: bool,
}

impl Form {
    /// One a line, each with its end.
    pub const LINES: Self = Self { before: "", between: "\n", after: "\n", is_alone: false };
    /// A JSON array.
    pub const ARRAY: Self = Self { before: "[", between: ",", after: "]", is_alone: false };
    /// The streams of a push to Loki.
    pub const STREAMS: Self = Self { before: "{\"streams\":[", between: ",", after: "]}", is_alone: false };
    /// Each in a request of its own.
    pub const ALONE: Self = Self { before: "", between: "", after: "", is_alone: true };

    /// Bytes of a body that are no record's, of so many records.
    #[must_use]
    pub const fn around_bytes(&self, records: usize) -> usize {
        self.before.len() + self.between.len() * records.saturating_sub(1) + self.after.len()
    }
}

/// How a format's gateways say what became of the records of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// By the status, for all of them.
    Status,
    /// As Splunk's HTTP Event Collector: a `code` in the answer's JSON says more than the status, a 2xx or not.
    Hec,
    /// As Loki: a 260 took nothing, and a 400 may be about what its limits do not allow, of any record.
    Loki,
    /// As PagerDuty's Events API v2: a 400 may be about the routing key, which all events share.
    PagerDuty,
    /// A 2xx answers for each record, in order (`items` of the answer to `_bulk`).
    ElasticsearchBulk,
    /// A 2xx may say how many records were rejected, and not which (`partial_success`), in JSON or in protobuf.
    Otlp,
}
