//! What the figures of one output mean, and which of them are trouble.
//!
//! Ages are taken from the host's own clock, as the page tells it: a port-forward may end on a machine whose
//! clock is another. Counters count from the start of the host, so a loss stays trouble until the next.

use event_gateway::time::Stamp;

use super::page::Page;

/// Figures older than this come from an engine that stands still; they follow within two seconds else.
const OLD_FIGURES_SECONDS: f64 = 30.0;
/// A chunk may wait for its batch's tries and timeouts, and at the start for `topology_wait`.
const OLD_CHUNK_SECONDS: f64 = 60.0;
/// The API server sends bookmarks about every minute.
const SILENT_CLUSTER_SECONDS: f64 = 300.0;

/// What is read; a test holds it to the plugin's own table.
pub const FIGURES: [&str; 19] = [
    "published_timestamp_seconds",
    "delivering",
    "panicked_rounds_total",
    "records_total",
    "delivered_records_total",
    "duplicate_records_total",
    "last_acknowledgement_timestamp_seconds",
    "gateway_closed_until_timestamp_seconds",
    "gateway_failing_since_timestamp_seconds",
    "jobs_in_flight",
    "oldest_job_timestamp_seconds",
    "topology_enabled",
    "topology_ready",
    "topology_last_message_timestamp_seconds",
    "dropped_records_total",
    "skipped_records_total",
    "dead_lettered_records_total",
    "dead_letter_failures_total",
    "ledger_failed_writes_total",
];

/// One line of the report.
#[derive(Debug, PartialEq)]
pub struct Finding {
    pub is_trouble: bool,
    pub what: &'static str,
    pub text: String,
}

fn finding(is_trouble: bool, what: &'static str, text: impl Into<String>) -> Finding {
    Finding { is_trouble, what, text: text.into() }
}

pub fn findings(page: &Page, instance: &str, now_seconds: u64) -> Vec<Finding> {
    let missing: Vec<&str> =
        FIGURES.into_iter().filter(|figure| page.figure(instance, figure).is_none()).collect();
    if !missing.is_empty() {
        let text = format!("not told here: {}; is the plugin an older one?", missing.join(", "));
        return vec![finding(true, "figures", text)];
    }
    let output = Output { page, instance };
    vec![
        output.figures(now_seconds),
        output.plugin(),
        output.records(),
        output.gateway(),
        output.waiting(),
        output.cluster(),
        output.lost(),
    ]
}

/// One output's figures.
struct Output<'p> {
    page: &'p Page,
    instance: &'p str,
}

impl Output<'_> {
    fn of(&self, figure: &str) -> f64 {
        self.page.figure(self.instance, figure).unwrap_or(0.0)
    }

    /// How long a time of the page was ago when it was published; `None` for 0, which is never.
    fn ago(&self, figure: &str) -> Option<f64> {
        let at = self.of(figure);
        (at > 0.0).then(|| (self.of("published_timestamp_seconds") - at).max(0.0))
    }

    fn figures(&self, now_seconds: u64) -> Finding {
        let published = self.of("published_timestamp_seconds");
        #[expect(clippy::cast_precision_loss, reason = "exact for some more million years")]
        let age = (now_seconds as f64 - published).max(0.0);
        let text = format!("of {}, {} ago", time(published), span(age));
        if age > OLD_FIGURES_SECONDS {
            let why = "Fluent Bit's engine stands still, or its clock and this one differ";
            return finding(true, "figures", format!("{text}: {why}"));
        }
        finding(false, "figures", text)
    }

    fn plugin(&self) -> Finding {
        let panicked = self.of("panicked_rounds_total");
        let faults = if panicked > 0.0 {
            format!("; its own fault ended {panicked} rounds since the start: report the ERROR in the log")
        } else {
            String::new()
        };
        if self.of("delivering") == 0.0 {
            return finding(true, "plugin", format!("delivers no more: restart Fluent Bit{faults}"));
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
            "{delivered} delivered of {read} read, {duplicates} were duplicates; last acknowledgement {last}"
        );
        finding(false, "records", text)
    }

    fn gateway(&self) -> Finding {
        let until = self.of("gateway_closed_until_timestamp_seconds");
        let left = until - self.of("published_timestamp_seconds");
        let gate = if left > 0.0 {
            format!("closed for {} more, until {}", span(left), time(until))
        } else {
            "open".to_owned()
        };
        let Some(failing) = self.ago("gateway_failing_since_timestamp_seconds") else {
            return finding(false, "gateway", gate);
        };
        let classes = self.page.counted(self.instance, "request_retries_total");
        let classes: Vec<String> = classes.iter().map(|(class, count)| format!("{class} {count}")).collect();
        let text = format!("failing for {} ({} since the start); {gate}", span(failing), classes.join(", "));
        finding(true, "gateway", text)
    }

    fn waiting(&self) -> Finding {
        let Some(oldest) = self.ago("oldest_job_timestamp_seconds") else {
            return finding(false, "waiting", "nothing");
        };
        let text = format!("{} chunks, the oldest for {}", self.of("jobs_in_flight"), span(oldest));
        finding(oldest > OLD_CHUNK_SECONDS, "waiting", text)
    }

    fn cluster(&self) -> Finding {
        if self.of("topology_enabled") == 0.0 {
            return finding(false, "cluster", "not followed (correlate is off)");
        }
        let ago = self.ago("topology_last_message_timestamp_seconds");
        let heard =
            ago.map_or("nothing heard of it yet".to_owned(), |ago| format!("heard of {} ago", span(ago)));
        if self.of("topology_ready") == 0.0 {
            return finding(true, "cluster", format!("not listed; {heard}; events name no Services"));
        }
        let is_silent = ago.is_none_or(|ago| ago > SILENT_CLUSTER_SECONDS);
        finding(is_silent, "cluster", format!("known; {heard}"))
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
        let mut parts = Vec::new();
        if dropped > 0.0 {
            parts.push(format!("{dropped} records since the start: set dead_letter_file"));
        }
        if skipped > 0.0 {
            parts.push(format!("{skipped} that are no events: look at match and the input's parser"));
        }
        if parts.is_empty() {
            parts.push("nothing".to_owned());
        }
        if dead > 0.0 {
            parts.push(format!("{dead} in dead_letter_file"));
        }
        if refused > 0.0 {
            parts.push(format!("dead_letter_file did not take one {refused} times, and it came again"));
        }
        if unsaved > 0.0 {
            parts.push(format!("state_file could not be written {unsaved} times"));
        }
        finding(dropped > 0.0 || skipped > 0.0 || refused > 0.0, "lost", parts.join("; "))
    }
}

/// Two units at the most: `3 s`, `5 min 3 s`, `2 h 5 min`.
fn span(seconds: f64) -> String {
    let whole = whole(seconds);
    match (whole / 3_600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

fn time(unix_seconds: f64) -> String {
    Stamp::from_unix_seconds(whole(unix_seconds)).map_or("no time".to_owned(), |at| at.to_string())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
fn whole(seconds: f64) -> u64 {
    seconds as u64
}
