//! The limits that Datadog documents.

use crate::format::limit::{Limit, Over, Unit};

const EVENTS: &str = "https://docs.datadoghq.com/api/latest/events/post-an-event/";
const TAGS: &str = "https://docs.datadoghq.com/getting_started/tagging/";

pub(super) const TITLE: Limit =
    Limit { of: "title", most: 100, unit: Unit::Characters, over: Over::Cut, source: EVENTS };
pub(super) const TEXT: Limit =
    Limit { of: "text", most: 4_000, unit: Unit::Characters, over: Over::Cut, source: EVENTS };
pub(super) const AGGREGATION_KEY: Limit =
    Limit { of: "aggregation_key", most: 100, unit: Unit::Characters, over: Over::Hashed, source: EVENTS };
pub(super) const TAG: Limit =
    Limit { of: "a tag", most: 200, unit: Unit::Characters, over: Over::Cut, source: TAGS };
pub(super) const TAG_COUNT: Limit =
    Limit { of: "tags", most: 100, unit: Unit::Pieces, over: Over::LeftOut, source: EVENTS };
pub(super) const HOST: Limit = Limit {
    of: "host",
    most: 255,
    unit: Unit::Characters,
    over: Over::Cut,
    source: "DataDog/datadog-agent pkg/util/hostname/validate/validate.go",
};
pub(super) const AGE: Limit = Limit {
    of: "age of date_happened",
    most: 18 * 3_600,
    unit: Unit::Seconds,
    over: Over::Clamped,
    source: EVENTS,
};

/// All limits, in the order of docs/formats.md.
pub(super) const ALL: &[Limit] = &[TITLE, TEXT, AGGREGATION_KEY, TAG, TAG_COUNT, HOST, AGE];
