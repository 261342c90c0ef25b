//! The findings about one output.
//!
//! Ages are computed with the host's own clock, as published on the page, because this machine's clock may differ.
//! Counters start with the host, so a loss stays a problem until the next start.

use super::cluster;
use super::finding::{Finding, finding, span, time};
use super::page::Page;
use super::reconcile;
use super::waiting;

/// Figures that are older come from an engine that is blocked; usually they are two seconds old at most.
const OLD_FIGURES_SECONDS: f64 = 30.0;

/// The metrics without further labels that are used; a test compares both lists with the plugin's own table.
pub const FIGURES: [&str; 25] = [
    "published_timestamp_seconds",
    "delivering",
    "panicked_rounds_total",
    "records_total",
    "delivered_records_total",
    "duplicate_records_total",
    "last_acknowledgement_timestamp_seconds",
    "endpoint_closed_until_timestamp_seconds",
    "endpoint_failing_since_timestamp_seconds",
    "jobs_in_flight",
    "oldest_job_timestamp_seconds",
    "correlation_waiting_records",
    "correlation_waiting_since_timestamp_seconds",
    "topology_enabled",
    "topology_ready",
    "dropped_records_total",
    "skipped_records_total",
    "dead_lettered_records_total",
    "dead_letter_failures_total",
    "ledger_failed_writes_total",
    "reconcile_enabled",
    "reconcile_seen_versions_total",
    "reconcile_settled_versions_total",
    "reconcile_unaccounted_versions",
    "reconcile_unsettled_since_timestamp_seconds",
];

/// The metrics with further labels that are used.
pub const LABELLED: [(&str, &[&str]); 4] = [
    ("request_retries_total", &["class"]),
    ("correlated_records_total", &["correlation"]),
    ("topology_unfollowed", &["resource", "reason"]),
    ("topology_last_message_timestamp_seconds", &["resource"]),
];

/// The findings about one output on the last page; the other pages are a few seconds older.
pub fn findings(pages: &[Page], instance: &str, now_seconds: u64) -> Vec<Finding> {
    let Some(page) = pages.last() else { return Vec::new() };
    let output = Output { page, instance };
    let single = FIGURES.into_iter().filter(|figure| page.figure(instance, figure).is_none());
    let labelled = LABELLED.into_iter().filter(|(figure, labels)| output.labelled(figure, labels).is_empty());
    let missing: Vec<&str> = single.chain(labelled.map(|(figure, _)| figure)).collect();
    if !missing.is_empty() {
        let text = format!("missing on the page: {}", missing.join(", "));
        return vec![finding(true, "figures", text)];
    }
    let mut found = vec![output.figures(now_seconds), output.plugin(), output.records(), output.gateway()];
    found.extend(waiting::findings(&output, pages));
    found.extend(cluster::findings(&output));
    found.extend(reconcile::findings(&output));
    found.push(output.lost());
    found
}

/// One output's figures.
pub struct Output<'p> {
    pub page: &'p Page,
    pub instance: &'p str,
}

impl<'p> Output<'p> {
    pub fn of(&self, figure: &str) -> f64 {
        self.page.figure(self.instance, figure).unwrap_or(0.0)
    }

    pub fn labelled(&self, figure: &str, labels: &'p [&'p str]) -> Vec<(Vec<&'p str>, f64)> {
        self.page.labelled(self.instance, figure, labels)
    }

    /// The age of a time on the page when the page was published; `None` for 0, which means never.
    pub fn ago(&self, figure: &str) -> Option<f64> {
        self.since(self.of(figure))
    }

    pub fn since(&self, at: f64) -> Option<f64> {
        (at > 0.0).then(|| (self.of("published_timestamp_seconds") - at).max(0.0))
    }

    fn figures(&self, now_seconds: u64) -> Finding {
        let published = self.of("published_timestamp_seconds");
        #[expect(clippy::cast_precision_loss, reason = "exact for millions of years")]
        let age = (now_seconds as f64 - published).max(0.0);
        let text = format!("of {}, {} ago", time(published), span(age));
        if age > OLD_FIGURES_SECONDS {
            let why = "Fluent Bit's engine is blocked, or its clock and this machine's differ";
            return finding(true, "figures", format!("{text}: {why}"));
        }
        finding(false, "figures", text)
    }

    fn plugin(&self) -> Finding {
        let panicked = self.of("panicked_rounds_total");
        let faults = if panicked > 0.0 {
            format!(
                "; a fault of the plugin ended {panicked} rounds since the start: report the ERROR in the log"
            )
        } else {
            String::new()
        };
        if self.of("delivering") == 0.0 {
            return finding(true, "plugin", format!("no longer delivers: restart Fluent Bit{faults}"));
        }
        finding(panicked > 0.0, "plugin", format!("delivers{faults}"))
    }

    fn records(&self) -> Finding {
        let [read, delivered, duplicates] =
            ["records_total", "delivered_records_total", "duplicate_records_total"]
                .map(|figure| self.of(figure));
        let last = self.ago("last_acknowledgement_timestamp_seconds");
        let last = last.map_or("never yet".to_owned(), |ago| format!("{} ago", span(ago)));
        let text = format!(
            "{delivered} delivered of {read} read, {duplicates} duplicates; last acknowledgement {last}"
        );
        finding(false, "records", text)
    }

    fn gateway(&self) -> Finding {
        let until = self.of("endpoint_closed_until_timestamp_seconds");
        let left = until - self.of("published_timestamp_seconds");
        let endpoint = if left > 0.0 {
            format!("closed for {} more, until {}", span(left), time(until))
        } else {
            "open".to_owned()
        };
        let Some(failing) = self.ago("endpoint_failing_since_timestamp_seconds") else {
            return finding(false, "gateway", endpoint);
        };
        let mut classes = self.labelled("request_retries_total", &["class"]);
        classes.retain(|(_, count)| *count > 0.0);
        classes.sort_by(|a, b| b.1.total_cmp(&a.1));
        let classes: Vec<String> =
            classes.iter().map(|(class, count)| format!("{} {count}", class.join(" "))).collect();
        let text =
            format!("failing for {} ({} since the start); {endpoint}", span(failing), classes.join(", "));
        finding(true, "gateway", text)
    }

    fn lost(&self) -> Finding {
        let [dropped, skipped, dead, refused, unsaved] = [
            "dropped_records_total",
            "skipped_records_total",
            "dead_lettered_records_total",
            "dead_letter_failures_total",
            "ledger_failed_writes_total",
        ]
        .map(|figure| self.of(figure));
        let given_up = self.page.host_figure(self.instance, "fluentbit_output_dropped_records_total");
        let chunks = self.page.host_figure(self.instance, "fluentbit_output_retries_failed_total");
        let mut parts = Vec::new();
        if dropped > 0.0 {
            parts.push(format!("{dropped} records since the start: set dead_letter_file"));
        }
        if skipped > 0.0 {
            parts.push(format!("{skipped} that could not be read: look at match and the input's parser"));
        }
        if given_up > 0.0 || chunks > 0.0 {
            parts.push(format!(
                "Fluent Bit gave up {given_up} records, {chunks} chunks after their last retry: set retry_limit \
                 no_limits, and unset or raise storage.total_limit_size"
            ));
        }
        if parts.is_empty() {
            parts.push("nothing".to_owned());
        }
        if dead > 0.0 {
            parts.push(format!("{dead} in dead_letter_file"));
        }
        if refused > 0.0 {
            parts.push(format!(
                "writing to dead_letter_file failed {refused} times, and the records were retried"
            ));
        }
        if unsaved > 0.0 {
            parts.push(format!("writing state_file failed {unsaved} times"));
        }
        let is_trouble = [dropped, skipped, refused, given_up, chunks].iter().any(|count| *count > 0.0);
        finding(is_trouble, "lost", parts.join("; "))
    }
}
