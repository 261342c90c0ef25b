//! The metrics of one instance: a table of names, types and help texts, and one struct of atomics.
//! `docs/metrics.md` documents them.
//!
//! - `measure`: what the host needs to create and update a metric
//! - `number`: a counter or a gauge
//! - `labelled`: a number for each label value; `cluster` has the label values about the cluster
//! - `failures`: a number for each class of failed requests
//! - `histogram`: durations in buckets
//! - `totals`: one log line with the totals
//!
//! Any thread may count here. Only the host's own thread publishes the values (see `abi`), because the host's
//! metric maps take no lock before 5.1. Names follow the Prometheus conventions.

pub mod cluster;
mod failures;
mod histogram;
mod labelled;
mod measure;
mod number;
mod totals;

pub use failures::{FailureClass, Failures};
pub use histogram::{Bounds, DeliveryBounds, Histogram, RequestBounds};
pub use labelled::{LabelSet, Labelled};
pub use measure::{Described, Measure, MetricType, Reading, Snapshot};
pub use number::Number;

/// The type of a metric: a number, unless the table names another type.
macro_rules! measure {
    () => {
        Number
    };
    ($type:ty) => {
        $type
    };
}

macro_rules! metrics {
    ($($field:ident: $metric_type:ident $(of $type:ty)?, $help:literal;)*) => {
        /// The metrics of one instance.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $(#[doc = $help] pub $field: measure!($($type)?),)*
        }

        impl Metrics {
            /// All metrics, in the order of [`Metrics::readings`].
            pub const DESCRIBED: &'static [Described] = &[
                $(Described {
                    name: stringify!($field),
                    metric_type: MetricType::$metric_type,
                    labels: <measure!($($type)?) as Measure>::LABELS,
                    label_values: <measure!($($type)?) as Measure>::LABEL_VALUES,
                    bounds: <measure!($($type)?) as Measure>::BOUNDS,
                    help: $help,
                },)*
            ];

            /// The values now, in the order of [`Metrics::DESCRIBED`].
            #[must_use]
            pub fn readings(&self) -> Vec<Reading> {
                vec![$(self.$field.read(),)*]
            }
        }
    };
}

use cluster::{ByCorrelation, ByResource, ByResourceAndReason};

metrics! {
    records_total: Counter, "Records read from chunks. Items of lists count one by one, and the records of a chunk count again at each retry of it.";
    skipped_records_total: Counter, "Records that could not be read and are lost because dead_letter_file is not set.";
    excluded_records_total: Counter, "Records left out by the selection: kinds, namespaces, verbs and similar settings.";
    duplicate_records_total: Counter, "Records that repeat a version already acknowledged or being delivered.";
    suppressed_updates_total: Counter, "Updates not delivered because of the updates setting.";
    delivered_records_total: Counter, "Records acknowledged by the gateway.";
    dead_lettered_records_total: Counter, "Records written to the dead letter file.";
    dead_letter_failures_total: Counter, "Failed attempts to write a record to the dead letter file; the record waits.";
    dropped_records_total: Counter, "Records lost because there is no dead letter file: rejected by the gateway, too large, impossible to render or ambiguous.";
    ambiguous_records_total: Counter, "Records dead-lettered because the gateway may already have them, with guarantee no_duplicates.";
    adjusted_times_total: Counter, "Records sent with an adjusted time because the receiver does not accept the true one.";
    adjusted_counts_total: Counter, "Events that claim more than a million occurrences; their count is capped.";
    receiver_cuts_total: Counter, "Records that were cut to their receiver's limits.";
    replaced_strings_total: Counter, "Strings that were not valid UTF-8; their invalid bytes were replaced.";
    requests_total: Counter, "Requests sent to the gateway.";
    request_retries_total: Counter of Failures, "Requests that did not settle their batch. They are sent again or, with guarantee no_duplicates, dead-lettered if the gateway may have them.";
    request_duration_seconds: Histogram of Histogram<RequestBounds>, "Seconds from the start of a request to its response or its failure.";
    event_to_acknowledgement_seconds: Histogram of Histogram<DeliveryBounds>, "Seconds from an event's own time to its acknowledgement by the gateway.";
    batches_total: Counter, "Batches acknowledged by the gateway.";
    batch_bytes_total: Counter, "Bytes of acknowledged batches before compression.";
    sent_bytes_total: Counter, "Bytes of acknowledged batches as sent, after compression.";
    last_acknowledgement_timestamp_seconds: Gauge, "When the gateway last acknowledged a batch, in Unix time; 0 before the first.";
    endpoint_open: Gauge, "1 while the endpoint is open for requests, 0 while it is closed after a failure.";
    endpoint_closed_until_timestamp_seconds: Gauge, "When the endpoint opens again, or opened again, after the last failure, in Unix time; 0 after a success.";
    endpoint_failing_since_timestamp_seconds: Gauge, "When the first delivery failed after the last success, in Unix time; 0 after a success.";
    jobs_in_flight: Gauge, "Chunks that wait for delivery, all chunks of the current round, and chunks with a record that waits for the topology.";
    job_bytes_in_flight: Gauge, "Bytes of the chunks that wait for delivery and of those of the current round.";
    oldest_job_timestamp_seconds: Gauge, "When the oldest chunk in flight was taken, in Unix time; 0 if there is none.";
    refused_chunks_total: Counter, "Chunks that got RETRY at once: too many in flight, no memory, or the delivery worker has ended.";
    delivering: Gauge, "1 while the delivery worker runs, 0 after it has ended, at an exit or by a fault of this plugin.";
    panicked_rounds_total: Counter, "Delivery rounds that a fault of this plugin ended; their chunks are retried.";
    ledger_entries: Gauge, "Delivered versions that the ledger remembers.";
    ledger_commits_total: Counter, "Commits of the ledger: one for each acknowledged batch, and one for each dead-lettered record or batch.";
    ledger_failed_writes_total: Counter, "Failed writes to the ledger's file; the next write includes what they held.";
    ledger_evicted_entries_total: Counter, "Versions evicted before ledger_ttl because the ledger was full.";
    correlated_records_total: Counter of Labelled<ByCorrelation>, "Records by the outcome of their correlation, as in their field correlation.";
    correlation_incomplete_records_total: Counter, "Records whose correlation reached a bound on its work, so that their Services may be incomplete.";
    correlation_waiting_records: Gauge, "Records that wait until the topology knows their object or has caught up.";
    correlation_waiting_since_timestamp_seconds: Gauge, "When the oldest record that waits for the topology began to wait, in Unix time; 0 if none waits.";
    correlation_delayed_records_total: Counter, "Records that waited for the topology before they were delivered.";
    correlation_not_delayed_records_total: Counter, "Records that did not wait for the topology, although they should have, because too many waited already.";
    topology_enabled: Gauge, "1 if records are correlated with the cluster, 0 with correlate off.";
    topology_ready: Gauge, "1 once the cluster's first lists are complete; 0 before, and with correlate off.";
    topology_objects: Gauge, "Objects that the topology holds, including deleted ones.";
    topology_unfollowed: Gauge of Labelled<ByResourceAndReason>, "1 while a resource is not followed, by reason; otherwise 0.";
    topology_last_message_timestamp_seconds: Gauge of Labelled<ByResource>, "When the API server last sent a list or a watch event of a resource, in Unix time; 0 before the first.";
    topology_skipped_objects_total: Counter, "Objects left out because they are too large, too deeply nested or malformed.";
    topology_watch_restarts_total: Counter, "Watches that ended and were started again.";
    topology_evicted_tombstones_total: Counter, "Deleted objects forgotten before tombstone_ttl because there were too many.";
    reconcile_enabled: Gauge, "1 with reconcile report, 0 with reconcile off.";
    reconcile_seen_versions_total: Counter, "Versions of events that the API server has shown, with reconcile report.";
    reconcile_settled_versions_total: Counter, "Versions that the API server has shown and that were delivered, dead-lettered, excluded, or overtaken by a newer version of the event.";
    reconcile_forgotten_versions_total: Counter, "Versions that the API server has shown and deleted before they were settled, or that were too many to remember.";
    reconcile_unaccounted_versions: Gauge, "Versions that are not settled although the API server showed them longer than reconcile_after ago.";
    reconcile_unsettled_since_timestamp_seconds: Gauge, "When the API server showed the oldest version that is not settled, in Unix time; 0 if there is none.";
    published_timestamp_seconds: Gauge, "When these figures were last published, in Unix time.";
}

impl Metrics {
    /// Sets the two metrics that depend on the time alone. Only the publishing thread writes them.
    pub fn set_time(&self, now_seconds: u64) {
        let opens_at = self.endpoint_closed_until_timestamp_seconds.get();
        self.endpoint_open.set(u64::from(now_seconds >= opens_at));
        self.published_timestamp_seconds.set(now_seconds);
    }
}
