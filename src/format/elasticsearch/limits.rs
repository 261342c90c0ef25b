//! The default limits that Elasticsearch documents.

use crate::format::json::MOST_LEVELS;
use crate::format::limit::{Limit, Over, Unit};

pub(super) const REQUEST_BYTES: Limit = Limit {
    of: Limit::REQUEST,
    most: 100 << 20,
    unit: Unit::Bytes,
    over: Over::NextRequest,
    source: "https://www.elastic.co/docs/reference/elasticsearch/configuration-reference/networking-settings (http.max_content_length)",
};
pub(super) const ID: Limit = Limit {
    of: "_id",
    most: 512,
    unit: Unit::Bytes,
    over: Over::Hashed,
    source: "https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/mapping-id-field",
};
pub(super) const DEPTH: Limit = Limit {
    of: "levels of objects (index.mapping.depth.limit)",
    most: MOST_LEVELS as u64,
    unit: Unit::Pieces,
    over: Over::AsText,
    source: "https://www.elastic.co/docs/reference/elasticsearch/index-settings/mapping-limit",
};
pub(super) const FIELDS: Limit = Limit {
    of: "fields of an index (index.mapping.total_fields.limit)",
    most: 1_000,
    unit: Unit::Pieces,
    over: Over::Receiver,
    source: "https://www.elastic.co/docs/reference/elasticsearch/index-settings/mapping-limit",
};

/// All limits, in the order of docs/formats.md.
pub(super) const ALL: &[Limit] = &[REQUEST_BYTES, ID, DEPTH, FIELDS];
