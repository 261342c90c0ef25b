//! The findings of the verification of the source: which events the API server has and this output did not get.

use super::finding::{Finding, finding, span};
use super::verdict::Output;

/// Nothing with `reconcile off`.
pub fn findings(output: &Output<'_>) -> Vec<Finding> {
    if output.of("reconcile_enabled") == 0.0 {
        return Vec::new();
    }
    let (seen, settled) =
        (output.of("reconcile_seen_versions_total"), output.of("reconcile_settled_versions_total"));
    let unaccounted = output.of("reconcile_unaccounted_versions");
    if unaccounted == 0.0 {
        let text = format!(
            "{settled:.0} of {seen:.0} versions of events settled that the API server has shown, the others on their way"
        );
        return vec![finding(false, "verified", text)];
    }
    let since = output.ago("reconcile_unsettled_since_timestamp_seconds").unwrap_or(0.0);
    let text = format!(
        "{unaccounted:.0} of {seen:.0} versions of events did not come through this output, the oldest for {}: unless the \
         gateway is away, look at the log of the input kubernetes_events and restart the pod, or move filters that leave \
         events out into this output's own selection",
        span(since)
    );
    vec![finding(true, "verified", text)]
}
