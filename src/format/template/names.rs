//! What leaves may name, and how much they may take.

use crate::record::MAX_RECORD_BYTES;

/// What a leaf may name: the members of the native document, and the record as it came.
pub(super) const ROOTS: [&str; 24] = [
    "action",
    "audit",
    "cluster",
    "correlation",
    "count",
    "event",
    "first_time",
    "id",
    "incomplete",
    "kind",
    "message",
    "new_occurrences",
    "node",
    "object",
    "reason",
    "record",
    "services",
    "services_total",
    "severity",
    "source",
    "time",
    "type",
    "violation",
    "workload",
];

/// Instructions of the engine for one leaf of one record. A turn of a loop takes some six of them.
pub(super) const MOST_STEPS: u64 = 20_000;

/// Names that leaves may use.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    pub(super) filters: Vec<&'static str>,
    pub(super) tests: Vec<&'static str>,
    pub(super) functions: Vec<&'static str>,
}

pub(super) fn too_large() -> String {
    format!("larger than {} KiB", MAX_RECORD_BYTES / 1024)
}
