//! Every number we publish: name, help, kind, one struct of atomics. `docs/metrics.md` tells people about them.
//!
//! - `number`: what is counted or set
//! - `labelled`: a number for each of some label values; `cluster` names those of the cluster
//! - `failures`: a number for each class of failed requests
//! - `histogram`: how long things took
//! - `totals`: what was done, in a line for the log
//!
//! Any thread counts here; the border publishes the values on the host's own thread, because the host's
//! metric maps take no lock before 5.1. Names follow the Prometheus conventions.

pub mod cluster;
mod failures;
mod histogram;
mod labelled;
mod number;
mod totals;

pub use failures::{FailureClass, Failures};
pub use histogram::{Bounds, Histogram, OfADelivery, OfARequest, Snapshot};
pub use labelled::{LabelSet, Labelled};
pub use number::Number;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// What the host needs to know of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    pub name: &'static str,
    pub kind: Kind,
    /// Besides `name`, the instance's alias, which all have.
    pub labels: &'static [&'static str],
    /// What the labels may say together; fixed, so that all series are there from the start.
    pub label_values: &'static [&'static [&'static str]],
    /// Of a histogram, without the last.
    pub bounds: &'static [f64],
    pub help: &'static str,
}

/// What one metric says now.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    One(u64),
    /// A number for each of the labels' values, in the order of [`Described::label_values`].
    ByLabel(Vec<u64>),
    Histogram(Snapshot),
}

/// What can be published.
pub trait Measure {
    const LABELS: &'static [&'static str] = &[];
    const LABEL_VALUES: &'static [&'static [&'static str]] = &[];
    const BOUNDS: &'static [f64] = &[];

    fn read(&self) -> Reading;
}

/// The type of a metric: a number, if the table says nothing else.
macro_rules! measure {
    () => {
        Number
    };
    ($type:ty) => {
        $type
    };
}

macro_rules! metrics {
    ($($field:ident: $kind:ident $(of $type:ty)?, $help:literal;)*) => {
        /// The metrics of one instance.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $(#[doc = $help] pub $field: measure!($($type)?),)*
        }

        impl Metrics {
            /// What is published, in the order of [`Metrics::readings`].
            pub const DESCRIBED: &'static [Described] = &[
                $(Described {
                    name: stringify!($field),
                    kind: Kind::$kind,
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
    records_total: Counter, "Records read from chunks, the items of lists counted one by one, and again each time the host brings a chunk.";
    skipped_records_total: Counter, "Records that could not be read, and are lost as dead_letter_file is not set.";
    excluded_records_total: Counter, "Records left out by the settings that choose: kinds, namespaces, verbs and the like.";
    duplicate_records_total: Counter, "Records that repeat a version acknowledged before, or on its way.";
    suppressed_updates_total: Counter, "Updates not delivered because of the updates setting.";
    delivered_records_total: Counter, "Records acknowledged by the gateway.";
    dead_lettered_records_total: Counter, "Records written to the dead letter file.";
    dead_letter_failures_total: Counter, "Times the dead letter file did not take a record, which waits then.";
    dropped_records_total: Counter, "Records lost: rejected by the gateway, too large or ambiguous, with no dead letter file.";
    ambiguous_records_total: Counter, "Records dead-lettered because the gateway may have them, with guarantee no_duplicates.";
    adjusted_times_total: Counter, "Records whose receiver gets another time than the true one, which it would not take.";
    adjusted_counts_total: Counter, "Events that say they happened more than a million times, whose count is bounded.";
    receiver_cuts_total: Counter, "Records that were cut to what their receiver takes.";
    replaced_strings_total: Counter, "Strings that were not UTF-8 and had bytes replaced.";
    requests_total: Counter, "Requests made to the gateway.";
    request_retries_total: Counter of Failures, "Requests that did not settle their batch and were or will be made again.";
    request_duration_seconds: Histogram of Histogram<OfARequest>, "Seconds from the beginning of a request to its answer or its failure.";
    event_to_acknowledgement_seconds: Histogram of Histogram<OfADelivery>, "Seconds from an event's own time to the gateway's acknowledgement of it.";
    batches_total: Counter, "Batches acknowledged by the gateway.";
    batch_bytes_total: Counter, "Bytes of acknowledged batches before compression.";
    sent_bytes_total: Counter, "Bytes of acknowledged batches as sent.";
    last_acknowledgement_timestamp_seconds: Gauge, "When the gateway last acknowledged a batch, in Unix time; 0 before the first.";
    gateway_open: Gauge, "1 while requests may go out, 0 while the gate is closed after a failure.";
    gateway_closed_until_timestamp_seconds: Gauge, "When the gate opens or has opened again after the last failure, in Unix time; 0 after a success.";
    gateway_failing_since_timestamp_seconds: Gauge, "When the first of the deliveries failed that have failed since the last success, in Unix time; 0 after a success.";
    jobs_in_flight: Gauge, "Chunks that wait, and all those of the round that runs.";
    job_bytes_in_flight: Gauge, "Bytes of the chunks in flight.";
    oldest_job_timestamp_seconds: Gauge, "When the oldest of the chunks in flight was taken, in Unix time; 0 when there are none.";
    refused_chunks_total: Counter, "Chunks answered with RETRY at once: too many in flight, no memory, or nobody who delivers any more.";
    delivering: Gauge, "1 while the thread that delivers runs, 0 when it has ended, at an exit or by a fault of this plugin.";
    panicked_rounds_total: Counter, "Rounds of deliveries that a fault of this plugin ended; their chunks come again.";
    ledger_entries: Gauge, "Delivered versions that the ledger remembers.";
    ledger_commits_total: Counter, "Times the ledger advanced: acknowledged batches, and dead-lettered records, alone or a batch at once.";
    ledger_failed_writes_total: Counter, "Writes of the ledger's file that failed; what they held is written with the next.";
    ledger_evicted_entries_total: Counter, "Versions that left the ledger early because it was full.";
    correlated_records_total: Counter of Labelled<ByCorrelation>, "Records by what the correlation found, as their field correlation says it.";
    correlation_incomplete_records_total: Counter, "Records for which a bound on the work of the correlation was reached, so that their Services may be incomplete.";
    correlation_waiting_records: Gauge, "Records that wait until the topology knows their object, or has caught up.";
    correlation_waiting_since_timestamp_seconds: Gauge, "Since when the oldest of the records has waited that wait for the topology, in Unix time; 0 when there are none.";
    correlation_delayed_records_total: Counter, "Records that waited for the topology before they were delivered.";
    correlation_not_delayed_records_total: Counter, "Records that should have waited for the topology and did not, because too many waited already.";
    topology_enabled: Gauge, "1 when records are looked up in the cluster, 0 with correlate off.";
    topology_ready: Gauge, "1 once the cluster's first lists are complete; 0 before, and with correlate off.";
    topology_objects: Gauge, "Objects of the cluster that are held, deleted ones included.";
    topology_unfollowed: Gauge of Labelled<ByResourceAndReason>, "1 while the objects of a resource are not followed, by the reason; otherwise 0.";
    topology_last_message_timestamp_seconds: Gauge of Labelled<ByResource>, "When the API server last sent a list or a line of a watch of a resource, in Unix time; 0 before the first.";
    topology_skipped_objects_total: Counter, "Objects left out: too large, too deep, or not as Kubernetes writes them.";
    topology_watch_restarts_total: Counter, "Watches that ended and began again.";
    topology_evicted_tombstones_total: Counter, "Deleted objects forgotten before tombstone_ttl, because there were too many.";
    published_timestamp_seconds: Gauge, "When these figures were published on the host's engine, in Unix time.";
}

impl Metrics {
    /// Sets what follows from the time alone. For the thread that publishes; no other writes these two.
    pub fn tell_time(&self, now_seconds: u64) {
        let opens_at = self.gateway_closed_until_timestamp_seconds.get();
        self.gateway_open.set(u64::from(now_seconds >= opens_at));
        self.published_timestamp_seconds.set(now_seconds);
    }
}
