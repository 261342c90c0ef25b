//! Every number we publish: name, help, kind, one struct of atomics.
//!
//! Any thread counts here; the border publishes the values on the host's own thread, because the host's
//! metric maps take no lock before 5.1. Names follow the Prometheus conventions.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One number.
#[derive(Debug, Default)]
pub struct Number(AtomicU64);

impl Number {
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub fn set(&self, n: u64) {
        self.0.store(n, Relaxed);
    }

    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
}

/// What the host needs to know of a number.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    pub name: &'static str,
    pub kind: Kind,
    pub help: &'static str,
}

macro_rules! metrics {
    ($($field:ident: $kind:ident, $help:literal;)*) => {
        /// The numbers of one instance.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $(#[doc = $help] pub $field: Number,)*
        }

        impl Metrics {
            /// What is published, in the order of [`Metrics::values`].
            pub const DESCRIBED: &'static [Described] = &[
                $(Described { name: stringify!($field), kind: Kind::$kind, help: $help },)*
            ];

            /// The values now, in the order of [`Metrics::DESCRIBED`].
            #[must_use]
            pub fn values(&self) -> Vec<u64> {
                vec![$(self.$field.get(),)*]
            }
        }
    };
}

metrics! {
    records_total: Counter, "Records read from chunks, the items of lists counted one by one.";
    skipped_records_total: Counter, "Records that could not be decoded, or are no Kubernetes event.";
    excluded_records_total: Counter, "Records left out by namespaces, types or reasons.";
    duplicate_records_total: Counter, "Records that repeat a version acknowledged before, or on its way.";
    suppressed_updates_total: Counter, "Updates not delivered because of the updates setting.";
    delivered_records_total: Counter, "Records acknowledged by the gateway.";
    dead_lettered_records_total: Counter, "Records written to the dead letter file.";
    dropped_records_total: Counter, "Records lost: rejected by the gateway or too large, with no dead letter file.";
    replaced_strings_total: Counter, "Strings that were not UTF-8 and had bytes replaced.";
    requests_total: Counter, "Requests made to the gateway.";
    request_retries_total: Counter, "Requests that did not settle their batch and were or will be made again.";
    batches_total: Counter, "Batches acknowledged by the gateway.";
    batch_bytes_total: Counter, "Bytes of acknowledged batches before compression.";
    sent_bytes_total: Counter, "Bytes of acknowledged batches as sent.";
    ledger_entries: Gauge, "Delivered versions that the ledger remembers.";
    ledger_evicted_entries_total: Counter, "Versions that left the ledger early because it was full.";
    jobs_in_flight: Gauge, "Chunks taken and not yet answered.";
    job_bytes_in_flight: Gauge, "Bytes of the chunks taken and not yet answered.";
    refused_chunks_total: Counter, "Chunks answered with RETRY at once because too many were in flight.";
    gateway_open: Gauge, "1 while requests may go out, 0 while the gate is closed after a failure.";
    matched_records_total: Counter, "Records that name at least one Service under impact.";
    unmatched_records_total: Counter, "Records about objects behind which no Service stands.";
    not_ready_records_total: Counter, "Records that went out before the cluster's first lists were complete.";
    topology_ready: Gauge, "1 once the cluster's first lists are complete; 0 before, and with correlate off.";
    topology_objects: Gauge, "Objects of the cluster that are held, deleted ones included.";
    topology_last_message_timestamp_seconds: Gauge, "When the API server last sent anything, in Unix time.";
    topology_skipped_objects_total: Counter, "Objects left out: too large, too deep, or not as Kubernetes writes them.";
    topology_watch_restarts_total: Counter, "Watches that ended and began again.";
    topology_evicted_tombstones_total: Counter, "Deleted objects forgotten before tombstone_ttl, because there were too many.";
    last_acknowledgement_timestamp_seconds: Gauge, "When the gateway last acknowledged a batch, in Unix time.";
}
