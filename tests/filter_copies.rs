//! Does a record that stays as it came cost the filter a copy?
//!
//! A copy of each, with all that came before it since the last change, would be quadratic. Without a clock the
//! process's peak of memory shows it, and so this test has a process of its own.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use testkit::chunk;

use std::sync::Arc;
use std::time::Duration;

use event_gateway::config::{CorrelationSettings, FilterSettings};
use event_gateway::enrich::Enricher;
use event_gateway::log::HostLog;
use event_gateway::pattern::Patterns;
use serde_json::{Value, json};

/// A filter that changes nothing, although it reads all.
fn idle() -> Enricher {
    let correlation = CorrelationSettings {
        topology: None,
        wait: Duration::ZERO,
        max_services: 100,
        labels: Patterns::default(),
        annotations: Patterns::default(),
    };
    let settings = FilterSettings { dedup: None, keep_managed_fields: true, correlation };
    Enricher::start(&settings, None, &Arc::new(HostLog::default()), || {}).unwrap()
}

/// A line, a list of many items and an event, each of some 64 KiB, often.
fn untouched() -> Vec<u8> {
    let item = json!({"involvedObject": {"kind": "Pod"}, "message": "m".repeat(40)});
    let items: Vec<Value> = vec![item; 800];
    let records = [
        json!({"log": "x".repeat(64 << 10)}),
        json!({"kind": "EventList", "items": items}),
        json!({"involvedObject": {"kind": "Pod"}, "message": "x".repeat(64 << 10)}),
    ];
    records.map(|body| chunk::v2(&body, 1)).concat().repeat(200)
}

/// The most memory that this process has had so far.
fn peak_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() << 10
}

#[test]
fn records_that_stay_are_not_copied() {
    let (enricher, chunk) = (idle(), untouched());
    assert!(chunk.len() > 32 << 20, "{} bytes", chunk.len());
    let before = peak_bytes();
    assert_eq!(enricher.chunk(&chunk), None);
    let counts = enricher.counts();
    assert_eq!((counts.records, counts.events), (600, 200));
    let more = peak_bytes() - before;
    assert!(more < chunk.len() / 8, "{more} bytes for a chunk of {}", chunk.len());
}
