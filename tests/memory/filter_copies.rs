//! Does a record that stays as it came cost the filter a copy?
//!
//! A copy of each, with all that came before it since the last change, would be quadratic. What the thread asks of
//! malloc shows it without a clock.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use crate::allocations::during;
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
        api: None,
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

#[test]
fn records_that_stay_are_not_copied() {
    let (enricher, chunk) = (idle(), untouched());
    assert!(chunk.len() > 32 << 20, "{} bytes", chunk.len());
    let asked = during(|| assert_eq!(enricher.chunk(&chunk), None)).bytes;
    let counts = enricher.counts();
    assert_eq!((counts.records, counts.events), (600, 200));
    assert!(asked < chunk.len() as u64 / 8, "{asked} bytes for a chunk of {}", chunk.len());
}
