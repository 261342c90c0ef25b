//! The names that leaves may use, and their limits.

use crate::record::MAX_RECORD_BYTES;

/// The variables of a leaf: the members of the native document, and `record`, the record as it came.
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

/// The most instructions of the engine for one leaf of one record. An iteration of a loop takes about six.
pub(super) const MOST_STEPS: u64 = 20_000;

/// The filters, tests and functions that leaves may use.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    pub(super) filters: Vec<&'static str>,
    pub(super) tests: Vec<&'static str>,
    pub(super) functions: Vec<&'static str>,
}

/// The error of a leaf or document above the size of a record.
pub(super) fn too_large() -> String {
    format!("larger than {} KiB", MAX_RECORD_BYTES / 1024)
}
