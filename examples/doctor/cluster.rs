//! The findings about the cluster: which resources are followed, and the outcomes of the correlation.

use super::finding::{Finding, finding, span};
use super::verdict::Output;

/// The plugin probes a quiet watch after two minutes, and starts it again every five to ten minutes.
const SILENT_RESOURCE_SECONDS: f64 = 300.0;
/// `correlate_wait` is at most a minute, so a longer wait is a fault of the plugin.
const LONGEST_WAIT_SECONDS: f64 = 90.0;

/// Each reason why a resource is not followed, whether that is a problem, and its meaning with what to do. An old API
/// server that lacks a resource is not a problem.
const REASONS: [(&str, bool, &str); 7] = [
    (
        "forbidden",
        true,
        "the role does not grant list and watch (403): apply fluent-bit-conf/kubernetes/rbac.yaml, and bind it to \
         Fluent Bit's ServiceAccount",
    ),
    (
        "unauthorized",
        true,
        "the API server does not accept the token (401): look at kube_token_file and at Fluent Bit's ServiceAccount",
    ),
    (
        "unreachable",
        true,
        "no connection to the API server: look at kube_url, kube_ca_file, network policies, and whether it runs",
    ),
    (
        "not_served",
        false,
        "the API server does not serve them (404): it is older, or kube_url points elsewhere",
    ),
    ("throttled", true, "the API server throttles the plugin (429): look at its load and its flow schemas"),
    ("server_error", true, "the API server fails (5xx): look at its log"),
    (
        "unreadable",
        true,
        "the responses are not those of an API server: look at kube_url and at proxies in front of it",
    ),
];

pub fn findings(output: &Output<'_>) -> Vec<Finding> {
    if output.of("topology_enabled") == 0.0 {
        return vec![finding(false, "cluster", "not followed (correlate is off)")];
    }
    let unfollowed = unfollowed(output);
    let mut found = vec![last_message(output, &unfollowed)];
    let all = output.labelled("topology_last_message_timestamp_seconds", &["resource"]).len();
    for (reason, is_trouble, meaning) in REASONS {
        let resources: Vec<&str> =
            unfollowed.iter().filter(|(_, why)| *why == reason).map(|(resource, _)| *resource).collect();
        if !resources.is_empty() {
            let named =
                if resources.len() == all { "all resources".to_owned() } else { resources.join(", ") };
            let is_trouble = is_trouble || resources.len() == all;
            found.push(finding(is_trouble, "cluster", format!("{named} not followed: {meaning}")));
        }
    }
    // A newer plugin may have other reasons.
    for (resource, reason) in
        unfollowed.iter().filter(|(_, why)| REASONS.iter().all(|(known, ..)| known != why))
    {
        found.push(finding(true, "cluster", format!("{resource} not followed: {reason}")));
    }
    found.extend(waiting(output));
    found.extend(outcomes(output));
    found
}

/// The resources that are not followed, each with the reason.
fn unfollowed<'p>(output: &Output<'p>) -> Vec<(&'p str, &'p str)> {
    let figures = output.labelled("topology_unfollowed", &["resource", "reason"]);
    let pair = |values: Vec<&'p str>| Some((*values.first()?, *values.get(1)?));
    figures.into_iter().filter(|(_, value)| *value > 0.0).filter_map(|(values, _)| pair(values)).collect()
}

/// The resource with the oldest last message decides, because a live resource says nothing about the others. Resources
/// that are not followed have their own line.
fn last_message(output: &Output<'_>, unfollowed: &[(&str, &str)]) -> Finding {
    let ages = output.labelled("topology_last_message_timestamp_seconds", &["resource"]);
    let ages = ages.into_iter().filter_map(|(values, at)| Some((*values.first()?, output.since(at))));
    let mut followed: Vec<_> =
        ages.filter(|(resource, _)| unfollowed.iter().all(|(other, _)| other != resource)).collect();
    // "Never" counts as the oldest age.
    followed.sort_by(|a, b| {
        b.1.unwrap_or(f64::INFINITY).total_cmp(&a.1.unwrap_or(f64::INFINITY)).then(a.0.cmp(b.0))
    });
    let oldest = followed.first().copied();
    let says = match oldest {
        None => "no resource is followed".to_owned(),
        Some((resource, None)) => format!("no message of {resource} yet"),
        Some((resource, Some(ago))) => {
            format!("a message of each resource that is followed, of {resource} {} ago", span(ago))
        }
    };
    if output.of("topology_ready") == 0.0 {
        return finding(true, "cluster", format!("not listed; {says}; events name no Services"));
    }
    let silent: Vec<String> = followed
        .iter()
        .filter(|(_, ago)| ago.is_none_or(|ago| ago > SILENT_RESOURCE_SECONDS))
        .map(|(resource, ago)| {
            ago.map_or(format!("{resource} (never)"), |ago| format!("{resource} ({})", span(ago)))
        })
        .collect();
    if silent.is_empty() {
        return finding(oldest.is_none(), "cluster", format!("listed; {says}"));
    }
    let text = format!(
        "listed, but no message for long of {}: look at the API server and the network to it; restart Fluent Bit if \
         the API server answers other clients",
        silent.join(", ")
    );
    finding(true, "cluster", text)
}

fn waiting(output: &Output<'_>) -> Option<Finding> {
    let records = output.of("correlation_waiting_records");
    let since = output.ago("correlation_waiting_since_timestamp_seconds").unwrap_or(0.0);
    let text = format!("{records} records wait for the topology, the oldest for {}", span(since));
    (records > 0.0).then(|| finding(since > LONGEST_WAIT_SECONDS, "topology", text))
}

/// The shares of each outcome since the start of the host. They include the events of its first list, whose objects may
/// have been deleted long ago.
fn outcomes(output: &Output<'_>) -> Option<Finding> {
    let outcomes = output.labelled("correlated_records_total", &["correlation"]);
    let total: f64 = outcomes.iter().map(|(_, count)| count).sum();
    let parts = outcomes.iter().filter(|(_, count)| *count > 0.0).filter_map(|(values, count)| {
        Some(format!("{} {count} ({:.0} %)", values.first()?, 100.0 * count / total))
    });
    (total > 0.0).then(|| finding(false, "services", parts.collect::<Vec<_>>().join(", ")))
}
