//! Is each fault of a cluster seen within a minute, and nothing where all is well?
//!
//! The worst case: what the plugin knows is published two seconds later, scraped up to 15 seconds later, and evaluated
//! up to 10 seconds later.

use crate::operations::{ALERTS, alerts, expression};
use crate::promql::rule::Rule;
use crate::promql::{Labels, Series};
use event_gateway::metrics::cluster::{REASONS, RESOURCES};

const SCRAPE: u32 = 15;
/// From a fault to the page.
const PUBLISHED: f64 = 2.0;
/// Well before the fault, so that offsets and ranges have something to look at.
const FAULT: f64 = 1_200.0;
const END: f64 = 1_500.0;

fn rules() -> Vec<Rule> {
    let read = |(name, block): (&str, &str)| Rule::read(name, block, &expression(block));
    alerts().into_iter().map(|alert| read(alert).expect("an alert")).collect()
}

fn interval() -> f64 {
    let text =
        ALERTS.split("\n      interval: ").nth(1).and_then(|rest| rest.lines().next()).expect("an interval");
    crate::promql::parse::duration(text).expect("a time")
}

/// A series as it is scraped: `value` of each second from which the page shows it.
fn series(metric: &str, labels: &[(&str, &str)], value: impl Fn(f64) -> f64) -> Series {
    let of_target = [("instance", "fb:2020"), ("name", "shop")];
    let labels: Labels = of_target
        .iter()
        .chain(labels)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    // As late as can be: the scrape before the fault is published is just over.
    let shift = (FAULT + PUBLISHED - 1.0) % f64::from(SCRAPE);
    let times = (0..200).map(|number| f64::from(number * SCRAPE) + shift).filter(|second| *second <= END);
    Series {
        metric: metric.to_owned(),
        labels,
        samples: times.map(|at| (at, value(at - PUBLISHED))).collect(),
    }
}

fn after(second: f64, then: f64) -> f64 {
    if second >= FAULT { then } else { 0.0 }
}

/// The figures of a host for which all is well: an event and a chunk each second.
fn well() -> Vec<Series> {
    let mut all = vec![
        series("event_gateway_delivering", &[], |_| 1.0),
        series("event_gateway_published_timestamp_seconds", &[], |at| at),
        series("event_gateway_gateway_failing_since_timestamp_seconds", &[], |_| 0.0),
        series("event_gateway_oldest_job_timestamp_seconds", &[], |_| 0.0),
        series("event_gateway_jobs_in_flight", &[], |_| 0.0),
        series("event_gateway_topology_enabled", &[], |_| 1.0),
        series("event_gateway_topology_ready", &[], |_| 1.0),
        series("event_gateway_correlation_waiting_since_timestamp_seconds", &[], |_| 0.0),
        series("fluentbit_output_retries_total", &[], |_| 17.0),
        series("fluentbit_output_dropped_records_total", &[], |_| 0.0),
        series("fluentbit_output_chunk_available_capacity_percent", &[], |_| 100.0),
        series("fluentbit_input_storage_chunks_busy", &[("name", "kubernetes_events.0")], |_| 0.0),
        series("fluentbit_input_ingestion_paused", &[("name", "kubernetes_events.0")], |_| 0.0),
        series("fluentbit_input_records_total", &[("name", "kubernetes_events.0")], |at| at),
        series(
            "apiserver_request_total",
            &[
                ("instance", "api:6443"),
                ("name", ""),
                ("resource", "events"),
                ("verb", "POST"),
                ("code", "201"),
            ],
            |at| at,
        ),
    ];
    for correlation in ["matched", "none", "unknown", "stale", "not_ready"] {
        let rate = if correlation == "matched" { 1.0 } else { 0.01 };
        let labels = [("correlation", correlation)];
        all.push(series("event_gateway_correlated_records_total", &labels, move |at| at * rate));
    }
    for resource in RESOURCES {
        let last = series(
            "event_gateway_topology_last_message_timestamp_seconds",
            &[("resource", resource)],
            |at| at,
        );
        all.push(last);
        for reason in REASONS {
            let labels = [("resource", resource), ("reason", reason)];
            all.push(series("event_gateway_topology_unfollowed", &labels, |_| 0.0));
        }
    }
    all
}

/// With the series of the same metric and labels replaced, or added.
fn with(changed: impl IntoIterator<Item = Series>) -> Vec<Series> {
    let mut all = well();
    for new in changed {
        all.retain(|old| old.metric != new.metric || old.labels != new.labels);
        all.push(new);
    }
    all
}

fn unfollowed(resource: &str, reason: &str) -> Series {
    let labels = [("resource", resource), ("reason", reason)];
    series("event_gateway_topology_unfollowed", &labels, |at| after(at, 1.0))
}

/// The seconds from the fault until this alert fires; nothing before the fault.
fn seen_after(alert: &str, series: &[Series]) -> Option<f64> {
    let rule = rules().into_iter().find(|rule| rule.name == alert).expect("such an alert");
    let at = rule.fires_at(series, interval(), END)?;
    assert!(at >= FAULT, "{alert} fired before the fault");
    Some(at - FAULT)
}

#[test]
fn each_alert_is_understood_and_silent_while_all_is_well() {
    let series = well();
    for rule in rules() {
        assert_eq!(rule.fires_at(&series, interval(), END), None, "{}", rule.name);
        for (metric, _) in rule.expr.selectors() {
            let ours = ["event_gateway_", "fluentbit_", "apiserver_"];
            assert!(ours.iter().any(|beginning| metric.starts_with(beginning)), "{metric}");
        }
    }
}

#[test]
#[allow(clippy::print_stdout)]
fn each_fault_is_seen_within_a_minute() {
    let events_only = || RESOURCES.map(|resource| unfollowed(resource, "forbidden"));
    let no_token = || RESOURCES.map(|resource| unfollowed(resource, "unauthorized"));
    let busy = |chunks: f64| {
        series("fluentbit_input_storage_chunks_busy", &[("name", "kubernetes_events.0")], move |at| {
            after(at, chunks)
        })
    };
    let silent =
        series("fluentbit_input_records_total", &[("name", "kubernetes_events.0")], |at| at.min(FAULT));
    let room = series("fluentbit_output_chunk_available_capacity_percent", &[], |at| 100.0 - after(at, 95.0));
    let paused =
        series("fluentbit_input_ingestion_paused", &[("name", "kubernetes_events.0")], |at| after(at, 1.0));
    for (fault, alert, series) in [
        ("the role is cut down to events", "EventGatewayTopologyStale", with(events_only())),
        ("the token is not valid", "EventGatewayTopologyStale", with(no_token())),
        ("one resource is forbidden", "EventGatewayTopologyStale", with([unfollowed("pods", "forbidden")])),
        ("the API server is away", "EventGatewayTopologyStale", with([unfollowed("nodes", "unreachable")])),
        ("the source is silent", "EventGatewaySourceSilent", with([silent])),
        ("the retry queue is full", "EventGatewayRetryQueueFull", with([busy(1_500.0)])),
        ("the disk's share is used up", "EventGatewayRetryQueueFull", with([room])),
        ("the input is paused", "EventGatewayInputPaused", with([paused])),
        ("a chunk waits for its retry", "EventGatewayChunksWaitForRetry", with([busy(1.0)])),
    ] {
        let seconds = seen_after(alert, &series).unwrap_or_else(|| panic!("{fault}: {alert} is silent"));
        println!("{fault}: {alert} after {seconds} s");
        assert!(seconds <= 60.0, "{fault}: {alert} only after {seconds} s");
    }
}

#[test]
fn what_is_slow_is_seen_all_the_same() {
    let waiting =
        series("event_gateway_correlation_waiting_since_timestamp_seconds", &[], |at| after(at, FAULT));
    let not_ready = series("event_gateway_topology_ready", &[], |at| 1.0 - after(at, 1.0));
    let dropped = series("fluentbit_output_dropped_records_total", &[], |at| after(at, 9.0));
    for (alert, series) in [
        ("EventGatewayRecordsWaitForTopology", with([waiting])),
        ("EventGatewayTopologyNotReady", with([not_ready])),
        ("EventGatewayHostGaveUp", with([dropped])),
    ] {
        assert!(seen_after(alert, &series).is_some(), "{alert}");
    }
    let hold = |alert: &str| rules().into_iter().find(|rule| rule.name == alert).expect("such an alert");
    let stale = ("correlation", "stale");
    let many = series("event_gateway_correlated_records_total", &[stale], |at| at);
    assert!(!hold("EventGatewayServicesUncertain").holds_for(&with([many]), END).is_empty());
    let labels = [("resource", "pods")];
    let old = series("event_gateway_topology_last_message_timestamp_seconds", &labels, |at| at.min(800.0));
    assert_eq!(hold("EventGatewayTopologySilent").holds_for(&with([old]), END).len(), 1);
}

#[test]
fn what_is_no_fault_is_not_alerted() {
    // An API server that lacks a resource, another output's dropped records, a quiet cluster.
    let other = series("fluentbit_output_dropped_records_total", &[("name", "s3")], |at| after(at, 9.0));
    let quiet = [
        series("fluentbit_input_records_total", &[("name", "kubernetes_events.0")], |at| at.min(FAULT)),
        series(
            "apiserver_request_total",
            &[
                ("instance", "api:6443"),
                ("name", ""),
                ("resource", "events"),
                ("verb", "POST"),
                ("code", "201"),
            ],
            |at| at.min(FAULT),
        ),
    ];
    for (alert, series) in [
        ("EventGatewayTopologyStale", with([unfollowed("ingresses", "not_served")])),
        ("EventGatewayHostGaveUp", with([other])),
        ("EventGatewaySourceSilent", with(quiet)),
        ("EventGatewaySourceSilent", well().into_iter().filter(|s| !s.metric.starts_with("api")).collect()),
    ] {
        assert_eq!(seen_after(alert, &series), None, "{alert}");
    }
}

/// An evaluator that understands everything proves nothing.
#[test]
fn what_is_not_promql_is_refused() {
    for bad in ["a ==", "rate(a[5m])", "a{b~\"c\"}", "(a", "a[5x]", "a == bool 1", "sum by (a b) (c)", "a b"]
    {
        assert!(crate::promql::parse::parse(bad).is_err(), "{bad}");
    }
    let silent = Rule::read("x", "", "a > 1 and a < 1").expect("good words");
    assert_eq!(silent.fires_at(&[series("a", &[], |_| 1.0)], 10.0, END), None);
    let one = Rule::read("x", "\n          for: 1m\n", "a - a offset 30s == 15").expect("good words");
    assert_eq!(one.hold, 60.0);
}
