//! The limits of the Events API v2 that PagerDuty documents.

use crate::format::limit::{Limit, Over, Unit};

const OVERVIEW: &str = "https://developer.pagerduty.com/docs/events-api-v2-overview";
const TRIGGER: &str = "https://developer.pagerduty.com/docs/send-alert-event";

pub(super) const EVENT: Limit =
    Limit { of: Limit::RECORD, most: 512_000, unit: Unit::Bytes, over: Over::Cut, source: OVERVIEW };
pub(super) const SUMMARY: Limit =
    Limit { of: "summary", most: 1_024, unit: Unit::Characters, over: Over::Cut, source: TRIGGER };
pub(super) const DEDUP_KEY: Limit =
    Limit { of: "dedup_key", most: 255, unit: Unit::Characters, over: Over::Hashed, source: TRIGGER };
pub(super) const RATE: Limit = Limit {
    of: "events of an integration key, which PagerDuty adapts",
    most: 120,
    unit: Unit::PerMinute,
    over: Over::Waits,
    source: "https://community.pagerduty.com/forum/t/monitoring-api-rate-limiting/3318",
};

/// All limits, in the order of docs/formats.md.
pub(super) const ALL: &[Limit] = &[EVENT, SUMMARY, DEDUP_KEY, RATE];
