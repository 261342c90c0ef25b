//! Series as Prometheus has them: those of a host for which all is well, and what a fault changes.

use event_gateway::metrics::cluster::{REASONS, RESOURCES};

use super::promql::{Labels, Series};

/// From a fault to the page.
const PUBLISHED: f64 = 2.0;
/// Well before the fault, so that ranges have something to look at.
pub const FAULT: f64 = 1_200.0;
pub const END: f64 = 1_500.0;

/// How often Fluent Bit and the API server are scraped, and how long after a multiple of that.
#[derive(Debug, Clone, Copy)]
pub struct Scrapes {
    pub every: u32,
    pub shift: f64,
}

impl Scrapes {
    /// As late as can be: the scrape before the fault is published is just over.
    pub fn late(every: u32) -> Self {
        Self { every, shift: (FAULT + PUBLISHED - 1.0) % f64::from(every) }
    }

    /// A series of Fluent Bit: `value` of each second from which the page shows it.
    pub fn of(self, metric: &str, labels: &[(&str, &str)], value: impl Fn(f64) -> f64) -> Series {
        let of_target = [("instance", "fb:2020"), ("name", "shop")];
        let labels: Labels = of_target
            .iter()
            .chain(labels)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let times = (0..200).map(|number| f64::from(number * self.every) + self.shift);
        Series {
            metric: metric.to_owned(),
            labels,
            samples: times.filter(|second| *second <= END).map(|at| (at, value(at - PUBLISHED))).collect(),
        }
    }

    pub fn of_input(self, metric: &str, value: impl Fn(f64) -> f64) -> Series {
        self.of(metric, &[("name", "kubernetes_events.0")], value)
    }

    /// What the API server took; its page shows it at once.
    pub fn of_api_server(self, value: impl Fn(f64) -> f64) -> Series {
        let labels = [
            ("instance", "api:6443"),
            ("name", ""),
            ("resource", "events"),
            ("verb", "POST"),
            ("code", "201"),
        ];
        self.of("apiserver_request_total", &labels, |at| value(at + PUBLISHED))
    }

    pub fn unfollowed(self, resource: &str, reason: &str, value: impl Fn(f64) -> f64) -> Series {
        self.of("event_gateway_topology_unfollowed", &[("resource", resource), ("reason", reason)], value)
    }

    /// The figures of a host for which all is well: an event and a chunk each second, and retries of the past.
    pub fn well(self) -> Vec<Series> {
        let mut all = vec![
            self.of("event_gateway_published_timestamp_seconds", &[], |at| at),
            self.of("fluentbit_output_retries_total", &[], |_| 17.0),
            self.of("fluentbit_output_chunk_available_capacity_percent", &[], |_| 100.0),
            self.of_input("fluentbit_input_records_total", |at| at),
            self.of_api_server(|at| at),
        ];
        for metric in ["delivering", "topology_enabled", "topology_ready"] {
            all.push(self.of(&format!("event_gateway_{metric}"), &[], |_| 1.0));
        }
        for metric in [
            "event_gateway_endpoint_failing_since_timestamp_seconds",
            "event_gateway_oldest_job_timestamp_seconds",
            "event_gateway_jobs_in_flight",
            "event_gateway_correlation_waiting_since_timestamp_seconds",
            "event_gateway_panicked_rounds_total",
            "event_gateway_dropped_records_total",
            "event_gateway_dead_lettered_records_total",
            "event_gateway_dead_letter_failures_total",
            "event_gateway_skipped_records_total",
            "event_gateway_ledger_evicted_entries_total",
            "event_gateway_ledger_failed_writes_total",
            "event_gateway_reconcile_unaccounted_versions",
            "fluentbit_output_dropped_records_total",
        ] {
            all.push(self.of(metric, &[], |_| 0.0));
        }
        for metric in ["fluentbit_input_storage_chunks_busy", "fluentbit_input_ingestion_paused"] {
            all.push(self.of_input(metric, |_| 0.0));
        }
        for correlation in ["matched", "none", "unknown", "stale", "foreign", "not_ready"] {
            let rate = if correlation == "matched" { 1.0 } else { 0.01 };
            let labels = [("correlation", correlation)];
            all.push(self.of("event_gateway_correlated_records_total", &labels, move |at| at * rate));
        }
        for resource in RESOURCES {
            let labels = [("resource", resource)];
            all.push(self.of("event_gateway_topology_last_message_timestamp_seconds", &labels, |at| at));
            all.extend(REASONS.map(|reason| self.unfollowed(resource, reason, |_| 0.0)));
        }
        all
    }

    /// With the series of the same metric and labels replaced, or added.
    pub fn with(self, changed: impl IntoIterator<Item = Series>) -> Vec<Series> {
        let mut all = self.well();
        for new in changed {
            all.retain(|old| old.metric != new.metric || old.labels != new.labels);
            all.push(new);
        }
        all
    }
}

pub fn after(second: f64, then: f64) -> f64 {
    if second >= FAULT { then } else { 0.0 }
}
