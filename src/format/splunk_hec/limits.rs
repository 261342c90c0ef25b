//! The default limits that Splunk documents.

use crate::format::limit::{Limit, Over, Unit};

const LIMITS: &str = "https://docs.splunk.com/Documentation/Splunk/latest/Admin/Limitsconf";

pub(super) const REQUEST_BYTES: Limit = Limit {
    of: Limit::REQUEST,
    most: 838_860_800,
    unit: Unit::Bytes,
    over: Over::NextRequest,
    source: LIMITS,
};
pub(super) const TRUNCATE: Limit = Limit {
    of: "an event that is not truncated (TRUNCATE of its sourcetype)",
    most: 10_000,
    unit: Unit::Bytes,
    over: Over::Receiver,
    source: "https://docs.splunk.com/Documentation/Splunk/latest/Admin/Propsconf",
};
pub(super) const AHEAD: Limit = Limit {
    of: "an event's time ahead (quarantineFutureSecs)",
    most: 30 * 86_400,
    unit: Unit::Seconds,
    over: Over::Clamped,
    source: "https://docs.splunk.com/Documentation/Splunk/latest/Admin/Indexesconf",
};

/// All limits, in the order of docs/formats.md.
pub(super) const ALL: &[Limit] = &[REQUEST_BYTES, TRUNCATE, AHEAD];
