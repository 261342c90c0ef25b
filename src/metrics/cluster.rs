//! The labels of the metrics about the cluster: correlation outcomes, resources, and the reasons why a resource is not
//! followed.
//!
//! The names repeat those of `correlate` and `topology`, which have a higher rank; a test of `cluster` compares both.

use super::labelled::{LabelSet, slices};

/// The outcome of a record's correlation, as in its field `correlation`.
#[derive(Debug)]
pub struct ByCorrelation;

impl LabelSet for ByCorrelation {
    const LABELS: &'static [&'static str] = &["correlation"];
    const VALUES: &'static [&'static [&'static str]] =
        &[&["matched"], &["none"], &["unknown"], &["stale"], &["foreign"], &["not_ready"]];
}

/// The resources that the topology follows.
pub const RESOURCES: [&str; 14] = [
    "services",
    "endpointslices",
    "pods",
    "nodes",
    "replicasets",
    "deployments",
    "statefulsets",
    "daemonsets",
    "jobs",
    "cronjobs",
    "horizontalpodautoscalers",
    "poddisruptionbudgets",
    "persistentvolumeclaims",
    "ingresses",
];

/// Why a resource is not followed.
pub const REASONS: [&str; 7] =
    ["unreachable", "unauthorized", "forbidden", "not_served", "throttled", "server_error", "unreadable"];

/// A value for each resource that is followed.
#[derive(Debug)]
pub struct ByResource;

impl LabelSet for ByResource {
    const LABELS: &'static [&'static str] = &["resource"];
    const VALUES: &'static [&'static [&'static str]] = &{
        let mut values: [&'static [&'static str]; RESOURCES.len()] = [&[]; RESOURCES.len()];
        let mut place = 0;
        while place < values.len() {
            values[place] = std::slice::from_ref(&RESOURCES[place]);
            place += 1;
        }
        values
    };
}

/// A value for each resource and each reason why it is not followed.
#[derive(Debug)]
pub struct ByResourceAndReason;

/// Every resource with every reason.
const PAIRS: [[&str; 2]; RESOURCES.len() * REASONS.len()] = {
    let mut pairs = [[""; 2]; RESOURCES.len() * REASONS.len()];
    let mut place = 0;
    while place < pairs.len() {
        pairs[place] = [RESOURCES[place / REASONS.len()], REASONS[place % REASONS.len()]];
        place += 1;
    }
    pairs
};

impl LabelSet for ByResourceAndReason {
    const LABELS: &'static [&'static str] = &["resource", "reason"];
    const VALUES: &'static [&'static [&'static str]] = &slices(&PAIRS);
}
