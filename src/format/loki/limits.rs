//! The default limits that Loki documents.

use crate::format::limit::{Limit, Over, Unit};

const LIMITS: &str = "https://grafana.com/docs/loki/latest/configure/#limits_config";

pub(super) const LINE: Limit = Limit {
    of: "a line (max_line_size)",
    most: 256 << 10,
    unit: Unit::Bytes,
    over: Over::Cut,
    source: LIMITS,
};
pub(super) const LABELS: Limit = Limit {
    of: "labels (max_label_names_per_series)",
    most: 15,
    unit: Unit::Pieces,
    over: Over::Never,
    source: LIMITS,
};
pub(super) const LABEL_VALUE: Limit = Limit {
    of: "the value of a label (max_label_value_length)",
    most: 2_048,
    unit: Unit::Bytes,
    over: Over::Cut,
    source: LIMITS,
};
pub(super) const METADATA: Limit = Limit {
    of: "structured metadata of a line (max_structured_metadata_size)",
    most: 64 << 10,
    unit: Unit::Bytes,
    over: Over::Cut,
    source: LIMITS,
};
pub(super) const METADATA_ENTRIES: Limit = Limit {
    of: "entries of structured metadata (max_structured_metadata_entries_count)",
    most: 128,
    unit: Unit::Pieces,
    over: Over::Never,
    source: LIMITS,
};
pub(super) const AGE: Limit = Limit {
    of: "age of an entry (reject_old_samples_max_age)",
    most: 7 * 86_400,
    unit: Unit::Seconds,
    over: Over::Clamped,
    source: LIMITS,
};
pub(super) const AHEAD: Limit = Limit {
    of: "an entry's time ahead (creation_grace_period)",
    most: 600,
    unit: Unit::Seconds,
    over: Over::Clamped,
    source: LIMITS,
};
pub(super) const BEHIND: Limit = Limit {
    of: "an entry behind the newest of its stream (half of max_chunk_age)",
    most: 3_600,
    unit: Unit::Seconds,
    over: Over::Clamped,
    source: "https://grafana.com/docs/loki/latest/operations/request-validation-rate-limits/",
};
/// The distributor sends a push to the ingesters over gRPC, which has this limit.
pub(super) const PUSH: Limit = Limit {
    of: Limit::REQUEST,
    most: 4 << 20,
    unit: Unit::Bytes,
    over: Over::NextRequest,
    source: "https://grafana.com/docs/loki/latest/configure/#server (grpc_server_max_recv_msg_size)",
};
pub(super) const RATE: Limit = Limit {
    of: "bytes of a stream (per_stream_rate_limit)",
    most: 3 << 20,
    unit: Unit::PerSecond,
    over: Over::Waits,
    source: LIMITS,
};

/// All limits, in the order of docs/formats.md.
pub(super) const ALL: &[Limit] =
    &[LINE, LABELS, LABEL_VALUE, METADATA, METADATA_ENTRIES, AGE, AHEAD, BEHIND, PUSH, RATE];
