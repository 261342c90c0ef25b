//! Does docs/metrics.md tell of every metric what the code says of it, and of no other?

use std::collections::{BTreeMap, BTreeSet};

use super::doc_rows;
use doc_rows::rows;
use event_gateway::metrics::cluster::REASONS;
use event_gateway::metrics::{Described, FailureClass, MetricType, Metrics};

const TEXT: &str = include_str!("../../../docs/metrics.md");

fn kind(described: &Described) -> &'static str {
    match described.metric_type {
        MetricType::Counter => "counter",
        MetricType::Gauge => "gauge",
        MetricType::Histogram => "histogram",
    }
}

fn labels(described: &Described) -> String {
    let all = ["name"].iter().chain(described.labels).map(|label| format!("`{label}`"));
    all.collect::<Vec<_>>().join(", ")
}

/// By the conventions of Prometheus the name ends with the unit, and a counter's with `_total` after it.
fn unit(described: &Described) -> &'static str {
    let name = described.name.trim_end_matches("_total");
    match name {
        _ if name.ends_with("_timestamp_seconds") => "Unix time",
        _ if name.ends_with("_seconds") => "seconds",
        _ if name.contains("bytes") => "bytes",
        _ => "–",
    }
}

/// Where a document differs from the code.
fn differences(text: &str) -> Vec<String> {
    let rows: Vec<_> =
        rows(text).into_iter().filter(|(name, _)| name.starts_with("event_gateway_")).collect();
    let by_name: BTreeMap<&str, &Vec<&str>> = rows.iter().map(|(name, cells)| (*name, cells)).collect();
    let mut wrong = Vec::new();
    if by_name.len() != rows.len() {
        wrong.push("a metric has two rows".to_owned());
    }
    for described in Metrics::DESCRIBED {
        let full = format!("event_gateway_{}", described.name);
        match by_name.get(&*full) {
            None => wrong.push(format!("{full} has no row")),
            Some(cells) => {
                let expected = [kind(described), &labels(described), unit(described), described.help];
                if cells.len() != 5 || cells[..4] != expected {
                    wrong.push(format!("{full}: {cells:?} is not {expected:?}"));
                } else if cells[4].len() < 8 || !cells[4].ends_with('.') {
                    wrong.push(format!("{full}: what to do when it moves?"));
                }
            }
        }
    }
    let described =
        |name: &str| Metrics::DESCRIBED.iter().any(|d| name == format!("event_gateway_{}", d.name));
    wrong.extend(by_name.keys().filter(|name| !described(name)).map(|name| format!("there is no {name}")));
    wrong
}

#[test]
fn every_metric_has_its_row_and_every_row_its_metric() {
    assert_eq!(differences(TEXT), [""; 0]);
}

#[test]
fn every_class_and_every_reason_has_its_row() {
    let listed: BTreeSet<&str> =
        rows(TEXT).iter().map(|(name, _)| *name).filter(|name| !name.starts_with("event_gateway_")).collect();
    let classes = FailureClass::ALL.map(FailureClass::name);
    assert_eq!(listed, classes.into_iter().chain(REASONS).collect());
}

#[test]
fn names_follow_the_conventions() {
    for described in Metrics::DESCRIBED {
        let name = described.name;
        assert_eq!(name.ends_with("_total"), described.metric_type == MetricType::Counter, "{name}");
        assert!(!["_ms", "millis", "micros", "_kb", "_mb"].iter().any(|unit| name.contains(unit)), "{name}");
        assert_eq!(described.metric_type == MetricType::Histogram, !described.bounds.is_empty(), "{name}");
        // What the text format reserves for the parts of a histogram.
        assert!(!["_bucket", "_sum", "_count"].iter().any(|part| name.ends_with(part)), "{name}");
        assert!(described.help.ends_with('.'), "{name}");
    }
}

/// A check that cannot fail checks nothing.
#[test]
fn the_check_finds_what_it_looks_for() {
    for (change, to) in [
        ("`event_gateway_requests_total`", "`event_gateway_request_total`"),
        ("| gauge | `name` | – | 1 while", "| counter | `name` | – | 1 while"),
        ("`name`, `class`", "`name`"),
        ("| histogram | `name` | seconds |", "| histogram | `name` | milliseconds |"),
        ("Requests sent to the gateway.", "Requests made to the gateway."),
        ("| Requests sent to the gateway. | Nothing by itself. |", "| Requests made to the gateway. | |"),
    ] {
        let changed = TEXT.replacen(change, to, 1);
        assert_ne!(changed, TEXT, "{change} is not there");
        assert_ne!(differences(&changed), [""; 0], "{change}");
    }
    let row = TEXT.lines().find(|line| line.starts_with("| `event_gateway_requests_total`")).expect("a row");
    assert_ne!(differences(&TEXT.replace(row, "")), [""; 0]);
    assert_ne!(differences(&format!("{TEXT}\n{row}\n")), [""; 0]);
}
