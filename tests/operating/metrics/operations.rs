//! Do the alerts and the dashboard name metrics and labels that exist, and say what a person needs?
//!
//! The alerts are read line by line, as the role is: they are ours. `promtool check rules` reads them as YAML,
//! where somebody has it; `alerts` asks when they fire.

use std::collections::BTreeSet;

use event_gateway::metrics::{Described, MetricType, Metrics};
use serde_json::Value;

pub const ALERTS: &str = include_str!("../../../fluent-bit-conf/kubernetes/alerts.yaml");
const DASHBOARD: &str = include_str!("../../../fluent-bit-conf/kubernetes/dashboard.json");

/// Figures of others that are used, each with its labels.
const OF_OTHERS: [(&str, &[&str]); 9] = [
    ("fluentbit_input_ingestion_paused", &[]),
    ("fluentbit_input_records_total", &[]),
    ("fluentbit_input_storage_chunks_busy", &[]),
    ("fluentbit_input_storage_chunks_busy_bytes", &[]),
    ("fluentbit_output_chunk_available_capacity_percent", &[]),
    ("fluentbit_output_dropped_records_total", &[]),
    ("fluentbit_output_retries_failed_total", &[]),
    ("fluentbit_output_retries_total", &[]),
    ("apiserver_request_total", &["resource", "verb", "code"]),
];

/// What a scrape adds.
const OF_THE_TARGET: [&str; 5] = ["cluster", "instance", "job", "namespace", "pod"];

/// The metric that a sample of this name belongs to.
fn metric(name: &str) -> Option<&'static Described> {
    let name = name.strip_prefix("event_gateway_")?;
    Metrics::DESCRIBED.iter().find(|described| match described.metric_type {
        // Only the parts of a histogram have samples.
        MetricType::Histogram => {
            let part = name.strip_prefix(described.name);
            part.is_some_and(|part| ["_bucket", "_sum", "_count"].contains(&part))
        }
        _ => described.name == name,
    })
}

fn has_label(name: &str, label: &str) -> bool {
    label == "name"
        || OF_THE_TARGET.contains(&label)
        || label == "le" && name.ends_with("_bucket")
        || metric(name).is_some_and(|described| described.labels.contains(&label))
        || OF_OTHERS.iter().any(|(other, labels)| *other == name && labels.contains(&label))
}

/// The names of metrics in a text, each with what follows it.
fn names(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let beginnings = ["event_gateway_", "fluentbit_", "apiserver_"].into_iter();
    let mut places: Vec<usize> =
        beginnings.flat_map(|beginning| text.match_indices(beginning).map(|(at, _)| at)).collect();
    places.sort_unstable();
    places.into_iter().map(|at| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        rest.split_at(end)
    })
}

/// The labels of the lists `by (a, b)` and `without (a)`.
fn grouped(expression: &str) -> Vec<&str> {
    let mut labels = Vec::new();
    for keyword in ["by (", "without ("] {
        for rest in expression.split(keyword).skip(1) {
            labels.extend(rest.split(')').next().unwrap_or_default().split(',').map(str::trim));
        }
    }
    labels
}

/// Those of the matchers `{a="x",b=~"y"}` right behind a name.
fn matched(rest: &str) -> Vec<&str> {
    let Some(inside) = rest.strip_prefix('{').and_then(|rest| rest.split('}').next()) else {
        return Vec::new();
    };
    inside.split(',').filter_map(|matcher| matcher.split(['=', '!']).next()).map(str::trim).collect()
}

/// What is wrong with an expression of PromQL.
fn wrong(expression: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut of_it = Vec::new();
    for (name, rest) in names(expression) {
        if metric(name).is_none() && OF_OTHERS.iter().all(|(other, _)| *other != name) {
            wrong.push(format!("there is no {name}"));
        }
        of_it.push(name);
        let foreign = matched(rest).into_iter().filter(|label| !has_label(name, label));
        wrong.extend(foreign.map(|label| format!("{name} has no label {label}")));
    }
    for label in grouped(expression) {
        if !of_it.iter().all(|name| has_label(name, label)) {
            wrong.push(format!("{label} is no label of {of_it:?}"));
        }
    }
    if of_it.is_empty() {
        wrong.push(format!("no metric of ours in {expression}"));
    }
    wrong
}

/// The alerts: name and text.
pub fn alerts() -> Vec<(&'static str, &'static str)> {
    let blocks = ALERTS.split("- alert: ").skip(1);
    blocks.map(|block| block.split_once('\n').expect("a name and more")).collect()
}

/// The expression of an alert, on one line or on several that are indented further.
pub fn expression(block: &str) -> String {
    let after = block.split("          expr: ").nth(1).expect("an expression");
    let mut lines = after.lines();
    match lines.next().expect("a line") {
        "|" => lines.take_while(|line| line.starts_with("            ")).collect::<Vec<_>>().join("\n"),
        line => line.to_owned(),
    }
}

#[test]
fn the_alerts_name_what_is_there() {
    let problems: Vec<String> = alerts()
        .iter()
        .flat_map(|(name, block)| {
            wrong(&expression(block)).into_iter().map(|what| format!("{name}: {what}")).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(problems, [""; 0]);
    // In words, too; a histogram there by its own name.
    for (name, _) in names(ALERTS).filter(|(name, _)| name.starts_with("event_gateway_")) {
        let bare = |described: &&Described| name == format!("event_gateway_{}", described.name);
        assert!(metric(name).is_some() || Metrics::DESCRIBED.iter().any(|d| bare(&d)), "{name}");
    }
    for label in ALERTS.split("$labels.").skip(1).filter_map(|rest| rest.split([' ', '}']).next()) {
        assert!(["name", "instance", "resource", "reason"].contains(&label), "{label}");
    }
}

#[test]
fn every_alert_says_what_to_do() {
    let mut seen = BTreeSet::new();
    for (name, block) in alerts() {
        assert!(seen.insert(name) && name.starts_with("EventGateway"), "{name}");
        for part in ["severity: ", "summary: '", "description: >-", "Runbook: "] {
            assert_eq!(block.matches(part).count(), 1, "{name}: {part}");
        }
    }
    let expressions: String = alerts().iter().map(|(_, block)| expression(block)).collect();
    for watched in [
        "endpoint_failing_since_timestamp_seconds",
        "dead_lettered_records_total",
        "dropped_records_total",
        "topology_ready",
        "topology_unfollowed",
        "topology_last_message_timestamp_seconds",
        "correlation_waiting_since_timestamp_seconds",
        "correlated_records_total",
        "ledger_evicted_entries_total",
        "oldest_job_timestamp_seconds",
        "reconcile_unaccounted_versions",
    ] {
        assert!(names(&expressions).any(|(name, _)| name == format!("event_gateway_{watched}")), "{watched}");
    }
    assert!(ALERTS.contains("kind: PrometheusRule") && !ALERTS.contains('\t'));
}

#[test]
fn the_dashboard_names_what_is_there() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let variables: BTreeSet<&str> =
        variables.iter().filter_map(|variable| variable["name"].as_str()).collect();
    let panels = dashboard["panels"].as_array().expect("panels");
    let (mut ids, mut cells) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}");
        let at = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
        assert!(at("x") + at("w") <= 24, "{title}");
        for x in at("x")..at("x") + at("w") {
            assert!((at("y")..at("y") + at("h")).all(|y| cells.insert((x, y))), "{title} lies on another");
        }
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression");
            assert_eq!(wrong(expression), [""; 0], "{title}: {expression}");
            for used in expression.split('$').skip(1) {
                let used = used.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next();
                let known = used.is_some_and(|used| used.starts_with("__") || variables.contains(used));
                assert!(known, "{title}: {used:?}");
            }
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
        }
    }
    for query in DASHBOARD.split("label_values(").skip(1).filter_map(|rest| rest.split(')').next()) {
        let (name, label) = query.split_once(", ").expect("a metric and a label");
        assert!(metric(name).is_some() && has_label(name, label), "{query}");
    }
    assert!(variables.contains("datasource") && panels.len() > 10);
}

/// A check that cannot fail checks nothing.
#[test]
fn the_checks_find_what_they_look_for() {
    for good in [
        "event_gateway_endpoint_open == 0",
        "sum by (le) (rate(event_gateway_request_duration_seconds_bucket{name=~\"$name\",le=\"1.0\"}[5m]))",
        "sum by (name, class) (event_gateway_request_retries_total{class!=\"tls\",instance=\"x\"})",
    ] {
        assert_eq!(wrong(good), [""; 0], "{good}");
    }
    for bad in [
        "event_gateway_endpoint_opened == 0",
        "rate(event_gateway_request_duration_seconds[5m])",
        "rate(event_gateway_requests_total_bucket[5m])",
        "event_gateway_requests_total{class=\"tls\"}",
        "sum by (class) (event_gateway_requests_total)",
        "sum by (le) (event_gateway_request_duration_seconds_sum)",
        "up == 0",
    ] {
        assert_ne!(wrong(bad), [""; 0], "{bad}");
    }
}
