//! Is each fault of a cluster seen within a minute, and nothing where all is well?
//!
//! The worst case: what the plugin knows is published two seconds later, scraped 15 seconds later, and evaluated up to
//! 10 seconds later. `figures_in_time` makes the series.

use event_gateway::metrics::cluster::RESOURCES;

use super::figures_in_time::{END, FAULT, Scrapes, after};
use super::operations::{ALERTS, alerts, expression};
use super::promql::Series;
use super::promql::rule::Rule;

fn rules() -> Vec<Rule> {
    let read = |(name, block): (&str, &str)| Rule::read(name, block, &expression(block));
    alerts().into_iter().map(|alert| read(alert).expect("an alert")).collect()
}

fn interval() -> f64 {
    let text =
        ALERTS.split("\n      interval: ").nth(1).and_then(|rest| rest.lines().next()).expect("an interval");
    super::promql::parse::duration(text).expect("a time")
}

fn rule(alert: &str) -> Rule {
    rules().into_iter().find(|rule| rule.name == alert).expect("such an alert")
}

/// The seconds from the fault until this alert fires at the latest, whenever its evaluations come; nothing before the
/// fault.
fn seen_after(alert: &str, series: &[Series]) -> Option<f64> {
    let rule = rule(alert);
    let fired: Vec<Option<f64>> = (0..10)
        .map(|phase| rule.fires_at(series, f64::from(phase) * interval() / 10.0 + 0.75, interval(), END))
        .collect();
    assert!(fired.iter().flatten().all(|at| *at >= FAULT), "{alert} fired before the fault");
    assert!(fired.iter().all(|at| at.is_some() == fired[0].is_some()), "{alert}: by chance only: {fired:?}");
    fired.into_iter().flatten().reduce(f64::max).map(|at| at - FAULT)
}

#[test]
fn each_alert_is_understood_and_silent_while_all_is_well() {
    for every in [15, 30] {
        let scrapes = Scrapes::late(every);
        let series = scrapes.well();
        for rule in rules() {
            assert_eq!(rule.fires_at(&series, 0.0, interval(), END), None, "{}", rule.name);
            // Silence without the figures proves nothing.
            for (metric, _) in rule.expr.selectors() {
                assert!(series.iter().any(|series| series.metric == metric), "{}: {metric}", rule.name);
            }
        }
    }
}

/// Faults, each with the alert that sees it and the series that it changes.
fn faults(scrapes: Scrapes) -> Vec<(&'static str, &'static str, Vec<Series>)> {
    let unfollowed = |resource: &str, reason| scrapes.unfollowed(resource, reason, |at| after(at, 1.0));
    let busy = |chunks: f64| {
        let chunks = scrapes.of_input("fluentbit_input_storage_chunks_busy", move |at| after(at, chunks));
        let retries = scrapes.of("fluentbit_output_retries_total", &[], |at| 17.0 + after(at, 1.0));
        vec![chunks, retries]
    };
    let silent = scrapes.of_input("fluentbit_input_records_total", |at| at.min(FAULT));
    let room =
        scrapes.of("fluentbit_output_chunk_available_capacity_percent", &[], |at| 100.0 - after(at, 95.0));
    let paused = scrapes.of_input("fluentbit_input_ingestion_paused", |at| after(at, 1.0));
    let of_all = |reason| RESOURCES.map(|resource| unfollowed(resource, reason)).to_vec();
    vec![
        ("the role is cut down to events", "EventGatewayTopologyStale", of_all("forbidden")),
        ("the token is not valid", "EventGatewayTopologyStale", of_all("unauthorized")),
        ("one resource is forbidden", "EventGatewayTopologyStale", vec![unfollowed("pods", "forbidden")]),
        ("the API server is away", "EventGatewayTopologyStale", vec![unfollowed("nodes", "unreachable")]),
        ("the retry queue is full", "EventGatewayRetryQueueFull", busy(1_500.0)),
        ("the disk's share is used up", "EventGatewayRetryQueueFull", vec![room]),
        ("the input is paused", "EventGatewayInputPaused", vec![paused]),
        ("a chunk waits for its retry", "EventGatewayChunksWaitForRetry", busy(1.0)),
        ("the source is silent", "EventGatewaySourceSilent", vec![silent]),
    ]
}

/// A silent source needs a minute of both counters, as its alert says; the doctor is there before.
#[test]
#[allow(clippy::print_stdout)]
fn each_fault_is_seen_within_a_minute() {
    for (every, bound) in [(15, 60.0), (30, 75.0)] {
        let scrapes = Scrapes::late(every);
        for (fault, alert, changed) in faults(scrapes) {
            let seconds = seen_after(alert, &scrapes.with(changed));
            let seconds = seconds.unwrap_or_else(|| panic!("{fault}: {alert} is silent"));
            println!("scraped every {every} s, {fault}: {alert} after {seconds} s");
            let bound = if alert == "EventGatewaySourceSilent" { 105.0 } else { bound };
            assert!(seconds <= bound, "{fault}: {alert} only after {seconds} s");
        }
    }
}

#[test]
fn what_is_slow_is_seen_all_the_same() {
    let scrapes = Scrapes::late(15);
    let waiting =
        scrapes.of("event_gateway_correlation_waiting_since_timestamp_seconds", &[], |at| after(at, FAULT));
    let not_ready = scrapes.of("event_gateway_topology_ready", &[], |at| 1.0 - after(at, 1.0));
    let dropped = scrapes.of("fluentbit_output_dropped_records_total", &[], |at| after(at, 9.0));
    let lost = scrapes.of("event_gateway_reconcile_unaccounted_versions", &[], |at| after(at, 3.0));
    for (alert, series) in [
        ("EventGatewaySourceLags", lost),
        ("EventGatewayRecordsWaitForTopology", waiting),
        ("EventGatewayTopologyNotReady", not_ready),
        ("EventGatewayHostGaveUp", dropped),
    ] {
        assert!(seen_after(alert, &scrapes.with([series])).is_some(), "{alert}");
    }
    let many = scrapes.of("event_gateway_correlated_records_total", &[("correlation", "stale")], |at| at);
    assert!(!rule("EventGatewayServicesUncertain").holds_for(&scrapes.with([many]), END).is_empty());
    let old =
        scrapes.of("event_gateway_topology_last_message_timestamp_seconds", &[("resource", "pods")], |at| {
            at.min(800.0)
        });
    assert_eq!(rule("EventGatewayTopologySilent").holds_for(&scrapes.with([old]), END).len(), 1);
}

#[test]
fn what_is_no_fault_is_not_alerted() {
    let scrapes = Scrapes::late(15);
    let of_another =
        |metric: &str, then: f64| scrapes.of(metric, &[("name", "s3")], move |at| after(at, then));
    let busy =
        |chunks: f64| scrapes.of_input("fluentbit_input_storage_chunks_busy", move |at| after(at, chunks));
    let retries = || of_another("fluentbit_output_retries_total", 9.0);
    let quiet = [
        scrapes.of_input("fluentbit_input_records_total", |at| at.min(FAULT)),
        scrapes.of_api_server(|at| at.min(FAULT)),
    ];
    let lacking = scrapes.unfollowed("ingresses", "not_served", |at| after(at, 1.0));
    let tail = scrapes.of("fluentbit_input_ingestion_paused", &[("name", "tail.3")], |at| after(at, 1.0));
    let full = scrapes.of("fluentbit_output_chunk_available_capacity_percent", &[("name", "s3")], |at| {
        100.0 - after(at, 95.0)
    });
    for (alert, changed) in [
        // An API server that lacks a resource, and what is another input's or output's.
        ("EventGatewayTopologyStale", vec![lacking]),
        ("EventGatewayInputPaused", vec![tail]),
        ("EventGatewayHostGaveUp", vec![of_another("fluentbit_output_dropped_records_total", 9.0)]),
        ("EventGatewayRetryQueueFull", vec![full]),
        // Another output is dead; ours had retries long ago, and its gateway is well.
        ("EventGatewayChunksWaitForRetry", vec![busy(3.0), retries()]),
        ("EventGatewayRetryQueueFull", vec![busy(1_500.0), retries()]),
        ("EventGatewaySourceSilent", quiet.to_vec()),
    ] {
        assert_eq!(seen_after(alert, &scrapes.with(changed)), None, "{alert}");
    }
    let unscraped: Vec<Series> =
        scrapes.well().into_iter().filter(|s| !s.metric.starts_with("api")).collect();
    assert_eq!(seen_after("EventGatewaySourceSilent", &unscraped), None);
}

/// Whenever the scrapes come: an API server that restarts, and the one event of a quiet cluster.
#[test]
fn what_is_soon_over_is_not_alerted() {
    for (every, shift) in [15, 30].into_iter().flat_map(|every| (0..every).map(move |shift| (every, shift))) {
        let scrapes = Scrapes { every, shift: f64::from(shift) };
        let away = |at: f64| if at < FAULT + 20.0 { after(at, 1.0) } else { 0.0 };
        let restart = RESOURCES.map(|resource| scrapes.unfollowed(resource, "unreachable", away));
        assert_eq!(seen_after("EventGatewayTopologyStale", &restart), None, "{shift}");
        // The API server is scraped at any other second.
        for other in 0..every {
            let of_api = Scrapes { every, shift: f64::from(other) };
            // Fluent Bit has read it a second later.
            let one = [
                scrapes.of_input("fluentbit_input_records_total", |at| after(at - 1.0, 1.0)),
                of_api.of_api_server(|at| after(at, 1.0)),
            ];
            let seen = seen_after("EventGatewaySourceSilent", &one);
            assert_eq!(seen, None, "every {every} s, at {shift} and {other}");
        }
    }
}

/// The one cluster's events say nothing of the other's input.
#[test]
fn clusters_are_distinguished() {
    let scrapes = Scrapes::late(15);
    let of = |cluster: &str, mut series: Series| {
        series.labels.insert("cluster".to_owned(), cluster.to_owned());
        series
    };
    let silent = || of("a", scrapes.of_input("fluentbit_input_records_total", |_| 7.0));
    let holds = |series: &[Series]| rule("EventGatewaySourceSilent").holds_for(series, END).len();
    assert_eq!(holds(&[silent(), of("b", scrapes.of_api_server(|at| at))]), 0);
    assert_eq!(holds(&[silent(), of("a", scrapes.of_api_server(|at| at))]), 1);
}

/// An evaluator that understands everything proves nothing.
#[test]
fn what_is_not_promql_is_refused() {
    for bad in ["a ==", "rate(a[5m])", "a{b~\"c\"}", "(a", "a[5x]", "a == bool 1", "sum by (a b) (c)", "a b"]
    {
        assert!(super::promql::parse::parse(bad).is_err(), "{bad}");
    }
    let silent = Rule::read("x", "", "a > 1 and a < 1").expect("good words");
    assert_eq!(silent.fires_at(&[Scrapes::late(15).of("a", &[], |_| 1.0)], 0.0, 10.0, END), None);
    let one = Rule::read("x", "\n          for: 1m\n", "a - a offset 30s == 15").expect("good words");
    assert_eq!(one.hold, 60.0);
}
