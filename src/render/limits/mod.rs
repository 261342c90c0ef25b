//! What the receivers of each format take: the one table of their limits, each with where it is documented.
//!
//! docs/formats.md shows the same table; a test holds the two together. What is over a limit is cut with a mark where
//! the format has room for one, and otherwise dead-lettered before it is sent. Receivers let their owners change most
//! of these figures: the table has what is documented as the default, which every receiver of that kind takes.

mod receivers;

use crate::config::Format;

pub use receivers::{cloudevents, datadog, elasticsearch, loki, otlp, pagerduty, splunk};

/// One limit of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What may be no more than that.
    pub of: &'static str,
    pub most: u64,
    pub unit: Unit,
    pub over: Over,
    /// Where it is documented: a URL, or a path in a repository.
    pub source: &'static str,
}

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

/// What becomes of what is over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// It is cut, and a mark says so.
    Cut,
    /// A key ends in a hash of the whole, or is one, so that two stay two.
    Hashed,
    /// What is more is a text, its JSON.
    AsText,
    /// The last of them are left out.
    LeftOut,
    /// The next request takes what has no room, whatever `batch_bytes` says; a record that has none in any is
    /// dead-lettered before it is sent, with this limit and its size as the reason.
    NextRequest,
    /// The receiver gets the nearest time that it takes, and the true one in a field.
    Clamped,
    /// The receiver answers 429 or 503, and the records wait.
    Waits,
    /// It never occurs: the format has fewer.
    Never,
    /// It is sent as it is. The receiver deals with it in its own way.
    Receiver,
}

impl Limit {
    #[must_use]
    pub fn usize(&self) -> usize {
        usize::try_from(self.most).unwrap_or(usize::MAX)
    }

    /// What is wrong with a record of so many bytes that cannot be cut any more.
    pub(super) fn exceeded(&self, bytes: usize) -> String {
        format!("{} has {bytes} bytes, and its receiver takes {} ({})", self.of, self.most, self.source)
    }
}

/// A request, of a receiver that takes no more in one.
const REQUEST: &str = "a request";
/// A record in its format.
const RECORD: &str = "a record";

/// All limits of each format. The receivers of the others document none.
pub const TABLE: &[(Format, &[Limit])] = &[
    (Format::CloudEvents, &[cloudevents::EVENT]),
    (Format::CloudEventsBatch, &[cloudevents::EVENT]),
    (Format::Otlp, &[otlp::REQUEST_BYTES]),
    (Format::OtlpJson, &[otlp::REQUEST_BYTES]),
    (
        Format::Elasticsearch,
        &[elasticsearch::REQUEST_BYTES, elasticsearch::ID, elasticsearch::DEPTH, elasticsearch::FIELDS],
    ),
    (Format::SplunkHec, &[splunk::REQUEST_BYTES, splunk::TRUNCATE, splunk::AHEAD]),
    (
        Format::Datadog,
        &[
            datadog::TITLE,
            datadog::TEXT,
            datadog::AGGREGATION_KEY,
            datadog::TAG,
            datadog::TAG_COUNT,
            datadog::HOST,
            datadog::AGE,
        ],
    ),
    (
        Format::Loki,
        &[
            loki::PUSH,
            loki::LINE,
            loki::LABELS,
            loki::LABEL_VALUE,
            loki::METADATA,
            loki::METADATA_ENTRIES,
            loki::AGE,
            loki::AHEAD,
            loki::BEHIND,
            loki::RATE,
        ],
    ),
    (Format::PagerDuty, &[pagerduty::EVENT, pagerduty::SUMMARY, pagerduty::DEDUP_KEY, pagerduty::RATE]),
];

/// The limits of one format.
#[must_use]
pub fn of(format: Format) -> &'static [Limit] {
    TABLE.iter().find(|(one, _)| *one == format).map_or(&[], |(_, limits)| limits)
}

/// What a request of the format may hold, before compression.
#[must_use]
pub fn request(format: Format) -> Option<Limit> {
    of(format).iter().copied().find(|limit| limit.of == REQUEST)
}

/// What a record may have at most when it is rendered: its own limit, or else that of a request, which it fills alone.
#[must_use]
pub(super) fn record(format: Format) -> Option<Limit> {
    let own = of(format).iter().copied().find(|limit| limit.of == RECORD && limit.over != Over::Receiver);
    own.or_else(|| request(format))
}
